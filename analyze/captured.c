// SPDX-License-Identifier: GPL-2.0-only
/* What the events of a capture say of its kernel: how long frees and releases
 * took, and when memory came back. */
#include <stdlib.h>
#include <string.h>

#include "analyze/values.h"

#define MOST_POINTS 2048 /* of a curve; of more every other one is dropped */

/* A task's release, as contracts.md has it. */
struct span {
	uint64_t begin_ns, end_ns;
	bool any, marked;
};

struct reader {
	struct zsr_fidelity *f;
	struct zsr_hist *times;
	struct span *task;
	uint8_t *text; /* of marks: enum below */
	size_t nr_texts, cap_texts, cap_curve;
	uint64_t from_ns; /* the first release's begin */
	bool begun;
	uint64_t nr_zspages, stride;
};

enum { TEXT_OTHER, TEXT_BEGIN, TEXT_END };

static int on_mark(void *ctx, int64_t nr, const char *key, const char *value)
{
	struct reader *r = ctx;
	size_t had = r->nr_texts;

	(void)key;
	if (nr < 0 || nr >= UINT32_MAX)
		return 0;
	if ((size_t)nr >= had) {
		if (zsr_grow(&r->text, &r->cap_texts, (size_t)nr + 1, 1))
			return -ENOMEM;
		r->nr_texts = (size_t)nr + 1;
		memset(r->text + had, 0, r->nr_texts - had);
	}
	r->text[nr] = !strncmp(value, "release-begin", 13) ? TEXT_BEGIN
		      : !strncmp(value, "release-end", 11) ? TEXT_END
							   : TEXT_OTHER;
	return 0;
}

static void begins(struct reader *r, uint64_t t_ns)
{
	if (!r->begun)
		r->from_ns = t_ns;
	r->begun = true;
}

static void on_free(struct reader *r, const struct zsr_event *ev, struct span *s)
{
	uint64_t end = ev->t_ns + ev->dur_ns;

	if (ev->dur_ns)
		zsr_hist_add(r->times, ev->dur_ns);
	begins(r, ev->t_ns);
	if (!s->any)
		s->begin_ns = ev->t_ns;
	s->any = true;
	if (!s->marked)
		s->end_ns = zsr_max(s->end_ns, end);
}

static void on_text(struct reader *r, const struct zsr_event *ev, struct span *s)
{
	unsigned text = ev->aux < r->nr_texts ? r->text[ev->aux] : TEXT_OTHER;

	if (text == TEXT_BEGIN) {
		begins(r, ev->t_ns);
		if (!s->any)
			s->begin_ns = ev->t_ns;
		s->any = true;
	} else if (text == TEXT_END && s->any) {
		s->end_ns = zsr_max(s->end_ns, ev->t_ns);
		s->marked = true;
	}
}

/* Zspages are counted: a capture does not say how many pages they had. */
static int on_page_free(struct reader *r, uint64_t t_ns)
{
	struct zsr_fidelity *f = r->f;
	size_t i;

	if (!r->begun)
		return 0;
	r->nr_zspages++;
	if (r->nr_zspages % r->stride)
		return 0;
	if (f->nr_curve == MOST_POINTS) {
		for (i = 0; i < MOST_POINTS / 2; i++)
			f->curve[i] = f->curve[2 * i + 1];
		f->nr_curve = MOST_POINTS / 2;
		r->stride *= 2;
	}
	if (zsr_grow(&f->curve, &r->cap_curve, f->nr_curve + 1,
		     sizeof(*f->curve)))
		return -ENOMEM;
	f->curve[f->nr_curve++] = (struct zsr_back){ t_ns - r->from_ns,
						     r->nr_zspages, 0 };
	return 0;
}

static int on_events(struct reader *r, const struct zsr_event *ev, int n,
		     uint32_t nr_tasks)
{
	int i;

	for (i = 0; i < n; i++) {
		struct span *s;

		if (ev[i].task >= nr_tasks)
			continue;
		s = &r->task[ev[i].task];
		if (ev[i].kind == ZSR_EV_FREE)
			on_free(r, &ev[i], s);
		else if (ev[i].kind == ZSR_EV_MARK)
			on_text(r, &ev[i], s);
		else if (ev[i].kind == ZSR_EV_PAGE_FREE &&
			 on_page_free(r, ev[i].t_ns))
			return -ENOMEM;
	}
	return 0;
}

static int read_events(struct reader *r, const struct zsr_trace *t,
		       struct zsr_db *db, struct zsr_err *err)
{
	const struct zsr_event *ev;
	struct zsr_cursor *cursor;
	int n, ret;

	ret = zsr_trace_rows(db, t->id, ZSR_TABLE_MARKS, on_mark, r, err);
	if (!ret)
		ret = zsr_cursor_open(db, t->id, &cursor, err);
	if (ret)
		return ret;
	ret = zsr_cursor_want_no_sizes(cursor, err);
	while (!ret && (n = zsr_cursor_next(cursor, &ev, err)) != 0)
		ret = n < 0 ? n : on_events(r, ev, n, t->nr_tasks);
	zsr_cursor_close(cursor);
	return ret;
}

/* Who took how long; the share of zspages that was back. */
static void sum_up(struct reader *r, uint32_t nr_tasks)
{
	struct zsr_fidelity *f = r->f;
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < nr_tasks; i++) {
		const struct span *s = &r->task[i];
		uint64_t ns = s->end_ns - zsr_min(s->begin_ns, s->end_ns);

		if (!s->any)
			continue;
		f->nr_callers++;
		sum += zsr_min(ns, UINT64_MAX / 1024 / zsr_max(nr_tasks, 1));
		f->caller_max_ns = zsr_max(f->caller_max_ns, ns);
	}
	f->caller_mean_ns = f->nr_callers ? sum / f->nr_callers : 0;
	for (i = 0; i < f->nr_curve; i++)
		f->curve[i].share = (double)f->curve[i].zspages /
				    (double)zsr_max(r->nr_zspages, 1);
}

int zsr_captured_build(struct zsr_fidelity *f, const struct zsr_trace *t,
		       struct zsr_db *db, struct zsr_err *err)
{
	struct reader r = { .f = f, .stride = 1 };
	int ret = -ENOMEM;

	f->untimed = !t ? "the trace is no longer in the database"
		     : t->times == ZSR_TIMES_EMULATED
			     ? "the times of the capture are an emulator's"
		     : t->times == ZSR_TIMES_SYNTHETIC
			     ? "the trace is synthetic"
		     : !t->has_dur ? "the capture has no returns"
				   : NULL;
	f->no_curve = f->untimed;
	if (f->untimed || !db)
		return 0;
	r.times = malloc(sizeof(*r.times));
	r.task = calloc(zsr_max(t->nr_tasks, 1), sizeof(*r.task));
	if (!r.times || !r.task)
		goto out;
	zsr_hist_init(r.times);
	ret = read_events(&r, t, db, err);
	if (!ret) {
		sum_up(&r, t->nr_tasks);
		ret = zsr_latency_build(&f->captured, r.times);
	}
	if (!f->captured.nr)
		f->untimed = "the capture has no returns of frees";
	if (!f->nr_curve)
		f->no_curve = "the capture did not record zspages given back";
out:
	free(r.times);
	free(r.task);
	free(r.text);
	return ret;
}
