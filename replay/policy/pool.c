// SPDX-License-Identifier: GPL-2.0-only
/* The allocator's steps on a machine: the engine acts, the machine charges,
 * the account keeps the words of the main figure (live, held back, back). */
#include <stdlib.h>

#include "replay/account.h"
#include "replay/policy/policy.h"

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

unsigned zsr_pool_peek_class(struct zsr_pool *p, zsr_handle h)
{
	zsr_charge(p->m, ZSR_COST_cell_load, 1);
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

static void dequeue(struct zsr_pool *p, unsigned class, zsr_handle h,
		    struct zsr_zspage *z)
{
	(*zsr_zspage_queued(z))--;
	zsr_account_dequeued(p->account, ordered_now(p),
			     zsr_queued_remove(&p->queued, h),
			     p->class[class].size);
}

bool zsr_pool_obj_free(struct zsr_pool *p, unsigned class, zsr_handle h,
		       struct zsr_zspage **zspage)
{
	bool queued = zsr_queued_has(&p->queued, h);
	unsigned done;

	zsr_charge(p->m, ZSR_COST_obj_free, 1);
	zsr_line_write(p->m, &p->class[class].data);
	done = zsr_engine_obj_free(p->e, class, h, zspage);
	if (done & ZSR_REGROUPED)
		zsr_charge(p->m, ZSR_COST_regroup, 1);
	if (queued)
		dequeue(p, class, h, *zspage);
	held_update(p, *zspage);
	return done & ZSR_EMPTIED;
}

bool zsr_pool_zspage_unlink(struct zsr_pool *p, struct zsr_zspage *zspage)
{
	zsr_charge(p->m, ZSR_COST_zspage_lock, zsr_zspage_pages(zspage));
	if (!zsr_engine_zspage_trylock(p->e, zspage))
		return false;
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
	zsr_account_held(p->account, ordered_now(p), -(int64_t)pages);
	zsr_account_back(p->account, ordered_now(p), pages);
	zsr_engine_zspage_free(p->e, zspage);
}

void zsr_pool_handle_free(struct zsr_pool *p, zsr_handle h)
{
	zsr_charge(p->m, ZSR_COST_handle_free, 1);
	zsr_engine_handle_free(p->e, h);
}

static void vanish(struct zsr_pool *p, unsigned class, zsr_handle h,
		   uint64_t now)
{
	struct zsr_zspage *z;
	unsigned pages;

	if (zsr_engine_obj_free(p->e, class, h, &z) & ZSR_EMPTIED &&
	    zsr_engine_zspage_trylock(p->e, z)) {
		pages = zsr_zspage_pages(z);
		zsr_engine_zspage_unlink(p->e, z);
		zsr_pages_vanish(p->m, pages);
		zsr_account_back(p->account, now, pages);
		zsr_engine_zspage_free(p->e, z);
	}
	zsr_engine_handle_free(p->e, h);
}

void zsr_pool_vanish(struct zsr_pool *p, zsr_handle h)
{
	unsigned class = zsr_engine_handle_class(p->e, h);
	struct zsr_spinlock *lock = &p->class[class].lock;

	/* A store or a compaction must not find the class changed under it:
	 * nothing comes between the look and the change. */
	if (!zsr_spin_is_locked(p->m, lock)) {
		vanish(p, class, h, zsr_now_ps(p->m));
		return;
	}
	zsr_spin_lock(p->m, lock);
	vanish(p, class, h, ordered_now(p));
	zsr_spin_unlock(p->m, lock);
}

void zsr_pool_queued(struct zsr_pool *p, zsr_handle h)
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

uint64_t zsr_pool_zspage_queued(struct zsr_pool *p)
{
	uint64_t now = ordered_now(p);

	zsr_account_queued(p->account, now, 0);
	return now;
}

void zsr_pool_zspage_dequeued(struct zsr_pool *p, uint64_t queued_at)
{
	zsr_account_dequeued(p->account, ordered_now(p), queued_at, 0);
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
	zsr_account_buffer(p->account, nr);
}

/* ---- slots ------------------------------------------------------------ */

zsr_handle zsr_pool_slot_vanish(struct zsr_pool *p, uint32_t slot)
{
	zsr_handle h = p->slot[slot].handle;

	p->slot[slot] = (struct zsr_slot){ 0 };
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
	zsr_charge(p->m, ZSR_COST_slot_mark, 1);
	zsr_pool_queued(p, p->slot[slot].handle);
	p->slot[slot].pending = true;
}

zsr_handle zsr_pool_slot_drain(struct zsr_pool *p, uint32_t slot)
{
	zsr_order(p->m);
	/* Looked at and taken under the slot's lock: nothing in between. */
	if (!p->slot[slot].pending)
		return 0;
	return zsr_pool_slot_take(p, slot);
}

void zsr_pool_slot_put(struct zsr_pool *p, uint32_t slot)
{
	if (zsr_grow(&p->free_slot, &p->cap_free_slots, p->nr_free_slots + 1,
		     sizeof(*p->free_slot))) {
		zsr_account_fail(p->account, -ENOMEM);
		return;
	}
	p->free_slot[p->nr_free_slots++] = slot;
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
	zsr_handle old = 0;
	uint32_t slot;

	if (h > ZSR_MAX_SLOT_HANDLE) {
		zsr_account_fail(p->account, -EOVERFLOW);
		return -EOVERFLOW;
	}
	if (p->nr_free_slots) {
		slot = p->free_slot[--p->nr_free_slots];
		old = p->slot[slot].handle;
	} else {
		if (zsr_grow(&p->slot, &p->cap_slots, p->nr_slots + 1,
			     sizeof(*p->slot))) {
			zsr_account_fail(p->account, -ENOMEM);
			return -ENOMEM;
		}
		slot = (uint32_t)p->nr_slots++;
	}
	p->slot[slot] = (struct zsr_slot){ .handle = h & ZSR_MAX_SLOT_HANDLE };
	if (old) {
		p->slots_reused++;
		p->policy->free_now(p, old);
	}
	return slot;
}

/* ---- the store path --------------------------------------------------- */

static struct zsr_spinlock *store_lock(struct zsr_pool *p, unsigned class)
{
	return p->policy->store_lock == ZSR_STORE_BIG_LOCK
		       ? &p->big_lock
		       : &p->class[class].lock;
}

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

int zsr_pool_malloc(struct zsr_pool *p, size_t size, zsr_handle *h)
{
	int class = zsr_engine_size_class(p->e, size);
	struct zsr_spinlock *lock;
	struct zsr_zspage *z;
	unsigned done;

	if (class < 0)
		return class;
	zsr_charge(p->m, ZSR_COST_handle_alloc, 1);
	*h = zsr_engine_handle_alloc(p->e);
	if (!*h) {
		zsr_account_fail(p->account, -ENOMEM);
		return -ENOMEM;
	}
	lock = store_lock(p, (unsigned)class);
	zsr_spin_lock(p->m, lock);
	z = zsr_engine_zspage_pick(p->e, (unsigned)class);
	if (!z) {
		/* Built without the lock; nobody looks at the lists again. */
		zsr_spin_unlock(p->m, lock);
		z = zspage_build(p, (unsigned)class);
		if (!z) {
			zsr_engine_handle_free(p->e, *h);
			return -ENOMEM;
		}
		zsr_spin_lock(p->m, lock);
		zsr_line_atomic(p->m, &p->page_count);
		zsr_account_grown(p->account, ordered_now(p),
				  zsr_zspage_pages(z));
	}
	zsr_charge(p->m, ZSR_COST_obj_malloc, 1);
	zsr_line_write(p->m, &p->class[class].data);
	done = zsr_engine_obj_malloc(p->e, (unsigned)class, z, *h);
	if (done & ZSR_REGROUPED)
		zsr_charge(p->m, ZSR_COST_regroup, 1);
	held_update(p, z);
	zsr_spin_unlock(p->m, lock);
	return 0;
}

/* ---- compaction ------------------------------------------------------- */

/* One class of a compaction under way. */
struct compaction {
	struct zsr_pool *p;
	struct zsr_spinlock *lock; /* of the class, or of all */
	unsigned class;
	uint64_t pages; /* given back in this class so far */
};

static void compaction_lock(const struct compaction *c)
{
	zsr_write_lock(c->p->m, &c->p->lock);
	zsr_spin_lock(c->p->m, c->lock);
}

static void compaction_unlock(const struct compaction *c)
{
	zsr_spin_unlock(c->p->m, c->lock);
	zsr_write_unlock(c->p->m, &c->p->lock);
}

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
	zsr_account_held(p->account, ordered_now(p), -(int64_t)nr);
	zsr_account_back(p->account, ordered_now(p), nr);
}

