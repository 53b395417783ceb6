// SPDX-License-Identifier: GPL-2.0-only
/*
 * Durations of calls. The probes' cost is taken out as one number, the median
 * of what a function takes that does next to nothing: a call's cost is not
 * known, and to deconvolve would trade its small spread, which is shown, for
 * the noise of the estimate. A quantile less the median is the quantile of all
 * calls less the median.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/durations.h"

static const char *const names[ZSR_NR_DURS] = {
	[ZSR_DUR_FREE] = "zs_free",     [ZSR_DUR_ZSPAGE] = "zspage",
	[ZSR_DUR_MALLOC] = "zs_malloc", [ZSR_DUR_COMPACT] = "zs_compact",
	[ZSR_DUR_MUNMAP] = "munmap",    [ZSR_DUR_EXIT] = "exit_mmap",
};

const char *zsr_duration_name(unsigned kind)
{
	return kind < ZSR_NR_DURS ? names[kind] : NULL;
}

/* ---- counts of values: exact below 64 Ki, then 32 Ki steps an octave ------------ */

#define STEP_BITS 15
#define NR_STEPS  ((64u - STEP_BITS + 1) << STEP_BITS)

struct counts {
	uint64_t *nr; /* [NR_STEPS], NULL: none */
	uint64_t all;
	unsigned last; /* step of the largest value */
};

static unsigned step_of(uint64_t v)
{
	unsigned shift;

	if (v >> (STEP_BITS + 1) == 0)
		return (unsigned)v;
	shift = 63 - (unsigned)__builtin_clzll(v) - STEP_BITS;
	return (shift << STEP_BITS) + (unsigned)(v >> shift);
}

static uint64_t value_of(unsigned step)
{
	unsigned shift;

	if (step >> (STEP_BITS + 1) == 0)
		return step;
	shift = (step >> STEP_BITS) - 1;
	return (uint64_t)(step - (shift << STEP_BITS)) << shift;
}

static int count(struct counts *c, uint64_t v)
{
	unsigned step = step_of(v);

	if (!c->nr)
		c->nr = calloc(NR_STEPS, sizeof(*c->nr));
	if (!c->nr)
		return -ENOMEM;
	c->nr[step]++;
	c->all++;
	c->last = zsr_max(c->last, step);
	return 0;
}

static uint64_t quantile(const struct counts *c, unsigned of_1000)
{
	uint64_t rank = zsr_max((c->all * of_1000 + 999) / 1000, 1u), seen = 0;
	unsigned i;

	for (i = 0; i < c->last; i++) {
		seen += c->nr[i];
		if (seen >= rank)
			break;
	}
	return value_of(i);
}

static void settle(const struct counts *c, struct zsr_quantiles *q)
{
#define X(name, of) q->name = quantile(c, of);
	ZSR_DUR_QUANTILES(X)
#undef X
}

/* ---- one pass ---------------------------------------------------------------------- */

/* A munmap or an exit, and how many probed calls were in it. */
struct release {
	uint64_t begin_ns, end_ns, calls;
	uint32_t task;
	enum zsr_duration_kind kind;
};

/* A task's last zs_free or compaction: others may be within it. */
struct outer {
	uint64_t end_ns, dur_ns, within;
	enum zsr_duration_kind kind;
	bool any;
};

struct pass {
	struct zsr_durations *d;
	const struct zsr_trace *t;
	struct counts raw[ZSR_NR_DURS], net[ZSR_NR_DURS];
	struct outer *outer; /* by task */
	uint8_t *text; /* of marks: enum zsr_duration_kind, or ZSR_NR_DURS */
	size_t nr_texts, cap_texts;
	struct release *release;
	size_t nr_releases, cap_releases;
	size_t *at; /* by task: of its releases, the one that is next */
};

static uint64_t less(uint64_t ns, uint64_t cost)
{
	return ns > cost ? ns - cost : 0;
}

static int add(struct pass *p, enum zsr_duration_kind kind, uint64_t dur_ns,
	       uint64_t within)
{
	uint64_t cost = p->d->cost.median_ns;
	int ret = count(&p->raw[kind], dur_ns);

	if (ret || !p->d->cost.calls)
		return ret;
	if (__builtin_mul_overflow(within, p->d->cost.whole_ns, &within) ||
	    __builtin_add_overflow(cost, within, &cost))
		cost = UINT64_MAX;
	return count(&p->net[kind], less(dur_ns, cost));
}

