// SPDX-License-Identifier: GPL-2.0-only
/* Live objects by number: a directory of pages of 64. */
#include <stdlib.h>

#include "db/chunk.h"

#define PER_PAGE 64

struct page {
	uint64_t live; /* bit per object */
	struct page *next_free;
	uint32_t size[PER_PAGE];
	uint64_t birth[PER_PAGE];
};

struct zsr_live {
	struct page **dir;
	size_t cap;
	uint64_t first; /* number of dir[0]'s first object */
	uint64_t next;
	uint64_t nr_live;
	struct page *spare;
};

struct zsr_live *zsr_live_new(uint64_t first)
{
	struct zsr_live *o = calloc(1, sizeof(*o));

	if (o) {
		o->first = first & ~(uint64_t)(PER_PAGE - 1);
		o->next = first;
	}
	return o;
}

void zsr_live_free(struct zsr_live *o)
{
	struct page *p;
	size_t i, nr;

	if (!o)
		return;
	nr = o->dir ? (size_t)((o->next - o->first + PER_PAGE - 1) / PER_PAGE)
		    : 0;
	for (i = 0; i < nr; i++)
		free(o->dir[i]);
	while ((p = o->spare)) {
		o->spare = p->next_free;
		free(p);
	}
	free(o->dir);
	free(o);
}

uint64_t zsr_live_next(const struct zsr_live *o)
{
	return o->next;
}

uint64_t zsr_live_live(const struct zsr_live *o)
{
	return o->nr_live;
}

static struct page *new_page(struct zsr_live *o)
{
	struct page *p = o->spare;

	if (p)
		o->spare = p->next_free;
	else
		p = malloc(sizeof(*p));
	if (p)
		p->live = 0;
	return p;
}

int zsr_live_add(struct zsr_live *o, uint32_t size, uint64_t t_ns)
{
	uint64_t at = o->next - o->first;
	size_t nr = (size_t)(at / PER_PAGE);
	unsigned slot = at % PER_PAGE;
	struct page *p;

	if (slot == 0 || !o->dir) {
		if (zsr_grow(&o->dir, &o->cap, nr + 1, sizeof(*o->dir)))
			return -ENOMEM;
		p = new_page(o);
		if (!p)
			return -ENOMEM;
		o->dir[nr] = p;
	}
	p = o->dir[nr];
	p->live |= 1ull << slot;
	p->size[slot] = size;
	p->birth[slot] = t_ns;
	o->next++;
	o->nr_live++;
	return 0;
}

bool zsr_live_take(struct zsr_live *o, uint64_t obj, uint32_t *size,
		   uint64_t *t_ns)
{
	uint64_t at = obj - o->first, bit = 1ull << (at % PER_PAGE);
	struct page *p;

	if (obj >= o->next || obj < o->first)
		return false;
	p = o->dir[at / PER_PAGE];
	if (!p || !(p->live & bit))
		return false;
	*size = p->size[at % PER_PAGE];
	*t_ns = p->birth[at % PER_PAGE];
	p->live &= ~bit;
	o->nr_live--;
	/* The page of the next object is still being filled. */
	if (!p->live && at / PER_PAGE != (o->next - o->first) / PER_PAGE) {
		p->next_free = o->spare;
		o->spare = p;
		o->dir[at / PER_PAGE] = NULL;
	}
	return true;
}
