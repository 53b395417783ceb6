// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs an op sequence through an engine. What happens goes to the writers of
 * run_files.c; without them only the engine's final state is left.
 */
#include <stdlib.h>
#include <string.h>

#include "replay/engine/run.h"

enum id_state { ID_LIVE, ID_QUEUED, ID_FREED, ID_REFUSED };

static const char *const state_text[] = { "is live", "is queued to be freed",
					  "was freed", "was refused" };

/* ---- what the engine tells ------------------------------------------- */

static void on_new(void *ctx, const struct zsr_zspage *z, uint64_t pages)
{
	struct zsr_run_state *r = ctx;

	r->zspage_event = true;
	zsr_files_event(r, "new", z, pages);
}

static void on_free(void *ctx, const struct zsr_zspage *z, uint64_t pages)
{
	zsr_files_event(ctx, "free", z, pages);
}

static void on_moved(void *ctx, zsr_handle h, struct zsr_zspage *from,
		     struct zsr_zspage *to)
{
	struct zsr_run_state *r = ctx;

	if (zsr_grow(&r->moved, &r->moved_cap, r->nr_moved + 1,
		     sizeof(*r->moved))) {
		r->nomem = true;
		return;
	}
	r->moved[r->nr_moved++] = r->id_of[h];
}

/* ---- ids --------------------------------------------------------------- */

static int bad_id(struct zsr_run_state *r, uint64_t id, const char *wanted,
		  struct zsr_err *err)
{
	if (id >= r->nr_ids)
		return zsr_seq_error(&r->seq, err, "id %llu was never made",
				     (unsigned long long)id);
	return zsr_seq_error(&r->seq, err, "id %llu %s%s",
			     (unsigned long long)id,
			     state_text[r->ids[id].state], wanted);
}

static bool id_is(const struct zsr_run_state *r, uint64_t id,
		  enum id_state state)
{
	return id < r->nr_ids && r->ids[id].state == state;
}

static int new_id(struct zsr_run_state *r, uint64_t id, struct zsr_err *err)
{
	if (id < r->nr_ids)
		return bad_id(r, id, ": ids are not used twice", err);
	if (id > r->nr_ids)
		return zsr_seq_error(&r->seq, err, "id %llu where %llu is next",
				     (unsigned long long)id,
				     (unsigned long long)r->nr_ids);
	if (id >= UINT32_MAX)
		return zsr_seq_error(&r->seq, err, "too many ids");
	if (zsr_grow(&r->ids, &r->ids_cap, id + 1, sizeof(*r->ids)))
		return zsr_err_nomem(err, "table of ids");
	r->ids[id] = (struct zsr_run_id){ .state = ID_REFUSED };
	r->nr_ids++;
	return 0;
}

static int note_handle(struct zsr_run_state *r, uint32_t id, zsr_handle h,
		       struct zsr_err *err)
{
	if (zsr_grow(&r->id_of, &r->id_of_cap, (size_t)h + 1, sizeof(*r->id_of)))
		return zsr_err_nomem(err, "table of handles");
	r->id_of[h] = id;
	r->ids[id].handle = h;
	r->ids[id].state = ID_LIVE;
	zsr_engine_place(r->engine, h, &r->ids[id].place);
	return 0;
}

/* ---- the ops ----------------------------------------------------------- */

static int do_malloc(struct zsr_run_state *r, const struct zsr_seq_op *op,
		     struct zsr_err *err)
{
	zsr_handle h;
	int ret = new_id(r, op->id, err);

	if (ret)
		return ret;
	r->zspage_event = false;
	ret = zsr_engine_malloc(r->engine, op->size, &h);
	if (ret == -ENOMEM && op->size && op->size <= r->page_size)
		return zsr_err_nomem(err, "engine");
	if (ret) {
		zsr_files_refused(r, op->id, ret);
		return 0;
	}
	ret = note_handle(r, (uint32_t)op->id, h, err);
	if (ret)
		return ret;
	zsr_files_place(r, 'm', op->id, &r->ids[op->id].place, r->zspage_event,
			0);
	return 0;
}

