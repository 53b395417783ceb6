/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Private to capture/decode/. Everything here but dec_run() runs in the child
 * process that reads the file; see child.c.
 *
 * Functions return 0 (or what they say) or -errno with the error set.
 */
#ifndef ZSR_CAPTURE_DECODE_H
#define ZSR_CAPTURE_DECODE_H

#include <sys/types.h>

#include "capture/capture.h"

#define DEC_MAX_CPUS    1024u
#define DEC_MAX_PAGE    (1u << 20) /* bytes of a sub-buffer */
#define DEC_MAX_META    (192u << 10) /* bytes of key and value */
#define DEC_MAX_FORMATS (64u << 20) /* bytes of all format texts */
#define DEC_COMM_LEN    32

/* ---- the way out: out.c -------------------------------------------- */

/* What a block is full of: this header, then `len` bytes, padded to 8. */
struct dec_frame {
	uint32_t kind;
	uint32_t len;
};

enum dec_frame_kind {
	DEC_RECS = 1, /* struct zsr_rec[] without marks */
	DEC_MARK, /* struct zsr_rec, then text and NUL */
	DEC_TASK, /* int32_t pid, then comm and NUL */
	DEC_META, /* key, NUL, value, NUL */
	DEC_EVENTS, /* struct zsr_event[] */
	DEC_ERROR, /* message and NUL: the file cannot be decoded */
	DEC_DONE, /* all of the file was delivered */
};

#define DEC_BLOCK (256u << 10) /* holds any frame */
#define DEC_RECS_FULL                                                          \
	(64u << 10) /* of records; the rest of it is not touched */
#define DEC_NR_BLOCKS 8 /* a power of two */

/*
 * Memory that the child fills and the parent empties, block by block: how long
 * each is goes over a pipe, how many were emptied over an eventfd.
 */
struct dec_ring {
	uint8_t *mem; /* shared */
	int in, out; /* of the pipe; -1: closed */
	int room;
};

int dec_ring_open(struct dec_ring *ring, struct zsr_err *err);
void dec_ring_close(struct dec_ring *ring);

struct dec_out {
	const struct dec_ring *ring; /* NULL: what is written is dropped */
	uint8_t *buf; /* the block that is being filled */
	uint32_t nr; /* of it, counted from the first */
	uint32_t nr_free; /* blocks that may be filled, with this one */
	uint32_t open; /* offset of the open DEC_RECS frame + 1, or 0 */
	uint32_t used;
};

void dec_out_init(struct dec_out *o, const struct dec_ring *ring);

/* Room for one more record; the caller fills all of it. */
struct zsr_rec *dec_out_slow(struct dec_out *o);

static inline struct zsr_rec *dec_out_rec(struct dec_out *o)
{
	struct zsr_rec *rec;

	if (!o->open || o->used + sizeof(*rec) > DEC_RECS_FULL)
		return dec_out_slow(o);
	rec = (struct zsr_rec *)(o->buf + o->used);
	o->used += sizeof(*rec);
	return rec;
}

void dec_out_mark(struct dec_out *o, const struct zsr_rec *rec,
		  const char *text);
void dec_out_events(struct dec_out *o, const struct zsr_event *ev, size_t n);
void dec_out_task(struct dec_out *o, int32_t pid, const char *comm);
void dec_out_meta(struct dec_out *o, const char *key, const char *value);
void dec_out_metaf(struct dec_out *o, const char *key, const char *fmt, ...)
	ZSR_PRINTF(3, 4);
void dec_out_error(struct dec_out *o, const char *msg);
void dec_out_done(struct dec_out *o);
void dec_out_flush(struct dec_out *o);

/* Copy LEN bytes of TEXT as one printable line: trailing white space dropped,
 * other white space a blank, what cannot be printed a '?'. */
size_t dec_printable(char *to, size_t room, const char *text, size_t len);

/* ---- files: file.c -------------------------------------------------- */

struct dec_file {
	int fd;
	bool seekable;
	uint64_t size; /* of a seekable one */
	uint8_t *mem; /* all of a pipe, once it was slurped */
	char name[512]; /* as messages say it */
};

/* Open a regular file relative to DIRFD (AT_FDCWD); inside a capture's
 * directory (any other DIRFD) symbolic links are not followed. */
int dec_file_open(struct dec_file *f, int dirfd, const char *path,
		  const char *name, struct zsr_err *err);
