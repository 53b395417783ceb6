// SPDX-License-Identifier: GPL-2.0-only
/* Runs into the database and back. */
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xxhash.h>

#include "db/private.h"
#include "db/runblob.h"

static const struct {
	const char *name;
	size_t offset;
} run_values[] = {
#define X(name, unit, text) { #name, offsetof(struct zsr_run_values, name) },
	ZSR_RUN_VALUES(X)
#undef X
};

static const char *const hist_keys[] = {
#define X(name, text) "hist." #name,
	ZSR_RUN_HISTS(X)
#undef X
};

static const char *const series_keys[] = {
#define X(name, unit, text) "series." #name,
	ZSR_RUN_SERIES(X)
#undef X
};

static const char *const grid_keys[] = {
#define X(name, text) "grid." #name,
	ZSR_RUN_GRIDS(X)
#undef X
};

static uint64_t *value_at(struct zsr_run_values *v, unsigned i)
{
	return (uint64_t *)((char *)v + run_values[i].offset);
}

/* ---- storing --------------------------------------------------------- */

void zsr_profile_digest(const char *text, char digest[ZSR_SHA_HEX])
{
	struct zsr_sha sha;

	zsr_sha_init(&sha);
	zsr_sha_str(&sha, text);
	zsr_sha_hex(&sha, digest);
}

static int store_profile(struct zsr_db *db, const char *text,
			 char digest[ZSR_SHA_HEX], struct zsr_err *err)
{
	sqlite3_stmt *stmt;
	int ret;

	zsr_profile_digest(text, digest);
	ret = zsr_sql_prepare(
		db, &stmt, "INSERT OR IGNORE INTO profile VALUES (?, ?)", err);
	if (!ret)
		ret = zsr_sql_run(db, stmt, err, "ss", digest, text);
	sqlite3_finalize(stmt);
	return ret;
}

static int store_run(struct zsr_db *db, struct zsr_run *run, struct zsr_err *err)
{
	const char *text = run->profile_text ? run->profile_text : "";
	char digest[ZSR_SHA_HEX], seed[24];
	sqlite3_stmt *stmt;
	int ret = store_profile(db, text, digest, err);

	if (!ret)
		ret = zsr_sql_prepare(
			db, &stmt,
			"INSERT INTO run (trace, trace_name, trace_digest, "
			"policy, clock, profile, profile_digest, params, "
			"arrival, gaps, outer_lock, conditions, engine, "
			"page_size, cpus, "
			"seed, digest, stored_s, zsr_version) VALUES "
			"(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,'" ZSR_VERSION
			"')",
			err);
	if (ret)
		return ret;
	snprintf(seed, sizeof(seed), "%" PRIu64, run->seed);
	ret = zsr_sql_run(
		db, stmt, err, "issssssssssssuussi", run->trace,
		run->trace_name, run->trace_digest, run->policy, run->clock,
		run->profile, digest, run->params ? run->params : "",
		run->arrival, run->gaps, run->outer_lock, run->conditions,
		run->engine, (uint64_t)run->page_size, (uint64_t)run->cpus,
		seed, run->digest, (int64_t)time(NULL));
	sqlite3_finalize(stmt);
	run->id = sqlite3_last_insert_rowid(db->sql);
	return ret;
}

static int store_values(struct zsr_db *db, struct zsr_run *run,
			struct zsr_err *err)
{
	sqlite3_stmt *stmt;
	unsigned i;
	int ret = zsr_sql_prepare(
		db, &stmt, "INSERT INTO run_value VALUES (?, ?, ?)", err);

	for (i = 0; i < ZSR_ARRAY_SIZE(run_values) && !ret; i++) {
		uint64_t v = *value_at(&run->v, i);

		if (v != UINT64_MAX && v > INT64_MAX)
			ret = zsr_err_input(err, "%s is beyond 2^63",
					    run_values[i].name);
		else if (v == UINT64_MAX)
			ret = zsr_sql_run(db, stmt, err, "iss", run->id,
					  run_values[i].name, NULL);
		else
			ret = zsr_sql_run(db, stmt, err, "isu", run->id,
					  run_values[i].name, v);
	}
	for (i = 0; i < run->nr_counters && !ret; i++)
		ret = zsr_sql_run(
			db, stmt, err, "isu", run->id, run->counters[i].name,
			zsr_min(run->counters[i].value, (uint64_t)INT64_MAX));
	sqlite3_finalize(stmt);
	return ret;
}

