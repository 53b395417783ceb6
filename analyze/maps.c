// SPDX-License-Identifier: GPL-2.0-only
/* Latency over time: grids of runs with columns of one length. And what CPUs
 * were busy with. */
#include <stdlib.h>
#include <string.h>

#include "analyze/values.h"

/* A grid's columns put together FOLD by FOLD. */
static int fold(struct zsr_map *m, const struct zsr_grid *g, uint64_t fold)
{
	uint32_t r, i;

	*m = (struct zsr_map){ .step_ns = g->step_ns * fold,
			       .nr_rows = g->nr_rows };
	m->nr_cols = (uint32_t)((g->nr_cols + fold - 1) / fold);
	m->row = calloc(g->nr_rows, sizeof(*m->row));
	m->cell = calloc((size_t)g->nr_rows * m->nr_cols, sizeof(*m->cell));
	if (!m->row || !m->cell)
		return -ENOMEM;
	memcpy(m->row, g->row, g->nr_rows * sizeof(*m->row));
	for (r = 0; r < g->nr_rows; r++)
		for (i = 0; i < g->nr_cols; i++) {
			uint32_t *to = &m->cell[(size_t)r * m->nr_cols + i / fold],
				 v = g->cell[(size_t)r * g->nr_cols + i];

			*to = *to > UINT32_MAX - v ? UINT32_MAX : *to + v;
		}
	return 0;
}

static bool has_map(const struct zsr_run *run)
{
	const struct zsr_grid *g = &run->grid[ZSR_GRID_latency];
	uint32_t r;

	for (r = 1; r < g->nr_rows; r++)
		if (g->row[r] <= g->row[r - 1])
			return false;
	return g->nr_rows && g->nr_cols && g->step_ns;
}

int zsr_maps_build(struct zsr_compare *c, const struct zsr_run *const *run)
{
	uint64_t step = 0;
	size_t i, k;

	for (i = 0; i < c->nr_cols; i++)
		if (has_map(run[i]))
			step = zsr_max(step,
				       run[i]->grid[ZSR_GRID_latency].step_ns);
	for (i = 0; i < c->nr_cols; i++) {
		const struct zsr_grid *g = &run[i]->grid[ZSR_GRID_latency];
		struct zsr_map *m = &c->col[i].map;

		if (!has_map(run[i]))
			continue;
		if (fold(m, g, step / g->step_ns))
			return -ENOMEM;
		for (k = 0; k < (size_t)m->nr_rows * m->nr_cols; k++)
			c->map_max = zsr_max(c->map_max, m->cell[k]);
	}
	return 0;
}

/* Rows come CPU by CPU, each with every kind. */
static bool has_cpus(const struct zsr_grid *g)
{
	uint32_t r;

	for (r = 0; r < g->nr_rows; r++)
		if (g->row[r] !=
		    ((uint64_t)(r / ZSR_NR_BUSY) << 8 | r % ZSR_NR_BUSY))
			return false;
	return g->nr_rows && g->nr_rows % ZSR_NR_BUSY == 0 && g->nr_cols &&
	       g->step_ns;
}

int zsr_cpus_build(struct zsr_column *c, const struct zsr_run *run)
{
	const struct zsr_grid *g = &run->grid[ZSR_GRID_busy];
	struct zsr_cpus *b = &c->cpus_busy;
	uint32_t r, i;

	_Static_assert((int)ZSR_CPU_KINDS == (int)ZSR_NR_BUSY,
		       "the same kinds in the same order");
	if (!has_cpus(g))
		return 0;
	b->share = calloc((size_t)g->nr_rows / ZSR_NR_BUSY * g->nr_cols,
			  sizeof(*b->share));
	if (!b->share)
		return -ENOMEM;
	b->step_ns = g->step_ns;
	b->nr_cols = g->nr_cols;
	b->nr_cpus = g->nr_rows / ZSR_NR_BUSY;
	for (r = 0; r < g->nr_rows; r++)
		for (i = 0; i < g->nr_cols; i++)
			b->share[(size_t)(r / ZSR_NR_BUSY) * g->nr_cols + i]
				[r % ZSR_NR_BUSY] = zsr_min(
				(float)g->cell[(size_t)r * g->nr_cols + i] /
					(float)g->step_ns,
				1.0f);
	return 0;
}
