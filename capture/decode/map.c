// SPDX-License-Identifier: GPL-2.0-only
/*
 * Maps: text that says what foreign names mean, a line each; zsr-map(5). The
 * names stay where they are in the text.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "capture/decode/csv.h"
#include "capture/decode/names.h"

struct word {
	const char *s;
	size_t len;
};

struct parser {
	struct zsr_event_map *map;
	unsigned line;
	const char *p, *end; /* what is left of it */
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The next word of the line; false behind the last, and at a comment. */
static bool next(struct parser *in, struct word *w)
{
	while (in->p < in->end && is_blank(*in->p))
		in->p++;
	w->s = in->p;
	while (in->p < in->end && !is_blank(*in->p))
		in->p++;
	w->len = (size_t)(in->p - w->s);
	return w->len && *w->s != '#';
}

static bool equals(const struct word *w, const char *text)
{
	return strlen(text) == w->len && !memcmp(w->s, text, w->len);
}

/* What messages show of a word. */
static const char *shown(const struct word *w, char to[64])
{
	dec_printable(to, 64, w->s, w->len);
	return to;
}

static int bad(const struct word *w, const char *what, struct zsr_err *err)
{
	char text[64];

	return zsr_err_input(err, "'%s' is no %s", shown(w, text), what);
}

/* ---- what a line says --------------------------------------------------- */

static int add(struct parser *in, enum dec_names of, const struct word *name,
	       int is, struct zsr_err *err)
{
	struct zsr_event_map *map = in->map;
	char text[64];
	size_t i;

	for (i = 0; i < map->nr; i++)
		if (map->names[i].of == of && map->names[i].len == name->len &&
		    !memcmp(map->names[i].name, name->s, name->len))
			return zsr_err_input(err, "'%s' is in line %u, too",
					     shown(name, text),
					     map->names[i].line);
	if (zsr_grow(&map->names, &map->cap, map->nr + 1, sizeof(*map->names)))
		return zsr_err_nomem(err, "names");
	map->names[map->nr++] = (struct dec_alias){
		.name = name->s,
		.len = name->len,
		.of = (uint8_t)of,
		.is = (uint8_t)is,
		.line = in->line,
		.first = map->nr_parts,
	};
	return 0;
}

static int add_part(struct parser *in, enum dec_names of,
		    const struct word *name, unsigned is, struct zsr_err *err)
{
	struct zsr_event_map *map = in->map;
	struct dec_alias *to = &map->names[map->nr - 1];

	if (zsr_grow(&map->parts, &map->cap_parts, map->nr_parts + 1,
		     sizeof(*map->parts)))
		return zsr_err_nomem(err, "names");
	map->parts[map->nr_parts++] = (struct dec_alias){
		.name = name->s,
		.len = name->len,
		.of = (uint8_t)of,
		.is = (uint8_t)is,
		.line = in->line,
	};
	to->nr++;
	return 0;
}

static int missing(const char *what, struct zsr_err *err)
{
	return zsr_err_input(err, "%s is missing", what);
}

static int meaning(struct parser *in, enum dec_names of, struct zsr_err *err)
{
	struct word name, means;
	int is;

	if (!next(in, &name))
		return missing("the name", err);
	if (!next(in, &means))
		return missing("what it means", err);
	is = dec_meaning_named(means.s, means.len);
	if (is < 0)
		return bad(&means, "meaning of an event", err);
	return add(in, of, &name, is, err);
}

/* "ROLE=FIELD" */
static int own_field(struct parser *in, const struct word *w,
		     struct zsr_err *err)
{
	const char *eq = memchr(w->s, '=', w->len);
	struct word role = { w->s, eq ? (size_t)(eq - w->s) : 0 }, field;
	enum dec_role is;

	if (!eq || eq + 1 == w->s + w->len)
		return bad(w, "ROLE=FIELD", err);
	field = (struct word){ eq + 1, w->len - role.len - 1 };
	is = dec_role_named(role.s, role.len);
	if (is > DEC_TEXT)
		return bad(&role, "role of an event's own field", err);
	return add_part(in, DEC_FIELD_NAME, &field, is, err);
}

