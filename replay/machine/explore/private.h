/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The exploring machine inside: explore.c (runs, depth first), turn.c (whose
 * turn it is), ops.c and work.c (machine.h), state.c (known states), trace.c
 * (the schedule in words).
 */
#ifndef ZSR_EXPLORE_PRIVATE_H
#define ZSR_EXPLORE_PRIVATE_H

#include "replay/machine/explore/explore.h"
#include "replay/machine/virtual/coro.h"

#define MAX_STEPS   5000 /* of one run; more is a livelock */
#define MAX_HELD    16 /* locks of one task */
#define MAX_YIELDS  16 /* in one turn; then others come first */
#define MAX_WORKS   64
#define MAX_OBJECTS 1024 /* a power of two */

/* What a task does at a scheduling point: the operation, its name in a
 * schedule. Those before PREEMPT_DISABLE, and it, turn preemption off. */
#define OPS(X)                                                                 \
	X(spin_lock, "lock")                                                   \
	X(spin_trylock, "trylock")                                             \
	X(read_lock, "read_lock")                                              \
	X(write_wait, "write_lock")                                            \
	X(preempt_disable, "preempt_disable")                                  \
	X(write_lock, "got write_lock")                                        \
	X(preempt_enable, "preempt_enable")                                    \
	X(spin_unlock, "unlock")                                               \
	X(read_unlock, "read_unlock")                                          \
	X(write_unlock, "write_unlock")                                        \
	X(line_read, "read")                                                   \
	X(line_write, "write")                                                 \
	X(line_atomic, "atomic")                                               \
	X(order, "order")                                                      \
	X(charge, "charge")                                                    \
	X(cond_resched, "cond_resched")                                        \
	X(queue_work, "queue_work")                                            \
	X(queue_delayed, "queue_delayed_work")                                 \
	X(cancel_delayed, "cancel_delayed_work")                               \
	X(flush_work, "flush_work")                                            \
	X(pages_alloc, "pages_alloc")                                          \
	X(pages_free, "pages_free")                                            \
	X(start, "start")                                                      \
	X(start_last, "start")                                                 \
	X(join, "join")                                                        \
	X(offline, "take away")                                                \
	X(idle, "take")                                                        \
	X(work_done, "done with")                                              \
	X(fire, "timer fires for")

enum op {
#define X(name, text) OP_##name,
	OPS(X)
#undef X
};

/* A lock, line, work item or CPU, as the histories of those who used it. */
struct object {
	const void *p; /* NULL: no object */
	uint64_t written; /* history of the last writer */
	uint64_t read; /* sum of those of the readers since */
	unsigned writers; /* that wait for the rwlock */
};

struct zsr_explore_task {
	struct zsr_coro coro;
	struct zsr_explore *x;
	const char *name;
	void (*fn)(struct zsr_explore *x, void *arg);
	void *arg;
	bool worker;
	bool ended;
	bool bound; /* stays on its CPU */
	unsigned cpu;
	unsigned preempt_off;
	const void *held[MAX_HELD];
	unsigned nr_held;
	unsigned yields; /* in its present turn */
	enum op op; /* what it is about to do, */
	const void *object; /* with what */
	struct zsr_work *work; /* of a worker: what it runs */
	uint64_t history; /* hash of its steps and of what they saw */
};

/* A decision of one run: which of how many. */
struct choice {
	uint16_t taken, nr;
};

/* One operation of the run at hand, for the schedule. */
struct step {
	const struct zsr_explore_task *t; /* NULL: a timer */
	const void *object;
	enum op op;
	unsigned arg; /* of a charge: which cost */
	unsigned cpu;
	bool preempts;
	bool counts; /* a scheduling point */
};

struct known {
	uint64_t state;
	uint32_t left; /* preemptions that were left there */
	bool used;
};

struct zsr_explore {
	struct zsr_machine m; /* first: what policies see */
	const struct zsr_explore_scenario *s;
	const struct zsr_explore_limits *limits;
	struct zsr_explore_result *result;
	struct zsr_coro host; /* who called zsr_explore() */
	struct zsr_explore_task task[ZSR_EXPLORE_MAX_TASKS];
	struct zsr_explore_task boot; /* begin() and end(): never waits */
	unsigned nr_tasks;
	unsigned nr_stacks;

	/* the search */
	unsigned bound; /* preemptions allowed in the level at hand */
	struct choice *path;
	size_t nr_path, cap_path;
	bool bound_bites; /* the bound ruled out a turn somewhere */
	struct known *known;
	size_t nr_known, cap_known;
	int error;
	struct zsr_err *err;

