// SPDX-License-Identifier: GPL-2.0-only
/*
 * zsr_decode() on captures made by hand: every format, losses, order, and that
 * whatever happens it is one error and no zombie.
 */
#include "capture/t/decoding.h"

START_TEST(raw)
{
	struct tiny_page p[2];
	char dir[64], path[128];

	two_cpus(p);
	tiny_dir(dir);
	tiny_file(dir, "raw/cpu0.raw", p[0].b, TINY_PAGE);
	tiny_file(dir, "raw/cpu1.raw", p[1].b, TINY_PAGE);
	tiny_file(dir, "raw/cpu2.raw", "", 0);
	ck_assert_msg(!decode(dir), "%s", err.msg);
	check_two_cpus();
	ck_assert_str_eq(collected_meta(&got, "format"), "raw");
	ck_assert_str_eq(collected_meta(&got, "cpus"), "3");
	ck_assert_str_eq(collected_meta(&got, "kernel.release"), "6.12.9-tiny");
	snprintf(path, sizeof(path), "%s/raw", dir);
	ck_assert_int_eq(decode(path), 0);
	check_two_cpus();
	snprintf(path, sizeof(path), "%s/raw/cpu1.raw", dir);
	ck_assert_int_eq(decode(path), 0);
	check_two_cpus();
	tiny_file(dir, "raw/1.raw", p[1].b, TINY_PAGE);
	refused(dir, "cpu 1 again");
	tiny_rmdir(dir);
}
END_TEST

START_TEST(dat6)
{
	struct tiny_buf b = { 0 };
	struct tiny_page p[2];
	char path[64];

	two_cpus(p);
	tiny_dat6(&b, &p[0], 1, &p[1], 1,
		  "CPU: 0\nentries: 5\noverrun: 0\ndropped events: 0\n");
	temp_file(path, b.p, b.len);
	ck_assert_msg(!decode(path), "%s", err.msg);
	check_two_cpus();
	ck_assert_str_eq(collected_meta(&got, "format"), "trace.dat");
	ck_assert_str_eq(collected_meta(&got, "kernel.release"), "6.12.1-x");
	ck_assert_str_eq(collected_meta(&got, "arch"), "aarch6");
	ck_assert_str_eq(collected_meta(&got, "page_size"), "4096");
	ck_assert_str_eq(collected_meta(&got, "ring.entries.cpu0"), "5");
	unlink(path);
	free(b.p);
}
END_TEST

START_TEST(dat7)
{
	struct tiny_buf b = { 0 };
	struct tiny_page p;
	char path[64];

	tiny_page_init(&p, 1);
	tiny_alloc(&p, 64, 0x1000);
	tiny_dat7(&b, &p, 1, 3, 5, NULL);
	temp_file(path, b.p, b.len);
	ck_assert_msg(!decode(path), "%s", err.msg);
	ck_assert_uint_eq(got.nr, 30);
	ck_assert_str_eq(collected_meta(&got, "clock"), "mono");
	unlink(path);
	free(b.p);
}
END_TEST

START_TEST(ftrace_text)
{
	const struct zsr_rec *r;
	char path[64];

	temp_file(path, text, strlen(text));
	ck_assert_msg(!decode(path), "%s", err.msg);
	ck_assert_uint_eq(got.nr, 8);
	r = got.recs;
	ck_assert_uint_eq(r[0].kind, ZSR_REC_LOST);
	ck_assert_uint_eq(r[0].value, 4);
	ck_assert_uint_eq(r[1].kind, ZSR_REC_MALLOC);
	ck_assert_uint_eq(r[1].t_ns, 2000001000);
	ck_assert_uint_eq(r[1].cpu, 1);
	ck_assert_int_eq(r[1].pid, 7);
	ck_assert_uint_eq(r[1].value, 73);
	ck_assert_uint_eq(r[1].has, ZSR_REC_HAS_POOL | ZSR_REC_HAS_SIZE |
					    ZSR_REC_HAS_GFP |
					    ZSR_REC_COARSE_TIME);
	ck_assert_uint_eq(r[2].kind, ZSR_REC_MALLOC_RET);
	ck_assert_uint_eq(r[2].handle, 0xffff179f0425b870);
	ck_assert_int_eq(r[2].pid, 42);
	ck_assert_uint_eq(r[3].kind, ZSR_REC_LOST);
	ck_assert_uint_eq(r[3].value, 12);
	ck_assert_uint_eq(r[3].cpu, 1);
	ck_assert_uint_eq(r[3].t_ns, 3000000000);
	ck_assert_uint_eq(r[4].kind, ZSR_REC_FREE);
	ck_assert_uint_eq(r[4].handle, (uint64_t)-12);
	ck_assert_uint_eq(r[5].kind, ZSR_REC_FREE_RET);
	ck_assert_uint_eq(r[5].t_ns, 3000001123);
	ck_assert_uint_eq(r[5].has, ZSR_REC_HAS_CALLER);
	ck_assert_uint_eq(r[5].caller, 0xffffb0b945cd66a4);
	ck_assert_uint_eq(r[6].kind, ZSR_REC_OTHER);
	ck_assert_uint_eq(r[7].kind, ZSR_REC_MARK);
	ck_assert(has_line(&got.marks, "snap:? two lines"));
	ck_assert(has_line(&got.tasks, "42 a-1 [x] (b)"));
	ck_assert(has_line(&got.tasks, "8 wl"));
	ck_assert_ptr_null(strstr(got.tasks.all, "..."));
	ck_assert_str_eq(collected_meta(&got, "cpus"), "2");
	unlink(path);
}
END_TEST

