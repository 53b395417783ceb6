// SPDX-License-Identifier: GPL-2.0-only
/* Windows, their zero in each run, and the marks in them. */
#include <stdlib.h>

#include "analyze/burst.h"

#define MARGIN_PERCENT 3
#define TAIL_PERCENT   10 /* to see what stays held back */
/* A burst's story ends with a pause of this many times its length. */
#define QUIET       3
#define SHORTEST_NS 1000 /* a window is no narrower */
/* A burst this much shorter than all releases has a window of its own. */
#define BURST_SHARE 3

static uint64_t since(uint64_t t, uint64_t origin)
{
	if (t == ZSR_NEVER || t < origin)
		return ZSR_NEVER;
	return t - origin;
}

/* Absolute time of an at_ value. */
static uint64_t absolute(const struct zsr_run *run, uint64_t at_ns)
{
	if (at_ns == ZSR_NEVER || at_ns > UINT64_MAX - run->v.first_release_ns)
		return ZSR_NEVER;
	return run->v.first_release_ns + at_ns;
}

/* The next change of a series behind time t, UINT64_MAX: none. *i goes on. */
static uint64_t next_change(const struct zsr_series *s, size_t *i, uint64_t t)
{
	for (; *i < s->nr; (*i)++)
		if (s->points[*i].t_ns > t && *i &&
		    s->points[*i].value != s->points[*i - 1].value)
			return s->points[*i].t_ns;
	return UINT64_MAX;
}

/* When pages stop moving: from `least` on, the last change of pages held or
 * back before `limit` that comes within `quiet` of the one before it. */
static uint64_t settled(const struct zsr_run *run, uint64_t least,
			uint64_t limit, uint64_t quiet)
{
	size_t i = 0, k = 0;
	uint64_t t = least, next;

	for (;; t = next) {
		next = zsr_min(
			next_change(&run->series[ZSR_SERIES_held_pages], &i, t),
			next_change(&run->series[ZSR_SERIES_back_pages], &k, t));
		if (next >= limit || next - t > quiet)
			return t;
	}
}

static uint64_t burst_settled(const struct zsr_run *run,
			      const struct zsr_span *s)
{
	uint64_t len = s->end_ns - s->begin_ns;

	return settled(run, s->end_ns, s->next_ns,
		       len > UINT64_MAX / QUIET ? UINT64_MAX : len * QUIET);
}

static uint64_t value_at(const struct zsr_series *s, uint64_t t)
{
	uint64_t v = 0;
	size_t i;

	for (i = 0; i < s->nr && s->points[i].t_ns <= t; i++)
		v = s->points[i].value;
	return v;
}

/* When the series is first at least at `value`, from `from` on. */
static uint64_t reaches(const struct zsr_series *s, uint64_t from,
			uint64_t value)
{
	size_t i;

	for (i = 0; i < s->nr; i++)
		if (s->points[i].value >= value)
			return zsr_max(s->points[i].t_ns, from);
	return ZSR_NEVER;
}

/* Window 0: everything from the first release on. */
static void whole_panel(struct zsr_panel *p, const struct zsr_run *run,
			const struct zsr_span *span, bool one_burst)
{
	const uint64_t at[] = { run->v.at_50_ns, run->v.at_90_ns,
				run->v.at_100_ns };
	uint64_t end, back = absolute(run, run->v.at_100_ns);
	size_t i;

	p->origin_ns = run->v.first_release_ns;
	p->mean_return_ns = p->last_return_ns = ZSR_NEVER;
	if (one_burst && span->nr) {
		p->nr_callers = span->nr;
		p->mean_return_ns = since(span->mean_end_ns, p->origin_ns);
		p->last_return_ns = since(span->end_ns, p->origin_ns);
	}
	for (i = 0; i < ZSR_ARRAY_SIZE(at); i++)
		p->at_ns[i] = at[i];
	end = settled(run, run->v.last_return_ns, UINT64_MAX, UINT64_MAX);
	if (back != ZSR_NEVER)
		end = zsr_max(end, back);
	p->end_ns = end > p->origin_ns ? end - p->origin_ns : 0;
}

