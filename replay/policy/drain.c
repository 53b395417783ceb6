// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>

#include "replay/policy/drain.h"

struct zsr_emptied *zsr_emptied_new(size_t nr)
{
	return calloc(1, sizeof(struct zsr_emptied) +
				 nr * sizeof(struct zsr_zspage *));
}

void zsr_drain_handle(struct zsr_pool *p, unsigned class, zsr_handle h,
		      struct zsr_emptied *e)
{
	struct zsr_zspage *zspage;

	zsr_pool_locate(p, h);
	if (zsr_pool_obj_free(p, class, h, &zspage) &&
	    zsr_pool_zspage_unlink(p, zspage))
		e->zspage[e->nr++] = zspage;
	zsr_pool_handle_free(p, h);
}

void zsr_drain_unlock(struct zsr_pool *p, unsigned class, struct zsr_emptied *e)
{
	unsigned i;

	zsr_spin_unlock(p->m, &p->class[class].lock);
	for (i = 0; i < e->nr; i++)
		zsr_pool_zspage_free(p, e->zspage[i]);
	e->nr = 0;
}
