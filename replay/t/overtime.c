// SPDX-License-Identifier: GPL-2.0-only
/* What a run records column by column adds up under every policy: releases to
 * its histogram, pages of classes to the pool's, objects to those nobody freed,
 * CPUs' time to what callers and workers took.
 * It comes out of the database as it went in, and is no part of the digest. */
#include <string.h>
#include <unistd.h>

#include "replay/policy/policy.h"
#include "replay/t/made.h"

static uint64_t row_sum(const struct zsr_grid *g, uint32_t col)
{
	uint64_t sum = 0;
	uint32_t r;

	for (r = 0; r < g->nr_rows; r++)
		sum += g->cell[(size_t)r * g->nr_cols + col];
	return sum;
}

static uint64_t all(const struct zsr_grid *g)
{
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; i < g->nr_cols; i++)
		sum += row_sum(g, i);
	return sum;
}

/* All a kind of work took, of all CPUs. */
static uint64_t busy_with(const struct zsr_grid *g, enum zsr_busy kind)
{
	uint64_t sum = 0;
	uint32_t r, i;

	for (r = kind; r < g->nr_rows; r += ZSR_NR_BUSY)
		for (i = 0; i < g->nr_cols; i++)
			sum += g->cell[(size_t)r * g->nr_cols + i];
	return sum;
}

/* The record rounds each cell to ns. */
static void is_about(uint64_t a, uint64_t b, const struct zsr_grid *g)
{
	uint64_t most = (uint64_t)g->nr_rows * g->nr_cols + 10;

	ck_assert_uint_le(a, b + most);
	ck_assert_uint_le(b, a + most);
}

static void same(const struct zsr_grid *a, const struct zsr_grid *b)
{
	ck_assert_uint_eq(a->begin_ns, b->begin_ns);
	ck_assert_uint_eq(a->step_ns, b->step_ns);
	ck_assert_uint_eq(a->nr_cols, b->nr_cols);
	ck_assert_uint_eq(a->nr_rows, b->nr_rows);
	if (!a->nr_rows) /* of the host's memory, which no run here has */
		return;
	ck_assert_mem_eq(a->row, b->row, a->nr_rows * sizeof(*a->row));
	ck_assert_mem_eq(a->cell, b->cell,
			 (size_t)a->nr_rows * a->nr_cols * sizeof(*a->cell));
}

static void stored_and_loaded(void)
{
	struct zsr_run again;
	char digest[ZSR_SHA_HEX];
	unsigned i;

	zsr_run_digest(&run);
	run.trace = 1; /* the first one of the database */
	ck_assert_msg(!zsr_run_store(db, &run, &err), "%s", err.msg);
	ck_assert_msg(!zsr_run_load(db, run.id, &again, &err), "%s", err.msg);
	for (i = 0; i < ZSR_NR_RUN_GRIDS; i++)
		same(&run.grid[i], &again.grid[i]);
	strcpy(digest, again.digest);
	memset(again.grid[ZSR_GRID_latency].cell, 0, 4);
	zsr_run_digest(&again);
	ck_assert_str_eq(again.digest, digest);
	zsr_run_free(&again);
}

/* 300 objects of 40 sizes; a third stays. A release now and then takes long
 * enough for columns to be put together several times. */
START_TEST(adds_up)
{
	const struct zsr_grid *g = run.grid;
	unsigned i;

	start(2);
	setup.policy = zsr_policies[_i];
	profile.cost_ps[ZSR_COST_obj_free] = PS(700);
	profile.cost_ps[ZSR_COST_page_free] = PS(3000);
	for (i = 0; i < 300; i++)
		store(i, i % 2, 100 + i % 40 * 96);
	mark(400, 0, "snap:full");
	for (i = 0; i < 300; i++)
		if (i % 3)
			release(1000 + i * i * 20, i % 2, i);
	play();
	ck_assert_uint_eq(all(&g[ZSR_GRID_latency]), run.v.frees);
	ck_assert_uint_gt(g[ZSR_GRID_latency].step_ns, 1024);
	ck_assert_uint_eq(
		row_sum(&g[ZSR_GRID_pages], g[ZSR_GRID_pages].nr_cols - 1),
		run.v.pages_end);
	ck_assert_uint_eq(
		row_sum(&g[ZSR_GRID_objects], g[ZSR_GRID_objects].nr_cols - 1),
		100 + run.v.stranded);
	ck_assert_uint_eq(g[ZSR_GRID_busy].nr_rows, 4 * ZSR_NR_BUSY);
	is_about(busy_with(&g[ZSR_GRID_busy], ZSR_BUSY_CALLER),
		 run.v.cpu_caller_ns + run.v.cpu_spin_ns, &g[ZSR_GRID_busy]);
	is_about(busy_with(&g[ZSR_GRID_busy], ZSR_BUSY_WORKER),
		 run.v.cpu_worker_ns + run.v.cpu_worker_spin_ns,
		 &g[ZSR_GRID_busy]);
	ck_assert_uint_eq(busy_with(&g[ZSR_GRID_busy], ZSR_BUSY_LOAD), 0);
	ck_assert_uint_eq(g[ZSR_GRID_marks].nr_rows, 1);
	ck_assert_uint_le(g[ZSR_GRID_marks].cell[0], run.v.pages_peak);
	ck_assert_uint_gt(g[ZSR_GRID_marks].cell[0], 0);
	stored_and_loaded();
	zsr_run_free(&run);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("overtime");
	TCase *tcase = tcase_create("overtime");
	SRunner *runner = srunner_create(suite);
	int nr = 0, failed;

	while (zsr_policies[nr])
		nr++;
	tcase_add_loop_test(tcase, adds_up, 0, nr);
	suite_add_tcase(suite, tcase);
	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
