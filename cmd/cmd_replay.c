// SPDX-License-Identifier: GPL-2.0-only
/* zsr replay: play a trace under free policies and store the runs. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/analyze.h"
#include "cmd/cmd.h"
#include "cmd/runs.h"
#include "replay/replay.h"

struct args {
	char *db, *policies, *machine, *seed, *cpus;
	char *arrival, *gaps, *outer;
	char **params;
	char **load, **offline, **compact_at;
	char *compact_every, *memory, *swap;
	int json;
};

/* Ids of the runs that were stored, as arguments for zsr_cmd_runs(). */
struct stored {
	struct zsr_db *db;
	char (*id)[24];
	size_t nr, cap;
	bool quiet;
};

static int on_run(void *ctx, struct zsr_run *run, struct zsr_err *err)
{
	char caller[ZSR_FMT_LEN], back[ZSR_FMT_LEN];
	struct stored *s = ctx;
	int ret = zsr_run_store(s->db, run, err);

	if (ret)
		return ret;
	if (zsr_grow(&s->id, &s->cap, s->nr + 1, sizeof(*s->id)))
		return zsr_err_nomem(err, "runs");
	snprintf(s->id[s->nr++], sizeof(*s->id), "#%" PRId64, run->id);
	if (s->quiet)
		return 0;
	printf("#%-4" PRId64 "%-14s caller %-9s all pages back %-9s %.12s\n",
	       run->id, run->policy, zsr_fmt_ns(caller, run->v.caller_mean_ns),
	       !run->v.pages_total ? "-"
	       : run->v.at_100_ns == UINT64_MAX
		       ? "never"
		       : zsr_fmt_ns(back, run->v.at_100_ns),
	       run->digest);
	return zsr_cmd_flush(err);
}

/* The index of TEXT among the names name(0), name(1), ... */
static int choice(const char *text, const char *option,
		  const char *(*name)(unsigned), unsigned *out,
		  struct zsr_err *err)
{
	char all[128] = "";
	unsigned i;
	size_t n = 0;

	for (i = 0; name(i); i++) {
		if (!text || !strcmp(text, name(i))) {
			*out = i;
			return 0;
		}
		n += (size_t)snprintf(all + n, sizeof(all) - n, "%s%s",
				      i ? ", " : "", name(i));
	}
	return zsr_err_usage(err, "%s %s: expected one of %s", option, text,
			     all);
}

static int options(const struct args *a, struct zsr_replay_opts *o,
		   struct zsr_err *err)
{
	unsigned arrival, gaps, outer;
	uint64_t cpus = 0;

	if (!a->policies)
		return zsr_err_usage(err, "--policy is missing; "
					  "`zsr policies` lists them");
	*o = (struct zsr_replay_opts){ .policies = a->policies,
				       .machine = a->machine,
				       .params = (const char *const *)a->params,
				       .seed = 1 };
	if ((a->seed &&
	     zsr_parse_u64(a->seed, "--seed", 0, UINT64_MAX, &o->seed, err)) ||
	    (a->cpus && zsr_parse_u64(a->cpus, "--cpus", 1, 64, &cpus, err)) ||
	    choice(a->arrival, "--arrival", zsr_arrival_name, &arrival, err) ||
	    choice(a->gaps, "--gaps", zsr_gaps_name, &gaps, err) ||
	    choice(a->outer, "--outer-lock", zsr_outer_lock_name, &outer, err))
		return -EINVAL;
	o->cpus = (unsigned)cpus;
	o->arrival = arrival;
	o->gaps = gaps;
	o->outer = outer;
	o->conditions = (struct zsr_condition_args){
		.load = (const char *const *)a->load,
		.offline = (const char *const *)a->offline,
		.compact_at = (const char *const *)a->compact_at,
		.compact_every = a->compact_every,
		.memory = a->memory,
		.swap = a->swap,
	};
	return 0;
}

static int print_json(const char *db_path, const struct stored *s,
		      struct zsr_err *err)
{
	const char **ids = calloc(s->nr + 1, sizeof(*ids));
	struct zsr_analyze_opts opts = { 0 };
	struct zsr_analysis analysis = { 0 };
	char *text = NULL;
	size_t i;
	int ret;

	if (!ids)
		return zsr_err_nomem(err, "runs");
	for (i = 0; i < s->nr; i++)
		ids[i] = s->id[i];
	ret = zsr_cmd_runs(db_path, ids, (int)s->nr, &opts, &analysis, err);
	if (!ret)
		ret = zsr_analysis_json(&analysis, &text, err);
	if (!ret)
		puts(text);
	zsr_analysis_free(&analysis);
	free(text);
	free(ids);
	return ret;
}

