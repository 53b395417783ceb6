// SPDX-License-Identifier: GPL-2.0-only
/* Work queues and timers: when an item may start, and what each step does. */
#include "replay/machine/explore/private.h"

bool zsr_explore_bound(const struct zsr_explore *x, const struct zsr_work *w)
{
	return !(w->wq->flags & ZSR_WQ_UNBOUND) && !x->offline[w->cpu];
}

/* Items of W's queue (of its CPU, when it is bound) that run. */
static unsigned active(const struct zsr_explore *x, const struct zsr_work *w)
{
	unsigned i, nr = 0;

	for (i = 0; i < x->nr_works; i++) {
		const struct zsr_work *o = x->work[i];

		nr += o->running && o->wq == w->wq &&
		      (!zsr_explore_bound(x, w) || o->cpu == w->cpu);
	}
	return nr;
}

bool zsr_explore_work_ready(const struct zsr_explore *x,
			    const struct zsr_work *w)
{
	unsigned max = w->wq->max_active ? w->wq->max_active
					 : ZSR_WQ_DEFAULT_ACTIVE;

	return !w->running && active(x, w) < max;
}

unsigned zsr_explore_nr_works(const struct zsr_explore *x)
{
	return x->nr_works + x->nr_timers;
}

/* It is pending or running from now on. */
static void work_add(struct zsr_explore *x, struct zsr_work *w)
{
	unsigned i;

	for (i = 0; i < x->nr_works; i++)
		if (x->work[i] == w)
			return;
	if (x->nr_works == MAX_WORKS)
		zsr_explore_fail(x, "more than %u work items", MAX_WORKS);
	x->work[x->nr_works++] = w;
}

/* Order is kept: decisions number the items by it. */
static void work_remove(struct zsr_explore *x, const struct zsr_work *w)
{
	unsigned i, k = 0;

	for (i = 0; i < x->nr_works; i++)
		if (x->work[i] != w)
			x->work[k++] = x->work[i];
	x->nr_works = k;
}

static bool timer_remove(struct zsr_explore *x, struct zsr_delayed_work *w)
{
	unsigned i, k = 0;

	for (i = 0; i < x->nr_timers; i++)
		if (x->timer[i] != w)
			x->timer[k++] = x->timer[i];
	x->nr_timers = k;
	w->armed = 0;
	return k < i;
}

static void enqueue(struct zsr_explore *x, struct zsr_work *w, unsigned cpu)
{
	w->pending = true;
	if (!w->running)
		w->cpu = cpu;
	work_add(x, w);
}

bool zsr_explore_queue_work_on(struct zsr_machine *m, unsigned cpu,
			       struct zsr_work *w)
{
	struct zsr_explore *x = explore_of(m);

	zsr_explore_point(x, OP_queue_work, w);
	zsr_explore_touch(x, w);
	if (w->pending)
		return false;
	enqueue(x, w, cpu);
	return true;
}

bool zsr_explore_queue_delayed_on(struct zsr_machine *m, unsigned cpu,
				  struct zsr_delayed_work *w, uint64_t delay_ns)
{
	struct zsr_explore *x = explore_of(m);

	zsr_explore_point(x, OP_queue_delayed, &w->work);
	zsr_explore_touch(x, &w->work);
	if (w->armed || w->work.pending)
		return false;
	w->m = m;
	if (!delay_ns) {
		enqueue(x, &w->work, cpu);
		return true;
	}
	if (x->nr_timers == MAX_WORKS)
		zsr_explore_fail(x, "more than %u timers", MAX_WORKS);
	w->armed = 1;
	if (!w->work.running)
		w->work.cpu = cpu;
	x->timer[x->nr_timers++] = w;
	return true;
}

bool zsr_explore_cancel_delayed(struct zsr_machine *m,
				struct zsr_delayed_work *w)
{
	struct zsr_explore *x = explore_of(m);

	zsr_explore_point(x, OP_cancel_delayed, &w->work);
	zsr_explore_touch(x, &w->work);
	return timer_remove(x, w);
}

void zsr_explore_fire(struct zsr_explore *x, struct zsr_delayed_work *w)
{
	struct object *o = zsr_explore_object(x, &w->work);

	zsr_explore_trace(x, &(struct step){ .op = OP_fire,
					     .object = &w->work,
					     .cpu = w->work.cpu,
					     .counts = true });
	x->fired++;
	o->written = zsr_explore_mix(o->written + o->read, OP_fire);
	o->read = 0;
	timer_remove(x, w);
	enqueue(x, &w->work, w->work.cpu);
}

void zsr_explore_flush_work(struct zsr_machine *m, struct zsr_work *w)
{
	struct zsr_explore *x = explore_of(m);

	zsr_explore_check_free(x, "sleeps");
	zsr_explore_point(x, OP_flush_work, w);
	zsr_explore_touch(x, w);
}

void zsr_explore_worker(struct zsr_explore *x, void *arg)
{
	struct zsr_explore_task *t = x->cur;
	struct zsr_work *w;

	(void)arg;
	/* It starts when it has something to do. */
	for (;; zsr_explore_point(x, OP_idle, NULL)) {
		w = t->work;
		zsr_explore_touch(x, w);
		w->pending = false;
		w->running = true;
		w->fn(w);
		zsr_explore_check_free(x, "ends a work item");
		zsr_explore_point(x, OP_work_done, w);
		zsr_explore_touch(x, w);
		w->running = false;
		if (!w->pending)
			work_remove(x, w);
		t->work = NULL;
		t->bound = false;
	}
}
