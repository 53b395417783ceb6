// SPDX-License-Identifier: GPL-2.0-only
/*
 * g1: one page, whatever the number of runs: the verdict in a sentence and in
 * a row a run, the fidelity stamp, the trace's card. What there is no room for
 * is counted, and it is said where it stands.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/page.h"

#define TITLE     "Summary"
#define ROW_LEAST 8.4
#define ROW_MOST  13.0
#define HEAD_H    25.0 /* of the table */
#define CELL      7.4 /* size of its text */
#define RUN_W     22.0
#define LABEL_W   84.0 /* at least */
#define TWO_LINES 16.5 /* a row's height where that is too narrow */
#define NAME_LINE 7.4
#define KEY_W     44.0 /* of a card's keys */

/* A page for a screen: low, and enlarged. */
static bool is_wide(const struct canvas *c)
{
	return c->paged && PAGE_WIDTH > PAGE_HEIGHT;
}

static double small_size(const struct canvas *c)
{
	return is_wide(c) ? 7.2 : 8;
}

static size_t nr_policies(const struct zsr_compare *cmp)
{
	size_t i, k, n = 0;

	for (i = 0; i < cmp->nr_cols; i++) {
		for (k = 0; k < i; k++)
			if (!strcmp(cmp->col[i].policy, cmp->col[k].policy))
				break;
		n += k == i;
	}
	return n;
}

static void title(struct canvas *c)
{
	const struct style big = { .size = is_wide(c) ? 13 : 16, .bold = true };
	size_t n = c->cmp->nr_cols, policies = nr_policies(c->cmp);
	char text[400];

	if (policies > 1 && policies < n)
		snprintf(text, sizeof(text),
			 "%s under %zu free policies, %zu "
			 "runs",
			 c->cmp->trace, policies, n);
	else if (policies > 1)
		snprintf(text, sizeof(text), "%s under %zu free policies",
			 c->cmp->trace, policies);
	else if (n > 1)
		snprintf(text, sizeof(text), "%s under %s, %zu runs",
			 c->cmp->trace, c->cmp->col[0].policy, n);
	else
		snprintf(text, sizeof(text), "%s under %s", c->cmp->trace,
			 c->cmp->col[0].label);
	c->y += big.size;
	text_fit(c, PAGE_LEFT, c->y, PAGE_INNER, LEFT, &big,
		 c->title ? c->title : text);
	c->y += 5;
}

/* ---- the verdict table ------------------------------------------------------ */

enum form { NS, AT, RATIO, SIZE, SHARE, NR_FORMS };

/* Widths, of which a page has as many as fit. */
static const double form_width[NR_FORMS] = {
	[NS] = 37, [AT] = 36, [RATIO] = 34, [SIZE] = 41, [SHARE] = 30
};

/* What a run is judged by; less is better in all of them. */
static const struct measure {
	const char *group; /* above this column and those behind it; or NULL */
	const char *name;
	enum form form;
	const char *value;
} measures[] = {
	{ "caller returns", "mean", NS, "caller_mean_ns" },
	{ NULL, NULL, RATIO, "caller_mean_ns" },
	{ NULL, "worst", NS, "caller_max_ns" },
	{ "one free", "p50", NS, "release_p50_ns" },
	{ NULL, "p99.9", NS, "release_p999_ns" },
	{ "CPU of all frees", "total", NS, "cpu_total_ns" },
	{ NULL, NULL, RATIO, "cpu_total_ns" },
	{ "fell", "back", SHARE, "fallbacks" },
	{ "held back", "at most", SIZE, "held_peak_bytes" },
	{ "pages back after", "50 %", AT, "at_50_ns" },
	{ NULL, "100 %", AT, "at_100_ns" },
};
#define NR_MEASURES ZSR_ARRAY_SIZE(measures)

