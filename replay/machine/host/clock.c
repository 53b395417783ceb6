// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "replay/machine/host/clock.h"

enum { RATE_NS = 20000000, ROUNDS = 64, READS = 64 };

bool zsr_ticks_slow = true;

/* Does the CPU's counter run at one rate, and can it be read? */
static const char *counter_name(void)
{
#if defined(__x86_64__)
	unsigned a, b, c, d;

	if (__get_cpuid(0x80000001, &a, &b, &c, &d) && d & 1u << 27 &&
	    __get_cpuid(0x80000007, &a, &b, &c, &d) && d & 1u << 8)
		return "tsc";
#elif defined(__aarch64__)
	return "cntvct";
#endif
	return NULL;
}

/* A moment by both clocks, as close together as they can be had. */
static void both(uint64_t *ns, uint64_t *ticks)
{
	uint64_t before, after, at, least = UINT64_MAX;
	unsigned i;

	for (i = 0; i < ROUNDS; i++) {
		before = zsr_ticks();
		at = zsr_clock_ns();
		after = zsr_ticks();
		if (after - before >= least)
			continue;
		least = after - before;
		*ns = at;
		*ticks = before + (after - before) / 2;
	}
}

static uint64_t rate(void)
{
	uint64_t ns = 0, ticks = 0, ns_then = 0, ticks_then = 0;

	both(&ns_then, &ticks_then);
	do
		both(&ns, &ticks);
	while (ns - ns_then < RATE_NS);
	return (uint64_t)(((unsigned __int128)(ns - ns_then) * 1000
			   << ZSR_CLOCK_SHIFT) /
			  (ticks - ticks_then));
}

static int ascending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* The median of what two reads in a row tell, and the least that a run of them
 * takes. */
static void measure_reads(struct zsr_clock *c)
{
	uint64_t seen[ROUNDS], begin, least = UINT64_MAX;
	unsigned i, k;

	for (i = 0; i < ROUNDS; i++) {
		begin = zsr_ticks();
		seen[i] = zsr_ticks() - begin;
		begin = zsr_ticks();
		for (k = 1; k < READS; k++)
			(void)zsr_ticks();
		least = zsr_min(least, zsr_ticks() - begin);
	}
	qsort(seen, ROUNDS, sizeof(*seen), ascending);
	c->overhead = seen[ROUNDS / 2];
	c->read_ps = zsr_ticks_ps(c, least) / READS;
}

void zsr_clock_init(struct zsr_clock *c)
{
	const char *name = counter_name();

	zsr_ticks_slow = !name;
	*c = (struct zsr_clock){ .name = name ? name : "monotonic",
				 .mult = 1000ull << ZSR_CLOCK_SHIFT };
	if (name)
		c->mult = rate();
	measure_reads(c);
	c->base = zsr_ticks();
}
