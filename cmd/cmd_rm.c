// SPDX-License-Identifier: GPL-2.0-only
/* zsr rm: traces and runs out of a database. */
#include <inttypes.h>
#include <stdlib.h>

#include "cmd/cmd.h"
#include "cmd/runs.h"

struct args {
	char *db;
	int force, keep_runs;
};

/* What is named, sorted into traces and runs. */
struct named {
	const char **traces;
	int64_t *runs;
	struct zsr_remove what;
};

static int sort_names(struct named *n, const struct zsr_options *o,
		      struct zsr_err *err)
{
	int i, ret;

	n->traces = calloc((size_t)o->nr_rest + 1, sizeof(*n->traces));
	n->runs = calloc((size_t)o->nr_rest + 1, sizeof(*n->runs));
	if (!n->traces || !n->runs)
		return zsr_err_nomem(err, "names");
	for (i = 0; i < o->nr_rest; i++) {
		ret = zsr_cmd_run_id(o->rest[i], &n->runs[n->what.nr_runs], err);
		if (ret < 0)
			return ret;
		if (ret)
			n->what.nr_runs++;
		else
			n->traces[n->what.nr_traces++] = o->rest[i];
	}
	n->what.traces = n->traces;
	n->what.runs = n->runs;
	return 0;
}

static int options(const struct args *a, struct named *n,
		   const struct zsr_options *o, struct zsr_err *err)
{
	if (!o->nr_rest)
		return zsr_err_usage(err, "which TRACE or RUN?");
	if (a->force && a->keep_runs)
		return zsr_err_usage(err, "--force or --keep-runs, not both");
	n->what.their_runs = a->force       ? ZSR_RUNS_REMOVE
			     : a->keep_runs ? ZSR_RUNS_KEEP
					    : ZSR_RUNS_REFUSE;
	return sort_names(n, o, err);
}

static void print_removed(const struct zsr_removed *r)
{
	char a[ZSR_FMT_LEN], b[ZSR_FMT_LEN];

	printf("removed: %" PRIu64 " trace%s, %" PRIu64 " run%s; %s given back",
	       r->nr_traces, r->nr_traces == 1 ? "" : "s", r->nr_runs,
	       r->nr_runs == 1 ? "" : "s", zsr_fmt_size(a, r->bytes_back));
	if (r->bytes_spare)
		printf(", %s in the file are free for more",
		       zsr_fmt_size(b, r->bytes_spare));
	putchar('\n');
}

static int remove_all(const char *path, const struct zsr_remove *what,
		      struct zsr_err *err)
{
	struct zsr_removed removed;
	struct zsr_db *db;
	int ret = zsr_cmd_open_db(&db, "rm", path, 0, err);

	if (ret)
		return ret;
	ret = zsr_db_remove(db, what, &removed, err);
	zsr_db_close(db);
	if (ret)
		return ret;
	print_removed(&removed);
	return zsr_cmd_flush(err);
}

int zsr_cmd_rm(int argc, const char **argv)
{
	struct args a = { 0 };
	const struct poptOption table[] = {
		{ "database", 'd', POPT_ARG_STRING, &a.db, 0,
		  "the database (default $ZSR_DB, else ./zsr.db)", "DB" },
		{ "force", 'f', POPT_ARG_NONE, &a.force, 0,
		  "remove a trace's runs with it", NULL },
		{ "keep-runs", 0, POPT_ARG_NONE, &a.keep_runs, 0,
		  "leave a trace's runs, to be compared", NULL },
		POPT_TABLEEND
	};
	struct named n = { 0 };
	struct zsr_err err = { 0 };
	struct zsr_options o;
	int ret;

	ret = zsr_options_parse(&o, argc, argv, table,
				"rm TRACE|RUN... [OPTION...]", &err);
	if (ret)
		return ret > 0 ? ZSR_EXIT_OK : zsr_cmd_fail("rm", &err);
	ret = options(&a, &n, &o, &err);
	if (!ret)
		ret = remove_all(a.db, &n.what, &err);
	free(n.traces);
	free(n.runs);
	zsr_options_free(&o);
	free(a.db);
	return ret ? zsr_cmd_fail("rm", &err) : ZSR_EXIT_OK;
}
