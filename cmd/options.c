// SPDX-License-Identifier: GPL-2.0-only
/* Option tables over popt, errors on stderr, the database's path. */
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"

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
	int ret;

	help = 0;
	argv[0] = "zsr"; /* what popt's usage line begins with */
	*o = (struct zsr_options){ .ctx = poptGetContext("zsr", argc, argv,
							 table, 0) };
	if (!o->ctx)
		return zsr_err_nomem(err, "options");
	poptSetOtherOptionHelp(o->ctx, usage);
	ret = poptGetNextOpt(o->ctx);
	if (ret < -1) {
		ret = zsr_err_usage(err, "%s: %s",
				    poptBadOption(o->ctx, POPT_BADOPTION_NOALIAS),
				    poptStrerror(ret));
		zsr_options_free(o);
		return ret;
	}
	if (help) {
		poptPrintHelp(o->ctx, stdout, 0);
		zsr_options_free(o);
		ret = zsr_cmd_flush(err);
		return ret ? ret : 1;
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
	*o = (struct zsr_options){ 0 };
}

/* SQLite quotes a damaged schema with its line breaks, names may carry more:
 * an error is one line, and moves no cursor. */
int zsr_cmd_fail(const char *name, const struct zsr_err *err)
{
	const char *s;

	fprintf(stderr, "zsr %s: ", name);
	for (s = err->msg; *s; s++)
		putc(*s == '\n' || *s == '\t'               ? ' '
		     : (unsigned char)*s < ' ' || *s == 127 ? '?'
							    : *s,
		     stderr);
	putc('\n', stderr);
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
