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
	const struct zsr_probes *probes; /* NULL: nobody watches */
};

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
