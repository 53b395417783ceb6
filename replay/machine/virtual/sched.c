// SPDX-License-Identifier: GPL-2.0-only
/* Who runs when: virtual time order, run queues, sleeping and waking. */
#include <stdlib.h>
#include <string.h>

#include "replay/machine/virtual/vm.h"

static uint64_t cpu_key(const struct zsr_vm *vm, const struct zsr_vcpu *c)
{
	return zsr_vm_key(c->now, zsr_vm_cpu_index(vm, c) + 1);
}

/* CPU C runs (again) from its clock on. */
static void key_set(struct zsr_vm *vm, struct zsr_vcpu *c)
{
	uint64_t key = cpu_key(vm, c);

	vm->key[zsr_vm_cpu_index(vm, c)] = key;
	if (c != vm->c && key < vm->horizon)
		vm->horizon = key;
}

static void key_clear(struct zsr_vm *vm, struct zsr_vcpu *c)
{
	vm->key[zsr_vm_cpu_index(vm, c)] = UINT64_MAX;
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
	vm->horizon = zsr_min(vm->horizon, zsr_vm_key(at, 0));
	return 0;
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

/* ---- dispatching ---------------------------------------------------- */

static void resume(struct zsr_vm *vm, struct zsr_coro *to)
{
	struct zsr_coro *from = vm->running;

	if (from == to)
		return;
	vm->running = to;
	zsr_coro_switch(from, to);
}

void zsr_vm_dispatch(struct zsr_vm *vm)
{
	uint64_t first, second, timer;
	unsigned i, who;

	for (;;) {
		first = second = UINT64_MAX;
		who = 0;
		for (i = 0; i < vm->m.nr_cpus; i++) {
			if (vm->key[i] < first) {
				second = first;
				first = vm->key[i];
				who = i;
			} else if (vm->key[i] < second) {
				second = vm->key[i];
			}
		}
		timer = vm->nr_timers ? zsr_vm_key(vm->timers[0].at, 0)
				      : UINT64_MAX;
		if (vm->error || zsr_min(first, timer) == UINT64_MAX) {
			resume(vm, &vm->host);
			return;
		}
		if (timer < first) {
			struct zsr_vtimer t = timer_pop(vm);

			t.fn(vm, t.arg);
			continue;
		}
		vm->horizon = zsr_min(second, timer);
		vm->c = &vm->cpu[who];
		if (vm->c->now >= ZSR_VM_END_PS) {
			out_of_time(vm);
			continue;
		}
		resume(vm, &vm->c->cur->coro);
		return;
	}
}

void zsr_vm_yield(struct zsr_vm *vm)
{
	key_set(vm, vm->c);
	zsr_vm_dispatch(vm);
}

/* ---- run queues ----------------------------------------------------- */

static void ready_insert(struct zsr_vcpu *c, struct zsr_vtask *t)
{
	struct zsr_vtask **p = &c->ready;

	while (*p && (*p)->vruntime <= t->vruntime)
		p = &(*p)->next;
	t->next = *p;
	*p = t;
	t->state = ZSR_VT_READY;
	c->nr_ready++;
}

static struct zsr_vtask *ready_pop(struct zsr_vcpu *c)
{
	struct zsr_vtask *t = c->ready;

	if (t) {
		c->ready = t->next;
		t->next = NULL;
		c->nr_ready--;
	}
	return t;
}

/* Count what C's task has run, and raise the least vruntime that any task of C
 * has: it only grows, and newcomers are placed by it. */
static void vruntime_update(struct zsr_vcpu *c)
{
	uint64_t least;

	if (!c->cur)
		return;
	c->cur->vruntime += c->now - c->cur->run_since;
	c->cur->run_since = c->now;
	least = c->cur->vruntime;
	if (c->ready)
		least = zsr_min(least, c->ready->vruntime);
	c->min_vruntime = zsr_max(c->min_vruntime, least);
}

/* T moves: vruntimes of two CPUs say nothing to each other, so it is as far
 * ahead of the new one's least, or behind it, as it was of the old one's. */
static void vruntime_move(struct zsr_vtask *t, struct zsr_vcpu *from,
			  const struct zsr_vcpu *to)
{
	uint64_t behind;

	if (from == to)
		return;
	vruntime_update(from);
	behind = from->min_vruntime - zsr_min(from->min_vruntime, t->vruntime);
	t->vruntime -= zsr_min(from->min_vruntime, t->vruntime);
	t->vruntime += to->min_vruntime - zsr_min(to->min_vruntime, behind);
}

/* A CPU about to idle takes the next task of the longest run queue. */
static struct zsr_vtask *ready_steal(struct zsr_vm *vm, struct zsr_vcpu *c)
{
	struct zsr_vcpu *from = NULL;
	struct zsr_vtask *t;
	unsigned i;

	for (i = 0; i < vm->m.nr_cpus; i++)
		if (&vm->cpu[i] != c && vm->cpu[i].nr_ready &&
		    (!from || vm->cpu[i].nr_ready > from->nr_ready))
			from = &vm->cpu[i];
	if (!from)
		return NULL;
	t = ready_pop(from);
	vruntime_move(t, from, c);
	return t;
}

/* T gets C; `from` is whom it takes over from, NULL for an idle CPU. */
static void cpu_run(struct zsr_vm *vm, struct zsr_vcpu *c, struct zsr_vtask *t,
		    const struct zsr_vtask *from)
{
	uint64_t cost = c->cost[ZSR_COST_context_switch];

	c->now += cost;
	if (t->worker || (from && from->worker))
		c->queueing += cost;
	else
		c->busy[ZSR_MODE_OTHER] += cost;
	vm->switches++;
	c->cur = t;
	c->min_vruntime = zsr_max(c->min_vruntime, t->vruntime);
	c->slice_end = c->now + vm->profile->slice;
	t->cpu = zsr_vm_cpu_index(vm, c);
	t->state = ZSR_VT_RUNNING;
	t->run_since = c->now;
	key_set(vm, c);
}

void zsr_vm_block(struct zsr_vm *vm)
{
	struct zsr_vcpu *c = vm->c;
	struct zsr_vtask *t = c->cur, *next;

	vruntime_update(c);
	next = ready_pop(c);
	if (!next)
		next = ready_steal(vm, c);
	if (next) {
		cpu_run(vm, c, next, t);
	} else {
		c->cur = NULL;
		key_clear(vm, c);
	}
	zsr_vm_dispatch(vm);
}

void zsr_vm_resched(struct zsr_vm *vm)
{
	struct zsr_vcpu *c = vm->c;
	struct zsr_vtask *t = c->cur;

	zsr_vm_sync(vm);
	if (!c->nr_ready || c->now < c->slice_end)
		return;
	vruntime_update(c);
	ready_insert(c, t);
	cpu_run(vm, c, ready_pop(c), t);
	zsr_vm_dispatch(vm);
}

static struct zsr_vcpu *pick_cpu(struct zsr_vm *vm, const struct zsr_vtask *t)
{
	struct zsr_vcpu *best = &vm->cpu[t->cpu];
	unsigned i;

	if (!best->cur)
		return best;
	for (i = 0; i < vm->m.nr_cpus; i++)
		if (!vm->cpu[i].cur)
			return &vm->cpu[i];
	for (i = 0; i < vm->m.nr_cpus; i++)
		if (vm->cpu[i].nr_ready < best->nr_ready)
			best = &vm->cpu[i];
	return best;
}

/*
 * T can run from AT on. It goes to the CPU it last ran on when that is idle,
 * else to an idle one, else to the shortest run queue. A long sleeper is half a
 * slice behind the others at most, and let before the running task when it is
 * more than a third.
 */
void zsr_vm_make_ready(struct zsr_vm *vm, struct zsr_vtask *t, uint64_t at)
{
	struct zsr_vcpu *c = pick_cpu(vm, t);
	uint64_t credit = vm->profile->slice / 2;

	vruntime_update(c);
	vruntime_move(t, &vm->cpu[t->cpu], c);
	t->vruntime = zsr_max(t->vruntime, c->min_vruntime > credit
						   ? c->min_vruntime - credit
						   : 0);
	if (!c->cur) {
		zsr_vm_idle_until(c, at);
		cpu_run(vm, c, t, NULL);
		return;
	}
	t->cpu = zsr_vm_cpu_index(vm, c);
	ready_insert(c, t);
	if (t->vruntime + vm->profile->slice / 3 < c->cur->vruntime)
		c->slice_end = zsr_min(c->slice_end, c->now);
}

/* ---- for tasks ------------------------------------------------------ */

void zsr_vm_compute(struct zsr_vm *vm, uint64_t ps)
{
	uint64_t chunk;

	while (ps) {
		chunk = zsr_min(ps, vm->profile->slice);
		zsr_vm_spend(vm, chunk);
		ps -= chunk;
		zsr_vm_sync(vm);
		zsr_vm_cond_resched(vm);
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

void zsr_vm_sleep_until(struct zsr_vm *vm, uint64_t at)
{
	zsr_vm_sync(vm);
	if (at <= vm->c->now)
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
	zsr_vm_wake_at(vm, t,
		       c->now + zsr_vm_scatter(vm, vm->profile->wake_latency));
}

void zsr_vm_resume(struct zsr_vm *vm, struct zsr_vtask *t)
{
	zsr_vm_wake_at(vm, t, vm->c->now);
}

/* ---- spinners ------------------------------------------------------- */

void zsr_vm_park_spinner(struct zsr_vm *vm)
{
	key_clear(vm, vm->c);
	zsr_vm_dispatch(vm);
}

void zsr_vm_unpark(struct zsr_vm *vm, struct zsr_vtask *t, uint64_t at)
{
	struct zsr_vcpu *c = &vm->cpu[t->cpu];

	zsr_vm_spin_until(vm, c, at);
	key_set(vm, c);
}
