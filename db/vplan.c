// SPDX-License-Identifier: GPL-2.0-only
/*
 * A plan is a string of two letters an argument: column (t trace, n t_ns,
 * c cpu, k task, i kind) and operator (= < > [ ]; [ is <=, ] is >=; ( is one of
 * a list, for kinds: others are handed over one at a time). All of
 * them are decided here exactly as SQLite would, which is why it is told not
 * to look again.
 */
#include <math.h>
#include <string.h>

#include "db/vplan.h"

#define MAX_ARGS 16

/* Rows SQLite should count on; only the proportions matter. */
#define ROWS_ALL 1e7

static char column_letter(int col)
{
	switch (col) {
	case ZSR_VCOL_TRACE:
		return 't';
	case ZSR_VCOL_T_NS:
		return 'n';
	case ZSR_VCOL_CPU:
		return 'c';
	case ZSR_VCOL_TASK:
		return 'k';
	case ZSR_VCOL_KIND:
		return 'i';
	default:
		return 0;
	}
}

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

/* How many of the rows a constraint leaves, for the planner. */
static double selectivity(char col, char op)
{
	if (op == '(')
		return 0.9;
	if (op != '=')
		return 0.25;
	switch (col) {
	case 't':
		return 0.1;
	case 'i':
		return 0.5;
	case 'n':
		return 0.0001;
	default:
		return 0.3;
	}
}

/* Rows come by trace, then by time. */
static bool in_our_order(const sqlite3_index_info *info, bool one_trace)
{
	int i = 0;

	if (info->nOrderBy > 2 || (info->nOrderBy && info->aOrderBy[0].desc))
		return false;
	if (info->nOrderBy && info->aOrderBy[0].iColumn == ZSR_VCOL_TRACE) {
		i = 1;
		one_trace = true;
	}
	if (i == info->nOrderBy)
		return true;
	return one_trace && i + 1 == info->nOrderBy &&
	       info->aOrderBy[i].iColumn == ZSR_VCOL_T_NS &&
	       !info->aOrderBy[i].desc;
}

/* What must be read for the columns of a mask. */
static unsigned wanted(uint64_t columns)
{
	static const unsigned of[] = {
		[ZSR_VCOL_TASK] = ZSR_WANT_TASK,
		[ZSR_VCOL_COMM] = ZSR_WANT_TASK,
		[ZSR_VCOL_DUR_NS] = ZSR_WANT_DUR,
		[ZSR_VCOL_POOL] = ZSR_WANT_REST,
		[ZSR_VCOL_OBJ] = ZSR_WANT_FREED,
		[ZSR_VCOL_SIZE] = ZSR_WANT_SIZE | ZSR_READ_SIZES,
		[ZSR_VCOL_CALLER] = ZSR_WANT_REST,
		[ZSR_VCOL_SLOT] = ZSR_WANT_REST,
		[ZSR_VCOL_GFP] = ZSR_WANT_GFP,
		[ZSR_VCOL_CGROUP] = ZSR_WANT_REST,
		[ZSR_VCOL_FLAGS] = ZSR_WANT_REST,
		[ZSR_VCOL_AUX] = ZSR_WANT_REST,
		[ZSR_VCOL_LIFE_NS] = ZSR_READ_BIRTHS,
	};
	unsigned want = 0, i;

	for (i = 0; i < ZSR_ARRAY_SIZE(of); i++)
		if (columns >> i & 1)
			want |= of[i];
	return want;
}

