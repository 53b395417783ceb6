// SPDX-License-Identifier: GPL-2.0-only
/*
 * Columns to rows, a batch at a time: columns into small arrays first, then
 * each event in one go, without a branch, as kinds come in no order that a CPU
 * could guess; objects last. What does not fit its field is noticed here.
 */
#include <string.h>

#include "db/chunk_decoder.h"

#define BATCH ZSR_ROWS_BATCH

/* ---- a batch ---------------------------------------------------------------- */

struct batch {
	uint32_t cpu[BATCH];
	uint32_t kind[BATCH]; /* as told against what was last on the cpu */
	uint32_t task[BATCH];
	/* Mallocs' first, then all others'. */
	uint64_t step[BATCH];
	uint64_t dur[BATCH];
	uint32_t size[BATCH];
	uint16_t at[BATCH]; /* places among the rows */
	uint64_t free_obj[BATCH];
	size_t nr;
	size_t nr_mallocs;
	size_t nr_frees;
};

/* ---- rows of a kind --------------------------------------------------------- */

/* A field of all rows from a column that does not vary. */
#define USUAL(col_nr, limit, set)                                              \
	do {                                                                   \
		const struct zsr_column *c = &dec->col[col_nr];                \
		uint64_t v = c->base;                                          \
		if (c->width)                                                  \
			break;                                                 \
		if (v > (limit))                                               \
			return false;                                          \
		set;                                                           \
	} while (0)

static bool set_usual(const struct zsr_chunk_decoder *dec, struct zsr_event *row)
{
	if (dec->want & ZSR_WANT_GFP && row->kind == ZSR_EV_MALLOC)
		USUAL(ZSR_COL_MALLOC_GFP, UINT32_MAX, row->gfp = (uint32_t)v);
	else if (dec->want & ZSR_WANT_GFP)
		USUAL(ZSR_COL_OTHER_GFP, UINT32_MAX, row->gfp = (uint32_t)v);
	if (!(dec->want & ZSR_WANT_REST))
		return true;
	USUAL(ZSR_COL_POOL, dec->nr_pools - 1, row->pool = (uint16_t)v);
	USUAL(ZSR_COL_CALLER, ZSR_CALLER_NR - 1, row->caller = (uint8_t)v);
	USUAL(ZSR_COL_FLAGS, UINT8_MAX, row->flags = (uint8_t)v);
	USUAL(ZSR_COL_AUX, UINT64_MAX, row->aux = v);
	USUAL(ZSR_COL_CGROUP, UINT32_MAX,
	      row->cgroup = (int32_t)zsr_unzigzag(v));
	USUAL(ZSR_COL_SLOT, UINT64_MAX, row->slot = zsr_unzigzag(v));
	return true;
}

bool zsr_chunk_rows_start(struct zsr_chunk_decoder *dec)
{
	unsigned kind;

	for (kind = 0; kind < ZSR_EV_NR; kind++) {
		struct zsr_event *like = &dec->like[kind];

		*like = (struct zsr_event){
			.obj = kind == ZSR_EV_MALLOC ? 0 : ZSR_OBJ_NONE,
			.slot = -1,
			.cgroup = -1,
			.kind = (uint8_t)kind,
		};
		if (!set_usual(dec, like))
			return false;
	}
	return true;
}

/* ---- whose rows ------------------------------------------------------------- */

/* Mallocs, and frees above them. */
static const uint64_t calls_of[ZSR_EV_NR] = {
	[ZSR_EV_MALLOC] = 1,
	[ZSR_EV_FREE] = 1ull << 32,
};

/* A row's part that is known from what was last on its cpu; its call. */
static inline uint64_t set_who(const struct zsr_cpu_past *p, uint32_t cpu,
			       const struct zsr_event *like,
			       struct zsr_event *row)
{
	size_t kind = p->kind;

	/* All but times and what they take. */
	like += kind;
	memcpy(&row->obj, &like->obj,
	       sizeof(*row) - offsetof(struct zsr_event, obj));
	row->task = p->task;
	row->cpu = (uint16_t)cpu;
	return calls_of[kind];
}

/* Kinds and tasks from what was last on the event's cpu; the sum of calls. */
static uint64_t apply_past(struct zsr_chunk_decoder *dec, struct batch *b,
			   struct zsr_event *rows)
{
	uint64_t calls = 0;
	size_t i;

	for (i = 0; i < b->nr; i++) {
		struct zsr_cpu_past *p = &dec->past[b->cpu[i] % ZSR_CPU_PASTS];

		if (b->kind[i])
			p->kind = (uint8_t)(b->kind[i] - 1);
		if (b->task[i])
			p->task = b->task[i] - 1;
		calls += set_who(p, b->cpu[i], dec->like, &rows[i]);
	}
	return calls;
}

