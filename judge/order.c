// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether the order of a trace is the one in which calls had the allocator. Two
 * tasks that are in the same size class at once may have had it either way, and
 * both may have made a zspage where one would have done. A task makes one call at
 * a time: one without a duration began after the task's event before it, and
 * ended before the one after it.
 */
#include <stdlib.h>

#include "judge/internal.h"

int judge_order_init(struct judge_order *o, unsigned nr_classes,
		     unsigned nr_tasks)
{
	o->nr_classes = nr_classes;
	o->line = calloc(nr_classes + 1, sizeof(*o->line));
	o->task = calloc(nr_tasks + 1, sizeof(*o->task));
	return o->line && o->task ? 0 : -ENOMEM;
}

void judge_order_free(struct judge_order *o)
{
	free(o->line);
	free(o->task);
}

/* The free that TASK was last seen to enter is over by NOW. */
static void close_free(struct judge_line *l, uint32_t task, uint64_t now)
{
	if (l->last.any && l->last.task == task)
		l->last.end_ns = zsr_min(l->last.end_ns, now);
	if (l->other.any && l->other.task == task)
		l->other.end_ns = zsr_min(l->other.end_ns, now);
}

static void add(struct judge_line *l, const struct judge_call *call,
		uint64_t begin_ns)
{
	const struct judge_call *c = l->last.any && l->last.task == call->task
					     ? &l->other
					     : &l->last;

	l->overlapped |= c->any && c->end_ns >= begin_ns;
	if (c == &l->last)
		l->other = l->last;
	l->last = *call;
}

void judge_order_seen(struct judge_order *o, const struct zsr_event *ev)
{
	struct judge_task *t = &o->task[ev->task];

	if (t->in_free) {
		close_free(&o->line[t->class], ev->task, ev->t_ns);
		close_free(&o->line[o->nr_classes], ev->task, ev->t_ns);
		t->in_free = false;
	}
	t->last_ns = ev->t_ns;
}

uint64_t judge_order_add(struct judge_order *o, const struct zsr_event *ev,
			 unsigned class)
{
	struct judge_task *t = &o->task[ev->task];
	struct judge_call call = {
		.any = true,
		.task = ev->task,
		.end_ns = ev->t_ns,
	};
	uint64_t begin = t->last_ns;

	judge_order_seen(o, ev);
	if (ev->kind == ZSR_EV_FREE) {
		begin = ev->t_ns;
		call.end_ns = ev->dur_ns ? ev->t_ns + ev->dur_ns : UINT64_MAX;
		t->in_free = !ev->dur_ns;
		t->class = class;
	} else if (ev->dur_ns) {
		begin = ev->t_ns - zsr_min(ev->dur_ns, ev->t_ns);
	}
	add(&o->line[class], &call, begin);
	add(&o->line[o->nr_classes], &call, begin);
	return begin;
}
