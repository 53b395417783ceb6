/* SPDX-License-Identifier: GPL-2.0-only */
/* zsr replay --lttng: each run records itself and comes back as a trace. */
#ifndef ZSR_CMD_TRACING_H
#define ZSR_CMD_TRACING_H

#include "db/db.h"
#include "ust/ust.h"

/* Zeroed: nothing is recorded. */
struct zsr_tracing {
	struct zsr_lttng *lttng;
	char *dir; /* holds a directory for each run; NULL: none */
	char *path; /* the run's under way */
	bool quiet;
};

/* DIR NULL: tracepoints alone, for somebody else's session. It is
 * made when it is not there. */
int zsr_tracing_open(struct zsr_tracing *t, const char *dir,
		     struct zsr_err *err);
void zsr_tracing_close(struct zsr_tracing *t);

/* The run begins; it has ended and is stored: its recording is imported into
 * DB, and said beside what the run measured itself. */
int zsr_tracing_begin(struct zsr_tracing *t, const struct zsr_run *run,
		      struct zsr_err *err);
int zsr_tracing_end(struct zsr_tracing *t, struct zsr_db *db,
		    const struct zsr_run *run, struct zsr_err *err);

#endif