/* An object moved; a queued one takes its mark along. The zspage of the last
 * one goes back at once. */
static void on_moved(void *ctx, zsr_handle h, struct zsr_zspage *from,
		     struct zsr_zspage *to)
{
	struct compaction *c = ctx;
	struct zsr_pool *p = c->p;

	zsr_charge(p->m, ZSR_COST_compact_move, 1);
	p->compact.moved++;
	p->compact.bytes += p->class[c->class].size;
	if (zsr_queued_has(&p->queued, h)) {
		(*zsr_zspage_queued(from))--;
		(*zsr_zspage_queued(to))++;
		p->compact.dead_moved++;
		p->compact.dead_bytes += p->class[c->class].size;
	}
	held_update(p, from);
	held_update(p, to);
	if (!zsr_zspage_inuse(from))
		compacted(c, c->pages + p->class[c->class].pages);
}

static bool on_contended(void *ctx)
{
	const struct compaction *c = ctx;

	/* The kernel asks the lock that covers the pool. */
	return c->p->policy->store_lock == ZSR_STORE_BIG_LOCK
		       ? zsr_spin_contended(c->p->m, c->lock)
		       : zsr_write_contended(c->p->m, &c->p->lock);
}

static void on_breathe(void *ctx, uint64_t pages)
{
	struct compaction *c = ctx;

	compacted(c, pages);
	compaction_unlock(c);
	zsr_cond_resched(c->p->m);
	compaction_lock(c);
}

