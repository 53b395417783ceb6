// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "db/live.h"

struct zsr_live *zsr_live_new(unsigned words)
{
	struct zsr_live *live = calloc(1, sizeof(*live));

	if (live)
		live->words = words;
	return live;
}

void zsr_live_free(struct zsr_live *live)
{
	struct zsr_live_page *p;
	size_t i, nr;

	if (!live)
		return;
	nr = (size_t)((live->next + ZSR_LIVE_PAGE - 1) / ZSR_LIVE_PAGE);
	for (i = 0; i < nr; i++)
		free(live->page[i]);
	while ((p = live->spare)) {
		live->spare = p->next_spare;
		free(p);
	}
	free(live->page);
	free(live);
}

int zsr_live_new_page(struct zsr_live *live)
{
	size_t nr = (size_t)(live->next / ZSR_LIVE_PAGE);
	struct zsr_live_page *p = live->spare;

	if (zsr_grow(&live->page, &live->cap, nr + 1, sizeof(*live->page)))
		return -ENOMEM;
	if (p)
		live->spare = p->next_spare;
	else
		p = malloc(sizeof(*p) +
			   sizeof(*p->word) * ZSR_LIVE_PAGE * live->words);
	if (!p)
		return -ENOMEM;
	p->alive = 0;
	live->page[nr] = p;
	return 0;
}

void zsr_live_drop_page(struct zsr_live *live, size_t nr)
{
	struct zsr_live_page *p = live->page[nr];

	p->next_spare = live->spare;
	live->spare = p;
	live->page[nr] = NULL;
}

int zsr_live_add_many(struct zsr_live *live, const uint32_t *size,
		      const uint64_t *t_ns, size_t n)
{
	struct zsr_live_page *p;
	unsigned slot;
	size_t some;

	for (; n; n -= some, size += some, t_ns += some) {
		slot = live->next % ZSR_LIVE_PAGE;
		some = zsr_min(n, (size_t)(ZSR_LIVE_PAGE - slot));
		if (slot == 0 && zsr_live_new_page(live))
			return -ENOMEM;
		p = live->page[live->next / ZSR_LIVE_PAGE];
		p->alive |= ~0ull >> (ZSR_LIVE_PAGE - some) << slot;
		memcpy(p->size + slot, size, some * sizeof(*size));
		if (live->words)
			memcpy(p->word + slot, t_ns, some * sizeof(*t_ns));
		live->next += some;
	}
	return 0;
}
