// SPDX-License-Identifier: GPL-2.0-only
/*
 * Columns to rows, a batch at a time: columns into small arrays first, then
 * each event in one go. What does not fit its field is noticed here.
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
 * one or two planes of plain numbers, most by far, go without 64-bit steps, and
 * guesses that were right (zeros) in one.
 */
static bool read_u32(const struct zsr_column *c, size_t from, size_t n,
		     uint32_t limit, uint32_t *out)
{
	uint64_t wide[BATCH];
	const uint8_t *a, *b;
	bool ok = true;
	size_t i;

	if (c->width == 1 && !c->base && !c->dict &&
	    !memcmp(c->plane[0] + from, zsr_zero_plane, n)) {
		memset(out, 0, n * sizeof(*out));
		return true;
	}
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

/* What most events are made of. */
struct batch {
	uint64_t step[BATCH]; /* of time */
	uint32_t cpu[BATCH];
	uint32_t kind[BATCH];
	uint32_t task[BATCH];
	uint32_t malloc_size[BATCH];
	uint32_t malloc_gfp[BATCH];
	uint32_t other_size[BATCH];
	uint32_t other_gfp[BATCH];
	uint64_t malloc_dur[BATCH];
	uint64_t other_dur[BATCH];
	uint64_t free_obj[BATCH];
};

/* Kinds and tasks from what was last on the event's cpu. */
static void apply_past(struct zsr_chunk_decoder *dec, struct batch *b, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		struct zsr_cpu_past *p = &dec->past[b->cpu[i] % ZSR_CPU_PASTS];

		if (b->kind[i])
			p->kind = (uint8_t)(b->kind[i] - 1);
		if (b->task[i])
			p->task = b->task[i] - 1;
		b->kind[i] = p->kind;
		b->task[i] = p->task;
	}
}

/* No sum of a batch's steps can overflow before it is seen to be too late. */
static bool check_steps(struct zsr_chunk_decoder *dec, struct batch *b, size_t n)
{
	const uint64_t small = INT64_MAX / BATCH;
	bool ok = true;
	size_t i;

	for (i = 0; dec->col[ZSR_COL_T].max > small && i < n; i++)
		ok &= b->step[i] <= dec->t_max;
	/* Steps within t_max, which is below 2^63: see where they lead. */
	if (dec->col[ZSR_COL_T].max > small) {
		uint64_t t = dec->t;

		for (i = 0; ok && i < n; i++) {
			t += b->step[i];
			ok = t <= dec->t_max;
		}
	}
	return ok;
}

static bool read_batch(struct zsr_chunk_decoder *dec, struct batch *b, size_t n)
{
	const struct zsr_column *c = dec->col;
	size_t nm = 0, nf = 0, from = dec->pos - dec->malloc_pos, no, i;
	bool ok;

	read_u64(&c[ZSR_COL_T], dec->pos, n, b->step);
	ok = check_steps(dec, b, n) &
	     read_u32(&c[ZSR_COL_CPU], dec->pos, n, UINT16_MAX, b->cpu) &
	     read_u32(&c[ZSR_COL_KIND], dec->pos, n, ZSR_EV_NR, b->kind) &
	     read_u32(&c[ZSR_COL_TASK], dec->pos, n, dec->nr_tasks, b->task);
	if (!ok)
		return false;
	apply_past(dec, b, n);
	for (i = 0; i < n; i++) {
		nm += b->kind[i] == ZSR_EV_MALLOC;
		nf += b->kind[i] == ZSR_EV_FREE;
	}
	no = n - nm;
	if (nm > dec->nr_mallocs - dec->malloc_pos ||
	    nf > dec->nr_frees - dec->free_pos ||
	    no > dec->nr - dec->nr_mallocs - from)
		return false;
	ok = read_u32(&c[ZSR_COL_MALLOC_SIZE], dec->malloc_pos, nm, UINT32_MAX,
		      b->malloc_size) &
	     read_u32(&c[ZSR_COL_MALLOC_GFP], dec->malloc_pos, nm, UINT32_MAX,
		      b->malloc_gfp) &
	     read_u32(&c[ZSR_COL_OTHER_SIZE], from, no, UINT32_MAX,
		      b->other_size) &
	     read_u32(&c[ZSR_COL_OTHER_GFP], from, no, UINT32_MAX, b->other_gfp);
	read_u64(&c[ZSR_COL_MALLOC_DUR], dec->malloc_pos, nm, b->malloc_dur);
	read_u64(&c[ZSR_COL_OTHER_DUR], from, no, b->other_dur);
	read_u64(&c[ZSR_COL_FREE_OBJ], dec->free_pos, nf, b->free_obj);
	return ok;
}

/* ---- rows ----------------------------------------------------------------- */

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

/* Which object a free means: false when it cannot be. */
static inline bool free_object(struct zsr_chunk_decoder *dec, uint64_t code,
			       uint64_t next_obj, struct zsr_live *objects,
			       struct zsr_event *ev, uint64_t *birth)
{
	struct zsr_cpu_past *p;

	if (code == 0)
		return true;
	code--;
	p = &dec->past[ev->cpu % ZSR_CPU_PASTS];
	if (dec->mode == ZSR_FREE_STEP)
		ev->obj = p->freed + 1 + (uint64_t)zsr_unzigzag(code);
	else
		ev->obj = next_obj - 1 - code;
	p->freed = ev->obj;
	if (!objects)
		return ev->obj < next_obj;
	return zsr_live_take(objects, ev->obj, &ev->size, birth);
}

int zsr_chunk_rows(struct zsr_chunk_decoder *dec, struct zsr_live *objects,
		   struct zsr_event *rows, uint64_t *births, size_t n,
		   struct zsr_err *err)
{
	size_t m = 0, o = 0, f = 0, from = dec->pos, i;
	uint64_t birth, t = dec->t, next_obj = dec->next_obj;
	struct zsr_event *ev;
	struct batch b;

	if (!read_batch(dec, &b, n))
		return zsr_err_input(err, "a value is out of range");
	for (i = 0, ev = rows; i < n; i++, ev++) {
		t += b.step[i];
		*ev = (struct zsr_event){
			.t_ns = t,
			.obj = ZSR_OBJ_NONE,
			.slot = -1,
			.cgroup = -1,
			.cpu = (uint16_t)b.cpu[i],
			.task = b.task[i],
			.kind = (uint8_t)b.kind[i],
		};
		birth = UINT64_MAX;
		if (ev->kind == ZSR_EV_MALLOC) {
			ev->obj = next_obj++;
			ev->dur_ns = b.malloc_dur[m];
			ev->gfp = b.malloc_gfp[m];
			ev->size = b.malloc_size[m++];
			if (objects && zsr_live_add(objects, ev->size, t))
				return zsr_err_nomem(err, "live objects");
		} else {
			ev->dur_ns = b.other_dur[o];
			ev->gfp = b.other_gfp[o];
			ev->size = b.other_size[o++];
			if (ev->kind == ZSR_EV_FREE &&
			    !free_object(dec, b.free_obj[f++], next_obj,
					 objects, ev, &birth))
				return zsr_err_input(
					err,
					"event %zu frees an object that is "
					"not alive",
					from + i);
		}
		if (births)
			births[i] = birth;
	}
	dec->t = t;
	dec->next_obj = next_obj;
	dec->pos += (uint32_t)n;
	dec->malloc_pos += (uint32_t)m;
	dec->free_pos += (uint32_t)f;
	if (t > dec->t_max || !set_seldom(dec, rows, from, n))
		return zsr_err_input(err, "a value is out of range");
	return 0;
}
