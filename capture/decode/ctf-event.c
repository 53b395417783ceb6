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

static bool is_string(const bt_field_class *fc)
{
	return bt_field_class_get_type(fc) == BT_FIELD_CLASS_TYPE_STRING;
}

static bool is_integer(const bt_field_class *fc)
{
	return bt_field_class_type_is(bt_field_class_get_type(fc),
				      BT_FIELD_CLASS_TYPE_INTEGER);
}

/* The field NAME when its class is as IS says, else one of CTF_NOWHERE. */
static struct ctf_field find_in(const bt_event_class *class,
				enum ctf_scope scope, const char *name,
				bool (*is)(const bt_field_class *))
{
	const bt_field_class *in = scope_of(class, scope), *fc;
	uint64_t i, n = in ? bt_field_class_structure_get_member_count(in) : 0;

	for (i = 0; i < n && i <= UINT16_MAX; i++) {
		const bt_field_class_structure_member *m =
			bt_field_class_structure_borrow_member_by_index_const(
				in, i);

		if (name &&
		    strcmp(bt_field_class_structure_member_get_name(m), name))
			continue;
		fc = bt_field_class_structure_member_borrow_field_class_const(m);
		if (!is(fc))
			continue;
		return (struct ctf_field){
			.index = (uint16_t)i,
			.scope = (uint8_t)scope,
			.bytes = is == is_integer
					 ? (uint8_t)((bt_field_class_integer_get_field_value_range(
							      fc) +
						      7) /
						     8)
					 : 0,
			.is_signed = bt_field_class_type_is(
				bt_field_class_get_type(fc),
				BT_FIELD_CLASS_TYPE_SIGNED_INTEGER),
		};
	}
	return (struct ctf_field){ .scope = CTF_NOWHERE };
}

struct place {
	enum ctf_scope scope;
	const char *name;
};

static struct ctf_field first_of(const bt_event_class *class,
				 const struct place *places, size_t nr,
				 bool (*is)(const bt_field_class *))
{
	struct ctf_field f = { .scope = CTF_NOWHERE };
	size_t i;

	for (i = 0; i < nr && f.scope == CTF_NOWHERE; i++)
		f = find_in(class, places[i].scope, places[i].name, is);
	return f;
}

/* The kernel's words for the thread, perf's, and those of LTTng's contexts. */
static void find_task(struct ctf_event *ev, const char *name)
{
	static const struct place pids[] = {
		{ CTF_PAYLOAD, "common_pid" }, { CTF_PAYLOAD, "perf_tid" },
		{ CTF_SPECIFIC, "tid" },       { CTF_COMMON, "tid" },
		{ CTF_SPECIFIC, "vtid" },      { CTF_COMMON, "vtid" },
		{ CTF_SPECIFIC, "pid" },       { CTF_COMMON, "pid" },
	};
	static const struct place comms[] = {
		{ CTF_SPECIFIC, "procname" },
		{ CTF_COMMON, "procname" },
	};
	static const struct place cpus[] = {
		{ CTF_SPECIFIC, "cpu_id" },
		{ CTF_COMMON, "cpu_id" },
		{ CTF_PAYLOAD, "cpu_id" },
	};

	ev->pid = first_of(ev->class, pids, ZSR_ARRAY_SIZE(pids), is_integer);
	ev->comm = first_of(ev->class, comms, ZSR_ARRAY_SIZE(comms), is_string);
	ev->cpu = first_of(ev->class, cpus, ZSR_ARRAY_SIZE(cpus), is_integer);
	/* perf's own record of a name. */
	if (strcmp(name, "perf_comm"))
		return;
	ev->pid = find_in(ev->class, CTF_PAYLOAD, "tid", is_integer);
	ev->comm = find_in(ev->class, CTF_PAYLOAD, "comm", is_string);
}

/* ---- classes ------------------------------------------------------------ */

/* CTF takes an underscore from the front of names. */
static const char *kernel_name(const char *name)
{
	return strcmp(name, "_probe_ret_ip") ? name : "__probe_ret_ip";
}

static bool has_integer(const bt_event_class *class, const char *name)
{
	return find_in(class, CTF_PAYLOAD, name, is_integer).scope;
}

int ctf_no_arguments(const struct ctf *c, struct zsr_err *err)
{
	return zsr_err_input(err,
			     "a CTF trace %s%s, none of whose events is of "
			     "zs_malloc or zs_free by its name",
			     *c->tracer ? "of " : "without calls", c->tracer);
}

static int learn_probe(struct ctf *c, struct ctf_event *ev, const char *name,
		       enum dec_func func, int is_ret, struct zsr_err *err)
{
	const bt_field_class *payload = scope_of(ev->class, CTF_PAYLOAD);
	struct ctf_field by_role[DEC_NR_ROLES] = { { 0 } };
	const char *missing = NULL;
	unsigned roles = 0;
	uint64_t i, n;
	int kind;

	if (has_integer(ev->class, "_probe_ret_ip"))
		is_ret = 1;
	else if (has_integer(ev->class, "_probe_ip"))
		is_ret = 0;
	n = payload ? bt_field_class_structure_get_member_count(payload) : 0;
	for (i = 0; i < n; i++) {
		const char *field = bt_field_class_structure_member_get_name(
			bt_field_class_structure_borrow_member_by_index_const(
				payload, i));
		const char *known = kernel_name(field);
		enum dec_role role = dec_role_of(func, is_ret, known,
						 strlen(known));

		if (role == DEC_NO_ROLE || (roles & (1u << role)))
			continue;
		by_role[role] = find_in(ev->class, CTF_PAYLOAD, field,
					is_integer);
		if (by_role[role].scope)
			roles |= 1u << role;
	}
	kind = dec_kind_of(func, is_ret, roles, &ev->place, &missing);
	if (kind < 0)
		return zsr_err_input(err, "event %s: no field %s", name,
				     missing);
	ev->kind = (uint8_t)kind;
	ev->has = (uint8_t)dec_has_of(ev->kind, roles);
	ev->pool = by_role[DEC_POOL];
	ev->handle = by_role[DEC_HANDLE];
	ev->gfp = by_role[DEC_GFP];
	ev->caller = by_role[DEC_CALLER];
	ev->obj = by_role[DEC_OBJ];
	ev->value = by_role[dec_value_of(kind)];
	ev->whole = has_integer(ev->class, "parent_ip");
	c->is_useful |= func < DEC_EMPTY && kind != ZSR_REC_OTHER;
	return 0;
}

