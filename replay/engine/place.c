// SPDX-License-Identifier: GPL-2.0-only
/* Looking at zspages and places. */
#include "replay/engine/internal.h"

uint64_t zsr_engine_pages(const struct zsr_engine *e)
{
	return e->pages;
}

void zsr_engine_place(const struct zsr_engine *e, zsr_handle h,
		      struct zsr_place *place)
{
	const struct zsr_cell *cell = cell_of(e, h);

	place->zspage = zspage_at(e, cell->ref)->serial;
	place->class = cell->class;
	place->obj = cell->slot;
}

uint64_t zsr_zspage_serial(const struct zsr_zspage *z)
{
	return z->serial;
}

unsigned zsr_zspage_class(const struct zsr_zspage *z)
{
	return z->class;
}

unsigned zsr_zspage_pages(const struct zsr_zspage *z)
{
	return z->pages;
}

unsigned zsr_zspage_inuse(const struct zsr_zspage *z)
{
	return z->inuse;
}

uint32_t *zsr_zspage_queued(struct zsr_zspage *z)
{
	return &z->queued;
}