/* Likewise where all is as it was. */
static uint64_t repeat_past(const struct zsr_chunk_decoder *dec,
			    struct batch *b, struct zsr_event *rows)
{
	uint64_t calls = 0;
	size_t i;

	for (i = 0; i < b->nr; i++)
		calls += set_who(&dec->past[b->cpu[i] % ZSR_CPU_PASTS],
				 b->cpu[i], dec->like, &rows[i]);
	return calls;
}

/* Tasks that nobody wants are not looked at and stay 0. */
static bool read_who(struct zsr_chunk_decoder *dec, struct batch *b,
		     struct zsr_event *rows)
{
	struct zsr_column *kind = &dec->col[ZSR_COL_KIND];
	struct zsr_column *task = &dec->col[ZSR_COL_TASK];
	bool tasks = dec->want & ZSR_WANT_TASK &&
		     !zsr_column_is_zero(task, dec->pos, b->nr);
	uint64_t calls;

	if (!zsr_column_read_u32(&dec->col[ZSR_COL_CPU], dec->pos, b->nr,
				 UINT16_MAX, b->cpu))
		return false;
	if (!tasks && zsr_column_is_zero(kind, dec->pos, b->nr)) {
		calls = repeat_past(dec, b, rows);
	} else {
		memset(b->task, 0, sizeof(b->task));
		if (!zsr_column_read_u32(kind, dec->pos, b->nr, ZSR_EV_NR,
					 b->kind) ||
		    (tasks && !zsr_column_read_u32(task, dec->pos, b->nr,
						   dec->nr_tasks, b->task)))
			return false;
		calls = apply_past(dec, b, rows);
	}
	b->nr_mallocs = (uint32_t)calls;
	b->nr_frees = calls >> 32;
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
	if (dec->want & ZSR_WANT_SIZE)
		ok &= zsr_column_read_u32(&c[ZSR_COL_MALLOC_SIZE], from, nm,
					  UINT32_MAX, b->size) &
		      zsr_column_read_u32(&c[ZSR_COL_OTHER_SIZE], other, no,
					  UINT32_MAX, b->size + nm);
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
static bool apply_ticks(struct zsr_chunk_decoder *dec, struct batch *b,
			const struct zsr_event *rows)
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
		bool is_malloc = rows[i].kind == ZSR_EV_MALLOC;

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

/* What mallocs and others have of their own; an object's number for mallocs. */
static bool set_own(struct zsr_chunk_decoder *dec, struct batch *b,
		    struct zsr_event *rows)
{
	size_t next[] = { 0, b->nr_mallocs }, n = b->nr, own, i;
	uint64_t t = dec->t, next_obj = dec->next_obj;

	if (!(dec->ticks.step ? apply_ticks(dec, b, rows) : check_steps(dec, b)))
		return false;
	for (i = 0; i < n; i++) {
		own = next[rows[i].kind != ZSR_EV_MALLOC]++;
		t += b->step[own];
		rows[i].t_ns = t;
		rows[i].dur_ns = b->dur[own];
		rows[i].obj |= next_obj + own;
		rows[i].size = b->size[own];
		b->at[own] = (uint16_t)i;
	}
	dec->t = t;
	return t <= dec->t_max;
}

static bool set_gfp(struct zsr_chunk_decoder *dec, unsigned col, size_t from,
		    const uint16_t *at, size_t n, struct zsr_event *rows)
{
	uint32_t gfp[BATCH];
	size_t i;

	if (!dec->col[col].width)
		return true;
	if (!zsr_column_read_u32(&dec->col[col], from, n, UINT32_MAX, gfp))
		return false;
	for (i = 0; i < n; i++)
		rows[at[i]].gfp = gfp[i];
	return true;
}

/* Fields that hardly ever vary. */
#define SELDOM(col_nr, limit, set)                                             \
	do {                                                                   \
		struct zsr_column *c = &dec->col[col_nr];                      \
		if (!c->width)                                                 \
			break;                                                 \
		zsr_column_read(c, dec->pos, b->nr, v);                        \
		for (i = 0; i < b->nr; i++) {                                  \
			bad |= v[i] > (limit);                                 \
			set;                                                   \
		}                                                              \
	} while (0)

static bool set_seldom(struct zsr_chunk_decoder *dec, const struct batch *b,
		       struct zsr_event *ev)
{
	uint64_t v[BATCH];
	bool bad = false;
	size_t i;

