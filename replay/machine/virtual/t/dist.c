// SPDX-License-Identifier: GPL-2.0-only
/*
 * Distributions of times: quantiles of histograms by hand, the lognormal
 * table, and files that are none.
 */
#include <string.h>
#include <unistd.h>

#include "replay/machine/virtual/dist.h"
#include "tests/check.h"

static struct zsr_dist d;
static struct zsr_err err;

/* Parse a file of these bytes. */
static int parse_bytes(const char *bytes, size_t n)
{
	char path[] = "/tmp/zsr-dist.XXXXXX", text[64];
	int fd = mkstemp(path), ret;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, n), (ssize_t)n);
	close(fd);
	snprintf(text, sizeof(text), "file:%s", path);
	memset(&err, 0, sizeof(err));
	ret = zsr_dist_parse(text, &d, &err);
	unlink(path);
	if (ret) {
		ck_assert_int_eq(err.kind, ZSR_ERR_INPUT);
		ck_assert_ptr_nonnull(strstr(err.msg, path));
	}
	return ret;
}

static void parse_file(const char *text)
{
	ck_assert_msg(!parse_bytes(text, strlen(text)), "%s", err.msg);
}

/* From point FROM up to before TO the draws are NS. */
static void points(unsigned from, unsigned to, uint64_t ns)
{
	unsigned i;

	for (i = from; i < to; i++)
		ck_assert_msg(d.ps[i] == ns * 1000, "point %u is %llu ps", i,
			      (unsigned long long)d.ps[i]);
}

START_TEST(constant)
{
	ck_assert_int_eq(zsr_dist_parse("const:25us", &d, &err), 0);
	points(0, 256, 25000);
	ck_assert_int_eq(zsr_dist_parse("const:0", &d, &err), 0);
	points(0, 256, 0);
	ck_assert_int_eq(zsr_dist_parse("const:3600s", &d, &err), 0);
	points(0, 256, 3600000000000);
}
END_TEST

/* exp(z / 2) at the midpoints: median exp(-1/8) of the mean, quartiles
 * exp(-1/8 -+ 0.674 / 2). The table's mean is 1, exactly. */
START_TEST(lognormal)
{
	uint64_t sum = 0;
	unsigned i;

	for (i = 0; i < 256; i++)
		sum += zsr_lognormal[i];
	ck_assert_uint_eq(sum, 256 * 1024);
	ck_assert_int_eq(zsr_dist_parse("lognormal:1024us", &d, &err), 0);
	for (sum = i = 0; i < 256; i++) {
		sum += d.ps[i];
		ck_assert(!i || d.ps[i] >= d.ps[i - 1]);
	}
	ck_assert_uint_eq(sum, 256 * 1024000000ull);
	ck_assert_uint_ge(d.ps[128], 900000000); /* 0.8825 * 1024 = 903.7 */
	ck_assert_uint_le(d.ps[127], 905000000);
	ck_assert_uint_le(d.ps[63], 645000000); /* 645.0 */
	ck_assert_uint_ge(d.ps[64], 643000000);
	ck_assert_uint_ge(d.ps[192], 1266000000); /* 1266.2 */
	ck_assert_uint_le(d.ps[191], 1268000000);
	ck_assert_int_eq(zsr_dist_parse("lognormal:3600s", &d, &err), 0);
	ck_assert_uint_eq(d.ps[255], 3600000000000000ull * 3831 / 1024);
}
END_TEST

/* Half of its distance from the mean, and none. */
START_TEST(spread_scales)
{
	zsr_dist_spread(&d, 1024, 500);
	ck_assert_uint_eq(d.ps[0], 1024 - (1024 - 214) / 2);
	ck_assert_uint_eq(d.ps[255], 1024 + (3831 - 1024) / 2);
	zsr_dist_spread(&d, 777, 0);
	ck_assert_uint_eq(d.ps[0], 777);
	ck_assert_uint_eq(d.ps[255], 777);
}
END_TEST

START_TEST(quantiles)
{
	parse_file("# as captured\n\n100 1\n");
	points(0, 256, 100);
	/* A quarter, a half, a quarter. */
	parse_file("10 1\n20\t2\n  30   1\n");
	points(0, 64, 10);
	points(64, 192, 20);
	points(192, 256, 30);
	/* Midpoints decide: of 512ths, 1, 3 and 5 are within 5. */
	parse_file("1 5\n2 507\n");
	points(0, 3, 1);
	points(3, 256, 2);
	/* What has less than a point's share may have none. */
	parse_file("1 1\n2 10000\n3 1\n");
	points(0, 256, 2);
	/* Lines that count nothing. */
	parse_file("1 0\n2 0\n5 7\n9 0\n");
	points(0, 256, 5);
	/* The last line without its end, ends as of DOS, comments behind. */
	parse_file("0 1 # at once\r\n3600000000000 3");
	points(0, 64, 0);
	points(64, 256, 3600000000000);
	/* Counts at their limit, 2^64 / 1024 in all. */
	parse_file("1 9007199254740991\n2 9007199254740992\n");
	points(0, 128, 1);
	points(128, 256, 2);
}
END_TEST

