// SPDX-License-Identifier: GPL-2.0-only
/* What stands above a comparison, and what must be said below it. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/values.h"

#define DIGEST_SHOWN 12
#define NEVER_NOTES  3 /* more are put into one */
#define VALUES_SHOWN 6 /* of a setting that differs between runs */

/* Values of a setting over all columns, each once, in their order; of many
 * the first few and how many there are. NULL: no memory. */
static char *several(const struct zsr_compare *c,
		     void (*get)(const struct zsr_column *col, char *buf,
				 size_t n))
{
	char *text = NULL, buf[128];
	size_t i, size;
	int ret = 0;
	struct zsr_lines seen = { 0 };
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	for (i = 0; i < c->nr_cols && !ret; i++) {
		size_t k;

		get(&c->col[i], buf, sizeof(buf));
		for (k = 0; k < seen.nr && strcmp(seen.line[k], buf); k++)
			;
		if (k == seen.nr)
			ret = zsr_lines_add(&seen, "%s", buf);
	}
	for (i = 0; i < zsr_min(seen.nr, VALUES_SHOWN); i++)
		fprintf(f, "%s%s", i ? ", " : "", seen.line[i]);
	if (seen.nr > VALUES_SHOWN)
		fprintf(f, ", ... (%zu values)", seen.nr);
	zsr_lines_free(&seen);
	if (fclose(f) || ret) {
		free(text);
		return NULL;
	}
	return text;
}

static void get_profile(const struct zsr_column *c, char *buf, size_t n)
{
	snprintf(buf, n, "%s", c->profile);
}

static void get_cpus(const struct zsr_column *c, char *buf, size_t n)
{
	snprintf(buf, n, "%" PRIu32, c->cpus);
}

static void get_seed(const struct zsr_column *c, char *buf, size_t n)
{
	snprintf(buf, n, "%" PRIu64, c->seed);
}

static void get_rounds(const struct zsr_column *c, char *buf, size_t n)
{
	snprintf(buf, n, "%zu", c->tested.nr_runs);
}

static void get_arrival(const struct zsr_column *c, char *buf, size_t n)
{
	snprintf(buf, n, "%s", c->arrival);
}

static void get_gaps(const struct zsr_column *c, char *buf, size_t n)
{
	snprintf(buf, n, "%s",
		 !strcmp(c->gaps, "profile")    ? "the profile's"
		 : !strcmp(c->gaps, "recorded") ? "as recorded"
						: c->gaps);
}

static void get_outer(const struct zsr_column *c, char *buf, size_t n)
{
	snprintf(buf, n, "%s", *c->outer_lock ? c->outer_lock : "not known");
}

static void get_engine(const struct zsr_column *c, char *buf, size_t n)
{
	snprintf(buf, n, "%s", c->engine);
}

static void get_conditions(const struct zsr_column *c, char *buf, size_t n)
{
	snprintf(buf, n, "%s", *c->conditions ? c->conditions : "no load");
}

static bool any_conditions(const struct zsr_compare *c)
{
	size_t i;

	for (i = 0; i < c->nr_cols; i++)
		if (*c->col[i].conditions)
			return true;
	return false;
}

static int add_trace_head(struct zsr_compare *c, const struct zsr_trace *t)
{
	bool synthetic = t && t->times == ZSR_TIMES_SYNTHETIC;
	char page[ZSR_FMT_LEN], objects[ZSR_FMT_LEN], frees[ZSR_FMT_LEN];
	const uint64_t *v = c->col[0].value;

	zsr_fmt_page_size(page, c->page_size);
	zsr_fmt_count(objects, v[VAL_mallocs]);
	zsr_fmt_count(frees, v[VAL_frees]);
	if (zsr_lines_add(&c->head, "trace\t%s, digest %.*s", c->trace,
			  DIGEST_SHOWN, c->trace_digest) ||
	    zsr_lines_add(&c->head, "%s\t%s%skernel %s, %s pages",
			  synthetic ? "made by" : "captured", c->format,
			  !*c->format ? ""
			  : synthetic ? ", for "
				      : ", ",
			  *c->kernel ? c->kernel : "not known", page))
		return -ENOMEM;
	return zsr_lines_add(
		&c->head, "played\t%s stores, %s frees by %" PRIu64 " task%s",
		objects, frees, v[VAL_tasks], v[VAL_tasks] == 1 ? "" : "s");
}

