/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the figures draw with: pages, text, axes, colours. Lengths are points
 * (1/72 inch), y grows downwards. After the first failure (memory, disk) every
 * call is harmless and the error comes out at the end.
 */
#ifndef ZSR_REPORT_PAGE_H
#define ZSR_REPORT_PAGE_H

#include <cairo.h>
#include <pango/pangocairo.h>

#include "report/report.h"

#define PAGE_WIDTH  595.0 /* A4 */
#define PAGE_HEIGHT 842.0
#define PAGE_MARGIN 42.0
#define PAGE_LEFT   PAGE_MARGIN
#define PAGE_RIGHT  (PAGE_WIDTH - PAGE_MARGIN)
#define PAGE_INNER  (PAGE_RIGHT - PAGE_LEFT)
#define PAGE_BOTTOM (PAGE_HEIGHT - PAGE_MARGIN - 14) /* above the footer */

struct rgb {
	double r, g, b;
};

/* Okabe and Ito's colours that stand out on white, told apart without hue by
 * what they are combined with: hatching for areas, dashes for lines. */
extern const struct rgb ink, grey, faint, paper;
extern const struct rgb live_color, held_color, back_color;
struct rgb line_color(size_t i);

enum align { LEFT, CENTER, RIGHT };

struct style {
	double size;
	bool bold;
	bool mono;
	size_t bold_bytes; /* this many at the begin are bold */
	struct rgb color; /* zero is black */
};

struct canvas {
	cairo_t *cr;
	double y; /* the next free one of the page */
	unsigned nr_pages;
	const struct zsr_report_opts *opts;
	char *title; /* the user's, or NULL */
	const struct zsr_compare *cmp; /* what is being drawn */
	size_t view; /* the window of cmp that is being drawn */
	unsigned figure; /* of the page */
	struct zsr_report_result *res;

	PangoContext *pango;
	bool paged; /* else pages follow each other downwards */
	double height; /* of the pages so far, when not paged */
	bool nomem;
};

/* ---- pages (canvas.c) ---- */

/* Every figure that was asked for, of every comparison. */
void canvas_draw(struct canvas *c, const struct zsr_analysis *a);

/* Start a page of figure gN: its title, trace, clock and fidelity on top.
 * `part` > 0 continues the figure. */
void page_begin(struct canvas *c, unsigned figure, const char *title,
		unsigned part);
void page_end(struct canvas *c);
/* Room left on the page. */
double page_room(const struct canvas *c);
/* Nothing could fill figure gN: say so. */
void leave_out(struct canvas *c, unsigned figure, const char *why);

/* ---- text (text.c) ---- */

/* One line, y being its baseline; returns its width. */
double text_at(struct canvas *c, double x, double y, enum align align,
	       const struct style *s, const char *text);
/* The same, ended by an ellipsis when wider than `width`. */
double text_fit(struct canvas *c, double x, double y, double width,
		enum align align, const struct style *s, const char *text);
/* The same, turned by 90 degrees to read from below. */
void text_up(struct canvas *c, double x, double y, const struct style *s,
	     const char *text);
double text_measure(struct canvas *c, const struct style *s, const char *text);
/* A paragraph of `width` at c->y, which moves below it. */
void text_flow(struct canvas *c, double x, double width, const struct style *s,
	       const char *text);
double text_flow_height(struct canvas *c, double width, const struct style *s,
			const char *text);

/* ---- drawing (draw.c) ---- */

void set_color(struct canvas *c, struct rgb rgb);
void line(struct canvas *c, double x0, double y0, double x1, double y1,
	  double width, struct rgb color);
void box(struct canvas *c, double x, double y, double w, double h,
	 struct rgb color);
/* Slanting lines over the current path, which is consumed. */
void hatch(struct canvas *c, double x, double y, double w, double h,
	   struct rgb color);
/* A sample of an area's colour with its name; returns the x after it. */
double swatch(struct canvas *c, double x, double y, struct rgb color,
	      bool hatched, const char *name);

/* Move positions want[] (ascending) as little as it takes for things of these
 * sizes, centred on them, not to overlap, within [lo, hi] if they fit there. */
void spread(double *want, const double *size, size_t nr, double lo, double hi);

/* ---- axes (axis.c) ---- */

/* Round numbers on a linear axis: value = n * step / unit. */
struct ticks {
	double step; /* in base units */
	double per; /* base units in one shown unit */
	const char *unit; /* "ms", "MiB", "thousand" */
	int decimals;
};
struct ticks ticks_time(double from_ns, double to_ns, unsigned most);
struct ticks ticks_bytes(double max, unsigned most);
struct ticks ticks_count(double max, unsigned most);
char *tick_label(char buf[ZSR_FMT_LEN], const struct ticks *t, double value);

/* ---- time axis panels, shared by g2 and g5 (panels.c) ---- */

struct frame {
	double x, y, w, h; /* of the plot */
	double max; /* value at the top */
};

struct panel_set {
	unsigned figure;
	const char *title;
	const char *reading; /* how to read it */
	double max; /* of the value axis, base units */
	struct ticks ticks;
	void (*legend)(struct canvas *c); /* one line at c->y; or NULL */
	/* Numbers that belong to a panel, in words. */
	void (*numbers)(const struct canvas *c, const struct zsr_column *col,
			char *buf, size_t n);
	void (*draw)(struct canvas *c, const struct zsr_column *col,
		     const struct frame *f);
};
const struct zsr_window *view_window(const struct canvas *c);
const struct zsr_panel *view_panel(const struct canvas *c,
				   const struct zsr_column *col);
/* One panel for each column with `show`, of the canvas's view, on as many
 * pages as needed. */
void panels_draw(struct canvas *c, const struct panel_set *set,
		 const bool *show);

/* ---- figures ---- */

void g1_draw(struct canvas *c);
void g2_draw(struct canvas *c);
void g4_draw(struct canvas *c);
void g5_draw(struct canvas *c);
void g12_draw(struct canvas *c);

#endif
