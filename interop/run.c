// SPDX-License-Identifier: GPL-2.0-only
/*
 * A run as a timeline: what it recorded over time. Releases are slices of their
 * tasks. Of CPUs it knows how long they did what in each column of a grid: a
 * slice is as long as that, and lies in its column, no one knows where.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "interop/timeline.h"

enum {
	TRACK_STAGES = ZSR_TRACK_FIRST,
	TRACK_SERIES,
	TRACK_REST = TRACK_SERIES + ZSR_NR_RUN_SERIES,
};

static const struct zsr_track series[ZSR_NR_RUN_SERIES] = {
	[ZSR_SERIES_live_pages] = { TRACK_SERIES + ZSR_SERIES_live_pages,
				    "live pages", ZSR_UNIT_PAGES },
	[ZSR_SERIES_held_pages] = { TRACK_SERIES + ZSR_SERIES_held_pages,
				    "pages held back", ZSR_UNIT_PAGES },
	[ZSR_SERIES_back_pages] = { TRACK_SERIES + ZSR_SERIES_back_pages,
				    "pages given back", ZSR_UNIT_PAGES },
	[ZSR_SERIES_queue_depth] = { TRACK_SERIES + ZSR_SERIES_queue_depth,
				     "queue depth", ZSR_UNIT_ENTRIES },
};

static const char *const kinds[ZSR_NR_BUSY] = {
	[ZSR_BUSY_CALLER] = "release",
	[ZSR_BUSY_WORKER] = "worker",
	[ZSR_BUSY_LOAD] = "load",
	[ZSR_BUSY_OTHER] = "other",
};

struct teller {
	struct zsr_timeline *tl;
	struct zsr_db *db;
	const struct zsr_run *run;
	struct zsr_task *task; /* by the order of their tracks */
	uint64_t *end_ns; /* of a task's last slice */
	uint32_t nr_tasks;
};

/* ---- about the run ---------------------------------------------------------- */

static void texts(struct zsr_about *a, const struct zsr_run *r)
{
	bool host = !strcmp(r->clock, "host");
	const struct zsr_arg text[] = {
		{ "zsr", ZSR_VERSION, 0 },
		{ "trace", r->trace_name, 0 },
		{ "trace_digest", r->trace_digest, 0 },
		{ "digest", r->digest, 0 },
		{ "time",
		  host ? "from the begin of the run on, as the host's clock "
			 "had it"
		       : "from the begin of the run on, of the virtual clock, "
			 "exact to the ns",
		  0 },
		{ "clock", r->clock, 0 },
		{ "policy", r->policy, 0 },
		{ "params", r->params ? r->params : "", 0 },
		{ "profile", r->profile, 0 },
		{ "arrival", r->arrival, 0 },
		{ "gaps", r->gaps, 0 },
		{ "outer_lock", r->outer_lock, 0 },
		{ "conditions", r->conditions, 0 },
		{ "engine", r->engine, 0 },
	};
	size_t i;

	for (i = 0; i < ZSR_ARRAY_SIZE(text); i++)
		zsr_about_text(a, text[i].name, text[i].text);
}

