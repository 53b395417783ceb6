// SPDX-License-Identifier: GPL-2.0-only
/* Opening and closing a database, and what is not one. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db/private.h"
#include "db/vtab.h"

#define BUSY_STEP_MS    5
#define BUSY_TELL_MS    300
#define BUSY_GIVE_UP_MS 600000

/* Offsets of SQLite's file header: user_version, application_id. */
#define HEADER_SIZE        100
#define HEADER_VERSIONS    18 /* of writing, of reading */
#define HEADER_USER        60
#define HEADER_APPLICATION 68

static uint32_t be32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

/*
 * Judged from the header alone, before SQLite may touch the file: opening a
 * stranger's database could roll back its journal or fold in its log.
 * Returns 1 for an empty file.
 */
static int check_header(const char *path, struct zsr_err *err)
{
	unsigned char h[HEADER_SIZE];
	struct stat st;
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return errno == ENOENT
			       ? zsr_err_input(err, "no database %s", path)
			       : zsr_err_sys(err, errno, "%s", path);
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return zsr_err_input(err, "%s is no file", path);
	}
	n = pread(fd, h, sizeof(h), 0);
	close(fd);
	if (n == 0)
		return 1;
	if (n < HEADER_SIZE || memcmp(h, "SQLite format 3", 16))
		return zsr_err_input(err, "%s is no SQLite database", path);
	if (be32(h + HEADER_APPLICATION) != ZSR_SCHEMA_APPLICATION)
		return zsr_err_input(err, "%s is no zsr database", path);
	if (be32(h + HEADER_USER) > ZSR_SCHEMA_VERSION)
		return zsr_err_input(
			err, "%s has schema %u, this zsr knows up to %u: a newer zsr made it",
			path, be32(h + HEADER_USER), ZSR_SCHEMA_VERSION);
	if (be32(h + HEADER_USER) == 0)
		return zsr_err_input(err, "%s is damaged: it has no schema",
				     path);
	/* No release had an older one, so none is brought up to date. */
	if (be32(h + HEADER_USER) < ZSR_SCHEMA_VERSION)
		return zsr_err_input(
			err, "%s has schema %u, this zsr %u: import its traces again",
			path, be32(h + HEADER_USER), ZSR_SCHEMA_VERSION);
	/* SQLite would only read one that a later SQLite writes. */
	if (h[HEADER_VERSIONS] > 2 || h[HEADER_VERSIONS + 1] > 2)
		return zsr_err_input(err, "%s is damaged, or of a later SQLite",
				     path);
	return 0;
}

static int on_busy(void *arg, int tries)
{
	struct zsr_db *db = arg;
	int ms = tries * BUSY_STEP_MS;

	if (ms >= BUSY_GIVE_UP_MS)
		return 0;
	if (ms >= BUSY_TELL_MS && !db->told_wait) {
		db->told_wait = true;
		if (db->on_wait)
			db->on_wait(db->on_wait_ctx, db->path);
	}
	sqlite3_sleep(BUSY_STEP_MS);
	return 1;
}

void zsr_db_on_wait(struct zsr_db *db, void (*fn)(void *ctx, const char *path),
		    void *ctx)
{
	db->on_wait = fn;
	db->on_wait_ctx = ctx;
}

/*
 * The file may be anybody's, so its triggers stay off and its views may only
 * use functions that are harmless. WAL mode is kept in the file; where the
 * file system has no shared memory SQLite stays with its rollback journal.
 */
