// SPDX-License-Identifier: GPL-2.0-only
/* zsr report: stored runs as pages of figures. */
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/runs.h"
#include "replay/policy/policy.h"
#include "report/report.h"

struct args {
	char *db;
	char *output;
	char *only;
	char *format;
	char *title;
	char *window;
	int a4, letter, slides;
	int ascii;
};

/* --format, else what the file's name ends with. */
static int find_format(const struct args *a, const char *path,
		       enum zsr_report_format *format, struct zsr_err *err)
{
	const char *slash = strrchr(path, '/');
	const char *dot = strrchr(slash ? slash : path, '.');

	if (a->format)
		return zsr_report_format(a->format, format)
			       ? 0
			       : zsr_err_usage(err,
					       "--format %s: expected pdf, "
					       "svg, png, txt or html",
					       a->format);
	if (dot && zsr_report_format(dot + 1, format))
		return 0;
	return zsr_err_usage(err,
			     "%s: the name says no format; it ends in "
			     ".pdf, .svg, .png, .txt or .html, or --format "
			     "says it",
			     path);
}

/* "A..B", two times with units. */
static int parse_window(const char *text, struct zsr_analyze_opts *o,
			struct zsr_err *err)
{
	const char *dots = strstr(text, "..");
	char *from;
	int ret;

	if (!dots)
		return zsr_err_usage(err,
				     "--window %s: expected A..B, like "
				     "0..20ms",
				     text);
	from = strndup(text, (size_t)(dots - text));
	if (!from)
		return zsr_err_nomem(err, "--window");
	ret = zsr_parse_ns(from, &o->window_from_ns, err);
	free(from);
	if (!ret)
		ret = zsr_parse_ns(dots + 2, &o->window_to_ns, err);
	if (ret)
		return zsr_err_wrap(err, ret, "--window");
	if (o->window_from_ns >= o->window_to_ns)
		return zsr_err_usage(err,
				     "--window %s: it ends before it "
				     "begins",
				     text);
	o->window_given = true;
	return 0;
}

/* Reproducible builds ask for their date; without it none is stored. */
static int source_date(struct zsr_report_opts *o, struct zsr_err *err)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	uint64_t s;
	int ret;

	if (!epoch || !*epoch)
		return 0;
	/* Year 9999 is the last one a PDF can say. */
	ret = zsr_parse_u64(epoch, "SOURCE_DATE_EPOCH", 0, 253402300799, &s,
			    err);
	if (ret)
		return ret;
	o->dated = true;
	o->created_s = (int64_t)s;
	return 0;
}

static void print_result(FILE *f, const char *path,
			 const struct zsr_report_result *res)
{
	const char *sep = "";
	unsigned i;

	fprintf(f, "%s: %u page%s, ", path, res->nr_pages,
		res->nr_pages == 1 ? "" : "s");
	for (i = 0; i < 8 * sizeof(res->figures); i++)
		if (res->figures & (1u << i)) {
			fprintf(f, "%sg%u", sep, i);
			sep = " ";
		}
	fputc('\n', f);
	for (i = 0; i < res->left_out.nr; i++)
		fprintf(f, "left out: %s\n", res->left_out.line[i]);
}

/* What the mail that proposes the policy says, which is its default. */
static bool posted(const char *policy, const char *param, uint64_t *value)
{
	const struct zsr_policy *p = zsr_policy_find(policy);
	unsigned i;

	for (i = 0; p && i < p->nr_params; i++)
		if (!strcmp(p->params[i].name, param)) {
			*value = p->params[i].def;
			return true;
		}
	return false;
}

static int find_paper(const struct args *a, enum zsr_report_paper *paper,
		      struct zsr_err *err)
{
	if (a->a4 + a->letter + a->slides > 1)
		return zsr_err_usage(err, "one of --a4, --letter, --slides");
	*paper = a->letter   ? ZSR_PAPER_LETTER
		 : a->slides ? ZSR_PAPER_SLIDES
			     : ZSR_PAPER_A4;
	return 0;
}

