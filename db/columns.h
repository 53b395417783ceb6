/* SPDX-License-Identifier: GPL-2.0-only */
/* The layout of a chunk's blob that chunk_encode.c and chunk_decode.c
 * share. */
#ifndef ZSR_DB_COLUMNS_H
#define ZSR_DB_COLUMNS_H

#include <stdint.h>

#define ZSR_CHUNK_FORMAT 2
#define ZSR_DICT_MAX     256

/* Columns in the order of the blob; FREE_OBJ comes before all others. */
enum {
	/* of every event */
	ZSR_COL_KIND, /* by cpu */
	ZSR_COL_CPU,
	ZSR_COL_TASK, /* by cpu */
	ZSR_COL_POOL,
	ZSR_COL_CALLER,
	ZSR_COL_FLAGS,
	ZSR_COL_CGROUP, /* zigzag */
	ZSR_COL_AUX,
	ZSR_COL_SLOT, /* zigzag */
	ZSR_COL_T_REST, /* beside ticks; less the event's before, zigzag */
	/* of mallocs */
	ZSR_COL_MALLOC_T, /* less the event's before, in ticks or ns */
	ZSR_COL_MALLOC_DUR, /* likewise */
	ZSR_COL_MALLOC_DUR_REST, /* beside ticks, zigzag */
	ZSR_COL_MALLOC_GFP,
	ZSR_COL_MALLOC_SIZE,
	/* of everything else */
	ZSR_COL_OTHER_T,
	ZSR_COL_OTHER_DUR,
	ZSR_COL_OTHER_DUR_REST,
	ZSR_COL_OTHER_GFP,
	ZSR_COL_OTHER_SIZE, /* 0 for frees of a known object */
	/* of frees */
	ZSR_COL_FREE_OBJ,
	ZSR_NR_COLUMNS
};

/* First byte of a column; 1 to 8 is its width in planes. */
enum {
	ZSR_COLUMN_CONST = 0,
	ZSR_COLUMN_DICT = 9,
	ZSR_COLUMN_SPARSE = 10,
	ZSR_COLUMN_BITS = 11,
};

/*
 * A column in bits has a token a number, which says the number's length and its
 * bits down to the fourth, and all lower bits as they are. Below 16 the token is
 * the number itself.
 */
#define ZSR_BITS_TOP  4
#define ZSR_BITS_MAX  34 /* bits of a number */
#define ZSR_BITS_TINY (1u << ZSR_BITS_TOP)

/* How many lower bits a token leaves. */
static inline unsigned zsr_token_bits(uint8_t token)
{
	return token < ZSR_BITS_TINY ? 0 : 1 + (token - ZSR_BITS_TINY) / 8;
}

/* The smallest number of a token. */
static inline uint64_t zsr_token_base(uint8_t token)
{
	if (token < ZSR_BITS_TINY)
		return token;
	return (uint64_t)(8 + token % 8) << zsr_token_bits(token);
}

/*
 * What happened last on a CPU (CPUs 64 apart share one): a guess at what comes
 * next there. KIND and TASK are 0 when they are as before, else 1 plus
 * themselves; FREE_OBJ may be the step from the object freed there before.
 */
struct zsr_cpu_past {
	uint64_t freed;
	uint32_t task;
	uint8_t kind;
};

#define ZSR_CPU_PASTS 64

/* How FREE_OBJ counts. */
enum {
	ZSR_FREE_STEP,
	ZSR_FREE_BACK,
};

static inline uint64_t zsr_zigzag(int64_t v)
{
	return (uint64_t)v << 1 ^ (uint64_t)(v >> 63);
}

static inline int64_t zsr_unzigzag(uint64_t v)
{
	return (int64_t)(v >> 1 ^ (0 - (v & 1)));
}

static inline unsigned zsr_column_bits(uint64_t v)
{
	return v ? 64 - (unsigned)__builtin_clzll(v) : 0;
}

static inline uint8_t zsr_token_of(uint64_t v)
{
	unsigned below = zsr_column_bits(v) - ZSR_BITS_TOP;

	if (v < ZSR_BITS_TINY)
		return (uint8_t)v;
	return (uint8_t)(ZSR_BITS_TINY + 8 * (below - 1) + (v >> below) - 8);
}

/* Bytes that hold v; 1 for 0. */
static inline unsigned zsr_column_width(uint64_t v)
{
	return v ? (zsr_column_bits(v) + 7) / 8 : 1;
}

#endif
