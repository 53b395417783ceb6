/* SPDX-License-Identifier: GPL-2.0-only */
/* Private to the files that read text. */
#ifndef ZSR_CAPTURE_TEXT_H
#define ZSR_CAPTURE_TEXT_H

#include "capture/decode/names.h"

/* What a line begins with. */
struct text_head {
	const char *comm;
	size_t comm_len; /* 0: not told */
	int32_t pid; /* -1: not told */
	int cpu; /* -1: not told */
	uint64_t t_ns;
	bool coarse; /* six digits of a second, not nine */
	const char *name; /* of the event */
	size_t name_len; /* 0: it has none */
	const char *rest; /* behind the name */
};

bool text_begins(const char *line, const char *end, const char *word);

/* "  comm-PID  ( TGID) [CPU] flags  SECONDS.FRACTION: name: rest"; false when
 * LINE (up to END, without newline) is no event. */
bool text_head(struct text_head *h, const char *line, const char *end);
/* SECONDS.FRACTION: or, of a clock that does not count time, TICKS: at P, which
 * ends before what this returns; NULL: neither. */
const char *text_stamp(struct text_head *h, const char *p, const char *end);

/* ---- perf script: perf.c ----------------------------------------------- */

/* "comm PID/TID [CPU] SECONDS.FRACTION: PERIOD system:name: rest", with any of
 * the first four left out, and PERIOD. */
bool perf_head(struct text_head *h, const char *line, const char *end);
/* Of a perf_head(): some record of perf's own, not a sample. */
bool perf_is_own(const struct text_head *h);
/* Such a record of a loss; count 0: not told. */
bool perf_lost_record(const struct text_head *h, const char *end,
		      uint64_t *count);
/* "Lost 12 events", as bpftrace prints it, and what perf prints. */
bool perf_lost_line(const char *line, const char *end, uint64_t *count);
/* A line of a call chain, behind the tab: the address, 0 when there is none, and
 * the symbol's name. */
void perf_frame(const char *p, const char *end, uint64_t *address,
		const char **symbol, size_t *len);
/* "# KEY : VALUE" lines that say what was recorded where. */
void perf_comment(struct dec *d, const char *line, const char *end);

/* ---- parts of lines: textline.c ------------------------------------------ */

/* "CPU:3 [LOST 12 EVENTS]" and its kin; count 0: not told. */
bool text_lost(const char *line, const char *end, unsigned *cpu,
	       uint64_t *count);

/* What stands between the brackets behind a probe event's name. */
struct text_where {
	bool is_ret;
	const char *symbol; /* of the probed function, or NULL */
	size_t symbol_len;
	uint64_t func; /* its address; 0: not told as a number */
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
	struct dec_means means;
	struct dec_shape shape;
	unsigned roles;
	unsigned nr_keys;
	struct text_key keys[TEXT_KEYS];
};

struct text_events {
	/* text_head() or perf_head() */
	bool (*head)(struct text_head *h, const char *line, const char *end);
	struct text_event ev[TEXT_EVENTS];
	unsigned nr;
};

/* The event of one line, learnt from the first; NULL: too many are known. The
 * text that was read already reaches to AHEAD_END. */
int text_event_of(struct dec *d, struct text_events *t,
		  const struct text_head *h, const char *end,
		  const char *ahead_end, struct text_event **ev,
		  struct zsr_err *err);
/* Deliver a line whose event is no mark; *rec is delivered, until the next. */
int text_event(struct dec *d, struct text_event *ev, const struct text_head *h,
	       const char *end, struct zsr_rec **rec, struct zsr_err *err);
/* A mark's text. */
void text_mark(struct dec *d, struct text_event *ev, const struct text_head *h,
	       const char **text, const char **end);

#endif
