/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hands a trace's events, read once and in order, to one queue a task. How far
 * the fastest task may be ahead of the slowest is bounded, so memory stays
 * flat: a task whose next event is beyond the window waits.
 */
#ifndef ZSR_FEED_H
#define ZSR_FEED_H

#include "base/base.h"
#include "db/db.h"

/* Events read and not yet played, at most, unless said otherwise. */
#define ZSR_FEED_WINDOW (1u << 19)

/* Barriers a trace may have. */
#define ZSR_FEED_MAX_EPOCH ((1u << 24) - 1)

/* What the player needs of an event. */
struct zsr_feed_event {
	uint64_t entry_ns; /* the call's begin in the trace */
	uint64_t dur_ns;
	uint64_t obj; /* marks: number of the text */
	uint64_t seq : 40; /* place in the trace, from 0 */
	uint64_t epoch : 24; /* barriers before it */
	uint32_t size;
	uint16_t pool;
	unsigned kind : 4;
	unsigned caller : 8;
	unsigned meaning : 4; /* marks: enum zsr_text */
};

static inline uint64_t zsr_feed_return_ns(const struct zsr_feed_event *e)
{
	return e->entry_ns + e->dur_ns;
}

/*
 * Many are held, so most are two words: what has changed since the task's event
 * before. Where that does not fit the event itself follows, in as many such.
 */
struct zsr_feed_packed {
	uint64_t whole : 1;
	uint64_t entry : 30; /* further */
	uint64_t dur : 24;
	uint64_t kind : 4;
	uint64_t caller : 4;
	uint64_t seq : 20; /* further */
	uint64_t obj : 24; /* further, plus ZSR_FEED_OBJ_BACK */
	uint64_t size : 20;
};

#define ZSR_FEED_OBJ_BACK (1ull << 23)

#define ZSR_FEED_BLOCK 256

struct zsr_feed_block {
	struct zsr_feed_block *next;
	struct zsr_feed_packed event[ZSR_FEED_BLOCK];
};

/* A task's events: the first one, and behind it blocks, the first read from `at`
 * on, the last full up to `end`. */
struct zsr_feed_queue {
	uint64_t nr;
	struct zsr_feed_event first_event, last_event; /* when there are any */
	struct zsr_feed_block *first, *last;
	unsigned at, end;
};

/* What a mark means to the player. */
enum zsr_text {
	ZSR_TEXT_OTHER,
	ZSR_TEXT_BARRIER, /* the workload stood still here */
	ZSR_TEXT_RELEASE_BEGIN,
	ZSR_TEXT_RELEASE_END,
};

/* Progress between two barriers: nothing after a barrier starts before
 * everything before it is done. */
struct zsr_feed_epoch {
	uint64_t read;
	uint64_t done;
};

struct zsr_feed {
	struct zsr_cursor *cursor;
	const struct zsr_event *batch;
	int nr_batch, at;
	bool eof;
	struct zsr_feed_queue *queue; /* by task */
	uint32_t nr_tasks;
	uint32_t nr_pools;
	uint64_t outstanding;
	uint64_t window; /* its limit; may be changed before reading */
	struct zsr_feed_epoch *epoch;
	size_t cap_epoch;
	uint32_t epoch_read; /* the reader is in this one */
	uint32_t epoch_now; /* the player is in this one */
	uint8_t *text; /* by text number: enum zsr_text */
	uint32_t nr_texts;
	uint64_t *alive; /* bit per object: was stored, was not freed, as read */
	size_t cap_alive;
	uint64_t nr_objects; /* stored, as read */
	uint64_t orphans; /* frees of unknown objects, left out */
	uint64_t read;
};

int zsr_feed_init(struct zsr_feed *f, struct zsr_db *db,
		  const struct zsr_trace *trace, struct zsr_err *err);
void zsr_feed_free(struct zsr_feed *f);

/* Read on by one event, of *task. 1, 0 at the end, -EAGAIN when the window is
 * full. */
int zsr_feed_read(struct zsr_feed *f, uint32_t *task, struct zsr_err *err);
/* The task's next event that is read already, NULL when there is none. */
static inline const struct zsr_feed_event *zsr_feed_peek(const struct zsr_feed *f,
							 uint32_t task)
{
	const struct zsr_feed_queue *q = &f->queue[task];

	return q->nr ? &q->first_event : NULL;
}
/* Take it. The caller says zsr_feed_done() once it is played. */
struct zsr_feed_event zsr_feed_take(struct zsr_feed *f, uint32_t task);
/* True when that ended an epoch (epoch_now has moved on). */
bool zsr_feed_done(struct zsr_feed *f, const struct zsr_feed_event *e);

#endif
