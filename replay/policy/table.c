// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "replay/policy/policy.h"

const struct zsr_policy *const zsr_policies[] = {
#define X(name) &zsr_policy_##name,
	ZSR_POLICIES(X)
#undef X
		NULL,
};

const struct zsr_policy *zsr_policy_find(const char *name)
{
	size_t i;

	for (i = 0; zsr_policies[i]; i++)
		if (!strcmp(zsr_policies[i]->name, name))
			return zsr_policies[i];
	return NULL;
}
