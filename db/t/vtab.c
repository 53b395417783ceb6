// SPDX-License-Identifier: GPL-2.0-only
/* zsr_event gives what the cursor gives, under any filter; queries only read. */
#include "db/t/query.h"

/* Every column of every event, against the cursor. */
START_TEST(every_column)
{
	const char *path = gen_path();
	struct zsr_db *db = open_db(path);
	char want[ZSR_SHA_HEX], got[ZSR_SHA_HEX], comm[16];
	const struct zsr_event *ev;
	struct zsr_err e = { 0 };
	struct zsr_cursor *c;
	struct zsr_sha sha;
	uint64_t rows = 0;
	int64_t trace;
	int i, n;

	zsr_sha_init(&sha);
	for (trace = 1; trace <= 2; trace++) {
		OK(zsr_cursor_open(db, trace, &c, &e));
		OK(zsr_cursor_want_births(c, &e));
		while ((n = zsr_cursor_next(c, &ev, &e)) > 0)
			for (i = 0; i < n; i++, ev++, rows++) {
				uint64_t birth = zsr_cursor_births(c)[i];

				put(&sha, trace);
				put(&sha, (int64_t)ev->t_ns);
				put(&sha, (int64_t)ev->dur_ns);
				put(&sha, ev->cpu);
				put(&sha, ev->task);
				sprintf(comm, "task%u", ev->task);
				zsr_sha_str(&sha, comm);
				zsr_sha_str(&sha, zsr_event_kind_name(ev->kind));
				put(&sha, ev->pool);
				put_known(&sha, ev->obj != ZSR_OBJ_NONE,
					  (int64_t)ev->obj);
				put_known(&sha, ev->obj != ZSR_OBJ_NONE,
					  ev->size);
				zsr_sha_str(&sha, zsr_caller_name(ev->caller));
				put_known(&sha, ev->slot != -1, ev->slot);
				put(&sha, ev->gfp);
				put_known(&sha, ev->cgroup != -1, ev->cgroup);
				put(&sha, ev->flags);
				put(&sha, (int64_t)ev->aux);
				put_known(&sha, birth != UINT64_MAX,
					  (int64_t)(ev->t_ns - birth));
			}
		ck_assert_msg(n == 0, "%s", e.msg);
		zsr_cursor_close(c);
	}
	zsr_sha_hex(&sha, want);
	ck_assert_uint_eq(query(db, "SELECT * FROM zsr_event", got), rows);
	ck_assert_str_eq(got, want);
	zsr_db_close(db);
	gen_cleanup(path);
}
END_TEST

/* What is read for one column alone is what is read for all of them. */
START_TEST(column_alone)
{
	static const char *const all[] = {
		"trace", "t_ns",   "dur_ns", "cpu",  "task",    "comm",
		"kind",  "pool",   "obj",    "size", "caller",  "slot",
		"gfp",   "cgroup", "flags",  "aux",  "life_ns",
	};
	const char *path = gen_path();
	struct zsr_db *db = open_db(path);
	char want[ZSR_SHA_HEX], got[ZSR_SHA_HEX], sql[200];
	size_t i;

	for (i = 0; i < ZSR_ARRAY_SIZE(all); i++) {
		snprintf(sql, sizeof(sql), "SELECT %s FROM zsr_event", all[i]);
		query(db, sql, got);
		snprintf(sql, sizeof(sql),
			 "SELECT %s FROM (SELECT * FROM zsr_event "
			 "WHERE dur_ns + task + pool + gfp + flags >= 0 "
			 "AND coalesce(size + life_ns, 0) >= 0)",
			 all[i]);
		query(db, sql, want);
		ck_assert_msg(!strcmp(got, want), "%s", all[i]);
	}
	zsr_db_close(db);
	gen_cleanup(path);
}
END_TEST

static const char *const columns[] = { "t_ns", "cpu", "task", "trace" };
static const char *const operators[] = { "=", "<", "<=", ">", ">=" };

