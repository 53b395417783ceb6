/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the policies that queue whole swap entries share: the gate (is somebody
 * dying, with enough to free, and is it worth a worker?) and the free itself.
 * Every release of a trace counts as the death of its task.
 */
#ifndef ZSR_ENTRY_H
#define ZSR_ENTRY_H

#include "replay/policy/locking.h"

/* Of their queues. */
#define ZSR_ENTRY_WQ_FLAGS                                                     \
	(ZSR_WQ_UNBOUND | ZSR_WQ_HIGHPRI | ZSR_WQ_MEM_RECLAIM)

struct zsr_gate {
	struct zsr_line exiting; /* the count of tasks that exit */
	uint64_t min_objects; /* in the task's swap */
	uint64_t min_exiting; /* tasks at once, this one included */
};

/* The task begins or ends its exit: the count's line is written. The player
 * keeps the count itself. */
void zsr_gate_touch(struct zsr_pool *p, struct zsr_gate *g);
/* Does R's next entry go to a worker? The count may change in mid-exit. */
bool zsr_gate_open(struct zsr_pool *p, struct zsr_gate *g,
		   const struct zsr_releaser *r);

/* The free of one swap entry by the task that releases it: what lies in the
 * slot, then the slot. */
void zsr_entry_free(struct zsr_pool *p, enum zsr_locking locking, uint32_t slot);
/* The same of NR queued ones by a worker, up to ZSR_SWAP_BATCH. */
void zsr_entries_drain(struct zsr_pool *p, enum zsr_locking locking,
		       const uint32_t *slot, unsigned nr);
/* The entry waits in a queue from now on; its slot is left as it is. */
void zsr_entry_queued(struct zsr_pool *p, uint32_t slot);

#endif
