/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the files of the check. */
#ifndef ZSR_CHECK_PRIVATE_H
#define ZSR_CHECK_PRIVATE_H

#include <signal.h>
#include <sys/types.h>

#include "replay/engine/check/check.h"
#include "replay/engine/check/kernel/abi.h"
#include "replay/engine/engine.h"

#define ZSR_CHECK_PATH 4096

/* ---- child.c: children, and being told to stop -------------------------- */

struct zsr_child {
	pid_t pid;
	int fd; /* what it has to say */
};

struct zsr_signals {
	sigset_t mask;
	struct sigaction action[3];
};

/* From here to the restoring, signals that end the process only make reading
 * from a child fail; restoring lets them have their way. */
void zsr_signals_hold(struct zsr_signals *s);
void zsr_signals_restore(const struct zsr_signals *s);

/* RUN is called in a child in a process group of its own, with the signals as
 * they were, and returns its exit code. */
int zsr_child_start(struct zsr_child *c, const struct zsr_signals *s,
		    int (*run)(void *ctx, int fd), void *ctx,
		    struct zsr_err *err);
/* As read(2); -EINTR and a system error after a signal. */
ssize_t zsr_child_read(struct zsr_child *c, const struct zsr_signals *s,
		       void *buf, size_t len, struct zsr_err *err);
/* Kills it when it still runs; its wait status. */
int zsr_child_end(struct zsr_child *c);

/* ---- build.c: from a tree to a shared object ------------------------------- */

struct zsr_check_build {
	char dir[ZSR_CHECK_PATH];
	char tree[ZSR_CHECK_PATH]; /* absolute */
	char release[64];
};

int zsr_check_dir_make(struct zsr_check_build *b, struct zsr_err *err);
void zsr_check_dir_remove(struct zsr_check_build *b);
/* What the tree is, and everything a compiler needs. */
int zsr_check_prepare(struct zsr_check_build *b, const char *tree,
		      struct zsr_err *err);
/* DIR/NAME.so; observe: built to be looked at, not to be timed. */
int zsr_check_compile(struct zsr_check_build *b, const struct zsr_signals *s,
		      const char *name, bool observe, unsigned page_size,
		      unsigned chain_size, struct zsr_err *err);

/* ---- compare.c --------------------------------------------------------------- */

/* The allocator at hand; one a process. */
int zsr_check_load(const struct zsr_check_build *b, const char *name,
		   const struct zsr_kernel_host *host,
		   const struct zsr_kernel **k, struct zsr_err *err);

struct zsr_check_compare {
	const struct zsr_kernel *kernel;
	const struct zsr_model *model;
	unsigned page_size;
	unsigned chain_size;
	/* The outcome. */
	uint64_t ops;
	uint64_t rows;
	char difference[512]; /* "": none */
};

/* For the host's event. */
void zsr_check_event(int made, unsigned long zspage, unsigned class_index,
		     unsigned zspage_pages, unsigned long pages);
/* The op at hand, as an error may want to name it; "" outside of them. */
const char *zsr_check_at(char buf[64]);
int zsr_check_compare(struct zsr_check_compare *c, const char *path,
		      struct zsr_err *err);

/* ---- generate.c ----------------------------------------------------------------- */

/* Write the Ith of our sequences for pages of page_size bytes: its name, NULL
 * when there are no more. */
const char *zsr_check_generate(unsigned i, unsigned page_size, FILE *f);
/* The same of those for timing. */
const char *zsr_check_generate_timed(unsigned i, unsigned page_size, FILE *f);

/* ---- timing.c -------------------------------------------------------------------- */

unsigned long zsr_check_clock_ns(void);

int zsr_check_time(const struct zsr_check_compare *c, const char *path,
		   struct zsr_check_timing *t, struct zsr_err *err);

#endif
