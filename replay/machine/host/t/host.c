// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host machine: locks exclude and are fair, a CPU belongs to one thread at
 * a time also when there are more threads.
 */
#include "replay/machine/host/t/threads.h"

/* Locks need not be dropped in the order they were taken in. */
static struct zsr_spinlock first_lock, second_lock;

static void hand_over_hand(unsigned nr)
{
	unsigned i;

	(void)nr;
	for (i = 0; i < ROUNDS / 4; i++) {
		zsr_spin_lock(m, &first_lock);
		zsr_spin_lock(m, &second_lock);
		zsr_spin_unlock(m, &first_lock);
		zsr_spin_unlock(m, &second_lock);
	}
}

/* ---- locks --------------------------------------------------------------- */

static struct zsr_spinlock spin;
static struct zsr_rwlock rw;
static uint64_t counter, twin;

static void count_spin(unsigned nr)
{
	unsigned i;

	(void)nr;
	for (i = 0; i < ROUNDS; i++) {
		zsr_spin_lock(m, &spin);
		counter++;
		zsr_spin_unlock(m, &spin);
	}
}

START_TEST(spinlock_excludes)
{
	struct zsr_host_counts sum;

	queued = _i;
	spin = (struct zsr_spinlock){ 0 };
	counter = 0;
	start(4);
	run_all(6, count_spin);
	zsr_host_sum(h, &sum);
	stop();
	ck_assert_uint_eq(counter, 6 * ROUNDS);
	ck_assert_uint_eq(spin.stats.acquired, 6 * ROUNDS);
	ck_assert_uint_eq(sum.locks, 6 * ROUNDS);
	ck_assert_uint_eq(sum.contended, spin.stats.contended);
}
END_TEST

static void count_try(unsigned nr)
{
	unsigned i;

	(void)nr;
	for (i = 0; i < ROUNDS; i++) {
		if (!zsr_spin_trylock(m, &spin))
			continue;
		counter++;
		zsr_spin_unlock(m, &spin);
	}
}

START_TEST(trylock_takes_what_is_free)
{
	queued = _i;
	spin = (struct zsr_spinlock){ 0 };
	counter = 0;
	start(4);
	ck_assert(zsr_spin_trylock(m, &spin));
	ck_assert(!zsr_spin_trylock(m, &spin));
	ck_assert(!zsr_spin_contended(m, &spin));
	zsr_spin_unlock(m, &spin);
	run_all(4, count_try);
	stop();
	ck_assert_uint_eq(counter + 1, spin.stats.acquired);
	ck_assert_uint_ge(counter, 1);
}
END_TEST

static unsigned order[MAX_THREADS], nr_ordered;

static void stand_in_line(unsigned nr)
{
	zsr_spin_lock(m, &spin);
	order[nr_ordered++] = nr;
	zsr_spin_unlock(m, &spin);
}

static unsigned nr_tickets(void)
{
	uint32_t word = __atomic_load_n(&spin.host.word, __ATOMIC_RELAXED);

	return (uint16_t)((word >> 16) - word) - 1;
}

/* In a queue: is there anybody behind the last one who came? */
static unsigned nr_waiting(void)
{
	const struct zsr_host_node *n = spin.host_queue.holder;
	unsigned nr = 0;

	for (; queued && (n = __atomic_load_n(&n->next, __ATOMIC_ACQUIRE)); nr++)
		;
	if (queued)
		return nr;
	return nr_tickets();
}

START_TEST(spinlock_is_fair)
{
	unsigned i;

	queued = _i;
	spin = (struct zsr_spinlock){ 0 };
	nr_ordered = 0;
	start(6);
	zsr_spin_lock(m, &spin);
	for (i = 0; i < 5; i++) {
		launch(i, stand_in_line, ZSR_HOST_NO_CPU);
		while (nr_waiting() <= i)
			usleep(100);
		ck_assert(zsr_spin_contended(m, &spin));
	}
	zsr_spin_unlock(m, &spin);
	for (i = 0; i < 5; i++)
		join(i);
	stop();
	for (i = 0; i < 5; i++)
		ck_assert_uint_eq(order[i], i);
	ck_assert_uint_eq(spin.stats.contended, 5);
	ck_assert_uint_gt(spin.stats.wait, 0);
}
END_TEST

