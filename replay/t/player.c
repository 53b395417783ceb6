// SPDX-License-Identifier: GPL-2.0-only
/*
 * The player on traces small enough to play by hand: when a call begins, what
 * a release is, who waits for whom.
 */
#include <sqlite3.h>

#include "replay/t/made.h"

/* ---- gaps ------------------------------------------------------------------ */

/*
 * Times of the trace decide gaps; calls take what the model says. Store at 0
 * to 1 us, first release 10 us later, the second 3 us after the first.
 */
START_TEST(recorded_gaps)
{
	start(1);
	profile.cost_ps[ZSR_COST_obj_malloc] = PS(500);
	profile.cost_ps[ZSR_COST_obj_free] = PS(500);
	store(0, 0, HUGE_SZ);
	store(0, 0, HUGE_SZ);
	release(10000, 0, 0)->dur_ns = 200;
	release(13200, 0, 1)->dur_ns = 200;
	play();
	ck_assert_uint_eq(run.v.first_release_ns, 11000);
	ck_assert_uint_eq(run.v.last_return_ns, 11500 + 3000 + 500);
	ck_assert_uint_eq(run.v.caller_max_ns, 500 + 3000 + 500);
	ck_assert_uint_eq(run.v.cpu_gap_ns, 10000 + 3000);
	ck_assert_uint_eq(run.v.cpu_caller_ns, 1000);
	ck_assert_uint_eq(run.hist[ZSR_HIST_release]->count, 2);
	ck_assert_uint_eq(run.hist[ZSR_HIST_release]->max, 500);
	zsr_run_free(&run);
}
END_TEST

/* A call whose duration nobody knows is part of the gap behind it. */
START_TEST(gap_holds_unknown_call)
{
	start(1);
	profile.cost_ps[ZSR_COST_obj_free] = PS(500);
	store(0, 0, HUGE_SZ);
	store(0, 0, HUGE_SZ);
	release(10000, 0, 0)->dur_ns = 0;
	release(13000, 0, 1)->dur_ns = 0;
	play();
	ck_assert_uint_eq(run.v.caller_max_ns, 3000 + 500);
	zsr_run_free(&run);
}
END_TEST

/*
 * And a store whose duration nobody knows is part of the gap before it, pause
 * or not: the first one's own 500 ns are all that comes on top of the trace's
 * times. A store that is known to take 500 ns begins that much earlier.
 */
START_TEST(gap_holds_unknown_store)
{
	unsigned known;

	for (known = 0; known < 2; known++) {
		start(1);
		profile.cost_ps[ZSR_COST_obj_malloc] = PS(500);
		store(1000, 0, HUGE_SZ);
		store(4000, 0, HUGE_SZ);
		store(7000, 0, HUGE_SZ);
		store(7000 + 2 * MS, 0, HUGE_SZ);
		store(7100 + 2 * MS, 0, HUGE_SZ); /* less than it takes */
		made.ev[2].dur_ns = known ? 500 : 0;
		release(8000 + 2 * MS, 0, 0);
		play();
		ck_assert_uint_eq(run.v.first_release_ns, 8900 + 2 * MS);
		zsr_run_free(&run);
	}
}
END_TEST

/* A release of unknown duration is part of a pause behind it, too. */
START_TEST(pause_holds_unknown_release)
{
	start(1);
	profile.cost_ps[ZSR_COST_obj_free] = PS(500);
	store(0, 0, HUGE_SZ);
	store(0, 0, HUGE_SZ);
	release(1000, 0, 0)->dur_ns = 0;
	release(1000 + 2 * MS, 0, 1);
	play();
	ck_assert_uint_eq(run.v.last_return_ns, 1000 + 2 * MS + 500);
	zsr_run_free(&run);
}
END_TEST

