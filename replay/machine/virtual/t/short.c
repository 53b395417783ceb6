// SPDX-License-Identifier: GPL-2.0-only
/*
 * A machine that lacks something: memory to make a worker of, CPUs that have
 * gone.
 */
#include "replay/machine/virtual/t/theory.h"

#define US (1000ull * NS)
#define MS (1000 * US)

static struct zsr_workqueue wq;
static struct zsr_work work[3];
static uint64_t began[3], took[3];
static unsigned ran_on[3];

static void do_work(struct zsr_work *w)
{
	struct zsr_vm *vm = w->arg;
	unsigned i = (unsigned)(w - work);

	began[i] = vm->c->now;
	zsr_vm_compute(vm, took[i]);
	ran_on[i] = zsr_cpu(&vm->m);
}

static void works_init(struct zsr_vm *vm, unsigned flags)
{
	unsigned i;

	memset(&wq, 0, sizeof(wq));
	memset(work, 0, sizeof(work));
	memset(began, 0, sizeof(began));
	wq.flags = flags;
	for (i = 0; i < ZSR_ARRAY_SIZE(work); i++) {
		work[i].fn = do_work;
		work[i].arg = vm;
		work[i].wq = &wq;
	}
}

/* ---- no memory for workers ------------------------------------------------ */

/* Item 0 takes `first`, from 0 on; items 1 and 2 take 500 us and are queued at
 * ask_at. A worker takes 120 us to make, and there is no memory for it before
 * give_at. */
struct shortage {
	unsigned flags;
	uint64_t first, ask_at, give_at;
};

static void queue_works(struct zsr_vm *vm, void *arg)
{
	const struct shortage *s = arg;
	uint64_t pages = zsr_vm_pages_left(vm), i, when[2];

	when[0] = zsr_min(s->ask_at, s->give_at);
	when[1] = zsr_max(s->ask_at, s->give_at);
	if (s->give_at)
		ck_assert(zsr_vm_pages_take(vm, pages));
	zsr_queue_work_on(&vm->m, 0, &work[0]);
	for (i = 0; i < 2; i++) {
		zsr_vm_sleep_until(vm, when[i]);
		if (when[i] == s->ask_at) {
			zsr_queue_work_on(&vm->m, 0, &work[1]);
			zsr_queue_work_on(&vm->m, 0, &work[2]);
		} else if (s->give_at) {
			zsr_vm_pages_give(vm, pages);
		}
	}
}

static uint64_t end_of(struct shortage s)
{
	struct zsr_vm *vm;
	uint64_t end;

	free_of_cost();
	profile.memory = 1 << 20;
	profile.wmark_min = 64 << 10;
	profile.worker_create = 120 * US;
	vm = machine(4);
	works_init(vm, s.flags);
	took[0] = s.first;
	took[1] = took[2] = 500 * US;
	spawn(vm, queue_works, &s, 1);
	run(vm);
	end = vm->end;
	zsr_vm_destroy(vm);
	return end;
}

/* With memory each item gets a worker, the third when that has been made. */
START_TEST(memory_makes_workers)
{
	end_of((struct shortage){ ZSR_WQ_UNBOUND, 5000 * MS, MS, 0 });
	ck_assert_uint_eq(began[0], 0);
	ck_assert_uint_eq(began[1], MS);
	ck_assert_uint_eq(began[2], MS + 120 * US);
}
END_TEST

/* The rescuer of a mem-reclaim queue comes after 10 ms and does one item after
 * the other. */
START_TEST(rescuer_comes)
{
	end_of((struct shortage){ ZSR_WQ_UNBOUND | ZSR_WQ_MEM_RECLAIM,
				  5000 * MS, MS, 3000 * MS });
	ck_assert_uint_eq(began[0], 0);
	ck_assert_uint_eq(began[1], 11 * MS);
	ck_assert_uint_eq(began[2], 11 * MS + 500 * US);
}
END_TEST

/* Items of other queues wait a second, also when there is memory before that:
 * nobody looks. With memory the second one's worker is made then. */
START_TEST(others_wait_a_second)
{
	end_of((struct shortage){ ZSR_WQ_UNBOUND, 5000 * MS, MS, 3000 * MS });
	ck_assert_uint_eq(began[1], 1001 * MS);
	ck_assert_uint_eq(began[2], 1001 * MS + 500 * US);
	end_of((struct shortage){ ZSR_WQ_UNBOUND, 5000 * MS, MS, 100 * MS });
	ck_assert_uint_eq(began[1], 1001 * MS);
	ck_assert_uint_eq(began[2], 1001 * MS + 120 * US);
}
END_TEST

