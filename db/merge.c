// SPDX-License-Identifier: GPL-2.0-only
/*
 * Traces and runs of other databases into one. Rows are copied as they are
 * (chunks do not know their trace) once the database they come from was found
 * to be without fault, and all in one transaction.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "db/fsck.h"

struct merge {
	struct zsr_db *to;
	struct zsr_db *from;
	const char *path; /* of from */
	const struct zsr_merge_opts *opts;
	struct zsr_merged sum;
	struct zsr_err *err;
};

/* ---- copying rows ---------------------------------------------------------- */

/*
 * Rows of the old number ?2, and what some of their columns become under the
 * new number ?1 (and the name ?3). All columns are copied that a table has.
 */
struct table {
	const char *name;
	const char *where;
	struct {
		const char *column;
		const char *as; /* NULL: is left out */
	} set[4];
};

static const struct table trace_row = {
	"trace",
	"id = ?2",
	{ { "id", NULL }, { "name", "?3" } },
};

static const struct table trace_rows[] = {
	{ "task", "trace = ?2", { { "trace", "?1" } } },
	{ "pool", "trace = ?2", { { "trace", "?1" } } },
	{ "mark", "trace = ?2", { { "trace", "?1" } } },
	{ "meta", "trace = ?2", { { "trace", "?1" } } },
	{ "odd", "trace = ?2", { { "trace", "?1" } } },
	{ "chunk",
	  "id >= ?2 << 32 AND id < (?2 + 1) << 32",
	  { { "id", "id + ((?1 - ?2) << 32)" } } },
};

static const struct table run_row = {
	"run",
	"id = ?2",
	{ { "id", NULL },
	  { "trace", "nullif(?1, 0)" },
	  { "trace_name", "ifnull(?3, trace_name)" } },
};

static const struct table run_rows[] = {
	{ "run_value", "run = ?2", { { "run", "?1" } } },
	{ "run_data", "run = ?2", { { "run", "?1" } } },
	{ "run_release", "run = ?2", { { "run", "?1" } } },
	{ "run_lock", "run = ?2", { { "run", "?1" } } },
	{ "run_step", "run = ?2", { { "run", "?1" } } },
};

/* The profile of a run; others may have it already. */
static const struct table profile_row = {
	"profile",
	"digest = (SELECT profile_digest FROM run WHERE id = ?2)",
	{ { NULL, NULL } },
};

/* What becomes of a column; NULL: it is left out. */
static const char *value_of(const struct table *t, const char *column)
{
	size_t i;

	for (i = 0; i < ZSR_ARRAY_SIZE(t->set) && t->set[i].column; i++)
		if (!strcmp(t->set[i].column, column))
			return t->set[i].as;
	return column;
}

struct text {
	char *s;
	size_t len;
	FILE *f;
};

static int text_open(struct text *t, struct zsr_err *err)
{
	t->f = open_memstream(&t->s, &t->len);
	return t->f ? 0 : zsr_err_nomem(err, "query");
}

/* The query for rows of a table, and the one that adds them. */
static int make_queries(struct merge *m, const struct table *t,
			struct text *from, struct text *to)
{
	sqlite3_stmt *stmt;
	const char *comma = "", *name, *value;
	unsigned nr = 0;
	int ret = zsr_sql_prepare(
		m->to, &stmt, "SELECT name FROM pragma_table_info(?)", m->err);

	if (ret)
		return ret;
	zsr_sql_bind(stmt, "s", t->name);
	fputs("SELECT ", from->f);
	fprintf(to->f, "INSERT OR %s INTO %s (",
		t == &profile_row ? "IGNORE" : "ABORT", t->name);
	while ((ret = zsr_sql_step(m->to, stmt, m->err)) == 1) {
		name = (const char *)sqlite3_column_text(stmt, 0);
		value = name ? value_of(t, name) : NULL;
		if (!value)
			continue;
		fprintf(from->f, "%s%s", comma, value);
		fprintf(to->f, "%s%s", comma, name);
		comma = ", ";
		nr++;
	}
	sqlite3_finalize(stmt);
	fprintf(from->f, " FROM %s WHERE %s", t->name, t->where);
	fputs(") VALUES (?", to->f);
	while (nr-- > 1)
		fputs(", ?", to->f);
	fputs(")", to->f);
	return ret;
}

