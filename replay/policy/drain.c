// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>

#include "replay/policy/drain.h"

struct zsr_leavings *zsr_leavings_new(size_t nr)
{
	return calloc(1, sizeof(struct zsr_leavings) +
				 nr * sizeof(struct zsr_leaving));
}

void zsr_drain_object(struct zsr_pool *p, unsigned class, zsr_handle h,
		      struct zsr_leavings *l)
{
	struct zsr_zspage *zspage;

	if (zsr_pool_obj_free(p, class, h, &zspage) &&
	    zsr_pool_zspage_unlink(p, zspage))
		l->of[l->nr_zspages++].zspage = zspage;
	l->of[l->nr_handles++].handle = h;
}

void zsr_drain_zspages(struct zsr_pool *p, struct zsr_leavings *l)
{
	unsigned i;

	for (i = 0; i < l->nr_zspages; i++)
		zsr_pool_zspage_free(p, l->of[i].zspage);
	l->nr_zspages = 0;
}

void zsr_drain_leavings(struct zsr_pool *p, struct zsr_leavings *l)
{
	unsigned i;

	zsr_drain_zspages(p, l);
	for (i = 0; i < l->nr_handles; i++)
		zsr_pool_handle_free(p, l->of[i].handle);
	l->nr_handles = 0;
}
