// SPDX-License-Identifier: GPL-2.0-only
/*
 * The shared captures of real kernels: as many records of each kind as the
 * kernel counted probe hits, the same records from text as from trace.dat and
 * from raw pages, and the same as libtracecmd reads.
 */
#include "capture/t/peer.h"

static struct zsr_err err;

static void decode(const char *name, struct collected *got)
{
	const char *path = shared_capture(name);
	struct zsr_sink sink = collected_init(got);

	ck_assert_msg(path != NULL, "%s is missing", name);
	ck_assert_msg(!zsr_decode(path, NULL, &sink, &err), "%s", err.msg);
}

/* ---- the kernel's own counts ----------------------------------------- */

/* The hits of PROBE in a text with lines "  PROBE   HITS   MISSED". */
static bool hits(const char *text, const char *probe, uint64_t *n)
{
	char find[64];
	const char *p;

	snprintf(find, sizeof(find), "\n  %s ", probe);
	p = strstr(text, find);
	if (!p)
		return false;
	*n = strtoull(p + strlen(find), NULL, 10);
	return true;
}

static char *read_text(const char *name)
{
	const char *path = shared_capture(name);
	char *text = calloc(1, 1 << 20);
	FILE *f = path ? fopen(path, "r") : NULL;

	ck_assert_msg(f != NULL, "%s", name);
	ck_assert_uint_gt(fread(text, 1, (1 << 20) - 1, f), 0);
	fclose(f);
	return text;
}

static void check_hits(const char *dir, const char *counts)
{
	static const struct {
		const char *probe;
		unsigned kind;
	} probes[] = {
		{ "zs_malloc", ZSR_REC_MALLOC },
		{ "zs_malloc_ret", ZSR_REC_MALLOC_RET },
		{ "zs_free", ZSR_REC_FREE },
		{ "zs_free_ret", ZSR_REC_FREE_RET },
		{ "zs_compact", ZSR_REC_COMPACT },
		{ "zs_compact_ret", ZSR_REC_COMPACT_RET },
		{ "zs_create_pool", ZSR_REC_POOL_CREATE },
		{ "zs_destroy_pool", ZSR_REC_POOL_DESTROY },
		{ "zs_malloc_obj", ZSR_REC_PLACE },
		{ "free_zspage", ZSR_REC_ZSPAGE_FREE },
	};
	struct collected got;
	char path[128], *text;
	unsigned i, seen = 0;
	uint64_t n;

	snprintf(path, sizeof(path), "%s/%s", dir, counts);
	text = read_text(path);
	decode(dir, &got);
	for (i = 0; i < ZSR_ARRAY_SIZE(probes); i++) {
		if (!hits(text, probes[i].probe, &n))
			continue;
		ck_assert_msg(got.kinds[probes[i].kind] == n, "%s: %s: %d", dir,
			      probes[i].probe, (int)got.kinds[probes[i].kind]);
		seen++;
	}
	ck_assert_uint_ge(seen, 4);
	ck_assert_uint_eq(got.lost, 0);
	ck_assert_uint_eq(got.kinds[ZSR_REC_OTHER], 0);
	collected_free(&got);
	free(text);
}

START_TEST(counts)
{
	check_hits("s01-deb61-4k", "README.txt");
	check_hits("s02-deb612-4k-raw", "README.txt");
	check_hits("s03-deb612-16k", "README.txt");
	check_hits("s04-deb73-4k", "README.txt");
	check_hits("s05-oracle-4k", "README.txt");
	check_hits("s06-oracle-16k", "README.txt");
	check_hits("s08-oracle-4k-smp4-compact", "README.txt");
	check_hits("s09-oracle-4k-compact", "README.txt");
	check_hits("s15-oracle-x86_64", "README.txt");
	check_hits("s16-raspi3b", "console.log");
}
END_TEST