static int store_blob(struct zsr_db *db, sqlite3_stmt *stmt, int64_t run,
		      const char *key, uint64_t count, void *blob, size_t len,
		      struct zsr_err *err)
{
	int ret = zsr_sql_run(db, stmt, err, "isuub", run, key, count,
			      (uint64_t)XXH3_64bits(blob, len), blob, len);

	free(blob);
	return ret;
}

static int store_data(struct zsr_db *db, struct zsr_run *run,
		      struct zsr_err *err)
{
	sqlite3_stmt *stmt;
	unsigned i;
	void *blob;
	size_t len;
	int ret = zsr_sql_prepare(
		db, &stmt, "INSERT INTO run_data VALUES (?,?,?,?,?)", err);

	for (i = 0; i < ZSR_NR_RUN_HISTS && !ret; i++) {
		ret = zsr_hist_pack(run->hist[i], &blob, &len, err);
		if (!ret)
			ret = store_blob(db, stmt, run->id, hist_keys[i],
					 run->hist[i]->count, blob, len, err);
	}
	for (i = 0; i < ZSR_NR_RUN_SERIES && !ret; i++) {
		ret = zsr_series_pack(&run->series[i], &blob, &len, err);
		if (!ret)
			ret = store_blob(db, stmt, run->id, series_keys[i],
					 run->series[i].nr, blob, len, err);
	}
	for (i = 0; i < ZSR_NR_RUN_GRIDS && !ret; i++) {
		if (!run->grid[i].nr_rows)
			continue;
		ret = zsr_grid_pack(&run->grid[i], &blob, &len, err);
		if (!ret)
			ret = store_blob(db, stmt, run->id, grid_keys[i],
					 run->grid[i].nr_rows, blob, len, err);
	}
	sqlite3_finalize(stmt);
	return ret;
}

static int store_releases(struct zsr_db *db, struct zsr_run *run,
			  struct zsr_err *err)
{
	sqlite3_stmt *stmt;
	size_t i;
	int ret = zsr_sql_prepare(
		db, &stmt, "INSERT INTO run_release VALUES (?,?,?,?,?,?)", err);

	for (i = 0; i < run->nr_releases && !ret; i++) {
		const struct zsr_release *r = &run->releases[i];

		ret = zsr_sql_run(db, stmt, err, "iuuuuu", run->id, (uint64_t)i,
				  (uint64_t)r->task, r->begin_ns, r->end_ns,
				  r->nr);
	}
	sqlite3_finalize(stmt);
	return ret;
}

int zsr_run_store(struct zsr_db *db, struct zsr_run *run, struct zsr_err *err)
{
	int ret = zsr_db_begin(db, err);

	if (ret)
		return zsr_err_wrap(err, ret, "storing a run");
	ret = store_run(db, run, err);
	if (!ret)
		ret = store_values(db, run, err);
	if (!ret)
		ret = store_data(db, run, err);
	if (!ret)
		ret = store_releases(db, run, err);
	if (!ret)
		ret = zsr_run_parts_store(db, run, err);
	if (!ret)
		ret = zsr_db_commit(db, err);
	if (ret) {
		zsr_db_rollback(db);
		run->id = 0;
		return zsr_err_wrap(err, ret, "storing a run");
	}
	return 0;
}

/* ---- loading --------------------------------------------------------- */

