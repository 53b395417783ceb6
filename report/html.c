// SPDX-License-Identifier: GPL-2.0-only
#include <cairo-svg.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "report/html.h"

extern const char zsr_report_css[], zsr_report_css_end[];
extern const char zsr_report_js[], zsr_report_js_end[];

/* Of a value at the pointer, and of the largest one a tenth of it. */
#define VALUE_TOLERANCE 0.005

/* What hatched areas are filled with. */
#define HATCH                                                                  \
	"<defs><pattern id=\"hatching\" width=\"4\" height=\"4\" "             \
	"patternUnits=\"userSpaceOnUse\"><path "                               \
	"d=\"M-1 1l2-2M0 4l4-4M3 5l2-2\" stroke=\"#000\" "                     \
	"stroke-width=\".6\"/></pattern></defs>\n"

struct memory {
	FILE *f;
	char *text;
	size_t size;
};

struct html {
	FILE *out;
	struct memory page, chunk, words; /* words of the chunk */
	char id[32]; /* of the page */
	char link[32];
	unsigned nr_chunks;
	bool strip; /* one SVG, pages below each other */
	cairo_status_t status;
};

static void memory_open(struct canvas *c, struct memory *m)
{
	m->f = open_memstream(&m->text, &m->size);
	if (!m->f) {
		/* What is written next has to go somewhere. */
		c->nomem = true;
		m->f = fopen("/dev/null", "w");
	}
}

static void memory_free(struct memory *m)
{
	if (m->f)
		fclose(m->f);
	free(m->text);
	*m = (struct memory){ 0 };
}

/* For text and for attributes in double quotes. */
static void put_escaped(FILE *f, const char *s, size_t len)
{
	for (; len--; s++)
		switch (*s) {
		case '&':
			fputs("&amp;", f);
			break;
		case '<':
			fputs("&lt;", f);
			break;
		case '>':
			fputs("&gt;", f);
			break;
		case '"':
			fputs("&quot;", f);
			break;
		default:
			fputc(*s, f);
		}
}

/* ---- chunks -------------------------------------------------------------- */

static cairo_status_t collect(void *ctx, const unsigned char *data, unsigned n)
{
	return fwrite(data, 1, n, ctx) == n ? CAIRO_STATUS_SUCCESS
					    : CAIRO_STATUS_WRITE_ERROR;
}

static void chunk_begin(struct canvas *c)
{
	struct html *h = c->html;
	cairo_surface_t *s;

	memory_open(c, &h->chunk);
	memory_open(c, &h->words);
	s = cairo_svg_surface_create_for_stream(collect, h->chunk.f, PAGE_WIDTH,
						PAGE_HEIGHT);
	c->cr = cairo_create(s);
	cairo_surface_destroy(s);
}

static bool is_drawn(const char *svg)
{
	return strstr(svg, "<path") || strstr(svg, "<image") ||
	       strstr(svg, "<use") || strstr(svg, "<rect");
}

/* What was drawn since chunk_begin() goes to the page. */
static void chunk_end(struct canvas *c)
{
	struct html *h = c->html;
	cairo_surface_t *s = cairo_surface_reference(cairo_get_target(c->cr));
	const char *begin, *end;

	if (h->status == CAIRO_STATUS_SUCCESS)
		h->status = cairo_status(c->cr);
	cairo_destroy(c->cr);
	c->cr = NULL;
	cairo_surface_finish(s);
	cairo_surface_destroy(s);
	fflush(h->chunk.f);
	fflush(h->words.f);
	begin = h->chunk.text ? strstr(h->chunk.text, "<svg") : NULL;
	begin = begin ? strchr(begin, '>') : NULL;
	end = begin ? strstr(begin, "</svg>") : NULL;
	if (end && is_drawn(begin)) {
		svg_put(c, h->page.f, begin + 1, end, h->nr_chunks);
		h->nr_chunks++;
	}
	if (h->words.text)
		fputs(h->words.text, h->page.f);
	memory_free(&h->chunk);
	memory_free(&h->words);
}

/* ---- pages --------------------------------------------------------------- */

void html_page_begin(struct canvas *c, const char *id)
{
	struct html *h = c->html;

	snprintf(h->id, sizeof(h->id), "%s", id ? id : "");
	memory_open(c, &h->page);
	chunk_begin(c);
}

