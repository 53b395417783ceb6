// SPDX-License-Identifier: GPL-2.0-only
/*
 * A dying task gathers its swap entries beside the pages it unmaps, in buffers
 * of its own: a few inline, then a page at a time, allocated without waiting.
 * Enough pages, or the end of the exit, hand the lot to a worker that frees
 * entry by entry as the task would have done.
 *
 * The gate may open in mid-exit, when a second task begins to die; it stays
 * open for the rest of this exit then, as its buffers are there.
 */
#include <errno.h>
#include <stdlib.h>

#include "replay/account.h"
#include "replay/policy/entry.h"
#include "replay/policy/item.h"
#include "replay/policy/percpu.h"

enum { MIN_OBJECTS, MIN_EXITING, INLINE, BATCHES, MAX_ACTIVE, LOCKING };

#define MAX_INLINE 64
/* Bytes of a batch page: link, count and capacity, then a word an entry. */
#define HEADER 16
#define WORD   8
/* Bytes of a record: work item, list, the inline entries; not posted. */
#define RECORD 128
#define V3     "v3 of 5 August 2024"

static const struct zsr_param params[] = {
	[MIN_OBJECTS] = { "min-objects", "entries", 32, 0, UINT32_MAX,
			  "entries a task must have to gather them: one swap "
			  "cluster",
			  V3, NULL },
	[MIN_EXITING] = { "min-exiting", "tasks", 2, 1, UINT32_MAX,
			  "tasks that must be exiting at once, this one "
			  "included",
			  V3, NULL },
	[INLINE] = { "inline", "entries", 8, 1, MAX_INLINE,
		     "entries gathered before the first page", V3, NULL },
	[BATCHES] = { "batch-pages", "pages", 19, 1, 1u << 20,
		      "full pages that are handed over together",
		      V3 ": 10000 entries, 510 to a page of 4 KiB", NULL },
	[MAX_ACTIVE] = { "max-active", "workers", 1, 0, 512,
			 "work items that run at once; 0: the system's default",
			 V3, NULL },
	[LOCKING] = ZSR_PARAM_LOCKING(ZSR_LOCKING_SYNC, "kernels of 2024"),
};

/* What a task has gathered: its own while it fills it, then a work item. */
struct gather {
	struct zsr_item item;
	struct zsr_words *batch, *last; /* pages, in order */
	unsigned nr_batches;
	unsigned nr_inline;
	uint32_t slot[MAX_INLINE];
};

struct exiting {
	struct gather *g; /* NULL: nothing gathered */
	bool open; /* the gate was, since its release began */
};

struct exit_gather {
	struct zsr_pool *pool;
	struct zsr_gate gate;
	uint64_t page_entries;
	struct exiting *task; /* each its own */
	struct zsr_items items;
};

static enum zsr_locking locking(const struct zsr_pool *p)
{
	return (enum zsr_locking)p->param[LOCKING];
}

/* ---- the worker -------------------------------------------------------------- */

static void batch_free(struct zsr_pool *p, struct zsr_words *b)
{
	zsr_words_free(b);
	zsr_pages_free(p->m, 1);
	zsr_pool_buffer_pages(p, -1);
}

static void free_entries(struct zsr_pool *p, const uint32_t *slot, unsigned nr)
{
	unsigned n;

	for (; nr; nr -= n, slot += n) {
		n = zsr_min(nr, (unsigned)ZSR_SWAP_BATCH);
		zsr_entries_drain(p, locking(p), slot, n);
		zsr_cond_resched(p->m);
	}
}

/* All that was gathered, as the task would have freed it. */
static void free_gathered(struct zsr_pool *p, struct gather *g)
{
	struct zsr_words *b;

	free_entries(p, g->slot, g->nr_inline);
	while ((b = g->batch)) {
		g->batch = b->next;
		b->next = NULL;
		zsr_words_fetch(p->m, b, WORD);
		free_entries(p, b->word, b->count);
		batch_free(p, b);
	}
}

static void gather_work(struct zsr_work *work)
{
	struct gather *g = work->arg;

	free_gathered(g->item.all->pool, g);
	zsr_item_put(&g->item);
}

/* ---- the dying task ------------------------------------------------------------ */

/* An empty one; NULL when there is no memory for its record. */
static struct gather *gather_get(struct exit_gather *x)
{
	struct gather *g = (struct gather *)zsr_item_get(&x->items);

	if (g) {
		g->batch = g->last = NULL;
		g->nr_batches = g->nr_inline = 0;
	}
	return g;
}

static bool batch_add(struct exit_gather *x, struct gather *g)
{
	struct zsr_pool *p = x->pool;
	struct zsr_words *b;

	if (!zsr_pages_alloc(p->m, 1))
		return false;
	zsr_pool_buffer_pages(p, 1);
	b = zsr_words_new(x->page_entries);
	if (!b) {
		zsr_account_fail(p->account, -ENOMEM);
		batch_free(p, NULL);
		return false;
	}
	if (g->last)
		g->last->next = b;
	else
		g->batch = b;
	g->last = b;
	g->nr_batches++;
	return true;
}

static bool batch_is_full(const struct exit_gather *x, const struct gather *g)
{
	return g->last ? g->last->count == x->page_entries
		       : g->nr_inline == x->pool->param[INLINE];
}

static void push_out(struct exit_gather *x, struct exiting *t)
{
	struct gather *g = t->g;

	t->g = NULL;
	zsr_queue_work(x->pool->m, &g->item.work);
}

