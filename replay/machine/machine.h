/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a free policy runs on: locks, CPUs, work queues, page allocator, costs.
 *
 * A policy is written once against this header and reads like the kernel path
 * it stands for. Two machines implement it: the virtual one (deterministic,
 * every step charged from a profile) and the host one (real threads). All
 * functions take the machine first and act for the calling task on the CPU it
 * runs on. Locks, lines and work items are plain structs that the owner
 * embeds; their insides belong to the machine.
 */
#ifndef ZSR_MACHINE_H
#define ZSR_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ZSR_MACHINE_VERSION 4
#define ZSR_MAX_CPUS        64

struct zsr_machine;
struct zsr_vtask;

/*
 * The steps that cost time: name in a profile, what it stands for. Costs of
 * locks and line transfers are charged by the lock functions; a policy charges
 * the rest, most of it through the steps of policy.h.
 */
#define ZSR_COSTS(X)                                                           \
	X(gap_release,                                                         \
	  "rest of the release path an object: page table, swap core")         \
	X(swap_free,                                                           \
	  "swap core's part of gap_release, where a policy takes it over")     \
	X(gap_store, "rest of the store path an object: reclaim, compression") \
	X(slot, "slot bookkeeping of a release, up to the handle")             \
	X(slot_mark, "mark a slot as waiting for its release")                 \
	X(cell_load, "load a handle's object word")                            \
	X(zspage_load, "find an object's zspage from its object word")         \
	X(obj_free, "push a slot to its zspage's free list")                   \
	X(obj_malloc, "pop a slot and write its header")                       \
	X(regroup, "move a zspage to another fullness group")                  \
	X(zspage_lock, "try-lock one page of an emptied zspage")               \
	X(zspage_unlink, "take an emptied zspage off its list")                \
	X(page_reset, "clear one page's owner fields before it is freed")      \
	X(page_free, "put one page on the per-CPU page list")                  \
	X(zone_free, "move one page from a per-CPU list to the zone")          \
	X(zspage_free, "free the zspage record")                               \
	X(page_alloc, "take one page from the per-CPU page list")              \
	X(zone_alloc, "refill a per-CPU list by one page from the zone")       \
	X(zspage_alloc, "build a zspage, less its pages")                      \
	X(handle_alloc, "allocate a handle cell")                              \
	X(handle_free, "free a handle cell")                                   \
	X(compact_move, "move one object in compaction")                       \
	X(migrate_page, "copy one page, rewrite its objects' handles")         \
	X(push, "put a handle into a buffer of the CPU's own")                 \
	X(pop, "take a handle out of a buffer when draining")                  \
	X(buffer_swap, "exchange a full buffer for an empty one")              \
	X(node_alloc, "allocate a small record from its slab cache")           \
	X(node_free, "free it")                                                \
	X(queue_work, "queue a work item")                                     \
	X(wake, "wake a sleeping task")                                        \
	X(context_switch, "switch a CPU to another task")                      \
	X(spin_lock, "take a free spinlock whose line is here")                \
	X(spin_unlock, "release it")                                           \
	X(read_lock, "take a reader-writer lock for reading, line here")       \
	X(read_unlock, "release it")                                           \
	X(write_lock, "take it for writing")                                   \
	X(write_unlock, "release it")                                          \
	X(atomic, "an atomic read-modify-write on a line that is here")        \
	X(line_transfer, "move a cache line from another CPU")

enum zsr_cost {
#define X(name, text) ZSR_COST_##name,
	ZSR_COSTS(X)
#undef X
		ZSR_NR_COSTS
};

/* ---- lines and locks ------------------------------------------------ */

/*
 * Each machine has its own view of these: the virtual one's fields are in the
 * open, the host's are its member. All zero is free, and in nobody's cache, to
 * either.
 */

/* A cache line that CPUs pass around. */
struct zsr_line {
	union {
		struct {
			uint64_t sharers; /* CPUs that hold a copy */
			uint64_t busy_until; /* transfers of one line serialise */
			int32_t owner; /* CPU + 1 that may write; 0 = shared */
		};
		uint64_t host; /* touched, and of no meaning */
	};
};

/* What a lock went through, for the run's record. Times in ps. */
struct zsr_lock_stats {
	uint64_t acquired;
	uint64_t contended; /* was taken by another, failed tries included */
	uint64_t wait; /* for others, and for the lock's line */
	uint64_t hold;
};

struct zsr_lock_queue {
	struct zsr_vtask *head;
	struct zsr_vtask *tail;
};

/* The ticket handed out next in the upper half, the one served in the lower. */
struct zsr_host_ticket {
	uint32_t word;
};

/* FIFO spinlock; taking it disables preemption. */
struct zsr_spinlock {
	union {
		struct {
			struct zsr_line line;
			struct zsr_vtask *owner;
			struct zsr_lock_queue waiters;
			uint64_t taken_at;
		};
		struct zsr_host_ticket host;
		struct {
			void *tail, *holder; /* of whoever waits or has it */
		} host_queue;
	};
	struct zsr_lock_stats stats;
};

