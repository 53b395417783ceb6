// SPDX-License-Identifier: GPL-2.0-only
#include "replay/policy/locking.h"

void zsr_unlock_first_free(struct zsr_pool *p, zsr_handle h)
{
	struct zsr_machine *m = p->m;
	struct zsr_zspage *zspage;
	unsigned class;
	bool empty;

	zsr_read_lock(m, &p->lock);
	class = zsr_pool_resolve(p, h);
	zsr_spin_lock(m, &p->class[class].lock);
	zsr_read_unlock(m, &p->lock);

	/* Off its list nobody else finds the zspage: it can wait. */
	empty = zsr_pool_obj_free(p, class, h, &zspage) &&
		zsr_pool_zspage_unlink(p, zspage);
	zsr_spin_unlock(m, &p->class[class].lock);

	if (empty)
		zsr_pool_zspage_free(p, zspage);
	zsr_pool_handle_free(p, h);
}

static void unlock_first_release(struct zsr_pool *p,
				 const struct zsr_releaser *r, uint32_t slot)
{
	(void)r;
	zsr_unlock_first_free(p, zsr_pool_slot_take(p, slot));
}

const struct zsr_policy zsr_policy_unlock_first = {
	.version = ZSR_MACHINE_VERSION,
	.name = "unlock-first",
	.summary = "as sync, zspage freed after the class lock is dropped",
	.text = "Every release is a whole zs_free in its caller, with the "
		"pool's lock and the class lock as sync takes them. An emptied "
		"zspage is only unlinked under the class lock; its pages go "
		"back after that is dropped, so that nobody waits for the page "
		"allocator through the class lock.",
	.source = "RFC v2 1/4 of 21 April 2026",
	.store_lock = ZSR_STORE_CLASS_LOCK,
	.release = unlock_first_release,
	.free_now = zsr_unlock_first_free,
};
