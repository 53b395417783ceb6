// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which task runs on which CPU: run queues, fair shares, real-time tasks,
 * preemption, CPUs that go offline or share a core.
 */
#include <stdlib.h>

#include "replay/machine/virtual/vm.h"

/* ---- ready tasks: a heap by (vruntime, order) -------------------------- */

static bool ready_before(const struct zsr_vtask *a, const struct zsr_vtask *b)
{
	return a->vruntime != b->vruntime ? a->vruntime < b->vruntime
					  : a->order < b->order;
}

static void heap_push(struct zsr_vm *vm, struct zsr_ready *r,
		      struct zsr_vtask *t)
{
	size_t i, up;

	if (zsr_grow(&r->task, &r->cap, r->nr + 1, sizeof(struct zsr_vtask *))) {
		vm->error = zsr_err_nomem(&vm->err, "run queue");
		return;
	}
	for (i = r->nr++; i; i = up) {
		up = (i - 1) / 2;
		if (!ready_before(t, r->task[up]))
			break;
		r->task[i] = r->task[up];
	}
	r->task[i] = t;
}

static struct zsr_vtask *heap_pop(struct zsr_ready *r)
{
	struct zsr_vtask *top = r->task[0], *last = r->task[--r->nr];
	size_t i = 0, down;

	while ((down = 2 * i + 1) < r->nr) {
		if (down + 1 < r->nr &&
		    ready_before(r->task[down + 1], r->task[down]))
			down++;
		if (!ready_before(r->task[down], last))
			break;
		r->task[i] = r->task[down];
		i = down;
	}
	r->task[i] = last;
	return top;
}

static void ready_insert(struct zsr_vm *vm, struct zsr_vcpu *c,
			 struct zsr_vtask *t)
{
	t->state = ZSR_VT_READY;
	t->order = vm->order++;
	c->nr_ready++;
	if (t->class == ZSR_SCHED_FAIR) {
		heap_push(vm, t->pinned ? &c->pinned : &c->ready, t);
		return;
	}
	t->next = NULL;
	if (c->rt.head)
		c->rt.tail->next = t;
	else
		c->rt.head = t;
	c->rt.tail = t;
}

/* The fair task that comes next on C; NULL when none is ready. */
static struct zsr_ready *fair_first(struct zsr_vcpu *c)
{
	if (!c->ready.nr)
		return c->pinned.nr ? &c->pinned : NULL;
	if (c->pinned.nr && ready_before(c->pinned.task[0], c->ready.task[0]))
		return &c->pinned;
	return &c->ready;
}

static struct zsr_vtask *ready_pop(struct zsr_vcpu *c)
{
	struct zsr_vtask *t = c->rt.head;
	struct zsr_ready *fair = fair_first(c);

	if (t) {
		c->rt.head = t->next;
		t->next = NULL;
	} else if (fair) {
		t = heap_pop(fair);
	} else {
		return NULL;
	}
	c->nr_ready--;
	return t;
}

/* ---- fair shares -------------------------------------------------------- */

/* Count what C's task has run, and raise the least vruntime that any task of C
 * has: it only grows, and newcomers are placed by it. */
static void vruntime_update(struct zsr_vcpu *c)
{
	const struct zsr_ready *first;
	uint64_t ran, least;

	if (!c->cur)
		return;
	ran = c->now - c->cur->run_since;
	c->cur->run_since = c->now;
	if (c->cur->class != ZSR_SCHED_FAIR)
		return;
	if (c->cur->weight != ZSR_WEIGHT_NICE_0)
		ran = ran * ZSR_WEIGHT_NICE_0 / c->cur->weight;
	c->cur->vruntime += ran;
	least = c->cur->vruntime;
	first = fair_first(c);
	if (first)
		least = zsr_min(least, first->task[0]->vruntime);
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
		if (&vm->cpu[i] != c && vm->cpu[i].ready.nr &&
		    (!from || vm->cpu[i].nr_ready > from->nr_ready))
			from = &vm->cpu[i];
	if (!from)
		return NULL;
	t = heap_pop(&from->ready);
	from->nr_ready--;
	vruntime_move(t, from, c);
	return t;
}

/* ---- cores that two CPUs share ------------------------------------------- */

static struct zsr_vcpu *sibling(struct zsr_vm *vm, const struct zsr_vcpu *c)
{
	unsigned i = c->index ^ 1;

	if (zsr_max(i, i ^ 1) >= zsr_min(vm->profile->smt_cpus, vm->m.nr_cpus))
		return NULL;
	return &vm->cpu[i];
}

/* C became busy or idle: its sibling is slower from now on, or as fast as it
 * can be. */
static void core_changed(struct zsr_vm *vm, struct zsr_vcpu *c)
{
	struct zsr_vcpu *s = sibling(vm, c);

	if (s)
		s->cost = c->cur ? s->cost_shared : s->cost_alone;
}

/* ---- getting and giving a CPU --------------------------------------------- */

static void cur_set(struct zsr_vm *vm, struct zsr_vcpu *c, struct zsr_vtask *t)
{
	c->cur = t;
	zsr_vm_steps_of_cur(c);
	core_changed(vm, c);
}

