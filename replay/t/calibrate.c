// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calibration: the median of rounds whatever some of them say, quartiles of
 * known samples; the profile of this machine is one, has every entry, and what
 * it says is of the order that machines are of: steps add up to the release they
 * are part of.
 */
#include <string.h>

#include "replay/calibrate.h"
#include "tests/check.h"

static struct zsr_err err;

START_TEST(quartiles)
{
	struct zsr_samples s = { 0 };
	struct zsr_figure f = { 0 };
	int i;

	zsr_figure_set(&f, &s);
	ck_assert(!f.known);
	for (i = 101; i--;)
		ck_assert_int_eq(zsr_samples_add(&s, i * 37 % 101), 0);
	zsr_figure_set(&f, &s);
	ck_assert(f.known);
	ck_assert_int_eq(f.median, 50);
	ck_assert_int_eq(f.q1, 25);
	ck_assert_int_eq(f.q3, 75);
	ck_assert_uint_eq(f.rounds, 101);
	zsr_samples_free(&s);
}
END_TEST

/* A clock of its own: every fourth round is disturbed, by much. */
static int fake_round(void *ctx, int64_t *v)
{
	unsigned *n = ctx;

	*v = ++*n % 4 ? 1000 + *n % 3 : 1000000;
	return 0;
}

static int failing_round(void *ctx, int64_t *v)
{
	(void)ctx;
	(void)v;
	return -ENOMEM;
}

START_TEST(rounds)
{
	const struct zsr_calibrate_opts opts = { 0 };
	struct zsr_cal *c = calloc(1, sizeof(*c));
	struct zsr_figure *f = &c->figure[ZSR_COST_push];
	unsigned n = 0;

	c->opts = &opts;
	c->rounds = 99;
	ck_assert_int_eq(zsr_cal_rounds(c, ZSR_COST_push, fake_round, &n), 0);
	ck_assert_int_ge(f->median, 1000);
	ck_assert_int_le(f->median, 1002);
	ck_assert_uint_eq(f->rounds, 99);
	ck_assert_uint_ge(c->all, 99);
	ck_assert_int_eq(zsr_cal_rounds(c, ZSR_COST_pop, failing_round, NULL),
			 -ENOMEM);
	free(c);
}
END_TEST

static uint32_t draw(void *ctx)
{
	return 500 + (uint32_t)zsr_rng_below(ctx, 1000);
}

START_TEST(this_machine)
{
	struct zsr_rng rng = { 1 };
	const struct zsr_calibrate_opts opts = {
		.rounds = 20, .objects = 4096, .draw = draw, .ctx = &rng
	};
	struct zsr_profile p, base;
	uint64_t release;
	char *text;

	ck_assert_msg(!zsr_calibrate_host(&opts, &text, &err), "%s", err.msg);
	ck_assert_msg(!zsr_profile_parse("this", text, &p, &err), "%s", err.msg);
	ck_assert_int_eq(zsr_profile_load(ZSR_CALIBRATE_BASE, &base, &err), 0);
	release = p.cost_ps[ZSR_COST_slot] + p.cost_ps[ZSR_COST_cell_load] +
		  p.cost_ps[ZSR_COST_spin_lock] + p.cost_ps[ZSR_COST_obj_free] +
		  p.cost_ps[ZSR_COST_spin_unlock] +
		  p.cost_ps[ZSR_COST_handle_free];
	/* From 1 ns to 20 us: emulators and sanitizers are machines, too. */
	ck_assert_uint_gt(release, 1000);
	ck_assert_uint_lt(release, 20000000);
	ck_assert_uint_lt(p.cost_ps[ZSR_COST_atomic], 5000000);
	ck_assert_uint_gt(p.cost_ps[ZSR_COST_context_switch], 50000);
	ck_assert_uint_gt(p.wake_latency + p.cost_ps[ZSR_COST_wake], 50000);
	ck_assert_uint_gt(p.worker_create, 50000);
	ck_assert_uint_gt(p.memory, 16u << 20);
	ck_assert_uint_ge(p.cpus, 1);
	ck_assert_uint_le(p.smt_speed, 1000);
	/* Nobody plays gaps. */
	ck_assert_uint_eq(p.cost_ps[ZSR_COST_gap_release],
			  base.cost_ps[ZSR_COST_gap_release]);
	ck_assert_ptr_nonnull(strstr(text, "\nspin_lock = "));
	ck_assert_ptr_nonnull(strstr(text, " rounds"));
	ck_assert_ptr_nonnull(strstr(text, "plays no gaps"));
	zsr_profile_free(&p);
	zsr_profile_free(&base);
	free(text);
}
END_TEST

START_TEST(no_base)
{
	struct zsr_rng rng = { 1 };
	const struct zsr_calibrate_opts opts = {
		.base = "pdp11", .objects = 4096, .draw = draw, .ctx = &rng
	};
	char *text;

	ck_assert_int_eq(zsr_calibrate_host(&opts, &text, &err), -EINVAL);
	ck_assert_ptr_null(text);
	ck_assert_int_eq(err.kind, ZSR_ERR_USAGE);
}
END_TEST

ZSR_TEST_MAIN("calibrate", quartiles, rounds, this_machine, no_base)
