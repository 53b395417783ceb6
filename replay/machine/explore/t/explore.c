// SPDX-License-Identifier: GPL-2.0-only
/*
 * The exploring machine against theory: how many schedules there are, with and
 * without a bound on preemptions, and that merging loses no outcome.
 */
#include "replay/machine/explore/t/scene.h"

/* ---- counting ------------------------------------------------------------ */

/* `steps` steps: to start is one. */
static void walk(struct zsr_explore *x, void *arg)
{
	unsigned i;

	(void)x;
	for (i = 1; i < scene.steps; i++)
		zsr_line_write(scene.m, arg);
}

static void walkers(unsigned nr, unsigned steps, bool apart)
{
	unsigned i;

	scene_reset();
	scene.nr_tasks = nr;
	scene.steps = steps;
	scene.apart = apart;
	for (i = 0; i < nr; i++)
		scene.fn[i] = walk;
}

static uint64_t binomial(unsigned n, unsigned k)
{
	uint64_t r = 1;
	unsigned i;

	if (k > n)
		return 0;
	for (i = 1; i <= k; i++)
		r = r * (n - k + i) / i;
	return r;
}

/* n steps each of two tasks interleave in C(2n, n) ways, of three in
 * (3n)! / n!^3; equally many when they touch one line. */
START_TEST(all_interleavings)
{
	struct zsr_explore_result r;
	unsigned n;

	for (n = 1; n <= 6; n++) {
		walkers(2, n, n % 2);
		r = explore(UINT32_MAX, false);
		ck_assert(r.complete && r.exhausted && !r.failed);
		ck_assert_uint_eq(r.runs, binomial(2 * n, n));
		ck_assert_uint_eq(r.steps, r.runs * 2 * n);
		ck_assert_uint_eq(r.longest, 2 * n);
	}
	for (n = 1; n <= 3; n++) {
		walkers(3, n, false);
		r = explore(UINT32_MAX, false);
		ck_assert_uint_eq(r.runs,
				  binomial(3 * n, n) * binomial(2 * n, n));
	}
}
END_TEST

/* Of the interleavings of two tasks those with k preemptions consist of k + 2
 * runs of one task, its n steps cut into as many pieces as it has runs. */
static uint64_t bounded(unsigned n, unsigned preemptions)
{
	uint64_t sum = 0;
	unsigned k;

	for (k = 0; k <= preemptions; k++)
		sum += 2 * binomial(n - 1, (k + 2) / 2 - 1) *
		       binomial(n - 1, (k + 3) / 2 - 1);
	return sum;
}

START_TEST(preemption_bounds)
{
	struct zsr_explore_result r;
	unsigned n, k;

	for (n = 2; n <= 8; n++)
		for (k = 0; k <= 3; k++) {
			walkers(2, n, false);
			r = explore(k, false);
			ck_assert(r.complete);
			ck_assert_uint_eq(r.runs, bounded(n, k));
			ck_assert_int_eq(r.exhausted, 2 * n - 2 <= k);
		}
	ck_assert_uint_eq(bounded(3, 0), 2);
	ck_assert_uint_eq(bounded(3, 1), 6);
	ck_assert_uint_eq(bounded(3, 2), 14);
	ck_assert_uint_eq(bounded(3, 4), binomial(6, 3));
}
END_TEST

/*
 * Independent steps have one happens-before graph, whatever their order: each
 * of the (n + 1)^2 states is known the second time. Where all steps meet on a
 * line no two orders are alike and nothing can be merged.
 */
START_TEST(merging)
{
	struct zsr_explore_result r;
	unsigned n;

	for (n = 2; n <= 8; n++) {
		walkers(2, n, true);
		r = explore(UINT32_MAX, true);
		ck_assert(r.complete && r.exhausted);
		ck_assert_uint_le(r.runs, 2 * (n + 1) * (n + 1));
	}
	walkers(2, 5, false);
	r = explore(UINT32_MAX, true);
	/* To start touches no line yet. */
	ck_assert_uint_ge(r.runs - r.merged, binomial(8, 4));
}
END_TEST

/* ---- merging loses no outcome --------------------------------------------- */

#define NR_VARS     2
#define NR_STMTS    3
#define MAX_RESULTS 4096

/* Small random programs over variables that a lock, a line or a CPU protects.
 * What they compute depends on the order of their steps. */
static struct program {
	unsigned nr_tasks;
	uint8_t stmt[3][NR_STMTS];
	struct zsr_machine *m;
	struct zsr_spinlock lock[NR_VARS];
	struct zsr_line line[NR_VARS];
	uint64_t locked[NR_VARS], lined[NR_VARS], percpu[2], reg[3];
} program;

