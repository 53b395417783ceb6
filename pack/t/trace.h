/* SPDX-License-Identifier: GPL-2.0-only */
/* What tests of packs share: a random trace, and a pack of it. */
#ifndef ZSR_PACK_T_TRACE_H
#define ZSR_PACK_T_TRACE_H

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "db/t/gen.h"
#include "pack/private.h"
#include "tests/check.h"

#define OK(expr) ck_assert_msg((expr) == 0, "%s: %s", #expr, e.msg)

static inline struct zsr_trace make_trace(struct zsr_db *db, uint64_t seed,
					  size_t n, bool extreme)
{
	struct gen g = { .rng = { seed }, .nr_tasks = 5, .extreme = extreme };
	struct zsr_trace t = gen_facts("random");
	struct zsr_err e = { 0 };
	struct zsr_writer *w;
	struct zsr_task task;
	struct zsr_event ev;
	unsigned i;
	int ret = 0;

	OK(zsr_writer_begin(db, &t, &w, &e));
	for (i = 0; i < 5; i++) {
		task = (struct zsr_task){ .row = i, .pid = (int32_t)i + 100 };
		snprintf(task.comm, sizeof(task.comm), "task%u", i);
		OK(zsr_writer_task(w, &task, &e));
	}
	for (i = 0; i < 3; i++)
		OK(zsr_writer_row(w, ZSR_TABLE_POOLS, i, "", "zram", &e));
	for (; n && !ret; n--) {
		ev = gen_event(&g);
		ret = zsr_writer_add(w, &ev, 1, &e);
	}
	OK(ret);
	OK(zsr_writer_row(w, ZSR_TABLE_MARKS, 0, "", "snap:start", &e));
	OK(zsr_writer_row(w, ZSR_TABLE_MARKS, 1, "", "a\ttab \\ and more", &e));
	OK(zsr_writer_row(w, ZSR_TABLE_META, -1, "arch", "arm64", &e));
	OK(zsr_writer_row(w, ZSR_TABLE_META, -1, "note", "two\nlines", &e));
	OK(zsr_writer_row(w, ZSR_TABLE_ODD, -1, "lost", "7", &e));
	OK(zsr_writer_commit(w, &t, &e));
	free(g.live);
	return t;
}

/* A pack of a trace, as a file that is read from its begin. */
static inline FILE *make_pack(struct zsr_db *db, const struct zsr_trace *t,
			      uint64_t *bytes)
{
	static struct zsr_manifest_line runs[] = {
		{ (char *)"result.001", (char *)"sync 00" },
	};
	static const struct zsr_manifest more = { .line = runs, .nr = 1 };
	const struct zsr_pack_what what = {
		.db = db,
		.trace = t,
		.more = &more,
		.readme = "A trace.\n",
		.results = "policy: sync\ndigest: 00\n\n",
	};
	struct zsr_err e = { 0 };
	FILE *f = tmpfile();

	OK(zsr_pack_write(&what, f, bytes, &e));
	fflush(f);
	lseek(fileno(f), 0, SEEK_SET);
	return f;
}

/* What a file holds, freed by the caller. */
static inline char *bytes_of(FILE *f, size_t n)
{
	char *p = malloc(n + 1);

	ck_assert(pread(fileno(f), p, n, 0) == (ssize_t)n);
	p[n] = '\0';
	return p;
}

#endif
