// SPDX-License-Identifier: GPL-2.0-only
/* zsr mail: as much of a trace as fits into a mail, and what is lost by it. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/making.h"

#define BUDGET "90K"

struct args {
	char *db, *output, *budget, *name, *licence;
	int raw;
};

struct mail {
	struct zsr_making m;
	uint64_t budget;
	bool *keep;
	struct zsr_effect effect[8];
	size_t nr_effects;
	struct zsr_progress progress;
	unsigned nr_tries;
	char *text;
	size_t len;
	struct zsr_err *err;
};

/* What is given up, one after the other. */
static const struct level {
	bool size_class;
	uint64_t quantise_ns;
	uint64_t even_ns;
	bool no_durations;
} levels[] = {
	{ false, 0, 0, false },   { true, 0, 0, false },
	{ true, 250, 0, false },  { true, 1000, 0, false },
	{ true, 4000, 0, false }, { true, 4000, 0, true },
	{ true, 16000, 0, true }, { true, 0, 500000, true },
};

/* ---- the text ------------------------------------------------------------- */

static void on_effect(void *ctx, const struct zsr_effect *e)
{
	struct mail *l = ctx;

	if (l->nr_effects < ZSR_ARRAY_SIZE(l->effect))
		l->effect[l->nr_effects++] = *e;
}

static void say_time(FILE *f, const char *what, uint64_t ns)
{
	char t[ZSR_FMT_LEN];

	fprintf(f, "  times      %s%s\n", what, ns ? zsr_fmt_ns(t, ns) : "");
}

static void say_dropped(FILE *f, const struct mail *l)
{
	const struct zsr_change *ch = &l->m.change;
	uint64_t gone = l->m.trace.nr_mallocs - l->m.changed.nr_mallocs;

	fprintf(f, "\nWhat it took to fit %" PRIu64 " bytes:\n", l->budget);
	fprintf(f, "  sizes      %s\n",
		ch->size_class ? "the largest of their size class" : "exact");
	if (ch->even_ns)
		say_time(f, "the mean by kind of call, but pauses from ",
			 ch->even_ns);
	else
		say_time(f, ch->quantise_ns ? "in steps of " : "exact",
			 ch->quantise_ns);
	if (l->m.trace.has_dur)
		fprintf(f, "  durations  %s\n",
			ch->no_durations ? "dropped" : "kept");
	if (gone)
		fprintf(f,
			"  calls      %" PRIu64 " of %" PRIu64
			" zs_malloc and %" PRIu64 " of %" PRIu64
			" zs_free dropped,\n"
			"             whole lives of objects, evenly spread\n",
			gone, l->m.trace.nr_mallocs,
			l->m.trace.nr_frees - l->m.changed.nr_frees,
			l->m.trace.nr_frees);
	else
		fprintf(f, "  calls      all kept\n");
}

static double ms(uint64_t ns)
{
	return (double)ns / 1e6;
}

static void say_effects(FILE *f, const struct mail *l)
{
	size_t i;

	fprintf(f, "\nWhat a replay makes of it, and of the whole trace "
		   "(virtual clock):\n"
		   "  policy          caller ms      whole  pages back      "
		   "whole  digest\n");
	for (i = 0; i < l->nr_effects; i++) {
		const struct zsr_effect *e = &l->effect[i];

		fprintf(f,
			"  %-14s %10.3f %10.3f  %10" PRIu64 " %10" PRIu64
			"  %s\n",
			e->policy, ms(e->caller_ns[1]), ms(e->caller_ns[0]),
			e->pages[1], e->pages[0], e->same ? "same" : "differs");
	}
}

static int write_mail(struct mail *l)
{
	const struct zsr_trace *t = &l->m.changed;
	char *bytes = malloc(l->m.bytes + 1);
	FILE *f;
	int ret = 0;

	free(l->text);
	l->text = NULL;
	f = open_memstream(&l->text, &l->len);
	if (!bytes || !f ||
	    pread(fileno(l->m.pack), bytes, l->m.bytes, 0) !=
		    (ssize_t)l->m.bytes) {
		if (f)
			fclose(f);
		free(bytes);
		return zsr_err_nomem(l->err, "mail");
	}
	fprintf(f,
		"'%s': %" PRIu64 " zs_malloc and %" PRIu64 " zs_free calls of "
		"Linux %s,\n%u KiB pages, %s times. Save this mail (quoted and "
		"wrapped will do) and:\n\n"
		"    zsr replay FILE --policy sync,class-idx,deferred\n",
		t->name, t->nr_mallocs, t->nr_frees, t->kernel,
		t->page_size / 1024, zsr_times_name(t->times));
	say_dropped(f, l);
	say_effects(f, l);
	fputc('\n', f);
	zsr_armour_write(f, bytes, l->m.bytes);
	if (fclose(f))
		ret = zsr_err_nomem(l->err, "mail");
	free(bytes);
	return ret;
}

/* ---- what fits -------------------------------------------------------------- */

/* 1 when the trace, changed so, fits and the mail is written; 0 when not. */
static int try_change(struct mail *l, const struct args *a)
{
	struct zsr_making *m = &l->m;
	int ret;

	zsr_progress_at(&l->progress, ++l->nr_tries);
	zsr_making_undo(m);
	l->nr_effects = 0;
	ret = zsr_making_change(m, a->name ? a->name : m->trace.name, l->err);
	if (!ret)
		ret = zsr_making_pack(m, l->err);
	if (ret || zsr_armour_size(m->bytes) > l->budget)
		return ret;
	ret = zsr_making_describe(m, a->licence, l->err);
	if (!ret)
		ret = zsr_making_results(m, on_effect, l, l->err);
	if (!ret)
		ret = zsr_making_pack(m, l->err);
	if (!ret && !a->raw)
		ret = zsr_making_check(m, "mail", l->err);
	if (!ret && zsr_armour_size(m->bytes) <= l->budget)
		ret = write_mail(l);
	else if (!ret)
		return 0;
	return ret ? ret : l->len <= l->budget;
}

