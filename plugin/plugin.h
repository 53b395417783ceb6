/* SPDX-License-Identifier: GPL-2.0-only */
/* Private to plugin/: what its component classes share. */
#ifndef ZSR_PLUGIN_H
#define ZSR_PLUGIN_H

#include <babeltrace2/babeltrace.h>

#include "base/base.h"

/*
 * Parameters of a component; *to stays as it is when there is none of that
 * name. Texts belong to PARAMS.
 */
struct plugin_params {
	const bt_value *map;
	struct zsr_err *err;
};

/* Each is one of the names, NULL at the end; else an error. */
int plugin_params_known(const struct plugin_params *p, const char *const *names);
int plugin_param_text(const struct plugin_params *p, const char *name,
		      const char **to);
/* ns, as an integer or like "12ms". */
int plugin_param_ns(const struct plugin_params *p, const char *name,
		    uint64_t *to);

#endif
