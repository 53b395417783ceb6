// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kernel's allocator and the way into it, as one shared object. Compiled in a
 * directory where tree/ is the kernel's and standin/ is ours. Everything that
 * differs between kernels and matters from outside is here.
 */
#include <standin/kernel.h>

#include <tree/mm/zsmalloc.c>

/* Kernels with descriptors of their own for the memory of zspages. */
#ifdef __MM_ZPDESC_H__
#define zsr_desc       zpdesc
#define zsr_first_desc get_first_zpdesc
#define zsr_next_desc  get_next_zpdesc
#else
#define zsr_desc       page
#define zsr_first_desc get_first_page
#define zsr_next_desc  get_next_page
#endif

static struct zs_pool *zsr_pool;

/* Counters of a class: those of the groups, slots, slots in use. */
#define ZSR_NR_STATS  ARRAY_SIZE(((struct size_class *)0)->stats.objs)
#define ZSR_NR_GROUPS (ZSR_NR_STATS - 2)
_Static_assert(ZSR_NR_GROUPS <= ZSR_KERNEL_GROUPS, "groups");

static int zsr_create(void)
{
#ifdef ZSR_OBSERVE
	zsr_next_serial = 0;
#endif
	zsr_pool = zs_create_pool("zsr");
	return zsr_pool ? 0 : -1;
}

static void zsr_destroy(void)
{
	zs_destroy_pool(zsr_pool);
	zsr_pool = NULL;
}

/* Newer kernels are told the memory node. */
typedef unsigned long zsr_malloc_fn(struct zs_pool *, size_t, gfp_t);
typedef unsigned long zsr_malloc_node_fn(struct zs_pool *, size_t, gfp_t, int);

static __always_inline unsigned long zsr_malloc_call(unsigned long size)
{
	gfp_t gfp = GFP_KERNEL | __GFP_HIGHMEM | __GFP_MOVABLE;

	if (__builtin_types_compatible_p(__typeof__(zs_malloc), zsr_malloc_fn))
		return ((zsr_malloc_fn *)zs_malloc)(zsr_pool, size, gfp);
	_Static_assert(__builtin_types_compatible_p(__typeof__(zs_malloc),
						    zsr_malloc_fn) ||
			       __builtin_types_compatible_p(__typeof__(zs_malloc),
							    zsr_malloc_node_fn),
		       "zs_malloc takes what no known kernel's takes");
	return ((zsr_malloc_node_fn *)zs_malloc)(zsr_pool, size, gfp,
						 NUMA_NO_NODE);
}

static struct zspage *zsr_zspage_of(unsigned long handle, unsigned *obj)
{
	struct zsr_desc *desc;

	obj_to_location(handle_to_obj(handle), &desc, obj);
	return get_zspage(desc);
}

/* ---- looking: only what is built to be looked at ------------------------- */

#ifdef ZSR_OBSERVE
static unsigned long zsr_serial(struct zspage *zspage)
{
	return ((struct zsr_tag *)zspage)[-1].serial;
}

static void zsr_tell(int made, struct zspage *zspage)
{
	struct size_class *class = zsr_pool->size_class[zspage->class];

	zsr_host->event(made, zsr_serial(zspage), class->index,
			(unsigned)class->pages_per_zspage, zsr_pages_out);
}

static void zsr_zspage_gone(void *zspage)
{
	zsr_tell(0, zspage);
}

static void zsr_place(unsigned long handle, struct zsr_kernel_place *place)
{
	struct zspage *zspage = zsr_zspage_of(handle, &place->obj);
	struct size_class *class = zsr_pool->size_class[zspage->class];

	place->zspage = zsr_serial(zspage);
	place->class_index = class->index;
	place->pages = (unsigned)class->pages_per_zspage;
}

