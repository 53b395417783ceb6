// SPDX-License-Identifier: GPL-2.0-only
/*
 * A chunk's blob to events. Nothing in it is believed: every length is held
 * against the blob's, every value against what its field can hold.
 */
#include <stdlib.h>
#include <string.h>

#include "db/chunk_decoder.h"

const uint8_t zsr_zero_plane[ZSR_CHUNK_MAX];

struct zsr_chunk_decoder *zsr_chunk_decoder_new(uint32_t nr_tasks,
						uint32_t nr_pools)
{
	struct zsr_chunk_decoder *dec = calloc(1, sizeof(*dec));

	if (!dec)
		return NULL;
	dec->nr_tasks = nr_tasks;
	dec->nr_pools = nr_pools;
	dec->want = ZSR_WANT_ALL;
	dec->zstd = ZSTD_createDCtx();
	/* A sparse column has two beside its own planes. */
	dec->arena = malloc((size_t)ZSR_NR_COLUMNS * 3 * 8 * ZSR_CHUNK_MAX);
	dec->dicts = malloc((size_t)ZSR_NR_COLUMNS * ZSR_DICT_MAX * 8);
	if (!dec->zstd || !dec->arena || !dec->dicts) {
		zsr_chunk_decoder_free(dec);
		return NULL;
	}
	return dec;
}

void zsr_chunk_decoder_free(struct zsr_chunk_decoder *dec)
{
	if (!dec)
		return;
	ZSTD_freeDCtx(dec->zstd);
	free(dec->arena);
	free(dec->dicts);
	free(dec);
}

void zsr_chunk_decoder_want(struct zsr_chunk_decoder *dec, unsigned want)
{
	dec->want = want;
}

/* ---- parsing --------------------------------------------------------- */

static bool get_byte(struct zsr_chunk_decoder *dec, uint8_t *b)
{
	if (dec->p == dec->end)
		return false;
	*b = *dec->p++;
	return true;
}

static bool get_varint(struct zsr_chunk_decoder *dec, uint64_t *v)
{
	unsigned shift;
	uint8_t b;

	*v = 0;
	for (shift = 0; shift < 64; shift += 7) {
		if (!get_byte(dec, &b))
			return false;
		if (shift == 63 && b > 1)
			return false;
		*v |= (uint64_t)(b & 0x7f) << shift;
		if (b < 0x80)
			return true;
	}
	return false;
}

/* *plane is NULL when it is not wanted. */
static bool get_plane(struct zsr_chunk_decoder *dec, size_t n, bool wanted,
		      const uint8_t **plane)
{
	uint64_t len;
	size_t ret;

	if (!get_varint(dec, &len) || len > (size_t)(dec->end - dec->p) ||
	    len > n)
		return false;
	if (!wanted) {
		*plane = NULL;
	} else if (len == 0) {
		*plane = zsr_zero_plane;
	} else if (len == n) {
		*plane = dec->p;
	} else {
		ret = ZSTD_decompressDCtx(dec->zstd, dec->arena + dec->used, n,
					  dec->p, len);
		if (ret != n)
			return false;
		*plane = dec->arena + dec->used;
		dec->used += n;
	}
	dec->p += len;
	return true;
}

static bool get_dict(struct zsr_chunk_decoder *dec, struct zsr_column *c,
		     size_t n, bool wanted)
{
	uint64_t nr, i;
	uint8_t max = 0;

	if (!get_varint(dec, &nr) || nr == 0 || nr > ZSR_DICT_MAX)
		return false;
	for (i = 0; i < nr; i++)
		if (!get_varint(dec, &c->dict[i]))
			return false;
	if (!get_plane(dec, n, wanted, &c->plane[0]))
		return false;
	for (i = 0; wanted && i < n; i++)
		max = zsr_max(max, c->plane[0][i]);
	return max < nr;
}

/* A column of WIDTH planes. */
static bool get_planes(struct zsr_chunk_decoder *dec, struct zsr_column *c,
		       size_t n, unsigned width, bool wanted)
{
	unsigned k;

	c->width = (uint8_t)width;
	for (k = 0; k < width; k++)
		if (!get_plane(dec, n, wanted, &c->plane[k]))
			return false;
	return true;
}

/* One of the two columns of a sparse one. */
static bool get_part(struct zsr_chunk_decoder *dec, struct zsr_column *c,
		     size_t n, bool wanted)
{
	uint8_t width;

	*c = (struct zsr_column){ .scale = 1 };
	return get_byte(dec, &width) && width >= 1 && width <= 8 &&
	       get_varint(dec, &c->base) && !c->base &&
	       get_varint(dec, &c->scale) && c->scale == 1 &&
	       get_planes(dec, c, n, width, wanted);
}

/* NR numbers to their places among N; all others are 0. The largest of them, 0
 * when they are not what they should be. */
