// SPDX-License-Identifier: GPL-2.0-only
/* g7: what the pages of the size classes hold, over time. */
#include <stdlib.h>

#include "report/page.h"

#define Y_TICKS 4
#define READING                                                                \
	"What the pool's pages hold, a panel a policy, all on the same axes: " \
	"objects not yet freed (queued ones too) by the size of their class, " \
	"and hatched on top what is lost to fragmentation."

/* Dark for small ones; all tell apart from the hatched part in grey. */
static struct rgb size_color(size_t i)
{
	static const struct rgb colors[ZSR_MOST_SIZES] = {
		{ 0.0, 0.25, 0.45 },
		{ 0.0, 0.447, 0.698 },
		{ 0.40, 0.70, 0.88 },
		{ 0.73, 0.87, 0.95 },
	};

	return colors[i % ZSR_MOST_SIZES];
}

static const struct rgb unused_color = { 0.902, 0.624, 0.0 };

/* The top of part i of the stack at point k, in bytes. */
static double top_of(const struct zsr_filling *fill, size_t k, size_t i)
{
	double sum = 0;
	size_t n;

	for (n = 0; n <= i && n < ZSR_MOST_SIZES; n++)
		sum += (double)fill->at[k].used[n];
	return sum + (i >= ZSR_MOST_SIZES ? (double)fill->at[k].unused : 0);
}

struct scale {
	const struct frame *f;
	double x0, per; /* of the run's zero; points a ns */
	double step_ns;
};

/* From the ground up, of what the frame shows: what is below is drawn over it. */
static void path(struct canvas *c, const struct scale *s,
		 const struct zsr_filling *fill, size_t i)
{
	const struct frame *f = s->f;
	double right = f->x + f->w, x = f->x;
	size_t k, last = 0;

#define X(k) (s->x0 + s->per * s->step_ns * ((double)(k) + 1))
#define Y(k) (f->y + f->h - f->h * top_of(fill, k, i) / f->max)
	cairo_move_to(c->cr, f->x, f->y + f->h);
	for (k = 0; k < fill->nr && x < right; k++) {
		if (k + 1 < fill->nr && X(k + 1) < f->x)
			continue;
		x = zsr_min(zsr_max(X(k), f->x), right);
		if (X(k) > f->x && !k)
			cairo_line_to(c->cr, f->x, Y(0));
		cairo_line_to(c->cr, x, Y(k));
		last = k;
	}
	cairo_line_to(c->cr, right, Y(last));
	cairo_line_to(c->cr, right, f->y + f->h);
	cairo_close_path(c->cr);
#undef X
#undef Y
}

static void draw(struct canvas *c, const struct zsr_column *col,
		 const struct frame *f)
{
	const struct zsr_window *w = view_window(c);
	double shift = (double)view_panel(c, col)->origin_ns -
		       (double)col->panel[0].origin_ns;
	struct scale s = { .f = f,
			   .per = f->w / (double)(w->to_ns - w->from_ns),
			   .step_ns = (double)col->filling.step_ns };
	size_t i;

	s.x0 = f->x + (-shift - (double)w->from_ns) * s.per;
	path(c, &s, &col->filling, ZSR_MOST_SIZES);
	set_color(c, unused_color);
	cairo_fill_preserve(c->cr);
	hatch(c, f->x, f->y, f->w, f->h, ink);
	for (i = c->cmp->nr_sizes; i-- > 0;) {
		path(c, &s, &col->filling, i);
		set_color(c, size_color(i));
		cairo_fill(c->cr);
	}
}

void filling_words(const struct zsr_column *col, char *buf, size_t n)
{
	const struct zsr_filling *f = &col->filling;
	const struct zsr_fill *first = &f->at[0], *last = &f->at[f->nr - 1];
	uint64_t used[2] = { 0, 0 };
	char t[5][ZSR_FMT_LEN];
	size_t i;

	for (i = 0; i < ZSR_MOST_SIZES; i++) {
		used[0] += first->used[i];
		used[1] += last->used[i];
	}
	snprintf(buf, n,
		 "lost to fragmentation: %s at first, at most %s (after %s, "
		 "class %llu most), %s in the end",
		 zsr_fmt_percent(t[0], first->unused, first->unused + used[0]),
		 zsr_fmt_size(t[1], f->unused_max),
		 zsr_fmt_ns(t[2], f->unused_max_ns),
		 (unsigned long long)f->unused_class,
		 zsr_fmt_percent(t[3], last->unused, last->unused + used[1]));
}

static void numbers(const struct canvas *c, const struct zsr_column *col,
		    char *buf, size_t n)
{
	(void)c;
	filling_words(col, buf, n);
}

static void legend(struct canvas *c)
{
	const struct zsr_compare *cmp = c->cmp;
	double x = PAGE_LEFT;
	char text[64];
	size_t i;

	c->y += 14;
	for (i = 0; i < cmp->nr_sizes; i++) {
		const struct zsr_sizes *s = &cmp->sizes[i];

		if (s->low == s->high)
			snprintf(text, sizeof(text), "class of %llu",
				 (unsigned long long)s->low);
		else
			snprintf(text, sizeof(text), "%s%llu to %llu",
				 i ? "" : "classes of ",
				 (unsigned long long)s->low,
				 (unsigned long long)s->high);
		x = swatch(c, x, c->y, size_color(i), false, text);
	}
	swatch(c, x, c->y, unused_color, true, "fragmentation");
	c->y += 2;
}

static const char *const names[] = { "objects", "fragmentation" };

static double value(const struct canvas *c, const struct zsr_column *col,
		    size_t px, size_t name)
{
	const struct zsr_filling *f = &col->filling;
	double at = map_column(c->cmp, col, c->view, px, f->step_ns);
	size_t k = zsr_min((size_t)zsr_max(at, 0), f->nr - 1);

	return name ? (double)f->at[k].unused : top_of(f, k, ZSR_MOST_SIZES - 1);
}

double filling_max(const struct zsr_compare *cmp)
{
	double max = 0;
	size_t i, k;

	for (i = 0; i < cmp->nr_cols; i++)
		for (k = 0; k < cmp->col[i].filling.nr; k++)
			max = zsr_max(max, top_of(&cmp->col[i].filling, k,
						  ZSR_MOST_SIZES));
	return max;
}

const char *g7_missing(const struct zsr_compare *cmp)
{
	if (filling_max(cmp) > 0)
		return NULL;
	return "no run recorded what its size classes held (replay again on "
	       "the virtual clock)";
}

void g7_draw(struct canvas *c)
{
	const struct zsr_compare *cmp = c->cmp;
	bool *show = calloc(cmp->nr_cols, sizeof(*show));
	double max = filling_max(cmp);
	size_t i;

	if (!show) {
		c->nomem = true;
		return;
	}
	for (i = 0; i < cmp->nr_cols; i++)
		show[i] = cmp->col[i].filling.nr > 0;
	for (c->view = 0; c->view < cmp->nr_windows; c->view++) {
		struct panel_set set = {
			.figure = 7,
			.title = c->view ? "Size classes over time, main burst"
					 : "Size classes over time",
			.reading = READING,
			.max = max * 1.07,
			.ticks = ticks_bytes(max, Y_TICKS),
			.legend = legend,
			.numbers = numbers,
			.draw = draw,
			.names = names,
			.nr_names = ZSR_ARRAY_SIZE(names),
			.value = value,
			.plain = true,
		};

		panels_draw(c, &set, show);
	}
	c->view = 0;
	free(show);
}
