// SPDX-License-Identifier: GPL-2.0-only
/*
 * CTF that tells a whole trace, as zsr-export(1) writes it: events zsr_malloc,
 * zsr_free, ... with the columns of the table zsr_event as fields, and zsr_fact.
 */
#include <stdlib.h>
#include <string.h>

#include "capture/decode/ctf.h"
#include "capture/decode/whole.h"

/* Fields, with the greatest number that each holds; 0: it holds text. */
#define TOLD_FIELDS(X)                                                         \
	X(dur_ns, INT64_MAX)                                                   \
	X(task, UINT32_MAX - 1)                                                \
	X(pool, UINT16_MAX - 1)                                                \
	X(obj, INT64_MAX)                                                      \
	X(size, UINT32_MAX)                                                    \
	X(caller, ZSR_CALLER_NR - 1)                                           \
	X(slot, INT64_MAX)                                                     \
	X(cgroup, INT32_MAX)                                                   \
	X(gfp, UINT32_MAX)                                                     \
	X(flags, 7)                                                            \
	X(aux, INT64_MAX)                                                      \
	X(tid, INT32_MAX)                                                      \
	X(procname, 0)                                                         \
	X(text, 0)                                                             \
	X(key, 0)                                                              \
	X(value, 0)

enum told_field {
#define X(name, max) TOLD_##name,
	TOLD_FIELDS(X)
#undef X
		TOLD_NR
};

static const struct {
	const char *name;
	uint64_t max;
} fields[TOLD_NR] = {
#define X(name_, max_) [TOLD_##name_] = { .name = #name_, .max = max_ },
	TOLD_FIELDS(X)
#undef X
};

/* -1 says that there is none. */
static bool may_be_none(unsigned f)
{
	return f == TOLD_obj || f == TOLD_slot || f == TOLD_cgroup;
}

#define KIND_FACT   ZSR_EV_NR
#define MAX_CLASSES 64

struct told_member {
	uint8_t field; /* enum told_field */
	bool in_context;
	bool is_signed;
	uint16_t index; /* in its structure */
};

struct told_class {
	const bt_event_class *class;
	uint8_t kind; /* enum zsr_event_kind, or KIND_FACT */
	uint8_t nr_members;
	uint32_t has; /* bit per enum told_field */
	struct told_member member[TOLD_NR];
};

struct ctf_told {
	const bt_trace_class *trace;
	struct told_class class[MAX_CLASSES];
	unsigned nr_classes;
	uint64_t start_ns; /* of the capture's clock at time 0 of the trace */
	struct dec_whole whole;
};

/* ---- classes ------------------------------------------------------------ */

static void learn_members(struct told_class *to, const bt_field_class *in,
			  bool in_context)
{
	uint64_t i, n = in ? bt_field_class_structure_get_member_count(in) : 0;
	unsigned f;

	for (i = 0; i < n && i <= UINT16_MAX; i++) {
		const bt_field_class_structure_member *m =
			bt_field_class_structure_borrow_member_by_index_const(
				in, i);
		bt_field_class_type type = bt_field_class_get_type(
			bt_field_class_structure_member_borrow_field_class_const(
				m));
		const char *name = bt_field_class_structure_member_get_name(m);

		for (f = 0; f < TOLD_NR; f++)
			if (!strcmp(name, fields[f].name))
				break;
		if (f == TOLD_NR || to->has >> f & 1 ||
		    !bt_field_class_type_is(
			    type, fields[f].max ? BT_FIELD_CLASS_TYPE_INTEGER
						: BT_FIELD_CLASS_TYPE_STRING))
			continue;
		to->has |= 1u << f;
		to->member[to->nr_members++] = (struct told_member){
			.field = (uint8_t)f,
			.in_context = in_context,
			.is_signed = bt_field_class_type_is(
				type, BT_FIELD_CLASS_TYPE_SIGNED_INTEGER),
			.index = (uint16_t)i,
		};
	}
}

