// SPDX-License-Identifier: GPL-2.0-only
#include <math.h>
#include <string.h>

#include "db/vplan.h"

#define MAX_ARGS 16

static char operator_letter(unsigned char op)
{
	switch (op) {
	case SQLITE_INDEX_CONSTRAINT_EQ:
		return '=';
	case SQLITE_INDEX_CONSTRAINT_LT:
		return '<';
	case SQLITE_INDEX_CONSTRAINT_GT:
		return '>';
	case SQLITE_INDEX_CONSTRAINT_LE:
		return '[';
	case SQLITE_INDEX_CONSTRAINT_GE:
		return ']';
	default:
		return 0;
	}
}

/* Kinds are compared as texts: only with =, and as SQLite's texts are. */
static bool takes(sqlite3_index_info *info, int i, const struct zsr_vcolumn *c,
		  char op)
{
	if (!info->aConstraint[i].usable || !c->letter || !op)
		return false;
	return !c->is_kind ||
	       (op == '=' &&
		!strcmp(sqlite3_vtab_collation(info, i), "BINARY"));
}

/* How many of the rows a constraint leaves, for the planner. */
static double selectivity(const struct zsr_vcolumn *c, char op)
{
	if (op == '(')
		return 0.9;
	return op == '=' ? c->equal : 0.25;
}

int zsr_vplan_make(sqlite3_index_info *info, const struct zsr_vcolumn *columns,
		   unsigned nr, double *rows)
{
	char plan[2 * MAX_ARGS + 1];
	int i, col, n = 0;

	*rows = ZSR_VPLAN_ROWS;
	for (i = 0; i < info->nConstraint && n < MAX_ARGS; i++) {
		const struct zsr_vcolumn *c;
		char op = operator_letter(info->aConstraint[i].op);

		col = info->aConstraint[i].iColumn;
		if (col < 0 || (unsigned)col >= nr)
			continue;
		c = &columns[col];
		if (!takes(info, i, c, op))
			continue;
		if (c->is_kind && sqlite3_vtab_in(info, i, 1))
			op = '(';
		plan[2 * n] = c->letter;
		plan[2 * n + 1] = op;
		info->aConstraintUsage[i].argvIndex = ++n;
		info->aConstraintUsage[i].omit = 1;
		*rows *= selectivity(c, op);
	}
	plan[2 * n] = 0;
	info->idxStr = sqlite3_mprintf("%s", plan);
	info->needToFreeIdxStr = 1;
	return info->idxStr ? SQLITE_OK : SQLITE_NOMEM;
}

bool zsr_vplan_one_trace(const char *plan)
{
	for (; *plan; plan += 2)
		if (plan[0] == 't' && plan[1] == '=')
			return true;
	return false;
}

bool zsr_vplan_ordered(const sqlite3_index_info *info, bool one_trace,
		       int trace, int time)
{
	int i;

	for (i = 0; i < info->nOrderBy; i++)
		if (info->aOrderBy[i].desc)
			return false;
	i = 0;
	if (info->nOrderBy && info->aOrderBy[0].iColumn == trace) {
		i = 1;
		one_trace = true;
	}
	if (i == info->nOrderBy)
		return true;
	return one_trace && time >= 0 && i + 1 == info->nOrderBy &&
	       info->aOrderBy[i].iColumn == time;
}

/* ---- ranges ---------------------------------------------------------------- */

/* To integers x with x OP v. */
static bool narrow_int(struct zsr_range *r, char op, int64_t v)
{
	switch (op) {
	case '=':
		r->min = zsr_max(r->min, v);
		r->max = zsr_min(r->max, v);
		break;
	case '<':
		if (v == INT64_MIN)
			return false;
		r->max = zsr_min(r->max, v - 1);
		break;
	case '[':
		r->max = zsr_min(r->max, v);
		break;
	case '>':
		if (v == INT64_MAX)
			return false;
		r->min = zsr_max(r->min, v + 1);
		break;
	case ']':
		r->min = zsr_max(r->min, v);
		break;
	}
	return r->min <= r->max;
}

static bool narrow_real(struct zsr_range *r, char op, double v)
{
	bool up = op == '>' || op == ']', down = op == '<' || op == '[';
	double whole = floor(v);

	/* Beyond all integers. */
	if (v >= 0x1p63)
		return down;
	if (v < -0x1p63)
		return up;
	if (whole == v)
		return narrow_int(r, op, (int64_t)v);
	if (op == '=')
		return false;
	return narrow_int(r, up ? '>' : '[', (int64_t)whole);
}

/* A column of INTEGER affinity against any value, by SQLite's order of types:
 * numbers come before texts and blobs. */
bool zsr_range_narrow(struct zsr_range *r, char op, sqlite3_value *v)
{
	switch (sqlite3_value_numeric_type(v)) {
	case SQLITE_INTEGER:
		return narrow_int(r, op, sqlite3_value_int64(v));
	case SQLITE_FLOAT:
		return narrow_real(r, op, sqlite3_value_double(v));
	case SQLITE_NULL:
		return false;
	default:
		return op == '<' || op == '[';
	}
}