static void read_and_write(unsigned nr)
{
	unsigned i;

	for (i = 0; i < ROUNDS; i++) {
		if ((i + nr) % 8) {
			zsr_read_lock(m, &rw);
			if (counter != twin)
				abort();
			zsr_read_unlock(m, &rw);
		} else {
			zsr_write_lock(m, &rw);
			counter++;
			twin++;
			zsr_write_unlock(m, &rw);
		}
	}
}

START_TEST(rwlock_excludes_writers)
{
	rw = (struct zsr_rwlock){ 0 };
	counter = twin = 0;
	start(4);
	run_all(6, read_and_write);
	stop();
	ck_assert_uint_eq(counter, 6 * ROUNDS / 8);
	ck_assert_uint_eq(rw.host.count, 0);
	ck_assert_uint_eq(rw.stats.acquired, counter);
}
END_TEST

static void write_once(unsigned nr)
{
	zsr_write_lock(m, &rw);
	order[nr_ordered++] = nr;
	zsr_write_unlock(m, &rw);
}

static void read_once(unsigned nr)
{
	zsr_read_lock(m, &rw);
	order[__atomic_fetch_add(&nr_ordered, 1, __ATOMIC_RELAXED)] = nr;
	zsr_read_unlock(m, &rw);
}

/* Two readers share; one that comes behind a waiting writer waits for it. */
START_TEST(rwlock_readers_share_and_queue)
{
	rw = (struct zsr_rwlock){ 0 };
	nr_ordered = 0;
	start(4);
	zsr_read_lock(m, &rw);
	launch(0, read_once, ZSR_HOST_NO_CPU);
	join(0);
	ck_assert_uint_eq(nr_ordered, 1);
	ck_assert(!zsr_write_contended(m, &rw));
	launch(1, write_once, ZSR_HOST_NO_CPU);
	while (!(__atomic_load_n(&rw.host.count, __ATOMIC_RELAXED) & 2))
		usleep(100);
	ck_assert(zsr_write_contended(m, &rw));
	launch(2, read_once, ZSR_HOST_NO_CPU);
	usleep(20000);
	ck_assert_uint_eq(__atomic_load_n(&nr_ordered, __ATOMIC_RELAXED), 1);
	zsr_read_unlock(m, &rw);
	join(1);
	join(2);
	stop();
	ck_assert_uint_eq(order[1], 1);
	ck_assert_uint_eq(order[2], 2);
}
END_TEST

START_TEST(spinlocks_cross)
{
	queued = _i;
	start(3);
	run_all(3, hand_over_hand);
	ck_assert(!zsr_spin_contended(m, &spin));
	stop();
	ck_assert_uint_eq(first_lock.stats.acquired, 3 * (ROUNDS / 4));
	ck_assert_uint_eq(second_lock.stats.acquired, 3 * (ROUNDS / 4));
}
END_TEST

/* ---- what the system does --------------------------------------------------- */

/* Who sleeps loses its CPU, and knows; who does not mostly keeps it. */
START_TEST(lost_cpu_is_noticed)
{
	unsigned i, kept = 0;

	start(1);
	if (self.kept == &self.kept_none) {
		stop();
		return; /* no rseq here */
	}
	for (i = 0; i < 100; i++) {
		zsr_host_watch(&self);
		kept += !zsr_host_displaced(&self);
	}
	ck_assert_uint_ge(kept, 90);
	zsr_host_watch(&self);
	usleep(1000);
	ck_assert(zsr_host_displaced(&self));
	zsr_host_watch(&self);
	ck_assert(!zsr_host_displaced(&self));
	stop();
}
END_TEST

/* Software's events stand in for the CPU's, which not every system has; what no
 * system has is left out. */
START_TEST(events_are_counted)
{
	static char page[64 * 4096];
	struct zsr_host_events e = { 0 };
	uint64_t value;
	unsigned i;

	zsr_host_event[0] = (struct zsr_host_event){ "page-faults", 1, 2 };
	zsr_host_event[1] = (struct zsr_host_event){ "none", 1, 1u << 30 };
	zsr_host_events_open(&e);
	for (i = 0; i < 64; i++)
		*(volatile char *)&page[i * 4096] = 1;
	ck_assert(!zsr_host_events_read(&e, 1, &value));
	if (zsr_host_events_read(&e, 0, &value))
		ck_assert_uint_ge(value, 32);
	else
		ck_assert_int_eq(e.fd[0], 0);
	zsr_host_events_close(&e);
	ck_assert(!zsr_host_events_read(&e, 0, &value));
}
END_TEST

