/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The SQLite store: traces as columnar chunks, runs with their results.
 *
 * A handle belongs to one thread. Every writer works in one transaction: what
 * is not committed leaves no trace in the file. Schema: db/schema.sql.
 */
#ifndef ZSR_DB_H
#define ZSR_DB_H

#include "base/base.h"
#include "event/event.h"

struct zsr_db;

#define ZSR_DB_CREATE   (1u << 0) /* make the file when there is none */
#define ZSR_DB_READONLY (1u << 1)

/* Open PATH. A file that is no zsr database, or of a newer schema, is an
 * input error and stays untouched. Close frees the handle; NULL is allowed. */
int zsr_db_open(struct zsr_db **db, const char *path, unsigned flags,
		struct zsr_err *err);
void zsr_db_close(struct zsr_db *db);
/* FN is called once, when another process has kept this one waiting for the
 * database for a while. It waits up to ten minutes. */
void zsr_db_on_wait(struct zsr_db *db, void (*fn)(void *ctx, const char *path),
		    void *ctx);

/* ---- traces -------------------------------------------------------- */

/* Where a trace's times come from; decides whose gaps a replay uses. */
enum zsr_times {
	ZSR_TIMES_HARDWARE, /* a clock of real hardware (default) */
	ZSR_TIMES_EMULATED, /* an emulator's: calls are real, times are not */
	ZSR_TIMES_SYNTHETIC, /* generated */
	ZSR_TIMES_NR
};
const char *zsr_times_name(unsigned times);

/* Which facts of struct zsr_trace were not in the capture. */
#define ZSR_GIVEN_KERNEL        (1u << 0) /* said on the command line */
#define ZSR_GIVEN_PAGE_SIZE     (1u << 1)
#define ZSR_GIVEN_CHAIN_SIZE    (1u << 2)
#define ZSR_INFERRED_KERNEL     (1u << 3) /* nobody said; assumed */
#define ZSR_INFERRED_PAGE_SIZE  (1u << 4)
#define ZSR_INFERRED_CHAIN_SIZE (1u << 5) /* the release's default */

struct zsr_trace {
	int64_t id;
	char name[128];
	char kernel[96]; /* release, "" never */
	char lock_gen[8]; /* "5.10", "6.1", "6.12", "7.3" */
	char format[32]; /* "trace.dat", "raw", "ftrace text", "synth" */
	char clock[16]; /* "mono", "local", "unknown", ... */
	char digest[ZSR_SHA_HEX]; /* of its events and metadata */
	uint32_t page_size; /* bytes */
	uint32_t chain_size; /* pages */
	uint32_t fact_flags; /* ZSR_GIVEN_*, ZSR_INFERRED_* */
	uint32_t times; /* enum zsr_times */
	uint32_t nr_cpus; /* highest cpu seen + 1 */
	uint32_t nr_tasks;
	uint32_t nr_pools;
	bool from_empty; /* every pool was seen from its creation */
	bool has_dur; /* some call carries a duration */
	uint64_t nr_events;
	uint64_t nr_mallocs;
	uint64_t nr_frees; /* orphans included */
	uint64_t nr_objects;
	uint64_t duration_ns; /* last event's t_ns less the first's */
	uint64_t nr_lost; /* records the capture lost, ODD row "lost" */
	uint64_t nr_lost_places; /* where an unknown number was lost */
};

/* Why a trace cannot be replayed, NULL when it can: it tells how long calls took,
 * but not of what. no_arguments: its ODD row of that name, else 0. */
const char *zsr_trace_unplayable(uint64_t no_arguments);

/* Callbacks return 0 to go on, anything else to stop with that value. */
int zsr_trace_list(struct zsr_db *db,
		   int (*fn)(void *ctx, const struct zsr_trace *t), void *ctx,
		   struct zsr_err *err);
/* By name; an input error when there is none, naming those there are. */
int zsr_trace_find(struct zsr_db *db, const char *name, struct zsr_trace *t,
		   struct zsr_err *err);

struct zsr_task {
	uint32_t row;
	int32_t pid;
	char comm[32];
};
int zsr_trace_tasks(struct zsr_db *db, int64_t trace,
		    int (*fn)(void *ctx, const struct zsr_task *t), void *ctx,
		    struct zsr_err *err);
/* Texts of MARK events by number (aux), names of pools by row, facts and
 * counts of losses by key: (number, key, value); unused ones are -1 / "". */
