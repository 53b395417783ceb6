// SPDX-License-Identifier: GPL-2.0-only
/* How far a comparison can be believed, in a few lines. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/values.h"

static int clock_line(struct zsr_compare *c, const struct zsr_trace *t)
{
	const char *played = !t ? "captured nobody knows how"
			     : t->times == ZSR_TIMES_EMULATED
				     ? "calls of an emulated kernel"
			     : t->times == ZSR_TIMES_SYNTHETIC
				     ? "calls generated, not captured"
				     : "calls captured on hardware";

	return zsr_lines_add(&c->truth.stamp, "clock\t%s; %s",
			     strcmp(c->clock, "virtual")
				     ? "host: times measured on this machine"
				     : "virtual: states exact, times modelled",
			     played);
}

static int pages_line(struct zsr_fidelity *f, const struct zsr_trace *t)
{
	uint64_t worst = 0, of = 0;
	char a[ZSR_FMT_LEN], b[ZSR_FMT_LEN];
	size_t i, same = 0;

	for (i = 0; i < f->nr_snaps; i++) {
		uint64_t k = f->snap[i].kernel, r = f->snap[i].replayed;
		uint64_t off = k > r ? k - r : r - k;

		same += !off;
		if (off > worst) {
			worst = off;
			of = k;
		}
	}
	if (!f->nr_snaps)
		return zsr_lines_add(
			&f->stamp, "pages\tno mm_stat to hold them against%s",
			t && !t->from_empty ? ", pool not seen from empty" : "");
	if (!worst)
		return zsr_lines_add(&f->stamp,
				     "pages\tthose of the kernel's mm_stat at "
				     "%s %zu mark%s",
				     f->nr_snaps > 1 ? "all" : "the one",
				     f->nr_snaps, f->nr_snaps > 1 ? "s" : "");
	return zsr_lines_add(&f->stamp,
			     "pages\tthose of the kernel's mm_stat at %zu of "
			     "%zu marks, off by %s of %s at worst",
			     same, f->nr_snaps, zsr_fmt_count(a, worst),
			     zsr_fmt_count(b, of));
}

static int times_line(struct zsr_compare *c)
{
	struct zsr_fidelity *f = &c->truth;
	const struct zsr_column *own;
	char a[2][ZSR_FMT_LEN];

	if (f->untimed)
		return zsr_lines_add(&f->stamp, "times\tnot comparable: %s",
				     f->untimed);
	if (f->own == SIZE_MAX)
		return zsr_lines_add(&f->stamp,
				     "times\tnot compared: no run of %s, which "
				     "the captured kernel has",
				     f->own_policy);
	own = &c->col[f->own];
	return zsr_lines_add(
		&f->stamp,
		"times\t%s replayed takes %s of the captured caller time, a "
		"median free %s",
		own->label,
		zsr_fmt_ratio(a[0], own->value[VAL_caller_mean_ns],
			      f->caller_mean_ns),
		zsr_fmt_ratio(a[1], own->value[VAL_release_p50_ns],
			      zsr_latency_at(&f->captured, 0.30103)));
}

/* Calls that happened and are in no figure. */
static int losses_line(struct zsr_compare *c, const struct zsr_trace *t)
{
	uint64_t played = c->col[0].value[VAL_frees];
	uint64_t orphans = t->nr_frees - zsr_min(t->nr_frees, played);
	char a[2][ZSR_FMT_LEN];

	if (!t->nr_lost && !t->nr_lost_places && !orphans)
		return zsr_lines_add(&c->truth.stamp,
				     "losses\tnone: every call is played");
	return zsr_lines_add(&c->truth.stamp,
			     "losses\t%s%s records lost, %s frees of objects "
			     "stored before the trace began",
			     t->nr_lost_places ? "at least " : "",
			     zsr_fmt_count(a[0], t->nr_lost),
			     zsr_fmt_count(a[1], orphans));
}

/* What nobody measured of the modelled time. */
static int model_line(struct zsr_compare *c)
{
	struct zsr_fidelity *f = &c->truth;
	uint64_t total = 0, assumed = 0, partly = 0;
	char a[2][ZSR_FMT_LEN];
	size_t i;

	for (i = 0; i < f->nr_evidence; i++) {
		total += f->evidence[i].ns;
		if (!*f->evidence[i].name ||
		    !strcmp(f->evidence[i].name, "assumed"))
			assumed += f->evidence[i].ns;
		else if (strstr(f->evidence[i].name, "assumed"))
			partly += f->evidence[i].ns;
	}
	if (!total)
		return 0;
	return zsr_lines_add(&f->stamp,
			     "model\tof the CPU time of %s %s rests on assumed "
			     "values alone, %s on such among others",
			     c->col[f->col].label,
			     zsr_fmt_percent(a[0], assumed, total),
			     zsr_fmt_percent(a[1], partly, total));
}

int zsr_stamp_build(struct zsr_compare *c, const struct zsr_trace *t)
{
	if (clock_line(c, t) || pages_line(&c->truth, t) || times_line(c) ||
	    (t && losses_line(c, t)) || model_line(c))
		return -ENOMEM;
	return 0;
}
