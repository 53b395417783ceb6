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
	unsigned nr_told;
};

void judge_start(struct judge_result *r, const char *mark, const char *what);
void judge_value(struct judge_result *r, const char *name, uint64_t kernel,
		 uint64_t engine);
void judge_differs(struct judge_result *r, const char *fmt, ...)
	ZSR_PRINTF(2, 3);
/* Not compared, or not all of it. */
void judge_remark(struct judge_result *r, const char *fmt, ...) ZSR_PRINTF(2, 3);

/* ---- do calls overlap? (order.c) ---------------------------------------- */

struct judge_call {
	uint64_t end_ns; /* by then; UINT64_MAX: not yet seen */
	uint32_t task;
	bool any;
};

/* The latest call, and the latest of another task than its. */
struct judge_line {
	struct judge_call last;
	struct judge_call other;
	bool overlapped; /* calls did, or may have, since the trace began */
};

struct judge_task {
	uint64_t last_ns; /* its latest event */
	unsigned class; /* of the free it is in */
	bool in_free;
};

struct judge_order {
	struct judge_line *line; /* each class, and all together */
	struct judge_task *task;
	unsigned nr_classes;
};

/* Returns 0 or -ENOMEM; free in any case. */
int judge_order_init(struct judge_order *o, unsigned nr_classes,
		     unsigned nr_tasks);
void judge_order_free(struct judge_order *o);
/* A malloc or free of CLASS; when it began, at the earliest. */
uint64_t judge_order_add(struct judge_order *o, const struct zsr_event *ev,
			 unsigned class);
/* Any other event of a task. */
void judge_order_seen(struct judge_order *o, const struct zsr_event *ev);

static inline bool judge_ordered(const struct judge_order *o, unsigned class)
{
	return !o->line[class].overlapped;
}

static inline bool judge_all_ordered(const struct judge_order *o)
{
	return judge_ordered(o, o->nr_classes);
}

/* ---- zram's and zsmalloc's own numbers (snapshot.c, classes.c) ------------ */

struct judge_state {
	const struct zsr_engine *e;
	const struct judge_order *order;
	uint64_t live; /* objects */
	uint64_t live_bytes; /* as asked for */
	uint64_t live_huge; /* of them a page long: zram could not compress */
	uint64_t nr_huge; /* ever */
	uint64_t peak_pages; /* after any malloc */
	uint32_t page_size;
};

/*
 * Whether PAGES can be those of the pool, given the objects that are live: each
 * class whose calls overlapped has at least the zspages they need, and no more
 * than objects.
 */
bool judge_pages_possible(const struct judge_state *s, uint64_t pages);
void judge_mm_stat(struct judge_result *r, const struct judge_state *s,
		   const char *text);
/* PAGES: what mm_stat has at the same mark, UINT64_MAX: unknown. Returns 0 or
 * -ENOMEM. */
int judge_classes(struct judge_result *r, const struct judge_state *s,
		  const char *text, uint64_t pages);

/* ---- places (places.c) ---------------------------------------------------- */

struct zsr_places {
	struct zsr_sink sink;
	struct zsr_sink *to;
	uint64_t *word; /* of the mallocs, in order; 0: none */
	size_t nr_mallocs;
	size_t cap;
	size_t nr; /* words */
	struct judge_table malloc; /* the latest's number + 1, by handle */
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
	struct judge_class_places *class;
	uint64_t nr_compared;
	uint64_t nr_freed; /* zspages of the engine */
	bool nomem;
};

struct judge_class_places {
	uint64_t nr_differ;
	uint64_t since_ns; /* the first of them */
	char told[160]; /* and what it was */
};

/* An object was made at H: is it where the kernel has it? */
void judge_place(struct judge_pages *p, const struct zsr_event *ev,
		 zsr_handle h);
/* CLASS had calls that overlapped from BEGIN_NS on: what is different since is
 * no difference. */
void judge_places_forget(struct judge_pages *p, unsigned class,
			 uint64_t begin_ns);
void judge_places_result(const struct judge_pages *p, unsigned nr_classes,
			 struct judge_result *r);
void judge_zspage_gone(struct judge_pages *p, const struct zsr_zspage *z);

#endif