int dec_file_stdin(struct dec_file *f, struct zsr_err *err);
void dec_file_close(struct dec_file *f);
/* The first bytes, at most ROOM, which stay to be read. */
int dec_file_head(struct dec_file *f, uint8_t *head, size_t room, size_t *len,
		  struct zsr_err *err);
/* Read all of a pipe into memory so that it can be read at any place. */
int dec_file_slurp(struct dec_file *f, uint64_t max, struct zsr_err *err);
/* Exactly LEN bytes at OFF; less is "truncated". */
int dec_file_read(struct dec_file *f, uint64_t off, void *buf, size_t len,
		  struct zsr_err *err);
/* All of a small file, NUL-terminated; *text is the caller's to free. */
int dec_file_text(int dirfd, const char *path, const char *name, size_t max,
		  char **text, size_t *len, struct zsr_err *err);

/* ---- lines of a file: lines.c ---------------------------------------- */

#define DEC_LINE_BUFFER (256u << 10)

struct dec_lines {
	struct dec_file *file;
	uint64_t off; /* of the next read */
	uint64_t nr; /* of the line returned last, from 1 */
	char *buf;
	size_t pos, used;
	bool eof;
};

int dec_lines_open(struct dec_lines *in, struct dec_file *f,
		   struct zsr_err *err);
/* 1 with a line (without its end, not NUL-terminated), 0 at the end. */
int dec_lines_next(struct dec_lines *in, const char **line, const char **end,
		   struct zsr_err *err);
void dec_lines_close(struct dec_lines *in);

/* ---- records put in order: sort.c ------------------------------------ */

struct dec_sorted {
	struct zsr_rec rec;
	uint64_t seq;
};

struct dec_sort {
	struct dec_sorted *heap;
	size_t nr, cap;
	uint64_t seq;
};

int dec_sort_add(struct dec_sort *s, struct dec_out *to,
		 const struct zsr_rec *rec, struct zsr_err *err);
/* All up to and at a time. */
void dec_sort_release(struct dec_sort *s, struct dec_out *to, uint64_t until_ns);
void dec_sort_free(struct dec_sort *s);

/* ---- meaning: classify.c -------------------------------------------- */

enum dec_func {
	DEC_NO_FUNC,
	DEC_MALLOC,
	DEC_FREE,
	DEC_COMPACT,
	DEC_CREATE,
	DEC_DESTROY,
	DEC_FREE_ZSPAGE,
	DEC_EMPTY, /* does next to nothing */
	DEC_MUNMAP,
	DEC_EXIT,
	DEC_MARKER, /* no function, but a text */
	DEC_LOSS, /* no function, but a loss */
};

enum dec_role {
	DEC_POOL,
	DEC_HANDLE,
	DEC_SIZE,
	DEC_GFP,
	DEC_FREED,
	DEC_OBJ,
	DEC_ZSPAGE,
	DEC_CALLER,
	DEC_NR_ROLES, /* of the numbers of a call */
	DEC_TEXT = DEC_NR_ROLES, /* of a mark */
	DEC_PID,
	DEC_COMM,
	DEC_CPU,
	DEC_NO_ROLE,
};

/* What an event is. */
struct dec_means {
	enum dec_func func;
	int is_ret;
	const struct dec_alias *own; /* the map's line; NULL: built in */
};

enum dec_func dec_func_of_symbol(const char *name, size_t len);
/* What an event called NAME, or SYSTEM:NAME, probes; false: nothing known.
 * m->is_ret is left alone when the name does not say return or entry. */
bool dec_means_of_event(const struct zsr_event_map *map, const char *name,
			size_t len, struct dec_means *m);
/* What an event's field holds. */
enum dec_role dec_role_of(const struct zsr_event_map *map,
			  const struct dec_means *m, const char *field,
			  size_t len);
const char *dec_role_name(enum dec_role role);
/* The records an event with these roles (bit mask) makes: its kind, and
 * whether a ZSR_REC_PLACE follows. Returns the enum zsr_rec_kind, or -EINVAL
 * with *missing naming the field zsr cannot do without; an event that tells of
 * nothing but time can do without any. */
int dec_kind_of(enum dec_func func, int is_ret, unsigned roles, bool *place,
		const char **missing);
