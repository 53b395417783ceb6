// SPDX-License-Identifier: GPL-2.0-only
/* zsr verify: whether packs are what they say, and say no more than they may. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/packs.h"

struct args {
	int private, replay;
};

struct verify {
	const char *path;
	struct zsr_scratch scratch;
	struct zsr_trace trace;
	unsigned nr_leaks;
	unsigned nr_runs, nr_differ, nr_skipped;
	struct zsr_err *err;
};

/* ---- leaks ---------------------------------------------------------------- */

static int on_leak(void *ctx, const char *leak)
{
	struct verify *v = ctx;

	v->nr_leaks++;
	printf("%s: ", v->path);
	zsr_print_line(stdout, leak);
	return 0;
}

static int on_row(void *ctx, int ncol, const char *const *names,
		  const char *const *values, const enum zsr_sql_type *types)
{
	struct verify *v = ctx;

	if (values && values[0] && strcmp(values[0], "0"))
		on_leak(v, "events: numbers as large as addresses or times of "
			   "day");
	return 0;
}

/* What a number of an event could hide. */
static int look_at_events(struct verify *v)
{
	return zsr_db_sql(v->scratch.db,
			  "SELECT count(*) FROM zsr_event WHERE "
			  "aux > 1 << 46 OR slot > 1 << 46 OR "
			  "t_ns > 1000000000000000",
			  on_row, v, v->err);
}

/* ---- results --------------------------------------------------------------- */

static int again(void *ctx, const struct zsr_run *run, struct zsr_err *err)
{
	struct verify *v = ctx;
	enum zsr_kept kept;
	char why[512];
	int ret = zsr_cmd_promise(v->scratch.db, &v->trace, run, &kept, why,
				  sizeof(why), NULL, NULL, err);

	if (ret)
		return ret;
	v->nr_runs++;
	v->nr_differ += kept == ZSR_BROKEN;
	v->nr_skipped += kept == ZSR_PASSED_OVER;
	if (kept != ZSR_KEPT)
		printf("%s: %s: %s\n", v->path, run->policy, why);
	return 0;
}

/* ---- a pack ------------------------------------------------------------------ */

static int look(const struct args *a, struct zsr_pack *p, struct verify *v)
{
	int ret = zsr_pack_import(p, v->scratch.db, NULL, false, &v->trace,
				  v->err);

	if (!ret && a->private)
		ret = zsr_pack_leaks(p, on_leak, v, v->err);
	if (!ret && a->private)
		ret = look_at_events(v);
	if (!ret && a->replay)
		ret = zsr_results_read(zsr_pack_results(p), again, v, v->err);
	return ret;
}

static void print_found(const struct args *a, const struct verify *v)
{
	printf("%s: %s, %" PRIu64 " events, digest %.12s", v->path,
	       v->nr_leaks || v->nr_differ ? "intact" : "fine",
	       v->trace.nr_events, v->trace.digest);
	if (a->private)
		printf(", %u leak%s", v->nr_leaks, v->nr_leaks == 1 ? "" : "s");
	if (a->replay)
		printf(", %u of %u runs give the same",
		       v->nr_runs - v->nr_differ - v->nr_skipped, v->nr_runs);
	putchar('\n');
}

/* 0 fine, 1 not. */
static int verify(const struct args *a, const char *path, struct zsr_err *err)
{
	struct verify v = { .path = path, .err = err };
	struct zsr_pack *p = NULL;
	int ret = zsr_cmd_pack_open(path, &p, err);

	if (!ret)
		return zsr_cmd_no_pack(path, err);
	if (ret > 0)
		ret = zsr_scratch_open(&v.scratch, err);
	if (!ret)
		ret = look(a, p, &v);
	zsr_scratch_close(&v.scratch);
	zsr_pack_close(p);
	if (ret && err->kind == ZSR_ERR_INPUT) {
		zsr_print_line(stdout, err->msg);
		return 1;
	}
	if (!ret)
		print_found(a, &v);
	return ret ? ret : v.nr_leaks || v.nr_differ;
}

int zsr_cmd_verify(int argc, const char **argv)
{
	struct args a = { 0 };
	const struct poptOption table[] = {
		{ "private", 0, POPT_ARG_NONE, &a.private, 0,
		  "look for names, addresses, PIDs, days and times", NULL },
		{ "replay", 0, POPT_ARG_NONE, &a.replay, 0,
		  "make its runs again and compare their digests", NULL },
		POPT_TABLEEND
	};
	struct zsr_err err = { 0 };
	struct zsr_options o;
	int i, ret, bad = 0;

	ret = zsr_options_parse(&o, argc, argv, table,
				"verify PACK... [OPTION...]", &err);
	if (ret)
		return ret > 0 ? ZSR_EXIT_OK : zsr_cmd_fail("verify", &err);
	if (!o.nr_rest)
		ret = zsr_err_usage(&err, "which PACK?");
	for (i = 0; i < o.nr_rest && ret >= 0; i++) {
		err = (struct zsr_err){ 0 };
		ret = verify(&a, o.rest[i], &err);
		bad |= ret > 0;
	}
	if (ret >= 0)
		ret = zsr_cmd_flush(&err);
	zsr_options_free(&o);
	return ret   ? zsr_cmd_fail("verify", &err)
	       : bad ? ZSR_EXIT_NEGATIVE
		     : ZSR_EXIT_OK;
}
