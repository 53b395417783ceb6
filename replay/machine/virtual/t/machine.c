// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtual machine against what can be computed by hand: a lock's
 * saturation throughput, a bounced line, wake-up latency, FIFO order, fair
 * slices, and the books of every CPU.
 */
#include <string.h>

#include "replay/machine/virtual/vm.h"
#include "tests/check.h"

#define NS ZSR_PS_PER_NS

static struct zsr_profile profile;
static struct zsr_err err;

/* Everything costs nothing but what a test sets. */
static struct zsr_vm *machine(unsigned cpus, void (*fn)(struct zsr_vm *, void *),
			      void *arg, unsigned tasks)
{
	struct zsr_vm *vm;
	unsigned i;

	ck_assert_int_eq(zsr_vm_create(&vm, &profile, cpus, 4096, 1, &err), 0);
	for (i = 0; i < tasks; i++)
		ck_assert_ptr_nonnull(zsr_vm_spawn(vm, fn, arg, i, 0));
	return vm;
}

static void setup_profile(void)
{
	memset(&profile, 0, sizeof(profile));
	profile.slice = 3000000 * NS;
	profile.pcp_batch = 63;
	profile.pcp_high = 378;
	profile.memory = 1ull << 40;
}

static void run(struct zsr_vm *vm)
{
	int ret = zsr_vm_run(vm, &err);

	ck_assert_msg(!ret, "%s", err.msg);
}

static void check_books(const struct zsr_vm *vm)
{
	unsigned i, k;

	for (i = 0; i < vm->m.nr_cpus; i++) {
		uint64_t sum = vm->cpu[i].idle + vm->cpu[i].queueing;

		for (k = 0; k < ZSR_NR_MODES; k++)
			sum += zsr_vm_busy(&vm->cpu[i], k) + vm->cpu[i].spin[k];
		ck_assert_uint_eq(sum, vm->cpu[i].now);
		ck_assert_uint_eq(vm->cpu[i].now, vm->end);
	}
}

/* ---- one lock, N CPUs ------------------------------------------------- */

#define ROUNDS 1000
#define THINK  (300 * NS)
#define HOLD   (200 * NS)

struct one_lock {
	struct zsr_spinlock lock;
	unsigned inside;
	bool broken;
};

static void lock_user(struct zsr_vm *vm, void *arg)
{
	struct one_lock *s = arg;
	unsigned i;

	for (i = 0; i < ROUNDS; i++) {
		zsr_vm_compute(vm, THINK);
		zsr_spin_lock(&vm->m, &s->lock);
		s->broken |= s->inside++ != 0;
		zsr_vm_spend(vm, HOLD);
		zsr_order(&vm->m);
		s->inside--;
		zsr_spin_unlock(&vm->m, &s->lock);
	}
}

/*
 * Deterministic closed network: N customers, one server. Each cycle takes
 * max(think + hold, N * (hold + hand-over)) once it has settled.
 */
START_TEST(lock_saturates)
{
	unsigned n;

	for (n = 1; n <= 16; n++) {
		struct one_lock s = { .inside = 0 };
		uint64_t cycle, expect;
		struct zsr_vm *vm;

		setup_profile();
		profile.cost_ps[ZSR_COST_line_transfer] = 50 * NS;
		vm = machine(n, lock_user, &s, n);
		run(vm);
		ck_assert(!s.broken);
		/* While CPUs queue the waiter's atomic moves the line to it, so
		 * the holder pays a transfer to get it back and the hand-over
		 * is another one. */
		expect = n == 1 ? THINK + HOLD
				: zsr_max(THINK + HOLD, n * (HOLD + 100 * NS));
		cycle = vm->end / ROUNDS;
		ck_assert_msg(cycle >= expect * 80 / 100 &&
				      cycle <= expect * 110 / 100,
			      "%u CPUs: %lu ps a cycle, expected about %lu", n,
			      (unsigned long)cycle, (unsigned long)expect);
		ck_assert_uint_eq(s.lock.stats.acquired, n * ROUNDS);
		check_books(vm);
		zsr_vm_destroy(vm);
	}
}
END_TEST

/* ---- a bounced line ------------------------------------------------------ */

static void bouncer(struct zsr_vm *vm, void *arg)
{
	unsigned i;

	for (i = 0; i < ROUNDS; i++)
		zsr_line_atomic(&vm->m, arg);
}

