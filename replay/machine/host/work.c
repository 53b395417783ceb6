// SPDX-License-Identifier: GPL-2.0-only
/*
 * Work queues: pools of worker threads, one a CPU for bound queues and one for
 * all unbound ones, each twice (normal and high priority). A worker that begins
 * an item sees to it that another one is there for the next, so nobody who
 * queues work ever makes a thread, but for the first item of a pool.
 *
 * All of it is under one lock. Who queues an item that is queued already does
 * not come to it.
 */
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "replay/machine/host/host.h"

enum { MAX_WORKERS = 64, IDLE_POLL_NS = 100000, HIGHPRI_NICE = -20 };

static struct zsr_host_pool *pool_of(struct zsr_host *h,
				     const struct zsr_workqueue *wq,
				     unsigned cpu)
{
	bool highpri = wq->flags & ZSR_WQ_HIGHPRI;

	if (wq->flags & ZSR_WQ_UNBOUND)
		cpu = ZSR_MAX_CPUS;
	return &h->pool[cpu][highpri];
}

static unsigned *active_of(struct zsr_workqueue *wq, unsigned cpu)
{
	return &wq->active[wq->flags & ZSR_WQ_UNBOUND ? 0 : cpu];
}

static unsigned max_active(const struct zsr_workqueue *wq)
{
	return wq->max_active ? wq->max_active : ZSR_WQ_DEFAULT_ACTIVE;
}

/* ---- under the lock ------------------------------------------------------ */

static void append(struct zsr_work **head, struct zsr_work **tail,
		   struct zsr_work *w)
{
	w->next = NULL;
	if (*tail)
		(*tail)->next = w;
	else
		*head = w;
	*tail = w;
}

static struct zsr_work *take_first(struct zsr_work **head,
				   struct zsr_work **tail)
{
	struct zsr_work *w = *head;

	if (!w)
		return NULL;
	*head = w->next;
	if (!*head)
		*tail = NULL;
	return w;
}

/* The worker that the pool's next item needs, off the idle list; NULL: none, or
 * one that runs gets to it. */
static struct zsr_host_thread *worker_needed(struct zsr_host_pool *p)
{
	struct zsr_host_thread *t = p->idle;

	if (!p->head || !t || (p->cpu != ZSR_HOST_NO_CPU && p->nr_running))
		return NULL;
	p->idle = t->next_idle;
	p->nr_running++;
	return t;
}

static struct zsr_host_thread *activate(struct zsr_host *h, struct zsr_work *w)
{
	struct zsr_host_pool *p = pool_of(h, w->wq, w->cpu);

	(*active_of(w->wq, w->cpu))++;
	append(&p->head, &p->tail, w);
	return worker_needed(p);
}

/* The first of the queue's items beyond max_active that may go on. */
static struct zsr_host_thread *next_active(struct zsr_host *h,
					   struct zsr_workqueue *wq,
					   unsigned cpu)
{
	struct zsr_work **link = &wq->head, *prev = NULL, *w;

	while (*link && !(wq->flags & ZSR_WQ_UNBOUND) && (*link)->cpu != cpu) {
		prev = *link;
		link = &prev->next;
	}
	w = *link;
	if (!w)
		return NULL;
	*link = w->next;
	if (wq->tail == w)
		wq->tail = prev;
	return activate(h, w);
}

static void wake_flushers(struct zsr_host *h, const struct zsr_work *w)
{
	struct zsr_host_flusher **link = &h->flushers, *f;

	while ((f = *link)) {
		if (f->work == w) {
			*link = f->next;
			sem_post(&f->done);
		} else {
			link = &f->next;
		}
	}
}

static void work_closed(struct zsr_host *h)
{
	if (!--h->works_open)
		h->idle_at = zsr_ticks();
}

/* ---- workers -------------------------------------------------------------- */

static void wake(struct zsr_host_thread *t)
{
	if (t)
		sem_post(&t->wake);
}

static int worker_make(struct zsr_host_pool *p);

/* One more, which goes at what waits. */
static int worker_add(struct zsr_host_pool *p)
{
	struct zsr_host *h = p->host;
	struct zsr_host_thread *t;
	int ret = worker_make(p);

	if (ret)
		return ret;
	zsr_host_ticket_lock(&h->work_lock);
	t = worker_needed(p);
	zsr_host_ticket_unlock(&h->work_lock);
	wake(t);
	return 0;
}

/* For the item after the one that is about to run. Without it that waits. */
static void keep_a_spare(struct zsr_host_pool *p)
{
	struct zsr_host *h = p->host;
	bool none;

	zsr_host_ticket_lock(&h->work_lock);
	none = !p->idle && p->nr_workers < MAX_WORKERS;
	zsr_host_ticket_unlock(&h->work_lock);
	if (none)
		worker_add(p);
}

static void call(struct zsr_host_thread *t, struct zsr_work *w)
{
	const struct zsr_probes *probes = t->host->opts.probes;
	uint64_t begin;

	if (probes)
		probes->drain_begin(w->wq->name, w);
	begin = zsr_ticks();
	w->fn(w);
	t->counts.work += zsr_ticks() - begin;
	t->counts.runs++;
	if (probes)
		probes->drain_end(w->wq->name, w);
}

