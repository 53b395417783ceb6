// SPDX-License-Identifier: GPL-2.0-only
/* g5: how much lies in the queue, over time, and who has the CPUs. */
#include <stdlib.h>

#include "report/page.h"

#define Y_TICKS 4

static const struct rgb depth_area = { 0.753, 0.843, 0.902 };

static void draw(struct canvas *c, const struct zsr_column *col,
		 const struct frame *f)
{
	const struct zsr_px *px = view_panel(c, col)->px;
	size_t n = view_window(c)->nr_px, i;
	double x, step = f->w / (double)n;

#define Y(v) (f->y + f->h - f->h * (double)(v) / f->max)
	cairo_move_to(c->cr, f->x, f->y + f->h);
	for (i = 0; i < n; i++)
		cairo_line_to(c->cr, f->x + step * ((double)i + 0.5),
			      Y(px[i].depth.hi));
	cairo_line_to(c->cr, f->x + f->w, Y(px[n - 1].depth.hi));
	cairo_line_to(c->cr, f->x + f->w, f->y + f->h);
	cairo_close_path(c->cr);
	set_color(c, depth_area);
	cairo_fill(c->cr);
	/* From the least to the most within each pixel column, joined. */
	set_color(c, live_color);
	cairo_set_line_width(c->cr, 1);
	cairo_set_line_join(c->cr, CAIRO_LINE_JOIN_BEVEL);
	for (i = 0; i < n; i++) {
		x = f->x + step * ((double)i + 0.5);
		cairo_line_to(c->cr, x, Y(px[i].depth.hi));
		if (px[i].depth.lo != px[i].depth.hi)
			cairo_line_to(c->cr, x, Y(px[i].depth.lo));
	}
	cairo_stroke(c->cr);
#undef Y
}

static void numbers(const struct canvas *c, const struct zsr_column *col,
		    char *buf, size_t n)
{
	char peak[ZSR_FMT_LEN], oldest[ZSR_FMT_LEN], fell[ZSR_FMT_LEN];
	char share[ZSR_FMT_LEN], left[ZSR_FMT_LEN];
	uint64_t fallbacks = zsr_column_value(col, "fallbacks");
	(void)c;

	snprintf(buf, n,
		 "peak %s entries; oldest entry waited %s; fallbacks %s "
		 "(%s of frees); stranded %s",
		 zsr_fmt_count(peak, zsr_column_value(col, "queue_peak")),
		 zsr_fmt_ns(oldest, zsr_column_value(col, "queue_oldest_ns")),
		 zsr_fmt_count(fell, fallbacks),
		 zsr_fmt_percent(share, fallbacks,
				 zsr_column_value(col, "frees")),
		 zsr_fmt_count(left, zsr_column_value(col, "stranded")));
}

/* "Nothing was queued by sync, class-idx." behind what is read first. */
static int reading(const struct zsr_compare *cmp, const bool *show, char **out)
{
	bool any = false;
	size_t i, size;
	FILE *f = open_memstream(out, &size);

	if (!f)
		return -1;
	fputs("Frees that were queued and not yet done, one panel a policy, "
	      "all on the same axes.",
	      f);
	for (i = 0; i < cmp->nr_cols; i++) {
		if (show[i])
			continue;
		fprintf(f, "%s %s", any ? "," : " Nothing was queued by",
			cmp->col[i].label);
		any = true;
	}
	if (any)
		fputs(".", f);
	return fclose(f);
}

static double value(const struct canvas *c, const struct zsr_column *col,
		    size_t px, size_t name)
{
	(void)name;
	return (double)view_panel(c, col)->px[px].depth.hi;
}

static void draw_view(struct canvas *c, const bool *show, const char *text)
{
	double max = (double)zsr_max(view_window(c)->max_depth, 1);
	struct panel_set set = {
		.figure = 5,
		.title = c->view ? "Queue depth, main burst" : "Queue depth",
		.reading = text,
		.max = max * 1.07,
		.ticks = ticks_count(max, Y_TICKS),
		.numbers = numbers,
		.draw = draw,
		.names = (const char *const[]){ "queued" },
		.nr_names = 1,
		.value = value,
	};

	panels_draw(c, &set, show);
}

const char *g5_missing(const struct zsr_compare *cmp)
{
	size_t i;

	for (i = 0; i < cmp->nr_cols; i++)
		if (cmp->col[i].depth_max)
			return NULL;
	return any_cpus(cmp) ? NULL
			     : "no policy queued anything, no run recorded its "
			       "CPUs";
}

static void queues_draw(struct canvas *c)
{
	const struct zsr_compare *cmp = c->cmp;
	bool *show = calloc(cmp->nr_cols, sizeof(*show)), any = false;
	char *text = NULL;
	size_t i;

	if (!show) {
		c->nomem = true;
		return;
	}
	for (i = 0; i < cmp->nr_cols; i++) {
		show[i] = cmp->col[i].depth_max > 0;
		any |= show[i];
	}
	if (any && reading(cmp, show, &text))
		c->nomem = true;
	else if (any)
		for (c->view = 0; c->view < cmp->nr_windows; c->view++)
			draw_view(c, show, text);
	c->view = 0;
	free(text);
	free(show);
}

void g5_draw(struct canvas *c)
{
	queues_draw(c);
	if (any_cpus(c->cmp))
		for (; c->view < c->cmp->nr_windows; c->view++)
			cpus_draw(c);
	c->view = 0;
}
