/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Cells and slots, in the two builds of the engine. Both say the same; every
 * step takes BACKED, a constant where it must be cheap.
 *
 *			state only		backed
 * a cell in use	record, slot		page, class, slot
 * a slot's header	word in the record	first word of the object, in
 *						the page's if that is huge
 *
 * A free cell is the next free handle. A free slot's header is the next free
 * slot, shifted; a used one's is its handle, shifted, with the lowest bit set.
 *
 * Either kind of cell tells its class also when it is stale: records serve one
 * class only, and the page's cell has it inside.
 */
#ifndef ZSR_ENGINE_OBJECT_H
#define ZSR_ENGINE_OBJECT_H

#include "replay/engine/internal.h"

#define ZSR_SLOT_BITS  16
#define ZSR_CLASS_BITS 9
#define ZSR_SLOT_USED  1u

/* Four to a cache line. */
struct zsr_page {
	struct zsr_zspage *zspage; /* NULL: free */
	union {
		uint32_t next; /* number of the zspage's next page */
		uint32_t header; /* of a huge object: that has one page */
	};
	uint16_t first; /* byte where the first slot starts that starts here */
	bool locked;
};

/* ---- pages ------------------------------------------------------------ */

static ZSR_HOT struct zsr_page *page_next(const struct zsr_engine *e,
					  const struct zsr_page *page)
{
	return &e->page[page->next];
}

static ZSR_HOT struct zsr_page *zspage_page(const struct zsr_engine *e,
					    const struct zsr_zspage *z,
					    unsigned nr)
{
	struct zsr_page *page = &e->page[z->first_page];

	while (nr--)
		page = page_next(e, page);
	return page;
}

static ZSR_HOT char *page_bytes(const struct zsr_engine *e,
				const struct zsr_page *page)
{
	return e->memory + ((size_t)(page - e->page) << e->page_shift);
}

static ZSR_HOT uintptr_t *header_at(const struct zsr_engine *e,
				    const struct zsr_page *page, unsigned offset)
{
	return (uintptr_t *)(page_bytes(e, page) + offset);
}

/* ---- cells ------------------------------------------------------------ */

static ZSR_HOT uint64_t cell_read(const struct zsr_engine *e, zsr_handle h)
{
	return __atomic_load_n(&e->cells[h], __ATOMIC_RELAXED);
}

static ZSR_HOT void cell_write(struct zsr_engine *e, zsr_handle h, uint64_t cell)
{
	__atomic_store_n(&e->cells[h], cell, __ATOMIC_RELAXED);
}

static ZSR_HOT unsigned cell_slot(uint64_t cell)
{
	return cell & ((1u << ZSR_SLOT_BITS) - 1);
}

static ZSR_HOT struct zsr_page *cell_page(const struct zsr_engine *e,
					  uint64_t cell)
{
	return &e->page[cell >> (ZSR_SLOT_BITS + ZSR_CLASS_BITS)];
}

static ZSR_HOT struct zsr_zspage *cell_zspage(const struct zsr_engine *e,
					      uint64_t cell, bool backed)
{
	if (backed)
		return cell_page(e, cell)->zspage;
	return (struct zsr_zspage *)(uintptr_t)(cell >> ZSR_SLOT_BITS);
}

static ZSR_HOT unsigned cell_class(const struct zsr_engine *e, uint64_t cell,
				   bool backed)
{
	if (backed)
		return cell >> ZSR_SLOT_BITS & ((1u << ZSR_CLASS_BITS) - 1);
	return cell_zspage(e, cell, false)->class;
}

static ZSR_HOT void cell_push(struct zsr_engine *e, uint32_t *list, zsr_handle h)
{
	e->cells[h] = *list;
	*list = h;
}

/* ---- slots ------------------------------------------------------------- */

/* The next malloc here waits for this header, so it is sent for. */
static ZSR_HOT void free_head(struct zsr_engine *e, const struct zsr_class *c,
			      struct zsr_zspage *z, uintptr_t slot)
{
	unsigned offset = (unsigned)slot * c->size;
	const struct zsr_page *page;

	z->free = (uint16_t)slot;
	if (slot >= c->objs)
		return;
	page = zspage_page(e, z, offset >> e->page_shift);
	z->free_page = (uint32_t)(page - e->page);
	__builtin_prefetch(header_at(e, page, offset & (e->page_size - 1)), 1);
}

static ZSR_HOT uint64_t slot_pop_backed(struct zsr_engine *e,
					const struct zsr_class *c,
					struct zsr_zspage *z, zsr_handle h)
{
	unsigned slot = z->free;
	uint32_t page = z->free_page;
	uintptr_t *header;

	if (c->huge) {
		e->page[page].header = h << 1 | ZSR_SLOT_USED;
	} else {
		header = header_at(e, &e->page[page],
				   slot * c->size & (e->page_size - 1));
		free_head(e, c, z, *header >> 1);
		*header = (uintptr_t)h << 1 | ZSR_SLOT_USED;
	}
	return ((uint64_t)page << ZSR_CLASS_BITS | z->class) << ZSR_SLOT_BITS |
	       slot;
}

/* Who asks for the class is about to take its lock: by then the header may be
 * here, and is not waited for with the lock held. */
static ZSR_HOT void slot_prefetch(const struct zsr_engine *e, uint64_t cell)
{
	unsigned offset = cell_slot(cell) *
			  e->class[cell_class(e, cell, true)].size;

	__builtin_prefetch(
		header_at(e, cell_page(e, cell), offset & (e->page_size - 1)),
		1);
}

/* The first free slot becomes that of H; returns the cell that says so. */
static ZSR_HOT uint64_t slot_pop(struct zsr_engine *e, const struct zsr_class *c,
				 struct zsr_zspage *z, zsr_handle h, bool backed)
{
	unsigned slot = z->free;
	uint32_t *word = &z->slot[slot];

	if (backed)
		return slot_pop_backed(e, c, z, h);
	z->free = (uint16_t)(*word >> 1);
	*word = h << 1 | ZSR_SLOT_USED;
	return (uint64_t)(uintptr_t)z << ZSR_SLOT_BITS | slot;
}

static ZSR_HOT void slot_push_backed(struct zsr_engine *e,
				     const struct zsr_class *c,
				     struct zsr_zspage *z, uint64_t cell)
{
	unsigned offset = cell_slot(cell) * c->size & (e->page_size - 1);
	struct zsr_page *page = cell_page(e, cell);

	z->free_page = (uint32_t)(page - e->page);
	if (c->huge)
		page->header = 0;
	else
		*header_at(e, page, offset) = (uintptr_t)z->free << 1;
}

static ZSR_HOT void slot_push(struct zsr_engine *e, const struct zsr_class *c,
			      struct zsr_zspage *z, uint64_t cell, bool backed)
{
	unsigned slot = cell_slot(cell);

	if (backed)
		slot_push_backed(e, c, z, cell);
	else
		z->slot[slot] = (uint32_t)z->free << 1;
	z->free = (uint16_t)slot;
}

#endif