static void cell_text(const struct zsr_compare *cmp, size_t col,
		      const struct measure *m, char buf[ZSR_FMT_LEN])
{
	const struct zsr_column *k = &cmp->col[col];
	uint64_t x = zsr_column_value(k, m->value);

	if (m->form == AT && x == ZSR_NEVER)
		snprintf(buf, ZSR_FMT_LEN, "%s",
			 zsr_column_value(k, "pages_total") ? "never" : "-");
	else if (m->form == RATIO)
		zsr_fmt_ratio(buf, x,
			      zsr_column_value(&cmp->col[k->base], m->value));
	else if (m->form == SHARE)
		zsr_fmt_percent(buf, x, zsr_column_value(k, "frees"));
	else if (!x)
		zsr_fmt_count(buf, 0);
	else if (m->form == SIZE)
		zsr_fmt_size(buf, x);
	else
		zsr_fmt_ns(buf, x);
}

/* None of those a kernel could have is less, some are more. */
static bool is_best(const struct zsr_compare *cmp, size_t col,
		    const struct measure *m)
{
	uint64_t mine = zsr_column_value(&cmp->col[col], m->value);
	bool more = false;
	size_t i;

	if (zsr_column_is_bound(&cmp->col[col]))
		return false;
	for (i = 0; i < cmp->nr_cols; i++) {
		uint64_t x = zsr_column_value(&cmp->col[i], m->value);

		if (zsr_column_is_bound(&cmp->col[i]))
			continue;
		if (x < mine)
			return false;
		more |= x > mine;
	}
	return more;
}

static double columns_width(void)
{
	double sum = 0;
	size_t i;

	for (i = 0; i < NR_MEASURES; i++)
		sum += form_width[measures[i].form];
	return sum;
}

/* What names would like to have. */
static double names_width(struct canvas *c)
{
	const struct style s = { .size = CELL, .bold = true };
	double most = LABEL_W;
	size_t i;

	for (i = 0; i < c->cmp->nr_cols; i++)
		most = zsr_max(most,
			       text_measure(c, &s, c->cmp->col[i].label) + 8);
	return most;
}

/* What they get: columns need theirs. */
static double label_width(struct canvas *c)
{
	return zsr_min(names_width(c), PAGE_INNER - RUN_W - columns_width());
}

static double row_least(struct canvas *c)
{
	return names_width(c) > label_width(c) + 0.1 ? TWO_LINES : ROW_LEAST;
}

/* The right end of a column behind names of this width; what is wider than
 * needed goes to all of them. */
static double measure_x(const struct canvas *c, double label_w, size_t i)
{
	double x0 = PAGE_LEFT + RUN_W + label_w, upto = 0;
	size_t k;

	for (k = 0; k <= i; k++)
		upto += form_width[measures[k].form];
	return x0 + (PAGE_RIGHT - x0) * upto / columns_width();
}

static void table_head(struct canvas *c, double label_w)
{
	const struct style s = { .size = CELL, .bold = true };
	const struct style group = { .size = CELL - 0.3, .color = grey };
	size_t i, k;

	c->y += 10;
	box(c, PAGE_LEFT, c->y - 6.5, RUN_W - 6, 8, back_color);
	text_at(c, PAGE_LEFT + RUN_W, c->y, LEFT, &group, "best of its column");
	for (i = 0; i < NR_MEASURES; i = k) {
		double end;

		for (k = i + 1; k < NR_MEASURES && !measures[k].group; k++)
			;
		end = measure_x(c, label_w, k - 1);
		text_at(c, end, c->y, RIGHT, &group, measures[i].group);
		if (k - i > 1)
			line(c, measure_x(c, label_w, i) - 22, c->y + 2.5, end,
			     c->y + 2.5, 0.4, faint);
	}
	c->y += 10.5;
	text_at(c, PAGE_LEFT, c->y, LEFT, &s, "run");
	text_at(c, PAGE_LEFT + RUN_W, c->y, LEFT, &s, "policy");
	for (i = 0; i < NR_MEASURES; i++)
		text_fit(c, measure_x(c, label_w, i), c->y, 40, RIGHT, &s,
			 measures[i].name ? measures[i].name
					  : c->cmp->ratio_label);
	line(c, PAGE_LEFT, c->y + 3, PAGE_RIGHT, c->y + 3, 0.6, grey);
	c->y += HEAD_H - 20.5;
}

