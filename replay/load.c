// SPDX-License-Identifier: GPL-2.0-only
/* What a run goes through beside its trace, from the first release on: load
 * generators, CPUs that go offline, compactions. All are daemons. */
#include <stdlib.h>

#include "replay/player_private.h"

#define CHUNKS_A_SECOND 1000

/* Asked at every step, so that nothing outlives the replay. */
static bool is_over(const struct player *p)
{
	return p->vm->ending || p->error;
}

/* ---- load ---------------------------------------------------------------- */

static void cpu_hog(struct zsr_vm *vm, void *arg)
{
	struct player *p = arg;

	zsr_vm_mode(vm, ZSR_MODE_LOAD_CPU);
	while (!is_over(p))
		zsr_vm_compute(vm, vm->profile->slice);
}

/* Above everybody else for a part of each period. */
static void rt_hog(struct zsr_vm *vm, void *arg)
{
	struct player *p = arg;
	const struct zsr_conditions *c = p->s->conditions;
	uint64_t period = zsr_ns_to_ps(c->rt_period_ns), begin;

	zsr_vm_mode(vm, ZSR_MODE_LOAD_RT);
	while (!is_over(p)) {
		begin = vm->c->now;
		zsr_vm_compute(vm, period / 1000 * c->rt_permille);
		if (c->rt_permille < 1000)
			zsr_vm_sleep_until(vm, begin + period);
	}
}

static bool stall(struct player *p)
{
	struct zsr_vm *vm = p->vm;
	uint64_t since;

	if (!vm->below_low)
		return false;
	since = vm->c->now;
	zsr_vm_pages_await(vm);
	p->load.stalls++;
	p->load.stall_ps += vm->c->now - since;
	p->load.stall_max_ps = zsr_max(p->load.stall_max_ps, vm->c->now - since);
	return true;
}

/* An application that needs memory, page by page: at its rate, unless it has to
 * wait for some. It does not make up for that afterwards. */
static void mem_hog(struct zsr_vm *vm, void *arg)
{
	struct player *p = arg;
	const struct zsr_conditions *c = p->s->conditions;
	uint64_t total = c->mem_total / vm->page_size;
	uint64_t chunk = zsr_max(c->mem_rate / CHUNKS_A_SECOND / vm->page_size,
				 1);
	uint64_t i, next = vm->c->now;

	zsr_vm_mode(vm, ZSR_MODE_LOAD_MEM);
	while (!is_over(p) && p->load.pages < total) {
		for (i = 0; i < chunk && p->load.pages < total; i++) {
			if (stall(p))
				next = vm->c->now;
			if (is_over(p) || !zsr_pages_alloc(&vm->m, 1))
				break;
			p->load.pages++;
		}
		next += zsr_ns_to_ps(chunk * vm->page_size * 1000000000ull /
				     c->mem_rate);
		zsr_vm_sleep_until(vm, next);
	}
}

/* ---- happenings ------------------------------------------------------------ */

/* Sleep until AT_NS after the first release; false when all is over before.
 * What is later than virtual time goes is never. */
static bool until(struct player *p, uint64_t at_ns)
{
	uint64_t at = p->account.first_release + zsr_ns_to_ps(at_ns);

	zsr_vm_sleep_until(p->vm, zsr_min(at, ZSR_VM_END_PS - 1));
	return !is_over(p);
}

static void take_offline(struct player *p, unsigned cpu)
{
	const struct zsr_policy *policy = p->s->policy;
	unsigned i;

	zsr_vm_cpu_offline(p->vm, cpu);
	p->load.offline_at[cpu] = p->vm->c->now;
	for (i = 0; policy->cpu_offline && i < p->s->trace->nr_pools; i++)
		policy->cpu_offline(&p->pool[i], cpu);
}

static void hotplug(struct zsr_vm *vm, void *arg)
{
	struct player *p = arg;
	const struct zsr_conditions *c = p->s->conditions;
	unsigned i;

	(void)vm;
	for (i = 0; i < c->nr_offline && until(p, c->offline[i].at_ns); i++)
		take_offline(p, c->offline[i].cpu);
}

static void compact_all(struct player *p)
{
	unsigned i;

	zsr_vm_mode(p->vm, ZSR_MODE_COMPACT);
	for (i = 0; i < p->s->trace->nr_pools; i++)
		zsr_pool_compact(&p->pool[i]);
	zsr_vm_mode(p->vm, ZSR_MODE_OTHER);
}

static void compact_at(struct zsr_vm *vm, void *arg)
{
	struct player *p = arg;
	const struct zsr_conditions *c = p->s->conditions;
	unsigned i;

	(void)vm;
	for (i = 0; i < c->nr_compact_at && until(p, c->compact_at_ns[i]); i++)
		compact_all(p);
}

