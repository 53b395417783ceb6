// SPDX-License-Identifier: GPL-2.0-only
/*
 * Policies that queue whole swap entries, as the player has them: the swap
 * device's lock is held by whoever frees an entry and not by who queues it,
 * and falling memory reaches the policy.
 */
#include "replay/t/made.h"

/* In the order of exit-gather's parameters. */
static uint64_t gather[] = { 0, 1, 8, 19, 1, 0 };

#define MIN_EXITING 1

/* NR objects, stored long before anything else. */
static uint64_t store_some(unsigned task, unsigned nr)
{
	uint64_t first = store(0, task, HUGE_SZ);
	unsigned i;

	for (i = 1; i < nr; i++)
		store(0, task, HUGE_SZ);
	return first;
}

/* Two tasks release 50 objects each, at once, 1 us between two; a free takes
 * 10 us. */
static void two_tasks(uint64_t min_exiting)
{
	uint64_t first;
	unsigned i, task;

	start(2);
	setup.policy = &zsr_policy_exit_gather;
	setup.params = gather;
	setup.outer = ZSR_OUTER_DEVICE;
	gather[MIN_EXITING] = min_exiting;
	profile.cost_ps[ZSR_COST_handle_free] = PS(10 * US);
	first = store_some(0, 100);
	for (i = 0; i < 50; i++)
		for (task = 0; task < 2; task++)
			release(MS + i * US, task, first + 2 * i + task);
	play();
	ck_assert_uint_eq(run.v.pages_back, 100);
}

START_TEST(callers_that_free_take_turns)
{
	two_tasks(3);
	ck_assert_uint_eq(run.v.queue_peak, 0);
	/* One after the other: 50 frees and gaps, then the other's. */
	ck_assert_uint_ge(run.v.caller_max_ns, 1000 * US);
	ck_assert_uint_lt(run.v.caller_max_ns, 1100 * US);
	zsr_run_free(&run);
}
END_TEST

START_TEST(callers_that_queue_wait_for_nobody)
{
	two_tasks(1);
	ck_assert_uint_eq(run.v.queue_peak, 100);
	ck_assert_uint_lt(run.v.caller_max_ns, 60 * US);
	ck_assert_uint_ge(run.v.end_ns, MS + 1000 * US);
	zsr_run_free(&run);
}
END_TEST

/*
 * The first task frees 5 itself, in one run, before the second one comes and
 * the gate opens; then it gathers for half a millisecond. The worker has the
 * second one's 20 to free meanwhile: nobody sits on the lock.
 */
START_TEST(a_run_ends_where_the_gate_opens)
{
	uint64_t first, second;
	unsigned i;

	start(2);
	setup.policy = &zsr_policy_exit_gather;
	setup.params = gather;
	setup.outer = ZSR_OUTER_DEVICE;
	gather[MIN_EXITING] = 2;
	profile.cost_ps[ZSR_COST_handle_free] = PS(US);
	first = store_some(0, 400);
	second = store_some(1, 20);
	for (i = 0; i < 400; i++) {
		release(MS + i * 2 * US, 0, first + i);
		if (i >= 5 && i < 25)
			release(MS + i * 2 * US, 1, second + i - 5);
	}
	play();
	ck_assert_uint_gt(AT(back_pages, MS + 500 * US), 20);
	ck_assert_uint_lt(AT(back_pages, MS + 500 * US), 60);
	ck_assert_uint_eq(run.v.pages_back, 420);
	zsr_run_free(&run);
}
END_TEST

/* Memory for 64 pages. What has been listed goes when the stores of another
 * task take the last of it but 16, without a kick and before the end. */
START_TEST(low_memory_drains_the_list)
{
	uint64_t list[] = { 0, 1, 1 << 20, 0, 32, 0, 0 }, first;
	unsigned i, low;

	for (low = 0; low <= 16; low += 16) {
		start(2);
		setup.policy = &zsr_policy_global_list;
		setup.params = list;
		profile.memory = 64 * 4096;
		profile.wmark_low = profile.wmark_high = low * 4096;
		first = store_some(0, 20);
		for (i = 0; i < 20; i++)
			release(MS + i * US, 0, first + i);
		for (i = 0; i < 40; i++)
			store(2 * MS, 1, HUGE_SZ);
		play();
		ck_assert_uint_eq(run.v.pages_back, low ? 20 : 0);
		ck_assert_uint_eq(run.v.stranded, low ? 0 : 20);
		ck_assert_uint_eq(AT(back_pages, 2 * MS - 1), 0);
		ck_assert_uint_eq(run.v.malloc_failed, 0);
		zsr_run_free(&run);
	}
}
END_TEST

ZSR_TEST_MAIN("player, entries", callers_that_free_take_turns,
	      callers_that_queue_wait_for_nobody,
	      a_run_ends_where_the_gate_opens, low_memory_drains_the_list)
