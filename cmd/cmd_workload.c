// SPDX-License-Identifier: GPL-2.0-only
/* zsr workload: the published experiment, and ones like it, on this machine. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "capture/capture.h"
#include "cmd/cmd.h"

#define MAX_POINTS 64

struct sums {
	unsigned nr;
	uint64_t sum_ns;
	uint64_t max_ns;
	uint64_t bytes;
	uint64_t out_ns;
	uint64_t bytes_out;
};

struct told {
	unsigned round;
	struct sums now; /* of this round */
	struct sums all; /* of all rounds; max_ns: of each, added up */
	unsigned nr_rounds;
};

static double per_page(uint64_t ns, uint64_t bytes)
{
	return bytes >= 4096 ? (double)ns / ((double)bytes / 4096) : 0;
}

static void tell_round(struct told *t)
{
	const struct sums *s = &t->now;

	if (!s->nr)
		return;
	printf("%5u  %5u  %10.1f  %10.3f  %10.3f  %10.1f  %10.1f\n", t->round,
	       s->nr, (double)s->bytes / s->nr / (1 << 20),
	       (double)s->sum_ns / s->nr / 1e6, (double)s->max_ns / 1e6,
	       per_page(s->sum_ns, s->bytes), per_page(s->out_ns, s->bytes_out));
	t->all.nr += s->nr;
	t->all.sum_ns += s->sum_ns;
	t->all.max_ns += s->max_ns;
	t->nr_rounds++;
}

static int on_release(void *ctx, const struct zsr_workload_release *r)
{
	struct told *t = ctx;

	if (r->round != t->round) {
		tell_round(t);
		t->now = (struct sums){ 0 };
		t->round = r->round;
	}
	t->now.nr++;
	t->now.sum_ns += r->ns;
	t->now.max_ns = zsr_max(t->now.max_ns, r->ns);
	t->now.bytes += r->bytes_swapped;
	t->now.out_ns += r->out_ns;
	t->now.bytes_out += r->bytes_out;
	return 0;
}

/* ---- several sizes, several numbers of processes ------------------------------ */

struct point {
	uint64_t bytes;
	unsigned procs;
	struct told told;
};

/* Each word of LIST, cut at its commas; nothing changes without a list. */
static int each_word(char *list, uint64_t *v, unsigned *nr,
		     int (*parse)(const char *word, uint64_t *v,
				  struct zsr_err *err),
		     struct zsr_err *err)
{
	char *save = NULL, *word;
	int ret = 0;

	if (!list)
		return 0;
	*nr = 0;
	for (word = strtok_r(list, ",", &save); word && !ret;
	     word = strtok_r(NULL, ",", &save)) {
		if (*nr == MAX_POINTS)
			return zsr_err_usage(err, "more than %d of them",
					     MAX_POINTS);
		ret = parse(word, &v[(*nr)++], err);
	}
	return ret   ? ret
	       : *nr ? 0
		     : zsr_err_usage(err, "a list with nothing in it");
}

static int to_procs(const char *word, uint64_t *v, struct zsr_err *err)
{
	return zsr_parse_u64(word, "--procs", 1, 1000, v, err);
}

static int run_point(struct zsr_workload *w, struct point *p,
		     struct zsr_err *err)
{
	int ret;

	w->bytes = p->bytes;
	w->procs = p->procs;
	ret = zsr_workload_run(w, on_release, &p->told, err);
	if (!ret)
		tell_round(&p->told);
	return ret;
}

/* As such results are posted: mean time of a release, over processes and rounds. */
static void tell_points(const struct point *p, unsigned nr)
{
	const struct told *t;

	puts("\n   size MB  procs     mean ms      max ms");
	for (; nr--; p++) {
		t = &p->told;
		printf("%10.0f  %5u  %10.1f  %10.1f\n",
		       (double)p->bytes / (1 << 20), p->procs,
		       t->all.nr ? (double)t->all.sum_ns / t->all.nr / 1e6 : 0,
		       t->nr_rounds ? (double)t->all.max_ns / t->nr_rounds / 1e6
				    : 0);
	}
}

static int run_all(struct zsr_workload *w, char *sizes, char *procs,
		   struct zsr_err *err)
{
	uint64_t size[MAX_POINTS] = { 64ull << 20 };
	uint64_t proc[MAX_POINTS] = { zsr_max(w->procs, 1u) };
	unsigned nr_sizes = 1, nr_procs = 1, i, nr;
	struct point *point;
	int ret;

