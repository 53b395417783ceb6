// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "replay/choose.h"

static void all_policy_names(char *buf, size_t size)
{
	size_t i, n = 0;

	for (i = 0; zsr_policies[i] && n < size; i++)
		n += (size_t)snprintf(buf + n, size - n, "%s%s", i ? ", " : "",
				      zsr_policies[i]->name);
}

static int choose(struct zsr_choice *c, const char *name, struct zsr_err *err)
{
	struct zsr_chosen *one = &c->chosen[c->nr];
	char names[512];
	unsigned i;

	if (c->nr == ZSR_MAX_CHOSEN)
		return zsr_err_usage(err, "more than %d policies",
				     ZSR_MAX_CHOSEN);
	one->policy = zsr_policy_find(name);
	if (!one->policy) {
		all_policy_names(names, sizeof(names));
		return zsr_err_usage(err, "no policy '%s'; there are %s", name,
				     names);
	}
	for (i = 0; i < one->policy->nr_params; i++)
		one->param[i] = one->policy->params[i].def;
	c->nr++;
	return 0;
}

int zsr_choose(struct zsr_choice *c, const char *list, struct zsr_err *err)
{
	char *copy = strdup(list), *rest = copy, *name;
	int ret = 0;

	if (!copy)
		return zsr_err_nomem(err, "policies");
	while (!ret && (name = strsep(&rest, ",")))
		ret = choose(c, name, err);
	free(copy);
	return ret;
}

static bool is(const char *name, const char *text, size_t len)
{
	return strlen(name) == len && !memcmp(name, text, len);
}

int zsr_choose_param(struct zsr_choice *c, const char *arg, struct zsr_err *err)
{
	const char *eq = strchr(arg, '='), *dot, *name;
	const struct zsr_param *p;
	unsigned i, k, hits = 0;
	int ret;

	if (!eq)
		return zsr_err_usage(err, "--param %s: expected name=value",
				     arg);
	/* The last dot: policies are named after releases, too. */
	dot = memrchr(arg, '.', (size_t)(eq - arg));
	name = dot ? dot + 1 : arg;
	for (i = 0; i < c->nr; i++) {
		struct zsr_chosen *one = &c->chosen[i];

		if (dot && !is(one->policy->name, arg, (size_t)(dot - arg)))
			continue;
		for (k = 0; k < one->policy->nr_params; k++) {
			p = &one->policy->params[k];
			if (!is(p->name, name, (size_t)(eq - name)))
				continue;
			ret = zsr_parse_u64(eq + 1, p->name, p->min, p->max,
					    &one->param[k], err);
			if (ret)
				return zsr_err_wrap(err, ret, "--param %s", arg);
			hits++;
		}
	}
	if (!hits)
		return zsr_err_usage(err,
				     "--param %s: no listed policy has it; "
				     "`zsr policies` lists parameters",
				     arg);
	return 0;
}

char *zsr_chosen_params(const struct zsr_chosen *c)
{
	char buf[ZSR_MAX_PARAMS * 64] = "";
	size_t n = 0;
	unsigned i;

	for (i = 0; i < c->policy->nr_params && n < sizeof(buf); i++)
		n += (size_t)snprintf(buf + n, sizeof(buf) - n, "%s%s=%" PRIu64,
				      i ? " " : "", c->policy->params[i].name,
				      c->param[i]);
	return strdup(buf);
}
