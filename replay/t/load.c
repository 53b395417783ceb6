// SPDX-License-Identifier: GPL-2.0-only
/*
 * Load beside a replay, by hand: who gets a CPU and for how long, what the
 * load loses, who waits for memory.
 */
#include "replay/t/loaded.h"

/* ---- tasks that compute -------------------------------------------------- */

/* 30 ms of a task's time on one CPU that it shares with N others: N + 1 times
 * as long, but for a slice of each. */
START_TEST(hogs_share)
{
	static const char *const load[] = { "", "--load cpu=1", "--load cpu=2",
					    "--load cpu=5" };
	static const unsigned nr[] = { 0, 1, 2, 5 };
	uint64_t expect;
	unsigned i;

	for (i = 0; i < ZSR_ARRAY_SIZE(nr); i++) {
		start(1);
		setup.cpus = 1;
		steady(301, 100 * US);
		under(load[i]);
		play();
		expect = 30 * MS * (nr[i] + 1);
		ck_assert_uint_ge(run.v.caller_max_ns, expect - nr[i] * 3 * MS);
		ck_assert_uint_le(run.v.caller_max_ns, expect + nr[i] * 3 * MS);
		ck_assert_uint_eq(run.v.cpu_gap_ns, 30 * MS + 1000);
		/* One CPU: what the replay did not take is theirs. */
		ck_assert_uint_eq(run.v.load_cpu_ns,
				  nr[i] ? window_ns() - 30 * MS : 0);
		ck_assert_uint_eq(run.v.load_cpu_lost_ns, nr[i] ? 30 * MS : 0);
		ck_assert_uint_eq(run.v.end_ns, run.v.last_return_ns);
		zsr_run_free(&run);
	}
}
END_TEST

/* Beside idle CPUs a load takes nothing from the task, and loses nothing. */
START_TEST(hogs_take_idle_cpus)
{
	unsigned i;

	for (i = 1; i <= 3; i++) {
		char load[] = "--load cpu=0";

		load[strlen(load) - 1] += (char)i;
		start(1);
		steady(101, 100 * US);
		under(load);
		play();
		ck_assert_uint_eq(run.v.caller_max_ns, 10 * MS);
		ck_assert_uint_eq(run.v.load_cpu_ns, i * 10 * MS);
		ck_assert_uint_eq(run.v.load_cpu_lost_ns, 0);
		zsr_run_free(&run);
	}
}
END_TEST

/* What N of them got and lost is min(N, CPUs) times the window; whoever
 * releases gets its fair part on two CPUs, too. */
START_TEST(got_and_lost_add_up)
{
	char load[32];
	unsigned cpus, nr, i;

	for (cpus = 1; cpus <= 4; cpus++)
		for (nr = 1; nr <= 9; nr += 2) {
			start(3);
			setup.cpus = cpus;
			profile.cost_ps[ZSR_COST_obj_free] = PS(70 * US);
			profile.cost_ps[ZSR_COST_context_switch] = PS(2 * US);
			for (i = 0; i < 300; i++)
				store(0, i % 3, i % 3 ? 2000 : HUGE_SZ);
			for (i = 0; i < 300; i++)
				release(1000 + i * 10 * US, i % 3, i);
			snprintf(load, sizeof(load), "--load cpu=%u", nr);
			under(load);
			play();
			ck_assert_uint_eq(run.v.load_cpu_ns +
						  run.v.load_cpu_lost_ns,
					  window_ns() * zsr_min(nr, cpus));
			zsr_run_free(&run);
		}
}
END_TEST

/* Load ends with the replay: with a thousand tasks, some of which wait for a
 * CPU, and switches that cost something, no more than one is under way. */
START_TEST(load_keeps_nobody)
{
	static const char *const load[] = {
		"--load cpu=1000",
		"--load rt=4:500 --load cpu=7",
		"--load rt=3 --offline 1@1ms --load cpu=2 --offline 2@2ms",
		"--load mem=1M:1G",
		"--offline 3@100s --compact-at 200s",
		"--compact-every 90s",
		"--compact-every 999999999s",
		"--offline 1@999999999s --load mem=1:1G --compact-at "
		"999999999s",
	};
	unsigned i;

	for (i = 0; i < ZSR_ARRAY_SIZE(load); i++) {
		start(1);
		steady(101, 100 * US);
		profile.cost_ps[ZSR_COST_context_switch] = PS(2 * US);
		under(load[i]);
		play();
		ck_assert_msg(
			run.v.end_ns <= run.v.last_return_ns + 2 * US,
			"%s: %lu ns longer", load[i],
			(unsigned long)(run.v.end_ns - run.v.last_return_ns));
		zsr_run_free(&run);
	}
}
END_TEST

