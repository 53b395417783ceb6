// SPDX-License-Identifier: GPL-2.0-only
/* zsr import: captures into a database. */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "capture/capture.h"
#include "cmd/cmd.h"
#include "cmd/survey.h"
#include "ust/ust.h"

struct args {
	char *db, *name, *kernel, *times;
	char *page_size, *chain_size, *map;
	struct zsr_event_map *names; /* what is in the map */
	int partial, force, json, tracepoints;
};

static int parse_times(const char *text, enum zsr_times *times,
		       struct zsr_err *err)
{
	unsigned i;

	for (i = 0; text && i < ZSR_TIMES_NR; i++)
		if (!strcmp(text, zsr_times_name(i))) {
			*times = i;
			return 0;
		}
	if (!text)
		return 0;
	return zsr_err_usage(err,
			     "--times %s: expected hardware, emulated or "
			     "synthetic",
			     text);
}

static int options(const struct args *a, int nr_files,
		   struct zsr_import_opts *o, struct zsr_err *err)
{
	uint64_t n;
	int ret;

	*o = (struct zsr_import_opts){
		.name = a->name,
		.kernel = a->kernel,
		.force = a->force,
	};
	if (!nr_files)
		return zsr_err_usage(err, "which FILE?");
	if (a->name && nr_files > 1)
		return zsr_err_usage(err, "--name is for one FILE");
	ret = a->name ? zsr_cmd_check_name(a->name, err) : 0;
	if (ret)
		return ret;
	ret = parse_times(a->times, &o->times, err);
	o->times_given = a->times;
	if (!ret && a->page_size) {
		ret = zsr_parse_size(a->page_size, &n, err);
		o->page_size = (uint32_t)zsr_min(n, (uint64_t)UINT32_MAX);
		if (!ret && !o->page_size)
			ret = zsr_err_usage(err, "--page-size 0 is none");
	}
	if (!ret && a->chain_size) {
		ret = zsr_parse_u64(a->chain_size, "--chain-size", 4, 16, &n,
				    err);
		o->chain_size = (uint32_t)n;
	}
	return ret;
}

/* ---- what was found -------------------------------------------------------- */

static void odd_values(const struct zsr_odd *odd, uint64_t v[ZSR_NR_ODD])
{
	unsigned i = 0;

#define X(name, text) v[i++] = odd->name;
	ZSR_ODD_COUNTS(X)
#undef X
}

static const char *inferred(const struct zsr_trace *t, uint32_t flag,
			    const char *how)
{
	return t->fact_flags & flag ? how : "";
}

/* Lines of at most 80 columns, if the names allow it. */
static void print_name(const char *path, const struct zsr_imported *found)
{
	const char *name = found->trace.name;
	bool fits = strlen(path) + strlen(name) + strlen(": imported as ''") <=
		    80;

	printf("%s:%s%s '%s'\n", path, fits ? " " : "\n  ",
	       found->known ? "is known as" : "imported as", name);
}

static void print_facts(const struct zsr_trace *t)
{
	printf("  kernel   %s%s\n", t->kernel,
	       inferred(t, ZSR_INFERRED_KERNEL, " (assumed; --kernel)"));
	printf("  zspages  %u KiB pages%s, chains of up to %u%s\n",
	       t->page_size / 1024,
	       inferred(t, ZSR_INFERRED_PAGE_SIZE, " (inferred)"), t->chain_size,
	       inferred(t, ZSR_INFERRED_CHAIN_SIZE, " (the default)"));
	printf("  capture  %s, clock %s, %s times\n", t->format, t->clock,
	       zsr_times_name(t->times));
	printf("  pools    %u, %s\n", t->nr_pools,
	       t->from_empty
		       ? "seen from empty"
		       : "not seen from empty: page totals do not compare");
}

