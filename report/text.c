// SPDX-License-Identifier: GPL-2.0-only
/* Text, laid out by pango in a fixed family, so that it stays text in a PDF. */
#include <math.h>

#include "report/page.h"

#define FAMILY      "DejaVu Sans"
#define FAMILY_MONO "DejaVu Sans Mono"
#define LEADING     1.3 /* of a paragraph */

static PangoLayout *layout(struct canvas *c, const struct style *s,
			   const char *text)
{
	PangoFontDescription *d = pango_font_description_new();
	PangoLayout *l = pango_layout_new(c->pango);
	const char *end;

	pango_font_description_set_family_static(d, s->mono ? FAMILY_MONO
							    : FAMILY);
	pango_font_description_set_weight(d, s->bold ? PANGO_WEIGHT_BOLD
						     : PANGO_WEIGHT_NORMAL);
	pango_font_description_set_absolute_size(d, s->size * PANGO_SCALE);
	pango_layout_set_font_description(l, d);
	/* A buffer's end may have cut a character in two. */
	if (g_utf8_validate(text, -1, &end))
		pango_layout_set_text(l, text, -1);
	else
		pango_layout_set_text(l, text, (int)(end - text));
	if (s->bold_bytes) {
		PangoAttrList *list = pango_attr_list_new();
		PangoAttribute *a = pango_attr_weight_new(PANGO_WEIGHT_BOLD);

		a->end_index = (guint)s->bold_bytes;
		pango_attr_list_insert(list, a);
		pango_layout_set_attributes(l, list);
		pango_attr_list_unref(list);
	}
	pango_font_description_free(d);
	return l;
}

static double width_of(PangoLayout *l)
{
	PangoRectangle r;

	pango_layout_get_extents(l, NULL, &r);
	return (double)r.width / PANGO_SCALE;
}

static void show(struct canvas *c, PangoLayout *l, double x, double y,
		 struct rgb color)
{
	set_color(c, color);
	cairo_move_to(c->cr, x, y);
	pango_cairo_show_layout_line(c->cr,
				     pango_layout_get_line_readonly(l, 0));
	cairo_new_path(c->cr);
}

double text_fit(struct canvas *c, double x, double y, double width,
		enum align align, const struct style *s, const char *text)
{
	PangoLayout *l = layout(c, s, text);
	double w;

	pango_layout_set_single_paragraph_mode(l, TRUE);
	if (width > 0) {
		pango_layout_set_width(l, (int)(width * PANGO_SCALE));
		pango_layout_set_ellipsize(l, PANGO_ELLIPSIZE_END);
	}
	w = width_of(l);
	show(c, l,
	     align == RIGHT    ? x - w
	     : align == CENTER ? x - w / 2
			       : x,
	     y, s->color);
	g_object_unref(l);
	return w;
}

double text_at(struct canvas *c, double x, double y, enum align align,
	       const struct style *s, const char *text)
{
	return text_fit(c, x, y, 0, align, s, text);
}

void text_up(struct canvas *c, double x, double y, const struct style *s,
	     const char *text)
{
	cairo_save(c->cr);
	cairo_translate(c->cr, x, y);
	cairo_rotate(c->cr, -M_PI / 2);
	text_at(c, 0, 0, CENTER, s, text);
	cairo_restore(c->cr);
}

double text_measure(struct canvas *c, const struct style *s, const char *text)
{
	PangoLayout *l = layout(c, s, text);
	double w = width_of(l);

	g_object_unref(l);
	return w;
}

static PangoLayout *paragraph(struct canvas *c, double width,
			      const struct style *s, const char *text)
{
	PangoLayout *l = layout(c, s, text);

	pango_layout_set_width(l, (int)(width * PANGO_SCALE));
	pango_layout_set_wrap(l, PANGO_WRAP_WORD_CHAR);
	return l;
}

double text_flow_height(struct canvas *c, double width, const struct style *s,
			const char *text)
{
	PangoLayout *l = paragraph(c, width, s, text);
	int n = pango_layout_get_line_count(l);

	g_object_unref(l);
	return n * s->size * LEADING;
}

void text_flow(struct canvas *c, double x, double width, const struct style *s,
	       const char *text)
{
	PangoLayout *l = paragraph(c, width, s, text);
	GSList *lines = pango_layout_get_lines_readonly(l);

	set_color(c, s->color);
	for (; lines; lines = lines->next) {
		c->y += s->size * LEADING;
		cairo_move_to(c->cr, x, c->y - s->size * (LEADING - 1));
		pango_cairo_show_layout_line(c->cr, lines->data);
	}
	cairo_new_path(c->cr);
	g_object_unref(l);
}
