// SPDX-License-Identifier: GPL-2.0-only
/* A replay that stops at every mark to look at both. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "judge/internal.h"

enum what { MM_STAT, CLASSES, NR_WHAT };
static const char *const whats[NR_WHAT] = { "mm_stat", "classes" };

/* A mark and what the kernel said there. */
struct snapshot {
	char mark[200];
	char *text[NR_WHAT]; /* owned; NULL: not taken */
	struct judge_result result[NR_WHAT];
	uint64_t nr_calls; /* of the pool since it began to be taken */
	uint64_t turn; /* when it was seen last, from 1; 0: never */
	bool taken; /* all of it */
};

/* What a mark's number means. */
struct mark {
	int64_t nr;
	size_t snapshot;
	bool end;
};

struct judge {
	const struct zsr_trace *t;
	struct zsr_engine *e;
	struct judge_state s;
	struct judge_order order;
	struct judge_pages pages;
	struct judge_result places;
	struct snapshot *snapshot;
	size_t nr_snapshots;
	size_t cap_snapshots;
	struct mark *mark;
	size_t nr_marks;
	size_t cap_marks;
	uint64_t turn;
	unsigned pool;
	bool wants_places;
	bool nomem;
};

/* ---- the snapshots of a trace ------------------------------------------------ */

static struct snapshot *snapshot_of(struct judge *g, const char *mark,
				    size_t len)
{
	struct snapshot *s;
	size_t i;

	for (i = 0; i < g->nr_snapshots; i++) {
		s = &g->snapshot[i];
		if (strlen(s->mark) == len && !memcmp(s->mark, mark, len))
			return s;
	}
	if (len >= sizeof(s->mark) || zsr_grow(&g->snapshot, &g->cap_snapshots,
					       g->nr_snapshots + 1, sizeof(*s)))
		return NULL;
	s = &g->snapshot[g->nr_snapshots++];
	memset(s, 0, sizeof(*s));
	memcpy(s->mark, mark, len);
	return s;
}

/* "snap.MARK.mm_stat" */
static int on_meta(void *ctx, int64_t nr, const char *key, const char *value)
{
	const char *dot = strrchr(key, '.');
	struct judge *g = ctx;
	struct snapshot *s;
	unsigned what;

	if (strncmp(key, "snap.", 5) || dot <= key + 5)
		return 0;
	for (what = 0; what < NR_WHAT; what++)
		if (!strcmp(dot + 1, whats[what]))
			break;
	if (what == NR_WHAT)
		return 0;
	s = snapshot_of(g, key + 5, (size_t)(dot - key - 5));
	if (s)
		s->text[what] = strdup(value);
	g->nomem |= !s || !s->text[what];
	return 0;
}

static int on_mark(void *ctx, int64_t nr, const char *key, const char *value)
{
	bool begin = !strncmp(value, "snap:", 5);
	bool end = !strncmp(value, "snapped:", 8);
	struct judge *g = ctx;
	size_t i;

	if (!begin && !end)
		return 0;
	for (i = 0; i < g->nr_snapshots; i++)
		if (!strcmp(g->snapshot[i].mark, value + (end ? 8 : 5)))
			break;
	if (i == g->nr_snapshots)
		return 0;
	if (zsr_grow(&g->mark, &g->cap_marks, g->nr_marks + 1,
		     sizeof(*g->mark))) {
		g->nomem = true;
		return 0;
	}
	g->mark[g->nr_marks++] =
		(struct mark){ .nr = nr, .snapshot = i, .end = end };
	return 0;
}

/* ---- at a mark ------------------------------------------------------------------ */

static void compare(struct judge *g, struct snapshot *s)
{
	struct judge_result *r;
	unsigned what;

	for (what = 0; what < NR_WHAT; what++) {
		r = &s->result[what];
		judge_start(r, s->mark, whats[what]);
		if (!s->text[what])
			continue;
		if (s->nr_calls)
			judge_remark(r,
				     "%" PRIu64 " calls came while it was read",
				     s->nr_calls);
		else if (what == MM_STAT)
			judge_mm_stat(r, &g->s, s->text[what]);
		else if (judge_classes(r, &g->s, s->text[what],
				       s->result[MM_STAT].j.nr_compared
					       ? s->result[MM_STAT].j.kernel_pages
					       : UINT64_MAX))
			g->nomem = true;
	}
}

/* A file that was written twice holds what was taken last. */
static void at_mark(struct judge *g, const struct mark *m)
{
	struct snapshot *s = &g->snapshot[m->snapshot];

	if (m->end && s->turn) {
		s->taken = true;
	} else {
		s->turn = ++g->turn;
		s->nr_calls = 0;
		s->taken = false;
	}
	compare(g, s);
}

static unsigned class_of(const struct judge *g, uint32_t size)
{
	int class = zsr_engine_size_class(g->e, size);

	return class < 0 ? 0 : (unsigned)class;
}