/* Reader-writer spinlock: readers share a count in its line; whoever arrives
 * behind a waiting writer queues too. */
struct zsr_rwlock {
	union {
		struct {
			struct zsr_line line;
			struct zsr_vtask *writer;
			uint32_t readers;
			struct zsr_lock_queue waiters;
			uint64_t taken_at;
		};
		struct {
			uint32_t count; /* readers, and what writers do */
			struct zsr_host_ticket queue;
		} host;
	};
	struct zsr_lock_stats stats;
};

/* ---- work ----------------------------------------------------------- */

#define ZSR_WQ_UNBOUND     (1u << 0) /* any CPU, idle ones first */
#define ZSR_WQ_HIGHPRI     (1u << 1) /* its workers have the least nice value */
#define ZSR_WQ_MEM_RECLAIM (1u << 2) /* a rescuer when no worker can be made */

/* Items of a queue that may run at once when max_active is 0. */
#define ZSR_WQ_DEFAULT_ACTIVE 256

/* The owner sets name, flags and max_active. */
struct zsr_workqueue {
	const char *name;
	unsigned flags; /* ZSR_WQ_* */
	unsigned max_active; /* an unbound queue's; a bound one's a CPU */
	unsigned active[ZSR_MAX_CPUS]; /* handed to workers; unbound: [0] */
	struct zsr_work *head, *tail; /* beyond max_active */
	bool rescuing; /* the rescuer is at work */
};

/*
 * One item is queued at most once and never runs on two workers at once; an
 * item that is queued while it runs runs again. The owner sets fn, arg, wq.
 */
struct zsr_work {
	void (*fn)(struct zsr_work *work);
	void *arg;
	struct zsr_workqueue *wq;
	unsigned cpu; /* bound: whose worker has it; else where queued */
	bool pending;
	bool running;
	struct zsr_work *next;
};

/* Work that is queued when its time has come. */
struct zsr_delayed_work {
	struct zsr_work work;
	uint64_t armed; /* 0: no timer is set */
	struct zsr_machine *m;
};

/* ---- the machine's operations --------------------------------------- */

struct zsr_machine_ops {
	void (*charge)(struct zsr_machine *m, enum zsr_cost cost, unsigned n);
	uint64_t (*now_ps)(struct zsr_machine *m);
	void (*spin_lock)(struct zsr_machine *m, struct zsr_spinlock *l);
	bool (*spin_trylock)(struct zsr_machine *m, struct zsr_spinlock *l);
	void (*spin_unlock)(struct zsr_machine *m, struct zsr_spinlock *l);
	void (*read_lock)(struct zsr_machine *m, struct zsr_rwlock *l);
	void (*read_unlock)(struct zsr_machine *m, struct zsr_rwlock *l);
	void (*write_lock)(struct zsr_machine *m, struct zsr_rwlock *l);
	void (*write_unlock)(struct zsr_machine *m, struct zsr_rwlock *l);
	bool (*spin_is_locked)(struct zsr_machine *m, struct zsr_spinlock *l);
	bool (*spin_contended)(struct zsr_machine *m, struct zsr_spinlock *l);
	bool (*write_contended)(struct zsr_machine *m, struct zsr_rwlock *l);
	void (*line_read)(struct zsr_machine *m, struct zsr_line *l);
	void (*line_write)(struct zsr_machine *m, struct zsr_line *l);
	void (*line_atomic)(struct zsr_machine *m, struct zsr_line *l);
	void (*order)(struct zsr_machine *m);
	unsigned (*cpu)(struct zsr_machine *m);
	void (*preempt_disable)(struct zsr_machine *m);
	void (*preempt_enable)(struct zsr_machine *m);
	void (*cond_resched)(struct zsr_machine *m);
	bool (*queue_work_on)(struct zsr_machine *m, unsigned cpu,
			      struct zsr_work *w);
	bool (*queue_delayed_on)(struct zsr_machine *m, unsigned cpu,
				 struct zsr_delayed_work *w, uint64_t delay_ns);
	bool (*cancel_delayed)(struct zsr_machine *m,
			       struct zsr_delayed_work *w);
	void (*flush_work)(struct zsr_machine *m, struct zsr_work *w);
	bool (*pages_alloc)(struct zsr_machine *m, unsigned nr);
	void (*pages_free)(struct zsr_machine *m, unsigned nr);
	void (*pages_vanish)(struct zsr_machine *m, unsigned nr);
};

struct zsr_machine {
	const struct zsr_machine_ops *ops;
	unsigned nr_cpus;
};

/* n times the cost of a step, to the calling task. */
static inline void zsr_charge(struct zsr_machine *m, enum zsr_cost cost,
			      unsigned n)
{
	m->ops->charge(m, cost, n);
}

/* The calling CPU's clock, in ps. */
static inline uint64_t zsr_now_ps(struct zsr_machine *m)
{
	return m->ops->now_ps(m);
}

