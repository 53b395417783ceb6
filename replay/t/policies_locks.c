// SPDX-License-Identifier: GPL-2.0-only
/*
 * The policies without a queue beyond their caller, by hand: which locks they
 * take how often, how long they hold them, what a release costs.
 */
#include "replay/policy/locking.h"
#include "replay/t/scene.h"

static uint64_t cost(enum zsr_cost c)
{
	return scene.profile.cost_ps[c];
}

/* What giving back a zspage of one page takes. */
static uint64_t page_back(void)
{
	return cost(ZSR_COST_page_reset) + cost(ZSR_COST_page_free) +
	       cost(ZSR_COST_zspage_free) + cost(ZSR_COST_atomic);
}

/* One task that stores 100 objects of a page each; ready to release them. */
static void start_pages(const struct zsr_policy *policy)
{
	scene_start((struct setup){ .policy = policy,
				    .cpus = 4,
				    .tasks = 1,
				    .objects = 100,
				    .size = 4096,
				    .exact = true });
	phase(store_all, true);
}

static uint64_t hold_of_release(const struct zsr_policy *policy)
{
	uint64_t before, hold;

	start_pages(policy);
	before = class_locks().hold;
	release_phase();
	hold = class_locks().hold - before;
	check_all_back();
	scene_end();
	return hold;
}

/* With unlock-first nobody waits for the page allocator under a class lock. */
START_TEST(unlock_first_holds_shorter)
{
	uint64_t sync = hold_of_release(&zsr_policy_sync);
	uint64_t first = hold_of_release(&zsr_policy_unlock_first);

	start_pages(&zsr_policy_sync);
	ck_assert_uint_eq(sync - first, 100 * page_back());
	scene_end();
}
END_TEST

/* sync-6.1 takes one lock, for stores and frees of all classes; a store that
 * builds a zspage takes it twice. */
START_TEST(one_lock_for_all)
{
	start_pages(&zsr_policy_sync_6_1);
	release_phase();
	check_all_back();
	/* Stores take it twice, and once more after building a zspage. */
	ck_assert_uint_eq(scene.pool.big_lock.stats.acquired, 300 + 100);
	ck_assert_uint_eq(class_locks().acquired, 0);
	ck_assert_uint_eq(scene.pool.lock.stats.acquired, 0);
	scene_end();
	start_pages(&zsr_policy_unlock_first);
	release_phase();
	check_all_back();
	ck_assert_uint_eq(scene.pool.big_lock.stats.acquired, 0);
	ck_assert_uint_eq(class_locks().acquired, 200 + 100);
	ck_assert_uint_eq(scene.pool.lock.stats.acquired, 100 + 100);
	scene_end();
}
END_TEST

static void four_classes(const struct zsr_policy *policy)
{
	scene_start((struct setup){ .policy = policy,
				    .cpus = 4,
				    .tasks = 4,
				    .objects = 2000,
				    .own_class = true });
	play_scene();
}

/* Tasks whose objects are of different classes meet at the one lock only. */
START_TEST(classes_part_the_tasks)
{
	four_classes(&zsr_policy_sync_6_1);
	ck_assert_uint_gt(scene.pool.big_lock.stats.contended, 4000);
	scene_end();
	four_classes(&zsr_policy_unlock_first);
	ck_assert_uint_eq(class_locks().contended, 0);
	scene_end();
}
END_TEST

static void free_now_all(struct zsr_vm *vm, void *arg)
{
	struct actor *a = arg;
	struct zsr_pool *p = &a->s->pool;
	unsigned i;

	zsr_vm_mode(vm, ZSR_MODE_RELEASE);
	for (i = 0; i < a->s->objects; i++)
		p->policy->free_now(p, zsr_pool_slot_take(p, a->slot[i]));
	a->s->caller_end = vm->c->now;
}

struct frees {
	uint64_t time, hold, class_locks, pool_locks;
};

/* What 100 frees take that the policy does not defer. */
static struct frees free_now(const struct zsr_policy *policy, uint64_t locking)
{
	struct setup u = { .policy = policy,
			   .cpus = 4,
			   .tasks = 1,
			   .objects = 100,
			   .size = 4096,
			   .exact = true };
	struct frees f = { 0 };
	uint64_t begin;

	if (policy == &zsr_policy_array || policy == &zsr_policy_deferred) {
		u.param[0].name = "locking";
		u.param[0].value = locking;
	}
	scene_start(u);
	phase(store_all, true);
	begin = scene.vm->end;
	f.pool_locks = scene.pool.lock.stats.acquired;
	f.hold = class_locks().hold;
	phase(free_now_all, true);
	f.time = scene.caller_end - begin;
	f.hold = class_locks().hold - f.hold;
	f.pool_locks = scene.pool.lock.stats.acquired - f.pool_locks;
	check_all_back();
	scene_end();
	return f;
}

