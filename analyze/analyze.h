/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Statistics over stored runs, as plain structs: what is printed by `compare`
 * and drawn by `report`. Every number that a person reads is formatted here,
 * once, so that a table and a figure cannot disagree.
 */
#ifndef ZSR_ANALYZE_H
#define ZSR_ANALYZE_H

#include "base/base.h"

struct zsr_db; /* db/db.h */
struct zsr_run;
struct zsr_trace;

/* Width of a table for a mail, in columns of text. */
#define ZSR_MAIL_WIDTH 68

/* "never", and "no such value". */
#define ZSR_NEVER UINT64_MAX

/* ---- lines of text -------------------------------------------------- */

/* Owned lines; zeroed = empty. */
struct zsr_lines {
	char **line;
	size_t nr;
	size_t cap;
};

/* Both return 0 or -ENOMEM. The second wraps at words to WIDTH columns,
 * continuation lines indented by INDENT; a longer word is cut. */
int zsr_lines_add(struct zsr_lines *l, const char *fmt, ...) ZSR_PRINTF(2, 3);
int zsr_lines_wrap(struct zsr_lines *l, size_t width, size_t indent,
		   const char *text);
void zsr_lines_free(struct zsr_lines *l);
/* Columns of text a UTF-8 string takes, one a code point. */
size_t zsr_text_width(const char *s);

/* ---- values -------------------------------------------------------- */

/* The integers of a run, those of the database first (their schema order),
 * then those derived from them: quantiles, sums, bytes. */
struct zsr_value_info {
	const char *name; /* "caller_max_ns": the key in JSON and CSV */
	const char *unit; /* "ns", "pages", "" */
	const char *text; /* meaning */
};
size_t zsr_nr_values(void);
const struct zsr_value_info *zsr_value_info(size_t i);

/* Value i as JSON and CSV have it: its digits, or "never". */
void zsr_value_print(char buf[ZSR_FMT_LEN], size_t i, uint64_t v);

/* "3.20x", "12.3x"; "-" when there is nothing to divide by. */
char *zsr_fmt_ratio(char buf[ZSR_FMT_LEN], uint64_t a, uint64_t b);
/* a / b in per cent: "0 %", "0.12 %", "12.3 %". */
char *zsr_fmt_percent(char buf[ZSR_FMT_LEN], uint64_t a, uint64_t b);
/* "4 KiB", "16 KiB". */
char *zsr_fmt_page_size(char buf[ZSR_FMT_LEN], uint32_t bytes);

/* ---- figures ------------------------------------------------------- */

struct zsr_range {
	uint64_t lo;
	uint64_t hi;
};

/* What happened within one pixel column: the ranges of the parts and of the
 * sum of the stack, in pages, and of the queue's depth, in entries. */
struct zsr_px {
	struct zsr_range live; /* live */
	struct zsr_range held; /* held back */
	struct zsr_range all; /* live + held back + back since the zero */
	struct zsr_range depth;
	bool releasing; /* some caller was within a release */
};

/*
 * A time axis that all runs share: ns from each run's own zero. Window 0 has
 * its zero at the begin of the first release and shows all of them. Where
 * that is too wide to see one, window 1 shows the main burst: releases that
 * follow each other closely and hold a quarter of all released objects.
 */
#define ZSR_MAX_WINDOWS 2

struct zsr_window {
	int64_t from_ns;
	int64_t to_ns; /* > from_ns */
	size_t nr_px;
	uint64_t max_pages; /* highest point of any stack */
	uint64_t max_depth;
	bool burst; /* it is window 1 */
};

/*
 * One run in one window. Marks are ns from the zero, ZSR_NEVER when it did
 * not happen (after it). 100 % of the pages are what sync gives back for all
 * releases; in a burst, what the first column gives back up to its end there.
 */
struct zsr_panel {
	struct zsr_px *px; /* nr_px of the window */
	uint64_t origin_ns; /* the zero, in the run's own time */
	uint64_t end_ns; /* where its story ends, from the zero */
	uint64_t nr_callers; /* releases the next two are about: all of a
				 * burst; none when there are several bursts */
	uint64_t mean_return_ns; /* never, too, of releases apart */
	uint64_t last_return_ns;
	uint64_t at_ns[3]; /* 50, 90, 100 % of the pages back */
	uint64_t held_max; /* pages held back */
};

/* A latency distribution: nines = -log10(1 - p), so 0, 1, 2 are the smallest,
 * p90 and p99. Growing in both; at most one a histogram bucket. */
