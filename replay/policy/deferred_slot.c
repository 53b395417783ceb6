// SPDX-License-Identifier: GPL-2.0-only
/*
 * The owner of the pool defers its whole release: the caller only marks the
 * slot and writes its index down.
 *
 * An index is not the object. The swap layer lets go of the slot at once, so
 * a store may reach it before the worker does. The mark tells: such a store
 * finds it, frees the old object itself, as an overwrite does, and leaves the
 * slot unmarked, so that the worker passes it over. When the new object is
 * released in its turn before the first of the two indices is drained, that
 * one frees it and the second finds nothing.
 */
#include <errno.h>
#include <stdlib.h>

#include "replay/policy/locking.h"
#include "replay/policy/percpu.h"

enum { POOL_KIB, ENTRY_BYTES, FLUSH_MS, LOCKING };

static const struct zsr_param params[] = {
	[POOL_KIB] = { "pool-kib", "KiB", 256, 1, 1u << 20,
		       "the pool, in addition to one page a CPU; at least one "
		       "page",
		       "RFC v3 of 8 May 2026", NULL },
	[ENTRY_BYTES] = { "entry-bytes", "bytes", 4, 4, 64,
			  "an entry: zram's slot index, or 8 for zswap's "
			  "pointer",
			  "RFC v3 of 8 May 2026, and Wenchao Hao on the "
			  "pool's size",
			  NULL },
	[FLUSH_MS] = { "flush-ms", "ms", 0, 0, 1000000,
		       "a page that is not full is drained this long after "
		       "its first entry; 0: never",
		       "0 is never: no timer was posted", NULL },
	[LOCKING] = ZSR_PARAM_LOCKING(ZSR_LOCKING_SYNC,
				      "RFC v3 left the locks as in Linux 6.11 "
				      "to 7.2"),
};

struct deferred_slot {
	struct zsr_pool *pool;
	struct zsr_percpu queue;
	struct zsr_work work;
	struct zsr_workqueue wq;
};

static void slot_free(struct zsr_pool *p, zsr_handle h)
{
	zsr_free_locked(p, (enum zsr_locking)p->param[LOCKING], h);
}

static void deferred_slot_release(struct zsr_pool *p,
				  const struct zsr_releaser *r, uint32_t slot)
{
	struct deferred_slot *d = p->priv;
	bool queued;

	(void)r;
	zsr_preempt_disable(p->m);
	queued = zsr_percpu_room(&d->queue);
	if (queued) {
		zsr_pool_slot_defer(p, slot);
		zsr_percpu_push(&d->queue, slot);
	}
	zsr_preempt_enable(p->m);
	if (!queued) {
		zsr_pool_fell_back(p);
		slot_free(p, zsr_pool_slot_take(p, slot));
	}
}

static void drain_page(struct zsr_pool *p, struct zsr_words *w)
{
	zsr_handle h;
	unsigned i;

	zsr_words_fetch(p->m, w, (unsigned)p->param[ENTRY_BYTES]);
	for (i = 0; i < w->count; i++) {
		zsr_charge(p->m, ZSR_COST_pop, 1);
		h = zsr_pool_slot_drain(p, w->word[i]);
		if (h)
			slot_free(p, h);
	}
	w->count = 0;
}

static void drain_work(struct zsr_work *work)
{
	struct deferred_slot *d = work->arg;
	struct zsr_words *w;

	while ((w = zsr_percpu_take(&d->queue))) {
		drain_page(d->pool, w);
		zsr_percpu_give(&d->queue, w);
		zsr_cond_resched(d->pool->m);
	}
}

static void deferred_slot_flush(struct zsr_pool *p)
{
	struct deferred_slot *d = p->priv;
	struct zsr_words *page;
	unsigned cpu;

	zsr_percpu_settle(&d->queue);
	for (cpu = 0; cpu < p->m->nr_cpus; cpu++) {
		page = d->queue.cpu[cpu].page;
		if (page)
			drain_page(p, page);
	}
}

static void deferred_slot_offline(struct zsr_pool *p, unsigned cpu)
{
	struct deferred_slot *d = p->priv;

	zsr_percpu_offline(&d->queue, cpu);
}

static void deferred_slot_teardown(struct zsr_pool *p)
{
	struct deferred_slot *d = p->priv;

	if (!d)
		return;
	zsr_percpu_destroy(&d->queue);
	free(d);
	p->priv = NULL;
}

static int deferred_slot_setup(struct zsr_pool *p)
{
	struct deferred_slot *d = calloc(1, sizeof(*d));

	p->priv = d;
	if (!d)
		return -ENOMEM;
	d->pool = p;
	d->wq.name = "deferred-slot";
	d->wq.flags = ZSR_WQ_UNBOUND;
	d->work.fn = drain_work;
	d->work.arg = d;
	d->work.wq = &d->wq;
	d->queue.drain[0] = &d->work;
	d->queue.nr_drains = 1;
	return zsr_percpu_init(
		&d->queue, p, p->page_size / p->param[ENTRY_BYTES],
		(unsigned)p->param[ENTRY_BYTES],
		p->param[POOL_KIB] * 1024 / p->page_size, p->param[FLUSH_MS]);
}

static void deferred_slot_free_now(struct zsr_pool *p, zsr_handle h)
{
	slot_free(p, h);
}

const struct zsr_policy zsr_policy_deferred_slot = {
	.version = ZSR_MACHINE_VERSION,
	.name = "deferred-slot",
	.summary = "per-CPU page of slot indices, the whole slot free deferred",
	.text = "The pool's owner, zram or zswap, hands its whole release to "
		"a worker by a callback. The caller marks the slot and stores "
		"its index in a page that belongs to the CPU, with preemption "
		"off and no lock; a full page is exchanged for an empty one "
		"of a fixed pool and queued to an unbound worker. When the "
		"pool is empty the caller releases synchronously; how it is "
		"protected was not found, a spinlock is assumed. The pool "
		"has as many KiB whatever the page size: 64 pages of 4 KiB, "
		"16 of 16 KiB, 4 of 64 KiB. A store to a slot whose index "
		"still waits finds the mark, frees the old object itself and "
		"clears the mark; the worker passes over slots that are not "
		"marked, so nothing is lost or freed twice.",
	.source = "RFC v3 of 8 May 2026, callback framework",
	.params = params,
	.nr_params = ZSR_ARRAY_SIZE(params),
	.store_lock = ZSR_STORE_CLASS_LOCK,
	.setup = deferred_slot_setup,
	.teardown = deferred_slot_teardown,
	.release = deferred_slot_release,
	.free_now = deferred_slot_free_now,
	.flush = deferred_slot_flush,
	.cpu_offline = deferred_slot_offline,
};
