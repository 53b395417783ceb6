/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Chunks: up to 65536 events as compressed columns in one blob. The layout is
 * described in zsr-db(5).
 */
#ifndef ZSR_DB_CHUNK_H
#define ZSR_DB_CHUNK_H

#include "base/base.h"
#include "db/live.h"
#include "event/event.h"

#define ZSR_CHUNK_EVENTS 32768 /* what the writer makes */
#define ZSR_CHUNK_MAX    65536 /* what a reader accepts */

/* What is known of a chunk without its blob. */
struct zsr_chunk_info {
	uint64_t first_obj; /* of its first malloc, were there one */
	uint64_t t_min;
	uint64_t t_max;
	uint64_t cpus; /* bit per cpu; bit 63: 63 and above */
	uint32_t nr;
	uint32_t nr_mallocs;
	uint32_t nr_frees;
	uint32_t kinds; /* bit per kind */
	uint32_t task_min;
	uint32_t task_max;
};

static inline uint64_t zsr_chunk_cpu_bit(unsigned cpu)
{
	return 1ull << zsr_min(cpu, 63u);
}

/* ---- encoding (chunk_encode.c) --------------------------------------------- */

struct zsr_chunk_encoder;

struct zsr_chunk_encoder *zsr_chunk_encoder_new(void);
void zsr_chunk_encoder_free(struct zsr_chunk_encoder *enc);
/*
 * Encode n (1 to ZSR_CHUNK_MAX) events whose first malloc is number FIRST_OBJ
 * and fill *info. The events must be what zsr_writer_add() accepts. *blob
 * belongs to the encoder and lives until its next call.
 */
int zsr_chunk_encode(struct zsr_chunk_encoder *enc, const struct zsr_event *ev,
		     size_t n, uint64_t first_obj, struct zsr_chunk_info *info,
		     const void **blob, size_t *len, struct zsr_err *err);

/* ---- decoding (chunk_decode.c, chunk_rows.c) ------------------------------- */

/*
 * What of events is wanted beside t_ns, cpu, kind and the number of the object
 * that a malloc makes. All else is not looked at and as if it was not known.
 */
#define ZSR_WANT_TASK  (1u << 0)
#define ZSR_WANT_DUR   (1u << 1)
#define ZSR_WANT_GFP   (1u << 2)
#define ZSR_WANT_REST  (1u << 3) /* pool, caller, flags, aux, cgroup, slot */
#define ZSR_WANT_SIZE  (1u << 4) /* as stored: that of mallocs */
#define ZSR_WANT_FREED (1u << 5) /* objects of frees */
#define ZSR_WANT_ALL   ((1u << 6) - 1)

struct zsr_chunk_decoder;

/* nr_tasks and nr_pools bound what events may name. */
struct zsr_chunk_decoder *zsr_chunk_decoder_new(uint32_t nr_tasks,
						uint32_t nr_pools);
void zsr_chunk_decoder_free(struct zsr_chunk_decoder *dec);
/* ZSR_WANT_ALL if never told otherwise; from the next chunk on. */
void zsr_chunk_decoder_want(struct zsr_chunk_decoder *dec, unsigned want);
/*
 * Start on a blob, which must stay until the chunk is read, and check that it
 * is what *info says. The checksum was checked by the caller.
 */
int zsr_chunk_decoder_start(struct zsr_chunk_decoder *dec, const void *blob,
			    size_t len, const struct zsr_chunk_info *info,
			    struct zsr_err *err);
/*
 * The next events, at most max, 0 at the end of the chunk. Objects are born
 * and die in OBJECTS, which gives frees their size (NULL: sizes of frees stay
 * 0; it needs FREED and SIZE). births, unless NULL, gets the birth of each
 * freed object if OBJECTS keeps them; UINT64_MAX for other events.
 */
int zsr_chunk_decoder_read(struct zsr_chunk_decoder *dec,
			   struct zsr_live *objects, struct zsr_event *ev,
			   uint64_t *births, size_t max, struct zsr_err *err);

#endif
