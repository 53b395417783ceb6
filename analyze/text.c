// SPDX-License-Identifier: GPL-2.0-only
/* Lines, wrapping, and the forms numbers take. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/values.h"

static int lines_put(struct zsr_lines *l, char *line)
{
	if (!line || zsr_grow(&l->line, &l->cap, l->nr + 1, sizeof(*l->line))) {
		free(line);
		return -ENOMEM;
	}
	l->line[l->nr++] = line;
	return 0;
}

int zsr_lines_add(struct zsr_lines *l, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		s = NULL;
	va_end(ap);
	return lines_put(l, s);
}

void zsr_lines_free(struct zsr_lines *l)
{
	size_t i;

	for (i = 0; i < l->nr; i++)
		free(l->line[i]);
	free(l->line);
	*l = (struct zsr_lines){ 0 };
}

static bool continues(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

size_t zsr_text_width(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += !continues(*s);
	return n;
}

/* Bytes of the first n code points of s, or fewer at its end. */
static size_t bytes_of(const char *s, size_t n)
{
	const char *p = s;

	while (*p && (continues(*p) || n-- > 0))
		p++;
	return (size_t)(p - s);
}

/* Where to end a line that takes at most len bytes of text: before a blank,
 * else behind a joint of a long word, else anywhere. */
static size_t cut_at(const char *text, size_t len)
{
	size_t cut;

	if (!text[len])
		return len;
	for (cut = len; cut; cut--)
		if (text[cut] == ' ')
			return cut;
	for (cut = len; cut > len / 3; cut--)
		if (strchr("-=,/", text[cut - 1]))
			return cut;
	return len;
}

int zsr_lines_wrap(struct zsr_lines *l, size_t width, size_t indent,
		   const char *text)
{
	size_t pad = 0;

	for (;;) {
		size_t len = cut_at(text, bytes_of(text, width - pad));
		size_t shown = len;

		while (shown && text[shown - 1] == ' ')
			shown--;
		if (zsr_lines_add(l, "%*s%.*s", shown ? (int)pad : 0, "",
				  (int)shown, text))
			return -ENOMEM;
		text += len;
		text += strspn(text, " ");
		if (!*text)
			return 0;
		pad = zsr_min(indent, width / 2);
	}
}

/* Length of the well-formed UTF-8 sequence at s, 0 when there is none. */
static size_t utf8_len(const unsigned char *s)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t v;
	size_t n, i;

	if (*s < 0x80)
		return *s >= 0x20 && *s != 0x7f;
	n = *s >= 0xf0 ? 4 : *s >= 0xe0 ? 3 : 2;
	if (*s < 0xc2 || *s > 0xf4)
		return 0;
	v = *s & (0xff >> (n + 1));
	for (i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		v = v << 6 | (s[i] & 0x3f);
	}
	if (v < least[n] || v > 0x10ffff || (v >= 0xd800 && v < 0xe000) ||
	    (v >= 0x80 && v < 0xa0))
		return 0;
	return n;
}

char *zsr_clean(const char *s)
{
	char *copy = malloc(strlen(s) + 1), *p = copy;

	if (!copy)
		return NULL;
	while (*s) {
		size_t n = utf8_len((const unsigned char *)s);

		if (!n) {
			*p++ = *s == '\t' ? ' ' : '?';
			s++;
			continue;
		}
		memcpy(p, s, n);
		p += n;
		s += n;
	}
	*p = '\0';
	return copy;
}

/* Three significant digits, as the times and sizes of base/ have. */
static int digits(double v)
{
	return v < 9.995 ? 2 : v < 99.95 ? 1 : 0;
}

char *zsr_fmt_ratio(char buf[ZSR_FMT_LEN], uint64_t a, uint64_t b)
{
	double v;

	if (!b || a == ZSR_NEVER || b == ZSR_NEVER) {
		snprintf(buf, ZSR_FMT_LEN, "-");
		return buf;
	}
	v = (double)a / (double)b;
	if (v >= 1e6)
		snprintf(buf, ZSR_FMT_LEN, "%.1ex", v);
	else if (a && v < 0.00995)
		snprintf(buf, ZSR_FMT_LEN, "%.4fx", v);
	else
		snprintf(buf, ZSR_FMT_LEN, "%.*fx", digits(v), v);
	return buf;
}

char *zsr_fmt_percent(char buf[ZSR_FMT_LEN], uint64_t a, uint64_t b)
{
	double v = b ? 100 * (double)a / (double)b : 0;

	if (!a || !b)
		snprintf(buf, ZSR_FMT_LEN, "%s", a ? "-" : "0 %");
	else if (v >= 1e6)
		snprintf(buf, ZSR_FMT_LEN, "%.1e %%", v);
	else if (v < 0.005)
		snprintf(buf, ZSR_FMT_LEN, "<0.01 %%");
	else
		snprintf(buf, ZSR_FMT_LEN, "%.*f %%", digits(v), v);
	return buf;
}

char *zsr_fmt_page_size(char buf[ZSR_FMT_LEN], uint32_t bytes)
{
	if (bytes && bytes % 1024 == 0)
		snprintf(buf, ZSR_FMT_LEN, "%" PRIu32 " KiB", bytes / 1024);
	else
		snprintf(buf, ZSR_FMT_LEN, "%" PRIu32 " B", bytes);
	return buf;
}
