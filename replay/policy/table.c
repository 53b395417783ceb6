// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <string.h>

#include "replay/policy/table.h"

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

const char *zsr_param_text(const struct zsr_param *p, uint64_t value,
			   char buf[ZSR_PARAM_LEN])
{
	if (p->names)
		return p->names[value];
	snprintf(buf, ZSR_PARAM_LEN, "%" PRIu64, value);
	return buf;
}

int zsr_param_parse(const struct zsr_param *p, const char *text,
		    uint64_t *value, struct zsr_err *err)
{
	char all[256] = "";
	size_t n = 0;
	uint64_t i;

	if (!p->names)
		return zsr_parse_u64(text, p->name, p->min, p->max, value, err);
	for (i = p->min; i <= p->max; i++) {
		if (!strcmp(p->names[i], text)) {
			*value = i;
			return 0;
		}
		if (n < sizeof(all))
			n += (size_t)snprintf(all + n, sizeof(all) - n, "%s%s",
					      n ? ", " : "", p->names[i]);
	}
	return zsr_err_usage(err, "%s: '%s' is none of %s", p->name, text, all);
}
