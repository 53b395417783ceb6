// SPDX-License-Identifier: GPL-2.0-only
/* zsr reduce: the fewest objects of a trace of which a query still is true. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/making.h"

struct args {
	char *db, *keep, *policies, *machine, *name, *max_tests, *outer;
	char **params;
};

struct reduce {
	const struct args *a;
	struct zsr_making m; /* its scratch holds what is being tried */
	struct zsr_replay_opts replay;
	bool *keep; /* by object */
	uint64_t *object; /* those kept so far, in order */
	size_t nr;
	unsigned nr_tests, max_tests;
	struct zsr_progress progress;
	struct zsr_err *err;
};

/* ---- one test ---------------------------------------------------------------- */

static int store_run(void *ctx, struct zsr_run *run, struct zsr_err *err)
{
	return zsr_run_store(ctx, run, err);
}

static int on_row(void *ctx, int ncol, const char *const *names,
		  const char *const *values, const enum zsr_sql_type *types)
{
	int *answer = ctx;

	if (!values || *answer >= 0)
		return 0;
	*answer = values[0] &&
		  (types[0] == ZSR_SQL_NUMBER ? strtod(values[0], NULL) != 0
					      : *values[0] != '\0');
	return 0;
}

/* Whether the query is true of the objects that are kept: 1, 0. */
static int test(struct reduce *r)
{
	struct zsr_making *m = &r->m;
	int answer = -1, ret;

	zsr_progress_at(&r->progress, ++r->nr_tests);
	zsr_making_undo(m);
	m->change.keep = r->keep;
	ret = zsr_making_change(m, m->trace.name, r->err);
	if (!ret && r->a->policies)
		ret = zsr_replay(m->scratch.db, &m->changed, &r->replay,
				 store_run, m->scratch.db, r->err);
	if (!ret)
		ret = zsr_db_sql(m->scratch.db, r->a->keep, on_row, &answer,
				 r->err);
	return ret ? ret : answer > 0;
}

/* Without the N objects from AT on: 1 when they were not needed. */
static int try_without(struct reduce *r, size_t at, size_t n)
{
	size_t i;
	int ret;

	for (i = at; i < at + n; i++)
		r->keep[r->object[i]] = false;
	ret = test(r);
	if (ret > 0) {
		memmove(r->object + at, r->object + at + n,
			(r->nr - at - n) * sizeof(*r->object));
		r->nr -= n;
		return 1;
	}
	for (i = at; i < at + n; i++)
		r->keep[r->object[i]] = true;
	return ret;
}

/*
 * Delta debugging: pieces are left out as long as any can be, at first halves
 * and in the end single objects.
 */
static int reduce(struct reduce *r)
{
	size_t piece = (r->nr + 1) / 2, at, n, before;
	int ret;

	while (piece) {
		before = r->nr;
		for (at = 0; at < r->nr;) {
			if (r->nr_tests >= r->max_tests)
				return 1;
			n = zsr_min(piece, r->nr - at);
			ret = try_without(r, at, n);
			if (ret < 0)
				return ret;
			at += ret ? 0 : n;
		}
		/* Others may be free to go now. */
		if (piece > 1 || r->nr == before)
			piece /= 2;
	}
	return 0;
}

/* ---- the command --------------------------------------------------------------- */

static int options(struct reduce *r, struct zsr_err *err)
{
	const struct args *a = r->a;
	uint64_t n = 1000;
	unsigned i;
	int ret = a->name ? zsr_cmd_check_name(a->name, err) : 0;

	if (!a->keep)
		return zsr_err_usage(err, "--keep 'QUERY': what has to stay "
					  "true?");
	if (!ret && a->max_tests)
		ret = zsr_parse_u64(a->max_tests, "--max-tests", 1, 1000000, &n,
				    err);
	r->max_tests = (unsigned)n;
	r->replay = (struct zsr_replay_opts){
		.policies = a->policies,
		.machine = a->machine,
		.params = (const char *const *)a->params,
		.seed = 1,
	};
	for (i = 0; a->outer && zsr_outer_lock_name(i); i++)
		if (!strcmp(a->outer, zsr_outer_lock_name(i)))
			break;
	if (!ret && a->outer && !zsr_outer_lock_name(i))
		ret = zsr_err_usage(err, "--outer-lock %s: there is none",
				    a->outer);
	r->replay.outer = a->outer ? i : ZSR_OUTER_AUTO;
	return ret;
}

