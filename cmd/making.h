/* SPDX-License-Identifier: GPL-2.0-only */
/* What zsr pack and zsr mail do alike: a changed trace, what the change does to
 * runs, and a pack of both. */
#ifndef ZSR_CMD_MAKING_H
#define ZSR_CMD_MAKING_H

#include "cmd/packs.h"

struct zsr_making {
	struct zsr_db *db;
	struct zsr_trace trace; /* as it is in db */
	struct zsr_run *runs; /* on it; freed with the rest */
	size_t nr_runs;
	struct zsr_change change;
	struct zsr_scratch scratch;
	struct zsr_trace changed; /* in scratch */
	struct zsr_manifest manifest;
	char *results;
	char *readme;
	FILE *pack;
	uint64_t bytes;
};

/* What a change did to a run: of the values that count, before and after. */
struct zsr_effect {
	char policy[64];
	uint64_t caller_ns[2]; /* mean over tasks */
	uint64_t pages[2]; /* back by the end */
	uint64_t at_100_ns[2];
	bool same; /* the digest */
};

/* Load the runs IDS, which have to be of the trace. */
int zsr_making_load(struct zsr_making *m, const int64_t *ids, size_t nr,
		    struct zsr_err *err);
/* Runs of the policies that a change is judged by. */
int zsr_making_default_runs(struct zsr_making *m, struct zsr_err *err);
/* The changed trace, in a scratch database of its own. */
int zsr_making_change(struct zsr_making *m, const char *name,
		      struct zsr_err *err);
/* Lines of the manifest: what was changed, and the licence (NULL: CC0-1.0). */
int zsr_making_describe(struct zsr_making *m, const char *licence,
			struct zsr_err *err);
const char *zsr_making_licence(const char *option);
/* Runs again, on the changed trace: results, and lines of the manifest. fn()
 * gets what the change did to each; NULL: nobody asks. */
int zsr_making_results(struct zsr_making *m,
		       void (*fn)(void *ctx, const struct zsr_effect *e),
		       void *ctx, struct zsr_err *err);
/* The pack, in m->pack. */
int zsr_making_pack(struct zsr_making *m, struct zsr_err *err);
/* An input error when there is a leak in it; each is said on stderr, after
 * "zsr NAME: ". */
int zsr_making_check(struct zsr_making *m, const char *name,
		     struct zsr_err *err);
/* Back to before the change, which may be another one then. */
void zsr_making_undo(struct zsr_making *m);
void zsr_making_free(struct zsr_making *m);

#endif
