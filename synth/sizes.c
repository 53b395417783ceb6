// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "synth/synth.h"

/* Pages of repeated numbered text compress to nearly the same size. */
#define TEXT_LO 632
#define TEXT_HI 656

/* Share of incompressible pages in real memory, an assumption. */
#define PERCENT_HUGE 4

/*
 * lzo-rle sizes of anonymous pages of a Python, a Node and a Clang process, at
 * every 32nd of the distribution.
 */
static const struct {
	uint32_t page_size;
	uint16_t at[33];
} quantiles[] = {
	{ 4096, { 41,   744,  885,  918,  985,  1011, 1025, 1035, 1045,
		  1054, 1062, 1072, 1086, 1127, 1219, 1258, 1318, 1356,
		  1375, 1406, 1493, 1538, 1557, 1575, 1599, 1644, 1695,
		  1756, 1813, 1833, 1859, 1911, 3600 } },
	{ 16384, { 90,   3017, 3540, 3590, 3626, 3652, 3675, 3704, 3735,
		   3764, 3797, 3837, 3978, 4267, 4554, 4661, 4956, 5055,
		   5157, 5325, 5476, 5593, 5656, 5744, 5852, 5932, 6102,
		   6319, 6709, 6889, 7029, 7369, 14400 } },
	{ 65536,
	  { 375,   13189, 14119, 14209, 14294, 14364, 14441, 14533, 14669,
	    15061, 15346, 15523, 15657, 15891, 17599, 18513, 19642, 20077,
	    20349, 20986, 21500, 21711, 22003, 22309, 22560, 22801, 23346,
	    24303, 25320, 27156, 27444, 28639, 57600 } },
};

static uint32_t draw_quantile(uint32_t page_size, struct zsr_rng *rng)
{
	const uint16_t *at = quantiles[0].at;
	size_t i;
	uint64_t k;

	for (i = 0; i < ZSR_ARRAY_SIZE(quantiles); i++)
		if (quantiles[i].page_size == page_size)
			at = quantiles[i].at;
	if (zsr_rng_below(rng, 100) < PERCENT_HUGE)
		return page_size;
	k = zsr_rng_below(rng, 32);
	return at[k] + (uint32_t)zsr_rng_below(rng, at[k + 1] - at[k] + 1u);
}

uint32_t zsr_sizes_draw(const struct zsr_sizes *s, uint32_t page_size,
			struct zsr_rng *rng)
{
	if (s->kind == ZSR_SIZES_LZO_RLE)
		return draw_quantile(page_size, rng);
	return s->lo + (uint32_t)zsr_rng_below(rng, s->hi - s->lo + 1u);
}

static int parse_bounds(const char *s, uint32_t page_size,
			struct zsr_sizes *out, struct zsr_err *err)
{
	unsigned lo, hi;
	char end;
	int n = sscanf(s, "fixed:%u%c", &lo, &end);

	if (n == 1) {
		hi = lo;
	} else if (sscanf(s, "range:%u-%u%c", &lo, &hi, &end) != 2) {
		return zsr_err_usage(err,
				     "--sizes %s: expected text, lzo-rle, "
				     "uniform, fixed:N or range:LO-HI",
				     s);
	}
	if (!lo || lo > hi || hi > page_size)
		return zsr_err_usage(err,
				     "--sizes %s: sizes are 1 to %u, the page "
				     "size",
				     s, page_size);
	out->lo = lo;
	out->hi = hi;
	return 0;
}

int zsr_sizes_parse(const char *s, uint32_t page_size, struct zsr_sizes *out,
		    struct zsr_err *err)
{
	*out = (struct zsr_sizes){ .kind = ZSR_SIZES_RANGE };
	if (!strcmp(s, "text")) {
		out->kind = ZSR_SIZES_TEXT;
		out->lo = TEXT_LO * (page_size / 4096);
		out->hi = TEXT_HI * (page_size / 4096);
	} else if (!strcmp(s, "lzo-rle")) {
		out->kind = ZSR_SIZES_LZO_RLE;
	} else if (!strcmp(s, "uniform")) {
		out->lo = 32;
		out->hi = page_size;
	} else {
		return parse_bounds(s, page_size, out, err);
	}
	return 0;
}
