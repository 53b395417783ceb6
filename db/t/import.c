// SPDX-License-Identifier: GPL-2.0-only
/* The import pass: records in, events and counts out, case by case; and what
 * it makes of facts, losses, duplicates and failures. */
#include <inttypes.h>

#include "db/t/gen.h"
#include "db/handles.h"
#include "db/window.h"
#include "tests/check.h"

#define OK(expr) ck_assert_msg((expr) == 0, "%s: %s", #expr, e.msg)

#define HANDLE(n) (0xffff888100000000ull + 8ull * (uint64_t)(n))
#define POOL(n)   (0xffff888000001000ull * (uint64_t)(n))

/* ---- records from text ---------------------------------------------------- */

/*
 * One record a line: time, cpu, pid, and
 *	M pool size	malloc entered		R handle	returned
 *	D pool size handle	both in one	F pool handle	free entered
 *	f		free returned		C pool		compact entered
 *	c pages		compact returned	P pool		pool created
 *	O handle	object placed		Z		zspage freed
 *	L count		records lost		K text		mark
 *	N comm		the task's name		? 		something else
 * Handles and pools are small numbers; handle 0 is null, -n an error; pool 0
 * means that it was not recorded.
 */
static int feed_line(struct zsr_sink *sink, const char *line, struct zsr_err *e)
{
	struct zsr_rec r = { .has = ZSR_REC_HAS_SIZE | ZSR_REC_HAS_GFP,
			     .gfp = 7 };
	long long a = 0, b = 0, c = 0;
	unsigned cpu;
	char op;
	int at;

	ck_assert_int_eq(sscanf(line, "%" SCNu64 " %u %d %c%n", &r.t_ns, &cpu,
				&r.pid, &op, &at),
			 4);
	r.cpu = (uint16_t)cpu;
	if (op == 'K')
		r.kind = ZSR_REC_MARK;
	if (op == 'K')
		return sink->mark(sink->ctx, &r, line + at + 1, e);
	if (op == 'N')
		return sink->task(sink->ctx, r.pid, line + at + 1, e);
	sscanf(line + at, "%lld %lld %lld", &a, &b, &c);
	if (strchr("MDFCP", op)) {
		r.pool = POOL(a);
		r.has |= a ? ZSR_REC_HAS_POOL : 0;
		a = b;
		b = c;
	}
	if (strchr("MD", op)) {
		r.value = (uint64_t)a;
		a = b;
	}
	if (strchr("RDFO", op))
		r.handle = a > 0 ? HANDLE(a) : (uint64_t)a;
	if (strchr("cL", op))
		r.value = (uint64_t)a;
	r.kind = op == 'M'   ? ZSR_REC_MALLOC
		 : op == 'R' ? ZSR_REC_MALLOC_RET
		 : op == 'D' ? ZSR_REC_MALLOC_DONE
		 : op == 'F' ? ZSR_REC_FREE
		 : op == 'f' ? ZSR_REC_FREE_RET
		 : op == 'C' ? ZSR_REC_COMPACT
		 : op == 'c' ? ZSR_REC_COMPACT_RET
		 : op == 'P' ? ZSR_REC_POOL_CREATE
		 : op == 'O' ? ZSR_REC_PLACE
		 : op == 'Z' ? ZSR_REC_ZSPAGE_FREE
		 : op == 'L' ? ZSR_REC_LOST
			     : ZSR_REC_OTHER;
	return sink->recs(sink->ctx, &r, 1, e);
}

static int feed(struct zsr_sink *sink, const char *text, struct zsr_err *e)
{
	char line[200];
	int ret = 0;

	while (*text && !ret) {
		size_t n = strcspn(text, "\n");

		snprintf(line, sizeof(line), "%.*s", (int)n, text);
		ret = feed_line(sink, line, e);
		text += n + (text[n] == '\n');
	}
	return ret;
}

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

static const struct zsr_import_opts some_opts = {
	.name = "t",
	.kernel = "6.12",
	.page_size = 4096,
};