enum zsr_trace_table {
	ZSR_TABLE_MARKS,
	ZSR_TABLE_POOLS,
	ZSR_TABLE_META,
	ZSR_TABLE_ODD
};
int zsr_trace_rows(struct zsr_db *db, int64_t trace, enum zsr_trace_table which,
		   int (*fn)(void *ctx, int64_t nr, const char *key,
			     const char *value),
		   void *ctx, struct zsr_err *err);

/* ---- reading events ------------------------------------------------ */

struct zsr_cursor;

int zsr_cursor_open(struct zsr_db *db, int64_t trace, struct zsr_cursor **c,
		    struct zsr_err *err);
/*
 * The next batch in time order: *ev points at n > 0 events that stay valid
 * until the next call on this cursor. Returns n, 0 at the end, or -errno.
 */
int zsr_cursor_next(struct zsr_cursor *c, const struct zsr_event **ev,
		    struct zsr_err *err);
void zsr_cursor_close(struct zsr_cursor *c);
/*
 * The births (t_ns of the malloc) of the objects that the events of the last
 * batch freed, UINT64_MAX for other events. Asked for before the first next.
 */
int zsr_cursor_want_births(struct zsr_cursor *c, struct zsr_err *err);
const uint64_t *zsr_cursor_births(const struct zsr_cursor *c);
/* Sizes of frees are not given, and not looked for: no memory for what lives.
 * Nobody checks then that what is freed lives. Before the first
 * zsr_cursor_next(). */
int zsr_cursor_want_no_sizes(struct zsr_cursor *c, struct zsr_err *err);

/* ---- writing a trace of events (synth, samples, merge) -------------- */

struct zsr_writer;

/*
 * Start a trace from the facts in *t (name, kernel, page_size, chain_size,
 * fact_flags, times, format, clock, from_empty); a name that is taken gets -2,
 * -3, ... (the final one is in *t after commit, with all counts and the digest).
 */
int zsr_writer_begin(struct zsr_db *db, const struct zsr_trace *t,
		     struct zsr_writer **w, struct zsr_err *err);
int zsr_writer_add(struct zsr_writer *w, const struct zsr_event *ev, size_t n,
		   struct zsr_err *err);
int zsr_writer_task(struct zsr_writer *w, const struct zsr_task *task,
		    struct zsr_err *err);
/* A row of one of the tables above (MARKS and POOLS need nr). */
int zsr_writer_row(struct zsr_writer *w, enum zsr_trace_table which, int64_t nr,
		   const char *key, const char *value, struct zsr_err *err);
/*
 * Both free the writer. Commit also fails for a trace without any event, and
 * for events that name a task or pool without a row; rows count from 0. The
 * lock generation follows from the kernel. Frees take their size from their
 * malloc.
 */
int zsr_writer_commit(struct zsr_writer *w, struct zsr_trace *t,
		      struct zsr_err *err);
void zsr_writer_abort(struct zsr_writer *w);

/* ---- importing records --------------------------------------------- */

struct zsr_import_opts {
	const char *name; /* trace name */
	const char *kernel; /* NULL: what the capture says, else assumed */
	uint32_t page_size; /* 0: likewise */
	uint32_t chain_size; /* 0: likewise */
	enum zsr_times times;
	bool times_given; /* whatever the capture says of them */
	bool force; /* accept a trace whose digest is there already */
	void (*chunk)(uint64_t nr, uint64_t events, uint64_t bytes); /* was
				 * stored; NULL: nobody wants to know */
};

/* What an import found; what is not 0 is stored with the trace as ODD rows. */
#define ZSR_ODD_COUNTS(X)                                                      \
	X(records, "records read")                                             \
	X(lost, "records lost (counted by the ring buffer)")                   \
	X(lost_unknown, "places where an unknown number was lost")             \
	X(other, "records of other events, ignored")                           \
	X(orphan_frees, "frees of objects allocated before the trace")         \
	X(double_frees, "frees of an object that was already free")            \
	X(lost_frees, "objects whose free was lost: handle came back")         \
	X(live_at_end, "objects never freed in the trace")                     \
	X(malloc_failed, "mallocs that returned an error")                     \
	X(malloc_no_return, "malloc entries without a return")                 \
	X(malloc_no_entry, "malloc returns without an entry (size unknown)")   \
	X(free_no_return, "frees without a return")                            \
	X(free_no_entry, "free returns without an entry")                      \
	X(null_frees, "frees of a null or error handle")                       \
	X(backwards, "records whose time went backwards")                      \
	X(bad_size, "mallocs of a size no pool accepts")                       \
	X(no_arguments, "frees of nobody knows what: durations only")

