// SPDX-License-Identifier: GPL-2.0-only
/* zsr repro: replay the published munmap experiments, row by row. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "replay/replay.h"
#include "synth/synth.h"

#define MAX_COLUMNS  32
#define MAX_LINE     4096
#define MAX_SIZE_MB  (1u << 20)
#define NOT_REPLAYED UINT64_MAX

/* The table that is compared with when none is given, see shipped.S. */
extern const char zsr_published[], zsr_published_end[];

enum column { PLATFORM, CORES, SIZE_MB, PROCS, POLICY, MS, USE, NR_COLUMNS };

static const struct {
	const char *name;
	bool needed;
} columns[] = {
	[PLATFORM] = { "platform", true }, [CORES] = { "cores", false },
	[SIZE_MB] = { "size_mb", true },   [PROCS] = { "procs", true },
	[POLICY] = { "policy", true },     [MS] = { "ms", false },
	[USE] = { "use", false },
};

struct table {
	FILE *f;
	const char *name;
	unsigned line;
	int at[NR_COLUMNS]; /* field of each column, -1: absent */
};

struct row {
	char text[MAX_LINE];
	char *field[MAX_COLUMNS];
	int nr;
};

/* What a row asks for. */
struct experiment {
	const char *platform, *policy, *use;
	uint64_t cores, size_mb, procs;
	double published_ms; /* < 0: not given */
};

/* ---- reading the table ----------------------------------------------- */

static int table_open(struct table *t, const char *path, struct zsr_err *err)
{
	*t = (struct table){ .name = path ? path : "published.csv" };
	t->f = path ? fopen(path, "re")
		    : fmemopen((void *)zsr_published,
			       (size_t)(zsr_published_end - zsr_published), "r");
	if (!t->f)
		return zsr_err_input(err, "%s: %s", t->name, strerror(errno));
	return 0;
}

/* The next field, without the quotes it may stand in; *rest is NULL after the
 * last one. NULL: something follows a closing quote, or there is none. */
static char *next_field(char **rest)
{
	char *s = *rest, *in, *out;

	if (*s != '"')
		return strsep(rest, ",");
	for (in = out = ++s; *in; *out++ = *in++)
		if (*in == '"' && *++in != '"')
			break;
	if ((*in && *in != ',') || in == out)
		return NULL;
	*rest = *in ? in + 1 : NULL;
	*out = '\0';
	return s;
}

/* The next line that is no comment, split at commas. 1, 0 at the end. */
static int next_row(struct table *t, struct row *r, struct zsr_err *err)
{
	char *rest, *field;

	do {
		if (!fgets(r->text, sizeof(r->text), t->f))
			return 0;
		t->line++;
		if (!strchr(r->text, '\n') && !feof(t->f))
			return zsr_err_input(err, "%s:%u: line too long",
					     t->name, t->line);
		r->text[strcspn(r->text, "\r\n")] = '\0';
	} while (*r->text == '#' || !*r->text);
	rest = r->text;
	/* What spreadsheets put before the first line. */
	if (t->line == 1 && !strncmp(rest, "\357\273\277", 3))
		rest += 3;
	for (r->nr = 0; rest; r->nr++) {
		if (r->nr == MAX_COLUMNS)
			return zsr_err_input(err, "%s:%u: more than %d fields",
					     t->name, t->line, MAX_COLUMNS);
		field = next_field(&rest);
		if (!field)
			return zsr_err_input(err,
					     "%s:%u: field %d: its quotes "
					     "do not match",
					     t->name, t->line, r->nr + 1);
		r->field[r->nr] = field;
	}
	return 1;
}

static int read_header(struct table *t, struct zsr_err *err)
{
	struct row r;
	int i, k, ret = next_row(t, &r, err);

	if (ret < 0)
		return ret;
	if (!ret)
		return zsr_err_input(err, "%s: empty", t->name);
	for (i = 0; i < NR_COLUMNS; i++) {
		t->at[i] = -1;
		for (k = 0; k < r.nr; k++)
			if (!strcmp(r.field[k], columns[i].name))
				t->at[i] = k;
		if (t->at[i] < 0 && columns[i].needed)
			return zsr_err_input(err, "%s:%u: no column '%s'",
					     t->name, t->line, columns[i].name);
	}
	return 0;
}

static const char *field(const struct table *t, const struct row *r,
			 enum column c)
{
	return t->at[c] >= 0 && t->at[c] < r->nr ? r->field[t->at[c]] : "";
}

