// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host machine: work runs once, again, in order and where it should, timers
 * keep their time, pages add up.
 */
#include "replay/machine/host/t/threads.h"

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
	const uint64_t minute = 60000000000;
	struct zsr_delayed_work late = { .work = { .fn = note_time, .wq = &wq } };
	struct zsr_delayed_work soon = late, never = late;
	uint64_t begin, first;

	work_reset(ZSR_WQ_UNBOUND, 0);
	fired_at = 0;
	start(2);
	begin = zsr_clock_ns();
	ck_assert(zsr_queue_delayed_work_on(m, 0, &never, minute));
	ck_assert(!zsr_queue_delayed_work_on(m, 0, &never, 1));
	ck_assert(zsr_queue_delayed_work_on(m, 0, &late, 40000000));
	ck_assert(zsr_queue_delayed_work_on(m, 0, &soon, 10000000));
	while (!(first = __atomic_load_n(&fired_at, __ATOMIC_ACQUIRE)))
		nap();
	zsr_flush_work(m, &soon.work);
	ck_assert_uint_ge(first - begin, 10000000);
	ck_assert(zsr_cancel_delayed_work(m, &never));
	ck_assert(!zsr_cancel_delayed_work(m, &never));
	ck_assert(!zsr_cancel_delayed_work(m, &soon));
	zsr_host_idle(h);
	ck_assert_uint_ge(fired_at - begin, 40000000);
	ck_assert_uint_lt(fired_at - begin, minute);
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

/* What the counter says lies between two readings of the system's clock inside
 * its own two and two around them, but for a hundredth. */
START_TEST(clock_tells_time)
{
	uint64_t inside, around, ticks, ps;
	struct zsr_clock c;

	zsr_clock_init(&c);
	around = zsr_clock_ns();
	ticks = zsr_ticks();
	inside = zsr_clock_ns();
	usleep(50000);
	inside = zsr_clock_ns() - inside;
	ticks = zsr_ticks() - ticks;
	around = zsr_clock_ns() - around;
	ps = zsr_ticks_ps(&c, ticks);
	ck_assert_uint_ge(inside, 50000000);
	ck_assert_uint_gt(ps / 1000 + ps / 100000, inside);
	ck_assert_uint_lt(ps / 1000, around + around / 100);
	ck_assert_uint_lt(c.read_ps, 10000000);
	ck_assert_uint_eq(zsr_clock_ps(&c, c.base), 0);
	ticks = zsr_ns_ticks(&c, 1000000);
	ps = zsr_ticks_ps(&c, ticks);
	ck_assert_uint_le(ps, 1000000000);
	ck_assert_uint_ge(ps, 999000000);
}
END_TEST

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
	Suite *suite = suite_create("work on the host machine");
	TCase *tcase = tcase_create("host machine");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, workers_come_late);
	tcase_add_test(tcase, workers_keep_to_cpus);
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