/* On two lines where one is too narrow. */
static void put_name(struct canvas *c, const char *name, double width, double y,
		     bool two_lines)
{
	const struct style s = { .size = CELL, .bold = true };
	const struct style low = { .size = CELL - 0.6, .bold = true };
	const char *rest = NULL, *p;
	char first[200];

	if (two_lines && text_measure(c, &s, name) > width)
		for (p = name; (p = strchr(p, ' ')); p++) {
			snprintf(first, sizeof(first), "%.*s", (int)(p - name),
				 name);
			if (rest && text_measure(c, &low, first) > width)
				break;
			rest = p + 1;
		}
	if (!rest) {
		text_fit(c, PAGE_LEFT + RUN_W, y, width, LEFT, &s, name);
		return;
	}
	snprintf(first, sizeof(first), "%.*s", (int)(rest - 1 - name), name);
	text_fit(c, PAGE_LEFT + RUN_W, y - NAME_LINE / 2, width, LEFT, &low,
		 first);
	text_fit(c, PAGE_LEFT + RUN_W, y + NAME_LINE / 2, width, LEFT, &low,
		 rest);
}

static void table_row(struct canvas *c, size_t col, double label_w,
		      double height)
{
	const struct zsr_column *k = &c->cmp->col[col];
	const struct style s = { .size = CELL };
	const struct style b = { .size = CELL, .bold = true };
	const struct style id = { .size = CELL, .color = grey };
	char buf[ZSR_FMT_LEN];
	double y = c->y + height / 2 + 2.8;
	size_t i;

	layer_begin(c, k);
	for (i = 0; i < NR_MEASURES; i++)
		if (is_best(c->cmp, col, &measures[i]))
			box(c,
			    measure_x(c, label_w, i) -
				    form_width[measures[i].form] + 3,
			    c->y + 0.3, form_width[measures[i].form] - 1,
			    height - 0.6, back_color);
	if (k->id) {
		snprintf(buf, sizeof(buf), "#%" PRId64, k->id);
		text_at(c, PAGE_LEFT, y, LEFT, &id, buf);
	}
	put_name(c, k->label, label_w - 8, y, height >= TWO_LINES);
	for (i = 0; i < NR_MEASURES; i++) {
		cell_text(c->cmp, col, &measures[i], buf);
		text_at(c, measure_x(c, label_w, i), y, RIGHT,
			is_best(c->cmp, col, &measures[i]) ? &b : &s, buf);
	}
	layer_end(c);
	c->y += height;
}

/* In `room`, at least HEAD_H and three rows high. */
static void table(struct canvas *c, double room)
{
	const struct style s = { .size = small_size(c) };
	size_t n = c->cmp->nr_cols, i, rows;
	double height = (room - HEAD_H - 4) / (double)n, least = row_least(c);
	double label_w = label_width(c);

	char text[200];

	/* All runs matter more than the ends of their names. */
	if (height < least)
		least = ROW_LEAST;
	height = zsr_min(zsr_max(height, least), zsr_max(least, ROW_MOST));
	rows = zsr_min(n, (size_t)((room - HEAD_H - 4) / height + 1e-6));
	if (rows < n)
		rows = (size_t)zsr_max((room - HEAD_H - 18) / height, 2);
	table_head(c, label_w);
	for (i = 0; i < rows; i++)
		table_row(c, i, label_w, height);
	if (rows < n) {
		snprintf(text, sizeof(text),
			 "%zu more runs are left out here: g12 has all %zu "
			 "with every value, and so does `zsr compare`.",
			 n - rows, n);
		c->y += 10;
		text_fit(c, PAGE_LEFT + RUN_W, c->y, PAGE_INNER - RUN_W, LEFT,
			 &s, text);
		c->y += 4;
	}
	line(c, PAGE_LEFT, c->y + 1, PAGE_RIGHT, c->y + 1, 0.6, grey);
	c->y += 4;
}

