// SPDX-License-Identifier: GPL-2.0-only
/* zsr policies: what can be replayed, and with which parameters. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/analyze.h"
#include "cmd/cmd.h"
#include "replay/policy/policy.h"

static void list(void)
{
	const struct zsr_policy *p;
	unsigned i, k;

	for (i = 0; (p = zsr_policies[i]); i++) {
		printf("%-14s%s\n", p->name, p->summary);
		for (k = 0; k < p->nr_params; k++)
			printf("  %-16s%" PRIu64 "%s%s\n", p->params[k].name,
			       p->params[k].def, *p->params[k].unit ? " " : "",
			       p->params[k].unit);
	}
	printf("\n`zsr policies NAME` explains one.\n");
}

static int explain(const struct zsr_policy *p, struct zsr_err *err)
{
	struct zsr_lines l = { 0 };
	size_t i;
	unsigned k;

	printf("%s: %s\nfrom: %s\n\n", p->name, p->summary, p->source);
	if (zsr_lines_wrap(&l, 72, 0, p->text)) {
		zsr_lines_free(&l);
		return zsr_err_nomem(err, "text");
	}
	for (i = 0; i < l.nr; i++)
		puts(l.line[i]);
	zsr_lines_free(&l);
	for (k = 0; k < p->nr_params; k++)
		printf("\n  --param %s.%s=%" PRIu64 "\n      %s, %" PRIu64
		       " to %" PRIu64 " %s\n      default: %s\n",
		       p->name, p->params[k].name, p->params[k].def,
		       p->params[k].text, p->params[k].min, p->params[k].max,
		       p->params[k].unit, p->params[k].source);
	return 0;
}

int zsr_cmd_policies(int argc, const char **argv)
{
	const struct poptOption table[] = { POPT_TABLEEND };
	const struct zsr_policy *p;
	struct zsr_options o = { 0 };
	struct zsr_err err = { 0 };
	int ret;

	ret = zsr_options_parse(&o, argc, argv, table, "policies [POLICY]",
				&err);
	if (ret > 0) {
		ret = 0;
	} else if (!ret && o.nr_rest > 1) {
		ret = zsr_err_usage(&err, "expected at most one policy");
	} else if (!ret && o.nr_rest) {
		p = zsr_policy_find(o.rest[0]);
		ret = p ? explain(p, &err)
			: zsr_err_usage(&err,
					"no policy '%s'; `zsr policies` "
					"lists them",
					o.rest[0]);
	} else if (!ret) {
		list();
	}
	zsr_options_free(&o);
	if (!ret)
		ret = zsr_cmd_flush(&err);
	return ret ? zsr_cmd_fail("policies", &err) : ZSR_EXIT_OK;
}
