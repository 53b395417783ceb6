// SPDX-License-Identifier: GPL-2.0-only
/* Traces into packs and back, whatever is in them; packs as mail; what
 * anonymising leaves. */
#include "pack/columns.h"
#include "pack/t/trace.h"
#include "pack/token.h"

/* ---- columns -------------------------------------------------------------- */

static void fill(int64_t *v, size_t n, struct zsr_rng *rng, unsigned how)
{
	size_t i;

	for (i = 0; i < n; i++) {
		uint64_t r = zsr_rng_next(rng);

		switch (how % 6) {
		case 0:
			v[i] = 42;
			break;
		case 1:
			v[i] = (int64_t)(r % 3);
			break;
		case 2:
			v[i] = (int64_t)(r >> (r & 63) >> 1);
			break;
		case 3:
			v[i] = (int64_t)(r % 1000) * 16 - 3200;
			break;
		case 4:
			v[i] = (int64_t)(r % 3 ? r % 5 : r >> 2);
			break;
		case 5:
			v[i] = i % 7 ? 1000 : -INT64_MAX;
			break;
		}
	}
}

START_TEST(test_columns)
{
	static const size_t lengths[] = { 1, 2, 3, 17, 1000, PK_SEGMENT };
	struct pk_uncolumns *u = pk_uncolumns_new();
	struct pk_columns *c = pk_columns_new();
	int64_t *v = malloc(PK_SEGMENT * 8), *w = malloc(PK_SEGMENT * 8);
	int64_t *got = malloc(PK_SEGMENT * 8);
	struct zsr_rng rng = { 1 };
	struct zsr_err e = { 0 };
	struct pk_bytes from;
	const void *bytes;
	unsigned i, how;
	size_t n, len;

	for (i = 0; i < ZSR_ARRAY_SIZE(lengths); i++)
		for (how = 0; how < 6; how++) {
			n = lengths[i];
			fill(v, n, &rng, how);
			memcpy(w, v, n * 8);
			pk_columns_start(c);
			OK(pk_columns_add(c, v, n, &e));
			bytes = pk_columns_bytes(c, &len);
			from = (struct pk_bytes){ bytes,
						  (const uint8_t *)bytes + len };
			OK(pk_uncolumns_take(u, &from, got, n, &e));
			ck_assert(from.p == from.end);
			ck_assert(!memcmp(got, w, n * 8));
		}
	free(v);
	free(w);
	free(got);
	pk_columns_free(c);
	pk_uncolumns_free(u);
}
END_TEST

START_TEST(test_tokens)
{
	struct zsr_rng rng = { 2 };
	uint64_t v;
	unsigned i, bad = 0, max = 0;

	for (i = 0; i < 1000000; i++) {
		v = zsr_rng_next(&rng) >> (i & 63);
		max = zsr_max(max, (unsigned)pk_token(v));
		bad += pk_token_base(pk_token(v)) +
			       (v & ((1ull << pk_token_bits(pk_token(v))) - 1)) !=
		       v;
		bad += pk_unzigzag(pk_zigzag((int64_t)v)) != (int64_t)v;
	}
	ck_assert_uint_eq(bad, 0);
	ck_assert_uint_eq(max, PK_TOKEN_MAX);
	ck_assert_uint_eq(pk_token(UINT64_MAX), PK_TOKEN_MAX);
}
END_TEST

/* ---- packs ------------------------------------------------------------------ */

static void round_trip(uint64_t seed, size_t n, bool extreme)
{
	struct zsr_scratch from, to;
	struct zsr_err e = { 0 };
	struct zsr_trace t, got;
	struct zsr_pack *p;
	uint64_t bytes, again;
	char *a, *b;
	FILE *f, *g;

	OK(zsr_scratch_open(&from, &e));
	OK(zsr_scratch_open(&to, &e));
	t = make_trace(from.db, seed, n, extreme);
	f = make_pack(from.db, &t, &bytes);
	g = make_pack(from.db, &t, &again);
	ck_assert_uint_eq(bytes, again);
	a = bytes_of(f, bytes);
	b = bytes_of(g, bytes);
	ck_assert(!memcmp(a, b, bytes));
	OK(zsr_pack_open(&p, fileno(f), "x", &e));
	ck_assert_str_eq(zsr_pack_readme(p), "A trace.\n");
	ck_assert_str_eq(zsr_manifest_get(zsr_pack_manifest(p), "digest"),
			 t.digest);
	OK(zsr_pack_import(p, to.db, NULL, false, &got, &e));
	ck_assert_str_eq(got.digest, t.digest);
	ck_assert_str_eq(got.name, "random");
	ck_assert_uint_eq(got.nr_lost, 7);
	zsr_pack_close(p);
	/* Once more it is known. */
	lseek(fileno(f), 0, SEEK_SET);
	OK(zsr_pack_open(&p, fileno(f), "x", &e));
	ck_assert_int_eq(zsr_pack_import(p, to.db, "other", false, &got, &e),
			 -EEXIST);
	ck_assert_str_eq(got.name, "random");
	zsr_pack_close(p);
	fclose(f);
	fclose(g);
	free(a);
	free(b);
	zsr_scratch_close(&from);
	zsr_scratch_close(&to);
}

