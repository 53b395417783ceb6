// SPDX-License-Identifier: GPL-2.0-only
/* Clocks whose steps are no whole ns: the steps are found, what they make of a
 * chunk is smaller and comes back exactly, also when the clock is steered and
 * when some times are beside its steps. */
#include "db/t/codec.h"
#include "db/ticks.h"

#define N 4000

/* What made the times of a trace. */
struct clock {
	double hz;
	double steered; /* parts by which it is faster in the second half */
	unsigned beside; /* one time in so many is anything; 0: none */
};

static uint64_t read_clock(const struct clock *c, double s, double half)
{
	double ticks = (double)(uint64_t)(s * c->hz), step = 1e9 / c->hz;

	if (s < half)
		return (uint64_t)(ticks * step);
	return (uint64_t)(ticks * step + (s - half) * 1e9 * c->steered);
}

/* Stores and releases some us apart, their durations some hundred ns. */
static void make_events(const struct clock *c, struct zsr_event *ev, size_t n)
{
	struct zsr_rng rng = { 42 };
	double s = 0.25, half = 0.25 + (double)n * 3e-6 / 2, dur;
	size_t i, born = 0, dead = 0;

	for (i = 0; i < n; i++) {
		bool is_malloc = dead == born || zsr_rng_below(&rng, 2);
		uint64_t t, other;

		dur = 3e-7 + 1.5e-6 * (double)zsr_rng_below(&rng, 1000) / 1000;
		s += dur + 2e-6 * (double)zsr_rng_below(&rng, 1000) / 1000;
		t = read_clock(c, s, half);
		other = read_clock(c, is_malloc ? s - dur : s + dur, half);
		ev[i] = (struct zsr_event){
			.t_ns = t,
			.dur_ns = is_malloc ? t - other : other - t,
			.obj = is_malloc ? born++ : dead++,
			.kind = is_malloc ? ZSR_EV_MALLOC : ZSR_EV_FREE,
			.size = is_malloc ? 100 : 0,
			.slot = -1,
			.cgroup = -1,
		};
		if (c->beside && zsr_rng_below(&rng, c->beside) == 0)
			ev[i].dur_ns += 1 + zsr_rng_below(&rng, 100000);
	}
}

static const struct clock clocks[] = {
	{ 54e6, 0, 0 }, /* Raspberry Pi 4 and 5 */
	{ 19.2e6, 0, 0 }, /* Raspberry Pi 3 and most phones */
	{ 24e6, 0, 0 },   { 99.85e6, 0, 0 },     { 54e6, 2e-7, 0 },
	{ 54e6, 0, 10 },  { 19.2e6, -1e-6, 30 },
};

START_TEST(found)
{
	static struct zsr_event ev[N];
	struct zsr_ticks t;
	double step;
	size_t i;

	for (i = 0; i < ZSR_ARRAY_SIZE(clocks); i++) {
		t = (struct zsr_ticks){ 0 };
		make_events(&clocks[i], ev, N);
		ck_assert_msg(zsr_ticks_find(&t, ev, N), "clock %zu", i);
		step = (double)t.step / (double)(1ull << ZSR_TICK_SHIFT);
		ck_assert_double_eq_tol(step, 1e9 / clocks[i].hz, 1e-4);
		/* Once known they are found again. */
		ck_assert(zsr_ticks_find(&t, ev, N));
	}
}
END_TEST

START_TEST(none)
{
	static const struct clock whole = { 62.5e6, 0, 0 }, fine = { 1e9, 0, 0 };
	static struct zsr_event ev[N];
	struct zsr_ticks t = { 0 };
	size_t i;

	make_events(&whole, ev, N);
	for (i = 0; i < N; i++) {
		ev[i].t_ns -= ev[i].t_ns % 16;
		ev[i].dur_ns -= ev[i].dur_ns % 16;
	}
	ck_assert(!zsr_ticks_find(&t, ev, N));
	make_events(&fine, ev, N);
	ck_assert(!zsr_ticks_find(&t, ev, N));
	ck_assert(!zsr_ticks_find(&t, ev, 10));
	memset(ev, 0, sizeof(ev));
	ck_assert(!zsr_ticks_find(&t, ev, N));
}
END_TEST

/* Bytes that a chunk of these events takes; they come back. */
static size_t there_and_back(const struct zsr_event *ev, struct chunk *c)
{
	static struct zsr_event out[N];
	struct zsr_live *live = zsr_live_new(0);
	struct zsr_err e = { 0 };
	size_t i;

	*c = encode(ev, N, 0);
	ck_assert_msg(!decode(c, c->blob, c->len, live, out, 300, &e), "%s",
		      e.msg);
	for (i = 0; i < N; i++)
		ck_assert(ev[i].t_ns == out[i].t_ns &&
			  ev[i].dur_ns == out[i].dur_ns &&
			  ev[i].obj == out[i].obj);
	zsr_live_free(live);
	return c->len;
}

START_TEST(round_trip)
{
	static const struct clock fine = { 1e9, 0, 0 };
	static struct zsr_event ev[N];
	struct chunk c;
	size_t len, plain, i;

	make_events(&fine, ev, N);
	plain = there_and_back(ev, &c);
	free(c.blob);
	for (i = 0; i < ZSR_ARRAY_SIZE(clocks); i++) {
		make_events(&clocks[i], ev, N);
		len = there_and_back(ev, &c);
		/* Most of a bit at least of each time and each duration, and most
		 * of the bits that a step of 18 ns and more makes idle. */
		ck_assert_uint_lt(len, plain - 2 * N / 10);
		if (clocks[i].hz < 60e6 && !clocks[i].steered &&
		    !clocks[i].beside)
			ck_assert_uint_lt(len, plain - 2 * N * 7 / 16);
		free(c.blob);
	}
}
END_TEST

/* Calls that began before the chunk did, pauses of hours, and calls that took
 * as long. */
START_TEST(extremes)
{
	static struct zsr_event ev[N];
	struct chunk c;
	size_t i;

	make_events(&clocks[0], ev, N);
	ev[0].dur_ns = ev[0].t_ns;
	ev[1].dur_ns = ev[1].t_ns;
	there_and_back(ev, &c);
	free(c.blob);
	for (i = N / 2; i < N; i++)
		ev[i].t_ns += 20000ull * 1000000000;
	there_and_back(ev, &c);
	free(c.blob);
	ev[N - 1].dur_ns = 20000ull * 1000000000;
	there_and_back(ev, &c);
	free(c.blob);
	ev[N - 1].dur_ns = INT64_MAX;
	ev[N - 1].t_ns = INT64_MAX;
	there_and_back(ev, &c);
	free(c.blob);
}
END_TEST

START_TEST(hostile_bytes)
{
	static struct zsr_event ev[N];
	struct chunk c;

	make_events(&clocks[6], ev, N);
	there_and_back(ev, &c);
	change_bytes(&c, N, 3000, 9);
	free(c.blob);
}
END_TEST

ZSR_TEST_MAIN("db/ticks", found, none, round_trip, extremes, hostile_bytes)
