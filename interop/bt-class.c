// SPDX-License-Identifier: GPL-2.0-only
/*
 * The classes of a trace's events. A field that says nothing is not there: a
 * kind of event has a class with the fields it mostly has, and one with all.
 */
#include <stdlib.h>
#include <string.h>

#include "interop/bt.h"

/* ---- facts --------------------------------------------------------------- */

static int on_fact(void *ctx, const char *key, const char *value,
		   struct zsr_err *err)
{
	struct zsr_bt_trace *b = ctx;
	struct zsr_bt_fact f = { strdup(key), strdup(value) };

	if (!f.key || !f.value ||
	    zsr_grow(&b->fact, &b->cap_facts, b->nr_facts + 1, sizeof(f))) {
		free(f.key);
		free(f.value);
		return zsr_err_nomem(err, "facts");
	}
	b->fact[b->nr_facts++] = f;
	return 0;
}

static int on_odd(void *ctx, int64_t nr, const char *key, const char *value)
{
	struct zsr_bt_trace *b = ctx;
	char name[100];

	snprintf(name, sizeof(name), "zsr.odd.%s", key);
	return on_fact(b, name, value, &b->err);
}

static int numbered(struct zsr_bt_trace *b, const char *what, uint64_t nr,
		    const char *value, struct zsr_err *err)
{
	char key[40];

	snprintf(key, sizeof(key), "%s%llu", what, (unsigned long long)nr);
	return on_fact(b, key, value, err);
}

static int gather_facts(struct zsr_bt_trace *b, struct zsr_err *err)
{
	struct zsr_sink sink = { .ctx = b, .meta = on_fact };
	bool whole = !b->begin_ns && b->end_ns == UINT64_MAX;
	char value[64];
	uint64_t i;
	int ret = zsr_trace_recording(b->db, &b->t, &b->how, err);

	if (ret)
		return ret;
	b->one_stream = b->how.unsaid.order;
	/* Events carry these. */
	b->how.callers = 0;
	b->how.shared_marks = false;
	b->how.any_text = true;
	b->t.from_empty &= !b->begin_ns;
	ret = zsr_recording_facts(b->db, &b->t, &b->how, &sink, err);
	if (!ret && whole) {
		ret = zsr_trace_rows(b->db, b->t.id, ZSR_TABLE_ODD, on_odd, b,
				     err);
		if (ret && !err->kind)
			*err = b->err;
	}
	for (i = 0; i < b->names.nr_tasks && !ret; i++) {
		snprintf(value, sizeof(value), "%d %s", b->names.task[i].pid,
			 b->names.task[i].comm);
		ret = numbered(b, "zsr.task.", i, value, err);
	}
	for (i = 0; i < b->names.nr_marks && !ret; i++)
		ret = numbered(b, "zsr.mark.", i, b->names.mark[i], err);
	return ret;
}

/* ---- fields ---------------------------------------------------------------- */

static const struct {
	const char *name;
	uint8_t bits;
	bool is_signed, hex;
} fields[ZSR_BT_FIELDS] = {
	[ZSR_BT_DUR] = { "dur_ns", 64 },
	[ZSR_BT_POOL] = { "pool", 16 },
	[ZSR_BT_OBJ] = { "obj", 64, .is_signed = true },
	[ZSR_BT_SIZE] = { "size", 32 },
	[ZSR_BT_CALLER] = { "caller", 8 },
	[ZSR_BT_SLOT] = { "slot", 64, .is_signed = true },
	[ZSR_BT_CGROUP] = { "cgroup", 32, .is_signed = true },
	[ZSR_BT_GFP] = { "gfp", 32, .hex = true },
	[ZSR_BT_FLAGS] = { "flags", 8, .hex = true },
	[ZSR_BT_AUX] = { "aux", 64 },
};

#define BIT(field) (1u << ZSR_BT_##field)

static const uint32_t usual[ZSR_EV_NR] = {
	[ZSR_EV_MALLOC] = BIT(DUR) | BIT(POOL) | BIT(OBJ) | BIT(SIZE) | BIT(GFP),
	[ZSR_EV_FREE] = BIT(DUR) | BIT(POOL) | BIT(OBJ) | BIT(SIZE) | BIT(CALLER),
	[ZSR_EV_COMPACT] = BIT(DUR) | BIT(POOL) | BIT(AUX),
	[ZSR_EV_PAGE_FREE] = BIT(POOL) | BIT(AUX),
	[ZSR_EV_LOCK_WAIT] = BIT(DUR) | BIT(POOL) | BIT(AUX),
	[ZSR_EV_MARK] = BIT(AUX),
};