struct zsr_odd {
#define X(name, text) uint64_t name;
	ZSR_ODD_COUNTS(X)
#undef X
};

struct zsr_import;

/*
 * Begin gives a sink for a decoder; finish commits and tells what was found,
 * also when it fails. Finish always frees; abort leaves the database as it
 * was. A trace whose digest is there already is an input error with return
 * value -EEXIST, and *t is the one that is there.
 */
int zsr_import_begin(struct zsr_db *db, const struct zsr_import_opts *opts,
		     struct zsr_import **imp, struct zsr_err *err);
struct zsr_sink *zsr_import_sink(struct zsr_import *imp);
int zsr_import_finish(struct zsr_import *imp, struct zsr_trace *t,
		      struct zsr_odd *odd, struct zsr_err *err);
void zsr_import_abort(struct zsr_import *imp);

/* ---- the way back: a trace as records ---------------------------------- */

/* What of a trace its records cannot say; all 0: importing them again makes a
 * trace of the same digest. */
#define ZSR_UNSAID(X)                                                          \
	X(lock_waits, "lock waits")                                            \
	X(fields, "events with a field no record has (slot, cgroup, ...)")     \
	X(sizes, "mallocs of a size that no pool takes")                       \
	X(early, "mallocs that began before the trace did")                    \
	X(overlaps, "calls of a task within another of its calls")             \
	X(order, "events that change places with others of the same time")     \
	X(tasks, "tasks whose number, name or pid cannot be kept")             \
	X(marks, "marks whose text cannot be kept")                            \
	X(metadata, "facts of several lines, or too long")

struct zsr_unsaid {
#define X(name, text) uint64_t name;
	ZSR_UNSAID(X)
#undef X
};

/* How a trace can be told as records. */
struct zsr_recording {
	struct zsr_unsaid unsaid;
	uint64_t start_ns; /* of the capture's clock at t_ns 0 */
	uint64_t last_ns; /* t_ns of the last event */
	uint64_t longest_ns; /* of a malloc */
	uint32_t callers; /* bit per enum zsr_caller that is named */
	bool all_returns; /* of frees were recorded */
	bool shared_marks; /* not one text a mark */
	bool any_text; /* set: facts may be long and of several lines, too */
};

int zsr_trace_recording(struct zsr_db *db, const struct zsr_trace *t,
			struct zsr_recording *how, struct zsr_err *err);
/* What is not in the records, as meta. */
int zsr_recording_facts(struct zsr_db *db, const struct zsr_trace *t,
			const struct zsr_recording *how, struct zsr_sink *to,
			struct zsr_err *err);
/*
 * A trace into a sink: facts, tasks, then records in time order. It takes
 * memory for the records that lie within the longest malloc.
 */
int zsr_trace_records(struct zsr_db *db, const struct zsr_trace *t,
		      const struct zsr_recording *how, struct zsr_sink *to,
		      struct zsr_err *err);

/* ---- runs ---------------------------------------------------------- */

/*
 * The integers a run is summed up in, in schema order: name, unit, meaning.
 * Times are virtual (or host) ns from the start of the run unless said
 * otherwise; `at_` times count from the first release's begin and are
 * UINT64_MAX when the run ended, before teardown, without getting there.
 */
