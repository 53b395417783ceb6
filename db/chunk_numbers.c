// SPDX-License-Identifier: GPL-2.0-only
/* A column's planes and bits to numbers, some at a time. */
#include <endian.h>
#include <string.h>

#include "db/chunk_decoder.h"

#define EIGHT(x) x, x, x, x, x, x, x, x
#define ABOVE(x)                                                               \
	8ull << (x), 9ull << (x), 10ull << (x), 11ull << (x), 12ull << (x),    \
		13ull << (x), 14ull << (x), 15ull << (x)
#define LENGTHS(X)                                                             \
	X(1), X(2), X(3), X(4), X(5), X(6), X(7), X(8), X(9), X(10), X(11),    \
		X(12), X(13), X(14), X(15), X(16), X(17), X(18), X(19), X(20), \
		X(21), X(22), X(23), X(24), X(25), X(26), X(27), X(28), X(29), \
		X(30)

#define MASKS(x) EIGHT((1u << (x)) - 1)

/* What zsr_token_bits() and zsr_token_base() say, for the time it takes. */
static const uint8_t token_bits[256] = { EIGHT(0), EIGHT(0), LENGTHS(EIGHT) };
static const uint32_t token_mask[256] = { EIGHT(0), EIGHT(0), LENGTHS(MASKS) };
static const uint64_t token_base[256] = {
	0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, LENGTHS(ABOVE)
};

/* How many lower bits leave room for four tokens' and a byte's rest in a word. */
#define FOUR_BITS 14

static inline uint64_t load_bits(const struct zsr_column *c, uint64_t at)
{
	uint64_t word;

	memcpy(&word, c->bits + at / 8, sizeof(word));
	return le64toh(word) >> at % 8;
}

/* Numbers of tokens all of whose lower bits can be loaded, those of EACH at a
 * time. */
static inline void read_words(struct zsr_column *c, const uint8_t *token,
			      size_t n, size_t each, uint64_t *out)
{
	uint64_t at = c->at, base = c->base, word;
	size_t i, k;

	for (i = 0; i < n; i += each) {
		word = load_bits(c, at);
		for (k = 0; k < each; k++) {
			out[i + k] = base + token_base[token[i + k]] +
				     (word & token_mask[token[i + k]]);
			word >>= token_bits[token[i + k]];
			at += token_bits[token[i + k]];
		}
	}
	c->at = at;
}

static void read_bits_fast(struct zsr_column *c, const uint8_t *token, size_t n,
			   uint64_t *out)
{
	uint8_t max = 0;
	size_t i;

	for (i = 0; i < n; i++)
		max = zsr_max(max, token[i]);
	i = zsr_token_bits(max) <= FOUR_BITS ? n - n % 4 : 0;
	read_words(c, token, i, 4, out);
	read_words(c, token + i, n - i, 1, out + i);
}

/* At the end of the bits; what is missing is 0. */
static void read_bits_last(struct zsr_column *c, const uint8_t *token, size_t n,
			   uint64_t *out)
{
	size_t i, byte;
	uint64_t word;
	unsigned k;

	for (i = 0; i < n; i++) {
		byte = c->at / 8;
		word = 0;
		for (k = 0; k < 8 && byte + k < c->nr_bytes; k++)
			word |= (uint64_t)c->bits[byte + k] << (8 * k);
		word >>= c->at % 8;
		out[i] = c->base + token_base[token[i]] +
			 (word & token_mask[token[i]]);
		c->at += token_bits[token[i]];
	}
}

static void read_bits(struct zsr_column *c, size_t from, size_t n, uint64_t *out)
{
	const uint8_t *token = c->plane[0] + from;

	if (c->at / 8 + n * ZSR_BITS_MAX / 8 + 8 <= c->nr_bytes)
		read_bits_fast(c, token, n, out);
	else
		read_bits_last(c, token, n, out);
}