/* Bits for zsr_rec.has. */
unsigned dec_has_of(int kind, unsigned roles);
/* What a record of this kind has in its value, but for marks and losses. */
static inline enum dec_role dec_value_of(int kind)
{
	return kind == ZSR_REC_COMPACT_RET   ? DEC_FREED
	       : kind == ZSR_REC_ZSPAGE_FREE ? DEC_ZSPAGE
	       : kind == ZSR_REC_PLACE       ? DEC_OBJ
					     : DEC_SIZE;
}

/* A handle of BYTES: one of a 32-bit kernel may be an error value, -4095 (the
 * kernel's MAX_ERRNO) or above, of 32 bits. */
static inline uint64_t dec_handle(uint64_t v, unsigned bytes)
{
	return bytes == 4 && v >= 0xfffff001u ? v | 0xffffffffull << 32 : v;
}

/* What the records of an event are, learnt once. */
struct dec_shape {
	uint8_t kind; /* enum zsr_rec_kind */
	uint8_t has;
	bool place; /* a ZSR_REC_PLACE follows */
	uint8_t handle_bytes; /* 4: a 32-bit kernel's */
};

/* The shape of an event whose fields have these roles. */
int dec_shape_of(struct dec_shape *s, const struct dec_means *m, unsigned roles,
		 const char *event, struct zsr_err *err);

static inline bool dec_is_plain_return(const struct dec_shape *s)
{
	return !s->place && (s->kind == ZSR_REC_MALLOC_RET ||
			     s->kind == ZSR_REC_MALLOC_DONE);
}

/* Beside a plain return event, one that also tells the place says nothing else
 * new: the return is not to be counted twice. */
static inline void dec_only_place(struct dec_shape *s)
{
	if (!s->place || s->kind == ZSR_REC_MALLOC_DONE)
		return;
	s->kind = ZSR_REC_PLACE;
	s->place = false;
}

/* Deliver an event: AT has its time, task and CPU, V is by role. The record may
 * be changed until the next is delivered. */
static inline struct zsr_rec *dec_emit(struct dec_out *o,
				       const struct dec_shape *s,
				       const struct zsr_rec *at,
				       const uint64_t v[DEC_NR_ROLES])
{
	struct zsr_rec *rec = dec_out_rec(o), place;

	*rec = *at;
	rec->kind = s->kind;
	rec->has |= s->has;
	rec->pool = v[DEC_POOL];
	rec->handle = dec_handle(v[DEC_HANDLE], s->handle_bytes);
	rec->value = v[dec_value_of(s->kind)];
	rec->caller = v[DEC_CALLER];
	rec->gfp = (uint32_t)v[DEC_GFP];
	if (!s->place)
		return rec;
	place = *rec;
	place.kind = ZSR_REC_PLACE;
	place.value = v[DEC_OBJ];
	rec = dec_out_rec(o);
	*rec = place;
	return rec;
}

/* ---- what is known about the capture -------------------------------- */

struct dec_cpu_stats {
	bool have;
	uint64_t entries;
	uint64_t overrun;
	uint64_t commit_overrun;
	uint64_t dropped;
	uint64_t read;
};

struct dec {
	struct dec_out *out;
	const struct zsr_event_map *map; /* or NULL */
	bool partial;
	uint64_t max_memory;
	struct zsr_err fault; /* partial: what was wrong first */
	bool started; /* records may have been delivered */
	bool have_release;
	struct dec_cpu_stats *stats; /* [DEC_MAX_CPUS] */
	char *probes; /* probe definitions, or NULL */
};

/* A fault that does not stop a partial decoding: -errno, or 0 when partial
 * (and the message is kept in d->fault). */
int dec_fault(struct dec *d, int ret, const struct zsr_err *err);
/* Deliver a mark; the capture's own ones tell the kernel release. */
void dec_mark(struct dec *d, struct zsr_rec *rec, const char *text, size_t len);
void dec_lost(struct dec *d, uint64_t t_ns, unsigned cpu, uint64_t count);
/* Names of tasks that were told and need not be again. */
struct dec_tasks {
	struct {
		int32_t pid; /* 0 also: nothing seen */
		uint8_t len;
		char comm[DEC_COMM_LEN];
	} seen[4096];
};

void dec_tasks_see(struct dec *d, struct dec_tasks *t, int32_t pid,
		   const char *comm, size_t len);
/* "PID COMM" lines. */
void dec_cmdlines(struct dec *d, const char *text, size_t len);
/* The text of a per-CPU stats file; a "cpuN" or "CPU: N" line in it changes
 * the cpu from the one given (-1: none yet). */