static int import_text(struct zsr_db *db, const struct zsr_import_opts *opts,
		       const char *text, struct zsr_trace *t,
		       struct zsr_odd *odd, struct zsr_err *e)
{
	struct zsr_import *imp;
	int ret = zsr_import_begin(db, opts, &imp, e);

	if (ret)
		return ret;
	ret = feed(zsr_import_sink(imp), text, e);
	if (ret) {
		zsr_import_abort(imp);
		return ret;
	}
	return zsr_import_finish(imp, t, odd, e);
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
};

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
START_TEST(handles)
{
	struct zsr_handles h = { 0 };
	struct zsr_handle_slot *slot;
	uint64_t i;
	bool ok = true;

	for (i = 0; i < 3000000; i++) {
		ok &= !zsr_handles_add(&h, 0, HANDLE(i), i);
		slot = zsr_handles_find(&h, 0, HANDLE(i));
		ok &= slot && slot->state == ZSR_HANDLE_LIVE && slot->obj == i;
		zsr_handles_kill(&h, slot);
		slot = zsr_handles_find(&h, 0, HANDLE(i - i % 65536));
		ok &= slot && slot->state == ZSR_HANDLE_DEAD;
	}
	ck_assert(ok);
	ck_assert_uint_eq(h.nr_live, 0);
	ck_assert_uint_le(h.cap, 1u << 19);
	ck_assert_ptr_null(zsr_handles_find(&h, 0, HANDLE(5)));
	zsr_handles_free(&h);
}
END_TEST

/* ---- facts --------------------------------------------------------------------- */

static const char two_calls[] = "5 0 5 D 1 100 1\n6 0 5 F 1 1\n";

static const struct {
	const char *kernel; /* given */
	uint32_t page_size;
	uint32_t chain_size;
	const char *meta[6];
	const char *records;
	const char *want_kernel;
	const char *want_gen;
	uint32_t want_page;
	uint32_t want_chain;
	uint32_t want_flags;
	bool want_empty;
} facts[] = {
	{ NULL,
	  0,
	  0,
	  { 0 },
	  two_calls,
	  "6.12",
	  "6.12",
	  4096,
	  8,
	  ZSR_INFERRED_KERNEL | ZSR_INFERRED_PAGE_SIZE | ZSR_INFERRED_CHAIN_SIZE,
	  false },
	{ "6.1.0-56-arm64",
	  16384,
	  5,
	  { "kernel.release", "6.18.1" },
	  two_calls,
	  "6.1.0-56-arm64",
	  "6.1",
	  16384,
	  5,
	  ZSR_GIVEN_KERNEL | ZSR_GIVEN_PAGE_SIZE | ZSR_GIVEN_CHAIN_SIZE,
	  false },
	{ NULL,
	  0,
	  0,
	  { "kernel.release", "7.3.4+deb13", "page_size", "65536", "chain_size",
	    "16" },
	  two_calls,
	  "7.3.4+deb13",
	  "7.3",
	  65536,
	  16,
	  0,
	  false },
	{ NULL,
	  0,
	  0,
	  { "kernel.release", "banana", "page_size", "5000" },
	  "0 0 1 K capture:begin 5.15.0-rc1\n5 0 5 D 1 4097 1\n",
	  "5.15.0-rc1",
	  "5.10",
	  16384,
	  4,
	  ZSR_INFERRED_PAGE_SIZE | ZSR_INFERRED_CHAIN_SIZE,
	  true },
	{ "6.2",
	  0,
	  0,
	  { 0 },
	  "0 0 5 P 1\n5 0 5 D 1 16385 1\n",
	  "6.2",
	  "6.1",
	  65536,
	  4,
	  ZSR_GIVEN_KERNEL | ZSR_INFERRED_PAGE_SIZE | ZSR_INFERRED_CHAIN_SIZE,
	  true },
	{ "6.3",
	  0,
	  0,
	  { 0 },
	  "0 0 5 P 1\n5 0 5 D 2 100 1\n",
	  "6.3",
	  "6.1",
	  4096,
	  8,
	  ZSR_GIVEN_KERNEL | ZSR_INFERRED_PAGE_SIZE | ZSR_INFERRED_CHAIN_SIZE,
	  false },
	{ "6.0.9",
	  4096,
	  0,
	  { 0 },
	  "0 0 5 P 1\n5 0 5 D 1 100 1\n6 0 5 F 1 2\n",
	  "6.0.9",
	  "5.10",
	  4096,
	  4,
	  ZSR_GIVEN_KERNEL | ZSR_GIVEN_PAGE_SIZE | ZSR_INFERRED_CHAIN_SIZE,
	  false },
	{ "6.10",
	  4096,
	  0,
	  { 0 },
	  "0 0 1 K capture:begin\n5 0 5 D 1 100 1\n6 0 5 F 1 2\n",
	  "6.10",
	  "6.1",
	  4096,
	  8,
	  ZSR_GIVEN_KERNEL | ZSR_GIVEN_PAGE_SIZE | ZSR_INFERRED_CHAIN_SIZE,
	  false },
	{ "6.11",
	  4096,
	  0,
	  { 0 },
	  "0 0 5 D 1 100 1\n1 0 1 K capture:begin 5.0\n",
	  "6.11",
	  "6.12",
	  4096,
	  8,
	  ZSR_GIVEN_KERNEL | ZSR_GIVEN_PAGE_SIZE | ZSR_INFERRED_CHAIN_SIZE,
	  false },
	{ "7.2-rc1",
	  4096,
	  0,
	  { 0 },
	  two_calls,
	  "7.2-rc1",
	  "6.12",
	  4096,
	  8,
	  ZSR_GIVEN_KERNEL | ZSR_GIVEN_PAGE_SIZE | ZSR_INFERRED_CHAIN_SIZE,
	  false },
};