struct zsr_nines {
	double nines;
	uint64_t ns;
};

struct zsr_latency {
	struct zsr_nines *pt;
	size_t nr;
	uint64_t count;
};

/* The smallest ns that at least this share of the values does not exceed. */
uint64_t zsr_latency_at(const struct zsr_latency *l, double nines);

/* Releases by when they ended and how long they took. */
struct zsr_map {
	uint64_t step_ns; /* a column; the first one begins at zero */
	uint32_t nr_cols;
	uint32_t nr_rows; /* 0: the run has none */
	uint64_t *row; /* at least this many ns, growing */
	uint32_t *cell; /* releases, row after row */
};

/* Size classes put together, the same in all columns of a comparison. */
#define ZSR_MOST_SIZES 4

struct zsr_sizes {
	uint64_t low, high; /* bytes of the classes' slots */
};

/* What pages hold as a column of time ends. */
struct zsr_fill {
	uint64_t used[ZSR_MOST_SIZES]; /* bytes of objects not yet freed */
	uint64_t unused; /* the other bytes of their zspages */
};

struct zsr_filling {
	uint64_t step_ns; /* as in struct zsr_map */
	struct zsr_fill *at;
	size_t nr; /* 0: the run has none */
	uint64_t unused_max; /* bytes, and when */
	uint64_t unused_max_ns;
	uint64_t unused_class; /* that had most of them then */
};

/* What CPUs are busy with, by share of a column's time; the rest is idle. */
enum {
	ZSR_CPU_CALLER, /* releases in callers */
	ZSR_CPU_WORKER,
	ZSR_CPU_LOAD, /* other load */
	ZSR_CPU_OTHER, /* stores, the rest of the path, switches */
	ZSR_CPU_KINDS
};

struct zsr_cpus {
	uint64_t step_ns; /* as in struct zsr_map */
	uint32_t nr_cpus; /* 0: the run has none */
	uint32_t nr_cols;
	float (*share)[ZSR_CPU_KINDS]; /* columns of CPU 0, of CPU 1, ... */
};

/* A node of the cost tree, in the order of reading: parents first. */
struct zsr_part {
	char name[32];
	unsigned depth; /* 0: all, 1: who, 2: of what kind, 3: step */
	uint64_t ns; /* with what is below it */
};

/* A lock, or all class locks together, from the first release on. */
struct zsr_lock {
	char name[32];
	bool part; /* one of those of the row above */
	uint64_t acquired, contended, wait_ns, hold_ns;
};

/*
 * Runs that differ in one number only: what a measure makes of it. The knee is
 * where the curve is farthest from the line between its ends, x by its
 * logarithm where all are positive.
 */
#define ZSR_SWEEP_LEAST 3

struct zsr_sweep {
	char *policy;
	char *param;
	size_t *col; /* of the comparison, x growing */
	uint64_t *x;
	size_t nr;
	bool has_posted;
	uint64_t posted; /* what the mail that proposes it says */
	size_t by_default; /* column whose value of 0 stands for a posted one
			    * worked out by the policy; SIZE_MAX: none */
	size_t knee; /* SIZE_MAX: none */
	size_t value; /* measure the knee is of, zsr_value_info() */
};

/* What is known of how true a comparison is. */
#define ZSR_MOST_EVIDENCE 8

struct zsr_fidelity {
	size_t own; /* column with the policy the kernel has, SIZE_MAX: none */
	const char *own_policy;
	const char *untimed; /* why captured times cannot be held against the
				* replay's; NULL: they can */
	struct zsr_latency captured; /* frees, as recorded */
	uint64_t nr_callers; /* tasks that released; their releases' times */
	uint64_t caller_mean_ns, caller_max_ns;
	const char *no_curve; /* why there is none; NULL: there is one */
	struct zsr_back {
		uint64_t t_ns; /* from the first release's begin */
		uint64_t zspages; /* the kernel had given back since; sampled
				   * pages of the pool where these are not
				   * recorded */
		double share; /* of all it gives back */
	} * curve;
	size_t nr_curve;
	struct zsr_lines odd; /* what the import found, "count<TAB>text" */
	struct zsr_lines stamp; /* all of this in short, "key<TAB>text" */
	struct zsr_snap {
		char *name;
		uint64_t kernel, replayed; /* pages of the pools */
	} * snap;
	size_t nr_snaps;
	size_t col; /* whose CPU time the evidence is about */
	struct zsr_evidence {
		char name[32]; /* "pub", "icount+pub", ...; "" for none */
		unsigned nr; /* values of the profile */
		uint64_t ns; /* CPU time that rests on them */
	} evidence[ZSR_MOST_EVIDENCE];
	size_t nr_evidence;
};