static int configure(struct zsr_db *db, bool readonly, struct zsr_err *err)
{
	int ret;

	sqlite3_extended_result_codes(db->sql, 1);
	sqlite3_busy_handler(db->sql, on_busy, db);
	sqlite3_db_config(db->sql, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(db->sql, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(db->sql, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	if (zsr_vtab_register(db) || zsr_texts_register(db) ||
	    sqlite3_create_module(db->sql, "zsr_run_point", &zsr_vtab_run, db))
		return zsr_err_nomem(err, "database");
	if (readonly) {
		db->readonly = true;
		return zsr_sql_exec(db, "PRAGMA query_only = 1", err);
	}
	ret = zsr_sql_exec(db,
			   db->created ? "PRAGMA synchronous = 0;"
					 "PRAGMA journal_mode = WAL"
				       : "PRAGMA journal_mode = WAL",
			   err);
	return ret ? ret
		   : zsr_sql_exec(db,
				  "PRAGMA synchronous = 1;"
				  "PRAGMA foreign_keys = 1;"
				  "PRAGMA cell_size_check = 1",
				  err);
}

/* PATH and its folder, where the log goes, are ours to write. */
static bool writable(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir;
	bool ok;

	if (access(path, W_OK))
		return false;
	dir = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	ok = dir && !access(dir, W_OK);
	free(dir);
	return ok;
}

/*
 * A name for SQLite that is no URI of the user's and not ":memory:". Where
 * nothing can be written no log can be made for reading either; without one
 * the file is all there is and will stay as it is.
 */
static char *sqlite_name(const char *path, bool immutable)
{
	char *name = malloc(3 * strlen(path) + 40), *q = name;

	if (!name)
		return NULL;
	q += sprintf(q, "file:%s", path[0] == '/' ? "" : "./");
	for (; *path; path++)
		if (strchr("?#%", *path))
			q += sprintf(q, "%%%02x", (unsigned char)*path);
		else
			*q++ = *path;
	strcpy(q, immutable ? "?immutable=1" : "");
	return name;
}

static bool has_log(const char *path)
{
	struct stat st;
	char *log;
	bool has;

	if (asprintf(&log, "%s-wal", path) < 0)
		return true;
	has = !stat(log, &st) && st.st_size > 0;
	free(log);
	return has;
}

static int try_sqlite(struct zsr_db *db, bool can_write, bool immutable,
		      bool readonly, struct zsr_err *err)
{
	char *name = sqlite_name(db->path, immutable);
	int rc;

	if (!name)
		return zsr_err_nomem(err, "path");
	rc = sqlite3_open_v2(name, &db->sql,
			     SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX |
				     (can_write ? SQLITE_OPEN_READWRITE
						: SQLITE_OPEN_READONLY),
			     NULL);
	free(name);
	return rc == SQLITE_OK ? configure(db, readonly, err)
			       : zsr_sql_error(db, rc, err);
}

/* Reading takes a file of shared memory beside the database. */
static bool no_room_to_read(const struct zsr_db *db)
{
	int rc = sqlite3_exec(db->sql, "SELECT 1 FROM sqlite_schema LIMIT 1",
			      NULL, NULL, NULL) &
		 0xff;

	return rc == SQLITE_IOERR || rc == SQLITE_FULL || rc == SQLITE_CANTOPEN;
}

static int open_sqlite(struct zsr_db *db, bool readonly, struct zsr_err *err)
{
	bool can_write = writable(db->path);
	bool immutable = !can_write && !has_log(db->path);
	int ret;

	readonly |= !can_write;
	ret = try_sqlite(db, can_write, immutable, readonly, err);
	if (ret || !readonly || immutable || !no_room_to_read(db) ||
	    has_log(db->path))
		return ret;
	/* A full disk; what was written is all in the file. */
	sqlite3_close_v2(db->sql);
	db->sql = NULL;
	return try_sqlite(db, false, true, true, err);
}

int zsr_db_open(struct zsr_db **out, const char *path, unsigned flags,
		struct zsr_err *err)
{
	struct zsr_db *db = calloc(1, sizeof(*db));
	bool create = flags & ZSR_DB_CREATE;
	int ret;

	*out = NULL;
	if (!db || !(db->path = strdup(path))) {
		free(db);
		return zsr_err_nomem(err, "database");
	}
	if (create && access(path, F_OK) && errno == ENOENT) {
		ret = zsr_db_create(path, false, err);
		if (ret && ret != -EEXIST)
			goto fail;
		db->created = !ret;
	}
	ret = check_header(path, err);
	if (ret == 1)
		ret = create ? zsr_db_create(path, true, err)
			     : zsr_err_input(err, "%s is empty", path);
	if (!ret)
		ret = open_sqlite(db, flags & ZSR_DB_READONLY, err);
	if (!ret) {
		*out = db;
		return 0;
	}
fail:
	zsr_db_close(db);
	return ret;
}

/*
 * A file that this handle made and nobody put anything into goes again. That
 * nobody else has it open shows in leaving WAL mode, which needs to be alone.
 */
static void discard_file(struct zsr_db *db)
{
	sqlite3_stmt *stmt = NULL;
	bool alone = false, empty = false;

	sqlite3_busy_handler(db->sql, NULL, NULL);
	if (!sqlite3_prepare_v2(db->sql, "PRAGMA journal_mode = DELETE", -1,
				&stmt, NULL) &&
	    sqlite3_step(stmt) == SQLITE_ROW)
		alone = !strcmp((const char *)sqlite3_column_text(stmt, 0),
				"delete");
	sqlite3_finalize(stmt);
	if (!alone || sqlite3_exec(db->sql, "BEGIN EXCLUSIVE", NULL, NULL, NULL))
		return;
	if (!sqlite3_prepare_v2(db->sql,
				"SELECT 1 FROM trace UNION ALL "
				"SELECT 1 FROM run",
				-1, &stmt, NULL))
		empty = sqlite3_step(stmt) == SQLITE_DONE;
	sqlite3_finalize(stmt);
	if (empty)
		unlink(db->path);
	sqlite3_exec(db->sql, "ROLLBACK", NULL, NULL, NULL);
}

void zsr_db_close(struct zsr_db *db)
{
	if (!db)
		return;
	if (db->sql) {
		zsr_db_rollback(db);
		if (db->created && !db->stored)
			discard_file(db);
		sqlite3_close_v2(db->sql);
	}
	free(db->path);
	free(db);
}
