// SPDX-License-Identifier: GPL-2.0-only
/* zsr info: what is in a trace. Counting is in survey.c. */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/durations.h"
#include "cmd/survey.h"

#define BAR_WIDTH   40
#define MAX_TASKS   10 /* rows on a terminal; --json has all */
#define MAX_CLASSES 12
#define MAX_MARKS   20

/* ---- text ------------------------------------------------------------------- */

static void print_facts(const struct zsr_trace *t)
{
	char time[ZSR_FMT_LEN], events[ZSR_FMT_LEN];
	uint32_t f = t->fact_flags;

	printf("%s\n", t->name);
	printf("  kernel       %s%s, locks as in %s\n", t->kernel,
	       f & ZSR_INFERRED_KERNEL ? " (assumed)"
	       : f & ZSR_GIVEN_KERNEL  ? " (given)"
				       : "",
	       t->lock_gen);
	printf("  pages        %u KiB%s, chains of up to %u%s\n",
	       t->page_size / 1024,
	       f & ZSR_INFERRED_PAGE_SIZE ? " (inferred)"
	       : f & ZSR_GIVEN_PAGE_SIZE  ? " (given)"
					  : "",
	       t->chain_size,
	       f & ZSR_INFERRED_CHAIN_SIZE ? " (the release's default)"
	       : f & ZSR_GIVEN_CHAIN_SIZE  ? " (given)"
					   : "");
	printf("  capture      %s, clock %s, %s times%s\n", t->format, t->clock,
	       zsr_times_name(t->times), t->has_dur ? "" : ", no durations");
	printf("  pool         %s\n",
	       t->from_empty
		       ? "seen from empty"
		       : "not seen from empty: page totals do not compare");
	printf("  events       %s in %s: %" PRIu64 " mallocs, %" PRIu64
	       " frees\n",
	       zsr_fmt_count(events, t->nr_events),
	       zsr_fmt_ns(time, t->duration_ns), t->nr_mallocs, t->nr_frees);
	printf("  digest       %s\n", t->digest);
}

static void print_odd(const struct zsr_survey *s)
{
	char count[ZSR_FMT_LEN];
	bool any = false;
	unsigned i;

	puts("\nlost, odd or repaired");
	/* The first count is that of the records. */
	for (i = 1; i < ZSR_NR_ODD; i++) {
		if (!s->odd[i])
			continue;
		printf("  %12s %s\n", zsr_fmt_count(count, s->odd[i]),
		       zsr_odd_texts[i].text);
		any = true;
	}
	if (!any)
		puts("  nothing");
}

/* "  1024   123456 ██████" for each row. */
static void print_bars(const char *head, char (*label)[ZSR_FMT_LEN],
		       const uint64_t *count, unsigned nr)
{
	char text[ZSR_FMT_LEN];
	uint64_t max = 0;
	unsigned i;

	puts(head);
	for (i = 0; i < nr; i++)
		max = zsr_max(max, count[i]);
	for (i = 0; i < nr; i++) {
		printf("  %-14s %12s%s", label[i],
		       zsr_fmt_count(text, count[i]), count[i] ? " " : "");
		zsr_print_bar(stdout, count[i], max, BAR_WIDTH);
		putchar('\n');
	}
}

static void print_sizes(const struct zsr_trace *t, const struct zsr_survey *s)
{
	char label[ZSR_SURVEY_SIZES + 1][ZSR_FMT_LEN];
	unsigned i, step = t->page_size / ZSR_SURVEY_SIZES;

	for (i = 0; i < ZSR_SURVEY_SIZES; i++)
		snprintf(label[i], ZSR_FMT_LEN, "%u-%u", i * step + 1,
			 (i + 1) * step);
	print_bars("\nmallocs by size, bytes", label, s->sizes,
		   ZSR_SURVEY_SIZES);
}

static void print_classes(const struct zsr_survey *s)
{
	char label[MAX_CLASSES][ZSR_FMT_LEN];
	uint64_t count[MAX_CLASSES];
	unsigned i, nr = zsr_min(s->nr_classes, (size_t)MAX_CLASSES);
	char head[80];

	for (i = 0; i < nr; i++) {
		snprintf(label[i], ZSR_FMT_LEN, "%u (%u/%u)", s->classes[i].size,
			 s->classes[i].objs, s->classes[i].pages);
		count[i] = s->classes[i].mallocs;
	}
	snprintf(head, sizeof(head),
		 "\nsize classes used: %zu of %zu; the most used, "
		 "(objects/pages a zspage)",
		 s->nr_classes, s->nr_all_classes);
	print_bars(head, label, count, nr);
}

