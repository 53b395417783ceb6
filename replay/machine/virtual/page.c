// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page allocator as far as single pages go: a list a CPU, filled from and
 * emptied to the zone in batches under the zone's lock. Pages are counts. The
 * kernel only tries a list's lock, and goes to the zone when an interrupt came
 * in between; here nobody comes in between.
 */
#include "replay/machine/virtual/vm.h"

static uint64_t memory_pages(const struct zsr_vm *vm)
{
	return vm->profile->memory / vm->page_size;
}

uint64_t zsr_vm_pages_left(const struct zsr_vm *vm)
{
	return memory_pages(vm) - zsr_min(vm->pages_used, memory_pages(vm));
}

/* Below the low mark somebody hears of it, once until memory is above the high
 * one again. */
static void marks_crossed_down(struct zsr_vm *vm)
{
	if (vm->below_low ||
	    zsr_vm_pages_left(vm) * vm->page_size >= vm->profile->wmark_low)
		return;
	vm->below_low = true;
	if (vm->pressure)
		vm->pressure(vm, vm->pressure_arg);
}

static void marks_crossed_up(struct zsr_vm *vm)
{
	struct zsr_vtask *t;

	if (!vm->below_low ||
	    zsr_vm_pages_left(vm) * vm->page_size <= vm->profile->wmark_high)
		return;
	vm->below_low = false;
	while ((t = vm->stalled)) {
		vm->stalled = t->next;
		t->next = NULL;
		zsr_vm_wake(vm, t);
	}
}

bool zsr_vm_pages_take(struct zsr_vm *vm, uint64_t nr)
{
	zsr_vm_sync(vm);
	if (nr > zsr_vm_pages_left(vm)) {
		vm->pages_refused++;
		return false;
	}
	vm->pages_used += nr;
	vm->pages_peak = zsr_max(vm->pages_peak, vm->pages_used);
	marks_crossed_down(vm);
	return true;
}

void zsr_vm_pages_give(struct zsr_vm *vm, uint64_t nr)
{
	zsr_vm_sync(vm);
	vm->pages_used -= nr;
	marks_crossed_up(vm);
}

/* T was woken by something else than free memory. */
static void stalled_leave(struct zsr_vm *vm, const struct zsr_vtask *t)
{
	struct zsr_vtask **link = &vm->stalled;

	while (*link && *link != t)
		link = &(*link)->next;
	if (*link)
		*link = t->next;
}

void zsr_vm_pages_await(struct zsr_vm *vm)
{
	zsr_vm_sync(vm);
	while (vm->below_low && !vm->ending) {
		vm->c->cur->next = vm->stalled;
		vm->stalled = vm->c->cur;
		zsr_vm_sleep(vm);
		zsr_vm_sync(vm);
		stalled_leave(vm, vm->c->cur);
	}
}

bool zsr_vm_pages_alloc(struct zsr_machine *m, unsigned nr)
{
	struct zsr_vm *vm = zsr_vm_of(m);
	unsigned batch = (unsigned)vm->profile->pcp_batch, i;

	if (!zsr_vm_pages_take(vm, nr))
		return false;
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
	unsigned batch = (unsigned)vm->profile->pcp_batch, nr_zone, i;

	for (i = 0; i < nr; i++) {
		zsr_charge(m, ZSR_COST_page_free, 1);
		vm->c->pcp++;
		if (vm->c->pcp <= vm->profile->pcp_high)
			continue;
		zsr_vm_spin_lock(m, &vm->zone);
		nr_zone = zsr_min(vm->c->pcp, batch);
		zsr_charge(m, ZSR_COST_zone_free, nr_zone);
		vm->c->pcp -= nr_zone;
		zsr_vm_spin_unlock(m, &vm->zone);
	}
	zsr_vm_pages_give(vm, nr);
}

void zsr_vm_pages_vanish(struct zsr_machine *m, unsigned nr)
{
	zsr_vm_pages_give(zsr_vm_of(m), nr);
}

/* The page list of a CPU that has gone is emptied by whoever took it away. */
void zsr_vm_pages_drain(struct zsr_vm *vm, struct zsr_vcpu *c)
{
	if (!c->pcp)
		return;
	zsr_vm_spin_lock(&vm->m, &vm->zone);
	zsr_charge(&vm->m, ZSR_COST_zone_free, c->pcp);
	c->pcp = 0;
	zsr_vm_spin_unlock(&vm->m, &vm->zone);
}
