// SPDX-License-Identifier: GPL-2.0-only
/* zsr policies: what can be replayed, and with which parameters. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/analyze.h"
#include "cmd/cmd.h"
#include "replay/policy/table.h"

#define WIDTH      80
#define NAME_WIDTH 15

/* ---- values ---------------------------------------------------------------- */

/* "64 pages", "1 page", "5 ms", "sync"; for the caller to free. */
static char *value_text(const struct zsr_param *p, uint64_t value)
{
	char buf[ZSR_PARAM_LEN], *text;
	int n = (int)strlen(p->unit);

	if (value == 1 && n > 2 && p->unit[n - 1] == 's')
		n--;
	if (asprintf(&text, "%s%s%.*s", zsr_param_text(p, value, buf),
		     n ? " " : "", n, p->unit) < 0)
		return NULL;
	return text;
}

/* "1 to 65536", "sync, class-idx"; for the caller to free. */
static char *range_text(const struct zsr_param *p)
{
	char *text = NULL;
	size_t size;
	uint64_t v;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	if (p->names)
		for (v = p->min; v <= p->max; v++)
			fprintf(f, "%s%s", v > p->min ? ", " : "", p->names[v]);
	else
		fprintf(f, "%" PRIu64 " to %" PRIu64, p->min, p->max);
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}

/* ---- the list -------------------------------------------------------------- */

/* Columns of a parameter's row, beginning at these. */
enum { COL_NAME = 2, COL_DEFAULT = 17, COL_RANGE = 32, COL_SOURCE = 52 };

static const int col_at[] = { COL_NAME, COL_DEFAULT, COL_RANGE, COL_SOURCE };

#define NR_COLS ZSR_ARRAY_SIZE(col_at)

/* A row whose cells are wrapped each to its column. */
static int print_row(const char *const cell[NR_COLS], struct zsr_err *err)
{
	struct zsr_lines l[NR_COLS] = { 0 };
	size_t c, i, lines = 1;
	int ret = 0;

	for (c = 0; !ret && c < NR_COLS; c++) {
		int end = c + 1 < NR_COLS ? col_at[c + 1] - 1 : WIDTH;

		ret = cell[c] ? zsr_lines_wrap(&l[c], (size_t)(end - col_at[c]),
					       0, cell[c])
			      : -ENOMEM;
		lines = zsr_max(lines, l[c].nr);
	}
	for (i = 0; !ret && i < lines; i++) {
		int at = 0;

		for (c = 0; c < NR_COLS; c++)
			if (i < l[c].nr)
				at += printf("%*s%s", col_at[c] - at, "",
					     l[c].line[i]);
		putchar('\n');
	}
	for (c = 0; c < NR_COLS; c++)
		zsr_lines_free(&l[c]);
	return ret ? zsr_err_nomem(err, "table") : 0;
}

static int print_param(const struct zsr_param *p, struct zsr_err *err)
{
	char *def = value_text(p, p->def), *range = range_text(p);
	const char *const cell[NR_COLS] = { p->name, def, range, p->source };
	int ret = print_row(cell, err);

	free(def);
	free(range);
	return ret;
}

/* TEXT from column NAME_WIDTH on, after NAME on its first line. */
static int print_beside(const char *name, const char *text, struct zsr_err *err)
{
	struct zsr_lines l = { 0 };
	int ret = zsr_lines_wrap(&l, WIDTH - NAME_WIDTH, 0, text);
	size_t i;

	for (i = 0; !ret && i < l.nr; i++)
		printf("%-*s%s\n", NAME_WIDTH, i ? "" : name, l.line[i]);
	zsr_lines_free(&l);
	return ret ? zsr_err_nomem(err, "text") : 0;
}

static int list(bool brief, struct zsr_err *err)
{
	const struct zsr_policy *p;
	unsigned i, k;
	int ret = 0;

	for (i = 0; !ret && (p = zsr_policies[i]); i++) {
		ret = print_beside(p->name, p->summary, err);
		if (brief)
			continue;
		if (!ret)
			ret = print_beside("", p->source, err);
		for (k = 0; !ret && k < p->nr_params; k++)
			ret = print_param(&p->params[k], err);
		putchar('\n');
	}
	if (!ret && brief)
		putchar('\n');
	if (!ret)
		printf("`zsr policies NAME` explains one, or ./FILE.so%s.\n",
		       brief ? "" : "; --brief is shorter");
	return ret;
}

/* ---- one -------------------------------------------------------------------- */

static int print_text(size_t indent, const char *text, struct zsr_err *err)
{
	struct zsr_lines l = { 0 };
	int ret = zsr_lines_wrap(&l, 72 - indent, 0, text);
	size_t i;

	for (i = 0; !ret && i < l.nr; i++)
		printf("%*s%s\n", (int)indent, "", l.line[i]);
	zsr_lines_free(&l);
	return ret ? zsr_err_nomem(err, "text") : 0;
}

static int explain_param(const struct zsr_policy *policy,
			 const struct zsr_param *p, struct zsr_err *err)
{
	char *range = range_text(p), *text = NULL, buf[ZSR_PARAM_LEN];
	int ret;

	if (!range || asprintf(&text, "%s%s%s; default: %s", range,
			       *p->unit ? " " : "", p->unit, p->source) < 0)
		text = NULL;
	printf("\n  --param %s.%s=%s\n", policy->name, p->name,
	       zsr_param_text(p, p->def, buf));
	ret = print_text(6, p->text, err);
	if (!ret)
		ret = text ? print_text(6, text, err)
			   : zsr_err_nomem(err, "text");
	free(text);
	free(range);
	return ret;
}

static int explain(const char *name, struct zsr_err *err)
{
	const struct zsr_policy *p;
	char id[ZSR_POLICY_ID];
	unsigned k;
	int ret = zsr_policy_get(name, &p, id, err);

	if (ret)
		return ret;
	printf("%s: %s\nfrom: %s\n", p->name, p->summary, p->source);
	if (*id)
		printf("plug-in: %s\n%s\n", name, id);
	putchar('\n');
	ret = print_text(0, p->text, err);
	for (k = 0; !ret && k < p->nr_params; k++)
		ret = explain_param(p, &p->params[k], err);
	return ret;
}

int zsr_cmd_policies(int argc, const char **argv)
{
	int brief = 0;
	const struct poptOption table[] = {
		{ "brief", 'b', POPT_ARG_NONE, &brief, 0,
		  "one line a policy, no parameters", NULL },
		POPT_TABLEEND
	};
	struct zsr_options o = { 0 };
	struct zsr_err err = { 0 };
	int ret;

	ret = zsr_options_parse(&o, argc, argv, table,
				"policies [POLICY] [OPTION...]", &err);
	if (ret > 0)
		ret = 0;
	else if (!ret && o.nr_rest > 1)
		ret = zsr_err_usage(&err, "expected at most one policy");
	else if (!ret && o.nr_rest)
		ret = explain(o.rest[0], &err);
	else if (!ret)
		ret = list(brief, &err);
	zsr_options_free(&o);
	if (!ret)
		ret = zsr_cmd_flush(&err);
	return ret ? zsr_cmd_fail("policies", &err) : ZSR_EXIT_OK;
}
