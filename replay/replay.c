// SPDX-License-Identifier: GPL-2.0-only
/* From options to runs: what is replayed, what the trace's kernel says. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "replay/choose.h"
#include "replay/host_player.h"
#include "replay/machine/probes.h"

static const char *const arrival_names[] = { "closed", "recorded", "asap" };
static const char *const gaps_names[] = { "auto", "recorded", "profile" };
static const char *const pin_names[] = { "none", "spread", "recorded" };
static const char *const outer_names[] = { "auto", "device", "cluster", "none" };

const char *zsr_arrival_name(unsigned arrival)
{
	return arrival < ZSR_NR_ARRIVALS ? arrival_names[arrival] : NULL;
}

const char *zsr_gaps_name(unsigned gaps)
{
	return gaps < ZSR_NR_GAPS ? gaps_names[gaps] : NULL;
}

const char *zsr_pin_name(unsigned pin)
{
	return pin < ZSR_NR_PINS ? pin_names[pin] : NULL;
}

const char *zsr_outer_lock_name(unsigned outer)
{
	return outer < ZSR_NR_OUTERS ? outer_names[outer] : NULL;
}

struct session {
	const struct zsr_replay_opts *opts;
	void *ctx;
	struct zsr_player_setup setup;
	bool on_host;
	struct zsr_host_setup host; /* its common part is filled run by run */
	struct zsr_host_trace calls;
	struct zsr_clock clock;
	char *host_text; /* what machine that is, and when */
	struct zsr_rng order; /* of policies within a round */
	char host_options[256]; /* what it was told to be like */
	struct zsr_profile profile;
	struct zsr_conditions conditions;
	struct zsr_releases releases; /* when a policy asks for them */
	struct zsr_choice choice;
};

/* ---- what follows from the trace ------------------------------------------ */

/* Up to 6.13 zram is notified under the swap device's lock. */
static enum zsr_outer_lock outer_of(const struct zsr_trace *trace)
{
	unsigned release = zsr_release_parse(trace->kernel);

	return release && release < ZSR_RELEASE(6, 14) ? ZSR_OUTER_DEVICE
						       : ZSR_OUTER_CLUSTER;
}

static bool any_gated(const struct session *s)
{
	unsigned i;

	for (i = 0; i < s->choice.nr; i++)
		if (s->choice.chosen[i].policy->flags & ZSR_POLICY_GATED)
			return true;
	return false;
}

/* What a machine of threads cannot do. */
static int host_check(const struct zsr_replay_opts *o, struct zsr_err *err)
{
	const struct zsr_condition_args *c = &o->conditions;

	if (o->arrival == ZSR_ARRIVAL_CLOSED)
		return zsr_err_usage(err, "arrival closed is for the virtual "
					  "clock; the host's are asap and "
					  "recorded");
	if ((c->offline && *c->offline) || (c->compact_at && *c->compact_at) ||
	    c->compact_every || c->migrate_every || c->memory || c->swap)
		return zsr_err_usage(err,
				     "offline CPUs, compactions, migrations "
				     "and memory sizes are for the virtual "
				     "clock");
	return 0;
}

/* What tells these rounds from others, and that chance put them in order: the
 * comparison rests on it. */
static int host_text(struct session *s, const struct zsr_replay_opts *o)
{
	char *machine = zsr_host_describe(&s->clock), order[64];
	struct timespec now;
	int n = -1;

	if (!o->interleave || getentropy(&s->order, sizeof(s->order)))
		snprintf(order, sizeof(order), "by policy");
	else
		snprintf(order, sizeof(order), "drawn, from %#" PRIx64,
			 s->order.state);
	clock_gettime(CLOCK_REALTIME, &now);
	if (machine)
		n = asprintf(&s->host_text,
			     "%sbegan = %lld.%09ld # seconds since 1970\n"
			     "order = %s\n",
			     machine, (long long)now.tv_sec, now.tv_nsec, order);
	free(machine);
	if (n < 0)
		s->host_text = NULL;
	return n < 0 ? -ENOMEM : 0;
}

static int host_init(struct session *s, const struct zsr_replay_opts *o,
		     struct zsr_err *err)
{
	int ret = zsr_host_trace_load(&s->calls, s->setup.db, s->setup.trace,
				      s->profile.pause / ZSR_PS_PER_NS, err);

	if (ret)
		return ret;
	s->on_host = true;
	zsr_clock_init(&s->clock);
	if (host_text(s, o))
		return zsr_err_nomem(err, "machine's description");
	s->host = (struct zsr_host_setup){ .calls = &s->calls,
					   .clock = &s->clock,
					   .pin = o->pin,
					   .worker_nice = o->worker_nice };
	return zsr_host_args_parse(&s->host, &o->host_args, s->setup.cpus,
				   s->host_options, sizeof(s->host_options),
				   err);
}

