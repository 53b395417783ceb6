// SPDX-License-Identifier: GPL-2.0-only
/* g4: what share of frees took at most how long. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/page.h"

#define PLOT_H     430.0
#define PLOT_LEFT  (PAGE_LEFT + 46)
#define PLOT_RIGHT (PAGE_RIGHT - 160) /* names stand beside the curves */
#define LABEL_X    (PLOT_RIGHT + 16)
#define LABEL_H    21.0
#define SMALL_H    16.0 /* less is room for one line */
#define MOST_NINES 12

struct axes {
	double x, y, w, h;
	double nines; /* at the right end */
	double low, high; /* log10 of ns */
};

static double x_of(const struct axes *a, double nines)
{
	return a->x + a->w * zsr_min(nines, a->nines) / a->nines;
}

static double y_of(const struct axes *a, double ns)
{
	double v = log10(zsr_max(ns, 1));

	return a->y + a->h - a->h * (v - a->low) / (a->high - a->low);
}

/* Half a sample beyond the last one's rank. */
static double right_end(const struct zsr_latency *l)
{
	return log10((double)l->count) + 0.3;
}

static bool make_axes(const struct zsr_compare *cmp, struct axes *a)
{
	double min = 1e30, max = 0;
	size_t i;

	a->nines = 1;
	for (i = 0; i < cmp->nr_cols; i++) {
		const struct zsr_latency *l = &cmp->col[i].latency;

		if (!l->nr)
			continue;
		a->nines = zsr_max(a->nines, right_end(l));
		min = zsr_min(min, (double)zsr_max(l->pt[0].ns, 1));
		max = zsr_max(max, (double)zsr_max(l->pt[l->nr - 1].ns, 1));
	}
	if (!max)
		return false;
	a->nines = zsr_min(a->nines, MOST_NINES);
	/* A little air, and never less than a factor of four in all. */
	a->low = zsr_max(log10(min) - 0.08, 0);
	a->high = zsr_max(log10(max) + 0.08, a->low + 0.6);
	return true;
}

static void x_axis(struct canvas *c, const struct axes *a)
{
	static const struct {
		double nines;
		const char *label;
	} ticks[] = { { 0, "min" },       { 0.30103, "p50" },
		      { 1, "p90" },       { 2, "p99" },
		      { 3, "p99.9" },     { 4, "p99.99" },
		      { 5, "p99.999" },   { 6, "p99.9999" },
		      { 7, "7 nines" },   { 8, "8 nines" },
		      { 9, "9 nines" },   { 10, "10 nines" },
		      { 11, "11 nines" }, { 12, "12 nines" } };
	const struct style s = { .size = 8 }, name = { .size = 8.5 };
	double last = -1e9;
	size_t i;

	for (i = 0; i < ZSR_ARRAY_SIZE(ticks) && ticks[i].nines <= a->nines;
	     i++) {
		double x = x_of(a, ticks[i].nines);
		double w = text_measure(c, &s, ticks[i].label);

		line(c, x, a->y, x, a->y + a->h, 0.5, faint);
		line(c, x, a->y + a->h, x, a->y + a->h + 3, 0.6, ink);
		/* Where both do not fit the median is worth more. */
		if (x - w / 2 < last + 3 ||
		    (!i && x_of(a, ticks[1].nines) - x < w + 2))
			continue;
		text_at(c, x, a->y + a->h + 12, CENTER, &s, ticks[i].label);
		last = x + w / 2;
	}
	text_at(c, a->x + a->w / 2, a->y + a->h + 26, CENTER, &name,
		"share of frees that took at most this long "
		"(each step is ten times rarer)");
}

