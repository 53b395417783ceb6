/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs made in memory for tests of analyze/ and report/: some that look like
 * what policies do, some of random numbers, some of nothing at all.
 */
#ifndef ZSR_ANALYZE_T_RUNS_H
#define ZSR_ANALYZE_T_RUNS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/analyze.h"
#include "db/db.h"

static inline struct zsr_run *made_run(const char *policy, const char *params)
{
	struct zsr_run *r = calloc(1, sizeof(*r));
	unsigned i;

	snprintf(r->trace_name, sizeof(r->trace_name), "munmap");
	memset(r->trace_digest, 'a', ZSR_SHA_HEX - 1);
	memset(r->digest, 'd', ZSR_SHA_HEX - 1);
	snprintf(r->policy, sizeof(r->policy), "%s", policy);
	snprintf(r->clock, sizeof(r->clock), "virtual");
	snprintf(r->profile, sizeof(r->profile), "rpi4b");
	r->profile_text = strdup("# a profile\nlock = 30 ns\nline = 80 ns\n");
	r->params = strdup(params);
	snprintf(r->arrival, sizeof(r->arrival), "recorded");
	snprintf(r->gaps, sizeof(r->gaps), "profile");
	snprintf(r->outer_lock, sizeof(r->outer_lock), "cluster");
	snprintf(r->engine, sizeof(r->engine), "6.12");
	r->page_size = 4096;
	r->cpus = 4;
	r->seed = 1;
	for (i = 0; i < ZSR_NR_RUN_HISTS; i++) {
		r->hist[i] = malloc(sizeof(*r->hist[i]));
		zsr_hist_init(r->hist[i]);
	}
	return r;
}

static inline void made_free(struct zsr_run *r)
{
	unsigned i;

	for (i = 0; i < ZSR_NR_RUN_HISTS; i++)
		free(r->hist[i]);
	for (i = 0; i < ZSR_NR_RUN_SERIES; i++)
		free(r->series[i].points);
	for (i = 0; i < ZSR_NR_RUN_GRIDS; i++) {
		free(r->grid[i].row);
		free(r->grid[i].cell);
	}
	free(r->releases);
	free(r->locks);
	free(r->steps);
	free(r->counters);
	free(r->profile_text);
	free(r->params);
	free(r);
}

static inline void made_point(struct zsr_series *s, uint64_t t, uint64_t v)
{
	if (s->nr && s->points[s->nr - 1].t_ns >= t) {
		s->points[s->nr - 1].value = v;
		return;
	}
	s->points = realloc(s->points, (s->nr + 1) * sizeof(*s->points));
	s->points[s->nr++] = (struct zsr_point){ t, v };
}

static inline void made_release(struct zsr_run *r, uint64_t begin, uint64_t end,
				uint64_t nr)
{
	r->releases = realloc(r->releases,
			      (r->nr_releases + 1) * sizeof(*r->releases));
	r->releases[r->nr_releases] =
		(struct zsr_release){ begin, end, nr, (uint32_t)r->nr_releases };
	r->nr_releases++;
}

static inline struct zsr_grid *made_grid(struct zsr_run *r, unsigned which,
					 uint32_t nr_rows, uint32_t nr_cols,
					 uint64_t step_ns)
{
	struct zsr_grid *g = &r->grid[which];

	g->step_ns = step_ns;
	g->nr_rows = nr_rows;
	g->nr_cols = nr_cols;
	g->row = calloc(nr_rows, sizeof(*g->row));
	g->cell = calloc((size_t)nr_rows * nr_cols, sizeof(*g->cell));
	return g;
}

static inline void made_lock(struct zsr_run *r, const char *name, uint32_t size,
			     uint64_t wait_ns, uint64_t hold_ns)
{
	struct zsr_run_lock *l;

	r->locks = realloc(r->locks, (r->nr_locks + 1) * sizeof(*r->locks));
	l = &r->locks[r->nr_locks++];
	*l = (struct zsr_run_lock){ .size = size,
				    .acquired = 1000,
				    .contended = 10,
				    .wait_ns = wait_ns,
				    .hold_ns = hold_ns };
	snprintf(l->name, sizeof(l->name), "%.23s", name);
}

static inline void made_step(struct zsr_run *r, const char *who,
			     const char *step, uint64_t ns)
{
	struct zsr_run_step *s;

	r->steps = realloc(r->steps, (r->nr_steps + 1) * sizeof(*r->steps));
	s = &r->steps[r->nr_steps++];
	*s = (struct zsr_run_step){ .ns = ns };
	snprintf(s->who, sizeof(s->who), "%s", who);
	snprintf(s->step, sizeof(s->step), "%.23s", step);
}

