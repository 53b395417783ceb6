// SPDX-License-Identifier: GPL-2.0-only
/*
 * What goes by page: zspages of few and of many pages, the page lists and the
 * zone behind them; then buffers of policies, records, handles, compaction.
 */
#include <stdlib.h>

#include "replay/calibrate.h"
#include "replay/policy/percpu.h"
#include "replay/policy/slab.h"

enum { MIXED = 8192, MOST_PAGES = 16, OPS = 32, COMPACTIONS = 25 };

/* By the pages of the zspage they are about. */
struct by_pages {
	struct zsr_samples of[MOST_PAGES + 1];
};

struct pages {
	struct zsr_cal *c;
	struct zsr_cal_pool p;
	struct by_pages unlink, free, build;
	struct zsr_percpu queue;
	struct zsr_work drain; /* is always queued already */
	struct zsr_slab slab;
	zsr_handle handle[OPS];
	struct zsr_samples node_free, zone_alloc, compact;
	uint64_t moved, compacted; /* objects, and pages that came of it */
};

static uint32_t draw_any(void *ctx)
{
	return 32 + (uint32_t)zsr_rng_below(ctx, 3200);
}

/* ---- zspages of few and of many pages ----------------------------------------------- */

static int timed(struct pages *s, struct by_pages *by, unsigned pages,
		 uint64_t ticks)
{
	return zsr_samples_add(&by->of[zsr_min(pages, (unsigned)MOST_PAGES)],
			       zsr_cal_each(s->c, ticks, 1));
}

static int store(struct pages *s, uint32_t i)
{
	struct zsr_engine *e = s->p.pool.e;
	uint64_t before = zsr_engine_pages(e), took, now;
	int ret;

	took = zsr_ticks();
	ret = zsr_cal_store(&s->p, i);
	took = zsr_ticks() - took;
	now = zsr_engine_pages(e);
	if (ret || now == before)
		return ret;
	return timed(s, &s->build, (unsigned)(now - before), took);
}

static int release(struct pages *s, uint32_t i)
{
	struct zsr_pool *p = &s->p.pool;
	zsr_handle h = zsr_pool_slot_take(p, s->p.slot[i]);
	unsigned class = zsr_pool_peek_class(p, h), pages;
	struct zsr_zspage *z;
	uint64_t at[4];
	bool gone;
	int ret = 0;

	zsr_spin_lock(p->m, &p->class[class].lock);
	if (!zsr_pool_obj_free(p, class, h, &z)) {
		zsr_spin_unlock(p->m, &p->class[class].lock);
		goto out;
	}
	pages = zsr_zspage_pages(z);
	at[0] = zsr_ticks();
	gone = zsr_pool_zspage_unlink(p, z);
	at[1] = zsr_ticks();
	zsr_spin_unlock(p->m, &p->class[class].lock);
	at[2] = zsr_ticks();
	if (gone)
		zsr_pool_zspage_free(p, z);
	at[3] = zsr_ticks();
	ret = timed(s, &s->unlink, pages, at[1] - at[0])
		      ?: timed(s, &s->free, pages, at[3] - at[2]);
out:
	zsr_pool_handle_free(p, h);
	zsr_pool_slot_put(p, s->p.slot[i]);
	return ret;
}

static void by_pages_free(struct by_pages *by)
{
	unsigned i;

	for (i = 0; i <= MOST_PAGES; i++)
		zsr_samples_free(&by->of[i]);
}

/* Least squares through (pages, value), each as often as it was seen: what one
 * more page takes. */
static int64_t slope(const struct zsr_figure *f)
{
	int64_t n = 0, sx = 0, sy = 0, sxx = 0, sxy = 0, w, i;

	for (i = 1; i <= MOST_PAGES; i++) {
		w = f[i].known ? f[i].rounds : 0;
		n += w;
		sx += w * i;
		sy += w * f[i].median;
		sxx += w * i * i;
		sxy += w * i * f[i].median;
	}
	w = n * sxx - sx * sx;
	return w ? zsr_max((n * sxy - sx * sy) / w, 0) : 0;
}

/* A page's part of what was timed, at the median and at both quartiles. */
static void a_page(struct zsr_figure *to, struct by_pages *by)
{
	struct zsr_figure f[MOST_PAGES + 1] = { 0 }, low[MOST_PAGES + 1],
					 high[MOST_PAGES + 1];
	unsigned i;

	*to = (struct zsr_figure){ .known = true };
	for (i = 1; i <= MOST_PAGES; i++) {
		zsr_figure_set(&f[i], &by->of[i]);
		to->rounds += f[i].rounds;
		low[i] = high[i] = f[i];
		low[i].median = f[i].q1;
		high[i].median = f[i].q3;
	}
	to->median = slope(f);
	to->q1 = zsr_min(slope(low), to->median);
	to->q3 = zsr_max(slope(high), to->median);
}

