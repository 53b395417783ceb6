// SPDX-License-Identifier: GPL-2.0-only
/* g9: what a parameter buys: runs that differ in it alone, knee, posted value. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "report/page.h"

#define PLOT_H          92.0
#define GAP_H           26.0
#define LEFT_W          60.0
#define HEAD_H          30.0
#define AXIS_H          34.0
#define BLOCK_H(plot_h) (HEAD_H + NR_MEASURES * ((plot_h) + GAP_H) + AXIS_H)

enum form { TIME, COUNT, BYTES };
#define NR_MEASURES 3

static const struct {
	const char *key, *name;
	enum form form;
} measures[NR_MEASURES] = {
	{ "caller_mean_ns", "mean caller time", TIME },
	{ "fallbacks", "fallbacks", COUNT },
	{ "held_peak_bytes", "most held back", BYTES },
};

const char *g9_missing(const struct zsr_compare *cmp)
{
	return cmp->nr_sweeps ? NULL
			      : "no three runs differ in nothing but one "
				"parameter's value";
}

static double x_of(const struct zsr_sweep *s, const struct frame *f, uint64_t x)
{
	double lo = (double)s->x[0], hi = (double)s->x[s->nr - 1];
	double v = (double)x;

	if (lo > 0) {
		lo = log(lo);
		hi = log(hi);
		v = log(v);
	}
	return f->x + f->w * (0.03 + 0.94 * (v - lo) / (hi - lo));
}

static uint64_t value(const struct canvas *c, const struct zsr_sweep *s,
		      size_t i, size_t m)
{
	return zsr_column_value(&c->cmp->col[s->col[i]], measures[m].key);
}

static char *print(char buf[ZSR_FMT_LEN], uint64_t v, enum form form)
{
	if (!v)
		return zsr_fmt_count(buf, 0);
	return form == TIME    ? zsr_fmt_ns(buf, v)
	       : form == BYTES ? zsr_fmt_size(buf, v)
			       : zsr_fmt_count(buf, v);
}

static void value_axis(struct canvas *c, const struct frame *f, enum form form)
{
	struct ticks t = form == TIME    ? ticks_time(0, f->max, 4)
			 : form == BYTES ? ticks_bytes(f->max, 4)
					 : ticks_count(f->max, 4);
	const struct style s = { .size = 7.5 };
	char buf[ZSR_FMT_LEN];
	double at;

	for (at = 0; at <= f->max * 1.0001; at += t.step) {
		double y = f->y + f->h - f->h * at / f->max;

		line(c, f->x - 3, y, f->x, y, 0.6, ink);
		text_at(c, f->x - 5, y + 2.7, RIGHT, &s,
			tick_label(buf, &t, at));
	}
	text_up(c, PAGE_LEFT + 7, f->y + f->h / 2, &s, t.unit);
}

/* A name above the plot, kept within it. */
static void upright(struct canvas *c, const struct frame *f, double x,
		    const char *text, bool dashed, double y)
{
	static const double dash[] = { 3, 2 };
	const struct style s = { .size = 7.5, .bold = true };
	double w = text_measure(c, &s, text);

	cairo_set_dash(c->cr, dash, dashed ? 2 : 0, 0);
	line(c, x, f->y, x, f->y + f->h, 1, ink);
	cairo_set_dash(c->cr, NULL, 0, 0);
	if (y > 0)
		text_at(c, zsr_max(f->x, zsr_min(x - w / 2, f->x + f->w - w)),
			y, LEFT, &s, text);
}

/* The two uprights, with their names where `named`. */
static void uprights(struct canvas *c, const struct zsr_sweep *s,
		     const struct frame *f, bool named)
{
	bool posted = s->has_posted && s->posted >= s->x[0] &&
		      s->posted <= s->x[s->nr - 1];
	bool both = posted && s->knee != SIZE_MAX && s->x[s->knee] == s->posted;
	char text[80];

	if (posted) {
		snprintf(text, sizeof(text), "posted: %" PRIu64 "%s", s->posted,
			 both ? ", also the knee" : "");
		upright(c, f, x_of(s, f, s->posted), text, true,
			named ? f->y - 4 : 0);
	}
	if (s->knee != SIZE_MAX && !both) {
		snprintf(text, sizeof(text), "knee: %" PRIu64, s->x[s->knee]);
		upright(c, f, x_of(s, f, s->x[s->knee]), text, false,
			named ? f->y - (posted ? 14 : 4) : 0);
	}
}

/* Where the run is whose policy worked the posted value out. */
static void level(struct canvas *c, const struct zsr_sweep *s,
		  const struct frame *f, size_t m)
{
	static const double dash[] = { 3, 2 };
	const struct style st = { .size = 7.5, .bold = true };
	uint64_t v;
	bool left;
	double y;

	if (s->by_default == SIZE_MAX)
		return;
	v = zsr_column_value(&c->cmp->col[s->by_default], measures[m].key);
	y = f->y + f->h - f->h * (double)v / f->max;
	cairo_set_dash(c->cr, dash, 2, 0);
	line(c, f->x, y, f->x + f->w, y, 1, grey);
	cairo_set_dash(c->cr, NULL, 0, 0);
	/* At the end the curve is farther away from. */
	left = fabs((double)value(c, s, 0, m) - (double)v) >
	       fabs((double)value(c, s, s->nr - 1, m) - (double)v);
	text_at(c, left ? f->x + 8 : f->x + f->w - 4, y - 3,
		left ? LEFT : RIGHT, &st, "as posted");
}

