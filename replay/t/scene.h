/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Policies on the virtual machine without a trace: tasks that each store some
 * objects of five sizes and then release them, and a flush.
 */
#ifndef ZSR_REPLAY_T_SCENE_H
#define ZSR_REPLAY_T_SCENE_H

#include <string.h>

#include "replay/account.h"
#include "replay/machine/virtual/vm.h"
#include "replay/policy/policy.h"
#include "tests/check.h"

#define MAX_OBJECTS 20000
#define MAX_TASKS   8

struct scene {
	struct zsr_vm *vm;
	struct zsr_pool pool;
	struct zsr_account account;
	struct zsr_hist queued;
	struct zsr_profile profile;
	struct zsr_hist latency;
	unsigned tasks, objects; /* objects a task */
	unsigned size; /* of all objects; 0: five sizes in turn */
	bool own_class; /* each task has a size of its own */
	unsigned keep; /* every so many-th is not released; 0: none */
	bool churn; /* store again while releasing */
	uint32_t releasing;
	uint64_t release_begin, caller_end;
	struct zsr_err err;
};

struct actor {
	struct scene *s;
	unsigned nr;
	uint32_t slot[MAX_OBJECTS];
	struct zsr_releaser releaser;
};

static struct actor actors[MAX_TASKS];
static struct scene scene;

#define NR_SIZES 5

static inline unsigned size_of(unsigned i)
{
	return 600 + i % NR_SIZES * 300;
}

static inline unsigned size_for(const struct actor *a, unsigned i)
{
	if (a->s->size)
		return a->s->size;
	return size_of(a->s->own_class ? a->nr : i);
}

static inline uint32_t store(struct scene *s, unsigned size)
{
	zsr_handle h = 0;
	int64_t slot;

	ck_assert_int_eq(zsr_pool_malloc(&s->pool, size, &h), 0);
	zsr_order(&s->vm->m);
	slot = zsr_pool_slot_store(&s->pool, h);
	ck_assert_int_ge(slot, 0);
	return (uint32_t)slot;
}

static inline void store_all(struct zsr_vm *vm, void *arg)
{
	struct actor *a = arg;
	unsigned i;

	zsr_vm_mode(vm, ZSR_MODE_STORE);
	for (i = 0; i < a->s->objects; i++)
		a->slot[i] = store(a->s, size_for(a, i));
}

static inline void gate(struct actor *a, bool begins)
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

static inline void release(struct actor *a, uint32_t slot)
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

/* The swap core's part is the policy's where that defers it. */
static inline uint64_t gap_of(const struct zsr_vm *vm)
{
	const uint64_t *cost = vm->c->cost;

	return cost[ZSR_COST_gap_release] -
	       (scene.pool.policy->flags & ZSR_POLICY_ENTRIES
			? cost[ZSR_COST_swap_free]
			: 0);
}

static inline void release_all(struct zsr_vm *vm, void *arg)
{
	struct actor *a = arg;
	struct scene *s = a->s;
	uint64_t begin;
	unsigned i;

	a->releaser = (struct zsr_releaser){ a->nr, s->objects };
	gate(a, true);
	for (i = 0; i < s->objects; i++) {
		if (s->keep && i % s->keep == 0)
			continue;
		zsr_vm_mode(vm, ZSR_MODE_GAP);
		zsr_vm_compute(vm, gap_of(vm));
		zsr_vm_mode(vm, ZSR_MODE_RELEASE);
		zsr_order(&vm->m);
		begin = vm->c->now;
		zsr_account_release_begins(&s->account, begin);
		release(a, a->slot[i]);
		zsr_hist_add(&s->latency, zsr_ps_to_ns(vm->c->now - begin));
		if (s->churn && i % 3 == 0) {
			zsr_vm_mode(vm, ZSR_MODE_STORE);
			store(s, 700);
		}
	}
	gate(a, false);
	s->caller_end = zsr_max(s->caller_end, vm->c->now);
}

static inline void flush_all(struct zsr_vm *vm, void *arg)
{
	struct scene *s = arg;

	zsr_vm_mode(vm, ZSR_MODE_TEARDOWN);
	if (s->pool.policy->flush)
		s->pool.policy->flush(&s->pool);
}

