/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Replays of a trace on the host machine: a thread a task, real time.
 *
 * Tasks make their calls in program order, as fast as they can, or not before
 * their recorded times. A task that frees what another one stores waits until
 * that is done. Between two barriers of the trace tasks do not wait for each
 * other otherwise.
 */
#ifndef ZSR_HOST_PLAYER_H
#define ZSR_HOST_PLAYER_H

#include "replay/host_trace.h"
#include "replay/machine/host/clock.h"
#include "replay/player.h"

struct zsr_host_setup {
	struct zsr_player_setup common; /* of the profile: the page lists */
	const struct zsr_host_trace *calls;
	const struct zsr_clock *clock;
	enum zsr_pin pin;
	int worker_nice;
	bool queued; /* spinlocks of that kind */
	uint64_t worker_cpus; /* as in struct zsr_host_opts */
	bool give_back; /* emptied zspages to the system */
	uint64_t sample_ns; /* how often memory is looked at; 0: never */
	int numa_node; /* + 1, that all memory comes from; 0: any */
	const struct zsr_probes *probes; /* NULL: nobody watches */
};

/*
 * The user's wishes into *S, and the options into TEXT, behind what is there.
 * CPUS: of the machine. Usage errors name the option; one of them is more CPUs
 * than the process may use.
 */
int zsr_host_args_parse(struct zsr_host_setup *s, const struct zsr_host_args *a,
			unsigned cpus, char *text, size_t size,
			struct zsr_err *err);

/* CPUs that the process may use. */
unsigned zsr_host_nr_cpus(void);

/* What machine this is and what reading its clock takes, as text in the form of
 * a profile. The caller's to free(); NULL without memory. */
char *zsr_host_describe(const struct zsr_clock *clock);

/*
 * As zsr_player_run(). What is not measured stays 0: transfers of lines, time
 * of holding locks, the gaps that are not played.
 */
int zsr_host_player_run(const struct zsr_host_setup *setup, struct zsr_run *run,
			struct zsr_err *err);

#endif
