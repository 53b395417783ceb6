// SPDX-License-Identifier: GPL-2.0-only
/* zsr engine: op sequences through the engine, its size classes as tables. */
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/engine_check.h"
#include "judge/judge.h"
#include "replay/engine/engine.h"

/* What all of it takes. */
static struct {
	char *kernel;
	char *page_size;
	char *chain_size;
	char *word_bits;
	char *physmem_bits;
} opt;

static const struct poptOption pool_options[] = {
	{ "kernel", 'k', POPT_ARG_STRING, &opt.kernel, 0,
	  "kernel release whose rules to follow", "RELEASE" },
	{ "page-size", 'p', POPT_ARG_STRING, &opt.page_size, 0,
	  "4096 (default), 16384 or 65536", "BYTES" },
	{ "chain-size", 'c', POPT_ARG_STRING, &opt.chain_size, 0,
	  "most pages a zspage, 4 to 16 (default: the kernel's)", "N" },
	{ "word-bits", '\0', POPT_ARG_STRING, &opt.word_bits, 0,
	  "32 or 64 (default)", "N" },
	{ "physmem-bits", '\0', POPT_ARG_STRING, &opt.physmem_bits, 0,
	  "width of a physical address (default 52, or 32 of 32)", "N" },
	POPT_TABLEEND
};

static int number(const char *s, const char *what, uint64_t min, uint64_t max,
		  unsigned *out, struct zsr_err *err)
{
	uint64_t v;
	int ret;

	if (!s)
		return 0;
	ret = zsr_parse_u64(s, what, min, max, &v, err);
	if (!ret)
		*out = (unsigned)v;
	return ret;
}

static int page_size(unsigned *out, struct zsr_err *err)
{
	uint64_t v = 4096;
	int ret = 0;

	if (opt.page_size)
		ret = zsr_parse_size(opt.page_size, &v, err);
	if (!ret && v != 4096 && v != 16384 && v != 65536)
		ret = zsr_err_usage(err,
				    "'%s' is none of the page sizes 4096, "
				    "16384, 65536",
				    opt.page_size);
	*out = (unsigned)v;
	return ret;
}

static const struct zsr_model *model(struct zsr_err *err)
{
	const struct zsr_model *m;

	if (!opt.kernel) {
		zsr_err_usage(err, "which --kernel?");
		return NULL;
	}
	m = zsr_model_find(opt.kernel);
	if (!m)
		zsr_err_usage(err,
			      "'%s' is no kernel whose rules are known; known "
			      "are the releases from 5.0 on, by models 5.10, "
			      "6.1 (to 6.2), 6.3 and 6.12 (from 6.4)",
			      opt.kernel);
	return m;
}

static int create(struct zsr_engine **e, struct zsr_err *err)
{
	unsigned psize = 0, chain = 0, word_bits = 0, physmem_bits = 0;
	const struct zsr_model *m = model(err);
	struct zsr_obj_layout layout;
	int ret;

	if (!m)
		return -EINVAL;
	chain = m->default_chain;
	ret = page_size(&psize, err);
	if (!ret)
		ret = number(opt.chain_size, "--chain-size", 4, 16, &chain, err);
	if (!ret)
		ret = number(opt.word_bits, "--word-bits", 32, 64, &word_bits,
			     err);
	if (!ret)
		ret = number(opt.physmem_bits, "--physmem-bits", 1, 64,
			     &physmem_bits, err);
	if (!ret)
		ret = zsr_obj_layout(&layout, opt.kernel, word_bits,
				     physmem_bits, psize, chain, err);
	if (!ret)
		ret = zsr_engine_create_layout(e, m, psize, chain, &layout, 0,
					       err);
	return ret;
}

/* ---- run, tables, classes ----------------------------------------------- */

static struct zsr_seq_run seq;
static char *every;

