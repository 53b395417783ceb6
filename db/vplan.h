/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a query asks of a virtual table's columns, from SQLite's constraints to
 * ranges. It is decided here exactly as SQLite would, which is why it is told
 * not to look again.
 */
#ifndef ZSR_DB_VPLAN_H
#define ZSR_DB_VPLAN_H

#include "db/private.h"

/* A column that the table decides about, of INTEGER affinity or of kinds. */
struct zsr_vcolumn {
	char letter; /* in plans; 0: SQLite decides */
	bool is_kind;
	double equal; /* of all rows, those that equal a value */
};

/* Rows SQLite should count on; only the proportions matter. */
#define ZSR_VPLAN_ROWS 1e7

/*
 * Take what can be taken of a query's constraints on the columns C. The plan,
 * which goes to info->idxStr, has two letters for each argument of xFilter: the
 * column's and an operator's: one of = < > [ ]; [ is <=, ] is >=; ( is one of a
 * list, for kinds (others are handed over one at a time).
 */
int zsr_vplan_make(sqlite3_index_info *info, const struct zsr_vcolumn *c,
		   unsigned nr, double *rows);
/* The plan leaves rows of one trace, whose letter is t. */
bool zsr_vplan_one_trace(const char *plan);
/* The order asked for is by TRACE, if by anything; then by TIME (-1: not). */
bool zsr_vplan_ordered(const sqlite3_index_info *info, bool one_trace,
		       int trace, int time);

/* Inclusive; empty when min is above max. */
struct zsr_range {
	int64_t min;
	int64_t max;
};

/* Narrow it to what compares so with V. False: none is left. */
bool zsr_range_narrow(struct zsr_range *r, char op, sqlite3_value *v);

static inline bool zsr_range_has(const struct zsr_range *r, int64_t v)
{
	return (v >= r->min) & (v <= r->max);
}

#endif