static void print_found(const char *path, const struct zsr_imported *found)
{
	const struct zsr_trace *t = &found->trace;
	char a[ZSR_FMT_LEN], b[ZSR_FMT_LEN], c[ZSR_FMT_LEN];
	uint64_t v[ZSR_NR_ODD], ns = zsr_max(found->spent_ns, 1u);
	const char *why = zsr_trace_unplayable(found->odd.no_arguments);
	unsigned i;

	print_name(path, found);
	print_facts(t);
	printf("  calls    %s mallocs, %s frees in %s, %u task%s, %u cpu%s\n",
	       zsr_fmt_count(a, t->nr_mallocs), zsr_fmt_count(b, t->nr_frees),
	       zsr_fmt_ns(c, t->duration_ns), t->nr_tasks,
	       t->nr_tasks == 1 ? "" : "s", t->nr_cpus,
	       t->nr_cpus == 1 ? "" : "s");
	if (why)
		printf("  replay   none%s: %s\n",
		       t->has_dur ? ", durations only (zsr info)" : "", why);
	/* A pack has events. */
	if (found->odd.records)
		printf("  records  %s in %s, %.2f M/s\n",
		       zsr_fmt_count(a, found->odd.records), zsr_fmt_ns(b, ns),
		       (double)found->odd.records * 1e3 / (double)ns);
	odd_values(&found->odd, v);
	/* The first, records, is said. */
	for (i = 1; i < ZSR_NR_ODD; i++)
		if (v[i])
			printf("  %8s %s\n", zsr_fmt_count(a, v[i]),
			       zsr_odd_texts[i].text);
}

static int add_json(json_t *all, const char *path,
		    const struct zsr_imported *found)
{
	json_t *one = zsr_trace_json(&found->trace), *odd = json_object();
	uint64_t v[ZSR_NR_ODD];
	unsigned i;

	odd_values(&found->odd, v);
	for (i = 0; i < ZSR_NR_ODD; i++)
		json_object_set_new(odd, zsr_odd_texts[i].name,
				    json_integer((json_int_t)v[i]));
	if (!one || !odd || json_object_set_new(one, "found", odd))
		return -ENOMEM;
	json_object_set_new(one, "file", json_string(path));
	json_object_set_new(one, "spent_ns",
			    json_integer((json_int_t)found->spent_ns));
	return json_array_append_new(all, one);
}

/* ---- the command ------------------------------------------------------------- */

/* The decoder of the I-th file; *d is NULL past the last one. */
static int start(const struct args *a, const struct zsr_options *files, int i,
		 struct zsr_decoder **d, struct zsr_err *err)
{
	const struct zsr_decode_opts opts = { .map = a->names,
					      .partial = a->partial };

	*d = NULL;
	if (i >= files->nr_rest)
		return 0;
	return zsr_cmd_decode_start(files->rest[i], &opts, d, err);
}

/* Several files: how fast all of them went in. */
static void print_total(int nr, uint64_t records, uint64_t ns)
{
	char count[ZSR_FMT_LEN], time[ZSR_FMT_LEN];

	printf("%d files, %s records in %s, %.2f M/s\n", nr,
	       zsr_fmt_count(count, records), zsr_fmt_ns(time, ns),
	       (double)records * 1e3 / (double)zsr_max(ns, 1u));
}

/* FIRST is the first file's decoder. While one file goes in, the next one is
 * already being decoded. */
static int import_files(struct zsr_db *db, const struct args *a,
			const struct zsr_import_opts *o,
			const struct zsr_options *files,
			struct zsr_decoder *first, struct zsr_err *err)
{
	struct zsr_decoder *d, *next = first;
	uint64_t begin = zsr_clock_ns(), records = 0;
	json_t *all = json_array();
	struct zsr_imported found;
	int i, ret = 0;

