// SPDX-License-Identifier: GPL-2.0-only
/*
 * Traces as records and back: what is imported again has the same digest,
 * unless it was said that something cannot be told; then it still imports.
 */
#include "db/t/feed.h"

static int nothing(void *ctx, int64_t nr, const char *key, const char *value)
{
	strcat(strcat(strcat(strcat(ctx, key), "="), value), " ");
	return 0;
}

static uint64_t unsaid(const struct zsr_recording *how)
{
	uint64_t n = 0;

#define X(name, text) n += how->unsaid.name;
	ZSR_UNSAID(X)
#undef X
	return n;
}

static int again(struct zsr_db *db, const struct zsr_trace *t,
		 const struct zsr_recording *how, struct zsr_trace *copy,
		 struct zsr_odd *odd, struct zsr_err *e)
{
	const struct zsr_import_opts opts = { .name = "again", .force = true };
	struct zsr_import *imp;
	int ret = zsr_import_begin(db, &opts, &imp, e);

	if (ret)
		return ret;
	ret = zsr_trace_records(db, t, how, zsr_import_sink(imp), e);
	if (ret) {
		zsr_import_abort(imp);
		return ret;
	}
	return zsr_import_finish(imp, copy, odd, e);
}

/* ---- imported traces -------------------------------------------------------- */

struct life {
	uint64_t handle[8];
	bool in_call[8], freeing[8], compacting[8];
};

/* The next record of one of eight tasks; each has a handle of its own. Mallocs
 * in one record go badly with others whose return is dropped. */
static struct zsr_rec next_rec(struct zsr_rng *rng, struct life *l, uint64_t t,
			       bool whole)
{
	unsigned k = (unsigned)zsr_rng_below(rng, 8);
	struct zsr_rec r = {
		.t_ns = t,
		.pool = POOL(1 + k % 3),
		.handle = HANDLE(k + 1),
		.value = 50 + zsr_rng_below(rng, 9),
		.gfp = 3,
		.pid = (int32_t)k + 10,
		.has = ZSR_REC_HAS_POOL | ZSR_REC_HAS_SIZE | ZSR_REC_HAS_GFP,
		.cpu = (uint16_t)zsr_rng_below(rng, 4),
	};
	unsigned dice = (unsigned)zsr_rng_below(rng, 100);

	if (dice == 0) {
		r.kind = ZSR_REC_LOST;
		r.value = zsr_rng_below(rng, 2);
	} else if (dice == 1) {
		r.kind = l->compacting[k] ? ZSR_REC_COMPACT_RET
					  : ZSR_REC_COMPACT;
		l->compacting[k] = !l->compacting[k];
	} else if (dice == 2) {
		r.kind = ZSR_REC_ZSPAGE_FREE;
	} else if (dice == 3 && whole && !l->in_call[k]) {
		r.kind = ZSR_REC_MALLOC_DONE;
		r.handle = HANDLE(100 + zsr_rng_below(rng, 3));
		r.value = zsr_rng_below(rng, 3) * 3000;
	} else {
		if (!l->in_call[k])
			l->freeing[k] = l->handle[k];
		if (l->in_call[k])
			r.kind = l->freeing[k] ? ZSR_REC_FREE_RET
					       : ZSR_REC_MALLOC_RET;
		else
			r.kind = l->freeing[k] ? ZSR_REC_FREE : ZSR_REC_MALLOC;
		if (l->in_call[k])
			l->handle[k] = !l->freeing[k];
		l->in_call[k] = !l->in_call[k];
	}
	return r;
}

static void import_random(struct zsr_db *db, uint64_t seed, unsigned drop,
			  struct zsr_trace *t)
{
	struct zsr_rng rng = { seed };
	struct life l = { 0 };
	struct zsr_err e = { 0 };
	struct zsr_import *imp;
	struct zsr_sink *sink;
	struct zsr_odd odd;
	struct zsr_rec r;
	char text[40];
	unsigned i;
	int ret = 0;

	OK(zsr_import_begin(db, &some_opts, &imp, &e));
	sink = zsr_import_sink(imp);
	OK(sink->meta(sink->ctx, "clock.start_ns", "12345678901", &e));
	OK(sink->meta(sink->ctx, "board", "a=b, c", &e));
	OK(sink->task(sink->ctx, 12, "twelve", &e));
	for (i = 0; i < 3000 && !ret; i++) {
		r = next_rec(&rng, &l, 1000 + 2 * i + zsr_rng_below(&rng, 2),
			     !drop);
		if (i % 500 == 100) {
			r.kind = ZSR_REC_MARK;
			sprintf(text, "mark %u", i % 1000);
			ret = sink->mark(sink->ctx, &r, text, &e);
		} else if (zsr_rng_below(&rng, 1000) >= drop) {
			ret = sink->recs(sink->ctx, &r, 1, &e);
		}
	}
	OK(ret);
	OK(zsr_import_finish(imp, t, &odd, &e));
}

