// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the options that load a machine mean, what is wrong with others, and
 * the text by which a run remembers them.
 */
#include <string.h>

#include "replay/conditions.h"
#include "tests/check.h"

#define CPUS 4
#define MS   1000000ull
#define MAX  128

static struct zsr_conditions c;
static struct zsr_err err;

/* Options as on a command line, in words. */
static int parse_words(char *line, unsigned cpus)
{
	const char *load[MAX] = { 0 }, *offline[MAX] = { 0 }, *at[MAX] = { 0 };
	struct zsr_condition_args args = { .load = load,
					   .offline = offline,
					   .compact_at = at };
	unsigned loads = 0, offlines = 0, ats = 0;
	char *option, *value;

	while ((option = strsep(&line, " "))) {
		value = strsep(&line, " ");
		ck_assert_ptr_nonnull(value);
		if (!strcmp(option, "--load"))
			load[loads++] = value;
		else if (!strcmp(option, "--offline"))
			offline[offlines++] = value;
		else if (!strcmp(option, "--compact-at"))
			at[ats++] = value;
		else if (!strcmp(option, "--compact-every"))
			args.compact_every = value;
		else if (!strcmp(option, "--migrate-every"))
			args.migrate_every = value;
		else if (!strcmp(option, "--memory"))
			args.memory = value;
		else if (!strcmp(option, "--swap"))
			args.swap = value;
		else
			ck_abort_msg("no option %s", option);
	}
	return zsr_conditions_parse(&c, &args, cpus, &err);
}

static void parse(const char *options)
{
	char *line = strdup(options);

	ck_assert_msg(!parse_words(line, CPUS), "%s: %s", options, err.msg);
	free(line);
}

/* ---- what they mean ------------------------------------------------------- */

START_TEST(nothing)
{
	const struct zsr_condition_args none = { 0 };

	ck_assert_int_eq(zsr_conditions_parse(&c, &none, 1, &err), 0);
	ck_assert_str_eq(c.text, "");
	ck_assert_uint_eq(c.cpu_hogs + c.rt_hogs + c.nr_offline, 0);
	ck_assert_uint_eq(c.nr_compact_at + c.compact_every_ns, 0);
	ck_assert_uint_eq(c.mem_total + c.memory, 0);
	ck_assert(!c.wake_set && !c.worker_set);
}
END_TEST

START_TEST(loads)
{
	parse("--load cpu=8");
	ck_assert_uint_eq(c.cpu_hogs, 8);
	parse("--load rt=4");
	ck_assert_uint_eq(c.rt_hogs, 4);
	ck_assert_uint_eq(c.rt_permille, 950);
	parse("--load rt=2:1");
	ck_assert_uint_eq(c.rt_hogs, 2);
	ck_assert_uint_eq(c.rt_permille, 1);
	parse("--load rt=3:1000");
	ck_assert_uint_eq(c.rt_permille, 1000);
	parse("--load mem=64M:1G");
	ck_assert_uint_eq(c.mem_rate, 64 << 20);
	ck_assert_uint_eq(c.mem_total, 1 << 30);
	parse("--load sched=const:25us");
	ck_assert(c.wake_set && !c.worker_set);
	ck_assert_uint_eq(c.wake.ps[0], 25000000);
	ck_assert_uint_eq(c.wake.ps[255], 25000000);
	parse("--load worker=lognormal:1ms");
	ck_assert(c.worker_set && !c.wake_set);
	ck_assert_uint_lt(c.worker.ps[0], 300 * MS);
	ck_assert_uint_gt(c.worker.ps[255], 3000 * MS);
}
END_TEST

/* Happenings are kept by time, whatever the order they are given in. */
START_TEST(happenings)
{
	parse("--offline 3@2ms --offline 0@500us --offline 2@2ms "
	      "--compact-at 3ms --compact-at 0 --compact-at 1.5ms");
	ck_assert_uint_eq(c.nr_offline, 3);
	ck_assert_uint_eq(c.offline[0].cpu, 0);
	ck_assert_uint_eq(c.offline[0].at_ns, MS / 2);
	ck_assert_uint_eq(c.offline[1].at_ns, 2 * MS);
	ck_assert_uint_eq(c.offline[2].at_ns, 2 * MS);
	ck_assert_uint_eq(c.nr_compact_at, 3);
	ck_assert_uint_eq(c.compact_at_ns[0], 0);
	ck_assert_uint_eq(c.compact_at_ns[1], 3 * MS / 2);
	ck_assert_uint_eq(c.compact_at_ns[2], 3 * MS);
	parse("--compact-every 1us --memory 1M --swap 3M");
	ck_assert_uint_eq(c.swap, 3 << 20);
	ck_assert_uint_eq(c.compact_every_ns, 1000);
	ck_assert_uint_eq(c.memory, 1 << 20);
}
END_TEST

