// SPDX-License-Identifier: GPL-2.0-only
/* Bars on one axis of time, for g6, g8 and g10. */
#include "report/page.h"

/* Hatched is what waits or is put off. */
const struct part_color part_colors[] = {
	{ { 0.0, 0.447, 0.698 }, false }, /* callers */
	{ { 0.835, 0.369, 0 }, true }, /* callers wait */
	{ { 0.40, 0.75, 0.62 }, false }, /* workers */
	{ { 0.902, 0.624, 0 }, true }, /* workers wait */
	{ { 0.800, 0.475, 0.655 }, false }, /* queueing */
	{ { 0.337, 0.706, 0.914 }, true }, /* stores */
	{ { 0.75, 0.75, 0.75 }, false }, /* flush */
};

void bar(struct canvas *c, double x, double y, double w, double h,
	 const struct part_color *color)
{
	box(c, x, y, w, h, color->rgb);
	if (color->hatched && w > 1) {
		cairo_rectangle(c->cr, x, y, w, h);
		hatch(c, x, y, w, h, ink);
	}
	set_color(c, ink);
	cairo_set_line_width(c->cr, 0.3);
	cairo_rectangle(c->cr, x, y, w, h);
	cairo_stroke(c->cr);
}

void bar_axis(struct canvas *c, double x, double w, double max_ns,
	      const char *what)
{
	const struct style s = { .size = 8 }, name = { .size = 8.5 };
	struct ticks t = ticks_time(0, max_ns, 6);
	char buf[160], tick[ZSR_FMT_LEN];
	double at;

	for (at = 0; at <= max_ns * 1.0001; at += t.step) {
		double px = x + w * at / max_ns;

		line(c, px, c->y + 2, px, c->y + 5, 0.6, ink);
		text_at(c, px, c->y + 15, CENTER, &s, tick_label(tick, &t, at));
	}
	line(c, x, c->y + 2, x + w, c->y + 2, 0.6, ink);
	snprintf(buf, sizeof(buf), "%s, %s, %s clock", t.unit, what,
		 c->cmp->clock);
	text_at(c, x + w / 2, c->y + 27, CENTER, &name, buf);
	c->y += 30;
}
