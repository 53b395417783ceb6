// SPDX-License-Identifier: GPL-2.0-only
/* A run in memory: what owns what, and the digest of its results. */
#include <stdlib.h>
#include <string.h>

#include "db/db.h"

int zsr_run_init(struct zsr_run *run, struct zsr_err *err)
{
	unsigned i;

	memset(run, 0, sizeof(*run));
	for (i = 0; i < ZSR_NR_RUN_HISTS; i++) {
		run->hist[i] = malloc(sizeof(*run->hist[i]));
		if (!run->hist[i]) {
			zsr_run_free(run);
			return zsr_err_nomem(err, "run");
		}
		zsr_hist_init(run->hist[i]);
	}
	return 0;
}

void zsr_run_free(struct zsr_run *run)
{
	unsigned i;

	free(run->profile_text);
	free(run->params);
	for (i = 0; i < ZSR_NR_RUN_HISTS; i++)
		free(run->hist[i]);
	for (i = 0; i < ZSR_NR_RUN_SERIES; i++)
		free(run->series[i].points);
	for (i = 0; i < ZSR_NR_RUN_GRIDS; i++) {
		free(run->grid[i].row);
		free(run->grid[i].cell);
	}
	free(run->locks);
	free(run->steps);
	free(run->counters);
	free(run->releases);
	memset(run, 0, sizeof(*run));
}

int zsr_run_count(struct zsr_run *run, const char *name, uint64_t value)
{
	struct zsr_run_counter *c;

	if (zsr_grow(&run->counters, &run->cap_counters, run->nr_counters + 1,
		     sizeof(*run->counters)))
		return -ENOMEM;
	c = &run->counters[run->nr_counters++];
	snprintf(c->name, sizeof(c->name), "%s", name);
	c->value = value;
	return 0;
}

static void digest_parts(struct zsr_sha *sha, const struct zsr_run *run)
{
	size_t i;

	zsr_sha_u64(sha, run->nr_locks);
	for (i = 0; i < run->nr_locks; i++) {
		zsr_sha_str(sha, run->locks[i].name);
		zsr_sha_u64(sha, run->locks[i].size);
		zsr_sha_u64(sha, run->locks[i].acquired);
		zsr_sha_u64(sha, run->locks[i].contended);
		zsr_sha_u64(sha, run->locks[i].wait_ns);
		zsr_sha_u64(sha, run->locks[i].hold_ns);
	}
	zsr_sha_u64(sha, run->nr_steps);
	for (i = 0; i < run->nr_steps; i++) {
		zsr_sha_str(sha, run->steps[i].who);
		zsr_sha_str(sha, run->steps[i].step);
		zsr_sha_u64(sha, run->steps[i].ns);
	}
}

void zsr_run_digest(struct zsr_run *run)
{
	struct zsr_sha sha;
	unsigned i, j;
	size_t k;

	zsr_sha_init(&sha);
#define X(name, unit, text) zsr_sha_u64(&sha, run->v.name);
	ZSR_RUN_VALUES(X)
#undef X
	for (i = 0; i < ZSR_NR_RUN_HISTS; i++) {
		const struct zsr_hist *h = run->hist[i];

		zsr_sha_u64(&sha, h->count);
		zsr_sha_u64(&sha, h->sum);
		zsr_sha_u64(&sha, h->min);
		zsr_sha_u64(&sha, h->max);
		for (j = 0; j < ZSR_HIST_BUCKETS; j++)
			zsr_sha_u64(&sha, h->bucket[j]);
	}
	for (i = 0; i < ZSR_NR_RUN_SERIES; i++) {
		const struct zsr_series *s = &run->series[i];

		zsr_sha_u64(&sha, s->nr);
		for (k = 0; k < s->nr; k++) {
			zsr_sha_u64(&sha, s->points[k].t_ns);
			zsr_sha_u64(&sha, s->points[k].value);
		}
	}
	zsr_sha_u64(&sha, run->nr_releases);
	for (k = 0; k < run->nr_releases; k++) {
		zsr_sha_u64(&sha, run->releases[k].task);
		zsr_sha_u64(&sha, run->releases[k].begin_ns);
		zsr_sha_u64(&sha, run->releases[k].end_ns);
		zsr_sha_u64(&sha, run->releases[k].nr);
	}
	digest_parts(&sha, run);
	zsr_sha_hex(&sha, run->digest);
}
