// SPDX-License-Identifier: GPL-2.0-only
/* Whose turn it is: who can go on, what that costs, and the switch. */
#include "replay/machine/explore/private.h"

/* One way to go on. */
struct way {
	struct zsr_explore_task *t; /* NULL: only a timer fires */
	unsigned cpu;
	struct zsr_work *work; /* what an idle worker takes */
	struct zsr_delayed_work *timer; /* that fires first */
	unsigned cost; /* preemptions */
};

#define MAX_WAYS (4 * MAX_WORKS)

struct ways {
	struct way way[MAX_WAYS];
	unsigned nr;
	unsigned left; /* preemptions that may be spent */
	struct zsr_explore_task *idle; /* workers are alike: the first one */
};

/* Every task but T and the workers. */
static bool all_ended(const struct zsr_explore *x,
		      const struct zsr_explore_task *t)
{
	unsigned i;

	for (i = 0; i < x->nr_tasks; i++)
		if (&x->task[i] != t && !x->task[i].worker && !x->task[i].ended)
			return false;
	return true;
}

static unsigned left(const struct zsr_explore *x)
{
	return x->bound == UINT32_MAX ? UINT32_MAX : x->bound - x->preemptions;
}

/* Does the operation find what it waits for? */
static bool can_do(struct zsr_explore *x, const struct zsr_explore_task *t)
{
	const struct zsr_spinlock *spin = t->object;
	const struct zsr_rwlock *rw = t->object;
	const struct zsr_work *work = t->object;
	const struct zsr_explore_task *other = t->object;

	switch (t->op) {
	case OP_spin_lock:
		return !spin->owner;
	case OP_read_lock:
		return !rw->writer && !zsr_explore_object(x, rw)->writers;
	case OP_write_lock:
		return !rw->writer && !rw->readers;
	case OP_flush_work:
		return !work->pending && !work->running;
	case OP_start_last:
		return all_ended(x, t);
	case OP_join:
		return other->ended;
	case OP_offline:
		return !*(struct zsr_explore_task *const *)t->object;
	default:
		return true;
	}
}

static void way_add(struct zsr_explore *x, struct ways *ways, struct way way)
{
	if (way.cost > ways->left)
		x->bound_bites = true;
	else if (ways->nr < MAX_WAYS)
		ways->way[ways->nr++] = way;
}

static bool is_free(const struct zsr_explore *x, unsigned cpu)
{
	return !x->owner[cpu] && !x->offline[cpu];
}

/* T goes on where it is or, as it is about to stay on one CPU for a while, on
 * another one. */
static void ways_of_task(struct zsr_explore *x, struct ways *ways,
			 struct zsr_explore_task *t, unsigned cost)
{
	unsigned cpu;

	if (!can_do(x, t))
		return;
	if (t->preempt_off || !x->owner[t->cpu])
		way_add(x, ways, (struct way){ .t = t, t->cpu, .cost = cost });
	if (t->preempt_off || t->bound || !x->s->migrate ||
	    t->op > OP_preempt_disable)
		return;
	for (cpu = 0; cpu < x->m.nr_cpus; cpu++)
		if (cpu != t->cpu && is_free(x, cpu))
			way_add(x, ways,
				(struct way){ .t = t, cpu, .cost = cost + 1 });
}

/* The first CPU that is free, from the worker's own on; nr_cpus: none. */
static unsigned free_cpu(const struct zsr_explore *x,
			 const struct zsr_explore_task *t,
			 const struct zsr_work *w)
{
	unsigned i, cpu;

	if (zsr_explore_bound(x, w))
		return is_free(x, w->cpu) ? w->cpu : x->m.nr_cpus;
	for (i = 0; i < x->m.nr_cpus; i++) {
		cpu = (t->cpu + i) % x->m.nr_cpus;
		if (is_free(x, cpu))
			return cpu;
	}
	return x->m.nr_cpus;
}

/* The worker takes the item, whose timer, if it has one, fires first. */
static void way_of_work(struct zsr_explore *x, struct ways *ways, struct way way)
{
	if (!way.t || !zsr_explore_work_ready(x, way.work))
		return;
	way.cpu = free_cpu(x, way.t, way.work);
	if (way.cpu < x->m.nr_cpus)
		way_add(x, ways, way);
}

static void ways_of_idle(struct zsr_explore *x, struct ways *ways,
			 struct zsr_explore_task *t, unsigned cost)
{
	unsigned i;

	if (ways->idle)
		return;
	ways->idle = t;
	for (i = 0; i < x->nr_works; i++)
		if (x->work[i]->pending)
			way_of_work(x, ways,
				    (struct way){ .t = t,
						  .work = x->work[i],
						  .cost = cost });
}

