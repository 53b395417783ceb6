// SPDX-License-Identifier: GPL-2.0-only
/* Option tables over popt, errors on stderr, the database's path. */
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"

/* An entry of the tables, and whether it was met. */
struct given {
	const struct poptOption *option;
	bool given;
};

static bool is_a(const struct poptOption *t, unsigned kind)
{
	return (t->argInfo & POPT_ARG_MASK) == kind;
}

static bool is_string(const struct poptOption *t)
{
	return is_a(t, POPT_ARG_STRING);
}

static bool is_end(const struct poptOption *t)
{
	return !t->longName && !t->shortName && !t->arg;
}

static size_t count(const struct poptOption *t)
{
	size_t n = 1;

	for (; !is_end(t); t++, n++)
		if (is_a(t, POPT_ARG_INCLUDE_TABLE))
			n += count(t->arg);
	return n;
}

/*
 * popt loses a string when its option comes again. So it parses a copy of the
 * tables in which every option has a number and no string has a place: each
 * comes by next_options() instead. Copies T and its sub-tables to table[*nr]
 * and on; returns where T lies now.
 */
static struct poptOption *copy(struct poptOption *table, struct given *given,
			       const struct poptOption *t, size_t *nr)
{
	size_t first = *nr, n = 0, i;

	while (!is_end(&t[n]))
		n++;
	*nr += n + 1;
	for (i = 0; i < n; i++) {
		struct poptOption *to = &table[first + i];

		*to = t[i];
		given[first + i].option = &t[i];
		if (is_a(&t[i], POPT_ARG_INCLUDE_TABLE))
			to->arg = copy(table, given, t[i].arg, nr);
		else
			to->val = (int)(first + i) + 1;
		if (is_string(to))
			to->arg = NULL;
	}
	return &table[first];
}

/* A string option's value, which is ours now. */
static int give(struct given *g, char *value, struct zsr_err *err)
{
	const struct poptOption *t = g->option;
	char **place = t->arg, *both;

	if (!value)
		return zsr_err_nomem(err, "options");
	if (!g->given) {
		*place = value;
		return 0;
	}
	if (t->val != ZSR_OPTION_LIST) {
		free(value);
		return zsr_err_usage(err, "--%s is given twice", t->longName);
	}
	if (asprintf(&both, "%s,%s", *place, value) < 0)
		both = NULL;
	free(value);
	if (!both)
		return zsr_err_nomem(err, "options");
	free(*place);
	*place = both;
	return 0;
}

static int next_options(poptContext ctx, struct given *given,
			struct zsr_err *err)
{
	int ret;

	while ((ret = poptGetNextOpt(ctx)) > 0) {
		struct given *g = &given[ret - 1];

		if (is_string(g->option)) {
			ret = give(g, poptGetOptArg(ctx), err);
			if (ret)
				return ret;
		}
		g->given = true;
	}
	if (ret < -1)
		return zsr_err_usage(err, "%s: %s",
				     poptBadOption(ctx, POPT_BADOPTION_NOALIAS),
				     poptStrerror(ret));
	return 0;
}

/* Of a command line that goes no further nothing is kept. */
static void forget(struct given *given, size_t n)
{
	char **list, **p;
	size_t i;

	for (i = 0; i < n; i++) {
		if (!given[i].given)
			continue;
		if (is_string(given[i].option)) {
			p = given[i].option->arg;
			free(*p);
			*p = NULL;
		} else if (is_a(given[i].option, POPT_ARG_ARGV)) {
			list = *(char ***)given[i].option->arg;
			for (p = list; p && *p; p++)
				free(*p);
			free(list);
			*(char ***)given[i].option->arg = NULL;
		}
	}
}

int zsr_options_parse(struct zsr_options *o, int argc, const char **argv,
		      const struct poptOption *options, const char *usage,
		      struct zsr_err *err)
{
	static int help;
	const struct poptOption table[] = {
		{ NULL, '\0', POPT_ARG_INCLUDE_TABLE, (void *)options, 0,
		  "Options:", NULL },
		{ "help", 'h', POPT_ARG_NONE, &help, 0, "show this help", NULL },
		POPT_TABLEEND
	};
	size_t n = count(table), used = 0;
	struct given *given = calloc(n, sizeof(*given));
	int ret;

	help = 0;
	argv[0] = "zsr"; /* what popt's usage line begins with */
	*o = (struct zsr_options){ .table = calloc(n, sizeof(*o->table)) };
	if (given && o->table)
		o->ctx = poptGetContext("zsr", argc, argv,
					copy(o->table, given, table, &used), 0);
	ret = o->ctx ? next_options(o->ctx, given, err)
		     : zsr_err_nomem(err, "options");
	if (!ret && help) {
		poptSetOtherOptionHelp(o->ctx, usage);
		poptPrintHelp(o->ctx, stdout, 0);
		ret = zsr_cmd_flush(err);
		ret = ret ? ret : 1;
	}
	if (ret && given)
		forget(given, n);
	free(given);
	if (ret) {
		zsr_options_free(o);
		return ret;
	}
	o->rest = poptGetArgs(o->ctx);
	for (o->nr_rest = 0; o->rest && o->rest[o->nr_rest]; o->nr_rest++)
		;
	return 0;
}

void zsr_options_free(struct zsr_options *o)
{
	if (o->ctx)
		poptFreeContext(o->ctx);
	free(o->table);
	*o = (struct zsr_options){ 0 };
}

/* SQLite quotes a damaged schema with its line breaks, names may carry more:
 * an error is one line, and moves no cursor. */
void zsr_print_line(FILE *f, const char *s)
{
	for (; *s; s++)
		putc(*s == '\n' || *s == '\t'               ? ' '
		     : (unsigned char)*s < ' ' || *s == 127 ? '?'
							    : *s,
		     f);
	putc('\n', f);
}

int zsr_cmd_fail(const char *name, const struct zsr_err *err)
{
	fprintf(stderr, "zsr %s: ", name);
	zsr_print_line(stderr, err->msg);
	return err->kind ? (int)err->kind : ZSR_EXIT_SYSTEM;
}

const char *zsr_db_path(const char *option)
{
	const char *env = getenv("ZSR_DB");

	if (option)
		return option;
	return env && *env ? env : "zsr.db";
}

int zsr_cmd_flush(struct zsr_err *err)
{
	if (fflush(stdout) || ferror(stdout))
		return zsr_err_sys(err, errno ? errno : EIO, "standard output");
	return 0;
}
