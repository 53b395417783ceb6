// SPDX-License-Identifier: GPL-2.0-only
/*
 * Releases are pushed to a page of handles that belongs to the CPU; a full
 * page is exchanged for an empty one from a fixed pool and drained by an
 * unbound worker. No page left: the caller frees synchronously.
 */
#include <stdlib.h>

#include "replay/policy/drain.h"
#include "replay/policy/locking.h"
#include "replay/policy/percpu.h"

enum { POOL_PAGES, PAGE_ENTRIES, RUN_PAGES, WORKERS, FLUSH_MS, LOCKING };

/* What the pool takes in all where no number of pages is given. */
#define POOL_BYTES (256u << 10)

static const struct zsr_param params[] = {
	[POOL_PAGES] = { "pool-pages", "pages", 0, 0, 1u << 20,
			 "pages of handles in the pool, in addition to one a "
			 "CPU; 0: 256 KiB of them, 64 of 4 KiB",
			 "not found; 0 is 256 KiB as in v3 of 8 May 2026" },
	[PAGE_ENTRIES] = { "page-entries", "handles", 0, 0, 1u << 16,
			   "handles a page holds; 0: as many as fit, 512 in "
			   "4 KiB",
			   "0 is PAGE_SIZE / 8: 9 May 2026" },
	[RUN_PAGES] = { "run-pages", "pages", 0, 0, 1u << 20,
			"pages drained before the worker queues itself again; "
			"0: half the pool",
			"0 is half the pool: 9 May 2026" },
	[WORKERS] = { "workers", "workers", 1, 1, ZSR_MAX_CPUS,
		      "work items, kicked in turn, that drain the full pages",
		      "not posted; one is assumed" },
	[FLUSH_MS] = { "flush-ms", "ms", 0, 0, 600000,
		       "a page that is not full is drained this long after "
		       "its first handle; 0: never",
		       "0 is never: no timer was posted" },
	[LOCKING] = ZSR_PARAM_LOCKING(ZSR_LOCKING_CLASS_IDX,
				      "partly relies on it: 9 May 2026; the "
				      "others show deferral alone"),
};

struct worker {
	struct deferred *d;
	struct zsr_work work;
	struct zsr_leavings *leavings;
};

struct deferred {
	struct zsr_pool *pool;
	uint64_t run_pages;
	struct zsr_percpu queue; /* of handles */
	struct worker worker[ZSR_MAX_CPUS];
	struct zsr_workqueue wq;
};

static enum zsr_locking locking(const struct zsr_pool *p)
{
	return (enum zsr_locking)p->param[LOCKING];
}

static void deferred_free_now(struct zsr_pool *p, zsr_handle h)
{
	zsr_free_locked(p, locking(p), h);
}

static void deferred_release(struct zsr_pool *p, const struct zsr_releaser *r,
			     uint32_t slot)
{
	zsr_handle h = zsr_pool_slot_take(p, slot);
	struct deferred *d = p->priv;
	bool room;

	(void)r;
	zsr_preempt_disable(p->m);
	room = zsr_percpu_room(&d->queue);
	if (room) {
		zsr_pool_queued(p, h);
		zsr_percpu_push(&d->queue, h);
	}
	zsr_preempt_enable(p->m);
	if (room)
		return;
	zsr_pool_fell_back(p);
	deferred_free_now(p, h);
}

/* ---- runs of handles of one class ------------------------------------------- */

#define NO_RUN UINT32_MAX

/*
 * Take the class lock for the handles from H on. An object word that has no class
 * is looked up under the pool lock, which is kept too: the next handle's class is
 * asked for with the class lock held, too late to take the pool's.
 */
static unsigned run_begins(struct zsr_pool *p, zsr_handle h, unsigned class)
{
	if (locking(p) != ZSR_LOCKING_CLASS_IDX) {
		zsr_read_lock(p->m, &p->lock);
		class = zsr_pool_resolve(p, h);
	}
	zsr_spin_lock(p->m, &p->class[class].lock);
	return class;
}

static void run_ends(struct zsr_pool *p, unsigned class,
		     struct zsr_leavings *leavings)
{
	if (class == NO_RUN)
		return;
	zsr_spin_unlock(p->m, &p->class[class].lock);
	if (locking(p) != ZSR_LOCKING_CLASS_IDX)
		zsr_read_unlock(p->m, &p->lock);
	zsr_drain_leavings(p, leavings);
}

/* Free H of the run of CLASS, or end that and begin another one, which is
 * returned. */
static unsigned run_free(struct zsr_pool *p, unsigned run, zsr_handle h,
			 struct zsr_leavings *leavings)
{
	bool in_word = locking(p) == ZSR_LOCKING_CLASS_IDX;
	unsigned class = NO_RUN;

