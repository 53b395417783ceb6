/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rules of the zsmalloc model as plainly as they can be said: every list
 * is an array in its order, every group a division, every search a loop. The
 * fast engine is compared with this one, so nothing here is shared with it.
 */
#ifndef ZSR_NAIVE_H
#define ZSR_NAIVE_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { NAIVE_MAX_LIVE = 2048, NAIVE_MAX_CLASSES = 257 };

struct naive_rules {
	bool percent; /* else least waste */
	bool quad; /* else twelve groups */
	bool src_driven; /* else dst-driven compaction */
	int err_zero, err_large;
	bool drift;
	int page_size, chain;
	int handle_size, min_size;
};

struct naive_zspage {
	int class;
	long serial;
	int group;
	int inuse;
	int *owner; /* by slot: the object's id, -1 */
	int *free; /* stack of free slots, the last is the top */
	bool locked[16];
};

struct naive_class {
	bool real;
	int size, pages, objs;
	long allocated, used, drift;
	struct naive_zspage *list[12][NAIVE_MAX_LIVE];
	int len[12];
};

struct naive_place {
	struct naive_zspage *z;
	int slot;
};

struct naive_event {
	bool new;
	long serial;
	long pages_now;
};

struct naive {
	struct naive_rules r;
	int nr_raw;
	int huge_class_size;
	int class_of_raw[NAIVE_MAX_CLASSES];
	struct naive_class class[NAIVE_MAX_CLASSES];
	struct naive_place *place; /* by id */
	long pages, next_serial;
	bool scheduled;
	struct naive_event event[NAIVE_MAX_LIVE];
	int nr_events; /* of the op at hand */
};

/* ---- size classes ------------------------------------------------------- */

static inline int naive_chain(const struct naive_rules *r, int size)
{
	int i, best = 1, best_value = -1;

	for (i = 1; i <= r->chain; i++) {
		long total = (long)i * r->page_size, waste = total % size;
		int value = r->percent ? (int)((total - waste) * 100 / total)
				       : (int)(r->page_size - waste);

		if (value > best_value) {
			best_value = value;
			best = i;
		}
	}
	return best;
}

static inline struct naive *naive_create(const struct naive_rules *r, int nr_ids)
{
	struct naive *n = calloc(1, sizeof(*n));
	int step = r->page_size / 256, raw, last = -1;

	n->r = *r;
	n->place = calloc((size_t)nr_ids + 1, sizeof(*n->place));
	n->nr_raw = (r->page_size - r->min_size + step - 1) / step + 1;
	for (raw = n->nr_raw - 1; raw >= 0; raw--) {
		struct naive_class *c = &n->class[raw];

		c->size = r->min_size + raw * step;
		if (c->size > r->page_size)
			c->size = r->page_size;
		c->pages = naive_chain(r, c->size);
		c->objs = c->pages * r->page_size / c->size;
		if (last < 0 || n->class[last].pages != c->pages ||
		    n->class[last].objs != c->objs) {
			c->real = true;
			last = raw;
			if (!n->huge_class_size && c->pages > 1 && c->objs > 1)
				n->huge_class_size = c->size -
						     (r->handle_size - 1);
		}
		n->class_of_raw[raw] = last;
	}
	return n;
}

/* Negative errno or the class's index. */
static inline int naive_size_class(const struct naive *n, long size)
{
	int raw;

	if (size == 0)
		return n->r.err_zero;
	if (size > n->r.page_size)
		return n->r.err_large;
	for (raw = 0; raw < n->nr_raw - 1; raw++)
		if (size + n->r.handle_size <=
		    n->r.min_size + raw * (n->r.page_size / 256))
			break;
	return n->class_of_raw[raw];
}

/* ---- lists ---------------------------------------------------------------- */

static inline int naive_full_group(const struct naive *n)
{
	return n->r.quad ? 3 : 11;
}

static inline int naive_group(const struct naive *n,
			      const struct naive_zspage *z)
{
	int objs = n->class[z->class].objs;

	if (z->inuse == 0)
		return 0;
	if (z->inuse == objs)
		return naive_full_group(n);
	if (n->r.quad)
		return z->inuse <= objs * 3 / 4 ? 1 : 2;
	return (int)(100L * z->inuse / objs) / 10 + 1;
}

