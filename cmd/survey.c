// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "cmd/survey.h"
#include "replay/engine/engine.h"

const struct zsr_odd_text zsr_odd_texts[] = {
#define X(name, text) { #name, text },
	ZSR_ODD_COUNTS(X)
#undef X
};

uint64_t zsr_survey_life(unsigned row)
{
	if (row >= 32)
		return UINT64_MAX;
	return row ? 1ull << (2 * row) : 0;
}

static unsigned life_row(uint64_t ns)
{
	return ns < 4 ? 0 : (63 - (unsigned)__builtin_clzll(ns)) / 2;
}

/* ---- one pass ------------------------------------------------------------ */

struct pass {
	struct zsr_survey *s;
	const struct zsr_trace *t;
	struct zsr_engine *engine; /* NULL: no model for this kernel */
	uint64_t *class_mallocs; /* by class index */
	unsigned nr_raw;
	size_t cap_marks;
};

static int add_mark(struct pass *p, const struct zsr_event *ev,
		    struct zsr_err *err)
{
	struct zsr_survey *s = p->s;

	if (zsr_grow(&s->marks, &p->cap_marks, s->nr_marks + 1,
		     sizeof(*s->marks)))
		return zsr_err_nomem(err, "marks");
	s->marks[s->nr_marks++] = (struct zsr_survey_mark){
		.t_ns = ev->t_ns,
		.nr = ev->aux,
	};
	return 0;
}

static void add_malloc(struct pass *p, const struct zsr_event *ev)
{
	struct zsr_survey *s = p->s;
	uint64_t row = ev->size ? (uint64_t)(ev->size - 1) * ZSR_SURVEY_SIZES /
					  p->t->page_size
				: 0;
	int class;

	s->sizes[zsr_min(row, (uint64_t)ZSR_SURVEY_SIZES - 1)]++;
	s->cpus[ev->cpu].mallocs++;
	s->tasks[ev->task].calls.mallocs++;
	if (!p->engine)
		return;
	class = zsr_engine_size_class(p->engine, ev->size);
	if (class >= 0 && (unsigned)class < p->nr_raw)
		p->class_mallocs[class]++;
}

static int add_event(struct pass *p, const struct zsr_event *ev, uint64_t birth,
		     struct zsr_err *err)
{
	struct zsr_survey *s = p->s;

	if (ev->cpu >= s->nr_cpus || ev->task >= s->nr_tasks)
		return zsr_err_input(err, "trace '%s': its counts are wrong",
				     p->t->name);
	switch (ev->kind) {
	case ZSR_EV_MALLOC:
		add_malloc(p, ev);
		break;
	case ZSR_EV_FREE:
		s->cpus[ev->cpu].frees++;
		s->tasks[ev->task].calls.frees++;
		if (birth != UINT64_MAX)
			s->lives[life_row(ev->t_ns - birth)]++;
		break;
	case ZSR_EV_MARK:
		return add_mark(p, ev, err);
	default:
		break;
	}
	return 0;
}

static int read_events(struct zsr_db *db, struct pass *p, struct zsr_err *err)
{
	struct zsr_progress progress;
	const struct zsr_event *ev;
	const uint64_t *births;
	struct zsr_cursor *c;
	uint64_t done = 0;
	int ret, n, i;

	ret = zsr_cursor_open(db, p->t->id, &c, err);
	if (!ret)
		ret = zsr_cursor_want_births(c, err);
	zsr_progress_start(&progress, p->t->name, "events", p->t->nr_events);
	while (!ret && (ret = n = zsr_cursor_next(c, &ev, err)) > 0) {
		births = zsr_cursor_births(c);
		for (i = 0, ret = 0; i < n && !ret; i++)
			ret = add_event(p, &ev[i], births[i], err);
		done += (uint64_t)n;
		zsr_progress_at(&progress, done);
	}
	zsr_progress_finish(&progress);
	zsr_cursor_close(c);
	return ret;
}

/* ---- names and numbers ------------------------------------------------------ */

static int on_task(void *ctx, const struct zsr_task *task)
{
	struct zsr_survey *s = ctx;

	if (task->row >= s->nr_tasks)
		return 0;
	s->tasks[task->row].pid = task->pid;
	memcpy(s->tasks[task->row].comm, task->comm, sizeof(task->comm));
	return 0;
}

static int on_mark(void *ctx, int64_t nr, const char *key, const char *value)
{
	struct zsr_survey *s = ctx;
	size_t i;

	/* Marks are few, and in order of their numbers but for hand-made
	 * traces. */
	for (i = 0; i < s->nr_marks; i++)
		if (s->marks[i].nr == (uint64_t)nr && !s->marks[i].text) {
			s->marks[i].text = strdup(value);
			if (!s->marks[i].text)
				return -ENOMEM;
		}
	return 0;
}

