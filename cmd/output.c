// SPDX-License-Identifier: GPL-2.0-only
/* Rows on stdout: aligned, as CSV, or as JSON. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"

#define MEASURED 2000 /* rows that decide the widths of columns */

enum zsr_format zsr_format_choose(bool json, bool csv)
{
	if (json)
		return ZSR_FORMAT_JSON;
	return csv || !isatty(STDOUT_FILENO) ? ZSR_FORMAT_CSV : ZSR_FORMAT_TABLE;
}

/* ---- single values ------------------------------------------------------ */

/* A JSON string; bytes that are no UTF-8 become '?'. */
void zsr_print_json_string(FILE *f, const char *s)
{
	json_t *j = json_string(s);
	size_t n = strlen(s), i;
	char *copy;

	if (!j && (copy = strdup(s))) {
		for (i = 0; i < n; i++)
			if ((unsigned char)copy[i] >= 0x80)
				copy[i] = '?';
		j = json_string(copy);
		free(copy);
	}
	if (j)
		json_dumpf(j, f, JSON_ENCODE_ANY);
	else
		fputs("null", f);
	json_decref(j);
}

static void print_csv(FILE *f, const char *s)
{
	if (!s)
		return;
	if (!s[strcspn(s, ",\"\r\n")] && *s) {
		fputs(s, f);
		return;
	}
	putc('"', f);
	for (; *s; s++) {
		if (*s == '"')
			putc('"', f);
		putc(*s, f);
	}
	putc('"', f);
}

/* Columns a text takes: one a code point. */
static int width_of(const char *s)
{
	int n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

/* Control characters would move the cursor: a terminal gets '?'. */
static void print_cell(FILE *f, const char *s, int width, bool right, bool last)
{
	int pad = width - width_of(s);

	for (; right && pad > 0; pad--)
		putc(' ', f);
	for (; *s; s++)
		putc((unsigned char)*s < ' ' || *s == 127 ? '?' : *s, f);
	for (; !last && pad > 0; pad--)
		putc(' ', f);
}

/* ---- tables --------------------------------------------------------------- */

struct zsr_table {
	FILE *f;
	enum zsr_format format;
	int ncol;
	char **names;
	int *width;
	bool *right;
	char **cell; /* rows that wait for the widths; may be NULL */
	size_t nr;
	size_t cap;
	uint64_t rows;
	bool measured;
};

struct zsr_table *zsr_table_new(FILE *f, enum zsr_format format, int ncol,
				const char *const *names)
{
	struct zsr_table *t = calloc(1, sizeof(*t));
	size_t n = (size_t)ncol + 1;
	int i;

	if (!t)
		return NULL;
	t->f = f;
	t->format = format;
	t->names = calloc(n, sizeof(*t->names));
	t->width = calloc(n, sizeof(*t->width));
	t->right = calloc(n, sizeof(*t->right));
	if (!t->names || !t->width || !t->right)
		goto fail;
	for (i = 0; i < ncol; i++) {
		t->names[i] = strdup(names[i]);
		if (!t->names[i])
			goto fail;
		t->ncol = i + 1;
		t->width[i] = width_of(names[i]);
		t->right[i] = true;
	}
	if (format == ZSR_FORMAT_JSON)
		fputs("[", f);
	for (i = 0; format == ZSR_FORMAT_CSV && i < ncol; i++) {
		print_csv(f, names[i]);
		putc(i + 1 < ncol ? ',' : '\n', f);
	}
	return t;
fail:
	zsr_table_free(t);
	return NULL;
}

static void json_row(struct zsr_table *t, const char *const *values,
		     const enum zsr_sql_type *types)
{
	int i;

	fputs(t->rows ? ",\n {" : "\n {", t->f);
	for (i = 0; i < t->ncol; i++) {
		if (i)
			fputs(", ", t->f);
		zsr_print_json_string(t->f, t->names[i]);
		fputs(": ", t->f);
		/* SQL's infinities are no JSON numbers. */
		if (!values[i])
			fputs("null", t->f);
		else if (types[i] == ZSR_SQL_NUMBER &&
			 !strpbrk(values[i], "IN"))
			fputs(values[i], t->f);
		else
			zsr_print_json_string(t->f, values[i]);
	}
	putc('}', t->f);
}

static void print_row(struct zsr_table *t, char *const *values)
{
	int i;

	for (i = 0; i < t->ncol; i++) {
		if (i)
			fputs("  ", t->f);
		print_cell(t->f, values[i] ? values[i] : "-", t->width[i],
			   t->right[i], i + 1 == t->ncol);
	}
	putc('\n', t->f);
}

static void print_measured(struct zsr_table *t)
{
	size_t i;

	t->measured = true;
	print_row(t, t->names);
	for (i = 0; i < t->nr; i += (size_t)t->ncol)
		print_row(t, t->cell + i);
}

static int keep_row(struct zsr_table *t, const char *const *values,
		    const enum zsr_sql_type *types)
{
	int i, w;

	if (zsr_grow(&t->cell, &t->cap, t->nr + (size_t)t->ncol,
		     sizeof(*t->cell)))
		return -ENOMEM;
	for (i = 0; i < t->ncol; i++) {
		t->cell[t->nr] = values[i] ? strdup(values[i]) : NULL;
		if (values[i] && !t->cell[t->nr])
			return -ENOMEM;
		t->nr++;
		w = values[i] ? width_of(values[i]) : 1;
		t->width[i] = zsr_max(t->width[i], w);
		if (values[i] && types[i] == ZSR_SQL_TEXT)
			t->right[i] = false;
	}
	return 0;
}

int zsr_table_row(struct zsr_table *t, const char *const *values,
		  const enum zsr_sql_type *types)
{
	int i, ret = 0;

	if (t->format == ZSR_FORMAT_JSON) {
		json_row(t, values, types);
	} else if (t->format == ZSR_FORMAT_CSV) {
		for (i = 0; i < t->ncol; i++) {
			print_csv(t->f, values[i]);
			putc(i + 1 < t->ncol ? ',' : '\n', t->f);
		}
	} else if (t->measured) {
		print_row(t, (char *const *)values);
	} else {
		ret = keep_row(t, values, types);
		if (t->rows + 1 == MEASURED)
			print_measured(t);
	}
	t->rows++;
	return ret;
}

void zsr_table_end(struct zsr_table *t)
{
	if (t->format == ZSR_FORMAT_JSON)
		fputs(t->rows ? "\n]\n" : "]\n", t->f);
	if (t->format == ZSR_FORMAT_TABLE && !t->measured)
		print_measured(t);
}

void zsr_table_free(struct zsr_table *t)
{
	size_t i;

	if (!t)
		return;
	for (i = 0; i < t->nr; i++)
		free(t->cell[i]);
	for (i = 0; i < (size_t)t->ncol; i++)
		free(t->names[i]);
	free(t->cell);
	free(t->names);
	free(t->width);
	free(t->right);
	free(t);
}

/* ---- bars ------------------------------------------------------------------ */

void zsr_print_bar(FILE *f, uint64_t value, uint64_t max, unsigned width)
{
	static const char *const part[] = { "",  "▏", "▎", "▍",
					    "▌", "▋", "▊", "▉" };
	uint64_t eighths = max ? zsr_mul_div(value, 8 * width, max) : 0;

	/* What is there at all shows. */
	if (value && !eighths)
		eighths = 1;
	for (; eighths >= 8; eighths -= 8)
		fputs("█", f);
	fputs(part[eighths], f);
}
