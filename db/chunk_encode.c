// SPDX-License-Identifier: GPL-2.0-only
/* Events to a chunk's blob. */
#include <stdlib.h>
#include <string.h>

#include "db/chunk_encoder.h"
#include "db/tally.h"

#define LEVEL        1 /* planes are noise or zeros: higher levels win nothing */
#define TILE         512 /* events whose columns are made while they are in the cache */
#define MAX_SEARCHES 2

struct zsr_chunk_encoder *zsr_chunk_encoder_new(void)
{
	const unsigned nr = ZSR_NR_COLUMNS + 2;
	struct zsr_chunk_encoder *enc = calloc(1, sizeof(*enc));
	unsigned i;

	if (!enc)
		return NULL;
	enc->zstd = ZSTD_createCCtx();
	/* With one more, as what is left out is written too. */
	enc->column[0] =
		malloc((size_t)nr * (ZSR_CHUNK_MAX + 1) * sizeof(uint64_t));
	for (i = 1; i < nr; i++)
		enc->column[i] = enc->column[i - 1] + ZSR_CHUNK_MAX + 1;
	enc->plane = malloc(ZSR_CHUNK_MAX);
	/* Every column of every event at its widest, with its head. */
	enc->cap = ZSR_NR_COLUMNS * (8 * (ZSR_CHUNK_MAX + 16) + 4096) +
		   ZSTD_compressBound(ZSR_CHUNK_MAX) +
		   8 * ZSR_CHUNK_MAX; /* one of them told twice */
	enc->out = malloc(enc->cap);
	if (!enc->zstd || !enc->column[0] || !enc->plane || !enc->out) {
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
	free(enc->column[0]);
	free(enc->plane);
	free(enc->out);
	free(enc);
}

/* ---- columns of a tile --------------------------------------------------- */

/* A value of each event. */
#define EACH(col, expr)                                                        \
	do {                                                                   \
		uint64_t *v = enc->column[col] + enc->nr[col];                 \
		for (i = 0; i < n; i++)                                        \
			v[i] = (expr);                                         \
		enc->nr[col] += n;                                             \
	} while (0)

/* A value of each event, those of mallocs apart. */
#define SPLIT(malloc_col, other_col, expr)                                     \
	do {                                                                   \
		uint64_t *a = enc->column[malloc_col] + enc->nr[malloc_col];   \
		uint64_t *b = enc->column[other_col] + enc->nr[other_col];     \
		size_t m = 0;                                                  \
		for (i = 0; i < n; i++) {                                      \
			uint64_t value = (expr);                               \
			bool is_malloc = ev[i].kind == ZSR_EV_MALLOC;          \
			a[m] = value;                                          \
			b[i - m] = value;                                      \
			m += is_malloc;                                        \
		}                                                              \
		enc->nr[malloc_col] += m;                                      \
		enc->nr[other_col] += n - m;                                   \
	} while (0)

/* Kinds and tasks against those before on the same cpu. */
static void gather_by_cpu(struct zsr_chunk_encoder *enc,
			  const struct zsr_event *ev, size_t n)
{
	uint64_t *kind = enc->column[ZSR_COL_KIND] + enc->nr[ZSR_COL_KIND];
	uint64_t *task = enc->column[ZSR_COL_TASK] + enc->nr[ZSR_COL_TASK];
	size_t i;

	for (i = 0; i < n; i++) {
		struct zsr_cpu_past *p = &enc->past[ev[i].cpu % ZSR_CPU_PASTS];

		kind[i] = ev[i].kind == p->kind ? 0 : 1 + (uint64_t)ev[i].kind;
		task[i] = ev[i].task == p->task ? 0 : 1 + (uint64_t)ev[i].task;
		p->kind = ev[i].kind;
		p->task = ev[i].task;
	}
	enc->nr[ZSR_COL_KIND] += n;
	enc->nr[ZSR_COL_TASK] += n;
}

/*
 * Which object each free means: 0 none, else 1 + the step from the object
 * freed before it on its cpu (0 for frees in order of allocation), or 1 + the
 * distance back from the newest object.
 */
static void gather_frees(struct zsr_chunk_encoder *enc,
			 const struct zsr_event *ev, size_t n)
{
	uint64_t *steps = enc->column[ZSR_COL_FREE_OBJ];
	uint64_t *backs = enc->column[ZSR_COL_FREE_BACK], step, back;
	size_t i, m = enc->nr[ZSR_COL_FREE_OBJ];

	for (i = 0; i < n; i++) {
		struct zsr_cpu_past *p = &enc->past[ev[i].cpu % ZSR_CPU_PASTS];

		enc->newest += ev[i].kind == ZSR_EV_MALLOC;
		if (ev[i].kind != ZSR_EV_FREE)
			continue;
		if (ev[i].obj == ZSR_OBJ_NONE) {
			steps[m] = backs[m] = 0;
			m++;
			continue;
		}
		step = zsr_zigzag((int64_t)(ev[i].obj - p->freed - 1));
		back = enc->newest - ev[i].obj;
		p->freed = ev[i].obj;
		enc->sum_step += zsr_column_bits(step);
		enc->sum_back += zsr_column_bits(back);
		steps[m] = 1 + step;
		backs[m] = 1 + back;
		m++;
	}
	enc->nr[ZSR_COL_FREE_OBJ] = enc->nr[ZSR_COL_FREE_BACK] = m;
}

/* Fields that hardly ever vary, as bits of columns. */
static unsigned seldom_varying(const struct zsr_event *ev, size_t n)
{
	unsigned pool = 0, caller = 0, flags = 0, cgroup = 0;
	uint64_t aux = 0, slot = 0;
	size_t i;

	for (i = 1; i < n; i++) {
		pool |= ev[i].pool ^ ev->pool;
		caller |= ev[i].caller ^ ev->caller;
		flags |= ev[i].flags ^ ev->flags;
		cgroup |= (unsigned)(ev[i].cgroup ^ ev->cgroup);
		aux |= ev[i].aux ^ ev->aux;
		slot |= (uint64_t)(ev[i].slot ^ ev->slot);
	}
	return (unsigned)!!pool << ZSR_COL_POOL |
	       (unsigned)!!caller << ZSR_COL_CALLER |
	       (unsigned)!!flags << ZSR_COL_FLAGS |
	       (unsigned)!!cgroup << ZSR_COL_CGROUP |
	       (unsigned)!!aux << ZSR_COL_AUX | (unsigned)!!slot << ZSR_COL_SLOT;
}

static void gather_seldom(struct zsr_chunk_encoder *enc,
			  const struct zsr_event *ev, size_t n, unsigned varying)
{
	size_t i;

	if (varying >> ZSR_COL_POOL & 1)
		EACH(ZSR_COL_POOL, ev[i].pool);
	if (varying >> ZSR_COL_CALLER & 1)
		EACH(ZSR_COL_CALLER, ev[i].caller);
	if (varying >> ZSR_COL_FLAGS & 1)
		EACH(ZSR_COL_FLAGS, ev[i].flags);
	if (varying >> ZSR_COL_CGROUP & 1)
		EACH(ZSR_COL_CGROUP, zsr_zigzag(ev[i].cgroup));
	if (varying >> ZSR_COL_AUX & 1)
		EACH(ZSR_COL_AUX, ev[i].aux);
	if (varying >> ZSR_COL_SLOT & 1)
		EACH(ZSR_COL_SLOT, zsr_zigzag(ev[i].slot));
}

/* All but times. */
static void gather(struct zsr_chunk_encoder *enc, const struct zsr_event *ev,
		   size_t n)
{
	size_t i;

	EACH(ZSR_COL_CPU, ev[i].cpu);
	gather_by_cpu(enc, ev, n);
	SPLIT(ZSR_COL_MALLOC_GFP, ZSR_COL_OTHER_GFP, ev[i].gfp);
	SPLIT(ZSR_COL_MALLOC_SIZE, ZSR_COL_OTHER_SIZE,
	      ev[i].kind == ZSR_EV_FREE && ev[i].obj != ZSR_OBJ_NONE
		      ? 0
		      : ev[i].size);
	gather_frees(enc, ev, n);
}

/* ---- times ----------------------------------------------------------------- */

static void gather_times(struct zsr_chunk_encoder *enc,
			 const struct zsr_event *ev, size_t n)
{
	uint64_t t = enc->t_ns;
	size_t i;

	SPLIT(ZSR_COL_MALLOC_T, ZSR_COL_OTHER_T,
	      ev[i].t_ns - (i ? ev[i - 1].t_ns : t));
	SPLIT(ZSR_COL_MALLOC_DUR, ZSR_COL_OTHER_DUR, ev[i].dur_ns);
	enc->t_ns = ev[n - 1].t_ns;
}

/* The other end of a call in ticks from T, which is tick K; *rest: ns that this
 * is less than its duration. */
static uint64_t dur_ticks(const struct zsr_ticks *ticks, int64_t rel,
			  uint64_t k, const struct zsr_event *ev, int64_t *rest)
{
	int64_t dur = (int64_t)ev->dur_ns;
	uint64_t end, ns;

	*rest = dur;
	if (!dur || ev->dur_ns > ZSR_TICK_START)
		return 0;
	if (ev->kind == ZSR_EV_MALLOC) {
		end = zsr_ticks_of(ticks, rel - dur);
		ns = zsr_ticks_ns(ticks, k) - zsr_ticks_ns(ticks, end);
	} else {
		end = zsr_ticks_of(ticks, rel + dur);
		ns = zsr_ticks_ns(ticks, end) - zsr_ticks_ns(ticks, k);
	}
	*rest = dur - (int64_t)ns;
	return ev->kind == ZSR_EV_MALLOC ? k - end : end - k;
}

static bool rest_fits(int64_t rest)
{
	return rest >= -(int64_t)ZSR_TICK_REST_MAX && rest <= ZSR_TICK_REST_MAX;
}

/*
 * Times and durations in ticks; false when too many differ. What the times are
 * off moves slowly, as clocks are steered, so that it is followed.
 */
static bool gather_ticks(struct zsr_chunk_encoder *enc,
			 const struct zsr_event *ev, size_t n,
			 const struct zsr_ticks *ticks)
{
	uint64_t **c = enc->column, k, before = ZSR_TICK_START, d;
	int64_t off = 0, was = 0, rest, rel;
	size_t i, m = 0, nr_off = 0;

	for (i = 0; i < n; i++) {
		unsigned own = ev[i].kind == ZSR_EV_MALLOC
				       ? 0
				       : ZSR_COL_OTHER_T - ZSR_COL_MALLOC_T;
		size_t at = own ? i - m : m;

		rel = (int64_t)(ev[i].t_ns - ev->t_ns) - off;
		k = zsr_ticks_of(ticks, rel);
		off += rel - (int64_t)zsr_ticks_ns(ticks, k);
		d = dur_ticks(ticks, rel, k, &ev[i], &rest);
		if (k < before || !rest_fits(off) || !rest_fits(rest))
			return false;
		c[ZSR_COL_T_REST][i] = zsr_zigzag(off - was);
		c[ZSR_COL_MALLOC_T + own][at] = k - before;
		c[ZSR_COL_MALLOC_DUR + own][at] = d;
		c[ZSR_COL_MALLOC_DUR_REST + own][at] = zsr_zigzag(rest);
		nr_off += (off != was) + (rest != 0);
		before = k;
		was = off;
		m += !own;
	}
	enc->nr[ZSR_COL_T_REST] = n;
	enc->nr[ZSR_COL_MALLOC_T] = enc->nr[ZSR_COL_MALLOC_DUR] =
		enc->nr[ZSR_COL_MALLOC_DUR_REST] = m;
	enc->nr[ZSR_COL_OTHER_T] = enc->nr[ZSR_COL_OTHER_DUR] =
		enc->nr[ZSR_COL_OTHER_DUR_REST] = n - m;
	return nr_off < n / 2;
}

/* Ticks are looked for until they are not found twice; then most often they are
 * those of the chunk before. */
static void encode_ticks(struct zsr_chunk_encoder *enc,
			 const struct zsr_event *ev, size_t n)
{
	struct zsr_ticks ticks = enc->ticks;

	if (enc->searches < MAX_SEARCHES && zsr_ticks_find(&ticks, ev, n) &&
	    gather_ticks(enc, ev, n, &ticks)) {
		enc->ticks = ticks;
		return;
	}
	enc->ticks.step = 0;
	enc->searches++;
}

/* ---- the blob ---------------------------------------------------------------- */

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

static void start(struct zsr_chunk_encoder *enc, const struct zsr_event *ev,
		  uint64_t first_obj)
{
	unsigned i;

	memset(enc->nr, 0, sizeof(enc->nr));
	memset(enc->past, 0, sizeof(enc->past));
	for (i = 0; i < ZSR_CPU_PASTS; i++)
		enc->past[i].freed = first_obj - 1;
	enc->newest = first_obj - 1;
	enc->t_ns = ev->t_ns;
	enc->sum_step = enc->sum_back = 0;
}

static void put_head(struct zsr_chunk_encoder *enc,
		     const struct zsr_chunk_info *info)
{
	zsr_put_byte(enc, ZSR_CHUNK_FORMAT);
	zsr_put_varint(enc, info->nr);
	zsr_put_varint(enc, info->nr_mallocs);
	zsr_put_varint(enc, info->nr_frees);
	zsr_put_varint(enc, info->t_min);
	zsr_put_varint(enc, info->first_obj);
	zsr_put_varint(enc, enc->ticks.step);
	if (enc->ticks.step)
		zsr_put_varint(enc, enc->ticks.phase);
}

/* Those that do not vary have no numbers but the first event's. */
static uint64_t seldom_value(unsigned col, const struct zsr_event *ev)
{
	switch (col) {
	case ZSR_COL_POOL:
		return ev->pool;
	case ZSR_COL_CALLER:
		return ev->caller;
	case ZSR_COL_FLAGS:
		return ev->flags;
	case ZSR_COL_CGROUP:
		return zsr_zigzag(ev->cgroup);
	case ZSR_COL_AUX:
		return ev->aux;
	case ZSR_COL_SLOT:
		return zsr_zigzag(ev->slot);
	default:
		return 0;
	}
}

static int put_columns(struct zsr_chunk_encoder *enc,
		       const struct zsr_event *ev, struct zsr_err *err)
{
	bool step = enc->sum_step <= enc->sum_back;
	size_t start = enc->len;
	unsigned col;
	int ret;

	zsr_put_byte(enc, step ? ZSR_FREE_STEP : ZSR_FREE_BACK);
	ret = zsr_put_column(enc, step ? ZSR_COL_FREE_OBJ : ZSR_COL_FREE_BACK,
			     err);
	enc->bytes[ZSR_COL_FREE_OBJ] = enc->len - start;
	for (col = 0; col < ZSR_COL_FREE_OBJ && !ret; col++) {
		start = enc->len;
		if (enc->nr[col])
			ret = zsr_put_column(enc, col, err);
		else
			zsr_put_const(enc, seldom_value(col, ev));
		enc->bytes[col] = enc->len - start;
	}
	return ret;
}

int zsr_chunk_blob(struct zsr_chunk_encoder *enc,
		   const struct zsr_chunk_info *info,
		   const struct zsr_event *ev, struct zsr_err *err)
{
	enc->len = 0;
	put_head(enc, info);
	return put_columns(enc, ev, err);
}

void zsr_chunk_columns(struct zsr_chunk_encoder *enc, const struct zsr_event *ev,
		       size_t n, uint64_t first_obj, struct zsr_chunk_info *info)
{
	unsigned varying = seldom_varying(ev, n);
	size_t i, some;

	*info = (struct zsr_chunk_info){ .first_obj = first_obj };
	start(enc, ev, first_obj);
	encode_ticks(enc, ev, n);
	if (!enc->ticks.step)
		start(enc, ev, first_obj);
	for (i = 0; i < n; i += some) {
		some = zsr_min(n - i, (size_t)TILE);
		zsr_chunk_describe(info, ev + i, some);
		gather(enc, ev + i, some);
		gather_seldom(enc, ev + i, some, varying);
		if (!enc->ticks.step)
			gather_times(enc, ev + i, some);
	}
}

int zsr_chunk_encode(struct zsr_chunk_encoder *enc, const struct zsr_event *ev,
		     size_t n, uint64_t first_obj, struct zsr_chunk_info *info,
		     const void **blob, size_t *len, struct zsr_err *err)
{
	int ret;

	zsr_chunk_columns(enc, ev, n, first_obj, info);
	ret = zsr_chunk_blob(enc, info, ev, err);
	*blob = enc->out;
	*len = enc->len;
	return ret;
}
