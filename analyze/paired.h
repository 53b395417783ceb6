/* SPDX-License-Identifier: GPL-2.0-only */
/* The test behind "they differ" for runs whose times are measured. */
#ifndef ZSR_ANALYZE_PAIRED_H
#define ZSR_ANALYZE_PAIRED_H

#include "analyze/analyze.h"

/*
 * DIFF: one difference a round. Rounds in which there is none count for the
 * interval only, whose confidence is 1 - LEVEL. 0 or -ENOMEM.
 */
int zsr_paired_test(const double *diff, size_t nr, double level,
		    struct zsr_shift *e);
/* The least p that NR rounds can give. */
double zsr_paired_least(size_t nr);

#endif