static bt_field_class *integer(const struct zsr_bt_trace *b, unsigned bits,
			       bool is_signed, bool hex)
{
	bt_field_class *fc =
		is_signed
			? bt_field_class_integer_signed_create(b->trace_class)
			: bt_field_class_integer_unsigned_create(b->trace_class);

	if (!fc)
		return NULL;
	bt_field_class_integer_set_field_value_range(fc, bits);
	if (hex)
		bt_field_class_integer_set_preferred_display_base(
			fc,
			BT_FIELD_CLASS_INTEGER_PREFERRED_DISPLAY_BASE_HEXADECIMAL);
	return fc;
}

static bool map(bt_field_class *fc, unsigned value, const char *name)
{
	bt_integer_range_set_unsigned *range =
		bt_integer_range_set_unsigned_create();
	bool ok = range &&
		  !bt_integer_range_set_unsigned_add_range(range, value, value) &&
		  !bt_field_class_enumeration_unsigned_add_mapping(fc, name,
								   range);

	bt_integer_range_set_unsigned_put_ref(range);
	return ok;
}

static bt_field_class *callers(const struct zsr_bt_trace *b)
{
	bt_field_class *fc =
		bt_field_class_enumeration_unsigned_create(b->trace_class);
	unsigned i;

	if (!fc)
		return NULL;
	bt_field_class_integer_set_field_value_range(
		fc, fields[ZSR_BT_CALLER].bits);
	for (i = 0; i < ZSR_CALLER_NR; i++)
		if (!map(fc, i, zsr_caller_name(i))) {
			bt_field_class_put_ref(fc);
			return NULL;
		}
	return fc;
}

/* Takes the reference of FC. */
static bool add(bt_field_class *to, const char *name, bt_field_class *fc)
{
	bool ok = to && fc &&
		  !bt_field_class_structure_append_member(to, name, fc);

	bt_field_class_put_ref(fc);
	return ok;
}

static bool add_text(const struct zsr_bt_trace *b, bt_field_class *to,
		     const char *name)
{
	return add(to, name, bt_field_class_string_create(b->trace_class));
}

/* ---- classes of events --------------------------------------------------- */

/* Takes the reference of PAYLOAD. */
static bool event_class(bt_event_class **to, bt_stream_class *in,
			const char *name, bt_field_class *payload)
{
	*to = bt_event_class_create(in);
	if (*to && !bt_event_class_set_name(*to, name) &&
	    !bt_event_class_set_payload_field_class(*to, payload)) {
		bt_field_class_put_ref(payload);
		return true;
	}
	bt_field_class_put_ref(payload);
	return false;
}

static bool kind_class(struct zsr_bt_trace *b, struct zsr_bt_event_class *to,
		       unsigned kind, uint32_t has)
{
	bt_field_class *payload = bt_field_class_structure_create(b->trace_class);
	char name[40];
	unsigned i;
	bool ok = payload != NULL;

	to->has = has;
	for (i = 0; i < ZSR_BT_FIELDS && ok; i++)
		if (has >> i & 1)
			ok = add(payload, fields[i].name,
				 i == ZSR_BT_CALLER
					 ? callers(b)
					 : integer(b, fields[i].bits,
						   fields[i].is_signed,
						   fields[i].hex));
	if (ok && kind == ZSR_EV_MARK)
		ok = add_text(b, payload, "text");
	if (!ok) {
		bt_field_class_put_ref(payload);
		return false;
	}
	snprintf(name, sizeof(name), "zsr_%s", zsr_event_kind_name(kind));
	return event_class(&to->class, b->events_class, name, payload);
}

static bool fact_class(struct zsr_bt_trace *b)
{
	bt_field_class *payload = bt_field_class_structure_create(b->trace_class);

	if (!add_text(b, payload, "key") || !add_text(b, payload, "value")) {
		bt_field_class_put_ref(payload);
		return false;
	}
	return event_class(&b->fact_class, b->facts_class, "zsr_fact", payload);
}

