/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a timeline is made of, for those that write one: tracks that hold
 * slices and instants, or the values of a counter. Times are ns. Slices of a
 * track are told in order, and none begins before the one in front of it has
 * ended; so are values. There is no other order.
 */
#ifndef ZSR_INTEROP_TIMELINE_H
#define ZSR_INTEROP_TIMELINE_H

#include "interop/interop.h"

struct zsr_arg {
	const char *name;
	const char *text; /* NULL: a number */
	uint64_t number;
};

/* Of what a counter counts. */
enum zsr_unit {
	ZSR_UNIT_NONE,
	ZSR_UNIT_BYTES,
	ZSR_UNIT_PAGES,
	ZSR_UNIT_ENTRIES
};

struct zsr_track {
	uint64_t id; /* from ZSR_TRACK_FIRST on; tracks are shown by it */
	const char *name;
	enum zsr_unit counts; /* NONE: slices and instants */
};

#define ZSR_TRACK_ROOT  1 /* all tracks lie in it */
#define ZSR_TRACK_FIRST 2

struct zsr_happening {
	const struct zsr_track *track;
	const char *name;
	uint64_t begin_ns;
	uint64_t end_ns; /* of a slice */
	const struct zsr_arg *arg;
	size_t nr_args;
};

struct zsr_timeline;

/* Texts may be of any bytes. A track is told before what is on it. */
struct zsr_timeline_ops {
	void (*begin)(struct zsr_timeline *tl, const char *title,
		      const struct zsr_arg *about, size_t nr);
	void (*track)(struct zsr_timeline *tl, const struct zsr_track *track);
	void (*slice)(struct zsr_timeline *tl, const struct zsr_happening *h);
	void (*instant)(struct zsr_timeline *tl, const struct zsr_happening *h);
	void (*value)(struct zsr_timeline *tl, const struct zsr_track *track,
		      uint64_t t_ns, uint64_t value);
	void (*end)(struct zsr_timeline *tl);
};

extern const struct zsr_timeline_ops zsr_chrome_ops, zsr_perfetto_ops;

struct zsr_timeline {
	const struct zsr_timeline_ops *ops;
	FILE *f;
	bool nomem; /* seen when the file is closed */
	bool any; /* an event was written */
	uint8_t *buf; /* of the writer */
	size_t cap;
};

/* A timeline at PATH of what TELL says. */
int zsr_timeline_write(enum zsr_timeline_format format, const char *path,
		       int (*tell)(struct zsr_timeline *tl, void *ctx,
				   struct zsr_err *err),
		       void *ctx, struct zsr_err *err);

/* S as UTF-8, g_free()d by the caller; NULL: it is already. */
char *zsr_utf8(const char *s);

/* ---- facts ------------------------------------------------------------- */

struct zsr_about {
	struct zsr_arg *arg; /* owns names and texts */
	size_t nr;
	size_t cap;
	bool nomem;
};

void zsr_about_text(struct zsr_about *a, const char *name, const char *text);
/* A number; its name may have parts. */
void zsr_about_number(struct zsr_about *a, uint64_t number, const char *fmt,
		      ...) ZSR_PRINTF(3, 4);
void zsr_about_free(struct zsr_about *a);

#endif