/* Other arrivals: none waits, recorded does until the recorded time. */
START_TEST(arrivals)
{
	start(1);
	profile.cost_ps[ZSR_COST_obj_free] = PS(500);
	store(0, 0, HUGE_SZ);
	store(5000, 0, HUGE_SZ);
	release(10000, 0, 0)->dur_ns = 2000;
	release(13000, 0, 1)->dur_ns = 2000;
	setup.arrival = ZSR_ARRIVAL_ASAP;
	play();
	ck_assert_uint_eq(run.v.last_return_ns, 1000);
	zsr_run_free(&run);
	setup.arrival = ZSR_ARRIVAL_RECORDED;
	play();
	ck_assert_uint_eq(run.v.last_return_ns, 13500);
	ck_assert_uint_eq(run.v.caller_max_ns, 3500);
	zsr_run_free(&run);
}
END_TEST

/* The profile's gaps stand for whatever the trace says below a pause. */
START_TEST(profile_gaps)
{
	unsigned i;

	start(1);
	setup.gaps = ZSR_GAPS_PROFILE;
	profile.cost_ps[ZSR_COST_gap_release] = PS(250);
	profile.cost_ps[ZSR_COST_gap_store] = PS(700);
	profile.cost_ps[ZSR_COST_obj_free] = PS(100);
	for (i = 0; i < 3; i++)
		store(i * 900 * US, 0, HUGE_SZ);
	for (i = 0; i < 3; i++)
		release((2000 + i * 900) * US, 0, i);
	play();
	/* No gap before the first call of all. */
	ck_assert_uint_eq(run.v.first_release_ns, 2 * 700 + 250);
	ck_assert_uint_eq(run.v.caller_max_ns, 3 * 100 + 2 * 250);
	zsr_run_free(&run);
}
END_TEST

/* A pause is slept, and parts two releases; caller time is their sum. */
START_TEST(pause_parts_releases)
{
	unsigned gaps;

	for (gaps = ZSR_GAPS_RECORDED; gaps <= ZSR_GAPS_PROFILE; gaps++) {
		start(1);
		setup.gaps = gaps;
		profile.cost_ps[ZSR_COST_obj_free] = PS(500);
		store(0, 0, HUGE_SZ);
		store(0, 0, HUGE_SZ);
		release(1000, 0, 0);
		release(1001 + 2 * MS, 0, 1);
		play();
		ck_assert_uint_eq(run.v.caller_max_ns, 2 * 500);
		ck_assert_uint_eq(run.v.last_return_ns,
				  gaps == ZSR_GAPS_RECORDED
					  ? 1000 + 500 + 2 * MS + 500
					  : 500 + MS + 500);
		zsr_run_free(&run);
	}
}
END_TEST

/* Virtual time ends after some hours; the profile's gaps get a trace of any
 * length into it. */
START_TEST(time_ends)
{
	static const uint64_t late[] = { 30 * 3600 * 1000 * MS, 1ull << 62,
					 UINT64_MAX / 1000 + 100,
					 UINT64_MAX / 1000 + 1000 * US };
	unsigned i;

	for (i = 0; i < ZSR_ARRAY_SIZE(late); i++) {
		start(1);
		store(0, 0, HUGE_SZ);
		store(1, 0, HUGE_SZ);
		release(late[i], 0, 0);
		release(late[i] + 2 * MS, 0, 1);
		ck_assert_int_lt(try_play(), 0);
		ck_assert_int_eq(err.kind, ZSR_ERR_INPUT);
		ck_assert_ptr_nonnull(strstr(err.msg, "hours"));
		zsr_run_free(&run);
		setup.gaps = ZSR_GAPS_PROFILE;
		play();
		ck_assert_uint_eq(run.v.first_release_ns, MS);
		zsr_run_free(&run);
	}
}
END_TEST

/* ---- waiting ------------------------------------------------------------------ */

/* What waits at a barrier has begun its pause before: both tasks release at 5
 * ms, as they did when the trace was taken. */
