// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where every page is while a small trace is played: live, held back, back;
 * memory that runs out, several pools, compaction.
 */
#include "replay/t/made.h"

/* Three pages: the fourth object is not stored, so its free is no call. */
START_TEST(memory_runs_out)
{
	unsigned i, outer;

	for (outer = ZSR_OUTER_DEVICE; outer <= ZSR_OUTER_NONE; outer++) {
		start(2);
		setup.outer = outer;
		profile.memory = 3 * 4096;
		profile.cost_ps[ZSR_COST_obj_free] = PS(500);
		for (i = 0; i < 5; i++)
			store(i, 0, HUGE_SZ);
		for (i = 0; i < 4; i++)
			release(1000 + i, 0, i);
		release(1000 + 3 * MS, 0, 4);
		play();
		ck_assert_uint_eq(run.v.mallocs, 5);
		ck_assert_uint_eq(run.v.malloc_failed, 2);
		ck_assert_uint_eq(run.v.frees, 3);
		ck_assert_uint_eq(run.v.pages_peak, 3);
		ck_assert_uint_eq(run.v.pages_back, 3);
		ck_assert_uint_eq(run.v.pages_end, 0);
		zsr_run_free(&run);
	}
}
END_TEST

/* Sizes that no pool takes are refused as the kernel refuses them. */
START_TEST(refused_sizes)
{
	start(1);
	store(0, 0, 0);
	store(1, 0, 1u << 20);
	release(2, 0, 0);
	release(3, 0, 1);
	play();
	ck_assert_uint_eq(run.v.malloc_failed, 2);
	ck_assert_uint_eq(run.v.frees, 0);
	zsr_run_free(&run);
}
END_TEST

/* Two pools have queues of their own: two buffers of two are not one of four.
 * Pages: one a CPU and 64, for each pool. */
START_TEST(pools_are_apart)
{
	unsigned i;

	start(1);
	made.pools = 2;
	defer(64, 4);
	for (i = 0; i < 4; i++) {
		store(i, 0, HUGE_SZ);
		made.ev[i].pool = i % 2;
	}
	for (i = 0; i < 4; i++)
		release(1000 + i, 0, i)->pool = i % 2;
	play();
	ck_assert_uint_eq(run.v.stranded, 4);
	ck_assert_uint_eq(run.v.held_peak_pages, 4);
	ck_assert_uint_eq(run.v.pages_back, 0);
	ck_assert_uint_eq(run.v.pages_end, 4);
	ck_assert_uint_eq(run.v.queue_pages, 2 * (64 + 4));
	ck_assert_uint_eq(run.v.works_queued, 0);
	zsr_run_free(&run);
}
END_TEST

/*
 * Live, held back, back, step by step. Class 2048 has two objects a page. a, b
 * share a zspage, c is alone in one. The queue takes a (nothing held: b
 * lives), c (one page held), b (two held); a buffer of three is full then and
 * the worker, woken after 10 us, frees them in order, 1 us each.
 */
START_TEST(held_back)
{
	uint64_t done;

	start(1);
	defer(4, 3);
	profile.wake_latency = PS(10 * US);
	profile.cost_ps[ZSR_COST_obj_free] = PS(US);
	store(0, 0, 2000);
	store(0, 0, 2000);
	store(0, 0, 2000);
	release(1000, 0, 0);
	release(2001, 0, 2);
	release(3002, 0, 1);
	play();
	ck_assert_uint_eq(run.v.pages_peak, 2);
	ck_assert_uint_eq(AT(held_pages, 1999), 0);
	ck_assert_uint_eq(AT(live_pages, 1999), 2);
	ck_assert_uint_eq(AT(queue_depth, 1999), 1);
	ck_assert_uint_eq(AT(held_pages, 2000), 1);
	ck_assert_uint_eq(AT(live_pages, 2000), 1);
	ck_assert_uint_eq(AT(held_pages, 3000), 2);
	ck_assert_uint_eq(AT(live_pages, 3000), 0);
	ck_assert_uint_eq(AT(queue_depth, 3000), 3);
	done = 3000 + 10 * US + 3 * US;
	ck_assert_uint_eq(run.v.at_100_ns, done - 1000);
	ck_assert_uint_eq(AT(back_pages, done - 1), 0);
	ck_assert_uint_eq(AT(back_pages, done), 2);
	ck_assert_uint_eq(AT(held_pages, done), 0);
	ck_assert_uint_eq(AT(live_pages, done), 0);
	ck_assert_uint_eq(run.v.held_peak_pages, 2);
	/* One page from 2 to 3 us, two from then on until they were back. */
	ck_assert_uint_eq(run.v.held_area_page_us, 1 + 2 * 13);
	ck_assert_uint_eq(run.v.dead_peak_bytes, 3 * 2048);
	ck_assert_uint_eq(run.v.queue_oldest_ns, 1000 * 2 + 10 * US + US);
	ck_assert_uint_eq(run.v.cpu_worker_ns, 3 * US);
	zsr_run_free(&run);
}
END_TEST

