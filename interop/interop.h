/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Traces and runs as files of other programs; zsr-export(1) says what is in
 * each. A file is written to PATH ("-": standard output) and is there whole or
 * not at all. Memory goes to names, and to live objects, never to events.
 */
#ifndef ZSR_INTEROP_H
#define ZSR_INTEROP_H

#include "db/db.h"

/* A trace as CSV that zsr_decode() reads; *unsaid: what is not in it. */
int zsr_export_csv(struct zsr_db *db, const struct zsr_trace *t,
		   const char *path, struct zsr_unsaid *unsaid,
		   struct zsr_err *err);

/* The same as a CTF 1.8 trace in a new directory, or in one that is empty. */
int zsr_export_ctf(struct zsr_db *db, const struct zsr_trace *t,
		   const char *path, struct zsr_unsaid *unsaid,
		   struct zsr_err *err);

/* Tracks with slices, instants and counters. */
enum zsr_timeline_format {
	ZSR_TIMELINE_CHROME, /* Trace Event Format, JSON */
	ZSR_TIMELINE_PERFETTO, /* protobuf */
};

/*
 * The calls of a trace. *nr_crossing: calls that are instants although their
 * duration is known, as they lie across another call of their task or began
 * before the trace did.
 */
int zsr_export_trace(struct zsr_db *db, const struct zsr_trace *t,
		     enum zsr_timeline_format format, const char *path,
		     uint64_t *nr_crossing, struct zsr_err *err);
/* What a run recorded; tasks have names while its trace is in DB. */
int zsr_export_run(struct zsr_db *db, const struct zsr_run *run,
		   enum zsr_timeline_format format, const char *path,
		   struct zsr_err *err);

#endif
