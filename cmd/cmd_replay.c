// SPDX-License-Identifier: GPL-2.0-only
/* zsr replay: play a trace under free policies and store the runs. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/analyze.h"
#include "cmd/cmd.h"
#include "cmd/runs.h"
#include "cmd/tracing.h"
#include "replay/replay.h"

struct args {
	char *db, *policies, *machine, *seed, *cpus;
	char *arrival, *gaps, *outer;
	char **params;
	char **load, **offline, **compact_at;
	char *compact_every, *migrate_every, *memory, *swap;
	char *clock, *pin, *repeat, *warmup, *worker_nice;
	char *spinlock, *worker_cpus, *release, *sample, *numa;
	int oversubscribe;
	char *lttng;
	int json, interleave, tracepoints;
};

/* Ids of the runs that were stored, as arguments for zsr_cmd_runs(). */
struct stored {
	struct zsr_db *db;
	char (*id)[24];
	size_t nr, cap;
	struct zsr_tracing tracing;
	bool quiet;
};

static int on_begin(void *ctx, const struct zsr_run *run, struct zsr_err *err)
{
	struct stored *s = ctx;

	return zsr_tracing_begin(&s->tracing, run, err);
}

static const uint64_t *counter(const struct zsr_run *run, const char *name)
{
	size_t i;

	for (i = 0; i < run->nr_counters; i++)
		if (!strcmp(run->counters[i].name, name))
			return &run->counters[i].value;
	return NULL;
}

static void print_resident(const struct zsr_run *run)
{
	const uint64_t *peak = counter(run, "host.resident_peak_kib");
	const uint64_t *end = counter(run, "host.resident_end_kib");
	char a[ZSR_FMT_LEN], b[ZSR_FMT_LEN];

	if (peak && end)
		printf("     resident %s at most, %s when all was idle\n",
		       zsr_fmt_size(a, *peak << 10),
		       zsr_fmt_size(b, *end << 10));
}

/* More of somebody else's load than of the policy. */
static void print_displaced(const struct zsr_run *run)
{
	const uint64_t *frees = counter(run, "host.displaced_frees");
	const uint64_t *ns = counter(run, "host.displaced_ns");
	char a[ZSR_FMT_LEN], b[ZSR_FMT_LEN], c[ZSR_FMT_LEN];

	if (frees && ns && *ns >= run->v.caller_sum_ns / 100 && *ns)
		printf("     disturbed: %s free%s lost the CPU to the system, "
		       "%s of %s caller time\n",
		       zsr_fmt_count(a, *frees), *frees == 1 ? "" : "s",
		       zsr_fmt_ns(b, *ns), zsr_fmt_ns(c, run->v.caller_sum_ns));
}

