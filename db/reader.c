// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdlib.h>

#include "db/ahead.h"
#include "db/reader.h"

_Static_assert(ZSR_AHEAD_ROWS <= ZSR_READER_ROWS, "a user's room for rows");

#define MAX_BLOB (16u << 20) /* above what any chunk can take */

/* A chunk's row. */
struct place {
	struct zsr_chunk_info info;
	uint64_t xxh3;
	uint64_t first_row; /* of the trace, its first event */
	uint32_t nr;
	bool pushed; /* its blob is with the thread */
};

struct zsr_reader {
	struct zsr_db *db;
	int64_t trace;
	char name[128];
	unsigned want; /* ZSR_WANT_*, ZSR_READ_* */
	sqlite3_stmt *next;
	sqlite3_blob *sql_blob;
	struct zsr_chunk_decoder *dec;
	struct zsr_live *objects;
	struct zsr_ahead *ahead; /* once a chunk was read to its end */
	struct zsr_blob blob; /* without a thread: of the current chunk */
	struct zsr_event *ev;
	uint64_t *births;
	uint64_t nr_events; /* of the whole trace */
	uint64_t seen; /* in the rows so far */
	uint64_t next_obj;
	uint64_t t_max;
	uint32_t nr_places; /* rows so far */
	struct place place; /* the current chunk */
	struct place coming; /* the next one, if it is known yet */
	bool has_place;
	bool has_coming;
	bool tried_ahead;
	bool started; /* rows of the current chunk were asked for */
	bool done; /* ... and there are no more */
	bool run_through; /* so was the one before */
};

static int prepare(struct zsr_reader *r, struct zsr_err *err)
{
	uint32_t nr_tasks = 0, nr_pools = 0;
	sqlite3_stmt *stmt;
	int ret = zsr_sql_prepare(r->db, &stmt,
				  "SELECT name, nr_tasks, nr_pools, nr_events "
				  "FROM trace WHERE id = ?",
				  err);

	if (ret)
		return ret;
	zsr_sql_bind(stmt, "i", r->trace);
	ret = zsr_sql_step(r->db, stmt, err);
	if (ret == 1) {
		zsr_sql_text(stmt, 0, r->name, sizeof(r->name));
		nr_tasks = (uint32_t)sqlite3_column_int64(stmt, 1);
		nr_pools = (uint32_t)sqlite3_column_int64(stmt, 2);
		r->nr_events = (uint64_t)sqlite3_column_int64(stmt, 3);
	}
	sqlite3_finalize(stmt);
	if (ret == 0)
		return zsr_err_input(err, "no trace with id %" PRId64, r->trace);
	if (ret < 0)
		return ret;
	r->dec = zsr_chunk_decoder_new(nr_tasks, nr_pools);
	if (!r->dec)
		return zsr_err_nomem(err, "decoder");
	zsr_chunk_decoder_want(r->dec, r->want);
	return zsr_sql_prepare(
		r->db, &r->next,
		"SELECT id, events, mallocs, frees, first_obj, t_min, t_max, "
		"task_min, task_max, kinds, cpus, xxh3 FROM chunk "
		"WHERE id >= ? AND id <= ? ORDER BY id LIMIT 1",
		err);
}

/* For sizes and births of what frees free. */
static int follow_objects(struct zsr_reader *r, struct zsr_err *err)
{
	bool births = r->want & ZSR_READ_BIRTHS;

	if (!(r->want & (ZSR_READ_SIZES | ZSR_READ_BIRTHS)))
		return 0;
	r->want |= ZSR_WANT_SIZE | ZSR_WANT_FREED;
	r->objects = zsr_live_new(births);
	if (births)
		r->births = malloc(ZSR_READER_ROWS * sizeof(*r->births));
	if (!r->objects || (births && !r->births))
		return zsr_err_nomem(err, "reader");
	return 0;
}

int zsr_reader_open(struct zsr_db *db, int64_t trace, unsigned want,
		    struct zsr_reader **out, struct zsr_err *err)
{
	struct zsr_reader *r = calloc(1, sizeof(*r));
	int ret = 0;

