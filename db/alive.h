/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which objects are alive, by number: a bit each. Leaves of 4096 objects go
 * when the last of them dies.
 */
#ifndef ZSR_DB_ALIVE_H
#define ZSR_DB_ALIVE_H

#include "base/base.h"

#define ZSR_ALIVE_LEAF 4096

struct zsr_alive_leaf {
	uint32_t nr; /* how many live */
	uint64_t bits[ZSR_ALIVE_LEAF / 64];
};

struct zsr_alive {
	struct zsr_alive_leaf **leaf;
	size_t cap;
	uint64_t next; /* number of the next object */
};

/* The leaf of the next object, which begins one; -ENOMEM. */
int zsr_alive_new_leaf(struct zsr_alive *a);
/* Leaf NR has no object left. */
void zsr_alive_drop_leaf(struct zsr_alive *a, size_t nr);
void zsr_alive_free(struct zsr_alive *a);

/* The next object is born; -ENOMEM. */
static inline int zsr_alive_add(struct zsr_alive *a)
{
	unsigned slot = a->next % ZSR_ALIVE_LEAF;
	struct zsr_alive_leaf *l;

	if (slot == 0 && zsr_alive_new_leaf(a))
		return -ENOMEM;
	l = a->leaf[a->next / ZSR_ALIVE_LEAF];
	l->bits[slot / 64] |= 1ull << slot % 64;
	l->nr++;
	a->next++;
	return 0;
}

/* OBJ dies: false when it is not alive. */
static inline bool zsr_alive_take(struct zsr_alive *a, uint64_t obj)
{
	size_t nr = (size_t)(obj / ZSR_ALIVE_LEAF);
	unsigned slot = obj % ZSR_ALIVE_LEAF;
	struct zsr_alive_leaf *l = obj < a->next ? a->leaf[nr] : NULL;
	uint64_t bit = 1ull << slot % 64;

	if (!l || !(l->bits[slot / 64] & bit))
		return false;
	l->bits[slot / 64] &= ~bit;
	/* The leaf of the next object is still being filled. */
	if (!--l->nr && nr != a->next / ZSR_ALIVE_LEAF)
		zsr_alive_drop_leaf(a, nr);
	return true;
}

#endif
