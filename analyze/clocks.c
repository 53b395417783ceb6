// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtual machine as a prediction of this one: runs of one trace on both
 * clocks. A host figure is the middle of its rounds with an interval; policies
 * whose intervals do not overlap differ there, and have to on the virtual
 * clock, in the same order.
 */
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/rounds.h"

static const struct {
	const char *name, *text;
} figures[ZSR_CLOCKS_FIGURES] = {
	[ZSR_CLOCKS_CALLER] = { "caller", "releases in their callers" },
	[ZSR_CLOCKS_CPU] = { "cpu", "releases, callers and workers" },
};

static bool is_host(const struct zsr_run *run)
{
	return !strcmp(run->clock, "host");
}

static const char *text_or(const char *s)
{
	return s ? s : "";
}

/* Releases that the system took the CPU from, on the host. */
static uint64_t displaced_ns(const struct zsr_run *run)
{
	size_t i;

	for (i = 0; i < run->nr_counters; i++)
		if (!strcmp(run->counters[i].name, "host.displaced_ns"))
			return run->counters[i].value;
	return 0;
}

/* What both clocks time: the calls, and what workers did of them. */
static uint64_t figure_of(const struct zsr_run *run, unsigned figure)
{
	const struct zsr_hist *h = run->hist[ZSR_HIST_release];
	uint64_t ns = h ? h->sum - zsr_min(h->sum, displaced_ns(run)) : 0;

	if (figure == ZSR_CLOCKS_CPU)
		ns += run->v.cpu_worker_ns + run->v.cpu_worker_spin_ns;
	return ns;
}

/* ---- which belong together -------------------------------------------------- */

static bool predicts(const struct zsr_run *v, const struct zsr_run *host)
{
	return !is_host(v) && !strcmp(v->trace_digest, host->trace_digest) &&
	       !strcmp(v->policy, host->policy) &&
	       !strcmp(text_or(v->params), text_or(host->params)) &&
	       !strcmp(v->arrival, host->arrival) &&
	       !strcmp(v->outer_lock, host->outer_lock) &&
	       !strcmp(v->engine, host->engine) && v->cpus == host->cpus &&
	       !*v->conditions;
}

/* The latest one, by its number. */
static const struct zsr_run *prediction(const struct zsr_run *const *run,
					size_t nr, const struct zsr_run *host)
{
	const struct zsr_run *found = NULL;
	size_t i;

	for (i = 0; i < nr; i++)
		if (predicts(run[i], host) && (!found || run[i]->id > found->id))
			found = run[i];
	return found;
}

/* ---- rows --------------------------------------------------------------------- */

/* The middle of the rounds and its interval, by their logarithms. */
static int measure(struct zsr_clocks_figure *f, const struct zsr_rounds *r,
		   unsigned figure)
{
	double *v = malloc((r->nr + 1) * sizeof(*v));
	struct zsr_shift e;
	size_t i;
	int ret;

	if (!v)
		return -ENOMEM;
	for (i = 0; i < r->nr; i++)
		v[i] = log((double)zsr_max(figure_of(r->run[i], figure), 1ul));
	ret = zsr_paired_test(v, r->nr, ZSR_TEST_LEVEL, &e);
	f->host_ns = exp(e.mid);
	f->low_ns = exp(e.low);
	f->high_ns = exp(e.high);
	free(v);
	return ret;
}

static int most_first(const void *a, const void *b)
{
	const struct zsr_clocks_part *x = a, *y = b;

	return x->ns != y->ns ? (x->ns < y->ns ? 1 : -1)
			      : strcmp(x->name, y->name);
}

static void add_part(struct zsr_clocks_row *row, const char *name, uint64_t ns)
{
	size_t i;

	for (i = 0; i < row->nr_parts && strcmp(row->part[i].name, name); i++)
		;
	if (i == row->nr_parts) {
		snprintf(row->part[i].name, sizeof(row->part[i].name), "%s",
			 name);
		row->nr_parts++;
	}
	row->part[i].ns += ns;
}

/* Steps and waits of the virtual run, callers' and workers' apart; all classes
 * together. */
