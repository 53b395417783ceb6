/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The engine against the file it claims to equal: a kernel tree's own
 * mm/zsmalloc.c, built as it is behind stand-ins for what it includes, runs the
 * same op sequences in a child process.
 */
#ifndef ZSR_CHECK_H
#define ZSR_CHECK_H

#include "base/base.h"

struct zsr_check_pool {
	const char *release; /* of the tree */
	const char *model; /* the engine's rules for it */
	unsigned page_size;
	unsigned chain_size;
};

/* A sequence that was run through both. */
struct zsr_check_result {
	const char *name;
	uint64_t ops; /* up to the difference */
	uint64_t rows; /* compared: those that `zsr engine run` writes */
	const char *difference; /* the first, or NULL */
};

/* A sequence that was timed in both, alternately: medians. */
struct zsr_check_timing {
	const char *name;
	uint64_t ops;
	unsigned rounds;
	double kernel_ns; /* an op */
	double engine_ns; /* of the state-only build */
	double backed_ns; /* of the backed one, its pages touched before */
};

struct zsr_check {
	const char *tree; /* where the kernel's source is unpacked */
	const char *const *sequences; /* files; none: sequences of our own */
	unsigned nr_sequences;
	unsigned page_size; /* bytes, 0: 4096 */
	unsigned chain_size; /* pages, 0: the kernel's default */
	bool time; /* too, when there is no difference */
	/* What to time; none: the sequences, or some of our own. */
	const char *const *timed_sequences;
	unsigned nr_timed_sequences;

	void *ctx;
	void (*begin)(void *ctx, const struct zsr_check_pool *pool);
	void (*checked)(void *ctx, const struct zsr_check_result *result);
	void (*timed)(void *ctx, const struct zsr_check_timing *timing);
};

/*
 * 0 when nothing differs, 1 after the first difference, or -errno: an input
 * error when the tree is none, its file does not compile or what it does stops
 * it, a system error without a compiler ($CC, else cc). The callbacks are
 * called in the order above from this thread. Works in a directory of its own
 * in $TMPDIR, which is gone afterwards, also when SIGINT, SIGTERM, SIGHUP or
 * SIGPIPE end the process; other threads must leave these signals alone.
 */
int zsr_check_run(const struct zsr_check *c, struct zsr_err *err);

#endif
