// SPDX-License-Identifier: GPL-2.0-only
/* Runs that differ in one parameter, and the knee of what it does. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/values.h"

/* The parameter's value as a number; false when it is none. */
static bool number(const char *params, const char *name, size_t len,
		   uint64_t *value)
{
	const char *p = params;

	for (; *p; p += strcspn(p, " "), p += strspn(p, " ")) {
		char *end;

		if (strncmp(p, name, len) || p[len] != '=' ||
		    p[len + 1] < '0' || p[len + 1] > '9')
			continue;
		errno = 0;
		*value = strtoull(p + len + 1, &end, 10);
		return !errno && (!*end || *end == ' ');
	}
	return false;
}

/* Do these say the same but for the value of one name? */
static bool alike(const char *a, const char *b, const char *name, size_t len)
{
	while (*a && *b) {
		size_t n = strcspn(a, " "), m = strcspn(b, " ");
		bool skip = !strncmp(a, name, len) && a[len] == '=' &&
			    !strncmp(b, name, len) && b[len] == '=';

		if (!skip && (n != m || strncmp(a, b, n)))
			return false;
		a += n;
		b += m;
		a += strspn(a, " ");
		b += strspn(b, " ");
	}
	return !*a && !*b;
}

static bool same_setting(const struct zsr_column *a, const struct zsr_column *b)
{
	return !strcmp(a->policy, b->policy) &&
	       !strcmp(a->profile, b->profile) &&
	       !strcmp(a->arrival, b->arrival) && !strcmp(a->gaps, b->gaps) &&
	       !strcmp(a->outer_lock, b->outer_lock) &&
	       !strcmp(a->conditions, b->conditions) &&
	       !strcmp(a->engine, b->engine) && a->cpus == b->cpus &&
	       a->seed == b->seed;
}

static bool varies(const struct zsr_compare *c, const struct zsr_sweep *s,
		   size_t value)
{
	uint64_t lo = UINT64_MAX, hi = 0;
	size_t i;

	for (i = 0; i < s->nr; i++) {
		lo = zsr_min(lo, c->col[s->col[i]].value[value]);
		hi = zsr_max(hi, c->col[s->col[i]].value[value]);
	}
	return hi - lo > hi / 100;
}

static void find_knee(const struct zsr_compare *c, struct zsr_sweep *s)
{
	static const unsigned measures[] = { VAL_caller_mean_ns, VAL_fallbacks,
					     VAL_held_peak_bytes };
	bool logs = s->x[0] > 0;
	double x0, x1, y0, y1, best = 0.1;
	size_t i;

	s->knee = SIZE_MAX;
	for (i = 0; i < ZSR_ARRAY_SIZE(measures); i++) {
		s->value = measures[i];
		if (varies(c, s, s->value))
			break;
	}
	if (i == ZSR_ARRAY_SIZE(measures))
		return;
#define X(k) (logs ? log((double)s->x[k]) : (double)s->x[k])
#define Y(k) ((double)c->col[s->col[k]].value[s->value])
	x0 = X(0);
	x1 = X(s->nr - 1);
	y0 = Y(0);
	y1 = Y(s->nr - 1);
	for (i = 1; i + 1 < s->nr && y0 != y1; i++) {
		double d =
			fabs((X(i) - x0) / (x1 - x0) - (Y(i) - y0) / (y1 - y0));

		if (d > best) {
			best = d;
			s->knee = i;
		}
	}
#undef X
#undef Y
}

/* Where x belongs; false when a run has it already. */
static bool insert(struct zsr_sweep *s, uint64_t x, size_t col)
{
	size_t i;

	for (i = 0; i < s->nr; i++)
		if (s->x[i] == x)
			return false;
	for (i = s->nr++; i > 0 && s->x[i - 1] > x; i--) {
		s->x[i] = s->x[i - 1];
		s->col[i] = s->col[i - 1];
	}
	s->x[i] = x;
	s->col[i] = col;
	return true;
}

/* Column `first` begins the sweep when no column before it is in it. */
static int collect(struct zsr_compare *c, size_t first, const char *name,
		   size_t len, const struct zsr_analyze_opts *opts)
{
	const struct zsr_column *a = &c->col[first], *b;
	struct zsr_sweep s = { .by_default = SIZE_MAX };
	size_t i, cap = c->nr_sweeps;
	uint64_t x;

	s.col = calloc(c->nr_cols, sizeof(*s.col));
	s.x = calloc(c->nr_cols, sizeof(*s.x));
	s.policy = strdup(a->policy);
	s.param = strndup(name, len);
	if (!s.col || !s.x || !s.policy || !s.param)
		goto nomem;
	s.has_posted = opts->posted &&
		       opts->posted(s.policy, s.param, &s.posted);
	for (i = 0; i < c->nr_cols; i++) {
		b = &c->col[i];
		if (!same_setting(a, b) ||
		    !alike(a->params, b->params, s.param, len) ||
		    !number(b->params, s.param, len, &x))
			continue;
		if (i < first)
			break;
		if (!x && s.has_posted && !s.posted)
			s.by_default = i;
		else
			insert(&s, x, i);
	}
	if (i < c->nr_cols || s.nr < ZSR_SWEEP_LEAST) {
		free(s.col);
		free(s.x);
		free(s.policy);
		free(s.param);
		return 0;
	}
	s.has_posted &= s.posted > 0;
	find_knee(c, &s);
	if (zsr_grow(&c->sweep, &cap, c->nr_sweeps + 1, sizeof(*c->sweep)))
		goto nomem;
	c->sweep[c->nr_sweeps++] = s;
	return 0;
nomem:
	free(s.col);
	free(s.x);
	free(s.policy);
	free(s.param);
	return -ENOMEM;
}

int zsr_sweeps_build(struct zsr_compare *c, const struct zsr_analyze_opts *opts)
{
	size_t i;

	for (i = 0; i < c->nr_cols; i++) {
		const char *p = c->col[i].params;

		for (p += strspn(p, " "); *p; p += strspn(p, " ")) {
			size_t len = strcspn(p, " ="), n = strcspn(p, " ");

			if (len < n && collect(c, i, p, len, opts))
				return -ENOMEM;
			p += n;
		}
	}
	return 0;
}
