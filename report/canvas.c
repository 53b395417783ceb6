// SPDX-License-Identifier: GPL-2.0-only
/* Which figures there are, and the pages they are drawn on. */
#include <cairo-pdf.h>
#include <string.h>

#include "report/html.h"
#include "report/page.h"
#include "report/txt.h"

/* A figure alone is not in need of a page's margins. */
#define STRIP_MARGIN (PAGE_MARGIN / 2)

#define OF_RUNS(columns, table, rest)                                          \
	"SELECT " columns " FROM " table " WHERE run IN (%s) " rest

static const char *const q1[] = {
	"SELECT * FROM run_results WHERE run IN (%s) ORDER BY run", NULL
};
static const char *const q2[] = {
	"SELECT run, key, value FROM run_value WHERE run IN (%s) AND key IN "
	"('first_release_ns', 'last_return_ns', 'pages_total', 'at_50_ns', "
	"'at_90_ns', 'at_100_ns', 'held_peak_pages') ORDER BY run, key",
	OF_RUNS("run, key, t_ns, value", "zsr_run_point",
		"AND key IN ('series.live_pages', 'series.held_pages', "
		"'series.back_pages')"),
	OF_RUNS("run, nr, task, begin_ns, end_ns, objects", "run_release",
		"ORDER BY run, begin_ns"),
	NULL
};
static const char *const q3[] = {
	OF_RUNS("run, t_ns, row AS at_least_ns, value AS releases",
		"zsr_run_point", "AND key = 'grid.latency'"),
	NULL
};
static const char *const q4[] = {
	OF_RUNS("run, row AS at_least_ns, value AS releases", "zsr_run_point",
		"AND key = 'hist.release'"),
	NULL
};
static const char *const q5[] = {
	OF_RUNS("run, key, value", "run_value",
		"AND key IN ('queue_peak', 'queue_oldest_ns', 'fallbacks', "
		"'frees', 'stranded') ORDER BY run, key"),
	OF_RUNS("run, t_ns, value AS entries", "zsr_run_point",
		"AND key = 'series.queue_depth'"),
	OF_RUNS("run, t_ns, row >> 8 AS cpu, row & 255 AS kind, value AS ns",
		"zsr_run_point", "AND key = 'grid.busy'"),
	NULL
};
static const char *const q6[] = {
	OF_RUNS("run, key, value", "run_value",
		"AND key IN ('cpu_caller_ns', 'cpu_spin_ns', 'cpu_worker_ns', "
		"'cpu_worker_spin_ns', 'cpu_queueing_ns', 'cpu_reuse_ns', "
		"'cpu_flush_ns') ORDER BY run, key"),
	"SELECT id, policy, conditions FROM run WHERE id IN (%s) ORDER BY id",
	NULL
};
static const char *const q7[] = {
	OF_RUNS("run, key, t_ns, row AS class, value", "zsr_run_point",
		"AND key IN ('grid.objects', 'grid.pages')"),
	NULL
};
static const char *const q8[] = {
	OF_RUNS("run, name, size, acquired, contended, wait_ns, hold_ns",
		"run_lock", "ORDER BY run, wait_ns DESC"),
	NULL
};
static const char *const q9[] = {
	"SELECT id, policy, params FROM run WHERE id IN (%s) ORDER BY id",
	OF_RUNS("run, key, value", "run_value",
		"AND key IN ('caller_mean_ns', 'fallbacks', "
		"'held_peak_pages') ORDER BY run, key"),
	NULL
};
static const char *const q10[] = { OF_RUNS("run, who, step, ns", "run_step",
					   "ORDER BY run, who, ns DESC"),
				   NULL };
static const char *const q11[] = {
	"SELECT count(*) AS frees, avg(e.dur_ns) AS mean_ns, max(e.dur_ns) AS "
	"max_ns FROM zsr_event e WHERE e.kind = 'free' AND e.dur_ns > 0 AND "
	"e.trace = (SELECT trace FROM run WHERE id IN (%s) LIMIT 1)",
	"SELECT key, value FROM trace_meta WHERE key LIKE 'snap.%.mm_stat' "
	"AND trace = (SELECT trace FROM run WHERE id IN (%s) LIMIT 1)",
	OF_RUNS("run, row AS mark, value AS pages", "zsr_run_point",
		"AND key = 'grid.marks'"),
	NULL
};
static const char *const q12[] = {
	"SELECT * FROM run WHERE id IN (%s) ORDER BY id",
	OF_RUNS("run, key, value", "run_value", "ORDER BY run, key"), NULL
};

const struct figure figures[] = {
	{ 1, "Summary", NULL, g1_draw, g1_text, q1 },
	{ 2, "Memory return", g2_missing, g2_draw, g2_text, q2 },
	{ 3, "Latency over time", g3_missing, g3_draw, g3_text, q3 },
	{ 4, "Latency of one free", g4_missing, g4_draw, g4_text, q4 },
	{ 5, "Queue depth, CPUs", g5_missing, g5_draw, g5_text, q5 },
	{ 6, "CPU time, by load", g6_missing, g6_draw, g6_text, q6 },
	{ 7, "Size classes over time", g7_missing, g7_draw, g7_text, q7 },
	{ 8, "Locks", g8_missing, g8_draw, g8_text, q8 },
	{ 9, "Capacity", g9_missing, g9_draw, g9_text, q9 },
	{ 10, "Where the CPU time went", g10_missing, g10_draw, g10_text, q10 },
	{ 11, "Fidelity", g11_missing, g11_draw, g11_text, q11 },
	{ 12, "Provenance", NULL, g12_draw, g12_text, q12 },
};
const size_t nr_figures = ZSR_ARRAY_SIZE(figures);

