// SPDX-License-Identifier: GPL-2.0-only
/* Colours, lines, areas. */
#include "report/html.h"
#include "report/page.h"

const struct rgb ink = { 0, 0, 0 };
const struct rgb grey = { 0.35, 0.35, 0.35 };
const struct rgb faint = { 0.82, 0.82, 0.82 };
const struct rgb paper = { 1, 1, 1 };

/* Blue, orange, and blue almost white: in grey 37, 70 and 91 %. */
const struct rgb live_color = { 0.0, 0.447, 0.698 };
const struct rgb held_color = { 0.902, 0.624, 0.0 };
const struct rgb back_color = { 0.855, 0.918, 0.961 };

#define HATCH_STEP 4.0

struct rgb line_color(size_t i)
{
	/* Their yellow is too light for a line on white. */
	static const struct rgb colors[] = {
		{ 0, 0, 0 },
		{ 0.835, 0.369, 0 },
		{ 0, 0.447, 0.698 },
		{ 0, 0.620, 0.451 },
		{ 0.800, 0.475, 0.655 },
		{ 0.902, 0.624, 0 },
		{ 0.337, 0.706, 0.914 },
	};

	return colors[i % ZSR_ARRAY_SIZE(colors)];
}

void set_color(struct canvas *c, struct rgb rgb)
{
	cairo_set_source_rgb(c->cr, rgb.r, rgb.g, rgb.b);
}

void line(struct canvas *c, double x0, double y0, double x1, double y1,
	  double width, struct rgb color)
{
	set_color(c, color);
	cairo_set_line_width(c->cr, width);
	cairo_move_to(c->cr, x0, y0);
	cairo_line_to(c->cr, x1, y1);
	cairo_stroke(c->cr);
}

void box(struct canvas *c, double x, double y, double w, double h,
	 struct rgb color)
{
	set_color(c, color);
	cairo_rectangle(c->cr, x, y, w, h);
	cairo_fill(c->cr);
}

void hatch(struct canvas *c, double x, double y, double w, double h,
	   struct rgb color)
{
	double at;

	if (c->html) {
		html_hatch(c);
		return;
	}
	cairo_save(c->cr);
	cairo_clip(c->cr);
	set_color(c, color);
	cairo_set_line_width(c->cr, 0.6);
	for (at = 0; at < w + h; at += HATCH_STEP) {
		cairo_move_to(c->cr, x + at, y);
		cairo_line_to(c->cr, x + at - h, y + h);
	}
	cairo_stroke(c->cr);
	cairo_restore(c->cr);
}

double swatch(struct canvas *c, double x, double y, struct rgb color,
	      bool hatched, const char *name)
{
	const struct style s = { .size = 8.5 };

	box(c, x, y - 8, 14, 9, color);
	if (hatched) {
		cairo_rectangle(c->cr, x, y - 8, 14, 9);
		hatch(c, x, y - 8, 14, 9, ink);
	}
	set_color(c, grey);
	cairo_set_line_width(c->cr, 0.5);
	cairo_rectangle(c->cr, x, y - 8, 14, 9);
	cairo_stroke(c->cr);
	return x + 18 + text_at(c, x + 18, y, LEFT, &s, name) + 14;
}

/*
 * Neighbours that touch become one heap, which wants to stand where its
 * members stand on average; from left to right, each new one may push a heap
 * into the one before it.
 */
void spread(double *want, const double *size, size_t nr, double lo, double hi)
{
	size_t i, first, k;

	for (i = 0; i < nr; i++) {
		double left = want[i] - size[i] / 2, total = size[i], sum;

		for (first = i; first > 0; first--) {
			double end = want[first - 1] + size[first - 1] / 2;
			size_t heap = i - first + 1;

			left = zsr_max(zsr_min(left, hi - total), lo);
			if (end <= left + 1e-6)
				break;
			/* Where they stand now, the new one included. */
			total += size[first - 1];
			for (sum = 0, k = first - 1; k <= i; k++)
				sum += want[k];
			left = sum / (double)(heap + 1) - total / 2;
		}
		left = zsr_max(zsr_min(left, hi - total), lo);
		for (k = first; k <= i; k++) {
			want[k] = left + size[k] / 2;
			left += size[k];
		}
	}
}