/* T gets C; `from` is whom it takes over from, NULL for an idle CPU. */
static void cpu_run(struct zsr_vm *vm, struct zsr_vcpu *c, struct zsr_vtask *t,
		    const struct zsr_vtask *from)
{
	uint64_t cost = c->cost[ZSR_COST_context_switch];

	/* A load that only ends keeps nobody. */
	if (vm->ending && t->daemon)
		cost = 0;
	c->now += cost;
	if (t->worker || (from && from->worker))
		c->queueing += cost;
	else
		c->busy[ZSR_MODE_OTHER][ZSR_COST_context_switch] += cost;
	vm->switches++;
	cur_set(vm, c, t);
	c->slice_end = UINT64_MAX;
	if (t->class == ZSR_SCHED_FAIR) {
		c->min_vruntime = zsr_max(c->min_vruntime, t->vruntime);
		c->slice_end = c->now + vm->profile->slice;
	}
	/* A real-time task that came while the CPU was switching to T. */
	if (t->class == ZSR_SCHED_FAIR && c->rt.head)
		c->slice_end = c->now;
	t->cpu = c->index;
	t->state = ZSR_VT_RUNNING;
	t->run_since = c->now;
	zsr_vm_key_set(vm, c);
}

void zsr_vm_block(struct zsr_vm *vm)
{
	struct zsr_vcpu *c = vm->c;
	struct zsr_vtask *t = c->cur, *next;

	vruntime_update(c);
	next = ready_pop(c);
	if (!next && !c->offline)
		next = ready_steal(vm, c);
	if (next)
		cpu_run(vm, c, next, t);
	else
		cur_set(vm, c, NULL);
	zsr_vm_dispatch(vm);
}

/*
 * Whether C's task may be sent elsewhere when it loses the CPU: from a CPU that
 * goes away, or one that a real-time task takes for longer than a slice.
 */
static bool moves_away(const struct zsr_vcpu *c)
{
	return c->offline || (c->rt.head && c->cur->class == ZSR_SCHED_FAIR &&
			      !c->cur->pinned);
}

void zsr_vm_resched(struct zsr_vm *vm)
{
	struct zsr_vcpu *c = vm->c;
	struct zsr_vtask *t = c->cur, *next;

	zsr_vm_sync(vm);
	if (!zsr_vm_wants_switch(c) || c->now < c->slice_end)
		return;
	vruntime_update(c);
	if (moves_away(c))
		zsr_vm_make_ready(vm, t, c->now);
	else
		ready_insert(vm, c, t);
	next = ready_pop(c);
	if (next)
		cpu_run(vm, c, next, t);
	else
		cur_set(vm, c, NULL);
	zsr_vm_dispatch(vm);
}

/* How unwelcome a fair task is: behind others, or behind a real-time task. */
static unsigned crowd(const struct zsr_vcpu *c)
{
	if (c->offline)
		return UINT32_MAX;
	return c->nr_ready +
	       (c->rt.head || (c->cur && c->cur->class == ZSR_SCHED_RT) ? 1u << 20
									: 0);
}

static struct zsr_vcpu *pick_cpu(struct zsr_vm *vm, const struct zsr_vtask *t)
{
	struct zsr_vcpu *best = &vm->cpu[t->cpu], *c, *s;
	struct zsr_vcpu *idle = NULL;
	unsigned i;

	if (!best->offline && (t->pinned || !best->cur))
		return best;
	for (i = 0; i < vm->m.nr_cpus; i++) {
		c = &vm->cpu[i];
		if (c->offline || c->cur)
			continue;
		s = sibling(vm, c);
		if (!s || !s->cur)
			return c;
		if (!idle)
			idle = c;
	}
	if (idle)
		return idle;
	for (i = 0; i < vm->m.nr_cpus; i++)
		if (crowd(&vm->cpu[i]) < crowd(best))
			best = &vm->cpu[i];
	return best;
}

/* Does T, just ready on C, take the CPU from its task at the next chance? */
static bool preempts(const struct zsr_vm *vm, const struct zsr_vcpu *c,
		     const struct zsr_vtask *t)
{
	if (c->cur->class == ZSR_SCHED_RT)
		return false;
	return t->class == ZSR_SCHED_RT ||
	       t->vruntime + vm->profile->slice / 3 < c->cur->vruntime;
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

	if (c->computing)
		zsr_vm_compute_to(c, at);
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
	t->cpu = c->index;
	ready_insert(vm, c, t);
	if (preempts(vm, c, t))
		c->slice_end = zsr_min(c->slice_end, c->now);
	zsr_vm_stop_computing(vm, c, c->slice_end);
}

void zsr_vm_stop_computing(struct zsr_vm *vm, struct zsr_vcpu *c, uint64_t at)
{
	if (!c->computing || c->cur->preempt_off)
		return;
	c->stop_at = zsr_min(c->stop_at, zsr_max(at, c->now));
	zsr_vm_key_set(vm, c);
}

/* ---- going offline --------------------------------------------------------- */

/* Sleep for a while, also when all but daemons have ended: a daemon that takes
 * the CPU away goes on until that is done. */
static void nap(struct zsr_vm *vm)
{
	struct zsr_vtask *t = vm->c->cur;

	zsr_vm_sync(vm);
	zsr_vm_wake_at(vm, t, vm->c->now + ZSR_OFFLINE_POLL_PS);
	t->state = ZSR_VT_SLEEPING;
	zsr_vm_block(vm);
}

/* Nothing new comes to C; what waits there goes elsewhere, and its task does so
 * as soon as it can be preempted. */
void zsr_vm_cpu_offline(struct zsr_vm *vm, unsigned cpu)
{
	struct zsr_vcpu *c = &vm->cpu[cpu];
	struct zsr_vtask *t;

	zsr_vm_sync(vm);
	c->offline = true;
	while ((t = ready_pop(c))) {
		t->pinned = false;
		zsr_vm_make_ready(vm, t, vm->c->now);
	}
	if (c->cur) {
		c->cur->pinned = false;
		if (c->computing)
			zsr_vm_compute_to(c, vm->c->now);
		c->slice_end = 0;
		zsr_vm_stop_computing(vm, c, 0);
	}
	zsr_vm_cond_resched(vm);
	while (c->cur)
		nap(vm);
	zsr_vm_pages_drain(vm, c);
}
