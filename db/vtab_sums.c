// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtual tables over sums.c: a row of a sum each, by trace. They are read
 * once from begin to end, whatever is asked of a trace.
 */
#include <stdlib.h>
#include <string.h>

#include "db/sums.h"
#include "db/vplan.h"
#include "db/vtab.h"

struct sum_cursor {
	sqlite3_vtab_cursor base;
	struct zsr_db *db;
	const struct zsr_sum *sum;
	struct zsr_range traces;
	int64_t trace;
	struct zsr_reader *reader; /* NULL: the trace was read */
	bool in_chunk;
	struct zsr_sums sums;
	size_t at; /* the current one of its rows */
	int64_t rowid;
	bool eof;
};

static void close_trace(struct sum_cursor *c)
{
	zsr_reader_close(c->reader);
	c->reader = NULL;
	c->in_chunk = false;
}

static int read_facts(struct sum_cursor *c, struct zsr_err *err)
{
	struct zsr_sums *s = &c->sums;
	sqlite3_stmt *stmt;
	int ret = zsr_sql_prepare(c->db, &stmt,
				  "SELECT duration_ns, kernel, page_size, "
				  "chain_size FROM trace WHERE id = ?",
				  err);

	if (ret)
		return ret;
	zsr_sums_start(s);
	zsr_sql_bind(stmt, "i", c->trace);
	ret = zsr_sql_step(c->db, stmt, err);
	if (ret == 1) {
		s->duration_ns = (uint64_t)sqlite3_column_int64(stmt, 0);
		s->has_classes = zsr_classes_make(
			&s->classes, (const char *)sqlite3_column_text(stmt, 1),
			sqlite3_column_int64(stmt, 2),
			sqlite3_column_int64(stmt, 3));
	}
	sqlite3_finalize(stmt);
	return ret < 0 ? ret : 0;
}

/* The next trace that may have rows: 1, 0 at the end, -errno. */
static int next_trace(struct sum_cursor *c, struct zsr_err *err)
{
	int ret = zsr_vtab_next_trace(c->db, &c->trace, c->traces.max, err);

	if (ret != 1)
		return ret;
	ret = read_facts(c, err);
	if (!ret)
		ret = zsr_reader_open(c->db, c->trace, c->sum->want, &c->reader,
				      err);
	return ret ? ret : 1;
}

static int add_rows(struct sum_cursor *c, struct zsr_err *err)
{
	const struct zsr_event *ev;
	const uint64_t *births;
	int ret = zsr_reader_rows(c->reader, &ev, &births, err);

	if (ret < 0)
		return ret;
	c->in_chunk = ret;
	if (c->sum->add(&c->sums, ev, births, (size_t)ret))
		return zsr_err_nomem(err, "rows");
	return 1;
}

/* More events of the trace, or its end: 1, or -errno. */
static int read_some(struct sum_cursor *c, struct zsr_err *err)
{
	const struct zsr_chunk_info *info;
	int ret;

	if (c->in_chunk)
		return add_rows(c, err);
	ret = zsr_reader_chunk(c->reader, &info, err);
	c->in_chunk = ret == 1;
	if (ret)
		return ret;
	close_trace(c);
	return c->sum->end(&c->sums) ? zsr_err_nomem(err, "rows") : 1;
}

static int sum_next(sqlite3_vtab_cursor *cur)
{
	struct sum_cursor *c = (struct sum_cursor *)cur;
	struct zsr_err err = { 0 };
	int ret = 1;

	c->rowid++;
	if (++c->at < c->sums.nr_rows)
		return SQLITE_OK;
	c->at = c->sums.nr_rows = 0;
	while (ret == 1 && !c->sums.nr_rows)
		ret = c->reader ? read_some(c, &err) : next_trace(c, &err);
	if (ret < 0)
		return zsr_vtab_fail(c->base.pVtab, ret, &err);
	c->eof = !ret;
	return SQLITE_OK;
}

/* ---- the tables ---------------------------------------------------------------- */

/* Which of them is said by the module's name. */
static int sum_connect(sqlite3 *sql, void *db, int argc, const char *const *argv,
		       sqlite3_vtab **out, char **errmsg)
{
	const struct zsr_sum *sum = zsr_sum_list;
	int rc;

	while (strcmp(sum->name, argv[0]) != 0)
		sum++;
	rc = zsr_vtab_connect(sql, db, sum->ddl, out, errmsg);
	if (!rc)
		zsr_vtab_set_about(*out, sum);
	return rc;
}

static int sum_best_index(sqlite3_vtab *t, sqlite3_index_info *info)
{
	static const struct zsr_vcolumn trace = { .letter = 't', .equal = 0.1 };
	double rows;
	int rc = zsr_vplan_make(info, &trace, 1, &rows);

	if (rc)
		return rc;
	info->estimatedRows = (sqlite3_int64)rows / 1000 + 1;
	info->estimatedCost = rows;
	info->orderByConsumed = zsr_vplan_ordered(
		info, zsr_vplan_one_trace(info->idxStr), 0, -1);
	return SQLITE_OK;
}

static int sum_open(sqlite3_vtab *t, sqlite3_vtab_cursor **out)
{
	struct sum_cursor *c = calloc(1, sizeof(*c));

	if (!c)
		return SQLITE_NOMEM;
	c->db = zsr_vtab_db(t);
	c->sum = zsr_vtab_about(t);
	*out = &c->base;
	return SQLITE_OK;
}

static int sum_close(sqlite3_vtab_cursor *cur)
{
	struct sum_cursor *c = (struct sum_cursor *)cur;

	close_trace(c);
	zsr_sums_free(&c->sums);
	free(c);
	return SQLITE_OK;
}

static int sum_filter(sqlite3_vtab_cursor *cur, int plan, const char *str,
		      int argc, sqlite3_value **argv)
{
	struct sum_cursor *c = (struct sum_cursor *)cur;
	bool some = true;
	int i;

	close_trace(c);
	zsr_sums_start(&c->sums);
	c->at = 0;
	c->traces = (struct zsr_range){ 1, INT32_MAX };
	for (i = 0; i < argc; i++)
		some &= zsr_range_narrow(&c->traces, str[2 * i + 1], argv[i]);
	c->trace = c->traces.min - 1;
	c->eof = !some;
	return some ? sum_next(cur) : SQLITE_OK;
}

static int sum_eof(sqlite3_vtab_cursor *cur)
{
	return ((struct sum_cursor *)cur)->eof;
}

static int sum_column(sqlite3_vtab_cursor *cur, sqlite3_context *ctx, int col)
{
	const struct sum_cursor *c = (struct sum_cursor *)cur;

	sqlite3_result_int64(ctx, col ? c->sums.rows[c->at].value[col - 1]
				      : c->trace);
	return SQLITE_OK;
}

static int sum_rowid(sqlite3_vtab_cursor *cur, sqlite3_int64 *id)
{
	*id = ((struct sum_cursor *)cur)->rowid;
	return SQLITE_OK;
}

const sqlite3_module zsr_vtab_sum = {
	.xConnect = sum_connect,
	.xBestIndex = sum_best_index,
	.xDisconnect = zsr_vtab_disconnect,
	.xOpen = sum_open,
	.xClose = sum_close,
	.xFilter = sum_filter,
	.xNext = sum_next,
	.xEof = sum_eof,
	.xColumn = sum_column,
	.xRowid = sum_rowid,
};
