// SPDX-License-Identifier: GPL-2.0-only
/*
 * Replays on threads: under every policy each object is released once, nothing
 * stays queued, pages add up (the player itself refuses a run where they do
 * not); tasks that free what others store wait for it, barriers part the trace,
 * the account is that of the virtual machine where nothing depends on time. Who
 * watches is told of every call, in its order, and of what it measured.
 */
#include <string.h>
#include <unistd.h>

#include "replay/host_player.h"
#include "replay/machine/probes.h"
#include "tests/check.h"

enum { TASKS = 4, OBJECTS = 3000 };

static char db_path[] = "/tmp/zsr-host.XXXXXX/zsr.db";
static struct zsr_db *db;
static struct zsr_profile profile;
static struct zsr_trace trace;
static struct zsr_host_trace calls;
static struct zsr_clock clock_found;
static struct zsr_run run;
static struct zsr_err err;

/* ---- traces ----------------------------------------------------------------- */

static struct {
	struct zsr_writer *w;
	uint64_t t_ns, objects;
	uint64_t mallocs, frees;
} made;

static void remove_db(void)
{
	zsr_db_close(db);
	unlink(db_path);
	*strrchr(db_path, '/') = '\0';
	rmdir(db_path);
}

static void start(unsigned pools)
{
	struct zsr_task task = { .comm = "task" };
	char *slash = strrchr(db_path, '/');
	unsigned i;

	if (!db) {
		*slash = '\0';
		ck_assert_ptr_nonnull(mkdtemp(db_path));
		*slash = '/';
		ck_assert_int_eq(zsr_db_open(&db, db_path, ZSR_DB_CREATE, &err),
				 0);
		atexit(remove_db);
		ck_assert_int_eq(zsr_profile_load("rpi4b", &profile, &err), 0);
		zsr_clock_init(&clock_found);
	}
	memset(&made, 0, sizeof(made));
	trace = (struct zsr_trace){ .name = "made",
				    .kernel = "6.12",
				    .page_size = 4096,
				    .chain_size = 8 };
	ck_assert_int_eq(zsr_writer_begin(db, &trace, &made.w, &err), 0);
	for (i = 0; i < TASKS; i++) {
		task.row = i;
		task.pid = (int32_t)i + 1;
		ck_assert_int_eq(zsr_writer_task(made.w, &task, &err), 0);
	}
	for (i = 0; i < pools; i++)
		ck_assert_int_eq(zsr_writer_row(made.w, ZSR_TABLE_POOLS, i, "",
						"zram", &err),
				 0);
	ck_assert_int_eq(zsr_writer_row(made.w, ZSR_TABLE_MARKS, 0, "",
					"barrier:1", &err),
			 0);
}

static void event(unsigned kind, unsigned task, uint64_t obj, uint32_t size,
		  unsigned pool)
{
	const struct zsr_event ev = { .kind = kind & 15,
				      .t_ns = made.t_ns += 10,
				      .task = task & 0xffff,
				      .cpu = task & 63,
				      .obj = obj,
				      .size = size,
				      .pool = pool & 0xffff,
				      .caller = ZSR_CALLER_SWAP_RELEASE,
				      .slot = -1,
				      .cgroup = -1 };

	ck_assert_msg(!zsr_writer_add(made.w, &ev, 1, &err), "%s", err.msg);
}

static uint64_t store(unsigned task, uint32_t size, unsigned pool)
{
	event(ZSR_EV_MALLOC, task, made.objects, size, pool);
	made.mallocs++;
	return made.objects++;
}

static void release(unsigned task, uint64_t obj, unsigned pool)
{
	event(ZSR_EV_FREE, task, obj, 0, pool);
	made.frees++;
}

static void barrier(void)
{
	event(ZSR_EV_MARK, 0, ZSR_OBJ_NONE, 0, 0);
}

static void finish(void)
{
	ck_assert_msg(!zsr_writer_commit(made.w, &trace, &err), "%s", err.msg);
	ck_assert_msg(!zsr_host_trace_load(&calls, db, &trace, 1000000, &err),
		      "%s", err.msg);
	ck_assert_uint_eq(calls.nr_mallocs, made.mallocs);
	ck_assert_uint_eq(calls.nr_frees, made.frees);
}

