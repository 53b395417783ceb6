// SPDX-License-Identifier: GPL-2.0-only
/* Which runs a command line means, loaded and analysed. */
#include <stdlib.h>
#include <string.h>

#include "cmd/packs.h"
#include "cmd/runs.h"

struct ids {
	int64_t *id;
	size_t nr;
	size_t cap;
};

struct loaded {
	struct zsr_run *run;
	const struct zsr_run **runs;
	struct zsr_trace *trace; /* one a run */
	const struct zsr_trace **traces;
	size_t nr;
};

/* Each run once, in the order of its first mention. */
static int add_id(struct ids *ids, int64_t id, struct zsr_err *err)
{
	size_t i;

	for (i = 0; i < ids->nr; i++)
		if (ids->id[i] == id)
			return 0;
	if (zsr_grow(&ids->id, &ids->cap, ids->nr + 1, sizeof(*ids->id)))
		return zsr_err_nomem(err, "runs");
	ids->id[ids->nr++] = id;
	return 0;
}

static int add_trace(struct zsr_db *db, int64_t trace, struct ids *ids,
		     struct zsr_err *err)
{
	int64_t *found = NULL;
	size_t nr = 0, i;
	int ret = zsr_run_ids(db, trace, &found, &nr, err);

	for (i = 0; i < nr && !ret; i++)
		ret = add_id(ids, found[i], err);
	free(found);
	return ret;
}

int zsr_cmd_run_id(const char *arg, int64_t *id, struct zsr_err *err)
{
	const char *n = arg + (*arg == '#');
	uint64_t v;
	int ret;

	if (!*n || n[strspn(n, "0123456789")])
		return 0;
	/* Base 10 whatever its first digit. */
	n += strspn(n, "0");
	ret = zsr_parse_u64(*n ? n : "0", "run", 1, INT64_MAX, &v, err);
	*id = (int64_t)v;
	return ret ? ret : 1;
}

/* ---- runs of packs ---------------------------------------------------- */

struct promised {
	struct zsr_db *db;
	const char *path;
	const struct zsr_trace *trace;
	unsigned nr;
};

static int store(void *ctx, struct zsr_run *run, struct zsr_err *err)
{
	return zsr_run_store(ctx, run, err);
}

/* Whether the run is in the database: 1, 0. */
static int is_stored(const struct promised *p, const struct zsr_run *promised,
		     struct zsr_err *err)
{
	struct zsr_run run = { 0 };
	int64_t *ids = NULL;
	size_t nr = 0, i;
	int ret = zsr_run_ids(p->db, p->trace->id, &ids, &nr, err);

	if (ret && err->kind == ZSR_ERR_INPUT) {
		*err = (struct zsr_err){ 0 };
		ret = 0;
	}
	for (i = 0; i < nr && !ret; i++) {
		ret = zsr_run_load(p->db, ids[i], &run, err);
		if (!ret)
			ret = zsr_cmd_is_promised(promised, &run);
		zsr_run_free(&run);
	}
	free(ids);
	return ret;
}

static int make(void *ctx, const struct zsr_run *run, struct zsr_err *err)
{
	struct promised *p = ctx;
	enum zsr_kept kept = ZSR_KEPT;
	char why[512];
	int ret = is_stored(p, run, err);

	if (!ret)
		ret = zsr_cmd_promise(p->db, p->trace, run, &kept, why,
				      sizeof(why), store, p->db, err);
	if (ret < 0)
		return ret;
	if (kept == ZSR_BROKEN)
		return zsr_err_input(err, "%s: %s", run->policy, why);
	if (kept == ZSR_PASSED_OVER)
		fprintf(stderr, "%s: %s: %s\n", p->path, run->policy, why);
	p->nr++;
	return 0;
}

/* A capture becomes a trace; with a pack come the runs it promises. */
static int import(struct zsr_db *db, const char *path, struct zsr_trace *t,
		  const char **lack, struct zsr_err *err)
{
	struct promised p = { .db = db, .path = path, .trace = t };
	struct zsr_pack *pack;
	int ret = zsr_cmd_pack_open(path, &pack, err);

	if (ret >= 0)
		ret = zsr_cmd_trace(db, path, t, err);
	if (!ret && pack) {
		ret = zsr_results_read(zsr_pack_results(pack), make, &p, err);
		*lack = p.nr ? "none of the pack's runs can be made again here"
			     : "the pack holds no runs";
		if (ret)
			zsr_err_wrap(err, ret, "%s", path);
	}
	zsr_pack_close(pack);
	return ret;
}

/* A trace by its name or path. */
static int add_arg(struct zsr_db *db, const char *arg, struct ids *ids,
		   struct zsr_err *err)
{
	const char *lack = "it was not replayed";
	struct zsr_trace t;
	int ret = zsr_trace_find(db, arg, &t, err);

	if (ret && zsr_cmd_trace_flags(arg)) {
		*err = (struct zsr_err){ 0 };
		ret = import(db, arg, &t, &lack, err);
	}
	if (ret)
		return ret;
	ret = add_trace(db, t.id, ids, err);
	if (ret && err->kind == ZSR_ERR_INPUT)
		zsr_err_wrap(err, ret,
			     "%s: %s; `zsr replay %s --policy sync,deferred` "
			     "makes runs",
			     arg, lack, strcmp(arg, "-") ? arg : t.name);
	return ret;
}

