/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Work items of one queue that come and go: a record is taken when there is
 * something to do, and given back by its own work. Any task may take one.
 */
#ifndef ZSR_ITEM_H
#define ZSR_ITEM_H

#include "replay/policy/slab.h"

struct zsr_items;

/* Embedded first in what the item is for. Its work's arg is the item. */
struct zsr_item {
	struct zsr_work work;
	struct zsr_items *all;
	struct zsr_item *next; /* among the spare ones */
	struct zsr_item *next_made;
};

struct zsr_items {
	struct zsr_pool *pool;
	struct zsr_slab slab;
	size_t size;
	void (*fn)(struct zsr_work *work);
	struct zsr_spinlock lock; /* protects the two lists */
	struct zsr_item *spare;
	struct zsr_item *made;
	struct zsr_workqueue wq; /* the owner's to set up */
};

/* Items of SIZE bytes that take BYTES of the kernel's memory, run by FN. */
void zsr_items_init(struct zsr_items *items, struct zsr_pool *p, size_t size,
		    unsigned bytes, void (*fn)(struct zsr_work *work));
/* Nothing is queued any more. */
void zsr_items_destroy(struct zsr_items *items);

/* One to fill in and queue, as it was when given back (at first zeroed); NULL
 * when that needs a page and there is none. */
struct zsr_item *zsr_item_get(struct zsr_items *items);
/* The last that the item's work does. Who takes it while that returns, and
 * queues it, has the same worker run it again. */
void zsr_item_put(struct zsr_item *item);

/* Sleep until all are done; their pages are given back. */
void zsr_items_flush(struct zsr_items *items);

#endif