START_TEST(test_round_trip)
{
	round_trip(1, 1, false);
	round_trip(2, 1000, false);
	round_trip(3, 3000, true);
	round_trip(4, 150000, false);
}
END_TEST

/* ---- changes ------------------------------------------------------------------- */

static int count_leaks(void *ctx, const char *leak)
{
	++*(unsigned *)ctx;
	return 0;
}

START_TEST(test_anonymise)
{
	static const struct zsr_change anonymise = { .anonymise = true };
	struct zsr_scratch from, to;
	struct zsr_err e = { 0 };
	unsigned before = 0, after = 0;
	struct zsr_trace t, clean;
	struct zsr_pack *p;
	uint64_t bytes;
	FILE *f;

	OK(zsr_scratch_open(&from, &e));
	OK(zsr_scratch_open(&to, &e));
	t = make_trace(from.db, 5, 500, false);
	f = make_pack(from.db, &t, &bytes);
	OK(zsr_pack_open(&p, fileno(f), "x", &e));
	OK(zsr_pack_leaks(p, count_leaks, &before, &e));
	zsr_pack_close(p);
	fclose(f);
	OK(zsr_trace_change(from.db, &t, &anonymise, to.db, "clean", &clean, &e));
	ck_assert_uint_eq(clean.nr_events, t.nr_events);
	f = make_pack(to.db, &clean, &bytes);
	OK(zsr_pack_open(&p, fileno(f), "x", &e));
	OK(zsr_pack_leaks(p, count_leaks, &after, &e));
	zsr_pack_close(p);
	fclose(f);
	/* Five PIDs, five commands (task1: of several), a mark, a fact. */
	ck_assert_uint_ge(before, 7);
	ck_assert_uint_eq(after, 0);
	zsr_scratch_close(&from);
	zsr_scratch_close(&to);
}
END_TEST

START_TEST(test_clean)
{
	static const struct {
		const char *from, *to;
	} releases[] = {
		{ "6.12.117+deb12-arm64-16k", "6.12.117+deb12-arm64-16k" },
		{ "6.1.0-56-arm64", "6.1.0-56-arm64" },
		{ "7.3.0-rc1-joeslaptop+", "7.3.0-rc1" },
		{ "6.6.31+rpt-rpi-v8", "6.6.31" },
		{ "6.12", "6.12" },
	},
	  marks[] = {
		  { "snap:paged-out-r0", "snap:paged-out-r0" },
		  { "snap:joes-phone", "snap:other" },
		  { "release-begin 17:03", "release-begin" },
		  { "capture:begin 6.12-joe", "capture:begin" },
		  { "started on host joe", "mark" },
	  },
	  comms[] = {
		  { "wl", "wl" },
		  { "munmap-3", "munmap-3" },
		  { "kworker/u8:1-joe", "kworker" },
		  { "com.example.bank", "task" },
	  };
	char to[200];
	size_t i;

	for (i = 0; i < ZSR_ARRAY_SIZE(releases); i++) {
		pk_clean_release(releases[i].from, to, sizeof(to));
		ck_assert_str_eq(to, releases[i].to);
	}
	for (i = 0; i < ZSR_ARRAY_SIZE(marks); i++) {
		pk_clean_mark(marks[i].from, to, sizeof(to));
		ck_assert_str_eq(to, marks[i].to);
	}
	for (i = 0; i < ZSR_ARRAY_SIZE(comms); i++) {
		pk_clean_comm(comms[i].from, to);
		ck_assert_str_eq(to, comms[i].to);
	}
}
END_TEST

