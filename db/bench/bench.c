// SPDX-License-Identifier: GPL-2.0-only
/*
 * How fast and how small the store is: bench [RECORDS [DATABASE]]. Records of
 * a machine with four CPUs, whose tasks store pages and release them in turn,
 * are made in memory and given to the import's sink; only the time spent in it
 * counts. Prints "name value unit" lines.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db/db.h"

#define NR_CPUS  4
#define PER_TASK 65536 /* objects a task stores before it releases */
#define BATCH    4096

/* One CPU, on which one task stores and releases. */
struct cpu {
	uint64_t t_ns;
	uint64_t handle[PER_TASK];
	uint32_t nr;
	bool releasing;
	struct zsr_rec ret; /* the return that comes next */
	bool returning;
};

struct gen {
	struct zsr_rng rng;
	struct cpu cpu[NR_CPUS];
	uint64_t free_handle[NR_CPUS * PER_TASK];
	uint32_t nr_free;
};

static void die(const char *what, const struct zsr_err *e)
{
	fprintf(stderr, "bench: %s: %s\n", what, e->msg);
	exit(4);
}

static void next_call(struct gen *g, unsigned nr, struct zsr_rec *rec)
{
	struct cpu *c = &g->cpu[nr];
	struct zsr_rec r = {
		.pool = 0xffff888001000000,
		.pid = (int32_t)(1000 + nr),
		.cpu = (uint16_t)nr,
		.has = ZSR_REC_HAS_POOL,
	};

	if (c->nr == PER_TASK || c->nr == 0)
		c->releasing = c->nr == PER_TASK;
	c->t_ns += (c->releasing ? 500 : 2500) + zsr_rng_below(&g->rng, 1200);
	r.t_ns = c->t_ns;
	if (c->releasing) {
		r.kind = ZSR_REC_FREE;
		r.handle = c->handle[PER_TASK - c->nr--];
		g->free_handle[g->nr_free++] = r.handle;
		*rec = r;
		r.kind = ZSR_REC_FREE_RET;
	} else {
		/* What zram sees: most sizes once, some pages whole. */
		r.kind = ZSR_REC_MALLOC;
		r.value = zsr_rng_below(&g->rng, 8)
				  ? 200 + zsr_rng_below(&g->rng, 3000)
				  : 4096;
		r.gfp = 0x2c0a;
		r.has |= ZSR_REC_HAS_SIZE | ZSR_REC_HAS_GFP;
		*rec = r;
		r.kind = ZSR_REC_MALLOC_RET;
		r.handle = g->free_handle[--g->nr_free];
		c->handle[c->nr++] = r.handle;
	}
	c->t_ns += 300 + zsr_rng_below(&g->rng, 400);
	r.t_ns = c->t_ns;
	c->ret = r;
}

/* The records in time order: always from the CPU that is furthest back. */
static void next_rec(struct gen *g, struct zsr_rec *rec)
{
	unsigned i, first = 0;
	struct cpu *c;

	for (i = 1; i < NR_CPUS; i++)
		if (g->cpu[i].t_ns < g->cpu[first].t_ns)
			first = i;
	c = &g->cpu[first];
	if (c->returning)
		*rec = c->ret;
	else
		next_call(g, first, rec);
	c->returning = !c->returning;
}

static struct gen *make_gen(void)
{
	struct gen *g = calloc(1, sizeof(*g));
	uint32_t i, j;
	uint64_t swap;

	if (!g)
		exit(4);
	g->rng.state = 1;
	for (i = 0; i < NR_CPUS * PER_TASK; i++)
		g->free_handle[i] = 0xffff888100000000 + 8ull * i;
	/* A slab that has been in use for a while. */
	for (i = NR_CPUS * PER_TASK - 1; i; i--) {
		j = (uint32_t)zsr_rng_below(&g->rng, i + 1);
		swap = g->free_handle[i];
		g->free_handle[i] = g->free_handle[j];
		g->free_handle[j] = swap;
	}
	g->nr_free = NR_CPUS * PER_TASK;
	return g;
}

static uint64_t file_size(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : (uint64_t)st.st_size;
}

