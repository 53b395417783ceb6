// SPDX-License-Identifier: GPL-2.0-only
/* Who runs when: virtual time order, run queues, sleeping and waking. */
#include <stdlib.h>
#include <string.h>

#include "replay/machine/virtual/vm.h"

static unsigned cpu_index(const struct zsr_vm *vm, const struct zsr_vcpu *c)
{
	return (unsigned)(c - vm->cpu);
}

static uint64_t cpu_key(const struct zsr_vm *vm, const struct zsr_vcpu *c)
{
	return zsr_vm_key(c->now, cpu_index(vm, c) + 1);
}

/* CPU C runs (again) from its clock on. */
static void key_set(struct zsr_vm *vm, struct zsr_vcpu *c)
{
	uint64_t key = cpu_key(vm, c);

	vm->key[cpu_index(vm, c)] = key;
	if (c != vm->c && key < vm->horizon)
		vm->horizon = key;
}

static void key_clear(struct zsr_vm *vm, struct zsr_vcpu *c)
{
	vm->key[cpu_index(vm, c)] = UINT64_MAX;
}

/* ---- timers: a binary heap by (at, seq) ------------------------------ */

static bool timer_before(const struct zsr_vtimer *a, const struct zsr_vtimer *b)
{
	return a->at != b->at ? a->at < b->at : a->seq < b->seq;
}

int zsr_vm_timer(struct zsr_vm *vm, uint64_t at,
		 void (*fn)(struct zsr_vm *vm, void *arg), void *arg)
{
	struct zsr_vtimer t = { at, vm->timer_seq++, fn, arg };
	size_t i, up;

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

/*
 * Hand control to whatever is earliest; returns when the calling task is.
 * With nothing left to run control goes back to zsr_vm_run().
 */
static void dispatch(struct zsr_vm *vm)
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
		timer = vm->nr_timers ? zsr_vm_key(vm->timers[0].at, 0) :
					UINT64_MAX;
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
		resume(vm, &vm->c->cur->coro);
		return;
	}
}