START_TEST(barrier_is_within_pause)
{
	start(3);
	profile.cost_ps[ZSR_COST_obj_free] = PS(500);
	store(0, 0, HUGE_SZ);
	store(2900 * US, 1, 2000); /* another class, another lock */
	mark(3 * MS, 2, "snap:stored");
	release(5 * MS, 0, 0);
	release(5 * MS, 1, 1);
	play();
	ck_assert_uint_eq(run.v.first_release_ns, 5 * MS);
	ck_assert_uint_eq(run.v.last_return_ns, 5 * MS + 500);
	zsr_run_free(&run);
}
END_TEST

/* Nothing after a barrier begins before all that stands before it is done: the
 * second task's release is recorded in the middle of the first one's store. */
START_TEST(barrier_holds)
{
	uint64_t obj;

	start(2);
	profile.cost_ps[ZSR_COST_obj_malloc] = PS(800 * US);
	profile.cost_ps[ZSR_COST_obj_free] = PS(500);
	obj = store(0, 1, 2000);
	store(10, 0, HUGE_SZ);
	store(20, 0, HUGE_SZ);
	mark(30, 1, "barrier:x");
	release(40, 1, obj);
	play();
	/* Begin, two stores with no gap between them; then the gap of 10 ns. */
	ck_assert_uint_eq(run.v.first_release_ns, 10 + 1600 * US + 10);
	zsr_run_free(&run);
}
END_TEST

/* An object that another task stores is waited for. */
START_TEST(object_is_awaited)
{
	start(2);
	profile.cost_ps[ZSR_COST_obj_malloc] = PS(800 * US);
	profile.cost_ps[ZSR_COST_obj_free] = PS(500);
	store(10, 0, HUGE_SZ);
	release(20, 1, 0);
	play();
	ck_assert_uint_eq(run.v.first_release_ns, 800 * US + 10);
	ck_assert_uint_eq(run.v.caller_max_ns, 500);
	zsr_run_free(&run);
}
END_TEST

/*
 * A task that has nothing to do for more than the window ahead is let go on as
 * soon as its event is read, however full the window is by then: here the
 * other tasks wait for what it stores, with most of the window behind that.
 */
START_TEST(window_is_no_trap)
{
	uint64_t obj;
	unsigned i;

	start(3);
	setup.window = 100;
	profile.cost_ps[ZSR_COST_obj_malloc] = PS(1500);
	profile.cost_ps[ZSR_COST_obj_free] = PS(1500);
	store(0, 0, 100);
	for (i = 0; i < 240; i++) {
		if (i % 10 == 9)
			store(i * 1000, 1, 100);
		else
			store(i * 1000, 2, 2000);
		if (i == 104) {
			obj = store(i * 1000, 0, 300);
			release(i * 1000, 2, obj);
		}
	}
	play();
	ck_assert_uint_eq(run.v.mallocs, made.objects);
	ck_assert_uint_eq(run.v.frees, 1);
	zsr_run_free(&run);
}
END_TEST

/* Pauses of the profile end in the order of the trace: each of many tasks
 * begins when all that stands before it has been played, and no call overlaps
 * another. */
START_TEST(turns_are_taken_in_order)
{
	unsigned i;

	start(300);
	setup.gaps = ZSR_GAPS_PROFILE;
	profile.cost_ps[ZSR_COST_obj_free] = PS(500);
	for (i = 0; i < 300; i++)
		store(i, i * 7 % 300, i % 2 ? 2000 : HUGE_SZ);
	for (i = 0; i < 300; i++)
		release((1 + i) * 2 * MS, i * 11 % 300, i);
	play();
	ck_assert_uint_eq(run.v.first_release_ns, MS);
	ck_assert_uint_eq(run.v.last_return_ns, MS + 300 * 500);
	ck_assert_uint_eq(run.hist[ZSR_HIST_release]->max, 500);
	ck_assert_uint_eq(run.v.lock_contended, 0);
	zsr_run_free(&run);
}
END_TEST

/* ---- releases -------------------------------------------------------------------- */