static int on_odd(void *ctx, int64_t nr, const char *key, const char *value)
{
	(void)nr;
	if (!strcmp(key, "no_arguments"))
		*(uint64_t *)ctx = strtoull(value, NULL, 10);
	return 0;
}

/* A trace may tell of durations only. */
static int check_calls(struct zsr_db *db, const struct zsr_trace *trace,
		       struct zsr_err *err)
{
	uint64_t no_arguments = 0;
	const char *why;
	int ret = zsr_trace_rows(db, trace->id, ZSR_TABLE_ODD, on_odd,
				 &no_arguments, err);

	if (ret)
		return ret;
	why = zsr_trace_unplayable(no_arguments);
	return why ? zsr_err_input(err, "trace '%s' cannot be replayed: %s",
				   trace->name, why)
		   : 0;
}

static int session_init(struct session *s, struct zsr_db *db,
			const struct zsr_trace *trace,
			const struct zsr_replay_opts *o, struct zsr_err *err)
{
	const char *const *param;
	int ret;

	ret = o->host ? host_check(o, err) : 0;
	if (!ret)
		ret = check_calls(db, trace, err);
	if (!ret)
		ret = zsr_choose(&s->choice, o->policies, err);
	for (param = o->params; !ret && param && *param; param++)
		ret = zsr_choose_param(&s->choice, *param, err);
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
		.cpus = o->cpus   ? o->cpus
			: o->host ? zsr_min(zsr_host_nr_cpus(), 64u)
				  : (unsigned)s->profile.cpus,
		.seed = o->seed,
		.arrival = o->arrival,
		.gaps = o->gaps,
		.outer = o->outer,
		.conditions = &s->conditions,
		.releases = &s->releases,
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
	ret = zsr_conditions_parse(&s->conditions, &o->conditions,
				   s->setup.cpus, err);
	if (ret)
		return ret;
	if (s->conditions.memory)
		s->profile.memory = s->conditions.memory;
	if (o->host)
		return host_init(s, o, err);
	if (!any_gated(s))
		return 0;
	return zsr_releases_scan(&s->releases, db, trace,
				 s->profile.pause / ZSR_PS_PER_NS, err);
}

/* ---- runs -------------------------------------------------------------------- */

static int host_conditions(const struct session *s, struct zsr_run *run,
			   struct zsr_err *err)
{
	const struct zsr_host_setup *h = &s->host;
	size_t n, len = sizeof(run->conditions);
	const char *under = s->conditions.text;
	char pin[32] = "", nice[32] = "";

	if (h->pin != ZSR_PIN_NONE)
		snprintf(pin, sizeof(pin), " --pin %s", zsr_pin_name(h->pin));
	if (h->worker_nice)
		snprintf(nice, sizeof(nice), " --worker-nice %d",
			 h->worker_nice);
	n = (size_t)snprintf(run->conditions, len, "%s%s%s%s%s", under, pin,
			     nice, *s->host_options ? " " : "", s->host_options);
	if (n >= len)
		return zsr_err_usage(err, "options of the host: too long");
	if (*run->conditions == ' ')
		memmove(run->conditions, run->conditions + 1, n);
	return 0;
}

static int describe(const struct session *s, const struct zsr_chosen *c,
		    struct zsr_run *run, struct zsr_err *err)
{
	const struct zsr_player_setup *p = &s->setup;

	run->trace = p->trace->id;
	snprintf(run->trace_name, sizeof(run->trace_name), "%s", p->trace->name);
	snprintf(run->trace_digest, sizeof(run->trace_digest), "%s",
		 p->trace->digest);
	snprintf(run->policy, sizeof(run->policy), "%s", c->policy->name);
	snprintf(run->clock, sizeof(run->clock), "%s",
		 s->on_host ? "host" : "virtual");
	snprintf(run->profile, sizeof(run->profile), "%s",
		 s->on_host ? "host" : s->profile.name);
	snprintf(run->arrival, sizeof(run->arrival), "%s",
		 zsr_arrival_name(p->arrival));
	snprintf(run->gaps, sizeof(run->gaps), "%s",
		 s->on_host ? "none" : zsr_gaps_name(p->gaps));
	snprintf(run->outer_lock, sizeof(run->outer_lock), "%s",
		 zsr_outer_lock_name(p->outer));
	snprintf(run->engine, sizeof(run->engine), "%s", p->model->name);
	snprintf(run->conditions, sizeof(run->conditions), "%s",
		 s->conditions.text);
	if (s->on_host && host_conditions(s, run, err))
		return -EINVAL;
	run->page_size = p->trace->page_size;
	run->cpus = p->cpus;
	run->seed = p->seed;
	run->profile_text = strdup(s->on_host ? s->host_text : s->profile.text);
	run->params = zsr_chosen_params(c);
	if (!run->profile_text || !run->params)
		return zsr_err_nomem(err, "run");
	return 0;
}

static int play(struct session *s, struct zsr_run *run, struct zsr_err *err)
{
	if (!s->on_host)
		return zsr_player_run(&s->setup, run, err);
	s->host.common = s->setup;
	return zsr_host_player_run(&s->host, run, err);
}

