/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The clock calls are timed by: the CPU's own counter where it runs at one rate
 * on all CPUs, whatever they do; else CLOCK_MONOTONIC.
 */
#ifndef ZSR_HOST_CLOCK_H
#define ZSR_HOST_CLOCK_H

#include "base/base.h"

struct zsr_clock {
	const char *name; /* "tsc", "cntvct", "monotonic" */
	uint64_t mult; /* ps = ticks * mult >> ZSR_CLOCK_SHIFT */
	uint64_t base; /* ticks at time 0 */
	uint64_t overhead; /* ticks that two reads tell with nothing between */
	uint64_t read_ps; /* what one read takes */
};

#define ZSR_CLOCK_SHIFT 32

/* zsr_ticks() is CLOCK_MONOTONIC in ns. Set by zsr_clock_init(). */
extern bool zsr_ticks_slow;

static inline uint64_t zsr_ticks(void)
{
#if defined(__x86_64__)
	unsigned aux;

	/* Waits for what comes before it. */
	if (__builtin_expect(!zsr_ticks_slow, 1))
		return __builtin_ia32_rdtscp(&aux);
#elif defined(__aarch64__)
	uint64_t ticks;

	if (__builtin_expect(!zsr_ticks_slow, 1)) {
		__asm__ volatile("isb; mrs %0, cntvct_el0"
				 : "=r"(ticks)
				 :
				 : "memory");
		return ticks;
	}
#endif
	return zsr_clock_ns();
}

/* Finds the clock, its rate and what reading it takes: a few hundredths of a
 * second. Time 0 is now. */
void zsr_clock_init(struct zsr_clock *c);

/* A difference of ticks in ps. */
static inline uint64_t zsr_ticks_ps(const struct zsr_clock *c, uint64_t ticks)
{
	return (uint64_t)((unsigned __int128)ticks * c->mult >> ZSR_CLOCK_SHIFT);
}

/* A moment in ps from time 0; 0 for what was before. */
static inline uint64_t zsr_clock_ps(const struct zsr_clock *c, uint64_t ticks)
{
	return ticks < c->base ? 0 : zsr_ticks_ps(c, ticks - c->base);
}

/* A difference of ticks for a time in ns. */
static inline uint64_t zsr_ns_ticks(const struct zsr_clock *c, uint64_t ns)
{
	return (uint64_t)(((unsigned __int128)ns * 1000 << ZSR_CLOCK_SHIFT) /
			  c->mult);
}

#endif
