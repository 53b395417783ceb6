/* SPDX-License-Identifier: GPL-2.0-only */
/* Private to csv.c (lines and columns) and csvrow.c (what a row means). */
#ifndef ZSR_CAPTURE_CSV_H
#define ZSR_CAPTURE_CSV_H

#include "capture/decode/names.h"
#include "capture/decode/whole.h"

/* Columns, with the greatest number that each holds; 0: it holds text. */
#define CSV_COLUMNS(X)                                                         \
	X(t_ns, INT64_MAX)                                                     \
	X(time, 0)                                                             \
	X(dur_ns, INT64_MAX)                                                   \
	X(cpu, DEC_MAX_CPUS - 1)                                               \
	X(task, UINT32_MAX - 1)                                                \
	X(pid, INT32_MAX)                                                      \
	X(comm, 0)                                                             \
	X(kind, 0)                                                             \
	X(pool, UINT64_MAX)                                                    \
	X(obj, INT64_MAX)                                                      \
	X(handle, UINT64_MAX)                                                  \
	X(size, UINT32_MAX)                                                    \
	X(caller, 0)                                                           \
	X(slot, INT64_MAX)                                                     \
	X(cgroup, INT32_MAX)                                                   \
	X(gfp, UINT32_MAX)                                                     \
	X(flags, 7)                                                            \
	X(aux, INT64_MAX)                                                      \
	X(text, 0)

enum csv_column {
#define X(name, max) CSV_##name,
	CSV_COLUMNS(X)
#undef X
		CSV_NR
};

struct csv_field {
	const char *s; /* not NUL-terminated */
	size_t len; /* 0: nothing is said */
};

struct csv {
	struct dec *d;
	struct dec_lines in;
	char sep;
	unsigned nr_cols;
	uint8_t col[CSV_NR]; /* of each field, enum csv_column */
	uint32_t has; /* bit per column */
	bool is_events; /* rows are events of a trace, else calls */
	const struct zsr_event_map *rows; /* that tells what each is; NULL: a header */
	const struct dec_alias *row; /* the map's line for this one */
	uint64_t nr_skipped; /* lines between rows */
	struct csv_field field[CSV_NR]; /* of the row, by column */
	char *plain; /* fields that were between quotes */
	uint64_t nr_rows; /* without facts */

	/* Rows that are events. */
	struct dec_whole whole;

	/* Rows that are calls. */
	struct dec_sort sort;
	struct dec_tasks tasks;
	struct {
		char name[24];
		size_t len;
		int is; /* enum dec_meaning */
	} kinds[16]; /* seen, in the column "kind" */
	uint64_t lost; /* before the next row */
	uint64_t last_ns;
	unsigned last_cpu;
};

const char *csv_name(enum csv_column col);
/* The column of this name, not of another for it; CSV_NR: there is none. */
enum csv_column csv_column_named(const char *name, size_t len);
/* Whether only rows that are events have it. */
bool csv_of_events(enum csv_column col);
/* The number in a column, DEFAULT when nothing is said. */
int csv_number(struct csv *c, enum csv_column col, uint64_t fallback,
	       uint64_t *v, struct zsr_err *err);
/* Deliver the row whose fields are there, and what waits after the last. */
int csv_row(struct csv *c, struct zsr_err *err);
int csv_rows_end(struct csv *c, struct zsr_err *err);

#endif