/* With the lock held, which is dropped meanwhile. */
static void run_item(struct zsr_host_thread *t, struct zsr_work *w)
{
	struct zsr_host *h = t->host;
	struct zsr_workqueue *wq = w->wq;
	struct zsr_host_thread *more;
	unsigned cpu = w->cpu;

	do {
		w->running = true;
		w->next = NULL;
		__atomic_store_n(&w->pending, false, __ATOMIC_RELEASE);
		zsr_host_ticket_unlock(&h->work_lock);
		call(t, w);
		zsr_host_ticket_lock(&h->work_lock);
		w->running = false;
		work_closed(h);
	} while (w->next == w);
	wake_flushers(h, w);
	(*active_of(wq, cpu))--;
	more = next_active(h, wq, cpu);
	zsr_host_ticket_unlock(&h->work_lock);
	wake(more);
	zsr_host_ticket_lock(&h->work_lock);
}

/* Until there is an item; with the lock held. NULL: the machine goes. */
static struct zsr_work *next_item(struct zsr_host_thread *t)
{
	struct zsr_host_pool *p = t->pool;
	struct zsr_host *h = t->host;
	struct zsr_work *w;

	while (!(w = take_first(&p->head, &p->tail)) &&
	       !__atomic_load_n(&h->stopping, __ATOMIC_ACQUIRE)) {
		p->nr_running--;
		t->next_idle = p->idle;
		p->idle = t;
		zsr_host_ticket_unlock(&h->work_lock);
		zsr_host_block(t);
		zsr_host_switches(t);
		while (sem_wait(&t->wake))
			;
		zsr_host_delay(t);
		zsr_host_unblock(t);
		zsr_host_ticket_lock(&h->work_lock);
	}
	return w;
}

static void worker_nice(struct zsr_host_thread *t)
{
	int nice = t->highpri ? HIGHPRI_NICE : t->host->opts.worker_nice;

	if (nice && setpriority(PRIO_PROCESS, 0, nice))
		__atomic_store_n(&t->host->nice_refused, true, __ATOMIC_RELAXED);
}

/* An unbound worker's CPUs, if not all. */
static void keep_to_cpus(struct zsr_host_thread *t)
{
	struct zsr_host *h = t->host;
	cpu_set_t set;
	unsigned i;

	if (!h->opts.worker_cpus || t->home != ZSR_HOST_NO_CPU)
		return;
	CPU_ZERO(&set);
	for (i = 0; i < h->m.nr_cpus; i++)
		if (h->opts.worker_cpus >> i & 1)
			CPU_SET(h->cpu[i].system, &set);
	t->barred = ~h->opts.worker_cpus;
	sched_setaffinity(0, sizeof(set), &set);
}

static void *worker_main(void *arg)
{
	struct zsr_host_thread *t = arg;
	struct zsr_host *h = t->pool->host;
	struct zsr_work *w;

	t->home = t->pool->cpu;
	t->highpri = t->pool->highpri;
	zsr_host_join(h, t);
	worker_nice(t);
	keep_to_cpus(t);
	while (sem_wait(&t->wake))
		;
	zsr_host_delay(t);
	zsr_host_unblock(t);
	zsr_host_ticket_lock(&h->work_lock);
	while ((w = next_item(t))) {
		zsr_host_ticket_unlock(&h->work_lock);
		keep_a_spare(t->pool);
		zsr_host_ticket_lock(&h->work_lock);
		run_item(t, w);
	}
	zsr_host_ticket_unlock(&h->work_lock);
	zsr_host_leave(t);
	return NULL;
}

/* A worker comes idle. */
static int worker_make(struct zsr_host_pool *p)
{
	struct zsr_host_thread *t = calloc(1, sizeof(*t));
	struct zsr_host *h = p->host;
	int ret = -ENOMEM;

	if (!t)
		return ret;
	t->pool = p;
	t->counted = true;
	sem_init(&t->wake, 0, 0);
	zsr_host_ticket_lock(&h->work_lock);
	t->next = p->workers;
	p->workers = t;
	ret = -pthread_create(&t->thread, NULL, worker_main, t);
	if (ret) {
		p->workers = t->next;
	} else {
		t->next_idle = p->idle;
		p->idle = t;
		p->nr_workers++;
	}
	zsr_host_ticket_unlock(&h->work_lock);
	if (ret) {
		sem_destroy(&t->wake);
		free(t);
	}
	return ret;
}

/* ---- queueing -------------------------------------------------------------- */

static struct zsr_host_thread *insert(struct zsr_host *h, struct zsr_work *w,
				      unsigned cpu)
{
	struct zsr_workqueue *wq = w->wq;

	h->works_open++;
	if (w->running) { /* its worker looks: see run_item() */
		w->next = w;
		return NULL;
	}
	w->cpu = cpu;
	w->next = NULL;
	if (*active_of(wq, cpu) < max_active(wq))
		return activate(h, w);
	append(&wq->head, &wq->tail, w);
	return NULL;
}

