// SPDX-License-Identifier: GPL-2.0-only
/* zsr judge: does the engine hold what the kernel held, at every mark? */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/capture.h"
#include "cmd/cmd.h"
#include "cmd/packs.h"
#include "judge/judge.h"

struct judged {
	struct zsr_table *table;
	FILE *said; /* the lines of what differs */
	uint64_t nr_differ;
	uint64_t nr_compared;
	uint64_t nr_not;
};

static int on_differs(void *ctx, const char *mark, const char *what,
		      const char *text)
{
	struct judged *j = ctx;

	fprintf(j->said, "%s%s%s: %s\n", mark, *mark ? " " : "", what, text);
	return 0;
}

static int on_judged(void *ctx, const struct zsr_judged *v)
{
	static const enum zsr_sql_type types[] = {
		ZSR_SQL_TEXT,   ZSR_SQL_TEXT,   ZSR_SQL_NUMBER, ZSR_SQL_NUMBER,
		ZSR_SQL_NUMBER, ZSR_SQL_NUMBER, ZSR_SQL_TEXT,
	};
	bool pages = !strcmp(v->what, "mm_stat") && v->nr_compared;
	struct judged *j = ctx;
	char number[4][24];
	const char *values[] = {
		v->mark,
		v->what,
		pages ? number[0] : NULL,
		pages ? number[1] : NULL,
		number[2],
		number[3],
		v->remark,
	};

	snprintf(number[0], 24, "%llu", (unsigned long long)v->kernel_pages);
	snprintf(number[1], 24, "%llu", (unsigned long long)v->engine_pages);
	snprintf(number[2], 24, "%llu", (unsigned long long)v->nr_compared);
	snprintf(number[3], 24, "%llu", (unsigned long long)v->nr_differ);
	j->nr_differ += v->nr_differ;
	j->nr_compared += v->nr_compared;
	j->nr_not += !v->nr_compared;
	return zsr_table_row(j->table, values, types);
}

/* ---- a capture, in a database of its own that is gone afterwards --------- */

static int import(struct zsr_db *db, const char *path,
		  const struct zsr_import_opts *opts, struct zsr_trace *t,
		  struct zsr_places **places, struct zsr_err *err)
{
	struct zsr_import *imp;
	struct zsr_pack *p;
	struct zsr_odd odd;
	int ret = zsr_cmd_pack_open(path, &p, err);

	if (ret > 0) {
		ret = zsr_pack_import(p, db, NULL, false, t, err);
		zsr_pack_close(p);
		return ret;
	}
	if (!ret)
		ret = zsr_import_begin(db, opts, &imp, err);
	if (ret)
		return ret;
	ret = zsr_places_new(places, zsr_import_sink(imp), err);
	if (!ret)
		ret = zsr_decode(path, NULL, zsr_places_sink(*places), err);
	if (ret)
		zsr_import_abort(imp);
	else
		ret = zsr_import_finish(imp, t, &odd, err);
	return ret;
}

static int judge_capture(const char *path, const struct zsr_import_opts *opts,
			 const struct zsr_judge_report *report,
			 struct zsr_err *err)
{
	struct zsr_places *places = NULL;
	struct zsr_scratch scratch;
	struct zsr_trace t;
	int ret = zsr_scratch_open(&scratch, err);

	if (ret)
		return ret;
	ret = import(scratch.db, path, opts, &t, &places, err);
	if (!ret)
		ret = zsr_judge_trace(scratch.db, &t, places, report, err);
	zsr_places_free(places);
	zsr_scratch_close(&scratch);
	return ret;
}

static int judge_stored(const char *name, const char *db_option,
			const struct zsr_judge_report *report,
			struct zsr_err *err)
{
	struct zsr_db *db = NULL;
	struct zsr_trace t;
	int ret = zsr_cmd_open_db(&db, "judge", db_option, ZSR_DB_READONLY, err);

	if (!ret)
		ret = zsr_trace_find(db, name, &t, err);
	if (!ret)
		ret = zsr_judge_trace(db, &t, NULL, report, err);
	zsr_db_close(db);
	return ret;
}

