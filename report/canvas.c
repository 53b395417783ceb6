// SPDX-License-Identifier: GPL-2.0-only
/* Which figures there are, and the pages they are drawn on. */
#include <cairo-pdf.h>
#include <string.h>

#include "report/page.h"

#define STRIP_GAP 10.0
/* A figure alone is not in need of a page's margins. */
#define STRIP_MARGIN (PAGE_MARGIN / 2)

static const struct {
	unsigned nr;
	void (*draw)(struct canvas *c);
} figures[] = {
	{ 1, g1_draw }, { 2, g2_draw },   { 4, g4_draw },
	{ 5, g5_draw }, { 12, g12_draw },
};

bool zsr_report_format(const char *name, enum zsr_report_format *format)
{
	static const char *const names[] = { "pdf", "svg", "png" };
	unsigned i;

	for (i = 0; i < ZSR_ARRAY_SIZE(names); i++)
		if (!strcasecmp(name, names[i])) {
			*format = i;
			return true;
		}
	return false;
}

int zsr_report_figures(const char *list, unsigned *out, struct zsr_err *err)
{
	const char *p = list;

	for (*out = 0; *p;) {
		size_t len = strcspn(p, ","), i;
		char name[8];

		for (i = 0; i < ZSR_ARRAY_SIZE(figures); i++) {
			snprintf(name, sizeof(name), "g%u", figures[i].nr);
			if (strlen(name) == len && !strncasecmp(p, name, len))
				break;
		}
		if (i == ZSR_ARRAY_SIZE(figures))
			return zsr_err_usage(err,
					     "'%.*s' is no figure; there are "
					     "g1, g2, g4, g5 and g12",
					     (int)len, p);
		*out |= ZSR_FIGURE(figures[i].nr);
		p += len;
		p += *p == ',';
	}
	if (!*out)
		return zsr_err_usage(err, "no figure given");
	return 0;
}

/* ---- pages ---------------------------------------------------------- */

static void outline(struct canvas *c, const char *text)
{
	char where[32];

	if (!c->paged)
		return;
	snprintf(where, sizeof(where), "page=%u", c->nr_pages);
	cairo_pdf_surface_add_outline(cairo_get_target(c->cr),
				      CAIRO_PDF_OUTLINE_ROOT, text, where, 0);
}

void page_begin(struct canvas *c, unsigned figure, const char *title,
		unsigned part)
{
	const struct style head = { .size = 13, .bold = true };
	const struct style small = { .size = 8.5, .color = grey };
	char text[256];
	double w;

	cairo_save(c->cr);
	if (!c->paged)
		cairo_translate(c->cr, 0, c->height);
	c->nr_pages++;
	c->figure = figure;
	c->res->figures |= ZSR_FIGURE(figure);
	snprintf(text, sizeof(text), "g%u  %s", figure, title);
	if (!part)
		outline(c, text);
	if (part)
		snprintf(text, sizeof(text), "g%u  %s (continued)", figure,
			 title);
	c->y = (c->paged ? PAGE_MARGIN : STRIP_MARGIN) + 11;
	w = text_at(c, PAGE_LEFT, c->y, LEFT, &head, text);
	text_fit(c, PAGE_RIGHT, c->y, PAGE_INNER - w - 20, RIGHT, &small,
		 c->cmp->trace);
	c->y += 14;
	snprintf(text, sizeof(text), "%s; %s", c->cmp->setting,
		 c->cmp->fidelity);
	text_fit(c, PAGE_LEFT, c->y, PAGE_INNER, LEFT, &small, text);
	c->y += 6;
	line(c, PAGE_LEFT, c->y, PAGE_RIGHT, c->y, 0.6, grey);
	c->y += 6;
}

void page_end(struct canvas *c)
{
	const struct style small = { .size = 7.5, .color = grey };
	char text[128];

	if (!c->paged) {
		c->height += c->y + STRIP_GAP;
		cairo_restore(c->cr);
		return;
	}
	snprintf(text, sizeof(text), "zsr %s, trace %.12s, g%u", ZSR_VERSION,
		 c->cmp->trace_digest, c->figure);
	text_at(c, PAGE_LEFT, PAGE_HEIGHT - PAGE_MARGIN + 4, LEFT, &small, text);
	snprintf(text, sizeof(text), "page %u", c->nr_pages);
	text_at(c, PAGE_RIGHT, PAGE_HEIGHT - PAGE_MARGIN + 4, RIGHT, &small,
		text);
	cairo_restore(c->cr);
	cairo_show_page(c->cr);
}

double page_room(const struct canvas *c)
{
	return PAGE_BOTTOM - c->y;
}

void leave_out(struct canvas *c, unsigned figure, const char *why)
{
	if (zsr_lines_add(&c->res->left_out, "g%u of %s: %s", figure,
			  c->cmp->trace, why))
		c->nomem = true;
}

void canvas_draw(struct canvas *c, const struct zsr_analysis *a)
{
	size_t i, k;

	for (k = 0; k < a->nr; k++) {
		c->cmp = &a->cmp[k];
		for (i = 0; i < ZSR_ARRAY_SIZE(figures); i++)
			if (!c->opts->only ||
			    c->opts->only & ZSR_FIGURE(figures[i].nr))
				figures[i].draw(c);
	}
}
