/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The exploring machine: a small scenario under every schedule there is.
 *
 * A third implementation of machine.h, without time. Each operation on
 * something shared is a scheduling point, at which any task that can go on may
 * be the next one. The scenario is run from its start again and again, depth
 * first over these choices (stateless model checking; Musuvathi and others,
 * OSDI 2008), at first without any preemption, then with one, and so on. A
 * preemption is a turn that goes to another task although the present one
 * could go on, a task's move to another CPU, a timer that fires although
 * somebody could go on, or an allocation that fails.
 *
 * What the machine promises:
 * - A task with preemption off, by a lock or by request, keeps its CPU: no
 *   other task of that CPU has a turn before it is on again. Other CPUs go on.
 * - Locks are granted in any order that arrivals could have; a waiting writer
 *   keeps readers out.
 * - A worker takes an item at any time after it was queued, the items in any
 *   order as far as max_active allows; a timer fires at any time after it was
 *   set. One item never runs twice at a time.
 * - cond_resched() gives the turn away without a preemption. Who could sleep
 *   16 times in one turn loses it: it waits in a loop for somebody else.
 * - Between two points a task is alone. Code that touches shared data with no
 *   operation in between is therefore never interrupted there.
 *
 * Found without being asked for: deadlock, a lock released by another than its
 * holder, sleeping or ending with preemption off, more steps than any sane
 * schedule has.
 */
#ifndef ZSR_EXPLORE_H
#define ZSR_EXPLORE_H

#include "base/base.h"
#include "replay/machine/machine.h"

#define ZSR_EXPLORE_MAX_CPUS  8
#define ZSR_EXPLORE_MAX_TASKS 12

struct zsr_explore;
struct zsr_explore_task;

struct zsr_explore_scenario {
	const char *name;
	unsigned cpus;
	unsigned workers; /* tasks that run queued work */
	unsigned timers; /* times a timer may fire before it has to */
	bool migrate; /* tasks move to other CPUs where they may */
	bool pages_fail; /* pages_alloc() may fail */
	void *ctx;
	/* On the caller's stack, before each run: make what the tasks share,
	 * zeroed locks above all, and spawn them. 0 or -errno. */
	int (*begin)(struct zsr_explore *x, void *ctx, struct zsr_err *err);
	/* May be NULL: a task for after the others, queued work or not. */
	void (*last)(struct zsr_explore *x, void *ctx);
	/* On the caller's stack, after a run in which nothing failed: look, then free. */
	void (*end)(struct zsr_explore *x, void *ctx);
	/* May be NULL: write the name of a lock, line or work item into BUF;
	 * false for one that has no name. */
	bool (*name_of)(void *ctx, const void *object, char *buf, size_t size);
	/* May be NULL: a hash of all shared data that tasks look at without a
	 * lock, directly after zsr_order(). Needed for `merge`. */
	uint64_t (*digest)(void *ctx);
};

struct zsr_explore_limits {
	unsigned preemptions; /* at most; UINT32_MAX: no bound */
	bool fine; /* each charge is a scheduling point, with preemption off
		    * too; else only where the task could be preempted */
	/*
	 * Schedules that lead to the same state are followed once. Two states
	 * are taken for the same when every task has made the same steps and
	 * each step saw the same earlier steps on its lock, line, CPU or work
	 * item (a happens-before graph, as a 64-bit hash), and the digests are
	 * equal. Right only for tasks whose shared data is protected by these,
	 * or in the digest; without merge nothing is assumed.
	 */
	bool merge;
	uint64_t max_runs; /* 0: no limit */
};

struct zsr_explore_result {
	unsigned preemptions; /* the greatest bound that was begun */
	bool complete; /* every schedule within the bound was run */
	uint64_t runs; /* schedules run under that bound */
	uint64_t steps; /* in them */
	uint64_t all_runs; /* with those under the lower bounds */
	uint64_t merged; /* runs cut short because their state was known */
	uint64_t longest; /* steps of the longest schedule */
	bool exhausted; /* no schedule has as many preemptions: there are
			 * no others under any bound */
	bool failed;
	char why[200];
	char *schedule; /* the failing one, a line a step; the caller's */
	uint64_t schedule_steps;
};

/*
 * Explore S for each bound from 0 to limits->preemptions, up to the first at
 * which something fails; of the failing schedules the shortest is in RESULT.
 * What the failing runs had allocated is not freed: they ended in the middle.
 * Returns 0 (also when something failed) or -errno when the host is out of
 * memory, or a scenario is not the same in each run.
 */
int zsr_explore(const struct zsr_explore_scenario *s,
		const struct zsr_explore_limits *limits,
		struct zsr_explore_result *result, struct zsr_err *err);
void zsr_explore_result_free(struct zsr_explore_result *result);

/* ---- for begin() and end() -------------------------------------------- */

/* Both may use the machine as tasks do; nobody else is there. */
struct zsr_machine *zsr_explore_machine(struct zsr_explore *x);
/* A task that starts on CPU; NAME is kept. NULL: too many. */
struct zsr_explore_task *zsr_explore_spawn(
	struct zsr_explore *x, const char *name, unsigned cpu,
	void (*fn)(struct zsr_explore *x, void *arg), void *arg);

/* ---- for tasks, too ------------------------------------------------------ */

/*
 * The run fails for this reason. Does not return to a task; begin() and end()
 * go on. The first reason counts.
 */
void zsr_explore_fail(struct zsr_explore *x, const char *fmt, ...)
	ZSR_PRINTF(2, 3);
/* Sleep until the task has ended. */
void zsr_explore_join(struct zsr_explore *x, struct zsr_explore_task *t);
/* Take CPU away, when no task has preemption off there: from now on none runs
 * there, and what is bound to it runs anywhere else. Sleeps. */
void zsr_explore_cpu_offline(struct zsr_explore *x, unsigned cpu);
/* Does the calling task hold this lock? */
bool zsr_explore_holds(const struct zsr_explore *x, const void *lock);
/* Work items that are queued or run, and timers that are set. */
unsigned zsr_explore_nr_works(const struct zsr_explore *x);
/* Pages allocated less pages freed. */
int64_t zsr_explore_pages(const struct zsr_explore *x);

#endif
