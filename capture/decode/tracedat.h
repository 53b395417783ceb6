/* SPDX-License-Identifier: GPL-2.0-only */
/* Private to the three files that read trace.dat. */
#ifndef ZSR_CAPTURE_TRACEDAT_H
#define ZSR_CAPTURE_TRACEDAT_H

#include "capture/decode/decode.h"

/* Options, and the sections of version 7 that options point to. */
enum {
	DAT_DONE = 0,
	DAT_CPUSTAT = 2,
	DAT_BUFFER = 3,
	DAT_TRACECLOCK = 4,
	DAT_UNAME = 5,
	DAT_CPUCOUNT = 8,
	DAT_VERSION = 9,
	DAT_TSC2NSEC = 14,
	DAT_HEADER_INFO = 16,
	DAT_FTRACE_EVENTS = 17,
	DAT_EVENT_FORMATS = 18,
	DAT_KALLSYMS = 19,
	DAT_PRINTK = 20,
	DAT_CMDLINES = 21,
	DAT_BUFFER_TEXT = 22,
};

/* A range of the file, or a section unpacked into memory, read forward. */
struct dat_in {
	struct dec_file *file; /* NULL: mem */
	uint64_t off, end;
	uint8_t *mem; /* window of the file, or the section */
	size_t cap;
	uint64_t win_off; /* what of the file mem holds */
	size_t win_len;
};

void dat_in_file(struct dat_in *in, struct dec_file *f, uint64_t off,
		 uint64_t end);
void dat_in_mem(struct dat_in *in, uint8_t *mem, size_t len); /* takes mem */
void dat_in_end(struct dat_in *in);
/* N bytes that stay valid until the next call; NULL with the error set. */
const uint8_t *dat_bytes(struct dat_in *in, size_t n, struct zsr_err *err);
int dat_u16(struct dat_in *in, uint16_t *v, struct zsr_err *err);
int dat_u32(struct dat_in *in, uint32_t *v, struct zsr_err *err);
int dat_u64(struct dat_in *in, uint64_t *v, struct zsr_err *err);
int dat_skip(struct dat_in *in, uint64_t n, struct zsr_err *err);
/* A NUL-terminated string of less than ROOM bytes (a last one may lack its
 * NUL). False when there is none. */
bool dat_line(struct dat_in *in, char *to, size_t room);

struct dat_buffer {
	char name[64];
	char clock[32];
	unsigned page_size; /* 0: as header_page says */
	bool chunked;
};

struct dat_cpu {
	unsigned cpu, buffer;
	uint64_t off, size;
};

struct dat {
	struct dec *d;
	struct dec_file *file;
	unsigned version;
	uint32_t page_size;
	uint32_t cpu_count;
	uint32_t mult, shift;
	char clock[32];
	struct dec_page_format fmt;
	struct dec_events events;
	struct dat_buffer *buffers;
	size_t nr_buffers, buffers_cap;
	struct dat_cpu *cpus;
	size_t nr_cpus, cpus_cap;
};

int dat_add_buffer(struct dat *t, const char *name, const char *clock,
		   unsigned page_size, bool chunked);
int dat_add_cpu(struct dat *t, unsigned cpu, uint64_t off, uint64_t size,
		struct zsr_err *err);
int dat_option(struct dat *t, unsigned id, struct dat_in *in,
	       struct zsr_err *err);
int dat_headers(struct dat *t, struct dat_in *in, struct zsr_err *err);
int dat_ftrace_formats(struct dat *t, struct dat_in *in, struct zsr_err *err);
int dat_event_formats(struct dat *t, struct dat_in *in, struct zsr_err *err);
int dat_symbols(struct dat *t, struct dat_in *in, struct zsr_err *err);
int dat_cmdlines(struct dat *t, struct dat_in *in, struct zsr_err *err);

int dat_read_v6(struct dat *t, struct dat_in *in, struct zsr_err *err);
int dat_read_v7(struct dat *t, struct dat_in *in, struct zsr_err *err);

#endif
