// SPDX-License-Identifier: GPL-2.0-only
/*
 * A trace as the records it may have come from: what the import pass does, the
 * other way round. Handles and addresses are made up.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "db/records.h"

#define BATCH       256
#define HANDLE_BASE 0x10u
#define ORPHAN_BASE (1ull << 40)
/* So many handles are freed after one before it is handed out again. */
#define REUSE_AFTER 1024

/* ---- records wait for their turn ------------------------------------------ */

/* Places of an event's records among those of one time and cpu. */
enum { AT_ENTRY, AT_LOST, AT_EVENT, AT_RETURN, NR_PLACES };

struct waiting {
	struct zsr_rec rec;
	uint64_t seq;
};

struct out {
	struct zsr_db *db;
	const struct zsr_recording *how;
	struct zsr_sink *to;
	struct zsr_err *err;
	uint64_t start_ns; /* of the capture's clock */
	sqlite3_stmt *mark;
	int32_t *pid; /* of each task */
	uint32_t nr_tasks;

	struct waiting *heap;
	size_t nr;
	size_t cap;
	struct zsr_rec batch[BATCH];
	size_t nr_batch;
	uint64_t seq;

	struct zsr_live *slots; /* of live objects */
	uint32_t *spare; /* ring of slots of freed ones */
	size_t spare_cap; /* a power of two, or 0 */
	size_t spare_head;
	size_t nr_spare;
	uint32_t next_slot;
	uint64_t nr_orphans;

	struct zsr_event inferred; /* a free whose record never was */
	uint32_t inferred_slot;
	bool has_inferred;
	uint64_t lost; /* records, still to be told of */
};

static bool before(const struct waiting *a, const struct waiting *b)
{
	if (a->rec.t_ns != b->rec.t_ns)
		return a->rec.t_ns < b->rec.t_ns;
	return a->rec.cpu != b->rec.cpu ? a->rec.cpu < b->rec.cpu
					: a->seq < b->seq;
}

static int add(struct out *o, const struct zsr_rec *rec, unsigned place)
{
	struct waiting w = { *rec, o->seq * NR_PLACES + place };
	size_t i, up;

	if (zsr_grow(&o->heap, &o->cap, o->nr + 1, sizeof(*o->heap)))
		return zsr_err_nomem(o->err, "records");
	for (i = o->nr++; i; i = up) {
		up = (i - 1) / 2;
		if (!before(&w, &o->heap[up]))
			break;
		o->heap[i] = o->heap[up];
	}
	o->heap[i] = w;
	return 0;
}

static void take_first(struct out *o, struct zsr_rec *rec)
{
	struct waiting w = o->heap[--o->nr];
	size_t i = 0, kid;

	*rec = o->heap[0].rec;
	for (;; i = kid) {
		kid = 2 * i + 1;
		if (kid >= o->nr)
			break;
		if (kid + 1 < o->nr && before(&o->heap[kid + 1], &o->heap[kid]))
			kid++;
		if (!before(&o->heap[kid], &w))
			break;
		o->heap[i] = o->heap[kid];
	}
	o->heap[i] = w;
}

static int flush(struct out *o)
{
	size_t n = o->nr_batch;

	o->nr_batch = 0;
	return n ? o->to->recs(o->to->ctx, o->batch, n, o->err) : 0;
}

static int give_mark(struct out *o, struct zsr_rec *rec)
{
	const char *text;
	int ret = flush(o);

	if (ret)
		return ret;
	zsr_sql_bind(o->mark, "u", rec->value);
	ret = zsr_sql_step(o->db, o->mark, o->err);
	if (ret < 0)
		return ret;
	text = ret ? (const char *)sqlite3_column_text(o->mark, 0) : NULL;
	if (!text)
		return zsr_err_input(o->err, "there is no mark %" PRIu64,
				     rec->value);
	rec->value = 0;
	rec->text_len = (uint32_t)strlen(text);
	ret = o->to->mark(o->to->ctx, rec, text, o->err);
	sqlite3_reset(o->mark);
	return ret;
}

/* All that lie before T_NS: nothing that comes goes in front of them. */
static int release(struct out *o, uint64_t t_ns)
{
	struct zsr_rec rec;
	int ret = 0;

	while (o->nr && o->heap[0].rec.t_ns < t_ns && !ret) {
		take_first(o, &rec);
		if (rec.kind == ZSR_REC_MARK) {
			ret = give_mark(o, &rec);
			continue;
		}
		o->batch[o->nr_batch++] = rec;
		if (o->nr_batch == BATCH)
			ret = flush(o);
	}
	return ret;
}

/* ---- handles --------------------------------------------------------------- */

