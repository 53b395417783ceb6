/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What somebody who watches a run on threads is told, call by call, by the
 * thread that does it and at once: a tracer's tracepoints (lttng/). Where
 * nobody watches there is no table, and the calls of the measured path are not
 * in its code.
 *
 * Times are ns by the run's own clock, pools are rows of the replayed trace's
 * pool table, objects its numbers of them.
 */
#ifndef ZSR_MACHINE_PROBES_H
#define ZSR_MACHINE_PROBES_H

#include <stdbool.h>
#include <stdint.h>

/* What is run, before its threads are. */
struct zsr_probed_run {
	const char *trace, *policy;
	const char *kernel; /* release that the trace is of */
	uint32_t page_size, chain_size;
	uint64_t round; /* 1 and up */
};

/* All are set. */
struct zsr_probes {
	void (*run)(const struct zsr_probed_run *run);
	/* The calling thread plays this row of the trace's task table. */
	void (*task)(uint32_t row);
	/* Stored; a store that found no memory is told as failed. */
	void (*malloc)(unsigned pool, uint64_t obj, uint32_t size, bool failed,
		       uint64_t took_ns);
	/* Around a release, outside of what the run itself measures. */
	void (*free_begin)(unsigned pool, uint64_t obj);
	void (*free_end)(unsigned pool, uint64_t obj, uint64_t took_ns);
	void (*compact_begin)(unsigned pool);
	void (*compact_end)(unsigned pool, uint64_t pages);
	/* Around a work item's function. */
	void (*drain_begin)(const char *queue, const void *work);
	void (*drain_end)(const char *queue, const void *work);
	/* The pages of a zspage are about to go back. */
	void (*zspage_free)(unsigned pool, unsigned class, uint64_t zspage,
			    unsigned pages);
	/* A release that should have been put off was done at once. */
	void (*fallback)(unsigned pool);
	/* A lock that another had: the caller has it now. */
	void (*lock_wait)(const void *lock, uint64_t wait_ns);
};

#endif
