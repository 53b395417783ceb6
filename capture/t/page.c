// SPDX-License-Identifier: GPL-2.0-only
/* Ring-buffer pages made by hand: every kind of entry, every bad length. */
#include "capture/decode/decode.h"
#include "capture/t/tiny.h"
#include "tests/check.h"

static const struct dec_page_format fmt = {
	.size = TINY_PAGE, .commit_off = 8, .commit_size = 8, .data_off = 16
};

static int load(struct dec_page *p, const struct tiny_page *t,
		struct zsr_err *err)
{
	memset(p, 0, sizeof(*p));
	return dec_page_load(p, &fmt, t->b, err);
}

/* The stamps of all events, or the error's message in err. */
static int stamps(const struct tiny_page *t, uint64_t *out, unsigned *n,
		  struct zsr_err *err)
{
	struct dec_page p;
	const uint8_t *data;
	unsigned len;
	int ret;

	*n = 0;
	ret = load(&p, t, err);
	if (ret)
		return ret;
	while ((ret = dec_page_next(&p, &data, &len, err)) > 0) {
		ck_assert(data >= t->b + TINY_DATA);
		ck_assert(data + len <= t->b + TINY_PAGE);
		out[(*n)++] = p.t_ns;
	}
	return ret;
}

START_TEST(header_page)
{
	struct dec_page_format f = { 0 };
	struct zsr_err e = { 0 };

	ck_assert_int_eq(dec_page_format_parse(&f, TINY_HEADER_PAGE, &e), 0);
	ck_assert_uint_eq(f.size, 512);
	ck_assert_uint_eq(f.commit_size, 8);
	ck_assert_uint_eq(f.data_off, 16);
	/* a 32-bit kernel */
	ck_assert_int_eq(
		dec_page_format_parse(
			&f,
			"\tfield: u64 timestamp;\toffset:0;\tsize:8;\n"
			"\tfield: local_t commit;\toffset:8;\tsize:4;\n"
			"\tfield: char data;\toffset:12;\tsize:4084;\n",
			&e),
		0);
	ck_assert_uint_eq(f.size, 4096);
	ck_assert_uint_eq(f.data_off, 12);
	ck_assert_int_eq(dec_page_format_parse(&f, "", &e), -EINVAL);
	ck_assert_int_eq(e.kind, ZSR_ERR_INPUT);
	ck_assert_int_lt(
		dec_page_format_parse(
			&f,
			"\tfield: u64 timestamp;\toffset:0;\tsize:8;\n"
			"\tfield: local_t commit;\toffset:8;\tsize:8;\n"
			"\tfield: char data;\toffset:16;\tsize:4294967295;\n",
			&e),
		0);
}
END_TEST

START_TEST(entries)
{
	struct zsr_err e = { 0 };
	struct tiny_page t;
	uint64_t at[16];
	uint32_t word = 7;
	unsigned n, i;

	tiny_page_init(&t, 1000);
	tiny_event(&t, 5, &word, 4); /* 1005 */
	tiny_head(&t, 30, 3); /* extend: 2 << 27 | 3 */
	tiny_word(&t, 2);
	tiny_event(&t, 1, &word, 4);
	tiny_head(&t, 29, 10); /* discarded, 8 bytes */
	for (i = 0; i < 2; i++)
		tiny_word(&t, 8);
	tiny_event(&t, 1, &word, 4);
	tiny_head(&t, 0, 4); /* long event: 4 + 128 bytes */
	tiny_word(&t, 132);
	for (i = 0; i < 32; i++)
		tiny_word(&t, i);
	tiny_head(&t, 31, 9); /* absolute stamp */
	tiny_word(&t, 77);
	tiny_event(&t, 1, &word, 4);
	tiny_head(&t, 29, 0); /* the rest is padding */
	ck_assert_int_eq(stamps(&t, at, &n, &e), 0);
	ck_assert_uint_eq(n, 5);
	ck_assert_uint_eq(at[0], 1005);
	ck_assert_uint_eq(at[1], 1005 + (2u << 27) + 3 + 1);
	ck_assert_uint_eq(at[2], at[1] + 10 + 1);
	ck_assert_uint_eq(at[3], at[2] + 4);
	ck_assert_uint_eq(at[4], (77ull << 27) + 9 + 1);
}
END_TEST

