// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs on the host come in rounds: `zsr replay --clock host --repeat N` makes N
 * of each policy. A column stands for all of a policy's, with the run whose
 * caller time is the median, and is held against its base by the rounds that
 * both were in. Only rounds in which the order was drawn can be tested: see
 * paired.c. Sessions are told apart by the machine's description, which says
 * when they began.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/rounds.h"

#define DRAWN "\norder = drawn"

static bool same_text(const char *a, const char *b)
{
	return !strcmp(a ? a : "", b ? b : "");
}

/* The same policy under the same settings; the round may be another one. */
static bool same_series(const struct zsr_run *a, const struct zsr_run *b)
{
	return !strcmp(a->policy, b->policy) &&
	       same_text(a->params, b->params) &&
	       !strcmp(a->profile, b->profile) &&
	       !strcmp(a->arrival, b->arrival) && !strcmp(a->gaps, b->gaps) &&
	       !strcmp(a->outer_lock, b->outer_lock) &&
	       !strcmp(a->conditions, b->conditions) &&
	       !strcmp(a->engine, b->engine) && a->cpus == b->cpus;
}

static int by_caller(const void *a, const void *b)
{
	const struct zsr_run *x = *(const struct zsr_run *const *)a;
	const struct zsr_run *y = *(const struct zsr_run *const *)b;

	if (x->v.caller_mean_ns != y->v.caller_mean_ns)
		return x->v.caller_mean_ns < y->v.caller_mean_ns ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

int zsr_rounds_merge(const struct zsr_run **run, size_t *nr,
		     struct zsr_rounds **out)
{
	struct zsr_rounds *rounds = calloc(*nr, sizeof(*rounds)), *r;
	size_t i, k, kept = 0;

	*out = rounds;
	if (!rounds)
		return -ENOMEM;
	for (i = 0; i < *nr; i++) {
		for (k = 0; k < kept; k++)
			if (same_series(rounds[k].run[0], run[i]))
				break;
		r = &rounds[k];
		kept += k == kept;
		if (zsr_grow(&r->run, &r->cap, r->nr + 1, sizeof(*r->run))) {
			*nr = kept;
			return -ENOMEM;
		}
		r->run[r->nr++] = run[i];
	}
	*nr = kept;
	for (k = 0; k < kept; k++) {
		qsort(rounds[k].run, rounds[k].nr, sizeof(*rounds[k].run),
		      by_caller);
		run[k] = rounds[k].run[(rounds[k].nr - 1) / 2];
	}
	return 0;
}

void zsr_rounds_free(struct zsr_rounds *r, size_t nr)
{
	size_t i;

	for (i = 0; r && i < nr; i++)
		free(r[i].run);
	free(r);
}

/* ---- tests ---------------------------------------------------------------- */

static const struct zsr_run *in_round(const struct zsr_rounds *r,
				      const struct zsr_run *of)
{
	size_t i;

	for (i = 0; i < r->nr; i++)
		if (r->run[i]->seed == of->seed &&
		    same_text(r->run[i]->profile_text, of->profile_text))
			return r->run[i];
	return NULL;
}

static double difference(uint64_t x, uint64_t y)
{
	return log((double)zsr_max(x, 1)) - log((double)zsr_max(y, 1));
}

static uint64_t total_cpu(const struct zsr_run *run)
{
	uint64_t value[NR_VALUES];

	zsr_values_fill(run, value);
	return value[VAL_cpu_total_ns];
}

static int test(struct zsr_tested *t, const struct zsr_rounds *r,
		const struct zsr_rounds *base)
{
	double *d = calloc(2 * r->nr, sizeof(*d));
	const struct zsr_run *twin;
	size_t i, n = 0;
	int ret = 0;

	if (!d)
		return -ENOMEM;
	for (i = 0; i < r->nr; i++) {
		if (!strstr(r->run[i]->profile_text ?: "", DRAWN))
			continue;
		twin = in_round(base, r->run[i]);
		if (!twin)
			continue;
		d[n] = difference(r->run[i]->v.caller_mean_ns,
				  twin->v.caller_mean_ns);
		d[r->nr + n++] = difference(total_cpu(r->run[i]),
					    total_cpu(twin));
	}
	t->nr_rounds = n;
	if (n)
		ret = zsr_paired_test(d, n, ZSR_TEST_LEVEL, &t->caller);
	if (n && !ret)
		ret = zsr_paired_test(d + r->nr, n, ZSR_TEST_LEVEL, &t->cpu);
	free(d);
	return ret;
}

struct one {
	double p;
	bool *differs;
};

static int by_chance(const void *a, const void *b)
{
	const struct one *x = a, *y = b;

	return (x->p > y->p) - (x->p < y->p);
}

/* All tests of a table together (Holm, Scandinavian Journal of Statistics 6,
 * 1979): the level is the chance that any of them finds what is not there. */
static int decide(struct zsr_compare *c)
{
	struct one *all = calloc(2 * c->nr_cols, sizeof(*all));
	size_t i, nr = 0;

	if (!all)
		return -ENOMEM;
	for (i = 0; i < c->nr_cols; i++) {
		struct zsr_tested *t = &c->col[i].tested;

		if (!t->nr_rounds)
			continue;
		all[nr++] = (struct one){ t->caller.p, &t->caller_differs };
		all[nr++] = (struct one){ t->cpu.p, &t->cpu_differs };
	}
	qsort(all, nr, sizeof(*all), by_chance);
	for (i = 0; i < nr; i++) {
		if (all[i].p > ZSR_TEST_LEVEL / (double)(nr - i))
			break;
		*all[i].differs = true;
	}
	free(all);
	c->nr_tests = nr;
	return 0;
}

int zsr_rounds_test(struct zsr_compare *c, const struct zsr_rounds *r)
{
	size_t i, base;

	for (i = 0; i < c->nr_cols; i++) {
		c->col[i].tested.nr_runs = r[i].nr;
		c->col[i].seed = 0; /* the round of one among them */
		base = c->col[i].base;
		if (base != i && test(&c->col[i].tested, &r[i], &r[base]))
			return -ENOMEM;
	}
	return decide(c);
}

/* ---- in words ---------------------------------------------------------------- */

/* "+1.2 %" of the logarithm of a ratio. */
static const char *percent(char buf[ZSR_FMT_LEN], double log_ratio)
{
	double v = expm1(log_ratio) * 100;

	if (isinf(log_ratio))
		snprintf(buf, ZSR_FMT_LEN, "%s", v > 0 ? "any" : "none");
	else
		snprintf(buf, ZSR_FMT_LEN, "%+.*f %%", fabs(v) < 9.95 ? 2 : 1,
			 v);
	return buf;
}

static void say(FILE *f, const char *what, const struct zsr_shift *e,
		bool differs)
{
	char mid[ZSR_FMT_LEN], low[ZSR_FMT_LEN], high[ZSR_FMT_LEN];

	fprintf(f, "%s %s (%s to %s), %s", what, percent(mid, e->mid),
		percent(low, e->low), percent(high, e->high),
		differs ? "a difference" : "no difference shown");
}

static int add_note(struct zsr_compare *c, const struct zsr_column *col)
{
	const struct zsr_tested *t = &col->tested;
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	int ret;

	if (!f)
		return -ENOMEM;
	fprintf(f, "%s against %s in %zu rounds: ", col->label,
		c->col[col->base].label, t->nr_rounds);
	say(f, "caller time", &t->caller, t->caller_differs);
	say(f, "; total CPU", &t->cpu, t->cpu_differs);
	fputs(".", f);
	ret = fclose(f) ? -ENOMEM : zsr_lines_add(&c->notes, "%s", text);
	free(text);
	return ret;
}

static int add_method(struct zsr_compare *c, size_t most_runs)
{
	if (!c->nr_tests)
		return zsr_lines_add(
			&c->notes,
			"Nothing tells whether these differences are more than "
			"the machine's noise: --interleave with --repeat 20 "
			"would.");
	if (most_runs > 1 &&
	    zsr_lines_add(&c->notes, "A column is the run with the median "
				     "caller time of all rounds."))
		return -ENOMEM;
	return zsr_lines_add(
		&c->notes,
		"Differences by rounds: signed-rank test, its order drawn in "
		"each round; 95 %% intervals; the chance that any of the %zu "
		"tests finds a difference where there is none is at most "
		"5 %%.",
		c->nr_tests);
}

static int add_too_few(struct zsr_compare *c)
{
	size_t i, need = 1;

	for (i = 0; i < c->nr_cols; i++)
		if (c->col[i].tested.nr_rounds &&
		    zsr_paired_least(c->col[i].tested.nr_rounds) <=
			    ZSR_TEST_LEVEL / (double)c->nr_tests)
			return 0;
	while (zsr_paired_least(need) > ZSR_TEST_LEVEL / (double)c->nr_tests)
		need++;
	return zsr_lines_add(&c->notes,
			     "So few rounds show no difference, however large: "
			     "%zu are needed.",
			     need);
}

int zsr_rounds_notes(struct zsr_compare *c)
{
	size_t i, most = 0;

	if (strcmp(c->clock, "host") || c->nr_cols < 2)
		return 0;
	for (i = 0; i < c->nr_cols; i++) {
		most = zsr_max(most, c->col[i].tested.nr_runs);
		if (c->col[i].tested.nr_rounds && add_note(c, &c->col[i]))
			return -ENOMEM;
	}
	if (add_method(c, most))
		return -ENOMEM;
	return c->nr_tests ? add_too_few(c) : 0;
}
