// SPDX-License-Identifier: GPL-2.0-only
/* What figures are made of: maps on one scale, classes in groups, the cost tree
 * that adds up, locks by kind, sweeps with their knee, what a profile rests on. */
#include "analyze/t/runs.h"
#include "tests/check.h"

static struct zsr_trace trace;

static bool posted(const char *policy, const char *param, uint64_t *value)
{
	*value = strcmp(param, "pool-pages") ? 0 : 8;
	return !strcmp(policy, "deferred");
}

static struct zsr_analysis analyze(struct zsr_run **r, size_t nr)
{
	struct zsr_analyze_opts opts = { .nr_px = 64, .posted = posted };
	const struct zsr_trace *traces[16];
	struct zsr_analysis a;
	struct zsr_err err = { 0 };
	size_t i;

	trace = made_trace();
	for (i = 0; i < nr; i++)
		traces[i] = &trace;
	ck_assert_msg(!zsr_analyze((const struct zsr_run *const *)r, traces, nr,
				   &opts, &a, &err),
		      "%s", err.msg);
	return a;
}

static void done(struct zsr_analysis *a, struct zsr_run **r, size_t nr)
{
	zsr_analysis_free(a);
	while (nr--)
		made_free(r[nr]);
}

/* Columns are as long in all maps, and no release is lost by that. */
START_TEST(maps)
{
	struct zsr_run *r[] = { made_run("sync", ""), made_run("array", "") };
	struct zsr_grid *g;
	struct zsr_analysis a;
	const struct zsr_map *m;
	uint32_t i;

	g = made_grid(r[0], ZSR_GRID_latency, 2, 10, 1024);
	g->row[0] = 512;
	g->row[1] = 640;
	for (i = 0; i < 20; i++)
		g->cell[i] = i;
	g = made_grid(r[1], ZSR_GRID_latency, 1, 3, 4096);
	g->cell[1] = 7;
	a = analyze(r, 2);
	m = &a.cmp[0].col[0].map;
	ck_assert_uint_eq(m->step_ns, 4096);
	ck_assert_uint_eq(m->nr_cols, 3);
	ck_assert_uint_eq(m->nr_rows, 2);
	ck_assert_uint_eq(m->cell[0], 0 + 1 + 2 + 3);
	ck_assert_uint_eq(m->cell[2], 8 + 9);
	ck_assert_uint_eq(m->cell[3], 10 + 11 + 12 + 13);
	ck_assert_uint_eq(a.cmp[0].col[1].map.nr_cols, 3);
	ck_assert_uint_eq(a.cmp[0].map_max, 14 + 15 + 16 + 17);
	done(&a, r, 2);
}
END_TEST

/* Used and unused bytes are those of the pages; groups have like weight. */
START_TEST(filling)
{
	struct zsr_run *r[] = { made_policy("sync", "", 9000000, 9000000, 0, 0) };
	const struct zsr_filling *f;
	const struct zsr_grid *p;
	struct zsr_analysis a;
	uint64_t sum, pages;
	size_t k, i;
	uint32_t c;

	made_details(r[0]);
	p = &r[0]->grid[ZSR_GRID_pages];
	a = analyze(r, 1);
	f = &a.cmp[0].col[0].filling;
	ck_assert_uint_eq(a.cmp[0].nr_sizes, ZSR_MOST_SIZES);
	ck_assert_uint_eq(a.cmp[0].sizes[0].low, 640);
	ck_assert_uint_eq(a.cmp[0].sizes[3].high, 6 * 640);
	ck_assert_uint_eq(f->nr, p->nr_cols);
	for (k = 0; k < f->nr; k++) {
		sum = f->at[k].unused;
		for (i = 0; i < ZSR_MOST_SIZES; i++)
			sum += f->at[k].used[i];
		for (pages = 0, c = 0; c < p->nr_rows; c++)
			pages += p->cell[c * p->nr_cols + k];
		ck_assert_uint_eq(sum, pages * 4096);
		ck_assert_uint_le(f->at[k].unused, f->unused_max);
	}
	ck_assert_uint_eq(f->unused_max_ns, f->step_ns);
	done(&a, r, 1);
}
END_TEST

/* Each part is what its own parts are; all of it is cpu_total_ns. */
START_TEST(cost_tree)
{
	struct zsr_run *r[] = { made_policy("deferred", "", 4000000, 9000000,
					    4000, 0) };
	const struct zsr_column *col;
	struct zsr_analysis a;
	size_t i, k;

	made_details(r[0]);
	made_step(r[0], "store", "obj_free", 5000);
	r[0]->v.cpu_reuse_ns = 7000;
	r[0]->v.cpu_flush_ns = 11000;
	a = analyze(r, 1);
	col = &a.cmp[0].col[0];
	ck_assert_uint_eq(col->part[0].ns,
			  zsr_column_value(col, "cpu_total_ns"));
	for (i = 0; i < col->nr_parts; i++) {
		uint64_t sum = 0;
		unsigned depth = col->part[i].depth;

		for (k = i + 1; k < col->nr_parts && col->part[k].depth > depth;
		     k++)
			if (col->part[k].depth == depth + 1)
				sum += col->part[k].ns;
		if (k > i + 1)
			ck_assert_uint_eq(sum, col->part[i].ns);
	}
	done(&a, r, 1);
}
END_TEST