static void ways_of(struct zsr_explore *x, struct ways *ways,
		    struct zsr_explore_task *t, unsigned cost)
{
	if (t->ended)
		return;
	if (t->op == OP_idle)
		ways_of_idle(x, ways, t, cost);
	else
		ways_of_task(x, ways, t, cost);
}

/* Timers have no use once every task has ended. */
static void ways_of_timers(struct zsr_explore *x, struct ways *ways)
{
	unsigned i, cost = ways->nr ? 1 : 0;

	if (all_ended(x, NULL) || (cost && x->fired >= x->s->timers))
		return;
	for (i = 0; i < x->nr_timers; i++) {
		struct way way = { .work = &x->timer[i]->work,
				   .timer = x->timer[i],
				   .cost = cost };

		way_add(x, ways, way);
		way.t = ways->idle;
		way_of_work(x, ways, way);
	}
}

/* What may sleep. Over and over in one turn, it waits in a loop for somebody
 * else's step. */
static bool yields(enum op op)
{
	return op == OP_cond_resched || op == OP_flush_work;
}

/* All ways to go on, first the one that goes on as before. */
static void find_ways(struct zsr_explore *x, struct ways *ways)
{
	struct zsr_explore_task *cur = x->cur;
	unsigned i, cost = 0;

	ways->nr = 0;
	ways->left = left(x);
	ways->idle = NULL;
	if (cur != &x->boot && cur->yields <= MAX_YIELDS)
		ways_of(x, ways, cur, 0);
	cost = ways->nr && cur->op != OP_cond_resched ? 1 : 0;
	for (i = 0; i < x->nr_tasks; i++)
		if (&x->task[i] != cur)
			ways_of(x, ways, &x->task[i], cost);
	if (!ways->nr && cur->yields > MAX_YIELDS)
		ways_of(x, ways, cur, 0);
	ways_of_timers(x, ways);
}

static void take_turn(struct zsr_explore *x, const struct way *way)
{
	struct zsr_explore_task *t = way->t;
	const void *object = t->op == OP_idle ? way->work : t->object;

	if (x->cur != t)
		t->yields = 0;
	x->cur = t;
	t->cpu = way->cpu;
	if (t->op == OP_idle) {
		t->work = way->work;
		t->bound = zsr_explore_bound(x, way->work);
	}
	zsr_explore_trace(x, &(struct step){ .t = t,
					     .object = object,
					     .op = t->op,
					     .cpu = t->cpu,
					     .preempts = way->cost,
					     .counts = true });
}

static bool over(struct zsr_explore *x)
{
	if (x->steps >= MAX_STEPS && !x->failed) {
		x->cur = &x->boot;
		zsr_explore_fail(x, "no end after %u steps", MAX_STEPS);
	}
	return x->failed || x->error;
}

void zsr_explore_turn(struct zsr_explore *x, struct zsr_coro *from)
{
	struct zsr_coro *to = &x->host;
	const struct way *way;
	struct ways ways;

	while (!over(x)) {
		find_ways(x, &ways);
		if (!ways.nr)
			break;
		way = &ways.way[zsr_explore_choose(x, ways.nr)];
		x->preemptions += way->cost;
		if (way->timer)
			zsr_explore_fire(x, way->timer);
		if (!way->t)
			continue;
		take_turn(x, way);
		to = &way->t->coro;
		break;
	}
	if (from != to)
		zsr_coro_switch(from, to);
}

/* Does nobody but the task itself see the step? Then it makes no difference
 * whether others come before it or after. */
static bool is_local(const struct zsr_explore *x, enum op op)
{
	switch (op) {
	case OP_charge:
	case OP_preempt_enable:
	case OP_pages_alloc:
	case OP_pages_free:
		return true;
	case OP_order:
		return !x->s->digest;
	default:
		return false;
	}
}

void zsr_explore_point(struct zsr_explore *x, enum op op, const void *object)
{
	struct zsr_explore_task *t = x->cur;

	if (t == &x->boot)
		return;
	t->op = op;
	t->object = object;
	t->yields += yields(op);
	if (x->limits->merge && is_local(x, op))
		zsr_explore_trace(x, &(struct step){ .t = t,
						     .op = op,
						     .cpu = t->cpu,
						     .counts = true });
	else
		zsr_explore_turn(x, &t->coro);
	zsr_explore_saw(x, (uint64_t)op << 32 | t->cpu);
}

bool zsr_explore_mishap(struct zsr_explore *x)
{
	if (x->cur == &x->boot)
		return false;
	if (!left(x)) {
		x->bound_bites = true;
		return false;
	}
	if (!zsr_explore_choose(x, 2))
		return false;
	x->preemptions++;
	return true;
}
