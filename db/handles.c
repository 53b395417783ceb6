// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "db/handles.h"

#define FIRST_CAP     1024 /* of any table: a power of two */
#define REMEMBER_DEAD 65536

/* ---- map --------------------------------------------------------------- */

static struct zsr_map_slot *map_slot(const struct zsr_map *m, uint64_t key)
{
	size_t i = zsr_hash(key) & (m->cap - 1);

	while (m->slot[i].value && m->slot[i].key != key)
		i = (i + 1) & (m->cap - 1);
	return &m->slot[i];
}

uint64_t zsr_map_get(const struct zsr_map *m, uint64_t key)
{
	return m->cap ? map_slot(m, key)->value - 1 : UINT64_MAX;
}

static int map_grow(struct zsr_map *m)
{
	struct zsr_map big = { .cap = m->cap ? 2 * m->cap : FIRST_CAP };
	size_t i;

	big.slot = calloc(big.cap, sizeof(*big.slot));
	if (!big.slot)
		return -ENOMEM;
	for (i = 0; i < m->cap; i++)
		if (m->slot[i].value)
			*map_slot(&big, m->slot[i].key) = m->slot[i];
	big.nr = m->nr;
	free(m->slot);
	*m = big;
	return 0;
}

int zsr_map_put(struct zsr_map *m, uint64_t key, uint64_t value)
{
	struct zsr_map_slot *slot;

	if (2 * (m->nr + 1) > m->cap && map_grow(m))
		return -ENOMEM;
	slot = map_slot(m, key);
	m->nr += !slot->value;
	*slot = (struct zsr_map_slot){ key, value + 1 };
	return 0;
}

void zsr_map_free(struct zsr_map *m)
{
	free(m->slot);
	*m = (struct zsr_map){ 0 };
}

/* ---- differences ------------------------------------------------------- */

static size_t width_bytes(unsigned width)
{
	return (size_t)1 << (width - 1);
}

/* The largest difference of a width. */
static uint64_t width_max(unsigned width)
{
	return width ? UINT64_MAX >> (64 - 8 * width_bytes(width)) : 0;
}

static uint8_t *block_of(const struct zsr_handles *h, unsigned width,
			 uint32_t block)
{
	return h->blocks[width - 1].mem +
	       block * (ZSR_GROUP * width_bytes(width));
}

static int take_block(struct zsr_handles *h, unsigned width, uint32_t *block)
{
	struct zsr_handle_blocks *b = &h->blocks[width - 1];

	if (b->spare) {
		*block = b->spare - 1;
		memcpy(&b->spare, block_of(h, width, *block), sizeof(b->spare));
		return 0;
	}
	if (zsr_grow(&b->mem, &b->cap, b->nr + 1, ZSR_GROUP * width_bytes(width)))
		return -ENOMEM;
	*block = (uint32_t)b->nr++;
	return 0;
}

static void give_block(struct zsr_handles *h, unsigned width, uint32_t block)
{
	struct zsr_handle_blocks *b;

	if (!width)
		return;
	b = &h->blocks[width - 1];
	memcpy(block_of(h, width, block), &b->spare, sizeof(b->spare));
	b->spare = block + 1;
}

static uint64_t get(const struct zsr_handles *h,
		    const struct zsr_handle_group *g, unsigned slot)
{
	const uint8_t *p;

	if (!g->width)
		return 0;
	p = block_of(h, g->width, g->block);
	switch (g->width) {
	case 1:
		return p[slot];
	case 2:
		return ((const uint16_t *)p)[slot];
	case 3:
		return ((const uint32_t *)p)[slot];
	default:
		return ((const uint64_t *)p)[slot];
	}
}

static void set(struct zsr_handles *h, const struct zsr_handle_group *g,
		unsigned slot, uint64_t value)
{
	uint8_t *p;

	if (!g->width)
		return;
	p = block_of(h, g->width, g->block);
	switch (g->width) {
	case 1:
		p[slot] = (uint8_t)value;
		break;
	case 2:
		((uint16_t *)p)[slot] = (uint16_t)value;
		break;
	case 3:
		((uint32_t *)p)[slot] = (uint32_t)value;
		break;
	default:
		((uint64_t *)p)[slot] = value;
	}
}

/*
 * Another base and width for a group that its newest object, ORIGIN plus slot,
 * does not fit. Half of what the width can say is left to those that come.
 */
static int refit(struct zsr_handles *h, struct zsr_handle_group *g,
		 int64_t origin)
{
	int64_t all[ZSR_GROUP], min = origin, max = origin;
	uint64_t bits;
	unsigned width = 0, slot;
	uint32_t block = 0;

	for (bits = g->alive; bits; bits &= bits - 1) {
		slot = (unsigned)__builtin_ctzll(bits);
		all[slot] = (int64_t)(g->base + get(h, g, slot));
		min = zsr_min(min, all[slot]);
		max = zsr_max(max, all[slot]);
	}
	while ((uint64_t)(max - min) > width_max(width) / 2)
		width++;
	if (width != g->width) {
		if (width && take_block(h, width, &block))
			return -ENOMEM;
		give_block(h, g->width, g->block);
		g->width = (uint8_t)width;
		g->block = block;
	}
	g->base = (uint64_t)min;
	for (bits = g->alive; bits; bits &= bits - 1) {
		slot = (unsigned)__builtin_ctzll(bits);
		set(h, g, slot, (uint64_t)(all[slot] - min));
	}
	return 0;
}

/* ---- groups ------------------------------------------------------------ */

static void index_group(struct zsr_handles *h, size_t nr)
{
	size_t i = zsr_hash(h->group[nr].key) & h->mask;

	while (h->index[i])
		i = (i + 1) & h->mask;
	h->index[i] = (uint32_t)nr + 1;
}

