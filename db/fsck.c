// SPDX-License-Identifier: GPL-2.0-only
/* Checking a database: the file, rules between rows, runs and their digests. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "db/fsck.h"

int fsck_fault(struct fsck *f, const char *fmt, ...)
{
	char line[1200];
	va_list ap;

	f->found.nr_faults++;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	return f->opts->fault ? f->opts->fault(f->opts->ctx, line) : 0;
}

int fsck_judge(struct fsck *f, int ret, struct zsr_err *err)
{
	if (ret >= 0 || err->kind != ZSR_ERR_INPUT)
		return ret;
	ret = fsck_fault(f, "%s", err->msg);
	*err = (struct zsr_err){ 0 };
	return ret;
}

int fsck_lines(struct fsck *f, const char *sql, int64_t trace,
	       struct zsr_err *err)
{
	sqlite3_stmt *stmt;
	char line[1000];
	int ret = zsr_sql_prepare(f->db, &stmt, sql, err);

	if (ret)
		return fsck_judge(f, ret, err);
	if (sqlite3_bind_parameter_count(stmt))
		zsr_sql_bind(stmt, "i", trace);
	while ((ret = zsr_sql_step(f->db, stmt, err)) == 1) {
		zsr_sql_text(stmt, 0, line, sizeof(line));
		ret = fsck_fault(f, "%s", line);
		if (ret)
			break;
	}
	sqlite3_finalize(stmt);
	return fsck_judge(f, ret, err);
}

/* ---- rules --------------------------------------------------------------- */

#define OF_TRACE(table, nr)                                                    \
	"SELECT printf('" table " %d/%s: there is no trace %d', trace, " nr    \
	", trace) FROM " table " WHERE trace NOT IN (SELECT id FROM trace)"
#define OF_RUN(table, nr)                                                      \
	"SELECT printf('" table " %d/%s: there is no run %d', run, " nr        \
	", run) FROM " table " WHERE run NOT IN (SELECT id FROM run)"

/* Each gives a line a fault. */
static const char *const rules[] = {
	"SELECT 'file: ' || integrity_check FROM pragma_integrity_check "
	"WHERE integrity_check <> 'ok'",
	OF_TRACE("chunk", "nr"),
	OF_TRACE("task", "nr"),
	OF_TRACE("pool", "nr"),
	OF_TRACE("mark", "nr"),
	OF_TRACE("meta", "key"),
	OF_TRACE("odd", "key"),
	OF_RUN("run_value", "key"),
	OF_RUN("run_data", "key"),
	OF_RUN("run_release", "nr"),
	OF_RUN("run_lock", "nr"),
	OF_RUN("run_step", "nr"),
	"SELECT printf('run #%d: there is no trace %d', id, trace) FROM run "
	"WHERE trace IS NOT NULL AND trace NOT IN (SELECT id FROM trace)",
	"SELECT printf('run #%d: there is no profile %s', id, profile_digest) "
	"FROM run WHERE profile_digest NOT IN (SELECT digest FROM profile)",
	"SELECT printf('run #%d: its trace ''%s'' has another digest now', "
	"run.id, name) FROM run JOIN trace ON trace.id = run.trace "
	"WHERE trace_digest <> trace.digest",
	"SELECT printf('run #%d: its releases are not numbered 0 to %d', run, "
	"count(*) - 1) FROM run_release GROUP BY run "
	"HAVING min(nr) <> 0 OR max(nr) <> count(*) - 1",
	"SELECT printf('run #%d: release %d is of task %d of %d', run.id, nr, "
	"task, nr_tasks) FROM run_release JOIN run ON run.id = run "
	"JOIN trace ON trace.id = trace WHERE task < 0 OR task >= nr_tasks",
	"SELECT printf('run #%d: release %d ends before it begins', run, nr) "
	"FROM run_release WHERE begin_ns < 0 OR end_ns < begin_ns",
};

static int check_rules(struct fsck *f, struct zsr_err *err)
{
	size_t i;
	int ret = 0;

	for (i = 0; i < ZSR_ARRAY_SIZE(rules) && !ret; i++)
		ret = fsck_lines(f, rules[i], 0, err);
	return ret;
}

static int check_profiles(struct fsck *f, struct zsr_err *err)
{
	char digest[ZSR_SHA_HEX];
	sqlite3_stmt *stmt;
	int ret = zsr_sql_prepare(f->db, &stmt,
				  "SELECT digest, text FROM profile", err);

	if (ret)
		return fsck_judge(f, ret, err);
	while ((ret = zsr_sql_step(f->db, stmt, err)) == 1) {
		const char *is = (const char *)sqlite3_column_text(stmt, 0);
		const char *text = (const char *)sqlite3_column_text(stmt, 1);

		zsr_profile_digest(text ? text : "", digest);
		if (!is || strcmp(is, digest))
			ret = fsck_fault(f, "profile %s: its text's is %s",
					 is ? is : "-", digest);
		if (ret < 0)
			break;
	}
	sqlite3_finalize(stmt);
	return fsck_judge(f, ret, err);
}

/* ---- traces and runs ----------------------------------------------------- */

static int check_run(struct fsck *f, int64_t id, struct zsr_err *err)
{
	char stored[ZSR_SHA_HEX];
	struct zsr_run run;
	int ret = zsr_run_load(f->db, id, &run, err);

	if (ret)
		return fsck_judge(f, ret, err);
	f->found.nr_runs++;
	memcpy(stored, run.digest, sizeof(stored));
	zsr_run_digest(&run);
	if (strcmp(stored, run.digest))
		ret = fsck_fault(f,
				 "run #%" PRId64 ": its digest is %s, its "
				 "results make %s",
				 id, stored, run.digest);
	zsr_run_free(&run);
	return ret;
}

/* CHECK for the id of each row of TABLE. */
static int each(struct fsck *f, const char *table,
		int (*check)(struct fsck *f, int64_t id, struct zsr_err *err),
		struct zsr_err *err)
{
	sqlite3_stmt *stmt;
	char sql[64];
	int ret;

	snprintf(sql, sizeof(sql), "SELECT id FROM %s ORDER BY id", table);
	ret = zsr_sql_prepare(f->db, &stmt, sql, err);
	if (ret)
		return fsck_judge(f, ret, err);
	while ((ret = zsr_sql_step(f->db, stmt, err)) == 1) {
		ret = check(f, sqlite3_column_int64(stmt, 0), err);
		if (ret)
			break;
	}
	sqlite3_finalize(stmt);
	return fsck_judge(f, ret, err);
}

int zsr_fsck_open(struct zsr_db *db, const struct zsr_fsck_opts *opts,
		  struct zsr_fsck *found, struct zsr_err *err)
{
	struct fsck f = { .db = db, .opts = opts };
	int ret = check_rules(&f, err);

	if (!ret)
		ret = check_profiles(&f, err);
	if (!ret)
		ret = each(&f, "trace", fsck_trace, err);
	if (!ret)
		ret = each(&f, "run", check_run, err);
	*found = f.found;
	return ret;
}

int zsr_db_fsck(struct zsr_db *db, const struct zsr_fsck_opts *opts,
		struct zsr_fsck *found, struct zsr_err *err)
{
	/* One state of the database, whatever others write meanwhile. */
	int ret = zsr_sql_exec(db, "BEGIN", err);

	*found = (struct zsr_fsck){ 0 };
	if (!ret)
		ret = zsr_fsck_open(db, opts, found, err);
	zsr_db_rollback(db);
	return ret;
}