/* One comparison, of numbers and of what is none. */
static void condition(struct zsr_rng *rng, char *buf, size_t size,
		      uint64_t t_max)
{
	static const char *const odd[] = { "NULL",  "'x'",
					   "-1e30", "1e30",
					   "-0.5",  "9223372036854775807",
					   "x'00'", "-9223372036854775808" };
	unsigned col = (unsigned)zsr_rng_below(rng, 5);
	const char *op = operators[zsr_rng_below(rng, 5)];
	uint64_t v = zsr_rng_next(rng), form = zsr_rng_below(rng, 8);

	if (col == 4) {
		const char *a = v % 7 < ZSR_EV_NR ? zsr_event_kind_name(v % 7)
						  : "FREE";
		const char *b = zsr_event_kind_name(v / 7 % ZSR_EV_NR);

		if (form < 4)
			snprintf(buf, size, "kind = '%s'", a);
		else if (form < 7)
			snprintf(buf, size, "kind IN ('%s', '%s')", a, b);
		else
			snprintf(buf, size, "kind IN (SELECT '%s')", b);
		return;
	}
	if (col > 0 && form == 3) {
		snprintf(buf, size, "%s IN (%d, %d)", columns[col],
			 (int)(v % 4), (int)(v / 4 % 4));
		return;
	}
	v %= col == 0 ? t_max : col == 1 ? 80 : col == 2 ? 6 : 4;
	if (form == 0)
		snprintf(buf, size, "%s %s %" PRIu64 ".5", columns[col], op, v);
	else if (form == 1)
		snprintf(buf, size, "%s %s '%" PRIu64 "'", columns[col], op, v);
	else if (form == 2)
		snprintf(buf, size, "%s %s %s", columns[col], op, odd[v % 8]);
	else
		snprintf(buf, size, "%s %s %" PRIu64, columns[col], op, v);
}

/* A filter that zsr_event decides gives the rows that SQLite itself picks from
 * all: LIMIT keeps it from handing the filter down. */
START_TEST(filters)
{
	const char *path = gen_path();
	struct zsr_db *db = open_db(path);
	char want[ZSR_SHA_HEX], got[ZSR_SHA_HEX], where[600], sql[800];
	uint64_t t_max = 1100 * NR_EVENTS, found = 0;
	struct zsr_rng rng = { 11 };
	unsigned i, j, n;

	for (i = 0; i < 50; i++) {
		n = 1 + (unsigned)zsr_rng_below(&rng, 4);
		where[0] = 0;
		for (j = 0; j < n; j++) {
			strcat(where, j ? " AND " : "");
			condition(&rng, where + strlen(where), 100, t_max);
		}
		snprintf(sql, sizeof(sql),
			 "SELECT t_ns, cpu, task, kind, size, life_ns "
			 "FROM zsr_event WHERE %s ORDER BY trace, rowid",
			 where);
		found += query(db, sql, got) > 0;
		snprintf(sql, sizeof(sql),
			 "SELECT t_ns, cpu, task, kind, size, life_ns "
			 "FROM (SELECT rowid, * FROM zsr_event LIMIT -1) "
			 "WHERE %s ORDER BY trace, rowid",
			 where);
		query(db, sql, want);
		ck_assert_msg(!strcmp(got, want), "%s", where);
	}
	ck_assert_uint_gt(found, 15);
	zsr_db_close(db);
	gen_cleanup(path);
}
END_TEST

