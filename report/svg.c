// SPDX-License-Identifier: GPL-2.0-only
/*
 * cairo's SVG made small: coordinates are tenths of a point, relative to the
 * point before; points nobody would miss are dropped; what is the default
 * is not said; neighbours that look alike are one path.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/html.h"

#define TENTHS    10.0
#define TOLERANCE 0.06 /* points, of a dropped point to the line there is */
#define WINDOW    64 /* points in a row that may be dropped */

struct pt {
	double x, y;
};

struct small {
	struct canvas *c;
	FILE *out;
	unsigned chunk;
	const char *style; /* of the path that is open; NULL: none is */
	size_t style_len;
	long x, y; /* of its last point, in tenths */
	char last; /* command written last */
	struct pt *pt; /* of the subpath */
	size_t nr, cap;
};

/* ---- numbers -------------------------------------------------------------- */

/* "12.3", "-.5": with a blank before where it could be taken for more of the
 * number before. */
static void put_tenths(struct small *s, long v, bool first)
{
	long a = labs(v);

	if (v < 0)
		fputc('-', s->out);
	else if (!first)
		fputc(' ', s->out);
	if (a >= 10 || a % 10 == 0)
		fprintf(s->out, "%ld", a / 10);
	if (a % 10)
		fprintf(s->out, ".%ld", a % 10);
}

static void put_command(struct small *s, char command, long a, long b, bool two)
{
	bool again = command == s->last && command != 'm';

	if (!again)
		fputc(command, s->out);
	put_tenths(s, a, !again);
	if (two)
		put_tenths(s, b, false);
	s->last = command;
}

static void put_point(struct small *s, struct pt p, bool move)
{
	long x = lround(p.x * TENTHS), y = lround(p.y * TENTHS);
	long dx = x - s->x, dy = y - s->y;

	if (move)
		put_command(s, s->last ? 'm' : 'M', dx, dy, true);
	else if (!dx && !dy)
		return;
	else if (!dy)
		put_command(s, 'h', dx, 0, false);
	else if (!dx)
		put_command(s, 'v', dy, 0, false);
	else
		put_command(s, 'l', dx, dy, true);
	s->x = x;
	s->y = y;
}

/* ---- paths -------------------------------------------------------------------- */

/* Are the points between a and b as good as on the line between them, and
 * passed in its direction? */
static bool on_line(const struct pt *a, const struct pt *b)
{
	double dx = b->x - a->x, dy = b->y - a->y, len = hypot(dx, dy);
	const struct pt *p;

	for (p = a + 1; p < b; p++) {
		double x = p->x - a->x, y = p->y - a->y;
		double along = len > 0 ? (x * dx + y * dy) / len : 0;
		double off = len > 0 ? fabs(x * dy - y * dx) / len : hypot(x, y);

		if (off > TOLERANCE || along < -TOLERANCE ||
		    along > len + TOLERANCE)
			return false;
	}
	return true;
}

static void put_subpath(struct small *s, bool closed)
{
	size_t i = 0, k;

	if (!s->nr)
		return;
	put_point(s, s->pt[0], true);
	while (i + 1 < s->nr) {
		long x0 = lround(s->pt[0].x * TENTHS);
		long y0 = lround(s->pt[0].y * TENTHS);

		for (k = i + 1; k + 1 < s->nr && k - i < WINDOW &&
				on_line(&s->pt[i], &s->pt[k + 1]);
		     k++)
			;
		put_point(s, s->pt[k], false);
		i = k;
		if (closed && i + 1 == s->nr) {
			fputc('z', s->out);
			s->x = x0;
			s->y = y0;
			s->last = 'z';
		}
	}
	s->nr = 0;
}

/* M, L and Z are all that is drawn with here. */
static void put_data(struct small *s, const char *p, const char *end)
{
	while (p < end) {
		char *next;
		struct pt at;

		if (*p == 'Z')
			put_subpath(s, true);
		else if (*p == 'M')
			put_subpath(s, false);
		if (*p < '+' || *p > '9') {
			p++;
			continue;
		}
		at.x = strtod(p, &next);
		if (next == p)
			break;
		p = next;
		at.y = strtod(p, &next);
		p = next;
		if (zsr_grow(&s->pt, &s->cap, s->nr + 1, sizeof(*s->pt))) {
			s->c->nomem = true;
			break;
		}
		s->pt[s->nr++] = at;
	}
	put_subpath(s, false);
}

/* ---- styles --------------------------------------------------------------------- */

