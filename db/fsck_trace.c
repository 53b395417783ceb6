// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checking one trace: its chunks' checksums and counts, then, if those are
 * sound, every event again, and what they add up to.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "db/digest.h"
#include "db/fsck.h"
#include "db/tally.h"

struct check {
	struct fsck *f;
	struct zsr_trace t;
	struct zsr_chunk_info *chunk; /* as the rows have them */
	size_t nr;
	size_t cap;
	struct zsr_digest digest;
	struct zsr_tally sum;
	uint64_t alive;
	uint64_t orphans;
	uint64_t inferred;
	uint64_t max_mark; /* plus 1 */
};

/* ---- rows ---------------------------------------------------------------- */

#define NUMBERED(table)                                                        \
	"SELECT printf('trace ''%s'': its %d rows in " table                   \
	" are not numbered 0 to %d', t.name, count(*), count(*) - 1) "         \
	"FROM trace t JOIN " table " r ON r.trace = t.id WHERE t.id = ?1 "     \
	"GROUP BY t.id HAVING min(r.nr) <> 0 OR max(r.nr) <> count(*) - 1"
#define COUNTED(column, count)                                                 \
	"SELECT printf('trace ''%s'': " column " is %d, there are %d', "       \
	"t.name, t." column ", n) FROM trace t, (SELECT " count ") "           \
	"WHERE t.id = ?1 AND t." column " <> n"
#define CHUNKS(column)                                                         \
	"coalesce(sum(" column "), 0) AS n FROM chunk "                        \
	"WHERE id >= ?1 << 32 AND id < (?1 + 1) << 32"

static const char *const row_rules[] = {
	NUMBERED("task"),
	NUMBERED("pool"),
	NUMBERED("mark"),
	NUMBERED("chunk"),
	COUNTED("nr_tasks", "count(*) AS n FROM task WHERE trace = ?1"),
	COUNTED("nr_pools", "count(*) AS n FROM pool WHERE trace = ?1"),
	COUNTED("nr_events", CHUNKS("events")),
	COUNTED("nr_mallocs", CHUNKS("mallocs")),
	COUNTED("nr_frees", CHUNKS("frees")),
	"SELECT printf('trace ''%s'': odd %s is %d', t.name, key, value) "
	"FROM odd JOIN trace t ON t.id = trace WHERE t.id = ?1 AND value <= 0",
	"SELECT printf('trace ''%s'': meta %s has no value', t.name, key) "
	"FROM meta JOIN trace t ON t.id = trace WHERE t.id = ?1 AND "
	"value IS NULL AND (t.texts IS NULL OR at IS NULL OR len IS NULL)",
};

static int ignore_row(void *ctx, int64_t nr, const char *key, const char *value)
{
	return 0;
}

static int check_rows(struct check *c, struct zsr_err *err)
{
	struct fsck *f = c->f;
	size_t i;
	int ret = 0;

	for (i = 0; i < ZSR_ARRAY_SIZE(row_rules) && !ret; i++)
		ret = fsck_lines(f, row_rules[i], c->t.id, err);
	if (ret)
		return ret;
	/* Unpacks the long texts. */
	ret = zsr_trace_rows(f->db, c->t.id, ZSR_TABLE_META, ignore_row, NULL,
			     err);
	if (ret < 0)
		zsr_err_wrap(err, ret, "trace '%s': meta", c->t.name);
	return fsck_judge(f, ret, err);
}

/* ---- chunks -------------------------------------------------------------- */

