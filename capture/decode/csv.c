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

const char *csv_name(enum csv_column col)
{
	return columns[col].name;
}

enum csv_column csv_column_named(const char *name, size_t len)
{
	unsigned i;

	for (i = 0; i < CSV_NR; i++)
		if (strlen(columns[i].name) == len &&
		    !memcmp(columns[i].name, name, len))
			break;
	return i;
}

bool csv_of_events(enum csv_column col)
{
	return col == CSV_obj || col == CSV_task || col == CSV_caller ||
	       col == CSV_slot || col == CSV_cgroup || col == CSV_flags;
}

/* CSV_NR: there is no such column. */
static enum csv_column column_of(const struct zsr_event_map *map, const char *s,
				 size_t len)
{
	const struct dec_alias *own = dec_alias(map, DEC_COLUMN_NAME, s, len);
	enum csv_column col = own ? own->is : csv_column_named(s, len);
	int other;

	if (col < CSV_NR)
		return col;
	other = dec_name_is(NULL, DEC_COLUMN_NAME, s, len);
	return other < 0 ? CSV_NR : (enum csv_column)other;
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

static bool is_header(const struct zsr_event_map *map, const char *p,
		      const char *end)
{
	unsigned nr_known = 0;
	struct csv_field f;
	char plain[8192], *to = plain;
	char sep = separator(p, end);

	if (end - p > (ptrdiff_t)sizeof(plain))
		return false;
	while (next_field(&f, &p, end, sep, &to) > 0)
		nr_known += column_of(map, f.s, f.len) < CSV_NR;
	return nr_known >= 2;
}

/* ---- rows without a header, which a map describes ------------------------ */

/* Those of a script of bpftrace's that some use. */
static struct dec_alias bpftrace_columns[] = {
	{ .is = CSV_t_ns },   { .is = CSV_cpu },    { .is = CSV_pid },
	{ .is = CSV_handle }, { .is = CSV_size },   { .is = CSV_dur_ns },
	{ .is = CSV_t_ns },   { .is = CSV_cpu },    { .is = CSV_pid },
	{ .is = CSV_handle }, { .is = CSV_dur_ns },
};

static struct dec_alias bpftrace_names[] = {
	{ .name = "M",
	  .len = 1,
	  .of = DEC_ROW_NAME,
	  .is = DEC_IS_MALLOC_DONE,
	  .nr = 6 },
	{ .name = "F",
	  .len = 1,
	  .of = DEC_ROW_NAME,
	  .is = DEC_IS_FREE_DONE,
	  .first = 6,
	  .nr = 5 },
};

static const struct zsr_event_map bpftrace_rows = {
	.names = bpftrace_names,
	.parts = bpftrace_columns,
	.nr = ZSR_ARRAY_SIZE(bpftrace_names),
	.nr_parts = ZSR_ARRAY_SIZE(bpftrace_columns),
};

static bool has_rows(const struct zsr_event_map *map)
{
	size_t i;

	for (i = 0; map && i < map->nr; i++)
		if (map->names[i].of == DEC_ROW_NAME)
			return true;
	return false;
}

static char row_separator(const char *p, const char *end)
{
	char sep = separator(p, end);

	return sep == '\t' && !memchr(p, '\t', (size_t)(end - p)) ? ' ' : sep;
}

/* The fields of a line; -1 for misplaced quotes. */
static int split(struct csv_field *f, unsigned max, const char *p,
		 const char *end, char *plain)
{
	char sep = row_separator(p, end);
	struct csv_field one;
	unsigned n = 0;
	int ret;

	while ((ret = next_field(&one, &p, end, sep, &plain)) > 0) {
		if (n < max)
			f[n] = one;
		n++;
	}
	return ret ? ret : (int)n;
}

static bool is_text(enum csv_column col)
{
	return col == CSV_comm || col == CSV_text;
}

/* Whether fields behind the first are such as a row has. */
static bool fits(const struct zsr_event_map *rows, const struct dec_alias *row,
		 const struct csv_field *f, int n)
{
	uint64_t v;
	size_t i;

	if (n < 1 || (size_t)n != row->nr + 1)
		return false;
	for (i = 0; i < row->nr; i++) {
		enum csv_column col = rows->parts[row->first + i].is;

		if (!is_text(col) && col != CSV_time &&
		    !text_number(f[i + 1].s, f[i + 1].len, &v))
			return false;
	}
	return true;
}

/* Whether a line looks like a row whose name was damaged, or is not known. */
static bool is_like_row(const struct csv_field *f, int n)
{
	unsigned nr_numbers = 0;
	uint64_t v;
	int i;

	for (i = 1; i < n && i <= CSV_NR; i++)
		nr_numbers += text_number(f[i].s, f[i].len, &v);
	return nr_numbers >= 3;
}

/* The map that says what the lines of this file are, when they have no header:
 * the user's, or the one built in. */
static const struct zsr_event_map *rows_of(const struct zsr_event_map *map,
					   const uint8_t *head, size_t len)
{
	const char *p = (const char *)head, *end = p + len, *nl;
	const struct zsr_event_map *rows = has_rows(map) ? map
					   : text_begins(p, end, "Attaching ")
						   ? &bpftrace_rows
						   : NULL;

	for (; rows && (nl = memchr(p, '\n', (size_t)(end - p))); p = nl + 1) {
		struct csv_field f[CSV_NR + 1];
		const struct dec_alias *row;
		char plain[8192];
		int n;

		if (nl - p > (ptrdiff_t)sizeof(plain))
			return NULL;
		n = split(f, CSV_NR + 1, p,
			  nl > p && nl[-1] == '\r' ? nl - 1 : nl, plain);
		row = n < 1 ? NULL
			    : dec_alias(rows, DEC_ROW_NAME, f[0].s, f[0].len);
		if (row && fits(rows, row, f, n))
			return rows;
	}
	return NULL;
}

static bool begins_with_header(const struct zsr_event_map *map,
			       const uint8_t *head, size_t len)
{
	const char *p = (const char *)head, *end = p + len, *nl, *stop = end;
	uint64_t count;

	p = without_mark(p, end);
	for (; (nl = memchr(p, '\n', (size_t)(end - p))); p = nl + 1) {
		stop = nl > p && nl[-1] == '\r' ? nl - 1 : nl;
		if (!is_nothing(p, stop) && !perf_lost_line(p, stop, &count))
			break;
	}
	return nl && is_header(map, p, stop);
}

bool dec_is_csv(const struct zsr_event_map *map, const uint8_t *head, size_t len)
{
	return begins_with_header(map, head, len) || rows_of(map, head, len);
}

static int check_columns(const struct csv *c, struct zsr_err *err)
{
	const char *missing = NULL;
	enum csv_column i;

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
	for (i = 0; i < CSV_NR && HAS(handle); i++)
		if (c->has >> i & 1 && csv_of_events(i))
			return zsr_err_input(err,
					     "header: column %s needs obj, not "
					     "handle",
					     csv_name(i));
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
		col = column_of(c->d->map, f.s, f.len);
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

static int wrong_count(const struct dec_alias *row, int n, struct zsr_err *err)
{
	return n < 0 ? zsr_err_input(err, "misplaced quotes")
		     : zsr_err_input(err, "%d fields behind %.*s, it has %zu",
				     n - 1, (int)row->len, row->name, row->nr);
}

/* A line of a file without a header. */
static int named_row(struct csv *c, const char *p, const char *end,
		     struct zsr_err *err)
{
	struct csv_field f[CSV_NR + 1];
	int n = split(f, CSV_NR + 1, p, end, c->plain);
	const struct dec_alias *row = NULL;
	size_t i;

	if (n >= 1)
		row = dec_alias(c->rows, DEC_ROW_NAME, f[0].s, f[0].len);
	if (!row && is_like_row(f, n))
		return zsr_err_input(err, "a call of an unknown kind '%.*s'",
				     (int)zsr_min(f[0].len, (size_t)40), f[0].s);
	if (!row) {
		c->nr_skipped++;
		return 0;
	}
	if (n < 1 || (size_t)n != row->nr + 1)
		return wrong_count(row, n, err);
	memset(c->field, 0, sizeof(c->field));
	c->row = row;
	c->has = 0;
	for (i = 0; i < row->nr; i++) {
		enum csv_column col = c->rows->parts[row->first + i].is;

		c->field[col] = f[i + 1];
		c->has |= 1u << col;
	}
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
	if (perf_lost_line(p, end, &count)) {
		if (__builtin_add_overflow(c->lost, count, &c->lost))
			c->lost = INT64_MAX;
		return 0;
	}
	if (c->rows)
		return named_row(c, p, end, err);
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

int dec_csv(struct dec *d, struct dec_file *f, const uint8_t *head, size_t len,
	    struct zsr_err *err)
{
	struct csv *c = calloc(1, sizeof(*c));
	struct zsr_err ignored;
	int ret;

	if (!c)
		return zsr_err_nomem(err, f->name);
	c->d = d;
	if (!begins_with_header(d->map, head, len))
		c->rows = rows_of(d->map, head, len);
	ret = dec_lines_open(&c->in, f, err);
	/* No field is longer than its line. */
	c->plain = malloc(DEC_LINE_BUFFER);
	if (!ret && !c->plain)
		ret = zsr_err_nomem(err, f->name);
	if (ret)
		goto out;
	d->started = true;
	dec_out_meta(d->out, "format", c->rows ? "bpftrace text" : "CSV");
	ret = lines(c, err);
	if (c->nr_skipped)
		dec_out_metaf(d->out, "lines_skipped", "%" PRIu64,
			      c->nr_skipped);
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
