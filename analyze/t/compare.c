// SPDX-License-Identifier: GPL-2.0-only
/* What stands beside what: grouping, labels, rows, text, JSON, verdict. */
#include <jansson.h>
#include <string.h>

#include "analyze/t/runs.h"
#include "tests/check.h"

static struct zsr_analysis analyze(struct zsr_run **runs, size_t nr,
				   const struct zsr_trace *t, bool drop,
				   size_t nr_px)
{
	const struct zsr_trace **traces = calloc(nr, sizeof(*traces));
	struct zsr_analyze_opts opts = { .drop_repeats = drop, .nr_px = nr_px };
	struct zsr_analysis a;
	struct zsr_err err = { 0 };
	size_t i;

	for (i = 0; i < nr; i++)
		traces[i] = t;
	ck_assert_msg(!zsr_analyze((const struct zsr_run *const *)runs, traces,
				   nr, &opts, &a, &err),
		      "%s", err.msg);
	free(traces);
	return a;
}

static const char *find_cell(const struct zsr_compare *c, const char *head,
			     const char *label, size_t col)
{
	bool in = false;
	size_t i;

	for (i = 0; i < c->nr_rows; i++) {
		if (c->row[i].kind == ZSR_ROW_HEAD)
			in = strstr(c->row[i].label, head) != NULL;
		else if (in && !strcmp(c->row[i].label, label))
			return c->row[i].cell[col];
	}
	return NULL;
}

static const char *cell(const struct zsr_compare *c, const char *head,
			const char *label, size_t col)
{
	const char *s = find_cell(c, head, label, col);

	ck_assert_msg(s, "no row %s / %s", head, label);
	return s;
}

static struct zsr_lines text_of(const struct zsr_compare *c, size_t width)
{
	struct zsr_lines l = { 0 };
	struct zsr_err err = { 0 };

	ck_assert(!zsr_compare_head(c, width, &l, &err));
	ck_assert(!zsr_compare_table(c, width, &l, &err));
	ck_assert(!zsr_compare_notes(c, width, &l, &err));
	return l;
}

static bool says(const struct zsr_lines *l, const char *what)
{
	size_t i;

	for (i = 0; i < l->nr; i++)
		if (strstr(l->line[i], what))
			return true;
	return false;
}

START_TEST(rows)
{
	struct zsr_run *r[] = {
		made_policy("deferred", "pool=64", 4000000, 16000000, 40000, 0),
		made_policy("sync", "", 12000000, 12000000, 0, 0),
	};
	struct zsr_trace t = made_trace();
	struct zsr_analysis a = analyze(r, 2, &t, false, 0);
	struct zsr_compare *c = &a.cmp[0];

	ck_assert_uint_eq(a.nr, 1);
	ck_assert_str_eq(c->col[0].label, "sync"); /* moved to the front */
	ck_assert_str_eq(c->col[1].label, "deferred");
	ck_assert_str_eq(cell(c, "caller time", "max", 0), "12.0 ms");
	ck_assert_str_eq(cell(c, "caller time", "x sync", 0), "1.00x");
	ck_assert_str_eq(cell(c, "caller time", "max", 1), "4.00 ms");
	ck_assert_str_eq(cell(c, "caller time", "x sync", 1), "0.33x");
	ck_assert_str_eq(cell(c, "one free", "fallbacks", 1), "812");
	ck_assert_str_eq(cell(c, "one free", "of all frees", 1), "1.24 %");
	ck_assert_str_eq(cell(c, "pages back", "50 %", 1), "8.00 ms");
	ck_assert_str_eq(cell(c, "pages back", "100 %", 1), "16.0 ms");
	ck_assert_str_eq(cell(c, "pages back", "x sync", 1), "1.33x");
	/* 8000 + 1333.333 + 16000 + 800 + 300 us */
	ck_assert_str_eq(cell(c, "CPU", "total", 1), "26.4 ms");
	zsr_analysis_free(&a);
	made_free(r[0]);
	made_free(r[1]);
}
END_TEST

