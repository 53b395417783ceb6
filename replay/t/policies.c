// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every policy on the virtual machine, without a trace: nothing lost, nothing
 * freed twice, all pages back after the flush, the account equal to the
 * engine; and the effects everyone expects.
 */
#include "replay/t/scene.h"

static const struct zsr_policy *each_policy[16];
static int nr_policies;

static void find_policies(void)
{
	while (zsr_policies[nr_policies]) {
		each_policy[nr_policies] = zsr_policies[nr_policies];
		nr_policies++;
	}
}

START_TEST(all_pages_come_back)
{
	unsigned tasks;
	int i;

	find_policies();
	for (i = 0; i < nr_policies; i++)
		for (tasks = 1; tasks <= 6; tasks += 5) {
			scene_start((struct setup){ .policy = each_policy[i],
						    .cpus = 4,
						    .tasks = tasks,
						    .objects = 3000 });
			play_scene();
			scene_end();
		}
}
END_TEST

/* Stores meet fuller zspages under deferral, but what is live stays live. */
START_TEST(churn_keeps_live_objects)
{
	int i;

	find_policies();
	for (i = 0; i < nr_policies; i++) {
		struct zsr_class_stats st;
		uint64_t used = 0;
		unsigned c;

		scene_start((struct setup){ .policy = each_policy[i],
					    .cpus = 3,
					    .tasks = 3,
					    .objects = 3000 });
		scene.churn = true;
		phase(store_all, true);
		release_phase();
		phase(flush_all, false);
		for (c = 0; c < scene.pool.nr_classes; c++) {
			if (!scene.pool.class[c].size)
				continue;
			zsr_engine_class_stats(scene.pool.e, c, &st);
			used += st.obj_used;
		}
		ck_assert_uint_eq(used, 3 * 1000);
		check_settled();
		scene_end();
	}
}
END_TEST

/* Latencies in four parts a power of two: eight buckets each. */
#define PART     8
#define NR_PARTS (ZSR_HIST_BUCKETS / PART)

static uint64_t part_count(const struct zsr_hist *h, unsigned part)
{
	uint64_t nr = 0;
	unsigned i;

	for (i = 0; i < PART; i++)
		nr += h->bucket[part * PART + i];
	return nr;
}

/* A part between two modes has less than a quarter of either; one with less
 * than a twentieth of all is none. */
struct modes {
	unsigned nr;
	uint64_t at_ns[8]; /* where each begins */
	uint64_t dip_ns; /* and the part before the last one */
};

static struct modes find_modes(const struct zsr_hist *h)
{
	uint64_t n, top = 0, low = 0;
	struct modes m = { 0 };
	unsigned i, at = 0, low_at = 0;
	bool rises = true;

	for (i = 0; i < NR_PARTS; i++) {
		n = part_count(h, i);
		if (rises && n > top) {
			top = n;
			at = i;
		} else if (rises && n < top / 4) {
			if (top >= h->count / 20) {
				ck_assert_uint_lt(m.nr, ZSR_ARRAY_SIZE(m.at_ns));
				m.at_ns[m.nr++] = zsr_hist_low(at * PART);
				m.dip_ns = zsr_hist_low(low_at * PART);
			}
			rises = false;
			low = n;
			low_at = i;
		} else if (!rises && n < low) {
			low = n;
			low_at = i;
		} else if (!rises && n > 4 * low) {
			rises = true;
			top = n;
			at = i;
		}
	}
	return m;
}

static uint64_t slower_than(const struct zsr_hist *h, uint64_t ns)
{
	uint64_t nr = 0;
	unsigned i;

	for (i = zsr_hist_index(ns) + 1; i < ZSR_HIST_BUCKETS; i++)
		nr += h->bucket[i];
	return nr;
}

