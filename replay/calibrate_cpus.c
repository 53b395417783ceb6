// SPDX-License-Identifier: GPL-2.0-only
/*
 * How fast each CPU is, and how much two of them slow each other that share a
 * core or a cache: releases into pools of their own, on one, then on both.
 */
#include <stdlib.h>
#include <time.h>

#include "replay/calibrate.h"

enum { RELEASES = 64, OBJECTS = 16384, TURNS = 8, LEVELS = 8 };

/* ---- who shares what ------------------------------------------------------------ */

/* Does a list such as "0,4-7" in the file say CPU? */
static bool listed(const char *path, unsigned cpu)
{
	FILE *f = fopen(path, "re");
	bool found = false;
	unsigned lo, hi;
	char sep = ',';

	while (f && sep == ',' && fscanf(f, "%u", &lo) == 1) {
		hi = lo;
		if (fscanf(f, "%c", &sep) != 1)
			sep = '\n';
		if (sep == '-' && fscanf(f, "%u%c", &hi, &sep) < 2)
			sep = '\n';
		found |= cpu >= lo && cpu <= hi;
	}
	if (f)
		fclose(f);
	return found;
}

#define SYSTEM_CPU "/sys/devices/system/cpu/cpu"

static bool same_core(const struct zsr_cal *c, unsigned a, unsigned b)
{
	char path[128];

	snprintf(path, sizeof(path),
		 SYSTEM_CPU "%u/topology/thread_siblings_list", c->cpu[a]);
	return listed(path, c->cpu[b]);
}

static bool same_cache(const struct zsr_cal *c, unsigned a, unsigned b)
{
	char path[128];
	unsigned i;

	for (i = 0; i < LEVELS; i++) {
		snprintf(path, sizeof(path),
			 SYSTEM_CPU "%u/cache/index%u/shared_cpu_list",
			 c->cpu[a], i);
		if (listed(path, c->cpu[b]))
			return true;
	}
	return false;
}

/* ---- releases on a CPU ------------------------------------------------------------ */

struct beside {
	struct zsr_cal *c;
	unsigned cpu;
	struct zsr_samples took; /* ps a release, a round each */
	int ret;
	pthread_t thread;
};

