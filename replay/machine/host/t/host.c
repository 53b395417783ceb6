// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host machine: locks exclude and are fair, a CPU belongs to one thread at
 * a time also when there are more threads, work runs once, again, in order and
 * where it should, timers keep their time, pages add up.
 */
#include <unistd.h>

#include "replay/machine/host/host.h"
#include "tests/check.h"

enum { MAX_THREADS = 8, ROUNDS = 20000 };

static struct zsr_host *h;
static struct zsr_machine *m;
static struct zsr_host_thread self;
static struct zsr_err err;

static bool queued;
static const struct zsr_dist *late;

static void start(unsigned cpus)
{
	const struct zsr_host_opts opts = { .cpus = cpus,
					    .queued = queued,
					    .worker = late };

	ck_assert_msg(!zsr_host_create(&h, &opts, &err), "%s", err.msg);
	m = &h->m;
	ck_assert_uint_eq(m->nr_cpus, cpus);
	self = (struct zsr_host_thread){ .home = ZSR_HOST_NO_CPU };
	zsr_host_enter(h, &self);
}

static void stop(void)
{
	zsr_host_leave(&self);
	zsr_host_destroy(h);
}

/* ---- threads ------------------------------------------------------------ */

struct runner {
	pthread_t thread;
	struct zsr_host_thread self;
	void (*fn)(unsigned nr);
	unsigned nr;
};

static struct runner runners[MAX_THREADS];

static void *runner_main(void *arg)
{
	struct runner *r = arg;

	zsr_host_enter(h, &r->self);
	r->fn(r->nr);
	zsr_host_leave(&r->self);
	return NULL;
}

static void launch(unsigned nr, void (*fn)(unsigned nr), unsigned home)
{
	struct runner *r = &runners[nr];

	*r = (struct runner){ .fn = fn, .nr = nr, .self.home = home };
	ck_assert_int_eq(pthread_create(&r->thread, NULL, runner_main, r), 0);
}

static void join(unsigned nr)
{
	zsr_host_block(&self);
	pthread_join(runners[nr].thread, NULL);
	zsr_host_unblock(&self);
}

static void run_all(unsigned threads, void (*fn)(unsigned nr))
{
	unsigned i;

	for (i = 0; i < threads; i++)
		launch(i, fn, ZSR_HOST_NO_CPU);
	for (i = 0; i < threads; i++)
		join(i);
}

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

