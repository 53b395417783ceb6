// SPDX-License-Identifier: GPL-2.0-only
/* A comparison as text that a mail can carry. */
#include <stdlib.h>
#include <string.h>

#include "analyze/values.h"

#define INDENT        2
#define GAP           2 /* between columns, at least */
#define COLUMN_MIN    9
#define COLUMN_MAX    22
#define KEY_WIDTH     10
#define HEADING_LINES 12 /* the rest of a label is cut */

/* A line under construction. */
struct line {
	char *text;
	size_t len;
	size_t cap;
};

static int put(struct line *l, const char *s, size_t n)
{
	if (zsr_grow(&l->text, &l->cap, l->len + n + 1, 1))
		return -ENOMEM;
	memcpy(l->text + l->len, s, n);
	l->len += n;
	l->text[l->len] = '\0';
	return 0;
}

static int spaces(struct line *l, size_t n)
{
	while (n-- > 0)
		if (put(l, " ", 1))
			return -ENOMEM;
	return 0;
}

/* s, right-aligned in width columns of text. */
static int put_right(struct line *l, const char *s, size_t width)
{
	size_t w = zsr_text_width(s);

	if (w < width && spaces(l, width - w))
		return -ENOMEM;
	return put(l, s, strlen(s));
}

/* The line without blanks at its end goes to out. */
static int flush(struct line *l, struct zsr_lines *out)
{
	while (l->len && l->text[l->len - 1] == ' ')
		l->len--;
	if (zsr_lines_add(out, "%.*s", (int)l->len, l->len ? l->text : ""))
		return -ENOMEM;
	l->len = 0;
	return 0;
}

int zsr_compare_head(const struct zsr_compare *c, size_t width,
		     struct zsr_lines *out, struct zsr_err *err)
{
	size_t i;

	for (i = 0; i < c->head.nr; i++) {
		const char *line = c->head.line[i], *tab = strchr(line, '\t');
		size_t key = (size_t)(tab - line);
		char *text;
		int ret;

		if (asprintf(&text, "%.*s%*s%s", (int)key, line,
			     (int)(KEY_WIDTH - zsr_min(key, KEY_WIDTH - 1)), "",
			     tab + 1) < 0)
			return zsr_err_nomem(err, "table");
		ret = zsr_lines_wrap(out, width, KEY_WIDTH, text);
		free(text);
		if (ret)
			return zsr_err_nomem(err, "table");
	}
	return 0;
}

int zsr_compare_notes(const struct zsr_compare *c, size_t width,
		      struct zsr_lines *out, struct zsr_err *err)
{
	size_t i;

	for (i = 0; i < c->notes.nr; i++)
		if (zsr_lines_wrap(out, width, INDENT, c->notes.line[i]))
			return zsr_err_nomem(err, "table");
	return 0;
}

static size_t label_width(const struct zsr_compare *c)
{
	size_t i, w = 0;

	for (i = 0; i < c->nr_rows; i++)
		if (c->row[i].kind != ZSR_ROW_HEAD)
			w = zsr_max(w, zsr_text_width(c->row[i].label) + INDENT);
	return w;
}

/* Widest cell, and longest word of a label within reason. */
static void widths(const struct zsr_compare *c, size_t *cells, size_t *words)
{
	size_t i, j;

	*cells = *words = COLUMN_MIN;
	for (j = 0; j < c->nr_cols; j++) {
		const char *p = c->col[j].label;

		for (; *p; p += strspn(p, " ")) {
			size_t n = strcspn(p, " ");

			*words = zsr_max(*words, zsr_min(n, COLUMN_MAX));
			p += n;
		}
		for (i = 0; i < c->nr_rows; i++)
			*cells = zsr_max(*cells,
					 zsr_text_width(c->row[i].cell[j]));
	}
}

/* The labels of columns [from, to), wrapped and standing on their last line. */
static int headings(const struct zsr_compare *c, size_t from, size_t to,
		    size_t lw, size_t cw, struct zsr_lines *out)
{
	struct zsr_lines *label = calloc(to - from, sizeof(*label));
	struct line l = { 0 };
	size_t i, k, most = 0;
	int ret = -ENOMEM;

	if (!label)
		return -ENOMEM;
	for (i = 0; i < to - from; i++) {
		if (zsr_lines_wrap(&label[i], cw - GAP, 0,
				   c->col[from + i].label))
			goto out;
		most = zsr_max(most, zsr_min(label[i].nr, HEADING_LINES));
	}
	for (k = 0; k < most; k++) {
		if (spaces(&l, lw))
			goto out;
		for (i = 0; i < to - from; i++) {
			size_t nr = zsr_min(label[i].nr, HEADING_LINES);
			const char *s = k + nr < most
						? ""
						: label[i].line[k + nr - most];

			if (put_right(&l, s, cw))
				goto out;
		}
		if (flush(&l, out))
			goto out;
	}
	ret = 0;
out:
	free(l.text);
	for (i = 0; i < to - from; i++)
		zsr_lines_free(&label[i]);
	free(label);
	return ret;
}

static int block(const struct zsr_compare *c, size_t from, size_t to, size_t lw,
		 size_t cw, struct zsr_lines *out)
{
	struct line l = { 0 };
	size_t i, j;
	int ret = -ENOMEM;

	if (headings(c, from, to, lw, cw, out))
		return -ENOMEM;
	for (i = 0; i < c->nr_rows; i++) {
		const struct zsr_row *r = &c->row[i];
		size_t indent = r->kind == ZSR_ROW_HEAD ? 0 : INDENT;
		size_t w = indent + zsr_text_width(r->label);

		if (spaces(&l, indent) || put(&l, r->label, strlen(r->label)))
			goto out;
		if (r->kind != ZSR_ROW_HEAD && spaces(&l, lw - w))
			goto out;
		for (j = from; j < to && r->kind != ZSR_ROW_HEAD; j++)
			if (put_right(&l, r->cell[j], cw))
				goto out;
		if (flush(&l, out))
			goto out;
	}
	ret = 0;
out:
	free(l.text);
	return ret;
}

/*
 * As many columns in a block as their cells allow, blocks of like size; what
 * room is left over goes to the labels.
 */
int zsr_compare_table(const struct zsr_compare *c, size_t width,
		      struct zsr_lines *out, struct zsr_err *err)
{
	size_t lw = label_width(c), cells, words, cw, most, blocks, per, from;

	widths(c, &cells, &words);
	most = zsr_max((width - lw) / (cells + GAP), 1);
	blocks = (c->nr_cols + most - 1) / most;
	per = (c->nr_cols + blocks - 1) / blocks;
	cw = zsr_min((width - lw) / per, zsr_max(cells, words) + GAP);
	for (from = 0; from < c->nr_cols; from += per) {
		if (from && zsr_lines_add(out, "%s", ""))
			return zsr_err_nomem(err, "table");
		if (block(c, from, zsr_min(from + per, c->nr_cols), lw, cw, out))
			return zsr_err_nomem(err, "table");
	}
	return 0;
}
