// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prints the result digests of a generated trace under every policy, as it is
 * and under conditions: what arm64.t compares between two architectures.
 * argv[1]: a database to make. Run from the top of the tree.
 */
#include <stdio.h>
#include <string.h>

#include "replay/policy/policy.h"
#include "replay/replay.h"
#include "synth/synth.h"

static int print_run(void *ctx, struct zsr_run *run, struct zsr_err *err)
{
	(void)ctx;
	(void)err;
	printf("%s %s %s\n", run->policy, run->digest, run->conditions);
	return 0;
}

#define LISTS(...)                                                             \
	(const char *const[])                                                  \
	{                                                                      \
		__VA_ARGS__, NULL                                              \
	}

static const struct zsr_condition_args none;

/* Small queues and short timers, for a small trace to fill them. */
static const char *const *params_of(const struct zsr_policy *policy)
{
	static const struct {
		const char *policy;
		const char *const param[4];
	} small[] = {
		{ "array", { "capacity=1", "kick-percent=10", NULL } },
		{ "deferred",
		  { "page-entries=16", "pool-pages=2", "flush-ms=1", NULL } },
		{ "deferred-slot",
		  { "pool-kib=1", "entry-bytes=8", "flush-ms=1", NULL } },
		{ "global-list", { "min-objects=32", "flush-ms=1", NULL } },
		{ "zram-gc", { "capacity=20", NULL } },
	};
	size_t i;

	for (i = 0; i < ZSR_ARRAY_SIZE(small); i++)
		if (!strcmp(small[i].policy, policy->name))
			return small[i].param;
	return NULL;
}

/* Every kind of load; CPUs that go; compactions; all of them. */
static int under_conditions(struct zsr_db *db, const struct zsr_trace *t,
			    struct zsr_replay_opts *o, struct zsr_err *err)
{
	const struct zsr_condition_args all[] = {
		{ .load = LISTS("cpu=3", "rt=1", "mem=4G:1G"), .memory = "16M" },
		{ .load = LISTS("sched=file:replay/t/portable/wakeups",
				"worker=lognormal:300us", "cpu=4") },
		{ .offline = LISTS("1@200us", "3@300us") },
		{ .compact_at = LISTS("50us", "400us"),
		  .compact_every = "130us" },
		{ .load = LISTS("cpu=5", "rt=2:500", "mem=8G:1G",
				"sched=lognormal:40us", "worker=const:1ms"),
		  .offline = LISTS("2@250us"),
		  .compact_every = "100us",
		  .memory = "24M" },
	};
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < ZSR_ARRAY_SIZE(all); i++) {
		o->conditions = all[i];
		ret = zsr_replay(db, t, o, print_run, NULL, err);
	}
	o->conditions = none;
	return ret;
}

static int digests(struct zsr_db *db, struct zsr_err *err)
{
	struct zsr_synth_munmap s = { .name = "munmap",
				      .kernel = "7.2",
				      .size = 2 << 20,
				      .procs = 4,
				      .page_size = 4096,
				      .chain_size = 8,
				      .seed = 1 };
	struct zsr_replay_opts o = { .seed = 1 };
	struct zsr_trace t;
	size_t i;
	int ret = zsr_sizes_parse("lzo-rle", s.page_size, &s.sizes, err);

	if (!ret)
		ret = zsr_synth_munmap(db, &s, &t, err);
	if (!ret)
		printf("trace %s\n", t.digest);
	for (i = 0; !ret && zsr_policies[i]; i++) {
		o.policies = zsr_policies[i]->name;
		o.params = params_of(zsr_policies[i]);
		ret = zsr_replay(db, &t, &o, print_run, NULL, err);
		if (!ret)
			ret = under_conditions(db, &t, &o, err);
	}
	return ret;
}

int main(int argc, char **argv)
{
	struct zsr_err err = { 0 };
	struct zsr_db *db = NULL;
	int ret = argc == 2 ? 0 : zsr_err_usage(&err, "digests DB");

	if (!ret)
		ret = zsr_db_open(&db, argv[1], ZSR_DB_CREATE, &err);
	if (!ret)
		ret = digests(db, &err);
	zsr_db_close(db);
	if (ret)
		fprintf(stderr, "digests: %s\n", err.msg);
	return ret ? 1 : 0;
}
