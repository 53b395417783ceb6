// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mallocs and frees of a sequence, timed in the kernel's allocator and in
 * both builds of the engine by turns, each time in a fresh pool. All are driven
 * by the loop of loop.h and called directly.
 */
#include <stdlib.h>
#include <string.h>

#include "replay/engine/check/private.h"
#include "replay/engine/check/timed.h"

#define ROUNDS 41

static struct zsr_engine *engine;

#define ZSR_LOOP_HANDLE          zsr_handle
#define ZSR_LOOP_MALLOC(size, h) zsr_engine_malloc(engine, size, h)
#define ZSR_LOOP_FREE(h)         zsr_engine_free(engine, h)
#define ZSR_LOOP_COMPACT()       zsr_engine_compact(engine)
#include "replay/engine/check/kernel/loop.h"

/* Whoever else wants the CPU would be counted against the slower of the two,
 * whose rounds are longer. */
unsigned long zsr_check_clock_ns(void)
{
	return zsr_cpu_ns();
}

/* What the sequence leaves goes before the pool does, untimed. */
static int play_kernel(const struct zsr_kernel *k,
		       const struct zsr_timed_ops *o, unsigned long *handle,
		       bool *left, uint64_t *ns, struct zsr_err *err)
{
	uint32_t i;

	if (k->create())
		return zsr_err_nomem(err, "the kernel's pool");
	*ns = k->play(o->op, o->nr, handle);
	memset(left, true, o->nr_places);
	for (i = 0; i < o->nr_unused; i++)
		left[o->unused[i]] = false;
	for (i = 0; i < o->nr_places; i++)
		if (left[i])
			k->free(handle[i]);
	k->destroy();
	return 0;
}

/* PAGES: to be touched before the clock starts, 0 for a pool without memory. */
static int play_engine(const struct zsr_check_compare *c,
		       const struct zsr_timed_ops *o, uint64_t pages,
		       zsr_handle *handle, uint64_t *ns, struct zsr_err *err)
{
	int ret = zsr_engine_create_layout(&engine, c->model, c->page_size,
					   c->chain_size, NULL,
					   pages ? ZSR_ENGINE_BACKED : 0, err);

	if (ret)
		return ret;
	if (pages)
		ret = zsr_engine_prefault(engine, pages, err);
	if (!ret)
		*ns = timed_loop(o->op, o->nr, handle, zsr_check_clock_ns);
	zsr_engine_destroy(engine);
	return ret;
}

static int find_peak(const struct zsr_check_compare *c,
		     const struct zsr_timed_ops *o, zsr_handle *handle,
		     uint64_t *pages, struct zsr_err *err)
{
	int ret = zsr_engine_create(&engine, c->model, c->page_size,
				    c->chain_size, err);

	if (ret)
		return ret;
	*pages = zsr_timed_ops_peak(o, engine, handle);
	zsr_engine_destroy(engine);
	return 0;
}

static int ascending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static double median(uint64_t *ns, const struct zsr_timed_ops *o)
{
	qsort(ns, ROUNDS, sizeof(*ns), ascending);
	return (double)ns[ROUNDS / 2] / (double)o->nr_timed;
}

static int play(const struct zsr_check_compare *c, const struct zsr_timed_ops *o,
		struct zsr_check_timing *t, struct zsr_err *err)
{
	uint64_t kernel_ns[ROUNDS], engine_ns[ROUNDS], backed_ns[ROUNDS], peak;
	unsigned long *theirs = calloc(o->nr_places + 1, sizeof(*theirs));
	zsr_handle *ours = calloc(o->nr_places + 1, sizeof(*ours));
	bool *left = calloc(o->nr_places + 1, sizeof(*left));
	unsigned i;
	int ret = 0;

	if (!theirs || !ours || !left)
		ret = zsr_err_nomem(err, "ops");
	if (!ret)
		ret = find_peak(c, o, ours, &peak, err);
	for (i = 0; !ret && i < ROUNDS; i++) {
		ret = play_kernel(c->kernel, o, theirs, left, &kernel_ns[i],
				  err);
		if (!ret)
			ret = play_engine(c, o, 0, ours, &engine_ns[i], err);
		if (!ret)
			ret = play_engine(c, o, zsr_max(peak, 1ull), ours,
					  &backed_ns[i], err);
	}
	if (!ret) {
		t->kernel_ns = median(kernel_ns, o);
		t->engine_ns = median(engine_ns, o);
		t->backed_ns = median(backed_ns, o);
		t->rounds = ROUNDS;
		t->ops = o->nr_timed;
	}
	free(theirs);
	free(ours);
	free(left);
	return ret;
}

int zsr_check_time(const struct zsr_check_compare *c, const char *path,
		   struct zsr_check_timing *t, struct zsr_err *err)
{
	struct zsr_timed_ops o;
	int ret = zsr_timed_ops_load(&o, path, err);

	if (!ret && !o.nr_timed)
		ret = zsr_err_input(err, "nothing in it can be timed");
	if (!ret)
		ret = play(c, &o, t, err);
	zsr_timed_ops_free(&o);
	return ret;
}
