/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The virtual machine: N CPUs with an integer clock in picoseconds, tasks as
 * coroutines, conservative synchronisation.
 *
 * A task runs ahead on its CPU's clock and stops only where it touches
 * something shared (zsr_vm_sync) while another CPU, or a timer, could still
 * come before it. Then the earliest goes first: timers before CPUs at one
 * instant, CPUs by number. So shared things change in the order of virtual
 * time, and the same inputs give the same run on every host.
 *
 * One thread drives one machine; machines share nothing.
 */
#ifndef ZSR_VM_H
#define ZSR_VM_H

#include "base/base.h"
#include "replay/machine/machine.h"
#include "replay/machine/virtual/coro.h"
#include "replay/machine/virtual/dist.h"
#include "replay/machine/virtual/profile.h"

#define ZSR_PS_PER_NS 1000u

/* Milliseconds in ps. */
#define ZSR_MS(ms) ((ms)*1000000000ull)

/* ps to ns, half up. */
static inline uint64_t zsr_ps_to_ns(uint64_t ps)
{
	return (ps + ZSR_PS_PER_NS / 2) / ZSR_PS_PER_NS;
}

/* Virtual time ends here, at about 20 hours: a run that gets there fails. */
#define ZSR_VM_END_PS (1ull << 56)

/* ns to ps; the end of time for what is beyond it. */
static inline uint64_t zsr_ns_to_ps(uint64_t ns)
{
	return zsr_min(ns, ZSR_VM_END_PS / ZSR_PS_PER_NS + 1) * ZSR_PS_PER_NS;
}

/* What a task's CPU time is spent on. */
enum zsr_mode {
	ZSR_MODE_OTHER, /* between tasks: switches, idle workers */
	ZSR_MODE_GAP, /* the rest of the release path */
	ZSR_MODE_STORE, /* zs_malloc and all that leads to it */
	ZSR_MODE_RELEASE, /* a release in its caller */
	ZSR_MODE_WORKER,
	ZSR_MODE_TEARDOWN,
	ZSR_MODE_COMPACT,
	ZSR_MODE_REUSE, /* a store that frees what waited in its slot */
	ZSR_MODE_LOAD_CPU, /* load generators */
	ZSR_MODE_LOAD_RT,
	ZSR_MODE_LOAD_MEM,
	ZSR_NR_MODES
};

/* What CPU time goes by in: the steps that have a cost, and all else. */
enum { ZSR_STEP_COMPUTING = ZSR_NR_COSTS, ZSR_NR_STEPS };

enum zsr_vtask_state {
	ZSR_VT_NEW,
	ZSR_VT_READY, /* waits for a CPU */
	ZSR_VT_RUNNING, /* has a CPU, perhaps spinning on it */
	ZSR_VT_SLEEPING,
	ZSR_VT_DEAD,
};

enum zsr_sched_class {
	ZSR_SCHED_FAIR,
	ZSR_SCHED_RT, /* above all fair tasks, first in first out, no slices */
};

/* Weights of the kernel's nice levels 0 and -20. */
#define ZSR_WEIGHT_NICE_0   1024
#define ZSR_WEIGHT_NICE_M20 88761

struct zsr_vtask {
	struct zsr_coro coro;
	struct zsr_vm *vm;
	void (*fn)(struct zsr_vm *vm, void *arg);
	void *arg;
	enum zsr_vtask_state state;
	enum zsr_mode mode;
	enum zsr_sched_class class;
	bool pinned; /* runs on its CPU alone, while that is online */
	bool worker;
	bool daemon; /* ends when nothing else is left to do */
	bool wants_write; /* in a rwlock's queue */
	unsigned cpu; /* where it runs or last ran */
	unsigned preempt_off;
	uint64_t weight; /* ZSR_WEIGHT_* */
	uint64_t vruntime; /* ps on a CPU by weight, for the fair scheduler */
	uint64_t run_since; /* CPU clock when it got the CPU */
	uint64_t wake_at; /* when a sleeper's timer fires */
	uint64_t order; /* of becoming ready, among equals */
	struct zsr_vtask *next; /* RT, lock queue, idle workers */
};

/* Ready tasks by vruntime, then order: a binary heap. */
struct zsr_ready {
	struct zsr_vtask **task;
	size_t nr, cap;
};