/* ---- cards: keys and texts ------------------------------------------------ */

/* Lines "key<TAB>text"; only measured when `draw` is false. Returns the height. */
static double card(struct canvas *c, const struct zsr_lines *l, double x,
		   double width, bool draw)
{
	const double size = small_size(c);
	const struct style key = { .size = size, .color = grey };
	const struct style s = { .size = size };
	double height = 0, y0 = c->y;
	size_t i;

	for (i = 0; i < l->nr; i++) {
		const char *text = l->line[i], *tab = strchr(text, '\t');
		char word[32];

		if (draw) {
			snprintf(word, sizeof(word), "%.*s", (int)(tab - text),
				 text);
			c->y = y0 + height;
			text_at(c, x, c->y + size, LEFT, &key, word);
			text_flow(c, x + KEY_W, width - KEY_W, &s, tab + 1);
		}
		height += text_flow_height(c, width - KEY_W, &s, tab + 1);
	}
	c->y = y0;
	return height;
}

#define CARD_HEAD 12.5

/* The fidelity stamp in its frame, and the trace's card: below each other or
 * side by side. Returns the height. */
static double cards(struct canvas *c, bool draw)
{
	const struct style b = { .size = 8.5, .bold = true };
	const struct zsr_lines *stamp = &c->cmp->truth.stamp;
	unsigned cols = is_wide(c) ? 2 : 1;
	double w = (PAGE_INNER - (cols - 1) * 14) / cols, y = c->y;
	double first = CARD_HEAD + card(c, stamp, 0, w - 12, false) + 5;
	double second = CARD_HEAD + card(c, &c->cmp->head, 0, w, false) + 3;
	double height = cols > 1 ? zsr_max(first, second) : first + second;

	if (!draw)
		return height + 8;
	set_color(c, ink);
	cairo_set_line_width(c->cr, 0.8);
	cairo_rectangle(c->cr, PAGE_LEFT, y + 3, w, first);
	cairo_stroke(c->cr);
	c->y = y + CARD_HEAD;
	text_at(c, PAGE_LEFT + 6, c->y, LEFT, &b, "How far to believe it");
	c->y += 2;
	card(c, stamp, PAGE_LEFT + 6, w - 12, true);
	c->y = y + (cols > 1 ? 0 : first + 3) + CARD_HEAD;
	text_at(c, PAGE_RIGHT - w, c->y, LEFT, &b, "The trace, and the machine");
	c->y += 2;
	card(c, &c->cmp->head, PAGE_RIGHT - w, w, true);
	c->y = y + height + 8;
	return height + 8;
}

/* ---- what else there is ----------------------------------------------------- */

#define LINKS_H 10.5

/* The other figures, to be followed. Returns the height. */
static double contents(struct canvas *c, bool draw)
{
	const double size = small_size(c);
	const struct style key = { .size = size, .color = grey };
	const struct style s = { .size = size, .color = live_color };
	double x = PAGE_LEFT + KEY_W, height = LINKS_H;
	char text[300];
	size_t i;

	if (c->opts->only == ZSR_FIGURE(1))
		return 0;
	if (draw)
		text_at(c, PAGE_LEFT, c->y + size, LEFT, &key, "figures");
	for (i = 0; i < nr_figures; i++) {
		const struct figure *f = &figures[i];
		double w;

		if (f->nr == 1 || !figure_wanted(c->opts, f) ||
		    (f->missing && f->missing(c->cmp)))
			continue;
		snprintf(text, sizeof(text), "g%u %s", f->nr, f->title);
		w = text_measure(c, &s, text);
		if (x + w > PAGE_RIGHT) {
			x = PAGE_LEFT + KEY_W;
			height += LINKS_H;
		}
		if (draw)
			text_link(c, x, c->y + height - LINKS_H + size, &s,
				  text, f->nr);
		x += w + 11;
	}
	if (draw)
		c->y += height;
	return height;
}

