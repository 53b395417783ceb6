// SPDX-License-Identifier: GPL-2.0-only
/*
 * Models by release, object layouts and size classes against those of real
 * kernels, the single steps against the whole calls, refusals, deferred
 * release, and what the engine leaves to its driver.
 */
#include <string.h>

#include "replay/engine/engine.h"
#include "tests/check.h"

#define DATA "replay/engine/t/data/"

static struct zsr_engine *create(const char *kernel, unsigned page_size,
				 unsigned chain_size)
{
	struct zsr_err err = { 0 };
	struct zsr_engine *e;

	ck_assert_msg(!zsr_engine_create(&e, zsr_model_find(kernel), page_size,
					 chain_size, &err),
		      "%s", err.msg);
	return e;
}

START_TEST(models)
{
	static const struct {
		const char *release;
		const char *model;
	} t[] = {
		{ "5.10", "5.10" },
		{ "5.10.262", "5.10" },
		{ "5.15.0-91-generic", "5.10" },
		{ "6.0.19", "5.10" },
		{ "6.1", "6.1" },
		{ "6.1.0-18-arm64", "6.1" },
		{ "6.2.16", "6.1" },
		{ "6.3", "6.3" },
		{ "6.3-rc1", "6.3" },
		{ "6.4.1", "6.12" },
		{ "6.12.117+deb12-arm64", "6.12" },
		{ "6.18", "6.12" },
		{ "7.2", "6.12" },
		{ "7.3", "6.12" },
		{ "10.0", "6.12" },
	};
	static const char *const none[] = {
		"",    "banana", "4.19",  "4.19.300", "6",    "6.",
		".12", "6.x",    "6.12x", "-6.12",    "6 .1", "99999.1",
	};
	size_t i;

	for (i = 0; i < ZSR_ARRAY_SIZE(t); i++)
		ck_assert_str_eq(zsr_model_find(t[i].release)->name, t[i].model);
	for (i = 0; i < ZSR_ARRAY_SIZE(none); i++)
		ck_assert_msg(!zsr_model_find(none[i]), "%s", none[i]);
}
END_TEST

/* ---- tables of real kernels ------------------------------------------------ */

/* Rows of a CSV file of numbers behind a kernel's label. */
struct csv {
	FILE *f;
	char kernel[32];
	unsigned v[10];
	char last[32];
};

static void csv_open(struct csv *c, const char *path)
{
	char header[200];

	c->f = fopen(path, "r");
	ck_assert_msg(c->f && fgets(header, sizeof(header), c->f), "%s", path);
}

static bool csv_row(struct csv *c)
{
	char line[200], *field, *save;
	unsigned n = 0;

	if (!fgets(line, sizeof(line), c->f)) {
		fclose(c->f);
		return false;
	}
	snprintf(c->kernel, sizeof(c->kernel), "%s", strtok_r(line, ",", &save));
	while ((field = strtok_r(NULL, ",\n", &save)) && n < 10)
		c->v[n++] = (unsigned)strtoul(field, NULL, 10);
	snprintf(c->last, sizeof(c->last), "%s", field ? field : "");
	return true;
}

START_TEST(layouts)
{
	struct zsr_err err = { 0 };
	struct zsr_obj_layout l;
	struct zsr_engine *e;
	unsigned rows = 0;
	struct csv c;

	csv_open(&c, DATA "obj_encoding.csv");
	while (csv_row(&c)) {
		unsigned page_size = 1u << c.v[2];

		ck_assert(!zsr_obj_layout(&l, c.kernel, c.v[0], c.v[1],
					  page_size, c.v[3], &err));
		ck_assert_uint_eq(l.pfn_bits, c.v[4]);
		ck_assert_uint_eq(l.tag_bits, c.v[5]);
		ck_assert_uint_eq(l.class_bits, c.v[6]);
		ck_assert_uint_eq(l.idx_bits, c.v[7]);
		ck_assert_uint_eq(l.min_size, c.v[8]);
		ck_assert(!zsr_engine_create_layout(&e, zsr_model_find(c.kernel),
						    page_size, c.v[3], &l, 0,
						    &err));
		ck_assert_uint_eq(zsr_engine_nr_raw_classes(e), c.v[9]);
		zsr_engine_destroy(e);
		rows++;
	}
	ck_assert_uint_ge(rows, 90);
	ck_assert_int_lt(zsr_obj_layout(&l, "6.1", 32, 50, 4096, 4, &err), 0);
	ck_assert_int_eq(err.kind, ZSR_ERR_USAGE);
	ck_assert_int_lt(zsr_obj_layout(&l, "6.12", 32, 44, 4096, 16, &err), 0);
	ck_assert_int_lt(zsr_obj_layout(&l, "6.12", 16, 16, 4096, 16, &err), 0);
	ck_assert_int_lt(zsr_obj_layout(&l, "6.12", 64, 52, 100, 4, &err), 0);
}
END_TEST