static const struct poptOption run_options[] = {
	{ "output", 'o', POPT_ARG_STRING, &seq.dir, 0,
	  "directory the files go to; made if it is absent", "DIR" },
	{ "checkpoint-every", '\0', POPT_ARG_STRING, &every, 0,
	  "class counters after every N ops too (default: only after "
	  "compactions and at the end)",
	  "N" },
	{ NULL, '\0', POPT_ARG_INCLUDE_TABLE, (void *)pool_options, 0, NULL,
	  NULL },
	POPT_TABLEEND
};

static int run(struct zsr_options *o, struct zsr_err *err)
{
	struct zsr_engine *e = NULL;
	int ret = 0;

	if (o->nr_rest != 1)
		return zsr_err_usage(err, "run takes one op sequence");
	if (!seq.dir)
		return zsr_err_usage(err, "which directory to write to? (-o)");
	if (every)
		ret = zsr_parse_u64(every, "--checkpoint-every", 1, UINT64_MAX,
				    &seq.checkpoint_every, err);
	if (!ret)
		ret = create(&e, err);
	seq.sequence = o->rest[0];
	if (!ret)
		ret = zsr_engine_run_sequence(e, &seq, err);
	zsr_engine_destroy(e);
	return ret;
}

static int tables(struct zsr_options *o, struct zsr_err *err)
{
	struct zsr_engine *e;
	int ret;

	if (o->nr_rest)
		return zsr_err_usage(err, "tables takes no argument");
	ret = create(&e, err);
	if (ret)
		return ret;
	zsr_engine_write_tables(e, opt.kernel, stdout);
	zsr_engine_destroy(e);
	return zsr_cmd_flush(err);
}

static struct {
	char *db;
	char *pool;
	char *mark;
} from;

static const struct poptOption classes_options[] = {
	{ "seq", 's', POPT_ARG_STRING, &seq.sequence, 0,
	  "run an op sequence instead of a trace", "FILE" },
	{ "database", 'd', POPT_ARG_STRING, &from.db, 0,
	  "the database (default $ZSR_DB, else ./zsr.db)", "DB" },
	{ "pool", '\0', POPT_ARG_STRING, &from.pool, 0,
	  "number of the trace's pool, from 0 (default 0)", "N" },
	{ "mark", 'm', POPT_ARG_STRING, &from.mark, 0,
	  "stop at the first mark that reads TEXT", "TEXT" },
	{ NULL, '\0', POPT_ARG_INCLUDE_TABLE, (void *)pool_options, 0, NULL,
	  NULL },
	POPT_TABLEEND
};

static int on_mark(void *ctx, int64_t nr, const char *key, const char *value)
{
	int64_t *mark = ctx;

	if (*mark < 0 && !strcmp(value, from.mark))
		*mark = nr;
	return 0;
}

static int at_event(void *ctx, const struct zsr_event *ev, struct zsr_err *err)
{
	const int64_t *mark = ctx;

	return ev->kind == ZSR_EV_MARK && ev->aux == (uint64_t)*mark;
}

static int play(struct zsr_engine *e, struct zsr_db *db,
		const struct zsr_trace *t, unsigned pool, struct zsr_err *err)
{
	int64_t mark = -1;
	const struct zsr_play_hooks hooks = { .ctx = &mark, .event = at_event };
	int ret = 0;

	if (from.mark)
		ret = zsr_trace_rows(db, t->id, ZSR_TABLE_MARKS, on_mark, &mark,
				     err);
	if (!ret && from.mark && mark < 0)
		ret = zsr_err_input(err, "trace '%s' has no mark '%s'", t->name,
				    from.mark);
	if (!ret)
		ret = zsr_judge_play(e, db, t, pool, &hooks, err);
	return ret > 0 ? 0 : ret;
}

/* What the command line does not say, the trace does (and goes on saying as
 * long as options do). */
static int classes_of_trace(struct zsr_engine **e, const char *arg,
			    struct zsr_err *err)
{
	static char page_size[16], chain_size[16];
	static struct zsr_trace t;
	struct zsr_db *db = NULL;
	unsigned pool = 0;
	int ret;

