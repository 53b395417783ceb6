// SPDX-License-Identifier: GPL-2.0-only
/* Panels below each other on one time axis, one a run, with marks where
 * callers returned and pages were back. */
#include <string.h>

#include "report/html.h"
#include "report/page.h"

#define PLOT_LEFT  (PAGE_LEFT + 44)
#define PLOT_RIGHT (PAGE_RIGHT - 8)
#define TITLE_H    12.0
#define NUMBERS_H  11.0
#define MARKS_H    17.0
#define PLAIN_H    3.0 /* instead, without marks */
#define LEADER_H   7.0
#define BAR_H      2.5
#define GAP_H      12.0
#define AXIS_H     32.0
#define PLOT_MOST  170.0
#define PLOT_LEAST 56.0
#define OVERHEAD(set)                                                          \
	(TITLE_H + NUMBERS_H + ((set)->plain ? PLAIN_H : MARKS_H) + GAP_H)
#define X_TICKS 9

const struct zsr_window *view_window(const struct canvas *c)
{
	return &c->cmp->window[c->view];
}

const struct zsr_panel *view_panel(const struct canvas *c,
				   const struct zsr_column *col)
{
	return &col->panel[c->view];
}

static double x_of(const struct zsr_window *w, const struct frame *f,
		   double t_ns)
{
	return f->x + f->w * (t_ns - (double)w->from_ns) /
			      (double)(w->to_ns - w->from_ns);
}

static double first_tick(double from, double step)
{
	double n = from / step;
	double k = (double)(int64_t)n;

	return (k < n ? k + 1 : k) * step;
}

static void time_grid(struct canvas *c, const struct frame *f,
		      const struct ticks *t, bool labels)
{
	const struct zsr_window *w = view_window(c);
	const struct style s = { .size = 8 };
	char buf[ZSR_FMT_LEN];
	double at;

	for (at = first_tick((double)w->from_ns, t->step);
	     at <= (double)w->to_ns; at += t->step) {
		double x = x_of(w, f, at);

		line(c, x, f->y + f->h, x, f->y + f->h + 3, 0.6, ink);
		if (labels)
			text_at(c, x, f->y + f->h + 14, CENTER, &s,
				tick_label(buf, t, at));
	}
}

static void value_axis(struct canvas *c, const struct panel_set *set,
		       const struct frame *f)
{
	const struct style s = { .size = 7.5 };
	const struct style unit = { .size = 7.5, .color = grey };
	char buf[ZSR_FMT_LEN];
	double at, last = 1e9;

	for (at = 0; at <= f->max * 1.0001; at += set->ticks.step) {
		double y = f->y + f->h - f->h * at / f->max;

		line(c, f->x - 3, y, f->x, y, 0.6, ink);
		/* A low panel has no room for every number. */
		if (last - y < 9)
			continue;
		text_at(c, f->x - 5, y + 2.7, RIGHT, &s,
			tick_label(buf, &set->ticks, at));
		last = y;
	}
	text_up(c, PAGE_LEFT + 7, f->y + f->h / 2, &unit, set->ticks.unit);
}

struct mark {
	double x;
	char label[40];
	bool caller; /* else pages */
};

static void add_mark(struct mark *m, size_t *nr, const struct zsr_window *w,
		     const struct frame *f, uint64_t t_ns, bool caller,
		     const char *label)
{
	struct mark *new = &m[*nr];
	size_t i;

	if (t_ns == ZSR_NEVER || (double)t_ns > (double)w->to_ns ||
	    (double)t_ns < (double)w->from_ns)
		return;
	*new = (struct mark){ .x = x_of(w, f, (double)t_ns), .caller = caller };
	snprintf(new->label, sizeof(new->label), "%s", label);
	for (i = *nr; i > 0 && m[i - 1].x > new->x; i--) {
		struct mark tmp = m[i - 1];

		m[i - 1] = *new;
		m[i] = tmp;
		new = &m[i - 1];
	}
	(*nr)++;
}

#define MOST_MARKS 5

