// SPDX-License-Identifier: GPL-2.0-only
/*
 * Profiles: every entry once, with its unit and within its range; speeds of
 * CPUs, cores that two CPUs share, and what both do to the time of a step.
 */
#include <string.h>

#include "replay/machine/virtual/vm.h"
#include "tests/check.h"

static struct zsr_profile shipped, p;
static struct zsr_err err;

/* The shipped profile with the line of NAME replaced; LINE "": left out. */
static char *with(const char *name, const char *line)
{
	char *text = malloc(strlen(shipped.text) + strlen(line) + 2);
	const char *at = shipped.text, *end;
	size_t n;

	for (;; at = end + 1) {
		end = strchr(at, '\n');
		ck_assert_msg(end, "no line %s", name);
		if (!strncmp(at, name, strlen(name)) &&
		    !strncmp(at + strlen(name), " =", 2))
			break;
	}
	n = (size_t)(at - shipped.text);
	memcpy(text, shipped.text, n);
	sprintf(text + n, "%s%s", line, end);
	return text;
}

static int parse_with(const char *name, const char *line)
{
	char *text = with(name, line);
	int ret = zsr_profile_parse("mine", text, &p, &err);

	free(text);
	return ret;
}

static void parse(const char *name, const char *line)
{
	ck_assert_msg(!parse_with(name, line), "%s: %s", line, err.msg);
}

static void load_shipped(void)
{
	ck_assert_msg(!zsr_profile_load("rpi4b", &shipped, &err), "%s", err.msg);
}

static void free_shipped(void)
{
	zsr_profile_free(&shipped);
}

/* One a CPU, the last one for all that follow. */
START_TEST(speeds)
{
	unsigned i;

	parse("speed", "speed = 1000, 520 ,10000,10 permille");
	ck_assert_uint_eq(p.speed[0], 1000);
	ck_assert_uint_eq(p.speed[1], 520);
	ck_assert_uint_eq(p.speed[2], 10000);
	for (i = 3; i < ZSR_MAX_CPUS; i++)
		ck_assert_uint_eq(p.speed[i], 10);
	zsr_profile_free(&p);
	parse("speed", "speed = 850 permille # all alike");
	for (i = 0; i < ZSR_MAX_CPUS; i++)
		ck_assert_uint_eq(p.speed[i], 850);
	zsr_profile_free(&p);
}
END_TEST

START_TEST(as_many_speeds_as_cpus)
{
	char line[1024] = "speed = 11";
	unsigned i;

	for (i = 1; i < ZSR_MAX_CPUS; i++)
		sprintf(line + strlen(line), ", %u", 11 + i);
	strcat(line, " permille");
	parse("speed", line);
	for (i = 0; i < ZSR_MAX_CPUS; i++)
		ck_assert_uint_eq(p.speed[i], 11 + i);
	zsr_profile_free(&p);
	*strrchr(line, ' ') = '\0';
	strcat(line, ", 5000 permille");
	ck_assert_int_lt(parse_with("speed", line), 0);
	ck_assert_ptr_nonnull(strstr(err.msg, "speed: more than 64 values"));
}
END_TEST

START_TEST(marks_and_cores)
{
	parse("wmark_low", "wmark_low = 1.5 MiB");
	ck_assert_uint_eq(p.wmark_low, 3 << 19);
	zsr_profile_free(&p);
	parse("wmark_min", "wmark_min = 0 KiB");
	ck_assert_uint_eq(p.wmark_min, 0);
	zsr_profile_free(&p);
	parse("wmark_high", "wmark_high = 2 GiB");
	ck_assert_uint_eq(p.wmark_high, 2ull << 30);
	zsr_profile_free(&p);
	parse("smt_cpus", "smt_cpus = 16");
	ck_assert_uint_eq(p.smt_cpus, 16);
	zsr_profile_free(&p);
	parse("smt_speed", "smt_speed = 640 permille");
	ck_assert_uint_eq(p.smt_speed, 640);
	zsr_profile_free(&p);
}
END_TEST

static const struct {
	const char *name, *line, *says;
} wrong[] = {
	{ "speed", "", "speed is missing" },
	{ "wmark_min", "", "wmark_min is missing" },
	{ "smt_speed", "", "smt_speed is missing" },
	{ "swap_free", "", "swap_free is missing" },
	{ "speed", "speed = 1000", "speed: '1000' has no unit" },
	{ "speed", "speed = permille", "is no number with a unit" },
	{ "speed", "speed = 1000,,500 permille", "is no number with a unit" },
	{ "speed", "speed = 1000, permille", "is no number with a unit" },
	{ "speed", "speed = 1000 permille, 500 permille", "no unit for it" },
	{ "speed", "speed = 1000 MiB", "speed: 'MiB' is no unit for it" },
	{ "speed", "speed = 9 permille", "speed: out of range" },
	{ "speed", "speed = 1000, 10001 permille", "speed: out of range" },
	{ "speed", "speed = -5 permille", "is no number with a unit" },
	{ "speed", "speed = ", "speed: '' has no unit" },
	{ "speed", "speed = 1 permille\nspeed = 1 permille", "out of range" },
	{ "speed", "speed = 500 permille\nspeed = 500 permille",
	  "speed is given twice" },
	{ "wmark_low", "wmark_low = 10", "wmark_low: '' is no unit for it" },
	{ "wmark_low", "wmark_low = 10 ms", "'ms' is no unit for it" },
	{ "wmark_low", "wmark_low = 2097152 GiB", "wmark_low: out of range" },
	{ "smt_cpus", "smt_cpus = 65", "smt_cpus: out of range" },
	{ "smt_speed", "smt_speed = 99 permille", "smt_speed: out of range" },
	{ "smt_speed", "smt_speed = 1001 permille", "out of range" },
	{ "smt_speed", "smt_speeds = 900 permille", "is no profile entry" },
	{ "slice", "slice = 999 ps", "slice: out of range" },
};

