/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hash tables of the import pass: any key to a number, and handles to objects.
 * Open addressing with linear probing; nothing here survives an import, so no
 * kernel address leaves it.
 */
#ifndef ZSR_DB_HANDLES_H
#define ZSR_DB_HANDLES_H

#include "base/base.h"

static inline uint64_t zsr_hash(uint64_t key)
{
	key *= 0x9E3779B97F4A7C15ull;
	return key ^ key >> 32;
}

/* Keys to numbers; nothing is ever taken out. */
struct zsr_map {
	struct zsr_map_slot {
		uint64_t key;
		uint64_t value; /* plus 1; 0: free */
	} * slot;
	size_t nr;
	size_t cap; /* a power of two, or 0 */
};

/* The value of KEY, UINT64_MAX when it has none. */
uint64_t zsr_map_get(const struct zsr_map *m, uint64_t key);
/* Set it (value < UINT64_MAX); -ENOMEM. */
int zsr_map_put(struct zsr_map *m, uint64_t key, uint64_t value);
void zsr_map_free(struct zsr_map *m);

/*
 * Handles of live objects, by (pool, handle). Freed ones are remembered until
 * more than max(live objects, 65536) others were freed after them, so that a
 * second free can be told from that of an object from before the trace.
 */
struct zsr_handles {
	struct zsr_handle_slot {
		uint64_t handle;
		uint64_t obj; /* when dead: count of frees at its death */
		uint32_t pool;
		uint32_t state;
	} * slot;
	size_t used; /* live and dead */
	size_t nr_live;
	size_t cap;
	uint64_t nr_freed;
};

#define ZSR_POOL_ANY UINT32_MAX

enum zsr_handle_state { ZSR_HANDLE_NONE, ZSR_HANDLE_LIVE, ZSR_HANDLE_DEAD };

/* What is known of a handle; its slot, valid until the next add, and NULL for
 * NONE. POOL may be ZSR_POOL_ANY: a live one of any pool, else a dead one. */
struct zsr_handle_slot *zsr_handles_find(struct zsr_handles *h, uint32_t pool,
					 uint64_t handle);
/* OBJ lives at a handle that is not live; -ENOMEM. */
int zsr_handles_add(struct zsr_handles *h, uint32_t pool, uint64_t handle,
		    uint64_t obj);
void zsr_handles_kill(struct zsr_handles *h, struct zsr_handle_slot *slot);
void zsr_handles_free(struct zsr_handles *h);

/* Where the search for a handle begins: what lies together in the kernel's slab
 * (8 bytes each) is mostly used together, and lies together here. */
static inline size_t zsr_handles_home(const struct zsr_handles *h,
				      uint64_t handle)
{
	return (zsr_hash(handle >> 6) << 3 | (handle >> 3 & 7)) & (h->cap - 1);
}

static inline void zsr_handles_prefetch(const struct zsr_handles *h,
					uint64_t handle)
{
	if (h->cap)
		__builtin_prefetch(&h->slot[zsr_handles_home(h, handle)]);
}

#endif
