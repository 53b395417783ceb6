// SPDX-License-Identifier: GPL-2.0-only
/* g2: where the pages are while a release goes on and after it. */
#include <stdlib.h>
#include <string.h>

#include "report/page.h"

#define Y_TICKS 5

enum { LIVE, HELD, BACK, NR_PARTS };

/* Top of part `which` of the stack in pixel column i, in pages. Of held back
 * pages a column shows the most there were, so that no peak is lost. */
static double top_of(const struct zsr_px *px, size_t i, int which)
{
	double live = ((double)px[i].live.lo + (double)px[i].live.hi) / 2;
	double all = ((double)px[i].all.lo + (double)px[i].all.hi) / 2;
	double held = zsr_min(live + (double)px[i].held.hi,
			      (double)px[i].all.hi);

	held = zsr_max(held, live);
	return which == LIVE ? live : which == HELD ? held : zsr_max(all, held);
}

static double bottom_of(const struct zsr_px *px, size_t i, int which)
{
	return which == LIVE ? 0 : top_of(px, i, which - 1);
}

struct scale {
	const struct frame *f;
	double unit; /* bytes a page */
	size_t nr_px;
};

static double x_at(const struct scale *s, double i)
{
	return s->f->x + s->f->w * (i + 0.5) / (double)s->nr_px;
}

static double y_at(const struct scale *s, double pages)
{
	return s->f->y + s->f->h - s->f->h * pages * s->unit / s->f->max;
}

/* From the ground up: what is below is drawn over it. */
static void path(struct canvas *c, const struct scale *s,
		 const struct zsr_px *px, int which)
{
	double foot = s->f->y + s->f->h, right = s->f->x + s->f->w;
	size_t i, n = s->nr_px;

	cairo_move_to(c->cr, s->f->x, foot);
	cairo_line_to(c->cr, s->f->x, y_at(s, top_of(px, 0, which)));
	for (i = 0; i < n; i++)
		cairo_line_to(c->cr, x_at(s, (double)i),
			      y_at(s, top_of(px, i, which)));
	cairo_line_to(c->cr, right, y_at(s, top_of(px, n - 1, which)));
	cairo_line_to(c->cr, right, foot);
	cairo_close_path(c->cr);
}

/* Which pixel columns have a mark's line through them; NULL: no memory. */
static bool *marked(const struct zsr_window *w, const struct zsr_panel *p)
{
	const uint64_t marks[] = { p->mean_return_ns, p->last_return_ns,
				   p->at_ns[0], p->at_ns[1], p->at_ns[2] };
	bool *taken = calloc(w->nr_px, sizeof(*taken));
	size_t i;

	for (i = 0; taken && i < ZSR_ARRAY_SIZE(marks); i++) {
		double at = ((double)marks[i] - (double)w->from_ns) /
			    (double)(w->to_ns - w->from_ns);

		if (at >= 0 && at < 1)
			taken[(size_t)(at * (double)w->nr_px)] = true;
	}
	return taken;
}

/*
 * Where a name of this width fits into a part best: the pixel column at its
 * left and the middle of the room there. False when nowhere.
 */
static bool place(const struct scale *s, const struct zsr_px *px, int which,
		  double width, const bool *taken, size_t *at, double *middle)
{
	const double least = 11;
	size_t n = (size_t)(width * (double)s->nr_px / s->f->w) + 1, i, k;
	double best = least;
	bool found = false;

	for (i = 4; i + n + 4 < s->nr_px; i += 4) {
		double low = 1e9, high = -1e9;

		for (k = i; k < i + n && !taken[k]; k++) {
			low = zsr_min(low, y_at(s, bottom_of(px, k, which)));
			high = zsr_max(high, y_at(s, top_of(px, k, which)));
		}
		if (k < i + n || low - high <= best)
			continue;
		best = low - high;
		*at = i;
		*middle = (low + high) / 2;
		found = true;
	}
	return found;
}

static void name_part(struct canvas *c, const struct scale *s,
		      const struct zsr_px *px, const bool *taken, int which,
		      const char *name, struct rgb color)
{
	const struct style st = { .size = 8.5, .bold = true, .color = color };
	double w = text_measure(c, &st, name), y;
	size_t i;

	if (!place(s, px, which, w + 6, taken, &i, &y))
		return;
	if (which == HELD)
		box(c, x_at(s, (double)i), y - 5.5, w + 6, 11, held_color);
	text_at(c, x_at(s, (double)i) + 3, y + 3, LEFT, &st, name);
}