struct zsr_task_queue {
	struct zsr_vtask *head, *tail;
};

/* Workers that take items from one list: a CPU's own, or unbound. */
struct zsr_worker_pool {
	struct zsr_vm *vm;
	struct zsr_work *head, *tail;
	struct zsr_vtask *idle;
	unsigned busy; /* workers that are not idle */
	bool bound;
	bool highpri;
	unsigned cpu; /* bound */
	uint64_t spare_at; /* when the next new worker can start; UINT64_MAX:
			    * there was no memory to make it */
	bool retrying; /* a timer looks again whether one can be made */
};

struct zsr_vcpu {
	uint64_t now; /* ps */
	unsigned index; /* its number, from 0 */
	struct zsr_vtask *cur; /* NULL: idle */
	unsigned nr_ready; /* tasks that wait for this CPU */
	bool offline;
	bool computing; /* cur computes up to stop_at; `now` is its begin */
	uint64_t stop_at;
	uint64_t slice_end;
	uint64_t min_vruntime;
	const uint64_t *cost; /* ps, this CPU's speed applied */
	uint64_t idle; /* ps spent idle */
	uint64_t busy[ZSR_NR_MODES][ZSR_NR_STEPS]; /* by step */
	uint64_t spin[ZSR_NR_MODES]; /* waiting for locks and lines */
	uint64_t queueing; /* queueing work, waking, switching */
	uint64_t *steps; /* the row of `busy` for what cur does now */
	unsigned pcp; /* pages on this CPU's page list */
	struct zsr_rng rng;
	struct zsr_ready ready; /* fair tasks that may go elsewhere */
	struct zsr_ready pinned; /* fair tasks that may not */
	struct zsr_task_queue rt;
	struct zsr_worker_pool bound[2]; /* plain and high priority */
	uint64_t cost_alone[ZSR_NR_COSTS];
	uint64_t cost_shared[ZSR_NR_COSTS]; /* the core's other CPU is busy */
};

/* Something that happens at a time of its own. */
struct zsr_vtimer {
	uint64_t at; /* ps */
	uint64_t seq; /* ties: in order of setting */
	void (*fn)(struct zsr_vm *vm, void *arg);
	void *arg;
};

struct zsr_vm {
	struct zsr_machine m; /* first: what policies see */
	const struct zsr_profile *profile;
	uint64_t latest; /* ps, of what was let go last */
	uint64_t until; /* ps before which the running CPU comes before all
			 * others; at most the end of time */
	/* Order keys of the CPUs that can go on, the earliest last, behind a
	 * first that is never: the one let go is not among them. */
	uint64_t key[1 + ZSR_MAX_CPUS];
	unsigned nr_keys;
	struct zsr_vcpu *c; /* the CPU that runs */
	struct zsr_coro *running;
	struct zsr_vtimer *timers; /* heap */
	size_t nr_timers, cap_timers;
	uint64_t timer_key; /* of the earliest; UINT64_MAX: none */
	uint64_t timer_seq;
	uint64_t timer_now; /* ps, of the timer that fires */
	struct zsr_vtask **tasks;
	size_t nr_tasks, cap_tasks;
	struct zsr_vtask *dead; /* ended; record and stack serve again */
	size_t nr_alive; /* tasks but workers and daemons that have not ended */
	size_t works_open; /* items queued, running or with a timer set */
	bool ending; /* only daemons are left */
	struct zsr_worker_pool unbound[2]; /* plain and high priority */
	struct zsr_vtask *flushers; /* sleep until a work item is done */
	uint64_t order; /* of becoming ready */
	struct zsr_spinlock zone;
	unsigned page_size; /* bytes; of the trace that is replayed */
	uint64_t pages_used; /* of the memory budget */
	uint64_t pages_peak;
	uint64_t pages_refused; /* allocations that found no page */
	struct zsr_vtask *stalled; /* tasks that wait for free pages */
	bool below_low; /* free pages fell below the low mark */
	void (*pressure)(struct zsr_vm *vm, void *arg); /* then; may be NULL */
	void *pressure_arg;
	struct zsr_dist wake_dist; /* wake-up latency */
	bool worker_dist_set; /* workers have another one */
	struct zsr_dist worker_dist;
	uint64_t switches;
	uint64_t works_queued;
	uint64_t works_run;
	uint64_t line_transfers;
	uint64_t locks_acquired;
	uint64_t locks_contended;
	uint64_t end; /* latest CPU clock when everything was idle */
	struct zsr_coro host; /* the thread that called zsr_vm_run */
	struct zsr_vcpu cpu[ZSR_MAX_CPUS];
	uint32_t scatter[256]; /* factors of memory-bound steps, 1024ths */
	int error; /* -errno of a host failure (no memory) */
	struct zsr_err err;
};

