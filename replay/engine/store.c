// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of a pool. Records are carved from chunks; freed ones wait at their
 * class for its next zspage. Cells are one array; freed ones are reused last
 * in, first out.
 *
 * A shared pool's cells must not move: address space for all there can be is
 * reserved and memory comes as it is touched. Its cells and records are handed
 * out under a lock of its own.
 */
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "replay/engine/object.h"

#define CHUNK_LEN    ((size_t)1 << 20)
#define MIN_RESERVED (1u << 20) /* cells */
#define BATCH        64 /* cells */
#define SPINS        1000

struct chunk {
	struct chunk *next;
	_Alignas(ZSR_LINE) char data[];
};

struct zsr_store {
	bool locked;
	uint32_t free_handle; /* of a shared pool */
	struct chunk *chunks;
	size_t used; /* bytes of the first one */
	struct zsr_zspage *free_records[ZSR_MAX_CLASSES];
};

static void store_lock(struct zsr_engine *e)
{
	unsigned spins = 0;

	if (!e->shared)
		return;
	while (__atomic_test_and_set(&e->store->locked, __ATOMIC_ACQUIRE))
		while (__atomic_load_n(&e->store->locked, __ATOMIC_RELAXED))
			if (++spins % SPINS)
				zsr_cpu_relax();
			else /* its holder may wait for our CPU */
				sched_yield();
}

static void store_unlock(struct zsr_engine *e)
{
	if (e->shared)
		__atomic_clear(&e->store->locked, __ATOMIC_RELEASE);
}

