// SPDX-License-Identifier: GPL-2.0-only
/* The allocator's steps on a machine: the engine acts, the machine charges, the
 * book is told. */
#include <stdlib.h>
#include <string.h>

#include "replay/account.h"
#include "replay/policy/book.h"
#include "replay/policy/percpu.h"

/* Policies come from strangers, too: is H in this state? False: the run has
 * failed, and nothing must be done. Then it goes on to the state TO. */
static inline bool may(struct zsr_pool *p, zsr_handle h, uint8_t from,
		       uint8_t to)
{
	if (!p->book->checked)
		return true;
	if (h >= p->nr_state || p->state[h] != from) {
		zsr_account_fail(p->account, -EPROTO);
		return false;
	}
	p->state[h] = to;
	return true;
}

static inline bool may_look(struct zsr_pool *p, zsr_handle h)
{
	return may(p, h, ZSR_HANDLE_LIVE, ZSR_HANDLE_LIVE);
}

static inline bool may_free(struct zsr_pool *p, zsr_handle h)
{
	return may(p, h, ZSR_HANDLE_LIVE, ZSR_HANDLE_FREED);
}

static inline bool may_put(struct zsr_pool *p, zsr_handle h)
{
	return may(p, h, ZSR_HANDLE_FREED, ZSR_HANDLE_NONE);
}

unsigned zsr_pool_peek_class(struct zsr_pool *p, zsr_handle h)
{
	zsr_charge(p->m, ZSR_COST_cell_load, 1);
	if (!may_look(p, h))
		return 0;
	return zsr_engine_handle_class(p->e, h);
}

void zsr_pool_locate(struct zsr_pool *p, zsr_handle h)
{
	(void)h;
	zsr_charge(p->m, ZSR_COST_zspage_load, 1);
}

unsigned zsr_pool_resolve(struct zsr_pool *p, zsr_handle h)
{
	zsr_pool_locate(p, h);
	return zsr_pool_peek_class(p, h);
}

bool zsr_pool_obj_free(struct zsr_pool *p, unsigned class, zsr_handle h,
		       struct zsr_zspage **zspage)
{
	unsigned done;

	zsr_charge(p->m, ZSR_COST_obj_free, 1);
	zsr_line_write(p->m, &p->class[class].data);
	*zspage = NULL;
	if (!may_free(p, h))
		return false;
	done = zsr_engine_obj_free(p->e, class, h, zspage);
	if (!*zspage) {
		zsr_account_fail(p->account, -EPROTO);
		return false;
	}
	if (done & ZSR_REGROUPED)
		zsr_charge(p->m, ZSR_COST_regroup, 1);
	p->book->freed(p, class, h, *zspage);
	return done & ZSR_EMPTIED;
}

bool zsr_pool_zspage_unlink(struct zsr_pool *p, struct zsr_zspage *zspage)
{
	zsr_charge(p->m, ZSR_COST_zspage_lock, zsr_zspage_pages(zspage));
	if (!zsr_engine_zspage_trylock(p->e, zspage)) {
		zsr_queue_work(p->m, &p->free_work);
		return false;
	}
	zsr_charge(p->m, ZSR_COST_zspage_unlink, 1);
	zsr_engine_zspage_unlink(p->e, zspage);
	return true;
}

void zsr_pool_zspage_free(struct zsr_pool *p, struct zsr_zspage *zspage)
{
	unsigned pages = zsr_zspage_pages(zspage);

	zsr_charge(p->m, ZSR_COST_page_reset, pages);
	zsr_pages_free(p->m, pages);
	zsr_charge(p->m, ZSR_COST_zspage_free, 1);
	zsr_line_atomic(p->m, &p->page_count);
	p->book->back(p, zspage);
	zsr_engine_zspage_free(p->e, zspage);
}

void zsr_pool_handle_free(struct zsr_pool *p, zsr_handle h)
{
	zsr_charge(p->m, ZSR_COST_handle_free, 1);
	if (may_put(p, h))
		p->book->handle_put(p, h);
}

static void vanish(struct zsr_pool *p, unsigned class, zsr_handle h,
		   uint64_t now)
{
	struct zsr_zspage *z;

	if (!may_free(p, h) || !may_put(p, h))
		return;
	if (!(zsr_engine_obj_free(p->e, class, h, &z) & ZSR_EMPTIED)) {
		p->book->vanished(p, h, NULL, now);
	} else if (zsr_engine_zspage_trylock(p->e, z)) {
		zsr_engine_zspage_unlink(p->e, z);
		zsr_pages_vanish(p->m, zsr_zspage_pages(z));
		p->book->vanished(p, h, z, now);
		zsr_engine_zspage_free(p->e, z);
	} else {
		p->book->freed(p, class, h, z);
		zsr_queue_work(p->m, &p->free_work);
	}
	p->book->handle_put(p, h);
}

