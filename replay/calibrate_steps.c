// SPDX-License-Identifier: GPL-2.0-only
/*
 * The steps of a release and of a store, in the middle of releases and stores.
 *
 * A step by itself takes another time than in its place: what one leaves in
 * flight the next one waits for. So whole releases are made, in the order of
 * their stores, and the clock is read before each and after one of its steps;
 * where it was read after the step before, the difference is the step's. What
 * is before and after each other takes turns, round by round.
 */
#include <stdlib.h>

#include "replay/calibrate.h"
#include "replay/host_trace.h"
#include "replay/policy/percpu.h"

enum { RELEASES = 64 };

#define ZSR_ALWAYS inline __attribute__((always_inline))

/* After which step the clock is read. */
enum at {
	AT_BEGIN,
	AT_SLOT,
	AT_CELL,
	AT_LOCK,
	AT_OBJ,
	AT_UNLINK,
	AT_UNLOCK,
	AT_ZSPAGE,
	AT_HANDLE, /* the last one of class-idx */
	AT_MARK, /* of a slot instead */
	AT_PUSH, /* after the slot: into the CPU's buffer */
	AT_BARE, /* likewise, without a note that it is queued */
	AT_CLASS_IDX, /* whole releases by their policies */
	AT_SYNC,
	NR_ATS
};

struct steps {
	struct zsr_cal *c;
	struct zsr_cal_pool p;
	struct zsr_percpu queue; /* never full */
	struct zsr_work drain;
	struct zsr_host_call *call; /* as the player has them */
	uint64_t emptied, freed; /* zspages and objects */
	uint64_t pages; /* of the zspages */
	struct zsr_samples took[NR_ATS]; /* ps a release, a round each */
	struct zsr_samples last[NR_ATS]; /* those that empty a zspage alone */
	struct zsr_hist each; /* ps, whole releases one by one */
	/* Ticks and numbers of a round of stores: that find room, and that have
	 * to build a zspage. */
	uint64_t plain, built;
	unsigned nr_plain, nr_built;
	struct zsr_samples store_plain, store_built;
};

/* ---- releases -------------------------------------------------------------------- */

/* Of the object that lies in SLOT; ticks from its begin to UPTO. */
static ZSR_ALWAYS uint64_t release(struct steps *s, uint32_t slot, enum at upto)
{
	struct zsr_host_thread *self = &s->p.self;
	struct zsr_pool *p = &s->p.pool;
	struct zsr_machine *m = p->m;
	struct zsr_zspage *z;
	uint64_t begin, end = 0;
	zsr_handle h;
	unsigned class;
	bool empty;

#define READ_AT(at)                                                            \
	do {                                                                   \
		if (upto == (at))                                              \
			end = zsr_ticks();                                     \
	} while (0)

	begin = zsr_ticks();
	self->stamp = begin;
	READ_AT(AT_BEGIN);
	h = zsr_pool_slot_take(p, slot);
	READ_AT(AT_SLOT);
	class = zsr_pool_peek_class(p, h);
	READ_AT(AT_CELL);
	zsr_spin_lock(m, &p->class[class].lock);
	READ_AT(AT_LOCK);
	zsr_pool_locate(p, h);
	empty = zsr_pool_obj_free(p, class, h, &z);
	READ_AT(AT_OBJ);
	empty = empty && zsr_pool_zspage_unlink(p, z);
	READ_AT(AT_UNLINK);
	zsr_spin_unlock(m, &p->class[class].lock);
	READ_AT(AT_UNLOCK);
	s->emptied += empty;
	s->freed++;
	if (empty) {
		s->pages += zsr_zspage_pages(z);
		zsr_pool_zspage_free(p, z);
	}
	READ_AT(AT_ZSPAGE);
	zsr_pool_handle_free(p, h);
	READ_AT(AT_HANDLE);
	zsr_pool_slot_put(p, slot);
#undef READ_AT
	return end - begin;
}

static void finish(struct zsr_pool *p, uint32_t slot, zsr_handle h)
{
	p->policy->free_now(p, h);
	zsr_pool_slot_put(p, slot);
}

static uint64_t mark(struct steps *s, uint32_t slot)
{
	struct zsr_pool *p = &s->p.pool;
	uint64_t begin = zsr_ticks(), end;

	s->p.self.stamp = begin;
	zsr_pool_slot_defer(p, slot);
	end = zsr_ticks();
	finish(p, slot, zsr_pool_slot_drain(p, slot));
	return end - begin;
}

