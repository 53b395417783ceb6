// SPDX-License-Identifier: GPL-2.0-only
/* What the system counted of each thread, and what it took from them. */
#include <stdlib.h>

#include "replay/host_player_private.h"

struct counting {
	struct zsr_run *run;
	const char *who;
	unsigned nr;
	int ret;
};

static void put(struct counting *c, const char *what, uint64_t value)
{
	char name[sizeof(c->run->counters[0].name)];

	snprintf(name, sizeof(name), "host.%s.%u.%s", c->who, c->nr, what);
	if (!c->ret)
		c->ret = zsr_run_count(c->run, name, value);
}

static void count_thread(void *ctx, const struct zsr_host_thread *t)
{
	struct counting *c = ctx;
	uint64_t value;
	unsigned i;

	for (i = 0; i < ZSR_HOST_EVENTS; i++)
		if (zsr_host_events_read(&t->events, i, &value))
			put(c, zsr_host_event[i].name, value);
	put(c, "switches", __atomic_load_n(&t->switches, __ATOMIC_RELAXED));
	put(c, "displaced", __atomic_load_n(&t->displaced, __ATOMIC_RELAXED));
	c->nr++;
}

int zsr_host_count(struct host_player *p, const struct zsr_host_counts *all)
{
	struct counting c = { .run = p->run, .who = "task" };
	uint64_t lost = 0, lost_ticks = 0;
	uint32_t i;

	for (i = 0; i < p->s->common.trace->nr_tasks; i++) {
		count_thread(&c, &p->task[i].self);
		lost += p->task[i].nr_displaced;
		lost_ticks += p->task[i].in_displaced;
	}
	c.who = "worker";
	c.nr = 0;
	zsr_host_each_worker(p->h, count_thread, &c);
	if (!c.ret)
		c.ret = zsr_run_count(p->run, "host.displaced_frees", lost);
	if (!c.ret)
		c.ret = zsr_run_count(p->run, "host.displaced_ns",
				      zsr_ticks_ps(&p->h->clock, lost_ticks) /
					      1000);
	if (!c.ret)
		c.ret = zsr_run_count(p->run, "host.yields", all->yields);
	return c.ret;
}