START_TEST(counts_without_list)
{
	struct collected got;

	decode("s07-deb618-fprobe", &got); /* 11387 entries, 7 marks */
	ck_assert_uint_eq(got.nr, 11387);
	ck_assert_uint_eq(got.kinds[ZSR_REC_MALLOC_DONE], 3794);
	ck_assert_uint_eq(got.kinds[ZSR_REC_MALLOC], 0);
	collected_free(&got);
	decode("s14-tracecmd-record", &got);
	ck_assert_uint_eq(got.nr, 4 * 5647);
	ck_assert_uint_eq(got.kinds[ZSR_REC_MALLOC], 5647);
	ck_assert_uint_eq(got.kinds[ZSR_REC_FREE_RET], 5647);
	collected_free(&got);
}
END_TEST

/* ---- text against binary ---------------------------------------------- */

static uint64_t to_us(uint64_t ns)
{
	return (ns + 500) / 1000; /* as the kernel rounds for its text */
}

static void same(const char *binary, const char *text)
{
	struct collected b, t;
	size_t i;

	decode(binary, &b);
	decode(text, &t);
	ck_assert_uint_eq(b.nr, t.nr);
	for (i = 0; i < b.nr; i++) {
		const struct zsr_rec *x = &b.recs[i], *y = &t.recs[i];

		ck_assert_msg(y->t_ns / 1000 == to_us(x->t_ns) &&
				      y->t_ns % 1000 == 0 &&
				      x->kind == y->kind && x->cpu == y->cpu &&
				      x->pid == y->pid && x->pool == y->pool &&
				      x->handle == y->handle &&
				      x->value == y->value && x->gfp == y->gfp &&
				      x->text_len == y->text_len,
			      "%s: record %zu", text, i);
		ck_assert_uint_eq(y->has & ~ZSR_REC_HAS_CALLER,
				  (x->has & ~ZSR_REC_HAS_CALLER) |
					  ZSR_REC_COARSE_TIME);
	}
	ck_assert_str_eq(b.marks.all, t.marks.all);
	ck_assert_str_eq(collected_meta(&b, "kernel.release"),
			 collected_meta(&t, "kernel.release"));
	collected_free(&b);
	collected_free(&t);
}

START_TEST(text_is_dat)
{
	same("s01-deb61-4k/trace.dat", "s01-deb61-4k/trace.txt");
	same("s03-deb612-16k/trace.dat", "s03-deb612-16k/trace.txt");
	same("s04-deb73-4k/trace.dat", "s04-deb73-4k/trace.txt");
	same("s05-oracle-4k/trace.dat", "s05-oracle-4k/trace.txt");
	same("s06-oracle-16k/trace.dat", "s06-oracle-16k/trace.txt");
	same("s07-deb618-fprobe/trace.dat", "s07-deb618-fprobe/trace.txt");
	same("s08-oracle-4k-smp4-compact/trace.dat",
	     "s08-oracle-4k-smp4-compact/trace.txt");
	same("s09-oracle-4k-compact/trace.dat",
	     "s09-oracle-4k-compact/trace.txt");
}
END_TEST

START_TEST(text_is_raw)
{
	same("s02-deb612-4k-raw", "s02-deb612-4k-raw/trace.txt");
	same("s15-oracle-x86_64/raw", "s15-oracle-x86_64/trace.txt");
	same("s16-raspi3b/raw/cpu1.raw", "s16-raspi3b/trace.txt");
}
END_TEST

/* ---- libtracecmd ------------------------------------------------------- */

static void check_peer(const char *name)
{
	struct collected got;

	decode(name, &got);
	same_as_libtracecmd(shared_capture(name), &got);
	collected_free(&got);
}