START_TEST(never)
{
	struct zsr_run *r[] = {
		made_policy("sync", "", 12000000, 12000000, 0, 0),
		made_policy("deferred", "", 4000000, 16000000, 40000, 512),
	};
	struct zsr_trace t = made_trace();
	struct zsr_analysis a = analyze(r, 2, &t, false, 0);
	struct zsr_lines l = text_of(&a.cmp[0], ZSR_MAIL_WIDTH);
	char *json;
	struct zsr_err err = { 0 };
	json_t *root, *run;

	ck_assert_str_eq(cell(&a.cmp[0], "pages back", "100 %", 1), "never");
	ck_assert_str_eq(cell(&a.cmp[0], "pages back", "x sync", 1), "-");
	ck_assert(says(&l, "deferred: never 100 % before teardown"));
	ck_assert(says(&a.cmp[0].notes, "512 entries stranded"));
	ck_assert(says(&l, "under emulation"));
	ck_assert(
		says(&a.cmp[0].verdict, "does not come back before teardown"));
	ck_assert(!zsr_analysis_json(&a, &json, &err));
	root = json_loads(json, 0, NULL);
	run = json_array_get(json_object_get(root, "runs"), 1);
	ck_assert(json_is_null(json_object_get(run, "at_100_ns")));
	ck_assert_int_eq(json_integer_value(json_object_get(run, "at_90_ns")),
			 14400000);
	ck_assert_int_eq(
		json_integer_value(json_object_get(run, "held_peak_bytes")),
		(json_int_t)r[1]->v.held_peak_pages * 4096);
	ck_assert_str_eq(
		json_string_value(json_object_get(run, "result_digest")),
		r[1]->digest);
	json_decref(root);
	free(json);
	zsr_lines_free(&l);
	zsr_analysis_free(&a);
	made_free(r[0]);
	made_free(r[1]);
}
END_TEST

START_TEST(verdict)
{
	struct zsr_run *r[] = {
		made_policy("sync", "", 12000000, 12000000, 0, 0),
		made_policy("deferred", "", 4000000, 16000000, 40000, 0),
		made_policy("same", "", 12000000, 12000000, 0, 0),
	};
	struct zsr_trace t = made_trace();
	struct zsr_analysis a = analyze(r, 3, &t, false, 0);
	const struct zsr_lines *v = &a.cmp[0].verdict;

	ck_assert_uint_eq(v->nr, 3);
	ck_assert_ptr_nonnull(strstr(v->line[0],
				     "100 % of pages back: sync and same, "
				     "12.0 ms"));
	ck_assert_ptr_nonnull(strstr(v->line[0],
				     "Soonest back to its caller: deferred, "
				     "3.80 ms"));
	ck_assert_ptr_nonnull(
		strstr(v->line[1], "deferred: callers return 3.00x sooner"));
	ck_assert_ptr_nonnull(strstr(v->line[1], "comes back 33.3 % later"));
	ck_assert_ptr_nonnull(strstr(v->line[1], "total CPU -5.60 %"));
	ck_assert_ptr_nonnull(
		strstr(v->line[2], "return as soon as with sync"));
	ck_assert_ptr_nonnull(strstr(v->line[2], "total CPU is the same"));
	zsr_analysis_free(&a);
	a = analyze(r + 1, 1, &t, false, 0);
	ck_assert(says(&a.cmp[0].verdict, "Nothing to compare it with"));
	zsr_analysis_free(&a);
	made_free(r[0]);
	made_free(r[1]);
	made_free(r[2]);
}
END_TEST

