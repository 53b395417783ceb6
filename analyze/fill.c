// SPDX-License-Identifier: GPL-2.0-only
/* How full the pages of the size classes are over time. */
#include <stdlib.h>

#include "analyze/values.h"

static uint64_t bytes(uint32_t n, uint64_t each)
{
	uint64_t v;

	return __builtin_mul_overflow(n, each, &v)
		       ? UINT32_MAX
		       : zsr_min(v, UINT64_MAX / 1024);
}

static bool has_fill(const struct zsr_run *run)
{
	const struct zsr_grid *o = &run->grid[ZSR_GRID_objects];
	const struct zsr_grid *p = &run->grid[ZSR_GRID_pages];
	uint32_t r;

	if (!o->nr_rows || !o->nr_cols || !o->step_ns ||
	    o->nr_rows != p->nr_rows || o->nr_cols != p->nr_cols ||
	    o->step_ns != p->step_ns)
		return false;
	for (r = 0; r < o->nr_rows; r++)
		if (o->row[r] != p->row[r])
			return false;
	return true;
}

struct weight {
	uint64_t size;
	uint64_t bytes;
};

static int by_size(const void *a, const void *b)
{
	const struct weight *x = a, *y = b;

	return x->size < y->size ? -1 : x->size > y->size;
}

/* Most bytes each class's pages took at any time in any run. */
static size_t weigh(const struct zsr_run *const *run, size_t nr,
		    struct weight *w, size_t most)
{
	size_t i, k, n = 0;
	uint32_t r, t;

	for (i = 0; i < nr; i++) {
		const struct zsr_grid *g = &run[i]->grid[ZSR_GRID_pages];

		for (r = 0; has_fill(run[i]) && r < g->nr_rows; r++) {
			for (k = 0; k < n && w[k].size != g->row[r]; k++)
				;
			if (k == most)
				continue;
			n = zsr_max(n, k + 1);
			w[k].size = g->row[r];
			for (t = 0; t < g->nr_cols; t++)
				w[k].bytes = zsr_max(
					w[k].bytes,
					bytes(g->cell[(size_t)r * g->nr_cols + t],
					      run[i]->page_size));
		}
	}
	qsort(w, n, sizeof(*w), by_size);
	return n;
}

/* Groups of neighbours with about the same memory. */
static void make_groups(struct zsr_compare *c, const struct weight *w, size_t n)
{
	unsigned __int128 total = 0, sum = 0;
	size_t i, group = 0;

	for (i = 0; i < n; i++)
		total += w[i].bytes;
	for (i = 0; i < n; i++) {
		struct zsr_sizes *s = &c->sizes[group];

		if (c->nr_sizes == group) {
			s->low = w[i].size;
			c->nr_sizes++;
		}
		s->high = w[i].size;
		sum += w[i].bytes;
		if (sum * ZSR_MOST_SIZES >= total * (group + 1) &&
		    group + 1 < ZSR_MOST_SIZES)
			group++;
	}
}

static size_t group_of(const struct zsr_compare *c, uint64_t size)
{
	size_t i;

	for (i = 0; i + 1 < c->nr_sizes && size > c->sizes[i].high; i++)
		;
	return i;
}

static int fill(struct zsr_compare *c, struct zsr_filling *f,
		const struct zsr_run *run)
{
	const struct zsr_grid *o = &run->grid[ZSR_GRID_objects];
	const struct zsr_grid *p = &run->grid[ZSR_GRID_pages];
	uint32_t r, t;

	f->at = calloc(o->nr_cols, sizeof(*f->at));
	if (!f->at)
		return -ENOMEM;
	f->nr = o->nr_cols;
	f->step_ns = o->step_ns;
	for (t = 0; t < o->nr_cols; t++) {
		uint64_t most = 0, class = 0;

		for (r = 0; r < o->nr_rows; r++) {
			size_t i = (size_t)r * o->nr_cols + t;
			uint64_t used = bytes(o->cell[i], o->row[r]);
			uint64_t all = bytes(p->cell[i], run->page_size);
			uint64_t unused = all - zsr_min(all, used);

			f->at[t].used[group_of(c, o->row[r])] += used;
			f->at[t].unused += unused;
			if (unused > most) {
				most = unused;
				class = o->row[r];
			}
		}
		if (f->at[t].unused > f->unused_max) {
			f->unused_max = f->at[t].unused;
			f->unused_max_ns = zsr_mul_div(f->step_ns, t + 1, 1);
			f->unused_class = class;
		}
	}
	return 0;
}

int zsr_fill_build(struct zsr_compare *c, const struct zsr_run *const *run)
{
	struct weight *w;
	size_t most = 0, i;
	int ret = 0;

	for (i = 0; i < c->nr_cols; i++)
		most += run[i]->grid[ZSR_GRID_pages].nr_rows;
	w = calloc(most + 1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	make_groups(c, w, weigh(run, c->nr_cols, w, most));
	for (i = 0; i < c->nr_cols && !ret; i++)
		if (has_fill(run[i]))
			ret = fill(c, &c->col[i].filling, run[i]);
	free(w);
	return ret;
}
