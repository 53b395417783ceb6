// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdlib.h>
#include <xxhash.h>

#include "db/reader.h"

#define MAX_BLOB (16u << 20) /* above what any chunk can take */

struct zsr_reader {
	struct zsr_db *db;
	int64_t trace;
	char name[128];
	unsigned want; /* ZSR_WANT_*, ZSR_READ_* */
	sqlite3_stmt *next;
	sqlite3_blob *blob;
	struct zsr_chunk_decoder *dec;
	struct zsr_live *objects;
	struct zsr_event *ev;
	uint64_t *births;
	void *buf;
	size_t cap;
	uint64_t nr_events; /* of the whole trace */
	uint64_t seen; /* in the chunks so far */
	uint64_t next_obj;
	uint64_t t_max;
	uint32_t nr_chunks; /* so far; the current one is the last */
	struct zsr_chunk_info info;
	uint64_t xxh3;
	bool started; /* the current chunk's blob is being read */
	bool done; /* ... and was read to its end */
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
	sqlite3_finalize(r->next);
	sqlite3_blob_close(r->blob);
	zsr_chunk_decoder_free(r->dec);
	zsr_live_free(r->objects);
	free(r->ev);
	free(r->births);
	free(r->buf);
	free(r);
}

int zsr_reader_in_chunk(const struct zsr_reader *r, int ret, struct zsr_err *err)
{
	if (ret >= 0)
		return ret;
	return zsr_err_wrap(err, ret, "trace '%s': chunk %u", r->name,
			    r->nr_chunks - 1);
}

/* The blob of the current chunk into r->buf; its length or -errno. */
static int64_t load_blob(struct zsr_reader *r, struct zsr_err *err)
{
	int64_t id = r->trace << 32 | (r->nr_chunks - 1);
	int rc, len;

	rc = r->blob ? sqlite3_blob_reopen(r->blob, id)
		     : sqlite3_blob_open(r->db->sql, "main", "chunk", "data",
					 id, 0, &r->blob);
	if (rc)
		return zsr_sql_error(r->db, rc, err);
	len = sqlite3_blob_bytes(r->blob);
	if ((unsigned)len > MAX_BLOB)
		return zsr_err_input(err, "it is too large");
	if (zsr_grow(&r->buf, &r->cap, (size_t)len, 1))
		return zsr_err_nomem(err, "chunk");
	rc = sqlite3_blob_read(r->blob, r->buf, len, 0);
	if (rc)
		return zsr_sql_error(r->db, rc, err);
	if (XXH3_64bits(r->buf, (size_t)len) != r->xxh3)
		return zsr_err_input(err, "its checksum is wrong");
	return len;
}

static int start_chunk(struct zsr_reader *r, struct zsr_err *err)
{
	int64_t len = load_blob(r, err);

	/* An open blob is a read transaction; do not hold one. */
	sqlite3_blob_close(r->blob);
	r->blob = NULL;
	if (len < 0)
		return (int)len;
	r->started = true;
	return zsr_chunk_decoder_start(r->dec, r->buf, (size_t)len, &r->info,
				       err);
}

int zsr_reader_rows(struct zsr_reader *r, const struct zsr_event **ev,
		    const uint64_t **births, struct zsr_err *err)
{
	int ret = 0;

	if (!r->started)
		ret = start_chunk(r, err);
	if (!ret)
		ret = zsr_chunk_decoder_read(r->dec, r->objects, r->ev,
					     r->births, ZSR_READER_ROWS, err);
	if (!ret)
		r->done = true;
	*ev = r->ev;
	if (births)
		*births = r->births;
	return zsr_reader_in_chunk(r, ret, err);
}

/* Sizes of later frees need the mallocs of a chunk that is left. */
static int leave_chunk(struct zsr_reader *r, struct zsr_err *err)
{
	const struct zsr_event *ev;
	int ret = 0;

	if (r->nr_chunks && r->objects && !r->done)
		do
			ret = zsr_reader_rows(r, &ev, NULL, err);
		while (ret > 0);
	r->started = false;
	r->done = false;
	return ret;
}

static int read_info(struct zsr_reader *r, struct zsr_err *err)
{
	struct zsr_chunk_info *c = &r->info;
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
	r->xxh3 = v[10];
	if (c->first_obj != r->next_obj || c->t_min < r->t_max)
		return zsr_err_input(err, "it does not follow the one before");
	r->next_obj += c->nr_mallocs;
	r->t_max = c->t_max;
	r->seen += c->nr;
	return 0;
}

uint64_t zsr_reader_first_row(const struct zsr_reader *r)
{
	return r->seen - r->info.nr;
}

int zsr_reader_chunk(struct zsr_reader *r, const struct zsr_chunk_info **info,
		     struct zsr_err *err)
{
	int64_t first = r->trace << 32, id;
	int ret = leave_chunk(r, err);

	if (ret)
		return ret;
	zsr_sql_bind(r->next, "ii", first + r->nr_chunks, first + UINT32_MAX);
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
	r->nr_chunks++;
	ret = id == first + r->nr_chunks - 1
		      ? read_info(r, err)
		      : zsr_err_input(err, "it is missing");
	sqlite3_reset(r->next);
	*info = &r->info;
	return ret ? zsr_reader_in_chunk(r, ret, err) : 1;
}
