// SPDX-License-Identifier: GPL-2.0-only
/*
 * The player on traces small enough to play by hand: when a call begins, what
 * a release is, who waits for whom, and where every page is meanwhile. All
 * steps cost nothing but what a case sets.
 */
#include <string.h>
#include <unistd.h>

#include "replay/player.h"
#include "tests/check.h"

#define US      1000ull /* in ns */
#define MS      1000000ull
#define PS(ns)  ((ns)*ZSR_PS_PER_NS)
#define HUGE_SZ 4096 /* an object of this size has a zspage of one page */

/* ---- making traces ------------------------------------------------------- */

static struct {
	struct zsr_event ev[1024];
	size_t nr;
	uint64_t objects;
	const char *text[8];
	unsigned texts, tasks, pools;
} made;

static char db_path[] = "/tmp/zsr-player.XXXXXX/zsr.db";
static struct zsr_db *db;
static struct zsr_profile profile;
static struct zsr_player_setup setup;
static struct zsr_run run;
static struct zsr_err err;

static void remove_db(void)
{
	zsr_db_close(db);
	unlink(db_path);
	*strrchr(db_path, '/') = '\0';
	rmdir(db_path);
}

static void start(unsigned tasks)
{
	char *slash = strrchr(db_path, '/');

	if (!db) {
		*slash = '\0';
		ck_assert_ptr_nonnull(mkdtemp(db_path));
		*slash = '/';
		ck_assert_int_eq(zsr_db_open(&db, db_path, ZSR_DB_CREATE, &err),
				 0);
		atexit(remove_db);
	}
	memset(&made, 0, sizeof(made));
	made.tasks = tasks;
	made.pools = 1;
	memset(&profile, 0, sizeof(profile));
	profile.slice = PS(3 * MS);
	profile.pause = PS(MS);
	profile.pcp_batch = 63;
	profile.pcp_high = 378;
	profile.memory = 1 << 30;
	setup = (struct zsr_player_setup){
		.policy = &zsr_policy_class_idx,
		.cpus = 4,
		.seed = 1,
		.gaps = ZSR_GAPS_RECORDED,
		.outer = ZSR_OUTER_NONE,
	};
}

static struct zsr_event *event(unsigned kind, uint64_t t_ns, unsigned task)
{
	struct zsr_event *ev = &made.ev[made.nr++];

	ck_assert_uint_le(made.nr, ZSR_ARRAY_SIZE(made.ev));
	*ev = (struct zsr_event){ .kind = kind,
				  .t_ns = t_ns,
				  .task = task,
				  .obj = ZSR_OBJ_NONE,
				  .slot = -1,
				  .cgroup = -1 };
	return ev;
}

static uint64_t store(uint64_t t_ns, unsigned task, uint32_t size)
{
	struct zsr_event *ev = event(ZSR_EV_MALLOC, t_ns, task);

	ev->obj = made.objects++;
	ev->size = size;
	return ev->obj;
}

static struct zsr_event *release(uint64_t t_ns, unsigned task, uint64_t obj)
{
	struct zsr_event *ev = event(ZSR_EV_FREE, t_ns, task);

	ev->obj = obj;
	ev->dur_ns = 1;
	ev->caller = ZSR_CALLER_SWAP_RELEASE;
	return ev;
}

static void mark(uint64_t t_ns, unsigned task, const char *text)
{
	struct zsr_event *ev = event(ZSR_EV_MARK, t_ns, task);

	made.text[made.texts] = text;
	ev->aux = made.texts++;
}

/* ---- playing them ---------------------------------------------------------- */

static void write_trace(struct zsr_trace *t)
{
	struct zsr_task task = { .comm = "task" };
	struct zsr_writer *w;
	unsigned i;

	*t = (struct zsr_trace){ .name = "made",
				 .kernel = "6.12",
				 .page_size = 4096,
				 .chain_size = 8 };
	ck_assert_msg(!zsr_writer_begin(db, t, &w, &err), "%s", err.msg);
	for (i = 0; i < made.tasks; i++) {
		task.row = i;
		task.pid = (int32_t)i + 1;
		ck_assert_int_eq(zsr_writer_task(w, &task, &err), 0);
	}
	for (i = 0; i < made.pools; i++)
		ck_assert_int_eq(
			zsr_writer_row(w, ZSR_TABLE_POOLS, i, "", "zram", &err),
			0);
	for (i = 0; i < made.texts; i++)
		ck_assert_int_eq(zsr_writer_row(w, ZSR_TABLE_MARKS, i, "",
						made.text[i], &err),
				 0);
	ck_assert_msg(!zsr_writer_add(w, made.ev, made.nr, &err), "%s", err.msg);
	ck_assert_msg(!zsr_writer_commit(w, t, &err), "%s", err.msg);
}

static int try_play(void)
{
	uint64_t params[ZSR_MAX_PARAMS];
	struct zsr_trace trace;
	unsigned i;
	int ret;

	write_trace(&trace);
	setup.db = db;
	setup.trace = &trace;
	setup.profile = &profile;
	setup.model = zsr_model_find("6.12");
	if (!setup.params) {
		for (i = 0; i < setup.policy->nr_params; i++)
			params[i] = setup.policy->params[i].def;
		setup.params = params;
	}
	ck_assert_int_eq(zsr_run_init(&run, &err), 0);
	ret = zsr_player_run(&setup, &run, &err);
	setup.params = NULL;
	return ret;
}

static void play(void)
{
	ck_assert_msg(!try_play(), "%s", err.msg);
}

/* The series' value at T, 0 before its first point. */
static uint64_t at(const struct zsr_series *s, uint64_t t_ns)
{
	uint64_t value = 0;
	size_t i;

	for (i = 0; i < s->nr && s->points[i].t_ns <= t_ns; i++)
		value = s->points[i].value;
	return value;
}

#define AT(name, t_ns) at(&run.series[ZSR_SERIES_##name], t_ns)

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
	/* Begin, two stores, the gap between them; then the gap of 10 ns. */
	ck_assert_uint_eq(run.v.first_release_ns, 10 + 1600 * US + 10 + 10);
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

/* ---- memory ------------------------------------------------------------------------ */

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
	uint64_t params[] = { 64, 4, 32 };
	unsigned i;

	start(1);
	made.pools = 2;
	setup.policy = &zsr_policy_deferred;
	setup.params = params;
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
	uint64_t params[] = { 4, 3, 32 };
	uint64_t done;

	start(1);
	setup.policy = &zsr_policy_deferred;
	setup.params = params;
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
	uint64_t params[] = { 2, 7, 32 };
	unsigned p, i;

	for (p = 0; p < ZSR_ARRAY_SIZE(policies); p++) {
		start(4);
		setup.policy = policies[p];
		setup.params = params;
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

ZSR_TEST_MAIN("player", recorded_gaps, gap_holds_unknown_call, arrivals,
	      profile_gaps, pause_parts_releases, time_ends,
	      barrier_is_within_pause, barrier_holds, object_is_awaited,
	      window_is_no_trap, turns_are_taken_in_order, marks_bound_a_release,
	      single_marks, empty_release, orphans_are_left_out,
	      memory_runs_out, refused_sizes, pools_are_apart, held_back,
	      compaction_of_queued, compaction_beside_releases,
	      device_lock_batches, device_lock_serialises)
