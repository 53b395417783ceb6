// SPDX-License-Identifier: GPL-2.0-only
/* The provider: functions that each are a tracepoint. */
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "ust/so/tracepoints.h"

#include "ust/so/session.h"

/* Marks of facts are what `zsr import` knows the run's trace by. */
static void fact(const char *key, const char *text, unsigned value)
{
	char mark[256];

	if (text)
		snprintf(mark, sizeof(mark), "zsr:fact %s=%s", key, text);
	else
		snprintf(mark, sizeof(mark), "zsr:fact %s=%u", key, value);
	lttng_ust_tracepoint(zsr, mark, mark);
}

static void on_run(const struct zsr_probed_run *run)
{
	lttng_ust_tracepoint(zsr, run, run);
	fact("kernel.release", run->kernel, 0);
	fact("page_size", NULL, run->page_size);
	fact("chain_size", NULL, run->chain_size);
	fact("zsr.from_empty", NULL, 1);
	fact("cost.method", "LTTng-UST", 0);
	fact("replayed", run->trace, 0);
	fact("replayed.policy", run->policy, 0);
}

static void on_task(uint32_t row)
{
	lttng_ust_tracepoint(zsr, task, row);
}

/* What is decoded as a handle is not 0, unless there is no object. */
static void on_malloc(unsigned pool, uint64_t obj, uint32_t size, bool failed,
		      uint64_t took_ns)
{
	lttng_ust_tracepoint(zsr, malloc, pool, failed ? 0 : obj + 1, size,
			     took_ns);
}

static void on_free_begin(unsigned pool, uint64_t obj)
{
	lttng_ust_tracepoint(zsr, free_begin, pool, obj + 1);
}

static void on_free_end(unsigned pool, uint64_t obj, uint64_t took_ns)
{
	lttng_ust_tracepoint(zsr, free_end, pool, obj + 1, took_ns);
}

static void on_compact_begin(unsigned pool)
{
	lttng_ust_tracepoint(zsr, compact_begin, pool);
}

static void on_compact_end(unsigned pool, uint64_t pages)
{
	lttng_ust_tracepoint(zsr, compact_end, pool, pages);
}

static void on_drain_begin(const char *queue, const void *work)
{
	lttng_ust_tracepoint(zsr, drain_begin, queue, work);
}

static void on_drain_end(const char *queue, const void *work)
{
	lttng_ust_tracepoint(zsr, drain_end, queue, work);
}

static void on_zspage_free(unsigned pool, unsigned class, uint64_t zspage,
			   unsigned pages)
{
	lttng_ust_tracepoint(zsr, zspage_free, pool, class, zspage, pages);
}

static void on_fallback(unsigned pool)
{
	lttng_ust_tracepoint(zsr, fallback, pool);
}

static void on_lock_wait(const void *lock, uint64_t wait_ns)
{
	lttng_ust_tracepoint(zsr, lock_wait, lock, wait_ns);
}

static void on_chunk(uint64_t nr, uint64_t events, uint64_t bytes)
{
	lttng_ust_tracepoint(zsr, import_chunk, nr, events, bytes);
}

static void on_cost(unsigned nr)
{
	lttng_ust_tracepoint(zsr, cost_begin, nr);
	lttng_ust_tracepoint(zsr, cost_end, nr);
}

static bool listens(void)
{
	return lttng_ust_tracepoint_enabled(zsr, free_begin) ||
	       lttng_ust_tracepoint_enabled(zsr, import_chunk);
}

static const struct zsr_probes probes = {
	.run = on_run,
	.task = on_task,
	.malloc = on_malloc,
	.free_begin = on_free_begin,
	.free_end = on_free_end,
	.compact_begin = on_compact_begin,
	.compact_end = on_compact_end,
	.drain_begin = on_drain_begin,
	.drain_end = on_drain_end,
	.zspage_free = on_zspage_free,
	.fallback = on_fallback,
	.lock_wait = on_lock_wait,
};

extern const struct zsr_lttng_object zsr_lttng_object;

__attribute__((visibility("default")))
const struct zsr_lttng_object zsr_lttng_object = {
	.version = ZSR_LTTNG_VERSION,
	.probes = &probes,
	.chunk = on_chunk,
	.cost = on_cost,
	.listens = listens,
	.start = zsr_lttng_session_start,
	.stop = zsr_lttng_session_stop,
};
