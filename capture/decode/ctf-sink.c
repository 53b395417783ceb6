// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of the graph: messages of all streams in order of time. Streams tell
 * what their trace is about, packets their CPU, and what was discarded goes
 * before the stream's next event.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "capture/decode/ctf.h"

/* ---- facts --------------------------------------------------------------- */

static void fact(struct ctf *c, const char *key, const char *value)
{
	struct dec *d = c->d;

	if (!strcmp(key, "kernel_release") || !strcmp(key, "release")) {
		if (d->have_release || !isdigit((unsigned char)*value) ||
		    strchr(value, ' '))
			return;
		dec_out_meta(d->out, "kernel.release", value);
		d->have_release = true;
	} else if (!strcmp(key, "machine") || !strcmp(key, "architecture")) {
		dec_out_meta(d->out, "arch", value);
	} else if (!strcmp(key, "tracer_name")) {
		snprintf(c->tracer, sizeof(c->tracer), "%s", value);
		dec_out_meta(d->out, "tracer", value);
	} else if (!strcmp(key, "domain")) {
		dec_out_meta(d->out, "domain", value);
	}
}

/* Not the host's name: that is nobody's business. */
static void facts(struct ctf *c, const bt_trace *trace)
{
	uint64_t i, n = bt_trace_get_environment_entry_count(trace);

	for (i = 0; i < n; i++) {
		const bt_value *v;
		const char *key;

		bt_trace_borrow_environment_entry_by_index_const(trace, i, &key,
								 &v);
		if (bt_value_get_type(v) == BT_VALUE_TYPE_STRING)
			fact(c, key, bt_value_string_get(v));
	}
}

static int clock_of(struct ctf *c, const bt_stream_class *class,
		    struct zsr_err *err)
{
	const bt_clock_class *clock =
		bt_stream_class_borrow_default_clock_class_const(class);
	const char *name;

	if (!clock)
		return zsr_err_input(err, "its events have no time: no clock");
	name = bt_clock_class_get_name(clock);
	if (name)
		dec_out_meta(c->d->out, "clock", name);
	return 0;
}

/* ---- streams ------------------------------------------------------------- */

static struct ctf_stream *stream_of(struct ctf *c, const bt_stream *stream)
{
	size_t i;

	if (c->last_stream < c->nr_streams &&
	    c->streams[c->last_stream].stream == stream)
		return &c->streams[c->last_stream];
	for (i = 0; i < c->nr_streams; i++) {
		if (c->streams[i].stream != stream)
			continue;
		c->last_stream = i;
		return &c->streams[i];
	}
	return NULL;
}

static int stream_begins(struct ctf *c, const bt_stream *stream,
			 struct zsr_err *err)
{
	const bt_stream_class *class = bt_stream_borrow_class_const(stream);
	int ret;

	facts(c, bt_stream_borrow_trace_const(stream));
	ret = clock_of(c, class, err);
	if (!ret)
		ret = ctf_learn(
			c, bt_stream_class_borrow_trace_class_const(class), err);
	if (!ret)
		ret = ctf_told_learn(c, class, err);
	if (ret)
		return ret;
	if (zsr_grow(&c->streams, &c->cap_streams, c->nr_streams + 1,
		     sizeof(*c->streams)))
		return zsr_err_nomem(err, "streams");
	c->streams[c->nr_streams++] = (struct ctf_stream){ .stream = stream };
	return 0;
}

static void deliver_lost(struct ctf *c, struct ctf_stream *s, uint64_t t_ns)
{
	if (!s->lost_here)
		return;
	if (s->lost)
		dec_lost(c->d, t_ns, s->cpu, s->lost);
	if (s->lost_unknown)
		dec_lost(c->d, t_ns, s->cpu, 0);
	s->lost = 0;
	s->lost_here = s->lost_unknown = false;
}

static int set_cpu(struct ctf_stream *s, uint64_t cpu, struct zsr_err *err)
{
	if (cpu >= DEC_MAX_CPUS)
		return zsr_err_input(err, "cpu %" PRIu64 " is out of range",
				     cpu);
	s->cpu = (unsigned)cpu;
	return 0;
}

static int packet_begins(struct ctf *c, const bt_packet *packet,
			 struct zsr_err *err)
{
	struct ctf_stream *s = stream_of(c,
					 bt_packet_borrow_stream_const(packet));
	const bt_field *in = bt_packet_borrow_context_field_const(packet);
	const bt_field *cpu;