/* As much as the system grants: limits on address space are common. */
static int reserve_cells(struct zsr_engine *e)
{
	size_t n;
	void *p;

	for (n = ZSR_MAX_HANDLES; n >= MIN_RESERVED; n /= 2) {
		p = mmap(NULL, n * sizeof(*e->cells), PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (p == MAP_FAILED)
			continue;
		e->cells = p;
		e->cells_cap = n;
		return 0;
	}
	return -ENOMEM;
}

int zsr_store_init(struct zsr_engine *e)
{
	e->nr_handles = 1; /* 0 is no handle */
	e->store = calloc(1, sizeof(*e->store));
	if (!e->store)
		return -ENOMEM;
	if (e->shared)
		return reserve_cells(e);
	return zsr_grow(&e->cells, &e->cells_cap, 1024, sizeof(*e->cells));
}

void zsr_store_destroy(struct zsr_engine *e)
{
	struct chunk *c, *next;

	if (e->shared && e->cells)
		munmap(e->cells, e->cells_cap * sizeof(*e->cells));
	else
		free(e->cells);
	for (c = e->store ? e->store->chunks : NULL; c; c = next) {
		next = c->next;
		free(c);
	}
	free(e->store);
}

/* ---- cells ------------------------------------------------------------- */

/* The pool's own, or that under the lock where it is shared. */
static uint32_t *free_list(struct zsr_engine *e)
{
	if (e->shared)
		return &e->store->free_handle;
	return e->backed ? &e->free_backed : &e->free_handle;
}

static void push_cell(struct zsr_engine *e, zsr_handle h)
{
	uint32_t *list = free_list(e);

	__atomic_store_n(&e->cells[h], *list, __ATOMIC_RELAXED);
	*list = h;
}

/* A batch of cells never used: the first one, the others go to the free list,
 * lowest number first. */
static zsr_handle carve_cells(struct zsr_engine *e)
{
	uint32_t first = e->nr_handles, end = first + BATCH, h;

	if (end > e->cells_cap &&
	    (e->shared || end > ZSR_MAX_HANDLES ||
	     zsr_grow(&e->cells, &e->cells_cap, end, sizeof(*e->cells))))
		return 0;
	for (h = end - 1; h > first; h--)
		push_cell(e, h);
	e->nr_handles = end;
	return first;
}

static zsr_handle pop_cell(struct zsr_engine *e)
{
	uint32_t *list = free_list(e);
	zsr_handle h = *list;

	if (!h)
		return carve_cells(e);
	*list = (uint32_t)cell_read(e, h);
	return h;
}

zsr_handle zsr_cell_alloc_slow(struct zsr_engine *e)
{
	zsr_handle h;

	store_lock(e);
	h = pop_cell(e);
	store_unlock(e);
	return h;
}

void zsr_cell_free_shared(struct zsr_engine *e, zsr_handle h)
{
	store_lock(e);
	push_cell(e, h);
	store_unlock(e);
}

/* ---- a thread's own cells ------------------------------------------------ */

zsr_handle zsr_engine_handle_alloc_cached(struct zsr_engine *e,
					  struct zsr_handle_cache *cache)
{
	zsr_handle h;

	if (!cache->nr) {
		store_lock(e);
		while (cache->nr < ZSR_HANDLE_CACHE / 2 && (h = pop_cell(e)))
			cache->handle[cache->nr++] = h;
		store_unlock(e);
	}
	return cache->nr ? cache->handle[--cache->nr] : 0;
}

static void give_back(struct zsr_engine *e, struct zsr_handle_cache *cache,
		      unsigned left)
{
	store_lock(e);
	while (cache->nr > left)
		push_cell(e, cache->handle[--cache->nr]);
	store_unlock(e);
}

void zsr_engine_handle_free_cached(struct zsr_engine *e,
				   struct zsr_handle_cache *cache, zsr_handle h)
{
	if (cache->nr == ZSR_HANDLE_CACHE)
		give_back(e, cache, ZSR_HANDLE_CACHE / 2);
	cache->handle[cache->nr++] = h;
}

void zsr_engine_handle_drain(struct zsr_engine *e,
			     struct zsr_handle_cache *cache)
{
	give_back(e, cache, 0);
}

/* ---- records ----------------------------------------------------------- */

static struct zsr_zspage *record_carve(struct zsr_engine *e,
				       const struct zsr_class *c)
{
	size_t len = offsetof(struct zsr_zspage, slot) +
		     c->objs * sizeof(uint32_t);
	struct zsr_store *s = e->store;
	struct zsr_zspage *z;
	struct chunk *chunk;

	if (e->backed)
		len = sizeof(struct zsr_zspage);
	len = (len + ZSR_LINE - 1) / ZSR_LINE * ZSR_LINE;
	if (!s->chunks || s->used + len > CHUNK_LEN) {
		chunk = aligned_alloc(ZSR_LINE, CHUNK_LEN);
		if (!chunk)
			return NULL;
		chunk->next = s->chunks;
		s->chunks = chunk;
		s->used = sizeof(*chunk);
	}
	z = (struct zsr_zspage *)((char *)s->chunks + s->used);
	s->used += len;
	z->class = (uint16_t)class_index(e, c);
	z->pages = c->pages;
	return z;
}

static void record_push(struct zsr_engine *e, struct zsr_zspage *z)
{
	struct zsr_zspage **list = &e->store->free_records[z->class];

	z->next = *list;
	*list = z;
}

struct zsr_zspage *zsr_record_alloc(struct zsr_engine *e, struct zsr_class *c)
{
	struct zsr_zspage **list, *z;

	store_lock(e);
	list = &e->store->free_records[class_index(e, c)];
	z = *list;
	if (z)
		*list = z->next;
	else
		z = record_carve(e, c);
	if (z && e->backed && !zsr_chain_alloc(e, z)) {
		record_push(e, z);
		z = NULL;
	}
	store_unlock(e);
	return z;
}

void zsr_record_free(struct zsr_engine *e, struct zsr_zspage *z)
{
	if (e->gives_back)
		zsr_chain_give_back(e, z);
	store_lock(e);
	if (e->backed)
		zsr_chain_free(e, z);
	record_push(e, z);
	store_unlock(e);
}
