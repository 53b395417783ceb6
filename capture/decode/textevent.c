// SPDX-License-Identifier: GPL-2.0-only
/*
 * Probe events in text form. The first line of an event tells what it means
 * and in which order its fields come; later ones are held against that.
 */
#include <string.h>

#include "capture/decode/text.h"

static bool same(const char *a, size_t a_len, const char *b, size_t b_len)
{
	return a_len == b_len && !memcmp(a, b, a_len);
}

static struct text_event *find(struct text_events *t, const char *name,
			       size_t len, bool *fresh)
{
	uint32_t hash = 2166136261u;
	size_t i;

	for (i = 0; i < len; i++)
		hash = (hash ^ (uint8_t)name[i]) * 16777619u;
	for (i = hash % TEXT_EVENTS;; i = (i + 1) % TEXT_EVENTS) {
		struct text_event *ev = &t->ev[i];

		if (!ev->name_len)
			break;
		if (same(ev->name, ev->name_len, name, len)) {
			*fresh = false;
			return ev;
		}
	}
	*fresh = true;
	if (len >= sizeof(t->ev[i].name) || t->nr >= TEXT_EVENTS / 2)
		return NULL;
	t->nr++;
	memcpy(t->ev[i].name, name, len);
	t->ev[i].name_len = len;
	return &t->ev[i];
}

/* Whether LINE is a plain return of zs_malloc, of another event than EV. */
static bool is_plain_return(const struct dec *d, const struct text_events *t,
			    const struct text_event *ev, const char *line,
			    const char *end)
{
	struct dec_means m = { 0 };
	struct text_head h;
	struct text_where w;

	if (!memmem(line, (size_t)(end - line), " <- ", 4) ||
	    !t->head(&h, line, end) || !h.name_len)
		return false;
	if (same(h.name, h.name_len, ev->name, ev->name_len) ||
	    !text_where(&w, h.rest, end) || !w.is_ret)
		return false;
	if (!dec_means_of_event(d->map, h.name, h.name_len, &m) && !m.own &&
	    w.symbol)
		m.func = dec_func_of_symbol(w.symbol, w.symbol_len);
	return m.func == DEC_MALLOC;
}

/* Whether another event tells of zs_malloc's return too, as far as the text
 * that was read already reaches. */
static bool has_plain_return(const struct dec *d, const struct text_events *t,
			     const struct text_event *ev, const char *ahead,
			     const char *end)
{
	const char *nl;
	size_t i;

	for (i = 0; i < TEXT_EVENTS; i++)
		if (t->ev[i].name_len && &t->ev[i] != ev &&
		    dec_is_plain_return(&t->ev[i].shape))
			return true;
	for (; ahead < end; ahead = nl + 1) {
		nl = memchr(ahead, '\n', (size_t)(end - ahead));
		if (!nl)
			break;
		if (is_plain_return(d, t, ev, ahead, nl))
			return true;
	}
	return false;
}

static enum dec_role role_of(const struct dec *d, struct text_event *ev,
			     unsigned index, const struct text_pair *pair)
{
	struct text_key *key;

	if (index < ev->nr_keys) {
		key = &ev->keys[index];
		if (same(key->name, key->len, pair->key, pair->key_len))
			return key->role;
	}
	return dec_role_of(d->map, &ev->means, pair->key, pair->key_len);
}

static void learn_keys(const struct dec *d, struct text_event *ev,
		       const char *p, const char *end)
{
	struct text_pair pair;

	while (text_pair(&pair, &p, end)) {
		enum dec_role role = dec_role_of(d->map, &ev->means, pair.key,
						 pair.key_len);

		if (role < DEC_NR_ROLES)
			ev->roles |= 1u << role;
		if (ev->nr_keys >= TEXT_KEYS ||
		    pair.key_len > sizeof(ev->keys[0].name))
			continue;
		ev->keys[ev->nr_keys].role = role;
		ev->keys[ev->nr_keys].len = pair.key_len;
		memcpy(ev->keys[ev->nr_keys].name, pair.key, pair.key_len);
		ev->nr_keys++;
	}
}

/* Only of events that a map names need there be no brackets. */
static bool where(const struct text_event *ev, struct text_where *w,
		  const char *p, const char *end)
{
	if (text_where(w, p, end))
		return true;
	w->rest = p;
	return ev->means.own;
}

