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

#define ZSR_ALWAYS inline __attribute__((always_inline))

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

static ZSR_ALWAYS void outer_enter(struct host_task *t)
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
	zsr_host_delay(&t->self);
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
	if (!t->first_release) {
		t->first_release = begin;
		__atomic_store_n(&t->p->begun, true, __ATOMIC_RELEASE);
	}
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

/* What a call took, less what reading the clock does. */
static uint64_t taken(const struct zsr_clock *clock, uint64_t ticks)
{
	return ticks - zsr_min(ticks, clock->overhead);
}

static uint64_t ticks_ns(const struct zsr_clock *clock, uint64_t ticks)
{
	return (zsr_ticks_ps(clock, ticks) + 500) / 1000;
}

/* What took longest while the system had the CPU is what it took it from. */
static void note_displaced(struct host_task *t)
{
	uint64_t most = 0;
	unsigned i;

	for (i = 0; i < t->nr_samples; i++)
		most = zsr_max(most, t->sample[i]);
	t->in_displaced += most;
	t->nr_displaced++;
	zsr_host_watch(&t->self);
}

/* Many at once: one after the other each would wait for the one before. */
static __attribute__((noinline)) void samples_add(struct host_task *t)
{
	const struct zsr_clock *clock = &t->p->h->clock;
	struct zsr_hist *hist = &t->release_hist;
	uint64_t ticks, ns, sum = 0, sum_ns = 0;
	uint64_t min = hist->min, max = hist->max;
	unsigned i;

	if (zsr_host_displaced(&t->self))
		note_displaced(t);
	for (i = 0; i < t->nr_samples; i++) {
		ticks = taken(clock, t->sample[i]);
		ns = ticks_ns(clock, ticks);
		sum += ticks;
		sum_ns += ns;
		min = zsr_min(min, ns);
		max = zsr_max(max, ns);
		hist->bucket[zsr_hist_index(ns)]++;
	}
	hist->min = min;
	hist->max = max;
	hist->count += t->nr_samples;
	hist->sum += sum_ns;
	t->in_release += sum;
	t->frees += t->nr_samples;
	t->nr_samples = 0;
}

static uint64_t ticks_ns_of_call(const struct host_task *t, uint64_t ticks)
{
	const struct zsr_clock *clock = &t->p->h->clock;

	return ticks_ns(clock, taken(clock, ticks));
}

/* What the store finds in its slot, and must free, counts apart. */
static uint32_t store(struct host_task *t, const struct zsr_host_call *c,
		      zsr_handle h, uint64_t *took)
{
	const struct zsr_leaf *leaf =
		&((struct zsr_record *)t->self.record)->leaf[c->pool];
	uint64_t reused = leaf->reused, begin = zsr_ticks();
	int64_t slot = zsr_pool_slot_store(&t->p->pool[c->pool], h);
	uint64_t ticks = taken(&t->p->h->clock, zsr_ticks() - begin);

	*took += ticks;
	if (leaf->reused != reused)
		t->in_reuse += ticks;
	if (slot >= 0)
		return ZSR_OBJ_SLOT((uint32_t)slot);
	fail(t->p, (int)slot);
	return ZSR_OBJ_FAILED;
}

static void play_malloc(struct host_task *t, const struct zsr_host_call *c)
{
	const struct zsr_clock *clock = &t->p->h->clock;
	struct zsr_host_counts *counts = &t->self.counts;
	uint64_t spin = counts->spin, queueing = counts->queueing;
	uint32_t place = ZSR_OBJ_FAILED;
	uint64_t took = zsr_ticks();
	zsr_handle h;
	int ret;

	ret = zsr_pool_malloc(&t->p->pool[c->pool], c->arg, &h);
	took = taken(clock, zsr_ticks() - took);
	if (ret)
		t->malloc_failed++;
	else
		place = store(t, c, h, &took);
	zsr_hist_add(&t->malloc_hist, ticks_ns(clock, took));
	t->mallocs++;
	if (t->p->s->probes)
		t->p->s->probes->malloc(c->pool, c->obj, c->arg, ret,
					ticks_ns(clock, took));
	__atomic_store_n(&t->p->place[c->obj], place, __ATOMIC_RELEASE);
	t->spin_elsewhere += counts->spin - spin;
	t->queueing_elsewhere += counts->queueing - queueing;
}

/* What lies at PLACE, by the policy. */
static ZSR_ALWAYS void release(struct host_task *t, struct zsr_pool *pool,
			       const struct zsr_host_call *c, uint32_t place)
{
	uint32_t slot = ZSR_OBJ_SLOT_OF(place);

	if (__builtin_expect(place == ZSR_OBJ_FAILED, 0))
		return;
	if (c->flags & ZSR_HOST_DEFERS)
		pool->policy->release(pool, &t->releaser, slot);
	else
		pool->policy->free_now(pool, zsr_pool_slot_take(pool, slot));
}

/* The device lock is kept over a run of releases. */
static void outer_leave(struct host_task *t, const struct zsr_host_call *c,
			const struct zsr_host_call *end)
{
	if (t->in_batch >= ZSR_SWAP_BATCH || c + 1 == end ||
	    c->flags & ZSR_HOST_LAST || c[1].kind != ZSR_HOST_FREE)
		outer_drop(t);
}

/* Somebody else is to run, or the object is not stored yet. */
static __attribute__((noinline)) uint32_t pause_frees(struct host_task *t,
						      const uint32_t *place)
{
	uint32_t seen;

	t->self.stamp = 0;
	zsr_host_preempt_on(&t->self);
	seen = await(t, place, 1);
	zsr_host_preempt_off(&t->self);
	return seen;
}

