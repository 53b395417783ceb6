/* SPDX-License-Identifier: GPL-2.0-only */
/* What tests write into objects. */
#ifndef ZSR_BYTES_H
#define ZSR_BYTES_H

#include "base/base.h"

enum { BYTES_MAX_SIZE = 65536, BYTES_MAX_IDS = 65536 };

/* BYTES_MAX_SIZE random bytes, other ones for each id. */
static inline const char *bytes_of_id(unsigned id)
{
	static uint64_t noise[(BYTES_MAX_SIZE + BYTES_MAX_IDS) / 8];
	struct zsr_rng rng = { 1 };
	size_t i;

	for (i = ZSR_ARRAY_SIZE(noise); !noise[0] && i--;)
		noise[i] = zsr_rng_next(&rng);
	return (const char *)noise + id % BYTES_MAX_IDS;
}

#endif
