// SPDX-License-Identifier: GPL-2.0-only
/* From runs to comparisons: who may stand beside whom, and in what order. */
#include <stdlib.h>
#include <string.h>

#include "analyze/rounds.h"

static const char *text_or(const char *s)
{
	return s ? s : "";
}

static bool comparable(const struct zsr_run *a, const struct zsr_run *b)
{
	return !strcmp(a->trace_digest, b->trace_digest) &&
	       !strcmp(a->clock, b->clock) && a->page_size == b->page_size;
}

/* The same question with the same answer. */
static bool repeats(const struct zsr_run *a, const struct zsr_run *b)
{
	return comparable(a, b) && !strcmp(a->policy, b->policy) &&
	       !strcmp(a->digest, b->digest) &&
	       !strcmp(a->profile, b->profile) &&
	       !strcmp(text_or(a->profile_text), text_or(b->profile_text)) &&
	       !strcmp(text_or(a->params), text_or(b->params)) &&
	       !strcmp(a->arrival, b->arrival) && !strcmp(a->gaps, b->gaps) &&
	       !strcmp(a->outer_lock, b->outer_lock) &&
	       !strcmp(a->conditions, b->conditions) &&
	       !strcmp(a->engine, b->engine) && a->cpus == b->cpus &&
	       a->seed == b->seed;
}

/* A digest as stored, whatever is stored. */
static void copy_digest(char out[ZSR_SHA_HEX], const char *in)
{
	size_t i;

	for (i = 0; i + 1 < ZSR_SHA_HEX && in[i]; i++)
		out[i] = in[i] > ' ' && in[i] < 0x7f ? in[i] : '?';
	out[i] = '\0';
}

static int split_lines(struct zsr_lines *l, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");
		char *raw = strndup(text, n),
		     *line = raw ? zsr_clean(raw) : NULL;
		int ret = line ? zsr_lines_add(l, "%s", line) : -ENOMEM;

		free(raw);
		free(line);
		if (ret)
			return ret;
		text += n + (text[n] == '\n');
	}
	return 0;
}

static int column_fill(struct zsr_column *c, const struct zsr_run *run)
{
	c->id = run->id;
	c->policy = zsr_clean(run->policy);
	c->params = zsr_clean(text_or(run->params));
	c->profile = zsr_clean(run->profile);
	c->arrival = zsr_clean(run->arrival);
	c->gaps = zsr_clean(run->gaps);
	c->outer_lock = zsr_clean(run->outer_lock);
	c->conditions = zsr_clean(run->conditions);
	c->engine = zsr_clean(run->engine);
	c->cpus = run->cpus;
	c->seed = run->seed;
	copy_digest(c->digest, run->digest);
	c->value = calloc(NR_VALUES, sizeof(*c->value));
	if (!c->policy || !c->params || !c->profile || !c->arrival || !c->gaps ||
	    !c->outer_lock || !c->conditions || !c->engine || !c->value ||
	    split_lines(&c->profile_text, text_or(run->profile_text)))
		return -ENOMEM;
	zsr_values_fill(run, c->value);
	return zsr_latency_build(&c->latency, run->hist[ZSR_HIST_release]);
}

/* Column 0 is what the others are held against: the first `sync`; those under
 * another load, or on other CPUs, against that policy's run there. */
static void base_first(const struct zsr_run **run, size_t nr)
{
	const struct zsr_run *base;
	size_t i;

	for (i = 0; i < nr && strcmp(run[i]->policy, "sync"); i++)
		;
	if (i == nr)
		return;
	base = run[i];
	memmove(run + 1, run, i * sizeof(*run));
	run[0] = base;
}

static bool same_scene(const struct zsr_column *a, const struct zsr_column *b)
{
	return a->cpus == b->cpus && !strcmp(a->conditions, b->conditions) &&
	       !strcmp(a->profile, b->profile) &&
	       !strcmp(a->arrival, b->arrival) && !strcmp(a->gaps, b->gaps) &&
	       !strcmp(a->outer_lock, b->outer_lock);
}