/* Window 1: `pages` are what the first column gave back in it. */
static void burst_panel(struct zsr_panel *p, const struct zsr_run *run,
			const struct zsr_span *span, uint64_t pages)
{
	static const unsigned percent[] = { 50, 90, 100 };
	const struct zsr_series *back = &run->series[ZSR_SERIES_back_pages];
	uint64_t back0 = value_at(back, span->begin_ns);
	size_t i;

	p->origin_ns = span->begin_ns;
	p->nr_callers = span->nr;
	p->mean_return_ns = since(span->mean_end_ns, span->begin_ns);
	p->last_return_ns = since(span->end_ns, span->begin_ns);
	p->end_ns = burst_settled(run, span) - span->begin_ns;
	for (i = 0; i < ZSR_ARRAY_SIZE(percent); i++) {
		uint64_t want = zsr_mul_div(pages, percent[i], 100) + back0;
		uint64_t t = pages && want >= back0
				     ? reaches(back, span->begin_ns, want)
				     : ZSR_NEVER;

		p->at_ns[i] = since(t, span->begin_ns);
		if (p->at_ns[i] > p->end_ns)
			p->at_ns[i] = ZSR_NEVER;
	}
}

static void set_window(struct zsr_compare *c, size_t which, size_t nr_px)
{
	uint64_t to = 0, margin;
	bool never = false;
	size_t i;

	for (i = 0; i < c->nr_cols; i++) {
		const struct zsr_panel *p = &c->col[i].panel[which];

		to = zsr_max(to, p->end_ns);
		never |= p->at_ns[2] == ZSR_NEVER;
	}
	to = zsr_min(zsr_max(to, SHORTEST_NS), INT64_MAX / 4);
	margin = to / 100 * MARGIN_PERCENT;
	if (never)
		to += to / 100 * TAIL_PERCENT;
	c->window[which] = (struct zsr_window){
		.from_ns = -(int64_t)margin,
		.to_ns = (int64_t)(to + margin),
		.nr_px = nr_px,
		.burst = which > 0,
	};
}

static void given_window(struct zsr_compare *c,
			 const struct zsr_analyze_opts *opts)
{
	uint64_t from = zsr_min(opts->window_from_ns, INT64_MAX / 4);
	uint64_t to = zsr_min(zsr_max(opts->window_to_ns, from + SHORTEST_NS),
			      INT64_MAX / 2);

	c->window[0] = (struct zsr_window){ .from_ns = (int64_t)from,
					    .to_ns = (int64_t)to,
					    .nr_px = opts->nr_px };
}

/* Is the main burst lost in window 0? Then it gets window 1. */
static void add_burst(struct zsr_compare *c, const struct zsr_run *const *run,
		      const struct zsr_span *span, size_t nr_px)
{
	const struct zsr_series *back = &run[0]->series[ZSR_SERIES_back_pages];
	uint64_t pages;
	size_t i;

	for (i = 0; i < c->nr_cols; i++)
		if (!span[i].nr)
			return;
	pages = value_at(back, burst_settled(run[0], &span[0]));
	pages -= zsr_min(pages, value_at(back, span[0].begin_ns));
	for (i = 0; i < c->nr_cols; i++)
		burst_panel(&c->col[i].panel[1], run[i], &span[i], pages);
	set_window(c, 1, nr_px);
	if ((c->window[1].to_ns - c->window[1].from_ns) <
	    (c->window[0].to_ns - c->window[0].from_ns) / BURST_SHARE)
		c->nr_windows = 2;
}

int zsr_timeline_build(struct zsr_compare *c, const struct zsr_run *const *run,
		       const struct zsr_analyze_opts *opts)
{
	struct zsr_span *span = calloc(c->nr_cols, sizeof(*span));
	struct zsr_burst burst = { 0 };
	int ret = -ENOMEM;
	size_t i, k;

	if (!span || zsr_burst_find(run[0], &burst))
		goto out;
	for (i = 0; i < c->nr_cols; i++) {
		if (zsr_burst_span(run[i], &burst, &span[i]))
			goto out;
		whole_panel(&c->col[i].panel[0], run[i], &span[i], burst.all);
	}
	c->nr_windows = 1;
	set_window(c, 0, opts->nr_px);
	if (opts->window_given)
		given_window(c, opts);
	else if (!burst.all)
		add_burst(c, run, span, opts->nr_px);
	for (k = 0; k < c->nr_windows; k++)
		for (i = 0; i < c->nr_cols; i++)
			if (zsr_decimate(&c->window[k], &c->col[i].panel[k],
					 run[i]))
				goto out;
	for (i = 0; i < c->nr_cols; i++)
		c->col[i].depth_max =
			zsr_series_max(&run[i]->series[ZSR_SERIES_queue_depth]);
	ret = 0;
out:
	free(burst.key);
	free(span);
	return ret;
}
