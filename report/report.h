/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Comparisons drawn on pages. Everything shown was computed and put into words
 * by analyze/; here it only gets a place. Figures keep their numbers for good,
 * so that a reply can say "look at g4".
 */
#ifndef ZSR_REPORT_H
#define ZSR_REPORT_H

#include "analyze/analyze.h"
#include "base/base.h"

enum zsr_report_format {
	ZSR_REPORT_PDF, /* pages */
	ZSR_REPORT_SVG, /* all figures below each other */
	ZSR_REPORT_PNG, /* the same, up to 150 dots per inch */
	ZSR_REPORT_TXT, /* a twin of each figure in ZSR_MAIL_WIDTH columns */
	ZSR_REPORT_HTML, /* one file that needs no other */
};

/* Size of pages; that of pictures is as wide. */
enum zsr_report_paper { ZSR_PAPER_A4, ZSR_PAPER_LETTER, ZSR_PAPER_SLIDES };

/* Pixel columns a time axis is drawn with, for struct zsr_analyze_opts. */
#define ZSR_REPORT_NR_PX 640

/* Bit of figure gN. */
#define ZSR_FIGURE(n) (1u << (n))

struct zsr_report_opts {
	enum zsr_report_format format;
	enum zsr_report_paper paper;
	bool ascii; /* text in nothing but ASCII */
	unsigned only; /* ZSR_FIGURE() bits, 0: all */
	const char *title; /* NULL: made from the trace's name */
	const char *db_path; /* for the command lines of g12 */
	bool dated; /* created_s is given; else no date is stored */
	int64_t created_s; /* seconds since 1970 */
};

struct zsr_report_result {
	unsigned nr_pages;
	unsigned figures; /* ZSR_FIGURE() bits of what was drawn */
	struct zsr_lines left_out; /* figures nothing could fill, and why */
};

/* "pdf", "svg", "png", "txt", "html"; false when it is none of them. */
bool zsr_report_format(const char *name, enum zsr_report_format *format);
/* Of gN, N from zsr_report_figures(): its title, and queries for its rows with
 * %s in place of a list of run ids, NULL at the end. */
const char *zsr_report_title(unsigned figure);
const char *const *zsr_report_queries(unsigned figure);
/* "g2,g4" to ZSR_FIGURE() bits, or a usage error that lists the figures. */
int zsr_report_figures(const char *list, unsigned *figures, struct zsr_err *err);

/*
 * Write the report of A, analysed with nr_px > 0, to PATH: through a temporary
 * file beside it, so that PATH is either the whole report or what it was.
 * Same input, same bytes. left_out is freed by the caller. Errors: system.
 */
int zsr_report_write(const struct zsr_analysis *a, const char *path,
		     const struct zsr_report_opts *opts,
		     struct zsr_report_result *res, struct zsr_err *err);

#endif
