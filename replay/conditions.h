/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the machine goes through while a trace is replayed: load beside it,
 * short memory, slow wake-ups, CPUs that go away, compactions. All begins with
 * the first release; times count from there.
 */
#ifndef ZSR_CONDITIONS_H
#define ZSR_CONDITIONS_H

#include "base/base.h"
#include "replay/machine/machine.h"
#include "replay/machine/virtual/dist.h"

#define ZSR_MAX_COMPACTIONS 64
/* A real-time load leaves this much of a CPU to others: the kernel's
 * sched_rt_runtime_us of sched_rt_period_us. */
#define ZSR_RT_PERMILLE  950
#define ZSR_RT_PERIOD_NS 10000000

/* How the user says it: one a word, several of those marked with +. */
struct zsr_condition_args {
	const char *const *load; /* + "cpu=N", "rt=N[:PERMILLE]",
				  * "mem=RATE:TOTAL", "sched=DIST",
				  * "worker=DIST"; NULL-terminated, may be NULL */
	const char *const *offline; /* + "CPU@TIME" */
	const char *const *compact_at; /* + TIME */
	const char *compact_every, *migrate_every; /* TIME */
	const char *memory, *swap; /* SIZE */
};

struct zsr_conditions {
	unsigned cpu_hogs; /* tasks that only compute */
	unsigned rt_hogs; /* real-time ones, each on a CPU of its own */
	uint64_t rt_permille; /* of each period that one computes */
	uint64_t rt_period_ns;
	uint64_t mem_rate, mem_total; /* bytes a second, bytes; 0: none */
	bool wake_set, worker_set;
	struct zsr_dist wake, worker; /* wake-ups; of workers only */
	uint64_t memory; /* bytes; 0: the profile's */
	uint64_t swap; /* bytes of the swap device; 0: as much as memory */
	struct zsr_offline {
		unsigned cpu;
		uint64_t at_ns;
	} offline[ZSR_MAX_CPUS]; /* by time */
	unsigned nr_offline;
	uint64_t compact_at_ns[ZSR_MAX_COMPACTIONS]; /* by time */
	unsigned nr_compact_at;
	uint64_t compact_every_ns, migrate_every_ns; /* 0: never */
	char text[512]; /* the options of `zsr replay`, "" when none */
};

/* CPUS: of the machine. Usage errors name the option. */
int zsr_conditions_parse(struct zsr_conditions *c,
			 const struct zsr_condition_args *args, unsigned cpus,
			 struct zsr_err *err);

#endif
