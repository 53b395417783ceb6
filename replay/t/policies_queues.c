// SPDX-License-Identifier: GPL-2.0-only
/*
 * The policies whose workers free what callers queued: what goes into the
 * queue, what falls back, what waits and for how long, who drains it.
 */
#include "replay/t/scene.h"

/* ---- array ----------------------------------------------------------------- */

/* N releases under an array of 1 MiB that is drained when it is full: kicked
 * by the last of as many as it holds, one a page. */
static void array_of(unsigned page_size, unsigned n, bool kicked)
{
	scene_start((struct setup){
		.policy = &zsr_policy_array,
		.cpus = 4,
		.tasks = 1,
		.objects = n,
		.page_size = page_size,
		.param = { { "capacity", 1 }, { "kick-percent", 100 } } });
	phase(store_all, true);
	release_phase();
	ck_assert_uint_eq(scene.pool.fallbacks, 0);
	ck_assert_uint_eq(scene.account.peak_depth, n);
	ck_assert_uint_eq(scene.account.depth, kicked ? 0 : n);
	ck_assert_uint_eq(scene.vm->works_run, kicked);
	phase(flush_all, false);
	check_all_back();
	scene_end();
}

START_TEST(array_holds_a_handle_a_page)
{
	array_of(4096, 255, false);
	array_of(4096, 256, true);
	array_of(16384, 63, false);
	array_of(16384, 64, true);
	array_of(65536, 15, false);
	array_of(65536, 16, true);
}
END_TEST

/* Two pages of handles, and as many for the worker's copy. */
START_TEST(array_buffers_are_counted)
{
	scene_start((struct setup){ .policy = &zsr_policy_array,
				    .cpus = 4,
				    .tasks = 1,
				    .objects = 1,
				    .param = { { "capacity", 4 } } });
	ck_assert_uint_eq(scene.account.buffer_pages, 4);
	play_scene();
	scene_end();
}
END_TEST

/* Nobody drains the posted 32768 entries here, so whoever falls back found the
 * lock taken by another caller. */
START_TEST(array_lock_is_only_tried)
{
	unsigned tasks;

	for (tasks = 1; tasks <= 4; tasks += 3) {
		scene_start((struct setup){ .policy = &zsr_policy_array,
					    .cpus = 4,
					    .tasks = tasks,
					    .objects = 3000 });
		phase(store_all, true);
		release_phase();
		ck_assert_uint_eq(scene.vm->works_run, 0);
		ck_assert_uint_eq(scene.account.depth,
				  tasks * 3000 - scene.pool.fallbacks);
		if (tasks == 1)
			ck_assert_uint_eq(scene.pool.fallbacks, 0);
		else
			ck_assert_uint_gt(scene.pool.fallbacks, 100);
		phase(flush_all, false);
		check_all_back();
		scene_end();
	}
}
END_TEST

/* The worker copies with the lock held, and who releases meanwhile falls back:
 * some 1100 handles, half of 2048 and what came until it woke, 6 ns each, and a
 * release every 0.3 us. The array never gets full. */
START_TEST(array_worker_keeps_callers_out)
{
	scene_start((struct setup){ .policy = &zsr_policy_array,
				    .cpus = 4,
				    .tasks = 1,
				    .objects = 1500,
				    .param = { { "capacity", 8 } } });
	phase(store_all, true);
	release_phase();
	ck_assert_uint_lt(scene.account.peak_depth, 2048);
	ck_assert_uint_gt(scene.pool.fallbacks, 0);
	ck_assert_uint_lt(scene.pool.fallbacks, 40);
	phase(flush_all, false);
	check_all_back();
	scene_end();
}
END_TEST

/* Full until the worker has come: a wake-up is 25 us. */
START_TEST(array_full_falls_back)
{
	scene_start((struct setup){
		.policy = &zsr_policy_array,
		.cpus = 4,
		.tasks = 1,
		.objects = 2000,
		.param = { { "capacity", 1 }, { "kick-percent", 100 } } });
	phase(store_all, true);
	release_phase();
	ck_assert_uint_gt(scene.pool.fallbacks, 50);
	/* The array's and the worker's. */
	ck_assert_uint_gt(scene.account.peak_depth, 256);
	ck_assert_uint_le(scene.account.peak_depth, 512);
	phase(flush_all, false);
	check_all_back();
	scene_end();
}
END_TEST

static void array_workers_cpu(uint64_t queue, bool same)
{
	unsigned cpu;

	scene_start((struct setup){
		.policy = &zsr_policy_array,
		.cpus = 4,
		.tasks = 1,
		.objects = 3000,
		.param = { { "capacity", 4 }, { "queue", queue } } });
	phase(store_all, true);
	release_phase();
	ck_assert_uint_gt(scene.vm->works_run, 0);
	for (cpu = 0; cpu < 4; cpu++)
		if (same ? cpu : !cpu)
			ck_assert_uint_eq(zsr_vm_busy(&scene.vm->cpu[cpu],
						      ZSR_MODE_WORKER),
					  0);
	phase(flush_all, false);
	check_all_back();
	scene_end();
}

