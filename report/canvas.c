// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages, and the file they end up in. A PDF is drawn directly; for an image
 * every page is recorded first, and then all are set below each other, since
 * an image's height has to be known before it begins.
 */
#include <cairo-pdf.h>
#include <cairo-svg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "report/page.h"

#define PNG_DPI     150.0
#define PNG_MOST_PX 30000.0 /* what cairo can hold */
#define STRIP_GAP   10.0
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

	if (!c->out)
		return;
	snprintf(where, sizeof(where), "page=%u", c->nr_pages);
	cairo_pdf_surface_add_outline(c->out, CAIRO_PDF_OUTLINE_ROOT, text,
				      where, 0);
}

static void strip_begin(struct canvas *c)
{
	const cairo_rectangle_t all = { 0, 0, PAGE_WIDTH, 100 * PAGE_HEIGHT };
	cairo_surface_t *s;

	if (zsr_grow(&c->strip, &c->cap_strips, c->nr_strips + 1,
		     sizeof(*c->strip))) {
		c->nomem = true;
		return;
	}
	s = cairo_recording_surface_create(CAIRO_CONTENT_COLOR_ALPHA, &all);
	c->strip[c->nr_strips].surface = s;
	c->strip[c->nr_strips++].height = 0;
	cairo_destroy(c->cr);
	c->cr = cairo_create(s);
	pango_cairo_update_context(c->cr, c->pango);
}

