// SPDX-License-Identifier: GPL-2.0-only
/*
 * Captures that are written: the same records come back from the decoder, and
 * from libtracecmd. Sub-buffers of every size, long gaps, losses, marks; facts;
 * a file is there whole or not at all.
 */
#include <sys/stat.h>

#include "capture/t/peer.h"

static struct zsr_err err;
static char dir[64];

static const char *in_dir(const char *name)
{
	static char path[200];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void setup(void)
{
	strcpy(dir, "/tmp/zsr-write-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void cleanup(void)
{
	char cmd[100];

	snprintf(cmd, sizeof(cmd), "rm -r '%s'", dir);
	ck_assert_int_eq(system(cmd), 0);
}

static struct zsr_rec random_rec(struct zsr_rng *rng, uint64_t *t_ns)
{
	static const uint8_t kinds[] = {
		ZSR_REC_MALLOC,      ZSR_REC_MALLOC_RET,  ZSR_REC_MALLOC_DONE,
		ZSR_REC_FREE,        ZSR_REC_FREE_RET,    ZSR_REC_COMPACT,
		ZSR_REC_COMPACT_RET, ZSR_REC_POOL_CREATE, ZSR_REC_POOL_DESTROY,
		ZSR_REC_ZSPAGE_FREE, ZSR_REC_MARK,
	};
	struct zsr_rec r = {
		.kind = kinds[zsr_rng_below(rng, ZSR_ARRAY_SIZE(kinds))],
		.cpu = (uint16_t)zsr_rng_below(rng, 5),
		.pid = (int32_t)zsr_rng_below(rng, 3) * 1000,
	};
	bool is_ret = r.kind == ZSR_REC_MALLOC_RET ||
		      r.kind == ZSR_REC_FREE_RET ||
		      r.kind == ZSR_REC_COMPACT_RET;

	*t_ns += 1 + (zsr_rng_next(rng) >> (64 - zsr_rng_below(rng, 12) - 1));
	if (zsr_rng_below(rng, 50) == 0)
		*t_ns += zsr_rng_next(rng) >> (30 + zsr_rng_below(rng, 30));
	r.t_ns = *t_ns;
	if (r.kind == ZSR_REC_MARK)
		return r;
	if (!is_ret) {
		r.pool = zsr_rng_next(rng);
		r.has |= ZSR_REC_HAS_POOL;
	}
	if (r.kind == ZSR_REC_MALLOC || r.kind == ZSR_REC_MALLOC_DONE) {
		r.value = (uint32_t)zsr_rng_next(rng);
		r.gfp = (uint32_t)zsr_rng_next(rng);
		r.has |= ZSR_REC_HAS_SIZE | ZSR_REC_HAS_GFP;
	}
	if (r.kind == ZSR_REC_MALLOC_RET || r.kind == ZSR_REC_MALLOC_DONE ||
	    r.kind == ZSR_REC_FREE)
		r.handle = zsr_rng_next(rng);
	if (r.kind == ZSR_REC_COMPACT_RET || r.kind == ZSR_REC_ZSPAGE_FREE)
		r.value = zsr_rng_next(rng) >> 1;
	return r;
}

/* N records into WANT and to a file; some losses and marks among them. */
static void write_random(struct zsr_sink *to, struct zsr_sink *want, size_t n,
			 uint64_t seed)
{
	uint64_t t_ns = 5000000000;
	struct zsr_rng rng = { seed };
	char text[300];
	int ret = 0;
	size_t i;

	for (i = 0; i < n && !ret; i++) {
		struct zsr_rec r = random_rec(&rng, &t_ns);
		struct zsr_rec lost = { .t_ns = r.t_ns,
					.cpu = r.cpu,
					.kind = ZSR_REC_LOST,
					.value = zsr_rng_below(&rng, 3) };

		if (zsr_rng_below(&rng, 200) == 0) {
			ret |= to->recs(to->ctx, &lost, 1, &err);
			ret |= want->recs(want->ctx, &lost, 1, &err);
		}
		if (r.kind != ZSR_REC_MARK) {
			ret |= to->recs(to->ctx, &r, 1, &err);
			ret |= want->recs(want->ctx, &r, 1, &err);
			continue;
		}
		memset(text, 'm', sizeof(text));
		text[zsr_rng_below(&rng, sizeof(text))] = '\0';
		text[sizeof(text) - 1] = '\0';
		r.text_len = (uint32_t)strlen(text);
		ret |= to->mark(to->ctx, &r, text, &err);
		ret |= want->mark(want->ctx, &r, text, &err);
	}
	ck_assert_msg(!ret, "%s", err.msg);
}

static bool is_same(const struct zsr_rec *a, const struct zsr_rec *b)
{
	return a->t_ns == b->t_ns && a->pool == b->pool &&
	       a->handle == b->handle && a->value == b->value &&
	       a->gfp == b->gfp && a->pid == b->pid && a->cpu == b->cpu &&
	       a->kind == b->kind && a->text_len == b->text_len;
}

static void compare(const struct collected *got, const struct collected *want)
{
	size_t i;

	ck_assert_uint_eq(got->nr, want->nr);
	for (i = 0; i < got->nr; i++)
		if (!is_same(&got->recs[i], &want->recs[i]))
			ck_abort_msg("record %zu differs", i);
	ck_assert_str_eq(got->marks.all, want->marks.all);
}

static void round_trip(enum zsr_capture_format format, const char *page_size,
		       size_t n, uint64_t seed)
{
	const char *path = in_dir("trace");
	struct collected want, got;
	struct zsr_sink keep = collected_init(&want), in = collected_init(&got);
	struct zsr_capture_out *out;
	struct zsr_sink *to;
	unsigned i;

	ck_assert_msg(!zsr_capture_create(&out, path, format, &err), "%s",
		      err.msg);
	to = zsr_capture_sink(out);
	ck_assert_int_eq(to->meta(to->ctx, "page_size", page_size, &err), 0);
	ck_assert_int_eq(to->meta(to->ctx, "seed", "12=3", &err), 0);
	ck_assert_int_eq(to->meta(to->ctx, "kernel.release", "6.12.9", &err), 0);
	for (i = 0; i < 5000; i++)
		if (to->task(to->ctx, (int32_t)(i * 7 % 3001), "other", &err))
			ck_abort_msg("%s", err.msg);
	ck_assert_int_eq(to->task(to->ctx, 1000, "a task", &err), 0);
	write_random(to, &keep, n, seed);
	ck_assert_int_ne(access(path, F_OK), 0);
	ck_assert_msg(!zsr_capture_finish(out, &err), "%s", err.msg);
	ck_assert_msg(!zsr_decode(path, NULL, &in, &err), "%s", err.msg);
	compare(&got, &want);
	ck_assert_str_eq(collected_meta(&got, "seed"), "12=3");
	ck_assert_str_eq(collected_meta(&got, "page_size"), page_size);
	ck_assert_str_eq(collected_meta(&got, "kernel.release"), "6.12.9");
	if (n > 100)
		ck_assert(has_line(&got.tasks, "1000 a task"));
	ck_assert(!has_line(&got.tasks, "1000 other"));
	collected_free(&got);
	collected_free(&want);
	unlink(path);
}

START_TEST(dat)
{
	setup();
	round_trip(ZSR_CAPTURE_DAT, "4096", 20000, 1);
	round_trip(ZSR_CAPTURE_DAT, "16384", 20000, 2);
	round_trip(ZSR_CAPTURE_DAT, "65536", 20000, 3);
	round_trip(ZSR_CAPTURE_DAT, "4096", 1, 4);
	cleanup();
}
END_TEST

START_TEST(text)
{
	setup();
	round_trip(ZSR_CAPTURE_TEXT, "4096", 20000, 5);
	cleanup();
}
END_TEST

/* libtracecmd shows marks' pages and facts too, so only calls here; of losses
 * only those with a number. */
START_TEST(peer)
{
	struct collected got;
	struct zsr_sink in = collected_init(&got), *to;
	struct zsr_capture_out *out;
	struct zsr_rng rng = { 6 };
	uint64_t t_ns = 1;
	struct zsr_rec r;
	unsigned i;

	setup();
	tracecmd_set_loglevel(TEP_LOG_NONE);
	ck_assert_int_eq(zsr_capture_create(&out, in_dir("trace.dat"),
					    ZSR_CAPTURE_DAT, &err),
			 0);
	to = zsr_capture_sink(out);
	for (i = 0; i < 29990; i++) {
		r = random_rec(&rng, &t_ns);
		if (r.kind == ZSR_REC_MARK)
			r.kind = ZSR_REC_FREE_RET;
		if (i % 1000 == 999) {
			r.kind = ZSR_REC_LOST;
			r.value = i;
		}
		ck_assert_int_eq(to->recs(to->ctx, &r, 1, &err), 0);
	}
	ck_assert_msg(!zsr_capture_finish(out, &err), "%s", err.msg);
	ck_assert_msg(!zsr_decode(in_dir("trace.dat"), NULL, &in, &err), "%s",
		      err.msg);
	ck_assert_uint_eq(got.nr, 29990);
	same_as_libtracecmd(in_dir("trace.dat"), &got);
	collected_free(&got);
	cleanup();
}
END_TEST

/* What was there stays until the new file is whole; nothing is left beside. */
START_TEST(whole_or_not)
{
	const struct zsr_rec lost = { .kind = ZSR_REC_LOST, .cpu = 60000 };
	struct zsr_capture_out *out;
	struct zsr_sink *to;
	struct stat st;
	FILE *f;

	setup();
	f = fopen(in_dir("t"), "w");
	fputs("old", f);
	fclose(f);
	ck_assert_int_eq(
		zsr_capture_create(&out, in_dir("t"), ZSR_CAPTURE_DAT, &err), 0);
	to = zsr_capture_sink(out);
	ck_assert_int_eq(to->recs(to->ctx, &lost, 1, &err), -EINVAL);
	ck_assert_int_eq(err.kind, ZSR_ERR_INPUT);
	zsr_capture_abort(out);
	ck_assert_int_eq(stat(in_dir("t"), &st), 0);
	ck_assert_int_eq(st.st_size, 3);
	ck_assert_int_eq(zsr_capture_create(&out, in_dir("none/t"),
					    ZSR_CAPTURE_DAT, &err),
			 -ENOENT);
	ck_assert_int_eq(err.kind, ZSR_ERR_SYSTEM);
	unlink(in_dir("t"));
	ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

ZSR_TEST_MAIN("capture/write", dat, text, peer, whole_or_not)
