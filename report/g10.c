// SPDX-License-Identifier: GPL-2.0-only
/* g10: where the CPU time went, from all of it down to single steps. */
#include <stdlib.h>
#include <string.h>

#include "report/page.h"

#define DEPTHS    4
#define LEVEL_H   15.0
#define TITLE_H   13.0
#define LARGEST_H 12.0
#define GAP_H     9.0
#define BLOCK_H   (TITLE_H + LARGEST_H + DEPTHS * LEVEL_H + GAP_H)
#define AXIS_H    34.0
#define LARGEST   3

static double most(const struct zsr_compare *cmp)
{
	uint64_t max = 0;
	size_t i;

	for (i = 0; i < cmp->nr_cols; i++)
		if (cmp->col[i].nr_parts)
			max = zsr_max(max, cmp->col[i].part[0].ns);
	return (double)max;
}

const char *g10_missing(const struct zsr_compare *cmp)
{
	return most(cmp) > 0 ? NULL
			     : "no run recorded the steps of its releases";
}

/* The colour says whose or what it is, the depth how light it is. */
static struct rgb color_of(const struct zsr_part *p, size_t who)
{
	static const struct rgb base[] = {
		{ 0.80, 0.80, 0.80 }, { 0.337, 0.68, 0.88 },
		{ 0.45, 0.78, 0.66 }, { 0.93, 0.75, 0.35 },
		{ 0.86, 0.65, 0.77 }, { 0.88, 0.88, 0.88 }
	};
	struct rgb c = base[p->depth ? zsr_min(who, 5u) : 0];
	double light = p->depth < 2 ? 0 : 0.3 * (p->depth - 1);

	return (struct rgb){ c.r + (1 - c.r) * light, c.g + (1 - c.g) * light,
			     c.b + (1 - c.b) * light };
}

static size_t who_of(const struct zsr_part *p)
{
	static const char *const names[] = { "callers", "workers", "stores",
					     "queueing" };
	size_t i;

	for (i = 0; i < ZSR_ARRAY_SIZE(names); i++)
		if (!strcmp(p->name, names[i]))
			return i + 1;
	return 5;
}

static void part_box(struct canvas *c, const struct zsr_column *col,
		     const struct zsr_part *p, struct rgb color, double x,
		     double y, double w)
{
	const struct style s = { .size = 7.5 };
	char ns[ZSR_FMT_LEN], share[ZSR_FMT_LEN], text[120];

	box(c, x, y, w, LEVEL_H, color);
	set_color(c, paper);
	cairo_set_line_width(c->cr, zsr_min(0.8, w / 4));
	cairo_rectangle(c->cr, x, y, w, LEVEL_H);
	cairo_stroke(c->cr);
	hover(c, x, y, w, LEVEL_H, "%s, %s: %s, %s", col->label, p->name,
	      zsr_fmt_ns(ns, p->ns),
	      zsr_fmt_percent(share, p->ns, col->part[0].ns));
	snprintf(text, sizeof(text), "%s %s", p->name, share);
	if (text_measure(c, &s, text) > w - 4)
		snprintf(text, sizeof(text), "%s", p->name);
	if (text_measure(c, &s, text) <= w - 4)
		text_at(c, x + w / 2, y + 10, CENTER, &s, text);
}

static void tree(struct canvas *c, const struct zsr_column *col, double max)
{
	double x[DEPTHS], per = (PAGE_INNER - 4) / max, top = c->y;
	size_t i, who = 0;
	unsigned d;

	for (d = 0; d < DEPTHS; d++)
		x[d] = PAGE_LEFT;
	for (i = 0; i < col->nr_parts; i++) {
		const struct zsr_part *p = &col->part[i];
		double w = (double)p->ns * per;

		if (p->depth == 1)
			who = who_of(p);
		part_box(c, col, p, color_of(p, who), x[p->depth],
			 top + LEVEL_H * p->depth, w);
		/* What is below it begins where it does. */
		for (d = p->depth + 1; d < DEPTHS; d++)
			x[d] = x[p->depth];
		x[p->depth] += w;
	}
	c->y = top + DEPTHS * LEVEL_H;
}

size_t largest_parts(const struct zsr_column *col, size_t *out, size_t most_nr)
{
	size_t i, k, nr = 0;

	for (i = 0; i < col->nr_parts; i++) {
		bool leaf = i + 1 == col->nr_parts ||
			    col->part[i + 1].depth <= col->part[i].depth;

		if (!leaf || !i)
			continue;
		for (k = nr;
		     k > 0 && col->part[out[k - 1]].ns < col->part[i].ns; k--)
			if (k < most_nr)
				out[k] = out[k - 1];
		if (k < most_nr) {
			out[k] = i;
			nr = zsr_min(nr + 1, most_nr);
		}
	}
	return nr;
}

static void block(struct canvas *c, const struct zsr_column *col, double max)
{
	const struct style title = { .size = 9.5, .bold = true };
	const struct style small = { .size = 8, .color = grey };
	char text[400], ns[ZSR_FMT_LEN], share[ZSR_FMT_LEN];
	size_t big[LARGEST], nr = largest_parts(col, big, LARGEST), i, at;

	layer_begin(c, col);
	text_fit(c, PAGE_LEFT, c->y + 9, PAGE_INNER, LEFT, &title, col->label);
	c->y += TITLE_H;
	at = (size_t)snprintf(text, sizeof(text), "%s in all; most of it ",
			      zsr_fmt_ns(ns, col->part[0].ns));
	for (i = 0; i < nr && at < sizeof(text); i++)
		at += (size_t)snprintf(
			text + at, sizeof(text) - at, "%s%s %s (%s)",
			i ? ", " : "", col->part[big[i]].name,
			zsr_fmt_ns(ns, col->part[big[i]].ns),
			zsr_fmt_percent(share, col->part[big[i]].ns,
					col->part[0].ns));
	text_fit(c, PAGE_LEFT, c->y + 7, PAGE_INNER, LEFT, &small, text);
	c->y += LARGEST_H;
	tree(c, col, max);
	layer_end(c);
	c->y += GAP_H;
}

static void page(struct canvas *c, unsigned part)
{
	const struct style s = { .size = 8.5 };

	page_begin(c, 10, "Where the CPU time went", part);
	text_flow(c, PAGE_LEFT, PAGE_INNER, &s,
		  "Each run's CPU time in frees, from the first release on: "
		  "all of it on top, below whose it was, what for, and single "
		  "steps. A part is as wide as it is long; all runs have the "
		  "same axis.");
	c->y += 8;
}

void g10_draw(struct canvas *c)
{
	const struct zsr_compare *cmp = c->cmp;
	double max = most(cmp), top;
	unsigned part = 0;
	size_t i;

	page(c, part++);
	top = c->y;
	for (i = 0; i < cmp->nr_cols; i++) {
		if (!cmp->col[i].nr_parts)
			continue;
		if (page_room(c) < AXIS_H + BLOCK_H && c->y > top) {
			bar_axis(c, PAGE_LEFT, PAGE_INNER - 4, max, "CPU time");
			page_end(c);
			page(c, part++);
			top = c->y;
		}
		block(c, &cmp->col[i], max);
	}
	bar_axis(c, PAGE_LEFT, PAGE_INNER - 4, max, "CPU time");
	page_end(c);
}
