// SPDX-License-Identifier: GPL-2.0-only
/*
 * CTF traces: streams of two CPUs in order of time, what was discarded, names,
 * marks and facts; traces below a directory, links, what cannot be used and
 * why; damage; and a real one against the text that perf made of the same data.
 */
#include <sys/stat.h>

#include "capture/t/decoding.h"
#include "capture/t/tinyctf.h"

static char dir[64];

static void new_dir(const char *sub, const char *metadata)
{
	char path[128];

	strcpy(dir, "/tmp/zsr-capture-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	if (*sub)
		tiny_sub(dir, sub);
	snprintf(path, sizeof(path), "%s/metadata", sub);
	tiny_file(dir, *sub ? path : "metadata", metadata, strlen(metadata));
}

static void one_stream(struct tiny_buf *b)
{
	size_t at;

	b->len = 0;
	at = tinyctf_open(b, 1000, 2000, 0, 0);
	tinyctf_event(b, TINYCTF_PRINT, 1100, 42);
	tiny_num(b, 7, 8);
	tiny_str(b, "snap:one\n");
	tinyctf_alloc(b, 1200, 64, 0xffff000000001000);
	tinyctf_release(b, 1400, 0x1000);
	tinyctf_close(b, at);
	at = tinyctf_open(b, 2000, 3000, 5, 0);
	tinyctf_release(b, 2500, 0xfffffff4);
	tinyctf_event(b, TINYCTF_OTHER, 2600, 7);
	tiny_num(b, 120, 4);
	tinyctf_close(b, at);
}

static void other_stream(struct tiny_buf *b)
{
	size_t at;

	b->len = 0;
	at = tinyctf_open(b, 1000, 2000, 0, 3);
	tinyctf_alloc(b, 1250, 4096, 0x2000);
	tinyctf_close(b, at);
}

static void two_streams(const char *sub)
{
	struct tiny_buf b = { 0 };
	char name[64];

	snprintf(name, sizeof(name), "%s/s0", sub);
	one_stream(&b);
	tiny_file(dir, name, b.p, b.len);
	snprintf(name, sizeof(name), "%s/s1", sub);
	other_stream(&b);
	tiny_file(dir, name, b.p, b.len);
	free(b.p);
}

static void check_records(void)
{
	static const struct order want[] = {
		{ 1100, 0, ZSR_REC_MARK },
		{ 1200, 0, ZSR_REC_MALLOC },
		{ 1250, 3, ZSR_REC_MALLOC },
		{ 1300, 0, ZSR_REC_MALLOC_RET },
		{ 1350, 3, ZSR_REC_MALLOC_RET },
		{ 1400, 0, ZSR_REC_FREE },
		{ 2500, 0, ZSR_REC_LOST },
		{ 2500, 0, ZSR_REC_FREE },
		{ 2600, 0, ZSR_REC_OTHER },
	};

	check_order(want, ZSR_ARRAY_SIZE(want));
}

START_TEST(merged)
{
	new_dir("", tinyctf_metadata);
	two_streams(".");
	ck_assert_msg(!decode(dir), "%s", err.msg);
	check_records();
	check_malloc(&got.recs[2]);
	ck_assert_uint_eq(got.recs[3].handle, 0xffff000000001000);
	ck_assert_uint_eq(got.recs[3].caller, 0xca11);
	ck_assert_uint_eq(got.recs[5].handle, 0x1000);
	ck_assert_uint_eq(got.recs[6].value, 5);
	ck_assert_uint_eq(got.recs[7].handle, (uint64_t)-12);
	ck_assert_int_eq(got.recs[8].pid, 7);
	ck_assert(has_line(&got.marks, "snap:one"));
	ck_assert(has_line(&got.tasks, "42 mem hog"));
	ck_assert_str_eq(collected_meta(&got, "format"), "CTF");
	ck_assert_str_eq(collected_meta(&got, "kernel.release"), "6.12.9-tiny");
	ck_assert_str_eq(collected_meta(&got, "arch"), "aarch64");
	ck_assert_str_eq(collected_meta(&got, "tracer"), "tiny");
	ck_assert_str_eq(collected_meta(&got, "clock"), "mono");
	ck_assert_ptr_null(strstr(got.meta.all, "secret"));
	tiny_rmdir(dir);
}
END_TEST

/* ---- where traces are ------------------------------------------------------ */

START_TEST(below)
{
	char path[192];

	new_dir("kernel", tinyctf_metadata);
	two_streams("kernel");
	ck_assert_msg(!decode(dir), "%s", err.msg);
	check_records();
	/* A trace in two directories: all of it. */
	tiny_sub(dir, "more");
	tiny_sub(dir, "more/deep");
	tiny_file(dir, "more/deep/metadata", tinyctf_metadata,
		  strlen(tinyctf_metadata));
	snprintf(path, sizeof(path), "mv %s/kernel/s1 %s/more/deep", dir, dir);
	ck_assert_int_eq(system(path), 0);
	ck_assert_msg(!decode(dir), "%s", err.msg);
	check_records();
	/* The metadata alone say where the rest is. */
	snprintf(path, sizeof(path), "%s/kernel/metadata", dir);
	refused(path, "name its directory");
	snprintf(path, sizeof(path), "%s/kernel/s0", dir);
	refused(path, "name its directory");
	tiny_rmdir(dir);
}
END_TEST

START_TEST(links)
{
	char path[128], to[128];

	new_dir("kernel", tinyctf_metadata);
	two_streams("kernel");
	snprintf(path, sizeof(path), "%s/kernel", dir);
	snprintf(to, sizeof(to), "%s-link", dir);
	ck_assert_int_eq(mkdir(to, 0700), 0);
	strcat(to, "/kernel");
	ck_assert_int_eq(symlink(path, to), 0);
	*strrchr(to, '/') = '\0';
	refused(to, "no capture");
	tiny_rmdir(to);
	snprintf(to, sizeof(to), "%s/kernel/s2", dir);
	ck_assert_int_eq(symlink("/etc/passwd", to), 0);
	refused(dir, "s2: neither a file nor a directory");
	unlink(to);
	ck_assert_int_eq(mkfifo(to, 0600), 0);
	refused(dir, "s2: neither a file nor a directory");
	unlink(to);
	tiny_sub(dir, "kernel/index");
	snprintf(to, sizeof(to), "%s/kernel/index/s0.idx", dir);
	ck_assert_int_eq(symlink("/etc/passwd", to), 0);
	refused(dir, "s0.idx: neither a file nor a directory");
	tiny_rmdir(dir);
}
END_TEST

/* ---- what cannot be used --------------------------------------------------- */

static void refused_with(const char *metadata, const char *why)
{
	new_dir("", metadata);
	two_streams(".");
	refused(dir, why);
	tiny_rmdir(dir);
}

START_TEST(unusable)
{
	struct tiny_buf b = { 0 };
	size_t at;

	new_dir("", tinyctf_metadata);
	refused(dir, "without streams");
	at = tinyctf_open(&b, 1000, 2000, 0, DEC_MAX_CPUS);
	tinyctf_alloc(&b, 1200, 64, 0x1000);
	tinyctf_close(&b, at);
	tiny_file(dir, "s0", b.p, b.len);
	refused(dir, "cpu 1024 is out of range");
	free(b.p);
	tiny_rmdir(dir);
	refused_with(TINYCTF_TYPES TINYCTF_ENV("tiny")
			     TINYCTF_STREAM TINYCTF_EVENT(0, "zsm:zs_malloc",
							  "u64 pool;"),
		     "event zsm:zs_malloc: no field size");
	refused_with("/* CTF 1.8 */ trace { major = 1", "damaged metadata");
}
END_TEST

/* Calls without arguments, as LTTng records them, are taken for their times;
 * where a function is probed as a whole, another probe on its entry says
 * nothing new. Without any call it is an error. */
START_TEST(without_arguments)
{
	static const char whole[] = TINYCTF_TYPES TINYCTF_ENV("lttng-modules")
		TINYCTF_STREAM TINYCTF_EVENT(4, "zsm_free", "u32 _ip;")
			TINYCTF_EVENT(5, "zsm_free_fn_entry",
				      "u32 _ip; u32 _parent_ip;")
				TINYCTF_EVENT(6, "zsm_free_fn_exit",
					      "u32 _ip; u32 _parent_ip;");
	static const char none[] = TINYCTF_TYPES TINYCTF_ENV("lttng-modules")
		TINYCTF_STREAM TINYCTF_EVENT(4, "netif_rx", "u32 _ip;");
	struct tiny_buf b = { 0 };
	size_t at = tinyctf_open(&b, 1000, 2000, 0, 0);

	tinyctf_event(&b, 5, 1100, 42);
	tiny_num(&b, 120, 4);
	tiny_num(&b, 0, 4);
	tinyctf_event(&b, TINYCTF_OTHER, 1150, 42);
	tiny_num(&b, 120, 4);
	tinyctf_event(&b, 6, 1200, 42);
	tiny_num(&b, 120, 4);
	tiny_num(&b, 7, 4);
	tinyctf_close(&b, at);
	new_dir("", whole);
	tiny_file(dir, "s0", b.p, b.len);
	ck_assert_msg(!decode(dir), "%s", err.msg);
	ck_assert_uint_eq(got.nr, 3);
	ck_assert_uint_eq(got.recs[0].kind, ZSR_REC_FREE);
	ck_assert_uint_eq(got.recs[0].has, ZSR_REC_NO_ARGS);
	ck_assert_uint_eq(got.recs[1].kind, ZSR_REC_OTHER);
	ck_assert_uint_eq(got.recs[2].kind, ZSR_REC_FREE_RET);
	tiny_rmdir(dir);
	b.len = 0;
	at = tinyctf_open(&b, 1000, 2000, 0, 0);
	tinyctf_event(&b, TINYCTF_OTHER, 1100, 42);
	tiny_num(&b, 120, 4);
	tinyctf_close(&b, at);
	new_dir("", none);
	tiny_file(dir, "s0", b.p, b.len);
	refused(dir, "a CTF trace of lttng-modules, none of whose events");
	tiny_rmdir(dir);
	free(b.p);
}
END_TEST

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define LIMITED 1 /* in memory */
#else
#define LIMITED 0
#endif

/* Small metadata, large demands. */
START_TEST(hostile)
{
	static const char head[] = "/* CTF 1.8 ";
	char *text = calloc(1, 5 << 20);

	if (LIMITED)
		refused_with(TINYCTF_TYPES TINYCTF_STREAM TINYCTF_EVENT(
				     3, "zs_free", "u64 handle[4294967295];"),
			     "needs more memory");
	memset(text, 'x', (5 << 20) - 1);
	memcpy(text, head, strlen(head));
	refused_with(text, "are no metadata");
	free(text);
}
END_TEST

/* ---- damage ------------------------------------------------------------------ */

/* An input error that says what is wrong, or records. */
static bool survives(void)
{
	int ret = decode(dir);

	if (!ret)
		return true;
	ck_assert_int_eq(ret, -EINVAL);
	ck_assert_int_eq(err.kind, ZSR_ERR_INPUT);
	ck_assert_msg(!strstr(err.msg, "decoder") && strstr(err.msg, dir), "%s",
		      err.msg);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	return false;
}

static unsigned turn_bits(const char *name, const void *p, size_t len,
			  size_t step)
{
	uint8_t *copy = malloc(len);
	unsigned seen = 0;
	size_t i;

	for (i = 0; i < len; i += step) {
		memcpy(copy, p, len);
		copy[i] ^= (uint8_t)(1u << (i / step % 8));
		tiny_file(dir, name, copy, len);
		seen += !survives();
		tiny_file(dir, name, p, i);
		seen += !survives();
	}
	tiny_file(dir, name, p, len);
	free(copy);
	return seen;
}

START_TEST(damage)
{
	struct tiny_buf b = { 0 };

	new_dir("", tinyctf_metadata);
	two_streams(".");
	one_stream(&b);
	ck_assert_uint_gt(turn_bits("s0", b.p, b.len, 2), b.len / 2);
	ck_assert_uint_gt(turn_bits("metadata", tinyctf_metadata,
				    strlen(tinyctf_metadata), 7),
			  200);
	ck_assert_msg(survives(), "%s", err.msg);
	check_records();
	tiny_rmdir(dir);
	free(b.p);
}
END_TEST

/* ---- perf ------------------------------------------------------------------- */

/* The text that perf made of the same data tells of the same calls. */
START_TEST(perf)
{
	struct collected ctf;
	size_t i;

	ck_assert_msg(!decode(shared_capture("s11-perf/ctf-from-perf")), "%s",
		      err.msg);
	ck_assert_uint_eq(got.nr, 7600);
	ck_assert_uint_eq(got.kinds[ZSR_REC_MALLOC], 1900);
	ck_assert_uint_eq(got.kinds[ZSR_REC_FREE_RET], 1900);
	ck_assert_uint_eq(got.lost, 0);
	ck_assert_str_eq(collected_meta(&got, "tracer"), "perf");
	ck_assert_str_eq(collected_meta(&got, "kernel.release"),
			 "6.12.117+deb12-cloud-arm64");
	ctf = got;
	memset(&got, 0, sizeof(got));
	ck_assert_msg(!decode(shared_capture("s11-perf/perf.script.txt")), "%s",
		      err.msg);
	ck_assert_str_eq(collected_meta(&got, "format"), "perf script");
	ck_assert(has_line(&got.tasks, "186 wl"));
	ck_assert_uint_eq(got.nr, ctf.nr);
	for (i = 0; i < got.nr; i++) {
		struct zsr_rec r = ctf.recs[i];

		/* perf rounds down, in text. */
		r.t_ns -= r.t_ns % 1000;
		r.has |= ZSR_REC_COARSE_TIME;
		ck_assert_mem_eq(&got.recs[i], &r, sizeof(r));
	}
	collected_free(&ctf);
}
END_TEST

/* Bits of the real one, all over it. */
START_TEST(perf_damage)
{
	static const char *const names[] = { "metadata", "perf_stream_0" };
	const char *from = shared_capture("s11-perf/ctf-from-perf");
	struct zsr_rng rng = { 11 };
	unsigned i, k, seen = 0;
	char path[2][128], cmd[2400];
	struct stat st;

	new_dir("", tinyctf_metadata);
	snprintf(cmd, sizeof(cmd), "cp %s/* %s && chmod u+w %s/*", from, dir,
		 dir);
	ck_assert_int_eq(system(cmd), 0);
	for (k = 0; k < 2; k++)
		snprintf(path[k], sizeof(path[k]), "%s/%s", dir, names[k]);
	for (i = 0; i < 300; i++) {
		int fd = open(path[i % 2], O_RDWR);
		off_t at;
		uint8_t c;

		ck_assert_int_eq(fstat(fd, &st), 0);
		/* Its head more often than the rest. */
		at = (off_t)zsr_rng_below(
			&rng, i % 4 == 1 ? 128 : (uint64_t)st.st_size);
		ck_assert_int_eq(pread(fd, &c, 1, at), 1);
		c ^= (uint8_t)(1u << (i % 8));
		ck_assert_int_eq(pwrite(fd, &c, 1, at), 1);
		seen += !survives();
		c ^= (uint8_t)(1u << (i % 8));
		ck_assert_int_eq(pwrite(fd, &c, 1, at), 1);
		close(fd);
	}
	ck_assert_uint_gt(seen, 30);
	ck_assert(survives());
	ck_assert_uint_eq(got.nr, 7600);
	ck_assert_int_eq(truncate(path[1], 300000), 0);
	refused(dir, "perf_stream_0: truncated or damaged");
	tiny_rmdir(dir);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		merged,  below,  links, unusable,    without_arguments,
		hostile, damage, perf,  perf_damage,
	};
	size_t nr = ZSR_ARRAY_SIZE(tests);

	if (!shared_capture("s11-perf")) {
		puts("# no shared captures (set ZSR_SHARED): only own ones");
		nr -= 2;
	}
	return zsr_test_main("CTF", tests, nr);
}
