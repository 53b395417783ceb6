// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every policy under every schedule of small scenarios, up to a bound on
 * preemptions: nothing lost, nothing freed twice or without its lock, no
 * deadlock, nothing queued after the flush, the account equal to the engine.
 * Broken variants of `deferred` (explore/broken_*.c) are found out.
 *
 * What is run is printed: how many tasks release how many objects each, under
 * which bound, in how many schedules. ZSR_EXPLORE_MORE=n allows n preemptions
 * more than `make check` does (`make explore MORE=n`), ZSR_EXPLORE_ONLY=policy
 * leaves out the others, ZSR_EXPLORE_SHOW=1 prints what the broken ones do.
 */
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

#include "replay/t/explore/oracle.h"
#include "replay/policy/percpu.h"
#include "tests/check.h"

extern const struct zsr_policy zsr_broken_kick;
extern const struct zsr_policy zsr_broken_recheck;

#define MAX_PRODUCERS 3
#define MAX_OBJECTS   4

/* Buffers of a few entries: parameters of that name, in every policy. */
static const struct small {
	const char *param;
	uint64_t value;
} small[] = {
	{ "pool-pages", 1 },  { "page-entries", 2 }, { "run-pages", 1 },
	{ "pool-kib", 1 },    { "entry-bytes", 64 }, { "capacity", 1 },
	{ "batch", 2 },       { "batch-pages", 1 },  { "inline", 1 },
	{ "kick", 2 },        { "run", 1 },          { "min-objects", 0 },
	{ "min-exiting", 1 },
};

/* And bytes of a page, where that is what bounds a buffer: two entries. */
static const struct small_page {
	const char *policy;
	unsigned bytes;
} small_pages[] = {
	{ "deferred-slot", 128 },
	{ "exit-gather", 32 },
	{ "array", 1u << 19 },
};

/* One scenario, and what is made of it for each run. */
struct play {
	unsigned producers, objects; /* objects of each */
	struct zsr_explore_scenario scenario;
	struct zsr_explore_limits limits;
	const struct zsr_policy *given;
	bool store; /* a task that stores meanwhile */
	bool compact; /* one that compacts */
	bool offline; /* one that takes CPU 0 away */
	bool timers; /* partial buffers are flushed after a while */
	uint64_t pool_pages; /* 0: as above */
	uint64_t entries; /* of a buffer whose entries are counted; 0: two */
	bool broken; /* its own memory cannot be given back */
	char name[128];

	struct zsr_explore *x;
	struct zsr_policy policy;
	struct zsr_pool pool;
	struct zsr_account account;
	uint32_t nr_releasing;
	uint32_t slot[MAX_PRODUCERS][MAX_OBJECTS];
	zsr_handle stored; /* by the task that does */
};

static struct play play;

/* ---- what the tasks do ---------------------------------------------------- */

/* Every other object has a zspage of its own, the rest share zspages of two
 * with the other producers' ones. */
static size_t size_of(unsigned nr)
{
	return nr % 2 ? 2000 : 4000;
}

static void gate_enter(const struct zsr_releaser *r)
{
	zsr_order(play.pool.m);
	play.nr_releasing++;
	if (play.policy.release_begins)
		play.policy.release_begins(&play.pool, r);
}

static void gate_leave(const struct zsr_releaser *r)
{
	if (play.policy.release_ends)
		play.policy.release_ends(&play.pool, r);
	zsr_order(play.pool.m);
	play.nr_releasing--;
}

/* As the player does it. */
static void produce(struct zsr_explore *x, void *arg)
{
	struct zsr_pool *p = &play.pool;
	struct zsr_releaser r = { .task = (uint32_t)(uintptr_t)arg,
				  .objects = play.objects };
	uint32_t slot;
	unsigned i;

	(void)x;
	for (i = 0; i < play.objects; i++) {
		slot = play.slot[r.task][i];
		zsr_preempt_disable(p->m);
		if (!i)
			gate_enter(&r);
		oracle_released(p->slot[slot].handle);
		play.policy.release(p, &r, slot);
		if (p->slot[slot].pending)
			zsr_order(p->m);
		if (!(play.policy.flags & ZSR_POLICY_ENTRIES))
			zsr_pool_slot_put(p, slot);
		if (i + 1 == play.objects)
			gate_leave(&r);
		zsr_preempt_enable(p->m);
	}
}

