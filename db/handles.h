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
 * Handles of live objects, by (pool, handle). What lies together in the
 * kernel's slab (8 bytes each) was mostly handed out together, so 64 of them
 * are a group, whose objects are kept as small differences: one byte each or
 * none on a fresh slab, two or four on an old one.
 *
 * Freed ones are remembered at least until max(live objects, 65536) others were
 * freed after them, so that a second free can be told from that of an object
 * from before the trace.
 */
#define ZSR_GROUP     64
#define ZSR_NR_WIDTHS 4 /* of 1, 2, 4 and 8 bytes */

struct zsr_handle_group {
	uint64_t key; /* of its handles */
	uint64_t alive; /* bit per handle */
	uint64_t dead;
	/* Object less slot is this plus its difference; of a group that nobody
	 * lives in, the count of frees at its last death. */
	uint64_t base;
	uint32_t block; /* of differences */
	uint16_t pool;
	uint8_t width; /* of them: 0 all are 0, else 1 + log2 of their bytes */
};

/* Blocks of 64 differences of a width. */
struct zsr_handle_blocks {
	uint8_t *mem;
	size_t nr;
	size_t cap;
	uint32_t spare; /* one that was given back, plus 1; it names the next */
};

struct zsr_handles {
	struct zsr_handle_group *group;
	size_t nr;
	size_t cap;
	uint32_t *index; /* of groups, plus 1, by the hash of their keys */
	size_t mask; /* of the index; 0: there is none yet */
	struct zsr_handle_blocks blocks[ZSR_NR_WIDTHS];
	size_t nr_live;
	uint64_t nr_freed;
};

#define ZSR_POOL_ANY UINT32_MAX

enum zsr_handle_state { ZSR_HANDLE_NONE, ZSR_HANDLE_LIVE, ZSR_HANDLE_DEAD };

/* Where a live handle was found; valid until the next add. */
struct zsr_handle {
	struct zsr_handle_group *group;
	unsigned slot;
};

/* What is known of a handle; *at is set for LIVE. POOL may be ZSR_POOL_ANY: a
 * live one of any pool, else a dead one. */
enum zsr_handle_state zsr_handles_find(struct zsr_handles *h, uint32_t pool,
				       uint64_t handle, struct zsr_handle *at);
uint64_t zsr_handles_object(const struct zsr_handles *h, struct zsr_handle at);
/* OBJ lives at a handle that is not live; -ENOMEM. */
int zsr_handles_add(struct zsr_handles *h, uint32_t pool, uint64_t handle,
		    uint64_t obj);
void zsr_handles_kill(struct zsr_handles *h, struct zsr_handle at);
void zsr_handles_free(struct zsr_handles *h);

/* Handles are multiples of 8; what else there is gets groups of its own. */
static inline uint64_t zsr_handle_key(uint64_t handle)
{
	return handle / 8 / ZSR_GROUP << 3 | handle % 8;
}

static inline unsigned zsr_handle_slot(uint64_t handle)
{
	return handle / 8 % ZSR_GROUP;
}

#endif
