// SPDX-License-Identifier: GPL-2.0-only
/* Who has which of the machine's CPUs: see host.h. */
#include <sched.h>
#include <sys/resource.h>
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

#ifdef RSEQ_SIG
/* What the kernel checks of a sequence before it finds us outside of it. */
static const struct {
	uint32_t signature, abort, sequence;
} nowhere = { .signature = RSEQ_SIG };
static struct rseq_cs cs __attribute__((aligned(32)));
#endif

uint64_t zsr_host_nowhere = 1;

static void nowhere_init(void)
{
#ifdef RSEQ_SIG
	cs = (struct rseq_cs){
		.start_ip = (uintptr_t)&nowhere.sequence,
		.post_commit_offset = 1,
		.abort_ip = (uintptr_t)&nowhere.abort,
	};
	zsr_host_nowhere = (uintptr_t)&cs;
#endif
}

/* Where the kernel says so, or where it never does. */
static uint64_t *kept_of(struct zsr_host_thread *t)
{
#ifdef RSEQ_SIG
	if (__rseq_size)
		return (uint64_t *)((char *)__builtin_thread_pointer() +
				    __rseq_offset +
				    offsetof(struct rseq, rseq_cs));
#endif
	return &t->kept_none;
}

/* With more CPUs than the process may use, they share. */
int zsr_host_cpus_init(struct zsr_host *h, struct zsr_err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
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
	pthread_once(&once, nowhere_init);
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

static bool may_have(const struct zsr_host_thread *t, unsigned cpu)
{
	return t->home == ZSR_HOST_NO_CPU ? !(t->barred >> cpu & 1)
					  : t->home == cpu;
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
		if (h->cpu[cpu].owner || !may_have(t, cpu))
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

	for (cpu = 0; t->home == ZSR_HOST_NO_CPU && cpu < h->m.nr_cpus; cpu++)
		if (may_have(t, cpu) &&
		    (oldest == ZSR_HOST_NO_CPU ||
		     h->cpu[cpu].since < h->cpu[oldest].since))
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

	while (*link && !may_have(*link, cpu))
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
	t->kept = kept_of(t);
	t->rng.state = (uintptr_t)t ^ zsr_ticks();
	zsr_host_self = t;
	zsr_host_watch(t);
	if (t->counted)
		zsr_host_events_open(&t->events);
}

void zsr_host_switches(struct zsr_host_thread *t)
{
	struct rusage u;

	if (getrusage(RUSAGE_THREAD, &u))
		return;
	__atomic_store_n(&t->switches, (uint64_t)u.ru_nvcsw, __ATOMIC_RELAXED);
	__atomic_store_n(&t->displaced, (uint64_t)u.ru_nivcsw, __ATOMIC_RELAXED);
}

void zsr_host_delay(struct zsr_host_thread *t)
{
	const struct zsr_host_opts *o = &t->host->opts;
	const struct zsr_dist *d = t->pool && o->worker ? o->worker : o->wake;
	uint64_t ns = d ? zsr_dist_draw(d, &t->rng) / 1000 : 0;
	const struct timespec ts = { .tv_sec = (time_t)(ns / 1000000000),
				     .tv_nsec = (long)(ns % 1000000000) };

	if (ns)
		nanosleep(&ts, NULL);
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
	to->yields += from->yields;
}

void zsr_host_leave(struct zsr_host_thread *t)
{
	struct zsr_host *h = t->host;

	if (t->cpu != ZSR_HOST_NO_CPU)
		put_cpu(t);
	__atomic_store_n(t->kept, 0, __ATOMIC_RELAXED);
	zsr_host_switches(t);
	zsr_host_self = NULL;
	if (t->on != ZSR_HOST_NO_CPU) /* it may be somebody's main thread */
		sched_setaffinity(0, sizeof(h->may), &h->may);
	pthread_cond_destroy(&t->granted);
	pthread_mutex_lock(&h->retired_lock);
	zsr_host_counts_add(&h->retired, &t->counts);
	pthread_mutex_unlock(&h->retired_lock);
}
