/* SPDX-License-Identifier: GPL-2.0-only */
/* A chunk while it is read: parsed by chunk_decode.c, made into events by
 * chunk_rows.c, its columns read by chunk_numbers.c. */
#ifndef ZSR_DB_CHUNK_DECODER_H
#define ZSR_DB_CHUNK_DECODER_H

#include <zstd.h>

#include "db/chunk.h"
#include "db/columns.h"
#include "db/ticks.h"

#define ZSR_ROWS_BATCH 256 /* rows made at once; their columns stay in L1 */

struct zsr_column {
	const uint8_t *plane[8];
	uint64_t base; /* the value itself when width is 0 */
	uint64_t scale;
	uint64_t max; /* no value is larger; UINT64_MAX: unknown */
	uint64_t *dict; /* NULL: none; else one plane of numbers */
	const uint8_t *bits; /* NULL: none; else below one plane of tokens */
	size_t nr_bytes; /* of them */
	uint64_t at; /* the next bit */
	uint8_t width;
};

struct zsr_chunk_decoder {
	ZSTD_DCtx *zstd;
	uint8_t *arena; /* unpacked planes; pages untouched are free */
	size_t used;
	uint64_t *dicts; /* ZSR_DICT_MAX for each column */
	uint32_t nr_tasks;
	uint32_t nr_pools;
	unsigned want; /* ZSR_WANT_* */

	const uint8_t *p; /* the blob while it is parsed */
	const uint8_t *end;
	struct zsr_column col[ZSR_NR_COLUMNS];
	uint64_t t_min;
	uint64_t t_max;
	struct zsr_ticks ticks;
	/* What rows of a kind have in common; obj: 0 for mallocs, to be set. */
	struct zsr_event like[ZSR_EV_NR];
	uint8_t mode;
	uint32_t nr;
	uint32_t nr_mallocs;
	uint32_t nr_frees;

	uint32_t pos; /* read so far: all, mallocs, frees */
	uint32_t malloc_pos;
	uint32_t free_pos;
	uint64_t t;
	uint64_t tick;
	int64_t rest; /* ns of t beside the tick */
	uint64_t next_obj;
	struct zsr_cpu_past past[ZSR_CPU_PASTS];
};

/* What planes without a byte in the blob point to. */
extern const uint8_t zsr_zero_plane[ZSR_CHUNK_MAX];

/* Values [from, from + n) of a column; those in front were read before. */
void zsr_column_read(struct zsr_column *c, size_t from, size_t n,
		     uint64_t *restrict out);
/* Likewise, of at most ZSR_ROWS_BATCH that must not exceed LIMIT; false when
 * one does. */
bool zsr_column_read_u32(struct zsr_column *c, size_t from, size_t n,
			 uint32_t limit, uint32_t *restrict out);
/* All of them are 0, as far as can be told at once: of guesses, that they were
 * right. */
bool zsr_column_is_zero(const struct zsr_column *c, size_t from, size_t n);
/* Once all columns are parsed; false when a value is out of range. */
bool zsr_chunk_rows_start(struct zsr_chunk_decoder *dec);
/* The next n (at most ZSR_ROWS_BATCH, and no more than are left) events. */
int zsr_chunk_rows(struct zsr_chunk_decoder *dec, struct zsr_live *objects,
		   struct zsr_event *ev, uint64_t *births, size_t n,
		   struct zsr_err *err);

#endif
