// SPDX-License-Identifier: GPL-2.0-only
/*
 * A shared pool under the locks of the matrix: threads that allocate and free
 * their own objects and others', with their own handles or the pool's, while
 * one compacts. Nothing is lost, counted twice or placed twice.
 */
#include <pthread.h>
#include <string.h>

#include "replay/engine/engine.h"
#include "tests/check.h"

enum { THREADS = 4, OBJECTS = 2000, ROUNDS = 60, CLASSES = 257 };

static struct zsr_engine *engine;
static pthread_mutex_t lock[CLASSES];
/* Compaction rewrites cells: it keeps everybody out who resolves one. */
static pthread_rwlock_t migrate = PTHREAD_RWLOCK_INITIALIZER;
static zsr_handle shelf[THREADS][OBJECTS]; /* handed on by a barrier */
static pthread_barrier_t barrier;
static uint64_t back[THREADS];

static zsr_handle do_malloc(struct zsr_handle_cache *cache, size_t size)
{
	unsigned class = (unsigned)zsr_engine_size_class(engine, size);
	zsr_handle h = cache ? zsr_engine_handle_alloc_cached(engine, cache)
			     : zsr_engine_handle_alloc(engine);
	struct zsr_zspage *z;

	pthread_mutex_lock(&lock[class]);
	z = zsr_engine_zspage_pick(engine, class);
	if (z)
		zsr_engine_obj_malloc(engine, class, z, h);
	pthread_mutex_unlock(&lock[class]);
	if (z)
		return h;
	z = zsr_engine_zspage_alloc(engine, class);
	pthread_mutex_lock(&lock[class]);
	zsr_engine_obj_malloc(engine, class, z, h);
	pthread_mutex_unlock(&lock[class]);
	return h;
}

static unsigned do_free(struct zsr_handle_cache *cache, zsr_handle h)
{
	struct zsr_zspage *z;
	unsigned class, pages = 0;
	bool mine;

	pthread_rwlock_rdlock(&migrate);
	class = zsr_engine_handle_class(engine, h);
	pthread_mutex_lock(&lock[class]);
	pthread_rwlock_unlock(&migrate);
	mine = zsr_engine_obj_free(engine, class, h, &z) & ZSR_EMPTIED &&
	       zsr_engine_zspage_trylock(engine, z);
	if (mine)
		zsr_engine_zspage_unlink(engine, z);
	pthread_mutex_unlock(&lock[class]);
	if (mine)
		pages = zsr_engine_zspage_free(engine, z);
	if (cache)
		zsr_engine_handle_free_cached(engine, cache, h);
	else
		zsr_engine_handle_free(engine, h);
	return pages;
}

static uint64_t do_compact(void)
{
	uint64_t pages = 0;
	int i;

	for (i = (int)zsr_engine_nr_raw_classes(engine) - 1; i >= 0; i--) {
		struct zsr_class_info info;

		if (!zsr_engine_class_info(engine, (unsigned)i, &info))
			continue;
		pthread_rwlock_wrlock(&migrate);
		pthread_mutex_lock(&lock[i]);
		pages += zsr_engine_compact_class(engine, (unsigned)i);
		pthread_mutex_unlock(&lock[i]);
		pthread_rwlock_unlock(&migrate);
	}
	return pages;
}

static void *work(void *arg)
{
	unsigned me = (unsigned)(uintptr_t)arg, round, i;
	struct zsr_handle_cache own = { 0 }, *cache = me % 2 ? &own : NULL;
	struct zsr_rng rng = { me };

	for (round = 0; round < ROUNDS; round++) {
		zsr_handle *mine = shelf[me];
		zsr_handle *other = shelf[(me + round) % THREADS];

		for (i = 0; i < OBJECTS; i++)
			if (!mine[i])
				mine[i] = do_malloc(
					cache, 1 + zsr_rng_below(&rng, 4096));
		pthread_barrier_wait(&barrier);
		if (!me && round % 4 == 0)
			back[0] += do_compact();
		for (i = 0; i < OBJECTS; i++)
			if (zsr_rng_below(&rng, 3)) {
				back[me] += do_free(cache, other[i]);
				other[i] = 0;
			}
		pthread_barrier_wait(&barrier);
	}
	for (i = 0; i < OBJECTS; i++)
		if (shelf[me][i])
			back[me] += do_free(cache, shelf[me][i]);
	if (cache)
		zsr_engine_handle_drain(engine, cache);
	return NULL;
}

static uint64_t made;

static void on_new(void *ctx, const struct zsr_zspage *z, uint64_t pages)
{
	__atomic_fetch_add(&made, zsr_zspage_pages(z), __ATOMIC_RELAXED);
}

static void run(const char *release, unsigned flags)
{
	const struct zsr_model *model = zsr_model_find(release);
	struct zsr_obj_layout l;
	struct zsr_class_stats s;
	struct zsr_class_info info;
	struct zsr_err err = { 0 };
	pthread_t t[THREADS];
	uint64_t total = 0;
	unsigned i;

	ck_assert(!zsr_obj_layout(&l, release, 64, 0, 4096, 4, &err));
	ck_assert_msg(!zsr_engine_create_layout(&engine, model, 4096, 4, &l,
						ZSR_ENGINE_SHARED | flags, &err),
		      "%s", err.msg);
	made = 0;
	memset(back, 0, sizeof(back));
	memset(shelf, 0, sizeof(shelf));
	zsr_engine_observe(
		engine, &(struct zsr_engine_observer){ .zspage_new = on_new });
	for (i = 0; i < CLASSES; i++)
		pthread_mutex_init(&lock[i], NULL);
	pthread_barrier_init(&barrier, NULL, THREADS);
	for (i = 0; i < THREADS; i++)
		pthread_create(&t[i], NULL, work, (void *)(uintptr_t)i);
	for (i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	for (i = 0; i < THREADS; i++)
		total += back[i];
	ck_assert_uint_eq(zsr_engine_pages(engine), 0);
	ck_assert_uint_eq(total, made);
	for (i = 0; i < zsr_engine_nr_raw_classes(engine); i++)
		if (zsr_engine_class_info(engine, i, &info)) {
			zsr_engine_class_stats(engine, i, &s);
			ck_assert_uint_eq(s.obj_used, 0);
			ck_assert_uint_eq(s.obj_allocated, 0);
		}
	zsr_engine_destroy(engine);
}

START_TEST(dst_driven)
{
	run("6.12", 0);
}
END_TEST

START_TEST(src_driven)
{
	run("6.1", 0);
}
END_TEST

START_TEST(dst_driven_backed)
{
	run("6.12", ZSR_ENGINE_BACKED);
}
END_TEST

START_TEST(src_driven_backed)
{
	run("6.1", ZSR_ENGINE_BACKED);
}
END_TEST

ZSR_TEST_MAIN("engine threads", dst_driven, src_driven, dst_driven_backed,
	      src_driven_backed)
