/* SPDX-License-Identifier: GPL-2.0-only */
/* made.h's traces under conditions, as `zsr replay` takes them. */
#ifndef ZSR_REPLAY_T_LOADED_H
#define ZSR_REPLAY_T_LOADED_H

#include "replay/t/made.h"

#define MAX_WORDS 16

static struct zsr_conditions conditions;

/* The run goes through "--load cpu=1 --offline 2@1ms ...". */
static inline void under(const char *options)
{
	const char *list[3][MAX_WORDS] = { 0 };
	static const char *const names[] = { "--load", "--offline",
					     "--compact-at" };
	struct zsr_condition_args args = { .load = list[0],
					   .offline = list[1],
					   .compact_at = list[2] };
	char *copy = strdup(options), *rest = copy, *option, *value;
	unsigned nr[3] = { 0 }, i;

	while (*options && (option = strsep(&rest, " "))) {
		value = strsep(&rest, " ");
		ck_assert_ptr_nonnull(value);
		if (!strcmp(option, "--compact-every"))
			args.compact_every = value;
		if (!strcmp(option, "--migrate-every"))
			args.migrate_every = value;
		if (!strcmp(option, "--memory"))
			args.memory = value;
		if (!strcmp(option, "--swap"))
			args.swap = value;
		for (i = 0; i < 3; i++)
			if (!strcmp(option, names[i]))
				list[i][nr[i]++] = value;
	}
	ck_assert_msg(!zsr_conditions_parse(&conditions, &args, setup.cpus, &err),
		      "%s", err.msg);
	if (conditions.memory)
		profile.memory = conditions.memory;
	setup.conditions = &conditions;
	free(copy);
}

/* NR stores at once, then as many releases GAP_NS apart, all of one task. */
static inline void steady(unsigned nr, uint64_t gap_ns)
{
	unsigned i;

	for (i = 0; i < nr; i++)
		store(0, 0, HUGE_SZ);
	for (i = 0; i < nr; i++)
		release(1000 + i * (gap_ns + 1), 0, i);
}

/* Of the run, from when the load began. */
static inline uint64_t window_ns(void)
{
	return run.v.end_ns - run.v.first_release_ns;
}

#endif
