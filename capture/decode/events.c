// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events in the kernel's binary form. A format file says where an event's
 * fields lie; libtraceevent parses it once, and an event is then looked up by
 * its number and read from fixed offsets.
 */
#include <ctype.h>
#include <event-parse.h>
#include <stdlib.h>
#include <string.h>

#include "capture/decode/names.h"

#define NR_IDS 65536

int dec_events_init(struct dec_events *e, const struct zsr_event_map *map,
		    struct zsr_err *err)
{
	memset(e, 0, sizeof(*e));
	e->map = map;
	e->type = (struct dec_field){ .off = 0, .size = 2 };
	e->pid = (struct dec_field){ .off = 4, .size = 4 };
	tep_set_loglevel(TEP_LOG_NONE);
	e->tep = tep_alloc();
	e->by_id = calloc(NR_IDS, sizeof(*e->by_id));
	if (!e->tep || !e->by_id)
		return zsr_err_nomem(err, "event formats");
	tep_set_long_size(e->tep, 8);
	return 0;
}

void dec_events_free(struct dec_events *e)
{
	if (e->tep)
		tep_free(e->tep);
	dec_guess_free(e);
	free(e->symbol);
	free(e->by_id);
	free(e->ev);
	memset(e, 0, sizeof(*e));
}

/* The word behind "KEY: " at the start of a line. */
static const char *value_of(const char *text, size_t len, const char *key,
			    size_t *n)
{
	size_t k = strlen(key);
	const char *p = text, *end = text + len;

	while (p && (size_t)(end - p) > k) {
		if (!memcmp(p, key, k)) {
			p += k;
			for (*n = 0;
			     p + *n < end && p[*n] != '\n' && p[*n] != '\r';)
				++*n;
			return p;
		}
		p = memchr(p, '\n', (size_t)(end - p));
		if (p)
			p++;
	}
	return NULL;
}

/* "p:GROUP/NAME SYMBOL ..." or "r10:GROUP/NAME SYMBOL ..." in PROBES. */
static enum dec_func func_of_probe(const char *probes, const char *name,
				   size_t len)
{
	const char *p = probes;

	for (; p && *p; p = strchr(p, '\n'), p += p != NULL) {
		const char *slash = strpbrk(p, "/\n"), *sym;

		if (!slash || *slash == '\n')
			continue;
		if (strncmp(slash + 1, name, len) || slash[1 + len] != ' ')
			continue;
		sym = slash + 1 + len + strspn(slash + 1 + len, " ");
		return dec_func_of_symbol(sym, strcspn(sym, "+ %\n"));
	}
	return DEC_NO_FUNC;
}

static int to_field(struct dec_field *to, const struct tep_format_field *f,
		    const char *event, struct zsr_err *err)
{
	if (f->offset < 0 || f->offset > UINT16_MAX - 8 ||
	    (f->size != 1 && f->size != 2 && f->size != 4 && f->size != 8))
		return zsr_err_input(err,
				     "event %s: field %s at offset %d has size"
				     " %d",
				     event, f->name, f->offset, f->size);
	to->off = (uint16_t)f->offset;
	to->size = (uint8_t)f->size;
	return 0;
}

static void require(struct dec_event *ev, struct dec_field f)
{
	if (f.size)
		ev->min_len = (uint16_t)zsr_max(ev->min_len, f.off + f.size);
}

static int common_fields(struct dec_events *e, struct dec_event *ev,
			 const struct tep_event *te, struct zsr_err *err)
{
	const struct tep_format_field *f;
	int ret = 0;

	for (f = te->format.common_fields; f && !ret; f = f->next) {
		if (!strcmp(f->name, "common_type"))
			ret = to_field(&e->type, f, ev->name, err);
		else if (!strcmp(f->name, "common_pid"))
			ret = to_field(&ev->pid, f, ev->name, err);
	}
	if (ret)
		return ret;
	if (!ev->pid.size)
		return zsr_err_input(err, "event %s: no field common_pid",
				     ev->name);
	if (e->type.size > 2)
		return zsr_err_input(err, "event %s: common_type of %u bytes",
				     ev->name, e->type.size);
	e->pid = ev->pid;
	require(ev, ev->pid);
	return 0;
}

/* How long its data may be. The kernel rounds it up, to 8 bytes at most; a
 * longer event has a damaged length and swallowed what came after it. */
