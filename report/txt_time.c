// SPDX-License-Identifier: GPL-2.0-only
/* Timelines in letters: g2, g3, g5, g7. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/txt.h"

#define FULL   "\xe2\x96\x88"
#define DARK   "\xe2\x96\x93"
#define MIDDLE "\xe2\x96\x92"
#define LIGHT  "\xe2\x96\x91"

static const struct zsr_px *px_of(const struct txt_plot *p)
{
	return p->col->panel[p->view].px;
}

/* ---- g2 ---- */

static double g2_part(const struct text_page *t, const struct txt_plot *p,
		      size_t i, size_t k)
{
	const struct zsr_window *w = &t->cmp->window[p->view];
	size_t from = txt_px(w, i), to = zsr_max(txt_px(w, i + 1), from + 1), n;
	double live = 0, held = 0, all = 0;

	for (n = from; n < to; n++) {
		const struct zsr_px *px = &px_of(p)[n];

		live = zsr_max(live, (double)px->live.lo);
		held = zsr_max(held, (double)px->held.hi);
		all = zsr_max(all, (double)px->all.hi);
	}
	held = zsr_max(zsr_min(held, all - live), 0);
	return (k == 0   ? live
		: k == 1 ? held
			 : zsr_max(all - live - held, 0)) *
	       t->cmp->page_size;
}

static const char *never_or(char *buf, uint64_t ns)
{
	return ns == ZSR_NEVER ? "never" : zsr_fmt_ns(buf, ns);
}

static void g2_numbers(struct text_page *t, const struct zsr_column *col,
		       size_t view)
{
	const struct zsr_panel *p = &col->panel[view];
	char a[4][ZSR_FMT_LEN], size[ZSR_FMT_LEN];

	txt_flow(t, 2,
		 "  last caller %s; back 50 %% %s, 90 %% %s, 100 %% %s; held "
		 "back at most %s",
		 p->nr_callers ? never_or(a[0], p->last_return_ns) : "-",
		 never_or(a[1], p->at_ns[0]), never_or(a[2], p->at_ns[1]),
		 never_or(a[3], p->at_ns[2]),
		 zsr_fmt_size(size, p->held_max * t->cmp->page_size));
}

void g2_text(struct text_page *t)
{
	static const char *const blocks[] = { FULL, MIDDLE, LIGHT };
	char text[200];
	size_t view, i;

	for (view = 0; view < t->cmp->nr_windows; view++) {
		double max = (double)t->cmp->window[view].max_pages *
			     t->cmp->page_size;

		if (max <= 0)
			continue;
		txt_head(t, 2, view ? ", main burst" : "");
		if (t->opts->ascii)
			txt_line(t, "# live   %% held back   . back");
		else
			txt_line(t, FULL " live   " MIDDLE " held back   " LIGHT
					 " back");
		for (i = 0; i < t->cmp->nr_cols; i++) {
			struct txt_plot p = { .col = &t->cmp->col[i],
					      .view = view,
					      .nr_parts = 3,
					      .max = max,
					      .ticks = ticks_bytes(max, 4),
					      .blocks = blocks,
					      .ascii = "#%.",
					      .part = g2_part };

			txt_line(t, "%s", "");
			txt_flow(t, 2, "%s", p.col->label);
			txt_plot(t, &p);
			txt_time_axis(t, view);
			g2_numbers(t, p.col, view);
		}
		if (!view) {
			captured_words(t->cmp, text, sizeof(text));
			txt_line(t, "%s", "");
			txt_flow(t, 0,
				 "%s Zspages only: no run records "
				 "folios.",
				 text);
		}
	}
}

/* ---- g5 ---- */

static double g5_part(const struct text_page *t, const struct txt_plot *p,
		      size_t i, size_t k)
{
	const struct zsr_window *w = &t->cmp->window[p->view];
	size_t n, to = zsr_max(txt_px(w, i + 1), txt_px(w, i) + 1);
	uint64_t depth = 0;
	(void)k;

	for (n = txt_px(w, i); n < to; n++)
		depth = zsr_max(depth, px_of(p)[n].depth.hi);
	return (double)depth;
}