static int close_outer(struct pass *p, struct outer *o)
{
	bool any = o->any;

	o->any = false;
	return any ? add(p, o->kind, o->dur_ns, o->within) : 0;
}

static int open_outer(struct pass *p, const struct zsr_event *ev,
		      enum zsr_duration_kind kind)
{
	struct outer *o = &p->outer[ev->task];
	int ret = close_outer(p, o);

	*o = (struct outer){
		.end_ns = ev->t_ns + ev->dur_ns,
		.dur_ns = ev->dur_ns,
		.kind = kind,
		.any = true,
	};
	return ret;
}

static int on_zspage(struct pass *p, const struct zsr_event *ev)
{
	struct outer *o = &p->outer[ev->task];

	o->within += o->any && ev->t_ns <= o->end_ns;
	return add(p, ZSR_DUR_ZSPAGE, ev->dur_ns, 0);
}

static int on_mark(struct pass *p, const struct zsr_event *ev)
{
	unsigned kind = ev->aux < p->nr_texts ? p->text[ev->aux] : ZSR_NR_DURS;

	if (kind == ZSR_DUR_MALLOC)
		return add(p, kind, ev->dur_ns, 0);
	if (kind == ZSR_NR_DURS)
		return 0;
	if (zsr_grow(&p->release, &p->cap_releases, p->nr_releases + 1,
		     sizeof(*p->release)))
		return -ENOMEM;
	p->release[p->nr_releases++] = (struct release){
		.begin_ns = less(ev->t_ns, ev->dur_ns),
		.end_ns = ev->t_ns,
		.task = ev->task,
		.kind = kind,
	};
	return count(&p->raw[kind], ev->dur_ns);
}

static int on_event(struct pass *p, const struct zsr_event *ev)
{
	if (!ev->dur_ns)
		return 0;
	switch (ev->kind) {
	case ZSR_EV_MALLOC:
		return add(p, ZSR_DUR_MALLOC, ev->dur_ns, 0);
	case ZSR_EV_FREE:
		return open_outer(p, ev, ZSR_DUR_FREE);
	case ZSR_EV_COMPACT:
		return open_outer(p, ev, ZSR_DUR_COMPACT);
	case ZSR_EV_PAGE_FREE:
		return on_zspage(p, ev);
	case ZSR_EV_MARK:
		return on_mark(p, ev);
	default:
		return 0;
	}
}

/* The second pass: what is within a release. */
static int within_release(struct pass *p, const struct zsr_event *ev)
{
	size_t *at = &p->at[ev->task];
	struct release *r;

	if (!ev->dur_ns || ev->kind == ZSR_EV_MARK)
		return 0;
	for (; *at < p->nr_releases; ++*at) {
		r = &p->release[*at];
		if (r->task != ev->task || r->begin_ns > ev->t_ns)
			return 0;
		if (ev->t_ns <= r->end_ns) {
			r->calls++;
			return 0;
		}
	}
	return 0;
}

static int read_events(struct zsr_db *db, struct pass *p,
		       int (*fn)(struct pass *p, const struct zsr_event *ev),
		       struct zsr_err *err)
{
	const struct zsr_event *ev;
	struct zsr_cursor *c;
	int ret, n, i;

	ret = zsr_cursor_open(db, p->t->id, &c, err);
	if (!ret)
		ret = zsr_cursor_want_no_sizes(c, err);
	while (!ret && (n = ret = zsr_cursor_next(c, &ev, err)) > 0)
		for (i = 0, ret = 0; i < n && !ret; i++)
			if (ev[i].task < p->t->nr_tasks)
				ret = fn(p, &ev[i]);
	zsr_cursor_close(c);
	return ret == -ENOMEM && !err->kind ? zsr_err_nomem(err, "durations")
					    : ret;
}

/* ---- releases ---------------------------------------------------------------------- */

static int by_task(const void *a, const void *b)
{
	const struct release *x = a, *y = b;

	if (x->task != y->task)
		return x->task < y->task ? -1 : 1;
	return (x->begin_ns > y->begin_ns) - (x->begin_ns < y->begin_ns);
}

