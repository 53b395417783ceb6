// SPDX-License-Identifier: GPL-2.0-only
/* What the events of a capture say of its kernel: how long frees and releases
 * took, and when memory came back. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/values.h"

#define MOST_POINTS 2048 /* of a curve; of more every other one is dropped */

/* A task's releases: runs of frees without a store of its own in between, or
 * what lies between its marks. */
struct span {
	uint64_t begin_ns, end_ns; /* of the one that is open */
	uint64_t sum_ns; /* of those that are over */
	bool open, marked, any;
};

struct reader {
	struct zsr_fidelity *f;
	struct zsr_hist *times;
	struct span *task;
	uint8_t *text; /* of marks: enum below */
	uint64_t *pages; /* of marks that are samples of the pool */
	size_t nr_texts, cap_texts, cap_pages, cap_curve;
	uint64_t from_ns; /* the first release's begin */
	bool begun;
	uint64_t nr_zspages, stride, pause_ns;
	uint64_t pages_before; /* of the pool, when the release began */
};

enum { TEXT_OTHER, TEXT_BEGIN, TEXT_END, TEXT_SAMPLE };

static int on_mark(void *ctx, int64_t nr, const char *key, const char *value)
{
	struct reader *r = ctx;
	size_t had = r->nr_texts;

	(void)key;
	if (nr < 0 || nr >= UINT32_MAX)
		return 0;
	if ((size_t)nr >= had) {
		if (zsr_grow(&r->text, &r->cap_texts, (size_t)nr + 1, 1) ||
		    zsr_grow(&r->pages, &r->cap_pages, (size_t)nr + 1,
			     sizeof(*r->pages)))
			return -ENOMEM;
		r->nr_texts = (size_t)nr + 1;
		memset(r->text + had, 0, r->nr_texts - had);
	}
	r->text[nr] = !strncmp(value, "release-begin", 13) ? TEXT_BEGIN
		      : !strncmp(value, "release-end", 11) ? TEXT_END
		      : sscanf(value, "vmstat pool_pages=%" SCNu64,
			       &r->pages[nr]) == 1
			      ? TEXT_SAMPLE
			      : TEXT_OTHER;
	return 0;
}

static void opens(struct reader *r, struct span *s, uint64_t t_ns)
{
	if (!r->begun)
		r->from_ns = t_ns;
	r->begun = true;
	if (!s->open)
		s->begin_ns = s->end_ns = t_ns;
	s->open = s->any = true;
}

static void closes(struct span *s)
{
	if (!s->open || s->marked)
		return;
	s->sum_ns += s->end_ns - s->begin_ns;
	s->open = false;
}

static void on_free(struct reader *r, const struct zsr_event *ev, struct span *s)
{
	uint64_t end = ev->t_ns + ev->dur_ns;

	if (ev->dur_ns)
		zsr_hist_add(r->times, ev->dur_ns);
	/* As the replay has it, a task that slept is in another release. */
	if (s->open && ev->t_ns > s->end_ns &&
	    ev->t_ns - s->end_ns >= r->pause_ns)
		closes(s);
	opens(r, s, ev->t_ns);
	s->end_ns = zsr_max(s->end_ns, end);
}

static void on_text(struct reader *r, const struct zsr_event *ev, struct span *s)
{
	unsigned text = ev->aux < r->nr_texts ? r->text[ev->aux] : TEXT_OTHER;

	if (text == TEXT_BEGIN) {
		closes(s);
		opens(r, s, ev->t_ns);
		s->marked = true;
	} else if (text == TEXT_END && s->open) {
		s->end_ns = zsr_max(s->end_ns, ev->t_ns);
		s->marked = false;
		closes(s);
	}
}

