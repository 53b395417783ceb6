// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's numbers beside the engine's. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "judge/internal.h"

void judge_start(struct judge_result *r, const char *mark, const char *what)
{
	memset(r, 0, sizeof(*r));
	r->j.mark = mark;
	r->j.what = what;
	r->j.remark = r->remark;
}

void judge_differs(struct judge_result *r, const char *fmt, ...)
{
	va_list ap;

	if (r->j.nr_differ < JUDGE_TOLD) {
		va_start(ap, fmt);
		vsnprintf(r->told[r->j.nr_differ], sizeof(r->told[0]), fmt, ap);
		va_end(ap);
	}
	r->j.nr_differ++;
}

void judge_remark(struct judge_result *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->remark, sizeof(r->remark), fmt, ap);
	va_end(ap);
}

void judge_value(struct judge_result *r, const char *name, uint64_t kernel,
		 uint64_t engine)
{
	r->j.nr_compared++;
	if (kernel != engine)
		judge_differs(r, "%s: kernel %" PRIu64 ", engine %" PRIu64,
			      name, kernel, engine);
}

/* ---- mm_stat ---------------------------------------------------------------- */

enum {
	ORIG,
	COMPR,
	USED,
	LIMIT,
	MAX,
	SAME,
	COMPACTED,
	HUGE_NOW,
	HUGE_EVER,
	NR
};

static unsigned parse(const char *text, uint64_t v[NR])
{
	unsigned n;
	char *end;

	for (n = 0; n < NR; n++, text = end) {
		v[n] = strtoull(text, &end, 10);
		if (end == text)
			break;
	}
	return n;
}

void judge_mm_stat(struct judge_result *r, const struct judge_state *s,
		   const char *text)
{
	uint64_t v[NR] = { 0 }, pages = zsr_engine_pages(s->e);
	unsigned n = parse(text, v);

	if (n <= COMPACTED) {
		judge_remark(r, "%u numbers, no zram's mm_stat", n);
		return;
	}
	r->j.kernel_pages = v[USED] / s->page_size;
	r->j.engine_pages = pages;
	judge_value(r, "bytes of pages", v[USED], pages * s->page_size);
	judge_value(r, "bytes of objects", v[COMPR], s->live_bytes);
	/* Pages of one repeated word are stored without an object. */
	judge_value(r, "bytes stored", v[ORIG],
		    (s->live + v[SAME]) * s->page_size);
	judge_value(r, "pages compacted", v[COMPACTED],
		    zsr_engine_pages_compacted(s->e));
	if (n > HUGE_NOW)
		judge_value(r, "huge pages", v[HUGE_NOW], s->live_huge);
	if (n > HUGE_EVER)
		judge_value(r, "huge pages ever", v[HUGE_EVER], s->nr_huge);
	if (s->ordered)
		judge_value(r, "most bytes of pages", v[MAX],
			    s->peak_pages * s->page_size);
	else
		judge_remark(r, "the most is not compared: calls overlapped");
}

/* ---- classes ---------------------------------------------------------------- */

#define COLUMNS 24

/* A line of the table: its columns, and whether there was one at all. */
static unsigned cut(char **text, char *column[COLUMNS])
{
	char *line = strsep(text, "\n"), *save = NULL, *word;
	unsigned n = 0;

	for (word = line ? strtok_r(line, " \t", &save) : NULL;
	     word && n < COLUMNS; word = strtok_r(NULL, " \t", &save))
		column[n++] = word;
	return n;
}

/* The next line that is not empty. */
static unsigned row(char **text, char *column[COLUMNS])
{
	unsigned n = 0;

	while (*text && !n)
		n = cut(text, column);
	return n;
}

static void compare_row(struct judge_result *r, char *const head[COLUMNS],
			unsigned nr_head, char *const k[COLUMNS],
			char *const e[COLUMNS], unsigned n)
{
	/* The last line has a name, no size and no pages a zspage. */
	bool total = n < nr_head;
	const char *name;
	unsigned i;

	for (i = 0; i < n; i++) {
		name = head[!total || !i ? i : i + 1];
		if (total && i + 1 == n)
			name = head[nr_head - 1];
		r->j.nr_compared++;
		if (strcmp(k[i], e[i]))
			judge_differs(r, "class %s: %s: kernel %s, engine %s",
				      e[0], name, k[i], e[i]);
	}
}

static void compare_tables(struct judge_result *r, char *kernel, char *engine)
{
	char *head[COLUMNS], *k[COLUMNS], *e[COLUMNS];
	unsigned nr_head = row(&kernel, k), n, m, i;

	n = row(&engine, head);
	for (i = 0; i < n && i < nr_head && !strcmp(k[i], head[i]); i++)
		;
	if (n != nr_head || i < n) {
		judge_remark(r, "other columns than those of the engine");
		return;
	}
	do {
		n = row(&kernel, k);
		m = row(&engine, e);
		if (n == m && n) {
			compare_row(r, head, nr_head, k, e, n);
		} else if (n != m) {
			r->j.nr_compared++;
			judge_differs(r, "class %s: %u columns, engine: %u",
				      n ? k[0] : e[0], n, m);
		}
	} while (n && m);
}

int judge_classes(struct judge_result *r, const struct judge_state *s,
		  const char *text)
{
	char *kernel = strdup(text), *engine = NULL;
	size_t len;
	FILE *f = open_memstream(&engine, &len);
	int ret = kernel && f ? 0 : -ENOMEM;

	if (f) {
		zsr_engine_write_classes(s->e, f);
		if (fclose(f))
			ret = -ENOMEM;
	}
	if (!ret)
		compare_tables(r, kernel, engine);
	free(kernel);
	free(engine);
	return ret;
}
