/* SPDX-License-Identifier: GPL-2.0-only */
/* Two random traces in a database, and the rows of queries as hashes. */
#ifndef ZSR_DB_T_QUERY_H
#define ZSR_DB_T_QUERY_H

#include <inttypes.h>

#include "db/t/gen.h"
#include "tests/check.h"

#define OK(expr) ck_assert_msg((expr) == 0, "%s: %s", #expr, e.msg)

#define NR_EVENTS 70000

static inline void write_trace(struct zsr_db *db, const char *name,
			       uint64_t seed)
{
	struct gen g = { .rng = { seed }, .nr_tasks = 5 };
	struct zsr_trace t = gen_facts(name);
	struct zsr_err e = { 0 };
	struct zsr_task task;
	struct zsr_writer *w;
	struct zsr_event ev;
	unsigned i;
	int ret = 0;

	OK(zsr_writer_begin(db, &t, &w, &e));
	for (i = 0; i < 5; i++) {
		task = (struct zsr_task){ .row = i, .pid = (int32_t)i + 100 };
		snprintf(task.comm, sizeof(task.comm), "task%u", i);
		OK(zsr_writer_task(w, &task, &e));
	}
	OK(zsr_writer_row(w, ZSR_TABLE_POOLS, 0, "", "zram0", &e));
	OK(zsr_writer_row(w, ZSR_TABLE_POOLS, 1, "", "zswap1", &e));
	for (i = 0; i < NR_EVENTS && !ret; i++) {
		ev = gen_event(&g);
		/* Chunks that differ: the last third has other cpus and
		 * tasks. */
		if (i > 2 * NR_EVENTS / 3) {
			ev.cpu = 70;
			ev.task = 4;
		} else {
			ev.task %= 4;
		}
		ev.pool = i % 5 == 0;
		if (ev.kind == ZSR_EV_FREE)
			ev.caller = (uint8_t)(i % 11 % ZSR_CALLER_NR);
		ret = zsr_writer_add(w, &ev, 1, &e);
	}
	OK(ret);
	OK(zsr_writer_commit(w, &t, &e));
	free(g.live);
}

static inline struct zsr_db *open_db(const char *path)
{
	struct zsr_err e = { 0 };
	struct zsr_db *db;

	OK(zsr_db_open(&db, path, ZSR_DB_CREATE, &e));
	write_trace(db, "a", 1);
	write_trace(db, "b", 2);
	return db;
}

/* All values of all rows, hashed; their number. */
struct sum {
	struct zsr_sha sha;
	uint64_t rows;
};

static inline int add_row(void *ctx, int ncol, const char *const *names,
			  const char *const *values,
			  const enum zsr_sql_type *types)
{
	struct sum *s = ctx;
	int i;

	if (!values)
		return 0;
	s->rows++;
	for (i = 0; i < ncol; i++)
		zsr_sha_str(&s->sha, values[i] ? values[i] : "NULL");
	return 0;
}

static inline uint64_t query(struct zsr_db *db, const char *sql,
			     char hex[ZSR_SHA_HEX])
{
	struct zsr_err e = { 0 };
	struct sum s = { .rows = 0 };

	zsr_sha_init(&s.sha);
	ck_assert_msg(!zsr_db_sql(db, sql, add_row, &s, &e), "%s: %s", sql,
		      e.msg);
	zsr_sha_hex(&s.sha, hex);
	return s.rows;
}

static inline void put(struct zsr_sha *sha, int64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, v);
	zsr_sha_str(sha, text);
}

static inline void put_known(struct zsr_sha *sha, bool known, int64_t v)
{
	if (known)
		put(sha, v);
	else
		zsr_sha_str(sha, "NULL");
}

#endif
