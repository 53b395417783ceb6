/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Object number of the trace -> handle of the replay. Numbers grow from 0 and
 * most objects die young, so the table is a directory of small leaves that are
 * freed with their last live object.
 */
#ifndef ZSR_OBJECTS_H
#define ZSR_OBJECTS_H

#include "base/base.h"
#include "replay/engine/engine.h"

enum { ZSR_OBJ_LEAF = 256 };

/* Values beside handles. */
#define ZSR_OBJ_ABSENT 0u /* not allocated yet */
#define ZSR_OBJ_FAILED UINT32_MAX /* its zs_malloc failed in the replay */

struct zsr_obj_leaf {
	uint32_t used;
	zsr_handle handle[ZSR_OBJ_LEAF];
};

struct zsr_objects {
	struct zsr_obj_leaf **leaf;
	size_t cap;
};

void zsr_objects_free(struct zsr_objects *o);
zsr_handle zsr_objects_get(const struct zsr_objects *o, uint64_t obj);
/* ABSENT forgets the object. Returns 0 or -ENOMEM. */
int zsr_objects_set(struct zsr_objects *o, uint64_t obj, zsr_handle h);

#endif
