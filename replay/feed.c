// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "replay/feed.h"

static bool starts_with(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

/* Snapshots are taken while the workload stands still, so they part a trace
 * as explicit barriers do. */
static enum zsr_text text_meaning(const char *text)
{
	if (starts_with(text, "barrier:") || starts_with(text, "snap:"))
		return ZSR_TEXT_BARRIER;
	if (starts_with(text, "release-begin"))
		return ZSR_TEXT_RELEASE_BEGIN;
	if (starts_with(text, "release-end"))
		return ZSR_TEXT_RELEASE_END;
	return ZSR_TEXT_OTHER;
}

static int on_mark(void *ctx, int64_t nr, const char *key, const char *value)
{
	struct zsr_feed *f = ctx;
	size_t cap = f->nr_texts;

	(void)key;
	if (nr < 0 || nr >= UINT32_MAX)
		return -EINVAL;
	if (zsr_grow(&f->text, &cap, (size_t)nr + 1, sizeof(*f->text)))
		return -ENOMEM;
	if (cap > f->nr_texts)
		memset(f->text + f->nr_texts, 0, cap - f->nr_texts);
	f->nr_texts = (uint32_t)cap;
	f->text[nr] = (uint8_t)text_meaning(value);
	return 0;
}

static int epoch_add(struct zsr_feed *f, struct zsr_err *err)
{
	if (f->epoch_read > ZSR_FEED_MAX_EPOCH)
		return zsr_err_input(err, "more than %u barriers",
				     ZSR_FEED_MAX_EPOCH);
	if (zsr_grow(&f->epoch, &f->cap_epoch, (size_t)f->epoch_read + 1,
		     sizeof(*f->epoch)))
		return zsr_err_nomem(err, "barriers");
	f->epoch[f->epoch_read] = (struct zsr_feed_epoch){ 0, 0 };
	return 0;
}

int zsr_feed_init(struct zsr_feed *f, struct zsr_db *db,
		  const struct zsr_trace *trace, struct zsr_err *err)
{
	int ret;

	*f = (struct zsr_feed){ .nr_tasks = trace->nr_tasks,
				.nr_pools = trace->nr_pools,
				.window = ZSR_FEED_WINDOW };
	f->queue = calloc(trace->nr_tasks + 1u, sizeof(*f->queue));
	if (!f->queue)
		return zsr_err_nomem(err, "task queues");
	ret = zsr_trace_rows(db, trace->id, ZSR_TABLE_MARKS, on_mark, f, err);
	if (!ret)
		ret = epoch_add(f, err);
	if (!ret)
		ret = zsr_cursor_open(db, trace->id, &f->cursor, err);
	if (!ret)
		ret = zsr_cursor_want_no_sizes(f->cursor, err);
	if (ret)
		zsr_feed_free(f);
	return ret;
}

static void free_blocks(struct zsr_feed_block *b)
{
	struct zsr_feed_block *next;

	for (; b; b = next) {
		next = b->next;
		free(b);
	}
}

void zsr_feed_free(struct zsr_feed *f)
{
	uint32_t i;

	for (i = 0; f->queue && i < f->nr_tasks; i++)
		free_blocks(f->queue[i].first);
	free(f->queue);
	free(f->epoch);
	free(f->text);
	free(f->alive);
	zsr_cursor_close(f->cursor);
	*f = (struct zsr_feed){ 0 };
}

/* ---- a task's events -------------------------------------------------------- */

/* As what follows LAST; false when that does not fit. */
static bool pack(struct zsr_feed_packed *p, const struct zsr_feed_event *e,
		 const struct zsr_feed_event *last)
{
	uint64_t entry = e->entry_ns - last->entry_ns;
	uint64_t seq = e->seq - last->seq;
	uint64_t obj = e->obj - last->obj + ZSR_FEED_OBJ_BACK;

	if (entry >> 30 | e->dur_ns >> 24 | seq >> 20 | obj >> 24 |
	    e->size >> 20 | e->caller >> 4 | (e->epoch ^ last->epoch) |
	    (e->pool ^ last->pool) | e->meaning)
		return false;
	*p = (struct zsr_feed_packed){ .entry = entry,
				       .dur = e->dur_ns,
				       .kind = e->kind,
				       .caller = e->caller & 15,
				       .seq = seq,
				       .obj = obj,
				       .size = e->size };
	return true;
}

static void unpack(struct zsr_feed_event *e, const struct zsr_feed_packed *p)
{
	e->entry_ns += p->entry;
	e->dur_ns = p->dur;
	e->obj = e->obj + p->obj - ZSR_FEED_OBJ_BACK;
	e->seq += p->seq;
	e->size = p->size;
	e->kind = p->kind & 15;
	e->caller = p->caller;
	e->meaning = 0;
}

static struct zsr_feed_packed *part_add(struct zsr_feed_queue *q)
{
	struct zsr_feed_block *b;

	if (!q->last || q->end == ZSR_FEED_BLOCK) {
		b = malloc(sizeof(*b));
		if (!b)
			return NULL;
		b->next = NULL;
		if (q->last)
			q->last->next = b;
		else
			q->first = b;
		q->last = b;
		q->end = 0;
	}
	return &q->last->event[q->end++];
}

static const struct zsr_feed_packed *part_take(struct zsr_feed_queue *q)
{
	return &q->first->event[q->at++];
}

/* Give a block back that is read. */
static void part_done(struct zsr_feed_queue *q)
{
	struct zsr_feed_block *b = q->first;

	if (q->at < ZSR_FEED_BLOCK)
		return;
	q->first = b->next;
	q->at = 0;
	if (!q->first)
		q->last = NULL;
	free(b);
}

static int push_whole(struct zsr_feed_queue *q, const struct zsr_feed_event *e)
{
	const char *from = (const char *)e;
	struct zsr_feed_packed *p;
	size_t len, left;

	for (left = sizeof(*e); left; left -= len, from += len) {
		p = part_add(q);
		if (!p)
			return -ENOMEM;
		len = zsr_min(left, sizeof(*p));
		memcpy(p, from, len);
	}
	return 0;
}

static void take_whole(struct zsr_feed_queue *q, struct zsr_feed_event *e)
{
	char *to = (char *)e;
	size_t len, left;

	for (left = sizeof(*e); left; left -= len, to += len) {
		len = zsr_min(left, sizeof(struct zsr_feed_packed));
		memcpy(to, part_take(q), len);
		part_done(q);
	}
}

static int push(struct zsr_feed_queue *q, const struct zsr_feed_event *e)
{
	struct zsr_feed_packed packed = { .whole = 1 }, *p;
	bool whole;
	int ret;

	if (!q->nr) {
		q->first_event = *e;
	} else {
		whole = !pack(&packed, e, &q->last_event);
		p = part_add(q);
		if (!p)
			return -ENOMEM;
		*p = packed;
		ret = whole ? push_whole(q, e) : 0;
		if (ret)
			return ret;
	}
	q->last_event = *e;
	q->nr++;
	return 0;
}

/* The event behind the first one takes its place. */
static void advance(struct zsr_feed_queue *q)
{
	struct zsr_feed_packed p;

	if (!--q->nr)
		return;
	p = *part_take(q);
	part_done(q);
	if (p.whole)
		take_whole(q, &q->first_event);
	else
		unpack(&q->first_event, &p);
}

/* ---- reading ------------------------------------------------------------------ */

static int next_event(struct zsr_feed *f, const struct zsr_event **ev,
		      struct zsr_err *err)
{
	if (f->at == f->nr_batch) {
		f->nr_batch = zsr_cursor_next(f->cursor, &f->batch, err);
		f->at = 0;
		if (f->nr_batch < 0)
			return f->nr_batch;
		if (!f->nr_batch) {
			f->eof = true;
			zsr_cursor_close(f->cursor); /* it has much memory */
			f->cursor = NULL;
			return 0;
		}
	}
	*ev = &f->batch[f->at++];
	f->read++;
	return 1;
}

static bool is_played(struct zsr_feed *f, const struct zsr_event *ev)
{
	switch (ev->kind) {
	case ZSR_EV_FREE:
		if (ev->obj == ZSR_OBJ_NONE) {
			f->orphans++;
			return false;
		}
		return true;
	case ZSR_EV_MALLOC:
	case ZSR_EV_COMPACT:
	case ZSR_EV_MARK:
		return true;
	default:
		return false;
	}
}

static struct zsr_feed_event convert(const struct zsr_feed *f,
				     const struct zsr_event *ev)
{
	struct zsr_feed_event e = {
		.entry_ns = ev->t_ns,
		.dur_ns = ev->dur_ns,
		.obj = ev->obj,
		.size = ev->size,
		.epoch = f->epoch_read,
		.pool = ev->pool,
		.kind = ev->kind & 15,
		.caller = ev->caller & 255,
	};

	if (ev->kind == ZSR_EV_MALLOC) {
		e.entry_ns = ev->t_ns - zsr_min(ev->dur_ns, ev->t_ns);
		e.dur_ns = ev->t_ns - e.entry_ns;
	} else if (ev->kind == ZSR_EV_MARK && ev->aux < f->nr_texts) {
		e.meaning = f->text[ev->aux] & 15;
		e.obj = ev->aux;
	}
	return e;
}

/* Nobody else looks whether objects live when they are freed. Their numbers
 * are in order. */
static int follow(struct zsr_feed *f, const struct zsr_event *ev,
		  struct zsr_err *err)
{
	uint64_t obj = ev->obj, bit = 1ull << obj % 64;

	if (ev->kind == ZSR_EV_MALLOC) {
		if (zsr_grow(&f->alive, &f->cap_alive, obj / 64 + 1,
			     sizeof(*f->alive)))
			return zsr_err_nomem(err, "live objects");
		if (obj % 64 == 0)
			f->alive[obj / 64] = 0;
		f->alive[obj / 64] |= bit;
		f->nr_objects = obj + 1;
	} else if (ev->kind == ZSR_EV_FREE) {
		if (obj >= f->nr_objects || !(f->alive[obj / 64] & bit))
			return zsr_err_input(err,
					     "event %lu: object %lu, which is "
					     "freed, does not live",
					     (unsigned long)f->read,
					     (unsigned long)obj);
		f->alive[obj / 64] &= ~bit;
	}
	return 0;
}

int zsr_feed_read(struct zsr_feed *f, uint32_t *task, struct zsr_err *err)
{
	const struct zsr_event *ev = NULL;
	struct zsr_feed_event e;
	int ret;

	if (f->eof)
		return 0;
	if (f->outstanding >= f->window)
		return -EAGAIN;
	do {
		ret = next_event(f, &ev, err);
		if (ret <= 0)
			return ret;
	} while (!is_played(f, ev));
	if (ev->task >= f->nr_tasks)
		return zsr_err_input(err, "event %lu: task %u of %u",
				     (unsigned long)f->read, ev->task,
				     f->nr_tasks);
	if (ev->kind != ZSR_EV_MARK && ev->pool >= f->nr_pools)
		return zsr_err_input(err, "event %lu: pool %u of %u",
				     (unsigned long)f->read, ev->pool,
				     f->nr_pools);
	ret = follow(f, ev, err);
	if (ret)
		return ret;
	*task = ev->task;
	e = convert(f, ev);
	e.seq = f->read - 1;
	if (push(&f->queue[ev->task], &e))
		return zsr_err_nomem(err, "task queues");
	f->outstanding++;
	f->epoch[f->epoch_read].read++;
	if (e.meaning == ZSR_TEXT_BARRIER) {
		f->epoch_read++;
		ret = epoch_add(f, err);
		if (ret)
			return ret;
	}
	return 1;
}

struct zsr_feed_event zsr_feed_take(struct zsr_feed *f, uint32_t task)
{
	struct zsr_feed_event e = f->queue[task].first_event;

	f->outstanding--;
	advance(&f->queue[task]);
	return e;
}

bool zsr_feed_done(struct zsr_feed *f, const struct zsr_feed_event *e)
{
	bool moved = false;

	f->epoch[e->epoch].done++;
	while (f->epoch_now < f->epoch_read &&
	       f->epoch[f->epoch_now].done == f->epoch[f->epoch_now].read) {
		f->epoch_now++;
		moved = true;
	}
	return moved;
}
