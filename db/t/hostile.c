// SPDX-License-Identifier: GPL-2.0-only
/* A damaged chunk under each virtual table and each view is one clear error;
 * traces beside it stay readable. */
#include <sqlite3.h>
#include <xxhash.h>

#include "db/t/query.h"

static const char *const tables[] = {
	"zsr_event",      "zsr_object",         "zsr_live",      "zsr_size",
	"zsr_lifetime",   "zsr_task_free",      "zsr_class_run", "live_bytes",
	"size_histogram", "lifetime_histogram", "task_frees",    "class_runs",
};

static void change(const char *path, const char *sql, const void *blob,
		   size_t size)
{
	sqlite3_stmt *stmt;
	sqlite3 *db;

	ck_assert(!sqlite3_open(path, &db));
	ck_assert_msg(!sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), "%s",
		      sqlite3_errmsg(db));
	if (blob) {
		sqlite3_bind_blob64(stmt, 1, blob, size, SQLITE_STATIC);
		sqlite3_bind_int64(stmt, 2, (int64_t)XXH3_64bits(blob, size));
	}
	ck_assert_msg(sqlite3_step(stmt) == SQLITE_DONE, "%s: %s", sql,
		      sqlite3_errmsg(db));
	ck_assert_int_gt(sqlite3_changes(db), 0);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
}

static uint8_t *chunk_data(const char *path, size_t *size)
{
	sqlite3_stmt *stmt;
	uint8_t *data;
	sqlite3 *db;

	ck_assert(!sqlite3_open(path, &db));
	ck_assert(!sqlite3_prepare_v2(
		db, "SELECT data FROM chunk WHERE id = (1 << 32) + 1", -1,
		&stmt, NULL));
	ck_assert_int_eq(sqlite3_step(stmt), SQLITE_ROW);
	*size = (size_t)sqlite3_column_bytes(stmt, 0);
	data = malloc(*size + 1);
	memcpy(data, sqlite3_column_blob(stmt, 0), *size);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return data;
}

/* An error names the place once; true when there is one. */
static bool fails(struct zsr_db *db, const char *table, const char *where)
{
	struct sum s = { .rows = 0 };
	struct zsr_err e = { 0 };
	const char *said;
	char sql[200];
	int ret;

	zsr_sha_init(&s.sha);
	snprintf(sql, sizeof(sql), "SELECT * FROM %s%s", table, where);
	ret = zsr_db_sql(db, sql, add_row, &s, &e);
	if (!ret)
		return false;
	ck_assert_msg(e.kind == ZSR_ERR_INPUT, "%s: %s", sql, e.msg);
	said = strstr(e.msg, "trace 'a': chunk ");
	ck_assert_msg(said && !strstr(said + 1, "trace '"), "%s: %s", sql,
		      e.msg);
	return true;
}

static struct zsr_db *open_again(const char *path)
{
	struct zsr_err e = { 0 };
	struct zsr_db *db;

	OK(zsr_db_open(&db, path, ZSR_DB_READONLY, &e));
	return db;
}

/* Whatever of a chunk's row is wrong, everything that reads it fails; what
 * asks for another trace does not. */
START_TEST(rows)
{
	static const char *const damage[] = {
		"data = CAST(substr(data, 1, 1000) AS BLOB)",
		"data = zeroblob(20 << 20)",
		"data = x''",
		"xxh3 = ~xxh3",
		"events = events + 1",
		"events = 0",
		"events = -1",
		"mallocs = mallocs + 1",
		"frees = frees - 1",
		"first_obj = first_obj - 1",
		"first_obj = -1",
		"t_min = -1",
		"t_min = 0",
		"t_max = t_max + 1",
		"t_max = -1",
		"id = id + 1000",
	};
	char sql[200];
	size_t i, j;

	for (i = 0; i < ZSR_ARRAY_SIZE(damage); i++) {
		const char *path = gen_path();
		struct zsr_db *db = open_db(path);

		zsr_db_close(db);
		snprintf(sql, sizeof(sql),
			 "UPDATE chunk SET %s WHERE id = (1 << 32) + 1",
			 damage[i]);
		change(path, sql, NULL, 0);
		db = open_again(path);
		for (j = 0; j < ZSR_ARRAY_SIZE(tables); j++) {
			ck_assert_msg(fails(db, tables[j], ""), "%s: %s",
				      damage[i], tables[j]);
			ck_assert_msg(!fails(db, tables[j],
					     j < 2 ? " WHERE trace = 2"
						   : " WHERE trace = 'b'"),
				      "%s: %s", damage[i], tables[j]);
		}
		zsr_db_close(db);
		gen_cleanup(path);
	}
}
END_TEST

/* Bytes that are wrong under a checksum that is right: an error or other
 * values, but nothing worse. */
START_TEST(bytes)
{
	static const char *const asked[] = {
		"zsr_event", "zsr_object",
		"(SELECT kind, t_ns FROM zsr_event WHERE kind = 'mark')",
		"(SELECT sum(size), max(life_ns) FROM zsr_event)"
	};
	const char *path = gen_path();
	struct zsr_db *db = open_db(path);
	struct zsr_rng rng = { 17 };
	unsigned failed = 0, i, j, n;
	uint8_t *data, *bad;
	size_t size, at;

	zsr_db_close(db);
	data = chunk_data(path, &size);
	bad = malloc(size);
	for (i = 0; i < 60; i++) {
		memcpy(bad, data, size);
		/* Heads are in front, and columns begin anywhere. */
		for (n = 0; n < 1 + i % 3; n++) {
			at = i % 2 ? zsr_rng_below(&rng, 100)
				   : zsr_rng_below(&rng, size);
			bad[at] = (uint8_t)zsr_rng_next(&rng);
		}
		change(path,
		       "UPDATE chunk SET data = ?, xxh3 = ? "
		       "WHERE id = (1 << 32) + 1",
		       bad, size);
		db = open_again(path);
		for (j = 0; j < ZSR_ARRAY_SIZE(asked); j++)
			failed += fails(db, asked[j], "");
		zsr_db_close(db);
	}
	ck_assert_uint_gt(failed, 30);
	free(data);
	free(bad);
	gen_cleanup(path);
}
END_TEST

/* A chunk that a query need not look at may be anything. */
START_TEST(skipped)
{
	const char *path = gen_path();
	struct zsr_db *db = open_db(path);

	zsr_db_close(db);
	change(path, "UPDATE chunk SET xxh3 = 0 WHERE id = (1 << 32) + 1", NULL,
	       0);
	db = open_again(path);
	ck_assert(!fails(db, "zsr_event", " WHERE trace = 1 AND t_ns < 1000"));
	ck_assert(!fails(db, "zsr_object",
			 " WHERE trace = 1 AND death_ns < 1000000"));
	ck_assert(!fails(db, "zsr_object", " WHERE trace = 1 AND obj < 100"));
	ck_assert(fails(db, "zsr_object", " WHERE trace = 1 AND obj < 20000"));
	zsr_db_close(db);
	gen_cleanup(path);
}
END_TEST

ZSR_TEST_MAIN("db/hostile", rows, bytes, skipped)