static uint64_t results[MAX_RESULTS];
static unsigned nr_results;

static void compute(uint64_t *var, uint64_t *reg, unsigned id)
{
	*var = *var * 31 + id + 1;
	*reg = *reg * 37 + *var;
}

static void execute(unsigned id, unsigned stmt)
{
	struct zsr_machine *m = program.m;
	unsigned var = stmt / 4 % NR_VARS;
	uint64_t *reg = &program.reg[id];

	switch (stmt % 4) {
	case 0:
		zsr_spin_lock(m, &program.lock[var]);
		compute(&program.locked[var], reg, id);
		zsr_spin_unlock(m, &program.lock[var]);
		break;
	case 1:
		if (!zsr_spin_trylock(m, &program.lock[var]))
			break;
		compute(&program.locked[var], reg, id);
		zsr_line_write(m, &program.line[var]);
		compute(&program.lined[var], reg, id);
		zsr_spin_unlock(m, &program.lock[var]);
		break;
	case 2:
		zsr_line_read(m, &program.line[var]);
		*reg = *reg * 41 + program.lined[var];
		break;
	default:
		zsr_preempt_disable(m);
		compute(&program.percpu[zsr_cpu(m)], reg, id);
		zsr_preempt_enable(m);
	}
}

static void interpret(struct zsr_explore *x, void *arg)
{
	unsigned id = (unsigned)(uintptr_t)arg, i;

	(void)x;
	for (i = 0; i < NR_STMTS; i++)
		execute(id, program.stmt[id][i]);
}

static int program_begin(struct zsr_explore *x, void *ctx, struct zsr_err *err)
{
	static const char *const name[] = { "p0", "p1", "p2" };
	uintptr_t i;

	(void)ctx;
	(void)err;
	memset(&program.m, 0, sizeof(program) - offsetof(struct program, m));
	program.m = zsr_explore_machine(x);
	for (i = 0; i < program.nr_tasks; i++)
		zsr_explore_spawn(x, name[i], (unsigned)i, interpret, (void *)i);
	return 0;
}

static void program_end(struct zsr_explore *x, void *ctx)
{
	const uint64_t *v = program.locked;
	uint64_t hash = 0;
	unsigned i;

	(void)x;
	(void)ctx;
	for (i = 0; v + i < program.reg + ZSR_ARRAY_SIZE(program.reg); i++)
		hash = hash * 0x9E3779B97F4A7C15ull + (v[i] ^ v[i] >> 31);
	for (i = 0; i < nr_results; i++)
		if (results[i] == hash)
			return;
	ck_assert_uint_lt(nr_results, MAX_RESULTS);
	results[nr_results++] = hash;
}

static const struct zsr_explore_scenario programs = { .name = "programs",
						      .cpus = 2,
						      .migrate = true,
						      .begin = program_begin,
						      .end = program_end };

static uint64_t outcomes(unsigned bound, bool merge, uint64_t *runs)
{
	const struct zsr_explore_limits limits = { .preemptions = bound,
						   .merge = merge };
	struct zsr_explore_result r;
	struct zsr_err err = { 0 };

	nr_results = 0;
	ck_assert_int_eq(zsr_explore(&programs, &limits, &r, &err), 0);
	ck_assert(r.complete);
	*runs += r.runs;
	return nr_results;
}

START_TEST(merging_loses_no_outcome)
{
	struct zsr_rng rng = { 1 };
	uint64_t plain_runs = 0, merged_runs = 0, all = 0, plain;
	unsigned i, t, k, bound;

	for (i = 0; i < 60; i++) {
		program.nr_tasks = 2 + i % 2;
		for (t = 0; t < 3; t++)
			for (k = 0; k < NR_STMTS; k++)
				program.stmt[t][k] =
					(uint8_t)zsr_rng_below(&rng, 8);
		for (bound = 0; bound <= 3; bound++) {
			plain = outcomes(bound, false, &plain_runs);
			ck_assert_uint_eq(outcomes(bound, true, &merged_runs),
					  plain);
			all += plain;
		}
	}
	printf("# %llu outcomes of %llu runs, of %llu with merging\n",
	       (unsigned long long)all, (unsigned long long)plain_runs,
	       (unsigned long long)merged_runs);
	ck_assert_uint_gt(all, 1000);
	ck_assert_uint_lt(2 * merged_runs, plain_runs);
}
END_TEST

ZSR_TEST_MAIN("explore", all_interleavings, preemption_bounds, merging,
	      merging_loses_no_outcome)
