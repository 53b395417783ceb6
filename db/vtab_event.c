// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtual table zsr_event: the events of all traces, one row each,
 * described in zsr-db(5). What a query asks of trace, t_ns, kind, cpu and task
 * is decided here (vfilter.c), first by chunk, then by row.
 */
#include <stdlib.h>
#include <string.h>

#include "db/reader.h"
#include "db/vfilter.h"
#include "db/vtab.h"

struct vcursor {
	sqlite3_vtab_cursor base;
	struct zsr_db *db;
	struct zsr_vfilter f;
	struct zsr_reader *reader;
	int64_t trace; /* of the reader, 0 before the first */
	char **comms; /* of its tasks, read when asked for */
	size_t nr_comms;
	size_t cap_comms;
	const struct zsr_chunk_info *info; /* the chunk's */
	const struct zsr_event *ev;
	const uint64_t *births;
	uint16_t want[ZSR_READER_ROWS]; /* rows of the batch that match */
	unsigned nr_want;
	unsigned at; /* the current one is want[at] */
	unsigned nr; /* rows of the batch */
	uint64_t row; /* number in the trace of ev[0] */
	bool in_chunk;
	bool eof;
};

static int event_connect(sqlite3 *sql, void *db, int argc,
			 const char *const *argv, sqlite3_vtab **out,
			 char **errmsg)
{
	return zsr_vtab_connect(sql, db, ZSR_VTAB_EVENT_SQL, out, errmsg);
}

static int event_open(sqlite3_vtab *t, sqlite3_vtab_cursor **out)
{
	struct vcursor *c = calloc(1, sizeof(*c));

	if (!c)
		return SQLITE_NOMEM;
	c->db = zsr_vtab_db(t);
	*out = &c->base;
	return SQLITE_OK;
}

static void close_trace(struct vcursor *c)
{
	size_t i;

	zsr_reader_close(c->reader);
	c->reader = NULL;
	for (i = 0; i < c->nr_comms; i++)
		free(c->comms[i]);
	c->nr_comms = 0;
	c->in_chunk = false;
}

static int event_close(sqlite3_vtab_cursor *cur)
{
	struct vcursor *c = (struct vcursor *)cur;

	close_trace(c);
	free(c->comms);
	free(c);
	return SQLITE_OK;
}

/* ---- going through the rows ------------------------------------------- */

/* The next trace that may have rows: 1, 0 at the end, -errno. */
static int next_trace(struct vcursor *c, struct zsr_err *err)
{
	int ret;

	close_trace(c);
	if (c->f.nothing)
		return 0;
	c->trace = zsr_max(c->trace, c->f.trace.min - 1);
	ret = zsr_vtab_next_trace(c->db, &c->trace, c->f.trace.max, err);
	if (ret != 1)
		return ret;
	c->row = 0;
	c->nr = 0;
	ret = zsr_reader_open(c->db, c->trace, c->f.want, &c->reader, err);
	return ret ? ret : 1;
}

/* On to a chunk that may have rows: 1, 0 when the trace has no more. */
static int next_chunk(struct vcursor *c, struct zsr_err *err)
{
	int ret;

	do {
		ret = zsr_reader_chunk(c->reader, &c->info, err);
		if (ret != 1 || zsr_vfilter_after(&c->f, c->info))
			return ret < 0 ? ret : 0;
	} while (!zsr_vfilter_chunk(&c->f, c->info));
	c->row = zsr_reader_first_row(c->reader);
	c->nr = 0;
	c->in_chunk = true;
	return 1;
}

static int next_batch(struct vcursor *c, struct zsr_err *err)
{
	int ret;

	for (;;) {
		if (c->in_chunk) {
			c->row += c->nr;
			ret = zsr_reader_rows(c->reader, &c->ev, &c->births,
					      err);
			if (ret < 0)
				return ret;
			c->nr = (unsigned)ret;
			if (ret)
				return 1;
			c->in_chunk = false;
		}
		ret = c->reader ? next_chunk(c, err) : 0;
		if (!ret)
			ret = next_trace(c, err);
		if (ret < 0 || !c->reader)
			return ret;
	}
}

/* On to the next batch with a row that is wanted, once this one is used up. */
static int settle(struct vcursor *c)
{
	struct zsr_err err = { 0 };
	int ret;

	while (c->at == c->nr_want) {
		ret = next_batch(c, &err);
		if (ret < 0)
			return zsr_vtab_fail(c->base.pVtab, ret, &err);
		if (!ret) {
			c->eof = true;
			return SQLITE_OK;
		}
		c->nr_want = zsr_vfilter_rows(&c->f, c->info, c->ev, c->nr,
					      c->want);
		c->at = 0;
	}
	return SQLITE_OK;
}

static int event_filter(sqlite3_vtab_cursor *cur, int plan, const char *str,
			int argc, sqlite3_value **argv)
{
	struct vcursor *c = (struct vcursor *)cur;

	close_trace(c);
	zsr_vfilter_init(&c->f, plan, str, argc, argv);
	c->trace = 0;
	c->nr = c->nr_want = c->at = 0;
	c->eof = false;
	return settle(c);
}