	*out = NULL;
	if (!r)
		return zsr_err_nomem(err, "reader");
	r->db = db;
	r->trace = trace;
	r->want = want;
	r->ev = malloc(ZSR_READER_ROWS * sizeof(*r->ev));
	if (!r->ev)
		ret = zsr_err_nomem(err, "reader");
	if (!ret)
		ret = follow_objects(r, err);
	if (!ret)
		ret = prepare(r, err);
	if (ret) {
		zsr_reader_close(r);
		return ret;
	}
	*out = r;
	return 0;
}

void zsr_reader_close(struct zsr_reader *r)
{
	if (!r)
		return;
	zsr_ahead_stop(r->ahead);
	sqlite3_finalize(r->next);
	sqlite3_blob_close(r->sql_blob);
	zsr_chunk_decoder_free(r->dec);
	zsr_live_free(r->objects);
	free(r->ev);
	free(r->births);
	free(r->blob.data);
	free(r);
}

static int in_chunk(const struct zsr_reader *r, uint32_t nr, int ret,
		    struct zsr_err *err)
{
	if (ret >= 0)
		return ret;
	return zsr_err_wrap(err, ret, "trace '%s': chunk %u", r->name, nr);
}

int zsr_reader_in_chunk(const struct zsr_reader *r, int ret, struct zsr_err *err)
{
	return in_chunk(r, r->place.nr, ret, err);
}

/* ---- blobs ------------------------------------------------------------------- */

static int read_blob(struct zsr_reader *r, struct zsr_blob *b,
		     struct zsr_err *err)
{
	int rc, len = sqlite3_blob_bytes(r->sql_blob);

	if ((unsigned)len > MAX_BLOB)
		return zsr_err_input(err, "it is too large");
	if (zsr_grow(&b->data, &b->cap, (size_t)len + 1, 1))
		return zsr_err_nomem(err, "chunk");
	b->len = (size_t)len;
	rc = sqlite3_blob_read(r->sql_blob, b->data, len, 0);
	return rc ? zsr_sql_error(r->db, rc, err) : 0;
}

static int load_blob(struct zsr_reader *r, const struct place *p,
		     struct zsr_blob *b, struct zsr_err *err)
{
	int rc = sqlite3_blob_open(r->db->sql, "main", "chunk", "data",
				   r->trace << 32 | p->nr, 0, &r->sql_blob);
	int ret = rc ? zsr_sql_error(r->db, rc, err) : read_blob(r, b, err);

	/* An open blob is a read transaction; do not hold one. */
	sqlite3_blob_close(r->sql_blob);
	r->sql_blob = NULL;
	b->xxh3 = p->xxh3;
	b->info = p->info;
	return ret;
}

static int push(struct zsr_reader *r, struct place *p, struct zsr_err *err)
{
	int ret = load_blob(r, p, zsr_ahead_blob(r->ahead), err);

	if (ret)
		return ret;
	zsr_ahead_push(r->ahead);
	p->pushed = true;
	return 0;
}

/* ---- rows of the table chunk --------------------------------------------------- */

static int read_info(struct zsr_reader *r, struct place *p, struct zsr_err *err)
{
	struct zsr_chunk_info *c = &p->info;
	uint64_t v[11];
	unsigned i;

	for (i = 0; i < ZSR_ARRAY_SIZE(v); i++)
		v[i] = (uint64_t)sqlite3_column_int64(r->next, (int)i + 1);
	if (v[0] == 0 || v[0] > ZSR_CHUNK_MAX || v[1] > v[0] || v[2] > v[0] ||
	    v[6] > UINT32_MAX || v[7] > UINT32_MAX || v[8] > UINT32_MAX)
		return zsr_err_input(err, "its row makes no sense");
	*c = (struct zsr_chunk_info){
		.nr = (uint32_t)v[0],
		.nr_mallocs = (uint32_t)v[1],
		.nr_frees = (uint32_t)v[2],
		.first_obj = v[3],
		.t_min = v[4],
		.t_max = v[5],
		.task_min = (uint32_t)v[6],
		.task_max = (uint32_t)v[7],
		.kinds = (uint32_t)v[8],
		.cpus = v[9],
	};
	p->xxh3 = v[10];
	if (c->first_obj != r->next_obj || c->t_min < r->t_max)
		return zsr_err_input(err, "it does not follow the one before");
	p->first_row = r->seen;
	r->next_obj += c->nr_mallocs;
	r->t_max = c->t_max;
	r->seen += c->nr;
	return 0;
}

