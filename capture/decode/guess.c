// SPDX-License-Identifier: GPL-2.0-only
/*
 * Probes whose names say nothing: "zf" and "zfr" instead of zs_free and
 * zs_free_ret. Their fields say a little.
 */
#include <stdlib.h>
#include <string.h>

#include "capture/decode/decode.h"

#define MAX_GUESSES 64
#define MAX_FORMAT  8192

struct dec_guess {
	char system[64], name[64];
	char *text;
	size_t len;
	unsigned long id;
	unsigned roles; /* of its fields, if it were zs_free's */
	unsigned nr_fields;
	bool is_ret;
	bool known;
};

static bool holds(const char *text, size_t len, const char *word)
{
	return memmem(text, len, word, strlen(word));
}

/* "\tfield:u64 handle;\toffset:..." of all but the probe's own fields. */
static void read_fields(const struct dec_events *e, struct dec_guess *g)
{
	static const char begin[] = "\tfield:";
	const char *end = g->text + g->len, *p = g->text, *stop, *name;

	while ((p = memmem(p, (size_t)(end - p), begin, strlen(begin)))) {
		static const struct dec_means is_free = { .func = DEC_FREE };
		enum dec_role role;

		p += strlen(begin);
		stop = memchr(p, ';', (size_t)(end - p));
		if (!stop)
			break;
		for (name = stop; name > p && name[-1] != ' ';)
			name--;
		if (!strncmp(name, "common_", 7) || !strncmp(name, "__probe", 7))
			continue;
		role = dec_role_of(e->map, &is_free, name,
				   (size_t)(stop - name));
		if (role < DEC_NR_ROLES)
			g->roles |= 1u << role;
		g->nr_fields++;
	}
}

int dec_guess_keep(struct dec_events *e, const char *system, const char *name,
		   size_t name_len, unsigned long id, const char *text,
		   size_t len, struct zsr_err *err)
{
	bool is_ret = holds(text, len, " __probe_ret_ip;");
	struct dec_guess *g;

	if ((!is_ret && !holds(text, len, " __probe_ip;")) ||
	    e->nr_guesses == MAX_GUESSES || len > MAX_FORMAT ||
	    name_len >= sizeof(g->name) || strlen(system) >= sizeof(g->system))
		return 0;
	if (zsr_grow(&e->guess, &e->cap_guesses, e->nr_guesses + 1, sizeof(*g)))
		return zsr_err_nomem(err, "event formats");
	g = &e->guess[e->nr_guesses];
	*g = (struct dec_guess){ .len = len, .id = id, .is_ret = is_ret };
	strcpy(g->system, system);
	memcpy(g->name, name, name_len);
	g->text = malloc(len + 1);
	if (!g->text)
		return zsr_err_nomem(err, "event formats");
	memcpy(g->text, text, len);
	g->text[len] = '\0';
	e->nr_guesses++;
	read_fields(e, g);
	return 0;
}

void dec_guess_free(struct dec_events *e)
{
	size_t i;

	for (i = 0; i < e->nr_guesses; i++)
		free(e->guess[i].text);
	free(e->guess);
}

/* The return that belongs to an entry: its name goes on. */
static struct dec_guess *return_of(const struct dec_events *e,
				   const struct dec_guess *entry)
{
	static const char *const endings[] = { "r",    "_r",      "ret",
					       "_ret", "_return", "_exit" };
	size_t n = strlen(entry->name), i, j;

	for (i = 0; i < e->nr_guesses; i++) {
		struct dec_guess *g = &e->guess[i];

		if (!g->is_ret || g->known || g->nr_fields ||
		    strcmp(g->system, entry->system) ||
		    strncmp(g->name, entry->name, n))
			continue;
		for (j = 0; j < ZSR_ARRAY_SIZE(endings); j++)
			if (!strcmp(g->name + n, endings[j]))
				return g;
	}
	return NULL;
}

static int describe(struct dec *d, struct dec_events *e, struct dec_guess *g,
		    enum dec_func func, const char *what, struct zsr_err *err)
{
	struct dec_means m = { .func = func, .is_ret = g->is_ret };
	char key[80];

	g->known = true;
	snprintf(key, sizeof(key), "guess.%s", g->name);
	dec_out_meta(d->out, key, what);
	return dec_events_describe(e, g->system, g->text, g->len, g->id, &m,
				   g->name, err);
}

static int describe_pair(struct dec *d, struct dec_events *e,
			 struct dec_guess *entry, struct dec_guess *ret,
			 enum dec_func func, const char *what,
			 struct zsr_err *err)
{
	int bad = describe(d, e, entry, func, what, err);

	return bad ? bad : describe(d, e, ret, func, what, err);
}

static bool has_kind(const struct dec_events *e, int kind)
{
	size_t i;

	for (i = 0; i < e->nr; i++)
		if (e->ev[i].shape.kind == kind && !e->ev[i].graph)
			return true;
	return false;
}

/* The only pair of events with NR_FIELDS fields of ROLES, else NULL. */
static struct dec_guess *only(struct dec_events *e, unsigned roles,
			      unsigned nr_fields, struct dec_guess **ret)
{
	struct dec_guess *found = NULL, *g, *r;

	for (g = e->guess; g < e->guess + e->nr_guesses; g++) {
		if (g->is_ret || g->known || g->roles != roles ||
		    g->nr_fields != nr_fields)
			continue;
		r = return_of(e, g);
		if (!r)
			continue;
		if (found)
			return NULL;
		found = g;
		*ret = r;
	}
	return found;
}

int dec_guess(struct dec *d, struct dec_events *e, struct zsr_err *err)
{
	struct dec_guess *g, *ret;
	int bad = 0;

	if (!has_kind(e, ZSR_REC_FREE)) {
		g = only(e, 1u << DEC_POOL | 1u << DEC_HANDLE, 2, &ret);
		if (!g)
			return 0;
		bad = describe_pair(d, e, g, ret, DEC_FREE, "zs_free", err);
	}
	if (bad || has_kind(e, ZSR_REC_EMPTY) || !has_kind(e, ZSR_REC_FREE_RET))
		return bad;
	g = only(e, 0, 0, &ret);
	return g ? describe_pair(d, e, g, ret, DEC_EMPTY,
				 "a function that does next to nothing", err)
		 : 0;
}