/* The share of its zspages the captured kernel had given back by then. */
static double captured_share(const struct zsr_fidelity *f, double t_ns)
{
	size_t lo = 0, hi = f->nr_curve, mid;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		if ((double)f->curve[mid].t_ns <= t_ns)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo ? f->curve[lo - 1].share : 0;
}

/* What would be left if pages had come back when the capture's kernel gave
 * its own back. */
static void captured_line(struct canvas *c, const struct zsr_column *col,
			  const struct scale *s)
{
	const struct zsr_window *w = view_window(c);
	const struct zsr_px *px = view_panel(c, col)->px;
	double total = (double)zsr_column_value(col, "pages_total"), left, t;
	size_t i;

	for (i = 0; i < s->nr_px; i++) {
		t = (double)w->from_ns + (double)(w->to_ns - w->from_ns) *
						 ((double)i + 0.5) /
						 (double)s->nr_px;
		left = top_of(px, i, BACK) -
		       total * captured_share(&c->cmp->truth, t);
		cairo_line_to(c->cr, x_at(s, (double)i),
			      y_at(s, zsr_max(left, 0)));
	}
	set_color(c, paper);
	cairo_set_line_width(c->cr, 2.6);
	cairo_stroke_preserve(c->cr);
	set_color(c, line_color(1));
	cairo_set_line_width(c->cr, 1.3);
	cairo_stroke(c->cr);
}

/* Of the burst nothing is said: its time is not the capture's. */
static bool has_curve(const struct canvas *c)
{
	return !c->view && c->cmp->truth.nr_curve;
}

uint64_t captured_at(const struct zsr_fidelity *f, double share)
{
	size_t i;

	for (i = 0; i < f->nr_curve; i++)
		if (f->curve[i].share >= share)
			return f->curve[i].t_ns;
	return ZSR_NEVER;
}

/* What there is of the capture, or why there is nothing. */
void captured_words(const struct zsr_compare *cmp, char *buf, size_t n)
{
	const struct zsr_fidelity *f = &cmp->truth;
	char t[3][ZSR_FMT_LEN];

	if (!f->nr_curve)
		snprintf(buf, n, "No captured curve: %s.",
			 f->no_curve ? f->no_curve
				     : "the database was not asked");
	else
		snprintf(buf, n,
			 "The kernel of the capture had given back 50 %% of "
			 "its zspages after %s, 90 %% after %s, all after %s.",
			 zsr_fmt_ns(t[0], captured_at(f, 0.5)),
			 zsr_fmt_ns(t[1], captured_at(f, 0.9)),
			 zsr_fmt_ns(t[2], captured_at(f, 1)));
}

static void draw(struct canvas *c, const struct zsr_column *col,
		 const struct frame *f)
{
	const struct scale s = { f, c->cmp->page_size, view_window(c)->nr_px };
	const struct zsr_px *px = view_panel(c, col)->px;
	bool *taken = marked(view_window(c), view_panel(c, col));

	path(c, &s, px, BACK);
	set_color(c, back_color);
	cairo_fill(c->cr);
	path(c, &s, px, HELD);
	set_color(c, held_color);
	cairo_fill_preserve(c->cr);
	hatch(c, f->x, f->y, f->w, f->h, ink);
	path(c, &s, px, LIVE);
	set_color(c, live_color);
	cairo_fill(c->cr);
	if (!taken) {
		c->nomem = true;
		return;
	}
	if (has_curve(c))
		captured_line(c, col, &s);
	name_part(c, &s, px, taken, BACK, "back", ink);
	name_part(c, &s, px, taken, HELD, "held back", ink);
	name_part(c, &s, px, taken, LIVE, "live", paper);
	free(taken);
}

static const char *at(char *buf, uint64_t ns)
{
	if (ns == ZSR_NEVER)
		return "never";
	return zsr_fmt_ns(buf, ns);
}

