// SPDX-License-Identifier: GPL-2.0-only
/* The book of a machine that has an order of time: the account keeps the words
 * of the main figure (live, held back, back) as they change. */
#include <stdlib.h>
#include <string.h>

#include "replay/account.h"
#include "replay/policy/book.h"
#include "replay/policy/percpu.h"

/*
 * The engine's word for us in each zspage: how many of its objects wait in a
 * queue, and whether the zspage is counted as held back.
 */
#define HELD (1u << 31)

/* Now, with everything recorded that happens before. */
static uint64_t ordered_now(struct zsr_pool *p)
{
	zsr_order(p->m);
	return zsr_now_ps(p->m);
}

static void held_update(struct zsr_pool *p, struct zsr_zspage *z)
{
	uint32_t *word = zsr_zspage_queued(z);
	bool held = (*word & ~HELD) == zsr_zspage_inuse(z);

	if (held == !!(*word & HELD))
		return;
	*word ^= HELD;
	zsr_account_held(p->account, ordered_now(p),
			 held ? (int64_t)zsr_zspage_pages(z)
			      : -(int64_t)zsr_zspage_pages(z));
}

static void grown(struct zsr_pool *p, struct zsr_zspage *z)
{
	zsr_account_grown(p->account, ordered_now(p), zsr_zspage_pages(z));
}

static void stored(struct zsr_pool *p, zsr_handle h, struct zsr_zspage *z)
{
	size_t nr = (size_t)h + 1;

	if (zsr_grow(&p->state, &p->cap_state, nr, 1)) {
		zsr_account_fail(p->account, -ENOMEM);
		return;
	}
	if (nr > p->nr_state) {
		memset(p->state + p->nr_state, 0, nr - p->nr_state);
		p->nr_state = nr;
	}
	p->state[h] = ZSR_HANDLE_LIVE;
	held_update(p, z);
}

static void queued(struct zsr_pool *p, zsr_handle h)
{
	uint64_t now = ordered_now(p);
	/* Looked up last: until now compaction could move the object. */
	struct zsr_zspage *z = zsr_engine_handle_zspage(p->e, h);

	if (zsr_queued_add(&p->queued, h, now)) {
		zsr_account_fail(p->account, -ENOMEM);
		return;
	}
	(*zsr_zspage_queued(z))++;
	zsr_account_queued(p->account, now,
			   p->class[zsr_engine_handle_class(p->e, h)].size);
	held_update(p, z);
}

static void freed(struct zsr_pool *p, unsigned class, zsr_handle h,
		  struct zsr_zspage *z)
{
	if (zsr_queued_has(&p->queued, h)) {
		(*zsr_zspage_queued(z))--;
		zsr_account_dequeued(p->account, ordered_now(p),
				     zsr_queued_remove(&p->queued, h),
				     p->class[class].size);
	}
	held_update(p, z);
}

static void back(struct zsr_pool *p, struct zsr_zspage *z)
{
	unsigned pages = zsr_zspage_pages(z);

	zsr_account_held(p->account, ordered_now(p), -(int64_t)pages);
	zsr_account_back(p->account, ordered_now(p), pages);
}

static void vanished(struct zsr_pool *p, zsr_handle h, struct zsr_zspage *z,
		     uint64_t now)
{
	(void)h;
	if (z)
		zsr_account_back(p->account, now, zsr_zspage_pages(z));
}

/* A queued object takes its mark along. */
static void moved(struct zsr_pool *p, unsigned class, zsr_handle h,
		  struct zsr_zspage *from, struct zsr_zspage *to)
{
	if (zsr_queued_has(&p->queued, h)) {
		(*zsr_zspage_queued(from))--;
		(*zsr_zspage_queued(to))++;
		p->compact.dead_moved++;
		p->compact.dead_bytes += p->class[class].size;
	}
	held_update(p, from);
	held_update(p, to);
}

static void compacted(struct zsr_pool *p, unsigned nr)
{
	zsr_account_held(p->account, ordered_now(p), -(int64_t)nr);
	zsr_account_back(p->account, ordered_now(p), nr);
}

static uint64_t zspage_queued(struct zsr_pool *p)
{
	uint64_t now = ordered_now(p);

	zsr_account_queued(p->account, now, 0);
	return now;
}

static void zspage_dequeued(struct zsr_pool *p, uint64_t queued_at)
{
	zsr_account_dequeued(p->account, ordered_now(p), queued_at, 0);
}

static void buffer_pages(struct zsr_pool *p, int64_t nr)
{
	zsr_account_buffer(p->account, nr);
}

static void fell_back(struct zsr_pool *p)
{
	p->fallbacks++;
}

static void slot_reused(struct zsr_pool *p)
{
	p->slots_reused++;
}

zsr_handle zsr_book_next_live(const struct zsr_pool *p, zsr_handle h)
{
	size_t i, at;

	for (i = 1; i <= p->nr_state; i++) {
		at = (h + i) % p->nr_state;
		if (p->state[at] == ZSR_HANDLE_LIVE)
			return (zsr_handle)at;
	}
	return 0;
}

unsigned zsr_book_queued_in(struct zsr_zspage *z)
{
	return *zsr_zspage_queued(z) & ~HELD;
}

/* ---- handed out --------------------------------------------------------- */

static zsr_handle handle_get(struct zsr_pool *p)
{
	return zsr_engine_handle_alloc(p->e);
}

static void handle_put(struct zsr_pool *p, zsr_handle h)
{
	zsr_engine_handle_free(p->e, h);
}

/* Free slots, in pages that are given back as they are used up. */
#define FREE_SLOTS 252

static uint32_t free_slot_take(struct zsr_pool *p)
{
	struct zsr_words *w = p->free_slots;
	uint32_t slot = w->word[p->first_free_slot++];

	if (p->first_free_slot == w->count) {
		p->free_slots = w->next;
		p->first_free_slot = 0;
		free(w);
	}
	return slot;
}

static int64_t slot_get(struct zsr_pool *p)
{
	if (p->free_slots && p->nr_slots >= p->swap_slots)
		return free_slot_take(p);
	if (zsr_grow(&p->slot, &p->cap_slots, p->nr_slots + 1, sizeof(*p->slot)))
		return -ENOMEM;
	p->slot[p->nr_slots] = (struct zsr_slot){ 0 };
	return (int64_t)p->nr_slots++;
}

static void slot_put(struct zsr_pool *p, uint32_t slot)
{
	struct zsr_words *w = p->last_free_slots;

	if (!p->free_slots || w->count == FREE_SLOTS) {
		w = zsr_words_new(FREE_SLOTS);
		if (!w) {
			zsr_account_fail(p->account, -ENOMEM);
			return;
		}
		if (p->free_slots)
			p->last_free_slots->next = w;
		else
			p->free_slots = w;
		p->last_free_slots = w;
	}
	w->word[w->count++] = slot;
}

const struct zsr_book zsr_book_ordered = {
	.grown = grown,
	.stored = stored,
	.checked = true,
	.queued = queued,
	.freed = freed,
	.back = back,
	.vanished = vanished,
	.moved = moved,
	.compacted = compacted,
	.zspage_queued = zspage_queued,
	.zspage_dequeued = zspage_dequeued,
	.buffer_pages = buffer_pages,
	.fell_back = fell_back,
	.slot_reused = slot_reused,
	.handle_get = handle_get,
	.handle_put = handle_put,
	.slot_get = slot_get,
	.slot_put = slot_put,
};
