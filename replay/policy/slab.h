/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Small records of one kind, taken without waiting: what a slab cache of the
 * kernel does, as far as time and pages go. The records themselves are the
 * caller's. Each CPU has free ones of its own, so nothing is shared.
 */
#ifndef ZSR_SLAB_H
#define ZSR_SLAB_H

#include "replay/policy/policy.h"

struct zsr_slab {
	struct zsr_pool *pool;
	unsigned page_records; /* records a page */
	unsigned free[ZSR_MAX_CPUS];
};

/* Records of SIZE bytes, one at least to a page. */
void zsr_slab_init(struct zsr_slab *s, struct zsr_pool *p, unsigned size);
/* Take a record; false when that needs a page and there is none. */
bool zsr_slab_get(struct zsr_slab *s);
/* Give one back. A page's worth of free ones is kept on the CPU. */
void zsr_slab_put(struct zsr_slab *s);
/* CPU has gone: what is free there is free here. */
void zsr_slab_offline(struct zsr_slab *s, unsigned cpu);
/* No record is in use: all pages back. Nobody else is at it. */
void zsr_slab_shrink(struct zsr_slab *s);

#endif