static void add_call(struct judge *g, const struct zsr_event *ev)
{
	unsigned class = class_of(g, ev->size);
	bool before = judge_ordered(&g->order, class);
	uint64_t begin = judge_order_add(&g->order, ev, class);

	if (before && !judge_ordered(&g->order, class))
		judge_places_forget(&g->pages, class, begin);
}

static int on_event(void *ctx, const struct zsr_event *ev, struct zsr_err *err)
{
	struct judge *g = ctx;
	size_t i;

	if (ev->kind != ZSR_EV_MALLOC && ev->kind != ZSR_EV_FREE)
		judge_order_seen(&g->order, ev);
	if (ev->kind == ZSR_EV_MARK) {
		for (i = 0; i < g->nr_marks; i++)
			if (ev->aux == (uint64_t)g->mark[i].nr)
				at_mark(g, &g->mark[i]);
		return 0;
	}
	if (ev->pool != g->pool ||
	    (ev->kind != ZSR_EV_MALLOC && ev->kind != ZSR_EV_FREE &&
	     ev->kind != ZSR_EV_COMPACT))
		return 0;
	for (i = 0; i < g->nr_snapshots; i++)
		g->snapshot[i].nr_calls += !g->snapshot[i].taken;
	if (ev->kind != ZSR_EV_COMPACT)
		add_call(g, ev);
	if (ev->kind == ZSR_EV_FREE && ev->obj != ZSR_OBJ_NONE) {
		g->s.live--;
		g->s.live_bytes -= ev->size;
		g->s.live_huge -= ev->size == g->t->page_size;
	}
	return 0;
}

static void on_made(void *ctx, const struct zsr_event *ev, zsr_handle h)
{
	struct judge *g = ctx;
	bool huge = ev->size == g->t->page_size;

	g->s.live++;
	g->s.live_bytes += ev->size;
	g->s.live_huge += huge;
	g->s.nr_huge += huge;
	g->s.peak_pages = zsr_max(g->s.peak_pages, zsr_engine_pages(g->e));
	if (g->wants_places && judge_ordered(&g->order, class_of(g, ev->size)))
		judge_place(&g->pages, ev, h);
}

static void on_zspage_free(void *ctx, const struct zsr_zspage *z,
			   uint64_t pages_now)
{
	struct judge *g = ctx;

	judge_zspage_gone(&g->pages, z);
}

/* ---- the whole trace --------------------------------------------------------- */

/* Why no state of the trace's pool is known; "" when it is. */
static void why_not(const struct judge *g, char *buf, size_t size)
{
	char n[ZSR_FMT_LEN];

	*buf = '\0';
	if (g->t->nr_lost || g->t->nr_lost_places)
		snprintf(buf, size, "%s records were lost",
			 g->t->nr_lost ? zsr_fmt_count(n, g->t->nr_lost)
				       : "an unknown number of");
	else if (!g->t->from_empty)
		snprintf(buf, size,
			 "the pool was not empty when the capture began");
	else if (g->t->nr_pools != 1)
		snprintf(buf, size,
			 "%u pools, and no word on whose the numbers are",
			 g->t->nr_pools);
}

static int open_engine(struct judge *g, struct zsr_err *err)
{
	const struct zsr_model *m = zsr_model_find(g->t->kernel);
	struct zsr_obj_layout l;
	int ret;

	if (!m)
		return zsr_err_input(err,
				     "'%s' is no kernel whose rules are "
				     "known",
				     g->t->kernel);
	ret = zsr_obj_layout(&l, g->t->kernel, 0, 0, g->t->page_size,
			     g->t->chain_size, err);
	if (!ret)
		ret = zsr_engine_create(&g->e, m, g->t->page_size,
					g->t->chain_size, err);
	if (ret)
		return ret;
	g->s.e = g->pages.e = g->e;
	g->s.order = &g->order;
	if (judge_order_init(&g->order, zsr_engine_nr_raw_classes(g->e),
			     g->t->nr_tasks))
		return zsr_err_nomem(err, "judge");
	g->pages.class = calloc(g->order.nr_classes, sizeof(*g->pages.class));
	if (!g->pages.class)
		return zsr_err_nomem(err, "judge");
	g->pages.idx_shift = l.tag_bits;
	g->pages.idx_mask = (1ull << l.idx_bits) - 1;
	g->pages.pfn_shift = l.tag_bits + l.idx_bits + l.class_bits;
	return 0;
}

