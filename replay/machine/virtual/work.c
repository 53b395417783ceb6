// SPDX-License-Identifier: GPL-2.0-only
/* Work queue: workers as tasks, woken with the machine's latency. */
#include "replay/machine/virtual/vm.h"

static void work_append(struct zsr_vm *vm, struct zsr_work *w)
{
	w->next = NULL;
	if (!vm->work_head) {
		vm->work_head = vm->work_tail = w;
	} else if (w->flags & ZSR_WQ_HIGHPRI) {
		w->next = vm->work_head;
		vm->work_head = w;
	} else {
		vm->work_tail->next = w;
		vm->work_tail = w;
	}
}

static struct zsr_work *work_take(struct zsr_vm *vm)
{
	struct zsr_work *w = vm->work_head;

	if (w) {
		vm->work_head = w->next;
		if (!vm->work_head)
			vm->work_tail = NULL;
	}
	return w;
}

/* Whoever sleeps in flush_work() looks again. */
static void wake_flushers(struct zsr_vm *vm)
{
	struct zsr_vtask *t;

	while ((t = vm->flushers)) {
		vm->flushers = t->next;
		t->next = NULL;
		zsr_vm_wake(vm, t);
	}
}

static void run_one(struct zsr_vm *vm, struct zsr_work *w)
{
	w->pending = false;
	w->running = true;
	vm->works_run++;
	vm->c->cur->mode = ZSR_MODE_WORKER;
	w->fn(w);
	vm->c->cur->mode = ZSR_MODE_OTHER;
	zsr_vm_sync(vm);
	w->running = false;
	if (w->pending)
		work_append(vm, w);
	else
		wake_flushers(vm);
}

static void worker_main(struct zsr_vm *vm, void *arg)
{
	struct zsr_work *w;

	(void)arg;
	for (;;) {
		zsr_vm_sync(vm);
		w = work_take(vm);
		if (w) {
			run_one(vm, w);
			continue;
		}
		vm->c->cur->next = vm->idle_workers;
		vm->idle_workers = vm->c->cur;
		zsr_vm_sleep(vm);
	}
}

/*
 * A worker for the queued work: an idle one, or the spare one that the pool
 * keeps ready. Making the next spare takes time, so a second item that comes
 * meanwhile waits for it.
 */
static void kick_worker(struct zsr_vm *vm)
{
	struct zsr_vtask *t = vm->idle_workers;
	uint64_t at;

	if (t) {
		vm->idle_workers = t->next;
		t->next = NULL;
		zsr_vm_wake(vm, t);
		return;
	}
	vm->c->now += vm->c->cost[ZSR_COST_wake];
	vm->c->queueing += vm->c->cost[ZSR_COST_wake];
	at = zsr_max(vm->c->now, vm->spare_worker_at);
	vm->spare_worker_at = at + vm->profile->worker_create;
	at += zsr_vm_scatter(vm, vm->profile->wake_latency);
	t = zsr_vm_spawn(vm, worker_main, NULL, zsr_vm_cpu_index(vm, vm->c), at);
	if (t) {
		t->worker = true;
		vm->nr_alive--;
	}
}

bool zsr_vm_queue_work(struct zsr_machine *m, struct zsr_work *w)
{
	struct zsr_vm *vm = zsr_vm_of(m);

	vm->c->now += vm->c->cost[ZSR_COST_queue_work];
	vm->c->queueing += vm->c->cost[ZSR_COST_queue_work];
	zsr_vm_sync(vm);
	if (w->pending)
		return false;
	w->pending = true;
	vm->works_queued++;
	if (!w->running) {
		work_append(vm, w);
		kick_worker(vm);
	}
	return true;
}

void zsr_vm_flush_work(struct zsr_machine *m, struct zsr_work *w)
{
	struct zsr_vm *vm = zsr_vm_of(m);

	zsr_vm_sync(vm);
	while (w->pending || w->running) {
		vm->c->cur->next = vm->flushers;
		vm->flushers = vm->c->cur;
		zsr_vm_sleep(vm);
		/* Nothing may happen between a look and the next sleep. */
		zsr_vm_sync(vm);
	}
}