static uint32_t size_of(uint64_t i)
{
	return 40 + (uint32_t)(i * 37 % 3900);
}

/*
 * Each task stores; behind a barrier each releases its own objects and others',
 * stores again while it does so, and some compact.
 */
static void make_busy(unsigned pools)
{
	static uint64_t obj[TASKS][OBJECTS];
	unsigned t, i;

	start(pools);
	for (i = 0; i < OBJECTS; i++)
		for (t = 0; t < TASKS; t++)
			obj[t][i] = store(t, size_of(i), i % pools);
	barrier();
	for (i = 0; i < OBJECTS; i++)
		for (t = 0; t < TASKS; t++) {
			release(i % 3 ? t : (t + 1) % TASKS, obj[t][i],
				i % pools);
			if (i % 5 == 0)
				obj[t][i] = store(t, size_of(i + t), i % pools);
			if (i % 1000 == 500 && !t)
				event(ZSR_EV_COMPACT, t, ZSR_OBJ_NONE, 0,
				      i % pools);
		}
	for (i = 0; i < OBJECTS; i += 10)
		for (t = 0; t < TASKS; t++)
			release((t + 2) % TASKS, obj[t][i], i % pools);
	finish();
}

/* ---- runs ------------------------------------------------------------------------ */

static struct zsr_host_setup setup_for(const struct zsr_policy *policy,
				       uint64_t *params)
{
	struct zsr_host_setup s = {
		.common = { .db = db,
			    .trace = &trace,
			    .profile = &profile,
			    .model = zsr_model_find("6.12"),
			    .policy = policy,
			    .params = params,
			    .cpus = 3,
			    .arrival = ZSR_ARRIVAL_ASAP,
			    .gaps = ZSR_GAPS_RECORDED,
			    .outer = ZSR_OUTER_CLUSTER },
		.calls = &calls,
		.clock = &clock_found,
	};
	unsigned i;

	for (i = 0; i < policy->nr_params; i++)
		params[i] = policy->params[i].def;
	return s;
}

static void set(const struct zsr_policy *policy, uint64_t *params,
		const char *name, uint64_t value)
{
	unsigned i;

	for (i = 0; i < policy->nr_params; i++)
		if (!strcmp(policy->params[i].name, name))
			params[i] = value;
}

static void play(const struct zsr_host_setup *s)
{
	ck_assert_int_eq(zsr_run_init(&run, &err), 0);
	ck_assert_msg(!zsr_host_player_run(s, &run, &err), "%s", err.msg);
	ck_assert_uint_eq(run.v.mallocs, made.mallocs);
	ck_assert_uint_eq(run.v.frees, made.frees);
	ck_assert_uint_eq(run.v.malloc_failed, 0);
	ck_assert_uint_eq(run.hist[ZSR_HIST_release]->count, made.frees);
	ck_assert_uint_eq(run.hist[ZSR_HIST_malloc]->count, made.mallocs);
	ck_assert_uint_gt(run.v.last_return_ns, run.v.first_release_ns);
	ck_assert_uint_ge(run.v.end_ns, run.v.last_return_ns);
	ck_assert_uint_ge(run.v.pages_back + run.v.pages_end, 1);
}

static void done(void)
{
	zsr_run_free(&run);
	memset(&run, 0, sizeof(run));
}

