// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "replay/machine/virtual/vm.h"
#include "replay/overtime.h"

#define FIRST_STEP (1024 * ZSR_PS_PER_NS)

static unsigned nr_busy(const struct zsr_overtime *o)
{
	return o->nr_cpus * ZSR_NR_BUSY;
}

void zsr_overtime_begin(struct zsr_overtime *o, uint64_t ps)
{
	o->begun = true;
	o->begin_ps = ps;
	o->latency_step = o->class_step = FIRST_STEP;
	o->latency = calloc((size_t)ZSR_OVERTIME_ROWS * ZSR_OVERTIME_COLS,
			    sizeof(*o->latency));
	o->class = calloc(o->nr_classes + 1u, sizeof(*o->class));
	o->nomem |= !o->latency || !o->class;
	if (!o->busy)
		return;
	o->busy_last = calloc(nr_busy(o), sizeof(*o->busy_last));
	o->busy_now = calloc(nr_busy(o), sizeof(*o->busy_now));
	o->busy_past = calloc(nr_busy(o) * (size_t)ZSR_OVERTIME_CLASS,
			      sizeof(*o->busy_past));
	if (!o->busy_last || !o->busy_now || !o->busy_past)
		o->nomem = true;
	else
		o->busy(o->use_ctx, ps, o->busy_last);
}

/* ---- releases ---------------------------------------------------------- */

static unsigned row_of(uint64_t ns)
{
	unsigned exp;

	if (ns < 4)
		return (unsigned)ns;
	exp = 63 - (unsigned)__builtin_clzll(ns);
	return zsr_min((exp - 1) * 4 + (unsigned)(ns >> (exp - 2) & 3),
		       ZSR_OVERTIME_ROWS - 1);
}

static uint64_t row_low(unsigned row)
{
	return row < 4 ? row : (uint64_t)(4 + (row & 3)) << (row / 4 - 1);
}

/* Columns of twice the length: each is the sum of two. */
static void fold(struct zsr_overtime *o)
{
	unsigned r, i;

	for (r = 0; r < ZSR_OVERTIME_ROWS; r++) {
		uint32_t *cell = o->latency + (size_t)r * ZSR_OVERTIME_COLS;

		for (i = 0; i < ZSR_OVERTIME_COLS / 2; i++)
			cell[i] = cell[2 * i] + cell[2 * i + 1];
		memset(cell + i, 0, i * sizeof(*cell));
	}
	o->latency_step *= 2;
	o->nr_latency = (o->nr_latency + 1) / 2;
}

void zsr_overtime_release(struct zsr_overtime *o, uint64_t ps, uint64_t ns)
{
	uint64_t col;

	if (!o->latency)
		return;
	while ((col = (ps - zsr_min(ps, o->begin_ps)) / o->latency_step) >=
	       ZSR_OVERTIME_COLS)
		fold(o);
	o->latency[row_of(ns) * (size_t)ZSR_OVERTIME_COLS + col]++;
	o->nr_latency = zsr_max(o->nr_latency, (uint32_t)col + 1);
}

/* ---- size classes ------------------------------------------------------ */

static void halve(struct zsr_overtime *o)
{
	unsigned k, i;

	o->nr_past = ZSR_OVERTIME_CLASS / 2;
	for (k = 0; o->busy_past && k < nr_busy(o); k++) {
		uint32_t *ns = o->busy_past + (size_t)k * ZSR_OVERTIME_CLASS;

		for (i = 0; i < o->nr_past; i++)
			ns[i] = (uint32_t)zsr_min(
				(uint64_t)ns[2 * i] + ns[2 * i + 1], UINT32_MAX);
	}
	for (k = 0; k < o->nr_classes; k++) {
		uint32_t *objects = o->class[k].past,
			 *pages = objects + ZSR_OVERTIME_CLASS;

		for (i = 0; objects && i < o->nr_past; i++) {
			objects[i] = objects[2 * i + 1];
			pages[i] = pages[2 * i + 1];
		}
	}
	o->class_step *= 2;
}