START_TEST(libtracecmd)
{
	tracecmd_set_loglevel(TEP_LOG_NONE);
	tep_set_loglevel(TEP_LOG_NONE);
	check_peer("s01-deb61-4k/trace.dat");
	check_peer("s03-deb612-16k/trace.dat");
	check_peer("s04-deb73-4k/trace.dat");
	check_peer("s05-oracle-4k/trace.dat");
	check_peer("s06-oracle-16k/trace.dat");
	check_peer("s07-deb618-fprobe/trace.dat");
	check_peer("s08-oracle-4k-smp4-compact/trace.dat");
	check_peer("s09-oracle-4k-compact/trace.dat");
	check_peer("s14-tracecmd-record/trace.dat");
	check_peer("s10-lost-events/tracecmd-extract/trace.dat");
}
END_TEST

/* ---- losses, facts, what is not readable ------------------------------- */

static void lost(const char *name, uint64_t count, unsigned cpu, bool at_end)
{
	struct collected got;
	const struct zsr_rec *r;
	size_t i;

	decode(name, &got);
	ck_assert_uint_eq(got.lost, count);
	ck_assert_uint_eq(got.kinds[ZSR_REC_LOST], count != 0);
	for (i = 0; i < got.nr; i++) {
		r = &got.recs[i];
		if (r->kind != ZSR_REC_LOST)
			continue;
		ck_assert_uint_eq(r->cpu, cpu);
		/* in its cpu's records: last or first */
		if (at_end)
			ck_assert_uint_eq(i, got.nr - 1);
		else
			ck_assert_uint_eq(got.recs[i + 1].cpu, cpu);
		while (!at_end && i-- > 0)
			ck_assert_uint_ne(got.recs[i].cpu, cpu);
		break;
	}
	collected_free(&got);
}

START_TEST(losses)
{
	lost("s10-lost-events/overwrite", 12914, 1, false);
	lost("s10-lost-events/nooverwrite", 13075, 0, true);
	lost("s10-lost-events/overwrite_stream", 0, 0, false);
	lost("s10-lost-events/tracecmd-extract", 12914, 0, false);
	lost("s10-lost-events/tracecmd-extract/trace.dat", 12914, 0, false);
	/* Text alone tells how many, not on which cpu: before everything. */
	lost("s10-lost-events/tracecmd-extract/trace.txt", 12914, 1, false);
}
END_TEST

START_TEST(facts)
{
	struct collected got;

	decode("s06-oracle-16k", &got);
	ck_assert_str_eq(collected_meta(&got, "format"), "trace.dat");
	ck_assert_str_eq(collected_meta(&got, "kernel.release"),
			 "6.12.117-zsmoracle");
	ck_assert_str_eq(collected_meta(&got, "arch"), "aarch64");
	ck_assert_str_eq(collected_meta(&got, "clock"), "mono");
	ck_assert_str_eq(collected_meta(&got, "page_size"), "16384");
	ck_assert_str_eq(collected_meta(&got, "cpus"), "1");
	ck_assert_ptr_nonnull(
		strstr(got.meta.all, "\nsnap.fragmented-r0.classes="));
	ck_assert_ptr_nonnull(strstr(got.meta.all, "\nsnap.end.mm_stat="));
	ck_assert_ptr_nonnull(strstr(collected_meta(&got, "probe"),
				     "p:zsm/zs_malloc zs_malloc"));
	ck_assert(has_line(&got.tasks, "63 wl") ||
		  strstr(got.tasks.all, " wl"));
	collected_free(&got);
	decode("s02-deb612-4k-raw", &got);
	ck_assert_str_eq(collected_meta(&got, "format"), "raw");
	ck_assert_str_eq(collected_meta(&got, "kernel.release"),
			 "6.12.117+deb12-arm64");
	ck_assert_str_eq(collected_meta(&got, "ring.entries.cpu0"), "15419");
	ck_assert_str_eq(collected_meta(&got, "page_size"), "4096");
	collected_free(&got);
}
END_TEST

/* What bpftrace printed for a script of somebody's: M and F at their returns,
 * with how long they took. */
