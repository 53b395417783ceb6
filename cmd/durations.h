/* SPDX-License-Identifier: GPL-2.0-only */
/* How long the calls of a trace took, as measured and without the probes. */
#ifndef ZSR_CMD_DURATIONS_H
#define ZSR_CMD_DURATIONS_H

#include <jansson.h>

#include "cmd/cmd.h"

enum zsr_duration_kind {
	ZSR_DUR_FREE,
	ZSR_DUR_ZSPAGE, /* handing a zspage back */
	ZSR_DUR_MALLOC,
	ZSR_DUR_COMPACT,
	ZSR_DUR_MUNMAP,
	ZSR_DUR_EXIT,
	ZSR_NR_DURS
};

#define ZSR_DUR_QUANTILES(X) /* name, of 1000 */                               \
	X(min, 0)                                                              \
	X(p50, 500)                                                            \
	X(p90, 900)                                                            \
	X(p99, 990)                                                            \
	X(p999, 999)                                                           \
	X(max, 1000)

struct zsr_quantiles { /* ns; exact below 64 us, else at most 0.003 % too low */
#define X(name, of) uint64_t name;
	ZSR_DUR_QUANTILES(X)
#undef X
};

struct zsr_durations {
	/* What the capture's own calibration says: of calls of a function that
	 * does next to nothing. median_ns is what a call looks longer by. */
	struct {
		uint64_t calls; /* 0: nobody measured it */
		uint64_t median_ns, p5_ns, p95_ns;
		uint64_t whole_ns; /* what a probed call is longer by for whoever
				    * calls; 0: not known */
		char method[32]; /* "" not known */
	} cost;
	struct {
		uint64_t calls;
		struct zsr_quantiles raw;
		bool has_net;
		struct zsr_quantiles net;
	} of[ZSR_NR_DURS];
};

const char *zsr_duration_name(unsigned kind);

/*
 * Reads the trace, twice when there are releases to correct. A call's own net
 * duration is what was measured less the median cost and less whole_ns for each
 * probed call within it; what would be less than nothing is 0.
 */
int zsr_durations_of(struct zsr_db *db, const struct zsr_trace *t,
		     struct zsr_durations *d, struct zsr_err *err);
void zsr_durations_print(const struct zsr_durations *d);
json_t *zsr_durations_json(const struct zsr_durations *d);

#endif
