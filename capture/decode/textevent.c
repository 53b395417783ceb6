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
static bool is_plain_return(const struct text_event *ev, const char *line,
			    const char *end)
{
	struct text_head h;
	struct text_where w;
	enum dec_func func;
	const char *colon, *p;
	int ignored;
	size_t len;

	if (!memmem(line, (size_t)(end - line), " <- ", 4) ||
	    !text_head(&h, line, end))
		return false;
	colon = memchr(h.rest, ':', (size_t)(end - h.rest));
	if (!colon)
		return false;
	len = (size_t)(colon - h.rest);
	for (p = colon + 1; p < end && *p == ' ';)
		p++;
	if (same(h.rest, len, ev->name, ev->name_len) ||
	    !text_where(&w, p, end) || !w.is_ret)
		return false;
	func = dec_func_of_event(h.rest, len, &ignored);
	if (!func && w.symbol)
		func = dec_func_of_symbol(w.symbol, w.symbol_len);
	return func == DEC_MALLOC;
}

/* Whether another event tells of zs_malloc's return too, as far as the text
 * that was read already reaches. */
static bool has_plain_return(const struct text_events *t,
			     const struct text_event *ev, const char *ahead,
			     const char *end)
{
	const char *nl;
	size_t i;

	for (i = 0; i < TEXT_EVENTS; i++)
		if (!t->ev[i].place && (t->ev[i].kind == ZSR_REC_MALLOC_RET ||
					t->ev[i].kind == ZSR_REC_MALLOC_DONE))
			return true;
	for (; ahead < end; ahead = nl + 1) {
		nl = memchr(ahead, '\n', (size_t)(end - ahead));
		if (!nl)
			break;
		if (is_plain_return(ev, ahead, nl))
			return true;
	}
	return false;
}

static enum dec_role role_of(struct text_event *ev, unsigned index,
			     const struct text_pair *pair)
{
	struct text_key *key;

	if (index < ev->nr_keys) {
		key = &ev->keys[index];
		if (same(key->name, key->len, pair->key, pair->key_len))
			return key->role;
	}
	return dec_role_of(ev->func, ev->is_ret, pair->key, pair->key_len);
}

