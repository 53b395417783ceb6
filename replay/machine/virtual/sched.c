// SPDX-License-Identifier: GPL-2.0-only
/* What happens next: virtual time order, timers, sleeping and waking. */
#include <stdlib.h>
#include <string.h>

#include "replay/machine/virtual/vm.h"

static uint64_t cpu_key(const struct zsr_vcpu *c)
{
	return zsr_vm_key(c->computing ? c->stop_at : c->now, c->index + 1);
}

/* The time before which the running CPU comes before what is at KEY: at less
 * times T zsr_vm_key(T, its rank) < KEY. */
static inline uint64_t first_until(const struct zsr_vm *vm, uint64_t key)
{
	unsigned rank = vm->c ? vm->c->index + 1 : 0;

	return zsr_vm_key_ps(key + 127 - rank);
}

static inline void key_insert(struct zsr_vm *vm, uint64_t key)
{
	uint64_t *at = &vm->key[++vm->nr_keys];

	for (; at[-1] < key; at--)
		at[0] = at[-1];
	*at = key;
}

static void key_remove(struct zsr_vm *vm, unsigned rank)
{
	unsigned i = vm->nr_keys;

	while (i && zsr_vm_key_rank(vm->key[i]) != rank)
		i--;
	if (!i)
		return;
	memmove(&vm->key[i], &vm->key[i + 1],
		(vm->nr_keys - i) * sizeof(vm->key[0]));
	vm->nr_keys--;
}

void zsr_vm_key_set(struct zsr_vm *vm, struct zsr_vcpu *c)
{
	uint64_t key = cpu_key(c);

	key_remove(vm, c->index + 1);
	key_insert(vm, key);
	vm->until = zsr_min(vm->until, first_until(vm, key));
}

/* ---- timers: a binary heap by (at, seq) ------------------------------ */

static bool timer_before(const struct zsr_vtimer *a, const struct zsr_vtimer *b)
{
	return a->at != b->at ? a->at < b->at : a->seq < b->seq;
}

static int out_of_time(struct zsr_vm *vm)
{
	vm->error = zsr_err_input(&vm->err,
				  "longer than the %llu hours of virtual time",
				  ZSR_VM_END_PS / 3600000000000000ull);
	return vm->error;
}

int zsr_vm_timer(struct zsr_vm *vm, uint64_t at,
		 void (*fn)(struct zsr_vm *vm, void *arg), void *arg)
{
	struct zsr_vtimer t = { at, vm->timer_seq++, fn, arg };
	size_t i, up;

	if (at >= ZSR_VM_END_PS)
		return out_of_time(vm);
	if (zsr_grow(&vm->timers, &vm->cap_timers, vm->nr_timers + 1,
		     sizeof(t))) {
		vm->error = zsr_err_nomem(&vm->err, "timers");
		return vm->error;
	}
	for (i = vm->nr_timers++; i; i = up) {
		up = (i - 1) / 2;
		if (!timer_before(&t, &vm->timers[up]))
			break;
		vm->timers[i] = vm->timers[up];
	}
	vm->timers[i] = t;
	vm->timer_key = zsr_min(vm->timer_key, zsr_vm_key(at, 0));
	vm->until = zsr_min(vm->until, first_until(vm, zsr_vm_key(at, 0)));
	return 0;
}

static void no_timer(struct zsr_vm *vm, void *arg)
{
	(void)vm;
	(void)arg;
}

static struct zsr_vtimer timer_pop(struct zsr_vm *vm)
{
	struct zsr_vtimer top = vm->timers[0];
	struct zsr_vtimer last = vm->timers[--vm->nr_timers];
	size_t i = 0, down;

	while ((down = 2 * i + 1) < vm->nr_timers) {
		if (down + 1 < vm->nr_timers &&
		    timer_before(&vm->timers[down + 1], &vm->timers[down]))
			down++;
		if (!timer_before(&vm->timers[down], &last))
			break;
		vm->timers[i] = vm->timers[down];
		i = down;
	}
	vm->timers[i] = last;
	return top;
}

/* Something changed among the timers: nothing cancelled stays the earliest. */
static void timers_changed(struct zsr_vm *vm)
{
	while (vm->nr_timers && vm->timers[0].fn == no_timer)
		timer_pop(vm);
	vm->timer_key = vm->nr_timers ? zsr_vm_key(vm->timers[0].at, 0)
				      : UINT64_MAX;
}

void zsr_vm_timer_cancel(struct zsr_vm *vm,
			 void (*fn)(struct zsr_vm *vm, void *arg), void *arg)
{
	size_t i;

	for (i = 0; i < vm->nr_timers; i++)
		if (vm->timers[i].fn == fn && vm->timers[i].arg == arg)
			vm->timers[i].fn = no_timer;
	timers_changed(vm);
}

static void timer_fire(struct zsr_vm *vm)
{
	struct zsr_vtimer t = timer_pop(vm);

	timers_changed(vm);
	vm->timer_now = t.at;
	t.fn(vm, t.arg);
}

/* ---- dispatching ---------------------------------------------------- */

static void resume(struct zsr_vm *vm, struct zsr_coro *to)
{
	struct zsr_coro *from = vm->running;

	if (from == to)
		return;
	vm->running = to;
	zsr_coro_switch(from, to);
}

/* What is let go next cannot be at PS. */
static ZSR_COLD void no_such_time(struct zsr_vm *vm, uint64_t ps)
{
	if (ps < vm->latest)
		vm->error = zsr_err_check(&vm->err, "virtual time went back");
	else
		out_of_time(vm);
}