static int all_objects(struct reduce *r)
{
	size_t i;

	r->nr = r->m.trace.nr_objects;
	r->keep = malloc(r->nr + 1);
	r->object = malloc((r->nr + 1) * sizeof(*r->object));
	if (!r->keep || !r->object)
		return zsr_err_nomem(r->err, "objects");
	for (i = 0; i < r->nr; i++) {
		r->keep[i] = true;
		r->object[i] = i;
	}
	return 0;
}

/* What is left, from the scratch database into that of the trace. */
static int store(struct reduce *r, bool stopped)
{
	static const struct zsr_change none;
	char name[128];
	struct zsr_trace out;
	int ret = test(r);

	if (ret < 0)
		return ret;
	snprintf(name, sizeof(name), "%.110s-reduced", r->m.trace.name);
	ret = zsr_trace_change(r->m.scratch.db, &r->m.changed, &none, r->m.db,
			       r->a->name ? r->a->name : name, &out, r->err);
	if (ret)
		return ret;
	printf("%s: %zu of %" PRIu64 " objects, %" PRIu64 " events, after %u "
	       "tests%s\n",
	       out.name, r->nr, r->m.trace.nr_objects, out.nr_events,
	       r->nr_tests,
	       stopped ? " (--max-tests; there may be fewer)"
		       : "; none of them can go");
	return zsr_cmd_flush(r->err);
}

static int run(struct reduce *r, const char *trace)
{
	struct zsr_err *err = r->err;
	int ret = options(r, err);

	if (!ret)
		ret = zsr_cmd_open_db(&r->m.db, "reduce", r->a->db,
				      zsr_cmd_trace_flags(trace), err);
	if (!ret)
		ret = zsr_cmd_trace(r->m.db, trace, &r->m.trace, err);
	if (!ret)
		ret = all_objects(r);
	if (ret)
		return ret;
	zsr_progress_start(&r->progress, "reduce", "tests", 0);
	ret = test(r);
	if (!ret)
		ret = zsr_err_input(err, "the query is not true of the whole "
					 "trace");
	else if (ret > 0)
		ret = reduce(r);
	zsr_progress_finish(&r->progress);
	return ret < 0 ? ret : store(r, ret);
}

static void args_free(struct args *a)
{
	char **p;

	for (p = a->params; p && *p; p++)
		free(*p);
	free(a->params);
	free(a->db);
	free(a->keep);
	free(a->policies);
	free(a->machine);
	free(a->name);
	free(a->max_tests);
	free(a->outer);
}

int zsr_cmd_reduce(int argc, const char **argv)
{
	struct args a = { 0 };
	const struct poptOption table[] = {
		{ "database", 'd', POPT_ARG_STRING, &a.db, 0,
		  "the database (default $ZSR_DB, else ./zsr.db)", "DB" },
		{ "keep", 'k', POPT_ARG_STRING, &a.keep, 0,
		  "what stays true: a query of the trace and its runs", "QUERY" },
		{ "policy", 'p', POPT_ARG_STRING, &a.policies, ZSR_OPTION_LIST,
		  "replay under these before the query", "P[,P...]" },
		{ "param", '\0', POPT_ARG_ARGV, &a.params, 0,
		  "set a policy's parameter; may be repeated",
		  "[POLICY.]NAME=VALUE" },
		{ "machine", 'm', POPT_ARG_STRING, &a.machine, 0,
		  "machine profile: a name or a file (rpi4b)", "PROFILE" },
		{ "outer-lock", '\0', POPT_ARG_STRING, &a.outer, 0,
		  "auto, device, cluster or none (auto)", "LOCK" },
		{ "name", 'n', POPT_ARG_STRING, &a.name, 0,
		  "what is left is called (default: TRACE-reduced)", "NAME" },
		{ "max-tests", '\0', POPT_ARG_STRING, &a.max_tests, 0,
		  "stop after so many (1000)", "N" },
		POPT_TABLEEND
	};
	struct zsr_err err = { 0 };
	struct reduce r = { .a = &a, .err = &err };
	struct zsr_options o;
	int ret;

	ret = zsr_options_parse(&o, argc, argv, table,
				"reduce TRACE --keep 'QUERY' [OPTION...]", &err);
	if (ret)
		return ret > 0 ? ZSR_EXIT_OK : zsr_cmd_fail("reduce", &err);
	ret = o.nr_rest == 1 ? run(&r, o.rest[0])
			     : zsr_err_usage(&err, "which TRACE? (one)");
	zsr_making_free(&r.m);
	free(r.keep);
	free(r.object);
	zsr_options_free(&o);
	args_free(&a);
	return ret ? zsr_cmd_fail("reduce", &err) : ZSR_EXIT_OK;
}
