/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What one release of a task is: from its release-begin mark to its
 * release-end mark, else each run of frees that no other call and no pause
 * parts. The player tells releases apart by this while it plays; a scan counts
 * beforehand what each frees, for policies that want to know at its begin.
 */
#ifndef ZSR_RELEASE_H
#define ZSR_RELEASE_H

#include "replay/feed.h"

/* Where a task is in the trace. Zeroed before its first event. */
struct zsr_release_at {
	uint64_t trace_ns; /* the latest return so far */
	bool marked; /* between a release-begin and -end mark */
};

/* Time the trace spends between the task's last call and this one, ns. */
static inline uint64_t zsr_release_gap(const struct zsr_release_at *at,
				       const struct zsr_feed_event *e)
{
	return e->entry_ns > at->trace_ns ? e->entry_ns - at->trace_ns : 0;
}

/* Does a release that is under way end before event E? PAUSE_NS: gaps from
 * there on are pauses. */
bool zsr_release_parts(const struct zsr_release_at *at,
		       const struct zsr_feed_event *e, uint64_t pause_ns);
/* E is over. */
void zsr_release_passed(struct zsr_release_at *at,
			const struct zsr_feed_event *e);

/* So many of a run's releases are kept. */
#define ZSR_KEPT_RELEASES 4096

/*
 * One more release of the run: kept when it is among the largest, of equal ones
 * the earliest. In no particular order. CAP is that of run->releases, 0 before
 * the first. 0 or -ENOMEM.
 */
int zsr_release_keep(struct zsr_run *run, size_t *cap,
		     const struct zsr_release *r);

/* Objects of each release, by task, in order. */
struct zsr_release_list {
	uint64_t *objects;
	size_t nr, cap;
};

struct zsr_releases {
	struct zsr_release_list *task;
	uint32_t nr_tasks;
};

/* Reads the whole trace. Free with zsr_releases_free(), after a failure too. */
int zsr_releases_scan(struct zsr_releases *r, struct zsr_db *db,
		      const struct zsr_trace *trace, uint64_t pause_ns,
		      struct zsr_err *err);
void zsr_releases_free(struct zsr_releases *r);

#endif