static int add_machine_head(struct zsr_compare *c)
{
	char *profile = several(c, get_profile), *cpus = several(c, get_cpus);
	bool rounds = c->col[0].tested.nr_runs > 0;
	char *seed = several(c, rounds ? get_rounds : get_seed);
	char *arrival = several(c, get_arrival);
	char *gaps = several(c, get_gaps), *engine = several(c, get_engine);
	char *outer = several(c, get_outer);
	char *under = several(c, get_conditions);
	int ret = -ENOMEM;

	if (!profile || !cpus || !seed || !arrival || !gaps || !engine ||
	    !outer || !under)
		goto out;
	if (asprintf(&c->setting, "%s clock, profile %s", c->clock, profile) <
	    0) {
		c->setting = NULL;
		goto out;
	}
	if (zsr_lines_add(&c->head,
			  "machine\t%s clock, profile %s, %s cpu%s, %s %s",
			  c->clock, profile, cpus, strcmp(cpus, "1") ? "s" : "",
			  rounds ? "rounds" : "seed", seed) ||
	    zsr_lines_add(&c->head,
			  "setting\tarrival %s, gaps %s, outer lock %s, "
			  "engine %s",
			  arrival, gaps, outer, engine))
		goto out;
	if (any_conditions(c) && zsr_lines_add(&c->head, "under\t%s", under))
		goto out;
	ret = 0;
out:
	free(profile);
	free(cpus);
	free(seed);
	free(arrival);
	free(gaps);
	free(engine);
	free(outer);
	free(under);
	return ret;
}

static bool any_gaps(const struct zsr_compare *c, const char *which)
{
	size_t i;

	for (i = 0; i < c->nr_cols; i++)
		if (!strcmp(c->col[i].gaps, which))
			return true;
	return false;
}

/* Calls that happened and are in no figure. */
static int add_loss_notes(struct zsr_compare *c, const struct zsr_trace *t)
{
	uint64_t played = c->col[0].value[VAL_frees];
	char n[ZSR_FMT_LEN], of[ZSR_FMT_LEN];

	if ((t->nr_lost || t->nr_lost_places) &&
	    zsr_lines_add(&c->notes,
			  "The capture lost %s%s records: what they say is "
			  "missing from every figure.",
			  t->nr_lost ? "" : "an unknown number of",
			  !t->nr_lost ? "" : zsr_fmt_count(n, t->nr_lost)))
		return -ENOMEM;
	if (played < t->nr_frees &&
	    zsr_lines_add(&c->notes,
			  "%s of the trace's %s frees could not be played: "
			  "what they free was not stored in the trace.",
			  zsr_fmt_count(n, t->nr_frees - played),
			  zsr_fmt_count(of, t->nr_frees)))
		return -ENOMEM;
	return 0;
}

/* The shape of what is known of the trace: its times, its page totals. */
static int add_trace_notes(struct zsr_compare *c, const struct zsr_trace *t)
{
	struct zsr_lines *n = &c->notes;
	const char *from = any_gaps(c, "recorded")
				   ? "its gaps were replayed all the same"
			   : any_gaps(c, "profile")
				   ? "gaps come from the profile"
				   : "gaps were not played";

	if (!t)
		return zsr_lines_add(n, "The trace is no longer in the "
					"database: nothing is known of how it "
					"was captured.");
	if (t->times == ZSR_TIMES_EMULATED &&
	    zsr_lines_add(n,
			  "The trace was captured under emulation: its "
			  "calls are the kernel's, its times the "
			  "emulator's; %s.",
			  from))
		return -ENOMEM;
	if (t->times == ZSR_TIMES_SYNTHETIC &&
	    zsr_lines_add(n,
			  "The trace is synthetic: generated, not "
			  "captured; %s.",
			  from))
		return -ENOMEM;
	if (!t->from_empty &&
	    zsr_lines_add(n, "The pool was not seen from empty: page totals "
			     "cannot be compared with the kernel's."))
		return -ENOMEM;
	if (add_loss_notes(c, t))
		return -ENOMEM;
	if (t->fact_flags & (ZSR_INFERRED_KERNEL | ZSR_INFERRED_PAGE_SIZE |
			     ZSR_INFERRED_CHAIN_SIZE) &&
	    zsr_lines_add(
		    n, "Inferred, not recorded:%s%s%s.",
		    t->fact_flags & ZSR_INFERRED_KERNEL ? " kernel" : "",
		    t->fact_flags & ZSR_INFERRED_PAGE_SIZE ? " page-size" : "",
		    t->fact_flags & ZSR_INFERRED_CHAIN_SIZE ? " chain-size" : ""))
		return -ENOMEM;
	return 0;
}

/* Pages that were not back by themselves. */
static uint64_t missing(const uint64_t *v)
{
	return v[VAL_pages_total] -
	       zsr_min(v[VAL_pages_total], v[VAL_pages_back]);
}

/* Does the run owe pages? Releases that empty no zspage owe none. */
static bool is_never(const uint64_t *v)
{
	return v[VAL_pages_total] && v[VAL_at_100_ns] == ZSR_NEVER;
}

