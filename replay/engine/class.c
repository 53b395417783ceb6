// SPDX-License-Identifier: GPL-2.0-only
/*
 * Size classes, as pool creation makes them: the two chain rules, merging,
 * the huge watermark, and the bounds of the fullness groups.
 */
#include "replay/engine/internal.h"

/*
 * Pages a zspage. percent (get_pages_per_zspage, to 6.2): the first chain
 * with the best used percentage, which is truncated, so that near ties go to
 * the shorter one.
 */
static unsigned chain_percent(const struct zsr_engine *e, unsigned size)
{
	unsigned i, best = 1, best_used = 0;

	for (i = 1; i <= e->chain_size; i++) {
		unsigned bytes = i * e->page_size;
		unsigned used = 100 * (bytes - bytes % size) / bytes;

		if (used > best_used) {
			best_used = used;
			best = i;
		}
	}
	return best;
}

/* minwaste (calculate_zspage_chain_size, from 6.3): the first chain with the
 * fewest bytes left over at its end. */
static unsigned chain_minwaste(const struct zsr_engine *e, unsigned size)
{
	unsigned i, best = 1, least = e->page_size;

	for (i = 1; i <= e->chain_size; i++) {
		unsigned waste = i * e->page_size % size;

		if (waste < least) {
			least = waste;
			best = i;
		}
	}
	return best;
}

static unsigned chain_pages(const struct zsr_engine *e, unsigned size)
{
	switch (e->model.chain) {
	case ZSR_CHAIN_PERCENT:
		return chain_percent(e, size);
	case ZSR_CHAIN_MINWASTE:
		break;
	}
	return chain_minwaste(e, size);
}

/*
 * quad (get_fullness_group, to 6.3): empty, almost empty up to 3/4 of the
 * slots, almost full, full.
 */
static void groups_quad(struct zsr_class *c)
{
	c->full = 3;
	c->head_or_second = true;
	c->from[1] = 1;
	c->from[2] = (uint16_t)zsr_min(3u * c->objs / 4 + 1, c->objs);
}

/*
 * ratio12 (from 6.4): empty, ten groups of 10 % each, full. Group g of the
 * ten starts at the least n with 100 n / objs >= 10 (g - 1).
 */
static void groups_ratio12(struct zsr_class *c)
{
	unsigned g;

	c->full = 11;
	for (g = 1; g <= 10; g++)
		c->from[g] = (uint16_t)zsr_max(((g - 1) * c->objs + 9) / 10, 1);
}

static void groups_init(const struct zsr_engine *e, struct zsr_class *c)
{
	unsigned g;

	switch (e->model.group) {
	case ZSR_GROUP_QUAD:
		groups_quad(c);
		break;
	case ZSR_GROUP_RATIO12:
		groups_ratio12(c);
		break;
	}
	c->from[0] = 0;
	c->from[c->full] = c->objs;
	c->from[c->full + 1] = (uint16_t)(c->objs + 1);
	for (g = 0; g < ZSR_MAX_GROUPS; g++)
		c->list[g] = list_end(c);
	for (g = 0; g < c->full; g++) {
		c->up[g] = (uint8_t)group_of(c, c->from[g + 1]);
		c->down[g + 1] = (uint8_t)group_of(c, c->from[g + 1] - 1u);
	}
}

/* Largest request whose raw class is RAW or below. */
static unsigned request_limit(const struct zsr_engine *e, unsigned raw)
{
	if (raw + 1 >= e->nr_raw)
		return e->page_size;
	return e->min_size + (raw << e->step_shift) - e->handle_size;
}

static void class_init(struct zsr_engine *e, unsigned index, unsigned size,
		       unsigned pages, unsigned objs)
{
	struct zsr_class *c = &e->class[index];

	c->size = size;
	c->pages = (uint8_t)pages;
	c->objs = (uint16_t)objs;
	c->huge = pages == 1 && objs == 1;
	e->info[index] = (struct zsr_class_info){
		.index = index,
		.size = size,
		.objs = objs,
		.pages = pages,
		.max_request = request_limit(e, index),
		.waste = pages * e->page_size - objs * size,
		.huge = c->huge,
	};
	groups_init(e, c);
	/* The kernel sets its watermark once, at the first pool's creation. */
	if (!e->huge_class_size && pages > 1 && objs > 1)
		e->huge_class_size = size - e->handle_size + 1;
}

/*
 * From the top down: a raw class whose zspage has as many pages and objects
 * as that of the last class made is merged into it.
 */
static void raw_classes_init(struct zsr_engine *e)
{
	unsigned span = e->page_size - e->min_size, raw;
	struct zsr_class_info *last = NULL;

	e->step_shift = (unsigned)__builtin_ctz(e->page_size / 256);
	e->nr_raw = ((span + (1u << e->step_shift) - 1) >> e->step_shift) + 1;
	for (raw = e->nr_raw; raw--;) {
		unsigned size = zsr_min(e->min_size + (raw << e->step_shift),
					e->page_size);
		unsigned pages = chain_pages(e, size);
		unsigned objs = pages * e->page_size / size;

		if (!last || last->pages != pages || last->objs != objs) {
			class_init(e, raw, size, pages, objs);
			last = &e->info[raw];
		}
		e->raw_class[raw] = (uint16_t)last->index;
		last->slots_merged++;
		last->min_request = raw ? request_limit(e, raw - 1) + 1 : 1;
	}
}

/*
 * A request is looked up with its handle's bytes, rounded up to the step; what
 * is below the smallest class is in it, and what is above the largest too.
 */
static unsigned request_raw(const struct zsr_engine *e, unsigned size)
{
	unsigned bytes = size + e->handle_size, step = 1u << e->step_shift;

	if (bytes <= e->min_size)
		return 0;
	return zsr_min((bytes - e->min_size + step - 1) / step, e->nr_raw - 1);
}

static void requests_init(struct zsr_engine *e)
{
	unsigned step = 1u << e->step_shift, i, size;

	/* Sizes of one raw class differ in the bits that are shifted out. */
	e->request_bias = (step - 1 + e->handle_size - e->min_size) % step;
	for (i = 0; i <= (e->page_size + e->request_bias) / step; i++) {
		size = zsr_max((i + 1) * step - 1, e->request_bias + 1) -
		       e->request_bias;
		size = zsr_min(size, e->page_size);
		e->request_class[i] = e->raw_class[request_raw(e, size)];
	}
}

void zsr_classes_init(struct zsr_engine *e)
{
	raw_classes_init(e);
	requests_init(e);
}

bool zsr_engine_class_info(const struct zsr_engine *e, unsigned index,
			   struct zsr_class_info *info)
{
	if (!class_is_real(e, index))
		return false;
	*info = e->info[index];
	return true;
}

unsigned zsr_engine_nr_raw_classes(const struct zsr_engine *e)
{
	return e->nr_raw;
}

unsigned zsr_engine_huge_class_size(const struct zsr_engine *e)
{
	return e->huge_class_size;
}
