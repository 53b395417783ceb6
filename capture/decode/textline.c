// SPDX-License-Identifier: GPL-2.0-only
/*
 * The parts of a line of ftrace text. A comm may hold blanks, dashes and
 * brackets, so a line is taken apart from its "[CPU]", the first that has
 * "-PID" (and perhaps a TGID) before it.
 */
#include <string.h>

#include "capture/decode/text.h"

#define MAX_SECONDS 9000000000ull /* in ns, that still fits 64 bits */

static inline bool digit(char c)
{
	return (unsigned char)(c - '0') < 10;
}

bool text_begins(const char *line, const char *end, const char *word)
{
	size_t n = strlen(word);

	return (size_t)(end - line) >= n && !memcmp(line, word, n);
}

static const char *skip_blanks(const char *p, const char *end)
{
	while (p < end && *p == ' ')
		p++;
	return p;
}

/* Back over blanks from P; returns where they begin. */
static const char *back_blanks(const char *p, const char *begin)
{
	while (p > begin && p[-1] == ' ')
		p--;
	return p;
}

/* "-PID  (TGID) " must end at P; fills comm and pid. */
static bool before_cpu(struct text_head *h, const char *line, const char *p)
{
	const char *q = back_blanks(p, line), *digits;
	uint64_t pid = 0;

	if (q == p)
		return false;
	if (q > line && q[-1] == ')') {
		q--;
		while (q > line && (digit(q[-1]) || q[-1] == '-' || q[-1] == ' '))
			q--;
		if (q == line || q[-1] != '(')
			return false;
		q = back_blanks(q - 1, line);
	}
	digits = q;
	while (digits > line && digit(digits[-1]))
		digits--;
	if (digits == q || q - digits > 10 || digits == line ||
	    digits[-1] != '-')
		return false;
	h->comm = skip_blanks(line, digits - 1);
	h->comm_len = (size_t)(digits - 1 - h->comm);
	while (digits < q)
		pid = pid * 10 + (unsigned)(*digits++ - '0');
	h->pid = (int32_t)pid;
	return pid <= INT32_MAX;
}

const char *text_stamp(struct text_head *h, const char *p, const char *end)
{
	uint64_t sec = 0, frac = 0;
	unsigned n = 0;

	if (p == end || !digit(*p))
		return NULL;
	for (; p < end && digit(*p); p++) {
		if (++n > 19)
			return NULL;
		sec = sec * 10 + (unsigned)(*p - '0');
	}
	h->coarse = false;
	if (p < end && *p == ':') {
		h->t_ns = sec;
		return p + 1;
	}
	if (p == end || *p++ != '.' || sec > MAX_SECONDS)
		return NULL;
	for (n = 0; p < end && digit(*p) && n < 10; p++, n++)
		frac = frac * 10 + (unsigned)(*p - '0');
	if (p == end || *p != ':' || (n != 6 && n != 9))
		return NULL;
	h->coarse = n == 6;
	h->t_ns = sec * 1000000000 + (n == 6 ? frac * 1000 : frac);
	return p + 1;
}

/* "name: rest" */
static void take_name(struct text_head *h, const char *p, const char *end)
{
	h->name = p;
	while (p < end && *p != ':' && *p != ' ')
		p++;
	h->name_len = p < end && *p == ':' ? (size_t)(p - h->name) : 0;
	h->rest = skip_blanks(p + (p < end), end);
}

/* "CPU] flags STAMP: name: rest" */
static bool after_bracket(struct text_head *h, const char *p, const char *end)
{
	const char *q, *s;

	h->cpu = 0;
	for (q = p; q < end && digit(*q) && q - p < 5; q++)
		h->cpu = h->cpu * 10 + (*q - '0');
	if (q == p || q == end || *q != ']' || h->cpu >= (int)DEC_MAX_CPUS)
		return false;
	q = skip_blanks(q + 1, end);
	s = text_stamp(h, q, end);
	if (!s) {
		/* Flags first: irqs, resched, context, preemption. */
		while (q < end && *q != ' ')
			q++;
		s = text_stamp(h, skip_blanks(q, end), end);
	}
	if (!s)
		return false;
	take_name(h, skip_blanks(s, end), end);
	return true;
}

bool text_head(struct text_head *h, const char *line, const char *end)
{
	const char *p = line;

	while ((p = memchr(p, '[', (size_t)(end - p)))) {
		if (before_cpu(h, line, p) && after_bracket(h, p + 1, end))
			return true;
		p++;
	}
	return false;
}