/* Begin mark, gap, release, gap, release, gap, end mark. */
START_TEST(marks_bound_a_release)
{
	start(1);
	profile.cost_ps[ZSR_COST_obj_free] = PS(500);
	store(0, 0, HUGE_SZ);
	store(0, 0, HUGE_SZ);
	mark(1000, 0, "release-begin");
	release(1100, 0, 0);
	release(1301, 0, 1);
	mark(1602, 0, "release-end");
	play();
	ck_assert_uint_eq(run.v.caller_max_ns, 100 + 500 + 200 + 500 + 300);
	ck_assert_uint_eq(run.v.first_release_ns, 1000);
	ck_assert_uint_eq(run.v.last_return_ns, 1000 + 100 + 500 + 200 + 500);
	/* All pages are back with the last return, from the begin mark on. */
	ck_assert_uint_eq(run.v.at_100_ns, 100 + 500 + 200 + 500);
	ck_assert_uint_eq(run.v.at_50_ns, 100 + 500);
	zsr_run_free(&run);
}
END_TEST

/* One of the marks alone: the other bound is the first or the last free. */
START_TEST(single_marks)
{
	start(2);
	profile.cost_ps[ZSR_COST_obj_free] = PS(500);
	store(0, 0, HUGE_SZ);
	store(0, 1, 2000); /* another class, another lock */
	mark(1000, 0, "release-begin");
	release(1100, 0, 0);
	release(1100, 1, 1);
	mark(1401, 1, "release-end");
	play();
	ck_assert_uint_eq(run.v.tasks, 2);
	ck_assert_uint_eq(run.v.caller_sum_ns, 100 + 500 + 500 + 300);
	ck_assert_uint_eq(run.v.caller_max_ns, 500 + 300);
	ck_assert_uint_eq(run.v.caller_mean_ns, 700);
	zsr_run_free(&run);
}
END_TEST

/* Marks without a free between them are no release. */
START_TEST(empty_release)
{
	start(1);
	store(0, 0, HUGE_SZ);
	mark(1000, 0, "release-begin");
	mark(1400, 0, "release-end");
	play();
	ck_assert_uint_eq(run.v.tasks, 0);
	ck_assert_uint_eq(run.v.caller_max_ns, 0);
	ck_assert_uint_eq(run.v.frees, 0);
	ck_assert_uint_eq(run.v.pages_end, 1);
	ck_assert_uint_eq(run.v.at_100_ns, UINT64_MAX);
	zsr_run_free(&run);
}
END_TEST

/* Frees of what was stored before the trace began are left out. */
START_TEST(orphans_are_left_out)
{
	start(2);
	profile.cost_ps[ZSR_COST_obj_free] = PS(500);
	release(0, 1, ZSR_OBJ_NONE)->flags = ZSR_EVF_ORPHAN;
	store(0, 0, HUGE_SZ);
	release(100, 0, 0);
	release(200, 0, ZSR_OBJ_NONE)->flags = ZSR_EVF_ORPHAN;
	play();
	ck_assert_uint_eq(run.v.tasks, 1);
	ck_assert_uint_eq(run.v.frees, 1);
	ck_assert_uint_eq(run.v.caller_max_ns, 500);
	zsr_run_free(&run);
}
END_TEST

/* A chunk of stores and one of their releases, all at one time. */
static void write_two_chunks(struct zsr_writer *w)
{
	static struct zsr_event ev[1024];
	unsigned i, k;

	for (i = 0; i < 65536; i += k) {
		for (k = 0; k < ZSR_ARRAY_SIZE(ev); k++) {
			made.nr = 0;
			if (i < 32768)
				store(0, 0, HUGE_SZ);
			else
				release(1, 0, i + k - 32768);
			ev[k] = made.ev[0];
		}
		ck_assert_msg(!zsr_writer_add(w, ev, k, &err), "%s", err.msg);
	}
}

