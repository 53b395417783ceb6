// SPDX-License-Identifier: GPL-2.0-only
/* Cache lines with serialised transfer; FIFO spinlocks and rwlocks on them. */
#include "replay/machine/virtual/vm.h"

/* ---- lines ---------------------------------------------------------- */

/*
 * Get LINE into C's cache, which runs, to read or to write. What is there
 * costs nothing; else it is transferred, after the transfers already under
 * way, and the CPU waits meanwhile. Nobody's line (first use) is free.
 */
static void line_fetch(struct zsr_vm *vm, struct zsr_vcpu *c,
		       struct zsr_line *line, bool write)
{
	uint64_t bit = 1ull << c->index, end;

	if (line->sharers & ~bit) {
		end = zsr_max(c->now, line->busy_until) +
		      c->cost[ZSR_COST_line_transfer];
		line->busy_until = end;
		zsr_vm_spin_until(c, end);
		vm->line_transfers++;
	}
	line->sharers = write ? bit : line->sharers | bit;
	line->owner = write ? (int32_t)c->index + 1 : 0;
}

static inline bool line_here(const struct zsr_vcpu *c,
			     const struct zsr_line *line, bool write)
{
	return write ? line->owner == (int32_t)c->index + 1
		     : line->sharers >> c->index & 1;
}

/* LINE as its CPU comes to it, in order of time. */
static inline struct zsr_vcpu *line_get(struct zsr_vm *vm,
					struct zsr_line *line, bool write)
{
	struct zsr_vcpu *c;

	zsr_vm_sync(vm);
	c = vm->c;
	if (!line_here(c, line, write))
		line_fetch(vm, c, line, write);
	return c;
}

void zsr_vm_line_read(struct zsr_machine *m, struct zsr_line *l)
{
	line_get(zsr_vm_of(m), l, false);
}

void zsr_vm_line_write(struct zsr_machine *m, struct zsr_line *l)
{
	line_get(zsr_vm_of(m), l, true);
}

void zsr_vm_line_atomic(struct zsr_machine *m, struct zsr_line *l)
{
	zsr_vm_step(line_get(zsr_vm_of(m), l, true), ZSR_COST_atomic);
}

/* The line's owner hands it, with a lock, to the spinner T: one transfer, after
 * those that the owner has set going already (several readers let in). */
static uint64_t line_hand_over(struct zsr_vm *vm, struct zsr_line *line,
			       const struct zsr_vtask *t)
{
	struct zsr_vcpu *to = &vm->cpu[t->cpu];
	uint64_t at = vm->c->now;

	if (to != vm->c) {
		at = zsr_max(at, line->busy_until) +
		     to->cost[ZSR_COST_line_transfer];
		line->busy_until = at;
		line->sharers = 1ull << t->cpu;
		line->owner = (int32_t)t->cpu + 1;
		vm->line_transfers++;
	}
	return at;
}

/* ---- queues of spinners --------------------------------------------- */

static void queue_push(struct zsr_lock_queue *q, struct zsr_vtask *t)
{
	t->next = NULL;
	if (q->tail)
		q->tail->next = t;
	else
		q->head = t;
	q->tail = t;
}

static struct zsr_vtask *queue_pop(struct zsr_lock_queue *q)
{
	struct zsr_vtask *t = q->head;

	q->head = t->next;
	if (!q->head)
		q->tail = NULL;
	t->next = NULL;
	return t;
}

/* Spin in Q until whoever releases the lock hands it over. */
static void wait_in(struct zsr_vm *vm, struct zsr_lock_queue *q,
		    struct zsr_lock_stats *stats)
{
	uint64_t since = vm->c->now;

	stats->contended++;
	vm->locks_contended++;
	queue_push(q, vm->c->cur);
	zsr_vm_park_spinner(vm);
	stats->wait += vm->c->now - since;
}

/* ---- operations on locks ---------------------------------------------- */

/* The line of a lock, in order of time: who waits for it waits for the lock. */
static inline void lock_line_get(struct zsr_vm *vm, struct zsr_line *line,
				 bool write, struct zsr_lock_stats *stats)
{
	uint64_t since;

	zsr_vm_sync(vm);
	since = vm->c->now;
	if (!line_here(vm->c, line, write))
		line_fetch(vm, vm->c, line, write);
	stats->wait += vm->c->now - since;
}

/*
 * An operation OP of a lock of TYPE, from OP_here(), which is for the earliest
 * CPU with the lock's line to write to. Mostly the CPU that runs is just that,
 * and the way there must be short.
 */
#define LOCK_OPERATION(op, type)                                               \
	static __attribute__((noinline)) void op##_far(struct zsr_vm *vm,      \
						       struct type *l)         \
	{                                                                      \
		lock_line_get(vm, &l->line, true, &l->stats);                  \
		op##_here(vm, l);                                              \
	}                                                                      \
                                                                               \
	void zsr_vm_##op(struct zsr_machine *m, struct type *l)                \
	{                                                                      \
		struct zsr_vm *vm = zsr_vm_of(m);                              \
                                                                               \
		if (line_here(vm->c, &l->line, true) && zsr_vm_is_first(vm))   \
			op##_here(vm, l);                                      \
		else                                                           \
			op##_far(vm, l);                                       \
	}