/* What is marked in a panel, from left to right. */
static size_t make_marks(const struct canvas *c, const struct zsr_column *col,
			 const struct frame *f, struct mark m[MOST_MARKS])
{
	static const char *const percent[] = { "50 %", "90 %", "100 %" };
	const struct zsr_panel *p = view_panel(c, col);
	size_t nr = 0, i;

	if (p->nr_callers > 1) {
		add_mark(m, &nr, view_window(c), f, p->mean_return_ns, true,
			 "mean return");
		add_mark(m, &nr, view_window(c), f, p->last_return_ns, true,
			 "last return");
	} else if (p->nr_callers) {
		add_mark(m, &nr, view_window(c), f, p->last_return_ns, true,
			 "caller returned");
	}
	for (i = 0; i < ZSR_ARRAY_SIZE(percent); i++)
		add_mark(m, &nr, view_window(c), f, p->at_ns[i], false,
			 percent[i]);
	return nr;
}

static void draw_mark_lines(struct canvas *c, const struct zsr_column *col,
			    const struct frame *f)
{
	static const double dash[] = { 3, 2 };
	struct mark m[MOST_MARKS];
	size_t nr = make_marks(c, col, f, m), i;

	for (i = 0; i < nr; i++)
		line(c, m[i].x, f->y, m[i].x, f->y + f->h, 2.4, paper);
	for (i = 0; i < nr; i++) {
		cairo_set_dash(c->cr, dash, m[i].caller ? 0 : 2, 0);
		line(c, m[i].x, f->y, m[i].x, f->y + f->h,
		     m[i].caller ? 1.3 : 0.9, ink);
	}
	cairo_set_dash(c->cr, NULL, 0, 0);
}

static void draw_mark_names(struct canvas *c, const struct zsr_column *col,
			    const struct frame *f)
{
	const struct style s = { .size = 7.5 };
	const struct style b = { .size = 7.5, .bold = true };
	struct mark m[MOST_MARKS];
	double want[MOST_MARKS], size[MOST_MARKS];
	size_t nr = make_marks(c, col, f, m), i;

	for (i = 0; i < nr; i++) {
		want[i] = m[i].x;
		size[i] = text_measure(c, m[i].caller ? &b : &s, m[i].label) + 5;
	}
	spread(want, size, nr, PAGE_LEFT + 30, PAGE_RIGHT);
	for (i = 0; i < nr; i++) {
		double top = f->y - LEADER_H;

		line(c, m[i].x, f->y, want[i], top, 0.5, ink);
		text_at(c, want[i], top - 1.5, CENTER, m[i].caller ? &b : &s,
			m[i].label);
	}
}

/* On top, while some caller is within a release. */
static void draw_releasing(struct canvas *c, const struct zsr_column *col,
			   const struct frame *f)
{
	const struct zsr_window *w = view_window(c);
	const struct zsr_panel *p = view_panel(c, col);
	double step = f->w / (double)w->nr_px;
	size_t i, k;

	for (i = 0; i < w->nr_px; i = k + 1) {
		for (k = i; k < w->nr_px && p->px[k].releasing; k++)
			;
		if (k > i)
			box(c, f->x + step * (double)i, f->y,
			    step * (double)(k - i), BAR_H, ink);
	}
}

/* At the foot of the whole, where the main burst is. */
static void draw_burst(struct canvas *c, const struct zsr_column *col,
		       const struct frame *f)
{
	const struct zsr_window *w = view_window(c), *burst = w + 1;
	const struct zsr_panel *p = view_panel(c, col);
	double x0, x1, off;

	if (c->view || c->cmp->nr_windows < 2)
		return;
	off = (double)col->panel[1].origin_ns - (double)p->origin_ns;
	x0 = zsr_max(x_of(w, f, off + (double)burst->from_ns), f->x);
	x1 = zsr_min(x_of(w, f, off + (double)burst->to_ns), f->x + f->w);
	box(c, x0 - 1.5, f->y + f->h + 3.5, x1 - x0 + 3, 3, grey);
}

