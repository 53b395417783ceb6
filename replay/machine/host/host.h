/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host machine: real threads, real locks, the time that passes.
 *
 * A thread runs machine code only while it has one of the machine's CPUs. It
 * keeps it across sections with preemption off, so data of a CPU is its own
 * without a lock, and gives it up when it sleeps, or at the end of such a
 * section (and in cond_resched) when somebody has waited for it a slice long.
 * Who waits for a CPU sleeps. So with no more CPUs than the system has, no
 * thread of the machine ever waits for a lock whose holder it keeps from
 * running, whatever the number of threads. The system itself may still take a
 * CPU from us for somebody else: spinners give way to that after a while.
 *
 * The CPU a thread asks for is the one it is on, which the C library's rseq
 * area tells without a system call (sched_getcpu() where there is none). A
 * thread that the system moves keeps its machine's CPU and takes the buffers
 * along, unless CPUs are pinned: then it moves where its CPU is.
 *
 * charge() and order() do nothing; what steps cost is what they take.
 */
#ifndef ZSR_HOST_H
#define ZSR_HOST_H

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>

#include "base/base.h"
#include "replay/machine/host/clock.h"
#include "replay/machine/machine.h"
#include "replay/machine/probes.h"
#include "replay/machine/virtual/dist.h"

#define ZSR_HOST_SLICE_NS 3000000
#define ZSR_HOST_NO_CPU   UINT32_MAX

struct zsr_host_opts {
	unsigned cpus; /* 0: as many as the process may use */
	bool pin; /* threads go to their CPU */
	int worker_nice;
	unsigned pcp_batch, pcp_high; /* pages; 0: 63 and 378 */
	const struct zsr_clock *clock; /* NULL: it is found now */
	const struct zsr_probes *probes; /* NULL: nobody watches */
	bool queued; /* spinlocks of a queue of waiters, not of tickets */
	uint64_t worker_cpus; /* that unbound workers may have; 0: all */
	/* Wake-ups of all threads, or of workers, come so much later. */
	const struct zsr_dist *wake, *worker; /* NULL: at once */
};

/* What a thread did, in clock ticks and numbers. */
struct zsr_host_counts {
	uint64_t spin; /* waiting for locks */
	uint64_t queueing; /* in queue_work */
	uint64_t work; /* in worker functions, spin included */
	uint64_t locks, contended;
	uint64_t queued, runs; /* work items */
	uint64_t stamps; /* clock reads of its record keeping */
	uint64_t late; /* times it waited for a CPU of the machine */
	uint64_t yields; /* to the system, of spinners */
};

/* Of the events that the system counts for a thread, user's part only. */
#define ZSR_HOST_EVENTS 5
struct zsr_host_events {
	int fd[ZSR_HOST_EVENTS]; /* + 1; 0: not to be had */
};

/* Who waits for a queued spinlock, or has it. */
struct zsr_host_node {
	struct zsr_host_node *next;
	bool go;
};
#define ZSR_HOST_NODES 8 /* spinlocks that a thread may have at once */

struct zsr_host;

/* A thread of the machine. */
struct zsr_host_thread {
	struct zsr_host *host;
	unsigned cpu; /* ZSR_HOST_NO_CPU: has none */
	unsigned home; /* may run on this one alone, or ZSR_HOST_NO_CPU */
	unsigned preempt_off;
	bool highpri; /* does not wait for the end of a slice */
	uint64_t barred; /* CPUs it may not have */
	struct zsr_rng rng; /* of delays */
	unsigned on; /* the system's CPU it is pinned to */
	/* The time by which what it does now is recorded; 0: the clock. */
	uint64_t stamp;
	void *record; /* of whoever keeps one */
	struct zsr_host_counts counts;
	/* Zero once the system has taken the CPU: see zsr_host_watch(). */
	uint64_t *kept, kept_none;
	struct zsr_host_node node[ZSR_HOST_NODES];
	unsigned nodes_used; /* a bit each */
	bool counted; /* has events */
	struct zsr_host_events events;
	uint64_t switches, displaced; /* by its own choice, by the system's */
	struct zsr_host_thread *next_waiter;
	pthread_cond_t granted;
	/* A worker's. */
	struct zsr_host_pool *pool;
	struct zsr_host_thread *next; /* idle, or of all workers */
	struct zsr_host_thread *next_idle;
	pthread_t thread;
	sem_t wake;
};

/* Padded so that no CPU's data shares a line with another's. */
struct zsr_host_cpu {
	_Alignas(128) bool resched; /* somebody waits for its end of slice */
	struct zsr_host_thread *owner;
	uint64_t since; /* the owner has it, in ticks */
	unsigned system; /* number of the system's CPU */
	uint64_t pcp; /* pages on its list */
	int64_t used; /* pages allocated less freed here */
};

