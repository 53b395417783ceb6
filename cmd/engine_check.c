// SPDX-License-Identifier: GPL-2.0-only
/* zsr engine check: op sequences through a kernel's own file and the engine. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/engine_check.h"
#include "replay/engine/check/check.h"

#define NR_BENCHES 3

static struct {
	char **sequences;
	char *page_size;
	char *chain_size;
	int bench;
} opt;

const struct poptOption zsr_engine_check_options[] = {
	{ "seq", 's', POPT_ARG_ARGV, &opt.sequences, 0,
	  "op sequences to run instead of those built in", "FILE..." },
	{ "page-size", 'p', POPT_ARG_STRING, &opt.page_size, 0,
	  "4096 (default), 16384 or 65536", "BYTES" },
	{ "chain-size", 'c', POPT_ARG_STRING, &opt.chain_size, 0,
	  "most pages a zspage, 4 to 16 (default: the kernel's)", "N" },
	{ "bench", 'b', POPT_ARG_NONE, &opt.bench, 0,
	  "time both, too, alternately in one run", NULL },
	POPT_TABLEEND
};

struct totals {
	uint64_t sequences, timed;
	uint64_t ops;
	uint64_t rows;
	double worst, worst_backed; /* ratios */
};

static void on_begin(void *ctx, const struct zsr_check_pool *p)
{
	printf("kernel %s (rules of %s), pages of %u bytes, chains of up to "
	       "%u\n",
	       p->release, p->model, p->page_size, p->chain_size);
	fflush(stdout);
}

/* A file is told by its last part. */
static const char *short_name(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash ? slash + 1 : name;
}

static void on_checked(void *ctx, const struct zsr_check_result *r)
{
	struct totals *t = ctx;

	t->sequences++;
	t->ops += r->ops;
	t->rows += r->rows;
	if (r->difference)
		printf("%s: %s\n", r->name, r->difference);
	else
		printf("  %-28s %8" PRIu64 " ops %8" PRIu64 " rows  equal\n",
		       short_name(r->name), r->ops, r->rows);
	fflush(stdout);
}

static void on_timed(void *ctx, const struct zsr_check_timing *r)
{
	struct totals *t = ctx;
	double ratio = r->engine_ns / r->kernel_ns;
	double backed = r->backed_ns / r->kernel_ns;

	if (!t->timed++)
		printf("nanoseconds an op (and of the kernel's), median of %u "
		       "rounds\n  %-27s %6s  %13s  %13s\n",
		       r->rounds, "", "kernel", "state only", "backed");
	printf("  %-27s %6.1f  %6.1f (%.2f)  %6.1f (%.2f)\n",
	       short_name(r->name), r->kernel_ns, r->engine_ns, ratio,
	       r->backed_ns, backed);
	fflush(stdout);
	t->worst = zsr_max(t->worst, ratio);
	t->worst_backed = zsr_max(t->worst_backed, backed);
}

static int parse(struct zsr_check *c, struct zsr_err *err)
{
	uint64_t page = 0, chain = 0;
	int ret = 0;

	if (opt.page_size)
		ret = zsr_parse_size(opt.page_size, &page, err);
	if (!ret && page && page != 4096 && page != 16384 && page != 65536)
		ret = zsr_err_usage(err,
				    "'%s' is none of the page sizes 4096, "
				    "16384, 65536",
				    opt.page_size);
	if (!ret && opt.chain_size)
		ret = zsr_parse_u64(opt.chain_size, "--chain-size", 4, 16,
				    &chain, err);
	c->page_size = (unsigned)page;
	c->chain_size = (unsigned)chain;
	return ret;
}

/* --seq takes all names that follow: the first is the option's, the others are
 * what stands behind the tree. */
static int sequences(struct zsr_check *c, const struct zsr_options *o,
		     const char ***list, struct zsr_err *err)
{
	unsigned n = 0, i;

	if (!o->nr_rest)
		return zsr_err_usage(err, "which kernel tree?");
	if (o->nr_rest > 1 && !opt.sequences)
		return zsr_err_usage(err, "check takes one kernel tree");
	c->tree = o->rest[0];
	while (opt.sequences && opt.sequences[n])
		n++;
	*list = calloc(n + (unsigned)o->nr_rest, sizeof(**list));
	if (!*list)
		return zsr_err_nomem(err, "sequences");
	for (i = 0; i < n; i++)
		(*list)[i] = opt.sequences[i];
	for (i = 1; i < (unsigned)o->nr_rest; i++)
		(*list)[n++] = o->rest[i];
	c->sequences = *list;
	c->nr_sequences = n;
	return 0;
}

/* The sequences that published times are of, where the shared data is. */
static void find_benches(struct zsr_check *c, char path[NR_BENCHES][4096],
			 const char *list[NR_BENCHES])
{
	static const char *const names[NR_BENCHES] = { "random_lzo_200k",
						       "process_exit_100k",
						       "slot_churn_100k" };
	const char *shared = getenv("ZSR_SHARED");
	unsigned i;

	if (c->nr_sequences || (c->page_size && c->page_size != 4096))
		return;
	for (i = 0; i < NR_BENCHES; i++) {
		snprintf(path[i], sizeof(path[i]),
			 "%s/fixtures/zsmalloc/seq/%s.csv.gz",
			 shared ? shared : "../shared", names[i]);
		if (access(path[i], R_OK))
			return;
		list[i] = path[i];
	}
	c->timed_sequences = list;
	c->nr_timed_sequences = NR_BENCHES;
}

int zsr_engine_check(struct zsr_options *o, struct zsr_err *err)
{
	static char path[NR_BENCHES][4096];
	const char *benches[NR_BENCHES], **list = NULL;
	struct totals t = { 0 };
	struct zsr_check c = { .ctx = &t,
			       .begin = on_begin,
			       .checked = on_checked,
			       .timed = on_timed };
	char ops[ZSR_FMT_LEN], rows[ZSR_FMT_LEN];
	int ret;

	ret = parse(&c, err);
	if (!ret)
		ret = sequences(&c, o, &list, err);
	if (!ret) {
		c.time = opt.bench;
		if (c.time)
			find_benches(&c, path, benches);
		ret = zsr_check_run(&c, err);
	}
	if (ret >= 0)
		printf("%s: %" PRIu64 " sequences, %s ops, %s rows compared\n",
		       ret ? "different" : "equal", t.sequences,
		       zsr_fmt_count(ops, t.ops), zsr_fmt_count(rows, t.rows));
	if (!ret && c.time)
		printf("ours takes at most %.2f of the kernel's time, with "
		       "memory %.2f\n",
		       t.worst, t.worst_backed);
	free(list);
	if (ret >= 0 && zsr_cmd_flush(err))
		return -EIO;
	return ret;
}
