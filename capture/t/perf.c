// SPDX-License-Identifier: GPL-2.0-only
/*
 * The text of perf script: any columns that people ask for, names with blanks
 * and brackets, losses that are told in several ways, call chains, damage.
 */
#include "capture/t/decoding.h"

static void decode_text(const char *body)
{
	char path[64];

	temp_file(path, body, strlen(body));
	ck_assert_msg(!decode(path), "%s\n%s", err.msg, body);
	unlink(path);
	ck_assert_str_eq(collected_meta(&got, "format"), "perf script");
}

static void text_refused(const char *body, const char *why)
{
	char path[64];

	temp_file(path, body, strlen(body));
	refused(path, why);
	unlink(path);
}

#define FREE "zsm:zs_free: (ffffb0b945ca8588) pool=0xabc0 handle=0x1000\n"

START_TEST(columns)
{
	static const struct {
		const char *head;
		int pid;
		unsigned cpu;
		uint64_t t;
		const char *task;
	} t[] = {
		{ "   wl   186 [003]     7.826158:     ", 186, 3, 7826158000,
		  "186 wl" },
		{ "   wl   180/186 [003]     7.826158:     ", 186, 3,
		  7826158000, "186 wl" },
		{ "   wl   186 [003]     7.826158123:     ", 186, 3, 7826158123,
		  "186 wl" },
		{ "   wl   186     7.826158: ", 186, 0, 7826158000, "186 wl" },
		{ "186 [1023]     7.826158: ", 186, 1023, 7826158000, NULL },
		{ "   wl  [003]  7.826158: ", 1, 3, 7826158000, "1 wl" },
		{ "wl 7.826158: ", 1, 0, 7826158000, "1 wl" },
		{ "   wl   186 [003]     7.826158:          1 ", 186, 3,
		  7826158000, "186 wl" },
		{ "   a [1] 7.8: b   186 [003]     7.826158: ", 186, 3,
		  7826158000, "186 a [1] 7.8: b" },
		{ "   kworker/0:1   186 [-01] 1000000.826158: ", 186, 0,
		  1000000826158000, "186 kworker/0:1" },
	};
	char body[256];
	size_t i;

	for (i = 0; i < ZSR_ARRAY_SIZE(t); i++) {
		const struct zsr_rec *r;

		snprintf(body, sizeof(body), "%s" FREE, t[i].head);
		decode_text(body);
		ck_assert_uint_eq(got.nr, 1);
		r = &got.recs[0];
		ck_assert_uint_eq(r->kind, ZSR_REC_FREE);
		ck_assert_int_eq(r->pid, t[i].pid);
		ck_assert_uint_eq(r->cpu, t[i].cpu);
		ck_assert_uint_eq(r->t_ns, t[i].t);
		ck_assert_uint_eq(r->handle, 0x1000);
		ck_assert_uint_eq(r->has & ZSR_REC_COARSE_TIME,
				  t[i].t % 1000 ? 0 : ZSR_REC_COARSE_TIME);
		if (t[i].task)
			ck_assert(has_line(&got.tasks, t[i].task));
	}
}
END_TEST

/* Without pids tasks are told apart by their names. */
START_TEST(names)
{
	decode_text("a b [000] 1.000001: " FREE "a [000] 1.000002: " FREE
		    "a b [000] 1.000003: " FREE);
	ck_assert_uint_eq(got.nr, 3);
	ck_assert_int_eq(got.recs[0].pid, 1);
	ck_assert_int_eq(got.recs[1].pid, 2);
	ck_assert_int_eq(got.recs[2].pid, 1);
}
END_TEST

START_TEST(lost)
{
	decode_text("# ========\n"
		    "# hostname : secret\n"
		    "# os release : 6.12.9-tiny\n"
		    "# arch : aarch64\n"
		    "#\n"
		    " wl 186 [001] 1.000001: " FREE
		    " wl 186 [001] 1.000002: PERF_RECORD_LOST lost 12\n"
		    " wl 186 [000] 1.000003: PERF_RECORD_COMM: wl:186/186\n"
		    " wl 186 [000] 1.000003: " FREE "LOST 5 events!\n"
		    " wl 186 [001] 1.000004: " FREE
		    " wl 186 [-01] 1.000005: PERF_RECORD_LOST lost 3\n"
		    " wl 186 [000] 1.000006: sched:sched_waking: comm=a\n"
		    "\n"
		    "Warning:\n"
		    "Processed 9 events and lost 1 chunks!\n"
		    "\n"
		    "Check IO/CPU overload!\n");
	ck_assert_uint_eq(got.nr, 7);
	ck_assert_uint_eq(got.kinds[ZSR_REC_FREE], 3);
	ck_assert_uint_eq(got.kinds[ZSR_REC_OTHER], 1);
	ck_assert_uint_eq(got.lost, 20);
	/* Before the next record of the cpu, or of any. */
	ck_assert_uint_eq(got.recs[2].kind, ZSR_REC_LOST);
	ck_assert_uint_eq(got.recs[2].value, 17);
	ck_assert_uint_eq(got.recs[2].cpu, 1);
	ck_assert_uint_eq(got.recs[2].t_ns, 1000004000);
	ck_assert_uint_eq(got.recs[4].value, 3);
	ck_assert_uint_eq(got.recs[4].cpu, 0);
	/* At the end, uncounted. */
	ck_assert_uint_eq(got.recs[6].kind, ZSR_REC_LOST);
	ck_assert_uint_eq(got.recs[6].value, 0);
	ck_assert_str_eq(collected_meta(&got, "kernel.release"), "6.12.9-tiny");
	ck_assert_str_eq(collected_meta(&got, "arch"), "aarch64");
	ck_assert_ptr_null(strstr(got.meta.all, "secret"));
}
END_TEST