static int load_head(struct zsr_db *db, struct zsr_run *run, struct zsr_err *err)
{
	sqlite3_stmt *stmt;
	char seed[24];
	int ret = zsr_sql_prepare(
		db, &stmt,
		"SELECT coalesce(trace, 0), trace_name, trace_digest, policy, "
		"clock, profile, params, arrival, gaps, outer_lock, engine, "
		"page_size, cpus, seed, r.digest, p.text, conditions FROM run "
		"r "
		"LEFT JOIN profile p ON p.digest = r.profile_digest "
		"WHERE r.id = ?",
		err);

	if (ret)
		return ret;
	zsr_sql_bind(stmt, "i", run->id);
	ret = zsr_sql_step(db, stmt, err);
	if (ret == 0)
		ret = zsr_err_input(err, "there is none in %s", db->path);
	if (ret < 0)
		goto out;
	ret = 0;
	run->trace = sqlite3_column_int64(stmt, 0);
	zsr_sql_text(stmt, 1, run->trace_name, sizeof(run->trace_name));
	zsr_sql_text(stmt, 2, run->trace_digest, sizeof(run->trace_digest));
	zsr_sql_text(stmt, 3, run->policy, sizeof(run->policy));
	zsr_sql_text(stmt, 4, run->clock, sizeof(run->clock));
	zsr_sql_text(stmt, 5, run->profile, sizeof(run->profile));
	zsr_sql_text(stmt, 7, run->arrival, sizeof(run->arrival));
	zsr_sql_text(stmt, 8, run->gaps, sizeof(run->gaps));
	zsr_sql_text(stmt, 9, run->outer_lock, sizeof(run->outer_lock));
	zsr_sql_text(stmt, 10, run->engine, sizeof(run->engine));
	zsr_sql_text(stmt, 16, run->conditions, sizeof(run->conditions));
	run->page_size = (uint32_t)sqlite3_column_int64(stmt, 11);
	run->cpus = (uint32_t)sqlite3_column_int64(stmt, 12);
	zsr_sql_text(stmt, 13, seed, sizeof(seed));
	zsr_sql_text(stmt, 14, run->digest, sizeof(run->digest));
	run->params = strdup((const char *)sqlite3_column_text(stmt, 6) ?: "");
	run->profile_text = strdup((const char *)sqlite3_column_text(stmt, 15)
					   ?: "");
	if (!run->params || !run->profile_text)
		ret = zsr_err_nomem(err, "run");
	else if (zsr_parse_u64(seed, "seed", 0, UINT64_MAX, &run->seed, err))
		ret = zsr_err_input(err, "its seed is no number");
out:
	sqlite3_finalize(stmt);
	return ret;
}

static int load_values(struct zsr_db *db, struct zsr_run *run,
		       struct zsr_err *err)
{
	unsigned i, nr = 0;
	sqlite3_stmt *stmt;
	int ret = zsr_sql_prepare(
		db, &stmt, "SELECT key, value FROM run_value WHERE run = ?",
		err);

	if (ret)
		return ret;
	zsr_sql_bind(stmt, "i", run->id);
	while ((ret = zsr_sql_step(db, stmt, err)) == 1) {
		const char *key = (const char *)sqlite3_column_text(stmt, 0);

		for (i = 0; i < ZSR_ARRAY_SIZE(run_values); i++)
			if (key && !strcmp(key, run_values[i].name))
				break;
		if (i == ZSR_ARRAY_SIZE(run_values) && key &&
		    !strncmp(key, "host.", 5) &&
		    zsr_run_count(run, key,
				  (uint64_t)sqlite3_column_int64(stmt, 1))) {
			ret = zsr_err_nomem(err, "counters");
			break;
		}
		if (i == ZSR_ARRAY_SIZE(run_values))
			continue;
		nr++;
		*value_at(&run->v, i) =
			sqlite3_column_type(stmt, 1) == SQLITE_NULL
				? UINT64_MAX
				: (uint64_t)sqlite3_column_int64(stmt, 1);
	}
	sqlite3_finalize(stmt);
	if (!ret && nr != ZSR_ARRAY_SIZE(run_values))
		ret = zsr_err_input(err, "%u of its %zu values are there", nr,
				    ZSR_ARRAY_SIZE(run_values));
	return ret;
}

/* Steps to the row of KEY: its count and its blob, checked. A grid may be
 * missing, and its count is 0 then. */
static int load_blob(struct zsr_db *db, sqlite3_stmt *stmt, int64_t run,
		     const char *key, uint64_t *count, const void **blob,
		     size_t *len, struct zsr_err *err)
{
	int ret;

	sqlite3_reset(stmt);
	zsr_sql_bind(stmt, "is", run, key);
	ret = zsr_sql_step(db, stmt, err);
	*count = 0;
	if (ret == 0 && !strncmp(key, "grid.", 5))
		return 0;
	if (ret == 0)
		ret = zsr_err_input(err, "it is missing");
	if (ret < 0)
		return ret;
	*count = (uint64_t)sqlite3_column_int64(stmt, 0);
	*blob = sqlite3_column_blob(stmt, 2);
	*len = (size_t)sqlite3_column_bytes(stmt, 2);
	if (!*blob ||
	    XXH3_64bits(*blob, *len) != (uint64_t)sqlite3_column_int64(stmt, 1))
		return zsr_err_input(err, "its checksum is wrong");
	return 0;
}

