/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What this machine takes for the steps of a profile: the host machine, its
 * locks and the engine, as a replay on threads uses them.
 *
 * A figure comes from many short rounds, of some microseconds each, of which
 * the median counts. A round during which the system took the CPU from one of
 * its threads is made again.
 */
#ifndef ZSR_CALIBRATE_H
#define ZSR_CALIBRATE_H

#include "replay/host_book.h"
#include "replay/machine/virtual/vm.h"
#include "replay/replay.h"

/* Figures that are no cost of a step: name, unit, what they are. */
#define ZSR_CAL_FIGURES(X)                                                     \
	X(wake_latency, "ps", "from queueing an item to its worker")           \
	X(worker_create, "ps", "from creating a thread to its first step")     \
	X(spread, "permille", "of releases, between their quartiles")          \
	X(smt_speed, "permille", "beside a busy CPU of the same core")         \
	X(shared_cache, "permille", "beside a busy CPU of the same cache")     \
	X(cache_miss, "ps", "a load from memory, its page known")              \
	X(tlb_miss, "ps", "what it takes more when the page is not known")     \
	X(clock_read, "ps", "two clock readings with nothing between")         \
	X(release, "ps", "a whole release of class-idx")                       \
	X(release_sync, "ps", "a whole release of sync")

enum {
	ZSR_CAL_first = ZSR_NR_COSTS - 1,
#define X(name, unit, text) ZSR_CAL_##name,
	ZSR_CAL_FIGURES(X)
#undef X
		ZSR_NR_CAL
};

/* What the rounds of one figure say. */
struct zsr_figure {
	bool known;
	int64_t q1, median, q3; /* ps, or permille */
	unsigned rounds;
	const char *why; /* it is what it is; NULL: measured as its step */
};

struct zsr_cal {
	const struct zsr_calibrate_opts *opts;
	const struct zsr_profile *base;
	struct zsr_clock clock;
	unsigned rounds;
	unsigned nr_cpus, cpu[ZSR_MAX_CPUS]; /* of the system, that we may use */
	struct zsr_figure figure[ZSR_NR_CAL];
	uint64_t speed[ZSR_MAX_CPUS]; /* permille of that of CPU 0 */
	unsigned smt_cpus;
	uint64_t pcp_batch, pcp_high; /* of a replay on threads */
	/* Zspages that releases emptied, and their pages, of 1000 releases. */
	uint64_t emptied_permille, pages_permille;
	uint64_t disturbed, all; /* rounds */
	double load_average; /* when all began; for readers only */
	struct zsr_progress progress;
	unsigned done;
};

/* ---- rounds ------------------------------------------------------------ */

struct zsr_samples {
	int64_t *v;
	size_t nr, cap;
};

/* 0 or -ENOMEM. */
int zsr_samples_add(struct zsr_samples *s, int64_t v);
void zsr_samples_free(struct zsr_samples *s);
/* Sorts S. */
void zsr_figure_set(struct zsr_figure *f, struct zsr_samples *s);

/*
 * ROUND(ctx, &v) once for every round, until as many as asked for went
 * undisturbed (or three times as many were made), into FIGURE. Returns 0 or
 * what a round or memory failed with.
 */
int zsr_cal_rounds(struct zsr_cal *c, unsigned figure,
		   int (*round)(void *ctx, int64_t *v), void *ctx);

/* Times that the system took the CPU from the calling thread. */
uint64_t zsr_cal_preempted(void);

/* The calling thread runs on CPU (of c->cpu) alone, and on all of them again. */
void zsr_cal_pin(const struct zsr_cal *c, unsigned cpu);
void zsr_cal_unpin(const struct zsr_cal *c);

/* Ticks of NR equal things, in ps of one. */
static inline int64_t zsr_cal_each(const struct zsr_cal *c, uint64_t ticks,
				   unsigned nr)
{
	return (int64_t)(zsr_ticks_ps(&c->clock, ticks) / nr);
}

/* ---- what is measured ------------------------------------------------------ */

/* Locks, atomics, lines between CPUs, misses: calibrate_lock.c. */
int zsr_cal_locks(struct zsr_cal *c, struct zsr_err *err);
/* Threads: calibrate_thread.c. */
int zsr_cal_threads(struct zsr_cal *c, struct zsr_err *err);
/* The engine's steps: calibrate_steps.c. */
int zsr_cal_steps(struct zsr_cal *c, struct zsr_err *err);
/* And what they do by page, the page lists, the policies' buffers, compaction:
 * calibrate_pages.c. So far the unlinking and the freeing of a zspage are known
 * as a whole, and what a store takes with and without a new one. */
int zsr_cal_pages(struct zsr_cal *c, struct zsr_err *err);
/* CPUs beside each other: calibrate_cpus.c. */
int zsr_cal_cpus(struct zsr_cal *c, struct zsr_err *err);

/* The profile: calibrate_text.c. NULL without memory. */
char *zsr_cal_text(const struct zsr_cal *c);

/* ---- a pool on the host machine (calibrate_pool.c) --------------------------- */

struct zsr_cal_pool {
	struct zsr_host *h;
	struct zsr_host_thread self;
	struct zsr_host_book book;
	struct zsr_hist queued;
	struct zsr_pool pool;
	struct zsr_releaser releaser;
	uint32_t nr_releasing;
	uint32_t nr; /* objects */
	uint32_t *slot; /* of each */
	uint32_t *size;
};

/* On a machine of its own, used by the calling thread, on CPU; for storing and
 * releasing NR objects so many times. Free it also after a failure. */
int zsr_cal_pool_init(struct zsr_cal_pool *p, const struct zsr_cal *c,
		      unsigned cpu, uint32_t nr, unsigned times,
		      uint32_t (*draw)(void *ctx), void *ctx,
		      struct zsr_err *err);
void zsr_cal_pool_free(struct zsr_cal_pool *p);
/* Store object I; 0 or -errno. */
int zsr_cal_store(struct zsr_cal_pool *p, uint32_t i);

#endif
