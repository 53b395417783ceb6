// SPDX-License-Identifier: GPL-2.0-only
/* The host machine as machine.h wants it, and its life. */
#include <stdlib.h>

#include "replay/machine/host/host.h"

static void charge(struct zsr_machine *m, enum zsr_cost cost, unsigned n)
{
	(void)m;
	(void)cost;
	(void)n;
}

static void order(struct zsr_machine *m)
{
	(void)m;
}

static uint64_t now_ps(struct zsr_machine *m)
{
	const struct zsr_host *h = zsr_host_of(m);

	return zsr_clock_ps(&h->clock, zsr_ticks());
}

/* ---- lines ------------------------------------------------------------------ */

static void line_read(struct zsr_machine *m, struct zsr_line *l)
{
	uint64_t seen = __atomic_load_n(&l->host, __ATOMIC_RELAXED);

	(void)m;
	__asm__ volatile("" : : "r"(seen));
}

static void line_write(struct zsr_machine *m, struct zsr_line *l)
{
	(void)m;
	__atomic_store_n(&l->host, 1, __ATOMIC_RELAXED);
}

static void line_atomic(struct zsr_machine *m, struct zsr_line *l)
{
	(void)m;
	__atomic_fetch_add(&l->host, 1, __ATOMIC_RELAXED);
}

/* ---- CPUs --------------------------------------------------------------------- */

static unsigned cpu(struct zsr_machine *m)
{
	(void)m;
	return zsr_host_self->cpu;
}

static void preempt_disable(struct zsr_machine *m)
{
	(void)m;
	zsr_host_preempt_off(zsr_host_self);
}

static void preempt_enable(struct zsr_machine *m)
{
	(void)m;
	zsr_host_preempt_on(zsr_host_self);
}

static void cond_resched(struct zsr_machine *m)
{
	preempt_disable(m);
	preempt_enable(m);
}

static const struct zsr_machine_ops ops = {
	.charge = charge,
	.now_ps = now_ps,
	.spin_lock = zsr_host_spin_lock,
	.spin_trylock = zsr_host_spin_trylock,
	.spin_unlock = zsr_host_spin_unlock,
	.read_lock = zsr_host_read_lock,
	.read_unlock = zsr_host_read_unlock,
	.write_lock = zsr_host_write_lock,
	.write_unlock = zsr_host_write_unlock,
	.spin_is_locked = zsr_host_spin_is_locked,
	.spin_contended = zsr_host_spin_contended,
	.write_contended = zsr_host_write_contended,
	.line_read = line_read,
	.line_write = line_write,
	.line_atomic = line_atomic,
	.order = order,
	.cpu = cpu,
	.preempt_disable = preempt_disable,
	.preempt_enable = preempt_enable,
	.cond_resched = cond_resched,
	.queue_work_on = zsr_host_queue_work_on,
	.queue_delayed_on = zsr_host_queue_delayed_on,
	.cancel_delayed = zsr_host_cancel_delayed,
	.flush_work = zsr_host_flush_work,
	.pages_alloc = zsr_host_pages_alloc,
	.pages_free = zsr_host_pages_free,
	.pages_vanish = zsr_host_pages_vanish,
};

static struct zsr_machine_ops queued_ops;

/* The same with the other kind of spinlock: nobody asks which it is. */
static void queued_ops_init(void)
{
	queued_ops = ops;
	queued_ops.spin_lock = zsr_host_queued_lock;
	queued_ops.spin_trylock = zsr_host_queued_trylock;
	queued_ops.spin_unlock = zsr_host_queued_unlock;
	queued_ops.spin_contended = zsr_host_queued_contended;
}

/* ---- life -------------------------------------------------------------------- */

void zsr_host_each_worker(struct zsr_host *h,
			  void (*fn)(void *ctx, const struct zsr_host_thread *t),
			  void *ctx)
{
	const struct zsr_host_thread *t;
	unsigned i, k;

	zsr_host_ticket_lock(&h->work_lock);
	for (i = 0; i <= ZSR_MAX_CPUS; i++)
		for (k = 0; k < 2; k++)
			for (t = h->pool[i][k].workers; t; t = t->next)
				fn(ctx, t);
	zsr_host_ticket_unlock(&h->work_lock);
}

static void add_counts(void *ctx, const struct zsr_host_thread *t)
{
	zsr_host_counts_add(ctx, &t->counts);
}

void zsr_host_sum(struct zsr_host *h, struct zsr_host_counts *sum)
{
	pthread_mutex_lock(&h->retired_lock);
	*sum = h->retired;
	pthread_mutex_unlock(&h->retired_lock);
	zsr_host_each_worker(h, add_counts, sum);
}

static int start(struct zsr_host *h, struct zsr_err *err)
{
	int ret = zsr_host_timer_init(h, err);

	if (ret)
		return ret;
	ret = zsr_host_work_init(h, err);
	if (!ret)
		return 0;
	zsr_host_timer_stop(h);
	zsr_host_work_stop(h);
	return ret;
}

static void dispose(struct zsr_host *h)
{
	pthread_mutex_destroy(&h->cpu_lock);
	pthread_mutex_destroy(&h->retired_lock);
	free(h);
}

int zsr_host_create(struct zsr_host **host, const struct zsr_host_opts *opts,
		    struct zsr_err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct zsr_host *h = aligned_alloc(_Alignof(struct zsr_host),
					   sizeof(*h));
	int ret;

	if (!h)
		return zsr_err_nomem(err, "machine");
	pthread_once(&once, queued_ops_init);
	*h = (struct zsr_host){ .m.ops = opts->queued ? &queued_ops : &ops,
				.opts = *opts };
	if (!h->opts.pcp_batch)
		h->opts.pcp_batch = 63;
	if (!h->opts.pcp_high)
		h->opts.pcp_high = 378;
	pthread_mutex_init(&h->cpu_lock, NULL);
	pthread_mutex_init(&h->retired_lock, NULL);
	ret = zsr_host_cpus_init(h, err);
	if (opts->clock)
		h->clock = *opts->clock;
	else
		zsr_clock_init(&h->clock);
	if (!ret)
		ret = start(h, err);
	if (ret) {
		dispose(h);
		return zsr_err_wrap(err, ret, "host machine");
	}
	*host = h;
	return 0;
}

void zsr_host_destroy(struct zsr_host *h)
{
	if (!h)
		return;
	zsr_host_timer_stop(h);
	zsr_host_work_stop(h);
	dispose(h);
}
