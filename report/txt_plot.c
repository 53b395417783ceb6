// SPDX-License-Identifier: GPL-2.0-only
/* Plots over time in letters: a column of text for several of pixels. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/txt.h"

#define AXIS_W 8 /* numbers and the line beside them */

size_t txt_px(const struct zsr_window *w, size_t i)
{
	return zsr_min(i * w->nr_px / TXT_PLOT_COLS, w->nr_px - 1);
}

/* Which part is at this height of column i; nr_parts: none. */
static size_t part_at(const struct text_page *t, const struct txt_plot *p,
		      size_t i, double height)
{
	double sum = 0;
	size_t k;

	for (k = 0; k < p->nr_parts; k++) {
		sum += p->part(t, p, i, k);
		if (sum > height)
			break;
	}
	return k;
}

/* A row's middle decides; but what is there at all is seen at the foot. */
static void put_row(struct text_page *t, const struct txt_plot *p, FILE *f,
		    int row)
{
	double from = p->max * row / TXT_PLOT_ROWS,
	       step = p->max / TXT_PLOT_ROWS;
	size_t i, k;

	for (i = 0; i < TXT_PLOT_COLS; i++) {
		k = part_at(t, p, i, from + step / 2);
		if (k == p->nr_parts && !row)
			k = part_at(t, p, i, 0);
		if (k == p->nr_parts)
			fputc(' ', f);
		else if (t->opts->ascii)
			fputc(p->ascii[k], f);
		else
			fputs(p->blocks[k], f);
	}
}

void txt_plot(struct text_page *t, const struct txt_plot *p)
{
	const char *bar = t->opts->ascii ? "|" : "\xe2\x94\x82";
	char *text = NULL, num[ZSR_FMT_LEN], value[ZSR_FMT_LEN];
	size_t size;
	int row;
	FILE *f;

	for (row = TXT_PLOT_ROWS; row-- > 0;) {
		*num = '\0';
		/* Every other row says what its upper edge is. */
		if (row % 2)
			snprintf(num, sizeof(num), "%.3g",
				 p->max * (row + 1) / TXT_PLOT_ROWS /
					 p->ticks.per);
		else if (!row)
			snprintf(num, sizeof(num), "%.6s", p->ticks.unit);
		f = open_memstream(&text, &size);
		if (!f) {
			t->nomem = true;
			return;
		}
		put_row(t, p, f, row);
		if (fclose(f))
			t->nomem = true;
		snprintf(value, sizeof(value), "%*.*s", AXIS_W - 1, AXIS_W - 1,
			 num);
		txt_line(t, "%s%s%s", value, bar, text ? text : "");
		free(text);
		text = NULL;
	}
}

void txt_time_axis(struct text_page *t, size_t view)
{
	const struct zsr_window *w = &t->cmp->window[view];
	struct ticks tk = ticks_time((double)w->from_ns, (double)w->to_ns, 6);
	double len = (double)(w->to_ns - w->from_ns), at;
	char line[AXIS_W + TXT_PLOT_COLS + 24], label[ZSR_FMT_LEN];
	char marks[sizeof(line)];
	size_t end = 0;

	memset(line, ' ', sizeof(line));
	memset(marks, ' ', sizeof(marks));
	for (at = ceil((double)w->from_ns / tk.step) * tk.step;
	     at <= (double)w->to_ns; at += tk.step) {
		size_t x = AXIS_W + (size_t)((at - (double)w->from_ns) / len *
					     (TXT_PLOT_COLS - 1));
		size_t n = strlen(tick_label(label, &tk, at));
		size_t from = x - zsr_min(n / 2, x);

		marks[x] = '+';
		if (from < end || from + n > ZSR_MAIL_WIDTH)
			continue;
		memcpy(line + from, label, n);
		end = from + n + 1;
	}
	for (end = AXIS_W; end < AXIS_W + TXT_PLOT_COLS; end++)
		if (marks[end] == ' ')
			marks[end] = '-';
	txt_line(t, "%.*s", AXIS_W + TXT_PLOT_COLS, marks);
	txt_line(t, "%.*s", ZSR_MAIL_WIDTH, line);
	txt_line(t, "%*s%s since the %s began, %s clock", AXIS_W, "", tk.unit,
		 view ? "main burst" : "first release", t->cmp->clock);
}
