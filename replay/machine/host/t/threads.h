/* SPDX-License-Identifier: GPL-2.0-only */
/* A host machine for a test, and threads on its CPUs. */
#ifndef ZSR_HOST_T_THREADS_H
#define ZSR_HOST_T_THREADS_H

#include <unistd.h>

#include "replay/machine/host/host.h"
#include "tests/check.h"

enum { MAX_THREADS = 8, ROUNDS = 20000 };

static struct zsr_host *h;
static struct zsr_machine *m;
static struct zsr_host_thread self;
static struct zsr_err err;

static bool queued;
static const struct zsr_dist *late;

static inline void start(unsigned cpus)
{
	const struct zsr_host_opts opts = { .cpus = cpus,
					    .queued = queued,
					    .worker = late };

	ck_assert_msg(!zsr_host_create(&h, &opts, &err), "%s", err.msg);
	m = &h->m;
	ck_assert_uint_eq(m->nr_cpus, cpus);
	self = (struct zsr_host_thread){ .home = ZSR_HOST_NO_CPU };
	zsr_host_enter(h, &self);
}

static inline void stop(void)
{
	zsr_host_leave(&self);
	zsr_host_destroy(h);
}

/* ---- threads ------------------------------------------------------------ */

struct runner {
	pthread_t thread;
	struct zsr_host_thread self;
	void (*fn)(unsigned nr);
	unsigned nr;
};

static struct runner runners[MAX_THREADS];

static inline void *runner_main(void *arg)
{
	struct runner *r = arg;

	zsr_host_enter(h, &r->self);
	r->fn(r->nr);
	zsr_host_leave(&r->self);
	return NULL;
}

static inline void launch(unsigned nr, void (*fn)(unsigned nr), unsigned home)
{
	struct runner *r = &runners[nr];

	*r = (struct runner){ .fn = fn, .nr = nr, .self.home = home };
	ck_assert_int_eq(pthread_create(&r->thread, NULL, runner_main, r), 0);
}

static inline void join(unsigned nr)
{
	zsr_host_block(&self);
	pthread_join(runners[nr].thread, NULL);
	zsr_host_unblock(&self);
}

static inline void run_all(unsigned threads, void (*fn)(unsigned nr))
{
	unsigned i;

	for (i = 0; i < threads; i++)
		launch(i, fn, ZSR_HOST_NO_CPU);
	for (i = 0; i < threads; i++)
		join(i);
}

static inline void nap(void)
{
	zsr_host_block(zsr_host_self);
	usleep(1000);
	zsr_host_unblock(zsr_host_self);
}

#endif
