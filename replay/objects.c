// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "replay/objects.h"

void zsr_objects_free(struct zsr_objects *o)
{
	size_t i;

	for (i = 0; i < o->cap; i++)
		free(o->leaf[i]);
	free(o->leaf);
	*o = (struct zsr_objects){ 0 };
}

uint32_t zsr_objects_get(const struct zsr_objects *o, uint64_t obj)
{
	uint64_t i = obj / ZSR_OBJ_LEAF;

	if (i >= o->cap || !o->leaf[i])
		return ZSR_OBJ_ABSENT;
	return o->leaf[i]->word[obj % ZSR_OBJ_LEAF];
}

static struct zsr_obj_leaf *leaf_for(struct zsr_objects *o, uint64_t obj)
{
	size_t i = obj / ZSR_OBJ_LEAF, cap = o->cap;

	if (zsr_grow(&o->leaf, &o->cap, i + 1, sizeof(*o->leaf)))
		return NULL;
	memset(o->leaf + cap, 0, (o->cap - cap) * sizeof(*o->leaf));
	if (!o->leaf[i])
		o->leaf[i] = calloc(1, sizeof(*o->leaf[i]));
	return o->leaf[i];
}

int zsr_objects_set(struct zsr_objects *o, uint64_t obj, uint32_t word)
{
	struct zsr_obj_leaf *leaf = leaf_for(o, obj);
	uint32_t *at;

	if (!leaf)
		return -ENOMEM;
	at = &leaf->word[obj % ZSR_OBJ_LEAF];
	leaf->used += (word != ZSR_OBJ_ABSENT) - (*at != ZSR_OBJ_ABSENT);
	*at = word;
	if (!leaf->used) {
		free(leaf);
		o->leaf[obj / ZSR_OBJ_LEAF] = NULL;
	}
	return 0;
}
