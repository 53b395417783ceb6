// SPDX-License-Identifier: GPL-2.0-only
/* What an import makes of facts, given or told, of losses, duplicates and
 * failures; and that no kernel address gets through. */
#include "db/t/feed.h"

/* ---- facts --------------------------------------------------------------------- */

static const char two_calls[] = "5 0 5 D 1 100 1\n6 0 5 F 1 1\n";

static const struct {
	const char *kernel; /* given */
	uint32_t page_size;
	uint32_t chain_size;
	const char *meta[6];
	const char *records;
	const char *want_kernel;
	const char *want_gen;
	uint32_t want_page;
	uint32_t want_chain;
	uint32_t want_flags;
	bool want_empty;
} facts[] = {
	{ NULL,
	  0,
	  0,
	  { 0 },
	  two_calls,
	  "6.12",
	  "6.12",
	  4096,
	  8,
	  ZSR_INFERRED_KERNEL | ZSR_INFERRED_PAGE_SIZE | ZSR_INFERRED_CHAIN_SIZE,
	  false },
	{ "6.1.0-56-arm64",
	  16384,
	  5,
	  { "kernel.release", "6.18.1" },
	  two_calls,
	  "6.1.0-56-arm64",
	  "6.1",
	  16384,
	  5,
	  ZSR_GIVEN_KERNEL | ZSR_GIVEN_PAGE_SIZE | ZSR_GIVEN_CHAIN_SIZE,
	  false },
	{ NULL,
	  0,
	  0,
	  { "kernel.release", "7.3.4+deb13", "page_size", "65536", "chain_size",
	    "16" },
	  two_calls,
	  "7.3.4+deb13",
	  "7.3",
	  65536,
	  16,
	  0,
	  false },
	{ NULL,
	  0,
	  0,
	  { "kernel.release", "banana", "page_size", "5000" },
	  "0 0 1 K capture:begin 5.15.0-rc1\n5 0 5 D 1 4097 1\n",
	  "5.15.0-rc1",
	  "5.10",
	  16384,
	  4,
	  ZSR_INFERRED_PAGE_SIZE | ZSR_INFERRED_CHAIN_SIZE,
	  true },
	{ "6.2",
	  0,
	  0,
	  { 0 },
	  "0 0 5 P 1\n5 0 5 D 1 16385 1\n",
	  "6.2",
	  "6.1",
	  65536,
	  4,
	  ZSR_GIVEN_KERNEL | ZSR_INFERRED_PAGE_SIZE | ZSR_INFERRED_CHAIN_SIZE,
	  true },
	{ "6.3",
	  0,
	  0,
	  { 0 },
	  "0 0 5 P 1\n5 0 5 D 2 100 1\n",
	  "6.3",
	  "6.1",
	  4096,
	  8,
	  ZSR_GIVEN_KERNEL | ZSR_INFERRED_PAGE_SIZE | ZSR_INFERRED_CHAIN_SIZE,
	  false },
	{ "6.0.9",
	  4096,
	  0,
	  { 0 },
	  "0 0 5 P 1\n5 0 5 D 1 100 1\n6 0 5 F 1 2\n",
	  "6.0.9",
	  "5.10",
	  4096,
	  4,
	  ZSR_GIVEN_KERNEL | ZSR_GIVEN_PAGE_SIZE | ZSR_INFERRED_CHAIN_SIZE,
	  false },
	{ "6.10",
	  4096,
	  0,
	  { 0 },
	  "0 0 1 K capture:begin\n5 0 5 D 1 100 1\n6 0 5 F 1 2\n",
	  "6.10",
	  "6.1",
	  4096,
	  8,
	  ZSR_GIVEN_KERNEL | ZSR_GIVEN_PAGE_SIZE | ZSR_INFERRED_CHAIN_SIZE,
	  false },
	{ "6.11",
	  4096,
	  0,
	  { 0 },
	  "0 0 5 D 1 100 1\n1 0 1 K capture:begin 5.0\n",
	  "6.11",
	  "6.12",
	  4096,
	  8,
	  ZSR_GIVEN_KERNEL | ZSR_GIVEN_PAGE_SIZE | ZSR_INFERRED_CHAIN_SIZE,
	  false },
	{ "7.2-rc1",
	  4096,
	  0,
	  { 0 },
	  two_calls,
	  "7.2-rc1",
	  "6.12",
	  4096,
	  8,
	  ZSR_GIVEN_KERNEL | ZSR_GIVEN_PAGE_SIZE | ZSR_INFERRED_CHAIN_SIZE,
	  false },
};

