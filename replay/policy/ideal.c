// SPDX-License-Identifier: GPL-2.0-only
#include "replay/policy/policy.h"

enum { LEVEL };

enum level { ENTRY, SLOT, HANDLE };

static const char *const levels[] = { "entry", "slot", "handle", NULL };

static const struct zsr_param params[] = {
	[LEVEL] = { "level", "", ENTRY, ENTRY, HANDLE,
		    "what costs nothing: the whole swap entry, the slot, or "
		    "zs_free of the handle alone",
		    "ours: bounds every policy", levels },
};

static void ideal_release(struct zsr_pool *p, const struct zsr_releaser *r,
			  uint32_t slot)
{
	enum level level = (enum level)p->param[LEVEL];

	(void)r;
	zsr_pool_vanish(p, level == HANDLE ? zsr_pool_slot_take(p, slot)
					   : zsr_pool_slot_vanish(p, slot));
	if (level == ENTRY)
		zsr_pool_slot_put(p, slot);
	else
		zsr_pool_swap_free(p, slot);
}

const struct zsr_policy zsr_policy_ideal = {
	.version = ZSR_MACHINE_VERSION,
	.name = "ideal",
	.summary = "unrealisable bound: nobody frees, at no cost",
	.text = "No kernel can do this. What is released is free at that "
		"instant, its pages are with the page allocator, and neither "
		"the caller nor a worker has spent any time. Caller time, CPU "
		"time and the time until pages are back are lower bounds for "
		"every other policy: with level=entry for all of them, with "
		"level=slot for those that leave the swap core's part to the "
		"caller, with level=handle for those that leave it the slot's "
		"bookkeeping too. The rest of the caller's work costs what it "
		"costs.",
	.source = "ours",
	.params = params,
	.nr_params = ZSR_ARRAY_SIZE(params),
	.flags = ZSR_POLICY_ENTRIES,
	.store_lock = ZSR_STORE_CLASS_LOCK,
	.release = ideal_release,
	.free_now = zsr_pool_vanish,
};
