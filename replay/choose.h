/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which policies are replayed, with which values of their parameters.
 */
#ifndef ZSR_REPLAY_CHOOSE_H
#define ZSR_REPLAY_CHOOSE_H

#include "base/base.h"
#include "replay/policy/table.h"

#define ZSR_MAX_CHOSEN 64

struct zsr_chosen {
	const struct zsr_policy *policy;
	char plugin[ZSR_POLICY_ID]; /* "" for a built-in one */
	uint64_t param[ZSR_MAX_PARAMS];
};

/* Starts zeroed, holds nothing that must be freed. */
struct zsr_choice {
	struct zsr_chosen chosen[ZSR_MAX_CHOSEN];
	unsigned nr;
};

/* Append the policies of LIST ("sync,deferred,./mine.so"), parameters at their
 * defaults; errors as those of zsr_policy_get(). */
int zsr_choose(struct zsr_choice *c, const char *list, struct zsr_err *err);

/*
 * "[policy.]name=value": set it in every chosen policy that has it; a usage
 * error when there is none, or it cannot have the value. For a plug-in
 * "plugin=sha256:..." sets nothing and is an error when it is another file.
 */
int zsr_choose_param(struct zsr_choice *c, const char *arg, struct zsr_err *err);

/* "name=value name=value ..." as it is recorded, at the end "plugin=sha256:..."
 * for a plug-in; the caller frees it. NULL when memory is out. */
char *zsr_chosen_params(const struct zsr_chosen *c);

#endif