static void add(struct zsr_pool *p, struct zsr_words *b, uint32_t slot)
{
	b->cpu = zsr_cpu(p->m);
	b->word[b->count++] = slot;
}

/* False when there is not even memory for the first few. */
static bool gather(struct exit_gather *x, struct exiting *t, uint32_t slot)
{
	struct zsr_pool *p = x->pool;
	struct gather *g;

	if (t->g && batch_is_full(x, t->g) && !batch_add(x, t->g))
		push_out(x, t);
	if (!t->g)
		t->g = gather_get(x);
	g = t->g;
	if (!g)
		return false;
	zsr_charge(p->m, ZSR_COST_push, 1);
	zsr_entry_queued(p, slot);
	if (g->last)
		add(p, g->last, slot);
	else
		g->slot[g->nr_inline++] = slot;
	if (g->nr_batches == p->param[BATCHES] && batch_is_full(x, g))
		push_out(x, t);
	return true;
}

static void exit_gather_begins(struct zsr_pool *p, const struct zsr_releaser *r)
{
	struct exit_gather *x = p->priv;

	x->task[r->task].open = false;
	zsr_gate_touch(p, &x->gate);
}

static void exit_gather_release(struct zsr_pool *p,
				const struct zsr_releaser *r, uint32_t slot)
{
	struct exit_gather *x = p->priv;
	struct exiting *t = &x->task[r->task];

	t->open = t->open || zsr_gate_open(p, &x->gate, r);
	if (t->open && gather(x, t, slot))
		return;
	if (t->open)
		zsr_pool_fell_back(p);
	zsr_entry_free(p, locking(p), slot);
}

static void exit_gather_ends(struct zsr_pool *p, const struct zsr_releaser *r)
{
	struct exit_gather *x = p->priv;
	struct exiting *t = &x->task[r->task];

	if (t->g)
		push_out(x, t);
	zsr_gate_touch(p, &x->gate);
}

/* ---- life ------------------------------------------------------------------ */

static void exit_gather_flush(struct zsr_pool *p)
{
	struct exit_gather *x = p->priv;
	uint32_t i;

	for (i = 0; i < p->nr_tasks; i++)
		if (x->task[i].g)
			push_out(x, &x->task[i]);
	zsr_items_flush(&x->items);
}

static void exit_gather_offline(struct zsr_pool *p, unsigned cpu)
{
	struct exit_gather *x = p->priv;

	zsr_slab_offline(&x->items.slab, cpu);
}

static void exit_gather_teardown(struct zsr_pool *p)
{
	struct exit_gather *x = p->priv;
	struct zsr_item *item;

	if (!x)
		return;
	for (item = x->items.made; item; item = item->next_made)
		zsr_words_free(((struct gather *)item)->batch);
	zsr_items_destroy(&x->items);
	free(x->task);
	free(x);
	p->priv = NULL;
}

static int exit_gather_setup(struct zsr_pool *p)
{
	struct exit_gather *x = calloc(1, sizeof(*x));

	p->priv = x;
	if (!x)
		return -ENOMEM;
	x->pool = p;
	x->gate.min_objects = p->param[MIN_OBJECTS];
	x->gate.min_exiting = p->param[MIN_EXITING];
	x->page_entries = (p->page_size - HEADER) / WORD;
	zsr_items_init(&x->items, p, sizeof(struct gather), RECORD, gather_work);
	x->items.wq.name = "exit-gather";
	x->items.wq.flags = ZSR_ENTRY_WQ_FLAGS;
	x->items.wq.max_active = (unsigned)p->param[MAX_ACTIVE];
	x->task = calloc((size_t)p->nr_tasks + 1, sizeof(*x->task));
	return x->task ? 0 : -ENOMEM;
}

static void exit_gather_free_now(struct zsr_pool *p, zsr_handle h)
{
	zsr_free_locked(p, locking(p), h);
}

const struct zsr_policy zsr_policy_exit_gather = {
	.version = ZSR_MACHINE_VERSION,
	.name = "exit-gather",
	.summary = "a dying task gathers swap entries, one worker frees them",
	.text = "Whole swap entries, above zsmalloc. Every release of a trace "
		"counts as the exit of its task. While at least two tasks "
		"exit at once, each with 32 swapped pages or more gathers its "
		"entries in buffers of its own, 8 inline and then page by "
		"page, and hands them over whenever 19 pages are full and "
		"when it ends; a gate that opens in mid-exit stays open for "
		"the rest of it. A high-priority queue with one worker at a "
		"time frees entry by entry, at unchanged cost, and a slot is "
		"not stored to before that. Pages and work records are "
		"allocated without waiting: for want of a page, what is "
		"gathered is handed over early; for want of a record, too, "
		"the task frees the entry itself. Traces release entries one "
		"by one, so no run lengths are stored.",
	.source = "Zhiguo Jiang, July to September 2024, v1 to v3",
	.params = params,
	.nr_params = ZSR_ARRAY_SIZE(params),
	.flags = ZSR_POLICY_GATED | ZSR_POLICY_ENTRIES,
	.store_lock = ZSR_STORE_CLASS_LOCK,
	.setup = exit_gather_setup,
	.teardown = exit_gather_teardown,
	.release = exit_gather_release,
	.release_begins = exit_gather_begins,
	.release_ends = exit_gather_ends,
	.free_now = exit_gather_free_now,
	.flush = exit_gather_flush,
	.cpu_offline = exit_gather_offline,
};