START_TEST(imported)
{
	const char *path = gen_path();
	char before[2000], after[2000];
	struct zsr_recording how;
	struct zsr_trace t, copy;
	struct zsr_err e = { 0 };
	struct zsr_odd odd;
	struct zsr_db *db;
	uint64_t seed;

	OK(zsr_db_open(&db, path, ZSR_DB_CREATE, &e));
	for (seed = 1; seed <= 60; seed++) {
		import_random(db, seed, seed % 3 * 50, &t);
		OK(zsr_trace_recording(db, &t, &how, &e));
		ck_assert_uint_eq(unsaid(&how), 0);
		OK(again(db, &t, &how, &copy, &odd, &e));
		ck_assert_msg(!strcmp(t.digest, copy.digest), "seed %d",
			      (int)seed);
		ck_assert_uint_eq(t.nr_lost, copy.nr_lost);
		ck_assert_uint_eq(t.fact_flags, copy.fact_flags);
		*before = *after = '\0';
		OK(zsr_trace_rows(db, t.id, ZSR_TABLE_META, nothing, before, &e));
		OK(zsr_trace_rows(db, copy.id, ZSR_TABLE_META, nothing, after,
				  &e));
		ck_assert_ptr_nonnull(strstr(after, "board=a=b, c "));
		ck_assert_ptr_nonnull(strstr(after, "clock.start_ns="));
	}
	zsr_db_close(db);
	gen_cleanup(path);
}
END_TEST

/* ---- traces that were written ------------------------------------------------ */

/* TAME: what an import could have made, of one task. */
static void write_random(struct zsr_db *db, uint64_t seed, bool tame,
			 struct zsr_trace *t)
{
	struct gen g = { .rng = { seed },
			 .nr_tasks = tame ? 1 : 5,
			 .extreme = seed % 4 == 0 };
	struct zsr_err e = { 0 };
	struct zsr_writer *w;
	struct zsr_task task;
	struct zsr_event ev;
	unsigned i;
	int ret = 0;

	*t = gen_facts("w");
	OK(zsr_writer_begin(db, t, &w, &e));
	for (i = 0; i < g.nr_tasks; i++) {
		task = (struct zsr_task){ .row = i, .pid = (int32_t)i + 1 };
		sprintf(task.comm, "t%u", i);
		OK(zsr_writer_task(w, &task, &e));
	}
	for (i = 0; i < 3; i++)
		OK(zsr_writer_row(w, ZSR_TABLE_POOLS, i, "",
				  i ? "zram" : "zswap", &e));
	OK(zsr_writer_row(w, ZSR_TABLE_MARKS, 0, "", "again and again", &e));
	for (i = 0; i < 2000 && !ret; i++) {
		ev = gen_event(&g);
		ev.t_ns += 2 * i;
		if (tame || ev.kind == ZSR_EV_MARK)
			ev.aux = 0;
		if (tame && ev.kind == ZSR_EV_LOCK_WAIT)
			continue;
		if (tame)
			ev.dur_ns = ev.kind == ZSR_EV_MALLOC && i;
		if (tame && ev.kind <= ZSR_EV_FREE)
			ev.caller = (uint8_t)(i % ZSR_CALLER_NR);
		ret = zsr_writer_add(w, &ev, 1, &e);
	}
	OK(ret);
	OK(zsr_writer_commit(w, t, &e));
	free(g.live);
}

START_TEST(written)
{
	const char *path = gen_path();
	struct zsr_recording how;
	struct zsr_trace t, copy;
	struct zsr_err e = { 0 };
	struct zsr_odd odd;
	struct zsr_db *db;
	uint64_t seed;
	bool same;

	OK(zsr_db_open(&db, path, ZSR_DB_CREATE, &e));
	for (seed = 1; seed <= 60; seed++) {
		write_random(db, seed, seed % 2, &t);
		OK(zsr_trace_recording(db, &t, &how, &e));
		OK(again(db, &t, &how, &copy, &odd, &e));
		same = !strcmp(t.digest, copy.digest);
		ck_assert_msg(same == !unsaid(&how), "seed %d", (int)seed);
		ck_assert_msg(same == seed % 2, "seed %d", (int)seed);
	}
	zsr_db_close(db);
	gen_cleanup(path);
}
END_TEST

ZSR_TEST_MAIN("db/records", imported, written)
