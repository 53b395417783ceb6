// SPDX-License-Identifier: GPL-2.0-only
/*
 * How much memory an import takes: memory [EVENTS]. Events (50 million) come
 * through a pipe to a process that imports them and does nothing else, while a
 * million objects are live, and four million: 4 and 16 GiB of memory swapped out
 * in pages of 4 KiB. Objects are freed in random order and
 * their handles reused, last freed first, so that neighbours in the slab were
 * handed out far apart: the worst the table of handles knows. Prints "name value
 * unit" lines.
 */
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "db/db.h"

#define BATCH 4096
#define BASE  0xffff888100000000ull

static struct zsr_err e;

static void die(const char *what)
{
	fprintf(stderr, "memory: %s: %s\n", what, e.msg);
	_exit(4);
}

/* ---- who imports ----------------------------------------------------------- */

static void read_all(int fd, void *buf, size_t size, size_t *got)
{
	ssize_t n = 1;

	for (*got = 0; *got < size && n > 0; *got += (size_t)zsr_max(n, 0))
		n = read(fd, (char *)buf + *got, size - *got);
}

static void import(int fd, const char *path)
{
	const struct zsr_import_opts opts = {
		.name = "bench",
		.kernel = "6.12",
		.page_size = 4096,
		.times = ZSR_TIMES_SYNTHETIC,
	};
	static struct zsr_rec recs[BATCH];
	struct zsr_import *imp;
	struct zsr_sink *sink;
	struct zsr_trace t;
	struct zsr_odd odd;
	struct zsr_db *db;
	size_t got;

	if (zsr_db_open(&db, path, ZSR_DB_CREATE, &e) ||
	    zsr_import_begin(db, &opts, &imp, &e))
		die("import");
	sink = zsr_import_sink(imp);
	for (;;) {
		read_all(fd, recs, sizeof(recs), &got);
		if (!got)
			break;
		if (sink->recs(sink->ctx, recs, got / sizeof(*recs), &e))
			die("import");
	}
	if (zsr_import_finish(imp, &t, &odd, &e))
		die("import");
	zsr_db_close(db);
}

/* ---- what is imported -------------------------------------------------------- */

static struct zsr_rec batch[BATCH];
static size_t nr_batch;

static void put(int fd, unsigned kind, uint64_t t_ns, uint64_t handle,
		uint64_t size)
{
	batch[nr_batch++] = (struct zsr_rec){
		.t_ns = t_ns,
		.handle = BASE + 8 * handle,
		.value = size,
		.pool = BASE,
		.pid = 1,
		.kind = (uint8_t)kind,
		.has = ZSR_REC_HAS_POOL | ZSR_REC_HAS_SIZE,
	};
	if (nr_batch < BATCH)
		return;
	if (write(fd, batch, sizeof(batch)) != sizeof(batch))
		exit(4);
	nr_batch = 0;
}

/* NR_LIVE stores, then a random one freed and one stored, in turn; handles in
 * an order that nobody could guess. */
static void generate(int fd, uint64_t events, size_t nr_live)
{
	uint32_t *handle = malloc(nr_live * sizeof(*handle)), swap;
	struct zsr_rng rng = { 7 };
	uint64_t t = 0, i;
	size_t k;

	for (k = 0; k < nr_live; k++)
		handle[k] = (uint32_t)k;
	for (k = nr_live - 1; k; k--) {
		i = zsr_rng_below(&rng, k + 1);
		swap = handle[i];
		handle[i] = handle[k];
		handle[k] = swap;
	}
	for (i = 0; i < events; i++) {
		t += 400 + zsr_rng_below(&rng, 800);
		if (i < nr_live) {
			put(fd, ZSR_REC_MALLOC_DONE, t, handle[i], 1000);
			continue;
		}
		if ((i - nr_live) % 2 == 0) {
			k = (size_t)zsr_rng_below(&rng, nr_live);
			put(fd, ZSR_REC_FREE, t, handle[k], 0);
			put(fd, ZSR_REC_FREE_RET, t + 300, 0, 0);
		} else {
			put(fd, ZSR_REC_MALLOC_DONE, t, handle[k],
			    50 + zsr_rng_below(&rng, 4000));
		}
	}
	if (write(fd, batch, nr_batch * sizeof(*batch)) < 0)
		exit(4);
	nr_batch = 0;
	free(handle);
}

static void measure(uint64_t events, size_t nr_live)
{
	static const char path[] = "memory-bench.db";
	struct rusage use;
	int fds[2], status;
	pid_t pid;

	unlink(path);
	if (pipe(fds))
		exit(4);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		close(fds[1]);
		import(fds[0], path);
		_exit(0);
	}
	close(fds[0]);
	generate(fds[1], events, nr_live);
	close(fds[1]);
	if (wait4(pid, &status, 0, &use) != pid || status)
		exit(4);
	unlink(path);
	printf("memory_%zu_live %.1f MiB\n", nr_live,
	       (double)use.ru_maxrss / 1024);
}

int main(int argc, char **argv)
{
	uint64_t events = argc > 1 ? strtoull(argv[1], NULL, 10) : 50000000;

	measure(events, 1u << 20);
	measure(events, 1u << 22);
	return 0;
}
