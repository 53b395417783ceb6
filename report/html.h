/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages as one HTML file. cairo draws shapes as SVG, chunk by chunk, so that
 * what stands between two chunks can be grouped: columns that can be hidden,
 * plots that can be zoomed. Text stays text.
 */
#ifndef ZSR_REPORT_HTML_H
#define ZSR_REPORT_HTML_H

#include <stdio.h>

#include "report/page.h"

struct panel_set;

/* What cairo wrote between the tags of an svg, in fewer bytes (svg.c). */
void svg_put(struct canvas *c, FILE *out, const char *p, const char *end,
	     unsigned chunk);

/* Everything, onto c->out. */
cairo_status_t html_write(struct canvas *c, const char *title,
			  const struct zsr_analysis *a);

/* The same as one picture, an SVG. */
cairo_status_t html_write_svg(struct canvas *c, const char *title,
			      const struct zsr_analysis *a);

/* A page; the first one of a figure has an ID. */
void html_page_begin(struct canvas *c, const char *id);
void html_page_end(struct canvas *c);

/* LEN bytes of text, WIDTH wide, whose baseline begins at x, y. */
void html_text(struct canvas *c, double x, double y, double width,
	       const struct style *s, const char *text, size_t len);
/* Text from here on leads to ID; NULL: nowhere. */
void html_link(struct html *h, const char *id);

/* What follows, up to layer_end(), is of a kind that the script knows. */
void html_group_begin(struct canvas *c, const char *class);
/* The same of a time axis: of one column only and without numbers, or (NULL) of
 * all. */
void html_axis_begin(struct canvas *c, const struct frame *f,
		     const struct ticks *t, const struct zsr_column *col);
/* The current path, hatched. */
void html_hatch(struct canvas *c);
/* The values of a panel, to be read by pointing. */
void html_values(struct canvas *c, const struct panel_set *set,
		 const struct zsr_column *col, const struct frame *f);

#endif
