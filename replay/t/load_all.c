// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every policy under every load: each alone, all together, and random sets of
 * them, on small random traces. Whatever must hold in every run is checked by
 * the player; here, what the load's record says, and that runs repeat.
 */
#include "replay/t/loaded.h"

#define RANDOM_SETS 60

enum { CPU, RT, MEM, SCHED, WORKER, OFFLINE, AT_TIMES, EVERY, MIGRATE, MEMORY };

static const char *const kinds[] = {
	[CPU] = "--load cpu=3",
	[RT] = "--load rt=2:600:1s",
	[MEM] = "--load mem=2G:1G",
	[SCHED] = "--load sched=lognormal:40us",
	[WORKER] = "--load worker=const:700us",
	[OFFLINE] = "--offline 2@150us --offline 0@400us",
	[AT_TIMES] = "--compact-at 50us --compact-at 500us",
	[EVERY] = "--compact-every 130us",
	[MIGRATE] = "--migrate-every 20us",
	[MEMORY] = "--memory 2M",
};

#define NR_KINDS  ZSR_ARRAY_SIZE(kinds)
#define ALL_KINDS ((1u << NR_KINDS) - 1)

/* Four tasks that store, release in some order, some as an overwrite, and
 * store again meanwhile; with pauses, compactions of the trace, and an end that
 * leaves some. */
static void random_trace(struct zsr_rng *rng)
{
	uint64_t t = 0, live[400];
	unsigned nr = 0, i, k;

	for (i = 0; i < 300; i++)
		live[nr++] = store(t += zsr_rng_below(rng, 500), i % 4,
				   100 + (uint32_t)zsr_rng_below(rng, 3997));
	t += 2 * MS;
	for (i = 0; i < 500 && nr; i++) {
		t += zsr_rng_below(rng, i % 100 ? 3 * US : 3 * MS);
		if (i % 150 == 99)
			event(ZSR_EV_COMPACT, t, i % 4);
		k = (unsigned)zsr_rng_below(rng, nr);
		if (zsr_rng_below(rng, 8) == 0) {
			live[nr++] = store(t, i % 4, 1000);
			continue;
		}
		release(t, (unsigned)zsr_rng_below(rng, 4), live[k])->caller =
			zsr_rng_below(rng, 10) ? ZSR_CALLER_SWAP_RELEASE
					       : ZSR_CALLER_OVERWRITE;
		live[k] = live[--nr];
	}
}

static void set_profile(const struct zsr_profile *shipped)
{
	uint64_t pause = profile.pause;

	profile = *shipped;
	profile.pause = pause;
	profile.wmark_min = 64 << 10;
	profile.wmark_low = 128 << 10;
	profile.wmark_high = 256 << 10;
}

/* Rounded to ns, each of the two and the window. */
#define ROUNDED 4

static void check_record(unsigned set)
{
	const struct zsr_run_values *v = &run.v;
	uint64_t cpu = v->load_cpu_ns + v->load_cpu_lost_ns;

	ck_assert_uint_ge(v->mallocs, v->frees + v->malloc_failed);
	if (set & 1u << CPU)
		ck_assert_uint_ge(cpu + ROUNDED,
				  window_ns() * (set & 1u << OFFLINE ? 2 : 3));
	else
		ck_assert_uint_eq(cpu, 0);
	ck_assert_int_eq(v->load_rt_ns > 0, !!(set & 1u << RT));
	/* Short memory may leave it nothing. */
	if (!(set & 1u << MEMORY))
		ck_assert_int_eq(v->load_mem_pages > 0, !!(set & 1u << MEM));
	ck_assert_uint_le(v->load_mem_stall_max_ns, v->load_mem_stall_ns);
	ck_assert_uint_ge(v->compactions,
			  set & (1u << AT_TIMES | 1u << EVERY) ? 2 : 1);
	ck_assert_uint_le(v->compact_dead_bytes, v->compact_moved_bytes);
}

static void run_set(const struct zsr_policy *policy, unsigned set,
		    uint64_t seed, char *digest)
{
	struct zsr_profile shipped;
	struct zsr_rng rng = { seed };
	char options[512] = "";
	unsigned i;

	start(4);
	random_trace(&rng);
	setup.policy = policy;
	setup.seed = seed;
	setup.outer = seed % 3;
	if (!setup.outer)
		setup.outer = ZSR_OUTER_DEVICE;
	ck_assert_int_eq(zsr_profile_load("rpi4b", &shipped, &err), 0);
	set_profile(&shipped);
	for (i = 0; i < NR_KINDS; i++)
		if (set & 1u << i)
			sprintf(options + strlen(options), "%s%s",
				*options ? " " : "", kinds[i]);
	under(options);
	ck_assert_msg(!try_play(), "seed %u: %s: %s", (unsigned)seed, options,
		      err.msg);
	check_record(set);
	zsr_run_digest(&run);
	strcpy(digest, run.digest);
	zsr_run_free(&run);
	zsr_profile_free(&shipped);
}

START_TEST(all_loads)
{
	const struct zsr_policy *policy = zsr_policies[_i];
	char one[ZSR_SHA_HEX], two[ZSR_SHA_HEX], plain[ZSR_SHA_HEX];
	struct zsr_rng rng = { (uint64_t)_i };
	unsigned i;

	run_set(policy, 0, 1, plain);
	for (i = 0; i < NR_KINDS; i++) {
		run_set(policy, 1u << i, 1, one);
		run_set(policy, 1u << i, 2, two);
	}
	for (i = 1; i <= 3; i++) {
		run_set(policy, ALL_KINDS, i, one);
		run_set(policy, ALL_KINDS, i, two);
		ck_assert_str_eq(one, two);
		ck_assert_str_ne(one, plain);
	}
	for (i = 0; i < RANDOM_SETS; i++)
		run_set(policy, (unsigned)zsr_rng_below(&rng, ALL_KINDS + 1),
			100 + i, one);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("load, all");
	TCase *tcase = tcase_create("load, all");
	SRunner *runner;
	int failed, nr = 0;

	while (zsr_policies[nr])
		nr++;
	tcase_set_timeout(tcase, 300);
	tcase_add_loop_test(tcase, all_loads, 0, nr);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
