// SPDX-License-Identifier: GPL-2.0-only
/*
 * The player: every task of the trace is a task of the machine that makes its
 * calls in program order, with the trace's or the profile's gaps between them.
 */
#include <stdlib.h>
#include <string.h>

#include "replay/account.h"
#include "replay/feed.h"
#include "replay/objects.h"
#include "replay/player.h"

/* Slots a kernel up to 6.13 releases under one hold of the device lock. */
#define OUTER_BATCH 64
/* Runs of frees that are told apart in the record. */
#define LISTED_RELEASE 32
#define MAX_RELEASES 4096

struct player {
	const struct zsr_player_setup *s;
	struct zsr_run *run;
	struct zsr_vm *vm;
	struct zsr_account account;
	struct zsr_pool *pool;
	struct zsr_feed feed;
	struct zsr_objects objects;
	struct zsr_spinlock outer;
	struct player_task *task;
	struct player_task *epoch_waiters;
	struct player_task *window_waiters;
	struct player_task *object_waiters;
	size_t cap_releases;
	uint64_t played;
	uint64_t caller_sum_ps;
	uint64_t caller_max_ps;
	uint64_t last_return_ps;
	int error;
	struct zsr_err err;
};

struct player_task {
	struct player *p;
	uint32_t row;
	struct zsr_vtask *vt;
	struct player_task *next_waiter;
	uint64_t trace_ns;	/* where the task is in the trace's time */
	uint64_t in_gap_ps;	/* of the last call, whose duration the trace
				 * does not know: its gap contains it */
	bool started;
	unsigned in_batch;	/* releases under the outer lock so far */
	uint64_t debt;		/* gaps (ps) owed for them */
	uint64_t rel_begin, rel_end, rel_nr;	/* release under way, ps */
	bool rel_marked;	/* between a release-begin and -end mark */
	uint64_t caller_ps;
	bool released;
};

static void fail(struct player *p, int error)
{
	if (!p->error)
		p->error = error;
	p->vm->error = p->error;
	p->vm->err = p->err;
}

/* ---- waiting ----------------------------------------------------------- */

static void wait_on(struct player_task *t, struct player_task **list)
{
	t->next_waiter = *list;
	*list = t;
	zsr_vm_sleep(t->p->vm);
}

static void wake_all(struct player *p, struct player_task **list)
{
	struct player_task *t = *list, *next;

	*list = NULL;
	for (; t; t = next) {
		next = t->next_waiter;
		zsr_vm_resume(p->vm, t->vt);
	}
}

/* The task's next event, once its turn has come; false at its end. */
static bool next_event(struct player_task *t, struct zsr_feed_event *e)
{
	struct player *p = t->p;
	const struct zsr_feed_event *peek;
	int ret;

	while (!(peek = zsr_feed_peek(&p->feed, t->row))) {
		ret = zsr_feed_read(&p->feed, &p->err);
		if (!ret)
			return false;
		if (ret == -EAGAIN) {
			zsr_vm_sync(p->vm);
			if (p->feed.outstanding >= ZSR_FEED_WINDOW)
				wait_on(t, &p->window_waiters);
		} else if (ret < 0) {
			fail(p, ret);
			return false;
		}
	}
	while (peek->epoch > p->feed.epoch_now) {
		zsr_vm_sync(p->vm);
		if (peek->epoch > p->feed.epoch_now)
			wait_on(t, &p->epoch_waiters);
		peek = zsr_feed_peek(&p->feed, t->row);
	}
	*e = zsr_feed_take(&p->feed, t->row);
	return true;
}

static void event_done(struct player *p, const struct zsr_feed_event *e)
{
	if (p->s->progress && !(++p->played & 0xffff))
		zsr_progress_at(p->s->progress, p->played);
	if (p->feed.epoch_now < p->feed.epoch_read)
		zsr_vm_sync(p->vm);
	if (zsr_feed_done(&p->feed, e))
		wake_all(p, &p->epoch_waiters);
	if (p->window_waiters && p->feed.outstanding < ZSR_FEED_WINDOW / 2)
		wake_all(p, &p->window_waiters);
}

/* ---- gaps --------------------------------------------------------------- */

/* Time the trace spends between the task's last call and this one, ns. */
static uint64_t recorded_gap(const struct player_task *t,
			     const struct zsr_feed_event *e)
{
	return e->entry_ns > t->trace_ns ? e->entry_ns - t->trace_ns : 0;
}

static bool is_pause(const struct player_task *t, uint64_t gap_ns)
{
	return gap_ns * ZSR_PS_PER_NS >= t->p->s->profile->pause;
}