static int event_next(sqlite3_vtab_cursor *cur)
{
	struct vcursor *c = (struct vcursor *)cur;

	if (++c->at < c->nr_want)
		return SQLITE_OK;
	return settle(c);
}

static int event_eof(sqlite3_vtab_cursor *cur)
{
	return ((struct vcursor *)cur)->eof;
}

/* ---- values ------------------------------------------------------------ */

static int add_comm(void *ctx, const struct zsr_task *task)
{
	struct vcursor *c = ctx;

	if (task->row != c->nr_comms ||
	    zsr_grow(&c->comms, &c->cap_comms, c->nr_comms + 1,
		     sizeof(*c->comms)))
		return -ENOMEM;
	c->comms[c->nr_comms] = strdup(task->comm);
	return c->comms[c->nr_comms] ? (c->nr_comms++, 0) : -ENOMEM;
}

static void column_comm(struct vcursor *c, sqlite3_context *ctx, uint32_t task)
{
	struct zsr_err err = { 0 };

	if (!c->nr_comms)
		zsr_trace_tasks(c->db, c->trace, add_comm, c, &err);
	if (task < c->nr_comms)
		sqlite3_result_text(ctx, c->comms[task], -1, SQLITE_TRANSIENT);
}

static int event_column(sqlite3_vtab_cursor *cur, sqlite3_context *ctx, int col)
{
	struct vcursor *c = (struct vcursor *)cur;
	unsigned i = c->want[c->at];
	const struct zsr_event *ev = &c->ev[i];

	switch (col) {
	case ZSR_VEVENT_TRACE:
		sqlite3_result_int64(ctx, c->trace);
		break;
	case ZSR_VEVENT_T_NS:
		sqlite3_result_int64(ctx, (int64_t)ev->t_ns);
		break;
	case ZSR_VEVENT_DUR_NS:
		sqlite3_result_int64(ctx, (int64_t)ev->dur_ns);
		break;
	case ZSR_VEVENT_CPU:
		sqlite3_result_int(ctx, ev->cpu);
		break;
	case ZSR_VEVENT_TASK:
		sqlite3_result_int64(ctx, ev->task);
		break;
	case ZSR_VEVENT_COMM:
		column_comm(c, ctx, ev->task);
		break;
	case ZSR_VEVENT_KIND:
		sqlite3_result_text(ctx, zsr_event_kind_name(ev->kind), -1,
				    SQLITE_STATIC);
		break;
	case ZSR_VEVENT_POOL:
		sqlite3_result_int(ctx, ev->pool);
		break;
	case ZSR_VEVENT_OBJ:
		zsr_vtab_known(ctx, ev->obj != ZSR_OBJ_NONE, ev->obj);
		break;
	case ZSR_VEVENT_SIZE:
		zsr_vtab_known(ctx, ev->obj != ZSR_OBJ_NONE || ev->size,
			       ev->size);
		break;
	case ZSR_VEVENT_CALLER:
		sqlite3_result_text(ctx, zsr_caller_name(ev->caller), -1,
				    SQLITE_STATIC);
		break;
	case ZSR_VEVENT_SLOT:
		zsr_vtab_known(ctx, ev->slot != -1, (uint64_t)ev->slot);
		break;
	case ZSR_VEVENT_GFP:
		sqlite3_result_int64(ctx, ev->gfp);
		break;
	case ZSR_VEVENT_CGROUP:
		zsr_vtab_known(ctx, ev->cgroup != -1,
			       (uint64_t)(int64_t)ev->cgroup);
		break;
	case ZSR_VEVENT_FLAGS:
		sqlite3_result_int(ctx, ev->flags);
		break;
	case ZSR_VEVENT_AUX:
		sqlite3_result_int64(ctx, (int64_t)ev->aux);
		break;
	case ZSR_VEVENT_LIFE_NS:
		zsr_vtab_known(ctx, c->births && c->births[i] != UINT64_MAX,
			       c->births ? ev->t_ns - c->births[i] : 0);
		break;
	}
	return SQLITE_OK;
}

/* Unique as long as a trace has less than 2^40 events. */
static int event_rowid(sqlite3_vtab_cursor *cur, sqlite3_int64 *id)
{
	struct vcursor *c = (struct vcursor *)cur;

	*id = c->trace << 40 | (int64_t)(c->row + c->want[c->at]);
	return SQLITE_OK;
}

const sqlite3_module zsr_vtab_event = {
	.xConnect = event_connect,
	.xBestIndex = zsr_vfilter_best_index,
	.xDisconnect = zsr_vtab_disconnect,
	.xOpen = event_open,
	.xClose = event_close,
	.xFilter = event_filter,
	.xNext = event_next,
	.xEof = event_eof,
	.xColumn = event_column,
	.xRowid = event_rowid,
};
