// SPDX-License-Identifier: GPL-2.0-only
/* The import pass: records in, events and counts out, case by case; the window
 * in which frees wait; losses at random. */
#include "db/handles.h"
#include "db/t/feed.h"
#include "db/window.h"

/* ---- events as text ---------------------------------------------------------- */

/* "time kind cpu.task[+pool] oOBJ sSIZE dDUR aAUX flags" */
static void dump_event(const struct zsr_event *ev, char *out)
{
	char *p = out;

	p += sprintf(p, "%" PRIu64 " %s %u.%u", ev->t_ns,
		     zsr_event_kind_name(ev->kind), ev->cpu, ev->task);
	if (ev->pool)
		p += sprintf(p, "+%u", ev->pool);
	if (ev->obj != ZSR_OBJ_NONE)
		p += sprintf(p, " o%" PRIu64, ev->obj);
	if (ev->size)
		p += sprintf(p, " s%u", ev->size);
	if (ev->dur_ns)
		p += sprintf(p, " d%" PRIu64, ev->dur_ns);
	if (ev->aux)
		p += sprintf(p, " a%" PRIu64, ev->aux);
	if (ev->flags)
		p += sprintf(p, " %s%s%s",
			     ev->flags & ZSR_EVF_INFERRED ? "I" : "",
			     ev->flags & ZSR_EVF_ORPHAN ? "O" : "",
			     ev->flags & ZSR_EVF_AFTER_LOSS ? "L" : "");
	sprintf(p, "\n");
}

static void dump_trace(struct zsr_db *db, int64_t trace, char *out)
{
	const struct zsr_event *ev;
	struct zsr_err e = { 0 };
	struct zsr_cursor *c;
	int i, n;

	*out = 0;
	OK(zsr_cursor_open(db, trace, &c, &e));
	while ((n = zsr_cursor_next(c, &ev, &e)) > 0)
		for (i = 0; i < n; i++)
			dump_event(&ev[i], out + strlen(out));
	ck_assert_msg(n == 0, "%s", e.msg);
	zsr_cursor_close(c);
}