/* Groups are dropped in which nobody lives and whose dead were told of long
 * enough. */
static void forget(struct zsr_handles *h)
{
	uint64_t remember = zsr_max(h->nr_live, (size_t)REMEMBER_DEAD);
	size_t i, nr = 0;

	for (i = 0; i < h->nr; i++) {
		const struct zsr_handle_group *g = &h->group[i];

		if (g->alive || h->nr_freed - g->base <= remember)
			h->group[nr++] = *g;
	}
	h->nr = nr;
}

/* Room for one more group, in an index that is at most half full. */
static int make_room(struct zsr_handles *h)
{
	size_t size = zsr_max(h->mask + 1, (size_t)FIRST_CAP), i;

	if (h->nr < h->cap && 2 * (h->nr + 1) <= h->mask + 1)
		return 0;
	forget(h);
	while (4 * h->nr + 2 > 3 * (size / 2))
		size *= 2;
	if (size / 2 > UINT32_MAX ||
	    zsr_grow(&h->group, &h->cap, size / 2, sizeof(*h->group)))
		return -ENOMEM;
	free(h->index);
	h->index = calloc(size, sizeof(*h->index));
	h->mask = h->index ? size - 1 : 0;
	if (!h->index)
		return -ENOMEM;
	for (i = 0; i < h->nr; i++)
		index_group(h, i);
	return 0;
}

static int new_group(struct zsr_handles *h, uint64_t key, uint32_t pool,
		     struct zsr_handle_group **g)
{
	if (make_room(h))
		return -ENOMEM;
	*g = &h->group[h->nr];
	**g = (struct zsr_handle_group){ .key = key, .pool = (uint16_t)pool };
	index_group(h, h->nr++);
	return 0;
}

/* The group of KEY and POOL; NULL: there is none. */
static struct zsr_handle_group *group_of(struct zsr_handles *h, uint64_t key,
					 uint32_t pool)
{
	struct zsr_handle_group *g;
	size_t i;

	if (!h->index)
		return NULL;
	for (i = zsr_hash(key) & h->mask; h->index[i]; i = (i + 1) & h->mask) {
		g = &h->group[h->index[i] - 1];
		if (g->key == key && g->pool == pool)
			return g;
	}
	return NULL;
}

/* ---- handles ----------------------------------------------------------- */

static enum zsr_handle_state look(struct zsr_handle_group *g, unsigned slot,
				  struct zsr_handle *at)
{
	if (g->alive >> slot & 1) {
		*at = (struct zsr_handle){ g, slot };
		return ZSR_HANDLE_LIVE;
	}
	return g->dead >> slot & 1 ? ZSR_HANDLE_DEAD : ZSR_HANDLE_NONE;
}

/* In groups of all pools. */
static enum zsr_handle_state find_any(struct zsr_handles *h, uint64_t handle,
				      struct zsr_handle *at)
{
	enum zsr_handle_state state, found = ZSR_HANDLE_NONE;
	uint64_t key = zsr_handle_key(handle);
	struct zsr_handle_group *g;
	size_t i;

	if (!h->index)
		return found;
	for (i = zsr_hash(key) & h->mask; h->index[i]; i = (i + 1) & h->mask) {
		g = &h->group[h->index[i] - 1];
		if (g->key != key)
			continue;
		state = look(g, zsr_handle_slot(handle), at);
		if (state == ZSR_HANDLE_LIVE)
			return state;
		found = zsr_max(found, state);
	}
	return found;
}

enum zsr_handle_state zsr_handles_find(struct zsr_handles *h, uint32_t pool,
				       uint64_t handle, struct zsr_handle *at)
{
	struct zsr_handle_group *g;

	if (pool == ZSR_POOL_ANY)
		return find_any(h, handle, at);
	g = group_of(h, zsr_handle_key(handle), pool);
	return g ? look(g, zsr_handle_slot(handle), at) : ZSR_HANDLE_NONE;
}

uint64_t zsr_handles_object(const struct zsr_handles *h, struct zsr_handle at)
{
	return at.group->base + get(h, at.group, at.slot) + at.slot;
}

int zsr_handles_add(struct zsr_handles *h, uint32_t pool, uint64_t handle,
		    uint64_t obj)
{
	uint64_t key = zsr_handle_key(handle), origin;
	struct zsr_handle_group *g = group_of(h, key, pool);
	unsigned slot = zsr_handle_slot(handle);

	if (!g && new_group(h, key, pool, &g))
		return -ENOMEM;
	origin = obj - slot;
	if (!g->alive)
		g->base = origin;
	if (origin - g->base > width_max(g->width) &&
	    refit(h, g, (int64_t)origin))
		return -ENOMEM;
	set(h, g, slot, origin - g->base);
	g->alive |= 1ull << slot;
	g->dead &= ~(1ull << slot);
	h->nr_live++;
	return 0;
}

void zsr_handles_kill(struct zsr_handles *h, struct zsr_handle at)
{
	struct zsr_handle_group *g = at.group;

	g->alive &= ~(1ull << at.slot);
	g->dead |= 1ull << at.slot;
	h->nr_freed++;
	h->nr_live--;
	if (g->alive)
		return;
	give_block(h, g->width, g->block);
	g->width = 0;
	g->base = h->nr_freed;
}

void zsr_handles_free(struct zsr_handles *h)
{
	unsigned i;

	free(h->group);
	free(h->index);
	for (i = 0; i < ZSR_NR_WIDTHS; i++)
		free(h->blocks[i].mem);
	*h = (struct zsr_handles){ 0 };
}
