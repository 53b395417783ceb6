// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "replay/account.h"
#include "replay/machine/virtual/vm.h"

struct back_entry {
	uint64_t ps;
	uint64_t pages;
};

/* ---- thinned series --------------------------------------------------- */

static void halve(struct zsr_thinned *s)
{
	size_t i;

	for (i = 0; i < s->nr / 2; i++)
		s->points[i] = s->points[2 * i];
	s->nr /= 2;
	s->stride *= 2;
}

static void thinned_add(struct zsr_account *a, unsigned which, uint64_t ps,
			uint64_t value)
{
	struct zsr_thinned *s = &a->series[which];

	if (!s->points) /* finished: teardown is not recorded */
		return;
	s->last = (struct zsr_point){ ps, value };
	s->any = true;
	if (s->nr && s->points[s->nr - 1].t_ns == ps) {
		s->points[s->nr - 1].value = value;
		return;
	}
	if (s->nr && ++s->skipped < s->stride)
		return;
	s->skipped = 0;
	if (s->nr == ZSR_SERIES_POINTS)
		halve(s);
	s->points[s->nr++] = s->last;
}

/* Append the last change, turn ps into ns, merge points of one ns. */
static void thinned_close(struct zsr_thinned *s)
{
	size_t i, n = 0;

	if (s->any && s->points[s->nr - 1].t_ns < s->last.t_ns)
		s->points[s->nr++] = s->last;
	for (i = 0; i < s->nr; i++) {
		struct zsr_point p = { zsr_ps_to_ns(s->points[i].t_ns),
				       s->points[i].value };

		if (n && s->points[n - 1].t_ns == p.t_ns)
			n--;
		s->points[n++] = p;
	}
	s->nr = n;
}

/* ---- changes ----------------------------------------------------------- */

static void live_changed(struct zsr_account *a, uint64_t ps)
{
	zsr_overtime_pass(&a->overtime, ps);
	thinned_add(a, ZSR_SERIES_live_pages, ps,
		    a->total_pages - a->held_pages);
}

