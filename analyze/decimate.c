// SPDX-License-Identifier: GPL-2.0-only
/*
 * Series decimated to the pixel columns of a window: whatever happened within
 * a column is kept as a range, so no spike is lost and drawing costs the same
 * for any number of events.
 */
#include <stdlib.h>

#include "analyze/values.h"

/* Four series walked at once. */
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

/* Mark the columns in which some caller was within a release. */
static void mark_releases(const struct zsr_window *win, struct zsr_panel *p,
			  const struct zsr_run *run)
{
	uint64_t from = run_time(p, win->from_ns), to = run_time(p, win->to_ns);
	size_t i, k;

	for (i = 0; i < run->nr_releases && to > from; i++) {
		uint64_t begin = run->releases[i].begin_ns;
		uint64_t end = zsr_max(run->releases[i].end_ns, begin);

		if (end < from || begin >= to)
			continue;
		begin = zsr_max(begin, from) - from;
		end = zsr_min(end, to - 1) - from;
		k = (size_t)zsr_mul_div(begin, win->nr_px, to - from);
		for (; k <= zsr_mul_div(end, win->nr_px, to - from); k++)
			p->px[k].releasing = true;
	}
}

int zsr_decimate(struct zsr_window *win, struct zsr_panel *p,
		 const struct zsr_run *run)
{
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
		win->max_pages = zsr_max(win->max_pages, p->px[i].all.hi);
		win->max_depth = zsr_max(win->max_depth, p->px[i].depth.hi);
		p->held_max = zsr_max(p->held_max, p->px[i].held.hi);
	}
	mark_releases(win, p, run);
	return 0;
}

uint64_t zsr_series_max(const struct zsr_series *s)
{
	uint64_t max = 0;
	size_t i;

	for (i = 0; i < s->nr; i++)
		max = zsr_max(max, s->points[i].value);
	return max;
}
