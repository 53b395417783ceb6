// SPDX-License-Identifier: GPL-2.0-only
/* Which releases a run's record keeps: the largest ones. */
#include <string.h>

#include "replay/release.h"
#include "tests/check.h"

#define NR 20000

static struct zsr_release made[NR];

static int by_size(const void *a, const void *b)
{
	const struct zsr_release *x = a, *y = b;

	if (x->nr != y->nr)
		return x->nr > y->nr ? -1 : 1;
	if (x->begin_ns != y->begin_ns)
		return x->begin_ns < y->begin_ns ? -1 : 1;
	return (x->task > y->task) - (x->task < y->task);
}

static void keep(struct zsr_run *run, size_t nr)
{
	struct zsr_err err = { 0 };
	size_t cap = 0, i;

	ck_assert_int_eq(zsr_run_init(run, &err), 0);
	for (i = 0; i < nr; i++)
		ck_assert_int_eq(zsr_release_keep(run, &cap, &made[i]), 0);
}

static void make(struct zsr_rng *rng, size_t i, uint64_t sizes)
{
	made[i] = (struct zsr_release){
		.begin_ns = zsr_rng_below(rng, NR / 2),
		.nr = 32 + zsr_rng_below(rng, sizes),
		.task = (uint32_t)i,
	};
	made[i].end_ns = made[i].begin_ns + 1;
}

/* Against a sort of all: any sizes, many equal ones, all equal. */
START_TEST(largest_are_kept)
{
	static const uint64_t sizes[] = { 1000000, 20, 1 };
	struct zsr_rng rng = { (uint64_t)_i + 1 };
	struct zsr_run run;
	size_t i;

	for (i = 0; i < NR; i++)
		make(&rng, i, sizes[_i % 3]);
	keep(&run, NR);
	ck_assert_uint_eq(run.nr_releases, ZSR_KEPT_RELEASES);
	qsort(made, NR, sizeof(made[0]), by_size);
	qsort(run.releases, run.nr_releases, sizeof(made[0]), by_size);
	for (i = 0; i < ZSR_KEPT_RELEASES; i++)
		ck_assert_mem_eq(&run.releases[i], &made[i], sizeof(made[0]));
	zsr_run_free(&run);
}
END_TEST

/* Rising, the order in which the first ones are the wrong ones. */
START_TEST(late_ones_are_kept)
{
	struct zsr_run run;
	uint64_t least = UINT64_MAX;
	size_t i;

	for (i = 0; i < NR; i++)
		made[i] = (struct zsr_release){ i, i + 1, 32 + i, 0 };
	keep(&run, NR);
	for (i = 0; i < run.nr_releases; i++)
		least = zsr_min(least, run.releases[i].nr);
	ck_assert_uint_eq(run.nr_releases, ZSR_KEPT_RELEASES);
	ck_assert_uint_eq(least, 32 + NR - ZSR_KEPT_RELEASES);
	zsr_run_free(&run);
}
END_TEST

/* As long as there is room all are kept. */
START_TEST(few_are_all_kept)
{
	struct zsr_rng rng = { 1 };
	struct zsr_run run;
	size_t i;

	for (i = 0; i < NR; i++)
		make(&rng, i, 1000);
	keep(&run, ZSR_KEPT_RELEASES);
	qsort(made, ZSR_KEPT_RELEASES, sizeof(made[0]), by_size);
	qsort(run.releases, run.nr_releases, sizeof(made[0]), by_size);
	ck_assert_uint_eq(run.nr_releases, ZSR_KEPT_RELEASES);
	ck_assert_mem_eq(run.releases, made,
			 ZSR_KEPT_RELEASES * sizeof(made[0]));
	zsr_run_free(&run);
	keep(&run, 0);
	ck_assert_uint_eq(run.nr_releases, 0);
	zsr_run_free(&run);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("release");
	TCase *tcase = tcase_create("release");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tcase, largest_are_kept, 0, 9);
	tcase_add_test(tcase, late_ones_are_kept);
	tcase_add_test(tcase, few_are_all_kept);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