/* What trace-cmd report prints; an event with the place beside a plain one,
 * before it and alone. */
START_TEST(report_text)
{
	static const char obj[] = " wl-8 [001] 1.000001: zs_malloc_obj:  "
				  "(ffffffc0 <- ffffffd0) handle=0x1 obj=0x2\n";
	static const char ret[] = " wl-8 [001] 1.000002: zs_malloc_ret:  "
				  "(ffffffc0 <- ffffffd0) handle=0x1\n";
	static const char mark[] = " wl-8 [001] 1.000000: print:  "
				   "tracing_mark_write: snap:a: b\n";
	char path[64], all[1024];

	snprintf(all, sizeof(all),
		 "cpus=2\n%sCPU:1 [12914 EVENTS DROPPED]\n%s%s", mark, obj, ret);
	temp_file(path, all, strlen(all));
	ck_assert_msg(!decode(path), "%s", err.msg);
	unlink(path);
	ck_assert_uint_eq(got.nr, 4);
	ck_assert(has_line(&got.marks, "snap:a: b"));
	ck_assert_uint_eq(got.recs[1].value, 12914);
	ck_assert_uint_eq(got.recs[2].kind, ZSR_REC_PLACE);
	ck_assert_uint_eq(got.recs[2].value, 2);
	ck_assert_uint_eq(got.recs[3].kind, ZSR_REC_MALLOC_RET);
	ck_assert_uint_eq(got.recs[3].caller, 0xffffffd0);
	snprintf(all, sizeof(all), "%s%s", ret, obj);
	temp_file(path, all, strlen(all));
	ck_assert_int_eq(decode(path), 0);
	unlink(path);
	ck_assert_uint_eq(got.nr, 2);
	ck_assert_uint_eq(got.kinds[ZSR_REC_PLACE], 1);
	snprintf(all, sizeof(all), "%s%s", obj, obj);
	temp_file(path, all, strlen(all));
	ck_assert_int_eq(decode(path), 0);
	unlink(path);
	ck_assert_uint_eq(got.nr, 4);
	ck_assert_uint_eq(got.kinds[ZSR_REC_MALLOC_RET], 2);
	ck_assert_uint_eq(got.kinds[ZSR_REC_PLACE], 2);
}
END_TEST

static void text_refused(const char *body, const char *why)
{
	char path[64], all[4096];

	snprintf(all, sizeof(all), "# tracer: nop\n%s", body);
	temp_file(path, all, strlen(all));
	refused(path, why);
	unlink(path);
}

