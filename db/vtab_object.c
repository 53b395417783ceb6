// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtual table zsr_object: the objects of all traces, one row each,
 * described in zsr-db(5). What a query asks of trace, obj, birth_ns and
 * death_ns is decided here.
 */
#include <stdlib.h>

#include "db/objects.h"
#include "db/vtab.h"

enum {
	COL_TRACE,
	COL_OBJ,
	COL_POOL,
	COL_SIZE,
	COL_BIRTH_NS,
	COL_DEATH_NS,
	COL_LIFE_NS,
	COL_BIRTH_TASK,
	COL_BIRTH_CPU,
	COL_DEATH_TASK,
	COL_DEATH_CPU,
	COL_CALLER,
};

#define OBJECT_SQL                                                             \
	"CREATE TABLE zsr_object (trace INTEGER, obj INTEGER, pool INTEGER, "  \
	"size INTEGER, birth_ns INTEGER, death_ns INTEGER, life_ns INTEGER, "  \
	"birth_task INTEGER, birth_cpu INTEGER, death_task INTEGER, "          \
	"death_cpu INTEGER, caller TEXT)"

static const struct zsr_vcolumn columns[] = {
	[COL_TRACE] = { .letter = 't', .equal = 0.1 },
	[COL_OBJ] = { .letter = 'o', .equal = 1 / ZSR_VPLAN_ROWS },
	[COL_BIRTH_NS] = { .letter = 'b', .equal = 0.0001 },
	[COL_DEATH_NS] = { .letter = 'd', .equal = 0.0001 },
};

struct object_cursor {
	sqlite3_vtab_cursor base;
	struct zsr_db *db;
	struct zsr_range traces;
	struct zsr_object_filter f;
	struct zsr_objects *objects; /* of trace */
	int64_t trace;
	struct zsr_object obj; /* the current row */
	bool nothing; /* no row can match */
	bool eof;
};

static int object_connect(sqlite3 *sql, void *db, int argc,
			  const char *const *argv, sqlite3_vtab **out,
			  char **errmsg)
{
	return zsr_vtab_connect(sql, db, OBJECT_SQL, out, errmsg);
}

static unsigned wanted(uint64_t mask)
{
	static const unsigned of[] = {
		[COL_POOL] = ZSR_WANT_REST,
		[COL_SIZE] = ZSR_WANT_SIZE,
		[COL_BIRTH_TASK] = ZSR_WANT_TASK,
		[COL_DEATH_TASK] = ZSR_WANT_TASK,
		[COL_CALLER] = ZSR_WANT_REST,
	};
	unsigned want = 0, i;

	for (i = 0; i < ZSR_ARRAY_SIZE(of); i++)
		if (mask >> i & 1)
			want |= of[i];
	return want;
}

static int object_best_index(sqlite3_vtab *t, sqlite3_index_info *info)
{
	double rows;
	bool one_trace;
	int rc = zsr_vplan_make(info, columns, ZSR_ARRAY_SIZE(columns), &rows);

	if (rc)
		return rc;
	one_trace = zsr_vplan_one_trace(info->idxStr);
	info->idxNum = (int)wanted(info->colUsed);
	info->estimatedRows = (sqlite3_int64)rows + 1;
	/* Deaths must be looked for, whatever is asked. */
	info->estimatedCost = rows + (one_trace ? 0.1 : 1) * ZSR_VPLAN_ROWS / 4;
	info->orderByConsumed = zsr_vplan_ordered(info, one_trace, COL_TRACE,
						  -1);
	return SQLITE_OK;
}

static int object_open(sqlite3_vtab *t, sqlite3_vtab_cursor **out)
{
	struct object_cursor *c = calloc(1, sizeof(*c));

	if (!c)
		return SQLITE_NOMEM;
	c->db = zsr_vtab_db(t);
	*out = &c->base;
	return SQLITE_OK;
}

static void close_trace(struct object_cursor *c)
{
	zsr_objects_close(c->objects);
	c->objects = NULL;
}

static int object_close(sqlite3_vtab_cursor *cur)
{
	struct object_cursor *c = (struct object_cursor *)cur;

	close_trace(c);
	free(c);
	return SQLITE_OK;
}

/* ---- rows ------------------------------------------------------------------- */

/* The next trace that may have rows: 1, 0 at the end, -errno. */
static int next_trace(struct object_cursor *c, struct zsr_err *err)
{
	int ret;

	close_trace(c);
	if (c->nothing)
		return 0;
	ret = zsr_vtab_next_trace(c->db, &c->trace, c->traces.max, err);
	if (ret != 1)
		return ret;
	ret = zsr_objects_open(c->db, c->trace, &c->f, &c->objects, err);
	return ret ? ret : 1;
}

