/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What events of a trace add up to: rows of whole numbers, made while the events
 * are read, in memory for the live objects and tasks only. Each sum is a virtual
 * table (vtab_sums.c).
 */
#ifndef ZSR_DB_SUMS_H
#define ZSR_DB_SUMS_H

#include "db/classes.h"
#include "db/reader.h"

#define ZSR_SUM_VALUES 5

struct zsr_sum_row {
	int64_t value[ZSR_SUM_VALUES];
};

struct zsr_task_sum;

/* One trace while it is read. */
struct zsr_sums {
	struct zsr_sum_row *rows; /* that were made; whoever reads them sets nr 0 */
	size_t nr_rows;
	size_t cap_rows;

	uint64_t duration_ns; /* of the trace */
	struct zsr_classes classes; /* of its kernel and pages */
	bool has_classes;

	uint64_t bucket; /* of times, plus 1 */
	int64_t objects, bytes;
	struct {
		int64_t nr, bytes;
	} count[257]; /* by size, or by lifetime */
	struct zsr_task_sum *tasks;
	size_t nr_tasks;
	size_t cap_tasks;
};

struct zsr_sum {
	const char *name;
	const char *ddl; /* trace, then the values of its rows */
	unsigned want; /* of zsr_reader_open() */
	/* Events, with the births of what they free if those are wanted; all
	 * events were added. -ENOMEM. */
	int (*add)(struct zsr_sums *s, const struct zsr_event *ev,
		   const uint64_t *births, size_t n);
	int (*end)(struct zsr_sums *s);
};

enum { ZSR_NR_SUMS = 5 };
extern const struct zsr_sum zsr_sum_list[ZSR_NR_SUMS];

/* Before the first event of a trace; memory is kept. */
void zsr_sums_start(struct zsr_sums *s);
void zsr_sums_free(struct zsr_sums *s);

#endif