/* ---- classes of streams: facts, which come first, and events -------------- */

/* The task of an event, in the words of others for two of its fields. */
static bool context(struct zsr_bt_trace *b)
{
	bt_field_class *fc = bt_field_class_structure_create(b->trace_class);
	bool ok = add(fc, "task", integer(b, 32, false, false)) &&
		  add(fc, "tid", integer(b, 32, true, false)) &&
		  add_text(b, fc, "procname");

	if (ok && b->one_stream)
		ok = add(fc, "cpu_id", integer(b, 32, false, false));
	if (ok)
		ok = !bt_stream_class_set_event_common_context_field_class(
			b->events_class, fc);
	bt_field_class_put_ref(fc);
	return ok;
}

static bool packet_context(struct zsr_bt_trace *b)
{
	bt_field_class *fc = bt_field_class_structure_create(b->trace_class);
	bool ok = add(fc, "cpu_id", integer(b, 32, false, false)) &&
		  !bt_stream_class_set_packet_context_field_class(
			  b->events_class, fc);

	bt_field_class_put_ref(fc);
	return ok;
}

static bool stream_classes(struct zsr_bt_trace *b)
{
	unsigned i;

	b->facts_class = bt_stream_class_create(b->trace_class);
	b->events_class = bt_stream_class_create(b->trace_class);
	if (!b->facts_class || !b->events_class ||
	    bt_stream_class_set_name(b->facts_class, "facts") ||
	    bt_stream_class_set_name(b->events_class, "events") ||
	    bt_stream_class_set_default_clock_class(b->facts_class, b->clock) ||
	    bt_stream_class_set_default_clock_class(b->events_class, b->clock))
		return false;
	bt_stream_class_set_assigns_automatic_stream_id(b->facts_class,
							BT_FALSE);
	bt_stream_class_set_assigns_automatic_stream_id(b->events_class,
							BT_FALSE);
	bt_stream_class_set_supports_packets(b->events_class, BT_TRUE, BT_TRUE,
					     BT_TRUE);
	bt_stream_class_set_supports_discarded_events(b->events_class, BT_TRUE,
						      BT_TRUE);
	if (!context(b) || (!b->one_stream && !packet_context(b)) ||
	    !fact_class(b))
		return false;
	for (i = 0; i < ZSR_EV_NR; i++)
		if (!kind_class(b, &b->usual[i], i, usual[i]) ||
		    !kind_class(b, &b->full[i], i, (1u << ZSR_BT_FIELDS) - 1))
			return false;
	return true;
}

/* ---- the trace -------------------------------------------------------------- */

static const char *fact_of(const struct zsr_bt_trace *b, const char *key)
{
	size_t i;

	for (i = 0; i < b->nr_facts; i++)
		if (!strcmp(b->fact[i].key, key))
			return b->fact[i].value;
	return NULL;
}

static bool environment(struct zsr_bt_trace *b)
{
	const struct zsr_trace *t = &b->t;
	const char *arch = fact_of(b, "arch");
	const struct {
		const char *name, *value;
	} texts[] = {
		{ "tracer_name", "zsr" },
		{ "tracer_version", ZSR_VERSION },
		{ "trace_name", t->name },
		{ "trace_digest", t->digest },
		{ "trace_format", t->format },
		{ "kernel_release", t->kernel },
		{ "lock_generation", t->lock_gen },
		{ "trace_clock", t->clock },
		{ "times", zsr_times_name(t->times) },
		{ "machine", arch ? arch : "unknown" },
	};
	const struct {
		const char *name;
		uint64_t value;
	} numbers[] = {
		{ "page_size", t->page_size },
		{ "chain_size", t->chain_size },
		{ "from_empty", t->from_empty },
		{ "cpus", t->nr_cpus },
		{ "pools", t->nr_pools },
		{ "tasks", t->nr_tasks },
		{ "mallocs", t->nr_mallocs },
		{ "frees", t->nr_frees },
		{ "lost", t->nr_lost },
		{ "lost_places", t->nr_lost_places },
	};
	size_t i;

	for (i = 0; i < ZSR_ARRAY_SIZE(texts); i++)
		if (bt_trace_set_environment_entry_string(
			    b->trace, texts[i].name, texts[i].value))
			return false;
	for (i = 0; i < ZSR_ARRAY_SIZE(numbers); i++)
		if (bt_trace_set_environment_entry_integer(
			    b->trace, numbers[i].name, (int64_t)numbers[i].value))
			return false;
	return !bt_trace_set_name(b->trace, t->name);
}