static void bound(struct dec_event *ev, const struct tep_event *te)
{
	const struct tep_format_field *f;
	unsigned len = ev->min_len;

	ev->max_len = UINT16_MAX;
	for (f = te->format.fields; f; f = f->next) {
		if (f->flags & (TEP_FIELD_IS_DYNAMIC | TEP_FIELD_IS_STRING) ||
		    f->offset < 0 || f->size <= 0 ||
		    f->offset > UINT16_MAX / 4 || f->size > UINT16_MAX / 4)
			return;
		len = zsr_max(len, (unsigned)(f->offset + f->size));
	}
	ev->max_len = (uint16_t)(len + 8);
}

/* A string: up to the event's end, of a size, or where two numbers say. */
static bool to_text(struct dec_event *ev, const struct tep_format_field *f)
{
	if (f->offset < 0 || f->size < 0 || f->offset + f->size > UINT16_MAX ||
	    f->flags & TEP_FIELD_IS_RELATIVE)
		return false;
	ev->text_is_far = f->flags & TEP_FIELD_IS_DYNAMIC;
	ev->text = (uint16_t)f->offset;
	ev->text_len = (uint16_t)f->size;
	ev->min_len = zsr_max(ev->min_len, ev->text + ev->text_len);
	return !ev->text_is_far || f->size == 4;
}

static int describe_mark(struct dec_event *ev, const struct tep_event *te,
			 const struct zsr_event_map *map,
			 const struct dec_means *m, struct zsr_err *err)
{
	const struct tep_format_field *f;

	for (f = te->format.fields; f; f = f->next) {
		if (dec_role_of(map, m, f->name, strlen(f->name)) != DEC_TEXT)
			continue;
		if (!to_text(ev, f))
			break;
		ev->shape.kind = ZSR_REC_MARK;
		ev->max_len = UINT16_MAX;
		return 0;
	}
	return zsr_err_input(err, "event %s: no field %s", ev->name,
			     m->own ? "text" : "buf");
}

/* The tracer's events tell their function by its address. Times of a call are
 * the tracer's own, taken nearer to the function than its event's. */
static int describe_graph(struct dec_event *ev, const struct tep_event *te,
			  bool is_ret, struct zsr_err *err)
{
	const struct {
		const char *name;
		struct dec_field *to;
	} fields[] = {
		{ "func", &ev->graph_func },
		{ "calltime", &ev->graph_begin },
		{ "rettime", &ev->graph_end },
	};
	const struct tep_format_field *f;
	size_t i;
	int ret = 0;

	ev->graph = true;
	ev->shape.kind = is_ret ? ZSR_REC_FREE_RET : ZSR_REC_FREE;
	ev->max_len = UINT16_MAX;
	for (f = te->format.fields; f; f = f->next)
		for (i = 0; i < ZSR_ARRAY_SIZE(fields) && !ret; i++)
			if (!strcmp(f->name, fields[i].name))
				ret = to_field(fields[i].to, f, ev->name, err);
	if (!ret && !ev->graph_func.size)
		ret = zsr_err_input(err, "event %s: no field func", ev->name);
	for (i = 0; i < ZSR_ARRAY_SIZE(fields); i++)
		require(ev, *fields[i].to);
	return ret;
}

static int describe_probe(struct dec_event *ev, const struct tep_event *te,
			  const struct zsr_event_map *map, struct dec_means *m,
			  struct zsr_err *err)
{
	const struct tep_format_field *f;
	unsigned roles = 0;
	int ret;

	for (f = te->format.fields; f && !m->own; f = f->next)
		if (!strcmp(f->name, "__probe_ret_ip"))
			m->is_ret = 1;
		else if (!strcmp(f->name, "__probe_ip"))
			m->is_ret = 0;
	for (f = te->format.fields; f; f = f->next) {
		enum dec_role role = dec_role_of(map, m, f->name,
						 strlen(f->name));

		if (role >= DEC_NR_ROLES || (roles & (1u << role)))
			continue;
		ret = to_field(&ev->arg[ev->nr], f, ev->name, err);
		if (ret)
			return ret;
		require(ev, ev->arg[ev->nr]);
		if (role == DEC_HANDLE)
			ev->shape.handle_bytes = ev->arg[ev->nr].size;
		ev->arg[ev->nr++].role = (uint8_t)role;
		roles |= 1u << role;
	}
	bound(ev, te);
	return dec_shape_of(&ev->shape, m, roles, ev->name, err);
}

static bool skip_word(const char **p, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(*p, word, n))
		return false;
	*p += n;
	return true;
}

static bool skip_set(const char **p, const char *set)
{
	size_t n = strspn(*p, set);

	*p += n;
	return n;
}

#define DIGITS  "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"

