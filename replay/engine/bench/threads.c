// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two threads on two CPUs, each freeing its own objects in the order they were
 * made, under class locks (one atomic to take, a store to release): a pool
 * each, so that nothing is shared, and one pool in which each thread's objects
 * were made in one go. The two are timed in turn and their ratio is printed,
 * for pools without and with memory. Before and after, what a cache line takes
 * from one CPU to the other: half of the frees in one pool wait for a lock that
 * the other thread had last, so no engine can add less than half of that.
 *
 *	threads [--rounds N] [--objects N]
 */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "replay/engine/internal.h"
#include "synth/synth.h"

enum { THREADS = 2, CLASSES = 257, MAX_ROUNDS = 1000 };

struct lock {
	_Alignas(64) bool held;
};

struct pool {
	struct zsr_engine *e;
	struct lock lock[CLASSES];
};

struct side {
	_Alignas(64) struct pool *pool;
	zsr_handle *handle;
	struct zsr_handle_cache cache;
	int cpu;
	unsigned odd;
	uint64_t ns;
	unsigned *ready;
};

static unsigned nr_rounds = 31, nr_objects = 65536;

static void lock(struct lock *l)
{
	while (__atomic_test_and_set(&l->held, __ATOMIC_ACQUIRE))
		while (__atomic_load_n(&l->held, __ATOMIC_RELAXED))
			zsr_cpu_relax();
}

static void unlock(struct lock *l)
{
	__atomic_clear(&l->held, __ATOMIC_RELEASE);
}

static void do_free(struct pool *p, struct zsr_handle_cache *cache, zsr_handle h)
{
	unsigned class = zsr_engine_handle_class(p->e, h);
	struct zsr_zspage *z;
	bool mine;

	lock(&p->lock[class]);
	mine = zsr_engine_obj_free(p->e, class, h, &z) & ZSR_EMPTIED &&
	       zsr_engine_zspage_trylock(p->e, z);
	if (mine)
		zsr_engine_zspage_unlink(p->e, z);
	unlock(&p->lock[class]);
	if (mine)
		zsr_engine_zspage_free(p->e, z);
	zsr_engine_handle_free_cached(p->e, cache, h);
}

static void *free_all(void *arg)
{
	struct side *s = arg;
	uint64_t t;
	unsigned i;

	/* Not a barrier that sleeps: waking up takes long. */
	__atomic_fetch_add(s->ready, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(s->ready, __ATOMIC_ACQUIRE) < THREADS)
		zsr_cpu_relax();
	t = zsr_clock_ns();
	for (i = 0; i < nr_objects; i++)
		do_free(s->pool, &s->cache, s->handle[i]);
	s->ns = zsr_clock_ns() - t;
	zsr_engine_handle_drain(s->pool->e, &s->cache);
	return NULL;
}

static int pool_create(struct pool *p, unsigned flags, struct zsr_err *err)
{
	struct zsr_obj_layout layout;
	int ret = zsr_obj_layout(&layout, "7.3", 64, 52, 4096, 8, err);

	memset(p->lock, 0, sizeof(p->lock));
	if (!ret)
		ret = zsr_engine_create_layout(&p->e, zsr_model_find("7.3"),
					       4096, 8, &layout,
					       ZSR_ENGINE_SHARED | flags, err);
	return ret;
}

static int fill(struct side *s, uint64_t seed, struct zsr_err *err)
{
	const struct zsr_sizes sizes = { .kind = ZSR_SIZES_LZO_RLE };
	struct zsr_rng rng = { seed };
	unsigned i;

	for (i = 0; i < nr_objects; i++)
		if (zsr_engine_malloc(s->pool->e,
				      zsr_sizes_draw(&sizes, 4096, &rng),
				      &s->handle[i]))
			return zsr_err_nomem(err, "threads");
	return 0;
}

/* On its CPU from the start: one that spins on the other's would keep it out. */
static int start(pthread_t *thread, struct side *s, void *(*run)(void *))
{
	pthread_attr_t attr;
	cpu_set_t set;
	int ret;

	CPU_ZERO(&set);
	CPU_SET(s->cpu, &set);
	pthread_attr_init(&attr);
	ret = pthread_attr_setaffinity_np(&attr, sizeof(set), &set);
	if (!ret)
		ret = pthread_create(thread, &attr, run, s);
	pthread_attr_destroy(&attr);
	return ret;
}

/* Nanoseconds a free, mean of the two threads, in NR_POOLS pools. */
static int race(struct pool *pool, unsigned nr_pools, unsigned flags,
		struct side *side, double *ns, struct zsr_err *err)
{
	pthread_t thread[THREADS];
	unsigned ready = 0, nr, i;
	int ret = 0;

