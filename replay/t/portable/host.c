// SPDX-License-Identifier: GPL-2.0-only
/* Replays on threads under the policies that use all of the host machine; the
 * player refuses a run in which anything is lost. Argument: a database. Without
 * it the profile of this machine, of few rounds. */
#include <stdlib.h>

#include "replay/replay.h"
#include "synth/synth.h"

static struct zsr_err err;

static int on_run(void *ctx, struct zsr_run *run, struct zsr_err *e)
{
	const struct zsr_trace *t = ctx;

	(void)e;
	if (run->v.frees != t->nr_frees)
		return -EPROTO;
	printf("%s\n", run->policy);
	return 0;
}

static uint32_t draw(void *ctx)
{
	return 500 + (uint32_t)zsr_rng_below(ctx, 1000);
}

static int calibrate(void)
{
	struct zsr_rng rng = { 1 };
	const struct zsr_calibrate_opts opts = {
		.rounds = 3, .objects = 1024, .draw = draw, .ctx = &rng
	};
	char *text;

	if (zsr_calibrate_host(&opts, &text, &err)) {
		fprintf(stderr, "%s\n", err.msg);
		return 1;
	}
	fputs(text, stdout);
	free(text);
	return 0;
}

int main(int argc, char **argv)
{
	const struct zsr_replay_opts opts = {
		.policies = "sync,sync-6.1,class-idx,array,deferred,"
			    "deferred-slot,global-list,zram-gc",
		.host = true,
		.cpus = 2,
		.arrival = ZSR_ARRIVAL_ASAP,
	};
	struct zsr_synth_munmap s = { .name = "t",
				      .kernel = "7.2",
				      .size = 4u << 20,
				      .procs = 3,
				      .page_size = 4096,
				      .chain_size = 8,
				      .seed = 1 };
	struct zsr_db *db = NULL;
	struct zsr_trace t;

	if (argc != 2)
		return calibrate();
	if (zsr_db_open(&db, argv[1], ZSR_DB_CREATE, &err) ||
	    zsr_sizes_parse("text", 4096, &s.sizes, &err) ||
	    zsr_synth_munmap(db, &s, &t, &err) ||
	    zsr_replay(db, &t, &opts, on_run, &t, &err)) {
		fprintf(stderr, "%s\n", err.msg);
		return 1;
	}
	zsr_db_close(db);
	return 0;
}