/* Each locking that a policy can choose is the policy of that name. */
START_TEST(lockings_are_the_policies)
{
	struct frees named[ZSR_NR_LOCKINGS], chosen;
	const struct zsr_policy *policy;
	unsigned i;

	for (i = 0; i < ZSR_NR_LOCKINGS; i++) {
		policy = zsr_policy_find(zsr_locking_names[i]);
		ck_assert(policy);
		named[i] = free_now(policy, 0);
		chosen = free_now(&zsr_policy_array, i);
		ck_assert_mem_eq(&named[i], &chosen, sizeof(chosen));
		chosen = free_now(&zsr_policy_deferred, i);
		ck_assert_mem_eq(&named[i], &chosen, sizeof(chosen));
	}
	ck_assert(!zsr_locking_names[i]);
	ck_assert_uint_gt(named[ZSR_LOCKING_SYNC].hold,
			  named[ZSR_LOCKING_UNLOCK_FIRST].hold);
	ck_assert_uint_eq(named[ZSR_LOCKING_UNLOCK_FIRST].pool_locks, 100);
	ck_assert_uint_eq(named[ZSR_LOCKING_CLASS_IDX].pool_locks, 0);
}
END_TEST

/* Locks from the release of 100 objects to the flush's end, where the worker is
 * not needed before. */
static struct frees deferred_locks(const struct zsr_policy *policy,
				   uint64_t locking, unsigned size)
{
	struct frees f = { 0 };

	scene_start((struct setup){ .policy = policy,
				    .cpus = 4,
				    .tasks = 1,
				    .objects = 100,
				    .size = size,
				    .exact = true,
				    .param = { { "locking", locking } } });
	phase(store_all, true);
	f.class_locks = class_locks().acquired;
	f.hold = class_locks().hold;
	f.pool_locks = scene.pool.lock.stats.acquired;
	release_phase();
	phase(flush_all, false);
	f.class_locks = class_locks().acquired - f.class_locks;
	f.hold = class_locks().hold - f.hold;
	f.pool_locks = scene.pool.lock.stats.acquired - f.pool_locks;
	check_all_back();
	scene_end();
	return f;
}

/* A drained page of one class is one run, of five classes in turn a run each
 * handle; each takes the class lock, and the older lockings the pool's around
 * it. */
START_TEST(drain_takes_the_locks_of_its_kernel)
{
	const struct zsr_policy *deferred = &zsr_policy_deferred;
	struct frees f[ZSR_NR_LOCKINGS];
	unsigned i;

	for (i = 0; i < ZSR_NR_LOCKINGS; i++) {
		bool pool_lock = i != ZSR_LOCKING_CLASS_IDX;

		f[i] = deferred_locks(deferred, i, 0);
		ck_assert_uint_eq(f[i].class_locks, 100);
		ck_assert_uint_eq(f[i].pool_locks, pool_lock ? 100 : 0);
		f[i] = deferred_locks(deferred, i, 4096);
		ck_assert_uint_eq(f[i].class_locks, 1);
		ck_assert_uint_eq(f[i].pool_locks, pool_lock ? 1 : 0);
	}
	/* 100 zspages of a page each are given back with the lock held. */
	ck_assert_uint_eq(f[ZSR_LOCKING_SYNC].hold,
			  f[ZSR_LOCKING_UNLOCK_FIRST].hold + 100 * page_back());
}
END_TEST

/* Callers do that whole zs_free but for the pages. */
START_TEST(zspages_are_put_off_under_any_locking)
{
	struct frees f[ZSR_NR_LOCKINGS];
	unsigned i;

	for (i = 0; i < ZSR_NR_LOCKINGS; i++) {
		f[i] = deferred_locks(&zsr_policy_defer_zspage, i, 4096);
		ck_assert_uint_eq(f[i].class_locks, 100);
	}
	ck_assert_uint_eq(f[ZSR_LOCKING_SYNC].pool_locks, 100);
	ck_assert_uint_eq(f[ZSR_LOCKING_UNLOCK_FIRST].pool_locks, 100);
	ck_assert_uint_eq(f[ZSR_LOCKING_CLASS_IDX].pool_locks, 0);
	ck_assert_uint_gt(f[ZSR_LOCKING_SYNC].hold,
			  f[ZSR_LOCKING_UNLOCK_FIRST].hold);
}
END_TEST

/* ---- class-batch ----------------------------------------------------------- */

