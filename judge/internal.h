/* SPDX-License-Identifier: GPL-2.0-only */
/* Private to judge/. */
#ifndef ZSR_JUDGE_INTERNAL_H
#define ZSR_JUDGE_INTERNAL_H

#include "judge/judge.h"
#include "judge/table.h"

/* ---- one comparison ---------------------------------------------------- */

#define JUDGE_TOLD 10 /* differences told of each */

struct judge_result {
	struct zsr_judged j;
	char remark[160];
	char told[JUDGE_TOLD][160];
};

void judge_start(struct judge_result *r, const char *mark, const char *what);
void judge_value(struct judge_result *r, const char *name, uint64_t kernel,
		 uint64_t engine);
void judge_differs(struct judge_result *r, const char *fmt, ...)
	ZSR_PRINTF(2, 3);
/* Not compared, or not all of it. */
void judge_remark(struct judge_result *r, const char *fmt, ...) ZSR_PRINTF(2, 3);

/* ---- what is compared with zram's and zsmalloc's own numbers (snapshot.c) --- */

struct judge_state {
	const struct zsr_engine *e;
	uint64_t live; /* objects */
	uint64_t live_bytes; /* as asked for */
	uint64_t live_huge; /* of them a page long: zram could not compress */
	uint64_t nr_huge; /* ever */
	uint64_t peak_pages; /* after any malloc */
	uint32_t page_size;
	bool ordered; /* no two calls overlapped so far */
};

void judge_mm_stat(struct judge_result *r, const struct judge_state *s,
		   const char *text);
/* Returns 0 or -ENOMEM. */
int judge_classes(struct judge_result *r, const struct judge_state *s,
		  const char *text);

/* ---- do calls overlap? (order.c) ---------------------------------------- */

struct judge_order {
	uint64_t end_ns; /* the latest of a call so far */
	uint64_t other_end_ns; /* the latest on another CPU than that */
	unsigned cpu;
	bool any;
	bool others;
};

/* False: this call overlapped one of another CPU before it in the order, or may
 * have. */
bool judge_order_add(struct judge_order *o, const struct zsr_event *ev);

/* ---- places (places.c) ---------------------------------------------------- */

struct zsr_places {
	struct zsr_sink sink;
	struct zsr_sink *to;
	uint64_t *word; /* of the mallocs, in order */
	size_t nr;
	size_t cap;
	uint64_t nr_zspages; /* released */
};

/* The engine's pages and the kernel's, as far as objects tell. */
struct judge_pages {
	const struct zsr_engine *e;
	const struct zsr_places *places;
	struct judge_table pfn; /* + 1, by the engine's page */
	struct judge_table page; /* the engine's page + 1, by pfn */
	unsigned pfn_shift;
	unsigned idx_shift;
	uint64_t idx_mask;
	uint32_t page_size;
	uint64_t nr_freed; /* zspages of the engine */
	bool nomem;
};

/* An object was made at H: is it where the kernel has it? */
void judge_place(struct judge_pages *p, struct judge_result *r,
		 const struct zsr_event *ev, zsr_handle h);
void judge_zspage_gone(struct judge_pages *p, const struct zsr_zspage *z);

#endif
