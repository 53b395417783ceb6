/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sizes of live objects by number, and what else is kept of them in words: the
 * first is their birth. Memory follows the live ones: pages of 64 objects go
 * when the last of them is freed.
 */
#ifndef ZSR_DB_LIVE_H
#define ZSR_DB_LIVE_H

#include "base/base.h"

#define ZSR_LIVE_PAGE 64

struct zsr_live_page {
	uint64_t alive; /* bit per object */
	struct zsr_live_page *next_spare;
	uint32_t size[ZSR_LIVE_PAGE];
	uint64_t word[]; /* ZSR_LIVE_PAGE of the first, then of the next */
};

struct zsr_live {
	struct zsr_live_page **page;
	size_t cap;
	uint64_t next; /* number of the next object */
	struct zsr_live_page *spare;
	unsigned words;
};

/* WORDS: 1 for births. */
struct zsr_live *zsr_live_new(unsigned words);
void zsr_live_free(struct zsr_live *live);
/* The page of the next object, which begins one; -ENOMEM. */
int zsr_live_new_page(struct zsr_live *live);
/* Page NR has no object left. */
void zsr_live_drop_page(struct zsr_live *live, size_t nr);

/* The next object is born; -ENOMEM. Words after the first are anything. */
static inline int zsr_live_add(struct zsr_live *live, uint32_t size,
			       uint64_t t_ns)
{
	unsigned slot = live->next % ZSR_LIVE_PAGE;
	struct zsr_live_page *p;

	if (slot == 0 && zsr_live_new_page(live))
		return -ENOMEM;
	p = live->page[live->next / ZSR_LIVE_PAGE];
	p->alive |= 1ull << slot;
	p->size[slot] = size;
	if (live->words)
		p->word[slot] = t_ns;
	live->next++;
	return 0;
}

/* N objects are born; t_ns is not looked at when births are not kept. */
int zsr_live_add_many(struct zsr_live *live, const uint32_t *size,
		      const uint64_t *t_ns, size_t n);

/* The page of an object, NULL when it is not alive. */
static inline struct zsr_live_page *zsr_live_find(const struct zsr_live *live,
						  uint64_t obj)
{
	struct zsr_live_page *p;

	if (obj >= live->next)
		return NULL;
	p = live->page[obj / ZSR_LIVE_PAGE];
	return p && p->alive >> obj % ZSR_LIVE_PAGE & 1 ? p : NULL;
}

/* Word NR of an object on its page. */
static inline uint64_t *zsr_live_word(struct zsr_live_page *p, uint64_t obj,
				      unsigned nr)
{
	return &p->word[nr * ZSR_LIVE_PAGE + obj % ZSR_LIVE_PAGE];
}

/* OBJ dies: false when it is not alive. *birth (NULL: not wanted) stays as it is
 * when births are not kept. */
static inline bool zsr_live_take(struct zsr_live *live, uint64_t obj,
				 uint32_t *size, uint64_t *birth)
{
	struct zsr_live_page *p = zsr_live_find(live, obj);
	size_t nr = (size_t)(obj / ZSR_LIVE_PAGE);
	unsigned slot = obj % ZSR_LIVE_PAGE;

	if (!p)
		return false;
	*size = p->size[slot];
	if (birth && live->words)
		*birth = p->word[slot];
	p->alive &= ~(1ull << slot);
	/* The page of the next object is still being filled. */
	if (!p->alive && nr != live->next / ZSR_LIVE_PAGE)
		zsr_live_drop_page(live, nr);
	return true;
}

#endif