int zsr_vm_create(struct zsr_vm **vm, const struct zsr_profile *profile,
		  unsigned nr_cpus, unsigned page_size, uint64_t seed,
		  struct zsr_err *err);
void zsr_vm_destroy(struct zsr_vm *vm);

/* A task that can run from the time AT (ps) on, first on CPU. NULL: vm->err. */
struct zsr_vtask *zsr_vm_spawn(struct zsr_vm *vm,
			       void (*fn)(struct zsr_vm *vm, void *arg),
			       void *arg, unsigned cpu, uint64_t at);
/* The same for a task that ends by itself soon after vm->ending is set: its
 * computing and its sleeps are cut short then. */
struct zsr_vtask *zsr_vm_spawn_daemon(struct zsr_vm *vm,
				      void (*fn)(struct zsr_vm *vm, void *arg),
				      void *arg, unsigned cpu, uint64_t at);
/*
 * Run until every task has ended and no work is left. May be called again
 * after more spawns. Fails when the tasks wait for each other forever (an
 * input error naming nobody: the caller knows what they wait for), or memory
 * is out.
 */
int zsr_vm_run(struct zsr_vm *vm, struct zsr_err *err);

/* ---- for code that runs on the machine ------------------------------ */

static inline struct zsr_vm *zsr_vm_of(struct zsr_machine *m)
{
	return (struct zsr_vm *)m;
}

static inline struct zsr_vtask *zsr_vm_current(struct zsr_vm *vm)
{
	return vm->c->cur;
}

/* Order of CPUs: time, then number; timers (number 0) before CPUs. */
static inline uint64_t zsr_vm_key(uint64_t ps, unsigned rank)
{
	return ps << 7 | rank;
}

static inline uint64_t zsr_vm_key_ps(uint64_t key)
{
	return key >> 7;
}

static inline unsigned zsr_vm_key_rank(uint64_t key)
{
	return key & 127;
}

void zsr_vm_yield(struct zsr_vm *vm);

/* Nobody comes before the running CPU. */
static inline bool zsr_vm_is_first(const struct zsr_vm *vm)
{
	return __builtin_expect(vm->c->now < vm->until, 1);
}

static inline void zsr_vm_sync(struct zsr_vm *vm)
{
	if (!zsr_vm_is_first(vm))
		zsr_vm_yield(vm);
}

/* What C does now is written down under its task's mode. */
static inline void zsr_vm_steps_of_cur(struct zsr_vcpu *c)
{
	c->steps = c->busy[c->cur ? c->cur->mode : ZSR_MODE_OTHER];
}

/* The running task is at something else. */
static inline void zsr_vm_mode(struct zsr_vm *vm, enum zsr_mode mode)
{
	struct zsr_vcpu *c = vm->c;

	c->cur->mode = mode;
	c->steps = c->busy[mode];
}

/* C's time in a mode (ps), whatever the step. */
uint64_t zsr_vm_busy(const struct zsr_vcpu *c, enum zsr_mode mode);

/* PS of C's time for a step, whatever its usual cost is. */
static inline void zsr_vm_spend_step(struct zsr_vcpu *c, unsigned step,
				     uint64_t ps)
{
	c->now += ps;
	c->steps[step] += ps;
}

/* Let PS of CPU time pass in the current mode. */
static inline void zsr_vm_spend(struct zsr_vm *vm, uint64_t ps)
{
	zsr_vm_spend_step(vm->c, ZSR_STEP_COMPUTING, ps);
}

/* A step at its usual cost. */
static inline void zsr_vm_step(struct zsr_vcpu *c, enum zsr_cost step)
{
	zsr_vm_spend_step(c, step, c->cost[step]);
}

