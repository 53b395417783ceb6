// SPDX-License-Identifier: GPL-2.0-only
/* A run once more, from what is kept of it. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/packs.h"

#define MAX_WORDS 200

/* What a run's texts say, cut into words. */
struct again {
	struct zsr_replay_opts o;
	char *params, *conditions;
	const char *param[MAX_WORDS + 1];
	const char *load[MAX_WORDS + 1];
	const char *offline[MAX_WORDS + 1];
	const char *compact_at[MAX_WORDS + 1];
	char dir[32], profile[128]; /* of a copy, "" */
};

static void add(const char **list, const char *word)
{
	size_t n = 0;

	while (list[n])
		n++;
	if (n < MAX_WORDS)
		list[n] = word;
}

static unsigned index_of(const char *text, const char *(*name)(unsigned))
{
	unsigned i;

	for (i = 0; name(i); i++)
		if (!strcmp(text, name(i)))
			return i;
	return 0;
}

/* Options of zsr replay, as conditions are kept. */
static bool parse_conditions(struct again *a)
{
	struct zsr_condition_args *c = &a->o.conditions;
	char *rest = a->conditions, *option, *value;

	while ((option = strsep(&rest, " "))) {
		if (!*option)
			continue;
		value = strsep(&rest, " ");
		if (!value || strstr(value, "file:"))
			return false;
		if (!strcmp(option, "--load"))
			add(a->load, value);
		else if (!strcmp(option, "--offline"))
			add(a->offline, value);
		else if (!strcmp(option, "--compact-at"))
			add(a->compact_at, value);
		else if (!strcmp(option, "--compact-every"))
			c->compact_every = value;
		else if (!strcmp(option, "--migrate-every"))
			c->migrate_every = value;
		else if (!strcmp(option, "--memory"))
			c->memory = value;
		else if (!strcmp(option, "--swap"))
			c->swap = value;
		else
			return false;
	}
	c->load = a->load;
	c->offline = a->offline;
	c->compact_at = a->compact_at;
	return true;
}

/* A name that cannot be a path, whoever wrote it. */
static bool is_plain(const char *name)
{
	return *name && !strchr(name, '/') && !strstr(name, ".so") &&
	       !strstr(name, ".profile") && !strchr(name, ',');
}

/* A profile is called what its file is. */
static int write_profile(struct again *a, const char *name, const char *text,
			 struct zsr_err *err)
{
	FILE *f;

	strcpy(a->dir, "/tmp/zsr-XXXXXX");
	if (!mkdtemp(a->dir)) {
		a->dir[0] = '\0';
		return zsr_err_sys(err, errno, "profile");
	}
	snprintf(a->profile, sizeof(a->profile), "%s/%s.profile", a->dir, name);
	f = fopen(a->profile, "w");
	if (f)
		fputs(text, f);
	if (!f || fclose(f))
		return zsr_err_sys(err, errno, "%s", a->profile);
	return 0;
}

static int prepare(struct again *a, const struct zsr_run *run,
		   const char *profile_text, struct zsr_err *err)
{
	char *rest, *word;

	a->params = strdup(run->params ? run->params : "");
	a->conditions = strdup(run->conditions);
	if (!a->params || !a->conditions)
		return zsr_err_nomem(err, "run");
	if (strcmp(run->clock, "virtual") || !is_plain(run->policy) ||
	    !is_plain(run->profile) || strstr(a->params, "plugin=") ||
	    !parse_conditions(a))
		return 1;
	for (rest = a->params; (word = strsep(&rest, " "));)
		if (*word)
			add(a->param, word);
	a->o.policies = run->policy;
	a->o.params = a->param;
	a->o.machine = run->profile;
	a->o.cpus = run->cpus;
	a->o.seed = run->seed;
	a->o.arrival = index_of(run->arrival, zsr_arrival_name);
	a->o.gaps = index_of(run->gaps, zsr_gaps_name);
	a->o.outer = index_of(run->outer_lock, zsr_outer_lock_name);
	if (!profile_text)
		return 0;
	a->o.machine = a->profile;
	return write_profile(a, run->profile, profile_text, err);
}

int zsr_cmd_again(struct zsr_db *db, const struct zsr_trace *t,
		  const struct zsr_run *run, const char *profile_text,
		  int (*fn)(void *ctx, struct zsr_run *run, struct zsr_err *err),
		  void *ctx, struct zsr_err *err)
{
	struct again *a = calloc(1, sizeof(*a));
	int ret;

	if (!a)
		return zsr_err_nomem(err, "run");
	ret = prepare(a, run, profile_text, err);
	if (!ret)
		ret = zsr_replay(db, t, &a->o, fn, ctx, err);
	if (a->dir[0]) {
		unlink(a->profile);
		rmdir(a->dir);
	}
	free(a->params);
	free(a->conditions);
	free(a);
	return ret;
}
