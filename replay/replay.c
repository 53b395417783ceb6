// SPDX-License-Identifier: GPL-2.0-only
/* From options to runs: policies, parameters, what the trace's kernel says. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "replay/player.h"

#define MAX_POLICIES 64

static const char *const arrival_names[] = { "closed", "recorded", "asap" };
static const char *const gaps_names[] = { "auto", "recorded", "profile" };
static const char *const outer_names[] = { "auto", "device", "cluster", "none" };

const char *zsr_arrival_name(unsigned arrival)
{
	return arrival < ZSR_NR_ARRIVALS ? arrival_names[arrival] : NULL;
}

const char *zsr_gaps_name(unsigned gaps)
{
	return gaps < ZSR_NR_GAPS ? gaps_names[gaps] : NULL;
}

const char *zsr_outer_lock_name(unsigned outer)
{
	return outer < ZSR_NR_OUTERS ? outer_names[outer] : NULL;
}

/* A policy of the list with the values of its parameters. */
struct chosen {
	const struct zsr_policy *policy;
	uint64_t param[ZSR_MAX_PARAMS];
};

struct session {
	struct zsr_player_setup setup;
	struct zsr_profile profile;
	struct chosen chosen[MAX_POLICIES];
	unsigned nr;
};

/* ---- policies and their parameters --------------------------------------- */

static void all_policy_names(char *buf, size_t size)
{
	size_t i, n = 0;

	for (i = 0; zsr_policies[i] && n < size; i++)
		n += (size_t)snprintf(buf + n, size - n, "%s%s", i ? ", " : "",
				      zsr_policies[i]->name);
}

static int choose(struct session *s, const char *name, struct zsr_err *err)
{
	struct chosen *c = &s->chosen[s->nr];
	char names[512];
	unsigned i;

	if (s->nr == MAX_POLICIES)
		return zsr_err_usage(err, "more than %d policies", MAX_POLICIES);
	c->policy = zsr_policy_find(name);
	if (!c->policy) {
		all_policy_names(names, sizeof(names));
		return zsr_err_usage(err, "no policy '%s'; there are %s", name,
				     names);
	}
	for (i = 0; i < c->policy->nr_params; i++)
		c->param[i] = c->policy->params[i].def;
	s->nr++;
	return 0;
}

static int choose_all(struct session *s, const char *list, struct zsr_err *err)
{
	char *copy = strdup(list), *rest = copy, *name;
	int ret = 0;

	if (!copy)
		return zsr_err_nomem(err, "policies");
	while (!ret && (name = strsep(&rest, ",")))
		ret = choose(s, name, err);
	free(copy);
	return ret;
}