static inline void naive_insert(struct naive *n, struct naive_zspage *z)
{
	struct naive_class *c = &n->class[z->class];
	int g = naive_group(n, z), at = 0;
	struct naive_zspage **list = c->list[g];

	if (n->r.quad && c->len[g] && z->inuse < list[0]->inuse)
		at = 1;
	memmove(&list[at + 1], &list[at],
		(size_t)(c->len[g] - at) * sizeof(*list));
	list[at] = z;
	c->len[g]++;
	z->group = g;
}

static inline void naive_remove(struct naive *n, struct naive_zspage *z)
{
	struct naive_class *c = &n->class[z->class];
	struct naive_zspage **list = c->list[z->group];
	int at = 0;

	while (list[at] != z)
		at++;
	c->len[z->group]--;
	memmove(&list[at], &list[at + 1],
		(size_t)(c->len[z->group] - at) * sizeof(*list));
}

static inline void naive_regroup(struct naive *n, struct naive_zspage *z)
{
	if (naive_group(n, z) == z->group)
		return;
	naive_remove(n, z);
	naive_insert(n, z);
}

static inline struct naive_zspage *naive_first(struct naive_class *c, int from,
					       int to)
{
	int step = from < to ? 1 : -1, g;

	for (g = from; g != to + step; g += step)
		if (c->len[g])
			return c->list[g][0];
	return NULL;
}

/* ---- slots ------------------------------------------------------------------ */

static inline void naive_put(struct naive *n, struct naive_zspage *z, int id)
{
	int slot = z->free[n->class[z->class].objs - z->inuse - 1];

	z->owner[slot] = id;
	z->inuse++;
	n->place[id].z = z;
	n->place[id].slot = slot;
}

static inline void naive_take(struct naive *n, struct naive_zspage *z, int slot)
{
	z->inuse--;
	z->free[n->class[z->class].objs - z->inuse - 1] = slot;
	z->owner[slot] = -1;
}

/* ---- zspages ---------------------------------------------------------------- */

static inline void naive_event(struct naive *n, bool new,
			       const struct naive_zspage *z)
{
	n->pages += new ? n->class[z->class].pages : -n->class[z->class].pages;
	n->event[n->nr_events++] = (struct naive_event){ new, z->serial,
							 n->pages };
}

static inline struct naive_zspage *naive_new(struct naive *n, int class)
{
	struct naive_class *c = &n->class[class];
	struct naive_zspage *z = calloc(1, sizeof(*z));
	int i;

	z->class = class;
	z->serial = n->next_serial++;
	z->owner = malloc((size_t)c->objs * sizeof(int));
	z->free = malloc((size_t)c->objs * sizeof(int));
	for (i = 0; i < c->objs; i++) {
		z->owner[i] = -1;
		z->free[i] = c->objs - 1 - i;
	}
	c->allocated += c->objs;
	naive_event(n, true, z);
	return z;
}

/* Give back an empty zspage that is on its list, if no page is locked. */
static inline bool naive_release(struct naive *n, struct naive_zspage *z)
{
	struct naive_class *c = &n->class[z->class];
	int i;

	for (i = 0; i < c->pages; i++)
		if (z->locked[i]) {
			n->scheduled = true;
			return false;
		}
	naive_remove(n, z);
	c->allocated -= c->objs;
	naive_event(n, false, z);
	free(z->owner);
	free(z->free);
	free(z);
	return true;
}

/* ---- the calls ---------------------------------------------------------------- */

static inline int naive_malloc(struct naive *n, long size, int id)
{
	int class = naive_size_class(n, size);
	struct naive_zspage *z;

	if (class < 0)
		return class;
	z = naive_first(&n->class[class], naive_full_group(n) - 1, 0);
	if (z) {
		naive_put(n, z, id);
		naive_regroup(n, z);
	} else {
		z = naive_new(n, class);
		naive_put(n, z, id);
		naive_insert(n, z);
	}
	n->class[class].used++;
	return 0;
}