START_TEST(facts_table)
{
	const char *path = gen_path();
	size_t i, j;

	for (i = 0; i < ZSR_ARRAY_SIZE(facts); i++) {
		const struct zsr_import_opts opts = {
			.name = "t",
			.kernel = facts[i].kernel,
			.page_size = facts[i].page_size,
			.chain_size = facts[i].chain_size,
			.force = true,
		};
		struct zsr_err e = { 0 };
		struct zsr_import *imp;
		struct zsr_sink *sink;
		struct zsr_trace t;
		struct zsr_odd odd;
		struct zsr_db *db;

		OK(zsr_db_open(&db, path, ZSR_DB_CREATE, &e));
		OK(zsr_import_begin(db, &opts, &imp, &e));
		sink = zsr_import_sink(imp);
		for (j = 0; j < 6 && facts[i].meta[j]; j += 2)
			OK(sink->meta(sink->ctx, facts[i].meta[j],
				      facts[i].meta[j + 1], &e));
		OK(feed(sink, facts[i].records, &e));
		OK(zsr_import_finish(imp, &t, &odd, &e));
		ck_assert_str_eq(t.kernel, facts[i].want_kernel);
		ck_assert_str_eq(t.lock_gen, facts[i].want_gen);
		ck_assert_uint_eq(t.page_size, facts[i].want_page);
		ck_assert_uint_eq(t.chain_size, facts[i].want_chain);
		ck_assert_uint_eq(t.fact_flags, facts[i].want_flags);
		ck_assert_msg(t.from_empty == facts[i].want_empty, "%zu", i);
		zsr_db_close(db);
	}
	gen_cleanup(path);
}
END_TEST

