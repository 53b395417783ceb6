// SPDX-License-Identifier: GPL-2.0-only
/*
 * The test for differences between policies in rounds: chances and intervals
 * that tables give; among differences that are none, as often a false alarm as
 * it says and no oftener, also under drift, spikes and a disadvantage of whoever
 * goes second; a slowdown of 5 % is found. Columns that stand for rounds.
 */
#include <math.h>

#include "analyze/rounds.h"
#include "analyze/t/runs.h"
#include "tests/check.h"

enum { TRIALS = 2000, ROUNDS = 20 };

static struct zsr_rng rng;

static double uniform(void)
{
	return ((double)(zsr_rng_next(&rng) >> 11) + 0.5) / 9007199254740992.0;
}

static double normal(void)
{
	return sqrt(-2 * log(uniform())) * cos(2 * M_PI * uniform());
}

/* Hollander and Wolfe's table: of 5 differences with signed ranks 1 to 5, all of
 * one sign, p is 2 / 32. */
START_TEST(chances)
{
	static const double up[] = { 1, 2, 3, 4, 5 };
	static const double mixed[] = { 1, -2, 3, 4, 5, -6, 7, 8 };
	static const double ties[] = { 1, 1, -1, 0, 0 };
	struct zsr_shift e;

	ck_assert_int_eq(zsr_paired_test(up, 5, 0.05, &e), 0);
	ck_assert_double_eq_tol(e.p, 2.0 / 32, 1e-12);
	ck_assert_double_eq_tol(e.mid, 3, 1e-12);
	ck_assert(isinf(e.low) && isinf(e.high)); /* too few for 95 % */
	ck_assert_double_eq_tol(zsr_paired_least(5), 2.0 / 32, 1e-12);
	/* 8 of 36 on one side: 25 of 256 patterns have so little there. */
	ck_assert_int_eq(zsr_paired_test(mixed, 8, 0.05, &e), 0);
	ck_assert_double_eq_tol(e.p, 2 * 25.0 / 256, 1e-12);
	/* With all ranks alike one of three signs differs: 4 of 8, both ways. */
	ck_assert_int_eq(zsr_paired_test(ties, 5, 0.05, &e), 0);
	ck_assert_double_eq_tol(e.p, 1, 1e-12);
	ck_assert_int_eq(zsr_paired_test(ties, 0, 0.05, &e), 0);
	ck_assert_double_eq_tol(e.p, 1, 1e-12);
}
END_TEST

/* Of 10 differences 95 % (96.1 % in truth) leave 8 averages out at each end. */
START_TEST(intervals)
{
	double d[10], mean[55];
	struct zsr_shift e;
	unsigned i, k, n = 0, below = 0, above = 0;

	for (i = 0; i < 10; i++)
		d[i] = (double)(i * i) - 17.3;
	for (i = 0; i < 10; i++)
		for (k = i; k < 10; k++)
			mean[n++] = (d[i] + d[k]) / 2;
	ck_assert_int_eq(zsr_paired_test(d, 10, 0.05, &e), 0);
	for (i = 0; i < 55; i++) {
		below += mean[i] < e.low;
		above += mean[i] > e.high;
	}
	ck_assert_uint_eq(below, 8);
	ck_assert_uint_eq(above, 8);
}
END_TEST

/* The normal distribution takes over where the exact one leaves off. */
START_TEST(many)
{
	static double d[1000];
	struct zsr_shift few, lot;
	unsigned i;

	rng.state = 7;
	for (i = 0; i < 1000; i++)
		d[i] = normal() + 0.15;
	ck_assert_int_eq(zsr_paired_test(d, 200, 0.05, &few), 0);
	ck_assert_int_eq(zsr_paired_test(d, 201, 0.05, &lot), 0);
	ck_assert_double_eq_tol(few.p, lot.p, 0.3 * few.p);
	ck_assert_int_eq(zsr_paired_test(d, 1000, 0.05, &lot), 0);
	ck_assert_double_lt(lot.p, 1e-3);
	ck_assert_double_lt(lot.low, 0.15);
	ck_assert_double_gt(lot.high, 0.15);
}
END_TEST

/*
 * Two runs a round on a machine that drifts (each disturbance decays over some
 * ten runs), has spikes, and is slower for the second of the two; the order is
 * drawn. PLANTED is how much slower one policy is.
 */
static unsigned found(double planted, double noise)
{
	double d[ROUNDS], drift = 0, x[2];
	unsigned trial, i, k, second, nr = 0;
	struct zsr_shift e;

	for (trial = 0; trial < TRIALS; trial++) {
		for (i = 0; i < ROUNDS; i++) {
			second = zsr_rng_below(&rng, 2);
			for (k = 0; k < 2; k++) {
				drift = 0.9 * drift + noise * normal();
				x[k] = drift + noise / 2 * normal();
				if (!zsr_rng_below(&rng, 20))
					x[k] += uniform();
				x[k] += k ? 0.03 : 0;
			}
			d[i] = x[second] + planted - x[!second];
		}
		ck_assert_int_eq(zsr_paired_test(d, ROUNDS, 0.05, &e), 0);
		nr += e.p <= 0.05;
	}
	return nr;
}

