// SPDX-License-Identifier: GPL-2.0-only
/* The table of `zsr compare`, on as many pages as it takes. */
#include "report/page.h"

#define TABLE_WIDTH 100 /* columns of text that fit a page */
#define TABLE_SIZE  7.8
#define TABLE_LINE  8.6

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

void table_draw(struct canvas *c, unsigned *part)
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