/* "zsr:fact KEY=VALUE": a fact, and true. TEXT is cut. */
bool dec_fact(struct dec *d, char *text);
void dec_stats_parse(struct dec *d, const char *text, int cpu);
void dec_stats_meta(struct dec *d);

/* ---- events in binary form: events.c -------------------------------- */

struct dec_field {
	uint16_t off;
	uint8_t size; /* 0: the event has no such field */
	uint8_t role; /* enum dec_role */
};

struct dec_event {
	struct dec_shape shape;
	uint8_t nr; /* of args */
	bool graph; /* of the function_graph tracer: see graph.c */
	uint16_t min_len, max_len; /* of its data */
	struct dec_field pid;
	struct dec_field arg[DEC_NR_ROLES];
	struct dec_field graph_func, graph_begin, graph_end;
	uint16_t text, text_len; /* of a mark; 0 bytes: up to the end */
	bool text_is_far; /* there is where it is and how long, 16 bits each */
	char name[64];
};

struct dec_guess;
struct dec_symbol;
struct tep_handle;

struct dec_events {
	const struct zsr_event_map *map; /* or NULL */
	struct tep_handle *tep;
	struct dec_field type; /* the event's number */
	struct dec_field pid; /* of events nobody described */
	struct dec_event *ev;
	size_t nr, cap;
	uint16_t *by_id; /* [65536]: index in ev + 1, or 0 */
	struct dec_guess *guess; /* probes of names nobody knows: guess.c */
	size_t nr_guesses, cap_guesses;
	struct dec_symbol *symbol; /* of functions that mean something */
	size_t nr_symbols, cap_symbols;
};

int dec_events_init(struct dec_events *e, const struct zsr_event_map *map,
		    struct zsr_err *err);
void dec_events_free(struct dec_events *e);
/* The text of one format file; PROBES (or NULL) are definitions that say what
 * an event of an unknown name probes. */
int dec_events_add(struct dec_events *e, const char *system, const char *text,
		   size_t len, const char *probes, struct zsr_err *err);
/* After the last one. */
int dec_events_ready(struct dec *d, struct dec_events *e, struct zsr_err *err);
/* An event whose meaning is known from elsewhere. */
int dec_events_describe(struct dec_events *e, const char *system,
			const char *text, size_t len, unsigned long id,
			struct dec_means *m, const char *name,
			struct zsr_err *err);
/* Deliver one event's data. */
int dec_events_emit(struct dec *d, const struct dec_events *e, unsigned cpu,
		    uint64_t t_ns, const uint8_t *data, unsigned len,
		    struct zsr_err *err);

/* ---- probes whose names say nothing: guess.c ------------------------- */

/* Keep the format of an event nobody knows, when it is a probe's. */
int dec_guess_keep(struct dec_events *e, const char *system, const char *name,
		   size_t name_len, unsigned long id, const char *text,
		   size_t len, struct zsr_err *err);
/*
 * An entry with a pool and a handle, and nothing else, is zs_free's, and that
 * of the same name and some more letters its return. Beside that, the only
 * pair that tells of nothing but time is of a function that does next to
 * nothing. What was guessed is told as facts.
 */
int dec_guess(struct dec *d, struct dec_events *e, struct zsr_err *err);
void dec_guess_free(struct dec_events *e);

/* ---- the function_graph tracer: graph.c ------------------------------ */

/* Whether there are events of it, which takes symbols to understand. */
bool dec_graph_wants_symbols(const struct dec_events *e);
/* Lines of kallsyms. */
int dec_graph_symbols(struct dec_events *e, const char *text, size_t len,
		      struct zsr_err *err);
/* The function at an address. */
enum dec_func dec_graph_func(const struct dec_events *e, uint64_t address);
/* A record of FUNC's call, entered or returned from after DUR_NS, UINT64_MAX:
 * nobody said. */
void dec_graph_emit(struct dec *d, enum dec_func func, bool is_ret,
		    struct zsr_rec rec, uint64_t dur_ns);
bool dec_is_graph_text(const uint8_t *head, size_t len);
int dec_graph_text(struct dec *d, struct dec_file *f, struct zsr_err *err);

/* ---- ring-buffer pages: page.c -------------------------------------- */

/* From events/header_page. */
struct dec_page_format {
	unsigned size; /* of a whole sub-buffer */
	unsigned commit_off;
	unsigned commit_size; /* 4 or 8: the kernel's long */
	unsigned data_off;
};

