// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>

#include "db/handles.h"

#define FIRST_CAP     1024
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

/* ---- handles ----------------------------------------------------------- */

struct zsr_handle_slot *zsr_handles_find(struct zsr_handles *h, uint32_t pool,
					 uint64_t handle)
{
	struct zsr_handle_slot *s, *dead = NULL;
	size_t i;

	if (!h->cap)
		return NULL;
	for (i = zsr_handles_home(h, handle);; i = (i + 1) & (h->cap - 1)) {
		s = &h->slot[i];
		if (s->state == ZSR_HANDLE_NONE)
			return dead;
		if (s->handle != handle ||
		    (pool != ZSR_POOL_ANY && s->pool != pool))
			continue;
		if (s->state == ZSR_HANDLE_LIVE || pool != ZSR_POOL_ANY)
			return s;
		dead = s;
	}
}

static void insert(struct zsr_handles *h, const struct zsr_handle_slot *from)
{
	size_t i = zsr_handles_home(h, from->handle);

	while (h->slot[i].state != ZSR_HANDLE_NONE)
		i = (i + 1) & (h->cap - 1);
	h->slot[i] = *from;
	h->used++;
}

/* Into a table that is at most half full, without those long dead. */
static int rebuild(struct zsr_handles *h)
{
	uint64_t remember = zsr_max(h->nr_live, (size_t)REMEMBER_DEAD);
	struct zsr_handles big = {
		.nr_live = h->nr_live,
		.nr_freed = h->nr_freed,
		.cap = FIRST_CAP,
	};
	size_t i, keep = 0;

	for (i = 0; i < h->cap; i++) {
		struct zsr_handle_slot *s = &h->slot[i];

		if (s->state == ZSR_HANDLE_DEAD &&
		    h->nr_freed - s->obj > remember)
			s->state = ZSR_HANDLE_NONE;
		keep += s->state != ZSR_HANDLE_NONE;
	}
	while (big.cap < 2 * (keep + 1))
		big.cap *= 2;
	big.slot = calloc(big.cap, sizeof(*big.slot));
	if (!big.slot)
		return -ENOMEM;
	for (i = 0; i < h->cap; i++)
		if (h->slot[i].state != ZSR_HANDLE_NONE)
			insert(&big, &h->slot[i]);
	free(h->slot);
	*h = big;
	return 0;
}

int zsr_handles_add(struct zsr_handles *h, uint32_t pool, uint64_t handle,
		    uint64_t obj)
{
	struct zsr_handle_slot *s = zsr_handles_find(h, pool, handle);
	const struct zsr_handle_slot fresh = {
		.handle = handle,
		.obj = obj,
		.pool = (uint16_t)pool,
		.state = ZSR_HANDLE_LIVE,
	};

	h->nr_live++;
	if (s) {
		*s = fresh;
		return 0;
	}
	if (4 * (h->used + 1) > 3 * h->cap && rebuild(h))
		return -ENOMEM;
	insert(h, &fresh);
	return 0;
}

void zsr_handles_kill(struct zsr_handles *h, struct zsr_handle_slot *slot)
{
	slot->state = ZSR_HANDLE_DEAD;
	slot->obj = h->nr_freed++;
	h->nr_live--;
}

void zsr_handles_free(struct zsr_handles *h)
{
	free(h->slot);
	*h = (struct zsr_handles){ 0 };
}
