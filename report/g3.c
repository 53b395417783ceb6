// SPDX-License-Identifier: GPL-2.0-only
/* g3: how long releases took, over time. */
#include <math.h>
#include <stdlib.h>

#include "report/page.h"

#define READING                                                                \
	"When releases ended, and how long each took: a panel a policy, all "  \
	"on the same axes. The darker, the more releases; the scale is "       \
	"logarithmic, a single release can still be seen."

#define SHADES 24 /* more cannot be told apart, and pictures are smaller */

/* From white, which is none, over blue to black. */
static struct rgb shade(double v)
{
	static const struct rgb ramp[] = { { 0.78, 0.87, 0.94 },
					   { 0.26, 0.57, 0.78 },
					   { 0.0, 0.30, 0.52 },
					   { 0.0, 0.08, 0.18 } };
	double at = round(v * SHADES) / SHADES * (ZSR_ARRAY_SIZE(ramp) - 1);
	size_t i = zsr_min((size_t)at, ZSR_ARRAY_SIZE(ramp) - 2);
	const struct rgb *a = &ramp[i], *b = &ramp[i + 1];

	at -= (double)i;
	return (struct rgb){ a->r + (b->r - a->r) * at,
			     a->g + (b->g - a->g) * at,
			     a->b + (b->b - a->b) * at };
}

/* A count's place between one and the most in any cell. */
static double level(const struct canvas *c, double count)
{
	return c->cmp->map_max > 1
		       ? zsr_min(log(count) / log(c->cmp->map_max), 1.0)
		       : 0;
}

/* Rows are a quarter of a power of two high. */
static double row_end(const struct zsr_map *m, uint32_t r)
{
	double low = (double)m->row[r];

	if (r + 1 < m->nr_rows)
		return (double)m->row[r + 1];
	return low < 4 ? low + 1 : low + exp2(floor(log2(low)) - 2);
}

static uint32_t pixel(struct rgb c)
{
	return 0xff000000u | (uint32_t)lround(c.r * 255) << 16 |
	       (uint32_t)lround(c.g * 255) << 8 | (uint32_t)lround(c.b * 255);
}

/* A picture of one pixel a cell; NULL: no memory. */
static cairo_surface_t *picture(struct canvas *c, const struct zsr_map *m)
{
	cairo_surface_t *s = cairo_image_surface_create(
		CAIRO_FORMAT_ARGB32, (int)m->nr_cols, (int)m->nr_rows);
	unsigned char *data = cairo_image_surface_get_data(s);
	size_t stride = (size_t)cairo_image_surface_get_stride(s);
	uint32_t r, i;

	if (!data) {
		c->nomem = true;
		cairo_surface_destroy(s);
		return NULL;
	}
	cairo_surface_flush(s);
	for (r = 0; r < m->nr_rows; r++) {
		uint32_t *px = (uint32_t *)(void *)(data + (m->nr_rows - 1 -
							    r) * stride);

		for (i = 0; i < m->nr_cols; i++) {
			uint32_t n = m->cell[(size_t)r * m->nr_cols + i];

			px[i] = n ? pixel(shade(level(c, n))) : 0;
		}
	}
	cairo_surface_mark_dirty(s);
	return s;
}

/* The value axis counts quarters of powers of two from the lowest row on. */
static double rows_up(const struct canvas *c, double ns)
{
	return (log2(zsr_max(ns, 1)) - c->low) * 4;
}

static void draw(struct canvas *c, const struct zsr_column *col,
		 const struct frame *f)
{
	const struct zsr_window *w = view_window(c);
	const struct zsr_map *m = &col->map;
	double shift = (double)view_panel(c, col)->origin_ns -
		       (double)col->panel[0].origin_ns;
	double per = f->w / (double)(w->to_ns - w->from_ns);
	double x0 = f->x + (-shift - (double)w->from_ns) * per;
	double x1 = x0 + (double)m->step_ns * m->nr_cols * per;
	double y0 = f->y + f->h - f->h * rows_up(c, (double)m->row[0]) / f->max;
	double y1 = f->y + f->h -
		    f->h * rows_up(c, row_end(m, m->nr_rows - 1)) / f->max;
	cairo_surface_t *s = picture(c, m);

	if (!s)
		return;
	/* Releases of no time at all are a row high, too. */
	y1 = zsr_min(y1, y0 - f->h / f->max);
	cairo_save(c->cr);
	cairo_translate(c->cr, x0, y1);
	cairo_scale(c->cr, (x1 - x0) / m->nr_cols, (y0 - y1) / m->nr_rows);
	cairo_set_source_surface(c->cr, s, 0, 0);
	cairo_pattern_set_filter(cairo_get_source(c->cr), CAIRO_FILTER_NEAREST);
	cairo_paint(c->cr);
	cairo_restore(c->cr);
	cairo_surface_destroy(s);
}

static void numbers(const struct canvas *c, const struct zsr_column *col,
		    char *buf, size_t n)
{
	char t[4][ZSR_FMT_LEN];
	(void)c;

	snprintf(buf, n,
		 "of all its frees: median %s, 99 %% at most %s, 99.9 %% at "
		 "most %s, longest %s",
		 zsr_fmt_ns(t[0], zsr_column_value(col, "release_p50_ns")),
		 zsr_fmt_ns(t[1], zsr_column_value(col, "release_p99_ns")),
		 zsr_fmt_ns(t[2], zsr_column_value(col, "release_p999_ns")),
		 zsr_fmt_ns(t[3], zsr_column_value(col, "release_max_ns")));
}