static void numbers(struct zsr_about *a, const struct zsr_run *r)
{
	size_t i;

	zsr_about_number(a, (uint64_t)r->id, "run");
	zsr_about_number(a, r->page_size, "page_size");
	zsr_about_number(a, r->cpus, "cpus");
	zsr_about_number(a, r->seed, "seed");
	if (r->grid[ZSR_GRID_busy].nr_rows)
		zsr_about_number(a, r->grid[ZSR_GRID_busy].step_ns,
				 "cpu_slices_within_ns");
#define X(name, unit, text)                                                    \
	if (r->v.name != UINT64_MAX)                                           \
		zsr_about_number(a, r->v.name, "value." #name);
	ZSR_RUN_VALUES(X)
#undef X
	for (i = 0; i < r->nr_steps; i++)
		zsr_about_number(a, r->steps[i].ns, "step.%s.%s_ns",
				 r->steps[i].who, r->steps[i].step);
}

/* Waits were summed up, not recorded one by one. */
static void locks(struct zsr_about *a, const struct zsr_run *r)
{
	size_t i;

	for (i = 0; i < r->nr_locks; i++) {
		const struct zsr_run_lock *l = &r->locks[i];
		char name[sizeof(l->name) + 16];

		if (l->size)
			snprintf(name, sizeof(name), "%s-%u", l->name, l->size);
		else
			snprintf(name, sizeof(name), "%s", l->name);
		zsr_about_number(a, l->acquired, "lock.%s.acquired", name);
		zsr_about_number(a, l->contended, "lock.%s.contended", name);
		zsr_about_number(a, l->wait_ns, "lock.%s.wait_ns", name);
		zsr_about_number(a, l->hold_ns, "lock.%s.hold_ns", name);
	}
}

static int begin(struct teller *t, struct zsr_err *err)
{
	struct zsr_about about = { 0 };
	char title[sizeof(t->run->trace_name) + sizeof(t->run->policy) + 32];

	texts(&about, t->run);
	numbers(&about, t->run);
	locks(&about, t->run);
	snprintf(title, sizeof(title), "run #%lld %s %s", (long long)t->run->id,
		 t->run->trace_name, t->run->policy);
	if (!about.nomem)
		t->tl->ops->begin(t->tl, title, about.arg, about.nr);
	zsr_about_free(&about);
	return about.nomem ? zsr_err_nomem(err, "facts") : 0;
}

/* ---- stages, series ---------------------------------------------------------- */

static void stage(struct teller *t, const char *name, uint64_t since_ns,
		  uint64_t at_ns)
{
	const struct zsr_track track = { .id = TRACK_STAGES };
	const struct zsr_happening h = { .track = &track,
					 .name = name,
					 .begin_ns = since_ns + at_ns };

	if (at_ns != UINT64_MAX && h.begin_ns >= since_ns)
		t->tl->ops->instant(t->tl, &h);
}

static void stages(struct teller *t)
{
	const struct zsr_track track = { TRACK_STAGES, "stages", ZSR_UNIT_NONE };
	const struct zsr_run_values *v = &t->run->v;
	uint64_t first = v->first_release_ns;

	t->tl->ops->track(t->tl, &track);
	if (!v->frees)
		return;
	stage(t, "first release", first, 0);
	stage(t, "last caller returned", 0, v->last_return_ns);
	stage(t, "50 % of pages back", first, v->at_50_ns);
	stage(t, "90 % of pages back", first, v->at_90_ns);
	stage(t, "99 % of pages back", first, v->at_99_ns);
	stage(t, "all pages back", first, v->at_100_ns);
	stage(t, "all idle", 0, v->end_ns);
}

static void tell_series(struct teller *t)
{
	size_t i, k;

	for (i = 0; i < ZSR_NR_RUN_SERIES; i++) {
		const struct zsr_series *s = &t->run->series[i];

		t->tl->ops->track(t->tl, &series[i]);
		for (k = 0; k < s->nr; k++)
			t->tl->ops->value(t->tl, &series[i], s->points[k].t_ns,
					  s->points[k].value);
	}
}

/* ---- tasks -------------------------------------------------------------------- */

static int by_row(const void *a, const void *b)
{
	const struct zsr_task *x = a, *y = b;

	return (x->row > y->row) - (x->row < y->row);
}

static struct zsr_task *find_task(const struct teller *t, uint32_t row)
{
	const struct zsr_task key = { .row = row };

	return bsearch(&key, t->task, t->nr_tasks, sizeof(key), by_row);
}

static int on_task(void *ctx, const struct zsr_task *task)
{
	struct zsr_task *found = find_task(ctx, task->row);

	if (found)
		*found = *task;
	return 0;
}

/* Those that released something. */
static int find_tasks(struct teller *t, struct zsr_err *err)
{
	const struct zsr_run *r = t->run;
	size_t i;

	t->task = calloc(r->nr_releases + 1, sizeof(*t->task));
	t->end_ns = calloc(r->nr_releases + 1, sizeof(*t->end_ns));
	if (!t->task || !t->end_ns)
		return zsr_err_nomem(err, "tasks");
	for (i = 0; i < r->nr_releases; i++)
		t->task[i].row = r->releases[i].task;
	qsort(t->task, r->nr_releases, sizeof(*t->task), by_row);
	for (i = 0; i < r->nr_releases; i++)
		if (!i || t->task[i].row != t->task[t->nr_tasks - 1].row)
			t->task[t->nr_tasks++].row = t->task[i].row;
	return r->trace ? zsr_trace_tasks(t->db, r->trace, on_task, t, err) : 0;
}

static void task_tracks(struct teller *t)
{
	char name[sizeof(t->task->comm) + 32];
	uint32_t i;

	for (i = 0; i < t->nr_tasks; i++) {
		const struct zsr_task *task = &t->task[i];
		const struct zsr_track track = { TRACK_REST + i, name,
						 ZSR_UNIT_NONE };

		if (*task->comm || task->pid)
			snprintf(name, sizeof(name), "%s-%d", task->comm,
				 task->pid);
		else
			snprintf(name, sizeof(name), "task %u", task->row);
		t->tl->ops->track(t->tl, &track);
	}
}

/* A release that does not fit behind the one before is damage: it has no
 * length. */
static void tell_release(struct teller *t, const struct zsr_release *r)
{
	size_t nr = (size_t)(find_task(t, r->task) - t->task);
	const struct zsr_track track = { .id = TRACK_REST + nr };
	const struct zsr_arg arg[] = { { "objects", NULL, r->nr },
				       { "end_ns", NULL, r->end_ns } };
	struct zsr_happening h = { &track,    "release", r->begin_ns,
				   r->end_ns, arg,       1 };

	if (r->begin_ns <= r->end_ns && r->begin_ns >= t->end_ns[nr]) {
		t->end_ns[nr] = r->end_ns;
		t->tl->ops->slice(t->tl, &h);
		return;
	}
	h.nr_args = 2;
	t->tl->ops->instant(t->tl, &h);
}

/* ---- CPUs --------------------------------------------------------------------- */

/* A CPU's rows [from, to), a column: each kind of work as long as it took, one
 * after the other. Returns when the last of it ends. */
static uint64_t tell_column(struct teller *t, const struct zsr_track *track,
			    uint32_t from, uint32_t to, uint32_t col,
			    uint64_t end_ns)
{
	const struct zsr_grid *g = &t->run->grid[ZSR_GRID_busy];
	struct zsr_happening h = { .track = track };
	uint64_t begin_ns;
	uint32_t row;

	if (__builtin_mul_overflow(g->step_ns, col, &begin_ns) ||
	    __builtin_add_overflow(g->begin_ns, begin_ns, &begin_ns))
		return end_ns;
	h.end_ns = zsr_max(end_ns, begin_ns);
	for (row = from; row < to; row++) {
		uint32_t ns = g->cell[(size_t)row * g->nr_cols + col];
		uint64_t kind = g->row[row] & 0xff;

		if (!ns || kind >= ZSR_NR_BUSY || ns > UINT64_MAX - h.end_ns)
			continue;
		h.name = kinds[kind];
		h.begin_ns = h.end_ns;
		h.end_ns += ns;
		t->tl->ops->slice(t->tl, &h);
	}
	return h.end_ns;
}

static void tell_cpus(struct teller *t)
{
	const struct zsr_grid *g = &t->run->grid[ZSR_GRID_busy];
	uint32_t from, to, col;
	uint64_t end_ns;
	char name[32];

	for (from = 0; from < g->nr_rows; from = to) {
		uint64_t cpu = g->row[from] >> 8;
		const struct zsr_track track = { TRACK_REST + t->nr_tasks + from,
						 name, ZSR_UNIT_NONE };

		for (to = from; to < g->nr_rows && g->row[to] >> 8 == cpu; to++)
			;
		snprintf(name, sizeof(name), "CPU %" PRIu64, cpu);
		t->tl->ops->track(t->tl, &track);
		end_ns = 0;
		for (col = 0; col < g->nr_cols; col++)
			end_ns = tell_column(t, &track, from, to, col, end_ns);
	}
}

static int tell(struct zsr_timeline *tl, void *ctx, struct zsr_err *err)
{
	struct teller *t = ctx;
	size_t i;
	int ret;

	t->tl = tl;
	ret = find_tasks(t, err);
	if (!ret)
		ret = begin(t, err);
	if (ret)
		return ret;
	stages(t);
	tell_series(t);
	task_tracks(t);
	for (i = 0; i < t->run->nr_releases; i++)
		tell_release(t, &t->run->releases[i]);
	tell_cpus(t);
	return 0;
}

int zsr_export_run(struct zsr_db *db, const struct zsr_run *run,
		   enum zsr_timeline_format format, const char *path,
		   struct zsr_err *err)
{
	struct teller t = { .db = db, .run = run };
	int ret = zsr_timeline_write(format, path, tell, &t, err);

	free(t.task);
	free(t.end_ns);
	return ret;
}