static void compact_every(struct zsr_vm *vm, void *arg)
{
	struct player *p = arg;
	const struct zsr_conditions *c = p->s->conditions;
	uint64_t n;

	(void)vm;
	for (n = 1; until(p, n * c->compact_every_ns); n++)
		compact_all(p);
}

/* The page allocator makes room for large pages: a cluster of pages at a time
 * (mm/compaction.c, COMPACT_CLUSTER_MAX). */
#define CLUSTER 32

static void migrate_every(struct zsr_vm *vm, void *arg)
{
	struct player *p = arg;
	uint64_t n;
	unsigned i, k;

	for (n = 1; until(p, n * p->s->conditions->migrate_every_ns); n++) {
		zsr_vm_mode(vm, ZSR_MODE_COMPACT);
		for (i = 0; i < p->s->trace->nr_pools; i++)
			for (k = 0; k < CLUSTER && !is_over(p); k++)
				zsr_pool_migrate(&p->pool[i]);
		zsr_vm_mode(vm, ZSR_MODE_OTHER);
	}
}

/* ---- all --------------------------------------------------------------------- */

static struct zsr_vtask *start(struct player *p,
			       void (*fn)(struct zsr_vm *vm, void *arg),
			       unsigned cpu)
{
	return zsr_vm_spawn_daemon(p->vm, fn, p, cpu, p->vm->c->now);
}

void zsr_load_start(struct player *p)
{
	const struct zsr_conditions *c = p->s->conditions;
	struct zsr_vtask *t;
	unsigned i;

	if (!c)
		return;
	zsr_vm_sync(p->vm);
	p->load.begin_ps = p->vm->c->now;
	if (c->wake_set)
		p->vm->wake_dist = c->wake;
	p->vm->worker_dist_set = c->worker_set;
	p->vm->worker_dist = c->worker;
	for (i = 0; i < c->rt_hogs; i++) {
		t = start(p, rt_hog, i);
		if (!t)
			return;
		t->class = ZSR_SCHED_RT;
		t->pinned = true;
	}
	for (i = 0; i < c->cpu_hogs; i++)
		start(p, cpu_hog, i);
	if (c->mem_total)
		start(p, mem_hog, 0);
	if (c->nr_offline)
		start(p, hotplug, 0);
	if (c->nr_compact_at)
		start(p, compact_at, 0);
	if (c->compact_every_ns)
		start(p, compact_every, 0);
	if (c->migrate_every_ns)
		start(p, migrate_every, 0);
}

/* CPU time (ps) of all CPUs in a mode. */
static uint64_t got(const struct player *p, enum zsr_mode mode)
{
	uint64_t sum = 0;
	unsigned i;

	for (i = 0; i < p->vm->m.nr_cpus; i++)
		sum += zsr_vm_busy(&p->vm->cpu[i], mode);
	return sum;
}

static int longer(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x < y) - (x > y);
}

/*
 * What NR generators that want PERMILLE of a CPU each did not get: each has a
 * CPU of its own while there are as many, so the CPUs that stay longest count.
 */
static uint64_t lost(const struct player *p, unsigned nr, uint64_t permille,
		     uint64_t have)
{
	uint64_t online[ZSR_MAX_CPUS], want = 0;
	unsigned i, cpus = p->vm->m.nr_cpus;

	for (i = 0; i < cpus; i++)
		online[i] = (p->load.offline_at[i] ? p->load.offline_at[i]
						   : p->vm->end) -
			    p->load.begin_ps;
	qsort(online, cpus, sizeof(online[0]), longer);
	for (i = 0; i < zsr_min(nr, cpus); i++)
		want += (uint64_t)((unsigned __int128)online[i] * permille /
				   1000);
	return want > have ? want - have : 0;
}

void zsr_load_finish(struct player *p)
{
	const struct zsr_conditions *c = p->s->conditions;
	struct zsr_run_values *v = &p->run->v;
	uint64_t cpu = got(p, ZSR_MODE_LOAD_CPU);
	uint64_t rt = got(p, ZSR_MODE_LOAD_RT);

	p->vm->pages_used -= p->load.pages;
	if (!c)
		return;
	v->load_cpu_ns = zsr_ps_to_ns(cpu);
	v->load_cpu_lost_ns = zsr_ps_to_ns(lost(p, c->cpu_hogs, 1000, cpu));
	v->load_rt_ns = zsr_ps_to_ns(rt);
	v->load_rt_lost_ns =
		zsr_ps_to_ns(lost(p, c->rt_hogs, c->rt_permille, rt));
	v->load_mem_pages = p->load.pages;
	v->load_mem_stalls = p->load.stalls;
	v->load_mem_stall_ns = zsr_ps_to_ns(p->load.stall_ps);
	v->load_mem_stall_max_ns = zsr_ps_to_ns(p->load.stall_max_ps);
}
