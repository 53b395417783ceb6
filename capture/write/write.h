/* SPDX-License-Identifier: GPL-2.0-only */
/* Private to the writers of captures. */
#ifndef ZSR_CAPTURE_WRITE_H
#define ZSR_CAPTURE_WRITE_H

#include "capture/capture.h"

/* ---- what a record is called (events.c) -------------------------------- */

enum wr_value { WR_POOL, WR_HANDLE, WR_VALUE, WR_GFP, WR_CALLER };

struct wr_field {
	const char *name; /* NULL: no more */
	uint8_t value; /* enum wr_value */
	uint8_t size; /* bytes */
	uint8_t has; /* only when the kind's first record HAS it; 0: always */
	bool decimal;
};

#define WR_FIELDS 4

struct wr_event {
	const char *name; /* NULL: such records are not written */
	const char *symbol;
	bool is_ret;
	struct wr_field field[WR_FIELDS];
};

extern const struct wr_event wr_events[ZSR_REC_OTHER + 1];

uint64_t wr_value_of(const struct zsr_rec *rec, enum wr_value value);
/* A made-up address of an event's function, and of tracing_mark_write. */
#define WR_MARK_IP 0x1000u
uint64_t wr_ip(unsigned kind);
/* "zsr:fact KEY=VALUE", how a fact that the format has no place for travels;
 * false when it is longer than ROOM or more than a line. */
bool wr_fact(char *buf, size_t room, const char *key, const char *value);

/* Facts wait for the first record, whose time and cpu they get. */
struct wr_facts {
	char *text; /* one after the other, with their NULs */
	size_t len;
	size_t cap;
};

int wr_facts_add(struct wr_facts *f, const char *key, const char *value,
		 struct zsr_err *err);

/* Names of tasks; the last one told counts. */
struct wr_tasks {
	struct wr_task {
		int32_t pid;
		uint64_t nr; /* when it was told */
		char comm[32];
	} * task;
	size_t nr;
	size_t cap;
	size_t settled; /* of them are in order, and one a pid */
	uint64_t told;
};

int wr_tasks_add(struct wr_tasks *t, int32_t pid, const char *comm,
		 struct zsr_err *err);
/* From now on there is one a pid, in their order. */
void wr_tasks_settle(struct wr_tasks *t);
/* Its name, "<...>" when it has none. */
const char *wr_tasks_comm(struct wr_tasks *t, int32_t pid);

/* ---- sub-buffers of a ring buffer (pages.c) ----------------------------- */

struct wr_pages;

/* SIZE bytes each, kept in FD, which is taken over. */
int wr_pages_new(struct wr_pages **p, unsigned size, int fd,
		 struct zsr_err *err);
void wr_pages_free(struct wr_pages *p);
/* An event of LEN bytes, a multiple of 4. */
int wr_pages_event(struct wr_pages *p, unsigned cpu, uint64_t t_ns,
		   const void *data, unsigned len, struct zsr_err *err);
/* COUNT records are missing before the cpu's next one; 0: how many is not
 * known. */
int wr_pages_lost(struct wr_pages *p, unsigned cpu, uint64_t count,
		  struct zsr_err *err);

struct wr_cpu {
	uint64_t nr_pages;
	uint64_t nr_events;
	uint64_t lost; /* at its end */
	uint64_t all_lost;
};

/* No event comes any more: what there is of each cpu. */
int wr_pages_end(struct wr_pages *p, const struct wr_cpu **cpu, unsigned *nr,
		 struct zsr_err *err);
/* The pages of all cpus, one cpu after the other. */
int wr_pages_copy(struct wr_pages *p, FILE *to, struct zsr_err *err);

/* ---- the layout of trace.dat (file.c) ------------------------------------- */

enum {
	WR_OPT_CPUSTAT = 2,
	WR_OPT_CLOCK = 4,
	WR_OPT_UNAME = 5,
	WR_OPT_VERSION = 9,
};

void wr_num(FILE *f, uint64_t v, size_t size);
/* With its length of SIZE_OF_LEN bytes in front. */
void wr_text(FILE *f, const char *s, size_t len, size_t size_of_len);
/* Its first part; headers of NULL are those of a 64-bit kernel. Formats of the
 * system ftrace, of the others, symbols, formats of printk, tasks, and the
 * number of cpus follow; then options; then the places. */
void wr_head(FILE *f, unsigned page_size, const char *header_page,
	     const char *header_event);
void wr_options(FILE *f);
void wr_option(FILE *f, unsigned id, const char *s);
void wr_options_end(FILE *f);
/* HEAD_LEN bytes are written: tell where the pages will be, and fill up to
 * there. */
void wr_places(FILE *f, unsigned page_size, const struct wr_cpu *cpu,
	       unsigned nr, uint64_t head_len);

/* ---- formats ------------------------------------------------------------ */

struct wr_format {
	struct zsr_sink sink;
	int (*finish)(void *ctx, struct zsr_err *err);
	void (*free)(void *ctx); /* also an unfinished one */
};

int wr_dat_new(const char *path, struct wr_format *f, struct zsr_err *err);
int wr_text_new(const char *path, struct wr_format *f, struct zsr_err *err);

#endif
