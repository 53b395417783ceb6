/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The engine's own structures, and the steps that must be inlined to be cheap.
 *
 * A handle is the number of a cell, and a cell says where its object is
 * (object.h). Records of zspages never move and are never given back before the
 * pool goes, and one that is used again serves the same class.
 */
#ifndef ZSR_ENGINE_INTERNAL_H
#define ZSR_ENGINE_INTERNAL_H

#include "replay/engine/engine.h"

#define ZSR_HOT inline __attribute__((always_inline))

/* For loops that wait for another thread. */
#if defined(__x86_64__) || defined(__i386__)
#define zsr_cpu_relax() __builtin_ia32_pause()
#elif defined(__aarch64__) || defined(__arm__)
#define zsr_cpu_relax() __asm__ volatile("yield")
#else
#define zsr_cpu_relax() __asm__ volatile("")
#endif

#define ZSR_MAX_CLASSES 257 /* raw classes at 16 and 64 KiB pages */
#define ZSR_MAX_GROUPS  12
#define ZSR_MAX_HANDLES (1u << 31)
#define ZSR_NO_GROUP    0xff /* fresh from zspage_alloc */

/* Records start at multiples of a cache line. */
#define ZSR_LINE 64

struct zsr_zspage {
	/* Of its group's list; where says who points here. */
	struct zsr_zspage *next;
	struct zsr_zspage **where;
	uint64_t serial;
	uint32_t queued; /* the driver's */
	uint16_t class;
	uint16_t inuse;
	uint16_t free; /* head of the free list */
	uint16_t locked; /* a bit a page */
	uint16_t from; /* its group holds counts in use from here */
	uint16_t below; /* to under here */
	uint8_t group;
	uint8_t pages;
	union {
		struct { /* of a backed pool: numbers of pages */
			uint32_t first_page;
			uint32_t free_page; /* where the free list's head is */
		};
		struct {
			struct {
			} of_others;
			uint32_t slot[]; /* see object.h */
		};
	};
};

/* Three cache lines: what every op needs, the lists, what is rarely needed. */
struct zsr_class {
	uint64_t obj_used;
	uint32_t lists; /* bit g: the list of group g has entries */
	uint8_t full; /* number of the group of full zspages */
	bool head_or_second; /* insertion looks at the head of the list */
	/* The group on which one that grows out of g, or shrinks, falls. */
	uint8_t up[ZSR_MAX_GROUPS - 1];
	uint8_t down[ZSR_MAX_GROUPS];
	/* Group g holds counts of objects in use in [from[g], from[g + 1]). */
	uint16_t from[ZSR_MAX_GROUPS + 1];

	/* That of full zspages stays empty: nobody looks for them. */
	struct zsr_zspage *list[ZSR_MAX_GROUPS];
	struct {
		struct zsr_zspage *next;
		struct zsr_zspage **where;
	} end; /* of every list, in a zspage's shape */

	uint32_t zspages;
	uint32_t size; /* bytes a slot */
	uint16_t objs; /* slots a zspage */
	uint8_t pages; /* pages a zspage */
	bool huge;
};
_Static_assert(sizeof(void *) != 8 || sizeof(struct zsr_class) == 3 * ZSR_LINE,
	       "three cache lines");

struct zsr_engine {
	uint64_t *cells;
	uint32_t free_handle; /* of a plain pool */
	uint32_t free_backed; /* of a backed pool that is not shared */
	uint32_t nr_handles; /* cells ever used, number 0 included */

	unsigned page_size;
	unsigned step_shift;
	unsigned request_bias;
	bool shared;
	bool backed;
	bool gives_back; /* emptied zspages to the system, too */
	bool plain; /* neither: the straight ways */

	/* Of a backed pool: by number of the page. */
	unsigned page_shift;
	char *memory;
	struct zsr_page *page;

	/* What threads write goes apart from what all read all the time. */
	_Alignas(ZSR_LINE) uint64_t pages;
	uint64_t next_serial;
	uint64_t pages_compacted;
	bool worker_scheduled;

	_Alignas(ZSR_LINE) struct zsr_engine_observer obs;
	struct zsr_model model;
	unsigned handle_size;
	unsigned min_size; /* of a class */
	unsigned nr_raw;
	unsigned chain_size;
	unsigned huge_class_size;
	struct zsr_store *store;
	struct zsr_arena *arena;
	size_t cells_cap;