START_TEST(chains)
{
	decode_text(" wl 186 [001] 1.000001: " FREE
		    "\tffffb0b945ca8588 zs_free+0x0 ([zsmalloc])\n"
		    "\tffffb0b945cd66a4 zram_free_page+0x84 ([zram])\n"
		    "\t          7f1234 main+0x12 (/bin/wl)\n"
		    "\n"
		    " wl 186 [001] 1.000002: zsm:zs_free: "
		    "(zs_free+0x0/0x1) pool=0x1 handle=0x2000\n"
		    "\tffffb0b945ca858c zs_free+0x4 ([zsmalloc])\n"
		    "\tffffb0b945cd66a4 [unknown] ([zram])\n"
		    "\n"
		    " wl 186 [001] 1.000003: zsm:zs_free_ret: "
		    "(ffffb0b945ca8588 <- ffffb0b945cd0000)\n"
		    "\tffffb0b945cd66a8 zram_free_page+0x84 ([zram])\n"
		    "\n"
		    " wl 186 [001] 1.000004: sched:sched_waking: comm=a\n"
		    "\tffffb0b945cd66a8 try_to_wake_up+0x84 ([kernel])\n"
		    "\n"
		    " wl 186 [001] 1.000005: " FREE "\tmain (/bin/wl)\n"
		    " wl 186 [001] 1.000006: ftrace:print: "
		    "tracing_mark_write: snap:a: b\n"
		    "\tffffb0b945cd66a8 tracing_mark_write+0x84 ([kernel])\n");
	ck_assert_uint_eq(got.nr, 6);
	ck_assert_uint_eq(got.recs[0].caller, 0xffffb0b945cd66a4);
	ck_assert_uint_eq(got.recs[0].has & ZSR_REC_HAS_CALLER,
			  ZSR_REC_HAS_CALLER);
	ck_assert_uint_eq(got.recs[1].caller, 0xffffb0b945cd66a4);
	ck_assert_uint_eq(got.recs[2].caller, 0xffffb0b945cd0000);
	ck_assert_uint_eq(got.recs[3].kind, ZSR_REC_OTHER);
	ck_assert_uint_eq(got.recs[4].has & ZSR_REC_HAS_CALLER, 0);
	ck_assert(has_line(&got.marks, "snap:a: b"));
}
END_TEST

START_TEST(bad)
{
	static const char head[] = " wl 186 [001] 1.000001: ";
	char body[512];

	text_refused(" wl 186 [001] 1.000001: zsm:zs_free: (x) pool=0x1\n",
		     "line 1: event zsm:zs_free: no field handle");
	snprintf(body, sizeof(body),
		 "%s" FREE "%szsm:zs_free: (x) pool=0x1 hand=0x1\n", head, head);
	text_refused(body, "line 2: event zsm:zs_free: no field handle");
	snprintf(body, sizeof(body), "%s" FREE " wl 186 [001] 1.0001: " FREE,
		 head);
	text_refused(body, "line 2: neither an event");
	snprintf(body, sizeof(body), "%s" FREE " wl 186 [1024] 1.000001: " FREE,
		 head);
	text_refused(body, "line 2: neither an event");
	snprintf(body, sizeof(body), "%s" FREE "     ffffb0 zs_free+0x4\n",
		 head);
	text_refused(body, "line 2: neither an event");
	snprintf(body, sizeof(body), "%s" FREE "%sx", head, head);
	text_refused(body, "the last line has no end");
	text_refused("1.000001: zsm\n", "neither trace.dat");
}
END_TEST

ZSR_TEST_MAIN("perf script", columns, names, lost, chains, bad)
