// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/making.h"

/* ---- runs ------------------------------------------------------------------ */

static int room(struct zsr_making *m, size_t nr, struct zsr_err *err)
{
	struct zsr_run *runs = calloc(nr + 1, sizeof(*runs));

	m->runs = runs;
	m->nr_runs = 0;
	return runs ? 0 : zsr_err_nomem(err, "runs");
}

int zsr_making_load(struct zsr_making *m, const int64_t *ids, size_t nr,
		    struct zsr_err *err)
{
	int ret = room(m, nr, err);

	for (; nr && !ret; nr--, ids++) {
		struct zsr_run *run = &m->runs[m->nr_runs];

		ret = zsr_run_load(m->db, *ids, run, err);
		if (ret)
			break;
		m->nr_runs++;
		if (strcmp(run->trace_digest, m->trace.digest))
			ret = zsr_err_usage(
				err, "run #%" PRId64 " is not of trace '%s'",
				*ids, m->trace.name);
	}
	return ret;
}

#define DEFAULT_POLICIES "sync,class-idx,deferred"
#define NR_DEFAULT       3

static int keep_run(void *ctx, struct zsr_run *run, struct zsr_err *err)
{
	struct zsr_making *m = ctx;

	m->runs[m->nr_runs++] = *run;
	*run = (struct zsr_run){ 0 };
	return 0;
}

int zsr_making_default_runs(struct zsr_making *m, struct zsr_err *err)
{
	const struct zsr_replay_opts o = { .policies = DEFAULT_POLICIES,
					   .seed = 1 };
	int ret = room(m, NR_DEFAULT, err);

	return ret ? ret : zsr_replay(m->db, &m->trace, &o, keep_run, m, err);
}

/* ---- the change ---------------------------------------------------------------- */

int zsr_making_change(struct zsr_making *m, const char *name,
		      struct zsr_err *err)
{
	int ret = zsr_scratch_open(&m->scratch, err);

	return ret ? ret
		   : zsr_trace_change(m->db, &m->trace, &m->change,
				      m->scratch.db, name, &m->changed, err);
}

const char *zsr_making_licence(const char *option)
{
	return option ? option : "CC0-1.0";
}

int zsr_making_describe(struct zsr_making *m, const char *licence,
			struct zsr_err *err)
{
	const struct zsr_change *ch = &m->change;
	struct zsr_manifest *to = &m->manifest;
	int ret = zsr_manifest_set(to, "anonymised",
				   ch->anonymise ? "yes" : "no", err);

	if (!ret)
		ret = zsr_manifest_set(to, "sizes",
				       ch->size_class ? "largest of their class"
						      : "exact",
				       err);
	if (!ret)
		ret = zsr_manifest_setf(to, err, "time-step-ns", "%" PRIu64,
					zsr_max(ch->quantise_ns, (uint64_t)1));
	if (!ret && ch->even_ns)
		ret = zsr_manifest_setf(to, err, "times-even-below-ns",
					"%" PRIu64, ch->even_ns);
	if (!ret && ch->no_durations)
		ret = zsr_manifest_set(to, "durations", "dropped", err);
	if (!ret && ch->keep)
		ret = zsr_manifest_setf(to, err, "objects-dropped", "%" PRIu64,
					m->trace.nr_objects -
						m->changed.nr_objects);
	if (!ret)
		ret = zsr_manifest_set(to, "parent-digest", m->trace.digest,
				       err);
	return ret ? ret
		   : zsr_manifest_set(to, "licence",
				      zsr_making_licence(licence), err);
}

struct effects {
	struct zsr_making *m;
	const struct zsr_run *run; /* the one before */
	size_t nr;
	FILE *results;
	void (*fn)(void *ctx, const struct zsr_effect *e);
	void *ctx;
};

static void compare(struct zsr_effect *e, const struct zsr_run *before,
		    const struct zsr_run *after)
{
	*e = (struct zsr_effect){
		.caller_ns = { before->v.caller_mean_ns,
			       after->v.caller_mean_ns },
		.pages = { before->v.pages_back, after->v.pages_back },
		.at_100_ns = { before->v.at_100_ns, after->v.at_100_ns },
		.same = !strcmp(before->digest, after->digest),
	};
	snprintf(e->policy, sizeof(e->policy), "%s", before->policy);
}

