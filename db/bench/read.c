// SPDX-License-Identifier: GPL-2.0-only
/*
 * How fast the store is read: read [DATABASE], whose first trace is taken; one
 * of 5 million calls is made without. Each figure is the best of several:
 * chunks decoded one after the other and the cursor, which has a thread for
 * that, with a loop over the same events in memory beside them; SQL, with the
 * same query on a virtual table that gives as many rows, all of them the same.
 * Chunks and SQL are in CPU time of the thread that waits for the answer, the
 * cursor is in real time.
 */
#include <inttypes.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

#include "db/bench/gen.h"
#include "db/reader.h"

#define RECORDS 10000000
#define ROUNDS  15
#define QUERY                                                                  \
	"SELECT count(*), sum(size), max(t_ns) FROM %s WHERE kind = 'free'"

static struct zsr_err e;

static void die(const char *what)
{
	fprintf(stderr, "read: %s: %s\n", what, e.msg);
	exit(4);
}

static void make_trace(const char *path)
{
	const struct zsr_import_opts opts = {
		.name = "bench",
		.kernel = "6.12",
		.page_size = 4096,
		.times = ZSR_TIMES_SYNTHETIC,
	};
	struct gen *g = make_gen();
	struct zsr_import *imp;
	struct zsr_sink *sink;
	struct zsr_odd odd;
	struct zsr_trace t;
	struct zsr_rec rec;
	struct zsr_db *db;
	uint64_t i;

	unlink(path);
	if (zsr_db_open(&db, path, ZSR_DB_CREATE, &e) ||
	    zsr_import_begin(db, &opts, &imp, &e))
		die("import");
	sink = zsr_import_sink(imp);
	for (i = 0; i < RECORDS; i++) {
		next_rec(g, &rec);
		if (sink->recs(sink->ctx, &rec, 1, &e))
			die("import");
	}
	if (zsr_import_finish(imp, &t, &odd, &e))
		die("import");
	zsr_db_close(db);
	free(g);
}

/* ---- all events ------------------------------------------------------------ */

struct sums {
	uint64_t events;
	uint64_t frees;
	uint64_t size;
	uint64_t t_max;
};

static void add_events(struct sums *s, const struct zsr_event *ev, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		s->frees += ev[i].kind == ZSR_EV_FREE;
		s->size += ev[i].size;
		s->t_max = zsr_max(s->t_max, ev[i].t_ns);
	}
	s->events += n;
}

/* To *COPY too, unless NULL. */
static struct sums read_all(struct zsr_db *db, struct zsr_event **copy)
{
	struct sums s = { .events = 0 };
	const struct zsr_event *ev;
	struct zsr_cursor *c;
	size_t cap = 0;
	int n;

	if (zsr_cursor_open(db, 1, &c, &e))
		die("cursor");
	while ((n = zsr_cursor_next(c, &ev, &e)) > 0) {
		if (copy) {
			if (zsr_grow(copy, &cap, s.events + (size_t)n,
				     sizeof(**copy)))
				exit(4);
			memcpy(*copy + s.events, ev, (size_t)n * sizeof(*ev));
		}
		add_events(&s, ev, (size_t)n);
	}
	if (n < 0)
		die("cursor");
	zsr_cursor_close(c);
	return s;
}

/* ---- chunks without SQLite -------------------------------------------------- */

struct chunk {
	struct zsr_chunk_info info;
	void *blob;
	size_t len;
};

/* The trace's, encoded again. */
static size_t encode_all(const struct zsr_event *ev, size_t n,
			 struct chunk **chunks)
{
	struct zsr_chunk_encoder *enc = zsr_chunk_encoder_new();
	size_t cap = 0, nr = 0, i, some;
	uint64_t first_obj = 0;
	const void *blob;
	struct chunk *c;

	for (i = 0; i < n; i += some) {
		some = zsr_min(n - i, (size_t)ZSR_CHUNK_EVENTS);
		if (zsr_grow(chunks, &cap, nr + 1, sizeof(**chunks)))
			exit(4);
		c = *chunks + nr++;
		if (zsr_chunk_encode(enc, ev + i, some, first_obj, &c->info,
				     &blob, &c->len, &e))
			die("encode");
		c->blob = malloc(c->len);
		memcpy(c->blob, blob, c->len);
		first_obj += c->info.nr_mallocs;
	}
	zsr_chunk_encoder_free(enc);
	return nr;
}

