// SPDX-License-Identifier: GPL-2.0-only
/*
 * Swap entries of large dying tasks go to one global list, a slab node each;
 * every so many nodes a work item of its own is queued, which takes the whole
 * list as it finds it. Several items can run at once.
 */
#include <errno.h>
#include <stdlib.h>

#include "replay/account.h"
#include "replay/policy/entry.h"
#include "replay/policy/item.h"

enum {
	MIN_OBJECTS,
	MIN_EXITING,
	KICK,
	MAX_ACTIVE,
	NODE_BYTES,
	FLUSH_MS,
	LOCKING
};

/* Bytes of a work item; not posted. */
#define ITEM_BYTES 64
#define V0         "v0 of 9 September 2025"

static const struct zsr_param params[] = {
	[MIN_OBJECTS] = { "min-objects", "entries", 3200, 0, UINT32_MAX,
			  "entries a task must have to be deferred: 100 swap "
			  "clusters of 32",
			  V0, NULL },
	[MIN_EXITING] = { "min-exiting", "tasks", 1, 1, UINT32_MAX,
			  "tasks that must be exiting at once, this one "
			  "included",
			  V0, NULL },
	[KICK] = { "kick", "nodes", 32, 1, 1u << 20,
		   "nodes added from one work item to the next", V0, NULL },
	[MAX_ACTIVE] = { "max-active", "workers", 0, 0, 512,
			 "work items that run at once; 0: the system's default",
			 V0, NULL },
	[NODE_BYTES] = { "node-bytes", "bytes", 32, 8, 4096, "memory of a node",
			 "not posted; assumed: links, entry and count", NULL },
	[FLUSH_MS] = { "flush-ms", "ms", 0, 0, 1000000,
		       "entries below the kick are freed this long after the "
		       "first; 0: never",
		       "0 is never: no timer was posted", NULL },
	[LOCKING] = ZSR_PARAM_LOCKING(ZSR_LOCKING_SYNC, "kernels of 2025"),
};

struct node {
	struct node *next;
	uint32_t slot;
};

struct global_list {
	struct zsr_pool *pool;
	struct zsr_gate gate;
	struct zsr_slab nodes;
	struct zsr_items items;
	struct zsr_spinlock lock; /* protects what follows, up to since_kick */
	struct zsr_line ends; /* where nodes are linked in */
	struct node *first, **tail;
	uint64_t since_kick; /* nodes */
	struct zsr_work pressed;
	struct zsr_delayed_work timer;
};

static enum zsr_locking locking(const struct zsr_pool *p)
{
	return (enum zsr_locking)p->param[LOCKING];
}

/* ---- draining ---------------------------------------------------------------- */

/* The whole list; it is empty then. */
static struct node *splice(struct global_list *gl)
{
	struct zsr_machine *m = gl->pool->m;
	struct node *list;

	zsr_spin_lock(m, &gl->lock);
	zsr_line_write(m, &gl->ends);
	list = gl->first;
	gl->first = NULL;
	gl->tail = &gl->first;
	zsr_spin_unlock(m, &gl->lock);
	return list;
}

/* The slots of the list's first nodes, which are freed. */
static unsigned unlink_nodes(struct global_list *gl, struct node **list,
			     uint32_t *slot, unsigned max)
{
	struct node *node;
	unsigned n;

	for (n = 0; n < max && (node = *list); n++) {
		*list = node->next;
		slot[n] = node->slot;
		zsr_slab_put(&gl->nodes);
		free(node);
	}
	return n;
}

static void drain(struct global_list *gl)
{
	struct zsr_pool *p = gl->pool;
	struct node *list = splice(gl);
	uint32_t slot[ZSR_SWAP_BATCH];
	unsigned n;

	while ((n = unlink_nodes(gl, &list, slot, ZSR_SWAP_BATCH))) {
		zsr_entries_drain(p, locking(p), slot, n);
		zsr_cond_resched(p->m);
	}
}

/* Of memory pressure, and of the timer. */
static void drain_work(struct zsr_work *work)
{
	drain(work->arg);
}

static void item_work(struct zsr_work *work)
{
	struct zsr_item *item = work->arg;

	drain(item->all->pool->priv);
	zsr_item_put(item);
}

/* ---- queueing ----------------------------------------------------------------- */

/* Without memory for an item the list waits for the next one. */
static void kick(struct global_list *gl)
{
	struct zsr_item *item = zsr_item_get(&gl->items);

	if (item)
		zsr_queue_work(gl->pool->m, &item->work);
}

static struct node *node_new(struct global_list *gl, uint32_t slot)
{
	struct node *node;

	if (!zsr_slab_get(&gl->nodes))
		return NULL;
	node = malloc(sizeof(*node));
	if (node)
		*node = (struct node){ .slot = slot };
	else
		zsr_account_fail(gl->pool->account, -ENOMEM);
	return node;
}

