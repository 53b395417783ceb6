// SPDX-License-Identifier: GPL-2.0-only
/* SQLite in fewer lines: errors, statements, transactions. */
#include <stdarg.h>
#include <string.h>

#include "db/private.h"

static int errnum_of(struct zsr_db *db, int rc)
{
	int why = db->sql ? sqlite3_system_errno(db->sql) : 0;

	switch (rc & 0xff) {
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
		if (why)
			return why;
		return (rc & 0xff) == SQLITE_IOERR ? EIO : EACCES;
	case SQLITE_NOMEM:
		return ENOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return EBUSY;
	case SQLITE_FULL:
		return ENOSPC;
	case SQLITE_READONLY:
		return EROFS;
	case SQLITE_PERM:
		return EACCES;
	default:
		return EIO;
	}
}

int zsr_sql_error(struct zsr_db *db, int rc, struct zsr_err *err)
{
	const char *msg = db->sql ? sqlite3_errmsg(db->sql) : sqlite3_errstr(rc);

	switch (rc & 0xff) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_SCHEMA:
	case SQLITE_ERROR:
	case SQLITE_MISMATCH:
	case SQLITE_CONSTRAINT:
	case SQLITE_TOOBIG:
		return zsr_err_input(err, "database %s: %s", db->path, msg);
	default:
		return zsr_err_sys(err, errnum_of(db, rc), "database %s: %s",
				   db->path, msg);
	}
}

int zsr_sql_exec(struct zsr_db *db, const char *sql, struct zsr_err *err)
{
	int rc = sqlite3_exec(db->sql, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : zsr_sql_error(db, rc, err);
}

int zsr_sql_prepare(struct zsr_db *db, sqlite3_stmt **stmt, const char *sql,
		    struct zsr_err *err)
{
	int rc = sqlite3_prepare_v2(db->sql, sql, -1, stmt, NULL);

	return rc == SQLITE_OK ? 0 : zsr_sql_error(db, rc, err);
}

int zsr_sql_step(struct zsr_db *db, sqlite3_stmt *stmt, struct zsr_err *err)
{
	int rc = sqlite3_step(stmt);

	if (rc == SQLITE_ROW)
		return 1;
	rc = rc == SQLITE_DONE ? 0 : zsr_sql_error(db, rc, err);
	sqlite3_reset(stmt);
	return rc;
}

static void bind_list(sqlite3_stmt *stmt, const char *types, va_list ap)
{
	const char *s;
	const void *blob;
	int i;

	for (i = 1; *types; types++, i++) {
		switch (*types) {
		case 'i':
			sqlite3_bind_int64(stmt, i, va_arg(ap, int64_t));
			break;
		case 'u':
			sqlite3_bind_int64(stmt, i,
					   (int64_t)va_arg(ap, uint64_t));
			break;
		case 's':
			s = va_arg(ap, const char *);
			sqlite3_bind_text(stmt, i, s, -1, SQLITE_STATIC);
			break;
		case 'b':
			blob = va_arg(ap, const void *);
			sqlite3_bind_blob64(stmt, i, blob, va_arg(ap, size_t),
					    SQLITE_STATIC);
			break;
		}
	}
}

void zsr_sql_bind(sqlite3_stmt *stmt, const char *types, ...)
{
	va_list ap;

	va_start(ap, types);
	bind_list(stmt, types, ap);
	va_end(ap);
}

int zsr_sql_run(struct zsr_db *db, sqlite3_stmt *stmt, struct zsr_err *err,
		const char *types, ...)
{
	va_list ap;
	int ret;

	va_start(ap, types);
	bind_list(stmt, types, ap);
	va_end(ap);
	do
		ret = zsr_sql_step(db, stmt, err);
	while (ret > 0);
	return ret;
}

void zsr_sql_text(sqlite3_stmt *stmt, int col, char *buf, size_t size)
{
	const unsigned char *s = sqlite3_column_text(stmt, col);

	snprintf(buf, size, "%s", s ? (const char *)s : "");
}

int zsr_db_begin(struct zsr_db *db, struct zsr_err *err)
{
	if (db->readonly)
		return zsr_err_sys(err, EACCES, "database %s", db->path);
	return zsr_sql_exec(db, "BEGIN IMMEDIATE", err);
}

int zsr_db_commit(struct zsr_db *db, struct zsr_err *err)
{
	int ret = zsr_sql_exec(db, "COMMIT", err);

	if (!ret)
		db->stored = true;
	return ret;
}

void zsr_db_rollback(struct zsr_db *db)
{
	/* A failed statement may have rolled back already. */
	if (!sqlite3_get_autocommit(db->sql))
		sqlite3_exec(db->sql, "ROLLBACK", NULL, NULL, NULL);
}
