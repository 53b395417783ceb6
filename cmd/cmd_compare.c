// SPDX-License-Identifier: GPL-2.0-only
/* zsr compare: stored runs side by side. */
#include <stdlib.h>

#include "analyze/analyze.h"
#include "cmd/cmd.h"
#include "cmd/runs.h"

static int print_table(const struct zsr_analysis *a, struct zsr_err *err)
{
	struct zsr_lines l = { 0 };
	size_t i, k;
	int ret = 0;

	for (k = 0; k < a->nr && !ret; k++) {
		const struct zsr_compare *c = &a->cmp[k];

		ret = zsr_compare_head(c, ZSR_MAIL_WIDTH, &l, err);
		if (!ret)
			ret = zsr_lines_add(&l, "%s", "");
		if (!ret)
			ret = zsr_compare_table(c, ZSR_MAIL_WIDTH, &l, err);
		if (!ret)
			ret = zsr_lines_add(&l, "%s", "");
		if (!ret)
			ret = zsr_compare_notes(c, ZSR_MAIL_WIDTH, &l, err);
		if (!ret && k + 1 < a->nr)
			ret = zsr_lines_add(&l, "\n");
	}
	for (i = 0; i < l.nr && !ret; i++)
		puts(l.line[i]);
	zsr_lines_free(&l);
	return ret;
}

static int print(const struct zsr_analysis *a, int json, int csv,
		 struct zsr_err *err)
{
	char *text = NULL;
	int ret;

	if (json)
		ret = zsr_analysis_json(a, &text, err);
	else if (csv)
		ret = zsr_analysis_csv(a, &text, err);
	else
		ret = print_table(a, err);
	if (text) {
		fputs(text, stdout);
		if (json)
			putchar('\n');
	}
	free(text);
	return ret ? ret : zsr_cmd_flush(err);
}

int zsr_cmd_compare(int argc, const char **argv)
{
	char *db_path = NULL;
	int json = 0, csv = 0;
	const struct poptOption table[] = {
		{ "database", 'd', POPT_ARG_STRING, &db_path, 0,
		  "database to read (default: $ZSR_DB, else zsr.db)", "DB" },
		{ "json", '\0', POPT_ARG_NONE, &json, 0,
		  "print the stored integers as JSON", NULL },
		{ "csv", '\0', POPT_ARG_NONE, &csv, 0,
		  "print the stored integers as CSV, a line a run", NULL },
		POPT_TABLEEND
	};
	struct zsr_analyze_opts opts = { 0 };
	struct zsr_analysis a = { 0 };
	struct zsr_options o = { 0 };
	struct zsr_err err = { 0 };
	int ret;

	ret = zsr_options_parse(&o, argc, argv, table,
				"compare [RUN...|TRACE...] [OPTION...]", &err);
	if (ret > 0) {
		ret = 0;
		goto out;
	}
	if (!ret && json && csv)
		ret = zsr_err_usage(&err, "--json or --csv, not both");
	opts.every_run = json || csv;
	if (!ret)
		ret = zsr_cmd_runs("compare", zsr_db_path(db_path), o.rest,
				   o.nr_rest, &opts, &a, &err);
	if (!ret)
		ret = print(&a, json, csv, &err);
out:
	zsr_analysis_free(&a);
	zsr_options_free(&o);
	free(db_path);
	return ret ? zsr_cmd_fail("compare", &err) : ZSR_EXIT_OK;
}
