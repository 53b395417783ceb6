// SPDX-License-Identifier: GPL-2.0-only
/* zsr ls: the traces and runs of a database. */
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "replay/policy/table.h"

/* What is shown on a terminal; --csv and --json give more columns. */
static const char traces_brief[] =
	"SELECT name AS trace, kernel, (page_size / 1024) || 'K' AS page, "
	"nr_mallocs AS mallocs, nr_frees AS frees, nr_tasks AS tasks, "
	"nr_cpus AS cpus, times, "
	"(SELECT count(*) FROM run WHERE run.trace = trace.id) AS runs "
	"FROM trace ORDER BY id";

static const char runs_brief[] =
	"SELECT '#' || r.id AS run, r.trace_name AS trace, r.policy, "
	"r.profile, r.clock, "
	"strftime('%Y-%m-%d %H:%M', r.stored_s, 'unixepoch') AS stored_utc, "
	"trim(r.params || iif(r.seed = '1', '', ' seed=' || r.seed)) "
	"AS \"set\" FROM run r ORDER BY r.id";
#define RUN_POLICY 2
#define RUN_SET    6

static const char traces_full[] =
	"SELECT name, digest, kernel, lock_gen, format, clock, times, "
	"page_size, chain_size, from_empty, has_dur, nr_cpus, nr_tasks, "
	"nr_pools, nr_events, nr_mallocs, nr_frees, duration_ns, imported_s, "
	"zsr_version FROM trace ORDER BY id";

static const char runs_full[] =
	"SELECT id, trace_name AS trace, trace_digest, policy, params, "
	"profile, clock, arrival, gaps, engine, page_size, cpus, seed, "
	"digest AS result_digest, stored_s, zsr_version "
	"FROM run ORDER BY id";

struct list {
	enum zsr_format format;
	struct zsr_table *table;
	uint64_t rows;
};

static int on_row(void *ctx, int ncol, const char *const *names,
		  const char *const *values, const enum zsr_sql_type *types)
{
	struct list *l = ctx;

	if (!values) {
		l->table = zsr_table_new(stdout, l->format, ncol, names);
		return l->table ? 0 : -ENOMEM;
	}
	l->rows++;
	return zsr_table_row(l->table, values, types);
}

/* "NAME=VALUE " is what POLICY has anyway. */
static bool is_default(const struct zsr_policy *policy, const char *set,
		       size_t len)
{
	const struct zsr_param *p;
	char buf[ZSR_PARAM_LEN];
	char text[128];
	unsigned i;

	for (i = 0; policy && i < policy->nr_params; i++) {
		int n;

		p = &policy->params[i];
		n = snprintf(text, sizeof(text), "%s=%s", p->name,
			     zsr_param_text(p, p->def, buf));
		if ((size_t)n == len && !strncmp(text, set, len))
			return true;
	}
	return false;
}

/* How much of "NAME=VALUE " is shown: of a plug-in's digest the first digits. */
static size_t shown(const char *set, size_t len)
{
	static const char digest[] = "plugin=sha256:";

	if (strncmp(set, digest, sizeof(digest) - 1))
		return len;
	return zsr_min(len, sizeof(digest) - 1 + 12);
}

/* A run's parameters less those left alone: lines fit a terminal. */
static char *brief_set(const char *policy_name, const char *set)
{
	const struct zsr_policy *policy = zsr_policy_find(policy_name);
	char *out = malloc(strlen(set) + 2), *p = out;

	if (!out)
		return NULL;
	while (*set) {
		size_t len = strcspn(set, " ");

		if (!is_default(policy, set, len)) {
			memcpy(p, set, shown(set, len));
			p += shown(set, len);
			*p++ = ' ';
		}
		set += len;
		set += strspn(set, " ");
	}
	p[p > out ? -1 : 0] = '\0';
	return out;
}

static int on_run(void *ctx, int ncol, const char *const *names,
		  const char *const *values, const enum zsr_sql_type *types)
{
	const char *brief[RUN_SET + 1];
	char *set;
	int ret;

	if (!values || ncol != RUN_SET + 1 || !values[RUN_SET])
		return on_row(ctx, ncol, names, values, types);
	set = brief_set(values[RUN_POLICY], values[RUN_SET]);
	if (!set)
		return -ENOMEM;
	memcpy(brief, values, sizeof(brief));
	brief[RUN_SET] = set;
	ret = on_row(ctx, ncol, names, brief, types);
	free(set);
	return ret;
}

static int print_list(struct zsr_db *db, const char *sql, enum zsr_format format,
		      const char *none, struct zsr_err *err)
{
	struct list l = { .format = format };
	int ret = zsr_db_sql(db, sql, sql == runs_brief ? on_run : on_row, &l,
			     err);

	if (ret == -ENOMEM && !err->kind)
		ret = zsr_err_nomem(err, "table");
	if (!ret && format == ZSR_FORMAT_TABLE && !l.rows)
		puts(none);
	else if (!ret)
		zsr_table_end(l.table);
	zsr_table_free(l.table);
	return ret;
}

static int list(struct zsr_db *db, bool json, bool csv, struct zsr_err *err)
{
	enum zsr_format format = json  ? ZSR_FORMAT_JSON
				 : csv ? ZSR_FORMAT_CSV
				       : ZSR_FORMAT_TABLE;
	bool full = json || csv;
	int ret;

	if (json)
		fputs("{\"traces\": ", stdout);
	ret = print_list(db, full ? traces_full : traces_brief, format,
			 "no traces; `zsr import FILE` takes one in", err);
	if (ret)
		return ret;
	fputs(json ? ",\"runs\": " : "\n", stdout);
	ret = print_list(db, full ? runs_full : runs_brief, format,
			 "no runs; `zsr replay TRACE --policy sync` makes one",
			 err);
	if (json)
		puts("}");
	return ret ? ret : zsr_cmd_flush(err);
}

int zsr_cmd_ls(int argc, const char **argv)
{
	char *db_option = NULL;
	int json = 0, csv = 0;
	const struct poptOption table[] = {
		{ "database", 'd', POPT_ARG_STRING, &db_option, 0,
		  "the database (default $ZSR_DB, else ./zsr.db)", "DB" },
		{ "json", 0, POPT_ARG_NONE, &json, 0,
		  "{\"traces\": [...], \"runs\": [...]}", NULL },
		{ "csv", 0, POPT_ARG_NONE, &csv, 0,
		  "traces, an empty line, runs", NULL },
		POPT_TABLEEND
	};
	struct zsr_err err = { 0 };
	struct zsr_options o;
	struct zsr_db *db = NULL;
	int ret;

	ret = zsr_options_parse(&o, argc, argv, table, "ls [OPTION...]", &err);
	if (ret)
		return ret > 0 ? ZSR_EXIT_OK : zsr_cmd_fail("ls", &err);
	if (o.nr_rest)
		ret = zsr_err_usage(&err, "'%s': ls takes no arguments",
				    o.rest[0]);
	if (!ret)
		ret = zsr_cmd_open_db(&db, "ls", db_option, ZSR_DB_READONLY,
				      &err);
	if (!ret)
		ret = list(db, json, csv, &err);
	zsr_db_close(db);
	zsr_options_free(&o);
	free(db_option);
	return ret ? zsr_cmd_fail("ls", &err) : ZSR_EXIT_OK;
}
