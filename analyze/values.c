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

/* ---- where the time went --------------------------------------------------- */

/* Steps by name (machine.h), and the value they are part of. */
static const struct {
	const char *step;
	unsigned value;
} step_groups[] = {
	{ "slot", VAL_step_slot_ns },
	{ "slot_mark", VAL_step_slot_ns },
	{ "swap_free", VAL_step_slot_ns },
	{ "cell_load", VAL_step_object_ns },
	{ "zspage_load", VAL_step_object_ns },
	{ "obj_free", VAL_step_object_ns },
	{ "regroup", VAL_step_object_ns },
	{ "handle_free", VAL_step_object_ns },
	{ "zspage_lock", VAL_step_zspage_ns },
	{ "zspage_unlink", VAL_step_zspage_ns },
	{ "page_reset", VAL_step_zspage_ns },
	{ "page_free", VAL_step_zspage_ns },
	{ "zone_free", VAL_step_zspage_ns },
	{ "zspage_free", VAL_step_zspage_ns },
	{ "spin_lock", VAL_step_lock_ns },
	{ "spin_unlock", VAL_step_lock_ns },
	{ "read_lock", VAL_step_lock_ns },
	{ "read_unlock", VAL_step_lock_ns },
	{ "write_lock", VAL_step_lock_ns },
	{ "write_unlock", VAL_step_lock_ns },
	{ "atomic", VAL_step_lock_ns },
};

/* What no group has belongs to the policy's queue: buffers, their pages. */
unsigned zsr_step_group(const char *step)
{
	size_t i;

	for (i = 0; i < ZSR_ARRAY_SIZE(step_groups); i++)
		if (!strcmp(step_groups[i].step, step))
			return step_groups[i].value;
	return VAL_step_queue_ns;
}

static unsigned lock_group(const char *name)
{
	return !strcmp(name, "outer")   ? VAL_wait_outer_ns
	       : !strcmp(name, "pool")  ? VAL_wait_pool_ns
	       : !strcmp(name, "class") ? VAL_wait_class_ns
	       : !strcmp(name, "zone")  ? VAL_wait_zone_ns
					: VAL_wait_queue_ns;
}

static void fill_parts(const struct zsr_run *run, uint64_t *value)
{
	size_t i;
	unsigned k;

	for (k = VAL_step_slot_ns; k <= VAL_wait_queue_ns; k++)
		value[k] = 0;
	for (i = 0; i < run->nr_steps; i++) {
		k = zsr_step_group(run->steps[i].step);
		value[k] = add_sat(value[k], run->steps[i].ns);
	}
	if (run->nr_steps)
		value[VAL_step_queue_ns] = add_sat(value[VAL_step_queue_ns],
						   run->v.cpu_queueing_ns);
	for (i = 0; i < run->nr_locks; i++) {
		k = lock_group(run->locks[i].name);
		value[k] = add_sat(value[k], run->locks[i].wait_ns);
	}
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
		add_sat(add_sat(v->cpu_caller_ns, v->cpu_spin_ns),
			add_sat(v->cpu_reuse_ns, v->cpu_flush_ns)),
		add_sat(add_sat(v->cpu_worker_ns, v->cpu_worker_spin_ns),
			v->cpu_queueing_ns));
	value[VAL_held_peak_bytes] = mul_sat(v->held_peak_pages, run->page_size);
	value[VAL_queue_bytes] = mul_sat(v->queue_pages, run->page_size);
	fill_parts(run, value);
	value[VAL_release_p50_ns] = quantile(rel, 50, 100);
	value[VAL_release_p90_ns] = quantile(rel, 90, 100);
	value[VAL_release_p99_ns] = quantile(rel, 99, 100);
	value[VAL_release_p999_ns] = quantile(rel, 999, 1000);
	value[VAL_release_max_ns] = rel && rel->count ? rel->max : 0;
	value[VAL_malloc_p50_ns] = quantile(mal, 50, 100);
	value[VAL_malloc_p99_ns] = quantile(mal, 99, 100);
}
