/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of db/ share: the handle, SQL in one line, a trace's parts. */
#ifndef ZSR_DB_PRIVATE_H
#define ZSR_DB_PRIVATE_H

#include <sqlite3.h>

#include "db/db.h"

#define ZSR_SCHEMA_APPLICATION 0x7a737231u
#define ZSR_SCHEMA_VERSION     3

struct zsr_db {
	sqlite3 *sql;
	char *path;
	bool readonly;
	bool created; /* this handle made the file */
	bool stored; /* something was committed through it */
	bool told_wait;
	void (*on_wait)(void *ctx, const char *path);
	void *on_wait_ctx;
};

/* ---- SQL (sql.c) ---------------------------------------------------- */

/* A zsr_err from SQLite's result code: damage is the input's fault, anything
 * else the system's. */
int zsr_sql_error(struct zsr_db *db, int rc, struct zsr_err *err);
int zsr_sql_exec(struct zsr_db *db, const char *sql, struct zsr_err *err);
int zsr_sql_prepare(struct zsr_db *db, sqlite3_stmt **stmt, const char *sql,
		    struct zsr_err *err);
/* 1 a row, 0 done (and reset), -errno (and reset). */
int zsr_sql_step(struct zsr_db *db, sqlite3_stmt *stmt, struct zsr_err *err);
/*
 * Bind in order, one letter a parameter: i int64_t, u uint64_t, s const char *
 * (NULL: SQL NULL), b const void * and size_t; text and blobs must live until
 * the statement is reset. Errors show when it is stepped.
 */
void zsr_sql_bind(sqlite3_stmt *stmt, const char *types, ...);
/* bind, step to the end, reset. */
int zsr_sql_run(struct zsr_db *db, sqlite3_stmt *stmt, struct zsr_err *err,
		const char *types, ...);
/* Text of a column, "" for NULL, cut to fit. */
void zsr_sql_text(sqlite3_stmt *stmt, int col, char *buf, size_t size);

int zsr_db_begin(struct zsr_db *db, struct zsr_err *err);
int zsr_db_commit(struct zsr_db *db, struct zsr_err *err);
void zsr_db_rollback(struct zsr_db *db);

/* ---- a new file (create.c) ------------------------------------------ */

/* Makes PATH an empty database at once or not at all; -EEXIST without an error
 * when there is a file already. */
int zsr_db_create(const char *path, bool replace_empty, struct zsr_err *err);

/* ---- virtual table and functions (vtab.c, texts.c) ------------------- */

int zsr_vtab_register(struct zsr_db *db);
int zsr_texts_register(struct zsr_db *db);

/* ---- long texts of a trace (texts.c) --------------------------------- */

/* The blob of trace.texts from N bytes, malloc'ed; its size in *len. */
int zsr_texts_pack(const char *text, size_t n, void **blob, size_t *len,
		   struct zsr_err *err);

/* ---- facts (facts.c) ------------------------------------------------- */

/* "6.12.117+deb12-arm64": true when it is a kernel release. */
bool zsr_facts_release(const char *release, unsigned *major, unsigned *minor);
/* The release's lock generation and default chain size. */
const char *zsr_facts_lock_gen(unsigned major, unsigned minor);
unsigned zsr_facts_chain_size(unsigned major, unsigned minor);
bool zsr_facts_page_size(uint64_t page_size);
/* The facts of a trace as a writer is given them: an error names the first
 * that cannot be. */
int zsr_facts_check(const struct zsr_trace *t, struct zsr_err *err);

/* ---- traces (traces.c) ------------------------------------------------ */

/* Makes NAME one that no trace has: itself, or NAME-2, NAME-3, ... */
int zsr_trace_free_name(struct zsr_db *db, char name[128], struct zsr_err *err);

/* ---- runs (runparts.c) ------------------------------------------------- */

/* The locks and steps of a run, within its transaction; and back. */
int zsr_run_parts_store(struct zsr_db *db, const struct zsr_run *run,
			struct zsr_err *err);
int zsr_run_parts_load(struct zsr_db *db, struct zsr_run *run,
		       struct zsr_err *err);

/* ---- writer (writer.c), for the import pass --------------------------- */

/* Chunks that are stored from now on are told; NULL: no more. */
void zsr_writer_watch(struct zsr_writer *w,
		      void (*chunk)(uint64_t nr, uint64_t events,
				    uint64_t bytes));

/* Facts that became known after begin: kernel, times, page_size, chain_size,
 * fact_flags, format, clock and from_empty are taken over. */
void zsr_writer_facts(struct zsr_writer *w, const struct zsr_trace *t);
/*
 * A trace with the digest of what was written: its name goes to same (128
 * bytes) and 1 is returned; 0 when there is none. All events must be in; call
 * commit or abort next.
 */
int zsr_writer_twin(struct zsr_writer *w, char same[128], struct zsr_err *err);

#endif