static void plot(struct canvas *c, const struct zsr_sweep *s, size_t m,
		 double height)
{
	const struct style name = { .size = 8.5 };
	struct frame f = { PAGE_LEFT + LEFT_W, c->y + GAP_H,
			   PAGE_INNER - LEFT_W - 8, height, 1 };
	char buf[ZSR_FMT_LEN];
	size_t i;

	for (i = 0; i < s->nr; i++)
		f.max = zsr_max(f.max, (double)value(c, s, i, m) * 1.2);
	if (s->by_default != SIZE_MAX)
		f.max = zsr_max(f.max, (double)zsr_column_value(
					       &c->cmp->col[s->by_default],
					       measures[m].key) *
					       1.2);
	text_at(c, f.x, f.y - 4 - (m ? 0 : 20), LEFT, &name, measures[m].name);
	uprights(c, s, &f, !m);
	level(c, s, &f, m);
	value_axis(c, &f, measures[m].form);
#define Y(i) (f.y + f.h - f.h * (double)value(c, s, i, m) / f.max)
	set_color(c, live_color);
	cairo_set_line_width(c->cr, 1.3);
	for (i = 0; i < s->nr; i++)
		cairo_line_to(c->cr, x_of(s, &f, s->x[i]), Y(i));
	cairo_stroke(c->cr);
	for (i = 0; i < s->nr; i++) {
		double x = x_of(s, &f, s->x[i]);

		box(c, x - 2.2, Y(i) - 2.2, 4.4, 4.4, live_color);
		hover(c, x - 5, Y(i) - 5, 10, 10, "%s=%" PRIu64 ": %s", s->param,
		      s->x[i], print(buf, value(c, s, i, m), measures[m].form));
	}
#undef Y
	set_color(c, ink);
	cairo_set_line_width(c->cr, 0.6);
	cairo_rectangle(c->cr, f.x, f.y, f.w, f.h);
	cairo_stroke(c->cr);
	c->y = f.y + f.h;
}

static void block(struct canvas *c, const struct zsr_sweep *s, double plot_h)
{
	const struct style title = { .size = 9.5, .bold = true };
	const struct style tick = { .size = 8 }, name = { .size = 8.5 };
	struct frame f = { PAGE_LEFT + LEFT_W, 0, PAGE_INNER - LEFT_W - 8, 0,
			   1 };
	char text[200];
	double last = -1e9;
	size_t i, m;

	snprintf(text, sizeof(text), "%s, by %s", s->policy, s->param);
	text_fit(c, PAGE_LEFT, c->y + 10, PAGE_INNER, LEFT, &title, text);
	c->y += HEAD_H - GAP_H / 3;
	for (m = 0; m < NR_MEASURES; m++)
		plot(c, s, m, plot_h);
	for (i = 0; i < s->nr; i++) {
		double x = x_of(s, &f, s->x[i]), w;

		snprintf(text, sizeof(text), "%" PRIu64, s->x[i]);
		w = text_measure(c, &tick, text);
		line(c, x, c->y, x, c->y + 3, 0.6, ink);
		if (x - w / 2 < last + 3)
			continue;
		text_at(c, x, c->y + 13, CENTER, &tick, text);
		last = x + w / 2;
	}
	snprintf(text, sizeof(text), "%s, one run each, %s clock%s", s->param,
		 c->cmp->clock, s->x[0] > 0 ? "; logarithmic" : "");
	text_at(c, f.x + f.w / 2, c->y + 25, CENTER, &name, text);
	c->y += AXIS_H;
}

static void page(struct canvas *c, unsigned part)
{
	const struct style s = { .size = 8.5 };

	page_begin(c, 9, "Capacity", part);
	text_flow(c, PAGE_LEFT, PAGE_INNER, &s,
		  "What a parameter buys: runs that differ in nothing else. "
		  "The knee is where the curve is farthest from the line "
		  "between its ends; posted is the value of the mail that "
		  "proposes the policy.");
	c->y += 10;
}

void g9_draw(struct canvas *c)
{
	unsigned part = 0;
	double plot_h;
	size_t i;

	page(c, part++);
	/* A low page has low plots. */
	plot_h = zsr_min((page_room(c) - BLOCK_H(0)) / NR_MEASURES, PLOT_H);
	for (i = 0; i < c->cmp->nr_sweeps; i++) {
		if (i && page_room(c) < BLOCK_H(plot_h)) {
			page_end(c);
			page(c, part++);
		}
		block(c, &c->cmp->sweep[i], plot_h);
	}
	page_end(c);
}
