// SPDX-License-Identifier: GPL-2.0-only
/*
 * CSV with a header that names the columns, in any order; zsr-import(1) tells
 * what they mean. What bpftrace prints around the lines of a script is known.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "capture/decode/csv.h"
#include "capture/decode/text.h"

static const struct {
	const char *name;
	uint64_t max;
} columns[CSV_NR] = {
#define X(name, max) { #name, max },
	CSV_COLUMNS(X)
#undef X
};

static const struct {
	const char *name;
	enum csv_column col;
} other_names[] = {
	{ "tid", CSV_pid },
	{ "event", CSV_kind },
};

const char *csv_name(enum csv_column col)
{
	return columns[col].name;
}

/* CSV_NR: there is no such column. */
static enum csv_column column_of(const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < CSV_NR; i++)
		if (strlen(columns[i].name) == len &&
		    !memcmp(columns[i].name, s, len))
			return i;
	for (i = 0; i < ZSR_ARRAY_SIZE(other_names); i++)
		if (strlen(other_names[i].name) == len &&
		    !memcmp(other_names[i].name, s, len))
			return other_names[i].col;
	return CSV_NR;
}

/* ---- fields ----------------------------------------------------------- */

static void trim(struct csv_field *f)
{
	while (f->len && *f->s == ' ') {
		f->s++;
		f->len--;
	}
	while (f->len && f->s[f->len - 1] == ' ')
		f->len--;
}

/* A field between quotes; *p is behind the first. What it holds is put at *to. */
static bool quoted(struct csv_field *f, const char **p, const char *end,
		   char sep, char **to)
{
	const char *s = *p;

	f->s = *to;
	for (;; s++) {
		if (s == end)
			return false;
		if (*s == '"' && (++s == end || *s != '"'))
			break;
		*(*to)++ = *s;
	}
	f->len = (size_t)(*to - f->s);
	*p = s;
	return s == end || *s == sep;
}

/* The next field of a line: 1, 0 behind the last, -1 for misplaced quotes. *p
 * becomes NULL behind the last. */
static int next_field(struct csv_field *f, const char **p, const char *end,
		      char sep, char **to)
{
	const char *s = *p, *stop;

	if (!s)
		return 0;
	if (s < end && *s == '"') {
		s++;
		if (!quoted(f, &s, end, sep, to))
			return -1;
		stop = s;
	} else {
		stop = memchr(s, sep, (size_t)(end - s));
		stop = stop ? stop : end;
		*f = (struct csv_field){ s, (size_t)(stop - s) };
		trim(f);
	}
	*p = stop < end ? stop + 1 : NULL;
	return 1;
}

/* ---- numbers ---------------------------------------------------------- */

static int no_number(struct csv *c, enum csv_column col, struct zsr_err *err)
{
	const struct csv_field *f = &c->field[col];
	char shown[40];

	dec_printable(shown, sizeof(shown), f->s, f->len);
	if (!columns[col].max || columns[col].max == UINT64_MAX)
		return zsr_err_input(err, "column %s: '%s' is no number",
				     columns[col].name, shown);
	return zsr_err_input(err,
			     "column %s: '%s' is no number of at most %" PRIu64,
			     columns[col].name, shown, columns[col].max);
}

int csv_number(struct csv *c, enum csv_column col, uint64_t fallback,
	       uint64_t *v, struct zsr_err *err)
{
	const struct csv_field *f = &c->field[col];

	*v = fallback;
	if (!f->len)
		return 0;
	if (f->len == 2 && !memcmp(f->s, "-1", 2) && fallback == UINT64_MAX)
		return 0;
	if (*f->s == '-' || !text_number(f->s, f->len, v) ||
	    *v > columns[col].max)
		return no_number(c, col, err);
	return 0;
}

/* ---- the header ------------------------------------------------------- */

/* "Lost N events", which bpftrace prints when nobody read for too long. */
static bool is_lost(const char *p, const char *end, uint64_t *count)
{
	const char *digits = p + 5, *q = digits;

	if (!text_begins(p, end, "Lost "))
		return false;
	while (q < end && *q >= '0' && *q <= '9')
		q++;
	return text_number(digits, (size_t)(q - digits), count) &&
	       text_begins(q, end, " events") && q + 7 == end;
}

/* Lines without a meaning: blank ones, comments, and the one bpftrace begins
 * with. */
static bool is_nothing(const char *p, const char *end)
{
	return p == end || *p == '#' || text_begins(p, end, "Attaching ");
}

static const char *without_mark(const char *p, const char *end)
{
	return text_begins(p, end, "\xef\xbb\xbf") ? p + 3 : p;
}

static char separator(const char *p, const char *end)
{
	size_t n = (size_t)(end - p);

	return memchr(p, ',', n) ? ',' : memchr(p, ';', n) ? ';' : '\t';
}

bool dec_is_csv(const uint8_t *head, size_t len)
{
	const char *p = (const char *)head, *end = p + len, *nl;
	unsigned nr_known = 0;
	struct csv_field f;
	char plain[8192], *to = plain;
	uint64_t count;
	char sep;

	p = without_mark(p, end);
	for (;; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		if (!nl)
			return false;
		end = nl > p && nl[-1] == '\r' ? nl - 1 : nl;
		if (!is_nothing(p, end) && !is_lost(p, end, &count))
			break;
		end = (const char *)head + len;
	}
	if (end - p > (ptrdiff_t)sizeof(plain))
		return false;
	sep = separator(p, end);
	while (next_field(&f, &p, end, sep, &to) > 0)
		nr_known += column_of(f.s, f.len) < CSV_NR;
	return nr_known >= 2;
}

