// SPDX-License-Identifier: GPL-2.0-only
/* Runs through the database and back, and the digest of their results. */
#include "db/t/gen.h"
#include "tests/check.h"

#define OK(expr) ck_assert_msg((expr) == 0, "%s: %s", #expr, e.msg)

static struct zsr_trace one_event(struct zsr_db *db)
{
	const struct zsr_event ev = { .size = 100 };
	const struct zsr_task task = { .pid = 1, .comm = "sh" };
	struct zsr_trace t = gen_facts("t");
	struct zsr_err e = { 0 };
	struct zsr_writer *w;

	OK(zsr_writer_begin(db, &t, &w, &e));
	OK(zsr_writer_task(w, &task, &e));
	OK(zsr_writer_row(w, ZSR_TABLE_POOLS, 0, "", "zram0", &e));
	OK(zsr_writer_add(w, &ev, 1, &e));
	OK(zsr_writer_commit(w, &t, &e));
	return t;
}

static void fill_run(struct zsr_run *run, const struct zsr_trace *t)
{
	struct zsr_err e = { 0 };
	uint64_t i;

	OK(zsr_run_init(run, &e));
	run->trace = t->id;
	strcpy(run->trace_name, t->name);
	strcpy(run->trace_digest, t->digest);
	strcpy(run->policy, "deferred");
	strcpy(run->clock, "virtual");
	strcpy(run->profile, "rpi4b");
	strcpy(run->engine, "6.12");
	strcpy(run->gaps, "recorded");
	strcpy(run->arrival, "asap");
	run->profile_text = strdup("ipi = 3us\n");
	run->params = strdup("batch=32");
	run->seed = UINT64_MAX;
	run->page_size = 4096;
	run->cpus = 4;
	run->v.caller_max_ns = 123456;
	run->v.at_100_ns = UINT64_MAX;
	for (i = 0; i < 5000; i++)
		zsr_hist_add(run->hist[ZSR_HIST_release], i * i * i);
	for (i = 0; i < ZSR_NR_RUN_SERIES; i++) {
		struct zsr_series *s = &run->series[i];
		uint64_t j;

		s->nr = 1000 * i;
		s->points = malloc((s->nr + 1) * sizeof(*s->points));
		for (j = 0; j < s->nr; j++)
			s->points[j] = (struct zsr_point){
				.t_ns = j * 1000 + i,
				.value = (j * 7919) % 1000,
			};
	}
	run->nr_releases = 2;
	run->releases = calloc(2, sizeof(*run->releases));
	run->releases[0] = (struct zsr_release){ 5, 10, 100, 1 };
	run->releases[1] = (struct zsr_release){ 7, 12, 99, 2 };
	zsr_run_digest(run);
}

START_TEST(runs)
{
	const char *path = gen_path();
	struct zsr_run run, again;
	struct zsr_err e = { 0 };
	struct zsr_trace t;
	struct zsr_db *db;
	int64_t *ids;
	size_t nr;

	OK(zsr_db_open(&db, path, ZSR_DB_CREATE, &e));
	ck_assert_int_lt(zsr_run_ids(db, 0, &ids, &nr, &e), 0);
	ck_assert_int_eq(e.kind, ZSR_ERR_INPUT);
	t = one_event(db);
	fill_run(&run, &t);
	ck_assert_int_eq(zsr_run_count(&run, "host.task.0.cycles", 12345), 0);
	OK(zsr_run_store(db, &run, &e));
	ck_assert_int_eq(run.id, 1);
	OK(zsr_run_store(db, &run, &e));
	OK(zsr_run_load(db, 2, &again, &e));
	zsr_run_digest(&again);
	ck_assert_str_eq(run.digest, again.digest);
	ck_assert_mem_eq(&run.v, &again.v, sizeof(run.v));
	ck_assert_str_eq(again.profile_text, "ipi = 3us\n");
	ck_assert_str_eq(again.params, "batch=32");
	ck_assert_uint_eq(again.seed, UINT64_MAX);
	ck_assert_uint_eq(again.nr_counters, 1);
	ck_assert_str_eq(again.counters[0].name, "host.task.0.cycles");
	ck_assert_uint_eq(again.counters[0].value, 12345);
	ck_assert_uint_eq(again.series[3].nr, 3000);
	ck_assert_mem_eq(again.hist[0], run.hist[0], sizeof(*run.hist[0]));
	zsr_run_free(&again);
	OK(zsr_run_ids(db, 0, &ids, &nr, &e));
	ck_assert_uint_eq(nr, 2);
	ck_assert_int_eq(ids[0], 1);
	free(ids);
	ck_assert_int_lt(zsr_run_load(db, 3, &again, &e), 0);
	ck_assert_int_lt(zsr_run_ids(db, t.id + 1, &ids, &nr, &e), 0);
	/* Another result, another digest. */
	run.v.stranded++;
	zsr_run_digest(&run);
	OK(zsr_run_load(db, 2, &again, &e));
	ck_assert_str_ne(run.digest, again.digest);
	zsr_run_free(&again);
	zsr_run_free(&run);
	zsr_db_close(db);
	gen_cleanup(path);
}
END_TEST

ZSR_TEST_MAIN("db/runs", runs)
