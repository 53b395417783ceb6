// SPDX-License-Identifier: GPL-2.0-only
/* The integers of a run, and those derived from them. */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "analyze/values.h"

static const struct zsr_value_info infos[] = {
#define X(name, unit, text) { #name, unit, text },
	ZSR_RUN_VALUES(X) ZSR_DERIVED_VALUES(X)
#undef X
};

size_t zsr_nr_values(void)
{
	return NR_VALUES;
}

const struct zsr_value_info *zsr_value_info(size_t i)
{
	return i < NR_VALUES ? &infos[i] : NULL;
}

uint64_t zsr_column_value(const struct zsr_column *c, const char *name)
{
	size_t i;

	for (i = 0; i < NR_VALUES && strcmp(infos[i].name, name); i++)
		;
	assert(i < NR_VALUES);
	return c->value[i];
}

bool zsr_value_is_never(size_t i, uint64_t v)
{
	return v == ZSR_NEVER && !strncmp(infos[i].name, "at_", 3);
}

void zsr_value_print(char buf[ZSR_FMT_LEN], size_t i, uint64_t v)
{
	if (zsr_value_is_never(i, v))
		snprintf(buf, ZSR_FMT_LEN, "never");
	else
		snprintf(buf, ZSR_FMT_LEN, "%" PRIu64, v);
}

static uint64_t add_sat(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static uint64_t mul_sat(uint64_t a, uint64_t b)
{
	uint64_t v;

	return __builtin_mul_overflow(a, b, &v) ? UINT64_MAX : v;
}

static uint64_t quantile(const struct zsr_hist *h, uint64_t num, uint64_t den)
{
	return h ? zsr_hist_quantile(h, num, den) : 0;
}

void zsr_values_fill(const struct zsr_run *run, uint64_t *value)
{
	const struct zsr_hist *rel = run->hist[ZSR_HIST_release];
	const struct zsr_hist *mal = run->hist[ZSR_HIST_malloc];
	const struct zsr_run_values *v = &run->v;

#define X(name, unit, text) value[VAL_##name] = v->name;
	ZSR_RUN_VALUES(X)
#undef X
	value[VAL_cpu_total_ns] = add_sat(
		add_sat(v->cpu_caller_ns, v->cpu_spin_ns),
		add_sat(add_sat(v->cpu_worker_ns, v->cpu_worker_spin_ns),
			v->cpu_queueing_ns));
	value[VAL_held_peak_bytes] = mul_sat(v->held_peak_pages, run->page_size);
	value[VAL_queue_bytes] = mul_sat(v->queue_pages, run->page_size);
	value[VAL_release_p50_ns] = quantile(rel, 50, 100);
	value[VAL_release_p90_ns] = quantile(rel, 90, 100);
	value[VAL_release_p99_ns] = quantile(rel, 99, 100);
	value[VAL_release_p999_ns] = quantile(rel, 999, 1000);
	value[VAL_release_max_ns] = rel && rel->count ? rel->max : 0;
	value[VAL_malloc_p50_ns] = quantile(mal, 50, 100);
	value[VAL_malloc_p99_ns] = quantile(mal, 99, 100);
}