/* ---- CPUs ------------------------------------------------------------------ */

static uint64_t per_cpu[ZSR_MAX_CPUS][16];
static bool moved;

static void count_per_cpu(unsigned nr)
{
	unsigned i, cpu;

	(void)nr;
	for (i = 0; i < ROUNDS; i++) {
		zsr_preempt_disable(m);
		cpu = zsr_cpu(m);
		per_cpu[cpu][0]++;
		zsr_spin_lock(m, &spin);
		zsr_spin_unlock(m, &spin);
		if (zsr_cpu(m) != cpu)
			__atomic_store_n(&moved, true, __ATOMIC_RELAXED);
		per_cpu[cpu][0]++;
		zsr_preempt_enable(m);
	}
}

/* Nobody but its owner touches a CPU's data, without any lock. */
START_TEST(cpu_is_its_owners)
{
	uint64_t sum = 0;
	unsigned i;

	memset(per_cpu, 0, sizeof(per_cpu));
	spin = (struct zsr_spinlock){ 0 };
	start(2);
	run_all(7, count_per_cpu);
	stop();
	for (i = 0; i < ZSR_MAX_CPUS; i++)
		sum += per_cpu[i][0];
	ck_assert_uint_eq(sum, 2 * 7 * ROUNDS);
	ck_assert_uint_eq(per_cpu[2][0], 0);
	ck_assert(!moved);
}
END_TEST

static void spin_until_told(unsigned nr)
{
	while (!__atomic_load_n(&counter, __ATOMIC_ACQUIRE))
		zsr_cond_resched(m);
	order[nr] = zsr_cpu(m);
}

static void tell(unsigned nr)
{
	(void)nr;
	__atomic_store_n(&counter, 1, __ATOMIC_RELEASE);
}

/* One that never sleeps gives its CPU up when its slice is over; a thread with
 * a CPU of its own runs there alone. */
START_TEST(cpu_is_given_up_after_a_slice)
{
	counter = 0;
	start(1);
	launch(0, spin_until_told, ZSR_HOST_NO_CPU);
	nap();
	launch(1, tell, ZSR_HOST_NO_CPU);
	join(1);
	join(0);
	stop();
	counter = 1;
	start(3);
	launch(0, spin_until_told, 2);
	launch(1, spin_until_told, 1);
	launch(2, spin_until_told, 2);
	join(0);
	join(1);
	join(2);
	stop();
	ck_assert_uint_eq(order[0], 2);
	ck_assert_uint_eq(order[1], 1);
	ck_assert_uint_eq(order[2], 2);
}
END_TEST

/* Who was pinned goes where it may again. */
START_TEST(pins_end)
{
	const struct zsr_host_opts opts = { .cpus = 1, .pin = true };
	struct zsr_host_thread t = { .home = 0 };
	cpu_set_t before, in, after;

	ck_assert_int_eq(sched_getaffinity(0, sizeof(before), &before), 0);
	ck_assert_msg(!zsr_host_create(&h, &opts, &err), "%s", err.msg);
	zsr_host_enter(h, &t);
	ck_assert_int_eq(sched_getaffinity(0, sizeof(in), &in), 0);
	zsr_host_leave(&t);
	zsr_host_destroy(h);
	ck_assert_int_eq(sched_getaffinity(0, sizeof(after), &after), 0);
	ck_assert_int_eq(CPU_COUNT(&in), 1);
	ck_assert(CPU_EQUAL(&before, &after));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("host machine");
	TCase *tcase = tcase_create("host machine");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, spinlock_excludes, 0, 2);
	tcase_add_loop_test(tcase, trylock_takes_what_is_free, 0, 2);
	tcase_add_loop_test(tcase, spinlock_is_fair, 0, 2);
	tcase_add_loop_test(tcase, spinlocks_cross, 0, 2);
	tcase_add_test(tcase, lost_cpu_is_noticed);
	tcase_add_test(tcase, events_are_counted);
	tcase_add_test(tcase, rwlock_excludes_writers);
	tcase_add_test(tcase, rwlock_readers_share_and_queue);
	tcase_add_test(tcase, cpu_is_its_owners);
	tcase_add_test(tcase, cpu_is_given_up_after_a_slice);
	tcase_add_test(tcase, pins_end);
	tcase_set_timeout(tcase, 300);
	suite_add_tcase(suite, tcase);
	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