START_TEST(facts_table)
{
	const char *path = gen_path();
	size_t i, j;

	for (i = 0; i < ZSR_ARRAY_SIZE(facts); i++) {
		const struct zsr_import_opts opts = {
			.name = "t",
			.kernel = facts[i].kernel,
			.page_size = facts[i].page_size,
			.chain_size = facts[i].chain_size,
			.force = true,
		};
		struct zsr_err e = { 0 };
		struct zsr_import *imp;
		struct zsr_sink *sink;
		struct zsr_trace t;
		struct zsr_odd odd;
		struct zsr_db *db;

		OK(zsr_db_open(&db, path, ZSR_DB_CREATE, &e));
		OK(zsr_import_begin(db, &opts, &imp, &e));
		sink = zsr_import_sink(imp);
		for (j = 0; j < 6 && facts[i].meta[j]; j += 2)
			OK(sink->meta(sink->ctx, facts[i].meta[j],
				      facts[i].meta[j + 1], &e));
		OK(feed(sink, facts[i].records, &e));
		OK(zsr_import_finish(imp, &t, &odd, &e));
		ck_assert_str_eq(t.kernel, facts[i].want_kernel);
		ck_assert_str_eq(t.lock_gen, facts[i].want_gen);
		ck_assert_uint_eq(t.page_size, facts[i].want_page);
		ck_assert_uint_eq(t.chain_size, facts[i].want_chain);
		ck_assert_uint_eq(t.fact_flags, facts[i].want_flags);
		ck_assert_msg(t.from_empty == facts[i].want_empty, "%zu", i);
		zsr_db_close(db);
	}
	gen_cleanup(path);
}
END_TEST

START_TEST(bad_options)
{
	static const struct zsr_import_opts bad[] = {
		{ .name = "t", .kernel = "banana" },
		{ .name = "t", .kernel = "" },
		{ .name = "t", .kernel = "6" },
		{ .name = "t", .kernel = "6.12banana" },
		{ .name = "t", .kernel = "6.12 x" },
		{ .name = "t", .page_size = 5000 },
		{ .name = "t", .chain_size = 3 },
		{ .name = "t", .chain_size = 17 },
		{ .name = "" },
		{ .name = "t", .times = ZSR_TIMES_NR },
	};
	const char *path = gen_path();
	struct zsr_import *imp;
	struct zsr_db *db;
	size_t i;

	for (i = 0; i < ZSR_ARRAY_SIZE(bad); i++) {
		struct zsr_err e = { 0 };

		OK(zsr_db_open(&db, path, ZSR_DB_CREATE, &e));
		ck_assert_msg(zsr_import_begin(db, &bad[i], &imp, &e) < 0,
			      "%zu", i);
		ck_assert_msg(e.kind == ZSR_ERR_USAGE, "%zu: %s", i, e.msg);
		zsr_db_close(db);
		ck_assert_int_ne(access(path, F_OK), 0);
	}
	gen_cleanup(path);
}
END_TEST

/* What the ring buffer's statistics count as lost, if the data does not. */
START_TEST(ring_losses)
{
	static const struct {
		const char *key;
		const char *value;
	} meta[] = {
		{ "ring.overrun.cpu0", "30" }, /* of which 10 in the data */
		{ "ring.overrun.cpu1", "5" }, /* all in the data */
		{ "ring.dropped.cpu2", "100" },   { "ring.overrun.cpuX", "7" },
		{ "ring.overrun.cpu99999", "7" },
	};
	const char *path = gen_path();
	struct zsr_err e = { 0 };
	struct zsr_import *imp;
	struct zsr_sink *sink;
	struct zsr_trace t;
	struct zsr_odd odd;
	struct zsr_db *db;
	size_t i;

	OK(zsr_db_open(&db, path, ZSR_DB_CREATE, &e));
	OK(zsr_import_begin(db, &some_opts, &imp, &e));
	sink = zsr_import_sink(imp);
	OK(feed(sink, "0 0 5 D 1 10 1\n1 0 0 L 10\n2 1 0 L 5\n", &e));
	for (i = 0; i < ZSR_ARRAY_SIZE(meta); i++)
		OK(sink->meta(sink->ctx, meta[i].key, meta[i].value, &e));
	OK(zsr_import_finish(imp, &t, &odd, &e));
	ck_assert_uint_eq(odd.lost, 30 + 5 + 100);
	zsr_db_close(db);
	gen_cleanup(path);
}
END_TEST

static int find_address(void *ctx, int64_t nr, const char *key,
			const char *value)
{
	char *all = ctx;

	snprintf(all + strlen(all), 2000 - strlen(all), "%s=%s;", key, value);
	return 0;
}

