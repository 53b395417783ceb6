// SPDX-License-Identifier: GPL-2.0-only
/*
 * What playing a release on threads adds to it: a policy whose release does
 * nothing (its flush frees) is played, and of the time a release takes from one
 * to the next, the two readings of the clock are no part: after each round as
 * many are made in a row, and of both the best round counts. Beside it what the
 * record that threads keep costs a free, by the shortest policy that has one.
 *
 *	host [--rounds N]
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "replay/host_player.h"
#include "replay/policy/locking.h"
#include "synth/synth.h"

static struct zsr_profile profile;
static struct zsr_host_trace calls;
static struct zsr_clock clock_found;
static struct zsr_err err;

static void die(void)
{
	fprintf(stderr, "host bench: %s\n", err.msg);
	exit(1);
}

static void empty_release(struct zsr_pool *p, const struct zsr_releaser *r,
			  uint32_t slot)
{
	(void)p;
	(void)r;
	(void)slot;
}

static void empty_flush(struct zsr_pool *p)
{
	zsr_handle h;
	size_t i;

	for (i = 0; i < p->nr_slots; i++) {
		h = zsr_pool_slot_take(p, (uint32_t)i);
		if (h)
			zsr_class_idx_free(p, h);
	}
}

static const struct zsr_policy empty = {
	.version = ZSR_MACHINE_VERSION,
	.name = "empty",
	.store_lock = ZSR_STORE_CLASS_LOCK,
	.release = empty_release,
	.free_now = zsr_class_idx_free,
	.flush = empty_flush,
};

/* ps that two readings of the clock take, of a run of NR. */
static uint64_t two_reads(uint64_t nr)
{
	uint64_t begin = zsr_ticks(), i;

	for (i = 0; i < nr; i++) {
		(void)zsr_ticks();
		(void)zsr_ticks();
	}
	return zsr_ticks_ps(&clock_found, zsr_ticks() - begin) / nr;
}

/* ps a free from the first to the last, best of ROUNDS; *READS: those of two
 * readings, likewise, where not NULL. */
static uint64_t measure(struct zsr_db *db, const struct zsr_trace *t,
			const struct zsr_policy *policy, unsigned rounds,
			uint64_t *reads)
{
	const struct zsr_host_setup setup = {
		.common = { .db = db,
			    .trace = t,
			    .profile = &profile,
			    .model = zsr_model_find("6.12"),
			    .policy = policy,
			    .arrival = ZSR_ARRIVAL_ASAP,
			    .outer = ZSR_OUTER_CLUSTER },
		.calls = &calls,
		.clock = &clock_found,
		.pin = ZSR_PIN_SPREAD,
	};
	uint64_t best = UINT64_MAX;
	struct zsr_run run = { 0 };

	while (rounds--) {
		if (zsr_run_init(&run, &err) ||
		    zsr_host_player_run(&setup, &run, &err))
			die();
		best = zsr_min(best, run.v.caller_sum_ns * 1000 / run.v.frees);
		if (reads)
			*reads = zsr_min(*reads, two_reads(run.v.frees));
		zsr_run_free(&run);
	}
	return best;
}

static void print(const char *what, uint64_t ps)
{
	printf("%-34s %4" PRIu64 ".%" PRIu64 " ns\n", what, ps / 1000,
	       ps % 1000 / 100);
}

int main(int argc, char **argv)
{
	char path[] = "/tmp/zsr-bench.XXXXXX", db_path[64];
	struct zsr_synth_munmap s = { .name = "bench",
				      .kernel = "7.2",
				      .size = 256u << 20,
				      .procs = 1,
				      .page_size = 4096,
				      .chain_size = 8,
				      .seed = 1 };
	uint64_t whole, reads = UINT64_MAX, sync, rounds = 15;
	struct zsr_db *db = NULL;
	struct zsr_trace t;

	if (argc == 3 && !strcmp(argv[1], "--rounds"))
		rounds = (uint64_t)zsr_max(atoi(argv[2]), 1);
	if (!mkdtemp(path))
		return 1;
	snprintf(db_path, sizeof(db_path), "%s/db", path);
	if (zsr_db_open(&db, db_path, ZSR_DB_CREATE, &err) ||
	    zsr_profile_load("rpi4b", &profile, &err) ||
	    zsr_sizes_parse("text", 4096, &s.sizes, &err) ||
	    zsr_synth_munmap(db, &s, &t, &err) ||
	    zsr_host_trace_load(&calls, db, &t, 1000000, &err))
		die();
	zsr_clock_init(&clock_found);
	whole = measure(db, &t, &empty, (unsigned)rounds, &reads);
	sync = measure(db, &t, &zsr_policy_class_idx, (unsigned)rounds, NULL);
	print("a release of nothing, all of it", whole);
	print("  two readings of the clock", reads);
	print("  the rest (bar: 5 ns)", whole - zsr_min(whole, reads));
	print("a release under class-idx", sync);
	zsr_host_trace_free(&calls);
	zsr_profile_free(&profile);
	zsr_db_close(db);
	unlink(db_path);
	rmdir(path);
	return 0;
}
