// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "db/columns.h"
#include "db/runblob.h"

#define LEVEL      6
#define MAX_POINTS (16u << 20)

struct buffer {
	uint8_t *p;
	size_t len;
	size_t cap;
};

static int put(struct buffer *b, uint64_t v)
{
	if (zsr_grow(&b->p, &b->cap, b->len + 10, 1))
		return -ENOMEM;
	for (; v >= 0x80; v >>= 7)
		b->p[b->len++] = (uint8_t)(v | 0x80);
	b->p[b->len++] = (uint8_t)v;
	return 0;
}

static bool get(const uint8_t **p, const uint8_t *end, uint64_t *v)
{
	unsigned shift;

	*v = 0;
	for (shift = 0; shift < 64 && *p < end; shift += 7) {
		*v |= (uint64_t)(**p & 0x7f) << shift;
		if (*(*p)++ < 0x80)
			return true;
	}
	return false;
}

/* Compress B, free it. */
static int squeeze(struct buffer *b, void **blob, size_t *len,
		   struct zsr_err *err)
{
	size_t cap = ZSTD_compressBound(b->len);
	int ret = 0;

	*blob = malloc(cap);
	if (*blob) {
		*len = ZSTD_compress(*blob, cap, b->p, b->len, LEVEL);
		if (ZSTD_isError(*len)) {
			ret = zsr_err_sys(err, EIO, "compressing results: %s",
					  ZSTD_getErrorName(*len));
			free(*blob);
		}
	} else {
		ret = zsr_err_nomem(err, "results");
	}
	free(b->p);
	return ret;
}

/* The varints of a blob, malloc'ed; at most MAX bytes of them. */
static int expand(const void *blob, size_t len, size_t max, struct buffer *b,
		  struct zsr_err *err)
{
	unsigned long long n = ZSTD_getFrameContentSize(blob, len);

	*b = (struct buffer){ 0 };
	if (n > max)
		return zsr_err_input(err, "damaged");
	b->p = malloc((size_t)n + 1);
	if (!b->p)
		return zsr_err_nomem(err, "results");
	b->len = ZSTD_decompress(b->p, (size_t)n, blob, len);
	if (b->len == n)
		return 0;
	free(b->p);
	return zsr_err_input(err, "damaged");
}

int zsr_hist_pack(const struct zsr_hist *h, void **blob, size_t *len,
		  struct zsr_err *err)
{
	struct buffer b = { 0 };
	unsigned i, before = 0;
	int bad;

	bad = put(&b, h->count) | put(&b, h->sum) | put(&b, h->min) |
	      put(&b, h->max);
	for (i = 0; i < ZSR_HIST_BUCKETS; i++) {
		if (!h->bucket[i])
			continue;
		bad |= put(&b, i - before) | put(&b, h->bucket[i]);
		before = i;
	}
	if (bad) {
		free(b.p);
		return zsr_err_nomem(err, "results");
	}
	return squeeze(&b, blob, len, err);
}

int zsr_hist_unpack(struct zsr_hist *h, const void *blob, size_t len,
		    struct zsr_err *err)
{
	uint64_t at = 0, step, sum = 0;
	const uint8_t *p, *end;
	struct buffer b;
	bool ok;
	int ret = expand(blob, len, 20 * (ZSR_HIST_BUCKETS + 2), &b, err);

	if (ret)
		return ret;
	p = b.p;
	end = b.p + b.len;
	zsr_hist_init(h);
	ok = get(&p, end, &h->count) && get(&p, end, &h->sum) &&
	     get(&p, end, &h->min) && get(&p, end, &h->max);
	while (ok && p < end) {
		ok = get(&p, end, &step) && step < ZSR_HIST_BUCKETS - at &&
		     get(&p, end, &h->bucket[at + step]);
		at += ok ? step : 0;
		sum += ok ? h->bucket[at] : 0;
	}
	free(b.p);
	if (!ok || sum != h->count)
		return zsr_err_input(err, "damaged");
	return 0;
}

int zsr_series_pack(const struct zsr_series *s, void **blob, size_t *len,
		    struct zsr_err *err)
{
	struct zsr_point before = { 0 };
	struct buffer b = { 0 };
	size_t i;
	int bad = put(&b, s->nr);

	/* All steps in time first: alike values lie together. */
	for (i = 0; i < s->nr; i++) {
		bad |= put(&b, s->points[i].t_ns - before.t_ns);
		before.t_ns = s->points[i].t_ns;
	}
	for (i = 0; i < s->nr; i++) {
		bad |= put(&b, zsr_zigzag((int64_t)(s->points[i].value -
						    before.value)));
		before.value = s->points[i].value;
	}
	if (bad) {
		free(b.p);
		return zsr_err_nomem(err, "results");
	}
	return squeeze(&b, blob, len, err);
}