static int never_note(struct zsr_compare *c, const struct zsr_column *col)
{
	char stranded[ZSR_FMT_LEN], pages[ZSR_FMT_LEN], flush[ZSR_FMT_LEN];
	const uint64_t *v = col->value;

	return zsr_lines_add(
		&c->notes,
		"%s: never 100 %% before teardown; %s page%s "
		"missing and %s entr%s stranded when all was idle. "
		"Teardown flushed in %s.",
		col->label, zsr_fmt_count(pages, missing(v)),
		missing(v) == 1 ? "" : "s",
		zsr_fmt_count(stranded, v[VAL_stranded]),
		v[VAL_stranded] == 1 ? "y" : "ies",
		zsr_fmt_ns(flush, v[VAL_teardown_ns]));
}

/* A run that strands entries never gives everything back by itself. Many of
 * them share a note. */
static int add_never(struct zsr_compare *c)
{
	char pages[ZSR_FMT_LEN], flush[ZSR_FMT_LEN];
	uint64_t most = 0, longest = 0;
	size_t i, nr = 0;

	for (i = 0; i < c->nr_cols; i++) {
		const uint64_t *v = c->col[i].value;

		if (!is_never(v))
			continue;
		nr++;
		most = zsr_max(most, missing(v));
		longest = zsr_max(longest, v[VAL_teardown_ns]);
	}
	if (nr > NEVER_NOTES)
		return zsr_lines_add(
			&c->notes,
			"%zu runs: never 100 %% before teardown; "
			"up to %s pages missing when all was idle. "
			"Teardown flushed in up to %s.",
			nr, zsr_fmt_count(pages, most),
			zsr_fmt_ns(flush, longest));
	for (i = 0; i < c->nr_cols; i++)
		if (is_never(c->col[i].value) && never_note(c, &c->col[i]))
			return -ENOMEM;
	return 0;
}

static int add_notes(struct zsr_compare *c, const struct zsr_trace *t)
{
	const char *policy = c->col[0].policy;
	uint64_t tasks = c->col[0].value[VAL_tasks];
	struct zsr_lines *n = &c->notes;

	if (!strcmp(c->clock, "virtual")
		    ? zsr_lines_add(n, "Virtual clock: allocator states are "
				       "exact, times are modelled.")
		    : zsr_lines_add(n,
				    "Host clock: measured on this machine's "
				    "threads and locks, other runs give other "
				    "times and digests."))
		return -ENOMEM;
	if (add_trace_notes(c, t))
		return -ENOMEM;
	if (tasks > 1 &&
	    zsr_lines_add(n,
			  "%" PRIu64 " tasks: compare the mean with "
			  "figures mailed for several processes.",
			  tasks))
		return -ENOMEM;
	if (c->col[0].value[VAL_malloc_failed] &&
	    zsr_lines_add(n, "Some stores found no page in the machine's "
			     "memory and were not played."))
		return -ENOMEM;
	if (c->nr_cols > 1 && strcmp(policy, "sync") &&
	    zsr_lines_add(n, "No sync run here: ratios are to %s.",
			  c->col[0].label))
		return -ENOMEM;
	if (!c->col[0].value[VAL_frees])
		return zsr_lines_add(n, "No release was played: there is "
					"nothing to compare.");
	if (!c->col[0].value[VAL_pages_total] &&
	    zsr_lines_add(n, "The releases empty no zspage: no page is due "
			     "back."))
		return -ENOMEM;
	if (zsr_lines_add(n, "Rest of the path: time in releases outside of "
			     "frees, not in the total. Quantiles are at most "
			     "3.2 %% too high. 100 %%: what sync gives back."))
		return -ENOMEM;
	return add_never(c);
}

/* What no figure may be without, in a few words. */
static int add_fidelity(struct zsr_compare *c, const struct zsr_trace *t)
{
	const char *times = !t ? "trace not in database"
			    : t->times == ZSR_TIMES_EMULATED
				    ? "captured under emulation"
			    : t->times == ZSR_TIMES_SYNTHETIC
				    ? "synthetic trace"
				    : "captured on hardware";
	char *gaps = several(c, get_gaps);
	int len;

	if (!gaps)
		return -ENOMEM;
	len = asprintf(&c->fidelity, "%s, gaps %s%s", times, gaps,
		       t && !t->from_empty ? ", pool not seen from empty" : "");
	free(gaps);
	if (len < 0)
		c->fidelity = NULL;
	return len < 0 ? -ENOMEM : 0;
}

int zsr_facts_build(struct zsr_compare *c, const struct zsr_trace *t)
{
	if (add_trace_head(c, t) || add_machine_head(c) || add_notes(c, t) ||
	    add_fidelity(c, t))
		return -ENOMEM;
	return 0;
}