/* ---- comparison ---------------------------------------------------- */

/* A difference between two policies, of logarithms of times. */
struct zsr_shift {
	double mid; /* estimate */
	double low, high; /* interval of confidence 95 %; may be infinite */
	double p; /* chance of a difference as large, were there none */
};

/* Runs on the host: how the column differs from its base in the rounds that
 * both ran. */
struct zsr_tested {
	size_t nr_runs; /* that it stands for */
	size_t nr_rounds; /* 0: not tested */
	struct zsr_shift caller, cpu; /* mean caller time, total CPU */
	bool caller_differs, cpu_differs; /* as all tests together allow */
};

/* One run, or the median one of those of several rounds. */
struct zsr_column {
	int64_t id; /* 0: not stored */
	char *label; /* distinct within its comparison */
	size_t base; /* number of the column it is held against */
	char *policy;
	char *params; /* "pool-pages=64 batch=32", "" without */
	char *profile;
	struct zsr_lines profile_text; /* the whole profile as used */
	char *arrival;
	char *gaps;
	char *outer_lock; /* "" when not stored */
	char *conditions; /* options of replay, "" for none */
	char *engine;
	uint32_t cpus;
	uint64_t seed;
	char digest[ZSR_SHA_HEX];
	uint64_t *value; /* zsr_nr_values() of them; ZSR_NEVER only in
				 * those whose name begins with at_ */
	struct zsr_panel panel[ZSR_MAX_WINDOWS];
	uint64_t depth_max; /* entries queued, over the whole run */
	struct zsr_tested tested;
	struct zsr_latency latency;
	struct zsr_map map;
	struct zsr_filling filling;
	struct zsr_cpus cpus_busy;
	struct zsr_part *part;
	size_t nr_parts; /* 0: the run did not record them */
	struct zsr_lock *lock;
	size_t nr_locks;
};

/* By its name, which must be one of zsr_value_info(). */
uint64_t zsr_column_value(const struct zsr_column *c, const char *name);
/* No kernel could do it: it takes no part in who is best. */
bool zsr_column_is_bound(const struct zsr_column *c);

enum zsr_row_kind {
	ZSR_ROW_HEAD, /* no cells */
	ZSR_ROW_VALUE,
	ZSR_ROW_RATIO, /* of the row above to the first column */
};

struct zsr_row {
	const char *label; /* without indentation */
	enum zsr_row_kind kind;
	char (*cell)[ZSR_FMT_LEN]; /* one a column */
};

/* Runs of one trace on one clock, which is all that may be compared. */
struct zsr_compare {
	char *trace;
	char trace_digest[ZSR_SHA_HEX];
	char *kernel;
	char *format; /* of the capture */
	char *clock; /* "virtual", "host" */
	char *setting; /* "virtual clock, profile rpi4b" */
	uint32_t page_size;
	struct zsr_column *col; /* the first one is what ratios refer to */
	size_t nr_cols;
	struct zsr_row *row;
	size_t nr_rows;
	size_t nr_tests; /* of columns against their bases */
	char *ratio_label; /* "x sync" */
	struct zsr_lines head; /* facts, "key<TAB>text" */
	struct zsr_lines notes; /* what a reader must know, a line each */
	struct zsr_lines verdict; /* sentences computed from the rows */
	char *fidelity; /* the notes a figure must carry, short; "" */
	struct zsr_window window[ZSR_MAX_WINDOWS];
	size_t nr_windows;
	uint32_t map_max; /* releases in one cell of a map */
	struct zsr_sizes sizes[ZSR_MOST_SIZES];
	size_t nr_sizes;
	struct zsr_sweep *sweep;
	size_t nr_sweeps;
	struct zsr_fidelity truth;
};

struct zsr_analysis {
	struct zsr_compare *cmp;
	size_t nr;
};

struct zsr_analyze_opts {
	bool drop_repeats; /* of runs equal in input and result keep one */
	bool every_run; /* rounds on the host stay columns of their own */
	bool window_given;
	uint64_t window_from_ns; /* from the first release's begin */
	uint64_t window_to_ns;
	size_t nr_px; /* pixel columns of a time axis; 0: no figures */
	struct zsr_db *db; /* of the traces, for what was captured, or NULL */
	/* The posted value of a policy's parameter, or NULL. */
	bool (*posted)(const char *policy, const char *param, uint64_t *value);
};