/* Number of classes and size of the largest that is not huge. */
static unsigned count_classes(const struct zsr_engine *e, unsigned *largest)
{
	struct zsr_class_info info;
	unsigned i, nr = 0;

	for (i = 0; i < zsr_engine_nr_raw_classes(e) + 3; i++)
		if (zsr_engine_class_info(e, i, &info)) {
			nr++;
			if (!info.huge)
				*largest = info.size;
		}
	return nr;
}

START_TEST(summaries)
{
	struct zsr_engine *e;
	unsigned rows = 0, largest = 0;
	struct csv c;

	csv_open(&c, DATA "class_summary.csv");
	while (csv_row(&c)) {
		e = create(c.kernel, c.v[0], c.v[1]);
		ck_assert_uint_eq(zsr_engine_nr_raw_classes(e), c.v[2]);
		ck_assert_uint_eq(count_classes(e, &largest), c.v[3]);
		ck_assert_uint_eq(largest, c.v[4]);
		ck_assert_uint_eq(zsr_engine_huge_class_size(e), c.v[5]);
		zsr_engine_destroy(e);
		rows++;
	}
	ck_assert_uint_eq(rows, 12);
}
END_TEST

/* Chain sizes between those of the tables: classes and watermark at 4 KiB. */
START_TEST(chain_sizes)
{
	static const unsigned t[][4] = {
		{ 5, 86, 3408, 3401 },   { 6, 94, 3504, 3497 },
		{ 7, 110, 3584, 3577 },  { 8, 119, 3632, 3625 },
		{ 12, 159, 3776, 3769 }, { 16, 192, 3840, 3833 },
	};
	struct zsr_engine *e;
	unsigned largest;
	size_t i;

	for (i = 0; i < ZSR_ARRAY_SIZE(t); i++) {
		e = create("6.3", 4096, t[i][0]);
		ck_assert_uint_eq(count_classes(e, &largest), t[i][1]);
		ck_assert_uint_eq(largest, t[i][2]);
		ck_assert_uint_eq(zsr_engine_huge_class_size(e), t[i][3]);
		zsr_engine_destroy(e);
	}
}
END_TEST

/* Every request lands in the class whose range it is in; a percent class and
 * a minwaste class where the rules differ. */
START_TEST(requests)
{
	struct zsr_engine *e = create("6.12", 4096, 4);
	struct zsr_class_info info;
	unsigned size;
	int class;

	for (size = 1; size <= 4096; size++) {
		class = zsr_engine_size_class(e, size);
		ck_assert(zsr_engine_class_info(e, (unsigned)class, &info));
		ck_assert_uint_le(info.min_request, size);
		ck_assert_uint_ge(info.max_request, size);
	}
	class = zsr_engine_size_class(e, 200);
	ck_assert(zsr_engine_class_info(e, (unsigned)class, &info));
	ck_assert_uint_eq(info.pages, 3);
	ck_assert_uint_eq(info.objs, 59);
	zsr_engine_destroy(e);
	e = create("6.1", 4096, 4);
	ck_assert(zsr_engine_class_info(e, (unsigned)class, &info));
	ck_assert_uint_eq(info.pages, 2);
	ck_assert_uint_eq(info.objs, 39);
	zsr_engine_destroy(e);
}
END_TEST