static inline bool naive_free(struct naive *n, int id)
{
	struct naive_zspage *z = n->place[id].z;

	n->class[z->class].used--;
	naive_take(n, z, n->place[id].slot);
	naive_regroup(n, z);
	n->place[id].z = NULL;
	return z->inuse == 0 && naive_release(n, z);
}

static inline void naive_worker(struct naive *n)
{
	int i;

	if (!n->scheduled)
		return;
	n->scheduled = false;
	for (i = n->nr_raw - 1; i >= 0; i--)
		while (n->class[i].len[0]) {
			naive_release(n, n->class[i].list[0][0]);
			n->class[i].drift += n->r.drift;
		}
}

static inline long naive_freeable(const struct naive_class *c)
{
	return (c->allocated - c->used) / c->objs * c->pages;
}

static inline void naive_move(struct naive *n, struct naive_zspage *src,
			      int slot, struct naive_zspage *dst)
{
	int id = src->owner[slot];

	naive_put(n, dst, id);
	naive_take(n, src, slot);
}

static inline long naive_put_back_source(struct naive *n, struct naive_zspage *z)
{
	int pages = n->class[z->class].pages;

	naive_insert(n, z);
	if (z->inuse)
		return 0;
	naive_release(n, z);
	return pages;
}

static inline struct naive_zspage *naive_isolate(struct naive *n,
						 struct naive_class *c,
						 int from, int to)
{
	struct naive_zspage *z = naive_first(c, from, to);

	if (z)
		naive_remove(n, z);
	return z;
}

static inline long naive_compact_dst(struct naive *n, struct naive_class *c)
{
	struct naive_zspage *dst = NULL, *src;
	long pages = 0;
	int slot;

	while (naive_freeable(c) > 0) {
		if (!dst)
			dst = naive_isolate(n, c, 10, 1);
		if (!dst)
			break;
		src = naive_isolate(n, c, 1, 10);
		if (!src)
			break;
		for (slot = 0; slot < c->objs; slot++) {
			if (src->owner[slot] < 0)
				continue;
			naive_move(n, src, slot, dst);
			if (dst->inuse == c->objs || src->inuse == 0)
				break;
		}
		pages += naive_put_back_source(n, src);
		if (dst->inuse == c->objs) {
			naive_insert(n, dst);
			dst = NULL;
		}
	}
	if (dst)
		naive_insert(n, dst);
	return pages;
}

static inline long naive_compact_src(struct naive *n, struct naive_class *c)
{
	struct naive_zspage *dst, *src;
	long pages = 0;
	int slot;

	for (;;) {
		src = naive_isolate(n, c, 1, 2);
		if (!src)
			return pages;
		if (naive_freeable(c) == 0) {
			naive_insert(n, src);
			return pages;
		}
		slot = 0;
	again:
		dst = naive_isolate(n, c, 2, 1);
		if (!dst) {
			naive_insert(n, src);
			return pages;
		}
		for (; slot < c->objs; slot++) {
			if (src->owner[slot] < 0)
				continue;
			if (dst->inuse == c->objs) {
				naive_insert(n, dst);
				goto again;
			}
			naive_move(n, src, slot, dst);
		}
		naive_insert(n, dst);
		pages += naive_put_back_source(n, src);
	}
}

static inline long naive_compact(struct naive *n)
{
	long pages = 0;
	int i;

	for (i = n->nr_raw - 1; i >= 0; i--) {
		if (!n->class[i].real)
			continue;
		pages += n->r.src_driven ? naive_compact_src(n, &n->class[i])
					 : naive_compact_dst(n, &n->class[i]);
	}
	return pages;
}

static inline void naive_destroy(struct naive *n)
{
	int i, g, k;

	for (i = 0; i < n->nr_raw; i++)
		for (g = 0; g < 12; g++)
			for (k = 0; k < n->class[i].len[g]; k++) {
				free(n->class[i].list[g][k]->owner);
				free(n->class[i].list[g][k]->free);
				free(n->class[i].list[g][k]);
			}
	free(n->place);
	free(n);
}

#endif