static int replay(const struct args *a, const char *trace_arg,
		  struct zsr_err *err)
{
	const char *path = zsr_db_path(a->db);
	struct stored s = { .quiet = a->json };
	struct zsr_replay_opts opts;
	struct zsr_trace trace;
	int ret;

	ret = options(a, &opts, err);
	if (!ret)
		ret = zsr_cmd_open_db(&s.db, "replay", a->db,
				      zsr_cmd_trace_flags(trace_arg), err);
	if (!ret)
		ret = zsr_cmd_trace(s.db, trace_arg, &trace, err);
	if (!ret)
		ret = zsr_replay(s.db, &trace, &opts, on_run, &s, err);
	zsr_db_close(s.db);
	if (!ret && a->json)
		ret = print_json(path, &s, err);
	free(s.id);
	return ret ? ret : zsr_cmd_flush(err);
}

static void list_free(char **list)
{
	char **p;

	for (p = list; p && *p; p++)
		free(*p);
	free(list);
}

static void args_free(struct args *a)
{
	list_free(a->params);
	list_free(a->load);
	list_free(a->offline);
	list_free(a->compact_at);
	free(a->compact_every);
	free(a->memory);
	free(a->swap);
	free(a->db);
	free(a->policies);
	free(a->machine);
	free(a->seed);
	free(a->cpus);
	free(a->arrival);
	free(a->gaps);
	free(a->outer);
}

int zsr_cmd_replay(int argc, const char **argv)
{
	struct args a = { 0 };
	const struct poptOption table[] = {
		{ "policy", 'p', POPT_ARG_STRING, &a.policies, ZSR_OPTION_LIST,
		  "free policies to replay, see `zsr policies`", "P[,P...]" },
		{ "machine", 'm', POPT_ARG_STRING, &a.machine, 0,
		  "machine profile: a name or a file (rpi4b)", "PROFILE" },
		{ "cpus", '\0', POPT_ARG_STRING, &a.cpus, 0,
		  "virtual CPUs (the profile's)", "N" },
		{ "seed", '\0', POPT_ARG_STRING, &a.seed, 0,
		  "seed of the machine's scatter (1)", "N" },
		{ "param", '\0', POPT_ARG_ARGV, &a.params, 0,
		  "set a policy's parameter; may be repeated",
		  "[POLICY.]NAME=VALUE" },
		{ "arrival", '\0', POPT_ARG_STRING, &a.arrival, 0,
		  "closed, recorded or asap (closed)", "MODE" },
		{ "gaps", '\0', POPT_ARG_STRING, &a.gaps, 0,
		  "auto, recorded or profile (auto)", "FROM" },
		{ "outer-lock", '\0', POPT_ARG_STRING, &a.outer, 0,
		  "auto, device, cluster or none (auto)", "LOCK" },
		{ "load", '\0', POPT_ARG_ARGV, &a.load, 0,
		  "load beside it: cpu=N, rt=N[:PERMILLE], mem=RATE:TOTAL, "
		  "sched=DIST, worker=DIST; may be repeated",
		  "KIND=VALUE" },
		{ "memory", '\0', POPT_ARG_STRING, &a.memory, 0,
		  "memory of the machine (the profile's)", "SIZE" },
		{ "swap", '\0', POPT_ARG_STRING, &a.swap, 0,
		  "size of the swap device (as much as memory)", "SIZE" },
		{ "offline", '\0', POPT_ARG_ARGV, &a.offline, 0,
		  "take a CPU away, TIME after the first release; may be "
		  "repeated",
		  "CPU@TIME" },
		{ "compact-at", '\0', POPT_ARG_ARGV, &a.compact_at, 0,
		  "compact the pools then; may be repeated", "TIME" },
		{ "compact-every", '\0', POPT_ARG_STRING, &a.compact_every, 0,
		  "compact the pools again and again", "TIME" },
		{ "json", '\0', POPT_ARG_NONE, &a.json, 0,
		  "print the runs as JSON", NULL },
		{ "database", 'd', POPT_ARG_STRING, &a.db, 0,
		  "database (default: $ZSR_DB, else zsr.db)", "DB" },
		POPT_TABLEEND
	};
	struct zsr_options o = { 0 };
	struct zsr_err err = { 0 };
	int ret;

	ret = zsr_options_parse(&o, argc, argv, table,
				"replay TRACE --policy P[,P...] [OPTION...]",
				&err);
	if (ret > 0) {
		ret = 0;
		goto out;
	}
	if (!ret && o.nr_rest != 1)
		ret = zsr_err_usage(&err, "expected one TRACE");
	if (!ret)
		ret = replay(&a, o.rest[0], &err);
out:
	zsr_options_free(&o);
	args_free(&a);
	return ret ? zsr_cmd_fail("replay", &err) : ZSR_EXIT_OK;
}
