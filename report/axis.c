// SPDX-License-Identifier: GPL-2.0-only
/* Round numbers for axes. */
#include <math.h>

#include "report/page.h"

struct unit {
	const char *name;
	double per;
};

/* The largest unit that `max` holds at least one of. */
static const struct unit *pick(const struct unit *u, size_t nr, double max)
{
	size_t i = nr - 1;

	while (i > 0 && max < u[i].per)
		i--;
	return &u[i];
}

/* 1, 2 or 5 times a power of ten, at most `most` of them in `span`. */
static double round_step(double span, unsigned most)
{
	static const double nice[] = { 1, 2, 5, 10 };
	double least = span / most, p, i;
	size_t k;

	if (!(least > 0))
		return 1;
	p = pow(10, floor(log10(least)));
	for (k = 0; k < ZSR_ARRAY_SIZE(nice); k++) {
		i = nice[k] * p;
		if (i >= least * 0.999999)
			return i;
	}
	return 10 * p;
}

static struct ticks ticks(const struct unit *u, double span, unsigned most)
{
	double step = round_step(span / u->per, most);
	struct ticks t = { .step = step * u->per,
			   .per = u->per,
			   .unit = u->name };

	if (step < 1)
		t.decimals = (int)ceil(-log10(step) - 1e-9);
	return t;
}

struct ticks ticks_time(double from_ns, double to_ns, unsigned most)
{
	static const struct unit units[] = {
		{ "ns", 1 }, { "us", 1e3 }, { "ms", 1e6 }, { "s", 1e9 }
	};

	return ticks(pick(units, ZSR_ARRAY_SIZE(units),
			  zsr_max(fabs(from_ns), fabs(to_ns))),
		     to_ns - from_ns, most);
}

struct ticks ticks_bytes(double max, unsigned most)
{
	static const struct unit units[] = { { "B", 1 },
					     { "KiB", 1024 },
					     { "MiB", 1024.0 * 1024 },
					     { "GiB", 1024.0 * 1024 * 1024 } };

	return ticks(pick(units, ZSR_ARRAY_SIZE(units), max), max, most);
}

struct ticks ticks_count(double max, unsigned most)
{
	static const struct unit units[] = { { "entries", 1 },
					     { "thousand entries", 1e3 },
					     { "million entries", 1e6 } };
	const struct unit *u = pick(units, ZSR_ARRAY_SIZE(units), max / 10);
	struct ticks t = ticks(u, max, most);

	/* Nobody queues half an entry. */
	if (u->per == 1 && t.step < 1) {
		t.step = 1;
		t.decimals = 0;
	}
	return t;
}

char *tick_label(char buf[ZSR_FMT_LEN], const struct ticks *t, double value)
{
	double v = value / t->per;

	/* No "-0". */
	if (fabs(v) < t->step / t->per / 2)
		v = 0;
	snprintf(buf, ZSR_FMT_LEN, "%.*f", zsr_min(t->decimals, 9), v);
	return buf;
}
