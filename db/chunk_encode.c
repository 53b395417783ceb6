// SPDX-License-Identifier: GPL-2.0-only
/* Events to a chunk's blob. */
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "db/chunk.h"
#include "db/columns.h"
#include "db/tally.h"

#define LEVEL      1 /* planes are noise or zeros: higher levels win nothing */
#define DICT_SLOTS 1024 /* a power of two, well above ZSR_DICT_MAX */

struct zsr_chunk_encoder {
	ZSTD_CCtx *zstd;
	uint64_t *column; /* ZSR_CHUNK_MAX values */
	uint8_t *plane; /* ZSR_CHUNK_MAX bytes */
	uint8_t *out;
	size_t len;
	size_t cap;
};

struct zsr_chunk_encoder *zsr_chunk_encoder_new(void)
{
	struct zsr_chunk_encoder *enc = calloc(1, sizeof(*enc));

	if (!enc)
		return NULL;
	enc->zstd = ZSTD_createCCtx();
	enc->column = malloc(ZSR_CHUNK_MAX * sizeof(*enc->column));
	enc->plane = malloc(ZSR_CHUNK_MAX);
	/* Every column of every event at its widest, with its head. */
	enc->cap = ZSR_NR_COLUMNS * (8 * (ZSR_CHUNK_MAX + 16) + 4096) +
		   ZSTD_compressBound(ZSR_CHUNK_MAX);
	enc->out = malloc(enc->cap);
	if (!enc->zstd || !enc->column || !enc->plane || !enc->out) {
		zsr_chunk_encoder_free(enc);
		return NULL;
	}
	ZSTD_CCtx_setParameter(enc->zstd, ZSTD_c_compressionLevel, LEVEL);
	/* What repeats in a plane repeats at length: a few long matches. */
	ZSTD_CCtx_setParameter(enc->zstd, ZSTD_c_hashLog, 6);
	ZSTD_CCtx_setParameter(enc->zstd, ZSTD_c_minMatch, 7);
	ZSTD_CCtx_setParameter(enc->zstd, ZSTD_c_contentSizeFlag, 0);
	return enc;
}

void zsr_chunk_encoder_free(struct zsr_chunk_encoder *enc)
{
	if (!enc)
		return;
	ZSTD_freeCCtx(enc->zstd);
	free(enc->column);
	free(enc->plane);
	free(enc->out);
	free(enc);
}

static void put_byte(struct zsr_chunk_encoder *enc, uint8_t b)
{
	enc->out[enc->len++] = b;
}

