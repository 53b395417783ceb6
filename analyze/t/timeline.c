// SPDX-License-Identifier: GPL-2.0-only
/* The time axis: its zero, its window, marks, and that decimation loses no
 * peak; the latency curve against the histogram it came from. */
#include <math.h>
#include <string.h>

#include "analyze/t/runs.h"
#include "tests/check.h"

static struct zsr_analysis analyze(struct zsr_run **runs, size_t nr,
				   const struct zsr_analyze_opts *opts)
{
	const struct zsr_trace **traces = calloc(nr, sizeof(*traces));
	struct zsr_analysis a;
	struct zsr_err err = { 0 };

	ck_assert_msg(!zsr_analyze((const struct zsr_run *const *)runs, traces,
				   nr, opts, &a, &err),
		      "%s", err.msg);
	free(traces);
	return a;
}

static const struct zsr_analyze_opts plain = { .nr_px = 100 };

START_TEST(window_and_marks)
{
	struct zsr_run *r[] = {
		made_policy("sync", "", 12000000, 12000000, 0, 0),
		made_policy("deferred", "", 4000000, 16000000, 40000, 0),
	};
	struct zsr_analysis a = analyze(r, 2, &plain);
	const struct zsr_panel *p = &a.cmp[0].col[1].panel[0];
	const struct zsr_window *w = &a.cmp[0].window[0];

	/* The longest story is 16 ms; 3 % of air on both sides. */
	ck_assert_int_eq(w->from_ns, -480000);
	ck_assert_int_eq(w->to_ns, 16480000);
	ck_assert_uint_eq(p->origin_ns, MADE_STORE_NS);
	ck_assert_uint_eq(p->nr_callers, 3);
	ck_assert_uint_eq(p->last_return_ns, 4000000);
	ck_assert_uint_eq(p->mean_return_ns, (3600000 + 4000000 + 3880000) / 3);
	ck_assert_uint_eq(p->at_ns[0], 8000000);
	ck_assert_uint_eq(p->at_ns[2], 16000000);
	ck_assert_uint_eq(w->max_pages, MADE_PAGES);
	/* At the end everything is back and nothing else. */
	ck_assert_uint_eq(p->px[99].live.hi, 0);
	ck_assert_uint_eq(p->px[99].held.hi, 0);
	ck_assert_uint_eq(p->px[99].all.lo, MADE_PAGES);
	zsr_analysis_free(&a);
	made_free(r[0]);
	made_free(r[1]);
}
END_TEST

static struct zsr_run *made_bursts(const char *policy, uint64_t shift)
{
	struct zsr_run *r = made_run(policy, "");
	struct zsr_series *back = &r->series[ZSR_SERIES_back_pages];

	/* Small ones, the burst, and one alone. The task of a release, and
	 * which of its task's it is, tell who is who in the other run. */
	made_release(r, 1000000, 9000000, 100);
	made_release(r, 20000000 + shift, 21000000 + shift, 250);
	made_release(r, 20500000 + shift, 23000000 + shift, 250);
	made_release(r, 23100000 + shift, 23200000 + shift, 100);
	made_release(r, 400000000, 401000000, 300);
	r->releases[2].task = r->releases[1].task;
	r->v.tasks = 4;
	r->v.first_release_ns = 1000000;
	r->v.last_return_ns = 401000000;
	r->v.end_ns = 500000000;
	r->v.at_50_ns = 5000000;
	r->v.at_90_ns = 21000000;
	r->v.at_100_ns = UINT64_MAX;
	made_point(back, 0, 0);
	made_point(back, 5000000, 70);
	made_point(back, 22000000 + shift, 90);
	made_point(back, 24000000 + shift, 110);
	made_point(back, 100000000, 120);
	return r;
}

/* A window of its own for the burst: neither the first release nor the last,
 * nor what comes back long after it; the same releases in every run; its
 * percentages are of what came back in it. */
START_TEST(main_burst)
{
	struct zsr_run *r[] = { made_bursts("sync", 0),
				made_bursts("deferred", 500000) };
	struct zsr_analysis a;
	const struct zsr_panel *p;
	const struct zsr_window *w;

	/* The other run's releases are found whatever their sizes. */
	r[1]->releases[4].nr = 100000;
	a = analyze(r, 2, &plain);
	w = &a.cmp[0].window[1];
	ck_assert_uint_eq(a.cmp[0].nr_windows, 2);
	ck_assert(w->burst && !w[-1].burst);
	p = &a.cmp[0].col[0].panel[1];
	ck_assert_uint_eq(p->origin_ns, 20000000);
	ck_assert_uint_eq(p->nr_callers, 2);
	ck_assert_uint_eq(p->last_return_ns, 3000000);
	ck_assert_uint_eq(p->mean_return_ns, 2000000);
	ck_assert_uint_eq(p->end_ns, 3000000);
	ck_assert_uint_eq(p->at_ns[0], 2000000); /* 20 of 20 pages */
	ck_assert_uint_eq(p->at_ns[2], 2000000);
	ck_assert_uint_eq(p->px[0].all.hi, 0);
	ck_assert_uint_eq(p->px[90].all.hi, 20);
	ck_assert_uint_eq(a.cmp[0].col[1].panel[1].origin_ns, 20500000);
	/* Window 0: the table's times, and no single return. */
	p = &a.cmp[0].col[0].panel[0];
	ck_assert_uint_eq(p->origin_ns, 1000000);
	ck_assert_uint_eq(p->nr_callers, 0);
	ck_assert_uint_eq(p->last_return_ns, ZSR_NEVER);
	ck_assert_uint_eq(p->at_ns[1], 21000000);
	ck_assert_uint_eq(p->end_ns, 400000000);
	zsr_analysis_free(&a);
	made_free(r[0]);
	made_free(r[1]);
}
END_TEST

