// SPDX-License-Identifier: GPL-2.0-only
/* g1: the verdict, the table of `zsr compare`, and what must be known of it. */
#include <stdlib.h>
#include <string.h>

#include "report/page.h"

#define TABLE_WIDTH 100 /* columns of text that fit a page */
#define TABLE_SIZE  7.8
#define TABLE_LINE  8.6
#define TITLE       "Summary"

static void flow(struct canvas *c, double indent, const struct style *s,
		 const char *text, unsigned *part)
{
	double width = PAGE_INNER - indent;

	page_need(c, text_flow_height(c, width, s, text), part);
	text_flow(c, PAGE_LEFT + indent, width, s, text);
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
	const struct style big = { .size = 17, .bold = true };
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
	c->y += 20;
	text_fit(c, PAGE_LEFT, c->y, PAGE_INNER, LEFT, &big,
		 c->title ? c->title : text);
	c->y += 6;
}

/* The first sentence names the winners, the others weigh a policy each. */
static void verdict(struct canvas *c, unsigned *part)
{
	const struct style first = { .size = 10.5, .bold = true };
	struct style rest = { .size = 9.5 };
	const struct zsr_lines *v = &c->cmp->verdict;
	size_t i;

	for (i = 0; i < v->nr; i++) {
		/* Sentence i is about column i, and begins with its name. */
		if (i)
			rest.bold_bytes = strlen(c->cmp->col[i].label);
		flow(c, 0, i ? &rest : &first, v->line[i], part);
		c->y += 3;
	}
}

static void facts(struct canvas *c, unsigned *part)
{
	const struct style key = { .size = 8.5, .color = grey };
	const struct style s = { .size = 8.5 };
	size_t i;

	c->y += 4;
	for (i = 0; i < c->cmp->head.nr; i++) {
		const char *text = c->cmp->head.line[i];
		const char *tab = strchr(text, '\t');
		char word[32];
		double y;

		snprintf(word, sizeof(word), "%.*s", (int)(tab - text), text);
		page_need(c, text_flow_height(c, PAGE_INNER - 60, &s, tab + 1),
			  part);
		y = c->y;
		text_flow(c, PAGE_LEFT + 60, PAGE_INNER - 60, &s, tab + 1);
		text_at(c, PAGE_LEFT, y + 8.5, LEFT, &key, word);
	}
	c->y += 6;
}

static void put_lines(struct canvas *c, const struct zsr_lines *l, size_t from,
		      size_t to, bool heading)
{
	const struct style cells = { .size = TABLE_SIZE, .mono = true };
	const struct style heads = { .size = TABLE_SIZE,
				     .mono = true,
				     .bold = true };

	for (; from < to; from++) {
		const char *text = l->line[from];

		c->y += TABLE_LINE;
		text_at(c, PAGE_LEFT, c->y, LEFT,
			heading || *text != ' ' ? &heads : &cells, text);
	}
}

/* The policies' names, and the line below them. */
static void put_heading(struct canvas *c, const struct zsr_lines *l,
			size_t from, size_t to, double width)
{
	put_lines(c, l, from, to, true);
	line(c, PAGE_LEFT, c->y + 2.5, PAGE_LEFT + width, c->y + 2.5, 0.6, grey);
}

/* Where a run of lines ends that begins at `i`: at an empty one, or at one that
 * is the first of a group. */
static size_t run_end(const struct zsr_lines *l, size_t i)
{
	for (i++; i < l->nr && *l->line[i] == ' '; i++)
		;
	return i;
}

/* Groups stay together; on a new page they have the policies' names again. */
static void table(struct canvas *c, unsigned *part)
{
	const struct style heads = { .size = TABLE_SIZE,
				     .mono = true,
				     .bold = true };
	struct zsr_lines l = { 0 };
	struct zsr_err err = { 0 };
	size_t i, end, head = 0, head_end = 0;
	double width = 0;

	if (zsr_compare_table(c->cmp, TABLE_WIDTH, &l, &err)) {
		c->nomem = true;
		goto out;
	}
	for (i = 0; i < l.nr; i++)
		width = zsr_max(width, text_measure(c, &heads, l.line[i]));
	for (i = 0; i < l.nr; i = end) {
		unsigned before = *part;
		bool first = !i || !*l.line[i - 1];

		if (!*l.line[i]) {
			c->y += TABLE_LINE;
			end = i + 1;
			continue;
		}
		if (first) {
			head = i;
			head_end = i = run_end(&l, i);
		}
		end = run_end(&l, i);
		page_need(c,
			  (double)(end - i + (first ? head_end - head : 0)) *
				  TABLE_LINE,
			  part);
		if (first || *part != before)
			put_heading(c, &l, head, head_end, width);
		put_lines(c, &l, i, end, false);
	}
	c->y += 8;
out:
	zsr_lines_free(&l);
}

/* The other figures, to be followed. */
static void contents(struct canvas *c, unsigned *part)
{
	const struct style key = { .size = 8.5, .color = grey };
	const struct style s = { .size = 8, .color = live_color };
	double x = PAGE_LEFT + 60;
	char text[300];
	size_t i;

	if (c->opts->only == ZSR_FIGURE(1))
		return;
	page_need(c, 30, part);
	c->y += 6;
	text_at(c, PAGE_LEFT, c->y, LEFT, &key, "figures");
	for (i = 0; i < nr_figures; i++) {
		const struct figure *f = &figures[i];

		if (f->nr == 1 || !figure_wanted(c->opts, f) ||
		    (f->missing && f->missing(c->cmp)))
			continue;
		snprintf(text, sizeof(text), "g%u %s", f->nr, f->title);
		if (x + text_measure(c, &s, text) > PAGE_RIGHT) {
			x = PAGE_LEFT + 60;
			c->y += 12;
		}
		x += text_link(c, x, c->y, &s, text, f->nr) + 11;
	}
	c->y += 10;
}

static void left_out(struct canvas *c, unsigned *part)
{
	const struct style s = { .size = 8 };
	const char *why;
	char text[300];
	size_t i;

	for (i = 0; i < nr_figures; i++) {
		const struct figure *f = &figures[i];

		why = f->missing ? f->missing(c->cmp) : NULL;
		if (!why || !figure_wanted(c->opts, f))
			continue;
		snprintf(text, sizeof(text), "g%u %s is left out: %s.", f->nr,
			 f->title, why);
		flow(c, 0, &s, text, part);
	}
}

void g1_draw(struct canvas *c)
{
	const struct style s = { .size = 8 };
	unsigned part = 0;
	size_t i;

	page_begin(c, 1, TITLE, 0);
	title(c);
	verdict(c, &part);
	facts(c, &part);
	contents(c, &part);
	table(c, &part);
	for (i = 0; i < c->cmp->notes.nr; i++)
		flow(c, 0, &s, c->cmp->notes.line[i], &part);
	left_out(c, &part);
	page_end(c);
}