static int add_chunk(struct check *c, sqlite3_stmt *stmt, struct zsr_err *err)
{
	const void *data = sqlite3_column_blob(stmt, 1);
	int len = sqlite3_column_bytes(stmt, 1);
	uint64_t v[10];
	unsigned i;

	for (i = 0; i < ZSR_ARRAY_SIZE(v); i++)
		v[i] = (uint64_t)sqlite3_column_int64(stmt, (int)i + 3);
	if (XXH3_64bits(data, (size_t)len) !=
	    (uint64_t)sqlite3_column_int64(stmt, 2))
		return fsck_fault(c->f,
				  "trace '%s': chunk %lld: its checksum is "
				  "wrong",
				  c->t.name, sqlite3_column_int64(stmt, 0));
	if (zsr_grow(&c->chunk, &c->cap, c->nr + 1, sizeof(*c->chunk)))
		return zsr_err_nomem(err, "chunks");
	c->chunk[c->nr++] = (struct zsr_chunk_info){
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
	return 0;
}

static int check_sums(struct check *c, struct zsr_err *err)
{
	sqlite3_stmt *stmt;
	int ret = zsr_sql_prepare(
		c->f->db, &stmt,
		"SELECT nr, data, xxh3, events, mallocs, frees, first_obj, "
		"t_min, t_max, task_min, task_max, kinds, cpus FROM chunk "
		"WHERE id >= ?1 << 32 AND id < (?1 + 1) << 32 ORDER BY id",
		err);

	if (ret)
		return fsck_judge(c->f, ret, err);
	zsr_sql_bind(stmt, "i", c->t.id);
	while ((ret = zsr_sql_step(c->f->db, stmt, err)) == 1) {
		c->f->found.nr_chunks++;
		ret = add_chunk(c, stmt, err);
		if (ret)
			break;
	}
	sqlite3_finalize(stmt);
	return fsck_judge(c->f, ret, err);
}

/* ---- events -------------------------------------------------------------- */

static void add_events(struct check *c, const struct zsr_event *ev, int n)
{
	int i;

	for (i = 0; i < n; i++, ev++) {
		zsr_digest_event(&c->digest, ev);
		zsr_tally_add(&c->sum, ev);
		c->alive += ev->kind == ZSR_EV_MALLOC;
		c->alive -= ev->obj != ZSR_OBJ_NONE && ev->kind == ZSR_EV_FREE;
		c->orphans += (ev->flags & ZSR_EVF_ORPHAN) != 0;
		c->inferred += (ev->flags & ZSR_EVF_INFERRED) != 0;
		if (ev->kind == ZSR_EV_MARK)
			c->max_mark = zsr_max(c->max_mark, ev->aux + 1);
	}
	c->f->found.nr_events += (uint64_t)n;
	if (c->f->opts->at)
		c->f->opts->at(c->f->opts->ctx, c->f->found.nr_events);
}

/* The events of a chunk are FOUND, its row says *row. */
static int compare_chunk(struct check *c, const struct zsr_chunk_info *row,
			 const struct zsr_chunk_info *found)
{
	const char *what = NULL;

	if (row->nr_mallocs != found->nr_mallocs)
		what = "mallocs";
	else if (row->nr_frees != found->nr_frees)
		what = "frees";
	else if (row->t_min != found->t_min || row->t_max != found->t_max)
		what = "times";
	else if (row->task_min != found->task_min ||
		 row->task_max != found->task_max)
		what = "tasks";
	else if (row->kinds != found->kinds)
		what = "kinds";
	else if (row->cpus != found->cpus)
		what = "cpus";
	return what ? fsck_fault(c->f,
				 "trace '%s': chunk %td: its row says other "
				 "%s than its events",
				 c->t.name, row - c->chunk, what)
		    : 0;
}

/* A batch never goes over the end of a chunk. */
static int read_events(struct check *c, struct zsr_cursor *cursor,
		       struct zsr_err *err)
{
	struct zsr_chunk_info found = { 0 };
	const struct zsr_event *ev;
	size_t at = 0;
	int n, ret;

	while ((n = zsr_cursor_next(cursor, &ev, err)) > 0) {
		add_events(c, ev, n);
		if (at == c->nr)
			continue;
		zsr_chunk_describe(&found, ev, (size_t)n);
		if (found.nr < c->chunk[at].nr)
			continue;
		ret = compare_chunk(c, &c->chunk[at++], &found);
		if (ret)
			return ret;
		found = (struct zsr_chunk_info){ 0 };
	}
	return n;
}

/* ---- sums ---------------------------------------------------------------- */

struct number {
	struct check *c;
	const char *key;
	uint64_t is;
	bool there;
};

static int compare(struct check *c, const char *what, uint64_t is,
		   uint64_t makes)
{
	return is == makes ? 0
			   : fsck_fault(c->f,
					"trace '%s': %s is %" PRIu64
					", its events make %" PRIu64,
					c->t.name, what, is, makes);
}

static int on_odd(void *ctx, int64_t nr, const char *key, const char *value)
{
	struct number *n = ctx;

	if (!strcmp(key, n->key)) {
		n->is += strtoull(value, NULL, 10);
		n->there = true;
	}
	return 0;
}

static int odd_value(struct check *c, const char *key, struct number *n,
		     struct zsr_err *err)
{
	n->key = key;
	return zsr_trace_rows(c->f->db, c->t.id, ZSR_TABLE_ODD, on_odd, n, err);
}

/* What an import counted and its events show. */
static int check_odd(struct check *c, struct zsr_err *err)
{
	struct number records = { 0 }, alive = { 0 }, orphans = { 0 },
		      inferred = { 0 };
	int ret = odd_value(c, "records", &records, err);

	if (!ret)
		ret = odd_value(c, "live_at_end", &alive, err);
	if (!ret)
		ret = odd_value(c, "orphan_frees", &orphans, err);
	if (!ret)
		ret = odd_value(c, "double_frees", &orphans, err);
	if (!ret)
		ret = odd_value(c, "no_arguments", &orphans, err);
	if (!ret)
		ret = odd_value(c, "lost_frees", &inferred, err);
	if (ret || !records.there)
		return fsck_judge(c->f, ret, err);
	ret = compare(c, "odd live_at_end", alive.is, c->alive);
	if (!ret)
		ret = compare(c, "odd orphan_frees and double_frees",
			      orphans.is, c->orphans);
	return ret ? ret
		   : compare(c, "odd lost_frees", inferred.is, c->inferred);
}

static int count_marks(struct check *c, uint64_t *nr, struct zsr_err *err)
{
	sqlite3_stmt *stmt;
	int ret = zsr_sql_prepare(c->f->db, &stmt,
				  "SELECT count(*) FROM mark WHERE trace = ?",
				  err);

	if (ret)
		return ret;
	zsr_sql_bind(stmt, "i", c->t.id);
	ret = zsr_sql_step(c->f->db, stmt, err);
	if (ret == 1)
		*nr = (uint64_t)sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return ret < 0 ? ret : 0;
}

static int check_totals(struct check *c, struct zsr_err *err)
{
	char digest[ZSR_SHA_HEX];
	uint64_t marks = 0;
	int ret;

	ret = compare(c, "nr_cpus", c->t.nr_cpus, c->sum.nr_cpus);
	if (!ret)
		ret = compare(c, "has_dur", c->t.has_dur, c->sum.has_dur);
	if (!ret)
		ret = compare(c, "duration_ns", c->t.duration_ns,
			      c->sum.last_ns - c->sum.first_ns);
	if (!ret)
		ret = check_odd(c, err);
	if (!ret)
		ret = fsck_judge(c->f, count_marks(c, &marks, err), err);
	if (!ret && c->max_mark > marks)
		ret = fsck_fault(c->f,
				 "trace '%s': an event names mark %" PRIu64
				 " of %" PRIu64,
				 c->t.name, c->max_mark - 1, marks);
	if (!ret)
		ret = fsck_judge(c->f,
				 zsr_digest_end(&c->digest, c->f->db, &c->t,
						digest, err),
				 err);
	if (!ret && strcmp(digest, c->t.digest))
		ret = fsck_fault(c->f,
				 "trace '%s': its digest is %s, its content "
				 "makes %s",
				 c->t.name, c->t.digest, digest);
	return ret;
}

static int check_events(struct check *c, struct zsr_err *err)
{
	struct zsr_cursor *cursor;
	uint64_t faults = c->f->found.nr_faults;
	int ret = zsr_cursor_open(c->f->db, c->t.id, &cursor, err);

	if (ret)
		return fsck_judge(c->f, ret, err);
	zsr_digest_init(&c->digest);
	ret = fsck_judge(c->f, read_events(c, cursor, err), err);
	zsr_cursor_close(cursor);
	/* Sums of events that were not all read say nothing. */
	return ret || faults != c->f->found.nr_faults ? ret
						      : check_totals(c, err);
}

/* ---- the trace ----------------------------------------------------------- */

/* By name, as everybody else finds it. */
static int find(struct fsck *f, int64_t id, struct zsr_trace *t,
		struct zsr_err *err)
{
	sqlite3_stmt *stmt;
	char name[sizeof(t->name)] = "";
	int ret = zsr_sql_prepare(f->db, &stmt,
				  "SELECT name FROM trace WHERE id = ?", err);

	if (ret)
		return ret;
	zsr_sql_bind(stmt, "i", id);
	ret = zsr_sql_step(f->db, stmt, err);
	if (ret == 1)
		zsr_sql_text(stmt, 0, name, sizeof(name));
	sqlite3_finalize(stmt);
	return ret < 0 ? ret : zsr_trace_find(f->db, name, t, err);
}

static int check_lock_gen(struct check *c)
{
	const char *want = "";
	unsigned major, minor;

	if (zsr_facts_release(c->t.kernel, &major, &minor))
		want = zsr_facts_lock_gen(major, minor);
	return strcmp(want, c->t.lock_gen)
		       ? fsck_fault(c->f,
				    "trace '%s': lock_gen is %s, that of %s "
				    "is %s",
				    c->t.name, c->t.lock_gen, c->t.kernel, want)
		       : 0;
}

int fsck_trace(struct fsck *f, int64_t id, struct zsr_err *err)
{
	struct check c = { .f = f };
	uint64_t faults;
	int ret = find(f, id, &c.t, err);

	if (ret)
		return fsck_judge(f, ret, err);
	f->found.nr_traces++;
	faults = f->found.nr_faults;
	ret = check_lock_gen(&c);
	if (!ret)
		ret = check_rows(&c, err);
	if (!ret)
		ret = check_sums(&c, err);
	/* What does not even fit on the outside is told once. */
	if (!ret && faults == f->found.nr_faults)
		ret = check_events(&c, err);
	free(c.chunk);
	return ret;
}
