/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An op sequence made ready to be timed: small, in memory, and each call with
 * the place of its handle in a table of those that are live.
 */
#ifndef ZSR_ENGINE_TIMED_H
#define ZSR_ENGINE_TIMED_H

#include "base/base.h"
#include "replay/engine/check/kernel/abi.h"
#include "replay/engine/engine.h"

struct zsr_timed_ops {
	struct zsr_timed_op *op;
	size_t nr, cap;
	uint32_t *place; /* by id */
	size_t nr_ids, ids_cap;
	uint32_t *unused; /* places that hold nothing at the end */
	size_t nr_unused, unused_cap;
	uint32_t nr_places;
	uint64_t nr_timed; /* mallocs and frees */
};

/* Mallocs, frees and compactions of the file at PATH; anything else in it is an
 * input error. Free O in any case. */
int zsr_timed_ops_load(struct zsr_timed_ops *o, const char *path,
		       struct zsr_err *err);
/* The most pages that the calls, made in the new pool E, need at once; HANDLE has
 * nr_places. */
uint64_t zsr_timed_ops_peak(const struct zsr_timed_ops *o, struct zsr_engine *e,
			    zsr_handle *handle);
void zsr_timed_ops_free(struct zsr_timed_ops *o);

#endif
