/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Object number of the trace -> the slot it lies in. Numbers grow from 0 and
 * most objects die young, so the table is a directory of small leaves that are
 * freed with their last live object.
 */
#ifndef ZSR_OBJECTS_H
#define ZSR_OBJECTS_H

#include "base/base.h"

enum { ZSR_OBJ_LEAF = 256 };

/* What the table holds: a slot, or one of two other values. */
#define ZSR_OBJ_ABSENT        0u /* not stored yet */
#define ZSR_OBJ_FAILED        UINT32_MAX /* its zs_malloc failed in the replay */
#define ZSR_OBJ_SLOT(slot)    ((slot) + 1)
#define ZSR_OBJ_SLOT_OF(word) ((word)-1)

struct zsr_obj_leaf {
	uint32_t used;
	uint32_t word[ZSR_OBJ_LEAF];
};

struct zsr_objects {
	struct zsr_obj_leaf **leaf;
	size_t cap;
};

void zsr_objects_free(struct zsr_objects *o);
uint32_t zsr_objects_get(const struct zsr_objects *o, uint64_t obj);
/* ABSENT forgets the object. Returns 0 or -ENOMEM. */
int zsr_objects_set(struct zsr_objects *o, uint64_t obj, uint32_t word);

#endif
