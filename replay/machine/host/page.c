// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page allocator in front of the pools' own memory: a list a CPU, filled
 * from and emptied to the zone in batches under the zone's lock. Pages are
 * counts here; which page it is, and that it is touched, is the engine's part.
 */
#include "replay/machine/host/host.h"

/* Between the CPU's list and the zone; preemption is off. */
static void zone_move(struct zsr_host *h, struct zsr_host_cpu *c, int64_t to_cpu)
{
	zsr_spin_lock(&h->m, &h->zone);
	h->zone_pages -= to_cpu;
	c->pcp = (uint64_t)((int64_t)c->pcp + to_cpu);
	zsr_spin_unlock(&h->m, &h->zone);
}

bool zsr_host_pages_alloc(struct zsr_machine *m, unsigned nr)
{
	struct zsr_host_thread *t = zsr_host_self;
	struct zsr_host *h = zsr_host_of(m);
	struct zsr_host_cpu *c;

	zsr_host_preempt_off(t);
	c = &h->cpu[t->cpu];
	while (c->pcp < nr)
		zone_move(h, c, h->opts.pcp_batch);
	c->pcp -= nr;
	c->used += nr;
	zsr_host_preempt_on(t);
	return true;
}

void zsr_host_pages_free(struct zsr_machine *m, unsigned nr)
{
	struct zsr_host_thread *t = zsr_host_self;
	struct zsr_host *h = zsr_host_of(m);
	struct zsr_host_cpu *c;

	zsr_host_preempt_off(t);
	c = &h->cpu[t->cpu];
	c->pcp += nr;
	c->used -= nr;
	while (c->pcp > h->opts.pcp_high)
		zone_move(h, c, -(int64_t)zsr_min(c->pcp, h->opts.pcp_batch));
	zsr_host_preempt_on(t);
}

void zsr_host_pages_vanish(struct zsr_machine *m, unsigned nr)
{
	struct zsr_host_thread *t = zsr_host_self;

	zsr_host_preempt_off(t);
	zsr_host_of(m)->cpu[t->cpu].used -= nr;
	zsr_host_preempt_on(t);
}

int64_t zsr_host_pages(const struct zsr_host *h)
{
	int64_t sum = 0;
	unsigned i;

	for (i = 0; i < h->m.nr_cpus; i++)
		sum += h->cpu[i].used;
	return sum;
}