static void queues_text(struct text_page *t, size_t view)
{
	static const char *const blocks[] = { FULL };
	double max = (double)zsr_max(t->cmp->window[view].max_depth, 1);
	char n[3][ZSR_FMT_LEN];
	size_t i;

	txt_head(t, 5, view ? ", main burst" : "");
	for (i = 0; i < t->cmp->nr_cols; i++) {
		const struct zsr_column *col = &t->cmp->col[i];
		struct txt_plot p = { .col = col,
				      .view = view,
				      .nr_parts = 1,
				      .max = max,
				      .ticks = ticks_count(max, 4),
				      .blocks = blocks,
				      .ascii = "#",
				      .part = g5_part };

		if (!col->depth_max)
			continue;
		txt_line(t, "%s", "");
		txt_flow(t, 2, "%s", col->label);
		txt_plot(t, &p);
		txt_time_axis(t, view);
		txt_flow(
			t, 2, "  %s; peak %s entries; fallbacks %s; stranded %s",
			p.ticks.unit,
			zsr_fmt_count(n[0],
				      zsr_column_value(col, "queue_peak")),
			zsr_fmt_count(n[1], zsr_column_value(col, "fallbacks")),
			zsr_fmt_count(n[2], zsr_column_value(col, "stranded")));
	}
}

/* A row a CPU, the letter of who has most of it. */
static void cpu_row(struct text_page *t, const struct zsr_column *col,
		    size_t view, uint32_t cpu)
{
	const struct zsr_window *w = &t->cmp->window[view];
	const struct zsr_cpus *b = &col->cpus_busy;
	char line[TXT_PLOT_COLS + 1];
	size_t i, k, best;

	for (i = 0; i < TXT_PLOT_COLS; i++) {
		double at = map_column(t->cmp, col, view, txt_px(w, i),
				       b->step_ns);
		const float *s;

		line[i] = ' ';
		if (at < 0 || at >= b->nr_cols)
			continue;
		s = b->share[(size_t)cpu * b->nr_cols + (size_t)at];
		for (best = 0, k = 1; k < ZSR_CPU_KINDS; k++)
			if (s[k] > s[best])
				best = k;
		if (s[best] > 0.05f)
			line[i] = s[best] > 0.5f ? "CWLE"[best] : "cwle"[best];
	}
	line[i] = '\0';
	txt_line(t, "%7u%s%s", cpu, t->opts->ascii ? "|" : "\xe2\x94\x82", line);
}

static void cpus_text(struct text_page *t, size_t view)
{
	char text[200];
	uint32_t cpu;
	size_t i;

	txt_head(t, 5,
		 view ? ", main burst: who has the CPUs" : ": who has the CPUs");
	txt_flow(t, 0,
		 "C callers free, W workers free, L other load, E all else; "
		 "small letters: less than half of the time");
	for (i = 0; i < t->cmp->nr_cols; i++) {
		const struct zsr_column *col = &t->cmp->col[i];

		if (!col->cpus_busy.nr_cpus)
			continue;
		txt_line(t, "%s", "");
		txt_flow(t, 2, "%s", col->label);
		for (cpu = 0; cpu < col->cpus_busy.nr_cpus; cpu++)
			cpu_row(t, col, view, cpu);
		txt_time_axis(t, view);
		cpu_words(col, text, sizeof(text));
		txt_flow(t, 2, "  %s", text);
	}
}

static bool any_queue(const struct zsr_compare *cmp)
{
	size_t i;

	for (i = 0; i < cmp->nr_cols; i++)
		if (cmp->col[i].depth_max)
			return true;
	return false;
}

void g5_text(struct text_page *t)
{
	size_t view;

	for (view = 0; any_queue(t->cmp) && view < t->cmp->nr_windows; view++)
		queues_text(t, view);
	for (view = 0; any_cpus(t->cmp) && view < t->cmp->nr_windows; view++)
		cpus_text(t, view);
}

/* ---- g7 ---- */

static double g7_part(const struct text_page *t, const struct txt_plot *p,
		      size_t i, size_t k)
{
	const struct zsr_filling *f = &p->col->filling;
	double at = map_column(t->cmp, p->col, p->view,
			       txt_px(&t->cmp->window[p->view], i), f->step_ns);
	size_t n = zsr_min((size_t)zsr_max(at, 0), f->nr - 1);

	return k < ZSR_MOST_SIZES ? (double)f->at[n].used[k]
				  : (double)f->at[n].unused;
}

