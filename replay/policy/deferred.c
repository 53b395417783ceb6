// SPDX-License-Identifier: GPL-2.0-only
/*
 * Releases are pushed to a page of handles that belongs to the CPU; a full
 * page is exchanged for an empty one from a fixed pool and drained by an
 * unbound worker. No page left: the caller frees synchronously.
 */
#include <stdlib.h>

#include "replay/policy/drain.h"
#include "replay/policy/locking.h"

enum { POOL_PAGES, PAGE_ENTRIES, RUN_PAGES, WORKERS, FLUSH_MS };

/* What the pool takes in all where no number of pages is given. */
#define POOL_BYTES (256u << 10)

static const struct zsr_param params[] = {
	[POOL_PAGES] = { "pool-pages", "pages", 0, 0, 1u << 20,
			 "pages of handles in the pool, beside one a CPU; 0: "
			 "256 KiB of them, 64 of 4 KiB",
			 "v3 of 8 May 2026" },
	[PAGE_ENTRIES] = { "page-entries", "handles", 0, 0, 1u << 16,
			   "handles a page holds; 0: as many as fit, 512 in "
			   "4 KiB",
			   "9 May 2026: PAGE_SIZE / 8" },
	[RUN_PAGES] = { "run-pages", "pages", 0, 0, 1u << 20,
			"pages drained before the worker queues itself again; "
			"0: half the pool",
			"9 May 2026" },
	[WORKERS] = { "workers", "workers", 1, 1, ZSR_MAX_CPUS,
		      "work items, kicked in turn, that drain the full pages",
		      "9 May 2026: one" },
	[FLUSH_MS] = { "flush-ms", "ms", 0, 0, 600000,
		       "a page that is not full is drained as long after its "
		       "first handle; 0: never",
		       "not posted; assumed: never" },
};

struct buffer {
	struct buffer *next;
	unsigned count;
	zsr_handle handle[];
};

/* The page that a CPU fills, with preemption off. */
struct percpu {
	struct deferred *d;
	unsigned cpu;
	struct buffer *page; /* NULL: the CPU has gone */
	struct zsr_delayed_work timer;
};

struct worker {
	struct deferred *d;
	struct zsr_work work;
	struct zsr_emptied *emptied;
};

struct deferred {
	struct zsr_pool *pool;
	uint64_t pool_pages, page_entries, run_pages;
	struct percpu percpu[ZSR_MAX_CPUS];
	struct zsr_spinlock lock; /* protects the two lists and turn */
	struct buffer *empty;
	struct buffer *full; /* oldest first */
	struct buffer **full_tail;
	unsigned turn; /* whose it is to drain the next page */
	struct worker worker[ZSR_MAX_CPUS];
	struct zsr_workqueue drain_wq;
	struct zsr_workqueue timer_wq; /* bound: only a CPU fills its page */
};

static struct buffer *take_empty(struct deferred *d)
{
	struct buffer *b;

	zsr_spin_lock(d->pool->m, &d->lock);
	b = d->empty;
	if (b)
		d->empty = b->next;
	zsr_spin_unlock(d->pool->m, &d->lock);
	return b;
}

/* Queue a buffer to be drained, and kick a worker. */
static void put_full(struct deferred *d, struct buffer *b)
{
	struct worker *w;

	b->next = NULL;
	zsr_spin_lock(d->pool->m, &d->lock);
	*d->full_tail = b;
	d->full_tail = &b->next;
	w = &d->worker[d->turn++ % d->pool->param[WORKERS]];
	zsr_spin_unlock(d->pool->m, &d->lock);
	zsr_queue_work(d->pool->m, &w->work);
}

/* The oldest full buffer, NULL when there is none. */
static struct buffer *take_full(struct deferred *d)
{
	struct buffer *b;

	zsr_spin_lock(d->pool->m, &d->lock);
	b = d->full;
	if (b) {
		d->full = b->next;
		if (!d->full)
			d->full_tail = &d->full;
	}
	zsr_spin_unlock(d->pool->m, &d->lock);
	return b;
}

static void put_empty(struct deferred *d, struct buffer *b)
{
	b->count = 0;
	zsr_spin_lock(d->pool->m, &d->lock);
	b->next = d->empty;
	d->empty = b;
	zsr_spin_unlock(d->pool->m, &d->lock);
}

/* Exchange the CPU's buffer; false when the pool has no empty one. */
static bool swap_buffer(struct percpu *c)
{
	struct deferred *d = c->d;
	struct buffer *b = take_empty(d), *full = c->page;

	if (!b)
		return false;
	zsr_charge(d->pool->m, ZSR_COST_buffer_swap, 1);
	c->page = b;
	put_full(d, full);
	return true;
}

