/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pool's steps with an oracle between them and the engine: what becomes of
 * each handle, and whether the engine's lock matrix is kept. This is the whole
 * of pool.c, compiled once more: a test that includes it has no other.
 */
#ifndef ZSR_T_ORACLE_H
#define ZSR_T_ORACLE_H

#include <string.h>

#include "replay/account.h"
#include "replay/machine/explore/explore.h"
#include "replay/policy/policy.h"
#include "replay/t/explore/book.h"

#define ORACLE_HANDLES 64

enum oracle_state {
	HANDLE_FREE,
	HANDLE_NEW, /* no object yet */
	HANDLE_LIVE,
	HANDLE_RELEASED, /* by its user; the policy may free it */
	HANDLE_EMPTY, /* its object is gone */
};

static struct oracle {
	struct zsr_explore *x;
	struct zsr_pool *pool;
	bool unordered; /* steps of the account alone are not told apart */
	bool no_locks; /* the policy frees without time or locks */
	const struct zsr_zspage *picked; /* by a store, for its object */
	enum oracle_state state[ORACLE_HANDLES];
	unsigned object[ORACLE_HANDLES]; /* which of the run's stores */
	unsigned nr_objects;
} oracle;

/* An engine that was emptied serves the next run too: to make one costs more
 * than a run. Only its handles' numbers differ from a new one's. */
static struct zsr_engine *spare_engine;

static void oracle_start(struct zsr_explore *x, struct zsr_pool *pool,
			 bool unordered)
{
	oracle = (struct oracle){ .x = x,
				  .pool = pool,
				  .unordered = unordered,
				  .no_locks = pool->policy->free_now ==
					      zsr_pool_vanish };
}

static void oracle_step(zsr_handle h, enum oracle_state from,
			enum oracle_state to, const char *what)
{
	if (h >= ORACLE_HANDLES)
		zsr_explore_fail(oracle.x, "handle %u was never given out", h);
	else if (oracle.state[h] != from)
		zsr_explore_fail(oracle.x, "%s of handle %u, which is %s", what,
				 h,
				 (const char *const[]){
					 "free", "new", "live", "released",
					 "freed before" }[oracle.state[h]]);
	else
		oracle.state[h] = to;
}

/* The user lets go of it: from here on the policy has it. */
static void oracle_released(zsr_handle h)
{
	oracle_step(h, HANDLE_LIVE, HANDLE_RELEASED, "release");
}

static void oracle_locked(unsigned class)
{
	const struct zsr_pool *p = oracle.pool;
	const void *lock = p->policy->store_lock == ZSR_STORE_BIG_LOCK
				   ? &p->big_lock
				   : &p->class[class].lock;

	if (!oracle.no_locks && !zsr_explore_holds(oracle.x, lock))
		zsr_explore_fail(oracle.x, "class %u touched without its lock",
				 class);
}

/* Every handle was freed. */
static void oracle_finish(void)
{
	zsr_handle h;

	for (h = 0; h < ORACLE_HANDLES; h++)
		if (oracle.state[h] == HANDLE_RELEASED)
			zsr_explore_fail(oracle.x, "handle %u is lost", h);
		else if (oracle.state[h] != HANDLE_FREE &&
			 oracle.state[h] != HANDLE_LIVE)
			zsr_explore_fail(oracle.x, "handle %u is half freed", h);
}

/* ---- the engine, watched ------------------------------------------------ */

static int oracle_engine_create(struct zsr_engine **e,
				const struct zsr_model *model,
				unsigned page_size, unsigned chain_size,
				const struct zsr_obj_layout *layout,
				unsigned flags, struct zsr_err *err)
{
	*e = spare_engine;
	spare_engine = NULL;
	if (*e)
		return 0;
	return zsr_engine_create_layout(e, model, page_size, chain_size, layout,
					flags, err);
}

static void oracle_engine_destroy(struct zsr_engine *e)
{
	bool empty = e && !spare_engine && !zsr_engine_pages(e);
	zsr_handle h;

	for (h = 0; h < ORACLE_HANDLES; h++)
		empty = empty && oracle.state[h] == HANDLE_FREE;
	if (empty)
		spare_engine = e;
	else
		zsr_engine_destroy(e);
}