/* ---- real-time tasks --------------------------------------------------------- */

/*
 * One CPU, of which a real-time task takes the first 500 ms of each second:
 * 2990 ms of work are done in the other halves, the last of them begins at
 * 5.5 s. Tasks that compute do not take any of its time, and the sum is right.
 */
START_TEST(rt_takes_its_share)
{
	static const char *const load[] = { "--load rt=1:500:1s",
					    "--load rt=1:500:1s --load cpu=1" };
	unsigned i;

	for (i = 0; i < 2; i++) {
		start(1);
		setup.cpus = 1;
		profile.pause = PS(100 * MS);
		steady(300, 10 * MS);
		under(load[i]);
		play();
		if (!i)
			ck_assert_uint_eq(run.v.caller_max_ns, 5990 * MS);
		else
			ck_assert_uint_ge(run.v.caller_max_ns, 11900 * MS);
		/* All halves of seconds up to the end. */
		ck_assert_uint_eq(
			run.v.load_rt_ns,
			window_ns() / (1000 * MS) * 500 * MS +
				zsr_min(window_ns() % (1000 * MS), 500 * MS));
		ck_assert_uint_eq(run.v.load_rt_ns + run.v.load_cpu_ns,
				  window_ns() - 2990 * MS);
		zsr_run_free(&run);
	}
}
END_TEST

/* Its permille of a second are what it does not lose, where others only run
 * when it does not: 950 by default. */
START_TEST(rt_share_is_permille)
{
	start(1);
	setup.cpus = 1;
	profile.pause = PS(100 * MS);
	steady(21, 9 * MS); /* 180 ms: in the 4th second */
	under("--load rt=1:950:1s");
	play();
	ck_assert_uint_eq(run.v.caller_max_ns, 4 * 950 * MS + 180 * MS);
	ck_assert_uint_eq(run.v.load_rt_ns, 4 * 950 * MS);
	ck_assert_uint_eq(run.v.load_rt_lost_ns, 0);
	zsr_run_free(&run);
}
END_TEST

/* A run much shorter than a second sees the share, too: 4 periods of 10 ms. */
START_TEST(rt_share_of_a_short_run)
{
	uint64_t permille;

	for (permille = 100; permille <= 900; permille += 400) {
		char load[32];

		start(1);
		setup.cpus = 1;
		steady(401, 100 * US);
		snprintf(load, sizeof(load), "--load rt=1:%u",
			 (unsigned)permille);
		under(load);
		play();
		ck_assert_uint_ge(run.v.load_rt_ns + 10 * MS,
				  window_ns() * permille / 1000);
		ck_assert_uint_le(run.v.load_rt_ns,
				  window_ns() * permille / 1000 + 10 * MS);
		ck_assert_uint_ge(run.v.caller_max_ns + 20 * MS,
				  40 * MS * 1000 / (1000 - permille));
		ck_assert_uint_le(run.v.caller_max_ns,
				  40 * MS * 1000 / (1000 - permille) + 20 * MS);
		zsr_run_free(&run);
	}
}
END_TEST

/* A CPU that is not there is lost by nobody; it goes when who takes it away gets
 * a CPU himself, within a slice or two. */
START_TEST(gone_cpus_are_not_lost)
{
	start(1);
	setup.cpus = 4;
	steady(101, 1 * MS);
	under("--load cpu=4 --offline 1@0ms --offline 2@0ms --offline 3@50ms");
	play();
	ck_assert_uint_ge(run.v.load_cpu_ns + run.v.load_cpu_lost_ns,
			  window_ns() + 50 * MS);
	ck_assert_uint_le(run.v.load_cpu_ns + run.v.load_cpu_lost_ns,
			  window_ns() + 80 * MS);
	zsr_run_free(&run);
}
END_TEST

/* A release is not interrupted: the real-time task comes when preemption is
 * on again, and has lost as much. The task goes on elsewhere at once. */
