// SPDX-License-Identifier: GPL-2.0-only
/* zsr pack: a trace and its results as one file for other people. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/making.h"
#include "cmd/runs.h"

struct args {
	char *db, *output, *name, *licence, *readme, *quantise;
	char **about;
	int raw, size_class;
};

static int options(const struct args *a, struct zsr_making *m,
		   struct zsr_err *err)
{
	int ret = a->name ? zsr_cmd_check_name(a->name, err) : 0;

	m->change.anonymise = !a->raw;
	m->change.size_class = a->size_class;
	if (!ret && a->quantise)
		ret = zsr_parse_ns(a->quantise, &m->change.quantise_ns, err);
	if (!ret && a->quantise && !m->change.quantise_ns)
		ret = zsr_err_usage(err, "--quantise 0 is none");
	if (!ret && a->output && !strcmp(a->output, "-") && isatty(STDOUT_FILENO))
		ret = zsr_err_usage(err, "a pack is nothing for a terminal "
					 "(-o FILE)");
	return ret;
}

/* ---- what is in it ------------------------------------------------------------ */

static int load_runs(const struct zsr_options *o, struct zsr_making *m,
		     struct zsr_err *err)
{
	int64_t *ids = calloc((size_t)o->nr_rest, sizeof(*ids));
	int i, ret = ids ? 1 : zsr_err_nomem(err, "runs");

	for (i = 1; i < o->nr_rest && ret > 0; i++) {
		ret = zsr_cmd_run_id(o->rest[i], &ids[i - 1], err);
		if (!ret)
			ret = zsr_err_usage(err, "'%s' is no run (#N)",
					    o->rest[i]);
	}
	if (ret > 0)
		ret = zsr_making_load(m, ids, (size_t)o->nr_rest - 1, err);
	free(ids);
	return ret;
}

static bool coarser(const struct zsr_making *m)
{
	return m->change.size_class || m->change.quantise_ns > 1;
}

static int add_about(struct zsr_making *m, char **about, struct zsr_err *err)
{
	char key[64];
	int ret = 0;

	for (; about && *about && !ret; about++) {
		size_t n = strcspn(*about, "=");

		if (!(*about)[n] || n > 40)
			return zsr_err_usage(err,
					     "--about %s: expected "
					     "KEY=VALUE",
					     *about);
		snprintf(key, sizeof(key), "about.%.*s", (int)n, *about);
		ret = zsr_manifest_set(&m->manifest, key, *about + n + 1, err);
	}
	return ret;
}

/* What the capture itself knows of its machine, unless it was said. */
static int on_fact(void *ctx, int64_t nr, const char *key, const char *value)
{
	static const char *const about[][2] = {
		{ "machine.model", "about.board" },
		{ "machine.cpu", "about.cpu" },
		{ "zram.comp_algorithm", "about.zram" },
	};
	struct zsr_manifest *m = ctx;
	struct zsr_err ignored;
	size_t i;

	for (i = 0; i < ZSR_ARRAY_SIZE(about); i++)
		if (!strcmp(key, about[i][0]) &&
		    !zsr_manifest_get(m, about[i][1]))
			zsr_manifest_set(m, about[i][1], value, &ignored);
	return 0;
}

static int describe(const struct args *a, struct zsr_making *m,
		    struct zsr_err *err)
{
	int ret = zsr_making_describe(m, a->licence, err);

	if (!ret)
		ret = add_about(m, a->about, err);
	return ret ? ret
		   : zsr_trace_rows(m->scratch.db, m->changed.id,
				    ZSR_TABLE_META, on_fact, &m->manifest, err);
}

static int read_readme(const char *path, char **text, struct zsr_err *err)
{
	FILE *f = fopen(path, "r");
	size_t cap = 0;
	int ret = 0;

	if (!f)
		return zsr_err_sys(err, errno, "%s", path);
	if (getdelim(text, &cap, '\0', f) < 0 && ferror(f))
		ret = zsr_err_sys(err, errno, "%s", path);
	fclose(f);
	return ret;
}

static int write_readme(const struct args *a, struct zsr_making *m,
			struct zsr_err *err)
{
	const struct zsr_trace *t = &m->changed;
	int n;

	if (a->readme)
		return read_readme(a->readme, &m->readme, err);
	n = asprintf(&m->readme,
		     "SPDX-License-Identifier: %s\n\n"
		     "Calls of zs_malloc() and zs_free(): %" PRIu64
		     " and %" PRIu64
		     ", Linux kernel %s,\n%u KiB pages, %u CPUs, %u tasks. Its "
		     "times are %s.\n\n"
		     "    zsr replay FILE --policy sync,class-idx,deferred\n",
		     zsr_making_licence(a->licence), t->nr_mallocs, t->nr_frees,
		     t->kernel, t->page_size / 1024, t->nr_cpus, t->nr_tasks,
		     zsr_times_name(t->times));
	if (n < 0)
		m->readme = NULL;
	return n < 0 ? zsr_err_nomem(err, "README") : 0;
}

/* ---- out ------------------------------------------------------------------------ */

static int copy_out(struct zsr_making *m, const char *path, struct zsr_err *err)
{
	struct zsr_outfile out;
	char buf[16384];
	size_t n;
	int ret = zsr_outfile_open(&out, path, err);

	if (ret)
		return ret;
	rewind(m->pack);
	while ((n = fread(buf, 1, sizeof(buf), m->pack)) > 0)
		fwrite(buf, 1, n, out.f);
	if (!ferror(m->pack))
		return zsr_outfile_close(&out, err);
	zsr_outfile_abort(&out);
	return zsr_err_sys(err, EIO, "temporary file");
}