#define ZSR_RUN_VALUES(X)                                                      \
	X(tasks, "", "tasks that released anything")                           \
	X(mallocs, "", "zs_malloc calls played")                               \
	X(malloc_failed, "", "zs_malloc calls that found no page")             \
	X(frees, "", "releases played")                                        \
	X(fallbacks, "", "releases done synchronously by a deferring policy")  \
	X(caller_max_ns, "ns", "longest caller time of a task")                \
	X(caller_mean_ns, "ns", "mean caller time over tasks")                 \
	X(caller_sum_ns, "ns", "caller time summed over tasks")                \
	X(first_release_ns, "ns", "begin of the first release")                \
	X(last_return_ns, "ns", "the last caller returned")                    \
	X(end_ns, "ns", "everything was idle, before teardown")                \
	X(cpu_caller_ns, "ns",                                                 \
	  "CPU time of releases in callers, less spin and queueing")           \
	X(cpu_spin_ns, "ns",                                                   \
	  "CPU time callers spent waiting for locks and lines in releases")    \
	X(cpu_worker_ns, "ns", "CPU time of workers, less spin")               \
	X(cpu_worker_spin_ns, "ns",                                            \
	  "CPU time workers spent waiting for locks and lines")                \
	X(cpu_queueing_ns, "ns",                                               \
	  "CPU time of queueing work, wake-ups and context switches for it")   \
	X(cpu_gap_ns, "ns", "CPU time of the rest of the release path")        \
	X(cpu_reuse_ns, "ns",                                                  \
	  "CPU time of stores that free what waited in their slot, spin "      \
	  "included")                                                          \
	X(cpu_flush_ns, "ns",                                                  \
	  "CPU time of the flush at pool destroy, of all CPUs")                \
	X(cpu_compact_ns, "ns",                                                \
	  "CPU time of compactions and migrations, spin included")             \
	X(switches, "", "context switches")                                    \
	X(works_queued, "", "work items queued")                               \
	X(works_run, "", "times a worker function ran")                        \
	X(lock_contended, "", "lock acquisitions that waited")                 \
	X(lock_acquired, "", "lock acquisitions")                              \
	X(line_transfers, "", "cache lines moved between CPUs")                \
	X(pages_total, "pages",                                                \
	  "pages sync gives back for the same releases (100 %)")               \
	X(pages_back, "pages", "pages given back by the end, before teardown") \
	X(pages_peak, "pages", "most pages the pools held")                    \
	X(pages_end, "pages",                                                  \
	  "pages the pools held at the end, before teardown")                  \
	X(held_peak_pages, "pages", "most pages held back by queued frees")    \
	X(held_area_page_us, "page us",                                        \
	  "pages held back, integrated over time")                             \
	X(dead_peak_bytes, "bytes",                                            \
	  "most bytes of queued objects, in class sizes")                      \
	X(queue_pages, "pages", "pages of the policy's own buffers")           \
	X(queue_peak, "", "most entries queued at once")                       \
	X(queue_oldest_ns, "ns", "longest time an entry stayed queued")        \
	X(stranded, "", "entries still queued when everything was idle")       \
	X(slots_reused, "", "slots stored to while their release waited")      \
	X(compactions, "", "compactions run")                                  \
	X(compact_pages, "pages", "pages compactions gave back")               \
	X(compact_moved_bytes, "bytes",                                        \
	  "bytes compactions moved, in class sizes")                           \
	X(compact_dead_bytes, "bytes", "of them of objects that were queued")  \
	X(migrated_pages, "pages", "pages of zspages that were migrated")      \
	X(migrate_dead_bytes, "bytes",                                         \
	  "bytes in them of objects that were queued, about")                  \
	X(pages_refused, "", "allocations that found no free page")            \
	X(load_cpu_ns, "ns", "CPU time computing load got")                    \
	X(load_cpu_lost_ns, "ns", "CPU time it lost to the replay")            \
	X(load_rt_ns, "ns", "CPU time real-time load got")                     \
	X(load_rt_lost_ns, "ns", "CPU time it lost to the replay")             \
	X(load_mem_pages, "pages", "pages allocating load got")                \
	X(load_mem_stalls, "", "times it stalled for free memory")             \
	X(load_mem_stall_ns, "ns", "time it stalled")                          \
	X(load_mem_stall_max_ns, "ns", "longest stall")                        \
	X(at_50_ns, "ns", "50 % of the pages were back")                       \
	X(at_90_ns, "ns", "90 % of the pages were back")                       \
	X(at_99_ns, "ns", "99 % of the pages were back")                       \
	X(at_100_ns, "ns", "100 % of the pages were back")                     \
	X(teardown_ns, "ns", "time the flush at pool destroy took")

struct zsr_run_values {
#define X(name, unit, text) uint64_t name;
	ZSR_RUN_VALUES(X)
#undef X
};

/* Histograms of a run. */
#define ZSR_RUN_HISTS(X)                                                       \
	X(release, "one release as its caller sees it, ns")                    \
	X(malloc, "one zs_malloc, ns")                                         \
	X(queued, "time an entry stayed queued, ns")

/*
 * Time series of a run: points (t_ns, value) at changes, thinned evenly in
 * the number of points; the value holds until the next point.
 */
#define ZSR_RUN_SERIES(X)                                                      \
	X(live_pages, "pages", "pages of zspages with a live object")          \
	X(held_pages, "pages", "pages held back by queued frees")              \
	X(back_pages, "pages",                                                 \
	  "pages given back since the first release began")                    \
	X(queue_depth, "entries", "entries queued")

/* Grids of a run, from the first release on, where it recorded them: rows by
 * columns of time. They take no part in the result digest. */
