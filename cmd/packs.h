/* SPDX-License-Identifier: GPL-2.0-only */
/* Packs on the command line, and runs that are made again. */
#ifndef ZSR_CMD_PACKS_H
#define ZSR_CMD_PACKS_H

#include "cmd/cmd.h"
#include "pack/pack.h"
#include "replay/replay.h"

/*
 * The pack that ARG is, or that a mail has in it: 1; 0 when it is none, or
 * nothing that can be opened. For "-" standard input may be put into a file
 * without a name first, which is standard input from then on.
 */
int zsr_cmd_pack_open(const char *arg, struct zsr_pack **p, struct zsr_err *err);

/* Says why there is none, where there has to be one. */
int zsr_cmd_no_pack(const char *arg, struct zsr_err *err);

/* Its trace into DB, once: known_is_fine as in zsr_cmd_import_file(). NAME may
 * be NULL. */
int zsr_cmd_pack_import(struct zsr_pack *p, struct zsr_db *db, const char *name,
			bool force, struct zsr_imported *out,
			struct zsr_err *err);

/*
 * Replay T as RUN was, whose inputs came from anywhere: fn() gets the new run.
 * PROFILE_TEXT is the profile's text, NULL for the shipped one of that name.
 * 1, and nothing was done, for what cannot be made again (host clock,
 * plug-ins, files of another machine).
 */
int zsr_cmd_again(struct zsr_db *db, const struct zsr_trace *t,
		  const struct zsr_run *run, const char *profile_text,
		  int (*fn)(void *ctx, struct zsr_run *run, struct zsr_err *err),
		  void *ctx, struct zsr_err *err);

enum zsr_kept { ZSR_KEPT, ZSR_BROKEN, ZSR_PASSED_OVER };

/*
 * RUN of a pack (see zsr_results_read()) made again on the pack's trace T:
 * *kept says whether the promised digest came out, WHY (SIZE bytes) what else;
 * fn() gets the run when it did, and may be NULL. Runs that cannot be made
 * again here are passed over.
 */
int zsr_cmd_promise(struct zsr_db *db, const struct zsr_trace *t,
		    const struct zsr_run *run, enum zsr_kept *kept, char *why,
		    size_t size,
		    int (*fn)(void *ctx, struct zsr_run *run,
			      struct zsr_err *err),
		    void *ctx, struct zsr_err *err);
/* Whether RUN, of the same trace, is the one that is promised. */
bool zsr_cmd_is_promised(const struct zsr_run *promised,
			 const struct zsr_run *run);

#endif