static void free_id(struct zsr_run_state *r, char kind, uint32_t id)
{
	struct zsr_place place;
	bool released;

	zsr_engine_place(r->engine, r->ids[id].handle, &place);
	released = zsr_engine_free(r->engine, r->ids[id].handle);
	r->ids[id].state = ID_FREED;
	zsr_files_place(r, kind, id, &place, released, 0);
}

static int do_free(struct zsr_run_state *r, const struct zsr_seq_op *op,
		   struct zsr_err *err)
{
	if (!id_is(r, op->id, ID_LIVE))
		return bad_id(r, op->id, " and cannot be freed", err);
	free_id(r, 'f', (uint32_t)op->id);
	return 0;
}

static int do_queue(struct zsr_run_state *r, const struct zsr_seq_op *op,
		    struct zsr_err *err)
{
	if (!id_is(r, op->id, ID_LIVE))
		return bad_id(r, op->id, " and cannot be queued", err);
	if (zsr_grow(&r->queue, &r->queue_cap, r->queue_tail + 1,
		     sizeof(*r->queue)))
		return zsr_err_nomem(err, "queue of frees");
	r->queue[r->queue_tail++] = (uint32_t)op->id;
	r->ids[op->id].state = ID_QUEUED;
	return 0;
}

static int do_drain(struct zsr_run_state *r, const struct zsr_seq_op *op,
		    struct zsr_err *err)
{
	size_t n = r->queue_tail - r->queue_head;

	if (op->id > n)
		return zsr_seq_error(&r->seq, err,
				     "%llu frees wanted of a queue of %zu",
				     (unsigned long long)op->id, n);
	for (n = op->id ? op->id : n; n; n--)
		free_id(r, 'd', r->queue[r->queue_head++]);
	if (r->queue_head == r->queue_tail)
		r->queue_head = r->queue_tail = 0;
	return 0;
}

static int do_lock(struct zsr_run_state *r, const struct zsr_seq_op *op,
		   struct zsr_err *err)
{
	struct zsr_run_id *id;
	struct zsr_zspage *z;
	struct zsr_place place;
	unsigned page;
	bool locked;

	if (!id_is(r, op->id, ID_LIVE) && !id_is(r, op->id, ID_QUEUED))
		return bad_id(r, op->id, " and lies in no page", err);
	id = &r->ids[op->id];
	z = zsr_engine_handle_zspage(r->engine, id->handle);
	zsr_engine_place(r->engine, id->handle, &place);
	page = place.obj = (unsigned)(op->size % zsr_zspage_pages(z));
	locked = zsr_engine_page_trylock(r->engine, z, page);
	if (locked && id->locked)
		return zsr_seq_error(&r->seq, err,
				     "id %llu holds a page lock already",
				     (unsigned long long)op->id);
	if (locked) {
		id->locked = z;
		id->locked_page = page;
	}
	zsr_files_place(r, 'l', op->id, &place, false, locked ? 0 : -EBUSY);
	return 0;
}

static int do_unlock(struct zsr_run_state *r, const struct zsr_seq_op *op,
		     struct zsr_err *err)
{
	struct zsr_run_id *id;

	if (op->id >= r->nr_ids)
		return bad_id(r, op->id, "", err);
	id = &r->ids[op->id];
	if (id->locked)
		zsr_engine_page_unlock(r->engine, id->locked, id->locked_page);
	id->locked = NULL;
	return 0;
}

static int do_worker(struct zsr_run_state *r, struct zsr_err *err)
{
	zsr_engine_run_worker(r->engine);
	if (zsr_engine_worker_scheduled(r->engine))
		return zsr_seq_error(&r->seq, err,
				     "the worker would wait for ever: a page "
				     "of an empty zspage is locked");
	return 0;
}

