// SPDX-License-Identifier: GPL-2.0-only
/*
 * Deferred frees against theory: with a full pool, what is drained and what
 * falls back is what the rates give; the number of queued entries over time is
 * what Little's law says.
 */
#include "replay/account.h"
#include "replay/machine/virtual/t/theory.h"
#include "replay/policy/policy.h"

#define HUGE_SZ 4096 /* an object of this size has a zspage of one page */

/* Producers on CPUs of their own that release what was stored before, and CPUs
 * for workers. */
struct producers {
	struct zsr_vm *vm;
	struct zsr_pool pool;
	struct zsr_account account;
	struct zsr_run run;
	uint32_t nr, nr_releasing, next;
	unsigned workers; /* CPUs beside the producers' */
	uint64_t objects; /* a producer's */
	uint64_t gap; /* between two releases */
	bool random; /* its gaps are exponential */
	size_t (*size)(struct zsr_rng *rng);
	uint64_t all_released; /* by the first to be done */
};

static size_t small(struct zsr_rng *rng)
{
	(void)rng;
	return 64;
}

static size_t any(struct zsr_rng *rng)
{
	return 1 + zsr_rng_below(rng, HUGE_SZ);
}

static size_t huge(struct zsr_rng *rng)
{
	(void)rng;
	return HUGE_SZ;
}

static void store_all(struct zsr_vm *vm, void *arg)
{
	struct producers *s = arg;
	struct zsr_rng rng = { 7 };
	zsr_handle h;
	uint64_t i;

	(void)vm;
	for (i = 0; i < s->nr * s->objects; i++)
		if (zsr_pool_malloc(&s->pool, s->size(&rng), &h) ||
		    zsr_pool_slot_store(&s->pool, h) != (int64_t)i)
			ck_abort_msg("object %llu is not stored",
				     (unsigned long long)i);
}

/* The I-th releases the slots I, I + N, I + 2 N, ... */
static void producer(struct zsr_vm *vm, void *arg)
{
	struct producers *s = arg;
	struct zsr_releaser r = { .task = s->next++, .objects = s->objects };
	const struct zsr_policy *policy = s->pool.policy;
	struct zsr_rng rng = { r.task };
	uint64_t i;

	s->nr_releasing++;
	if (policy->release_begins)
		policy->release_begins(&s->pool, &r);
	for (i = 0; i < s->objects; i++) {
		zsr_vm_mode(vm, ZSR_MODE_GAP);
		zsr_vm_compute(vm, s->random ? draw(&rng, s->gap) : s->gap);
		zsr_vm_mode(vm, ZSR_MODE_RELEASE);
		zsr_preempt_disable(&vm->m);
		policy->release(&s->pool, &r, (uint32_t)(i * s->nr + r.task));
		zsr_preempt_enable(&vm->m);
	}
	if (policy->release_ends)
		policy->release_ends(&s->pool, &r);
	zsr_order(&vm->m);
	s->nr_releasing--;
	if (!s->all_released)
		s->all_released = vm->c->now;
}

static void flush(struct zsr_vm *vm, void *arg)
{
	struct producers *s = arg;

	(void)vm;
	s->pool.policy->flush(&s->pool);
}

/* Set NAME in PARAMS, or the defaults. */
static void set(const struct zsr_policy *policy, uint64_t *params,
		const char *name, uint64_t value)
{
	unsigned i;

	for (i = 0; i < policy->nr_params; i++)
		if (!name)
			params[i] = policy->params[i].def;
		else if (!strcmp(policy->params[i].name, name))
			params[i] = value;
}

static void start(struct producers *s, const struct zsr_policy *policy,
		  const uint64_t *params)
{
	s->vm = machine(s->nr + s->workers);
	ck_assert_int_eq(zsr_run_init(&s->run, &err), 0);
	ck_assert_int_eq(zsr_account_init(&s->account,
					  s->run.hist[ZSR_HIST_queued], &err),
			 0);
	ck_assert_int_eq(zsr_pool_init(&s->pool, &s->vm->m,
				       zsr_model_find("6.12"), 4096, 0, policy,
				       params, s->nr, &s->nr_releasing,
				       &s->account, &err),
			 0);
	spawn(s->vm, store_all, s, 0);
	run(s->vm);
}

static void produce(struct producers *s)
{
	uint32_t i;

	for (i = 0; i < s->nr; i++)
		ck_assert_ptr_nonnull(
			zsr_vm_spawn(s->vm, producer, s, i, s->vm->end));
	run(s->vm);
}

