// SPDX-License-Identifier: GPL-2.0-only
/*
 * compare --clocks: host rounds become a middle with an interval, policies are
 * matched with the latest virtual run of the same settings, a planted wrong
 * order is found and named, too few rounds show nothing.
 */
#include <math.h>

#include "analyze/t/runs.h"
#include "tests/check.h"

enum { MAX_RUNS = 100 };

static struct zsr_run *runs[MAX_RUNS];
static size_t nr_runs;
static struct zsr_err err;

static struct zsr_run *add(const char *policy, const char *clock, uint64_t ns)
{
	struct zsr_run *r = made_run(policy, "");

	snprintf(r->clock, sizeof(r->clock), "%s", clock);
	snprintf(r->arrival, sizeof(r->arrival), "asap");
	snprintf(r->profile, sizeof(r->profile), "%s",
		 strcmp(clock, "host") ? "this" : "host");
	zsr_hist_add(r->hist[ZSR_HIST_release], ns);
	r->v.frees = 1000;
	r->id = (int64_t)nr_runs + 1;
	r->seed = nr_runs + 1;
	ck_assert_uint_lt(nr_runs, MAX_RUNS);
	runs[nr_runs++] = r;
	return r;
}

/* ROUNDS on the host around NS, then what the virtual clock makes of it. */
static void policy(const char *name, unsigned rounds, uint64_t ns,
		   uint64_t predicted)
{
	unsigned i;

	for (i = 0; i < rounds; i++)
		add(name, "host", ns - rounds / 2 + i);
	add(name, "virtual", predicted);
}

static void forget(void)
{
	while (nr_runs)
		made_free(runs[--nr_runs]);
}

static struct zsr_clocks build(void)
{
	struct zsr_clocks c;
	int ret = zsr_clocks_build((const struct zsr_run *const *)runs, nr_runs,
				   &c, &err);

	ck_assert_msg(!ret, "%s", err.msg);
	return c;
}

static const struct zsr_clocks_row *row_of(const struct zsr_clocks *c,
					   const char *name)
{
	size_t i;

	for (i = 0; i < c->nr_rows; i++)
		if (!strcmp(c->row[i].policy, name))
			return &c->row[i];
	ck_abort_msg("no row %s", name);
}

START_TEST(right_order)
{
	const struct zsr_clocks_figure *f;
	struct zsr_clocks c;

	policy("sync", 9, 10000, 11000);
	policy("class-idx", 9, 8000, 8000);
	policy("deferred", 9, 2000, 1600);
	policy("ideal", 9, 9000, 1);
	c = build();
	ck_assert_uint_eq(c.nr_rows, 3); /* no bound */
	ck_assert_str_eq(c.row[0].policy, "deferred");
	ck_assert_str_eq(c.profile, "this");
	f = row_of(&c, "sync")->figure;
	ck_assert_double_eq_tol(f->host_ns, 10000, 1);
	ck_assert_double_ge(f->low_ns, 9996 - 1e-6);
	ck_assert_double_lt(f->low_ns, f->host_ns);
	ck_assert_double_gt(f->high_ns, f->host_ns);
	ck_assert_double_eq_tol(zsr_clocks_ratio(f), 1.1, 0.001);
	ck_assert_uint_eq(row_of(&c, "sync")->nr_rounds, 9);
	ck_assert_uint_eq(c.bar[ZSR_CLOCKS_CALLER].pairs, 3);
	ck_assert_uint_eq(c.bar[ZSR_CLOCKS_CALLER].nr_wrong, 0);
	/* 0, 0.1 and 0.2. */
	ck_assert_double_eq_tol(c.bar[ZSR_CLOCKS_CALLER].off, 0.1, 0.001);
	ck_assert(c.met);
	zsr_clocks_free(&c);
	forget();
}
END_TEST

