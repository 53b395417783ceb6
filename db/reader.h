/* SPDX-License-Identifier: GPL-2.0-only */
/* Chunk by chunk through a trace; under the cursor and the virtual table. */
#ifndef ZSR_DB_READER_H
#define ZSR_DB_READER_H

#include "db/chunk.h"
#include "db/private.h"

#define ZSR_READER_ROWS 1024 /* at once */

struct zsr_reader;

/* Beside ZSR_WANT_*, of the objects that frees free: their size, their birth.
 * Without either, chunks that are skipped cost nothing. */
#define ZSR_READ_SIZES  (1u << 16)
#define ZSR_READ_BIRTHS (1u << 17)

int zsr_reader_open(struct zsr_db *db, int64_t trace, unsigned want,
		    struct zsr_reader **r, struct zsr_err *err);
void zsr_reader_close(struct zsr_reader *r);
/* On to the next chunk: 1 with *info set, 0 after the last one, -errno. */
int zsr_reader_chunk(struct zsr_reader *r, const struct zsr_chunk_info **info,
		     struct zsr_err *err);
/* The number in the trace of the chunk's first event. */
uint64_t zsr_reader_first_row(const struct zsr_reader *r);
/*
 * The next rows of the chunk, at most ZSR_READER_ROWS and 0 at its end; *births as in
 * zsr_chunk_decoder_read(). A chunk that is left before its end is skipped: its
 * blob is only read when sizes are wanted.
 */
int zsr_reader_rows(struct zsr_reader *r, const struct zsr_event **ev,
		    const uint64_t **births, struct zsr_err *err);
/* RET; a negative one with the trace and the current chunk put in front of its
 * error. */
int zsr_reader_in_chunk(const struct zsr_reader *r, int ret,
			struct zsr_err *err);

#endif