static void print_lives(const struct zsr_survey *s)
{
	char label[ZSR_SURVEY_LIVES][ZSR_FMT_LEN];
	unsigned first = 0, last = ZSR_SURVEY_LIVES, i;

	while (last && !s->lives[last - 1])
		last--;
	while (first < last && !s->lives[first])
		first++;
	for (i = first; i < last; i++) {
		char to[ZSR_FMT_LEN];

		snprintf(label[i], ZSR_FMT_LEN, "< %.29s",
			 zsr_fmt_ns(to, zsr_survey_life(i + 1)));
	}
	print_bars("\nlifetimes of freed objects", label + first,
		   s->lives + first, last - first);
}

static void print_calls(const struct zsr_survey *s)
{
	unsigned i, calling = 0;

	puts("\n  cpu        mallocs        frees");
	for (i = 0; i < s->nr_cpus; i++)
		if (s->cpus[i].mallocs || s->cpus[i].frees)
			printf("  %3u   %12" PRIu64 " %12" PRIu64 "\n", i,
			       s->cpus[i].mallocs, s->cpus[i].frees);
	puts("\n     pid task                  mallocs        frees");
	for (i = 0; i < s->nr_tasks; i++) {
		const struct zsr_survey_task *k = &s->tasks[i];

		/* Busiest first: from here on none calls. */
		if (!k->calls.mallocs && !k->calls.frees)
			break;
		if (++calling > MAX_TASKS)
			continue;
		printf("  %6d %-16s %12" PRIu64 " %12" PRIu64 "\n", k->pid,
		       k->comm[0] ? k->comm : "?", k->calls.mallocs,
		       k->calls.frees);
	}
	if (calling > MAX_TASKS)
		printf("  and %u more\n", calling - MAX_TASKS);
}

static void print_marks(const struct zsr_survey *s)
{
	char time[ZSR_FMT_LEN];
	size_t i;

	if (!s->nr_marks)
		return;
	puts("\nmarks");
	for (i = 0; i < s->nr_marks && i < MAX_MARKS; i++)
		printf("  %10s  %.60s\n", zsr_fmt_ns(time, s->marks[i].t_ns),
		       s->marks[i].text ? s->marks[i].text : "?");
	if (i < s->nr_marks)
		printf("  and %zu more\n", s->nr_marks - i);
}

static void print_text(const struct zsr_trace *t, const struct zsr_survey *s,
		       const struct zsr_durations *d)
{
	print_facts(t);
	print_odd(s);
	zsr_durations_print(d);
	/* Nothing was allocated in a trace of durations only. */
	if (t->nr_mallocs) {
		print_sizes(t, s);
		print_classes(s);
		print_lives(s);
	}
	print_calls(s);
	print_marks(s);
}

/* ---- JSON ------------------------------------------------------------------- */

static json_t *number(uint64_t v)
{
	return json_integer((json_int_t)v);
}

static json_t *sizes_json(const struct zsr_trace *t, const struct zsr_survey *s)
{
	json_t *a = json_array();
	unsigned i, step = t->page_size / ZSR_SURVEY_SIZES;

	for (i = 0; i < ZSR_SURVEY_SIZES; i++)
		json_array_append_new(a, json_pack("{s:i, s:i, s:o}", "from",
						   (int)(i * step + 1), "to",
						   (int)((i + 1) * step),
						   "mallocs",
						   number(s->sizes[i])));
	return a;
}

static json_t *classes_json(const struct zsr_survey *s)
{
	json_t *a = json_array();
	size_t i;

	for (i = 0; i < s->nr_classes; i++)
		json_array_append_new(
			a, json_pack("{s:i, s:i, s:i, s:o}", "size",
				     (int)s->classes[i].size, "objects",
				     (int)s->classes[i].objs, "pages",
				     (int)s->classes[i].pages, "mallocs",
				     number(s->classes[i].mallocs)));
	return a;
}

static json_t *lives_json(const struct zsr_survey *s)
{
	json_t *a = json_array();
	unsigned i;

	for (i = 0; i < ZSR_SURVEY_LIVES; i++)
		if (s->lives[i])
			json_array_append_new(
				a, json_pack("{s:o, s:o, s:o}", "from_ns",
					     number(zsr_survey_life(i)), "to_ns",
					     number(zsr_survey_life(i + 1)),
					     "objects", number(s->lives[i])));
	return a;
}

