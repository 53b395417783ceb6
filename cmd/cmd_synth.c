// SPDX-License-Identifier: GPL-2.0-only
/* zsr synth: generate a trace of a published experiment. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "replay/engine/engine.h"
#include "synth/synth.h"

/* 16 G pages; the trace would take a month to generate. */
#define MAX_SIZE (1ull << 46)

struct args {
	char *db, *name, *size, *sizes, *kernel;
	char *procs, *seed, *page_size, *chain_size;
};

static int number(const char *text, const char *what, uint64_t min,
		  uint64_t max, uint64_t def, uint64_t *out, struct zsr_err *err)
{
	if (text)
		return zsr_parse_u64(text, what, min, max, out, err);
	*out = def;
	return 0;
}

static int page_size_of(const struct args *a, uint32_t *page_size,
			struct zsr_err *err)
{
	uint64_t v = 4096;

	if (a->page_size && zsr_parse_size(a->page_size, &v, err))
		return -EINVAL;
	if (v != 4096 && v != 16384 && v != 65536)
		return zsr_err_usage(err, "--page-size %s: 4096, 16384 or 65536",
				     a->page_size);
	*page_size = (uint32_t)v;
	return 0;
}

static int settings(const struct args *a, struct zsr_synth_munmap *s,
		    struct zsr_err *err)
{
	const struct zsr_model *model;
	uint64_t procs, chain;

	s->name = a->name ? a->name : "munmap";
	if (zsr_cmd_check_name(s->name, err))
		return -EINVAL;
	s->kernel = a->kernel ? a->kernel : "7.2";
	model = zsr_model_find(s->kernel);
	if (!model)
		return zsr_err_usage(err, "--kernel %s: no such release",
				     s->kernel);
	if (page_size_of(a, &s->page_size, err) ||
	    zsr_parse_size(a->size ? a->size : "256M", &s->size, err) ||
	    number(a->procs, "--procs", 1, 1024, 1, &procs, err) ||
	    number(a->chain_size, "--chain-size", 4, 16, model->default_chain,
		   &chain, err) ||
	    number(a->seed, "--seed", 0, UINT64_MAX, 1, &s->seed, err) ||
	    zsr_sizes_parse(a->sizes ? a->sizes : "text", s->page_size,
			    &s->sizes, err))
		return -EINVAL;
	if (s->size < s->page_size || s->size > MAX_SIZE)
		return zsr_err_usage(err, "--size: from one page to 64T");
	s->procs = (uint32_t)procs;
	s->chain_size = (uint32_t)chain;
	return 0;
}

static int generate(const struct args *a, struct zsr_err *err)
{
	struct zsr_synth_munmap s = { 0 };
	struct zsr_db *db = NULL;
	char count[ZSR_FMT_LEN];
	struct zsr_trace t;
	int ret = settings(a, &s, err);

	if (!ret)
		ret = zsr_cmd_open_db(&db, "synth", a->db, ZSR_DB_CREATE, err);
	if (!ret)
		ret = zsr_synth_munmap(db, &s, &t, err);
	if (!ret)
		printf("%s: %s objects, digest %.12s\n", t.name,
		       zsr_fmt_count(count, t.nr_objects), t.digest);
	zsr_db_close(db);
	return ret ? ret : zsr_cmd_flush(err);
}

int zsr_cmd_synth(int argc, const char **argv)
{
	struct args a = { 0 };
	const struct poptOption table[] = {
		{ "size", 's', POPT_ARG_STRING, &a.size, 0,
		  "memory each process swaps out (256M)", "SIZE" },
		{ "procs", 'p', POPT_ARG_STRING, &a.procs, 0,
		  "processes that unmap at once (1)", "N" },
		{ "sizes", '\0', POPT_ARG_STRING, &a.sizes, 0,
		  "compressed sizes: text, lzo-rle, uniform, fixed:N, "
		  "range:LO-HI (text)",
		  "DIST" },
		{ "seed", '\0', POPT_ARG_STRING, &a.seed, 0,
		  "seed of the sizes (1)", "N" },
		{ "kernel", '\0', POPT_ARG_STRING, &a.kernel, 0,
		  "release whose allocator it stands for (7.2)", "RELEASE" },
		{ "page-size", '\0', POPT_ARG_STRING, &a.page_size, 0,
		  "4096, 16384 or 65536 (4096)", "BYTES" },
		{ "chain-size", '\0', POPT_ARG_STRING, &a.chain_size, 0,
		  "pages a zspage at most (the kernel's default)", "N" },
		{ "name", '\0', POPT_ARG_STRING, &a.name, 0,
		  "name of the trace (munmap)", "NAME" },
		{ "database", 'd', POPT_ARG_STRING, &a.db, 0,
		  "database to write (default: $ZSR_DB, else zsr.db)", "DB" },
		POPT_TABLEEND
	};
	struct zsr_options o = { 0 };
	struct zsr_err err = { 0 };
	int ret;

	ret = zsr_options_parse(&o, argc, argv, table,
				"synth munmap [OPTION...]", &err);
	if (ret > 0) {
		ret = 0;
		goto out;
	}
	if (!ret && (o.nr_rest != 1 || strcmp(o.rest[0], "munmap")))
		ret = zsr_err_usage(&err, "expected one experiment: munmap");
	if (!ret)
		ret = generate(&a, &err);
out:
	zsr_options_free(&o);
	free(a.db);
	free(a.name);
	free(a.size);
	free(a.sizes);
	free(a.kernel);
	free(a.procs);
	free(a.seed);
	free(a.page_size);
	free(a.chain_size);
	return ret ? zsr_cmd_fail("synth", &err) : ZSR_EXIT_OK;
}
