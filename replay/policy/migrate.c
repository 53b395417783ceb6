// SPDX-License-Identifier: GPL-2.0-only
/*
 * What happens to a pool's pages behind its back: the page allocator migrates
 * them, and an empty zspage whose page is locked meanwhile is left to the
 * allocator's own worker. Where objects lie does not change, nor does any list.
 */
#include "replay/policy/book.h"

/* The empty zspages of a class, under its lock as in the kernel. */
static void free_class(struct zsr_pool *p, unsigned class)
{
	struct zsr_spinlock *lock = zsr_pool_store_lock(p, class);
	unsigned pages;

	zsr_spin_lock(p->m, lock);
	pages = (unsigned)zsr_engine_worker_class(p->e, class);
	if (pages) {
		zsr_charge(p->m, ZSR_COST_page_reset, pages);
		zsr_pages_free(p->m, pages);
		zsr_charge(p->m, ZSR_COST_zspage_free,
			   pages / p->class[class].pages);
		zsr_line_atomic(p->m, &p->page_count);
		p->book->compacted(p, pages);
	}
	zsr_spin_unlock(p->m, lock);
}

void zsr_pool_free_work(struct zsr_work *work)
{
	struct zsr_pool *p = work->arg;
	unsigned class = p->nr_classes;

	zsr_order(p->m);
	if (!zsr_engine_worker_begin(p->e))
		return;
	while (class --)
		if (p->class[class].size)
			free_class(p, class);
}

/* Page 0 of Z is locked by us. */
static void migrate(struct zsr_pool *p, unsigned class, struct zsr_zspage *z)
{
	zsr_pool_move_lock(p, class);
	zsr_charge(p->m, ZSR_COST_migrate_page, 1);
	p->migrate.pages++;
	p->migrate.dead_bytes += (uint64_t)zsr_book_queued_in(z) *
				 p->class[class].size / zsr_zspage_pages(z);
	zsr_pool_move_unlock(p, class);
	zsr_order(p->m);
	zsr_engine_page_unlock(p->e, z, 0);
	if (zsr_engine_worker_scheduled(p->e))
		zsr_queue_work(p->m, &p->free_work);
}

bool zsr_pool_migrate(struct zsr_pool *p)
{
	struct zsr_zspage *z;
	unsigned class;
	zsr_handle h;

	zsr_order(p->m);
	h = zsr_book_next_live(p, p->migrate.at);
	if (!h)
		return false;
	p->migrate.at = h;
	class = zsr_engine_handle_class(p->e, h);
	/* Its page locked, the zspage stays, even when it gets empty. */
	z = zsr_engine_handle_zspage(p->e, h);
	/* Compaction counts what it empties as back, page lock or not: in one
	 * class it is one or the other. */
	if (zsr_pool_compacts(p, class) || !zsr_engine_page_trylock(p->e, z, 0))
		return false;
	p->migrate.class = class + 1;
	migrate(p, class, z);
	p->migrate.class = 0;
	return true;
}
