// SPDX-License-Identifier: GPL-2.0-only
#include "replay/policy/locking.h"

void zsr_sync_free(struct zsr_pool *p, zsr_handle h)
{
	struct zsr_machine *m = p->m;
	struct zsr_zspage *zspage;
	unsigned class;

	/* The pool lock keeps the object where it is until its class is known. */
	zsr_read_lock(m, &p->lock);
	class = zsr_pool_resolve(p, h);
	zsr_spin_lock(m, &p->class[class].lock);
	zsr_read_unlock(m, &p->lock);

	if (zsr_pool_obj_free(p, class, h, &zspage) &&
	    zsr_pool_zspage_unlink(p, zspage))
		zsr_pool_zspage_free(p, zspage);
	zsr_spin_unlock(m, &p->class[class].lock);

	zsr_pool_handle_free(p, h);
}

static void sync_release(struct zsr_pool *p, const struct zsr_releaser *r,
			 uint32_t slot)
{
	(void)r;
	zsr_sync_free(p, zsr_pool_slot_take(p, slot));
}

const struct zsr_policy zsr_policy_sync = {
	.version = ZSR_MACHINE_VERSION,
	.name = "sync",
	.summary = "pool read lock and class lock, zspage freed under them",
	.text = "Every release is a whole zs_free in its caller. The pool's "
		"lock, taken for reading, resolves the handle; the class lock "
		"covers the rest, the return of an emptied zspage's pages "
		"included.",
	.source = "Linux 6.11 to 7.2",
	.store_lock = ZSR_STORE_CLASS_LOCK,
	.release = sync_release,
	.free_now = zsr_sync_free,
};
