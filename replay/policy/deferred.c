// SPDX-License-Identifier: GPL-2.0-only
/*
 * Releases are pushed to a page of handles that belongs to the CPU; a full
 * page is exchanged for an empty one from a fixed pool and drained by an
 * unbound worker. No page left: the caller frees synchronously.
 */
#include <stdlib.h>

#include "replay/policy/locking.h"

enum { POOL_PAGES, PAGE_ENTRIES, RUN_PAGES };

static const struct zsr_param params[] = {
	[POOL_PAGES] = { "pool-pages", "pages", 64, 1, 1u << 20,
			 "pages of handles in the pool, beside one a CPU",
			 "v3 of 8 May 2026: 256 KiB of 4 KiB pages" },
	[PAGE_ENTRIES] = { "page-entries", "handles", 512, 1, 1u << 16,
			   "handles a page holds",
			   "9 May 2026: PAGE_SIZE / 8 at 4 KiB" },
	[RUN_PAGES] = { "run-pages", "pages", 32, 1, 1u << 20,
			"pages drained before the worker queues itself again",
			"9 May 2026: half the pool" },
};

struct buffer {
	struct buffer *next;
	unsigned count;
	zsr_handle handle[];
};

struct deferred {
	struct zsr_pool *pool;
	struct buffer *percpu[ZSR_MAX_CPUS];
	struct zsr_spinlock lock; /* protects the two lists */
	struct buffer *empty;
	struct buffer *full; /* oldest first */
	struct buffer **full_tail;
	struct zsr_workqueue wq;
	struct zsr_work work;
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

static void put_full(struct deferred *d, struct buffer *b)
{
	b->next = NULL;
	zsr_spin_lock(d->pool->m, &d->lock);
	*d->full_tail = b;
	d->full_tail = &b->next;
	zsr_spin_unlock(d->pool->m, &d->lock);
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

/* Exchange the CPU's full buffer; false when the pool has no empty one. */
static bool swap_buffer(struct deferred *d, unsigned cpu)
{
	struct buffer *b = take_empty(d);

	if (!b)
		return false;
	zsr_charge(d->pool->m, ZSR_COST_buffer_swap, 1);
	put_full(d, d->percpu[cpu]);
	d->percpu[cpu] = b;
	zsr_queue_work(d->pool->m, &d->work);
	return true;
}

static void deferred_release(struct zsr_pool *p, const struct zsr_releaser *r,
			     uint32_t slot)
{
	zsr_handle h = zsr_pool_slot_take(p, slot);
	struct deferred *d = p->priv;
	struct zsr_machine *m = p->m;
	struct buffer *b;
	unsigned cpu;

	(void)r;
	zsr_preempt_disable(m);
	cpu = zsr_cpu(m);
	b = d->percpu[cpu];
	if (b->count == p->param[PAGE_ENTRIES]) {
		if (!swap_buffer(d, cpu)) {
			zsr_preempt_enable(m);
			zsr_pool_fell_back(p);
			zsr_class_idx_free(p, h);
			return;
		}
		b = d->percpu[cpu];
	}
	zsr_charge(m, ZSR_COST_push, 1);
	b->handle[b->count++] = h;
	zsr_pool_queued(p, h);
	if (b->count == p->param[PAGE_ENTRIES])
		swap_buffer(d, cpu);
	zsr_preempt_enable(m);
}

/* Emptied zspages of one lock hold, given back after it. */
#define GATHER 32

struct gathered {
	struct zsr_zspage *zspage[GATHER];
	unsigned nr;
};

static void release_gathered(struct zsr_pool *p, struct gathered *g)
{
	unsigned i;

	for (i = 0; i < g->nr; i++)
		zsr_pool_zspage_free(p, g->zspage[i]);
	g->nr = 0;
}

/*
 * Free a buffer's handles in order. The class lock is kept across a run of
 * the same class and dropped where the class changes or the list of emptied
 * zspages is full.
 */
static void drain_buffer(struct zsr_pool *p, struct buffer *b)
{
	struct zsr_machine *m = p->m;
	struct zsr_zspage *zspage;
	struct gathered g = { .nr = 0 };
	unsigned i, class, locked = UINT32_MAX;

	for (i = 0; i < b->count; i++) {
		zsr_charge(m, ZSR_COST_pop, 1);
		class = zsr_pool_peek_class(p, b->handle[i]);
		if (class != locked || g.nr == GATHER) {
			if (locked != UINT32_MAX)
				zsr_spin_unlock(m, &p->class[locked].lock);
			release_gathered(p, &g);
			zsr_spin_lock(m, &p->class[class].lock);
			locked = class;
		}
		zsr_pool_locate(p, b->handle[i]);
		if (zsr_pool_obj_free(p, class, b->handle[i], &zspage) &&
		    zsr_pool_zspage_unlink(p, zspage))
			g.zspage[g.nr++] = zspage;
		zsr_pool_handle_free(p, b->handle[i]);
	}
	if (locked != UINT32_MAX)
		zsr_spin_unlock(m, &p->class[locked].lock);
	release_gathered(p, &g);
}

static void drain_work(struct zsr_work *work)
{
	struct deferred *d = work->arg;
	struct zsr_pool *p = d->pool;
	struct buffer *b;
	uint64_t n;

	for (n = 0; n < p->param[RUN_PAGES]; n++) {
		b = take_full(d);
		if (!b)
			return;
		drain_buffer(p, b);
		put_empty(d, b);
		zsr_cond_resched(p->m);
	}
	zsr_queue_work(p->m, work);
}

static void deferred_flush(struct zsr_pool *p)
{
	struct deferred *d = p->priv;
	struct buffer *b;
	unsigned cpu;

	zsr_flush_work(p->m, &d->work);
	while ((b = take_full(d))) {
		drain_buffer(p, b);
		put_empty(d, b);
	}
	for (cpu = 0; cpu < p->m->nr_cpus; cpu++) {
		drain_buffer(p, d->percpu[cpu]);
		d->percpu[cpu]->count = 0;
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
	unsigned cpu;

	if (!d)
		return;
	for (cpu = 0; cpu < p->m->nr_cpus; cpu++)
		free(d->percpu[cpu]);
	free_list(d->empty);
	free_list(d->full);
	free(d);
	p->priv = NULL;
}

static struct buffer *buffer_new(struct zsr_pool *p)
{
	return calloc(1, sizeof(struct buffer) +
				 p->param[PAGE_ENTRIES] * sizeof(zsr_handle));
}

static int deferred_setup(struct zsr_pool *p)
{
	struct deferred *d = calloc(1, sizeof(*d));
	struct buffer *b;
	unsigned cpu;
	uint64_t i;

	p->priv = d;
	if (!d)
		return -ENOMEM;
	d->pool = p;
	d->full_tail = &d->full;
	d->work.fn = drain_work;
	d->work.arg = d;
	d->work.wq = &d->wq;
	d->wq.name = "deferred";
	d->wq.flags = ZSR_WQ_UNBOUND;
	for (cpu = 0; cpu < p->m->nr_cpus; cpu++) {
		d->percpu[cpu] = buffer_new(p);
		if (!d->percpu[cpu])
			return -ENOMEM;
	}
	for (i = 0; i < p->param[POOL_PAGES]; i++) {
		b = buffer_new(p);
		if (!b)
			return -ENOMEM;
		b->next = d->empty;
		d->empty = b;
	}
	zsr_pool_buffer_pages(p,
			      (int64_t)(p->param[POOL_PAGES] + p->m->nr_cpus));
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
		"is empty the caller frees synchronously.",
	.source = "zsmalloc-only variant of 9 May 2026",
	.params = params,
	.nr_params = ZSR_ARRAY_SIZE(params),
	.store_lock = ZSR_STORE_CLASS_LOCK,
	.setup = deferred_setup,
	.teardown = deferred_teardown,
	.release = deferred_release,
	.free_now = zsr_class_idx_free,
	.flush = deferred_flush,
};
