// SPDX-License-Identifier: GPL-2.0-only
/* Removing traces and runs, and giving their space back. */
#include <inttypes.h>

#include "db/private.h"

static int number(struct zsr_db *db, const char *sql, uint64_t *n,
		  struct zsr_err *err)
{
	sqlite3_stmt *stmt;
	int ret = zsr_sql_prepare(db, &stmt, sql, err);

	if (ret)
		return ret;
	ret = zsr_sql_step(db, stmt, err);
	if (ret == 1)
		*n = (uint64_t)sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return ret < 0 ? ret : 0;
}

/* What SQL does to the rows of ID; their number is added to *n. */
static int change(struct zsr_db *db, const char *sql, int64_t id, uint64_t *n,
		  struct zsr_err *err)
{
	sqlite3_stmt *stmt;
	int ret = zsr_sql_prepare(db, &stmt, sql, err);

	if (ret)
		return ret;
	ret = zsr_sql_run(db, stmt, err, "i", id);
	sqlite3_finalize(stmt);
	*n += ret ? 0 : (uint64_t)sqlite3_changes64(db->sql);
	return ret;
}

/* "trace 'x' has runs: #1, #2" */
static int has_runs(struct zsr_db *db, const struct zsr_trace *t,
		    struct zsr_err *err)
{
	char list[200] = "";
	sqlite3_stmt *stmt;
	size_t len = 0;
	int ret = zsr_sql_prepare(
		db, &stmt, "SELECT id FROM run WHERE trace = ? ORDER BY id",
		err);

	if (ret)
		return ret;
	zsr_sql_bind(stmt, "i", t->id);
	while ((ret = zsr_sql_step(db, stmt, err)) == 1) {
		if (len > sizeof(list) - 40) {
			sprintf(list + len, ", ...");
			break;
		}
		len += (size_t)sprintf(list + len, "%s#%lld", len ? ", " : "",
				       sqlite3_column_int64(stmt, 0));
	}
	sqlite3_finalize(stmt);
	if (ret < 0 || !len)
		return ret;
	return zsr_err_input(err,
			     "trace '%s' has runs: %s (--force, --keep-runs)",
			     t->name, list);
}

static int remove_trace(struct zsr_db *db, const char *name,
			enum zsr_their_runs runs, struct zsr_removed *out,
			struct zsr_err *err)
{
	struct zsr_trace t;
	uint64_t chunks = 0;
	int ret = zsr_trace_find(db, name, &t, err);

	if (!ret && runs == ZSR_RUNS_REFUSE)
		ret = has_runs(db, &t, err);
	if (!ret && runs == ZSR_RUNS_REMOVE)
		ret = change(db, "DELETE FROM run WHERE trace = ?", t.id,
			     &out->nr_runs, err);
	if (!ret)
		ret = change(db,
			     "DELETE FROM chunk WHERE id >= ?1 << 32 AND "
			     "id < (?1 + 1) << 32",
			     t.id, &chunks, err);
	/* Everything else of it goes with its row; runs forget it. */
	return ret ? ret
		   : change(db, "DELETE FROM trace WHERE id = ?", t.id,
			    &out->nr_traces, err);
}

static int remove_run(struct zsr_db *db, int64_t id, struct zsr_removed *out,
		      struct zsr_err *err)
{
	uint64_t before = out->nr_runs;
	int ret = change(db, "DELETE FROM run WHERE id = ?", id, &out->nr_runs,
			 err);

	if (!ret && before == out->nr_runs)
		ret = zsr_err_input(err, "there is no run #%" PRId64 " in %s",
				    id, db->path);
	return ret;
}

/* Profiles that are nobody's any more, and pages without content. */
static int tidy(struct zsr_db *db, struct zsr_removed *out, struct zsr_err *err)
{
	uint64_t page_size = 0, before = 0, after = 0, spare = 0;
	int ret = zsr_sql_exec(db,
			       "DELETE FROM profile WHERE digest NOT IN "
			       "(SELECT profile_digest FROM run)",
			       err);

	if (!ret)
		ret = number(db, "PRAGMA page_size", &page_size, err);
	if (!ret)
		ret = number(db, "PRAGMA page_count", &before, err);
	if (!ret)
		ret = zsr_sql_exec(db, "PRAGMA incremental_vacuum", err);
	if (!ret)
		ret = number(db, "PRAGMA page_count", &after, err);
	if (!ret)
		ret = number(db, "PRAGMA freelist_count", &spare, err);
	out->bytes_back = (before - after) * page_size;
	out->bytes_spare = spare * page_size;
	return ret;
}

int zsr_db_remove(struct zsr_db *db, const struct zsr_remove *what,
		  struct zsr_removed *out, struct zsr_err *err)
{
	size_t i;
	int ret = zsr_db_begin(db, err);

	*out = (struct zsr_removed){ 0 };
	if (ret)
		return ret;
	for (i = 0; i < what->nr_runs && !ret; i++)
		ret = remove_run(db, what->runs[i], out, err);
	for (i = 0; i < what->nr_traces && !ret; i++)
		ret = remove_trace(db, what->traces[i], what->their_runs, out,
				   err);
	if (!ret)
		ret = tidy(db, out, err);
	if (!ret)
		ret = zsr_db_commit(db, err);
	if (ret)
		zsr_db_rollback(db);
	return ret;
}
