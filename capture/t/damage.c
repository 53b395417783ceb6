// SPDX-License-Identifier: GPL-2.0-only
/*
 * Damaged captures: cut at every length, every bit turned, random bits of real
 * captures. Each is an input error or still has all of its records; nothing
 * crashes, hangs or is silently short.
 */
#include <fcntl.h>

#include "capture/decode/decode.h"
#include "capture/t/collect.h"
#include "capture/t/tiny.h"
#include "tests/check.h"

#define STATS0 "CPU: 0\nentries: 7\noverrun: 0\ndropped events: 0\n"
#define STATS1 STATS0 "CPU: 1\nentries: 4\noverrun: 0\n"

static struct dec_out out;
static struct dec_cpu_stats stats[DEC_MAX_CPUS];

/* Decode from memory in this process, for speed. *nr: records, without those
 * that only say that others are lost. */
static int decode(uint8_t *mem, size_t len, bool is_text, uint64_t *nr,
		  struct zsr_err *err)
{
	struct dec_file f = { .fd = -1,
			      .seekable = !is_text,
			      .size = len,
			      .mem = mem,
			      .name = "x" };
	struct dec d = { .out = &out, .max_memory = 1u << 30, .stats = stats };
	struct collected got;
	struct zsr_sink sink;
	struct dec_ring ring;
	bool done, any;
	int ret;

	memset(stats, 0, sizeof(stats));
	memset(err, 0, sizeof(*err));
	ck_assert_int_eq(dec_ring_open(&ring, err), 0);
	dec_out_init(&out, &ring);
	if (is_text)
		f.fd = open("/dev/null", O_RDONLY);
	ret = is_text ? dec_text(&d, &f, err) : dec_dat(&d, &f, err);
	if (is_text)
		close(f.fd);
	dec_out_done(&out);
	close(ring.in);
	ring.in = -1;
	*nr = 0;
	if (!ret) {
		sink = collected_init(&got);
		ret = dec_receive(&ring, "x", &sink, &done, &any, err);
		ck_assert_msg(!ret && done, "frames: %s", err->msg);
		*nr = got.nr - got.kinds[ZSR_REC_LOST];
		if (got.lost) /* said to be lost: not silent */
			*nr = UINT64_MAX;
		collected_free(&got);
	}
	dec_ring_close(&ring);
	return ret;
}

/* Bits of BUF in [from, to) turned one at a time; returns how many were seen
 * as damage. */
static unsigned turn_bits(struct tiny_buf *b, size_t from, size_t to,
			  bool is_text, uint64_t nr)
{
	unsigned seen = 0, bit;
	struct zsr_err err;
	uint64_t n;
	size_t i;
	int ret;

	for (i = from; i < to; i++)
		for (bit = 0; bit < 8; bit++) {
			b->p[i] ^= (uint8_t)(1u << bit);
			ret = decode(b->p, b->len, is_text, &n, &err);
			b->p[i] ^= (uint8_t)(1u << bit);
			if (ret) {
				ck_assert_int_eq(ret, -EINVAL);
				ck_assert_int_eq(err.kind, ZSR_ERR_INPUT);
				seen++;
				continue;
			}
			ck_assert_msg(n >= nr,
				      "byte %zu bit %u: %d of %d records", i,
				      bit, (int)n, (int)nr);
		}
	return seen;
}

/* Cut at every length; FULL bytes are needed for all of the records. */
static void cut(struct tiny_buf *b, bool is_text, size_t full)
{
	struct zsr_err err;
	uint64_t n, nr;
	size_t len;
	int ret;

	ck_assert_int_eq(decode(b->p, b->len, is_text, &nr, &err), 0);
	for (len = 0; len < b->len; len++) {
		uint8_t *copy = malloc(len + 1); /* for the sanitizer */

		memcpy(copy, b->p, len);
		ret = decode(copy, len, is_text, &n, &err);
		ck_assert_msg(ret == -EINVAL || (!ret && len >= full && n == nr),
			      "cut at %zu of %zu: %d, %d records", len, b->len,
			      ret, (int)n);
		free(copy);
	}
}