START_TEST(array_worker_may_be_bound)
{
	array_workers_cpu(0, false);
	array_workers_cpu(1, true);
}
END_TEST

/* ---- defer-zspage ---------------------------------------------------------- */

static uint64_t caller_of(const struct zsr_policy *policy)
{
	uint64_t time;

	scene_start((struct setup){
		.policy = policy, .cpus = 4, .tasks = 1, .objects = 5000 });
	phase(store_all, true);
	time = release_phase();
	if (policy == &zsr_policy_defer_zspage) {
		ck_assert_uint_gt(scene.account.peak_held, 0);
		ck_assert_uint_gt(scene.account.peak_depth, 0);
		ck_assert_uint_eq(scene.account.peak_dead, 0);
		check_all_back(); /* the first one kicks: nothing strands */
	}
	phase(flush_all, false);
	check_all_back();
	scene_end();
	return time;
}

/* Only zspages wait, never a handle; the caller is spared their return, and
 * nothing else. */
START_TEST(zspages_go_back_later)
{
	uint64_t idx = caller_of(&zsr_policy_class_idx);
	uint64_t zspage = caller_of(&zsr_policy_defer_zspage);
	uint64_t deferred = caller_of(&zsr_policy_deferred);

	ck_assert_uint_lt(zspage, idx);
	ck_assert_uint_lt(deferred, zspage);
}
END_TEST

/* 1000 zspages of one page each. */
static void zspages(uint64_t kick, uint64_t run)
{
	scene_start(
		(struct setup){ .policy = &zsr_policy_defer_zspage,
				.cpus = 4,
				.tasks = 1,
				.objects = 1000,
				.size = 4096,
				.param = { { "kick", kick }, { "run", run } } });
	phase(store_all, true);
	release_phase();
}

START_TEST(zspages_wait_for_the_kick)
{
	zspages(1001, 512);
	ck_assert_uint_eq(scene.vm->works_queued, 0);
	ck_assert_uint_eq(scene.account.held_pages, 1000);
	ck_assert_uint_eq(scene.account.depth, 1000);
	phase(flush_all, false);
	check_all_back();
	scene_end();

	zspages(1000, 512);
	ck_assert_uint_eq(scene.vm->works_run, 2); /* 512, then 488 */
	check_all_back();
	scene_end();

	zspages(1000, 1);
	ck_assert_uint_eq(scene.vm->works_run, 1001); /* the last has none */
	check_all_back();
	scene_end();
}
END_TEST

/* ---- deferred ---------------------------------------------------------------- */

/* A page is of PAGE_SIZE / 8 handles, the pool of 256 KiB. */
START_TEST(deferred_follows_the_page_size)
{
	scene_start((struct setup){ .policy = &zsr_policy_deferred,
				    .cpus = 4,
				    .tasks = 1,
				    .objects = 3000,
				    .page_size = 16384 });
	ck_assert_uint_eq(scene.account.buffer_pages, 16 + 4);
	phase(store_all, true);
	release_phase();
	ck_assert_uint_eq(scene.account.depth, 3000 - 2048);
	phase(flush_all, false);
	check_all_back();
	scene_end();
}
END_TEST

/* Partial pages live no longer than the timer, and the half millisecond a page
 * that one worker takes for four of them; a pool of one page makes the timers
 * wait for it. Without a timer they stay (policies.c). */
START_TEST(timer_flushes_partial_pages)
{
	unsigned pages;

	for (pages = 1; pages <= 64; pages += 63) {
		scene_start(
			(struct setup){ .policy = &zsr_policy_deferred,
					.cpus = 4,
					.tasks = 4,
					.objects = 700,
					.param = { { "flush-ms", 2 },
						   { "pool-pages", pages } } });
		phase(store_all, true);
		release_phase();
		check_all_back();
		ck_assert_uint_ge(scene.account.oldest_ps, ZSR_MS(1));
		ck_assert_uint_lt(scene.account.oldest_ps, ZSR_MS(4));
		scene_end();
	}
}
END_TEST

/* What never reaches the kick goes by the timer, and only by it. */
static void timer_frees_the_rest(const struct zsr_policy *policy,
				 const char *param, unsigned kick, unsigned ms)
{
	scene_start((struct setup){
		.policy = policy,
		.cpus = 4,
		.tasks = 4,
		.objects = 700,
		.param = { { "flush-ms", ms }, { param, kick } } });
	phase(store_all, true);
	release_phase();
	if (ms) {
		check_all_back();
		ck_assert_uint_lt(scene.account.oldest_ps, ZSR_MS(ms + 3));
	} else {
		ck_assert_uint_gt(scene.account.depth, 0);
	}
	phase(flush_all, false);
	check_all_back();
	scene_end();
}

