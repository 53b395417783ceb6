// SPDX-License-Identifier: GPL-2.0-only
/* Compaction: the two rules by which kernels empty zspages into others. */
#include "replay/engine/object.h"

/* Pages that a perfect compaction of the class would give back. */
static uint64_t freeable(const struct zsr_class *c)
{
	return (class_allocated(c) - c->obj_used) / c->objs * c->pages;
}

static struct zsr_zspage *isolate(struct zsr_class *c, unsigned group)
{
	struct zsr_zspage *z;

	if (!(c->lists & (1u << group)))
		return NULL;
	z = c->list[group];
	group_remove(c, z);
	return z;
}

static void put_back(struct zsr_class *c, struct zsr_zspage *z)
{
	group_insert(c, z, group_of(c, z->inuse));
}

/* Put back a source; pages given back or left to the worker if it is empty. */
static unsigned put_back_source(struct zsr_engine *e, struct zsr_class *c,
				struct zsr_zspage *z)
{
	put_back(c, z);
	if (z->inuse)
		return 0;
	if (zsr_engine_zspage_trylock(e, z)) {
		zsr_engine_zspage_unlink(e, z);
		zsr_engine_zspage_free(e, z);
	}
	return c->pages;
}

static void move(struct zsr_engine *e, struct zsr_class *c,
		 struct zsr_zspage *src, zsr_handle h, struct zsr_zspage *dst)
{
	uint64_t from = cell_read(e, h);
	uint64_t to = slot_pop(e, c, dst, h, e->backed);

	if (e->backed)
		zsr_obj_copy(e, c, to, from);
	cell_write(e, h, to);
	dst->inuse++;
	slot_push(e, c, src, from, e->backed);
	src->inuse--;
	if (e->obs.moved)
		e->obs.moved(e->obs.ctx, h, src, dst);
}

static bool contended(const struct zsr_engine *e)
{
	return e->obs.contended && e->obs.contended(e->obs.ctx);
}

/* The driver's chance to let others have the locks for a while. */
static void breathe(const struct zsr_engine *e, uint64_t pages)
{
	if (e->obs.breathe)
		e->obs.breathe(e->obs.ctx, pages);
}

/* In memory: to the end of each page, on at the first slot of the next. */
static zsr_handle next_used_backed(const struct zsr_engine *e,
				   const struct zsr_class *c,
				   const struct zsr_zspage *z, unsigned *slot)
{
	unsigned offset = *slot * c->size;
	struct zsr_page *page = zspage_page(e, z, offset >> e->page_shift);

	for (offset &= e->page_size - 1; *slot < c->objs; ++*slot) {
		uintptr_t header;

		if (offset >= e->page_size) {
			page = page_next(e, page);
			offset = page->first;
		}
		header = *header_at(e, page, offset);
		if (header & ZSR_SLOT_USED)
			return (zsr_handle)(header >> 1);
		offset += c->size;
	}
	return 0;
}

/* The object in the first used slot from *SLOT on, 0 if there is none. */
static zsr_handle next_used(const struct zsr_engine *e,
			    const struct zsr_class *c,
			    const struct zsr_zspage *z, unsigned *slot)
{
	if (e->backed)
		return next_used_backed(e, c, z, slot);
	for (; *slot < c->objs; ++*slot)
		if (z->slot[*slot] & ZSR_SLOT_USED)
			return z->slot[*slot] >> 1;
	return 0;
}

/* ---- dst-driven: from 6.4 --------------------------------------------- */

static struct zsr_zspage *isolate_fullest(struct zsr_class *c)
{
	struct zsr_zspage *z = NULL;
	unsigned g;

	for (g = c->full - 1u; g >= 1 && !z; g--)
		z = isolate(c, g);
	return z;
}

static struct zsr_zspage *isolate_emptiest(struct zsr_class *c)
{
	struct zsr_zspage *z = NULL;
	unsigned g;

	for (g = 1; g < c->full && !z; g++)
		z = isolate(c, g);
	return z;
}

static void move_until_full(struct zsr_engine *e, struct zsr_class *c,
			    struct zsr_zspage *src, struct zsr_zspage *dst)
{
	unsigned slot;
	zsr_handle h;

	for (slot = 0; (h = next_used(e, c, src, &slot)); slot++) {
		move(e, c, src, h, dst);
		if (dst->inuse == c->objs || !src->inuse)
			break;
	}
}

