// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two rings under one lock: of blobs to do, and of batches done. Neither side
 * wakes the other for each batch, but when half of the ring is at hand.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <xxhash.h>

#include "db/ahead.h"

#define NR_BLOBS   2
#define NR_BATCHES 32

struct batch {
	int ret; /* of the decoder */
	struct zsr_event *ev;
	uint64_t *births;
	struct zsr_err err;
};

struct zsr_ahead {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t to_do; /* a blob, room for batches, or the end */
	pthread_cond_t done; /* batches */
	struct zsr_chunk_decoder *dec;
	struct zsr_live *objects;
	struct zsr_blob blob[NR_BLOBS];
	uint64_t pushed; /* blobs */
	uint64_t finished;
	struct batch batch[NR_BATCHES];
	uint64_t made; /* batches */
	uint64_t popped; /* of them the last is in use */
	bool stop;
};

int zsr_blob_start(const struct zsr_blob *b, struct zsr_chunk_decoder *dec,
		   struct zsr_err *err)
{
	if (XXH3_64bits(b->data, b->len) != b->xxh3)
		return zsr_err_input(err, "its checksum is wrong");
	return zsr_chunk_decoder_start(dec, b->data, b->len, &b->info, err);
}

/* ---- the thread -------------------------------------------------------------- */

/* The next batch to fill; NULL to stop. */
static struct batch *wait_for_room(struct zsr_ahead *a)
{
	struct batch *b = NULL;

	pthread_mutex_lock(&a->lock);
	while (!a->stop && (a->pushed == a->finished ||
			    a->made - a->popped >= NR_BATCHES - 1))
		pthread_cond_wait(&a->to_do, &a->lock);
	if (!a->stop)
		b = &a->batch[a->made % NR_BATCHES];
	pthread_mutex_unlock(&a->lock);
	return b;
}

static void hand_over(struct zsr_ahead *a, const struct batch *b)
{
	pthread_mutex_lock(&a->lock);
	a->made++;
	if (b->ret <= 0)
		a->finished++;
	if (b->ret <= 0 || a->made - a->popped == NR_BATCHES / 2)
		pthread_cond_signal(&a->done);
	pthread_mutex_unlock(&a->lock);
}

static void *run(void *arg)
{
	struct zsr_ahead *a = arg;
	bool started = false;
	struct batch *b;
	sigset_t all;

	/* Signals are for the program's own threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	while ((b = wait_for_room(a))) {
		b->ret = 0;
		if (!started)
			b->ret = zsr_blob_start(&a->blob[a->finished % NR_BLOBS],
						a->dec, &b->err);
		if (!b->ret)
			b->ret = zsr_chunk_decoder_read(a->dec, a->objects,
							b->ev, b->births,
							ZSR_AHEAD_ROWS, &b->err);
		started = b->ret > 0;
		hand_over(a, b);
	}
	return NULL;
}

/* ---- who reads ------------------------------------------------------------- */

static void free_all(struct zsr_ahead *a)
{
	unsigned i;

	for (i = 0; i < NR_BATCHES; i++) {
		free(a->batch[i].ev);
		free(a->batch[i].births);
	}
	for (i = 0; i < NR_BLOBS; i++)
		free(a->blob[i].data);
	free(a);
}

static bool alloc_batches(struct zsr_ahead *a, bool births)
{
	struct batch *b;

	for (b = a->batch; b < a->batch + NR_BATCHES; b++) {
		b->ev = malloc(ZSR_AHEAD_ROWS * sizeof(*b->ev));
		if (births)
			b->births = malloc(ZSR_AHEAD_ROWS * sizeof(*b->births));
		if (!b->ev || (births && !b->births))
			return false;
	}
	return true;
}

static bool second_cpu(void)
{
	cpu_set_t cpus;

	return !sched_getaffinity(0, sizeof(cpus), &cpus) &&
	       CPU_COUNT(&cpus) > 1;
}

struct zsr_ahead *zsr_ahead_start(struct zsr_chunk_decoder *dec,
				  struct zsr_live *objects, bool births)
{
	struct zsr_ahead *a = second_cpu() ? calloc(1, sizeof(*a)) : NULL;

	if (!a)
		return NULL;
	a->dec = dec;
	a->objects = objects;
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->to_do, NULL);
	pthread_cond_init(&a->done, NULL);
	if (!alloc_batches(a, births) ||
	    pthread_create(&a->thread, NULL, run, a)) {
		free_all(a);
		return NULL;
	}
	return a;
}

void zsr_ahead_stop(struct zsr_ahead *a)
{
	if (!a)
		return;
	pthread_mutex_lock(&a->lock);
	a->stop = true;
	pthread_cond_signal(&a->to_do);
	pthread_mutex_unlock(&a->lock);
	pthread_join(a->thread, NULL);
	free_all(a);
}

struct zsr_blob *zsr_ahead_blob(struct zsr_ahead *a)
{
	return &a->blob[a->pushed % NR_BLOBS];
}

void zsr_ahead_push(struct zsr_ahead *a)
{
	pthread_mutex_lock(&a->lock);
	a->pushed++;
	pthread_cond_signal(&a->to_do);
	pthread_mutex_unlock(&a->lock);
}

int zsr_ahead_pop(struct zsr_ahead *a, const struct zsr_event **ev,
		  const uint64_t **births, struct zsr_err *err)
{
	const struct batch *b;

	pthread_mutex_lock(&a->lock);
	while (a->made == a->popped)
		pthread_cond_wait(&a->done, &a->lock);
	b = &a->batch[a->popped++ % NR_BATCHES];
	if (a->made - a->popped == NR_BATCHES / 2 - 1)
		pthread_cond_signal(&a->to_do);
	pthread_mutex_unlock(&a->lock);
	*ev = b->ev;
	*births = b->births;
	if (b->ret < 0)
		*err = b->err;
	return b->ret;
}
