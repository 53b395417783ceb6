// SPDX-License-Identifier: GPL-2.0-only
/* Life of a machine: creation, tasks, running until idle; what its steps
 * cost. */
#include <stdlib.h>
#include <string.h>

#include "replay/machine/virtual/vm.h"

static void task_main(void *arg)
{
	struct zsr_vtask *t = arg;
	struct zsr_vm *vm = t->vm;

	t->fn(vm, t->arg);
	zsr_vm_sync(vm);
	t->state = ZSR_VT_DEAD;
	if (!t->daemon)
		vm->nr_alive--;
	zsr_vm_check_ending(vm);
	t->next = vm->dead;
	vm->dead = t;
	zsr_vm_block(vm);
}

/* A task record with a stack, of one that ended or a new one. */
static struct zsr_vtask *task_get(struct zsr_vm *vm)
{
	struct zsr_vtask **link = &vm->dead, *t;

	/* A timer may fire on the stack that a task is just about to leave. */
	while (*link && &(*link)->coro == vm->running)
		link = &(*link)->next;
	t = *link;
	if (t) {
		*link = t->next;
		return t;
	}
	t = calloc(1, sizeof(*t));
	if (!t || zsr_grow(&vm->tasks, &vm->cap_tasks, vm->nr_tasks + 1,
			   sizeof(*vm->tasks))) {
		free(t);
		vm->error = zsr_err_nomem(&vm->err, "virtual task");
		return NULL;
	}
	vm->error = zsr_coro_init(&t->coro, &vm->err);
	if (vm->error) {
		free(t);
		return NULL;
	}
	vm->tasks[vm->nr_tasks++] = t;
	return t;
}

struct zsr_vtask *zsr_vm_spawn(struct zsr_vm *vm,
			       void (*fn)(struct zsr_vm *vm, void *arg),
			       void *arg, unsigned cpu, uint64_t at)
{
	struct zsr_vtask *t = task_get(vm);

	if (!t)
		return NULL;
	*t = (struct zsr_vtask){ .coro = t->coro,
				 .vm = vm,
				 .weight = ZSR_WEIGHT_NICE_0,
				 .fn = fn,
				 .arg = arg,
				 .cpu = cpu % vm->m.nr_cpus };
	zsr_coro_start(&t->coro, task_main, t);
	vm->nr_alive++;
	zsr_vm_wake_at(vm, t, at);
	return t;
}

struct zsr_vtask *zsr_vm_spawn_daemon(struct zsr_vm *vm,
				      void (*fn)(struct zsr_vm *vm, void *arg),
				      void *arg, unsigned cpu, uint64_t at)
{
	struct zsr_vtask *t = zsr_vm_spawn(vm, fn, arg, cpu, at);

	if (t) {
		t->daemon = true;
		vm->nr_alive--;
	}
	return t;
}

/* Nothing is left but daemons: they are told, wherever they are. */
void zsr_vm_check_ending(struct zsr_vm *vm)
{
	uint64_t now = vm->c->now;
	size_t i;

	if (vm->nr_alive || vm->works_open || vm->ending)
		return;
	vm->ending = true;
	for (i = 0; i < vm->nr_tasks; i++)
		if (vm->tasks[i]->daemon)
			zsr_vm_interrupt(vm, vm->tasks[i], now);
}

/* Everything is idle: bring all clocks to the latest one. */
static void settle(struct zsr_vm *vm)
{
	unsigned i;

	for (i = 0; i < vm->m.nr_cpus; i++)
		vm->end = zsr_max(vm->end, vm->cpu[i].now);
	for (i = 0; i < vm->m.nr_cpus; i++)
		zsr_vm_idle_until(&vm->cpu[i], vm->end);
}

int zsr_vm_run(struct zsr_vm *vm, struct zsr_err *err)
{
	vm->running = &vm->host;
	vm->ending = false;
	if (!vm->error)
		zsr_vm_dispatch(vm);
	vm->c = NULL;
	if (vm->error) {
		*err = vm->err;
		return vm->error;
	}
	if (vm->nr_alive)
		return zsr_err_input(err,
				     "%zu tasks wait for each other forever",
				     vm->nr_alive);
	settle(vm);
	return 0;
}

/* The table's distance from its mean, scaled by the profile's spread. */
static void scatter_init(struct zsr_vm *vm)
{
	int32_t dev;
	unsigned i;

	for (i = 0; i < ZSR_ARRAY_SIZE(vm->scatter); i++) {
		dev = (int32_t)zsr_lognormal[i] - 1024;
		dev = dev * (int32_t)vm->profile->spread / 1000;
		vm->scatter[i] = (uint32_t)(1024 + dev);
	}
}

uint64_t zsr_vm_busy(const struct zsr_vcpu *c, enum zsr_mode mode)
{
	uint64_t sum = 0;
	unsigned i;

	for (i = 0; i < ZSR_NR_STEPS; i++)
		sum += c->busy[mode][i];
	return sum;
}