/* With preemption off; false when there is no room. */
static bool push(struct percpu *c, zsr_handle h)
{
	struct zsr_pool *p = c->d->pool;
	uint64_t entries = c->d->page_entries;
	struct buffer *b;

	if (c->page->count == entries && !swap_buffer(c))
		return false;
	b = c->page;
	if (!b->count && p->param[FLUSH_MS])
		zsr_queue_delayed_work_on(p->m, c->cpu, &c->timer,
					  p->param[FLUSH_MS] * 1000000);
	zsr_charge(p->m, ZSR_COST_push, 1);
	b->handle[b->count++] = h;
	zsr_pool_queued(p, h);
	if (b->count == entries)
		swap_buffer(c);
	return true;
}

static void deferred_release(struct zsr_pool *p, const struct zsr_releaser *r,
			     uint32_t slot)
{
	zsr_handle h = zsr_pool_slot_take(p, slot);
	struct deferred *d = p->priv;
	bool done;

	(void)r;
	zsr_preempt_disable(p->m);
	done = push(&d->percpu[zsr_cpu(p->m)], h);
	zsr_preempt_enable(p->m);
	if (done)
		return;
	zsr_pool_fell_back(p);
	zsr_class_idx_free(p, h);
}

/*
 * Free a buffer's handles in order. The class lock is kept across a run of
 * the same class and dropped where the class changes.
 */
static void drain_buffer(struct zsr_pool *p, struct buffer *b,
			 struct zsr_emptied *emptied)
{
	unsigned i, class, locked = UINT32_MAX;

	for (i = 0; i < b->count; i++) {
		zsr_charge(p->m, ZSR_COST_pop, 1);
		class = zsr_pool_peek_class(p, b->handle[i]);
		if (class != locked) {
			if (locked != UINT32_MAX)
				zsr_drain_unlock(p, locked, emptied);
			zsr_spin_lock(p->m, &p->class[class].lock);
			locked = class;
		}
		zsr_drain_handle(p, class, b->handle[i], emptied);
	}
	if (locked != UINT32_MAX)
		zsr_drain_unlock(p, locked, emptied);
}

static void drain_work(struct zsr_work *work)
{
	struct worker *w = work->arg;
	struct deferred *d = w->d;
	struct buffer *b;
	uint64_t n;

	for (n = 0; n < d->run_pages; n++) {
		b = take_full(d);
		if (!b)
			return;
		drain_buffer(d->pool, b, w->emptied);
		put_empty(d, b);
		zsr_cond_resched(d->pool->m);
	}
	zsr_queue_work(d->pool->m, work);
}

static void flush_workers(struct deferred *d)
{
	unsigned i;

	for (i = 0; i < d->pool->param[WORKERS]; i++)
		zsr_flush_work(d->pool->m, &d->worker[i].work);
}

/* Hand over what the CPU has; true when that was nothing, or is done. */
static bool flush_page(struct percpu *c)
{
	struct zsr_machine *m = c->d->pool->m;
	bool done;

	zsr_preempt_disable(m);
	done = !c->page || !c->page->count || swap_buffer(c);
	zsr_preempt_enable(m);
	return done;
}

/* On the CPU itself. Without an empty page it waits for one: the workers are
 * busy making them. */
static void timer_work(struct zsr_work *work)
{
	struct percpu *c = work->arg;

	while (!flush_page(c))
		flush_workers(c->d);
}

/* Nobody releases on C's CPU, so its timer is not set again. */
static void timer_stop(struct percpu *c)
{
	zsr_cancel_delayed_work(c->d->pool->m, &c->timer);
	zsr_flush_work(c->d->pool->m, &c->timer.work);
}

static void deferred_cpu_offline(struct zsr_pool *p, unsigned cpu)
{
	struct deferred *d = p->priv;
	struct percpu *c = &d->percpu[cpu];
	struct buffer *b;

	timer_stop(c);
	b = c->page;
	c->page = NULL;
	if (b && b->count)
		put_full(d, b);
	else if (b)
		put_empty(d, b);
}

static void deferred_flush(struct zsr_pool *p)
{
	struct deferred *d = p->priv;
	struct buffer *b;
	unsigned cpu;

	for (cpu = 0; cpu < p->m->nr_cpus; cpu++)
		timer_stop(&d->percpu[cpu]);
	flush_workers(d);
	for (cpu = 0; cpu < p->m->nr_cpus; cpu++) {
		b = d->percpu[cpu].page;
		if (!b)
			continue;
		drain_buffer(p, b, d->worker[0].emptied);
		b->count = 0;
	}
}

