// SPDX-License-Identifier: GPL-2.0-only
/* zsr fsck: is everything in a database as it was written? */
#include <stdlib.h>

#include "cmd/cmd.h"

struct shown {
	struct zsr_progress progress;
	bool quiet;
};

static int on_fault(void *ctx, const char *line)
{
	struct shown *s = ctx;

	if (!s->quiet)
		puts(line);
	return 0;
}

static void on_events(void *ctx, uint64_t events)
{
	struct shown *s = ctx;

	zsr_progress_at(&s->progress, events);
}

static void print_counts(const struct zsr_fsck *found)
{
	char a[ZSR_FMT_LEN], b[ZSR_FMT_LEN], c[ZSR_FMT_LEN], d[ZSR_FMT_LEN];
	char e[ZSR_FMT_LEN];

	printf("%s traces, %s chunks, %s events, %s runs: ",
	       zsr_fmt_count(a, found->nr_traces),
	       zsr_fmt_count(b, found->nr_chunks),
	       zsr_fmt_count(c, found->nr_events),
	       zsr_fmt_count(d, found->nr_runs));
	if (found->nr_faults)
		printf("%s fault%s\n", zsr_fmt_count(e, found->nr_faults),
		       found->nr_faults == 1 ? "" : "s");
	else
		puts("clean");
}

static int check(const char *path, bool quiet, struct zsr_fsck *found,
		 struct zsr_err *err)
{
	struct shown s = { .quiet = quiet };
	const struct zsr_fsck_opts opts = {
		.ctx = &s,
		.fault = on_fault,
		.at = on_events,
	};
	struct zsr_db *db;
	int ret = zsr_cmd_open_db(&db, "fsck", path, ZSR_DB_READONLY, err);

	if (ret)
		return ret;
	zsr_progress_start(&s.progress, "fsck", "events", 0);
	ret = zsr_db_fsck(db, &opts, found, err);
	zsr_progress_finish(&s.progress);
	zsr_db_close(db);
	if (!ret && !quiet)
		print_counts(found);
	return ret ? ret : zsr_cmd_flush(err);
}

int zsr_cmd_fsck(int argc, const char **argv)
{
	char *db_option = NULL;
	int quiet = 0;
	const struct poptOption table[] = {
		{ "database", 'd', POPT_ARG_STRING, &db_option, 0,
		  "the database (default $ZSR_DB, else ./zsr.db)", "DB" },
		{ "quiet", 'q', POPT_ARG_NONE, &quiet, 0,
		  "say nothing, the exit status tells", NULL },
		POPT_TABLEEND
	};
	struct zsr_fsck found = { 0 };
	struct zsr_err err = { 0 };
	struct zsr_options o;
	int ret;

	ret = zsr_options_parse(&o, argc, argv, table, "fsck [DB] [OPTION...]",
				&err);
	if (ret)
		return ret > 0 ? ZSR_EXIT_OK : zsr_cmd_fail("fsck", &err);
	if (o.nr_rest > 1 || (o.nr_rest && db_option))
		ret = zsr_err_usage(&err, "one database at a time, please");
	if (!ret)
		ret = check(o.nr_rest ? o.rest[0] : db_option, quiet, &found,
			    &err);
	zsr_options_free(&o);
	free(db_option);
	if (ret)
		return zsr_cmd_fail("fsck", &err);
	return found.nr_faults ? ZSR_EXIT_NEGATIVE : ZSR_EXIT_OK;
}