static struct modes release_modes(const struct zsr_policy *policy,
				  uint64_t pages)
{
	struct setup u = {
		.policy = policy, .cpus = 4, .tasks = 4, .objects = 10000
	};

	if (pages) {
		u.param[0].name = "pool-pages";
		u.param[0].value = pages;
	}
	scene_start(u);
	phase(store_all, true);
	release_phase();
	return find_modes(&scene.latency);
}

static void release_done(void)
{
	phase(flush_all, false);
	check_all_back();
	scene_end();
}

/*
 * A pool that cannot keep up: some releases are done in the caller, and they
 * are a mode of their own, where those of class-idx are. A pool that keeps up
 * has the first one only.
 */
START_TEST(full_pool_falls_back)
{
	struct modes m, whole;
	uint64_t pages, slow;

	whole = release_modes(&zsr_policy_class_idx, 0);
	ck_assert_uint_eq(whole.nr, 1);
	release_done();
	for (pages = 1; pages <= 16; pages *= 4) {
		m = release_modes(&zsr_policy_deferred, pages);
		ck_assert_uint_eq(m.nr, 2);
		ck_assert_uint_gt(m.at_ns[1], 5 * m.at_ns[0]);
		ck_assert_uint_le(m.at_ns[1], whole.at_ns[0] * 3 / 2);
		ck_assert_uint_ge(m.at_ns[1], whole.at_ns[0] * 2 / 3);
		/* All of them, and now and then who changed his page. */
		slow = slower_than(&scene.latency, m.dip_ns);
		ck_assert_uint_ge(slow, scene.pool.fallbacks);
		ck_assert_uint_lt(slow, scene.pool.fallbacks + 500);
		release_done();
	}
	m = release_modes(&zsr_policy_deferred, 1024);
	ck_assert_uint_eq(m.nr, 1);
	ck_assert_uint_eq(scene.pool.fallbacks, 0);
	release_done();
}
END_TEST

/* What nobody drains stays until the flush: partial pages of the CPUs. */
START_TEST(partial_pages_are_stranded)
{
	scene_start((struct setup){ .policy = &zsr_policy_deferred,
				    .cpus = 4,
				    .tasks = 1,
				    .objects = 700 });
	phase(store_all, true);
	release_phase();
	ck_assert_uint_eq(scene.account.depth, 700 - 512);
	ck_assert_uint_gt(scene.account.held_pages, 0);
	phase(flush_all, false);
	ck_assert_uint_eq(scene.account.depth, 0);
	ck_assert_uint_eq(zsr_engine_pages(scene.pool.e), 0);
	scene_end();
}
END_TEST

/*
 * Every policy leaves the allocator as a plain sequence of frees does, where it
 * keeps their order: the objects that were kept lie where they would, and so do
 * those stored after it, so the free lists are the same too.
 */
static void compare_engines(struct zsr_engine *plain, const zsr_handle *h)
{
	struct zsr_place a, b;
	unsigned i, pass;
	zsr_handle theirs, ours;

	for (pass = 0; pass < 2; pass++) {
		for (i = 0; i < scene.objects; i += scene.keep) {
			theirs = h[i];
			ours = scene.pool.slot[actors[0].slot[i]].handle;
			if (pass) {
				ck_assert(!zsr_engine_malloc(plain, size_of(i),
							     &theirs));
				ck_assert(!zsr_engine_malloc(
					scene.pool.e, size_of(i), &ours));
			}
			zsr_engine_place(plain, theirs, &a);
			zsr_engine_place(scene.pool.e, ours, &b);
			ck_assert_mem_eq(&a, &b, sizeof(a));
		}
		ck_assert_uint_eq(zsr_engine_pages(plain),
				  zsr_engine_pages(scene.pool.e));
	}
}

