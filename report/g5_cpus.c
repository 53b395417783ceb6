// SPDX-License-Identifier: GPL-2.0-only
/* g5, second part: what each CPU is busy with, over time. */
#include <math.h>
#include <stdlib.h>

#include "report/page.h"

#define RASTER     0.25 /* points */
#define MOST_NAMED 16 /* CPUs; of more every so many has its number */

static const struct {
	const char *name;
	struct part_color color;
} kinds[ZSR_CPU_KINDS] = {
	[ZSR_CPU_CALLER] = { "callers free", { { 0.0, 0.447, 0.698 }, false } },
	[ZSR_CPU_WORKER] = { "workers free", { { 0.902, 0.624, 0 }, true } },
	[ZSR_CPU_LOAD] = { "other load", { { 0.45, 0.45, 0.45 }, false } },
	[ZSR_CPU_OTHER] = { "all else", { { 0.80, 0.80, 0.80 }, false } },
};

const char *cpu_kind_name(size_t kind)
{
	return kinds[kind].name;
}

/* A CPU's band, one on top of the other, CPU 0 uppermost. */
struct band {
	const struct zsr_cpus *b;
	uint32_t cpu;
	double x0, step; /* of column 0, of each */
	double foot, height;
	uint32_t first, end; /* columns that can be seen */
};

/* The upper edge of kinds up to `kind` in column i, on a raster that a reader
 * cannot tell from the truth. */
static double edge(const struct band *d, uint32_t i, int kind)
{
	const float *share = d->b->share[(size_t)d->cpu * d->b->nr_cols + i];
	double sum = 0;
	int k;

	for (k = 0; k <= kind; k++)
		sum += (double)share[k];
	return d->foot - RASTER * round(d->height * zsr_min(sum, 1.0) / RASTER);
}

/* The steps of an edge over columns [from, to), closed at the foot. */
static void edge_path(struct canvas *c, const struct band *d, uint32_t from,
		      uint32_t to, int kind)
{
	double last = d->foot, y;
	uint32_t i;

	cairo_move_to(c->cr, d->x0 + d->step * from, d->foot);
	for (i = from; i < to; i++) {
		y = edge(d, i, kind);
		if (y == last)
			continue;
		cairo_line_to(c->cr, d->x0 + d->step * i, last);
		cairo_line_to(c->cr, d->x0 + d->step * i, y);
		last = y;
	}
	cairo_line_to(c->cr, d->x0 + d->step * to, last);
	cairo_line_to(c->cr, d->x0 + d->step * to, d->foot);
	cairo_close_path(c->cr);
}

static bool is_empty(const struct band *d, uint32_t i, int kind)
{
	return edge(d, i, kind) == edge(d, i, kind - 1);
}

/* Every stretch in which there is any of the kind, from the foot up: kinds
 * below are drawn over it. False: nowhere. */
static bool kind_path(struct canvas *c, const struct band *d, int kind)
{
	uint32_t i, end;
	bool any = false;

	for (i = d->first; i < d->end; i = end + 1) {
		for (end = i; end < d->end && !is_empty(d, end, kind); end++)
			;
		if (end == i)
			continue;
		edge_path(c, d, i, end, kind);
		any = true;
	}
	return any;
}

static void draw(struct canvas *c, const struct zsr_column *col,
		 const struct frame *f)
{
	const struct zsr_window *w = view_window(c);
	const struct zsr_cpus *b = &col->cpus_busy;
	double shift = (double)view_panel(c, col)->origin_ns -
		       (double)col->panel[0].origin_ns;
	double per = f->w / (double)(w->to_ns - w->from_ns);
	double h = f->h / b->nr_cpus, gap = zsr_min(h / 6, 2.5);
	struct band d = { .b = b,
			  .x0 = f->x + (-shift - (double)w->from_ns) * per,
			  .step = (double)b->step_ns * per,
			  .height = h - gap };
	double first = (f->x - d.x0) / d.step, seen = f->w / d.step + 2;
	int kind;

	first = zsr_min(zsr_max(floor(first), 0), b->nr_cols);
	d.first = (uint32_t)first;
	d.end = (uint32_t)zsr_min(first + seen, b->nr_cols);
	for (d.cpu = 0; d.cpu < b->nr_cpus; d.cpu++) {
		d.foot = f->y + h * (d.cpu + 1);
		for (kind = ZSR_CPU_KINDS; kind-- > 0;) {
			if (!kind_path(c, &d, kind))
				continue;
			set_color(c, kinds[kind].color.rgb);
			if (!kinds[kind].color.hatched) {
				cairo_fill(c->cr);
				continue;
			}
			cairo_fill_preserve(c->cr);
			hatch(c, f->x, d.foot - d.height, f->w, d.height, ink);
		}
		line(c, f->x, d.foot, f->x + f->w, d.foot, 0.4, grey);
	}
}

