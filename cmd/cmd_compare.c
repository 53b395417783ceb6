// SPDX-License-Identifier: GPL-2.0-only
/* zsr compare: stored runs side by side. */
#include <stdlib.h>

#include "analyze/analyze.h"
#include "cmd/clocks.h"
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
	char *db_path = NULL, *machine = NULL, *policies = NULL, *repeat = NULL;
	int json = 0, csv = 0, clocks = 0, strict = 0;
	const struct poptOption table[] = {
		{ "clocks", '\0', POPT_ARG_NONE, &clocks, 0,
		  "hold the virtual clock against the host's", NULL },
		{ "machine", 'm', POPT_ARG_STRING, &machine, 0,
		  "clocks: make the runs, with this profile", "PROFILE" },
		{ "policy", 'p', POPT_ARG_STRING, &policies, ZSR_OPTION_LIST,
		  "clocks: free policies to make them under", "P[,P...]" },
		{ "repeat", '\0', POPT_ARG_STRING, &repeat, 0,
		  "clocks: rounds on the host (10)", "N" },
		{ "strict", '\0', POPT_ARG_NONE, &strict, 0,
		  "clocks: exit 1 when the prediction misses its bar", NULL },
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
	bool met = true;
	int ret;

	ret = zsr_options_parse(&o, argc, argv, table,
				"compare [RUN...|TRACE...] [OPTION...]", &err);
	if (ret > 0) {
		ret = 0;
		goto out;
	}
	if (!ret && json && csv)
		ret = zsr_err_usage(&err, "--json or --csv, not both");
	if (!ret && clocks && csv)
		ret = zsr_err_usage(&err, "--clocks prints no CSV");
	if (!ret && !clocks && (machine || policies || repeat || strict))
		ret = zsr_err_usage(&err, "--machine, --policy, --repeat and "
					  "--strict want --clocks");
	if (!ret && clocks) {
		const struct zsr_clocks_args c = { .rest = o.rest,
						   .nr_rest = o.nr_rest,
						   .db = db_path,
						   .machine = machine,
						   .policies = policies,
						   .repeat = repeat,
						   .json = json };

		ret = zsr_cmd_clocks(&c, &met, &err);
		goto out;
	}
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
	free(machine);
	free(policies);
	free(repeat);
	if (ret)
		return zsr_cmd_fail("compare", &err);
	return strict && !met ? ZSR_EXIT_NEGATIVE : ZSR_EXIT_OK;
}
