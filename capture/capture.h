/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Decoding what was recorded, by us or by others, into records.
 */
#ifndef ZSR_CAPTURE_H
#define ZSR_CAPTURE_H

#include "base/base.h"
#include "event/event.h"

struct zsr_decode_opts {
	/* Take what can be read of a damaged file up to the fault; the sink's
	 * meta gets key "partial" with the message. Otherwise: an error. */
	bool partial;
	/* Limits of the child; 0 = default (1 GiB, 600 s). */
	uint64_t max_memory; /* bytes of address space */
	unsigned max_seconds; /* CPU seconds */
};

/*
 * Decode PATH into SINK. The format is recognised from content: trace.dat
 * (trace-cmd, v6 and v7), ftrace text, or a directory (or a file inside one)
 * with raw per-CPU ring-buffer pages and their format files. PATH "-" is text
 * or trace.dat on standard input. Decoding runs in a child process with limits
 * on memory, time and file size; the sink's callbacks run in the caller. A
 * directory's sidecar files (snap, ringbuf_stats, kernel release) reach the
 * sink as meta. Errors name file, place and reason; all of the file's faults
 * are input errors, a child that died or ran into a limit included.
 */
int zsr_decode(const char *path, const struct zsr_decode_opts *opts,
	       struct zsr_sink *sink, struct zsr_err *err);

/*
 * The same in two steps, so that a child can already decode while its caller
 * is busy with something else (it goes as far ahead as its pipe holds). PATH
 * must live until the end. finish and cancel free the decoder.
 */
struct zsr_decoder;
int zsr_decode_start(const char *path, const struct zsr_decode_opts *opts,
		     struct zsr_decoder **d, struct zsr_err *err);
int zsr_decode_finish(struct zsr_decoder *d, struct zsr_sink *sink,
		      struct zsr_err *err);
void zsr_decode_cancel(struct zsr_decoder *d); /* NULL is allowed */

/* ---- writing ----------------------------------------------------------- */

struct zsr_capture_out;

enum zsr_capture_format {
	ZSR_CAPTURE_DAT, /* trace.dat of trace-cmd, version 6 */
	ZSR_CAPTURE_TEXT, /* ftrace text */
};

/*
 * A capture at PATH ("-": standard output) from what its sink is given: records
 * in time order, "page_size" before the first of them. Facts (meta) that the
 * format has no place for become marks "zsr:fact KEY=VALUE", which a decoder
 * gives back as facts; those with line breaks, or longer than 1000 bytes, are
 * left out. The file is at PATH once it is finished, and only then. Finish
 * frees, also when it fails; NULL may be aborted.
 */
int zsr_capture_create(struct zsr_capture_out **out, const char *path,
		       enum zsr_capture_format format, struct zsr_err *err);
struct zsr_sink *zsr_capture_sink(struct zsr_capture_out *out);
int zsr_capture_finish(struct zsr_capture_out *out, struct zsr_err *err);
void zsr_capture_abort(struct zsr_capture_out *out);

#endif
