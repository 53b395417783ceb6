// SPDX-License-Identifier: GPL-2.0-only
/* The profile: every entry with what it was measured from, and what was measured
 * beside it. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "replay/calibrate.h"
#include "replay/host_player.h"

/* Figures are known well enough when the median's own uncertainty (as of
 * rounds that follow no distribution in particular, about 1.25 times the
 * quartiles' distance by the root of their number) is less than this, or what it
 * makes of a release is. */
#define NOISY_PERMILLE 100
#define NOISY_LEAST_PS 2000

static void print_ns(FILE *f, int64_t ps)
{
	ps = zsr_max(ps, 0);
	fprintf(f, "%" PRId64 ".%03" PRId64 " ns", ps / 1000, ps % 1000);
}

static bool noisy(const struct zsr_cal *c, const struct zsr_figure *f)
{
	int64_t least = NOISY_LEAST_PS;
	uint64_t root = 1;
	int64_t uncertain;

	if (!f->known || f->why || !f->rounds)
		return false;
	while ((root + 1) * (root + 1) <= f->rounds)
		root++;
	uncertain = (f->q3 - f->q1) * 5 / (4 * (int64_t)root);
	if (f == &c->figure[ZSR_COST_zspage_unlink] ||
	    f == &c->figure[ZSR_COST_zspage_free])
		least = least * 1000 /
			(int64_t)zsr_max(c->emptied_permille, 1ul);
	return uncertain > least &&
	       uncertain * 1000 > f->median * NOISY_PERMILLE;
}

struct writer {
	const struct zsr_cal *c;
	FILE *f;
};

static const char not_measured[] = "not measured";

static void warn_of(const struct writer *w, const char *name, const char *what)
{
	const struct zsr_calibrate_opts *o = w->c->opts;
	char text[200];

	if (!o->warn)
		return;
	snprintf(text, sizeof(text), "%s: %s", name, what);
	o->warn(o->ctx, text);
}

static void warn(const struct writer *w, const char *name,
		 const struct zsr_figure *f)
{
	char what[150];

	fprintf(w->f, "; spread too large");
	snprintf(what, sizeof(what),
		 "half of its rounds are between %" PRId64 " and %" PRId64
		 " ns: the machine was busy",
		 f->q1 / 1000, f->q3 / 1000);
	warn_of(w, name, what);
}

/* Behind a value: where it comes from. */
static void source(const struct writer *w, const char *name,
		   const struct zsr_figure *f, const char *unit)
{
	if (f->why) {
		fprintf(w->f, " # %s\n", f->why);
		return;
	}
	fprintf(w->f, " # quartiles ");
	if (!strcmp(unit, "ps")) {
		print_ns(w->f, f->q1);
		fprintf(w->f, ", ");
		print_ns(w->f, f->q3);
	} else {
		fprintf(w->f, "%" PRId64 ", %" PRId64, f->q1, f->q3);
	}
	fprintf(w->f, ", %u rounds", f->rounds);
	if (!strcmp(unit, "ps") && noisy(w->c, f))
		warn(w, name, f);
	fputc('\n', w->f);
}

/* A time: as measured, else the base profile's. */
static void time_entry(const struct writer *w, const char *name,
		       unsigned figure, uint64_t base, const char *why)
{
	const struct zsr_figure *f = &w->c->figure[figure];

	fprintf(w->f, "%s = ", name);
	print_ns(w->f, f->known ? f->median : (int64_t)base);
	if (f->known)
		source(w, name, f, "ps");
	else
		fprintf(w->f, " # of %s: %s\n", w->c->base->name,
			f->why ? f->why : why);
	if (!f->known && !f->why && why == not_measured)
		warn_of(w, name, "no round of it went undisturbed");
}

