// SPDX-License-Identifier: GPL-2.0-only
/*
 * Load beside a replay on threads, from the first release on until all is idle.
 * Its threads have CPUs of the machine as the tasks have: computing ones slice
 * by slice, real-time ones before everybody else but a section with preemption
 * off, as on the virtual machine. So they displace no holder of a lock.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "replay/host_player_private.h"

#define POLL_NS         50000
#define ROUND_NS        20000 /* of computing, between two looks around */
#define CHUNKS_A_SECOND 1000

struct host_load {
	_Alignas(128) struct zsr_host_thread self;
	struct host_player *p;
	void (*fn)(struct host_load *l);
	pthread_t thread;
	uint64_t cpu_ns; /* it got */
	uint64_t wall_ns; /* it was there */
	uint64_t pages, page_size;
	char *memory;
	size_t len;
};

static bool is_over(const struct host_load *l)
{
	return __atomic_load_n(&l->p->load_over, __ATOMIC_ACQUIRE);
}

static void nap(uint64_t ns)
{
	const struct timespec ts = { .tv_sec = (time_t)(ns / 1000000000),
				     .tv_nsec = (long)(ns % 1000000000) };

	nanosleep(&ts, NULL);
}

static uint64_t thread_ns(void)
{
	struct timespec ts = { 0 };

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void compute(struct host_load *l, uint64_t ns)
{
	const struct zsr_clock *clock = &l->p->h->clock;
	uint64_t end = zsr_ticks() + zsr_ns_ticks(clock, ns);

	while (zsr_ticks() < end && !is_over(l))
		zsr_host_relax();
}

static void cpu_hog(struct host_load *l)
{
	while (!is_over(l)) {
		compute(l, ROUND_NS);
		zsr_cond_resched(&l->p->h->m);
	}
}

static void sleep_until(struct host_load *l, uint64_t at_ns)
{
	uint64_t now;

	zsr_host_block(&l->self);
	while (!is_over(l) && (now = zsr_clock_ns()) < at_ns)
		nap(zsr_min(at_ns - now, (uint64_t)1000000));
	zsr_host_unblock(&l->self);
}

/* It keeps its CPU for its part of each period, whoever else wants it. */
static void rt_hog(struct host_load *l)
{
	const struct zsr_conditions *c = l->p->s->common.conditions;
	uint64_t begin, part = c->rt_period_ns / 1000 * c->rt_permille;

	while (!is_over(l)) {
		begin = zsr_clock_ns();
		zsr_preempt_disable(&l->p->h->m);
		compute(l, part);
		zsr_preempt_enable(&l->p->h->m);
		if (c->rt_permille < 1000)
			sleep_until(l, begin + c->rt_period_ns);
	}
}

/* Pages of the page allocator's lists, and real ones. */
static void mem_hog(struct host_load *l)
{
	const struct zsr_conditions *c = l->p->s->common.conditions;
	uint64_t total = c->mem_total / l->page_size;
	uint64_t chunk = zsr_max(c->mem_rate / CHUNKS_A_SECOND / l->page_size,
				 1);
	uint64_t i, next = zsr_clock_ns();

	while (!is_over(l)) {
		for (i = 0; i < chunk && l->pages < total && !is_over(l); i++) {
			zsr_pages_alloc(&l->p->h->m, 1);
			l->memory[l->pages++ * l->page_size] = 1;
		}
		next += chunk * l->page_size * 1000000000ull / c->mem_rate;
		sleep_until(l, next);
	}
}

static void *load_main(void *arg)
{
	struct host_load *l = arg;
	uint64_t begin;

	while (!__atomic_load_n(&l->p->begun, __ATOMIC_ACQUIRE) && !is_over(l))
		nap(POLL_NS);
	begin = zsr_clock_ns();
	zsr_host_enter(l->p->h, &l->self);
	if (!is_over(l))
		l->fn(l);
	if (l->pages) /* the pools' and the buffers' remain to be counted */
		zsr_pages_vanish(&l->p->h->m, (unsigned)l->pages);
	l->cpu_ns = thread_ns();
	l->wall_ns = zsr_clock_ns() - begin;
	zsr_host_leave(&l->self);
	return NULL;
}

/* ---- life ---------------------------------------------------------------- */

static int memory_get(struct host_load *l, uint64_t len, struct zsr_err *err)
{
	void *p;

	if (len / l->page_size > UINT32_MAX)
		return zsr_err_usage(err, "--load mem: too much");
	p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return zsr_err_nomem(err, "--load mem");
	madvise(p, len, MADV_NOHUGEPAGE);
	l->memory = p;
	l->len = len;
	return 0;
}

static int add(struct host_player *p, void (*fn)(struct host_load *l),
	       unsigned home, struct zsr_err *err)
{
	const struct zsr_player_setup *s = &p->s->common;
	struct host_load *l = &p->load[p->nr_loads];
	int ret = 0;

	*l = (struct host_load){ .p = p,
				 .fn = fn,
				 .self.home = home,
				 .self.highpri = fn == rt_hog,
				 .page_size = s->trace->page_size };
	if (fn == mem_hog)
		ret = memory_get(l, s->conditions->mem_total, err);
	if (!ret)
		ret = pthread_create(&l->thread, NULL, load_main, l);
	if (ret > 0)
		ret = zsr_err_sys(err, ret, "load's threads");
	p->nr_loads += !ret;
	return ret;
}

int zsr_host_load_start(struct host_player *p, struct zsr_err *err)
{
	const struct zsr_conditions *c = p->s->common.conditions;
	unsigned i, nr;
	int ret = 0;

	nr = c ? c->cpu_hogs + c->rt_hogs + !!c->mem_total : 0;
	if (!nr)
		return 0;
	p->load = aligned_alloc(_Alignof(struct host_load),
				nr * sizeof(*p->load));
	if (!p->load)
		return zsr_err_nomem(err, "load");
	for (i = 0; !ret && i < c->rt_hogs; i++)
		ret = add(p, rt_hog, i, err);
	for (i = 0; !ret && i < c->cpu_hogs; i++)
		ret = add(p, cpu_hog, ZSR_HOST_NO_CPU, err);
	if (!ret && c->mem_total)
		ret = add(p, mem_hog, ZSR_HOST_NO_CPU, err);
	return ret;
}

void zsr_host_load_stop(struct host_player *p)
{
	struct zsr_host_thread *self = zsr_host_self;
	unsigned i;

	__atomic_store_n(&p->load_over, true, __ATOMIC_RELEASE);
	if (!p->nr_loads)
		return;
	zsr_host_block(self);
	for (i = 0; i < p->nr_loads; i++)
		pthread_join(p->load[i].thread, NULL);
	zsr_host_unblock(self);
}

/* What NR generators that want PERMILLE of a CPU each, for WALL_NS, did not
 * get. */
static uint64_t lost(const struct host_player *p, unsigned nr,
		     uint64_t permille, uint64_t wall_ns, uint64_t got)
{
	uint64_t want = zsr_mul_div(wall_ns * zsr_min(nr, p->h->m.nr_cpus),
				    permille, 1000);

	return want > got ? want - got : 0;
}

void zsr_host_load_finish(struct host_player *p)
{
	const struct zsr_conditions *c = p->s->common.conditions;
	struct zsr_run_values *v = &p->run->v;
	uint64_t wall_ns = 0;
	unsigned i;

	for (i = 0; i < p->nr_loads; i++) {
		struct host_load *l = &p->load[i];

		wall_ns = zsr_max(wall_ns, l->wall_ns);
		if (l->fn == cpu_hog)
			v->load_cpu_ns += l->cpu_ns;
		else if (l->fn == rt_hog)
			v->load_rt_ns += l->cpu_ns;
		v->load_mem_pages += l->pages;
		if (l->memory)
			munmap(l->memory, l->len);
	}
	free(p->load);
	p->load = NULL;
	if (!p->nr_loads)
		return;
	v->load_cpu_lost_ns = lost(p, c->cpu_hogs, 1000, wall_ns,
				   v->load_cpu_ns);
	v->load_rt_lost_ns = lost(p, c->rt_hogs, c->rt_permille, wall_ns,
				  v->load_rt_ns);
	p->nr_loads = 0;
}
