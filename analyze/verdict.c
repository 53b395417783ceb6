// SPDX-License-Identifier: GPL-2.0-only
/* The comparison in words, each of them chosen by a number. */
#include <stdlib.h>
#include <string.h>

#include "analyze/values.h"

/* Differences below one per cent are none. */
#define SAME_PERCENT 1

static bool same(uint64_t a, uint64_t b)
{
	uint64_t d = a > b ? a - b : b - a;

	return (unsigned __int128)d * 100 <=
	       (unsigned __int128)zsr_max(a, b) * SAME_PERCENT;
}

/* "1.4x later", "23 % sooner": how x, smaller being `less`, compares to y. */
static char *against(char buf[ZSR_FMT_LEN], uint64_t x, uint64_t y,
		     const char *less, const char *more)
{
	uint64_t low = zsr_min(x, y), high = zsr_max(x, y);
	char num[ZSR_FMT_LEN];

	if (low && high / 2 >= low)
		snprintf(buf, ZSR_FMT_LEN, "%s %s",
			 zsr_fmt_ratio(num, high, low), x < y ? less : more);
	else
		snprintf(buf, ZSR_FMT_LEN, "%s %s",
			 zsr_fmt_percent(num, high - low, y),
			 x < y ? less : more);
	return buf;
}

static void say_callers(FILE *f, const struct zsr_column *col,
			const struct zsr_column *to, const char *than)
{
	const uint64_t *v = col->value, *base = to->value;
	uint64_t x = v[VAL_caller_mean_ns], y = base[VAL_caller_mean_ns];
	char a[ZSR_FMT_LEN], b[ZSR_FMT_LEN], d[ZSR_FMT_LEN];

	if (col->tested.nr_rounds && !col->tested.caller_differs)
		fprintf(f,
			"%zu rounds show no difference in when callers return "
			"(%s, with %s %s)",
			col->tested.nr_rounds, zsr_fmt_ns(a, x), than,
			zsr_fmt_ns(b, y));
	else if (same(x, y))
		fprintf(f, "callers return as soon as with %s (%s against %s)",
			than, zsr_fmt_ns(a, x), zsr_fmt_ns(b, y));
	else
		fprintf(f, "callers return %s (%s against %s%s)",
			against(d, x, y, "sooner", "later"), zsr_fmt_ns(a, x),
			zsr_fmt_ns(b, y),
			v[VAL_tasks] > 1 ? ", mean over tasks" : "");
}

static void say_pages(FILE *f, const uint64_t *v, const uint64_t *base,
		      const char *than)
{
	uint64_t x = v[VAL_at_100_ns], y = base[VAL_at_100_ns];
	char d[ZSR_FMT_LEN], n[ZSR_FMT_LEN];

	if (!v[VAL_pages_total])
		fputs("no page is due back", f);
	else if (x == ZSR_NEVER)
		fprintf(f,
			"the last page does not come back before teardown "
			"(%s %s stranded)",
			zsr_fmt_count(n, v[VAL_stranded]),
			v[VAL_stranded] == 1 ? "entry" : "entries");
	else if (y == ZSR_NEVER)
		fprintf(f,
			"the last page is back after %s, with %s never "
			"before teardown",
			zsr_fmt_ns(n, x), than);
	else if (same(x, y))
		fprintf(f, "the last page comes back as soon as with %s", than);
	else
		fprintf(f, "the last page comes back %s",
			against(d, x, y, "sooner", "later"));
}

static void say_cpu(FILE *f, const struct zsr_column *col,
		    const struct zsr_column *to)
{
	uint64_t x = col->value[VAL_cpu_total_ns];
	uint64_t y = to->value[VAL_cpu_total_ns];
	char d[ZSR_FMT_LEN];

	if (col->tested.nr_rounds && !col->tested.cpu_differs)
		fputs("no difference in total CPU is shown", f);
	else if (x == y)
		fputs("total CPU is the same", f);
	else if (!y)
		fprintf(f, "total CPU is %s", zsr_fmt_ns(d, x));
	else
		fprintf(f, "total CPU %c%s", x > y ? '+' : '-',
			zsr_fmt_percent(d, x > y ? x - y : y - x, y));
}

bool zsr_column_is_bound(const struct zsr_column *c)
{
	return !strcmp(c->policy, "ideal");
}

static int sentence(struct zsr_compare *c, size_t col)
{
	const struct zsr_column *to = &c->col[c->col[col].base];
	const uint64_t *v = c->col[col].value;
	char n[ZSR_FMT_LEN], *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	int ret;

	if (!f)
		return -ENOMEM;
	fprintf(f, "%s%s: ", c->col[col].label,
		zsr_column_is_bound(&c->col[col]) ? " (no kernel could)" : "");
	say_callers(f, &c->col[col], to, c->col[0].policy);
	fputs(", ", f);
	say_pages(f, v, to->value, c->col[0].policy);
	fputs(", ", f);
	say_cpu(f, &c->col[col], to);
	if (v[VAL_held_peak_bytes])
		fprintf(f, ", up to %s held back",
			zsr_fmt_size(n, v[VAL_held_peak_bytes]));
	if (v[VAL_fallbacks])
		fprintf(f, ", %s of frees fell back",
			zsr_fmt_percent(n, v[VAL_fallbacks], v[VAL_frees]));
	fputs(".", f);
	if (fclose(f)) {
		free(text);
		return -ENOMEM;
	}
	ret = zsr_lines_add(&c->verdict, "%s", text);
	free(text);
	return ret;
}

