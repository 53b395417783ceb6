// SPDX-License-Identifier: GPL-2.0-only
/* Cache lines with serialised transfer; FIFO spinlocks and rwlocks on them. */
#include "replay/machine/virtual/vm.h"

/* ---- lines ---------------------------------------------------------- */

/*
 * Get LINE into the running CPU's cache, to read or to write. What is there
 * costs nothing; else it is transferred, after the transfers already under
 * way, and the CPU waits meanwhile. Nobody's line (first use) is free.
 */
static void line_fetch(struct zsr_vm *vm, struct zsr_line *line, bool write)
{
	struct zsr_vcpu *c = vm->c;
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

static inline void line_get(struct zsr_vm *vm, struct zsr_line *line, bool write)
{
	unsigned cpu = vm->c->index;

	if (write ? line->owner != (int32_t)cpu + 1
		  : !(line->sharers >> cpu & 1))
		line_fetch(vm, line, write);
}

/* The line of a lock: who waits for it waits for the lock. */
static inline void lock_line_get(struct zsr_vm *vm, struct zsr_line *line,
				 bool write, struct zsr_lock_stats *stats)
{
	uint64_t since = vm->c->now;

	line_get(vm, line, write);
	stats->wait += vm->c->now - since;
}

void zsr_vm_line_read(struct zsr_machine *m, struct zsr_line *l)
{
	struct zsr_vm *vm = zsr_vm_of(m);

	zsr_vm_sync(vm);
	line_get(vm, l, false);
}

void zsr_vm_line_write(struct zsr_machine *m, struct zsr_line *l)
{
	struct zsr_vm *vm = zsr_vm_of(m);

	zsr_vm_sync(vm);
	line_get(vm, l, true);
}

void zsr_vm_line_atomic(struct zsr_machine *m, struct zsr_line *l)
{
	struct zsr_vm *vm = zsr_vm_of(m);

	zsr_vm_sync(vm);
	line_get(vm, l, true);
	zsr_vm_step(vm->c, ZSR_COST_atomic);
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

	if (!t)
		return NULL;
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

static inline void arrive(struct zsr_vm *vm, struct zsr_line *line,
			  struct zsr_lock_stats *stats, enum zsr_cost cost)
{
	vm->c->cur->preempt_off++;
	zsr_vm_sync(vm);
	lock_line_get(vm, line, true, stats);
	zsr_vm_step(vm->c, cost);
	stats->acquired++;
	vm->locks_acquired++;
}

/* ---- spinlock ------------------------------------------------------- */

void zsr_vm_spin_lock(struct zsr_machine *m, struct zsr_spinlock *l)
{
	struct zsr_vm *vm = zsr_vm_of(m);

	arrive(vm, &l->line, &l->stats, ZSR_COST_spin_lock);
	if (l->owner)
		wait_in(vm, &l->waiters, &l->stats);
	else
		l->owner = vm->c->cur;
	l->taken_at = vm->c->now;
}

bool zsr_vm_spin_trylock(struct zsr_machine *m, struct zsr_spinlock *l)
{
	struct zsr_vm *vm = zsr_vm_of(m);

	zsr_vm_sync(vm);
	if (l->owner) {
		lock_line_get(vm, &l->line, false, &l->stats);
		l->stats.contended++;
		vm->locks_contended++;
		return false;
	}
	arrive(vm, &l->line, &l->stats, ZSR_COST_spin_lock);
	l->owner = vm->c->cur;
	l->taken_at = vm->c->now;
	return true;
}

void zsr_vm_spin_unlock(struct zsr_machine *m, struct zsr_spinlock *l)
{
	struct zsr_vm *vm = zsr_vm_of(m);

	zsr_vm_sync(vm);
	lock_line_get(vm, &l->line, true, &l->stats);
	zsr_vm_step(vm->c, ZSR_COST_spin_unlock);
	l->stats.hold += vm->c->now - l->taken_at;
	l->owner = queue_pop(&l->waiters);
	if (l->owner)
		zsr_vm_unpark(vm, l->owner,
			      line_hand_over(vm, &l->line, l->owner));
	zsr_vm_preempt_enable(vm);
}

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

void zsr_vm_read_lock(struct zsr_machine *m, struct zsr_rwlock *l)
{
	struct zsr_vm *vm = zsr_vm_of(m);

	arrive(vm, &l->line, &l->stats, ZSR_COST_read_lock);
	if (l->writer || l->waiters.head) {
		vm->c->cur->wants_write = false;
		wait_in(vm, &l->waiters, &l->stats);
	} else {
		l->readers++;
	}
}

void zsr_vm_write_lock(struct zsr_machine *m, struct zsr_rwlock *l)
{
	struct zsr_vm *vm = zsr_vm_of(m);

	arrive(vm, &l->line, &l->stats, ZSR_COST_write_lock);
	if (l->writer || l->readers || l->waiters.head) {
		vm->c->cur->wants_write = true;
		wait_in(vm, &l->waiters, &l->stats);
	} else {
		l->writer = vm->c->cur;
	}
	l->taken_at = vm->c->now;
}

/* Nobody writes: let in the first in line, and with a reader all readers
 * directly behind it. Each hand-over moves the line once more. */
static void let_in(struct zsr_vm *vm, struct zsr_rwlock *l)
{
	struct zsr_vtask *t;

	while ((t = l->waiters.head)) {
		if (l->writer || (t->wants_write && l->readers))
			return;
		queue_pop(&l->waiters);
		if (t->wants_write)
			l->writer = t;
		else
			l->readers++;
		zsr_vm_unpark(vm, t, line_hand_over(vm, &l->line, t));
	}
}

void zsr_vm_read_unlock(struct zsr_machine *m, struct zsr_rwlock *l)
{
	struct zsr_vm *vm = zsr_vm_of(m);

	zsr_vm_sync(vm);
	lock_line_get(vm, &l->line, true, &l->stats);
	zsr_vm_step(vm->c, ZSR_COST_read_unlock);
	l->readers--;
	let_in(vm, l);
	zsr_vm_preempt_enable(vm);
}

void zsr_vm_write_unlock(struct zsr_machine *m, struct zsr_rwlock *l)
{
	struct zsr_vm *vm = zsr_vm_of(m);

	zsr_vm_sync(vm);
	lock_line_get(vm, &l->line, true, &l->stats);
	zsr_vm_step(vm->c, ZSR_COST_write_unlock);
	l->stats.hold += vm->c->now - l->taken_at;
	l->writer = NULL;
	let_in(vm, l);
	zsr_vm_preempt_enable(vm);
}

bool zsr_vm_write_contended(struct zsr_machine *m, struct zsr_rwlock *l)
{
	zsr_vm_sync(zsr_vm_of(m));
	return l->waiters.head;
}
