// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "db/sums.h"

#define NR_TIMES  1000 /* rows of zsr_live a trace, about and at most */
#define SIZE_STEP 256
#define NR_SIZES  257 /* the last one: 64 KiB and above */

/* Frees of a task. */
struct zsr_task_sum {
	uint32_t class; /* of those one after the other; 0: none */
	uint64_t length;
	uint64_t first_ns, last_ns;
	int64_t frees, bytes;
};

static int put_row(struct zsr_sums *s, struct zsr_sum_row row)
{
	if (zsr_grow(&s->rows, &s->cap_rows, s->nr_rows + 1, sizeof(*s->rows)))
		return -ENOMEM;
	s->rows[s->nr_rows++] = row;
	return 0;
}

void zsr_sums_start(struct zsr_sums *s)
{
	s->nr_rows = s->nr_tasks = 0;
	s->bucket = 0;
	s->objects = s->bytes = 0;
	memset(s->count, 0, sizeof(s->count));
}

void zsr_sums_free(struct zsr_sums *s)
{
	free(s->rows);
	free(s->tasks);
}

/* NULL: no memory. */
static struct zsr_task_sum *task_of(struct zsr_sums *s, uint32_t task)
{
	if (task >= s->nr_tasks) {
		if (zsr_grow(&s->tasks, &s->cap_tasks, (size_t)task + 1,
			     sizeof(*s->tasks)))
			return NULL;
		memset(s->tasks + s->nr_tasks, 0,
		       (task + 1 - s->nr_tasks) * sizeof(*s->tasks));
		s->nr_tasks = (size_t)task + 1;
	}
	return &s->tasks[task];
}

/* ---- what was live --------------------------------------------------------- */

static uint64_t live_step(const struct zsr_sums *s)
{
	return s->duration_ns / NR_TIMES + 1;
}

static int end_live(struct zsr_sums *s)
{
	if (!s->bucket)
		return 0;
	return put_row(
		s, (struct zsr_sum_row){ { (int64_t)(s->bucket * live_step(s)),
					   s->objects, s->bytes } });
}

static int add_live(struct zsr_sums *s, const struct zsr_event *ev,
		    const uint64_t *births, size_t n)
{
	uint64_t step = live_step(s), bucket;
	size_t i;
	int sign;

	for (i = 0; i < n; i++) {
		if (ev[i].obj == ZSR_OBJ_NONE)
			continue;
		bucket = ev[i].t_ns / step + 1;
		if (bucket != s->bucket) {
			if (end_live(s))
				return -ENOMEM;
			s->bucket = bucket;
		}
		sign = ev[i].kind == ZSR_EV_MALLOC ? 1 : -1;
		s->objects += sign;
		s->bytes += sign * (int64_t)ev[i].size;
	}
	return 0;
}

/* ---- mallocs by size -------------------------------------------------------- */

static int add_sizes(struct zsr_sums *s, const struct zsr_event *ev,
		     const uint64_t *births, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (ev[i].kind == ZSR_EV_MALLOC)
			s->count[zsr_min(ev[i].size / SIZE_STEP,
					 (uint32_t)NR_SIZES - 1)]
				.nr++;
	return 0;
}

static int end_sizes(struct zsr_sums *s)
{
	int ret = 0;
	size_t i;

	for (i = 0; i < NR_SIZES && !ret; i++)
		if (s->count[i].nr)
			ret = put_row(s, (struct zsr_sum_row){
						 { (int64_t)(i * SIZE_STEP),
						   s->count[i].nr } });
	return ret;
}

/* ---- lifetimes -------------------------------------------------------------- */

/* Below a us, then by powers of two of us. */
static int add_lives(struct zsr_sums *s, const struct zsr_event *ev,
		     const uint64_t *births, size_t n)
{
	uint64_t us;
	unsigned at;
	size_t i;

	for (i = 0; i < n; i++) {
		if (births[i] == UINT64_MAX)
			continue;
		us = (ev[i].t_ns - births[i]) / 1000;
		at = us ? 64 - (unsigned)__builtin_clzll(us) : 0;
		s->count[at].nr++;
		s->count[at].bytes += ev[i].size;
	}
	return 0;
}

static int end_lives(struct zsr_sums *s)
{
	unsigned i;
	int ret = 0;

	for (i = 0; i < 64 && !ret; i++)
		if (s->count[i].nr)
			ret = put_row(s, (struct zsr_sum_row){
						 { i ? 1000ll << (i - 1) : 0,
						   s->count[i].nr,
						   s->count[i].bytes } });
	return ret;
}