/* One "[policy.]name=value" goes to every chosen policy that has it. */
static int set_param(struct session *s, const char *arg, struct zsr_err *err)
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
	for (i = 0; i < s->nr; i++) {
		struct chosen *c = &s->chosen[i];

		if (dot && (strlen(c->policy->name) != (size_t)(dot - arg) ||
			    memcmp(c->policy->name, arg, (size_t)(dot - arg))))
			continue;
		for (k = 0; k < c->policy->nr_params; k++) {
			p = &c->policy->params[k];
			if (strlen(p->name) != (size_t)(eq - name) ||
			    memcmp(p->name, name, (size_t)(eq - name)))
				continue;
			ret = zsr_parse_u64(eq + 1, p->name, p->min, p->max,
					    &c->param[k], err);
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

static char *params_text(const struct chosen *c)
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

/* ---- what follows from the trace ------------------------------------------ */

/* Up to 6.13 zram is notified under the swap device's lock. */
static enum zsr_outer_lock outer_of(const struct zsr_trace *trace)
{
	unsigned release = zsr_release_parse(trace->kernel);

	return release && release < ZSR_RELEASE(6, 14) ? ZSR_OUTER_DEVICE
						       : ZSR_OUTER_CLUSTER;
}

static int session_init(struct session *s, struct zsr_db *db,
			const struct zsr_trace *trace,
			const struct zsr_replay_opts *o, struct zsr_err *err)
{
	const char *const *param;
	int ret;

	ret = choose_all(s, o->policies, err);
	for (param = o->params; !ret && param && *param; param++)
		ret = set_param(s, *param, err);
	if (!ret)
		ret = zsr_profile_load(o->machine ? o->machine : "rpi4b",
				       &s->profile, err);
	if (ret)
		return ret;
	s->setup = (struct zsr_player_setup){
		.db = db,
		.trace = trace,
		.profile = &s->profile,
		.model = zsr_model_find(trace->kernel),
		.cpus = o->cpus ? o->cpus : (unsigned)s->profile.cpus,
		.seed = o->seed,
		.arrival = o->arrival,
		.gaps = o->gaps,
		.outer = o->outer,
	};
	if (!s->setup.model)
		return zsr_err_input(err, "trace %s: kernel '%s' has no model",
				     trace->name, trace->kernel);
	if (o->gaps == ZSR_GAPS_AUTO)
		s->setup.gaps = trace->times == ZSR_TIMES_HARDWARE
					? ZSR_GAPS_RECORDED
					: ZSR_GAPS_PROFILE;
	if (o->outer == ZSR_OUTER_AUTO)
		s->setup.outer = outer_of(trace);
	return 0;
}

/* ---- runs -------------------------------------------------------------------- */

static int describe(const struct session *s, const struct chosen *c,
		    struct zsr_run *run, struct zsr_err *err)
{
	const struct zsr_player_setup *p = &s->setup;

	run->trace = p->trace->id;
	snprintf(run->trace_name, sizeof(run->trace_name), "%s", p->trace->name);
	snprintf(run->trace_digest, sizeof(run->trace_digest), "%s",
		 p->trace->digest);
	snprintf(run->policy, sizeof(run->policy), "%s", c->policy->name);
	snprintf(run->clock, sizeof(run->clock), "virtual");
	snprintf(run->profile, sizeof(run->profile), "%s", s->profile.name);
	snprintf(run->arrival, sizeof(run->arrival), "%s",
		 zsr_arrival_name(p->arrival));
	snprintf(run->gaps, sizeof(run->gaps), "%s", zsr_gaps_name(p->gaps));
	snprintf(run->outer_lock, sizeof(run->outer_lock), "%s",
		 zsr_outer_lock_name(p->outer));
	snprintf(run->engine, sizeof(run->engine), "%s", p->model->name);
	run->page_size = p->trace->page_size;
	run->cpus = p->cpus;
	run->seed = p->seed;
	run->profile_text = strdup(s->profile.text);
	run->params = params_text(c);
	if (!run->profile_text || !run->params)
		return zsr_err_nomem(err, "run");
	return 0;
}

static int run_one(struct session *s, const struct chosen *c,
		   struct zsr_run *run, struct zsr_err *err)
{
	struct zsr_progress progress;
	int ret = zsr_run_init(run, err);

	if (ret)
		return ret;
	s->setup.policy = c->policy;
	s->setup.params = c->param;
	zsr_progress_start(&progress, c->policy->name, "calls",
			   s->setup.trace->nr_events);
	s->setup.progress = &progress;
	ret = describe(s, c, run, err);
	if (!ret)
		ret = zsr_player_run(&s->setup, run, err);
	zsr_progress_finish(&progress);
	if (!ret)
		zsr_run_digest(run);
	return ret;
}

/* What `sync` gives back is 100 %; its run serves the list if it is on it. */
static int run_reference(struct session *s, struct zsr_run *run,
			 struct zsr_err *err)
{
	const struct chosen sync = { .policy = &zsr_policy_sync };
	int ret = run_one(s, &sync, run, err);

	s->setup.pages_total = run->v.pages_back;
	return ret;
}

int zsr_replay(struct zsr_db *db, const struct zsr_trace *trace,
	       const struct zsr_replay_opts *opts,
	       int (*done)(void *ctx, struct zsr_run *run, struct zsr_err *err),
	       void *ctx, struct zsr_err *err)
{
	struct session *s = calloc(1, sizeof(*s));
	struct zsr_run sync = { 0 }, run = { 0 };
	unsigned i;
	int ret;

	if (!s)
		return zsr_err_nomem(err, "replay");
	ret = session_init(s, db, trace, opts, err);
	if (!ret)
		ret = run_reference(s, &sync, err);
	for (i = 0; !ret && i < s->nr; i++) {
		if (s->chosen[i].policy == &zsr_policy_sync) {
			ret = done(ctx, &sync, err);
			continue;
		}
		ret = run_one(s, &s->chosen[i], &run, err);
		if (!ret)
			ret = done(ctx, &run, err);
		zsr_run_free(&run);
	}
	zsr_run_free(&sync);
	zsr_profile_free(&s->profile);
	free(s);
	return ret;
}