/* Where the time of a made policy went, its locks, and what it was over time. */
static inline void made_details(struct zsr_run *r)
{
	uint64_t caller_ns = r->v.cpu_caller_ns, worker_ns = r->v.cpu_worker_ns;
	struct zsr_grid *g = made_grid(r, ZSR_GRID_latency, 8, 100, 131072), *o;
	uint32_t i, k;

	made_step(r, "caller", "obj_free", caller_ns / 2);
	made_step(r, "caller", "slot", caller_ns / 4);
	made_step(r, "caller", "page_free",
		  caller_ns - caller_ns / 2 - caller_ns / 4);
	if (worker_ns)
		made_step(r, "worker", "obj_free", worker_ns);
	made_lock(r, "pool", 0, caller_ns / 9, caller_ns / 7);
	made_lock(r, "class", 2048, caller_ns / 30, caller_ns / 3);
	made_lock(r, "class", 4096, caller_ns / 50, caller_ns / 5);
	for (i = 0; i < g->nr_rows; i++)
		for (g->row[i] = 512 + 128 * i, k = 0; k < g->nr_cols; k++)
			g->cell[i * g->nr_cols + k] = (i + k) % 5 ? k : 0;
	o = made_grid(r, ZSR_GRID_busy, 4 * ZSR_NR_BUSY, 100, 131072);
	for (i = 0; i < o->nr_rows; i++)
		for (o->row[i] = i / ZSR_NR_BUSY << 8 | i % ZSR_NR_BUSY, k = 0;
		     k < o->nr_cols; k++)
			o->cell[i * o->nr_cols + k] = (i * 37 + k * 401) % 40000;
	o = made_grid(r, ZSR_GRID_objects, 6, 100, 131072);
	g = made_grid(r, ZSR_GRID_pages, 6, 100, 131072);
	for (i = 0; i < g->nr_rows; i++)
		for (o->row[i] = g->row[i] = 640 * (i + 1), k = 0;
		     k < g->nr_cols; k++) {
			g->cell[i * g->nr_cols + k] = 3000 - 30 * k;
			o->cell[i * g->nr_cols + k] = (3000 - 30 * k) * 4096 /
						      640 / (i + 1) * 7 / 8;
		}
}

#define MADE_STORE_NS 5000000ull /* the release begins here */
#define MADE_PAGES    16384ull
#define MADE_FREES    65536ull

/*
 * A release by three tasks. Callers take caller_ns; the pages are back after
 * back_ns; with depth the frees are queued and drained, `stranded` of them
 * never.
 */
static inline struct zsr_run *made_policy(const char *policy, const char *params,
					  uint64_t caller_ns, uint64_t back_ns,
					  uint64_t depth, uint64_t stranded)
{
	struct zsr_run *r = made_run(policy, params);
	struct zsr_series *live = &r->series[ZSR_SERIES_live_pages];
	struct zsr_series *held = &r->series[ZSR_SERIES_held_pages];
	struct zsr_series *back = &r->series[ZSR_SERIES_back_pages];
	struct zsr_series *queue = &r->series[ZSR_SERIES_queue_depth];
	struct zsr_rng rng = { 42 + depth + caller_ns };
	uint64_t i, t0 = MADE_STORE_NS, steps = 4000;
	uint64_t total = caller_ns > back_ns ? caller_ns : back_ns;
	uint64_t gone = stranded * MADE_PAGES / MADE_FREES;

	for (i = 0; i <= 1000; i++)
		made_point(live, i * (t0 - 100000) / 1000,
			   i * MADE_PAGES / 1000);
	made_point(held, 0, 0);
	made_point(back, 0, 0);
	made_point(queue, 0, 0);
	for (i = 0; i <= steps; i++) {
		uint64_t t = total * i / steps;
		uint64_t dead = t >= caller_ns
					? MADE_PAGES
					: zsr_mul_div(MADE_PAGES, t, caller_ns);
		uint64_t b = t >= back_ns ? MADE_PAGES
					  : zsr_mul_div(MADE_PAGES, t, back_ns);

		if (b > dead)
			b = dead;
		if (b > MADE_PAGES - gone)
			b = MADE_PAGES - gone;
		if (depth && b + 64 < dead)
			b += zsr_rng_below(&rng, 64);
		made_point(live, t0 + t, MADE_PAGES - dead);
		made_point(held, t0 + t, dead - b);
		made_point(back, t0 + t, b);
		if (depth)
			made_point(queue, t0 + t,
				   (dead - b) * (MADE_FREES / MADE_PAGES));
		if (r->v.held_peak_pages < dead - b)
			r->v.held_peak_pages = dead - b;
	}
	for (i = 0; i < MADE_FREES; i++) {
		uint64_t ns = caller_ns * 3 / MADE_FREES;

		ns = ns / 2 + zsr_rng_below(&rng, ns + 1);
		if (zsr_rng_below(&rng, 200) == 0)
			ns *= 8 + zsr_rng_below(&rng, 30);
		zsr_hist_add(r->hist[ZSR_HIST_release], ns);
	}
	made_release(r, t0, t0 + caller_ns * 9 / 10, MADE_FREES / 3);
	made_release(r, t0 + 1000, t0 + caller_ns, MADE_FREES / 3);
	made_release(r, t0 + 2000, t0 + caller_ns * 97 / 100, MADE_FREES / 3);
	r->v.tasks = 3;
	r->v.mallocs = MADE_FREES;
	r->v.frees = MADE_FREES;
	r->v.fallbacks = depth ? 812 : 0;
	r->v.caller_max_ns = caller_ns;
	r->v.caller_mean_ns = caller_ns * 95 / 100;
	r->v.caller_sum_ns = caller_ns * 95 / 100 * 3;
	r->v.first_release_ns = t0;
	r->v.last_return_ns = t0 + caller_ns;
	r->v.end_ns = t0 + total;
	r->v.cpu_caller_ns = caller_ns * 2;
	r->v.cpu_spin_ns = caller_ns / 3;
	r->v.cpu_worker_ns = depth ? back_ns : 0;
	r->v.cpu_worker_spin_ns = depth ? back_ns / 20 : 0;
	r->v.cpu_queueing_ns = depth ? 300000 : 0;
	r->v.cpu_gap_ns = 1234567;
	r->v.pages_total = MADE_PAGES;
	r->v.pages_back = MADE_PAGES - gone;
	r->v.pages_peak = MADE_PAGES;
	r->v.dead_peak_bytes = r->v.held_peak_pages * 4100;
	r->v.queue_pages = depth ? 256 : 0;
	r->v.queue_peak = depth;
	r->v.stranded = stranded;
	r->v.at_50_ns = total / 2;
	r->v.at_90_ns = total * 9 / 10;
	r->v.at_99_ns = gone ? UINT64_MAX : total * 99 / 100;
	r->v.at_100_ns = gone ? UINT64_MAX : total;
	r->v.teardown_ns = gone ? 41000 : 0;
	return r;
}