	SELDOM(ZSR_COL_POOL, dec->nr_pools - 1, ev[i].pool = (uint16_t)v[i]);
	SELDOM(ZSR_COL_CALLER, ZSR_CALLER_NR - 1, ev[i].caller = (uint8_t)v[i]);
	SELDOM(ZSR_COL_FLAGS, UINT8_MAX, ev[i].flags = (uint8_t)v[i]);
	SELDOM(ZSR_COL_AUX, UINT64_MAX, ev[i].aux = v[i]);
	SELDOM(ZSR_COL_CGROUP, UINT32_MAX,
	       ev[i].cgroup = (int32_t)zsr_unzigzag(v[i]));
	SELDOM(ZSR_COL_SLOT, UINT64_MAX, ev[i].slot = zsr_unzigzag(v[i]));
	return !bad;
}

/* The rows, but for what frees take from their objects. */
static bool make_rows(struct zsr_chunk_decoder *dec, struct batch *b,
		      struct zsr_event *rows)
{
	size_t nm, other = dec->pos - dec->malloc_pos;

	if (!read_who(dec, b, rows) || !read_own(dec, b) ||
	    !set_own(dec, b, rows))
		return false;
	nm = b->nr_mallocs;
	if (dec->want & ZSR_WANT_GFP &&
	    (!set_gfp(dec, ZSR_COL_MALLOC_GFP, dec->malloc_pos, b->at, nm, rows) ||
	     !set_gfp(dec, ZSR_COL_OTHER_GFP, other, b->at + nm, b->nr - nm,
		      rows)))
		return false;
	return !(dec->want & ZSR_WANT_REST) || set_seldom(dec, b, rows);
}

/* ---- objects -------------------------------------------------------------- */

static int bear(const struct batch *b, struct zsr_live *objects,
		const struct zsr_event *rows)
{
	uint64_t birth[BATCH];
	size_t m;

	for (m = 0; objects->words && m < b->nr_mallocs; m++)
		birth[m] = rows[b->at[m]].t_ns;
	return zsr_live_add_many(objects, b->size, birth, b->nr_mallocs);
}

/* Which object each free means; the place of one that cannot be, b->nr when
 * all can. STEP and births are constants in each call, for the time it takes. */
static inline size_t bury(struct zsr_chunk_decoder *dec, const struct batch *b,
			  struct zsr_live *objects, struct zsr_event *rows,
			  bool step, uint64_t *births)
{
	const uint16_t *at = b->at + b->nr_mallocs;
	size_t n = b->nr - b->nr_mallocs, k, i;
	const uint64_t *code = b->free_obj;
	uint64_t next = dec->next_obj, obj, born;

	for (k = 0; k < n; k++) {
		struct zsr_event *ev = &rows[i = at[k]];
		struct zsr_cpu_past *p = &dec->past[ev->cpu % ZSR_CPU_PASTS];

		if (ev->kind != ZSR_EV_FREE || !*code++)
			continue;
		/* All rows in front are mallocs but for k of them. */
		born = next + i - k;
		obj = step ? p->freed + (uint64_t)zsr_unzigzag(code[-1] - 1) + 1
			   : born - code[-1];
		if (obj >= born ||
		    (objects && !zsr_live_take(objects, obj, &ev->size,
					       births ? births + i : NULL)))
			return i;
		p->freed = ev->obj = obj;
	}
	return b->nr;
}

static size_t bury_any(struct zsr_chunk_decoder *dec, const struct batch *b,
		       struct zsr_live *objects, struct zsr_event *rows,
		       uint64_t *births)
{
	bool step = dec->mode == ZSR_FREE_STEP;
	size_t i;

	if (!births)
		return step ? bury(dec, b, objects, rows, true, NULL)
			    : bury(dec, b, objects, rows, false, NULL);
	for (i = 0; i < b->nr; i++)
		births[i] = UINT64_MAX;
	return bury(dec, b, objects, rows, step, births);
}

int zsr_chunk_rows(struct zsr_chunk_decoder *dec, struct zsr_live *objects,
		   struct zsr_event *rows, uint64_t *births, size_t n,
		   struct zsr_err *err)
{
	size_t dead = n;
	struct batch b;

	b.nr = n;
	if (!make_rows(dec, &b, rows))
		return zsr_err_input(err, "a value is out of range");
	if (objects && bear(&b, objects, rows))
		return zsr_err_nomem(err, "live objects");
	if (dec->want & ZSR_WANT_FREED)
		dead = bury_any(dec, &b, objects, rows, births);
	if (dead < n)
		return zsr_err_input(
			err, "event %zu frees an object that is not alive",
			dec->pos + dead);
	dec->pos += (uint32_t)n;
	dec->malloc_pos += (uint32_t)b.nr_mallocs;
	dec->free_pos += (uint32_t)b.nr_frees;
	dec->next_obj += b.nr_mallocs;
	return 0;
}