/* Keep NR objects of all, evenly. */
static void keep_some(struct mail *l, uint64_t nr)
{
	uint64_t all = l->m.trace.nr_objects, i;

	for (i = 0; i < all; i++)
		l->keep[i] = zsr_mul_div(i + 1, nr, all) >
			     zsr_mul_div(i, nr, all);
}

/* The most objects that fit, to a percent of what there are. */
static int drop_objects(struct mail *l, const struct args *a)
{
	uint64_t fits = 0, all = l->m.trace.nr_objects, too_many = all, nr;
	int ret = 0;

	l->keep = calloc(all + 1, sizeof(*l->keep));
	if (!l->keep)
		return zsr_err_nomem(l->err, "objects");
	l->m.change.keep = l->keep;
	while (too_many - fits > all / 100 + 1) {
		nr = fits + (too_many - fits) / 2;
		keep_some(l, nr);
		ret = try_change(l, a);
		if (ret < 0)
			return ret;
		if (ret)
			fits = nr;
		else
			too_many = nr;
	}
	if (!fits)
		return zsr_err_usage(l->err, "--budget: nothing of it fits");
	/* The last that was tried may not be the one that fits. */
	if (ret)
		return 1;
	keep_some(l, fits);
	return try_change(l, a);
}

static int fit(struct mail *l, const struct args *a)
{
	size_t i;
	int ret = 0;

	for (i = 0; i < ZSR_ARRAY_SIZE(levels) && !ret; i++) {
		l->m.change = (struct zsr_change){
			.anonymise = !a->raw,
			.size_class = levels[i].size_class,
			.quantise_ns = levels[i].quantise_ns,
			.even_ns = levels[i].even_ns,
			.no_durations = levels[i].no_durations,
		};
		/* Nothing is lost by dropping what is not there. */
		if (levels[i].no_durations && !l->m.trace.has_dur && i &&
		    !levels[i].even_ns &&
		    levels[i].quantise_ns == levels[i - 1].quantise_ns)
			continue;
		ret = try_change(l, a);
	}
	return ret ? ret : drop_objects(l, a);
}

static int send(struct mail *l, const struct args *a)
{
	struct zsr_outfile out;
	int ret = zsr_outfile_open(&out, a->output ? a->output : "-", l->err);

	if (ret)
		return ret;
	fwrite(l->text, l->len, 1, out.f);
	return zsr_outfile_close(&out, l->err);
}

/* The same where one sees it when the mail goes to a file. */
static void say(const struct mail *l, const struct args *a)
{
	fprintf(stderr, "%s: %zu bytes of %" PRIu64 "\n", a->output, l->len,
		l->budget);
	say_dropped(stderr, l);
	say_effects(stderr, l);
}

static int mail(const struct args *a, const char *trace, struct zsr_err *err)
{
	struct mail l = { .err = err };
	int ret = a->name ? zsr_cmd_check_name(a->name, err) : 0;

	if (!ret)
		ret = zsr_parse_size(a->budget ? a->budget : BUDGET, &l.budget,
				     err);
	if (!ret)
		ret = zsr_cmd_open_db(&l.m.db, "mail", a->db,
				      zsr_cmd_trace_flags(trace), err);
	if (!ret)
		ret = zsr_cmd_trace(l.m.db, trace, &l.m.trace, err);
	if (!ret)
		ret = zsr_making_default_runs(&l.m, err);
	zsr_progress_start(&l.progress, "mail", "tries", 0);
	if (!ret)
		ret = fit(&l, a);
	zsr_progress_finish(&l.progress);
	if (ret > 0)
		ret = send(&l, a);
	if (!ret && a->output && strcmp(a->output, "-"))
		say(&l, a);
	zsr_making_free(&l.m);
	free(l.keep);
	free(l.text);
	return ret;
}

int zsr_cmd_mail(int argc, const char **argv)
{
	struct args a = { 0 };
	const struct poptOption table[] = {
		{ "database", 'd', POPT_ARG_STRING, &a.db, 0,
		  "the database (default $ZSR_DB, else ./zsr.db)", "DB" },
		{ "budget", 'b', POPT_ARG_STRING, &a.budget, 0,
		  "how long the mail may be (" BUDGET ")", "SIZE" },
		{ "output", 'o', POPT_ARG_STRING, &a.output, 0,
		  "where to (default: standard output)", "FILE" },
		{ "name", 'n', POPT_ARG_STRING, &a.name, 0,
		  "the trace's name in the mail (default: its own)", "NAME" },
		{ "licence", 0, POPT_ARG_STRING, &a.licence, 0,
		  "SPDX identifier of its licence (CC0-1.0)", "ID" },
		{ "raw", 0, POPT_ARG_NONE, &a.raw, 0,
		  "names, PIDs, marks and facts as they are", NULL },
		POPT_TABLEEND
	};
	struct zsr_err err = { 0 };
	struct zsr_options o;
	int ret;

	ret = zsr_options_parse(&o, argc, argv, table, "mail TRACE [OPTION...]",
				&err);
	if (ret)
		return ret > 0 ? ZSR_EXIT_OK : zsr_cmd_fail("mail", &err);
	ret = o.nr_rest == 1 ? mail(&a, o.rest[0], &err)
			     : zsr_err_usage(&err, "which TRACE? (one)");
	zsr_options_free(&o);
	free(a.db);
	free(a.budget);
	free(a.output);
	free(a.name);
	free(a.licence);
	return ret ? zsr_cmd_fail("mail", &err) : ZSR_EXIT_OK;
}
