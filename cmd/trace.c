// SPDX-License-Identifier: GPL-2.0-only
/* TRACE arguments: names, and captures that are imported on the way. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/capture.h"
#include "cmd/cmd.h"
#include "cmd/packs.h"

#define NAME_MAX_LEN 100 /* bytes */

static void on_wait(void *ctx, const char *path)
{
	fprintf(stderr,
		"zsr %s: waiting for another process that writes to %s\n",
		(const char *)ctx, path);
}

int zsr_cmd_open_db(struct zsr_db **db, const char *name, const char *option,
		    unsigned flags, struct zsr_err *err)
{
	int ret = zsr_db_open(db, zsr_db_path(option), flags, err);

	if (!ret)
		zsr_db_on_wait(*db, on_wait, (void *)name);
	return ret;
}

/* ---- names ------------------------------------------------------------- */

/* The last part of PATH without its extension; a folder keeps its dots. */
static void stem_of(const char *path, bool folder, char *buf, size_t size)
{
	size_t len = strlen(path), start;
	char *dot;

	while (len > 1 && path[len - 1] == '/')
		len--;
	for (start = len; start > 0 && path[start - 1] != '/'; start--)
		;
	snprintf(buf, size, "%.*s", (int)zsr_min(len - start, size - 1),
		 path + start);
	dot = strrchr(buf, '.');
	if (!folder && dot && dot != buf)
		*dot = '\0';
}

static void default_name(const char *path, char *buf, size_t size)
{
	struct stat st;
	char *whole;
	bool folder;

	if (!strcmp(path, "-")) {
		snprintf(buf, size, "stdin");
		return;
	}
	/* "." and ".." have names too. */
	whole = realpath(path, NULL);
	if (!whole) {
		stem_of(path, false, buf, size);
		return;
	}
	folder = !stat(whole, &st) && S_ISDIR(st.st_mode);
	stem_of(folder ? whole : path, folder, buf, size);
	if (!folder && !strcmp(buf, "trace") && strrchr(whole, '/') != whole) {
		*strrchr(whole, '/') = '\0';
		stem_of(whole, true, buf, size);
	}
	free(whole);
}

static bool is_utf8(const char *s)
{
	json_t *j = json_string(s);

	json_decref(j);
	return j != NULL;
}

static bool has_controls(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 127)
			return true;
	return false;
}

/* #N and N are runs, "-" is standard input. */
int zsr_cmd_check_name(const char *name, struct zsr_err *err)
{
	const char *why = NULL;

	if (strlen(name) > NAME_MAX_LEN)
		return zsr_err_usage(err, "--name: %zu bytes, %d are allowed",
				     strlen(name), NAME_MAX_LEN);
	if (!*name || *name == '#' || !strcmp(name, "-"))
		why = "is no name for a trace";
	else if (!name[strspn(name, "0123456789")])
		why = "would be taken for the number of a run";
	else if (has_controls(name) || !is_utf8(name))
		why = "has control characters, or is no UTF-8";
	return why ? zsr_err_usage(err, "--name '%s' %s", name, why) : 0;
}

/* The name of a file as one for a trace. */
static void printable(char *name, size_t size)
{
	size_t len = strlen(name), cut;
	bool text = is_utf8(name);
	char *p;

	/* It may have been cut within a character. */
	for (cut = 1; !text && len + 1 == size && cut < 4; cut++) {
		char last = name[len - cut];

		name[len - cut] = '\0';
		text = is_utf8(name);
		if (!text)
			name[len - cut] = last;
	}
	for (p = name; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 127 || *p == '#' ||
		    (!text && (unsigned char)*p > 127))
			*p = '_';
	len = strlen(name);
	if (len && !name[strspn(name, "0123456789")]) {
		memmove(name + 1, name, zsr_min(len, size - 2));
		*name = '_';
		name[zsr_min(len + 1, size - 1)] = '\0';
	}
}

/* ---- importing ------------------------------------------------------------ */

/* The import's sink behind one that shows progress. */
struct shown {
	struct zsr_sink *to;
	struct zsr_progress progress;
	uint64_t done;
};

static int shown_recs(void *ctx, const struct zsr_rec *recs, size_t n,
		      struct zsr_err *err)
{
	struct shown *s = ctx;

	s->done += n;
	zsr_progress_at(&s->progress, s->done);
	return s->to->recs(s->to->ctx, recs, n, err);
}

static int shown_mark(void *ctx, const struct zsr_rec *rec, const char *text,
		      struct zsr_err *err)
{
	struct shown *s = ctx;

	return s->to->mark(s->to->ctx, rec, text, err);
}

static int shown_task(void *ctx, int32_t pid, const char *comm,
		      struct zsr_err *err)
{
	struct shown *s = ctx;

	return s->to->task(s->to->ctx, pid, comm, err);
}

static int shown_meta(void *ctx, const char *key, const char *value,
		      struct zsr_err *err)
{
	struct shown *s = ctx;

	return s->to->meta(s->to->ctx, key, value, err);
}

static int shown_events(void *ctx, const struct zsr_event *ev, size_t n,
			struct zsr_err *err)
{
	struct shown *s = ctx;

	s->done += n;
	zsr_progress_at(&s->progress, s->done);
	return s->to->events(s->to->ctx, ev, n, err);
}

static int decode(struct zsr_decoder *d, const char *path,
		  struct zsr_import *imp, struct zsr_err *err)
{
	struct shown shown = { .to = zsr_import_sink(imp) };
	struct zsr_sink sink = {
		.ctx = &shown,
		.recs = shown_recs,
		.mark = shown_mark,
		.task = shown_task,
		.meta = shown_meta,
		.events = shown_events,
	};
	int ret;

