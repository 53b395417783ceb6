/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Parameters of policies as text, and policies that come from a file: what
 * policy.h leaves to the program and keeps from plug-ins.
 */
#ifndef ZSR_POLICY_TABLE_H
#define ZSR_POLICY_TABLE_H

#include "replay/policy/policy.h"

/* The value as it is written: its name, or the number in BUF. */
#define ZSR_PARAM_LEN 24
const char *zsr_param_text(const struct zsr_param *p, uint64_t value,
			   char buf[ZSR_PARAM_LEN]);
/* The same read back; a usage error that says what could be there. */
int zsr_param_parse(const struct zsr_param *p, const char *text,
		    uint64_t *value, struct zsr_err *err);

/*
 * A built-in policy by its name, or a plug-in (zsr-policy(7)) by its path: what
 * has a '/' in it, or ends in ".so". A plug-in stays loaded until the process
 * ends. ID is "sha256:" and the digest of its file, and "" for a built-in one.
 * Errors: usage for an unknown name, input for a file that is no plug-in for
 * this program, system for one that cannot be read.
 */
#define ZSR_POLICY_ID (sizeof("sha256:") - 1 + ZSR_SHA_HEX)
int zsr_policy_get(const char *name, const struct zsr_policy **policy,
		   char id[ZSR_POLICY_ID], struct zsr_err *err);

#endif
