// SPDX-License-Identifier: GPL-2.0-only
/*
 * Op sequences of our own, always the same: each drives one part of the
 * allocator through its states.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "replay/engine/check/private.h"

#define MAX_IDS   (1u << 18)
#define MAX_LOCKS 16

/*
 * Sizes like those lzo-rle leaves of 4 KiB of anonymous memory, as 32nds of
 * the distribution; other page sizes have them in proportion.
 */
static const uint16_t lzo_rle[33] = {
	41,   744,  885,  918,  985,  1011, 1025, 1035, 1045, 1054, 1062,
	1072, 1086, 1127, 1219, 1258, 1318, 1356, 1375, 1406, 1493, 1538,
	1557, 1575, 1599, 1644, 1695, 1756, 1813, 1833, 1859, 1911, 3600,
};

struct gen {
	FILE *f;
	struct zsr_rng rng;
	unsigned page_size;
	uint32_t nr_ids;
	uint32_t nr_live;
	uint32_t live[MAX_IDS];
	uint32_t locked[MAX_LOCKS];
	unsigned nr_locked;
	unsigned nr_queued;
};

static uint64_t below(struct gen *g, uint64_t n)
{
	return zsr_rng_below(&g->rng, n);
}

static uint64_t between(struct gen *g, uint64_t a, uint64_t b)
{
	return a + below(g, b - a + 1);
}

static unsigned lzo_size(struct gen *g)
{
	unsigned k;

	if (below(g, 100) < 4)
		return g->page_size;
	k = (unsigned)below(g, 32);
	return (unsigned)between(g, lzo_rle[k], lzo_rle[k + 1]) *
	       (g->page_size / 4096);
}

static unsigned any_size(struct gen *g)
{
	return (unsigned)between(g, 1, g->page_size);
}

/* ---- ops ------------------------------------------------------------------ */

static uint32_t add_malloc(struct gen *g, uint64_t size)
{
	fprintf(g->f, "m,%" PRIu32 ",%" PRIu64 "\n", g->nr_ids, size);
	g->live[g->nr_live++] = g->nr_ids;
	return g->nr_ids++;
}

/* Takes out the Ith of the live; the last one takes its place. */
static uint32_t take(struct gen *g, uint32_t i)
{
	uint32_t id = g->live[i];

	g->live[i] = g->live[--g->nr_live];
	return id;
}

static void add_id(struct gen *g, char op, uint32_t id)
{
	fprintf(g->f, "%c,%" PRIu32 ",\n", op, id);
}

static void add_free(struct gen *g, uint32_t i)
{
	add_id(g, 'f', take(g, i));
}

static void add_free_any(struct gen *g)
{
	add_free(g, (uint32_t)below(g, g->nr_live));
}

static void add_plain(struct gen *g, char op)
{
	fprintf(g->f, "%c,,\n", op);
}

static void unlock_all(struct gen *g)
{
	while (g->nr_locked)
		add_id(g, 'u', g->locked[--g->nr_locked]);
}

static void lock_any(struct gen *g)
{
	uint32_t id = g->live[below(g, g->nr_live)];
	unsigned i;

	for (i = 0; i < g->nr_locked; i++)
		if (g->locked[i] == id)
			return;
	fprintf(g->f, "l,%" PRIu32 ",%" PRIu64 "\n", id, below(g, 16));
	g->locked[g->nr_locked++] = id;
}

/* Fisher-Yates over a stretch of the live. */
static void shuffle(struct gen *g, uint32_t from, uint32_t n)
{
	while (n > 1) {
		uint32_t j = from + (uint32_t)below(g, n--);
		uint32_t id = g->live[j];

		g->live[j] = g->live[from + n];
		g->live[from + n] = id;
	}
}

/* ---- patterns --------------------------------------------------------------- */

/* About TARGET live objects once there are as many. */
static void mix(struct gen *g, unsigned ops, unsigned target, unsigned every,
		unsigned (*size)(struct gen *g))
{
	unsigned i;

	for (i = 1; i <= ops; i++) {
		if (!g->nr_live || below(g, 2 * target) >= g->nr_live)
			add_malloc(g, size(g));
		else
			add_free_any(g);
		if (every && i % every == 0)
			add_plain(g, 'c');
	}
}

static void any_sizes(struct gen *g)
{
	mix(g, 20000, 3000, 2000, any_size);
}

static void lzo_sizes(struct gen *g)
{
	mix(g, 200000, 30000, 25000, lzo_size);
}

static unsigned few_sizes(struct gen *g)
{
	static const unsigned parts[] = { 40, 410, 1000, 1500, 2700 };

	if (below(g, 100) < 40)
		return any_size(g);
	return parts[below(g, 5)] * (g->page_size / 4096);
}

static void compact_often(struct gen *g)
{
	mix(g, 10000, 800, 50, few_sizes);
}