START_TEST(every_policy)
{
	static const char *const load[] = { "cpu=2",
					    "rt=1:300:1ms",
					    "mem=64M:1M",
					    "sched=const:20us",
					    "worker=const:50us",
					    NULL };
	const struct zsr_condition_args args = { .load = load };
	struct zsr_conditions conditions;
	const struct zsr_policy *policy = zsr_policies[_i];
	uint64_t params[ZSR_MAX_PARAMS];
	struct zsr_host_setup s;

	ck_assert_int_eq(zsr_conditions_parse(&conditions, &args, 3, &err), 0);
	make_busy(1);
	s = setup_for(policy, params);
	play(&s);
	ck_assert_uint_eq(run.v.tasks, TASKS);
	ck_assert_uint_eq(run.v.compactions <= 3 && run.v.compactions, 1);
	done();
	/* The gates wide open, queues that are soon full, and timers. */
	set(policy, params, "min-objects", 0);
	set(policy, params, "min-exiting", 1);
	set(policy, params, "pool-pages", 2);
	set(policy, params, "pool-kib", 8);
	set(policy, params, "page-entries", 32);
	set(policy, params, "workers", 3);
	set(policy, params, "flush-ms", 2);
	set(policy, params, "capacity", 1000);
	if (strcmp(policy->name, "array") == 0)
		set(policy, params, "capacity", 1);
	s.common.outer = ZSR_OUTER_DEVICE;
	play(&s);
	done();
	/* Under load, with everything that is not the default. */
	s.common.conditions = &conditions;
	s.queued = true;
	s.give_back = true;
	s.sample_ns = 200000;
	s.worker_cpus = 6;
	play(&s);
	ck_assert_uint_gt(run.v.load_rt_ns, 0);
	ck_assert_uint_eq(run.grid[ZSR_GRID_memory].nr_rows, 2);
	ck_assert_uint_gt(run.grid[ZSR_GRID_memory].cell[0], 0);
	done();
	zsr_host_trace_free(&calls);
}
END_TEST

/* ---- runs that are watched ---------------------------------------------------- */

/* Objects by number: what was told of them last. */
enum { UNTOLD, STORED, BEGUN, ENDED };

static struct {
	uint8_t object[TASKS * OBJECTS * 2];
	uint64_t runs, tasks, mallocs, malloc_ns, frees, free_ns;
	uint64_t drains, drained, compacts, compact_pages, zspage_pages;
	uint64_t fallbacks, lock_waits, wrong;
} told;

static __thread uint64_t told_free; /* the calling thread's, + 1 */

static void count(uint64_t *what, uint64_t n)
{
	__atomic_add_fetch(what, n, __ATOMIC_RELAXED);
}

/* The objects of a case are as many in all. */
static void step(uint64_t obj, unsigned from, unsigned to)
{
	uint8_t seen = (uint8_t)from;

	if (obj >= sizeof(told.object) ||
	    !__atomic_compare_exchange_n(&told.object[obj], &seen, (uint8_t)to,
					 false, __ATOMIC_ACQ_REL,
					 __ATOMIC_RELAXED))
		count(&told.wrong, 1);
}

static void on_run(const struct zsr_probed_run *r)
{
	(void)r;
	count(&told.runs, 1);
}

static void on_task(uint32_t row)
{
	count(&told.tasks, 1u << 8 * row);
}

static void on_malloc(unsigned pool, uint64_t obj, uint32_t size, bool failed,
		      uint64_t took_ns)
{
	step(obj, UNTOLD, STORED);
	count(&told.mallocs, 1);
	count(&told.malloc_ns, took_ns);
	count(&told.wrong, pool || failed || size < 40 || size >= 3940);
}

static void on_free_begin(unsigned pool, uint64_t obj)
{
	step(obj, STORED, BEGUN);
	count(&told.wrong, pool || told_free);
	told_free = obj + 1;
}

static void on_free_end(unsigned pool, uint64_t obj, uint64_t took_ns)
{
	step(obj, BEGUN, ENDED);
	count(&told.wrong, pool || told_free != obj + 1);
	told_free = 0;
	count(&told.frees, 1);
	count(&told.free_ns, took_ns);
}

static void on_compact_begin(unsigned pool)
{
	count(&told.compacts, 1);
}

static void on_compact_end(unsigned pool, uint64_t pages)
{
	count(&told.compact_pages, pages);
}

static void on_drain_begin(const char *queue, const void *work)
{
	count(&told.drains, 1);
	count(&told.wrong, !queue || !work);
}

static void on_drain_end(const char *queue, const void *work)
{
	count(&told.drained, 1);
}

static void on_zspage_free(unsigned pool, unsigned class, uint64_t zspage,
			   unsigned pages)
{
	count(&told.zspage_pages, pages);
	count(&told.wrong, !pages || pages > 8);
}

