// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page allocator as far as single pages go: a list a CPU, filled from and
 * emptied to the zone in batches under the zone's lock. Pages are counts.
 */
#include "replay/machine/virtual/vm.h"

static uint64_t memory_pages(const struct zsr_vm *vm)
{
	return vm->profile->memory / vm->page_size;
}

bool zsr_vm_pages_alloc(struct zsr_machine *m, unsigned nr)
{
	struct zsr_vm *vm = zsr_vm_of(m);
	unsigned batch = (unsigned)vm->profile->pcp_batch, i;

	zsr_vm_sync(vm);
	if (vm->pages_used + nr > memory_pages(vm)) {
		vm->pages_refused++;
		return false;
	}
	vm->pages_used += nr;
	vm->pages_peak = zsr_max(vm->pages_peak, vm->pages_used);
	/* The list that was refilled is the one that is taken from. */
	zsr_preempt_disable(m);
	for (i = 0; i < nr; i++) {
		if (!vm->c->pcp) {
			zsr_vm_spin_lock(m, &vm->zone);
			zsr_charge(m, ZSR_COST_zone_alloc, batch);
			vm->c->pcp += batch;
			zsr_vm_spin_unlock(m, &vm->zone);
		}
		zsr_charge(m, ZSR_COST_page_alloc, 1);
		vm->c->pcp--;
	}
	zsr_preempt_enable(m);
	return true;
}

void zsr_vm_pages_free(struct zsr_machine *m, unsigned nr)
{
	struct zsr_vm *vm = zsr_vm_of(m);
	unsigned batch = (unsigned)vm->profile->pcp_batch, i;

	for (i = 0; i < nr; i++) {
		zsr_charge(m, ZSR_COST_page_free, 1);
		vm->c->pcp++;
		if (vm->c->pcp <= vm->profile->pcp_high)
			continue;
		zsr_vm_spin_lock(m, &vm->zone);
		zsr_charge(m, ZSR_COST_zone_free, batch);
		vm->c->pcp -= zsr_min(vm->c->pcp, batch);
		zsr_vm_spin_unlock(m, &vm->zone);
	}
	zsr_vm_sync(vm);
	vm->pages_used -= nr;
}