/* Only now is known how high the page is. */
void html_page_end(struct canvas *c)
{
	struct html *h = c->html;

	chunk_end(c);
	fflush(h->page.f);
	if (h->strip)
		fprintf(h->out, "<g transform=\"translate(0 %.0f)\"", c->height);
	else
		fputs("<figure", h->out);
	if (*h->id)
		fprintf(h->out, " id=\"%s\"", h->id);
	if (h->strip)
		fputs(">\n", h->out);
	else
		fprintf(h->out,
			" data-t=\"%zu\">\n<svg "
			"xmlns=\"http://www.w3.org/2000/svg\" "
			"xmlns:xlink=\"http://www.w3.org/1999/xlink\" "
			"viewBox=\"0 0 %.0f %.0f\" role=\"img\" "
			"aria-label=\"g%u %s\">\n",
			c->nr_cmp, PAGE_WIDTH, c->y + 8, c->figure, c->heading);
	if (h->page.text)
		fputs(h->page.text, h->out);
	fputs(h->strip ? "</g>\n" : "</svg>\n</figure>\n", h->out);
	c->height += ceil(c->y + STRIP_GAP);
	memory_free(&h->page);
}

void html_link(struct html *h, const char *id)
{
	snprintf(h->link, sizeof(h->link), "%s", id ? id : "");
}

void html_text(struct canvas *c, double x, double y, double width,
	       const struct style *s, const char *text, size_t len)
{
	FILE *f = c->html->words.f;
	cairo_matrix_t m;

	if (!len || width < 0.01)
		return;
	cairo_get_matrix(c->cr, &m);
	cairo_user_to_device(c->cr, &x, &y);
	if (*c->html->link)
		fprintf(f, "<a xlink:href=\"#%s\">", c->html->link);
	fprintf(f,
		"<text x=\"%.4g\" y=\"%.4g\" font-size=\"%g\" "
		"textLength=\"%.4g\"",
		x, y, s->size, width);
	if (m.xy > 0.5 || m.xy < -0.5)
		fprintf(f, " transform=\"rotate(-90 %.1f %.1f)\"", x, y);
	if (s->mono)
		fputs(" class=\"m\"", f);
	if (s->bold)
		fputs(" font-weight=\"700\"", f);
	if (s->color.r + s->color.g + s->color.b > 0)
		fprintf(f, " fill=\"rgb(%.0f,%.0f,%.0f)\"", s->color.r * 255,
			s->color.g * 255, s->color.b * 255);
	fputc('>', f);
	if (s->bold_bytes && s->bold_bytes < len) {
		fputs("<tspan font-weight=\"700\">", f);
		put_escaped(f, text, s->bold_bytes);
		fputs("</tspan>", f);
		text += s->bold_bytes;
		len -= s->bold_bytes;
	}
	put_escaped(f, text, len);
	fputs("</text>", f);
	fputs(*c->html->link ? "</a>\n" : "\n", f);
}

/* ---- groups ------------------------------------------------------------------ */

void html_group_begin(struct canvas *c, const char *class)
{
	if (!c->html)
		return;
	chunk_end(c);
	fprintf(c->html->page.f, "<g class=\"%s\">\n", class);
	chunk_begin(c);
}

void layer_begin(struct canvas *c, const struct zsr_column *col)
{
	if (!c->html)
		return;
	chunk_end(c);
	fprintf(c->html->page.f, "<g class=\"col\" data-c=\"%zu-%zu\">\n",
		c->nr_cmp, (size_t)(col - c->cmp->col));
	chunk_begin(c);
}

void layer_end(struct canvas *c)
{
	if (!c->html)
		return;
	chunk_end(c);
	fputs("</g>\n", c->html->page.f);
	chunk_begin(c);
}

void plot_begin(struct canvas *c, const struct frame *f)
{
	if (!c->html) {
		cairo_save(c->cr);
		cairo_rectangle(c->cr, f->x, f->y, f->w, f->h);
		cairo_clip(c->cr);
		return;
	}
	chunk_end(c);
	fprintf(c->html->page.f,
		"<svg class=\"plot\" data-v=\"%zu-%zu\" x=\"%.2f\" y=\"%.2f\" "
		"width=\"%.2f\" height=\"%.2f\" viewBox=\"%.2f %.2f %.2f "
		"%.2f\" preserveAspectRatio=\"none\">\n",
		c->nr_cmp, c->view, f->x, f->y, f->w, f->h, f->x, f->y, f->w,
		f->h);
	chunk_begin(c);
}

