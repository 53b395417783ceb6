// SPDX-License-Identifier: GPL-2.0-only
/* Columns of numbers to bytes. */
#include <string.h>

#include "db/chunk_encoder.h"

#define DICT_SLOTS 1024 /* a power of two, well above ZSR_DICT_MAX */
/* A column is sparse when fewer of its numbers than one in so many differ. */
#define SPARSE 6

void zsr_put_byte(struct zsr_chunk_encoder *enc, uint8_t b)
{
	enc->out[enc->len++] = b;
}

void zsr_put_varint(struct zsr_chunk_encoder *enc, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		zsr_put_byte(enc, (uint8_t)(v | 0x80));
	zsr_put_byte(enc, (uint8_t)v);
}

void zsr_put_const(struct zsr_chunk_encoder *enc, uint64_t value)
{
	zsr_put_byte(enc, ZSR_COLUMN_CONST);
	zsr_put_varint(enc, value);
}

/* A plane of n bytes: 0 when all are zero, else its stored length, and the
 * bytes, as they are (length n) or as a zstd frame that is shorter. */
static int put_plane(struct zsr_chunk_encoder *enc, size_t n,
		     struct zsr_err *err)
{
	size_t room = ZSTD_compressBound(n), ret;
	uint8_t *to = enc->out + enc->len + 3;

	ret = ZSTD_compress2(enc->zstd, to, room, enc->plane, n);
	if (ZSTD_isError(ret))
		return zsr_err_sys(err, EIO, "compressing a chunk: %s",
				   ZSTD_getErrorName(ret));
	/* Little won: leave it for the reader to use in place. */
	if (ret >= n - n / 32) {
		zsr_put_varint(enc, n);
		memcpy(enc->out + enc->len, enc->plane, n);
		enc->len += n;
		return 0;
	}
	zsr_put_varint(enc, ret);
	memmove(enc->out + enc->len, to, ret);
	enc->len += ret;
	return 0;
}

static int put_planes(struct zsr_chunk_encoder *enc, const uint64_t *v,
		      size_t n, unsigned width, struct zsr_err *err)
{
	unsigned k;
	size_t i;
	int ret;

	for (k = 0; k < width; k++) {
		uint8_t any = 0;

		for (i = 0; i < n; i++) {
			enc->plane[i] = (uint8_t)(v[i] >> (8 * k));
			any |= enc->plane[i];
		}
		if (!any) {
			zsr_put_byte(enc, 0);
			continue;
		}
		ret = put_plane(enc, n, err);
		if (ret)
			return ret;
	}
	return 0;
}

/*
 * Number the distinct values in order of appearance into plane[]; their
 * count, 0 when there are more than LIMIT.
 */
static unsigned find_dict(struct zsr_chunk_encoder *enc, const uint64_t *v,
			  size_t n, unsigned limit, uint64_t *dict)
{
	uint16_t slot[DICT_SLOTS];
	unsigned nr = 0, h;
	size_t i;

	memset(slot, 0, sizeof(slot));
	for (i = 0; i < n; i++) {
		h = (unsigned)((v[i] * 0x9E3779B97F4A7C15ull) >> 54);
		while (slot[h] && dict[slot[h] - 1] != v[i])
			h = (h + 1) % DICT_SLOTS;
		if (!slot[h]) {
			if (nr == limit)
				return 0;
			dict[nr++] = v[i];
			slot[h] = (uint16_t)nr;
		}
		enc->plane[i] = (uint8_t)(slot[h] - 1);
	}
	return nr;
}

static uint64_t gcd(uint64_t a, uint64_t b)
{
	while (b) {
		uint64_t r = a % b;

		a = b;
		b = r;
	}
	return a;
}

/* Take out the smallest number and what all are multiples of then; the largest
 * that is left. */
static uint64_t reduce(uint64_t *v, size_t n, uint64_t *base, uint64_t *scale)
{
	uint64_t min = n ? v[0] : 0, max = min;
	size_t i;

	for (i = 1; i < n; i++) {
		min = zsr_min(min, v[i]);
		max = zsr_max(max, v[i]);
	}
	*base = min;
	*scale = max > min ? 0 : 1;
	if (min == max)
		return 0;
	for (i = 0; i < n; i++) {
		v[i] -= min;
		if (*scale != 1)
			*scale = gcd(v[i], *scale);
	}
	for (i = 0; *scale > 1 && i < n; i++)
		v[i] /= *scale;
	return (max - min) / *scale;
}

/* Numbers whose largest is MAX, as a column of planes. */
static int put_plain(struct zsr_chunk_encoder *enc, const uint64_t *v, size_t n,
		     uint64_t max, uint64_t base, uint64_t scale,
		     struct zsr_err *err)
{
	unsigned width = zsr_column_width(max);

