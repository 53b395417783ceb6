// SPDX-License-Identifier: GPL-2.0-only
/* Waking, switching, work queues, new threads. */
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <time.h>

#include "replay/calibrate.h"

enum { SWITCHES = 32, QUEUED = 256, NAP_NS = 200000 };

static void nap(void)
{
	const struct timespec ts = { .tv_nsec = NAP_NS };

	nanosleep(&ts, NULL);
}

/* ---- switches ------------------------------------------------------------------ */

/* Two threads on one CPU that wake each other. */
struct switches {
	struct zsr_cal *c;
	sem_t here, there;
	bool stop;
	pthread_t thread;
};

static void *switch_main(void *arg)
{
	struct switches *s = arg;

	zsr_cal_pin(s->c, 0);
	for (;;) {
		while (sem_wait(&s->there))
			;
		if (__atomic_load_n(&s->stop, __ATOMIC_RELAXED))
			return NULL;
		sem_post(&s->here);
	}
}

static int switch_round(void *ctx, int64_t *v)
{
	struct switches *s = ctx;
	uint64_t begin = zsr_ticks();
	unsigned i;

	for (i = 0; i < SWITCHES; i++) {
		sem_post(&s->there);
		while (sem_wait(&s->here))
			;
	}
	*v = zsr_cal_each(s->c, zsr_ticks() - begin, 2 * SWITCHES);
	return 0;
}

static int switches(struct zsr_cal *c, struct zsr_err *err)
{
	struct switches s = { .c = c };
	int ret;

	sem_init(&s.here, 0, 0);
	sem_init(&s.there, 0, 0);
	ret = pthread_create(&s.thread, NULL, switch_main, &s);
	if (ret)
		return zsr_err_sys(err, ret, "thread");
	zsr_cal_pin(c, 0);
	ret = zsr_cal_rounds(c, ZSR_COST_context_switch, switch_round, &s);
	__atomic_store_n(&s.stop, true, __ATOMIC_RELAXED);
	sem_post(&s.there);
	pthread_join(s.thread, NULL);
	zsr_cal_unpin(c);
	sem_destroy(&s.here);
	sem_destroy(&s.there);
	return ret ? zsr_err_nomem(err, "rounds") : 0;
}

/* ---- new threads ----------------------------------------------------------------- */

static void *created_main(void *arg)
{
	*(uint64_t *)arg = zsr_ticks();
	return NULL;
}

static int create_round(void *ctx, int64_t *v)
{
	const struct zsr_cal *c = ctx;
	uint64_t begin, began = 0;
	pthread_t thread;
	int ret;

	begin = zsr_ticks();
	ret = pthread_create(&thread, NULL, created_main, &began);
	if (ret)
		return -ret;
	pthread_join(thread, NULL);
	*v = zsr_cal_each(c, began - zsr_min(began, begin), 1);
	return 0;
}

/* ---- work queues ------------------------------------------------------------------- */

struct queue {
	struct zsr_cal *c;
	struct zsr_host *h;
	struct zsr_host_thread self;
	struct zsr_workqueue wq;
	struct zsr_work work;
	uint64_t began; /* ticks, of the work function */
	int64_t handed; /* ps from having queued it to that, of this round */
	struct zsr_samples latency;
};

static void work_fn(struct zsr_work *work)
{
	struct queue *q = work->arg;

	__atomic_store_n(&q->began, zsr_ticks(), __ATOMIC_RELEASE);
}

/* An item that is queued already. */
static int again_round(void *ctx, int64_t *v)
{
	struct queue *q = ctx;
	uint64_t begin;
	unsigned i;

	q->work.pending = true;
	begin = zsr_ticks();
	for (i = 0; i < QUEUED; i++)
		zsr_queue_work(&q->h->m, &q->work);
	*v = zsr_cal_each(q->c, zsr_ticks() - begin, QUEUED);
	q->work.pending = false;
	return 0;
}

/* One whose worker has gone to sleep: what it takes who queues it, and until
 * the worker is at it. The caller stays on its CPU, as one that goes on
 * releasing does. */
static int handover_round(void *ctx, int64_t *v)
{
	struct queue *q = ctx;
	uint64_t begin, end, began;
	unsigned spins = 0;

	nap();
	__atomic_store_n(&q->began, 0, __ATOMIC_RELAXED);
	begin = zsr_ticks();
	zsr_queue_work(&q->h->m, &q->work);
	end = zsr_ticks();
	while (!(began = __atomic_load_n(&q->began, __ATOMIC_ACQUIRE)))
		if (++spins % 4096)
			zsr_host_relax();
		else /* on one CPU it is the worker that needs it */
			zsr_cond_resched(&q->h->m);
	*v = zsr_cal_each(q->c, end - begin, 1);
	return zsr_samples_add(
		&q->latency, zsr_cal_each(q->c, began - zsr_min(began, end), 1));
}

static void minus(struct zsr_figure *f, const struct zsr_figure *what)
{
	f->q1 = zsr_max(f->q1 - what->median, 0);
	f->median = zsr_max(f->median - what->median, 0);
	f->q3 = zsr_max(f->q3 - what->median, 0);
}

static int queueing(struct zsr_cal *c, struct zsr_err *err)
{
	const struct zsr_host_opts opts = { .pin = true, .clock = &c->clock };
	struct zsr_figure *f = c->figure;
	struct queue q = { .c = c, .self.home = 0 };
	int ret = zsr_host_create(&q.h, &opts, err);

	if (ret)
		return ret;
	q.wq = (struct zsr_workqueue){ .name = "calibrate",
				       .flags = ZSR_WQ_UNBOUND };
	q.work = (struct zsr_work){ .fn = work_fn, .arg = &q, .wq = &q.wq };
	zsr_host_enter(q.h, &q.self);
	ret = zsr_cal_rounds(c, ZSR_COST_queue_work, again_round, &q)
		      ?: zsr_cal_rounds(c, ZSR_COST_wake, handover_round, &q);
	zsr_host_idle(q.h);
	zsr_host_leave(&q.self);
	zsr_host_destroy(q.h);
	/* The virtual machine has the three one after the other: the caller
	 * queues and wakes, the latency passes, the worker's CPU switches. */
	zsr_figure_set(&f[ZSR_CAL_wake_latency], &q.latency);
	zsr_samples_free(&q.latency);
	minus(&f[ZSR_COST_wake], &f[ZSR_COST_queue_work]);
	minus(&f[ZSR_CAL_wake_latency], &f[ZSR_COST_context_switch]);
	return ret ? zsr_err_nomem(err, "rounds") : 0;
}

int zsr_cal_threads(struct zsr_cal *c, struct zsr_err *err)
{
	int ret = switches(c, err);

	if (!ret && zsr_cal_rounds(c, ZSR_CAL_worker_create, create_round, c))
		ret = zsr_err_nomem(err, "threads");
	return ret ? ret : queueing(c, err);
}
