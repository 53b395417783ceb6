// SPDX-License-Identifier: GPL-2.0-only
/* zsr export: a trace or a run as a file for other programs. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/capture.h"
#include "cmd/cmd.h"
#include "cmd/runs.h"
#include "interop/interop.h"

enum format { NONE, CSV, FTRACE, DAT, CTF, CHROME, PERFETTO };

static const char *const formats[] = {
	[CSV] = "csv", [FTRACE] = "ftrace", [DAT] = "trace.dat",
	[CTF] = "ctf", [CHROME] = "chrome", [PERFETTO] = "perfetto",
};

/* By what it is called when nobody said. */
static const struct {
	const char *ending;
	enum format format;
} endings[] = {
	{ ".csv", CSV },          { ".txt", FTRACE },
	{ ".dat", DAT },          { ".ctf", CTF },
	{ ".json", CHROME },      { ".perfetto-trace", PERFETTO },
	{ ".pftrace", PERFETTO },
};

struct args {
	char *db, *format, *output;
};

static bool ends_with(const char *s, const char *ending)
{
	size_t n = strlen(s), m = strlen(ending);

	return n >= m && !strcmp(s + n - m, ending);
}

static int choose(const struct args *a, enum format *format, struct zsr_err *err)
{
	size_t i;

	*format = NONE;
	for (i = CSV; a->format && i < ZSR_ARRAY_SIZE(formats); i++)
		if (!strcmp(a->format, formats[i]))
			*format = i;
	if (a->format && *format == NONE)
		return zsr_err_usage(err,
				     "--format %s: expected csv, ftrace, "
				     "trace.dat, ctf, chrome or perfetto",
				     a->format);
	for (i = 0; !a->format && a->output && i < ZSR_ARRAY_SIZE(endings); i++)
		if (ends_with(a->output, endings[i].ending))
			*format = endings[i].format;
	if (*format == NONE)
		return zsr_err_usage(err, "which --format?");
	if (*format == CTF && (!a->output || !strcmp(a->output, "-")))
		return zsr_err_usage(err, "ctf is a directory (-o DIR)");
	if ((*format == DAT || *format == PERFETTO) &&
	    (!a->output || !strcmp(a->output, "-")) && isatty(STDOUT_FILENO))
		return zsr_err_usage(err,
				     "%s is nothing for a terminal (-o FILE)",
				     formats[*format]);
	return 0;
}

/* ---- what is not in the file --------------------------------------------- */

static void warn(uint64_t n, const char *what)
{
	char count[ZSR_FMT_LEN];

	if (n)
		fprintf(stderr, "zsr export: not in the file: %s %s\n",
			zsr_fmt_count(count, n), what);
}

static void warn_all(const struct zsr_unsaid *u)
{
#define X(name, text) warn(u->name, text);
	ZSR_UNSAID(X)
#undef X
}

/* Events as they are in the database. */
static int export_events(struct zsr_db *db, const struct zsr_trace *t,
			 enum format format, const char *path,
			 struct zsr_err *err)
{
	struct zsr_unsaid unsaid;
	int ret = format == CSV ? zsr_export_csv(db, t, path, &unsaid, err)
				: zsr_export_ctf(db, t, path, &unsaid, err);

	if (!ret)
		warn_all(&unsaid);
	return ret;
}

/* ---- captures ------------------------------------------------------------ */

static int export_capture(struct zsr_db *db, const struct zsr_trace *t,
			  enum format format, const char *path,
			  struct zsr_err *err)
{
	struct zsr_capture_out *out;
	struct zsr_recording how;
	int ret = zsr_trace_recording(db, t, &how, err);

	if (!ret)
		ret = zsr_capture_create(
			&out, path,
			format == DAT ? ZSR_CAPTURE_DAT : ZSR_CAPTURE_TEXT, err);
	if (ret)
		return ret;
	ret = zsr_trace_records(db, t, &how, zsr_capture_sink(out), err);
	if (ret) {
		zsr_capture_abort(out);
		return ret;
	}
	ret = zsr_capture_finish(out, err);
	if (!ret)
		warn_all(&how.unsaid);
	return ret;
}

