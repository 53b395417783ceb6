// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUs that go away and compactions while a trace is replayed, by hand: where
 * tasks and queued frees go, what is moved, who waits for whom.
 */
#include "replay/t/loaded.h"

/* ---- CPUs that go away ---------------------------------------------------- */

/* The task's CPU goes; it is on another one at once, and on the last one it
 * shares with a load. */
START_TEST(tasks_leave_a_cpu)
{
	start(1);
	steady(101, 100 * US);
	under("--offline 0@1ms --offline 1@2ms --offline 3@3ms");
	play();
	ck_assert_uint_eq(run.v.caller_max_ns, 10 * MS);
	ck_assert_uint_eq(run.v.end_ns, run.v.last_return_ns);
	zsr_run_free(&run);

	start(2);
	setup.cpus = 2;
	steady(101, 100 * US);
	under("--load cpu=1 --offline 0@5ms");
	play();
	/* Half of its time on a CPU of its own, half on a shared one. */
	ck_assert_uint_ge(run.v.caller_max_ns, 12 * MS);
	ck_assert_uint_le(run.v.caller_max_ns, 18 * MS);
	zsr_run_free(&run);
}
END_TEST

/* A release under way ends where it is; what waits for its lock there does. */
START_TEST(sections_end_first)
{
	start(2);
	setup.cpus = 3;
	profile.cost_ps[ZSR_COST_obj_free] = PS(400 * US);
	store(0, 0, HUGE_SZ);
	store(0, 1, HUGE_SZ);
	release(1000, 0, 0);
	release(1000, 1, 1);
	under("--offline 0@100us --offline 1@200us");
	play();
	ck_assert_uint_eq(run.v.last_return_ns, 1000 + 800 * US);
	ck_assert_uint_eq(run.v.lock_contended, 1);
	zsr_run_free(&run);
}
END_TEST

/* Five handles of a buffer that never fills wait for teardown, or are freed
 * when their CPU goes. */
START_TEST(queues_of_a_gone_cpu_are_drained)
{
	unsigned gone, i;

	for (gone = 0; gone < 2; gone++) {
		start(1);
		defer(4, 100);
		for (i = 0; i < 8; i++)
			store(0, 0, HUGE_SZ);
		for (i = 0; i < 8; i++)
			release(1000 + (i < 5 ? 0 : 3 * MS), 0, i);
		under(gone ? "--offline 0@1ms" : "");
		play();
		ck_assert_uint_eq(AT(back_pages, 2 * MS), gone ? 5 : 0);
		ck_assert_uint_eq(AT(queue_depth, 2 * MS), gone ? 0 : 5);
		ck_assert_uint_eq(run.v.stranded, gone ? 3 : 8);
		zsr_run_free(&run);
	}
}
END_TEST

/* Nor does anybody else's queue keep what a CPU that has gone put there: what
 * is left at the end was put there later. */
START_TEST(every_policy_lets_a_cpu_go)
{
	unsigned i, p;

	for (p = 0; zsr_policies[p]; p++) {
		start(2);
		setup.policy = zsr_policies[p];
		for (i = 0; i < ZSR_NR_COSTS; i++)
			profile.cost_ps[i] = PS(50);
		for (i = 0; i < 400; i++)
			store(0, i % 2, i % 3 ? 2000 : HUGE_SZ);
		for (i = 0; i < 400; i++)
			release(MS + i * 2 * US, i % 2, i);
		under("--offline 0@200us --offline 1@400us --offline 3@600us");
		play();
		ck_assert_uint_eq(run.v.frees, 400);
		zsr_run_free(&run);
	}
}
END_TEST

/* ---- compactions ---------------------------------------------------------------- */

/* Objects of 512 bytes, eight a page, of which one a page is left: stored and
 * released at 1 us, for the first release to begin then. */
static void fragments(unsigned pages)
{
	unsigned i;

	for (i = 0; i < pages * 8; i++)
		store(0, 0, 500);
	for (i = 0; i < pages * 8; i++)
		if (i % 8)
			release(1000, 0, i)->caller = ZSR_CALLER_OVERWRITE;
}

/* Ten objects fit into two pages: seven move to the fullest, one to the next.
 * None is dead. */
