// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file a report ends up in. A PDF is drawn once, page by page. A PNG is
 * drawn twice: first onto nothing, to learn how high it has to be.
 */
#include <cairo-pdf.h>
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "report/html.h"
#include "report/page.h"
#include "report/txt.h"

#define PNG_DPI     150.0
#define PNG_MOST_PX 30000.0 /* high: what cairo can hold */
#define PNG_MOST    18e6 /* pixels in all, of 4 bytes */

/* What fails is told at the end: cairo is not up to it while it draws links. */
static cairo_status_t write_file(void *ctx, const unsigned char *data,
				 unsigned n)
{
	struct canvas *c = ctx;

	errno = 0;
	if (!c->write_error && fwrite(data, 1, n, c->out) != n)
		c->write_error = errno ? errno : EIO;
	return CAIRO_STATUS_SUCCESS;
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

/* Text is laid out alike whatever it is drawn on. */
static PangoContext *text_context(void)
{
	cairo_font_options_t *fo = cairo_font_options_create();
	PangoFontMap *map = pango_cairo_font_map_new();
	PangoContext *pango = pango_font_map_create_context(map);

	cairo_font_options_set_hint_style(fo, CAIRO_HINT_STYLE_NONE);
	cairo_font_options_set_hint_metrics(fo, CAIRO_HINT_METRICS_OFF);
	pango_cairo_context_set_font_options(pango, fo);
	pango_context_set_round_glyph_positions(pango, FALSE);
	g_object_unref(map);
	cairo_font_options_destroy(fo);
	return pango;
}

/* Draw everything onto a surface, scaled. */
static cairo_status_t draw_onto(struct canvas *c, cairo_surface_t *s,
				double scale, const struct zsr_analysis *a)
{
	cairo_status_t status;

	c->cr = cairo_create(s);
	c->height = 0;
	c->nr_pages = 0;
	c->res->figures = 0;
	zsr_lines_free(&c->res->left_out);
	cairo_scale(c->cr, scale, scale);
	pango_cairo_update_context(c->cr, c->pango);
	if (!c->paged) {
		set_color(c, paper);
		cairo_paint(c->cr);
	}
	canvas_draw(c, a);
	status = cairo_status(c->cr);
	cairo_destroy(c->cr);
	return status;
}

static cairo_status_t write_pdf(struct canvas *c, const char *title,
				const struct zsr_analysis *a)
{
	cairo_surface_t *s = cairo_pdf_surface_create_for_stream(
		write_file, c, PAGE_WIDTH, PAGE_HEIGHT);
	cairo_status_t status;

	set_pdf_metadata(s, title, c->opts);
	status = draw_onto(c, s, 1, a);
	cairo_surface_finish(s);
	if (status == CAIRO_STATUS_SUCCESS)
		status = cairo_surface_status(s);
	cairo_surface_destroy(s);
	return status;
}

static cairo_status_t measure(struct canvas *c, const struct zsr_analysis *a)
{
	cairo_surface_t *s = cairo_image_surface_create(CAIRO_FORMAT_RGB24, 1,
							1);
	cairo_status_t status = draw_onto(c, s, 1, a);

	cairo_surface_destroy(s);
	return status;
}

static cairo_status_t write_png(struct canvas *c, const struct zsr_analysis *a)
{
	cairo_status_t status = measure(c, a);
	double h = zsr_max(c->height, 1);
	double scale = zsr_min(zsr_min(PNG_DPI / 72, PNG_MOST_PX / h),
			       sqrt(PNG_MOST / (PAGE_WIDTH * h)));
	cairo_surface_t *s;

	if (status != CAIRO_STATUS_SUCCESS)
		return status;
	s = cairo_image_surface_create(
		CAIRO_FORMAT_RGB24, (int)(PAGE_WIDTH * scale), (int)(h * scale));
	status = draw_onto(c, s, scale, a);
	if (status == CAIRO_STATUS_SUCCESS && png_put(c, s))
		status = CAIRO_STATUS_NO_MEMORY;
	cairo_surface_destroy(s);
	return status;
}

static int write_text(const struct zsr_analysis *a, FILE *f,
		      const struct zsr_report_opts *opts,
		      struct zsr_report_result *res, struct zsr_err *err)
{
	struct zsr_lines l;
	size_t i;
	int ret = txt_draw(a, opts, res, &l);

	for (i = 0; i < l.nr && !ret; i++)
		fprintf(f, "%s\n", l.line[i]);
	if (ret)
		ret = zsr_err_nomem(err, "drawing");
	else if (!l.nr)
		ret = zsr_err_input(err, "nothing to draw: %s",
				    res->left_out.line[0]);
	else if (ferror(f))
		ret = zsr_err_sys(err, errno, "write");
	zsr_lines_free(&l);
	return ret;
}

static void set_paper(struct canvas *c, enum zsr_report_paper which)
{
	static const double sizes[][2] = {
		[ZSR_PAPER_A4] = { 595, 842 },
		[ZSR_PAPER_LETTER] = { 612, 792 },
		[ZSR_PAPER_SLIDES] = { 720, 405 },
	};

	c->paper_width = sizes[which][0];
	c->paper_height = sizes[which][1];
	/* Below each other all have room for what A4 has. */
	if (!c->paged)
		c->paper_height = zsr_max(c->paper_height, 842);
}

static int draw_all(const struct zsr_analysis *a, FILE *f,
		    const struct zsr_report_opts *opts,
		    struct zsr_report_result *res, struct zsr_err *err)
{
	struct canvas c = { .opts = opts,
			    .res = res,
			    .out = f,
			    .paged = opts->format == ZSR_REPORT_PDF };
	cairo_status_t status;
	char title[160];

	if (opts->format == ZSR_REPORT_TXT)
		return write_text(a, f, opts, res, err);
	set_paper(&c, opts->paper);
	snprintf(title, sizeof(title), "zsr: %s", a->cmp[0].trace);
	if (opts->title)
		c.title = g_utf8_make_valid(opts->title, -1);
	c.pango = text_context();
	if (c.paged)
		status = write_pdf(&c, c.title ? c.title : title, a);
	else if (opts->format == ZSR_REPORT_HTML)
		status = html_write(&c, c.title ? c.title : title, a);
	else if (opts->format == ZSR_REPORT_SVG)
		status = html_write_svg(&c, c.title ? c.title : title, a);
	else
		status = write_png(&c, a);
	g_object_unref(c.pango);
	g_free(c.title);
	res->nr_pages = c.nr_pages;
	if (c.nomem || status == CAIRO_STATUS_NO_MEMORY)
		return zsr_err_nomem(err, "drawing");
	if (status == CAIRO_STATUS_SUCCESS && !c.nr_pages)
		return zsr_err_input(err, "nothing to draw: %s",
				     res->left_out.line[0]);
	if (status != CAIRO_STATUS_SUCCESS)
		return zsr_err_sys(err, EIO, "draw: %s",
				   cairo_status_to_string(status));
	if (c.write_error || ferror(f))
		return zsr_err_sys(err, c.write_error ? c.write_error : EIO,
				   "write");
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