static void put_varint(struct zsr_chunk_encoder *enc, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		put_byte(enc, (uint8_t)(v | 0x80));
	put_byte(enc, (uint8_t)v);
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
	if (ret >= n - n / 10) {
		put_varint(enc, n);
		memcpy(enc->out + enc->len, enc->plane, n);
		enc->len += n;
		return 0;
	}
	put_varint(enc, ret);
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
			put_byte(enc, 0);
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

/* One column of n values in enc->column, which it changes. */
static int put_column(struct zsr_chunk_encoder *enc, size_t n,
		      struct zsr_err *err)
{
	uint64_t *v = enc->column, dict[ZSR_DICT_MAX];
	uint64_t min = n ? v[0] : 0, max = min, scale = 0;
	unsigned width, nr, limit;
	size_t i;

	for (i = 1; i < n; i++) {
		min = zsr_min(min, v[i]);
		max = zsr_max(max, v[i]);
	}
	if (min == max) {
		put_byte(enc, ZSR_COLUMN_CONST);
		put_varint(enc, min);
		return 0;
	}
	for (i = 0; i < n; i++) {
		v[i] -= min;
		if (scale != 1)
			scale = gcd(v[i], scale);
	}
	if (scale > 1)
		for (i = 0; i < n; i++)
			v[i] /= scale;
	width = zsr_column_width((max - min) / scale);
	limit = (unsigned)zsr_min(n / 32, (size_t)ZSR_DICT_MAX);
	nr = width > 1 ? find_dict(enc, v, n, limit, dict) : 0;
	put_byte(enc, nr ? ZSR_COLUMN_DICT : (uint8_t)width);
	put_varint(enc, min);
	put_varint(enc, scale);
	if (!nr)
		return put_planes(enc, v, n, width, err);
	put_varint(enc, nr);
	for (i = 0; i < nr; i++)
		put_varint(enc, dict[i]);
	return put_plane(enc, n, err);
}

#define GATHER(cond, expr)                                                     \
	do {                                                                   \
		for (i = 0, m = 0; i < n; i++)                                 \
			if (cond)                                              \
				enc->column[m++] = (expr);                     \
	} while (0)

/* Kinds or tasks against those before on the same cpu. */
static size_t gather_by_cpu(struct zsr_chunk_encoder *enc, unsigned col,
			    const struct zsr_event *ev, size_t n)
{
	uint32_t past[ZSR_CPU_PASTS] = { 0 }, value;
	size_t i;

	for (i = 0; i < n; i++) {
		uint32_t *p = &past[ev[i].cpu % ZSR_CPU_PASTS];

		value = col == ZSR_COL_KIND ? ev[i].kind : ev[i].task;
		enc->column[i] = value == *p ? 0 : 1 + (uint64_t)value;
		*p = value;
	}
	return n;
}

/* The values of column COL into enc->column; their number. */
static size_t gather(struct zsr_chunk_encoder *enc, unsigned col,
		     const struct zsr_event *ev, size_t n)
{
	uint64_t before = ev[0].t_ns;
	size_t i, m = 0;

	switch (col) {
	case ZSR_COL_KIND:
	case ZSR_COL_TASK:
		return gather_by_cpu(enc, col, ev, n);
	case ZSR_COL_T:
		for (i = 0; i < n; i++) {
			enc->column[i] = ev[i].t_ns - before;
			before = ev[i].t_ns;
		}
		m = n;
		break;
	case ZSR_COL_CPU:
		GATHER(true, ev[i].cpu);
		break;
	case ZSR_COL_POOL:
		GATHER(true, ev[i].pool);
		break;
	case ZSR_COL_CALLER:
		GATHER(true, ev[i].caller);
		break;
	case ZSR_COL_FLAGS:
		GATHER(true, ev[i].flags);
		break;
	case ZSR_COL_CGROUP:
		GATHER(true, zsr_zigzag(ev[i].cgroup));
		break;
	case ZSR_COL_AUX:
		GATHER(true, ev[i].aux);
		break;
	case ZSR_COL_SLOT:
		GATHER(true, zsr_zigzag(ev[i].slot));
		break;
	case ZSR_COL_MALLOC_DUR:
		GATHER(ev[i].kind == ZSR_EV_MALLOC, ev[i].dur_ns);
		break;
	case ZSR_COL_MALLOC_GFP:
		GATHER(ev[i].kind == ZSR_EV_MALLOC, ev[i].gfp);
		break;
	case ZSR_COL_MALLOC_SIZE:
		GATHER(ev[i].kind == ZSR_EV_MALLOC, ev[i].size);
		break;
	case ZSR_COL_OTHER_DUR:
		GATHER(ev[i].kind != ZSR_EV_MALLOC, ev[i].dur_ns);
		break;
	case ZSR_COL_OTHER_GFP:
		GATHER(ev[i].kind != ZSR_EV_MALLOC, ev[i].gfp);
		break;
	case ZSR_COL_OTHER_SIZE:
		GATHER(ev[i].kind != ZSR_EV_MALLOC,
		       ev[i].obj == ZSR_OBJ_NONE ? ev[i].size : 0);
		break;
	}
	return m;
}

/*
 * Which object each free means: 0 none, else 1 + the step from the object
 * freed before it on its cpu (0 for frees in order of allocation), or 1 + the
 * distance back from the newest object, whichever is smaller in sum.
 */
static size_t gather_frees(struct zsr_chunk_encoder *enc,
			   const struct zsr_event *ev, size_t n,
			   uint64_t first_obj, uint8_t *mode)
{
	uint64_t past[ZSR_CPU_PASTS], newest, step, back;
	uint64_t sum_step = 0, sum_back = 0;
	size_t i, m;
	unsigned pass;

	for (pass = 0; pass < 2; pass++) {
		newest = first_obj - 1;
		for (i = 0; i < ZSR_CPU_PASTS; i++)
			past[i] = newest;
		for (i = 0, m = 0; i < n; i++) {
			uint64_t *p = &past[ev[i].cpu % ZSR_CPU_PASTS];

			if (ev[i].kind == ZSR_EV_MALLOC)
				newest++;
			if (ev[i].kind != ZSR_EV_FREE)
				continue;
			if (ev[i].obj == ZSR_OBJ_NONE) {
				enc->column[m++] = 0;
				continue;
			}
			step = zsr_zigzag((int64_t)(ev[i].obj - *p - 1));
			back = newest - ev[i].obj;
			*p = ev[i].obj;
			sum_step += zsr_column_bits(step);
			sum_back += zsr_column_bits(back);
			enc->column[m++] = 1 + (*mode == ZSR_FREE_STEP ? step
								       : back);
		}
		*mode = sum_step <= sum_back ? ZSR_FREE_STEP : ZSR_FREE_BACK;
	}
	return m;
}

void zsr_chunk_describe(struct zsr_chunk_info *info, const struct zsr_event *ev,
			size_t n)
{
	size_t i;

	if (!n)
		return;
	if (!info->nr) {
		info->t_min = ev->t_ns;
		info->task_min = ev->task;
	}
	info->nr += (uint32_t)n;
	info->t_max = ev[n - 1].t_ns;
	for (i = 0; i < n; i++) {
		info->cpus |= zsr_chunk_cpu_bit(ev[i].cpu);
		info->kinds |= 1u << ev[i].kind;
		info->nr_mallocs += ev[i].kind == ZSR_EV_MALLOC;
		info->nr_frees += ev[i].kind == ZSR_EV_FREE;
		info->task_min = zsr_min(info->task_min, ev[i].task);
		info->task_max = zsr_max(info->task_max, ev[i].task);
	}
}

int zsr_chunk_encode(struct zsr_chunk_encoder *enc, const struct zsr_event *ev,
		     size_t n, uint64_t first_obj, struct zsr_chunk_info *info,
		     const void **blob, size_t *len, struct zsr_err *err)
{
	uint8_t mode = ZSR_FREE_STEP;
	unsigned col;
	size_t m;
	int ret;

	*info = (struct zsr_chunk_info){ .first_obj = first_obj };
	zsr_chunk_describe(info, ev, n);
	enc->len = 0;
	put_byte(enc, ZSR_CHUNK_FORMAT);
	put_varint(enc, n);
	put_varint(enc, info->nr_mallocs);
	put_varint(enc, info->nr_frees);
	put_varint(enc, info->t_min);
	put_varint(enc, first_obj);
	m = gather_frees(enc, ev, n, first_obj, &mode);
	put_byte(enc, mode);
	ret = put_column(enc, m, err);
	for (col = 0; col < ZSR_COL_FREE_OBJ && !ret; col++)
		ret = put_column(enc, gather(enc, col, ev, n), err);
	*blob = enc->out;
	*len = enc->len;
	return ret;
}
