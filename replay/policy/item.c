// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>

#include "replay/account.h"
#include "replay/policy/item.h"

void zsr_items_init(struct zsr_items *items, struct zsr_pool *p, size_t size,
		    unsigned bytes, void (*fn)(struct zsr_work *work))
{
	items->pool = p;
	items->size = size;
	items->fn = fn;
	zsr_slab_init(&items->slab, p, bytes);
	zsr_pool_name_lock(p, &items->lock, "items");
}

void zsr_items_destroy(struct zsr_items *items)
{
	struct zsr_item *item;

	while ((item = items->made)) {
		items->made = item->next_made;
		free(item);
	}
}

static struct zsr_item *item_make(struct zsr_items *items)
{
	struct zsr_item *item = calloc(1, items->size);

	if (!item) {
		zsr_account_fail(items->pool->account, -ENOMEM);
		return NULL;
	}
	item->all = items;
	item->work.fn = items->fn;
	item->work.arg = item;
	item->work.wq = &items->wq;
	zsr_spin_lock(items->pool->m, &items->lock);
	item->next_made = items->made;
	items->made = item;
	zsr_spin_unlock(items->pool->m, &items->lock);
	return item;
}

struct zsr_item *zsr_item_get(struct zsr_items *items)
{
	struct zsr_item *item;

	if (!zsr_slab_get(&items->slab))
		return NULL;
	zsr_spin_lock(items->pool->m, &items->lock);
	item = items->spare;
	if (item)
		items->spare = item->next;
	zsr_spin_unlock(items->pool->m, &items->lock);
	return item ? item : item_make(items);
}

void zsr_item_put(struct zsr_item *item)
{
	struct zsr_items *items = item->all;

	zsr_slab_put(&items->slab);
	zsr_spin_lock(items->pool->m, &items->lock);
	item->next = items->spare;
	items->spare = item;
	zsr_spin_unlock(items->pool->m, &items->lock);
}

void zsr_items_flush(struct zsr_items *items)
{
	struct zsr_item *item;

	for (item = items->made; item; item = item->next_made)
		zsr_flush_work(items->pool->m, &item->work);
	zsr_slab_shrink(&items->slab);
}
