// SPDX-License-Identifier: GPL-2.0-only
/* A pool: creation, and malloc and free in the kernel's steps. */
#include <stdlib.h>
#include <string.h>

#include "replay/engine/object.h"

int zsr_engine_create_layout(struct zsr_engine **out,
			     const struct zsr_model *model, unsigned page_size,
			     unsigned chain_size,
			     const struct zsr_obj_layout *layout,
			     unsigned flags, struct zsr_err *err)
{
	/* With 52 bits of physical address no 64-bit layout needs more. */
	static const struct zsr_obj_layout usual = { .handle_size = 8,
						     .min_size = 32 };
	struct zsr_engine *e;
	int ret;

	*out = NULL;
	if (!layout)
		layout = &usual;
	if (!chain_size)
		chain_size = model->default_chain;
	ret = zsr_sizes_check(page_size, chain_size, err);
	if (ret)
		return ret;
	if (flags & ZSR_ENGINE_BACKED && layout->handle_size != sizeof(uintptr_t))
		return zsr_err_usage(err, "a pool with memory has words of "
					  "this machine");
	e = aligned_alloc(ZSR_LINE, sizeof(*e));
	if (!e)
		return zsr_err_nomem(err, "engine");
	memset(e, 0, sizeof(*e));
	e->model = *model;
	e->page_size = page_size;
	e->chain_size = chain_size;
	e->handle_size = layout->handle_size;
	e->min_size = layout->min_size;
	e->shared = flags & ZSR_ENGINE_SHARED;
	e->backed = flags & ZSR_ENGINE_BACKED;
	e->plain = !e->shared && !e->backed;
	zsr_classes_init(e);
	if (zsr_store_init(e) || (e->backed && zsr_arena_init(e))) {
		zsr_engine_destroy(e);
		return zsr_err_nomem(err, "engine");
	}
	*out = e;
	return 0;
}

int zsr_engine_create(struct zsr_engine **e, const struct zsr_model *model,
		      unsigned page_size, unsigned chain_size,
		      struct zsr_err *err)
{
	return zsr_engine_create_layout(e, model, page_size, chain_size, NULL,
					0, err);
}

void zsr_engine_destroy(struct zsr_engine *e)
{
	if (!e)
		return;
	zsr_arena_destroy(e);
	zsr_store_destroy(e);
	free(e);
}

void zsr_engine_observe(struct zsr_engine *e,
			const struct zsr_engine_observer *obs)
{
	e->obs = *obs;
}

/* ---- malloc ---------------------------------------------------------- */

static ZSR_COLD int refused(const struct zsr_engine *e, size_t size)
{
	switch (e->model.refuse) {
	case ZSR_REFUSE_NULL:
		return -ENOMEM;
	case ZSR_REFUSE_EINVAL:
		return -EINVAL;
	case ZSR_REFUSE_ENOSPC:
		break;
	}
	return size ? -ENOSPC : -EINVAL;
}

static ZSR_HOT int size_class(const struct zsr_engine *e, size_t size)
{
	if (size - 1 >= e->page_size)
		return refused(e, size);
	return e->request_class[(size + e->request_bias) >> e->step_shift];
}

static ZSR_HOT zsr_handle handle_alloc(struct zsr_engine *e)
{
	uint32_t *list = e->backed ? &e->free_backed : &e->free_handle;
	zsr_handle h = *list;

	if (!h)
		return zsr_cell_alloc_slow(e);
	*list = (uint32_t)cell_read(e, h);
	return h;
}

static ZSR_HOT void handle_free(struct zsr_engine *e, zsr_handle h)
{
	if (e->shared)
		zsr_cell_free_shared(e, h);
	else
		cell_push(e, e->backed ? &e->free_backed : &e->free_handle, h);
}

static ZSR_HOT struct zsr_zspage *zspage_pick(struct zsr_class *c)
{
	if (!c->lists)
		return NULL;
	return c->list[31 - (unsigned)__builtin_clz(c->lists)];
}

