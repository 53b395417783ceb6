// SPDX-License-Identifier: GPL-2.0-only
/* What of zsr runs on the target: a program that can be one static file. */
#include "cmd/cmd.h"

static const struct zsr_cmd commands[] = {
	{ "capture", "[OPTION...] -- COMMAND [ARG...]",
	  "record a command's use of zsmalloc", zsr_cmd_capture },
	{ "workload", "munmap|exit|mixed|refault|frag|app-switch [OPTION...]",
	  "swap memory out and release it", zsr_cmd_workload },
};

int main(int argc, const char **argv)
{
	return zsr_cmd_main(argc, argv, commands, ZSR_ARRAY_SIZE(commands),
			    "zsr-capture: record zsmalloc on this machine");
}
