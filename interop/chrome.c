// SPDX-License-Identifier: GPL-2.0-only
/*
 * Chrome's Trace Event Format, as a JSON object: one process, a thread a track.
 * Times are in us there; the third decimal is ns.
 */
#include <glib.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "interop/timeline.h"

#define PROCESS 1
/* Readers in JavaScript have doubles for numbers. */
#define MAX_EXACT (1ull << 53)

static const char *const units[] = {
	[ZSR_UNIT_BYTES] = "bytes",
	[ZSR_UNIT_PAGES] = "pages",
	[ZSR_UNIT_ENTRIES] = "entries",
};

static bool is_plain(const char *s)
{
	for (; *s; s++)
		if (*s < ' ' || *s > '~' || *s == '"' || *s == '\\')
			return false;
	return true;
}

static void put_string(struct zsr_timeline *tl, const char *s)
{
	char *valid;
	json_t *j;

	if (is_plain(s)) {
		fprintf(tl->f, "\"%s\"", s);
		return;
	}
	valid = zsr_utf8(s);
	j = json_string(valid ? valid : s);
	if (j)
		json_dumpf(j, tl->f, JSON_ENCODE_ANY);
	else
		tl->nomem = true;
	json_decref(j);
	g_free(valid);
}

static void put_time(struct zsr_timeline *tl, const char *key, uint64_t ns)
{
	fprintf(tl->f, ",\"%s\":%" PRIu64 ".%03u", key, ns / 1000,
		(unsigned)(ns % 1000));
}

static void put_args(struct zsr_timeline *tl, const struct zsr_arg *arg,
		     size_t nr)
{
	size_t i;

	putc('{', tl->f);
	for (i = 0; i < nr; i++) {
		if (i)
			putc(',', tl->f);
		put_string(tl, arg[i].name);
		putc(':', tl->f);
		if (arg[i].text)
			put_string(tl, arg[i].text);
		else
			fprintf(tl->f,
				arg[i].number <= MAX_EXACT ? "%" PRIu64
							   : "\"%" PRIu64 "\"",
				arg[i].number);
	}
	putc('}', tl->f);
}

static void begin_event(struct zsr_timeline *tl, const char *phase,
			const char *name)
{
	fputs(tl->any ? ",\n" : "\n", tl->f);
	tl->any = true;
	fprintf(tl->f, "{\"ph\":\"%s\",\"pid\":%d,\"name\":", phase, PROCESS);
	put_string(tl, name);
}

static void end_event(struct zsr_timeline *tl, const struct zsr_arg *arg,
		      size_t nr)
{
	fputs(",\"args\":", tl->f);
	put_args(tl, arg, nr);
	putc('}', tl->f);
}

static void begin(struct zsr_timeline *tl, const char *title,
		  const struct zsr_arg *about, size_t nr)
{
	const struct zsr_arg name = { "name", title, 0 };

	fputs("{\"displayTimeUnit\":\"ns\",\n\"otherData\":", tl->f);
	put_args(tl, about, nr);
	fputs(",\n\"traceEvents\":[", tl->f);
	begin_event(tl, "M", "process_name");
	end_event(tl, &name, 1);
}

/* Counters are told apart by their name. */
static void track(struct zsr_timeline *tl, const struct zsr_track *t)
{
	const struct zsr_arg name = { "name", t->name, 0 };
	const struct zsr_arg place = { "sort_index", NULL, t->id };

	if (t->counts != ZSR_UNIT_NONE)
		return;
	begin_event(tl, "M", "thread_name");
	fprintf(tl->f, ",\"tid\":%" PRIu64, t->id);
	end_event(tl, &name, 1);
	begin_event(tl, "M", "thread_sort_index");
	fprintf(tl->f, ",\"tid\":%" PRIu64, t->id);
	end_event(tl, &place, 1);
}

static void slice(struct zsr_timeline *tl, const struct zsr_happening *h)
{
	begin_event(tl, "X", h->name);
	fprintf(tl->f, ",\"cat\":\"zsr\",\"tid\":%" PRIu64, h->track->id);
	put_time(tl, "ts", h->begin_ns);
	put_time(tl, "dur", h->end_ns - h->begin_ns);
	end_event(tl, h->arg, h->nr_args);
}

static void instant(struct zsr_timeline *tl, const struct zsr_happening *h)
{
	begin_event(tl, "i", h->name);
	fprintf(tl->f, ",\"cat\":\"zsr\",\"s\":\"t\",\"tid\":%" PRIu64,
		h->track->id);
	put_time(tl, "ts", h->begin_ns);
	end_event(tl, h->arg, h->nr_args);
}

static void value(struct zsr_timeline *tl, const struct zsr_track *t,
		  uint64_t t_ns, uint64_t number)
{
	begin_event(tl, "C", t->name);
	put_time(tl, "ts", t_ns);
	fprintf(tl->f, ",\"args\":{\"%s\":%" PRIu64 "}}", units[t->counts],
		number);
}

static void end(struct zsr_timeline *tl)
{
	fputs("\n]}\n", tl->f);
}

const struct zsr_timeline_ops zsr_chrome_ops = {
	.begin = begin,
	.track = track,
	.slice = slice,
	.instant = instant,
	.value = value,
	.end = end,
};
