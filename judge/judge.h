/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A trace against the kernel it came from: its calls through an engine, and
 * what the engine holds at each mark against what the kernel said it held.
 */
#ifndef ZSR_JUDGE_H
#define ZSR_JUDGE_H

#include "base/base.h"
#include "db/db.h"
#include "event/event.h"
#include "replay/engine/engine.h"

/* ---- a trace's calls through an engine, without policy or machine -------- */

/* Any may be NULL. Those that return an int stop the play with what is not 0. */
struct zsr_play_hooks {
	void *ctx;
	/* Before the event is played; also those of other pools. */
	int (*event)(void *ctx, const struct zsr_event *ev, struct zsr_err *err);
	void (*made)(void *ctx, const struct zsr_event *ev, zsr_handle h);
};

/*
 * Make the calls of pool POOL in the order of the trace. Returns 0 at its end,
 * what a hook stopped with, or -errno: an input error when a call makes no
 * sense.
 */
int zsr_judge_play(struct zsr_engine *e, struct zsr_db *db,
		   const struct zsr_trace *t, unsigned pool,
		   const struct zsr_play_hooks *hooks, struct zsr_err *err);

/* ---- where the kernel put objects ----------------------------------------- */

/*
 * Object words and released zspages of a capture, which no database keeps: a
 * sink that notes them and hands everything on to TO. Free takes NULL.
 */
struct zsr_places;
int zsr_places_new(struct zsr_places **p, struct zsr_sink *to,
		   struct zsr_err *err);
struct zsr_sink *zsr_places_sink(struct zsr_places *p);
void zsr_places_free(struct zsr_places *p);

/* ---- the judgement ---------------------------------------------------------- */

/* One thing of the kernel's and what became of it. */
struct zsr_judged {
	const char *mark; /* "" when it is about the whole trace */
	const char *what; /* "mm_stat", "classes", "places", "zspages freed" */
	uint64_t kernel_pages; /* of mm_stat and classes; else 0 */
	uint64_t engine_pages;
	uint64_t nr_compared; /* values; 0: none could be */
	uint64_t nr_differ;
	const char *remark; /* why something was not compared, or "" */
};

/* Callbacks return 0 to go on. */
struct zsr_judge_report {
	void *ctx;
	int (*judged)(void *ctx, const struct zsr_judged *j);
	/* A value that differs, before the line it counts in; the first ten of
	 * each. */
	int (*differs)(void *ctx, const char *mark, const char *what,
		       const char *text);
};

/*
 * Replay the trace and compare at every mark that carries a snapshot; PLACES
 * may be NULL. Snapshots are the facts "snap.MARK.mm_stat" and
 * "snap.MARK.classes", taken where the trace has the mark "snap:MARK", or
 * between it and "snapped:MARK". What differs is no error; a trace the engine
 * cannot play is.
 */
int zsr_judge_trace(struct zsr_db *db, const struct zsr_trace *t,
		    const struct zsr_places *places,
		    const struct zsr_judge_report *report, struct zsr_err *err);

#endif
