/* SPDX-License-Identifier: GPL-2.0-only */
/* zsr compare --clocks. */
#ifndef ZSR_CMD_CLOCKS_H
#define ZSR_CMD_CLOCKS_H

#include "cmd/cmd.h"

struct zsr_clocks_args {
	const char *const *rest; /* RUN..., TRACE... */
	int nr_rest;
	const char *db;
	/* Make the runs, of the one TRACE: on the host, and on this machine. */
	const char *machine;
	const char *policies, *repeat; /* NULL: those that fit; 10 */
	bool json;
};

/* Prints; *met says whether the prediction is as good as it has to be. */
int zsr_cmd_clocks(const struct zsr_clocks_args *a, bool *met,
		   struct zsr_err *err);

#endif