static void legend(struct canvas *c)
{
	const struct style s = { .size = 8.5 };
	double n, x = PAGE_LEFT, per = (double)c->cmp->map_max;
	char buf[ZSR_FMT_LEN], text[96];
	uint64_t step = 0;
	size_t i;

	for (i = 0; i < c->cmp->nr_cols; i++)
		step = zsr_max(step, c->cmp->col[i].map.step_ns);
	c->y += 14;
	for (n = 1;; n = zsr_min(n * 10, per)) {
		snprintf(text, sizeof(text), "%s",
			 zsr_fmt_count(buf, (uint64_t)n));
		x = swatch(c, x, c->y, shade(level(c, n)), false, text);
		if (n >= per)
			break;
	}
	snprintf(text, sizeof(text), "releases in %s and a quarter of an octave",
		 zsr_fmt_ns(buf, step));
	text_at(c, x, c->y, LEFT, &s, text);
	c->y += 2;
}

/* Decades, as many as there is room for. */
static void value_axis(struct canvas *c, const struct zsr_column *col,
		       const struct frame *f)
{
	const struct style s = { .size = 7.5 };
	static const char *const units[] = { "ns", "us", "ms", "s" };
	char buf[32];
	double last = 1e9;
	int d;

	for (d = 0; d < 12; d++) {
		double up = rows_up(c, pow(10, d)), y;

		if (up < 0 || up > f->max)
			continue;
		y = f->y + f->h - f->h * up / f->max;
		line(c, f->x - 3, y, f->x, y, 0.6, ink);
		line(c, f->x, y, f->x + f->w, y, 0.3, faint);
		if (last - y < 9)
			continue;
		snprintf(buf, sizeof(buf), "%.0f %s", pow(10, d % 3),
			 units[d / 3]);
		text_at(c, f->x - 5, y + 2.7, RIGHT, &s, buf);
		last = y;
	}
}

/* The highest and lowest row of any map, as exponents of two. */
static void range(struct canvas *c, double *low, double *high)
{
	size_t i;

	*low = 63;
	*high = 0;
	for (i = 0; i < c->cmp->nr_cols; i++) {
		const struct zsr_map *m = &c->cmp->col[i].map;

		if (!m->nr_rows)
			continue;
		*low = zsr_min(*low, log2(zsr_max((double)m->row[0], 1)));
		*high = zsr_max(*high, log2(row_end(m, m->nr_rows - 1)));
	}
	*low = floor(*low * 4 - 1) / 4;
	*high = zsr_max(*high + 0.25, *low + 2);
}

double map_column(const struct zsr_compare *cmp, const struct zsr_column *col,
		  size_t view, size_t px, uint64_t step_ns)
{
	const struct zsr_window *w = &cmp->window[view];
	double t = (double)w->from_ns + (double)(w->to_ns - w->from_ns) *
						((double)px + 0.5) /
						(double)w->nr_px;

	t += (double)col->panel[view].origin_ns -
	     (double)col->panel[0].origin_ns;
	return floor(t / (double)step_ns);
}

const char *g3_missing(const struct zsr_compare *cmp)
{
	size_t i;

	for (i = 0; i < cmp->nr_cols; i++)
		if (cmp->col[i].map.nr_rows)
			return NULL;
	return "no run recorded when its releases took how long (replay again)";
}

static double value(const struct canvas *c, const struct zsr_column *col,
		    size_t px, size_t name)
{
	const struct zsr_map *m = &col->map;
	double at = map_column(c->cmp, col, c->view, px, m->step_ns), sum = 0;
	uint32_t r;
	(void)name;

	if (at < 0 || at >= m->nr_cols)
		return 0;
	for (r = 0; r < m->nr_rows; r++)
		sum += m->cell[(size_t)r * m->nr_cols + (size_t)at];
	return sum;
}

static void draw_view(struct canvas *c, const bool *show)
{
	double low, high;
	struct panel_set set = {
		.figure = 3,
		.title = c->view ? "Latency over time, main burst"
				 : "Latency over time",
		.reading = READING,
		.legend = legend,
		.numbers = numbers,
		.draw = draw,
		.value_axis = value_axis,
		.plain = true,
		.ticks = { .per = 1, .unit = "in this column" },
		.names = (const char *const[]){ "releases" },
		.nr_names = 1,
		.value = value,
	};

	range(c, &low, &high);
	c->low = low;
	set.max = (high - low) * 4;
	panels_draw(c, &set, show);
}

void g3_draw(struct canvas *c)
{
	const struct zsr_compare *cmp = c->cmp;
	bool *show = calloc(cmp->nr_cols, sizeof(*show));
	size_t i;

	if (!show) {
		c->nomem = true;
		return;
	}
	for (i = 0; i < cmp->nr_cols; i++)
		show[i] = cmp->col[i].map.nr_rows > 0;
	for (c->view = 0; c->view < cmp->nr_windows; c->view++)
		draw_view(c, show);
	c->view = 0;
	free(show);
}
