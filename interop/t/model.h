/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a timeline file says, read back with a library of its format: Chrome
 * JSON with jansson, Perfetto with protobuf-c. What their documentation asks of
 * a file is asked on the way.
 */
#ifndef ZSR_INTEROP_T_MODEL_H
#define ZSR_INTEROP_T_MODEL_H

#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "interop/perfetto.pb-c.h"
#include "interop/timeline.h"
#include "tests/check.h"

struct item {
	char phase; /* X, i, C */
	char track[64];
	char name[64];
	double begin_ns;
	double end_ns;
	double value;
	char args[512]; /* "name=value;..." */
};

struct model {
	struct item *item;
	size_t nr;
	size_t cap;
	char title[256];
	char *about;
};

/* (Every assertion is a message to the test's parent: none that holds.) */
#define want(expr)                                                             \
	do {                                                                   \
		if (!(expr))                                                   \
			ck_abort_msg("%s:%d: %s", __FILE__, __LINE__, #expr);  \
	} while (0)

static struct item *add_item(struct model *m, char phase)
{
	want(!zsr_grow(&m->item, &m->cap, m->nr + 1, sizeof(*m->item)));
	m->item[m->nr] = (struct item){ .phase = phase };
	return &m->item[m->nr++];
}

static void model_free(struct model *m)
{
	free(m->item);
	free(m->about);
}

/* ---- Chrome ------------------------------------------------------------------ */

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	if (!s)
		ck_abort_msg("no string %s", key);
	return s;
}

static double us_of(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	if (!json_is_real(v) || json_real_value(v) < 0)
		ck_abort_msg("no time %s", key);
	return json_real_value(v) * 1000;
}

static void json_args(FILE *f, json_t *args)
{
	const char *key;
	json_t *v;

	want(json_is_object(args));
	json_object_foreach(args, key, v)
	{
		if (json_is_string(v))
			fprintf(f, "%s=%s;", key, json_string_value(v));
		else
			fprintf(f, "%s=%" JSON_INTEGER_FORMAT ";", key,
				json_integer_value(v));
		want(json_is_string(v) || json_is_integer(v));
	}
}

static void chrome_meta(struct model *m, json_t *names, const json_t *e)
{
	const char *what = text_of(e, "name");
	json_t *args = json_object_get(e, "args");
	json_int_t tid = json_integer_value(json_object_get(e, "tid"));
	char key[32];

	if (!strcmp(what, "process_name")) {
		snprintf(m->title, sizeof(m->title), "%s",
			 text_of(args, "name"));
		return;
	}
	want(tid >= ZSR_TRACK_FIRST);
	snprintf(key, sizeof(key), "%lld", (long long)tid);
	if (!strcmp(what, "thread_sort_index")) {
		want(json_integer_value(json_object_get(args, "sort_index")) ==
		     tid);
		return;
	}
	want(!strcmp(what, "thread_name"));
	want(!json_object_get(names, key));
	json_object_set_new(names, key, json_string(text_of(args, "name")));
}

static void chrome_counter(struct item *it, const json_t *e)
{
	json_t *args = json_object_get(e, "args"), *v;

	want(json_object_size(args) == 1);
	v = json_object_iter_value(json_object_iter(args));
	want(json_is_integer(v));
	it->value = (double)json_integer_value(v);
	snprintf(it->track, sizeof(it->track), "%s", text_of(e, "name"));
}

static void chrome_event(struct model *m, json_t *names, json_t *e)
{
	const char *phase = text_of(e, "ph");
	struct item *it;
	char key[32];
	FILE *f;

	want(strlen(phase) == 1 && strchr("MXiC", *phase));
	want(json_integer_value(json_object_get(e, "pid")) == 1);
	if (*phase == 'M') {
		chrome_meta(m, names, e);
		return;
	}
	it = add_item(m, *phase);
	it->begin_ns = it->end_ns = us_of(e, "ts");
	if (*phase == 'C') {
		chrome_counter(it, e);
		return;
	}
	if (*phase == 'X')
		it->end_ns += us_of(e, "dur");
	else
		want(!strcmp(text_of(e, "s"), "t"));
	want(!strcmp(text_of(e, "cat"), "zsr"));
	snprintf(it->name, sizeof(it->name), "%s", text_of(e, "name"));
	snprintf(key, sizeof(key), "%lld",
		 (long long)json_integer_value(json_object_get(e, "tid")));
	snprintf(it->track, sizeof(it->track), "%s", text_of(names, key));
	f = fmemopen(it->args, sizeof(it->args), "w");
	json_args(f, json_object_get(e, "args"));
	fclose(f);
}

