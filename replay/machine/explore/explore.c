// SPDX-License-Identifier: GPL-2.0-only
/* The search: run after run, depth first over the decisions, with one more
 * preemption allowed each time. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "replay/machine/explore/private.h"

/* Failing runs leave their memory behind, so no more than these are made on
 * the way to a short one. */
#define MAX_FAILURES         50
#define MAX_RUNS_FOR_SHORTER 5000

/* ---- decisions -------------------------------------------------------- */

unsigned zsr_explore_choose(struct zsr_explore *x, unsigned nr)
{
	struct choice *c;

	if (nr < 2)
		return 0;
	if (x->pos < x->nr_path) {
		c = &x->path[x->pos++];
		if (c->nr == nr)
			return c->taken;
		x->error = zsr_err_check(
			x->err, "runs differ: %u ways to go on, then %u", c->nr,
			nr);
		return 0;
	}
	if (x->merged ||
	    (x->result->failed && x->steps + 1 >= x->result->schedule_steps))
		return 0;
	if (x->limits->merge && zsr_explore_known(x)) {
		x->merged = true;
		x->result->merged++;
		return 0;
	}
	if (zsr_grow(&x->path, &x->cap_path, x->nr_path + 1, sizeof(*x->path))) {
		x->error = zsr_err_nomem(x->err, "decisions");
		return 0;
	}
	x->path[x->nr_path++] = (struct choice){ 0, (uint16_t)nr };
	x->pos++;
	return 0;
}

/* On to the next untried decision, the last one first; false: all were. */
static bool next_path(struct zsr_explore *x)
{
	while (x->nr_path) {
		struct choice *c = &x->path[x->nr_path - 1];

		if (++c->taken < c->nr)
			return true;
		x->nr_path--;
	}
	return false;
}

/* ---- one run ----------------------------------------------------------- */

static void task_main(void *arg)
{
	struct zsr_explore_task *t = arg;

	zsr_explore_saw(t->x, t->cpu);
	t->fn(t->x, t->arg);
	zsr_explore_check_free(t->x, "ends");
	t->ended = true;
	zsr_explore_touch(t->x, t);
	zsr_explore_turn(t->x, &t->coro);
}

struct zsr_explore_task *zsr_explore_spawn(
	struct zsr_explore *x, const char *name, unsigned cpu,
	void (*fn)(struct zsr_explore *x, void *arg), void *arg)
{
	struct zsr_explore_task *t = &x->task[x->nr_tasks];
	struct zsr_coro coro = t->coro;

	if (x->nr_tasks == ZSR_EXPLORE_MAX_TASKS)
		return NULL;
	if (x->nr_tasks == x->nr_stacks) {
		x->error = zsr_coro_init(&coro, x->err);
		if (x->error)
			return NULL;
		x->nr_stacks++;
	}
	*t = (struct zsr_explore_task){ .coro = coro,
					.x = x,
					.name = name,
					.fn = fn,
					.arg = arg,
					.cpu = cpu % x->m.nr_cpus,
					.op = OP_start,
					.history = x->nr_tasks + 1u };
	zsr_coro_start(&t->coro, task_main, t);
	x->nr_tasks++;
	return t;
}

static void spawn_workers(struct zsr_explore *x)
{
	static const char *const name[] = { "w0", "w1", "w2", "w3" };
	struct zsr_explore_task *t;
	unsigned i;

	for (i = 0; i < x->s->workers && i < ZSR_ARRAY_SIZE(name); i++) {
		t = zsr_explore_spawn(x, name[i], x->m.nr_cpus - 1 - i,
				      zsr_explore_worker, NULL);
		if (!t)
			return;
		t->worker = true;
		t->op = OP_idle;
	}
}

static void last_main(struct zsr_explore *x, void *ctx)
{
	x->s->last(x, ctx);
}

static void spawn_last(struct zsr_explore *x)
{
	struct zsr_explore_task *t;

	if (!x->s->last)
		return;
	t = zsr_explore_spawn(x, "last", x->m.nr_cpus - 1, last_main, x->s->ctx);
	if (t)
		t->op = OP_start_last;
}

static void run_clear(struct zsr_explore *x)
{
	x->boot = (struct zsr_explore_task){ .x = x, .name = "boot" };
	x->cur = &x->boot;
	x->nr_tasks = 0;
	memset(x->owner, 0, sizeof(x->owner));
	memset(x->offline, 0, sizeof(x->offline));
	x->pos = 0;
	x->merged = false;
	x->preemptions = 0;
	x->fired = 0;
	x->nr_works = 0;
	x->nr_timers = 0;
	x->pages = 0;
	zsr_explore_objects_clear(x);
	x->nr_trace = 0;
	x->steps = 0;
	x->failed = false;
}

void zsr_explore_leave(struct zsr_explore *x)
{
	do
		zsr_coro_switch(&x->cur->coro, &x->host);
	while (x->failed);
}