static void bases_find(struct zsr_compare *c)
{
	size_t i, k;

	for (i = 0; i < c->nr_cols; i++) {
		for (k = 0; k < c->nr_cols; k++)
			if (!strcmp(c->col[k].policy, c->col[0].policy) &&
			    same_scene(&c->col[k], &c->col[i]))
				break;
		c->col[i].base = k < c->nr_cols ? k : 0;
	}
}

static int figures_build(struct zsr_compare *c, const struct zsr_run **run,
			 const struct zsr_trace *trace,
			 const struct zsr_analyze_opts *opts,
			 struct zsr_err *err)
{
	size_t i;

	for (i = 0; i < c->nr_cols; i++)
		if (zsr_parts_build(&c->col[i], run[i]) ||
		    zsr_cpus_build(&c->col[i], run[i]) ||
		    zsr_locks_build(&c->col[i], run[i]))
			return -ENOMEM;
	if (zsr_timeline_build(c, run, opts) || zsr_maps_build(c, run) ||
	    zsr_fill_build(c, run) || zsr_sweeps_build(c, opts))
		return -ENOMEM;
	return zsr_fidelity_build(c, run, trace, opts, err);
}

static int columns_build(struct zsr_compare *c, const struct zsr_run **run,
			 size_t nr, const struct zsr_trace *trace,
			 const struct zsr_rounds *rounds,
			 const struct zsr_analyze_opts *opts,
			 struct zsr_err *err)
{
	size_t i;

	c->trace = zsr_clean(run[0]->trace_name);
	c->kernel = zsr_clean(trace ? trace->kernel : "");
	c->format = zsr_clean(trace ? trace->format : "");
	c->clock = zsr_clean(run[0]->clock);
	copy_digest(c->trace_digest, run[0]->trace_digest);
	c->page_size = run[0]->page_size;
	c->col = calloc(nr, sizeof(*c->col));
	if (!c->trace || !c->kernel || !c->format || !c->clock || !c->col)
		return -ENOMEM;
	for (i = 0; i < nr; i++) {
		c->nr_cols++;
		if (column_fill(&c->col[i], run[i]))
			return -ENOMEM;
	}
	bases_find(c);
	if ((rounds && zsr_rounds_test(c, rounds)) || zsr_label_columns(c) ||
	    zsr_rows_build(c) || zsr_facts_build(c, trace) ||
	    zsr_rounds_notes(c) || zsr_verdict_build(c))
		return -ENOMEM;
	return opts->nr_px ? figures_build(c, run, trace, opts, err) : 0;
}

static int compare_build(struct zsr_compare *c, const struct zsr_run **run,
			 size_t nr, const struct zsr_trace *trace,
			 const struct zsr_analyze_opts *opts,
			 struct zsr_err *err)
{
	struct zsr_rounds *rounds = NULL;
	int ret = 0;

	base_first(run, nr);
	if (!opts->every_run && !strcmp(run[0]->clock, "host"))
		ret = zsr_rounds_merge(run, &nr, &rounds);
	if (!ret)
		ret = columns_build(c, run, nr, trace, rounds, opts, err);
	zsr_rounds_free(rounds, nr);
	return ret;
}

/* Drop runs that a later one repeats; returns how many are left. */
static size_t drop_repeats(const struct zsr_run **run,
			   const struct zsr_trace **trace, size_t nr)
{
	size_t i, j, kept = 0;

	for (i = 0; i < nr; i++) {
		for (j = i + 1; j < nr && !repeats(run[i], run[j]); j++)
			;
		if (j < nr)
			continue;
		run[kept] = run[i];
		trace[kept++] = trace[i];
	}
	return kept;
}

/* Take the runs comparable with the first one out of the list. */
static int next_group(const struct zsr_run **run, const struct zsr_trace **trace,
		      size_t *nr, const struct zsr_analyze_opts *opts,
		      struct zsr_compare *c, struct zsr_err *err)
{
	const struct zsr_run **mine = calloc(*nr, sizeof(*mine));
	const struct zsr_run *first = run[0];
	const struct zsr_trace *t = trace[0];
	size_t i, nr_mine = 0, left = 0;
	int ret;

