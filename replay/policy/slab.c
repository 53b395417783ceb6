// SPDX-License-Identifier: GPL-2.0-only
#include "replay/policy/slab.h"

void zsr_slab_init(struct zsr_slab *s, struct zsr_pool *p, unsigned size)
{
	s->pool = p;
	s->page_records = size < p->page_size ? p->page_size / size : 1;
}

bool zsr_slab_get(struct zsr_slab *s)
{
	struct zsr_machine *m = s->pool->m;
	unsigned *nr;
	bool ok;

	zsr_preempt_disable(m);
	nr = &s->free[zsr_cpu(m)];
	if (!*nr && zsr_pages_alloc(m, 1)) {
		zsr_pool_buffer_pages(s->pool, 1);
		*nr = s->page_records;
	}
	ok = *nr;
	if (ok) {
		--*nr;
		zsr_charge(m, ZSR_COST_node_alloc, 1);
	}
	zsr_preempt_enable(m);
	return ok;
}

static void give_back(struct zsr_slab *s, unsigned pages)
{
	zsr_pages_free(s->pool->m, pages);
	zsr_pool_buffer_pages(s->pool, -(int64_t)pages);
}

void zsr_slab_put(struct zsr_slab *s)
{
	struct zsr_machine *m = s->pool->m;
	unsigned *nr;

	zsr_preempt_disable(m);
	nr = &s->free[zsr_cpu(m)];
	zsr_charge(m, ZSR_COST_node_free, 1);
	if (++*nr >= 2 * s->page_records) {
		*nr -= s->page_records;
		give_back(s, 1);
	}
	zsr_preempt_enable(m);
}

void zsr_slab_offline(struct zsr_slab *s, unsigned cpu)
{
	zsr_preempt_disable(s->pool->m);
	s->free[zsr_cpu(s->pool->m)] += s->free[cpu];
	s->free[cpu] = 0;
	zsr_preempt_enable(s->pool->m);
}

void zsr_slab_shrink(struct zsr_slab *s)
{
	unsigned cpu, nr = 0;

	for (cpu = 0; cpu < ZSR_MAX_CPUS; cpu++) {
		nr += s->free[cpu];
		s->free[cpu] = 0;
	}
	if (nr)
		give_back(s, nr / s->page_records);
}