/* The text is the options in a fixed order of kinds; given again, it means
 * the same and reads the same. */
START_TEST(text)
{
	static const char given[] =
		"--memory 512M --compact-every 2ms --compact-at 7ms "
		"--compact-at 5ms --offline 3@1ms --offline 1@0 "
		"--load mem=1M:2M --load rt=2:900 --load cpu=3 "
		"--load worker=const:1ms --load sched=lognormal:30us";
	static const char kept[] =
		"--load mem=1M:2M --load rt=2:900 --load cpu=3 "
		"--load worker=const:1ms --load sched=lognormal:30us "
		"--offline 3@1ms --offline 1@0 --compact-at 7ms "
		"--compact-at 5ms --compact-every 2ms --memory 512M";
	struct zsr_conditions first;

	parse(given);
	ck_assert_str_eq(c.text, kept);
	first = c;
	parse(first.text);
	ck_assert_mem_eq(&c, &first, sizeof(c));
}
END_TEST

/* ---- what is wrong -------------------------------------------------------- */

static const struct {
	const char *options, *says;
} wrong[] = {
	{ "--load cpu", "--load cpu: expected KIND=VALUE, with cpu, rt, mem, "
			"sched or worker" },
	{ "--load disk=1", "--load disk=1: no load 'disk'; there are cpu, rt, "
			   "mem, sched and worker" },
	{ "--load acpurtmemschedworker=1", "expected KIND=VALUE" },
	{ "--load =1", "no load ''" },
	{ "--load cpu=1 --load cpu=2", "--load cpu=2: cpu is given twice" },
	{ "--load cpu=0", "--load cpu=0: cpu: 0 is not within 1 to 1024" },
	{ "--load cpu=1025", "--load cpu=1025: cpu: 1025 is not within" },
	{ "--load cpu=", "--load cpu=: cpu: '' is no number" },
	{ "--load cpu=two", "--load cpu=two: cpu: 'two' is no number" },
	{ "--load cpu=-1", "--load cpu=-1: cpu: '-1' is no number" },
	{ "--load cpu=99999999999999999999", "is no number" },
	{ "--load rt=0", "--load rt=0: rt: 0 is not within 1 to 4" },
	{ "--load rt=5", "--load rt=5: rt: 5 is not within 1 to 4" },
	{ "--load rt=2:", "--load rt=2:: rt: '' is no number" },
	{ "--load rt=2:0", "--load rt=2:0: rt: 0 is not within 1 to 1000" },
	{ "--load rt=2:1001", "rt: 1001 is not within 1 to 1000" },
	{ "--load rt=000000000000002x", "rt: '000000000000002x' is no number" },
	{ "--load rt=4:1000", "--load rt: 4 tasks at 1000 permille leave no "
			      "CPU of 4 to the replay" },
	{ "--load rt=4 --offline 1@1ms --offline 2@1ms",
	  "--load rt: 4 tasks at 950 permille leave no CPU of 2" },
	{ "--load rt=3:1000 --offline 1@1ms",
	  "--load rt: 3 tasks at 1000 permille leave no CPU of 3" },
	{ "--load mem=1M", "--load mem=1M: mem: expected RATE:TOTAL" },
	{ "--load mem=1M:", "--load mem=1M:: '' is no size" },
	{ "--load mem=:1M", "--load mem=:1M: '' is no size" },
	{ "--load mem=-1M:1M", "'-1M' is no size" },
	{ "--load mem=0:1M", "--load mem=0:1M: mem: out of range" },
	{ "--load mem=1M:0", "mem: out of range" },
	{ "--load mem=2T:1M", "mem: out of range" },
	{ "--load mem=1M:2048T", "mem: out of range" },
	{ "--load mem=99999999T:1M", "is no size" },
	{ "--load sched=25us", "--load sched=25us: '25us': expected "
			       "const:TIME, lognormal:TIME or file:PATH" },
	{ "--load sched=const:", "--load sched=const:: '' is no time" },
	{ "--load sched=const:soon", "'soon' is no time" },
	{ "--load sched=const:3601s", "'3601s' is more than an hour" },
	{ "--load sched=lognormal:-5us", "'-5us' is no time" },
	{ "--load worker=file:/no/such", "--load worker=file:/no/such: "
					 "/no/such: No such file" },
	{ "--offline 1", "--offline 1: expected CPU@TIME" },
	{ "--offline @1ms", "--offline @1ms: CPU: '' is no number" },
	{ "--offline 4@1ms", "--offline 4@1ms: CPU: 4 is not within 0 to 3" },
	{ "--offline 1@", "--offline 1@: '' is no time" },
	{ "--offline 1@later", "--offline 1@later: 'later' is no time" },
	{ "--offline 1@1ms --offline 1@2ms",
	  "--offline 1@2ms: CPU 1 is given twice" },
	{ "--offline 0@1 --offline 1@1 --offline 2@1 --offline 3@1",
	  "--offline 3@1: one of 4 CPUs must stay" },
	{ "--compact-at x", "--compact-at x: 'x' is no time" },
	{ "--compact-at -1", "--compact-at -1: '-1' is no time" },
	{ "--compact-every 0", "--compact-every: less than 1us" },
	{ "--migrate-every 0", "--migrate-every: less than 1us" },
	{ "--compact-every 999", "--compact-every: less than 1us" },
	{ "--compact-every 1h", "--compact-every: '1h' is no time" },
	{ "--memory 1023K", "--memory: not within 1M to 1024T" },
	{ "--memory 2000T", "--memory: not within 1M to 1024T" },
	{ "--memory much", "--memory: 'much' is no size" },
	{ "--swap 4K", "--swap: not within 1M to 1024T" },
};