static int copy_row(struct merge *m, sqlite3_stmt *from, sqlite3_stmt *to)
{
	int i, n = sqlite3_column_count(from);

	for (i = 0; i < n; i++)
		sqlite3_bind_value(to, i + 1, sqlite3_column_value(from, i));
	return zsr_sql_run(m->to, to, m->err, "");
}

static int copy_rows(struct merge *m, const char *select, const char *insert,
		     int64_t new, int64_t old, const char *name)
{
	sqlite3_stmt *from = NULL, *to = NULL;
	int ret = zsr_sql_prepare(m->from, &from, select, m->err);

	if (!ret)
		ret = zsr_sql_prepare(m->to, &to, insert, m->err);
	if (!ret) {
		sqlite3_bind_int64(from, 1, new);
		sqlite3_bind_int64(from, 2, old);
		sqlite3_bind_text(from, 3, name, -1, SQLITE_STATIC);
	}
	while (!ret && (ret = zsr_sql_step(m->from, from, m->err)) == 1)
		ret = copy_row(m, from, to);
	sqlite3_finalize(from);
	sqlite3_finalize(to);
	return ret;
}

static int copy(struct merge *m, const struct table *t, int64_t new,
		int64_t old, const char *name)
{
	struct text from = { 0 }, to = { 0 };
	int ret = text_open(&from, m->err);

	if (!ret)
		ret = text_open(&to, m->err);
	if (!ret)
		ret = make_queries(m, t, &from, &to);
	if (from.f && fclose(from.f) && !ret)
		ret = zsr_err_nomem(m->err, "query");
	if (to.f && fclose(to.f) && !ret)
		ret = zsr_err_nomem(m->err, "query");
	if (!ret)
		ret = copy_rows(m, from.s, to.s, new, old, name);
	free(from.s);
	free(to.s);
	return ret;
}

static int copy_all(struct merge *m, const struct table *t, size_t nr,
		    int64_t new, int64_t old)
{
	size_t i;
	int ret = 0;

	for (i = 0; i < nr && !ret; i++)
		ret = copy(m, &t[i], new, old, NULL);
	return ret;
}

/* ---- traces ---------------------------------------------------------------- */

/* The trace of this digest in the database merged into: 1 with its id and
 * name, 0. */
static int find_twin(struct merge *m, const char *digest, int64_t *id,
		     char name[128])
{
	sqlite3_stmt *stmt;
	int ret = zsr_sql_prepare(m->to, &stmt,
				  "SELECT id, name FROM trace WHERE digest = ? "
				  "ORDER BY id",
				  m->err);

	if (ret)
		return ret;
	zsr_sql_bind(stmt, "s", digest);
	ret = zsr_sql_step(m->to, stmt, m->err);
	if (ret == 1) {
		*id = sqlite3_column_int64(stmt, 0);
		zsr_sql_text(stmt, 1, name, 128);
	}
	sqlite3_finalize(stmt);
	return ret;
}

static int add_trace(struct merge *m, int64_t old, char name[128])
{
	int64_t id;
	int ret = zsr_trace_free_name(m->to, name, m->err);

	if (!ret)
		ret = copy(m, &trace_row, 0, old, name);
	if (ret)
		return ret;
	id = sqlite3_last_insert_rowid(m->to->sql);
	if (id > INT32_MAX)
		return zsr_err_input(m->err, "the database is full");
	return copy_all(m, trace_rows, ZSR_ARRAY_SIZE(trace_rows), id, old);
}

static int merge_trace(void *ctx, const struct zsr_trace *t)
{
	struct merge *m = ctx;
	char name[128];
	int64_t id;
	int known = find_twin(m, t->digest, &id, name), ret = 0;

	if (known < 0)
		return known;
	if (!known) {
		memcpy(name, t->name, sizeof(name));
		ret = add_trace(m, t->id, name);
	}
	m->sum.nr_traces += !known;
	m->sum.nr_known += known;
	if (!ret && m->opts->trace)
		m->opts->trace(m->opts->ctx, m->path, t->name, name, known);
	return ret;
}

/* ---- runs ------------------------------------------------------------------ */

/* What two runs may differ in though they say the same. */
static bool is_incidental(const char *column)
{
	static const char *const columns[] = { "id", "trace", "trace_name",
					       "stored_s", "zsr_version" };
	size_t i;

	for (i = 0; i < ZSR_ARRAY_SIZE(columns); i++)
		if (!strcmp(columns[i], column))
			return true;
	return false;
}

