// SPDX-License-Identifier: GPL-2.0-only
/* The chunk codec: random and extreme events come back; no changed byte goes
 * unnoticed; nothing in a blob, whatever its bytes, leads the decoder astray. */
#include <xxhash.h>

#include "db/t/codec.h"

/* Many sizes of chunk, tame and extreme; objects live across chunks. */
START_TEST(round_trip)
{
	static const size_t sizes[] = { 1,   2,   3,    255,   256,  257,
					511, 999, 5000, 32768, 65536 };
	struct gen g = { .rng = { 1 }, .nr_tasks = NR_TASKS };
	struct zsr_event *in = malloc(65536 * sizeof(*in));
	struct zsr_event *out = malloc(65536 * sizeof(*out));
	struct zsr_live *live = zsr_live_new(false);
	struct zsr_err e = { 0 };
	struct chunk c;
	size_t i, j, n;

	for (i = 0; i < 4 * ZSR_ARRAY_SIZE(sizes); i++) {
		n = sizes[i % ZSR_ARRAY_SIZE(sizes)];
		g.extreme = i & 1;
		for (j = 0; j < n; j++)
			in[j] = gen_event(&g);
		c = encode(in, n, live->next);
		ck_assert_uint_eq(c.info.nr, n);
		ck_assert_uint_eq(c.info.t_min, in[0].t_ns);
		ck_assert_uint_eq(c.info.t_max, in[n - 1].t_ns);
		ck_assert_msg(!decode(&c, c.blob, c.len, live, out,
				      i % 3 ? 4096 : 100, &e),
			      "%s", e.msg);
		ck_assert(same(in, out, n));
		free(c.blob);
	}
	zsr_live_free(live);
	free(g.live);
	free(in);
	free(out);
}
END_TEST

/* What is the same in all events costs nothing; steps of a clock's tick cost
 * what the ticks need. */
START_TEST(constant_columns)
{
	struct zsr_event *in = calloc(32768, sizeof(*in));
	struct zsr_rng rng = { 3 };
	struct chunk c;
	uint64_t t = 5;
	size_t i;

	for (i = 0; i < 32768; i++)
		in[i] = (struct zsr_event){
			.t_ns = t += 1600,
			.dur_ns = 777,
			.obj = i,
			.slot = -1,
			.cgroup = -1,
			.size = 1234,
			.gfp = 0x2c0a,
			.task = 3,
			.pool = 1,
		};
	c = encode(in, 32768, 0);
	/* The first step is 0, all others 1600: one bit each at most. */
	ck_assert_uint_lt(c.len, 200);
	free(c.blob);
	for (i = 0; i < 32768; i++)
		in[i].t_ns = t += 1600 * (1 + zsr_rng_below(&rng, 256));
	c = encode(in, 32768, 0);
	ck_assert_uint_lt(c.len, 32768 + 600);
	free(c.blob);
	free(in);
}
END_TEST

static struct chunk sample(struct zsr_event *in, size_t n, uint64_t seed)
{
	struct gen g = { .rng = { seed }, .nr_tasks = NR_TASKS, .extreme = true };
	size_t i;

	for (i = 0; i < n; i++)
		in[i] = gen_event(&g);
	free(g.live);
	return encode(in, n, 0);
}

/* Every byte of a blob, changed in every bit, changes the checksum. */
START_TEST(checksum)
{
	static struct zsr_event in[400];
	struct chunk c = sample(in, 400, 5);
	uint64_t right = XXH3_64bits(c.blob, c.len);
	size_t i, missed = 0;
	unsigned bit;

	for (i = 0; i < c.len; i++)
		for (bit = 0; bit < 8; bit++) {
			c.blob[i] ^= (uint8_t)(1 << bit);
			missed += XXH3_64bits(c.blob, c.len) == right;
			c.blob[i] ^= (uint8_t)(1 << bit);
		}
	ck_assert_uint_eq(missed, 0);
	free(c.blob);
}
END_TEST

START_TEST(hostile_bytes)
{
	static struct zsr_event in[400];
	struct chunk c = sample(in, 400, 6);

	change_bytes(&c, 400, 30000, 8);
	free(c.blob);
}
END_TEST

/* The head has to say what the chunk's row says. */
START_TEST(row_and_blob)
{
	static struct zsr_event in[400], out[400];
	struct chunk c = sample(in, 400, 7);
	unsigned i;

	for (i = 0; i < 6; i++) {
		struct zsr_live *live = zsr_live_new(false);
		struct chunk other = c;
		struct zsr_err e = { 0 };

		other.info.nr += i == 0;
		other.info.nr_mallocs += i == 1;
		other.info.nr_frees -= i == 2;
		other.info.t_min += i == 3;
		other.info.first_obj += i == 4;
		other.info.t_max += i == 5;
		ck_assert_int_lt(
			decode(&other, c.blob, c.len, live, out, 400, &e), 0);
		ck_assert_int_eq(e.kind, ZSR_ERR_INPUT);
		zsr_live_free(live);
	}
	free(c.blob);
}
END_TEST

/* Memory of the live table follows the live objects. */
START_TEST(live_objects)
{
	struct zsr_live *live = zsr_live_new(true);
	uint64_t i, birth = 0, pages = 0;
	uint32_t size;
	bool ok = true;

	for (i = 0; i < 100000; i++) {
		ok &= !zsr_live_add(live, (uint32_t)i, 7 * i);
		if (i >= 1000)
			ok &= zsr_live_take(live, i - 1000, &size, &birth) &&
			      size == i - 1000 && birth == 7 * (i - 1000) &&
			      !zsr_live_take(live, i - 1000, &size, &birth);
	}
	ck_assert(ok);
	ck_assert(!zsr_live_take(live, 100000, &size, &birth));
	for (i = 0; i < 100000 / ZSR_LIVE_PAGE; i++)
		pages += live->page[i] != NULL;
	ck_assert_uint_le(pages, 1000 / ZSR_LIVE_PAGE + 2);
	zsr_live_free(live);
}
END_TEST

ZSR_TEST_MAIN("db/chunk", round_trip, constant_columns, checksum, hostile_bytes,
	      row_and_blob, live_objects)