	zsr_put_byte(enc, (uint8_t)width);
	zsr_put_varint(enc, base);
	zsr_put_varint(enc, scale);
	return put_planes(enc, v, n, width, err);
}

/* The lower bits of numbers to the end of the blob. */
static void put_lower_bits(struct zsr_chunk_encoder *enc, const uint64_t *v,
			   size_t n)
{
	uint64_t word = 0, all = 0;
	unsigned held = 0, bits;
	size_t i;

	for (i = 0; i < n; i++)
		all += zsr_token_bits(enc->plane[i]);
	zsr_put_varint(enc, (all + 7) / 8);
	for (i = 0; i < n; i++) {
		bits = zsr_token_bits(enc->plane[i]);
		word |= (v[i] & ((1ull << bits) - 1)) << held;
		for (held += bits; held >= 8; held -= 8, word >>= 8)
			zsr_put_byte(enc, (uint8_t)word);
	}
	if (held)
		zsr_put_byte(enc, (uint8_t)word);
}

/*
 * Planes again, unless bits take less: what is noise from some bit on wastes a
 * part of the byte with that bit, but bits take longer to read.
 */
static int put_numbers(struct zsr_chunk_encoder *enc, const uint64_t *v,
		       size_t n, uint64_t max, uint64_t base, uint64_t scale,
		       struct zsr_err *err)
{
	size_t start = enc->len, plain, i;
	int ret = put_plain(enc, v, n, max, base, scale, err);

	if (ret || max <= UINT8_MAX || max >> ZSR_BITS_MAX)
		return ret;
	plain = enc->len;
	zsr_put_byte(enc, ZSR_COLUMN_BITS);
	zsr_put_varint(enc, base);
	zsr_put_varint(enc, scale);
	for (i = 0; i < n; i++)
		enc->plane[i] = zsr_token_of(v[i]);
	ret = put_plane(enc, n, err);
	if (ret)
		return ret;
	/* The tokens in front of the bits: compressing has not changed them. */
	put_lower_bits(enc, v, n);
	if (enc->len - plain > (plain - start) - (plain - start) / 100) {
		enc->len = plain;
		return 0;
	}
	memmove(enc->out + start, enc->out + plain, enc->len - plain);
	enc->len = start + enc->len - plain;
	return 0;
}

/* How many numbers are not 0. */
static size_t count_nonzero(const uint64_t *v, size_t n)
{
	size_t nr = 0, i;

	for (i = 0; i < n; i++)
		nr += v[i] != 0;
	return nr;
}

/* NR of n numbers are not 0: the zeros in front of each, then those numbers
 * less 1, each as a column of planes. */
static int put_sparse(struct zsr_chunk_encoder *enc, uint64_t *v, size_t n,
		      size_t nr, struct zsr_err *err)
{
	uint64_t *gap = enc->column[ZSR_COL_GAPS], max_gap = 0, max = 0;
	size_t i, m = 0, before = 0;
	int ret;

	zsr_put_varint(enc, nr);
	for (i = 0; i < n; i++) {
		if (!v[i])
			continue;
		gap[m] = i - before;
		v[m] = v[i] - 1;
		max_gap = zsr_max(max_gap, gap[m]);
		max = zsr_max(max, v[m]);
		before = i + 1;
		m++;
	}
	ret = put_plain(enc, gap, nr, max_gap, 0, 1, err);
	return ret ? ret : put_plain(enc, v, nr, max, 0, 1, err);
}

int zsr_put_column(struct zsr_chunk_encoder *enc, unsigned col,
		   struct zsr_err *err)
{
	uint64_t *v = enc->column[col], dict[ZSR_DICT_MAX], base, scale, max;
	size_t n = enc->nr[col], nonzero;
	unsigned nr, limit, i;

	max = reduce(v, n, &base, &scale);
	if (!max) {
		zsr_put_const(enc, base);
		return 0;
	}
	nonzero = count_nonzero(v, n);
	if (nonzero < n / SPARSE) {
		zsr_put_byte(enc, ZSR_COLUMN_SPARSE);
		zsr_put_varint(enc, base);
		zsr_put_varint(enc, scale);
		return put_sparse(enc, v, n, nonzero, err);
	}
	limit = (unsigned)zsr_min(n / 32, (size_t)ZSR_DICT_MAX);
	nr = max > UINT8_MAX ? find_dict(enc, v, n, limit, dict) : 0;
	if (!nr)
		return put_numbers(enc, v, n, max, base, scale, err);
	zsr_put_byte(enc, ZSR_COLUMN_DICT);
	zsr_put_varint(enc, base);
	zsr_put_varint(enc, scale);
	zsr_put_varint(enc, nr);
	for (i = 0; i < nr; i++)
		zsr_put_varint(enc, dict[i]);
	return put_plane(enc, n, err);
}