/* The next run is watched. */
static int watch(struct session *s, struct zsr_run *run, struct zsr_err *err)
{
	const struct zsr_trace *t = s->setup.trace;
	const struct zsr_probed_run probed = {
		.trace = t->name,
		.policy = run->policy,
		.kernel = t->kernel,
		.page_size = t->page_size,
		.chain_size = t->chain_size,
		.round = run->seed,
	};
	size_t n;
	int ret = s->opts->begins ? s->opts->begins(s->ctx, run, err) : 0;

	if (ret)
		return ret;
	s->host.probes = s->opts->probes;
	s->host.probes->run(&probed);
	n = strlen(run->conditions);
	snprintf(run->conditions + n, sizeof(run->conditions) - n,
		 "%s--tracepoints", n ? " " : "");
	return 0;
}

static int run_one(struct session *s, const struct zsr_chosen *c, bool watched,
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
	if (!ret && watched)
		ret = watch(s, run, err);
	if (!ret)
		ret = play(s, run, err);
	s->host.probes = NULL;
	zsr_progress_finish(&progress);
	if (!ret)
		zsr_run_digest(run);
	return ret;
}

/* What `sync` gives back is 100 %; its run serves the list if it is on it. */
static int run_reference(struct session *s, struct zsr_run *run,
			 struct zsr_err *err)
{
	const struct zsr_chosen sync = { .policy = &zsr_policy_sync };
	int ret = run_one(s, &sync, false, run, err);

	s->setup.pages_total = run->v.pages_back;
	return ret;
}

static int run_and_give(struct session *s, const struct zsr_chosen *c,
			int (*done)(void *ctx, struct zsr_run *run,
				    struct zsr_err *err),
			void *ctx, struct zsr_err *err)
{
	bool watched = s->on_host && done && s->opts->probes;
	struct zsr_run run = { 0 };
	int ret = run_one(s, c, watched, &run, err);

	if (!ret && done)
		ret = done(ctx, &run, err);
	zsr_run_free(&run);
	return ret;
}

/* Fisher and Yates. */
static void shuffle(struct zsr_rng *rng, unsigned *order, unsigned nr)
{
	unsigned i, k, was;

	for (i = nr; i > 1; i--) {
		k = (unsigned)zsr_rng_below(rng, i);
		was = order[k];
		order[k] = order[i - 1];
		order[i - 1] = was;
	}
}

/* Every policy in every round, those to warm up first; interleaved, in a new
 * order each time. */
static int host_rounds(struct session *s, const struct zsr_replay_opts *o,
		       int (*done)(void *ctx, struct zsr_run *run,
				   struct zsr_err *err),
		       void *ctx, struct zsr_err *err)
{
	unsigned rounds = o->warmup + zsr_max(o->repeat, 1u);
	unsigned order[ZSR_MAX_CHOSEN], n, round, i;
	int ret = 0;

	for (i = 0; i < s->choice.nr; i++)
		order[i] = i;
	for (n = 0; !ret && n < rounds * s->choice.nr; n++) {
		round = o->interleave ? n / s->choice.nr : n % rounds;
		i = o->interleave ? n % s->choice.nr : n / rounds;
		if (o->interleave && !i)
			shuffle(&s->order, order, s->choice.nr);
		i = order[i];
		s->setup.seed = round + 1 - o->warmup;
		ret = run_and_give(s, &s->choice.chosen[i],
				   round < o->warmup ? NULL : done, ctx, err);
	}
	return ret;
}

static void session_free(struct session *s)
{
	zsr_releases_free(&s->releases);
	zsr_profile_free(&s->profile);
	zsr_host_trace_free(&s->calls);
	free(s->host_text);
	free(s);
}

int zsr_replay(struct zsr_db *db, const struct zsr_trace *trace,
	       const struct zsr_replay_opts *opts,
	       int (*done)(void *ctx, struct zsr_run *run, struct zsr_err *err),
	       void *ctx, struct zsr_err *err)
{
	struct session *s = calloc(1, sizeof(*s));
	struct zsr_run sync = { 0 };
	unsigned i;
	int ret;

	if (!s)
		return zsr_err_nomem(err, "replay");
	s->opts = opts;
	s->ctx = ctx;
	ret = session_init(s, db, trace, opts, err);
	if (!ret)
		ret = run_reference(s, &sync, err);
	if (!ret && s->on_host)
		ret = host_rounds(s, opts, done, ctx, err);
	for (i = 0; !ret && !s->on_host && i < s->choice.nr; i++) {
		if (s->choice.chosen[i].policy == &zsr_policy_sync)
			ret = done(ctx, &sync, err);
		else
			ret = run_and_give(s, &s->choice.chosen[i], done, ctx,
					   err);
	}
	zsr_run_free(&sync);
	session_free(s);
	return ret;
}