START_TEST(wrong_lines)
{
	ck_assert_msg(parse_with(wrong[_i].name, wrong[_i].line) < 0, "%s",
		      wrong[_i].line);
	ck_assert_int_eq(err.kind, ZSR_ERR_INPUT);
	ck_assert_ptr_eq(strstr(err.msg, "profile mine: "), err.msg);
	ck_assert_msg(strstr(err.msg, wrong[_i].says), "%s: %s", wrong[_i].line,
		      err.msg);
}
END_TEST

/* Whatever is left out of it, its name is said. */
START_TEST(nothing_may_be_missing)
{
	const char *line = shipped.text, *end;
	char name[64], says[96];
	unsigned nr = 0;

	for (; (end = strchr(line, '\n')); line = end + 1) {
		if (*line == '#' || line == end)
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(line, " ="),
			 line);
		snprintf(says, sizeof(says), "%s is missing", name);
		ck_assert_int_lt(parse_with(name, ""), 0);
		ck_assert_msg(strstr(err.msg, says), "%s: %s", name, err.msg);
		nr++;
	}
	ck_assert_uint_gt(nr, ZSR_NR_COSTS);
}
END_TEST

/* ---- what they do ----------------------------------------------------------- */

#define US 1000000ull /* in ps */

struct finish {
	uint64_t at[4];
};

static struct finish finish;

/* Ten steps of 10 us each, then done. */
static void worker(struct zsr_vm *vm, void *arg)
{
	uint64_t *at = arg;
	unsigned i;

	for (i = 0; i < 10; i++) {
		zsr_charge(&vm->m, ZSR_COST_handle_free, 1);
		zsr_order(&vm->m);
	}
	*at = vm->c->now;
}

static void run_on(unsigned cpus, unsigned busy)
{
	struct zsr_vm *vm;
	unsigned i;

	p.slice = 3000 * US;
	p.pcp_batch = 1;
	p.memory = 1 << 30;
	p.cost_ps[ZSR_COST_handle_free] = 10 * US;
	ck_assert_int_eq(zsr_vm_create(&vm, &p, cpus, 4096, 1, &err), 0);
	for (i = 0; i < cpus; i++)
		if (busy & 1u << i)
			ck_assert_ptr_nonnull(
				zsr_vm_spawn(vm, worker, &finish.at[i], i, 0));
	ck_assert_msg(!zsr_vm_run(vm, &err), "%s", err.msg);
	zsr_vm_destroy(vm);
}

START_TEST(little_cores_take_longer)
{
	p = (struct zsr_profile){ .speed = { 1000, 500, 2000, 250 } };
	run_on(4, 0xf);
	ck_assert_uint_eq(finish.at[0], 100 * US);
	ck_assert_uint_eq(finish.at[1], 200 * US);
	ck_assert_uint_eq(finish.at[2], 50 * US);
	ck_assert_uint_eq(finish.at[3], 400 * US);
}
END_TEST

/* CPUs 0 and 1 share a core, 2 and 3 do not: beside each other each runs at
 * half its speed, alone at all of it. */
START_TEST(shared_cores)
{
	p = (struct zsr_profile){ .smt_cpus = 2, .smt_speed = 500 };
	run_on(4, 0xf);
	ck_assert_uint_eq(finish.at[0], 200 * US);
	ck_assert_uint_eq(finish.at[1], 200 * US);
	ck_assert_uint_eq(finish.at[2], 100 * US);
	ck_assert_uint_eq(finish.at[3], 100 * US);
	run_on(4, 0xd);
	ck_assert_uint_eq(finish.at[0], 100 * US);
}
END_TEST

/* When the faster one is done the other speeds up: CPU 1 is half as fast. At
 * 200 us CPU 0 has done all and CPU 1 half; that takes it 100 us more. */
START_TEST(core_to_itself)
{
	p = (struct zsr_profile){ .smt_cpus = 2,
				  .smt_speed = 500,
				  .speed = { 1000, 500 } };
	run_on(2, 3);
	ck_assert_uint_eq(finish.at[0], 200 * US);
	ck_assert_uint_eq(finish.at[1], 300 * US);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("profile");
	TCase *tcase = tcase_create("profile");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, load_shipped, free_shipped);
	tcase_add_test(tcase, speeds);
	tcase_add_test(tcase, as_many_speeds_as_cpus);
	tcase_add_test(tcase, marks_and_cores);
	tcase_add_loop_test(tcase, wrong_lines, 0, ZSR_ARRAY_SIZE(wrong));
	tcase_add_test(tcase, nothing_may_be_missing);
	tcase_add_test(tcase, little_cores_take_longer);
	tcase_add_test(tcase, shared_cores);
	tcase_add_test(tcase, core_to_itself);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