static inline void phase(void (*fn)(struct zsr_vm *, void *), bool actors_only)
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

struct setup {
	const struct zsr_policy *policy;
	unsigned cpus, tasks, objects;
	unsigned page_size; /* 0: 4096 */
	unsigned size; /* as in the scene */
	bool own_class;
	bool exact; /* costs do not scatter */
	struct {
		const char *name;
		uint64_t value;
	} param[4];
};

static inline void set_params(const struct setup *u, uint64_t *params)
{
	const struct zsr_policy *policy = u->policy;
	unsigned i, k, set = 0, named = 0;

	for (i = 0; i < policy->nr_params; i++)
		params[i] = policy->params[i].def;
	for (k = 0; k < ZSR_ARRAY_SIZE(u->param); k++) {
		named += !!u->param[k].name;
		for (i = 0; u->param[k].name && i < policy->nr_params; i++)
			if (!strcmp(policy->params[i].name, u->param[k].name)) {
				params[i] = u->param[k].value;
				set++;
			}
	}
	ck_assert_uint_eq(set, named);
}

static inline void scene_start(struct setup u)
{
	unsigned page_size = u.page_size ? u.page_size : 4096;
	uint64_t params[ZSR_MAX_PARAMS];
	unsigned i;

	memset(&scene, 0, sizeof(scene));
	scene.tasks = u.tasks;
	scene.objects = u.objects;
	scene.size = u.size;
	scene.own_class = u.own_class;
	zsr_hist_init(&scene.queued);
	zsr_hist_init(&scene.latency);
	set_params(&u, params);
	for (i = 0; i < u.tasks; i++)
		actors[i] = (struct actor){ .s = &scene, .nr = i };
	ck_assert_int_eq(zsr_profile_load("rpi4b", &scene.profile, &scene.err),
			 0);
	if (u.exact)
		scene.profile.spread = 0;
	ck_assert_int_eq(zsr_vm_create(&scene.vm, &scene.profile, u.cpus,
				       page_size, 1, &scene.err),
			 0);
	ck_assert_int_eq(
		zsr_account_init(&scene.account, &scene.queued, &scene.err), 0);
	ck_assert_int_eq(
		zsr_pool_init(&scene.pool, &scene.vm->m, zsr_model_find("6.12"),
			      page_size, 8, u.policy, params, u.tasks,
			      &scene.releasing, &scene.account, &scene.err),
		0);
}

static inline void scene_end(void)
{
	zsr_pool_destroy(&scene.pool);
	zsr_account_free(&scene.account);
	zsr_vm_destroy(scene.vm);
	zsr_profile_free(&scene.profile);
}

/* Nothing waits, and the account says what the engine says. */
static inline void check_settled(void)
{
	ck_assert_uint_eq(scene.account.depth, 0);
	ck_assert_uint_eq(scene.account.dead_bytes, 0);
	ck_assert_uint_eq(scene.account.held_pages, 0);
	ck_assert_uint_eq(scene.account.total_pages,
			  zsr_engine_pages(scene.pool.e));
}

static inline void check_all_back(void)
{
	check_settled();
	ck_assert_uint_eq(zsr_engine_pages(scene.pool.e), 0);
	ck_assert_uint_eq(scene.vm->pages_used, 0);
}

/* All of them release; how long that took until the last one was done, ps. */
static inline uint64_t release_phase(void)
{
	scene.release_begin = scene.vm->end;
	phase(release_all, true);
	return scene.caller_end - scene.release_begin;
}

/* A whole scene: store, release, flush; everything is back at its end. */
static inline void play_scene(void)
{
	phase(store_all, true);
	ck_assert_uint_gt(scene.account.total_pages, 0);
	release_phase();
	phase(flush_all, false);
	check_all_back();
}

/* Of all class locks together. */
static inline struct zsr_lock_stats class_locks(void)
{
	struct zsr_lock_stats sum = { 0 };
	unsigned i;

	for (i = 0; i < scene.pool.nr_classes; i++) {
		const struct zsr_lock_stats *l = &scene.pool.class[i].lock.stats;

		sum.acquired += l->acquired;
		sum.contended += l->contended;
		sum.wait += l->wait;
		sum.hold += l->hold;
	}
	return sum;
}

#endif
