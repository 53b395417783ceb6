// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "base/base.h"

void zsr_hist_init(struct zsr_hist *h)
{
	memset(h, 0, sizeof(*h));
	h->min = UINT64_MAX;
}

void zsr_hist_merge(struct zsr_hist *into, const struct zsr_hist *from)
{
	unsigned i;

	for (i = 0; i < ZSR_HIST_BUCKETS; i++)
		into->bucket[i] += from->bucket[i];
	into->count += from->count;
	into->sum += from->sum;
	into->min = zsr_min(into->min, from->min);
	into->max = zsr_max(into->max, from->max);
}

uint64_t zsr_hist_low(unsigned bucket)
{
	unsigned shift;

	if (bucket < 64)
		return bucket;
	shift = (bucket - 64) / 32 + 1;
	return (uint64_t)(32 + (bucket - 64) % 32) << shift;
}

uint64_t zsr_hist_high(unsigned bucket)
{
	if (bucket + 1 >= ZSR_HIST_BUCKETS)
		return UINT64_MAX;
	return zsr_hist_low(bucket + 1) - 1;
}

uint64_t zsr_hist_quantile(const struct zsr_hist *h, uint64_t num, uint64_t den)
{
	unsigned __int128 product = (unsigned __int128)h->count * num;
	uint64_t rank = (uint64_t)((product + den - 1) / den), seen = 0;
	unsigned i;

	if (!h->count)
		return 0;
	rank = zsr_max(rank, 1);
	for (i = 0; i < ZSR_HIST_BUCKETS; i++) {
		seen += h->bucket[i];
		if (seen >= rank)
			return zsr_min(zsr_hist_high(i), h->max);
	}
	return h->max;
}