START_TEST(false_alarms)
{
	static const double noise[] = { 0.001, 0.02, 0.1 };
	unsigned i;

	/* The 99.99 % bound of so many throws of a coin of 1 in 20. */
	rng.state = 1;
	for (i = 0; i < 3; i++) {
		unsigned nr = found(0, noise[i]);

		ck_assert_uint_le(nr, 100 + 37);
		ck_assert_uint_ge(nr, 40); /* nor is it for nothing */
	}
}
END_TEST

START_TEST(slowdowns)
{
	rng.state = 2;
	ck_assert_uint_ge(found(0.05, 0.02), TRIALS * 90 / 100);
}
END_TEST

/* ---- columns ------------------------------------------------------------- */

static struct zsr_run *host_run(const char *policy, unsigned round,
				const char *order, uint64_t caller_ns)
{
	struct zsr_run *r = made_run(policy, "");
	static int64_t id;
	char *text;

	snprintf(r->clock, sizeof(r->clock), "host");
	snprintf(r->profile, sizeof(r->profile), "host");
	ck_assert_int_gt(
		asprintf(&text, "# host\nbegan = 1\norder = %s\n", order), 0);
	free(r->profile_text);
	r->profile_text = text;
	r->seed = round;
	r->id = ++id;
	r->v.tasks = 1;
	r->v.frees = r->v.mallocs = 100;
	r->v.caller_mean_ns = r->v.cpu_caller_ns = caller_ns;
	return r;
}

/* ROUNDS of sync at about 1 ms, of another one SLOWER ns above. */
static void compare(struct zsr_analysis *a, unsigned nr, const char *order,
		    uint64_t slower, bool every)
{
	const struct zsr_analyze_opts opts = { .every_run = every };
	const struct zsr_trace *traces[2 * ROUNDS] = { NULL };
	const struct zsr_run *runs[2 * ROUNDS];
	struct zsr_err err;
	unsigned i;

	for (i = 0; i < nr; i++) {
		runs[2 * i] = host_run("sync", i + 1, order,
				       1000000 + 1000 * (i * 7 % 13));
		runs[2 * i + 1] = host_run("other", i + 1, order,
					   1000000 + slower +
						   1000 * (i * 7 % 13) +
						   50 * (i * 5 % 11));
	}
	ck_assert_int_eq(zsr_analyze(runs, traces, 2 * nr, &opts, a, &err), 0);
	for (i = 0; i < 2 * nr; i++)
		made_free((struct zsr_run *)runs[i]);
	ck_assert_uint_eq(a->nr, 1);
}

static bool noted(const struct zsr_analysis *a, const char *text)
{
	size_t i;

	for (i = 0; i < a->cmp[0].notes.nr; i++)
		if (strstr(a->cmp[0].notes.line[i], text))
			return true;
	return false;
}

START_TEST(columns)
{
	struct zsr_analysis a;

	compare(&a, 15, "drawn", 100000, false);
	ck_assert_uint_eq(a.cmp[0].nr_cols, 2);
	ck_assert_uint_eq(a.cmp[0].col[0].tested.nr_runs, 15);
	ck_assert_uint_eq(a.cmp[0].col[1].tested.nr_rounds, 15);
	ck_assert(a.cmp[0].col[1].tested.caller_differs);
	ck_assert_double_eq_tol(expm1(a.cmp[0].col[1].tested.caller.mid), 0.1,
				0.01);
	/* The median one. */
	ck_assert_uint_eq(zsr_column_value(&a.cmp[0].col[0], "caller_mean_ns"),
			  1006000);
	ck_assert_str_eq(a.cmp[0].col[1].label, "other");
	ck_assert(noted(&a, "a difference"));
	zsr_analysis_free(&a);
	compare(&a, 15, "drawn", 0, true);
	ck_assert_uint_eq(a.cmp[0].nr_cols, 30);
	zsr_analysis_free(&a);
	/* Five of one sign prove nothing. */
	compare(&a, 5, "drawn", 100000, false);
	ck_assert(!a.cmp[0].col[1].tested.caller_differs);
	ck_assert(noted(&a, "no difference shown"));
	ck_assert(noted(&a, "7 are needed"));
	ck_assert_ptr_nonnull(strstr(a.cmp[0].verdict.line[1],
				     "5 rounds show no difference"));
	zsr_analysis_free(&a);
	/* One policy after the other: drift would be taken for a difference. */
	compare(&a, 15, "by policy", 100000, false);
	ck_assert_uint_eq(a.cmp[0].col[1].tested.nr_rounds, 0);
	ck_assert(noted(&a, "machine's noise"));
	zsr_analysis_free(&a);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("paired");
	TCase *tcase = tcase_create("paired");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, chances);
	tcase_add_test(tcase, intervals);
	tcase_add_test(tcase, many);
	tcase_add_test(tcase, false_alarms);
	tcase_add_test(tcase, slowdowns);
	tcase_add_test(tcase, columns);
	tcase_set_timeout(tcase, 120);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
