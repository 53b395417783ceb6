// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPU time of an op: replays the mallocs and frees of op sequences in a fresh pool
 * a round, and prints the median and the best round. The time of compactions
 * is left out, their effect is not. What the loop that picks the next call
 * takes by itself is measured too and given beside, not subtracted.
 *
 *	ops [--kernel K] [--page-size N] [--chain-size N] [--rounds N]
 *	    [--backed 1] [SEQ...]
 *
 * Without sequences: three of the oracle's from $ZSR_SHARED or ../shared, in
 * pools without and with memory. That is touched before the clock starts.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "replay/engine/check/timed.h"
#include "replay/engine/engine.h"

#define MAX_ROUNDS 1000

static const char *kernel = "6.12";
static unsigned page_size = 4096, chain_size, nr_rounds = 31, backed;

static int create(struct zsr_engine **e, uint64_t pages, struct zsr_err *err)
{
	const struct zsr_model *model = zsr_model_find(kernel);
	struct zsr_obj_layout layout;
	int ret;

	if (!model)
		return zsr_err_usage(err, "unknown kernel '%s'", kernel);
	ret = zsr_obj_layout(&layout, kernel, 64, 52, page_size,
			     chain_size ? chain_size : model->default_chain,
			     err);
	if (!ret)
		ret = zsr_engine_create_layout(
			e, model, page_size, chain_size, &layout,
			backed ? ZSR_ENGINE_BACKED : 0, err);
	if (!ret && backed)
		ret = zsr_engine_prefault(*e, pages, err);
	return ret;
}

static uint64_t play(struct zsr_engine *e, const struct zsr_timed_ops *o,
		     zsr_handle *handle)
{
	uint64_t start = zsr_cpu_ns(), left_out = 0, t;
	const struct zsr_timed_op *op, *end = o->op + o->nr;

	for (op = o->op; op < end; op++) {
		if (op->size == ZSR_TIMED_FREE) {
			zsr_engine_free(e, handle[op->place]);
		} else if (op->size != ZSR_TIMED_COMPACT) {
			zsr_engine_malloc(e, op->size, &handle[op->place]);
		} else {
			t = zsr_cpu_ns();
			zsr_engine_compact(e);
			left_out += zsr_cpu_ns() - t;
		}
	}
	return zsr_cpu_ns() - start - left_out;
}

static __attribute__((noinline)) void no_malloc(size_t size, zsr_handle *h)
{
	*h = (zsr_handle)size;
}

static __attribute__((noinline)) void no_free(zsr_handle h)
{
	__asm__ volatile("" : : "r"(h));
}

/* The same loop around calls that do nothing. */
static uint64_t play_nothing(const struct zsr_timed_ops *o, zsr_handle *handle)
{
	uint64_t start = zsr_cpu_ns();
	const struct zsr_timed_op *op, *end = o->op + o->nr;

	for (op = o->op; op < end; op++) {
		if (op->size == ZSR_TIMED_FREE)
			no_free(handle[op->place]);
		else if (op->size != ZSR_TIMED_COMPACT)
			no_malloc(op->size, &handle[op->place]);
	}
	return zsr_cpu_ns() - start;
}

static int ascending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static int measure(const char *path, struct zsr_err *err)
{
	static uint64_t ns[MAX_ROUNDS], loop[MAX_ROUNDS];
	struct zsr_timed_ops o;
	zsr_handle *handle = NULL;
	struct zsr_engine *e;
	const char *name = strrchr(path, '/');
	uint64_t peak;
	unsigned i;
	int ret;

	ret = zsr_timed_ops_load(&o, path, err);
	if (ret)
		goto out;
	handle = calloc(o.nr_places + 1, sizeof(*handle));
	if (!handle) {
		ret = zsr_err_nomem(err, "ops");
		goto out;
	}
	ret = create(&e, 0, err);
	if (ret)
		goto out;
	peak = zsr_timed_ops_peak(&o, e, handle);
	zsr_engine_destroy(e);
	for (i = 0; i < nr_rounds; i++) {
		ret = create(&e, peak, err);
		if (ret)
			goto out;
		ns[i] = play(e, &o, handle);
		zsr_engine_destroy(e);
		loop[i] = play_nothing(&o, handle);
	}
	qsort(ns, nr_rounds, sizeof(*ns), ascending);
	qsort(loop, nr_rounds, sizeof(*loop), ascending);
	printf("%-28s %8" PRIu64 " ops  median %5.1f ns/op  best %5.1f  "
	       "(of it the loop %.1f)\n",
	       name ? name + 1 : path, o.nr_timed,
	       (double)ns[nr_rounds / 2] / (double)o.nr_timed,
	       (double)ns[0] / (double)o.nr_timed,
	       (double)loop[nr_rounds / 2] / (double)o.nr_timed);
out:
	zsr_timed_ops_free(&o);
	free(handle);
	return ret;
}

static int set(const char *name, const char *value)
{
	if (!strcmp(name, "--kernel"))
		kernel = value;
	else if (!strcmp(name, "--page-size"))
		page_size = (unsigned)atoi(value);
	else if (!strcmp(name, "--chain-size"))
		chain_size = (unsigned)atoi(value);
	else if (!strcmp(name, "--backed"))
		backed = (unsigned)atoi(value);
	else if (!strcmp(name, "--rounds"))
		nr_rounds = (unsigned)zsr_max(1,
					      zsr_min(atoi(value), MAX_ROUNDS));
	else
		return -EINVAL;
	return 0;
}

static int measure_defaults(struct zsr_err *err)
{
	static const char *const names[] = { "random_lzo_200k",
					     "process_exit_100k",
					     "slot_churn_100k" };
	static const char *const kernels[] = { "6.12", "6.1" };
	const char *shared = getenv("ZSR_SHARED");
	char path[4096];
	size_t i, k;
	int ret = 0;

	for (k = 0; !ret && k < 2 * ZSR_ARRAY_SIZE(kernels); k++) {
		kernel = kernels[k / 2];
		backed = k % 2;
		printf("kernel %s, %s\n", kernel,
		       backed ? "backed" : "state only");
		for (i = 0; !ret && i < ZSR_ARRAY_SIZE(names); i++) {
			snprintf(path, sizeof(path),
				 "%s/fixtures/zsmalloc/seq/%s.csv.gz",
				 shared ? shared : "../shared", names[i]);
			ret = measure(path, err);
		}
	}
	return ret;
}

int main(int argc, char **argv)
{
	struct zsr_err err = { 0 };
	bool given = false;
	int i, ret = 0;

	for (i = 1; !ret && i < argc; i++) {
		if (i + 1 < argc && !set(argv[i], argv[i + 1])) {
			i++;
			continue;
		}
		given = true;
		ret = measure(argv[i], &err);
	}
	if (!ret && !given)
		ret = measure_defaults(&err);
	if (ret)
		fprintf(stderr, "ops: %s\n", err.msg);
	return ret ? 1 : 0;
}
