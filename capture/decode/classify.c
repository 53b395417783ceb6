// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an event means, from its name and its fields: the names that a map gives
 * a meaning, then those built in. Whoever armed the probes chose the names, so
 * the usual ways of naming are all understood: zs_malloc, zs_malloc_ret,
 * p_zs_malloc_0, zs_malloc__return, zs_free_exit...
 */
#include <ctype.h>
#include <string.h>

#include "capture/decode/csv.h"
#include "capture/decode/names.h"

/* ---- the names ---------------------------------------------------------- */

static const struct {
	uint8_t of; /* enum dec_names */
	uint8_t is;
	const char *name;
} names[] = {
	{ DEC_FUNCTION_NAME, DEC_MALLOC, "zs_malloc" },
	{ DEC_FUNCTION_NAME, DEC_FREE, "zs_free" },
	{ DEC_FUNCTION_NAME, DEC_COMPACT, "zs_compact" },
	{ DEC_FUNCTION_NAME, DEC_CREATE, "zs_create_pool" },
	{ DEC_FUNCTION_NAME, DEC_DESTROY, "zs_destroy_pool" },
	{ DEC_FUNCTION_NAME, DEC_FREE_ZSPAGE, "free_zspage" },
	{ DEC_FUNCTION_NAME, DEC_FREE_ZSPAGE, "__free_zspage" },
	{ DEC_FUNCTION_NAME, DEC_EMPTY, "zs_get_total_pages" },
	{ DEC_FUNCTION_NAME, DEC_MUNMAP, "munmap" },
	{ DEC_FUNCTION_NAME, DEC_MUNMAP, "__vm_munmap" },
	{ DEC_FUNCTION_NAME, DEC_EXIT, "exit_mmap" },
	/* What LTTng's users call their probes: zs_ is the kernel's. */
	{ DEC_FUNCTION_NAME, DEC_MALLOC, "zsm_malloc" },
	{ DEC_FUNCTION_NAME, DEC_FREE, "zsm_free" },

	{ DEC_EVENT_NAME, DEC_IS_MARK, "print" },
	{ DEC_EVENT_NAME, DEC_IS_MARK, "tracing_mark_write" },
	{ DEC_EVENT_NAME, DEC_IS_MARK, "write_marker_to_buffer" },
	/* Our own tracepoints: zsr-replay(1). */
	{ DEC_EVENT_NAME, DEC_IS_MALLOC_RET, "zsr:malloc" },
	{ DEC_EVENT_NAME, DEC_IS_FREE, "zsr:free_begin" },
	{ DEC_EVENT_NAME, DEC_IS_FREE_RET, "zsr:free_end" },
	{ DEC_EVENT_NAME, DEC_IS_COMPACT, "zsr:compact_begin" },
	{ DEC_EVENT_NAME, DEC_IS_COMPACT_RET, "zsr:compact_end" },
	{ DEC_EVENT_NAME, DEC_IS_PAGE_FREE, "zsr:zspage_free" },
	{ DEC_EVENT_NAME, DEC_IS_EMPTY, "zsr:cost_begin" },
	{ DEC_EVENT_NAME, DEC_IS_EMPTY_RET, "zsr:cost_end" },
	{ DEC_EVENT_NAME, DEC_IS_MARK, "zsr:mark" },
	/* Of system calls, as ftrace and LTTng name them. */
	{ DEC_EVENT_NAME, DEC_IS_MUNMAP, "sys_enter_munmap" },
	{ DEC_EVENT_NAME, DEC_IS_MUNMAP_RET, "sys_exit_munmap" },
	{ DEC_EVENT_NAME, DEC_IS_MUNMAP, "syscall_entry_munmap" },
	{ DEC_EVENT_NAME, DEC_IS_MUNMAP_RET, "syscall_exit_munmap" },

	{ DEC_FIELD_NAME, DEC_POOL, "pool" },
	{ DEC_FIELD_NAME, DEC_POOL, "zs_pool" },
	{ DEC_FIELD_NAME, DEC_HANDLE, "handle" },
	{ DEC_FIELD_NAME, DEC_SIZE, "size" },
	{ DEC_FIELD_NAME, DEC_SIZE, "len" },
	{ DEC_FIELD_NAME, DEC_SIZE, "bytes" },
	{ DEC_FIELD_NAME, DEC_GFP, "gfp" },
	{ DEC_FIELD_NAME, DEC_GFP, "gfp_flags" },
	{ DEC_FIELD_NAME, DEC_GFP, "flags" },
	{ DEC_FIELD_NAME, DEC_FREED, "freed" },
	{ DEC_FIELD_NAME, DEC_FREED, "pages" },
	{ DEC_FIELD_NAME, DEC_OBJ, "obj" },
	{ DEC_FIELD_NAME, DEC_ZSPAGE, "zspage" },
	{ DEC_FIELD_NAME, DEC_CALLER, "__probe_ret_ip" },
	{ DEC_FIELD_NAME, DEC_CALLER, "_probe_ret_ip" }, /* in CTF */
	{ DEC_FIELD_NAME, DEC_CALLER, "caller" },
	{ DEC_FIELD_NAME, DEC_TEXT, "buf" },
	{ DEC_FIELD_NAME, DEC_TEXT, "msg" },
	{ DEC_FIELD_NAME, DEC_PID, "common_pid" },
	{ DEC_FIELD_NAME, DEC_PID, "perf_tid" },
	{ DEC_FIELD_NAME, DEC_CPU, "cpu_id" },

	{ DEC_CONTEXT_NAME, DEC_PID, "tid" },
	{ DEC_CONTEXT_NAME, DEC_PID, "vtid" },
	{ DEC_CONTEXT_NAME, DEC_PID, "pid" },
	{ DEC_CONTEXT_NAME, DEC_COMM, "procname" },
	{ DEC_CONTEXT_NAME, DEC_CPU, "cpu_id" },

	{ DEC_KIND_NAME, DEC_IS_MALLOC_DONE, "malloc" },
	{ DEC_KIND_NAME, DEC_IS_MALLOC_DONE, "M" },
	{ DEC_KIND_NAME, DEC_IS_FREE, "free" },
	{ DEC_KIND_NAME, DEC_IS_FREE, "F" },
	{ DEC_KIND_NAME, DEC_IS_FREE_RET, "free_ret" },
	{ DEC_KIND_NAME, DEC_IS_FREE_RET, "f" },
	{ DEC_KIND_NAME, DEC_IS_COMPACT, "compact" },
	{ DEC_KIND_NAME, DEC_IS_COMPACT, "C" },
	{ DEC_KIND_NAME, DEC_IS_PAGE_FREE, "page_free" },
	{ DEC_KIND_NAME, DEC_IS_PAGE_FREE, "P" },
	{ DEC_KIND_NAME, DEC_IS_MARK, "mark" },
	{ DEC_KIND_NAME, DEC_IS_MARK, "T" },
	{ DEC_KIND_NAME, DEC_IS_LOST, "lost" },
	{ DEC_KIND_NAME, DEC_IS_LOST, "L" },

	{ DEC_COLUMN_NAME, CSV_pid, "tid" },
	{ DEC_COLUMN_NAME, CSV_kind, "event" },
};

