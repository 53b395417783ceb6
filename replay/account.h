/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The record of one run while it is made: pages live, held back and back, what
 * is queued, over time. Calls come in order of time (ps).
 */
#ifndef ZSR_ACCOUNT_H
#define ZSR_ACCOUNT_H

#include <stdio.h>

#include "base/base.h"
#include "db/db.h"
#include "replay/overtime.h"

/* A series that keeps every 2^n-th change, so that it never outgrows this. */
#define ZSR_SERIES_POINTS 16384

struct zsr_thinned {
	struct zsr_point *points;
	size_t nr;
	uint64_t stride; /* changes a point */
	uint64_t skipped; /* changes since the last point */
	struct zsr_point last;
	bool any;
};

struct zsr_book;

struct zsr_account {
	const struct zsr_book *book; /* how pools tell it what happens; NULL: in
				      * order of time, at once. Set after init */
	uint64_t total_pages; /* of all pools, now */
	uint64_t held_pages;
	uint64_t back_pages; /* since the first release began */
	uint64_t depth; /* entries queued */
	uint64_t dead_bytes;
	uint64_t buffer_pages, peak_buffer;
	uint64_t peak_pages, peak_held, peak_depth, peak_dead;
	uint64_t oldest_ps;
	unsigned __int128 held_area; /* pages x ps */
	uint64_t held_since;
	bool releasing; /* the first release has begun */
	uint64_t first_release; /* ps */
	FILE *back_log; /* (ps, pages) of every return; flat memory */
	struct zsr_thinned series[ZSR_NR_RUN_SERIES];
	struct zsr_overtime overtime;
	struct zsr_hist *queued; /* borrowed from the run */
	int error; /* first host failure, -errno */
};

int zsr_account_init(struct zsr_account *a, struct zsr_hist *queued,
		     struct zsr_err *err);
void zsr_account_free(struct zsr_account *a);
/* A failure of the host (memory, temporary file); ends the run. From any
 * thread. */
void zsr_account_fail(struct zsr_account *a, int error);
/* What failed, in words. */
int zsr_account_error(const struct zsr_account *a, struct zsr_err *err);

/* A release begins now, or began (at its mark) before: pages count as back from
 * the first call on, times from the earliest begin. */
void zsr_account_release_begins(struct zsr_account *a, uint64_t ps);
void zsr_account_grown(struct zsr_account *a, uint64_t ps, unsigned pages);
void zsr_account_held(struct zsr_account *a, uint64_t ps, int64_t pages);
void zsr_account_back(struct zsr_account *a, uint64_t ps, unsigned pages);
void zsr_account_queued(struct zsr_account *a, uint64_t ps, uint32_t bytes);
void zsr_account_dequeued(struct zsr_account *a, uint64_t ps,
			  uint64_t queued_at, uint32_t bytes);
void zsr_account_buffer(struct zsr_account *a, int64_t pages);

/*
 * Everything is idle at PS: closes integrals, moves the series (ns) and the
 * account's values into RUN, and with RUN->v.pages_total (100 %) the times at
 * which 50, 90, 99 and 100 % were back.
 */
int zsr_account_finish(struct zsr_account *a, uint64_t ps, struct zsr_run *run,
		       struct zsr_err *err);

#endif
