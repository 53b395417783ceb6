// SPDX-License-Identifier: GPL-2.0-only
#include "replay/policy/entry.h"

void zsr_gate_touch(struct zsr_pool *p, struct zsr_gate *g)
{
	zsr_line_atomic(p->m, &g->exiting);
}

bool zsr_gate_open(struct zsr_pool *p, struct zsr_gate *g,
		   const struct zsr_releaser *r)
{
	if (r->objects < g->min_objects)
		return false;
	zsr_line_read(p->m, &g->exiting);
	zsr_order(p->m);
	return __atomic_load_n(p->nr_releasing, __ATOMIC_RELAXED) >=
	       g->min_exiting;
}

static void entry_free(struct zsr_pool *p, enum zsr_locking locking,
		       uint32_t slot)
{
	zsr_free_locked(p, locking, zsr_pool_slot_take(p, slot));
	zsr_pool_swap_free(p, slot);
}

void zsr_entry_free(struct zsr_pool *p, enum zsr_locking locking, uint32_t slot)
{
	zsr_pool_swap_enter(p);
	entry_free(p, locking, slot);
}

void zsr_entries_drain(struct zsr_pool *p, enum zsr_locking locking,
		       const uint32_t *slot, unsigned nr)
{
	unsigned i;

	zsr_pool_swap_lock(p);
	for (i = 0; i < nr; i++) {
		zsr_charge(p->m, ZSR_COST_pop, 1);
		entry_free(p, locking, slot[i]);
	}
	zsr_pool_swap_unlock(p);
}

void zsr_entry_queued(struct zsr_pool *p, uint32_t slot)
{
	zsr_pool_queued(p, p->slot[slot].handle);
}