/* Steps and lock waits are summed by kind; a run without them has no rows. */
START_TEST(where_time_went)
{
	static const struct zsr_run_step steps[] = {
		{ "caller", "slot", 1000000 },
		{ "caller", "obj_free", 2000000 },
		{ "worker", "handle_free", 500000 },
		{ "worker", "page_free", 4000000 },
		{ "caller", "spin_lock", 70000 },
		{ "worker", "pop", 30000 },
	};
	static const struct zsr_run_lock locks[] = {
		{ "class", 640, 10, 5, 6000000, 0 },
		{ "class", 656, 10, 5, 1000000, 0 },
		{ "queue", 0, 10, 5, 20000, 0 },
	};
	struct zsr_run *r[] = {
		made_policy("sync", "", 12000000, 12000000, 0, 0),
		made_policy("deferred", "", 4000000, 16000000, 40000, 0),
	};
	struct zsr_trace t = made_trace();
	struct zsr_analysis a = analyze(r, 2, &t, false, 0);

	ck_assert_ptr_null(find_cell(&a.cmp[0], "waits for", "class locks", 0));
	zsr_analysis_free(&a);
	r[1]->steps = malloc(sizeof(steps));
	memcpy(r[1]->steps, steps, sizeof(steps));
	r[1]->nr_steps = ZSR_ARRAY_SIZE(steps);
	r[1]->locks = malloc(sizeof(locks));
	memcpy(r[1]->locks, locks, sizeof(locks));
	r[1]->nr_locks = ZSR_ARRAY_SIZE(locks);
	r[1]->v.cpu_queueing_ns = 5000;
	a = analyze(r, 2, &t, false, 0);
	ck_assert_str_eq(cell(&a.cmp[0], "by step", "slot", 0), "0");
	ck_assert_str_eq(cell(&a.cmp[0], "by step", "slot", 1), "1.00 ms");
	ck_assert_str_eq(cell(&a.cmp[0], "by step", "object, handle", 1),
			 "2.50 ms");
	ck_assert_str_eq(cell(&a.cmp[0], "by step", "zspage return", 1),
			 "4.00 ms");
	ck_assert_str_eq(cell(&a.cmp[0], "by step", "locks, no waits", 1),
			 "70.0 us");
	ck_assert_str_eq(cell(&a.cmp[0], "waits for", "class locks", 1),
			 "7.00 ms");
	ck_assert_str_eq(cell(&a.cmp[0], "waits for", "queue's locks", 1),
			 "20.0 us");
	ck_assert_ptr_null(find_cell(&a.cmp[0], "waits for", "pool lock", 1));
	zsr_analysis_free(&a);
	made_free(r[0]);
	made_free(r[1]);
}
END_TEST

/* What no kernel could do is compared, and wins nothing. */
START_TEST(bound)
{
	struct zsr_run *r[] = {
		made_policy("sync", "", 12000000, 12000000, 0, 0),
		made_policy("ideal", "", 1000000, 1000000, 0, 0),
		made_policy("deferred", "", 4000000, 16000000, 40000, 0),
	};
	struct zsr_trace t = made_trace();
	struct zsr_analysis a = analyze(r, 3, &t, false, 0);
	const struct zsr_lines *v = &a.cmp[0].verdict;

	ck_assert_ptr_nonnull(
		strstr(v->line[0], "Soonest back to its caller: deferred"));
	ck_assert_ptr_nonnull(
		strstr(v->line[0], "100 % of pages back: sync, 12.0 ms"));
	ck_assert_ptr_null(strstr(v->line[0], "ideal"));
	ck_assert_ptr_nonnull(
		strstr(v->line[1], "ideal (no kernel could): callers return"));
	zsr_analysis_free(&a);
	a = analyze(r, 2, &t, false, 0);
	ck_assert(!says(&a.cmp[0].verdict, "Soonest"));
	zsr_analysis_free(&a);
	made_free(r[0]);
	made_free(r[1]);
	made_free(r[2]);
}
END_TEST

/* Load, compactions, short memory: each has its rows where something comes of
 * it in any run, and its head with them. */
START_TEST(what_else_went_on)
{
	static const char moved[] = "what compactions moved",
			  load[] = "what load did not get";
	struct zsr_run *r[] = {
		made_policy("sync", "", 12000000, 12000000, 0, 0),
		made_policy("deferred", "", 4000000, 16000000, 40000, 0),
	};
	struct zsr_trace t = made_trace();
	struct zsr_analysis a = analyze(r, 2, &t, false, 0);
	struct zsr_compare *c = &a.cmp[0];
	struct zsr_lines l = text_of(c, ZSR_MAIL_WIDTH);

	ck_assert(!says(&l, moved) && !says(&l, load));
	ck_assert(!says(&l, "slots reused") && !says(&l, "pages refused"));
	ck_assert(!says(&l, "mallocs failed"));
	zsr_lines_free(&l);
	zsr_analysis_free(&a);

	/* What ran without any loss, or moved nothing, has no row. */
	r[0]->v.load_cpu_ns = r[1]->v.load_rt_ns = 5;
	r[0]->v.load_mem_pages = r[1]->v.compactions = 5;
	a = analyze(r, 2, &t, false, 0);
	l = text_of(&a.cmp[0], ZSR_MAIL_WIDTH);
	ck_assert(!says(&l, moved) && !says(&l, load));
	zsr_lines_free(&l);
	zsr_analysis_free(&a);

	r[1]->v.load_cpu_lost_ns = 1500000;
	r[0]->v.load_mem_stalls = 1234;
	r[0]->v.load_mem_stall_ns = 20000000;
	r[0]->v.load_mem_stall_max_ns = 30000;
	r[1]->v.compact_moved_bytes = 3 << 19;
	r[1]->v.compact_dead_bytes = 512;
	r[1]->v.slots_reused = 7;
	r[1]->v.malloc_failed = 8;
	r[0]->v.pages_refused = 9;
	a = analyze(r, 2, &t, false, 0);
	c = &a.cmp[0];
	l = text_of(c, ZSR_MAIL_WIDTH);
	ck_assert_str_eq(cell(c, load, "CPU, computing", 0), "0");
	ck_assert_str_eq(cell(c, load, "CPU, computing", 1), "1.50 ms");
	ck_assert_ptr_null(find_cell(c, load, "CPU, real-time", 0));
	ck_assert_str_eq(cell(c, load, "memory stalls", 0), "1,234");
	ck_assert_str_eq(cell(c, load, "stalled", 0), "20.0 ms");
	ck_assert_str_eq(cell(c, load, "longest stall", 0), "30.0 us");
	ck_assert_str_eq(cell(c, moved, "all", 1), "1.50 MiB");
	ck_assert_str_eq(cell(c, moved, "of dead objects", 1), "512 B");
	ck_assert_str_eq(cell(c, "memory", "slots reused", 1), "7");
	ck_assert_str_eq(cell(c, "memory", "mallocs failed", 1), "8");
	ck_assert_str_eq(cell(c, "memory", "pages refused", 0), "9");
	ck_assert_str_eq(cell(c, "memory", "pages refused", 1), "0");
	ck_assert(says(&l, moved) && says(&l, load));
	zsr_lines_free(&l);
	zsr_analysis_free(&a);
	made_free(r[0]);
	made_free(r[1]);
}
END_TEST