START_TEST(bad_options)
{
	static const struct zsr_import_opts bad[] = {
		{ .name = "t", .kernel = "banana" },
		{ .name = "t", .kernel = "" },
		{ .name = "t", .kernel = "6" },
		{ .name = "t", .kernel = "6.12banana" },
		{ .name = "t", .kernel = "6.12 x" },
		{ .name = "t", .page_size = 5000 },
		{ .name = "t", .chain_size = 3 },
		{ .name = "t", .chain_size = 17 },
		{ .name = "" },
		{ .name = "t", .times = ZSR_TIMES_NR },
	};
	const char *path = gen_path();
	struct zsr_import *imp;
	struct zsr_db *db;
	size_t i;

	for (i = 0; i < ZSR_ARRAY_SIZE(bad); i++) {
		struct zsr_err e = { 0 };

		OK(zsr_db_open(&db, path, ZSR_DB_CREATE, &e));
		ck_assert_msg(zsr_import_begin(db, &bad[i], &imp, &e) < 0,
			      "%zu", i);
		ck_assert_msg(e.kind == ZSR_ERR_USAGE, "%zu: %s", i, e.msg);
		zsr_db_close(db);
		ck_assert_int_ne(access(path, F_OK), 0);
	}
	gen_cleanup(path);
}
END_TEST

/* What the ring buffer's statistics count as lost, if the data does not. */
START_TEST(ring_losses)
{
	static const struct {
		const char *key;
		const char *value;
	} meta[] = {
		{ "ring.overrun.cpu0", "30" }, /* of which 10 in the data */
		{ "ring.overrun.cpu1", "5" }, /* all in the data */
		{ "ring.dropped.cpu2", "100" },   { "ring.overrun.cpuX", "7" },
		{ "ring.overrun.cpu99999", "7" },
	};
	const char *path = gen_path();
	struct zsr_err e = { 0 };
	struct zsr_import *imp;
	struct zsr_sink *sink;
	struct zsr_trace t;
	struct zsr_odd odd;
	struct zsr_db *db;
	size_t i;

	OK(zsr_db_open(&db, path, ZSR_DB_CREATE, &e));
	OK(zsr_import_begin(db, &some_opts, &imp, &e));
	sink = zsr_import_sink(imp);
	OK(feed(sink, "0 0 5 D 1 10 1\n1 0 0 L 10\n2 1 0 L 5\n", &e));
	for (i = 0; i < ZSR_ARRAY_SIZE(meta); i++)
		OK(sink->meta(sink->ctx, meta[i].key, meta[i].value, &e));
	OK(zsr_import_finish(imp, &t, &odd, &e));
	ck_assert_uint_eq(odd.lost, 30 + 5 + 100);
	zsr_db_close(db);
	gen_cleanup(path);
}
END_TEST

static int find_address(void *ctx, int64_t nr, const char *key,
			const char *value)
{
	char *all = ctx;

	snprintf(all + strlen(all), 2000 - strlen(all), "%s=%s;", key, value);
	return 0;
}

/* No kernel address gets into the database, whoever writes it. */
START_TEST(addresses)
{
	const char *path = gen_path();
	struct zsr_err e = { 0 };
	struct zsr_import *imp;
	char all[2000] = "", cmd[300];
	struct zsr_sink *sink;
	struct zsr_trace t;
	struct zsr_odd odd;
	struct zsr_db *db;

	OK(zsr_db_open(&db, path, ZSR_DB_CREATE, &e));
	OK(zsr_import_begin(db, &some_opts, &imp, &e));
	sink = zsr_import_sink(imp);
	OK(sink->meta(sink->ctx, "log",
		      "pool=0xffff179f0854a000 at ffffff8001450000, "
		      "sha ffffff8001450000ab, gfp=0x2c0a",
		      &e));
	OK(sink->meta(sink->ctx, "ffff888000000000", "x", &e));
	OK(feed(sink,
		"0 0 9 K pool FFFF888000001000 ready\n0 0 5 D 1 10 1\n"
		"1 0 5 F 1 2\n0 0 5 N sh\n",
		&e));
	OK(zsr_import_finish(imp, &t, &odd, &e));
	OK(zsr_trace_rows(db, t.id, ZSR_TABLE_META, find_address, all, &e));
	OK(zsr_trace_rows(db, t.id, ZSR_TABLE_MARKS, find_address, all, &e));
	OK(zsr_trace_rows(db, t.id, ZSR_TABLE_POOLS, find_address, all, &e));
	ck_assert_str_eq(all, "(address)=x;clock.start_ns=0;"
			      "log=pool=0x(address) at (address), "
			      "sha ffffff8001450000ab, gfp=0x2c0a;"
			      "=pool (address) ready;=pool0;");
	zsr_db_close(db);
	/* The one token that is too long for an address stays. */
	snprintf(cmd, sizeof(cmd),
		 "test $(grep -aoiE 'ffff(88|17|ff80)' %s | wc -l) = 1", path);
	ck_assert_int_eq(system(cmd), 0);
	gen_cleanup(path);
}
END_TEST

