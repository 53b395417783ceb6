// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packs that were made to do harm, or were damaged: each is refused with a
 * message that says why, and no database is touched.
 */
#include <archive.h>
#include <archive_entry.h>

#include "pack/t/trace.h"

/* ---- archives of any kind -------------------------------------------------- */

struct member {
	const char *name;
	char *data;
	size_t len;
	const char *link; /* a symbolic link to it */
	const char *hard; /* a hard link to it */
	unsigned type; /* AE_IF*, 0 a file */
	size_t claim; /* length, when not that of data */
};

struct good {
	struct zsr_scratch s;
	struct member m[PK_NR_MEMBERS];
};

/* Take a good pack apart. */
static void good_open(struct good *g)
{
	struct archive *a = archive_read_new();
	struct archive_entry *entry;
	struct zsr_err e = { 0 };
	struct zsr_trace t;
	uint64_t bytes;
	unsigned i;
	FILE *f;

	OK(zsr_scratch_open(&g->s, &e));
	t = make_trace(g->s.db, 11, 2000, false);
	f = make_pack(g->s.db, &t, &bytes);
	archive_read_support_filter_zstd(a);
	archive_read_support_format_tar(a);
	ck_assert(!archive_read_open_fd(a, fileno(f), 4096));
	for (i = 0; i < PK_NR_MEMBERS; i++) {
		struct member *m = &g->m[i];

		ck_assert(!archive_read_next_header(a, &entry));
		*m = (struct member){ .name = pk_members[i].name };
		m->len = (size_t)archive_entry_size(entry);
		m->data = malloc(m->len + 1);
		ck_assert(archive_read_data(a, m->data, m->len) ==
			  (la_ssize_t)m->len);
		m->data[m->len] = '\0';
	}
	archive_read_free(a);
	fclose(f);
}

static void good_close(struct good *g)
{
	unsigned i;

	for (i = 0; i < PK_NR_MEMBERS; i++)
		free(g->m[i].data);
	zsr_scratch_close(&g->s);
}

static void put(struct archive *a, const struct member *m)
{
	struct archive_entry *entry = archive_entry_new();
	static char zeros[65536];
	size_t left;

	archive_entry_set_pathname(entry, m->name);
	archive_entry_set_filetype(entry, m->type ? m->type : AE_IFREG);
	archive_entry_set_size(entry,
			       (la_int64_t)(m->claim ? m->claim : m->len));
	if (m->link) {
		archive_entry_set_filetype(entry, AE_IFLNK);
		archive_entry_set_symlink(entry, m->link);
		archive_entry_set_size(entry, 0);
	}
	if (m->hard)
		archive_entry_set_hardlink(entry, m->hard);
	archive_write_header(a, entry);
	archive_write_data(a, m->data, m->len);
	for (left = m->claim ? m->claim - m->len : 0; left;
	     left -= zsr_min(left, sizeof(zeros)))
		archive_write_data(a, zeros, zsr_min(left, sizeof(zeros)));
	archive_entry_free(entry);
}

static FILE *build(const struct member *m, size_t nr)
{
	struct archive *a = archive_write_new();
	FILE *f = tmpfile();
	size_t i;

	archive_write_add_filter_zstd(a);
	archive_write_set_format_pax_restricted(a);
	ck_assert(!archive_write_open_fd(a, fileno(f)));
	for (i = 0; i < nr; i++)
		put(a, &m[i]);
	archive_write_free(a);
	lseek(fileno(f), 0, SEEK_SET);
	return f;
}

/* What is said of a pack; "" when it is taken. Nothing may be left of one that
 * is not. */
static const char *__attribute__((noinline)) said(FILE *f)
{
	static struct zsr_err e;
	struct zsr_pack *p = NULL;
	struct zsr_scratch to;
	struct zsr_trace t;
	int ret, left = 0;

	e = (struct zsr_err){ 0 };
	OK(zsr_scratch_open(&to, &e));
	ret = zsr_pack_open(&p, fileno(f), "x", &e);
	if (!ret)
		ret = zsr_pack_import(p, to.db, NULL, false, &t, &e);
	ck_assert(!ret == !e.kind);
	ck_assert(!ret || e.kind == ZSR_ERR_INPUT);
	if (ret)
		left = zsr_trace_find(to.db, "random", &t,
				      &(struct zsr_err){ 0 });
	ck_assert(!ret || left < 0);
	ck_assert_msg(!ret || !strncmp(e.msg, "x: ", 3), "%s", e.msg);
	zsr_pack_close(p);
	zsr_scratch_close(&to);
	fclose(f);
	return e.msg;
}

#define REFUSED(f, why)                                                        \
	do {                                                                   \
		const char *msg = said(f);                                     \
		ck_assert_msg(strstr(msg, why) != NULL, "%s, not %s", msg,     \
			      why);                                            \
	} while (0)

