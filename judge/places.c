// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where objects are. The kernel's word says in which page an object begins and
 * which of its zspage's it is; the engine has no pages, but zspages in order of
 * creation. So each page of a zspage is tied to the first kernel page that is
 * seen in its place, and from then on to no other, until the zspage goes.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

#include "judge/internal.h"

#define MAX_CHAIN 16 /* pages a zspage */

/* ---- on the way to the import ---------------------------------------------- */

static bool is_handle(uint64_t handle)
{
	return handle && handle < -4095ull;
}

static int add_malloc(struct zsr_places *p, uint64_t handle)
{
	if (zsr_grow(&p->word, &p->cap, p->nr_mallocs + 1, sizeof(*p->word)))
		return -ENOMEM;
	p->word[p->nr_mallocs++] = 0;
	return judge_table_put(&p->malloc, handle, p->nr_mallocs);
}

/* Other CPUs' records may lie between a malloc's return and its word. */
static void add_word(struct zsr_places *p, uint64_t handle, uint64_t word)
{
	uint64_t nr = judge_table_get(&p->malloc, handle);

	if (!nr || p->word[nr - 1])
		return;
	p->word[nr - 1] = word;
	p->nr++;
}

static int places_recs(void *ctx, const struct zsr_rec *recs, size_t n,
		       struct zsr_err *err)
{
	struct zsr_places *p = ctx;
	size_t i;

	for (i = 0; i < n; i++) {
		p->nr_zspages += recs[i].kind == ZSR_REC_ZSPAGE_FREE;
		if (!is_handle(recs[i].handle))
			continue;
		if ((recs[i].kind == ZSR_REC_MALLOC_RET ||
		     recs[i].kind == ZSR_REC_MALLOC_DONE) &&
		    add_malloc(p, recs[i].handle))
			return zsr_err_nomem(err, "places");
		if (recs[i].kind == ZSR_REC_PLACE)
			add_word(p, recs[i].handle, recs[i].value);
	}
	return p->to->recs(p->to->ctx, recs, n, err);
}

static int places_mark(void *ctx, const struct zsr_rec *rec, const char *text,
		       struct zsr_err *err)
{
	struct zsr_places *p = ctx;

	return p->to->mark(p->to->ctx, rec, text, err);
}

static int places_task(void *ctx, int32_t pid, const char *comm,
		       struct zsr_err *err)
{
	struct zsr_places *p = ctx;

	return p->to->task(p->to->ctx, pid, comm, err);
}

static int places_meta(void *ctx, const char *key, const char *value,
		       struct zsr_err *err)
{
	struct zsr_places *p = ctx;

	return p->to->meta(p->to->ctx, key, value, err);
}

int zsr_places_new(struct zsr_places **out, struct zsr_sink *to,
		   struct zsr_err *err)
{
	struct zsr_places *p = *out = calloc(1, sizeof(*p));

	if (!p)
		return zsr_err_nomem(err, "places");
	p->to = to;
	p->sink = (struct zsr_sink){
		.ctx = p,
		.recs = places_recs,
		.mark = places_mark,
		.task = places_task,
		.meta = places_meta,
	};
	return 0;
}

struct zsr_sink *zsr_places_sink(struct zsr_places *p)
{
	return &p->sink;
}

void zsr_places_free(struct zsr_places *p)
{
	if (!p)
		return;
	free(p->word);
	judge_table_free(&p->malloc);
	free(p);
}

/* ---- during the replay -------------------------------------------------------- */

static void differs(struct judge_pages *p, unsigned class,
		    const struct zsr_event *ev, const char *fmt, ...)
	ZSR_PRINTF(4, 5);

static void differs(struct judge_pages *p, unsigned class,
		    const struct zsr_event *ev, const char *fmt, ...)
{
	struct judge_class_places *c = &p->class[class];
	va_list ap;

	if (c->nr_differ++)
		return;
	c->since_ns = ev->t_ns;
	va_start(ap, fmt);
	vsnprintf(c->told, sizeof(c->told), fmt, ap);
	va_end(ap);
}

void judge_place(struct judge_pages *p, const struct zsr_event *ev, zsr_handle h)
{
	uint64_t word = p->places->word[ev->obj], pfn = word >> p->pfn_shift;
	uint64_t idx = word >> p->idx_shift & p->idx_mask, page, as, at;
	struct zsr_class_info c;
	struct zsr_place place;

	zsr_engine_place(p->e, h, &place);
	zsr_engine_class_info(p->e, place.class, &c);
	page = place.zspage * MAX_CHAIN +
	       (uint64_t)place.obj * c.size / p->page_size;
	as = judge_table_get(&p->pfn, page);
	at = judge_table_get(&p->page, pfn);
	p->nr_compared++;
	if (idx != place.obj)
		differs(p, place.class, ev,
			"object %" PRIu64 ": slot %" PRIu64
			", engine: %u of zspage %" PRIu64,
			ev->obj, idx, place.obj, place.zspage);
	else if (!as && !at)
		p->nomem |= judge_table_put(&p->pfn, page, pfn + 1) ||
			    judge_table_put(&p->page, pfn, page + 1);
	else if (as == pfn + 1 && at == page + 1)
		return;
	else if (at)
		differs(p, place.class, ev,
			"object %" PRIu64 ": in a page of zspage %" PRIu64
			", engine: of zspage %" PRIu64,
			ev->obj, (at - 1) / MAX_CHAIN, place.zspage);
	else
		differs(p, place.class, ev,
			"object %" PRIu64
			": not in the pages of zspage %" PRIu64,
			ev->obj, place.zspage);
}

void judge_places_forget(struct judge_pages *p, unsigned class,
			 uint64_t begin_ns)
{
	if (p->class[class].since_ns >= begin_ns)
		p->class[class].nr_differ = 0;
}

void judge_places_result(const struct judge_pages *p, unsigned nr_classes,
			 struct judge_result *r)
{
	unsigned i;

	r->j.nr_compared = p->nr_compared;
	for (i = 0; i < nr_classes; i++) {
		if (!p->class[i].nr_differ)
			continue;
		judge_differs(r, "%s", p->class[i].told);
		r->j.nr_differ += p->class[i].nr_differ - 1;
	}
}

void judge_zspage_gone(struct judge_pages *p, const struct zsr_zspage *z)
{
	uint64_t page = zsr_zspage_serial(z) * MAX_CHAIN, pfn;
	unsigned i;

	p->nr_freed++;
	for (i = 0; i < zsr_zspage_pages(z); i++) {
		pfn = judge_table_take(&p->pfn, page + i);
		if (pfn)
			judge_table_take(&p->page, pfn - 1);
	}
}