	if (in_word)
		class = zsr_pool_peek_class(p, h);
	else if (run != NO_RUN)
		class = zsr_pool_resolve(p, h);
	if (class != run || run == NO_RUN) {
		run_ends(p, run, leavings);
		run = run_begins(p, h, class);
	}
	if (in_word)
		zsr_pool_locate(p, h);
	zsr_drain_object(p, run, h, leavings);
	if (locking(p) == ZSR_LOCKING_SYNC)
		zsr_drain_zspages(p, leavings);
	return run;
}

/*
 * Free a page's handles in order. The class lock is kept across a run of the
 * same class and dropped where the class changes.
 */
static void drain_page(struct zsr_pool *p, const struct zsr_words *page,
		       struct zsr_leavings *leavings)
{
	unsigned i, run = NO_RUN;

	zsr_words_fetch(p->m, page, ZSR_HANDLE_BYTES);
	for (i = 0; i < page->count; i++) {
		zsr_charge(p->m, ZSR_COST_pop, 1);
		run = run_free(p, run, page->word[i], leavings);
	}
	run_ends(p, run, leavings);
}

static void drain_work(struct zsr_work *work)
{
	struct worker *w = work->arg;
	struct deferred *d = w->d;
	struct zsr_words *page;
	uint64_t n;

	for (n = 0; n < d->run_pages; n++) {
		page = zsr_percpu_take(&d->queue);
		if (!page)
			return;
		drain_page(d->pool, page, w->leavings);
		zsr_percpu_give(&d->queue, page);
		zsr_cond_resched(d->pool->m);
	}
	zsr_queue_work(d->pool->m, work);
}

static void deferred_flush(struct zsr_pool *p)
{
	struct deferred *d = p->priv;
	struct zsr_words *page;
	unsigned cpu;

	zsr_percpu_settle(&d->queue);
	for (cpu = 0; cpu < p->m->nr_cpus; cpu++) {
		page = d->queue.cpu[cpu].page;
		if (!page)
			continue;
		drain_page(p, page, d->worker[0].leavings);
		page->count = 0;
	}
}

static void deferred_cpu_offline(struct zsr_pool *p, unsigned cpu)
{
	struct deferred *d = p->priv;

	zsr_percpu_offline(&d->queue, cpu);
}

static void deferred_teardown(struct zsr_pool *p)
{
	struct deferred *d = p->priv;
	unsigned i;

	if (!d)
		return;
	zsr_percpu_destroy(&d->queue);
	for (i = 0; i < p->param[WORKERS]; i++)
		free(d->worker[i].leavings);
	free(d);
	p->priv = NULL;
}

static int workers_init(struct deferred *d, uint64_t entries)
{
	struct worker *w;
	unsigned i;

	d->wq.name = "deferred";
	d->wq.flags = ZSR_WQ_UNBOUND;
	d->queue.nr_drains = (unsigned)d->pool->param[WORKERS];
	for (i = 0; i < d->queue.nr_drains; i++) {
		w = &d->worker[i];
		w->d = d;
		w->work.fn = drain_work;
		w->work.arg = w;
		w->work.wq = &d->wq;
		d->queue.drain[i] = &w->work;
		w->leavings = zsr_leavings_new(entries);
		if (!w->leavings)
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
	uint64_t pages, entries;

	p->priv = d;
	if (!d)
		return -ENOMEM;
	d->pool = p;
	pages = or_default(p->param[POOL_PAGES], POOL_BYTES / p->page_size);
	entries = or_default(p->param[PAGE_ENTRIES],
			     p->page_size / ZSR_HANDLE_BYTES);
	d->run_pages = or_default(p->param[RUN_PAGES], pages / 2);
	if (workers_init(d, entries))
		return -ENOMEM;
	return zsr_percpu_init(&d->queue, p, entries, ZSR_HANDLE_BYTES, pages,
			       p->param[FLUSH_MS]);
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
		"gives emptied zspages, and the handles, back after dropping "
		"it. When the pool is empty the caller frees synchronously. "
		"How the pool is protected was not found; a spinlock, held "
		"for the exchange alone, is assumed. Handles in a page that "
		"does not fill up wait for the flush, unless flush-ms sets a "
		"timer; a CPU that goes offline leaves its page to the "
		"worker. With the locks of kernels before 7.3 (locking) the "
		"class is found under the pool's read lock, which is held "
		"across the run, too.",
	.source = "zsmalloc-only variant of 9 May 2026",
	.params = params,
	.nr_params = ZSR_ARRAY_SIZE(params),
	.store_lock = ZSR_STORE_CLASS_LOCK,
	.setup = deferred_setup,
	.teardown = deferred_teardown,
	.release = deferred_release,
	.free_now = deferred_free_now,
	.flush = deferred_flush,
	.cpu_offline = deferred_cpu_offline,
};
