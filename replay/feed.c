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
	if (ret)
		zsr_feed_free(f);
	return ret;
}

void zsr_feed_free(struct zsr_feed *f)
{
	uint32_t i;

	for (i = 0; f->queue && i < f->nr_tasks; i++)
		free(f->queue[i].ring);
	free(f->queue);
	free(f->epoch);
	free(f->text);
	zsr_cursor_close(f->cursor);
	*f = (struct zsr_feed){ 0 };
}

static int push(struct zsr_feed_queue *q, const struct zsr_feed_event *e)
{
	struct zsr_feed_event *ring;
	size_t cap = q->cap ? 2 * q->cap : 64, i;

	if (q->nr == q->cap) {
		ring = malloc(cap * sizeof(*ring));
		if (!ring)
			return -ENOMEM;
		for (i = 0; i < q->nr; i++)
			ring[i] = q->ring[(q->head + i) & (q->cap - 1)];
		free(q->ring);
		q->ring = ring;
		q->cap = cap;
		q->head = 0;
	}
	q->ring[(q->head + q->nr++) & (q->cap - 1)] = *e;
	return 0;
}

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
		.return_ns = ev->t_ns + ev->dur_ns,
		.obj = ev->obj,
		.size = ev->size,
		.epoch = f->epoch_read,
		.pool = ev->pool,
		.kind = ev->kind,
		.caller = ev->caller,
	};

	if (ev->kind == ZSR_EV_MALLOC) {
		e.entry_ns = ev->t_ns - zsr_min(ev->dur_ns, ev->t_ns);
		e.return_ns = ev->t_ns;
	} else if (ev->kind == ZSR_EV_MARK && ev->aux < f->nr_texts) {
		e.meaning = f->text[ev->aux];
	}
	return e;
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

const struct zsr_feed_event *zsr_feed_peek(const struct zsr_feed *f,
					   uint32_t task)
{
	const struct zsr_feed_queue *q = &f->queue[task];

	return q->nr ? &q->ring[q->head] : NULL;
}

struct zsr_feed_event zsr_feed_take(struct zsr_feed *f, uint32_t task)
{
	struct zsr_feed_queue *q = &f->queue[task];
	struct zsr_feed_event e = q->ring[q->head];

	q->head = (q->head + 1) & (q->cap - 1);
	q->nr--;
	f->outstanding--;
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
