// SPDX-License-Identifier: GPL-2.0-only
/* The command table; nothing else. */
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"

static const struct zsr_cmd commands[] = {
	{ "engine", "VERB [OPTION...]",
	  "run op sequences through the engine, print its size classes",
	  zsr_cmd_engine },
};

static void print_help(FILE *f)
{
	size_t i;

	fputs("zsr: replay and analyse zsmalloc free traces\n\n"
	      "Usage: zsr COMMAND [OPTION...]\n\n", f);
	for (i = 0; i < ZSR_ARRAY_SIZE(commands); i++)
		fprintf(f, "  %-10s%s\n", commands[i].name,
			commands[i].summary);
	fputs("\n`zsr COMMAND --help` shows a command's options, "
	      "`man zsr-COMMAND` explains it.\n", f);
}

int main(int argc, const char **argv)
{
	size_t i;

	if (argc < 2) {
		print_help(stderr);
		return ZSR_EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") ||
	    !strcmp(argv[1], "help")) {
		print_help(stdout);
		return ZSR_EXIT_OK;
	}
	if (!strcmp(argv[1], "--version")) {
		puts("zsr " ZSR_VERSION);
		return ZSR_EXIT_OK;
	}
	for (i = 0; i < ZSR_ARRAY_SIZE(commands); i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].main(argc - 1, argv + 1);
	fprintf(stderr,
		"zsr: '%s' is no command; `zsr --help` lists them\n", argv[1]);
	return ZSR_EXIT_USAGE;
}
