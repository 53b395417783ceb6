// SPDX-License-Identifier: GPL-2.0-only
/* Text, laid out by pango in a fixed family, so that it stays text in a PDF. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/html.h"
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

static double line_width(PangoLayoutLine *line)
{
	PangoRectangle r;

	pango_layout_line_get_extents(line, NULL, &r);
	return (double)r.width / PANGO_SCALE;
}

/* Of what does not fit as much as does; the glyphs of an ellipsis are not in
 * the text. */
static void show_html(struct canvas *c, PangoLayout *l, double x, double y,
		      const struct style *s)
{
	const char *text = pango_layout_get_text(l);
	size_t len = strlen(text);
	int at, trailing;
	char *cut;

	if (!pango_layout_is_ellipsized(l)) {
		html_text(c, x, y, width_of(l), s, text, len);
		return;
	}
	pango_layout_xy_to_index(
		l, pango_layout_get_width(l) - (int)(s->size * PANGO_SCALE), 0,
		&at, &trailing);
	if (asprintf(&cut, "%.*s\xe2\x80\xa6", at, text) < 0) {
		c->nomem = true;
		return;
	}
	html_text(c, x, y, width_of(l), s, cut, strlen(cut));
	free(cut);
}

static void show(struct canvas *c, PangoLayout *l, double x, double y,
		 const struct style *s)
{
	if (c->html) {
		show_html(c, l, x, y, s);
		return;
	}
	set_color(c, s->color);
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
	     y, s);
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
	struct style own = *s;

	set_color(c, s->color);
	for (; lines; lines = lines->next) {
		c->y += s->size * LEADING;
		if (c->html) {
			PangoLayoutLine *line = lines->data;

			own.bold_bytes = line->start_index ? 0 : s->bold_bytes;
			html_text(c, x, c->y - s->size * (LEADING - 1),
				  line_width(line), &own,
				  pango_layout_get_text(l) + line->start_index,
				  (size_t)line->length);
			continue;
		}
		cairo_move_to(c->cr, x, c->y - s->size * (LEADING - 1));
		pango_cairo_show_layout_line(c->cr, lines->data);
	}
	cairo_new_path(c->cr);
	g_object_unref(l);
}
