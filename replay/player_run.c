// SPDX-License-Identifier: GPL-2.0-only
/* One run: set up the machine and the pools, play, tear down, check what must
 * hold in every run, and sum up. */
#include <stdlib.h>
#include <string.h>

#include "replay/player_private.h"

static void teardown_main(struct zsr_vm *vm, void *arg)
{
	struct player *p = arg;
	unsigned i;

	zsr_vm_mode(vm, ZSR_MODE_TEARDOWN);
	for (i = 0; i < p->s->trace->nr_pools; i++)
		if (p->s->policy->flush)
			p->s->policy->flush(&p->pool[i]);
}

static void pressure_main(struct zsr_vm *vm, void *arg)
{
	const struct player *p = arg;
	unsigned i;

	(void)vm;
	for (i = 0; i < p->s->trace->nr_pools; i++)
		p->s->policy->pressure(&p->pool[i]);
}

/* A swap device of zram is as large as the memory unless somebody says so. */
static uint64_t swap_bytes(const struct zsr_player_setup *s)
{
	return s->conditions && s->conditions->swap ? s->conditions->swap
						    : s->profile->memory;
}

/* What the pools hold in a size class. */
static struct zsr_class_use class_use(const void *ctx, unsigned class)
{
	const struct player *p = ctx;
	struct zsr_class_use use = { .size = p->pool[0].class[class].size };
	uint64_t objects, pages;
	unsigned i;

	for (i = 0; use.size && i < p->s->trace->nr_pools; i++) {
		zsr_engine_class_use(p->pool[i].e, class, &objects, &pages);
		use.objects += (uint32_t)objects;
		use.pages += (uint32_t)pages;
	}
	return use;
}

/* What each CPU did so far, waits for locks and what it computes included. */
static void cpus_busy(const void *ctx, uint64_t now, uint64_t *ps)
{
	static const uint8_t kind[ZSR_NR_MODES] = {
		[ZSR_MODE_OTHER] = ZSR_BUSY_OTHER,
		[ZSR_MODE_GAP] = ZSR_BUSY_OTHER,
		[ZSR_MODE_STORE] = ZSR_BUSY_OTHER,
		[ZSR_MODE_RELEASE] = ZSR_BUSY_CALLER,
		[ZSR_MODE_WORKER] = ZSR_BUSY_WORKER,
		[ZSR_MODE_TEARDOWN] = ZSR_BUSY_OTHER,
		[ZSR_MODE_COMPACT] = ZSR_BUSY_OTHER,
		[ZSR_MODE_REUSE] = ZSR_BUSY_OTHER,
		[ZSR_MODE_LOAD_CPU] = ZSR_BUSY_LOAD,
		[ZSR_MODE_LOAD_RT] = ZSR_BUSY_LOAD,
		[ZSR_MODE_LOAD_MEM] = ZSR_BUSY_LOAD,
	};
	const struct player *p = ctx;
	const struct zsr_vcpu *c;
	unsigned i, mode;

	memset(ps, 0, p->vm->m.nr_cpus * ZSR_NR_BUSY * sizeof(*ps));
	for (i = 0; i < p->vm->m.nr_cpus; i++, ps += ZSR_NR_BUSY) {
		c = &p->vm->cpu[i];
		for (mode = 0; mode < ZSR_NR_MODES; mode++)
			ps[kind[mode]] += zsr_vm_busy(c, mode) + c->spin[mode];
		if (c->computing && c->cur && now > c->now)
			ps[kind[c->cur->mode]] += zsr_min(now, c->stop_at) -
						  zsr_min(c->now, c->stop_at);
	}
}

static int pools_init(struct player *p, struct zsr_err *err)
{
	const struct zsr_player_setup *s = p->s;
	unsigned i;
	int ret;

	p->pool = calloc(s->trace->nr_pools + 1u, sizeof(*p->pool));
	if (!p->pool)
		return zsr_err_nomem(err, "pools");
	for (i = 0; i < s->trace->nr_pools; i++) {
		ret = zsr_pool_init(&p->pool[i], &p->vm->m, s->model,
				    s->trace->page_size, s->trace->chain_size,
				    s->policy, s->params, s->trace->nr_tasks,
				    &p->nr_releasing, &p->account, err);
		if (ret)
			return ret;
		p->pool[i].swap_slots = swap_bytes(s) / s->trace->page_size;
		if (s->outer != ZSR_OUTER_DEVICE)
			continue;
		p->pool[i].device_lock = &p->outer;
		p->pool[i].enter_swap = zsr_player_enter_swap;
	}
	p->account.overtime.use = class_use;
	p->account.overtime.use_ctx = p;
	p->account.overtime.busy = cpus_busy;
	p->account.overtime.nr_cpus = p->vm->m.nr_cpus;
	p->account.overtime.nr_classes = p->pool[0].nr_classes;
	p->vm->pages_used = p->account.buffer_pages;
	if (s->policy->pressure)
		p->vm->pressure = pressure_main;
	p->vm->pressure_arg = p;
	return 0;
}

