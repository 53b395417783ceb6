// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a probe event means, from its name and its fields. Whoever armed the
 * probes chose the names, so the usual ways of naming are all understood:
 * zs_malloc, zs_malloc_ret, p_zs_malloc_0, zs_malloc__return, zs_free_exit...
 */
#include <ctype.h>
#include <string.h>

#include "capture/decode/decode.h"

static const struct {
	const char *name;
	enum dec_func func;
} functions[] = {
	{ "zs_malloc", DEC_MALLOC },
	{ "zs_free", DEC_FREE },
	{ "zs_compact", DEC_COMPACT },
	{ "zs_create_pool", DEC_CREATE },
	{ "zs_destroy_pool", DEC_DESTROY },
	{ "free_zspage", DEC_FREE_ZSPAGE },
	{ "__free_zspage", DEC_FREE_ZSPAGE },
	{ "zs_get_total_pages", DEC_EMPTY },
	{ "munmap", DEC_MUNMAP },
	{ "__vm_munmap", DEC_MUNMAP },
	{ "exit_mmap", DEC_EXIT },
	/* What LTTng's users call their probes: zs_ is the kernel's. */
	{ "zsm_malloc", DEC_MALLOC },
	{ "zsm_free", DEC_FREE },
};

/* Of system calls, as ftrace and LTTng name them. */
static const struct {
	const char *name;
	int is_ret;
} munmaps[] = {
	{ "sys_enter_munmap", 0 },
	{ "sys_exit_munmap", 1 },
	{ "syscall_entry_munmap", 0 },
	{ "syscall_exit_munmap", 1 },
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

enum dec_func dec_func_of_symbol(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < ZSR_ARRAY_SIZE(functions); i++)
		if (strlen(functions[i].name) == len &&
		    !memcmp(functions[i].name, name, len))
			return functions[i].func;
	return DEC_NO_FUNC;
}

enum dec_func dec_func_of_event(const char *name, size_t len, int *is_ret)
{
	enum dec_func func = dec_func_of_symbol(name, len);
	size_t i, n;

	if (func)
		return func;
	for (i = 0; i < ZSR_ARRAY_SIZE(munmaps); i++)
		if (strlen(munmaps[i].name) == len &&
		    !memcmp(munmaps[i].name, name, len)) {
			*is_ret = munmaps[i].is_ret;
			return DEC_MUNMAP;
		}
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

static const struct {
	const char *name;
	enum dec_role role;
} fields[] = {
	{ "pool", DEC_POOL },     { "zs_pool", DEC_POOL },
	{ "handle", DEC_HANDLE }, { "size", DEC_SIZE },
	{ "len", DEC_SIZE },      { "bytes", DEC_SIZE },
	{ "gfp", DEC_GFP },       { "gfp_flags", DEC_GFP },
	{ "flags", DEC_GFP },     { "freed", DEC_FREED },
	{ "pages", DEC_FREED },   { "obj", DEC_OBJ },
	{ "zspage", DEC_ZSPAGE }, { "__probe_ret_ip", DEC_CALLER },
	{ "caller", DEC_CALLER },
};

/* Arguments in the order of the function, for probes without names. */
static const enum dec_role arguments[][3] = {
	[DEC_MALLOC] = { DEC_POOL, DEC_SIZE, DEC_GFP },
	[DEC_FREE] = { DEC_POOL, DEC_HANDLE, DEC_NO_ROLE },
	[DEC_COMPACT] = { DEC_POOL, DEC_NO_ROLE, DEC_NO_ROLE },
	[DEC_CREATE] = { DEC_NO_ROLE, DEC_NO_ROLE, DEC_NO_ROLE },
	[DEC_DESTROY] = { DEC_POOL, DEC_NO_ROLE, DEC_NO_ROLE },
	[DEC_FREE_ZSPAGE] = { DEC_POOL, DEC_NO_ROLE, DEC_ZSPAGE },
	[DEC_EMPTY] = { DEC_NO_ROLE, DEC_NO_ROLE, DEC_NO_ROLE },
	[DEC_MUNMAP] = { DEC_NO_ROLE, DEC_NO_ROLE, DEC_NO_ROLE },
	[DEC_EXIT] = { DEC_NO_ROLE, DEC_NO_ROLE, DEC_NO_ROLE },
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

static bool equals(const char *s, size_t len, const char *word)
{
	return strlen(word) == len && !memcmp(s, word, len);
}

enum dec_role dec_role_of(enum dec_func func, int is_ret, const char *field,
			  size_t len)
{
	size_t i;

	if (func == DEC_NO_FUNC || func >= DEC_EMPTY)
		return DEC_NO_ROLE;
	for (i = 0; i < ZSR_ARRAY_SIZE(fields); i++)
		if (equals(field, len, fields[i].name))
			return fields[i].role;
	if (equals(field, len, "ret") || equals(field, len, "retval"))
		return is_ret ? role_of_retval(func) : DEC_NO_ROLE;
	if (len == 4 && !memcmp(field, "arg", 3)) {
		if (is_ret)
			return field[3] == '1' ? role_of_retval(func)
					       : DEC_NO_ROLE;
		if (field[3] >= '1' && field[3] <= '3')
			return arguments[func][field[3] - '1'];
	}
	return DEC_NO_ROLE;
}

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
