// SPDX-License-Identifier: GPL-2.0-only
/*
 * How fast the store fills and how small it is: bench [RECORDS [DATABASE]].
 * Records are made in memory and given to the import's sink; only the time
 * spent in it counts. Prints "name value unit" lines.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db/bench/gen.h"
#include "db/db.h"

#define BATCH 4096

static void die(const char *what, const struct zsr_err *e)
{
	fprintf(stderr, "bench: %s: %s\n", what, e->msg);
	exit(4);
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

int main(int argc, char **argv)
{
	uint64_t records = argc > 1 ? strtoull(argv[1], NULL, 10) : 10000000;
	const char *path = argc > 2 ? argv[2] : "bench.db";
	struct rusage use;
	struct zsr_trace t;

	import(path, records, &t);
	getrusage(RUSAGE_SELF, &use);
	printf("max_rss %.1f MiB\n", (double)use.ru_maxrss / 1024);
	if (argc <= 2)
		unlink(path);
	return 0;
}