zsr_handle zsr_oracle_handle_alloc(struct zsr_engine *e)
{
	zsr_handle h = zsr_engine_handle_alloc(e);

	oracle_step(h, HANDLE_FREE, HANDLE_NEW, "allocation");
	oracle.object[h % ORACLE_HANDLES] = oracle.nr_objects++;
	return h;
}

void zsr_oracle_handle_free(struct zsr_engine *e, zsr_handle h)
{
	oracle_step(h,
		    h < ORACLE_HANDLES && oracle.state[h] == HANDLE_NEW
			    ? HANDLE_NEW
			    : HANDLE_EMPTY,
		    HANDLE_FREE, "free of the cell");
	zsr_engine_handle_free(e, h);
}

unsigned zsr_oracle_handle_class(const struct zsr_engine *e, zsr_handle h)
{
	if (h >= ORACLE_HANDLES || oracle.state[h] == HANDLE_FREE ||
	    oracle.state[h] == HANDLE_EMPTY)
		zsr_explore_fail(oracle.x, "handle %u is read after its free",
				 h);
	return zsr_engine_handle_class(e, h);
}

static struct zsr_zspage *oracle_zspage_pick(struct zsr_engine *e,
					     unsigned class)
{
	oracle_locked(class);
	oracle.picked = zsr_engine_zspage_pick(e, class);
	return (struct zsr_zspage *)oracle.picked;
}

static unsigned oracle_obj_malloc(struct zsr_engine *e, unsigned class,
				  struct zsr_zspage *zspage, zsr_handle h)
{
	oracle_locked(class);
	oracle_step(h, HANDLE_NEW, HANDLE_LIVE, "store");
	oracle.picked = NULL;
	return zsr_engine_obj_malloc(e, class, zspage, h);
}

static unsigned oracle_obj_free(struct zsr_engine *e, unsigned class,
				zsr_handle h, struct zsr_zspage **zspage)
{
	oracle_step(h, HANDLE_RELEASED, HANDLE_EMPTY, "free");
	if (class != zsr_engine_handle_class(e, h))
		zsr_explore_fail(oracle.x, "handle %u is not of class %u", h,
				 class);
	oracle_locked(class);
	return zsr_engine_obj_free(e, class, h, zspage);
}

static bool oracle_zspage_trylock(struct zsr_engine *e, struct zsr_zspage *z)
{
	oracle_locked(zsr_zspage_class(z));
	return zsr_engine_zspage_trylock(e, z);
}

static void oracle_zspage_unlink(struct zsr_engine *e, struct zsr_zspage *z)
{
	oracle_locked(zsr_zspage_class(z));
	if (z == oracle.picked)
		zsr_explore_fail(oracle.x, "a zspage goes while a store puts "
					   "an object into it");
	zsr_engine_zspage_unlink(e, z);
}

static uint64_t oracle_compact_class(struct zsr_engine *e, unsigned class)
{
	oracle_locked(class);
	return zsr_engine_compact_class(e, class);
}

/* The account's sums come out the same in any order. */
void zsr_oracle_order(struct zsr_machine *m)
{
	if (!oracle.unordered)
		zsr_order(m);
}

#define zsr_engine_create_layout  oracle_engine_create
#define zsr_engine_destroy        oracle_engine_destroy
#define zsr_engine_handle_class   zsr_oracle_handle_class
#define zsr_engine_zspage_pick    oracle_zspage_pick
#define zsr_engine_obj_malloc     oracle_obj_malloc
#define zsr_engine_obj_free       oracle_obj_free
#define zsr_engine_zspage_trylock oracle_zspage_trylock
#define zsr_engine_zspage_unlink  oracle_zspage_unlink
#define zsr_engine_compact_class  oracle_compact_class

#include "replay/policy/pool.c"

#undef zsr_engine_create_layout
#undef zsr_engine_destroy
#undef zsr_engine_handle_class
#undef zsr_engine_zspage_pick
#undef zsr_engine_obj_malloc
#undef zsr_engine_obj_free
#undef zsr_engine_zspage_trylock
#undef zsr_engine_zspage_unlink
#undef zsr_engine_compact_class

#endif
