// SPDX-License-Identifier: GPL-2.0-only
/*
 * Objects are freed at once; a zspage that is emptied, and unlinked, goes to a
 * lockless list and a worker hands its pages back. The list has no bound and
 * belongs to no CPU.
 */
#include <stdlib.h>

#include "replay/account.h"
#include "replay/policy/locking.h"

enum { KICK, RUN, FLUSH_MS, LOCKING };

static const struct zsr_param params[] = {
	[KICK] = { "kick", "zspages", 1, 1, 1u << 20,
		   "zspages on the list that kick the worker",
		   "not posted; assumed: the first kicks" },
	[RUN] = { "run", "zspages", 512, 1, 1u << 20,
		  "zspages handed back before the worker queues itself again",
		  "not posted; assumed: about a millisecond of work" },
	[FLUSH_MS] = { "flush-ms", "ms", 0, 0, 1000000,
		       "zspages below the kick are handed back this long after "
		       "the first; 0: never",
		       "not posted; assumed: never" },
	[LOCKING] = ZSR_PARAM_LOCKING(ZSR_LOCKING_CLASS_IDX,
				      "not posted; the series of the same "
				      "time"),
};

/* In the zspage's own record where there is a kernel around. */
struct node {
	struct node *next;
	uint64_t queued_at;
	struct zsr_zspage *zspage;
};

struct defer_zspage {
	struct zsr_pool *pool;
	struct zsr_line line; /* of the list's head */
	struct node *head; /* youngest first */
	uint64_t nr; /* on the list; not kept where the first one kicks */
	struct node *taken; /* the worker's, oldest first */
	struct zsr_workqueue wq;
	struct zsr_delayed_work drain;
};

/* How many the list holds now; that is exact up to the kick. Once it is there N
 * is the worker's, who may be at work. */