static size_t nr_real(const struct zsr_compare *c)
{
	size_t i, nr = 0;

	for (i = 0; i < c->nr_cols; i++)
		nr += !zsr_column_is_bound(&c->col[i]);
	return nr;
}

static const struct zsr_shift *effect(const struct zsr_column *c, unsigned value)
{
	if (!c->tested.nr_rounds)
		return NULL;
	return value == VAL_caller_mean_ns ? &c->tested.caller
	       : value == VAL_cpu_total_ns ? &c->tested.cpu
					   : NULL;
}

static bool differs(const struct zsr_column *c, unsigned value)
{
	return value == VAL_caller_mean_ns ? c->tested.caller_differs
					   : c->tested.cpu_differs;
}

/* No number and no test tells them apart. */
static bool as_good(const struct zsr_compare *c, size_t i, size_t k,
		    unsigned value)
{
	const struct zsr_column *x = &c->col[i], *y = &c->col[k];
	const struct zsr_shift *a = effect(x, value), *b = effect(y, value);

	if (i == k || same(x->value[value], y->value[value]))
		return true;
	if (a && b && x->base == y->base)
		return a->low <= b->high && b->low <= a->high;
	return (a && x->base == k && !differs(x, value)) ||
	       (b && y->base == i && !differs(y, value));
}

/* Who is best, together with all that are as good, in the order of columns. */
static void best(struct zsr_compare *c, FILE *f, const char *what,
		 unsigned value)
{
	size_t i, win = 0, first = SIZE_MAX, second = 0, alike = 0;
	char n[ZSR_FMT_LEN];

	while (zsr_column_is_bound(&c->col[win]))
		win++;
	for (i = win + 1; i < c->nr_cols; i++)
		if (!zsr_column_is_bound(&c->col[i]) &&
		    c->col[i].value[value] < c->col[win].value[value])
			win = i;
	if (c->col[win].value[value] == ZSR_NEVER) {
		fprintf(f, "%s: none before teardown", what);
		return;
	}
	for (i = 0; i < c->nr_cols; i++) {
		if (zsr_column_is_bound(&c->col[i]) ||
		    !as_good(c, i, win, value))
			continue;
		if (first == SIZE_MAX)
			first = i;
		else if (!second)
			second = i;
		alike++;
	}
	fprintf(f, "%s: ", what);
	if (alike == nr_real(c) && c->nr_tests)
		fputs("all alike, as far as their rounds tell", f);
	else if (alike == nr_real(c))
		fprintf(f, "all alike, within %d %%", SAME_PERCENT);
	else if (alike > 2)
		fprintf(f, "%s and %zu others", c->col[first].label, alike - 1);
	else if (alike == 2)
		fprintf(f, "%s and %s", c->col[first].label,
			c->col[second].label);
	else
		fputs(c->col[win].label, f);
	fprintf(f, ", %s", zsr_fmt_ns(n, c->col[win].value[value]));
}

static int headline(struct zsr_compare *c)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	int ret;

	if (!f)
		return -ENOMEM;
	best(c, f, "Soonest back to its caller", VAL_caller_mean_ns);
	best(c, f, ". Least CPU in all", VAL_cpu_total_ns);
	if (c->col[0].value[VAL_pages_total])
		best(c, f, ". Soonest 100 % of pages back", VAL_at_100_ns);
	fputs(".", f);
	if (fclose(f)) {
		free(text);
		return -ENOMEM;
	}
	ret = zsr_lines_add(&c->verdict, "%s", text);
	free(text);
	return ret;
}

/* One run alone: what it did, without anything to hold it against. */
static int alone(struct zsr_compare *c)
{
	const uint64_t *v = c->col[0].value;
	char caller[ZSR_FMT_LEN], cpu[ZSR_FMT_LEN], n[ZSR_FMT_LEN], back[64];

	if (!v[VAL_pages_total])
		snprintf(back, sizeof(back), "no page is due back");
	else if (v[VAL_at_100_ns] == ZSR_NEVER)
		snprintf(back, sizeof(back),
			 "the last page is not back before teardown");
	else
		snprintf(back, sizeof(back), "the last page is back after %s",
			 zsr_fmt_ns(n, v[VAL_at_100_ns]));
	return zsr_lines_add(&c->verdict,
			     "%s: callers return after %s%s, %s, total CPU %s. "
			     "Nothing to compare it with.",
			     c->col[0].label,
			     zsr_fmt_ns(caller, v[VAL_caller_mean_ns]),
			     v[VAL_tasks] > 1 ? " (mean over tasks)" : "", back,
			     zsr_fmt_ns(cpu, v[VAL_cpu_total_ns]));
}

int zsr_verdict_build(struct zsr_compare *c)
{
	size_t i;

	if (!c->col[0].value[VAL_frees])
		return zsr_lines_add(&c->verdict, "No release was played.");
	if (c->nr_cols == 1)
		return alone(c);
	if (nr_real(c) > 1 && headline(c))
		return -ENOMEM;
	for (i = 1; i < c->nr_cols; i++)
		if (c->col[i].base != i && sentence(c, i))
			return -ENOMEM;
	return 0;
}
