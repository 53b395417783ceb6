/* SPDX-License-Identifier: GPL-2.0-only */
/* Which releases belong together, and when they are in each run. */
#ifndef ZSR_ANALYZE_BURST_H
#define ZSR_ANALYZE_BURST_H

#include "analyze/values.h"

/* A set of releases that every run of a trace has: task and which of the
 * task's releases it is. */
struct zsr_burst {
	struct zsr_burst_key {
		uint32_t task;
		uint32_t ordinal;
	} * key; /* in this order */
	size_t nr;
	bool all; /* every release is in it */
};

/* When a burst is in one run, in the run's own time. */
struct zsr_span {
	uint64_t begin_ns;
	uint64_t end_ns; /* the last caller returned */
	uint64_t mean_end_ns; /* of returns; UINT64_MAX: pauses part them */
	uint64_t next_ns; /* the next release begins, UINT64_MAX: none */
	uint64_t nr; /* releases */
};

/*
 * The main burst of a run: of all ways to part its releases into bursts by a
 * longest pause within one, the shortest pause for which some burst holds a
 * quarter of all objects; that burst. 0 or -ENOMEM; key is freed by caller.
 */
int zsr_burst_find(const struct zsr_run *run, struct zsr_burst *burst);
/*
 * Its span in a run; nr 0 when the run has none of its releases. For a run
 * without stored releases it is all there was. 0 or -ENOMEM.
 */
int zsr_burst_span(const struct zsr_run *run, const struct zsr_burst *burst,
		   struct zsr_span *span);

#endif