static struct model read_chrome(const char *path)
{
	json_error_t why;
	json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &why);
	json_t *names = json_object(), *e;
	struct model m = { 0 };
	size_t i, size;
	FILE *f = open_memstream(&m.about, &size);

	if (!root)
		ck_abort_msg("%s:%d: %s", path, why.line, why.text);
	want(!strcmp(text_of(root, "displayTimeUnit"), "ns"));
	json_args(f, json_object_get(root, "otherData"));
	fclose(f);
	json_array_foreach(json_object_get(root, "traceEvents"), i, e)
		chrome_event(&m, names, e);
	json_decref(names);
	json_decref(root);
	return m;
}

/* ---- Perfetto ----------------------------------------------------------------- */

#define MAX_TRACKS 256

struct reading {
	struct model m;
	const Perfetto__TrackDescriptor *track[MAX_TRACKS];
	size_t open[MAX_TRACKS]; /* item of its open slice, plus 1 */
};

static void pb_args(FILE *f, const Perfetto__TrackEvent *e)
{
	size_t i;

	for (i = 0; i < e->n_debug_annotations; i++) {
		const Perfetto__DebugAnnotation *a = e->debug_annotations[i];

		want(a->name && a->has_uint_value == !a->string_value);
		if (a->string_value)
			fprintf(f, "%s=%s;", a->name, a->string_value);
		else
			fprintf(f, "%s=%llu;", a->name,
				(unsigned long long)a->uint_value);
	}
}

static void pb_track(struct reading *r, const Perfetto__TrackDescriptor *t)
{
	want(t->has_uuid && t->uuid && t->uuid < MAX_TRACKS);
	want(t->name && !r->track[t->uuid]);
	r->track[t->uuid] = t;
	if (t->uuid == ZSR_TRACK_ROOT) {
		snprintf(r->m.title, sizeof(r->m.title), "%s", t->name);
		return;
	}
	want(t->has_parent_uuid && t->parent_uuid == ZSR_TRACK_ROOT);
	want(t->sibling_order_rank == (int32_t)t->uuid);
}

static void pb_end(struct reading *r, const Perfetto__TrackEvent *e,
		   uint64_t t_ns)
{
	size_t open = r->open[e->track_uuid];

	want(open && !e->name);
	r->open[e->track_uuid] = 0;
	r->m.item[open - 1].end_ns = (double)t_ns;
	want(r->m.item[open - 1].begin_ns <= (double)t_ns);
}

static void pb_about(struct reading *r, const Perfetto__TrackEvent *e)
{
	size_t size;
	FILE *f = open_memstream(&r->m.about, &size);

	want(e->type == PERFETTO__TRACK_EVENT__TYPE__INSTANT);
	pb_args(f, e);
	fclose(f);
}

