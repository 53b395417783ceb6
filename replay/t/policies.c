// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every policy on the virtual machine, without a trace: nothing lost, nothing
 * freed twice, all pages back after the flush, the account equal to the
 * engine; and the effects everyone expects.
 */
#include <string.h>

#include "replay/account.h"
#include "replay/machine/virtual/vm.h"
#include "replay/policy/policy.h"
#include "tests/check.h"

#define MAX_OBJECTS 20000

struct scene {
	struct zsr_vm *vm;
	struct zsr_pool pool;
	struct zsr_account account;
	struct zsr_hist queued;
	struct zsr_profile profile;
	struct zsr_hist latency;
	unsigned tasks, objects; /* objects a task */
	bool churn; /* store again while releasing */
	uint32_t releasing;
	uint64_t caller_end;
	struct zsr_err err;
};

struct actor {
	struct scene *s;
	unsigned nr;
	uint32_t slot[MAX_OBJECTS];
	struct zsr_releaser releaser;
};

static struct actor actors[8];
static struct scene scene;

static unsigned size_of(unsigned i)
{
	return 600 + i % 5 * 300;
}

static uint32_t store(struct scene *s, unsigned size)
{
	zsr_handle h = 0;
	int64_t slot;

	ck_assert_int_eq(zsr_pool_malloc(&s->pool, size, &h), 0);
	zsr_order(&s->vm->m);
	slot = zsr_pool_slot_store(&s->pool, h);
	ck_assert_int_ge(slot, 0);
	return (uint32_t)slot;
}

static void store_all(struct zsr_vm *vm, void *arg)
{
	struct actor *a = arg;
	unsigned i;

	vm->c->cur->mode = ZSR_MODE_STORE;
	for (i = 0; i < a->s->objects; i++)
		a->slot[i] = store(a->s, size_of(i));
}

static void gate(struct actor *a, bool begins)
{
	struct zsr_pool *p = &a->s->pool;

	if (!(p->policy->flags & ZSR_POLICY_GATED))
		return;
	zsr_order(p->m);
	a->s->releasing += begins ? 1 : -1u;
	if (begins && p->policy->release_begins)
		p->policy->release_begins(p, &a->releaser);
	else if (!begins && p->policy->release_ends)
		p->policy->release_ends(p, &a->releaser);
}

static void release(struct actor *a, uint32_t slot)
{
	struct zsr_pool *p = &a->s->pool;

	zsr_preempt_disable(p->m);
	p->policy->release(p, &a->releaser, slot);
	if (!(p->policy->flags & ZSR_POLICY_ENTRIES)) {
		zsr_order(p->m);
		zsr_pool_slot_put(p, slot);
	}
	zsr_preempt_enable(p->m);
}

static void release_all(struct zsr_vm *vm, void *arg)
{
	struct actor *a = arg;
	struct scene *s = a->s;
	uint64_t begin;
	unsigned i;

	a->releaser = (struct zsr_releaser){ a->nr, s->objects };
	gate(a, true);
	for (i = 0; i < s->objects; i++) {
		vm->c->cur->mode = ZSR_MODE_GAP;
		zsr_vm_compute(vm, vm->c->cost[ZSR_COST_gap_release]);
		vm->c->cur->mode = ZSR_MODE_RELEASE;
		zsr_order(&vm->m);
		begin = vm->c->now;
		zsr_account_release_begins(&s->account, begin);
		release(a, a->slot[i]);
		zsr_hist_add(&s->latency, zsr_ps_to_ns(vm->c->now - begin));
		if (s->churn && i % 3 == 0) {
			vm->c->cur->mode = ZSR_MODE_STORE;
			store(s, 700);
		}
	}
	gate(a, false);
	s->caller_end = zsr_max(s->caller_end, vm->c->now);
}

static void flush_all(struct zsr_vm *vm, void *arg)
{
	struct scene *s = arg;

	vm->c->cur->mode = ZSR_MODE_TEARDOWN;
	if (s->pool.policy->flush)
		s->pool.policy->flush(&s->pool);
}

static void phase(void (*fn)(struct zsr_vm *, void *), bool actors_only)
{
	unsigned i;
	int ret;

	for (i = 0; i < (actors_only ? scene.tasks : 1); i++)
		zsr_vm_spawn(scene.vm, fn,
			     actors_only ? (void *)&actors[i] : &scene, i,
			     scene.vm->end);
	ret = zsr_vm_run(scene.vm, &scene.err);
	ck_assert_msg(!ret, "%s", scene.err.msg);
	ck_assert_uint_eq(scene.account.total_pages,
			  zsr_engine_pages(scene.pool.e));
}

