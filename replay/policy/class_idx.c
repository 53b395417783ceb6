// SPDX-License-Identifier: GPL-2.0-only
#include "replay/policy/locking.h"

bool zsr_class_idx_obj_free(struct zsr_pool *p, zsr_handle h,
			    struct zsr_zspage **zspage)
{
	struct zsr_machine *m = p->m;
	unsigned class;
	bool empty;

	/* The class never changes, so it can be read without a lock; where the
	 * object lies may, so that is read under the class lock. */
	class = zsr_pool_peek_class(p, h);
	zsr_spin_lock(m, &p->class[class].lock);
	zsr_pool_locate(p, h);
	empty = zsr_pool_obj_free(p, class, h, zspage) &&
		zsr_pool_zspage_unlink(p, *zspage);
	zsr_spin_unlock(m, &p->class[class].lock);
	return empty;
}

void zsr_class_idx_free(struct zsr_pool *p, zsr_handle h)
{
	struct zsr_zspage *zspage;

	if (zsr_class_idx_obj_free(p, h, &zspage))
		zsr_pool_zspage_free(p, zspage);
	zsr_pool_handle_free(p, h);
}

static void class_idx_release(struct zsr_pool *p, const struct zsr_releaser *r,
			      uint32_t slot)
{
	(void)r;
	zsr_class_idx_free(p, zsr_pool_slot_take(p, slot));
}

const struct zsr_policy zsr_policy_class_idx = {
	.version = ZSR_MACHINE_VERSION,
	.name = "class-idx",
	.summary = "class index in the object word, class lock only",
	.text = "Every release is a whole zs_free in its caller. The object "
		"word carries the class index, so no pool lock is taken; an "
		"emptied zspage is unlinked under the class lock and its pages "
		"are given back after it is dropped.",
	.source = "Linux 7.3; series of May to July 2026",
	.store_lock = ZSR_STORE_CLASS_LOCK,
	.release = class_idx_release,
	.free_now = zsr_class_idx_free,
};