void zsr_account_fail(struct zsr_account *a, int error)
{
	int none = 0;

	__atomic_compare_exchange_n(&a->error, &none, error, false,
				    __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

void zsr_account_release_begins(struct zsr_account *a, uint64_t ps)
{
	if (a->releasing) {
		a->first_release = zsr_min(a->first_release, ps);
		return;
	}
	a->releasing = true;
	a->first_release = ps;
	thinned_add(a, ZSR_SERIES_back_pages, ps, 0);
	zsr_overtime_begin(&a->overtime, ps);
}

void zsr_account_grown(struct zsr_account *a, uint64_t ps, unsigned pages)
{
	a->total_pages += pages;
	a->peak_pages = zsr_max(a->peak_pages, a->total_pages);
	live_changed(a, ps);
}

void zsr_account_held(struct zsr_account *a, uint64_t ps, int64_t pages)
{
	a->held_area += (unsigned __int128)a->held_pages * (ps - a->held_since);
	a->held_since = ps;
	a->held_pages = (uint64_t)((int64_t)a->held_pages + pages);
	a->peak_held = zsr_max(a->peak_held, a->held_pages);
	thinned_add(a, ZSR_SERIES_held_pages, ps, a->held_pages);
	live_changed(a, ps);
}

void zsr_account_back(struct zsr_account *a, uint64_t ps, unsigned pages)
{
	struct back_entry entry = { ps, pages };

	a->total_pages -= pages;
	live_changed(a, ps);
	if (!a->releasing)
		return;
	a->back_pages += pages;
	thinned_add(a, ZSR_SERIES_back_pages, ps, a->back_pages);
	if (fwrite(&entry, sizeof(entry), 1, a->back_log) != 1)
		zsr_account_fail(a, errno ? -errno : -EIO);
}

void zsr_account_queued(struct zsr_account *a, uint64_t ps, uint32_t bytes)
{
	a->depth++;
	a->dead_bytes += bytes;
	a->peak_depth = zsr_max(a->peak_depth, a->depth);
	a->peak_dead = zsr_max(a->peak_dead, a->dead_bytes);
	thinned_add(a, ZSR_SERIES_queue_depth, ps, a->depth);
}

void zsr_account_dequeued(struct zsr_account *a, uint64_t ps,
			  uint64_t queued_at, uint32_t bytes)
{
	uint64_t age = ps - queued_at;

	a->depth--;
	a->dead_bytes -= bytes;
	a->oldest_ps = zsr_max(a->oldest_ps, age);
	if (a->queued)
		zsr_hist_add(a->queued, zsr_ps_to_ns(age));
	thinned_add(a, ZSR_SERIES_queue_depth, ps, a->depth);
}

void zsr_account_buffer(struct zsr_account *a, int64_t pages)
{
	a->buffer_pages = (uint64_t)((int64_t)a->buffer_pages + pages);
	a->peak_buffer = zsr_max(a->peak_buffer, a->buffer_pages);
}

/* ---- life -------------------------------------------------------------- */

int zsr_account_init(struct zsr_account *a, struct zsr_hist *queued,
		     struct zsr_err *err)
{
	unsigned i;

	*a = (struct zsr_account){ .queued = queued };
	a->back_log = tmpfile();
	if (!a->back_log)
		return zsr_err_sys(err, errno, "temporary file");
	for (i = 0; i < ZSR_NR_RUN_SERIES; i++) {
		a->series[i].stride = 1;
		/* one more for the last change */
		a->series[i].points = malloc((ZSR_SERIES_POINTS + 1) *
					     sizeof(struct zsr_point));
		if (!a->series[i].points) {
			zsr_account_free(a);
			return zsr_err_nomem(err, "series");
		}
	}
	return 0;
}

void zsr_account_free(struct zsr_account *a)
{
	unsigned i;

	for (i = 0; i < ZSR_NR_RUN_SERIES; i++)
		free(a->series[i].points);
	zsr_overtime_free(&a->overtime);
	if (a->back_log)
		fclose(a->back_log);
	*a = (struct zsr_account){ 0 };
}

/* When ceil(due * percent / 100) pages were back, from the first release's
 * begin; the log is in order of time. */
static int find_times(struct zsr_account *a, struct zsr_run_values *v)
{
	struct {
		unsigned percent;
		uint64_t *at;
	} want[] = { { 50, &v->at_50_ns },
		     { 90, &v->at_90_ns },
		     { 99, &v->at_99_ns },
		     { 100, &v->at_100_ns } };
	struct back_entry entry;
	uint64_t back = 0, due = v->pages_total;
	unsigned i = 0;

	/* Nothing waits any more, so all is back that will be: this policy's
	 * stores met other zspages than those of sync. */
	if (!a->depth && !a->held_pages)
		due = zsr_min(due, a->back_pages);

	for (i = 0; i < ZSR_ARRAY_SIZE(want); i++)
		*want[i].at = UINT64_MAX;
	if (fflush(a->back_log) || fseek(a->back_log, 0, SEEK_SET))
		return errno ? -errno : -EIO;
	i = 0;
	while (fread(&entry, sizeof(entry), 1, a->back_log) == 1) {
		back += entry.pages;
		while (i < ZSR_ARRAY_SIZE(want) &&
		       back * 100 >= due * want[i].percent)
			*want[i++].at = zsr_ps_to_ns(entry.ps - a->first_release);
	}
	return ferror(a->back_log) ? -EIO : 0;
}

int zsr_account_error(const struct zsr_account *a, struct zsr_err *err)
{
	if (a->error == -EPROTO)
		return zsr_err_input(err, "the policy freed what was free, or "
					  "what it was never given");
	return zsr_err_sys(err, -a->error, "record of the run");
}

int zsr_account_finish(struct zsr_account *a, uint64_t ps, struct zsr_run *run,
		       struct zsr_err *err)
{
	struct zsr_run_values *v = &run->v;
	unsigned i;
	int ret;

	zsr_account_held(a, zsr_max(ps, a->held_since), 0);
	a->queued = NULL; /* teardown is not recorded */
	v->first_release_ns = zsr_ps_to_ns(a->first_release);
	v->pages_back = a->back_pages;
	v->pages_peak = a->peak_pages;
	v->pages_end = a->total_pages;
	v->held_peak_pages = a->peak_held;
	v->held_area_page_us = (uint64_t)(a->held_area / 1000000);
	v->dead_peak_bytes = a->peak_dead;
	v->queue_pages = a->peak_buffer;
	v->queue_peak = a->peak_depth;
	v->queue_oldest_ns = zsr_ps_to_ns(a->oldest_ps);
	v->stranded = a->depth;
	if (!v->pages_total)
		v->pages_total = a->back_pages;
	if (a->error)
		return zsr_account_error(a, err);
	ret = find_times(a, v);
	if (ret)
		return zsr_err_sys(err, -ret, "record of the run");
	if (zsr_overtime_finish(&a->overtime, ps, run))
		return zsr_err_nomem(err, "record of the run");
	for (i = 0; i < ZSR_NR_RUN_SERIES; i++) {
		thinned_close(&a->series[i]);
		run->series[i].points = a->series[i].points;
		run->series[i].nr = a->series[i].nr;
		a->series[i].points = NULL;
	}
	return 0;
}
