// SPDX-License-Identifier: GPL-2.0-only
/*
 * A feed hands out what the trace has: each task's events in order, however far
 * apart their times, objects and places are, and however many wait.
 */
#include "replay/feed.h"
#include "replay/t/made.h"

/* What the player gets of it. */
static void check_event(const struct zsr_feed_event *e, uint64_t seq)
{
	const struct zsr_event *ev = &made.ev[seq];
	uint64_t entry = ev->t_ns;

	if (ev->kind == ZSR_EV_MALLOC)
		entry -= ev->dur_ns;
	ck_assert_uint_eq(e->seq, seq);
	ck_assert_uint_eq(e->kind, ev->kind);
	ck_assert_uint_eq(e->entry_ns, entry);
	ck_assert_uint_eq(e->dur_ns, ev->dur_ns);
	ck_assert_uint_eq(e->pool, ev->pool);
	if (ev->kind == ZSR_EV_MARK) {
		ck_assert_uint_eq(e->obj, ev->aux);
		return;
	}
	ck_assert_uint_eq(e->caller, ev->caller);
	if (ev->kind != ZSR_EV_COMPACT)
		ck_assert_uint_eq(e->obj, ev->obj);
	if (ev->kind == ZSR_EV_MALLOC)
		ck_assert_uint_eq(e->size, ev->size);
}

/* Events of TASK that come before SEQ, which is to be its next one. */
static uint64_t next_of(unsigned task, uint64_t seq)
{
	while (seq < made.nr && made.ev[seq].task != task)
		seq++;
	return seq;
}

/* Take a task's event if there is one; its epoch, else that of before. */
static bool take(struct zsr_feed *f, unsigned task, uint64_t *seq)
{
	const struct zsr_feed_event *peek = zsr_feed_peek(f, task);
	struct zsr_feed_event e;
	uint64_t barriers = 0, i;

	if (!peek)
		return false;
	*seq = next_of(task, *seq);
	check_event(peek, *seq);
	e = zsr_feed_take(f, task);
	check_event(&e, *seq);
	for (i = 0; i < *seq; i++)
		barriers += made.ev[i].kind == ZSR_EV_MARK;
	ck_assert_uint_eq(e.epoch, barriers);
	zsr_feed_done(f, &e);
	++*seq;
	return true;
}

/* Read AHEAD events, take one of each task that has one, and so on. */
static void feed_all(const struct zsr_trace *t, unsigned ahead)
{
	uint64_t seq[4] = { 0 }, taken = 0;
	struct zsr_feed f;
	uint32_t row;
	unsigned i, task;
	int ret = 1;

	ck_assert_int_eq(zsr_feed_init(&f, db, t, &err), 0);
	while (taken < made.nr) {
		for (i = 0; i < ahead && ret > 0; i++)
			ret = zsr_feed_read(&f, &row, &err);
		ck_assert_msg(ret >= 0, "%s", err.msg);
		for (task = 0; task < made.tasks; task++)
			taken += take(&f, task, &seq[task]);
	}
	ck_assert_uint_eq(f.outstanding, 0);
	ck_assert_int_eq(zsr_feed_read(&f, &row, &err), 0);
	zsr_feed_free(&f);
}

static const unsigned aheads[] = { 1, 3, 50, 2000 };

static void feed(void)
{
	struct zsr_trace t;
	unsigned i;

	write_trace(&t);
	for (i = 0; i < ZSR_ARRAY_SIZE(aheads); i++)
		feed_all(&t, aheads[i]);
}

START_TEST(plain_calls)
{
	uint64_t obj[400];
	unsigned i;

	start(3);
	for (i = 0; i < 400; i++)
		obj[i] = store(i * US, i % 3, i);
	for (i = 0; i < 400; i++)
		release((1000 + i) * US, (i + 1) % 3, obj[399 - i]);
	feed();
}
END_TEST

/* Values around what is kept in few bits, in turn. */
START_TEST(values_of_all_sizes)
{
	static const uint64_t gaps[] = { 0, (1ull << 30) - 1, 1ull << 30,
					 1ull << 40, 1 };
	static const uint64_t durs[] = { 0, (1u << 24) - 1, 1u << 24, 3 };
	static const uint32_t sizes[] = { 1, (1u << 20) - 1, 1u << 20, 4096,
					  UINT32_MAX };
	static const uint8_t callers[] = { 0, 1, ZSR_CALLER_ZSWAP_WRITEBACK };
	uint64_t t = 1ull << 50, obj;
	struct zsr_event *ev;
	unsigned i;

	start(4);
	made.pools = 3;
	for (i = 0; i < 300; i++) {
		t += gaps[i % 5];
		obj = store(t, i % 4, sizes[i / 4 % 5]);
		ev = &made.ev[made.nr - 1];
		ev->dur_ns = durs[i / 5 % 4];
		ev->pool = i / 40 % 3;
		if (i % 3)
			continue;
		t += gaps[i / 7 % 5];
		ev = release(t, i / 9 % 4, obj);
		ev->dur_ns = durs[i % 4];
		ev->caller = callers[i / 6 % 3];
		ev->pool = i / 40 % 3;
	}
	feed();
}
END_TEST

START_TEST(marks_part_them)
{
	unsigned i, k;

	start(2);
	for (i = 0; i < 6; i++) {
		for (k = 0; k < 20; k++)
			store((i * 100 + k) * US, k % 2, 100);
		event(ZSR_EV_COMPACT, (i * 100 + 30) * US, 1);
		mark((i * 100 + 40) * US, i % 2, "barrier: here");
	}
	store(900 * US, 0, 100);
	feed();
}
END_TEST

ZSR_TEST_MAIN("feed", plain_calls, values_of_all_sizes, marks_part_them)