static void store(struct zsr_explore *x, void *arg)
{
	zsr_handle h;

	(void)arg;
	if (zsr_pool_malloc(&play.pool, size_of(1), &h))
		zsr_explore_fail(x, "the store found no memory");
	zsr_order(play.pool.m);
	play.stored = h;
	zsr_pool_slot_store(&play.pool, h);
}

static void compact(struct zsr_explore *x, void *arg)
{
	(void)x;
	(void)arg;
	zsr_pool_compact(&play.pool);
}

static void offline(struct zsr_explore *x, void *arg)
{
	(void)arg;
	zsr_explore_cpu_offline(x, 0);
	if (play.policy.cpu_offline)
		play.policy.cpu_offline(&play.pool, 0);
}

/* After all the others. */
static void flush(struct zsr_explore *x, void *ctx)
{
	(void)ctx;
	if (play.policy.flush)
		play.policy.flush(&play.pool);
	if (zsr_explore_nr_works(x))
		zsr_explore_fail(x, "work is queued after the flush");
	oracle_finish();
}

/* ---- a run ------------------------------------------------------------------- */

static int small_setup(struct zsr_pool *p)
{
	size_t i;

	for (i = 0; i < ZSR_ARRAY_SIZE(small_pages); i++)
		if (!strcmp(small_pages[i].policy, play.given->name))
			p->page_size = small_pages[i].bytes;
	return play.given->setup ? play.given->setup(p) : 0;
}

static uint64_t small_value(const struct zsr_param *param)
{
	uint64_t value = param->def;
	size_t i;

	for (i = 0; i < ZSR_ARRAY_SIZE(small); i++)
		if (!strcmp(small[i].param, param->name))
			value = small[i].value;
	if (value == 2 && play.entries && value != param->def)
		value = play.entries;
	if (!strcmp(param->name, "flush-ms"))
		value = play.timers;
	if (!strcmp(param->name, "workers"))
		value = zsr_min(play.scenario.workers, 2u);
	if (!strcmp(param->name, "pool-pages") && play.pool_pages)
		value = play.pool_pages;
	return zsr_min(zsr_max(value, param->min), param->max);
}

/* A compaction goes over all classes; these are in use. */
static void forget_classes(struct zsr_pool *p)
{
	unsigned i;
	int a = zsr_engine_size_class(p->e, size_of(0));
	int b = zsr_engine_size_class(p->e, size_of(1));

	for (i = 0; i < p->nr_classes; i++)
		if ((int)i != a && (int)i != b)
			p->class[i].size = 0;
}

static void fill(struct zsr_explore *x)
{
	unsigned i, t;
	zsr_handle h;

	for (i = 0; i < play.objects; i++)
		for (t = 0; t < play.producers; t++) {
			if (zsr_pool_malloc(&play.pool, size_of(i), &h))
				zsr_explore_fail(x, "no memory to begin with");
			play.slot[t][i] =
				(uint32_t)zsr_pool_slot_store(&play.pool, h);
		}
}

static void spawn(struct zsr_explore *x, const char *name, unsigned cpu,
		  void (*fn)(struct zsr_explore *x, void *arg), uintptr_t arg)
{
	zsr_explore_spawn(x, name, cpu, fn, (void *)arg);
}

static void spawn_all(struct zsr_explore *x)
{
	static const char *const name[] = { "p0", "p1", "p2" };
	unsigned i;

	for (i = 0; i < play.producers; i++)
		spawn(x, name[i], i, produce, i);
	if (play.store)
		spawn(x, "store", i, store, 0);
	if (play.compact)
		spawn(x, "compact", i, compact, 0);
	if (play.offline)
		spawn(x, "hotplug", 1, offline, 0);
}