/* The same policy with other parameters or on another machine stays apart and
 * says how; an exact repeat is dropped only when asked for. */
START_TEST(labels)
{
	struct zsr_run *r[] = {
		made_policy("sync", "", 12000000, 12000000, 0, 0),
		made_policy("deferred", "pool-pages=64 batch=32", 4000000,
			    16000000, 40000, 0),
		made_policy("deferred", "pool-pages=128 batch=32", 3000000,
			    16000000, 40000, 0),
		made_policy("sync", "", 12000000, 12000000, 0, 0),
	};
	struct zsr_trace t = made_trace();
	struct zsr_analysis a;
	size_t i;

	for (i = 0; i < 4; i++)
		r[i]->id = (int64_t)i + 1;
	a = analyze(r, 4, &t, true, 0);
	ck_assert_uint_eq(a.cmp[0].nr_cols, 3);
	ck_assert_str_eq(a.cmp[0].col[0].label, "sync");
	ck_assert_int_eq(a.cmp[0].col[0].id, 4); /* the later one */
	ck_assert_str_eq(a.cmp[0].col[1].label, "deferred pool-pages=64");
	ck_assert_str_eq(a.cmp[0].col[2].label, "deferred pool-pages=128");
	zsr_analysis_free(&a);

	a = analyze(r, 4, &t, false, 0);
	ck_assert_uint_eq(a.cmp[0].nr_cols, 4);
	ck_assert_str_eq(a.cmp[0].col[0].label, "sync #1");
	ck_assert_str_eq(a.cmp[0].col[3].label, "sync #4");
	zsr_analysis_free(&a);

	r[3]->cpus = 2;
	a = analyze(r, 4, &t, true, 0);
	ck_assert_str_eq(a.cmp[0].col[0].label, "sync cpus=4");
	ck_assert_str_eq(a.cmp[0].col[3].label, "sync cpus=2");
	zsr_analysis_free(&a);
	for (i = 0; i < 4; i++)
		made_free(r[i]);
}
END_TEST

/* Another trace or another clock is another comparison. */
START_TEST(groups)
{
	struct zsr_run *r[] = {
		made_policy("sync", "", 12000000, 12000000, 0, 0),
		made_policy("sync", "", 12000000, 12000000, 0, 0),
		made_policy("deferred", "", 12000000, 12000000, 0, 0),
	};
	struct zsr_analysis a;

	strcpy(r[1]->clock, "host");
	r[2]->trace_digest[0] = 'b';
	a = analyze(r, 3, NULL, true, 0);
	ck_assert_uint_eq(a.nr, 3);
	ck_assert(says(&a.cmp[0].notes, "no longer in the database"));
	ck_assert(says(&a.cmp[1].notes, "Host clock"));
	zsr_analysis_free(&a);
	made_free(r[0]);
	made_free(r[1]);
	made_free(r[2]);
}
END_TEST

