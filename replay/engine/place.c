// SPDX-License-Identifier: GPL-2.0-only
/* Looking at zspages and places. */
#include "replay/engine/object.h"

uint64_t zsr_engine_pages(const struct zsr_engine *e)
{
	return __atomic_load_n(&e->pages, __ATOMIC_RELAXED);
}

void zsr_engine_place(const struct zsr_engine *e, zsr_handle h,
		      struct zsr_place *place)
{
	uint64_t cell = cell_read(e, h);
	const struct zsr_zspage *z = cell_zspage(e, cell, e->backed);

	place->zspage = z->serial;
	place->class = z->class;
	place->obj = cell_slot(cell);
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