static void pb_event(struct reading *r, const Perfetto__TrackEvent *e,
		     uint64_t t_ns)
{
	static const char phases[] = " X i C";
	bool counter = e->type == PERFETTO__TRACK_EVENT__TYPE__COUNTER;
	struct item *it;
	FILE *f;

	want(e->has_type && e->has_track_uuid && e->track_uuid < MAX_TRACKS);
	want(r->track[e->track_uuid]);
	want(counter == (r->track[e->track_uuid]->counter != NULL));
	want(counter == e->has_counter_value);
	if (e->type == PERFETTO__TRACK_EVENT__TYPE__SLICE_END) {
		pb_end(r, e, t_ns);
		return;
	}
	if (e->track_uuid == ZSR_TRACK_ROOT) {
		pb_about(r, e);
		return;
	}
	it = add_item(&r->m, counter        ? 'C'
			     : e->type == 1 ? 'X'
					    : phases[e->type]);
	it->begin_ns = it->end_ns = (double)t_ns;
	it->value = (double)e->counter_value;
	snprintf(it->track, sizeof(it->track), "%s",
		 r->track[e->track_uuid]->name);
	if (counter)
		return;
	want(e->name && e->n_categories == 1);
	snprintf(it->name, sizeof(it->name), "%s", e->name);
	f = fmemopen(it->args, sizeof(it->args), "w");
	pb_args(f, e);
	fclose(f);
	if (it->phase == 'X') {
		want(!r->open[e->track_uuid]);
		r->open[e->track_uuid] = r->m.nr;
	}
}

static void *slurp(const char *path, size_t *size)
{
	FILE *in = fopen(path, "r"), *out;
	char *buf = NULL;
	int c;

	want(in);
	out = open_memstream(&buf, size);
	while ((c = getc(in)) != EOF)
		putc(c, out);
	fclose(in);
	fclose(out);
	return buf;
}

static struct model read_perfetto(const char *path)
{
	struct reading r = { 0 };
	Perfetto__Trace *trace;
	size_t i, size;
	void *buf = slurp(path, &size);

	trace = perfetto__trace__unpack(NULL, size, buf);
	want(trace && trace->n_packet);
	for (i = 0; i < trace->n_packet; i++) {
		const Perfetto__TracePacket *p = trace->packet[i];

		want(p->base.n_unknown_fields == 0);
		want(p->trusted_packet_sequence_id);
		want(p->has_sequence_flags == !i);
		want(!p->track_descriptor == !!p->track_event);
		want(p->has_timestamp == !!p->track_event);
		if (p->track_event)
			pb_event(&r, p->track_event, p->timestamp);
		else
			pb_track(&r, p->track_descriptor);
	}
	for (i = 0; i < MAX_TRACKS; i++)
		want(!r.open[i]);
	perfetto__trace__free_unpacked(trace, NULL);
	free(buf);
	return r.m;
}

/* ---- both ----------------------------------------------------------------------- */

/* The decimals of a double end at 2^53. */
static bool same_time(double a, double b)
{
	return fabs(a - b) <= 0.5 + b / (double)(1ull << 51);
}

static void same_item(const struct item *a, const struct item *b)
{
	want(a->phase == b->phase);
	want(!strcmp(a->track, b->track));
	want(!strcmp(a->name, b->name));
	want(same_time(a->begin_ns, b->begin_ns));
	want(same_time(a->end_ns, b->end_ns));
	want(a->value == b->value);
	want(!strcmp(a->args, b->args));
}

static void same_model(const struct model *a, const struct model *b)
{
	size_t i;

	ck_assert_str_eq(a->title, b->title);
	ck_assert_str_eq(a->about, b->about);
	ck_assert_uint_eq(a->nr, b->nr);
	for (i = 0; i < a->nr; i++)
		same_item(&a->item[i], &b->item[i]);
}

/* Slices of a track do not overlap; neither they nor values go back. */
static void in_order(const struct model *m)
{
	struct {
		char name[64];
		double end_ns[2];
	} track[MAX_TRACKS];
	size_t i, k, nr = 0;

	for (i = 0; i < m->nr; i++) {
		const struct item *it = &m->item[i];

		for (k = 0; k < nr && strcmp(track[k].name, it->track); k++)
			;
		want(k < MAX_TRACKS);
		if (k == nr) {
			strcpy(track[nr].name, it->track);
			track[nr].end_ns[0] = track[nr].end_ns[1] = 0;
			nr++;
		}
		if (it->phase == 'i')
			continue;
		want(track[k].end_ns[it->phase == 'C'] <= it->begin_ns);
		track[k].end_ns[it->phase == 'C'] = it->end_ns;
	}
}

#endif