static int check_columns(const struct csv *c, struct zsr_err *err)
{
	static const enum csv_column only_events[] = { CSV_task, CSV_caller,
						       CSV_slot, CSV_cgroup,
						       CSV_flags };
	const char *missing = NULL;
	size_t i;

#define HAS(col) (c->has >> CSV_##col & 1)
	if (!HAS(t_ns) && !HAS(time))
		missing = "t_ns (or time)";
	else if (!HAS(kind))
		missing = "kind";
	else if (!HAS(size))
		missing = "size";
	else if (!HAS(obj) && !HAS(handle))
		missing = "handle (or obj)";
	else if (HAS(obj) && !HAS(task))
		missing = "task, which obj needs";
	else if (HAS(handle) && HAS(dur_ns) && !HAS(pid))
		missing = "pid, which dur_ns needs";
	if (missing)
		return zsr_err_input(err, "header: no column %s", missing);
	if (HAS(t_ns) && HAS(time))
		return zsr_err_input(err, "header: both t_ns and time");
	if (HAS(obj) && HAS(handle))
		return zsr_err_input(err, "header: both obj and handle");
	for (i = 0; i < ZSR_ARRAY_SIZE(only_events) && HAS(handle); i++)
		if (c->has >> only_events[i] & 1)
			return zsr_err_input(err,
					     "header: column %s needs obj, not "
					     "handle",
					     csv_name(only_events[i]));
#undef HAS
	return 0;
}

static int header(struct csv *c, const char *p, const char *end,
		  struct zsr_err *err)
{
	char *to = c->plain, shown[40];
	struct csv_field f;
	enum csv_column col;
	int ret;

	c->sep = separator(p, end);
	while ((ret = next_field(&f, &p, end, c->sep, &to)) > 0) {
		col = column_of(f.s, f.len);
		dec_printable(shown, sizeof(shown), f.s, f.len);
		if (col == CSV_NR)
			return zsr_err_input(err, "header: unknown column '%s'",
					     shown);
		if (c->has >> col & 1)
			return zsr_err_input(err,
					     "header: two columns are %s "
					     "('%s' is the second)",
					     csv_name(col), shown);
		c->has |= 1u << col;
		c->col[c->nr_cols++] = (uint8_t)col;
	}
	if (ret < 0)
		return zsr_err_input(err, "header: misplaced quotes");
	c->is_events = c->has >> CSV_obj & 1;
	if (c->is_events)
		dec_out_meta(c->d->out, "zsr.events", "1");
	return check_columns(c, err);
}

/* ---- rows ------------------------------------------------------------- */

static int row(struct csv *c, const char *p, const char *end,
	       struct zsr_err *err)
{
	char *to = c->plain;
	struct csv_field f;
	unsigned n = 0;
	int ret;

	while ((ret = next_field(&f, &p, end, c->sep, &to)) > 0) {
		if (n < c->nr_cols)
			c->field[c->col[n]] = f;
		n++;
	}
	if (ret < 0)
		return zsr_err_input(err, "misplaced quotes, or a line break "
					  "between them");
	if (n != c->nr_cols)
		return zsr_err_input(err, "%u fields, its header has %u", n,
				     c->nr_cols);
	return csv_row(c, err);
}

static int line(struct csv *c, const char *p, const char *end,
		struct zsr_err *err)
{
	uint64_t count;

	if (c->in.nr == 1)
		p = without_mark(p, end);
	if (is_nothing(p, end))
		return 0;
	if (is_lost(p, end, &count)) {
		if (__builtin_add_overflow(c->lost, count, &c->lost))
			c->lost = INT64_MAX;
		return 0;
	}
	return c->nr_cols ? row(c, p, end, err) : header(c, p, end, err);
}

static int lines(struct csv *c, struct zsr_err *err)
{
	const char *p = NULL, *end = NULL;
	int ret;

	while ((ret = dec_lines_next(&c->in, &p, &end, err)) > 0) {
		ret = line(c, p, end, err);
		if (ret)
			break;
	}
	if (ret)
		zsr_err_wrap(err, ret, "line %" PRIu64, c->in.nr);
	else if (!c->nr_rows)
		ret = zsr_err_input(err, "holds no event");
	return ret;
}

int dec_csv(struct dec *d, struct dec_file *f, struct zsr_err *err)
{
	struct csv *c = calloc(1, sizeof(*c));
	struct zsr_err ignored;
	int ret;

	if (!c)
		return zsr_err_nomem(err, f->name);
	c->d = d;
	ret = dec_lines_open(&c->in, f, err);
	/* No field is longer than its line. */
	c->plain = malloc(DEC_LINE_BUFFER);
	if (!ret && !c->plain)
		ret = zsr_err_nomem(err, f->name);
	if (ret)
		goto out;
	d->started = true;
	dec_out_meta(d->out, "format", "CSV");
	ret = lines(c, err);
	/* What came before a fault is delivered, too. */
	if (ret)
		csv_rows_end(c, &ignored);
	else
		ret = csv_rows_end(c, err);
	if (ret)
		zsr_err_wrap(err, ret, "%s", f->name);
out:
	dec_lines_close(&c->in);
	dec_sort_free(&c->sort);
	free(c->plain);
	free(c);
	return ret;
}
