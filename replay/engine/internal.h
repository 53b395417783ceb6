/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The engine's own structures and the steps that must be inlined to be cheap.
 *
 * A handle is a number; its cell says where the object is. A zspage is a
 * record of 64-byte units followed by one word a slot. Cells and records live
 * in chunks that never move, so that a lookup needs no lock.
 */
#ifndef ZSR_ENGINE_INTERNAL_H
#define ZSR_ENGINE_INTERNAL_H

#include "replay/engine/engine.h"

#define ZSR_MAX_CLASSES	 257	/* raw classes at 16 and 64 KiB pages */
#define ZSR_MAX_GROUPS	 12
#define ZSR_GROUP_NONE	 0xff	/* fresh from zspage_alloc */

/* A slot's word: free ones link to the next, used ones name their handle. */
#define ZSR_SLOT_USED	 1u

struct zsr_link {
	struct zsr_link *next;
	struct zsr_link *prev;
};

struct zsr_zspage {
	struct zsr_link link;	/* first: a link is its zspage */
	uint64_t serial;
	uint32_t ref;		/* where this record is, see zspage_at() */
	uint32_t queued;	/* the driver's */
	uint16_t class;
	uint16_t inuse;
	/*
	 * Head of the free list. Slots from `fresh` on were never used: they
	 * are the bottom of the list, in ascending order and without links.
	 */
	uint16_t free;
	uint16_t fresh;
	uint16_t locked;	/* a bit a page */
	uint8_t group;
	uint8_t pages;
	uint32_t slot[];
};

struct zsr_class {
	uint64_t obj_used;
	uint64_t obj_allocated;
	uint16_t lists;		/* bit g: the list of group g has entries */
	uint16_t objs;		/* slots a zspage */
	uint16_t pages;		/* pages a zspage */
	uint16_t index;
	/* Group g holds counts of objects in use in [from[g], from[g + 1]). */
	uint16_t from[ZSR_MAX_GROUPS + 1];
	uint16_t rec_bin;	/* class whose free records fit */
	uint32_t rec_units;	/* length of a zspage record */
	uint32_t size;		/* bytes a slot */
	bool head_or_second;	/* insertion compares with the list's head */
	uint8_t full;		/* number of the group of full zspages */
	uint32_t group[ZSR_MAX_GROUPS];
	struct zsr_link list[ZSR_MAX_GROUPS];
	uint16_t slots_merged;
	uint32_t min_request;
	uint32_t max_request;
};

/* Where an object is; ref links free cells. */
struct zsr_cell {
	uint32_t ref;
	uint16_t class;
	uint16_t slot;
};

#define ZSR_CELL_SHIFT	 16	/* cells a chunk */
#define ZSR_CELL_CHUNKS	 (1u << (31 - ZSR_CELL_SHIFT))
#define ZSR_UNIT	 64	/* bytes; records start at multiples of it */
#define ZSR_UNIT_SHIFT	 14	/* units a chunk: 1 MiB */
#define ZSR_UNIT_CHUNKS	 (1u << 16)

struct zsr_engine {
	struct zsr_cell **cells;	/* ZSR_CELL_CHUNKS pointers */
	char **records;			/* ZSR_UNIT_CHUNKS pointers */
	uint32_t free_handle;
	uint32_t nr_handles;		/* cells ever used, number 0 included */
	uint64_t pages;
	uint64_t next_serial;
	struct zsr_engine_observer obs;

	unsigned page_size;
	unsigned chain_size;
	unsigned handle_size;
	unsigned min_size;		/* of a class */
	unsigned step_shift;
	unsigned nr_raw;
	unsigned huge_class_size;
	bool shared;
	bool worker_scheduled;
	uint64_t pages_compacted;
	struct zsr_model model;

	int lock;			/* handles and records when shared */
	uint32_t nr_units;		/* units ever used */
	struct zsr_zspage *free_record[ZSR_MAX_CLASSES];

	uint16_t raw_class[ZSR_MAX_CLASSES];
	struct zsr_class class[ZSR_MAX_CLASSES];
};

/* class.c: size classes and group bounds of a pool that has its rules set. */
void zsr_classes_init(struct zsr_engine *e);