START_TEST(refusals)
{
	static const struct {
		const char *kernel;
		int zero, large;
	} t[] = { { "5.10", -ENOMEM, -ENOMEM },
		  { "6.1", -EINVAL, -EINVAL },
		  { "6.12", -EINVAL, -ENOSPC } };
	struct zsr_err err = { 0 };
	struct zsr_engine *e;
	zsr_handle h;
	size_t i;

	for (i = 0; i < ZSR_ARRAY_SIZE(t); i++) {
		e = create(t[i].kernel, 16384, 0);
		ck_assert_int_eq(zsr_engine_malloc(e, 0, &h), t[i].zero);
		ck_assert_uint_eq(h, 0);
		ck_assert_int_eq(zsr_engine_malloc(e, 16385, &h), t[i].large);
		ck_assert_int_eq(zsr_engine_malloc(e, SIZE_MAX, &h), t[i].large);
		ck_assert_uint_eq(zsr_engine_pages(e), 0);
		ck_assert(!zsr_engine_free(e, 0));
		ck_assert_int_eq(zsr_engine_malloc(e, 16384, &h), 0);
		ck_assert_uint_eq(zsr_engine_pages(e), 1);
		ck_assert(zsr_engine_free(e, h));
		zsr_engine_destroy(e);
	}
	ck_assert_int_lt(
		zsr_engine_create(&e, zsr_model_find("6.1"), 8192, 4, &err), 0);
	ck_assert_ptr_null(e);
	ck_assert_int_lt(
		zsr_engine_create(&e, zsr_model_find("6.1"), 4096, 17, &err), 0);
	zsr_engine_destroy(NULL);
}
END_TEST

/* ---- steps ------------------------------------------------------------------ */

static zsr_handle malloc_steps(struct zsr_engine *e, size_t size)
{
	unsigned class = (unsigned)zsr_engine_size_class(e, size), done;
	zsr_handle h = zsr_engine_handle_alloc(e);
	struct zsr_zspage *z = zsr_engine_zspage_pick(e, class);
	bool new = !z;

	if (!z)
		z = zsr_engine_zspage_alloc(e, class);
	done = zsr_engine_obj_malloc(e, class, z, h);
	ck_assert(!!(done & ZSR_CREATED) == new);
	return h;
}

static bool free_steps(struct zsr_engine *e, zsr_handle h)
{
	unsigned class = zsr_engine_handle_class(e, h), done, pages;
	struct zsr_zspage *z;
	bool released = false;

	ck_assert_uint_eq(zsr_zspage_class(zsr_engine_handle_zspage(e, h)),
			  class);
	done = zsr_engine_obj_free(e, class, h, &z);
	if ((done & ZSR_EMPTIED) && zsr_engine_zspage_trylock(e, z)) {
		ck_assert_uint_eq(zsr_zspage_inuse(z), 0);
		pages = zsr_zspage_pages(z);
		zsr_engine_zspage_unlink(e, z);
		ck_assert_uint_eq(zsr_engine_zspage_free(e, z), pages);
		released = true;
	}
	zsr_engine_handle_free(e, h);
	return released;
}

START_TEST(steps_equal_calls)
{
	enum { LIVE = 300, OPS = 40000 };
	struct zsr_engine *a = create("6.12", 4096, 8);
	struct zsr_engine *b = create("6.12", 4096, 8);
	struct zsr_rng rng = { 3 };
	zsr_handle ha[LIVE] = { 0 }, hb[LIVE] = { 0 };
	struct zsr_place pa, pb;
	unsigned i, at;

	for (i = 0; i < OPS; i++) {
		at = (unsigned)zsr_rng_below(&rng, LIVE);
		if (ha[at]) {
			ck_assert(free_steps(a, ha[at]) ==
				  zsr_engine_free(b, hb[at]));
			ha[at] = 0;
			continue;
		}
		ha[at] = malloc_steps(a, 1 + i % 4096);
		ck_assert(!zsr_engine_malloc(b, 1 + i % 4096, &hb[at]));
		zsr_engine_place(a, ha[at], &pa);
		zsr_engine_place(b, hb[at], &pb);
		ck_assert_uint_eq(pa.zspage, pb.zspage);
		ck_assert_uint_eq(pa.class, pb.class);
		ck_assert_uint_eq(pa.obj, pb.obj);
		ck_assert_uint_eq(zsr_engine_pages(a), zsr_engine_pages(b));
	}
	ck_assert_uint_eq(zsr_engine_freeable(a), zsr_engine_freeable(b));
	zsr_engine_destroy(a);
	zsr_engine_destroy(b);
}
END_TEST