/* Whoever releases pays for the probes of all calls within. */
static int correct_releases(struct zsr_db *db, struct pass *p,
			    struct zsr_err *err)
{
	size_t i;
	int ret;

	if (!p->nr_releases || !p->d->cost.whole_ns || !p->d->cost.calls)
		return 0;
	qsort(p->release, p->nr_releases, sizeof(*p->release), by_task);
	for (i = p->nr_releases; i-- > 0;)
		p->at[p->release[i].task] = i;
	ret = read_events(db, p, within_release, err);
	for (i = 0; i < p->nr_releases && !ret; i++) {
		const struct release *r = &p->release[i];
		uint64_t cost;

		if (__builtin_mul_overflow(r->calls, p->d->cost.whole_ns, &cost))
			cost = UINT64_MAX;
		if (count(&p->net[r->kind], less(r->end_ns - r->begin_ns, cost)))
			ret = zsr_err_nomem(err, "durations");
	}
	return ret;
}

/* ---- facts ------------------------------------------------------------------------- */

static int on_fact(void *ctx, int64_t nr, const char *key, const char *value)
{
	struct zsr_durations *d = ctx;
	const struct {
		const char *key;
		uint64_t *to;
	} facts[] = {
		{ "cost.calls", &d->cost.calls },
		{ "cost.median_ns", &d->cost.median_ns },
		{ "cost.p5_ns", &d->cost.p5_ns },
		{ "cost.p95_ns", &d->cost.p95_ns },
		{ "cost.whole_ns", &d->cost.whole_ns },
	};
	struct zsr_err ignored;
	uint64_t v;
	size_t i;

	(void)nr;
	if (!strcmp(key, "cost.method"))
		snprintf(d->cost.method, sizeof(d->cost.method), "%s", value);
	for (i = 0; i < ZSR_ARRAY_SIZE(facts); i++)
		if (!strcmp(key, facts[i].key) &&
		    !zsr_parse_u64(value, key, 0, INT64_MAX, &v, &ignored))
			*facts[i].to = v;
	return 0;
}

static int on_text(void *ctx, int64_t nr, const char *key, const char *value)
{
	struct pass *p = ctx;
	size_t had = p->nr_texts;
	unsigned i;

	(void)key;
	if (nr < 0 || nr >= UINT32_MAX)
		return 0;
	if ((size_t)nr >= had) {
		if (zsr_grow(&p->text, &p->cap_texts, (size_t)nr + 1, 1))
			return -ENOMEM;
		p->nr_texts = (size_t)nr + 1;
		memset(p->text + had, ZSR_NR_DURS, p->nr_texts - had);
	}
	for (i = 0; i < ZSR_NR_DURS && strcmp(value, names[i]); i++)
		;
	p->text[nr] = i == ZSR_DUR_MALLOC || i >= ZSR_DUR_MUNMAP ? (uint8_t)i
								 : ZSR_NR_DURS;
	return 0;
}

static int measure(struct zsr_db *db, struct pass *p, struct zsr_err *err)
{
	int ret = zsr_trace_rows(db, p->t->id, ZSR_TABLE_META, on_fact, p->d,
				 err);
	size_t i;

	if (!ret)
		ret = zsr_trace_rows(db, p->t->id, ZSR_TABLE_MARKS, on_text, p,
				     err);
	p->outer = calloc(p->t->nr_tasks + 1u, sizeof(*p->outer));
	p->at = calloc(p->t->nr_tasks + 1u, sizeof(*p->at));
	if (!p->outer || !p->at || (ret == -ENOMEM && !err->kind))
		return zsr_err_nomem(err, "durations");
	if (!ret)
		ret = read_events(db, p, on_event, err);
	for (i = 0; i < p->t->nr_tasks && !ret; i++)
		if (close_outer(p, &p->outer[i]))
			ret = zsr_err_nomem(err, "durations");
	return ret ? ret : correct_releases(db, p, err);
}

int zsr_durations_of(struct zsr_db *db, const struct zsr_trace *t,
		     struct zsr_durations *d, struct zsr_err *err)
{
	struct pass p = { .d = d, .t = t };
	unsigned i;
	int ret = 0;