void page_begin(struct canvas *c, unsigned figure, const char *title,
		unsigned part)
{
	const struct style head = { .size = 13, .bold = true };
	const struct style small = { .size = 8.5, .color = grey };
	char text[256];
	double w;

	if (!c->out)
		strip_begin(c);
	c->nr_pages++;
	c->figure = figure;
	c->res->figures |= ZSR_FIGURE(figure);
	snprintf(text, sizeof(text), "g%u  %s", figure, title);
	if (!part)
		outline(c, text);
	if (part)
		snprintf(text, sizeof(text), "g%u  %s (continued)", figure,
			 title);
	c->y = (c->out ? PAGE_MARGIN : STRIP_MARGIN) + 11;
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

	if (!c->out) {
		if (c->nr_strips)
			c->strip[c->nr_strips - 1].height = c->y + STRIP_GAP;
		return;
	}
	snprintf(text, sizeof(text), "zsr %s, trace %.12s, g%u", ZSR_VERSION,
		 c->cmp->trace_digest, c->figure);
	text_at(c, PAGE_LEFT, PAGE_HEIGHT - PAGE_MARGIN + 4, LEFT, &small, text);
	snprintf(text, sizeof(text), "page %u", c->nr_pages);
	text_at(c, PAGE_RIGHT, PAGE_HEIGHT - PAGE_MARGIN + 4, RIGHT, &small,
		text);
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

/* ---- the file ------------------------------------------------------- */

static cairo_status_t write_file(void *ctx, const unsigned char *data,
				 unsigned n)
{
	FILE *f = ctx;

	return fwrite(data, 1, n, f) == n ? CAIRO_STATUS_SUCCESS
					  : CAIRO_STATUS_WRITE_ERROR;
}

static void set_pdf_metadata(cairo_surface_t *s, const char *title,
			     const struct zsr_report_opts *opts)
{
	char date[32] = "";
	time_t t = (time_t)opts->created_s;
	struct tm tm;

	if (opts->dated && gmtime_r(&t, &tm))
		strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", &tm);
	cairo_pdf_surface_set_metadata(s, CAIRO_PDF_METADATA_TITLE, title);
	cairo_pdf_surface_set_metadata(s, CAIRO_PDF_METADATA_CREATOR,
				       "zsr " ZSR_VERSION);
	/* Empty means none; unset would mean now. */
	cairo_pdf_surface_set_metadata(s, CAIRO_PDF_METADATA_CREATE_DATE, date);
}

static void open_canvas(struct canvas *c, FILE *f, const char *title)
{
	cairo_font_options_t *fo = cairo_font_options_create();
	PangoFontMap *map = pango_cairo_font_map_new();

	cairo_font_options_set_hint_style(fo, CAIRO_HINT_STYLE_NONE);
	cairo_font_options_set_hint_metrics(fo, CAIRO_HINT_METRICS_OFF);
	c->pango = pango_font_map_create_context(map);
	pango_cairo_context_set_font_options(c->pango, fo);
	pango_context_set_round_glyph_positions(c->pango, FALSE);
	g_object_unref(map);
	cairo_font_options_destroy(fo);
	if (c->opts->format != ZSR_REPORT_PDF)
		return;
	c->out = cairo_pdf_surface_create_for_stream(write_file, f, PAGE_WIDTH,
						     PAGE_HEIGHT);
	set_pdf_metadata(c->out, title, c->opts);
	c->cr = cairo_create(c->out);
	pango_cairo_update_context(c->cr, c->pango);
}

static void paint_strips(struct canvas *c, cairo_surface_t *s, double scale)
{
	cairo_t *cr = cairo_create(s);
	double y = 0;
	size_t i;

	cairo_scale(cr, scale, scale);
	cairo_set_source_rgb(cr, 1, 1, 1);
	cairo_paint(cr);
	for (i = 0; i < c->nr_strips; i++) {
		cairo_set_source_surface(cr, c->strip[i].surface, 0, y);
		cairo_rectangle(cr, 0, y, PAGE_WIDTH, c->strip[i].height);
		cairo_fill(cr);
		y += c->strip[i].height;
	}
	cairo_destroy(cr);
}

static cairo_status_t write_image(struct canvas *c, FILE *f)
{
	double h = 0, scale = PNG_DPI / 72;
	cairo_status_t status;
	cairo_surface_t *s;
	size_t i;

	for (i = 0; i < c->nr_strips; i++)
		h += c->strip[i].height;
	h = zsr_max(h, 1);
	if (c->opts->format == ZSR_REPORT_SVG) {
		s = cairo_svg_surface_create_for_stream(write_file, f,
							PAGE_WIDTH, h);
		paint_strips(c, s, 1);
		cairo_surface_finish(s);
		status = cairo_surface_status(s);
	} else {
		scale = zsr_min(scale, PNG_MOST_PX / h);
		s = cairo_image_surface_create(CAIRO_FORMAT_RGB24,
					       (int)(PAGE_WIDTH * scale),
					       (int)(h * scale));
		paint_strips(c, s, scale);
		status = cairo_surface_write_to_png_stream(s, write_file, f);
	}
	cairo_surface_destroy(s);
	return status;
}

/* Everything drawn and written out; frees what the canvas holds. */
static cairo_status_t close_canvas(struct canvas *c, FILE *f)
{
	cairo_status_t status = c->cr ? cairo_status(c->cr)
				      : CAIRO_STATUS_SUCCESS;
	size_t i;

	if (c->cr)
		cairo_destroy(c->cr);
	if (c->out) {
		cairo_surface_finish(c->out);
		if (status == CAIRO_STATUS_SUCCESS)
			status = cairo_surface_status(c->out);
		cairo_surface_destroy(c->out);
	} else if (status == CAIRO_STATUS_SUCCESS) {
		status = write_image(c, f);
	}
	for (i = 0; i < c->nr_strips; i++)
		cairo_surface_destroy(c->strip[i].surface);
	free(c->strip);
	g_object_unref(c->pango);
	return status;
}

static int draw_all(const struct zsr_analysis *a, FILE *f,
		    const struct zsr_report_opts *opts,
		    struct zsr_report_result *res, struct zsr_err *err)
{
	struct canvas c = { .opts = opts, .res = res };
	cairo_status_t status;
	char title[160];
	size_t i, k;

	snprintf(title, sizeof(title), "zsr: %s", a->cmp[0].trace);
	if (opts->title)
		c.title = g_utf8_make_valid(opts->title, -1);
	open_canvas(&c, f, c.title ? c.title : title);
	for (k = 0; k < a->nr; k++) {
		c.cmp = &a->cmp[k];
		for (i = 0; i < ZSR_ARRAY_SIZE(figures); i++)
			if (!opts->only ||
			    opts->only & ZSR_FIGURE(figures[i].nr))
				figures[i].draw(&c);
	}
	res->nr_pages = c.nr_pages;
	errno = 0;
	status = close_canvas(&c, f);
	g_free(c.title);
	if (c.nomem || status == CAIRO_STATUS_NO_MEMORY)
		return zsr_err_nomem(err, "drawing");
	if (status == CAIRO_STATUS_SUCCESS && !c.nr_pages)
		return zsr_err_input(err, "nothing to draw: %s",
				     res->left_out.line[0]);
	if (status != CAIRO_STATUS_SUCCESS)
		return errno ? zsr_err_sys(err, errno, "write")
			     : zsr_err_sys(err, EIO, "draw: %s",
					   cairo_status_to_string(status));
	return 0;
}

/* A new file beside PATH with the rights a created file gets. */
static FILE *open_temporary(const char *path, char **name)
{
	mode_t mask = umask(0);
	FILE *f = NULL;
	int fd;

	umask(mask);
	if (asprintf(name, "%s.XXXXXX", path) < 0) {
		*name = NULL;
		return NULL;
	}
	fd = mkstemp(*name);
	if (fd >= 0) {
		f = fchmod(fd, 0666 & ~mask) ? NULL : fdopen(fd, "wb");
		if (!f) {
			int errnum = errno;

			close(fd);
			unlink(*name);
			errno = errnum;
		}
	}
	return f;
}

static int write_and_rename(const struct zsr_analysis *a, const char *path,
			    const struct zsr_report_opts *opts,
			    struct zsr_report_result *res, struct zsr_err *err)
{
	char *name = NULL;
	FILE *f = open_temporary(path, &name);
	int ret;

	if (!f) {
		ret = zsr_err_sys(err, errno, "create");
		goto out;
	}
	ret = draw_all(a, f, opts, res, err);
	if (fclose(f) && !ret)
		ret = zsr_err_sys(err, errno, "write");
	if (!ret && rename(name, path))
		ret = zsr_err_sys(err, errno, "rename");
	if (ret)
		unlink(name);
out:
	free(name);
	return ret;
}

/* A pipe or a device must not be replaced by a file. */
static int write_into(const struct zsr_analysis *a, const char *path,
		      const struct zsr_report_opts *opts,
		      struct zsr_report_result *res, struct zsr_err *err)
{
	FILE *f = fopen(path, "wb");
	int ret;

	if (!f)
		return zsr_err_sys(err, errno, "open");
	ret = draw_all(a, f, opts, res, err);
	if (fclose(f) && !ret)
		ret = zsr_err_sys(err, errno, "write");
	return ret;
}

int zsr_report_write(const struct zsr_analysis *a, const char *path,
		     const struct zsr_report_opts *opts,
		     struct zsr_report_result *res, struct zsr_err *err)
{
	/* Behind a symbolic link it is the file that is replaced. */
	char *real = realpath(path, NULL);
	struct stat st;
	int ret;

	*res = (struct zsr_report_result){ 0 };
	if (!stat(path, &st) && !S_ISREG(st.st_mode))
		ret = write_into(a, path, opts, res, err);
	else
		ret = write_and_rename(a, real ? real : path, opts, res, err);
	if (ret) {
		zsr_err_wrap(err, ret, "%s", path);
		zsr_lines_free(&res->left_out);
	}
	free(real);
	return ret;
}
