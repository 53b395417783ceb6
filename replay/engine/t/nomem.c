// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that runs out at the Nth allocation, for every N: the engine says so,
 * stays as it was before the call, loses nothing, and goes on when there is
 * memory again. A sequence run then ends with one error and no file.
 */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "replay/engine/engine.h"
#include "tests/check.h"

#ifdef __SANITIZE_ADDRESS__
int main(void)
{
	puts("1..0 # SKIP the sanitizer has its own allocator");
	return 77;
}
#else

/* The C library's own, below the names that are taken over here. */
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t align, size_t size);

static bool counting;
static long left; /* allocations that succeed; below 0: all do */

static bool fails(void)
{
	return counting && left >= 0 && left-- == 0;
}

void *calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	return fails() ? NULL : __libc_realloc(p, size);
}

void *aligned_alloc(size_t align, size_t size)
{
	return fails() ? NULL : __libc_memalign(align, size);
}

START_TEST(creation)
{
	struct zsr_err err = { 0 };
	struct zsr_engine *e = NULL;
	long n, failed = 0;

	counting = true;
	for (n = 0; !e; n++) {
		left = n;
		if (!zsr_engine_create(&e, zsr_model_find("6.12"), 4096, 0, &err))
			break;
		failed++;
		ck_assert_ptr_null(e);
		ck_assert_int_eq(err.kind, ZSR_ERR_SYSTEM);
	}
	counting = false;
	ck_assert_int_ge(failed, 3);
	zsr_engine_destroy(e);
}
END_TEST

/* More objects than the first array of cells holds, in many chunks. */
START_TEST(objects)
{
	enum { NR = 20000 };
	struct zsr_err err = { 0 };
	static zsr_handle h[NR];
	struct zsr_engine *e;
	uint64_t pages;
	long failed = 0;
	int i, ret;

	ck_assert(!zsr_engine_create(&e, zsr_model_find("6.12"), 4096, 16, &err));
	counting = true;
	for (i = 0; i < NR; i++) {
		pages = zsr_engine_pages(e);
		left = 0;
		ret = zsr_engine_malloc(e, 1 + (size_t)i % 4096, &h[i]);
		if (ret) {
			failed++;
			ck_assert_int_eq(ret, -ENOMEM);
			ck_assert_uint_eq(h[i], 0);
			ck_assert_uint_eq(zsr_engine_pages(e), pages);
			left = -1;
			ck_assert_int_eq(zsr_engine_malloc(
						 e, 1 + (size_t)i % 4096, &h[i]),
					 0);
		}
	}
	ck_assert_int_ge(failed, 5);
	left = 0;
	while (i--)
		zsr_engine_free(e, h[i]);
	zsr_engine_compact(e);
	counting = false;
	ck_assert_uint_eq(zsr_engine_pages(e), 0);
	zsr_engine_destroy(e);
}
END_TEST

START_TEST(sequence)
{
	char dir[] = "/tmp/zsr-nomem-XXXXXX", out[64];
	struct zsr_seq_run run = {
		.sequence =
			"replay/engine/t/data/seq/queue_deferred_40k.csv.gz",
		.dir = out,
	};
	struct zsr_engine *e;
	struct stat st;
	long n;
	int ret;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(out, sizeof(out), "%s/out", dir);
	for (n = 0;; n++) {
		struct zsr_err err = { 0 };

		ck_assert(!zsr_engine_create(&e, zsr_model_find("6.12"), 4096,
					     8, &err));
		counting = true;
		left = n;
		ret = zsr_engine_run_sequence(e, &run, &err);
		counting = false;
		zsr_engine_destroy(e);
		if (!ret)
			break;
		ck_assert_int_eq(err.kind, ZSR_ERR_SYSTEM);
		ck_assert_int_ne(stat(out, &st), 0);
	}
	ck_assert_int_ge(n, 10);
	ck_assert_int_eq(stat(out, &st), 0);
	snprintf(out, sizeof(out), "rm -r %s", dir);
	ck_assert_int_eq(system(out), 0);
}
END_TEST

ZSR_TEST_MAIN("engine without memory", creation, objects, sequence)
#endif
