// SPDX-License-Identifier: GPL-2.0-only
/* A histogram as a curve over nines. */
#include <math.h>
#include <stdlib.h>

#include "analyze/values.h"

int zsr_latency_build(struct zsr_latency *l, const struct zsr_hist *h)
{
	uint64_t before = 0;
	unsigned i;
	size_t nr = 0;

	*l = (struct zsr_latency){ 0 };
	if (!h || !h->count)
		return 0;
	for (i = 0; i < ZSR_HIST_BUCKETS; i++)
		nr += h->bucket[i] != 0;
	l->pt = calloc(nr, sizeof(*l->pt));
	if (!l->pt && nr)
		return -ENOMEM;
	for (i = 0; i < ZSR_HIST_BUCKETS && before < h->count; i++) {
		if (!h->bucket[i])
			continue;
		/* A bucket reaches from the share of values below it on. */
		l->pt[l->nr++] = (struct zsr_nines){
			.nines = log10((double)h->count /
				       (double)(h->count - before)),
			.ns = zsr_min(zsr_hist_high(i), h->max),
		};
		before += zsr_min(h->bucket[i], h->count - before);
	}
	l->count = h->count;
	return 0;
}

uint64_t zsr_latency_at(const struct zsr_latency *l, double nines)
{
	size_t i;

	for (i = 0; i + 1 < l->nr && l->pt[i + 1].nines <= nines; i++)
		;
	return l->nr ? l->pt[i].ns : 0;
}