void zsr_explore_fail(struct zsr_explore *x, const char *fmt, ...)
{
	va_list ap;

	if (!x->failed) {
		va_start(ap, fmt);
		vsnprintf(x->why, sizeof(x->why), fmt, ap);
		va_end(ap);
		x->failed = true;
	}
	if (x->cur != &x->boot)
		zsr_explore_leave(x);
}

/* Nobody can go on: the end, unless somebody still wants to. */
static void check_ended(struct zsr_explore *x)
{
	char name[64];
	unsigned i;

	for (i = 0; i < x->nr_tasks; i++) {
		const struct zsr_explore_task *t = &x->task[i];

		if (t->ended || (t->worker && !t->work))
			continue;
		zsr_explore_name_of(x, t->object, name, sizeof(name));
		zsr_explore_fail(x, "deadlock: %s waits for %s", t->name, name);
		return;
	}
	if (x->nr_works)
		zsr_explore_fail(x, "deadlock: queued work and no worker");
}

static int run_once(struct zsr_explore *x)
{
	int ret;

	run_clear(x);
	spawn_workers(x);
	ret = x->s->begin(x, x->s->ctx, x->err);
	if (ret || x->error)
		return ret ? ret : x->error;
	spawn_last(x);
	if (!x->failed)
		zsr_explore_turn(x, &x->host);
	x->cur = &x->boot;
	if (!x->failed && !x->error)
		check_ended(x);
	if (!x->failed && !x->error)
		x->s->end(x, x->s->ctx);
	x->result->runs++;
	x->result->all_runs++;
	x->result->steps += x->steps;
	x->result->longest = zsr_max(x->result->longest, x->steps);
	return x->error;
}

/* ---- all runs ---------------------------------------------------------- */

static int note_failure(struct zsr_explore *x)
{
	struct zsr_explore_result *r = x->result;
	char *schedule;

	if (r->failed && r->schedule_steps <= x->steps)
		return 0;
	schedule = zsr_explore_schedule(x);
	if (!schedule)
		return zsr_err_nomem(x->err, "failing schedule");
	free(r->schedule);
	r->schedule = schedule;
	r->schedule_steps = x->steps;
	r->failed = true;
	memcpy(r->why, x->why, sizeof(r->why));
	return 0;
}

/* Every run with at most x->bound preemptions. */
static int explore_level(struct zsr_explore *x)
{
	struct zsr_explore_result *r = x->result;
	uint64_t failures = 0, last = UINT64_MAX;
	int ret;

	r->preemptions = x->bound;
	r->runs = r->steps = r->merged = 0;
	r->complete = false;
	x->nr_path = 0;
	x->nr_known = 0;
	x->bound_bites = false;
	if (x->cap_known)
		memset(x->known, 0, x->cap_known * sizeof(*x->known));
	if (x->limits->max_runs)
		last = x->limits->max_runs;
	do {
		ret = run_once(x);
		if (!ret && x->failed) {
			ret = note_failure(x);
			failures++;
			last = zsr_min(last, r->runs + MAX_RUNS_FOR_SHORTER);
		}
		if (ret)
			return ret;
		if (r->runs >= last || failures == MAX_FAILURES)
			return 0;
	} while (next_path(x));
	r->complete = !failures;
	r->exhausted = r->complete && !x->bound_bites;
	return 0;
}

/* Two small bounds before none: failing schedules are found with few
 * preemptions first. */
static unsigned next_bound(const struct zsr_explore *x)
{
	if (x->limits->preemptions == UINT32_MAX && x->bound == 2)
		return UINT32_MAX;
	return x->bound + 1;
}

static int explore_levels(struct zsr_explore *x)
{
	int ret;

	for (x->bound = 0;; x->bound = next_bound(x)) {
		ret = explore_level(x);
		if (ret || !x->result->complete || x->result->exhausted ||
		    x->bound == x->limits->preemptions)
			return ret;
	}
}

int zsr_explore(const struct zsr_explore_scenario *s,
		const struct zsr_explore_limits *limits,
		struct zsr_explore_result *result, struct zsr_err *err)
{
	struct zsr_explore *x = calloc(1, sizeof(*x));
	unsigned i;
	int ret;

	*result = (struct zsr_explore_result){ 0 };
	if (!x)
		return zsr_err_nomem(err, "exploring machine");
	x->m.ops = &zsr_explore_ops;
	x->m.nr_cpus = s->cpus;
	x->s = s;
	x->limits = limits;
	x->result = result;
	x->err = err;
	ret = explore_levels(x);
	for (i = 0; i < x->nr_stacks; i++)
		zsr_coro_free(&x->task[i].coro);
	free(x->path);
	free(x->known);
	free(x->trace);
	free(x);
	return ret ? zsr_err_wrap(err, ret, "explore %s", s->name) : 0;
}

void zsr_explore_result_free(struct zsr_explore_result *result)
{
	free(result->schedule);
	result->schedule = NULL;
}

struct zsr_machine *zsr_explore_machine(struct zsr_explore *x)
{
	return &x->m;
}

int64_t zsr_explore_pages(const struct zsr_explore *x)
{
	return x->pages;
}