START_TEST(compaction_moves)
{
	start(1);
	profile.cost_ps[ZSR_COST_compact_move] = PS(10 * US);
	fragments(10);
	store(500 * US, 0, HUGE_SZ);
	under("--compact-at 100us");
	play();
	ck_assert_uint_eq(run.v.compactions, 1);
	ck_assert_uint_eq(run.v.compact_pages, 8);
	ck_assert_uint_eq(run.v.compact_moved_bytes, 8 * 512);
	ck_assert_uint_eq(run.v.compact_dead_bytes, 0);
	ck_assert_uint_eq(run.v.cpu_compact_ns, 80 * US);
	ck_assert_uint_eq(AT(back_pages, 101 * US + 69 * US), 6);
	ck_assert_uint_eq(AT(back_pages, 101 * US + 70 * US), 7);
	ck_assert_uint_eq(AT(back_pages, 101 * US + 80 * US), 8);
	zsr_run_free(&run);
}
END_TEST

/* All ten wait in a queue: they are moved all the same, and each of the eight
 * moves is of a dead object. Half of them: no more than those. */
START_TEST(compaction_moves_the_dead)
{
	unsigned dead, i;

	for (dead = 0; dead <= 10; dead += 5) {
		start(1);
		setup.policy = &zsr_policy_deferred;
		fragments(10);
		for (i = 0; i < dead; i++)
			release(2 * US, 0, 8 * i);
		store(500 * US, 0, HUGE_SZ);
		under("--compact-at 100us");
		play();
		ck_assert_uint_eq(run.v.stranded, dead);
		ck_assert_uint_eq(run.v.compact_moved_bytes, 8 * 512);
		if (dead == 10)
			ck_assert_uint_eq(run.v.compact_dead_bytes, 8 * 512);
		ck_assert_uint_le(run.v.compact_dead_bytes, dead * 512);
		ck_assert_uint_ge(run.v.compact_dead_bytes,
				  (zsr_max(dead, 2) - 2) * 512);
		/* Two pages: held back while all in them is dead. */
		ck_assert_uint_eq(AT(held_pages, 50 * US), dead);
		if (dead != 5)
			ck_assert_uint_eq(AT(held_pages, 400 * US),
					  dead ? 2 : 0);
		zsr_run_free(&run);
	}
}
END_TEST

/*
 * Somebody else's release 5 us into a compaction of 10 us a move. Kernels
 * whose releases take the pool's lock let it in after the move; where only the
 * class's lock is taken, another class's release does not wait at all, and one
 * of the same class until a page is full, seven moves.
 */
START_TEST(compaction_lets_others_in)
{
	static const struct {
		const struct zsr_policy *policy;
		bool same_class;
		uint64_t wait;
	} cases[] = {
		{ &zsr_policy_sync, false, 5 * US },
		{ &zsr_policy_sync, true, 5 * US },
		{ &zsr_policy_sync_6_1, false, 5 * US },
		{ &zsr_policy_sync_6_1, true, 5 * US },
		{ &zsr_policy_class_idx, false, 0 },
		{ &zsr_policy_class_idx, true, 65 * US },
	};
	unsigned i;

	for (i = 0; i < ZSR_ARRAY_SIZE(cases); i++) {
		start(1);
		setup.policy = cases[i].policy;
		profile.cost_ps[ZSR_COST_compact_move] = PS(10 * US);
		store(0, 0, 2000);
		made.ev[0].size = cases[i].same_class ? 500 : 2000;
		fragments(10);
		release(1001 + 500 * US, 0, 0);
		store(900 * US, 0, HUGE_SZ);
		under("--compact-at 495us");
		play();
		ck_assert_uint_eq(run.hist[ZSR_HIST_release]->max,
				  cases[i].wait);
		ck_assert_uint_eq(run.v.compactions, 1);
		zsr_run_free(&run);
	}
}
END_TEST

/* One that comes while another is under way gives up; a later one finds
 * nothing to do. */
START_TEST(second_compaction_gives_up)
{
	start(1);
	profile.cost_ps[ZSR_COST_compact_move] = PS(10 * US);
	fragments(10);
	event(ZSR_EV_COMPACT, 501 * US, 0);
	event(ZSR_EV_COMPACT, 700 * US, 0);
	store(900 * US, 0, HUGE_SZ);
	under("--compact-at 495us --compact-every 510us");
	play();
	ck_assert_uint_eq(run.v.compactions, 2);
	ck_assert_uint_eq(run.v.compact_pages, 8);
	ck_assert_uint_eq(run.v.cpu_compact_ns, 80 * US);
	zsr_run_free(&run);
}
END_TEST