static uint64_t compact_dst(struct zsr_engine *e, struct zsr_class *c)
{
	struct zsr_zspage *dst = NULL, *src;
	uint64_t pages = 0;

	while (freeable(c)) {
		if (!dst)
			dst = isolate_fullest(c);
		if (!dst)
			break;
		src = isolate_emptiest(c);
		if (!src)
			break;
		move_until_full(e, c, src, dst);
		pages += put_back_source(e, c, src);
		if (dst->inuse == c->objs || contended(e)) {
			put_back(c, dst);
			dst = NULL;
			breathe(e, pages);
		}
	}
	if (dst)
		put_back(c, dst);
	return pages;
}

/* ---- src-driven: to 6.3 ------------------------------------------------ */

enum { ALMOST_EMPTY = 1, ALMOST_FULL = 2 };

static struct zsr_zspage *isolate_either(struct zsr_class *c, unsigned first,
					 unsigned second)
{
	struct zsr_zspage *z = isolate(c, first);

	return z ? z : isolate(c, second);
}

/*
 * Move from *slot on. True: the destination is full and an object waits at
 * *slot; so one filled by the very last object counts as not full.
 */
static bool move_until_waiting(struct zsr_engine *e, struct zsr_class *c,
			       struct zsr_zspage *src, unsigned *slot,
			       struct zsr_zspage *dst)
{
	zsr_handle h;

	for (; (h = next_used(e, c, src, slot)); ++*slot) {
		if (dst->inuse == c->objs)
			return true;
		move(e, c, src, h, dst);
	}
	return false;
}

static uint64_t compact_src(struct zsr_engine *e, struct zsr_class *c)
{
	struct zsr_zspage *dst, *src;
	uint64_t pages = 0;
	unsigned slot;

	while ((src = isolate_either(c, ALMOST_EMPTY, ALMOST_FULL))) {
		if (!freeable(c))
			break;
		slot = 0;
		while ((dst = isolate_either(c, ALMOST_FULL, ALMOST_EMPTY)) &&
		       move_until_waiting(e, c, src, &slot, dst)) {
			put_back(c, dst);
			if (contended(e))
				goto end;
		}
		if (!dst)
			break;
		put_back(c, dst);
		pages += put_back_source(e, c, src);
		breathe(e, pages);
	}
end:
	if (src)
		put_back(c, src);
	return pages;
}

/* ---- the pool ---------------------------------------------------------- */

uint64_t zsr_engine_compact_class(struct zsr_engine *e, unsigned class)
{
	struct zsr_class *c = &e->class[class];

	switch (e->model.compact) {
	case ZSR_COMPACT_SRC:
		return compact_src(e, c);
	case ZSR_COMPACT_DST:
		break;
	}
	return compact_dst(e, c);
}

uint64_t zsr_engine_compact(struct zsr_engine *e)
{
	unsigned i = e->nr_raw;
	uint64_t pages = 0;

	while (i--)
		if (class_is_real(e, i))
			pages += zsr_engine_compact_class(e, i);
	e->pages_compacted += pages;
	return pages;
}

uint64_t zsr_engine_pages_compacted(const struct zsr_engine *e)
{
	return e->pages_compacted;
}

uint64_t zsr_engine_freeable(const struct zsr_engine *e)
{
	uint64_t pages = 0;
	unsigned i;

	for (i = 0; i < e->nr_raw; i++)
		if (class_is_real(e, i))
			pages += freeable(&e->class[i]);
	return pages;
}

void zsr_engine_class_use(const struct zsr_engine *e, unsigned class,
			  uint64_t *objects, uint64_t *pages)
{
	const struct zsr_class *c = &e->class[class];

	*objects = c->obj_used;
	*pages = (uint64_t)c->zspages * c->pages;
}

void zsr_engine_class_stats(const struct zsr_engine *e, unsigned class,
			    struct zsr_class_stats *s)
{
	const struct zsr_class *c = &e->class[class];
	uint64_t listed = 0;
	unsigned g;

	*s = (struct zsr_class_stats){
		.obj_allocated = class_allocated(c),
		.obj_used = c->obj_used,
		.pages_used = (uint64_t)c->zspages * c->pages,
		.freeable = freeable(c),
		.nr_groups = c->full + 1u,
	};
	for (g = 0; g < c->full; g++) {
		const struct zsr_zspage *z = c->list[g];

		for (; z != (const struct zsr_zspage *)&c->end; z = z->next)
			s->group[g]++;
		listed += s->group[g];
	}
	s->group[c->full] = c->zspages - listed;
	s->group[0] += e->drift[class];
}