static const struct {
	const char *word;
	enum dec_func func;
	int is_ret;
} meanings[DEC_NR_MEANINGS] = {
	[DEC_IS_NONE] = { "none", DEC_NO_FUNC, 0 },
	[DEC_IS_MALLOC] = { "malloc", DEC_MALLOC, 0 },
	[DEC_IS_MALLOC_RET] = { "malloc_ret", DEC_MALLOC, 1 },
	[DEC_IS_MALLOC_DONE] = { "malloc_done", DEC_MALLOC, 1 },
	[DEC_IS_FREE] = { "free", DEC_FREE, 0 },
	[DEC_IS_FREE_RET] = { "free_ret", DEC_FREE, 1 },
	[DEC_IS_FREE_DONE] = { "free_done", DEC_FREE, 0 },
	[DEC_IS_COMPACT] = { "compact", DEC_COMPACT, 0 },
	[DEC_IS_COMPACT_RET] = { "compact_ret", DEC_COMPACT, 1 },
	[DEC_IS_CREATE] = { "pool_create", DEC_CREATE, 1 },
	[DEC_IS_DESTROY] = { "pool_destroy", DEC_DESTROY, 0 },
	[DEC_IS_PAGE_FREE] = { "page_free", DEC_FREE_ZSPAGE, 0 },
	[DEC_IS_PAGE_FREE_RET] = { "page_free_ret", DEC_FREE_ZSPAGE, 1 },
	[DEC_IS_EMPTY] = { "empty", DEC_EMPTY, 0 },
	[DEC_IS_EMPTY_RET] = { "empty_ret", DEC_EMPTY, 1 },
	[DEC_IS_MUNMAP] = { "munmap", DEC_MUNMAP, 0 },
	[DEC_IS_MUNMAP_RET] = { "munmap_ret", DEC_MUNMAP, 1 },
	[DEC_IS_EXIT] = { "exit", DEC_EXIT, 0 },
	[DEC_IS_EXIT_RET] = { "exit_ret", DEC_EXIT, 1 },
	[DEC_IS_MARK] = { "mark", DEC_MARKER, 0 },
	[DEC_IS_LOST] = { "lost", DEC_LOSS, 0 },
};