static bool word(const char **p, const char *end, const char *text)
{
	if (!text_begins(*p, end, text))
		return false;
	*p += strlen(text);
	return true;
}

static bool decimal(const char **p, const char *end, uint64_t *v)
{
	const char *q = *p;
	unsigned n = 0;

	*v = 0;
	while (q < end && digit(*q) && n++ < 18)
		*v = *v * 10 + (unsigned)(*q++ - '0');
	if (q == *p)
		return false;
	*p = q;
	return true;
}

bool text_lost(const char *line, const char *end, unsigned *cpu, uint64_t *count)
{
	const char *p = line;
	uint64_t v;

	*count = 0;
	if (!word(&p, end, "CPU:") || !decimal(&p, end, &v) ||
	    v >= DEC_MAX_CPUS || !word(&p, end, " ["))
		return false;
	*cpu = (unsigned)v;
	if (word(&p, end, "LOST ")) {
		if (decimal(&p, end, count))
			word(&p, end, " ");
		return word(&p, end, "EVENTS]");
	}
	if (decimal(&p, end, count))
		word(&p, end, " ");
	return word(&p, end, "EVENTS DROPPED]");
}

static bool hex_number(const char *s, size_t len, uint64_t *v)
{
	size_t i;

	if (!len || len > 16)
		return false;
	for (*v = 0, i = 0; i < len; i++) {
		char c = s[i] | 0x20;

		if (digit(c))
			*v = *v << 4 | (unsigned)(c - '0');
		else if (c >= 'a' && c <= 'f')
			*v = *v << 4 | (unsigned)(c - 'a' + 10);
		else
			return false;
	}
	return true;
}

/* "(sym+0x0/0x5c8 [mod])", "(caller+0x9fc/0xb10 [zram] <- sym)", or both as
 * bare addresses, "(func)" and "(func <- caller)". */
bool text_where(struct text_where *w, const char *p, const char *end)
{
	const char *close, *arrow, *plus;

	memset(w, 0, sizeof(*w));
	if (p == end || *p != '(')
		return false;
	close = memchr(p, ')', (size_t)(end - p));
	if (!close)
		return false;
	p++;
	w->rest = close + 1;
	arrow = memmem(p, (size_t)(close - p), "<- ", 3);
	if (!arrow) {
		plus = memmem(p, (size_t)(close - p), "+0x0/", 5);
		w->symbol = plus ? p : NULL;
		w->symbol_len = plus ? (size_t)(plus - p) : 0;
		if (!plus && !hex_number(p, (size_t)(close - p), &w->func))
			w->func = 0;
		return true;
	}
	w->is_ret = true;
	arrow += 3;
	if (close - arrow < 8 ||
	    !hex_number(arrow, (size_t)(close - arrow), &w->caller)) {
		w->caller = 0;
		w->symbol = arrow;
		w->symbol_len = (size_t)(close - arrow);
	}
	return true;
}

bool text_pair(struct text_pair *pair, const char **pp, const char *end)
{
	const char *p = skip_blanks(*pp, end), *q = p;

	while (q < end && *q != '=' && *q != ' ')
		q++;
	if (q == end || *q != '=' || q == p) {
		*pp = end;
		return false;
	}
	pair->key = p;
	pair->key_len = (size_t)(q - p);
	pair->value = ++q;
	if (q < end && *q == '"') {
		q = memchr(q + 1, '"', (size_t)(end - q - 1));
		q = q ? q + 1 : end;
	}
	while (q < end && *q != ' ')
		q++;
	pair->value_len = (size_t)(q - pair->value);
	if (pair->value_len > 1 && q[-1] == ',')
		pair->value_len--;
	*pp = q;
	return true;
}

/* As %p prints addresses: no decimal number of 16 digits looks so. */
static bool is_pointer(const char *s, size_t len)
{
	size_t i;

	for (i = 0; len == 16 && i < len && digit(s[i]);)
		i++;
	return len == 16 && (i < len || *s == '0');
}

bool text_number(const char *s, size_t len, uint64_t *v)
{
	bool minus = len && *s == '-';
	size_t i;

	if (is_pointer(s, len) && *s != '-' && s[1] != 'x')
		return hex_number(s, len, v);
	if (len > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X'))
		return hex_number(s + 2, len - 2, v);
	if (minus) {
		s++;
		len--;
	}
	if (!len || len > 20)
		return false;
	for (*v = 0, i = 0; i < len; i++) {
		if (!digit(s[i]) || *v > (UINT64_MAX - 9) / 10)
			return false;
		*v = *v * 10 + (unsigned)(s[i] - '0');
	}
	if (minus)
		*v = -*v;
	return true;
}
