/* SPDX-License-Identifier: GPL-2.0-only */
/* One replay of one trace under one policy on the virtual machine. */
#ifndef ZSR_PLAYER_H
#define ZSR_PLAYER_H

#include "replay/conditions.h"
#include "replay/machine/virtual/vm.h"
#include "replay/policy/policy.h"
#include "replay/release.h"
#include "replay/replay.h"

struct zsr_player_setup {
	struct zsr_db *db;
	const struct zsr_trace *trace;
	const struct zsr_profile *profile;
	const struct zsr_model *model;
	const struct zsr_policy *policy;
	const uint64_t *params; /* of the policy */
	unsigned cpus;
	uint64_t seed;
	enum zsr_arrival arrival;
	enum zsr_gaps gaps; /* not AUTO */
	enum zsr_outer_lock outer; /* not AUTO */
	const struct zsr_conditions *conditions; /* NULL: none */
	const struct zsr_releases *releases; /* gated policies: the scan */
	size_t window; /* events read ahead; 0: ZSR_FEED_WINDOW */
	uint64_t pages_total; /* 100 %; 0: what this run gives back */
	struct zsr_progress *progress; /* may be NULL */
};

/* Plays the trace and fills RUN's results (values, histograms, series,
 * releases), which must be initialised and otherwise empty. */
int zsr_player_run(const struct zsr_player_setup *setup, struct zsr_run *run,
		   struct zsr_err *err);

#endif