static void import(const char *path, uint64_t records, struct zsr_trace *t)
{
	const struct zsr_import_opts opts = {
		.name = "bench",
		.kernel = "6.12",
		.page_size = 4096,
		.times = ZSR_TIMES_SYNTHETIC,
	};
	struct zsr_err e = { 0 };
	struct zsr_import *imp;
	struct zsr_rec *recs = malloc(BATCH * sizeof(*recs));
	struct gen *g = make_gen();
	uint64_t start, spent, done = 0, n, i;
	struct zsr_sink *sink;
	struct zsr_odd odd;
	struct zsr_db *db;

	unlink(path);
	start = zsr_clock_ns();
	if (zsr_db_open(&db, path, ZSR_DB_CREATE, &e) ||
	    zsr_import_begin(db, &opts, &imp, &e))
		die("import", &e);
	spent = zsr_clock_ns() - start;
	printf("open_ms %.3f ms\n", (double)spent / 1e6);
	sink = zsr_import_sink(imp);
	for (; done < records; done += n) {
		n = zsr_min(records - done, (uint64_t)BATCH);
		for (i = 0; i < n; i++)
			next_rec(g, &recs[i]);
		start = zsr_clock_ns();
		if (sink->recs(sink->ctx, recs, n, &e))
			die("import", &e);
		spent += zsr_clock_ns() - start;
	}
	start = zsr_clock_ns();
	if (zsr_import_finish(imp, t, &odd, &e))
		die("import", &e);
	printf("finish_ms %.3f ms\n", (double)(zsr_clock_ns() - start) / 1e6);
	spent += zsr_clock_ns() - start;
	zsr_db_close(db);
	printf("import %.2f Mrecords/s\n",
	       (double)records * 1e3 / (double)spent);
	printf("bytes_per_call %.3f bytes\n",
	       (double)file_size(path) / (double)(t->nr_mallocs + t->nr_frees));
	free(recs);
	free(g);
}

static void decode(struct zsr_db *db, const struct zsr_trace *t)
{
	const struct zsr_event *ev;
	uint64_t start = zsr_clock_ns(), events = 0, spent;
	struct zsr_err e = { 0 };
	struct zsr_cursor *c;
	int n;

	if (zsr_cursor_open(db, t->id, &c, &e))
		die("cursor", &e);
	while ((n = zsr_cursor_next(c, &ev, &e)) > 0)
		events += (uint64_t)n;
	if (n < 0)
		die("cursor", &e);
	zsr_cursor_close(c);
	spent = zsr_clock_ns() - start;
	printf("decode %.1f Mcalls/s\n", (double)events * 1e3 / (double)spent);
}

static int take_count(void *ctx, int ncol, const char *const *names,
		      const char *const *values, const enum zsr_sql_type *types)
{
	if (values)
		*(uint64_t *)ctx = strtoull(values[0], NULL, 10);
	return 0;
}

static void query(struct zsr_db *db, const char *name, const char *sql)
{
	struct zsr_err e = { 0 };
	uint64_t start = zsr_clock_ns(), rows = 0;

	if (zsr_db_sql(db, sql, take_count, &rows, &e))
		die("sql", &e);
	printf("%s %.2f Mrows/s\n", name,
	       (double)rows * 1e3 / (double)(zsr_clock_ns() - start));
}

int main(int argc, char **argv)
{
	uint64_t records = argc > 1 ? strtoull(argv[1], NULL, 10) : 10000000;
	const char *path = argc > 2 ? argv[2] : "bench.db";
	struct zsr_err e = { 0 };
	struct rusage use;
	struct zsr_trace t;
	struct zsr_db *db;
	int i;

	import(path, records, &t);
	if (zsr_db_open(&db, path, ZSR_DB_READONLY, &e))
		die("open", &e);
	for (i = 0; i < 3; i++)
		decode(db, &t);
	query(db, "sql_free",
	      "select count(*), sum(size), max(t_ns) from zsr_event "
	      "where kind = 'free'");
	query(db, "sql_all", "select count(*), sum(size) from zsr_event");
	zsr_db_close(db);
	getrusage(RUSAGE_SELF, &use);
	printf("max_rss %.1f MiB\n", (double)use.ru_maxrss / 1024);
	if (argc <= 2)
		unlink(path);
	return 0;
}
