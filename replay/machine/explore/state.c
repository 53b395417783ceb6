// SPDX-License-Identifier: GPL-2.0-only
/*
 * States as histories. A step's hash covers its task's step before it and the
 * last steps on each object it uses, so a task's hash covers every step that
 * happened before its last one; all tasks' hashes together stand for the
 * happens-before graph. Steps in another order, but with the same graph, have
 * seen the same and lead to the same state.
 */
#include <stdlib.h>
#include <string.h>

#include "replay/machine/explore/private.h"

/* Finalizer of splitmix64 over both. */
uint64_t zsr_explore_mix(uint64_t a, uint64_t b)
{
	uint64_t z = a * 0x9E3779B97F4A7C15ull + b;

	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
	return z ^ (z >> 31);
}

/* ---- objects ------------------------------------------------------------ */

struct object *zsr_explore_object(struct zsr_explore *x, const void *p)
{
	size_t i = zsr_explore_mix((uintptr_t)p, 0) % MAX_OBJECTS;
	struct object *o;

	while (x->object[i].p && x->object[i].p != p)
		i = (i + 1) % MAX_OBJECTS;
	o = &x->object[i];
	if (o->p)
		return o;
	if (x->nr_objects == ZSR_ARRAY_SIZE(x->used_object))
		zsr_explore_fail(x, "more than %u locks, lines and work items",
				 x->nr_objects);
	x->used_object[x->nr_objects++] = o;
	o->p = p;
	return o;
}

void zsr_explore_objects_clear(struct zsr_explore *x)
{
	while (x->nr_objects)
		*x->used_object[--x->nr_objects] = (struct object){ 0 };
}

void zsr_explore_touch(struct zsr_explore *x, const void *p)
{
	struct object *o;

	if (!x->limits->merge)
		return;
	o = zsr_explore_object(x, p);
	zsr_explore_saw(x, o->written + o->read);
	o->written = x->cur->history;
	o->read = 0;
}

void zsr_explore_look(struct zsr_explore *x, const void *p)
{
	struct object *o;

	if (!x->limits->merge)
		return;
	o = zsr_explore_object(x, p);
	zsr_explore_saw(x, o->written);
	o->read += x->cur->history;
}

void zsr_explore_saw(struct zsr_explore *x, uint64_t value)
{
	x->cur->history = zsr_explore_mix(x->cur->history, value);
}

/* ---- known states -------------------------------------------------------- */

static uint64_t state(const struct zsr_explore *x)
{
	uint64_t sum = zsr_explore_mix(x->fired, 0);
	unsigned i;

	for (i = 0; i < x->nr_tasks; i++)
		sum += zsr_explore_mix(x->task[i].history, i + 1);
	if (x->s->digest)
		sum = zsr_explore_mix(sum, x->s->digest(x->s->ctx));
	/* Whose turn ends decides what costs a preemption. */
	return zsr_explore_mix(sum, x->cur == &x->boot
					    ? ZSR_EXPLORE_MAX_TASKS
					    : (uint64_t)(x->cur - x->task));
}

static struct known *find(struct known *known, size_t cap, uint64_t state)
{
	size_t i = state & (cap - 1);

	while (known[i].used && known[i].state != state)
		i = (i + 1) & (cap - 1);
	return &known[i];
}

static int grow(struct zsr_explore *x)
{
	size_t cap = x->cap_known ? 2 * x->cap_known : 1u << 16, i;
	struct known *bigger = calloc(cap, sizeof(*bigger));

	if (!bigger) {
		x->error = zsr_err_nomem(x->err, "known states");
		return x->error;
	}
	for (i = 0; i < x->cap_known; i++)
		if (x->known[i].used)
			*find(bigger, cap, x->known[i].state) = x->known[i];
	free(x->known);
	x->known = bigger;
	x->cap_known = cap;
	return 0;
}

bool zsr_explore_known(struct zsr_explore *x)
{
	uint32_t left = x->bound == UINT32_MAX ? UINT32_MAX
					       : x->bound - x->preemptions;
	struct known *k;
	uint64_t s;

	if (2 * x->nr_known >= x->cap_known && grow(x))
		return false;
	s = state(x);
	k = find(x->known, x->cap_known, s);
	if (k->used && k->left >= left)
		return true;
	if (!k->used)
		x->nr_known++;
	*k = (struct known){ s, left, true };
	return false;
}