/* Workers that take items from one list. */
struct zsr_host_pool {
	struct zsr_host *host;
	struct zsr_work *head, *tail;
	struct zsr_host_thread *idle, *workers;
	unsigned nr_workers, nr_running; /* and not asleep */
	unsigned cpu; /* ZSR_HOST_NO_CPU: unbound */
	bool highpri;
};

struct zsr_host_flusher {
	const struct zsr_work *work;
	sem_t done;
	struct zsr_host_flusher *next;
};

struct zsr_host {
	struct zsr_machine m; /* first */
	struct zsr_host_opts opts;
	cpu_set_t may; /* CPUs that the process may use */
	struct zsr_clock clock;
	/* Who has which CPU. */
	pthread_mutex_t cpu_lock;
	struct zsr_host_thread *waiters;
	struct zsr_host_cpu cpu[ZSR_MAX_CPUS];
	/* The zone behind the per-CPU page lists. */
	_Alignas(128) struct zsr_spinlock zone;
	int64_t zone_pages;
	/* Work: one lock for all pools. */
	_Alignas(128) struct zsr_host_ticket work_lock;
	struct zsr_host_pool pool[ZSR_MAX_CPUS + 1][2]; /* [cpu, last: any]
							 * [highpri] */
	struct zsr_host_flusher *flushers;
	uint64_t works_open; /* queued or running */
	uint64_t idle_at; /* when it got 0, in ticks */
	bool stopping;
	int error; /* -errno: no memory, no thread */
	bool nice_refused; /* high priority is not to be had */
	/* Timers: a heap by time. */
	_Alignas(128) struct zsr_host_ticket timer_lock;
	struct zsr_delayed_work **timer;
	size_t nr_timers, cap_timers;
	pthread_t timer_thread;
	sem_t timer_wake;
	struct zsr_host_counts retired; /* of threads that have left */
	pthread_mutex_t retired_lock;
};

/* Starts the machine's own threads. Destroy ends them; no work may be open. */
int zsr_host_create(struct zsr_host **h, const struct zsr_host_opts *opts,
		    struct zsr_err *err);
void zsr_host_destroy(struct zsr_host *h);

static inline struct zsr_host *zsr_host_of(struct zsr_machine *m)
{
	return (struct zsr_host *)m;
}

/* ---- threads --------------------------------------------------------- */

/* The calling thread's; NULL in one that never entered. */
extern __thread struct zsr_host_thread *zsr_host_self;

/*
 * The calling thread enters the machine as T, zeroed but for home (a CPU, or
 * ZSR_HOST_NO_CPU) and record, and gets a CPU; it leaves before it ends.
 */
void zsr_host_enter(struct zsr_host *h, struct zsr_host_thread *t);
void zsr_host_leave(struct zsr_host_thread *t);
/* The calling thread is about to sleep; it runs again. Preemption is on. */
void zsr_host_block(struct zsr_host_thread *t);
void zsr_host_unblock(struct zsr_host_thread *t);

/* Sleep until no work is queued or runs and no timer is set; when that came
 * about, in ticks. For a thread of the machine. */
uint64_t zsr_host_idle(struct zsr_host *h);

/* Of all threads; the machine is idle, its tasks have left. */
void zsr_host_sum(struct zsr_host *h, struct zsr_host_counts *sum);
void zsr_host_counts_add(struct zsr_host_counts *to,
			 const struct zsr_host_counts *from);
/* Pages allocated and not freed; likewise. */
int64_t zsr_host_pages(const struct zsr_host *h);

/*
 * Has the system taken the thread's CPU since it last asked, or moved it, or
 * interrupted it by a signal? For nothing but a store and a load: the kernel
 * clears the pointer to a restartable sequence that it finds the thread outside
 * of (rseq(2)), and ours lies where no thread ever runs. Never, where the C
 * library has no rseq.
 */
extern uint64_t zsr_host_nowhere;

static inline void zsr_host_watch(struct zsr_host_thread *t)
{
	__atomic_store_n(t->kept, zsr_host_nowhere, __ATOMIC_RELAXED);
}

static inline bool zsr_host_displaced(const struct zsr_host_thread *t)
{
	return !__atomic_load_n(t->kept, __ATOMIC_RELAXED);
}

/* What is counted: names such as "cycles", and how the system knows them. Tests
 * may set others. */
struct zsr_host_event {
	const char *name;
	uint32_t type;
	uint64_t config;
};
extern struct zsr_host_event zsr_host_event[ZSR_HOST_EVENTS];

/* Of the calling thread from now on; what is not to be had is left out. */
void zsr_host_events_open(struct zsr_host_events *e);
void zsr_host_events_close(struct zsr_host_events *e);
/* So far; false where it is not to be had. Scaled up where the system counts by
 * turns. */
