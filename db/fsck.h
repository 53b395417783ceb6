/* SPDX-License-Identifier: GPL-2.0-only */
/* Checking a database: fsck.c (rules between rows, runs), fsck_trace.c (what
 * is in a trace). */
#ifndef ZSR_DB_FSCK_H
#define ZSR_DB_FSCK_H

#include "db/private.h"

struct fsck {
	struct zsr_db *db;
	const struct zsr_fsck_opts *opts;
	struct zsr_fsck found;
};

/* One line for the user; what its function returns. */
int fsck_fault(struct fsck *f, const char *fmt, ...) ZSR_PRINTF(2, 3);
/* What failed because of the database's content is a fault, and forgotten. */
int fsck_judge(struct fsck *f, int ret, struct zsr_err *err);
/* Lines that a query makes; where it has a parameter that is the trace. */
int fsck_lines(struct fsck *f, const char *sql, int64_t trace,
	       struct zsr_err *err);
/* zsr_db_fsck() in the caller's transaction. */
int zsr_fsck_open(struct zsr_db *db, const struct zsr_fsck_opts *opts,
		  struct zsr_fsck *found, struct zsr_err *err);
int fsck_trace(struct fsck *f, int64_t id, struct zsr_err *err);

#endif
