/* SPDX-License-Identifier: GPL-2.0-only */
/* What the events of a trace and of a chunk add up to: kept by who writes
 * them, counted again by fsck. */
#ifndef ZSR_DB_TALLY_H
#define ZSR_DB_TALLY_H

#include "db/chunk.h"

struct zsr_tally {
	uint64_t nr_events;
	uint64_t nr_mallocs;
	uint64_t nr_frees;
	uint64_t first_ns;
	uint64_t last_ns;
	uint32_t nr_cpus; /* highest cpu seen + 1 */
	uint32_t max_task;
	uint32_t max_pool;
	bool has_dur;
};

static inline void zsr_tally_add(struct zsr_tally *t, const struct zsr_event *ev)
{
	if (!t->nr_events++)
		t->first_ns = ev->t_ns;
	t->last_ns = ev->t_ns;
	t->nr_mallocs += ev->kind == ZSR_EV_MALLOC;
	t->nr_frees += ev->kind == ZSR_EV_FREE;
	t->max_task = zsr_max(t->max_task, ev->task);
	t->max_pool = zsr_max(t->max_pool, (uint32_t)ev->pool);
	t->nr_cpus = zsr_max(t->nr_cpus, ev->cpu + 1u);
	t->has_dur |= ev->dur_ns && ev->kind <= ZSR_EV_FREE;
}

/* What is known of a chunk once these events come next in it; to begin with
 * *info has first_obj and nothing else. */
void zsr_chunk_describe(struct zsr_chunk_info *info, const struct zsr_event *ev,
			size_t n);

#endif