	for (i = 0; i < files->nr_rest && !ret; i++) {
		d = next;
		ret = start(a, files, i + 1, &next, err);
		if (ret) {
			zsr_decode_cancel(d);
			break;
		}
		ret = zsr_cmd_import_file(db, files->rest[i], d, o, false,
					  &found, err);
		if (ret)
			break;
		records += found.odd.records;
		if (!a->json)
			print_found(files->rest[i], &found);
		else if (add_json(all, files->rest[i], &found))
			ret = zsr_err_nomem(err, "JSON");
	}
	if (a->json && (i || !ret)) {
		json_dumpf(all, stdout, JSON_INDENT(1));
		putchar('\n');
	}
	json_decref(all);
	if (ret)
		zsr_decode_cancel(next);
	else if (!a->json && i > 1)
		print_total(i, records, zsr_clock_ns() - begin);
	if (ret && i)
		fprintf(stderr,
			"zsr import: %d of %d files %s imported before this "
			"one failed\n",
			i, files->nr_rest, i == 1 ? "was" : "were");
	return ret;
}

int zsr_cmd_import(int argc, const char **argv)
{
	struct args a = { 0 };
	const struct poptOption table[] = {
		{ "database", 'd', POPT_ARG_STRING, &a.db, 0,
		  "the database (default $ZSR_DB, else ./zsr.db)", "DB" },
		{ "name", 'n', POPT_ARG_STRING, &a.name, 0,
		  "the trace's name (default: the file's)", "NAME" },
		{ "kernel", 'k', POPT_ARG_STRING, &a.kernel, 0,
		  "the release it was recorded on", "RELEASE" },
		{ "page-size", 0, POPT_ARG_STRING, &a.page_size, 0,
		  "4K, 16K or 64K", "SIZE" },
		{ "chain-size", 0, POPT_ARG_STRING, &a.chain_size, 0,
		  "CONFIG_ZSMALLOC_CHAIN_SIZE of that kernel", "N" },
		{ "times", 0, POPT_ARG_STRING, &a.times, 0,
		  "where its times come from: hardware (default), emulated, "
		  "synthetic",
		  "KIND" },
		{ "map", 'm', POPT_ARG_STRING, &a.map, 0,
		  "what the names of foreign events and fields mean", "MAP" },
		{ "partial", 0, POPT_ARG_NONE, &a.partial, 0,
		  "take a damaged file up to the damage", NULL },
		{ "force", 'f', POPT_ARG_NONE, &a.force, 0,
		  "take a trace that is there already once more", NULL },
		{ "tracepoints", 0, POPT_ARG_NONE, &a.tracepoints, 0,
		  "load the LTTng-UST tracepoints", NULL },
		{ "json", 0, POPT_ARG_NONE, &a.json, 0,
		  "say what was found as JSON", NULL },
		POPT_TABLEEND
	};
	struct zsr_err err = { 0 };
	struct zsr_import_opts o;
	struct zsr_options files;
	struct zsr_decoder *first = NULL;
	struct zsr_lttng *lttng = NULL;
	struct zsr_db *db = NULL;
	int ret;

	ret = zsr_options_parse(&files, argc, argv, table,
				"import FILE... [OPTION...]", &err);
	if (ret)
		return ret > 0 ? ZSR_EXIT_OK : zsr_cmd_fail("import", &err);
	ret = options(&a, files.nr_rest, &o, &err);
	if (!ret && a.tracepoints) {
		ret = zsr_lttng_load(&lttng, &err);
		if (!ret)
			o.chunk = zsr_lttng_chunk(lttng);
	}
	if (!ret && a.map)
		ret = zsr_event_map_read(&a.names, a.map, &err);
	/* The decoder has work to do while the database is opened or made. */
	if (!ret)
		ret = start(&a, &files, 0, &first, &err);
	if (!ret)
		ret = zsr_cmd_open_db(&db, "import", a.db, ZSR_DB_CREATE, &err);
	if (!ret)
		ret = import_files(db, &a, &o, &files, first, &err);
	else
		zsr_decode_cancel(first);
	if (!ret)
		ret = zsr_cmd_flush(&err);
	zsr_lttng_close(lttng);
	zsr_db_close(db);
	zsr_options_free(&files);
	free(a.db);
	free(a.name);
	free(a.kernel);
	free(a.times);
	zsr_event_map_free(a.names);
	free(a.map);
	free(a.page_size);
	free(a.chain_size);
	return ret ? zsr_cmd_fail("import", &err) : ZSR_EXIT_OK;
}