static const char *const role_names[DEC_NO_ROLE] = {
	[DEC_POOL] = "pool",     [DEC_HANDLE] = "handle", [DEC_SIZE] = "size",
	[DEC_GFP] = "gfp",       [DEC_FREED] = "freed",   [DEC_OBJ] = "obj",
	[DEC_ZSPAGE] = "zspage", [DEC_CALLER] = "caller", [DEC_TEXT] = "text",
	[DEC_PID] = "pid",       [DEC_COMM] = "comm",     [DEC_CPU] = "cpu",
};

static const struct {
	const char *text;
	int is_ret; /* -1: says nothing about it */
} endings[] = {
	{ "__return", 1 },  { "_return", 1 }, { "__exit", 1 },
	{ "_fn_exit", 1 },  { "_exit", 1 },   { "_ret", 1 },
	{ "_obj", 1 },      { "_done", 1 },   { "__entry", 0 },
	{ "_fn_entry", 0 }, { "_entry", 0 },  { "_enter", 0 },
	{ "_probe", -1 },
};

static bool equals(const char *s, size_t len, const char *word)
{
	return strlen(word) == len && !memcmp(s, word, len);
}

int dec_meaning_named(const char *word, size_t len)
{
	int i;

	for (i = 0; i < DEC_NR_MEANINGS; i++)
		if (equals(word, len, meanings[i].word))
			return i;
	return -1;
}

enum dec_role dec_role_named(const char *word, size_t len)
{
	enum dec_role i;

	for (i = 0; i < DEC_NO_ROLE && !equals(word, len, role_names[i]);)
		i++;
	return i;
}

const char *dec_role_name(enum dec_role role)
{
	return role_names[role];
}

static void set_means(struct dec_means *m, unsigned is)
{
	m->func = meanings[is].func;
	m->is_ret = meanings[is].is_ret;
}

/* ---- finding them ----------------------------------------------------------- */

static const char *behind_colon(const char *name, size_t *len)
{
	const char *colon = memrchr(name, ':', *len);

	if (colon) {
		*len -= (size_t)(colon + 1 - name);
		name = colon + 1;
	}
	return name;
}

static bool same_name(const struct dec_alias *a, const char *name, size_t len)
{
	return a->len == len && !memcmp(a->name, name, len);
}

/* A system in front of the name must be the same if both tell one. */
static bool same_event(const struct dec_alias *a, const char *name, size_t len)
{
	size_t n = a->len;
	const char *s = a->name;

	if (!memchr(s, ':', n))
		name = behind_colon(name, &len);
	else if (!memchr(name, ':', len))
		s = behind_colon(s, &n);
	return n == len && !memcmp(s, name, len);
}

const struct dec_alias *dec_alias(const struct zsr_event_map *map,
				  enum dec_names of, const char *name,
				  size_t len)
{
	size_t i;

	for (i = 0; map && i < map->nr; i++) {
		const struct dec_alias *a = &map->names[i];

		if (a->of == of &&
		    (of == DEC_EVENT_NAME ? same_event(a, name, len)
					  : same_name(a, name, len)))
			return a;
	}
	return NULL;
}

int dec_name_is(const struct zsr_event_map *map, enum dec_names of,
		const char *name, size_t len)
{
	const struct dec_alias *a = dec_alias(map, of, name, len);
	size_t i;

	if (a)
		return a->is;
	for (i = 0; i < ZSR_ARRAY_SIZE(names); i++)
		if (names[i].of == of && equals(name, len, names[i].name))
			return names[i].is;
	return -1;
}

unsigned dec_name_rank(const struct zsr_event_map *map, enum dec_names of,
		       int is, const char *name)
{
	const struct dec_alias *a = dec_alias(map, DEC_FIELD_NAME, name,
					      strlen(name));
	unsigned i, nr = ZSR_ARRAY_SIZE(names);

	if (a)
		return a->is == is ? nr + 1 : 0;
	for (i = 0; i < nr; i++)
		if (names[i].of == of && names[i].is == is &&
		    !strcmp(names[i].name, name))
			return nr - i;
	return 0;
}

enum dec_func dec_func_of_symbol(const char *name, size_t len)
{
	int is = dec_name_is(NULL, DEC_FUNCTION_NAME, name, len);