static void compact_class(struct zsr_pool *p, unsigned class)
{
	struct compaction c = { .p = p,
				.lock = store_lock(p, class),
				.class = class };
	const struct zsr_engine_observer obs = { .ctx = &c,
						 .moved = on_moved,
						 .contended = on_contended,
						 .breathe = on_breathe };

	compaction_lock(&c);
	zsr_engine_observe(p->e, &obs);
	compacted(&c, zsr_engine_compact_class(p->e, class));
	zsr_engine_observe(p->e, &(struct zsr_engine_observer){ 0 });
	compaction_unlock(&c);
}

uint64_t zsr_pool_compact(struct zsr_pool *p)
{
	uint64_t before = p->compact.pages;
	unsigned class = p->nr_classes;

	zsr_order(p->m);
	if (p->compact.running)
		return 0;
	p->compact.running = true;
	p->compact.runs++;
	while (class --)
		if (p->class[class].size)
			compact_class(p, class);
	zsr_order(p->m);
	p->compact.running = false;
	return p->compact.pages - before;
}

/* ---- life ------------------------------------------------------------ */

static int classes_init(struct zsr_pool *p)
{
	struct zsr_class_info info;
	unsigned i;

	p->nr_classes = zsr_engine_nr_raw_classes(p->e);
	p->class = calloc(p->nr_classes, sizeof(*p->class));
	if (!p->class)
		return -ENOMEM;
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
	unsigned i;
	int ret;

	*p = (struct zsr_pool){ .m = m,
				.policy = policy,
				.page_size = page_size,
				.nr_tasks = nr_tasks,
				.nr_releasing = nr_releasing,
				.account = account };
	for (i = 0; i < policy->nr_params; i++)
		p->param[i] = params[i];
	ret = zsr_engine_create(&p->e, model, page_size, chain_size, err);
	if (ret)
		return ret;
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
	free(p->free_slot);
	*p = (struct zsr_pool){ 0 };
}