/* Of the whole those of the table, of a burst its own. */
static void numbers(const struct canvas *c, const struct zsr_column *col,
		    char *buf, size_t n)
{
	const struct zsr_panel *p = view_panel(c, col);
	uint64_t held = p->held_max * c->cmp->page_size;
	char t[5][ZSR_FMT_LEN], size[ZSR_FMT_LEN];

	if (c->view) {
		snprintf(buf, n,
			 "last caller returns after %s; back: 50 %% %s, "
			 "90 %% %s, 100 %% %s; held back at most %s",
			 at(t[1], p->last_return_ns), at(t[2], p->at_ns[0]),
			 at(t[3], p->at_ns[1]), at(t[4], p->at_ns[2]),
			 zsr_fmt_size(size, held));
		return;
	}
	held = zsr_column_value(col, "held_peak_bytes");
	if (!zsr_column_value(col, "pages_total")) {
		snprintf(buf, n,
			 "callers: mean %s, max %s; no page was due back; "
			 "held back at most %s",
			 at(t[0], zsr_column_value(col, "caller_mean_ns")),
			 at(t[1], zsr_column_value(col, "caller_max_ns")),
			 zsr_fmt_size(size, held));
		return;
	}
	snprintf(buf, n,
		 "callers: mean %s, max %s; back: 50 %% %s, 90 %% %s, "
		 "100 %% %s; held back at most %s",
		 at(t[0], zsr_column_value(col, "caller_mean_ns")),
		 at(t[1], zsr_column_value(col, "caller_max_ns")),
		 at(t[2], zsr_column_value(col, "at_50_ns")),
		 at(t[3], zsr_column_value(col, "at_90_ns")),
		 at(t[4], zsr_column_value(col, "at_100_ns")),
		 zsr_fmt_size(size, held));
}

static void legend(struct canvas *c)
{
	const struct style s = { .size = 8.5 };
	double x = PAGE_LEFT;

	c->y += 14;
	x = swatch(c, x, c->y, live_color, false, "live: objects in use");
	x = swatch(c, x, c->y, held_color, true,
		   "held back: only queued frees keep it");
	x = swatch(c, x, c->y, back_color, false,
		   "back: given to the page allocator");
	if (has_curve(c)) {
		c->y += 13;
		line(c, PAGE_LEFT, c->y - 3, PAGE_LEFT + 14, c->y - 3, 1.3,
		     line_color(1));
		text_at(c, PAGE_LEFT + 18, c->y, LEFT, &s,
			"captured: below it would be what is left, had pages "
			"come back when the capture's kernel gave its own "
			"back");
	}
	c->y += 2;
}

#define READING                                                                \
	"The pool's memory, one panel a policy, all on the same axes. Solid "  \
	"lines: callers returned. Dashed: that share of the pages was back. "  \
	"Black on top: some caller is within a release. Zspages only: no run " \
	"records folios."
#define MORE                                                                   \
	" The grey bar under an axis is the main burst of releases, which "    \
	"has pages of its own."
#define BURST                                                                  \
	"The main burst: releases that follow each other closely and hold at " \
	"least a quarter of all objects. Solid lines: callers returned. "      \
	"Dashed: that share was back of the pages which the first policy "     \
	"gives back in it. Black on top: some caller is within a release."

static const char *const part_names[NR_PARTS] = {
	[LIVE] = "live", [HELD] = "held back", [BACK] = "back"
};

static double value(const struct canvas *c, const struct zsr_column *col,
		    size_t px, size_t part)
{
	const struct zsr_px *p = view_panel(c, col)->px;

	return (top_of(p, px, (int)part) - bottom_of(p, px, (int)part)) *
	       c->cmp->page_size;
}

static void draw_view(struct canvas *c, const bool *show)
{
	const struct zsr_window *w = view_window(c);
	char captured[200], reading[900];
	double max = (double)w->max_pages * c->cmp->page_size;
	struct panel_set set = {
		.figure = 2,
		.title = c->view ? "Memory return, main burst" : "Memory return",
		.reading = c->view ? BURST : reading,
		.max = max * 1.07,
		.ticks = ticks_bytes(max, Y_TICKS),
		.legend = legend,
		.numbers = numbers,
		.draw = draw,
		.names = part_names,
		.nr_names = NR_PARTS,
		.value = value,
	};

	captured_words(c->cmp, captured, sizeof(captured));
	snprintf(reading, sizeof(reading), "%s%s %s", READING,
		 c->cmp->nr_windows > 1 ? MORE : "", captured);
	panels_draw(c, &set, show);
}

const char *g2_missing(const struct zsr_compare *cmp)
{
	return cmp->window[0].max_pages ? NULL
					: "no run has pages in the window";
}

void g2_draw(struct canvas *c)
{
	const struct zsr_compare *cmp = c->cmp;
	bool *show;
	size_t i;

	show = calloc(cmp->nr_cols, sizeof(*show));
	if (!show) {
		c->nomem = true;
		return;
	}
	for (i = 0; i < cmp->nr_cols; i++)
		show[i] = true;
	for (c->view = 0; c->view < cmp->nr_windows; c->view++)
		if (view_window(c)->max_pages)
			draw_view(c, show);
	c->view = 0;
	free(show);
}