/* "lost_frees=1 records=4", without what is 0. */
static void dump_odd(const struct zsr_odd *odd, char *out)
{
	*out = 0;
#define X(name, text)                                                          \
	if (odd->name)                                                         \
		sprintf(out + strlen(out), #name "=%" PRIu64 " ", odd->name);
	ZSR_ODD_COUNTS(X)
#undef X
}

/* ---- cases --------------------------------------------------------------------- */

static const struct {
	const char *name;
	const char *records;
	const char *events;
	const char *odd;
} cases[] = {
	{ "a pair of each",
	  "1000 0 5 M 1 100\n1010 0 5 R 1\n1020 0 5 F 1 1\n1035 0 5 f\n",
	  "10 malloc 0.0 o0 s100 d10\n20 free 0.0 o0 s100 d15\n", "records=4 " },
	{ "one record an allocation, no returns of frees",
	  "5 0 5 D 1 64 1\n6 0 5 D 1 65 2\n7 0 6 F 1 2\n8 0 6 F 1 1\n",
	  "0 malloc 0.0 o0 s64\n1 malloc 0.0 o1 s65\n2 free 0.1 o1 s65\n"
	  "3 free 0.1 o0 s64\n",
	  "records=4 " },
	{ "a task that moves to another cpu within a call",
	  "0 0 5 M 1 100\n10 3 5 R 1\n20 3 5 F 1 1\n35 1 5 f\n",
	  "10 malloc 3.0 o0 s100 d10\n20 free 3.0 o0 s100 d15\n", "records=4 " },
	{ "calls of two tasks overlap: objects by return, frees by entry",
	  "0 0 5 M 1 100\n1 1 6 M 1 200\n2 1 6 R 2\n3 0 5 R 1\n"
	  "10 0 5 F 1 1\n11 1 6 F 1 2\n12 1 6 f\n19 0 5 f\n",
	  "2 malloc 1.0 o0 s200 d1\n3 malloc 0.1 o1 s100 d3\n"
	  "10 free 0.1 o1 s100 d9\n11 free 1.0 o0 s200 d1\n",
	  "records=8 " },
	{ "a handle is handed out again before its free returned",
	  "0 0 5 D 1 100 1\n5 0 5 F 1 1\n6 1 6 D 1 200 1\n9 0 5 f\n"
	  "10 1 6 F 1 1\n11 1 6 f\n",
	  "0 malloc 0.0 o0 s100\n5 free 0.0 o0 s100 d4\n"
	  "6 malloc 1.1 o1 s200\n10 free 1.1 o1 s200 d1\n",
	  "records=6 " },
	{ "the same moment on two cpus stays in the order given",
	  "7 0 5 D 1 10 1\n7 1 6 D 1 20 2\n7 1 6 D 1 30 3\n",
	  "0 malloc 0.0 o0 s10\n0 malloc 1.1 o1 s20\n0 malloc 1.1 o2 s30\n",
	  "records=3 live_at_end=3 " },
	{ "orphan", "0 0 5 D 1 10 1\n1 0 5 F 1 9\n2 0 5 f\n",
	  "0 malloc 0.0 o0 s10\n1 free 0.0 d1 O\n",
	  "records=3 orphan_frees=1 live_at_end=1 " },
	{ "double free",
	  "0 0 5 D 1 10 1\n1 0 5 F 1 1\n2 0 5 f\n3 0 5 F 1 1\n4 0 5 f\n",
	  "0 malloc 0.0 o0 s10\n1 free 0.0 o0 s10 d1\n3 free 0.0 d1 O\n",
	  "records=5 double_frees=1 " },
	{ "lost free: the handle comes back",
	  "0 0 5 D 1 10 1\n4 1 6 M 1 20\n5 1 6 R 1\n9 1 6 F 1 1\n",
	  "0 malloc 0.0 o0 s10\n5 free 1.1 o0 s10 I\n"
	  "5 malloc 1.1 o1 s20 d1\n9 free 1.1 o1 s20\n",
	  "records=4 lost_frees=1 " },
	{ "the same handle in two pools is two objects",
	  "0 0 5 D 1 10 1\n1 0 5 D 2 20 1\n2 0 5 F 2 1\n3 0 5 F 1 1\n",
	  "0 malloc 0.0 o0 s10\n1 malloc 0.0+1 o1 s20\n"
	  "2 free 0.0+1 o1 s20\n3 free 0.0 o0 s10\n",
	  "records=4 " },
	{ "frees whose pool was not recorded find their object's",
	  "0 0 5 D 1 10 1\n1 0 5 D 2 20 2\n2 0 5 F 0 2\n3 0 5 F 0 1\n"
	  "4 0 5 F 0 3\n",
	  "0 malloc 0.0 o0 s10\n1 malloc 0.0+1 o1 s20\n"
	  "2 free 0.0+1 o1 s20\n3 free 0.0 o0 s10\n4 free 0.0 O\n",
	  "records=5 orphan_frees=1 " },
	{ "no pool recorded anywhere", "0 0 5 D 0 10 1\n1 0 5 F 0 1\n",
	  "0 malloc 0.0 o0 s10\n1 free 0.0 o0 s10\n", "records=2 " },
	{ "a pool made where another was is another",
	  "0 0 5 P 1\n1 0 5 D 1 10 1\n2 0 5 P 1\n3 0 5 D 1 20 1\n"
	  "4 0 5 F 1 1\n",
	  "1 malloc 0.0 o0 s10\n3 malloc 0.0+1 o1 s20\n"
	  "4 free 0.0+1 o1 s20\n",
	  "records=5 live_at_end=1 " },
	{ "failed mallocs",
	  "0 0 5 M 1 10\n1 0 5 R 0\n2 0 5 M 1 10\n3 0 5 R -12\n"
	  "4 0 5 M 1 10\n5 0 5 R -4095\n6 0 5 D 1 10 -28\n7 0 5 D 1 10 1\n",
	  "7 malloc 0.0 o0 s10\n", "records=8 live_at_end=1 malloc_failed=4 " },
	{ "entry without return, return without entry",
	  "0 0 5 M 1 10\n1 0 5 M 1 20\n2 0 5 R 1\n3 0 5 R 2\n4 0 6 M 1 9\n",
	  "2 malloc 0.0 o0 s20 d1\n",
	  "records=5 live_at_end=1 malloc_no_return=2 malloc_no_entry=1 " },
	{ "free without return, return without entry",
	  "0 0 5 D 1 10 1\n1 0 5 D 1 20 2\n2 0 5 F 1 1\n3 0 5 F 1 2\n"
	  "4 0 5 f\n5 0 5 f\n6 0 6 F 1 7\n",
	  "0 malloc 0.0 o0 s10\n1 malloc 0.0 o1 s20\n2 free 0.0 o0 s10\n"
	  "3 free 0.0 o1 s20 d1\n6 free 0.1 O\n",
	  "records=7 orphan_frees=1 free_no_return=2 free_no_entry=1 " },
	{ "frees of nothing",
	  "0 0 5 D 1 10 1\n1 0 5 F 1 0\n2 0 5 f\n3 0 5 F 1 -22\n4 0 5 f\n",
	  "0 malloc 0.0 o0 s10\n", "records=5 live_at_end=1 null_frees=2 " },
	{ "time goes backwards: it stands still",
	  "100 0 5 D 1 10 1\n50 1 5 D 1 20 2\n105 0 5 D 1 30 3\n"
	  "104 0 5 D 1 40 4\n",
	  "0 malloc 0.0 o0 s10\n0 malloc 1.0 o1 s20\n5 malloc 0.0 o2 s30\n"
	  "5 malloc 0.0 o3 s40\n",
	  "records=4 live_at_end=4 backwards=2 " },
	{ "sizes no pool takes",
	  "0 0 5 D 1 0 1\n1 0 5 D 1 4097 2\n2 0 5 D 1 4096 3\n"
	  "3 0 5 D 1 4294967396 4\n",
	  "2 malloc 0.0 o0 s4096\n", "records=4 live_at_end=1 bad_size=3 " },
	{ "lost records: the next event of that cpu says so",
	  "0 0 5 D 1 10 1\n1 1 0 L 7\n2 0 5 D 1 20 2\n3 1 6 D 1 30 3\n"
	  "4 1 6 D 1 40 4\n5 0 0 L 0\n6 0 5 F 1 1\n",
	  "0 malloc 0.0 o0 s10\n2 malloc 0.0 o1 s20\n3 malloc 1.1 o2 s30 L\n"
	  "4 malloc 1.1 o3 s40\n6 free 0.0 o0 s10 L\n",
	  "records=5 lost=7 lost_unknown=1 live_at_end=3 " },
	{ "compaction and zspages",
	  "0 0 5 P 1\n1 0 5 D 1 10 1\n2 0 7 C 1\n3 0 7 Z\n4 1 5 F 1 1\n"
	  "5 1 5 Z\n6 1 5 f\n9 0 7 c 42\n10 0 7 c 1\n",
	  "1 malloc 0.0 o0 s10\n2 compact 0.1 d7 a42\n3 page_free 0.1\n"
	  "4 free 1.0 o0 s10 d2\n5 page_free 1.0\n",
	  "records=9 other=1 " },
	{ "marks, places, other events",
	  "0 0 9 K first\n1 0 5 D 1 10 1\n2 0 5 O 1\n3 0 5 ?\n4 0 9 K second\n",
	  "0 mark 0.0\n1 malloc 0.1 o0 s10\n4 mark 0.0 a1\n",
	  "records=5 other=1 live_at_end=1 " },
	{ "calls without arguments are their durations",
	  "0 0 5 b\n3 0 5 f\n4 0 5 b\n5 0 5 z\n6 0 5 Z\n8 0 5 z\n"
	  "9 0 5 g 3\n10 0 5 m\n12 0 5 r\n13 0 5 m\n14 0 6 r\n",
	  "0 free 0.0 d3 O\n4 free 0.0 d3 O\n6 page_free 0.0 d2\n"
	  "12 mark 0.0 d2\n",
	  "records=11 malloc_no_return=1 malloc_no_entry=1 no_arguments=2 " },
	{ "what releases memory, when zs_free is within",
	  "0 0 5 u\n1 0 5 U\n2 0 5 u\n3 0 5 F 1 1\n4 0 5 f\n9 0 5 U\n"
	  "10 0 5 x\n11 0 5 F 1 2\n12 0 5 f\n13 0 5 U\n20 0 5 X\n"
	  "21 0 5 u\n22 0 5 F 1 3\n23 0 5 f\n25 0 5 U\n",
	  "3 free 0.0 d1 O\n9 mark 0.0 d7\n11 free 0.0 d1 O\n"
	  "20 mark 0.0 d10 a1\n22 free 0.0 d1 O\n25 mark 0.0 d4\n",
	  "records=15 orphan_frees=3 " },
};

static int add_cost(void *ctx, int64_t nr, const char *key, const char *value)
{
	char *text = ctx;

	if (!strncmp(key, "cost.", 5))
		sprintf(text + strlen(text), "%s=%s ", key, value);
	return 0;
}

/* The distribution of what a function takes that does nothing. */
START_TEST(costs)
{
	static const char text[] = "0 0 5 E\n0 0 5 e\n8 0 5 E\n10 0 6 e\n"
				   "11 1 5 e\n19 0 6 E\n19 1 5 E\n20 0 5 e\n"
				   "23 0 5 E\n30 0 5 e\n31 0 5 D 1 10 1\n";
	char costs[400] = "";
	const char *path = gen_path();
	struct zsr_err e = { 0 };
	struct zsr_trace t;
	struct zsr_odd odd;
	struct zsr_db *db;

	OK(zsr_db_open(&db, path, ZSR_DB_CREATE, &e));
	OK(import_text(db, &some_opts, text, &t, &odd, &e));
	OK(zsr_trace_rows(db, t.id, ZSR_TABLE_META, add_cost, costs, &e));
	ck_assert_str_eq(costs, "cost.calls=4 cost.median_ns=8 cost.p5_ns=3 "
				"cost.p95_ns=9 cost.values=3:1 8:2 9:1 ");
	zsr_db_close(db);
	gen_cleanup(path);
}
END_TEST

START_TEST(table)
{
	const char *path = gen_path();
	char events[4096], odd_text[600];
	struct zsr_err e = { 0 };
	struct zsr_trace t;
	struct zsr_odd odd;
	struct zsr_db *db;
	size_t i;

	OK(zsr_db_open(&db, path, ZSR_DB_CREATE, &e));
	for (i = 0; i < ZSR_ARRAY_SIZE(cases); i++) {
		e.msg[0] = 0;
		ck_assert_msg(!import_text(db, &some_opts, cases[i].records, &t,
					   &odd, &e),
			      "%s: %s", cases[i].name, e.msg);
		dump_trace(db, t.id, events);
		dump_odd(&odd, odd_text);
		ck_assert_msg(!strcmp(events, cases[i].events), "%s:\n%s",
			      cases[i].name, events);
		ck_assert_msg(!strcmp(odd_text, cases[i].odd), "%s: %s",
			      cases[i].name, odd_text);
	}
	zsr_db_close(db);
	gen_cleanup(path);
}
END_TEST

/* Every count is provoked by some case above. */
START_TEST(all_counts)
{
	size_t i;
	bool seen;

#define X(name, text)                                                          \
	for (i = 0, seen = false; i < ZSR_ARRAY_SIZE(cases); i++)              \
		seen |= strstr(cases[i].odd, #name "=") != NULL;               \
	ck_assert_msg(seen, "%s", #name);
	ZSR_ODD_COUNTS(X)
#undef X
}
END_TEST

static int sum_odd(void *ctx, int64_t nr, const char *key, const char *value)
{
	*(uint64_t *)ctx += strtoull(value, NULL, 10);
	return 0;
}

/* A free waits for its return with everything behind it, up to the window's
 * end; then it goes without. */
START_TEST(window)
{
	const char *path = gen_path();
	const struct zsr_event *ev;
	unsigned i, late, n, pass;
	struct zsr_err e = { 0 };
	struct zsr_import *imp;
	struct zsr_cursor *c;
	struct zsr_trace t;
	struct zsr_odd odd;
	struct zsr_db *db;
	char line[80];
	uint64_t sum = 0;
	int ret = 0;

	OK(zsr_db_open(&db, path, ZSR_DB_CREATE, &e));
	for (pass = 0; pass < 2; pass++) {
		/* Events behind the free when its return comes. */
		late = pass ? ZSR_WINDOW : ZSR_WINDOW - 1;
		OK(zsr_import_begin(db, &some_opts, &imp, &e));
		OK(feed(zsr_import_sink(imp), "0 0 5 D 1 10 1\n1 0 5 F 1 1\n",
			&e));
		for (i = 0; i < late && !ret; i++) {
			sprintf(line, "%u 1 6 D 1 20 %u", i + 2, i + 2);
			ret = feed(zsr_import_sink(imp), line, &e);
		}
		OK(ret);
		sprintf(line, "%u 0 5 f", i + 2);
		OK(feed(zsr_import_sink(imp), line, &e));
		OK(zsr_import_finish(imp, &t, &odd, &e));
		ck_assert_uint_eq(odd.free_no_return, pass);
		ck_assert_uint_eq(odd.free_no_entry, pass);
		ck_assert_uint_eq(t.nr_events, late + 2);
		OK(zsr_cursor_open(db, t.id, &c, &e));
		n = (unsigned)zsr_cursor_next(c, &ev, &e);
		ck_assert_uint_gt(n, 2);
		ck_assert_uint_eq(ev[1].kind, ZSR_EV_FREE);
		ck_assert_uint_eq(ev[1].t_ns, 1);
		ck_assert_uint_eq(ev[1].dur_ns, pass ? 0 : late + 1);
		zsr_cursor_close(c);
		OK(zsr_trace_rows(db, t.id, ZSR_TABLE_ODD, sum_odd, &sum, &e));
	}
	ck_assert_uint_eq(sum, 2 * ZSR_WINDOW + 5 + 2 * ZSR_WINDOW - 1 + 2);
	zsr_db_close(db);
	gen_cleanup(path);
}
END_TEST

/* A second free is known as such among 65536 others; the table of handles
 * does not grow with what is dead. */
START_TEST(dead_handles)
{
	struct zsr_handles h = { 0 };
	struct zsr_handle at;
	uint64_t i;
	bool ok = true;

	for (i = 0; i < 3000000; i++) {
		ok &= !zsr_handles_add(&h, 0, HANDLE(i), i);
		ok &= zsr_handles_find(&h, 0, HANDLE(i), &at) == ZSR_HANDLE_LIVE;
		ok &= zsr_handles_object(&h, at) == i;
		zsr_handles_kill(&h, at);
		ok &= zsr_handles_find(&h, 0, HANDLE(i - i % 65536), &at) ==
		      ZSR_HANDLE_DEAD;
	}
	ck_assert(ok);
	ck_assert_uint_eq(h.nr_live, 0);
	ck_assert_uint_le(h.cap, 1u << 14);
	ck_assert_uint_eq(zsr_handles_find(&h, 0, HANDLE(5), &at),
			  ZSR_HANDLE_NONE);
	zsr_handles_free(&h);
}
END_TEST

#define NR_MODEL 4096

/*
 * Handles of three pools, near and far apart, against an array. Objects' numbers
 * jump, so that differences of all widths come up.
 */
START_TEST(random_handles)
{
	static uint64_t model[3][NR_MODEL]; /* object plus 1; 0: not alive */
	static const uint64_t jump[] = { 1, 1, 1, 300, 70000, 1ull << 33 };
	struct zsr_handles h = { 0 };
	struct zsr_rng rng = { 5 };
	struct zsr_handle at;
	uint64_t obj = 0, handle, nr_live = 0;
	unsigned i, k, pool, any;
	bool ok = true;

	for (i = 0; i < 1000000; i++) {
		k = (unsigned)zsr_rng_below(&rng, NR_MODEL);
		pool = (unsigned)zsr_rng_below(&rng, 3);
		handle = k < 3072 ? HANDLE(k) : zsr_hash(k) | 1;
		ok &= (zsr_handles_find(&h, pool, handle, &at) ==
		       ZSR_HANDLE_LIVE) == !!model[pool][k];
		any = zsr_handles_find(&h, ZSR_POOL_ANY, handle, &at);
		ok &= (any == ZSR_HANDLE_LIVE) ==
		      (model[0][k] || model[1][k] || model[2][k]);
		if (model[pool][k]) {
			zsr_handles_find(&h, pool, handle, &at);
			ok &= at.group->pool == pool;
			ok &= zsr_handles_object(&h, at) + 1 == model[pool][k];
			zsr_handles_kill(&h, at);
			model[pool][k] = 0;
			nr_live--;
		} else {
			obj += jump[zsr_rng_below(&rng, 6) * (i % 100000 < 50000)];
			ok &= !zsr_handles_add(&h, pool, handle, obj);
			model[pool][k] = obj + 1;
			nr_live++;
		}
	}
	ck_assert(ok);
	ck_assert_uint_eq(h.nr_live, nr_live);
	zsr_handles_free(&h);
}
END_TEST

/* Random calls of many tasks, some records dropped: whatever is missing, the
 * writer takes the events, and the counts add up. */
START_TEST(random_losses)
{
	const char *path = gen_path();
	struct zsr_err e = { 0 };
	struct zsr_rng rng = { 17 };
	uint64_t handle[8] = { 0 };
	bool in_call[8] = { 0 }, freeing[8] = { 0 };
	struct zsr_import *imp;
	struct zsr_trace t;
	struct zsr_odd odd;
	struct zsr_db *db;
	unsigned i, k;
	int ret = 0;

	OK(zsr_db_open(&db, path, ZSR_DB_CREATE, &e));
	OK(zsr_import_begin(db, &some_opts, &imp, &e));
	for (i = 0; i < 200000 && !ret; i++) {
		struct zsr_rec r = { .t_ns = i,
				     .pool = POOL(1),
				     .value = 50,
				     .has = ZSR_REC_HAS_POOL };

		k = (unsigned)zsr_rng_below(&rng, 8);
		r.pid = (int32_t)k;
		r.cpu = (uint16_t)zsr_rng_below(&rng, 4);
		if (!in_call[k])
			freeing[k] = handle[k];
		/* Each task has a handle of its own, again and again. */
		r.handle = HANDLE(k + 1);
		if (in_call[k])
			r.kind = freeing[k] ? ZSR_REC_FREE_RET
					    : ZSR_REC_MALLOC_RET;
		else
			r.kind = freeing[k] ? ZSR_REC_FREE : ZSR_REC_MALLOC;
		if (in_call[k])
			handle[k] = !freeing[k];
		in_call[k] = !in_call[k];
		if (zsr_rng_below(&rng, 10))
			ret = zsr_import_sink(imp)->recs(
				zsr_import_sink(imp)->ctx, &r, 1, &e);
	}
	OK(ret);
	OK(zsr_import_finish(imp, &t, &odd, &e));
	ck_assert_uint_gt(odd.lost_frees, 1000);
	ck_assert_uint_gt(odd.double_frees, 1000);
	ck_assert_uint_gt(odd.malloc_no_return, 1000);
	ck_assert_uint_gt(odd.malloc_no_entry, 1000);
	ck_assert_uint_gt(odd.free_no_return, 1000);
	ck_assert_uint_gt(odd.free_no_entry, 1000);
	ck_assert_uint_eq(t.nr_mallocs + odd.double_frees + odd.orphan_frees,
			  t.nr_frees + odd.live_at_end);
	zsr_db_close(db);
	gen_cleanup(path);
}
END_TEST

ZSR_TEST_MAIN("db/import", table, all_counts, costs, window, dead_handles,
	      random_handles, random_losses)