/* The next chunk's: 1, 0 after the last, -errno. What failed fails again. */
static int read_place(struct zsr_reader *r, struct place *p, struct zsr_err *err)
{
	int64_t first = r->trace << 32, id;
	int ret;

	*p = (struct place){ .nr = r->nr_places };
	zsr_sql_bind(r->next, "ii", first + p->nr, first + UINT32_MAX);
	ret = zsr_sql_step(r->db, r->next, err);
	if (ret < 0)
		return ret;
	if (ret == 0) {
		if (r->seen == r->nr_events)
			return 0;
		return zsr_err_input(err,
				     "trace '%s': %" PRIu64
				     " events of %" PRIu64 " are there",
				     r->name, r->seen, r->nr_events);
	}
	id = sqlite3_column_int64(r->next, 0);
	ret = id == first + p->nr ? read_info(r, p, err)
				  : zsr_err_input(err, "it is missing");
	sqlite3_reset(r->next);
	if (ret)
		return in_chunk(r, p->nr, ret, err);
	r->nr_places++;
	return 1;
}

/* ---- reading -------------------------------------------------------------------- */

/* Give the thread what comes after the current chunk. An error in it shows when
 * that is the current one. */
static void look_ahead(struct zsr_reader *r)
{
	struct zsr_err later = { 0 };

	if (!r->has_coming)
		r->has_coming = read_place(r, &r->coming, &later) == 1;
	if (r->has_coming && !r->coming.pushed)
		push(r, &r->coming, &later);
}

static int start_chunk(struct zsr_reader *r, struct zsr_err *err)
{
	int ret = 0;

	r->started = true;
	if (r->run_through && !r->tried_ahead) {
		r->tried_ahead = true;
		r->ahead = zsr_ahead_start(r->dec, r->objects, r->births);
	}
	if (r->ahead) {
		if (!r->place.pushed)
			ret = push(r, &r->place, err);
		if (!ret)
			look_ahead(r);
		return ret;
	}
	ret = load_blob(r, &r->place, &r->blob, err);
	return ret ? ret : zsr_blob_start(&r->blob, r->dec, err);
}

int zsr_reader_rows(struct zsr_reader *r, const struct zsr_event **ev,
		    const uint64_t **births, struct zsr_err *err)
{
	const uint64_t *b = r->births;
	int ret = 0;

	if (!r->started)
		ret = start_chunk(r, err);
	*ev = r->ev;
	if (!ret && r->ahead)
		ret = zsr_ahead_pop(r->ahead, ev, &b, err);
	else if (!ret)
		ret = zsr_chunk_decoder_read(r->dec, r->objects, r->ev,
					     r->births, ZSR_READER_ROWS, err);
	if (ret <= 0)
		r->done = true;
	if (births)
		*births = b;
	return zsr_reader_in_chunk(r, ret, err);
}

/* Sizes of later frees need the mallocs of a chunk that is left; what the
 * thread makes of it has to go. */
static int leave_chunk(struct zsr_reader *r, struct zsr_err *err)
{
	const struct zsr_event *ev;
	struct zsr_err unread;
	const uint64_t *births;
	int ret = 0;

	if (r->has_place && !r->done) {
		if (r->objects)
			do
				ret = zsr_reader_rows(r, &ev, NULL, err);
			while (ret > 0);
		else if (r->place.pushed)
			while (zsr_ahead_pop(r->ahead, &ev, &births, &unread) > 0)
				;
	}
	r->run_through = r->done;
	r->started = false;
	r->done = false;
	return ret;
}

uint64_t zsr_reader_first_row(const struct zsr_reader *r)
{
	return r->place.first_row;
}

int zsr_reader_chunk(struct zsr_reader *r, const struct zsr_chunk_info **info,
		     struct zsr_err *err)
{
	int ret = leave_chunk(r, err);

	if (ret)
		return ret;
	if (r->has_coming) {
		r->place = r->coming;
		r->has_coming = false;
	} else {
		ret = read_place(r, &r->place, err);
		if (ret != 1)
			return ret;
	}
	r->has_place = true;
	*info = &r->place.info;
	return 1;
}