static void on_fallback(unsigned pool)
{
	count(&told.fallbacks, 1);
}

static void on_lock_wait(const void *lock, uint64_t wait_ns)
{
	count(&told.lock_waits, 1);
	count(&told.wrong, !lock);
}

static const struct zsr_probes probes = {
	.run = on_run,
	.task = on_task,
	.malloc = on_malloc,
	.free_begin = on_free_begin,
	.free_end = on_free_end,
	.compact_begin = on_compact_begin,
	.compact_end = on_compact_end,
	.drain_begin = on_drain_begin,
	.drain_end = on_drain_end,
	.zspage_free = on_zspage_free,
	.fallback = on_fallback,
	.lock_wait = on_lock_wait,
};

START_TEST(all_is_told)
{
	const struct zsr_policy *policy = zsr_policies[_i];
	const struct zsr_run_values *v = &run.v;
	uint64_t params[ZSR_MAX_PARAMS];
	struct zsr_host_setup s;

	memset(&told, 0, sizeof(told));
	make_busy(1);
	ck_assert_uint_le(made.objects, sizeof(told.object));
	s = setup_for(policy, params);
	set(policy, params, "min-objects", 0);
	set(policy, params, "pool-pages", 2);
	s.probes = &probes;
	play(&s);
	ck_assert_uint_eq(told.wrong, 0);
	ck_assert_uint_eq(told.tasks, 0x01010101);
	ck_assert_uint_eq(told.mallocs, v->mallocs);
	ck_assert_uint_eq(told.malloc_ns, run.hist[ZSR_HIST_malloc]->sum);
	ck_assert_uint_eq(told.frees, v->frees);
	ck_assert_uint_eq(told.free_ns, run.hist[ZSR_HIST_release]->sum);
	ck_assert_uint_eq(told.compact_pages, v->compact_pages);
	ck_assert_uint_ge(told.compacts, v->compactions);
	ck_assert_uint_eq(told.fallbacks, v->fallbacks);
	/* The flush at the end is told, too, and no part of the run. */
	ck_assert_uint_eq(told.drains, told.drained);
	ck_assert_uint_ge(told.drains, v->works_run);
	ck_assert_uint_ge(told.lock_waits, v->lock_contended);
	ck_assert_uint_ge(told.zspage_pages + told.compact_pages, v->pages_back);
	ck_assert_uint_le(told.zspage_pages + told.compact_pages,
			  v->pages_back + v->pages_end);
	done();
	zsr_host_trace_free(&calls);
}
END_TEST

/* Two pools at once, on CPUs of their own. */
START_TEST(several_pools_pinned)
{
	static const struct zsr_policy *const policies[] = {
		&zsr_policy_sync, &zsr_policy_deferred, &zsr_policy_zram_gc
	};
	uint64_t params[ZSR_MAX_PARAMS];
	struct zsr_host_setup s;
	unsigned i;

	make_busy(2);
	for (i = 0; i < ZSR_ARRAY_SIZE(policies); i++) {
		s = setup_for(policies[i], params);
		s.common.cpus = 2;
		s.pin = i % 2 ? ZSR_PIN_SPREAD : ZSR_PIN_RECORDED;
		play(&s);
		done();
	}
	zsr_host_trace_free(&calls);
}
END_TEST

/* One task alone: nothing depends on time, so the account is the virtual
 * machine's. */