static int object_next(sqlite3_vtab_cursor *cur)
{
	struct object_cursor *c = (struct object_cursor *)cur;
	struct zsr_err err = { 0 };
	int ret = 1;

	while (ret == 1) {
		ret = c->objects ? zsr_objects_next(c->objects, &c->obj, &err)
				 : 0;
		if (ret == 1)
			return SQLITE_OK;
		if (!ret)
			ret = next_trace(c, &err);
	}
	if (ret < 0)
		return zsr_vtab_fail(c->base.pVtab, ret, &err);
	c->eof = true;
	return SQLITE_OK;
}

static bool narrow(struct object_cursor *c, char column, char op,
		   sqlite3_value *v)
{
	switch (column) {
	case 't':
		return zsr_range_narrow(&c->traces, op, v);
	case 'o':
		return zsr_range_narrow(&c->f.obj, op, v);
	case 'b':
		return zsr_range_narrow(&c->f.birth, op, v);
	default:
		c->f.dead_only = true;
		return zsr_range_narrow(&c->f.death, op, v);
	}
}

static int object_filter(sqlite3_vtab_cursor *cur, int plan, const char *str,
			 int argc, sqlite3_value **argv)
{
	struct object_cursor *c = (struct object_cursor *)cur;
	int i;

	close_trace(c);
	c->f = (struct zsr_object_filter){
		.obj = { 0, INT64_MAX },
		.birth = { 0, INT64_MAX },
		.death = { 0, INT64_MAX },
		.want = (unsigned)plan,
	};
	c->traces = (struct zsr_range){ 1, INT32_MAX };
	c->nothing = false;
	for (i = 0; i < argc; i++)
		c->nothing |= !narrow(c, str[2 * i], str[2 * i + 1], argv[i]);
	c->trace = c->traces.min - 1;
	c->eof = false;
	return object_next(cur);
}

static int object_eof(sqlite3_vtab_cursor *cur)
{
	return ((struct object_cursor *)cur)->eof;
}

static int object_column(sqlite3_vtab_cursor *cur, sqlite3_context *ctx, int col)
{
	const struct object_cursor *c = (struct object_cursor *)cur;
	const struct zsr_object *o = &c->obj;
	bool dead = o->death_ns != UINT64_MAX;

	switch (col) {
	case COL_TRACE:
		sqlite3_result_int64(ctx, c->trace);
		break;
	case COL_OBJ:
		sqlite3_result_int64(ctx, (int64_t)o->obj);
		break;
	case COL_POOL:
		sqlite3_result_int(ctx, o->pool);
		break;
	case COL_SIZE:
		sqlite3_result_int64(ctx, o->size);
		break;
	case COL_BIRTH_NS:
		sqlite3_result_int64(ctx, (int64_t)o->birth_ns);
		break;
	case COL_DEATH_NS:
		zsr_vtab_known(ctx, dead, o->death_ns);
		break;
	case COL_LIFE_NS:
		zsr_vtab_known(ctx, dead, o->death_ns - o->birth_ns);
		break;
	case COL_BIRTH_TASK:
		sqlite3_result_int64(ctx, o->birth_task);
		break;
	case COL_BIRTH_CPU:
		sqlite3_result_int(ctx, o->birth_cpu);
		break;
	case COL_DEATH_TASK:
		zsr_vtab_known(ctx, dead, o->death_task);
		break;
	case COL_DEATH_CPU:
		zsr_vtab_known(ctx, dead, o->death_cpu);
		break;
	case COL_CALLER:
		if (dead)
			sqlite3_result_text(ctx, zsr_caller_name(o->caller), -1,
					    SQLITE_STATIC);
		break;
	}
	return SQLITE_OK;
}

/* Unique as long as a trace has less than 2^40 objects. */
static int object_rowid(sqlite3_vtab_cursor *cur, sqlite3_int64 *id)
{
	const struct object_cursor *c = (struct object_cursor *)cur;

	*id = c->trace << 40 | (int64_t)c->obj.obj;
	return SQLITE_OK;
}

const sqlite3_module zsr_vtab_object = {
	.xConnect = object_connect,
	.xBestIndex = object_best_index,
	.xDisconnect = zsr_vtab_disconnect,
	.xOpen = object_open,
	.xClose = object_close,
	.xFilter = object_filter,
	.xNext = object_next,
	.xEof = object_eof,
	.xColumn = object_column,
	.xRowid = object_rowid,
};