/* An absolute stamp has 59 bits; those above come from the page. */
START_TEST(stamp_wraps)
{
	struct zsr_err e = { 0 };
	struct tiny_page t;
	uint64_t at[4], base = (3ull << 59) + 500;
	uint32_t word = 7;
	unsigned n;

	tiny_page_init(&t, base);
	tiny_head(&t, 31, 600);
	tiny_word(&t, 0);
	tiny_event(&t, 0, &word, 4);
	tiny_head(&t, 31, 100); /* below: one turn further */
	tiny_word(&t, 0);
	tiny_event(&t, 0, &word, 4);
	ck_assert_int_eq(stamps(&t, at, &n, &e), 0);
	ck_assert_uint_eq(n, 2);
	ck_assert_uint_eq(at[0], (3ull << 59) + 600);
	ck_assert_uint_eq(at[1], (4ull << 59) + 100);
}
END_TEST

START_TEST(missed)
{
	struct zsr_err e = { 0 };
	uint64_t count = 12914;
	struct tiny_page t;
	struct dec_page p;
	uint32_t word = 7;

	tiny_page_init(&t, 1);
	tiny_event(&t, 0, &word, 4);
	ck_assert_int_eq(load(&p, &t, &e), 0);
	ck_assert(!p.missed);
	tiny_commit(&t, TINY_MISSED);
	ck_assert_int_eq(load(&p, &t, &e), 0);
	ck_assert(p.missed);
	ck_assert_uint_eq(p.missed_count, 0);
	tiny_commit(&t, TINY_MISSED | TINY_STORED);
	memcpy(t.b + TINY_DATA + t.len, &count, 8);
	ck_assert_int_eq(load(&p, &t, &e), 0);
	ck_assert_uint_eq(p.missed_count, 12914);
	ck_assert(!p.dirty);
	/* 6.1 writes the two bits of a negative int. */
	memset(t.b + 8 + 4, 0xff, 4);
	ck_assert_int_eq(load(&p, &t, &e), 0);
	ck_assert_uint_eq(p.missed_count, 12914);
	t.b[8 + 4] = 0;
	ck_assert_int_eq(load(&p, &t, &e), -EINVAL);
	tiny_commit(&t, 0);
	memset(t.b + 8 + 4, 0xff, 4);
	ck_assert_int_eq(load(&p, &t, &e), -EINVAL);
	memset(t.b + 8 + 4, 0, 4);
	e = (struct zsr_err){ 0 };
	tiny_commit(&t, TINY_MISSED | TINY_STORED);
	ck_assert_int_eq(load(&p, &t, &e), 0);
	ck_assert_uint_eq(p.room, 496 - 8 - 8);
	/* a count without the flag, and one there is no room for */
	tiny_commit(&t, TINY_STORED);
	ck_assert_int_lt(load(&p, &t, &e), 0);
	t.len = 492;
	tiny_commit(&t, TINY_MISSED | TINY_STORED);
	ck_assert_int_lt(load(&p, &t, &e), 0);
}
END_TEST

/* What lies behind a page's data is seen. */
START_TEST(dirty)
{
	struct zsr_err e = { 0 };
	struct tiny_page t;
	struct dec_page p;
	uint32_t word = 7;

	tiny_page_init(&t, 1);
	tiny_event(&t, 0, &word, 4);
	t.b[TINY_PAGE - 1] = 1;
	ck_assert_int_eq(load(&p, &t, &e), 0);
	ck_assert(p.dirty);
}
END_TEST