START_TEST(account_is_the_virtual_one)
{
	static uint64_t obj[OBJECTS];
	uint64_t params[ZSR_MAX_PARAMS];
	struct zsr_host_setup s;
	struct zsr_run virtual;
	unsigned i;

	start(1);
	for (i = 0; i < OBJECTS; i++)
		obj[i] = store(0, size_of(i), 0);
	for (i = 0; i < OBJECTS; i++)
		if (i % 7)
			release(0, obj[i], 0);
	event(ZSR_EV_COMPACT, 0, ZSR_OBJ_NONE, 0, 0);
	finish();
	s = setup_for(&zsr_policy_class_idx, params);
	play(&s);
	ck_assert_int_eq(zsr_run_init(&virtual, &err), 0);
	s.common.arrival = ZSR_ARRIVAL_ASAP;
	ck_assert_msg(!zsr_player_run(&s.common, &virtual, &err), "%s", err.msg);
	ck_assert_uint_eq(run.v.pages_back, virtual.v.pages_back);
	ck_assert_uint_eq(run.v.pages_end, virtual.v.pages_end);
	ck_assert_uint_eq(run.v.pages_peak, virtual.v.pages_peak);
	ck_assert_uint_eq(run.v.held_peak_pages, virtual.v.held_peak_pages);
	ck_assert_uint_eq(run.v.compact_pages, virtual.v.compact_pages);
	ck_assert_uint_eq(run.v.compact_moved_bytes,
			  virtual.v.compact_moved_bytes);
	ck_assert_uint_gt(run.v.compact_pages, 0);
	zsr_run_free(&virtual);
	done();
	zsr_host_trace_free(&calls);
}
END_TEST

/* What waits in a queue that never gets full is there until the flush, and
 * counts as held back. */
START_TEST(queue_is_seen)
{
	uint64_t params[ZSR_MAX_PARAMS];
	struct zsr_host_setup s;
	unsigned i;

	start(1);
	for (i = 0; i < 100; i++)
		store(0, 4096, 0);
	for (i = 0; i < 100; i++)
		release(0, i, 0);
	finish();
	s = setup_for(&zsr_policy_deferred, params);
	play(&s);
	ck_assert_uint_eq(run.v.queue_peak, 100);
	ck_assert_uint_eq(run.v.stranded, 100);
	ck_assert_uint_eq(run.v.held_peak_pages, 100);
	ck_assert_uint_eq(run.v.dead_peak_bytes, 100 * 4096);
	ck_assert_uint_eq(run.v.pages_back, 0);
	ck_assert_uint_eq(run.v.pages_end, 100);
	ck_assert_uint_gt(run.v.held_area_page_us, 0);
	done();
	/* With a timer it is freed before. */
	set(&zsr_policy_deferred, params, "flush-ms", 5);
	play(&s);
	ck_assert_uint_eq(run.v.stranded, 0);
	ck_assert_uint_eq(run.v.pages_back, 100);
	ck_assert_uint_ge(run.v.at_100_ns, 5000000);
	ck_assert_uint_ge(run.v.queue_oldest_ns, 4000000);
	ck_assert_uint_eq(run.hist[ZSR_HIST_queued]->count, 100);
	done();
	zsr_host_trace_free(&calls);
}
END_TEST

/* A task waits for the one that stores what it frees; nobody passes a barrier
 * before all have come to it; recorded arrivals are waited for. */
START_TEST(order_between_tasks)
{
	uint64_t params[ZSR_MAX_PARAMS];
	struct zsr_host_setup s;
	uint64_t a, b;

	start(1);
	made.t_ns = 1000;
	a = store(0, 1000, 0);
	made.t_ns = 30000000;
	b = store(1, 1000, 0);
	release(2, b, 0);
	barrier();
	release(3, a, 0);
	finish();
	s = setup_for(&zsr_policy_sync, params);
	s.common.arrival = ZSR_ARRIVAL_RECORDED;
	play(&s);
	ck_assert_uint_ge(run.v.first_release_ns, 30000000);
	ck_assert_uint_eq(run.v.tasks, 2);
	done();
	zsr_host_trace_free(&calls);
}
END_TEST

static int nr_policies(void)
{
	int n = 0;

	while (zsr_policies[n])
		n++;
	return n;
}

int main(void)
{
	Suite *suite = suite_create("host");
	TCase *tcase = tcase_create("host");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tcase, every_policy, 0, nr_policies());
	tcase_add_loop_test(tcase, all_is_told, 0, nr_policies());
	tcase_add_test(tcase, several_pools_pinned);
	tcase_add_test(tcase, account_is_the_virtual_one);
	tcase_add_test(tcase, queue_is_seen);
	tcase_add_test(tcase, order_between_tasks);
	tcase_set_timeout(tcase, 300);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
