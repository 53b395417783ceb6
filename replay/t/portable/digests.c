// SPDX-License-Identifier: GPL-2.0-only
/* Prints the result digests of a generated trace under every policy: what
 * arm64.t compares between two architectures. argv[1]: a database to make. */
#include <stdio.h>

#include "replay/policy/policy.h"
#include "replay/replay.h"
#include "synth/synth.h"

static int print_run(void *ctx, struct zsr_run *run, struct zsr_err *err)
{
	(void)ctx;
	(void)err;
	printf("%s %s\n", run->policy, run->digest);
	return 0;
}

static int digests(struct zsr_db *db, struct zsr_err *err)
{
	struct zsr_synth_munmap s = { .name = "munmap",
				      .kernel = "7.2",
				      .size = 4 << 20,
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
		ret = zsr_replay(db, &t, &o, print_run, NULL, err);
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