/* As deferred does it. */
static uint64_t push(struct steps *s, uint32_t slot, enum at upto)
{
	struct zsr_pool *p = &s->p.pool;
	uint64_t begin = zsr_ticks(), end;
	zsr_handle h;

	s->p.self.stamp = begin;
	h = zsr_pool_slot_take(p, slot);
	zsr_preempt_disable(p->m);
	if (zsr_percpu_room(&s->queue)) {
		if (upto == AT_PUSH)
			zsr_pool_queued(p, h);
		zsr_percpu_push(&s->queue, h);
	}
	zsr_preempt_enable(p->m);
	end = zsr_ticks();
	finish(p, slot, h);
	return end - begin;
}

static uint64_t whole(struct steps *s, uint32_t slot,
		      const struct zsr_policy *policy)
{
	struct zsr_pool *p = &s->p.pool;
	uint64_t begin = zsr_ticks(), end;

	s->p.self.stamp = begin;
	policy->release(p, &s->p.releaser, slot);
	end = zsr_ticks();
	zsr_pool_slot_put(p, slot);
	return end - begin;
}

/* The same code for all of a round, so that its branches are known. */
static uint64_t one(struct steps *s, uint32_t slot, enum at upto)
{
	switch (upto) {
	case AT_MARK:
		return mark(s, slot);
	case AT_PUSH:
	case AT_BARE:
		return push(s, slot, upto);
	case AT_CLASS_IDX:
		return whole(s, slot, &zsr_policy_class_idx);
	case AT_SYNC:
		return whole(s, slot, &zsr_policy_sync);
	default:
		return release(s, slot, upto);
	}
}

/* RELEASES from FROM on. */
static int release_round(struct steps *s, uint32_t from, enum at upto)
{
	uint64_t before = zsr_cal_preempted(), sum = 0, last = 0, took;
	uint64_t emptied = s->emptied, was;
	uint32_t i;
	int ret;

	zsr_host_preempt_off(&s->p.self);
	for (i = from; i < from + RELEASES; i++) {
		was = s->emptied;
		took = one(s, s->p.slot[s->call[i].obj], upto);
		sum += took;
		if (s->emptied != was)
			last += took;
		if (upto == AT_CLASS_IDX)
			zsr_hist_add(&s->each, zsr_ticks_ps(&s->c->clock, took));
	}
	s->p.self.stamp = 0;
	zsr_host_preempt_on(&s->p.self);
	s->c->all++;
	if (zsr_cal_preempted() != before) {
		s->c->disturbed++;
		return 0;
	}
	emptied = s->emptied - emptied;
	ret = zsr_samples_add(&s->took[upto], zsr_cal_each(s->c, sum, RELEASES));
	if (!ret && emptied)
		ret = zsr_samples_add(
			&s->last[upto],
			zsr_cal_each(s->c, last, (unsigned)emptied));
	return ret;
}

static int release_all(struct steps *s)
{
	uint32_t from, round = 0;
	int ret = 0;

	s->queue.cpu[0].page->count = 0;
	for (from = 0; !ret && from + RELEASES <= s->p.nr; from += RELEASES)
		ret = release_round(s, from, (enum at)(round++ % NR_ATS));
	for (; from < s->p.nr; from++)
		one(s, s->p.slot[from], AT_HANDLE);
	return ret;
}

/* ---- stores ---------------------------------------------------------------------- */

static int store(struct steps *s, uint32_t i)
{
	struct zsr_pool *p = &s->p.pool;
	uint64_t pages = zsr_engine_pages(p->e), took = zsr_ticks();
	zsr_handle h;
	int64_t slot;
	int ret = zsr_pool_malloc(p, s->p.size[i], &h);

	took = zsr_ticks() - took;
	if (ret)
		return ret;
	if (zsr_engine_pages(p->e) == pages) {
		s->plain += took;
		s->nr_plain++;
	} else {
		s->built += took;
		s->nr_built++;
	}
	slot = zsr_pool_slot_store(p, h);
	s->p.slot[i] = (uint32_t)slot;
	return slot < 0 ? (int)slot : 0;
}