static inline struct zsr_vcpu *acquire(struct zsr_vm *vm,
				       struct zsr_lock_stats *stats,
				       enum zsr_cost cost)
{
	struct zsr_vcpu *c = vm->c;

	c->cur->preempt_off++;
	zsr_vm_step(c, cost);
	stats->acquired++;
	vm->locks_acquired++;
	return c;
}

/* ---- spinlock ------------------------------------------------------- */

static void spin_wait(struct zsr_vm *vm, struct zsr_spinlock *l)
{
	wait_in(vm, &l->waiters, &l->stats);
	l->taken_at = vm->c->now;
}

static inline void spin_lock_here(struct zsr_vm *vm, struct zsr_spinlock *l)
{
	struct zsr_vcpu *c = acquire(vm, &l->stats, ZSR_COST_spin_lock);

	if (l->owner) {
		spin_wait(vm, l);
		return;
	}
	l->owner = c->cur;
	l->taken_at = c->now;
}
LOCK_OPERATION(spin_lock, zsr_spinlock)

bool zsr_vm_spin_trylock(struct zsr_machine *m, struct zsr_spinlock *l)
{
	struct zsr_vm *vm = zsr_vm_of(m);

	zsr_vm_sync(vm);
	if (!l->owner) {
		zsr_vm_spin_lock(m, l);
		return true;
	}
	lock_line_get(vm, &l->line, false, &l->stats);
	l->stats.contended++;
	vm->locks_contended++;
	return false;
}

static void spin_hand_over(struct zsr_vm *vm, struct zsr_spinlock *l)
{
	l->owner = queue_pop(&l->waiters);
	zsr_vm_unpark(vm, l->owner, line_hand_over(vm, &l->line, l->owner));
	zsr_vm_preempt_enable(vm);
}

static inline void spin_unlock_here(struct zsr_vm *vm, struct zsr_spinlock *l)
{
	zsr_vm_step(vm->c, ZSR_COST_spin_unlock);
	l->stats.hold += vm->c->now - l->taken_at;
	if (l->waiters.head) {
		spin_hand_over(vm, l);
		return;
	}
	l->owner = NULL;
	zsr_vm_preempt_enable(vm);
}
LOCK_OPERATION(spin_unlock, zsr_spinlock)

bool zsr_vm_spin_is_locked(struct zsr_machine *m, struct zsr_spinlock *l)
{
	zsr_vm_sync(zsr_vm_of(m));
	return l->owner;
}

bool zsr_vm_spin_contended(struct zsr_machine *m, struct zsr_spinlock *l)
{
	zsr_vm_sync(zsr_vm_of(m));
	return l->waiters.head;
}

/* ---- reader-writer lock --------------------------------------------- */

static void rw_wait(struct zsr_vm *vm, struct zsr_rwlock *l, bool write)
{
	vm->c->cur->wants_write = write;
	wait_in(vm, &l->waiters, &l->stats);
	if (write)
		l->taken_at = vm->c->now;
}

static inline void read_lock_here(struct zsr_vm *vm, struct zsr_rwlock *l)
{
	acquire(vm, &l->stats, ZSR_COST_read_lock);
	if (l->writer || l->waiters.head)
		rw_wait(vm, l, false);
	else
		l->readers++;
}
LOCK_OPERATION(read_lock, zsr_rwlock)

static inline void write_lock_here(struct zsr_vm *vm, struct zsr_rwlock *l)
{
	struct zsr_vcpu *c = acquire(vm, &l->stats, ZSR_COST_write_lock);

	if (l->writer || l->readers || l->waiters.head) {
		rw_wait(vm, l, true);
		return;
	}
	l->writer = c->cur;
	l->taken_at = c->now;
}
LOCK_OPERATION(write_lock, zsr_rwlock)

/* Nobody writes: let in the first in line, and with a reader all readers
 * directly behind it. Each hand-over moves the line once more. */
static void let_in(struct zsr_vm *vm, struct zsr_rwlock *l)
{
	struct zsr_vtask *t;

	while ((t = l->waiters.head) && !l->writer &&
	       !(t->wants_write && l->readers)) {
		queue_pop(&l->waiters);
		if (t->wants_write)
			l->writer = t;
		else
			l->readers++;
		zsr_vm_unpark(vm, t, line_hand_over(vm, &l->line, t));
	}
	zsr_vm_preempt_enable(vm);
}

static inline void rw_unlocked(struct zsr_vm *vm, struct zsr_rwlock *l)
{
	if (l->waiters.head)
		let_in(vm, l);
	else
		zsr_vm_preempt_enable(vm);
}

static inline void read_unlock_here(struct zsr_vm *vm, struct zsr_rwlock *l)
{
	zsr_vm_step(vm->c, ZSR_COST_read_unlock);
	l->readers--;
	rw_unlocked(vm, l);
}
LOCK_OPERATION(read_unlock, zsr_rwlock)

static inline void write_unlock_here(struct zsr_vm *vm, struct zsr_rwlock *l)
{
	zsr_vm_step(vm->c, ZSR_COST_write_unlock);
	l->stats.hold += vm->c->now - l->taken_at;
	l->writer = NULL;
	rw_unlocked(vm, l);
}
LOCK_OPERATION(write_unlock, zsr_rwlock)

bool zsr_vm_write_contended(struct zsr_machine *m, struct zsr_rwlock *l)
{
	zsr_vm_sync(zsr_vm_of(m));
	return l->waiters.head;
}