/* Time that passed waiting, up to `until`, counted as spinning. */
static inline void zsr_vm_spin_until(struct zsr_vcpu *c, uint64_t until)
{
	if (until > c->now) {
		c->spin[c->cur->mode] += until - c->now;
		c->now = until;
	}
}

/* Spend PS of computing; others may take the CPU meanwhile, at each slice's
 * end or sooner. */
static inline void zsr_vm_compute(struct zsr_vm *vm, uint64_t ps);
/* Sleep until the absolute time AT (returns at once when it is past). */
void zsr_vm_sleep_until(struct zsr_vm *vm, uint64_t at);
/* Sleep until zsr_vm_wake(); the sleeper must be findable by its waker. */
void zsr_vm_sleep(struct zsr_vm *vm);
/* Wake a sleeper after the machine's wake-up latency, charging the caller. */
void zsr_vm_wake(struct zsr_vm *vm, struct zsr_vtask *t);
/* Let a sleeper go on now, at no cost: for waits that belong to the replay and
 * not to the machine. */
void zsr_vm_resume(struct zsr_vm *vm, struct zsr_vtask *t);
int zsr_vm_timer(struct zsr_vm *vm, uint64_t at,
		 void (*fn)(struct zsr_vm *vm, void *arg), void *arg);
/* Timers set for fn(arg) do nothing any more. */
void zsr_vm_timer_cancel(struct zsr_vm *vm,
			 void (*fn)(struct zsr_vm *vm, void *arg), void *arg);
/* Take CPU away: returns when nothing runs there any more, its page list is
 * empty and what waited there is elsewhere. At least one must stay. */
void zsr_vm_cpu_offline(struct zsr_vm *vm, unsigned cpu);

/* Free memory, in pages, within the budget. */
uint64_t zsr_vm_pages_left(const struct zsr_vm *vm);
/* Take NR pages for somebody who is no pool (an application, a buffer), and
 * give them back. No CPU time; false when there are not as many. */
bool zsr_vm_pages_take(struct zsr_vm *vm, uint64_t nr);
void zsr_vm_pages_give(struct zsr_vm *vm, uint64_t nr);
/* Sleep while free memory is below the low mark, until it is above the high
 * one. */
void zsr_vm_pages_await(struct zsr_vm *vm);

/* ---- between the files of this folder ------------------------------- */

/* C's clock moves on without work being done. */
static inline void zsr_vm_idle_until(struct zsr_vcpu *c, uint64_t at)
{
	if (at > c->now) {
		c->idle += at - c->now;
		c->now = at;
	}
}

/* CPU C goes on from its clock, or from the end of what it computes. */
void zsr_vm_key_set(struct zsr_vm *vm, struct zsr_vcpu *c);
/* Hand control to whatever is earliest; returns when the calling task is. With
 * nothing left to run control goes back to zsr_vm_run(). */
void zsr_vm_dispatch(struct zsr_vm *vm);
void zsr_vm_wake_at(struct zsr_vm *vm, struct zsr_vtask *t, uint64_t at);
void zsr_vm_block(struct zsr_vm *vm); /* current left its CPU; go on elsewhere */
void zsr_vm_park_spinner(struct zsr_vm *vm); /* current spins; CPU stays taken */
void zsr_vm_unpark(struct zsr_vm *vm, struct zsr_vtask *t, uint64_t at);
void zsr_vm_make_ready(struct zsr_vm *vm, struct zsr_vtask *t, uint64_t at);
void zsr_vm_resched(struct zsr_vm *vm);
/* Who computes on C stops at AT, if that is earlier. */
void zsr_vm_stop_computing(struct zsr_vm *vm, struct zsr_vcpu *c, uint64_t at);
/* Does everything but daemons have ended? Then they are told. */
void zsr_vm_check_ending(struct zsr_vm *vm);
/* Cut T's computing or sleeping short. */
void zsr_vm_interrupt(struct zsr_vm *vm, struct zsr_vtask *t, uint64_t at);
/* A task for every item handed to a pool of workers; see work.c. */
void zsr_vm_workers_init(struct zsr_vm *vm);
void zsr_vm_pages_drain(struct zsr_vm *vm, struct zsr_vcpu *c);

/* How often it is looked whether a CPU that goes offline is idle. */
#define ZSR_OFFLINE_POLL_PS 10000000ull

