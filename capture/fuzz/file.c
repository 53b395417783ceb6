// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzzing whole files, trace.dat, text of ftrace or perf, function_graph text or
 * CSV, with libFuzzer, which is started with small captures in a directory:
 * tests/fuzz.sh. A file that begins with "event", "field", "row" or "#map" has a
 * map before its first empty line.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "capture/decode/names.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The map in front of a file; *used of its bytes. */
static bool take_map(struct zsr_event_map *map, const uint8_t *data,
		     size_t size, size_t *used)
{
	static const char *const begins[] = { "event ", "field ", "row ",
					      "#map" };
	const uint8_t *end = memmem(data, size, "\n\n", 2);
	struct zsr_err err;
	char *text;
	size_t i, n;

	*used = 0;
	for (i = 0; i < ZSR_ARRAY_SIZE(begins); i++)
		if (size >= strlen(begins[i]) &&
		    !memcmp(data, begins[i], strlen(begins[i])))
			break;
	if (i == ZSR_ARRAY_SIZE(begins) || !end)
		return false;
	n = (size_t)(end + 1 - data);
	*used = n + 1;
	text = malloc(n + 1);
	if (!text)
		return false;
	memcpy(text, data, n);
	text[n] = '\0';
	if (!dec_map_parse(map, text, n, &err))
		return true;
	dec_map_end(map);
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dec_cpu_stats stats[DEC_MAX_CPUS];
	static struct dec_out out;
	static int nothing = -1;
	struct zsr_event_map map = { 0 };
	struct dec_file f = { .name = "x" };
	struct dec d = { .out = &out, .stats = stats, .max_memory = 1u << 28 };
	struct zsr_err err;
	size_t used;
	bool dat;

	d.map = take_map(&map, data, size, &used) ? &map : NULL;
	data += used;
	size -= used;
	f.size = size;
	dat = dec_is_dat(data, size);
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
	else if (dec_is_csv(d.map, data, size))
		dec_csv(&d, &f, data, size, &err);
	else if (dec_is_perf_text(data, size))
		dec_perf_text(&d, &f, &err);
	else if (dec_is_graph_text(data, size))
		dec_graph_text(&d, &f, &err);
	else if (dec_is_graph_text(data, size))
		dec_graph_text(&d, &f, &err);
	else if (dec_is_text(data, size))
		dec_text(&d, &f, &err);
	free(f.mem);
	if (d.map)
		dec_map_end(&map);
	return 0;
}
