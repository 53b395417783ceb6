// SPDX-License-Identifier: GPL-2.0-only
/* zsr sql: any question to a database. */
#include <stdlib.h>

#include "cmd/cmd.h"

struct rows {
	enum zsr_format format;
	struct zsr_table *table;
};

static int on_row(void *ctx, int ncol, const char *const *names,
		  const char *const *values, const enum zsr_sql_type *types)
{
	struct rows *r = ctx;

	if (!values) {
		r->table = zsr_table_new(stdout, r->format, ncol, names);
		return r->table ? 0 : -ENOMEM;
	}
	if (ferror(stdout))
		return -EPIPE;
	return zsr_table_row(r->table, values, types);
}

int zsr_cmd_query(struct zsr_db *db, const char *text, enum zsr_format format,
		  struct zsr_err *err)
{
	struct rows r = { .format = format };
	int ret = zsr_db_sql(db, text, on_row, &r, err);

	if (!ret)
		zsr_table_end(r.table);
	else if (ret == -ENOMEM && !err->kind)
		ret = zsr_err_nomem(err, "table");
	else if (ret == -EPIPE && !err->kind)
		ret = zsr_err_sys(err, EPIPE, "standard output");
	zsr_table_free(r.table);
	return ret ? ret : zsr_cmd_flush(err);
}

int zsr_cmd_sql(int argc, const char **argv)
{
	char *db_option = NULL;
	int json = 0, csv = 0;
	const struct poptOption table[] = {
		{ "database", 'd', POPT_ARG_STRING, &db_option, 0,
		  "the database (default $ZSR_DB, else ./zsr.db)", "DB" },
		{ "json", 0, POPT_ARG_NONE, &json, 0, "an array of objects",
		  NULL },
		{ "csv", 0, POPT_ARG_NONE, &csv, 0,
		  "CSV with a header, also on a terminal", NULL },
		POPT_TABLEEND
	};
	struct zsr_err err = { 0 };
	struct zsr_options o;
	struct zsr_db *db = NULL;
	int ret;

	ret = zsr_options_parse(&o, argc, argv, table,
				"sql 'QUERY' [OPTION...]", &err);
	if (ret)
		return ret > 0 ? ZSR_EXIT_OK : zsr_cmd_fail("sql", &err);
	if (o.nr_rest != 1)
		ret = zsr_err_usage(&err, "one QUERY, please, in quotes");
	if (!ret)
		ret = zsr_cmd_open_db(&db, "sql", db_option, ZSR_DB_READONLY,
				      &err);
	if (!ret)
		ret = zsr_cmd_query(db, o.rest[0], zsr_format_choose(json, csv),
				    &err);
	zsr_db_close(db);
	zsr_options_free(&o);
	free(db_option);
	return ret ? zsr_cmd_fail("sql", &err) : ZSR_EXIT_OK;
}
