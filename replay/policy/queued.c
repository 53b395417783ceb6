// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "replay/policy/queued.h"

int zsr_queued_add(struct zsr_queued *q, uint32_t h, uint64_t ps)
{
	size_t i = h / ZSR_QUEUED_LEAF, cap = q->cap;

	if (i >= cap) {
		if (zsr_grow(&q->leaf, &q->cap, i + 1, sizeof(*q->leaf)))
			return -ENOMEM;
		memset(q->leaf + cap, 0, (q->cap - cap) * sizeof(*q->leaf));
	}
	if (!q->leaf[i]) {
		q->leaf[i] = calloc(1, sizeof(*q->leaf[i]));
		if (!q->leaf[i])
			return -ENOMEM;
	}
	q->leaf[i]->at[h % ZSR_QUEUED_LEAF] = ps + 1;
	q->leaf[i]->used++;
	return 0;
}

uint64_t zsr_queued_remove(struct zsr_queued *q, uint32_t h)
{
	struct zsr_queued_leaf *leaf = q->leaf[h / ZSR_QUEUED_LEAF];
	uint64_t at = leaf->at[h % ZSR_QUEUED_LEAF] - 1;

	leaf->at[h % ZSR_QUEUED_LEAF] = 0;
	if (!--leaf->used) {
		free(leaf);
		q->leaf[h / ZSR_QUEUED_LEAF] = NULL;
	}
	return at;
}

void zsr_queued_free(struct zsr_queued *q)
{
	size_t i;

	for (i = 0; i < q->cap; i++)
		free(q->leaf[i]);
	free(q->leaf);
	*q = (struct zsr_queued){ 0 };
}