/* What is still queued is freed, and nothing is left. */
static void finish(struct producers *s)
{
	ck_assert_ptr_nonnull(zsr_vm_spawn(s->vm, flush, s, 0, s->vm->end));
	run(s->vm);
	ck_assert_uint_eq(s->account.depth, 0);
	ck_assert_uint_eq(s->account.total_pages, 0);
}

/* Each release was queued or fell back. */
static void check_counts(const struct producers *s)
{
	ck_assert_uint_eq(s->run.hist[ZSR_HIST_queued]->count + s->pool.fallbacks,
			  s->nr * s->objects);
}

static void stop(struct producers *s)
{
	zsr_pool_destroy(&s->pool);
	zsr_account_free(&s->account);
	zsr_run_free(&s->run);
	zsr_vm_destroy(s->vm);
}

/* ---- a full pool ------------------------------------------------------------- */

/* Frees so far, at a time between start-up and the end. */
struct look {
	struct producers *s;
	uint64_t drained, fallen_back;
};

static void look(struct zsr_vm *vm, void *arg)
{
	struct look *l = arg;

	(void)vm;
	l->drained = l->s->run.hist[ZSR_HIST_queued]->count;
	l->fallen_back = l->s->pool.fallbacks;
}

/* Rates a ps from FROM to TO (ps after the first release). */
static void rates(struct producers *s, uint64_t from, uint64_t to,
		  double *drained, double *fallen_back)
{
	struct look a = { .s = s }, b = { .s = s };
	uint64_t begin = s->vm->end;

	ck_assert_int_eq(zsr_vm_timer(s->vm, begin + from, look, &a), 0);
	ck_assert_int_eq(zsr_vm_timer(s->vm, begin + to, look, &b), 0);
	produce(s);
	ck_assert_uint_lt(begin + to, s->all_released);
	*drained = (double)(b.drained - a.drained) / (double)(to - from);
	*fallen_back = (double)(b.fallen_back - a.fallen_back) /
		       (double)(to - from);
}

static void small_pool(uint64_t *params, uint64_t entries, uint64_t run_pages,
		       unsigned workers)
{
	const struct zsr_policy *policy = &zsr_policy_deferred;

	set(policy, params, NULL, 0);
	set(policy, params, "pool-pages", 8);
	set(policy, params, "page-entries", entries);
	set(policy, params, "run-pages", run_pages);
	set(policy, params, "workers", workers);
}

/*
 * N producers, faster than W workers, each of which always has a full page to
 * drain. A page of E entries takes it E x R (R: giving a page back, the one
 * step here that costs in a free) and, every RUN pages, the cost of queueing
 * itself; so they drain at the rate
 *
 *	d = W x RUN x E / (RUN x E x R + queue_work)
 *
 * and as many releases find room. Each of them takes gap + slot + push and an
 * E-th of a page's exchange, t; what is left of the producers' time goes into
 * releases that fall back, of gap + slot + R each:
 *
 *	f = (N - d x t) / (gap + slot + R)
 */
static double against_rates(uint32_t n, unsigned workers)
{
	const uint64_t entries = 64, run_pages = 4;
	const uint64_t reset = 900 * NS, gap = 150 * NS, slot = 40 * NS;
	const uint64_t push = 12 * NS, swap = 700 * NS, queue = 2000 * NS;
	const uint64_t begin = 2000000ull * NS;
	/* A worker's whole run, from queueing itself to the next time. */
	const uint64_t cycle = run_pages * entries * reset + queue;
	struct producers s = { .nr = n,
			       .workers = workers,
			       .objects = 50000,
			       .gap = gap,
			       .size = huge };
	double drained, fallen, d, t, f;
	uint64_t params[ZSR_MAX_PARAMS];

	free_of_cost();
	profile.cost_ps[ZSR_COST_page_reset] = reset;
	profile.cost_ps[ZSR_COST_slot] = slot;
	profile.cost_ps[ZSR_COST_push] = push;
	profile.cost_ps[ZSR_COST_buffer_swap] = swap;
	profile.cost_ps[ZSR_COST_queue_work] = queue;
	small_pool(params, entries, run_pages, workers);
	start(&s, &zsr_policy_deferred, params);
	rates(&s, begin, begin + 50 * cycle, &drained, &fallen);
	finish(&s);
	check_counts(&s);
	stop(&s);
	d = (double)(workers * entries * run_pages) / (double)cycle;
	t = (double)(gap + slot + push) + (double)(swap + queue) / entries;
	f = (n - d * t) / (double)(gap + slot + reset);
	return fmax(fabs(drained / d - 1), fabs(fallen / f - 1));
}