bool figure_wanted(const struct zsr_report_opts *opts, const struct figure *f)
{
	return !opts->only || opts->only & ZSR_FIGURE(f->nr);
}

bool zsr_report_format(const char *name, enum zsr_report_format *format)
{
	static const char *const names[] = { "pdf", "svg", "png", "txt",
					     "html" };
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

		for (i = 0; i < nr_figures; i++) {
			snprintf(name, sizeof(name), "g%u", figures[i].nr);
			if (strlen(name) == len && !strncasecmp(p, name, len))
				break;
		}
		if (i == nr_figures)
			return zsr_err_usage(
				err, "'%.*s' is no figure; there are g1 to g%zu",
				(int)len, p, nr_figures);
		*out |= ZSR_FIGURE(figures[i].nr);
		p += len;
		p += *p == ',';
	}
	if (!*out)
		return zsr_err_usage(err, "no figure given");
	return 0;
}

const char *zsr_report_title(unsigned figure)
{
	return figures[figure - 1].title;
}

const char *const *zsr_report_queries(unsigned figure)
{
	return figures[figure - 1].queries;
}

/* ---- pages ---------------------------------------------------------- */

static void destination(const struct canvas *c, unsigned figure, char *buf,
			size_t n)
{
	snprintf(buf, n, "t%zu-g%u", c->nr_cmp + 1, figure);
}

/* The figure begins here: for outline and links. */
static void outline(struct canvas *c, const char *text)
{
	char where[32], attr[48];

	if (!c->paged)
		return;
	destination(c, c->figure, where, sizeof(where));
	snprintf(attr, sizeof(attr), "page=%u", c->nr_pages);
	cairo_pdf_surface_add_outline(cairo_get_target(c->cr), c->outline_of,
				      text, attr, 0);
	if (!c->begun) {
		snprintf(attr, sizeof(attr), "name='%s'", where);
		cairo_tag_begin(c->cr, CAIRO_TAG_DEST, attr);
		cairo_tag_end(c->cr, CAIRO_TAG_DEST);
	}
}

double text_link(struct canvas *c, double x, double y, const struct style *s,
		 const char *text, unsigned figure)
{
	char where[32], attr[48];
	double w;

	destination(c, figure, where, sizeof(where));
	if (c->html)
		html_link(c->html, where);
	if (!c->paged)
		w = text_at(c, x, y, LEFT, s, text);
	else {
		snprintf(attr, sizeof(attr), "dest='%s'", where);
		cairo_tag_begin(c->cr, CAIRO_TAG_LINK, attr);
		w = text_at(c, x, y, LEFT, s, text);
		cairo_tag_end(c->cr, CAIRO_TAG_LINK);
	}
	if (c->html)
		html_link(c->html, NULL);
	return w;
}

void page_begin(struct canvas *c, unsigned figure, const char *title,
		unsigned part)
{
	const struct style head = { .size = 13, .bold = true };
	const struct style small = { .size = 8.5, .color = grey };
	char text[256], where[32];
	double w;

	c->nr_pages++;
	c->figure = figure;
	c->heading = title;
	c->res->figures |= ZSR_FIGURE(figure);
	if (c->html) {
		destination(c, figure, where, sizeof(where));
		html_page_begin(c, c->begun ? NULL : where);
	}
	if (!c->html)
		cairo_save(c->cr);
	if (!c->paged && !c->html)
		cairo_translate(c->cr, 0, c->height);
	snprintf(text, sizeof(text), "g%u  %s", figure, title);
	if (!part)
		outline(c, text);
	c->begun = true;
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

	if (c->html) {
		html_page_end(c);
		return;
	}
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

void page_need(struct canvas *c, double height, unsigned *part)
{
	if (page_room(c) >= height)
		return;
	page_end(c);
	page_begin(c, c->figure, c->heading, ++*part);
}

int leave_out(struct zsr_lines *left_out, const struct zsr_compare *cmp,
	      const struct figure *f, const char *why)
{
	return zsr_lines_add(left_out, "g%u of %s: %s", f->nr, cmp->trace, why);
}

void canvas_draw(struct canvas *c, const struct zsr_analysis *a)
{
	const char *why;
	char text[200];
	size_t i, k;

	for (k = 0; k < a->nr; k++) {
		c->cmp = &a->cmp[k];
		c->nr_cmp = k;
		c->view = 0;
		c->outline_of = CAIRO_PDF_OUTLINE_ROOT;
		if (c->paged && a->nr > 1) {
			snprintf(text, sizeof(text), "page=%u", c->nr_pages + 1);
			c->outline_of = cairo_pdf_surface_add_outline(
				cairo_get_target(c->cr), CAIRO_PDF_OUTLINE_ROOT,
				c->cmp->trace, text, 0);
		}
		for (i = 0; i < nr_figures; i++) {
			if (!figure_wanted(c->opts, &figures[i]))
				continue;
			why = figures[i].missing ? figures[i].missing(c->cmp)
						 : NULL;
			c->begun = false;
			if (!why)
				figures[i].draw(c);
			else if (leave_out(&c->res->left_out, c->cmp,
					   &figures[i], why))
				c->nomem = true;
		}
	}
}
