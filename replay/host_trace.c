// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "replay/host_trace.h"
#include "replay/release.h"

/* What is known of an object while the trace is read: its size, then this. */
#define UNKNOWN 0u
#define GONE    UINT32_MAX

struct reader {
	struct zsr_host_trace *h;
	struct zsr_feed feed;
	struct zsr_release_at *at; /* by task */
	size_t *last_free; /* by task: its place + 1 in an open release */
	size_t *first_free;
	uint32_t *open; /* by task: frees of the release under way */
	uint32_t *epoch; /* by task: barriers before its last event */
	uint32_t *object;
	uint64_t *bytes; /* by pool, now */
	uint64_t pause_ns;
};

static int append(struct zsr_host_task *t, const struct zsr_host_call *call)
{
	if (zsr_grow(&t->call, &t->cap, t->nr + 1, sizeof(*t->call)))
		return -ENOMEM;
	t->call[t->nr++] = *call;
	return 0;
}

static void release_close(struct reader *r, uint32_t task)
{
	struct zsr_host_task *t = &r->h->task[task];

	if (!r->open[task])
		return;
	t->call[r->first_free[task] - 1].arg = r->open[task];
	t->call[r->last_free[task] - 1].flags |= ZSR_HOST_LAST;
	t->nr_releases++;
	r->open[task] = 0;
}

static bool defers(unsigned caller)
{
	return caller == ZSR_CALLER_UNKNOWN ||
	       caller == ZSR_CALLER_SWAP_RELEASE ||
	       caller == ZSR_CALLER_ZSWAP_INVALIDATE;
}

/* ---- objects --------------------------------------------------------------- */

static int object_stored(struct reader *r, const struct zsr_feed_event *e)
{
	struct zsr_host_use *use = &r->h->pool[e->pool];

	if (e->obj >= r->h->trace->nr_objects || r->object[e->obj] != UNKNOWN)
		return -EINVAL;
	r->object[e->obj] = zsr_min(e->size, GONE - 2) + 1;
	r->bytes[e->pool] += e->size;
	use->peak_bytes = zsr_max(use->peak_bytes, r->bytes[e->pool]);
	use->nr_mallocs++;
	r->h->nr_mallocs++;
	return 0;
}

static int object_freed(struct reader *r, const struct zsr_feed_event *e)
{
	uint32_t *object;

	if (e->obj >= r->h->trace->nr_objects)
		return -EINVAL;
	object = &r->object[e->obj];
	if (*object == UNKNOWN || *object == GONE)
		return -EINVAL;
	r->bytes[e->pool] -= zsr_min(r->bytes[e->pool], *object - 1);
	*object = GONE;
	r->h->nr_frees++;
	return 0;
}

/* ---- events ------------------------------------------------------------------ */

static int add_free(struct reader *r, uint32_t task,
		    const struct zsr_feed_event *e, struct zsr_host_call *call)
{
	struct zsr_host_task *t = &r->h->task[task];
	int ret = object_freed(r, e);

	if (ret)
		return ret;
	call->kind = ZSR_HOST_FREE;
	if (defers(e->caller))
		call->flags |= ZSR_HOST_DEFERS;
	if (!r->open[task]++) {
		call->flags |= ZSR_HOST_FIRST;
		r->first_free[task] = t->nr + 1;
	}
	r->last_free[task] = t->nr + 1;
	t->nr_frees++;
	return append(t, call);
}

static int add_call(struct reader *r, uint32_t task,
		    const struct zsr_feed_event *e)
{
	struct zsr_host_call call = { .at_ns = e->entry_ns,
				      .obj = (uint32_t)e->obj,
				      .arg = e->size,
				      .pool = e->pool };
	int ret;

	switch (e->kind) {
	case ZSR_EV_FREE:
		call.arg = 0;
		return add_free(r, task, e, &call);
	case ZSR_EV_MALLOC:
		call.kind = ZSR_HOST_MALLOC;
		ret = object_stored(r, e);
		return ret ? ret : append(&r->h->task[task], &call);
	case ZSR_EV_COMPACT:
		call.kind = ZSR_HOST_COMPACT;
		return append(&r->h->task[task], &call);
	}
	return 0;
}

/* The task's first event of an epoch: it waits for the one before to end. */
static int enter_epoch(struct reader *r, uint32_t task, uint32_t epoch)
{
	const struct zsr_host_call call = { .kind = ZSR_HOST_EPOCH,
					    .arg = epoch };

	if (epoch == r->epoch[task])
		return 0;
	r->epoch[task] = epoch;
	r->h->in_epoch[epoch]++;
	return append(&r->h->task[task], &call);
}

static int grow_epochs(struct reader *r)
{
	size_t cap = r->h->nr_epochs;

	if (r->feed.epoch_read < r->h->nr_epochs)
		return 0;
	if (zsr_grow(&r->h->in_epoch, &cap, r->feed.epoch_read + 1ul,
		     sizeof(uint32_t)))
		return -ENOMEM;
	for (; r->h->nr_epochs < cap; r->h->nr_epochs++)
		r->h->in_epoch[r->h->nr_epochs] = 0;
	return 0;
}

