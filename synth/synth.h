/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Generated traces: the published experiments, of any size, from a seed.
 */
#ifndef ZSR_SYNTH_H
#define ZSR_SYNTH_H

#include "base/base.h"
#include "db/db.h"

/* Compressed sizes of pages. */
struct zsr_sizes {
	enum {
		ZSR_SIZES_TEXT, /* repeated text: nearly equal sizes */
		ZSR_SIZES_LZO_RLE, /* measured on memory of real programs */
		ZSR_SIZES_RANGE, /* uniform in lo..hi */
	} kind;
	uint32_t lo, hi;
};

/* "text", "lzo-rle", "uniform", "fixed:N", "range:LO-HI". */
int zsr_sizes_parse(const char *s, uint32_t page_size, struct zsr_sizes *out,
		    struct zsr_err *err);
/* One size in bytes. Pages from the huge watermark on are stored whole, as
 * zram does. */
uint32_t zsr_sizes_draw(const struct zsr_sizes *s, uint32_t page_size,
			struct zsr_rng *rng);

struct zsr_synth_munmap {
	const char *name; /* of the trace */
	const char *kernel; /* release whose allocator it stands for */
	uint64_t size; /* bytes a process maps and swaps out */
	uint32_t procs;
	uint32_t page_size;
	uint32_t chain_size; /* 0: the kernel's default */
	struct zsr_sizes sizes;
	uint64_t seed;
};

/*
 * The munmap experiment: each of PROCS processes maps SIZE bytes and swaps all
 * of it out; then all unmap at once, each freeing its objects in the order of
 * their allocation. A barrier parts the two, release-begin and release-end
 * marks stand around each munmap, and gaps are left to the profile of the
 * replay (times: synthetic). Stores the trace and fills *t.
 */
int zsr_synth_munmap(struct zsr_db *db, const struct zsr_synth_munmap *s,
		     struct zsr_trace *t, struct zsr_err *err);

#endif