/* Handles stay valid and distinct while their number grows and shrinks. */
START_TEST(handles)
{
	enum { NR = 300000 };
	struct zsr_engine *e = create("6.12", 4096, 8);
	zsr_handle *h = calloc(NR, sizeof(*h));
	struct zsr_class_stats s;
	struct zsr_place place;
	unsigned i, class = (unsigned)zsr_engine_size_class(e, 24);

	for (i = 0; i < NR; i++)
		ck_assert(!zsr_engine_malloc(e, 24, &h[i]));
	for (i = 0; i < NR; i++) {
		zsr_engine_place(e, h[i], &place);
		ck_assert_uint_eq(place.zspage, i / 128);
		ck_assert_uint_eq(place.obj, i % 128);
	}
	zsr_engine_class_stats(e, class, &s);
	ck_assert_uint_eq(s.obj_used, NR);
	ck_assert_uint_eq(s.group[11], NR / 128);
	for (i = 0; i < NR; i++)
		zsr_engine_free(e, h[i]);
	ck_assert_uint_eq(zsr_engine_pages(e), 0);
	free(h);
	zsr_engine_destroy(e);
}
END_TEST

/* ---- deferred release --------------------------------------------------------- */

START_TEST(deferred)
{
	struct zsr_engine *e = create("6.1", 4096, 4);
	unsigned class = (unsigned)zsr_engine_size_class(e, 1000);
	struct zsr_class_stats s;
	struct zsr_zspage *z;
	zsr_handle h;

	ck_assert(!zsr_engine_malloc(e, 1000, &h));
	z = zsr_engine_handle_zspage(e, h);
	*zsr_zspage_queued(z) = 7;
	ck_assert(zsr_engine_page_trylock(e, z, 0));
	ck_assert(!zsr_engine_page_trylock(e, z, 0));
	ck_assert(!zsr_engine_free(e, h));
	ck_assert(zsr_engine_worker_scheduled(e));
	ck_assert_uint_eq(zsr_engine_pages(e), zsr_zspage_pages(z));

	/* It is taken into use again, and left to the worker once more. */
	ck_assert(!zsr_engine_malloc(e, 1000, &h));
	ck_assert_ptr_eq(zsr_engine_handle_zspage(e, h), z);
	ck_assert_uint_eq(*zsr_zspage_queued(z), 7);
	ck_assert(!zsr_engine_free(e, h));
	ck_assert_uint_eq(zsr_engine_run_worker(e), 0);
	ck_assert(zsr_engine_worker_scheduled(e));
	zsr_engine_page_unlock(e, z, 0);
	ck_assert_uint_eq(zsr_engine_run_worker(e), zsr_zspage_pages(z));
	ck_assert(!zsr_engine_worker_scheduled(e));
	ck_assert_uint_eq(zsr_engine_pages(e), 0);
	zsr_engine_class_stats(e, class, &s);
	ck_assert_uint_eq(s.obj_allocated, 0);
	ck_assert_uint_eq(s.group[0], 1); /* 6.1's worker forgets it */

	ck_assert(!zsr_engine_malloc(e, 1000, &h));
	z = zsr_engine_handle_zspage(e, h);
	ck_assert_uint_eq(*zsr_zspage_queued(z), 0);
	zsr_engine_destroy(e);
}
END_TEST

ZSR_TEST_MAIN("engine", models, layouts, summaries, chain_sizes, requests,
	      refusals, steps_equal_calls, handles, deferred)
