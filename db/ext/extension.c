// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtual tables and SQL functions of a zsr database as an extension that
 * the sqlite3 shell, or anything with SQLite in it, loads.
 */
#include <stdlib.h>
#include <string.h>

#include "db/private.h"

#define SQLITE_NEEDED 3038000 /* for lists of kinds: sqlite3_vtab_in() */

const sqlite3_api_routines *sqlite3_api;

__attribute__((visibility("default"))) int sqlite3_zsrsqlite_init(
	sqlite3 *sql, char **errmsg, const sqlite3_api_routines *api);

static int64_t pragma(sqlite3 *sql, const char *text)
{
	sqlite3_stmt *stmt = NULL;
	int64_t v = 0;

	if (!sqlite3_prepare_v2(sql, text, -1, &stmt, NULL) &&
	    sqlite3_step(stmt) == SQLITE_ROW)
		v = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return v;
}

static void free_handle(void *arg)
{
	struct zsr_db *db = arg;

	free(db->path);
	free(db);
}

static void zsr_version(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	sqlite3_result_text(ctx, ZSR_VERSION, -1, SQLITE_STATIC);
}

/* A handle on somebody else's connection, which owns it: with its function. */
static struct zsr_db *make_handle(sqlite3 *sql)
{
	const char *path = sqlite3_db_filename(sql, "main");
	struct zsr_db *db = calloc(1, sizeof(*db));

	if (!db)
		return NULL;
	db->sql = sql;
	db->path = strdup(path && *path ? path : "main");
	if (!db->path) {
		free(db);
		return NULL;
	}
	return sqlite3_create_function_v2(
		       sql, "zsr_version", 0,
		       SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS,
		       db, zsr_version, NULL, NULL, free_handle)
		       ? NULL
		       : db;
}

int sqlite3_zsrsqlite_init(sqlite3 *sql, char **errmsg,
			   const sqlite3_api_routines *api)
{
	struct zsr_db *db;

	sqlite3_api = api;
	if (sqlite3_libversion_number() < SQLITE_NEEDED) {
		*errmsg = sqlite3_mprintf("SQLite %s is too old, it takes 3.38",
					  sqlite3_libversion());
		return SQLITE_ERROR;
	}
	if (pragma(sql, "PRAGMA main.application_id") == ZSR_SCHEMA_APPLICATION &&
	    pragma(sql, "PRAGMA main.user_version") != ZSR_SCHEMA_VERSION) {
		*errmsg = sqlite3_mprintf("another version of zsr made this "
					  "database");
		return SQLITE_ERROR;
	}
	db = make_handle(sql);
	if (!db || zsr_vtab_register(db) || zsr_texts_register(db)) {
		*errmsg = sqlite3_mprintf("out of memory");
		return SQLITE_NOMEM;
	}
	return SQLITE_OK;
}