static int learn(struct dec *d, const struct text_events *t,
		 struct text_event *ev, const struct text_head *h,
		 const char *end, const char *ahead, struct zsr_err *err)
{
	struct dec_means *m = &ev->means;
	struct text_where w;
	int ret;

	ev->shape.kind = ZSR_REC_OTHER;
	dec_means_of_event(d->map, ev->name, ev->name_len, m);
	if (m->func == DEC_MARKER) {
		ev->shape.kind = ZSR_REC_MARK;
		return 0;
	}
	if (!where(ev, &w, h->rest, end))
		return 0;
	if (!m->own) {
		m->is_ret = w.is_ret;
		if (!m->func && w.symbol)
			m->func = dec_func_of_symbol(w.symbol, w.symbol_len);
	}
	if (!m->func)
		return 0;
	learn_keys(d, ev, w.rest, end);
	ret = dec_shape_of(&ev->shape, m, ev->roles, ev->name, err);
	if (!ret && ev->shape.place && has_plain_return(d, t, ev, end, ahead))
		dec_only_place(&ev->shape);
	return ret;
}

static int values(struct dec *d, struct text_event *ev, const char *p,
		  const char *end, uint64_t v[DEC_NR_ROLES], struct zsr_err *err)
{
	unsigned roles = 0, index = 0, role;
	struct text_pair pair;

	while (text_pair(&pair, &p, end)) {
		role = role_of(d, ev, index++, &pair);
		if (role >= DEC_NR_ROLES || (roles & (1u << role)))
			continue;
		if (!text_number(pair.value, pair.value_len, &v[role]))
			return zsr_err_input(
				err,
				"event %s: field %s: '%.*s' is no "
				"number",
				ev->name, dec_role_name(role),
				(int)zsr_min(pair.value_len, (size_t)40),
				pair.value);
		roles |= 1u << role;
	}
	for (role = 0; role < DEC_NR_ROLES; role++)
		if (ev->roles & ~roles & (1u << role))
			return zsr_err_input(err, "event %s: no field %s",
					     ev->name, dec_role_name(role));
	return 0;
}

void text_mark(struct dec *d, struct text_event *ev, const struct text_head *h,
	       const char **text, const char **end)
{
	const char *p = h->rest, *stop = *end;
	struct text_pair pair;

	*text = p;
	while (ev->means.own && text_pair(&pair, &p, stop)) {
		if (dec_role_of(d->map, &ev->means, pair.key, pair.key_len) !=
		    DEC_TEXT)
			continue;
		*text = pair.value;
		if (pair.value_len > 1 && *pair.value == '"') {
			++*text;
			*end = pair.value + pair.value_len - 1;
		}
		return;
	}
	/* trace-cmd: "print: tracing_mark_write: text" */
	p = ev->name_len >= 5 && !memcmp(ev->name + ev->name_len - 5, "print", 5)
		    ? memmem(p, (size_t)(stop - p), ": ", 2)
		    : NULL;
	*text = p ? p + 2 : *text;
}

int text_event_of(struct dec *d, struct text_events *t,
		  const struct text_head *h, const char *end,
		  const char *ahead_end, struct text_event **ev,
		  struct zsr_err *err)
{
	bool fresh;

	*ev = h->name_len ? find(t, h->name, h->name_len, &fresh) : NULL;
	return *ev && fresh ? learn(d, t, *ev, h, end, ahead_end, err) : 0;
}

int text_event(struct dec *d, struct text_event *ev, const struct text_head *h,
	       const char *end, struct zsr_rec **rec, struct zsr_err *err)
{
	struct zsr_rec at = { .t_ns = h->t_ns,
			      .pid = h->pid,
			      .cpu = (uint16_t)h->cpu,
			      .has = h->coarse ? ZSR_REC_COARSE_TIME : 0 };
	uint64_t v[DEC_NR_ROLES] = { 0 };
	struct text_where w;
	int ret;

	*rec = NULL;
	if (!ev || ev->shape.kind == ZSR_REC_OTHER ||
	    !where(ev, &w, h->rest, end)) {
		at.kind = ZSR_REC_OTHER;
		*dec_out_rec(d->out) = at;
		return 0;
	}
	if (!ev->means.own && w.is_ret != ev->means.is_ret)
		return zsr_err_input(err, "event %s: now a %s, then a %s",
				     ev->name, w.is_ret ? "return" : "call",
				     w.is_ret ? "call" : "return");
	ret = values(d, ev, w.rest, end, v, err);
	if (ret)
		return ret;
	if (w.caller) {
		v[DEC_CALLER] = w.caller;
		at.has |= ZSR_REC_HAS_CALLER;
	}
	*rec = dec_emit(d->out, &ev->shape, &at, v);
	return 0;
}
