// SPDX-License-Identifier: GPL-2.0-only
/* Where the time went: a run's steps as a tree, its locks by kind. */
#include <stdlib.h>
#include <string.h>

#include "analyze/values.h"

/* Class locks shown beside their sum. */
#define WORST_CLASSES 3

static const struct {
	unsigned value;
	const char *name;
} kinds[] = {
	{ VAL_step_object_ns, "object, handle" },
	{ VAL_step_zspage_ns, "zspage return" },
	{ VAL_step_slot_ns, "slot" },
	{ VAL_step_lock_ns, "locks" },
	{ VAL_step_queue_ns, "queue" },
};

static uint64_t add_sat(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static struct zsr_part *add(struct zsr_column *c, unsigned depth,
			    const char *name, uint64_t ns)
{
	struct zsr_part *p = &c->part[c->nr_parts++];

	p->depth = depth;
	p->ns = ns;
	snprintf(p->name, sizeof(p->name), "%s", name);
	return p;
}

static int by_ns(const void *a, const void *b)
{
	const struct zsr_part *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns < y->ns ? 1 : -1;
	return strcmp(x->name, y->name);
}

/* The steps of one kind by one of the parties, largest first. */
static uint64_t add_kind(struct zsr_column *c, const struct zsr_run *run,
			 const char *who, unsigned k)
{
	size_t head = c->nr_parts, i;
	uint64_t sum = 0;

	add(c, 2, kinds[k].name, 0);
	for (i = 0; i < run->nr_steps; i++) {
		const struct zsr_run_step *s = &run->steps[i];

		if (strcmp(s->who, who) ||
		    zsr_step_group(s->step) != kinds[k].value || !s->ns)
			continue;
		add(c, 3, s->step, s->ns);
		sum = add_sat(sum, s->ns);
	}
	qsort(c->part + head + 1, c->nr_parts - head - 1, sizeof(*c->part),
	      by_ns);
	c->part[head].ns = sum;
	if (!sum)
		c->nr_parts = head;
	return sum;
}

static void add_who(struct zsr_column *c, const struct zsr_run *run,
		    const char *who, const char *name, uint64_t spin)
{
	size_t head = c->nr_parts;
	uint64_t sum = spin;
	unsigned k;

	add(c, 1, name, 0);
	for (k = 0; k < ZSR_ARRAY_SIZE(kinds); k++)
		sum = add_sat(sum, add_kind(c, run, who, k));
	if (spin)
		add(c, 2, "waits", spin);
	c->part[head].ns = sum;
	if (!sum)
		c->nr_parts = head;
}

int zsr_parts_build(struct zsr_column *c, const struct zsr_run *run)
{
	const struct zsr_run_values *v = &run->v;
	size_t i, head;

	if (!run->nr_steps)
		return 0;
	/* All, three parties with their kinds and waits, two more. */
	c->part = calloc(run->nr_steps + 3 * (ZSR_ARRAY_SIZE(kinds) + 2) + 3,
			 sizeof(*c->part));
	if (!c->part)
		return -ENOMEM;
	add(c, 0, "all", 0);
	add_who(c, run, "caller", "callers", v->cpu_spin_ns);
	add_who(c, run, "worker", "workers", v->cpu_worker_spin_ns);
	head = c->nr_parts;
	add_who(c, run, "store", "stores", 0);
	/* What stores waited has no value of its own. */
	if (c->nr_parts == head && v->cpu_reuse_ns)
		add(c, 1, "stores", 0);
	if (c->nr_parts > head && v->cpu_reuse_ns > c->part[head].ns) {
		add(c, 2, "waits", v->cpu_reuse_ns - c->part[head].ns);
		c->part[head].ns = v->cpu_reuse_ns;
	}
	if (v->cpu_queueing_ns)
		add(c, 1, "queueing", v->cpu_queueing_ns);
	if (v->cpu_flush_ns)
		add(c, 1, "flush at the end", v->cpu_flush_ns);
	for (i = 1; i < c->nr_parts; i++)
		if (c->part[i].depth == 1)
			c->part[0].ns = add_sat(c->part[0].ns, c->part[i].ns);
	return 0;
}

/* ---- locks ------------------------------------------------------------- */

static int by_wait(const void *a, const void *b)
{
	const struct zsr_lock *x = a, *y = b;

	if (x->wait_ns != y->wait_ns)
		return x->wait_ns < y->wait_ns ? 1 : -1;
	if (x->hold_ns != y->hold_ns)
		return x->hold_ns < y->hold_ns ? 1 : -1;
	return strcmp(x->name, y->name);
}

static struct zsr_lock lock_of(const struct zsr_run_lock *l)
{
	struct zsr_lock out = { .acquired = l->acquired,
				.contended = l->contended,
				.wait_ns = l->wait_ns,
				.hold_ns = l->hold_ns };

	if (!l->size)
		snprintf(out.name, sizeof(out.name), "%s", l->name);
	else
		snprintf(out.name, sizeof(out.name), "%.12s %u", l->name,
			 l->size);
	out.part = l->size != 0;
	return out;
}

int zsr_locks_build(struct zsr_column *c, const struct zsr_run *run)
{
	struct zsr_lock *class = calloc(run->nr_locks + 1, sizeof(*class));
	struct zsr_lock all = { .name = "all class locks" };
	size_t i, nr = 0;

	c->lock = calloc(run->nr_locks + 1, sizeof(*c->lock));
	if (!class || !c->lock) {
		free(class);
		return -ENOMEM;
	}
	for (i = 0; i < run->nr_locks; i++) {
		struct zsr_lock l = lock_of(&run->locks[i]);

		if (!l.part) {
			c->lock[c->nr_locks++] = l;
			continue;
		}
		class[nr++] = l;
		all.acquired = add_sat(all.acquired, l.acquired);
		all.contended = add_sat(all.contended, l.contended);
		all.wait_ns = add_sat(all.wait_ns, l.wait_ns);
		all.hold_ns = add_sat(all.hold_ns, l.hold_ns);
	}
	qsort(c->lock, c->nr_locks, sizeof(*c->lock), by_wait);
	qsort(class, nr, sizeof(*class), by_wait);
	if (nr)
		c->lock[c->nr_locks++] = all;
	for (i = 0; i < zsr_min(nr, WORST_CLASSES) && nr > 1; i++)
		c->lock[c->nr_locks++] = class[i];
	free(class);
	return 0;
}