/* A peak of one nanosecond among a million points is still there. */
START_TEST(peak)
{
	struct zsr_run *r = made_run("deferred", "");
	struct zsr_series *held = &r->series[ZSR_SERIES_held_pages];
	struct zsr_analysis a;
	uint64_t i, most = 0, at = 0;

	held->points = calloc(1000000, sizeof(*held->points));
	for (i = 0; i < 1000000; i++)
		held->points[held->nr++] =
			(struct zsr_point){ i * 10, i == 654321 ? 1000 : i % 7 };
	made_release(r, 0, 9000000, 1);
	r->v.end_ns = 10000000;
	r->v.at_100_ns = 10000000;
	a = analyze(&r, 1, &plain);
	for (i = 0; i < 100; i++)
		if (a.cmp[0].col[0].panel[0].px[i].held.hi > most) {
			most = a.cmp[0].col[0].panel[0].px[i].held.hi;
			at = i;
		}
	ck_assert_uint_eq(most, 1000);
	/* Column of 6543210 ns in a window of -0.3 .. 10.3 ms. */
	ck_assert_uint_eq(at, (6543210 + 300000) * 100 / 10600000);
	ck_assert_uint_eq(a.cmp[0].window[0].max_pages, 1000);
	zsr_analysis_free(&a);
	made_free(r);
}
END_TEST

START_TEST(given_window)
{
	struct zsr_run *r = made_policy("sync", "", 12000000, 12000000, 0, 0);
	struct zsr_analyze_opts o = { .nr_px = 10,
				      .window_given = true,
				      .window_from_ns = 6000000,
				      .window_to_ns = 7000000 };
	struct zsr_analysis a = analyze(&r, 1, &o);
	const struct zsr_panel *p = &a.cmp[0].col[0].panel[0];

	ck_assert_int_eq(a.cmp[0].window[0].from_ns, 6000000);
	ck_assert_int_eq(a.cmp[0].window[0].to_ns, 7000000);
	ck_assert_uint_eq(p->px[0].live.hi, MADE_PAGES / 2);
	ck_assert_uint_lt(p->px[9].live.lo, MADE_PAGES * 6 / 12);
	zsr_analysis_free(&a);
	made_free(r);
}
END_TEST

/* A run in which nothing happened still has a window. */
START_TEST(nothing)
{
	struct zsr_run *r = made_run("sync", "");
	struct zsr_analysis a = analyze(&r, 1, &plain);

	ck_assert_int_lt(a.cmp[0].window[0].from_ns, a.cmp[0].window[0].to_ns);
	ck_assert_uint_eq(a.cmp[0].window[0].max_pages, 0);
	ck_assert_uint_eq(a.cmp[0].col[0].latency.nr, 0);
	ck_assert_uint_eq(a.cmp[0].col[0].panel[0].last_return_ns, ZSR_NEVER);
	zsr_analysis_free(&a);
	made_free(r);
}
END_TEST

/* Read at any share, the curve gives the histogram's quantile. */
START_TEST(latency)
{
	static const struct {
		uint64_t num, den;
	} share[] = { { 1, 2 }, { 9, 10 }, { 99, 100 }, { 999, 1000 } };
	struct zsr_run *r = made_policy("x", "", 4000000, 9000000, 400, 0);
	struct zsr_analysis a = analyze(&r, 1, &plain);
	const struct zsr_latency *l = &a.cmp[0].col[0].latency;
	size_t i, k;

	ck_assert_uint_eq(l->count, MADE_FREES);
	ck_assert_double_eq(l->pt[0].nines, 0);
	for (i = 1; i < l->nr; i++) {
		ck_assert_double_gt(l->pt[i].nines, l->pt[i - 1].nines);
		ck_assert_uint_gt(l->pt[i].ns, l->pt[i - 1].ns);
	}
	ck_assert_uint_eq(l->pt[l->nr - 1].ns, r->hist[0]->max);
	for (i = 0; i < ZSR_ARRAY_SIZE(share); i++) {
		double nines =
			-log10(1 - (double)share[i].num / (double)share[i].den);

		for (k = 0; k + 1 < l->nr && l->pt[k + 1].nines < nines; k++)
			;
		ck_assert_uint_eq(l->pt[k].ns,
				  zsr_hist_quantile(r->hist[0], share[i].num,
						    share[i].den));
	}
	zsr_analysis_free(&a);
	made_free(r);
}
END_TEST

ZSR_TEST_MAIN("timeline", window_and_marks, main_burst, peak, given_window,
	      nothing, latency)