/* ---- the manifest as one likes ------------------------------------------------- */

/* The line of KEY with another value, or (NULL) without the line. */
static void edit(struct member *manifest, const char *key, const char *value)
{
	char *text = manifest->data, *at, *end, *new = NULL;
	char start[80];
	int n;

	snprintf(start, sizeof(start), "\n%s: ", key);
	/* It may be the first line. */
	at = strncmp(text, start + 1, strlen(start + 1))
		     ? strstr(text, start) + 1
		     : text;
	end = strchr(at, '\n') + 1;
	n = value ? asprintf(&new, "%.*s%s: %s\n%s", (int)(at - text), text,
			     key, value, end)
		  : asprintf(&new, "%.*s%s", (int)(at - text), text, end);
	ck_assert(n > 0);
	free(text);
	manifest->data = new;
	manifest->len = (size_t)n;
}

/* The manifest's checksum and length of a member as it is now. */
static void agree(struct good *g, enum pk_member member)
{
	const char *name = member == PK_README ? "readme"
					       : pk_members[member].name;
	char key[80], value[ZSR_SHA_HEX];
	struct zsr_sha sha;

	zsr_sha_init(&sha);
	zsr_sha_bytes(&sha, g->m[member].data, g->m[member].len);
	zsr_sha_hex(&sha, value);
	snprintf(key, sizeof(key), "sha256.%s", name);
	edit(&g->m[PK_MANIFEST], key, value);
	snprintf(key, sizeof(key), "size.%s", name);
	snprintf(value, sizeof(value), "%zu", g->m[member].len);
	edit(&g->m[PK_MANIFEST], key, value);
}

static void set_text(struct good *g, enum pk_member member, const char *text)
{
	free(g->m[member].data);
	g->m[member].data = strdup(text);
	g->m[member].len = strlen(text);
	agree(g, member);
}

/* ---- cases -------------------------------------------------------------------- */

START_TEST(test_good)
{
	struct good g;

	good_open(&g);
	ck_assert_str_eq(said(build(g.m, PK_NR_MEMBERS)), "");
	good_close(&g);
}
END_TEST

START_TEST(test_paths)
{
	static const struct {
		const char *name, *why;
	} cases[] = {
		{ "../events", "leads out of the pack" },
		{ "a/../../b", "leads out of the pack" },
		{ "..", "leads out of the pack" },
		{ "/etc/passwd", "is an absolute path" },
		{ "events2", "'events2' where 'events' has to be" },
		{ "facts.txt", "there is a second 'facts.txt'" },
		{ "manifest.txt", "there is a second 'manifest.txt'" },
	};
	struct good g;
	size_t i;

	good_open(&g);
	for (i = 0; i < ZSR_ARRAY_SIZE(cases); i++) {
		g.m[PK_EVENTS].name = cases[i].name;
		REFUSED(build(g.m, PK_NR_MEMBERS), cases[i].why);
	}
	good_close(&g);
}
END_TEST

START_TEST(test_links)
{
	struct good g;

	good_open(&g);
	g.m[PK_README].link = "/etc/passwd";
	REFUSED(build(g.m, PK_NR_MEMBERS), "'README' is a symbolic link");
	g.m[PK_README].link = NULL;
	g.m[PK_README].hard = "manifest.txt";
	REFUSED(build(g.m, PK_NR_MEMBERS), "'README' is a hard link");
	g.m[PK_README].hard = NULL;
	g.m[PK_README].type = AE_IFDIR;
	REFUSED(build(g.m, PK_NR_MEMBERS), "is a directory");
	g.m[PK_README].type = AE_IFIFO;
	REFUSED(build(g.m, PK_NR_MEMBERS), "is a special file");
	good_close(&g);
}
END_TEST

START_TEST(test_bombs)
{
	struct good g;

	good_open(&g);
	g.m[PK_README].claim = 2 << 20;
	REFUSED(build(g.m, PK_NR_MEMBERS), "1048576 are allowed");
	g.m[PK_README].claim = 0;
	/* 60 MiB of zeros pack to few KiB. */
	g.m[PK_FACTS].claim = 60 << 20;
	REFUSED(build(g.m, PK_NR_MEMBERS), "a bomb");
	good_close(&g);
}
END_TEST