static void y_axis(struct canvas *c, const struct axes *a)
{
	static const double steps[] = { 1, 2, 5 };
	const struct style s = { .size = 8 }, name = { .size = 8.5 };
	bool dense = a->high - a->low < 3.2;
	char buf[64];
	int decade;
	size_t k;

	for (decade = (int)floor(a->low); decade <= (int)a->high; decade++)
		for (k = 0; k < ZSR_ARRAY_SIZE(steps); k++) {
			double v = steps[k] * pow(10, decade), l = log10(v), y;
			const char *const units[] = { "ns", "us", "ms", "s" };
			int u = zsr_min(decade / 3, 3);

			if (l < a->low || l > a->high)
				continue;
			y = y_of(a, v);
			line(c, a->x, y, a->x + a->w, y, k ? 0.3 : 0.6, faint);
			if (k && !dense)
				continue;
			line(c, a->x - 3, y, a->x, y, 0.6, ink);
			snprintf(buf, sizeof(buf), "%.0f %s",
				 v / pow(10, 3 * u), units[u]);
			text_at(c, a->x - 5, y + 2.9, RIGHT, &s, buf);
		}
	snprintf(buf, sizeof(buf), "one free, %s clock", c->cmp->clock);
	text_up(c, PAGE_LEFT + 7, a->y + a->h / 2, &name, buf);
}

static void style_line(struct canvas *c, size_t i)
{
	static const double dashes[][4] = { { 1, 0, 0, 0 },
					    { 6, 2, 0, 0 },
					    { 2, 1.5, 0, 0 },
					    { 7, 2, 1.5, 2 } };
	static const int nr[] = { 0, 2, 2, 4 };
	size_t k = i % ZSR_ARRAY_SIZE(nr);

	set_color(c, line_color(i));
	cairo_set_dash(c->cr, dashes[k], nr[k], 0);
	cairo_set_line_width(c->cr, 1.5);
}

static void curve(struct canvas *c, const struct axes *a,
		  const struct zsr_latency *l, size_t i)
{
	double end = x_of(a, right_end(l));
	size_t k;

	style_line(c, i);
	for (k = 0; k < l->nr; k++) {
		double x = x_of(a, l->pt[k].nines);
		double y = y_of(a, (double)l->pt[k].ns);

		/* Flat up to the next bucket's first share, then up. */
		if (k)
			cairo_line_to(c->cr, x,
				      y_of(a, (double)l->pt[k - 1].ns));
		cairo_line_to(c->cr, x, y);
	}
	cairo_line_to(c->cr, end, y_of(a, (double)l->pt[l->nr - 1].ns));
	cairo_stroke(c->cr);
	cairo_set_dash(c->cr, NULL, 0, 0);
}

struct name {
	size_t col;
	double y; /* of the curve's end */
};

static int by_y(const void *x, const void *y)
{
	const struct name *a = x, *b = y;

	if (a->y != b->y)
		return a->y < b->y ? -1 : 1;
	return a->col < b->col ? -1 : a->col > b->col;
}

/* The policy, and below it what it differs in and its slowest free. */
static void name_label(struct canvas *c, const struct zsr_column *col, double y,
		       bool two_lines)
{
	const struct style bold = { .size = 8, .bold = true };
	const struct style small = { .size = 7.2, .color = grey };
	const char *rest = strchr(col->label, ' ');
	char max[ZSR_FMT_LEN], text[200];
	double x = LABEL_X + 20;

	if (!two_lines) {
		text_fit(c, x, y + 2.8, PAGE_RIGHT - x, LEFT, &small,
			 col->label);
		return;
	}
	snprintf(text, sizeof(text), "%.*s",
		 rest ? (int)(rest - col->label) : 150, col->label);
	text_fit(c, x, y - 0.5, PAGE_RIGHT - x, LEFT, &bold, text);
	snprintf(text, sizeof(text), "%.120s%smax %s", rest ? rest + 1 : "",
		 rest ? ", " : "",
		 zsr_fmt_ns(max, zsr_column_value(col, "release_max_ns")));
	text_fit(c, x, y + 8, PAGE_RIGHT - x, LEFT, &small, text);
}