	if (!mine)
		return -ENOMEM;
	for (i = 0; i < *nr; i++) {
		if (comparable(first, run[i])) {
			mine[nr_mine++] = run[i];
			continue;
		}
		run[left] = run[i];
		trace[left++] = trace[i];
	}
	*nr = left;
	ret = compare_build(c, mine, nr_mine, t, opts, err);
	free(mine);
	return ret;
}

int zsr_analyze(const struct zsr_run *const *run,
		const struct zsr_trace *const *trace, size_t nr,
		const struct zsr_analyze_opts *opts, struct zsr_analysis *out,
		struct zsr_err *err)
{
	const struct zsr_trace **traces = calloc(nr + 1, sizeof(*traces));
	const struct zsr_run **runs = calloc(nr + 1, sizeof(*runs));
	int ret = -ENOMEM;

	*out = (struct zsr_analysis){ 0 };
	if (!nr) {
		ret = zsr_err_input(err, "no run to compare");
		goto out;
	}
	if (!traces || !runs)
		goto out;
	memcpy(runs, run, nr * sizeof(*runs));
	memcpy(traces, trace, nr * sizeof(*traces));
	if (opts->drop_repeats)
		nr = drop_repeats(runs, traces, nr);
	out->cmp = calloc(nr, sizeof(*out->cmp));
	if (!out->cmp)
		goto out;
	ret = 0;
	while (nr && !ret)
		ret = next_group(runs, traces, &nr, opts, &out->cmp[out->nr++],
				 err);
out:
	free(runs);
	free(traces);
	if (ret)
		zsr_analysis_free(out);
	return ret == -ENOMEM ? zsr_err_nomem(err, "comparing runs") : ret;
}

static void column_free(struct zsr_column *c)
{
	size_t i;

	free(c->label);
	free(c->policy);
	free(c->params);
	free(c->profile);
	zsr_lines_free(&c->profile_text);
	free(c->arrival);
	free(c->gaps);
	free(c->outer_lock);
	free(c->conditions);
	free(c->engine);
	free(c->value);
	for (i = 0; i < ZSR_MAX_WINDOWS; i++)
		free(c->panel[i].px);
	free(c->latency.pt);
	free(c->map.row);
	free(c->map.cell);
	free(c->filling.at);
	free(c->cpus_busy.share);
	free(c->part);
	free(c->lock);
}

static void truth_free(struct zsr_fidelity *f)
{
	size_t i;

	free(f->captured.pt);
	for (i = 0; i < f->nr_snaps; i++)
		free(f->snap[i].name);
	free(f->snap);
	free(f->curve);
	zsr_lines_free(&f->odd);
	zsr_lines_free(&f->stamp);
}

static void sweep_free(struct zsr_sweep *s)
{
	free(s->policy);
	free(s->param);
	free(s->col);
	free(s->x);
}

void zsr_analysis_free(struct zsr_analysis *a)
{
	size_t i, k;

	for (k = 0; k < a->nr; k++) {
		struct zsr_compare *c = &a->cmp[k];

		for (i = 0; i < c->nr_cols; i++)
			column_free(&c->col[i]);
		for (i = 0; i < c->nr_rows; i++)
			free(c->row[i].cell);
		for (i = 0; i < c->nr_sweeps; i++)
			sweep_free(&c->sweep[i]);
		truth_free(&c->truth);
		free(c->sweep);
		free(c->col);
		free(c->row);
		free(c->trace);
		free(c->kernel);
		free(c->format);
		free(c->clock);
		free(c->setting);
		free(c->ratio_label);
		free(c->fidelity);
		zsr_lines_free(&c->head);
		zsr_lines_free(&c->notes);
		zsr_lines_free(&c->verdict);
	}
	free(a->cmp);
	*a = (struct zsr_analysis){ 0 };
}
