// SPDX-License-Identifier: GPL-2.0-only
/* Queries of users: reading only. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "db/private.h"

/* Pragmas that only tell something. */
static bool harmless_pragma(const char *name, const char *arg)
{
	static const char *const with_arg[] = {
		"table_info",  "table_xinfo",      "index_list",
		"index_info",  "foreign_key_list", "integrity_check",
		"quick_check",
	};
	size_t i;

	for (i = 0; i < ZSR_ARRAY_SIZE(with_arg); i++)
		if (!strcasecmp(name, with_arg[i]))
			return true;
	return !arg && strcasecmp(name, "incremental_vacuum") &&
	       strcasecmp(name, "optimize") &&
	       strcasecmp(name, "wal_checkpoint");
}

static int authorize(void *ctx, int action, const char *a, const char *b,
		     const char *database, const char *trigger)
{
	switch (action) {
	case SQLITE_SELECT:
	case SQLITE_READ:
	case SQLITE_RECURSIVE:
		return SQLITE_OK;
	case SQLITE_FUNCTION:
		return strcasecmp(b, "load_extension") ? SQLITE_OK : SQLITE_DENY;
	case SQLITE_UPDATE:
		/* SQLite asks for this when it sets up zsr_event; a statement
		 * of the user that writes there is refused as not read-only. */
		return strcmp(a, "sqlite_master") ? SQLITE_DENY : SQLITE_OK;
	case SQLITE_PRAGMA:
		return harmless_pragma(a, b) ? SQLITE_OK : SQLITE_DENY;
	default:
		return SQLITE_DENY;
	}
}

static int prepare_query(struct zsr_db *db, const char *query,
			 sqlite3_stmt **stmt, struct zsr_err *err)
{
	const char *tail = "";
	int rc = sqlite3_prepare_v2(db->sql, query, -1, stmt, &tail);

	switch (rc & 0xff) {
	case SQLITE_OK:
		break;
	case SQLITE_AUTH:
		return zsr_err_usage(err, "a query may only read");
	case SQLITE_ERROR:
		return zsr_err_usage(err, "%s", sqlite3_errmsg(db->sql));
	default:
		return zsr_sql_error(db, rc, err);
	}
	if (!*stmt)
		return zsr_err_usage(err, "the query is empty");
	while (isspace((unsigned char)*tail) || *tail == ';')
		tail++;
	if (*tail)
		return zsr_err_usage(err, "one query at a time, please");
	if (!sqlite3_stmt_readonly(*stmt))
		return zsr_err_usage(err, "a query may only read");
	return 0;
}

struct result {
	int ncol;
	const char **names;
	const char **values;
	enum zsr_sql_type *types;
	char **hex; /* texts of blobs, owned */
};

static void free_result(struct result *r)
{
	int i;

	for (i = 0; r->hex && i < r->ncol; i++)
		free(r->hex[i]);
	free(r->hex);
	free(r->names);
	free(r->values);
	free(r->types);
}

static int init_result(struct result *r, sqlite3_stmt *stmt, struct zsr_err *err)
{
	size_t n;
	int i;

	r->ncol = sqlite3_column_count(stmt);
	n = (size_t)r->ncol + 1;
	r->names = calloc(n, sizeof(*r->names));
	r->values = calloc(n, sizeof(*r->values));
	r->types = calloc(n, sizeof(*r->types));
	r->hex = calloc(n, sizeof(*r->hex));
	if (!r->names || !r->values || !r->types || !r->hex)
		return zsr_err_nomem(err, "query");
	for (i = 0; i < r->ncol; i++)
		r->names[i] = sqlite3_column_name(stmt, i);
	return 0;
}

/* A blob as SQL would write it: x'00FF'. */
static char *blob_text(const uint8_t *p, size_t n)
{
	char *s = malloc(2 * n + 4), *q = s;
	size_t i;

	if (!s)
		return NULL;
	q += sprintf(q, "x'");
	for (i = 0; i < n; i++)
		q += sprintf(q, "%02X", p[i]);
	strcpy(q, "'");
	return s;
}

static int read_row(struct result *r, sqlite3_stmt *stmt, struct zsr_err *err)
{
	int i;

	for (i = 0; i < r->ncol; i++) {
		switch (sqlite3_column_type(stmt, i)) {
		case SQLITE_NULL:
			r->types[i] = ZSR_SQL_NULL;
			r->values[i] = NULL;
			continue;
		case SQLITE_BLOB:
			free(r->hex[i]);
			r->hex[i] = blob_text(
				sqlite3_column_blob(stmt, i),
				(size_t)sqlite3_column_bytes(stmt, i));
			r->values[i] = r->hex[i];
			r->types[i] = ZSR_SQL_TEXT;
			break;
		case SQLITE_TEXT:
			r->types[i] = ZSR_SQL_TEXT;
			r->values[i] = (const char *)sqlite3_column_text(stmt,
									 i);
			break;
		default:
			r->types[i] = ZSR_SQL_NUMBER;
			r->values[i] = (const char *)sqlite3_column_text(stmt,
									 i);
		}
		if (!r->values[i])
			return zsr_err_nomem(err, "query");
	}
	return 0;
}

int zsr_db_sql(struct zsr_db *db, const char *query,
	       int (*row)(void *ctx, int ncol, const char *const *names,
			  const char *const *values,
			  const enum zsr_sql_type *types),
	       void *ctx, struct zsr_err *err)
{
	struct result r = { 0 };
	sqlite3_stmt *stmt = NULL;
	int ret;

	sqlite3_set_authorizer(db->sql, authorize, NULL);
	ret = prepare_query(db, query, &stmt, err);
	if (!ret)
		ret = init_result(&r, stmt, err);
	if (!ret)
		ret = row(ctx, r.ncol, r.names, NULL, NULL);
	while (!ret) {
		ret = zsr_sql_step(db, stmt, err);
		if (ret != 1)
			break;
		ret = read_row(&r, stmt, err);
		if (!ret)
			ret = row(ctx, r.ncol, r.names, r.values, r.types);
	}
	free_result(&r);
	sqlite3_finalize(stmt);
	sqlite3_set_authorizer(db->sql, NULL, NULL);
	return ret;
}
