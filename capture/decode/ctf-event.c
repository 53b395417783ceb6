// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events of a CTF trace. What an event means and where its fields lie is
 * learnt once for each class; an event is then a few reads of integers.
 */
#include <stdlib.h>
#include <string.h>

#include "capture/decode/ctf.h"

/* ---- fields of a class ------------------------------------------------- */

static const bt_field_class *scope_of(const bt_event_class *class,
				      enum ctf_scope scope)
{
	switch (scope) {
	case CTF_PAYLOAD:
		return bt_event_class_borrow_payload_field_class_const(class);
	case CTF_SPECIFIC:
		return bt_event_class_borrow_specific_context_field_class_const(
			class);
	case CTF_COMMON:
		return bt_stream_class_borrow_event_common_context_field_class_const(
			bt_event_class_borrow_stream_class_const(class));
	default:
		return NULL;
	}
}

static uint64_t members(const bt_field_class *in)
{
	uint64_t n = in ? bt_field_class_structure_get_member_count(in) : 0;

	return zsr_min(n, (uint64_t)UINT16_MAX);
}

static const bt_field_class *member_class(const bt_field_class *in,
					  uint64_t index, const char **name)
{
	const bt_field_class_structure_member *m =
		bt_field_class_structure_borrow_member_by_index_const(in, index);

	*name = bt_field_class_structure_member_get_name(m);
	return bt_field_class_structure_member_borrow_field_class_const(m);
}

static bool is_string(const bt_field_class *fc)
{
	return bt_field_class_get_type(fc) == BT_FIELD_CLASS_TYPE_STRING;
}

static bool is_integer(const bt_field_class *fc)
{
	return bt_field_class_type_is(bt_field_class_get_type(fc),
				      BT_FIELD_CLASS_TYPE_INTEGER);
}

static struct ctf_field field_of(const bt_field_class *fc, enum ctf_scope scope,
				 uint64_t index)
{
	struct ctf_field f = {
		.index = (uint16_t)index,
		.scope = (uint8_t)scope,
		.is_signed = bt_field_class_type_is(
			bt_field_class_get_type(fc),
			BT_FIELD_CLASS_TYPE_SIGNED_INTEGER),
	};

	if (is_integer(fc))
		f.bytes = (uint8_t)((bt_field_class_integer_get_field_value_range(
					     fc) +
				     7) /
				    8);
	return f;
}

/* The field with a role: of those whose class is as IS says, the best and then
 * the first one. */
static struct ctf_field find_role(const struct ctf *c,
				  const bt_event_class *class,
				  enum dec_role role,
				  bool (*is)(const bt_field_class *))
{
	static const enum ctf_scope scopes[] = { CTF_PAYLOAD, CTF_SPECIFIC,
						 CTF_COMMON };
	struct ctf_field found = { .scope = CTF_NOWHERE };
	unsigned best = 0, s;

	for (s = 0; s < ZSR_ARRAY_SIZE(scopes); s++) {
		const bt_field_class *in = scope_of(class, scopes[s]);
		enum dec_names of = s ? DEC_CONTEXT_NAME : DEC_FIELD_NAME;
		uint64_t i, n = members(in);

		for (i = 0; i < n; i++) {
			const char *name;
			const bt_field_class *fc = member_class(in, i, &name);
			unsigned r = dec_name_rank(c->d->map, of, role, name);

			if (r <= best || !is(fc))
				continue;
			best = r;
			found = field_of(fc, scopes[s], i);
		}
	}
	return found;
}

/* In an event's payload; without a name: the first such one. */
static struct ctf_field find_name(const bt_event_class *class, const char *want,
				  bool (*is)(const bt_field_class *))
{
	const bt_field_class *in = scope_of(class, CTF_PAYLOAD);
	uint64_t i, n = members(in);

	for (i = 0; i < n; i++) {
		const char *name;
		const bt_field_class *fc = member_class(in, i, &name);

		if (is(fc) && (!want || !strcmp(name, want)))
			return field_of(fc, CTF_PAYLOAD, i);
	}
	return (struct ctf_field){ .scope = CTF_NOWHERE };
}

static void find_task(const struct ctf *c, struct ctf_event *ev,
		      const char *name)
{
	ev->pid = find_role(c, ev->class, DEC_PID, is_integer);
	ev->comm = find_role(c, ev->class, DEC_COMM, is_string);
	ev->cpu = find_role(c, ev->class, DEC_CPU, is_integer);
	/* perf's own record of a name. */
	if (strcmp(name, "perf_comm"))
		return;
	ev->pid = find_name(ev->class, "tid", is_integer);
	ev->comm = find_name(ev->class, "comm", is_string);
}

