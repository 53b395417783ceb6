// SPDX-License-Identifier: GPL-2.0-only
/*
 * zsr_run_point(run, key, t_ns, row, value): what run_data holds of a run, a row
 * a point of a series, a bucket of a histogram, a cell of a grid that is not 0.
 * Wants to be asked for runs.
 */
#include <stdlib.h>

#include "db/vtab.h"

enum { COL_RUN, COL_KEY, COL_T_NS, COL_ROW, COL_VALUE };

#define NR_PARTS (ZSR_NR_RUN_HISTS + ZSR_NR_RUN_SERIES + ZSR_NR_RUN_GRIDS)

static const char *const keys[NR_PARTS] = {
#define X(name, text) "hist." #name,
	ZSR_RUN_HISTS(X)
#undef X
#define X(name, unit, text) "series." #name,
		ZSR_RUN_SERIES(X)
#undef X
#define X(name, text) "grid." #name,
			ZSR_RUN_GRIDS(X)
#undef X
};

struct point {
	bool has_t, has_row;
	uint64_t t_ns, row, value;
};

struct vcursor {
	sqlite3_vtab_cursor base;
	struct zsr_run run;
	bool loaded;
	unsigned part;
	size_t at;
	int64_t rowid;
	struct point now;
};

static int run_connect(sqlite3 *sql, void *aux, int argc,
		       const char *const *argv, sqlite3_vtab **out,
		       char **errmsg)
{
	return zsr_vtab_connect(sql, aux,
				"CREATE TABLE x(run INTEGER, key TEXT, "
				"t_ns INTEGER, row INTEGER, value INTEGER)",
				out, errmsg);
}

static int run_best_index(sqlite3_vtab *t, sqlite3_index_info *info)
{
	int i;

	for (i = 0; i < info->nConstraint; i++)
		if (info->aConstraint[i].usable &&
		    info->aConstraint[i].iColumn == COL_RUN &&
		    info->aConstraint[i].op == SQLITE_INDEX_CONSTRAINT_EQ)
			break;
	if (i == info->nConstraint)
		return SQLITE_CONSTRAINT;
	info->aConstraintUsage[i].argvIndex = 1;
	info->aConstraintUsage[i].omit = 1;
	info->estimatedCost = 1e5;
	return SQLITE_OK;
}

static int run_open(sqlite3_vtab *t, sqlite3_vtab_cursor **out)
{
	struct vcursor *c = sqlite3_malloc(sizeof(*c));

	if (!c)
		return SQLITE_NOMEM;
	*c = (struct vcursor){ 0 };
	*out = &c->base;
	return SQLITE_OK;
}

static void forget(struct vcursor *c)
{
	if (c->loaded)
		zsr_run_free(&c->run);
	c->loaded = false;
}

static int run_close(sqlite3_vtab_cursor *cur)
{
	forget((struct vcursor *)cur);
	sqlite3_free(cur);
	return SQLITE_OK;
}

/* The point at c->at or behind it of c->part; false at its end. */
static bool find(struct vcursor *c)
{
	const struct zsr_run *run = &c->run;
	unsigned part = c->part;

	if (part < ZSR_NR_RUN_HISTS) {
		const struct zsr_hist *h = run->hist[part];

		while (c->at < ZSR_HIST_BUCKETS && !h->bucket[c->at])
			c->at++;
		if (c->at == ZSR_HIST_BUCKETS)
			return false;
		c->now = (struct point){ .has_row = true,
					 .row = zsr_hist_low((unsigned)c->at),
					 .value = h->bucket[c->at] };
		return true;
	}
	part -= ZSR_NR_RUN_HISTS;
	if (part < ZSR_NR_RUN_SERIES) {
		const struct zsr_series *s = &run->series[part];

		if (c->at == s->nr)
			return false;
		c->now = (struct point){ .has_t = true,
					 .t_ns = s->points[c->at].t_ns,
					 .value = s->points[c->at].value };
		return true;
	} else {
		const struct zsr_grid *g = &run->grid[part - ZSR_NR_RUN_SERIES];
		size_t nr = (size_t)g->nr_rows * g->nr_cols;

		while (c->at < nr && !g->cell[c->at])
			c->at++;
		if (c->at == nr)
			return false;
		c->now = (struct point){
			.has_t = g->step_ns != 0,
			.has_row = true,
			.t_ns = g->begin_ns + c->at % g->nr_cols * g->step_ns,
			.row = g->row[c->at / g->nr_cols],
			.value = g->cell[c->at],
		};
		return true;
	}
}

static void settle(struct vcursor *c)
{
	while (c->part < NR_PARTS && !find(c)) {
		c->part++;
		c->at = 0;
	}
}

/* A run there is not has no rows. */
static int run_filter(sqlite3_vtab_cursor *cur, int plan, const char *str,
		      int argc, sqlite3_value **argv)
{
	struct zsr_db *db = zsr_vtab_db(cur->pVtab);
	struct vcursor *c = (struct vcursor *)cur;
	struct zsr_err err = { 0 };
	sqlite3_stmt *stmt;
	int ret;

	forget(c);
	c->part = NR_PARTS;
	c->at = 0;
	ret = zsr_sql_prepare(db, &stmt, "SELECT 1 FROM run WHERE id = ?", &err);
	if (!ret) {
		zsr_sql_bind(stmt, "i", sqlite3_value_int64(argv[0]));
		ret = zsr_sql_step(db, stmt, &err);
		sqlite3_finalize(stmt);
	}
	if (ret == 1)
		ret = zsr_run_load(db, sqlite3_value_int64(argv[0]), &c->run,
				   &err);
	else if (!ret)
		return SQLITE_OK;
	if (ret)
		return zsr_vtab_fail(cur->pVtab, ret, &err);
	c->loaded = true;
	c->part = 0;
	settle(c);
	return SQLITE_OK;
}

static int run_next(sqlite3_vtab_cursor *cur)
{
	struct vcursor *c = (struct vcursor *)cur;

	c->at++;
	c->rowid++;
	settle(c);
	return SQLITE_OK;
}

static int run_eof(sqlite3_vtab_cursor *cur)
{
	return ((struct vcursor *)cur)->part == NR_PARTS;
}

static int run_column(sqlite3_vtab_cursor *cur, sqlite3_context *ctx, int col)
{
	struct vcursor *c = (struct vcursor *)cur;

	switch (col) {
	case COL_RUN:
		sqlite3_result_int64(ctx, c->run.id);
		break;
	case COL_KEY:
		sqlite3_result_text(ctx, keys[c->part], -1, SQLITE_STATIC);
		break;
	case COL_T_NS:
		zsr_vtab_known(ctx, c->now.has_t, c->now.t_ns);
		break;
	case COL_ROW:
		zsr_vtab_known(ctx, c->now.has_row, c->now.row);
		break;
	case COL_VALUE:
		sqlite3_result_int64(ctx, (int64_t)c->now.value);
		break;
	}
	return SQLITE_OK;
}

static int run_rowid(sqlite3_vtab_cursor *cur, sqlite3_int64 *id)
{
	*id = ((struct vcursor *)cur)->rowid;
	return SQLITE_OK;
}

const sqlite3_module zsr_vtab_run = {
	.xConnect = run_connect,
	.xBestIndex = run_best_index,
	.xDisconnect = zsr_vtab_disconnect,
	.xOpen = run_open,
	.xClose = run_close,
	.xFilter = run_filter,
	.xNext = run_next,
	.xEof = run_eof,
	.xColumn = run_column,
	.xRowid = run_rowid,
};
