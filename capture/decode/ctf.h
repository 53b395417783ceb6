/* SPDX-License-Identifier: GPL-2.0-only */
/* Private to capture/decode/ctf*.c: a CTF trace, read by libbabeltrace2. */
#ifndef ZSR_CAPTURE_DECODE_CTF_H
#define ZSR_CAPTURE_DECODE_CTF_H

#include <babeltrace2/babeltrace.h>

#include "capture/decode/names.h"

#define CTF_MAX_TRACES 64

enum ctf_scope {
	CTF_NOWHERE,
	CTF_PAYLOAD,
	CTF_SPECIFIC, /* the event's own context */
	CTF_COMMON, /* the context of all events of its stream */
};

struct ctf_field {
	uint16_t index; /* in the scope's structure */
	uint8_t scope; /* enum ctf_scope */
	uint8_t bytes; /* that hold any of its values */
	uint8_t role; /* enum dec_role */
	bool is_signed;
};

struct ctf_event {
	const bt_event_class *class;
	struct dec_shape shape;
	bool whole; /* of a probe on a function, entry and return */
	uint8_t nr; /* of args */
	struct ctf_field arg[DEC_NR_ROLES];
	struct ctf_field pid, comm, cpu, text;
};

struct ctf_stream {
	const bt_stream *stream;
	unsigned cpu; /* of the packet that it is at */
	bool has_cpu;
	uint64_t lost; /* before its next event */
	bool lost_here, lost_unknown;
};

struct ctf {
	struct dec *d;
	const char *name; /* of what is decoded, as messages say it */
	char *dirs[CTF_MAX_TRACES]; /* that hold the traces */
	unsigned nr_dirs;
	struct zsr_err *err; /* where the sink says what is wrong */
	bool failed; /* it did */

	struct ctf_event *events;
	size_t nr_events, cap_events;
	uint32_t *by_class; /* hash of class: index in events + 1, or 0 */
	unsigned hash_shift;
	struct ctf_stream *streams;
	size_t nr_streams, cap_streams, last_stream;
	struct dec_tasks tasks;
	struct ctf_told *told; /* NULL: there are no such events */
	char tracer[64];
	bool is_useful; /* an event means something */
	uint64_t last_ns;
};

/* ---- where traces are: ctf-find.c --------------------------------------- */

/* Fills c->dirs with those in DIRFD, which is c->name, and below it. */
int ctf_search(struct ctf *c, int dirfd, struct zsr_err *err);

/* ---- what events mean: ctf-event.c ------------------------------------ */

/* The event classes of CLASS's trace, unless they are known. */
int ctf_learn(struct ctf *c, const bt_trace_class *class, struct zsr_err *err);
const struct ctf_event *ctf_find(const struct ctf *c,
				 const bt_event_class *class);
/* Deliver one event. */
void ctf_emit(struct ctf *c, const struct ctf_event *ev, const bt_event *event,
	      uint64_t t_ns, unsigned cpu);
bool ctf_cpu_of(const struct ctf_event *ev, const bt_event *event,
		uint64_t *cpu);
/* None of its events is a call: why, and what to do. */
int ctf_no_arguments(const struct ctf *c, struct zsr_err *err);

/* ---- events of a whole trace: ctf-told.c ---------------------------------- */

/* Those of a class of streams, unless they are known. */
int ctf_told_learn(struct ctf *c, const bt_stream_class *class,
		   struct zsr_err *err);
/* Deliver one event; *ours: it is one of those. */
int ctf_told_emit(struct ctf *c, const bt_event *event, uint64_t t_ns,
		  unsigned cpu, bool after_loss, bool *ours,
		  struct zsr_err *err);
void ctf_told_end(struct ctf *c);

/* ---- the sink of the graph: ctf-sink.c --------------------------------- */

int ctf_message(struct ctf *c, const bt_message *msg, struct zsr_err *err);
/* After the last one: deliver what waits, and judge what there was. */
int ctf_messages_end(struct ctf *c, struct zsr_err *err);
void ctf_free(struct ctf *c);

#endif
