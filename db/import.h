/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The import pass: import.c (sink), import_calls.c (records to events),
 * import_spans.c (what is known by its time alone), import_events.c (events
 * as they are), import_facts.c (what the capture says
 * of itself), import_end.c (what it all adds up to).
 */
#ifndef ZSR_DB_IMPORT_H
#define ZSR_DB_IMPORT_H

#include "db/handles.h"
#include "db/private.h"
#include "db/window.h"

#define ZSR_NO_EVENT  UINT64_MAX
#define ZSR_MAX_COSTS 4096 /* values that are told apart */

/* What begins and ends, and is an event when it ended, or none at all. */
enum zsr_span {
	ZSR_SPAN_EMPTY,
	ZSR_SPAN_MUNMAP,
	ZSR_SPAN_EXIT,
	ZSR_SPAN_MALLOC, /* without arguments */
	ZSR_NR_SPANS
};

/* One pid: its row once it has an event, and the calls it is in. */
struct zsr_import_task {
	int32_t pid;
	uint32_t row; /* UINT32_MAX: none yet */
	char comm[32];
	struct {
		bool open;
		uint32_t pool; /* ZSR_POOL_ANY: not recorded */
		uint32_t gfp;
		uint64_t size;
		uint64_t t_ns;
	} malloc;
	bool in_free;
	bool in_compact;
	bool in_zspage;
	uint64_t free; /* its event in the window, or ZSR_NO_EVENT */
	uint64_t compact;
	uint64_t zspage; /* was its last one there, which does not wait */
	uint64_t nr_calls; /* of zs_free */
	struct {
		bool open;
		uint64_t t_ns;
		uint64_t calls; /* before it */
	} span[ZSR_NR_SPANS];
};

struct zsr_import_pool {
	char name[64]; /* "": nobody said */
	bool created; /* its creation is in the trace */
	bool orphans; /* an object from before was freed */
};

struct zsr_import_cpu {
	uint64_t lost; /* told by records */
	uint64_t overrun; /* told by the ring buffer's statistics */
	uint64_t dropped;
	bool after_loss; /* the next event follows a gap */
};

struct zsr_import {
	struct zsr_db *db;
	struct zsr_sink sink;
	struct zsr_writer *w;
	struct zsr_odd odd;
	struct zsr_window window;
	struct zsr_handles handles;
	enum zsr_times times;
	bool times_given;
	bool force;

	struct zsr_map pids; /* to numbers of tasks */
	struct zsr_import_task *tasks;
	size_t nr_tasks;
	size_t cap_tasks;
	uint32_t nr_rows; /* tasks with a row */
	uint32_t last_task; /* the one looked up last */

	struct zsr_map pool_rows; /* addresses to rows */
	struct zsr_import_pool *pools;
	size_t nr_pools;
	size_t cap_pools;

	struct zsr_import_cpu *cpus;
	size_t nr_cpus;
	size_t cap_cpus;

	uint64_t start_ns;
	uint64_t last_ns;
	uint64_t origin_ns; /* what events' times count from, as told */
	uint64_t next_obj;
	uint64_t nr_frees;
	uint64_t nr_marks;
	uint64_t nr_places;
	uint64_t nr_zspages;
	uint64_t max_size;
	uint64_t max_accepted; /* largest size a pool takes */
	bool started;
	bool calls; /* a call was seen */
	bool begun; /* a capture:begin mark before any call */
	bool returns; /* some free's return was seen */
	bool creates; /* some pool's creation was seen */
	bool coarse;
	bool events; /* of a trace, not records */

	uint64_t span_text[ZSR_NR_SPANS]; /* numbers of marks plus 1 */

	/* What a call of a function took that does nothing, in order. */
	struct {
		struct {
			uint64_t ns;
			uint64_t count;
		} * value;
		size_t nr;
		size_t cap;
		uint64_t count;
	} cost;

	/* Told by who made the capture from a trace. */
	struct {
		uint64_t caller[ZSR_CALLER_NR]; /* addresses */
		char **mark; /* texts that marks share */
		size_t nr_marks;
		size_t cap_marks;
		uint32_t fact_flags;
		struct zsr_odd odd;
		bool has_odd;
		uint8_t from_empty; /* 1 no, 2 yes */
		bool callers;
	} said;

	char kernel[96]; /* as given, else as told by the capture */
	char mark_kernel[96]; /* as told by its capture:begin mark */
	char format[32];
	char clock[16];
	uint32_t page_size;
	uint32_t chain_size;
	uint32_t fact_flags;
};

/* The number of a pid's task; one is made when there is none. */
int zsr_import_task_of(struct zsr_import *imp, int32_t pid, uint32_t *nr,
		       struct zsr_err *err);
/*
 * An event of REC's cpu by task TASK, now; the rest of it is in *ev, which is
 * completed. It waits in the window when it is open; *nr is its number there.
 */
int zsr_import_push(struct zsr_import *imp, const struct zsr_rec *rec,
		    uint32_t task, struct zsr_event *ev, bool open,
		    uint64_t *nr, struct zsr_err *err);
/* Any record but a mark. imp->last_ns is its time. */
int zsr_import_record(struct zsr_import *imp, const struct zsr_rec *rec,
		      struct zsr_err *err);
int zsr_import_span(struct zsr_import *imp, const struct zsr_rec *rec,
		    enum zsr_span which, struct zsr_err *err);
int zsr_import_span_end(struct zsr_import *imp, const struct zsr_rec *rec,
			enum zsr_span which, struct zsr_err *err);
/* The facts about the probes' own cost. */
int zsr_import_costs(struct zsr_import *imp, struct zsr_err *err);
/* A pool at this address, by its name. */
int zsr_import_name_pool(struct zsr_import *imp, uint64_t address,
			 const char *name, struct zsr_err *err);
/* NULL for cpus that cannot be, and when memory is out. */
struct zsr_import_cpu *zsr_import_cpu(struct zsr_import *imp, uint64_t cpu);
/* Events of a whole trace; its tasks and marks are told by zsr_import_task_row()
 * and zsr_import_mark_row(), in order. */
int zsr_import_events(void *ctx, const struct zsr_event *ev, size_t n,
		      struct zsr_err *err);
int zsr_import_task_row(struct zsr_import *imp, uint64_t row, const char *text,
			struct zsr_err *err);
int zsr_import_mark_row(struct zsr_import *imp, uint64_t nr, const char *text,
			struct zsr_err *err);
/* Not printable characters of a task's name become '?'. */
void zsr_import_comm(struct zsr_import_task *t, const char *comm);
/* A row for a pool at this address; an older one there is gone. */
int zsr_import_new_pool(struct zsr_import *imp, uint64_t address, uint32_t *row,
			struct zsr_err *err);
int zsr_import_meta(void *ctx, const char *key, const char *value,
		    struct zsr_err *err);
/* TEXT with everything that looks like a kernel address taken out, and what is
 * not printable; malloc'ed. */
char *zsr_import_scrub(const char *text);

#endif