/* A worker that is done takes what waits. Then nobody is rescued, and the run
 * does not last until that time. */
START_TEST(worker_comes_first)
{
	struct shortage s = { ZSR_WQ_UNBOUND, 4 * MS, MS, 2 * MS };
	unsigned i;

	for (i = 0; i < 2; i++) {
		ck_assert_uint_eq(end_of(s), 5 * MS);
		ck_assert_uint_eq(began[1], 4 * MS);
		ck_assert_uint_eq(began[2], 4 * MS + 500 * US);
		s.flags |= ZSR_WQ_MEM_RECLAIM;
	}
}
END_TEST

/* The spare worker could not be made when the first item took the last one: it
 * is made when it is asked for. */
START_TEST(spare_is_made_later)
{
	end_of((struct shortage){ ZSR_WQ_UNBOUND, 5000 * MS, 20 * MS, 10 * MS });
	ck_assert_uint_eq(began[1], 20 * MS + 120 * US);
	ck_assert_uint_eq(began[2], 20 * MS + 240 * US);
}
END_TEST

/* ---- CPUs that have gone ------------------------------------------------------ */

static uint64_t gone_at;

/* Takes CPU 1 away at 1 ms. */
static void take_cpu_1(struct zsr_vm *vm, void *arg)
{
	(void)arg;
	zsr_vm_sleep_until(vm, MS);
	zsr_vm_cpu_offline(vm, 1);
	gone_at = vm->c->now;
	ck_assert_ptr_null(vm->cpu[1].cur);
	ck_assert_uint_eq(vm->cpu[1].pcp, 0);
	ck_assert_uint_eq(vm->cpu[1].nr_ready, 0);
}

static uint64_t busy(const struct zsr_vcpu *c)
{
	uint64_t sum = 0;
	unsigned i;

	for (i = 0; i < ZSR_NR_MODES; i++)
		sum += zsr_vm_busy(c, i) + c->spin[i];
	return sum;
}

static void free_pages(struct zsr_vm *vm, void *arg)
{
	uint64_t *done = arg;

	zsr_pages_alloc(&vm->m, 20);
	zsr_pages_free(&vm->m, 20);
	ck_assert_uint_eq(vm->c->pcp, profile.pcp_batch);
	zsr_vm_compute(vm, 10 * MS);
	*done = vm->c->now;
}

/* Its task goes on elsewhere at once. Its page list is emptied into the zone,
 * by whoever takes it away. */
START_TEST(tasks_and_pages_leave)
{
	struct zsr_vm *vm;
	uint64_t done = 0;

	free_of_cost();
	profile.cost_ps[ZSR_COST_zone_free] = US;
	vm = machine(3);
	spawn(vm, free_pages, &done, 1);
	spawn(vm, take_cpu_1, NULL, 0);
	run(vm);
	ck_assert_uint_eq(done, 10 * MS);
	ck_assert_uint_eq(busy(&vm->cpu[1]), MS);
	/* Looked for every 10 us; then 63 pages. */
	ck_assert_uint_ge(gone_at, MS + 63 * US);
	ck_assert_uint_le(gone_at, MS + (63 + 10) * US);
	zsr_vm_destroy(vm);
}
END_TEST

static void hold(struct zsr_vm *vm, void *arg)
{
	(void)arg;
	zsr_preempt_disable(&vm->m);
	zsr_vm_compute(vm, 5 * MS);
	zsr_preempt_enable(&vm->m);
	zsr_vm_compute(vm, MS);
}

/* A section with preemption off ends first. */
START_TEST(section_ends_first)
{
	struct zsr_vm *vm;

	free_of_cost();
	vm = machine(3);
	spawn(vm, hold, NULL, 1);
	spawn(vm, take_cpu_1, NULL, 0);
	run(vm);
	ck_assert_uint_eq(busy(&vm->cpu[1]), 5 * MS);
	ck_assert_uint_ge(gone_at, 5 * MS);
	ck_assert_uint_le(gone_at, 5 * MS + 10 * US);
	ck_assert_uint_eq(vm->end, 6 * MS);
	zsr_vm_destroy(vm);
}
END_TEST

/* Whoever takes the CPU away may run on it. */
START_TEST(it_may_be_ones_own)
{
	struct zsr_vm *vm;

	free_of_cost();
	vm = machine(2);
	spawn(vm, take_cpu_1, NULL, 1);
	run(vm);
	ck_assert(vm->cpu[1].offline);
	ck_assert_uint_le(gone_at, MS + 10 * US);
	zsr_vm_destroy(vm);
}
END_TEST

