// SPDX-License-Identifier: GPL-2.0-only
/* The runs that packs promise. */
#include <stdlib.h>
#include <string.h>

#include "cmd/packs.h"

struct making {
	const struct zsr_run *promised;
	enum zsr_kept kept;
	char *why;
	size_t size;
	int (*fn)(void *ctx, struct zsr_run *run, struct zsr_err *err);
	void *ctx;
};

static bool same_profile(const struct zsr_run *promised,
			 const struct zsr_run *run)
{
	char sha[ZSR_SHA_HEX];

	zsr_profile_digest(run->profile_text ? run->profile_text : "", sha);
	return !promised->profile_text || !strcmp(sha, promised->profile_text);
}

/* Each word of FEW is one of ALL: policies get parameters, whose default does
 * nothing. */
static bool has_words(const char *few, const char *all)
{
	const char *at;
	size_t n;

	for (few += strspn(few, " "); *few; few += n + strspn(few + n, " ")) {
		n = strcspn(few, " ");
		for (at = all; *at; at += strspn(at, " ")) {
			if (strcspn(at, " ") == n && !strncmp(at, few, n))
				break;
			at += strcspn(at, " ");
		}
		if (!*at)
			return false;
	}
	return true;
}

bool zsr_cmd_is_promised(const struct zsr_run *promised,
			 const struct zsr_run *run)
{
	return !strcmp(promised->digest, run->digest) &&
	       !strcmp(promised->policy, run->policy) &&
	       has_words(promised->params ? promised->params : "",
			 run->params ? run->params : "") &&
	       !strcmp(promised->clock, run->clock) &&
	       !strcmp(promised->profile, run->profile) &&
	       promised->cpus == run->cpus && promised->seed == run->seed &&
	       !strcmp(promised->arrival, run->arrival) &&
	       !strcmp(promised->gaps, run->gaps) &&
	       !strcmp(promised->outer_lock, run->outer_lock) &&
	       !strcmp(promised->conditions, run->conditions) &&
	       same_profile(promised, run);
}

static int on_run(void *ctx, struct zsr_run *run, struct zsr_err *err)
{
	struct making *m = ctx;

	if (!same_profile(m->promised, run)) {
		m->kept = ZSR_PASSED_OVER;
		snprintf(m->why, m->size, "profile '%s' is another one here",
			 run->profile);
		return 0;
	}
	if (strcmp(run->digest, m->promised->digest)) {
		m->kept = ZSR_BROKEN;
		snprintf(m->why, m->size, "%.12s was promised, %.12s came out",
			 m->promised->digest, run->digest);
		return 0;
	}
	return m->fn ? m->fn(m->ctx, run, err) : 0;
}

int zsr_cmd_promise(struct zsr_db *db, const struct zsr_trace *t,
		    const struct zsr_run *run, enum zsr_kept *kept, char *why,
		    size_t size,
		    int (*fn)(void *ctx, struct zsr_run *run,
			      struct zsr_err *err),
		    void *ctx, struct zsr_err *err)
{
	struct making m = { run, ZSR_KEPT, why, size, fn, ctx };
	int ret = zsr_cmd_again(db, t, run, NULL, on_run, &m, err);

	*kept = m.kept;
	if (ret <= 0 && err->kind != ZSR_ERR_USAGE)
		return ret;
	*kept = ZSR_PASSED_OVER;
	snprintf(why, size, "this run cannot be made again here%s%s",
		 ret < 0 ? ": " : "", ret < 0 ? err->msg : "");
	*err = (struct zsr_err){ 0 };
	return 0;
}
