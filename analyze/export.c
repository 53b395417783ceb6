// SPDX-License-Identifier: GPL-2.0-only
/* Comparisons for programs: JSON and CSV with the stored integers. */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/values.h"

/* JSON integers of this library are signed; the rest keeps its digits. */
static json_t *integer(uint64_t v)
{
	char buf[24];

	if (v <= INT64_MAX)
		return json_integer((json_int_t)v);
	snprintf(buf, sizeof(buf), "%" PRIu64, v);
	return json_string(buf);
}

static json_t *run_json(const struct zsr_compare *c,
			const struct zsr_column *col)
{
	json_t *o = json_object();
	size_t i;
	int bad = 0;

	if (!o)
		return NULL;
	bad |= json_object_set_new(o, "run", json_integer(col->id));
	bad |= json_object_set_new(o, "label", json_string(col->label));
	bad |= json_object_set_new(o, "trace", json_string(c->trace));
	bad |= json_object_set_new(o, "trace_digest",
				   json_string(c->trace_digest));
	bad |= json_object_set_new(o, "kernel", json_string(c->kernel));
	bad |= json_object_set_new(o, "page_size", json_integer(c->page_size));
	bad |= json_object_set_new(o, "policy", json_string(col->policy));
	bad |= json_object_set_new(o, "params", json_string(col->params));
	bad |= json_object_set_new(o, "clock", json_string(c->clock));
	bad |= json_object_set_new(o, "profile", json_string(col->profile));
	bad |= json_object_set_new(o, "arrival", json_string(col->arrival));
	bad |= json_object_set_new(o, "gaps", json_string(col->gaps));
	bad |= json_object_set_new(o, "outer_lock",
				   json_string(col->outer_lock));
	bad |= json_object_set_new(o, "conditions",
				   json_string(col->conditions));
	bad |= json_object_set_new(o, "engine", json_string(col->engine));
	bad |= json_object_set_new(o, "cpus", json_integer(col->cpus));
	bad |= json_object_set_new(o, "seed", integer(col->seed));
	bad |= json_object_set_new(o, "result_digest", json_string(col->digest));
	for (i = 0; i < NR_VALUES; i++)
		bad |= json_object_set_new(o, zsr_value_info(i)->name,
					   zsr_value_is_never(i, col->value[i])
						   ? json_null()
						   : integer(col->value[i]));
	if (bad) {
		json_decref(o);
		return NULL;
	}
	return o;
}

int zsr_analysis_json(const struct zsr_analysis *a, char **text,
		      struct zsr_err *err)
{
	json_t *root = json_object(), *runs = json_array();
	size_t i, k;
	int bad = 0;

	*text = NULL;
	for (i = 0; i < a->nr; i++)
		for (k = 0; k < a->cmp[i].nr_cols; k++)
			bad |= json_array_append_new(
				runs, run_json(&a->cmp[i], &a->cmp[i].col[k]));
	bad |= json_object_set_new(root, "zsr", json_string(ZSR_VERSION));
	bad |= json_object_set_new(root, "runs", runs);
	if (!bad)
		*text = json_dumps(root, JSON_INDENT(2));
	json_decref(root);
	return *text ? 0 : zsr_err_nomem(err, "JSON");
}

/* Quoted when it has to be. */
static void csv_text(FILE *f, const char *s)
{
	if (!s[strcspn(s, ",\"\n\r")]) {
		fputs(s, f);
		return;
	}
	fputc('"', f);
	for (; *s; s++) {
		if (*s == '"')
			fputc('"', f);
		fputc(*s, f);
	}
	fputc('"', f);
}

static void csv_run(FILE *f, const struct zsr_compare *c,
		    const struct zsr_column *col)
{
	const char *texts[] = { col->label,  c->trace,        c->trace_digest,
				c->kernel,   col->policy,     col->params,
				c->clock,    col->profile,    col->arrival,
				col->gaps,   col->outer_lock, col->conditions,
				col->engine, col->digest };
	size_t i;

	fprintf(f, "%" PRId64, col->id);
	for (i = 0; i < ZSR_ARRAY_SIZE(texts); i++) {
		fputc(',', f);
		csv_text(f, texts[i]);
	}
	fprintf(f, ",%" PRIu32 ",%" PRIu32 ",%" PRIu64, c->page_size, col->cpus,
		col->seed);
	for (i = 0; i < NR_VALUES; i++) {
		fputc(',', f);
		if (!zsr_value_is_never(i, col->value[i]))
			fprintf(f, "%" PRIu64, col->value[i]);
	}
	fputc('\n', f);
}

int zsr_analysis_csv(const struct zsr_analysis *a, char **text,
		     struct zsr_err *err)
{
	size_t i, k, size;
	FILE *f;

	*text = NULL;
	f = open_memstream(text, &size);
	if (!f)
		return zsr_err_nomem(err, "CSV");
	fputs("run,label,trace,trace_digest,kernel,policy,params,clock,profile,"
	      "arrival,gaps,outer_lock,conditions,engine,result_digest,page_"
	      "size,cpus,"
	      "seed",
	      f);
	for (i = 0; i < NR_VALUES; i++)
		fprintf(f, ",%s", zsr_value_info(i)->name);
	fputc('\n', f);
	for (i = 0; i < a->nr; i++)
		for (k = 0; k < a->cmp[i].nr_cols; k++)
			csv_run(f, &a->cmp[i], &a->cmp[i].col[k]);
	if (fclose(f)) {
		free(*text);
		*text = NULL;
		return zsr_err_nomem(err, "CSV");
	}
	return 0;
}
