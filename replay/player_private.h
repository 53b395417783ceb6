/* SPDX-License-Identifier: GPL-2.0-only */
/* The player: player.c (tasks and their calls), player_gap.c (what is between
 * them), player_run.c (a whole run), load.c (what goes on beside). */
#ifndef ZSR_PLAYER_PRIVATE_H
#define ZSR_PLAYER_PRIVATE_H

#include "replay/account.h"
#include "replay/feed.h"
#include "replay/objects.h"
#include "replay/player.h"
#include "replay/release.h"

struct player {
	const struct zsr_player_setup *s;
	struct zsr_run *run;
	struct zsr_vm *vm;
	struct zsr_account account;
	struct zsr_pool *pool;
	struct zsr_feed feed;
	struct zsr_objects objects;
	struct zsr_spinlock outer;
	struct player_task *task;
	uint64_t *place; /* see place_set() */
	struct player_task *epoch_waiters;
	struct player_task *window_waiters;
	struct player_task *object_waiters;
	struct player_task *turn_waiters;
	uint32_t nr_releasing; /* tasks in a release, for gated policies */
	struct { /* what load generators went through */
		uint64_t begin_ps;
		uint64_t offline_at[ZSR_MAX_CPUS]; /* ps; 0: never */
		uint64_t pages; /* of memory */
		uint64_t stalls, stall_ps, stall_max_ps;
	} load;
	size_t cap_releases, cap_locks, cap_steps;
	uint64_t played;
	uint64_t caller_sum_ps;
	uint64_t caller_max_ps;
	uint64_t last_return_ps;
	int error;
	struct zsr_err err;
};

struct player_task {
	struct player *p; /* NULL before its first event is read */
	uint32_t row;
	struct zsr_vtask *vt;
	struct player_task *next_waiter;
	struct zsr_release_at at; /* where the task is in the trace */
	uint64_t done_ps; /* when its last event was played */
	/* Calls whose duration the trace does not know are part of a gap: a
	 * release of the one behind it, a store of the one before it. */
	uint64_t in_gap_ps; /* of the release that came last, else 0 */
	uint64_t store_ps; /* of the last such store, stands for the next */
	bool started;
	uint64_t seq; /* place of the event it plays */
	unsigned in_batch; /* releases under the outer lock so far */
	bool entered; /* its last call is one of them */
	uint64_t debt; /* gaps (ps) owed for them */
	uint64_t rel_begin, rel_end, rel_nr; /* release under way, ps */
	struct zsr_releaser releaser;
	uint64_t rel_left; /* objects of its release still to come */
	size_t rel_next; /* number of its next release in the scan */
	uint64_t caller_ps;
	bool released;
};

/* Start the trace's first task; each other one starts when the trace is read as
 * far as its first event. Returns 0 or -errno with p->err set. */
int zsr_player_start(struct player *p);

/* A pool's enter_swap(): the calling task takes the outer lock. */
void zsr_player_enter_swap(struct zsr_pool *pool);

/* Gaps from here on are pauses. */
static inline uint64_t zsr_player_pause_ns(const struct player *p)
{
	return p->s->profile->pause / ZSR_PS_PER_NS;
}

static inline bool zsr_player_is_pause(const struct player_task *t,
				       uint64_t gap_ns)
{
	return gap_ns >= zsr_player_pause_ns(t->p);
}

/*
 * Wait until everything that comes before the task's call in the trace is
 * done: how a pause ends, and a task starts, where the trace's own times mean
 * nothing.
 */
void zsr_player_await_turn(struct player_task *t);

/* player_gap.c: let the time before the task's event E pass. */
void zsr_player_gap(struct player_task *t, const struct zsr_feed_event *e);

/* load.c: begin what the run's conditions ask for, now, in a task; and at the
 * end of the run give its memory back and record what it lost. */
void zsr_load_start(struct player *p);
void zsr_load_finish(struct player *p);

/* breakdown.c: locks count from now on; and what they and the steps came to,
 * into the run. 0 or -ENOMEM. */
void zsr_breakdown_begin(struct player *p);
int zsr_breakdown_finish(struct player *p, struct zsr_err *err);

#endif
