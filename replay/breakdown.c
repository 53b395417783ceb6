// SPDX-License-Identifier: GPL-2.0-only
/* Where the time of a run went: by step, in callers and workers, and by lock,
 * from the first release on. */
#include <stdlib.h>
#include <string.h>

#include "replay/player_private.h"

static const char *const step_names[] = {
#define X(name, text) #name,
	ZSR_COSTS(X)
#undef X
};

/* ---- locks ----------------------------------------------------------------- */

/* Calls fn() for each lock of the run; SIZE: of the class it protects, or 0. */
static void each_lock(struct player *p,
		      void (*fn)(struct player *p, const char *name,
				 uint32_t size, struct zsr_lock_stats *stats))
{
	struct zsr_pool *pool;
	unsigned i, k;

	fn(p, "outer", 0, &p->outer.stats);
	fn(p, "zone", 0, &p->vm->zone.stats);
	for (i = 0; i < p->s->trace->nr_pools; i++) {
		pool = &p->pool[i];
		fn(p, "pool", 0, &pool->big_lock.stats);
		fn(p, "pool", 0, &pool->lock.stats);
		for (k = 0; k < pool->nr_named; k++)
			fn(p, pool->named[k].name, 0,
			   &pool->named[k].lock->stats);
		for (k = 0; k < pool->nr_classes; k++)
			if (pool->class[k].size)
				fn(p, "class", pool->class[k].size,
				   &pool->class[k].lock.stats);
	}
}

static void forget(struct player *p, const char *name, uint32_t size,
		   struct zsr_lock_stats *stats)
{
	(void)p;
	(void)name;
	(void)size;
	*stats = (struct zsr_lock_stats){ 0 };
}

void zsr_breakdown_begin(struct player *p)
{
	each_lock(p, forget);
}

/* The same lock of several pools is one row. */
static struct zsr_run_lock *lock_row(struct player *p, const char *name,
				     uint32_t size)
{
	struct zsr_run *run = p->run;
	struct zsr_run_lock *l;
	size_t i;

	for (i = 0; i < run->nr_locks; i++)
		if (run->locks[i].size == size &&
		    !strcmp(run->locks[i].name, name))
			return &run->locks[i];
	if (zsr_grow(&run->locks, &p->cap_locks, run->nr_locks + 1,
		     sizeof(*run->locks))) {
		p->error = zsr_err_nomem(&p->err, "locks");
		return NULL;
	}
	l = &run->locks[run->nr_locks++];
	*l = (struct zsr_run_lock){ .size = size };
	snprintf(l->name, sizeof(l->name), "%s", name);
	return l;
}

static void add_lock(struct player *p, const char *name, uint32_t size,
		     struct zsr_lock_stats *stats)
{
	struct zsr_run_lock *l;

	if (!stats->acquired)
		return;
	l = lock_row(p, name, size);
	if (!l)
		return;
	l->acquired += stats->acquired;
	l->contended += stats->contended;
	l->wait_ns += zsr_ps_to_ns(stats->wait);
	l->hold_ns += zsr_ps_to_ns(stats->hold);
}

/* ---- steps ------------------------------------------------------------------- */

static int add_steps(struct player *p, const char *who, enum zsr_mode mode)
{
	struct zsr_run *run = p->run;
	struct zsr_run_step *row;
	uint64_t sum;
	unsigned step, i;

	for (step = 0; step < ZSR_NR_COSTS; step++) {
		sum = 0;
		for (i = 0; i < p->vm->m.nr_cpus; i++)
			sum += p->vm->cpu[i].busy[mode][step];
		if (!sum)
			continue;
		if (zsr_grow(&run->steps, &p->cap_steps, run->nr_steps + 1,
			     sizeof(*run->steps)))
			return -ENOMEM;
		row = &run->steps[run->nr_steps++];
		*row = (struct zsr_run_step){ .ns = zsr_ps_to_ns(sum) };
		snprintf(row->who, sizeof(row->who), "%s", who);
		snprintf(row->step, sizeof(row->step), "%s", step_names[step]);
	}
	return 0;
}

int zsr_breakdown_finish(struct player *p, struct zsr_err *err)
{
	each_lock(p, add_lock);
	if (p->error || add_steps(p, "caller", ZSR_MODE_RELEASE) ||
	    add_steps(p, "worker", ZSR_MODE_WORKER) ||
	    add_steps(p, "store", ZSR_MODE_REUSE))
		return zsr_err_nomem(err, "breakdown");
	return 0;
}