static bool is_set(const bool *flag)
{
	return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

static void set(bool *flag)
{
	__atomic_store_n(flag, true, __ATOMIC_RELEASE);
}

static uint32_t draw(void *ctx)
{
	const struct zsr_calibrate_opts *o = ctx;

	return o->draw(o->ctx);
}

static int round_of(struct beside *b, struct zsr_cal_pool *p, uint32_t from)
{
	uint64_t before = zsr_cal_preempted(), begin;
	uint32_t i;

	p->self.stamp = begin = zsr_ticks();
	for (i = from; i < from + RELEASES; i++) {
		zsr_policy_class_idx.release(&p->pool, &p->releaser, p->slot[i]);
		zsr_pool_slot_put(&p->pool, p->slot[i]);
	}
	begin = zsr_ticks() - begin;
	p->self.stamp = 0;
	if (zsr_cal_preempted() != before)
		return 0;
	return zsr_samples_add(&b->took, zsr_cal_each(b->c, begin, RELEASES));
}

/* All are stored, then released. */
static int cycle(struct beside *b, struct zsr_cal_pool *p)
{
	uint32_t i;
	int ret = 0;

	for (i = 0; !ret && i < p->nr; i++)
		ret = zsr_cal_store(p, i);
	for (i = 0; !ret && i < p->nr; i += RELEASES)
		ret = round_of(b, p, i);
	return ret;
}

static int pool_init(const struct beside *b, struct zsr_cal_pool *p,
		     unsigned cycles, struct zsr_err *err)
{
	uint32_t nr = zsr_min(OBJECTS, b->c->opts->objects);

	return zsr_cal_pool_init(p, b->c, b->cpu,
				 zsr_max(nr / RELEASES, 1u) * RELEASES, cycles,
				 draw, (void *)b->c->opts, err);
}

/* ---- beside each other -------------------------------------------------------------- */

struct pair {
	struct beside a, b;
	bool runs, stop; /* b */
	struct zsr_samples alone;
	int64_t speed; /* permille */
};

static void *beside_main(void *arg)
{
	struct pair *p = arg;
	struct zsr_cal_pool pool;
	struct zsr_err ignored;
	unsigned n;

	do {
		p->b.ret = pool_init(&p->b, &pool, TURNS, &ignored);
		for (n = 0; !p->b.ret && n < TURNS && !is_set(&p->stop); n++) {
			set(&p->runs);
			p->b.took.nr = 0;
			p->b.ret = cycle(&p->b, &pool);
		}
		zsr_cal_pool_free(&pool);
	} while (!p->b.ret && !is_set(&p->stop));
	set(&p->runs); /* nobody waits for one that failed */
	return NULL;
}

static void swap(struct zsr_samples *a, struct zsr_samples *b)
{
	struct zsr_samples with = *a;

	*a = *b;
	*b = with;
}

/* Once alone, once with the other one. */
static int turn(struct pair *p, struct zsr_cal_pool *pool)
{
	const struct timespec ts = { .tv_nsec = 1000000 };
	int ret;

	swap(&p->a.took, &p->alone);
	ret = cycle(&p->a, pool);
	swap(&p->a.took, &p->alone);
	if (ret)
		return ret;
	p->runs = p->stop = false;
	ret = -pthread_create(&p->b.thread, NULL, beside_main, p);
	if (ret)
		return ret;
	while (!is_set(&p->runs))
		nanosleep(&ts, NULL);
	ret = cycle(&p->a, pool);
	set(&p->stop);
	pthread_join(p->b.thread, NULL);
	return ret ? ret : p->b.ret;
}

/* As a profile has it. */
static int64_t permille(int64_t alone, int64_t beside)
{
	return zsr_max(zsr_min(alone * 1000 / beside, 1000), 100);
}

/* How fast CPU A is beside CPU B, into FIGURE. */
static int together(struct zsr_cal *c, unsigned figure, unsigned a, unsigned b,
		    struct zsr_err *err)
{
	struct pair p = { .a = { .c = c, .cpu = a }, .b = { .c = c, .cpu = b } };
	unsigned turns = zsr_max(TURNS * c->rounds / 400, 1u), i;
	struct zsr_figure alone = { 0 }, *f = &c->figure[figure];
	struct zsr_cal_pool pool;
	int ret = pool_init(&p.a, &pool, 2 * turns, err);

	for (i = 0; !ret && i < turns; i++)
		if (turn(&p, &pool))
			ret = zsr_err_nomem(err, "CPUs");
	zsr_cal_pool_free(&pool);
	zsr_figure_set(&alone, &p.alone);
	zsr_figure_set(f, &p.a.took);
	if (f->known && f->q1 > 0) {
		int64_t least = f->q1;

		f->q1 = permille(alone.median, f->q3);
		f->median = permille(alone.median, f->median);
		f->q3 = permille(alone.median, least);
	}
	zsr_samples_free(&p.alone);
	zsr_samples_free(&p.a.took);
	zsr_samples_free(&p.b.took);
	return ret;
}

/* The first pair of CPUs for which it is so; false: none. */
static bool find(const struct zsr_cal *c,
		 bool (*so)(const struct zsr_cal *c, unsigned a, unsigned b),
		 unsigned *a, unsigned *b)
{
	for (*a = 0; *a < c->nr_cpus; ++*a)
		for (*b = *a + 1; *b < c->nr_cpus; ++*b)
			if (so(c, *a, *b))
				return true;
	return false;
}

static bool only_cache(const struct zsr_cal *c, unsigned a, unsigned b)
{
	return same_cache(c, a, b) && !same_core(c, a, b);
}

static int sharing(struct zsr_cal *c, struct zsr_err *err)
{
	unsigned a, b, i, k;
	int ret = 0;

	c->figure[ZSR_CAL_smt_speed].why = "no CPU shares a core";
	if (find(c, same_core, &a, &b)) {
		c->figure[ZSR_CAL_smt_speed].why = NULL;
		ret = together(c, ZSR_CAL_smt_speed, a, b, err);
	}
	if (!ret && find(c, only_cache, &a, &b))
		ret = together(c, ZSR_CAL_shared_cache, a, b, err);
	/* The virtual machine has pairs. Where there are two CPUs they are one,
	 * whatever it is that they share, which a hypervisor may not tell. */
	if (c->nr_cpus == 2 && c->figure[ZSR_CAL_shared_cache].known) {
		c->figure[ZSR_CAL_smt_speed] = c->figure[ZSR_CAL_shared_cache];
		c->smt_cpus = 2;
		return ret;
	}
	for (i = 0; i < c->nr_cpus; i++)
		for (k = 0; k < c->nr_cpus; k++)
			if (k != i && same_core(c, i, k)) {
				c->smt_cpus++;
				break;
			}
	return ret;
}

/* ---- one after the other ------------------------------------------------------------- */

static int one_cpu(struct zsr_cal *c, unsigned cpu, struct zsr_figure *f,
		   struct zsr_err *err)
{
	struct beside b = { .c = c, .cpu = cpu };
	struct zsr_cal_pool pool;
	int ret = pool_init(&b, &pool, 1, err);

	if (!ret && cycle(&b, &pool))
		ret = zsr_err_nomem(err, "releases");
	zsr_cal_pool_free(&pool);
	zsr_figure_set(f, &b.took);
	zsr_samples_free(&b.took);
	return ret;
}

/*
 * CPU against CPU 0, which costs are of, in turn. What is not on one side in
 * every turn is the same.
 */
static int speed(struct zsr_cal *c, unsigned cpu, struct zsr_err *err)
{
	struct zsr_figure first = { 0 }, f = { 0 }, ratio = { 0 };
	struct zsr_samples s = { 0 };
	unsigned i;
	int ret = 0;

	for (i = 0; !ret && i < TURNS; i++) {
		ret = one_cpu(c, 0, &first, err) ?: one_cpu(c, cpu, &f, err);
		if (!ret && f.median > 0 &&
		    zsr_samples_add(&s, first.median * 1000 / f.median))
			ret = zsr_err_nomem(err, "speeds");
	}
	zsr_figure_set(&ratio, &s);
	if (s.nr && (s.v[0] > 1000 || s.v[s.nr - 1] < 1000))
		c->speed[cpu] = (uint64_t)zsr_min(zsr_max(ratio.median, 10),
						  10000);
	zsr_samples_free(&s);
	return ret;
}

static int speeds(struct zsr_cal *c, struct zsr_err *err)
{
	unsigned cpu;
	int ret = 0;

	for (cpu = 0; cpu < c->nr_cpus; cpu++)
		c->speed[cpu] = 1000;
	for (cpu = 1; !ret && cpu < c->nr_cpus; cpu++)
		ret = speed(c, cpu, err);
	return ret;
}

int zsr_cal_cpus(struct zsr_cal *c, struct zsr_err *err)
{
	return speeds(c, err) ?: sharing(c, err);
}