START_TEST(test_members)
{
	struct member twice[PK_NR_MEMBERS + 1];
	struct good g;

	good_open(&g);
	REFUSED(build(g.m, PK_EVENTS), "'events' is missing");
	REFUSED(build(g.m, 0), "is missing");
	REFUSED(build(g.m + 1, 1), "'README' where 'manifest.txt' has to be");
	memcpy(twice, g.m, sizeof(g.m));
	twice[PK_NR_MEMBERS] = g.m[PK_EVENTS];
	REFUSED(build(twice, PK_NR_MEMBERS + 1), "there is a second 'events'");
	twice[PK_NR_MEMBERS].name = "more";
	REFUSED(build(twice, PK_NR_MEMBERS + 1), "after the last member");
	good_close(&g);
}
END_TEST

START_TEST(test_checksums)
{
	enum pk_member m;
	struct good g;

	good_open(&g);
	for (m = PK_README; m < PK_NR_MEMBERS; m++) {
		g.m[m].data[g.m[m].len / 2] ^= 1;
		/* Damage of events may be seen before their checksum is. */
		REFUSED(build(g.m, PK_NR_MEMBERS),
			m == PK_EVENTS ? "events: " : "its checksum differs");
		g.m[m].data[g.m[m].len / 2] ^= 1;
	}
	edit(&g.m[PK_MANIFEST], "sha256.events", "00");
	REFUSED(build(g.m, PK_NR_MEMBERS), "its checksum differs");
	edit(&g.m[PK_MANIFEST], "sha256.events", NULL);
	REFUSED(build(g.m, PK_NR_MEMBERS), "no sha256.events");
	good_close(&g);
	good_open(&g);
	edit(&g.m[PK_MANIFEST], "digest", "00");
	REFUSED(build(g.m, PK_NR_MEMBERS), "digest is not that");
	good_close(&g);
}
END_TEST

START_TEST(test_manifest)
{
	static const struct {
		const char *key, *value, *why;
	} cases[] = {
		{ "events", "18446744073709551615", "the pack has 2000" },
		{ "events", "-1", "events" },
		{ "mallocs", "99999999999999999999999", "mallocs" },
		{ "tasks", "4294967295", "the pack has 5" },
		{ "page-size", "0", "page size" },
		{ "page-size", "3000000000", "page-size" },
		{ "chain-size", "3", "chain" },
		{ "times", "sundial", "unknown times" },
		{ "from-empty", "2", "from-empty" },
		{ "size.events", "18446744073709551615", "the manifest says" },
		{ "zsr-pack", "2", "this zsr knows version 1" },
		{ "kernel", NULL, "no kernel" },
		{ "lost", "0", "lost is 0, the pack has 7" },
		{ "lock-generation", "5.10", "lock-generation is not that" },
	};
	struct good g;
	size_t i;

	for (i = 0; i < ZSR_ARRAY_SIZE(cases); i++) {
		good_open(&g);
		edit(&g.m[PK_MANIFEST], cases[i].key, cases[i].value);
		REFUSED(build(g.m, PK_NR_MEMBERS), cases[i].why);
		good_close(&g);
	}
}
END_TEST

START_TEST(test_manifest_lines)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "a: 1\na: 2\n", "'a' is there twice" },
		{ "b: 1\na: 2\n", "or not in order" },
		{ "a: 1", "has no end" },
		{ "A: 1\n", "not 'key: value'" },
		{ "a 1\n", "not 'key: value'" },
		{ "a: \033[2J\n", "not 'key: value'" },
		{ "a: \xff\n", "not 'key: value'" },
		{ "", "no zsr-pack line" },
	};
	struct good g;
	size_t i;

	for (i = 0; i < ZSR_ARRAY_SIZE(cases); i++) {
		good_open(&g);
		free(g.m[PK_MANIFEST].data);
		g.m[PK_MANIFEST].data = strdup(cases[i].text);
		g.m[PK_MANIFEST].len = strlen(cases[i].text);
		REFUSED(build(g.m, PK_NR_MEMBERS), cases[i].why);
		good_close(&g);
	}
}
END_TEST

START_TEST(test_facts)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "task\t4000000000\t1\twl\n", "more than 1000000 rows" },
		{ "mark\t99999999\tx\n", "more than 1000000 rows" },
		{ "task\t-1\t1\twl\n", "without number" },
		{ "task\t0\t1\twl\ntask\t0\t1\twl\n", "there twice" },
		{ "task\t0\t99999999999\twl\n", "line 1" },
		{ "fact\ta\tb\nfact\ta\tb\n", "there twice" },
		{ "fact\ta\tb\tc\n", "too few or too many" },
		{ "fact\ta\t\033[2J\n", "too few or too many" },
		{ "fact\ta\t\\x\n", "too few or too many" },
		{ "trigger\ta\tb\n", "known table" },
		{ "task\t0\t1\twl", "has no end" },
		{ "odd\tlost\tmany\n", "line 1" },
		{ "task\t0\t1\tabcdefghijklmnopqrstuvwxyzabcdefghij\n",
		  "too long" },
		{ "", "task" },
	};
	struct good g;
	size_t i;

	for (i = 0; i < ZSR_ARRAY_SIZE(cases); i++) {
		good_open(&g);
		set_text(&g, PK_FACTS, cases[i].text);
		REFUSED(build(g.m, PK_NR_MEMBERS), cases[i].why);
		good_close(&g);
	}
}
END_TEST

