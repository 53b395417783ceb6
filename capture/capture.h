/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Decoding what was recorded, by us or by others, into records.
 */
#ifndef ZSR_CAPTURE_H
#define ZSR_CAPTURE_H

#include <sys/types.h>

#include "base/base.h"
#include "event/event.h"

struct zsr_event_map;

struct zsr_decode_opts {
	const struct zsr_event_map *map; /* what foreign names mean; NULL: none do */
	/* Take what can be read of a damaged file up to the fault; the sink's
	 * meta gets key "partial" with the message. Otherwise: an error. */
	bool partial;
	/* Limits of the child; 0 = default (1 GiB, 600 s). */
	uint64_t max_memory; /* bytes of address space */
	unsigned max_seconds; /* CPU seconds */
};

/*
 * The map of names in the file PATH, which zsr-map(5) describes. It lives until
 * it is freed (NULL is allowed), after the decoders that were given it. All of
 * its faults are input errors that name file and line.
 */
int zsr_event_map_read(struct zsr_event_map **map, const char *path,
		       struct zsr_err *err);
void zsr_event_map_free(struct zsr_event_map *map);

/*
 * Decode PATH into SINK. The format is recognised from content: trace.dat
 * (trace-cmd, v6 and v7), ftrace or function_graph text, or a directory (or a
 * file inside one) with raw per-CPU ring-buffer pages and their format files, or
 * a directory with CTF traces in or below it. PATH "-" is text or trace.dat on standard input.
 * Decoding runs in a child process with limits on memory, time and file size;
 * the sink's callbacks run in the caller. A directory's sidecar files (snap,
 * ringbuf_stats, kernel release) reach the sink as meta. Errors name file,
 * place and reason; all of the file's faults are input errors, a child that
 * died or ran into a limit included.
 */
int zsr_decode(const char *path, const struct zsr_decode_opts *opts,
	       struct zsr_sink *sink, struct zsr_err *err);

/*
 * The same in two steps, so that a child can already decode while its caller
 * is busy with something else (it goes as far ahead as its buffer holds). PATH
 * must live until the end. finish and cancel free the decoder.
 */
struct zsr_decoder;
int zsr_decode_start(const char *path, const struct zsr_decode_opts *opts,
		     struct zsr_decoder **d, struct zsr_err *err);
int zsr_decode_finish(struct zsr_decoder *d, struct zsr_sink *sink,
		      struct zsr_err *err);
void zsr_decode_cancel(struct zsr_decoder *d); /* NULL is allowed */

/* ---- messages of a babeltrace2 graph ------------------------------------- */

/*
 * What zsr_decode() makes of the messages of a CTF trace, for those of any
 * graph. One thread puts messages in and ends or stops it; another one runs
 * zsr_feed_receive(), which calls SINK until then, or until SINK fails: then
 * messages are refused, as they are from zsr_feed_refuse() on. To be stopped is
 * an error of receiving. Close it when both are done; NULL is allowed.
 */
struct bt_message;
struct zsr_feed;
int zsr_feed_open(struct zsr_feed **f, const char *name, struct zsr_err *err);
int zsr_feed_message(struct zsr_feed *f, const struct bt_message *msg,
		     struct zsr_err *err);
int zsr_feed_end(struct zsr_feed *f, struct zsr_err *err);
void zsr_feed_stop(struct zsr_feed *f);
int zsr_feed_receive(struct zsr_feed *f, struct zsr_sink *sink,
		     struct zsr_err *err);
void zsr_feed_refuse(struct zsr_feed *f);
bool zsr_feed_refused(const struct zsr_feed *f);
void zsr_feed_close(struct zsr_feed *f);

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

/* ---- recording on this machine ------------------------------------------- */

enum zsr_record_pass {
	ZSR_RECORD_OPS, /* every call, complete and in order */
	ZSR_RECORD_LATENCY, /* how long calls take; costs more */
};

/* How durations are measured: pairs of probes, or a tracer, which records no
 * arguments. */
enum zsr_record_method {
	ZSR_METHOD_AUTO, /* the first of these that the kernel has */
	ZSR_METHOD_FPROBE,
	ZSR_METHOD_KPROBE,
	ZSR_METHOD_GRAPH,
	ZSR_NR_METHODS
};
const char *zsr_record_method_name(unsigned method);