/* ---- all or nothing ------------------------------------------------------------ */

/* The same trace twice: refused and named, unless forced; another fact or
 * another event makes another trace. */
START_TEST(duplicates)
{
	struct zsr_import_opts opts = some_opts;
	const char *path = gen_path();
	struct zsr_err e = { 0 };
	struct zsr_trace first, t;
	struct zsr_odd odd;
	struct zsr_db *db;

	OK(zsr_db_open(&db, path, ZSR_DB_CREATE, &e));
	OK(import_text(db, &opts, two_calls, &first, &odd, &e));
	opts.name = "other";
	ck_assert_int_eq(import_text(db, &opts, two_calls, &t, &odd, &e),
			 -EEXIST);
	ck_assert_int_eq(e.kind, ZSR_ERR_INPUT);
	ck_assert_msg(strstr(e.msg, "'t'") != NULL, "%s", e.msg);
	ck_assert_str_eq(t.name, "t");
	ck_assert_int_eq(t.id, first.id);
	opts.force = true;
	OK(import_text(db, &opts, two_calls, &t, &odd, &e));
	ck_assert_str_eq(t.name, "other");
	ck_assert_str_eq(t.digest, first.digest);
	opts.force = false;
	opts.kernel = "6.1";
	OK(import_text(db, &opts, two_calls, &t, &odd, &e));
	ck_assert_str_eq(t.name, "other-2");
	ck_assert_str_ne(t.digest, first.digest);
	/* A later start is the same trace. */
	opts = some_opts;
	ck_assert_int_eq(import_text(db, &opts,
				     "1005 0 5 D 3 100 9\n1006 0 5 F 3 9\n", &t,
				     &odd, &e),
			 -EEXIST);
	OK(import_text(db, &opts, "5 0 5 D 1 101 1\n6 0 5 F 1 1\n", &t, &odd,
		       &e));
	zsr_db_close(db);
	gen_cleanup(path);
}
END_TEST

/* What fails leaves no trace, and no file that was not there. */
START_TEST(failures)
{
	static const char *const records[] = {
		"",
		"0 0 5 K only a mark\n",
		"0 0 5 M 1 10\n0 0 5 P 1\n",
		"0 0 5 C 1\n1 0 5 c 3\n",
	};
	const char *path = gen_path();
	struct zsr_import *imp;
	struct zsr_trace t;
	struct zsr_odd odd;
	struct zsr_db *db;
	size_t i;

	for (i = 0; i < ZSR_ARRAY_SIZE(records); i++) {
		struct zsr_err e = { 0 };

		OK(zsr_db_open(&db, path, ZSR_DB_CREATE, &e));
		ck_assert_int_lt(
			import_text(db, &some_opts, records[i], &t, &odd, &e),
			0);
		ck_assert_int_eq(e.kind, ZSR_ERR_INPUT);
		ck_assert_int_lt(zsr_trace_find(db, "t", &t, &e), 0);
		OK(zsr_import_begin(db, &some_opts, &imp, &e));
		OK(feed(zsr_import_sink(imp), two_calls, &e));
		zsr_import_abort(imp);
		zsr_db_close(db);
		ck_assert_int_ne(access(path, F_OK), 0);
	}
	gen_cleanup(path);
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

ZSR_TEST_MAIN("db/import", table, all_counts, window, handles, facts_table,
	      bad_options, ring_losses, addresses, duplicates, failures,
	      random_losses)
