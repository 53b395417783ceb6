// SPDX-License-Identifier: GPL-2.0-only
/* g6: whose CPU time it was, a bar a run, runs under the same load together. */
#include <stdlib.h>
#include <string.h>

#include "report/page.h"

#define LABEL_W  150.0
#define BAR_STEP 17.0
#define BAR_H    11.0
#define HEAD_H   17.0
#define END_W    46.0 /* the total behind a bar */
#define AXIS_H   34.0

const struct cpu_part cpu_parts[] = {
	{ "cpu_caller_ns", "callers free" },
	{ "cpu_spin_ns", "callers wait" },
	{ "cpu_worker_ns", "workers free" },
	{ "cpu_worker_spin_ns", "workers wait" },
	{ "cpu_queueing_ns", "queueing, switches" },
	{ "cpu_reuse_ns", "stores" },
	{ "cpu_flush_ns", "flush at the end" },
};

const char *load_name(const struct zsr_column *col)
{
	return *col->conditions ? col->conditions : "without other load";
}

bool first_of_load(const struct zsr_compare *cmp, size_t i)
{
	size_t k;

	for (k = 0; k < i; k++)
		if (!strcmp(cmp->col[k].conditions, cmp->col[i].conditions))
			return false;
	return true;
}

static uint64_t most(const struct zsr_compare *cmp)
{
	uint64_t max = 0;
	size_t i;

	for (i = 0; i < cmp->nr_cols; i++)
		max = zsr_max(max,
			      zsr_column_value(&cmp->col[i], "cpu_total_ns"));
	return max;
}

const char *g6_missing(const struct zsr_compare *cmp)
{
	return most(cmp) ? NULL : "no release took CPU time";
}

static void legend(struct canvas *c)
{
	double x = PAGE_LEFT;
	size_t i, k;

	c->y += 14;
	for (i = 0; i < NR_CPU_PARTS; i++) {
		for (k = 0; k < c->cmp->nr_cols; k++)
			if (zsr_column_value(&c->cmp->col[k], cpu_parts[i].key))
				break;
		if (k == c->cmp->nr_cols)
			continue;
		if (x > PAGE_RIGHT - 100) {
			x = PAGE_LEFT;
			c->y += 13;
		}
		x = swatch(c, x, c->y, part_colors[i].rgb,
			   part_colors[i].hatched, cpu_parts[i].name);
	}
	c->y += 8;
}

static void stack(struct canvas *c, const struct zsr_column *col, double max)
{
	const struct style label = { .size = 8.5 }, end = { .size = 8 };
	double x = PAGE_LEFT + LABEL_W, w = PAGE_RIGHT - END_W - x;
	char buf[ZSR_FMT_LEN], share[ZSR_FMT_LEN];
	uint64_t total = zsr_column_value(col, "cpu_total_ns");
	size_t i;

	layer_begin(c, col);
	text_fit(c, PAGE_LEFT, c->y + 9, LABEL_W - 8, LEFT, &label, col->label);
	for (i = 0; i < NR_CPU_PARTS; i++) {
		uint64_t ns = zsr_column_value(col, cpu_parts[i].key);
		double part = w * (double)ns / max;

		if (!ns)
			continue;
		bar(c, x, c->y, part, BAR_H, &part_colors[i]);
		hover(c, x, c->y, part, BAR_H, "%s, %s: %s, %s", col->label,
		      cpu_parts[i].name, zsr_fmt_ns(buf, ns),
		      zsr_fmt_percent(share, ns, total));
		x += part;
	}
	text_at(c, x + 5, c->y + 9, LEFT, &end, zsr_fmt_ns(buf, total));
	layer_end(c);
	c->y += BAR_STEP;
}

static void page(struct canvas *c, unsigned part)
{
	const struct style s = { .size = 8.5 };

	page_begin(c, 6, "CPU time, by load", part);
	text_flow(c, PAGE_LEFT, PAGE_INNER, &s,
		  "CPU time of all frees, from the first release on, a bar a "
		  "run; runs under the same load stand together. Shorter is "
		  "better; hatched parts are waits and what is put off.");
	legend(c);
}

void g6_draw(struct canvas *c)
{
	const struct style head = { .size = 9, .bold = true };
	const struct zsr_compare *cmp = c->cmp;
	double max = (double)most(cmp) * 1.02;
	double x = PAGE_LEFT + LABEL_W, w = PAGE_RIGHT - END_W - x;
	unsigned part = 0;
	size_t i, k;

	page(c, part++);
	for (i = 0; i < cmp->nr_cols; i++) {
		bool named = false;

		if (!first_of_load(cmp, i))
			continue;
		for (k = i; k < cmp->nr_cols; k++) {
			if (strcmp(cmp->col[k].conditions,
				   cmp->col[i].conditions))
				continue;
			if (page_room(c) < AXIS_H + BAR_STEP + HEAD_H) {
				bar_axis(c, x, w, max, "CPU time");
				page_end(c);
				page(c, part++);
				named = false;
			}
			if (!named) {
				c->y += 4;
				text_fit(c, PAGE_LEFT, c->y + 9, PAGE_INNER,
					 LEFT, &head, load_name(&cmp->col[i]));
				c->y += HEAD_H - 4;
				named = true;
			}
			stack(c, &cmp->col[k], max);
		}
	}
	bar_axis(c, x, w, max, "CPU time");
	page_end(c);
}