static void draw_panel(struct canvas *c, const struct panel_set *set,
		       const struct zsr_column *col, double plot_h)
{
	const struct style title = { .size = 9.5, .bold = true };
	const struct style small = { .size = 8, .color = grey };
	struct frame f = { PLOT_LEFT, c->y + TITLE_H + NUMBERS_H + MARKS_H,
			   PLOT_RIGHT - PLOT_LEFT, plot_h, set->max };
	char buf[400];

	layer_begin(c, col);
	text_fit(c, PAGE_LEFT, c->y + 9, PAGE_INNER, LEFT, &title, col->label);
	set->numbers(c, col, buf, sizeof(buf));
	text_fit(c, PAGE_LEFT, c->y + TITLE_H + 7, PAGE_INNER, LEFT, &small,
		 buf);
	if (set->plain)
		f.y -= MARKS_H - PLAIN_H;
	plot_begin(c, &f);
	set->draw(c, col, &f);
	if (!set->plain) {
		draw_mark_lines(c, col, &f);
		draw_releasing(c, col, &f);
	}
	plot_end(c);
	if (c->html && set->nr_names)
		html_values(c, set, col, &f);
	set_color(c, ink);
	cairo_set_line_width(c->cr, 0.6);
	cairo_rectangle(c->cr, f.x, f.y, f.w, f.h);
	cairo_stroke(c->cr);
	if (set->value_axis)
		set->value_axis(c, col, &f);
	else
		value_axis(c, set, &f);
	if (!set->plain) {
		html_group_begin(c, "marks");
		draw_mark_names(c, col, &f);
		if (c->html)
			layer_end(c);
		draw_burst(c, col, &f);
	}
	layer_end(c);
	c->y = f.y + f.h;
}

/* Ticks below every panel, numbers below the last one of a page. */
static void draw_axis(struct canvas *c, const struct ticks *t,
		      const struct zsr_column *col, double plot_h, bool last)
{
	struct frame f = { PLOT_LEFT, c->y - plot_h, PLOT_RIGHT - PLOT_LEFT,
			   plot_h, 1 };
	const struct style s = { .size = 8.5 };
	char buf[128];

	html_axis_begin(c, &f, t, last ? NULL : col);
	time_grid(c, &f, t, last);
	layer_end(c);
	if (!last) {
		c->y += GAP_H;
		return;
	}
	snprintf(buf, sizeof(buf), "%s since the %s began, %s clock", t->unit,
		 c->view ? "main burst" : "first release", c->cmp->clock);
	text_at(c, f.x + f.w / 2, c->y + 26, CENTER, &s, buf);
	c->y += AXIS_H;
}

void panels_draw(struct canvas *c, const struct panel_set *set, const bool *show)
{
	const struct zsr_window *w = view_window(c);
	struct ticks t = ticks_time((double)w->from_ns, (double)w->to_ns,
				    X_TICKS);
	const struct style reading = { .size = 8.5 };
	size_t i, nr = 0, drawn = 0, per = 0, most, pages = 1;
	double plot_h = 0;
	unsigned part = 0;

	for (i = 0; i < c->cmp->nr_cols; i++)
		nr += show[i];
	for (i = 0; i < c->cmp->nr_cols; i++) {
		bool last;

		if (!show[i])
			continue;
		if (!per || drawn % per == 0) {
			page_begin(c, set->figure, set->title, part++);
			text_flow(c, PAGE_LEFT, PAGE_INNER, &reading,
				  set->reading);
			if (set->legend)
				set->legend(c);
			c->y += 10;
		}
		if (!per) {
			double room = page_room(c) - AXIS_H;

			most = (size_t)(room / (OVERHEAD(set) + PLOT_LEAST));
			pages = (nr + most - 1) / most;
			per = (nr + pages - 1) / pages;
			plot_h = zsr_min(room / (double)per - OVERHEAD(set),
					 PLOT_MOST);
		}
		draw_panel(c, set, &c->cmp->col[i], plot_h);
		last = ++drawn == nr || drawn % per == 0;
		draw_axis(c, &t, &c->cmp->col[i], plot_h, last);
		if (last)
			page_end(c);
	}
}