/* All class locks are one row, behind it the worst ones. */
START_TEST(locks)
{
	struct zsr_run *r[] = { made_run("sync", "") };
	const struct zsr_column *col;
	struct zsr_analysis a;
	unsigned i;

	made_lock(r[0], "pool", 0, 5, 50);
	for (i = 1; i <= 9; i++)
		made_lock(r[0], "class", 100 * i, i, 10 * i);
	made_lock(r[0], "zone", 0, 6, 60);
	a = analyze(r, 1);
	col = &a.cmp[0].col[0];
	ck_assert_uint_eq(col->nr_locks, 6);
	ck_assert_str_eq(col->lock[0].name, "zone");
	ck_assert_str_eq(col->lock[1].name, "pool");
	ck_assert_uint_eq(col->lock[2].wait_ns, 45);
	ck_assert_uint_eq(col->lock[2].hold_ns, 450);
	ck_assert_uint_eq(col->lock[2].acquired, 9000);
	ck_assert(!col->lock[2].part);
	ck_assert_str_eq(col->lock[3].name, "class 900");
	ck_assert(col->lock[3].part && col->lock[5].part);
	done(&a, r, 1);
}
END_TEST

/* Caller time falls steeply to 8 pages and not much behind: the knee. Runs that
 * differ in more, and a value given twice, are not in it; 0 stands apart where
 * it means that the policy works it out. */
START_TEST(sweeps)
{
	static const struct {
		const char *params;
		uint64_t mean_ns;
	} runs[] = {
		{ "pool-pages=32 workers=1", 100000 },
		{ "pool-pages=2 workers=1", 900000 },
		{ "pool-pages=8 workers=1", 150000 },
		{ "pool-pages=4 workers=1", 500000 },
		{ "pool-pages=16 workers=1", 120000 },
		{ "pool-pages=8 workers=1", 150000 },
		{ "pool-pages=8 workers=3", 150000 },
		{ "pool-pages=8 workers=0", 160000 },
		{ "pool-pages=8 workers=2", 155000 },
	};
	struct zsr_run *r[ZSR_ARRAY_SIZE(runs)];
	const struct zsr_sweep *s;
	struct zsr_analysis a;
	size_t i;

	for (i = 0; i < ZSR_ARRAY_SIZE(runs); i++) {
		r[i] = made_run("deferred", runs[i].params);
		r[i]->v.caller_mean_ns = runs[i].mean_ns;
	}
	a = analyze(r, ZSR_ARRAY_SIZE(runs));
	ck_assert_uint_eq(a.cmp[0].nr_sweeps, 2);
	s = &a.cmp[0].sweep[0];
	ck_assert_str_eq(s->param, "pool-pages");
	ck_assert_uint_eq(s->nr, 5);
	for (i = 0; i < 5; i++)
		ck_assert_uint_eq(s->x[i], 2u << i);
	ck_assert_uint_eq(s->knee, 2);
	ck_assert(s->has_posted);
	ck_assert_uint_eq(s->posted, 8);
	ck_assert_uint_eq(s->by_default, SIZE_MAX);
	s = &a.cmp[0].sweep[1];
	ck_assert_str_eq(s->param, "workers");
	ck_assert_uint_eq(s->nr, 3);
	ck_assert(!s->has_posted);
	ck_assert_uint_eq(s->by_default, 7);
	done(&a, r, ZSR_ARRAY_SIZE(runs));
}
END_TEST

/* A comment's tags stand for the values up to the next comment or gap. */
START_TEST(evidence)
{
	static const char profile[] = "# [pub] means published\n"
				      "\n"
				      "cpus = 4\n"
				      "# fitted [pub]\n"
				      "slot = 1 ns\n"
				      "obj_free = 2 ns\n"
				      "# split [pub] by [icount] and\n"
				      "# [assumed]\n"
				      "page_free = 3 ns\n"
				      "\n"
				      "last = 5\n";
	static const struct {
		const char *name;
		unsigned nr;
		uint64_t ns;
	} want[] = { { "", 2, 0 },
		     { "pub", 2, 30 },
		     { "pub+icount+assumed", 1, 7 } };
	struct zsr_run *r[] = { made_run("class-idx", ""),
				made_run("sync", "") };
	const struct zsr_fidelity *f;
	struct zsr_analysis a;
	size_t i;

	free(r[1]->profile_text);
	r[1]->profile_text = strdup(profile);
	made_step(r[1], "caller", "slot", 10);
	made_step(r[1], "caller", "obj_free", 15);
	made_step(r[1], "worker", "obj_free", 5);
	made_step(r[1], "caller", "page_free", 7);
	made_step(r[1], "caller", "spin_lock", 100);
	a = analyze(r, 2);
	f = &a.cmp[0].truth;
	/* No generation of locks: the nearest policy has no run. */
	ck_assert_str_eq(f->own_policy, "sync-6.1");
	ck_assert_uint_eq(f->own, SIZE_MAX);
	ck_assert_ptr_nonnull(strstr(f->untimed, "emulator"));
	ck_assert_uint_eq(f->col, 0);
	ck_assert_uint_eq(f->nr_evidence, ZSR_ARRAY_SIZE(want));
	for (i = 0; i < ZSR_ARRAY_SIZE(want); i++) {
		ck_assert_str_eq(f->evidence[i].name, want[i].name);
		ck_assert_uint_eq(f->evidence[i].nr, want[i].nr);
		ck_assert_uint_eq(f->evidence[i].ns, want[i].ns);
	}
	done(&a, r, 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("figures");
	TCase *tcase = tcase_create("figures");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, maps);
	tcase_add_test(tcase, filling);
	tcase_add_test(tcase, cost_tree);
	tcase_add_test(tcase, locks);
	tcase_add_test(tcase, sweeps);
	tcase_add_test(tcase, evidence);
	suite_add_tcase(suite, tcase);
	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
