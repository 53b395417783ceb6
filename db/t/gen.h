/* SPDX-License-Identifier: GPL-2.0-only */
/* Random traces for the tests of db/. */
#ifndef ZSR_DB_T_GEN_H
#define ZSR_DB_T_GEN_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "db/db.h"

struct gen {
	struct zsr_rng rng;
	uint64_t t_ns;
	uint64_t next_obj;
	uint64_t *live;
	size_t nr_live;
	size_t cap;
	unsigned nr_tasks;
	bool extreme; /* every field over its whole range */
};

static inline uint64_t gen_wild(struct gen *g, unsigned max_bits)
{
	return zsr_rng_next(&g->rng) >> (64 - max_bits) >>
	       zsr_rng_below(&g->rng, max_bits);
}

static inline void gen_extremes(struct gen *g, struct zsr_event *ev)
{
	if (zsr_rng_below(&g->rng, 2))
		ev->dur_ns = gen_wild(g, 63);
	if (zsr_rng_below(&g->rng, 2))
		ev->slot = (int64_t)gen_wild(g, 63) *
			   (zsr_rng_below(&g->rng, 2) ? 1 : -1);
	if (zsr_rng_below(&g->rng, 2))
		ev->cgroup = (int32_t)gen_wild(g, 32);
	ev->gfp = (uint32_t)gen_wild(g, 32);
	ev->cpu = (uint16_t)gen_wild(g, 16);
	ev->caller = (uint8_t)zsr_rng_below(&g->rng, ZSR_CALLER_NR);
	ev->pool = (uint16_t)zsr_rng_below(&g->rng, 3);
	if (zsr_rng_below(&g->rng, 4) == 0)
		ev->flags |= ZSR_EVF_AFTER_LOSS;
	if (ev->kind > ZSR_EV_FREE)
		ev->aux = gen_wild(g, 63);
}

static inline void gen_kill(struct gen *g, struct zsr_event *ev)
{
	size_t i;

	ev->kind = ZSR_EV_FREE;
	if (!g->nr_live || zsr_rng_below(&g->rng, 50) == 0) {
		ev->flags |= ZSR_EVF_ORPHAN;
		ev->obj = ZSR_OBJ_NONE;
		return;
	}
	/* In order of birth, mostly. */
	i = zsr_rng_below(&g->rng, 4)
		    ? 0
		    : (size_t)zsr_rng_below(&g->rng, g->nr_live);
	ev->obj = g->live[2 * i];
	ev->size = (uint32_t)g->live[2 * i + 1];
	memmove(g->live + 2 * i, g->live + 2 * i + 2,
		(g->nr_live - i - 1) * 2 * sizeof(*g->live));
	g->nr_live--;
}

/* The next event; live objects stay below 200. */
static inline struct zsr_event gen_event(struct gen *g)
{
	uint64_t dice = zsr_rng_below(&g->rng, 100);
	struct zsr_event ev = {
		.obj = ZSR_OBJ_NONE,
		.slot = -1,
		.cgroup = -1,
		.cpu = (uint16_t)zsr_rng_below(&g->rng, 4),
		.task = (uint32_t)zsr_rng_below(&g->rng, g->nr_tasks),
	};

	g->t_ns += zsr_rng_below(&g->rng, 5) ? zsr_rng_below(&g->rng, 3000) : 0;
	if (g->extreme && dice < 2)
		g->t_ns += gen_wild(g, 40);
	ev.t_ns = g->t_ns;
	if (dice < 4) {
		ev.kind = (uint8_t)(ZSR_EV_COMPACT + zsr_rng_below(&g->rng, 4));
	} else if (dice < 50 && g->nr_live < 200) {
		ev.kind = ZSR_EV_MALLOC;
		ev.obj = g->next_obj++;
		ev.size = 1 + (uint32_t)zsr_rng_below(&g->rng, 4096);
		ev.dur_ns = 300 + zsr_rng_below(&g->rng, 500);
		if (zsr_grow(&g->live, &g->cap, 2 * g->nr_live + 2,
			     sizeof(*g->live)))
			abort();
		g->live[2 * g->nr_live] = ev.obj;
		g->live[2 * g->nr_live++ + 1] = ev.size;
	} else {
		gen_kill(g, &ev);
	}
	if (g->extreme)
		gen_extremes(g, &ev);
	return ev;
}

static inline bool gen_same(const struct zsr_event *a, const struct zsr_event *b)
{
	return a->t_ns == b->t_ns && a->dur_ns == b->dur_ns &&
	       a->obj == b->obj && a->aux == b->aux && a->slot == b->slot &&
	       a->size == b->size && a->gfp == b->gfp && a->task == b->task &&
	       a->cgroup == b->cgroup && a->cpu == b->cpu &&
	       a->pool == b->pool && a->kind == b->kind &&
	       a->caller == b->caller && a->flags == b->flags;
}

/* A path for a database that is not there, in a directory of its own. */
static inline const char *gen_path(void)
{
	static char path[64];
	char dir[] = "/tmp/zsr-db-XXXXXX";

	if (!mkdtemp(dir))
		abort();
	snprintf(path, sizeof(path), "%s/t.db", dir);
	return path;
}

static inline void gen_cleanup(const char *path)
{
	char cmd[128];

	snprintf(cmd, sizeof(cmd), "rm -r %.*s",
		 (int)(strlen(path) - strlen("/t.db")), path);
	if (system(cmd))
		abort();
}

static inline struct zsr_trace gen_facts(const char *name)
{
	struct zsr_trace t = {
		.page_size = 4096,
		.chain_size = 8,
		.times = ZSR_TIMES_SYNTHETIC,
		.from_empty = true,
		.kernel = "6.12.117+deb12-arm64",
		.format = "synth",
		.clock = "mono",
	};

	snprintf(t.name, sizeof(t.name), "%s", name);
	return t;
}

#endif
