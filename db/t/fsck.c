// SPDX-License-Identifier: GPL-2.0-only
/* zsr_db_fsck() where a checksum does not help: a byte of a chunk or of a run's
 * data that is changed, with a checksum that fits, is noticed as the content
 * does not give the digest. */
#include <sqlite3.h>
#include <xxhash.h>

#include "db/t/feed.h"

static int count(void *ctx, const char *line)
{
	++*(int *)ctx;
	return 0;
}

static uint64_t faults(struct zsr_db *db)
{
	int lines = 0;
	const struct zsr_fsck_opts opts = { .ctx = &lines, .fault = count };
	struct zsr_fsck found;
	struct zsr_err e = { 0 };

	OK(zsr_db_fsck(db, &opts, &found, &e));
	ck_assert_uint_eq(found.nr_faults, (uint64_t)lines);
	return found.nr_faults;
}

/* What UPDATE sets, with byte AT of it changed. */
static void put(sqlite3 *sql, const char *update, const uint8_t *blob, int len,
		int at, uint8_t bits)
{
	uint8_t copy[8192];
	sqlite3_stmt *s;

	memcpy(copy, blob, (size_t)len);
	copy[at] ^= bits;
	if (sqlite3_prepare_v2(sql, update, -1, &s, NULL))
		ck_abort_msg("%s", sqlite3_errmsg(sql));
	sqlite3_bind_blob(s, 1, copy, len, SQLITE_STATIC);
	sqlite3_bind_int64(s, 2, (int64_t)XXH3_64bits(copy, (size_t)len));
	if (sqlite3_step(s) != SQLITE_DONE)
		ck_abort_msg("%s", sqlite3_errmsg(sql));
	sqlite3_finalize(s);
}

static int get(sqlite3 *sql, const char *query, uint8_t *blob)
{
	sqlite3_stmt *s;
	int len;

	ck_assert_int_eq(sqlite3_prepare_v2(sql, query, -1, &s, NULL), 0);
	ck_assert_int_eq(sqlite3_step(s), SQLITE_ROW);
	len = sqlite3_column_bytes(s, 0);
	ck_assert_int_lt(len, 8192);
	memcpy(blob, sqlite3_column_blob(s, 0), (size_t)len);
	sqlite3_finalize(s);
	return len;
}

static void flip_all(const char *path, struct zsr_db *db, const char *query,
		     const char *update)
{
	uint8_t blob[8192];
	int unseen = 0, at, len;
	sqlite3 *sql;

	ck_assert_int_eq(sqlite3_open(path, &sql), 0);
	len = get(sql, query, blob);
	ck_assert_int_gt(len, 100);
	for (at = 0; at < len; at++) {
		put(sql, update, blob, len, at, (uint8_t)(1u << at % 8));
		unseen += faults(db) == 0;
	}
	put(sql, update, blob, len, 0, 0);
	/* Some bits of a zstd frame's head mean nothing. */
	ck_assert_int_lt(unseen, len / 20);
	ck_assert_uint_eq(faults(db), 0);
	sqlite3_close(sql);
}

static void make_trace(struct zsr_db *db, struct zsr_trace *t)
{
	struct zsr_err e = { 0 };
	struct zsr_writer *w;
	struct zsr_task task = { .pid = 7, .comm = "t" };
	struct gen g = { .rng = { 3 }, .nr_tasks = 1, .extreme = true };
	struct zsr_event ev;
	int i;

	*t = gen_facts("t");
	OK(zsr_writer_begin(db, t, &w, &e));
	OK(zsr_writer_task(w, &task, &e));
	for (i = 0; i < 3; i++)
		OK(zsr_writer_row(w, ZSR_TABLE_POOLS, i, "", "zram", &e));
	for (i = 0; i < 60; i++) {
		ev = gen_event(&g);
		if (ev.kind == ZSR_EV_MARK)
			ev.aux = 0;
		OK(zsr_writer_add(w, &ev, 1, &e));
	}
	OK(zsr_writer_row(w, ZSR_TABLE_MARKS, 0, "", "mark", &e));
	OK(zsr_writer_commit(w, t, &e));
	free(g.live);
}