/* Whether a run of the same inputs and results is there. */
static int is_known_run(struct merge *m, sqlite3_stmt *row)
{
	int i, n = sqlite3_column_count(row), ret;
	struct text query = { 0 };
	sqlite3_stmt *stmt;

	ret = text_open(&query, m->err);
	if (ret)
		return ret;
	fputs("SELECT 1 FROM run WHERE 1", query.f);
	for (i = 0; i < n; i++)
		if (!is_incidental(sqlite3_column_name(row, i)))
			fprintf(query.f, " AND %s IS ?%d",
				sqlite3_column_name(row, i), i + 1);
	ret = fclose(query.f) ? zsr_err_nomem(m->err, "query")
			      : zsr_sql_prepare(m->to, &stmt, query.s, m->err);
	free(query.s);
	if (ret)
		return ret;
	for (i = 0; i < n; i++)
		sqlite3_bind_value(stmt, i + 1, sqlite3_column_value(row, i));
	ret = zsr_sql_step(m->to, stmt, m->err);
	sqlite3_finalize(stmt);
	return ret;
}

static int add_run(struct merge *m, int64_t old, const char *trace_digest)
{
	char name[128];
	int64_t trace = 0, id;
	int found = find_twin(m, trace_digest, &trace, name), ret;

	if (found < 0)
		return found;
	ret = copy(m, &profile_row, 0, old, NULL);
	if (!ret)
		ret = copy(m, &run_row, trace, old, found ? name : NULL);
	if (ret)
		return ret;
	id = sqlite3_last_insert_rowid(m->to->sql);
	return copy_all(m, run_rows, ZSR_ARRAY_SIZE(run_rows), id, old);
}

static int merge_runs(struct merge *m)
{
	sqlite3_stmt *stmt;
	int known, ret = zsr_sql_prepare(m->from, &stmt,
					 "SELECT trace_digest, * FROM run "
					 "ORDER BY id",
					 m->err);

	if (ret)
		return ret;
	while ((ret = zsr_sql_step(m->from, stmt, m->err)) == 1) {
		ret = known = is_known_run(m, stmt);
		if (!known)
			ret = add_run(m, sqlite3_column_int64(stmt, 1),
				      (const char *)sqlite3_column_text(stmt, 0));
		if (ret < 0)
			break;
		m->sum.nr_runs += !known;
		m->sum.nr_known_runs += known;
	}
	sqlite3_finalize(stmt);
	return ret;
}

/* ---- databases ------------------------------------------------------------- */

static int first_fault(void *ctx, const char *line)
{
	return zsr_err_input(ctx, "%s (`zsr fsck` tells all)", line);
}

/* What was checked is what is copied: it is all in one read transaction. */
static int merge_database(struct merge *m)
{
	struct zsr_err fault = { 0 };
	const struct zsr_fsck_opts check = {
		.ctx = &fault,
		.fault = first_fault,
	};
	struct zsr_fsck found;
	int ret = zsr_sql_exec(m->from, "BEGIN", m->err);

	if (!ret)
		ret = zsr_fsck_open(m->from, &check, &found, m->err);
	if (fault.kind)
		*m->err = fault;
	if (!ret)
		ret = zsr_trace_list(m->from, merge_trace, m, m->err);
	if (!ret)
		ret = merge_runs(m);
	zsr_db_rollback(m->from);
	return ret;
}

int zsr_db_merge(struct zsr_db *db, const char *const *paths, size_t nr,
		 const struct zsr_merge_opts *opts, struct zsr_merged *merged,
		 struct zsr_err *err)
{
	struct merge m = { .to = db, .opts = opts, .err = err };
	size_t i;
	int ret = zsr_db_begin(db, err);

	for (i = 0; i < nr && !ret; i++) {
		m.path = paths[i];
		ret = zsr_db_open(&m.from, paths[i], ZSR_DB_READONLY, err);
		if (ret)
			break;
		ret = merge_database(&m);
		zsr_db_close(m.from);
		if (ret)
			zsr_err_wrap(err, ret, "%s", paths[i]);
	}
	if (!ret)
		ret = zsr_db_commit(db, err);
	if (ret)
		zsr_db_rollback(db);
	*merged = m.sum;
	return ret;
}
