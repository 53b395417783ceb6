// SPDX-License-Identifier: GPL-2.0-only
/*
 * Zram collects the indices of slots that the swap layer has let go of, and a
 * worker of its own frees the slots. The mail says no more than that; every
 * constant here is ours.
 *
 * The list goes through a table, a word a slot, whose pages are allocated,
 * without waiting, when the first of their slots is released. A slot that is
 * stored to and released again while its index still waits is marked again and
 * not listed twice.
 */
#include <errno.h>
#include <stdlib.h>

#include "replay/account.h"
#include "replay/policy/locking.h"

enum { KICK, BATCH, CAPACITY, FLUSH_MS, LOCKING };

#define MAX_BATCH 256
#define ASSUMED   "not posted; assumed: "

static const struct zsr_param params[] = {
	[KICK] = { "kick", "slots", 1, 1, 1u << 30,
		   "slots on the list that wake the worker",
		   ASSUMED "the first wakes", NULL },
	[BATCH] = { "batch", "slots", 32, 1, MAX_BATCH,
		    "slots the worker takes off the list at a time",
		    ASSUMED "the kernel's usual batch", NULL },
	[CAPACITY] = { "capacity", "slots", 0, 0, 1u << 30,
		       "slots the list can hold; beyond that the caller "
		       "releases synchronously; 0: no bound",
		       ASSUMED "no bound", NULL },
	[FLUSH_MS] = { "flush-ms", "ms", 0, 0, 1000000,
		       "slots below the kick are freed this long after the "
		       "first; 0: never",
		       ASSUMED "never", NULL },
	[LOCKING] = ZSR_PARAM_LOCKING(ZSR_LOCKING_SYNC,
				      "the kernel of April 2026"),
};

#define UNLISTED 0u
#define LAST     UINT32_MAX

struct zram_gc {
	struct zsr_pool *pool;
	struct zsr_spinlock lock; /* protects what follows, up to kicked */
	struct zsr_line ends; /* of the list, where links are written */
	uint32_t *next; /* by slot: the next one + 1, LAST, UNLISTED */
	size_t cap;
	uint64_t pages; /* of links */
	uint32_t first, last; /* valid when nr is not 0 */
	uint64_t nr;
	bool kicked; /* the worker is on its way, or at it */
	struct zsr_workqueue wq;
	struct zsr_delayed_work gc;
};

static void slot_free(struct zsr_pool *p, zsr_handle h)
{
	zsr_free_locked(p, (enum zsr_locking)p->param[LOCKING], h);
}

/* ---- the list --------------------------------------------------------------- */

/* A link for SLOT, and a page where it is the first of one; false without
 * memory. */
static bool grow(struct zram_gc *gc, uint32_t slot)
{
	struct zsr_pool *p = gc->pool;
	uint64_t page_links = p->page_size / sizeof(*gc->next);
	size_t i = gc->cap;

	for (; gc->pages * page_links <= slot; gc->pages++) {
		if (!zsr_pages_alloc(p->m, 1))
			return false;
		zsr_pool_buffer_pages(p, 1);
	}
	if (zsr_grow(&gc->next, &gc->cap, (size_t)slot + 1, sizeof(*gc->next))) {
		zsr_account_fail(p->account, -ENOMEM);
		return false;
	}
	for (; i < gc->cap; i++)
		gc->next[i] = UNLISTED;
	return true;
}

static bool is_full(const struct zram_gc *gc)
{
	uint64_t capacity = gc->pool->param[CAPACITY];

	return capacity && gc->nr >= capacity;
}

static void append(struct zram_gc *gc, uint32_t slot)
{
	if (gc->nr++)
		gc->next[gc->last] = slot + 1;
	else
		gc->first = slot;
	gc->last = slot;
	gc->next[slot] = LAST;
}

/* Is it this one that wakes the worker? */
static bool must_kick(struct zram_gc *gc)
{
	if (gc->kicked || gc->nr < gc->pool->param[KICK])
		return false;
	gc->kicked = true;
	return true;
}

static unsigned take(struct zram_gc *gc, uint32_t *slot, unsigned max)
{
	unsigned n = 0;

	for (; n < max && gc->nr; n++, gc->nr--) {
		slot[n] = gc->first;
		gc->first = gc->next[gc->first] - 1;
		gc->next[slot[n]] = UNLISTED;
	}
	return n;
}

/* ---- release, worker ---------------------------------------------------------- */