static const struct {
	const char *text, *says;
} bad[] = {
	{ "", "no line counts anything" },
	{ "# nothing\n\n", "no line counts anything" },
	{ "100 0\n", "no line counts anything" },
	{ "-100 5\n", "line 1: expected `ns count`" },
	{ "100 5\n200 -5\n", "line 2: expected `ns count`" },
	{ "100\n", "line 1: expected `ns count`" },
	{ "100 5 7\n", "line 1: expected `ns count`" },
	{ "100,5\n", "line 1: expected `ns count`" },
	{ "1.5 2\n", "line 1: expected `ns count`" },
	{ "us 5\n", "line 1: expected `ns count`" },
	{ "100 #5\n", "line 1: expected `ns count`" },
	{ "200 5\n100 5\n", "line 2: times must rise" },
	{ "# x\n100 5\n100 5\n", "line 3: times must rise" },
	{ "3600000000001 1\n", "line 1: a number is too large" },
	{ "99999999999999999999999 1\n", "line 1: a number is too large" },
	{ "1 99999999999999999999999\n", "line 1: a number is too large" },
	{ "1 18014398509481984\n", "line 1: a number is too large" },
	{ "1 9007199254740992\n2 9007199254740992\n",
	  "line 2: a number is too large" },
};

START_TEST(bad_files)
{
	ck_assert_int_lt(parse_bytes(bad[_i].text, strlen(bad[_i].text)), 0);
	ck_assert_msg(strstr(err.msg, bad[_i].says), "%s: %s", bad[_i].text,
		      err.msg);
}
END_TEST

/* A long line is not taken for several, a comment's tail not for a line. */
START_TEST(long_lines)
{
	char text[1000];

	memset(text, ' ', sizeof(text));
	memcpy(text, "10 1", 4);
	memcpy(text + sizeof(text) - 5, "20 1\n", 5);
	ck_assert_int_lt(parse_bytes(text, sizeof(text)), 0);
	ck_assert_ptr_nonnull(strstr(err.msg, "line 1: too long, or not text"));
	text[0] = '#';
	ck_assert_int_lt(parse_bytes(text, sizeof(text)), 0);
	ck_assert_ptr_nonnull(strstr(err.msg, "line 1: too long, or not text"));
}
END_TEST

START_TEST(not_text)
{
	static const char zeros[4096], hidden[] = "10 1\0 20 1\n30 1\n";
	char *many = malloc(65537 * 8), *p = many;
	unsigned i;

	ck_assert_int_lt(parse_bytes(zeros, sizeof(zeros)), 0);
	ck_assert_int_lt(parse_bytes(hidden, sizeof(hidden) - 1), 0);
	ck_assert_ptr_nonnull(strstr(err.msg, "line 1: too long, or not text"));
	for (i = 0; i <= 65536; i++)
		p += sprintf(p, "%u 1\n", i);
	ck_assert_int_lt(parse_bytes(many, (size_t)(p - many)), 0);
	ck_assert_ptr_nonnull(strstr(err.msg, "line 65537: more than 65536"));
	free(many);
	ck_assert_int_lt(zsr_dist_parse("file:/tmp", &d, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.msg, "/tmp: Is a directory"));
}
END_TEST

/* Bytes of any kind: an error or a distribution that rises, nothing else. */
START_TEST(any_bytes)
{
	static const char chars[] = "0123456789 \t\n#-+.x\r";
	struct zsr_rng rng = { (uint64_t)_i };
	char bytes[400];
	size_t i, n;
	int round;

	for (round = 0; round < 200; round++) {
		n = zsr_rng_below(&rng, sizeof(bytes));
		for (i = 0; i < n; i++)
			bytes[i] =
				zsr_rng_below(&rng, 100)
					? chars[zsr_rng_below(&rng, sizeof(chars))]
					: (char)zsr_rng_next(&rng);
		if (parse_bytes(bytes, n))
			continue;
		for (i = 1; i < 256; i++)
			ck_assert_uint_ge(d.ps[i], d.ps[i - 1]);
		ck_assert_uint_le(d.ps[255], 3600000000000000);
	}
}
END_TEST

/* The identity is the distribution's: comments and scale do not count, and one
 * that is not what was named is refused. */
START_TEST(identity)
{
	char path[] = "/tmp/zsr-dist.XXXXXX", text[64], name[128], other[128];
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");

	ck_assert_ptr_nonnull(f);
	fputs("100 1\n900 3\n", f);
	fflush(f);
	snprintf(text, sizeof(text), "file:%s", path);
	ck_assert_int_eq(zsr_dist_parse(text, &d, &err), 0);
	ck_assert(zsr_dist_name(text, &d, name, sizeof(name)));
	ck_assert(!zsr_dist_name(text, &d, other, strlen(name)));
	ck_assert_uint_eq(strlen(name), strlen(text) + 17);
	ck_assert(zsr_dist_name(name, &d, other, sizeof(other)));
	ck_assert_str_eq(name, other);
	rewind(f);
	fputs("# again\n100 20\n900 60\n", f);
	fflush(f);
	ck_assert_msg(!zsr_dist_parse(name, &d, &err), "%s", err.msg);
	fputs("901 999\n", f);
	fclose(f);
	ck_assert_int_lt(zsr_dist_parse(name, &d, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.msg, "is distribution "));
	ck_assert(zsr_dist_name("const:5us", &d, name, sizeof(name)));
	ck_assert_str_eq(name, "const:5us");
	unlink(path);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dist");
	TCase *tcase = tcase_create("dist");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, constant);
	tcase_add_test(tcase, lognormal);
	tcase_add_test(tcase, spread_scales);
	tcase_add_test(tcase, quantiles);
	tcase_add_loop_test(tcase, bad_files, 0, ZSR_ARRAY_SIZE(bad));
	tcase_add_test(tcase, long_lines);
	tcase_add_test(tcase, not_text);
	tcase_add_test(tcase, identity);
	tcase_add_loop_test(tcase, any_bytes, 0, 10);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
