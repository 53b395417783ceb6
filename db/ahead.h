/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A thread that makes chunks' blobs into rows ahead of who reads them. One
 * other thread pushes blobs and pops their rows; it reads the next blob while
 * this one is worked on.
 */
#ifndef ZSR_DB_AHEAD_H
#define ZSR_DB_AHEAD_H

#include "db/chunk.h"

#define ZSR_AHEAD_ROWS 1024 /* popped at once, at most */

struct zsr_ahead;

/* A chunk's data as its row has it; data is malloc'ed, for cap bytes. */
struct zsr_blob {
	void *data;
	size_t cap;
	size_t len;
	uint64_t xxh3;
	struct zsr_chunk_info info;
};

/* Check a blob and start on it. */
int zsr_blob_start(const struct zsr_blob *b, struct zsr_chunk_decoder *dec,
		   struct zsr_err *err);

/* DEC and OBJECTS (NULL: none) belong to the thread until it is stopped, which
 * frees neither. NULL: no memory, no thread, or no second CPU to run it on. */
struct zsr_ahead *zsr_ahead_start(struct zsr_chunk_decoder *dec,
				  struct zsr_live *objects, bool births);
void zsr_ahead_stop(struct zsr_ahead *a);
/* A blob to be filled in; two are there, the chunk that is popped and the
 * next. Pushed, it belongs to the thread. */
struct zsr_blob *zsr_ahead_blob(struct zsr_ahead *a);
void zsr_ahead_push(struct zsr_ahead *a);
/*
 * The next rows of the chunk pushed first, valid until the next call: how many,
 * 0 at its end, or -errno, which is its end too. births as in
 * zsr_chunk_decoder_read().
 */
int zsr_ahead_pop(struct zsr_ahead *a, const struct zsr_event **ev,
		  const uint64_t **births, struct zsr_err *err);

#endif