#define ZSR_RUN_GRIDS(X)                                                       \
	X(latency, "releases that ended in a column; row: ns at least")        \
	X(objects, "objects of a size class as a column ends; row: bytes")     \
	X(pages, "pages of a size class as a column ends; row: bytes")         \
	X(busy,                                                                \
	  "ns a CPU was busy in a column; row: CPU << 8 | enum zsr_busy")      \
	X(marks, "one column: pages as a mark was played; row: its text")      \
	X(memory, "host, as a step ends; row: 0 resident KiB, 1 pools' pages")

enum {
#define X(name, text) ZSR_HIST_##name,
	ZSR_RUN_HISTS(X)
#undef X
		ZSR_NR_RUN_HISTS
};
enum {
#define X(name, unit, text) ZSR_SERIES_##name,
	ZSR_RUN_SERIES(X)
#undef X
		ZSR_NR_RUN_SERIES
};

enum {
#define X(name, text) ZSR_GRID_##name,
	ZSR_RUN_GRIDS(X)
#undef X
		ZSR_NR_RUN_GRIDS
};

/* What a CPU is busy with. */
enum zsr_busy {
	ZSR_BUSY_CALLER, /* a release in its caller */
	ZSR_BUSY_WORKER, /* a worker's part of releases */
	ZSR_BUSY_LOAD, /* load generators */
	ZSR_BUSY_OTHER, /* stores, gaps, switches, compaction */
	ZSR_NR_BUSY
};

struct zsr_grid {
	uint64_t begin_ns; /* of the first column */
	uint64_t step_ns; /* a column is so long */
	uint32_t nr_cols;
	uint32_t nr_rows; /* 0: not recorded */
	uint64_t *row; /* what a row is about */
	uint32_t *cell; /* row after row */
};

struct zsr_point {
	uint64_t t_ns;
	uint64_t value;
};

struct zsr_series {
	struct zsr_point *points; /* strictly growing t_ns */
	size_t nr;
};

/* One release of one task: a run of frees with no store of it in between. */
struct zsr_release {
	uint64_t begin_ns;
	uint64_t end_ns;
	uint64_t nr; /* objects */
	uint32_t task;
};

/* What a lock went through from the first release on; those of a kind, of
 * several pools, together. */
struct zsr_run_lock {
	char name[24]; /* "class", "pool", "zone", "outer", or the policy's */
	uint32_t size; /* the class's bytes a slot; 0: no class's */
	uint64_t acquired, contended, wait_ns, hold_ns;
};

/* CPU time of a step of the release path. */
struct zsr_run_step {
	char who[12]; /* "caller", "worker", "store" (see cpu_reuse_ns) */
	char step[24]; /* name in a machine profile */
	uint64_t ns;
};

/* Of the host: stored among a run's values, no part of its digest. */
struct zsr_run_counter {
	char name[48]; /* "host.task.0.cycles" */
	uint64_t value;
};

struct zsr_run {
	int64_t id; /* 0 before it is stored */
	int64_t trace;
	char trace_name[128];
	char trace_digest[ZSR_SHA_HEX];
	char policy[64];
	char clock[8]; /* "virtual" or "host" */
	char profile[64]; /* name */
	char *profile_text; /* the whole profile as used, owned */
	char *params; /* "pool-pages=64 batch=32", owned */
	char arrival[12];
	char gaps[12]; /* "recorded", "profile" or "none" (host) */
	char outer_lock[12]; /* "device", "cluster", "none" */
	char conditions[512]; /* options of replay that load the machine, "" */
	char engine[16]; /* model name: "6.1", "6.3", "6.12" */
	uint32_t page_size;
	uint32_t cpus;
	uint64_t seed;
	char digest[ZSR_SHA_HEX]; /* result digest */
	struct zsr_run_values v;
	struct zsr_hist *hist[ZSR_NR_RUN_HISTS]; /* owned */
	struct zsr_series series[ZSR_NR_RUN_SERIES]; /* points owned */
	struct zsr_grid grid[ZSR_NR_RUN_GRIDS]; /* rows and cells owned */
	struct zsr_run_lock *locks; /* owned */
	size_t nr_locks;
	struct zsr_run_step *steps; /* owned */
	size_t nr_steps;
	struct zsr_run_counter *counters; /* owned */
	size_t nr_counters, cap_counters;
	struct zsr_release *releases; /* largest ones, owned, by begin */
	size_t nr_releases;
};