bool zsr_host_queue_work_on(struct zsr_machine *m, unsigned cpu,
			    struct zsr_work *w)
{
	struct zsr_host_thread *t = zsr_host_self, *worker;
	struct zsr_host *h = zsr_host_of(m);
	struct zsr_host_pool *p = pool_of(h, w->wq, cpu);
	uint64_t begin;
	bool first;

	if (__atomic_exchange_n(&w->pending, true, __ATOMIC_ACQ_REL))
		return false;
	begin = zsr_ticks();
	zsr_host_preempt_off(t);
	zsr_host_ticket_lock(&h->work_lock);
	worker = insert(h, w, cpu);
	first = !p->nr_workers;
	zsr_host_ticket_unlock(&h->work_lock);
	wake(worker);
	if (first && worker_add(p)) /* nobody would ever run it */
		__atomic_store_n(&h->error, -ENOMEM, __ATOMIC_RELAXED);
	t->counts.queueing += zsr_ticks() - begin;
	t->counts.queued++;
	zsr_host_preempt_on(t);
	return true;
}

/* ---- waiting for work ---------------------------------------------------------- */

/* A worker that sleeps lets another one of its pool run. */
static void worker_sleeps(struct zsr_host_thread *t)
{
	struct zsr_host_thread *other;

	if (!t->pool)
		return;
	zsr_host_ticket_lock(&t->host->work_lock);
	t->pool->nr_running--;
	other = worker_needed(t->pool);
	zsr_host_ticket_unlock(&t->host->work_lock);
	wake(other);
}

static void worker_wakes(struct zsr_host_thread *t)
{
	if (!t->pool)
		return;
	zsr_host_ticket_lock(&t->host->work_lock);
	t->pool->nr_running++;
	zsr_host_ticket_unlock(&t->host->work_lock);
}

void zsr_host_flush_work(struct zsr_machine *m, struct zsr_work *w)
{
	struct zsr_host_thread *t = zsr_host_self;
	struct zsr_host_flusher f = { .work = w };
	struct zsr_host *h = zsr_host_of(m);
	bool open;

	sem_init(&f.done, 0, 0);
	zsr_host_ticket_lock(&h->work_lock);
	open = w->running || __atomic_load_n(&w->pending, __ATOMIC_ACQUIRE);
	if (open) {
		f.next = h->flushers;
		h->flushers = &f;
	}
	zsr_host_ticket_unlock(&h->work_lock);
	if (open) {
		worker_sleeps(t);
		zsr_host_block(t);
		while (sem_wait(&f.done))
			;
		zsr_host_unblock(t);
		worker_wakes(t);
	}
	sem_destroy(&f.done);
}

uint64_t zsr_host_idle(struct zsr_host *h)
{
	const struct timespec nap = { .tv_nsec = IDLE_POLL_NS };
	struct zsr_host_thread *t = zsr_host_self;
	uint64_t at;
	bool open;

	zsr_host_block(t);
	for (;;) {
		/* Timers first: one that fires is work by the time it is
		 * none. */
		open = zsr_host_timers_set(h);
		zsr_host_ticket_lock(&h->work_lock);
		open |= h->works_open > 0;
		at = h->idle_at;
		zsr_host_ticket_unlock(&h->work_lock);
		if (!open)
			break;
		nanosleep(&nap, NULL);
	}
	zsr_host_unblock(t);
	return at;
}

/* ---- life --------------------------------------------------------------------- */

static struct zsr_host_pool *pool_at(struct zsr_host *h, unsigned i)
{
	return &h->pool[i / 2][i % 2];
}

#define NR_POOLS (2 * (ZSR_MAX_CPUS + 1))

int zsr_host_work_init(struct zsr_host *h, struct zsr_err *err)
{
	struct zsr_host_pool *p;
	unsigned i;
	int ret = 0;

	for (i = 0; i < NR_POOLS; i++) {
		p = pool_at(h, i);
		p->host = h;
		p->highpri = i % 2;
		p->cpu = i / 2 == ZSR_MAX_CPUS ? ZSR_HOST_NO_CPU : i / 2;
		if (!ret && (p->cpu == ZSR_HOST_NO_CPU ||
			     (p->cpu < h->m.nr_cpus && !p->highpri)))
			ret = worker_make(p);
	}
	return ret ? zsr_err_sys(err, -ret, "worker threads") : 0;
}

void zsr_host_work_stop(struct zsr_host *h)
{
	struct zsr_host_thread *t;
	unsigned i;

	zsr_host_ticket_lock(&h->work_lock);
	h->stopping = true;
	zsr_host_ticket_unlock(&h->work_lock);
	for (i = 0; i < NR_POOLS; i++)
		for (t = pool_at(h, i)->workers; t; t = t->next)
			sem_post(&t->wake);
	for (i = 0; i < NR_POOLS; i++)
		while ((t = pool_at(h, i)->workers)) {
			pool_at(h, i)->workers = t->next;
			pthread_join(t->thread, NULL);
			zsr_host_events_close(&t->events);
			sem_destroy(&t->wake);
			free(t);
		}
}
