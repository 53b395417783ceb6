/* SPDX-License-Identifier: GPL-2.0-only */
/* What a query wants of zsr_event. */
#ifndef ZSR_DB_VFILTER_H
#define ZSR_DB_VFILTER_H

#include "db/reader.h"
#include "db/vplan.h"

enum {
	ZSR_VEVENT_TRACE,
	ZSR_VEVENT_T_NS,
	ZSR_VEVENT_DUR_NS,
	ZSR_VEVENT_CPU,
	ZSR_VEVENT_TASK,
	ZSR_VEVENT_COMM,
	ZSR_VEVENT_KIND,
	ZSR_VEVENT_POOL,
	ZSR_VEVENT_OBJ,
	ZSR_VEVENT_SIZE,
	ZSR_VEVENT_CALLER,
	ZSR_VEVENT_SLOT,
	ZSR_VEVENT_GFP,
	ZSR_VEVENT_CGROUP,
	ZSR_VEVENT_FLAGS,
	ZSR_VEVENT_AUX,
	ZSR_VEVENT_LIFE_NS,
};

#define ZSR_VTAB_EVENT_SQL                                                     \
	"CREATE TABLE zsr_event (trace INTEGER, t_ns INTEGER, "                \
	"dur_ns INTEGER, cpu INTEGER, task INTEGER, comm TEXT, "               \
	"kind TEXT, pool INTEGER, obj INTEGER, size INTEGER, "                 \
	"caller TEXT, slot INTEGER, gfp INTEGER, cgroup INTEGER, "             \
	"flags INTEGER, aux INTEGER, life_ns INTEGER)"

struct zsr_vfilter {
	struct zsr_range trace;
	struct zsr_range t_ns;
	struct zsr_range cpu;
	struct zsr_range task;
	unsigned kinds; /* bit per kind */
	bool nothing; /* no row can match */
	unsigned want; /* ZSR_WANT_*, ZSR_READ_* */
};

int zsr_vfilter_best_index(sqlite3_vtab *t, sqlite3_index_info *info);
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
