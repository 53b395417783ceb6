/* SPDX-License-Identifier: GPL-2.0-only */
/* Private to the files that read text. */
#ifndef ZSR_CAPTURE_TEXT_H
#define ZSR_CAPTURE_TEXT_H

#include "capture/decode/decode.h"

/* "  comm-PID  ( TGID) [CPU] flags  SECONDS.FRACTION: rest" */
struct text_head {
	const char *comm;
	size_t comm_len;
	int32_t pid;
	unsigned cpu;
	uint64_t t_ns;
	bool coarse; /* six digits of a second, not nine */
	const char *rest;
};

bool text_begins(const char *line, const char *end, const char *word);

/* False when LINE (up to END, without newline) is no event. */
bool text_head(struct text_head *h, const char *line, const char *end);
/* A line of `perf script`. */
bool text_is_perf(const char *line, const char *end);

/* "CPU:3 [LOST 12 EVENTS]" and its kin; count 0: not told. */
bool text_lost(const char *line, const char *end, unsigned *cpu,
	       uint64_t *count);

/* What stands between the brackets behind a probe event's name. */
struct text_where {
	bool is_ret;
	const char *symbol; /* of the probed function, or NULL */
	size_t symbol_len;
	uint64_t caller; /* 0: not told as a number */
	const char *rest;
};

bool text_where(struct text_where *w, const char *p, const char *end);

struct text_pair {
	const char *key, *value;
	size_t key_len, value_len;
};

/* The next "key=value"; false at the end. */
bool text_pair(struct text_pair *pair, const char **p, const char *end);
/* 0x1f, 31, -1; false when it is none. */
bool text_number(const char *s, size_t len, uint64_t *v);

/* ---- events: textevent.c --------------------------------------------- */

#define TEXT_EVENTS 512
#define TEXT_KEYS   12

struct text_key {
	char name[24];
	size_t len;
	enum dec_role role;
};

struct text_event {
	char name[64];
	size_t name_len;
	enum dec_func func;
	bool is_ret;
	bool place; /* a ZSR_REC_PLACE follows */
	uint8_t kind, has;
	unsigned roles;
	unsigned nr_keys;
	struct text_key keys[TEXT_KEYS];
};

struct text_events {
	struct text_event ev[TEXT_EVENTS];
	unsigned nr;
};

/* Deliver the event of one line; P is behind its name, and the text that was
 * read already reaches to AHEAD_END. */
int text_event(struct dec *d, struct text_events *t, const struct text_head *h,
	       const char *name, size_t name_len, const char *p,
	       const char *end, const char *ahead_end, struct zsr_err *err);

#endif