static int take_result(struct effects *e, const struct zsr_run *run,
		       struct zsr_err *err)
{
	struct zsr_effect effect;
	char key[40];
	int ret;

	compare(&effect, e->run, run);
	if (e->fn)
		e->fn(e->ctx, &effect);
	snprintf(key, sizeof(key), "result.%03zu", e->nr);
	ret = zsr_manifest_setf(&e->m->manifest, err, key, "%s %s", run->policy,
				run->digest);
	snprintf(key, sizeof(key), "effect.%03zu", e->nr);
	if (!ret)
		ret = zsr_manifest_setf(
			&e->m->manifest, err, key,
			"%s: caller %" PRIu64 " ns was %" PRIu64
			", pages back %" PRIu64 " was %" PRIu64 ", digest %s",
			run->policy, effect.caller_ns[1], effect.caller_ns[0],
			effect.pages[1], effect.pages[0],
			effect.same ? "unchanged" : "changed");
	return ret ? ret : zsr_results_write(e->results, run, err);
}

static int on_again(void *ctx, struct zsr_run *run, struct zsr_err *err)
{
	return take_result(ctx, run, err);
}

int zsr_making_results(struct zsr_making *m,
		       void (*fn)(void *ctx, const struct zsr_effect *e),
		       void *ctx, struct zsr_err *err)
{
	struct effects e = { .m = m, .fn = fn, .ctx = ctx };
	size_t len, i;
	int ret = 0;

	free(m->results);
	m->results = NULL;
	e.results = open_memstream(&m->results, &len);
	if (!e.results)
		return zsr_err_nomem(err, "results");
	for (i = 0; i < m->nr_runs && !ret; i++) {
		e.nr = i + 1;
		e.run = &m->runs[i];
		ret = zsr_cmd_again(m->scratch.db, &m->changed, e.run,
				    e.run->profile_text, on_again, &e, err);
		/* What cannot be made again is told as it was. */
		if (ret > 0)
			ret = take_result(&e, e.run, err);
	}
	if (fclose(e.results) && !ret)
		ret = zsr_err_nomem(err, "results");
	return ret;
}

/* ---- the pack -------------------------------------------------------------------- */

int zsr_making_pack(struct zsr_making *m, struct zsr_err *err)
{
	const struct zsr_pack_what what = {
		.db = m->scratch.db,
		.trace = &m->changed,
		.more = &m->manifest,
		.readme = m->readme ? m->readme : "",
		.results = m->results ? m->results : "",
	};

	if (m->pack)
		fclose(m->pack);
	m->pack = tmpfile();
	if (!m->pack)
		return zsr_err_sys(err, errno, "temporary file");
	return zsr_pack_write(&what, m->pack, &m->bytes, err);
}

struct leaks {
	const char *name;
	unsigned nr;
};

static int on_leak(void *ctx, const char *leak)
{
	struct leaks *l = ctx;

	l->nr++;
	fprintf(stderr, "zsr %s: %s\n", l->name, leak);
	return 0;
}

/* What is looked at is what would be sent. */
int zsr_making_check(struct zsr_making *m, const char *name, struct zsr_err *err)
{
	struct leaks l = { name, 0 };
	struct zsr_pack *p;
	int ret;

	if (fflush(m->pack))
		return zsr_err_sys(err, errno, "temporary file");
	lseek(fileno(m->pack), 0, SEEK_SET);
	ret = zsr_pack_open(&p, fileno(m->pack), "the pack", err);
	if (ret)
		return ret;
	ret = zsr_pack_leaks(p, on_leak, &l, err);
	zsr_pack_close(p);
	if (!ret && l.nr)
		ret = zsr_err_input(err, "it would say too much; --raw packs "
					 "it all the same");
	return ret;
}

void zsr_making_undo(struct zsr_making *m)
{
	zsr_scratch_close(&m->scratch);
	zsr_manifest_free(&m->manifest);
	free(m->results);
	m->results = NULL;
}

void zsr_making_free(struct zsr_making *m)
{
	size_t i;

	for (i = 0; i < m->nr_runs; i++)
		zsr_run_free(&m->runs[i]);
	free(m->runs);
	zsr_making_undo(m);
	free(m->readme);
	if (m->pack)
		fclose(m->pack);
	zsr_db_close(m->db);
}
