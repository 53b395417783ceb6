// SPDX-License-Identifier: GPL-2.0-only
#include "db/sums.h"
#include "db/vtab.h"

struct vtab {
	sqlite3_vtab base;
	struct zsr_db *db;
	const void *about;
};

int zsr_vtab_connect(sqlite3 *sql, struct zsr_db *db, const char *ddl,
		     sqlite3_vtab **out, char **errmsg)
{
	struct vtab *t;
	int rc = sqlite3_declare_vtab(sql, ddl);

	if (rc)
		return rc;
	sqlite3_vtab_config(sql, SQLITE_VTAB_INNOCUOUS);
	t = sqlite3_malloc(sizeof(*t));
	if (!t)
		return SQLITE_NOMEM;
	*t = (struct vtab){ .db = db };
	*out = &t->base;
	return SQLITE_OK;
}

int zsr_vtab_disconnect(sqlite3_vtab *t)
{
	sqlite3_free(t);
	return SQLITE_OK;
}

struct zsr_db *zsr_vtab_db(const sqlite3_vtab *t)
{
	return ((const struct vtab *)t)->db;
}

void zsr_vtab_set_about(sqlite3_vtab *t, const void *about)
{
	((struct vtab *)t)->about = about;
}

const void *zsr_vtab_about(const sqlite3_vtab *t)
{
	return ((const struct vtab *)t)->about;
}

int zsr_vtab_fail(sqlite3_vtab *t, int ret, const struct zsr_err *err)
{
	sqlite3_free(t->zErrMsg);
	t->zErrMsg = sqlite3_mprintf("%s", err->msg);
	if (ret == -ENOMEM)
		return SQLITE_NOMEM;
	return err->kind == ZSR_ERR_INPUT ? SQLITE_CORRUPT_VTAB : SQLITE_IOERR;
}

int zsr_vtab_next_trace(struct zsr_db *db, int64_t *trace, int64_t max,
			struct zsr_err *err)
{
	sqlite3_stmt *stmt;
	int ret;

	if (*trace >= max)
		return 0;
	ret = zsr_sql_prepare(db, &stmt,
			      "SELECT id FROM trace WHERE id > ? AND id <= ? "
			      "ORDER BY id LIMIT 1",
			      err);
	if (ret)
		return ret;
	zsr_sql_bind(stmt, "ii", *trace, max);
	ret = zsr_sql_step(db, stmt, err);
	if (ret == 1)
		*trace = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return ret;
}

void zsr_vtab_known(sqlite3_context *ctx, bool known, uint64_t v)
{
	if (known)
		sqlite3_result_int64(ctx, (int64_t)v);
}

/* Without xCreate they are there in every connection, and only there. */
int zsr_vtab_register(struct zsr_db *db)
{
	int i, rc = sqlite3_create_module(db->sql, "zsr_event", &zsr_vtab_event,
					  db);

	if (!rc)
		rc = sqlite3_create_module(db->sql, "zsr_object",
					   &zsr_vtab_object, db);
	for (i = 0; i < ZSR_NR_SUMS && !rc; i++)
		rc = sqlite3_create_module(db->sql, zsr_sum_list[i].name,
					   &zsr_vtab_sum, db);
	return rc ? rc : zsr_classes_register(db);
}
