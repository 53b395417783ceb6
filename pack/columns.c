// SPDX-License-Identifier: GPL-2.0-only
/* Numbers into columns. The layout is in zsr-pack(5). */
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "pack/columns.h"
#include "pack/token.h"

#define LEVEL 19

struct entry {
	uint64_t value;
	uint32_t count;
};

struct pk_columns {
	ZSTD_CCtx *zstd;
	uint64_t *u; /* the column as it is coded */
	uint64_t *sorted;
	struct entry *list; /* its values, most frequent first */
	struct entry *by_value; /* count: place in list */
	uint8_t *plane;
	uint8_t *out;
	size_t len, cap;
};

/* How a column is coded best. */
struct plan {
	bool negative;
	uint64_t scale;
	size_t nr_list; /* 0: no list */
	uint64_t cost; /* bits */
};

struct pk_columns *pk_columns_new(void)
{
	struct pk_columns *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->zstd = ZSTD_createCCtx();
	c->u = malloc(PK_SEGMENT * sizeof(*c->u));
	c->sorted = malloc(PK_SEGMENT * sizeof(*c->sorted));
	c->list = malloc(PK_SEGMENT * sizeof(*c->list));
	c->by_value = malloc(PK_SEGMENT * sizeof(*c->by_value));
	c->plane = malloc(PK_SEGMENT);
	if (!c->zstd || !c->u || !c->sorted || !c->list || !c->by_value ||
	    !c->plane) {
		pk_columns_free(c);
		return NULL;
	}
	ZSTD_CCtx_setParameter(c->zstd, ZSTD_c_compressionLevel, LEVEL);
	ZSTD_CCtx_setParameter(c->zstd, ZSTD_c_contentSizeFlag, 0);
	return c;
}

void pk_columns_free(struct pk_columns *c)
{
	if (!c)
		return;
	ZSTD_freeCCtx(c->zstd);
	free(c->u);
	free(c->sorted);
	free(c->list);
	free(c->by_value);
	free(c->plane);
	free(c->out);
	free(c);
}

void pk_columns_start(struct pk_columns *c)
{
	c->len = 0;
}

const void *pk_columns_bytes(const struct pk_columns *c, size_t *len)
{
	*len = c->len;
	return c->out;
}

/* ---- bytes --------------------------------------------------------------- */

static int make_room(struct pk_columns *c, size_t n, struct zsr_err *err)
{
	if (zsr_grow(&c->out, &c->cap, c->len + n, 1))
		return zsr_err_nomem(err, "columns");
	return 0;
}

int pk_columns_add_byte(struct pk_columns *c, uint8_t byte, struct zsr_err *err)
{
	int ret = make_room(c, 1, err);

	if (!ret)
		c->out[c->len++] = byte;
	return ret;
}

static int put_varint(struct pk_columns *c, uint64_t v, struct zsr_err *err)
{
	int ret = make_room(c, 10, err);

	if (ret)
		return ret;
	for (; v >= 0x80; v >>= 7)
		c->out[c->len++] = (uint8_t)(v | 0x80);
	c->out[c->len++] = (uint8_t)v;
	return 0;
}

/* The tokens: their length, and a zstd frame or, when that is no shorter, they
 * themselves. */
static int put_plane(struct pk_columns *c, size_t n, struct zsr_err *err)
{
	size_t room = ZSTD_compressBound(n), got;
	int ret = make_room(c, room + 10, err);

	if (ret)
		return ret;
	got = ZSTD_compress2(c->zstd, c->out + c->len + 10, room, c->plane, n);
	if (ZSTD_isError(got))
		return zsr_err_sys(err, EIO, "compressing a column: %s",
				   ZSTD_getErrorName(got));
	if (got >= n) {
		ret = put_varint(c, n, err);
		memcpy(c->out + c->len, c->plane, n);
		c->len += n;
		return ret;
	}
	/* A varint is at most the 10 bytes left for it. */
	memmove(c->plane, c->out + c->len + 10,
		zsr_min(got, (size_t)PK_SEGMENT));
	ret = put_varint(c, got, err);
	memcpy(c->out + c->len, c->plane, got);
	c->len += got;
	return ret;
}

/* The bits that tokens leave, lowest first. */
static int put_bits(struct pk_columns *c, const uint64_t *u, size_t n,
		    struct zsr_err *err)
{
	unsigned __int128 acc = 0;
	unsigned have = 0, k;
	size_t i;
	int ret = make_room(c, 8 * n + 16, err);

	for (i = 0; i < n && !ret; i++) {
		k = pk_token_bits(pk_token(u[i]));
		acc |= (unsigned __int128)(u[i] & ((1ull << k) - 1)) << have;
		for (have += k; have >= 8; have -= 8, acc >>= 8)
			c->out[c->len++] = (uint8_t)acc;
	}
	if (have && !ret)
		c->out[c->len++] = (uint8_t)acc;
	return ret;
}

/* ---- which way is best ---------------------------------------------------- */

static uint64_t gcd(uint64_t a, uint64_t b)
{
	while (b) {
		uint64_t r = a % b;

		a = b;
		b = r;
	}
	return a;
}

static uint64_t magnitude(int64_t v)
{
	return v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
}

