// SPDX-License-Identifier: GPL-2.0-only
/* Who has which of the machine's CPUs: see host.h. */
#include <sched.h>
#include <time.h>
#if __has_include(<sys/rseq.h>)
#include <sys/rseq.h>
#endif

#include "replay/machine/host/host.h"

__thread struct zsr_host_thread *zsr_host_self;

/* ---- CPUs of the system -------------------------------------------------- */

static unsigned system_cpu(void)
{
#ifdef RSEQ_SIG
	const struct rseq *area;
	int cpu = -1;

	if (__rseq_size) {
		area = (const struct rseq *)((char *)__builtin_thread_pointer() +
					     __rseq_offset);
		cpu = (int)__atomic_load_n(&area->cpu_id, __ATOMIC_RELAXED);
	}
	if (cpu >= 0)
		return (unsigned)cpu;
#endif
	return (unsigned)zsr_max(sched_getcpu(), 0);
}

/* With more CPUs than the process may use, they share. */
int zsr_host_cpus_init(struct zsr_host *h, struct zsr_err *err)
{
	unsigned cpu, nr = 0, may[CPU_SETSIZE], i;

	if (sched_getaffinity(0, sizeof(h->may), &h->may))
		return zsr_err_sys(err, errno, "CPUs of the process");
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &h->may))
			may[nr++] = cpu;
	h->m.nr_cpus = h->opts.cpus ? h->opts.cpus
				    : zsr_min(nr, (unsigned)ZSR_MAX_CPUS);
	for (i = 0; i < h->m.nr_cpus; i++)
		h->cpu[i].system = may[i % nr];
	return 0;
}

/* Where T is to run from now on. Refused is not worth a word: it runs. */
static void go_to(struct zsr_host_thread *t)
{
	unsigned system = t->host->cpu[t->cpu].system;
	cpu_set_t set;

	if (!t->host->opts.pin || t->on == system)
		return;
	CPU_ZERO(&set);
	CPU_SET(system, &set);
	if (!sched_setaffinity(0, sizeof(set), &set))
		t->on = system;
}

/* ---- handing CPUs over ------------------------------------------------------ */

static void own(struct zsr_host *h, unsigned cpu, struct zsr_host_thread *t)
{
	struct zsr_host_cpu *c = &h->cpu[cpu];

	c->owner = t;
	c->since = zsr_ticks();
	__atomic_store_n(&c->resched, false, __ATOMIC_RELAXED);
	if (t)
		t->cpu = cpu;
}

/* A free one that T may have: the one it is on, the last one it had, any. */
static unsigned find_free(const struct zsr_host *h,
			  const struct zsr_host_thread *t, unsigned last)
{
	unsigned cpu, on = system_cpu(), found = ZSR_HOST_NO_CPU;

	if (t->home != ZSR_HOST_NO_CPU)
		return h->cpu[t->home].owner ? ZSR_HOST_NO_CPU : t->home;
	for (cpu = 0; cpu < h->m.nr_cpus; cpu++) {
		if (h->cpu[cpu].owner)
			continue;
		if (h->cpu[cpu].system == on && !h->opts.pin)
			return cpu;
		if (found == ZSR_HOST_NO_CPU || cpu == last)
			found = cpu;
	}
	return found;
}

/* Tell who has had its CPU longest that T waits for it. */
static void press(struct zsr_host *h, const struct zsr_host_thread *t)
{
	unsigned cpu, oldest = t->home;

	if (oldest == ZSR_HOST_NO_CPU)
		for (cpu = oldest = 0; cpu < h->m.nr_cpus; cpu++)
			if (h->cpu[cpu].since < h->cpu[oldest].since)
				oldest = cpu;
	__atomic_store_n(&h->cpu[oldest].resched, true, __ATOMIC_RELAXED);
}

static void slice_end(struct timespec *ts)
{
	clock_gettime(CLOCK_MONOTONIC, ts);
	ts->tv_nsec += ZSR_HOST_SLICE_NS;
	if (ts->tv_nsec >= 1000000000) {
		ts->tv_nsec -= 1000000000;
		ts->tv_sec++;
	}
}

