/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a run keeps column by column from the first release on: columns of equal
 * length, which doubles whenever they run out, so that memory stays flat.
 */
#ifndef ZSR_OVERTIME_H
#define ZSR_OVERTIME_H

#include "base/base.h"
#include "db/db.h"

#define ZSR_OVERTIME_COLS  1024
#define ZSR_OVERTIME_CLASS 256 /* columns of size classes */
#define ZSR_OVERTIME_ROWS  128 /* latencies: four a power of two, up to 8 s */

/* What is in a size class now: bytes of a slot (0: no such class), objects and
 * pages. */
struct zsr_class_use {
	uint32_t size;
	uint32_t objects, pages;
};

struct zsr_overtime {
	/* Who knows the size classes; set before the first release. */
	struct zsr_class_use (*use)(const void *ctx, unsigned class);
	const void *use_ctx;
	uint32_t nr_classes;
	bool begun;
	uint64_t begin_ps;
	/* Counts of releases that ended in a column, by how long they took. */
	uint64_t latency_step;
	uint32_t *latency; /* ZSR_OVERTIME_ROWS x ZSR_OVERTIME_COLS */
	uint32_t nr_latency;
	/* Objects and pages of the size classes, as each column ends. */
	uint64_t class_step;
	struct zsr_overtime_class {
		uint32_t size;
		uint32_t *past; /* ZSR_OVERTIME_CLASS of objects, of pages;
				 * NULL: nothing ever was in it */
	} * class;
	uint32_t nr_past; /* columns that are over */
	/* How long each CPU was busy in a column, with what: cumulative ps of
	 * CPU and kind (ZSR_NR_BUSY of them), from whoever sets this. */
	void (*busy)(const void *ctx, uint64_t now, uint64_t *ps); /* use_ctx */
	unsigned nr_cpus;
	uint64_t *busy_last; /* as the last column ended */
	uint64_t *busy_now;
	uint32_t *busy_past; /* ns; ZSR_OVERTIME_CLASS of each */
	/* Pages when each mark was played. */
	uint64_t *mark;
	uint64_t *mark_pages;
	size_t nr_marks, cap_marks, cap_mark_pages;
	bool nomem;
};

void zsr_overtime_begin(struct zsr_overtime *o, uint64_t ps);
/* A release that took NS ended at PS. */
void zsr_overtime_release(struct zsr_overtime *o, uint64_t ps, uint64_t ns);
/* What happens from here on happens at PS. */
void zsr_overtime_pass(struct zsr_overtime *o, uint64_t ps);
void zsr_overtime_mark(struct zsr_overtime *o, uint64_t mark, uint64_t pages);
/* All of it into RUN, what follows is not recorded. 0 or -ENOMEM, also for
 * memory that was missing before. */
int zsr_overtime_finish(struct zsr_overtime *o, uint64_t ps,
			struct zsr_run *run);
void zsr_overtime_free(struct zsr_overtime *o);

#endif