static int by_id(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Ids that are elsewhere now; one may have moved there and back. */
static uint64_t note_moves(struct zsr_run_state *r)
{
	uint64_t moves = 0;
	size_t i;

	if (r->nr_moved)
		qsort(r->moved, r->nr_moved, sizeof(*r->moved), by_id);
	for (i = 0; i < r->nr_moved; i++) {
		struct zsr_run_id *id = &r->ids[r->moved[i]];
		struct zsr_place was = id->place;

		zsr_engine_place(r->engine, id->handle, &id->place);
		if (was.zspage == id->place.zspage && was.obj == id->place.obj)
			continue;
		zsr_files_move(r, r->moved[i], &id->place);
		moves++;
	}
	return moves;
}

static int do_compact(struct zsr_run_state *r, struct zsr_err *err)
{
	struct zsr_run_compact c = { .before = zsr_engine_pages(r->engine) };

	r->nr_moved = 0;
	c.freed = zsr_engine_compact(r->engine);
	if (r->nomem)
		return zsr_err_nomem(err, "list of moves");
	c.after = zsr_engine_pages(r->engine);
	c.moves = note_moves(r);
	zsr_files_compact(r, &c);
	return 0;
}

static int do_op(struct zsr_run_state *r, const struct zsr_seq_op *op,
		 struct zsr_err *err)
{
	switch (op->op) {
	case 'm':
		return do_malloc(r, op, err);
	case 'f':
		return do_free(r, op, err);
	case 'c':
		return do_compact(r, err);
	case 'q':
		return do_queue(r, op, err);
	case 'r':
		return do_drain(r, op, err);
	case 'l':
		return do_lock(r, op, err);
	case 'u':
		return do_unlock(r, op, err);
	}
	return do_worker(r, err);
}

/* ---- the run ----------------------------------------------------------- */

static int run_ops(struct zsr_run_state *r, const struct zsr_seq_run *run,
		   struct zsr_err *err)
{
	uint64_t every = run->checkpoint_every, last = 0;
	struct zsr_seq_op op;
	bool checkpoint;
	int ret;

	while ((ret = zsr_seq_next(&r->seq, &op, err)) > 0) {
		ret = do_op(r, &op, err);
		if (ret)
			return ret;
		checkpoint = op.op == 'c' ||
			     (every && r->seq.nr_ops % every == 0);
		if (checkpoint) {
			zsr_files_checkpoint(r);
			last = r->seq.nr_ops;
		}
		if (r->tap)
			ret = r->tap->op_done(r->tap->ctx, &op, r->seq.nr_ops,
					      checkpoint, err);
		if (ret)
			return ret;
	}
	if (!ret && last != r->seq.nr_ops)
		zsr_files_checkpoint(r);
	return ret;
}

static void state_free(struct zsr_run_state *r)
{
	free(r->ids);
	free(r->id_of);
	free(r->queue);
	free(r->moved);
	free(r);
}

int zsr_run_tapped(struct zsr_engine *e, const struct zsr_seq_run *run,
		   const struct zsr_run_tap *tap, struct zsr_err *err)
{
	struct zsr_run_state *r = calloc(1, sizeof(*r));
	int ret;

	if (!r)
		return zsr_err_nomem(err, "sequence");
	r->engine = e;
	r->tap = tap;
	r->page_size = e->page_size;
	ret = zsr_seq_open(&r->seq, run->sequence, err);
	if (ret)
		goto out;
	ret = zsr_files_open(r, run->dir, err);
	if (ret)
		goto out;
	zsr_engine_observe(
		e, &(struct zsr_engine_observer){ .ctx = r,
						  .zspage_new = on_new,
						  .zspage_free = on_free,
						  .moved = on_moved });
	ret = run_ops(r, run, err);
	ret = zsr_files_close(r, ret, err);
	zsr_engine_observe(e, &(struct zsr_engine_observer){ 0 });
out:
	zsr_seq_close(&r->seq);
	state_free(r);
	return ret;
}

int zsr_engine_run_sequence(struct zsr_engine *e, const struct zsr_seq_run *run,
			    struct zsr_err *err)
{
	return zsr_run_tapped(e, run, NULL, err);
}
