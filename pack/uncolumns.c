// SPDX-License-Identifier: GPL-2.0-only
/* Columns into numbers: whatever the bytes are, nothing is read beyond them. */
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "pack/columns.h"
#include "pack/token.h"

struct pk_uncolumns {
	ZSTD_DCtx *zstd;
	uint64_t *list;
	uint8_t *plane;
};

struct pk_uncolumns *pk_uncolumns_new(void)
{
	struct pk_uncolumns *u = calloc(1, sizeof(*u));

	if (!u)
		return NULL;
	u->zstd = ZSTD_createDCtx();
	u->list = malloc(PK_DICT_MAX * sizeof(*u->list));
	u->plane = malloc(PK_SEGMENT);
	if (!u->zstd || !u->list || !u->plane) {
		pk_uncolumns_free(u);
		return NULL;
	}
	return u;
}

void pk_uncolumns_free(struct pk_uncolumns *u)
{
	if (!u)
		return;
	ZSTD_freeDCtx(u->zstd);
	free(u->list);
	free(u->plane);
	free(u);
}

static int ends(struct zsr_err *err)
{
	return zsr_err_input(err, "the column ends too early");
}

int pk_uncolumns_byte(struct pk_bytes *from, uint8_t *byte, struct zsr_err *err)
{
	if (from->p == from->end)
		return ends(err);
	*byte = *from->p++;
	return 0;
}

static int take_varint(struct pk_bytes *from, uint64_t *v, struct zsr_err *err)
{
	unsigned shift;

	*v = 0;
	for (shift = 0; shift < 64 && from->p < from->end; shift += 7) {
		uint8_t b = *from->p++;

		if (shift == 63 && b > 1)
			break;
		*v |= (uint64_t)(b & 0x7f) << shift;
		if (b < 0x80)
			return 0;
	}
	return zsr_err_input(err, "a number of the column is cut or too long");
}

static int take_plane(struct pk_uncolumns *u, struct pk_bytes *from, size_t n,
		      struct zsr_err *err)
{
	uint64_t len;
	size_t got;
	int ret = take_varint(from, &len, err);

	if (ret)
		return ret;
	if (len > n || len > (uint64_t)(from->end - from->p))
		return ends(err);
	if (len == n) {
		memcpy(u->plane, from->p, n);
	} else {
		got = ZSTD_decompressDCtx(u->zstd, u->plane, n, from->p,
					  (size_t)len);
		if (ZSTD_isError(got) || got != n)
			return zsr_err_input(err, "the column cannot be "
						  "unpacked");
	}
	from->p += len;
	return 0;
}

/* Tokens and their bits as numbers. */
static int take_numbers(struct pk_uncolumns *u, struct pk_bytes *from,
			uint64_t *v, size_t n, struct zsr_err *err)
{
	unsigned __int128 acc = 0;
	unsigned have = 0, k;
	size_t i;

	for (i = 0; i < n; i++) {
		if (u->plane[i] > PK_TOKEN_MAX)
			return zsr_err_input(err, "unknown token in a column");
		for (k = pk_token_bits(u->plane[i]); have < k; have += 8) {
			if (from->p == from->end)
				return ends(err);
			acc |= (unsigned __int128)*from->p++ << have;
		}
		v[i] = pk_token_base(u->plane[i]) +
		       ((uint64_t)acc & ((1ull << k) - 1));
		acc >>= k;
		have -= k;
	}
	return 0;
}

static int take_list(struct pk_uncolumns *u, struct pk_bytes *from,
		     uint64_t *nr, struct zsr_err *err)
{
	uint64_t i;
	int ret = take_varint(from, nr, err);

	if (!ret && (!*nr || *nr > PK_DICT_MAX))
		ret = zsr_err_input(err, "a column's list of %llu values",
				    (unsigned long long)*nr);
	for (i = 0; !ret && i < *nr; i++)
		ret = take_varint(from, &u->list[i], err);
	return ret;
}

static int unscale(uint64_t *v, size_t n, bool negative, uint64_t scale,
		   struct zsr_err *err)
{
	uint64_t m;
	size_t i;

	for (i = 0; i < n; i++) {
		m = negative ? v[i] / 2 + (v[i] & 1) : v[i];
		if (m > INT64_MAX / scale)
			return zsr_err_input(err, "a number of a column is "
						  "beyond 2^63");
		m *= scale;
		v[i] = negative && v[i] & 1 ? 0 - m : m;
	}
	return 0;
}

static int take_const(struct pk_bytes *from, int64_t *v, size_t n,
		      struct zsr_err *err)
{
	uint64_t value;
	size_t i;
	int ret = take_varint(from, &value, err);

	for (i = 0; i < n && !ret; i++)
		v[i] = pk_unzigzag(value);
	return ret;
}

int pk_uncolumns_take(struct pk_uncolumns *u, struct pk_bytes *from, int64_t *v,
		      size_t n, struct zsr_err *err)
{
	uint64_t *w = (uint64_t *)v, scale = 1, nr = 0;
	uint8_t mode = 0, negative = 0;
	size_t i;
	int ret = pk_uncolumns_byte(from, &mode, err);

	if (!ret && mode == PK_COLUMN_CONST)
		return take_const(from, v, n, err);
	if (!ret && mode > PK_COLUMN_DICT)
		ret = zsr_err_input(err, "unknown kind of column %u", mode);
	if (!ret)
		ret = pk_uncolumns_byte(from, &negative, err);
	if (!ret)
		ret = take_varint(from, &scale, err);
	if (!ret && (!scale || scale > INT64_MAX || negative > 1))
		ret = zsr_err_input(err, "a column's scale is none");
	if (!ret && mode == PK_COLUMN_DICT)
		ret = take_list(u, from, &nr, err);
	if (!ret)
		ret = take_plane(u, from, n, err);
	if (!ret)
		ret = take_numbers(u, from, w, n, err);
	for (i = 0; i < n && !ret && mode == PK_COLUMN_DICT; i++) {
		if (w[i] >= nr)
			ret = zsr_err_input(err,
					    "a column names value %llu of "
					    "%llu",
					    (unsigned long long)w[i],
					    (unsigned long long)nr);
		else
			w[i] = u->list[w[i]];
	}
	return ret ? ret : unscale(w, n, negative, scale, err);
}