	*d = (struct zsr_durations){ 0 };
	if (t->has_dur)
		ret = measure(db, &p, err);
	for (i = 0; i < ZSR_NR_DURS; i++) {
		d->of[i].calls = p.raw[i].all;
		d->of[i].has_net = p.net[i].all;
		if (p.raw[i].all)
			settle(&p.raw[i], &d->of[i].raw);
		if (p.net[i].all)
			settle(&p.net[i], &d->of[i].net);
		free(p.raw[i].nr);
		free(p.net[i].nr);
	}
	free(p.outer);
	free(p.at);
	free(p.text);
	free(p.release);
	return ret;
}

/* ---- shown ------------------------------------------------------------------------- */

static void print_row(const char *name, const char *calls,
		      const struct zsr_quantiles *q)
{
	char ns[ZSR_FMT_LEN];

	printf("  %-16s %7s", name, calls);
#define X(name, of) printf(" %8s", zsr_fmt_ns(ns, q->name));
	ZSR_DUR_QUANTILES(X)
#undef X
	putchar('\n');
}

static void print_cost(const struct zsr_durations *d)
{
	char a[ZSR_FMT_LEN], b[ZSR_FMT_LEN], c[ZSR_FMT_LEN], n[ZSR_FMT_LEN];

	if (!d->cost.calls) {
		puts("  what the probes cost is in it: nobody measured how "
		     "much");
		return;
	}
	printf("  the probes%s%s%s: %s in each, the median of %s calls\n"
	       "  of a function that does next to nothing (5 %% to 95 %%: %s "
	       "to "
	       "%s)\n",
	       *d->cost.method ? " (" : "", d->cost.method,
	       *d->cost.method ? ")" : "", zsr_fmt_ns(a, d->cost.median_ns),
	       zsr_fmt_count(n, d->cost.calls), zsr_fmt_ns(b, d->cost.p5_ns),
	       zsr_fmt_ns(c, d->cost.p95_ns));
	if (d->cost.whole_ns)
		printf("  a probed call takes its caller %s more\n",
		       zsr_fmt_ns(a, d->cost.whole_ns));
}

void zsr_durations_print(const struct zsr_durations *d)
{
	char n[ZSR_FMT_LEN];
	bool any = false;
	unsigned i;

	for (i = 0; i < ZSR_NR_DURS; i++) {
		if (!d->of[i].calls)
			continue;
		if (!any)
			puts("\ndurations            calls     min   median"
			     "     90 %     99 %   99.9 %     max");
		any = true;
		print_row(names[i], zsr_fmt_count(n, d->of[i].calls),
			  &d->of[i].raw);
		if (d->of[i].has_net)
			print_row(" less the probes", "", &d->of[i].net);
	}
	if (any)
		print_cost(d);
}

static json_t *quantiles_json(const struct zsr_quantiles *q)
{
	json_t *o = json_object();

#define X(name, of)                                                            \
	json_object_set_new(o, #name, json_integer((json_int_t)q->name));
	ZSR_DUR_QUANTILES(X)
#undef X
	return o;
}

static json_t *cost_json(const struct zsr_durations *d)
{
	if (!d->cost.calls)
		return json_null();
	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "method",
			 d->cost.method, "calls", (json_int_t)d->cost.calls,
			 "median_ns", (json_int_t)d->cost.median_ns, "p5_ns",
			 (json_int_t)d->cost.p5_ns, "p95_ns",
			 (json_int_t)d->cost.p95_ns, "whole_ns",
			 (json_int_t)d->cost.whole_ns);
}

json_t *zsr_durations_json(const struct zsr_durations *d)
{
	json_t *calls = json_object(), *one;
	unsigned i;

	for (i = 0; i < ZSR_NR_DURS; i++) {
		if (!d->of[i].calls)
			continue;
		one = json_pack("{s:I, s:o}", "calls",
				(json_int_t)d->of[i].calls, "raw_ns",
				quantiles_json(&d->of[i].raw));
		if (d->of[i].has_net)
			json_object_set_new(one, "net_ns",
					    quantiles_json(&d->of[i].net));
		json_object_set_new(calls, names[i], one);
	}
	return json_pack("{s:o, s:o}", "of", calls, "cost", cost_json(d));
}