START_TEST(line_serialises)
{
	unsigned n;

	for (n = 2; n <= 16; n *= 2) {
		struct zsr_line line = { 0 };
		struct zsr_vm *vm;

		setup_profile();
		profile.cost_ps[ZSR_COST_line_transfer] = 100 * NS;
		profile.cost_ps[ZSR_COST_atomic] = 10 * NS;
		vm = machine(n, bouncer, &line, n);
		run(vm);
		/* The first access finds the line nowhere; a CPU that is left
		 * alone at the end has it. */
		ck_assert_uint_ge(vm->line_transfers, n * ROUNDS - 2);
		ck_assert_uint_le(vm->line_transfers, n * ROUNDS - 1);
		ck_assert_uint_ge(vm->end, vm->line_transfers * 100 * NS);
		ck_assert_uint_le(vm->end, n * ROUNDS * 101ull * NS);
		check_books(vm);
		zsr_vm_destroy(vm);
	}
}
END_TEST

static void reader(struct zsr_vm *vm, void *arg)
{
	unsigned i;

	for (i = 0; i < ROUNDS; i++) {
		zsr_line_read(&vm->m, arg);
		zsr_vm_spend(vm, NS);
	}
}

/* A line that everybody only reads moves once to each CPU. */
START_TEST(shared_line_is_free)
{
	struct zsr_line line = { 0 };
	struct zsr_vm *vm;

	setup_profile();
	profile.cost_ps[ZSR_COST_line_transfer] = 100 * NS;
	vm = machine(4, reader, &line, 4);
	run(vm);
	ck_assert_uint_eq(vm->line_transfers, 3);
	zsr_vm_destroy(vm);
}
END_TEST

static void read_locker(struct zsr_vm *vm, void *arg)
{
	unsigned i;

	for (i = 0; i < ROUNDS; i++) {
		zsr_read_lock(&vm->m, arg);
		zsr_read_unlock(&vm->m, arg);
	}
}

/* A read lock that nobody ever write-locks still bounces its count. */
START_TEST(read_lock_is_not_free)
{
	struct zsr_rwlock lock = { 0 };
	struct zsr_vm *vm;

	setup_profile();
	profile.cost_ps[ZSR_COST_line_transfer] = 100 * NS;
	vm = machine(4, read_locker, &lock, 4);
	run(vm);
	ck_assert_uint_gt(vm->line_transfers, 4 * ROUNDS);
	ck_assert_uint_eq(lock.readers, 0);
	check_books(vm);
	zsr_vm_destroy(vm);
}
END_TEST

/* ---- readers and writers --------------------------------------------------- */

struct rw {
	struct zsr_rwlock lock;
	int readers, writers;
	bool broken;
	unsigned next;
};

static void rw_user(struct zsr_vm *vm, void *arg)
{
	struct rw *s = arg;
	bool write = s->next++ % 3 == 0;
	unsigned i;

	for (i = 0; i < ROUNDS; i++) {
		zsr_vm_compute(vm, (50 + i % 7 * 13) * NS);
		if (write)
			zsr_write_lock(&vm->m, &s->lock);
		else
			zsr_read_lock(&vm->m, &s->lock);
		*(write ? &s->writers : &s->readers) += 1;
		s->broken |= s->writers > 1 || (s->writers && s->readers);
		zsr_vm_spend(vm, 40 * NS);
		zsr_order(&vm->m);
		*(write ? &s->writers : &s->readers) -= 1;
		if (write)
			zsr_write_unlock(&vm->m, &s->lock);
		else
			zsr_read_unlock(&vm->m, &s->lock);
	}
}

START_TEST(rwlock_excludes)
{
	struct rw s = { .next = 0 };
	struct zsr_vm *vm;

	setup_profile();
	profile.cost_ps[ZSR_COST_line_transfer] = 20 * NS;
	vm = machine(6, rw_user, &s, 6);
	run(vm);
	ck_assert(!s.broken);
	ck_assert_ptr_null(s.lock.waiters.head);
	ck_assert_uint_gt(s.lock.stats.contended, 0);
	check_books(vm);
	zsr_vm_destroy(vm);
}
END_TEST

/* ---- work ------------------------------------------------------------------- */

