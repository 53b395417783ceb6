/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which policies are replayed, with which values of their parameters.
 */
#ifndef ZSR_REPLAY_CHOOSE_H
#define ZSR_REPLAY_CHOOSE_H

#include "base/base.h"
#include "replay/policy/policy.h"

#define ZSR_MAX_CHOSEN 64

struct zsr_chosen {
	const struct zsr_policy *policy;
	uint64_t param[ZSR_MAX_PARAMS];
};

/* Starts zeroed, holds nothing that must be freed. */
struct zsr_choice {
	struct zsr_chosen chosen[ZSR_MAX_CHOSEN];
	unsigned nr;
};

/* Append the policies of LIST ("sync,deferred"), parameters at their defaults;
 * a usage error for one that does not exist. */
int zsr_choose(struct zsr_choice *c, const char *list, struct zsr_err *err);

/* "[policy.]name=value": set it in every chosen policy that has it; a usage
 * error when there is none, or it cannot have the value. */
int zsr_choose_param(struct zsr_choice *c, const char *arg, struct zsr_err *err);

/* "name=value name=value ..." as it is recorded; the caller frees it. NULL when
 * memory is out. */
char *zsr_chosen_params(const struct zsr_chosen *c);

#endif
