/* SPDX-License-Identifier: GPL-2.0-only */
/* The run of an op sequence: its state, and the files it writes. */
#ifndef ZSR_ENGINE_RUN_H
#define ZSR_ENGINE_RUN_H

#include "replay/engine/internal.h"
#include "replay/engine/seq.h"

struct zsr_run_id {
	struct zsr_place place; /* as far as the files know */
	struct zsr_zspage *locked; /* the zspage of its page lock */
	unsigned locked_page;
	zsr_handle handle;
	uint8_t state;
};

struct zsr_run_compact {
	uint64_t freed;
	uint64_t before;
	uint64_t after;
	uint64_t moves;
};

enum zsr_run_file {
	ZSR_FILE_EVENTS,
	ZSR_FILE_PLACEMENT,
	ZSR_FILE_MOVES,
	ZSR_FILE_COMPACT,
	ZSR_FILE_CHECKPOINTS,
	ZSR_NR_FILES
};

struct zsr_run_tap;

struct zsr_run_state {
	struct zsr_engine *engine;
	struct zsr_seq seq;
	unsigned page_size;

	struct zsr_run_id *ids;
	size_t nr_ids, ids_cap;
	uint32_t *id_of; /* by handle */
	size_t id_of_cap;
	uint32_t *queue; /* ids, head up to tail */
	size_t queue_head, queue_tail, queue_cap;

	bool zspage_event; /* in the op at hand */
	bool nomem;
	uint32_t *moved; /* ids, in the compaction at hand */
	size_t nr_moved, moved_cap;

	const struct zsr_run_tap *tap; /* or NULL */
	const char *dir; /* NULL: nothing is written */
	bool made_dir;
	FILE *file[ZSR_NR_FILES];
};

/* A row of one of the files, and of what a tap sees. */
#define ZSR_ROW_VALUES 18

struct zsr_run_row {
	enum zsr_run_file file;
	const char *kind; /* "new", "m": the column after the op, or NULL */
	unsigned nr;
	int64_t value[ZSR_ROW_VALUES]; /* the columns after these */
};

/*
 * Who follows a run beside the files, or instead: each row, then the op when
 * all its rows are out. An op that makes no sense is not seen; what op_done
 * returns other than 0 ends the run.
 */
struct zsr_run_tap {
	void *ctx;
	void (*row)(void *ctx, const struct zsr_run_row *row);
	int (*op_done)(void *ctx, const struct zsr_seq_op *op, uint64_t nr,
		       bool checkpoint, struct zsr_err *err);
};

/* zsr_engine_run_sequence() with a tap, which may be NULL. */
int zsr_run_tapped(struct zsr_engine *e, const struct zsr_seq_run *run,
		   const struct zsr_run_tap *tap, struct zsr_err *err);

/* run_files.c. Rows go nowhere when there is neither directory nor tap; what
 * could not be written comes to light at the close. */
int zsr_files_open(struct zsr_run_state *r, const char *dir,
		   struct zsr_err *err);
/* RET is how the run ended: 0 gives the files their names, else they go, and
 * a directory made for them. Returns RET or an error of its own. */
int zsr_files_close(struct zsr_run_state *r, int ret, struct zsr_err *err);

void zsr_files_event(struct zsr_run_state *r, const char *event,
		     const struct zsr_zspage *z, uint64_t pages);
void zsr_files_place(struct zsr_run_state *r, char kind, uint64_t id,
		     const struct zsr_place *place, bool zspage_event, int ret);
void zsr_files_refused(struct zsr_run_state *r, uint64_t id, int ret);
void zsr_files_move(struct zsr_run_state *r, uint64_t id,
		    const struct zsr_place *place);
void zsr_files_compact(struct zsr_run_state *r, const struct zsr_run_compact *c);
void zsr_files_checkpoint(struct zsr_run_state *r);
/* Name of the Ith value of a row of FILE into buf, which is returned. */
#define ZSR_COLUMN_LEN 32
const char *zsr_files_column(enum zsr_run_file file, enum zsr_group_rule groups,
			     unsigned i, char buf[ZSR_COLUMN_LEN]);

#endif
