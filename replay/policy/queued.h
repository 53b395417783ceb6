/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When each handle was put into a queue. A directory of small leaves that are
 * freed with their last queued handle: memory follows what is queued, not what
 * is stored.
 */
#ifndef ZSR_QUEUED_H
#define ZSR_QUEUED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ZSR_QUEUED_LEAF 256

/* Times since the leaf's first one (ps), plus one, 0: not queued. In 40 bits,
 * about a second, until one does not fit. */
struct zsr_queued_leaf {
	uint64_t base;
	uint64_t *wide; /* NULL as long as all fit, then they are here */
	uint32_t used;
	uint32_t low[ZSR_QUEUED_LEAF];
	uint8_t high[ZSR_QUEUED_LEAF];
};

struct zsr_queued {
	struct zsr_queued_leaf **leaf;
	size_t cap;
};

static inline uint64_t zsr_queued_since(const struct zsr_queued_leaf *leaf,
					unsigned i)
{
	return leaf->wide ? leaf->wide[i]
			  : (uint64_t)leaf->high[i] << 32 | leaf->low[i];
}

static inline bool zsr_queued_has(const struct zsr_queued *q, uint32_t h)
{
	size_t i = h / ZSR_QUEUED_LEAF;

	return i < q->cap && q->leaf[i] &&
	       zsr_queued_since(q->leaf[i], h % ZSR_QUEUED_LEAF);
}

/* 0 or -ENOMEM. H must not be queued; times do not go back. */
int zsr_queued_add(struct zsr_queued *q, uint32_t h, uint64_t ps);
/* H, which is queued, is not any more; returns since when (ps) it was. */
uint64_t zsr_queued_remove(struct zsr_queued *q, uint32_t h);
void zsr_queued_free(struct zsr_queued *q);

#endif
