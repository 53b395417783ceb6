// SPDX-License-Identifier: GPL-2.0-only
/*
 * zsr_decode() on captures made by hand: every format, losses, order, the
 * child's limits, and that whatever happens it is one error and no zombie.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "capture/decode/decode.h"
#include "capture/t/collect.h"
#include "capture/t/tiny.h"
#include "tests/check.h"

static struct collected got;
static struct zsr_err err;

static int decode_with(const char *path, const struct zsr_decode_opts *opts)
{
	struct zsr_sink sink;

	collected_free(&got);
	sink = collected_init(&got);
	memset(&err, 0, sizeof(err));
	return zsr_decode(path, opts, &sink, &err);
}

static int decode(const char *path)
{
	return decode_with(path, NULL);
}

/* An input error whose message holds WHY. */
static void refused(const char *path, const char *why)
{
	ck_assert_int_eq(decode(path), -EINVAL);
	ck_assert_int_eq(err.kind, ZSR_ERR_INPUT);
	ck_assert_msg(strstr(err.msg, why) != NULL, "'%s' lacks '%s'", err.msg,
		      why);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1); /* no child */
}

static void temp_file(char path[64], const void *p, size_t n)
{
	int fd;

	strcpy(path, "/tmp/zsr-capture-XXXXXX");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	ck_assert(write(fd, p, n) == (ssize_t)n);
	close(fd);
}

/* Two cpus: cpu 1's records lie between and beside those of cpu 0. */
static void two_cpus(struct tiny_page p[2])
{
	tiny_page_init(&p[0], 1000);
	tiny_mark(&p[0], "capture:begin 6.12.9-tiny"); /* 1100 */
	tiny_alloc(&p[0], 64, 0x1000); /* 1200 1300 */
	tiny_release(&p[0], 0x1000); /* 1400 1500 */
	tiny_page_init(&p[1], 1150);
	tiny_alloc(&p[1], 4096, 0x2000); /* 1250 1350 */
	tiny_page_init(&p[1], 1100);
	tiny_alloc(&p[1], 4096, 0x2000); /* 1200 1300 */
}

static void check_two_cpus(void)
{
	static const struct {
		uint64_t t;
		unsigned cpu, kind;
	} want[] = {
		{ 1100, 0, ZSR_REC_MARK },
		{ 1200, 0, ZSR_REC_MALLOC },
		{ 1200, 1, ZSR_REC_MALLOC },
		{ 1300, 0, ZSR_REC_MALLOC_RET },
		{ 1300, 1, ZSR_REC_MALLOC_RET },
		{ 1400, 0, ZSR_REC_FREE },
		{ 1500, 0, ZSR_REC_FREE_RET },
	};
	unsigned i;

	ck_assert_uint_eq(got.nr, ZSR_ARRAY_SIZE(want));
	for (i = 0; i < got.nr; i++) {
		ck_assert_uint_eq(got.recs[i].t_ns, want[i].t);
		ck_assert_uint_eq(got.recs[i].cpu, want[i].cpu);
		ck_assert_uint_eq(got.recs[i].kind, want[i].kind);
		ck_assert_int_eq(got.recs[i].pid, 42);
	}
	ck_assert_uint_eq(got.recs[2].value, 4096);
	ck_assert_uint_eq(got.recs[2].gfp, 0x280a);
	ck_assert_uint_eq(got.recs[2].pool, 0xabc0);
	ck_assert_uint_eq(got.recs[2].has, ZSR_REC_HAS_POOL | ZSR_REC_HAS_SIZE |
						   ZSR_REC_HAS_GFP);
	ck_assert_uint_eq(got.recs[4].handle, 0x2000);
	ck_assert_uint_eq(got.recs[4].caller, 0xca11);
	ck_assert_uint_eq(got.recs[4].has, ZSR_REC_HAS_CALLER);
	ck_assert(has_line(&got.marks, "capture:begin 6.12.9-tiny"));
	ck_assert(has_line(&got.tasks, "42 mem hog"));
}

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

static const char text[] =
	"# tracer: nop\n"
	"#\n"
	"# entries-in-buffer/entries-written: 6/10   #P:2\n"
	"#\n"
	"           <...>-7     [001] d..1.     2.000001: zs_malloc: "
	"(zs_malloc+0x0/0x57c [zsmalloc]) pool=0xabc0 size=73 gfp=0x280a\n"
	" a-1 [x] (b)-42      (     42) [000] .....     2.000002: "
	"zs_malloc_ret: (zram_bvec_rw.constprop.0+0x5e8/0x6b0 [zram] <- "
	"zs_malloc) handle=0xffff179f0425b870\n"
	"CPU:1 [LOST 12 EVENTS]\n"
	"           <...>-7     (-------) [001] 3.000000: gone: "
	"(zs_free+0x0/0x1a8) pool=0xabc0 handle=0xfffffffffffffff4\n"
	"              wl-8     [001] d....     3.000001123: zs_free_ret: "
	"(ffff80 <- ffffb0b945cd66a4)\n"
	"              wl-8     [001] d....     3.000002: sched_waking: "
	"comm=a pid=1 prio=120\n"
	"              wl-8     [000] .....     4.000000: "
	"tracing_mark_write: snap:\x01 two\n"
	"lines\n";

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

