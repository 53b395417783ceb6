// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of a pool with ten million live objects, by what the process has
 * resident before and after: a byte count for each object and each zspage, for
 * sizes like those of compressed pages and for the smallest class.
 */
#include <stdlib.h>
#include <unistd.h>

#include "replay/engine/engine.h"

#define NR_OBJECTS 10000000u

static long resident(void)
{
	long total, pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (!f || fscanf(f, "%ld %ld", &total, &pages) != 2)
		pages = 0;
	if (f)
		fclose(f);
	return pages * sysconf(_SC_PAGESIZE);
}

static uint64_t created;

static void on_new(void *ctx, const struct zsr_zspage *z, uint64_t pages)
{
	created++;
}

static int measure(const char *what, unsigned low, unsigned high)
{
	struct zsr_err err = { 0 };
	struct zsr_rng rng = { 1 };
	struct zsr_engine *e;
	zsr_handle h;
	uint64_t t;
	unsigned i;
	long mem;

	if (zsr_engine_create(&e, zsr_model_find("6.12"), 4096, 8, &err)) {
		fprintf(stderr, "memory: %s\n", err.msg);
		return 1;
	}
	zsr_engine_observe(
		e, &(struct zsr_engine_observer){ .zspage_new = on_new });
	created = 0;
	mem = resident();
	t = zsr_clock_ns();
	for (i = 0; i < NR_OBJECTS; i++)
		if (zsr_engine_malloc(e, low + zsr_rng_below(&rng, high - low),
				      &h))
			return 1;
	t = zsr_clock_ns() - t;
	mem = resident() - mem;
	printf("%-24s %u live: %4ld MB, %5.1f bytes an object, %6.1f a zspage, "
	       "%.0f ns a malloc\n",
	       what, NR_OBJECTS, mem / 1000000, (double)mem / NR_OBJECTS,
	       (double)mem / (double)created, (double)t / NR_OBJECTS);
	zsr_engine_destroy(e);
	return 0;
}

int main(void)
{
	return measure("sizes 1 to 3000", 1, 3001) ||
	       measure("sizes 1 to 24", 1, 25) ||
	       measure("huge objects", 4000, 4097);
}
