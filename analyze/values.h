/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers of the values of a column, and what is derived from a run. */
#ifndef ZSR_ANALYZE_VALUES_H
#define ZSR_ANALYZE_VALUES_H

#include "analyze/analyze.h"
#include "db/db.h"

#define ZSR_DERIVED_VALUES(X)                                                             \
	X(cpu_total_ns,                                                                   \
	  "ns", "CPU time of all frees: callers, workers, spin, queueing, stores, flush") \
	X(held_peak_bytes, "bytes", "most bytes held back by queued frees")               \
	X(queue_bytes, "bytes", "bytes of the policy's own buffers")                      \
	X(step_slot_ns, "ns", "CPU time of slot bookkeeping")                             \
	X(step_object_ns, "ns", "CPU time of freeing objects and handles")                \
	X(step_zspage_ns, "ns", "CPU time of giving emptied zspages back")                \
	X(step_lock_ns, "ns", "CPU time of lock operations, less waits")                  \
	X(step_queue_ns, "ns", "CPU time of queueing, wake-ups and switches")             \
	X(wait_outer_ns, "ns", "waits for the swap device's lock")                        \
	X(wait_pool_ns, "ns", "waits for the pool lock")                                  \
	X(wait_class_ns, "ns", "waits for class locks")                                   \
	X(wait_zone_ns, "ns", "waits for the zone lock")                                  \
	X(wait_queue_ns, "ns", "waits for the policy's own locks")                        \
	X(release_p50_ns, "ns", "median of one release")                                  \
	X(release_p90_ns, "ns", "90 % of releases took at most this")                     \
	X(release_p99_ns, "ns", "99 % of releases took at most this")                     \
	X(release_p999_ns, "ns", "99.9 % of releases took at most this")                  \
	X(release_max_ns, "ns", "longest release")                                        \
	X(malloc_p50_ns, "ns", "median of one zs_malloc")                                 \
	X(malloc_p99_ns, "ns", "99 % of zs_mallocs took at most this")

enum {
#define X(name, unit, text) VAL_##name,
	ZSR_RUN_VALUES(X) ZSR_DERIVED_VALUES(X)
#undef X
		NR_VALUES
};

/* Fill value[NR_VALUES] from a run; sums and products stop at UINT64_MAX. */
void zsr_values_fill(const struct zsr_run *run, uint64_t *value);

/* Times nobody reached are stored as UINT64_MAX in the at_ values. */
bool zsr_value_is_never(size_t i, uint64_t v);

/* A copy that is valid UTF-8 without control characters, tabs made blanks;
 * NULL: no memory. */
char *zsr_clean(const char *s);

uint64_t zsr_series_max(const struct zsr_series *s);

/* The steps of zsr_analyze(), each on its own file. 0 or -ENOMEM. */
int zsr_label_columns(struct zsr_compare *c);
int zsr_rows_build(struct zsr_compare *c);
int zsr_facts_build(struct zsr_compare *c, const struct zsr_trace *t);
int zsr_verdict_build(struct zsr_compare *c);
int zsr_timeline_build(struct zsr_compare *c, const struct zsr_run *const *run,
		       const struct zsr_analyze_opts *opts);
int zsr_decimate(struct zsr_window *win, struct zsr_panel *p,
		 const struct zsr_run *run);
int zsr_maps_build(struct zsr_compare *c, const struct zsr_run *const *run);
int zsr_cpus_build(struct zsr_column *c, const struct zsr_run *run);
int zsr_fill_build(struct zsr_compare *c, const struct zsr_run *const *run);
int zsr_parts_build(struct zsr_column *c, const struct zsr_run *run);
int zsr_locks_build(struct zsr_column *c, const struct zsr_run *run);
int zsr_sweeps_build(struct zsr_compare *c, const struct zsr_analyze_opts *opts);
/* 0, -ENOMEM, or with ERR what the database said. */
int zsr_fidelity_build(struct zsr_compare *c, const struct zsr_run *const *run,
		       const struct zsr_trace *t,
		       const struct zsr_analyze_opts *opts, struct zsr_err *err);
int zsr_captured_build(struct zsr_fidelity *f, const struct zsr_trace *t,
		       const struct zsr_lines *profile, struct zsr_db *db,
		       struct zsr_err *err);
int zsr_stamp_build(struct zsr_compare *c, const struct zsr_trace *t);
/* The value a step of the release path is part of. */
unsigned zsr_step_group(const char *step);
int zsr_latency_build(struct zsr_latency *l, const struct zsr_hist *h);

#endif
