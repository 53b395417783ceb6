// SPDX-License-Identifier: GPL-2.0-only
/* zsr why: the queries behind a figure of a report, and their rows. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/runs.h"
#include "report/report.h"

/* "1,2,3", the runs of a comparison. NULL: no memory. */
static char *run_list(const struct zsr_compare *c)
{
	char *text = NULL;
	size_t i, size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	for (i = 0; i < c->nr_cols; i++)
		fprintf(f, "%s%" PRId64, i ? "," : "", c->col[i].id);
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}

/* A query for the runs, and its rows. */
static int print_query(struct zsr_db *db, const char *pattern, const char *runs,
		       bool rows, struct zsr_err *err)
{
	const char *at = strstr(pattern, "%s");
	char *query;
	int ret = 0;

	if (asprintf(&query, "%.*s%s%s", (int)(at - pattern), pattern, runs,
		     at + 2) < 0)
		return zsr_err_nomem(err, "query");
	printf("%s;\n", query);
	if (rows)
		ret = zsr_cmd_query(db, query, zsr_format_choose(0, 0), err);
	free(query);
	return ret;
}

static int print(const char *db_path, const struct zsr_analysis *a,
		 unsigned figure, bool rows, struct zsr_err *err)
{
	const char *const *q = zsr_report_queries(figure);
	struct zsr_db *db = NULL;
	size_t k, i;
	int ret;

	ret = zsr_db_open(&db, db_path, ZSR_DB_READONLY, err);
	for (k = 0; k < a->nr && !ret; k++) {
		char *runs = run_list(&a->cmp[k]);

		if (!runs) {
			ret = zsr_err_nomem(err, "query");
			break;
		}
		printf("%s-- g%u %s, %s\n", k ? "\n" : "", figure,
		       zsr_report_title(figure), a->cmp[k].trace);
		for (i = 0; q[i] && !ret; i++) {
			if (i && rows)
				putchar('\n');
			ret = print_query(db, q[i], runs, rows, err);
		}
		free(runs);
	}
	zsr_db_close(db);
	return ret ? ret : zsr_cmd_flush(err);
}

/* One of them, not a list. */
static int parse_figure(const char *name, unsigned *figure, struct zsr_err *err)
{
	unsigned bits;
	int ret = zsr_report_figures(name, &bits, err);

	if (ret)
		return ret;
	if (bits & (bits - 1))
		return zsr_err_usage(err, "one figure at a time, please");
	*figure = (unsigned)__builtin_ctz(bits);
	return 0;
}

int zsr_cmd_why(int argc, const char **argv)
{
	char *db_path = NULL;
	int queries = 0;
	const struct poptOption table[] = {
		{ "database", 'd', POPT_ARG_STRING, &db_path, 0,
		  "database to read (default: $ZSR_DB, else zsr.db)", "DB" },
		{ "queries", '\0', POPT_ARG_NONE, &queries, 0,
		  "print the queries without their rows", NULL },
		POPT_TABLEEND
	};
	struct zsr_analyze_opts opts = { 0 };
	struct zsr_analysis a = { 0 };
	struct zsr_options o = { 0 };
	struct zsr_err err = { 0 };
	unsigned figure = 0;
	int ret;

	ret = zsr_options_parse(&o, argc, argv, table,
				"why gN [RUN...|TRACE...] [OPTION...]", &err);
	if (ret > 0) {
		ret = 0;
		goto out;
	}
	if (!ret && !o.nr_rest)
		ret = zsr_err_usage(&err, "which figure? g1 to g12");
	if (!ret)
		ret = parse_figure(o.rest[0], &figure, &err);
	if (!ret)
		ret = zsr_cmd_runs("why", zsr_db_path(db_path), o.rest + 1,
				   o.nr_rest - 1, &opts, &a, &err);
	if (!ret)
		ret = print(zsr_db_path(db_path), &a, figure, !queries, &err);
out:
	zsr_analysis_free(&a);
	zsr_options_free(&o);
	free(db_path);
	return ret ? zsr_cmd_fail("why", &err) : ZSR_EXIT_OK;
}
