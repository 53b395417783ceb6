// SPDX-License-Identifier: GPL-2.0-only
/* g11: how far the capture and the replay agree, and what the times rest on. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/page.h"

#define LABEL_W 120.0
#define ROW_H   14.0

const char *evidence_text(const char *name)
{
	static const struct {
		const char *name, *text;
	} known[] = {
		{ "pub", "fitted to published totals" },
		{ "icount", "from instruction counts" },
		{ "calibrated", "measured on the machine" },
		{ "measured", "measured on the machine" },
		{ "scaled", "split as on another machine, then scaled" },
		{ "assumed", "assumed, nobody measured it" },
		{ "", "nothing said" },
	};
	size_t i;

	for (i = 0; i < ZSR_ARRAY_SIZE(known); i++)
		if (!strcmp(name, known[i].name))
			return known[i].text;
	return "a total of the one, split by the other";
}

const char *g11_missing(const struct zsr_compare *cmp)
{
	const struct zsr_fidelity *f = &cmp->truth;

	if (f->captured.nr || f->nr_snaps || f->nr_evidence)
		return NULL;
	return "nothing was captured or is known that the runs could be held "
	       "against";
}

static void heading(struct canvas *c, const char *text, unsigned *part)
{
	const struct style s = { .size = 9.5, .bold = true };

	page_need(c, 70, part);
	c->y += 18;
	text_at(c, PAGE_LEFT, c->y, LEFT, &s, text);
	c->y += 4;
}

static void flow(struct canvas *c, const char *text)
{
	const struct style s = { .size = 8.5 };

	text_flow(c, PAGE_LEFT, PAGE_INNER, &s, text);
}

const struct quantile quantiles[NR_QUANTILES] = {
	{ 0.30103, "p50" }, { 1, "p90" },  { 2, "p99" },
	{ 3, "p99.9" },     { 12, "max" },
};

void held_against(const struct zsr_compare *cmp, struct held row[NR_HELD])
{
	const struct zsr_fidelity *f = &cmp->truth;
	const struct zsr_column *col = &cmp->col[f->col];
	size_t i;

	for (i = 0; i < NR_QUANTILES; i++)
		row[i] = (struct held){
			quantiles[i].name,
			zsr_latency_at(&f->captured, quantiles[i].nines),
			zsr_latency_at(&col->latency, quantiles[i].nines),
		};
	row[i++] = (struct held){ "release, mean", f->caller_mean_ns,
				  zsr_column_value(col, "caller_mean_ns") };
	row[i++] = (struct held){ "release, worst", f->caller_max_ns,
				  zsr_column_value(col, "caller_max_ns") };
	row[i++] = (struct held){ "50 % back", captured_at(f, 0.5),
				  zsr_column_value(col, "at_50_ns") };
	row[i++] = (struct held){ "100 % back", captured_at(f, 1),
				  zsr_column_value(col, "at_100_ns") };
}

static void times(struct canvas *c, unsigned *part)
{
	const struct zsr_fidelity *f = &c->cmp->truth;
	const struct style s = { .size = 8.5 },
			   b = { .size = 8.5, .bold = true };
	char text[300], t[3][ZSR_FMT_LEN];
	struct held row[NR_HELD];
	size_t i;

	heading(c, "Times: captured and replayed", part);
	if (f->untimed) {
		snprintf(text, sizeof(text), "Cannot be compared: %s.",
			 f->untimed);
		flow(c, text);
		return;
	}
	if (f->own == SIZE_MAX) {
		snprintf(text, sizeof(text),
			 "The kernel of the capture frees as %s does; no run "
			 "here has this policy.",
			 f->own_policy);
		flow(c, text);
		return;
	}
	snprintf(text, sizeof(text),
		 "The kernel of the capture frees as %s does. What one free "
		 "and a task's release took there, probes included, and in "
		 "the replay; and when memory was back, from the first "
		 "release's begin:",
		 f->own_policy);
	flow(c, text);
	c->y += 14;
	text_at(c, PAGE_LEFT + LABEL_W, c->y, RIGHT, &b, "captured");
	text_at(c, PAGE_LEFT + LABEL_W + 80, c->y, RIGHT, &b, "replayed");
	text_at(c, PAGE_LEFT + LABEL_W + 160, c->y, RIGHT, &b, "of captured");
	held_against(c->cmp, row);
	for (i = 0; i < NR_HELD; i++) {
		bool both = row[i].is != ZSR_NEVER && row[i].was != ZSR_NEVER;

		c->y += ROW_H;
		text_at(c, PAGE_LEFT, c->y, LEFT, &s, row[i].name);
		text_at(c, PAGE_LEFT + LABEL_W, c->y, RIGHT, &s,
			row[i].is == ZSR_NEVER ? "-"
					       : zsr_fmt_ns(t[0], row[i].is));
		text_at(c, PAGE_LEFT + LABEL_W + 80, c->y, RIGHT, &s,
			row[i].was == ZSR_NEVER ? "-"
						: zsr_fmt_ns(t[1], row[i].was));
		text_at(c, PAGE_LEFT + LABEL_W + 160, c->y, RIGHT, &s,
			both ? zsr_fmt_ratio(t[2], row[i].was, row[i].is) : "-");
	}
	c->y += 4;
}

/* The kernel's pages as bars, the replay's as marks on them. */
static void pages(struct canvas *c, unsigned *part)
{
	const struct zsr_fidelity *f = &c->cmp->truth;
	const struct style s = { .size = 8.5 }, small = { .size = 8 };
	const struct style head = { .size = 8, .color = grey };
	double x = PAGE_LEFT + LABEL_W, w = PAGE_RIGHT - 190 - x, max = 1;
	char text[300], n[3][ZSR_FMT_LEN];
	size_t i;

	heading(c, "Pages of the pool: mm_stat and replay", part);
	if (!f->nr_snaps) {
		flow(c, "The capture has no snapshots of mm_stat at its marks, "
			"or the run did not record its pages there.");
		return;
	}
	snprintf(text, sizeof(text),
		 "At each mark with a snapshot of the kernel's mm_stat: bars "
		 "are what the kernel said, black marks what the pools of %s "
		 "hold.",
		 c->cmp->col[f->col].label);
	flow(c, text);
	for (i = 0; i < f->nr_snaps; i++)
		max = zsr_max(max, (double)zsr_max(f->snap[i].kernel,
						   f->snap[i].replayed));
	c->y += 13;
	text_at(c, x + w + 60, c->y, RIGHT, &head, "kernel");
	text_at(c, x + w + 120, c->y, RIGHT, &head, "replay");
	text_at(c, x + w + 180, c->y, RIGHT, &head, "difference");
	for (i = 0; i < f->nr_snaps; i++) {
		const struct zsr_snap *p = &f->snap[i];
		double at = x + w * (double)p->replayed / max;

		page_need(c, ROW_H, part);
		c->y += ROW_H;
		text_fit(c, PAGE_LEFT, c->y, LABEL_W - 8, LEFT, &s, p->name);
		box(c, x, c->y - 8, w * (double)p->kernel / max, 9, live_color);
		line(c, at, c->y - 10, at, c->y + 3, 2, ink);
		zsr_fmt_count(n[0], p->kernel);
		zsr_fmt_count(n[1], p->replayed);
		snprintf(n[2], sizeof(n[2]), "%+" PRId64,
			 (int64_t)(p->replayed - p->kernel));
		text_at(c, x + w + 60, c->y, RIGHT, &small, n[0]);
		text_at(c, x + w + 120, c->y, RIGHT, &small, n[1]);
		text_at(c, x + w + 180, c->y, RIGHT, &small, n[2]);
	}
	c->y += 6;
}

