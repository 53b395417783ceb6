// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs on a common time axis, decimated to pixel columns: whatever happened
 * within a column is kept as a range, so no spike is lost and drawing costs
 * the same for any number of events.
 */
#include <stdlib.h>

#include "analyze/values.h"

#define MARGIN_PERCENT 3
#define SHORTEST_NS    1000 /* a window is no narrower */

/* The releases that overlap each other, as one interval. */
struct group {
	uint64_t begin_ns;
	uint64_t end_ns;
	uint64_t nr; /* objects */
	uint64_t nr_releases;
	unsigned __int128 end_sum;
};

static int by_begin(const void *a, const void *b)
{
	const struct zsr_release *x = a, *y = b;

	return x->begin_ns < y->begin_ns ? -1 : x->begin_ns > y->begin_ns;
}

/* Of the groups of overlapping releases the one with most objects; a run
 * without stored releases has its first release and last return. */
static int main_group(const struct zsr_run *run, struct group *out)
{
	struct group g = { 0 }, best = { 0 };
	struct zsr_release *rel;
	size_t i;

	*out = (struct group){ .begin_ns = run->v.first_release_ns,
			       .end_ns = run->v.last_return_ns,
			       .nr_releases = zsr_min(run->v.tasks, 1),
			       .end_sum = run->v.last_return_ns };
	if (!run->nr_releases)
		return 0;
	rel = malloc(run->nr_releases * sizeof(*rel));
	if (!rel)
		return -ENOMEM;
	for (i = 0; i < run->nr_releases; i++)
		rel[i] = run->releases[i];
	qsort(rel, run->nr_releases, sizeof(*rel), by_begin);
	for (i = 0; i < run->nr_releases; i++) {
		uint64_t end = zsr_max(rel[i].end_ns, rel[i].begin_ns);

		if (!g.nr_releases || rel[i].begin_ns > g.end_ns)
			g = (struct group){ .begin_ns = rel[i].begin_ns };
		g.end_ns = zsr_max(g.end_ns, end);
		g.nr = rel[i].nr > UINT64_MAX - g.nr ? UINT64_MAX
						     : g.nr + rel[i].nr;
		g.nr_releases++;
		g.end_sum += end;
		if (!best.nr_releases || g.nr >= best.nr)
			best = g;
	}
	free(rel);
	*out = best;
	return 0;
}

/* Absolute time of an at_ value. */
static uint64_t absolute(const struct zsr_run *run, uint64_t at_ns)
{
	if (at_ns == ZSR_NEVER || at_ns > UINT64_MAX - run->v.first_release_ns)
		return ZSR_NEVER;
	return run->v.first_release_ns + at_ns;
}

static uint64_t since(uint64_t t, uint64_t origin)
{
	if (t == ZSR_NEVER)
		return ZSR_NEVER;
	return t > origin ? t - origin : 0;
}

static int set_marks(struct zsr_panel *p, const struct zsr_run *run)
{
	uint64_t back = absolute(run, run->v.at_100_ns), end;
	const uint64_t at[] = { run->v.at_50_ns, run->v.at_90_ns,
				run->v.at_100_ns };
	struct group g;
	size_t i;

	if (main_group(run, &g))
		return -ENOMEM;
	p->origin_ns = g.begin_ns;
	p->nr_callers = g.nr_releases;
	p->last_return_ns = g.nr_releases ? since(g.end_ns, g.begin_ns)
					  : ZSR_NEVER;
	p->mean_return_ns = ZSR_NEVER;
	if (g.nr_releases)
		p->mean_return_ns = since((uint64_t)(g.end_sum / g.nr_releases),
					  g.begin_ns);
	for (i = 0; i < ZSR_ARRAY_SIZE(at); i++)
		p->at_ns[i] = since(absolute(run, at[i]), g.begin_ns);
	end = back != ZSR_NEVER ? back : run->v.end_ns;
	p->end_ns = since(zsr_max(end, g.end_ns), g.begin_ns);
	return 0;
}

static void set_window(struct zsr_compare *c,
		       const struct zsr_analyze_opts *opts)
{
	uint64_t from = 0, to = 0, margin;
	size_t i;

	for (i = 0; i < c->nr_cols; i++)
		to = zsr_max(to, c->col[i].panel.end_ns);
	if (opts->window_given) {
		from = opts->window_from_ns;
		to = opts->window_to_ns;
	}
	from = zsr_min(from, INT64_MAX / 4);
	to = zsr_min(zsr_max(to, from + SHORTEST_NS), INT64_MAX / 2);
	margin = opts->window_given ? 0 : to / 100 * MARGIN_PERCENT;
	c->window = (struct zsr_window){
		.from_ns = (int64_t)from - (int64_t)margin,
		.to_ns = (int64_t)to + (int64_t)margin,
		.nr_px = opts->nr_px,
		.given = opts->window_given,
	};
}