static void hover_quantiles(struct canvas *c, const struct zsr_column *col,
			    double y, double h)
{
	char t[NR_QUANTILES][ZSR_FMT_LEN];
	size_t i;

	for (i = 0; i < NR_QUANTILES; i++)
		zsr_fmt_ns(t[i],
			   zsr_latency_at(&col->latency, quantiles[i].nines));
	hover(c, LABEL_X, y, PAGE_RIGHT - LABEL_X, h,
	      "%s: p50 %s, p90 %s, p99 %s, p99.9 %s, max %s", col->label, t[0],
	      t[1], t[2], t[3], t[4]);
}

/* Every curve's name beside its end, moved apart and led to it. */
static void names(struct canvas *c, const struct axes *a, struct name *name,
		  double *want, double *size, size_t nr)
{
	double h = zsr_min(LABEL_H, (a->h + 40) / (double)nr);
	size_t i;

	qsort(name, nr, sizeof(*name), by_y);
	for (i = 0; i < nr; i++) {
		want[i] = name[i].y;
		size[i] = h;
	}
	spread(want, size, nr, a->y - 20, a->y + a->h + 20);
	for (i = 0; i < nr; i++) {
		const struct zsr_column *col = &c->cmp->col[name[i].col];
		double end = x_of(a, right_end(&col->latency));

		layer_begin(c, col);
		line(c, end, name[i].y, PLOT_RIGHT + 4, name[i].y, 0.4, grey);
		line(c, PLOT_RIGHT + 4, name[i].y, LABEL_X - 2, want[i], 0.4,
		     grey);
		style_line(c, name[i].col);
		cairo_move_to(c->cr, LABEL_X, want[i]);
		cairo_line_to(c->cr, LABEL_X + 16, want[i]);
		cairo_stroke(c->cr);
		cairo_set_dash(c->cr, NULL, 0, 0);
		name_label(c, col, want[i], h > SMALL_H);
		hover_quantiles(c, col, want[i] - h / 2, h);
		layer_end(c);
	}
}

static void draw_names(struct canvas *c, const struct axes *a)
{
	size_t n = c->cmp->nr_cols, i, nr = 0;
	struct name *name = calloc(n, sizeof(*name));
	double *want = calloc(n, sizeof(*want)),
	       *size = calloc(n, sizeof(*size));

	if (!name || !want || !size) {
		c->nomem = true;
		goto out;
	}
	for (i = 0; i < n; i++) {
		const struct zsr_latency *l = &c->cmp->col[i].latency;

		if (l->nr)
			name[nr++] = (struct name){
				i, y_of(a, (double)l->pt[l->nr - 1].ns)
			};
	}
	names(c, a, name, want, size, nr);
out:
	free(name);
	free(want);
	free(size);
}

const char *g4_missing(const struct zsr_compare *cmp)
{
	struct axes a;

	return make_axes(cmp, &a) ? NULL : "no run released anything";
}

void g4_draw(struct canvas *c)
{
	const struct style s = { .size = 8.5 };
	struct axes a;
	size_t i;

	make_axes(c->cmp, &a);
	page_begin(c, 4, "Latency of one free", 0);
	text_flow(
		c, PAGE_LEFT, PAGE_INNER, &s,
		"What the caller of a free waits for it. Lower is better; the "
		"right end of a curve is the slowest free of its run. Values "
		"are upper bounds of histogram buckets, at most 3.2 % too "
		"high.");
	a.x = PLOT_LEFT;
	a.y = c->y + 24;
	a.w = PLOT_RIGHT - PLOT_LEFT;
	a.h = zsr_min(PLOT_H, page_room(c) - 60);
	x_axis(c, &a);
	y_axis(c, &a);
	for (i = c->cmp->nr_cols; i-- > 0;)
		if (c->cmp->col[i].latency.nr) {
			layer_begin(c, &c->cmp->col[i]);
			curve(c, &a, &c->cmp->col[i].latency, i);
			layer_end(c);
		}
	set_color(c, ink);
	cairo_set_line_width(c->cr, 0.6);
	cairo_rectangle(c->cr, a.x, a.y, a.w, a.h);
	cairo_stroke(c->cr);
	draw_names(c, &a);
	c->y = a.y + a.h + 34;
	page_end(c);
}