	/* the run at hand */
	struct zsr_explore_task *cur;
	struct zsr_explore_task *owner[ZSR_EXPLORE_MAX_CPUS]; /* pinned there */
	bool offline[ZSR_EXPLORE_MAX_CPUS];
	size_t pos; /* in path */
	bool merged; /* its state is known: no more decisions */
	unsigned preemptions;
	unsigned fired;
	struct zsr_work *work[MAX_WORKS]; /* pending or running */
	unsigned nr_works;
	struct zsr_delayed_work *timer[MAX_WORKS]; /* set */
	unsigned nr_timers;
	int64_t pages;
	struct object object[MAX_OBJECTS];
	struct object *used_object[MAX_OBJECTS / 2];
	unsigned nr_objects;
	struct step *trace;
	size_t nr_trace, cap_trace;
	uint64_t steps;
	bool failed;
	char why[200];
};

static inline struct zsr_explore *explore_of(struct zsr_machine *m)
{
	return (struct zsr_explore *)m;
}

extern const struct zsr_machine_ops zsr_explore_ops;

/* ---- explore.c -------------------------------------------------------- */

/* One of NR, at first 0; the search comes back for the others. */
unsigned zsr_explore_choose(struct zsr_explore *x, unsigned nr);
/* Give control to the caller of zsr_explore(), for good. */
void zsr_explore_leave(struct zsr_explore *x);

/* ---- turn.c ------------------------------------------------------------ */

/* The calling task is about to do OP: others may come first. On return it is
 * its turn, and it does it. */
void zsr_explore_point(struct zsr_explore *x, enum op op, const void *object);
/* Somebody's turn; of the caller, or of the host, none was going on. */
void zsr_explore_turn(struct zsr_explore *x, struct zsr_coro *from);
/* A decision beside whose turn it is, one that costs a preemption. */
bool zsr_explore_mishap(struct zsr_explore *x);

/* ---- work.c ------------------------------------------------------------ */

bool zsr_explore_queue_work_on(struct zsr_machine *m, unsigned cpu,
			       struct zsr_work *w);
bool zsr_explore_queue_delayed_on(struct zsr_machine *m, unsigned cpu,
				  struct zsr_delayed_work *w, uint64_t delay_ns);
bool zsr_explore_cancel_delayed(struct zsr_machine *m,
				struct zsr_delayed_work *w);
void zsr_explore_flush_work(struct zsr_machine *m, struct zsr_work *w);
/* Does it have to run on its CPU? */
bool zsr_explore_bound(const struct zsr_explore *x, const struct zsr_work *w);
/* May a worker take it, when it is pending? */
bool zsr_explore_work_ready(const struct zsr_explore *x,
			    const struct zsr_work *w);
void zsr_explore_worker(struct zsr_explore *x, void *arg);
/* Its time has come. */
void zsr_explore_fire(struct zsr_explore *x, struct zsr_delayed_work *w);

/* ---- state.c ----------------------------------------------------------- */

struct object *zsr_explore_object(struct zsr_explore *x, const void *p);
void zsr_explore_objects_clear(struct zsr_explore *x);
/* The current task's step used the object, or only looked. */
void zsr_explore_touch(struct zsr_explore *x, const void *p);
void zsr_explore_look(struct zsr_explore *x, const void *p);
/* The current task's step had this outcome or input. */
void zsr_explore_saw(struct zsr_explore *x, uint64_t value);
/* Was the present state reached before, with as many preemptions left? If not
 * it is known from now on. */
bool zsr_explore_known(struct zsr_explore *x);
uint64_t zsr_explore_mix(uint64_t a, uint64_t b);

/* ---- trace.c ----------------------------------------------------------- */

void zsr_explore_trace(struct zsr_explore *x, const struct step *step);
/* The run so far, a line a step, malloced; NULL: no memory. */
char *zsr_explore_schedule(const struct zsr_explore *x);
void zsr_explore_name_of(const struct zsr_explore *x, const void *object,
			 char *buf, size_t size);

/* Of the task at hand: the locks it holds. */
void zsr_explore_hold(struct zsr_explore *x, const void *lock);
void zsr_explore_drop(struct zsr_explore *x, const void *lock);
void zsr_explore_pin(struct zsr_explore *x);
void zsr_explore_unpin(struct zsr_explore *x);
/* The task at hand ends, or its work function returned, or it sleeps. */
void zsr_explore_check_free(struct zsr_explore *x, const char *what);

#endif
