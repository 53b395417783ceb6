// SPDX-License-Identifier: GPL-2.0-only
/*
 * Perfetto's protobuf: packets of one sequence, each written as a Trace of its
 * own, which together are one. No packet depends on another but through the
 * number of its track.
 */
#include <glib.h>
#include <stdlib.h>

#include "interop/perfetto.pb-c.h"
#include "interop/timeline.h"

#define SEQUENCE      1
#define STATE_CLEARED 1

static char category[] = "zsr";

/* S, or the valid form of it in *own, for g_free(). */
static char *text(const char *s, char **own)
{
	*own = zsr_utf8(s);
	return *own ? *own : (char *)s;
}

static void put_packet(struct zsr_timeline *tl, Perfetto__TracePacket *packet)
{
	Perfetto__Trace trace = PERFETTO__TRACE__INIT;
	size_t size;

	packet->has_trusted_packet_sequence_id = true;
	packet->trusted_packet_sequence_id = SEQUENCE;
	packet->has_sequence_flags = !tl->any;
	packet->sequence_flags = STATE_CLEARED;
	trace.n_packet = 1;
	trace.packet = &packet;
	size = perfetto__trace__get_packed_size(&trace);
	if (zsr_grow(&tl->buf, &tl->cap, size, 1)) {
		tl->nomem = true;
		return;
	}
	perfetto__trace__pack(&trace, tl->buf);
	fwrite(tl->buf, 1, size, tl->f);
	tl->any = true;
}

static void put_track(struct zsr_timeline *tl, Perfetto__TrackDescriptor *t,
		      const char *name)
{
	Perfetto__TracePacket packet = PERFETTO__TRACE_PACKET__INIT;
	char *own;

	t->has_uuid = true;
	t->name = text(name, &own);
	packet.track_descriptor = t;
	put_packet(tl, &packet);
	g_free(own);
}

static void track(struct zsr_timeline *tl, const struct zsr_track *from)
{
	Perfetto__TrackDescriptor t = PERFETTO__TRACK_DESCRIPTOR__INIT;
	Perfetto__CounterDescriptor counter = PERFETTO__COUNTER_DESCRIPTOR__INIT;

	t.uuid = from->id;
	t.has_parent_uuid = true;
	t.parent_uuid = ZSR_TRACK_ROOT;
	t.has_sibling_order_rank = true;
	t.sibling_order_rank = (int32_t)zsr_min(from->id, INT32_MAX);
	if (from->counts != ZSR_UNIT_NONE) {
		counter.has_unit = true;
		counter.unit =
			from->counts == ZSR_UNIT_BYTES
				? PERFETTO__COUNTER_DESCRIPTOR__UNIT__SIZE_BYTES
				: PERFETTO__COUNTER_DESCRIPTOR__UNIT__COUNT;
		t.counter = &counter;
	}
	put_track(tl, &t, from->name);
}

/* An event without args. */
static void put_event(struct zsr_timeline *tl, uint64_t t_ns,
		      Perfetto__TrackEvent__Type type, uint64_t id,
		      Perfetto__TrackEvent *event)
{
	Perfetto__TracePacket packet = PERFETTO__TRACE_PACKET__INIT;

	event->has_type = true;
	event->type = type;
	event->has_track_uuid = true;
	event->track_uuid = id;
	packet.has_timestamp = true;
	packet.timestamp = t_ns;
	packet.track_event = event;
	put_packet(tl, &packet);
}

/* Args as annotations; their valid texts are own's, two each. */
static void annotate(Perfetto__DebugAnnotation *note, char **own,
		     const struct zsr_arg *arg)
{
	perfetto__debug_annotation__init(note);
	note->name = text(arg->name, &own[0]);
	if (arg->text) {
		note->string_value = text(arg->text, &own[1]);
		return;
	}
	note->has_uint_value = true;
	note->uint_value = arg->number;
}

/* A slice's begin, or an instant. */
static void put_named(struct zsr_timeline *tl, const struct zsr_happening *h,
		      uint64_t id, Perfetto__TrackEvent__Type type)
{
	Perfetto__TrackEvent event = PERFETTO__TRACK_EVENT__INIT;
	Perfetto__DebugAnnotation *note = calloc(h->nr_args + 1, sizeof(*note));
	Perfetto__DebugAnnotation **notes = calloc(h->nr_args + 1,
						   sizeof(*notes));
	char **own = calloc(2 * h->nr_args + 1, sizeof(*own));
	char *categories[] = { category };
	size_t i;

	if (!note || !notes || !own) {
		tl->nomem = true;
		goto out;
	}
	for (i = 0; i < h->nr_args; i++) {
		annotate(&note[i], &own[2 * i], &h->arg[i]);
		notes[i] = &note[i];
	}
	event.n_debug_annotations = h->nr_args;
	event.debug_annotations = notes;
	event.n_categories = 1;
	event.categories = categories;
	event.name = text(h->name, &own[2 * h->nr_args]);
	put_event(tl, h->begin_ns, type, id, &event);
	for (i = 0; i < 2 * h->nr_args + 1; i++)
		g_free(own[i]);
out:
	free(note);
	free(notes);
	free(own);
}

/* The facts are an instant of the track all others lie in. */
static void begin(struct zsr_timeline *tl, const char *title,
		  const struct zsr_arg *about, size_t nr)
{
	Perfetto__TrackDescriptor root = PERFETTO__TRACK_DESCRIPTOR__INIT;
	const struct zsr_happening h = { .name = "about",
					 .arg = about,
					 .nr_args = nr };

	root.uuid = ZSR_TRACK_ROOT;
	root.has_child_ordering = true;
	root.child_ordering = PERFETTO__TRACK_DESCRIPTOR__ORDERING__EXPLICIT;
	put_track(tl, &root, title);
	put_named(tl, &h, ZSR_TRACK_ROOT, PERFETTO__TRACK_EVENT__TYPE__INSTANT);
}

static void slice(struct zsr_timeline *tl, const struct zsr_happening *h)
{
	Perfetto__TrackEvent event = PERFETTO__TRACK_EVENT__INIT;

	put_named(tl, h, h->track->id, PERFETTO__TRACK_EVENT__TYPE__SLICE_BEGIN);
	put_event(tl, h->end_ns, PERFETTO__TRACK_EVENT__TYPE__SLICE_END,
		  h->track->id, &event);
}

static void instant(struct zsr_timeline *tl, const struct zsr_happening *h)
{
	put_named(tl, h, h->track->id, PERFETTO__TRACK_EVENT__TYPE__INSTANT);
}

static void value(struct zsr_timeline *tl, const struct zsr_track *t,
		  uint64_t t_ns, uint64_t number)
{
	Perfetto__TrackEvent event = PERFETTO__TRACK_EVENT__INIT;

	event.has_counter_value = true;
	event.counter_value = (int64_t)number;
	put_event(tl, t_ns, PERFETTO__TRACK_EVENT__TYPE__COUNTER, t->id, &event);
}

static void end(struct zsr_timeline *tl)
{
}

const struct zsr_timeline_ops zsr_perfetto_ops = {
	.begin = begin,
	.track = track,
	.slice = slice,
	.instant = instant,
	.value = value,
	.end = end,
};