	ret = each_word(sizes, size, &nr_sizes, zsr_parse_size, err);
	if (!ret)
		ret = each_word(procs, proc, &nr_procs, to_procs, err);
	if (ret)
		return ret;
	nr = nr_sizes * nr_procs;
	point = calloc(nr, sizeof(*point));
	if (!point)
		return zsr_err_nomem(err, "results");
	puts("round  procs  swapped MB     mean ms      max ms  ns/4K page  "
	     "out ns/4K");
	for (i = 0; i < nr && !ret; i++) {
		point[i].bytes = size[i / nr_procs];
		point[i].procs = (unsigned)proc[i % nr_procs];
		ret = run_point(w, &point[i], err);
	}
	if (!ret)
		tell_points(point, nr);
	free(point);
	return ret ? ret : zsr_cmd_flush(err);
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
		{ "mixed",
		  { .end = ZSR_WORKLOAD_MIXED,
		    .refault = 30,
		    .holes = 10,
		    .procs = 4 } },
	};
	size_t i;

	for (i = 0; o->nr_rest == 1 && i < ZSR_ARRAY_SIZE(kinds); i++)
		if (!strcmp(o->rest[0], kinds[i].name)) {
			*w = kinds[i].w;
			return 0;
		}
	return zsr_err_usage(err,
			     "which workload: munmap, exit, mixed, refault, "
			     "frag, app-switch?");
}

int zsr_cmd_workload(int argc, const char **argv)
{
	char *size = NULL, *procs = NULL, *rounds = NULL, *pages = NULL;
	char *refault = NULL, *holes = NULL, *turns = NULL, *seed = NULL;
	char *out = NULL, *same = NULL;
	int compact = 0, pin = 0;
	char **const texts[] = { &size,  &procs, &rounds, &pages, &refault,
				 &holes, &turns, &seed,   &out,   &same };
	const struct poptOption table[] = {
		{ "size", 's', POPT_ARG_STRING, &size, 0,
		  "memory of a process (default 64M); several: each in turn",
		  "SIZE[,...]" },
		{ "procs", '\0', POPT_ARG_STRING, &procs, 0,
		  "processes side by side (default 1, app-switch and mixed 4)",
		  "N[,...]" },
		{ "rounds", '\0', POPT_ARG_STRING, &rounds, 0,
		  "how often (default 1)", "N" },
		{ "pin", '\0', POPT_ARG_NONE, &pin, 0,
		  "each process to a CPU of its own, as far as there are", NULL },
		{ "pages", '\0', POPT_ARG_STRING, &pages, 0,
		  "how they compress: mix (default), uniform, small, large",
		  "KIND" },
		{ "same", '\0', POPT_ARG_STRING, &same, 0,
		  "share of the pages that are one word repeated (default 0)",
		  "PERCENT" },
		{ "out", '\0', POPT_ARG_STRING, &out, 0,
		  "share of the pages that are swapped out (default 100)",
		  "PERCENT" },
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
	struct zsr_options o;
	size_t i;
	int ret;

	ret = zsr_options_parse(&o, argc, argv, table,
				"workload munmap|exit|mixed|refault|frag|"
				"app-switch [OPTION...]",
				&err);
	if (ret)
		return ret > 0 ? ZSR_EXIT_OK : zsr_cmd_fail("workload", &err);
	ret = kind_of(&o, &w, &err);
	w.rounds = 1;
	w.seed = 1;
	w.out = 100;
	w.compact = compact;
	w.pin = pin;
	if (!ret && seed)
		ret = zsr_parse_u64(seed, "--seed", 0, UINT64_MAX, &w.seed,
				    &err);
	ret = ret ? ret : number(rounds, "--rounds", 1, 100000, &w.rounds, &err);
	ret = ret ? ret : number(same, "--same", 0, 100, &w.same, &err);
	ret = ret ? ret : number(out, "--out", 1, 100, &w.out, &err);
	ret = ret ? ret : number(refault, "--refault", 0, 100, &w.refault, &err);
	ret = ret ? ret : number(turns, "--turns", 0, 100000, &w.turns, &err);
	ret = ret ? ret : number(holes, "--holes", 0, 100, &w.holes, &err);
	ret = ret ? ret : pages_of(pages, &w, &err);
	if (!ret)
		ret = run_all(&w, size, procs, &err);
	zsr_options_free(&o);
	for (i = 0; i < ZSR_ARRAY_SIZE(texts); i++)
		free(*texts[i]);
	return ret ? zsr_cmd_fail("workload", &err) : ZSR_EXIT_OK;
}