static bool clock_class(struct zsr_bt_trace *b, bt_self_component *comp)
{
	const uint64_t second = 1000000000;

	b->clock = bt_clock_class_create(comp);
	if (!b->clock || bt_clock_class_set_name(
				 b->clock, *b->t.clock ? b->t.clock : "unknown"))
		return false;
	bt_clock_class_set_frequency(b->clock, second);
	bt_clock_class_set_offset(b->clock, (int64_t)(b->how.start_ns / second),
				  b->how.start_ns % second);
	bt_clock_class_set_origin_is_unix_epoch(b->clock, BT_FALSE);
	return true;
}

static bt_stream *stream(struct zsr_bt_trace *b, bt_stream_class *class,
			 uint64_t id, const char *name)
{
	bt_stream *s = bt_stream_create_with_id(class, b->trace, id);

	if (s && !bt_stream_set_name(s, name))
		return s;
	bt_stream_put_ref(s);
	return NULL;
}

static bool describe(struct zsr_bt_trace *b, bt_self_component *comp)
{
	b->trace_class = bt_trace_class_create(comp);
	if (!b->trace_class || !clock_class(b, comp) || !stream_classes(b))
		return false;
	b->trace = bt_trace_create(b->trace_class);
	if (!b->trace || !environment(b))
		return false;
	b->facts = stream(b, b->facts_class, 0, "facts");
	return b->facts != NULL;
}

bt_stream *zsr_bt_stream(struct zsr_bt_trace *b, unsigned cpu)
{
	char name[24];

	if (b->stream[cpu])
		return b->stream[cpu];
	snprintf(name, sizeof(name), "cpu%u", cpu);
	b->stream[cpu] = stream(b, b->events_class, cpu,
				b->one_stream ? "cpus" : name);
	return b->stream[cpu];
}

int zsr_bt_trace_open(struct zsr_bt_trace **to, bt_self_component *comp,
		      struct zsr_db *db, const struct zsr_trace *t,
		      uint64_t begin_ns, uint64_t end_ns, struct zsr_err *err)
{
	struct zsr_bt_trace *b = calloc(1, sizeof(*b));
	int ret;

	*to = b;
	if (!b)
		return zsr_err_nomem(err, "trace");
	b->db = db;
	b->t = *t;
	b->begin_ns = begin_ns;
	b->end_ns = end_ns;
	b->stream = calloc((size_t)t->nr_cpus + 1, sizeof(*b->stream));
	ret = b->stream ? zsr_names_read(&b->names, db, t, err)
			: zsr_err_nomem(err, "trace");
	if (!ret)
		ret = gather_facts(b, err);
	if (!ret && !describe(b, comp))
		ret = zsr_err_nomem(err, "classes of libbabeltrace2");
	if (!ret)
		return 0;
	zsr_bt_trace_close(b);
	*to = NULL;
	return zsr_err_wrap(err, ret, "trace '%s'", t->name);
}

void zsr_bt_trace_close(struct zsr_bt_trace *b)
{
	size_t i;

	if (!b)
		return;
	for (i = 0; i < ZSR_EV_NR; i++) {
		bt_event_class_put_ref(b->usual[i].class);
		bt_event_class_put_ref(b->full[i].class);
	}
	for (i = 0; b->stream && i < b->t.nr_cpus; i++)
		bt_stream_put_ref(b->stream[i]);
	bt_stream_put_ref(b->facts);
	bt_event_class_put_ref(b->fact_class);
	bt_stream_class_put_ref(b->facts_class);
	bt_stream_class_put_ref(b->events_class);
	bt_clock_class_put_ref(b->clock);
	bt_trace_put_ref(b->trace);
	bt_trace_class_put_ref(b->trace_class);
	for (i = 0; i < b->nr_facts; i++) {
		free(b->fact[i].key);
		free(b->fact[i].value);
	}
	free(b->fact);
	free(b->stream);
	zsr_names_free(&b->names);
	free(b);
}
