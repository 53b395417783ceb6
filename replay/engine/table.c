// SPDX-License-Identifier: GPL-2.0-only
/* Size classes as text: for programs, and as the kernel shows them. */
#include <inttypes.h>

#include "replay/engine/internal.h"

void zsr_engine_write_tables(const struct zsr_engine *e, const char *kernel,
			     FILE *f)
{
	struct zsr_class_info c;
	unsigned i;

	fputs("kernel,page_size,chain_size,class,size,objs_per_zspage,"
	      "pages_per_zspage,huge,min_request,max_request,slots_merged,"
	      "waste_per_zspage\n",
	      f);
	for (i = 0; i < zsr_engine_nr_raw_classes(e); i++)
		if (zsr_engine_class_info(e, i, &c))
			fprintf(f, "%s,%u,%u,%u,%u,%u,%u,%d,%u,%u,%u,%u\n",
				kernel, e->page_size, e->chain_size, c.index,
				c.size, c.objs, c.pages, c.huge, c.min_request,
				c.max_request, c.slots_merged, c.waste);
}

/* ---- the kernel's table ------------------------------------------------ */

struct column {
	const char *name;
	unsigned group;
	int width;
};

/* In the order of the table: the fuller group first up to 6.3. */
static const struct column quad[] = {
	{ "almost_full", 2, 11 },
	{ "almost_empty", 1, 12 },
	{ NULL, 0, 0 },
};

static const struct column ratio12[] = {
	{ "10%", 1, 9 }, { "20%", 2, 9 },  { "30%", 3, 9 },   { "40%", 4, 9 },
	{ "50%", 5, 9 }, { "60%", 6, 9 },  { "70%", 7, 9 },   { "80%", 8, 9 },
	{ "90%", 9, 9 }, { "99%", 10, 9 }, { "100%", 11, 9 }, { NULL, 0, 0 },
};

static const struct column *columns(const struct zsr_engine *e)
{
	switch (e->model.group) {
	case ZSR_GROUP_QUAD:
		return quad;
	case ZSR_GROUP_RATIO12:
		break;
	}
	return ratio12;
}

/* NAME is the class's number or "Total"; size and pages are blank in totals. */
static void write_row(FILE *f, const struct column *col, const char *name,
		      const char *size, const char *pages,
		      const struct zsr_class_stats *s)
{
	fprintf(f, " %5s %5s", name, size);
	for (; col->name; col++)
		fprintf(f, " %*" PRIu64, col->width, s->group[col->group]);
	fprintf(f, " %13" PRIu64 " %10" PRIu64 " %10" PRIu64 " %16s %8" PRIu64,
		s->obj_allocated, s->obj_used, s->pages_used, pages,
		s->freeable);
	fputc('\n', f);
}

static void write_header(FILE *f, const struct column *col)
{
	fprintf(f, " %5s %5s", "class", "size");
	for (; col->name; col++)
		fprintf(f, " %*s", col->width, col->name);
	fprintf(f, " %13s %10s %10s %16s %8s\n", "obj_allocated", "obj_used",
		"pages_used", "pages_per_zspage", "freeable");
}

static void add(struct zsr_class_stats *total, const struct zsr_class_stats *s)
{
	unsigned g;

	total->obj_allocated += s->obj_allocated;
	total->obj_used += s->obj_used;
	total->pages_used += s->pages_used;
	total->freeable += s->freeable;
	for (g = 0; g < s->nr_groups; g++)
		total->group[g] += s->group[g];
}

void zsr_engine_write_classes(const struct zsr_engine *e, FILE *f)
{
	const struct column *col = columns(e);
	struct zsr_class_stats s, total = { 0 };
	char name[16], size[16], pages[16];
	struct zsr_class_info c;
	unsigned i;

	write_header(f, col);
	for (i = 0; i < zsr_engine_nr_raw_classes(e); i++) {
		if (!zsr_engine_class_info(e, i, &c))
			continue;
		zsr_engine_class_stats(e, i, &s);
		snprintf(name, sizeof(name), "%u", c.index);
		snprintf(size, sizeof(size), "%u", c.size);
		snprintf(pages, sizeof(pages), "%u", c.pages);
		write_row(f, col, name, size, pages, &s);
		add(&total, &s);
	}
	fputc('\n', f);
	write_row(f, col, "Total", "", "", &total);
}
