/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The book of pools that threads share. Each thread writes notes of its own,
 * with the time: that of the call it is in for a caller, a reading of the clock
 * for a worker. After the run they are put in order and told to the account,
 * as the ordered book tells it at once. Where times of two threads are not
 * exact enough for that order (an object freed before it was queued), the later
 * note is left out and counted.
 *
 * Each thread has handles and slots of its own too. A slot that a worker frees
 * is not stored to again; there are as many as the trace has stores.
 */
#ifndef ZSR_HOST_BOOK_H
#define ZSR_HOST_BOOK_H

#include "replay/account.h"
#include "replay/machine/host/host.h"
#include "replay/policy/book.h"

/* In the order in which notes of the same time are read. */
enum zsr_note_kind {
	ZSR_NOTE_QUEUED, /* h */
	ZSR_NOTE_FREED, /* h */
	ZSR_NOTE_MOVED, /* h, value: the zspage it is in now */
	ZSR_NOTE_BACK, /* value: zspage */
	ZSR_NOTE_COMPACTED, /* h: pages */
	ZSR_NOTE_GROWN, /* h: class, value: zspage */
	ZSR_NOTE_STORED, /* h, value: zspage */
	ZSR_NOTE_ZSPAGE_QUEUED,
	ZSR_NOTE_ZSPAGE_DEQUEUED, /* h: how long it waited in us */
	ZSR_NOTE_BUFFER, /* h: pages, as a signed number */
};

struct zsr_note {
	uint64_t at; /* ticks */
	uint32_t h;
	uint32_t kind : 4;
	uint32_t value : 28; /* zspages are given by the low bits of their
			      * serial number */
};

#define ZSR_NOTES ((1u << 16) / sizeof(struct zsr_note) - 1)

struct zsr_notes {
	struct zsr_notes *next;
	struct zsr_note *end; /* of what is written */
	struct zsr_note note[ZSR_NOTES];
};

/* What one thread has of one pool. */
struct zsr_leaf {
	struct zsr_note *at, *end; /* where the next note goes */
	struct zsr_notes *first, *last;
	struct zsr_handle_cache handles;
	const struct zsr_zspage *grown; /* for the object it stores now */
	uint32_t *slot; /* it freed; the last one is stored to first */
	size_t nr_slots, cap_slots;
	uint32_t next_slot, end_slot; /* never used */
	uint64_t fallbacks, reused;
};

/* What one thread has. */
struct zsr_record {
	struct zsr_host_book *book;
	struct zsr_record *next;
	struct zsr_leaf leaf[]; /* by pool */
};

struct zsr_host_book {
	struct zsr_account account; /* first: a pool's leads to its book */
	struct zsr_pool *pool;
	unsigned nr_pools;
	pthread_mutex_t lock; /* protects what follows */
	struct zsr_record *records;
	struct zsr_notes *spare; /* written to once, so that they are there */
	char *memory; /* of the spare ones */
	size_t len;
	uint64_t late; /* that had to be made in the run */
	/* Somebody watches: the book that tells the probes, too. */
	const struct zsr_probes *probes;
	struct zsr_book probed;
	/* After the run. */
	uint64_t unordered; /* notes left out */
};

extern const struct zsr_book zsr_book_host;

static inline void zsr_host_slot_put(struct zsr_leaf *l, uint32_t slot)
{
	if (l->nr_slots < l->cap_slots)
		l->slot[l->nr_slots++] = slot;
}

/* Memory for NOTES notes is made ready, but not the account; POOL's are made
 * afterwards, with it. 0 or -ENOMEM; destroy it then, too. */
int zsr_host_book_init(struct zsr_host_book *b, struct zsr_pool *pool,
		       unsigned nr_pools, uint64_t notes);
void zsr_host_book_destroy(struct zsr_host_book *b);
/* From now on, which is before the pools are made; NULL changes nothing. */
void zsr_host_book_probe(struct zsr_host_book *b,
			 const struct zsr_probes *probes);
/* A thread's record, with room for SLOTS freed slots of each pool; NULL without
 * memory. It is the book's. */
struct zsr_record *zsr_host_record(struct zsr_host_book *b, size_t slots);
/* Slots for NR stores and NR_THREADS threads. 0 or -ENOMEM. */
int zsr_host_slots_init(struct zsr_pool *p, uint64_t nr, unsigned nr_threads);
/* The threads have ended: their handles and counters are the pools' again. */
void zsr_host_book_close(struct zsr_host_book *b);

/*
 * Tell the account everything up to the time CUT, and at the time FIRST that
 * releases begin; then, for the rest, call again with CUT UINT64_MAX.
 */
struct zsr_told;
int zsr_host_told_new(struct zsr_told **t, struct zsr_host_book *b,
		      const struct zsr_clock *clock, uint64_t first);
void zsr_host_tell(struct zsr_told *t, uint64_t cut);
void zsr_host_told_free(struct zsr_told *t);

#endif