static uint64_t spread(struct zsr_column *gaps, struct zsr_column *values,
		       uint8_t *to, unsigned width, size_t n, size_t nr)
{
	uint64_t gap[ZSR_ROWS_BATCH], value[ZSR_ROWS_BATCH], at = 0, max = 0;
	size_t from, some, i;
	unsigned k;

	for (from = 0; from < nr; from += some) {
		some = zsr_min(nr - from, (size_t)ZSR_ROWS_BATCH);
		zsr_column_read(gaps, from, some, gap);
		zsr_column_read(values, from, some, value);
		for (i = 0; i < some; i++) {
			if (gap[i] >= n - at || value[i] == UINT64_MAX)
				return 0;
			at += gap[i];
			max = zsr_max(max, value[i] + 1);
			for (k = 0; k < width; k++)
				to[k * n + at] = (uint8_t)((value[i] + 1) >>
							   (8 * k));
			at++;
		}
	}
	return max;
}

static bool get_sparse(struct zsr_chunk_decoder *dec, struct zsr_column *c,
		       size_t n, bool wanted)
{
	struct zsr_column gaps, values;
	uint64_t nr, max;
	unsigned k, width;
	uint8_t *to;

	if (!get_varint(dec, &nr) || nr == 0 || nr > n ||
	    !get_part(dec, &gaps, nr, wanted) ||
	    !get_part(dec, &values, nr, wanted))
		return false;
	/* A value less 1 is told: it may have one byte more. */
	width = zsr_min(values.width + 1u, 8u);
	c->width = (uint8_t)width;
	if (!wanted)
		return true;
	to = dec->arena + dec->used;
	dec->used += width * n;
	memset(to, 0, width * n);
	for (k = 0; k < width; k++)
		c->plane[k] = to + k * n;
	max = spread(&gaps, &values, to, width, n, nr);
	c->width = (uint8_t)zsr_column_width(max);
	return max != 0;
}

static bool get_bits(struct zsr_chunk_decoder *dec, struct zsr_column *c,
		     size_t n, bool wanted)
{
	uint64_t len;

	c->width = 1;
	if (!get_plane(dec, n, wanted, &c->plane[0]) ||
	    !get_varint(dec, &len) || len > (size_t)(dec->end - dec->p))
		return false;
	c->bits = dec->p;
	c->nr_bytes = (size_t)len;
	dec->p += len;
	return true;
}

/* base + scale * the largest number there can be, unless that overflows. */
static uint64_t column_max(const struct zsr_column *c)
{
	unsigned bits = c->bits ? ZSR_BITS_MAX : 8u * c->width;
	uint64_t max = UINT64_MAX >> (64 - bits);

	if (__builtin_mul_overflow(max, c->scale, &max) ||
	    __builtin_add_overflow(max, c->base, &max))
		return UINT64_MAX;
	return max;
}

/* What a column is for; 0: it is always read. */
static const unsigned wanted_by[ZSR_NR_COLUMNS] = {
	[ZSR_COL_TASK] = ZSR_WANT_TASK,
	[ZSR_COL_POOL] = ZSR_WANT_REST,
	[ZSR_COL_CALLER] = ZSR_WANT_REST,
	[ZSR_COL_FLAGS] = ZSR_WANT_REST,
	[ZSR_COL_CGROUP] = ZSR_WANT_REST,
	[ZSR_COL_AUX] = ZSR_WANT_REST,
	[ZSR_COL_SLOT] = ZSR_WANT_REST,
	[ZSR_COL_MALLOC_DUR] = ZSR_WANT_DUR,
	[ZSR_COL_MALLOC_DUR_REST] = ZSR_WANT_DUR,
	[ZSR_COL_MALLOC_GFP] = ZSR_WANT_GFP,
	[ZSR_COL_MALLOC_SIZE] = ZSR_WANT_SIZE,
	[ZSR_COL_OTHER_DUR] = ZSR_WANT_DUR,
	[ZSR_COL_OTHER_DUR_REST] = ZSR_WANT_DUR,
	[ZSR_COL_OTHER_GFP] = ZSR_WANT_GFP,
	[ZSR_COL_OTHER_SIZE] = ZSR_WANT_SIZE,
	[ZSR_COL_FREE_OBJ] = ZSR_WANT_FREED,
};

static bool get_column(struct zsr_chunk_decoder *dec, unsigned nr, size_t n)
{
	struct zsr_column *c = &dec->col[nr];
	bool wanted = !wanted_by[nr] || dec->want & wanted_by[nr];
	uint8_t kind;

	*c = (struct zsr_column){ .scale = 1 };
	if (!get_byte(dec, &kind) || kind > ZSR_COLUMN_BITS ||
	    !get_varint(dec, &c->base))
		return false;
	c->max = c->base;
	if (kind == ZSR_COLUMN_CONST)
		return true;
	if (!n || !get_varint(dec, &c->scale))
		return false;
	if (kind == ZSR_COLUMN_DICT) {
		c->width = 1;
		c->max = UINT64_MAX;
		c->dict = dec->dicts + (size_t)nr * ZSR_DICT_MAX;
		return get_dict(dec, c, n, wanted);
	}
	if (!(kind == ZSR_COLUMN_SPARSE ? get_sparse(dec, c, n, wanted)
	      : kind == ZSR_COLUMN_BITS ? get_bits(dec, c, n, wanted)
					: get_planes(dec, c, n, kind, wanted)))
		return false;
	c->max = column_max(c);
	return true;
}

