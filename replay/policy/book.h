/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is written down of a pool while it is used, beside what the policy and
 * the allocator do to it, and what is handed out to those who use it. A step of
 * pool.c says here what it did; what becomes of that is the machine's business:
 *
 * - zsr_book_ordered: everything comes in the order of time, as it does on the
 *   virtual machine. The account is always up to date.
 * - one of threads, who write each for themselves (replay/host_book.c); the
 *   account is made of that after the run.
 *
 * Steps are called with the locks that the step of pool.c has.
 */
#ifndef ZSR_BOOK_H
#define ZSR_BOOK_H

#include "replay/policy/policy.h"

/* What a handle stands for: nothing, an object, an object that is free. */
enum { ZSR_HANDLE_NONE, ZSR_HANDLE_LIVE, ZSR_HANDLE_FREED };

struct zsr_book {
	unsigned engine_flags; /* ZSR_ENGINE_*, for the pool's creation */
	bool checked; /* p->state says what handles are live */

	/* A zspage was built; H lies in Z; H waits in a queue from now on. */
	void (*grown)(struct zsr_pool *p, struct zsr_zspage *z);
	void (*stored)(struct zsr_pool *p, zsr_handle h, struct zsr_zspage *z);
	void (*queued)(struct zsr_pool *p, zsr_handle h);
	/* H is free, and was in Z; Z's pages go back now. */
	void (*freed)(struct zsr_pool *p, unsigned class, zsr_handle h,
		      struct zsr_zspage *z);
	void (*back)(struct zsr_pool *p, struct zsr_zspage *z);
	/* Both at once, without time: Z is NULL where it stays. */
	void (*vanished)(struct zsr_pool *p, zsr_handle h, struct zsr_zspage *z,
			 uint64_t now);
	/* Compaction: H moved, NR pages went back. */
	void (*moved)(struct zsr_pool *p, unsigned class, zsr_handle h,
		      struct zsr_zspage *from, struct zsr_zspage *to);
	void (*compacted)(struct zsr_pool *p, unsigned nr);
	/* As the functions of policy.h. */
	uint64_t (*zspage_queued)(struct zsr_pool *p);
	void (*zspage_dequeued)(struct zsr_pool *p, uint64_t queued_at);
	void (*buffer_pages)(struct zsr_pool *p, int64_t nr);
	void (*fell_back)(struct zsr_pool *p);
	void (*slot_reused)(struct zsr_pool *p);

	/* What is handed out: handles (0: none left), and slots of the swap
	 * device (-errno of the host). */
	zsr_handle (*handle_get)(struct zsr_pool *p);
	void (*handle_put)(struct zsr_pool *p, zsr_handle h);
	int64_t (*slot_get)(struct zsr_pool *p);
	void (*slot_put)(struct zsr_pool *p, uint32_t slot);
};

/* The one lock of 6.1 to 6.10 is the pool's and each class's. */
static inline bool zsr_pool_one_lock(const struct zsr_pool *p)
{
	return p->policy->store_lock == ZSR_STORE_BIG_LOCK;
}

static inline struct zsr_spinlock *zsr_pool_store_lock(struct zsr_pool *p,
						       unsigned class)
{
	return zsr_pool_one_lock(p) ? &p->big_lock : &p->class[class].lock;
}

/* The locks of compaction and migration: against all users of a class. */
static inline void zsr_pool_move_lock(struct zsr_pool *p, unsigned class)
{
	if (!zsr_pool_one_lock(p))
		zsr_write_lock(p->m, &p->lock);
	zsr_spin_lock(p->m, zsr_pool_store_lock(p, class));
}

static inline void zsr_pool_move_unlock(struct zsr_pool *p, unsigned class)
{
	zsr_spin_unlock(p->m, zsr_pool_store_lock(p, class));
	if (!zsr_pool_one_lock(p))
		zsr_write_unlock(p->m, &p->lock);
}

/* Is a compaction at this class? */
bool zsr_pool_compacts(const struct zsr_pool *p, unsigned class);

/* The allocator's own worker, for zspages that could not go at once. */
void zsr_pool_free_work(struct zsr_work *work);

/* A handle of an object that nobody freed, the next one after H, round and
 * round; 0 when there is none. And the queued objects of a zspage. */
zsr_handle zsr_book_next_live(const struct zsr_pool *p, zsr_handle h);
unsigned zsr_book_queued_in(struct zsr_zspage *z);

extern const struct zsr_book zsr_book_ordered;

#endif