static void end_early(struct zsr_vm *vm, void *arg)
{
	(void)arg;
	zsr_vm_compute(vm, 2 * MS);
}

/*
 * All but daemons have ended while the CPU is still held by one: taking it away
 * goes on until that is done, and ends.
 */
START_TEST(ends_behind_the_run)
{
	struct zsr_vm *vm;

	free_of_cost();
	vm = machine(3);
	ck_assert_ptr_nonnull(zsr_vm_spawn_daemon(vm, hold, NULL, 1, 0));
	ck_assert_ptr_nonnull(zsr_vm_spawn_daemon(vm, take_cpu_1, NULL, 0, 0));
	spawn(vm, end_early, NULL, 2);
	run(vm);
	ck_assert(vm->ending && vm->cpu[1].offline);
	zsr_vm_destroy(vm);
}
END_TEST

/* A section that nothing cuts short, step by step. */
static void hold_in_steps(struct zsr_vm *vm, void *arg)
{
	unsigned i;

	(void)arg;
	zsr_preempt_disable(&vm->m);
	for (i = 0; i < 50; i++) {
		zsr_charge(&vm->m, ZSR_COST_handle_free, 1);
		zsr_order(&vm->m);
	}
	zsr_preempt_enable(&vm->m);
}

START_TEST(ends_behind_a_section)
{
	struct zsr_vm *vm;

	free_of_cost();
	profile.cost_ps[ZSR_COST_handle_free] = 100 * US;
	vm = machine(3);
	ck_assert_ptr_nonnull(zsr_vm_spawn_daemon(vm, hold_in_steps, NULL, 1, 0));
	ck_assert_ptr_nonnull(zsr_vm_spawn_daemon(vm, take_cpu_1, NULL, 0, 0));
	spawn(vm, end_early, NULL, 2);
	run(vm);
	ck_assert_uint_ge(gone_at, 5 * MS);
	ck_assert_uint_le(gone_at, 5 * MS + 10 * US);
	zsr_vm_destroy(vm);
}
END_TEST

static void real_time(struct zsr_vm *vm, void *arg)
{
	vm->c->cur->class = ZSR_SCHED_RT;
	vm->c->cur->pinned = true;
	zsr_vm_compute(vm, 3 * MS);
	*(uint64_t *)arg = vm->c->now;
}

/* Real-time tasks go, too, pinned or not. */
START_TEST(rt_leaves)
{
	uint64_t done = 0;
	struct zsr_vm *vm;

	free_of_cost();
	vm = machine(2);
	spawn(vm, real_time, &done, 1);
	spawn(vm, take_cpu_1, NULL, 0);
	run(vm);
	ck_assert_uint_eq(done, 3 * MS);
	ck_assert_uint_eq(busy(&vm->cpu[1]), MS);
	zsr_vm_destroy(vm);
}
END_TEST

/* Item 0 begins on CPU 1 before that goes, item 1 waits behind it, item 2 is
 * queued to it afterwards. */
static void queue_to_cpu_1(struct zsr_vm *vm, void *arg)
{
	(void)arg;
	zsr_vm_sleep_until(vm, MS / 2);
	zsr_queue_work_on(&vm->m, 1, &work[0]);
	zsr_queue_work_on(&vm->m, 1, &work[1]);
	zsr_vm_sleep_until(vm, 20 * MS);
	zsr_queue_work_on(&vm->m, 1, &work[2]);
}

/* Bound work of a CPU that has gone is done on others. */
START_TEST(bound_work_goes_on)
{
	struct zsr_vm *vm;
	unsigned i;

	free_of_cost();
	vm = machine(3);
	works_init(vm, 0);
	took[0] = took[1] = took[2] = 5 * MS;
	spawn(vm, queue_to_cpu_1, NULL, 2);
	spawn(vm, take_cpu_1, NULL, 0);
	run(vm);
	ck_assert_uint_eq(began[0], MS / 2);
	ck_assert_uint_eq(began[1], MS / 2 + 5 * MS);
	ck_assert_uint_eq(began[2], 20 * MS);
	for (i = 0; i < 3; i++)
		ck_assert_uint_ne(ran_on[i], 1);
	ck_assert_uint_eq(busy(&vm->cpu[1]), MS / 2);
	zsr_vm_destroy(vm);
}
END_TEST

ZSR_TEST_MAIN("short of something", memory_makes_workers, rescuer_comes,
	      others_wait_a_second, worker_comes_first, spare_is_made_later,
	      tasks_and_pages_leave, section_ends_first, it_may_be_ones_own,
	      ends_behind_the_run, ends_behind_a_section, rt_leaves,
	      bound_work_goes_on)
