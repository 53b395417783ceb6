/* SPDX-License-Identifier: GPL-2.0-only */
/* Runs of a policy in rounds, as one column. */
#ifndef ZSR_ANALYZE_ROUNDS_H
#define ZSR_ANALYZE_ROUNDS_H

#include "analyze/paired.h"
#include "analyze/values.h"

#define ZSR_TEST_LEVEL 0.05

/* All runs of one policy under the same settings, by caller time. */
struct zsr_rounds {
	const struct zsr_run **run;
	size_t nr, cap;
};

/* Leave one run of each such set, the median, in the order of the first ones;
 * (*out)[i] has those run[i] stands for. Free it also after -ENOMEM. */
int zsr_rounds_merge(const struct zsr_run **run, size_t *nr,
		     struct zsr_rounds **out);
void zsr_rounds_free(struct zsr_rounds *r, size_t nr);
/* Hold every column against its base; R as merged. */
int zsr_rounds_test(struct zsr_compare *c, const struct zsr_rounds *r);
int zsr_rounds_notes(struct zsr_compare *c);

#endif