static void put_color(FILE *f, const char *value)
{
	double part[3];
	unsigned v[3], i;

	if (sscanf(value, "rgb(%lf%%,%lf%%,%lf%%)", &part[0], &part[1],
		   &part[2]) != 3) {
		fprintf(f, "%.*s", (int)strcspn(value, ";\""), value);
		return;
	}
	for (i = 0; i < 3; i++)
		v[i] = (unsigned)lround(part[i] * 2.55) & 255;
	if (v[0] % 17 || v[1] % 17 || v[2] % 17)
		fprintf(f, "#%02x%02x%02x", v[0], v[1], v[2]);
	else
		fprintf(f, "#%x%x%x", v[0] / 17, v[1] / 17, v[2] / 17);
}

/* "name:value;..." as attributes. */
static void put_style(FILE *f, const char *p, const char *end)
{
	static const char *const defaults[] = {
		"stroke:none;",         "fill-rule:nonzero;",
		"fill-opacity:1;",      "fill:rgb(0%,0%,0%);",
		"stroke-linecap:butt;", "stroke-linejoin:miter;",
		"stroke-opacity:1;",    "stroke-miterlimit:10;",
	};
	size_t i, len, n;

	for (; p < end; p += len) {
		len = strcspn(p, ";") + 1;
		if (*p == ' ') {
			len = 1;
			continue;
		}
		for (i = 0; i < ZSR_ARRAY_SIZE(defaults); i++)
			if (!strncmp(p, defaults[i], strlen(defaults[i])))
				break;
		if (i < ZSR_ARRAY_SIZE(defaults))
			continue;
		n = strcspn(p, ":");
		fprintf(f, " %.*s=\"", (int)n, p);
		put_color(f, p + n + 1);
		fputc('"', f);
	}
}

/* ---- elements --------------------------------------------------------------------- */

static void close_path(struct small *s)
{
	if (s->style)
		fputs("\"/>\n", s->out);
	s->style = NULL;
}

/* The value of an attribute within a tag; NULL: it has none. */
static const char *attribute(const char *tag, const char *end, const char *name,
			     size_t *len)
{
	size_t n = strlen(name);
	const char *p;

	for (p = tag; p + n < end; p++)
		if (!memcmp(p, name, n)) {
			*len = strcspn(p + n, "\"");
			return p + n;
		}
	return NULL;
}

/* Lines may be drawn at once, and so may rectangles, all of which turn the
 * same way. */
static bool may_join(const char *style, size_t style_len, const char *d,
		     size_t len)
{
	size_t i, lines = 0;

	if (memmem(style, style_len, "fill:none", 9))
		return true;
	for (i = 0; i < len; i++)
		lines += d[i] == 'L';
	return lines == 3;
}

static void put_path(struct small *s, const char *tag, const char *end)
{
	size_t style_len = 0, len = 0;
	const char *style = attribute(tag, end, " style=\"", &style_len);
	const char *d = attribute(tag, end, " d=\"", &len);

	if (!d)
		return;
	if (!s->style || !style || style_len != s->style_len ||
	    memcmp(style, s->style, style_len) ||
	    !may_join(style, style_len, d, len)) {
		close_path(s);
		fputs("<path", s->out);
		if (style)
			put_style(s->out, style, style + style_len);
		fputs(" d=\"", s->out);
		s->last = 0;
		s->x = s->y = 0;
	}
	put_data(s, d, d + len);
	/* "": a path is open that nothing joins. */
	if (!style || !may_join(style, style_len, d, len)) {
		style = "";
		style_len = 0;
	}
	s->style = style;
	s->style_len = style_len;
}

/* Anything else; ids are the chunk's own, so that no two in the file are the
 * same. */
static void put_tag(struct small *s, const char *p, const char *end)
{
	static const char *const ids[] = { "id=\"", "xlink:href=\"#", "url(#" };
	size_t i, n;

	close_path(s);
	if (!strncmp(p, "<g id=\"surface", 14)) {
		fputs("<g>\n", s->out);
		return;
	}
	while (p < end) {
		for (i = 0; i < ZSR_ARRAY_SIZE(ids); i++) {
			n = strlen(ids[i]);
			if ((size_t)(end - p) > n && !memcmp(p, ids[i], n))
				break;
		}
		if (i == ZSR_ARRAY_SIZE(ids)) {
			fputc(*p++, s->out);
			continue;
		}
		fprintf(s->out, "%sk%u-", ids[i], s->chunk);
		p += n;
	}
	fputc('\n', s->out);
}

void svg_put(struct canvas *c, FILE *out, const char *p, const char *end,
	     unsigned chunk)
{
	struct small s = { .c = c, .out = out, .chunk = chunk };

	while (p < end && (p = memchr(p, '<', (size_t)(end - p)))) {
		const char *close = memchr(p, '>', (size_t)(end - p));

		if (!close)
			break;
		if (!strncmp(p, "<path", 5) &&
		    !attribute(p, close, " transform=\"", &(size_t){ 0 }))
			put_path(&s, p, close);
		else
			put_tag(&s, p, close + 1);
		p = close + 1;
	}
	close_path(&s);
	free(s.pt);
}