static struct zsr_zspage *zspage_alloc(struct zsr_engine *e, struct zsr_class *c)
{
	struct zsr_zspage *z = zsr_record_alloc(e, c);
	unsigned slot;

	if (!z)
		return NULL;
	z->queued = 0;
	z->inuse = 0;
	z->free = 0;
	z->locked = 0;
	z->group = ZSR_NO_GROUP;
	if (e->backed)
		zsr_chain_init(e, c, z);
	else
		for (slot = 0; slot < c->objs; slot++)
			z->slot[slot] = (slot + 1) << 1;
	return z;
}

/* A zspage enters the pool with its first object. */
static unsigned zspage_enter(struct zsr_engine *e, struct zsr_class *c,
			     struct zsr_zspage *z)
{
	uint64_t pages;

	if (e->shared) {
		z->serial = __atomic_fetch_add(&e->next_serial, 1,
					       __ATOMIC_RELAXED);
		pages = __atomic_add_fetch(&e->pages, c->pages,
					   __ATOMIC_RELAXED);
	} else {
		z->serial = e->next_serial++;
		pages = e->pages += c->pages;
	}
	c->zspages++;
	group_insert(c, z, c->up[0]);
	if (e->obs.zspage_new)
		e->obs.zspage_new(e->obs.ctx, z, pages);
	return ZSR_CREATED;
}

/* Returns the objects in use then. */
static ZSR_HOT unsigned obj_place(struct zsr_engine *e, struct zsr_class *c,
				  struct zsr_zspage *z, zsr_handle h,
				  bool backed)
{
	unsigned inuse = z->inuse + 1u;

	z->inuse = (uint16_t)inuse;
	cell_write(e, h, slot_pop(e, c, z, h, backed));
	c->obj_used++;
	return inuse;
}

static ZSR_HOT unsigned obj_malloc(struct zsr_engine *e, struct zsr_class *c,
				   struct zsr_zspage *z, zsr_handle h,
				   bool backed)
{
	unsigned below = z->below, group;

	if (obj_place(e, c, z, h, backed) < below)
		return 0;
	group = c->up[z->group];
	group_remove(c, z);
	group_insert(c, z, group);
	return ZSR_REGROUPED;
}

/*
 * The rare turns of a whole malloc and free are calls at the very end, so that
 * the straight ways have no register to save.
 */
static __attribute__((noinline)) int malloc_new(struct zsr_engine *e,
						struct zsr_class *c,
						zsr_handle *h)
{
	struct zsr_zspage *z = zspage_alloc(e, c);

	if (!z) {
		handle_free(e, *h);
		*h = 0;
		return -ENOMEM;
	}
	obj_place(e, c, z, *h, e->backed);
	zspage_enter(e, c, z);
	return 0;
}

static ZSR_HOT int malloc_at(struct zsr_engine *e, unsigned index,
			     zsr_handle *handle, zsr_handle h, bool backed)
{
	struct zsr_class *c = class_at(e, index);
	struct zsr_zspage *z = zspage_pick(c);

	*handle = h;
	if (!z)
		return malloc_new(e, c, handle);
	obj_malloc(e, c, z, h, backed);
	return 0;
}

static __attribute__((noinline)) int malloc_slow(struct zsr_engine *e,
						 unsigned index,
						 zsr_handle *handle)
{
	zsr_handle h = handle_alloc(e);

	*handle = h;
	if (!h)
		return -ENOMEM;
	return e->backed ? malloc_at(e, index, handle, h, true)
			 : malloc_at(e, index, handle, h, false);
}

int zsr_engine_malloc(struct zsr_engine *e, size_t size, zsr_handle *handle)
{
	int index = size_class(e, size);
	zsr_handle h = e->free_handle;

	if (index < 0) {
		*handle = 0;
		return index;
	}
	if (!h)
		return malloc_slow(e, (unsigned)index, handle);
	e->free_handle = (uint32_t)cell_read(e, h);
	return malloc_at(e, (unsigned)index, handle, h, false);
}

/* ---- free ------------------------------------------------------------ */

