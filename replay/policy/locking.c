// SPDX-License-Identifier: GPL-2.0-only
#include "replay/policy/locking.h"

const char *const zsr_locking_names[] = {
	[ZSR_LOCKING_SYNC] = "sync",
	[ZSR_LOCKING_UNLOCK_FIRST] = "unlock-first",
	[ZSR_LOCKING_CLASS_IDX] = "class-idx",
	[ZSR_NR_LOCKINGS] = NULL,
};

void zsr_free_locked(struct zsr_pool *p, enum zsr_locking locking, zsr_handle h)
{
	static void (*const kind[])(struct zsr_pool *, zsr_handle) = {
		[ZSR_LOCKING_SYNC] = zsr_sync_free,
		[ZSR_LOCKING_UNLOCK_FIRST] = zsr_unlock_first_free,
		[ZSR_LOCKING_CLASS_IDX] = zsr_class_idx_free,
	};

	kind[locking](p, h);
}