static const char *why_taken(unsigned cost)
{
	switch (cost) {
	case ZSR_COST_gap_release:
	case ZSR_COST_gap_store:
		return "the host machine plays no gaps";
	case ZSR_COST_migrate_page:
		return "the host machine migrates no pages";
	default:
		return not_measured;
	}
}

static void costs(const struct writer *w)
{
	static const char *const name[] = {
#define X(name, text) #name,
		ZSR_COSTS(X)
#undef X
	};
	unsigned i;

	for (i = 0; i < ZSR_NR_COSTS; i++)
		time_entry(w, name[i], i, w->c->base->cost_ps[i], why_taken(i));
}

/* ---- the machine ---------------------------------------------------------------- */

static void speeds(const struct writer *w)
{
	unsigned i, nr = w->c->nr_cpus;

	while (nr > 1 && w->c->speed[nr - 1] == w->c->speed[nr - 2])
		nr--;
	fprintf(w->f, "speed = ");
	for (i = 0; i < nr; i++)
		fprintf(w->f, "%s%" PRIu64, i ? ", " : "", w->c->speed[i]);
	fprintf(w->f, " permille # of releases, against CPU 0\n");
}

static void permille_entry(const struct writer *w, const char *name,
			   unsigned figure, uint64_t otherwise)
{
	const struct zsr_figure *f = &w->c->figure[figure];

	fprintf(w->f, "%s = %" PRIu64 " permille", name,
		f->known ? (uint64_t)zsr_max(f->median, 0) : otherwise);
	if (f->known || f->why)
		source(w, name, f, "permille");
	else
		fprintf(w->f, " # of %s\n", w->c->base->name);
}

/* min_free_kbytes; 0 where it cannot be read. */
static uint64_t min_free_kib(void)
{
	FILE *f = fopen("/proc/sys/vm/min_free_kbytes", "re");
	uint64_t kib = 0;

	if (f && fscanf(f, "%" SCNu64, &kib) != 1)
		kib = 0;
	if (f)
		fclose(f);
	return kib;
}

static void memory(const struct writer *w)
{
	const struct zsr_profile *base = w->c->base;
	uint64_t min = min_free_kib();
	struct sysinfo info;

	if (sysinfo(&info))
		fprintf(w->f, "memory = %" PRIu64 " KiB # of %s\n",
			base->memory >> 10, base->name);
	else
		fprintf(w->f, "memory = %" PRIu64 " KiB # of the system\n",
			(uint64_t)info.totalram * info.mem_unit >> 10);
	if (min)
		fprintf(w->f,
			"wmark_min = %" PRIu64 " KiB # vm.min_free_kbytes\n"
			"wmark_low = %" PRIu64 " KiB # 5/4 of it\n"
			"wmark_high = %" PRIu64 " KiB # 3/2 of it\n",
			min, min * 5 / 4, min * 3 / 2);
	else
		fprintf(w->f,
			"wmark_min = %" PRIu64 " KiB # of %s\n"
			"wmark_low = %" PRIu64 " KiB # of it\n"
			"wmark_high = %" PRIu64 " KiB # of it\n",
			base->wmark_min >> 10, base->name,
			base->wmark_low >> 10, base->wmark_high >> 10);
}

static void machine(const struct writer *w)
{
	const struct zsr_cal *c = w->c;

	fprintf(w->f, "\ncpus = %u # that the process may use\n", c->nr_cpus);
	speeds(w);
	fprintf(w->f, "smt_cpus = %u # that slow each other in pairs\n",
		c->smt_cpus & ~1u);
	permille_entry(w, "smt_speed", ZSR_CAL_smt_speed, 1000);
	time_entry(w, "wake_latency", ZSR_CAL_wake_latency,
		   c->base->wake_latency, not_measured);
	time_entry(w, "worker_create", ZSR_CAL_worker_create,
		   c->base->worker_create, not_measured);
	fprintf(w->f,
		"slice = %u us # what the host machine gives a thread\n"
		"pcp_batch = %" PRIu64 " # as the host machine's\n"
		"pcp_high = %" PRIu64 " # as the host machine's\n",
		ZSR_HOST_SLICE_NS / 1000, c->pcp_batch, c->pcp_high);
	memory(w);
	permille_entry(w, "spread", ZSR_CAL_spread, c->base->spread);
	fprintf(w->f, "pause = ");
	print_ns(w->f, (int64_t)c->base->pause);
	fprintf(w->f, " # of %s: a definition\n", c->base->name);
}

