/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events on their way to the writer: some wait for their return, and those
 * behind them wait with them, so that the order stays that of t_ns. At most
 * ZSR_WINDOW events wait; then the oldest goes as it is.
 */
#ifndef ZSR_DB_WINDOW_H
#define ZSR_DB_WINDOW_H

#include "db/db.h"

#define ZSR_WINDOW 32768 /* a power of two */

struct zsr_window {
	struct zsr_event *ev; /* ring */
	uint32_t *opener; /* who waits: number plus 1; 0: complete */
	uint64_t head; /* number of the oldest event that waits */
	uint64_t tail;
};

int zsr_window_init(struct zsr_window *w);
void zsr_window_free(struct zsr_window *w);
/* Hand what is complete to the writer. */
int zsr_window_drain(struct zsr_window *w, struct zsr_writer *to,
		     struct zsr_err *err);

static inline bool zsr_window_full(const struct zsr_window *w)
{
	return w->tail - w->head == ZSR_WINDOW;
}

/* Put an event behind the others (there must be room); its number. opener:
 * plus 1, 0 for a complete one. */
static inline uint64_t zsr_window_push(struct zsr_window *w,
				       const struct zsr_event *ev,
				       uint32_t opener)
{
	w->ev[w->tail % ZSR_WINDOW] = *ev;
	w->opener[w->tail % ZSR_WINDOW] = opener;
	return w->tail++;
}

static inline struct zsr_event *zsr_window_event(struct zsr_window *w,
						 uint64_t nr)
{
	return &w->ev[nr % ZSR_WINDOW];
}

/* An event that waited is complete. */
static inline void zsr_window_close(struct zsr_window *w, uint64_t nr)
{
	w->opener[nr % ZSR_WINDOW] = 0;
}

#endif
