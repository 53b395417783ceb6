/* SPDX-License-Identifier: GPL-2.0-only */
/* What the virtual tables share: they are there in every connection, read
 * traces one after the other, and report errors alike. */
#ifndef ZSR_DB_VTAB_H
#define ZSR_DB_VTAB_H

#include "db/private.h"

/* The xConnect of a table whose columns DDL declares. */
int zsr_vtab_connect(sqlite3 *sql, struct zsr_db *db, const char *ddl,
		     sqlite3_vtab **out, char **errmsg);
int zsr_vtab_disconnect(sqlite3_vtab *t);
struct zsr_db *zsr_vtab_db(const sqlite3_vtab *t);
/* What tells tables of one module apart. */
void zsr_vtab_set_about(sqlite3_vtab *t, const void *about);
const void *zsr_vtab_about(const sqlite3_vtab *t);
/* SQLite's code for a failed call, whose message becomes the table's. */
int zsr_vtab_fail(sqlite3_vtab *t, int ret, const struct zsr_err *err);
/* The first trace after *TRACE, up to MAX: 1, 0 when there is none, -errno. */
int zsr_vtab_next_trace(struct zsr_db *db, int64_t *trace, int64_t max,
			struct zsr_err *err);
/* A NULL for what is unknown. */
void zsr_vtab_known(sqlite3_context *ctx, bool known, uint64_t v);

extern const sqlite3_module zsr_vtab_event; /* vtab_event.c */
extern const sqlite3_module zsr_vtab_object; /* vtab_object.c */
extern const sqlite3_module zsr_vtab_sum; /* vtab_sums.c, under several names */
extern const sqlite3_module zsr_vtab_run; /* vtab_run.c */
int zsr_classes_register(struct zsr_db *db); /* classes.c */

#endif
