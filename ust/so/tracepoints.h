/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tracepoints of the provider zsr, as zsr-replay(1) documents them. Read
 * several times over by the macros of LTTng-UST, hence the odd guard.
 */
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER zsr

#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "ust/so/tracepoints.h"

#if !defined(ZSR_UST_TRACEPOINTS_H) ||                                         \
	defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define ZSR_UST_TRACEPOINTS_H

#include <lttng/tracepoint.h>
#include <stdint.h>

#include "replay/machine/probes.h"

#define ZSR_LEVEL(name, level)                                                 \
	LTTNG_UST_TRACEPOINT_LOGLEVEL(zsr, name,                               \
				      LTTNG_UST_TRACEPOINT_LOGLEVEL_##level)

/* clang-format off */
LTTNG_UST_TRACEPOINT_EVENT(zsr, run,
	LTTNG_UST_TP_ARGS(const struct zsr_probed_run *, run),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_string(trace, run->trace)
		lttng_ust_field_string(policy, run->policy)
		lttng_ust_field_string(kernel, run->kernel)
		lttng_ust_field_integer(uint32_t, page_size, run->page_size)
		lttng_ust_field_integer(uint32_t, chain_size, run->chain_size)
		lttng_ust_field_integer(uint64_t, round, run->round)))
ZSR_LEVEL(run, INFO)

LTTNG_UST_TRACEPOINT_EVENT(zsr, mark,
	LTTNG_UST_TP_ARGS(const char *, text),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_string(msg, text)))
ZSR_LEVEL(mark, INFO)

LTTNG_UST_TRACEPOINT_EVENT(zsr, task,
	LTTNG_UST_TP_ARGS(uint32_t, row),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint32_t, row, row)))
ZSR_LEVEL(task, INFO)

LTTNG_UST_TRACEPOINT_EVENT(zsr, malloc,
	LTTNG_UST_TP_ARGS(unsigned, pool, uint64_t, handle, uint32_t, size,
			  uint64_t, took_ns),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint32_t, pool, pool)
		lttng_ust_field_integer(uint64_t, handle, handle)
		lttng_ust_field_integer(uint32_t, size, size)
		lttng_ust_field_integer(uint64_t, took_ns, took_ns)))
ZSR_LEVEL(malloc, DEBUG_FUNCTION)

LTTNG_UST_TRACEPOINT_EVENT(zsr, free_begin,
	LTTNG_UST_TP_ARGS(unsigned, pool, uint64_t, handle),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint32_t, pool, pool)
		lttng_ust_field_integer(uint64_t, handle, handle)))
ZSR_LEVEL(free_begin, DEBUG_FUNCTION)

LTTNG_UST_TRACEPOINT_EVENT(zsr, free_end,
	LTTNG_UST_TP_ARGS(unsigned, pool, uint64_t, handle, uint64_t, took_ns),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint32_t, pool, pool)
		lttng_ust_field_integer(uint64_t, handle, handle)
		lttng_ust_field_integer(uint64_t, took_ns, took_ns)))
ZSR_LEVEL(free_end, DEBUG_FUNCTION)

LTTNG_UST_TRACEPOINT_EVENT(zsr, compact_begin,
	LTTNG_UST_TP_ARGS(unsigned, pool),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint32_t, pool, pool)))
ZSR_LEVEL(compact_begin, INFO)

LTTNG_UST_TRACEPOINT_EVENT(zsr, compact_end,
	LTTNG_UST_TP_ARGS(unsigned, pool, uint64_t, pages),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint32_t, pool, pool)
		lttng_ust_field_integer(uint64_t, pages, pages)))
ZSR_LEVEL(compact_end, INFO)

LTTNG_UST_TRACEPOINT_EVENT_CLASS(zsr, drain,
	LTTNG_UST_TP_ARGS(const char *, queue, const void *, work),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_string(queue, queue)
		lttng_ust_field_integer_hex(uintptr_t, work, (uintptr_t)work)))

LTTNG_UST_TRACEPOINT_EVENT_INSTANCE(zsr, drain, zsr, drain_begin,
	LTTNG_UST_TP_ARGS(const char *, queue, const void *, work))
ZSR_LEVEL(drain_begin, INFO)

LTTNG_UST_TRACEPOINT_EVENT_INSTANCE(zsr, drain, zsr, drain_end,
	LTTNG_UST_TP_ARGS(const char *, queue, const void *, work))
ZSR_LEVEL(drain_end, INFO)

LTTNG_UST_TRACEPOINT_EVENT(zsr, zspage_free,
	LTTNG_UST_TP_ARGS(unsigned, pool, unsigned, class_, uint64_t, zspage,
			  unsigned, pages),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint32_t, pool, pool)
		lttng_ust_field_integer(uint32_t, class_index, class_)
		lttng_ust_field_integer(uint64_t, zspage, zspage)
		lttng_ust_field_integer(uint32_t, nr_pages, pages)))
ZSR_LEVEL(zspage_free, DEBUG_SYSTEM)

LTTNG_UST_TRACEPOINT_EVENT(zsr, fallback,
	LTTNG_UST_TP_ARGS(unsigned, pool),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint32_t, pool, pool)))
ZSR_LEVEL(fallback, WARNING)

LTTNG_UST_TRACEPOINT_EVENT(zsr, lock_wait,
	LTTNG_UST_TP_ARGS(const void *, lock, uint64_t, wait_ns),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer_hex(uintptr_t, lock, (uintptr_t)lock)
		lttng_ust_field_integer(uint64_t, wait_ns, wait_ns)))
ZSR_LEVEL(lock_wait, NOTICE)

LTTNG_UST_TRACEPOINT_EVENT(zsr, import_chunk,
	LTTNG_UST_TP_ARGS(uint64_t, nr, uint64_t, events, uint64_t, bytes),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint64_t, nr, nr)
		lttng_ust_field_integer(uint64_t, events, events)
		lttng_ust_field_integer(uint64_t, bytes, bytes)))
ZSR_LEVEL(import_chunk, INFO)

LTTNG_UST_TRACEPOINT_EVENT_CLASS(zsr, cost,
	LTTNG_UST_TP_ARGS(unsigned, nr),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint32_t, nr, nr)))

LTTNG_UST_TRACEPOINT_EVENT_INSTANCE(zsr, cost, zsr, cost_begin,
	LTTNG_UST_TP_ARGS(unsigned, nr))
ZSR_LEVEL(cost_begin, DEBUG)

LTTNG_UST_TRACEPOINT_EVENT_INSTANCE(zsr, cost, zsr, cost_end,
	LTTNG_UST_TP_ARGS(unsigned, nr))
ZSR_LEVEL(cost_end, DEBUG)
/* clang-format on */

#endif

#include <lttng/tracepoint-event.h>