/* CPU time (ps) of a gap that is no pause. */
static uint64_t gap_work(struct player_task *t, const struct zsr_feed_event *e,
			 uint64_t gap_ns)
{
	struct zsr_vm *vm = t->p->vm;
	uint64_t ps = gap_ns * ZSR_PS_PER_NS;
	enum zsr_cost cost;

	if (t->p->s->gaps == ZSR_GAPS_RECORDED)
		return ps - zsr_min(ps, t->in_gap_ps);
	if (e->kind == ZSR_EV_MALLOC)
		cost = ZSR_COST_gap_store;
	else if (e->kind == ZSR_EV_FREE)
		cost = ZSR_COST_gap_release;
	else
		return 0;
	return zsr_vm_scatter(vm, vm->c->cost[cost]);
}

static void play_gap(struct player_task *t, const struct zsr_feed_event *e)
{
	struct zsr_vm *vm = t->p->vm;
	uint64_t gap = recorded_gap(t, e);

	if (t->p->s->arrival == ZSR_ARRIVAL_ASAP)
		return;
	vm->c->cur->mode = e->kind == ZSR_EV_FREE ? ZSR_MODE_GAP :
						   ZSR_MODE_STORE;
	if (!t->started || is_pause(t, gap))
		zsr_vm_sleep_until(vm, vm->c->now + gap * ZSR_PS_PER_NS);
	else if (t->in_batch)
		t->debt += gap_work(t, e, gap);
	else
		zsr_vm_compute(vm, gap_work(t, e, gap));
	if (t->p->s->arrival == ZSR_ARRIVAL_RECORDED && !t->in_batch)
		zsr_vm_sleep_until(vm, e->entry_ns * ZSR_PS_PER_NS);
}

/* ---- the outer lock ------------------------------------------------------ */

static void outer_enter(struct player_task *t)
{
	if (t->p->s->outer == ZSR_OUTER_DEVICE && !t->in_batch)
		zsr_spin_lock(&t->p->vm->m, &t->p->outer);
	t->in_batch += t->p->s->outer == ZSR_OUTER_DEVICE;
}

static void outer_drop(struct player_task *t)
{
	uint64_t debt = t->debt;

	if (!t->in_batch)
		return;
	t->in_batch = 0;
	t->debt = 0;
	zsr_spin_unlock(&t->p->vm->m, &t->p->outer);
	t->p->vm->c->cur->mode = ZSR_MODE_GAP;
	zsr_vm_compute(t->p->vm, debt);
}

/* The device lock is kept while the task's next call, if it is known, is the
 * next release of the same run. */
static void outer_leave(struct player_task *t)
{
	const struct zsr_feed_event *next = zsr_feed_peek(&t->p->feed, t->row);

	if (!t->in_batch)
		return;
	if (t->in_batch < OUTER_BATCH && next && next->kind == ZSR_EV_FREE &&
	    next->epoch <= t->p->feed.epoch_now &&
	    !is_pause(t, recorded_gap(t, next)))
		return;
	outer_drop(t);
}

/* ---- releases ------------------------------------------------------------- */

static void record_release(struct player_task *t)
{
	struct zsr_run *run = t->p->run;

	if (t->rel_nr < LISTED_RELEASE || run->nr_releases == MAX_RELEASES)
		return;
	if (zsr_grow(&run->releases, &t->p->cap_releases,
		     run->nr_releases + 1, sizeof(*run->releases))) {
		zsr_err_nomem(&t->p->err, "releases");
		fail(t->p, -ENOMEM);
		return;
	}
	run->releases[run->nr_releases++] = (struct zsr_release){
		.begin_ns = zsr_ps_to_ns(t->rel_begin),
		.end_ns = zsr_ps_to_ns(t->rel_end),
		.nr = t->rel_nr,
		.task = t->row,
	};
}

static void release_close(struct player_task *t)
{
	if (t->rel_nr) {
		t->caller_ps += t->rel_end - t->rel_begin;
		record_release(t);
	}
	t->rel_nr = 0;
}

static void release_add(struct player_task *t, uint64_t begin, uint64_t end)
{
	if (!t->rel_nr++ && !t->rel_marked)
		t->rel_begin = begin;
	t->rel_end = end;
	t->released = true;
	t->p->last_return_ps = zsr_max(t->p->last_return_ps, end);
}

static void play_mark(struct player_task *t, const struct zsr_feed_event *e)
{
	uint64_t now = t->p->vm->c->now;

	if (e->text >= t->p->feed.nr_texts)
		return;
	if (t->p->feed.text[e->text] == ZSR_TEXT_RELEASE_BEGIN) {
		release_close(t);
		t->rel_begin = now;
		t->rel_marked = true;
	} else if (t->p->feed.text[e->text] == ZSR_TEXT_RELEASE_END) {
		t->rel_end = now;
		release_close(t);
		t->rel_marked = false;
	}
}

/* ---- calls ------------------------------------------------------------------ */

