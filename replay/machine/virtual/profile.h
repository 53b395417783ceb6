/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Machine profiles: what each step costs on a board. A text file, one
 * `name = value unit` a line, `#` starts a comment that says where the value
 * is from. Every cost of machine.h and every parameter below must be given
 * exactly once; anything else is an error with its line.
 */
#ifndef ZSR_PROFILE_H
#define ZSR_PROFILE_H

#include "base/base.h"
#include "replay/machine/machine.h"

/* name, unit class, least, greatest, meaning */
#define ZSR_PROFILE_PARAMS(X)                                                   \
	X(cpus, COUNT, 1, ZSR_MAX_CPUS, "CPUs")                                 \
	X(wake_latency, TIME, 0, 1000000000000ull, "from wake-up to running")   \
	X(worker_create, TIME, 0, 1000000000000ull, "creating a worker thread") \
	X(slice, TIME, 1000000, 1000000000000ull, "time slice of a task")       \
	X(pcp_batch, COUNT, 1, 100000,                                          \
	  "pages moved to or from the zone at once")                            \
	X(pcp_high, COUNT, 1, 1000000, "pages a per-CPU list holds at most")    \
	X(memory, SIZE, 4096, 1ull << 50, "memory of the board")                \
	X(wmark_min, SIZE, 0, 1ull << 50,                                       \
	  "less free memory: no worker can be made")                            \
	X(wmark_low, SIZE, 0, 1ull << 50,                                       \
	  "less free memory: who allocates for itself stalls")                  \
	X(wmark_high, SIZE, 0, 1ull << 50, "until this much is free again")     \
	X(smt_cpus, COUNT, 0, ZSR_MAX_CPUS,                                     \
	  "CPUs from 0 on that share a core in pairs")                          \
	X(smt_speed, PERMILLE, 100, 1000,                                       \
	  "speed of such a CPU while its sibling is busy")                      \
	X(spread, PERMILLE, 0, 1000, "scatter of memory-bound steps")           \
	X(pause, TIME, 1000, 1000000000000ull, "gaps from here on are sleeps")

struct zsr_profile {
	char name[64];
	char *text; /* the file as read, owned */
	uint64_t cost_ps[ZSR_NR_COSTS];
	/* Permille of the speed the costs are given for; 0 counts as 1000. A
	 * profile lists them from CPU 0 on, the last one is the rest's. */
	uint64_t speed[ZSR_MAX_CPUS];
#define X(name, unit, lo, hi, text) uint64_t name; /* TIME in ps, SIZE bytes */
	ZSR_PROFILE_PARAMS(X)
#undef X
};

/*
 * NAME is a shipped profile or the path of a file (it has a '/' or ends in
 * ".profile"). Free with zsr_profile_free().
 */
int zsr_profile_load(const char *name, struct zsr_profile *p,
		     struct zsr_err *err);
int zsr_profile_parse(const char *name, const char *text, struct zsr_profile *p,
		      struct zsr_err *err);
void zsr_profile_free(struct zsr_profile *p);

#endif
