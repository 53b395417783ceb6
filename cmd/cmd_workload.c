// SPDX-License-Identifier: GPL-2.0-only
/* zsr workload: the published experiment, and ones like it, on this machine. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "capture/capture.h"
#include "cmd/cmd.h"

struct told {
	unsigned round;
	unsigned nr; /* of this round */
	uint64_t sum_ns;
	uint64_t max_ns;
	uint64_t bytes;
};

static void tell_round(const struct told *t)
{
	uint64_t pages = t->bytes / 4096;

	if (!t->nr)
		return;
	printf("%5u  %5u  %10.1f  %10.3f  %10.3f  %10.1f\n", t->round, t->nr,
	       (double)t->bytes / t->nr / (1 << 20),
	       (double)t->sum_ns / t->nr / 1e6, (double)t->max_ns / 1e6,
	       pages ? (double)t->sum_ns / (double)pages : 0.0);
}

static int on_release(void *ctx, const struct zsr_workload_release *r)
{
	struct told *t = ctx;

	if (r->round != t->round) {
		tell_round(t);
		*t = (struct told){ .round = r->round };
	}
	t->nr++;
	t->sum_ns += r->ns;
	t->max_ns = zsr_max(t->max_ns, r->ns);
	t->bytes += r->bytes_swapped;
	return 0;
}

static int number(const char *text, const char *what, uint64_t min,
		  uint64_t max, unsigned *out, struct zsr_err *err)
{
	uint64_t v = *out;
	int ret = text ? zsr_parse_u64(text, what, min, max, &v, err) : 0;

	*out = (unsigned)v;
	return ret;
}

static int pages_of(const char *name, struct zsr_workload *w,
		    struct zsr_err *err)
{
	static const char *const names[] = { "mix", "uniform", "small",
					     "large" };
	unsigned i;

	for (i = 0; name && i < ZSR_ARRAY_SIZE(names); i++)
		if (!strcmp(name, names[i])) {
			w->pages = (enum zsr_workload_pages)i;
			return 0;
		}
	return name ? zsr_err_usage(
			      err, "'%s' is none of mix, uniform, small, large",
			      name)
		    : 0;
}

/* What each is called, and what it is made of. */
static int kind_of(const struct zsr_options *o, struct zsr_workload *w,
		   struct zsr_err *err)
{
	static const struct {
		const char *name;
		struct zsr_workload w;
	} kinds[] = {
		{ "munmap", { .end = ZSR_WORKLOAD_MUNMAP } },
		{ "exit", { .end = ZSR_WORKLOAD_EXIT } },
		{ "refault", { .end = ZSR_WORKLOAD_MUNMAP, .refault = 30 } },
		{ "frag",
		  { .end = ZSR_WORKLOAD_MUNMAP, .refault = 5, .holes = 60 } },
		{ "app-switch",
		  { .end = ZSR_WORKLOAD_EXIT,
		    .refault = 60,
		    .procs = 4,
		    .turns = 12 } },
	};
	size_t i;

	for (i = 0; o->nr_rest == 1 && i < ZSR_ARRAY_SIZE(kinds); i++)
		if (!strcmp(o->rest[0], kinds[i].name)) {
			*w = kinds[i].w;
			return 0;
		}
	return zsr_err_usage(err,
			     "which workload: munmap, exit, refault, frag, "
			     "app-switch?");
}

int zsr_cmd_workload(int argc, const char **argv)
{
	int compact = 0;
	char *size = NULL, *procs = NULL, *rounds = NULL, *pages = NULL;
	char *refault = NULL, *holes = NULL, *turns = NULL, *seed = NULL;
	const struct poptOption table[] = {
		{ "size", 's', POPT_ARG_STRING, &size, 0,
		  "memory of a process (default 64M)", "SIZE" },
		{ "procs", '\0', POPT_ARG_STRING, &procs, 0,
		  "processes side by side (default 1, app-switch 4)", "N" },
		{ "rounds", '\0', POPT_ARG_STRING, &rounds, 0,
		  "how often (default 1)", "N" },
		{ "pages", '\0', POPT_ARG_STRING, &pages, 0,
		  "how they compress: mix (default), uniform, small, large",
		  "KIND" },
		{ "refault", '\0', POPT_ARG_STRING, &refault, 0,
		  "share of the pages that come back before", "PERCENT" },
		{ "turns", '\0', POPT_ARG_STRING, &turns, 0,
		  "they come back one after the other, so often", "N" },
		{ "holes", '\0', POPT_ARG_STRING, &holes, 0,
		  "share of the pages that are given up before", "PERCENT" },
		{ "compact", '\0', POPT_ARG_NONE, &compact, 0,
		  "compact the zram device before, in a capture", NULL },
		{ "seed", '\0', POPT_ARG_STRING, &seed, 0,
		  "of what is in the pages (default 1)", "N" },
		POPT_TABLEEND
	};
	struct zsr_workload w = { 0 };
	struct zsr_err err = { 0 };
	struct told told = { 0 };
	struct zsr_options o;
	int ret;

	ret = zsr_options_parse(&o, argc, argv, table,
				"workload munmap|exit|refault|frag|app-switch "
				"[OPTION...]",
				&err);
	if (ret)
		return ret > 0 ? ZSR_EXIT_OK : zsr_cmd_fail("workload", &err);
	ret = kind_of(&o, &w, &err);
	w.bytes = 64ull << 20;
	w.procs = zsr_max(w.procs, 1u);
	w.rounds = 1;
	w.seed = 1;
	w.compact = compact;
	if (!ret && size)
		ret = zsr_parse_size(size, &w.bytes, &err);
	if (!ret && seed)
		ret = zsr_parse_u64(seed, "--seed", 0, UINT64_MAX, &w.seed,
				    &err);
	ret = ret ? ret : number(procs, "--procs", 1, 1000, &w.procs, &err);
	ret = ret ? ret : number(rounds, "--rounds", 1, 100000, &w.rounds, &err);
	ret = ret ? ret : number(refault, "--refault", 0, 100, &w.refault, &err);
	ret = ret ? ret : number(turns, "--turns", 0, 100000, &w.turns, &err);
	ret = ret ? ret : number(holes, "--holes", 0, 100, &w.holes, &err);
	ret = ret ? ret : pages_of(pages, &w, &err);
	if (!ret)
		puts("round  procs  swapped MB     mean ms      max ms  "
		     "ns/4K page");
	if (!ret)
		ret = zsr_workload_run(&w, on_release, &told, &err);
	if (!ret) {
		tell_round(&told);
		ret = zsr_cmd_flush(&err);
	}
	zsr_options_free(&o);
	free(size);
	free(procs);
	free(rounds);
	free(pages);
	free(refault);
	free(holes);
	free(turns);
	free(seed);
	return ret ? zsr_cmd_fail("workload", &err) : ZSR_EXIT_OK;
}