/* log2 in 1/256, straight between powers of two. */
static uint64_t log2_256(uint64_t v)
{
	unsigned k = 63 - (unsigned)__builtin_clzll(v);

	return k * 256 + ((v << (63 - k) >> 55) & 255);
}

static uint64_t varint_bits(uint64_t v)
{
	return 8 * ((63 - (unsigned)__builtin_clzll(v | 1)) / 7 + 1);
}

static uint64_t bits_of_tokens(const uint32_t count[256], uint64_t n)
{
	uint64_t sum = 0;
	unsigned i;

	for (i = 0; i < 256; i++)
		if (count[i])
			sum += count[i] * (log2_256(n) - log2_256(count[i]) +
					   256 * pk_token_bits((uint8_t)i));
	return sum / 256;
}

static void scale(struct pk_columns *c, struct plan *p, const int64_t *v,
		  size_t n)
{
	size_t i;

	p->negative = false;
	p->scale = 0;
	for (i = 0; i < n; i++) {
		p->negative |= v[i] < 0;
		if (p->scale != 1)
			p->scale = gcd(magnitude(v[i]), p->scale);
	}
	if (!p->scale || p->scale > INT64_MAX)
		p->scale = 1;
	for (i = 0; i < n; i++) {
		uint64_t m = magnitude(v[i]) / p->scale;

		c->u[i] = !p->negative ? m : v[i] < 0 ? 2 * m - 1 : 2 * m;
	}
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static int by_count(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return (x->value > y->value) - (x->value < y->value);
}

/* The list of values, 0 when there are too many. */
static size_t make_list(struct pk_columns *c, size_t n)
{
	size_t i, nr = 0;

	memcpy(c->sorted, c->u, n * sizeof(*c->u));
	qsort(c->sorted, n, sizeof(*c->sorted), by_number);
	for (i = 0; i < n; i++) {
		if (i && c->sorted[i] == c->sorted[i - 1]) {
			c->list[nr - 1].count++;
			continue;
		}
		if (nr == PK_DICT_MAX || nr > n / 2)
			return 0;
		c->list[nr++] = (struct entry){ c->sorted[i], 1 };
	}
	qsort(c->list, nr, sizeof(*c->list), by_count);
	return nr;
}

static void choose(struct pk_columns *c, struct plan *p, const int64_t *v,
		   size_t n)
{
	uint32_t count[256] = { 0 };
	uint64_t cost;
	size_t i, nr;

	scale(c, p, v, n);
	for (i = 0; i < n; i++)
		count[pk_token(c->u[i])]++;
	p->cost = bits_of_tokens(count, n);
	p->nr_list = 0;
	nr = make_list(c, n);
	if (!nr)
		return;
	memset(count, 0, sizeof(count));
	for (i = 0, cost = 0; i < nr; i++) {
		count[pk_token(i)] += c->list[i].count;
		cost += varint_bits(c->list[i].value);
	}
	cost += bits_of_tokens(count, n);
	if (cost < p->cost) {
		p->cost = cost;
		p->nr_list = nr;
	}
}

static bool is_const(const int64_t *v, size_t n)
{
	size_t i;

	for (i = 1; i < n; i++)
		if (v[i] != v[0])
			return false;
	return true;
}

uint64_t pk_columns_cost(struct pk_columns *c, const int64_t *v, size_t n)
{
	struct plan p;

	if (is_const(v, n))
		return 16;
	choose(c, &p, v, n);
	return p.cost;
}

/* ---- a column --------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
	return by_number(&((const struct entry *)a)->value,
			 &((const struct entry *)b)->value);
}

/* Each value becomes its place in the list. */
static int put_list(struct pk_columns *c, size_t n, size_t nr,
		    struct zsr_err *err)
{
	struct entry key = { 0 }, *found;
	size_t i;
	int ret = put_varint(c, nr, err);

	for (i = 0; i < nr && !ret; i++) {
		c->by_value[i] = (struct entry){ c->list[i].value, (uint32_t)i };
		ret = put_varint(c, c->list[i].value, err);
	}
	qsort(c->by_value, nr, sizeof(*c->by_value), by_value);
	for (i = 0; i < n && !ret; i++) {
		key.value = c->u[i];
		found = bsearch(&key, c->by_value, nr, sizeof(key), by_value);
		c->u[i] = found->count;
	}
	return ret;
}

int pk_columns_add(struct pk_columns *c, int64_t *v, size_t n,
		   struct zsr_err *err)
{
	struct plan p;
	size_t i;
	int ret;

	if (is_const(v, n)) {
		ret = pk_columns_add_byte(c, PK_COLUMN_CONST, err);
		return ret ? ret : put_varint(c, n ? pk_zigzag(v[0]) : 0, err);
	}
	choose(c, &p, v, n);
	ret = pk_columns_add_byte(
		c, p.nr_list ? PK_COLUMN_DICT : PK_COLUMN_PLAIN, err);
	if (!ret)
		ret = pk_columns_add_byte(c, p.negative, err);
	if (!ret)
		ret = put_varint(c, p.scale, err);
	if (!ret && p.nr_list)
		ret = put_list(c, n, p.nr_list, err);
	for (i = 0; i < n && !ret; i++)
		c->plane[i] = pk_token(c->u[i]);
	if (!ret)
		ret = put_plane(c, n, err);
	return ret ? ret : put_bits(c, c->u, n, err);
}