static int read_event(struct reader *r, uint32_t task)
{
	const struct zsr_feed_event e = zsr_feed_take(&r->feed, task);
	struct zsr_release_at *at = &r->at[task];
	int ret = grow_epochs(r);

	zsr_feed_done(&r->feed, &e);
	if (zsr_release_parts(at, &e, r->pause_ns))
		release_close(r, task);
	if (!ret)
		ret = enter_epoch(r, task, (uint32_t)e.epoch);
	if (!ret)
		ret = add_call(r, task, &e);
	zsr_release_passed(at, &e);
	if (e.meaning == ZSR_TEXT_RELEASE_END)
		release_close(r, task);
	return ret;
}

static int read_all(struct reader *r, struct zsr_err *err)
{
	uint32_t task, i;
	int ret, fault;

	while ((ret = zsr_feed_read(&r->feed, &task, err)) > 0) {
		fault = read_event(r, task);
		if (fault == -EINVAL)
			return zsr_err_input(err,
					     "event %lu: its object was not "
					     "stored before, or is known",
					     (unsigned long)r->feed.read);
		if (fault)
			return zsr_err_nomem(err, "calls");
	}
	for (i = 0; !ret && i < r->h->trace->nr_tasks; i++)
		release_close(r, i);
	return ret;
}

/* ---- CPUs --------------------------------------------------------------------- */

static void most_often(struct zsr_host_task *t, const uint32_t *seen)
{
	unsigned cpu;

	for (cpu = 0; cpu < 64; cpu++)
		if (seen[cpu] > seen[t->cpu])
			t->cpu = cpu;
}

static int find_cpus(struct zsr_host_trace *h, struct zsr_db *db,
		     struct zsr_err *err)
{
	uint32_t(*seen)[64] = calloc(h->trace->nr_tasks + 1ul, sizeof(*seen));
	struct zsr_cursor *c = NULL;
	const struct zsr_event *ev;
	uint32_t task;
	int i, n, ret;

	if (!seen)
		return zsr_err_nomem(err, "CPUs of tasks");
	ret = zsr_cursor_open(db, h->trace->id, &c, err);
	while (!ret && (n = zsr_cursor_next(c, &ev, err))) {
		for (i = 0; i < n; i++)
			if (ev[i].task < h->trace->nr_tasks)
				seen[ev[i].task][ev[i].cpu % 64]++;
		ret = zsr_min(n, 0);
	}
	for (task = 0; !ret && task < h->trace->nr_tasks; task++)
		most_often(&h->task[task], seen[task]);
	zsr_cursor_close(c);
	free(seen);
	return ret;
}

/* ---- life ---------------------------------------------------------------------- */

static int reader_init(struct reader *r, struct zsr_db *db, struct zsr_err *err)
{
	const struct zsr_trace *t = r->h->trace;
	size_t tasks = t->nr_tasks + 1ul;
	int ret;

	if (t->nr_objects >= UINT32_MAX)
		return zsr_err_input(err, "more objects than threads play");
	r->h->task = calloc(tasks, sizeof(*r->h->task));
	r->h->pool = calloc(t->nr_pools + 1ul, sizeof(*r->h->pool));
	r->at = calloc(tasks, sizeof(*r->at));
	r->last_free = calloc(tasks, sizeof(*r->last_free));
	r->first_free = calloc(tasks, sizeof(*r->first_free));
	r->open = calloc(tasks, sizeof(*r->open));
	r->epoch = calloc(tasks, sizeof(*r->epoch));
	r->object = calloc(t->nr_objects + 1, sizeof(*r->object));
	r->bytes = calloc(t->nr_pools + 1ul, sizeof(*r->bytes));
	if (!r->h->task || !r->h->pool || !r->at || !r->last_free ||
	    !r->first_free || !r->open || !r->epoch || !r->object || !r->bytes)
		return zsr_err_nomem(err, "calls");
	memset(r->epoch, 0xff, tasks * sizeof(*r->epoch)); /* not begun */
	ret = zsr_feed_init(&r->feed, db, t, err);
	r->feed.window = UINT64_MAX;
	return ret;
}

static void reader_free(struct reader *r)
{
	zsr_feed_free(&r->feed);
	free(r->at);
	free(r->last_free);
	free(r->first_free);
	free(r->open);
	free(r->epoch);
	free(r->object);
	free(r->bytes);
}

int zsr_host_trace_load(struct zsr_host_trace *h, struct zsr_db *db,
			const struct zsr_trace *trace, uint64_t pause_ns,
			struct zsr_err *err)
{
	struct reader r = { .h = h, .pause_ns = pause_ns };
	int ret;

	*h = (struct zsr_host_trace){ .trace = trace };
	ret = reader_init(&r, db, err);
	if (!ret)
		ret = read_all(&r, err);
	reader_free(&r);
	return ret ? ret : find_cpus(h, db, err);
}

void zsr_host_trace_free(struct zsr_host_trace *h)
{
	uint32_t i;

	for (i = 0; h->task && i < h->trace->nr_tasks; i++)
		free(h->task[i].call);
	free(h->task);
	free(h->pool);
	free(h->in_epoch);
	*h = (struct zsr_host_trace){ 0 };
}