START_TEST(chunk_bytes)
{
	const char *path = gen_path();
	struct zsr_err e = { 0 };
	struct zsr_trace t;
	struct zsr_db *db;

	OK(zsr_db_open(&db, path, ZSR_DB_CREATE, &e));
	make_trace(db, &t);
	flip_all(path, db, "SELECT data FROM chunk",
		 "UPDATE chunk SET data = ?, xxh3 = ?");
	zsr_db_close(db);
	gen_cleanup(path);
}
END_TEST

START_TEST(run_bytes)
{
	const char *path = gen_path();
	struct zsr_point points[100];
	struct zsr_err e = { 0 };
	struct zsr_trace t;
	struct zsr_run run;
	struct zsr_db *db;
	int i;

	for (i = 0; i < 100; i++)
		points[i] = (struct zsr_point){
			.t_ns = 1000003u * (unsigned)i,
			.value = (uint64_t)i * i * 7919u % 10007u,
		};
	OK(zsr_db_open(&db, path, ZSR_DB_CREATE, &e));
	make_trace(db, &t);
	OK(zsr_run_init(&run, &e));
	run.trace = t.id;
	strcpy(run.trace_name, t.name);
	strcpy(run.trace_digest, t.digest);
	strcpy(run.policy, "sync");
	run.series[ZSR_SERIES_held_pages].points = points;
	run.series[ZSR_SERIES_held_pages].nr = 100;
	zsr_run_digest(&run);
	OK(zsr_run_store(db, &run, &e));
	ck_assert_uint_eq(faults(db), 0);
	flip_all(path, db,
		 "SELECT data FROM run_data WHERE key = 'series.held_pages'",
		 "UPDATE run_data SET data = ?, xxh3 = ? "
		 "WHERE key = 'series.held_pages'");
	run.series[ZSR_SERIES_held_pages].points = NULL;
	zsr_run_free(&run);
	zsr_db_close(db);
	gen_cleanup(path);
}
END_TEST

/* A long text that ends beyond all texts. */
START_TEST(text_bounds)
{
	const char *path = gen_path();
	struct zsr_err e = { 0 };
	char text[500];
	struct zsr_trace t = gen_facts("t");
	struct zsr_writer *w;
	struct zsr_task task = { .pid = 7, .comm = "t" };
	const struct zsr_event ev = {
		.obj = 0, .size = 100, .slot = -1, .cgroup = -1
	};
	struct zsr_db *db;
	sqlite3 *sql;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	OK(zsr_db_open(&db, path, ZSR_DB_CREATE, &e));
	OK(zsr_writer_begin(db, &t, &w, &e));
	OK(zsr_writer_task(w, &task, &e));
	OK(zsr_writer_row(w, ZSR_TABLE_POOLS, 0, "", "zram", &e));
	OK(zsr_writer_row(w, ZSR_TABLE_META, -1, "long", text, &e));
	OK(zsr_writer_add(w, &ev, 1, &e));
	OK(zsr_writer_commit(w, &t, &e));
	ck_assert_uint_eq(faults(db), 0);
	ck_assert_int_eq(sqlite3_open(path, &sql), 0);
	ck_assert_int_eq(sqlite3_exec(sql, "UPDATE meta SET len = len + 1",
				      NULL, NULL, NULL),
			 0);
	ck_assert_uint_eq(faults(db), 1);
	ck_assert_int_eq(sqlite3_exec(sql,
				      "UPDATE meta SET len = len - 1, "
				      "at = -1",
				      NULL, NULL, NULL),
			 0);
	ck_assert_uint_eq(faults(db), 1);
	sqlite3_close(sql);
	zsr_db_close(db);
	gen_cleanup(path);
}
END_TEST

ZSR_TEST_MAIN("fsck", chunk_bytes, run_bytes, text_bounds)
