// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "plugin/plugin.h"

struct known {
	const struct plugin_params *p;
	const char *const *names;
	int ret;
};

static bt_value_map_foreach_entry_const_func_status check_name(
	const char *key, const bt_value *value, void *ctx)
{
	struct known *k = ctx;
	const char *const *name;

	for (name = k->names; *name; name++)
		if (!strcmp(*name, key))
			return BT_VALUE_MAP_FOREACH_ENTRY_CONST_FUNC_STATUS_OK;
	k->ret = zsr_err_usage(k->p->err, "parameter %s: unknown", key);
	return BT_VALUE_MAP_FOREACH_ENTRY_CONST_FUNC_STATUS_INTERRUPT;
}

int plugin_params_known(const struct plugin_params *p, const char *const *names)
{
	struct known k = { .p = p, .names = names };

	bt_value_map_foreach_entry_const(p->map, check_name, &k);
	return k.ret;
}

int plugin_param_text(const struct plugin_params *p, const char *name,
		      const char **to)
{
	const bt_value *v = bt_value_map_borrow_entry_value_const(p->map, name);

	if (!v)
		return 0;
	if (!bt_value_is_string(v))
		return zsr_err_usage(p->err, "parameter %s: no text", name);
	*to = bt_value_string_get(v);
	return 0;
}

int plugin_param_ns(const struct plugin_params *p, const char *name,
		    uint64_t *to)
{
	const bt_value *v = bt_value_map_borrow_entry_value_const(p->map, name);

	if (!v)
		return 0;
	if (bt_value_is_unsigned_integer(v)) {
		*to = bt_value_integer_unsigned_get(v);
	} else if (bt_value_is_signed_integer(v) &&
		   bt_value_integer_signed_get(v) >= 0) {
		*to = (uint64_t)bt_value_integer_signed_get(v);
	} else if (!bt_value_is_string(v) ||
		   zsr_parse_ns(bt_value_string_get(v), to, p->err)) {
		return zsr_err_usage(
			p->err, "parameter %s: no time (ns, or \"12ms\")", name);
	}
	return 0;
}