static void bench_chunks(const struct zsr_event *copy, size_t n)
{
	struct zsr_chunk_decoder *dec = zsr_chunk_decoder_new(1u << 20,
							      1u << 16);
	static struct zsr_event ev[1024];
	uint64_t best = UINT64_MAX, start;
	struct chunk *chunks = NULL;
	size_t nr = encode_all(copy, n, &chunks), k;
	struct zsr_live *live;
	unsigned i;
	int ret;

	for (i = 0; i < ROUNDS; i++) {
		live = zsr_live_new(0);
		start = zsr_cpu_ns();
		for (k = 0; k < nr; k++) {
			if (zsr_chunk_decoder_start(dec, chunks[k].blob,
						    chunks[k].len,
						    &chunks[k].info, &e))
				die("decode");
			while ((ret = zsr_chunk_decoder_read(dec, live, ev, NULL,
							     ZSR_ARRAY_SIZE(ev),
							     &e)) > 0)
				;
			if (ret < 0)
				die("decode");
		}
		best = zsr_min(best, zsr_cpu_ns() - start);
		zsr_live_free(live);
	}
	printf("decode %.1f Mcalls/s\n", (double)n * 1e3 / (double)best);
	zsr_chunk_decoder_free(dec);
	for (k = 0; k < nr; k++)
		free(chunks[k].blob);
	free(chunks);
}

/* ---- the cursor ------------------------------------------------------------- */

static void bench_cursor(struct zsr_db *db, struct sums *want)
{
	uint64_t best = UINT64_MAX, floor = UINT64_MAX, start;
	struct zsr_event *copy = NULL;
	struct sums s;
	unsigned i;

	*want = read_all(db, &copy);
	for (i = 0; i < ROUNDS; i++) {
		start = zsr_clock_ns();
		s = read_all(db, NULL);
		best = zsr_min(best, zsr_clock_ns() - start);
		if (memcmp(&s, want, sizeof(s)))
			exit(4);
		memset(&s, 0, sizeof(s));
		start = zsr_clock_ns();
		add_events(&s, copy, want->events);
		floor = zsr_min(floor, zsr_clock_ns() - start);
		if (memcmp(&s, want, sizeof(s)))
			exit(4);
	}
	printf("cursor %.1f Mcalls/s\n", (double)s.events * 1e3 / (double)best);
	printf("memory %.1f Mcalls/s\n", (double)s.events * 1e3 / (double)floor);
	bench_chunks(copy, want->events);
	free(copy);
}

/* ---- a table of rows that cost nothing ----------------------------------- */

struct nil_cursor {
	sqlite3_vtab_cursor base;
	uint64_t left;
};

static uint64_t nil_rows;

static int nil_connect(sqlite3 *sql, void *aux, int argc,
		       const char *const *argv, sqlite3_vtab **out, char **msg)
{
	*out = sqlite3_malloc(sizeof(**out));
	memset(*out, 0, sizeof(**out));
	return sqlite3_declare_vtab(sql, "CREATE TABLE x (kind, size INTEGER, "
					 "t_ns INTEGER)");
}

static int nil_disconnect(sqlite3_vtab *t)
{
	sqlite3_free(t);
	return SQLITE_OK;
}

static int nil_best_index(sqlite3_vtab *t, sqlite3_index_info *info)
{
	int i;

	for (i = 0; i < info->nConstraint; i++) {
		info->aConstraintUsage[i].argvIndex = i + 1;
		info->aConstraintUsage[i].omit = 1;
	}
	return SQLITE_OK;
}

static int nil_open(sqlite3_vtab *t, sqlite3_vtab_cursor **out)
{
	*out = calloc(1, sizeof(struct nil_cursor));
	return *out ? SQLITE_OK : SQLITE_NOMEM;
}

static int nil_close(sqlite3_vtab_cursor *c)
{
	free(c);
	return SQLITE_OK;
}