struct works {
	struct zsr_workqueue wq;
	struct zsr_work work;
	struct zsr_vm *vm;
	unsigned runs;
	bool overlapping, inside;
	uint64_t first;
};

static void count_run(struct zsr_work *w)
{
	struct works *s = w->arg;

	if (!s->runs++)
		s->first = s->vm->c->now;
	s->overlapping |= s->inside;
	s->inside = true;
	zsr_vm_compute(s->vm, 5000 * NS);
	zsr_order(&s->vm->m);
	s->inside = false;
}

static void queue_and_flush(struct zsr_vm *vm, void *arg)
{
	struct works *s = arg;

	s->vm = vm;
	s->work.wq = &s->wq;
	s->wq.flags = ZSR_WQ_UNBOUND;
	ck_assert(zsr_queue_work(&vm->m, &s->work));
	ck_assert(!zsr_queue_work(&vm->m, &s->work));
	zsr_vm_compute(vm, 27000 * NS); /* it runs now: 25 to 30 us */
	ck_assert(zsr_queue_work(&vm->m, &s->work));
	zsr_flush_work(&vm->m, &s->work);
	ck_assert(!s->work.pending && !s->work.running);
}

START_TEST(work_runs_once_and_again)
{
	struct works s = { .runs = 0 };
	struct zsr_vm *vm;

	setup_profile();
	profile.wake_latency = 25000 * NS;
	s.work.fn = count_run;
	s.work.arg = &s;
	vm = machine(2, queue_and_flush, &s, 1);
	run(vm);
	ck_assert_uint_eq(s.runs, 2);
	ck_assert(!s.overlapping);
	ck_assert_uint_eq(s.first, 25000 * NS);
	ck_assert_uint_eq(vm->works_queued, 2);
	check_books(vm);
	zsr_vm_destroy(vm);
}
END_TEST

/* ---- sharing a CPU --------------------------------------------------------- */

static void burner(struct zsr_vm *vm, void *arg)
{
	uint64_t *done = arg;
	unsigned i;

	for (i = 0; i < 100; i++)
		zsr_vm_compute(vm, 1000000 * NS);
	*done = vm->c->now;
}

START_TEST(slices_are_fair)
{
	uint64_t done[2] = { 0 };
	struct zsr_vm *vm;

	setup_profile();
	vm = machine(1, burner, &done[0], 1);
	ck_assert_ptr_nonnull(zsr_vm_spawn(vm, burner, &done[1], 0, 0));
	run(vm);
	ck_assert_uint_eq(vm->end, 200 * 1000000ull * NS);
	/* Both end within a slice or two of each other. */
	ck_assert_uint_le(done[1] - done[0], 2 * profile.slice);
	check_books(vm);
	zsr_vm_destroy(vm);
}
END_TEST

/* Whoever comes later, or from another CPU, shares from then on: it neither
 * catches up what the others had run before nor waits for them to catch up. */
struct latecomer {
	uint64_t begin, sleep_until, done;
};

static void late_burner(struct zsr_vm *vm, void *arg)
{
	struct latecomer *l = arg;

	if (l->sleep_until) {
		zsr_vm_compute(vm, 500 * 1000000ull * NS);
		zsr_vm_sleep_until(vm, l->sleep_until);
	}
	zsr_vm_compute(vm, 30 * 1000000ull * NS);
	l->done = vm->c->now;
}

START_TEST(latecomers_share)
{
	const uint64_t ms = 1000000ull * NS;
	uint64_t done = 0;
	struct latecomer l = { .begin = 50 * ms };
	struct zsr_vm *vm;

	setup_profile();
	vm = machine(1, burner, &done, 1);
	ck_assert_ptr_nonnull(zsr_vm_spawn(vm, late_burner, &l, 0, l.begin));
	run(vm);
	/* Half the CPU each: 30 ms of work take 60. */
	ck_assert_uint_ge(l.done, l.begin + 60 * ms - 3 * profile.slice);
	ck_assert_uint_le(l.done, l.begin + 60 * ms + 3 * profile.slice);
	zsr_vm_destroy(vm);
}
END_TEST

