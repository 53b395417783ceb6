// SPDX-License-Identifier: GPL-2.0-only
/* A trace's calls through an engine. */
#include <inttypes.h>

#include "judge/judge.h"
#include "judge/table.h"

struct play {
	struct zsr_engine *e;
	const struct zsr_play_hooks *hooks;
	struct judge_table live; /* handles by object */
	unsigned pool;
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
	if (ret || judge_table_put(&p->live, ev->obj, h))
		return zsr_err_nomem(err, "live objects");
	if (p->hooks->made)
		p->hooks->made(p->hooks->ctx, ev, h);
	return 0;
}

static int play_event(struct play *p, const struct zsr_event *ev,
		      struct zsr_err *err)
{
	int ret = 0;

	if (p->hooks->event)
		ret = p->hooks->event(p->hooks->ctx, ev, err);
	if (ret || ev->pool != p->pool)
		return ret;
	switch (ev->kind) {
	case ZSR_EV_MALLOC:
		return play_malloc(p, ev, err);
	case ZSR_EV_FREE:
		/* 0 is no handle: objects from before the trace. */
		if (ev->obj != ZSR_OBJ_NONE)
			zsr_engine_free(p->e, (zsr_handle)judge_table_take(
						      &p->live, ev->obj));
		break;
	case ZSR_EV_COMPACT:
		zsr_engine_compact(p->e);
		break;
	}
	return 0;
}

int zsr_judge_play(struct zsr_engine *e, struct zsr_db *db,
		   const struct zsr_trace *t, unsigned pool,
		   const struct zsr_play_hooks *hooks, struct zsr_err *err)
{
	struct play p = { .e = e, .hooks = hooks, .pool = pool };
	const struct zsr_event *ev;
	struct zsr_cursor *c;
	int n, i, ret = zsr_cursor_open(db, t->id, &c, err);

	if (ret)
		return ret;
	while (!ret && (n = zsr_cursor_next(c, &ev, err)) != 0) {
		if (n < 0)
			ret = n;
		for (i = 0; i < n && !ret; i++)
			ret = play_event(&p, &ev[i], err);
	}
	zsr_cursor_close(c);
	judge_table_free(&p.live);
	return ret;
}