START_TEST(bpftrace)
{
	struct collected got;

	decode("s12-bpftrace", &got);
	ck_assert_uint_eq(got.kinds[ZSR_REC_MALLOC], 1900);
	ck_assert_uint_eq(got.kinds[ZSR_REC_MALLOC_RET], 1900);
	ck_assert_uint_eq(got.kinds[ZSR_REC_FREE], 1900);
	ck_assert_uint_eq(got.kinds[ZSR_REC_FREE_RET], 1900);
	ck_assert_uint_eq(got.nr, 7600);
	ck_assert_uint_eq(got.recs[1].t_ns, 23566025264);
	ck_assert_uint_eq(got.recs[1].t_ns - got.recs[0].t_ns, 313744);
	ck_assert_uint_eq(got.recs[1].handle, 0xffff1af345086a10);
	ck_assert_uint_eq(got.recs[0].value, 434);
	ck_assert_int_eq(got.recs[0].pid, 194);
	ck_assert_str_eq(collected_meta(&got, "lines_skipped"), "3");
	collected_free(&got);
}
END_TEST

/* Captures without arguments, or without mallocs: their calls, and those of a
 * function that does nothing, whole. */
START_TEST(durations)
{
	static const struct {
		const char *name;
		unsigned has;
		uint64_t frees, empty;
	} t[] = {
		{ "s17-fgraph", ZSR_REC_NO_ARGS, 5692, 5992 },
		{ "s18-calibration/kp", ZSR_REC_HAS_POOL, 5692, 5992 },
		{ "s18-calibration/fp/raw", ZSR_REC_HAS_POOL, 5692, 5992 },
		{ "s13-lttng-ctf", ZSR_REC_NO_ARGS, 890, 0 },
	};
	struct collected got;
	size_t i, j;

	for (i = 0; i < ZSR_ARRAY_SIZE(t); i++) {
		decode(t[i].name, &got);
		ck_assert_uint_eq(got.kinds[ZSR_REC_FREE], t[i].frees);
		ck_assert_uint_eq(got.kinds[ZSR_REC_FREE_RET], t[i].frees);
		ck_assert_uint_eq(got.kinds[ZSR_REC_EMPTY], t[i].empty);
		ck_assert_uint_eq(got.kinds[ZSR_REC_EMPTY_RET], t[i].empty);
		for (j = 0; j < got.nr; j++)
			if (got.recs[j].kind == ZSR_REC_FREE)
				ck_assert_uint_eq(got.recs[j].has, t[i].has);
		collected_free(&got);
	}
	decode("s18-calibration/kp", &got);
	ck_assert_str_eq(collected_meta(&got, "guess.zf"), "zs_free");
	ck_assert_str_eq(collected_meta(&got, "page_size"), "4096");
	collected_free(&got);
}
END_TEST

START_TEST(not_readable)
{
	static const char *const t[][2] = {
		{ "s11-perf/perf.data", "perf.data" },
		{ "s12-bpftrace/bpf_hist.txt", "zsr-map" },
		{ "s13-lttng-ctf/ctf/kernel/metadata", "CTF" },
		{ "s18-calibration", "some below: fp, kp" },
		{ "s10-lost-events", "some below: " },
		{ "README.txt", "neither trace.dat" },
	};
	struct collected got;
	struct zsr_sink sink = collected_init(&got);
	unsigned i;

	for (i = 0; i < ZSR_ARRAY_SIZE(t); i++) {
		ck_assert_int_eq(
			zsr_decode(shared_capture(t[i][0]), NULL, &sink, &err),
			-EINVAL);
		ck_assert_int_eq(err.kind, ZSR_ERR_INPUT);
		ck_assert_msg(strstr(err.msg, t[i][1]) != NULL, "%s", err.msg);
	}
	collected_free(&got);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		counts,       counts_without_list, text_is_dat,
		text_is_raw,  libtracecmd,         losses,
		facts,        durations,           bpftrace,
		not_readable,
	};

	if (!shared_capture("s01-deb61-4k")) {
		puts("1..0 # SKIP no shared captures (set ZSR_SHARED)");
		return 77;
	}
	return zsr_test_main("corpus", tests, ZSR_ARRAY_SIZE(tests));
}