static int mixed(struct pages *s, struct zsr_err *err)
{
	uint32_t nr = zsr_min(MIXED, s->c->opts->objects), i;
	struct zsr_rng rng = { 1 };
	int ret = zsr_cal_pool_init(&s->p, s->c, 0, nr, 1, draw_any, &rng, err);

	if (!ret) {
		for (i = 0; !ret && i < nr; i++)
			ret = store(s, i);
		for (i = 0; !ret && i < nr; i++)
			ret = release(s, i);
		if (ret)
			zsr_err_sys(err, -ret, "stores and releases");
	}
	zsr_cal_pool_free(&s->p);
	return ret;
}

/* ---- page lists ------------------------------------------------------------------------ */

/* One page at a time, never beyond the list. */
static int list_alloc_round(void *ctx, int64_t *v)
{
	struct pages *s = ctx;
	struct zsr_machine *m = s->p.pool.m;
	uint64_t begin;
	unsigned i;

	zsr_pages_alloc(m, OPS);
	zsr_pages_free(m, OPS);
	begin = zsr_ticks();
	for (i = 0; i < OPS; i++)
		zsr_pages_alloc(m, 1);
	*v = zsr_cal_each(s->c, zsr_ticks() - begin, OPS);
	zsr_pages_free(m, OPS);
	return 0;
}

static int list_free_round(void *ctx, int64_t *v)
{
	struct pages *s = ctx;
	struct zsr_machine *m = s->p.pool.m;
	uint64_t begin;
	unsigned i;

	zsr_pages_alloc(m, OPS);
	begin = zsr_ticks();
	for (i = 0; i < OPS; i++)
		zsr_pages_free(m, 1);
	*v = zsr_cal_each(s->c, zsr_ticks() - begin, OPS);
	return 0;
}

/* A batch at a time, with the list full, then empty: each one goes to the
 * zone, or comes from there. */
static int zone_round(void *ctx, int64_t *v)
{
	struct pages *s = ctx;
	struct zsr_machine *m = s->p.pool.m;
	unsigned batch = s->p.h->opts.pcp_batch, high = s->p.h->opts.pcp_high;
	uint64_t begin, freed;
	unsigned i;

	zsr_pages_free(m, high + batch);
	begin = zsr_ticks();
	for (i = 0; i < OPS; i++)
		zsr_pages_free(m, batch);
	freed = zsr_ticks() - begin;
	for (i = 0; i < high; i += batch)
		zsr_pages_alloc(m, batch);
	begin = zsr_ticks();
	for (i = 0; i < OPS; i++)
		zsr_pages_alloc(m, batch);
	*v = zsr_cal_each(s->c, freed, OPS);
	return zsr_samples_add(&s->zone_alloc,
			       zsr_cal_each(s->c, zsr_ticks() - begin, OPS));
}

/* ---- buffers of policies ------------------------------------------------------------------ */

static int pop_round(void *ctx, int64_t *v)
{
	struct pages *s = ctx;
	const struct zsr_words *w = s->queue.cpu[0].page;
	uint64_t begin = zsr_ticks();
	unsigned i;

	for (i = 0; i < s->queue.entries; i++)
		__asm__ volatile("" : : "r"(w->word[i]) : "memory");
	*v = zsr_cal_each(s->c, zsr_ticks() - begin, (unsigned)s->queue.entries);
	return 0;
}

/* The push that fills a page, which is exchanged then, and one that does not.
 */
static int swap_round(void *ctx, int64_t *v)
{
	struct pages *s = ctx;
	struct zsr_percpu *q = &s->queue;
	struct zsr_machine *m = s->p.pool.m;
	uint64_t at[3], push = 0, swap = 0;
	struct zsr_words *full;
	unsigned i;

	for (i = 0; i < OPS; i++) {
		q->cpu[0].page->count = (unsigned)q->entries - 2;
		zsr_preempt_disable(m);
		at[0] = zsr_ticks();
		zsr_percpu_push(q, 1);
		at[1] = zsr_ticks();
		zsr_percpu_push(q, 1);
		at[2] = zsr_ticks();
		zsr_preempt_enable(m);
		push += at[1] - at[0];
		swap += at[2] - at[1];
		full = zsr_percpu_take(q);
		if (full)
			zsr_percpu_give(q, full);
	}
	*v = zsr_cal_each(s->c, swap, OPS) - zsr_cal_each(s->c, push, OPS);
	return 0;
}