START_TEST(rt_waits_for_sections)
{
	start(1);
	setup.cpus = 2;
	profile.cost_ps[ZSR_COST_obj_free] = PS(300 * US);
	steady(11, 100 * US);
	under("--load rt=1:1000");
	play();
	ck_assert_uint_eq(run.v.caller_max_ns, 11 * 300 * US + 10 * 100 * US);
	ck_assert_uint_eq(run.hist[ZSR_HIST_release]->max, 300 * US);
	ck_assert_uint_eq(run.v.load_rt_lost_ns, 300 * US);
	ck_assert_uint_eq(run.v.load_rt_ns, window_ns() - 300 * US);
	zsr_run_free(&run);
}
END_TEST

/* A task that loses its CPU to a real-time one for almost all of a second goes
 * to another: to an idle one, to one that others compute on. */
START_TEST(preempted_goes_elsewhere)
{
	start(1);
	steady(101, 100 * US);
	under("--load rt=3:1000");
	play();
	ck_assert_uint_eq(run.v.caller_max_ns, 10 * MS);
	ck_assert_uint_eq(run.v.load_rt_lost_ns, 0);
	zsr_run_free(&run);

	start(1);
	steady(101, 100 * US);
	under("--load rt=3:1000 --load cpu=1");
	play();
	ck_assert_uint_ge(run.v.caller_max_ns, 17 * MS);
	ck_assert_uint_le(run.v.caller_max_ns, 23 * MS);
	ck_assert_uint_eq(run.v.load_rt_lost_ns, 0);
	ck_assert_uint_eq(run.v.load_cpu_lost_ns, 10 * MS);
	zsr_run_free(&run);
}
END_TEST

/* ---- memory -------------------------------------------------------------------- */

static void mem_pages(const char *load, uint64_t pages)
{
	start(1);
	steady(301, 100 * US); /* 30 ms */
	under(load);
	play();
	ck_assert_uint_eq(run.v.load_mem_pages, pages);
	ck_assert_uint_eq(run.v.load_mem_stalls, 0);
	/* What it took is no page of the pools. */
	ck_assert_uint_eq(run.v.pages_peak, 301);
	ck_assert_uint_eq(run.v.pages_end, 0);
	ck_assert_uint_eq(run.v.end_ns, run.v.last_return_ns);
	zsr_run_free(&run);
}

/* At its rate, from the begin on: a page every 976.6 us, or 262 every 999.5
 * us; and no more than in all. */
START_TEST(mem_keeps_its_rate)
{
	mem_pages("--load mem=4M:1G", 1 + 30000000 / 976562);
	mem_pages("--load mem=1G:1G", 262 * (1 + 30000000 / 999450));
	mem_pages("--load mem=1G:20K", 5);
	mem_pages("--load mem=1G:4095", 0);
	mem_pages("--load mem=1:1G", 1);
}
END_TEST

/*
 * 64 pages, of which the trace holds 30. The load may take down to 15 (below
 * the low mark of 16) and stalls until there are 25 (above the high mark of
 * 24): for ten releases, 100 us each. The first release is done before it
 * begins, so it takes 20, 10, 10, and has a third stall when all is over after
 * 29 gaps.
 */
START_TEST(mem_stalls_between_marks)
{
	start(1);
	profile.memory = 64 * 4096;
	profile.wmark_low = 16 * 4096;
	profile.wmark_high = 24 * 4096;
	steady(30, 100 * US);
	under("--load mem=1G:1G");
	play();
	ck_assert_uint_eq(run.v.load_mem_pages, 20 + 10 + 10);
	ck_assert_uint_eq(run.v.load_mem_stalls, 3);
	ck_assert_uint_eq(run.v.load_mem_stall_ns, 2900 * US);
	ck_assert_uint_eq(run.v.load_mem_stall_max_ns, MS);
	ck_assert_uint_eq(run.v.malloc_failed, 0);
	ck_assert_uint_eq(run.v.end_ns, run.v.last_return_ns);
	zsr_run_free(&run);
}
END_TEST

/*
 * After a stall it goes on at its rate, a page a ms, and does not make
 * up for what it could not take. It has taken three pages when the low mark is
 * crossed; ten releases, 5 ms each, end that at 50 ms. Five more up to 54 ms, and
 * at 55 ms all is over.
 */
