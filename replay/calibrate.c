// SPDX-License-Identifier: GPL-2.0-only
/* Rounds and what they say; the order in which everything is measured. */
#include <sched.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "replay/calibrate.h"

enum { ROUNDS = 400, TRIES = 3 };
#define BUSY 0.5

/* ---- samples --------------------------------------------------------------- */

int zsr_samples_add(struct zsr_samples *s, int64_t v)
{
	if (zsr_grow(&s->v, &s->cap, s->nr + 1, sizeof(*s->v)))
		return -ENOMEM;
	s->v[s->nr++] = v;
	return 0;
}

void zsr_samples_free(struct zsr_samples *s)
{
	free(s->v);
	*s = (struct zsr_samples){ 0 };
}

static int ascending(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

void zsr_figure_set(struct zsr_figure *f, struct zsr_samples *s)
{
	if (!s->nr)
		return;
	qsort(s->v, s->nr, sizeof(*s->v), ascending);
	f->known = true;
	f->rounds = (unsigned)s->nr;
	f->q1 = s->v[s->nr / 4];
	f->median = (s->v[(s->nr - 1) / 2] + s->v[s->nr / 2]) / 2;
	f->q3 = s->v[s->nr - 1 - s->nr / 4];
}

/* ---- rounds ----------------------------------------------------------------- */

uint64_t zsr_cal_preempted(void)
{
	struct rusage u;

	return getrusage(RUSAGE_THREAD, &u) ? 0 : (uint64_t)u.ru_nivcsw;
}

void zsr_cal_pin(const struct zsr_cal *c, unsigned cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(c->cpu[cpu], &set);
	sched_setaffinity(0, sizeof(set), &set);
}

void zsr_cal_unpin(const struct zsr_cal *c)
{
	cpu_set_t set;
	unsigned i;

	CPU_ZERO(&set);
	for (i = 0; i < c->nr_cpus; i++)
		CPU_SET(c->cpu[i], &set);
	sched_setaffinity(0, sizeof(set), &set);
}

int zsr_cal_rounds(struct zsr_cal *c, unsigned figure,
		   int (*round)(void *ctx, int64_t *v), void *ctx)
{
	struct zsr_samples s = { 0 }, disturbed = { 0 };
	unsigned tries = TRIES * c->rounds;
	uint64_t before;
	int64_t v;
	int ret = 0;

	while (!ret && tries-- && s.nr < c->rounds) {
		before = zsr_cal_preempted();
		ret = round(ctx, &v);
		c->all++;
		if (ret)
			break;
		if (zsr_cal_preempted() == before) {
			ret = zsr_samples_add(&s, v);
			continue;
		}
		c->disturbed++;
		ret = zsr_samples_add(&disturbed, v);
	}
	/* A median bears some of them better than no figure at all. */
	while (!ret && s.nr < c->rounds && disturbed.nr)
		ret = zsr_samples_add(&s, disturbed.v[--disturbed.nr]);
	if (!ret)
		zsr_figure_set(&c->figure[figure], &s);
	zsr_samples_free(&s);
	zsr_samples_free(&disturbed);
	zsr_progress_at(&c->progress, ++c->done);
	return ret;
}

/* ---- everything --------------------------------------------------------------- */

/* Who shares a core with us slows us, and no count of ours shows it. */
static void look_around(struct zsr_cal *c)
{
	const struct zsr_calibrate_opts *o = c->opts;
	char text[100];

	if (getloadavg(&c->load_average, 1) != 1)
		c->load_average = 0;
	if (c->load_average < BUSY || !o->warn)
		return;
	snprintf(
		text, sizeof(text),
		"the load average is %.2f: what others do here is measured too",
		c->load_average);
	o->warn(o->ctx, text);
}

static int cpus_find(struct zsr_cal *c, struct zsr_err *err)
{
	unsigned cpu;
	cpu_set_t may;

	if (sched_getaffinity(0, sizeof(may), &may))
		return zsr_err_sys(err, errno, "CPUs of the process");
	for (cpu = 0; cpu < CPU_SETSIZE && c->nr_cpus < ZSR_MAX_CPUS; cpu++)
		if (CPU_ISSET(cpu, &may))
			c->cpu[c->nr_cpus++] = cpu;
	return 0;
}

static int measure(struct zsr_cal *c, struct zsr_err *err)
{
	int (*const part[])(struct zsr_cal *, struct zsr_err *) = {
		zsr_cal_locks,
		zsr_cal_threads,
		zsr_cal_steps,
		zsr_cal_cpus,
	};
	unsigned i;
	int ret = cpus_find(c, err);

	for (i = 0; !ret && i < ZSR_ARRAY_SIZE(part); i++)
		ret = part[i](c, err);
	return ret;
}

int zsr_calibrate_host(const struct zsr_calibrate_opts *opts, char **text,
		       struct zsr_err *err)
{
	struct zsr_profile base = { 0 };
	struct zsr_cal *c;
	int ret;

	*text = NULL;
	ret = zsr_profile_load(opts->base ? opts->base : ZSR_CALIBRATE_BASE,
			       &base, err);
	if (ret)
		return ret;
	c = calloc(1, sizeof(*c));
	if (!c) {
		ret = zsr_err_nomem(err, "calibration");
		goto out;
	}
	c->opts = opts;
	c->base = &base;
	c->rounds = opts->rounds ? opts->rounds : ROUNDS;
	look_around(c);
	zsr_clock_init(&c->clock);
	zsr_progress_start(&c->progress, "calibrate", "figures", ZSR_NR_CAL);
	ret = measure(c, err);
	zsr_progress_finish(&c->progress);
	if (!ret) {
		*text = zsr_cal_text(c);
		if (!*text)
			ret = zsr_err_nomem(err, "profile");
	}
out:
	free(c);
	zsr_profile_free(&base);
	return ret ? zsr_err_wrap(err, ret, "calibrate") : 0;
}