/* Near the watermark of the huge class, and of the page. */
static unsigned edge_size(struct gen *g)
{
	unsigned unit = g->page_size / 256;

	return g->page_size - (unsigned)below(g, 72 * unit);
}

static void huge_edge(struct gen *g)
{
	mix(g, 8000, 900, 500, edge_size);
}

static unsigned bad_size(struct gen *g)
{
	switch (below(g, 8)) {
	case 0:
		return 0;
	case 1:
		return g->page_size + 1 + (unsigned)below(g, g->page_size);
	}
	return any_size(g);
}

/* An id that was refused is dead: nothing is freed. */
static void refused_sizes(struct gen *g)
{
	unsigned i;

	for (i = 0; i < 500; i++)
		add_malloc(g, bad_size(g));
}

static void every_size(struct gen *g)
{
	unsigned step = g->page_size / 4096, size, i, n;

	for (size = 1; size <= g->page_size; size += step)
		add_malloc(g, size);
	shuffle(g, 0, g->nr_live);
	n = g->nr_live;
	for (i = 1; i <= n; i++) {
		add_free(g, g->nr_live - 1);
		if (i % 500 == 0)
			add_plain(g, 'c');
	}
}

/* Full zspages of one size at a time go down through all groups together. */
static void all_groups(struct gen *g)
{
	static const unsigned sizes[] = { 32,   100,  250,  500,  800,
					  1200, 1800, 2500, 3000, 3500 };
	unsigned i, k, n;

	for (i = 0; i < ZSR_ARRAY_SIZE(sizes); i++) {
		for (k = 0; k < 600; k++)
			add_malloc(g, sizes[i] * (g->page_size / 4096));
		/* Every third of those left, again and again. */
		while (g->nr_live > 60) {
			n = g->nr_live;
			for (k = 0; k < n / 3; k++)
				add_free(g, (uint32_t)(n - 1 - 3 * k));
		}
		add_plain(g, 'c');
		for (k = 0; k < 100; k++)
			add_malloc(g, sizes[i] * (g->page_size / 4096));
		while (g->nr_live)
			add_free_any(g);
	}
}

/* One class at a time, so full that compaction moves nothing but may turn the
 * order of a list round. */
static void list_order(struct gen *g)
{
	unsigned round, i, size;

	for (round = 0; round < 12; round++) {
		size = (unsigned)between(g, g->page_size / 40, g->page_size / 2);
		for (i = 0; i < 400; i++)
			add_malloc(g, size);
		for (i = 0; i < 250; i++) {
			add_free_any(g);
			add_free_any(g);
			if (i % 4 == 0)
				add_plain(g, 'c');
			add_malloc(g, size);
			add_malloc(g, size);
		}
		while (g->nr_live)
			add_free_any(g);
	}
}

/* A process of N objects ends: free in order, backwards, or in runs. */
static void process_exit(struct gen *g, uint32_t first, uint32_t n)
{
	uint32_t i, how = (uint32_t)below(g, 3);

	if (how == 1)
		for (i = 0; i < n / 2; i++) {
			uint32_t id = g->live[first + i];

			g->live[first + i] = g->live[first + n - 1 - i];
			g->live[first + n - 1 - i] = id;
		}
	if (how == 2)
		for (i = 0; i + 16 <= n; i += 16)
			shuffle(g, first + i, 16);
	for (i = 0; i < n; i++)
		add_id(g, 'f', g->live[first + i]);
	for (i = first; i + n < g->nr_live; i++)
		g->live[i] = g->live[i + n];
	g->nr_live -= n;
}

/* 24 processes of 200 to 1500 objects; some are rewritten meanwhile. */
static void process_exits(struct gen *g)
{
	uint32_t nr[24] = { 0 }, first, p, i, exits = 0;

	while (exits < 56) {
		p = (uint32_t)below(g, 24);
		for (first = 0, i = 0; i < p; i++)
			first += nr[i];
		if (nr[p]) {
			process_exit(g, first, nr[p]);
			nr[p] = 0;
			if (++exits % 20 == 0)
				add_plain(g, 'c');
			continue;
		}
		/* New ones are born at the end, then moved to their place. */
		nr[p] = (uint32_t)between(g, 200, 1500);
		for (i = 0; i < nr[p]; i++)
			add_malloc(g, lzo_size(g));
		for (i = 0; i < nr[p]; i++) {
			uint32_t id = g->live[g->nr_live - nr[p] + i], k;

			for (k = g->nr_live - nr[p] + i; k > first + i; k--)
				g->live[k] = g->live[k - 1];
			g->live[first + i] = id;
		}
		for (i = 0; i < nr[p] / 8; i++) {
			uint32_t at = first + (uint32_t)below(g, nr[p]);
			uint32_t old = g->live[at];

			g->live[at] = add_malloc(g, lzo_size(g));
			g->nr_live--;
			add_id(g, 'f', old);
		}
	}
}

