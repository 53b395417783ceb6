/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Freeing many handles of one class under one hold of its lock, without a pool
 * lock. The zspages that empties are gathered and given back after it.
 */
#ifndef ZSR_DRAIN_H
#define ZSR_DRAIN_H

#include "replay/policy/policy.h"

/* Emptied, unlinked zspages of one lock hold; whoever frees NR handles in it
 * makes room for as many. */
struct zsr_emptied {
	unsigned nr;
	struct zsr_zspage *zspage[];
};

/* Room for NR; NULL without memory. The caller's to free(). */
struct zsr_emptied *zsr_emptied_new(size_t nr);

/* Free H of CLASS, whose lock is held. */
void zsr_drain_handle(struct zsr_pool *p, unsigned class, zsr_handle h,
		      struct zsr_emptied *e);

/* Drop CLASS's lock and give back what was emptied under it. */
void zsr_drain_unlock(struct zsr_pool *p, unsigned class, struct zsr_emptied *e);

#endif
