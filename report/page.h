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

#define PAGE_WIDTH  (c->paper_width)
#define PAGE_HEIGHT (c->paper_height)
#define PAGE_MARGIN (PAGE_WIDTH > PAGE_HEIGHT ? 30.0 : 42.0)
#define PAGE_LEFT   PAGE_MARGIN
#define PAGE_RIGHT  (PAGE_WIDTH - PAGE_MARGIN)
#define PAGE_INNER  (PAGE_RIGHT - PAGE_LEFT)
#define PAGE_BOTTOM (PAGE_HEIGHT - PAGE_MARGIN - 14) /* above the footer */

#define STRIP_GAP 10.0 /* between pages below each other */

struct text_page; /* txt.h */
struct figure;
struct frame;

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

struct html; /* html.c */

struct canvas {
	cairo_t *cr;
	FILE *out;
	int write_error; /* errno of the first failure */
	double paper_width, paper_height;
	double y; /* the next free one of the page */
	unsigned nr_pages;
	const struct zsr_report_opts *opts;
	char *title; /* the user's, or NULL */
	const struct zsr_compare *cmp; /* what is being drawn */
	size_t view; /* the window of cmp that is being drawn */
	double low; /* of a logarithmic value axis */
	size_t nr_cmp; /* its number */
	unsigned figure; /* of the page */
	const char *heading;
	bool begun; /* the figure has a page already */
	struct zsr_report_result *res;

