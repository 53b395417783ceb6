// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>

#include "replay/policy/percpu.h"

struct zsr_words *zsr_words_new(uint64_t cap)
{
	struct zsr_words *w =
		malloc(sizeof(*w) + (size_t)cap * sizeof(w->word[0]));

	if (w)
		*w = (struct zsr_words){ 0 };
	return w;
}

void zsr_words_fetch(struct zsr_machine *m, const struct zsr_words *w,
		     unsigned bytes)
{
	if (w->count && w->cpu != zsr_cpu(m))
		zsr_charge(m, ZSR_COST_line_transfer,
			   zsr_lines(w->count * bytes));
}

void zsr_words_free(struct zsr_words *w)
{
	struct zsr_words *next;

	for (; w; w = next) {
		next = w->next;
		free(w);
	}
}

/* ---- the pool and the list of full pages --------------------------------- */

/* With the lock held, which who only looks (try_exchange) does not take. */
static void set_empty(struct zsr_percpu *q, struct zsr_words *w)
{
	__atomic_store_n(&q->empty, w, __ATOMIC_RELAXED);
}

/* With the lock held: W waits to be drained; whose turn it is does it. */
static struct zsr_work *put_full(struct zsr_percpu *q, struct zsr_words *w)
{
	*q->full_tail = w;
	q->full_tail = &w->next;
	return q->drain[q->turn++ % q->nr_drains];
}

struct zsr_words *zsr_percpu_take(struct zsr_percpu *q)
{
	struct zsr_words *w;

	zsr_spin_lock(q->m, &q->lock);
	w = q->full;
	if (w) {
		zsr_line_write(q->m, &q->lists);
		q->full = w->next;
		if (!q->full)
			q->full_tail = &q->full;
		w->next = NULL;
	}
	zsr_spin_unlock(q->m, &q->lock);
	return w;
}

void zsr_percpu_give(struct zsr_percpu *q, struct zsr_words *w)
{
	w->count = 0;
	zsr_spin_lock(q->m, &q->lock);
	zsr_line_write(q->m, &q->lists);
	w->next = q->empty;
	set_empty(q, w);
	zsr_spin_unlock(q->m, &q->lock);
}

/* ---- a CPU's page ---------------------------------------------------------- */

/* Exchange the CPU's page; false when the pool has no empty one. */
static bool exchange(struct zsr_percpu *q, struct zsr_percpu_cpu *c)
{
	struct zsr_work *drain;
	struct zsr_words *empty;

	zsr_spin_lock(q->m, &q->lock);
	empty = q->empty;
	if (!empty) {
		zsr_spin_unlock(q->m, &q->lock);
		return false;
	}
	zsr_line_write(q->m, &q->lists);
	set_empty(q, empty->next);
	empty->next = NULL;
	drain = put_full(q, c->page);
	c->page = empty;
	zsr_spin_unlock(q->m, &q->lock);
	zsr_charge(q->m, ZSR_COST_buffer_swap, 1);
	zsr_queue_work(q->m, drain);
	return true;
}

/* Who releases does not take the lock in vain. */
static bool try_exchange(struct zsr_percpu *q, struct zsr_percpu_cpu *c)
{
	zsr_line_read(q->m, &q->lists);
	return __atomic_load_n(&q->empty, __ATOMIC_RELAXED) && exchange(q, c);
}

bool zsr_percpu_room(struct zsr_percpu *q)
{
	struct zsr_percpu_cpu *c = &q->cpu[zsr_cpu(q->m)];

	return c->page->count < q->entries || try_exchange(q, c);
}

void zsr_percpu_push(struct zsr_percpu *q, uint32_t word)
{
	unsigned cpu = zsr_cpu(q->m);
	struct zsr_percpu_cpu *c = &q->cpu[cpu];

	if (!c->page->count && q->flush_ns)
		zsr_queue_delayed_work_on(q->m, cpu, &c->timer, q->flush_ns);
	zsr_charge(q->m, ZSR_COST_push, 1);
	c->page->cpu = cpu;
	c->page->word[c->page->count++] = word;
	if (c->page->count == q->entries)
		try_exchange(q, c);
}

