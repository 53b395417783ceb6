// SPDX-License-Identifier: GPL-2.0-only
/* What traces there are, and their tables. */
#include <string.h>

#include "db/private.h"

static const char trace_columns[] =
	"SELECT id, name, digest, kernel, lock_gen, format, clock, times, "
	"page_size, chain_size, fact_flags, from_empty, has_dur, nr_cpus, "
	"nr_tasks, nr_pools, nr_events, nr_mallocs, nr_frees, duration_ns, "
	"(SELECT value FROM odd WHERE trace = id AND key = 'lost'), "
	"(SELECT value FROM odd WHERE trace = id AND key = 'lost_unknown') "
	"FROM trace";

static uint32_t times_number(const char *name)
{
	unsigned i;

	for (i = 0; i < ZSR_TIMES_NR; i++)
		if (!strcmp(name, zsr_times_name(i)))
			break;
	return i;
}

static uint32_t u32(sqlite3_stmt *stmt, int col)
{
	return (uint32_t)sqlite3_column_int64(stmt, col);
}

static uint64_t u64(sqlite3_stmt *stmt, int col)
{
	return (uint64_t)sqlite3_column_int64(stmt, col);
}

static int read_trace(sqlite3_stmt *stmt, struct zsr_trace *t,
		      struct zsr_err *err)
{
	char times[16];
	int ret;

	*t = (struct zsr_trace){ .id = sqlite3_column_int64(stmt, 0) };
	zsr_sql_text(stmt, 1, t->name, sizeof(t->name));
	zsr_sql_text(stmt, 2, t->digest, sizeof(t->digest));
	zsr_sql_text(stmt, 3, t->kernel, sizeof(t->kernel));
	zsr_sql_text(stmt, 4, t->lock_gen, sizeof(t->lock_gen));
	zsr_sql_text(stmt, 5, t->format, sizeof(t->format));
	zsr_sql_text(stmt, 6, t->clock, sizeof(t->clock));
	zsr_sql_text(stmt, 7, times, sizeof(times));
	t->times = times_number(times);
	t->page_size = u32(stmt, 8);
	t->chain_size = u32(stmt, 9);
	t->fact_flags = u32(stmt, 10);
	t->from_empty = u32(stmt, 11);
	t->has_dur = u32(stmt, 12);
	t->nr_cpus = u32(stmt, 13);
	t->nr_tasks = u32(stmt, 14);
	t->nr_pools = u32(stmt, 15);
	t->nr_events = u64(stmt, 16);
	t->nr_mallocs = u64(stmt, 17);
	t->nr_frees = u64(stmt, 18);
	t->nr_objects = t->nr_mallocs;
	t->duration_ns = u64(stmt, 19);
	t->nr_lost = u64(stmt, 20);
	t->nr_lost_places = u64(stmt, 21);
	/* The file may have been changed by anybody. */
	if (t->nr_cpus > UINT16_MAX + 1u || t->nr_pools > UINT16_MAX + 1u)
		ret = zsr_err_input(err, "its counts make no sense");
	else
		ret = zsr_facts_check(t, err);
	err->kind = ret ? ZSR_ERR_INPUT : err->kind;
	return ret ? zsr_err_wrap(err, ret, "trace '%s'", t->name) : 0;
}

int zsr_trace_list(struct zsr_db *db,
		   int (*fn)(void *ctx, const struct zsr_trace *t), void *ctx,
		   struct zsr_err *err)
{
	struct zsr_trace t;
	sqlite3_stmt *stmt;
	char sql[400];
	int ret;

	snprintf(sql, sizeof(sql), "%s ORDER BY id", trace_columns);
	ret = zsr_sql_prepare(db, &stmt, sql, err);
	if (ret)
		return ret;
	while ((ret = zsr_sql_step(db, stmt, err)) == 1) {
		ret = read_trace(stmt, &t, err);
		if (!ret)
			ret = fn(ctx, &t);
		if (ret)
			break;
	}
	sqlite3_finalize(stmt);
	return ret;
}

/* "there is no trace 'x' in zsr.db; there are: a, b, c" */
static int no_such_trace(struct zsr_db *db, const char *name,
			 struct zsr_err *err)
{
	char list[400] = "", one[128];
	sqlite3_stmt *stmt;
	size_t len = 0;
	int ret = zsr_sql_prepare(
		db, &stmt, "SELECT name FROM trace ORDER BY id DESC", err);