static inline void zsr_spin_lock(struct zsr_machine *m, struct zsr_spinlock *l)
{
	m->ops->spin_lock(m, l);
}

static inline bool zsr_spin_trylock(struct zsr_machine *m,
				    struct zsr_spinlock *l)
{
	return m->ops->spin_trylock(m, l);
}

static inline void zsr_spin_unlock(struct zsr_machine *m, struct zsr_spinlock *l)
{
	m->ops->spin_unlock(m, l);
}

static inline void zsr_read_lock(struct zsr_machine *m, struct zsr_rwlock *l)
{
	m->ops->read_lock(m, l);
}

static inline void zsr_read_unlock(struct zsr_machine *m, struct zsr_rwlock *l)
{
	m->ops->read_unlock(m, l);
}

static inline void zsr_write_lock(struct zsr_machine *m, struct zsr_rwlock *l)
{
	m->ops->write_lock(m, l);
}

static inline void zsr_write_unlock(struct zsr_machine *m, struct zsr_rwlock *l)
{
	m->ops->write_unlock(m, l);
}

/* Does anybody hold it now? Costs nothing: for the bound that takes no lock. */
static inline bool zsr_spin_is_locked(struct zsr_machine *m,
				      struct zsr_spinlock *l)
{
	return m->ops->spin_is_locked(m, l);
}

/* Does anybody wait for a lock that the caller holds? */
static inline bool zsr_spin_contended(struct zsr_machine *m,
				      struct zsr_spinlock *l)
{
	return m->ops->spin_contended(m, l);
}

static inline bool zsr_write_contended(struct zsr_machine *m,
				       struct zsr_rwlock *l)
{
	return m->ops->write_contended(m, l);
}

/* Plain read, plain write, atomic read-modify-write of a shared line. */
static inline void zsr_line_read(struct zsr_machine *m, struct zsr_line *l)
{
	m->ops->line_read(m, l);
}

static inline void zsr_line_write(struct zsr_machine *m, struct zsr_line *l)
{
	m->ops->line_write(m, l);
}

static inline void zsr_line_atomic(struct zsr_machine *m, struct zsr_line *l)
{
	m->ops->line_atomic(m, l);
}

/*
 * Everything other CPUs do at earlier times has happened when this returns.
 * Costs nothing and models nothing; for bookkeeping that wants time order.
 */
static inline void zsr_order(struct zsr_machine *m)
{
	m->ops->order(m);
}

/* The CPU the caller runs on; stable only while preemption is off. */
static inline unsigned zsr_cpu(struct zsr_machine *m)
{
	return m->ops->cpu(m);
}

static inline void zsr_preempt_disable(struct zsr_machine *m)
{
	m->ops->preempt_disable(m);
}

static inline void zsr_preempt_enable(struct zsr_machine *m)
{
	m->ops->preempt_enable(m);
}

/* Give the CPU away if the slice is over and somebody waits for it. */
static inline void zsr_cond_resched(struct zsr_machine *m)
{
	m->ops->cond_resched(m);
}

/* To a worker of the calling CPU (bound queues), or of any. False when it was
 * queued already. */
static inline bool zsr_queue_work(struct zsr_machine *m, struct zsr_work *w)
{
	return m->ops->queue_work_on(m, m->ops->cpu(m), w);
}

static inline bool zsr_queue_work_on(struct zsr_machine *m, unsigned cpu,
				     struct zsr_work *w)
{
	return m->ops->queue_work_on(m, cpu, w);
}

/* Queue the work in DELAY_NS; false when that is set already, or it is queued.
 * The delay of the first call counts. */
static inline bool zsr_queue_delayed_work_on(struct zsr_machine *m, unsigned cpu,
					     struct zsr_delayed_work *w,
					     uint64_t delay_ns)
{
	return m->ops->queue_delayed_on(m, cpu, w, delay_ns);
}

/* Take back a timer that has not fired; true when there was one. Work that is
 * queued or runs is left alone: flush it. */
static inline bool zsr_cancel_delayed_work(struct zsr_machine *m,
					   struct zsr_delayed_work *w)
{
	return m->ops->cancel_delayed(m, w);
}

/* Sleep until the item neither runs nor is queued. */
static inline void zsr_flush_work(struct zsr_machine *m, struct zsr_work *w)
{
	m->ops->flush_work(m, w);
}

/* NR single pages from or to the page allocator: per-CPU lists before a zone
 * with a lock. Allocation fails when the page budget is used up. */
static inline bool zsr_pages_alloc(struct zsr_machine *m, unsigned nr)
{
	return m->ops->pages_alloc(m, nr);
}

static inline void zsr_pages_free(struct zsr_machine *m, unsigned nr)
{
	m->ops->pages_free(m, nr);
}

/* Pages are back without anybody having done anything: for the bound that
 * cannot be built. */
static inline void zsr_pages_vanish(struct zsr_machine *m, unsigned nr)
{
	m->ops->pages_vanish(m, nr);
}

#endif
