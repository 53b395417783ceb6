// SPDX-License-Identifier: GPL-2.0-only
/*
 * The child that decodes: its limits, a damaged file taken up to the fault,
 * standard input, and a child that sends nonsense.
 */
#include "capture/t/decoding.h"

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
	struct dec_ring ring;
	struct zsr_sink sink;
	uint32_t used = (uint32_t)n;
	bool any;
	int ret;

	collected_free(&got);
	sink = collected_init(&got);
	ck_assert_int_eq(dec_ring_open(&ring, &err), 0);
	memcpy(ring.mem, p, n);
	if (n)
		ck_assert(write(ring.in, &used, sizeof(used)) == sizeof(used));
	close(ring.in);
	ring.in = -1;
	ret = dec_receive(&ring, "x", &sink, done, &any, &err);
	dec_ring_close(&ring);
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

ZSR_TEST_MAIN("decoding child", limits, partial, standard_input, hostile_child)