static int tasks_init(struct player *p, struct zsr_err *err)
{
	size_t i, nr = p->s->trace->nr_tasks;
	int ret;

	p->task = calloc(nr + 1, sizeof(*p->task));
	p->place = malloc(2 * (nr + 1) * sizeof(*p->place));
	if (!p->task || !p->place)
		return zsr_err_nomem(err, "tasks");
	for (i = 0; i < 2 * (nr + 1); i++)
		p->place[i] = UINT64_MAX;
	ret = zsr_player_start(p);
	if (ret)
		*err = p->err;
	return ret;
}

static void machine_values(struct player *p)
{
	struct zsr_run_values *v = &p->run->v;
	uint64_t caller = 0, spin = 0, worker = 0, wspin = 0, queue = 0, gap = 0;
	uint64_t compact = 0, reuse = 0;
	unsigned i;

	for (i = 0; i < p->vm->m.nr_cpus; i++) {
		const struct zsr_vcpu *c = &p->vm->cpu[i];

		caller += zsr_vm_busy(c, ZSR_MODE_RELEASE);
		spin += c->spin[ZSR_MODE_RELEASE];
		worker += zsr_vm_busy(c, ZSR_MODE_WORKER);
		wspin += c->spin[ZSR_MODE_WORKER];
		queue += c->queueing;
		gap += zsr_vm_busy(c, ZSR_MODE_GAP);
		compact += zsr_vm_busy(c, ZSR_MODE_COMPACT) +
			   c->spin[ZSR_MODE_COMPACT];
		reuse += zsr_vm_busy(c, ZSR_MODE_REUSE) +
			 c->spin[ZSR_MODE_REUSE];
	}
	v->cpu_caller_ns = zsr_ps_to_ns(caller);
	v->cpu_spin_ns = zsr_ps_to_ns(spin);
	v->cpu_worker_ns = zsr_ps_to_ns(worker);
	v->cpu_worker_spin_ns = zsr_ps_to_ns(wspin);
	v->cpu_queueing_ns = zsr_ps_to_ns(queue);
	v->cpu_gap_ns = zsr_ps_to_ns(gap);
	v->cpu_compact_ns = zsr_ps_to_ns(compact);
	v->cpu_reuse_ns = zsr_ps_to_ns(reuse);
	v->switches = p->vm->switches;
	v->works_queued = p->vm->works_queued;
	v->works_run = p->vm->works_run;
	v->lock_contended = p->vm->locks_contended;
	v->lock_acquired = p->vm->locks_acquired;
	v->line_transfers = p->vm->line_transfers;
	v->pages_refused = p->vm->pages_refused;
}

static int compare_release(const void *a, const void *b)
{
	const struct zsr_release *x = a, *y = b;

	if (x->begin_ns != y->begin_ns)
		return x->begin_ns < y->begin_ns ? -1 : 1;
	return (x->task > y->task) - (x->task < y->task);
}

static void pool_values(const struct zsr_pool *pool, struct zsr_run_values *v)
{
	v->fallbacks += pool->fallbacks;
	v->slots_reused += pool->slots_reused;
	v->compactions += pool->compact.runs;
	v->compact_pages += pool->compact.pages;
	v->compact_moved_bytes += pool->compact.bytes;
	v->compact_dead_bytes += pool->compact.dead_bytes;
	v->migrated_pages += pool->migrate.pages;
	v->migrate_dead_bytes += pool->migrate.dead_bytes;
}

static int collect(struct player *p, struct zsr_err *err)
{
	struct zsr_run_values *v = &p->run->v;
	unsigned i;

	int ret = zsr_breakdown_finish(p, err);

	if (ret)
		return ret;
	machine_values(p);
	zsr_load_finish(p);
	for (i = 0; i < p->s->trace->nr_pools; i++)
		pool_values(&p->pool[i], v);
	v->caller_sum_ns = zsr_ps_to_ns(p->caller_sum_ps);
	v->caller_max_ns = zsr_ps_to_ns(p->caller_max_ps);
	if (v->tasks)
		v->caller_mean_ns = zsr_ps_to_ns(
			(p->caller_sum_ps + v->tasks / 2) / v->tasks);
	v->last_return_ns = zsr_ps_to_ns(p->last_return_ps);
	v->end_ns = zsr_ps_to_ns(p->vm->end);
	v->pages_total = p->s->pages_total;
	if (p->run->nr_releases)
		qsort(p->run->releases, p->run->nr_releases,
		      sizeof(*p->run->releases), compare_release);
	return zsr_account_finish(&p->account, p->vm->end, p->run, err);
}