START_TEST(planted)
{
	struct zsr_lines l = { 0 };
	struct zsr_clocks c;
	char *json = NULL;
	bool named = false;
	size_t i;

	policy("sync", 9, 10000, 10000);
	policy("class-idx", 9, 9000, 10500);
	c = build();
	ck_assert_uint_eq(c.bar[ZSR_CLOCKS_CALLER].pairs, 1);
	ck_assert_uint_eq(c.bar[ZSR_CLOCKS_CALLER].nr_wrong, 1);
	ck_assert(!c.met);
	ck_assert_int_eq(zsr_clocks_print(&c, ZSR_MAIL_WIDTH, &l, &err), 0);
	for (i = 0; i < l.nr; i++) {
		ck_assert_uint_le(zsr_text_width(l.line[i]), ZSR_MAIL_WIDTH);
		named |= !!strstr(l.line[i], "class-idx takes less than sync");
	}
	ck_assert(named);
	ck_assert_int_eq(zsr_clocks_json(&c, &json, &err), 0);
	ck_assert_ptr_nonnull(strstr(json, "\"met\": false"));
	free(json);
	zsr_lines_free(&l);
	zsr_clocks_free(&c);
	forget();
	/* The same totals, far off but in order: the other half of the bar. */
	policy("sync", 9, 10000, 16000);
	policy("class-idx", 9, 9000, 14000);
	c = build();
	ck_assert_uint_eq(c.bar[ZSR_CLOCKS_CALLER].nr_wrong, 0);
	ck_assert(!c.met);
	zsr_clocks_free(&c);
	forget();
}
END_TEST

START_TEST(few_rounds)
{
	struct zsr_clocks c;

	policy("sync", 4, 10000, 10000);
	policy("class-idx", 4, 5000, 5000);
	c = build();
	ck_assert(isinf(c.row[0].figure[0].high_ns));
	ck_assert_uint_eq(c.bar[ZSR_CLOCKS_CALLER].pairs, 0);
	ck_assert(!c.met);
	zsr_clocks_free(&c);
	forget();
}
END_TEST

/* Workers count in the second total only; the virtual run has to be of the same
 * settings, and is the latest of those. */
START_TEST(matched)
{
	struct zsr_clocks c;
	struct zsr_run *r;
	size_t i;

	policy("deferred", 7, 1000, 1500);
	add("deferred", "virtual", 1200);
	r = add("deferred", "virtual", 9);
	r->cpus++;
	r = add("deferred", "virtual", 9);
	snprintf(r->conditions, sizeof(r->conditions), "--load cpu=1");
	r = add("deferred", "virtual", 9);
	snprintf(r->arrival, sizeof(r->arrival), "closed");
	for (i = 0; i < nr_runs; i++)
		runs[i]->v.cpu_worker_ns = 3000;
	/* Displaced in every round. */
	for (i = 0; i < 7; i++) {
		zsr_hist_add(runs[i]->hist[ZSR_HIST_release], 50000);
		ck_assert_int_eq(
			zsr_run_count(runs[i], "host.displaced_ns", 50000), 0);
	}
	c = build();
	ck_assert_uint_eq(c.nr_rows, 1);
	ck_assert_uint_eq(c.row->figure[ZSR_CLOCKS_CALLER].virtual_ns, 1200);
	ck_assert_uint_eq(c.row->figure[ZSR_CLOCKS_CPU].virtual_ns, 4200);
	ck_assert_double_eq_tol(c.row->figure[ZSR_CLOCKS_CPU].host_ns, 4000, 2);
	zsr_clocks_free(&c);
	forget();
}
END_TEST

START_TEST(nothing)
{
	struct zsr_clocks c;

	ck_assert_int_eq(zsr_clocks_build(NULL, 0, &c, &err), -EINVAL);
	add("sync", "host", 1);
	ck_assert_int_eq(zsr_clocks_build((const struct zsr_run *const *)runs,
					  nr_runs, &c, &err),
			 -EINVAL);
	ck_assert_int_eq(err.kind, ZSR_ERR_INPUT);
	forget();
}
END_TEST

ZSR_TEST_MAIN("clocks", right_order, planted, few_rounds, matched, nothing)
