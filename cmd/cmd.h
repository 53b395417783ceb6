/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the commands share: option tables, the database they mean, tables on
 * stdout. A command is one file cmd_NAME.c with one function; only these files
 * and zsr.c print or decide an exit code.
 */
#ifndef ZSR_CMD_H
#define ZSR_CMD_H

#include <popt.h>

#include "base/base.h"
#include "db/db.h"

/* Exit codes of zsr(1). */
enum {
	ZSR_EXIT_OK = 0,
	ZSR_EXIT_NEGATIVE = 1, /* a negative answer that was asked for */
	ZSR_EXIT_USAGE = 2,
	ZSR_EXIT_INPUT = 3,
	ZSR_EXIT_SYSTEM = 4,
};

/* argv[0] is the command's name. Returns an exit code. */
struct zsr_cmd {
	const char *name;
	const char *args; /* "FILE... [-d DB]", for usage lines */
	const char *summary; /* one line for `zsr --help` */
	int (*main)(int argc, const char **argv);
};

/* The main() of a program of NR such commands; WHAT is "NAME: what it is". */
int zsr_cmd_main(int argc, const char **argv, const struct zsr_cmd *commands,
		 size_t nr, const char *what);

int zsr_cmd_import(int argc, const char **argv);
int zsr_cmd_ls(int argc, const char **argv);
int zsr_cmd_info(int argc, const char **argv);
int zsr_cmd_sql(int argc, const char **argv);
int zsr_cmd_synth(int argc, const char **argv);
int zsr_cmd_replay(int argc, const char **argv);
int zsr_cmd_compare(int argc, const char **argv);
int zsr_cmd_report(int argc, const char **argv);
int zsr_cmd_why(int argc, const char **argv);
int zsr_cmd_engine(int argc, const char **argv);
int zsr_cmd_repro(int argc, const char **argv);
int zsr_cmd_policies(int argc, const char **argv);
int zsr_cmd_fsck(int argc, const char **argv);
int zsr_cmd_rm(int argc, const char **argv);
int zsr_cmd_merge(int argc, const char **argv);
int zsr_cmd_export(int argc, const char **argv);
int zsr_cmd_pack(int argc, const char **argv);
int zsr_cmd_verify(int argc, const char **argv);
int zsr_cmd_unpack(int argc, const char **argv);
int zsr_cmd_mail(int argc, const char **argv);
int zsr_cmd_reduce(int argc, const char **argv);
int zsr_cmd_judge(int argc, const char **argv);
int zsr_cmd_calibrate(int argc, const char **argv);
int zsr_cmd_capture(int argc, const char **argv);
int zsr_cmd_workload(int argc, const char **argv);

/* As val of a string option: given again, its values are joined by commas. */
#define ZSR_OPTION_LIST (-1)

/*
 * Parse OPTIONS (a popt table ending with POPT_TABLEEND; --help is added) and
 * collect what is left. On success *rest is a NULL-terminated vector that
 * lives until zsr_options_free(). Returns 0; 1 when --help was printed (exit
 * 0); -EINVAL with a usage error set. USAGE is the line after "zsr ".
 * Only store values in the table: no callbacks, val 0, or ZSR_OPTION_LIST;
 * strings and lists are stored on success alone, and are the caller's. A string
 * option that is given twice is a usage error.
 */
struct zsr_options {
	poptContext ctx;
	struct poptOption *table; /* ctx's copy of them */
	const char **rest;
	int nr_rest;
};
int zsr_options_parse(struct zsr_options *o, int argc, const char **argv,
		      const struct poptOption *options, const char *usage,
		      struct zsr_err *err);
void zsr_options_free(struct zsr_options *o);

/* Prints "zsr NAME: message" to stderr; returns the exit code of its kind. */
int zsr_cmd_fail(const char *name, const struct zsr_err *err);

/* -d, else $ZSR_DB, else "./zsr.db". */
const char *zsr_db_path(const char *option);