/* Steps that touch memory nobody touched lately. */
#define SCATTERED                                                              \
	(1ull << ZSR_COST_cell_load | 1ull << ZSR_COST_zspage_load |           \
	 1ull << ZSR_COST_obj_free | 1ull << ZSR_COST_obj_malloc |             \
	 1ull << ZSR_COST_page_reset | 1ull << ZSR_COST_page_free |            \
	 1ull << ZSR_COST_gap_release | 1ull << ZSR_COST_gap_store)

static void vm_charge(struct zsr_machine *m, enum zsr_cost cost, unsigned n)
{
	struct zsr_vm *vm = zsr_vm_of(m);
	struct zsr_vcpu *c = vm->c;
	uint64_t ps = c->cost[cost] * n;

	if (SCATTERED >> cost & 1)
		ps = zsr_vm_scatter(vm, c, ps);
	zsr_vm_spend_step(c, cost, ps);
}

static uint64_t vm_now_ps(struct zsr_machine *m)
{
	return zsr_vm_of(m)->c->now;
}

static void vm_order(struct zsr_machine *m)
{
	zsr_vm_sync(zsr_vm_of(m));
}

static unsigned vm_cpu(struct zsr_machine *m)
{
	return zsr_vm_of(m)->c->index;
}

static void vm_preempt_disable(struct zsr_machine *m)
{
	zsr_vm_of(m)->c->cur->preempt_off++;
}

static void vm_preempt_enable(struct zsr_machine *m)
{
	zsr_vm_preempt_enable(zsr_vm_of(m));
}

static void vm_cond_resched(struct zsr_machine *m)
{
	zsr_vm_cond_resched(zsr_vm_of(m));
}

static const struct zsr_machine_ops vm_ops = {
	.charge = vm_charge,
	.now_ps = vm_now_ps,
	.spin_lock = zsr_vm_spin_lock,
	.spin_trylock = zsr_vm_spin_trylock,
	.spin_unlock = zsr_vm_spin_unlock,
	.read_lock = zsr_vm_read_lock,
	.read_unlock = zsr_vm_read_unlock,
	.write_lock = zsr_vm_write_lock,
	.write_unlock = zsr_vm_write_unlock,
	.spin_is_locked = zsr_vm_spin_is_locked,
	.spin_contended = zsr_vm_spin_contended,
	.write_contended = zsr_vm_write_contended,
	.line_read = zsr_vm_line_read,
	.line_write = zsr_vm_line_write,
	.line_atomic = zsr_vm_line_atomic,
	.order = vm_order,
	.cpu = vm_cpu,
	.preempt_disable = vm_preempt_disable,
	.preempt_enable = vm_preempt_enable,
	.cond_resched = vm_cond_resched,
	.queue_work_on = zsr_vm_queue_work_on,
	.queue_delayed_on = zsr_vm_queue_delayed_on,
	.cancel_delayed = zsr_vm_cancel_delayed,
	.flush_work = zsr_vm_flush_work,
	.pages_alloc = zsr_vm_pages_alloc,
	.pages_free = zsr_vm_pages_free,
	.pages_vanish = zsr_vm_pages_vanish,
};

/* What the steps cost on this CPU, alone on its core and not. */
static void costs_init(struct zsr_vcpu *c, const struct zsr_profile *p)
{
	uint64_t speed = p->speed[c->index] ? p->speed[c->index] : 1000;
	uint64_t shared = p->smt_speed ? p->smt_speed : 1000;
	unsigned i;

	for (i = 0; i < ZSR_NR_COSTS; i++) {
		c->cost_alone[i] = p->cost_ps[i] * 1000 / speed;
		c->cost_shared[i] = c->cost_alone[i] * 1000 / shared;
	}
	c->cost = c->cost_alone;
}

int zsr_vm_create(struct zsr_vm **out, const struct zsr_profile *profile,
		  unsigned nr_cpus, unsigned page_size, uint64_t seed,
		  struct zsr_err *err)
{
	struct zsr_rng rng = { seed };
	struct zsr_vm *vm = calloc(1, sizeof(*vm));
	unsigned i;

	if (!vm)
		return zsr_err_nomem(err, "virtual machine");
	vm->m.ops = &vm_ops;
	vm->m.nr_cpus = nr_cpus;
	vm->profile = profile;
	vm->page_size = page_size;
	vm->timer_key = vm->key[0] = UINT64_MAX;
	scatter_init(vm);
	zsr_dist_spread(&vm->wake_dist, profile->wake_latency, profile->spread);
	zsr_vm_workers_init(vm);
	for (i = 0; i < nr_cpus; i++) {
		vm->cpu[i].rng.state = zsr_rng_next(&rng);
		vm->cpu[i].index = i;
		costs_init(&vm->cpu[i], profile);
		zsr_vm_steps_of_cur(&vm->cpu[i]);
	}
	*out = vm;
	return 0;
}

void zsr_vm_destroy(struct zsr_vm *vm)
{
	size_t i;

	if (!vm)
		return;
	for (i = 0; i < vm->nr_tasks; i++) {
		zsr_coro_free(&vm->tasks[i]->coro);
		free(vm->tasks[i]);
	}
	for (i = 0; i < vm->m.nr_cpus; i++) {
		free(vm->cpu[i].ready.task);
		free(vm->cpu[i].pinned.task);
	}
	free(vm->tasks);
	free(vm->timers);
	free(vm);
}