static int give_back(struct out *o, uint32_t slot)
{
	size_t cap = o->spare_cap, i;
	uint32_t *ring;

	if (o->nr_spare == cap) {
		ring = malloc((cap ? 2 * cap : 4096) * sizeof(*ring));
		if (!ring)
			return zsr_err_nomem(o->err, "handles");
		for (i = 0; i < o->nr_spare; i++)
			ring[i] = o->spare[(o->spare_head + i) & (cap - 1)];
		free(o->spare);
		o->spare = ring;
		o->spare_head = 0;
		o->spare_cap = cap ? 2 * cap : 4096;
	}
	o->spare[(o->spare_head + o->nr_spare++) & (o->spare_cap - 1)] = slot;
	return 0;
}

static uint32_t new_slot(struct out *o)
{
	uint32_t slot;

	if (o->nr_spare < REUSE_AFTER)
		return o->next_slot++;
	slot = o->spare[o->spare_head];
	o->spare_head = (o->spare_head + 1) & (o->spare_cap - 1);
	o->nr_spare--;
	return slot;
}

static uint64_t handle_of(uint32_t slot)
{
	return HANDLE_BASE + 8ull * slot;
}

/* ---- events to records ----------------------------------------------------- */

static struct zsr_rec record(const struct out *o, const struct zsr_event *ev,
			     unsigned kind)
{
	return (struct zsr_rec){
		.t_ns = o->start_ns + ev->t_ns,
		.pool = zsr_pool_address(ev->pool),
		.pid = o->pid[ev->task],
		.cpu = ev->cpu,
		.kind = (uint8_t)kind,
		.has = ZSR_REC_HAS_POOL,
	};
}

static void set_caller(const struct out *o, struct zsr_rec *rec,
		       const struct zsr_event *ev)
{
	if (!o->how->callers)
		return;
	rec->caller = ZSR_CALLER_BASE + ev->caller;
	rec->has |= ZSR_REC_HAS_CALLER;
}

/* A malloc of SIZE that got SLOT. */
static int put_malloc(struct out *o, const struct zsr_event *ev, uint32_t slot,
		      uint32_t size)
{
	struct zsr_rec ret = record(o, ev, ZSR_REC_MALLOC_RET);
	struct zsr_rec rec = record(o, ev, ZSR_REC_MALLOC);
	int bad;

	rec.t_ns -= zsr_min(ev->dur_ns, ev->t_ns);
	rec.value = size;
	rec.gfp = ev->gfp;
	rec.has |= ZSR_REC_HAS_SIZE | ZSR_REC_HAS_GFP;
	bad = add(o, &rec, AT_ENTRY);
	ret.handle = handle_of(slot);
	ret.has = 0;
	set_caller(o, &ret, ev);
	return bad ? bad : add(o, &ret, AT_EVENT);
}

/* That a free is missing was seen by its handle being handed out; who got it
 * has no event of its own if its size was none. */
static int put_inferred(struct out *o)
{
	struct zsr_event ev = o->inferred;
	int ret;

	ev.dur_ns = 0;
	ret = put_malloc(o, &ev, o->inferred_slot, 0);
	return ret ? ret : give_back(o, o->inferred_slot);
}

static int on_malloc(struct out *o, const struct zsr_event *ev)
{
	uint32_t slot;

	if (o->has_inferred)
		slot = o->inferred_slot;
	else
		slot = new_slot(o);
	o->has_inferred = false;
	if (zsr_live_add(o->slots, slot, 0))
		return zsr_err_nomem(o->err, "objects");
	return put_malloc(o, ev, slot, ev->size);
}

static int on_free(struct out *o, const struct zsr_event *ev)
{
	struct zsr_rec rec = record(o, ev, ZSR_REC_FREE), ret;
	uint64_t birth;
	uint32_t slot;
	int bad = 0;

	if (ev->obj == ZSR_OBJ_NONE) {
		rec.handle = ORPHAN_BASE + 8 * o->nr_orphans++;
	} else {
		if (!zsr_live_take(o->slots, ev->obj, &slot, &birth))
			return zsr_err_input(o->err,
					     "object %" PRIu64 " is not alive",
					     ev->obj);
		if (ev->flags & ZSR_EVF_INFERRED) {
			o->has_inferred = true;
			o->inferred = *ev;
			o->inferred_slot = slot;
			return 0;
		}
		rec.handle = handle_of(slot);
		bad = give_back(o, slot);
	}
	set_caller(o, &rec, ev);
	if (!bad)
		bad = add(o, &rec, AT_EVENT);
	if (bad || !(ev->dur_ns || o->how->all_returns))
		return bad;
	ret = record(o, ev, ZSR_REC_FREE_RET);
	ret.t_ns += ev->dur_ns;
	ret.has = 0;
	set_caller(o, &ret, ev);
	return add(o, &ret, AT_RETURN);
}

static int on_compact(struct out *o, const struct zsr_event *ev)
{
	struct zsr_rec rec = record(o, ev, ZSR_REC_COMPACT);
	int ret = add(o, &rec, AT_EVENT);

	if (ret || !(ev->dur_ns || ev->aux))
		return ret;
	rec.kind = ZSR_REC_COMPACT_RET;
	rec.t_ns += ev->dur_ns;
	rec.value = ev->aux;
	rec.has = 0;
	return add(o, &rec, AT_RETURN);
}

