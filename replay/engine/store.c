// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where cells and zspage records live: chunks that are added and never moved
 * or given back before the pool goes. Freed cells and records are reused last
 * in, first out; records among the classes whose records are as long.
 */
#include <stdlib.h>

#include "replay/engine/internal.h"

int zsr_store_init(struct zsr_engine *e)
{
	e->cells = calloc(ZSR_CELL_CHUNKS, sizeof(*e->cells));
	e->records = calloc(ZSR_UNIT_CHUNKS, sizeof(*e->records));
	if (!e->cells || !e->records)
		return -ENOMEM;
	e->nr_handles = 1; /* 0 is no handle */
	return 0;
}

void zsr_store_destroy(struct zsr_engine *e)
{
	unsigned i;

	if (e->cells)
		for (i = 0; i < ZSR_CELL_CHUNKS && e->cells[i]; i++)
			free(e->cells[i]);
	if (e->records)
		for (i = 0; i < ZSR_UNIT_CHUNKS && e->records[i]; i++)
			free(e->records[i]);
	free(e->cells);
	free(e->records);
}

/* The next cell never used; 0 when memory is out. */
zsr_handle zsr_cell_carve(struct zsr_engine *e)
{
	uint32_t chunk = e->nr_handles >> ZSR_CELL_SHIFT;

	if (chunk >= ZSR_CELL_CHUNKS)
		return 0;
	if (!e->cells[chunk]) {
		e->cells[chunk] = malloc(sizeof(struct zsr_cell)
					 << ZSR_CELL_SHIFT);
		if (!e->cells[chunk])
			return 0;
	}
	return e->nr_handles++;
}

static struct zsr_zspage *record_carve(struct zsr_engine *e, uint32_t units)
{
	uint32_t per_chunk = 1u << ZSR_UNIT_SHIFT;
	uint32_t at = e->nr_units, chunk;
	struct zsr_zspage *z;

	if (at % per_chunk + units > per_chunk)
		at = (at / per_chunk + 1) * per_chunk;
	chunk = at >> ZSR_UNIT_SHIFT;
	if (chunk >= ZSR_UNIT_CHUNKS)
		return NULL;
	if (!e->records[chunk]) {
		e->records[chunk] = aligned_alloc(
			ZSR_UNIT, (size_t)ZSR_UNIT << ZSR_UNIT_SHIFT);
		if (!e->records[chunk])
			return NULL;
	}
	e->nr_units = at + units;
	z = zspage_at(e, at);
	z->ref = at;
	return z;
}

struct zsr_zspage *zsr_record_alloc(struct zsr_engine *e,
				    const struct zsr_class *c)
{
	struct zsr_zspage *z = e->free_record[c->rec_bin];

	if (!z)
		return record_carve(e, c->rec_units);
	e->free_record[c->rec_bin] = (struct zsr_zspage *)z->link.next;
	return z;
}

void zsr_record_free(struct zsr_engine *e, const struct zsr_class *c,
		     struct zsr_zspage *z)
{
	z->link.next = (struct zsr_link *)e->free_record[c->rec_bin];
	e->free_record[c->rec_bin] = z;
}
