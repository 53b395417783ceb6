// SPDX-License-Identifier: GPL-2.0-only
/*
 * Speed of the virtual machine itself: releases a second of CPU time, by
 * policy, when tasks release what they stored before, no trace and no database
 * around. One task on one CPU, and four tasks on four CPUs that contend for
 * the same few size classes. The best round is the machine's speed, the median
 * what its neighbours left of it today.
 */
#include <stdlib.h>
#include <string.h>

#include "replay/account.h"
#include "replay/machine/virtual/vm.h"
#include "replay/policy/policy.h"

#define OBJECTS 400000 /* in all */
#define ROUNDS  15

struct scene {
	struct zsr_vm *vm;
	struct zsr_pool pool;
	struct zsr_account account;
	struct zsr_hist *latency;
	uint32_t releasing;
};

struct actor {
	struct scene *s;
	struct zsr_releaser releaser;
	uint32_t slot[OBJECTS];
	unsigned nr;
};

static struct zsr_profile profile;
static struct actor actors[4];
static struct zsr_err err;

static void die(void)
{
	fprintf(stderr, "machine bench: %s\n", err.msg);
	exit(1);
}

static void store_all(struct zsr_vm *vm, void *arg)
{
	struct actor *a = arg;
	zsr_handle h;
	unsigned i;

	for (i = 0; i < a->nr; i++) {
		if (zsr_pool_malloc(&a->s->pool, 900 + i % 7 * 40, &h))
			exit(1);
		zsr_vm_sync(vm);
		a->slot[i] = (uint32_t)zsr_pool_slot_store(&a->s->pool, h);
	}
}

static void release_all(struct zsr_vm *vm, void *arg)
{
	struct actor *a = arg;
	struct zsr_pool *p = &a->s->pool;
	uint64_t begin;
	unsigned i;

	for (i = 0; i < a->nr; i++) {
		zsr_vm_mode(vm, ZSR_MODE_GAP);
		zsr_vm_compute(vm, vm->c->cost[ZSR_COST_gap_release]);
		zsr_vm_mode(vm, ZSR_MODE_RELEASE);
		begin = vm->c->now;
		zsr_preempt_disable(&vm->m);
		p->policy->release(p, &a->releaser, a->slot[i]);
		zsr_preempt_enable(&vm->m);
		zsr_hist_add(a->s->latency, zsr_ps_to_ns(vm->c->now - begin));
	}
}

static void flush_all(struct zsr_vm *vm, void *arg)
{
	struct scene *s = arg;

	(void)vm;
	if (s->pool.policy->flush)
		s->pool.policy->flush(&s->pool);
}

static void phase(struct scene *s, void (*fn)(struct zsr_vm *, void *),
		  unsigned tasks)
{
	unsigned i;

	for (i = 0; i < tasks; i++)
		zsr_vm_spawn(s->vm, fn, &actors[i], i, s->vm->end);
	if (!tasks)
		zsr_vm_spawn(s->vm, fn, s, 0, s->vm->end);
	if (zsr_vm_run(s->vm, &err))
		die();
}

/* CPU time (ns) of all releases, until everything is idle. */
static uint64_t measure(const struct zsr_policy *policy, unsigned cpus)
{
	struct scene s = { .latency = calloc(1, sizeof(struct zsr_hist)) };
	uint64_t params[ZSR_MAX_PARAMS], start;
	unsigned i;

	for (i = 0; i < policy->nr_params; i++)
		params[i] = policy->params[i].def;
	for (i = 0; i < cpus; i++) {
		actors[i].s = &s;
		actors[i].nr = OBJECTS / cpus;
		actors[i].releaser = (struct zsr_releaser){ i, OBJECTS / cpus };
	}
	zsr_hist_init(s.latency);
	if (zsr_vm_create(&s.vm, &profile, cpus, 4096, 1, &err) ||
	    zsr_account_init(&s.account, NULL, &err) ||
	    zsr_pool_init(&s.pool, &s.vm->m, zsr_model_find("6.12"), 4096, 8,
			  policy, params, cpus, &s.releasing, &s.account, &err))
		die();
	phase(&s, store_all, cpus);
	zsr_account_release_begins(&s.account, s.vm->end);
	start = zsr_cpu_ns();
	phase(&s, release_all, cpus);
	start = zsr_cpu_ns() - start;
	phase(&s, flush_all, 0);
	zsr_pool_destroy(&s.pool);
	zsr_account_free(&s.account);
	zsr_vm_destroy(s.vm);
	free(s.latency);
	return start;
}

/* All policies, or those named on the command line. */
static bool wanted(const char *name, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (!strcmp(argv[i], name))
			return true;
	return argc == 1;
}

static int by_time(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void bench(const struct zsr_policy *policy)
{
	static const unsigned cpus[] = { 1, 4 };
	uint64_t ns[ROUNDS];
	size_t i, round;

	printf("%-14s", policy->name);
	for (i = 0; i < ZSR_ARRAY_SIZE(cpus); i++) {
		for (round = 0; round < ROUNDS; round++)
			ns[round] = measure(policy, cpus[i]);
		qsort(ns, ROUNDS, sizeof(*ns), by_time);
		printf(" %8.2f %7.2f", OBJECTS * 1e3 / (double)ns[0],
		       OBJECTS * 1e3 / (double)ns[ROUNDS / 2]);
	}
	putchar('\n');
	fflush(stdout);
}

int main(int argc, char **argv)
{
	const struct zsr_policy *p;
	size_t k;

	if (zsr_profile_load("rpi4b", &profile, &err))
		die();
	printf("M releases/s, %d rounds\n"
	       "                  1 CPU            4 CPUs\n"
	       "policy             best  median     best  median\n",
	       ROUNDS);
	for (k = 0; (p = zsr_policies[k]); k++)
		/* Some want to be told of releases. */
		if (!(p->flags & (ZSR_POLICY_GATED | ZSR_POLICY_ENTRIES)) &&
		    wanted(p->name, argc, argv))
			bench(p);
	zsr_profile_free(&profile);
	return 0;
}
