/* SPDX-License-Identifier: GPL-2.0-only */
/* A chunk while it is written: events made into columns of numbers by
 * chunk_encode.c, those into bytes by chunk_columns.c. */
#ifndef ZSR_DB_CHUNK_ENCODER_H
#define ZSR_DB_CHUNK_ENCODER_H

#include <zstd.h>

#include "db/chunk.h"
#include "db/columns.h"
#include "db/ticks.h"

struct zsr_chunk_encoder {
	ZSTD_CCtx *zstd;
	uint64_t *column[ZSR_NR_COLUMNS + 2]; /* ZSR_CHUNK_MAX values each */
	size_t nr[ZSR_NR_COLUMNS + 2];
	uint8_t *plane; /* ZSR_CHUNK_MAX bytes */
	size_t bytes[ZSR_NR_COLUMNS]; /* each took of the blob */
	uint8_t *out;
	size_t len;
	size_t cap;

	struct zsr_ticks ticks; /* of the chunk before */
	unsigned searches; /* for ticks, that found none */

	/* The events so far. */
	uint64_t t_ns;
	uint64_t newest; /* object */
	uint64_t sum_step, sum_back; /* bits of what frees are told by */
	struct zsr_cpu_past past[ZSR_CPU_PASTS];
};

/* Beside the blob's columns: the other way to tell objects of frees, and room
 * for what a sparse column is split into. */
enum {
	ZSR_COL_FREE_BACK = ZSR_NR_COLUMNS,
	ZSR_COL_GAPS,
};

/* The two halves of zsr_chunk_encode(): numbers, and what they take. */
void zsr_chunk_columns(struct zsr_chunk_encoder *enc,
		       const struct zsr_event *ev, size_t n, uint64_t first_obj,
		       struct zsr_chunk_info *info);
int zsr_chunk_blob(struct zsr_chunk_encoder *enc,
		   const struct zsr_chunk_info *info,
		   const struct zsr_event *ev, struct zsr_err *err);

void zsr_put_byte(struct zsr_chunk_encoder *enc, uint8_t b);
void zsr_put_varint(struct zsr_chunk_encoder *enc, uint64_t v);
/* The numbers of column COL, which it changes, to the end of the blob. */
int zsr_put_column(struct zsr_chunk_encoder *enc, unsigned col,
		   struct zsr_err *err);
/* A column of which every number is VALUE. */
void zsr_put_const(struct zsr_chunk_encoder *enc, uint64_t value);

#endif