START_TEST(test_leaks)
{
	static const char *const leaks[] = {
		"at ffff800012345678",
		"0xffff8000deadbeef",
		"18446603336221196288",
		"captured 2026-11-23",
		"on Nov 23",
		"on 3 March 2026",
		"at 17:03:59",
		"1764000000123456789 ns",
		"by joe@example.org",
		"Linux joeslaptop 6.12.1 #1",
		"build.corp.lan",
		"/home/joe/x",
		"10.0.0.17",
		"52:54:00:12:34:56",
		"pid=1234",
		"PID 77",
		"at 0xff60000012345678",
		"fff0000012345678",
		"11/23/2026",
		"23/11/2026",
		"pi4_2026_11_23",
		"pi4-20261123",
		"began at 1763917439",
		"at 1763917439123",
		"from fe80::1",
		"2001:db8:0:1:2:3:4:5",
	};
	static const char *const harmless[] = {
		"captured 2026-11",
		"6.12.117+deb12-arm64",
		"a running Linux kernel 6.12 under emulation",
		"digest: ffff1f8c6a0d36f97ac6fbbfcd71a5b6aadb7a0cf2ee4ad3d11"
		"0fb3b1f6ee6bd",
		"266240 98348 331776 0",
		"4 KiB pages",
		"deferred: 64 entries",
		"times of an emulator",
		"1764000001 ns in all",
		"a zram of 1610612736",
		"20261123 zs_malloc, 20251111 zs_free",
		"1764000001 zs_malloc",
		"struct a::b, 1:2",
		"at 1/2 and 3/4 of 2048",
	};
	unsigned n;
	size_t i;

	for (i = 0; i < ZSR_ARRAY_SIZE(leaks); i++) {
		n = 0;
		zsr_text_leaks("x", leaks[i], count_leaks, &n);
		ck_assert_msg(n > 0, "%s", leaks[i]);
	}
	for (i = 0; i < ZSR_ARRAY_SIZE(harmless); i++) {
		n = 0;
		zsr_text_leaks("x", harmless[i], count_leaks, &n);
		ck_assert_msg(n == 0, "%s", harmless[i]);
	}
}
END_TEST

/* ---- mail --------------------------------------------------------------------------- */

/* The armour of BYTES with each line written in another way. */
static FILE *mail(const char *bytes, size_t n, unsigned how)
{
	char *text, line[200];
	unsigned damaged = 0;
	size_t len;
	FILE *f = open_memstream(&text, &len), *m = tmpfile();

	zsr_armour_write(f, bytes, n);
	fclose(f);
	ck_assert_uint_eq(len, zsr_armour_size(n));
	fputs("From someone\nSubject: a trace\n\nHello\n", m);
	f = fmemopen(text, len, "r");
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (how == 1)
			fprintf(m, "> > %s\r\n", line);
		else if (how == 2 && *line != '-' && strlen(line) > 40)
			fprintf(m, "%.40s\n  %s\n\n", line, line + 40);
		else if (how == 4 && *line != '-' && !damaged++)
			fprintf(m, "%.20s%c%s\n", line,
				line[20] == 'A' ? 'B' : 'A', line + 21);
		else if (how == 3 && *line != '-')
			fprintf(m, "%s=\n\n", line);
		else
			fprintf(m, "%s\n", line);
	}
	fputs("-- \nMe\n", m);
	fclose(f);
	free(text);
	fflush(m);
	lseek(fileno(m), 0, SEEK_SET);
	return m;
}

START_TEST(test_mail)
{
	struct zsr_scratch s;
	struct zsr_err e = { 0 };
	struct zsr_pack *p;
	struct zsr_trace t;
	uint64_t n;
	unsigned how;
	char *bytes;
	FILE *f, *m;

	OK(zsr_scratch_open(&s, &e));
	t = make_trace(s.db, 7, 700, false);
	f = make_pack(s.db, &t, &n);
	bytes = bytes_of(f, n);
	for (how = 0; how < 4; how++) {
		m = mail(bytes, n, how);
		ck_assert_int_eq(zsr_pack_sniff(fileno(m)), 2);
		OK(zsr_pack_open(&p, fileno(m), "mail", &e));
		ck_assert_str_eq(
			zsr_manifest_get(zsr_pack_manifest(p), "digest"),
			t.digest);
		zsr_pack_close(p);
		fclose(m);
	}
	m = mail(bytes, n, 4);
	ck_assert_int_lt(zsr_pack_open(&p, fileno(m), "mail", &e), 0);
	fclose(m);
	fclose(f);
	free(bytes);
	zsr_scratch_close(&s);
}
END_TEST

ZSR_TEST_MAIN("pack", test_columns, test_tokens, test_round_trip,
	      test_anonymise, test_clean, test_leaks, test_mail)
