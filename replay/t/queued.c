// SPDX-License-Identifier: GPL-2.0-only
/*
 * When handles were queued is known to the picosecond, however long some wait
 * while others come and go: against a plain array.
 */
#include "base/base.h"
#include "replay/policy/queued.h"
#include "tests/check.h"

#define HANDLES 3000

static uint64_t plain[HANDLES]; /* ps + 1 */
static struct zsr_queued queued;

static void toggle(uint32_t h, uint64_t ps)
{
	ck_assert_int_eq(zsr_queued_has(&queued, h), plain[h] != 0);
	if (plain[h]) {
		ck_assert_uint_eq(zsr_queued_remove(&queued, h), plain[h] - 1);
		plain[h] = 0;
	} else {
		ck_assert_int_eq(zsr_queued_add(&queued, h, ps), 0);
		plain[h] = ps + 1;
	}
}

/* Handles of a leaf that are queued STEP ps after each other, about. */
static void churn(uint64_t step)
{
	struct zsr_rng rng = { step };
	uint64_t ps = 0;
	unsigned i;

	for (i = 0; i < 40000; i++) {
		ps += zsr_rng_below(&rng, 2 * step);
		toggle((uint32_t)zsr_rng_below(&rng, HANDLES), ps);
	}
	for (i = 0; i < HANDLES; i++)
		if (plain[i])
			toggle(i, ps);
	for (i = 0; i < queued.cap; i++)
		ck_assert_ptr_null(queued.leaf[i]);
	zsr_queued_free(&queued);
}

START_TEST(times_are_exact)
{
	churn(1); /* many at once */
	churn(1000000);
	churn(1ull << 36); /* a leaf is some seconds old */
	churn(1ull << 45);
}
END_TEST

/* The last time that fits, and the first that does not. */
START_TEST(times_at_the_edge)
{
	static const uint64_t apart[] = { 0,
					  1,
					  (1ull << 32) - 2,
					  1ull << 32,
					  (1ull << 40) - 2,
					  (1ull << 40) - 1,
					  1ull << 40,
					  1ull << 62 };
	unsigned i;

	for (i = 0; i < ZSR_ARRAY_SIZE(apart); i++) {
		toggle(5, 7);
		toggle(6, 7 + apart[i]);
		toggle(7, 7 + apart[i]);
		toggle(6, 0);
		toggle(5, 0);
		toggle(6, 9 + apart[i]);
		toggle(7, 0);
		toggle(6, 0);
		ck_assert_ptr_null(queued.leaf[0]);
	}
	zsr_queued_free(&queued);
}
END_TEST

START_TEST(what_waits_is_freed_with_it)
{
	toggle(1, 1);
	toggle(2, 1ull << 50);
	zsr_queued_free(&queued);
}
END_TEST

ZSR_TEST_MAIN("queued", times_are_exact, times_at_the_edge,
	      what_waits_is_freed_with_it)
