/* SPDX-License-Identifier: GPL-2.0-only */
/* host_player.c: tasks and their calls; host_player_run.c: a whole run. */
#ifndef ZSR_HOST_PLAYER_PRIVATE_H
#define ZSR_HOST_PLAYER_PRIVATE_H

#include "replay/host_book.h"
#include "replay/host_player.h"

struct host_release {
	uint64_t begin, end; /* ticks */
	uint64_t nr;
};

/* Times of releases that wait to be put into the histogram. */
#define HOST_SAMPLES 64

struct host_task {
	_Alignas(128) struct zsr_host_thread self;
	struct host_player *p;
	const struct zsr_host_task *calls;
	struct zsr_releaser releaser;
	pthread_t thread;
	uint32_t row;
	uint32_t epoch; /* it is in; UINT32_MAX: none yet */
	/* The release under way, and those that are over. */
	uint64_t rel_begin, rel_nr;
	struct host_release *release;
	size_t nr_releases;
	uint64_t first_release; /* ticks; 0: none yet */
	uint64_t last_return;
	unsigned in_batch; /* releases under the outer lock so far */
	/* Ticks. */
	uint64_t in_release, in_compact, in_reuse;
	uint64_t spin_elsewhere, queueing_elsewhere; /* of self.counts, not in
						      * releases */
	uint64_t mallocs, malloc_failed, frees;
	/* Frees within which the system took the CPU, one of
	 * HOST_SAMPLES at most. */
	uint64_t nr_displaced, in_displaced;
	unsigned nr_samples;
	uint64_t sample[HOST_SAMPLES]; /* ticks */
	struct zsr_hist release_hist, malloc_hist; /* ns */
};

struct host_player {
	const struct zsr_host_setup *s;
	struct zsr_run *run;
	struct zsr_host *h;
	struct zsr_host_book book; /* and the account */
	struct zsr_pool *pool;
	struct host_task *task;
	struct zsr_spinlock outer;
	uint32_t *place; /* by object: see objects.h */
	uint32_t *epoch_left; /* by number: tasks that are not through it */
	uint32_t epoch_now;
	sem_t start;
	uint64_t start_ticks;
	uint32_t nr_releasing; /* tasks in a release, for gated policies */
	int error; /* -errno: tasks end early */
	bool begun; /* the first release has */
	bool load_over;
	struct host_load *load;
	unsigned nr_loads;
	struct host_sampler *sampler;
	size_t cap_releases;
};

void *zsr_host_task_main(void *arg);
/* Load waits for the first release. Stop it, then finish: what it got. */
int zsr_host_load_start(struct host_player *p, struct zsr_err *err);
void zsr_host_load_stop(struct host_player *p);
void zsr_host_load_finish(struct host_player *p);
/* 0 or -ENOMEM; also without a start. */
int zsr_host_sample_start(struct host_player *p, struct zsr_err *err);
int zsr_host_sample_stop(struct host_player *p);
/* The tasks have left, workers are there. 0 or -ENOMEM. */
int zsr_host_count(struct host_player *p, const struct zsr_host_counts *all);
/* A pool's enter_swap(): the calling task takes the outer lock. */
void zsr_host_enter_swap(struct zsr_pool *pool);

#endif
