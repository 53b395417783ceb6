/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Freeing many objects of one class under one hold of its lock. The zspages that
 * empties, and the handles, are gathered and given back after it.
 */
#ifndef ZSR_DRAIN_H
#define ZSR_DRAIN_H

#include "replay/policy/policy.h"

/* What one lock hold leaves to be given back: handles of freed objects, and
 * zspages that are empty and unlinked. */
struct zsr_leavings {
	unsigned nr_handles, nr_zspages;
	struct zsr_leaving {
		zsr_handle handle;
		struct zsr_zspage *zspage;
	} of[];
};

/* Room for NR objects a hold; NULL without memory. The caller's to free(). */
struct zsr_leavings *zsr_leavings_new(size_t nr);

/* Free the object of H, of CLASS, whose lock is held; its zspage was found. */
void zsr_drain_object(struct zsr_pool *p, unsigned class, zsr_handle h,
		      struct zsr_leavings *l);

/* Give back the zspages now. */
void zsr_drain_zspages(struct zsr_pool *p, struct zsr_leavings *l);

/* The lock has been dropped: give zspages, then handles back. */
void zsr_drain_leavings(struct zsr_pool *p, struct zsr_leavings *l);

#endif
