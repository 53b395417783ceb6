/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stand-ins: pages and slabs. Page frames are numbered from 1 and lie in one
 * stretch of memory, so that a page, its number and its contents are found by
 * arithmetic. Free pages are on a list of the thread, as long as a kernel's
 * list of a CPU, which exchanges batches with a common one.
 */
#ifndef ZSR_STANDIN_MEMORY_H
#define ZSR_STANDIN_MEMORY_H

#include <standin/locks.h>

/* PAGE_SHIFT comes from the command line. */
#define PAGE_SIZE                 (1UL << PAGE_SHIFT)
#define PAGE_MASK                 (~(PAGE_SIZE - 1))
#define offset_in_page(p)         ((unsigned long)(p) & ~PAGE_MASK)
#define MAX_POSSIBLE_PHYSMEM_BITS 52

#define GFP_KERNEL    0u
#define GFP_NOWAIT    0u
#define GFP_ATOMIC    0u
#define __GFP_HIGHMEM 1u
#define __GFP_MOVABLE 2u
#define __GFP_NOWARN  4u
#define NUMA_NO_NODE  (-1)

/* ---- pages ---------------------------------------------------------------------- */

struct zone;
struct folio;

/* As large as the kernel's, and the fields where its own descriptors of this
 * memory expect them. */
struct page {
	unsigned long flags;
	union {
		struct list_head lru;
		struct page *freelist;
	};
	void *mapping;
	union {
		unsigned long index;
		unsigned long __folio_index;
	};
	unsigned long private;
	union {
		unsigned int page_type;
		unsigned int units;
	};
	atomic_t _refcount;
	unsigned long memcg_data;
};

#define ZSR_MAX_PAGES (1UL << 24)
#define ZSR_MIN_PAGES (1UL << 14)
#define ZSR_PCP_HIGH  378
#define ZSR_PCP_BATCH 63

static struct page *zsr_mem_map;
static char *zsr_mem;
static unsigned long zsr_pages_left;
static unsigned long zsr_next_pfn = 1;
static unsigned long zsr_pages_out; /* allocated now */
static struct page *zsr_common_pages;
static __thread struct page *zsr_own_pages;
static __thread unsigned zsr_nr_own_pages;

#define page_to_pfn(p)  ((unsigned long)((p)-zsr_mem_map))
#define pfn_to_page(n)  (zsr_mem_map + (n))
#define page_address(p) ((void *)(zsr_mem + (page_to_pfn(p) << PAGE_SHIFT)))

static int zsr_memory_init(void)
{
	unsigned long nr;

	for (nr = ZSR_MAX_PAGES; nr >= ZSR_MIN_PAGES; nr /= 2) {
		zsr_mem_map = zsr_host->reserve(nr * sizeof(struct page));
		zsr_mem = zsr_host->reserve(nr << PAGE_SHIFT);
		zsr_pages_left = nr - 1;
		if (zsr_mem_map && zsr_mem)
			return 0;
	}
	return -ENOMEM;
}

static inline void zsr_push_page(struct page **list, struct page *page)
{
	page->lru.next = (struct list_head *)*list;
	*list = page;
}

static inline struct page *zsr_pop_page(struct page **list)
{
	struct page *page = *list;

	*list = (struct page *)page->lru.next;
	return page;
}

static noinline void zsr_refill_pages(void)
{
	for (; zsr_nr_own_pages < ZSR_PCP_BATCH; zsr_nr_own_pages++) {
		if (!zsr_common_pages) {
			if (!zsr_pages_left)
				return;
			zsr_pages_left--;
			zsr_push_page(&zsr_common_pages,
				      pfn_to_page(zsr_next_pfn++));
		}
		zsr_push_page(&zsr_own_pages, zsr_pop_page(&zsr_common_pages));
	}
}

static noinline void zsr_drain_pages(void)
{
	unsigned i;

	for (i = 0; i < ZSR_PCP_BATCH; i++, zsr_nr_own_pages--)
		zsr_push_page(&zsr_common_pages, zsr_pop_page(&zsr_own_pages));
}

static inline struct page *alloc_page(gfp_t gfp)
{
	struct page *page;

	if (unlikely(!zsr_own_pages)) {
		zsr_refill_pages();
		if (!zsr_own_pages)
			return NULL;
	}
	page = zsr_pop_page(&zsr_own_pages);
	zsr_nr_own_pages--;
	zsr_pages_out++;
	page->flags = 0;
	page->mapping = NULL;
	atomic_set(&page->_refcount, 1);
	return page;
}