static int add_point(struct reader *r, uint64_t t_ns, uint64_t back)
{
	struct zsr_fidelity *f = r->f;
	size_t i;

	if (f->nr_curve == MOST_POINTS) {
		for (i = 0; i < MOST_POINTS / 2; i++)
			f->curve[i] = f->curve[2 * i + 1];
		f->nr_curve = MOST_POINTS / 2;
		r->stride *= 2;
	}
	if (zsr_grow(&f->curve, &r->cap_curve, f->nr_curve + 1,
		     sizeof(*f->curve)))
		return -ENOMEM;
	f->curve[f->nr_curve++] = (struct zsr_back){ t_ns - r->from_ns, back,
						     0 };
	return 0;
}

/* Zspages are counted: a capture does not say how many pages they had. */
static int on_page_free(struct reader *r, uint64_t t_ns)
{
	if (!r->begun)
		return 0;
	if (!r->nr_zspages++)
		r->f->nr_curve = 0; /* exact is better than sampled */
	return r->nr_zspages % r->stride ? 0 : add_point(r, t_ns, r->nr_zspages);
}

static bool is_sample(const struct reader *r, const struct zsr_event *ev)
{
	return ev->kind == ZSR_EV_MARK && ev->aux < r->nr_texts &&
	       r->text[ev->aux] == TEXT_SAMPLE;
}

/* Where zspages were not recorded, samples of the pool tell as much. */
static int on_sample(struct reader *r, const struct zsr_event *ev)
{
	uint64_t pages = r->pages[ev->aux], back;

	if (r->nr_zspages)
		return 0;
	if (!r->begun || pages > r->pages_before) {
		r->pages_before = pages;
		return 0;
	}
	back = zsr_max(r->pages_before - pages,
		       r->f->nr_curve ? r->f->curve[r->f->nr_curve - 1].zspages
				      : 0);
	if (!r->f->nr_curve || back > r->f->curve[r->f->nr_curve - 1].zspages)
		return add_point(r, ev->t_ns, back);
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
		else if (is_sample(r, &ev[i])) {
			if (on_sample(r, &ev[i]))
				return -ENOMEM;
		} else if (ev[i].kind == ZSR_EV_MARK)
			on_text(r, &ev[i], s);
		else if (ev[i].kind == ZSR_EV_MALLOC)
			closes(s);
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
	uint64_t sum = 0, all;
	size_t i;

	for (i = 0; i < nr_tasks; i++) {
		struct span *s = &r->task[i];

		s->marked = false;
		closes(s);
		if (!s->any)
			continue;
		f->nr_callers++;
		sum += zsr_min(s->sum_ns, UINT64_MAX / zsr_max(nr_tasks, 1));
		f->caller_max_ns = zsr_max(f->caller_max_ns, s->sum_ns);
	}
	f->caller_mean_ns = f->nr_callers ? sum / f->nr_callers : 0;
	if (!f->nr_curve)
		return;
	all = r->nr_zspages ? r->nr_zspages : f->curve[f->nr_curve - 1].zspages;
	for (i = 0; i < f->nr_curve; i++)
		f->curve[i].share = (double)f->curve[i].zspages /
				    (double)zsr_max(all, 1);
}

/* From where on a gap is a pause; a run without a profile has none. */
static uint64_t pause_of(const struct zsr_lines *profile)
{
	struct zsr_err err = { 0 };
	char value[40], unit[8];
	uint64_t n, ns;
	size_t i;

	for (i = 0; i < profile->nr; i++)
		if (sscanf(profile->line[i], "pause = %" SCNu64 " %7[a-z]", &n,
			   unit) == 2) {
			snprintf(value, sizeof(value), "%" PRIu64 "%s", n, unit);
			if (!zsr_parse_ns(value, &ns, &err))
				return ns;
		}
	return UINT64_MAX;
}

int zsr_captured_build(struct zsr_fidelity *f, const struct zsr_trace *t,
		       const struct zsr_lines *profile, struct zsr_db *db,
		       struct zsr_err *err)
{
	struct reader r = { .f = f, .stride = 1, .pause_ns = pause_of(profile) };
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
		f->no_curve = "the capture did not record zspages given back "
			      "(--placement, --vmstat)";
out:
	free(r.times);
	free(r.task);
	free(r.text);
	free(r.pages);
	return ret;
}