	PangoContext *pango;
	bool paged; /* else pages follow each other downwards */
	int outline_of; /* what the comparison's pages stand below */
	struct html *html; /* what is drawn goes there; or NULL */
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
/* What needs `height` goes on with the figure's next page where it is not left. */
void page_need(struct canvas *c, double height, unsigned *part);
/* A line of text that leads to the figure's first page. */
double text_link(struct canvas *c, double x, double y, const struct style *s,
		 const char *text, unsigned figure);

int leave_out(struct zsr_lines *left_out, const struct zsr_compare *cmp,
	      const struct figure *f, const char *why);

/* What there is to draw, in the order of drawing. */
struct figure {
	unsigned nr;
	const char *title;
	/* Why nothing can fill it; NULL: something can. */
	const char *(*missing)(const struct zsr_compare *cmp);
	void (*draw)(struct canvas *c);
	void (*text)(struct text_page *t);
	/* Where its numbers are in the database: queries with %s for a list
	 * of runs, NULL at the end. */
	const char *const *queries;
};
extern const struct figure figures[];
extern const size_t nr_figures;
bool figure_wanted(const struct zsr_report_opts *opts, const struct figure *f);

/* ---- parts of a page that HTML can tell apart (html.c) ---- */

/* What belongs to a column of the comparison; layers do not nest, nor lie
 * within cairo_save(). */
void layer_begin(struct canvas *c, const struct zsr_column *col);
void layer_end(struct canvas *c);
/* Drawing within F only; in HTML it can be zoomed. */
void plot_begin(struct canvas *c, const struct frame *f);
void plot_end(struct canvas *c);
/* What a rectangle says when it is pointed at. */
void hover(struct canvas *c, double x, double y, double w, double h,
	   const char *fmt, ...) ZSR_PRINTF(6, 7);

/* The surface as a PNG of at most 256 colours onto c->out (png.c). 0 or
 * -ENOMEM. */
int png_put(struct canvas *c, cairo_surface_t *s);

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
	bool plain; /* no marks of callers and pages */
	void (*legend)(struct canvas *c); /* one line at c->y; or NULL */
	/* In place of one for max and ticks; or NULL. */
	void (*value_axis)(struct canvas *c, const struct zsr_column *col,
			   const struct frame *f);
	/* What HTML says of a place in the panel; or 0. */
	const char *const *names;
	size_t nr_names;
	double (*value)(const struct canvas *c, const struct zsr_column *col,
			size_t px, size_t name);
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

/* ---- bars, shared by g6, g8 and g10 (bars.c) ---- */

struct part_color {
	struct rgb rgb;
	bool hatched;
};
extern const struct part_color part_colors[]; /* as cpu_parts */
void bar(struct canvas *c, double x, double y, double w, double h,
	 const struct part_color *color);
/* Below c->y. */
void bar_axis(struct canvas *c, double x, double w, double max_ns,
	      const char *what);

/* ---- what figures share with their twins in text ---- */

#define NR_CPU_PARTS 7
struct cpu_part {
	const char *key; /* value of the column */
	const char *name;
};
extern const struct cpu_part cpu_parts[];
const char *load_name(const struct zsr_column *col);
bool first_of_load(const struct zsr_compare *cmp, size_t i);
/* The largest parts nothing is below of, largest first. */
size_t largest_parts(const struct zsr_column *col, size_t *out, size_t most);

/* Which column, of step_ns, of a map or a filling is at a pixel column: before
 * the first one it is negative. */
double map_column(const struct zsr_compare *cmp, const struct zsr_column *col,
		  size_t view, size_t px, uint64_t step_ns);
const char *cpu_kind_name(size_t kind);
double cpu_share(const struct zsr_column *col, size_t kind);
void cpu_words(const struct zsr_column *col, char *buf, size_t n);
bool any_cpus(const struct zsr_compare *cmp);
void cpus_draw(struct canvas *c); /* of the view, with pages of its own */
double filling_max(const struct zsr_compare *cmp); /* bytes */
void filling_words(const struct zsr_column *col, char *buf, size_t n);

#define NR_QUANTILES 5
struct quantile {
	double nines;
	const char *name;
};
extern const struct quantile quantiles[NR_QUANTILES];
const char *evidence_text(const char *name);
/* When the captured kernel had given back that share of its zspages. */
uint64_t captured_at(const struct zsr_fidelity *f, double share);
void captured_words(const struct zsr_compare *cmp, char *buf, size_t n);
/* A row of g11: captured beside replayed. */
#define NR_HELD 9
struct held {
	const char *name;
	uint64_t is, was; /* ns; ZSR_NEVER: it did not happen, or is not known */
};
void held_against(const struct zsr_compare *cmp, struct held row[NR_HELD]);

/* The command line that plays a run again, and the one that prints or draws
 * ("compare", "report") a comparison, for a shell. */
void replay_command(FILE *f, const struct zsr_compare *cmp,
		    const struct zsr_report_opts *opts,
		    const struct zsr_column *col);
void other_commands(FILE *f, const struct zsr_compare *cmp,
		    const struct zsr_report_opts *opts, const char *verb);

/* ---- figures ---- */

const char *g2_missing(const struct zsr_compare *cmp);
const char *g3_missing(const struct zsr_compare *cmp);
const char *g4_missing(const struct zsr_compare *cmp);
const char *g5_missing(const struct zsr_compare *cmp);
const char *g6_missing(const struct zsr_compare *cmp);
const char *g7_missing(const struct zsr_compare *cmp);
const char *g8_missing(const struct zsr_compare *cmp);
const char *g9_missing(const struct zsr_compare *cmp);
const char *g10_missing(const struct zsr_compare *cmp);
const char *g11_missing(const struct zsr_compare *cmp);

/* The table of `zsr compare` (table.c). */
void table_draw(struct canvas *c, unsigned *part);

void g1_draw(struct canvas *c);
void g2_draw(struct canvas *c);
void g3_draw(struct canvas *c);
void g4_draw(struct canvas *c);
void g5_draw(struct canvas *c);
void g6_draw(struct canvas *c);
void g7_draw(struct canvas *c);
void g8_draw(struct canvas *c);
void g9_draw(struct canvas *c);
void g10_draw(struct canvas *c);
void g11_draw(struct canvas *c);
void g12_draw(struct canvas *c);

#endif