static int play(struct judge *g, struct zsr_db *db, struct zsr_err *err)
{
	const struct zsr_play_hooks hooks = {
		.ctx = g,
		.event = on_event,
		.made = on_made,
	};
	const struct zsr_engine_observer obs = {
		.ctx = g,
		.zspage_free = on_zspage_free,
	};
	const struct zsr_places *places = g->pages.places;
	int ret = open_engine(g, err);

	if (ret)
		return ret;
	zsr_engine_observe(g->e, &obs);
	judge_start(&g->places, "", "places");
	if (places && places->nr &&
	    (places->nr != g->t->nr_mallocs || places->nr != places->nr_mallocs))
		judge_remark(&g->places,
			     "%zu places of %" PRIu64 " objects were recorded",
			     places->nr, g->t->nr_mallocs);
	else if (places && places->nr)
		g->wants_places = true;
	ret = zsr_judge_play(g->e, db, g->t, g->pool, &hooks, err);
	judge_places_result(&g->pages, g->order.nr_classes, &g->places);
	if (!ret && (g->nomem || g->pages.nomem))
		ret = zsr_err_nomem(err, "judge");
	return ret;
}

static int tell(const struct judge_result *r,
		const struct zsr_judge_report *report)
{
	unsigned i;
	int ret = 0;

	for (i = 0; i < r->nr_told && !ret; i++)
		ret = report->differs(report->ctx, r->j.mark, r->j.what,
				      r->told[i]);
	return ret ? ret : report->judged(report->ctx, &r->j);
}

static int by_turn(const void *a, const void *b)
{
	const struct snapshot *x = a, *y = b;

	/* Those that were never seen come last. */
	if (x->turn - 1 != y->turn - 1)
		return x->turn - 1 < y->turn - 1 ? -1 : 1;
	return strcmp(x->mark, y->mark);
}

static int tell_snapshots(struct judge *g, const char *why,
			  const struct zsr_judge_report *report)
{
	struct judge_result *r;
	struct snapshot *s;
	unsigned what;
	int ret = 0;
	size_t i;

	qsort(g->snapshot, g->nr_snapshots, sizeof(*g->snapshot), by_turn);
	for (i = 0; i < g->nr_snapshots && !ret; i++) {
		s = &g->snapshot[i];
		for (what = 0; what < NR_WHAT && !ret; what++) {
			r = &s->result[what];
			if (!s->text[what])
				continue;
			if (!s->turn || *why)
				judge_start(r, s->mark, whats[what]);
			r->j.mark = s->mark;
			r->j.remark = r->remark;
			if (*why)
				judge_remark(r, "%s", why);
			else if (!s->turn)
				judge_remark(r,
					     "no mark says when it was taken");
			ret = tell(r, report);
		}
	}
	return ret;
}

static int tell_places(struct judge *g, const char *why,
		       const struct zsr_judge_report *report)
{
	const struct zsr_places *places = g->pages.places;
	struct judge_result gone;
	int ret = 0;

	if (!places)
		return 0;
	if (*why)
		judge_start(&g->places, "", "places");
	if (*why)
		judge_remark(&g->places, "%s", why);
	else if (g->wants_places && !judge_all_ordered(&g->order))
		judge_remark(&g->places,
			     "each class up to where its calls overlapped");
	if (places->nr)
		ret = tell(&g->places, report);
	if (ret || !places->nr_zspages)
		return ret;
	judge_start(&gone, "", "zspages freed");
	if (*why)
		judge_remark(&gone, "%s", why);
	else if (places->nr_zspages != g->pages.nr_freed &&
		 !judge_all_ordered(&g->order))
		judge_remark(&gone,
			     "%" PRIu64 ", engine: %" PRIu64
			     "; depends on the order of calls that overlapped",
			     places->nr_zspages, g->pages.nr_freed);
	else
		judge_value(&gone, "zspages", places->nr_zspages,
			    g->pages.nr_freed);
	return tell(&gone, report);
}

int zsr_judge_trace(struct zsr_db *db, const struct zsr_trace *t,
		    const struct zsr_places *places,
		    const struct zsr_judge_report *report, struct zsr_err *err)
{
	struct judge g = {
		.t = t,
		.s = { .page_size = t->page_size },
		.pages = { .places = places, .page_size = t->page_size },
	};
	char why[160];
	size_t i;
	int ret;

	ret = zsr_trace_rows(db, t->id, ZSR_TABLE_META, on_meta, &g, err);
	if (!ret)
		ret = zsr_trace_rows(db, t->id, ZSR_TABLE_MARKS, on_mark, &g,
				     err);
	if (!ret && g.nomem)
		ret = zsr_err_nomem(err, "snapshots");
	why_not(&g, why, sizeof(why));
	if (!ret && !*why)
		ret = play(&g, db, err);
	if (!ret)
		ret = tell_snapshots(&g, why, report);
	if (!ret)
		ret = tell_places(&g, why, report);
	judge_order_free(&g.order);
	free(g.pages.class);
	zsr_engine_destroy(g.e);
	for (i = 0; i < g.nr_snapshots; i++) {
		free(g.snapshot[i].text[MM_STAT]);
		free(g.snapshot[i].text[CLASSES]);
	}
	free(g.snapshot);
	free(g.mark);
	judge_table_free(&g.pages.pfn);
	judge_table_free(&g.pages.page);
	return ret;
}