	for (i = 0; !ret && i < nr_pools; i++)
		ret = pool_create(&pool[i], flags, err);
	for (i = 0; !ret && i < THREADS; i++) {
		side[i].pool = &pool[i % nr_pools];
		side[i].ready = &ready;
		ret = fill(&side[i], i + 1, err);
	}
	if (ret)
		goto out;
	for (nr = 0; !ret && nr < THREADS; nr++)
		ret = start(&thread[nr], &side[nr], free_all);
	if (ret) {
		ret = zsr_err_sys(err, ret, "thread");
		__atomic_store_n(&ready, THREADS, __ATOMIC_RELEASE);
		nr--;
	}
	for (i = 0; i < nr; i++)
		pthread_join(thread[i], NULL);
	*ns = 0;
	for (i = 0; i < THREADS; i++)
		*ns += (double)side[i].ns / nr_objects / THREADS;
out:
	for (i = 0; i < nr_pools; i++) {
		zsr_engine_destroy(pool[i].e);
		pool[i].e = NULL;
	}
	return ret;
}

/* Turns in which a line goes from CPU to CPU; odd ones are the second's. */
enum { TURNS = 200000 };

static void *pass_line(void *arg)
{
	struct side *s = arg;
	unsigned turn = s->odd;
	uint64_t t = zsr_clock_ns();

	for (; turn < TURNS; turn += 2) {
		while (__atomic_load_n(s->ready, __ATOMIC_ACQUIRE) != turn)
			zsr_cpu_relax();
		__atomic_store_n(s->ready, turn + 1, __ATOMIC_RELEASE);
	}
	s->ns = zsr_clock_ns() - t;
	return NULL;
}

static int measure_line(struct side *side, struct zsr_err *err)
{
	static _Alignas(64) unsigned line;
	pthread_t thread[THREADS];
	unsigned nr;
	int ret = 0;

	line = 0;
	for (nr = 0; !ret && nr < THREADS; nr++) {
		side[nr].odd = nr;
		side[nr].ready = &line;
		ret = start(&thread[nr], &side[nr], pass_line);
	}
	if (ret) /* the end of the program, with or without the first */
		return zsr_err_sys(err, ret, "thread");
	while (nr--)
		pthread_join(thread[nr], NULL);
	printf("a line from CPU to CPU: %.0f ns\n", (double)side[1].ns / TURNS);
	return 0;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int measure(const char *what, unsigned flags, struct pool *pool,
		   struct side *side, struct zsr_err *err)
{
	static double apart[MAX_ROUNDS], own[MAX_ROUNDS], ratio[MAX_ROUNDS];
	unsigned i, mid = nr_rounds / 2;
	int ret = 0;

	for (i = 0; !ret && i < nr_rounds; i++) {
		ret = race(pool, THREADS, flags, side, &apart[i], err);
		if (!ret)
			ret = race(pool, 1, flags, side, &own[i], err);
		ratio[i] = own[i] / apart[i];
	}
	if (ret)
		return ret;
	qsort(apart, nr_rounds, sizeof(*apart), ascending);
	qsort(own, nr_rounds, sizeof(*own), ascending);
	qsort(ratio, nr_rounds, sizeof(*ratio), ascending);
	printf("%-10s  a pool each: median %5.1f ns/free, best %5.1f  "
	       "one pool: median %5.1f, best %5.1f  ratio: median %.2f, "
	       "of the best %.2f\n",
	       what, apart[mid], apart[0], own[mid], own[0], ratio[mid],
	       own[0] / apart[0]);
	return 0;
}

/* The first two CPUs we may run on. */
static bool find_cpus(struct side *side)
{
	unsigned nr = 0;
	cpu_set_t set;
	int cpu;

	if (sched_getaffinity(0, sizeof(set), &set))
		return false;
	for (cpu = 0; nr < THREADS && cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &set))
			side[nr++].cpu = cpu;
	return nr == THREADS;
}

int main(int argc, char **argv)
{
	static struct pool pool[THREADS];
	static struct side side[THREADS];
	struct zsr_err err = { 0 };
	int i, ret = 0;

	for (i = 1; i + 1 < argc; i += 2) {
		unsigned n = (unsigned)zsr_max(atoi(argv[i + 1]), 1);

		if (!strcmp(argv[i], "--rounds"))
			nr_rounds = zsr_min(n, (unsigned)MAX_ROUNDS);
		else if (!strcmp(argv[i], "--objects"))
			nr_objects = n;
	}
	if (!find_cpus(side)) {
		printf("threads: needs two CPUs\n");
		return 0;
	}
	for (i = 0; i < THREADS; i++)
		side[i].handle = calloc(nr_objects, sizeof(zsr_handle));
	if (!side[0].handle || !side[1].handle)
		ret = zsr_err_nomem(&err, "threads");
	if (!ret)
		ret = measure_line(side, &err);
	if (!ret)
		ret = measure("state only", 0, pool, side, &err);
	if (!ret)
		ret = measure("backed", ZSR_ENGINE_BACKED, pool, side, &err);
	if (!ret)
		ret = measure_line(side, &err);
	for (i = 0; i < THREADS; i++)
		free(side[i].handle);
	if (ret)
		fprintf(stderr, "threads: %s\n", err.msg);
	return ret ? 1 : 0;
}
