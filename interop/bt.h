/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A trace of a database as messages of a babeltrace2 graph: what zsr-export(1)
 * hands to sink.ctf.fs, and source.zsr.db to any graph. Private to interop/ and
 * the plug-in.
 *
 * bt-class.c: the trace and its classes; bt-messages.c: the messages, in order;
 * bt-source.c: what the library calls.
 */
#ifndef ZSR_INTEROP_BT_H
#define ZSR_INTEROP_BT_H

#include <babeltrace2/babeltrace.h>

#include "interop/interop.h"
#include "interop/names.h"

/* What a field says; a class of events has some of them, in this order. */
enum zsr_bt_field {
	ZSR_BT_DUR,
	ZSR_BT_POOL,
	ZSR_BT_OBJ,
	ZSR_BT_SIZE,
	ZSR_BT_CALLER,
	ZSR_BT_SLOT,
	ZSR_BT_CGROUP,
	ZSR_BT_GFP,
	ZSR_BT_FLAGS,
	ZSR_BT_AUX,
	ZSR_BT_FIELDS
};

struct zsr_bt_event_class {
	bt_event_class *class;
	uint32_t has; /* bit per field */
};

struct zsr_bt_fact {
	char *key, *value;
};

/* An output port: a trace, or a part of it. */
struct zsr_bt_trace {
	struct zsr_db *db; /* not its own */
	struct zsr_trace t;
	uint64_t begin_ns, end_ns; /* events from .. to just before */
	struct zsr_names names;
	struct zsr_recording how;
	struct zsr_bt_fact *fact;
	size_t nr_facts, cap_facts;
	struct zsr_err err; /* what went wrong last */

	bt_trace_class *trace_class;
	bt_trace *trace;
	bt_clock_class *clock;
	bool one_stream; /* else one for each CPU */
	bt_stream_class *facts_class, *events_class;
	bt_event_class *fact_class;
	/* Of each kind: with its usual fields, and with all of them. */
	struct zsr_bt_event_class usual[ZSR_EV_NR], full[ZSR_EV_NR];
	bt_stream *facts;
	bt_stream **stream; /* by CPU */
};

/* A component COMP is needed to make classes, and must outlive them. */
int zsr_bt_trace_open(struct zsr_bt_trace **to, bt_self_component *comp,
		      struct zsr_db *db, const struct zsr_trace *t,
		      uint64_t begin_ns, uint64_t end_ns, struct zsr_err *err);
void zsr_bt_trace_close(struct zsr_bt_trace *b); /* NULL is allowed */
bt_stream *zsr_bt_stream(struct zsr_bt_trace *b, unsigned cpu);

struct zsr_bt_messages;
int zsr_bt_messages_open(struct zsr_bt_messages **to, struct zsr_bt_trace *b,
			 bt_self_message_iterator *self, struct zsr_err *err);
void zsr_bt_messages_close(struct zsr_bt_messages *m);
/* From the first message on; events from FROM_NS. */
int zsr_bt_messages_rewind(struct zsr_bt_messages *m, uint64_t from_ns,
			   struct zsr_err *err);
/* The next message: 1, 0 at the end, or -errno. */
int zsr_bt_messages_next(struct zsr_bt_messages *m, const bt_message **msg,
			 struct zsr_err *err);

/* The methods of a source with ports of such traces. */
bt_message_iterator_class_initialize_method_status zsr_bt_iterator_init(
	bt_self_message_iterator *self,
	bt_self_message_iterator_configuration *c,
	bt_self_component_port_output *port);
void zsr_bt_iterator_finalize(bt_self_message_iterator *self);
bt_message_iterator_class_next_method_status zsr_bt_iterator_next(
	bt_self_message_iterator *self, bt_message_array_const msgs,
	uint64_t capacity, uint64_t *count);
bt_message_iterator_class_seek_beginning_method_status zsr_bt_iterator_rewind(
	bt_self_message_iterator *self);
bt_message_iterator_class_seek_ns_from_origin_method_status zsr_bt_iterator_seek(
	bt_self_message_iterator *self, int64_t ns);
bt_message_iterator_class_can_seek_ns_from_origin_method_status
zsr_bt_iterator_can_seek(bt_self_message_iterator *self, int64_t ns,
			 bt_bool *can);

#endif