/* ---- timers, CPUs that go -------------------------------------------------- */

static void wait_for_drains(struct zsr_percpu *q)
{
	unsigned i;

	for (i = 0; i < q->nr_drains; i++)
		zsr_flush_work(q->m, q->drain[i]);
}

/* Hand over what is in the CPU's page; false when there is none to exchange it
 * for. */
static bool hand_over(struct zsr_percpu *q, struct zsr_percpu_cpu *c)
{
	bool done;

	zsr_preempt_disable(q->m);
	done = !c->page || !c->page->count || exchange(q, c);
	zsr_preempt_enable(q->m);
	return done;
}

/* On the CPU itself. The workers are making empty pages where there is none. */
static void timer_work(struct zsr_work *work)
{
	struct zsr_percpu_cpu *c = work->arg;

	while (!hand_over(c->all, c))
		wait_for_drains(c->all);
}

/* Nobody pushes on C, so its timer is not set again. */
static void stop_timer(struct zsr_percpu *q, struct zsr_percpu_cpu *c)
{
	zsr_cancel_delayed_work(q->m, &c->timer);
	zsr_flush_work(q->m, &c->timer.work);
}

void zsr_percpu_settle(struct zsr_percpu *q)
{
	unsigned cpu;

	for (cpu = 0; cpu < q->m->nr_cpus; cpu++)
		stop_timer(q, &q->cpu[cpu]);
	wait_for_drains(q);
}

void zsr_percpu_offline(struct zsr_percpu *q, unsigned cpu)
{
	struct zsr_percpu_cpu *c = &q->cpu[cpu];
	struct zsr_work *drain;
	struct zsr_words *w;

	stop_timer(q, c);
	w = c->page;
	c->page = NULL;
	if (w && !w->count)
		zsr_percpu_give(q, w);
	if (!w || !w->count)
		return;
	zsr_spin_lock(q->m, &q->lock);
	zsr_line_write(q->m, &q->lists);
	drain = put_full(q, w);
	zsr_spin_unlock(q->m, &q->lock);
	zsr_queue_work(q->m, drain);
}

/* ---- life ------------------------------------------------------------------ */

static int cpus_init(struct zsr_percpu *q)
{
	struct zsr_percpu_cpu *c;
	unsigned cpu;

	for (cpu = 0; cpu < q->m->nr_cpus; cpu++) {
		c = &q->cpu[cpu];
		c->all = q;
		c->timer.work.fn = timer_work;
		c->timer.work.arg = c;
		c->timer.work.wq = &q->timers;
		c->page = zsr_words_new(q->entries);
		if (!c->page)
			return -ENOMEM;
	}
	return 0;
}

int zsr_percpu_init(struct zsr_percpu *q, struct zsr_pool *p, uint64_t entries,
		    unsigned bytes, uint64_t pages, uint64_t flush_ms)
{
	uint64_t memory = (entries * bytes + p->page_size - 1) / p->page_size;
	struct zsr_words *w;
	uint64_t i;

	pages = zsr_max(pages, (uint64_t)1);
	q->m = p->m;
	q->entries = entries;
	q->flush_ns = flush_ms * 1000000;
	q->timers.name = "flush";
	q->full_tail = &q->full;
	zsr_pool_name_lock(p, &q->lock, "queue");
	if (cpus_init(q))
		return -ENOMEM;
	for (i = 0; i < pages; i++) {
		w = zsr_words_new(q->entries);
		if (!w)
			return -ENOMEM;
		w->next = q->empty;
		q->empty = w;
	}
	zsr_pool_buffer_pages(p, (int64_t)((pages + p->m->nr_cpus) * memory));
	return 0;
}

void zsr_percpu_destroy(struct zsr_percpu *q)
{
	unsigned cpu;

	for (cpu = 0; cpu < ZSR_MAX_CPUS; cpu++)
		zsr_words_free(q->cpu[cpu].page);
	zsr_words_free(q->empty);
	zsr_words_free(q->full);
}
