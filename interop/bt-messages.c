// SPDX-License-Identifier: GPL-2.0-only
/*
 * A trace's messages in order of time, one at a time: the facts, which have a
 * stream without packets, then events. Packets and losses are put so that CTF
 * 1.8 can tell them: what was discarded lies between two packets and reaches
 * to the end of the second, so an event behind a loss has a packet of its own.
 */
#include <stdlib.h>
#include <string.h>

#include "interop/bt.h"

#define PACKET_EVENTS 2048

struct cpu {
	bt_packet *packet; /* NULL: none is open */
	unsigned nr_events; /* in it */
	uint64_t end_ns; /* of the last one */
	bool begun; /* the stream */
	bool had_packet;
};

enum step { FACTS_BEGIN, FACTS, EVENTS, END, DONE };

struct zsr_bt_messages {
	struct zsr_bt_trace *b;
	bt_self_message_iterator *self;
	struct zsr_cursor *cursor;
	const struct zsr_event *ev; /* those left of the batch */
	int nr;
	enum step step;
	size_t next_fact;
	uint64_t facts_ns; /* when facts are told */
	uint64_t last_ns; /* of an event */
	uint64_t first_obj; /* number of the first malloc told */
	struct cpu *cpu; /* [nr_cpus] */
	unsigned nr_cpus;
	unsigned ending; /* cpu whose stream is to end */
	bool loss_told; /* before the next event */
	struct cpu *alone; /* its packet has the event it shall have */
};

/* ---- where to begin ------------------------------------------------------- */

/* Events are left, or the batches are at their end: 1, 0, -errno. */
static int fill(struct zsr_bt_messages *m, struct zsr_err *err)
{
	if (!m->nr)
		m->nr = zsr_cursor_next(m->cursor, &m->ev, err);
	return m->nr < 0 ? m->nr : m->nr > 0;
}

static void skip_one(struct zsr_bt_messages *m)
{
	m->ev++;
	m->nr--;
}

static int skip_to(struct zsr_bt_messages *m, uint64_t from_ns,
		   struct zsr_err *err)
{
	int ret;

	while ((ret = fill(m, err)) > 0 && m->ev->t_ns < from_ns) {
		m->first_obj += m->ev->kind == ZSR_EV_MALLOC;
		skip_one(m);
	}
	return ret < 0 ? ret : 0;
}

static void forget_packets(struct zsr_bt_messages *m)
{
	unsigned i;

	for (i = 0; i < m->nr_cpus; i++)
		bt_packet_put_ref(m->cpu[i].packet);
	memset(m->cpu, 0, m->nr_cpus * sizeof(*m->cpu));
}

int zsr_bt_messages_rewind(struct zsr_bt_messages *m, uint64_t from_ns,
			   struct zsr_err *err)
{
	int ret;

	zsr_cursor_close(m->cursor);
	m->cursor = NULL;
	forget_packets(m);
	m->nr = 0;
	m->step = FACTS_BEGIN;
	m->next_fact = 0;
	m->first_obj = 0;
	m->ending = 0;
	m->loss_told = false;
	m->alone = NULL;
	m->facts_ns = m->last_ns = zsr_max(from_ns, m->b->begin_ns);
	ret = zsr_cursor_open(m->b->db, m->b->t.id, &m->cursor, err);
	if (!ret)
		ret = skip_to(m, m->facts_ns, err);
	return ret ? zsr_err_wrap(err, ret, "trace '%s'", m->b->t.name) : 0;
}

int zsr_bt_messages_open(struct zsr_bt_messages **to, struct zsr_bt_trace *b,
			 bt_self_message_iterator *self, struct zsr_err *err)
{
	struct zsr_bt_messages *m = calloc(1, sizeof(*m));
	int ret;

	*to = NULL;
	if (!m)
		return zsr_err_nomem(err, "messages");
	m->b = b;
	m->self = self;
	m->nr_cpus = b->one_stream ? 1 : b->t.nr_cpus;
	m->cpu = calloc((size_t)m->nr_cpus + 1, sizeof(*m->cpu));
	ret = m->cpu ? zsr_bt_messages_rewind(m, 0, err)
		     : zsr_err_nomem(err, "messages");
	if (ret)
		zsr_bt_messages_close(m);
	else
		*to = m;
	return ret;
}

void zsr_bt_messages_close(struct zsr_bt_messages *m)
{
	if (!m)
		return;
	zsr_cursor_close(m->cursor);
	if (m->cpu)
		forget_packets(m);
	free(m->cpu);
	free(m);
}

/* ---- facts ---------------------------------------------------------------- */

