// SPDX-License-Identifier: GPL-2.0-only
/* Writing one trace: events to chunks, rows to tables, all or nothing. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xxhash.h>

#include "db/alive.h"
#include "db/chunk.h"
#include "db/digest.h"
#include "db/private.h"
#include "db/tally.h"

#define LONG_TEXT 160 /* bytes of metadata from which it is packed */
#define MAX_TEXTS (64u << 20)

enum { ADD_CHUNK, ADD_TASK, ADD_MARK, ADD_POOL, ADD_META, ADD_ODD, NR_ADDS };

static const char *const add_sql[NR_ADDS] = {
	[ADD_CHUNK] = "INSERT INTO chunk (id, events, mallocs, frees, "
		      "first_obj, t_min, t_max, task_min, task_max, kinds, "
		      "cpus, xxh3, data) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
	[ADD_TASK] = "INSERT INTO task (trace, nr, pid, comm) "
		     "VALUES (?,?,?,?)",
	[ADD_MARK] = "INSERT INTO mark (trace, nr, text) VALUES (?,?,?)",
	[ADD_POOL] = "INSERT INTO pool (trace, nr, name) VALUES (?,?,?)",
	[ADD_META] = "INSERT OR REPLACE INTO meta (trace, key, value, at, len) "
		     "VALUES (?,?,?,?,?)",
	[ADD_ODD] = "INSERT OR REPLACE INTO odd (trace, key, value) "
		    "VALUES (?,?,?)",
};

struct zsr_writer {
	struct zsr_db *db;
	struct zsr_trace t;
	sqlite3_stmt *add[NR_ADDS];
	struct zsr_chunk_encoder *enc;
	struct zsr_alive objects;
	struct zsr_digest digest;
	struct zsr_event *ev; /* of the chunk being filled */
	size_t n;
	uint64_t nr_chunks;
	void (*watch)(uint64_t nr, uint64_t events, uint64_t bytes);
	uint64_t chunk_first_obj;
	struct zsr_tally tally;
	char *texts;
	size_t texts_len;
	size_t texts_cap;
	bool finished;
};

/* ---- begin ----------------------------------------------------------- */

static int insert_trace(struct zsr_writer *w, struct zsr_err *err)
{
	sqlite3_stmt *stmt;
	int ret = zsr_sql_prepare(
		w->db, &stmt,
		"INSERT INTO trace VALUES (NULL,?,'','','','','','',0,0,0,0,0,"
		"0,0,0,0,0,0,0,?,'" ZSR_VERSION "',NULL)",
		err);

	if (ret)
		return ret;
	ret = zsr_sql_run(w->db, stmt, err, "si", w->t.name,
			  (int64_t)time(NULL));
	sqlite3_finalize(stmt);
	w->t.id = sqlite3_last_insert_rowid(w->db->sql);
	if (!ret && w->t.id > INT32_MAX)
		ret = zsr_err_input(err, "the database is full");
	return ret;
}

int zsr_writer_begin(struct zsr_db *db, const struct zsr_trace *t,
		     struct zsr_writer **out, struct zsr_err *err)
{
	struct zsr_writer *w = calloc(1, sizeof(*w));
	unsigned i;
	int ret;

	*out = NULL;
	if (!w)
		return zsr_err_nomem(err, "writer");
	w->db = db;
	w->t = *t;
	w->enc = zsr_chunk_encoder_new();
	w->ev = malloc(ZSR_CHUNK_EVENTS * sizeof(*w->ev));
	zsr_digest_init(&w->digest);
	if (!w->enc || !w->ev) {
		ret = zsr_err_nomem(err, "writer");
		goto fail;
	}
	ret = zsr_db_begin(db, err);
	if (ret)
		goto fail;
	ret = t->name[0] ? zsr_trace_free_name(db, w->t.name, err)
			 : zsr_err_usage(err, "a trace needs a name");
	if (!ret)
		ret = insert_trace(w, err);
	for (i = 0; i < NR_ADDS && !ret; i++)
		ret = zsr_sql_prepare(db, &w->add[i], add_sql[i], err);
	if (!ret) {
		*out = w;
		return 0;
	}
fail:
	zsr_writer_abort(w);
	return ret;
}