/* ---- arguments ------------------------------------------------------------ */

static int find_ids(struct zsr_db *db, const char *const *args, int nr_args,
		    struct ids *ids, bool *by_number, struct zsr_err *err)
{
	int i, ret = 0;

	*by_number = nr_args > 0;
	if (!nr_args)
		return add_trace(db, 0, ids, err);
	for (i = 0; i < nr_args && !ret; i++) {
		int64_t id;

		ret = zsr_cmd_run_id(args[i], &id, err);
		if (ret) {
			ret = ret == 1 ? add_id(ids, id, err) : ret;
			continue;
		}
		*by_number = false;
		ret = add_arg(db, args[i], ids, err);
	}
	return ret;
}

static void loaded_free(struct loaded *l)
{
	size_t i;

	for (i = 0; i < l->nr; i++)
		zsr_run_free(&l->run[i]);
	free(l->run);
	free(l->runs);
	free(l->trace);
	free(l->traces);
}

/* 1 when the run's trace is still what it was, 0 when it is gone or another
 * one has its name: its runs still count. */
static int find_trace(struct zsr_db *db, const struct zsr_run *run,
		      struct zsr_trace *t, struct zsr_err *err)
{
	struct zsr_err why = { 0 };

	if (!zsr_trace_find(db, run->trace_name, t, &why))
		return !strcmp(t->digest, run->trace_digest);
	if (why.kind != ZSR_ERR_SYSTEM)
		return 0;
	*err = why;
	return -EIO;
}

static int load(struct zsr_db *db, const struct ids *ids, struct loaded *l,
		struct zsr_err *err)
{
	size_t i;

	l->run = calloc(ids->nr + 1, sizeof(*l->run));
	l->runs = calloc(ids->nr + 1, sizeof(*l->runs));
	l->trace = calloc(ids->nr + 1, sizeof(*l->trace));
	l->traces = calloc(ids->nr + 1, sizeof(*l->traces));
	if (!l->run || !l->runs || !l->trace || !l->traces)
		return zsr_err_nomem(err, "runs");
	for (i = 0; i < ids->nr; i++) {
		int ret = zsr_run_load(db, ids->id[i], &l->run[i], err);

		if (ret)
			return ret;
		l->nr++;
		l->runs[i] = &l->run[i];
		ret = find_trace(db, &l->run[i], &l->trace[i], err);
		if (ret < 0)
			return ret;
		l->traces[i] = ret ? &l->trace[i] : NULL;
	}
	return 0;
}

/* Nothing is written but what has to be imported. */
static unsigned db_flags(const char *const *args, int nr_args)
{
	struct zsr_err ignored = { 0 };
	unsigned flags = 0;
	int64_t id;
	int i;

	for (i = 0; i < nr_args; i++)
		if (!zsr_cmd_run_id(args[i], &id, &ignored))
			flags |= zsr_cmd_trace_flags(args[i]);
	return flags ?: ZSR_DB_READONLY;
}

int zsr_cmd_with_runs(const char *name, const char *db_path,
		      const char *const *args, int nr_args, bool *by_number,
		      int (*fn)(void *ctx, const struct zsr_run *const *run,
				const struct zsr_trace *const *trace, size_t nr,
				struct zsr_db *db, struct zsr_err *err),
		      void *ctx, struct zsr_err *err)
{
	struct loaded l = { 0 };
	struct zsr_db *db = NULL;
	struct ids ids = { 0 };
	bool numbers = false;
	int ret;

	ret = zsr_cmd_open_db(&db, name, db_path, db_flags(args, nr_args), err);
	if (!ret)
		ret = find_ids(db, args, nr_args, &ids, &numbers, err);
	if (!ret)
		ret = load(db, &ids, &l, err);
	if (by_number)
		*by_number = numbers;
	if (!ret)
		ret = fn(ctx, l.runs, l.traces, l.nr, db, err);
	loaded_free(&l);
	free(ids.id);
	zsr_db_close(db);
	return ret;
}

struct analysing {
	struct zsr_analyze_opts *opts;
	struct zsr_analysis *a;
	bool by_number;
};

static int analyse(void *ctx, const struct zsr_run *const *run,
		   const struct zsr_trace *const *trace, size_t nr,
		   struct zsr_db *db, struct zsr_err *err)
{
	struct analysing *n = ctx;

	n->opts->drop_repeats = !n->by_number;
	n->opts->db = db;
	return zsr_analyze(run, trace, nr, n->opts, n->a, err);
}

int zsr_cmd_runs(const char *name, const char *db_path, const char *const *args,
		 int nr_args, struct zsr_analyze_opts *opts,
		 struct zsr_analysis *a, struct zsr_err *err)
{
	struct analysing n = { .opts = opts, .a = a };

	return zsr_cmd_with_runs(name, db_path, args, nr_args, &n.by_number,
				 analyse, &n, err);
}