/* ---- classes ------------------------------------------------------------ */

static bool has_integer(const bt_event_class *class, const char *name)
{
	return find_name(class, name, is_integer).scope;
}

int ctf_no_arguments(const struct ctf *c, struct zsr_err *err)
{
	return zsr_err_input(err,
			     "a CTF trace %s%s, none of whose events is of "
			     "zs_malloc or zs_free by its name",
			     *c->tracer ? "of " : "without calls", c->tracer);
}

static int learn_probe(struct ctf *c, struct ctf_event *ev, const char *event,
		       struct dec_means *m, struct zsr_err *err)
{
	const bt_field_class *payload = scope_of(ev->class, CTF_PAYLOAD);
	uint64_t i, n = members(payload);
	unsigned roles = 0;
	int ret;

	/* CTF took an underscore from the front of names. */
	if (!m->own && has_integer(ev->class, "_probe_ret_ip"))
		m->is_ret = 1;
	else if (!m->own && has_integer(ev->class, "_probe_ip"))
		m->is_ret = 0;
	for (i = 0; i < n; i++) {
		const char *name;
		const bt_field_class *fc = member_class(payload, i, &name);
		enum dec_role role = dec_role_of(c->d->map, m, name,
						 strlen(name));

		if (role >= DEC_NR_ROLES || (roles & (1u << role)) ||
		    !is_integer(fc))
			continue;
		ev->arg[ev->nr] = field_of(fc, CTF_PAYLOAD, i);
		ev->arg[ev->nr++].role = (uint8_t)role;
		if (role == DEC_HANDLE)
			ev->shape.handle_bytes = ev->arg[ev->nr - 1].bytes;
		roles |= 1u << role;
	}
	ret = dec_shape_of(&ev->shape, m, roles, event, err);
	ev->whole = has_integer(ev->class, "parent_ip");
	c->is_useful |= m->func < DEC_EMPTY && ev->shape.kind != ZSR_REC_OTHER;
	return ret;
}

static void learn_mark(struct ctf *c, struct ctf_event *ev,
		       const struct dec_means *m)
{
	const bt_field_class *payload = scope_of(ev->class, CTF_PAYLOAD);
	uint64_t i, n = members(payload);

	for (i = 0; i < n && !ev->text.scope; i++) {
		const char *name;
		const bt_field_class *fc = member_class(payload, i, &name);

		if (is_string(fc) &&
		    dec_role_of(c->d->map, m, name, strlen(name)) == DEC_TEXT)
			ev->text = field_of(fc, CTF_PAYLOAD, i);
	}
	if (!ev->text.scope)
		ev->text = find_name(ev->class, NULL, is_string);
	if (ev->text.scope)
		ev->shape.kind = ZSR_REC_MARK;
}

static size_t slot_of(const struct ctf *c, const bt_event_class *class)
{
	return (size_t)(((uintptr_t) class * 0x9E3779B97F4A7C15ull) >>
			c->hash_shift);
}

static void put_class(struct ctf *c, size_t index)
{
	size_t mask = ((size_t)1 << (64 - c->hash_shift)) - 1;
	size_t at = slot_of(c, c->events[index].class);

	while (c->by_class[at])
		at = (at + 1) & mask;
	c->by_class[at] = (uint32_t)index + 1;
}

/* At most half full. */
static int rehash(struct ctf *c, struct zsr_err *err)
{
	unsigned bits = 6;
	size_t i;

	while ((c->nr_events + 1) * 2 > (size_t)1 << bits)
		bits++;
	free(c->by_class);
	c->by_class = calloc((size_t)1 << bits, sizeof(*c->by_class));
	if (!c->by_class)
		return zsr_err_nomem(err, "events");
	c->hash_shift = 64 - bits;
	for (i = 0; i < c->nr_events; i++)
		put_class(c, i);
	return 0;
}

const struct ctf_event *ctf_find(const struct ctf *c,
				 const bt_event_class *class)
{
	size_t mask, at;

	if (!c->by_class)
		return NULL;
	mask = ((size_t)1 << (64 - c->hash_shift)) - 1;
	for (at = slot_of(c, class); c->by_class[at]; at = (at + 1) & mask)
		if (c->events[c->by_class[at] - 1].class == class)
			return &c->events[c->by_class[at] - 1];
	return NULL;
}