/* store.c */
int zsr_store_init(struct zsr_engine *e);
void zsr_store_destroy(struct zsr_engine *e);
struct zsr_zspage *zsr_record_alloc(struct zsr_engine *e,
				    const struct zsr_class *c);
void zsr_record_free(struct zsr_engine *e, const struct zsr_class *c,
		     struct zsr_zspage *z);
zsr_handle zsr_cell_carve(struct zsr_engine *e);



static inline bool is_fresh(const struct zsr_zspage *z)
{
	return z->group == ZSR_GROUP_NONE;
}

static inline bool class_is_real(const struct zsr_engine *e, unsigned index)
{
	return index < e->nr_raw && e->raw_class[index] == index;
}

static inline struct zsr_cell *cell_of(const struct zsr_engine *e, zsr_handle h)
{
	return &e->cells[h >> ZSR_CELL_SHIFT][h & ((1u << ZSR_CELL_SHIFT) - 1)];
}

static inline struct zsr_zspage *zspage_at(const struct zsr_engine *e,
					   uint32_t ref)
{
	char *chunk = e->records[ref >> ZSR_UNIT_SHIFT];

	return (struct zsr_zspage *)(chunk + (size_t)ZSR_UNIT *
				     (ref & ((1u << ZSR_UNIT_SHIFT) - 1)));
}

/* ---- lists ---------------------------------------------------------- */

static inline void link_after(struct zsr_link *l, struct zsr_link *at)
{
	struct zsr_link *next = at->next;

	l->next = next;
	l->prev = at;
	next->prev = l;
	at->next = l;
}

static inline struct zsr_zspage *list_first(struct zsr_class *c, unsigned group)
{
	return (struct zsr_zspage *)c->list[group].next;
}

/* The group a zspage of its count belongs to, looking from the one it was in. */
static inline unsigned group_from(const struct zsr_class *c, unsigned group,
				  unsigned inuse)
{
	while (inuse >= c->from[group + 1])
		group++;
	while (inuse < c->from[group])
		group--;
	return group;
}

/*
 * quad kernels put a zspage with fewer objects than the head of its list in
 * second place; nothing further down is ever compared.
 */
static inline void group_insert(struct zsr_class *c, struct zsr_zspage *z,
				unsigned group)
{
	struct zsr_link *at = &c->list[group];

	if (c->head_or_second && at->next != at &&
	    z->inuse < list_first(c, group)->inuse)
		at = at->next;
	link_after(&z->link, at);
	c->lists |= (uint16_t)(1u << group);
	c->group[group]++;
	z->group = (uint8_t)group;
}

/* Off its list, with the counter left alone. */
static inline void group_unlink(struct zsr_class *c, struct zsr_zspage *z)
{
	struct zsr_link *next = z->link.next, *prev = z->link.prev;

	next->prev = prev;
	prev->next = next;
	/* Both neighbours are the head of the list: it was the only one. */
	c->lists &= (uint16_t)~((unsigned)(next == prev) << z->group);
}

static inline void group_remove(struct zsr_class *c, struct zsr_zspage *z)
{
	group_unlink(c, z);
	c->group[z->group]--;
}

/* ---- slots ---------------------------------------------------------- */

static inline unsigned slot_pop(struct zsr_zspage *z)
{
	unsigned slot = z->free;
	bool fresh = slot == z->fresh;

	z->free = (uint16_t)(fresh ? slot + 1 : z->slot[slot] >> 1);
	z->fresh = (uint16_t)(z->fresh + fresh);
	return slot;
}

static inline void slot_push(struct zsr_zspage *z, unsigned slot)
{
	z->slot[slot] = (uint32_t)z->free << 1;
	z->free = (uint16_t)slot;
}

/* Put the object of H into a slot of Z. */
static inline void slot_take(struct zsr_zspage *z, struct zsr_cell *cell,
			     zsr_handle h)
{
	unsigned slot = slot_pop(z);

	z->slot[slot] = h << 1 | ZSR_SLOT_USED;
	z->inuse++;
	cell->ref = z->ref;
	cell->slot = (uint16_t)slot;
}

#endif
