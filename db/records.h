/* SPDX-License-Identifier: GPL-2.0-only */
/* A trace back to records: recording.c (what there is, and what records cannot
 * say), records.c (the records). */
#ifndef ZSR_DB_RECORDS_H
#define ZSR_DB_RECORDS_H

#include "db/live.h"
#include "db/private.h"

/* What stands for the caller number N: an address that a fact explains. */
#define ZSR_CALLER_BASE 0x2000u
#define ZSR_POOL_BASE   0x100000u

#define ZSR_FACT_MAX 900 /* bytes that a fact or a mark may have */
#define ZSR_MARK_MAX 1000 /* marks that share their texts */

static inline uint64_t zsr_pool_address(uint32_t pool)
{
	return ZSR_POOL_BASE + 0x1000ull * pool;
}

#endif