	ret = zsr_cmd_open_db(&db, "engine", from.db, zsr_cmd_trace_flags(arg),
			      err);
	if (!ret)
		ret = zsr_cmd_trace(db, arg, &t, err);
	if (ret)
		goto out;
	ret = number(from.pool, "--pool", 0, t.nr_pools ? t.nr_pools - 1 : 0,
		     &pool, err);
	if (ret)
		goto out;
	snprintf(page_size, sizeof(page_size), "%u", t.page_size);
	snprintf(chain_size, sizeof(chain_size), "%u", t.chain_size);
	if (!opt.kernel)
		opt.kernel = t.kernel;
	if (!opt.page_size)
		opt.page_size = page_size;
	if (!opt.chain_size)
		opt.chain_size = chain_size;
	ret = create(e, err);
	if (!ret)
		ret = play(*e, db, &t, pool, err);
	if (!ret && !t.from_empty)
		fprintf(stderr,
			"zsr engine: the pool was not empty when trace '%s' "
			"began: what it held is not in the table\n",
			t.name);
out:
	zsr_db_close(db);
	return ret;
}

static int classes(struct zsr_options *o, struct zsr_err *err)
{
	struct zsr_engine *e = NULL;
	int ret;

	if (o->nr_rest > 1 || (o->nr_rest && seq.sequence))
		return zsr_err_usage(err, "classes takes one TRACE or --seq");
	if (o->nr_rest) {
		ret = classes_of_trace(&e, o->rest[0], err);
	} else {
		ret = create(&e, err);
		if (!ret && seq.sequence)
			ret = zsr_engine_run_sequence(e, &seq, err);
	}
	if (!ret) {
		zsr_engine_write_classes(e, stdout);
		ret = zsr_cmd_flush(err);
	}
	zsr_engine_destroy(e);
	return ret;
}

/* ---- the table of them ---------------------------------------------------- */

static const struct {
	const char *name;
	const char *usage;
	const char *summary;
	const struct poptOption *options;
	int (*run)(struct zsr_options *o, struct zsr_err *err);
} verbs[] = {
	{ "run", "engine run SEQUENCE --kernel RELEASE -o DIR [OPTION...]",
	  "run an op sequence and write what happened", run_options, run },
	{ "tables", "engine tables --kernel RELEASE [OPTION...]",
	  "the size classes, as CSV", pool_options, tables },
	{ "classes",
	  "engine classes TRACE | --seq FILE --kernel RELEASE [OPTION...]",
	  "the kernel's `classes` table", classes_options, classes },
	{ "check", "engine check KDIR [OPTION...] [--seq FILE...]",
	  "run op sequences through a kernel's own file too",
	  zsr_engine_check_options, zsr_engine_check },
};

static void print_help(FILE *f)
{
	size_t i;

	fputs("Usage: zsr engine VERB [OPTION...]\n\n", f);
	for (i = 0; i < ZSR_ARRAY_SIZE(verbs); i++)
		fprintf(f, "  %-10s%s\n", verbs[i].name, verbs[i].summary);
	fputs("\n`zsr engine VERB --help` shows a verb's options.\n", f);
}

int zsr_cmd_engine(int argc, const char **argv)
{
	struct zsr_err err = { 0 };
	struct zsr_options o;
	size_t i;
	int ret;

	if (argc >= 2 &&
	    (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		print_help(stdout);
		return ZSR_EXIT_OK;
	}
	for (i = 0; argc >= 2 && i < ZSR_ARRAY_SIZE(verbs); i++)
		if (!strcmp(argv[1], verbs[i].name))
			break;
	if (argc < 2 || i == ZSR_ARRAY_SIZE(verbs)) {
		print_help(stderr);
		return ZSR_EXIT_USAGE;
	}
	ret = zsr_options_parse(&o, argc - 1, argv + 1, verbs[i].options,
				verbs[i].usage, &err);
	if (ret > 0)
		return ZSR_EXIT_OK;
	if (!ret) {
		ret = verbs[i].run(&o, &err);
		zsr_options_free(&o);
	}
	if (ret > 0)
		return ZSR_EXIT_NEGATIVE;
	return ret ? zsr_cmd_fail("engine", &err) : ZSR_EXIT_OK;
}