/* What a row asks for is input, and has a line. */
static int in_row(const struct table *t, int ret, struct zsr_err *err)
{
	if (!ret)
		return 0;
	if (err->kind == ZSR_ERR_USAGE)
		err->kind = ZSR_ERR_INPUT;
	return zsr_err_wrap(err, ret, "%s:%u", t->name, t->line);
}

static int number(const struct table *t, const struct row *r, enum column c,
		  uint64_t max, uint64_t def, uint64_t *out, struct zsr_err *err)
{
	const char *s = field(t, r, c);

	*out = def;
	if (!*s && !columns[c].needed)
		return 0;
	return in_row(t, zsr_parse_u64(s, columns[c].name, 1, max, out, err),
		      err);
}

static int parse_row(const struct table *t, const struct row *r,
		     struct experiment *e, struct zsr_err *err)
{
	const char *ms = field(t, r, MS);
	char *end;

	e->platform = field(t, r, PLATFORM);
	e->policy = field(t, r, POLICY);
	e->use = field(t, r, USE);
	e->published_ms = -1;
	if (*ms) {
		e->published_ms = strtod(ms, &end);
		if (*end || !(e->published_ms > 0 && e->published_ms < 1e9))
			return zsr_err_input(err, "%s:%u: ms: '%s' is no time",
					     t->name, t->line, ms);
	}
	if (number(t, r, CORES, 64, 0, &e->cores, err) ||
	    number(t, r, SIZE_MB, MAX_SIZE_MB, 0, &e->size_mb, err) ||
	    number(t, r, PROCS, 1024, 0, &e->procs, err))
		return -EINVAL;
	return 0;
}

/* ---- replaying a row --------------------------------------------------- */

static int take_mean(void *ctx, struct zsr_run *run, struct zsr_err *err)
{
	(void)err;
	*(uint64_t *)ctx = run->v.caller_mean_ns;
	return 0;
}

static int replay_row(struct zsr_db *db, const struct experiment *e,
		      uint64_t seed, const char *sizes, uint64_t *mean_ns,
		      struct zsr_err *err)
{
	char name[64];
	struct zsr_synth_munmap s = {
		.name = name,
		.kernel = "7.2",
		.size = e->size_mb << 20,
		.procs = (uint32_t)e->procs,
		.page_size = 4096,
		.chain_size = 8,
		.seed = seed,
	};
	struct zsr_replay_opts o = { .policies = e->policy,
				     .machine = e->platform,
				     .cpus = (unsigned)e->cores,
				     .seed = seed };
	struct zsr_trace t;
	int ret;

	snprintf(name, sizeof(name), "munmap-%" PRIu64 "M-%" PRIu64, e->size_mb,
		 e->procs);
	ret = zsr_sizes_parse(sizes, s.page_size, &s.sizes, err);
	if (!ret && zsr_trace_find(db, name, &t, err))
		ret = zsr_synth_munmap(db, &s, &t, err);
	if (!ret)
		ret = zsr_replay(db, &t, &o, take_mean, mean_ns, err);
	return ret;
}

static void print_header(bool csv)
{
	if (csv)
		puts("platform,size_mb,procs,policy,use,published_ms,"
		     "replayed_ms,error_percent");
	else
		printf("%-10s %7s %5s %-12s %-5s %9s %9s %8s\n", "platform",
		       "size", "procs", "policy", "use", "published",
		       "replayed", "error");
}

static void print_field(const char *s)
{
	bool quote = s[strcspn(s, ",\"")] != '\0';

	if (quote)
		putchar('"');
	for (; *s; s++) {
		if (*s == '"')
			putchar('"');
		putchar(*s);
	}
	if (quote)
		putchar('"');
	putchar(',');
}

static void print_csv(const struct experiment *e, const char *published,
		      const char *replayed, const char *error)
{
	print_field(e->platform);
	printf("%" PRIu64 ",%" PRIu64 ",", e->size_mb, e->procs);
	print_field(e->policy);
	print_field(e->use);
	printf("%s,%s,%s\n", published, replayed, error);
}