static void free_list(struct buffer *b)
{
	struct buffer *next;

	for (; b; b = next) {
		next = b->next;
		free(b);
	}
}

static void deferred_teardown(struct zsr_pool *p)
{
	struct deferred *d = p->priv;
	unsigned i;

	if (!d)
		return;
	for (i = 0; i < p->m->nr_cpus; i++)
		free(d->percpu[i].page);
	for (i = 0; i < p->param[WORKERS]; i++)
		free(d->worker[i].emptied);
	free_list(d->empty);
	free_list(d->full);
	free(d);
	p->priv = NULL;
}

static struct buffer *buffer_new(struct deferred *d)
{
	return calloc(1, sizeof(struct buffer) +
				 d->page_entries * sizeof(zsr_handle));
}

static int buffers_init(struct deferred *d)
{
	struct buffer *b;
	unsigned cpu;
	uint64_t i;

	for (cpu = 0; cpu < d->pool->m->nr_cpus; cpu++) {
		d->percpu[cpu].page = buffer_new(d);
		if (!d->percpu[cpu].page)
			return -ENOMEM;
	}
	for (i = 0; i < d->pool_pages; i++) {
		b = buffer_new(d);
		if (!b)
			return -ENOMEM;
		b->next = d->empty;
		d->empty = b;
	}
	zsr_pool_buffer_pages(d->pool,
			      (int64_t)(d->pool_pages + d->pool->m->nr_cpus));
	return 0;
}

static int workers_init(struct deferred *d)
{
	struct percpu *c;
	struct worker *w;
	unsigned i;

	d->drain_wq.name = "deferred";
	d->drain_wq.flags = ZSR_WQ_UNBOUND;
	d->timer_wq.name = "deferred-timer";
	for (i = 0; i < d->pool->m->nr_cpus; i++) {
		c = &d->percpu[i];
		c->d = d;
		c->cpu = i;
		c->timer.work = (struct zsr_work){ .fn = timer_work,
						   .arg = c,
						   .wq = &d->timer_wq };
	}
	for (i = 0; i < d->pool->param[WORKERS]; i++) {
		w = &d->worker[i];
		w->d = d;
		w->work = (struct zsr_work){ .fn = drain_work,
					     .arg = w,
					     .wq = &d->drain_wq };
		w->emptied = zsr_emptied_new(d->page_entries);
		if (!w->emptied)
			return -ENOMEM;
	}
	return 0;
}

static uint64_t or_default(uint64_t value, uint64_t def)
{
	return value ? value : zsr_max(def, (uint64_t)1);
}

static int deferred_setup(struct zsr_pool *p)
{
	struct deferred *d = calloc(1, sizeof(*d));

	p->priv = d;
	if (!d)
		return -ENOMEM;
	d->pool = p;
	d->full_tail = &d->full;
	d->pool_pages = or_default(p->param[POOL_PAGES],
				   POOL_BYTES / p->page_size);
	d->page_entries = or_default(p->param[PAGE_ENTRIES],
				     p->page_size / ZSR_HANDLE_BYTES);
	d->run_pages = or_default(p->param[RUN_PAGES], d->pool_pages / 2);
	if (workers_init(d) || buffers_init(d))
		return -ENOMEM;
	return 0;
}

const struct zsr_policy zsr_policy_deferred = {
	.version = ZSR_MACHINE_VERSION,
	.name = "deferred",
	.summary = "per-CPU page of handles, page pool, drain worker",
	.text = "On top of class-idx. A release stores the handle in a page "
		"that belongs to the CPU, with preemption off and no lock. A "
		"full page is exchanged for an empty one of a fixed pool and "
		"queued to an unbound worker, which frees its handles in "
		"order, keeps the class lock across runs of one class and "
		"gives emptied zspages back after dropping it. When the pool "
		"is empty the caller frees synchronously. What is in a page "
		"that never gets full waits, unless flush-ms sets a timer; a "
		"CPU that goes leaves its page to the worker.",
	.source = "zsmalloc-only variant of 9 May 2026",
	.params = params,
	.nr_params = ZSR_ARRAY_SIZE(params),
	.store_lock = ZSR_STORE_CLASS_LOCK,
	.setup = deferred_setup,
	.teardown = deferred_teardown,
	.release = deferred_release,
	.free_now = zsr_class_idx_free,
	.flush = deferred_flush,
	.cpu_offline = deferred_cpu_offline,
};
