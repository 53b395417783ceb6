// SPDX-License-Identifier: GPL-2.0-only
/* Runs as text: what was run and what came of it, a paragraph each. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "pack/private.h"

int zsr_results_write(FILE *f, const struct zsr_run *run, struct zsr_err *err)
{
	char sha[ZSR_SHA_HEX];

	zsr_profile_digest(run->profile_text ? run->profile_text : "", sha);
	fprintf(f,
		"policy: %s\nparams: %s\nclock: %s\nprofile: %s\n"
		"profile-sha256: %s\ncpus: %u\nseed: %" PRIu64 "\n"
		"arrival: %s\ngaps: %s\nouter-lock: %s\nconditions: %s\n"
		"engine: %s\ntrace: %s\ndigest: %s\n",
		run->policy, run->params ? run->params : "", run->clock,
		run->profile, sha, run->cpus, run->seed, run->arrival,
		run->gaps, run->outer_lock, run->conditions, run->engine,
		run->trace_digest, run->digest);
#define X(name, unit, text)                                                    \
	if (run->v.name == UINT64_MAX)                                         \
		fprintf(f, "value." #name ": never\n");                        \
	else                                                                   \
		fprintf(f, "value." #name ": %" PRIu64 "\n", run->v.name);
	ZSR_RUN_VALUES(X)
#undef X
	fputc('\n', f);
	return ferror(f) ? zsr_err_sys(err, EIO, "results") : 0;
}

/* ---- back -------------------------------------------------------------------- */

static int number(const char *text, uint64_t max, uint64_t *v,
		  struct zsr_err *err)
{
	struct zsr_err why = { 0 };

	if (zsr_parse_u64(text, "number", 0, max, v, &why))
		return zsr_err_input(err, "%s", why.msg);
	return 0;
}

static int keep(char **to, const char *value, struct zsr_err *err)
{
	free(*to);
	*to = strdup(value);
	return *to ? 0 : zsr_err_nomem(err, "results");
}

static int take(struct zsr_run *run, const char *key, const char *value,
		struct zsr_err *err)
{
	const struct {
		const char *key;
		char *to;
		size_t size;
	} strings[] = {
		{ "policy", run->policy, sizeof(run->policy) },
		{ "clock", run->clock, sizeof(run->clock) },
		{ "profile", run->profile, sizeof(run->profile) },
		{ "arrival", run->arrival, sizeof(run->arrival) },
		{ "gaps", run->gaps, sizeof(run->gaps) },
		{ "outer-lock", run->outer_lock, sizeof(run->outer_lock) },
		{ "conditions", run->conditions, sizeof(run->conditions) },
		{ "engine", run->engine, sizeof(run->engine) },
		{ "trace", run->trace_digest, sizeof(run->trace_digest) },
		{ "digest", run->digest, sizeof(run->digest) },
	};
	uint64_t v;
	size_t i;
	int ret = 0;

	for (i = 0; i < ZSR_ARRAY_SIZE(strings); i++) {
		if (strcmp(key, strings[i].key))
			continue;
		if (strlen(value) >= strings[i].size)
			return zsr_err_input(err, "%s is too long", key);
		strcpy(strings[i].to, value);
		return 0;
	}
	if (!strcmp(key, "params"))
		return keep(&run->params, value, err);
	/* Its text stays where it was: this says which one it has to be. */
	if (!strcmp(key, "profile-sha256"))
		return keep(&run->profile_text, value, err);
	if (!strcmp(key, "seed"))
		return number(value, UINT64_MAX, &run->seed, err);
	if (!strcmp(key, "cpus")) {
		ret = number(value, 4096, &v, err);
		run->cpus = ret ? 0 : (uint32_t)v;
	}
	return ret;
}

static int end_run(struct zsr_run *run,
		   int (*fn)(void *ctx, const struct zsr_run *run,
			     struct zsr_err *err),
		   void *ctx, struct zsr_err *err)
{
	int ret = 0;

	if (*run->policy)
		ret = fn(ctx, run, err);
	free(run->params);
	free(run->profile_text);
	*run = (struct zsr_run){ 0 };
	return ret;
}

int zsr_results_read(const char *text,
		     int (*fn)(void *ctx, const struct zsr_run *run,
			       struct zsr_err *err),
		     void *ctx, struct zsr_err *err)
{
	char *copy = strdup(text), *line, *rest = copy, *value;
	struct zsr_run run = { 0 };
	size_t nr = 0;
	int ret = copy ? 0 : zsr_err_nomem(err, "results");

	while (!ret && (line = strsep(&rest, "\n"))) {
		nr++;
		if (!*line) {
			ret = end_run(&run, fn, ctx, err);
			continue;
		}
		value = strstr(line, ": ");
		if (value)
			*value = '\0';
		ret = value ? take(&run, line, value + 2, err)
			    : zsr_err_input(err, "it is not 'key: value'");
		if (ret)
			zsr_err_wrap(err, ret, "results.txt: line %zu", nr);
	}
	free(run.params);
	free(run.profile_text);
	free(copy);
	return ret;
}

struct promises {
	const struct zsr_manifest *manifest;
	size_t nr;
};

static int check_run(void *ctx, const struct zsr_run *run, struct zsr_err *err)
{
	struct promises *p = ctx;
	char key[40], value[sizeof(run->policy) + sizeof(run->digest) + 1];
	const char *line;

	snprintf(key, sizeof(key), "result.%03zu", ++p->nr);
	snprintf(value, sizeof(value), "%s %s", run->policy, run->digest);
	line = zsr_manifest_get(p->manifest, key);
	return line && !strcmp(line, value)
		       ? 0
		       : zsr_err_input(err,
				       "results.txt: run %zu is not what the "
				       "manifest says",
				       p->nr);
}

int pk_results_check(const char *text, const struct zsr_manifest *m,
		     struct zsr_err *err)
{
	struct promises p = { .manifest = m };
	size_t i, nr = 0;
	int ret = zsr_results_read(text, check_run, &p, err);

	for (i = 0; i < m->nr; i++)
		nr += !strncmp(m->line[i].key, "result.", 7);
	if (!ret && nr != p.nr)
		ret = zsr_err_input(err,
				    "results.txt has %zu runs, the "
				    "manifest %zu",
				    p.nr, nr);
	return ret;
}