/* The scale to what was read without it. Frees in order of allocation step by
 * twos, and no vector multiplies 64 bits. */
static void stretch(const struct zsr_column *c, size_t n, uint64_t *out)
{
	uint64_t base = c->base, scale = c->scale;
	unsigned shift = scale ? zsr_column_bits(scale) - 1 : 0;
	size_t i;

	if (scale == 1ull << shift)
		for (i = 0; i < n; i++)
			out[i] = ((out[i] - base) << shift) + base;
	else
		for (i = 0; i < n; i++)
			out[i] = (out[i] - base) * scale + base;
}

/* Two planes or more. */
static void read_wide(const struct zsr_column *c, size_t from, size_t n,
		      uint64_t *restrict out)
{
	const uint8_t *a = c->plane[0] + from, *b = c->plane[1] + from, *d;
	unsigned k;
	size_t i;

	for (i = 0; i < n; i++)
		out[i] = (uint16_t)(a[i] | b[i] << 8) + c->base;
	for (k = 2; k < c->width; k++) {
		if (c->plane[k] == zsr_zero_plane)
			continue;
		d = c->plane[k] + from;
		for (i = 0; i < n; i++)
			out[i] += (uint64_t)d[i] << (8 * k);
	}
}

void zsr_column_read(struct zsr_column *c, size_t from, size_t n,
		     uint64_t *restrict out)
{
	const uint8_t *a = c->width ? c->plane[0] + from : NULL;
	uint64_t base = c->base;
	size_t i;

	if (!c->width) {
		for (i = 0; i < n; i++)
			out[i] = base;
	} else if (c->bits) {
		read_bits(c, from, n, out);
	} else if (c->dict) {
		for (i = 0; i < n; i++)
			out[i] = base + c->dict[a[i]];
	} else if (c->width == 1) {
		for (i = 0; i < n; i++)
			out[i] = base + a[i];
	} else {
		read_wide(c, from, n, out);
	}
	if (c->scale != 1)
		stretch(c, n, out);
}

/* Those of one or two planes of plain numbers, most by far, go without 64-bit
 * steps. */
static void read_narrow(const struct zsr_column *c, size_t from, size_t n,
			uint32_t *restrict out)
{
	const uint8_t *a = c->width ? c->plane[0] + from : NULL, *b;
	uint32_t base = (uint32_t)c->base;
	size_t i;

	if (c->width == 2) {
		b = c->plane[1] + from;
		for (i = 0; i < n; i++)
			out[i] = base + (a[i] | (uint32_t)b[i] << 8);
	} else if (c->width == 1) {
		for (i = 0; i < n; i++)
			out[i] = base + a[i];
	} else {
		for (i = 0; i < n; i++)
			out[i] = base;
	}
}

bool zsr_column_read_u32(struct zsr_column *c, size_t from, size_t n,
			 uint32_t limit, uint32_t *restrict out)
{
	uint64_t wide[ZSR_ROWS_BATCH], bits = 0;
	bool ok = true;
	size_t i;

	if (c->width > 2 || c->dict || c->bits || c->scale != 1 ||
	    c->max > UINT32_MAX) {
		zsr_column_read(c, from, n, wide);
		for (i = 0; i < n; i++) {
			bits |= wide[i];
			out[i] = (uint32_t)wide[i];
		}
		if (bits > UINT32_MAX)
			return false;
	} else {
		read_narrow(c, from, n, out);
	}
	if (limit == UINT32_MAX)
		return true;
	for (i = 0; c->max > limit && i < n; i++)
		ok &= out[i] <= limit;
	return ok;
}

bool zsr_column_is_zero(const struct zsr_column *c, size_t from, size_t n)
{
	unsigned k;

	if (c->base || c->dict || c->bits)
		return false;
	for (k = 0; k < c->width; k++)
		if (memcmp(c->plane[k] + from, zsr_zero_plane, n))
			return false;
	return true;
}