/* No kernel address gets into the database, whoever writes it. */
START_TEST(addresses)
{
	const char *path = gen_path();
	struct zsr_err e = { 0 };
	struct zsr_import *imp;
	char all[2000] = "", cmd[300];
	struct zsr_sink *sink;
	struct zsr_trace t;
	struct zsr_odd odd;
	struct zsr_db *db;

	OK(zsr_db_open(&db, path, ZSR_DB_CREATE, &e));
	OK(zsr_import_begin(db, &some_opts, &imp, &e));
	sink = zsr_import_sink(imp);
	OK(sink->meta(sink->ctx, "log",
		      "pool=0xffff179f0854a000 at ffffff8001450000, "
		      "sha ffffff8001450000ab, gfp=0x2c0a",
		      &e));
	OK(sink->meta(sink->ctx, "ffff888000000000", "x", &e));
	OK(feed(sink,
		"0 0 9 K pool FFFF888000001000 ready\n0 0 5 D 1 10 1\n"
		"1 0 5 F 1 2\n0 0 5 N sh\n",
		&e));
	OK(zsr_import_finish(imp, &t, &odd, &e));
	OK(zsr_trace_rows(db, t.id, ZSR_TABLE_META, find_address, all, &e));
	OK(zsr_trace_rows(db, t.id, ZSR_TABLE_MARKS, find_address, all, &e));
	OK(zsr_trace_rows(db, t.id, ZSR_TABLE_POOLS, find_address, all, &e));
	ck_assert_str_eq(all, "(address)=x;clock.start_ns=0;"
			      "log=pool=0x(address) at (address), "
			      "sha ffffff8001450000ab, gfp=0x2c0a;"
			      "=pool (address) ready;=pool0;");
	zsr_db_close(db);
	/* The one token that is too long for an address stays. */
	snprintf(cmd, sizeof(cmd),
		 "test $(grep -aoiE 'ffff(88|17|ff80)' %s | wc -l) = 1", path);
	ck_assert_int_eq(system(cmd), 0);
	gen_cleanup(path);
}
END_TEST

/* ---- all or nothing ------------------------------------------------------------ */

/* The same trace twice: refused and named, unless forced; another fact or
 * another event makes another trace. */
START_TEST(duplicates)
{
	struct zsr_import_opts opts = some_opts;
	const char *path = gen_path();
	struct zsr_err e = { 0 };
	struct zsr_trace first, t;
	struct zsr_odd odd;
	struct zsr_db *db;

	OK(zsr_db_open(&db, path, ZSR_DB_CREATE, &e));
	OK(import_text(db, &opts, two_calls, &first, &odd, &e));
	opts.name = "other";
	ck_assert_int_eq(import_text(db, &opts, two_calls, &t, &odd, &e),
			 -EEXIST);
	ck_assert_int_eq(e.kind, ZSR_ERR_INPUT);
	ck_assert_msg(strstr(e.msg, "'t'") != NULL, "%s", e.msg);
	ck_assert_str_eq(t.name, "t");
	ck_assert_int_eq(t.id, first.id);
	opts.force = true;
	OK(import_text(db, &opts, two_calls, &t, &odd, &e));
	ck_assert_str_eq(t.name, "other");
	ck_assert_str_eq(t.digest, first.digest);
	opts.force = false;
	opts.kernel = "6.1";
	OK(import_text(db, &opts, two_calls, &t, &odd, &e));
	ck_assert_str_eq(t.name, "other-2");
	ck_assert_str_ne(t.digest, first.digest);
	/* A later start is the same trace. */
	opts = some_opts;
	ck_assert_int_eq(import_text(db, &opts,
				     "1005 0 5 D 3 100 9\n1006 0 5 F 3 9\n", &t,
				     &odd, &e),
			 -EEXIST);
	OK(import_text(db, &opts, "5 0 5 D 1 101 1\n6 0 5 F 1 1\n", &t, &odd,
		       &e));
	zsr_db_close(db);
	gen_cleanup(path);
}
END_TEST

/* What fails leaves no trace, and no file that was not there. */
START_TEST(failures)
{
	static const char *const records[] = {
		"",
		"0 0 5 K only a mark\n",
		"0 0 5 M 1 10\n0 0 5 P 1\n",
		"0 0 5 C 1\n1 0 5 c 3\n",
	};
	const char *path = gen_path();
	struct zsr_import *imp;
	struct zsr_trace t;
	struct zsr_odd odd;
	struct zsr_db *db;
	size_t i;

	for (i = 0; i < ZSR_ARRAY_SIZE(records); i++) {
		struct zsr_err e = { 0 };

		OK(zsr_db_open(&db, path, ZSR_DB_CREATE, &e));
		ck_assert_int_lt(
			import_text(db, &some_opts, records[i], &t, &odd, &e),
			0);
		ck_assert_int_eq(e.kind, ZSR_ERR_INPUT);
		ck_assert_int_lt(zsr_trace_find(db, "t", &t, &e), 0);
		OK(zsr_import_begin(db, &some_opts, &imp, &e));
		OK(feed(zsr_import_sink(imp), two_calls, &e));
		zsr_import_abort(imp);
		zsr_db_close(db);
		ck_assert_int_ne(access(path, F_OK), 0);
	}
	gen_cleanup(path);
}
END_TEST

ZSR_TEST_MAIN("db/facts", facts_table, bad_options, ring_losses, addresses,
	      duplicates, failures)