static int load_data(struct zsr_db *db, struct zsr_run *run, struct zsr_err *err)
{
	const char *key = "";
	sqlite3_stmt *stmt;
	const void *blob;
	uint64_t count;
	unsigned i;
	size_t len;
	int ret = zsr_sql_prepare(db, &stmt,
				  "SELECT count, xxh3, data FROM run_data "
				  "WHERE run = ? AND key = ?",
				  err);

	if (ret)
		return ret;
	for (i = 0; i < ZSR_NR_RUN_HISTS && !ret; i++) {
		key = hist_keys[i];
		ret = load_blob(db, stmt, run->id, key, &count, &blob, &len,
				err);
		if (!ret)
			ret = zsr_hist_unpack(run->hist[i], blob, len, err);
		if (!ret && run->hist[i]->count != count)
			ret = zsr_err_input(err, "its count is wrong");
	}
	for (i = 0; i < ZSR_NR_RUN_SERIES && !ret; i++) {
		key = series_keys[i];
		ret = load_blob(db, stmt, run->id, key, &count, &blob, &len,
				err);
		if (!ret)
			ret = zsr_series_unpack(&run->series[i], count, blob,
						len, err);
	}
	for (i = 0; i < ZSR_NR_RUN_GRIDS && !ret; i++) {
		key = grid_keys[i];
		ret = load_blob(db, stmt, run->id, key, &count, &blob, &len,
				err);
		if (!ret && count)
			ret = zsr_grid_unpack(&run->grid[i], count, blob, len,
					      err);
	}
	if (ret)
		ret = zsr_err_wrap(err, ret, "%s", key);
	sqlite3_finalize(stmt);
	return ret;
}

static int load_releases(struct zsr_db *db, struct zsr_run *run,
			 struct zsr_err *err)
{
	sqlite3_stmt *stmt;
	size_t cap = 0;
	int ret = zsr_sql_prepare(
		db, &stmt,
		"SELECT task, begin_ns, end_ns, objects FROM run_release "
		"WHERE run = ? ORDER BY nr",
		err);

	if (ret)
		return ret;
	zsr_sql_bind(stmt, "i", run->id);
	while ((ret = zsr_sql_step(db, stmt, err)) == 1) {
		if (zsr_grow(&run->releases, &cap, run->nr_releases + 1,
			     sizeof(*run->releases))) {
			ret = zsr_err_nomem(err, "releases");
			break;
		}
		run->releases[run->nr_releases++] = (struct zsr_release){
			.task = (uint32_t)sqlite3_column_int64(stmt, 0),
			.begin_ns = (uint64_t)sqlite3_column_int64(stmt, 1),
			.end_ns = (uint64_t)sqlite3_column_int64(stmt, 2),
			.nr = (uint64_t)sqlite3_column_int64(stmt, 3),
		};
	}
	sqlite3_finalize(stmt);
	return ret;
}

int zsr_run_load(struct zsr_db *db, int64_t id, struct zsr_run *run,
		 struct zsr_err *err)
{
	int ret = zsr_run_init(run, err);

	if (ret)
		return ret;
	run->id = id;
	ret = load_head(db, run, err);
	if (!ret)
		ret = load_values(db, run, err);
	if (!ret)
		ret = load_data(db, run, err);
	if (!ret)
		ret = load_releases(db, run, err);
	if (!ret)
		ret = zsr_run_parts_load(db, run, err);
	if (ret) {
		zsr_run_free(run);
		return zsr_err_wrap(err, ret, "run #%" PRId64, id);
	}
	return 0;
}

int zsr_run_ids(struct zsr_db *db, int64_t trace, int64_t **ids, size_t *nr,
		struct zsr_err *err)
{
	sqlite3_stmt *stmt;
	size_t cap = 0;
	int ret = zsr_sql_prepare(
		db, &stmt,
		trace ? "SELECT id FROM run WHERE trace = ? ORDER BY id"
		      : "SELECT id FROM run WHERE trace IS (SELECT trace "
			"FROM run ORDER BY id DESC LIMIT 1) ORDER BY id",
		err);

	*ids = NULL;
	*nr = 0;
	if (ret)
		return ret;
	if (trace)
		zsr_sql_bind(stmt, "i", trace);
	while ((ret = zsr_sql_step(db, stmt, err)) == 1) {
		if (zsr_grow(ids, &cap, *nr + 1, sizeof(**ids))) {
			ret = zsr_err_nomem(err, "runs");
			break;
		}
		(*ids)[(*nr)++] = sqlite3_column_int64(stmt, 0);
	}
	sqlite3_finalize(stmt);
	if (!ret && !*nr)
		ret = zsr_err_input(err, "there is no run%s in %s",
				    trace ? " of this trace" : "", db->path);
	if (ret) {
		free(*ids);
		*ids = NULL;
		*nr = 0;
	}
	return ret;
}