START_TEST(wrong_ones)
{
	char *line = strdup(wrong[_i].options);

	ck_assert_msg(parse_words(line, CPUS) < 0, "%s", wrong[_i].options);
	ck_assert_int_eq(err.kind, strstr(err.msg, "No such") ? ZSR_ERR_INPUT
							      : ZSR_ERR_USAGE);
	ck_assert_msg(strstr(err.msg, wrong[_i].says), "%s: %s",
		      wrong[_i].options, err.msg);
	free(line);
}
END_TEST

/* The only CPU of a machine stays. */
START_TEST(last_cpu_stays)
{
	char line[] = "--offline 0@1ms";

	ck_assert_int_lt(parse_words(line, 1), 0);
	ck_assert_str_eq(err.msg, "--offline 0@1ms: one of 1 CPUs must stay");
}
END_TEST

/* The text has an end, and blanks would tear it. */
START_TEST(text_is_bounded)
{
	const char *at[ZSR_MAX_COMPACTIONS + 2] = { 0 };
	const char *blank[] = { "sched=file:/my file", NULL };
	struct zsr_condition_args args = { .compact_at = at };
	unsigned i;

	for (i = 0; i < ZSR_MAX_COMPACTIONS; i++)
		at[i] = "1000000us";
	ck_assert_int_lt(zsr_conditions_parse(&c, &args, CPUS, &err), 0);
	ck_assert_str_eq(err.msg,
			 "--compact-at 1000000us: too long, or has blanks");
	ck_assert_uint_lt(strlen(c.text), sizeof(c.text));
	args = (struct zsr_condition_args){ .load = blank };
	ck_assert_int_lt(zsr_conditions_parse(&c, &args, CPUS, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.msg, "--load sched=file:/my file"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("conditions");
	TCase *tcase = tcase_create("conditions");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, nothing);
	tcase_add_test(tcase, loads);
	tcase_add_test(tcase, happenings);
	tcase_add_test(tcase, text);
	tcase_add_loop_test(tcase, wrong_ones, 0, ZSR_ARRAY_SIZE(wrong));
	tcase_add_test(tcase, last_cpu_stays);
	tcase_add_test(tcase, text_is_bounded);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
