// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where objects are. The kernel's word says in which page an object begins and
 * which of its zspage's it is; the engine has no pages, but zspages in order of
 * creation. So each page of a zspage is tied to the first kernel page that is
 * seen in its place, and from then on to no other, until the zspage goes.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "judge/internal.h"

#define MAX_CHAIN 16 /* pages a zspage */

/* ---- on the way to the import ---------------------------------------------- */

static bool is_handle(uint64_t handle)
{
	return handle && handle < -4095ull;
}

static int places_recs(void *ctx, const struct zsr_rec *recs, size_t n,
		       struct zsr_err *err)
{
	struct zsr_places *p = ctx;
	size_t i;

	for (i = 0; i < n; i++) {
		p->nr_zspages += recs[i].kind == ZSR_REC_ZSPAGE_FREE;
		if (recs[i].kind != ZSR_REC_PLACE || !is_handle(recs[i].handle))
			continue;
		if (zsr_grow(&p->word, &p->cap, p->nr + 1, sizeof(*p->word)))
			return zsr_err_nomem(err, "places");
		p->word[p->nr++] = recs[i].value;
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
	if (p)
		free(p->word);
	free(p);
}

/* ---- during the replay -------------------------------------------------------- */

void judge_place(struct judge_pages *p, struct judge_result *r,
		 const struct zsr_event *ev, zsr_handle h)
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
	r->j.nr_compared++;
	if (idx != place.obj) {
		judge_differs(r,
			      "object %" PRIu64 ": slot %" PRIu64
			      ", engine: %u of zspage %" PRIu64,
			      ev->obj, idx, place.obj, place.zspage);
		return;
	}
	if (!as && !at) {
		p->nomem |= judge_table_put(&p->pfn, page, pfn + 1) ||
			    judge_table_put(&p->page, pfn, page + 1);
		return;
	}
	if (as == pfn + 1 && at == page + 1)
		return;
	if (at)
		judge_differs(r,
			      "object %" PRIu64 ": in a page of zspage %" PRIu64
			      ", engine: of zspage %" PRIu64,
			      ev->obj, (at - 1) / MAX_CHAIN, place.zspage);
	else
		judge_differs(r,
			      "object %" PRIu64
			      ": not in the pages of zspage %" PRIu64,
			      ev->obj, place.zspage);
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