static int begin(struct zsr_explore *x, void *ctx, struct zsr_err *err)
{
	uint64_t params[ZSR_MAX_PARAMS];
	unsigned i;
	int ret;

	(void)ctx;
	memset(&play.x, 0, sizeof(play) - offsetof(struct play, x));
	play.x = x;
	play.policy = *play.given;
	play.policy.setup = small_setup;
	play.account.book = &zsr_oracle_book;
	for (i = 0; i < play.given->nr_params; i++)
		params[i] = small_value(&play.given->params[i]);
	ret = zsr_pool_init(&play.pool, zsr_explore_machine(x),
			    zsr_model_find("6.12"), 4096, 8, &play.policy,
			    params, play.producers, &play.nr_releasing,
			    &play.account, err);
	if (ret)
		return ret;
	oracle_start(x, &play.pool, play.limits.merge);
	forget_classes(&play.pool);
	fill(x);
	spawn_all(x);
	return 0;
}

static void end(struct zsr_explore *x, void *ctx)
{
	const struct zsr_account *a = &play.account;
	uint64_t pages;

	(void)ctx;
	if (play.stored) {
		oracle_released(play.stored);
		play.policy.free_now(&play.pool, play.stored);
	}
	if (play.policy.flush)
		play.policy.flush(&play.pool);
	pages = zsr_engine_pages(play.pool.e);
	if (a->depth || a->dead_bytes || a->held_pages)
		zsr_explore_fail(x,
				 "the account has %llu entries and %llu "
				 "bytes queued, %llu pages held back",
				 (unsigned long long)a->depth,
				 (unsigned long long)a->dead_bytes,
				 (unsigned long long)a->held_pages);
	if (a->total_pages != pages)
		zsr_explore_fail(x,
				 "the account has %llu pages, the engine "
				 "%llu",
				 (unsigned long long)a->total_pages,
				 (unsigned long long)pages);
	if (zsr_explore_pages(x) != (int64_t)pages)
		zsr_explore_fail(x,
				 "%lld pages are allocated, the engine has "
				 "%llu",
				 (long long)zsr_explore_pages(x),
				 (unsigned long long)pages);
	if (pages)
		zsr_explore_fail(x, "%llu pages stay",
				 (unsigned long long)pages);
	if (a->error)
		zsr_explore_fail(x, "the host failed");
	if (play.broken)
		play.policy.teardown = NULL;
	zsr_pool_destroy(&play.pool);
}

static uint64_t slot_word(const struct zsr_slot *slot)
{
	if (!slot->handle)
		return 0;
	return 2 + 2 * oracle.object[slot->handle] + slot->pending;
}

/* Slots and counts that are looked at behind zsr_order() alone. */
static uint64_t digest(void *ctx)
{
	const struct zsr_pool *p = &play.pool;
	uint64_t sum = play.nr_releasing + 8u * p->compact.running;
	const struct zsr_words *w;
	size_t i, at = p->first_free_slot;

	(void)ctx;
	for (i = 0; i < p->nr_slots; i++)
		sum = (sum ^ slot_word(&p->slot[i])) * 0x9E3779B97F4A7C15ull;
	for (w = p->free_slots; w; w = w->next, at = 0)
		for (; at < w->count; at++)
			sum = (sum ^ w->word[at]) * 0xBF58476D1CE4E5B9ull;
	return sum;
}

static bool name_of(void *ctx, const void *object, char *buf, size_t size)
{
	const struct zsr_pool *p = &play.pool;
	const char *at = object;
	size_t i;

	(void)ctx;
	if (object == &p->lock || object == &p->big_lock)
		return snprintf(buf, size, "pool lock");
	if (object == &p->page_count)
		return snprintf(buf, size, "page counter");
	if (at < (const char *)p->class ||
	    at >= (const char *)(p->class + p->nr_classes))
		return false;
	i = (size_t)(at - (const char *)p->class) / sizeof(*p->class);
	return snprintf(buf, size, "class %u%s", p->class[i].size,
			object == &p->class[i].lock ? " lock" : " data");
}