static void print_row(const struct experiment *e, uint64_t ns, bool csv)
{
	double ms = (double)ns / 1e6;
	char published[32] = "", replayed[32] = "", error[32] = "";

	if (e->published_ms > 0)
		snprintf(published, sizeof(published), "%.1f", e->published_ms);
	if (ns != NOT_REPLAYED)
		snprintf(replayed, sizeof(replayed), csv ? "%.3f" : "%.1f", ms);
	if (e->published_ms > 0 && ns != NOT_REPLAYED) {
		snprintf(error, sizeof(error), "%+.1f",
			 (ms / e->published_ms - 1) * 100);
	}
	if (csv)
		print_csv(e, published, replayed, error);
	else
		printf("%-10s %5" PRIu64 " M %5" PRIu64
		       " %-12s %-5s %6s ms %6s ms %6s %%\n",
		       e->platform, e->size_mb, e->procs, e->policy, e->use,
		       *published ? published : "-", *replayed ? replayed : "-",
		       *error ? error : "-");
}

static int repro(const char *path, const char *db_path, const char *sizes,
		 uint64_t seed, bool csv, struct zsr_err *err)
{
	struct zsr_db *db = NULL;
	struct experiment e;
	struct table t;
	struct zsr_err first = { 0 };
	struct row r;
	uint64_t ns;
	int ret = table_open(&t, path, err);

	if (ret)
		return ret;
	ret = read_header(&t, err);
	if (!ret)
		ret = zsr_db_open(&db, db_path, ZSR_DB_CREATE, err);
	if (!ret)
		print_header(csv);
	while (!ret && (ret = next_row(&t, &r, err)) > 0) {
		ret = parse_row(&t, &r, &e, err);
		if (ret)
			break;
		ns = NOT_REPLAYED;
		ret = in_row(&t, replay_row(db, &e, seed, sizes, &ns, err), err);
		/* A row nobody can replay has a line all the same. */
		if (ret && err->kind == ZSR_ERR_INPUT) {
			if (!first.kind)
				first = *err;
			ret = 0;
		}
		if (!ret)
			print_row(&e, ns, csv);
	}
	if (!ret && !csv)
		printf("\nCaller time, mean over processes; virtual clock; "
		       "sizes %s.\nrows of use 'fit' shaped the profile, "
		       "'check' rows did not.\n",
		       sizes);
	zsr_db_close(db);
	fclose(t.f);
	if (!ret)
		ret = zsr_cmd_flush(err);
	if (!ret && first.kind) {
		*err = first;
		ret = -EINVAL;
	}
	return ret;
}

/* Traces are only needed while the table is replayed. */
static int with_scratch_db(const char *path, const char *sizes, uint64_t seed,
			   bool csv, struct zsr_err *err)
{
	const char *tmp = getenv("TMPDIR");
	char dir[4096], db[4096 + 16];
	int ret;

	snprintf(dir, sizeof(dir), "%s/zsr-repro.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(dir))
		return zsr_err_sys(err, errno, "%s", dir);
	snprintf(db, sizeof(db), "%s/zsr.db", dir);
	ret = repro(path, db, sizes, seed, csv, err);
	unlink(db);
	if (rmdir(dir) && !ret)
		ret = zsr_err_sys(err, errno, "%s", dir);
	return ret;
}

int zsr_cmd_repro(int argc, const char **argv)
{
	char *path = NULL, *sizes = NULL, *seed_text = NULL;
	int csv = 0;
	const struct poptOption options[] = {
		{ "table", 't', POPT_ARG_STRING, &path, 0,
		  "rows to replay (default: the published totals)", "FILE" },
		{ "sizes", '\0', POPT_ARG_STRING, &sizes, 0,
		  "compressed sizes, see zsr-synth(1) (text)", "DIST" },
		{ "seed", '\0', POPT_ARG_STRING, &seed_text, 0,
		  "seed of sizes and machine (1)", "N" },
		{ "csv", '\0', POPT_ARG_NONE, &csv, 0, "print CSV", NULL },
		POPT_TABLEEND
	};
	struct zsr_options o = { 0 };
	struct zsr_err err = { 0 };
	uint64_t seed = 1;
	int ret;

	ret = zsr_options_parse(&o, argc, argv, options, "repro [OPTION...]",
				&err);
	if (ret > 0) {
		ret = 0;
		goto out;
	}
	if (!ret && o.nr_rest)
		ret = zsr_err_usage(&err, "unexpected '%s'", o.rest[0]);
	if (!ret && seed_text)
		ret = zsr_parse_u64(seed_text, "--seed", 0, UINT64_MAX, &seed,
				    &err);
	if (!ret)
		ret = with_scratch_db(path, sizes ? sizes : "text", seed, csv,
				      &err);
out:
	zsr_options_free(&o);
	free(path);
	free(sizes);
	free(seed_text);
	return ret ? zsr_cmd_fail("repro", &err) : ZSR_EXIT_OK;
}
