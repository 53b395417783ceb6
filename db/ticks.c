// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finding the steps of a clock: the frequency at which short spans of time line
 * up best, then the same with spans four times as long, and so on to the length
 * of the chunk. In whole numbers, so that every machine finds the same.
 */
#include "db/ticks.h"

#define NR_SPANS  128 /* that are looked at */
#define NR_SHORT  64 /* of the first ones */
#define SHORT_MIN 2048 /* ns: half of the longest of the first */
#define SHORT_MAX 16384
#define STEP_MIN  4 /* ns: less is not worth it */
#define STEP_MAX  100
#define ENOUGH    (4096 / 2) /* of a harmony */
#define SPAN_MAX  (1ull << 46)
#define OFF_MAX   (1 << 16) /* ns that times may be beside ticks */

/* Fractions of a turn are 64 bits: a span times a frequency overflows into
 * them. */

/* A sine in 4096ths, of 256ths of a turn: two parabolas. */
static int wave(uint8_t angle)
{
	int x = (int8_t)angle;

	return x * (128 - (x < 0 ? -x : x));
}

/* Of a step, or the step of a frequency. */
static uint64_t to_frequency(uint64_t step)
{
	return (uint64_t)(((unsigned __int128)1 << (64 + ZSR_TICK_SHIFT)) / step);
}

/* How well NR spans, if they are multiples of a frequency's step, show it: up to
 * 4096. */
static int64_t harmony(const uint64_t *span, size_t nr, uint64_t freq)
{
	int64_t cosine = 0;
	size_t i;

	for (i = 0; i < nr; i++)
		cosine += wave((uint8_t)((span[i] * freq >> 56) + 64));
	return cosine / (int64_t)nr;
}

/* The best of COUNT frequencies from LOW on. */
static uint64_t best_of(const uint64_t *span, size_t nr, uint64_t low,
			uint64_t apart, uint64_t count, int64_t *score)
{
	uint64_t best = low, i;
	int64_t s;

	*score = 0;
	for (i = 0; i < count; i++) {
		s = harmony(span, nr, low + i * apart);
		if (s > *score) {
			*score = s;
			best = low + i * apart;
		}
	}
	return best;
}

/* The last event from FROM on that is not after T_NS. */
static size_t last_before(const struct zsr_event *ev, size_t n, size_t from,
			  uint64_t t_ns)
{
	size_t to = n, mid;

	while (to - from > 1) {
		mid = from + (to - from) / 2;
		if (ev[mid].t_ns <= t_ns)
			from = mid;
		else
			to = mid;
	}
	return from;
}

/* Spans from the times of two events, up to MAX: if all were as long, they would
 * line up at many steps. */
static size_t long_spans(const struct zsr_event *ev, size_t n, uint64_t max,
			 uint64_t *span)
{
	size_t i, from, to, nr = 0;
	uint64_t limit;

	for (i = 0; i < NR_SPANS; i++) {
		from = i * n / NR_SPANS;
		limit = max / 8 * (1 + i % 8);
		to = last_before(ev, n, from, ev[from].t_ns + limit);
		if (to > from)
			span[nr++] = ev[to].t_ns - ev[from].t_ns;
	}
	return nr;
}

/* Durations and steps of time up to MAX; *spread is their range. */
static size_t short_spans(const struct zsr_event *ev, size_t n, uint64_t max,
			  uint64_t *span, uint64_t *spread)
{
	uint64_t low = UINT64_MAX, high = 0, d;
	size_t i, nr = 0;

	for (i = 1; i < n && nr < NR_SHORT; i++) {
		d = ev[i].dur_ns ? ev[i].dur_ns : ev[i].t_ns - ev[i - 1].t_ns;
		if (d < 8 || d > max)
			continue;
		low = zsr_min(low, d);
		high = zsr_max(high, d);
		span[nr++] = d;
	}
	*spread = nr ? high - low : 0;
	return nr;
}

/* All times and durations are multiples of some number of ns. */
static bool whole_steps(const struct zsr_event *ev, size_t n)
{
	uint64_t step = 0, v, r;
	size_t i;

	for (i = 1; i < n && step != 1; i++) {
		v = ev[i].t_ns - ev[i - 1].t_ns;
		for (; v; r = step % v, step = v, v = r)
			;
		v = ev[i].dur_ns;
		for (; v; r = step % v, step = v, v = r)
			;
	}
	return step != 1;
}

/* A frequency from short spans; 0: there is none. */
static uint64_t first_guess(const struct zsr_event *ev, size_t n, uint64_t *max)
{
	uint64_t span[NR_SHORT], spread = 0, longest, low, apart, f;
	int64_t score;
	size_t nr = 0;

	for (*max = SHORT_MIN; nr < NR_SHORT && *max < SHORT_MAX;) {
		*max *= 2;
		nr = short_spans(ev, n, *max, span, &spread);
	}
	/* Spans that hardly differ line up at any long step. */
	longest = zsr_min(spread / 8, (uint64_t)STEP_MAX);
	if (nr < NR_SHORT || longest < 3)
		return 0;
	apart = UINT64_MAX / (3 * *max);
	low = UINT64_MAX / longest;
	f = best_of(span, nr, low, apart, (UINT64_MAX / STEP_MIN - low) / apart,
		    &score);
	return score > ENOUGH ? f : 0;
}