/* Allocates the histograms; a run is freed with zsr_run_free(). */
int zsr_run_init(struct zsr_run *run, struct zsr_err *err);
void zsr_run_free(struct zsr_run *run);
/* One more counter; 0 or -ENOMEM. A long NAME is cut. */
int zsr_run_count(struct zsr_run *run, const char *name, uint64_t value);
/* SHA-256 over results in schema order (values, histograms, series, releases)
 * into run->digest. Inputs do not take part. */
void zsr_run_digest(struct zsr_run *run);

/* SHA-256 of a profile's text. */
void zsr_profile_digest(const char *text, char digest[ZSR_SHA_HEX]);

/* Stores a run in a transaction of its own and sets run->id. */
int zsr_run_store(struct zsr_db *db, struct zsr_run *run, struct zsr_err *err);
int zsr_run_load(struct zsr_db *db, int64_t id, struct zsr_run *run,
		 struct zsr_err *err);
/* Ids of runs, oldest first: of one trace, or (trace 0) of the trace that was
 * replayed last. *ids is malloc'ed. An input error when there is none. */
int zsr_run_ids(struct zsr_db *db, int64_t trace, int64_t **ids, size_t *nr,
		struct zsr_err *err);

/* ---- keeping a database ---------------------------------------------- */

struct zsr_fsck {
	uint64_t nr_faults;
	uint64_t nr_traces;
	uint64_t nr_chunks;
	uint64_t nr_events;
	uint64_t nr_runs;
};

struct zsr_fsck_opts {
	void *ctx;
	/* A fault in one line, without a line feed; 0 to go on. May be NULL. */
	int (*fault)(void *ctx, const char *line);
	void (*at)(void *ctx, uint64_t events); /* progress; may be NULL */
};

/*
 * Check everything: the file, every checksum, count and reference; digests of
 * traces, profiles and runs are computed again. 0 when all was looked at,
 * whatever it was like; what fault() returned; -errno when the database could
 * not be read.
 */
int zsr_db_fsck(struct zsr_db *db, const struct zsr_fsck_opts *opts,
		struct zsr_fsck *found, struct zsr_err *err);

enum zsr_their_runs {
	ZSR_RUNS_REFUSE, /* a trace with runs is an input error that names them */
	ZSR_RUNS_REMOVE, /* they go with it */
	ZSR_RUNS_KEEP, /* they stay and can be compared, not be made again */
};

struct zsr_remove {
	const char *const *traces; /* by name */
	size_t nr_traces;
	const int64_t *runs; /* by id */
	size_t nr_runs;
	enum zsr_their_runs their_runs;
};

struct zsr_removed {
	uint64_t nr_traces;
	uint64_t nr_runs;
	uint64_t bytes_back; /* the file is so much smaller */
	uint64_t bytes_spare; /* in it, for what comes next */
};

/* Remove all of it or, with an error, nothing. */
int zsr_db_remove(struct zsr_db *db, const struct zsr_remove *what,
		  struct zsr_removed *out, struct zsr_err *err);

struct zsr_merge_opts {
	void *ctx;
	/* A trace NAME of PATH, and what it is called now. May be NULL. */
	void (*trace)(void *ctx, const char *path, const char *name,
		      const char *as, bool known);
};

struct zsr_merged {
	uint64_t nr_traces;
	uint64_t nr_known; /* were there already, by digest */
	uint64_t nr_runs;
	uint64_t nr_known_runs; /* same inputs, same results */
};

/*
 * The traces and runs of the databases at PATHS into DB, all or nothing. Each
 * is checked before anything is taken from it; a fault is an input error. Runs
 * belong to the trace that has their trace's digest.
 */
int zsr_db_merge(struct zsr_db *db, const char *const *paths, size_t nr,
		 const struct zsr_merge_opts *opts, struct zsr_merged *merged,
		 struct zsr_err *err);

/* ---- SQL ----------------------------------------------------------- */

enum zsr_sql_type { ZSR_SQL_NULL, ZSR_SQL_NUMBER, ZSR_SQL_TEXT };

/*
 * Run a read-only QUERY with the virtual table zsr_event and the views of the
 * schema. row() is called once with values NULL for the head, then for each
 * row; SQL NULL is NULL, a blob comes as the text x'...'. A query that is wrong
 * or would write is a usage error.
 */
int zsr_db_sql(struct zsr_db *db, const char *query,
	       int (*row)(void *ctx, int ncol, const char *const *names,
			  const char *const *values,
			  const enum zsr_sql_type *types),
	       void *ctx, struct zsr_err *err);

#endif