int zsr_vplan_best_index(sqlite3_vtab *t, sqlite3_index_info *info)
{
	char plan[2 * MAX_ARGS + 1];
	bool one_trace = false;
	double rows = ROWS_ALL;
	int i, n = 0;

	for (i = 0; i < info->nConstraint && n < MAX_ARGS; i++) {
		char col = column_letter(info->aConstraint[i].iColumn);
		char op = operator_letter(info->aConstraint[i].op);

		if (!info->aConstraint[i].usable || !col || !op ||
		    (col == 'i' &&
		     (op != '=' ||
		      strcmp(sqlite3_vtab_collation(info, i), "BINARY"))))
			continue;
		if (col == 'i' && sqlite3_vtab_in(info, i, 1))
			op = '(';
		plan[2 * n] = col;
		plan[2 * n + 1] = op;
		info->aConstraintUsage[i].argvIndex = ++n;
		info->aConstraintUsage[i].omit = 1;
		one_trace |= col == 't' && op == '=';
		rows *= selectivity(col, op);
	}
	plan[2 * n] = 0;
	info->idxStr = sqlite3_mprintf("%s", plan);
	if (!info->idxStr)
		return SQLITE_NOMEM;
	info->needToFreeIdxStr = 1;
	info->idxNum = (int)wanted(info->colUsed);
	info->estimatedRows = (sqlite3_int64)rows + 1;
	/* Chunks are decoded whatever is asked of their rows. */
	info->estimatedCost = rows + (one_trace ? 0.1 : 1) * ROWS_ALL / 4;
	info->orderByConsumed = in_our_order(info, one_trace);
	return SQLITE_OK;
}

/* ---- filter -------------------------------------------------------------- */

/* Narrow [*min, *max] to integers x with x OP v. False: none is left. */
static bool narrow_int(int64_t *min, int64_t *max, char op, int64_t v)
{
	switch (op) {
	case '=':
		*min = zsr_max(*min, v);
		*max = zsr_min(*max, v);
		break;
	case '<':
		if (v == INT64_MIN)
			return false;
		*max = zsr_min(*max, v - 1);
		break;
	case '[':
		*max = zsr_min(*max, v);
		break;
	case '>':
		if (v == INT64_MAX)
			return false;
		*min = zsr_max(*min, v + 1);
		break;
	case ']':
		*min = zsr_max(*min, v);
		break;
	}
	return *min <= *max;
}

static bool narrow_real(int64_t *min, int64_t *max, char op, double v)
{
	bool up = op == '>' || op == ']', down = op == '<' || op == '[';
	double whole = floor(v);

	/* Beyond all integers. */
	if (v >= 0x1p63)
		return down;
	if (v < -0x1p63)
		return up;
	if (whole == v)
		return narrow_int(min, max, op, (int64_t)v);
	if (op == '=')
		return false;
	return narrow_int(min, max, up ? '>' : '[', (int64_t)whole);
}

/* A column of INTEGER affinity against any value, by SQLite's order of types:
 * numbers come before texts and blobs. */
static bool narrow(int64_t *min, int64_t *max, char op, sqlite3_value *v)
{
	switch (sqlite3_value_numeric_type(v)) {
	case SQLITE_INTEGER:
		return narrow_int(min, max, op, sqlite3_value_int64(v));
	case SQLITE_FLOAT:
		return narrow_real(min, max, op, sqlite3_value_double(v));
	case SQLITE_NULL:
		return false;
	default:
		return op == '<' || op == '[';
	}
}

static unsigned kinds_named(sqlite3_value *v)
{
	const char *name = (const char *)sqlite3_value_text(v);
	unsigned kind;

	if (sqlite3_value_type(v) == SQLITE_BLOB)
		return 0;
	for (kind = 0; name && kind < ZSR_EV_NR; kind++)
		if (!strcmp(name, zsr_event_kind_name(kind)))
			return 1u << kind;
	return 0;
}

static unsigned kinds_listed(sqlite3_value *list)
{
	sqlite3_value *v;
	unsigned kinds = 0;
	int rc;

	for (rc = sqlite3_vtab_in_first(list, &v); rc == SQLITE_OK && v;
	     rc = sqlite3_vtab_in_next(list, &v))
		kinds |= kinds_named(v);
	return kinds;
}