START_TEST(full_pool_settles_at_the_rates)
{
	double worst = 0;
	unsigned workers;
	uint32_t n;

	for (workers = 1; workers <= 3; workers += 2)
		for (n = workers; n <= 8; n++)
			worst = fmax(worst, against_rates(n, workers));
	comment("full pool: at most %.3f %% off\n", 100 * worst);
	ck_assert_double_lt(worst, 0.001);
}
END_TEST

/*
 * All of a free under the one class's lock, which the worker keeps for a whole
 * page: whoever frees, the lock is never idle, and a free takes what it takes.
 */
START_TEST(full_pool_settles_at_the_lock)
{
	uint64_t params[ZSR_MAX_PARAMS];
	const uint64_t hold = 300 * NS;
	double drained, fallen, worst = 0;
	uint32_t n;

	small_pool(params, 64, 4, 1);
	free_of_cost();
	profile.cost_ps[ZSR_COST_obj_free] = hold;
	profile.cost_ps[ZSR_COST_push] = 10 * NS;
	for (n = 2; n <= 8; n++) {
		struct producers s = {
			.nr = n, .objects = 30000, .gap = 20 * NS, .size = small
		};

		start(&s, &zsr_policy_deferred, params);
		rates(&s, 1000000ull * NS, 8000000ull * NS, &drained, &fallen);
		finish(&s);
		check_counts(&s);
		stop(&s);
		ck_assert(drained > 0 && fallen > 0);
		worst = fmax(worst, fabs((drained + fallen) * (double)hold - 1));
	}
	comment("full pool, one lock: at most %.3f %% off\n", 100 * worst);
	ck_assert_double_lt(worst, 0.001);
}
END_TEST

/* ---- Little's law --------------------------------------------------------------- */

/* Time integral of a series up to its last point. */
static double area(const struct zsr_series *s)
{
	double sum = 0;
	size_t i;

	for (i = 1; i < s->nr; i++)
		sum += (double)s->points[i - 1].value *
		       (double)(s->points[i].t_ns - s->points[i - 1].t_ns);
	return sum;
}

static void ordinary_costs(void)
{
	unsigned i;

	free_of_cost();
	for (i = 0; i < ZSR_NR_COSTS; i++)
		profile.cost_ps[i] = 50 * NS;
	profile.spread = 600;
	profile.wake_latency = 25000 * NS;
}

/*
 * The account's series of queued entries, over the whole run, has the area
 * that the entries' ages add up to: mean depth = arrival rate x mean age. Under
 * every policy that queues; the last entries leave when it is flushed.
 */
START_TEST(queues_obey_little)
{
	const struct zsr_policy *const *policy;
	unsigned queueing = 0;

	for (policy = zsr_policies; *policy; policy++) {
		struct producers s = { .nr = 3,
				       .objects = 2500,
				       .gap = 400 * NS,
				       .random = true,
				       .workers = 1,
				       .size = any };
		uint64_t params[ZSR_MAX_PARAMS];
		const struct zsr_hist *ages;
		double depth, little;

		if (!(*policy)->flush)
			continue;
		set(*policy, params, NULL, 0);
		set(*policy, params, "min-objects", 0);
		ordinary_costs();
		start(&s, *policy, params);
		produce(&s);
		finish(&s);
		ages = s.run.hist[ZSR_HIST_queued];
		ck_assert_int_eq(
			zsr_account_finish(&s.account, s.vm->end, &s.run, &err),
			0);
		depth = area(&s.run.series[ZSR_SERIES_queue_depth]);
		ck_assert_uint_gt(ages->count, 0);
		little = depth / (double)ages->sum;
		comment("%s: %llu entries, depth is %.6f of Little's law\n",
			(*policy)->name, (unsigned long long)ages->count,
			little);
		ck_assert_double_eq_tol(little, 1, 0.00001);
		stop(&s);
		queueing++;
	}
	ck_assert_uint_gt(queueing, 0);
}
END_TEST

ZSR_TEST_MAIN("deferred frees and theory", full_pool_settles_at_the_rates,
	      full_pool_settles_at_the_lock, queues_obey_little)
