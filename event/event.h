/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The event contract: what travels between the rooms.
 *
 * A decoder turns a capture into *records*, one per probe hit, in time order,
 * still with kernel addresses in them, and hands them to a sink. The import
 * pass in db/ turns records into *events*: calls with their duration, objects
 * numbered densely, no address left. Everything after that sees only events.
 */
#ifndef ZSR_EVENT_H
#define ZSR_EVENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

/* ---- records: decoder -> import pass ------------------------------- */

enum zsr_rec_kind {
	ZSR_REC_MALLOC, /* zs_malloc entered: pool, value = size, gfp */
	ZSR_REC_MALLOC_RET, /* returned: handle (or error value) */
	ZSR_REC_MALLOC_DONE, /* one event at return that carries both:
				 * pool, value = size, gfp, handle */
	ZSR_REC_FREE, /* zs_free entered: pool, handle */
	ZSR_REC_FREE_RET,
	ZSR_REC_COMPACT, /* zs_compact entered: pool */
	ZSR_REC_COMPACT_RET, /* value = pages freed */
	ZSR_REC_POOL_CREATE, /* zs_create_pool returned: pool */
	ZSR_REC_POOL_DESTROY, /* zs_destroy_pool entered: pool */
	ZSR_REC_PLACE, /* malloc returned, with the object word:
				 * handle, value = object word */
	ZSR_REC_ZSPAGE_FREE, /* a zspage is handed back: value = zspage */
	ZSR_REC_ZSPAGE_FREE_RET,
	ZSR_REC_EMPTY, /* a function that does next to nothing was entered:
			* what its call takes is the probes' own cost */
	ZSR_REC_EMPTY_RET,
	ZSR_REC_MUNMAP, /* of a range, by a task */
	ZSR_REC_MUNMAP_RET,
	ZSR_REC_EXIT, /* all of a task's memory goes */
	ZSR_REC_EXIT_RET,
	ZSR_REC_MARK, /* text written by the workload */
	ZSR_REC_LOST, /* value records are missing on this cpu here;
				 * value 0: missing, count unknown */
	ZSR_REC_OTHER, /* an event of the file that zsr has no use for */
};

/* Record fields a probe may or may not carry. */
#define ZSR_REC_HAS_POOL    (1u << 0)
#define ZSR_REC_HAS_SIZE    (1u << 1)
#define ZSR_REC_HAS_GFP     (1u << 2)
#define ZSR_REC_HAS_CALLER  (1u << 3)
#define ZSR_REC_COARSE_TIME (1u << 4) /* stamp rounded to us (text) */
#define ZSR_REC_NO_ARGS     (1u << 5) /* a call, but not of what */
#define ZSR_REC_HAS_DUR     (1u << 6) /* value: ns the call took, so its tracer */

struct zsr_rec {
	uint64_t t_ns;
	uint64_t pool; /* kernel addresses: never stored */
	uint64_t handle;
	uint64_t value;
	uint64_t caller; /* return address, 0 unknown */
	uint32_t gfp;
	int32_t pid;
	uint16_t cpu;
	uint8_t kind; /* enum zsr_rec_kind */
	uint8_t has; /* ZSR_REC_HAS_* */
	uint32_t text_len; /* MARK: bytes of text, without NUL */
};

/*
 * Where a decoder puts what it finds. Records come in time order, ties by cpu,
 * then by position in that cpu's buffer. Each callback returns 0, or -errno
 * with `err` set to stop the decoder. `text` is only valid during the call.
 */
struct zsr_event;

struct zsr_sink {
	void *ctx;
	int (*recs)(void *ctx, const struct zsr_rec *recs, size_t n,
		    struct zsr_err *err);
	/* A MARK: its record and its text (NUL-terminated, printable). */
	int (*mark)(void *ctx, const struct zsr_rec *rec, const char *text,
		    struct zsr_err *err);
	/* Name of a task; may come before or after its records. */
	int (*task)(void *ctx, int32_t pid, const char *comm,
		    struct zsr_err *err);
	/*
	 * A fact about the capture: "format", "kernel.release", "arch",
	 * "clock", "cpus", "page_size", "ring.entries.cpu0",
	 * "ring.overrun.cpu0", "ring.dropped.cpu0", "probe", "snap.<mark>.<file>" ...
	 * Later values of the same key replace earlier ones.
	 */
	int (*meta)(void *ctx, const char *key, const char *value,
		    struct zsr_err *err);
	/*
	 * Instead of records: events as a trace has them, from a file that tells
	 * a whole trace. Metas zsr.task.ROW=PID COMM and zsr.mark.NUMBER=TEXT,
	 * both counted from 0, come before the first event that names them. NULL:
	 * this sink takes none.
	 */
	int (*events)(void *ctx, const struct zsr_event *ev, size_t n,
		      struct zsr_err *err);
};

/* ---- events: what a trace is made of ------------------------------- */

enum zsr_event_kind {
	ZSR_EV_MALLOC,
	ZSR_EV_FREE,
	ZSR_EV_COMPACT,
	ZSR_EV_PAGE_FREE,
	ZSR_EV_LOCK_WAIT,
	ZSR_EV_MARK,
	ZSR_EV_NR
};

enum zsr_caller {
	ZSR_CALLER_UNKNOWN,
	ZSR_CALLER_SWAP_RELEASE,
	ZSR_CALLER_OVERWRITE,
	ZSR_CALLER_DISCARD,
	ZSR_CALLER_RESET,
	ZSR_CALLER_RECOMPRESS,
	ZSR_CALLER_ZSWAP_INVALIDATE,
	ZSR_CALLER_ZSWAP_LOAD,
	ZSR_CALLER_ZSWAP_WRITEBACK,
	ZSR_CALLER_NR
};

#define ZSR_EVF_INFERRED (1u << 0) /* made up by the import pass */
#define ZSR_EVF_ORPHAN                                                         \
	(1u << 1) /* free of an object whose malloc
						 * is not in the trace */
#define ZSR_EVF_AFTER_LOSS (1u << 2) /* records are missing before it */

#define ZSR_OBJ_NONE UINT64_MAX /* orphan frees, and kinds without object */

/*
 * One call or one happening. t_ns orders a trace: zs_free at entry, zs_malloc
 * at return, anything else at its own time; ties by cpu, then by position in
 * that cpu's buffer. The first event of a trace has t_ns 0 or more; times are
 * those of the capture's clock less its first record's. dur_ns 0 = unknown:
 * a malloc entered at t_ns - dur_ns, a free returned at t_ns + dur_ns.
 */
struct zsr_event {
	uint64_t t_ns;
	uint64_t dur_ns;
	uint64_t obj; /* number of the malloc that made it, from 0 */
	uint64_t aux; /* compact: pages freed; page_free: pages;
				 * lock_wait: lock; mark: text number */
	int64_t slot; /* zram or swap slot, -1 unknown */
	uint32_t size; /* bytes asked for; a free repeats its malloc's */
	uint32_t gfp;
	uint32_t task; /* row of the trace's task table */
	int32_t cgroup; /* -1 unknown */
	uint16_t cpu;
	uint16_t pool; /* row of the trace's pool table */
	uint8_t kind; /* enum zsr_event_kind */
	uint8_t caller; /* enum zsr_caller */
	uint8_t flags; /* ZSR_EVF_* */
};

/* "malloc", "swap_release", ...; NULL when out of range. */
const char *zsr_event_kind_name(unsigned kind);
const char *zsr_caller_name(unsigned caller);

#endif
