// SPDX-License-Identifier: GPL-2.0-only
/* The tasks of a replay on threads and the calls they make. */
#include <errno.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

#include "replay/host_player_private.h"
#include "replay/objects.h"

/* Looks at something that another task is about to do, before sleeping. */
#define LOOKS     20000
#define NAP_NS    20000
#define NEARLY_NS 200000 /* a recorded time is awaited awake from here on */

static void fail(struct host_player *p, int error)
{
	int none = 0;

	__atomic_compare_exchange_n(&p->error, &none, error, false,
				    __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

static bool failed(const struct host_player *p)
{
	return __atomic_load_n(&p->error, __ATOMIC_RELAXED);
}

/* ---- the outer lock ---------------------------------------------------------- */

static void outer_enter(struct host_task *t)
{
	if (t->p->s->common.outer != ZSR_OUTER_DEVICE)
		return;
	if (!t->in_batch++)
		zsr_spin_lock(&t->p->h->m, &t->p->outer);
}

static void outer_drop(struct host_task *t)
{
	if (!t->in_batch)
		return;
	t->in_batch = 0;
	zsr_spin_unlock(&t->p->h->m, &t->p->outer);
}

/* The thread is the first member of its task. */
void zsr_host_enter_swap(struct zsr_pool *pool)
{
	(void)pool;
	outer_enter((struct host_task *)zsr_host_self);
}

/* ---- waiting ------------------------------------------------------------------- */

static void nap(uint64_t ns)
{
	const struct timespec ts = { .tv_sec = (time_t)(ns / 1000000000),
				     .tv_nsec = (long)(ns % 1000000000) };

	nanosleep(&ts, NULL);
}

/* Until the word has at least the value, or the run has failed. */
static uint32_t await(struct host_task *t, const uint32_t *word, uint32_t least)
{
	uint32_t seen = 0;
	unsigned i;

	for (i = 0; i < LOOKS; i++) {
		seen = __atomic_load_n(word, __ATOMIC_ACQUIRE);
		if (seen >= least)
			return seen;
		zsr_host_relax();
	}
	outer_drop(t);
	zsr_host_block(&t->self);
	while ((seen = __atomic_load_n(word, __ATOMIC_ACQUIRE)) < least &&
	       !failed(t->p))
		nap(NAP_NS);
	zsr_host_unblock(&t->self);
	return seen;
}

/* Everything of the task's epoch is done; the next one may begin with it. */
static void epoch_leave(struct host_task *t)
{
	struct host_player *p = t->p;
	uint32_t now = 0, nr = p->s->calls->nr_epochs;

	if (t->epoch == UINT32_MAX)
		return;
	__atomic_sub_fetch(&p->epoch_left[t->epoch], 1, __ATOMIC_SEQ_CST);
	now = __atomic_load_n(&p->epoch_now, __ATOMIC_SEQ_CST);
	while (now + 1 < nr &&
	       !__atomic_load_n(&p->epoch_left[now], __ATOMIC_SEQ_CST))
		if (__atomic_compare_exchange_n(&p->epoch_now, &now, now + 1,
						false, __ATOMIC_SEQ_CST,
						__ATOMIC_SEQ_CST))
			now++;
}

static void epoch_enter(struct host_task *t, uint32_t epoch)
{
	epoch_leave(t);
	t->epoch = epoch;
	await(t, &t->p->epoch_now, epoch);
}

static void await_time(struct host_task *t, uint64_t at_ns)
{
	const struct zsr_clock *clock = &t->p->h->clock;
	uint64_t at = t->p->start_ticks + zsr_ns_ticks(clock, at_ns), now, ns;

	now = zsr_ticks();
	ns = now < at ? zsr_ticks_ps(clock, at - now) / 1000 : 0;
	if (ns > NEARLY_NS) {
		outer_drop(t);
		zsr_host_block(&t->self);
		nap(ns - NEARLY_NS / 2);
		zsr_host_unblock(&t->self);
	}
	while (zsr_ticks() < at)
		zsr_cond_resched(&t->p->h->m);
}

/* ---- releases --------------------------------------------------------------------- */

static void release_begins(struct host_task *t, uint64_t begin, uint32_t nr)
{
	const struct zsr_player_setup *s = &t->p->s->common;
	unsigned i;

	t->rel_begin = begin;
	t->rel_nr = nr;
	if (!t->first_release)
		t->first_release = begin;
	if (!(s->policy->flags & ZSR_POLICY_GATED))
		return;
	t->releaser.objects = nr;
	__atomic_add_fetch(&t->p->nr_releasing, 1, __ATOMIC_RELAXED);
	for (i = 0; s->policy->release_begins && i < s->trace->nr_pools; i++)
		s->policy->release_begins(&t->p->pool[i], &t->releaser);
}

static void gate_leave(struct host_task *t)
{
	const struct zsr_player_setup *s = &t->p->s->common;
	unsigned i;

	if (!(s->policy->flags & ZSR_POLICY_GATED))
		return;
	for (i = 0; s->policy->release_ends && i < s->trace->nr_pools; i++)
		s->policy->release_ends(&t->p->pool[i], &t->releaser);
	__atomic_sub_fetch(&t->p->nr_releasing, 1, __ATOMIC_RELAXED);
}

static void release_ended(struct host_task *t, uint64_t end)
{
	t->release[t->nr_releases++] = (struct host_release){ t->rel_begin, end,
							      t->rel_nr };
	t->last_return = end;
}

/* ---- calls ------------------------------------------------------------------------ */

static void add_time(struct host_task *t, struct zsr_hist *hist, uint64_t ticks)
{
	zsr_hist_add(hist, (zsr_ticks_ps(&t->p->h->clock, ticks) + 500) / 1000);
}

/* What the call took, less what reading the clock does. */
static uint64_t taken(const struct host_task *t, uint64_t begin, uint64_t end)
{
	uint64_t ticks = end - begin, overhead = t->p->h->clock.overhead;

	return ticks - zsr_min(ticks, overhead);
}

static void play_malloc(struct host_task *t, const struct zsr_host_call *c)
{
	struct zsr_host_counts *counts = &t->self.counts;
	uint64_t spin = counts->spin, queueing = counts->queueing;
	struct zsr_pool *pool = &t->p->pool[c->pool];
	uint32_t place = ZSR_OBJ_FAILED;
	int64_t slot = -1;
	uint64_t begin;
	zsr_handle h;

	begin = zsr_ticks();
	if (zsr_pool_malloc(pool, c->arg, &h)) {
		t->malloc_failed++;
	} else {
		slot = zsr_pool_slot_store(pool, h);
		if (slot < 0)
			fail(t->p, (int)slot);
		else
			place = ZSR_OBJ_SLOT((uint32_t)slot);
	}
	add_time(t, &t->malloc_hist, taken(t, begin, zsr_ticks()));
	t->mallocs++;
	__atomic_store_n(&t->p->place[c->obj], place, __ATOMIC_RELEASE);
	t->spin_elsewhere += counts->spin - spin;
	t->queueing_elsewhere += counts->queueing - queueing;
}

static void play_free(struct host_task *t, const struct zsr_host_call *c)
{
	struct host_player *p = t->p;
	struct zsr_pool *pool = &p->pool[c->pool];
	const struct zsr_policy *policy = pool->policy;
	uint32_t slot, place = await(t, &p->place[c->obj], 1);
	bool defers = c->flags & ZSR_HOST_DEFERS;
	uint64_t begin, end;

	if (__builtin_expect(failed(p), 0))
		return;
	if (!defers || !(policy->flags & ZSR_POLICY_ENTRIES))
		outer_enter(t);
	slot = ZSR_OBJ_SLOT_OF(place);
	/* The caller holds page-table and cluster locks throughout. */
	zsr_host_preempt_off(&t->self);
	begin = zsr_ticks();
	t->self.stamp = begin;
	if (c->flags & ZSR_HOST_FIRST)
		release_begins(t, begin, c->arg);
	if (__builtin_expect(place == ZSR_OBJ_FAILED, 0))
		;
	else if (defers)
		policy->release(pool, &t->releaser, slot);
	else
		policy->free_now(pool, zsr_pool_slot_take(pool, slot));
	if (c->flags & ZSR_HOST_LAST)
		gate_leave(t);
	end = zsr_ticks();
	t->self.stamp = 0;
	zsr_host_preempt_on(&t->self);
	if (c->flags & ZSR_HOST_LAST)
		release_ended(t, end);
	if (place == ZSR_OBJ_FAILED)
		return;
	end = taken(t, begin, end);
	t->in_release += end;
	add_time(t, &t->release_hist, end);
	t->frees++;
	if (!defers || !(policy->flags & ZSR_POLICY_ENTRIES))
		zsr_pool_slot_put(pool, slot);
}

static void play_compact(struct host_task *t, const struct zsr_host_call *c)
{
	struct zsr_host_counts *counts = &t->self.counts;
	uint64_t spin = counts->spin, begin = zsr_ticks();

	zsr_pool_compact(&t->p->pool[c->pool]);
	t->in_compact += zsr_ticks() - begin;
	t->spin_elsewhere += counts->spin - spin;
}

/* The device lock is kept over a run of releases. */
static void outer_leave(struct host_task *t, const struct zsr_host_call *c,
			const struct zsr_host_call *end)
{
	if (t->in_batch >= ZSR_SWAP_BATCH || c + 1 == end ||
	    c->flags & ZSR_HOST_LAST || c[1].kind != ZSR_HOST_FREE)
		outer_drop(t);
}

static void play(struct host_task *t, const struct zsr_host_call *c)
{
	switch (c->kind) {
	case ZSR_HOST_MALLOC:
		play_malloc(t, c);
		break;
	case ZSR_HOST_FREE:
		play_free(t, c);
		break;
	case ZSR_HOST_COMPACT:
		play_compact(t, c);
		break;
	case ZSR_HOST_EPOCH:
		epoch_enter(t, c->arg);
		break;
	}
}

static void play_all(struct host_task *t)
{
	const struct zsr_host_call *c = t->calls->call, *end = c + t->calls->nr;
	bool recorded = t->p->s->common.arrival == ZSR_ARRIVAL_RECORDED;

	for (; c < end && !failed(t->p); c++) {
		if (recorded && c->kind != ZSR_HOST_EPOCH)
			await_time(t, c->at_ns);
		play(t, c);
		if (t->in_batch)
			outer_leave(t, c, end);
	}
	outer_drop(t);
	epoch_leave(t);
}

void *zsr_host_task_main(void *arg)
{
	struct host_task *t = arg;

	prctl(PR_SET_TIMERSLACK, 1);
	while (sem_wait(&t->p->start))
		;
	zsr_host_enter(t->p->h, &t->self);
	play_all(t);
	zsr_host_leave(&t->self);
	return NULL;
}