static void play_malloc(struct player_task *t, const struct zsr_feed_event *e)
{
	struct player *p = t->p;
	uint64_t begin = p->vm->c->now;
	zsr_handle h = ZSR_OBJ_FAILED;

	p->vm->c->cur->mode = ZSR_MODE_STORE;
	if (zsr_pool_malloc(&p->pool[e->pool], e->size, &h)) {
		h = ZSR_OBJ_FAILED;
		p->run->v.malloc_failed++;
	}
	zsr_hist_add(p->run->hist[ZSR_HIST_malloc],
		     zsr_ps_to_ns(p->vm->c->now - begin));
	zsr_vm_sync(p->vm);
	if (zsr_objects_set(&p->objects, e->obj, h)) {
		zsr_err_nomem(&p->err, "object table");
		fail(p, -ENOMEM);
	}
	p->run->v.mallocs++;
	if (p->object_waiters)
		wake_all(p, &p->object_waiters);
}

/* The object's handle, once whoever allocates it has done so. */
static zsr_handle await_object(struct player_task *t, uint64_t obj)
{
	struct player *p = t->p;
	zsr_handle h;

	zsr_vm_sync(p->vm);
	while (!(h = zsr_objects_get(&p->objects, obj))) {
		outer_drop(t);
		zsr_vm_sync(p->vm);
		if (!zsr_objects_get(&p->objects, obj))
			wait_on(t, &p->object_waiters);
	}
	return h;
}

static bool is_deferrable(unsigned caller)
{
	return caller == ZSR_CALLER_UNKNOWN ||
	       caller == ZSR_CALLER_SWAP_RELEASE ||
	       caller == ZSR_CALLER_ZSWAP_INVALIDATE;
}

static void play_free(struct player_task *t, const struct zsr_feed_event *e)
{
	struct player *p = t->p;
	struct zsr_pool *pool = &p->pool[e->pool];
	struct zsr_machine *m = &p->vm->m;
	zsr_handle h = await_object(t, e->obj);
	uint64_t begin, end;

	zsr_objects_set(&p->objects, e->obj, ZSR_OBJ_ABSENT);
	if (h == ZSR_OBJ_FAILED)
		return;
	begin = p->vm->c->now;
	p->vm->c->cur->mode = ZSR_MODE_RELEASE;
	zsr_account_release_begins(&p->account, begin);
	outer_enter(t);
	/* The caller holds page-table and cluster locks throughout. */
	zsr_preempt_disable(m);
	zsr_charge(m, ZSR_COST_slot, 1);
	if (is_deferrable(e->caller))
		pool->policy->release(pool, h);
	else
		pool->policy->free_now(pool, h);
	zsr_preempt_enable(m);
	end = p->vm->c->now;
	zsr_hist_add(p->run->hist[ZSR_HIST_release], zsr_ps_to_ns(end - begin));
	release_add(t, begin, end);
	t->in_gap_ps = e->return_ns == e->entry_ns ? end - begin : 0;
	p->run->v.frees++;
	outer_leave(t);
}

static void play(struct player_task *t, const struct zsr_feed_event *e)
{
	if (!t->rel_marked &&
	    (e->kind != ZSR_EV_FREE || is_pause(t, recorded_gap(t, e))))
		release_close(t);
	if (e->kind != ZSR_EV_FREE)
		outer_drop(t);
	play_gap(t, e);
	t->in_gap_ps = 0;
	switch (e->kind) {
	case ZSR_EV_MALLOC:
		play_malloc(t, e);
		break;
	case ZSR_EV_FREE:
		play_free(t, e);
		break;
	case ZSR_EV_COMPACT:
		t->p->vm->c->cur->mode = ZSR_MODE_OTHER;
		zsr_pool_compact(&t->p->pool[e->pool]);
		break;
	case ZSR_EV_MARK:
		play_mark(t, e);
		break;
	}
	t->started = true;
	t->trace_ns = zsr_max(t->trace_ns, e->return_ns);
}

static void task_main(struct zsr_vm *vm, void *arg)
{
	struct player_task *t = arg;
	struct player *p = t->p;
	struct zsr_feed_event e;

	(void)vm;
	while (!p->error && next_event(t, &e)) {
		play(t, &e);
		event_done(p, &e);
	}
	outer_drop(t);
	release_close(t);
	if (!t->released)
		return;
	p->run->v.tasks++;
	p->caller_sum_ps += t->caller_ps;
	p->caller_max_ps = zsr_max(p->caller_max_ps, t->caller_ps);
}

/* ---- a run ------------------------------------------------------------------ */

static void teardown_main(struct zsr_vm *vm, void *arg)
{
	struct player *p = arg;
	unsigned i;

	vm->c->cur->mode = ZSR_MODE_TEARDOWN;
	for (i = 0; i < p->s->trace->nr_pools; i++)
		if (p->s->policy->flush)
			p->s->policy->flush(&p->pool[i]);
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
				    s->policy, s->params, &p->account, err);
		if (ret)
			return ret;
	}
	return 0;
}