static int nil_filter(sqlite3_vtab_cursor *c, int plan, const char *str,
		      int argc, sqlite3_value **argv)
{
	((struct nil_cursor *)c)->left = nil_rows;
	return SQLITE_OK;
}

static int nil_next(sqlite3_vtab_cursor *c)
{
	((struct nil_cursor *)c)->left--;
	return SQLITE_OK;
}

static int nil_eof(sqlite3_vtab_cursor *c)
{
	return !((struct nil_cursor *)c)->left;
}

/* Times grow, as those of events do. */
static int nil_column(sqlite3_vtab_cursor *c, sqlite3_context *ctx, int col)
{
	uint64_t left = ((struct nil_cursor *)c)->left;

	sqlite3_result_int64(
		ctx, col == 1 ? 4096 : (int64_t)(1u << 30) - (int64_t)left);
	return SQLITE_OK;
}

static int nil_rowid(sqlite3_vtab_cursor *c, sqlite3_int64 *id)
{
	*id = (sqlite3_int64)((struct nil_cursor *)c)->left;
	return SQLITE_OK;
}

static const sqlite3_module nil_module = {
	.xConnect = nil_connect,
	.xBestIndex = nil_best_index,
	.xDisconnect = nil_disconnect,
	.xOpen = nil_open,
	.xClose = nil_close,
	.xFilter = nil_filter,
	.xNext = nil_next,
	.xEof = nil_eof,
	.xColumn = nil_column,
	.xRowid = nil_rowid,
};

static sqlite3_stmt *nil_query(void)
{
	sqlite3_stmt *stmt;
	sqlite3 *sql;
	char text[200];

	snprintf(text, sizeof(text), QUERY, "nil");
	if (sqlite3_open_v2(":memory:", &sql,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) ||
	    sqlite3_create_module(sql, "nil", &nil_module, NULL) ||
	    sqlite3_prepare_v2(sql, text, -1, &stmt, NULL))
		exit(4);
	return stmt;
}

/* ---- frees by SQL ---------------------------------------------------------- */

static int take_sums(void *ctx, int ncol, const char *const *names,
		     const char *const *values, const enum zsr_sql_type *types)
{
	struct sums *s = ctx;

	if (values) {
		s->frees = strtoull(values[0], NULL, 10);
		s->size = values[1] ? strtoull(values[1], NULL, 10) : 0;
	}
	return 0;
}

static void bench_sql(struct zsr_db *db, uint64_t frees)
{
	uint64_t best = UINT64_MAX, floor = UINT64_MAX, start;
	sqlite3_stmt *nil = nil_query();
	sqlite3 *sql = sqlite3_db_handle(nil);
	char text[200];
	struct sums s;
	unsigned i;

	snprintf(text, sizeof(text), QUERY, "zsr_event");
	nil_rows = frees;
	for (i = 0; i < ROUNDS; i++) {
		start = zsr_cpu_ns();
		if (zsr_db_sql(db, text, take_sums, &s, &e))
			die("sql");
		best = zsr_min(best, zsr_cpu_ns() - start);
		if (s.frees != frees)
			exit(4);
		start = zsr_cpu_ns();
		sqlite3_step(nil);
		sqlite3_reset(nil);
		floor = zsr_min(floor, zsr_cpu_ns() - start);
	}
	printf("sql_free %.2f Mrows/s\n", (double)frees * 1e3 / (double)best);
	printf("sql_free_nothing %.2f Mrows/s\n",
	       (double)frees * 1e3 / (double)floor);
	sqlite3_finalize(nil);
	sqlite3_close(sql);
}

int main(int argc, char **argv)
{
	const char *path = argc > 1 ? argv[1] : "read-bench.db";
	struct zsr_db *db;
	struct sums sums;

	if (argc <= 1)
		make_trace(path);
	if (zsr_db_open(&db, path, ZSR_DB_READONLY, &e))
		die("open");
	bench_cursor(db, &sums);
	bench_sql(db, sums.frees);
	zsr_db_close(db);
	if (argc <= 1)
		unlink(path);
	return 0;
}