	if (ret)
		return ret;
	while ((ret = zsr_sql_step(db, stmt, err)) == 1) {
		zsr_sql_text(stmt, 0, one, sizeof(one));
		if (len + strlen(one) + 8 > sizeof(list)) {
			strcpy(list + len, ", ...");
			break;
		}
		len += (size_t)sprintf(list + len, "%s%s", len ? ", " : "", one);
	}
	sqlite3_finalize(stmt);
	if (ret < 0)
		return ret;
	return zsr_err_input(err, "no trace '%s' in %s; %s%s", name, db->path,
			     len ? "there are: " : "it has none", list);
}

int zsr_trace_find(struct zsr_db *db, const char *name, struct zsr_trace *t,
		   struct zsr_err *err)
{
	sqlite3_stmt *stmt;
	char sql[400];
	int ret;

	snprintf(sql, sizeof(sql), "%s WHERE name = ?", trace_columns);
	ret = zsr_sql_prepare(db, &stmt, sql, err);
	if (ret)
		return ret;
	zsr_sql_bind(stmt, "s", name);
	ret = zsr_sql_step(db, stmt, err);
	if (ret == 1)
		ret = read_trace(stmt, t, err);
	else if (ret == 0)
		ret = no_such_trace(db, name, err);
	sqlite3_finalize(stmt);
	return ret;
}

int zsr_trace_free_name(struct zsr_db *db, char name[128], struct zsr_err *err)
{
	char base[120];
	sqlite3_stmt *stmt;
	unsigned i;
	int ret;

	snprintf(base, sizeof(base), "%.110s", name);
	ret = zsr_sql_prepare(db, &stmt, "SELECT 1 FROM trace WHERE name = ?",
			      err);
	if (ret)
		return ret;
	snprintf(name, 128, "%s", base);
	for (i = 2;; i++) {
		zsr_sql_bind(stmt, "s", name);
		ret = zsr_sql_step(db, stmt, err);
		sqlite3_reset(stmt);
		if (ret <= 0)
			break;
		snprintf(name, 128, "%s-%u", base, i);
	}
	sqlite3_finalize(stmt);
	return ret;
}

int zsr_trace_tasks(struct zsr_db *db, int64_t trace,
		    int (*fn)(void *ctx, const struct zsr_task *t), void *ctx,
		    struct zsr_err *err)
{
	struct zsr_task t;
	sqlite3_stmt *stmt;
	int ret = zsr_sql_prepare(db, &stmt,
				  "SELECT nr, pid, comm FROM task "
				  "WHERE trace = ? ORDER BY nr",
				  err);

	if (ret)
		return ret;
	zsr_sql_bind(stmt, "i", trace);
	while ((ret = zsr_sql_step(db, stmt, err)) == 1) {
		t.row = u32(stmt, 0);
		t.pid = sqlite3_column_int(stmt, 1);
		zsr_sql_text(stmt, 2, t.comm, sizeof(t.comm));
		ret = fn(ctx, &t);
		if (ret)
			break;
	}
	sqlite3_finalize(stmt);
	return ret;
}

int zsr_trace_rows(struct zsr_db *db, int64_t trace, enum zsr_trace_table which,
		   int (*fn)(void *ctx, int64_t nr, const char *key,
			     const char *value),
		   void *ctx, struct zsr_err *err)
{
	static const char *const sql[] = {
		[ZSR_TABLE_MARKS] = "SELECT nr, '', text FROM mark "
				    "WHERE trace = ? ORDER BY nr",
		[ZSR_TABLE_POOLS] = "SELECT nr, '', name FROM pool "
				    "WHERE trace = ? ORDER BY nr",
		[ZSR_TABLE_META] = "SELECT -1, key, value FROM trace_meta "
				   "WHERE trace = ? ORDER BY key",
		[ZSR_TABLE_ODD] = "SELECT -1, key, value FROM odd "
				  "WHERE trace = ? ORDER BY key",
	};
	sqlite3_stmt *stmt;
	int ret = zsr_sql_prepare(db, &stmt, sql[which], err);

	if (ret)
		return ret;
	zsr_sql_bind(stmt, "i", trace);
	while ((ret = zsr_sql_step(db, stmt, err)) == 1) {
		const char *key = (const char *)sqlite3_column_text(stmt, 1);
		const char *value = (const char *)sqlite3_column_text(stmt, 2);

		ret = fn(ctx, sqlite3_column_int64(stmt, 0), key ? key : "",
			 value ? value : "");
		if (ret)
			break;
	}
	sqlite3_finalize(stmt);
	return ret;
}