START_TEST(bad_commit)
{
	static const uint64_t bad[] = { 0,        497,      500,        3,
					1u << 28, 1u << 20, 1ull << 32, ~0ull };
	struct zsr_err e = { 0 };
	struct tiny_page t;
	struct dec_page p;
	unsigned i;

	tiny_page_init(&t, 1);
	for (i = 0; i < ZSR_ARRAY_SIZE(bad); i++) {
		memcpy(t.b + 8, &bad[i], 8);
		ck_assert_int_eq(load(&p, &t, &e), -EINVAL);
		ck_assert_int_eq(e.kind, ZSR_ERR_INPUT);
	}
}
END_TEST

/* One event whose head and first word are the given ones, with 12 bytes of
 * data behind the head. */
static int one(uint32_t type, uint32_t delta, uint32_t word)
{
	struct zsr_err e = { 0 };
	struct tiny_page t;
	uint64_t at[64];
	unsigned n;

	tiny_page_init(&t, 1);
	tiny_head(&t, type, delta);
	tiny_word(&t, word);
	tiny_word(&t, 0);
	tiny_word(&t, 0);
	return stamps(&t, at, &n, &e);
}

START_TEST(bad_lengths)
{
	uint32_t len;

	for (len = 4; len <= 28; len++) /* data beyond the page */
		ck_assert_int_lt(one(len, 0, 0), 0);
	ck_assert_int_eq(one(3, 0, 0), 0);
	for (len = 13; len < 5000; len++) /* long events */
		ck_assert_int_lt(one(0, 0, len), 0);
	for (len = 0; len < 4; len++)
		ck_assert_int_lt(one(0, 0, len), 0);
	ck_assert_int_eq(one(0, 0, 12), 0);
	ck_assert_int_lt(one(0, 0, UINT32_MAX), 0);
	ck_assert_int_lt(one(29, 1, UINT32_MAX), 0); /* discarded */
	ck_assert_int_lt(one(29, 1, 16), 0);
	ck_assert_int_lt(one(29, 1, 0), 0);
	ck_assert_int_eq(one(29, 1, 12), 0);
	ck_assert_int_lt(one(29, 0, 0), 0); /* ends with 16 bytes left */
	ck_assert_int_lt(one(1, 0, 0), 0); /* then a zero word */
}
END_TEST

/* Heads that need a second word, as the last word of the data. */
START_TEST(cut_heads)
{
	static const uint32_t types[] = { 0, 30, 31 };
	struct zsr_err e = { 0 };
	struct tiny_page t;
	uint64_t at[4];
	unsigned n, i;

	for (i = 0; i < ZSR_ARRAY_SIZE(types); i++) {
		tiny_page_init(&t, 1);
		tiny_head(&t, types[i], 1);
		ck_assert_int_lt(stamps(&t, at, &n, &e), 0);
		ck_assert_ptr_nonnull(strstr(e.msg, "event 0: length"));
	}
}
END_TEST

/* Every page of pseudo-random bytes ends, in an error or within its bounds. */
START_TEST(noise)
{
	struct zsr_rng rng = { 1 };
	struct zsr_err e = { 0 };
	uint64_t at[TINY_PAGE];
	struct tiny_page t;
	unsigned i, j, n, good = 0;

	for (i = 0; i < 20000; i++) {
		for (j = 0; j < TINY_PAGE; j++)
			t.b[j] = (uint8_t)zsr_rng_next(&rng);
		t.len = (uint32_t)zsr_rng_below(&rng, 125) * 4;
		tiny_commit(&t, 0);
		good += !stamps(&t, at, &n, &e);
	}
	ck_assert_uint_lt(good, 2000);
}
END_TEST

ZSR_TEST_MAIN("page", header_page, entries, stamp_wraps, missed, dirty,
	      bad_commit, bad_lengths, cut_heads, noise)