START_TEST(mem_does_not_catch_up)
{
	start(1);
	profile.memory = (12 + 17) * 4096;
	profile.wmark_low = 16 * 4096;
	profile.wmark_high = 24 * 4096;
	profile.pause = PS(100 * MS);
	steady(12, 5 * MS);
	under("--load mem=4096000:1G");
	play();
	ck_assert_uint_eq(run.v.load_mem_stalls, 1);
	ck_assert_uint_eq(run.v.load_mem_stall_ns, 47 * MS);
	ck_assert_uint_eq(run.v.load_mem_pages, 3 + 5);
	zsr_run_free(&run);
}
END_TEST

/* The pages that end a stall are freed by a worker: the tenth handle fills a
 * buffer 900 us after the first, the worker starts 10 us later. Buffers take
 * a page a CPU and four in the pool. */
START_TEST(worker_ends_a_stall)
{
	start(1);
	defer(4, 10);
	profile.memory = 72 * 4096;
	profile.wmark_low = 16 * 4096;
	profile.wmark_high = 24 * 4096;
	profile.wake_latency = PS(10 * US);
	steady(30, 100 * US);
	under("--load mem=1G:76K");
	play();
	ck_assert_uint_eq(run.v.load_mem_pages, 19);
	ck_assert_uint_eq(run.v.load_mem_stalls, 0);
	zsr_run_free(&run);
	defer(4, 10);
	under("--load mem=1G:80K");
	play();
	ck_assert_uint_eq(run.v.load_mem_pages, 20);
	ck_assert_uint_eq(run.v.load_mem_stalls, 1);
	/* Woken like anybody else. */
	ck_assert_uint_eq(run.v.load_mem_stall_ns, 900 * US + 2 * 10 * US);
	zsr_run_free(&run);
}
END_TEST

/* What is left for the trace: mallocs fail when the load has taken the rest. */
START_TEST(mem_takes_it_from_the_trace)
{
	unsigned i;

	start(1);
	profile.memory = 64 * 4096;
	store(0, 0, HUGE_SZ);
	store(0, 0, HUGE_SZ);
	release(1000, 0, 0);
	for (i = 0; i < 5; i++)
		store(2000 + i, 0, HUGE_SZ);
	release(4000, 0, 1);
	under("--load mem=1T:1G");
	play();
	ck_assert_uint_eq(run.v.load_mem_pages, 63);
	ck_assert_uint_eq(run.v.malloc_failed, 5);
	ck_assert_uint_eq(run.v.pages_refused, 5 + 1);
	ck_assert_uint_eq(run.v.frees, 2);
	zsr_run_free(&run);
}
END_TEST

/* ---- wake-ups -------------------------------------------------------------------- */

/* Three handles fill a buffer with the third release, at 2 us; the worker
 * starts as much later as it is said, and frees 1 us each. */
START_TEST(worker_starts_when_it_is_said)
{
	static const struct {
		const char *load;
		uint64_t latency;
	} cases[] = {
		{ "", 10 * US },
		{ "--load sched=const:50us", 50 * US },
		{ "--load worker=const:300us", 300 * US },
		{ "--load sched=const:50us --load worker=const:0", 0 },
		{ "--load worker=const:1ns --load sched=const:1s", 1 },
	};
	unsigned i;

	for (i = 0; i < ZSR_ARRAY_SIZE(cases); i++) {
		start(1);
		defer(4, 3);
		profile.wake_latency = PS(10 * US);
		steady(3, US);
		profile.cost_ps[ZSR_COST_obj_free] = PS(US);
		under(cases[i].load);
		play();
		ck_assert_uint_eq(run.v.at_100_ns,
				  2 * US + cases[i].latency + 3 * US);
		zsr_run_free(&run);
	}
}
END_TEST

ZSR_TEST_MAIN("load", hogs_share, hogs_take_idle_cpus, got_and_lost_add_up,
	      load_keeps_nobody, rt_takes_its_share, rt_share_is_permille,
	      rt_share_of_a_short_run, gone_cpus_are_not_lost,
	      rt_waits_for_sections, preempted_goes_elsewhere,
	      mem_keeps_its_rate, mem_stalls_between_marks,
	      mem_does_not_catch_up, worker_ends_a_stall,
	      mem_takes_it_from_the_trace, worker_starts_when_it_is_said)