/* ---- frees of each task ------------------------------------------------------ */

static int add_task_frees(struct zsr_sums *s, const struct zsr_event *ev,
			  const uint64_t *births, size_t n)
{
	struct zsr_task_sum *t;
	size_t i;

	for (i = 0; i < n; i++) {
		if (ev[i].kind != ZSR_EV_FREE)
			continue;
		t = task_of(s, ev[i].task);
		if (!t)
			return -ENOMEM;
		if (!t->frees++)
			t->first_ns = ev[i].t_ns;
		t->last_ns = zsr_max(t->last_ns, ev[i].t_ns + ev[i].dur_ns);
		t->bytes += ev[i].size;
	}
	return 0;
}

static int end_task_frees(struct zsr_sums *s)
{
	const struct zsr_task_sum *t;
	size_t i;
	int ret = 0;

	for (i = 0; i < s->nr_tasks && !ret; i++) {
		t = &s->tasks[i];
		if (t->frees)
			ret = put_row(s,
				      (struct zsr_sum_row){
					      { (int64_t)i, t->frees, t->bytes,
						(int64_t)t->first_ns,
						(int64_t)t->last_ns } });
	}
	return ret;
}

/* ---- runs of frees of one class --------------------------------------------- */

static int end_run(struct zsr_sums *s, size_t task)
{
	const struct zsr_task_sum *t = &s->tasks[task];

	if (!t->class)
		return 0;
	return put_row(s, (struct zsr_sum_row){ { (int64_t)task, t->class,
						  (int64_t)t->length,
						  (int64_t)t->last_ns } });
}

static int add_runs(struct zsr_sums *s, const struct zsr_event *ev,
		    const uint64_t *births, size_t n)
{
	struct zsr_task_sum *t;
	uint32_t class = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		if (ev[i].kind != ZSR_EV_FREE)
			continue;
		t = task_of(s, ev[i].task);
		if (!t)
			return -ENOMEM;
		if (s->has_classes)
			class = zsr_classes_of(&s->classes, ev[i].size);
		if (class != t->class) {
			if (end_run(s, ev[i].task))
				return -ENOMEM;
			t->class = class;
			t->length = 0;
		}
		t->length++;
		t->last_ns = ev[i].t_ns;
	}
	return 0;
}

static int end_runs(struct zsr_sums *s)
{
	size_t i;
	int ret = 0;

	for (i = 0; i < s->nr_tasks && !ret; i++)
		ret = end_run(s, i);
	return ret;
}

const struct zsr_sum zsr_sum_list[ZSR_NR_SUMS] = {
	{
		.name = "zsr_live",
		.ddl = "CREATE TABLE x (trace INTEGER, t_ns INTEGER, "
		       "live_objects INTEGER, live_bytes INTEGER)",
		.want = ZSR_READ_SIZES,
		.add = add_live,
		.end = end_live,
	},
	{
		.name = "zsr_size",
		.ddl = "CREATE TABLE x (trace INTEGER, size_from INTEGER, "
		       "mallocs INTEGER)",
		.want = ZSR_WANT_SIZE,
		.add = add_sizes,
		.end = end_sizes,
	},
	{
		.name = "zsr_lifetime",
		.ddl = "CREATE TABLE x (trace INTEGER, life_from_ns INTEGER, "
		       "objects INTEGER, bytes INTEGER)",
		.want = ZSR_READ_BIRTHS,
		.add = add_lives,
		.end = end_lives,
	},
	{
		.name = "zsr_task_free",
		.ddl = "CREATE TABLE x (trace INTEGER, task INTEGER, "
		       "frees INTEGER, bytes INTEGER, first_ns INTEGER, "
		       "last_ns INTEGER)",
		.want = ZSR_WANT_TASK | ZSR_WANT_DUR | ZSR_READ_SIZES,
		.add = add_task_frees,
		.end = end_task_frees,
	},
	{
		.name = "zsr_class_run",
		.ddl = "CREATE TABLE x (trace INTEGER, task INTEGER, "
		       "class INTEGER, length INTEGER, t_ns INTEGER)",
		.want = ZSR_WANT_TASK | ZSR_READ_SIZES,
		.add = add_runs,
		.end = end_runs,
	},
};
