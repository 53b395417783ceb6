/* SPDX-License-Identifier: GPL-2.0-only */
/* What encoding and decoding of events share: columns, and guesses. */
#ifndef ZSR_PACK_EVENTS_H
#define ZSR_PACK_EVENTS_H

#include "pack/columns.h"

/* In the order of a segment: which events there are, then what they say. */
enum {
	PK_COL_KIND, /* by CPU: 0 as before, else 1 + kind */
	PK_COL_CPU,
	PK_COL_FREE_OBJ, /* after a byte, how it counts; 0: none */
	PK_COL_TASK, /* by CPU: 0 as before, else 1 + task */
	PK_COL_POOL,
	PK_COL_CALLER,
	PK_COL_FLAGS,
	PK_COL_CGROUP,
	PK_COL_AUX,
	PK_COL_SLOT, /* less the one before */
	PK_COL_MALLOC_GFP,
	PK_COL_OTHER_GFP,
	PK_COL_MALLOC_SIZE,
	PK_COL_OTHER_SIZE, /* of all but mallocs and frees of known objects */
	PK_COL_MALLOC_DUR,
	PK_COL_FREE_DUR,
	PK_COL_OTHER_DUR,
	PK_COL_MALLOC_IDLE, /* from the end of the CPU's last call */
	PK_COL_FREE_IDLE,
	PK_COL_OTHER_IDLE,
};

enum { PK_FREE_STEP, PK_FREE_BACK };

/* Whether an event has a value in a column. */
static inline bool pk_has(unsigned col, const struct zsr_event *ev)
{
	switch (col) {
	case PK_COL_MALLOC_GFP:
	case PK_COL_MALLOC_SIZE:
	case PK_COL_MALLOC_DUR:
	case PK_COL_MALLOC_IDLE:
		return ev->kind == ZSR_EV_MALLOC;
	case PK_COL_FREE_DUR:
	case PK_COL_FREE_IDLE:
	case PK_COL_FREE_OBJ:
		return ev->kind == ZSR_EV_FREE;
	case PK_COL_OTHER_GFP:
		return ev->kind != ZSR_EV_MALLOC;
	case PK_COL_OTHER_SIZE:
		return ev->kind != ZSR_EV_MALLOC &&
		       (ev->kind != ZSR_EV_FREE || ev->obj == ZSR_OBJ_NONE);
	case PK_COL_OTHER_DUR:
	case PK_COL_OTHER_IDLE:
		return ev->kind > ZSR_EV_FREE;
	default:
		return true;
	}
}

/* What happened last on a CPU. */
struct pk_cpu {
	uint64_t end; /* of its last call, ns */
	uint64_t freed; /* object after the one freed last */
	uint32_t task;
	uint8_t kind;
};

#define PK_NR_CPUS 65536

/* When a call began, and when it was over. */
static inline uint64_t pk_begin(const struct zsr_event *ev)
{
	return ev->kind == ZSR_EV_MALLOC ? ev->t_ns - ev->dur_ns : ev->t_ns;
}

static inline uint64_t pk_end(const struct zsr_event *ev)
{
	return ev->kind == ZSR_EV_MALLOC ? ev->t_ns : ev->t_ns + ev->dur_ns;
}

#endif