static size_t column_values(const struct zsr_chunk_decoder *dec, unsigned col)
{
	if (col == ZSR_COL_FREE_OBJ)
		return dec->nr_frees;
	if (col < ZSR_COL_MALLOC_T)
		return dec->nr;
	return col < ZSR_COL_OTHER_T ? dec->nr_mallocs
				     : dec->nr - dec->nr_mallocs;
}

/* ---- the head -------------------------------------------------------- */

static bool get_ticks(struct zsr_chunk_decoder *dec)
{
	struct zsr_ticks *t = &dec->ticks;

	t->phase = 0;
	if (!get_varint(dec, &t->step))
		return false;
	if (!t->step)
		return true;
	return get_varint(dec, &t->phase) && t->phase < t->step &&
	       t->step >> ZSR_TICK_SHIFT && t->step < ZSR_TICK_STEP_MAX;
}

int zsr_chunk_decoder_start(struct zsr_chunk_decoder *dec, const void *blob,
			    size_t len, const struct zsr_chunk_info *info,
			    struct zsr_err *err)
{
	uint64_t n, nr_mallocs, nr_frees, t, obj;
	uint8_t format, col;
	unsigned i;

	dec->p = blob;
	dec->end = dec->p + len;
	dec->used = 0;
	if (!get_byte(dec, &format) || format != ZSR_CHUNK_FORMAT)
		return zsr_err_input(err, "unknown layout");
	if (!get_varint(dec, &n) || !get_varint(dec, &nr_mallocs) ||
	    !get_varint(dec, &nr_frees) || !get_varint(dec, &t) ||
	    !get_varint(dec, &obj) || !get_ticks(dec) ||
	    !get_byte(dec, &dec->mode))
		return zsr_err_input(err, "it ends in its head");
	if (!n || n > ZSR_CHUNK_MAX || nr_mallocs > n ||
	    nr_frees > n - nr_mallocs || n != info->nr ||
	    nr_mallocs != info->nr_mallocs || nr_frees != info->nr_frees ||
	    t != info->t_min || obj != info->first_obj ||
	    dec->mode > ZSR_FREE_BACK || info->t_max < t ||
	    info->t_max > INT64_MAX || obj > INT64_MAX)
		return zsr_err_input(err, "its head is not that of its row");
	dec->nr = (uint32_t)n;
	dec->nr_mallocs = (uint32_t)nr_mallocs;
	dec->nr_frees = (uint32_t)nr_frees;
	dec->t = dec->t_min = t;
	dec->tick = ZSR_TICK_START;
	dec->rest = 0;
	dec->t_max = info->t_max;
	dec->next_obj = obj;
	memset(dec->past, 0, sizeof(dec->past));
	for (i = 0; i < ZSR_CPU_PASTS; i++)
		dec->past[i].freed = obj - 1;
	dec->pos = dec->malloc_pos = dec->free_pos = 0;
	if (!get_column(dec, ZSR_COL_FREE_OBJ, nr_frees))
		return zsr_err_input(err, "column %u is damaged",
				     ZSR_COL_FREE_OBJ);
	for (col = 0; col < ZSR_COL_FREE_OBJ; col++)
		if (!get_column(dec, col, column_values(dec, col)))
			return zsr_err_input(err, "column %u is damaged", col);
	if (dec->p != dec->end)
		return zsr_err_input(err, "it goes on after its last column");
	if (!dec->nr_tasks || !dec->nr_pools)
		return zsr_err_input(err, "its trace has no task or pool");
	if (!zsr_chunk_rows_start(dec))
		return zsr_err_input(err, "a value is out of range");
	return 0;
}

/* ---- reading ---------------------------------------------------------- */

int zsr_chunk_decoder_read(struct zsr_chunk_decoder *dec,
			   struct zsr_live *objects, struct zsr_event *ev,
			   uint64_t *births, size_t max, struct zsr_err *err)
{
	size_t done = 0, n;
	int ret;

	while (done < max && dec->pos < dec->nr) {
		n = zsr_min(max - done, (size_t)(dec->nr - dec->pos));
		n = zsr_min(n, (size_t)ZSR_ROWS_BATCH);
		ret = zsr_chunk_rows(dec, objects, ev + done,
				     births ? births + done : NULL, n, err);
		if (ret)
			return ret;
		done += n;
	}
	if (dec->pos == dec->nr &&
	    (dec->t != dec->t_max || dec->malloc_pos != dec->nr_mallocs ||
	     dec->free_pos != dec->nr_frees))
		return zsr_err_input(err, "its content is not that of its row");
	return (int)done;
}