/* Objects that the pools hold. */
static uint64_t live_objects(const struct player *p)
{
	uint64_t live = 0;
	unsigned class;

	for (class = 0; class < p->pool[0].nr_classes; class ++)
		live += class_use(p, class).objects;
	return live;
}

/*
 * What must hold in every run, whatever the policy: CPU clocks and steps add
 * up, the account's pages are the engines', every release was done once,
 * nothing stays queued after the flush.
 */
static int check_invariants(struct player *p, struct zsr_err *err)
{
	uint64_t pages = 0;
	unsigned i, k;

	for (i = 0; i < p->vm->m.nr_cpus; i++) {
		const struct zsr_vcpu *c = &p->vm->cpu[i];
		uint64_t sum = c->idle + c->queueing;

		for (k = 0; k < ZSR_NR_MODES; k++)
			sum += zsr_vm_busy(c, k) + c->spin[k];
		if (sum != c->now)
			return zsr_err_check(
				err,
				"CPU %u: busy, spin and idle time do "
				"not add up",
				i);
		if (c->busy[ZSR_MODE_RELEASE][ZSR_STEP_COMPUTING] ||
		    c->busy[ZSR_MODE_WORKER][ZSR_STEP_COMPUTING])
			return zsr_err_check(
				err,
				"CPU %u: releases spent time on no "
				"step",
				i);
	}
	if (p->account.error)
		return zsr_account_error(&p->account, err);
	for (i = 0; i < p->s->trace->nr_pools; i++)
		pages += zsr_engine_pages(p->pool[i].e);
	if (pages + p->account.buffer_pages != p->vm->pages_used)
		return zsr_err_check(
			err, "the machine's pages are not the pools' and "
			     "their buffers'");
	if (pages != p->account.total_pages)
		return zsr_err_check(err,
				     "page account differs from the engine's");
	if (live_objects(p) !=
	    p->run->v.mallocs - p->run->v.malloc_failed - p->run->v.frees)
		return zsr_err_check(err,
				     "policy %s: a release was lost, or done "
				     "twice",
				     p->s->policy->name);
	if (p->vm->works_open)
		return zsr_err_check(err,
				     "policy %s: work stays queued after its "
				     "flush",
				     p->s->policy->name);
	if (p->account.depth)
		return zsr_err_check(err,
				     "policy %s: entries stay queued after its "
				     "flush",
				     p->s->policy->name);
	return 0;
}

/* Time (ps) that CPUs were not idle. */
static uint64_t cpu_used(const struct zsr_vm *vm)
{
	uint64_t used = 0;
	unsigned i;

	for (i = 0; i < vm->m.nr_cpus; i++)
		used += vm->cpu[i].now - vm->cpu[i].idle;
	return used;
}

static int teardown(struct player *p, struct zsr_err *err)
{
	uint64_t begin = p->vm->end, used = cpu_used(p->vm);
	int ret;

	if (!zsr_vm_spawn(p->vm, teardown_main, p, 0, begin)) {
		*err = p->vm->err;
		return p->vm->error;
	}
	ret = zsr_vm_run(p->vm, err);
	if (ret)
		return ret;
	p->run->v.teardown_ns = zsr_ps_to_ns(p->vm->end - begin);
	if (p->s->policy->flush)
		p->run->v.cpu_flush_ns = zsr_ps_to_ns(cpu_used(p->vm) - used);
	return check_invariants(p, err);
}

static void player_free(struct player *p)
{
	unsigned i;

	for (i = 0; p->pool && i < p->s->trace->nr_pools; i++)
		zsr_pool_destroy(&p->pool[i]);
	free(p->pool);
	free(p->task);
	free(p->place);
	zsr_account_free(&p->account);
	zsr_feed_free(&p->feed);
	zsr_objects_free(&p->objects);
	zsr_vm_destroy(p->vm);
}

int zsr_player_run(const struct zsr_player_setup *setup, struct zsr_run *run,
		   struct zsr_err *err)
{
	struct player p = { .s = setup, .run = run };
	int ret;

	ret = zsr_vm_create(&p.vm, setup->profile, setup->cpus,
			    setup->trace->page_size, setup->seed, err);
	if (!ret)
		ret = zsr_account_init(&p.account, run->hist[ZSR_HIST_queued],
				       err);
	if (!ret)
		ret = zsr_feed_init(&p.feed, setup->db, setup->trace, err);
	if (setup->window)
		p.feed.window = setup->window;
	if (!ret)
		ret = pools_init(&p, err);
	if (!ret)
		ret = tasks_init(&p, err);
	if (!ret)
		ret = zsr_vm_run(p.vm, err);
	if (!ret)
		ret = collect(&p, err);
	if (!ret)
		ret = teardown(&p, err);
	player_free(&p);
	return ret ? zsr_err_wrap(err, ret, "replay %s under %s",
				  setup->trace->name, setup->policy->name)
		   : 0;
}