	return is < 0 ? DEC_NO_FUNC : (enum dec_func)is;
}

/* An event that is called after the function that it probes. */
static enum dec_func func_of_event(const char *name, size_t len, int *is_ret)
{
	enum dec_func func = dec_func_of_symbol(name, len);
	size_t i, n;

	if (func)
		return func;
	/* What the kernel calls a probe without a name: p_zs_malloc_0. */
	if (len > 2 && (name[0] == 'p' || name[0] == 'r') && name[1] == '_') {
		n = len;
		while (n > 2 && isdigit((unsigned char)name[n - 1]))
			n--;
		if (n < len && n > 3 && name[n - 1] == '_') {
			*is_ret = name[0] == 'r';
			return dec_func_of_symbol(name + 2, n - 3);
		}
	}
	for (i = 0; i < ZSR_ARRAY_SIZE(endings); i++) {
		n = strlen(endings[i].text);
		if (len <= n || memcmp(name + len - n, endings[i].text, n))
			continue;
		func = dec_func_of_symbol(name, len - n);
		if (!func)
			continue;
		if (endings[i].is_ret >= 0)
			*is_ret = endings[i].is_ret;
		return func;
	}
	return DEC_NO_FUNC;
}

bool dec_means_of_event(const struct zsr_event_map *map, const char *name,
			size_t len, struct dec_means *m)
{
	const struct dec_alias *own = dec_alias(map, DEC_EVENT_NAME, name, len);
	int is;

	m->own = own;
	if (own) {
		set_means(m, own->is);
		return m->func;
	}
	is = dec_name_is(NULL, DEC_EVENT_NAME, name, len);
	name = behind_colon(name, &len);
	if (is < 0)
		is = dec_name_is(NULL, DEC_EVENT_NAME, name, len);
	if (is >= 0)
		set_means(m, (unsigned)is);
	else
		m->func = func_of_event(name, len, &m->is_ret);
	return m->func;
}

int dec_meaning_of_kind(const struct zsr_event_map *map, const char *name,
			size_t len)
{
	const struct dec_alias *own = dec_alias(map, DEC_EVENT_NAME, name, len);

	return own ? own->is : dec_name_is(NULL, DEC_KIND_NAME, name, len);
}

/* ---- roles of fields -------------------------------------------------------- */

/* Arguments in the order of the function, for probes without names. */
static const enum dec_role arguments[][3] = {
	[DEC_MALLOC] = { DEC_POOL, DEC_SIZE, DEC_GFP },
	[DEC_FREE] = { DEC_POOL, DEC_HANDLE, DEC_NO_ROLE },
	[DEC_COMPACT] = { DEC_POOL, DEC_NO_ROLE, DEC_NO_ROLE },
	[DEC_CREATE] = { DEC_NO_ROLE, DEC_NO_ROLE, DEC_NO_ROLE },
	[DEC_DESTROY] = { DEC_POOL, DEC_NO_ROLE, DEC_NO_ROLE },
	[DEC_FREE_ZSPAGE] = { DEC_POOL, DEC_NO_ROLE, DEC_ZSPAGE },
};

static enum dec_role role_of_retval(enum dec_func func)
{
	switch (func) {
	case DEC_MALLOC:
		return DEC_HANDLE;
	case DEC_COMPACT:
		return DEC_FREED;
	case DEC_CREATE:
		return DEC_POOL;
	default:
		return DEC_NO_ROLE;
	}
}

/* Of the event's own fields in the map. */
static enum dec_role own_role(const struct zsr_event_map *map,
			      const struct dec_alias *own, const char *field,
			      size_t len)
{
	size_t i;

	for (i = 0; i < own->nr; i++) {
		const struct dec_alias *part = &map->parts[own->first + i];

		if (same_name(part, field, len))
			return part->is;
	}
	return DEC_NO_ROLE;
}

enum dec_role dec_role_of(const struct zsr_event_map *map,
			  const struct dec_means *m, const char *field,
			  size_t len)
{
	enum dec_role role = DEC_NO_ROLE;
	int is;

	if (m->func == DEC_NO_FUNC ||
	    (m->func >= DEC_EMPTY && m->func <= DEC_EXIT))
		return DEC_NO_ROLE;
	if (m->own)
		role = own_role(map, m->own, field, len);
	if (role != DEC_NO_ROLE)
		return role;
	is = dec_name_is(map, DEC_FIELD_NAME, field, len);
	if (is >= 0)
		return (enum dec_role)is;
	if (equals(field, len, "ret") || equals(field, len, "retval"))
		return m->is_ret ? role_of_retval(m->func) : DEC_NO_ROLE;
	if (len == 4 && !memcmp(field, "arg", 3)) {
		if (m->is_ret)
			return field[3] == '1' ? role_of_retval(m->func)
					       : DEC_NO_ROLE;
		if (field[3] >= '1' && field[3] <= '3' &&
		    m->func <= DEC_FREE_ZSPAGE)
			return arguments[m->func][field[3] - '1'];
	}
	return DEC_NO_ROLE;
}

