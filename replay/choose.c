// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "replay/choose.h"

static int choose(struct zsr_choice *c, const char *name, struct zsr_err *err)
{
	struct zsr_chosen *one = &c->chosen[c->nr];
	unsigned i;
	int ret;

	if (c->nr == ZSR_MAX_CHOSEN)
		return zsr_err_usage(err, "more than %d policies",
				     ZSR_MAX_CHOSEN);
	ret = zsr_policy_get(name, &one->policy, one->plugin, err);
	if (ret)
		return ret;
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

/* "plugin=sha256:..." of a recorded run: is it still the same file? */
static int check_plugin(const struct zsr_chosen *one, const char *id,
			struct zsr_err *err)
{
	if (!strcmp(one->plugin, id))
		return 0;
	return zsr_err_usage(err, "policy %s is plugin=%s", one->policy->name,
			     one->plugin);
}

/* Set it in one policy: 1, 0 when that has no such parameter, or an error. */
static int set_param(struct zsr_chosen *one, const char *name, size_t len,
		     const char *value, struct zsr_err *err)
{
	const struct zsr_policy *policy = one->policy;
	unsigned i;

	if (*one->plugin && is("plugin", name, len))
		return check_plugin(one, value, err) ?: 1;
	for (i = 0; i < policy->nr_params; i++)
		if (is(policy->params[i].name, name, len))
			return zsr_param_parse(&policy->params[i], value,
					       &one->param[i], err)
				       ?: 1;
	return 0;
}

int zsr_choose_param(struct zsr_choice *c, const char *arg, struct zsr_err *err)
{
	const char *eq = strchr(arg, '='), *dot, *name;
	unsigned i, hits = 0;
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
		ret = set_param(one, name, (size_t)(eq - name), eq + 1, err);
		if (ret < 0)
			return zsr_err_wrap(err, ret, "--param %s", arg);
		hits += (unsigned)ret;
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
	char buf[ZSR_PARAM_LEN], *text = NULL;
	const struct zsr_param *p;
	size_t size;
	unsigned i;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	for (i = 0; i < c->policy->nr_params; i++) {
		p = &c->policy->params[i];
		fprintf(f, "%s%s=%s", i ? " " : "", p->name,
			zsr_param_text(p, c->param[i], buf));
	}
	if (*c->plugin)
		fprintf(f, "%splugin=%s", i ? " " : "", c->plugin);
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}
