/* SPDX-License-Identifier: GPL-2.0-only */
/* What a query wants of zsr_event: from SQLite's constraints to a filter. */
#ifndef ZSR_DB_VPLAN_H
#define ZSR_DB_VPLAN_H

#include <sqlite3.h>

#include "db/reader.h"

enum {
	ZSR_VCOL_TRACE,
	ZSR_VCOL_T_NS,
	ZSR_VCOL_DUR_NS,
	ZSR_VCOL_CPU,
	ZSR_VCOL_TASK,
	ZSR_VCOL_COMM,
	ZSR_VCOL_KIND,
	ZSR_VCOL_POOL,
	ZSR_VCOL_OBJ,
	ZSR_VCOL_SIZE,
	ZSR_VCOL_CALLER,
	ZSR_VCOL_SLOT,
	ZSR_VCOL_GFP,
	ZSR_VCOL_CGROUP,
	ZSR_VCOL_FLAGS,
	ZSR_VCOL_AUX,
	ZSR_VCOL_LIFE_NS,
};

#define ZSR_VTAB_SQL                                                           \
	"CREATE TABLE zsr_event (trace INTEGER, t_ns INTEGER, "                \
	"dur_ns INTEGER, cpu INTEGER, task INTEGER, comm TEXT, "               \
	"kind TEXT, pool INTEGER, obj INTEGER, size INTEGER, "                 \
	"caller TEXT, slot INTEGER, gfp INTEGER, cgroup INTEGER, "             \
	"flags INTEGER, aux INTEGER, life_ns INTEGER)"

/* Ranges are inclusive. */
struct zsr_vfilter {
	int64_t trace_min;
	int64_t trace_max;
	int64_t t_min;
	int64_t t_max;
	int64_t cpu_min;
	int64_t cpu_max;
	int64_t task_min;
	int64_t task_max;
	unsigned kinds; /* bit per kind */
	bool nothing; /* no row can match */
	unsigned want; /* ZSR_WANT_*, ZSR_READ_* */
};

int zsr_vplan_best_index(sqlite3_vtab *t, sqlite3_index_info *info);
void zsr_vfilter_init(struct zsr_vfilter *f, int plan, const char *str,
		      int argc, sqlite3_value **argv);
/* Every chunk from this one on lies after the wanted times. */
bool zsr_vfilter_after(const struct zsr_vfilter *f,
		       const struct zsr_chunk_info *c);
/* The chunk may have wanted rows. */
bool zsr_vfilter_chunk(const struct zsr_vfilter *f,
		       const struct zsr_chunk_info *c);

/* The numbers of the wanted rows among the N (at most 65536) of chunk C that
 * are given, into WANT; how many. */
unsigned zsr_vfilter_rows(const struct zsr_vfilter *f,
			  const struct zsr_chunk_info *c,
			  const struct zsr_event *ev, unsigned n,
			  uint16_t *want);

#endif
