// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a plug-in was built against is told by one number, which somebody has to
 * remember to raise. Sizes that changed without it are found here.
 */
#include "replay/policy/locking.h"
#include "tests/check.h"

#define VERSION 4

static const struct {
	const char *what;
	size_t then, now;
} sizes[] = {
#define SIZE(type, bytes)                                                      \
	{                                                                      \
#type, bytes, sizeof(type)                                     \
	}
	SIZE(struct zsr_policy, 136),
	SIZE(struct zsr_param, 64),
	{ "struct zsr_pool's part for policies", 384,
	  offsetof(struct zsr_pool, page_count) },
	SIZE(struct zsr_pool_class, 128),
	SIZE(struct zsr_releaser, 16),
	SIZE(struct zsr_machine, 16),
	SIZE(struct zsr_machine_ops, 216),
	SIZE(struct zsr_line, 24),
	SIZE(struct zsr_spinlock, 88),
	SIZE(struct zsr_rwlock, 96),
	SIZE(struct zsr_workqueue, 296),
	SIZE(struct zsr_work, 40),
	SIZE(struct zsr_delayed_work, 56),
	{ "enum zsr_cost", 39, ZSR_NR_COSTS },
	{ "enum zsr_locking", 3, ZSR_NR_LOCKINGS },
};

START_TEST(layout_has_a_version)
{
	size_t i;

	if (sizeof(void *) != 8)
		return;
	ck_assert_msg(ZSR_MACHINE_VERSION == VERSION,
		      "ZSR_MACHINE_VERSION is %d: note it and its sizes here",
		      ZSR_MACHINE_VERSION);
	for (i = 0; i < ZSR_ARRAY_SIZE(sizes); i++)
		ck_assert_msg(sizes[i].then == sizes[i].now,
			      "%s is %zu in version %d, and now %zu: raise "
			      "ZSR_MACHINE_VERSION, then note it here",
			      sizes[i].what, sizes[i].then, VERSION,
			      sizes[i].now);
}
END_TEST

ZSR_TEST_MAIN("interface", layout_has_a_version)
