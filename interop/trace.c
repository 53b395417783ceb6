// SPDX-License-Identifier: GPL-2.0-only
/* A trace as a timeline: a track a task, and what is live. */
#include <stdlib.h>

#include "interop/names.h"
#include "interop/timeline.h"

enum { TRACK_LIVE = ZSR_TRACK_FIRST, TRACK_TASKS };

/* A task has two, one behind the other: waits for locks lie within calls. */
enum { LANE_CALLS, LANE_WAITS, LANES };

struct lane {
	uint64_t end_ns; /* of its last slice */
	bool told;
};

#define MAX_ARGS 11

struct calls {
	struct zsr_timeline *tl;
	struct zsr_db *db;
	const struct zsr_trace *t;
	struct zsr_names names;
	struct lane *lane; /* LANES a task */
	uint64_t live_bytes;
	uint64_t nr_crossing;
};

static const struct zsr_track live = { TRACK_LIVE, "live bytes",
				       ZSR_UNIT_BYTES };

/* ---- about the trace ------------------------------------------------------ */

static int on_pool(void *ctx, int64_t nr, const char *key, const char *name)
{
	char pool[32];

	snprintf(pool, sizeof(pool), "pool.%lld", (long long)nr);
	zsr_about_text(ctx, pool, name);
	return 0;
}

static void facts(struct zsr_about *a, const struct zsr_trace *t)
{
	zsr_about_text(a, "zsr", ZSR_VERSION);
	zsr_about_text(a, "trace", t->name);
	zsr_about_text(a, "digest", t->digest);
	zsr_about_text(
		a, "time",
		"from the first record of the capture on, exact to the ns");
	zsr_about_text(a, "clock", t->clock);
	zsr_about_text(a, "times", zsr_times_name(t->times));
	zsr_about_text(a, "format", t->format);
	zsr_about_text(a, "kernel", t->kernel);
	zsr_about_number(a, t->page_size, "page_size");
	zsr_about_number(a, t->chain_size, "chain_size");
	zsr_about_number(a, t->from_empty, "from_empty");
	zsr_about_number(a, t->nr_cpus, "cpus");
	zsr_about_number(a, t->nr_events, "events");
	zsr_about_number(a, t->nr_mallocs, "mallocs");
	zsr_about_number(a, t->nr_frees, "frees");
	zsr_about_number(a, t->nr_lost, "lost");
}

static int begin(struct calls *c, struct zsr_err *err)
{
	struct zsr_about about = { 0 };
	char title[sizeof(c->t->name) + 16];
	int ret;

	facts(&about, c->t);
	ret = zsr_trace_rows(c->db, c->t->id, ZSR_TABLE_POOLS, on_pool, &about,
			     err);
	if (!ret && about.nomem)
		ret = zsr_err_nomem(err, "facts");
	snprintf(title, sizeof(title), "trace %s", c->t->name);
	if (!ret) {
		c->tl->ops->begin(c->tl, title, about.arg, about.nr);
		c->tl->ops->track(c->tl, &live);
	}
	zsr_about_free(&about);
	return ret;
}

/* ---- its events ----------------------------------------------------------- */

static void number(struct zsr_arg *arg, size_t *nr, const char *name,
		   bool known, uint64_t value)
{
	if (known)
		arg[(*nr)++] = (struct zsr_arg){ name, NULL, value };
}

/* What is known of an event, on its track. */
static size_t args_of(const struct zsr_event *ev, struct zsr_arg *arg)
{
	bool object = ev->obj != ZSR_OBJ_NONE;
	size_t nr = 0;

	number(arg, &nr, "cpu", true, ev->cpu);
	number(arg, &nr, "pool", ev->kind <= ZSR_EV_COMPACT, ev->pool);
	number(arg, &nr, "object", object, ev->obj);
	number(arg, &nr, "size", object || ev->size, ev->size);
	if (ev->caller != ZSR_CALLER_UNKNOWN)
		arg[nr++] = (struct zsr_arg){ "caller",
					      zsr_caller_name(ev->caller), 0 };
	number(arg, &nr, "slot", ev->slot >= 0, (uint64_t)ev->slot);
	number(arg, &nr, "cgroup", ev->cgroup >= 0, (uint64_t)ev->cgroup);
	number(arg, &nr, "gfp", ev->gfp, ev->gfp);
	number(arg, &nr, "flags", ev->flags, ev->flags);
	if (ev->kind == ZSR_EV_LOCK_WAIT)
		number(arg, &nr, "lock", true, ev->aux);
	else if (ev->kind == ZSR_EV_COMPACT || ev->kind == ZSR_EV_PAGE_FREE)
		number(arg, &nr, "pages", true, ev->aux);
	return nr;
}

