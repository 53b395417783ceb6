/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages of 32-bit words (handles, slots), and the queue the proposals of 2026
 * build of them: a page a CPU, a fixed pool to exchange full ones for, a list
 * of full pages for a worker.
 *
 * Room and push run with preemption off and take no lock unless a page is
 * exchanged. What needs nobody else to be there:
 *
 *                      room, push    take, give    a CPU's own page
 *   room, push         other CPUs    yes           its CPU, preemption off
 *   take, give         yes           yes           yes
 *
 * The page of a CPU that has gone, or while nobody releases, is anybody's.
 */
#ifndef ZSR_PERCPU_H
#define ZSR_PERCPU_H

#include "replay/policy/policy.h"

struct zsr_words {
	struct zsr_words *next;
	unsigned count;
	unsigned cpu; /* that filled it: has its lines */
	uint32_t word[];
};

/* An empty one for CAP words; NULL without memory. */
struct zsr_words *zsr_words_new(uint64_t cap);
/* The calling CPU is about to read what another one wrote: the lines of W,
 * whose words stand for BYTES each, come over. */
void zsr_words_fetch(struct zsr_machine *m, const struct zsr_words *w,
		     unsigned bytes);
/* W and all behind it. */
void zsr_words_free(struct zsr_words *w);

struct zsr_percpu;

/* The page that a CPU fills. */
struct zsr_percpu_cpu {
	struct zsr_percpu *all;
	struct zsr_words *page; /* NULL: the CPU has gone */
	struct zsr_delayed_work timer;
};

/* The owner sets drain and nr_drains before init. */
struct zsr_percpu {
	struct zsr_work *drain[ZSR_MAX_CPUS]; /* queued for full pages, in turn */
	unsigned nr_drains;
	unsigned turn;
	struct zsr_machine *m;
	uint64_t entries; /* words a page */
	uint64_t flush_ns; /* a word waits so long in a CPU's page; 0: forever */
	struct zsr_spinlock lock; /* protects turn and the two lists */
	struct zsr_line lists;
	struct zsr_words *empty;
	struct zsr_words *full; /* oldest first */
	struct zsr_words **full_tail;
	struct zsr_workqueue timers; /* bound: only a CPU fills its page */
	struct zsr_percpu_cpu cpu[ZSR_MAX_CPUS];
};

/* A page of ENTRIES words, which stand for BYTES each, for each CPU and PAGES,
 * at least one, in the pool, counted as the policy's buffers. 0 or -ENOMEM;
 * destroy it then, too. */
int zsr_percpu_init(struct zsr_percpu *q, struct zsr_pool *p, uint64_t entries,
		    unsigned bytes, uint64_t pages, uint64_t flush_ms);
void zsr_percpu_destroy(struct zsr_percpu *q);

/* Is there room for a word in this CPU's page, or in one it is exchanged for?
 * Preemption is off from here to the push. */
bool zsr_percpu_room(struct zsr_percpu *q);
void zsr_percpu_push(struct zsr_percpu *q, uint32_t word);

/* The oldest full page, NULL when there is none; give it back empty. */
struct zsr_words *zsr_percpu_take(struct zsr_percpu *q);
void zsr_percpu_give(struct zsr_percpu *q, struct zsr_words *w);

/* Stop the timers and wait for the drain works: only the CPUs' own pages may
 * hold words then. Sleeps; nobody releases meanwhile. */
void zsr_percpu_settle(struct zsr_percpu *q);
/* CPU has gone: its page is drained with the full ones, and joins the pool.
 * Sleeps. */
void zsr_percpu_offline(struct zsr_percpu *q, unsigned cpu);

#endif
