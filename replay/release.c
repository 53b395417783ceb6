// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>

#include "replay/release.h"

bool zsr_release_parts(const struct zsr_release_at *at,
		       const struct zsr_feed_event *e, uint64_t pause_ns)
{
	if (e->kind == ZSR_EV_MARK && e->meaning == ZSR_TEXT_RELEASE_BEGIN)
		return true;
	if (at->marked)
		return false;
	if (e->kind == ZSR_EV_FREE)
		return zsr_release_gap(at, e) >= pause_ns;
	return e->kind != ZSR_EV_MARK || e->meaning != ZSR_TEXT_RELEASE_END;
}

void zsr_release_passed(struct zsr_release_at *at,
			const struct zsr_feed_event *e)
{
	if (e->meaning == ZSR_TEXT_RELEASE_BEGIN)
		at->marked = true;
	else if (e->meaning == ZSR_TEXT_RELEASE_END)
		at->marked = false;
	at->trace_ns = zsr_max(at->trace_ns, zsr_feed_return_ns(e));
}

/* ---- the largest ones -------------------------------------------------- */

/* Does A go before B when one has to? */
static bool goes_first(const struct zsr_release *a, const struct zsr_release *b)
{
	if (a->nr != b->nr)
		return a->nr < b->nr;
	if (a->begin_ns != b->begin_ns)
		return a->begin_ns > b->begin_ns;
	return a->task > b->task;
}

/* Put R at place I of the heap, whose root goes first, or below. */
static void sift_down(struct zsr_release *heap, size_t nr, size_t i,
		      struct zsr_release r)
{
	size_t down;

	while ((down = 2 * i + 1) < nr) {
		if (down + 1 < nr && goes_first(&heap[down + 1], &heap[down]))
			down++;
		if (!goes_first(&heap[down], &r))
			break;
		heap[i] = heap[down];
		i = down;
	}
	heap[i] = r;
}

int zsr_release_keep(struct zsr_run *run, size_t *cap,
		     const struct zsr_release *r)
{
	size_t i;

	if (run->nr_releases == ZSR_KEPT_RELEASES) {
		if (goes_first(&run->releases[0], r))
			sift_down(run->releases, run->nr_releases, 0, *r);
		return 0;
	}
	if (zsr_grow(&run->releases, cap, run->nr_releases + 1, sizeof(*r)))
		return -ENOMEM;
	run->releases[run->nr_releases++] = *r;
	if (run->nr_releases == ZSR_KEPT_RELEASES)
		for (i = run->nr_releases / 2; i--;)
			sift_down(run->releases, run->nr_releases, i,
				  run->releases[i]);
	return 0;
}

/* ---- the scan ---------------------------------------------------------- */

struct scan {
	struct zsr_feed feed;
	struct zsr_release_at *at;
	uint64_t *open; /* by task: frees of the release under way */
	struct zsr_releases *out;
};

static int close_release(struct scan *s, uint32_t task)
{
	struct zsr_release_list *l = &s->out->task[task];

	if (!s->open[task])
		return 0;
	if (zsr_grow(&l->objects, &l->cap, l->nr + 1, sizeof(*l->objects)))
		return -ENOMEM;
	l->objects[l->nr++] = s->open[task];
	s->open[task] = 0;
	return 0;
}

static int scan_event(struct scan *s, uint32_t task, uint64_t pause_ns)
{
	const struct zsr_feed_event e = zsr_feed_take(&s->feed, task);
	struct zsr_release_at *at = &s->at[task];

	zsr_feed_done(&s->feed, &e);
	if (zsr_release_parts(at, &e, pause_ns) && close_release(s, task))
		return -ENOMEM;
	s->open[task] += e.kind == ZSR_EV_FREE;
	zsr_release_passed(at, &e);
	if (e.meaning == ZSR_TEXT_RELEASE_END)
		return close_release(s, task);
	return 0;
}

static int scan_all(struct scan *s, uint64_t pause_ns, struct zsr_err *err)
{
	uint32_t task, i;
	int ret;

	while ((ret = zsr_feed_read(&s->feed, &task, err)) > 0)
		if (scan_event(s, task, pause_ns))
			return zsr_err_nomem(err, "releases");
	if (ret)
		return ret;
	for (i = 0; i < s->out->nr_tasks; i++)
		if (close_release(s, i))
			return zsr_err_nomem(err, "releases");
	return 0;
}

int zsr_releases_scan(struct zsr_releases *r, struct zsr_db *db,
		      const struct zsr_trace *trace, uint64_t pause_ns,
		      struct zsr_err *err)
{
	struct scan s = { .out = r };
	int ret;

	*r = (struct zsr_releases){ .nr_tasks = trace->nr_tasks };
	r->task = calloc(trace->nr_tasks + 1u, sizeof(*r->task));
	s.at = calloc(trace->nr_tasks + 1u, sizeof(*s.at));
	s.open = calloc(trace->nr_tasks + 1u, sizeof(*s.open));
	if (r->task && s.at && s.open)
		ret = zsr_feed_init(&s.feed, db, trace, err);
	else
		ret = zsr_err_nomem(err, "releases");
	if (!ret) {
		ret = scan_all(&s, pause_ns, err);
		zsr_feed_free(&s.feed);
	}
	free(s.at);
	free(s.open);
	return ret;
}

void zsr_releases_free(struct zsr_releases *r)
{
	uint32_t i;

	for (i = 0; r->task && i < r->nr_tasks; i++)
		free(r->task[i].objects);
	free(r->task);
	*r = (struct zsr_releases){ 0 };
}
