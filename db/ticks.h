/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The steps of a capture's clock. A counter of 54 MHz makes times that are
 * multiples of 18.52 ns, each rounded down to a whole one: told as numbers of
 * steps they take four bits less, exactly.
 */
#ifndef ZSR_DB_TICKS_H
#define ZSR_DB_TICKS_H

#include "event/event.h"

#define ZSR_TICK_SHIFT 40
/* What a chunk's first time is counted from, so that calls may begin before. */
#define ZSR_TICK_START (1ull << ZSR_TICK_SHIFT)

/* Limits of what a chunk may say, far from overflows. */
#define ZSR_TICK_STEP_MAX (1ull << (ZSR_TICK_SHIFT + 7))
#define ZSR_TICK_MAX      (1ull << 48)
#define ZSR_TICK_REST_MAX (1u << 20)

struct zsr_ticks {
	uint64_t step; /* ns << ZSR_TICK_SHIFT; 0: there are none */
	uint64_t phase; /* likewise, below step: of tick ZSR_TICK_START */
};

/* Ns of tick K less those of ZSR_TICK_START, whose product has no fraction. */
static inline uint64_t zsr_ticks_ns(const struct zsr_ticks *t, uint64_t k)
{
	unsigned __int128 fine = (unsigned __int128)k * t->step + t->phase;

	return (uint64_t)(fine >> ZSR_TICK_SHIFT) - t->step;
}

/*
 * The clock's steps from the times and durations of N events, beginning with
 * those in *t if it has some; false when there are none, or whole ones that a
 * column's scale tells better. No error costs more than space: what differs from
 * them is told beside them.
 */
bool zsr_ticks_find(struct zsr_ticks *t, const struct zsr_event *ev, size_t n);
/* The tick nearest to REL ns (above -2^40, below 2^46). */
uint64_t zsr_ticks_of(const struct zsr_ticks *t, int64_t rel);

#endif