bool zsr_host_events_read(const struct zsr_host_events *e, unsigned i,
			  uint64_t *value);
/* Every worker that is there. */
void zsr_host_each_worker(struct zsr_host *h,
			  void (*fn)(void *ctx, const struct zsr_host_thread *t),
			  void *ctx);
/* Sleep as long as wake-ups take; the thread has no CPU. */
void zsr_host_delay(struct zsr_host_thread *t);

/* ---- between the files of this folder -------------------------------- */

/* How often a spinner looks before it gives way to the rest of the system. */
#define ZSR_HOST_SPINS 128

#if defined(__x86_64__) || defined(__i386__)
#define zsr_host_relax() __builtin_ia32_pause()
#elif defined(__aarch64__) || defined(__arm__)
#define zsr_host_relax() __asm__ volatile("yield")
#else
#define zsr_host_relax() __asm__ volatile("")
#endif

/* Once around a loop that waits; after a while the rest of the system gets its
 * chance: it may have taken the CPU from who is before us. */
void zsr_host_look(unsigned *looks);
/* Account for a lock that was another's; in ps. */
uint64_t zsr_host_waited(struct zsr_host_thread *t, const void *lock,
			 uint64_t since);
void zsr_host_ticket_lock(struct zsr_host_ticket *l);
void zsr_host_ticket_unlock(struct zsr_host_ticket *l);

void zsr_host_spin_lock(struct zsr_machine *m, struct zsr_spinlock *l);
bool zsr_host_spin_trylock(struct zsr_machine *m, struct zsr_spinlock *l);
void zsr_host_spin_unlock(struct zsr_machine *m, struct zsr_spinlock *l);
bool zsr_host_spin_is_locked(struct zsr_machine *m, struct zsr_spinlock *l);
bool zsr_host_spin_contended(struct zsr_machine *m, struct zsr_spinlock *l);
void zsr_host_queued_lock(struct zsr_machine *m, struct zsr_spinlock *l);
bool zsr_host_queued_trylock(struct zsr_machine *m, struct zsr_spinlock *l);
void zsr_host_queued_unlock(struct zsr_machine *m, struct zsr_spinlock *l);
bool zsr_host_queued_contended(struct zsr_machine *m, struct zsr_spinlock *l);
void zsr_host_read_lock(struct zsr_machine *m, struct zsr_rwlock *l);
void zsr_host_read_unlock(struct zsr_machine *m, struct zsr_rwlock *l);
void zsr_host_write_lock(struct zsr_machine *m, struct zsr_rwlock *l);
void zsr_host_write_unlock(struct zsr_machine *m, struct zsr_rwlock *l);
bool zsr_host_write_contended(struct zsr_machine *m, struct zsr_rwlock *l);

/* The calling thread is T, which has no CPU yet. */
void zsr_host_join(struct zsr_host *h, struct zsr_host_thread *t);
/* Note how often the calling thread gave its CPU up or lost it. */
void zsr_host_switches(struct zsr_host_thread *t);
/* Somebody wants the caller's CPU. */
void zsr_host_resched(struct zsr_host_thread *t);

static inline void zsr_host_preempt_off(struct zsr_host_thread *t)
{
	t->preempt_off++;
}

static inline void zsr_host_preempt_on(struct zsr_host_thread *t)
{
	if (!--t->preempt_off &&
	    __builtin_expect(__atomic_load_n(&t->host->cpu[t->cpu].resched,
					     __ATOMIC_RELAXED),
			     0))
		zsr_host_resched(t);
}

int zsr_host_cpus_init(struct zsr_host *h, struct zsr_err *err);
int zsr_host_work_init(struct zsr_host *h, struct zsr_err *err);
void zsr_host_work_stop(struct zsr_host *h);
bool zsr_host_queue_work_on(struct zsr_machine *m, unsigned cpu,
			    struct zsr_work *w);
void zsr_host_flush_work(struct zsr_machine *m, struct zsr_work *w);
int zsr_host_timer_init(struct zsr_host *h, struct zsr_err *err);
void zsr_host_timer_stop(struct zsr_host *h);
bool zsr_host_queue_delayed_on(struct zsr_machine *m, unsigned cpu,
			       struct zsr_delayed_work *w, uint64_t delay_ns);
bool zsr_host_cancel_delayed(struct zsr_machine *m, struct zsr_delayed_work *w);
bool zsr_host_timers_set(struct zsr_host *h);
bool zsr_host_pages_alloc(struct zsr_machine *m, unsigned nr);
void zsr_host_pages_free(struct zsr_machine *m, unsigned nr);
void zsr_host_pages_vanish(struct zsr_machine *m, unsigned nr);

#endif