static int node_round(void *ctx, int64_t *v)
{
	struct pages *s = ctx;
	uint64_t at[3];
	unsigned i;

	at[0] = zsr_ticks();
	for (i = 0; i < OPS; i++)
		zsr_slab_get(&s->slab);
	at[1] = zsr_ticks();
	for (i = 0; i < OPS; i++)
		zsr_slab_put(&s->slab);
	at[2] = zsr_ticks();
	*v = zsr_cal_each(s->c, at[1] - at[0], OPS);
	return zsr_samples_add(&s->node_free,
			       zsr_cal_each(s->c, at[2] - at[1], OPS));
}

/* Of the swap core the host machine has only its slots. */
static int slot_round(void *ctx, int64_t *v)
{
	struct pages *s = ctx;
	struct zsr_pool *p = &s->p.pool;
	uint64_t begin = zsr_ticks();
	unsigned i;

	for (i = 0; i < OPS; i++)
		zsr_pool_swap_free(p, i);
	*v = zsr_cal_each(s->c, zsr_ticks() - begin, OPS);
	for (i = 0; i < OPS; i++)
		p->book->slot_get(p);
	return 0;
}

static int handle_round(void *ctx, int64_t *v)
{
	struct pages *s = ctx;
	struct zsr_pool *p = &s->p.pool;
	uint64_t begin = zsr_ticks();
	unsigned i;

	for (i = 0; i < OPS; i++)
		s->handle[i] = p->book->handle_get(p);
	*v = zsr_cal_each(s->c, zsr_ticks() - begin, OPS);
	for (i = OPS; i--;)
		p->book->handle_put(p, s->handle[i]);
	return 0;
}

static int tables(struct pages *s, struct zsr_err *err)
{
	struct zsr_figure *f = s->c->figure;
	struct zsr_rng rng = { 1 };
	int ret = zsr_cal_pool_init(&s->p, s->c, 0, OPS, 1, draw_any, &rng, err);

	s->queue = (struct zsr_percpu){ .nr_drains = 1 };
	s->queue.drain[0] = &s->drain;
	s->drain.wq = &s->p.pool.free_wq;
	s->drain.pending = true;
	if (!ret)
		zsr_slab_init(&s->slab, &s->p.pool, 16);
	if (!ret &&
	    (zsr_percpu_init(&s->queue, &s->p.pool, 512, ZSR_HANDLE_BYTES, 4, 0) ||
	     zsr_cal_rounds(s->c, ZSR_COST_page_alloc, list_alloc_round, s) ||
	     zsr_cal_rounds(s->c, ZSR_COST_page_free, list_free_round, s) ||
	     zsr_cal_rounds(s->c, ZSR_COST_zone_free, zone_round, s) ||
	     zsr_cal_rounds(s->c, ZSR_COST_buffer_swap, swap_round, s) ||
	     zsr_cal_rounds(s->c, ZSR_COST_pop, pop_round, s) ||
	     zsr_cal_rounds(s->c, ZSR_COST_node_alloc, node_round, s) ||
	     zsr_cal_rounds(s->c, ZSR_COST_swap_free, slot_round, s) ||
	     zsr_cal_rounds(s->c, ZSR_COST_handle_alloc, handle_round, s)))
		ret = zsr_err_nomem(err, "rounds");
	zsr_figure_set(&f[ZSR_COST_node_free], &s->node_free);
	zsr_figure_set(&f[ZSR_COST_zone_alloc], &s->zone_alloc);
	zsr_percpu_destroy(&s->queue);
	zsr_cal_pool_free(&s->p);
	return ret;
}

/* ---- compaction --------------------------------------------------------------------------- */

/* Every second object goes; then what is left is moved together. */
static int compact(struct pages *s, struct zsr_err *err)
{
	uint32_t nr = zsr_min(MIXED, s->c->opts->objects), i;
	struct zsr_rng rng = { 1 };
	uint64_t took;
	int ret = zsr_cal_pool_init(&s->p, s->c, 0, nr, 1, draw_any, &rng, err);

	for (i = 0; !ret && i < nr; i++)
		if (zsr_cal_store(&s->p, i))
			ret = zsr_err_nomem(err, "objects");
	for (i = 0; !ret && i < nr; i += 2)
		zsr_policy_class_idx.release(&s->p.pool, &s->p.releaser,
					     s->p.slot[i]);
	if (!ret) {
		took = zsr_ticks();
		zsr_pool_compact(&s->p.pool);
		took = zsr_ticks() - took;
		s->moved += s->p.pool.compact.moved;
		s->compacted += s->p.pool.compact.pages;
		if (s->p.pool.compact.moved)
			ret = zsr_samples_add(
				&s->compact,
				zsr_cal_each(s->c, took,
					     (unsigned)s->p.pool.compact.moved));
	}
	zsr_cal_pool_free(&s->p);
	return ret;
}

