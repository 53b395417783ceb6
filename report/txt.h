/* SPDX-License-Identifier: GPL-2.0-only */
/* The figures' twins in text: ZSR_MAIL_WIDTH columns, nothing but letters and
 * blocks. Memory that runs out is noticed at the end. */
#ifndef ZSR_REPORT_TXT_H
#define ZSR_REPORT_TXT_H

#include "report/page.h"

struct text_page {
	const struct zsr_report_opts *opts;
	const struct zsr_compare *cmp;
	struct zsr_report_result *res;
	struct zsr_lines out;
	bool nomem;
};

/* Everything. 0 or -ENOMEM; lines belong to the caller. */
int txt_draw(const struct zsr_analysis *a, const struct zsr_report_opts *opts,
	     struct zsr_report_result *res, struct zsr_lines *out);

/* ---- lines (txt.c) ---- */

void txt_head(struct text_page *t, unsigned figure, const char *more);
void txt_line(struct text_page *t, const char *fmt, ...) ZSR_PRINTF(2, 3);
/* Words, wrapped, lines behind the first one indented. */
void txt_flow(struct text_page *t, size_t indent, const char *fmt, ...)
	ZSR_PRINTF(3, 4);

/* ---- pictures (txt_plot.c) ---- */

#define TXT_PLOT_COLS 58
#define TXT_PLOT_ROWS 8

/*
 * A plot over time of parts that stand on each other: part(k) of column i, of
 * TXT_PLOT_COLS, in base units; `blocks` has a UTF-8 character a part, `ascii`
 * one of those.
 */
struct txt_plot {
	const struct zsr_column *col;
	size_t view;
	size_t nr_parts;
	double max;
	struct ticks ticks;
	const char *const *blocks;
	const char *ascii;
	double (*part)(const struct text_page *t, const struct txt_plot *p,
		       size_t i, size_t k);
};
void txt_plot(struct text_page *t, const struct txt_plot *p);
/* The time axis below a plot. */
void txt_time_axis(struct text_page *t, size_t view);
/* First and last pixel column behind column i of a plot. */
size_t txt_px(const struct zsr_window *w, size_t i);

/* ---- the figures ---- */

void g1_text(struct text_page *t);
void g2_text(struct text_page *t);
void g3_text(struct text_page *t);
void g4_text(struct text_page *t);
void g5_text(struct text_page *t);
void g6_text(struct text_page *t);
void g7_text(struct text_page *t);
void g8_text(struct text_page *t);
void g9_text(struct text_page *t);
void g10_text(struct text_page *t);
void g11_text(struct text_page *t);
void g12_text(struct text_page *t);

#endif