START_TEST(bad_text)
{
	static const char head[] = "  wl-8 [000] d.... 1.000000: ";
	char line[512];

	snprintf(line, sizeof(line), "%szs_free: (zs_free+0x0/0x1) pool=0x1\n",
		 head);
	text_refused(line, "line 2: event zs_free: no field handle");
	snprintf(line, sizeof(line),
		 "%szs_free: (zs_free+0x0/0x1) handle=0x1\n"
		 "%szs_free: (zs_free+0x0/0x1) hand=0x1\n",
		 head, head);
	text_refused(line, "line 3: event zs_free: no field handle");
	snprintf(line, sizeof(line),
		 "%szs_free: (zs_free+0x0/0x1) handle=0x12345678901234567\n",
		 head);
	text_refused(line, "is no number");
	snprintf(line, sizeof(line),
		 "%szs_free: (zs_free+0x0/0x1) handle=(fault)\n", head);
	text_refused(line, "is no number");
	text_refused("what is this\n", "line 2: neither an event");
	text_refused("  wl-8 [000] d.... 1.000000: a",
		     "the last line has no end");
	text_refused("  wl-8 [000] d.... 1.0000: a: b\n", "neither an event");
	text_refused("# entries-in-buffer/entries-written: 9/9   #P:1\n"
		     "  wl-8 [000] d.... 1.000000: other: x\n",
		     "1 records, its header tells of 9");
	text_refused("# entries-in-buffer/\n", "damaged header");
	text_refused("# entries-in-buffer/entries-written: 9/8   #P:1\n",
		     "line 2: header");
}
END_TEST

START_TEST(losses)
{
	struct tiny_page p[3];
	uint64_t count = 77;
	char dir[64];

	/* In the data: a count, then losses that nobody counted. */
	tiny_page_init(&p[0], 1000);
	tiny_alloc(&p[0], 64, 0x1000);
	memcpy(p[0].b + TINY_DATA + p[0].len, &count, 8);
	tiny_commit(&p[0], TINY_MISSED | TINY_STORED);
	tiny_page_init(&p[1], 5000);
	tiny_alloc(&p[1], 64, 0x2000);
	tiny_commit(&p[1], TINY_MISSED);
	tiny_dir(dir);
	tiny_file(dir, "raw/cpu3.raw", p[0].b, TINY_PAGE);
	ck_assert_int_eq(decode(dir), 0);
	ck_assert_uint_eq(got.nr, 3);
	ck_assert_uint_eq(got.recs[0].kind, ZSR_REC_LOST);
	ck_assert_uint_eq(got.recs[0].value, 77);
	ck_assert_uint_eq(got.recs[0].cpu, 3);
	ck_assert_uint_eq(got.recs[0].t_ns, 1100);
	tiny_file(dir, "raw/cpu3.raw", p, 0);
	tiny_file(dir, "raw/cpu3.raw", p[1].b, TINY_PAGE);
	ck_assert_int_eq(decode(dir), 0);
	ck_assert_uint_eq(got.recs[0].kind, ZSR_REC_LOST);
	ck_assert_uint_eq(got.recs[0].value, 0);
	/* Only in the statistics: dropped at the end of that cpu. */
	tiny_page_init(&p[2], 6000);
	tiny_alloc(&p[2], 64, 0x3000);
	tiny_file(dir, "raw/cpu3.raw", p[2].b, TINY_PAGE);
	tiny_file(dir, "stats3",
		  "entries: 2\noverrun: 5\ndropped events: 13075\n", 44);
	ck_assert_int_eq(decode(dir), 0);
	ck_assert_uint_eq(got.nr, 3);
	ck_assert_uint_eq(got.recs[2].kind, ZSR_REC_LOST);
	ck_assert_uint_eq(got.recs[2].value, 13080);
	ck_assert_uint_eq(got.recs[2].t_ns, 6200);
	ck_assert_str_eq(collected_meta(&got, "ring.dropped.cpu3"), "13075");
	/* Fewer records than the kernel counted. */
	tiny_file(dir, "stats3", "entries: 3\n", 11);
	refused(dir, "cut short: 2 records, its statistics count 3");
	tiny_file(dir, "stats4", "entries: 1\n", 11);
	refused(dir, "cpu 4: its data is missing");
	tiny_rmdir(dir);
}
END_TEST

