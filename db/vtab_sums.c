// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtual tables zsr_live and zsr_class_run, under the views live_bytes and
 * class_runs: what events add up to, in one pass over a trace and without more
 * memory than its live objects and tasks take.
 */
#include <stdlib.h>
#include <string.h>

#include "db/classes.h"
#include "db/reader.h"
#include "db/vplan.h"
#include "db/vtab.h"

#define NR_TIMES  1000 /* rows of zsr_live a trace, at most and about */
#define NR_VALUES 4

struct row {
	int64_t value[NR_VALUES];
};

/* A run of frees of a task that goes on. */
struct task_run {
	uint32_t class; /* 0: none */
	uint32_t length;
	uint64_t t_ns;
};

struct sum_cursor {
	sqlite3_vtab_cursor base;
	struct zsr_db *db;
	const struct sum *sum;
	struct zsr_range traces;
	int64_t trace;
	struct zsr_reader *reader;
	bool in_chunk;
	struct row *rows; /* that are told before more events are read */
	size_t nr_rows;
	size_t cap_rows;
	size_t at;
	int64_t rowid;
	bool eof;

	uint64_t step, bucket; /* zsr_live: ns, and the current one, plus 1 */
	int64_t objects, bytes;
	struct zsr_classes classes; /* zsr_class_run */
	bool has_classes;
	struct task_run *tasks;
	size_t nr_tasks;
	size_t cap_tasks;
};

/* What a table makes of events: rows, or -ENOMEM. */
struct sum {
	const char *ddl;
	unsigned want;
	int (*add)(struct sum_cursor *c, const struct zsr_event *ev, size_t n);
	int (*end)(struct sum_cursor *c);
};

static int put_row(struct sum_cursor *c, int64_t a, int64_t b, int64_t d,
		   int64_t e)
{
	if (zsr_grow(&c->rows, &c->cap_rows, c->nr_rows + 1, sizeof(*c->rows)))
		return -ENOMEM;
	c->rows[c->nr_rows++] = (struct row){ { a, b, d, e } };
	return 0;
}

/* ---- what was live --------------------------------------------------------- */

static int end_live(struct sum_cursor *c)
{
	if (!c->bucket)
		return 0;
	return put_row(c, (int64_t)(c->bucket * c->step), c->objects, c->bytes,
		       0);
}

static int add_live(struct sum_cursor *c, const struct zsr_event *ev, size_t n)
{
	uint64_t bucket;
	size_t i;
	int ret;

	for (i = 0; i < n; i++) {
		if (ev[i].obj == ZSR_OBJ_NONE)
			continue;
		bucket = ev[i].t_ns / c->step + 1;
		if (bucket != c->bucket) {
			ret = end_live(c);
			if (ret)
				return ret;
			c->bucket = bucket;
		}
		if (ev[i].kind == ZSR_EV_MALLOC) {
			c->objects++;
			c->bytes += ev[i].size;
		} else {
			c->objects--;
			c->bytes -= ev[i].size;
		}
	}
	return 0;
}

static const struct sum sum_live = {
	.ddl = "CREATE TABLE zsr_live (trace INTEGER, t_ns INTEGER, "
	       "live_objects INTEGER, live_bytes INTEGER)",
	.want = ZSR_READ_SIZES,
	.add = add_live,
	.end = end_live,
};

/* ---- runs of frees of one class --------------------------------------------- */

static int end_run(struct sum_cursor *c, size_t task)
{
	const struct task_run *r = &c->tasks[task];

	if (!r->class)
		return 0;
	return put_row(c, (int64_t)task, r->class, r->length, (int64_t)r->t_ns);
}

static int more_tasks(struct sum_cursor *c, uint32_t task)
{
	if (zsr_grow(&c->tasks, &c->cap_tasks, (size_t)task + 1,
		     sizeof(*c->tasks)))
		return -ENOMEM;
	memset(c->tasks + c->nr_tasks, 0,
	       (task + 1 - c->nr_tasks) * sizeof(*c->tasks));
	c->nr_tasks = (size_t)task + 1;
	return 0;
}

static int add_frees(struct sum_cursor *c, const struct zsr_event *ev, size_t n)
{
	struct task_run *r;
	uint32_t class = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		if (ev[i].kind != ZSR_EV_FREE)
			continue;
		if (ev[i].task >= c->nr_tasks && more_tasks(c, ev[i].task))
			return -ENOMEM;
		if (c->has_classes)
			class = zsr_classes_of(&c->classes, ev[i].size);
		r = &c->tasks[ev[i].task];
		if (class != r->class) {
			if (end_run(c, ev[i].task))
				return -ENOMEM;
			r->class = class;
			r->length = 0;
		}
		r->length++;
		r->t_ns = ev[i].t_ns;
	}
	return 0;
}

static int end_frees(struct sum_cursor *c)
{
	size_t i;
	int ret = 0;

	for (i = 0; i < c->nr_tasks && !ret; i++)
		ret = end_run(c, i);
	return ret;
}

static const struct sum sum_class_run = {
	.ddl = "CREATE TABLE zsr_class_run (trace INTEGER, task INTEGER, "
	       "class INTEGER, length INTEGER, t_ns INTEGER)",
	.want = ZSR_WANT_TASK | ZSR_READ_SIZES,
	.add = add_frees,
	.end = end_frees,
};

/* ---- traces ------------------------------------------------------------------ */

