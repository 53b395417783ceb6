// SPDX-License-Identifier: GPL-2.0-only
/* A program of commands: which one, and help. */
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"

static void print_help(FILE *f, const struct zsr_cmd *commands, size_t nr,
		       const char *what)
{
	int len = (int)strcspn(what, ":");
	size_t i;

	fprintf(f, "%s\n\nUsage: %.*s COMMAND [OPTION...]\n\n", what, len, what);
	for (i = 0; i < nr; i++)
		fprintf(f, "  %-10s%s\n", commands[i].name, commands[i].summary);
	fprintf(f,
		"\n`%.*s COMMAND --help` shows a command's options, "
		"`man zsr-COMMAND` explains it.\n",
		len, what);
}

static int written(void)
{
	struct zsr_err err = { 0 };

	return zsr_cmd_flush(&err) ? zsr_cmd_fail("help", &err) : ZSR_EXIT_OK;
}

int zsr_cmd_main(int argc, const char **argv, const struct zsr_cmd *commands,
		 size_t nr, const char *what)
{
	int len = (int)strcspn(what, ":");
	size_t i;

	if (argc < 2) {
		print_help(stderr, commands, nr, what);
		return ZSR_EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") ||
	    !strcmp(argv[1], "help")) {
		print_help(stdout, commands, nr, what);
		return written();
	}
	if (!strcmp(argv[1], "--version")) {
		printf("%.*s " ZSR_VERSION "\n", len, what);
		return written();
	}
	for (i = 0; i < nr; i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].main(argc - 1, argv + 1);
	fprintf(stderr, "%.*s: '%s' is no command; `%.*s --help` lists them\n",
		len, what, argv[1], len, what);
	return ZSR_EXIT_USAGE;
}
