// SPDX-License-Identifier: GPL-2.0-only
#include "replay/policy/policy.h"

static void sync_6_1_free(struct zsr_pool *p, zsr_handle h)
{
	struct zsr_machine *m = p->m;
	struct zsr_zspage *zspage;
	unsigned class;

	zsr_spin_lock(m, &p->big_lock);
	class = zsr_pool_resolve(p, h);
	if (zsr_pool_obj_free(p, class, h, &zspage) &&
	    zsr_pool_zspage_unlink(p, zspage))
		zsr_pool_zspage_free(p, zspage);
	zsr_spin_unlock(m, &p->big_lock);

	zsr_pool_handle_free(p, h);
}

static void sync_6_1_release(struct zsr_pool *p, const struct zsr_releaser *r,
			     uint32_t slot)
{
	(void)r;
	sync_6_1_free(p, zsr_pool_slot_take(p, slot));
}

const struct zsr_policy zsr_policy_sync_6_1 = {
	.version = ZSR_MACHINE_VERSION,
	.name = "sync-6.1",
	.summary = "one pool spinlock around the whole free",
	.text = "Every release is a whole zs_free in its caller. One spinlock "
		"of the pool covers all of it, the return of an emptied "
		"zspage's pages included, for all size classes; stores take "
		"the same lock.",
	.source = "Linux 6.1 to 6.10",
	.store_lock = ZSR_STORE_BIG_LOCK,
	.release = sync_6_1_release,
	.free_now = sync_6_1_free,
};