	if (!s || !in)
		return 0;
	cpu = bt_field_structure_borrow_member_field_by_name_const(in,
								   "cpu_id");
	if (!cpu ||
	    !bt_field_class_type_is(bt_field_get_class_type(cpu),
				    BT_FIELD_CLASS_TYPE_UNSIGNED_INTEGER))
		return 0;
	s->has_cpu = true;
	return set_cpu(s, bt_field_integer_unsigned_get_value(cpu), err);
}

static void discarded(struct ctf *c, const bt_stream *stream,
		      bt_property_availability counted, uint64_t n)
{
	struct ctf_stream *s = stream_of(c, stream);

	if (!s)
		return;
	s->lost_here = true;
	if (counted == BT_PROPERTY_AVAILABILITY_AVAILABLE)
		s->lost += n;
	else
		s->lost_unknown = true;
}

/* ---- events -------------------------------------------------------------- */

static int event(struct ctf *c, const bt_message *msg, struct zsr_err *err)
{
	const bt_event *e = bt_message_event_borrow_event_const(msg);
	const bt_event_class *class = bt_event_borrow_class_const(e);
	struct ctf_stream *s = stream_of(c, bt_event_borrow_stream_const(e));
	const struct ctf_event *ev = ctf_find(c, class);
	uint64_t cpu;
	int64_t t_ns;
	bool told = false;
	int ret = 0;

	if (!s || !ev)
		return zsr_err_input(err, "an event of a stream that has not "
					  "begun");
	if (bt_clock_snapshot_get_ns_from_origin(
		    bt_message_event_borrow_default_clock_snapshot_const(msg),
		    &t_ns) != BT_CLOCK_SNAPSHOT_GET_NS_FROM_ORIGIN_STATUS_OK ||
	    t_ns < 0)
		return zsr_err_input(err, "event %s: its time is out of range",
				     bt_event_class_get_name(class));
	if (!s->has_cpu && ctf_cpu_of(ev, e, &cpu))
		ret = set_cpu(s, cpu, err);
	if (ret)
		return ret;
	c->last_ns = (uint64_t)t_ns;
	if (c->told) {
		ret = ctf_told_emit(c, e, c->last_ns, s->cpu, s->lost_here,
				    &told, err);
		if (!ret && !told && ev->shape.kind != ZSR_REC_OTHER)
			ret = zsr_err_input(err,
					    "event %s: of a probe, among events"
					    " of a whole trace",
					    bt_event_class_get_name(class));
		s->lost_here = false;
		return ret;
	}
	deliver_lost(c, s, c->last_ns);
	ctf_emit(c, ev, e, c->last_ns, s->cpu);
	return 0;
}

int ctf_message(struct ctf *c, const bt_message *msg, struct zsr_err *err)
{
	bt_property_availability counted;
	struct ctf_stream *s;
	uint64_t n = 0;

	switch (bt_message_get_type(msg)) {
	case BT_MESSAGE_TYPE_EVENT:
		return event(c, msg, err);
	case BT_MESSAGE_TYPE_STREAM_BEGINNING:
		return stream_begins(
			c, bt_message_stream_beginning_borrow_stream_const(msg),
			err);
	case BT_MESSAGE_TYPE_PACKET_BEGINNING:
		return packet_begins(
			c, bt_message_packet_beginning_borrow_packet_const(msg),
			err);
	case BT_MESSAGE_TYPE_STREAM_END:
		s = stream_of(c, bt_message_stream_end_borrow_stream_const(msg));
		if (s && !c->told)
			deliver_lost(c, s, c->last_ns);
		return 0;
	case BT_MESSAGE_TYPE_DISCARDED_EVENTS:
		counted = bt_message_discarded_events_get_count(msg, &n);
		discarded(c,
			  bt_message_discarded_events_borrow_stream_const(msg),
			  counted, n);
		return 0;
	case BT_MESSAGE_TYPE_DISCARDED_PACKETS:
		/* How many events were in them is not known. */
		discarded(c,
			  bt_message_discarded_packets_borrow_stream_const(msg),
			  BT_PROPERTY_AVAILABILITY_NOT_AVAILABLE, 0);
		return 0;
	default:
		return 0;
	}
}

int ctf_messages_end(struct ctf *c, struct zsr_err *err)
{
	ctf_told_end(c);
	return c->is_useful ? 0 : ctf_no_arguments(c, err);
}

void ctf_free(struct ctf *c)
{
	unsigned i;

	for (i = 0; i < c->nr_dirs; i++)
		free(c->dirs[i]);
	free(c->events);
	free(c->by_class);
	free(c->streams);
	free(c->told);
	free(c);
}