/* ---- timelines ----------------------------------------------------------- */

static enum zsr_timeline_format timeline_of(enum format format)
{
	return format == CHROME ? ZSR_TIMELINE_CHROME : ZSR_TIMELINE_PERFETTO;
}

static int export_timeline(struct zsr_db *db, const struct zsr_trace *t,
			   enum format format, const char *path,
			   struct zsr_err *err)
{
	char count[ZSR_FMT_LEN];
	uint64_t nr_crossing;
	int ret = zsr_export_trace(db, t, timeline_of(format), path,
				   &nr_crossing, err);

	if (!ret && nr_crossing)
		fprintf(stderr,
			"zsr export: %s calls are no slices but instants: they "
			"lie across others of their task\n",
			zsr_fmt_count(count, nr_crossing));
	return ret;
}

static int export_run(struct zsr_db *db, int64_t id, enum format format,
		      const char *path, struct zsr_err *err)
{
	struct zsr_run run;
	int ret;

	if (format != CHROME && format != PERFETTO)
		return zsr_err_usage(err,
				     "%s is for traces; runs go to chrome "
				     "and perfetto",
				     formats[format]);
	ret = zsr_run_load(db, id, &run, err);
	if (ret)
		return ret;
	ret = zsr_export_run(db, &run, timeline_of(format), path, err);
	zsr_run_free(&run);
	return ret;
}

static int export_one(struct zsr_db *db, const char *name, enum format format,
		      const char *path, struct zsr_err *err)
{
	struct zsr_trace t;
	int64_t id;
	int ret = zsr_cmd_run_id(name, &id, err);

	if (ret)
		return ret < 0 ? ret : export_run(db, id, format, path, err);
	ret = zsr_cmd_trace(db, name, &t, err);
	if (ret)
		return ret;
	if (format == CSV || format == CTF)
		return export_events(db, &t, format, path, err);
	if (format == CHROME || format == PERFETTO)
		return export_timeline(db, &t, format, path, err);
	return export_capture(db, &t, format, path, err);
}

static int export(const struct args *a, const char *name, enum format format,
		  struct zsr_err *err)
{
	struct zsr_db *db;
	struct zsr_err ignored = { 0 };
	unsigned flags = 0;
	int64_t id;
	int ret;

	if (!zsr_cmd_run_id(name, &id, &ignored))
		flags = zsr_cmd_trace_flags(name);
	ret = zsr_cmd_open_db(&db, "export", a->db,
			      flags ? flags : ZSR_DB_READONLY, err);
	if (ret)
		return ret;
	ret = export_one(db, name, format, a->output ? a->output : "-", err);
	zsr_db_close(db);
	return ret;
}

int zsr_cmd_export(int argc, const char **argv)
{
	struct args a = { 0 };
	const struct poptOption table[] = {
		{ "database", 'd', POPT_ARG_STRING, &a.db, 0,
		  "the database (default $ZSR_DB, else ./zsr.db)", "DB" },
		{ "format", 0, POPT_ARG_STRING, &a.format, 0,
		  "csv, ftrace, trace.dat, ctf, chrome or perfetto (default: "
		  "by FILE's ending)",
		  "FORMAT" },
		{ "output", 'o', POPT_ARG_STRING, &a.output, 0,
		  "where to (default: standard output); ctf: a directory",
		  "FILE" },
		POPT_TABLEEND
	};
	struct zsr_err err = { 0 };
	struct zsr_options o;
	enum format format;
	int ret;

	ret = zsr_options_parse(&o, argc, argv, table,
				"export TRACE|RUN [OPTION...]", &err);
	if (ret)
		return ret > 0 ? ZSR_EXIT_OK : zsr_cmd_fail("export", &err);
	if (o.nr_rest != 1)
		ret = zsr_err_usage(&err, "which TRACE or RUN? (one)");
	if (!ret)
		ret = choose(&a, &format, &err);
	if (!ret)
		ret = export(&a, o.rest[0], format, &err);
	zsr_options_free(&o);
	free(a.db);
	free(a.format);
	free(a.output);
	return ret ? zsr_cmd_fail("export", &err) : ZSR_EXIT_OK;
}