static uint64_t class_locks_of_release(const struct zsr_policy *policy,
				       const char *param, uint64_t value)
{
	struct setup u = {
		.policy = policy, .cpus = 4, .tasks = 1, .objects = 2600
	};
	uint64_t before;

	u.param[0].name = param;
	u.param[0].value = value;
	scene_start(u);
	phase(store_all, true);
	before = class_locks().acquired;
	release_phase();
	check_all_back(); /* without a flush */
	ck_assert_uint_eq(scene.vm->works_run, 0);
	ck_assert_uint_eq(scene.pool.fallbacks, 0);
	ck_assert_uint_le(scene.account.peak_depth, value ? value : 0);
	before = class_locks().acquired - before;
	scene_end();
	return before;
}

/* 2600 objects of five classes in turn: 40 batches of 64 and one of 40, each
 * of five groups; nobody else is involved. */
START_TEST(batch_takes_a_lock_a_group)
{
	ck_assert_uint_eq(
		class_locks_of_release(&zsr_policy_class_idx, NULL, 0), 2600);
	ck_assert_uint_eq(
		class_locks_of_release(&zsr_policy_class_batch, "batch", 64),
		41 * NR_SIZES);
	ck_assert_uint_eq(
		class_locks_of_release(&zsr_policy_class_batch, "batch", 512),
		6 * NR_SIZES);
	ck_assert_uint_eq(
		class_locks_of_release(&zsr_policy_class_batch, "batch", 1),
		2600);
}
END_TEST

static uint64_t time_of_pages(const struct zsr_policy *policy)
{
	uint64_t time;

	start_pages(policy);
	time = release_phase();
	check_all_back();
	scene_end();
	return time;
}

/* 100 handles of one class: pushed and popped, and two locks instead of 100. */
START_TEST(batch_costs)
{
	uint64_t idx = time_of_pages(&zsr_policy_class_idx);
	uint64_t batch = time_of_pages(&zsr_policy_class_batch);

	start_pages(&zsr_policy_class_batch);
	ck_assert_uint_eq(batch + 98 * (cost(ZSR_COST_spin_lock) +
					cost(ZSR_COST_spin_unlock)),
			  idx + 100 * (cost(ZSR_COST_push) + cost(ZSR_COST_pop)));
	scene_end();
}
END_TEST

/* ---- ideal ------------------------------------------------------------------- */

/* What is left of a release, the caller's own switch to it apart. */
static void ideal(uint64_t level, bool swap_core, bool slot)
{
	uint64_t each;

	scene_start((struct setup){ .policy = &zsr_policy_ideal,
				    .cpus = 4,
				    .tasks = 4,
				    .objects = 1000,
				    .exact = true,
				    .param = { { "level", level } } });
	each = cost(ZSR_COST_gap_release);
	if (!swap_core)
		each -= cost(ZSR_COST_swap_free);
	if (slot)
		each += cost(ZSR_COST_slot);
	phase(store_all, true);
	ck_assert_uint_eq(release_phase(),
			  1000 * each + cost(ZSR_COST_context_switch));
	check_all_back();
	ck_assert_uint_eq(scene.vm->works_run, 0);
	scene_end();
}

START_TEST(ideal_costs_nothing)
{
	ideal(0, false, false);
	ideal(1, true, false);
	ideal(2, true, true);
}
END_TEST

/* No policy has a faster caller, or gives pages back sooner. */
START_TEST(ideal_is_a_bound)
{
	uint64_t bound = 0, back = 0, time;
	int i;

	for (i = 0; zsr_policies[i]; i++)
		if (zsr_policies[i] == &zsr_policy_ideal)
			break;
	for (; i >= 0; i--) {
		scene_start((struct setup){ .policy = zsr_policies[i],
					    .cpus = 4,
					    .tasks = 4,
					    .objects = 3000 });
		phase(store_all, true);
		time = release_phase();
		if (zsr_policies[i] == &zsr_policy_ideal) {
			bound = time;
			back = scene.vm->end - scene.release_begin;
			ck_assert_uint_le(back, 2 * bound);
		}
		phase(flush_all, false);
		ck_assert_uint_ge(time, bound);
		ck_assert_uint_ge(scene.vm->end - scene.release_begin, back);
		check_all_back();
		scene_end();
	}
}
END_TEST

ZSR_TEST_MAIN("policies_locks", unlock_first_holds_shorter, one_lock_for_all,
	      classes_part_the_tasks, lockings_are_the_policies,
	      drain_takes_the_locks_of_its_kernel,
	      zspages_are_put_off_under_any_locking, batch_takes_a_lock_a_group,
	      batch_costs, ideal_costs_nothing, ideal_is_a_bound)