/* ---- exploring ------------------------------------------------------------------ */

static const char *extras(void)
{
	static char buf[64];

	snprintf(buf, sizeof(buf), "%s%s%s%s%s%s%s",
		 play.scenario.workers > 1 ? ", workers" : "",
		 play.store ? ", store" : "", play.compact ? ", compact" : "",
		 play.offline ? ", offline" : "", play.timers ? ", timers" : "",
		 play.scenario.pages_fail ? ", no page" : "",
		 play.scenario.migrate ? ", moves" : "");
	return buf;
}

static void report(const struct zsr_explore_result *r)
{
	char bound[32] = "any";

	if (r->preemptions != UINT32_MAX)
		snprintf(bound, sizeof(bound), "<= %u", r->preemptions);
	printf("# %-34s %5s preemptions: %7llu schedules%s%s\n", play.name,
	       bound, (unsigned long long)r->runs,
	       play.limits.merge ? ", merged" : "",
	       play.limits.fine ? ", fine" : "");
	fflush(stdout);
}

static struct zsr_explore_result play_run(const struct zsr_policy *policy)
{
	struct zsr_explore_result r;
	struct zsr_err err = { 0 };

	play.given = policy;
	play.scenario.name = play.name;
	play.scenario.cpus = 2;
	play.scenario.timers = 2;
	play.scenario.begin = begin;
	play.scenario.last = flush;
	play.scenario.end = end;
	play.scenario.name_of = name_of;
	play.scenario.digest = digest;
	snprintf(play.name, sizeof(play.name), "%s: %u x %u%s", policy->name,
		 play.producers, play.objects, extras());
	ck_assert_msg(!zsr_explore(&play.scenario, &play.limits, &r, &err),
		      "%s", err.msg);
	report(&r);
	return r;
}

static bool left_out(const struct zsr_policy *policy)
{
	const char *only = getenv("ZSR_EXPLORE_ONLY");

	return only && strcmp(only, policy->name) != 0;
}

/* Sanitizers take their time. */
static unsigned bound(unsigned preemptions)
{
	const char *more = getenv("ZSR_EXPLORE_MORE");

#ifdef __SANITIZE_ADDRESS__
	if (preemptions == UINT32_MAX || preemptions == 2)
		preemptions = 1;
#endif
	if (more && preemptions != UINT32_MAX)
		preemptions += (unsigned)atoi(more);
	return preemptions;
}

/* As a comment of TAP. */
static void show(const char *schedule)
{
	const char *end;

	for (; (end = strchr(schedule, '\n')); schedule = end + 1)
		printf("#   %.*s\n", (int)(end - schedule), schedule);
	fflush(stdout);
}

static void all_hold(struct play what)
{
	const struct zsr_policy *const *p;
	struct zsr_explore_result r;

	for (p = zsr_policies; *p; p++) {
		if (left_out(*p))
			continue;
		play = what;
		play.limits.preemptions = bound(what.limits.preemptions);
		r = play_run(*p);
		if (r.failed)
			show(r.schedule);
		ck_assert_msg(!r.failed, "%s: %s", play.name, r.why);
		ck_assert(r.complete);
	}
}

#define MERGED(k)       .limits = { .preemptions = (k), .merge = true }
#define FINE(k)         .limits = { .preemptions = (k), .fine = true }
#define PLAIN(k)        .limits = { .preemptions = (k) }
#define WORKERS(n, ...) .scenario = { .workers = (n), __VA_ARGS__ }

/* One release of each of two tasks: no bound at all. */
START_TEST(smallest)
{
	all_hold((struct play){ 2, 1, WORKERS(1), MERGED(UINT32_MAX) });
}
END_TEST

START_TEST(two_producers)
{
	all_hold((struct play){ 2, 2, WORKERS(1), MERGED(2) });
	all_hold((struct play){ 2, 3, WORKERS(1), PLAIN(1) });
	all_hold((struct play){ 2, 2, WORKERS(1), FINE(1) });
}
END_TEST