/* ---- the command ------------------------------------------------------------- */

static void verdict(const struct judged *j, const char *said)
{
	fputs(said, stdout);
	if (j->nr_differ)
		printf("%llu of %llu values differ\n",
		       (unsigned long long)j->nr_differ,
		       (unsigned long long)j->nr_compared);
	else if (j->nr_compared)
		printf("equal: %llu values\n",
		       (unsigned long long)j->nr_compared);
	else
		puts("nothing could be compared");
}

static int judge(const char *arg, const char *db_option,
		 const struct zsr_import_opts *opts, enum zsr_format format,
		 struct judged *j, struct zsr_err *err)
{
	static const char *const names[] = { "mark",         "what",
					     "kernel_pages", "engine_pages",
					     "compared",     "differ",
					     "remark" };
	const struct zsr_judge_report report = {
		.ctx = j,
		.judged = on_judged,
		.differs = on_differs,
	};
	char *said = NULL;
	size_t len;
	int ret;

	j->table = zsr_table_new(stdout, format, ZSR_ARRAY_SIZE(names), names);
	j->said = open_memstream(&said, &len);
	if (!j->table || !j->said)
		ret = zsr_err_nomem(err, "table");
	else if (!strcmp(arg, "-") || !access(arg, F_OK))
		ret = judge_capture(arg, opts, &report, err);
	else
		ret = judge_stored(arg, db_option, &report, err);
	if (!ret)
		zsr_table_end(j->table);
	zsr_table_free(j->table);
	if (j->said && fclose(j->said) && !ret)
		ret = zsr_err_nomem(err, "table");
	if (!ret && format == ZSR_FORMAT_TABLE)
		verdict(j, said);
	free(said);
	return ret ? ret : zsr_cmd_flush(err);
}

int zsr_cmd_judge(int argc, const char **argv)
{
	char *db_option = NULL, *kernel = NULL, *chain = NULL;
	int json = 0, csv = 0, strict = 0;
	const struct poptOption table[] = {
		{ "database", 'd', POPT_ARG_STRING, &db_option, 0,
		  "the database (default $ZSR_DB, else ./zsr.db)", "DB" },
		{ "kernel", 'k', POPT_ARG_STRING, &kernel, 0,
		  "kernel release of a capture that does not say it", "RELEASE" },
		{ "chain-size", 'c', POPT_ARG_STRING, &chain, 0,
		  "most pages a zspage of a capture's kernel, 4 to 16", "N" },
		{ "strict", '\0', POPT_ARG_NONE, &strict, 0,
		  "exit 1 when something could not be compared, too", NULL },
		{ "json", '\0', POPT_ARG_NONE, &json, 0, "JSON", NULL },
		{ "csv", '\0', POPT_ARG_NONE, &csv, 0, "CSV", NULL },
		POPT_TABLEEND
	};
	struct zsr_import_opts opts = { .name = "judged" };
	struct zsr_err err = { 0 };
	struct judged j = { 0 };
	struct zsr_options o;
	uint64_t nr = 0;
	int ret;

	ret = zsr_options_parse(&o, argc, argv, table,
				"judge TRACE [OPTION...]", &err);
	if (ret)
		return ret > 0 ? ZSR_EXIT_OK : zsr_cmd_fail("judge", &err);
	if (o.nr_rest != 1)
		ret = zsr_err_usage(&err, "one trace at a time, please");
	else if (chain)
		ret = zsr_parse_u64(chain, "--chain-size", 4, 16, &nr, &err);
	opts.kernel = kernel;
	opts.chain_size = (uint32_t)nr;
	if (!ret)
		ret = judge(o.rest[0], db_option, &opts,
			    json || csv ? zsr_format_choose(json, csv)
					: ZSR_FORMAT_TABLE,
			    &j, &err);
	zsr_options_free(&o);
	free(db_option);
	free(kernel);
	free(chain);
	if (ret)
		return zsr_cmd_fail("judge", &err);
	return j.nr_differ || (strict && (j.nr_not || !j.nr_compared))
		       ? ZSR_EXIT_NEGATIVE
		       : ZSR_EXIT_OK;
}