	zsr_progress_start(&shown.progress, path, "records", 0);
	ret = zsr_decode_finish(d, &sink, err);
	zsr_progress_finish(&shown.progress);
	return ret;
}

int zsr_cmd_decode_start(const char *path, const struct zsr_decode_opts *opts,
			 struct zsr_decoder **d, struct zsr_err *err)
{
	struct zsr_pack *p;
	int ret = zsr_cmd_pack_open(path, &p, err);

	*d = NULL;
	zsr_pack_close(p);
	return ret ? zsr_min(ret, 0) : zsr_decode_start(path, opts, d, err);
}

/* What a capture may leave open a pack says itself. */
static int import_pack(struct zsr_db *db, const char *path,
		       const struct zsr_import_opts *o,
		       struct zsr_imported *out, struct zsr_err *err)
{
	struct zsr_pack *p;
	int ret = zsr_cmd_pack_open(path, &p, err);

	if (!ret)
		return zsr_err_input(err, "%s: it changed while it was read",
				     path);
	if (ret > 0 &&
	    (o->kernel || o->page_size || o->chain_size || o->times_given))
		ret = zsr_err_usage(err,
				    "%s: a pack says its kernel, page and "
				    "chain size and times itself",
				    path);
	if (ret >= 0)
		ret = zsr_cmd_pack_import(p, db, o->name, o->force, out, err);
	zsr_pack_close(p);
	return ret;
}

int zsr_cmd_import_file(struct zsr_db *db, const char *path,
			struct zsr_decoder *d,
			const struct zsr_import_opts *opts, bool known_is_fine,
			struct zsr_imported *out, struct zsr_err *err)
{
	struct zsr_import_opts o = *opts;
	uint64_t start = zsr_clock_ns();
	struct zsr_import *imp;
	char name[100];
	int ret;

	memset(out, 0, sizeof(*out));
	if (!d) {
		ret = import_pack(db, path, opts, out, err);
		if (ret != -EEXIST || !known_is_fine)
			return ret;
		*err = (struct zsr_err){ 0 };
		return 0;
	}
	if (!o.name) {
		default_name(path, name, sizeof(name));
		printable(name, sizeof(name));
		o.name = name;
	}
	ret = zsr_import_begin(db, &o, &imp, err);
	if (ret) {
		zsr_decode_cancel(d);
		return ret;
	}
	ret = decode(d, path, imp, err);
	if (ret)
		zsr_import_abort(imp);
	else
		ret = zsr_import_finish(imp, &out->trace, &out->odd, err);
	out->spent_ns = zsr_clock_ns() - start;
	if (ret == -EEXIST && known_is_fine) {
		out->known = true;
		*err = (struct zsr_err){ 0 };
		return 0;
	}
	/* The decoder's errors begin with the path. */
	if (ret && strncmp(err->msg, path, strlen(path)))
		return zsr_err_wrap(err, ret, "%s", path);
	return ret;
}

unsigned zsr_cmd_trace_flags(const char *arg)
{
	return !strcmp(arg, "-") || !access(arg, F_OK) ? ZSR_DB_CREATE : 0;
}

int zsr_cmd_trace(struct zsr_db *db, const char *arg, struct zsr_trace *t,
		  struct zsr_err *err)
{
	const struct zsr_import_opts opts = { 0 };
	struct zsr_imported imported;
	struct zsr_decoder *d;
	int ret = zsr_trace_find(db, arg, t, err);

	if (!ret || (strcmp(arg, "-") && access(arg, F_OK)))
		return ret;
	*err = (struct zsr_err){ 0 };
	ret = zsr_cmd_decode_start(arg, NULL, &d, err);
	if (!ret)
		ret = zsr_cmd_import_file(db, arg, d, &opts, true, &imported,
					  err);
	if (ret)
		return ret;
	*t = imported.trace;
	fprintf(stderr, "%s %s '%s'%s\n", arg,
		imported.known ? "is known as" : "imported as", t->name,
		imported.known || !d ? ""
				     : "; its times are taken for hardware's "
				       "(`zsr import --times` says otherwise)");
	return 0;
}

json_t *zsr_trace_json(const struct zsr_trace *t)
{
	return json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:b, s:b, s:b, "
		"s:b, s:b, s:i, s:i, s:i, s:I, s:I, s:I, s:I}",
		"name", t->name, "digest", t->digest, "kernel", t->kernel,
		"lock_gen", t->lock_gen, "format", t->format, "clock", t->clock,
		"times", zsr_times_name(t->times), "page_size",
		(int)t->page_size, "chain_size", (int)t->chain_size,
		"kernel_inferred", t->fact_flags & ZSR_INFERRED_KERNEL ? 1 : 0,
		"page_size_inferred",
		t->fact_flags & ZSR_INFERRED_PAGE_SIZE ? 1 : 0,
		"chain_size_inferred",
		t->fact_flags & ZSR_INFERRED_CHAIN_SIZE ? 1 : 0, "from_empty",
		t->from_empty, "has_dur", t->has_dur, "cpus", (int)t->nr_cpus,
		"tasks", (int)t->nr_tasks, "pools", (int)t->nr_pools, "events",
		(json_int_t)t->nr_events, "mallocs", (json_int_t)t->nr_mallocs,
		"frees", (json_int_t)t->nr_frees, "duration_ns",
		(json_int_t)t->duration_ns);
}