/* ---- events ---------------------------------------------------------- */

static int flush_chunk(struct zsr_writer *w, struct zsr_err *err)
{
	struct zsr_chunk_info c;
	const void *blob;
	size_t len;
	int ret;

	if (!w->n)
		return 0;
	ret = zsr_chunk_encode(w->enc, w->ev, w->n, w->chunk_first_obj, &c,
			       &blob, &len, err);
	if (ret)
		return ret;
	ret = zsr_sql_run(w->db, w->add[ADD_CHUNK], err, "uuuuuuuuuuuub",
			  (uint64_t)w->t.id << 32 | w->nr_chunks, (uint64_t)c.nr,
			  (uint64_t)c.nr_mallocs, (uint64_t)c.nr_frees,
			  c.first_obj, c.t_min, c.t_max, (uint64_t)c.task_min,
			  (uint64_t)c.task_max, (uint64_t)c.kinds, c.cpus,
			  (uint64_t)XXH3_64bits(blob, len), blob, len);
	if (!ret && w->watch)
		w->watch(w->nr_chunks, w->n, len);
	w->n = 0;
	w->nr_chunks++;
	w->chunk_first_obj = w->objects.next;
	return ret;
}

/* Why an event cannot be the next one, NULL when it can. */
static const char *accept_event(struct zsr_writer *w, const struct zsr_event *ev)
{
	if (ev->t_ns < w->tally.last_ns)
		return "time goes backwards";
	if (ev->t_ns > INT64_MAX || ev->dur_ns > INT64_MAX ||
	    ev->aux > INT64_MAX)
		return "a number beyond 2^63";
	if (ev->caller >= ZSR_CALLER_NR)
		return "unknown caller";
	switch (ev->kind) {
	case ZSR_EV_MALLOC:
		if (ev->obj != w->objects.next)
			return "a malloc out of number";
		break;
	case ZSR_EV_FREE:
		if (ev->obj != ZSR_OBJ_NONE)
			return zsr_alive_take(&w->objects, ev->obj)
				       ? NULL
				       : "frees an object that is not alive";
		if (!(ev->flags & ZSR_EVF_ORPHAN))
			return "a free without object that is no orphan";
		break;
	default:
		if (ev->kind >= ZSR_EV_NR)
			return "unknown kind";
		if (ev->obj != ZSR_OBJ_NONE)
			return "an object where none can be";
	}
	return NULL;
}

static int add_event(struct zsr_writer *w, const struct zsr_event *from,
		     struct zsr_err *err)
{
	struct zsr_event *ev = &w->ev[w->n];
	const char *wrong;

	*ev = *from;
	wrong = accept_event(w, ev);
	if (wrong)
		return zsr_err_input(err,
				     "event %" PRIu64 " at %" PRIu64 " ns: %s",
				     w->tally.nr_events, ev->t_ns, wrong);
	if (ev->kind == ZSR_EV_MALLOC && zsr_alive_add(&w->objects))
		return zsr_err_nomem(err, "live objects");
	zsr_digest_event(&w->digest, ev);
	zsr_tally_add(&w->tally, ev);
	return ++w->n == ZSR_CHUNK_EVENTS ? flush_chunk(w, err) : 0;
}

int zsr_writer_add(struct zsr_writer *w, const struct zsr_event *ev, size_t n,
		   struct zsr_err *err)
{
	size_t i;
	int ret = 0;

	for (i = 0; i < n && !ret; i++)
		ret = add_event(w, ev + i, err);
	return ret;
}

/* ---- rows ------------------------------------------------------------ */

int zsr_writer_task(struct zsr_writer *w, const struct zsr_task *task,
		    struct zsr_err *err)
{
	w->t.nr_tasks++;
	return zsr_sql_run(w->db, w->add[ADD_TASK], err, "iiis", w->t.id,
			   (int64_t)task->row, (int64_t)task->pid, task->comm);
}

static int add_meta(struct zsr_writer *w, const char *key, const char *value,
		    struct zsr_err *err)
{
	size_t len = strlen(value), at = w->texts_len;