static uint64_t list_push(struct defer_zspage *d, struct node *n)
{
	struct node *next;

	zsr_line_atomic(d->pool->m, &d->line);
	next = __atomic_load_n(&d->head, __ATOMIC_RELAXED);
	do {
		n->next = next;
	} while (!__atomic_compare_exchange_n(
		&d->head, &next, n, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
	if (d->pool->param[KICK] == 1)
		return next ? 2 : 1;
	return __atomic_add_fetch(&d->nr, 1, __ATOMIC_RELAXED);
}

/* The whole list, oldest first. */
static struct node *list_take(struct defer_zspage *d)
{
	struct node *n, *next, *oldest = NULL;
	uint64_t nr = 0;

	zsr_line_atomic(d->pool->m, &d->line);
	n = __atomic_exchange_n(&d->head, NULL, __ATOMIC_ACQUIRE);
	for (; n; n = next, nr++) {
		next = n->next;
		n->next = oldest;
		oldest = n;
	}
	if (d->pool->param[KICK] > 1)
		__atomic_sub_fetch(&d->nr, nr, __ATOMIC_RELAXED);
	return oldest;
}

static void put_off(struct zsr_pool *p, struct zsr_zspage *zspage)
{
	struct defer_zspage *d = p->priv;
	uint64_t nr, flush_ms = p->param[FLUSH_MS];
	struct node *n = malloc(sizeof(*n));

	if (!n) {
		zsr_account_fail(p->account, -ENOMEM);
		zsr_pool_zspage_free(p, zspage);
		return;
	}
	n->zspage = zspage;
	n->queued_at = zsr_pool_zspage_queued(p);
	nr = list_push(d, n);
	if (nr == p->param[KICK])
		zsr_queue_work(p->m, &d->drain.work);
	else if (nr == 1 && flush_ms)
		zsr_queue_delayed_work_on(p->m, zsr_cpu(p->m), &d->drain,
					  flush_ms * 1000000);
}

/* The class lock of H is held then, taken as the kernel of that locking does. */
static unsigned lock_class(struct zsr_pool *p, enum zsr_locking locking,
			   zsr_handle h)
{
	unsigned class;

	if (locking == ZSR_LOCKING_CLASS_IDX) {
		class = zsr_pool_peek_class(p, h);
		zsr_spin_lock(p->m, &p->class[class].lock);
		zsr_pool_locate(p, h);
	} else {
		zsr_read_lock(p->m, &p->lock);
		class = zsr_pool_resolve(p, h);
		zsr_spin_lock(p->m, &p->class[class].lock);
		zsr_read_unlock(p->m, &p->lock);
	}
	return class;
}

static void defer_zspage_free(struct zsr_pool *p, zsr_handle h)
{
	enum zsr_locking locking = (enum zsr_locking)p->param[LOCKING];
	unsigned class = lock_class(p, locking, h);
	struct zsr_zspage *zspage;
	bool empty;

	empty = zsr_pool_obj_free(p, class, h, &zspage) &&
		zsr_pool_zspage_unlink(p, zspage);
	if (empty && locking == ZSR_LOCKING_SYNC)
		put_off(p, zspage);
	zsr_spin_unlock(p->m, &p->class[class].lock);
	if (empty && locking != ZSR_LOCKING_SYNC)
		put_off(p, zspage);
	zsr_pool_handle_free(p, h);
}

static void defer_zspage_release(struct zsr_pool *p,
				 const struct zsr_releaser *r, uint32_t slot)
{
	(void)r;
	defer_zspage_free(p, zsr_pool_slot_take(p, slot));
}

/* Hand back up to MAX zspages; false when none are left. */
static bool hand_back(struct defer_zspage *d, uint64_t max)
{
	struct zsr_pool *p = d->pool;
	struct node *n;

	for (; max; max--) {
		if (!d->taken)
			d->taken = list_take(d);
		n = d->taken;
		if (!n)
			return false;
		d->taken = n->next;
		zsr_charge(p->m, ZSR_COST_pop, 1);
		zsr_pool_zspage_dequeued(p, n->queued_at);
		zsr_pool_zspage_free(p, n->zspage);
		free(n);
		zsr_cond_resched(p->m);
	}
	return true;
}

static void defer_zspage_work(struct zsr_work *work)
{
	struct defer_zspage *d = work->arg;

	if (hand_back(d, d->pool->param[RUN]))
		zsr_queue_work(d->pool->m, work);
}

static void defer_zspage_flush(struct zsr_pool *p)
{
	struct defer_zspage *d = p->priv;

	zsr_cancel_delayed_work(p->m, &d->drain);
	zsr_flush_work(p->m, &d->drain.work);
	hand_back(d, UINT64_MAX);
}

static void defer_zspage_teardown(struct zsr_pool *p)
{
	struct defer_zspage *d = p->priv;
	struct node *n;

	if (!d)
		return;
	/* Only after a run that failed. */
	while ((n = d->taken ? d->taken : d->head)) {
		*(d->taken ? &d->taken : &d->head) = n->next;
		free(n);
	}
	free(d);
	p->priv = NULL;
}

static int defer_zspage_setup(struct zsr_pool *p)
{
	struct defer_zspage *d = calloc(1, sizeof(*d));

	p->priv = d;
	if (!d)
		return -ENOMEM;
	d->pool = p;
	d->wq.name = "defer-zspage";
	d->wq.flags = ZSR_WQ_UNBOUND;
	d->drain.work = (struct zsr_work){ .fn = defer_zspage_work,
					   .arg = d,
					   .wq = &d->wq };
	return 0;
}

const struct zsr_policy zsr_policy_defer_zspage = {
	.version = ZSR_MACHINE_VERSION,
	.name = "defer-zspage",
	.summary = "class-idx, only emptied zspages are handed back later",
	.text = "On top of class-idx. zs_free stays with its caller, whoever "
		"that is; only an emptied zspage, unlinked under the class "
		"lock, is put on a lockless list of the pool instead of being "
		"given back. An unbound worker takes the whole list and hands "
		"the pages back; a zspage costs an atomic to queue and a pop "
		"to take. No handle ever waits, so what is free in a zspage "
		"in use can be stored to at once. The list has no bound and "
		"there is no fallback. With the locking of sync the zspage is "
		"put on the list before the class lock is dropped.",
	.source = "Yosry Ahmed's counter-proposal of 8 May 2026",
	.params = params,
	.nr_params = ZSR_ARRAY_SIZE(params),
	.store_lock = ZSR_STORE_CLASS_LOCK,
	.setup = defer_zspage_setup,
	.teardown = defer_zspage_teardown,
	.release = defer_zspage_release,
	.free_now = defer_zspage_free,
	.flush = defer_zspage_flush,
};