void g7_text(struct text_page *t)
{
	static const char *const blocks[] = { "1", "2", "3", "4", LIGHT };
	double max = filling_max(t->cmp);
	char text[160];
	size_t view, i;

	for (view = 0; view < t->cmp->nr_windows; view++) {
		txt_head(t, 7, view ? ", main burst" : "");
		for (i = 0; i < t->cmp->nr_sizes; i++)
			txt_line(t, "%zu  objects in classes of %llu to %llu",
				 i + 1, (unsigned long long)t->cmp->sizes[i].low,
				 (unsigned long long)t->cmp->sizes[i].high);
		txt_line(t, "%s  fragmentation", t->opts->ascii ? "." : LIGHT);
		for (i = 0; i < t->cmp->nr_cols; i++) {
			struct txt_plot p = { .col = &t->cmp->col[i],
					      .view = view,
					      .nr_parts = ZSR_MOST_SIZES + 1,
					      .max = max,
					      .ticks = ticks_bytes(max, 4),
					      .blocks = blocks,
					      .ascii = "1234.",
					      .part = g7_part };

			if (!p.col->filling.nr)
				continue;
			txt_line(t, "%s", "");
			txt_flow(t, 2, "%s", p.col->label);
			txt_plot(t, &p);
			txt_time_axis(t, view);
			filling_words(p.col, text, sizeof(text));
			txt_flow(t, 2, "  %s", text);
		}
	}
}

/* ---- g3 ---- */

/* The most releases in any cell of an octave behind column i. */
static uint32_t hottest(const struct text_page *t, const struct zsr_column *col,
			size_t view, size_t i, double low)
{
	const struct zsr_window *w = &t->cmp->window[view];
	const struct zsr_map *m = &col->map;
	double from = map_column(t->cmp, col, view, txt_px(w, i), m->step_ns);
	double to = map_column(t->cmp, col, view, txt_px(w, i + 1), m->step_ns);
	uint32_t r, k, most = 0;

	if (to < 0 || from >= m->nr_cols)
		return 0;
	for (r = 0; r < m->nr_rows; r++) {
		double at = log2(zsr_max((double)m->row[r], 1));

		if (at < low || at >= low + 1)
			continue;
		for (k = (uint32_t)zsr_max(from, 0);
		     k < m->nr_cols && k <= (uint32_t)zsr_max(to, 0); k++)
			most = zsr_max(most,
				       m->cell[(size_t)r * m->nr_cols + k]);
	}
	return most;
}

static void heat_row(struct text_page *t, const struct zsr_column *col,
		     size_t view, int octave)
{
	static const char *const blocks[] = { " ", LIGHT, MIDDLE, DARK, FULL };
	char line[8 + 3 * TXT_PLOT_COLS + 8], ns[ZSR_FMT_LEN];
	double top = log((double)t->cmp->map_max + 1);
	size_t i, at;

	at = (size_t)snprintf(line, sizeof(line), "%7s%s",
			      zsr_fmt_ns(ns, 1ull << octave),
			      t->opts->ascii ? "|" : "\xe2\x94\x82");
	for (i = 0; i < TXT_PLOT_COLS; i++) {
		uint32_t n = hottest(t, col, view, i, octave);
		size_t k = n ? 1 + (size_t)(3.999 * log(n) / top) : 0;

		k = zsr_min(k, 4u);
		if (t->opts->ascii)
			at += (size_t)snprintf(line + at, sizeof(line) - at,
					       "%c", " .:*#"[k]);
		else
			at += (size_t)snprintf(line + at, sizeof(line) - at,
					       "%s", blocks[k]);
	}
	txt_line(t, "%s", line);
}

void g3_text(struct text_page *t)
{
	size_t view, i, k;

	for (view = 0; view < t->cmp->nr_windows; view++) {
		double low = 63, high = 0;

		for (i = 0; i < t->cmp->nr_cols; i++) {
			const struct zsr_map *m = &t->cmp->col[i].map;

			if (!m->nr_rows)
				continue;
			low = zsr_min(low, log2(zsr_max((double)m->row[0], 1)));
			high = zsr_max(
				high,
				log2(zsr_max((double)m->row[m->nr_rows - 1], 1)));
		}
		txt_head(t, 3, view ? ", main burst" : "");
		txt_flow(
			t, 0,
			"The darker, the more releases took at least this long "
			"and less than twice of it; the scale is logarithmic.");
		for (i = 0; i < t->cmp->nr_cols; i++) {
			if (!t->cmp->col[i].map.nr_rows)
				continue;
			txt_line(t, "%s", "");
			txt_flow(t, 2, "%s", t->cmp->col[i].label);
			for (k = (size_t)high + 1; k-- > (size_t)low;)
				heat_row(t, &t->cmp->col[i], view, (int)k);
			txt_time_axis(t, view);
		}
	}
}