static void value_axis(struct canvas *c, const struct zsr_column *col,
		       const struct frame *f)
{
	const struct style s = { .size = 7.5 },
			   unit = { .size = 7.5, .color = grey };
	uint32_t nr = col->cpus_busy.nr_cpus, i;
	uint32_t each = (nr + MOST_NAMED - 1) / MOST_NAMED;
	double h = f->h / nr;
	char text[16];

	while (h * each < 9)
		each++;
	for (i = 0; i < nr; i += each) {
		snprintf(text, sizeof(text), "%u", i);
		text_at(c, f->x - 5, f->y + h * (i + 0.5) + 2.7, RIGHT, &s,
			text);
	}
	text_up(c, PAGE_LEFT + 7, f->y + f->h / 2, &unit, "CPU");
}

/* Shares of all CPUs' time from the first release to the end of the record. */
double cpu_share(const struct zsr_column *col, size_t kind)
{
	const struct zsr_cpus *b = &col->cpus_busy;
	size_t nr = (size_t)b->nr_cpus * b->nr_cols, i;
	double sum = 0;

	for (i = 0; i < nr; i++)
		sum += (double)b->share[i][kind];
	return nr ? sum / (double)nr : 0;
}

void cpu_words(const struct zsr_column *col, char *buf, size_t n)
{
	char t[ZSR_CPU_KINDS][ZSR_FMT_LEN];
	size_t i;

	for (i = 0; i < ZSR_CPU_KINDS; i++)
		zsr_fmt_percent(t[i], (uint64_t)llround(cpu_share(col, i) * 1e6),
				1000000);
	snprintf(buf, n,
		 "of all CPUs' time: callers free %s, workers free %s, other "
		 "load %s, all else %s",
		 t[ZSR_CPU_CALLER], t[ZSR_CPU_WORKER], t[ZSR_CPU_LOAD],
		 t[ZSR_CPU_OTHER]);
}

static void numbers(const struct canvas *c, const struct zsr_column *col,
		    char *buf, size_t n)
{
	(void)c;
	cpu_words(col, buf, n);
}

static void legend(struct canvas *c)
{
	double x = PAGE_LEFT;
	size_t i;

	c->y += 14;
	for (i = 0; i < ZSR_CPU_KINDS; i++)
		x = swatch(c, x, c->y, kinds[i].color.rgb,
			   kinds[i].color.hatched, kinds[i].name);
	c->y += 2;
}

bool any_cpus(const struct zsr_compare *cmp)
{
	size_t i;

	for (i = 0; i < cmp->nr_cols; i++)
		if (cmp->col[i].cpus_busy.nr_cpus)
			return true;
	return false;
}

static const char *const names[ZSR_CPU_KINDS] = { "callers", "workers", "load",
						  "all else" };

/* Of all CPUs together. */
static double value(const struct canvas *c, const struct zsr_column *col,
		    size_t px, size_t kind)
{
	const struct zsr_cpus *b = &col->cpus_busy;
	double at = map_column(c->cmp, col, c->view, px, b->step_ns), sum = 0;
	uint32_t i;

	if (at < 0 || at >= b->nr_cols)
		return 0;
	for (i = 0; i < b->nr_cpus; i++)
		sum += (double)b->share[(size_t)i * b->nr_cols + (size_t)at][kind];
	return sum / b->nr_cpus;
}

void cpus_draw(struct canvas *c)
{
	struct panel_set set = {
		.figure = 5,
		.title = c->view ? "Who has the CPUs, main burst"
				 : "Who has the CPUs",
		.reading = "What each virtual CPU is busy with, a panel a run, "
			   "all on the same axis: a band a CPU, as high as it "
			   "is busy; white is idle. Waits for locks count as "
			   "busy.",
		.max = 1,
		.legend = legend,
		.numbers = numbers,
		.draw = draw,
		.value_axis = value_axis,
		.plain = true,
		.ticks = { .per = 0.01, .unit = "%" },
		.names = names,
		.nr_names = ZSR_CPU_KINDS,
		.value = value,
	};
	bool *show = calloc(c->cmp->nr_cols, sizeof(*show));
	size_t i;

	if (!show) {
		c->nomem = true;
		return;
	}
	for (i = 0; i < c->cmp->nr_cols; i++)
		show[i] = c->cmp->col[i].cpus_busy.nr_cpus > 0;
	panels_draw(c, &set, show);
	free(show);
}
