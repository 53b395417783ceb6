// SPDX-License-Identifier: GPL-2.0-only
/*
 * The player: every task of the trace is a task of the machine that makes its
 * calls in program order, with the trace's or the profile's gaps between them.
 */
#include <stdlib.h>
#include <string.h>

#include "replay/player_private.h"

/* Runs of frees that are told apart in the record. */
#define LISTED_RELEASE 32

static void fail(struct player *p, int error)
{
	if (!p->error)
		p->error = error;
	p->vm->error = p->error;
	p->vm->err = p->err;
}

static void task_main(struct zsr_vm *vm, void *arg);

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

/*
 * Places in the trace of each task's first event that is read and not played,
 * as a tree of minima: a task's is at nr_tasks + row, a parent at half its
 * children's index, the least of all at 1.
 */
static void place_set(struct player *p, uint32_t row, uint64_t seq)
{
	size_t i = (size_t)p->feed.nr_tasks + row;

	p->place[i] = seq;
	while (i /= 2)
		p->place[i] = zsr_min(p->place[2 * i], p->place[2 * i + 1]);
}

/* Everything before this place in the trace has been played. */
static uint64_t played_up_to(const struct player *p)
{
	return zsr_min(p->feed.read, p->place[1]);
}

/* T need not wait for the window any more: its next event is read. */
static void wake_reader(struct player_task *t)
{
	struct player_task **link = &t->p->window_waiters;

	while (*link && *link != t)
		link = &(*link)->next_waiter;
	if (!*link)
		return;
	*link = t->next_waiter;
	zsr_vm_resume(t->p->vm, t->vt);
}

/* Read on; a task whose first event this is starts now. */
static int read_on(struct player *p)
{
	uint64_t now = p->vm->c ? p->vm->c->now : 0;
	struct player_task *t;
	uint32_t row;
	int ret = zsr_feed_read(&p->feed, &row, &p->err);

	if (!ret)
		wake_all(p, &p->window_waiters);
	if (ret <= 0)
		return ret;
	t = &p->task[row];
	if (p->place[p->feed.nr_tasks + row] == UINT64_MAX)
		place_set(p, row, p->feed.read - 1);
	if (t->p) {
		wake_reader(t);
		return ret;
	}
	t->p = p;
	t->row = row;
	t->releaser.task = row;
	t->vt = zsr_vm_spawn(p->vm, task_main, t, row, now);
	if (!t->vt) {
		p->err = p->vm->err;
		return p->vm->error;
	}
	return ret;
}

int zsr_player_start(struct player *p)
{
	int ret = read_on(p);

	return ret < 0 ? ret : 0;
}

/*
 * Read as far as the task's event after the one it is about to play, within
 * the window: who has its first event before that starts in time, and a run of
 * releases is seen to go on.
 */
static int look_ahead(struct player_task *t)
{
	int ret = 1;

	while (ret > 0 && !zsr_feed_peek(&t->p->feed, t->row))
		ret = read_on(t->p);
	return ret == -EAGAIN ? 0 : ret;
}