/* From the first release on, as often as there is time. */
START_TEST(compactions_repeat)
{
	start(1);
	steady(101, 100 * US);
	under("--compact-every 300us");
	play();
	ck_assert_uint_eq(run.v.compactions, 33);
	ck_assert_uint_eq(run.v.end_ns, run.v.last_return_ns);
	zsr_run_free(&run);
	under("--compact-at 0 --compact-at 0 --compact-at 9999us "
	      "--compact-at 10001us");
	play();
	ck_assert_uint_eq(run.v.compactions, 3);
	zsr_run_free(&run);
}
END_TEST

/* ---- slots ------------------------------------------------------------------------- */

/* A slot is stored to again while its release waits: counted, and the old
 * object is freed by the store. */
/*
 * One zspage of one object, whose page is being copied, takes 10 us, when that
 * is freed: it is empty, and stays until the copy is done and the allocator's
 * worker has it. With deferred the object is dead when it is copied.
 */
START_TEST(migration_keeps_a_page)
{
	start(1);
	profile.cost_ps[ZSR_COST_migrate_page] = PS(10000);
	setup.cpus = 2;
	store(0, 0, HUGE_SZ);
	store(0, 0, HUGE_SZ);
	release(1000, 0, 0); /* the window begins */
	release(8000, 0, 1);
	under("--migrate-every 2us");
	play();
	ck_assert_uint_eq(run.v.migrated_pages, 1);
	ck_assert_uint_eq(run.v.migrate_dead_bytes, 0);
	ck_assert_uint_ge(run.v.works_run, 1);
	ck_assert_uint_eq(run.v.pages_back, 2);
	ck_assert_uint_ge(run.v.at_100_ns, 12000);
	zsr_run_free(&run);
	profile.cost_ps[ZSR_COST_migrate_page] = PS(100);
	setup.policy = &zsr_policy_deferred;
	play();
	ck_assert_uint_gt(run.v.migrate_dead_bytes, HUGE_SZ - 1);
	zsr_run_free(&run);
}
END_TEST

START_TEST(slots_are_reused)
{
	unsigned i;

	start(1);
	setup.policy = &zsr_policy_deferred_slot;
	for (i = 0; i < 10; i++) {
		store(i * 10 * US, 0, HUGE_SZ);
		release(i * 10 * US + 5 * US, 0, i);
	}
	under("");
	conditions.swap = HUGE_SZ; /* one slot */
	profile.cost_ps[ZSR_COST_obj_free] = PS(100);
	play();
	ck_assert_uint_eq(run.v.slots_reused, 9);
	ck_assert_uint_eq(run.v.pages_end, 1);
	/* Nine by stores, the tenth by the flush; no worker, no caller. */
	ck_assert_uint_eq(run.v.cpu_reuse_ns, 900);
	ck_assert_uint_eq(run.v.cpu_flush_ns, 100);
	ck_assert_uint_eq(run.v.cpu_caller_ns, 0);
	zsr_run_free(&run);
	conditions.swap = 6 * HUGE_SZ; /* the first freed is reused first */
	play();
	ck_assert_uint_eq(run.v.slots_reused, 4);
	ck_assert_uint_eq(run.v.pages_end, 6);
	ck_assert_uint_eq(run.v.cpu_reuse_ns, 400);
	ck_assert_uint_eq(run.v.cpu_flush_ns, 600);
	zsr_run_free(&run);
	conditions.swap = 0; /* as much as memory */
	play();
	ck_assert_uint_eq(run.v.slots_reused, 0);
	ck_assert_uint_eq(run.v.cpu_flush_ns, 1000);
	zsr_run_free(&run);
	setup.policy = &zsr_policy_deferred;
	play();
	ck_assert_uint_eq(run.v.slots_reused, 0);
	ck_assert_uint_eq(run.v.pages_end, 10);
	zsr_run_free(&run);
}
END_TEST

ZSR_TEST_MAIN("load, happenings", tasks_leave_a_cpu, sections_end_first,
	      queues_of_a_gone_cpu_are_drained, every_policy_lets_a_cpu_go,
	      compaction_moves, compaction_moves_the_dead,
	      compaction_lets_others_in, second_compaction_gives_up,
	      compactions_repeat, migration_keeps_a_page, slots_are_reused)
