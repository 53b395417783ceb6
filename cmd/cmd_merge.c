// SPDX-License-Identifier: GPL-2.0-only
/* zsr merge: other databases into one. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"

/* What was done is only said once it is kept. */
struct said {
	FILE *f;
	char *text;
	size_t len;
};

static void on_trace(void *ctx, const char *path, const char *name,
		     const char *as, bool known)
{
	struct said *s = ctx;

	if (known)
		fprintf(s->f, "%s: '%s' is there already, as '%s'\n", path,
			name, as);
	else if (strcmp(name, as))
		fprintf(s->f, "%s: '%s' added as '%s'\n", path, name, as);
	else
		fprintf(s->f, "%s: '%s' added\n", path, name);
}

static void print_sum(const struct zsr_merged *m)
{
	printf("added: %" PRIu64 " trace%s, %" PRIu64 " run%s", m->nr_traces,
	       m->nr_traces == 1 ? "" : "s", m->nr_runs,
	       m->nr_runs == 1 ? "" : "s");
	if (m->nr_known || m->nr_known_runs)
		printf("; there already: %" PRIu64 " trace%s, %" PRIu64
		       " run%s",
		       m->nr_known, m->nr_known == 1 ? "" : "s",
		       m->nr_known_runs, m->nr_known_runs == 1 ? "" : "s");
	putchar('\n');
}

static int merge(const char *path, const struct zsr_options *o,
		 struct zsr_err *err)
{
	struct said said = { 0 };
	const struct zsr_merge_opts opts = { .ctx = &said, .trace = on_trace };
	struct zsr_merged merged;
	struct zsr_db *db;
	int ret = zsr_cmd_open_db(&db, "merge", path, ZSR_DB_CREATE, err);

	if (ret)
		return ret;
	said.f = open_memstream(&said.text, &said.len);
	if (said.f) {
		ret = zsr_db_merge(db, o->rest, (size_t)o->nr_rest, &opts,
				   &merged, err);
		fclose(said.f);
	} else {
		ret = zsr_err_nomem(err, "messages");
	}
	zsr_db_close(db);
	if (!ret) {
		fwrite(said.text, said.len, 1, stdout);
		print_sum(&merged);
		ret = zsr_cmd_flush(err);
	}
	free(said.text);
	return ret;
}

int zsr_cmd_merge(int argc, const char **argv)
{
	char *db_option = NULL;
	const struct poptOption table[] = {
		{ "database", 'd', POPT_ARG_STRING, &db_option, 0,
		  "the database merged into (default $ZSR_DB, else ./zsr.db)",
		  "DEST" },
		POPT_TABLEEND
	};
	struct zsr_err err = { 0 };
	struct zsr_options o;
	int ret;

	ret = zsr_options_parse(&o, argc, argv, table,
				"merge DB... [OPTION...]", &err);
	if (ret)
		return ret > 0 ? ZSR_EXIT_OK : zsr_cmd_fail("merge", &err);
	if (!o.nr_rest)
		ret = zsr_err_usage(&err, "which DB?");
	if (!ret)
		ret = merge(db_option, &o, &err);
	zsr_options_free(&o);
	free(db_option);
	return ret ? zsr_cmd_fail("merge", &err) : ZSR_EXIT_OK;
}
