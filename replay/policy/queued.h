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

struct zsr_queued_leaf {
	uint32_t used;
	uint64_t at[ZSR_QUEUED_LEAF]; /* ps + 1; 0: not queued */
};

struct zsr_queued {
	struct zsr_queued_leaf **leaf;
	size_t cap;
};

static inline bool zsr_queued_has(const struct zsr_queued *q, uint32_t h)
{
	size_t i = h / ZSR_QUEUED_LEAF;

	return i < q->cap && q->leaf[i] && q->leaf[i]->at[h % ZSR_QUEUED_LEAF];
}

/* 0 or -ENOMEM. H must not be queued. */
int zsr_queued_add(struct zsr_queued *q, uint32_t h, uint64_t ps);
/* H, which is queued, is not any more; returns since when (ps) it was. */
uint64_t zsr_queued_remove(struct zsr_queued *q, uint32_t h);
void zsr_queued_free(struct zsr_queued *q);

#endif