/* Text goes to stdout where no file is named. */
static const char *find_path(const struct args *a, char buf[32])
{
	enum zsr_report_format format;

	if (a->output && strcmp(a->output, "-"))
		return a->output;
	if (a->output || (a->format && zsr_report_format(a->format, &format) &&
			  format == ZSR_REPORT_TXT))
		return "/dev/stdout";
	snprintf(buf, 32, "report.%.20s", a->format ? a->format : "pdf");
	return buf;
}

static int run(const struct args *a, const struct zsr_options *o,
	       struct zsr_err *err)
{
	struct zsr_report_opts opts = { .title = a->title,
					.db_path = a->db,
					.ascii = a->ascii };
	struct zsr_analyze_opts how = { .nr_px = ZSR_REPORT_NR_PX,
					.posted = posted };
	char name[32];
	const char *path = find_path(a, name);
	struct zsr_report_result res = { 0 };
	struct zsr_analysis analysis = { 0 };
	int ret;

	ret = find_format(a, path, &opts.format, err);
	if (!ret)
		ret = find_paper(a, &opts.paper, err);
	if (!ret && a->only)
		ret = zsr_report_figures(a->only, &opts.only, err);
	if (!ret && a->window)
		ret = parse_window(a->window, &how, err);
	if (!ret)
		ret = source_date(&opts, err);
	if (!ret)
		ret = zsr_cmd_runs("report", zsr_db_path(a->db), o->rest,
				   o->nr_rest, &how, &analysis, err);
	if (!ret)
		ret = zsr_report_write(&analysis, path, &opts, &res, err);
	if (!ret) {
		print_result(strcmp(path, "/dev/stdout") ? stdout : stderr,
			     path, &res);
		ret = zsr_cmd_flush(err);
	}
	zsr_lines_free(&res.left_out);
	zsr_analysis_free(&analysis);
	return ret;
}

int zsr_cmd_report(int argc, const char **argv)
{
	struct args a = { 0 };
	const struct poptOption table[] = {
		{ "output", 'o', POPT_ARG_STRING, &a.output, 0,
		  "file to write (default: report.pdf); its name says the "
		  "format",
		  "FILE" },
		{ "database", 'd', POPT_ARG_STRING, &a.db, 0,
		  "database to read (default: $ZSR_DB, else zsr.db)", "DB" },
		{ "only", '\0', POPT_ARG_STRING, &a.only, 0,
		  "draw these figures, of g1 to g12", "gN[,gN...]" },
		{ "format", '\0', POPT_ARG_STRING, &a.format, 0,
		  "pdf, svg, png, txt or html, whatever the file's name",
		  "FORMAT" },
		{ "a4", '\0', POPT_ARG_NONE, &a.a4, 0, "A4 pages (default)",
		  NULL },
		{ "letter", '\0', POPT_ARG_NONE, &a.letter, 0, "letter pages",
		  NULL },
		{ "slides", '\0', POPT_ARG_NONE, &a.slides, 0,
		  "pages for a screen, 16 by 9", NULL },
		{ "ascii", '\0', POPT_ARG_NONE, &a.ascii, 0,
		  "txt: nothing but ASCII", NULL },
		{ "title", '\0', POPT_ARG_STRING, &a.title, 0,
		  "title of the first page", "TEXT" },
		{ "window", '\0', POPT_ARG_STRING, &a.window, 0,
		  "time axis, from the first release's begin: 0..20ms", "A..B" },
		POPT_TABLEEND
	};
	struct zsr_options o = { 0 };
	struct zsr_err err = { 0 };
	int ret;

	ret = zsr_options_parse(&o, argc, argv, table,
				"report [-o FILE] [RUN...|TRACE...] "
				"[OPTION...]",
				&err);
	if (!ret)
		ret = run(&a, &o, &err);
	else if (ret > 0)
		ret = 0;
	zsr_options_free(&o);
	free(a.output);
	free(a.db);
	free(a.only);
	free(a.format);
	free(a.title);
	free(a.window);
	return ret ? zsr_cmd_fail("report", &err) : ZSR_EXIT_OK;
}