void zsr_vm_yield(struct zsr_vm *vm)
{
	key_set(vm, vm->c);
	dispatch(vm);
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

/* A CPU about to idle takes the next task of the longest run queue. */
static struct zsr_vtask *ready_steal(struct zsr_vm *vm, struct zsr_vcpu *c)
{
	struct zsr_vcpu *from = NULL;
	unsigned i;

	for (i = 0; i < vm->m.nr_cpus; i++)
		if (&vm->cpu[i] != c && vm->cpu[i].nr_ready &&
		    (!from || vm->cpu[i].nr_ready > from->nr_ready))
			from = &vm->cpu[i];
	return from ? ready_pop(from) : NULL;
}

/* C's clock moves on without work being done. */
static void cpu_idle_until(struct zsr_vcpu *c, uint64_t at)
{
	if (at > c->now) {
		c->idle += at - c->now;
		c->now = at;
	}
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
	t->cpu = cpu_index(vm, c);
	t->state = ZSR_VT_RUNNING;
	t->run_since = c->now;
	key_set(vm, c);
}

static void account_run(struct zsr_vcpu *c, struct zsr_vtask *t)
{
	t->vruntime += c->now - t->run_since;
	t->run_since = c->now;
}

void zsr_vm_block(struct zsr_vm *vm)
{
	struct zsr_vcpu *c = vm->c;
	struct zsr_vtask *t = c->cur, *next;

	account_run(c, t);
	next = ready_pop(c);
	if (!next)
		next = ready_steal(vm, c);
	if (next) {
		cpu_run(vm, c, next, t);
	} else {
		c->cur = NULL;
		key_clear(vm, c);
	}
	dispatch(vm);
}

void zsr_vm_resched(struct zsr_vm *vm)
{
	struct zsr_vcpu *c = vm->c;
	struct zsr_vtask *t = c->cur;

	zsr_vm_sync(vm);
	if (!c->nr_ready || c->now < c->slice_end)
		return;
	account_run(c, t);
	ready_insert(c, t);
	cpu_run(vm, c, ready_pop(c), t);
	dispatch(vm);
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
 * else to an idle one, else to the shortest run queue, where a long sleeper
 * is let before the running task once it lags by a third of a slice.
 */
void zsr_vm_make_ready(struct zsr_vm *vm, struct zsr_vtask *t, uint64_t at)
{
	struct zsr_vcpu *c = pick_cpu(vm, t);
	uint64_t credit = vm->profile->slice / 2, ran;

	if (!c->cur) {
		cpu_idle_until(c, at);
		cpu_run(vm, c, t, NULL);
		return;
	}
	t->cpu = cpu_index(vm, c);
	t->vruntime = zsr_max(t->vruntime, c->min_vruntime > credit ?
						   c->min_vruntime - credit :
						   0);
	ready_insert(c, t);
	ran = c->cur->vruntime + (c->now - c->cur->run_since);
	if (t->vruntime + vm->profile->slice / 3 < ran)
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
		if (vm->c->nr_ready && !vm->c->cur->preempt_off)
			zsr_vm_resched(vm);
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

static void wake_at(struct zsr_vm *vm, struct zsr_vtask *t, uint64_t at)
{
	t->wake_at = at;
	zsr_vm_timer(vm, at, wake_up, t);
}

void zsr_vm_sleep_until(struct zsr_vm *vm, uint64_t at)
{
	zsr_vm_sync(vm);
	if (at <= vm->c->now)
		return;
	wake_at(vm, vm->c->cur, at);
	vm->c->cur->state = ZSR_VT_SLEEPING;
	zsr_vm_block(vm);
}

void zsr_vm_wake(struct zsr_vm *vm, struct zsr_vtask *t)
{
	struct zsr_vcpu *c = vm->c;

	c->now += c->cost[ZSR_COST_wake];
	c->queueing += c->cost[ZSR_COST_wake];
	wake_at(vm, t, c->now + zsr_vm_scatter(vm, vm->profile->wake_latency));
}

void zsr_vm_resume(struct zsr_vm *vm, struct zsr_vtask *t)
{
	wake_at(vm, t, vm->c->now);
}

/* ---- spinners ------------------------------------------------------- */

void zsr_vm_park_spinner(struct zsr_vm *vm)
{
	key_clear(vm, vm->c);
	dispatch(vm);
}

void zsr_vm_unpark(struct zsr_vm *vm, struct zsr_vtask *t, uint64_t at)
{
	struct zsr_vcpu *c = &vm->cpu[t->cpu];

	zsr_vm_spin_until(vm, c, at);
	key_set(vm, c);
}

/* ---- life of a machine ---------------------------------------------- */

static void task_main(void *arg)
{
	struct zsr_vtask *t = arg;
	struct zsr_vm *vm = t->vm;

	t->fn(vm, t->arg);
	zsr_vm_sync(vm);
	t->state = ZSR_VT_DEAD;
	vm->nr_alive--;
	zsr_vm_block(vm);
}

struct zsr_vtask *zsr_vm_spawn(struct zsr_vm *vm,
			       void (*fn)(struct zsr_vm *vm, void *arg),
			       void *arg, unsigned cpu, uint64_t at)
{
	struct zsr_vtask *t;

	if (zsr_grow(&vm->tasks, &vm->cap_tasks, vm->nr_tasks + 1,
		     sizeof(*vm->tasks)))
		goto nomem;
	t = calloc(1, sizeof(*t));
	if (!t)
		goto nomem;
	t->vm = vm;
	t->fn = fn;
	t->arg = arg;
	t->cpu = cpu % vm->m.nr_cpus;
	vm->error = zsr_coro_init(&t->coro, task_main, t, &vm->err);
	if (vm->error) {
		free(t);
		return NULL;
	}
	vm->tasks[vm->nr_tasks++] = t;
	vm->nr_alive++;
	wake_at(vm, t, at);
	return t;
nomem:
	vm->error = zsr_err_nomem(&vm->err, "virtual task");
	return NULL;
}

/* Everything is idle: bring all clocks to the latest one. */
static void settle(struct zsr_vm *vm)
{
	unsigned i;

	for (i = 0; i < vm->m.nr_cpus; i++)
		vm->end = zsr_max(vm->end, vm->cpu[i].now);
	for (i = 0; i < vm->m.nr_cpus; i++)
		cpu_idle_until(&vm->cpu[i], vm->end);
}

int zsr_vm_run(struct zsr_vm *vm, struct zsr_err *err)
{
	vm->running = &vm->host;
	if (!vm->error)
		dispatch(vm);
	vm->c = NULL;
	if (vm->error) {
		*err = vm->err;
		return vm->error;
	}
	if (vm->nr_alive)
		return zsr_err_input(err, "%zu tasks wait for each other forever",
				     vm->nr_alive);
	settle(vm);
	return 0;
}

/* Quantile midpoints of a lognormal distribution (sigma 0.5), scaled to a mean
 * of exactly 1024: how far one memory-bound step lies from its mean. */
static const uint16_t scatter_table[256] = {
	214, 256, 281, 300, 315, 329, 341, 351, 361, 370, 379, 387,
	395, 403, 410, 417, 423, 430, 436, 442, 448, 454, 460, 465,
	471, 476, 481, 486, 492, 497, 502, 506, 511, 516, 521, 525,
	530, 535, 539, 544, 548, 552, 557, 561, 566, 570, 574, 578,
	583, 587, 591, 595, 599, 603, 607, 611, 615, 620, 624, 628,
	632, 636, 640, 644, 648, 651, 655, 659, 663, 667, 671, 675,
	679, 683, 687, 691, 695, 699, 702, 706, 710, 714, 718, 722,
	726, 730, 734, 738, 742, 746, 749, 753, 757, 761, 765, 769,
	773, 777, 781, 785, 789, 793, 797, 801, 805, 809, 813, 818,
	822, 826, 830, 834, 838, 842, 846, 851, 855, 859, 863, 868,
	872, 876, 880, 885, 889, 893, 898, 902, 907, 911, 916, 920,
	925, 929, 934, 938, 943, 948, 952, 957, 962, 966, 971, 976,
	981, 986, 991, 996, 1001, 1006, 1011, 1016, 1021, 1026, 1031, 1037,
	1042, 1047, 1053, 1058, 1063, 1069, 1074, 1080, 1086, 1091, 1097, 1103,
	1109, 1115, 1121, 1127, 1133, 1139, 1145, 1152, 1158, 1164, 1171, 1178,
	1184, 1191, 1198, 1205, 1212, 1219, 1226, 1233, 1241, 1248, 1256, 1263,
	1271, 1279, 1287, 1295, 1303, 1312, 1320, 1329, 1338, 1347, 1356, 1365,
	1375, 1384, 1394, 1404, 1415, 1425, 1436, 1446, 1458, 1469, 1481, 1493,
	1505, 1517, 1530, 1543, 1557, 1571, 1585, 1600, 1615, 1631, 1647, 1664,
	1682, 1700, 1719, 1738, 1758, 1780, 1802, 1825, 1850, 1876, 1903, 1932,
	1963, 1996, 2032, 2070, 2112, 2158, 2208, 2265, 2328, 2402, 2488, 2593,
	2726, 2907, 3189, 3831,
};

/* The table's distance from its mean, scaled by the profile's spread. */
static void scatter_init(struct zsr_vm *vm)
{
	int32_t dev;
	unsigned i;

	for (i = 0; i < ZSR_ARRAY_SIZE(vm->scatter); i++) {
		dev = (int32_t)scatter_table[i] - 1024;
		dev = dev * (int32_t)vm->profile->spread / 1000;
		vm->scatter[i] = (uint32_t)(1024 + dev);
	}
}

uint64_t zsr_vm_scatter(struct zsr_vm *vm, uint64_t ps)
{
	if (!vm->profile->spread)
		return ps;
	return ps * vm->scatter[zsr_rng_next(&vm->c->rng) >> 56] >> 10;
}

/* Steps that touch memory nobody touched lately. */
#define SCATTERED                                                          \
	(1ull << ZSR_COST_cell_load | 1ull << ZSR_COST_zspage_load |       \
	 1ull << ZSR_COST_obj_free | 1ull << ZSR_COST_obj_malloc |         \
	 1ull << ZSR_COST_page_reset | 1ull << ZSR_COST_page_free |        \
	 1ull << ZSR_COST_gap_release | 1ull << ZSR_COST_gap_store)

static void vm_charge(struct zsr_machine *m, enum zsr_cost cost, unsigned n)
{
	struct zsr_vm *vm = zsr_vm_of(m);
	uint64_t ps = vm->c->cost[cost] * n;

	if (SCATTERED >> cost & 1)
		ps = zsr_vm_scatter(vm, ps);
	zsr_vm_spend(vm, ps);
}

static uint64_t vm_now_ps(struct zsr_machine *m)
{
	return zsr_vm_of(m)->c->now;
}

static void vm_order(struct zsr_machine *m)
{
	zsr_vm_sync(zsr_vm_of(m));
}

static unsigned vm_cpu(struct zsr_machine *m)
{
	return cpu_index(zsr_vm_of(m), zsr_vm_of(m)->c);
}

static void vm_preempt_disable(struct zsr_machine *m)
{
	zsr_vm_of(m)->c->cur->preempt_off++;
}

static void vm_preempt_enable(struct zsr_machine *m)
{
	zsr_vm_of(m)->c->cur->preempt_off--;
}

static void vm_cond_resched(struct zsr_machine *m)
{
	struct zsr_vm *vm = zsr_vm_of(m);

	if (vm->c->nr_ready && !vm->c->cur->preempt_off)
		zsr_vm_resched(vm);
}

static const struct zsr_machine_ops vm_ops = {
	.charge = vm_charge,
	.now_ps = vm_now_ps,
	.spin_lock = zsr_vm_spin_lock,
	.spin_trylock = zsr_vm_spin_trylock,
	.spin_unlock = zsr_vm_spin_unlock,
	.read_lock = zsr_vm_read_lock,
	.read_unlock = zsr_vm_read_unlock,
	.write_lock = zsr_vm_write_lock,
	.write_unlock = zsr_vm_write_unlock,
	.line_read = zsr_vm_line_read,
	.line_write = zsr_vm_line_write,
	.line_atomic = zsr_vm_line_atomic,
	.order = vm_order,
	.cpu = vm_cpu,
	.preempt_disable = vm_preempt_disable,
	.preempt_enable = vm_preempt_enable,
	.cond_resched = vm_cond_resched,
	.queue_work = zsr_vm_queue_work,
	.flush_work = zsr_vm_flush_work,
	.pages_alloc = zsr_vm_pages_alloc,
	.pages_free = zsr_vm_pages_free,
};

int zsr_vm_create(struct zsr_vm **out, const struct zsr_profile *profile,
		  unsigned nr_cpus, unsigned page_size, uint64_t seed,
		  struct zsr_err *err)
{
	struct zsr_rng rng = { seed };
	struct zsr_vm *vm = calloc(1, sizeof(*vm));
	unsigned i;

	if (!vm)
		return zsr_err_nomem(err, "virtual machine");
	vm->m.ops = &vm_ops;
	vm->m.nr_cpus = nr_cpus;
	vm->profile = profile;
	vm->page_size = page_size;
	scatter_init(vm);
	for (i = 0; i < nr_cpus; i++) {
		vm->key[i] = UINT64_MAX;
		vm->cpu[i].rng.state = zsr_rng_next(&rng);
		memcpy(vm->cpu[i].cost, profile->cost_ps,
		       sizeof(vm->cpu[i].cost));
	}
	*out = vm;
	return 0;
}

void zsr_vm_destroy(struct zsr_vm *vm)
{
	size_t i;

	if (!vm)
		return;
	for (i = 0; i < vm->nr_tasks; i++) {
		zsr_coro_free(&vm->tasks[i]->coro);
		free(vm->tasks[i]);
	}
	free(vm->tasks);
	free(vm->timers);
	free(vm);
}