/* Time goes on to what is let go next, at KEY. False: the run has failed. */
static inline bool advance(struct zsr_vm *vm, uint64_t key)
{
	uint64_t ps = zsr_vm_key_ps(key);

	if (ps < vm->latest || ps >= ZSR_VM_END_PS)
		no_such_time(vm, ps);
	vm->latest = ps;
	return !vm->error;
}

/* Let go the timers that come before every CPU. */
static ZSR_COLD void timers_fire(struct zsr_vm *vm)
{
	while (!vm->error && vm->timer_key < vm->key[vm->nr_keys])
		if (advance(vm, vm->timer_key))
			timer_fire(vm);
}

void zsr_vm_dispatch(struct zsr_vm *vm)
{
	uint64_t first, next;

	if (vm->timer_key < vm->key[vm->nr_keys])
		timers_fire(vm);
	first = vm->key[vm->nr_keys];
	if (first == UINT64_MAX || !advance(vm, first)) {
		resume(vm, &vm->host);
		return;
	}
	vm->nr_keys--;
	vm->c = &vm->cpu[zsr_vm_key_rank(first) - 1];
	next = zsr_min(vm->key[vm->nr_keys], vm->timer_key);
	vm->until = first_until(vm, zsr_min(next, zsr_vm_key(ZSR_VM_END_PS, 0)));
	resume(vm, &vm->c->cur->coro);
}

void zsr_vm_yield(struct zsr_vm *vm)
{
	key_insert(vm, cpu_key(vm->c));
	zsr_vm_dispatch(vm);
}

/* ---- for tasks ------------------------------------------------------ */

/*
 * The CPU is marked as computing, and whoever comes before the end, with
 * something that takes the CPU away, sets an earlier stop.
 */
void zsr_vm_compute_among(struct zsr_vm *vm, uint64_t ps)
{
	struct zsr_vcpu *c = vm->c;
	uint64_t end, run;

	while (ps) {
		if (vm->ending && c->cur->daemon)
			return;
		if (c->now >= ZSR_VM_END_PS)
			zsr_vm_yield(vm);
		run = zsr_min(ps, ZSR_VM_END_PS + 1 - c->now);
		if (zsr_vm_wants_switch(c)) {
			zsr_vm_sync(vm);
			if (c->now >= c->slice_end) {
				zsr_vm_resched(vm);
				c = vm->c;
				continue;
			}
			run = zsr_min(run, c->slice_end - c->now);
		}
		if (c->now + run < vm->until) {
			zsr_vm_spend(vm, run);
			ps -= run;
			continue;
		}
		end = c->now + ps;
		c->computing = true;
		c->stop_at = c->now + run;
		zsr_vm_yield(vm);
		zsr_vm_compute_to(c, c->stop_at);
		c->computing = false;
		ps = end - c->now;
	}
}

void zsr_vm_sleep(struct zsr_vm *vm)
{
	zsr_vm_sync(vm);
	vm->c->cur->state = ZSR_VT_SLEEPING;
	zsr_vm_block(vm);
}

static void wake_up(struct zsr_vm *vm, void *arg)
{
	struct zsr_vtask *t = arg;

	zsr_vm_make_ready(vm, t, t->wake_at);
}

void zsr_vm_wake_at(struct zsr_vm *vm, struct zsr_vtask *t, uint64_t at)
{
	t->wake_at = at;
	zsr_vm_timer(vm, at, wake_up, t);
}

void zsr_vm_interrupt(struct zsr_vm *vm, struct zsr_vtask *t, uint64_t at)
{
	struct zsr_vcpu *c = &vm->cpu[t->cpu];

	if (t->state == ZSR_VT_SLEEPING) {
		zsr_vm_timer_cancel(vm, wake_up, t);
		zsr_vm_wake_at(vm, t, at);
	} else if (t->state == ZSR_VT_RUNNING && c->computing) {
		zsr_vm_compute_to(c, at);
		zsr_vm_stop_computing(vm, c, at);
	}
}

void zsr_vm_sleep_until(struct zsr_vm *vm, uint64_t at)
{
	zsr_vm_sync(vm);
	if (at <= vm->c->now || (vm->ending && vm->c->cur->daemon))
		return;
	zsr_vm_wake_at(vm, vm->c->cur, at);
	vm->c->cur->state = ZSR_VT_SLEEPING;
	zsr_vm_block(vm);
}

void zsr_vm_wake(struct zsr_vm *vm, struct zsr_vtask *t)
{
	struct zsr_vcpu *c = vm->c;

	c->now += c->cost[ZSR_COST_wake];
	c->queueing += c->cost[ZSR_COST_wake];
	zsr_vm_wake_at(vm, t, c->now + zsr_vm_wake_latency(vm, c, t->worker));
}

void zsr_vm_resume(struct zsr_vm *vm, struct zsr_vtask *t)
{
	zsr_vm_wake_at(vm, t, vm->c->now);
}

/* ---- spinners ------------------------------------------------------- */

void zsr_vm_park_spinner(struct zsr_vm *vm)
{
	zsr_vm_dispatch(vm);
}

void zsr_vm_unpark(struct zsr_vm *vm, struct zsr_vtask *t, uint64_t at)
{
	struct zsr_vcpu *c = &vm->cpu[t->cpu];

	zsr_vm_spin_until(c, at);
	zsr_vm_key_set(vm, c);
}