	if (len < LONG_TEXT)
		return zsr_sql_run(w->db, w->add[ADD_META], err, "issss",
				   w->t.id, key, value, NULL, NULL);
	if (len > MAX_TEXTS - w->texts_len)
		return zsr_err_input(err, "more than %u bytes of metadata",
				     MAX_TEXTS);
	if (zsr_grow(&w->texts, &w->texts_cap, at + len, 1))
		return zsr_err_nomem(err, "metadata");
	memcpy(w->texts + at, value, len);
	w->texts_len += len;
	return zsr_sql_run(w->db, w->add[ADD_META], err, "issuu", w->t.id, key,
			   NULL, (uint64_t)at, (uint64_t)len);
}

int zsr_writer_row(struct zsr_writer *w, enum zsr_trace_table which, int64_t nr,
		   const char *key, const char *value, struct zsr_err *err)
{
	uint64_t count;
	int ret;

	switch (which) {
	case ZSR_TABLE_MARKS:
		return zsr_sql_run(w->db, w->add[ADD_MARK], err, "iis", w->t.id,
				   nr, value);
	case ZSR_TABLE_POOLS:
		w->t.nr_pools++;
		return zsr_sql_run(w->db, w->add[ADD_POOL], err, "iis", w->t.id,
				   nr, value);
	case ZSR_TABLE_META:
		return add_meta(w, key, value, err);
	case ZSR_TABLE_ODD:
		ret = zsr_parse_u64(value, key, 0, INT64_MAX, &count, err);
		if (ret)
			return ret;
		if (!strcmp(key, "lost"))
			w->t.nr_lost = count;
		else if (!strcmp(key, "lost_unknown"))
			w->t.nr_lost_places = count;
		return zsr_sql_run(w->db, w->add[ADD_ODD], err, "isu", w->t.id,
				   key, count);
	}
	return zsr_err_usage(err, "no such table");
}

/* ---- the end --------------------------------------------------------- */

/* Row numbers of a table: 0 to nr - 1, and every event's among them. */
static int check_rows(struct zsr_writer *w, const char *table, uint32_t nr,
		      uint32_t max_used, struct zsr_err *err)
{
	sqlite3_stmt *stmt;
	char sql[80];
	int64_t max = 0;
	int ret;

	snprintf(sql, sizeof(sql),
		 "SELECT coalesce(max(nr), -1) FROM %s WHERE trace = ?", table);
	ret = zsr_sql_prepare(w->db, &stmt, sql, err);
	if (ret)
		return ret;
	zsr_sql_bind(stmt, "i", w->t.id);
	ret = zsr_sql_step(w->db, stmt, err);
	if (ret == 1)
		max = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	if (ret < 0)
		return ret;
	if (max + 1 != nr)
		return zsr_err_input(err, "%s rows are not numbered 0 to %u",
				     table, nr - 1);
	if (max_used >= nr)
		return zsr_err_input(err, "an event names %s %u of %u", table,
				     max_used, nr);
	return 0;
}

static void take_tally(struct zsr_trace *t, const struct zsr_tally *sum)
{
	t->nr_events = sum->nr_events;
	t->nr_mallocs = t->nr_objects = sum->nr_mallocs;
	t->nr_frees = sum->nr_frees;
	t->nr_cpus = sum->nr_cpus;
	t->has_dur = sum->has_dur;
	t->duration_ns = sum->last_ns - sum->first_ns;
}

static int finish(struct zsr_writer *w, struct zsr_err *err)
{
	unsigned major, minor;
	int ret;

	if (w->finished)
		return 0;
	if (!w->tally.nr_events)
		return zsr_err_input(err, "there is no event in it");
	take_tally(&w->t, &w->tally);
	ret = flush_chunk(w, err);
	if (!ret)
		ret = zsr_facts_check(&w->t, err);
	if (!ret && zsr_facts_release(w->t.kernel, &major, &minor))
		snprintf(w->t.lock_gen, sizeof(w->t.lock_gen), "%s",
			 zsr_facts_lock_gen(major, minor));
	if (!ret)
		ret = check_rows(w, "task", w->t.nr_tasks, w->tally.max_task,
				 err);
	if (!ret)
		ret = check_rows(w, "pool", w->t.nr_pools, w->tally.max_pool,
				 err);
	if (!ret)
		ret = zsr_digest_end(&w->digest, w->db, &w->t, w->t.digest, err);
	w->finished = !ret;
	return ret;
}

