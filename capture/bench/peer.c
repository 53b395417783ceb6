// SPDX-License-Identifier: GPL-2.0-only
/*
 * How fast libtracecmd alone goes through a trace.dat, every record of it in
 * time order and nothing done with it: peer FILE. Prints records and seconds.
 */
#include <event-parse.h>
#include <trace-cmd.h>

#include "base/base.h"

static int count(struct tracecmd_input *in, struct tep_record *rec, int cpu,
		 void *ctx)
{
	++*(uint64_t *)ctx;
	return 0;
}

int main(int argc, char **argv)
{
	struct tracecmd_input *in;
	uint64_t start = zsr_clock_ns(), n = 0;

	tracecmd_set_loglevel(TEP_LOG_NONE);
	tep_set_loglevel(TEP_LOG_NONE);
	if (argc != 2) {
		fprintf(stderr, "usage: peer FILE\n");
		return 2;
	}
	in = tracecmd_open(argv[1], TRACECMD_FL_LOAD_NO_PLUGINS);
	if (!in)
		return 3;
	tracecmd_iterate_events(in, NULL, 0, count, &n);
	tracecmd_close(in);
	printf("%llu %.6f\n", (unsigned long long)n,
	       (double)(zsr_clock_ns() - start) / 1e9);
	return 0;
}