struct zsr_record_opts {
	const char *output; /* path of the trace.dat */
	char *const *command; /* and its arguments, NULL at the end; or pid */
	const char *zram; /* whose numbers are noted; NULL: the only one */
	uint64_t fresh_bytes; /* not 0: swap on a zram device made for the run */
	const char *algorithm; /* its compressor; NULL: the kernel's choice */
	uint64_t buffer_bytes; /* a CPU; 0: a 64th of memory, 4 to 64 MiB */
	enum zsr_record_pass pass;
	enum zsr_record_method method; /* of the latency pass */
	const char *const *events; /* "SYSTEM:EVENT" to record, too; or NULL */
	pid_t pid; /* instead of a command: it and its children, to its end */
	unsigned sample_us; /* not 0: samples of memory at this interval */
	bool stream; /* to the file while it runs, for runs that are long */
	bool placement; /* the object word of every malloc */
	bool caller; /* the address that every free returns to */
};

#define ZSR_RECORD_CPUS 1024

/* What a CPU's buffer lost: overwritten between two times, or dropped. */
struct zsr_record_loss {
	unsigned cpu;
	uint64_t nr; /* 0: not known */
	uint64_t from_ns; /* of the capture's clock; 0: from the begin on */
	uint64_t until_ns; /* 0: to the end */
};

struct zsr_recorded {
	uint64_t nr_events;
	uint64_t nr_bytes;
	uint64_t nr_missed; /* by probes */
	uint64_t nr_lost; /* by buffers */
	struct zsr_record_loss loss[ZSR_RECORD_CPUS]; /* the first so many */
	unsigned nr_losses;
	bool proved; /* the probes' arguments, on a device of our own */
	bool gone; /* zsmalloc was unloaded meanwhile */
	int status; /* of the command, as of waitpid() */
	int sig; /* that ended the capture, 0: none */
};

/*
 * Run a command under capture: probes and a ring buffer of our own, a snapshot
 * of the zram device's numbers before and after, one file. All that was made on
 * the system is gone afterwards, also when this process is killed. Signals that
 * ask to end (INT, TERM, HUP) end the command, and the capture is written. Takes
 * root. One thread.
 */
int zsr_record(const struct zsr_record_opts *opts, struct zsr_recorded *out,
	       struct zsr_err *err);

/* Say what this system can record, a line each, into F. Returns 0, 1 when it
 * cannot record at all. */
int zsr_record_check(FILE *f, struct zsr_err *err);

/* Remove what captures left whose process is gone; *nr things were removed. */
int zsr_record_cleanup(unsigned *nr, struct zsr_err *err);

/* A shell script that records without this program, for where it cannot be. */
extern const char zsr_record_script[];

/*
 * In a command under capture: the zram device's numbers at this moment, under
 * the marks snap:NAME and snapped:NAME. And a mark. Nothing otherwise.
 */
int zsr_record_snapshot(const char *name, struct zsr_err *err);
void zsr_record_mark(const char *text);

/* ---- a workload that swaps ---------------------------------------------- */

enum zsr_workload_end {
	ZSR_WORKLOAD_MUNMAP,
	ZSR_WORKLOAD_EXIT,
	ZSR_WORKLOAD_MIXED, /* half unmap while half swap out, and exit then */
};
enum zsr_workload_pages {
	ZSR_PAGES_MIX, /* most compress to a half or less, some not at all */
	ZSR_PAGES_UNIFORM, /* to any size */
	ZSR_PAGES_SMALL, /* to an eighth or less */
	ZSR_PAGES_LARGE, /* to a half or more */
};

struct zsr_workload {
	uint64_t bytes; /* a process */
	unsigned procs; /* that release at the same time, at most 1000 */
	unsigned rounds;
	unsigned refault; /* percent of the pages that come back before */
	unsigned turns; /* so often only one's come back, others go out */
	unsigned holes; /* percent of the rest that are given up before */
	unsigned out; /* percent of the pages that are swapped out */
	unsigned same; /* percent of them that are one word repeated */
	bool pin; /* each process to a CPU of its own, as far as there are */
	bool compact; /* the device, before the release; in a capture only */
	enum zsr_workload_pages pages;
	enum zsr_workload_end end;
	uint64_t seed;
};

struct zsr_workload_release {
	unsigned round;
	unsigned proc;
	uint64_t ns; /* munmap: the call; exit: until it could be waited for */
	uint64_t bytes_swapped; /* before it */
	uint64_t out_ns; /* for swapping it out in the first place */
	uint64_t bytes_out;
};

/*
 * Fill memory, have it swapped out, bring some back, release the rest; in a
 * capture each step is under a mark and a snapshot. FN gets each release, in
 * order of rounds and processes, and stops the workload with what is not 0.
 */
int zsr_workload_run(const struct zsr_workload *w,
		     int (*fn)(void *ctx, const struct zsr_workload_release *r),
		     void *ctx, struct zsr_err *err);

#endif