/* Memory for a class is taken when there is something in it. */
static void column_of(struct zsr_overtime *o, unsigned class)
{
	struct zsr_overtime_class *c = &o->class[class];
	struct zsr_class_use use = o->use(o->use_ctx, class);

	if (!c->past && (use.objects || use.pages)) {
		c->past = calloc(2 * ZSR_OVERTIME_CLASS, sizeof(*c->past));
		o->nomem |= !c->past;
	}
	if (!c->past)
		return;
	c->size = use.size;
	c->past[o->nr_past] = use.objects;
	c->past[ZSR_OVERTIME_CLASS + o->nr_past] = use.pages;
}

/* What was done since the last column ended is that of as many columns. */
static void busy_until(struct zsr_overtime *o, uint64_t ps, uint64_t columns)
{
	unsigned k;

	if (!o->busy_past)
		return;
	o->busy(o->use_ctx, ps, o->busy_now);
	for (k = 0; k < nr_busy(o); k++) {
		uint64_t part = o->busy_now[k] -
				zsr_min(o->busy_last[k], o->busy_now[k]);

		part /= columns;
		o->busy_last[k] += part;
		o->busy_past[(size_t)k * ZSR_OVERTIME_CLASS + o->nr_past] =
			(uint32_t)zsr_min(zsr_ps_to_ns(part), UINT32_MAX);
	}
}

/* The first of as many that are over at PS. */
static void column_ends(struct zsr_overtime *o, uint64_t ps, uint64_t columns)
{
	unsigned k;

	busy_until(o, ps, columns);
	for (k = 0; k < o->nr_classes; k++)
		column_of(o, k);
	o->nr_past++;
}

void zsr_overtime_pass(struct zsr_overtime *o, uint64_t ps)
{
	uint64_t over;

	while (o->begun && !o->nomem && ps >= o->begin_ps) {
		over = (ps - o->begin_ps) / o->class_step;
		if (over <= o->nr_past)
			break;
		if (o->nr_past == ZSR_OVERTIME_CLASS)
			halve(o);
		else
			column_ends(o, ps, over - o->nr_past);
	}
}

/* ---- marks ------------------------------------------------------------- */

void zsr_overtime_mark(struct zsr_overtime *o, uint64_t mark, uint64_t pages)
{
	if (zsr_grow(&o->mark, &o->cap_marks, o->nr_marks + 1, sizeof(*o->mark)) ||
	    zsr_grow(&o->mark_pages, &o->cap_mark_pages, o->nr_marks + 1,
		     sizeof(*o->mark_pages))) {
		o->nomem = true;
		return;
	}
	o->mark[o->nr_marks] = mark;
	o->mark_pages[o->nr_marks++] = pages;
}

/* ---- into the run ------------------------------------------------------ */

static int make(struct zsr_grid *g, const struct zsr_overtime *o, uint64_t step,
		uint32_t nr_cols, uint32_t nr_rows)
{
	*g = (struct zsr_grid){ .begin_ns = zsr_ps_to_ns(o->begin_ps),
				.step_ns = step / ZSR_PS_PER_NS,
				.nr_cols = nr_cols };
	g->row = calloc(nr_rows + 1, sizeof(*g->row));
	g->cell = calloc((size_t)nr_rows * nr_cols + 1, sizeof(*g->cell));
	return g->row && g->cell ? 0 : -ENOMEM;
}