int dec_page_format_parse(struct dec_page_format *f, const char *text,
			  struct zsr_err *err);

struct dec_page {
	const uint8_t *data; /* of the sub-buffer */
	const uint8_t *pos, *end;
	uint64_t t_ns; /* of the event returned last */
	unsigned nr; /* events and fillers seen */
	unsigned first_len; /* bytes the page's first event takes */
	unsigned room; /* bytes behind its data (and count) */
	bool dirty; /* those bytes are not all zero */
	bool missed; /* records are missing before this page */
	uint64_t missed_count; /* 0: unknown */
};

int dec_page_load(struct dec_page *p, const struct dec_page_format *f,
		  const uint8_t *page, struct zsr_err *err);
/* The next event's data: 1 with *data, *len and p->t_ns, or 0 at the end. */
int dec_page_next(struct dec_page *p, const uint8_t **data, unsigned *len,
		  struct zsr_err *err);

/* ---- per-CPU streams of pages, merged: stream.c ---------------------- */

struct dec_stream {
	unsigned cpu;
	char name[64]; /* "cpu 2" */
	bool has_stats; /* d->stats[cpu] is about this stream */
	bool chunked; /* zstd chunks, else plain pages */
	uint32_t nr_chunks; /* left */
	struct dec_file *file;
	uint64_t off, end; /* what is left of the file */
	struct dec_page_format fmt;
	uint32_t mult, shift; /* stamps to ns: * mult >> shift; mult 0: as is */

	/* The rest belongs to stream.c. */
	struct dec_page page;
	const uint8_t *data; /* the event that comes next */
	unsigned len;
	uint64_t t_ns;
	uint64_t stamp; /* the same, unconverted */
	uint64_t nr_pages, nr_events;
	uint8_t *buf, *packed;
	size_t cap, packed_cap, used, at;
	uint64_t lost; /* before that event, as far as counted */
	uint64_t nr_lost;
	bool lost_unknown; /* before that event */
	bool any_unknown;
};

/* Decode all of the streams in order of time, ties by cpu. STATS: d->stats is
 * about these streams, so they are held against it. */
int dec_streams_run(struct dec *d, struct dec_stream *s, size_t nr, bool stats,
		    const struct dec_events *e, struct zsr_err *err);

/* ---- formats -------------------------------------------------------- */

bool dec_is_dat(const uint8_t *head, size_t len);
bool dec_is_text(const uint8_t *head, size_t len);
bool dec_is_csv(const struct zsr_event_map *map, const uint8_t *head,
		size_t len);
bool dec_is_perf_text(const uint8_t *head, size_t len);
/* What a file zsr cannot read is, as a message says it; NULL: no idea. */
const char *dec_foreign(const uint8_t *head, size_t len);

int dec_dat(struct dec *d, struct dec_file *f, struct zsr_err *err);
/* DIR has formats/ and raw/; NAME is how messages call it. */
int dec_raw(struct dec *d, int dirfd, const char *name, struct zsr_err *err);
/* HEAD is what dec_is_csv() saw. */
int dec_csv(struct dec *d, struct dec_file *f, const uint8_t *head, size_t len,
	    struct zsr_err *err);
int dec_text(struct dec *d, struct dec_file *f, struct zsr_err *err);
int dec_perf_text(struct dec *d, struct dec_file *f, struct zsr_err *err);
/* Whether this begins the metadata of a CTF trace. */
bool dec_is_ctf(const uint8_t *head, size_t len);
/* The CTF traces in a directory and below it, as one capture; *found: there
 * are some. */
int dec_ctf(struct dec *d, int dirfd, const char *path, bool *found,
	    struct zsr_err *err);

/* The statistics, snapshots and probes beside a capture; parse them into
 * d->stats and d->probes, and pass them on. */
int dec_sidecars(struct dec *d, int dirfd, const char *name,
		 struct zsr_err *err);

/* ---- the child: child.c --------------------------------------------- */

/* The parent's: hand SINK what comes through RING, believing nothing. *done: the
 * other end said that this was all; *any: some record was handed on. */
int dec_receive(const struct dec_ring *ring, const char *path,
		struct zsr_sink *sink, bool *done, bool *any,
		struct zsr_err *err);

/* The child's work: recognise and decode PATH ("-": standard input). */
int dec_path(struct dec *d, const char *path, struct zsr_err *err);

#endif
