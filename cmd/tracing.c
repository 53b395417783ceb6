// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/capture.h"
#include "cmd/cmd.h"
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
	return ret ? ret : zsr_lttng_start(t->lttng, t->path, &t->cost, err);
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

/* How long its frees took. */
static int durations(struct zsr_db *db, int64_t trace, struct zsr_hist *hist,
		     struct zsr_err *err)
{
	struct zsr_cursor *c = NULL;
	const struct zsr_event *ev;
	int ret, n, i;

	zsr_hist_init(hist);
	ret = zsr_cursor_open(db, trace, &c, err);
	while (!ret && (n = zsr_cursor_next(c, &ev, err))) {
		for (i = 0; i < n; i++)
			if (ev[i].kind == ZSR_EV_FREE && ev[i].dur_ns)
				zsr_hist_add(hist, ev[i].dur_ns);
		ret = zsr_min(n, 0);
	}
	zsr_cursor_close(c);
	return ret;
}

static void print_quantiles(const char *whose, const struct zsr_hist *h)
{
	printf("     %-9s frees %" PRIu64 ", p50 %" PRIu64 " p90 %" PRIu64
	       " p99 %" PRIu64 " ns\n",
	       whose, h->count, zsr_hist_quantile(h, 1, 2),
	       zsr_hist_quantile(h, 9, 10), zsr_hist_quantile(h, 99, 100));
}

static void print_recorded(const struct zsr_tracing *t,
			   const struct zsr_run *run,
			   const struct zsr_imported *found,
			   const struct zsr_hist *frees, uint64_t discarded)
{
	char count[ZSR_FMT_LEN];

	printf("     recorded  %s\n     imported  '%s', %s records\n", t->path,
	       found->trace.name, zsr_fmt_count(count, found->odd.records));
	if (discarded || found->odd.lost)
		printf("     discarded %s events: the trace is not whole\n",
		       zsr_fmt_count(count, zsr_max(discarded, found->odd.lost)));
	print_quantiles("run", run->hist[ZSR_HIST_release]);
	print_quantiles("trace", frees);
	printf("     event     p50 %" PRIu64 " p99 %" PRIu64
	       " ns, one of which each free of the trace contains\n",
	       t->cost.median_ns, t->cost.p99_ns);
}

int zsr_tracing_end(struct zsr_tracing *t, struct zsr_db *db,
		    const struct zsr_run *run, struct zsr_err *err)
{
	struct zsr_imported found;
	struct zsr_hist *frees;
	uint64_t discarded;
	int ret;

	if (!t->dir)
		return 0;
	frees = malloc(sizeof(*frees));
	if (!frees)
		return zsr_err_nomem(err, "durations");
	ret = zsr_lttng_stop(t->lttng, &discarded, err);
	if (!ret)
		ret = import(db, t->path, run, &found, err);
	if (!ret)
		ret = durations(db, found.trace.id, frees, err);
	if (!ret && !t->quiet)
		print_recorded(t, run, &found, frees, discarded);
	free(frees);
	return ret;
}
