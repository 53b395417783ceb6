// SPDX-License-Identifier: GPL-2.0-only
/*
 * Do two policies that were run in the same rounds differ? The rounds are
 * blocks: what changes on the machine hits both runs of one, and which of the
 * two goes first is drawn anew for each. So if the policies were the same, the
 * sign of every round's difference would be a fair coin, whatever the noise is
 * like, drift and autocorrelation included: the test is valid by the draw
 * (Fisher, The Design of Experiments, 1935, section 21). Its statistic is
 * Wilcoxon's signed-rank sum (Biometrics Bulletin 1, 1945), which a disturbed
 * round cannot dominate, with its exact distribution given the ranks; the
 * interval comes of inverting it, by the averages of all pairs of differences
 * (Hodges and Lehmann, Annals of Mathematical Statistics 34, 1963).
 */
#include <math.h>
#include <stdlib.h>

#include "analyze/paired.h"

/* Beyond so many differences the normal distribution takes over. */
#define MOST_EXACT 200

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int by_size(const void *a, const void *b)
{
	double x = fabs(*(const double *)a), y = fabs(*(const double *)b);

	return (x > y) - (x < y);
}

/* Twice the mean rank of those that tie with it, of d[NR] sorted by size. */
static void rank(const double *d, size_t nr, unsigned *twice)
{
	size_t i, k;

	for (i = 0; i < nr; i = k) {
		for (k = i; k < nr && fabs(d[k]) == fabs(d[i]); k++)
			;
		for (size_t j = i; j < k; j++)
			twice[j] = (unsigned)(i + 1 + k);
	}
}

/* The chance that fair signs give a sum of ranks of at most SUM, or -1 without
 * memory. */
static double chance_exact(const unsigned *twice, size_t nr, size_t sum)
{
	size_t i, k, most = 0;
	double *p, below = 0;

	for (i = 0; i < nr; i++)
		most += twice[i];
	p = calloc(most + 1, sizeof(*p));
	if (!p)
		return -1;
	p[0] = 1;
	for (i = 0; i < nr; i++)
		for (k = most + 1; k--;)
			p[k] = (p[k] + (k < twice[i] ? 0 : p[k - twice[i]])) / 2;
	for (k = 0; k <= zsr_min(sum, most); k++)
		below += p[k];
	free(p);
	return below;
}

static double chance_normal(const unsigned *twice, size_t nr, size_t sum)
{
	double mean = 0, var = 0;
	size_t i;

	for (i = 0; i < nr; i++) {
		mean += twice[i] / 2.0;
		var += twice[i] / 2.0 * (twice[i] / 2.0);
	}
	return erfc((mean - (double)sum - 1) / sqrt(2 * var)) / 2;
}

static double chance(const unsigned *twice, size_t nr, size_t sum)
{
	return nr <= MOST_EXACT ? chance_exact(twice, nr, sum)
				: chance_normal(twice, nr, sum);
}

/* Both ways; d[] is sorted by size and has no zeros. */
static double both_ways(const double *d, const unsigned *twice, size_t nr)
{
	size_t i, up = 0, down = 0;

	for (i = 0; i < nr; i++)
		*(d[i] > 0 ? &up : &down) += twice[i];
	return 2 * chance(twice, nr, zsr_min(up, down));
}

/* How many of the NR * (NR + 1) / 2 averages lie outside of the interval on
 * each side: the distribution is that without ties. */
static size_t outside(size_t nr, unsigned *twice, double level)
{
	size_t low = 0, high = nr * (nr + 1) / 2, mid, i;

	for (i = 0; i < nr; i++)
		twice[i] = (unsigned)(2 * (i + 1));
	/* The most k with a chance of k - 1 or less of at most half the level. */
	while (low < high) {
		mid = (low + high + 1) / 2;
		if (chance(twice, nr, 2 * (mid - 1)) <= level / 2)
			low = mid;
		else
			high = mid - 1;
	}
	return low;
}

static int interval(const double *d, size_t nr, unsigned *twice, double level,
		    struct zsr_shift *e)
{
	size_t all = nr * (nr + 1) / 2, i, k, n = 0, cut;
	double *mean = malloc(all * sizeof(*mean));

	if (!mean)
		return -ENOMEM;
	for (i = 0; i < nr; i++)
		for (k = i; k < nr; k++)
			mean[n++] = (d[i] + d[k]) / 2;
	qsort(mean, all, sizeof(*mean), ascending);
	cut = outside(nr, twice, level);
	e->mid = (mean[(all - 1) / 2] + mean[all / 2]) / 2;
	e->low = cut ? mean[cut - 1] : -INFINITY;
	e->high = cut ? mean[all - cut] : INFINITY;
	free(mean);
	return 0;
}

int zsr_paired_test(const double *diff, size_t nr, double level,
		    struct zsr_shift *e)
{
	double *d = malloc((nr + 1) * sizeof(*d));
	unsigned *twice = calloc(nr + 1, sizeof(*twice));
	size_t i, n = 0;
	int ret = -ENOMEM;

	*e = (struct zsr_shift){ .p = 1, .low = -INFINITY, .high = INFINITY };
	if (!d || !twice)
		goto out;
	ret = 0;
	for (i = 0; i < nr; i++)
		if (diff[i] != 0)
			d[n++] = diff[i];
	if (n) {
		qsort(d, n, sizeof(*d), by_size);
		rank(d, n, twice);
		e->p = both_ways(d, twice, n);
		if (e->p < 0)
			ret = -ENOMEM;
		e->p = zsr_min(e->p, 1.0);
	}
	if (!ret && nr)
		ret = interval(diff, nr, twice, level, e);
out:
	free(d);
	free(twice);
	return ret;
}

double zsr_paired_least(size_t nr)
{
	return ldexp(2, -(int)zsr_min(nr, (size_t)1000));
}