static bool read_points(struct zsr_series *s, const uint8_t *p,
			const uint8_t *end)
{
	uint64_t v, t = 0, value = 0;
	size_t i;

	if (!get(&p, end, &v) || v != s->nr)
		return false;
	for (i = 0; i < s->nr; i++) {
		if (!get(&p, end, &v) || v > UINT64_MAX - t || (i && !v))
			return false;
		s->points[i].t_ns = t += v;
	}
	for (i = 0; i < s->nr; i++) {
		if (!get(&p, end, &v))
			return false;
		s->points[i].value = value += (uint64_t)zsr_unzigzag(v);
	}
	return p == end;
}

int zsr_series_unpack(struct zsr_series *s, uint64_t nr, const void *blob,
		      size_t len, struct zsr_err *err)
{
	struct buffer b;
	int ret;

	*s = (struct zsr_series){ 0 };
	if (nr > MAX_POINTS)
		return zsr_err_input(err, "damaged");
	ret = expand(blob, len, 20 * (size_t)nr + 10, &b, err);
	if (ret)
		return ret;
	s->nr = (size_t)nr;
	s->points = malloc((s->nr + 1) * sizeof(*s->points));
	if (!s->points)
		ret = zsr_err_nomem(err, "results");
	else if (!read_points(s, b.p, b.p + b.len))
		ret = zsr_err_input(err, "damaged");
	free(b.p);
	if (ret) {
		free(s->points);
		*s = (struct zsr_series){ 0 };
	}
	return ret;
}

int zsr_grid_pack(const struct zsr_grid *g, void **blob, size_t *len,
		  struct zsr_err *err)
{
	size_t i, nr = (size_t)g->nr_rows * g->nr_cols;
	struct buffer b = { 0 };
	int bad = put(&b, g->begin_ns) | put(&b, g->step_ns) |
		  put(&b, g->nr_cols);

	for (i = 0; i < g->nr_rows; i++)
		bad |= put(&b, g->row[i]);
	for (i = 0; i < nr; i++)
		bad |= put(&b, zsr_zigzag((int64_t)g->cell[i] -
					  (i ? g->cell[i - 1] : 0)));
	if (bad) {
		free(b.p);
		return zsr_err_nomem(err, "results");
	}
	return squeeze(&b, blob, len, err);
}

static bool read_grid(struct zsr_grid *g, size_t nr, const uint8_t *p,
		      const uint8_t *end)
{
	uint64_t v, last = 0;
	size_t i;

	for (i = 0; i < g->nr_rows; i++)
		if (!get(&p, end, &g->row[i]))
			return false;
	for (i = 0; i < nr; i++) {
		if (!get(&p, end, &v))
			return false;
		last += (uint64_t)zsr_unzigzag(v);
		if (last > UINT32_MAX)
			return false;
		g->cell[i] = (uint32_t)last;
	}
	return p == end;
}

int zsr_grid_unpack(struct zsr_grid *g, uint64_t nr_rows, const void *blob,
		    size_t len, struct zsr_err *err)
{
	const uint8_t *p, *end;
	struct buffer b;
	uint64_t cols;
	size_t nr;
	int ret = expand(blob, len, MAX_POINTS, &b, err);

	*g = (struct zsr_grid){ 0 };
	if (ret)
		return ret;
	p = b.p;
	end = b.p + b.len;
	/* Each row and each cell is a byte at least. */
	if (!get(&p, end, &g->begin_ns) || !get(&p, end, &g->step_ns) ||
	    !get(&p, end, &cols) || !cols || cols > b.len || nr_rows > b.len ||
	    nr_rows * cols > b.len) {
		ret = zsr_err_input(err, "damaged");
		goto out;
	}
	nr = (size_t)(nr_rows * cols);
	g->nr_cols = (uint32_t)cols;
	g->nr_rows = (uint32_t)nr_rows;
	g->row = malloc((size_t)nr_rows * sizeof(*g->row) + 1);
	g->cell = malloc(nr * sizeof(*g->cell) + 1);
	if (!g->row || !g->cell)
		ret = zsr_err_nomem(err, "results");
	else if (!read_grid(g, nr, p, end))
		ret = zsr_err_input(err, "damaged");
out:
	free(b.p);
	if (ret) {
		free(g->row);
		free(g->cell);
		*g = (struct zsr_grid){ 0 };
	}
	return ret;
}
