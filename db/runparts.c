// SPDX-License-Identifier: GPL-2.0-only
/* Where a run's time went, in the database: a row a lock, a row a step. */
#include <stdlib.h>

#include "db/private.h"

int zsr_run_parts_store(struct zsr_db *db, const struct zsr_run *run,
			struct zsr_err *err)
{
	const struct zsr_run_lock *l;
	const struct zsr_run_step *s;
	sqlite3_stmt *stmt;
	size_t i;
	int ret;

	ret = zsr_sql_prepare(
		db, &stmt, "INSERT INTO run_lock VALUES (?,?,?,?,?,?,?,?)", err);
	for (i = 0; i < run->nr_locks && !ret; i++) {
		l = &run->locks[i];
		ret = zsr_sql_run(db, stmt, err, "iusuuuuu", run->id,
				  (uint64_t)i, l->name, (uint64_t)l->size,
				  l->acquired, l->contended, l->wait_ns,
				  l->hold_ns);
	}
	sqlite3_finalize(stmt);
	if (!ret)
		ret = zsr_sql_prepare(db, &stmt,
				      "INSERT INTO run_step VALUES (?,?,?,?,?)",
				      err);
	else
		return ret;
	for (i = 0; i < run->nr_steps && !ret; i++) {
		s = &run->steps[i];
		ret = zsr_sql_run(db, stmt, err, "iussu", run->id, (uint64_t)i,
				  s->who, s->step, s->ns);
	}
	sqlite3_finalize(stmt);
	return ret;
}

static uint64_t column(sqlite3_stmt *stmt, int i)
{
	return (uint64_t)sqlite3_column_int64(stmt, i);
}

static int load_locks(struct zsr_db *db, struct zsr_run *run,
		      struct zsr_err *err)
{
	struct zsr_run_lock *l;
	sqlite3_stmt *stmt;
	size_t cap = 0;
	int ret = zsr_sql_prepare(db, &stmt,
				  "SELECT name, size, acquired, contended, "
				  "wait_ns, hold_ns FROM run_lock "
				  "WHERE run = ? ORDER BY nr",
				  err);

	if (ret)
		return ret;
	zsr_sql_bind(stmt, "i", run->id);
	while ((ret = zsr_sql_step(db, stmt, err)) == 1) {
		if (zsr_grow(&run->locks, &cap, run->nr_locks + 1,
			     sizeof(*run->locks))) {
			ret = zsr_err_nomem(err, "locks");
			break;
		}
		l = &run->locks[run->nr_locks++];
		*l = (struct zsr_run_lock){ .size = (uint32_t)column(stmt, 1),
					    .acquired = column(stmt, 2),
					    .contended = column(stmt, 3),
					    .wait_ns = column(stmt, 4),
					    .hold_ns = column(stmt, 5) };
		zsr_sql_text(stmt, 0, l->name, sizeof(l->name));
	}
	sqlite3_finalize(stmt);
	return ret;
}

static int load_steps(struct zsr_db *db, struct zsr_run *run,
		      struct zsr_err *err)
{
	struct zsr_run_step *s;
	sqlite3_stmt *stmt;
	size_t cap = 0;
	int ret = zsr_sql_prepare(db, &stmt,
				  "SELECT who, step, ns FROM run_step "
				  "WHERE run = ? ORDER BY nr",
				  err);

	if (ret)
		return ret;
	zsr_sql_bind(stmt, "i", run->id);
	while ((ret = zsr_sql_step(db, stmt, err)) == 1) {
		if (zsr_grow(&run->steps, &cap, run->nr_steps + 1,
			     sizeof(*run->steps))) {
			ret = zsr_err_nomem(err, "steps");
			break;
		}
		s = &run->steps[run->nr_steps++];
		*s = (struct zsr_run_step){ .ns = column(stmt, 2) };
		zsr_sql_text(stmt, 0, s->who, sizeof(s->who));
		zsr_sql_text(stmt, 1, s->step, sizeof(s->step));
	}
	sqlite3_finalize(stmt);
	return ret;
}

int zsr_run_parts_load(struct zsr_db *db, struct zsr_run *run,
		       struct zsr_err *err)
{
	int ret = load_locks(db, run, err);

	return ret ? ret : load_steps(db, run, err);
}