static void losses(struct canvas *c, unsigned *part)
{
	const struct zsr_lines *odd = &c->cmp->truth.odd;
	const struct style s = { .size = 8.5 };
	char count[64];
	size_t i;

	heading(c, "What the capture holds and what it lost", part);
	if (!odd->nr)
		flow(c, "Nothing is lost, nothing was odd, or the trace is no "
			"longer in the database.");
	for (i = 0; i < odd->nr; i++) {
		const char *l = odd->line[i], *tab = strchr(l, '\t');

		page_need(c, ROW_H, part);
		c->y += ROW_H;
		snprintf(count, sizeof(count), "%.*s", (int)(tab - l), l);
		text_at(c, PAGE_LEFT + 60, c->y, RIGHT, &s, count);
		text_fit(c, PAGE_LEFT + 70, c->y, PAGE_INNER - 70, LEFT, &s,
			 tab + 1);
	}
	c->y += 4;
}

static void rests_on(struct canvas *c, unsigned *part)
{
	const struct zsr_fidelity *f = &c->cmp->truth;
	const struct style s = { .size = 8.5 };
	double x = PAGE_LEFT, y;
	uint64_t total = 0;
	char text[400], n[2][ZSR_FMT_LEN];
	size_t i;

	heading(c, "What the modelled times rest on", part);
	if (!f->nr_evidence) {
		flow(c, "Times were measured on this machine, none is "
			"modelled.");
		return;
	}
	for (i = 0; i < f->nr_evidence; i++)
		total += f->evidence[i].ns;
	snprintf(text, sizeof(text),
		 "Profile %s says of each of its values where it comes from. "
		 "The bar is the CPU time of %s in steps of the release "
		 "path%s, by the "
		 "evidence of the values it is made of.",
		 c->cmp->col[f->col].profile, c->cmp->col[f->col].label,
		 total ? "" : " (not recorded)");
	flow(c, text);
	c->y += 8;
	y = c->y;
	for (i = 0; i < f->nr_evidence && total; i++) {
		double w = PAGE_INNER * (double)f->evidence[i].ns /
			   (double)total;

		if (!f->evidence[i].ns)
			continue;
		bar(c, x, y, w, 14, &part_colors[i % NR_CPU_PARTS]);
		x += w;
	}
	c->y += total ? 20 : 4;
	for (i = 0; i < f->nr_evidence; i++) {
		const struct zsr_evidence *e = &f->evidence[i];

		page_need(c, ROW_H, part);
		c->y += ROW_H;
		snprintf(text, sizeof(text),
			 "%s%s%s: %s; %u value%s, %s of the CPU time",
			 *e->name ? "[" : "", e->name, *e->name ? "]" : "none",
			 evidence_text(e->name), e->nr, e->nr == 1 ? "" : "s",
			 zsr_fmt_percent(n[0], e->ns, total));
		bar(c, PAGE_LEFT, c->y - 8, 14, 9,
		    &part_colors[i % NR_CPU_PARTS]);
		text_fit(c, PAGE_LEFT + 20, c->y, PAGE_INNER - 20, LEFT, &s,
			 text);
	}
	c->y += 6;
}

void g11_draw(struct canvas *c)
{
	unsigned part = 0;
	size_t i;

	page_begin(c, 11, "Fidelity", 0);
	flow(c, "How far this comparison can be believed: what was captured "
		"beside what was replayed. `zsr repro` holds the profile "
		"against the published totals.");
	times(c, &part);
	pages(c, &part);
	losses(c, &part);
	rests_on(c, &part);
	heading(c, "What else is known", &part);
	for (i = 0; i < c->cmp->notes.nr; i++) {
		page_need(c, 24, &part);
		flow(c, c->cmp->notes.line[i]);
	}
	page_end(c);
}