void plot_end(struct canvas *c)
{
	if (!c->html) {
		cairo_restore(c->cr);
		return;
	}
	chunk_end(c);
	fputs("</svg>\n", c->html->page.f);
	chunk_begin(c);
}

void hover(struct canvas *c, double x, double y, double w, double h,
	   const char *fmt, ...)
{
	char text[300];
	va_list ap;
	FILE *f;

	if (!c->html)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	f = c->html->words.f;
	fprintf(f,
		"<rect class=\"h\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
		"height=\"%.1f\"><title>",
		x, y, zsr_max(w, 1), h);
	put_escaped(f, text, strlen(text));
	fputs("</title></rect>\n", f);
}

void html_hatch(struct canvas *c)
{
	cairo_path_t *path = cairo_copy_path(c->cr);

	cairo_new_path(c->cr);
	html_group_begin(c, "hatch");
	cairo_append_path(c->cr, path);
	set_color(c, ink);
	cairo_fill(c->cr);
	layer_end(c);
	cairo_path_destroy(path);
}

void html_axis_begin(struct canvas *c, const struct frame *f,
		     const struct ticks *t, const struct zsr_column *col)
{
	const struct zsr_window *w = view_window(c);
	char of[48] = "";

	if (!c->html)
		return;
	if (col)
		snprintf(of, sizeof(of), " col\" data-c=\"%zu-%zu", c->nr_cmp,
			 (size_t)(col - c->cmp->col));
	chunk_end(c);
	fprintf(c->html->page.f,
		"<g class=\"axis%s\" data-v=\"%zu-%zu\" data-x=\"%.2f\" "
		"data-w=\"%.2f\" data-y=\"%.2f\" data-from=\"%.6g\" "
		"data-to=\"%.6g\">\n",
		of, c->nr_cmp, c->view, f->x, f->w, f->y + f->h,
		(double)w->from_ns / t->per, (double)w->to_ns / t->per);
	chunk_begin(c);
}

/* How many values from *v on are told by the last of them, the others being on
 * the way to it from the one before. */
static size_t on_the_way(const double *v, size_t nr, double least)
{
	size_t n, i;

	for (n = 1; n < nr; n++)
		for (i = 0; i < n; i++) {
			double is = v[-1] + (v[n] - v[-1]) * (double)(i + 1) /
						    (double)(n + 1);

			if (fabs(is - v[i]) >
			    zsr_max(least, fabs(v[i]) * VALUE_TOLERANCE))
				return n;
		}
	return nr;
}

/* "V" for the next value, "N~V" for N of them on the way to V. */
static void put_values(FILE *out, const double *v, size_t nr)
{
	double most = 0;
	size_t i, n;

	for (i = 0; i < nr; i++)
		most = zsr_max(most, fabs(v[i]));
	for (i = 0; i < nr; i += n) {
		n = i ? on_the_way(v + i, nr - i, most * VALUE_TOLERANCE / 10)
		      : 1;
		if (i)
			fputc(' ', out);
		if (n > 1)
			fprintf(out, "%zu~", n);
		fprintf(out, "%.3g", v[i + n - 1]);
	}
}

void html_values(struct canvas *c, const struct panel_set *set,
		 const struct zsr_column *col, const struct frame *f)
{
	const struct zsr_window *w = view_window(c);
	struct ticks t = ticks_time((double)w->from_ns, (double)w->to_ns, 9);
	double *v;
	FILE *out = c->html->words.f;
	size_t i, k;

	if (c->html->strip)
		return;
	v = calloc(w->nr_px, sizeof(*v));
	if (!v) {
		c->nomem = true;
		return;
	}
	fprintf(out,
		"<rect class=\"v\" data-v=\"%zu-%zu\" x=\"%.2f\" y=\"%.2f\" "
		"width=\"%.2f\" height=\"%.2f\" data-from=\"%.6g\" "
		"data-to=\"%.6g\" data-time=\"%s\" data-unit=\"%s\" "
		"data-name=\"",
		c->nr_cmp, c->view, f->x, f->y, f->w, f->h,
		(double)w->from_ns / t.per, (double)w->to_ns / t.per, t.unit,
		set->ticks.unit);
	put_escaped(out, col->label, strlen(col->label));
	fputs("\" data-of=\"", out);
	for (k = 0; k < set->nr_names; k++) {
		if (k)
			fputc('|', out);
		put_escaped(out, set->names[k], strlen(set->names[k]));
	}
	fputs("\" data-is=\"", out);
	for (k = 0; k < set->nr_names; k++) {
		fputs(k ? "|" : "", out);
		for (i = 0; i < w->nr_px; i++)
			v[i] = set->value(c, col, i, k) / set->ticks.per;
		put_values(out, v, w->nr_px);
	}
	fputs("\"/>\n", out);
	free(v);
}