static bt_message *fact(struct zsr_bt_messages *m, const char *key,
			const char *value)
{
	bt_message *msg = bt_message_event_create_with_default_clock_snapshot(
		m->self, m->b->fact_class, m->b->facts, m->facts_ns);
	bt_field *payload;

	if (!msg)
		return NULL;
	payload = bt_event_borrow_payload_field(
		bt_message_event_borrow_event(msg));
	if (bt_field_string_set_value(
		    bt_field_structure_borrow_member_field_by_index(payload, 0),
		    key) ||
	    bt_field_string_set_value(
		    bt_field_structure_borrow_member_field_by_index(payload, 1),
		    value)) {
		bt_message_put_ref(msg);
		return NULL;
	}
	return msg;
}

static bt_message *next_fact(struct zsr_bt_messages *m)
{
	const struct zsr_bt_trace *b = m->b;
	char first[24];

	if (m->next_fact < b->nr_facts) {
		const struct zsr_bt_fact *f = &b->fact[m->next_fact++];

		return fact(m, f->key, f->value);
	}
	if (m->next_fact++ == b->nr_facts && m->first_obj) {
		snprintf(first, sizeof(first), "%llu",
			 (unsigned long long)m->first_obj);
		return fact(m, "zsr.first_obj", first);
	}
	m->step = EVENTS;
	return bt_message_stream_end_create(m->self, b->facts);
}

/* ---- events --------------------------------------------------------------- */

/* What an event says in which field. */
struct said {
	int64_t value[ZSR_BT_FIELDS];
	uint32_t has;
};

static void say(struct said *s, unsigned field, bool known, uint64_t value)
{
	s->value[field] = (int64_t)value;
	s->has |= (uint32_t)known << field;
}

static void said_of(const struct zsr_event *ev, struct said *s)
{
	s->has = 0;
	say(s, ZSR_BT_DUR, ev->dur_ns, ev->dur_ns);
	say(s, ZSR_BT_POOL, ev->pool, ev->pool);
	say(s, ZSR_BT_OBJ, ev->obj != ZSR_OBJ_NONE, ev->obj);
	say(s, ZSR_BT_SIZE, ev->size, ev->size);
	say(s, ZSR_BT_CALLER, ev->caller, ev->caller);
	say(s, ZSR_BT_SLOT, ev->slot != -1, (uint64_t)ev->slot);
	say(s, ZSR_BT_CGROUP, ev->cgroup != -1, (uint64_t)(int64_t)ev->cgroup);
	say(s, ZSR_BT_GFP, ev->gfp, ev->gfp);
	say(s, ZSR_BT_FLAGS, ev->flags, ev->flags);
	say(s, ZSR_BT_AUX, ev->aux, ev->aux);
}

static bool is_signed(unsigned field)
{
	return field == ZSR_BT_OBJ || field == ZSR_BT_SLOT ||
	       field == ZSR_BT_CGROUP;
}

static bool fill_payload(const struct zsr_bt_trace *b, bt_event *to,
			 const struct zsr_event *ev, uint32_t has,
			 const struct said *s)
{
	bt_field *payload = bt_event_borrow_payload_field(to), *f;
	uint64_t at = 0;
	unsigned i;

	for (; has; has &= has - 1) {
		i = (unsigned)__builtin_ctz(has);
		f = bt_field_structure_borrow_member_field_by_index(payload,
								    at++);
		if (is_signed(i))
			bt_field_integer_signed_set_value(f, s->value[i]);
		else
			bt_field_integer_unsigned_set_value(
				f, (uint64_t)s->value[i]);
	}
	if (ev->kind != ZSR_EV_MARK)
		return true;
	f = bt_field_structure_borrow_member_field_by_index(payload, at);
	return !bt_field_string_set_value(
		f, ev->aux < b->names.nr_marks ? b->names.mark[ev->aux] : "");
}

static bool fill_context(const struct zsr_bt_trace *b, bt_event *to,
			 const struct zsr_event *ev)
{
	const struct zsr_task *task = &b->names.task[ev->task];
	bt_field *in = bt_event_borrow_common_context_field(to);

	bt_field_integer_unsigned_set_value(
		bt_field_structure_borrow_member_field_by_index(in, 0),
		ev->task);
	bt_field_integer_signed_set_value(
		bt_field_structure_borrow_member_field_by_index(in, 1),
		task->pid);
	if (b->one_stream)
		bt_field_integer_unsigned_set_value(
			bt_field_structure_borrow_member_field_by_index(in, 3),
			ev->cpu);
	return !bt_field_string_set_value(
		bt_field_structure_borrow_member_field_by_index(in, 2),
		task->comm);
}

static bt_message *event(struct zsr_bt_messages *m, const struct zsr_event *ev,
			 const bt_packet *packet)
{
	const struct zsr_bt_event_class *class = &m->b->usual[ev->kind];
	bt_message *msg;
	bt_event *to;
	struct said s;

	said_of(ev, &s);
	if (s.has & ~class->has)
		class = &m->b->full[ev->kind];
	msg = bt_message_event_create_with_packet_and_default_clock_snapshot(
		m->self, class->class, packet, ev->t_ns);
	if (!msg)
		return NULL;
	to = bt_message_event_borrow_event(msg);
	if (fill_payload(m->b, to, ev, class->has, &s) &&
	    fill_context(m->b, to, ev))
		return msg;
	bt_message_put_ref(msg);
	return NULL;
}