/* Order, joins and rows asked for by number. */
START_TEST(queries)
{
	static const char *const pairs[][2] = {
		{ "SELECT trace, t_ns, obj FROM zsr_event ORDER BY trace, t_ns",
		  "SELECT trace, t_ns, obj FROM zsr_event" },
		{ "SELECT t_ns FROM zsr_event WHERE trace = 2 ORDER BY t_ns",
		  "SELECT t_ns FROM zsr_event WHERE trace = 2" },
		{ "SELECT max(t_ns), min(t_ns) FROM zsr_event",
		  "SELECT (SELECT t_ns FROM zsr_event ORDER BY t_ns DESC "
		  "LIMIT 1), (SELECT t_ns FROM zsr_event ORDER BY t_ns "
		  "LIMIT 1)" },
		{ "SELECT count(DISTINCT rowid) FROM zsr_event",
		  "SELECT count(*) FROM zsr_event" },
		{ "SELECT sum(mallocs) FROM size_histogram",
		  "SELECT sum(nr_mallocs) FROM trace" },
		{ "SELECT sum(frees), sum(bytes) FROM task_frees",
		  "SELECT count(*), sum(size) FROM zsr_event "
		  "WHERE kind = 'free'" },
		{ "SELECT sum(objects) FROM lifetime_histogram",
		  "SELECT count(obj) FROM zsr_event WHERE kind = 'free'" },
		{ "SELECT t.name, count(*) FROM trace t JOIN zsr_event e "
		  "ON e.trace = t.id AND e.kind = 'free' GROUP BY 1",
		  "SELECT name, nr_frees FROM trace ORDER BY name" },
	};
	const char *path = gen_path();
	struct zsr_db *db = open_db(path);
	char a[ZSR_SHA_HEX], b[ZSR_SHA_HEX];
	size_t i;

	for (i = 0; i < ZSR_ARRAY_SIZE(pairs); i++) {
		ck_assert_uint_gt(query(db, pairs[i][0], a), 0);
		query(db, pairs[i][1], b);
		ck_assert_msg(!strcmp(a, b), "%s", pairs[i][0]);
	}
	zsr_db_close(db);
	gen_cleanup(path);
}
END_TEST

/* Nothing that writes, opens or changes a setting gets through, on a handle
 * that could write. */
START_TEST(only_reading)
{
	static const char *const refused[] = {
		"DELETE FROM trace",
		"INSERT INTO task VALUES (1, 9, 9, 'x')",
		"UPDATE trace SET name = 'x'",
		"CREATE TABLE x (y)",
		"CREATE TEMP TABLE x (y)",
		"CREATE TABLE zsr_event (y)",
		"DROP TABLE trace",
		"ATTACH '/tmp/zsr-attached.db' AS x",
		"DETACH main",
		"VACUUM",
		"VACUUM INTO '/tmp/zsr-attached.db'",
		"PRAGMA user_version = 7",
		"PRAGMA journal_mode = DELETE",
		"PRAGMA writable_schema = 1",
		"PRAGMA query_only(0)",
		"PRAGMA wal_checkpoint",
		"BEGIN",
		"SAVEPOINT x",
		"REINDEX",
		"ANALYZE",
		"UPDATE sqlite_master SET sql = ''",
		"INSERT INTO zsr_event (t_ns) VALUES (1)",
		"SELECT load_extension('x')",
		"SELECT 1; SELECT 2",
		"",
		"-- nothing",
		"SELECT nonsense",
	};
	const char *path = gen_path();
	struct zsr_db *db = open_db(path);
	char a[ZSR_SHA_HEX];
	struct sum s = { .rows = 0 };
	size_t i;

	zsr_sha_init(&s.sha);
	for (i = 0; i < ZSR_ARRAY_SIZE(refused); i++) {
		struct zsr_err e = { 0 };

		ck_assert_msg(zsr_db_sql(db, refused[i], add_row, &s, &e) < 0,
			      "%s", refused[i]);
		ck_assert_msg(e.kind == ZSR_ERR_USAGE, "%s: %s", refused[i],
			      e.msg);
	}
	ck_assert_uint_eq(s.rows, 0);
	ck_assert_int_ne(access("/tmp/zsr-attached.db", F_OK), 0);
	ck_assert_uint_eq(query(db, "SELECT 1;  ", a), 1);
	ck_assert_uint_gt(query(db, "PRAGMA table_info(trace)", a), 10);
	ck_assert_uint_eq(query(db, "SELECT * FROM trace", a), 2);
	zsr_db_close(db);
	gen_cleanup(path);
}
END_TEST

ZSR_TEST_MAIN("db/vtab", every_column, column_alone, filters, queries,
	      only_reading)
