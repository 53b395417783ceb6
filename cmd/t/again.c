// SPDX-License-Identifier: GPL-2.0-only
/* Runs of strangers are made again only when nothing of them names a file. */
#include <string.h>

#include "cmd/packs.h"
#include "tests/check.h"

static int never(void *ctx, struct zsr_run *run, struct zsr_err *err)
{
	ck_abort_msg("replayed");
	return 0;
}

/* (There is no database: whatever would be replayed crashes.) */
static int again(const struct zsr_run *run)
{
	struct zsr_err err = { 0 };
	int ret = zsr_cmd_again(NULL, NULL, run, NULL, never, NULL, &err);

	ck_assert(!err.kind);
	return ret;
}

START_TEST(test_files)
{
	static const struct {
		const char *policy, *profile, *clock, *params, *conditions;
	} cases[] = {
		{ "./mine.so", "rpi4b", "virtual", "", "" },
		{ "/tmp/mine.so", "rpi4b", "virtual", "", "" },
		{ "mine.so", "rpi4b", "virtual", "", "" },
		{ "sync,./mine.so", "rpi4b", "virtual", "", "" },
		{ "", "rpi4b", "virtual", "", "" },
		{ "sync", "../rpi4b", "virtual", "", "" },
		{ "sync", "mine.profile", "virtual", "", "" },
		{ "sync", "rpi4b", "host", "", "" },
		{ "mine", "rpi4b", "virtual", "a=1 plugin=./mine.so", "" },
		{ "sync", "rpi4b", "virtual", "",
		  "--load sched=file:/etc/passwd" },
		{ "sync", "rpi4b", "virtual", "", "--load" },
		{ "sync", "rpi4b", "virtual", "", "--machine /tmp/x" },
	};
	struct zsr_run run;
	char params[64];
	size_t i;

	for (i = 0; i < ZSR_ARRAY_SIZE(cases); i++) {
		memset(&run, 0, sizeof(run));
		strcpy(run.policy, cases[i].policy);
		strcpy(run.profile, cases[i].profile);
		strcpy(run.clock, cases[i].clock);
		strcpy(params, cases[i].params);
		run.params = params;
		strcpy(run.conditions, cases[i].conditions);
		ck_assert_msg(again(&run) == 1, "case %zu", i);
	}
}
END_TEST

ZSR_TEST_MAIN("again", test_files)