static int check_class(const struct told_class *to, const char *name,
		       struct zsr_err *err)
{
	uint32_t needs = 1u << TOLD_task;
	unsigned f;

	if (to->kind == KIND_FACT)
		needs = 1u << TOLD_key | 1u << TOLD_value;
	else if (to->kind == ZSR_EV_MALLOC)
		needs |= 1u << TOLD_obj | 1u << TOLD_size;
	else if (to->kind == ZSR_EV_MARK)
		needs |= 1u << TOLD_text;
	for (f = 0; f < TOLD_NR; f++)
		if (needs >> f & ~(to->has >> f) & 1)
			return zsr_err_input(err, "event %s: no field %s", name,
					     fields[f].name);
	return 0;
}

/* The kind of event that a class is named after; -1: none of ours. */
static int kind_of(const char *name)
{
	unsigned i;

	if (!name || strncmp(name, "zsr_", 4))
		return -1;
	for (i = 0; i < ZSR_EV_NR; i++)
		if (!strcmp(name + 4, zsr_event_kind_name(i)))
			return (int)i;
	return strcmp(name + 4, "fact") ? -1 : KIND_FACT;
}

static struct told_class *find(const struct ctf *c, const bt_event_class *class)
{
	unsigned i;

	for (i = 0; c->told && i < c->told->nr_classes; i++)
		if (c->told->class[i].class == class)
			return &c->told->class[i];
	return NULL;
}

static int learn(struct ctf *c, const bt_event_class *class, struct zsr_err *err)
{
	const bt_trace_class *trace = bt_stream_class_borrow_trace_class_const(
		bt_event_class_borrow_stream_class_const(class));
	const char *name = bt_event_class_get_name(class);
	int kind = kind_of(name);
	struct told_class *to;

	if (kind < 0 || find(c, class))
		return 0;
	if (!c->told) {
		c->told = calloc(1, sizeof(*c->told));
		if (!c->told)
			return zsr_err_nomem(err, "events");
		dec_out_meta(c->d->out, "zsr.events", "1");
		c->is_useful = true;
		c->told->trace = trace;
	}
	if (c->told->trace != trace)
		return zsr_err_input(err,
				     "several traces of zsr, which are not one "
				     "capture (source.zsr.db has a parameter "
				     "trace)");
	if (c->told->nr_classes == MAX_CLASSES)
		return zsr_err_input(err, "more than %u kinds of events",
				     MAX_CLASSES);
	to = &c->told->class[c->told->nr_classes++];
	to->class = class;
	to->kind = (uint8_t)kind;
	learn_members(to, bt_event_class_borrow_payload_field_class_const(class),
		      false);
	learn_members(
		to,
		bt_stream_class_borrow_event_common_context_field_class_const(
			bt_event_class_borrow_stream_class_const(class)),
		true);
	return check_class(to, name, err);
}

int ctf_told_learn(struct ctf *c, const bt_stream_class *class,
		   struct zsr_err *err)
{
	uint64_t i, n = bt_stream_class_get_event_class_count(class);
	int ret = 0;

	for (i = 0; i < n && !ret; i++)
		ret = learn(c,
			    bt_stream_class_borrow_event_class_by_index_const(
				    class, i),
			    err);
	return ret;
}

/* ---- events --------------------------------------------------------------- */

struct values {
	uint64_t nr[TOLD_NR];
	const char *text[TOLD_NR];
};

static int read_values(const struct told_class *of, const bt_event *event,
		       struct values *v, struct zsr_err *err)
{
	const bt_field *payload = bt_event_borrow_payload_field_const(event);
	const bt_field *context =
		bt_event_borrow_common_context_field_const(event);
	unsigned i;