/* Slots of a compressed device: low numbers are written more often; the new
 * object comes before the old one goes. */
static void slot_churn(struct gen *g)
{
	static uint32_t slot[10000]; /* id + 1 */
	unsigned i, at;

	for (i = 0; i < ZSR_ARRAY_SIZE(slot); i++)
		slot[i] = 0;
	for (i = 1; i <= 55000; i++) {
		uint32_t old;

		at = (unsigned)below(g, 10000);
		if (below(g, 2))
			at = (unsigned)below(g, at + 1);
		old = slot[at];
		slot[at] = 0;
		if (!old || below(g, 10)) {
			slot[at] = add_malloc(g, lzo_size(g)) + 1;
			g->nr_live = 0;
		}
		if (old)
			add_id(g, 'f', old - 1);
		if (i % 10000 == 0)
			add_plain(g, 'c');
	}
}

/* Page locks hold emptied zspages back; compaction meets them. */
static void page_locks(struct gen *g)
{
	unsigned i;

	for (i = 1; i <= 8000; i++) {
		if (!g->nr_live || below(g, 160) >= g->nr_live)
			add_malloc(g, few_sizes(g));
		else
			add_free_any(g);
		if (g->nr_live && g->nr_locked < MAX_LOCKS && !below(g, 4))
			lock_any(g);
		if (i % 130 == 0)
			add_plain(g, 'c');
		if (i % 100 == 0) {
			unlock_all(g);
			add_plain(g, 'w');
		}
	}
	while (g->nr_live)
		add_free_any(g);
	unlock_all(g);
	add_plain(g, 'w');
}

/* Sources survive a compaction half moved, destinations fill from their free
 * lists: later mallocs show the order of those. */
static void locked_sources(struct gen *g)
{
	unsigned round, i;

	for (round = 0; round < 24; round++) {
		for (i = 0; i < 300; i++)
			add_malloc(g, few_sizes(g));
		for (i = 0; i < 220; i++)
			add_free_any(g);
		while (g->nr_locked < MAX_LOCKS)
			lock_any(g);
		add_plain(g, 'c');
		for (i = 0; i < 60; i++)
			add_malloc(g, few_sizes(g));
		add_plain(g, 'c');
		unlock_all(g);
		add_plain(g, 'w');
	}
}

static void deferred_frees(struct gen *g)
{
	unsigned i;

	for (i = 1; i <= 20000; i++) {
		if (!g->nr_live || below(g, 4000) >= g->nr_live) {
			add_malloc(g, lzo_size(g));
		} else {
			add_id(g, 'q', take(g, (uint32_t)below(g, g->nr_live)));
			g->nr_queued++;
		}
		if (g->nr_queued == 200) {
			fputs("r,64,\n", g->f);
			g->nr_queued -= 64;
		}
		if (i % 5000 == 0) {
			fputs("r,0,\nc,,\n", g->f);
			g->nr_queued = 0;
		}
	}
}

/* ---- the list of them ---------------------------------------------------------- */

struct pattern {
	const char *name;
	uint64_t seed;
	void (*write)(struct gen *g);
};

static const struct pattern patterns[] = {
	{ "every size", 1, every_size },
	{ "any sizes", 2, any_sizes },
	{ "sizes at the huge edge", 3, huge_edge },
	{ "refused sizes", 4, refused_sizes },
	{ "down through all groups", 5, all_groups },
	{ "order of the lists", 6, list_order },
	{ "compaction often", 7, compact_often },
	{ "page locks", 8, page_locks },
	{ "compaction under page locks", 9, locked_sources },
	{ "deferred frees", 10, deferred_frees },
	{ "slots rewritten", 11, slot_churn },
	{ "processes exit", 12, process_exits },
	{ "lzo-rle-like sizes", 1006, lzo_sizes },
};

static const struct pattern timed[] = {
	{ "random_lzo_200k", 1006, lzo_sizes },
	{ "process_exit_100k", 1010, process_exits },
	{ "slot_churn_100k", 1014, slot_churn },
};

static const char *generate(const struct pattern *p, unsigned page_size, FILE *f)
{
	struct gen *g = calloc(1, sizeof(*g));

	if (!g) {
		errno = ENOMEM;
		return "";
	}
	g->f = f;
	g->rng.state = p->seed;
	g->page_size = page_size;
	fputs("op,id,size\n", f);
	p->write(g);
	free(g);
	return p->name;
}

const char *zsr_check_generate(unsigned i, unsigned page_size, FILE *f)
{
	return i < ZSR_ARRAY_SIZE(patterns)
		       ? generate(&patterns[i], page_size, f)
		       : NULL;
}

const char *zsr_check_generate_timed(unsigned i, unsigned page_size, FILE *f)
{
	return i < ZSR_ARRAY_SIZE(timed) ? generate(&timed[i], page_size, f)
					 : NULL;
}