START_TEST(engine_ends_as_after_plain_frees)
{
	static zsr_handle h[MAX_OBJECTS];
	struct zsr_engine *plain;
	unsigned k;
	int i;

	find_policies();
	for (i = 0; i < nr_policies; i++) {
		scene_start((struct setup){ .policy = each_policy[i],
					    .cpus = 4,
					    .tasks = 1,
					    .objects = 3000 });
		scene.keep = 7;
		phase(store_all, true);
		release_phase();
		phase(flush_all, false);
		check_settled();
		ck_assert_uint_eq(scene.pool.fallbacks, 0);
		ck_assert(!zsr_engine_create(&plain, zsr_model_find("6.12"),
					     4096, 8, &scene.err));
		for (k = 0; k < 3000; k++)
			ck_assert(!zsr_engine_malloc(plain, size_of(k), &h[k]));
		for (k = 0; k < 3000; k++)
			if (k % scene.keep)
				zsr_engine_free(plain, h[k]);
		compare_engines(plain, h);
		zsr_engine_destroy(plain);
		scene_end();
	}
}
END_TEST

static void take_cpu(struct zsr_vm *vm, void *arg)
{
	struct scene *s = arg;
	struct zsr_pool *p = &s->pool;

	zsr_vm_sleep_until(vm, vm->c->now + ZSR_MS(1) / 5);
	zsr_vm_cpu_offline(vm, 2);
	if (p->policy->cpu_offline)
		p->policy->cpu_offline(p, 2);
}

/* A CPU may go in the middle of it all. */
START_TEST(cpus_may_go)
{
	int i;

	find_policies();
	for (i = 0; i < nr_policies; i++) {
		scene_start((struct setup){ .policy = each_policy[i],
					    .cpus = 4,
					    .tasks = 4,
					    .objects = 2000 });
		phase(store_all, true);
		ck_assert(zsr_vm_spawn(scene.vm, take_cpu, &scene, 0,
				       scene.vm->end));
		release_phase();
		ck_assert(scene.vm->cpu[2].offline);
		phase(flush_all, false);
		check_all_back();
		scene_end();
	}
}
END_TEST

static uint64_t caller_time(const struct zsr_policy *policy, unsigned tasks)
{
	uint64_t time;

	scene_start((struct setup){
		.policy = policy, .cpus = 4, .tasks = tasks, .objects = 8000 });
	phase(store_all, true);
	time = release_phase();
	scene_end();
	return time;
}

/* When the last page was back, after the first release began. */
static uint64_t return_time(const struct zsr_policy *policy)
{
	uint64_t begin, time;

	scene_start((struct setup){
		.policy = policy, .cpus = 4, .tasks = 1, .objects = 8000 });
	phase(store_all, true);
	begin = scene.vm->end;
	phase(release_all, true);
	time = scene.vm->end - begin;
	scene_end();
	return time;
}

/* With one task class-idx gains little, with four much; deferred shortens the
 * caller, most of all with one, and not by the same factor the time until all
 * work is done. */
START_TEST(expected_effects)
{
	uint64_t sync1 = caller_time(&zsr_policy_sync, 1);
	uint64_t sync4 = caller_time(&zsr_policy_sync, 4);
	uint64_t idx1 = caller_time(&zsr_policy_class_idx, 1);
	uint64_t idx4 = caller_time(&zsr_policy_class_idx, 4);
	uint64_t defer1 = caller_time(&zsr_policy_deferred, 1);

	ck_assert_uint_gt(idx1 * 100, sync1 * 85);
	ck_assert_uint_lt(idx1, sync1);
	ck_assert_uint_lt(idx4 * 100, sync4 * 85);
	ck_assert_uint_lt(defer1 * 2, sync1);
	ck_assert_uint_gt(return_time(&zsr_policy_deferred) * sync1,
			  return_time(&zsr_policy_sync) * defer1 * 3 / 2);
}
END_TEST

ZSR_TEST_MAIN("policies", all_pages_come_back, churn_keeps_live_objects,
	      engine_ends_as_after_plain_frees, cpus_may_go,
	      full_pool_falls_back, partial_pages_are_stranded, expected_effects)