/* From the first row that has anything to the last. */
static int finish_latency(const struct zsr_overtime *o, struct zsr_grid *g)
{
	unsigned first = ZSR_OVERTIME_ROWS, last = 0, r, i;

	for (r = 0; r < ZSR_OVERTIME_ROWS; r++)
		for (i = 0; i < o->nr_latency; i++)
			if (o->latency[r * ZSR_OVERTIME_COLS + i]) {
				first = zsr_min(first, r);
				last = r + 1;
			}
	if (first >= last)
		return 0;
	if (make(g, o, o->latency_step, o->nr_latency, last - first))
		return -ENOMEM;
	for (r = first; r < last; r++) {
		memcpy(g->cell + (size_t)g->nr_rows * g->nr_cols,
		       o->latency + (size_t)r * ZSR_OVERTIME_COLS,
		       g->nr_cols * sizeof(*g->cell));
		g->row[g->nr_rows++] = row_low(r);
	}
	return 0;
}

static int finish_classes(const struct zsr_overtime *o, struct zsr_grid *g,
			  unsigned from)
{
	unsigned k;

	if (make(g, o, o->class_step, o->nr_past, o->nr_classes))
		return -ENOMEM;
	for (k = 0; k < o->nr_classes; k++) {
		if (!o->class[k].past)
			continue;
		memcpy(g->cell + (size_t)g->nr_rows * g->nr_cols,
		       o->class[k].past + from, g->nr_cols * sizeof(*g->cell));
		g->row[g->nr_rows++] = o->class[k].size;
	}
	return 0;
}

/* Rows: CPU << 8 | kind. */
static int finish_busy(const struct zsr_overtime *o, struct zsr_grid *g)
{
	unsigned k;

	if (make(g, o, o->class_step, o->nr_past, nr_busy(o)))
		return -ENOMEM;
	for (k = 0; k < nr_busy(o); k++) {
		memcpy(g->cell + (size_t)g->nr_rows * g->nr_cols,
		       o->busy_past + (size_t)k * ZSR_OVERTIME_CLASS,
		       g->nr_cols * sizeof(*g->cell));
		g->row[g->nr_rows++] = (uint64_t)(k / ZSR_NR_BUSY) << 8 |
				       k % ZSR_NR_BUSY;
	}
	return 0;
}

static int finish_marks(const struct zsr_overtime *o, struct zsr_grid *g)
{
	size_t i;

	if (make(g, o, 0, 1, (uint32_t)o->nr_marks))
		return -ENOMEM;
	for (i = 0; i < o->nr_marks; i++) {
		g->row[i] = o->mark[i];
		g->cell[i] = (uint32_t)zsr_min(o->mark_pages[i], UINT32_MAX);
	}
	g->nr_rows = (uint32_t)o->nr_marks;
	return 0;
}

int zsr_overtime_finish(struct zsr_overtime *o, uint64_t ps, struct zsr_run *run)
{
	int ret = -ENOMEM;

	if (o->begun && !o->nomem) {
		zsr_overtime_pass(o, ps);
		if (o->nr_past == ZSR_OVERTIME_CLASS)
			halve(o);
		column_ends(o, ps, 1);
	}
	if (!o->nomem &&
	    (!o->latency || !finish_latency(o, &run->grid[ZSR_GRID_latency])))
		ret = 0;
	if (!ret && o->nr_past &&
	    (finish_classes(o, &run->grid[ZSR_GRID_objects], 0) ||
	     finish_classes(o, &run->grid[ZSR_GRID_pages], ZSR_OVERTIME_CLASS)))
		ret = -ENOMEM;
	if (!ret && o->nr_past && o->busy_past &&
	    finish_busy(o, &run->grid[ZSR_GRID_busy]))
		ret = -ENOMEM;
	if (!ret && o->nr_marks && finish_marks(o, &run->grid[ZSR_GRID_marks]))
		ret = -ENOMEM;
	zsr_overtime_free(o);
	return ret;
}

void zsr_overtime_free(struct zsr_overtime *o)
{
	unsigned k;

	for (k = 0; o->class && k < o->nr_classes; k++)
		free(o->class[k].past);
	free(o->class);
	free(o->latency);
	free(o->busy_last);
	free(o->busy_now);
	free(o->busy_past);
	free(o->mark);
	free(o->mark_pages);
	*o = (struct zsr_overtime){ 0 };
}