START_TEST(timer_frees_what_does_not_kick)
{
	unsigned ms;

	for (ms = 0; ms <= 2; ms++) {
		timer_frees_the_rest(&zsr_policy_array, "kick-percent", 100, ms);
		timer_frees_the_rest(&zsr_policy_defer_zspage, "kick", 3000, ms);
	}
}
END_TEST

static void release_and_flush(struct zsr_vm *vm, void *arg)
{
	release_all(vm, arg);
	flush_all(vm, &scene);
}

/* The flush does not wait for timers, and leaves none. */
static void flush_stops_timers(const struct zsr_policy *policy, const char *kick)
{
	uint64_t begin;

	scene_start((struct setup){
		.policy = policy,
		.cpus = 4,
		.tasks = 1,
		.objects = 700,
		.param = { { "flush-ms", 600000 }, { kick, 100 } } });
	phase(store_all, true);
	begin = scene.vm->end;
	phase(release_and_flush, true);
	ck_assert_uint_lt(scene.vm->end - begin, ZSR_MS(10));
	check_all_back();
	scene_end();
}

START_TEST(flush_stops_the_timers)
{
	flush_stops_timers(&zsr_policy_deferred, "pool-pages");
	flush_stops_timers(&zsr_policy_array, "kick-percent");
	flush_stops_timers(&zsr_policy_defer_zspage, "kick");
}
END_TEST

static void take_cpu_0(struct zsr_vm *vm, void *arg)
{
	struct scene *s = arg;

	zsr_vm_cpu_offline(vm, 0);
	s->pool.policy->cpu_offline(&s->pool, 0);
}

/* The one task ran on CPU 0; what it left there goes with the CPU, the timer
 * included, and the page is the pool's. */
START_TEST(cpu_leaves_its_page)
{
	uint64_t begin, depth;
	unsigned ms;

	for (ms = 0; ms <= 600000; ms += 600000) {
		scene_start((struct setup){ .policy = &zsr_policy_deferred,
					    .cpus = 4,
					    .tasks = 1,
					    .objects = 100,
					    .param = { { "flush-ms", ms } } });
		phase(store_all, true);
		begin = scene.vm->end;
		ck_assert(zsr_vm_spawn(scene.vm, take_cpu_0, &scene, 1,
				       begin + ZSR_MS(1)));
		phase(release_all, true);
		depth = scene.account.peak_depth;
		ck_assert_uint_eq(depth, 100);
		ck_assert_uint_lt(scene.vm->end - begin, ZSR_MS(10));
		check_all_back();
		phase(flush_all, false);
		check_all_back();
		scene_end();
	}
}
END_TEST

/* 62 full pages of 16, each drained in a run of its own, and a partial one. */
START_TEST(worker_goes_on_after_its_run)
{
	scene_start((struct setup){
		.policy = &zsr_policy_deferred,
		.cpus = 4,
		.tasks = 1,
		.objects = 62 * 16 + 15,
		.param = { { "run-pages", 1 }, { "page-entries", 16 } } });
	phase(store_all, true);
	release_phase();
	ck_assert_uint_eq(scene.pool.fallbacks, 0);
	ck_assert_uint_eq(scene.account.depth, 15);
	ck_assert_uint_ge(scene.vm->works_run, 62);
	phase(flush_all, false);
	check_all_back();
	scene_end();
}
END_TEST

static uint64_t end_with(uint64_t workers)
{
	uint64_t time;

	scene_start((struct setup){ .policy = &zsr_policy_deferred,
				    .cpus = 4,
				    .tasks = 1,
				    .objects = 20000,
				    .param = { { "workers", workers } } });
	phase(store_all, true);
	release_phase();
	ck_assert_uint_eq(scene.pool.fallbacks, 0);
	time = scene.vm->end - scene.release_begin;
	phase(flush_all, false);
	check_all_back();
	scene_end();
	return time;
}

/* One worker is slower than one caller that only pushes; three are not. */
START_TEST(more_workers_drain_sooner)
{
	uint64_t one = end_with(1), two = end_with(2), three = end_with(3);

	ck_assert_uint_lt(two * 10, one * 8);
	ck_assert_uint_le(three, two);
}
END_TEST

ZSR_TEST_MAIN("policies_queues", array_holds_a_handle_a_page,
	      array_buffers_are_counted, array_lock_is_only_tried,
	      array_worker_keeps_callers_out, array_full_falls_back,
	      array_worker_may_be_bound, zspages_go_back_later,
	      zspages_wait_for_the_kick, deferred_follows_the_page_size,
	      timer_flushes_partial_pages, timer_frees_what_does_not_kick,
	      flush_stops_the_timers, cpu_leaves_its_page,
	      worker_goes_on_after_its_run, more_workers_drain_sooner)
