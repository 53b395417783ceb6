// SPDX-License-Identifier: GPL-2.0-only
/*
 * One array of handles a pool. A release takes its lock if it is free and
 * appends; half full, a worker is kicked that takes everything out.
 */
#include <stdlib.h>
#include <string.h>

#include "replay/policy/locking.h"

enum { CAPACITY, KICK, QUEUE, FLUSH_MS, LOCKING };

static const char *const queues[] = { "unbound", "bound", NULL };

static const struct zsr_param params[] = {
	[CAPACITY] = { "capacity", "MiB", 128, 1, 1u << 20,
		       "uncompressed data the array has handles for, one a "
		       "page",
		       "RFC v2 2/4 of 21 April 2026" },
	[KICK] = { "kick-percent", "%", 50, 1, 100,
		   "how full the array is when the worker is kicked",
		   "RFC v2 2/4" },
	[QUEUE] = { "queue", "", 0, 0, 1,
		    "the worker's queue; a bound one runs on the CPU that "
		    "kicked it",
		    "not found; assumed: as in later versions", queues },
	[FLUSH_MS] = { "flush-ms", "ms", 0, 0, 1000000,
		       "handles below the kick are freed this long after the "
		       "first; 0: never",
		       "0 is never: no timer was posted" },
	[LOCKING] = ZSR_PARAM_LOCKING(ZSR_LOCKING_UNLOCK_FIRST,
				      "RFC v2 1/4, on which it builds"),
};

struct array {
	struct zsr_pool *pool;
	struct zsr_spinlock lock; /* protects handle[] and nr */
	struct zsr_line end; /* of handle[], where all CPUs write */
	zsr_handle *handle;
	uint64_t nr, capacity, kick_at;
	zsr_handle *taken; /* the worker's copy */
	struct zsr_workqueue wq;
	struct zsr_delayed_work drain;
};

/* With the lock held; false when the array is full. */
static bool append(struct array *a, zsr_handle h)
{
	if (a->nr == a->capacity)
		return false;
	zsr_line_write(a->pool->m, &a->end);
	zsr_charge(a->pool->m, ZSR_COST_push, 1);
	a->handle[a->nr++] = h;
	zsr_pool_queued(a->pool, h);
	return true;
}

/* False when the lock is taken, by another release or the worker, or the array
 * is full. */
static bool put_off(struct array *a, zsr_handle h)
{
	struct zsr_machine *m = a->pool->m;
	uint64_t flush_ms = a->pool->param[FLUSH_MS];
	bool done, kick, first;

	if (!zsr_spin_trylock(m, &a->lock))
		return false;
	done = append(a, h);
	kick = done && a->nr == a->kick_at;
	first = done && a->nr == 1;
	zsr_spin_unlock(m, &a->lock);
	if (kick)
		zsr_queue_work(m, &a->drain.work);
	else if (first && flush_ms)
		zsr_queue_delayed_work_on(m, zsr_cpu(m), &a->drain,
					  flush_ms * 1000000);
	return done;
}

static void array_free_now(struct zsr_pool *p, zsr_handle h)
{
	zsr_free_locked(p, (enum zsr_locking)p->param[LOCKING], h);
}

static void array_release(struct zsr_pool *p, const struct zsr_releaser *r,
			  uint32_t slot)
{
	zsr_handle h = zsr_pool_slot_take(p, slot);

	(void)r;
	if (put_off(p->priv, h))
		return;
	zsr_pool_fell_back(p);
	array_free_now(p, h);
}

/* Everything, at the cost of a copy; how many that is. */
static uint64_t take_all(struct array *a)
{
	struct zsr_machine *m = a->pool->m;
	uint64_t nr;

	zsr_spin_lock(m, &a->lock);
	nr = a->nr;
	a->nr = 0;
	memcpy(a->taken, a->handle, nr * sizeof(*a->taken));
	zsr_charge(m, ZSR_COST_pop, (unsigned)nr);
	zsr_charge(m, ZSR_COST_line_transfer, zsr_lines(nr * ZSR_HANDLE_BYTES));
	zsr_spin_unlock(m, &a->lock);
	return nr;
}

static void drain(struct array *a)
{
	uint64_t i, nr = take_all(a);

	for (i = 0; i < nr; i++) {
		array_free_now(a->pool, a->taken[i]);
		zsr_cond_resched(a->pool->m);
	}
}

static void array_work(struct zsr_work *work)
{
	drain(work->arg);
}

static void array_flush(struct zsr_pool *p)
{
	struct array *a = p->priv;

	zsr_cancel_delayed_work(p->m, &a->drain);
	zsr_flush_work(p->m, &a->drain.work);
	drain(a);
}

static void array_teardown(struct zsr_pool *p)
{
	struct array *a = p->priv;

	if (!a)
		return;
	free(a->handle);
	free(a->taken);
	free(a);
	p->priv = NULL;
}

static int array_setup(struct zsr_pool *p)
{
	struct array *a = calloc(1, sizeof(*a));
	uint64_t bytes;

	p->priv = a;
	if (!a)
		return -ENOMEM;
	a->pool = p;
	a->capacity = (p->param[CAPACITY] << 20) / p->page_size;
	a->kick_at = zsr_max(a->capacity * p->param[KICK] / 100, 1u);
	zsr_pool_name_lock(p, &a->lock, "queue");
	a->wq.name = "array";
	a->wq.flags = p->param[QUEUE] ? 0 : ZSR_WQ_UNBOUND;
	a->drain.work =
		(struct zsr_work){ .fn = array_work, .arg = a, .wq = &a->wq };
	a->handle = calloc(a->capacity, sizeof(*a->handle));
	a->taken = calloc(a->capacity, sizeof(*a->taken));
	if (!a->handle || !a->taken)
		return -ENOMEM;
	bytes = 2 * a->capacity * ZSR_HANDLE_BYTES;
	zsr_pool_buffer_pages(
		p, (int64_t)((bytes + p->page_size - 1) / p->page_size));
	return 0;
}

const struct zsr_policy zsr_policy_array = {
	.version = ZSR_MACHINE_VERSION,
	.name = "array",
	.summary = "one array of handles a pool, trylock, drained at half",
	.text = "A release appends its handle to one preallocated array of "
		"the pool, whose lock it only tries. When the lock is taken, "
		"by another release or by the worker, or the array is full, "
		"it frees synchronously. The kicked worker copies everything "
		"out under the lock and frees it after dropping the lock. "
		"What is below the kick waits for more releases or the flush, "
		"unless flush-ms sets a timer. The worker's loop was not "
		"found; that "
		"it copies everything at once, into a second array, is "
		"assumed.",
	.source = "RFC v2 of 21 April 2026",
	.params = params,
	.nr_params = ZSR_ARRAY_SIZE(params),
	.store_lock = ZSR_STORE_CLASS_LOCK,
	.setup = array_setup,
	.teardown = array_teardown,
	.release = array_release,
	.free_now = array_free_now,
	.flush = array_flush,
};