/* "\tfield:TYPE NAME[N];\toffset:N;\tsize:N;\tsigned:N;" */
static bool is_field(const char *p)
{
	if (!skip_word(&p, "\tfield:") ||
	    !skip_set(&p, LETTERS DIGITS " *[]()"))
		return false;
	if (!isalnum((unsigned char)p[-1]) && p[-1] != '_' && p[-1] != ']')
		return false;
	if (!skip_word(&p, ";\toffset:") || !skip_set(&p, DIGITS) ||
	    !skip_word(&p, ";\tsize:") || !skip_set(&p, DIGITS) ||
	    !skip_word(&p, ";"))
		return false;
	return !*p || (skip_word(&p, "\tsigned:") && skip_set(&p, "01") &&
		       skip_word(&p, ";") && !*p);
}

/* libtraceevent may die of a damaged format, so it gets none to see. */
static bool is_sound(char *text)
{
	unsigned nr_open = 0, nr_close = 0;
	char *line, *rest = text;
	bool in_fields = false, sound = true;

	while (sound && (line = strsep(&rest, "\n"))) {
		const char *p;

		for (p = line; *p; p++) {
			nr_open += *p == '[';
			nr_close += *p == ']';
		}
		if (!in_fields)
			in_fields = !strcmp(line, "format:");
		else
			sound = !*line || is_field(line);
		if (rest)
			rest[-1] = '\n';
	}
	return sound && in_fields && nr_open == nr_close;
}

/*
 * A format without its print format: fields are all that is needed, and the
 * parser of the other is large.
 */
static const struct tep_event *parse(struct dec_events *e, const char *system,
				     const char *text, size_t len, int id)
{
	static const char marker[] = "\nprint fmt:", plain[] = "\nprint fmt: "
							       "\"x\"\n";
	const char *at = memmem(text, len, marker, strlen(marker));
	size_t head = at ? (size_t)(at - text) : len;
	char *copy = malloc(head + sizeof(plain));
	const struct tep_event *te = NULL;

	if (!copy)
		return NULL;
	memcpy(copy, text, head);
	copy[head] = '\0';
	if (strlen(copy) == head && is_sound(copy)) {
		memcpy(copy + head, plain, sizeof(plain));
		tep_parse_event(e->tep, copy, head + strlen(plain), system);
		te = tep_find_event(e->tep, id);
	}
	free(copy);
	return te;
}

static int describe(const struct dec_events *e, const struct tep_event *te,
		    struct dec_means *m, struct dec_event *ev,
		    struct zsr_err *err)
{
	if (m->func == DEC_MARKER)
		return describe_mark(ev, te, e->map, m, err);
	if (m->func)
		return describe_probe(ev, te, e->map, m, err);
	return describe_graph(ev, te, !strcmp(ev->name, "funcgraph_exit"), err);
}

int dec_events_describe(struct dec_events *e, const char *system,
			const char *text, size_t len, unsigned long id,
			struct dec_means *m, const char *name,
			struct zsr_err *err)
{
	struct dec_event ev = { .shape.kind = ZSR_REC_OTHER };
	const struct tep_event *te;
	int ret;

	snprintf(ev.name, sizeof(ev.name), "%s", name);
	if (id >= NR_IDS)
		return zsr_err_input(err, "event %s: ID %lu is out of range",
				     ev.name, id);
	te = parse(e, system, text, len, (int)id);
	if (!te || !te->name || strcmp(te->name, ev.name))
		return zsr_err_input(err, "event %s: unreadable format",
				     ev.name);
	ret = common_fields(e, &ev, te, err);
	if (!ret)
		ret = describe(e, te, m, &ev, err);
	if (ret)
		return ret;
	if (e->nr >= NR_IDS - 1 ||
	    zsr_grow(&e->ev, &e->cap, e->nr + 1, sizeof(*e->ev)))
		return zsr_err_nomem(err, "event formats");
	e->ev[e->nr++] = ev;
	e->by_id[id] = (uint16_t)e->nr;
	return 0;
}

int dec_events_add(struct dec_events *e, const char *system, const char *text,
		   size_t len, const char *probes, struct zsr_err *err)
{
	const char *value, *id;
	struct dec_means m = { 0 };
	char name[64], full[200];
	size_t n, id_len;

	value = value_of(text, len, "name: ", &n);
	id = value_of(text, len, "ID: ", &id_len);
	if (!value || !n || !id || !id_len || !isdigit((unsigned char)*id))
		return zsr_err_input(err, "event format without name or ID");
	snprintf(name, sizeof(name), "%.*s", (int)zsr_min(n, (size_t)1000),
		 value);
	snprintf(full, sizeof(full), "%.60s:%.*s", system,
		 (int)zsr_min(n, (size_t)100), value);
	if (!dec_means_of_event(e->map, full, strlen(full), &m) && !m.own &&
	    probes)
		m.func = func_of_probe(probes, value, n);
	if (m.own && !m.func)
		return 0;
	if (!m.func && strcmp(name, "funcgraph_entry") &&
	    strcmp(name, "funcgraph_exit"))
		return dec_guess_keep(e, system, value, n,
				      strtoul(id, NULL, 10), text, len, err);
	return dec_events_describe(e, system, text, len, strtoul(id, NULL, 10),
				   &m, name, err);
}

