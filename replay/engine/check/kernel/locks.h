/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stand-ins: locks, which one thread does not need, atomics, which are real,
 * what there is one of for each CPU, and work that waits to be run.
 */
#ifndef ZSR_STANDIN_LOCKS_H
#define ZSR_STANDIN_LOCKS_H

#include <standin/base.h>

typedef struct {
} spinlock_t;
typedef struct {
} rwlock_t;
typedef struct {
} local_lock_t;
struct lockdep_map {
};
struct lock_class_key {
};

#define zsr_no_lock(l)              ((void)(l))
#define spin_lock_init(l)           zsr_no_lock(l)
#define spin_lock(l)                zsr_no_lock(l)
#define spin_unlock(l)              zsr_no_lock(l)
#define spin_trylock(l)             (zsr_no_lock(l), 1)
#define spin_is_contended(l)        (zsr_no_lock(l), 0)
#define assert_spin_locked(l)       zsr_no_lock(l)
#define lockdep_assert_held(l)      zsr_no_lock(l)
#define rwlock_init(l)              zsr_no_lock(l)
#define read_lock(l)                zsr_no_lock(l)
#define read_unlock(l)              zsr_no_lock(l)
#define write_lock(l)               zsr_no_lock(l)
#define write_unlock(l)             zsr_no_lock(l)
#define write_lock_nested(l, depth) zsr_no_lock(l)
#define rwlock_is_contended(l)      (zsr_no_lock(l), 0)
#define SINGLE_DEPTH_NESTING        1
#define INIT_LOCAL_LOCK(l)                                                     \
	{                                                                      \
	}
#define local_lock(l)                zsr_no_lock(l)
#define local_unlock(l)              zsr_no_lock(l)
#define lockdep_init_map(map, ...)   zsr_no_lock(map)
#define lock_acquired(map, ...)      zsr_no_lock(map)
#define rwsem_acquire(map, ...)      zsr_no_lock(map)
#define rwsem_acquire_read(map, ...) zsr_no_lock(map)
#define rwsem_release(map, ...)      zsr_no_lock(map)

#define preempt_disable()   barrier()
#define preempt_enable()    barrier()
#define pagefault_disable() barrier()
#define pagefault_enable()  barrier()
#define in_interrupt()      0
#define cond_resched()      ((void)0)
#define might_sleep()       ((void)0)

/* A lock in a bit of a word: the bit is set, because its owner looks at it. */
#define bit_spin_lock(bit, word)      ((void)(*(word) |= BIT(bit)))
#define bit_spin_unlock(bit, word)    ((void)(*(word) &= ~BIT(bit)))
#define bit_spin_is_locked(bit, word) (!!(*(word)&BIT(bit)))
#define bit_spin_trylock(bit, word)                                            \
	(bit_spin_is_locked(bit, word) ? 0 : (bit_spin_lock(bit, word), 1))

/* ---- atomics ---------------------------------------------------------------- */

typedef struct {
	int counter;
} atomic_t;
typedef struct {
	long counter;
} atomic_long_t;
typedef atomic_long_t atomic64_t;

#define zsr_load(v)     __atomic_load_n(&(v)->counter, __ATOMIC_RELAXED)
#define zsr_store(v, n) __atomic_store_n(&(v)->counter, n, __ATOMIC_RELAXED)
#define zsr_add(v, n)   __atomic_add_fetch(&(v)->counter, n, __ATOMIC_SEQ_CST)

#define atomic_read(v)         zsr_load(v)
#define atomic_set(v, n)       zsr_store(v, n)
#define atomic_inc(v)          ((void)zsr_add(v, 1))
#define atomic_dec(v)          ((void)zsr_add(v, -1))
#define atomic_dec_and_test(v) (zsr_add(v, -1) == 0)
#define atomic_xchg(v, n)                                                      \
	__atomic_exchange_n(&(v)->counter, n, __ATOMIC_SEQ_CST)
#define atomic_long_read(v)   zsr_load(v)
#define atomic_long_set(v, n) zsr_store(v, n)
#define atomic_long_add(n, v) ((void)zsr_add(v, (long)(n)))
#define atomic_long_sub(n, v) ((void)zsr_add(v, -(long)(n)))
#define atomic_long_inc(v)    ((void)zsr_add(v, 1))
#define atomic_long_dec(v)    ((void)zsr_add(v, -1))
#define atomic64_read(v)      zsr_load(v)

/* ---- one of each CPU: there is one ------------------------------------------- */

#define DEFINE_PER_CPU(type, name) __typeof__(type) name
#define per_cpu(var, cpu)          (var)
#define this_cpu_ptr(p)            (p)
#define get_cpu_var(var)           (var)
#define put_cpu_var(var)           ((void)(var))

enum { CPUHP_MM_ZS_PREPARE };
#define cpuhp_setup_state(state, name, prepare, dead)                          \
	((void)(dead), (prepare)(0))
#define cpuhp_remove_state(state) ((void)0)

/* ---- work ---------------------------------------------------------------------- */

struct work_struct {
	void (*func)(struct work_struct *work);
	bool pending;
};

#define INIT_WORK(w, f) ((w)->func = (f), (w)->pending = false)

static inline bool schedule_work(struct work_struct *work)
{
	bool was = work->pending;

	work->pending = true;
	return !was;
}

static inline bool flush_work(struct work_struct *work)
{
	if (!work->pending)
		return false;
	work->pending = false;
	work->func(work);
	return true;
}

#define cancel_work_sync(w) ((w)->pending = false)

/* Nobody else is there who could make it come true. */
#define wait_event(queue, cond) BUG_ON(!(cond))
struct wait_queue_head {
};
typedef struct wait_queue_head wait_queue_head_t;
#define init_waitqueue_head(q) zsr_no_lock(q)
#define wake_up_all(q)         zsr_no_lock(q)

#endif
