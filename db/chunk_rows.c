// SPDX-License-Identifier: GPL-2.0-only
/*
 * Columns to rows, a batch at a time: columns into small arrays first, then
 * each event in one go, without a branch, as kinds come in no order that a CPU
 * could guess; objects last. What does not fit its field is noticed here.
 */
#include <endian.h>
#include <string.h>

#include "db/chunk_decoder.h"

#define BATCH ZSR_ROWS_BATCH

/* ---- columns -------------------------------------------------------------- */

#define EIGHT(x) x, x, x, x, x, x, x, x
#define ABOVE(x)                                                               \
	8ull << (x), 9ull << (x), 10ull << (x), 11ull << (x), 12ull << (x),    \
		13ull << (x), 14ull << (x), 15ull << (x)
#define LENGTHS(X)                                                             \
	X(1), X(2), X(3), X(4), X(5), X(6), X(7), X(8), X(9), X(10), X(11),    \
		X(12), X(13), X(14), X(15), X(16), X(17), X(18), X(19), X(20), \
		X(21), X(22), X(23), X(24), X(25), X(26), X(27), X(28), X(29), \
		X(30)

/* What zsr_token_bits() and zsr_token_base() say, for the time it takes. */
static const uint8_t token_bits[256] = { EIGHT(0), EIGHT(0), LENGTHS(EIGHT) };
static const uint64_t token_base[256] = {
	0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, LENGTHS(ABOVE)
};

/* Lower bits behind tokens of which all that are there can be loaded at once. */
static void read_bits_fast(struct zsr_column *c, const uint8_t *token, size_t n,
			   uint64_t *out)
{
	uint64_t at = c->at, word;
	unsigned bits;
	size_t i;

	for (i = 0; i < n; i++) {
		bits = token_bits[token[i]];
		memcpy(&word, c->bits + at / 8, sizeof(word));
		word = le64toh(word) >> at % 8;
		out[i] = token_base[token[i]] + (word & ((1ull << bits) - 1));
		at += bits;
	}
	c->at = at;
}