START_TEST(three_producers)
{
	all_hold((struct play){ 3, 2, WORKERS(1), MERGED(1) });
}
END_TEST

/* Buffers of three and four: one fills up with the last release, or not. */
START_TEST(larger_buffers)
{
	all_hold((struct play){ 2, 4, WORKERS(1), MERGED(1), .entries = 3 });
	all_hold((struct play){ 2, 4, WORKERS(1), MERGED(0), .entries = 4 });
}
END_TEST

START_TEST(three_producers_two_workers)
{
	all_hold((struct play){ 3, 2, WORKERS(2), MERGED(1) });
}
END_TEST

START_TEST(two_workers)
{
	all_hold((struct play){ 2, 3, WORKERS(2), MERGED(1) });
}
END_TEST

START_TEST(moving_tasks)
{
	all_hold((struct play){ 2, 2, WORKERS(1, .migrate = true), MERGED(2) });
}
END_TEST

START_TEST(stores_between)
{
	all_hold((struct play){ 2, 2, WORKERS(1), MERGED(2), .store = true });
	all_hold((struct play){ 2, 2, WORKERS(1), FINE(1), .store = true });
}
END_TEST

START_TEST(compaction_between)
{
	all_hold((struct play){ 2, 2, WORKERS(1), MERGED(1), .compact = true });
}
END_TEST

START_TEST(cpu_goes)
{
	all_hold((struct play){ 2, 3, WORKERS(1), MERGED(1), .offline = true });
	/* Timers' work waits for that of others: a worker each. */
	all_hold((struct play){ 1, 3, WORKERS(3), MERGED(2), .offline = true,
				.timers = true });
}
END_TEST

START_TEST(timers_flush)
{
	all_hold((struct play){ 1, 3, WORKERS(3), MERGED(2), .timers = true });
	all_hold((struct play){ 2, 3, WORKERS(3), MERGED(1), .timers = true });
}
END_TEST

START_TEST(no_page)
{
	all_hold((struct play){ 2, 2, WORKERS(1, .pages_fail = true),
				MERGED(2) });
}
END_TEST

/* ---- broken on purpose ------------------------------------------------------------ */

/* Found with so many preemptions; the schedule says where. */
static void must_fail(const struct zsr_policy *policy, struct play what,
		      unsigned preemptions, const char *why)
{
	struct zsr_explore_result r;

	play = what;
	play.broken = true;
	play.pool_pages = 2;
	r = play_run(policy);
	ck_assert(r.failed);
	printf("#   %s, after %llu steps\n", r.why,
	       (unsigned long long)r.schedule_steps);
	ck_assert_msg(strstr(r.why, why), "%s", r.why);
	ck_assert_uint_eq(r.preemptions, preemptions);
	if (getenv("ZSR_EXPLORE_SHOW"))
		show(r.schedule);
	zsr_explore_result_free(&r);
}

START_TEST(broken_variants_are_found)
{
	const struct play two = { 2, 3, WORKERS(1), PLAIN(2) };
	struct zsr_policy no_flush = *zsr_policy_find("deferred");

	if (left_out(&no_flush))
		return;
#ifdef __SANITIZE_ADDRESS__
	/* Failing runs end in the middle and free nothing. */
	__lsan_disable();
#endif
	no_flush.flush = NULL;
	must_fail(&no_flush, two, 0, "queued after the flush");
	must_fail(&zsr_broken_recheck, two, 0, "is lost");
	must_fail(&zsr_broken_kick, two, 1, "is lost");
#ifdef __SANITIZE_ADDRESS__
	__lsan_enable();
#endif
}
END_TEST

ZSR_TEST_MAIN("schedules", smallest, two_producers, three_producers,
	      two_workers, three_producers_two_workers, larger_buffers,
	      moving_tasks, stores_between, compaction_between, cpu_goes,
	      timers_flush, no_page, broken_variants_are_found)