void zsr_vfilter_init(struct zsr_vfilter *f, int plan, const char *str,
		      int argc, sqlite3_value **argv)
{
	bool some = true;
	int i;

	*f = (struct zsr_vfilter){
		.trace_min = 1,
		.trace_max = INT32_MAX,
		.t_max = INT64_MAX,
		.cpu_max = UINT16_MAX,
		.task_max = UINT32_MAX,
		.kinds = (1u << ZSR_EV_NR) - 1,
		.want = (unsigned)plan,
	};
	for (i = 0; i < argc; i++) {
		char op = str[2 * i + 1];

		switch (str[2 * i]) {
		case 't':
			some &= narrow(&f->trace_min, &f->trace_max, op,
				       argv[i]);
			break;
		case 'n':
			some &= narrow(&f->t_min, &f->t_max, op, argv[i]);
			break;
		case 'c':
			some &= narrow(&f->cpu_min, &f->cpu_max, op, argv[i]);
			break;
		case 'k':
			f->want |= ZSR_WANT_TASK;
			some &= narrow(&f->task_min, &f->task_max, op, argv[i]);
			break;
		case 'i':
			f->kinds &= op == '(' ? kinds_listed(argv[i])
					      : kinds_named(argv[i]);
			break;
		}
	}
	f->nothing = !some || !f->kinds;
	if (!(f->kinds & 1u << ZSR_EV_FREE))
		f->want &= ~(ZSR_WANT_FREED | ZSR_READ_SIZES | ZSR_READ_BIRTHS);
}

bool zsr_vfilter_after(const struct zsr_vfilter *f,
		       const struct zsr_chunk_info *c)
{
	return (int64_t)c->t_min > f->t_max;
}

/* Cpus 63 and above share a bit. */
static uint64_t cpu_bits(int64_t min, int64_t max)
{
	unsigned a = (unsigned)zsr_min(min, 63), b = (unsigned)zsr_min(max, 63);

	return ~0ull >> (63 - b) & ~0ull << a;
}

bool zsr_vfilter_chunk(const struct zsr_vfilter *f,
		       const struct zsr_chunk_info *c)
{
	return (int64_t)c->t_max >= f->t_min && c->kinds & f->kinds &&
	       c->cpus & cpu_bits(f->cpu_min, f->cpu_max) &&
	       c->task_max >= f->task_min && c->task_min <= f->task_max;
}

/* Nothing but kinds has to be looked at in its rows. */
static bool chunk_inside(const struct zsr_vfilter *f,
			 const struct zsr_chunk_info *c)
{
	bool all_cpus = f->cpu_min <= 0 && f->cpu_max >= UINT16_MAX;

	return (int64_t)c->t_min >= f->t_min && (int64_t)c->t_max <= f->t_max &&
	       c->task_min >= f->task_min && c->task_max <= f->task_max &&
	       all_cpus;
}

static bool row_inside(const struct zsr_vfilter *f, const struct zsr_event *ev)
{
	return ((int64_t)ev->t_ns >= f->t_min) &
	       ((int64_t)ev->t_ns <= f->t_max) & (ev->cpu >= f->cpu_min) &
	       (ev->cpu <= f->cpu_max) & (ev->task >= f->task_min) &
	       (ev->task <= f->task_max);
}

/* Without a branch a row, as kinds come in no order a CPU could guess. */
unsigned zsr_vfilter_rows(const struct zsr_vfilter *f,
			  const struct zsr_chunk_info *c,
			  const struct zsr_event *ev, unsigned n, uint16_t *want)
{
	bool inside = chunk_inside(f, c),
	     all = inside && !(c->kinds & ~f->kinds);
	unsigned i, nr = 0;

	for (i = 0; all && i < n; i++)
		want[nr++] = (uint16_t)i;
	for (i = 0; !all && inside && i < n; i++) {
		want[nr] = (uint16_t)i;
		nr += f->kinds >> ev[i].kind & 1;
	}
	for (i = 0; !inside && i < n; i++) {
		want[nr] = (uint16_t)i;
		nr += (f->kinds >> ev[i].kind & 1) & row_inside(f, &ev[i]);
	}
	return nr;
}