static int store_round(struct steps *s, uint32_t from)
{
	uint64_t before = zsr_cal_preempted();
	uint32_t i;
	int ret = 0;

	s->plain = s->built = s->nr_plain = s->nr_built = 0;
	for (i = from; !ret && i < zsr_min(from + RELEASES, s->p.nr); i++)
		ret = store(s, i);
	s->c->all++;
	if (ret || zsr_cal_preempted() != before) {
		s->c->disturbed++;
		return ret;
	}
	if (s->nr_plain)
		ret = zsr_samples_add(&s->store_plain,
				      zsr_cal_each(s->c, s->plain, s->nr_plain));
	if (!ret && s->nr_built)
		ret = zsr_samples_add(&s->store_built,
				      zsr_cal_each(s->c, s->built, s->nr_built));
	return ret;
}

/* ---- what they say ---------------------------------------------------------------- */

static int64_t median_of(const struct zsr_samples *s)
{
	struct zsr_samples copy = { 0 };
	struct zsr_figure f = { 0 };
	size_t i;

	for (i = 0; i < s->nr; i++)
		if (zsr_samples_add(&copy, s->v[i]))
			break;
	zsr_figure_set(&f, &copy);
	zsr_samples_free(&copy);
	return f.median;
}

/*
 * What Y takes more than X: the difference of the medians, so that the steps of
 * a release add up to it; its quartiles are those of rounds that were made next
 * to each other.
 */
static int difference(struct steps *s, unsigned figure,
		      const struct zsr_samples *x, const struct zsr_samples *y)
{
	struct zsr_figure *f = &s->c->figure[figure];
	size_t i, nr = zsr_min(x->nr, y->nr);
	struct zsr_samples d = { 0 };
	int ret = 0;

	for (i = 0; !ret && i < nr; i++)
		ret = zsr_samples_add(&d, y->v[i] - x->v[i]);
	zsr_figure_set(f, &d);
	if (f->known)
		f->median = median_of(y) - median_of(x);
	zsr_samples_free(&d);
	zsr_progress_at(&s->c->progress, ++s->c->done);
	return ret;
}

static int step(struct steps *s, unsigned figure, enum at a, enum at b)
{
	return difference(s, figure, &s->took[a], &s->took[b]);
}

/* Of releases that empty a zspage. */
static int last_step(struct steps *s, unsigned figure, enum at a, enum at b)
{
	return difference(s, figure, &s->last[a], &s->last[b]);
}

static uint64_t root(uint64_t v)
{
	uint64_t r = 0, bit;

	for (bit = 1ull << 31; bit; bit >>= 1)
		if ((r + bit) * (r + bit) <= v)
			r += bit;
	return r;
}

/*
 * How much releases vary: their quartiles, each release by itself, against
 * those of the virtual machine's draws for the two steps that touch memory,
 * which have 606 thousandths of the mean between them at a spread of 1000.
 */
static void spread(struct steps *s)
{
	struct zsr_figure *f = &s->c->figure[ZSR_CAL_spread];
	uint64_t cell =
		(uint64_t)zsr_max(s->c->figure[ZSR_COST_cell_load].median, 0);
	uint64_t obj = (uint64_t)zsr_max(s->c->figure[ZSR_COST_obj_free].median,
					 0);
	uint64_t q1 = zsr_hist_quantile(&s->each, 1, 4);
	uint64_t q3 = zsr_hist_quantile(&s->each, 3, 4);
	uint64_t scale = root(cell * cell + obj * obj) * 606 / 1000;

	if (!scale)
		return;
	f->known = true;
	f->rounds = (unsigned)s->each.count;
	f->median = (int64_t)zsr_min((q3 - q1) * 1000 / scale, 1000ul);
	f->q1 = f->q3 = f->median;
}

/* The note that an object is queued is part of a push: whoever marks a slot
 * pushes it, too. */
static void mark_without_note(struct steps *s)
{
	struct zsr_figure *f = &s->c->figure[ZSR_COST_slot_mark];
	int64_t note = median_of(&s->took[AT_PUSH]) -
		       median_of(&s->took[AT_BARE]);

	note = zsr_min(zsr_max(note, 0), zsr_max(f->median, 0));
	f->q1 -= note;
	f->median -= note;
	f->q3 -= note;
}