static void pages(struct tiny_page p[3])
{
	tiny_page_init(&p[0], 1000);
	tiny_mark(&p[0], "begin");
	tiny_alloc(&p[0], 64, 0x1000);
	tiny_release(&p[0], 0x1000);
	tiny_page_init(&p[1], 9000);
	tiny_alloc(&p[1], 64, 0x1000);
	tiny_page_init(&p[2], 1000);
	tiny_alloc(&p[2], 64, 0x1000);
	tiny_release(&p[2], 0x1000);
}

START_TEST(version_6)
{
	struct tiny_buf b = { 0 };
	struct tiny_page p[3];
	struct zsr_err err;
	unsigned seen;
	uint64_t nr;

	pages(p);
	tiny_dat6(&b, p, 2, &p[2], 1, STATS1);
	ck_assert_int_eq(decode(b.p, b.len, false, &nr, &err), 0);
	ck_assert_uint_eq(nr, 11);
	cut(&b, false, b.len);
	seen = turn_bits(&b, 0, b.len, false, nr);
	ck_assert_uint_gt(seen, 1000);
	free(b.p);
}
END_TEST

START_TEST(version_7)
{
	struct tiny_buf b = { 0 };
	struct tiny_page p[3];
	struct zsr_err err;
	uint64_t nr;

	pages(p);
	tiny_dat7(&b, p, 2, 1, 1, STATS0);
	ck_assert_int_eq(decode(b.p, b.len, false, &nr, &err), 0);
	ck_assert_uint_eq(nr, 7);
	cut(&b, false, b.len);
	ck_assert_uint_gt(turn_bits(&b, 0, b.len, false, nr), 1000);
	free(b.p);
}
END_TEST

/* A page's length made shorter by whole events, without statistics: seen all
 * the same when another page follows. */
START_TEST(short_page)
{
	struct tiny_buf b = { 0 };
	struct tiny_page p[3];
	struct zsr_err err;
	uint64_t nr;
	unsigned full;

	pages(p);
	full = p[0].len;
	p[0].len -= 4 + sizeof(struct tiny_free_ret);
	tiny_commit(&p[0], 0);
	tiny_dat6(&b, p, 2, NULL, 0, NULL);
	ck_assert_int_eq(decode(b.p, b.len, false, &nr, &err), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.msg, "page 0: "));
	ck_assert_ptr_nonnull(strstr(err.msg, "are not empty"));
	/* Records missing before the next page: nothing to be seen. */
	tiny_commit(&p[1], TINY_MISSED);
	b.len = 0;
	tiny_dat6(&b, p, 2, NULL, 0, NULL);
	ck_assert_int_eq(decode(b.p, b.len, false, &nr, &err), 0);
	/* A full page may hold old bytes behind its data. */
	p[0].len = full;
	tiny_commit(&p[1], 0);
	while (p[0].len < TINY_PAGE - TINY_DATA - 36)
		tiny_event(&p[0], 1,
			   "\x67\0\0\0*\0\0\0"
			   "12345678"
			   "12345678",
			   24);
	tiny_commit(&p[0], 0);
	p[0].b[TINY_PAGE - 1] = 1;
	b.len = 0;
	tiny_dat6(&b, p, 2, NULL, 0, NULL);
	ck_assert_msg(!decode(b.p, b.len, false, &nr, &err), "%s", err.msg);
	free(b.p);
}
END_TEST