static void zram_gc_release(struct zsr_pool *p, const struct zsr_releaser *r,
			    uint32_t slot)
{
	struct zram_gc *gc = p->priv;
	bool listed, kick, first;

	(void)r;
	zsr_spin_lock(p->m, &gc->lock);
	listed = grow(gc, slot) && (gc->next[slot] || !is_full(gc));
	if (listed) {
		zsr_pool_slot_defer(p, slot);
		zsr_line_write(p->m, &gc->ends);
		zsr_charge(p->m, ZSR_COST_push, 1);
		if (!gc->next[slot])
			append(gc, slot);
	}
	first = gc->nr == 1;
	kick = must_kick(gc);
	zsr_spin_unlock(p->m, &gc->lock);
	if (!listed) {
		zsr_pool_fell_back(p);
		slot_free(p, zsr_pool_slot_take(p, slot));
	} else if (kick) {
		zsr_queue_work(p->m, &gc->gc.work);
	} else if (first && p->param[FLUSH_MS]) {
		zsr_queue_delayed_work_on(p->m, zsr_cpu(p->m), &gc->gc,
					  p->param[FLUSH_MS] * 1000000);
	}
}

/* Up to a batch; false when there was nothing, and the next kick is due. */
static bool collect(struct zram_gc *gc)
{
	struct zsr_pool *p = gc->pool;
	uint32_t slot[MAX_BATCH];
	unsigned i, n;
	zsr_handle h;

	zsr_spin_lock(p->m, &gc->lock);
	zsr_line_write(p->m, &gc->ends);
	n = take(gc, slot, (unsigned)p->param[BATCH]);
	if (!n)
		gc->kicked = false;
	zsr_spin_unlock(p->m, &gc->lock);
	for (i = 0; i < n; i++) {
		zsr_charge(p->m, ZSR_COST_pop, 1);
		h = zsr_pool_slot_drain(p, slot[i]);
		if (h)
			slot_free(p, h);
	}
	return n;
}

static void gc_work(struct zsr_work *work)
{
	struct zram_gc *gc = work->arg;

	while (collect(gc))
		zsr_cond_resched(gc->pool->m);
}

static void zram_gc_flush(struct zsr_pool *p)
{
	struct zram_gc *gc = p->priv;

	zsr_cancel_delayed_work(p->m, &gc->gc);
	zsr_flush_work(p->m, &gc->gc.work);
	while (collect(gc))
		;
	zsr_pages_free(p->m, (unsigned)gc->pages);
	zsr_pool_buffer_pages(p, -(int64_t)gc->pages);
	gc->pages = 0;
}

/* ---- life ------------------------------------------------------------------ */

static void zram_gc_teardown(struct zsr_pool *p)
{
	struct zram_gc *gc = p->priv;

	if (!gc)
		return;
	free(gc->next);
	free(gc);
	p->priv = NULL;
}

static int zram_gc_setup(struct zsr_pool *p)
{
	struct zram_gc *gc = calloc(1, sizeof(*gc));

	p->priv = gc;
	if (!gc)
		return -ENOMEM;
	gc->pool = p;
	zsr_pool_name_lock(p, &gc->lock, "queue");
	gc->wq.name = "zram-gc";
	gc->wq.flags = ZSR_WQ_UNBOUND;
	gc->gc.work.fn = gc_work;
	gc->gc.work.arg = gc;
	gc->gc.work.wq = &gc->wq;
	return 0;
}

static void zram_gc_free_now(struct zsr_pool *p, zsr_handle h)
{
	slot_free(p, h);
}

const struct zsr_policy zsr_policy_zram_gc = {
	.version = ZSR_MACHINE_VERSION,
	.name = "zram-gc",
	.summary = "one list of slot indices, one worker inside zram",
	.text = "On the swap layer's notification zram only marks the slot "
		"and appends its index to one list under a spinlock; a single "
		"worker takes indices off and does the whole slot free. A "
		"store to a slot whose index still waits frees the old object "
		"itself and clears the mark, and the worker passes over slots "
		"that are not marked. The body of the mail was not found; "
		"assumed are the kick, the batch, and a list without a bound "
		"that runs through a table with a word a slot. Without memory "
		"for the table's next page the caller releases synchronously.",
	.source = "RFC v1 of 12 April 2026, zram: asynchronous GC",
	.params = params,
	.nr_params = ZSR_ARRAY_SIZE(params),
	.store_lock = ZSR_STORE_CLASS_LOCK,
	.setup = zram_gc_setup,
	.teardown = zram_gc_teardown,
	.release = zram_gc_release,
	.free_now = zram_gc_free_now,
	.flush = zram_gc_flush,
};