/* ---- walking four series at once ----------------------------------- */

struct walk {
	const struct zsr_series *s; /* ZSR_NR_RUN_SERIES of them */
	size_t at[ZSR_NR_RUN_SERIES]; /* next point */
	uint64_t now[ZSR_NR_RUN_SERIES];
};

/* Time of the next point of any series, UINT64_MAX at the end. */
static uint64_t next_time(const struct walk *w)
{
	uint64_t t = UINT64_MAX;
	unsigned i;

	for (i = 0; i < ZSR_NR_RUN_SERIES; i++)
		if (w->at[i] < w->s[i].nr)
			t = zsr_min(t, w->s[i].points[w->at[i]].t_ns);
	return t;
}

/* Take every point up to and including time t. */
static void step_to(struct walk *w, uint64_t t)
{
	unsigned i;

	for (i = 0; i < ZSR_NR_RUN_SERIES; i++)
		while (w->at[i] < w->s[i].nr &&
		       w->s[i].points[w->at[i]].t_ns <= t)
			w->now[i] = w->s[i].points[w->at[i]++].value;
}

static void widen(struct zsr_range *r, uint64_t v, bool first)
{
	if (first)
		r->lo = r->hi = v;
	r->lo = zsr_min(r->lo, v);
	r->hi = zsr_max(r->hi, v);
}

/* Pages are kept below this, so that a stack of three cannot overflow. */
#define MOST_PAGES (UINT64_MAX / 8)

static void sample(struct zsr_px *px, const struct walk *w, uint64_t back0,
		   bool first)
{
	uint64_t live = zsr_min(w->now[ZSR_SERIES_live_pages], MOST_PAGES);
	uint64_t held = zsr_min(w->now[ZSR_SERIES_held_pages], MOST_PAGES);
	uint64_t back = zsr_min(w->now[ZSR_SERIES_back_pages], MOST_PAGES);

	back -= zsr_min(back0, back);
	widen(&px->live, live, first);
	widen(&px->held, held, first);
	widen(&px->all, live + held + back, first);
	widen(&px->depth, w->now[ZSR_SERIES_queue_depth], first);
}

/* Window time to run time; before the run began is its begin. */
static uint64_t run_time(const struct zsr_panel *p, int64_t t)
{
	if (t < 0)
		return p->origin_ns - zsr_min(p->origin_ns, (uint64_t)-t);
	return p->origin_ns > UINT64_MAX - (uint64_t)t
		       ? UINT64_MAX
		       : p->origin_ns + (uint64_t)t;
}

static int decimate(struct zsr_compare *c, struct zsr_panel *p,
		    const struct zsr_run *run)
{
	const struct zsr_window *win = &c->window;
	uint64_t len = (uint64_t)(win->to_ns - win->from_ns), back0;
	struct walk w = { .s = run->series };
	size_t i;

	p->px = calloc(win->nr_px, sizeof(*p->px));
	if (!p->px)
		return -ENOMEM;
	step_to(&w, p->origin_ns);
	back0 = w.now[ZSR_SERIES_back_pages];
	w = (struct walk){ .s = run->series };
	step_to(&w, run_time(p, win->from_ns));
	for (i = 0; i < win->nr_px; i++) {
		uint64_t off = zsr_mul_div(len, i + 1, win->nr_px), t;
		uint64_t end = run_time(p, win->from_ns + (int64_t)off);

		sample(&p->px[i], &w, back0, true);
		while ((t = next_time(&w)) < end) {
			step_to(&w, t);
			sample(&p->px[i], &w, back0, false);
		}
	}
	for (i = 0; i < run->series[ZSR_SERIES_queue_depth].nr; i++)
		p->depth_max = zsr_max(
			p->depth_max,
			run->series[ZSR_SERIES_queue_depth].points[i].value);
	return 0;
}

int zsr_timeline_build(struct zsr_compare *c, const struct zsr_run *const *run,
		       const struct zsr_analyze_opts *opts)
{
	size_t i, k;

	for (i = 0; i < c->nr_cols; i++)
		if (set_marks(&c->col[i].panel, run[i]))
			return -ENOMEM;
	set_window(c, opts);
	for (i = 0; i < c->nr_cols; i++) {
		struct zsr_panel *p = &c->col[i].panel;

		if (decimate(c, p, run[i]))
			return -ENOMEM;
		for (k = 0; k < c->window.nr_px; k++) {
			c->window.max_pages = zsr_max(c->window.max_pages,
						      p->px[k].all.hi);
			c->window.max_depth = zsr_max(c->window.max_depth,
						      p->px[k].depth.hi);
		}
	}
	return 0;
}