/*
 * Flush stdout and see whether all of it could be written (disk full, closed
 * pipe): 0 or a system error.
 */
int zsr_cmd_flush(struct zsr_err *err);

/* ---- rows on stdout (output.c) --------------------------------------- */

enum zsr_format { ZSR_FORMAT_TABLE, ZSR_FORMAT_CSV, ZSR_FORMAT_JSON };

/* As asked for, else a table on a terminal and CSV elsewhere. */
enum zsr_format zsr_format_choose(bool json, bool csv);

/*
 * A table with ncol columns: aligned (numbers to the right; the first 2000
 * rows decide the widths), CSV with a header line, or a JSON array of objects.
 * NULL values are "-", empty, null. new is NULL and row -ENOMEM when memory is
 * out. end finishes the output; free does not print.
 */
struct zsr_table;
struct zsr_table *zsr_table_new(FILE *f, enum zsr_format format, int ncol,
				const char *const *names);
int zsr_table_row(struct zsr_table *t, const char *const *values,
		  const enum zsr_sql_type *types);
void zsr_table_end(struct zsr_table *t);
void zsr_table_free(struct zsr_table *t);

/* The rows of a query that only reads, on stdout. */
int zsr_cmd_query(struct zsr_db *db, const char *text, enum zsr_format format,
		  struct zsr_err *err);

/* S and a line feed; without its controls, whoever wrote it. */
void zsr_print_line(FILE *f, const char *s);
/* With quotes; what is no UTF-8 becomes '?'. */
void zsr_print_json_string(FILE *f, const char *s);
/* A bar of value / max of width columns, in eighths of one. */
void zsr_print_bar(FILE *f, uint64_t value, uint64_t max, unsigned width);

/* ---- traces (trace.c) ------------------------------------------------- */

struct zsr_decoder; /* capture/capture.h */
struct zsr_decode_opts;

struct zsr_imported {
	struct zsr_trace trace;
	struct zsr_odd odd;
	uint64_t spent_ns; /* from its turn on: its decoder may have begun */
	bool known; /* it was in the database before */
};

/*
 * Import the capture at PATH. opts->name NULL: named after the file (its stem,
 * the folder's name when that is "trace"). A capture that is in the database
 * already is an error unless opts->force; with known_is_fine it is found again
 * instead. D is its decoder, already started, and is freed; NULL when it is a
 * pack. Progress goes to stderr.
 */
int zsr_cmd_import_file(struct zsr_db *db, const char *path,
			struct zsr_decoder *d,
			const struct zsr_import_opts *opts, bool known_is_fine,
			struct zsr_imported *out, struct zsr_err *err);

/* zsr_decode_start(), but *d is NULL, and nothing started, for a pack. */
int zsr_cmd_decode_start(const char *path, const struct zsr_decode_opts *opts,
			 struct zsr_decoder **d, struct zsr_err *err);

/* Whether a trace may have this name: 0 or a usage error. */
int zsr_cmd_check_name(const char *name, struct zsr_err *err);

/* The facts of a trace as an object; NULL when memory is out. */
struct json_t *zsr_trace_json(const struct zsr_trace *t);

/* Open the database for a command: waiting for another process is said on
 * stderr, after what "zsr NAME: ". */
int zsr_cmd_open_db(struct zsr_db **db, const char *name, const char *option,
		    unsigned flags, struct zsr_err *err);

/*
 * TRACE arguments: the name of a trace of the database, or the path of a
 * capture, which is imported (once: a digest that is there already is found
 * again) and then named. Fills *t. The database is opened read-write for this.
 */
int zsr_cmd_trace(struct zsr_db *db, const char *arg, struct zsr_trace *t,
		  struct zsr_err *err);
/* How to open the database for such an argument: created when there is a
 * capture to put into it, else it has to be there. */
unsigned zsr_cmd_trace_flags(const char *arg);

#endif