#define alloc_pages(gfp, order)           alloc_page(gfp)
#define alloc_pages_node(nid, gfp, order) alloc_page(gfp)

static inline void zsr_release_page(struct page *page)
{
	zsr_push_page(&zsr_own_pages, page);
	zsr_pages_out--;
	if (unlikely(++zsr_nr_own_pages > ZSR_PCP_HIGH))
		zsr_drain_pages();
}

static inline void get_page(struct page *page)
{
	atomic_inc(&page->_refcount);
}

static inline void put_page(struct page *page)
{
	if (atomic_dec_and_test(&page->_refcount))
		zsr_release_page(page);
}

#define __free_page(p)         put_page(p)
#define page_zone(p)           ((struct zone *)NULL)
#define page_private(p)        ((p)->private)
#define set_page_private(p, v) ((p)->private = (v))
#define page_mapping(p)        ((struct address_space *)((p)->mapping))
#define page_mapcount_reset(p) ((void)(p))

/* Flags others may change at the same time are changed by atomics. */
enum { ZSR_PG_LOCKED, ZSR_PG_PRIVATE, ZSR_PG_OWNER_PRIV_1 };

static inline void zsr_set_flag(struct page *page, unsigned bit)
{
	__atomic_fetch_or(&page->flags, BIT(bit), __ATOMIC_RELAXED);
}

static inline void zsr_clear_flag(struct page *page, unsigned bit)
{
	__atomic_fetch_and(&page->flags, ~BIT(bit), __ATOMIC_RELEASE);
}

#define zsr_test_flag(p, bit)  !!((p)->flags & BIT(bit))
#define PagePrivate(p)         zsr_test_flag(p, ZSR_PG_PRIVATE)
#define SetPagePrivate(p)      zsr_set_flag(p, ZSR_PG_PRIVATE)
#define ClearPagePrivate(p)    zsr_clear_flag(p, ZSR_PG_PRIVATE)
#define PageOwnerPriv1(p)      zsr_test_flag(p, ZSR_PG_OWNER_PRIV_1)
#define SetPageOwnerPriv1(p)   zsr_set_flag(p, ZSR_PG_OWNER_PRIV_1)
#define ClearPageOwnerPriv1(p) zsr_clear_flag(p, ZSR_PG_OWNER_PRIV_1)
#define PageLocked(p)          zsr_test_flag(p, ZSR_PG_LOCKED)
#define unlock_page(p)         zsr_clear_flag(p, ZSR_PG_LOCKED)

static inline int trylock_page(struct page *page)
{
	return !(__atomic_fetch_or(&page->flags, BIT(ZSR_PG_LOCKED),
				   __ATOMIC_ACQUIRE) &
		 BIT(ZSR_PG_LOCKED));
}

static inline void wait_on_page_locked(struct page *page)
{
	if (PageLocked(page))
		zsr_bug("waits for a page that nobody unlocks");
}

static inline void lock_page(struct page *page)
{
	wait_on_page_locked(page);
	trylock_page(page);
}

#define zsr_folio_page(f)    ((struct page *)(f))
#define folio_lock(f)        lock_page(zsr_folio_page(f))
#define folio_trylock(f)     trylock_page(zsr_folio_page(f))
#define folio_unlock(f)      unlock_page(zsr_folio_page(f))
#define folio_wait_locked(f) wait_on_page_locked(zsr_folio_page(f))
#define folio_test_locked(f) PageLocked(zsr_folio_page(f))
#define folio_get(f)         get_page(zsr_folio_page(f))
#define folio_put(f)         put_page(zsr_folio_page(f))

/* Marks for the migration of pages, which nobody asks for here. */
#define PageMovable(p)         ((p)->mapping != NULL)
#define __SetPageMovable(p, o) ((void)((p)->mapping = (void *)(o)))
#define SetPageMovableOps(p)   ((void)((p)->mapping = (p)))
#define __ClearPageMovable(p)  ((void)((p)->mapping = NULL))
#define PageIsolated(p)        1
#define PageZsmalloc(p)        1
#define __SetPageZsmalloc(p)   ((void)(p))
#define __ClearPageZsmalloc(p) ((void)(p))

enum { NR_ZSPAGES };
static __thread long zsr_zone_pages;
#define inc_zone_page_state(p, item) ((void)zsr_zone_pages++)
#define dec_zone_page_state(p, item) ((void)zsr_zone_pages--)

