/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Distributions of times as integer tables: the 256 midpoints of equally
 * likely parts, so that a draw is the same on every host.
 */
#ifndef ZSR_DIST_H
#define ZSR_DIST_H

#include "base/base.h"

#define ZSR_DIST_POINTS 256

struct zsr_dist {
	uint64_t ps[ZSR_DIST_POINTS];
};

/* A lognormal distribution of sigma 0.5, scaled to a mean of exactly 1024. */
extern const uint16_t zsr_lognormal[ZSR_DIST_POINTS];

/* Its distance from the mean scaled by SPREAD permille, about MEAN (ps). */
void zsr_dist_spread(struct zsr_dist *d, uint64_t mean_ps, uint64_t spread);

/*
 * "const:25us", "lognormal:25us" (mean; sigma 0.5) or "file:PATH", a histogram
 * of text lines `ns count`, `#` starts a comment: as captured. "file:PATH#ID"
 * wants it to be the distribution of that identity. Errors name the text, or
 * the file and its line.
 */
int zsr_dist_parse(const char *text, struct zsr_dist *d, struct zsr_err *err);

/* TEXT, as D came from, with the identity of a file's distribution: the first
 * 16 digits of the SHA-256 of its points. False when OUT is too small. */
bool zsr_dist_name(const char *text, const struct zsr_dist *d, char *out,
		   size_t size);

static inline uint64_t zsr_dist_draw(const struct zsr_dist *d,
				     struct zsr_rng *rng)
{
	return d->ps[zsr_rng_next(rng) >> 56];
}

#endif
