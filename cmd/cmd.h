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

int zsr_cmd_import(int argc, const char **argv);
int zsr_cmd_ls(int argc, const char **argv);
int zsr_cmd_info(int argc, const char **argv);
int zsr_cmd_sql(int argc, const char **argv);
int zsr_cmd_synth(int argc, const char **argv);
int zsr_cmd_replay(int argc, const char **argv);
int zsr_cmd_compare(int argc, const char **argv);
int zsr_cmd_report(int argc, const char **argv);
int zsr_cmd_engine(int argc, const char **argv);
int zsr_cmd_repro(int argc, const char **argv);
int zsr_cmd_policies(int argc, const char **argv);

/*
 * Parse OPTIONS (a popt table ending with POPT_TABLEEND; --help is added) and
 * collect what is left. On success *rest is a NULL-terminated vector that
 * lives until zsr_options_free(). Returns 0; 1 when --help was printed (exit
 * 0); -EINVAL with a usage error set. USAGE is the line after "zsr ".
 * Only store values in the table (no callbacks, val 0).
 */
struct zsr_options {
	poptContext ctx;
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

/*
 * TRACE arguments: the name of a trace of the database, or the path of a
 * capture, which is imported (once: a digest that is there already is found
 * again) and then named. Fills *t. The database is opened read-write for this.
 */
int zsr_cmd_trace(struct zsr_db *db, const char *arg, struct zsr_trace *t,
		  struct zsr_err *err);

#endif