/* C's task has computed up to AT. */
static inline void zsr_vm_compute_to(struct zsr_vcpu *c, uint64_t at)
{
	if (at > c->now) {
		zsr_vm_spend_step(c, ZSR_STEP_COMPUTING, at - c->now);
	}
}

/* Somebody else should run on C and may. */
static inline bool zsr_vm_wants_switch(const struct zsr_vcpu *c)
{
	return (c->nr_ready || c->offline) && !c->cur->preempt_off;
}

static inline void zsr_vm_cond_resched(struct zsr_vm *vm)
{
	if (!zsr_vm_wants_switch(vm->c))
		return;
	zsr_vm_sync(vm);
	if (vm->c->now >= vm->c->slice_end)
		zsr_vm_resched(vm);
}

static inline void zsr_vm_preempt_enable(struct zsr_vm *vm)
{
	vm->c->cur->preempt_off--;
	zsr_vm_cond_resched(vm);
}

/* From a wake-up, by C, to running. */
static inline uint64_t zsr_vm_wake_latency(struct zsr_vm *vm,
					   struct zsr_vcpu *c, bool worker)
{
	return zsr_dist_draw(worker && vm->worker_dist_set ? &vm->worker_dist
							   : &vm->wake_dist,
			     &c->rng);
}

/* PS, the mean of a step that scatters (cache and TLB misses), on C. */
static inline uint64_t zsr_vm_scatter(const struct zsr_vm *vm,
				      struct zsr_vcpu *c, uint64_t ps)
{
	return ps * vm->scatter[zsr_rng_next(&c->rng) >> 56] >> 10;
}

/* Computing while others may come, or want the CPU. */
void zsr_vm_compute_among(struct zsr_vm *vm, uint64_t ps);

/* When nobody comes before its end, and the slice lasts, PS just pass. */
static inline void zsr_vm_compute(struct zsr_vm *vm, uint64_t ps)
{
	const struct zsr_vcpu *c = vm->c;
	uint64_t end = c->now + zsr_min(ps, ZSR_VM_END_PS + 1);

	if (end < vm->until && !vm->ending &&
	    (end <= c->slice_end || !zsr_vm_wants_switch(c)))
		zsr_vm_spend(vm, ps);
	else
		zsr_vm_compute_among(vm, ps);
}

void zsr_vm_spin_lock(struct zsr_machine *m, struct zsr_spinlock *l);
bool zsr_vm_spin_trylock(struct zsr_machine *m, struct zsr_spinlock *l);
void zsr_vm_spin_unlock(struct zsr_machine *m, struct zsr_spinlock *l);
void zsr_vm_read_lock(struct zsr_machine *m, struct zsr_rwlock *l);
void zsr_vm_read_unlock(struct zsr_machine *m, struct zsr_rwlock *l);
void zsr_vm_write_lock(struct zsr_machine *m, struct zsr_rwlock *l);
void zsr_vm_write_unlock(struct zsr_machine *m, struct zsr_rwlock *l);
bool zsr_vm_spin_is_locked(struct zsr_machine *m, struct zsr_spinlock *l);
bool zsr_vm_spin_contended(struct zsr_machine *m, struct zsr_spinlock *l);
bool zsr_vm_write_contended(struct zsr_machine *m, struct zsr_rwlock *l);
void zsr_vm_line_read(struct zsr_machine *m, struct zsr_line *l);
void zsr_vm_line_write(struct zsr_machine *m, struct zsr_line *l);
void zsr_vm_line_atomic(struct zsr_machine *m, struct zsr_line *l);
bool zsr_vm_queue_work_on(struct zsr_machine *m, unsigned cpu,
			  struct zsr_work *w);
bool zsr_vm_queue_delayed_on(struct zsr_machine *m, unsigned cpu,
			     struct zsr_delayed_work *w, uint64_t delay_ns);
bool zsr_vm_cancel_delayed(struct zsr_machine *m, struct zsr_delayed_work *w);
void zsr_vm_flush_work(struct zsr_machine *m, struct zsr_work *w);
bool zsr_vm_pages_alloc(struct zsr_machine *m, unsigned nr);
void zsr_vm_pages_free(struct zsr_machine *m, unsigned nr);
void zsr_vm_pages_vanish(struct zsr_machine *m, unsigned nr);

#endif