static long zsr_malloc(unsigned long size, unsigned long *handle)
{
	unsigned long serial = zsr_next_serial, h = zsr_malloc_call(size);
	unsigned obj;

	*handle = 0;
	if (!h)
		return -ENOMEM;
	if (IS_ERR_VALUE(h))
		return (long)h;
	*handle = h;
	if (zsr_next_serial != serial)
		zsr_tell(1, zsr_zspage_of(h, &obj));
	return 0;
}
#else
static void zsr_place(unsigned long handle, struct zsr_kernel_place *place)
{
}

static long zsr_malloc(unsigned long size, unsigned long *handle)
{
	*handle = zsr_malloc_call(size);
	return 0;
}
#endif

static void zsr_free(unsigned long handle)
{
	zs_free(zsr_pool, handle);
}

static unsigned long zsr_compact(void)
{
	return zs_compact(zsr_pool);
}

static void zsr_run_worker(void)
{
	flush_work(&zsr_pool->free_work);
}

static unsigned long zsr_pages(void)
{
	return zs_get_total_pages(zsr_pool);
}

static unsigned long zsr_pages_compacted(void)
{
	struct zs_pool_stats stats;

	zs_pool_stats(zsr_pool, &stats);
	return (unsigned long)atomic_long_read(&stats.pages_compacted);
}

static void *zsr_page_trylock(unsigned long handle, unsigned page)
{
	unsigned obj;
	struct zsr_desc *desc = zsr_first_desc(zsr_zspage_of(handle, &obj));

	while (page--)
		desc = zsr_next_desc(desc);
	return trylock_page((struct page *)desc) ? desc : NULL;
}

static void zsr_page_unlock(void *page)
{
	unlock_page((struct page *)page);
}

static int zsr_class_stats(unsigned index, struct zsr_kernel_class *c)
{
	struct size_class *class = zsr_pool->size_class[index];
	unsigned g;

	if (class->index != index)
		return 0;
	c->index = index;
	c->size = (unsigned)class->size;
	c->objs = (unsigned)class->objs_per_zspage;
	c->pages = (unsigned)class->pages_per_zspage;
	c->nr_groups = ZSR_NR_GROUPS;
	for (g = 0; g < ZSR_NR_GROUPS; g++)
		c->group[g] = class->stats.objs[g];
	c->obj_allocated = class->stats.objs[ZSR_NR_GROUPS];
	c->obj_used = class->stats.objs[ZSR_NR_GROUPS + 1];
	c->pages_used = c->obj_allocated / c->objs * c->pages;
	c->freeable = zs_can_compact(class);
	return 1;
}

/* ---- timing --------------------------------------------------------------- */

#define ZSR_LOOP_HANDLE          unsigned long
#define ZSR_LOOP_MALLOC(size, h) (*(h) = zsr_malloc_call(size))
#define ZSR_LOOP_FREE(h)         zs_free(zsr_pool, h)
#define ZSR_LOOP_COMPACT()       zs_compact(zsr_pool)
#include <standin/loop.h>

static unsigned long zsr_play(const struct zsr_timed_op *op, unsigned long nr,
			      unsigned long *handle)
{
	return timed_loop(op, nr, handle, zsr_host->clock_ns);
}

/* ---- the way in ------------------------------------------------------------ */

static const struct zsr_kernel zsr_kernel = {
	.create = zsr_create,
	.destroy = zsr_destroy,
	.malloc = zsr_malloc,
	.free = zsr_free,
	.compact = zsr_compact,
	.run_worker = zsr_run_worker,
	.pages = zsr_pages,
	.pages_compacted = zsr_pages_compacted,
	.place = zsr_place,
	.page_trylock = zsr_page_trylock,
	.page_unlock = zsr_page_unlock,
	.nr_raw_classes = ZS_SIZE_CLASSES,
	.class_stats = zsr_class_stats,
	.play = zsr_play,
};

__attribute__((visibility("default"))) const struct zsr_kernel *zsr_kernel_load(
	const struct zsr_kernel_host *host)
{
	zsr_host = host;
	if (zsr_memory_init() || zsr_module_init())
		return NULL;
	return &zsr_kernel;
}