static void learn_mark(struct ctf_event *ev)
{
	static const struct place texts[] = {
		{ CTF_PAYLOAD, "buf" },
		{ CTF_PAYLOAD, "msg" },
		{ CTF_PAYLOAD, NULL },
	};

	ev->text = first_of(ev->class, texts, ZSR_ARRAY_SIZE(texts), is_string);
	if (ev->text.scope)
		ev->kind = ZSR_REC_MARK;
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

/* Our own tracepoints: zsr-replay(1). */
static enum dec_func func_of_ours(const char *name, int *is_ret)
{
	static const struct {
		const char *name;
		enum dec_func func;
		int is_ret;
	} ours[] = {
		{ "zsr:malloc", DEC_MALLOC, 1 },
		{ "zsr:free_begin", DEC_FREE, 0 },
		{ "zsr:free_end", DEC_FREE, 1 },
		{ "zsr:compact_begin", DEC_COMPACT, 0 },
		{ "zsr:compact_end", DEC_COMPACT, 1 },
		{ "zsr:zspage_free", DEC_FREE_ZSPAGE, 0 },
		{ "zsr:cost_begin", DEC_EMPTY, 0 },
		{ "zsr:cost_end", DEC_EMPTY, 1 },
	};
	size_t i;

	for (i = 0; i < ZSR_ARRAY_SIZE(ours); i++)
		if (!strcmp(name, ours[i].name)) {
			*is_ret = ours[i].is_ret;
			return ours[i].func;
		}
	return DEC_NO_FUNC;
}

static int learn_class(struct ctf *c, const bt_event_class *class,
		       struct zsr_err *err)
{
	struct ctf_event ev = { .class = class, .kind = ZSR_REC_OTHER };
	const char *full = bt_event_class_get_name(class), *name;
	enum dec_func func;
	int is_ret = 0, ret = 0;

	/* perf's names begin with the event's group. */
	full = full ? full : "";
	name = strrchr(full, ':');
	name = name ? name + 1 : full;
	find_task(&ev, name);
	func = func_of_ours(full, &is_ret);
	if (!func)
		func = dec_func_of_event(name, strlen(name), &is_ret);
	if (func)
		ret = learn_probe(c, &ev, full, func, is_ret, err);
	else if (!strcmp(name, "print") || !strcmp(name, "tracing_mark_write") ||
		 !strcmp(full, "zsr:mark"))
		learn_mark(&ev);
	if (ret)
		return ret;
	if (zsr_grow(&c->events, &c->cap_events, c->nr_events + 1, sizeof(ev)))
		return zsr_err_nomem(err, "events");
	c->events[c->nr_events++] = ev;
	return 0;
}

/* As dec_events_ready(): a return is not to be counted twice. */
static void settle(struct ctf *c)
{
	bool plain = false;
	size_t i, j;

	/* LTTng may have a function probed for its entry and its return, and
	 * for its entry alone as well. */
	for (i = 0; i < c->nr_events; i++)
		for (j = 0; c->events[i].whole && j < c->nr_events; j++)
			if (c->events[j].kind == c->events[i].kind &&
			    !c->events[j].whole)
				c->events[j].kind = ZSR_REC_OTHER;
	for (i = 0; i < c->nr_events; i++)
		plain |= (c->events[i].kind == ZSR_REC_MALLOC_RET ||
			  c->events[i].kind == ZSR_REC_MALLOC_DONE) &&
			 !c->events[i].place;
	for (i = 0; plain && i < c->nr_events; i++) {
		struct ctf_event *ev = &c->events[i];

		if (!ev->place || ev->kind == ZSR_REC_MALLOC_DONE)
			continue;
		ev->kind = ZSR_REC_PLACE;
		ev->place = false;
		ev->value = ev->obj;
	}
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
	int32_t pid = (int32_t)number(event, ev->pid);
	struct zsr_rec *rec, mark;

	if (ev->comm.scope) {
		const char *comm = string(event, ev->comm);

		dec_tasks_see(c->d, &c->tasks, pid, comm, strlen(comm));
	}
	rec = ev->kind == ZSR_REC_MARK ? &mark : dec_out_rec(c->d->out);
	*rec = (struct zsr_rec){
		.t_ns = t_ns,
		.pool = number(event, ev->pool),
		.handle = dec_handle(number(event, ev->handle), ev->handle.bytes),
		.value = number(event, ev->value),
		.caller = number(event, ev->caller),
		.gfp = (uint32_t)number(event, ev->gfp),
		.pid = pid,
		.cpu = (uint16_t)cpu,
		.kind = ev->kind,
		.has = ev->has,
	};
	if (ev->kind == ZSR_REC_MARK) {
		const char *text = string(event, ev->text);

		dec_mark(c->d, rec, text, strlen(text));
	} else if (ev->place) {
		struct zsr_rec place = *rec;

		place.kind = ZSR_REC_PLACE;
		place.value = number(event, ev->obj);
		*dec_out_rec(c->d->out) = place;
	}
}
