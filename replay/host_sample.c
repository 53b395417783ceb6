// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory over time as the system sees it: a thread of its own reads how much of
 * the process is resident, and how many pages the pools have, in even steps.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "replay/host_player_private.h"

#define MOST 2048 /* samples; then every other one goes, and steps double */

enum { RESIDENT_KIB, POOL_PAGES, NR_ROWS };

struct host_sampler {
	struct host_player *p;
	pthread_t thread;
	sem_t stop;
	int fd; /* /proc/self/statm */
	uint64_t step_ns, begin_ns, end_ns;
	uint32_t nr;
	uint32_t sample[NR_ROWS][MOST];
};

static uint32_t resident_kib(const struct host_sampler *s)
{
	char text[128], *at;
	ssize_t n = pread(s->fd, text, sizeof(text) - 1, 0);
	uint64_t pages;

	if (n <= 0)
		return 0;
	text[n] = '\0';
	strtoull(text, &at, 10); /* size, then what is resident */
	pages = strtoull(at, NULL, 10);
	return (uint32_t)(pages * ((uint64_t)sysconf(_SC_PAGESIZE) / 1024));
}

static uint32_t pool_pages(const struct host_player *p)
{
	uint64_t sum = 0;
	unsigned i;

	for (i = 0; i < p->s->common.trace->nr_pools; i++)
		sum += zsr_engine_pages(p->pool[i].e);
	return (uint32_t)sum;
}

static void halve(struct host_sampler *s)
{
	unsigned row, i;

	for (row = 0; row < NR_ROWS; row++)
		for (i = 0; i < MOST / 2; i++)
			s->sample[row][i] = s->sample[row][2 * i];
	s->nr = MOST / 2;
	s->step_ns *= 2;
}

/* One that comes late stands for the steps it missed, too. */
static void take(struct host_sampler *s)
{
	uint32_t kib = resident_kib(s), pages = pool_pages(s->p);
	uint64_t now = zsr_clock_ns();

	do {
		if (s->nr == MOST)
			halve(s);
		s->sample[RESIDENT_KIB][s->nr] = kib;
		s->sample[POOL_PAGES][s->nr++] = pages;
	} while (s->begin_ns + s->nr * s->step_ns <= now);
	s->end_ns = now;
}

static void *sampler_main(void *arg)
{
	struct host_sampler *s = arg;
	struct timespec at;
	uint64_t next;

	s->begin_ns = zsr_clock_ns();
	do {
		take(s);
		next = s->begin_ns + s->nr * s->step_ns;
		at.tv_sec = (time_t)(next / 1000000000);
		at.tv_nsec = (long)(next % 1000000000);
	} while (sem_clockwait(&s->stop, CLOCK_MONOTONIC, &at));
	take(s);
	return NULL;
}

int zsr_host_sample_start(struct host_player *p, struct zsr_err *err)
{
	struct host_sampler *s;
	int ret;

	if (!p->s->sample_ns)
		return 0;
	s = p->sampler = calloc(1, sizeof(*s));
	if (!s)
		return zsr_err_nomem(err, "samples");
	s->p = p;
	s->step_ns = p->s->sample_ns;
	s->fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	if (s->fd < 0)
		return zsr_err_sys(err, errno, "/proc/self/statm");
	sem_init(&s->stop, 0, 0);
	ret = pthread_create(&s->thread, NULL, sampler_main, s);
	if (!ret)
		return 0;
	close(s->fd);
	s->fd = -1;
	return zsr_err_sys(err, ret, "sampling thread");
}

/* When the tasks began is known by then. */
static int to_grid(const struct host_sampler *s, struct zsr_run *run)
{
	struct zsr_grid *g = &run->grid[ZSR_GRID_memory];
	uint32_t row, i, nr = s->nr;

	g->row = calloc(NR_ROWS, sizeof(*g->row));
	g->cell = calloc((size_t)NR_ROWS * nr, sizeof(*g->cell));
	if (!g->row || !g->cell)
		return -ENOMEM;
	g->nr_rows = NR_ROWS;
	g->nr_cols = nr;
	g->step_ns = s->step_ns;
	for (row = 0; row < NR_ROWS; row++)
		for (g->row[row] = row, i = 0; i < nr; i++)
			g->cell[row * nr + i] = s->sample[row][i];
	return 0;
}

int zsr_host_sample_stop(struct host_player *p)
{
	struct host_sampler *s = p->sampler;
	uint32_t i, most = 0;
	int ret;

	if (!s)
		return 0;
	p->sampler = NULL;
	if (s->fd < 0) {
		free(s);
		return 0;
	}
	sem_post(&s->stop);
	pthread_join(s->thread, NULL);
	close(s->fd);
	sem_destroy(&s->stop);
	for (i = 0; i < s->nr; i++)
		most = zsr_max(most, s->sample[RESIDENT_KIB][i]);
	ret = to_grid(s, p->run);
	if (!ret)
		ret = zsr_run_count(p->run, "host.resident_peak_kib", most);
	if (!ret)
		ret = zsr_run_count(p->run, "host.resident_end_kib",
				    s->sample[RESIDENT_KIB][s->nr - 1]);
	free(s);
	return ret;
}