/* Texts are printed, and runs are promised once. */
START_TEST(test_texts)
{
	static const char other[] = "run 1 is not what the manifest says";
	static const struct {
		enum pk_member member;
		const char *text, *why;
	} cases[] = {
		{ PK_README, "\033]0;x\007", "'README' is no text" },
		{ PK_README, "\xc2\x9b!", "'README' is no text" },
		{ PK_README, "\xff", "'README' is no text" },
		{ PK_RESULTS, "policy: \033[2J\ndigest: 00\n\n",
		  "'results.txt' is no text" },
		{ PK_RESULTS, "policy: sync\ndigest: 01\n\n", other },
		{ PK_RESULTS, "policy: deferred\ndigest: 00\n\n", other },
		{ PK_RESULTS, "", "results.txt has 0 runs, the manifest 1" },
		{ PK_RESULTS,
		  "policy: sync\ndigest: 00\n\npolicy: sync\ndigest: 00\n\n",
		  "run 2 is not what" },
		{ PK_RESULTS, "policy\n", "line 1: it is not 'key: value'" },
	};
	struct good g;
	size_t i;

	for (i = 0; i < ZSR_ARRAY_SIZE(cases); i++) {
		good_open(&g);
		set_text(&g, cases[i].member, cases[i].text);
		REFUSED(build(g.m, PK_NR_MEMBERS), cases[i].why);
		good_close(&g);
	}
}
END_TEST

/* Cut anywhere, and with noise in it: an error, never a crash. */
START_TEST(test_damage)
{
	struct zsr_rng rng = { 5 };
	struct zsr_scratch s;
	struct zsr_err e = { 0 };
	struct zsr_trace t;
	uint64_t n, cut;
	unsigned i, taken = 0;
	char *bytes;
	FILE *f;

	OK(zsr_scratch_open(&s, &e));
	t = make_trace(s.db, 12, 300, false);
	f = make_pack(s.db, &t, &n);
	bytes = bytes_of(f, n);
	fclose(f);
	for (i = 0; i < 60; i++) {
		cut = i < 30 ? n * i / 30 : n;
		f = tmpfile();
		fwrite(bytes, 1, cut, f);
		fflush(f);
		if (i >= 30 && pwrite(fileno(f), "?", 1,
				      (off_t)zsr_rng_below(&rng, n)) != 1)
			ck_abort();
		lseek(fileno(f), 0, SEEK_SET);
		taken += !*said(f);
	}
	/* Noise may hit what nobody reads: padding, or a checksum of zstd. */
	ck_assert_uint_le(taken, 3);
	free(bytes);
	zsr_scratch_close(&s);
}
END_TEST

/* Segments of events that are noise, behind checksums that are right. */
START_TEST(test_events)
{
	struct zsr_rng rng = { 6 };
	unsigned i, k, taken = 0;
	struct good g;
	char *whole;
	size_t len;

	good_open(&g);
	len = g.m[PK_EVENTS].len;
	whole = malloc(len);
	memcpy(whole, g.m[PK_EVENTS].data, len);
	for (i = 0; i < 300; i++) {
		memcpy(g.m[PK_EVENTS].data, whole, len);
		for (k = 0; k <= i % 4; k++)
			g.m[PK_EVENTS].data[zsr_rng_below(&rng, len)] =
				(char)zsr_rng_next(&rng);
		agree(&g, PK_EVENTS);
		taken += !*said(build(g.m, PK_NR_MEMBERS));
	}
	ck_assert_uint_le(taken, 5);
	/* A segment as long as can be said. */
	memcpy(g.m[PK_EVENTS].data, "\xff\xff\xff\xff", 4);
	agree(&g, PK_EVENTS);
	REFUSED(build(g.m, PK_NR_MEMBERS), "a segment of 4294967295 bytes");
	memcpy(g.m[PK_EVENTS].data, whole, len);
	memcpy(g.m[PK_EVENTS].data + 4, "\xff\xff\xff\xff", 4);
	agree(&g, PK_EVENTS);
	REFUSED(build(g.m, PK_NR_MEMBERS), "a segment of 4294967295 events");
	free(whole);
	good_close(&g);
}
END_TEST

ZSR_TEST_MAIN("hostile", test_good, test_paths, test_links, test_bombs,
	      test_members, test_checksums, test_manifest, test_manifest_lines,
	      test_facts, test_texts, test_damage, test_events)
