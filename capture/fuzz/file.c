// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzzing whole files, trace.dat, ftrace text or CSV, with libFuzzer, which is
 * started with small captures in a directory: tests/fuzz.sh.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "capture/decode/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dec_cpu_stats stats[DEC_MAX_CPUS];
	static struct dec_out out;
	static int nothing = -1;
	struct dec_file f = { .size = size, .name = "x" };
	struct dec d = { .out = &out, .stats = stats, .max_memory = 1u << 28 };
	struct zsr_err err;
	bool dat = dec_is_dat(data, size);

	if (nothing < 0)
		nothing = open("/dev/null", O_RDONLY);
	memset(stats, 0, sizeof(stats));
	dec_out_init(&out, NULL);
	f.fd = nothing;
	f.mem = malloc(size + 1);
	if (!f.mem)
		return 0;
	memcpy(f.mem, data, size);
	f.seekable = dat;
	if (dat)
		dec_dat(&d, &f, &err);
	else if (dec_is_csv(data, size))
		dec_csv(&d, &f, &err);
	else if (dec_is_graph_text(data, size))
		dec_graph_text(&d, &f, &err);
	else if (dec_is_text(data, size))
		dec_text(&d, &f, &err);
	free(f.mem);
	return 0;
}