static bool sanitized(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return true;
#else
	return false;
#endif
}

/* A small file that unpacks to hundreds of millions of records. */
START_TEST(limits)
{
	struct zsr_decode_opts opts = { .max_seconds = 1 };
	struct tiny_buf b = { 0 };
	struct tiny_page p;
	char path[64];
	int i;

	tiny_page_init(&p, 1);
	for (i = 0; i < 60; i++) /* many fillers, few records */
		tiny_head(&p, 30, 0), tiny_word(&p, 0);
	tiny_event(&p, 1, &i, 4);
	tiny_dat7(&b, &p, 1, 100000, 400, NULL);
	ck_assert_uint_lt(b.len, 4u << 20);
	temp_file(path, b.p, b.len);
	ck_assert_int_eq(decode_with(path, &opts), -EINVAL);
	ck_assert_msg(strstr(err.msg, "after 1 s of CPU time"), "%s", err.msg);
	opts.max_seconds = 0;
	opts.max_memory = 16u << 20;
	if (!sanitized()) {
		ck_assert_int_eq(decode_with(path, &opts), -EINVAL);
		ck_assert_msg(strstr(err.msg, "16 MiB of memory"), "%s",
			      err.msg);
	}
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	unlink(path);
	free(b.p);
}
END_TEST

START_TEST(partial)
{
	const struct zsr_decode_opts opts = { .partial = true };
	struct tiny_page p[3];
	struct tiny_buf b = { 0 };
	char dir[64], path[64];
	int i;

	for (i = 0; i < 3; i++) {
		tiny_page_init(&p[i], 1000 * (uint64_t)(i + 1));
		tiny_alloc(&p[i], 64, 0x1000);
	}
	p[1].b[TINY_DATA + 36] = 0; /* the second event's head */
	tiny_dir(dir);
	tiny_file(dir, "raw/cpu0.raw", p, 0);
	for (i = 0; i < 3; i++)
		tiny_put(&b, p[i].b, TINY_PAGE);
	tiny_file(dir, "raw/cpu0.raw", b.p, b.len);
	refused(dir, "page 1: event 1");
	ck_assert_int_eq(decode_with(dir, &opts), 0);
	ck_assert_uint_eq(got.nr, 3);
	ck_assert_ptr_nonnull(
		strstr(collected_meta(&got, "partial"), "page 1: event 1"));
	tiny_rmdir(dir);

	/* A trace.dat whose end is gone: the pages that are left. */
	b.len = 0;
	p[1] = p[0];
	tiny_dat6(&b, p, 2, NULL, 0, NULL);
	temp_file(path, b.p, b.len - TINY_PAGE);
	refused(path, "cpu 0: truncated");
	ck_assert_int_eq(decode_with(path, &opts), 0);
	ck_assert_uint_eq(got.nr, 2);
	ck_assert_ptr_nonnull(
		strstr(collected_meta(&got, "partial"), "truncated"));
	/* What is no capture does not become one. */
	ck_assert_int_eq(decode_with("/dev/null", &opts), -EINVAL);
	unlink(path);
	free(b.p);
}
END_TEST

/* Standard input, as a file and as a pipe. */
static void feed(const void *data, size_t n, bool as_file)
{
	int fds[2], ret, saved = dup(STDIN_FILENO);
	char path[64];
	pid_t pid = 0;

	if (as_file) {
		temp_file(path, data, n);
		fds[0] = open(path, O_RDONLY);
		unlink(path);
	} else {
		ck_assert_int_eq(pipe(fds), 0);
		pid = fork();
		if (!pid) {
			close(fds[0]);
			_exit(write(fds[1], data, n) != (ssize_t)n);
		}
		close(fds[1]);
	}
	dup2(fds[0], STDIN_FILENO);
	close(fds[0]);
	ret = decode("-");
	dup2(saved, STDIN_FILENO);
	close(saved);
	ck_assert_msg(!ret, "%s", err.msg);
	if (pid)
		waitpid(pid, NULL, 0);
}

START_TEST(standard_input)
{
	struct tiny_buf b = { 0 };
	struct tiny_page p[2];

	feed(text, strlen(text), true);
	ck_assert_uint_eq(got.nr, 8);
	feed(text, strlen(text), false);
	ck_assert_uint_eq(got.nr, 8);
	two_cpus(p);
	tiny_dat6(&b, &p[0], 1, &p[1], 1, NULL);
	feed(b.p, b.len, true);
	check_two_cpus();
	feed(b.p, b.len, false);
	check_two_cpus();
	free(b.p);
}
END_TEST

