/* SPDX-License-Identifier: GPL-2.0-only */
/* A trace's calls through an engine, without policy or machine. */
#ifndef ZSR_CMD_ENGINE_TRACE_H
#define ZSR_CMD_ENGINE_TRACE_H

#include "db/db.h"
#include "replay/engine/engine.h"

/*
 * Make the calls of pool POOL in the order of the trace, up to the first mark
 * that reads MARK (NULL: to the end). An input error when there is no such
 * mark, or when a call makes no sense.
 */
int zsr_engine_play_trace(struct zsr_engine *e, struct zsr_db *db,
			  const struct zsr_trace *t, unsigned pool,
			  const char *mark, struct zsr_err *err);

#endif