#define kmap_atomic(p)                 page_address(p)
#define kunmap_atomic(a)               ((void)(a))
#define kmap_local_page(p)             page_address(p)
#define kunmap_local(a)                ((void)(a))
#define copy_page(to, from)            ((void)memcpy(to, from, PAGE_SIZE))
#define flush_dcache_page(p)           ((void)(p))
#define kmsan_copy_page_meta(to, from) ((void)0)
#define memcpy_from_page(to, page, offset, len)                                \
	((void)memcpy(to, (char *)page_address(page) + (offset), len))
#define memcpy_to_page(page, offset, from, len)                                \
	((void)memcpy((char *)page_address(page) + (offset), from, len))

struct scatterlist {
	struct page *page;
	unsigned int offset;
	unsigned int length;
};
#define sg_init_table(sg, nr) ((void)memset(sg, 0, sizeof(*(sg)) * (nr)))
#define sg_next(sg)           ((sg) + 1)

static inline void sg_set_page(struct scatterlist *sg, struct page *page,
			       unsigned int len, unsigned int offset)
{
	*sg = (struct scatterlist){ page, offset, len };
}

/* ---- slabs ------------------------------------------------------------------------ */

#define kmalloc(size, gfp)  malloc(size)
#define kzalloc(size, gfp)  calloc(1, size)
#define kzalloc_obj(o, ...) ((__typeof__(o) *)calloc(1, sizeof(o)))
#define kmalloc_obj(o, ...) ((__typeof__(o) *)malloc(sizeof(o)))
#define kfree(p)            free((void *)(p))
#define kstrdup(s, gfp)     strdup(s)
#define kasprintf(gfp, ...) strdup(#__VA_ARGS__)

/* Caches that are done with are kept, with the memory they have, for the next
 * one of their size. */
struct kmem_cache {
	struct kmem_cache *next;
	void *free;
	size_t size;
	bool in_use;
};

#define ZSR_SLAB_BYTES (1u << 15)

static struct kmem_cache *zsr_caches;

#ifdef ZSR_OBSERVE
/* In front of each object; of use where that is a zspage. */
struct zsr_tag {
	unsigned long serial;
	unsigned long unused;
};
#define ZSR_TAG_SIZE sizeof(struct zsr_tag)
static void zsr_zspage_gone(void *zspage);
static unsigned long zsr_next_serial;
#else
#define ZSR_TAG_SIZE 0
#endif

static struct kmem_cache *zsr_cache_create(size_t size)
{
	struct kmem_cache *c;

	for (c = zsr_caches; c; c = c->next)
		if (!c->in_use && c->size == size)
			break;
	if (!c) {
		c = calloc(1, sizeof(*c));
		if (!c)
			return NULL;
		c->size = size;
		c->next = zsr_caches;
		zsr_caches = c;
	}
	c->in_use = true;
	return c;
}

#define kmem_cache_create(name, size, ...) zsr_cache_create(size)

static inline void kmem_cache_destroy(struct kmem_cache *c)
{
	if (c)
		c->in_use = false;
}

/* Objects come in ascending order of address. */
static noinline void zsr_refill_cache(struct kmem_cache *c)
{
	size_t step = (c->size + ZSR_TAG_SIZE + 7) & ~7ul;
	size_t nr = ZSR_SLAB_BYTES / step;
	char *slab = malloc(nr * step), *p;

	if (!slab)
		return;
	for (p = slab + nr * step; p > slab;) {
		p -= step;
		*(void **)(p + ZSR_TAG_SIZE) = c->free;
		c->free = p + ZSR_TAG_SIZE;
	}
}

static inline void *kmem_cache_alloc(struct kmem_cache *c, gfp_t gfp)
{
	void *p;

	if (unlikely(!c->free)) {
		zsr_refill_cache(c);
		if (!c->free)
			return NULL;
	}
	p = c->free;
	c->free = *(void **)p;
#ifdef ZSR_OBSERVE
	if (c->size > sizeof(long))
		((struct zsr_tag *)p)[-1].serial = zsr_next_serial++;
#endif
	return p;
}

static inline void *kmem_cache_zalloc(struct kmem_cache *c, gfp_t gfp)
{
	void *p = kmem_cache_alloc(c, gfp);

	return p ? memset(p, 0, c->size) : NULL;
}

static inline void kmem_cache_free(struct kmem_cache *c, void *p)
{
#ifdef ZSR_OBSERVE
	if (c->size > sizeof(long))
		zsr_zspage_gone(p);
#endif
	*(void **)p = c->free;
	c->free = p;
}

#endif