/* Likewise at the end of them; what is missing is 0. */
static void read_bits_last(struct zsr_column *c, const uint8_t *token, size_t n,
			   uint64_t *out)
{
	unsigned bits, k;
	uint64_t word;
	size_t i, byte;

	for (i = 0; i < n; i++) {
		bits = zsr_token_bits(token[i]);
		byte = c->at / 8;
		word = 0;
		for (k = 0; k < 8 && byte + k < c->nr_bytes; k++)
			word |= (uint64_t)c->bits[byte + k] << (8 * k);
		word >>= c->at % 8;
		out[i] = zsr_token_base(token[i]) +
			 (word & ((1ull << bits) - 1));
		c->at += bits;
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

void zsr_column_read(struct zsr_column *c, size_t from, size_t n, uint64_t *out)
{
	const uint8_t *a, *b, *d;
	unsigned k;
	size_t i;

	if (!c->width) {
		for (i = 0; i < n; i++)
			out[i] = c->base;
		return;
	}
	a = c->plane[0] + from;
	if (c->bits) {
		read_bits(c, from, n, out);
	} else if (c->dict) {
		for (i = 0; i < n; i++)
			out[i] = c->dict[a[i]];
	} else if (c->width == 1) {
		for (i = 0; i < n; i++)
			out[i] = a[i];
	} else {
		b = c->plane[1] + from;
		for (i = 0; i < n; i++)
			out[i] = a[i] | (uint32_t)b[i] << 8;
		for (k = 2; k < c->width; k++) {
			if (c->plane[k] == zsr_zero_plane)
				continue;
			d = c->plane[k] + from;
			for (i = 0; i < n; i++)
				out[i] |= (uint64_t)d[i] << (8 * k);
		}
	}
	if (c->scale != 1 || c->base != 0)
		for (i = 0; i < n; i++)
			out[i] = out[i] * c->scale + c->base;
}

/*
 * Likewise, of values that must not exceed LIMIT; false when one does. Those of
 * one or two planes of plain numbers, most by far, go without 64-bit steps.
 */
static bool read_u32(struct zsr_column *c, size_t from, size_t n,
		     uint32_t limit, uint32_t *out)
{
	uint64_t wide[BATCH];
	const uint8_t *a, *b;
	bool ok = true;
	size_t i;

	if (c->width > 2 || c->dict || c->bits || c->scale != 1 ||
	    c->max > UINT32_MAX) {
		zsr_column_read(c, from, n, wide);
		for (i = 0; i < n; i++) {
			ok &= wide[i] <= limit;
			out[i] = (uint32_t)wide[i];
		}
		return ok;
	}
	a = c->plane[0] + from;
	if (c->width == 2) {
		b = c->plane[1] + from;
		for (i = 0; i < n; i++)
			out[i] = (uint32_t)c->base +
				 (a[i] | (uint32_t)b[i] << 8);
	} else if (c->width == 1) {
		for (i = 0; i < n; i++)
			out[i] = (uint32_t)c->base + a[i];
	} else {
		for (i = 0; i < n; i++)
			out[i] = (uint32_t)c->base;
	}
	for (i = 0; c->max > limit && i < n; i++)
		ok &= out[i] <= limit;
	return ok;
}

/* All of them are 0: of guesses, that they were right. */
static bool all_zero(const struct zsr_column *c, size_t from, size_t n)
{
	if (!c->width)
		return !c->base;
	return c->width == 1 && !c->base && !c->dict && !c->bits &&
	       !memcmp(c->plane[0] + from, zsr_zero_plane, n);
}

/* ---- a batch ---------------------------------------------------------------- */

struct batch {
	uint32_t cpu[BATCH];
	uint32_t kind[BATCH];
	uint32_t task[BATCH];
	/* Mallocs' first, then all others'. */
	uint64_t step[BATCH];
	uint64_t dur[BATCH];
	uint32_t gfp[BATCH];
	uint32_t size[BATCH];
	uint64_t free_obj[BATCH];
	/* Of each free: its place, and how many mallocs are in front. */
	struct {
		uint16_t at;
		uint16_t born;
	} free[BATCH];
	size_t nr;
	size_t nr_mallocs;
	size_t nr_frees;
};

/* Kinds and tasks from what was last on the event's cpu. */
static void apply_past(struct zsr_chunk_decoder *dec, struct batch *b)
{
	size_t i;

	for (i = 0; i < b->nr; i++) {
		struct zsr_cpu_past *p = &dec->past[b->cpu[i] % ZSR_CPU_PASTS];

		if (b->kind[i])
			p->kind = (uint8_t)(b->kind[i] - 1);
		if (b->task[i])
			p->task = b->task[i] - 1;
		b->kind[i] = p->kind;
		b->task[i] = p->task;
	}
}

/* Likewise where all is as it was. */
static void repeat_past(struct zsr_chunk_decoder *dec, struct batch *b)
{
	size_t i;

	for (i = 0; i < b->nr; i++) {
		const struct zsr_cpu_past *p =
			&dec->past[b->cpu[i] % ZSR_CPU_PASTS];

		b->kind[i] = p->kind;
		b->task[i] = p->task;
	}
}

/* Tasks that nobody wants are not looked at and stay 0. */
static bool read_who(struct zsr_chunk_decoder *dec, struct batch *b)
{
	struct zsr_column *kind = &dec->col[ZSR_COL_KIND];
	struct zsr_column *task = &dec->col[ZSR_COL_TASK];
	bool tasks = dec->want & ZSR_WANT_TASK &&
		     !all_zero(task, dec->pos, b->nr);
	size_t i;

	if (!read_u32(&dec->col[ZSR_COL_CPU], dec->pos, b->nr, UINT16_MAX,
		      b->cpu))
		return false;
	if (!tasks && all_zero(kind, dec->pos, b->nr)) {
		repeat_past(dec, b);
	} else {
		memset(b->task, 0, sizeof(b->task));
		if (!read_u32(kind, dec->pos, b->nr, ZSR_EV_NR, b->kind) ||
		    (tasks &&
		     !read_u32(task, dec->pos, b->nr, dec->nr_tasks, b->task)))
			return false;
		apply_past(dec, b);
	}
	b->nr_mallocs = b->nr_frees = 0;
	for (i = 0; i < b->nr; i++) {
		b->nr_mallocs += b->kind[i] == ZSR_EV_MALLOC;
		b->nr_frees += b->kind[i] == ZSR_EV_FREE;
	}
	return true;
}

/* The columns that mallocs have of their own. */
static bool read_own(struct zsr_chunk_decoder *dec, struct batch *b)
{
	struct zsr_column *c = dec->col;
	size_t nm = b->nr_mallocs, no = b->nr - nm;
	size_t from = dec->malloc_pos, other = dec->pos - dec->malloc_pos;
	bool ok = true;

	if (nm > dec->nr_mallocs - from ||
	    b->nr_frees > dec->nr_frees - dec->free_pos ||
	    no > dec->nr - dec->nr_mallocs - other)
		return false;
	zsr_column_read(&c[ZSR_COL_MALLOC_T], from, nm, b->step);
	zsr_column_read(&c[ZSR_COL_OTHER_T], other, no, b->step + nm);
	if (dec->want & ZSR_WANT_DUR) {
		zsr_column_read(&c[ZSR_COL_MALLOC_DUR], from, nm, b->dur);
		zsr_column_read(&c[ZSR_COL_OTHER_DUR], other, no, b->dur + nm);
	} else {
		memset(b->dur, 0, sizeof(b->dur));
	}
	if (dec->want & ZSR_WANT_GFP)
		ok &= read_u32(&c[ZSR_COL_MALLOC_GFP], from, nm, UINT32_MAX,
			       b->gfp) &
		      read_u32(&c[ZSR_COL_OTHER_GFP], other, no, UINT32_MAX,
			       b->gfp + nm);
	else
		memset(b->gfp, 0, sizeof(b->gfp));
	if (dec->want & ZSR_WANT_SIZE)
		ok &= read_u32(&c[ZSR_COL_MALLOC_SIZE], from, nm, UINT32_MAX,
			       b->size) &
		      read_u32(&c[ZSR_COL_OTHER_SIZE], other, no, UINT32_MAX,
			       b->size + nm);
	else
		memset(b->size, 0, sizeof(b->size));
	if (dec->want & ZSR_WANT_FREED)
		zsr_column_read(&c[ZSR_COL_FREE_OBJ], dec->free_pos,
				b->nr_frees, b->free_obj);
	return ok;
}

/* ---- times ---------------------------------------------------------------- */

/* No sum of a batch's steps can overflow before it is seen to be too late. */
static bool check_steps(const struct zsr_chunk_decoder *dec,
			const struct batch *b)
{
	uint64_t left = dec->t_max - dec->t;
	size_t i;

	if (dec->col[ZSR_COL_MALLOC_T].max <= INT64_MAX / BATCH &&
	    dec->col[ZSR_COL_OTHER_T].max <= INT64_MAX / BATCH)
		return true;
	for (i = 0; i < b->nr; i++) {
		if (b->step[i] > left)
			return false;
		left -= b->step[i];
	}
	return true;
}

/* A duration from ticks of a call that TICK belongs to. */
static bool tick_dur(const struct zsr_ticks *t, uint64_t tick, bool is_malloc,
		     uint64_t rest, uint64_t *dur)
{
	uint64_t from = tick, to = tick;

	if (*dur > ZSR_TICK_MAX || (is_malloc && *dur > tick) ||
	    rest > 2 * (uint64_t)ZSR_TICK_REST_MAX)
		return false;
	if (is_malloc)
		from -= *dur;
	else
		to += *dur;
	*dur = zsr_ticks_ns(t, to) - zsr_ticks_ns(t, from) +
	       (uint64_t)zsr_unzigzag(rest);
	return *dur <= INT64_MAX;
}

/* Ticks of a batch to ns, in place. */
static bool apply_ticks(struct zsr_chunk_decoder *dec, struct batch *b)
{
	uint64_t rest[BATCH], dur_rest[BATCH], t = dec->t, now;
	size_t m = 0, i, own, nm = b->nr_mallocs;
	bool ok = true;

	zsr_column_read(&dec->col[ZSR_COL_T_REST], dec->pos, b->nr, rest);
	if (dec->want & ZSR_WANT_DUR) {
		zsr_column_read(&dec->col[ZSR_COL_MALLOC_DUR_REST],
				dec->malloc_pos, nm, dur_rest);
		zsr_column_read(&dec->col[ZSR_COL_OTHER_DUR_REST],
				dec->pos - dec->malloc_pos, b->nr - nm,
				dur_rest + nm);
	}
	for (i = 0; i < b->nr && ok; i++) {
		bool is_malloc = b->kind[i] == ZSR_EV_MALLOC;

		own = is_malloc ? m : nm + i - m;
		m += is_malloc;
		ok = b->step[own] <= ZSR_TICK_MAX &&
		     rest[i] <= 4 * (uint64_t)ZSR_TICK_REST_MAX;
		dec->tick += b->step[own];
		dec->rest += zsr_unzigzag(rest[i]);
		ok = ok && dec->tick <= ZSR_TICK_MAX &&
		     dec->rest <= ZSR_TICK_REST_MAX &&
		     dec->rest >= -(int64_t)ZSR_TICK_REST_MAX;
		now = dec->t_min + zsr_ticks_ns(&dec->ticks, dec->tick) +
		      (uint64_t)dec->rest;
		ok = ok && now >= t && now <= dec->t_max;
		b->step[own] = now - t;
		t = now;
		if (ok && dec->want & ZSR_WANT_DUR)
			ok = tick_dur(&dec->ticks, dec->tick, is_malloc,
				      dur_rest[own], &b->dur[own]);
	}
	return ok;
}

/* ---- rows ----------------------------------------------------------------- */

/* The rows, but for what frees take from their objects. */
static bool make_rows(struct zsr_chunk_decoder *dec, struct batch *b,
		      struct zsr_event *rows)
{
	uint64_t t = dec->t;
	size_t m = 0, other = b->nr_mallocs, f = 0, i, own;

	if (!(dec->ticks.step ? apply_ticks(dec, b) : check_steps(dec, b)))
		return false;
	for (i = 0; i < b->nr; i++) {
		size_t is_malloc = b->kind[i] == ZSR_EV_MALLOC;

		own = is_malloc ? m : other;
		t += b->step[own];
		rows[i] = (struct zsr_event){
			.t_ns = t,
			.dur_ns = b->dur[own],
			.obj = (dec->next_obj + m) | (is_malloc - 1),
			.slot = -1,
			.size = b->size[own],
			.gfp = b->gfp[own],
			.task = b->task[i],
			.cgroup = -1,
			.cpu = (uint16_t)b->cpu[i],
			.kind = (uint8_t)b->kind[i],
		};
		m += is_malloc;
		other += !is_malloc;
		b->free[f].at = (uint16_t)i;
		b->free[f].born = (uint16_t)m;
		f += b->kind[i] == ZSR_EV_FREE;
	}
	dec->t = t;
	return t <= dec->t_max;
}

/* Fields that hardly ever vary. */
#define SELDOM(col_nr, limit, set)                                             \
	do {                                                                   \
		struct zsr_column *c = &dec->col[col_nr];                      \
		if (!c->width && c->base == (usual))                           \
			break;                                                 \
		zsr_column_read(c, from, n, v);                                \
		for (i = 0; i < n; i++) {                                      \
			bad |= v[i] > (limit);                                 \
			set;                                                   \
		}                                                              \
	} while (0)

static bool set_seldom(struct zsr_chunk_decoder *dec, struct zsr_event *ev,
		       size_t from, size_t n)
{
	uint64_t v[BATCH], usual = 0;
	bool bad = false;
	size_t i;

	SELDOM(ZSR_COL_POOL, dec->nr_pools - 1, ev[i].pool = (uint16_t)v[i]);
	SELDOM(ZSR_COL_CALLER, ZSR_CALLER_NR - 1, ev[i].caller = (uint8_t)v[i]);
	SELDOM(ZSR_COL_FLAGS, UINT8_MAX, ev[i].flags = (uint8_t)v[i]);
	SELDOM(ZSR_COL_AUX, UINT64_MAX, ev[i].aux = v[i]);
	usual = zsr_zigzag(-1);
	SELDOM(ZSR_COL_CGROUP, UINT32_MAX,
	       ev[i].cgroup = (int32_t)zsr_unzigzag(v[i]));
	SELDOM(ZSR_COL_SLOT, UINT64_MAX, ev[i].slot = zsr_unzigzag(v[i]));
	return !bad;
}

/* ---- objects -------------------------------------------------------------- */

static int bear(const struct batch *b, struct zsr_live *objects,
		const struct zsr_event *rows, struct zsr_err *err)
{
	uint64_t birth[BATCH];
	size_t m = 0, i;

	for (i = 0; objects->words && m < b->nr_mallocs; i++) {
		birth[m] = rows[i].t_ns;
		m += rows[i].kind == ZSR_EV_MALLOC;
	}
	if (zsr_live_add_many(objects, b->size, birth, b->nr_mallocs))
		return zsr_err_nomem(err, "live objects");
	return 0;
}

/* Which object a free means: false when it cannot be. */
static inline bool free_object(struct zsr_chunk_decoder *dec, uint64_t code,
			       uint64_t next_obj, struct zsr_live *objects,
			       struct zsr_event *ev, uint64_t *birth)
{
	struct zsr_cpu_past *p = &dec->past[ev->cpu % ZSR_CPU_PASTS];

	if (dec->mode == ZSR_FREE_STEP)
		ev->obj = p->freed + (uint64_t)zsr_unzigzag(code - 1) + 1;
	else
		ev->obj = next_obj - code;
	p->freed = ev->obj;
	return ev->obj < next_obj &&
	       (!objects || zsr_live_take(objects, ev->obj, &ev->size, birth));
}

static int bury(struct zsr_chunk_decoder *dec, const struct batch *b,
		struct zsr_live *objects, struct zsr_event *rows,
		uint64_t *births, struct zsr_err *err)
{
	uint64_t birth;
	size_t f, i;

	for (i = 0; births && i < b->nr; i++)
		births[i] = UINT64_MAX;
	for (f = 0; f < b->nr_frees; f++) {
		if (!b->free_obj[f])
			continue;
		i = b->free[f].at;
		if (!free_object(dec, b->free_obj[f],
				 dec->next_obj + b->free[f].born, objects,
				 &rows[i], births ? &births[i] : &birth))
			return zsr_err_input(
				err,
				"event %zu frees an object that is not alive",
				dec->pos + i);
	}
	return 0;
}

int zsr_chunk_rows(struct zsr_chunk_decoder *dec, struct zsr_live *objects,
		   struct zsr_event *rows, uint64_t *births, size_t n,
		   struct zsr_err *err)
{
	struct batch b;
	int ret = 0;

	b.nr = n;
	if (!read_who(dec, &b) || !read_own(dec, &b) ||
	    !make_rows(dec, &b, rows) ||
	    (dec->want & ZSR_WANT_REST && !set_seldom(dec, rows, dec->pos, n)))
		return zsr_err_input(err, "a value is out of range");
	if (objects)
		ret = bear(&b, objects, rows, err);
	if (!ret && dec->want & ZSR_WANT_FREED)
		ret = bury(dec, &b, objects, rows, births, err);
	if (ret)
		return ret;
	dec->pos += (uint32_t)n;
	dec->malloc_pos += (uint32_t)b.nr_mallocs;
	dec->free_pos += (uint32_t)b.nr_frees;
	dec->next_obj += b.nr_mallocs;
	return 0;
}