void zsr_pool_vanish(struct zsr_pool *p, zsr_handle h)
{
	struct zsr_spinlock *lock;
	unsigned class;

	if (!may_look(p, h))
		return;
	class = zsr_engine_handle_class(p->e, h);
	lock = &p->class[class].lock;
	/* A store or a compaction must not find the class changed under it:
	 * nothing comes between the look and the change. */
	if (!zsr_spin_is_locked(p->m, lock)) {
		vanish(p, class, h, zsr_now_ps(p->m));
		return;
	}
	zsr_spin_lock(p->m, lock);
	zsr_order(p->m);
	vanish(p, class, h, zsr_now_ps(p->m));
	zsr_spin_unlock(p->m, lock);
}

void zsr_pool_queued(struct zsr_pool *p, zsr_handle h)
{
	if (may_look(p, h))
		p->book->queued(p, h);
}

uint64_t zsr_pool_zspage_queued(struct zsr_pool *p)
{
	return p->book->zspage_queued(p);
}

void zsr_pool_zspage_dequeued(struct zsr_pool *p, uint64_t queued_at)
{
	p->book->zspage_dequeued(p, queued_at);
}

void zsr_pool_fell_back(struct zsr_pool *p)
{
	p->book->fell_back(p);
}

void zsr_pool_name_lock(struct zsr_pool *p, struct zsr_spinlock *lock,
			const char *name)
{
	if (p->nr_named == ZSR_MAX_NAMED)
		return;
	p->named[p->nr_named].name = name;
	p->named[p->nr_named++].lock = lock;
}

void zsr_pool_buffer_pages(struct zsr_pool *p, int64_t nr)
{
	p->book->buffer_pages(p, nr);
}

/* ---- slots ------------------------------------------------------------ */

/*
 * Who stores to a slot and who drains it may come at the same time: each takes
 * what lies in it in one step, as under the slot's lock.
 */
static struct zsr_slot slot_read(const struct zsr_pool *p, uint32_t slot)
{
	struct zsr_slot s;

	__atomic_load(&p->slot[slot], &s, __ATOMIC_RELAXED);
	return s;
}

static void slot_write(struct zsr_pool *p, uint32_t slot, struct zsr_slot s)
{
	__atomic_store(&p->slot[slot], &s, __ATOMIC_RELAXED);
}

zsr_handle zsr_pool_slot_vanish(struct zsr_pool *p, uint32_t slot)
{
	zsr_handle h = slot_read(p, slot).handle;

	slot_write(p, slot, (struct zsr_slot){ 0 });
	return h;
}

zsr_handle zsr_pool_slot_take(struct zsr_pool *p, uint32_t slot)
{
	zsr_handle h = zsr_pool_slot_vanish(p, slot);

	zsr_charge(p->m, ZSR_COST_slot, 1);
	return h;
}

void zsr_pool_slot_defer(struct zsr_pool *p, uint32_t slot)
{
	struct zsr_slot s = slot_read(p, slot);

	zsr_charge(p->m, ZSR_COST_slot_mark, 1);
	zsr_pool_queued(p, s.handle);
	s.pending = true;
	slot_write(p, slot, s);
}

