/* SPDX-License-Identifier: GPL-2.0-only */
/* Chunks there and back, for the tests of the codec. */
#ifndef ZSR_DB_T_CODEC_H
#define ZSR_DB_T_CODEC_H

#include "db/chunk.h"
#include "db/t/gen.h"
#include "tests/check.h"

#define NR_TASKS 5
#define NR_POOLS 3

struct chunk {
	struct zsr_chunk_info info;
	uint8_t *blob;
	size_t len;
};

static inline struct chunk encode(const struct zsr_event *ev, size_t n,
				  uint64_t first)
{
	struct zsr_chunk_encoder *enc = zsr_chunk_encoder_new();
	struct zsr_err e = { 0 };
	const void *blob;
	struct chunk c;

	ck_assert_msg(!zsr_chunk_encode(enc, ev, n, first, &c.info, &blob,
					&c.len, &e),
		      "%s", e.msg);
	c.blob = malloc(c.len);
	memcpy(c.blob, blob, c.len);
	zsr_chunk_encoder_free(enc);
	return c;
}

/* Reads the whole chunk in batches of STEP; 0 or the error. */
static inline int decode(const struct chunk *c, const uint8_t *blob, size_t len,
			 struct zsr_live *live, struct zsr_event *out,
			 size_t step, struct zsr_err *e)
{
	static struct zsr_chunk_decoder *dec;
	size_t done = 0;
	int n;

	if (!dec)
		dec = zsr_chunk_decoder_new(NR_TASKS, NR_POOLS);
	n = zsr_chunk_decoder_start(dec, blob, len, &c->info, e);
	if (n)
		return n;
	while ((n = zsr_chunk_decoder_read(dec, live, out + done, NULL, step,
					   e)) > 0)
		done += (size_t)n;
	return n < 0 ? n : (done == c->info.nr ? 0 : -EIO);
}

static inline bool same(const struct zsr_event *a, const struct zsr_event *b,
			size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!gen_same(&a[i], &b[i]))
			return false;
	return true;
}

/*
 * With a checksum that fits (a hostile file has one) a changed blob of N events
 * is either refused as input, or gives events that are within all bounds.
 */
static inline void change_bytes(const struct chunk *c, size_t n,
				unsigned rounds, uint64_t seed)
{
	struct zsr_event *out = malloc(n * sizeof(*out));
	size_t i, j, refused = 0, taken = 0;
	struct zsr_rng rng = { seed };
	bool wrong = false;

	for (i = 0; i < rounds && !wrong; i++) {
		struct zsr_live *live = zsr_live_new(false);
		uint8_t *copy = malloc(c->len);
		struct zsr_err e = { 0 };
		size_t len = c->len;

		memcpy(copy, c->blob, len);
		if (i < c->len)
			copy[i] ^= 0x55;
		else if (i % 3 == 0)
			len = zsr_rng_below(&rng, len);
		else
			for (j = 0; j < 1 + i % 4; j++)
				copy[zsr_rng_below(&rng, len)] =
					(uint8_t)zsr_rng_next(&rng);
		if (decode(c, copy, len, live, out, 400, &e)) {
			refused++;
			wrong = e.kind != ZSR_ERR_INPUT;
		} else {
			taken++;
			for (j = 0; j < n; j++)
				wrong |= out[j].kind >= ZSR_EV_NR ||
					 out[j].task >= NR_TASKS ||
					 out[j].pool >= NR_POOLS ||
					 out[j].caller >= ZSR_CALLER_NR ||
					 out[j].t_ns > c->info.t_max;
		}
		zsr_live_free(live);
		free(copy);
	}
	ck_assert(!wrong);
	ck_assert_uint_gt(refused, rounds / 6);
	ck_assert_uint_gt(taken, rounds / 300);
	free(out);
}

#endif
