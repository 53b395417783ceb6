/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * zs_free under each generation of locks: for the policies of those names, and
 * for all that free in the end what they queued, or could not queue.
 */
#ifndef ZSR_LOCKING_H
#define ZSR_LOCKING_H

#include "replay/policy/policy.h"

/*
 * What the parameter `locking` chooses. The one pool lock of 6.1 to 6.10 is
 * not among them: stores would have to take it too, and what lock they take is
 * the policy's, not a parameter's.
 */
enum zsr_locking {
	ZSR_LOCKING_SYNC,
	ZSR_LOCKING_UNLOCK_FIRST,
	ZSR_LOCKING_CLASS_IDX,
	ZSR_NR_LOCKINGS
};

/* Their names in that order, NULL at the end. */
extern const char *const zsr_locking_names[];

/* An entry of a policy's params: DEF is an enum zsr_locking. */
#define ZSR_PARAM_LOCKING(def, source)                                         \
	{                                                                      \
		"locking", "", def, 0, ZSR_NR_LOCKINGS - 1,                    \
			"the free's locks, as in the policy of that name",     \
			source, zsr_locking_names                              \
	}

/* A whole zs_free of H, by the caller. Does not sleep. */
void zsr_free_locked(struct zsr_pool *p, enum zsr_locking locking, zsr_handle h);

/* The same of one kind. */
void zsr_sync_free(struct zsr_pool *p, zsr_handle h);
void zsr_unlock_first_free(struct zsr_pool *p, zsr_handle h);
void zsr_class_idx_free(struct zsr_pool *p, zsr_handle h);

/* The part of zsr_class_idx_free() under the class lock. True when that emptied
 * the object's zspage, which is off its list now and the caller's to free. */
bool zsr_class_idx_obj_free(struct zsr_pool *p, zsr_handle h,
			    struct zsr_zspage **zspage);

#endif
