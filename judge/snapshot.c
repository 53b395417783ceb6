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

	if (r->nr_told < JUDGE_TOLD) {
		va_start(ap, fmt);
		vsnprintf(r->told[r->nr_told++], sizeof(r->told[0]), fmt, ap);
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

bool judge_pages_possible(const struct judge_state *s, uint64_t pages)
{
	uint64_t least = 0, most = 0;
	struct zsr_class_stats stats;
	struct zsr_class_info c;
	unsigned i;

	for (i = 0; i < zsr_engine_nr_raw_classes(s->e); i++) {
		if (!zsr_engine_class_info(s->e, i, &c))
			continue;
		zsr_engine_class_stats(s->e, i, &stats);
		if (judge_ordered(s->order, i)) {
			least += stats.pages_used;
			most += stats.pages_used;
			continue;
		}
		least += (stats.obj_used + c.objs - 1) / c.objs * c.pages;
		most += stats.obj_used * c.pages;
	}
	return pages >= least && pages <= most;
}

static void judge_pages(struct judge_result *r, const struct judge_state *s,
			uint64_t bytes)
{
	uint64_t pages = bytes / s->page_size;

	if (pages != r->j.engine_pages && !(bytes % s->page_size) &&
	    judge_pages_possible(s, pages))
		judge_remark(r, "pages depend on the order of calls that "
				"overlapped");
	else
		judge_value(r, "bytes of pages", bytes,
			    r->j.engine_pages * s->page_size);
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
	judge_pages(r, s, v[USED]);
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
	if (judge_all_ordered(s->order))
		judge_value(r, "most bytes of pages", v[MAX],
			    s->peak_pages * s->page_size);
	else if (!*r->remark)
		judge_remark(r, "the most is not compared: calls overlapped");
}