static int learn_class(struct ctf *c, const bt_event_class *class,
		       struct zsr_err *err)
{
	struct ctf_event ev = { .class = class, .shape.kind = ZSR_REC_OTHER };
	const char *full = bt_event_class_get_name(class), *colon;
	struct dec_means m = { 0 };
	int ret = 0;

	/* perf's names begin with the event's group. */
	full = full ? full : "";
	colon = strrchr(full, ':');
	find_task(c, &ev, colon ? colon + 1 : full);
	dec_means_of_event(c->d->map, full, strlen(full), &m);
	if (m.func == DEC_MARKER)
		learn_mark(c, &ev, &m);
	else if (m.func)
		ret = learn_probe(c, &ev, full, &m, err);
	if (ret)
		return ret;
	if (zsr_grow(&c->events, &c->cap_events, c->nr_events + 1, sizeof(ev)))
		return zsr_err_nomem(err, "events");
	c->events[c->nr_events++] = ev;
	return 0;
}

static void settle(struct ctf *c)
{
	bool plain = false;
	size_t i, j;

	/* LTTng may have a function probed for its entry and its return, and
	 * for its entry alone as well. */
	for (i = 0; i < c->nr_events; i++)
		for (j = 0; c->events[i].whole && j < c->nr_events; j++)
			if (c->events[j].shape.kind == c->events[i].shape.kind &&
			    !c->events[j].whole)
				c->events[j].shape.kind = ZSR_REC_OTHER;
	for (i = 0; i < c->nr_events; i++)
		plain |= dec_is_plain_return(&c->events[i].shape);
	for (i = 0; plain && i < c->nr_events; i++)
		dec_only_place(&c->events[i].shape);
}

int ctf_learn(struct ctf *c, const bt_trace_class *class, struct zsr_err *err)
{
	uint64_t i, j, nr = bt_trace_class_get_stream_class_count(class);
	int ret = 0;

	for (i = 0; i < nr && !ret; i++) {
		const bt_stream_class *sc =
			bt_trace_class_borrow_stream_class_by_index_const(class,
									  i);
		uint64_t n = bt_stream_class_get_event_class_count(sc);

		for (j = 0; j < n && !ret; j++) {
			const bt_event_class *ec =
				bt_stream_class_borrow_event_class_by_index_const(
					sc, j);

			if (!ctf_find(c, ec))
				ret = learn_class(c, ec, err);
		}
	}
	settle(c);
	return ret ? ret : rehash(c, err);
}

/* ---- events -------------------------------------------------------------- */

static const bt_field *member(const bt_event *event, struct ctf_field f)
{
	const bt_field *in =
		f.scope == CTF_PAYLOAD
			? bt_event_borrow_payload_field_const(event)
		: f.scope == CTF_SPECIFIC
			? bt_event_borrow_specific_context_field_const(event)
			: bt_event_borrow_common_context_field_const(event);

	return bt_field_structure_borrow_member_field_by_index_const(in,
								     f.index);
}

static inline uint64_t number(const bt_event *event, struct ctf_field f)
{
	const bt_field *m;

	if (!f.scope)
		return 0;
	m = member(event, f);
	return f.is_signed ? (uint64_t)bt_field_integer_signed_get_value(m)
			   : bt_field_integer_unsigned_get_value(m);
}

static const char *string(const bt_event *event, struct ctf_field f)
{
	return bt_field_string_get_value(member(event, f));
}

bool ctf_cpu_of(const struct ctf_event *ev, const bt_event *event, uint64_t *cpu)
{
	*cpu = number(event, ev->cpu);
	return ev->cpu.scope;
}

void ctf_emit(struct ctf *c, const struct ctf_event *ev, const bt_event *event,
	      uint64_t t_ns, unsigned cpu)
{
	struct zsr_rec at = { .t_ns = t_ns,
			      .pid = (int32_t)number(event, ev->pid),
			      .cpu = (uint16_t)cpu };
	uint64_t v[DEC_NR_ROLES] = { 0 };
	const char *s;
	unsigned i;

	if (ev->comm.scope) {
		s = string(event, ev->comm);
		dec_tasks_see(c->d, &c->tasks, at.pid, s, strlen(s));
	}
	if (ev->shape.kind == ZSR_REC_MARK) {
		s = string(event, ev->text);
		dec_mark(c->d, &at, s, strlen(s));
		return;
	}
	for (i = 0; i < ev->nr; i++)
		v[ev->arg[i].role] = number(event, ev->arg[i]);
	dec_emit(c->d->out, &ev->shape, &at, v);
}
