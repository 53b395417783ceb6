/* SPDX-License-Identifier: GPL-2.0-only */
/* Records of a machine with four CPUs, whose tasks store pages and release them
 * in turn. */
#ifndef ZSR_DB_BENCH_GEN_H
#define ZSR_DB_BENCH_GEN_H

#include <stdlib.h>

#include "base/base.h"
#include "event/event.h"

#define NR_CPUS  4
#define PER_TASK 65536 /* objects a task stores before it releases */

/* One CPU, on which one task stores and releases. */
struct cpu {
	uint64_t t_ns;
	uint64_t handle[PER_TASK];
	uint32_t nr;
	bool releasing;
	struct zsr_rec ret; /* the return that comes next */
	bool returning;
};

struct gen {
	struct zsr_rng rng;
	struct cpu cpu[NR_CPUS];
	uint64_t free_handle[NR_CPUS * PER_TASK];
	uint32_t nr_free;
};

static inline void next_call(struct gen *g, unsigned nr, struct zsr_rec *rec)
{
	struct cpu *c = &g->cpu[nr];
	struct zsr_rec r = {
		.pool = 0xffff888001000000,
		.pid = (int32_t)(1000 + nr),
		.cpu = (uint16_t)nr,
		.has = ZSR_REC_HAS_POOL,
	};

	if (c->nr == PER_TASK || c->nr == 0)
		c->releasing = c->nr == PER_TASK;
	c->t_ns += (c->releasing ? 500 : 2500) + zsr_rng_below(&g->rng, 1200);
	r.t_ns = c->t_ns;
	if (c->releasing) {
		r.kind = ZSR_REC_FREE;
		r.handle = c->handle[PER_TASK - c->nr--];
		g->free_handle[g->nr_free++] = r.handle;
		*rec = r;
		r.kind = ZSR_REC_FREE_RET;
	} else {
		/* What zram sees: most sizes once, some pages whole. */
		r.kind = ZSR_REC_MALLOC;
		r.value = zsr_rng_below(&g->rng, 8)
				  ? 200 + zsr_rng_below(&g->rng, 3000)
				  : 4096;
		r.gfp = 0x2c0a;
		r.has |= ZSR_REC_HAS_SIZE | ZSR_REC_HAS_GFP;
		*rec = r;
		r.kind = ZSR_REC_MALLOC_RET;
		r.handle = g->free_handle[--g->nr_free];
		c->handle[c->nr++] = r.handle;
	}
	c->t_ns += 300 + zsr_rng_below(&g->rng, 400);
	r.t_ns = c->t_ns;
	c->ret = r;
}

/* The records in time order: always from the CPU that is furthest back. */
static inline void next_rec(struct gen *g, struct zsr_rec *rec)
{
	unsigned i, first = 0;
	struct cpu *c;

	for (i = 1; i < NR_CPUS; i++)
		if (g->cpu[i].t_ns < g->cpu[first].t_ns)
			first = i;
	c = &g->cpu[first];
	if (c->returning)
		*rec = c->ret;
	else
		next_call(g, first, rec);
	c->returning = !c->returning;
}

static inline struct gen *make_gen(void)
{
	struct gen *g = calloc(1, sizeof(*g));
	uint32_t i, j;
	uint64_t swap;

	if (!g)
		exit(4);
	g->rng.state = 1;
	for (i = 0; i < NR_CPUS * PER_TASK; i++)
		g->free_handle[i] = 0xffff888100000000 + 8ull * i;
	/* A slab that has been in use for a while. */
	for (i = NR_CPUS * PER_TASK - 1; i; i--) {
		j = (uint32_t)zsr_rng_below(&g->rng, i + 1);
		swap = g->free_handle[i];
		g->free_handle[i] = g->free_handle[j];
		g->free_handle[j] = swap;
	}
	g->nr_free = NR_CPUS * PER_TASK;
	return g;
}

#endif