static int parts(struct zsr_clocks_row *row, const struct zsr_run *v)
{
	char name[sizeof(row->part->name)];
	size_t i;

	row->part = calloc(v->nr_steps + v->nr_locks + 1, sizeof(*row->part));
	if (!row->part)
		return -ENOMEM;
	for (i = 0; i < v->nr_steps; i++) {
		snprintf(name, sizeof(name), "%s%s",
			 strcmp(v->steps[i].who, "worker") ? "" : "worker's ",
			 v->steps[i].step);
		add_part(row, name, v->steps[i].ns);
	}
	for (i = 0; i < v->nr_locks; i++) {
		snprintf(name, sizeof(name), "waits for %s lock",
			 v->locks[i].name);
		add_part(row, name, v->locks[i].wait_ns);
	}
	qsort(row->part, row->nr_parts, sizeof(*row->part), most_first);
	return 0;
}

static int row_fill(struct zsr_clocks_row *row, const struct zsr_rounds *r,
		    const struct zsr_run *v)
{
	const struct zsr_run *host = r->run[0];
	unsigned i;

	*row = (struct zsr_clocks_row){ .policy = zsr_clean(host->policy),
					.params = zsr_clean(
						text_or(host->params)),
					.nr_rounds = r->nr,
					.run = v->id,
					.frees = v->v.frees };
	if (!row->policy || !row->params)
		return -ENOMEM;
	for (i = 0; i < ZSR_CLOCKS_FIGURES; i++) {
		row->figure[i].virtual_ns = figure_of(v, i);
		if (measure(&row->figure[i], r, i))
			return -ENOMEM;
	}
	return parts(row, v);
}

/* No machine can do what it does, so no two clocks can agree on it. */
static bool is_bound(const struct zsr_run *run)
{
	return !strcmp(run->policy, "ideal");
}

static int rows(struct zsr_clocks *c, const struct zsr_run *const *run,
		size_t nr, const struct zsr_rounds *r, size_t nr_sets)
{
	const struct zsr_run *v;
	size_t i;

	c->row = calloc(nr_sets + 1, sizeof(*c->row));
	if (!c->row)
		return -ENOMEM;
	for (i = 0; i < nr_sets; i++) {
		v = prediction(run, nr, r[i].run[0]);
		if (!v || is_bound(v))
			continue;
		free(c->profile);
		c->profile = zsr_clean(v->profile);
		c->cpus = v->cpus;
		if (!c->profile || row_fill(&c->row[c->nr_rows++], &r[i], v))
			return -ENOMEM;
	}
	return 0;
}

static int least_first(const void *a, const void *b)
{
	const struct zsr_clocks_row *x = a, *y = b;
	double p = x->figure[ZSR_CLOCKS_CALLER].host_ns;
	double q = y->figure[ZSR_CLOCKS_CALLER].host_ns;

	return (p > q) - (p < q);
}

/* ---- pairs ---------------------------------------------------------------------- */

static bool apart(const struct zsr_clocks_figure *a,
		  const struct zsr_clocks_figure *b)
{
	return a->high_ns < b->low_ns || b->high_ns < a->low_ns;
}

/* Those that the virtual clock takes for the same are not ranked so. */
static bool ranked_same(const struct zsr_clocks_figure *a,
			const struct zsr_clocks_figure *b)
{
	return a->high_ns < b->low_ns ? a->virtual_ns < b->virtual_ns
				      : a->virtual_ns > b->virtual_ns;
}

static int rank(struct zsr_clocks *c, unsigned figure)
{
	struct zsr_clocks_bar *bar = &c->bar[figure];
	const struct zsr_clocks_figure *a, *b;
	size_t i, k, cap = 0;

	for (i = 0; i < c->nr_rows; i++)
		for (k = i + 1; k < c->nr_rows; k++) {
			a = &c->row[i].figure[figure];
			b = &c->row[k].figure[figure];
			if (!apart(a, b))
				continue;
			bar->pairs++;
			if (ranked_same(a, b))
				continue;
			if (zsr_grow(&bar->wrong, &cap, bar->nr_wrong + 1,
				     sizeof(*bar->wrong)))
				return -ENOMEM;
			bar->wrong[bar->nr_wrong].less = a->high_ns < b->low_ns
								 ? i
								 : k;
			bar->wrong[bar->nr_wrong++].more =
				a->high_ns < b->low_ns ? k : i;
		}
	return 0;
}