START_TEST(text)
{
	static const char lines[] =
		"# tracer: nop\n"
		"# entries-in-buffer/entries-written: 3/3   #P:1\n"
		"  sh-1 [000] ..... 1.000000: tracing_mark_write: begin\n"
		"  sh-1 [000] ..... 1.000001: zs_free: (zs_free+0x0/0x1a8) "
		"pool=0xabc0 handle=0x1000\n"
		"  sh-1 [000] ..... 1.000002: zs_free_ret: (a+0x1/0x2 <- "
		"zs_free)\n";
	struct tiny_buf b = { 0 };

	tiny_put(&b, lines, strlen(lines));
	cut(&b, true, b.len);
	/* not the header itself: who drops it drops what it says */
	ck_assert_uint_gt(turn_bits(&b,
				    (size_t)(strchr(lines, '\n') - lines) + 63,
				    b.len, true, 3),
			  100);
	free(b.p);
}
END_TEST

/* ---- real captures ----------------------------------------------------- */

static uint8_t *read_all(const char *path, size_t *len)
{
	struct dec_file f;
	struct zsr_err err;
	uint8_t *p;

	ck_assert_int_eq(dec_file_open(&f, AT_FDCWD, path, path, &err), 0);
	*len = (size_t)f.size;
	p = malloc(*len + 1);
	ck_assert_int_eq(dec_file_read(&f, 0, p, *len, &err), 0);
	dec_file_close(&f);
	return p;
}

static int in_child(const char *path, uint64_t *nr, struct zsr_err *err)
{
	struct collected got;
	struct zsr_sink sink = collected_init(&got);
	int ret;

	memset(err, 0, sizeof(*err));
	ret = zsr_decode(path, NULL, &sink, err);
	*nr = got.lost ? UINT64_MAX : got.nr;
	collected_free(&got);
	return ret;
}

static void rewrite(const char *path, const uint8_t *p, size_t len)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert(fwrite(p, 1, len, f) == len);
	ck_assert_int_eq(fclose(f), 0);
}

/* NO_COUNT: the file does not tell how many lines it should have. */
static void damage_file(const char *name, unsigned rounds, bool no_count)
{
	const char *shared = shared_capture(name);
	char path[] = "/tmp/zsr-capture-XXXXXX";
	struct zsr_rng rng = { 7 };
	struct zsr_err err;
	uint64_t nr, n;
	uint8_t *p;
	size_t len, at;
	unsigned i;
	int ret;

	ck_assert_msg(shared != NULL, "%s is missing", name);
	ck_assert_int_eq(in_child(shared, &nr, &err), 0);
	p = read_all(shared, &len);
	close(mkstemp(path));
	for (i = 0; i < rounds; i++) {
		at = (size_t)zsr_rng_below(&rng, len);
		rewrite(path, p, at);
		ret = in_child(path, &n, &err);
		ck_assert_msg((ret == -EINVAL && err.kind == ZSR_ERR_INPUT) ||
				      (no_count && at && p[at - 1] == '\n'),
			      "%s cut at %zu: %d", name, at, ret);
		p[at] ^= (uint8_t)(1u << (i % 8));
		rewrite(path, p, len);
		p[at] ^= (uint8_t)(1u << (i % 8));
		ret = in_child(path, &n, &err);
		ck_assert_msg((ret == -EINVAL && err.kind == ZSR_ERR_INPUT) ||
				      (!ret && n >= nr),
			      "%s byte %zu bit %u: %d, %d of %d records", name,
			      at, i % 8, ret, (int)n, (int)nr);
	}
	unlink(path);
	free(p);
}

START_TEST(real_dat)
{
	damage_file("s06-oracle-16k/trace.dat", 150, false);
	damage_file("s14-tracecmd-record/trace.dat", 150, false);
}
END_TEST

START_TEST(real_text)
{
	damage_file("s03-deb612-16k/trace.txt", 60, false);
	damage_file("s11-perf/perf.script.txt", 60, true);
	damage_file("s12-bpftrace/bpftrace.txt", 60, true);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { version_6, version_7, short_page,
				       text,      real_dat,  real_text };
	size_t nr = ZSR_ARRAY_SIZE(tests);

	if (!shared_capture("s06-oracle-16k")) {
		puts("# no shared captures (set ZSR_SHARED): only own ones");
		nr -= 2;
	}
	return zsr_test_main("damage", tests, nr);
}