/* ---- beside it --------------------------------------------------------------------- */

static void beside(const struct writer *w, unsigned figure, const char *unit,
		   const char *text)
{
	const struct zsr_figure *f = &w->c->figure[figure];

	if (!f->known)
		return;
	fprintf(w->f, "# %s: ", text);
	if (!strcmp(unit, "ps"))
		print_ns(w->f, f->median);
	else
		fprintf(w->f, "%" PRId64 " %s", f->median, unit);
	if (f->rounds)
		source(w, text, f, unit);
	else
		fputc('\n', w->f);
}

/* What a release of class-idx is by the steps above. */
static int64_t steps_sum(const struct zsr_cal *c)
{
	const struct zsr_figure *f = c->figure;
	int64_t zspage = f[ZSR_COST_zspage_unlink].median +
			 f[ZSR_COST_zspage_free].median +
			 f[ZSR_COST_atomic].median;
	int64_t page = f[ZSR_COST_zspage_lock].median +
		       f[ZSR_COST_page_reset].median +
		       f[ZSR_COST_page_free].median;

	return f[ZSR_COST_slot].median + f[ZSR_COST_cell_load].median +
	       f[ZSR_COST_spin_lock].median + f[ZSR_COST_obj_free].median +
	       f[ZSR_COST_spin_unlock].median + f[ZSR_COST_handle_free].median +
	       zspage * (int64_t)c->emptied_permille / 1000 +
	       page * (int64_t)c->pages_permille / 1000;
}

static void all_beside(const struct writer *w)
{
	const struct zsr_cal *c = w->c;

	fprintf(w->f, "\n# Measured beside them; steps contain them:\n");
#define X(name, unit, text)                                                    \
	if (ZSR_CAL_##name >= ZSR_CAL_shared_cache)                            \
		beside(w, ZSR_CAL_##name, unit, text);
	ZSR_CAL_FIGURES(X)
#undef X
	fprintf(w->f, "# which is by its steps: ");
	print_ns(w->f, steps_sum(c));
	fprintf(w->f,
		"\n# %" PRIu64 " of %" PRIu64
		" rounds were made again: the system took the CPU away\n",
		c->disturbed, c->all);
}

static int head(const struct writer *w)
{
	const struct zsr_calibrate_opts *o = w->c->opts;
	char *text = zsr_host_describe(&w->c->clock), *line, *rest = text;

	if (!text)
		return -ENOMEM;
	fprintf(w->f,
		"# Written by zsr calibrate --host, zsr " ZSR_VERSION ".\n");
	while ((line = strsep(&rest, "\n")))
		if (*line)
			fprintf(w->f, "%s%s\n", *line == '#' ? "" : "# ", line);
	fprintf(w->f, "# load average = %.2f # when it began\n",
		w->c->load_average);
	fprintf(w->f,
		"# %" PRIu32 " objects a pool; a value is the median of its "
		"rounds.\n\n",
		o->objects);
	free(text);
	return 0;
}

char *zsr_cal_text(const struct zsr_cal *c)
{
	struct writer w = { .c = c };
	char *text = NULL;
	size_t len;
	int ret;

	w.f = open_memstream(&text, &len);
	if (!w.f)
		return NULL;
	ret = head(&w);
	costs(&w);
	machine(&w);
	all_beside(&w);
	if (fclose(w.f) || ret) {
		free(text);
		return NULL;
	}
	return text;
}