/* ---- the file ------------------------------------------------------------------ */

/* What a script makes use of, hidden without one. */
static void put_controls(FILE *f, const struct zsr_analysis *a)
{
	size_t i, k;

	fputs("<div id=\"controls\" hidden>\n<p>Point at a figure for its "
	      "values. Drag over a time axis to zoom all of it, double click "
	      "to go back. <button id=\"whole\">whole time</button></p>\n",
	      f);
	for (k = 0; k < a->nr; k++) {
		fputs("<p>", f);
		put_escaped(f, a->cmp[k].trace, strlen(a->cmp[k].trace));
		fputs(": ", f);
		for (i = 0; i < a->cmp[k].nr_cols; i++) {
			const char *label = a->cmp[k].col[i].label;

			fprintf(f,
				"<label><input type=\"checkbox\" checked "
				"data-c=\"%zu-%zu\"> ",
				k, i);
			put_escaped(f, label, strlen(label));
			fputs("</label> ", f);
		}
		fputs("</p>\n", f);
	}
	fputs("</div>\n<div id=\"tip\" hidden></div>\n", f);
}

cairo_status_t html_write(struct canvas *c, const char *title,
			  const struct zsr_analysis *a)
{
	FILE *f = c->out;
	struct html h = { .out = f };

	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta "
	      "charset=\"utf-8\">\n<meta "
	      "http-equiv=\"Content-Security-Policy\" "
	      "content=\"default-src 'none'; style-src 'unsafe-inline'; "
	      "script-src 'unsafe-inline'; img-src data:\">\n<meta "
	      "name=\"generator\" content=\"zsr " ZSR_VERSION "\">\n<title>",
	      f);
	put_escaped(f, title, strlen(title));
	fputs("</title>\n<style>\n", f);
	fwrite(zsr_report_css, 1, (size_t)(zsr_report_css_end - zsr_report_css),
	       f);
	fputs("</style>\n</head>\n<body>\n", f);
	fputs("<svg width=\"0\" height=\"0\" style=\"position:absolute\">" HATCH
	      "</svg>\n",
	      f);
	put_controls(f, a);
	c->html = &h;
	canvas_draw(c, a);
	c->html = NULL;
	fputs("<script>\n", f);
	fwrite(zsr_report_js, 1, (size_t)(zsr_report_js_end - zsr_report_js), f);
	fputs("</script>\n</body>\n</html>\n", f);
	return h.status;
}

/* How high it is only the end tells. */
cairo_status_t html_write_svg(struct canvas *c, const char *title,
			      const struct zsr_analysis *a)
{
	struct html h = { .strip = true };
	struct memory all = { 0 };
	FILE *f = c->out;

	memory_open(c, &all);
	h.out = all.f;
	c->html = &h;
	canvas_draw(c, a);
	c->html = NULL;
	fflush(all.f);
	fprintf(f,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" "
		"xmlns:xlink=\"http://www.w3.org/1999/xlink\" "
		"width=\"%.0f\" height=\"%.0f\" viewBox=\"0 0 %.0f %.0f\" "
		"xml:space=\"preserve\">\n<title>",
		PAGE_WIDTH, c->height, PAGE_WIDTH, c->height);
	put_escaped(f, title, strlen(title));
	fputs("</title>\n<style>\n", f);
	fwrite(zsr_report_css, 1, (size_t)(zsr_report_css_end - zsr_report_css),
	       f);
	fputs("</style>\n" HATCH
	      "<path fill=\"#fff\" d=\"M0 0h9999v99999h-9999z"
	      "\"/>\n",
	      f);
	if (all.text)
		fputs(all.text, f);
	fputs("</svg>\n", f);
	memory_free(&all);
	return h.status;
}