zsr_handle zsr_pool_slot_drain(struct zsr_pool *p, uint32_t slot)
{
	struct zsr_slot s, empty = { 0 };

	zsr_order(p->m);
	s = slot_read(p, slot);
	do {
		if (!s.pending)
			return 0;
	} while (!__atomic_compare_exchange(&p->slot[slot], &s, &empty, false,
					    __ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
	zsr_charge(p->m, ZSR_COST_slot, 1);
	return s.handle;
}

void zsr_pool_slot_put(struct zsr_pool *p, uint32_t slot)
{
	p->book->slot_put(p, slot);
}

void zsr_pool_swap_free(struct zsr_pool *p, uint32_t slot)
{
	zsr_charge(p->m, ZSR_COST_swap_free, 1);
	zsr_order(p->m);
	zsr_pool_slot_put(p, slot);
}

void zsr_pool_swap_enter(struct zsr_pool *p)
{
	if (p->enter_swap)
		p->enter_swap(p);
}

void zsr_pool_swap_lock(struct zsr_pool *p)
{
	if (p->device_lock)
		zsr_spin_lock(p->m, p->device_lock);
}

void zsr_pool_swap_unlock(struct zsr_pool *p)
{
	if (p->device_lock)
		zsr_spin_unlock(p->m, p->device_lock);
}

int64_t zsr_pool_slot_store(struct zsr_pool *p, zsr_handle h)
{
	struct zsr_slot s = { .handle = h & ZSR_MAX_SLOT_HANDLE }, old;
	int64_t slot = -EOVERFLOW;

	if (h <= ZSR_MAX_SLOT_HANDLE)
		slot = p->book->slot_get(p);
	if (slot < 0) {
		zsr_account_fail(p->account, (int)slot);
		return slot;
	}
	__atomic_exchange(&p->slot[slot], &s, &old, __ATOMIC_ACQ_REL);
	if (old.handle) {
		p->book->slot_reused(p);
		p->policy->free_now(p, old.handle);
	}
	return slot;
}

/* ---- the store path --------------------------------------------------- */

static struct zsr_zspage *zspage_build(struct zsr_pool *p, unsigned class)
{
	struct zsr_zspage *z;

	zsr_charge(p->m, ZSR_COST_zspage_alloc, 1);
	if (!zsr_pages_alloc(p->m, p->class[class].pages))
		return NULL;
	z = zsr_engine_zspage_alloc(p->e, class);
	if (!z)
		zsr_account_fail(p->account, -ENOMEM);
	return z;
}

/* Who stores finds the object once more to fill it in, under the lock that
 * covers the pool. */
static void obj_write(struct zsr_pool *p)
{
	if (zsr_pool_one_lock(p)) {
		zsr_spin_lock(p->m, &p->big_lock);
		zsr_spin_unlock(p->m, &p->big_lock);
	} else {
		zsr_read_lock(p->m, &p->lock);
		zsr_read_unlock(p->m, &p->lock);
	}
}

int zsr_pool_malloc(struct zsr_pool *p, size_t size, zsr_handle *h)
{
	int class = zsr_engine_size_class(p->e, size);
	struct zsr_spinlock *lock;
	struct zsr_zspage *z;
	unsigned done;

	if (class < 0)
		return class;
	zsr_charge(p->m, ZSR_COST_handle_alloc, 1);
	*h = p->book->handle_get(p);
	if (!*h) {
		zsr_account_fail(p->account, -ENOMEM);
		return -ENOMEM;
	}
	lock = zsr_pool_store_lock(p, (unsigned)class);
	zsr_spin_lock(p->m, lock);
	z = zsr_engine_zspage_pick(p->e, (unsigned)class);
	if (!z) {
		/* Built without the lock; nobody looks at the lists again. */
		zsr_spin_unlock(p->m, lock);
		z = zspage_build(p, (unsigned)class);
		if (!z) {
			p->book->handle_put(p, *h);
			return -ENOMEM;
		}
		zsr_spin_lock(p->m, lock);
		zsr_line_atomic(p->m, &p->page_count);
		p->book->grown(p, z);
	}
	zsr_charge(p->m, ZSR_COST_obj_malloc, 1);
	zsr_line_write(p->m, &p->class[class].data);
	done = zsr_engine_obj_malloc(p->e, (unsigned)class, z, *h);
	if (done & ZSR_REGROUPED)
		zsr_charge(p->m, ZSR_COST_regroup, 1);
	p->book->stored(p, *h, z);
	zsr_spin_unlock(p->m, lock);
	obj_write(p);
	return 0;
}

/* ---- compaction ------------------------------------------------------- */

/* One class of a compaction under way. */
struct compaction {
	struct zsr_pool *p;
	unsigned class;
	uint64_t pages; /* given back in this class so far */
};

/*
 * What compaction emptied is back: PAGES of this class so far. Counted from its
 * moves and its return value: the engine's observer would also report zspages
 * that others free meanwhile. Page locks, which would keep a zspage, are never
 * held here.
 */
static void compacted(struct compaction *c, uint64_t pages)
{
	struct zsr_pool *p = c->p;
	unsigned nr = (unsigned)(pages - c->pages);

	if (!nr)
		return;
	c->pages = pages;
	p->compact.pages += nr;
	zsr_charge(p->m, ZSR_COST_page_reset, nr);
	zsr_pages_free(p->m, nr);
	zsr_charge(p->m, ZSR_COST_zspage_free, nr / p->class[c->class].pages);
	zsr_line_atomic(p->m, &p->page_count);
	p->book->compacted(p, nr);
}

/* The zspage of the last object that moves goes back at once. */
static void on_moved(void *ctx, zsr_handle h, struct zsr_zspage *from,
		     struct zsr_zspage *to)
{
	struct zsr_pool *p = ctx;
	struct compaction *c = p->compact.now;

	zsr_charge(p->m, ZSR_COST_compact_move, 1);
	p->compact.moved++;
	p->compact.bytes += p->class[c->class].size;
	p->book->moved(p, c->class, h, from, to);
	if (!zsr_zspage_inuse(from))
		compacted(c, c->pages + p->class[c->class].pages);
}

static bool on_contended(void *ctx)
{
	struct zsr_pool *p = ctx;

	/* The kernel asks the lock that covers the pool. */
	return zsr_pool_one_lock(p) ? zsr_spin_contended(p->m, &p->big_lock)
				    : zsr_write_contended(p->m, &p->lock);
}

static void on_breathe(void *ctx, uint64_t pages)
{
	struct zsr_pool *p = ctx;
	struct compaction *c = p->compact.now;

	compacted(c, pages);
	zsr_pool_move_unlock(p, c->class);
	zsr_cond_resched(p->m);
	zsr_pool_move_lock(p, c->class);
}

static void compact_class(struct zsr_pool *p, unsigned class)
{
	struct compaction c = { .p = p, .class = class };

	p->compact.now = &c;
	zsr_pool_move_lock(p, class);
	compacted(&c, zsr_engine_compact_class(p->e, class));
	zsr_pool_move_unlock(p, class);
	p->compact.now = NULL;
}

bool zsr_pool_compacts(const struct zsr_pool *p, unsigned class)
{
	return p->compact.now && p->compact.now->class == class;
}

uint64_t zsr_pool_compact(struct zsr_pool *p)
{
	unsigned class = p->nr_classes;
	uint64_t before, pages;

	zsr_order(p->m);
	if (__atomic_test_and_set(&p->compact.running, __ATOMIC_ACQUIRE))
		return 0;
	before = p->compact.pages;
	p->compact.runs++;
	while (class --)
		if (p->class[class].size && p->migrate.class != class + 1)
			compact_class(p, class);
	zsr_order(p->m);
	pages = p->compact.pages - before;
	__atomic_clear(&p->compact.running, __ATOMIC_RELEASE);
	return pages;
}

/* ---- life ------------------------------------------------------------ */

static int classes_init(struct zsr_pool *p)
{
	struct zsr_class_info info;
	unsigned i;

	p->nr_classes = zsr_engine_nr_raw_classes(p->e);
	p->class = aligned_alloc(_Alignof(struct zsr_pool_class),
				 p->nr_classes * sizeof(*p->class));
	if (!p->class)
		return -ENOMEM;
	memset(p->class, 0, p->nr_classes * sizeof(*p->class));
	for (i = 0; i < p->nr_classes; i++) {
		if (!zsr_engine_class_info(p->e, i, &info))
			continue;
		p->class[i].size = info.size;
		p->class[i].pages = info.pages;
	}
	return 0;
}

int zsr_pool_init(struct zsr_pool *p, struct zsr_machine *m,
		  const struct zsr_model *model, unsigned page_size,
		  unsigned chain_size, const struct zsr_policy *policy,
		  const uint64_t *params, uint32_t nr_tasks,
		  const uint32_t *nr_releasing, struct zsr_account *account,
		  struct zsr_err *err)
{
	const struct zsr_engine_observer obs = { .ctx = p,
						 .moved = on_moved,
						 .contended = on_contended,
						 .breathe = on_breathe };
	unsigned i;
	int ret;

	*p = (struct zsr_pool){ .m = m,
				.book = account->book ? account->book
						      : &zsr_book_ordered,
				.policy = policy,
				.page_size = page_size,
				.nr_tasks = nr_tasks,
				.nr_releasing = nr_releasing,
				.account = account };
	for (i = 0; i < policy->nr_params; i++)
		p->param[i] = params[i];
	ret = zsr_engine_create_layout(&p->e, model, page_size, chain_size,
				       NULL, p->book->engine_flags, err);
	if (ret)
		return ret;
	zsr_engine_observe(p->e, &obs);
	p->free_wq.name = "zsmalloc-free";
	p->free_work = (struct zsr_work){ .fn = zsr_pool_free_work,
					  .arg = p,
					  .wq = &p->free_wq };
	if (classes_init(p) || (policy->setup && policy->setup(p))) {
		zsr_pool_destroy(p);
		return zsr_err_nomem(err, "pool");
	}
	return 0;
}

void zsr_pool_destroy(struct zsr_pool *p)
{
	if (p->policy && p->policy->teardown)
		p->policy->teardown(p);
	zsr_engine_destroy(p->e);
	free(p->class);
	zsr_queued_free(&p->queued);
	free(p->slot);
	zsr_words_free(p->free_slots);
	free(p->state);
	*p = (struct zsr_pool){ 0 };
}