/* Any number of any size, small ones as likely as huge ones. */
static inline uint64_t made_any(struct zsr_rng *rng)
{
	return zsr_rng_next(rng) >> zsr_rng_below(rng, 64);
}

static inline void made_name(struct zsr_rng *rng, char *s, size_t n)
{
	static const char chars[] = "abcdefghijklmnopqrstuvwxyz-._=  0123456789"
				    "\xc3\xa9\xff\x01\t\"\\,";
	size_t i, len = zsr_rng_below(rng, n);

	for (i = 0; i < len; i++)
		s[i] = chars[zsr_rng_below(rng, sizeof(chars) - 1)];
	s[len] = '\0';
}

/* A run no replay would make: random in every field. */
static inline struct zsr_run *made_random(struct zsr_rng *rng)
{
	char text[300];
	struct zsr_run *r;
	unsigned i, k;

	made_name(rng, text, sizeof(text));
	r = made_run("", text);
	made_name(rng, r->policy, sizeof(r->policy));
	made_name(rng, r->trace_name, sizeof(r->trace_name));
	made_name(rng, r->profile, sizeof(r->profile));
	made_name(rng, r->arrival, sizeof(r->arrival));
	made_name(rng, r->gaps, sizeof(r->gaps));
	made_name(rng, r->engine, sizeof(r->engine));
	made_name(rng, r->digest, sizeof(r->digest));
	r->id = (int64_t)made_any(rng);
	r->cpus = (uint32_t)made_any(rng);
	r->seed = made_any(rng);
	r->page_size = 4096;
#define X(name, unit, text) r->v.name = made_any(rng);
	ZSR_RUN_VALUES(X)
#undef X
	for (i = 0; i < 100; i++)
		zsr_hist_add(r->hist[ZSR_HIST_release], made_any(rng));
	for (i = 0; i < ZSR_NR_RUN_SERIES; i++) {
		uint64_t t = 0, n = zsr_rng_below(rng, 50);

		for (k = 0; k < n; k++) {
			t += 1 + made_any(rng) / 128;
			made_point(&r->series[i], t, made_any(rng));
		}
	}
	for (i = 0; i < ZSR_NR_RUN_GRIDS; i++) {
		struct zsr_grid *g;
		uint64_t row = 0;

		if (zsr_rng_below(rng, 3) == 0)
			continue;
		g = made_grid(r, i, 1 + (uint32_t)zsr_rng_below(rng, 20),
			      1 + (uint32_t)zsr_rng_below(rng, 300),
			      1ull << zsr_rng_below(rng, 40));
		for (k = 0; k < g->nr_rows; k++)
			g->row[k] = i == ZSR_GRID_busy
					    ? k / ZSR_NR_BUSY << 8 |
						      k % ZSR_NR_BUSY
					    : (row += 1 + made_any(rng) / 64);
		for (k = 0; k < g->nr_rows * g->nr_cols; k++)
			g->cell[k] = (uint32_t)made_any(rng);
	}
	for (i = 0; i < zsr_rng_below(rng, 9); i++) {
		made_name(rng, text, sizeof(text));
		made_lock(r, text, (uint32_t)made_any(rng), made_any(rng),
			  made_any(rng));
		made_step(r, i % 2 ? "caller" : "worker", text, made_any(rng));
	}
	for (i = 0; i < zsr_rng_below(rng, 5); i++)
		made_release(r, made_any(rng), made_any(rng), made_any(rng));
	return r;
}

static inline struct zsr_trace made_trace(void)
{
	return (struct zsr_trace){
		.name = "munmap",
		.kernel = "6.12.47+rpt-rpi-v8",
		.format = "trace.dat",
		.page_size = 4096,
		.times = ZSR_TIMES_EMULATED,
		.from_empty = true,
	};
}

#endif