START_TEST(sidecars)
{
	struct tiny_page p;
	char dir[64];

	tiny_page_init(&p, 1);
	tiny_alloc(&p, 64, 0x1000);
	tiny_dir(dir);
	tiny_file(dir, "raw/cpu0.raw", p.b, TINY_PAGE);
	tiny_sub(dir, "snap");
	tiny_file(dir, "snap/paged-out-r0.mm_stat", " 1 2 3\n", 7);
	tiny_file(dir, "snap/what.ever", "secret\n", 7);
	tiny_file(dir, "io_stat.1-after", "9\n", 2);
	tiny_file(dir, "probe_events.txt", "p:any/x zs_free\n", 16);
	tiny_file(dir, "trace_clock", "local [mono] boot\n", 18);
	ck_assert_int_eq(decode(dir), 0);
	ck_assert_str_eq(collected_meta(&got, "snap.paged-out-r0.mm_stat"),
			 " 1 2 3");
	ck_assert_str_eq(collected_meta(&got, "snap.1-after.io_stat"), "9");
	ck_assert_str_eq(collected_meta(&got, "probe"), "p:any/x zs_free");
	ck_assert_str_eq(collected_meta(&got, "clock"), "mono");
	ck_assert_ptr_null(strstr(got.meta.all, "secret"));
	tiny_rmdir(dir);
}
END_TEST

START_TEST(bad_raw)
{
	struct tiny_page p;
	char dir[64];

	tiny_dir(dir);
	refused(dir, "raw: no pages");
	tiny_page_init(&p, 1);
	tiny_alloc(&p, 64, 0x1000);
	tiny_file(dir, "raw/cpu2.raw", p.b, TINY_PAGE - 1);
	refused(dir, "raw/cpu2.raw: truncated");
	tiny_file(dir, "raw/cpu2.raw", p.b, TINY_PAGE);
	p.b[TINY_DATA] = 0xff; /* no event has 2^27 - 1 words */
	tiny_file(dir, "raw/cpu2.raw", p.b, TINY_PAGE);
	refused(dir, "raw/cpu2.raw: page 0: event");
	tiny_page_init(&p, 1);
	tiny_file(dir, "raw/cpu2.raw", p.b, TINY_PAGE);
	refused(dir, "page 0: is empty");
	tiny_file(dir, "raw/readme", "", 0);
	refused(dir, "its name tells no cpu");
	tiny_rmdir(dir);
}
END_TEST

START_TEST(no_captures)
{
	char dir[64], path[128];

	refused("/dev/zero", "a character device");
	refused("/nonexistent", "No such file");
	temp_file(path, "", 0);
	refused(path, "is empty");
	unlink(path);
	temp_file(path,
		  "\x7f"
		  "ELF whatever",
		  13);
	refused(path, "ELF object");
	unlink(path);
	temp_file(path, "PERFILE2", 8);
	refused(path, "perf.data");
	unlink(path);
	temp_file(path, "hello world\n", 12);
	refused(path, "neither trace.dat");
	unlink(path);
	strcpy(dir, "/tmp/zsr-capture-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	refused(dir, "no capture in this directory");
	snprintf(path, sizeof(path), "%s/fifo", dir);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	refused(path, "a named pipe");
	refused(dir, "no capture in this directory");
	tiny_rmdir(dir);
}
END_TEST

/* Inside a capture's directory symbolic links lead nowhere. */
START_TEST(links)
{
	struct tiny_page p;
	char dir[64], path[128];

	tiny_page_init(&p, 1);
	tiny_alloc(&p, 64, 0x1000);
	tiny_dir(dir);
	tiny_file(dir, "cpu0", p.b, TINY_PAGE);
	snprintf(path, sizeof(path), "%s/raw/cpu0.raw", dir);
	ck_assert_int_eq(symlink("../cpu0", path), 0);
	refused(dir, "a symbolic link");
	tiny_rmdir(dir);
}
END_TEST

START_TEST(sink_stops)
{
	struct tiny_buf b = { 0 };
	struct zsr_sink sink;
	struct tiny_page p;
	char path[64];

	tiny_page_init(&p, 1);
	tiny_alloc(&p, 64, 0x1000);
	tiny_dat7(&b, &p, 1, 10000, 20, NULL);
	temp_file(path, b.p, b.len);
	collected_free(&got);
	sink = collected_init(&got);
	got.stop_after = 1;
	memset(&err, 0, sizeof(err));
	ck_assert_int_eq(zsr_decode(path, NULL, &sink, &err), -EIO);
	ck_assert_int_eq(err.kind, ZSR_ERR_SYSTEM);
	ck_assert_ptr_nonnull(strstr(err.msg, "the sink"));
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	unlink(path);
	free(b.p);
}
END_TEST

ZSR_TEST_MAIN("decode", raw, dat6, dat7, ftrace_text, report_text, bad_text,
	      losses, sidecars, bad_raw, no_captures, links, sink_stops)
