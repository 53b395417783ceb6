// SPDX-License-Identifier: GPL-2.0-only
/* Speed of the virtual machine: calls played a second, by policy and number of
 * processes, on the published 256 MiB experiment. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "replay/player.h"
#include "synth/synth.h"

#define ROUNDS 3

static struct zsr_profile profile;
static struct zsr_err err;

static void die(void)
{
	fprintf(stderr, "replay bench: %s\n", err.msg);
	exit(1);
}

/* Best of some rounds, ns. */
static uint64_t measure(struct zsr_db *db, const struct zsr_trace *t,
			const struct zsr_releases *releases,
			const struct zsr_policy *policy)
{
	uint64_t params[ZSR_MAX_PARAMS], best = UINT64_MAX, start;
	struct zsr_player_setup setup = {
		.db = db,
		.trace = t,
		.profile = &profile,
		.model = zsr_model_find("6.12"),
		.policy = policy,
		.releases = releases,
		.params = params,
		.cpus = 4,
		.seed = 1,
		.gaps = ZSR_GAPS_PROFILE,
		.outer = ZSR_OUTER_CLUSTER,
	};
	struct zsr_run run;
	unsigned i;

	for (i = 0; i < policy->nr_params; i++)
		params[i] = policy->params[i].def;
	for (i = 0; i < ROUNDS; i++) {
		if (zsr_run_init(&run, &err))
			die();
		start = zsr_clock_ns();
		if (zsr_player_run(&setup, &run, &err))
			die();
		best = zsr_min(best, zsr_clock_ns() - start);
		zsr_run_free(&run);
	}
	return best;
}

int main(void)
{
	static const unsigned procs[] = { 1, 4 };
	char path[] = "/tmp/zsr-bench.XXXXXX", db_path[64];
	struct zsr_releases releases;
	struct zsr_db *db = NULL;
	struct zsr_trace t;
	size_t i, k;

	if (!mkdtemp(path))
		return 1;
	snprintf(db_path, sizeof(db_path), "%s/db", path);
	if (zsr_db_open(&db, db_path, ZSR_DB_CREATE, &err) ||
	    zsr_profile_load("rpi4b", &profile, &err))
		die();
	puts("processes  policy         M calls/s  (stores and frees; best of "
	     "3)");
	for (i = 0; i < ZSR_ARRAY_SIZE(procs); i++) {
		struct zsr_synth_munmap s = { .name = "bench",
					      .kernel = "7.2",
					      .size = 256u << 20,
					      .procs = procs[i],
					      .page_size = 4096,
					      .chain_size = 8,
					      .seed = 1 };

		if (zsr_sizes_parse("text", 4096, &s.sizes, &err) ||
		    zsr_synth_munmap(db, &s, &t, &err) ||
		    zsr_releases_scan(&releases, db, &t,
				      profile.pause / ZSR_PS_PER_NS, &err))
			die();
		for (k = 0; zsr_policies[k]; k++)
			printf("%9u  %-14s %9.2f\n", procs[i],
			       zsr_policies[k]->name,
			       (double)(t.nr_mallocs + t.nr_frees) * 1e3 /
				       (double)measure(db, &t, &releases,
						       zsr_policies[k]));
		zsr_releases_free(&releases);
	}
	zsr_db_close(db);
	zsr_profile_free(&profile);
	unlink(db_path);
	rmdir(path);
	return 0;
}
