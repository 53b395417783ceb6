// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/capture.h"
#include "cmd/durations.h"
#include "cmd/tracing.h"

int zsr_tracing_open(struct zsr_tracing *t, const char *dir, struct zsr_err *err)
{
	if (!dir)
		return zsr_lttng_load(&t->lttng, err);
	if (mkdir(dir, 0777) && errno != EEXIST)
		return zsr_err_sys(err, errno, "--lttng %s", dir);
	/* A daemon is told, and it has a directory of its own. */
	t->dir = realpath(dir, NULL);
	if (!t->dir)
		return zsr_err_sys(err, errno, "--lttng %s", dir);
	return zsr_lttng_open(&t->lttng, err);
}

void zsr_tracing_close(struct zsr_tracing *t)
{
	zsr_lttng_close(t->lttng);
	free(t->dir);
	free(t->path);
	*t = (struct zsr_tracing){ 0 };
}

/* DIR/POLICY for the first run of a policy, -2 and so on for others. */
static int make_dir(struct zsr_tracing *t, const struct zsr_run *run,
		    struct zsr_err *err)
{
	int n, ret;

	free(t->path);
	n = run->seed > 1 ? asprintf(&t->path, "%s/%s-%" PRIu64, t->dir,
				     run->policy, run->seed)
			  : asprintf(&t->path, "%s/%s", t->dir, run->policy);
	if (n < 0) {
		t->path = NULL;
		return zsr_err_nomem(err, "name of a directory");
	}
	ret = mkdir(t->path, 0777);
	return ret ? zsr_err_sys(err, errno, "%s", t->path) : 0;
}

int zsr_tracing_begin(struct zsr_tracing *t, const struct zsr_run *run,
		      struct zsr_err *err)
{
	int ret;

	if (!t->dir)
		return 0;
	ret = make_dir(t, run, err);
	return ret ? ret : zsr_lttng_start(t->lttng, t->path, err);
}

/* ---- what was recorded --------------------------------------------------------- */

static int import(struct zsr_db *db, const char *path, const struct zsr_run *run,
		  struct zsr_imported *found, struct zsr_err *err)
{
	const struct zsr_decode_opts decode = { 0 };
	struct zsr_import_opts opts = { 0 };
	struct zsr_decoder *d;
	char *name;
	int ret;

	if (asprintf(&name, "%.150s-%s-lttng", run->trace_name, run->policy) < 0)
		return zsr_err_nomem(err, "name of a trace");
	opts.name = name;
	ret = zsr_cmd_decode_start(path, &decode, &d, err);
	if (!ret)
		ret = zsr_cmd_import_file(db, path, d, &opts, false, found, err);
	free(name);
	return ret;
}

/* By the run's own clock; and by the trace, less what an event takes. */
static void print_frees(const struct zsr_hist *run,
			const struct zsr_durations *trace)
{
	const struct zsr_quantiles *raw = &trace->of[ZSR_DUR_FREE].raw;
	const struct zsr_quantiles *net = &trace->of[ZSR_DUR_FREE].net;

	printf("     frees     %" PRIu64 " by the run, p50 %" PRIu64
	       " p90 %" PRIu64 " p99 %" PRIu64 " ns\n",
	       run->count, zsr_hist_quantile(run, 1, 2),
	       zsr_hist_quantile(run, 9, 10), zsr_hist_quantile(run, 99, 100));
	printf("               %" PRIu64 " by the trace, p50 %" PRIu64
	       " p90 %" PRIu64 " p99 %" PRIu64 " ns\n",
	       trace->of[ZSR_DUR_FREE].calls, raw->p50, raw->p90, raw->p99);
	printf("               less %" PRIu64 " ns of an event, p50 %" PRIu64
	       " p90 %" PRIu64 " p99 %" PRIu64 " ns\n",
	       trace->cost.median_ns, net->p50, net->p90, net->p99);
}

static void print_recorded(const struct zsr_tracing *t,
			   const struct zsr_imported *found, uint64_t discarded)
{
	char count[ZSR_FMT_LEN];

	printf("     recorded  %s\n     imported  '%s', %s records\n", t->path,
	       found->trace.name, zsr_fmt_count(count, found->odd.records));
	discarded = zsr_max(discarded, found->odd.lost);
	if (discarded || found->odd.lost_unknown)
		printf("     discarded %s events: the trace is not whole\n",
		       zsr_fmt_count(count, discarded));
}

int zsr_tracing_end(struct zsr_tracing *t, struct zsr_db *db,
		    const struct zsr_run *run, struct zsr_err *err)
{
	struct zsr_durations durations;
	struct zsr_imported found;
	uint64_t discarded;
	int ret;

	if (!t->dir)
		return 0;
	ret = zsr_lttng_stop(t->lttng, &discarded, err);
	if (!ret)
		ret = import(db, t->path, run, &found, err);
	if (!ret)
		ret = zsr_durations_of(db, &found.trace, &durations, err);
	if (ret || t->quiet)
		return ret;
	print_recorded(t, &found, discarded);
	print_frees(run->hist[ZSR_HIST_release], &durations);
	return 0;
}