	for (i = 0; i < of->nr_members; i++) {
		const struct told_member *m = &of->member[i];
		const bt_field *f =
			bt_field_structure_borrow_member_field_by_index_const(
				m->in_context ? context : payload, m->index);
		uint64_t nr;

		if (!fields[m->field].max) {
			v->text[m->field] = bt_field_string_get_value(f);
			continue;
		}
		nr = m->is_signed
			     ? (uint64_t)bt_field_integer_signed_get_value(f)
			     : bt_field_integer_unsigned_get_value(f);
		if (nr > fields[m->field].max &&
		    !(nr == UINT64_MAX && may_be_none(m->field)))
			return zsr_err_input(err, "%s: %lld is out of range",
					     fields[m->field].name,
					     (long long)nr);
		v->nr[m->field] = nr;
	}
	return 0;
}

static int fact(struct ctf *c, const struct values *v, struct zsr_err *err)
{
	const char *value = v->text[TOLD_value];
	char key[200];

	if (!dec_printable(key, sizeof(key), v->text[TOLD_key],
			   strlen(v->text[TOLD_key])))
		return zsr_err_input(err, "a fact without a key");
	if (!strcmp(key, "zsr.start_ns") &&
	    zsr_parse_u64(value, key, 0, INT64_MAX, &c->told->start_ns, err))
		return -EINVAL;
	return dec_whole_fact(c->d, &c->told->whole, key, value, err);
}

static int tell(struct ctf *c, const struct told_class *of,
		const struct values *v, struct zsr_event *ev,
		struct zsr_err *err)
{
	const struct dec_words said = {
		.pid = (int32_t)v->nr[TOLD_tid],
		.comm = v->text[TOLD_procname],
		.comm_len = strlen(v->text[TOLD_procname]),
		.text = v->text[TOLD_text],
		.text_len = strlen(v->text[TOLD_text]),
		.no_aux = !(of->has >> TOLD_aux & 1),
	};

	ev->kind = of->kind;
	ev->dur_ns = v->nr[TOLD_dur_ns];
	ev->task = (uint32_t)v->nr[TOLD_task];
	ev->pool = (uint16_t)v->nr[TOLD_pool];
	ev->obj = v->nr[TOLD_obj];
	ev->size = (uint32_t)v->nr[TOLD_size];
	ev->caller = (uint8_t)v->nr[TOLD_caller];
	ev->slot = (int64_t)v->nr[TOLD_slot];
	ev->cgroup = (int32_t)v->nr[TOLD_cgroup];
	ev->gfp = (uint32_t)v->nr[TOLD_gfp];
	ev->flags |= (uint8_t)v->nr[TOLD_flags];
	ev->aux = v->nr[TOLD_aux];
	return dec_whole_event(c->d, &c->told->whole, ev, &said, err);
}

int ctf_told_emit(struct ctf *c, const bt_event *event, uint64_t t_ns,
		  unsigned cpu, bool after_loss, bool *ours, struct zsr_err *err)
{
	const bt_event_class *class = bt_event_borrow_class_const(event);
	const struct told_class *of = find(c, class);
	struct zsr_event ev = { .t_ns = t_ns, .cpu = (uint16_t)cpu };
	struct values v = {
		.nr = { [TOLD_obj] = UINT64_MAX,
			[TOLD_slot] = UINT64_MAX,
			[TOLD_cgroup] = UINT64_MAX },
		.text = { [TOLD_procname] = "", [TOLD_text] = "" },
	};
	int ret;

	*ours = of != NULL;
	if (!of)
		return 0;
	ret = read_values(of, event, &v, err);
	if (!ret && of->kind == KIND_FACT) {
		ret = fact(c, &v, err);
	} else if (!ret) {
		ev.flags = after_loss ? ZSR_EVF_AFTER_LOSS : 0;
		if (t_ns < c->told->start_ns)
			ret = zsr_err_input(err, "a time before the trace's");
		ev.t_ns -= c->told->start_ns;
		ret = ret ? ret : tell(c, of, &v, &ev, err);
	}
	return ret ? zsr_err_wrap(err, ret, "event %s",
				  bt_event_class_get_name(class))
		   : 0;
}

void ctf_told_end(struct ctf *c)
{
	if (c->told)
		dec_whole_flush(c->d, &c->told->whole);
}