static bool is_wanted(const struct host_task *t)
{
	return __atomic_load_n(&t->p->h->cpu[t->self.cpu].resched,
			       __ATOMIC_RELAXED);
}

/*
 * The run of frees from C on; returns its end. The caller of a release holds
 * page-table and cluster locks throughout: preemption is off, and here, where
 * every instruction counts, it is on only when somebody wants it to be. Without
 * PROBES, which is known when this is compiled, nothing is left of them.
 */
static ZSR_ALWAYS const struct zsr_host_call *frees(
	struct host_task *t, const struct zsr_host_call *c,
	const struct zsr_host_call *end, const struct zsr_probes *probes)
{
	struct host_player *p = t->p;
	bool entries = p->s->common.policy->flags & ZSR_POLICY_ENTRIES;
	struct zsr_leaf *leaf = ((struct zsr_record *)t->self.record)->leaf;
	uint32_t place, *places = p->place;
	struct zsr_pool *pools = p->pool;
	uint64_t begin, then;
	bool swap_first;

	zsr_host_preempt_off(&t->self);
	for (; c < end && c->kind == ZSR_HOST_FREE; c++) {
		place = __atomic_load_n(&places[c->obj], __ATOMIC_ACQUIRE);
		if (__builtin_expect(!place || is_wanted(t), 0))
			place = pause_frees(t, &places[c->obj]);
		if (__builtin_expect(!place, 0)) /* the run has failed */
			break;
		/* Who queues entries is in the swap core only when it frees. */
		swap_first = !entries || !(c->flags & ZSR_HOST_DEFERS);
		if (swap_first)
			outer_enter(t);
		if (probes && place != ZSR_OBJ_FAILED)
			probes->free_begin(c->pool, c->obj);
		begin = zsr_ticks();
		t->self.stamp = begin;
		if (__builtin_expect(c->flags & ZSR_HOST_FIRST, 0))
			release_begins(t, begin, c->arg);
		release(t, &pools[c->pool], c, place);
		if (__builtin_expect(c->flags & ZSR_HOST_LAST, 0))
			gate_leave(t);
		then = zsr_ticks();
		if (probes && place != ZSR_OBJ_FAILED)
			probes->free_end(c->pool, c->obj,
					 ticks_ns_of_call(t, then - begin));
		if (__builtin_expect(c->flags & ZSR_HOST_LAST, 0))
			release_ended(t, then);
		if (__builtin_expect(t->in_batch, 0))
			outer_leave(t, c, end);
		if (__builtin_expect(place == ZSR_OBJ_FAILED, 0))
			continue;
		if (swap_first)
			zsr_host_slot_put(&leaf[c->pool],
					  ZSR_OBJ_SLOT_OF(place));
		t->sample[t->nr_samples++] = then - begin;
		if (__builtin_expect(t->nr_samples == HOST_SAMPLES, 0))
			samples_add(t);
	}
	t->self.stamp = 0;
	zsr_host_preempt_on(&t->self);
	return c;
}

static __attribute__((noinline)) const struct zsr_host_call *frees_probed(
	struct host_task *t, const struct zsr_host_call *c,
	const struct zsr_host_call *end)
{
	return frees(t, c, end, t->p->s->probes);
}

static const struct zsr_host_call *play_frees(struct host_task *t,
					      const struct zsr_host_call *c,
					      const struct zsr_host_call *end)
{
	if (__builtin_expect(t->p->s->probes != NULL, 0))
		return frees_probed(t, c, end);
	return frees(t, c, end, NULL);
}

static void play_compact(struct host_task *t, const struct zsr_host_call *c)
{
	const struct zsr_probes *probes = t->p->s->probes;
	struct zsr_host_counts *counts = &t->self.counts;
	uint64_t spin = counts->spin, begin, pages;

	if (probes)
		probes->compact_begin(c->pool);
	begin = zsr_ticks();
	pages = zsr_pool_compact(&t->p->pool[c->pool]);
	t->in_compact += zsr_ticks() - begin;
	if (probes)
		probes->compact_end(c->pool, pages);
	t->spin_elsewhere += counts->spin - spin;
}

static const struct zsr_host_call *play(struct host_task *t,
					const struct zsr_host_call *c,
					const struct zsr_host_call *end)
{
	switch (c->kind) {
	case ZSR_HOST_MALLOC:
		play_malloc(t, c);
		break;
	case ZSR_HOST_FREE:
		return play_frees(t, c, end);
	case ZSR_HOST_COMPACT:
		play_compact(t, c);
		break;
	case ZSR_HOST_EPOCH:
		epoch_enter(t, c->arg);
		break;
	}
	return c + 1;
}

static void play_all(struct host_task *t)
{
	const struct zsr_host_call *c = t->calls->call, *end = c + t->calls->nr;
	bool recorded = t->p->s->common.arrival == ZSR_ARRIVAL_RECORDED;

	while (c < end && !failed(t->p)) {
		if (recorded && c->kind != ZSR_HOST_EPOCH)
			await_time(t, c->at_ns);
		c = play(t, c, recorded ? c + 1 : end);
	}
	outer_drop(t);
	samples_add(t);
	epoch_leave(t);
}

void *zsr_host_task_main(void *arg)
{
	struct host_task *t = arg;

	prctl(PR_SET_TIMERSLACK, 1);
	while (sem_wait(&t->p->start))
		;
	zsr_host_enter(t->p->h, &t->self);
	if (t->p->s->probes)
		t->p->s->probes->task(t->row);
	play_all(t);
	zsr_host_leave(&t->self);
	return NULL;
}