static struct lane *lane_of(struct calls *c, const struct zsr_event *ev,
			    struct zsr_track *track)
{
	unsigned kind = ev->kind == ZSR_EV_LOCK_WAIT ? LANE_WAITS : LANE_CALLS;
	size_t nr = (size_t)ev->task * LANES + kind;
	const struct zsr_task *task = &c->names.task[ev->task];
	struct lane *lane = &c->lane[nr];
	char name[sizeof(task->comm) + 32];

	*track = (struct zsr_track){ .id = TRACK_TASKS + nr };
	if (!lane->told) {
		snprintf(name, sizeof(name), "%s-%d%s", task->comm, task->pid,
			 kind == LANE_WAITS ? " lock waits" : "");
		track->name = name;
		c->tl->ops->track(c->tl, track);
		track->name = NULL;
		lane->told = true;
	}
	return lane;
}

/* From its entry to its return; false: another call of its task is in the way. */
static bool span_of(const struct zsr_event *ev, const struct lane *lane,
		    struct zsr_happening *h)
{
	h->begin_ns = h->end_ns = ev->t_ns;
	if (ev->kind == ZSR_EV_MALLOC)
		h->begin_ns -= ev->dur_ns;
	else
		h->end_ns += ev->dur_ns;
	return h->begin_ns <= h->end_ns && h->begin_ns >= lane->end_ns;
}

static void tell_event(struct calls *c, const struct zsr_event *ev)
{
	struct zsr_arg arg[MAX_ARGS];
	struct zsr_track track;
	struct lane *lane = lane_of(c, ev, &track);
	struct zsr_happening h = { .track = &track, .arg = arg };
	bool fits = span_of(ev, lane, &h);

	h.name = zsr_event_kind_name(ev->kind);
	if (ev->kind == ZSR_EV_MARK && ev->aux < c->names.nr_marks)
		h.name = c->names.mark[ev->aux];
	h.nr_args = args_of(ev, arg);
	if (ev->dur_ns && fits) {
		c->tl->ops->slice(c->tl, &h);
		lane->end_ns = h.end_ns;
		return;
	}
	if (ev->dur_ns) {
		number(arg, &h.nr_args, "dur_ns", true, ev->dur_ns);
		c->nr_crossing++;
	}
	h.begin_ns = ev->t_ns;
	c->tl->ops->instant(c->tl, &h);
}

static void tell_live(struct calls *c, const struct zsr_event *ev)
{
	if (ev->obj == ZSR_OBJ_NONE)
		return;
	if (ev->kind == ZSR_EV_MALLOC)
		c->live_bytes += ev->size;
	else if (ev->kind == ZSR_EV_FREE)
		c->live_bytes -= ev->size;
	else
		return;
	c->tl->ops->value(c->tl, &live, ev->t_ns, c->live_bytes);
}

static int tell(struct zsr_timeline *tl, void *ctx, struct zsr_err *err)
{
	struct calls *c = ctx;
	const struct zsr_event *ev;
	struct zsr_cursor *cursor;
	int i, n, ret;

	c->tl = tl;
	ret = begin(c, err);
	if (!ret)
		ret = zsr_cursor_open(c->db, c->t->id, &cursor, err);
	if (ret)
		return ret;
	while ((n = zsr_cursor_next(cursor, &ev, err)) > 0 && !ferror(tl->f)) {
		for (i = 0; i < n; i++) {
			tell_event(c, &ev[i]);
			tell_live(c, &ev[i]);
		}
	}
	zsr_cursor_close(cursor);
	return n < 0 ? n : 0;
}

int zsr_export_trace(struct zsr_db *db, const struct zsr_trace *t,
		     enum zsr_timeline_format format, const char *path,
		     uint64_t *nr_crossing, struct zsr_err *err)
{
	struct calls c = { .db = db, .t = t };
	int ret = zsr_names_read(&c.names, db, t, err);

	c.lane = calloc((size_t)t->nr_tasks * LANES + 1, sizeof(*c.lane));
	if (!ret && !c.lane)
		ret = zsr_err_nomem(err, "tasks");
	if (!ret)
		ret = zsr_timeline_write(format, path, tell, &c, err);
	*nr_crossing = c.nr_crossing;
	free(c.lane);
	zsr_names_free(&c.names);
	return ret;
}