static int on_run(void *ctx, struct zsr_run *run, struct zsr_err *err)
{
	char caller[ZSR_FMT_LEN], back[ZSR_FMT_LEN];
	char failed[ZSR_FMT_LEN], stores[ZSR_FMT_LEN];
	struct stored *s = ctx;
	int ret = zsr_run_store(s->db, run, err);

	if (ret)
		return ret;
	if (zsr_grow(&s->id, &s->cap, s->nr + 1, sizeof(*s->id)))
		return zsr_err_nomem(err, "runs");
	snprintf(s->id[s->nr++], sizeof(*s->id), "#%" PRId64, run->id);
	if (s->quiet)
		return zsr_tracing_end(&s->tracing, s->db, run, err);
	printf("#%-4" PRId64 "%-14s caller %-9s all pages back %-9s %.12s\n",
	       run->id, run->policy, zsr_fmt_ns(caller, run->v.caller_mean_ns),
	       !run->v.pages_total ? "-"
	       : run->v.at_100_ns == UINT64_MAX
		       ? "never"
		       : zsr_fmt_ns(back, run->v.at_100_ns),
	       run->digest);
	print_resident(run);
	print_displaced(run);
	if (run->v.malloc_failed)
		printf("     %s of %s stores found no memory, so their objects "
		       "are missing\n",
		       zsr_fmt_count(failed, run->v.malloc_failed),
		       zsr_fmt_count(stores, run->v.mallocs));
	ret = zsr_tracing_end(&s->tracing, s->db, run, err);
	return ret ? ret : zsr_cmd_flush(err);
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

static const char *clock_name(unsigned clock)
{
	static const char *const names[] = { "virtual", "host" };

	return clock < ZSR_ARRAY_SIZE(names) ? names[clock] : NULL;
}

/* What is only for the host's clock. */
static int host_options(const struct args *a, struct zsr_replay_opts *o,
			struct zsr_err *err)
{
	uint64_t repeat = 1, warmup = 0, nice = 0;
	unsigned clock, pin;

	if (choice(a->clock, "--clock", clock_name, &clock, err) ||
	    choice(a->pin, "--pin", zsr_pin_name, &pin, err) ||
	    (a->repeat &&
	     zsr_parse_u64(a->repeat, "--repeat", 1, 1000, &repeat, err)) ||
	    (a->warmup &&
	     zsr_parse_u64(a->warmup, "--warmup", 0, 1000, &warmup, err)) ||
	    (a->worker_nice &&
	     zsr_parse_u64(a->worker_nice, "--worker-nice", 0, 19, &nice, err)))
		return -EINVAL;
	o->host = clock;
	o->pin = pin;
	o->repeat = (unsigned)repeat;
	o->warmup = (unsigned)warmup;
	o->worker_nice = (int)nice;
	o->interleave = a->interleave;
	o->host_args = (struct zsr_host_args){
		.spinlock = a->spinlock,
		.worker_cpus = a->worker_cpus,
		.release = a->release,
		.sample = a->sample,
		.numa = a->numa,
		.oversubscribe = a->oversubscribe,
	};
	if (o->host && !a->arrival)
		o->arrival = ZSR_ARRIVAL_ASAP;
	if (o->host && (a->machine || a->seed || a->gaps))
		return zsr_err_usage(err,
				     "--machine, --seed and --gaps are for "
				     "the virtual clock");
	if (!o->host && (a->lttng || a->tracepoints))
		return zsr_err_usage(err, "--lttng and --tracepoints want "
					  "--clock host");
	if (!o->host && (a->pin || a->repeat || a->warmup || a->worker_nice ||
			 a->interleave || a->spinlock || a->worker_cpus ||
			 a->release || a->sample || a->numa || a->oversubscribe))
		return zsr_err_usage(
			err, "--pin, --repeat, --interleave, --warmup, "
			     "--worker-nice, --worker-cpus, --spinlock, "
			     "--release, --sample, --numa and "
			     "--oversubscribe want --clock host");
	return 0;
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
		.migrate_every = a->migrate_every,
		.memory = a->memory,
		.swap = a->swap,
	};
	return host_options(a, o, err);
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
	ret = zsr_cmd_runs("replay", db_path, ids, (int)s->nr, &opts, &analysis,
			   err);
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

	s.tracing.quiet = a->json;
	ret = options(a, &opts, err);
	/* Before there is anything that a process beside us must not have. */
	if (!ret && (a->lttng || a->tracepoints)) {
		ret = zsr_tracing_open(&s.tracing, a->lttng, err);
		opts.begins = on_begin;
		if (!ret)
			opts.probes = zsr_lttng_probes(s.tracing.lttng);
	}
	if (!ret)
		ret = zsr_cmd_open_db(&s.db, "replay", a->db,
				      zsr_cmd_trace_flags(trace_arg), err);
	if (!ret)
		ret = zsr_cmd_trace(s.db, trace_arg, &trace, err);
	if (!ret)
		ret = zsr_replay(s.db, &trace, &opts, on_run, &s, err);
	zsr_tracing_close(&s.tracing);
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
	free(a->migrate_every);
	free(a->memory);
	free(a->swap);
	free(a->clock);
	free(a->pin);
	free(a->repeat);
	free(a->warmup);
	free(a->worker_nice);
	free(a->spinlock);
	free(a->worker_cpus);
	free(a->release);
	free(a->sample);
	free(a->numa);
	free(a->lttng);
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
		{ "migrate-every", '\0', POPT_ARG_STRING, &a.migrate_every, 0,
		  "migrate pages of the pools again and again", "TIME" },
		{ "clock", '\0', POPT_ARG_STRING, &a.clock, 0,
		  "virtual, or host: on threads of this machine (virtual)",
		  "CLOCK" },
		{ "pin", '\0', POPT_ARG_STRING, &a.pin, 0,
		  "host: where tasks run, none, spread or recorded (none)",
		  "WHERE" },
		{ "repeat", '\0', POPT_ARG_STRING, &a.repeat, 0,
		  "host: runs of each policy (1)", "N" },
		{ "interleave", '\0', POPT_ARG_NONE, &a.interleave, 0,
		  "host: repeat the list of policies, not each policy", NULL },
		{ "warmup", '\0', POPT_ARG_STRING, &a.warmup, 0,
		  "host: runs of each policy before, not kept (0)", "N" },
		{ "spinlock", '\0', POPT_ARG_STRING, &a.spinlock, 0,
		  "host: ticket or queued (ticket)", "KIND" },
		{ "worker-cpus", '\0', POPT_ARG_STRING, &a.worker_cpus, 0,
		  "host: where unbound workers run, as in 0-2,5 (anywhere)",
		  "CPUS" },
		{ "release", '\0', POPT_ARG_STRING, &a.release, 0,
		  "host: keep freed pages, or madvise them back to the system "
		  "(keep)",
		  "HOW" },
		{ "sample", '\0', POPT_ARG_STRING, &a.sample, 0,
		  "host: look at resident memory so often (never; 1ms with "
		  "--release madvise)",
		  "TIME" },
		{ "numa", '\0', POPT_ARG_STRING, &a.numa, 0,
		  "host: memory of this node only", "NODE" },
		{ "oversubscribe", '\0', POPT_ARG_NONE, &a.oversubscribe, 0,
		  "host: allow more --cpus than the process may use", NULL },
		{ "worker-nice", '\0', POPT_ARG_STRING, &a.worker_nice, 0,
		  "host: nice value of workers (0)", "N" },
		{ "lttng", '\0', POPT_ARG_STRING, &a.lttng, 0,
		  "host: each run records itself by LTTng-UST into a directory "
		  "below DIR, which is imported",
		  "DIR" },
		{ "tracepoints", '\0', POPT_ARG_NONE, &a.tracepoints, 0,
		  "host: load the LTTng-UST tracepoints, for a session of "
		  "one's own",
		  NULL },
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
