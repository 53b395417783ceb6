// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "pack/private.h"

#define MAX_KEY   64
#define MAX_VALUE 2000
#define MAX_LINES 4096

int pk_text_add(struct pk_text *t, const void *p, size_t n, struct zsr_err *err)
{
	if (n > SIZE_MAX / 2 - t->len ||
	    zsr_grow(&t->s, &t->cap, t->len + n + 1, 1))
		return zsr_err_nomem(err, "text");
	memcpy(t->s + t->len, p, n);
	t->len += n;
	t->s[t->len] = '\0';
	return 0;
}

static bool is_key(const char *key, size_t n)
{
	static const char chars[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";

	return n && n <= MAX_KEY && strspn(key, chars) >= n;
}

bool pk_is_text(const char *s, size_t n, const char *controls)
{
	size_t i, more = 0;

	for (i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (more ? (c & 0xc0) != 0x80
			 : c == 127 || (c < ' ' && !strchr(controls, c)))
			return false;
		if (more)
			more--;
		else if (c >= 0x80 && (c < 0xc2 || c > 0xf4))
			return false;
		else if (c == 0xc2 && (unsigned char)s[i + 1] < 0xa0)
			return false; /* controls, too */
		else
			more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
	}
	return !more;
}

static bool is_value(const char *s, size_t n)
{
	return n <= MAX_VALUE && pk_is_text(s, n, "");
}

/* Where a key is, or would be. */
static size_t place(const struct zsr_manifest *m, const char *key)
{
	size_t low = 0, high = m->nr, mid;

	while (low < high) {
		mid = (low + high) / 2;
		if (strcmp(m->line[mid].key, key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const char *zsr_manifest_get(const struct zsr_manifest *m, const char *key)
{
	size_t i = place(m, key);

	return i < m->nr && !strcmp(m->line[i].key, key) ? m->line[i].value
							 : NULL;
}

int zsr_manifest_set(struct zsr_manifest *m, const char *key, const char *value,
		     struct zsr_err *err)
{
	size_t i = place(m, key);
	char *k, *v;

	if (!is_key(key, strlen(key)))
		return zsr_err_usage(err, "'%s' is no key of a manifest", key);
	if (!is_value(value, strlen(value)))
		return zsr_err_usage(err,
				     "%s: the value is no line of text of "
				     "up to %d bytes",
				     key, MAX_VALUE);
	v = strdup(value);
	if (v && i < m->nr && !strcmp(m->line[i].key, key)) {
		free(m->line[i].value);
		m->line[i].value = v;
		return 0;
	}
	k = strdup(key);
	if (!k || !v ||
	    zsr_grow(&m->line, &m->cap, m->nr + 1, sizeof(*m->line))) {
		free(k);
		free(v);
		return zsr_err_nomem(err, "manifest");
	}
	memmove(m->line + i + 1, m->line + i, (m->nr - i) * sizeof(*m->line));
	m->line[i] = (struct zsr_manifest_line){ k, v };
	m->nr++;
	return 0;
}

int zsr_manifest_setf(struct zsr_manifest *m, struct zsr_err *err,
		      const char *key, const char *fmt, ...)
{
	char value[MAX_VALUE + 2];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	return zsr_manifest_set(m, key, value, err);
}

void zsr_manifest_free(struct zsr_manifest *m)
{
	size_t i;

	for (i = 0; i < m->nr; i++) {
		free(m->line[i].key);
		free(m->line[i].value);
	}
	free(m->line);
	*m = (struct zsr_manifest){ 0 };
}

int pk_manifest_print(const struct zsr_manifest *m, struct pk_text *to,
		      struct zsr_err *err)
{
	size_t i;
	int ret = 0;

	for (i = 0; i < m->nr && !ret; i++) {
		const struct zsr_manifest_line *l = &m->line[i];

		ret = pk_text_add(to, l->key, strlen(l->key), err);
		if (!ret)
			ret = pk_text_add(to, ": ", 2, err);
		if (!ret)
			ret = pk_text_add(to, l->value, strlen(l->value), err);
		if (!ret)
			ret = pk_text_add(to, "\n", 1, err);
	}
	return ret;
}

static int parse_line(struct zsr_manifest *m, const char *line, size_t len,
		      struct zsr_err *err)
{
	const char *colon = memchr(line, ':', len);
	size_t n = colon ? (size_t)(colon - line) : 0;
	char key[MAX_KEY + 1], value[MAX_VALUE + 1];

	if (!is_key(line, n) || len < n + 2 || line[n + 1] != ' ' ||
	    !is_value(line + n + 2, len - n - 2))
		return zsr_err_input(err, "it is not 'key: value'");
	memcpy(key, line, n);
	key[n] = '\0';
	memcpy(value, line + n + 2, len - n - 2);
	value[len - n - 2] = '\0';
	if (m->nr && strcmp(m->line[m->nr - 1].key, key) >= 0)
		return zsr_err_input(
			err, "'%s' is there twice, or not in order", key);
	if (m->nr == MAX_LINES)
		return zsr_err_input(err, "more than %d lines", MAX_LINES);
	return zsr_manifest_set(m, key, value, err);
}

int pk_manifest_parse(struct zsr_manifest *m, const char *text,
		      struct zsr_err *err)
{
	const char *end;
	size_t line = 0;
	int ret;

	for (; *text; text = end + 1) {
		line++;
		end = strchr(text, '\n');
		ret = end ? parse_line(m, text, (size_t)(end - text), err)
			  : zsr_err_input(err, "it has no end");
		if (ret)
			return zsr_err_wrap(err, ret, "line %zu", line);
	}
	return 0;
}

int pk_manifest_number(const struct zsr_manifest *m, const char *key,
		       uint64_t max, uint64_t *value, struct zsr_err *err)
{
	const char *text = zsr_manifest_get(m, key);
	struct zsr_err why = { 0 };

	if (!text)
		return zsr_err_input(err, "it says nothing of %s", key);
	if (zsr_parse_u64(text, key, 0, max, value, &why))
		return zsr_err_input(err, "%s", why.msg);
	return 0;
}