static ZSR_HOT unsigned obj_free(struct zsr_engine *e, struct zsr_class *c,
				 struct zsr_zspage *z, uint64_t cell,
				 bool backed)
{
	unsigned inuse = z->inuse - 1u, from = z->from, group;

	z->inuse = (uint16_t)inuse;
	slot_push(e, c, z, cell, backed);
	c->obj_used--;
	if (inuse >= from)
		return 0;
	group = c->down[z->group];
	group_remove(c, z);
	group_insert(c, z, group);
	return group ? ZSR_REGROUPED : ZSR_REGROUPED | ZSR_EMPTIED;
}

static __attribute__((noinline)) bool free_last(struct zsr_engine *e,
						struct zsr_zspage *z,
						zsr_handle h)
{
	bool released = zsr_engine_zspage_trylock(e, z);

	if (released) {
		zsr_engine_zspage_unlink(e, z);
		zsr_engine_zspage_free(e, z);
	}
	handle_free(e, h);
	return released;
}

static ZSR_HOT bool free_at(struct zsr_engine *e, zsr_handle h, bool plain,
			    bool backed)
{
	uint64_t cell = cell_read(e, h);
	struct zsr_zspage *z = cell_zspage(e, cell, backed);
	struct zsr_class *c = class_at(e, cell_class(e, cell, backed));

	if (obj_free(e, c, z, cell, backed) & ZSR_EMPTIED)
		return free_last(e, z, h);
	if (plain)
		cell_push(e, &e->free_handle, h);
	else
		handle_free(e, h);
	return false;
}

static __attribute__((noinline)) bool free_slow(struct zsr_engine *e,
						zsr_handle h)
{
	return e->backed ? free_at(e, h, false, true)
			 : free_at(e, h, false, false);
}

bool zsr_engine_free(struct zsr_engine *e, zsr_handle h)
{
	if (!h)
		return false;
	return e->plain ? free_at(e, h, true, false) : free_slow(e, h);
}

/* ---- the steps of both, one by one ------------------------------------- */

int zsr_engine_size_class(const struct zsr_engine *e, size_t size)
{
	return size_class(e, size);
}

zsr_handle zsr_engine_handle_alloc(struct zsr_engine *e)
{
	return handle_alloc(e);
}

void zsr_engine_handle_free(struct zsr_engine *e, zsr_handle h)
{
	handle_free(e, h);
}

struct zsr_zspage *zsr_engine_zspage_pick(struct zsr_engine *e, unsigned class)
{
	return zspage_pick(&e->class[class]);
}

struct zsr_zspage *zsr_engine_zspage_alloc(struct zsr_engine *e, unsigned class)
{
	return zspage_alloc(e, &e->class[class]);
}

unsigned zsr_engine_obj_malloc(struct zsr_engine *e, unsigned class,
			       struct zsr_zspage *z, zsr_handle h)
{
	struct zsr_class *c = &e->class[class];

	if (z->group != ZSR_NO_GROUP)
		return e->backed ? obj_malloc(e, c, z, h, true)
				 : obj_malloc(e, c, z, h, false);
	obj_place(e, c, z, h, e->backed);
	return zspage_enter(e, c, z);
}

unsigned zsr_engine_handle_class(const struct zsr_engine *e, zsr_handle h)
{
	uint64_t cell = cell_read(e, h);

	if (e->backed)
		slot_prefetch(e, cell);
	return cell_class(e, cell, e->backed);
}

struct zsr_zspage *zsr_engine_handle_zspage(const struct zsr_engine *e,
					    zsr_handle h)
{
	return cell_zspage(e, cell_read(e, h), e->backed);
}

unsigned zsr_engine_obj_free(struct zsr_engine *e, unsigned class, zsr_handle h,
			     struct zsr_zspage **zspage)
{
	struct zsr_class *c = &e->class[class];
	uint64_t cell = cell_read(e, h);

	*zspage = NULL;
	if (cell_class(e, cell, e->backed) != class)
		return 0;
	*zspage = cell_zspage(e, cell, e->backed);
	return e->backed ? obj_free(e, c, *zspage, cell, true)
			 : obj_free(e, c, *zspage, cell, false);
}
