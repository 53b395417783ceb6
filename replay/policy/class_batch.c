// SPDX-License-Identifier: GPL-2.0-only
/*
 * A task that releases gathers handles on its stack and frees them itself, the
 * ones of a class under one hold of its lock. The stack goes where the task
 * goes, so a CPU that leaves takes nothing along.
 */
#include <stdlib.h>

#include "replay/policy/drain.h"
#include "replay/policy/locking.h"

enum { BATCH };

static const struct zsr_param params[] = {
	[BATCH] = { "batch", "handles", 64, 1, 512,
		    "handles gathered before they are freed",
		    "not posted; assumed: 512 bytes of stack" },
};

/* Class of an entry that is freed. */
#define DONE UINT16_MAX

struct batch {
	unsigned nr;
	zsr_handle *handle; /* both of as many entries as the parameter says */
	uint16_t *class;
	struct zsr_leavings *leavings;
};

/* Everything of the class that the FIRST entry has. */
static void free_group(struct zsr_pool *p, struct batch *b, unsigned first)
{
	uint16_t class = b->class[first];
	unsigned i;

	zsr_spin_lock(p->m, &p->class[class].lock);
	for (i = first; i < b->nr; i++) {
		if (b->class[i] != class)
			continue;
		zsr_pool_locate(p, b->handle[i]);
		zsr_drain_object(p, class, b->handle[i], b->leavings);
		b->class[i] = DONE;
	}
	zsr_spin_unlock(p->m, &p->class[class].lock);
	zsr_drain_leavings(p, b->leavings);
}

/* Looking for the rest of a group costs each handle as much as a buffer's. */
static void free_batch(struct zsr_pool *p, struct batch *b)
{
	unsigned i;

	for (i = 0; i < b->nr; i++) {
		zsr_charge(p->m, ZSR_COST_pop, 1);
		b->class[i] = (uint16_t)zsr_pool_peek_class(p, b->handle[i]);
	}
	for (i = 0; i < b->nr; i++)
		if (b->class[i] != DONE)
			free_group(p, b, i);
	b->nr = 0;
}

static struct batch *batch_of(struct zsr_pool *p, uint32_t task)
{
	return (struct batch *)p->priv + task;
}

static void class_batch_release(struct zsr_pool *p,
				const struct zsr_releaser *r, uint32_t slot)
{
	struct batch *b = batch_of(p, r->task);
	zsr_handle h = zsr_pool_slot_take(p, slot);

	zsr_charge(p->m, ZSR_COST_push, 1);
	zsr_pool_queued(p, h);
	b->handle[b->nr++] = h;
	if (b->nr == p->param[BATCH])
		free_batch(p, b);
}

static void class_batch_release_ends(struct zsr_pool *p,
				     const struct zsr_releaser *r)
{
	free_batch(p, batch_of(p, r->task));
}

static void class_batch_flush(struct zsr_pool *p)
{
	uint32_t task;

	for (task = 0; task < p->nr_tasks; task++)
		free_batch(p, batch_of(p, task));
}

static void class_batch_teardown(struct zsr_pool *p)
{
	uint32_t task;

	for (task = 0; p->priv && task < p->nr_tasks; task++) {
		free(batch_of(p, task)->handle);
		free(batch_of(p, task)->class);
		free(batch_of(p, task)->leavings);
	}
	free(p->priv);
	p->priv = NULL;
}

static int class_batch_setup(struct zsr_pool *p)
{
	size_t nr = p->param[BATCH];
	struct batch *b;
	uint32_t task;

	p->priv = calloc(p->nr_tasks + 1ul, sizeof(struct batch));
	if (!p->priv)
		return -ENOMEM;
	for (task = 0; task < p->nr_tasks; task++) {
		b = batch_of(p, task);
		b->handle = calloc(nr, sizeof(*b->handle));
		b->class = calloc(nr, sizeof(*b->class));
		b->leavings = zsr_leavings_new(nr);
		if (!b->handle || !b->class || !b->leavings)
			return -ENOMEM;
	}
	return 0;
}

const struct zsr_policy zsr_policy_class_batch = {
	.version = ZSR_MACHINE_VERSION,
	.name = "class-batch",
	.summary = "class-idx, the caller frees a batch grouped by class",
	.text = "On top of class-idx; shows what batching alone gives, "
		"without the help of another CPU. A releasing task gathers "
		"handles in an array on its stack. When that is full, and "
		"when the release ends, it frees them grouped by class, each "
		"group under one hold of the class lock, and gives emptied "
		"zspages and handles back after dropping it. A handle costs a "
		"push to "
		"gather and a pop to group. The array takes no pages.",
	.source = "not posted",
	.params = params,
	.nr_params = ZSR_ARRAY_SIZE(params),
	.flags = ZSR_POLICY_GATED,
	.store_lock = ZSR_STORE_CLASS_LOCK,
	.setup = class_batch_setup,
	.teardown = class_batch_teardown,
	.release = class_batch_release,
	.release_ends = class_batch_release_ends,
	.free_now = zsr_class_idx_free,
	.flush = class_batch_flush,
};