static int update_trace(struct zsr_writer *w, struct zsr_err *err)
{
	const struct zsr_trace *t = &w->t;
	sqlite3_stmt *stmt;
	void *texts = NULL;
	size_t len = 0;
	int ret = zsr_sql_prepare(
		w->db, &stmt,
		"UPDATE trace SET digest = ?, kernel = ?, lock_gen = ?, "
		"format = ?, clock = ?, times = ?, page_size = ?, "
		"chain_size = ?, fact_flags = ?, from_empty = ?, has_dur = ?, "
		"nr_cpus = ?, nr_tasks = ?, nr_pools = ?, nr_events = ?, "
		"nr_mallocs = ?, nr_frees = ?, duration_ns = ?, texts = ? "
		"WHERE id = ?",
		err);

	if (ret)
		return ret;
	if (w->texts_len)
		ret = zsr_texts_pack(w->texts, w->texts_len, &texts, &len, err);
	if (!ret)
		ret = zsr_sql_run(
			w->db, stmt, err, "ssssssuuuuuuuuuuuubi", t->digest,
			t->kernel, t->lock_gen, t->format, t->clock,
			zsr_times_name(t->times), (uint64_t)t->page_size,
			(uint64_t)t->chain_size, (uint64_t)t->fact_flags,
			(uint64_t)t->from_empty, (uint64_t)t->has_dur,
			(uint64_t)t->nr_cpus, (uint64_t)t->nr_tasks,
			(uint64_t)t->nr_pools, t->nr_events, t->nr_mallocs,
			t->nr_frees, t->duration_ns, texts, len, t->id);
	free(texts);
	sqlite3_finalize(stmt);
	return ret;
}

static void release(struct zsr_writer *w)
{
	unsigned i;

	for (i = 0; i < NR_ADDS; i++)
		sqlite3_finalize(w->add[i]);
	zsr_chunk_encoder_free(w->enc);
	zsr_alive_free(&w->objects);
	free(w->ev);
	free(w->texts);
	free(w);
}

int zsr_writer_commit(struct zsr_writer *w, struct zsr_trace *t,
		      struct zsr_err *err)
{
	int ret = finish(w, err);

	if (!ret)
		ret = update_trace(w, err);
	if (!ret)
		ret = zsr_db_commit(w->db, err);
	if (ret) {
		zsr_writer_abort(w);
		return ret;
	}
	*t = w->t;
	release(w);
	return 0;
}

void zsr_writer_abort(struct zsr_writer *w)
{
	struct zsr_db *db = w->db;

	release(w);
	zsr_db_rollback(db);
}

void zsr_writer_facts(struct zsr_writer *w, const struct zsr_trace *t)
{
	memcpy(w->t.kernel, t->kernel, sizeof(t->kernel));
	memcpy(w->t.format, t->format, sizeof(t->format));
	memcpy(w->t.clock, t->clock, sizeof(t->clock));
	w->t.times = t->times;
	w->t.page_size = t->page_size;
	w->t.chain_size = t->chain_size;
	w->t.fact_flags = t->fact_flags;
	w->t.from_empty = t->from_empty;
}

void zsr_writer_watch(struct zsr_writer *w,
		      void (*chunk)(uint64_t nr, uint64_t events, uint64_t bytes))
{
	w->watch = chunk;
}

int zsr_writer_twin(struct zsr_writer *w, char same[128], struct zsr_err *err)
{
	sqlite3_stmt *stmt;
	int ret = finish(w, err);

	if (ret)
		return ret;
	ret = zsr_sql_prepare(w->db, &stmt,
			      "SELECT name FROM trace WHERE digest = ? "
			      "ORDER BY id",
			      err);
	if (ret)
		return ret;
	zsr_sql_bind(stmt, "s", w->t.digest);
	ret = zsr_sql_step(w->db, stmt, err);
	if (ret == 1)
		zsr_sql_text(stmt, 0, same, 128);
	sqlite3_finalize(stmt);
	return ret;
}