static int on_loss(struct out *o, const struct zsr_event *ev)
{
	struct zsr_rec rec = record(o, ev, ZSR_REC_LOST);

	rec.value = o->lost;
	o->lost = 0;
	return add(o, &rec, AT_LOST);
}

/* The malloc that took the handle of an object whose free is missing. */
static bool takes_over(const struct zsr_event *free, const struct zsr_event *ev)
{
	return ev->kind == ZSR_EV_MALLOC && ev->t_ns == free->t_ns &&
	       ev->cpu == free->cpu && ev->task == free->task &&
	       ev->pool == free->pool;
}

static int put_event(struct out *o, const struct zsr_event *ev)
{
	struct zsr_rec rec;
	int ret = 0;

	if (o->has_inferred && !takes_over(&o->inferred, ev)) {
		ret = put_inferred(o);
		o->has_inferred = false;
	}
	o->seq++;
	if (!ret && ev->flags & ZSR_EVF_AFTER_LOSS)
		ret = on_loss(o, ev);
	if (ret)
		return ret;
	switch (ev->kind) {
	case ZSR_EV_MALLOC:
		return on_malloc(o, ev);
	case ZSR_EV_FREE:
		return on_free(o, ev);
	case ZSR_EV_COMPACT:
		return on_compact(o, ev);
	case ZSR_EV_PAGE_FREE:
		rec = record(o, ev, ZSR_REC_ZSPAGE_FREE);
		return add(o, &rec, AT_EVENT);
	case ZSR_EV_MARK:
		rec = record(o, ev, ZSR_REC_MARK);
		rec.value = ev->aux;
		return add(o, &rec, AT_EVENT);
	default:
		return 0;
	}
}

static int put_events(struct out *o, struct zsr_cursor *c)
{
	const struct zsr_event *ev;
	uint64_t first;
	int i, n, ret = 0;

	while (!ret && (n = zsr_cursor_next(c, &ev, o->err)) > 0)
		for (i = 0; i < n && !ret; i++) {
			ret = put_event(o, &ev[i]);
			/* Where a later malloc may still have begun. */
			first = ev[i].t_ns -
				zsr_min(ev[i].t_ns, o->how->longest_ns);
			if (!ret)
				ret = release(o, o->start_ns + first);
		}
	if (!ret && n < 0)
		return n;
	if (!ret && o->has_inferred)
		ret = put_inferred(o);
	/* Lost behind the last event. */
	if (!ret && o->lost)
		ret = on_loss(o, &(struct zsr_event){ .t_ns = o->how->last_ns });
	if (!ret)
		ret = release(o, UINT64_MAX);
	return ret ? ret : flush(o);
}

/* ---- begin and end ---------------------------------------------------------- */

static int on_task(void *ctx, const struct zsr_task *t)
{
	struct out *o = ctx;

	if (t->row < o->nr_tasks)
		o->pid[t->row] = t->pid;
	return o->to->task(o->to->ctx, t->pid, t->comm, o->err);
}

static int prepare(struct out *o, const struct zsr_trace *t)
{
	int ret;

	o->slots = zsr_live_new(false);
	o->pid = calloc((size_t)t->nr_tasks + 1, sizeof(*o->pid));
	o->nr_tasks = t->nr_tasks;
	if (!o->slots || !o->pid)
		return zsr_err_nomem(o->err, "records");
	ret = zsr_trace_tasks(o->db, t->id, on_task, o, o->err);
	if (ret)
		return ret;
	return zsr_sql_prepare(o->db, &o->mark,
			       "SELECT text FROM mark WHERE nr = ?1 AND "
			       "trace = ?2",
			       o->err);
}

int zsr_trace_records(struct zsr_db *db, const struct zsr_trace *t,
		      const struct zsr_recording *how, struct zsr_sink *to,
		      struct zsr_err *err)
{
	struct out o = {
		.db = db,
		.how = how,
		.to = to,
		.err = err,
		.start_ns = how->start_ns,
		.lost = t->nr_lost,
	};
	struct zsr_cursor *c = NULL;
	int ret = zsr_recording_facts(db, t, how, to, err);

	if (!ret)
		ret = prepare(&o, t);
	if (!ret) {
		sqlite3_bind_int64(o.mark, 2, t->id);
		ret = zsr_cursor_open(db, t->id, &c, err);
	}
	if (!ret)
		ret = put_events(&o, c);
	zsr_cursor_close(c);
	sqlite3_finalize(o.mark);
	zsr_live_free(o.slots);
	free(o.pid);
	free(o.heap);
	free(o.spare);
	return ret ? zsr_err_wrap(err, ret, "trace '%s'", t->name) : 0;
}
