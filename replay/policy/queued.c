// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "replay/policy/queued.h"

static struct zsr_queued_leaf *leaf_for(struct zsr_queued *q, uint32_t h,
					uint64_t ps)
{
	size_t i = h / ZSR_QUEUED_LEAF, cap = q->cap;

	if (i >= cap) {
		if (zsr_grow(&q->leaf, &q->cap, i + 1, sizeof(*q->leaf)))
			return NULL;
		memset(q->leaf + cap, 0, (q->cap - cap) * sizeof(*q->leaf));
	}
	if (!q->leaf[i]) {
		q->leaf[i] = calloc(1, sizeof(*q->leaf[i]));
		if (q->leaf[i])
			q->leaf[i]->base = ps;
	}
	return q->leaf[i];
}

static bool widen(struct zsr_queued_leaf *leaf)
{
	uint64_t *wide = calloc(ZSR_QUEUED_LEAF, sizeof(*wide));
	unsigned i;

	for (i = 0; wide && i < ZSR_QUEUED_LEAF; i++)
		wide[i] = zsr_queued_since(leaf, i);
	leaf->wide = wide;
	return wide;
}

int zsr_queued_add(struct zsr_queued *q, uint32_t h, uint64_t ps)
{
	struct zsr_queued_leaf *leaf = leaf_for(q, h, ps);
	unsigned i = h % ZSR_QUEUED_LEAF;
	uint64_t since;

	if (!leaf)
		return -ENOMEM;
	since = ps - leaf->base + 1;
	if (since >> 40 && !leaf->wide && !widen(leaf))
		return -ENOMEM;
	if (leaf->wide) {
		leaf->wide[i] = since;
	} else {
		leaf->low[i] = (uint32_t)since;
		leaf->high[i] = (uint8_t)(since >> 32);
	}
	leaf->used++;
	return 0;
}

static void leaf_free(struct zsr_queued_leaf *leaf)
{
	if (leaf)
		free(leaf->wide);
	free(leaf);
}

uint64_t zsr_queued_remove(struct zsr_queued *q, uint32_t h)
{
	struct zsr_queued_leaf *leaf = q->leaf[h / ZSR_QUEUED_LEAF];
	unsigned i = h % ZSR_QUEUED_LEAF;
	uint64_t at = leaf->base + zsr_queued_since(leaf, i) - 1;

	if (leaf->wide)
		leaf->wide[i] = 0;
	leaf->low[i] = 0;
	leaf->high[i] = 0;
	if (!--leaf->used) {
		leaf_free(leaf);
		q->leaf[h / ZSR_QUEUED_LEAF] = NULL;
	}
	return at;
}

void zsr_queued_free(struct zsr_queued *q)
{
	size_t i;

	for (i = 0; i < q->cap; i++)
		leaf_free(q->leaf[i]);
	free(q->leaf);
	*q = (struct zsr_queued){ 0 };
}