static int on_odd(void *ctx, int64_t nr, const char *key, const char *value)
{
	struct zsr_survey *s = ctx;
	unsigned i;

	for (i = 0; i < ZSR_NR_ODD; i++)
		if (!strcmp(key, zsr_odd_texts[i].name))
			s->odd[i] = strtoull(value, NULL, 10);
	return 0;
}

static int busier_task(const void *a, const void *b)
{
	const struct zsr_survey_task *x = a, *y = b;
	uint64_t m = x->calls.mallocs + x->calls.frees;
	uint64_t n = y->calls.mallocs + y->calls.frees;

	if (m != n)
		return m < n ? 1 : -1;
	return (x->pid > y->pid) - (x->pid < y->pid);
}

static int busier_class(const void *a, const void *b)
{
	const struct zsr_survey_class *x = a, *y = b;

	if (x->mallocs != y->mallocs)
		return x->mallocs < y->mallocs ? 1 : -1;
	return (x->size > y->size) - (x->size < y->size);
}

static int list_classes(struct pass *p, struct zsr_err *err)
{
	struct zsr_survey *s = p->s;
	struct zsr_class_info info;
	size_t cap = 0;
	unsigned i;

	for (i = 0; i < p->nr_raw; i++) {
		if (!zsr_engine_class_info(p->engine, i, &info))
			continue;
		s->nr_all_classes++;
		if (!p->class_mallocs[i])
			continue;
		if (zsr_grow(&s->classes, &cap, s->nr_classes + 1,
			     sizeof(*s->classes)))
			return zsr_err_nomem(err, "classes");
		s->classes[s->nr_classes++] = (struct zsr_survey_class){
			.size = info.size,
			.objs = info.objs,
			.pages = info.pages,
			.mallocs = p->class_mallocs[i],
		};
	}
	if (s->nr_classes)
		qsort(s->classes, s->nr_classes, sizeof(*s->classes),
		      busier_class);
	return 0;
}

static int prepare(struct pass *p, struct zsr_err *err)
{
	const struct zsr_model *model = zsr_model_find(p->t->kernel);
	struct zsr_survey *s = p->s;
	int ret = 0;

	s->nr_cpus = p->t->nr_cpus;
	s->nr_tasks = p->t->nr_tasks;
	s->cpus = calloc(s->nr_cpus + 1, sizeof(*s->cpus));
	s->tasks = calloc(s->nr_tasks + 1, sizeof(*s->tasks));
	if (!s->cpus || !s->tasks)
		return zsr_err_nomem(err, "counts");
	if (model)
		ret = zsr_engine_create(&p->engine, model, p->t->page_size,
					p->t->chain_size, err);
	if (!model || ret)
		return ret;
	p->nr_raw = zsr_engine_nr_raw_classes(p->engine);
	p->class_mallocs = calloc(p->nr_raw, sizeof(*p->class_mallocs));
	return p->class_mallocs ? 0 : zsr_err_nomem(err, "counts");
}

int zsr_survey_trace(struct zsr_db *db, const struct zsr_trace *t,
		     struct zsr_survey *s, struct zsr_err *err)
{
	struct pass p = { .s = s, .t = t };
	int ret;

	memset(s, 0, sizeof(*s));
	ret = prepare(&p, err);
	if (!ret)
		ret = zsr_trace_tasks(db, t->id, on_task, s, err);
	if (!ret)
		ret = zsr_trace_rows(db, t->id, ZSR_TABLE_ODD, on_odd, s, err);
	if (!ret)
		ret = read_events(db, &p, err);
	if (!ret)
		ret = zsr_trace_rows(db, t->id, ZSR_TABLE_MARKS, on_mark, s,
				     err);
	if (ret == -ENOMEM && !err->kind)
		ret = zsr_err_nomem(err, "marks");
	if (!ret)
		ret = list_classes(&p, err);
	if (!ret)
		qsort(s->tasks, s->nr_tasks, sizeof(*s->tasks), busier_task);
	if (p.engine)
		zsr_engine_destroy(p.engine);
	free(p.class_mallocs);
	if (ret)
		zsr_survey_free(s);
	return ret;
}

void zsr_survey_free(struct zsr_survey *s)
{
	size_t i;

	for (i = 0; i < s->nr_marks; i++)
		free(s->marks[i].text);
	free(s->marks);
	free(s->cpus);
	free(s->tasks);
	free(s->classes);
	memset(s, 0, sizeof(*s));
}