static int figures(struct steps *s)
{
	struct zsr_figure *f = s->c->figure;
	int ret = step(s, ZSR_COST_slot, AT_BEGIN, AT_SLOT) ?:
		  step(s, ZSR_COST_cell_load, AT_SLOT, AT_CELL) ?:
		  step(s, ZSR_COST_spin_lock, AT_CELL, AT_LOCK) ?:
		  step(s, ZSR_COST_obj_free, AT_LOCK, AT_OBJ) ?:
		  last_step(s, ZSR_COST_zspage_unlink, AT_OBJ, AT_UNLINK) ?:
		  step(s, ZSR_COST_spin_unlock, AT_UNLINK, AT_UNLOCK) ?:
		  last_step(s, ZSR_COST_zspage_free, AT_UNLOCK, AT_ZSPAGE) ?:
		  step(s, ZSR_COST_handle_free, AT_ZSPAGE, AT_HANDLE) ?:
		  step(s, ZSR_COST_slot_mark, AT_BEGIN, AT_MARK) ?:
		  step(s, ZSR_COST_push, AT_SLOT, AT_PUSH) ?:
		  step(s, ZSR_CAL_release, AT_BEGIN, AT_CLASS_IDX) ?:
		  step(s, ZSR_CAL_release_sync, AT_BEGIN, AT_SYNC);

	if (ret)
		return ret;
	mark_without_note(s);
	f[ZSR_COST_zspage_load] = (struct zsr_figure){
		.known = true, .why = "the engine finds it in obj_free"
	};
	f[ZSR_COST_regroup] = (struct zsr_figure){
		.known = true, .why = "obj_free and obj_malloc do it"
	};
	spread(s);
	s->c->emptied_permille = s->emptied * 1000 / zsr_max(s->freed, 1ul);
	s->c->pages_permille = s->pages * 1000 / zsr_max(s->freed, 1ul);
	zsr_figure_set(&f[ZSR_COST_obj_malloc], &s->store_plain);
	zsr_figure_set(&f[ZSR_COST_zspage_alloc], &s->store_built);
	return 0;
}

/* ---- populations ------------------------------------------------------------------- */

static int queue_init(struct steps *s)
{
	s->queue = (struct zsr_percpu){ .nr_drains = 1 };
	s->queue.drain[0] = &s->drain;
	return zsr_percpu_init(&s->queue, &s->p.pool, s->p.nr + 1ul,
			       ZSR_HANDLE_BYTES, 1, 0);
}

/* A pool is filled and emptied, as a replay finds it: new. */
static int population(struct steps *s, struct zsr_err *err)
{
	const struct zsr_calibrate_opts *o = s->c->opts;
	uint32_t i;
	int ret = zsr_cal_pool_init(&s->p, s->c, 0, o->objects, 1, o->draw,
				    o->ctx, err);

	if (ret)
		goto out;
	ret = queue_init(s);
	for (i = 0; !ret && i < s->p.nr; i += RELEASES)
		ret = store_round(s, i);
	if (!ret)
		ret = release_all(s);
	if (ret)
		zsr_err_sys(err, -ret, "stores and releases");
out:
	zsr_percpu_destroy(&s->queue);
	s->queue = (struct zsr_percpu){ 0 };
	zsr_cal_pool_free(&s->p);
	return ret;
}

static struct zsr_host_call *calls_new(uint32_t nr)
{
	struct zsr_host_call *call = calloc(nr + 1ul, sizeof(*call));
	uint32_t i;

	for (i = 0; call && i < nr; i++)
		call[i] = (struct zsr_host_call){ .obj = i,
						  .kind = ZSR_HOST_FREE };
	return call;
}

/* Until every place has its rounds; a machine that is never quiet gets three
 * times as many populations. */
static int populations(struct steps *s, struct zsr_err *err)
{
	uint64_t per = s->c->opts->objects / RELEASES / NR_ATS;
	uint64_t tries = 3 * (s->c->rounds / zsr_max(per, 1ul) + 1);
	int ret = 0;

	while (!ret && tries-- && s->took[NR_ATS - 1].nr < s->c->rounds)
		ret = population(s, err);
	return ret;
}

int zsr_cal_steps(struct zsr_cal *c, struct zsr_err *err)
{
	struct steps *s = calloc(1, sizeof(*s));
	unsigned i;
	int ret;

	if (!s)
		return zsr_err_nomem(err, "steps");
	s->c = c;
	zsr_hist_init(&s->each);
	s->call = calls_new(c->opts->objects);
	ret = s->call ? populations(s, err) : zsr_err_nomem(err, "calls");
	if (!ret && figures(s))
		ret = zsr_err_nomem(err, "rounds");
	if (!ret)
		ret = zsr_cal_pages(c, err);
	for (i = 0; i < NR_ATS; i++) {
		zsr_samples_free(&s->took[i]);
		zsr_samples_free(&s->last[i]);
	}
	zsr_samples_free(&s->store_plain);
	zsr_samples_free(&s->store_built);
	free(s->call);
	free(s);
	return ret;
}
