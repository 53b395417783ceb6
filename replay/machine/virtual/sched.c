// SPDX-License-Identifier: GPL-2.0-only
/* What happens next: virtual time order, timers, sleeping and waking. */
#include <stdlib.h>
#include <string.h>

#include "replay/machine/virtual/vm.h"

static uint64_t cpu_key(const struct zsr_vcpu *c)
{
	return zsr_vm_key(c->computing ? c->stop_at : c->now, c->index + 1);
}

void zsr_vm_key_set(struct zsr_vm *vm, struct zsr_vcpu *c)
{
	uint64_t key = cpu_key(c);

	vm->key[c->index] = key;
	if (c != vm->c && key < vm->horizon)
		vm->horizon = key;
}

void zsr_vm_key_clear(struct zsr_vm *vm, struct zsr_vcpu *c)
{
	vm->key[c->index] = UINT64_MAX;
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
	vm->horizon = zsr_min(vm->horizon, vm->timer_key);
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

/*
 * What comes first, a timer or a CPU, is let go; timers until a CPU is first,
 * whose key is returned. The other's is *SECOND. UINT64_MAX: nothing is left,
 * or the run has failed.
 */
static uint64_t next_cpu(struct zsr_vm *vm, uint64_t *second)
{
	uint64_t first, next;
	unsigned i;

	while (!vm->error) {
		first = *second = UINT64_MAX;
		for (i = 0; i < vm->m.nr_cpus; i++) {
			*second = zsr_min(*second, zsr_max(first, vm->key[i]));
			first = zsr_min(first, vm->key[i]);
		}
		next = zsr_min(first, vm->timer_key);
		if (next == UINT64_MAX)
			break;
		if (zsr_vm_key_ps(next) < vm->latest) {
			vm->error = zsr_err_check(&vm->err,
						  "virtual time went back");
			break;
		}
		vm->latest = zsr_vm_key_ps(next);
		if (vm->latest >= ZSR_VM_END_PS)
			out_of_time(vm);
		else if (first < vm->timer_key)
			return first;
		else
			timer_fire(vm);
	}
	return UINT64_MAX;
}

void zsr_vm_dispatch(struct zsr_vm *vm)
{
	uint64_t second, first = next_cpu(vm, &second);

	if (first == UINT64_MAX) {
		resume(vm, &vm->host);
		return;
	}
	second = zsr_min(second, vm->timer_key);
	vm->horizon = zsr_min(second, zsr_vm_key(ZSR_VM_END_PS, 0));
	vm->c = &vm->cpu[zsr_vm_key_rank(first) - 1];
	resume(vm, &vm->c->cur->coro);
}

void zsr_vm_yield(struct zsr_vm *vm)
{
	zsr_vm_key_set(vm, vm->c);
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
		if (zsr_vm_key(c->now + run, 0) <= vm->horizon) {
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
	zsr_vm_key_clear(vm, vm->c);
	zsr_vm_dispatch(vm);
}

void zsr_vm_unpark(struct zsr_vm *vm, struct zsr_vtask *t, uint64_t at)
{
	struct zsr_vcpu *c = &vm->cpu[t->cpu];

	zsr_vm_spin_until(c, at);
	zsr_vm_key_set(vm, c);
}