/*
 * Compare RUNS, trace[i] being the trace of run[i] or NULL when the database
 * no longer has it. Runs of different traces or clocks end up in comparisons
 * of their own. Everything is copied: runs may be freed afterwards. *out is
 * zeroed on failure, and freed with zsr_analysis_free().
 */
int zsr_analyze(const struct zsr_run *const *run,
		const struct zsr_trace *const *trace, size_t nr,
		const struct zsr_analyze_opts *opts, struct zsr_analysis *out,
		struct zsr_err *err);
void zsr_analysis_free(struct zsr_analysis *a);

/*
 * The table, wrapped into blocks so that no line is wider than WIDTH (at
 * least ZSR_MAIL_WIDTH): facts, rows by columns, notes. Appends to *out.
 */
int zsr_compare_head(const struct zsr_compare *c, size_t width,
		     struct zsr_lines *out, struct zsr_err *err);
int zsr_compare_table(const struct zsr_compare *c, size_t width,
		      struct zsr_lines *out, struct zsr_err *err);
int zsr_compare_notes(const struct zsr_compare *c, size_t width,
		      struct zsr_lines *out, struct zsr_err *err);

/* {"zsr": version, "runs": [{...}]}, integers as they are stored (those over
 * INT64_MAX as strings), never = null. *text is malloc'ed. */
int zsr_analysis_json(const struct zsr_analysis *a, char **text,
		      struct zsr_err *err);
/* A header, then one line a run; never = empty. */
int zsr_analysis_csv(const struct zsr_analysis *a, char **text,
		     struct zsr_err *err);

/* ---- both clocks ------------------------------------------------------- */

/* Time in releases, and that with what workers did of them: what is measured on
 * the host and modelled on the virtual machine alike. */
enum { ZSR_CLOCKS_CALLER, ZSR_CLOCKS_CPU, ZSR_CLOCKS_FIGURES };

/* Totals are to be within this share in the median. */
#define ZSR_CLOCKS_OFF   0.25
#define ZSR_CLOCKS_LABEL 128

/* A sum over a run in ns: the middle of the host's rounds with its 95 % interval
 * (0 to infinity of too few rounds), and the prediction. */
struct zsr_clocks_figure {
	double host_ns, low_ns, high_ns;
	uint64_t virtual_ns;
};

struct zsr_clocks_part {
	char name[48]; /* "obj_free", "worker's obj_free", "class lock waits" */
	uint64_t ns;
};

struct zsr_clocks_row {
	char *policy, *params;
	size_t nr_rounds;
	int64_t run; /* the virtual one */
	uint64_t frees;
	struct zsr_clocks_figure figure[ZSR_CLOCKS_FIGURES];
	struct zsr_clocks_part *part; /* of the virtual run, most first */
	size_t nr_parts;
};

struct zsr_clocks_bar {
	size_t pairs; /* of rows whose host intervals do not overlap */
	struct {
		size_t less, more; /* rows, as the host has them */
	} * wrong; /* that the virtual clock ranks otherwise */
	size_t nr_wrong;
	double off; /* median of |ratio - 1| */
};

struct zsr_clocks {
	char *trace, *profile;
	unsigned cpus;
	struct zsr_clocks_row *row;
	size_t nr_rows;
	struct zsr_clocks_bar bar[ZSR_CLOCKS_FIGURES];
	bool met; /* of both, with some pair to tell */
};

/*
 * Host runs of the first trace among RUN that has any, each policy's with the
 * latest virtual run of the same parameters, arrivals, outer lock and CPUs,
 * bounds left out. An input error when there is no such policy. Everything is
 * copied; free it with zsr_clocks_free().
 */
int zsr_clocks_build(const struct zsr_run *const *run, size_t nr,
		     struct zsr_clocks *out, struct zsr_err *err);
void zsr_clocks_free(struct zsr_clocks *c);
/* Virtual by host. */
double zsr_clocks_ratio(const struct zsr_clocks_figure *f);
int zsr_clocks_print(const struct zsr_clocks *c, size_t width,
		     struct zsr_lines *out, struct zsr_err *err);
int zsr_clocks_json(const struct zsr_clocks *c, char **text,
		    struct zsr_err *err);

#endif
