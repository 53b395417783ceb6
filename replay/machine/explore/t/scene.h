/* SPDX-License-Identifier: GPL-2.0-only */
/* One scenario for the tests of the exploring machine: up to four tasks, made
 * anew for each run. */
#ifndef ZSR_EXPLORE_SCENE_H
#define ZSR_EXPLORE_SCENE_H

#include <string.h>

#include "replay/machine/explore/explore.h"
#include "tests/check.h"

#define MAX_TASKS 4

/* Whatever a scenario below needs, made anew for each run. */
struct scene {
	unsigned nr_tasks, steps;
	void (*fn[MAX_TASKS])(struct zsr_explore *x, void *arg);
	void (*check)(struct zsr_explore *x);
	bool apart; /* each task on a line of its own */
	struct zsr_explore *x;
	struct zsr_machine *m;
	struct zsr_line line[MAX_TASKS];
	struct zsr_spinlock a, b;
	struct zsr_rwlock rw;
	struct zsr_workqueue wq;
	struct zsr_work work;
	struct zsr_delayed_work timer;
	struct zsr_explore_task *task[MAX_TASKS];
	int count, queue, seen, inside, most;
};

static struct scene scene;

static int begin(struct zsr_explore *x, void *ctx, struct zsr_err *err)
{
	static const char *const name[] = { "p0", "p1", "p2", "p3" };
	struct scene *s = ctx;
	unsigned i;

	(void)err;
	memset(&s->x, 0, sizeof(*s) - offsetof(struct scene, x));
	s->x = x;
	s->m = zsr_explore_machine(x);
	s->wq = (struct zsr_workqueue){ .name = "test",
					.flags = ZSR_WQ_UNBOUND };
	for (i = 0; i < s->nr_tasks; i++)
		s->task[i] = zsr_explore_spawn(x, name[i], i, s->fn[i],
					       &s->line[s->apart ? i : 0]);
	return 0;
}

static void end(struct zsr_explore *x, void *ctx)
{
	struct scene *s = ctx;

	if (s->check)
		s->check(x);
}

/* What per-CPU data looks like to those who should leave it alone. */
static uint64_t digest(void *ctx)
{
	const struct scene *s = ctx;
	uint64_t bits = 0;
	unsigned i;

	for (i = 0; i < MAX_TASKS; i++)
		bits = bits << 1 | !!s->line[i].owner;
	return bits;
}

static struct zsr_explore_scenario scenario = { .name = "test",
						.cpus = MAX_TASKS,
						.ctx = &scene,
						.begin = begin,
						.end = end,
						.digest = digest };

static inline struct zsr_explore_result explore(unsigned preemptions, bool merge)
{
	const struct zsr_explore_limits limits = { .preemptions = preemptions,
						   .merge = merge };
	struct zsr_explore_result r;
	struct zsr_err err = { 0 };

	ck_assert_msg(!zsr_explore(&scenario, &limits, &r, &err), "%s", err.msg);
	if (r.failed)
		printf("# %s\n", r.why);
	return r;
}

static inline void scene_reset(void)
{
	scene = (struct scene){ 0 };
	scenario.workers = 0;
	scenario.timers = 0;
	scenario.migrate = false;
	scenario.pages_fail = false;
}

#endif