/*
 * Compaction moves an object that waits in a queue: of two pages with one
 * object each, one queued and one alive, one is left, and the page is live.
 */
START_TEST(compaction_of_queued)
{
	unsigned i;

	start(2);
	setup.policy = &zsr_policy_deferred;
	for (i = 0; i < 4; i++)
		store(i, 0, 2000);
	release(1000, 0, 0);
	release(2001, 0, 1);
	release(3002, 0, 2);
	event(ZSR_EV_COMPACT, 500 * US, 1);
	play();
	ck_assert_uint_eq(run.v.stranded, 3);
	/* Queued objects are in use for the allocator: nothing to gain. */
	ck_assert_uint_eq(run.v.pages_end, 2);
	ck_assert_uint_eq(AT(held_pages, 600 * US), 1);
	zsr_run_free(&run);

	start(2);
	setup.policy = &zsr_policy_deferred;
	for (i = 0; i < 4; i++)
		store(i, 0, 2000);
	/* 0 and 2 leave at once, 1 waits, 3 lives. */
	release(1000, 0, 0)->caller = ZSR_CALLER_OVERWRITE;
	release(2001, 0, 2)->caller = ZSR_CALLER_OVERWRITE;
	release(3002, 0, 1);
	event(ZSR_EV_COMPACT, 500 * US, 1);
	play();
	ck_assert_uint_eq(run.v.stranded, 1);
	ck_assert_uint_eq(AT(held_pages, 400 * US), 1);
	ck_assert_uint_eq(AT(live_pages, 400 * US), 1);
	ck_assert_uint_eq(AT(held_pages, 600 * US), 0);
	ck_assert_uint_eq(AT(live_pages, 600 * US), 1);
	ck_assert_uint_eq(run.v.pages_end, 1);
	ck_assert_uint_eq(run.v.pages_back, 1);
	zsr_run_free(&run);
}
END_TEST

/* Compaction of one class while others release in another one, and in the same
 * one: pages are counted once. */
START_TEST(compaction_beside_releases)
{
	const struct zsr_policy *const policies[] = { &zsr_policy_sync,
						      &zsr_policy_class_idx,
						      &zsr_policy_deferred };
	unsigned p, i;

	for (p = 0; p < ZSR_ARRAY_SIZE(policies); p++) {
		start(4);
		defer(2, 7);
		setup.policy = policies[p];
		for (i = 0; i < ZSR_NR_COSTS; i++)
			profile.cost_ps[i] = PS(100);
		for (i = 0; i < 300; i++)
			store(i, i % 3, i % 3 ? 2000 : 1300);
		for (i = 0; i < 300; i++) {
			release(2 * MS + i, i % 3, i * 7 % 300)->dur_ns = 1;
			if (i % 20 == 9)
				event(ZSR_EV_COMPACT, 2 * MS + i, 3);
		}
		play();
		ck_assert_uint_eq(run.v.frees, 300);
		ck_assert_uint_eq(run.v.pages_back + run.v.pages_end,
				  run.v.pages_peak);
		zsr_run_free(&run);
	}
}
END_TEST

ZSR_TEST_MAIN("player, pages", memory_runs_out, refused_sizes, pools_are_apart,
	      held_back, compaction_of_queued, compaction_beside_releases)
