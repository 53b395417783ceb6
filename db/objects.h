/* SPDX-License-Identifier: GPL-2.0-only */
/* The objects of a trace, one after the other: those that die in order of
 * death, then those that are alive at the end in order of birth. */
#ifndef ZSR_DB_OBJECTS_H
#define ZSR_DB_OBJECTS_H

#include "db/reader.h"
#include "db/vplan.h"

struct zsr_object {
	uint64_t obj;
	uint64_t birth_ns; /* its malloc returned */
	uint64_t death_ns; /* its free was entered; UINT64_MAX: alive */
	uint32_t size;
	uint32_t birth_task;
	uint32_t death_task;
	uint16_t birth_cpu;
	uint16_t death_cpu;
	uint16_t pool;
	uint8_t caller; /* of the free */
};

/* The objects that are wanted. Those born late or freed early cost least. */
struct zsr_object_filter {
	struct zsr_range obj;
	struct zsr_range birth;
	struct zsr_range death;
	bool dead_only; /* those alive at the end are not wanted */
	unsigned want; /* ZSR_WANT_*: TASK, REST and SIZE are looked at */
};

struct zsr_objects;

int zsr_objects_open(struct zsr_db *db, int64_t trace,
		     const struct zsr_object_filter *f, struct zsr_objects **o,
		     struct zsr_err *err);
void zsr_objects_close(struct zsr_objects *o);
/* The next one: 1, 0 after the last, -errno. */
int zsr_objects_next(struct zsr_objects *o, struct zsr_object *obj,
		     struct zsr_err *err);

#endif
