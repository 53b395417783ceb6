// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/engine_trace.h"

/* ---- live objects -------------------------------------------------------- */

/* Open addressing, at most half full; handle 0: nothing here. */
struct live {
	struct {
		uint64_t obj;
		zsr_handle handle;
	} * at;
	size_t mask;
	size_t nr;
};

static size_t home(const struct live *l, uint64_t obj)
{
	return (size_t)((obj * 0x9E3779B97F4A7C15ull) >> 20) & l->mask;
}

static size_t find(const struct live *l, uint64_t obj)
{
	size_t i = home(l, obj);

	while (l->at[i].handle && l->at[i].obj != obj)
		i = (i + 1) & l->mask;
	return i;
}

static int grow(struct live *l)
{
	struct live bigger = { .mask = l->at ? 2 * l->mask + 1 : 1023 };
	size_t i;

	bigger.at = calloc(bigger.mask + 1, sizeof(*bigger.at));
	if (!bigger.at)
		return -ENOMEM;
	for (i = 0; l->at && i <= l->mask; i++)
		if (l->at[i].handle)
			bigger.at[find(&bigger, l->at[i].obj)] = l->at[i];
	bigger.nr = l->nr;
	free(l->at);
	*l = bigger;
	return 0;
}

static int add(struct live *l, uint64_t obj, zsr_handle h)
{
	size_t i;

	if ((!l->at || 2 * l->nr > l->mask) && grow(l))
		return -ENOMEM;
	i = find(l, obj);
	l->at[i].obj = obj;
	l->at[i].handle = h;
	l->nr++;
	return 0;
}

/* Returns the handle, 0 for an object that is not there. */
static zsr_handle take(struct live *l, uint64_t obj)
{
	size_t i, next;
	zsr_handle h;

	if (!l->at)
		return 0;
	i = find(l, obj);
	h = l->at[i].handle;
	if (!h)
		return 0;
	l->nr--;
	l->at[i].handle = 0;
	/* Those behind it move up unless they would leave their home. */
	for (next = (i + 1) & l->mask; l->at[next].handle;
	     next = (next + 1) & l->mask) {
		size_t from = home(l, l->at[next].obj);

		if (((next - from) & l->mask) < ((next - i) & l->mask))
			continue;
		l->at[i] = l->at[next];
		l->at[next].handle = 0;
		i = next;
	}
	return h;
}

/* ---- the calls ----------------------------------------------------------- */

struct play {
	struct zsr_engine *e;
	struct live live;
	const char *mark;
	int64_t mark_nr;
	unsigned pool;
	bool done;
};

static int play_malloc(struct play *p, const struct zsr_event *ev,
		       struct zsr_err *err)
{
	zsr_handle h;
	int ret = zsr_engine_malloc(p->e, ev->size, &h);

	if (ret == -EINVAL || ret == -ENOSPC)
		return zsr_err_input(err,
				     "object %" PRIu64 ": no pool has %" PRIu32
				     " bytes",
				     ev->obj, ev->size);
	if (!ret)
		ret = add(&p->live, ev->obj, h);
	return ret ? zsr_err_nomem(err, "live objects") : 0;
}

static int play_event(struct play *p, const struct zsr_event *ev,
		      struct zsr_err *err)
{
	if (ev->kind == ZSR_EV_MARK && p->mark && ev->aux == (uint64_t)p->mark_nr)
		p->done = true;
	if (ev->pool != p->pool)
		return 0;
	switch (ev->kind) {
	case ZSR_EV_MALLOC:
		return play_malloc(p, ev, err);
	case ZSR_EV_FREE:
		/* 0 is no handle: objects from before the trace. */
		if (ev->obj != ZSR_OBJ_NONE)
			zsr_engine_free(p->e, take(&p->live, ev->obj));
		break;
	case ZSR_EV_COMPACT:
		zsr_engine_compact(p->e);
		break;
	}
	return 0;
}

static int on_mark(void *ctx, int64_t nr, const char *key, const char *value)
{
	struct play *p = ctx;

	if (p->mark_nr < 0 && !strcmp(value, p->mark))
		p->mark_nr = nr;
	return 0;
}

static int play_events(struct play *p, struct zsr_cursor *c, struct zsr_err *err)
{
	const struct zsr_event *ev;
	int n, i, ret;

	while (!p->done && (n = zsr_cursor_next(c, &ev, err)) != 0) {
		if (n < 0)
			return n;
		for (i = 0; i < n && !p->done; i++) {
			ret = play_event(p, &ev[i], err);
			if (ret)
				return ret;
		}
	}
	return 0;
}

int zsr_engine_play_trace(struct zsr_engine *e, struct zsr_db *db,
			  const struct zsr_trace *t, unsigned pool,
			  const char *mark, struct zsr_err *err)
{
	struct play p = { .e = e, .pool = pool, .mark = mark, .mark_nr = -1 };
	struct zsr_cursor *c = NULL;
	int ret = 0;

	if (mark)
		ret = zsr_trace_rows(db, t->id, ZSR_TABLE_MARKS, on_mark, &p,
				     err);
	if (!ret && mark && p.mark_nr < 0)
		ret = zsr_err_input(err, "trace '%s' has no mark '%s'", t->name,
				    mark);
	if (!ret)
		ret = zsr_cursor_open(db, t->id, &c, err);
	if (!ret) {
		ret = play_events(&p, c, err);
		zsr_cursor_close(c);
	}
	free(p.live.at);
	return ret;
}
