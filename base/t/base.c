// SPDX-License-Identifier: GPL-2.0-only
/* Units, errors, histogram bounds and quantiles, digest, random numbers. */
#include <string.h>

#include "base/base.h"
#include "tests/check.h"

START_TEST(sizes)
{
	struct zsr_err e = { 0 };
	uint64_t v;
	char buf[ZSR_FMT_LEN];

	ck_assert_int_eq(zsr_parse_size("256M", &v, &e), 0);
	ck_assert_uint_eq(v, 256ull << 20);
	ck_assert_int_eq(zsr_parse_size("4KiB", &v, &e), 0);
	ck_assert_uint_eq(v, 4096);
	ck_assert_int_eq(zsr_parse_size("77", &v, &e), 0);
	ck_assert_uint_eq(v, 77);
	ck_assert_int_lt(zsr_parse_size("-1", &v, &e), 0);
	ck_assert_int_lt(zsr_parse_size("12Q", &v, &e), 0);
	ck_assert_int_lt(zsr_parse_size("99999999999999999999", &v, &e), 0);
	ck_assert_int_lt(zsr_parse_size("18446744073709551615T", &v, &e), 0);
	ck_assert_int_eq(e.kind, ZSR_ERR_USAGE);
	ck_assert_str_eq(zsr_fmt_size(buf, 6430720), "6.13 MiB");
	ck_assert_str_eq(zsr_fmt_size(buf, 1023), "1023 B");
}
END_TEST

START_TEST(times)
{
	struct zsr_err e = { 0 };
	uint64_t v;
	char buf[ZSR_FMT_LEN];

	ck_assert_int_eq(zsr_parse_ns("3.5us", &v, &e), 0);
	ck_assert_uint_eq(v, 3500);
	ck_assert_int_eq(zsr_parse_ns("10ms", &v, &e), 0);
	ck_assert_uint_eq(v, 10000000);
	ck_assert_int_eq(zsr_parse_ns("42", &v, &e), 0);
	ck_assert_uint_eq(v, 42);
	ck_assert_int_lt(zsr_parse_ns("1.2.3ms", &v, &e), 0);
	ck_assert_int_lt(zsr_parse_ns("fast", &v, &e), 0);
	ck_assert_int_lt(zsr_parse_ns("9999999999999999999s", &v, &e), 0);
	ck_assert_str_eq(zsr_fmt_ns(buf, 17200000), "17.2 ms");
	ck_assert_str_eq(zsr_fmt_ns(buf, 999), "999 ns");
	ck_assert_str_eq(zsr_fmt_ns(buf, 999999), "1.00 ms");
	ck_assert_str_eq(zsr_fmt_count(buf, 1234567), "1,234,567");
	ck_assert_str_eq(zsr_fmt_count(buf, 123), "123");
}
END_TEST

START_TEST(errors)
{
	struct zsr_err e = { 0 };
	int ret = zsr_err_input(&e, "size %d > page size", 70000);

	ret = zsr_err_wrap(&e, ret, "cpu %d", 2);
	ck_assert_int_eq(ret, -EINVAL);
	ck_assert_str_eq(e.msg, "cpu 2: size 70000 > page size");
	ck_assert_int_eq(e.kind, ZSR_ERR_INPUT);
}
END_TEST

/* Buckets tile the numbers without gap or overlap, and none is wider than
 * 1/32 of its lower bound. */
START_TEST(hist_buckets)
{
	unsigned i;

	for (i = 0; i < ZSR_HIST_BUCKETS; i++) {
		uint64_t low = zsr_hist_low(i), high = zsr_hist_high(i);

		ck_assert_uint_eq(zsr_hist_index(low), i);
		ck_assert_uint_eq(zsr_hist_index(high), i);
		if (i)
			ck_assert_uint_eq(zsr_hist_high(i - 1) + 1, low);
		ck_assert_uint_le(high - low, low / 32);
	}
}
END_TEST

START_TEST(hist_quantiles)
{
	struct zsr_hist h;
	uint64_t v;

	zsr_hist_init(&h);
	ck_assert_uint_eq(zsr_hist_quantile(&h, 50, 100), 0);
	for (v = 1; v <= 1000; v++)
		zsr_hist_add(&h, v);
	ck_assert_uint_eq(h.min, 1);
	ck_assert_uint_eq(h.max, 1000);
	v = zsr_hist_quantile(&h, 1, 2);
	ck_assert_uint_ge(v, 500);
	ck_assert_uint_le(v, 516);
	ck_assert_uint_eq(zsr_hist_quantile(&h, 1, 1), 1000);
	ck_assert_uint_eq(zsr_hist_quantile(&h, 1, 1000), 1);
}
END_TEST

START_TEST(sha)
{
	struct zsr_sha s;
	char hex[ZSR_SHA_HEX];

	zsr_sha_init(&s);
	zsr_sha_bytes(&s, "abc", 3);
	zsr_sha_hex(&s, hex);
	/* FIPS 180-2, appendix B.1 */
	ck_assert_str_eq(hex, "ba7816bf8f01cfea414140de5dae2223"
			      "b00361a396177a9cb410ff61f20015ad");
}
END_TEST

/* First outputs of splitmix64 from seed 1234567 (published test vector). */
/* Machines of 32 bits get the same random numbers as any other. */
START_TEST(mul_64)
{
	struct zsr_rng r = { 1 };
	uint64_t a, b, c;
	int i;

	for (i = 0; i < 20000; i++) {
		a = zsr_rng_next(&r) >> (i % 64);
		b = zsr_rng_next(&r) >> (i / 64 % 64);
		c = (zsr_rng_next(&r) >> (i / 7 % 64)) | 1;
		if (i % 5 == 0)
			a = b = UINT64_MAX;
		ck_assert_uint_eq(zsr_mul_high_64(a, b),
				  (uint64_t)(((unsigned __int128)a * b) >> 64));
		ck_assert_uint_eq(zsr_mul_div_64(a, b, c), zsr_mul_div(a, b, c));
	}
}
END_TEST

START_TEST(rng)
{
	struct zsr_rng r = { 1234567 };

	ck_assert_uint_eq(zsr_rng_next(&r), 6457827717110365317ull);
	ck_assert_uint_eq(zsr_rng_next(&r), 3203168211198807973ull);
	ck_assert_uint_lt(zsr_rng_below(&r, 10), 10);
}
END_TEST

ZSR_TEST_MAIN("base", sizes, times, errors, hist_buckets, hist_quantiles, sha,
	      rng, mul_64)