static int tasks_init(struct player *p, struct zsr_err *err)
{
	uint32_t i, nr = p->s->trace->nr_tasks;

	p->task = calloc(nr + 1u, sizeof(*p->task));
	if (!p->task)
		return zsr_err_nomem(err, "tasks");
	for (i = 0; i < nr; i++) {
		p->task[i].p = p;
		p->task[i].row = i;
		p->task[i].vt = zsr_vm_spawn(p->vm, task_main, &p->task[i],
					     i, 0);
		if (!p->task[i].vt) {
			*err = p->vm->err;
			return p->vm->error;
		}
	}
	return 0;
}

static void machine_values(struct player *p)
{
	struct zsr_run_values *v = &p->run->v;
	uint64_t caller = 0, spin = 0, worker = 0, wspin = 0, queue = 0, gap = 0;
	unsigned i;

	for (i = 0; i < p->vm->m.nr_cpus; i++) {
		const struct zsr_vcpu *c = &p->vm->cpu[i];

		caller += c->busy[ZSR_MODE_RELEASE];
		spin += c->spin[ZSR_MODE_RELEASE];
		worker += c->busy[ZSR_MODE_WORKER];
		wspin += c->spin[ZSR_MODE_WORKER];
		queue += c->queueing;
		gap += c->busy[ZSR_MODE_GAP];
	}
	v->cpu_caller_ns = zsr_ps_to_ns(caller);
	v->cpu_spin_ns = zsr_ps_to_ns(spin);
	v->cpu_worker_ns = zsr_ps_to_ns(worker);
	v->cpu_worker_spin_ns = zsr_ps_to_ns(wspin);
	v->cpu_queueing_ns = zsr_ps_to_ns(queue);
	v->cpu_gap_ns = zsr_ps_to_ns(gap);
	v->switches = p->vm->switches;
	v->works_queued = p->vm->works_queued;
	v->works_run = p->vm->works_run;
	v->lock_contended = p->vm->locks_contended;
	v->lock_acquired = p->vm->locks_acquired;
	v->line_transfers = p->vm->line_transfers;
}

static int compare_release(const void *a, const void *b)
{
	const struct zsr_release *x = a, *y = b;

	if (x->begin_ns != y->begin_ns)
		return x->begin_ns < y->begin_ns ? -1 : 1;
	return (x->task > y->task) - (x->task < y->task);
}

static int collect(struct player *p, struct zsr_err *err)
{
	struct zsr_run_values *v = &p->run->v;
	unsigned i;

	machine_values(p);
	for (i = 0; i < p->s->trace->nr_pools; i++)
		v->fallbacks += p->pool[i].fallbacks;
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

/*
 * What must hold in every run, whatever the policy: CPU clocks add up, the
 * account's pages are the engines', nothing stays queued after the flush.
 */
static int check_invariants(struct player *p, struct zsr_err *err)
{
	uint64_t pages = 0;
	unsigned i, k;

	for (i = 0; i < p->vm->m.nr_cpus; i++) {
		const struct zsr_vcpu *c = &p->vm->cpu[i];
		uint64_t sum = c->idle + c->queueing;

		for (k = 0; k < ZSR_NR_MODES; k++)
			sum += c->busy[k] + c->spin[k];
		if (sum != c->now)
			return zsr_err_sys(err, EPROTO,
					   "CPU %u: busy, spin and idle time do "
					   "not add up",
					   i);
	}
	for (i = 0; i < p->s->trace->nr_pools; i++)
		pages += zsr_engine_pages(p->pool[i].e);
	if (pages != p->account.total_pages)
		return zsr_err_sys(err, EPROTO,
				   "page account differs from the engine's");
	if (p->account.depth)
		return zsr_err_sys(err, EPROTO,
				   "policy %s: entries stay queued after its "
				   "flush",
				   p->s->policy->name);
	return 0;
}

static int teardown(struct player *p, struct zsr_err *err)
{
	uint64_t begin = p->vm->end;
	int ret;

	if (!zsr_vm_spawn(p->vm, teardown_main, p, 0, begin)) {
		*err = p->vm->err;
		return p->vm->error;
	}
	ret = zsr_vm_run(p->vm, err);
	if (ret)
		return ret;
	p->run->v.teardown_ns = zsr_ps_to_ns(p->vm->end - begin);
	return check_invariants(p, err);
}

static void player_free(struct player *p)
{
	unsigned i;

	for (i = 0; p->pool && i < p->s->trace->nr_pools; i++)
		zsr_pool_destroy(&p->pool[i]);
	free(p->pool);
	free(p->task);
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
				  setup->trace->name, setup->policy->name) :
		     0;
}