static json_t *calls_json(const struct zsr_survey *s)
{
	json_t *a = json_array();
	unsigned i;

	for (i = 0; i < s->nr_cpus; i++)
		json_array_append_new(
			a, json_pack("{s:i, s:o, s:o}", "cpu", (int)i,
				     "mallocs", number(s->cpus[i].mallocs),
				     "frees", number(s->cpus[i].frees)));
	return a;
}

static json_t *tasks_json(const struct zsr_survey *s)
{
	json_t *a = json_array();
	size_t i;

	for (i = 0; i < s->nr_tasks; i++)
		json_array_append_new(
			a, json_pack("{s:i, s:s, s:o, s:o}", "pid",
				     (int)s->tasks[i].pid, "comm",
				     s->tasks[i].comm, "mallocs",
				     number(s->tasks[i].calls.mallocs), "frees",
				     number(s->tasks[i].calls.frees)));
	return a;
}

static json_t *marks_json(const struct zsr_survey *s)
{
	json_t *a = json_array();
	size_t i;

	for (i = 0; i < s->nr_marks; i++)
		json_array_append_new(a, json_pack("{s:o, s:s?}", "t_ns",
						   number(s->marks[i].t_ns),
						   "text", s->marks[i].text));
	return a;
}

static int print_json(const struct zsr_trace *t, const struct zsr_survey *s,
		      const struct zsr_durations *d, struct zsr_err *err)
{
	json_t *all = zsr_trace_json(t), *odd = json_object();
	unsigned i;
	int bad;

	for (i = 0; i < ZSR_NR_ODD; i++)
		json_object_set_new(odd, zsr_odd_texts[i].name,
				    number(s->odd[i]));
	/* A NULL value, memory being out, makes each of these fail. */
	bad = json_object_set_new(all, "found", odd) |
	      json_object_set_new(all, "sizes", sizes_json(t, s)) |
	      json_object_set_new(all, "classes_used", classes_json(s)) |
	      json_object_set_new(all, "lifetimes", lives_json(s)) |
	      json_object_set_new(all, "durations", zsr_durations_json(d)) |
	      json_object_set_new(all, "by_cpu", calls_json(s)) |
	      json_object_set_new(all, "by_task", tasks_json(s)) |
	      json_object_set_new(all, "marks", marks_json(s));
	if (!bad && !json_dumpf(all, stdout, JSON_INDENT(1)))
		putchar('\n');
	json_decref(all);
	return bad ? zsr_err_nomem(err, "JSON") : 0;
}

/* ---- the command --------------------------------------------------------------- */

static int info(struct zsr_db *db, const char *arg, bool json,
		struct zsr_err *err)
{
	struct zsr_durations durations;
	struct zsr_survey survey;
	struct zsr_trace t;
	int ret = zsr_cmd_trace(db, arg, &t, err);

	if (!ret)
		ret = zsr_durations_of(db, &t, &durations, err);
	if (!ret)
		ret = zsr_survey_trace(db, &t, &survey, err);
	if (ret)
		return ret;
	if (json)
		ret = print_json(&t, &survey, &durations, err);
	else
		print_text(&t, &survey, &durations);
	zsr_survey_free(&survey);
	return ret ? ret : zsr_cmd_flush(err);
}

int zsr_cmd_info(int argc, const char **argv)
{
	char *db_option = NULL;
	int json = 0;
	const struct poptOption table[] = {
		{ "database", 'd', POPT_ARG_STRING, &db_option, 0,
		  "the database (default $ZSR_DB, else ./zsr.db)", "DB" },
		{ "json", 0, POPT_ARG_NONE, &json, 0, "everything as JSON",
		  NULL },
		POPT_TABLEEND
	};
	struct zsr_err err = { 0 };
	struct zsr_options o;
	struct zsr_db *db = NULL;
	int ret;

	ret = zsr_options_parse(&o, argc, argv, table, "info TRACE [OPTION...]",
				&err);
	if (ret)
		return ret > 0 ? ZSR_EXIT_OK : zsr_cmd_fail("info", &err);
	if (o.nr_rest != 1)
		ret = zsr_err_usage(&err, "which TRACE?");
	if (!ret)
		ret = zsr_cmd_open_db(
			&db, "info", db_option,
			zsr_cmd_trace_flags(o.rest[0]) ?: ZSR_DB_READONLY, &err);
	if (!ret)
		ret = info(db, o.rest[0], json, &err);
	zsr_db_close(db);
	zsr_options_free(&o);
	free(db_option);
	return ret ? zsr_cmd_fail("info", &err) : ZSR_EXIT_OK;
}
