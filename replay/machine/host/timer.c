// SPDX-License-Identifier: GPL-2.0-only
/* Delayed work: one thread with a heap of what is due when. */
#include <stdlib.h>
#include <time.h>

#include "replay/machine/host/host.h"

/* What a timer is armed with: CLOCK_MONOTONIC in ns, then the CPU for its work,
 * which others may queue meanwhile. Never 0. */
#define CPU_BITS 6
_Static_assert(ZSR_MAX_CPUS <= 1 << CPU_BITS, "a CPU's number fits");

static uint64_t due_ns(const struct zsr_delayed_work *w)
{
	return w->armed >> CPU_BITS;
}

static unsigned cpu_of(const struct zsr_delayed_work *w)
{
	return w->armed & ((1u << CPU_BITS) - 1);
}

static bool before(const struct zsr_host *h, size_t a, size_t b)
{
	return h->timer[a]->armed < h->timer[b]->armed;
}

static void exchange(struct zsr_host *h, size_t a, size_t b)
{
	struct zsr_delayed_work *w = h->timer[a];

	h->timer[a] = h->timer[b];
	h->timer[b] = w;
}

static void sift_up(struct zsr_host *h, size_t i)
{
	for (; i && before(h, i, (i - 1) / 2); i = (i - 1) / 2)
		exchange(h, i, (i - 1) / 2);
}

static void sift_down(struct zsr_host *h, size_t i)
{
	size_t child;

	for (; (child = 2 * i + 1) < h->nr_timers; i = child) {
		if (child + 1 < h->nr_timers && before(h, child + 1, child))
			child++;
		if (!before(h, child, i))
			return;
		exchange(h, i, child);
	}
}

static void take_out(struct zsr_host *h, size_t i)
{
	h->timer[i]->armed = 0;
	h->timer[i] = h->timer[--h->nr_timers];
	if (i == h->nr_timers)
		return;
	sift_up(h, i);
	sift_down(h, i);
}

bool zsr_host_queue_delayed_on(struct zsr_machine *m, unsigned cpu,
			       struct zsr_delayed_work *w, uint64_t delay_ns)
{
	struct zsr_host_thread *t = zsr_host_self;
	struct zsr_host *h = zsr_host_of(m);
	bool set, first = false, full = false;

	zsr_host_preempt_off(t);
	zsr_host_ticket_lock(&h->timer_lock);
	set = !w->armed && !__atomic_load_n(&w->work.pending, __ATOMIC_ACQUIRE);
	if (set)
		full = zsr_grow(&h->timer, &h->cap_timers, h->nr_timers + 1,
				sizeof(*h->timer));
	if (set && !full) {
		w->armed = (zsr_clock_ns() + zsr_max(delay_ns, (uint64_t)1))
				   << CPU_BITS |
			   cpu;
		h->timer[h->nr_timers] = w;
		sift_up(h, h->nr_timers++);
		first = h->timer[0] == w;
	}
	zsr_host_ticket_unlock(&h->timer_lock);
	if (first)
		sem_post(&h->timer_wake);
	if (full) { /* no memory: too early is better than never */
		__atomic_store_n(&h->error, -ENOMEM, __ATOMIC_RELAXED);
		zsr_host_queue_work_on(m, cpu, &w->work);
	}
	zsr_host_preempt_on(t);
	return set;
}

bool zsr_host_cancel_delayed(struct zsr_machine *m, struct zsr_delayed_work *w)
{
	struct zsr_host *h = zsr_host_of(m);
	bool armed;
	size_t i;

	zsr_host_ticket_lock(&h->timer_lock);
	armed = w->armed;
	for (i = 0; armed && h->timer[i] != w; i++)
		;
	if (armed)
		take_out(h, i);
	zsr_host_ticket_unlock(&h->timer_lock);
	return armed;
}

bool zsr_host_timers_set(struct zsr_host *h)
{
	bool any;

	zsr_host_ticket_lock(&h->timer_lock);
	any = h->nr_timers;
	zsr_host_ticket_unlock(&h->timer_lock);
	return any;
}

/* Queue what is due, with the lock held: who then takes a timer back in vain
 * finds its work queued. When the next one is due; 0: there is none. */
static uint64_t fire(struct zsr_host *h)
{
	struct zsr_delayed_work *w;
	uint64_t next = 0;
	unsigned cpu;

	zsr_host_preempt_off(zsr_host_self);
	zsr_host_ticket_lock(&h->timer_lock);
	while (h->nr_timers) {
		w = h->timer[0];
		next = due_ns(w);
		if (next > zsr_clock_ns())
			break;
		cpu = cpu_of(w);
		take_out(h, 0);
		zsr_host_queue_work_on(&h->m, cpu, &w->work);
		next = 0;
	}
	zsr_host_ticket_unlock(&h->timer_lock);
	zsr_host_preempt_on(zsr_host_self);
	return next;
}

static void *timer_main(void *arg)
{
	struct zsr_host_thread self = { .home = ZSR_HOST_NO_CPU };
	struct zsr_host *h = arg;
	struct timespec at;
	uint64_t next = 0;

	zsr_host_enter(h, &self);
	while (!__atomic_load_n(&h->stopping, __ATOMIC_ACQUIRE)) {
		zsr_host_block(&self);
		at.tv_sec = (time_t)(next / 1000000000);
		at.tv_nsec = (long)(next % 1000000000);
		if (next)
			sem_clockwait(&h->timer_wake, CLOCK_MONOTONIC, &at);
		else
			sem_wait(&h->timer_wake);
		zsr_host_unblock(&self);
		next = fire(h);
	}
	zsr_host_leave(&self);
	return NULL;
}

int zsr_host_timer_init(struct zsr_host *h, struct zsr_err *err)
{
	int ret;

	sem_init(&h->timer_wake, 0, 0);
	ret = pthread_create(&h->timer_thread, NULL, timer_main, h);
	return ret ? zsr_err_sys(err, ret, "timer thread") : 0;
}

void zsr_host_timer_stop(struct zsr_host *h)
{
	__atomic_store_n(&h->stopping, true, __ATOMIC_RELEASE);
	sem_post(&h->timer_wake);
	pthread_join(h->timer_thread, NULL);
	sem_destroy(&h->timer_wake);
	free(h->timer);
}
