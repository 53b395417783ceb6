// SPDX-License-Identifier: GPL-2.0-only
/* A pool: creation, and malloc and free in the kernel's steps. */
#include <stdlib.h>

#include "replay/engine/internal.h"

static int check_sizes(unsigned page_size, unsigned chain_size,
		       struct zsr_err *err)
{
	if (page_size != 4096 && page_size != 16384 && page_size != 65536)
		return zsr_err_usage(err,
				     "page size %u is none of 4096, 16384, "
				     "65536",
				     page_size);
	if (chain_size < 4 || chain_size > 16)
		return zsr_err_usage(err, "chain size %u is not within 4 to 16",
				     chain_size);
	return 0;
}

int zsr_engine_create_layout(struct zsr_engine **out,
			     const struct zsr_model *model, unsigned page_size,
			     unsigned chain_size,
			     const struct zsr_obj_layout *layout,
			     unsigned flags, struct zsr_err *err)
{
	struct zsr_engine *e;
	int ret;

	*out = NULL;
	if (!chain_size)
		chain_size = model->default_chain;
	ret = check_sizes(page_size, chain_size, err);
	if (ret)
		return ret;
	e = calloc(1, sizeof(*e));
	if (!e)
		return zsr_err_nomem(err, "engine");
	e->model = *model;
	e->page_size = page_size;
	e->chain_size = chain_size;
	e->handle_size = layout->handle_size;
	e->min_size = layout->min_size;
	e->shared = flags & ZSR_ENGINE_SHARED;
	zsr_classes_init(e);
	if (zsr_store_init(e)) {
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
	/* With 52 bits of physical address no 64-bit layout needs more. */
	static const struct zsr_obj_layout layout = { .handle_size = 8,
						      .min_size = 32 };

	return zsr_engine_create_layout(e, model, page_size, chain_size,
					&layout, 0, err);
}

void zsr_engine_destroy(struct zsr_engine *e)
{
	if (!e)
		return;
	zsr_store_destroy(e);
	free(e);
}

void zsr_engine_observe(struct zsr_engine *e,
			const struct zsr_engine_observer *obs)
{
	e->obs = *obs;
}

/* ---- malloc ---------------------------------------------------------- */

static int refused(const struct zsr_engine *e, size_t size)
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

int zsr_engine_size_class(const struct zsr_engine *e, size_t size)
{
	unsigned raw = 0, bytes;

	if (!size || size > e->page_size)
		return refused(e, size);
	bytes = (unsigned)size + e->handle_size;
	if (bytes > e->min_size)
		raw = (bytes - e->min_size + (1u << e->step_shift) - 1) >>
		      e->step_shift;
	return e->raw_class[zsr_min(raw, e->nr_raw - 1)];
}

zsr_handle zsr_engine_handle_alloc(struct zsr_engine *e)
{
	zsr_handle h = e->free_handle;

	if (!h)
		return zsr_cell_carve(e);
	e->free_handle = cell_of(e, h)->ref;
	return h;
}

void zsr_engine_handle_free(struct zsr_engine *e, zsr_handle h)
{
	cell_of(e, h)->ref = e->free_handle;
	e->free_handle = h;
}

struct zsr_zspage *zsr_engine_zspage_pick(struct zsr_engine *e, unsigned class)
{
	struct zsr_class *c = &e->class[class];
	unsigned usable = c->lists & ((1u << c->full) - 1);

	if (!usable)
		return NULL;
	return list_first(c, 31 - (unsigned)__builtin_clz(usable));
}

struct zsr_zspage *zsr_engine_zspage_alloc(struct zsr_engine *e, unsigned class)
{
	struct zsr_class *c = &e->class[class];
	struct zsr_zspage *z = zsr_record_alloc(e, c);

	if (!z)
		return NULL;
	z->queued = 0;
	z->class = c->index;
	z->inuse = 0;
	z->free = 0;
	z->fresh = 0;
	z->locked = 0;
	z->group = ZSR_GROUP_NONE;
	z->pages = (uint8_t)c->pages;
	return z;
}

/* A zspage enters the pool with its first object. */
static unsigned zspage_enter(struct zsr_engine *e, struct zsr_class *c,
			     struct zsr_zspage *z)
{
	z->serial = e->next_serial++;
	e->pages += c->pages;
	c->obj_allocated += c->objs;
	group_insert(c, z, group_from(c, 0, z->inuse));
	if (e->obs.zspage_new)
		e->obs.zspage_new(e->obs.ctx, z, e->pages);
	return ZSR_CREATED;
}

unsigned zsr_engine_obj_malloc(struct zsr_engine *e, unsigned class,
			       struct zsr_zspage *z, zsr_handle h)
{
	struct zsr_class *c = &e->class[class];
	struct zsr_cell *cell = cell_of(e, h);
	unsigned group;

	cell->class = c->index;
	slot_take(z, cell, h);
	c->obj_used++;
	if (is_fresh(z))
		return zspage_enter(e, c, z);
	group = z->group;
	if (z->inuse < c->from[group + 1])
		return 0;
	group_remove(c, z);
	group_insert(c, z, group_from(c, group, z->inuse));
	return ZSR_REGROUPED;
}

int zsr_engine_malloc(struct zsr_engine *e, size_t size, zsr_handle *h)
{
	int class = zsr_engine_size_class(e, size);
	struct zsr_zspage *z;

	*h = 0;
	if (class < 0)
		return class;
	*h = zsr_engine_handle_alloc(e);
	if (!*h)
		return -ENOMEM;
	z = zsr_engine_zspage_pick(e, (unsigned)class);
	if (!z)
		z = zsr_engine_zspage_alloc(e, (unsigned)class);
	if (!z) {
		zsr_engine_handle_free(e, *h);
		*h = 0;
		return -ENOMEM;
	}
	zsr_engine_obj_malloc(e, (unsigned)class, z, *h);
	return 0;
}

/* ---- free ------------------------------------------------------------ */

unsigned zsr_engine_handle_class(const struct zsr_engine *e, zsr_handle h)
{
	return cell_of(e, h)->class;
}

struct zsr_zspage *zsr_engine_handle_zspage(const struct zsr_engine *e,
					    zsr_handle h)
{
	return zspage_at(e, cell_of(e, h)->ref);
}

unsigned zsr_engine_obj_free(struct zsr_engine *e, unsigned class, zsr_handle h,
			     struct zsr_zspage **zspage)
{
	struct zsr_class *c = &e->class[class];
	struct zsr_cell *cell = cell_of(e, h);
	struct zsr_zspage *z = zspage_at(e, cell->ref);
	unsigned group = z->group;

	*zspage = z;
	c->obj_used--;
	slot_push(z, cell->slot);
	z->inuse--;
	if (z->inuse >= c->from[group])
		return 0;
	group_remove(c, z);
	group_insert(c, z, group_from(c, group, z->inuse));
	return z->inuse ? ZSR_REGROUPED : ZSR_REGROUPED | ZSR_EMPTIED;
}

bool zsr_engine_free(struct zsr_engine *e, zsr_handle h)
{
	struct zsr_zspage *z;
	bool released = false;
	unsigned done;

	if (!h)
		return false;
	done = zsr_engine_obj_free(e, zsr_engine_handle_class(e, h), h, &z);
	if ((done & ZSR_EMPTIED) && zsr_engine_zspage_trylock(e, z)) {
		zsr_engine_zspage_unlink(e, z);
		zsr_engine_zspage_free(e, z);
		released = true;
	}
	zsr_engine_handle_free(e, h);
	return released;
}