static int read_facts(struct sum_cursor *c, struct zsr_err *err)
{
	sqlite3_stmt *stmt;
	int ret = zsr_sql_prepare(c->db, &stmt,
				  "SELECT duration_ns, kernel, page_size, "
				  "chain_size FROM trace WHERE id = ?",
				  err);

	if (ret)
		return ret;
	zsr_sql_bind(stmt, "i", c->trace);
	ret = zsr_sql_step(c->db, stmt, err);
	if (ret == 1) {
		c->step = (uint64_t)sqlite3_column_int64(stmt, 0) / NR_TIMES + 1;
		c->has_classes = zsr_classes_make(
			&c->classes, (const char *)sqlite3_column_text(stmt, 1),
			sqlite3_column_int64(stmt, 2),
			sqlite3_column_int64(stmt, 3));
	}
	sqlite3_finalize(stmt);
	return ret < 0 ? ret : 0;
}

static void close_trace(struct sum_cursor *c)
{
	zsr_reader_close(c->reader);
	c->reader = NULL;
	c->in_chunk = false;
	c->nr_tasks = 0;
	c->bucket = 0;
	c->objects = c->bytes = 0;
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

/* More events of the trace, or its end: 0, or -errno. */
static int read_some(struct sum_cursor *c, struct zsr_err *err)
{
	const struct zsr_chunk_info *info;
	const struct zsr_event *ev;
	int ret;

	if (!c->in_chunk) {
		ret = zsr_reader_chunk(c->reader, &info, err);
		if (ret < 0)
			return ret;
		c->in_chunk = ret;
		if (!ret) {
			ret = c->sum->end(c);
			close_trace(c);
		} else {
			ret = 0;
		}
	} else {
		ret = zsr_reader_rows(c->reader, &ev, NULL, err);
		if (ret < 0)
			return ret;
		c->in_chunk = ret;
		ret = c->sum->add(c, ev, (size_t)ret);
	}
	return ret ? zsr_err_nomem(err, "rows") : 0;
}

/* ---- the tables ---------------------------------------------------------------- */

static int sum_next(sqlite3_vtab_cursor *cur)
{
	struct sum_cursor *c = (struct sum_cursor *)cur;
	struct zsr_err err = { 0 };
	int ret = 1;

	c->rowid++;
	if (++c->at < c->nr_rows)
		return SQLITE_OK;
	c->at = c->nr_rows = 0;
	while (ret > 0 && !c->nr_rows) {
		if (!c->reader) {
			ret = next_trace(c, &err);
		} else {
			ret = read_some(c, &err);
			ret = ret ? ret : 1;
		}
	}
	if (ret < 0)
		return zsr_vtab_fail(c->base.pVtab, ret, &err);
	c->eof = !ret;
	return SQLITE_OK;
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

static int sum_filter(sqlite3_vtab_cursor *cur, int plan, const char *str,
		      int argc, sqlite3_value **argv)
{
	struct sum_cursor *c = (struct sum_cursor *)cur;
	bool some = true;
	int i;

	close_trace(c);
	c->traces = (struct zsr_range){ 1, INT32_MAX };
	for (i = 0; i < argc; i++)
		some &= zsr_range_narrow(&c->traces, str[2 * i + 1], argv[i]);
	c->trace = some ? c->traces.min - 1 : c->traces.max;
	c->at = c->nr_rows = 0;
	c->eof = !some;
	return some ? sum_next(cur) : SQLITE_OK;
}

static int open_cursor(sqlite3_vtab *t, const struct sum *sum,
		       sqlite3_vtab_cursor **out)
{
	struct sum_cursor *c = calloc(1, sizeof(*c));

	if (!c)
		return SQLITE_NOMEM;
	c->db = zsr_vtab_db(t);
	c->sum = sum;
	*out = &c->base;
	return SQLITE_OK;
}

static int sum_close(sqlite3_vtab_cursor *cur)
{
	struct sum_cursor *c = (struct sum_cursor *)cur;

	close_trace(c);
	free(c->tasks);
	free(c->rows);
	free(c);
	return SQLITE_OK;
}

static int sum_eof(sqlite3_vtab_cursor *cur)
{
	return ((struct sum_cursor *)cur)->eof;
}

static int sum_column(sqlite3_vtab_cursor *cur, sqlite3_context *ctx, int col)
{
	const struct sum_cursor *c = (struct sum_cursor *)cur;

	sqlite3_result_int64(ctx,
			     col ? c->rows[c->at].value[col - 1] : c->trace);
	return SQLITE_OK;
}

static int sum_rowid(sqlite3_vtab_cursor *cur, sqlite3_int64 *id)
{
	*id = ((struct sum_cursor *)cur)->rowid;
	return SQLITE_OK;
}

static int live_connect(sqlite3 *sql, void *db, int argc,
			const char *const *argv, sqlite3_vtab **out,
			char **errmsg)
{
	return zsr_vtab_connect(sql, db, sum_live.ddl, out, errmsg);
}

static int live_open(sqlite3_vtab *t, sqlite3_vtab_cursor **out)
{
	return open_cursor(t, &sum_live, out);
}

static int class_run_connect(sqlite3 *sql, void *db, int argc,
			     const char *const *argv, sqlite3_vtab **out,
			     char **errmsg)
{
	return zsr_vtab_connect(sql, db, sum_class_run.ddl, out, errmsg);
}

static int class_run_open(sqlite3_vtab *t, sqlite3_vtab_cursor **out)
{
	return open_cursor(t, &sum_class_run, out);
}

#define SUM_MODULE(name)                                                       \
	{                                                                      \
		.xConnect = name##_connect, .xBestIndex = sum_best_index,      \
		.xDisconnect = zsr_vtab_disconnect, .xOpen = name##_open,      \
		.xClose = sum_close, .xFilter = sum_filter, .xNext = sum_next, \
		.xEof = sum_eof, .xColumn = sum_column, .xRowid = sum_rowid,   \
	}

const sqlite3_module zsr_vtab_live = SUM_MODULE(live);
const sqlite3_module zsr_vtab_class_run = SUM_MODULE(class_run);