static void scene_start(const struct zsr_policy *policy, unsigned cpus,
			unsigned tasks, unsigned objects, const char *param,
			uint64_t value)
{
	uint64_t params[ZSR_MAX_PARAMS];
	unsigned i;

	memset(&scene, 0, sizeof(scene));
	scene.tasks = tasks;
	scene.objects = objects;
	zsr_hist_init(&scene.queued);
	zsr_hist_init(&scene.latency);
	for (i = 0; i < policy->nr_params; i++)
		params[i] = param && !strcmp(policy->params[i].name, param)
				    ? value
				    : policy->params[i].def;
	for (i = 0; i < tasks; i++)
		actors[i] = (struct actor){ .s = &scene, .nr = i };
	ck_assert_int_eq(zsr_profile_load("rpi4b", &scene.profile, &scene.err),
			 0);
	ck_assert_int_eq(zsr_vm_create(&scene.vm, &scene.profile, cpus, 4096, 1,
				       &scene.err),
			 0);
	ck_assert_int_eq(
		zsr_account_init(&scene.account, &scene.queued, &scene.err), 0);
	ck_assert_int_eq(zsr_pool_init(&scene.pool, &scene.vm->m,
				       zsr_model_find("6.12"), 4096, 8, policy,
				       params, tasks, &scene.releasing,
				       &scene.account, &scene.err),
			 0);
}

static void scene_end(void)
{
	zsr_pool_destroy(&scene.pool);
	zsr_account_free(&scene.account);
	zsr_vm_destroy(scene.vm);
	zsr_profile_free(&scene.profile);
}

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
			scene_start(each_policy[i], 4, tasks, 3000, NULL, 0);
			phase(store_all, true);
			ck_assert_uint_gt(scene.account.total_pages, 0);
			phase(release_all, true);
			phase(flush_all, false);
			ck_assert_uint_eq(scene.account.depth, 0);
			ck_assert_uint_eq(scene.account.dead_bytes, 0);
			ck_assert_uint_eq(scene.account.held_pages, 0);
			ck_assert_uint_eq(zsr_engine_pages(scene.pool.e), 0);
			ck_assert_uint_eq(scene.vm->pages_used, 0);
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

		scene_start(each_policy[i], 3, 3, 3000, NULL, 0);
		scene.churn = true;
		phase(store_all, true);
		phase(release_all, true);
		phase(flush_all, false);
		for (c = 0; c < scene.pool.nr_classes; c++) {
			if (!scene.pool.class[c].size)
				continue;
			zsr_engine_class_stats(scene.pool.e, c, &st);
			used += st.obj_used;
		}
		ck_assert_uint_eq(used, 3 * 1000);
		ck_assert_uint_eq(scene.account.depth, 0);
		ck_assert_uint_eq(scene.account.held_pages, 0);
		scene_end();
	}
}
END_TEST

/* A pool of one page cannot keep up: some releases are done in the caller,
 * and they cost a whole zs_free, a second mode of the distribution. */
START_TEST(full_pool_falls_back)
{
	uint64_t fast, slow;

	scene_start(&zsr_policy_deferred, 4, 4, 10000, "pool-pages", 1);
	phase(store_all, true);
	phase(release_all, true);
	ck_assert_uint_gt(scene.pool.fallbacks, 1000);
	ck_assert_uint_lt(scene.pool.fallbacks, 40000);
	fast = zsr_hist_quantile(&scene.latency, 1, 100);
	slow = zsr_hist_quantile(&scene.latency, 99, 100);
	ck_assert_uint_gt(slow, 10 * fast);
	phase(flush_all, false);
	ck_assert_uint_eq(zsr_engine_pages(scene.pool.e), 0);
	scene_end();
}
END_TEST

/* What nobody drains stays until the flush: partial pages of the CPUs. */
START_TEST(partial_pages_are_stranded)
{
	scene_start(&zsr_policy_deferred, 4, 1, 700, NULL, 0);
	phase(store_all, true);
	phase(release_all, true);
	ck_assert_uint_eq(scene.account.depth, 700 - 512);
	ck_assert_uint_gt(scene.account.held_pages, 0);
	phase(flush_all, false);
	ck_assert_uint_eq(scene.account.depth, 0);
	ck_assert_uint_eq(zsr_engine_pages(scene.pool.e), 0);
	scene_end();
}
END_TEST

static uint64_t caller_time(const struct zsr_policy *policy, unsigned tasks)
{
	uint64_t begin, time;

	scene_start(policy, 4, tasks, 8000, NULL, 0);
	phase(store_all, true);
	begin = scene.vm->end;
	phase(release_all, true);
	time = scene.caller_end - begin;
	scene_end();
	return time;
}

/* With one task class-idx gains little, with four much; deferred shortens the
 * caller, most of all with one. */
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
}
END_TEST

ZSR_TEST_MAIN("policies", all_pages_come_back, churn_keeps_live_objects,
	      full_pool_falls_back, partial_pages_are_stranded, expected_effects)
