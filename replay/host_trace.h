/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A trace as threads play it: each task's calls in one array, made before
 * anything is measured.
 */
#ifndef ZSR_HOST_TRACE_H
#define ZSR_HOST_TRACE_H

#include "replay/feed.h"

enum zsr_host_kind {
	ZSR_HOST_MALLOC,
	ZSR_HOST_FREE,
	ZSR_HOST_COMPACT,
	ZSR_HOST_EPOCH, /* wait until all before a barrier is done */
};

#define ZSR_HOST_DEFERS (1u << 0) /* a free that a policy may put off */
#define ZSR_HOST_FIRST  (1u << 1) /* of its release */
#define ZSR_HOST_LAST   (1u << 2)

struct zsr_host_call {
	uint64_t at_ns; /* the call's begin in the trace */
	uint32_t obj;
	uint32_t arg; /* malloc: bytes; first free: objects of the release;
		       * epoch: its number, from 0 */
	uint16_t pool;
	uint8_t kind;
	uint8_t flags;
};

struct zsr_host_task {
	struct zsr_host_call *call;
	size_t nr, cap;
	uint32_t nr_frees, nr_releases;
	unsigned cpu; /* where most of its events were */
};

struct zsr_host_use {
	uint32_t nr_mallocs;
	uint64_t peak_bytes; /* of objects at once, in the trace's order */
};

struct zsr_host_trace {
	const struct zsr_trace *trace;
	struct zsr_host_task *task;
	struct zsr_host_use *pool;
	uint32_t nr_epochs; /* that barriers part the trace into */
	uint32_t *in_epoch; /* by number: tasks that have events in it */
	uint64_t nr_mallocs, nr_frees;
};

/*
 * Read all of it; PAUSE_NS as for zsr_release_parts(). An input error where
 * threads could not play it: an object that is freed before or without its
 * malloc, or twice. Free it also after a failure.
 */
int zsr_host_trace_load(struct zsr_host_trace *h, struct zsr_db *db,
			const struct zsr_trace *trace, uint64_t pause_ns,
			struct zsr_err *err);
void zsr_host_trace_free(struct zsr_host_trace *h);

#endif