/* ---- a child gone bad ------------------------------------------------- */

static int answer(const void *p, size_t n, bool *done)
{
	struct zsr_sink sink;
	bool any;
	int fds[2], ret;

	collected_free(&got);
	sink = collected_init(&got);
	ck_assert_int_eq(pipe(fds), 0);
	ck_assert(write(fds[1], p, n) == (ssize_t)n);
	close(fds[1]);
	ret = dec_receive(fds[0], "x", &sink, done, &any, &err);
	close(fds[0]);
	return ret;
}

static int frame(uint32_t kind, uint32_t len, const void *p, size_t n)
{
	uint8_t buf[4096] = { 0 };
	struct dec_frame f = { kind, len };
	bool done;

	memcpy(buf, &f, sizeof(f));
	memcpy(buf + sizeof(f), p, n);
	return answer(buf, sizeof(f) + ((n + 7) & ~(size_t)7), &done);
}

START_TEST(hostile_child)
{
	struct zsr_rec rec[2] = { { .kind = ZSR_REC_FREE } };
	struct {
		struct zsr_rec rec;
		char text[8];
	} mark = { { .kind = ZSR_REC_MARK, .text_len = 5 }, "hello" };
	uint32_t noise[64];
	struct zsr_rng rng = { 3 };
	bool done = true;
	unsigned i, j;

	ck_assert_int_eq(frame(DEC_RECS, sizeof(rec[0]), rec, sizeof(rec[0])),
			 0);
	ck_assert_int_eq(
		frame(DEC_MARK, sizeof(rec[0]) + 6, &mark, sizeof(mark)), 0);
	ck_assert_int_eq(answer("", 0, &done), 0);
	ck_assert(!done);
	/* lengths, kinds, cpus, text */
	ck_assert_int_lt(frame(DEC_RECS, 55, rec, sizeof(rec[0])), 0);
	ck_assert_int_lt(frame(DEC_RECS, 0, rec, 0), 0);
	ck_assert_int_lt(frame(DEC_RECS, UINT32_MAX, rec, sizeof(rec[0])), 0);
	ck_assert_int_lt(frame(99, 8, rec, 8), 0);
	ck_assert_int_lt(frame(DEC_TASK, 4, "abcd", 4), 0);
	ck_assert_int_lt(frame(DEC_TASK, 8, "abcdefgh", 8), 0);
	ck_assert_int_lt(frame(DEC_META, 4, "key", 4), 0);
	ck_assert_int_lt(frame(DEC_META, 8, "key\0val!", 8), 0);
	ck_assert_int_lt(frame(DEC_META, 8, "key\0\x1b[m", 8), 0);
	ck_assert_int_eq(frame(DEC_META, 8, "key\0val", 8), 0);
	mark.rec.text_len = 6;
	ck_assert_int_lt(
		frame(DEC_MARK, sizeof(rec[0]) + 6, &mark, sizeof(mark)), 0);
	mark.rec.text_len = 5;
	mark.text[2] = '\n';
	ck_assert_int_lt(
		frame(DEC_MARK, sizeof(rec[0]) + 6, &mark, sizeof(mark)), 0);
	rec[0].kind = ZSR_REC_MARK;
	ck_assert_int_lt(frame(DEC_RECS, sizeof(rec[0]), rec, sizeof(rec[0])),
			 0);
	rec[0].kind = ZSR_REC_OTHER + 1;
	ck_assert_int_lt(frame(DEC_RECS, sizeof(rec[0]), rec, sizeof(rec[0])),
			 0);
	rec[0].kind = ZSR_REC_FREE;
	rec[0].cpu = UINT16_MAX;
	ck_assert_int_lt(frame(DEC_RECS, sizeof(rec[0]), rec, sizeof(rec[0])),
			 0);
	/* an error message is made fit to print */
	ck_assert_int_lt(frame(DEC_ERROR, 5, "a\x1b[m", 5), 0);
	ck_assert_str_eq(err.msg, "a?[m");
	for (i = 0; i < 5000; i++) {
		for (j = 0; j < ZSR_ARRAY_SIZE(noise); j++)
			noise[j] = (uint32_t)zsr_rng_next(&rng) & 0xff;
		answer(noise, sizeof(noise), &done);
	}
}
END_TEST

ZSR_TEST_MAIN("decode", raw, dat6, dat7, ftrace_text, report_text, bad_text,
	      losses, sidecars, bad_raw, no_captures, links, sink_stops, limits,
	      partial, standard_input, hostile_child)