/* "event NAME MEANING [ROLE=FIELD]..." */
static int event_line(struct parser *in, struct zsr_err *err)
{
	int ret = meaning(in, DEC_EVENT_NAME, err);
	struct word w;

	while (!ret && next(in, &w))
		ret = own_field(in, &w, err);
	return ret;
}

/* "field NAME ROLE": a role of events' fields, or a column of CSV, or both. */
static int field_line(struct parser *in, struct zsr_err *err)
{
	struct word name, w, more;
	enum csv_column col;
	enum dec_role role;
	int ret = 0;

	if (!next(in, &name))
		return missing("the name", err);
	if (!next(in, &w))
		return missing("what it holds", err);
	if (next(in, &more))
		return bad(&more, "end of the line", err);
	role = dec_role_named(w.s, w.len);
	col = csv_column_named(w.s, w.len);
	if (role == DEC_NO_ROLE && col == CSV_NR)
		return bad(&w, "role of a field", err);
	if (role != DEC_NO_ROLE)
		ret = add(in, DEC_FIELD_NAME, &name, role, err);
	if (!ret && col != CSV_NR)
		ret = add(in, DEC_COLUMN_NAME, &name, col, err);
	return ret;
}

/* "row NAME MEANING COLUMN..." */
static int row_line(struct parser *in, struct zsr_err *err)
{
	int ret = meaning(in, DEC_ROW_NAME, err);
	enum csv_column col;
	uint32_t seen = 0;
	struct word w;

	while (!ret && next(in, &w)) {
		col = csv_column_named(w.s, w.len);
		if (col >= CSV_NR || col == CSV_kind || csv_of_events(col))
			return bad(&w, "column of a call", err);
		if (seen >> col & 1)
			return zsr_err_input(err, "two columns are %s",
					     csv_name(col));
		seen |= 1u << col;
		ret = add_part(in, DEC_COLUMN_NAME, &w, col, err);
	}
	if (!ret && !(seen >> CSV_t_ns & 1) == !(seen >> CSV_time & 1))
		return zsr_err_input(err, "one column must be t_ns or time");
	return ret;
}

static int line(struct parser *in, struct zsr_err *err)
{
	const char *p;
	struct word w;

	for (p = in->p; p < in->end; p++)
		if ((*p < ' ' || *p > '~') && *p != '\t')
			return zsr_err_input(err,
					     "a character that is not ASCII");
	if (!next(in, &w))
		return 0;
	if (equals(&w, "event"))
		return event_line(in, err);
	if (equals(&w, "field"))
		return field_line(in, err);
	if (equals(&w, "row"))
		return row_line(in, err);
	return bad(&w, "event, field or row", err);
}

int dec_map_parse(struct zsr_event_map *map, char *text, size_t len,
		  struct zsr_err *err)
{
	const char *end = text + len, *nl;
	struct parser in = { .map = map, .p = text };
	int ret = 0;

	*map = (struct zsr_event_map){ .text = text, .len = len };
	for (; !ret && in.p < end; in.p = nl + 1) {
		nl = memchr(in.p, '\n', (size_t)(end - in.p));
		nl = nl ? nl : end;
		in.end = nl > in.p && nl[-1] == '\r' ? nl - 1 : nl;
		in.line++;
		ret = line(&in, err);
	}
	if (ret)
		return zsr_err_wrap(err, ret, "line %u", in.line);
	return map->nr ? 0 : zsr_err_input(err, "no line of it says anything");
}

void dec_map_end(struct zsr_event_map *map)
{
	free(map->text);
	free(map->names);
	free(map->parts);
}

/* ---- files ------------------------------------------------------------ */

int zsr_event_map_read(struct zsr_event_map **out, const char *path,
		       struct zsr_err *err)
{
	struct zsr_event_map *map = calloc(1, sizeof(*map));
	char *text;
	size_t len;
	int ret;

	if (!map)
		return zsr_err_nomem(err, path);
	ret = dec_file_text(AT_FDCWD, path, path, DEC_MAX_MAP, &text, &len, err);
	if (!ret) {
		ret = dec_map_parse(map, text, len, err);
		if (ret)
			zsr_err_wrap(err, ret, "%s", path);
	}
	if (ret)
		zsr_event_map_free(map);
	else
		*out = map;
	return ret;
}

void zsr_event_map_free(struct zsr_event_map *map)
{
	if (!map)
		return;
	dec_map_end(map);
	free(map);
}