/* ---- packets -------------------------------------------------------------- */

static bt_message *packet_begins(struct zsr_bt_messages *m, struct cpu *c,
				 bt_stream *stream, const struct zsr_event *ev)
{
	c->packet = bt_packet_create(stream);
	if (!c->packet)
		return NULL;
	if (!m->b->one_stream)
		bt_field_integer_unsigned_set_value(
			bt_field_structure_borrow_member_field_by_index(
				bt_packet_borrow_context_field(c->packet), 0),
			ev->cpu);
	c->nr_events = 0;
	return bt_message_packet_beginning_create_with_default_clock_snapshot(
		m->self, c->packet, ev->t_ns);
}

static bt_message *packet_ends(struct zsr_bt_messages *m, struct cpu *c,
			       uint64_t t_ns)
{
	bt_message *msg =
		bt_message_packet_end_create_with_default_clock_snapshot(
			m->self, c->packet, t_ns);

	bt_packet_put_ref(c->packet);
	c->packet = NULL;
	c->end_ns = t_ns;
	c->had_packet = true;
	m->alone = NULL;
	return msg;
}

/* Records are missing here: a packet of before must end at this time. */
static bt_message *loss(struct zsr_bt_messages *m, struct cpu *c,
			bt_stream *stream, const struct zsr_event *ev)
{
	if (c->packet)
		return packet_ends(m, c, ev->t_ns);
	if (c->had_packet && c->end_ns != ev->t_ns)
		return packet_begins(m, c, stream, ev);
	m->loss_told = true;
	return bt_message_discarded_events_create_with_default_clock_snapshots(
		m->self, stream, ev->t_ns, ev->t_ns);
}

static bt_message *next_event(struct zsr_bt_messages *m)
{
	const struct zsr_event *ev = m->ev;
	unsigned nr = m->b->one_stream ? 0 : ev->cpu;
	struct cpu *c = &m->cpu[nr];
	bt_stream *stream = zsr_bt_stream(m->b, nr);
	bool lost = ev->flags & ZSR_EVF_AFTER_LOSS;
	bt_message *msg;

	if (!stream)
		return NULL;
	m->last_ns = ev->t_ns;
	if (!c->begun) {
		c->begun = true;
		return bt_message_stream_beginning_create(m->self, stream);
	}
	if (lost && !m->loss_told)
		return loss(m, c, stream, ev);
	if (c->packet && c->nr_events == PACKET_EVENTS)
		return packet_ends(m, c, ev->t_ns);
	if (!c->packet)
		return packet_begins(m, c, stream, ev);
	msg = event(m, ev, c->packet);
	c->nr_events++;
	m->loss_told = false;
	m->alone = lost ? c : NULL;
	skip_one(m);
	return msg;
}

static bt_message *next_end(struct zsr_bt_messages *m)
{
	for (; m->ending < m->nr_cpus; m->ending++) {
		struct cpu *c = &m->cpu[m->ending];

		if (c->packet)
			return packet_ends(m, c, m->last_ns);
		if (c->begun)
			return bt_message_stream_end_create(
				m->self, m->b->stream[m->ending++]);
	}
	return NULL;
}

/* ---- any message ---------------------------------------------------------- */

static int made(const bt_message *msg, const bt_message **to,
		struct zsr_err *err)
{
	*to = msg;
	return msg ? 1 : zsr_err_nomem(err, "messages of libbabeltrace2");
}

int zsr_bt_messages_next(struct zsr_bt_messages *m, const bt_message **msg,
			 struct zsr_err *err)
{
	int ret;

	switch (m->step) {
	case FACTS_BEGIN:
		m->step = FACTS;
		return made(bt_message_stream_beginning_create(m->self,
							       m->b->facts),
			    msg, err);
	case FACTS:
		return made(next_fact(m), msg, err);
	case EVENTS:
		if (m->alone)
			return made(packet_ends(m, m->alone, m->last_ns), msg,
				    err);
		ret = fill(m, err);
		if (ret < 0)
			return zsr_err_wrap(err, ret, "trace '%s'",
					    m->b->t.name);
		if (ret && m->ev->t_ns < m->b->end_ns)
			return made(next_event(m), msg, err);
		m->step = END;
		/* fallthrough */
	case END:
		*msg = next_end(m);
		if (*msg)
			return 1;
		if (m->ending < m->nr_cpus)
			return made(NULL, msg, err);
		m->step = DONE;
		/* fallthrough */
	default:
		return 0;
	}
}