/* One paragraph; freed by the caller, NULL: nothing is left out. */
static char *left_out(struct canvas *c)
{
	char *text = NULL;
	size_t size, i, nr = 0;
	FILE *f = open_memstream(&text, &size);
	const char *why;

	if (!f) {
		c->nomem = true;
		return NULL;
	}
	for (i = 0; i < nr_figures; i++) {
		why = figures[i].missing ? figures[i].missing(c->cmp) : NULL;
		if (why && figure_wanted(c->opts, &figures[i]))
			fprintf(f, "%sg%u %s is left out: %s.", nr++ ? " " : "",
				figures[i].nr, figures[i].title, why);
	}
	if (fclose(f))
		c->nomem = true;
	if (nr)
		return text;
	free(text);
	return NULL;
}

static double sentences_height(struct canvas *c, const struct style *s)
{
	const struct zsr_lines *v = &c->cmp->verdict;
	double height = 4;
	size_t i;

	for (i = 1; i < v->nr; i++)
		height += text_flow_height(c, PAGE_INNER, s, v->line[i]) + 2;
	return height;
}

/* A sentence begins with the label of its run. */
static void sentences(struct canvas *c, struct style s)
{
	const struct zsr_lines *v = &c->cmp->verdict;
	size_t i;

	c->y += 3;
	for (i = 1; i < v->nr; i++) {
		const char *end = strstr(v->line[i], ": callers");

		s.bold_bytes = end ? (size_t)(end - v->line[i]) : 0;
		text_flow(c, PAGE_LEFT, PAGE_INNER, &s, v->line[i]);
		c->y += 2;
	}
}

/* As many as there is room for; g11 has all. */
static void notes(struct canvas *c)
{
	const struct zsr_lines *l = &c->cmp->notes;
	const struct style s = { .size = small_size(c) };
	const double more = s.size * 1.3;
	char text[100];
	size_t i;

	c->y += zsr_max(zsr_min(page_room(c) - more, 5), 0);
	for (i = 0; i < l->nr; i++) {
		double h = text_flow_height(c, PAGE_INNER, &s, l->line[i]);

		if (page_room(c) < h + (i + 1 < l->nr ? more : 0))
			break;
		text_flow(c, PAGE_LEFT, PAGE_INNER, &s, l->line[i]);
	}
	if (i == l->nr || page_room(c) < more)
		return;
	snprintf(text, sizeof(text), "%zu note%s on how to read this: g11.",
		 l->nr - i, l->nr - i == 1 ? "" : "s");
	text_flow(c, PAGE_LEFT, PAGE_INNER, &s, text);
}

void g1_draw(struct canvas *c)
{
	const struct style headline = { .size = is_wide(c) ? 9 : 10,
					.bold = true };
	const struct style rest = { .size = 8.5 };
	const struct style small = { .size = small_size(c) };
	double n = (double)c->cmp->nr_cols, room, fixed, words;
	char *out = left_out(c);

	page_begin(c, 1, TITLE, 0);
	title(c);
	if (c->cmp->verdict.nr)
		text_flow(c, PAGE_LEFT, PAGE_INNER, &headline,
			  c->cmp->verdict.line[0]);
	c->y += 3;
	room = page_room(c);
	fixed = cards(c, false) + contents(c, false) +
		(out ? text_flow_height(c, PAGE_INNER, &small, out) : 0) + 4;
	words = sentences_height(c, &rest);
	if (fixed + HEAD_H + 5 + n * (row_least(c) + 2.2) + words > room)
		words = 0;
	table(c, zsr_min(room - fixed - words,
			 HEAD_H + 5 + zsr_max(ROW_MOST, row_least(c)) * n));
	if (words)
		sentences(c, rest);
	cards(c, true);
	contents(c, true);
	if (out)
		text_flow(c, PAGE_LEFT, PAGE_INNER, &small, out);
	free(out);
	notes(c);
	page_end(c);
}
