// SPDX-License-Identifier: GPL-2.0-only
/*
 * Columns to rows, a batch at a time: columns into small arrays first, then
 * each event in one go, without a branch, as kinds come in no order that a CPU
 * could guess; objects last. What does not fit its field is noticed here.
 */
#include <string.h>

#include "db/chunk_decoder.h"

#define BATCH ZSR_ROWS_BATCH

/* ---- columns -------------------------------------------------------------- */

/* Values [from, from + n) of a column. */
static void read_u64(const struct zsr_column *c, size_t from, size_t n,
		     uint64_t *out)
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
	if (c->dict) {
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
static bool read_u32(const struct zsr_column *c, size_t from, size_t n,
		     uint32_t limit, uint32_t *out)
{
	uint64_t wide[BATCH];
	const uint8_t *a, *b;
	bool ok = true;
	size_t i;

	if (c->width > 2 || c->dict || c->scale != 1 || c->max > UINT32_MAX) {
		read_u64(c, from, n, wide);
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
	return c->width == 1 && !c->base && !c->dict &&
	       !memcmp(c->plane[0] + from, zsr_zero_plane, n);
}

/* ---- a batch ---------------------------------------------------------------- */

struct batch {
	uint32_t cpu[BATCH];
	uint32_t kind[BATCH];
	uint32_t task[BATCH];
	/* Mallocs' first, then all others'. */
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
	const struct zsr_column *kind = &dec->col[ZSR_COL_KIND];
	const struct zsr_column *task = &dec->col[ZSR_COL_TASK];
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
	const struct zsr_column *c = dec->col;
	size_t nm = b->nr_mallocs, no = b->nr - nm;
	size_t from = dec->malloc_pos, other = dec->pos - dec->malloc_pos;
	bool ok = true;

	if (nm > dec->nr_mallocs - from ||
	    b->nr_frees > dec->nr_frees - dec->free_pos ||
	    no > dec->nr - dec->nr_mallocs - other)
		return false;
	if (dec->want & ZSR_WANT_DUR) {
		read_u64(&c[ZSR_COL_MALLOC_DUR], from, nm, b->dur);
		read_u64(&c[ZSR_COL_OTHER_DUR], other, no, b->dur + nm);
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
		read_u64(&c[ZSR_COL_FREE_OBJ], dec->free_pos, b->nr_frees,
			 b->free_obj);
	return ok;
}

/* ---- rows ----------------------------------------------------------------- */

/* No sum of a batch's steps can overflow before it is seen to be too late. */
static bool check_steps(struct zsr_chunk_decoder *dec, const uint64_t *step,
			size_t n)
{
	uint64_t t = dec->t;
	bool ok = true;
	size_t i;

	if (dec->col[ZSR_COL_T].max <= INT64_MAX / BATCH)
		return true;
	/* Times and steps within t_max, which is below 2^63. */
	for (i = 0; ok && i < n; i++) {
		ok = step[i] <= dec->t_max;
		t += step[i];
		ok &= t <= dec->t_max;
	}
	return ok;
}

/* The rows, but for what frees take from their objects. */
static bool make_rows(struct zsr_chunk_decoder *dec, struct batch *b,
		      struct zsr_event *rows)
{
	uint64_t step[BATCH], t = dec->t;
	size_t m = 0, f = 0, i, own;

	read_u64(&dec->col[ZSR_COL_T], dec->pos, b->nr, step);
	if (!check_steps(dec, step, b->nr))
		return false;
	for (i = 0; i < b->nr; i++) {
		size_t is_malloc = b->kind[i] == ZSR_EV_MALLOC;

		t += step[i];
		own = m + !is_malloc * (b->nr_mallocs + i - 2 * m);
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
		const struct zsr_column *c = &dec->col[col_nr];                \
		if (!c->width && c->base == (usual))                           \
			break;                                                 \
		read_u64(c, from, n, v);                                       \
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