/* Whatever a database holds: no line is wider than it may be, the JSON can be
 * parsed and holds the integers of the run. */
START_TEST(random_runs)
{
	struct zsr_rng rng = { (uint64_t)_i };
	struct zsr_run *r[13];
	size_t nr = 1 + zsr_rng_below(&rng, 13), i, k;
	size_t width = ZSR_MAIL_WIDTH + zsr_rng_below(&rng, 40);
	struct zsr_trace t = made_trace();
	struct zsr_err err = { 0 };
	struct zsr_analysis a;
	char *json, *csv;
	json_t *root, *runs;

	for (i = 0; i < nr; i++)
		r[i] = made_random(&rng);
	a = analyze(r, nr, &t, false, 97);
	ck_assert_uint_eq(a.nr, 1);
	for (k = 0; k < a.nr; k++) {
		struct zsr_lines l = text_of(&a.cmp[k], width);

		for (i = 0; i < l.nr; i++) {
			ck_assert_msg(zsr_text_width(l.line[i]) <= width,
				      "seed %d: %zu > %zu: %s", _i,
				      zsr_text_width(l.line[i]), width,
				      l.line[i]);
			ck_assert_ptr_null(strpbrk(l.line[i], "\n\t\x01"));
		}
		zsr_lines_free(&l);
	}
	ck_assert(!zsr_analysis_json(&a, &json, &err));
	root = json_loads(json, 0, NULL);
	ck_assert_ptr_nonnull(root);
	runs = json_object_get(root, "runs");
	ck_assert_uint_eq(json_array_size(runs), nr);
	for (i = 0; i < nr; i++) {
		json_t *v = json_object_get(json_array_get(runs, i), "mallocs");
		uint64_t n = json_is_string(v)
				     ? strtoull(json_string_value(v), NULL, 10)
				     : (uint64_t)json_integer_value(v);

		ck_assert_uint_eq(n, a.cmp[0].col[i].value[1]);
	}
	ck_assert(!zsr_analysis_csv(&a, &csv, &err));
	for (i = 0, k = 0; csv[k]; k++)
		i += csv[k] == '\n';
	ck_assert_uint_eq(i, nr + 1);
	json_decref(root);
	free(json);
	free(csv);
	zsr_analysis_free(&a);
	for (i = 0; i < nr; i++)
		made_free(r[i]);
}
END_TEST

START_TEST(forms)
{
	char b[ZSR_FMT_LEN];
	struct zsr_lines l = { 0 };

	ck_assert_str_eq(zsr_fmt_ratio(b, 1, 3), "0.33x");
	ck_assert_str_eq(zsr_fmt_ratio(b, 31, 3), "10.3x");
	ck_assert_str_eq(zsr_fmt_ratio(b, 1, 1000), "0.0010x");
	ck_assert_str_eq(zsr_fmt_ratio(b, 1, 0), "-");
	ck_assert_str_eq(zsr_fmt_percent(b, 0, 10), "0 %");
	ck_assert_str_eq(zsr_fmt_percent(b, 1, 1000000), "<0.01 %");
	ck_assert_str_eq(zsr_fmt_percent(b, 1, 8), "12.5 %");
	ck_assert_str_eq(zsr_fmt_page_size(b, 16384), "16 KiB");
	ck_assert_uint_eq(zsr_text_width("d\xc3\xa9"
					 "a"),
			  3);
	ck_assert(!zsr_lines_wrap(&l, 10, 2, "one two three abcdefghijklm"));
	ck_assert_uint_eq(l.nr, 4);
	ck_assert_str_eq(l.line[0], "one two");
	ck_assert_str_eq(l.line[1], "  three");
	ck_assert_str_eq(l.line[2], "  abcdefgh");
	ck_assert_str_eq(l.line[3], "  ijklm");
	zsr_lines_free(&l);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("compare");
	TCase *tcase = tcase_create("compare");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, rows);
	tcase_add_test(tcase, never);
	tcase_add_test(tcase, verdict);
	tcase_add_test(tcase, bound);
	tcase_add_test(tcase, where_time_went);
	tcase_add_test(tcase, what_else_went_on);
	tcase_add_test(tcase, labels);
	tcase_add_test(tcase, groups);
	tcase_add_test(tcase, forms);
	tcase_add_loop_test(tcase, random_runs, 0, 300);
	suite_add_tcase(suite, tcase);
	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