static void stand_in_line(struct zsr_host *h, struct zsr_host_thread *t)
{
	struct zsr_host_thread **link = &h->waiters;
	struct timespec end;

	while (*link && (!t->highpri || (*link)->highpri))
		link = &(*link)->next_waiter;
	t->next_waiter = *link;
	*link = t;
	t->counts.late++;
	if (t->highpri)
		press(h, t);
	while (t->cpu == ZSR_HOST_NO_CPU) {
		slice_end(&end);
		pthread_cond_timedwait(&t->granted, &h->cpu_lock, &end);
		if (t->cpu == ZSR_HOST_NO_CPU)
			press(h, t);
	}
}

static void get_cpu(struct zsr_host_thread *t, unsigned last)
{
	struct zsr_host *h = t->host;
	unsigned cpu;

	pthread_mutex_lock(&h->cpu_lock);
	cpu = find_free(h, t, last);
	if (cpu != ZSR_HOST_NO_CPU)
		own(h, cpu, t);
	else
		stand_in_line(h, t);
	pthread_mutex_unlock(&h->cpu_lock);
	go_to(t);
}

/* To the first in line who may have it. */
static void hand_on(struct zsr_host *h, unsigned cpu)
{
	struct zsr_host_thread **link = &h->waiters, *t;

	while (*link && (*link)->home != ZSR_HOST_NO_CPU && (*link)->home != cpu)
		link = &(*link)->next_waiter;
	t = *link;
	if (t)
		*link = t->next_waiter;
	own(h, cpu, t);
	if (t)
		pthread_cond_signal(&t->granted);
}

static unsigned put_cpu(struct zsr_host_thread *t)
{
	struct zsr_host *h = t->host;
	unsigned cpu = t->cpu;

	pthread_mutex_lock(&h->cpu_lock);
	t->cpu = ZSR_HOST_NO_CPU;
	hand_on(h, cpu);
	pthread_mutex_unlock(&h->cpu_lock);
	return cpu;
}

void zsr_host_block(struct zsr_host_thread *t)
{
	put_cpu(t);
}

void zsr_host_unblock(struct zsr_host_thread *t)
{
	get_cpu(t, t->cpu);
}

void zsr_host_resched(struct zsr_host_thread *t)
{
	get_cpu(t, put_cpu(t));
}

/* ---- entering, leaving --------------------------------------------------------- */

void zsr_host_join(struct zsr_host *h, struct zsr_host_thread *t)
{
	pthread_condattr_t attr;

	t->host = h;
	t->cpu = ZSR_HOST_NO_CPU;
	t->on = ZSR_HOST_NO_CPU;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&t->granted, &attr);
	pthread_condattr_destroy(&attr);
	zsr_host_self = t;
}

void zsr_host_enter(struct zsr_host *h, struct zsr_host_thread *t)
{
	zsr_host_join(h, t);
	get_cpu(t, ZSR_HOST_NO_CPU);
}

void zsr_host_counts_add(struct zsr_host_counts *to,
			 const struct zsr_host_counts *from)
{
	to->spin += from->spin;
	to->queueing += from->queueing;
	to->work += from->work;
	to->locks += from->locks;
	to->contended += from->contended;
	to->queued += from->queued;
	to->runs += from->runs;
	to->stamps += from->stamps;
	to->late += from->late;
}

void zsr_host_leave(struct zsr_host_thread *t)
{
	struct zsr_host *h = t->host;

	if (t->cpu != ZSR_HOST_NO_CPU)
		put_cpu(t);
	zsr_host_self = NULL;
	if (t->on != ZSR_HOST_NO_CPU) /* it may be somebody's main thread */
		sched_setaffinity(0, sizeof(h->may), &h->may);
	pthread_cond_destroy(&t->granted);
	pthread_mutex_lock(&h->retired_lock);
	zsr_host_counts_add(&h->retired, &t->counts);
	pthread_mutex_unlock(&h->retired_lock);
}