int dec_events_ready(struct dec *d, struct dec_events *e, struct zsr_err *err)
{
	int ret = dec_guess(d, e, err);
	bool plain = false;
	size_t i;

	if (ret)
		return ret;
	for (i = 0; i < e->nr; i++)
		plain |= dec_is_plain_return(&e->ev[i].shape);
	for (i = 0; plain && i < e->nr; i++)
		dec_only_place(&e->ev[i].shape);
	return 0;
}

static inline uint64_t get(const uint8_t *p, struct dec_field f)
{
	uint64_t v64;
	uint32_t v32;
	uint16_t v16;

	switch (f.size) {
	case 8:
		memcpy(&v64, p + f.off, 8);
		return v64;
	case 4:
		memcpy(&v32, p + f.off, 4);
		return v32;
	case 2:
		memcpy(&v16, p + f.off, 2);
		return v16;
	case 1:
		return p[f.off];
	default:
		return 0;
	}
}

static int no_room(const struct dec_event *ev, unsigned len, struct zsr_err *err)
{
	return zsr_err_input(err, "%s has %u bytes, its fields take %u",
			     ev->name, len, ev->min_len);
}

static int emit_mark(struct dec *d, const struct dec_event *ev,
		     struct zsr_rec *at, const uint8_t *data, unsigned len,
		     struct zsr_err *err)
{
	unsigned off = ev->text, room = ev->text_len;

	if (ev->text_is_far) {
		const struct dec_field where = { .off = ev->text, .size = 4 };

		off = get(data, where) & 0xffff;
		room = (unsigned)(get(data, where) >> 16);
	}
	if (off > len || room > len - off)
		return no_room(ev, len, err);
	if (!ev->text_len)
		room = len - off;
	dec_mark(d, at, (const char *)data + off,
		 strnlen((const char *)data + off, room));
	return 0;
}

static void emit_call(struct dec *d, const struct dec_event *ev,
		      const struct zsr_rec *at, const uint8_t *data)
{
	uint64_t v[DEC_NR_ROLES] = { 0 };
	unsigned i;

	for (i = 0; i < ev->nr; i++)
		v[ev->arg[i].role] = get(data, ev->arg[i]);
	dec_emit(d->out, &ev->shape, at, v);
}

static void emit_graph(struct dec *d, const struct dec_events *e,
		       const struct dec_event *ev, unsigned cpu, uint64_t t_ns,
		       const uint8_t *data)
{
	struct zsr_rec rec = {
		.t_ns = t_ns,
		.pid = (int32_t)get(data, ev->pid),
		.cpu = (uint16_t)cpu,
	};
	uint64_t from = get(data, ev->graph_begin),
		 to = get(data, ev->graph_end);
	bool timed = ev->graph_begin.size && ev->graph_end.size && to >= from;

	dec_graph_emit(d, dec_graph_func(e, get(data, ev->graph_func)),
		       ev->shape.kind == ZSR_REC_FREE_RET, rec,
		       timed ? to - from : UINT64_MAX);
}

int dec_events_emit(struct dec *d, const struct dec_events *e, unsigned cpu,
		    uint64_t t_ns, const uint8_t *data, unsigned len,
		    struct zsr_err *err)
{
	struct zsr_rec at = { .t_ns = t_ns, .cpu = (uint16_t)cpu };
	const struct dec_event *ev;
	unsigned index;
	uint64_t id;

	if (len < (unsigned)e->type.off + e->type.size)
		return zsr_err_input(err, "%u bytes are too few for an event",
				     len);
	id = get(data, e->type);
	index = e->by_id[id];
	if (!index) {
		at.kind = ZSR_REC_OTHER;
		if (len >= (unsigned)e->pid.off + e->pid.size)
			at.pid = (int32_t)get(data, e->pid);
		*dec_out_rec(d->out) = at;
		return 0;
	}
	ev = &e->ev[index - 1];
	if (len < ev->min_len || len > ev->max_len)
		return no_room(ev, len, err);
	if (ev->graph) {
		emit_graph(d, e, ev, cpu, t_ns, data);
		return 0;
	}
	at.pid = (int32_t)get(data, ev->pid);
	if (ev->shape.kind == ZSR_REC_MARK)
		return emit_mark(d, ev, &at, data, len, err);
	emit_call(d, ev, &at, data);
	return 0;
}
