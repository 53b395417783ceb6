// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lines of `perf script`. Which columns there are is up to whoever ran it, and a
 * comm may hold anything, so a line is taken apart from its stamp, the first
 * number of seconds with a colon behind it that has an event's name after it.
 */
#include <string.h>

#include "capture/decode/text.h"

static inline bool digit(char c)
{
	return (unsigned char)(c - '0') < 10;
}

/* Back over digits from P; NULL: there is none, or too many for a number. */
static const char *back_number(const char *p, const char *begin, int64_t *v)
{
	const char *q = p;

	while (q > begin && digit(q[-1]))
		q--;
	if (q == p || p - q > 10)
		return NULL;
	for (*v = 0, begin = q; begin < p; begin++)
		*v = *v * 10 + (*begin - '0');
	return q;
}

/* "[CPU]" before P, when it is there; [-01] is one that perf does not know. */
static const char *take_cpu(struct text_head *h, const char *line, const char *p)
{
	const char *q;
	int64_t v;

	h->cpu = -1;
	if (p == line || p[-1] != ']')
		return p;
	q = back_number(p - 1, line, &v);
	if (q && q > line && q[-1] == '-')
		return q - 1 > line && q[-2] == '[' ? q - 2 : NULL;
	if (!q || q == line || q[-1] != '[' || v >= (int)DEC_MAX_CPUS)
		return NULL;
	h->cpu = (int)v;
	return q - 1;
}

/* "PID" or "PID/TID" before P, when it is there; the latter is a thread. */
static const char *take_pid(struct text_head *h, const char *line, const char *p)
{
	const char *q;
	int64_t tid, pid;

	h->pid = -1;
	q = back_number(p, line, &tid);
	if (q && q > line && q[-1] == '/')
		q = back_number(q - 1, line, &pid);
	if (!q || tid > INT32_MAX || (q > line && q[-1] != ' '))
		return p;
	h->pid = (int32_t)tid;
	return q;
}

static const char *back_blanks(const char *p, const char *begin)
{
	while (p > begin && p[-1] == ' ')
		p--;
	return p;
}

static bool before_stamp(struct text_head *h, const char *line, const char *p)
{
	const char *q = back_blanks(p, line);

	if (q == p && p != line)
		return false;
	q = take_cpu(h, line, q);
	if (!q)
		return false;
	q = back_blanks(take_pid(h, line, back_blanks(q, line)), line);
	while (line < q && *line == ' ')
		line++;
	h->comm = line;
	h->comm_len = (size_t)(q - line);
	return true;
}

static const char *word_end(const char *p, const char *end)
{
	while (p < end && *p != ' ')
		p++;
	return p;
}

static const char *skip_blanks(const char *p, const char *end)
{
	while (p < end && *p == ' ')
		p++;
	return p;
}

static bool take_name(struct text_head *h, const char *p, const char *end)
{
	const char *q;

	p = skip_blanks(p, end);
	for (q = p; q < end && digit(*q);)
		q++;
	/* The period. */
	if (q > p && q < end && *q == ' ')
		p = skip_blanks(q, end);
	q = word_end(p, end);
	h->name = p;
	h->name_len = (size_t)(q - p);
	h->rest = skip_blanks(q, end);
	if (perf_is_own(h))
		return true;
	if (h->name_len < 2 || q[-1] != ':')
		return false;
	h->name_len--;
	return true;
}

bool perf_head(struct text_head *h, const char *line, const char *end)
{
	const char *p = line, *s;

	for (; (p = memchr(p, ':', (size_t)(end - p))); p++) {
		for (s = p; s > line && (digit(s[-1]) || s[-1] == '.');)
			s--;
		if (p - s < 8 || (p[-7] != '.' && (p - s < 11 || p[-10] != '.')))
			continue;
		if (text_stamp(h, s, end) == p + 1 &&
		    before_stamp(h, line, s) && take_name(h, p + 1, end))
			return true;
	}
	return false;
}

bool perf_is_own(const struct text_head *h)
{
	return text_begins(h->name, h->name + h->name_len, "PERF_RECORD_");
}

/* ---- losses ----------------------------------------------------------- */

/* A number behind P. */
static bool take_number(const char **p, const char *end, uint64_t *v)
{
	const char *q = *p;

	while (q < end && digit(*q))
		q++;
	if (!text_number(*p, (size_t)(q - *p), v) || q - *p > 18)
		return false;
	*p = q;
	return true;
}

bool perf_lost_record(const struct text_head *h, const char *end,
		      uint64_t *count)
{
	const char *p = h->rest;

	*count = 0;
	if (!text_begins(h->name, h->name + h->name_len, "PERF_RECORD_LOST"))
		return false;
	if (text_begins(p, end, "lost ")) {
		p += 5;
		if (!take_number(&p, end, count))
			*count = 0;
	}
	return true;
}

bool perf_lost_line(const char *line, const char *end, uint64_t *count)
{
	const char *p = line;

	*count = 0;
	/* At the end, of chunks that may hold anything. */
	if (text_begins(p, end, "Processed ") &&
	    memmem(p, (size_t)(end - p), " and lost ", 10))
		return true;
	if (!text_begins(p, end, "LOST ") && !text_begins(p, end, "Lost ") &&
	    !text_begins(p, end, "lost "))
		return false;
	p += 5;
	if (!take_number(&p, end, count) || !text_begins(p, end, " events"))
		return false;
	p += 7;
	return p == end || (*p == '!' && p + 1 == end);
}

/* ---- what stands around events ------------------------------------------ */

void perf_frame(const char *p, const char *end, uint64_t *address,
		const char **symbol, size_t *len)
{
	char hex[20] = "0x";
	const char *q;

	p = skip_blanks(p, end);
	q = word_end(p, end);
	*address = 0;
	if (q - p <= 16) {
		memcpy(hex + 2, p, (size_t)(q - p));
		if (!text_number(hex, 2 + (size_t)(q - p), address))
			*address = 0;
	}
	p = skip_blanks(q, end);
	q = word_end(p, end);
	*symbol = p;
	while (p < q && *p != '+')
		p++;
	*len = (size_t)(p - *symbol);
}

void perf_comment(struct dec *d, const char *line, const char *end)
{
	static const struct {
		const char *key, *meta;
	} facts[] = {
		{ "# os release : ", "kernel.release" },
		{ "# arch : ", "arch" },
		{ "# nrcpus online : ", "cpus" },
	};
	char value[200];
	size_t i, n;

	for (i = 0; i < ZSR_ARRAY_SIZE(facts); i++) {
		n = strlen(facts[i].key);
		if (!text_begins(line, end, facts[i].key) ||
		    (size_t)(end - line) == n)
			continue;
		dec_printable(value, sizeof(value), line + n,
			      (size_t)(end - line) - n);
		d->have_release |= !i;
		dec_out_meta(d->out, facts[i].meta, value);
	}
}

bool dec_is_perf_text(const uint8_t *head, size_t len)
{
	const char *p = (const char *)head, *end = p + len, *nl, *stop;
	struct text_head h;
	uint64_t count;

	for (; p < end && (nl = memchr(p, '\n', (size_t)(end - p))); p = nl + 1) {
		stop = nl > p && nl[-1] == '\r' ? nl - 1 : nl;
		if (p == stop || *p == '#' || perf_lost_line(p, stop, &count))
			continue;
		return perf_head(&h, p, stop) &&
		       (perf_is_own(&h) || memchr(h.name, ':', h.name_len));
	}
	return false;
}
