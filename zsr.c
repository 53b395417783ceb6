// SPDX-License-Identifier: GPL-2.0-only
/* The command table; nothing else. */
#include "cmd/cmd.h"

static const struct zsr_cmd commands[] = {
	{ "capture", "[OPTION...] -- COMMAND [ARG...]",
	  "record a command's use of zsmalloc", zsr_cmd_capture },
	{ "workload", "munmap|exit|refault|frag [OPTION...]",
	  "swap memory out and release it", zsr_cmd_workload },
	{ "import", "FILE... [-d DB] [--name N] [OPTION...]",
	  "take captures into a database", zsr_cmd_import },
	{ "ls", "[-d DB] [--json|--csv]", "list a database's traces and runs",
	  zsr_cmd_ls },
	{ "info", "TRACE [-d DB] [--json]",
	  "a trace's facts, losses, sizes, lifetimes", zsr_cmd_info },
	{ "sql", "'QUERY' [-d DB] [--json|--csv]",
	  "ask a database, events included", zsr_cmd_sql },
	{ "synth", "munmap [OPTION...]",
	  "generate a trace of the published experiment", zsr_cmd_synth },
	{ "replay", "TRACE --policy P[,P...] [OPTION...]",
	  "replay a trace under free policies", zsr_cmd_replay },
	{ "policies", "[POLICY]", "list the policies and their parameters",
	  zsr_cmd_policies },
	{ "repro", "[OPTION...]",
	  "replay the published experiments, compare the totals", zsr_cmd_repro },
	{ "engine", "VERB [OPTION...]",
	  "run op sequences through the engine, print its size classes",
	  zsr_cmd_engine },
	{ "compare", "[RUN...|TRACE...] [-d DB] [--json|--csv]",
	  "print runs side by side, 68 columns wide", zsr_cmd_compare },
	{ "report", "[-o FILE] [RUN...|TRACE...] [-d DB]",
	  "draw runs: memory return, latency, queues, provenance",
	  zsr_cmd_report },
	{ "why", "gN [RUN...|TRACE...] [-d DB]",
	  "the queries and rows behind a figure", zsr_cmd_why },
	{ "export", "TRACE [--format F] [-o FILE] [-d DB]",
	  "write a trace as trace.dat, ftrace text or CSV", zsr_cmd_export },
	{ "pack", "TRACE [RUN...] [-o FILE] [OPTION...]",
	  "a trace and its results as one file for others", zsr_cmd_pack },
	{ "verify", "PACK... [--private] [--replay]",
	  "check packs, and that they give nothing away", zsr_cmd_verify },
	{ "unpack", "PACK [-d DB] [--name N]", "take a pack into a database",
	  zsr_cmd_unpack },
	{ "merge", "DB... [-d DEST]",
	  "take the traces and runs of other databases", zsr_cmd_merge },
	{ "rm", "TRACE|RUN... [-d DB] [OPTION...]", "remove traces and runs",
	  zsr_cmd_rm },
	{ "judge", "TRACE [-d DB] [OPTION...]",
	  "compare a capture's replay with the kernel's own numbers",
	  zsr_cmd_judge },
	{ "fsck", "[DB] [OPTION...]", "check every checksum, count, reference",
	  zsr_cmd_fsck },
};

int main(int argc, const char **argv)
{
	return zsr_cmd_main(argc, argv, commands, ZSR_ARRAY_SIZE(commands),
			    "zsr: replay and analyse zsmalloc free traces");
}