static void learn(struct text_event *ev, const struct text_where *w,
		  const char *end)
{
	const char *p = w->rest;
	struct text_pair pair;
	int is_ret = w->is_ret;

	ev->kind = ZSR_REC_OTHER;
	ev->func = dec_func_of_event(ev->name, ev->name_len, &is_ret);
	if (!ev->func && w->symbol)
		ev->func = dec_func_of_symbol(w->symbol, w->symbol_len);
	ev->is_ret = w->is_ret;
	if (!ev->func)
		return;
	while (text_pair(&pair, &p, end)) {
		enum dec_role role = dec_role_of(ev->func, ev->is_ret, pair.key,
						 pair.key_len);

		if (role != DEC_NO_ROLE)
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

static int settle(const struct text_events *t, struct text_event *ev,
		  const char *ahead, const char *end, struct zsr_err *err)
{
	const char *missing = NULL;
	int kind;

	kind = dec_kind_of(ev->func, ev->is_ret, ev->roles, &ev->place,
			   &missing);
	if (kind < 0)
		return zsr_err_input(err, "event %s: no field %s", ev->name,
				     missing);
	ev->kind = (uint8_t)kind;
	ev->has = (uint8_t)dec_has_of(ev->kind, ev->roles);
	if (kind == ZSR_REC_MALLOC_RET && ev->place &&
	    has_plain_return(t, ev, ahead, end)) {
		ev->kind = ZSR_REC_PLACE;
		ev->place = false;
	}
	return 0;
}

static const char *const role_names[] = {
	[DEC_POOL] = "pool",     [DEC_HANDLE] = "handle", [DEC_SIZE] = "size",
	[DEC_GFP] = "gfp",       [DEC_FREED] = "freed",   [DEC_OBJ] = "obj",
	[DEC_ZSPAGE] = "zspage", [DEC_CALLER] = "caller",
};

static int values(struct text_event *ev, const struct text_where *w,
		  const char *end, uint64_t v[DEC_NR_ROLES], struct zsr_err *err)
{
	unsigned roles = 0, index = 0, role;
	const char *p = w->rest;
	struct text_pair pair;

	while (text_pair(&pair, &p, end)) {
		role = role_of(ev, index++, &pair);
		if (role == DEC_NO_ROLE || (roles & (1u << role)))
			continue;
		if (!text_number(pair.value, pair.value_len, &v[role]))
			return zsr_err_input(
				err,
				"event %s: field %s: '%.*s' is no "
				"number",
				ev->name, role_names[role],
				(int)zsr_min(pair.value_len, (size_t)40),
				pair.value);
		roles |= 1u << role;
	}
	for (role = 0; role < DEC_NR_ROLES; role++)
		if (ev->roles & ~roles & (1u << role))
			return zsr_err_input(err, "event %s: no field %s",
					     ev->name, role_names[role]);
	return 0;
}

static void other(struct dec *d, const struct text_head *h)
{
	*dec_out_rec(d->out) = (struct zsr_rec){
		.t_ns = h->t_ns,
		.pid = h->pid,
		.cpu = (uint16_t)h->cpu,
		.kind = ZSR_REC_OTHER,
		.has = h->coarse ? ZSR_REC_COARSE_TIME : 0,
	};
}

static void emit(struct dec *d, const struct text_event *ev,
		 const struct text_head *h, const struct text_where *w,
		 const uint64_t v[DEC_NR_ROLES])
{
	struct zsr_rec rec = {
		.t_ns = h->t_ns,
		.pool = v[DEC_POOL],
		.handle = v[DEC_HANDLE],
		.caller = v[DEC_CALLER],
		.gfp = (uint32_t)v[DEC_GFP],
		.pid = h->pid,
		.cpu = (uint16_t)h->cpu,
		.kind = ev->kind,
		.has = ev->has,
	};

	if (h->coarse)
		rec.has |= ZSR_REC_COARSE_TIME;
	if (w->caller) {
		rec.caller = w->caller;
		rec.has |= ZSR_REC_HAS_CALLER;
	}
	rec.value = ev->kind == ZSR_REC_COMPACT_RET   ? v[DEC_FREED]
		    : ev->kind == ZSR_REC_ZSPAGE_FREE ? v[DEC_ZSPAGE]
		    : ev->kind == ZSR_REC_PLACE       ? v[DEC_OBJ]
						      : v[DEC_SIZE];
	*dec_out_rec(d->out) = rec;
	if (ev->place) {
		rec.kind = ZSR_REC_PLACE;
		rec.value = v[DEC_OBJ];
		*dec_out_rec(d->out) = rec;
	}
}

int text_event(struct dec *d, struct text_events *t, const struct text_head *h,
	       const char *name, size_t name_len, const char *p,
	       const char *end, const char *ahead_end, struct zsr_err *err)
{
	uint64_t v[DEC_NR_ROLES] = { 0 };
	struct text_event *ev;
	struct text_where w;
	bool fresh;
	int ret;

	if (!text_where(&w, p, end)) {
		other(d, h);
		return 0;
	}
	ev = find(t, name, name_len, &fresh);
	if (!ev) {
		other(d, h);
		return 0;
	}
	if (fresh) {
		learn(ev, &w, end);
		ret = ev->func ? settle(t, ev, end, ahead_end, err) : 0;
		if (ret)
			return ret;
	}
	if (ev->kind == ZSR_REC_OTHER) {
		other(d, h);
		return 0;
	}
	if (w.is_ret != ev->is_ret)
		return zsr_err_input(err, "event %s: now a %s, then a %s",
				     ev->name, w.is_ret ? "return" : "call",
				     w.is_ret ? "call" : "return");
	ret = values(ev, &w, end, v, err);
	if (!ret)
		emit(d, ev, h, &w, v);
	return ret;
}
