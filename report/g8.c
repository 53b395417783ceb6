// SPDX-License-Identifier: GPL-2.0-only
/* g8: how long each lock was waited for and held. */
#include <stdlib.h>
#include <string.h>

#include "report/page.h"

#define LABEL_W 190.0
#define END_W   118.0 /* numbers behind the bars */
#define ROW_H   11.5
#define BAR_H   4.0
#define TITLE_H 16.0
#define AXIS_H  34.0

static const struct part_color wait_color = { { 0.835, 0.369, 0 }, true };
static const struct part_color hold_color = { { 0.40, 0.70, 0.88 }, false };

static uint64_t most(const struct zsr_compare *cmp)
{
	uint64_t max = 0;
	size_t i, k;

	for (i = 0; i < cmp->nr_cols; i++)
		for (k = 0; k < cmp->col[i].nr_locks; k++) {
			const struct zsr_lock *l = &cmp->col[i].lock[k];

			max = zsr_max(max, zsr_max(l->wait_ns, l->hold_ns));
		}
	return max;
}

const char *g8_missing(const struct zsr_compare *cmp)
{
	return most(cmp) ? NULL : "no run recorded its locks";
}

static void row(struct canvas *c, const struct zsr_column *col,
		const struct zsr_lock *l, double max)
{
	const struct style s = { .size = 8, .color = l->part ? grey : ink };
	const struct style small = { .size = 7.2, .color = grey };
	double x = PAGE_LEFT + LABEL_W, w = PAGE_RIGHT - END_W - x;
	char t[4][ZSR_FMT_LEN], text[160];

	text_fit(c, PAGE_LEFT + (l->part ? 16 : 8), c->y + 8, LABEL_W - 104,
		 LEFT, &s, l->name);
	snprintf(text, sizeof(text), "%s taken, %s waited",
		 zsr_fmt_count(t[0], l->acquired),
		 zsr_fmt_percent(t[1], l->contended, l->acquired));
	text_at(c, x - 8, c->y + 8, RIGHT, &small, text);
	if (l->wait_ns)
		bar(c, x, c->y + 1, w * (double)l->wait_ns / max, BAR_H,
		    &wait_color);
	if (l->hold_ns)
		bar(c, x, c->y + 1 + BAR_H, w * (double)l->hold_ns / max, BAR_H,
		    &hold_color);
	snprintf(text, sizeof(text), "waited %s, held %s",
		 l->wait_ns ? zsr_fmt_ns(t[2], l->wait_ns) : "0",
		 l->hold_ns ? zsr_fmt_ns(t[3], l->hold_ns) : "0");
	text_at(c, x + w * (double)zsr_max(l->wait_ns, l->hold_ns) / max + 5,
		c->y + 8, LEFT, &small, text);
	hover(c, x, c->y, w, ROW_H, "%s, %s: %s", col->label, l->name, text);
	c->y += ROW_H;
}

static void block(struct canvas *c, const struct zsr_column *col, double max)
{
	const struct style title = { .size = 9, .bold = true };
	const struct style small = { .size = 8, .color = grey };
	uint64_t wait = 0, hold = 0;
	char t[2][ZSR_FMT_LEN], text[160];
	double w;
	size_t i;

	for (i = 0; i < col->nr_locks; i++)
		if (!col->lock[i].part) {
			wait += col->lock[i].wait_ns;
			hold += col->lock[i].hold_ns;
		}
	layer_begin(c, col);
	w = text_fit(c, PAGE_LEFT, c->y + 10, PAGE_INNER - 180, LEFT, &title,
		     col->label);
	snprintf(text, sizeof(text), "all locks: waited %s, held %s",
		 wait ? zsr_fmt_ns(t[0], wait) : "0",
		 hold ? zsr_fmt_ns(t[1], hold) : "0");
	text_at(c, PAGE_LEFT + w + 12, c->y + 10, LEFT, &small, text);
	c->y += TITLE_H;
	for (i = 0; i < col->nr_locks; i++)
		row(c, col, &col->lock[i], max);
	layer_end(c);
	c->y += 5;
}

static void page(struct canvas *c, unsigned part)
{
	const struct style s = { .size = 8.5 };
	double x = PAGE_LEFT;

	page_begin(c, 8, "Locks", part);
	text_flow(c, PAGE_LEFT, PAGE_INNER, &s,
		  "How long everyone waited for each lock, and how long it "
		  "was held, summed from the first release on; of class "
		  "locks all together and the worst three.");
	c->y += 14;
	x = swatch(c, x, c->y, wait_color.rgb, true, "waited for");
	swatch(c, x, c->y, hold_color.rgb, false, "held");
	c->y += 8;
}

void g8_draw(struct canvas *c)
{
	const struct zsr_compare *cmp = c->cmp;
	double x = PAGE_LEFT + LABEL_W, w = PAGE_RIGHT - END_W - x;
	double max = (double)most(cmp) * 1.02, top;
	unsigned part = 0;
	size_t i;

	page(c, part++);
	top = c->y;
	for (i = 0; i < cmp->nr_cols; i++) {
		const struct zsr_column *col = &cmp->col[i];

		if (!col->nr_locks)
			continue;
		if (page_room(c) < AXIS_H + TITLE_H + 5 +
					   ROW_H * (double)col->nr_locks &&
		    c->y > top) {
			bar_axis(c, x, w, max, "of all CPUs and tasks");
			page_end(c);
			page(c, part++);
			top = c->y;
		}
		block(c, col, max);
	}
	bar_axis(c, x, w, max, "of all CPUs and tasks");
	page_end(c);
}