double zsr_clocks_ratio(const struct zsr_clocks_figure *f)
{
	return (double)f->virtual_ns / f->host_ns;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int distance(struct zsr_clocks *c, unsigned figure)
{
	double *off = malloc((c->nr_rows + 1) * sizeof(*off));
	size_t i, nr = c->nr_rows;

	if (!off)
		return -ENOMEM;
	for (i = 0; i < nr; i++)
		off[i] = fabs(zsr_clocks_ratio(&c->row[i].figure[figure]) - 1);
	qsort(off, nr, sizeof(*off), ascending);
	c->bar[figure].off = (off[(nr - 1) / 2] + off[nr / 2]) / 2;
	free(off);
	return 0;
}

static int bars(struct zsr_clocks *c)
{
	unsigned i;

	c->met = true;
	for (i = 0; i < ZSR_CLOCKS_FIGURES; i++) {
		if (rank(c, i) || distance(c, i))
			return -ENOMEM;
		c->met &= c->bar[i].pairs && !c->bar[i].nr_wrong &&
			  c->bar[i].off <= ZSR_CLOCKS_OFF;
	}
	return 0;
}

/* ---- all of it -------------------------------------------------------------------- */

static int build(struct zsr_clocks *c, const struct zsr_run *const *run,
		 size_t nr)
{
	const struct zsr_run **host = calloc(nr + 1, sizeof(*host));
	struct zsr_rounds *sets = NULL;
	size_t i, nr_host = 0, nr_sets;
	int ret = host ? 0 : -ENOMEM;

	for (i = 0; !ret && i < nr; i++)
		if (is_host(run[i]) &&
		    (!nr_host ||
		     !strcmp(run[i]->trace_digest, host[0]->trace_digest)))
			host[nr_host++] = run[i];
	nr_sets = nr_host;
	if (!ret && nr_host) {
		c->trace = zsr_clean(host[0]->trace_name);
		ret = c->trace ? zsr_rounds_merge(host, &nr_sets, &sets)
			       : -ENOMEM;
	}
	if (!ret && nr_host)
		ret = rows(c, run, nr, sets, nr_sets);
	if (!ret && c->nr_rows) {
		qsort(c->row, c->nr_rows, sizeof(*c->row), least_first);
		ret = bars(c);
	}
	zsr_rounds_free(sets, nr_sets);
	free(host);
	return ret;
}

int zsr_clocks_build(const struct zsr_run *const *run, size_t nr,
		     struct zsr_clocks *out, struct zsr_err *err)
{
	*out = (struct zsr_clocks){ 0 };
	if (build(out, run, nr)) {
		zsr_clocks_free(out);
		return zsr_err_nomem(err, "clocks");
	}
	if (!out->nr_rows) {
		zsr_clocks_free(out);
		return zsr_err_input(err, "no policy was replayed on both "
					  "clocks with the same parameters, "
					  "arrivals and CPUs; --machine makes "
					  "the runs");
	}
	return 0;
}

void zsr_clocks_free(struct zsr_clocks *c)
{
	size_t i;

	for (i = 0; i < c->nr_rows; i++) {
		free(c->row[i].policy);
		free(c->row[i].params);
		free(c->row[i].part);
	}
	for (i = 0; i < ZSR_CLOCKS_FIGURES; i++)
		free(c->bar[i].wrong);
	free(c->row);
	free(c->trace);
	free(c->profile);
	*c = (struct zsr_clocks){ 0 };
}

/* ---- as text ------------------------------------------------------------------------ */

/* A policy is told by its name alone where no other row has it. */
static const char *label(const struct zsr_clocks *c, size_t row,
			 char buf[ZSR_CLOCKS_LABEL])
{
	size_t i, same = 0;

	for (i = 0; i < c->nr_rows; i++)
		same += !strcmp(c->row[i].policy, c->row[row].policy);
	snprintf(buf, ZSR_CLOCKS_LABEL, "%s%s%s", c->row[row].policy,
		 same > 1 ? " " : "", same > 1 ? c->row[row].params : "");
	return buf;
}

static uint64_t whole_ns(double ns)
{
	return ns > 0 && ns < 1e18 ? (uint64_t)(ns + 0.5) : 0;
}

static int print_row(const struct zsr_clocks *c, size_t i, unsigned figure,
		     struct zsr_lines *out)
{
	const struct zsr_clocks_figure *f = &c->row[i].figure[figure];
	char name[ZSR_CLOCKS_LABEL], low[ZSR_FMT_LEN], high[ZSR_FMT_LEN];
	char host[ZSR_FMT_LEN], vm[ZSR_FMT_LEN];
	bool sure = isfinite(f->high_ns);

	return zsr_lines_add(
		out, "%-16.16s %9s %9s %9s %9s   %5.2f", label(c, i, name),
		zsr_fmt_ns(host, whole_ns(f->host_ns)),
		sure ? zsr_fmt_ns(low, whole_ns(f->low_ns)) : "-",
		sure ? zsr_fmt_ns(high, whole_ns(f->high_ns)) : "-",
		zsr_fmt_ns(vm, f->virtual_ns), zsr_clocks_ratio(f));
}

static int print_table(const struct zsr_clocks *c, unsigned figure,
		       struct zsr_lines *out)
{
	size_t i;
	int ret;

	ret = zsr_lines_add(out, "%s", figures[figure].text)
		      ?: zsr_lines_add(out, "%-16s %9s %9s %9s %9s   %5s", "",
				       "host", "from", "to", "virtual", "ratio");
	for (i = 0; !ret && i < c->nr_rows; i++)
		ret = print_row(c, i, figure, out);
	return ret ? ret : zsr_lines_add(out, "%s", "");
}

static int print_bar(const struct zsr_clocks *c, unsigned figure, size_t width,
		     struct zsr_lines *out)
{
	const struct zsr_clocks_bar *bar = &c->bar[figure];
	char less[ZSR_CLOCKS_LABEL], more[ZSR_CLOCKS_LABEL], text[300];
	size_t i;
	int ret;

	snprintf(text, sizeof(text),
		 "%s: of %zu pairs of policies whose host intervals do not "
		 "overlap %zu are ranked the same; totals differ by %.1f %% in "
		 "the median.",
		 figures[figure].text, bar->pairs, bar->pairs - bar->nr_wrong,
		 bar->off * 100);
	ret = zsr_lines_wrap(out, width, 2, text);
	for (i = 0; !ret && i < bar->nr_wrong; i++) {
		snprintf(
			text, sizeof(text),
			"  ranked otherwise: %s takes less than %s on the host",
			label(c, bar->wrong[i].less, less),
			label(c, bar->wrong[i].more, more));
		ret = zsr_lines_wrap(out, width, 4, text);
	}
	return ret;
}

/* Where the time of a row goes that is far off. */
static int print_parts(const struct zsr_clocks *c, size_t i, size_t width,
		       struct zsr_lines *out)
{
	const struct zsr_clocks_row *row = &c->row[i];
	char name[ZSR_CLOCKS_LABEL], text[600];
	size_t k, n;

	n = (size_t)snprintf(
		text, sizeof(text),
		"%s, a release on the virtual clock:", label(c, i, name));
	for (k = 0; k < row->nr_parts && k < 8 && n < sizeof(text); k++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
				      "%s %s %.1f ns", k ? "," : "",
				      row->part[k].name,
				      (double)row->part[k].ns /
					      (double)zsr_max(row->frees, 1ul));
	return zsr_lines_wrap(out, width, 2, text);
}

static bool far_off(const struct zsr_clocks_row *row)
{
	unsigned i;

	for (i = 0; i < ZSR_CLOCKS_FIGURES; i++)
		if (fabs(zsr_clocks_ratio(&row->figure[i]) - 1) > ZSR_CLOCKS_OFF)
			return true;
	return false;
}

int zsr_clocks_print(const struct zsr_clocks *c, size_t width,
		     struct zsr_lines *out, struct zsr_err *err)
{
	size_t i, least = SIZE_MAX;
	int ret = zsr_lines_add(out, "trace     %s", c->trace)
			  ?: zsr_lines_add(out, "virtual   profile %s, %u CPUs",
					   c->profile, c->cpus);

	for (i = 0; i < c->nr_rows; i++)
		least = zsr_min(least, c->row[i].nr_rounds);
	if (!ret)
		ret = zsr_lines_add(out,
				    "host      %zu rounds or more of each; "
				    "from, to: 95 %%",
				    least)
			      ?: zsr_lines_add(out, "%s", "");
	for (i = 0; !ret && i < ZSR_CLOCKS_FIGURES; i++)
		ret = print_table(c, (unsigned)i, out);
	for (i = 0; !ret && i < ZSR_CLOCKS_FIGURES; i++)
		ret = print_bar(c, (unsigned)i, width, out);
	for (i = 0; !ret && i < c->nr_rows; i++)
		if (far_off(&c->row[i]))
			ret = print_parts(c, i, width, out);
	if (!ret)
		ret = zsr_lines_add(out,
				    "bar %s: every such pair ranked the "
				    "same, totals within 25 %%",
				    c->met ? "met" : "missed");
	return ret ? zsr_err_nomem(err, "table") : 0;
}

/* ---- as JSON ------------------------------------------------------------------------ */

static json_t *real_or_null(double v)
{
	return isfinite(v) ? json_real(v) : json_null();
}

static json_t *figure_json(const struct zsr_clocks_figure *f)
{
	json_t *o = json_object();
	int bad;

	bad = json_object_set_new(o, "host_ns", json_real(f->host_ns)) |
	      json_object_set_new(o, "low_ns", real_or_null(f->low_ns)) |
	      json_object_set_new(o, "high_ns", real_or_null(f->high_ns)) |
	      json_object_set_new(o, "virtual_ns",
				  json_integer((json_int_t)f->virtual_ns)) |
	      json_object_set_new(o, "ratio", json_real(zsr_clocks_ratio(f)));
	if (bad) {
		json_decref(o);
		return NULL;
	}
	return o;
}

static json_t *row_json(const struct zsr_clocks_row *row)
{
	json_t *o = json_object();
	unsigned i;
	int bad;

	bad = json_object_set_new(o, "policy", json_string(row->policy)) |
	      json_object_set_new(o, "params", json_string(row->params)) |
	      json_object_set_new(o, "rounds",
				  json_integer((json_int_t)row->nr_rounds)) |
	      json_object_set_new(o, "virtual_run", json_integer(row->run));
	for (i = 0; i < ZSR_CLOCKS_FIGURES; i++)
		bad |= json_object_set_new(o, figures[i].name,
					   figure_json(&row->figure[i]));
	if (bad) {
		json_decref(o);
		return NULL;
	}
	return o;
}

static json_t *bar_json(const struct zsr_clocks *c,
			const struct zsr_clocks_bar *bar)
{
	json_t *o = json_object(), *wrong = json_array();
	char less[ZSR_CLOCKS_LABEL], more[ZSR_CLOCKS_LABEL];
	size_t i;
	int bad = 0;

	for (i = 0; i < bar->nr_wrong; i++)
		bad |= json_array_append_new(
			wrong,
			json_pack("[ss]", label(c, bar->wrong[i].less, less),
				  label(c, bar->wrong[i].more, more)));
	bad |= json_object_set_new(o, "pairs_apart",
				   json_integer((json_int_t)bar->pairs)) |
	       json_object_set_new(o, "ranked_otherwise", wrong) |
	       json_object_set_new(o, "median_off", json_real(bar->off));
	if (bad) {
		json_decref(o);
		return NULL;
	}
	return o;
}

int zsr_clocks_json(const struct zsr_clocks *c, char **text, struct zsr_err *err)
{
	json_t *root = json_object(), *list = json_array();
	unsigned k;
	size_t i;
	int bad = 0;

	for (i = 0; i < c->nr_rows; i++)
		bad |= json_array_append_new(list, row_json(&c->row[i]));
	bad |= json_object_set_new(root, "zsr", json_string(ZSR_VERSION)) |
	       json_object_set_new(root, "trace", json_string(c->trace)) |
	       json_object_set_new(root, "profile", json_string(c->profile)) |
	       json_object_set_new(root, "cpus", json_integer(c->cpus)) |
	       json_object_set_new(root, "policies", list);
	for (k = 0; k < ZSR_CLOCKS_FIGURES; k++)
		bad |= json_object_set_new(root, figures[k].name,
					   bar_json(c, &c->bar[k]));
	bad |= json_object_set_new(root, "met", json_boolean(c->met));
	*text = bad ? NULL : json_dumps(root, JSON_INDENT(2));
	json_decref(root);
	return *text ? 0 : zsr_err_nomem(err, "JSON");
}