static bool enqueue(struct global_list *gl, uint32_t slot)
{
	struct zsr_pool *p = gl->pool;
	struct node *node = node_new(gl, slot);
	bool full, first;

	if (!node)
		return false;
	zsr_entry_queued(p, slot);
	zsr_spin_lock(p->m, &gl->lock);
	zsr_line_write(p->m, &gl->ends);
	zsr_charge(p->m, ZSR_COST_push, 1);
	first = !gl->first;
	*gl->tail = node;
	gl->tail = &node->next;
	full = ++gl->since_kick == p->param[KICK];
	if (full)
		gl->since_kick = 0;
	zsr_spin_unlock(p->m, &gl->lock);
	if (full)
		kick(gl);
	else if (first && p->param[FLUSH_MS])
		zsr_queue_delayed_work_on(p->m, zsr_cpu(p->m), &gl->timer,
					  p->param[FLUSH_MS] * 1000000);
	return true;
}

static void global_list_release(struct zsr_pool *p,
				const struct zsr_releaser *r, uint32_t slot)
{
	struct global_list *gl = p->priv;
	bool open = zsr_gate_open(p, &gl->gate, r);

	if (open && enqueue(gl, slot))
		return;
	if (open)
		zsr_pool_fell_back(p);
	zsr_entry_free(p, locking(p), slot);
}

static void global_list_exits(struct zsr_pool *p, const struct zsr_releaser *r)
{
	struct global_list *gl = p->priv;

	(void)r;
	zsr_gate_touch(p, &gl->gate);
}

/* From the page allocator, with nothing allocated. */
static void global_list_pressure(struct zsr_pool *p)
{
	struct global_list *gl = p->priv;

	zsr_queue_work(p->m, &gl->pressed);
}

/* ---- life ------------------------------------------------------------------ */

static void global_list_flush(struct zsr_pool *p)
{
	struct global_list *gl = p->priv;

	zsr_cancel_delayed_work(p->m, &gl->timer);
	zsr_flush_work(p->m, &gl->timer.work);
	zsr_flush_work(p->m, &gl->pressed);
	zsr_items_flush(&gl->items);
	drain(gl);
	zsr_slab_shrink(&gl->nodes);
}

static void global_list_offline(struct zsr_pool *p, unsigned cpu)
{
	struct global_list *gl = p->priv;

	zsr_slab_offline(&gl->nodes, cpu);
	zsr_slab_offline(&gl->items.slab, cpu);
}

static void global_list_teardown(struct zsr_pool *p)
{
	struct global_list *gl = p->priv;
	struct node *node;

	if (!gl)
		return;
	while ((node = gl->first)) {
		gl->first = node->next;
		free(node);
	}
	zsr_items_destroy(&gl->items);
	free(gl);
	p->priv = NULL;
}

static int global_list_setup(struct zsr_pool *p)
{
	struct global_list *gl = calloc(1, sizeof(*gl));

	p->priv = gl;
	if (!gl)
		return -ENOMEM;
	gl->pool = p;
	gl->gate.min_objects = p->param[MIN_OBJECTS];
	gl->gate.min_exiting = p->param[MIN_EXITING];
	zsr_slab_init(&gl->nodes, p, (unsigned)p->param[NODE_BYTES]);
	zsr_items_init(&gl->items, p, sizeof(struct zsr_item), ITEM_BYTES,
		       item_work);
	gl->tail = &gl->first;
	zsr_pool_name_lock(p, &gl->lock, "queue");
	gl->items.wq.name = "global-list";
	gl->items.wq.flags = ZSR_ENTRY_WQ_FLAGS;
	gl->items.wq.max_active = (unsigned)p->param[MAX_ACTIVE];
	gl->pressed.fn = gl->timer.work.fn = drain_work;
	gl->pressed.arg = gl->timer.work.arg = gl;
	gl->pressed.wq = gl->timer.work.wq = &gl->items.wq;
	return 0;
}

static void global_list_free_now(struct zsr_pool *p, zsr_handle h)
{
	zsr_free_locked(p, locking(p), h);
}

const struct zsr_policy zsr_policy_global_list = {
	.version = ZSR_MACHINE_VERSION,
	.name = "global-list",
	.summary = "swap entries of large exits on one list, several workers",
	.text = "Whole swap entries, above zsmalloc. Every release of a trace "
		"counts as the exit of its task. A task with 3200 swapped "
		"pages or more (12.5 MB) puts its entries on one global list "
		"under a spinlock, a slab node each; every 32 nodes a work "
		"item is allocated and queued with high priority, which takes "
		"the whole list and frees entry by entry. A slot is not "
		"stored to before that. Without memory for a node the task "
		"frees the entry itself; without memory for a work item the "
		"list waits for the next one. When free memory falls below "
		"the low mark a drain is queued.",
	.source = "Lei Liu, September 2025, v0",
	.params = params,
	.nr_params = ZSR_ARRAY_SIZE(params),
	.flags = ZSR_POLICY_GATED | ZSR_POLICY_ENTRIES,
	.store_lock = ZSR_STORE_CLASS_LOCK,
	.setup = global_list_setup,
	.teardown = global_list_teardown,
	.release = global_list_release,
	.release_begins = global_list_exits,
	.release_ends = global_list_exits,
	.free_now = global_list_free_now,
	.flush = global_list_flush,
	.cpu_offline = global_list_offline,
	.pressure = global_list_pressure,
};