static void nap(void)
{
	zsr_host_block(zsr_host_self);
	usleep(1000);
	zsr_host_unblock(zsr_host_self);
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

/* ---- work --------------------------------------------------------------------- */

static struct zsr_workqueue wq;
static struct zsr_work work[MAX_THREADS];
static unsigned runs[MAX_THREADS], at_once, most_at_once, ran_on[MAX_THREADS];
static bool go;

static void note_run(struct zsr_work *w)
{
	unsigned nr = (unsigned)(w - work);
	unsigned now = __atomic_add_fetch(&at_once, 1, __ATOMIC_ACQ_REL);

	if (now > __atomic_load_n(&most_at_once, __ATOMIC_RELAXED))
		__atomic_store_n(&most_at_once, now, __ATOMIC_RELAXED);
	ran_on[nr] = zsr_cpu(m);
	while (!__atomic_load_n(&go, __ATOMIC_ACQUIRE))
		nap();
	runs[nr]++;
	__atomic_sub_fetch(&at_once, 1, __ATOMIC_ACQ_REL);
}

static void work_reset(unsigned flags, unsigned max_active)
{
	unsigned i;

	wq = (struct zsr_workqueue){ .flags = flags, .max_active = max_active };
	memset(runs, 0, sizeof(runs));
	at_once = most_at_once = 0;
	go = false;
	for (i = 0; i < MAX_THREADS; i++)
		work[i] = (struct zsr_work){ .fn = note_run, .wq = &wq };
}

static void let_go(void)
{
	__atomic_store_n(&go, true, __ATOMIC_RELEASE);
}

static bool is_running(unsigned nr)
{
	return __atomic_load_n(&at_once, __ATOMIC_ACQUIRE) > nr;
}

START_TEST(work_runs_once_and_again)
{
	work_reset(ZSR_WQ_UNBOUND, 0);
	start(2);
	ck_assert(zsr_queue_work(m, &work[0]));
	while (!is_running(0))
		nap();
	ck_assert(zsr_queue_work(m, &work[0]));
	ck_assert(!zsr_queue_work(m, &work[0]));
	nap();
	let_go();
	zsr_flush_work(m, &work[0]);
	ck_assert_uint_eq(runs[0], 2);
	ck_assert_uint_eq(most_at_once, 1);
	zsr_flush_work(m, &work[0]);
	zsr_host_idle(h);
	ck_assert_uint_eq(h->works_open, 0);
	stop();
}
END_TEST

START_TEST(queue_holds_its_limit)
{
	unsigned i;

	work_reset(ZSR_WQ_UNBOUND, 2);
	start(2);
	for (i = 0; i < 6; i++)
		ck_assert(zsr_queue_work(m, &work[i]));
	while (!is_running(1))
		nap();
	nap();
	let_go();
	for (i = 6; i--;)
		zsr_flush_work(m, &work[i]);
	stop();
	ck_assert_uint_eq(most_at_once, 2);
	for (i = 0; i < 6; i++)
		ck_assert_uint_eq(runs[i], 1);
}
END_TEST

/* Bound work runs on its CPU, and after the other items there. */
START_TEST(bound_work_stays)
{
	unsigned i;

	work_reset(0, 0);
	start(3);
	let_go();
	for (i = 0; i < 6; i++)
		ck_assert(zsr_queue_work_on(m, i % 3, &work[i]));
	for (i = 0; i < 6; i++)
		zsr_flush_work(m, &work[i]);
	for (i = 0; i < 6; i++) {
		ck_assert_uint_eq(runs[i], 1);
		ck_assert_uint_eq(ran_on[i], i % 3);
	}
	/* A queue no worker was made for. */
	work_reset(ZSR_WQ_HIGHPRI, 0);
	let_go();
	ck_assert(zsr_queue_work_on(m, 1, &work[0]));
	zsr_flush_work(m, &work[0]);
	stop();
	ck_assert_uint_eq(ran_on[0], 1);
}
END_TEST

static void flush_second(struct zsr_work *w)
{
	(void)w;
	zsr_flush_work(m, &work[1]);
	runs[0] = runs[1];
}

/* A bound worker that sleeps lets another one of its CPU work. */
START_TEST(worker_may_flush)
{
	work_reset(0, 0);
	start(1);
	work[0].fn = flush_second;
	zsr_preempt_disable(m);
	zsr_queue_work_on(m, 0, &work[0]);
	zsr_queue_work_on(m, 0, &work[1]);
	zsr_preempt_enable(m);
	nap();
	let_go();
	zsr_flush_work(m, &work[0]);
	stop();
	ck_assert_uint_eq(runs[0], 1);
}
END_TEST

static uint64_t fired_at;

static void note_time(struct zsr_work *w)
{
	(void)w;
	__atomic_store_n(&fired_at, zsr_clock_ns(), __ATOMIC_RELEASE);
}

START_TEST(timers_keep_their_time)
{
	struct zsr_delayed_work late = { .work = { .fn = note_time, .wq = &wq } };
	struct zsr_delayed_work soon = late, never = late;
	uint64_t begin;

	work_reset(ZSR_WQ_UNBOUND, 0);
	start(2);
	begin = zsr_clock_ns();
	ck_assert(zsr_queue_delayed_work_on(m, 0, &late, 40000000));
	ck_assert(!zsr_queue_delayed_work_on(m, 0, &late, 1));
	ck_assert(zsr_queue_delayed_work_on(m, 0, &never, 30000000));
	ck_assert(zsr_queue_delayed_work_on(m, 0, &soon, 10000000));
	while (!__atomic_load_n(&fired_at, __ATOMIC_ACQUIRE))
		nap();
	zsr_flush_work(m, &soon.work);
	ck_assert_uint_ge(fired_at - begin, 10000000);
	ck_assert(zsr_cancel_delayed_work(m, &never));
	ck_assert(!zsr_cancel_delayed_work(m, &never));
	ck_assert(!zsr_cancel_delayed_work(m, &soon));
	zsr_host_idle(h);
	ck_assert_uint_ge(fired_at - begin, 40000000);
	ck_assert(!zsr_cancel_delayed_work(m, &late));
	stop();
}
END_TEST

/* ---- pages, clock ----------------------------------------------------------- */

static void allocate(unsigned nr)
{
	unsigned i;

	for (i = 0; i < ROUNDS; i++)
		if (nr % 2)
			zsr_pages_free(m, 3);
		else if (!zsr_pages_alloc(m, 3))
			abort();
}

START_TEST(pages_add_up)
{
	int64_t sum;
	unsigned i;

	start(3);
	run_all(6, allocate);
	ck_assert_int_eq(zsr_host_pages(h), 0);
	for (i = 0, sum = h->zone_pages; i < 3; i++) {
		ck_assert_uint_le(h->cpu[i].pcp, 378);
		sum += (int64_t)h->cpu[i].pcp;
	}
	ck_assert_int_eq(sum, 0);
	ck_assert_uint_gt(h->zone.stats.acquired, 0);
	stop();
}
END_TEST

START_TEST(clock_tells_time)
{
	struct zsr_clock c;
	uint64_t ns, ticks, ps;

	zsr_clock_init(&c);
	ns = zsr_clock_ns();
	ticks = zsr_ticks();
	usleep(50000);
	ps = zsr_ticks_ps(&c, zsr_ticks() - ticks);
	ns = zsr_clock_ns() - ns;
	ck_assert_uint_gt(ps, 49000000000ull);
	ck_assert_uint_lt(ps / 1000, ns + ns / 100 + 1000000);
	ck_assert_uint_gt(ps / 1000 + ns / 100 + 1000000, ns);
	ck_assert_uint_lt(c.read_ps, 10000000);
	ck_assert_uint_eq(zsr_clock_ps(&c, c.base), 0);
	ticks = zsr_ns_ticks(&c, 1000000);
	ps = zsr_ticks_ps(&c, ticks);
	ck_assert_uint_le(ps, 1000000000);
	ck_assert_uint_ge(ps, 999000000);
}
END_TEST

/* Spinlocks of both kinds. */
/* A worker's wake-up takes what it is told to, and it runs where it may. */
START_TEST(workers_come_late)
{
	struct zsr_dist d;
	uint64_t begin;

	ck_assert_int_eq(zsr_dist_parse("const:20ms", &d, &err), 0);
	late = &d;
	start(2);
	work_reset(ZSR_WQ_UNBOUND, 1);
	go = true;
	begin = zsr_clock_ns();
	zsr_queue_work(m, &work[0]);
	zsr_flush_work(m, &work[0]);
	ck_assert_uint_ge(zsr_clock_ns() - begin, 19000000);
	ck_assert_uint_eq(runs[0], 1);
	stop();
	late = NULL;
}
END_TEST

START_TEST(workers_keep_to_cpus)
{
	const struct zsr_host_opts opts = { .cpus = 4, .worker_cpus = 4 };
	unsigned i;

	ck_assert_msg(!zsr_host_create(&h, &opts, &err), "%s", err.msg);
	m = &h->m;
	self = (struct zsr_host_thread){ .home = ZSR_HOST_NO_CPU };
	zsr_host_enter(h, &self);
	work_reset(ZSR_WQ_UNBOUND, 4);
	go = true;
	for (i = 0; i < MAX_THREADS; i++)
		zsr_queue_work(m, &work[i]);
	for (i = 0; i < MAX_THREADS; i++)
		zsr_flush_work(m, &work[i]);
	stop();
	for (i = 0; i < MAX_THREADS; i++) {
		ck_assert_uint_eq(runs[i], 1);
		ck_assert_uint_eq(ran_on[i], 2);
	}
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
	tcase_add_test(tcase, workers_come_late);
	tcase_add_test(tcase, workers_keep_to_cpus);
	tcase_add_test(tcase, rwlock_excludes_writers);
	tcase_add_test(tcase, rwlock_readers_share_and_queue);
	tcase_add_test(tcase, cpu_is_its_owners);
	tcase_add_test(tcase, cpu_is_given_up_after_a_slice);
	tcase_add_test(tcase, pins_end);
	tcase_add_test(tcase, work_runs_once_and_again);
	tcase_add_test(tcase, queue_holds_its_limit);
	tcase_add_test(tcase, bound_work_stays);
	tcase_add_test(tcase, worker_may_flush);
	tcase_add_test(tcase, timers_keep_their_time);
	tcase_add_test(tcase, pages_add_up);
	tcase_add_test(tcase, clock_tells_time);
	tcase_set_timeout(tcase, 300);
	suite_add_tcase(suite, tcase);
	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