static double percent(const uint64_t v[2])
{
	return v[0] ? ((double)v[1] - (double)v[0]) * 100 / (double)v[0] : 0;
}

static void print_effect(void *ctx, const struct zsr_effect *e)
{
	if (e->same)
		fprintf(ctx, "  %-14s gives the same result\n", e->policy);
	else
		fprintf(ctx,
			"  %-14s caller time %+.2f %%, pages back %+.2f %%\n",
			e->policy, percent(e->caller_ns), percent(e->pages));
}

static int make(const struct args *a, const struct zsr_options *o,
		struct zsr_making *m, struct zsr_err *err)
{
	char path[140], size[ZSR_FMT_LEN];
	bool to_stdout = a->output && !strcmp(a->output, "-");
	int ret = load_runs(o, m, err);

	if (!ret && !m->nr_runs && coarser(m)) {
		free(m->runs);
		m->runs = NULL;
		ret = zsr_making_default_runs(m, err);
	}
	if (!ret)
		ret = zsr_making_change(m, a->name ? a->name : m->trace.name,
					err);
	if (!ret)
		ret = describe(a, m, err);
	if (!ret)
		ret = write_readme(a, m, err);
	if (!ret && m->nr_runs && coarser(m) && !to_stdout)
		printf("what is coarser does to replays:\n");
	if (!ret)
		ret = zsr_making_results(
			m, coarser(m) && !to_stdout ? print_effect : NULL,
			stdout, err);
	if (!ret)
		ret = zsr_making_pack(m, err);
	if (!ret && !a->raw)
		ret = zsr_making_check(m, "pack", err);
	snprintf(path, sizeof(path), "%s.zsrpack", m->changed.name);
	if (!ret)
		ret = copy_out(m, a->output ? a->output : path, err);
	if (!ret && !to_stdout)
		printf("%s: %s, %" PRIu64 " events, %.2f bytes each, %s, "
		       "licence %s\n",
		       a->output ? a->output : path,
		       zsr_fmt_size(size, m->bytes), m->changed.nr_events,
		       (double)m->bytes / (double)m->changed.nr_events,
		       a->raw ? "as it is" : "anonymised",
		       zsr_making_licence(a->licence));
	return ret ? ret : zsr_cmd_flush(err);
}

static int pack(const struct args *a, const struct zsr_options *o,
		struct zsr_err *err)
{
	struct zsr_making m = { 0 };
	int ret = options(a, &m, err);

	if (!ret)
		ret = zsr_cmd_open_db(&m.db, "pack", a->db,
				      zsr_cmd_trace_flags(o->rest[0]), err);
	if (!ret)
		ret = zsr_cmd_trace(m.db, o->rest[0], &m.trace, err);
	if (!ret)
		ret = make(a, o, &m, err);
	zsr_making_free(&m);
	return ret;
}

static void args_free(struct args *a)
{
	char **p;

	for (p = a->about; p && *p; p++)
		free(*p);
	free(a->about);
	free(a->db);
	free(a->output);
	free(a->name);
	free(a->licence);
	free(a->readme);
	free(a->quantise);
}

int zsr_cmd_pack(int argc, const char **argv)
{
	struct args a = { 0 };
	const struct poptOption table[] = {
		{ "database", 'd', POPT_ARG_STRING, &a.db, 0,
		  "the database (default $ZSR_DB, else ./zsr.db)", "DB" },
		{ "output", 'o', POPT_ARG_STRING, &a.output, 0,
		  "where to (default: NAME.zsrpack)", "FILE" },
		{ "name", 'n', POPT_ARG_STRING, &a.name, 0,
		  "the trace's name in the pack (default: its own)", "NAME" },
		{ "size-class", 0, POPT_ARG_NONE, &a.size_class, 0,
		  "sizes become the largest of their size class", NULL },
		{ "quantise", 0, POPT_ARG_STRING, &a.quantise, 0,
		  "times become multiples of this", "NS" },
		{ "about", 0, POPT_ARG_ARGV, &a.about, 0,
		  "a line of the manifest: board, cpu, zram, workload, ...",
		  "KEY=VALUE" },
		{ "readme", 0, POPT_ARG_STRING, &a.readme, 0,
		  "a text to go with it (default: a few lines)", "FILE" },
		{ "licence", 0, POPT_ARG_STRING, &a.licence, 0,
		  "SPDX identifier of its licence (CC0-1.0)", "ID" },
		{ "raw", 0, POPT_ARG_NONE, &a.raw, 0,
		  "names, PIDs, marks and facts as they are", NULL },
		POPT_TABLEEND
	};
	struct zsr_err err = { 0 };
	struct zsr_options o;
	int ret;

	ret = zsr_options_parse(&o, argc, argv, table,
				"pack TRACE [RUN...] [OPTION...]", &err);
	if (ret)
		return ret > 0 ? ZSR_EXIT_OK : zsr_cmd_fail("pack", &err);
	ret = o.nr_rest ? pack(&a, &o, &err)
			: zsr_err_usage(&err, "which TRACE?");
	zsr_options_free(&o);
	args_free(&a);
	return ret ? zsr_cmd_fail("pack", &err) : ZSR_EXIT_OK;
}