/* The task's next event, once its turn has come; false at its end. */
static bool next_event(struct player_task *t, struct zsr_feed_event *e)
{
	struct player *p = t->p;
	const struct zsr_feed_event *peek;
	int ret;

	while (!(peek = zsr_feed_peek(&p->feed, t->row))) {
		ret = read_on(p);
		if (!ret)
			return false;
		if (ret == -EAGAIN) {
			zsr_vm_sync(p->vm);
			if (p->feed.outstanding >= p->feed.window)
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
	t->seq = e->seq;
	ret = look_ahead(t);
	if (ret < 0)
		fail(p, ret);
	return ret >= 0;
}

void zsr_player_await_turn(struct player_task *t)
{
	struct player_task **link = &t->p->turn_waiters;

	zsr_vm_sync(t->p->vm);
	if (played_up_to(t->p) >= t->seq)
		return;
	while (*link && (*link)->seq < t->seq)
		link = &(*link)->next_waiter;
	wait_on(t, link);
}

/* Whose turn it is now: at most one, the first in line. */
static void wake_turn(struct player *p)
{
	struct player_task *t = p->turn_waiters;

	if (t->seq > played_up_to(p))
		return;
	p->turn_waiters = t->next_waiter;
	zsr_vm_resume(p->vm, t->vt);
}

static void event_done(struct player_task *t, const struct zsr_feed_event *e)
{
	struct player *p = t->p;
	const struct zsr_feed_event *next;

	if (p->s->progress && !(++p->played & 0xffff))
		zsr_progress_at(p->s->progress, p->played);
	if (p->turn_waiters || p->feed.epoch_now < p->feed.epoch_read)
		zsr_vm_sync(p->vm);
	next = zsr_feed_peek(&p->feed, t->row);
	place_set(p, t->row, next ? next->seq : UINT64_MAX);
	if (p->turn_waiters)
		wake_turn(p);
	if (zsr_feed_done(&p->feed, e))
		wake_all(p, &p->epoch_waiters);
	/* One reads on for all. */
	if (p->window_waiters && p->feed.outstanding < p->feed.window / 2)
		wake_reader(p->window_waiters);
}

/* ---- the outer lock ------------------------------------------------------ */

static void outer_enter(struct player_task *t)
{
	if (t->p->s->outer == ZSR_OUTER_DEVICE && !t->in_batch)
		zsr_spin_lock(&t->p->vm->m, &t->p->outer);
	t->entered = t->p->s->outer == ZSR_OUTER_DEVICE;
	t->in_batch += t->entered;
}

void zsr_player_enter_swap(struct zsr_pool *pool)
{
	outer_enter(zsr_vm_current(zsr_vm_of(pool->m))->arg);
}

static void release_ends(struct player_task *t, uint64_t ps)
{
	t->rel_end = ps;
	t->p->last_return_ps = zsr_max(t->p->last_return_ps, ps);
}

/* Gaps that are made up for now were between the releases: they belong to the
 * run, and to its caller's time. */
static void outer_drop(struct player_task *t)
{
	uint64_t debt = t->debt;

	if (!t->in_batch)
		return;
	t->in_batch = 0;
	t->debt = 0;
	zsr_spin_unlock(&t->p->vm->m, &t->p->outer);
	zsr_vm_mode(t->p->vm, ZSR_MODE_GAP);
	zsr_vm_compute(t->p->vm, debt);
	if (debt && t->rel_nr)
		release_ends(t, t->p->vm->c->now);
}

/* The device lock is kept while the task's next call is the next release of
 * the same run. A release that did not take it, or ended without, ends it. */
static void outer_leave(struct player_task *t)
{
	const struct zsr_feed_event *next = zsr_feed_peek(&t->p->feed, t->row);

	if (!t->in_batch)
		return;
	if (t->entered && t->in_batch < ZSR_SWAP_BATCH && next &&
	    next->kind == ZSR_EV_FREE && next->epoch <= t->p->feed.epoch_now &&
	    !zsr_player_is_pause(t, zsr_release_gap(&t->at, next)))
		return;
	outer_drop(t);
}

/* ---- releases ------------------------------------------------------------- */

static void record_release(struct player_task *t)
{
	const struct zsr_release r = {
		.begin_ns = zsr_ps_to_ns(t->rel_begin),
		.end_ns = zsr_ps_to_ns(t->rel_end),
		.nr = t->rel_nr,
		.task = t->row,
	};

	if (t->rel_nr >= LISTED_RELEASE &&
	    zsr_release_keep(t->p->run, &t->p->cap_releases, &r)) {
		zsr_err_nomem(&t->p->err, "releases");
		fail(t->p, -ENOMEM);
	}
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
	if (!t->rel_nr++ && !t->at.marked)
		t->rel_begin = begin;
	t->released = true;
	release_ends(t, end);
}

static void play_mark(struct player_task *t, const struct zsr_feed_event *e)
{
	uint64_t now = t->p->vm->c->now;
	struct zsr_account *a = &t->p->account;

	zsr_overtime_mark(&a->overtime, e->obj, a->total_pages);
	if (e->meaning == ZSR_TEXT_RELEASE_BEGIN) {
		t->rel_begin = now;
	} else if (e->meaning == ZSR_TEXT_RELEASE_END) {
		t->rel_end = now;
		release_close(t);
	}
}

/* ---- calls ------------------------------------------------------------------ */

static int64_t store(struct player_task *t, unsigned pool, zsr_handle h)
{
	int64_t slot;

	zsr_vm_sync(t->p->vm);
	zsr_vm_mode(t->p->vm, ZSR_MODE_REUSE);
	slot = zsr_pool_slot_store(&t->p->pool[pool], h);
	zsr_vm_mode(t->p->vm, ZSR_MODE_STORE);
	if (slot < 0) {
		zsr_err_sys(&t->p->err, (int)-slot, "slots");
		fail(t->p, (int)slot);
	}
	return slot;
}

static void play_malloc(struct player_task *t, const struct zsr_feed_event *e)
{
	struct player *p = t->p;
	uint64_t begin = p->vm->c->now;
	int64_t slot = -1;
	zsr_handle h;

	zsr_vm_mode(p->vm, ZSR_MODE_STORE);
	if (zsr_pool_malloc(&p->pool[e->pool], e->size, &h))
		p->run->v.malloc_failed++;
	else
		slot = store(t, e->pool, h);
	zsr_hist_add(p->run->hist[ZSR_HIST_malloc],
		     zsr_ps_to_ns(p->vm->c->now - begin));
	if (!e->dur_ns)
		t->store_ps = p->vm->c->now - begin;
	zsr_vm_sync(p->vm);
	if (zsr_objects_set(&p->objects, e->obj,
			    slot < 0 ? ZSR_OBJ_FAILED
				     : ZSR_OBJ_SLOT((uint32_t)slot))) {
		zsr_err_nomem(&p->err, "object table");
		fail(p, -ENOMEM);
	}
	p->run->v.mallocs++;
	if (p->object_waiters)
		wake_all(p, &p->object_waiters);
}

/* Where the object lies, once whoever stores it has done so. */
static uint32_t await_object(struct player_task *t, uint64_t obj)
{
	struct player *p = t->p;
	uint32_t place;

	zsr_vm_sync(p->vm);
	while (!(place = zsr_objects_get(&p->objects, obj))) {
		outer_drop(t);
		zsr_vm_sync(p->vm);
		if (!zsr_objects_get(&p->objects, obj))
			wait_on(t, &p->object_waiters);
	}
	return place;
}

/* Tell a gated policy of a release that begins with this free. */
static void gate_enter(struct player_task *t)
{
	const struct zsr_player_setup *s = t->p->s;
	const struct zsr_release_list *l;
	unsigned i;

	if (!(s->policy->flags & ZSR_POLICY_GATED) || t->rel_left)
		return;
	l = &s->releases->task[t->row];
	t->rel_left = l->objects[t->rel_next++];
	t->releaser.objects = t->rel_left;
	zsr_vm_sync(t->p->vm);
	t->p->nr_releasing++;
	for (i = 0; s->policy->release_begins && i < s->trace->nr_pools; i++)
		s->policy->release_begins(&t->p->pool[i], &t->releaser);
}

/* And of its end, when this free was its last. */
static void gate_leave(struct player_task *t)
{
	const struct zsr_player_setup *s = t->p->s;
	unsigned i;

	if (!(s->policy->flags & ZSR_POLICY_GATED) || --t->rel_left)
		return;
	for (i = 0; s->policy->release_ends && i < s->trace->nr_pools; i++)
		s->policy->release_ends(&t->p->pool[i], &t->releaser);
	zsr_vm_sync(t->p->vm);
	t->p->nr_releasing--;
}

static bool is_deferrable(unsigned caller)
{
	return caller == ZSR_CALLER_UNKNOWN ||
	       caller == ZSR_CALLER_SWAP_RELEASE ||
	       caller == ZSR_CALLER_ZSWAP_INVALIDATE;
}

/* The release itself, in its caller; which part is done now is the policy's
 * business. */
static void release(struct player_task *t, const struct zsr_feed_event *e,
		    uint32_t slot)
{
	struct zsr_pool *pool = &t->p->pool[e->pool];
	const struct zsr_policy *policy = pool->policy;

	gate_enter(t);
	if (is_deferrable(e->caller)) {
		policy->release(pool, &t->releaser, slot);
		/* What still lies in it must not be met before its time. */
		if (pool->slot[slot].pending)
			zsr_vm_sync(t->p->vm);
		if (!(policy->flags & ZSR_POLICY_ENTRIES))
			zsr_pool_slot_put(pool, slot);
	} else {
		policy->free_now(pool, zsr_pool_slot_take(pool, slot));
		zsr_pool_slot_put(pool, slot);
	}
	gate_leave(t);
}

/* An object that could not be stored is not released, but what a policy does at
 * the begin and the end of a release it does as part of it. */
static void play_missing(struct player_task *t)
{
	struct zsr_vm *vm = t->p->vm;

	if (!(t->p->s->policy->flags & ZSR_POLICY_GATED))
		return;
	zsr_vm_mode(vm, ZSR_MODE_RELEASE);
	if (!(t->p->s->policy->flags & ZSR_POLICY_ENTRIES))
		outer_enter(t);
	zsr_preempt_disable(&vm->m);
	gate_enter(t);
	gate_leave(t);
	zsr_preempt_enable(&vm->m);
	if (t->rel_nr)
		release_ends(t, vm->c->now);
}

static void play_free(struct player_task *t, const struct zsr_feed_event *e)
{
	struct player *p = t->p;
	struct zsr_machine *m = &p->vm->m;
	uint32_t place = await_object(t, e->obj);
	uint64_t begin, end;
	bool first;

	zsr_objects_set(&p->objects, e->obj, ZSR_OBJ_ABSENT);
	if (place == ZSR_OBJ_FAILED) {
		play_missing(t);
		return;
	}
	begin = p->vm->c->now;
	zsr_vm_mode(p->vm, ZSR_MODE_RELEASE);
	first = !p->account.releasing;
	zsr_account_release_begins(&p->account,
				   t->at.marked ? t->rel_begin : begin);
	if (first) {
		zsr_breakdown_begin(p);
		zsr_load_start(p);
	}
	/* Who queues entries is in the swap core only when it frees one. */
	if (!(p->s->policy->flags & ZSR_POLICY_ENTRIES) ||
	    !is_deferrable(e->caller))
		outer_enter(t);
	/* The caller holds page-table and cluster locks throughout. */
	zsr_preempt_disable(m);
	release(t, e, ZSR_OBJ_SLOT_OF(place));
	end = p->vm->c->now;
	zsr_preempt_enable(m);
	zsr_hist_add(p->run->hist[ZSR_HIST_release], zsr_ps_to_ns(end - begin));
	zsr_overtime_release(&p->account.overtime, end,
			     zsr_ps_to_ns(end - begin));
	release_add(t, begin, end);
	t->in_gap_ps = e->dur_ns ? 0 : end - begin;
	p->run->v.frees++;
}

static void play(struct player_task *t, const struct zsr_feed_event *e)
{
	if (zsr_release_parts(&t->at, e, zsr_player_pause_ns(t->p)))
		release_close(t);
	zsr_player_gap(t, e);
	t->in_gap_ps = 0;
	t->entered = false;
	switch (e->kind) {
	case ZSR_EV_MALLOC:
		play_malloc(t, e);
		break;
	case ZSR_EV_FREE:
		play_free(t, e);
		break;
	case ZSR_EV_COMPACT:
		zsr_vm_mode(t->p->vm, ZSR_MODE_COMPACT);
		zsr_pool_compact(&t->p->pool[e->pool]);
		break;
	case ZSR_EV_MARK:
		play_mark(t, e);
		break;
	}
	t->started = true;
	zsr_release_passed(&t->at, e);
	outer_leave(t);
	t->done_ps = t->p->vm->c->now;
}

static void task_main(struct zsr_vm *vm, void *arg)
{
	struct player_task *t = arg;
	struct player *p = t->p;
	struct zsr_feed_event e;

	(void)vm;
	while (!p->error && next_event(t, &e)) {
		play(t, &e);
		event_done(t, &e);
	}
	release_close(t);
	if (!t->released)
		return;
	p->run->v.tasks++;
	p->caller_sum_ps += t->caller_ps;
	p->caller_max_ps = zsr_max(p->caller_max_ps, t->caller_ps);
}