	/* By (size + request_bias) >> step_shift. */
	uint16_t request_class[ZSR_MAX_CLASSES + 2];
	uint16_t raw_class[ZSR_MAX_CLASSES];
	_Alignas(ZSR_LINE) struct zsr_class class[ZSR_MAX_CLASSES];
	struct zsr_class_info info[ZSR_MAX_CLASSES];
	/* What the worker of some kernels forgot to take off the counter. */
	uint32_t drift[ZSR_MAX_CLASSES];
};

/* layout.c: a usage error for sizes no pool has. */
int zsr_sizes_check(unsigned page_size, unsigned chain_size,
		    struct zsr_err *err);

/* class.c: size classes of a pool whose rules are set. */
void zsr_classes_init(struct zsr_engine *e);

/* store.c: memory. The alloc functions return 0 or NULL when it is out. */
int zsr_store_init(struct zsr_engine *e);
void zsr_store_destroy(struct zsr_engine *e);
zsr_handle zsr_cell_alloc_slow(struct zsr_engine *e);
void zsr_cell_free_shared(struct zsr_engine *e, zsr_handle h);
/* With its pages where the pool is backed. */
struct zsr_zspage *zsr_record_alloc(struct zsr_engine *e, struct zsr_class *c);
void zsr_record_free(struct zsr_engine *e, struct zsr_zspage *z);

/* arena.c: pages. The pool's store is locked around alloc and free. */
int zsr_arena_init(struct zsr_engine *e);
void zsr_arena_destroy(struct zsr_engine *e);
bool zsr_chain_alloc(struct zsr_engine *e, struct zsr_zspage *z);
void zsr_chain_free(struct zsr_engine *e, struct zsr_zspage *z);
/* The system may have the memory of its pages. */
void zsr_chain_give_back(struct zsr_engine *e, const struct zsr_zspage *z);
/* Links through the slots of a new zspage; its pages without an owner again. */
void zsr_chain_init(struct zsr_engine *e, const struct zsr_class *c,
		    struct zsr_zspage *z);
void zsr_chain_reset(struct zsr_engine *e, struct zsr_zspage *z);
bool zsr_chain_trylock(struct zsr_engine *e, struct zsr_zspage *z);
/* The bytes of an object that compaction has given a second slot. */
void zsr_obj_copy(struct zsr_engine *e, const struct zsr_class *c, uint64_t to,
		  uint64_t from);

static inline unsigned class_index(const struct zsr_engine *e,
				   const struct zsr_class *c)
{
	return (unsigned)(c - e->class);
}

/* Hidden from the compiler, which otherwise computes the address of each
 * member anew from that of the pool. */
static ZSR_HOT struct zsr_class *class_at(struct zsr_engine *e, unsigned index)
{
	struct zsr_class *c = &e->class[index];

	__asm__("" : "+r"(c));
	return c;
}

static inline uint64_t class_allocated(const struct zsr_class *c)
{
	return (uint64_t)c->zspages * c->objs;
}

static inline bool class_is_real(const struct zsr_engine *e, unsigned index)
{
	return index < e->nr_raw && e->raw_class[index] == index;
}

/* ---- fullness groups -------------------------------------------------- */

static ZSR_HOT struct zsr_zspage *list_end(struct zsr_class *c)
{
	return (struct zsr_zspage *)&c->end;
}

static inline unsigned group_of(const struct zsr_class *c, unsigned inuse)
{
	unsigned group = c->full;

	while (inuse < c->from[group])
		group--;
	return group;
}

/*
 * To the head of its list; in quad kernels to second place when it has fewer
 * objects than the head. Nothing further down is ever compared.
 *
 * Which group it is cannot be predicted, so there is no branch on it: a full
 * zspage is linked like others to its list, which does not get to know.
 */
static ZSR_HOT void group_insert(struct zsr_class *c, struct zsr_zspage *z,
				 unsigned group)
{
	struct zsr_zspage **where = &c->list[group], *next = *where;
	bool full = group == c->full;

	if (c->head_or_second && next != list_end(c) && z->inuse < next->inuse) {
		where = &next->next;
		next = *where;
	}
	z->next = next;
	z->where = where;
	next->where = &z->next;
	*where = full ? list_end(c) : z;
	c->lists |= (uint32_t)!full << group;
	z->group = (uint8_t)group;
	z->from = c->from[group];
	z->below = c->from[group + 1];
}

static ZSR_HOT void group_remove(struct zsr_class *c, struct zsr_zspage *z)
{
	struct zsr_zspage *next = z->next, **where = z->where;
	unsigned group = z->group;

	*where = next;
	next->where = where;
	c->lists &= ~((uint32_t)(c->list[group] == list_end(c)) << group);
}

#endif