/* ---- together ------------------------------------------------------------------------------- */

/* Without what belongs to other figures, never below 0. */
static void without(struct zsr_figure *f, int64_t ps)
{
	f->q1 = zsr_max(f->q1 - ps, 0);
	f->median = zsr_max(f->median - ps, 0);
	f->q3 = zsr_max(f->q3 - ps, 0);
}

static void scale(struct zsr_figure *f, int64_t by, int64_t of)
{
	f->q1 = f->q1 * by / of;
	f->median = f->median * by / of;
	f->q3 = f->q3 * by / of;
}

/* PER_ZSPAGE thousandths of a page are in a zspage; V for each, in ps. */
static int64_t times(int64_t v, int64_t per_zspage)
{
	return v * per_zspage / 1000;
}

static void combine(struct pages *s, int64_t per_zspage)
{
	struct zsr_figure *f = s->c->figure, page;
	int64_t spin = f[ZSR_COST_spin_lock].median +
		       f[ZSR_COST_spin_unlock].median;
	int64_t read = f[ZSR_COST_read_lock].median +
		       f[ZSR_COST_read_unlock].median;
	int64_t clock = f[ZSR_CAL_clock_read].median;
	int64_t batch = (int64_t)s->c->pcp_batch, plain;

	/* The zone is locked for a batch. */
	without(&f[ZSR_COST_zone_free], spin + f[ZSR_COST_page_free].median);
	without(&f[ZSR_COST_zone_alloc], spin + f[ZSR_COST_page_alloc].median);
	scale(&f[ZSR_COST_zone_free], 1, batch);
	scale(&f[ZSR_COST_zone_alloc], 1, batch);
	/* A zspage's pages go in one call here, and come in one. */
	scale(&f[ZSR_COST_page_free], 1000, per_zspage);
	scale(&f[ZSR_COST_page_alloc], 1000, per_zspage);

	a_page(&f[ZSR_COST_zspage_lock], &s->unlink);
	without(&f[ZSR_COST_zspage_unlink],
		times(f[ZSR_COST_zspage_lock].median, per_zspage));
	a_page(&f[ZSR_COST_page_reset], &s->free);
	without(&f[ZSR_COST_zspage_free],
		times(f[ZSR_COST_page_reset].median +
			      f[ZSR_COST_page_free].median,
		      per_zspage) +
			f[ZSR_COST_atomic].median);

	plain = f[ZSR_COST_obj_malloc].median;
	without(&f[ZSR_COST_zspage_alloc],
		plain + spin + f[ZSR_COST_atomic].median);
	without(&f[ZSR_COST_obj_malloc],
		clock + f[ZSR_COST_handle_alloc].median + spin + read);
	a_page(&page, &s->build);
	page.median += f[ZSR_COST_page_alloc].median;
	page.q1 += f[ZSR_COST_page_alloc].median;
	page.q3 += f[ZSR_COST_page_alloc].median;
	f[ZSR_COST_page_alloc] = page;
	without(&f[ZSR_COST_zspage_alloc], times(page.median, per_zspage));

	without(&f[ZSR_COST_buffer_swap], spin + f[ZSR_COST_queue_work].median);
	zsr_figure_set(&f[ZSR_COST_compact_move], &s->compact);
	if (s->moved) /* the zspages that a move empties go at once */
		without(&f[ZSR_COST_compact_move],
			(int64_t)zsr_mul_div(
				(uint64_t)(f[ZSR_COST_page_reset].median +
					   f[ZSR_COST_page_free].median +
					   f[ZSR_COST_zspage_free].median *
						   1000 / per_zspage),
				s->compacted, s->moved));
}

int zsr_cal_pages(struct zsr_cal *c, struct zsr_err *err)
{
	struct pages *s = calloc(1, sizeof(*s));
	unsigned i;
	int ret;

	if (!s)
		return zsr_err_nomem(err, "pages");
	s->c = c;
	ret = mixed(s, err);
	if (!ret)
		ret = tables(s, err);
	for (i = 0; !ret && i < COMPACTIONS; i++)
		ret = compact(s, err);
	if (!ret)
		combine(s, c->emptied_permille
				   ? (int64_t)(c->pages_permille * 1000 /
					       c->emptied_permille)
				   : 1000);
	by_pages_free(&s->unlink);
	by_pages_free(&s->free);
	by_pages_free(&s->build);
	zsr_samples_free(&s->node_free);
	zsr_samples_free(&s->zone_alloc);
	zsr_samples_free(&s->compact);
	free(s);
	return ret;
}