/* The releases are there twice: a chunk that is right for itself alone. */
START_TEST(freed_twice)
{
	struct zsr_trace trace = { .name = "twice",
				   .kernel = "6.12",
				   .page_size = 4096,
				   .chain_size = 8 };
	const struct zsr_task task = { .comm = "task", .pid = 1 };
	struct zsr_writer *w;
	sqlite3 *sql;

	start(1);
	ck_assert_int_eq(zsr_writer_begin(db, &trace, &w, &err), 0);
	ck_assert_int_eq(zsr_writer_task(w, &task, &err), 0);
	ck_assert_int_eq(
		zsr_writer_row(w, ZSR_TABLE_POOLS, 0, "", "zram", &err), 0);
	write_two_chunks(w);
	ck_assert_int_eq(zsr_writer_commit(w, &trace, &err), 0);
	ck_assert_int_eq(sqlite3_open(db_path, &sql), SQLITE_OK);
	ck_assert_int_eq(
		sqlite3_exec(sql,
			     "INSERT INTO chunk SELECT id + 1, events, mallocs,"
			     " frees, first_obj, t_min, t_max, task_min,"
			     " task_max, kinds, cpus, xxh3, data FROM chunk "
			     "ORDER BY id DESC LIMIT 1;"
			     "UPDATE trace SET nr_events = nr_events + 32768",
			     NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(sql);
	ck_assert_int_lt(play_trace(&trace), 0);
	ck_assert_int_eq(err.kind, ZSR_ERR_INPUT);
	ck_assert_str_eq(err.msg, "replay twice under class-idx: event 65537: "
				  "object 0, which is freed, does not live");
	zsr_run_free(&run);
}
END_TEST

/* ---- the outer lock ------------------------------------------------------------------ */

/*
 * 130 releases of one task are three holds of the device lock: 64, 64 and 2.
 * Gaps of 100 ns are made up for after each hold, and are part of the release.
 */
START_TEST(device_lock_batches)
{
	uint64_t locks, expect = 130 * 500 + 129 * 100;
	unsigned i, outer;

	for (outer = ZSR_OUTER_NONE; outer >= ZSR_OUTER_DEVICE; outer--) {
		start(1);
		setup.outer = outer;
		profile.cost_ps[ZSR_COST_obj_free] = PS(500);
		for (i = 0; i < 130; i++)
			store(0, 0, HUGE_SZ);
		for (i = 0; i < 130; i++)
			release(1000 + i * 101, 0, i);
		play();
		ck_assert_uint_eq(run.v.caller_max_ns, expect);
		ck_assert_uint_eq(run.v.last_return_ns, 1000 + expect);
		if (outer == ZSR_OUTER_NONE)
			locks = run.v.lock_acquired;
		else if (outer == ZSR_OUTER_DEVICE)
			ck_assert_uint_eq(run.v.lock_acquired, locks + 3);
		zsr_run_free(&run);
	}
}
END_TEST

/* Two tasks take turns with whole runs: the second waits for all 64 of the
 * first. */
START_TEST(device_lock_serialises)
{
	unsigned i;

	start(2);
	setup.outer = ZSR_OUTER_DEVICE;
	profile.cost_ps[ZSR_COST_obj_free] = PS(500);
	for (i = 0; i < 128; i++)
		store(0, i % 2, i % 2 ? HUGE_SZ : 2000);
	for (i = 0; i < 128; i++)
		release(1000 + i / 2, i % 2, i)->dur_ns = 1;
	play();
	ck_assert_uint_eq(run.v.lock_contended, 1);
	ck_assert_uint_ge(run.v.cpu_spin_ns, 64 * 500 - 10);
	ck_assert_uint_le(run.v.cpu_spin_ns, 64 * 500);
	zsr_run_free(&run);
}
END_TEST

ZSR_TEST_MAIN("player", recorded_gaps, gap_holds_unknown_call,
	      gap_holds_unknown_store, pause_holds_unknown_release, arrivals,
	      profile_gaps, pause_parts_releases, time_ends,
	      barrier_is_within_pause, barrier_holds, object_is_awaited,
	      window_is_no_trap, turns_are_taken_in_order, marks_bound_a_release,
	      single_marks, empty_release, orphans_are_left_out, freed_twice,
	      device_lock_batches, device_lock_serialises)