START_TEST(migrants_share)
{
	const uint64_t ms = 1000000ull * NS;
	uint64_t done = 0;
	struct latecomer l = { .sleep_until = 520 * ms };
	struct zsr_vm *vm;
	unsigned i;

	setup_profile();
	vm = machine(2, late_burner, &l, 1);
	/* CPU 0 gets two tasks at 510 ms, CPU 1 its first one. */
	for (i = 0; i < 3; i++)
		ck_assert_ptr_nonnull(
			zsr_vm_spawn(vm, burner, &done, i == 1, 510 * ms));
	run(vm);
	ck_assert_uint_le(l.done, l.sleep_until + 60 * ms + 3 * profile.slice);
	check_books(vm);
	zsr_vm_destroy(vm);
}
END_TEST

/* No gap between sections that keep preemption off: slices count all the same,
 * the end of a section is where the CPU is given away. */
static void section_user(struct zsr_vm *vm, void *arg)
{
	uint64_t *done = arg;
	unsigned i;

	for (i = 0; i < 10000; i++) {
		zsr_preempt_disable(&vm->m);
		zsr_vm_spend(vm, 10000 * NS);
		zsr_preempt_enable(&vm->m);
	}
	*done = vm->c->now;
}

START_TEST(sections_end_slices)
{
	uint64_t done[2] = { 0 };
	struct zsr_vm *vm;

	setup_profile();
	vm = machine(1, section_user, &done[0], 1);
	ck_assert_ptr_nonnull(zsr_vm_spawn(vm, section_user, &done[1], 0, 0));
	run(vm);
	ck_assert_uint_le(done[1] - done[0], 2 * profile.slice);
	zsr_vm_destroy(vm);
}
END_TEST

static void sleeper(struct zsr_vm *vm, void *arg)
{
	*(struct zsr_vtask **)arg = vm->c->cur;
	zsr_vm_sleep(vm);
}

START_TEST(deadlock_is_an_error)
{
	struct zsr_vtask *t;
	struct zsr_vm *vm;

	setup_profile();
	vm = machine(1, sleeper, &t, 1);
	ck_assert_int_lt(zsr_vm_run(vm, &err), 0);
	zsr_vm_destroy(vm);
}
END_TEST

/* ---- pages -------------------------------------------------------------------- */

static void page_user(struct zsr_vm *vm, void *arg)
{
	unsigned *refused = arg, i;

	for (i = 0; i < 300; i++)
		*refused += !zsr_pages_alloc(&vm->m, 4);
	zsr_pages_free(&vm->m, 4 * (300 - *refused));
}

START_TEST(pages_have_a_budget)
{
	unsigned refused = 0;
	struct zsr_vm *vm;

	setup_profile();
	profile.memory = 1000 * 4096;
	vm = machine(1, page_user, &refused, 1);
	run(vm);
	ck_assert_uint_eq(refused, 50);
	ck_assert_uint_eq(vm->pages_used, 0);
	ck_assert_uint_eq(vm->pages_peak, 1000);
	ck_assert_uint_le(vm->cpu[0].pcp, profile.pcp_high);
	zsr_vm_destroy(vm);
}
END_TEST

/* A refill may end a slice: whoever refilled a list takes from it first. */
static void page_taker(struct zsr_vm *vm, void *arg)
{
	unsigned i;

	for (i = 0; i < 2000; i++) {
		ck_assert(zsr_pages_alloc(&vm->m, 1));
		if (vm->c->pcp > profile.pcp_batch)
			*(bool *)arg = true;
	}
}

START_TEST(page_lists_hold_what_they_got)
{
	bool broken = false;
	struct zsr_vm *vm;

	setup_profile();
	profile.slice = 1000 * NS;
	profile.pcp_batch = 1;
	profile.cost_ps[ZSR_COST_zone_alloc] = 300 * NS;
	profile.cost_ps[ZSR_COST_page_alloc] = 100 * NS;
	vm = machine(2, page_taker, &broken, 7);
	run(vm);
	ck_assert(!broken);
	check_books(vm);
	zsr_vm_destroy(vm);
}
END_TEST

ZSR_TEST_MAIN("virtual machine", lock_saturates, line_serialises,
	      shared_line_is_free, read_lock_is_not_free, rwlock_excludes,
	      work_runs_once_and_again, slices_are_fair, latecomers_share,
	      migrants_share, sections_end_slices, deadlock_is_an_error,
	      pages_have_a_budget, page_lists_hold_what_they_got)
