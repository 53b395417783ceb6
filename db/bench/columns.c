// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where a trace's bytes go: columns DATABASE. For each column of the first
 * trace, bytes a call as stored and the least that coding each number for
 * itself could take: the entropy of the numbers' lengths and first four bits
 * (counts of the same trace, without what telling those counts would take), and
 * all bits below as they are. What is near that is noise, not waste.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "db/chunk_encoder.h"
#include "db/db.h"

#define MODELLED 4 /* bits of a number, with the leading 1 */
#define NR_KEYS  (65 << MODELLED)

static const char *const names[ZSR_NR_COLUMNS] = {
	[ZSR_COL_KIND] = "kind",
	[ZSR_COL_CPU] = "cpu",
	[ZSR_COL_TASK] = "task",
	[ZSR_COL_POOL] = "pool",
	[ZSR_COL_CALLER] = "caller",
	[ZSR_COL_FLAGS] = "flags",
	[ZSR_COL_CGROUP] = "cgroup",
	[ZSR_COL_AUX] = "aux",
	[ZSR_COL_SLOT] = "slot",
	[ZSR_COL_T_REST] = "time_rest",
	[ZSR_COL_MALLOC_T] = "malloc_time",
	[ZSR_COL_MALLOC_DUR] = "malloc_duration",
	[ZSR_COL_MALLOC_DUR_REST] = "malloc_duration_rest",
	[ZSR_COL_MALLOC_GFP] = "malloc_gfp",
	[ZSR_COL_MALLOC_SIZE] = "malloc_size",
	[ZSR_COL_OTHER_T] = "free_time",
	[ZSR_COL_OTHER_DUR] = "free_duration",
	[ZSR_COL_OTHER_DUR_REST] = "free_duration_rest",
	[ZSR_COL_OTHER_GFP] = "free_gfp",
	[ZSR_COL_OTHER_SIZE] = "free_size",
	[ZSR_COL_FREE_OBJ] = "free_object",
};

static double stored[ZSR_NR_COLUMNS], least[ZSR_NR_COLUMNS];
static struct zsr_err e;

static void die(const char *what)
{
	fprintf(stderr, "columns: %s: %s\n", what, e.msg);
	exit(4);
}

static uint64_t common_divisor(const uint64_t *v, size_t n)
{
	uint64_t all = 0, a, r;
	size_t i;

	for (i = 0; i < n && all != 1; i++)
		for (a = v[i]; a; r = all % a, all = a, a = r)
			;
	return zsr_max(all, (uint64_t)1);
}

/* Bits of n numbers, each coded for itself. */
static double entropy(const uint64_t *v, size_t n)
{
	static uint32_t count[NR_KEYS];
	uint64_t scale = common_divisor(v, n), x;
	double bits = 0;
	unsigned len, below;
	size_t i;

	memset(count, 0, sizeof(count));
	for (i = 0; i < n; i++) {
		x = v[i] / scale;
		len = zsr_column_bits(x);
		below = len > MODELLED ? len - MODELLED : 0;
		bits += below;
		count[len << MODELLED | (x >> below)]++;
	}
	for (i = 0; i < NR_KEYS; i++)
		if (count[i])
			bits -= count[i] * log2((double)count[i] / (double)n);
	return bits;
}

static void add_chunk(struct zsr_chunk_encoder *enc, const struct zsr_event *ev,
		      size_t n, uint64_t *first_obj)
{
	struct zsr_chunk_info info;
	unsigned col;

	zsr_chunk_columns(enc, ev, n, *first_obj, &info);
	for (col = 0; col < ZSR_NR_COLUMNS; col++)
		least[col] += entropy(enc->column[col], enc->nr[col]) / 8;
	if (zsr_chunk_blob(enc, &info, ev, &e))
		die("encode");
	for (col = 0; col < ZSR_NR_COLUMNS; col++)
		stored[col] += (double)enc->bytes[col];
	*first_obj += info.nr_mallocs;
}

static void read_all(struct zsr_db *db, int64_t trace)
{
	struct zsr_chunk_encoder *enc = zsr_chunk_encoder_new();
	struct zsr_event *ev = malloc(ZSR_CHUNK_EVENTS * sizeof(*ev));
	const struct zsr_event *some;
	uint64_t first_obj = 0;
	struct zsr_cursor *c;
	size_t n = 0;
	int i, nr;

	if (!enc || !ev || zsr_cursor_open(db, trace, &c, &e))
		die("cursor");
	while ((nr = zsr_cursor_next(c, &some, &e)) > 0)
		for (i = 0; i < nr; i++) {
			ev[n++] = some[i];
			if (n == ZSR_CHUNK_EVENTS) {
				add_chunk(enc, ev, n, &first_obj);
				n = 0;
			}
		}
	if (nr < 0)
		die("cursor");
	if (n)
		add_chunk(enc, ev, n, &first_obj);
	zsr_cursor_close(c);
	zsr_chunk_encoder_free(enc);
	free(ev);
}

static int first_trace(void *ctx, const struct zsr_trace *t)
{
	*(struct zsr_trace *)ctx = *t;
	return 1;
}

int main(int argc, char **argv)
{
	struct zsr_trace t = { 0 };
	double calls, all = 0, all_least = 0;
	struct zsr_db *db;
	unsigned col;

	if (argc < 2) {
		printf("   (run by db/bench/bars.sh)\n");
		return 0;
	}
	if (zsr_db_open(&db, argv[1], ZSR_DB_READONLY, &e) ||
	    zsr_trace_list(db, first_trace, &t, &e) < 0 || !t.id)
		die("open");
	read_all(db, t.id);
	zsr_db_close(db);
	calls = (double)(t.nr_mallocs + t.nr_frees);
	for (col = 0; col < ZSR_NR_COLUMNS; col++) {
		all += stored[col] / calls;
		all_least += least[col] / calls;
		if (stored[col] / calls >= 0.005)
			printf("  %-20s %.3f bytes, order-0 entropy %.3f\n",
			       names[col], stored[col] / calls,
			       least[col] / calls);
	}
	printf("  %-20s %.3f bytes, order-0 entropy %.3f\n", "all columns", all,
	       all_least);
	return 0;
}
