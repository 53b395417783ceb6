// SPDX-License-Identifier: GPL-2.0-only
/* Kernel releases as models: which rule of each axis they follow. */
#include <ctype.h>
#include <string.h>

#include "replay/engine/engine.h"

static const struct zsr_model models[] = {
	{
		.name = "5.10",
		.chain = ZSR_CHAIN_PERCENT,
		.group = ZSR_GROUP_QUAD,
		.compact = ZSR_COMPACT_SRC,
		.refuse = ZSR_REFUSE_NULL,
		.default_chain = 4,
		.worker_drift = true,
	},
	{
		.name = "6.1",
		.chain = ZSR_CHAIN_PERCENT,
		.group = ZSR_GROUP_QUAD,
		.compact = ZSR_COMPACT_SRC,
		.refuse = ZSR_REFUSE_EINVAL,
		.default_chain = 4,
		.worker_drift = true,
	},
	{
		.name = "6.3",
		.chain = ZSR_CHAIN_MINWASTE,
		.group = ZSR_GROUP_QUAD,
		.compact = ZSR_COMPACT_SRC,
		.refuse = ZSR_REFUSE_EINVAL,
		.default_chain = 8,
		.worker_drift = true,
	},
	{
		.name = "6.12",
		.chain = ZSR_CHAIN_MINWASTE,
		.group = ZSR_GROUP_RATIO12,
		.compact = ZSR_COMPACT_DST,
		.refuse = ZSR_REFUSE_ENOSPC,
		.default_chain = 8,
	},
};

/* The first release each model stands for; the next one's ends it. */
static const struct {
	unsigned release;
	const struct zsr_model *model;
} since[] = {
	{ ZSR_RELEASE(5, 0), &models[0] },
	{ ZSR_RELEASE(6, 1), &models[1] },
	{ ZSR_RELEASE(6, 3), &models[2] },
	{ ZSR_RELEASE(6, 4), &models[3] },
};

static bool parse_number(const char **s, unsigned *n)
{
	const char *p = *s;

	for (*n = 0; isdigit((unsigned char)*p) && p - *s < 4; p++)
		*n = *n * 10 + (unsigned)(*p - '0');
	if (p == *s || isdigit((unsigned char)*p))
		return false;
	*s = p;
	return true;
}

unsigned zsr_release_parse(const char *release)
{
	unsigned major, minor;

	if (!parse_number(&release, &major) || *release++ != '.' ||
	    !parse_number(&release, &minor))
		return 0;
	if (*release && !strchr(".-+~_", *release))
		return 0;
	return ZSR_RELEASE(major, minor);
}

const struct zsr_model *zsr_model_find(const char *release)
{
	unsigned r = zsr_release_parse(release);
	size_t i = ZSR_ARRAY_SIZE(since);

	while (i--)
		if (r >= since[i].release)
			return since[i].model;
	return NULL;
}
