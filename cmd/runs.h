/* SPDX-License-Identifier: GPL-2.0-only */
/* RUN and TRACE arguments, as compare and report take them. */
#ifndef ZSR_CMD_RUNS_H
#define ZSR_CMD_RUNS_H

#include "analyze/analyze.h"

/*
 * Load the runs ARGS name and hand them to FN with the database; trace[i] is the
 * trace of run[i], or NULL when the database no longer has it. *BY_NUMBER, which
 * may be NULL, says whether each was given by its number. See zsr_cmd_runs().
 */
int zsr_cmd_with_runs(const char *name, const char *db_path,
		      const char *const *args, int nr_args, bool *by_number,
		      int (*fn)(void *ctx, const struct zsr_run *const *run,
				const struct zsr_trace *const *trace, size_t nr,
				struct zsr_db *db, struct zsr_err *err),
		      void *ctx, struct zsr_err *err);

/*
 * Load and analyse the runs ARGS name: #N or N is a run, anything else a trace
 * (see zsr_cmd_trace()) and with it all its runs, for which those of a pack are
 * made again, once, and have to keep their promises; without args it is all
 * runs of the trace replayed last. Of runs that say the same twice only the
 * latest is kept, unless each was named by its number. Sets
 * opts->drop_repeats. NAME is the command's.
 */
int zsr_cmd_runs(const char *name, const char *db_path, const char *const *args,
		 int nr_args, struct zsr_analyze_opts *opts,
		 struct zsr_analysis *a, struct zsr_err *err);

/* The run that ARG (#N or N) means: 1 with its id, 0 when it is no run's
 * number, -EINVAL. */
int zsr_cmd_run_id(const char *arg, int64_t *id, struct zsr_err *err);

#endif