/* ---- records of events ------------------------------------------------------ */

/* Roles that tell what a call is about. */
#define ARGUMENTS                                                              \
	(1u << DEC_POOL | 1u << DEC_HANDLE | 1u << DEC_SIZE | 1u << DEC_GFP |  \
	 1u << DEC_OBJ)

static int need(unsigned roles, enum dec_role role, const char *name, int kind,
		const char **missing)
{
	if (roles & (1u << role) || !(roles & ARGUMENTS))
		return kind;
	*missing = name;
	return -EINVAL;
}

static int useful_with(unsigned roles, enum dec_role role, int kind)
{
	return roles & (1u << role) ? kind : ZSR_REC_OTHER;
}

int dec_kind_of(enum dec_func func, int is_ret, unsigned roles, bool *place,
		const char **missing)
{
	int kind;

	*place = false;
	switch (func) {
	case DEC_MALLOC:
		if (!is_ret)
			return need(roles, DEC_SIZE, "size", ZSR_REC_MALLOC,
				    missing);
		kind = ZSR_REC_MALLOC_RET;
		if (roles & (1u << DEC_SIZE))
			kind = ZSR_REC_MALLOC_DONE;
		*place = roles & (1u << DEC_OBJ);
		return need(roles, DEC_HANDLE, "handle", kind, missing);
	case DEC_FREE:
		if (is_ret)
			return ZSR_REC_FREE_RET;
		return need(roles, DEC_HANDLE, "handle", ZSR_REC_FREE, missing);
	case DEC_COMPACT:
		if (!is_ret)
			return ZSR_REC_COMPACT;
		return useful_with(roles, DEC_FREED, ZSR_REC_COMPACT_RET);
	case DEC_CREATE:
		if (!is_ret)
			return ZSR_REC_OTHER;
		return useful_with(roles, DEC_POOL, ZSR_REC_POOL_CREATE);
	case DEC_DESTROY:
		if (is_ret)
			return ZSR_REC_OTHER;
		return useful_with(roles, DEC_POOL, ZSR_REC_POOL_DESTROY);
	case DEC_FREE_ZSPAGE:
		return is_ret ? ZSR_REC_ZSPAGE_FREE_RET : ZSR_REC_ZSPAGE_FREE;
	case DEC_EMPTY:
		return is_ret ? ZSR_REC_EMPTY_RET : ZSR_REC_EMPTY;
	case DEC_MUNMAP:
		return is_ret ? ZSR_REC_MUNMAP_RET : ZSR_REC_MUNMAP;
	case DEC_EXIT:
		return is_ret ? ZSR_REC_EXIT_RET : ZSR_REC_EXIT;
	default:
		return ZSR_REC_OTHER;
	}
}

unsigned dec_has_of(int kind, unsigned roles)
{
	unsigned has = 0;

	if (!(roles & ARGUMENTS) &&
	    (kind == ZSR_REC_MALLOC || kind == ZSR_REC_MALLOC_RET ||
	     kind == ZSR_REC_FREE))
		has |= ZSR_REC_NO_ARGS;

	if (roles & (1u << DEC_POOL))
		has |= ZSR_REC_HAS_POOL;
	if (roles & (1u << DEC_SIZE))
		has |= ZSR_REC_HAS_SIZE;
	if (roles & (1u << DEC_GFP))
		has |= ZSR_REC_HAS_GFP;
	if (roles & (1u << DEC_CALLER))
		has |= ZSR_REC_HAS_CALLER;
	return has;
}

int dec_shape_of(struct dec_shape *s, const struct dec_means *m, unsigned roles,
		 const char *event, struct zsr_err *err)
{
	const char *missing = NULL;
	int kind = dec_kind_of(m->func, m->is_ret, roles, &s->place, &missing);

	if (kind < 0)
		return zsr_err_input(err, "event %s: no field %s", event,
				     missing);
	s->kind = (uint8_t)kind;
	s->has = (uint8_t)dec_has_of(kind, roles);
	return 0;
}