/* Where in a turn most times lie. */
static uint64_t common_angle(const struct zsr_event *ev, size_t n, uint64_t freq)
{
	int64_t sum, most = INT64_MIN;
	unsigned a, best = 0;
	size_t i;

	for (a = 0; a < 256; a++) {
		sum = 0;
		for (i = 0; i < NR_SPANS; i++) {
			uint64_t t = ev[i * n / NR_SPANS].t_ns - ev[0].t_ns;

			sum += wave((uint8_t)((t * freq >> 56) + 64 - a));
		}
		if (sum > most) {
			most = sum;
			best = a;
		}
	}
	return best;
}

uint64_t zsr_ticks_of(const struct zsr_ticks *t, int64_t rel)
{
	/* In 256ths of a ns, from tick 0 on and half a tick further. */
	unsigned __int128 fine =
		((unsigned __int128)t->step << 8) +
		(unsigned __int128)(rel * 256) +
		(unsigned __int128)((int64_t)(t->step / 2 - t->phase) >> 32);

	return (uint64_t)((fine << 32) / t->step);
}

/* ---- a closer look ---------------------------------------------------------- */

/* Of some events: the sums of their ticks and of what their times are off. */
struct part {
	int64_t nr;
	int64_t ticks;
	int64_t off;
};

static bool add_part(struct part *p, const struct zsr_ticks *t, uint64_t t_min,
		     const struct zsr_event *ev, size_t n, int64_t *off)
{
	size_t i;

	*p = (struct part){ 0 };
	for (i = 0; i < n; i++) {
		int64_t rel = (int64_t)(ev[i].t_ns - t_min) - *off;
		uint64_t k = zsr_ticks_of(t, rel);

		*off += rel - (int64_t)zsr_ticks_ns(t, k);
		if (*off < -OFF_MAX || *off > OFF_MAX)
			return false;
		p->nr++;
		p->ticks += (int64_t)(k - ZSR_TICK_START);
		p->off += *off;
	}
	p->ticks /= p->nr;
	p->off = (int64_t)(p->off * ((__int128)1 << ZSR_TICK_SHIFT) / p->nr);
	return true;
}

/* Both halves of the events off by nothing on average; a clock may be steered
 * while it starts, so that the first of them do not count. */
static bool fit(struct zsr_ticks *t, const struct zsr_event *ev, size_t n)
{
	size_t from = n / 8, mid = n / 8 + (n - n / 8) / 2;
	struct part a, b;
	int64_t off = 0, slope;
	__int128 phase;

	if (!add_part(&a, t, ev->t_ns, ev, from, &off) ||
	    !add_part(&a, t, ev->t_ns, ev + from, mid - from, &off) ||
	    !add_part(&b, t, ev->t_ns, ev + mid, n - mid, &off) ||
	    b.ticks <= a.ticks)
		return false;
	slope = (b.off - a.off) / (b.ticks - a.ticks);
	t->step += (uint64_t)slope;
	if (t->step >> ZSR_TICK_SHIFT == 0 || t->step >= ZSR_TICK_STEP_MAX)
		return false;
	phase = ((__int128)t->phase + a.off - (__int128)slope * a.ticks) %
		(__int128)t->step;
	t->phase = (uint64_t)(phase < 0 ? phase + (__int128)t->step : phase);
	return true;
}

bool zsr_ticks_find(struct zsr_ticks *t, const struct zsr_event *ev, size_t n)
{
	uint64_t span[NR_SPANS], max, apart = 0, freq;
	uint64_t length = ev[n - 1].t_ns - ev[0].t_ns;
	int64_t score;
	size_t nr;

	if (n < NR_SPANS || length > SPAN_MAX || whole_steps(ev, n))
		return false;
	if (t->step) {
		freq = to_frequency(t->step);
		max = 1u << 18;
	} else {
		freq = first_guess(ev, n, &max);
	}
	if (!freq)
		return false;
	while (max < length || !apart) {
		max *= 4;
		nr = long_spans(ev, n, max, span);
		if (nr < NR_SPANS / 2) {
			if (max > 4 * length)
				return false;
			continue;
		}
		apart = UINT64_MAX / (8 * max);
		freq = best_of(span, nr, freq - 16 * apart, apart, 33, &score);
		if (score < ENOUGH)
			return false;
	}
	t->step = to_frequency(freq);
	/* Rounded down, times lie half a ns in front of the middle. */
	t->phase = (t->step >> 8) * common_angle(ev, n, freq) +
		   (1ull << (ZSR_TICK_SHIFT - 1));
	t->phase %= t->step;
	return fit(t, ev, n) && fit(t, ev, n);
}
