// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "replay/conditions.h"

#define MAX_HOGS 1024

/* Remember the option as it was given, for the run's record. */
static int note(struct zsr_conditions *c, const char *option, const char *value,
		struct zsr_err *err)
{
	size_t n = strlen(c->text), left = sizeof(c->text) - n;

	if ((size_t)snprintf(c->text + n, left, "%s%s %s", n ? " " : "", option,
			     value) >= left ||
	    strpbrk(value, " \t\n"))
		return zsr_err_usage(err, "%s %s: too long, or has blanks",
				     option, value);
	return 0;
}

/* "A:B" or "A@B" cut in two; false without the separator. */
static bool cut(const char *s, char sep, char *first, size_t size,
		const char **second)
{
	const char *at = strchr(s, sep);

	if (!at || (size_t)(at - s) >= size)
		return false;
	memcpy(first, s, (size_t)(at - s));
	first[at - s] = '\0';
	*second = at + 1;
	return true;
}

/* ---- load ---------------------------------------------------------------- */

static int parse_cpu(struct zsr_conditions *c, const char *value, unsigned cpus,
		     struct zsr_err *err)
{
	uint64_t nr;
	int ret = zsr_parse_u64(value, "cpu", 1, MAX_HOGS, &nr, err);

	(void)cpus;
	if (!ret)
		c->cpu_hogs = (unsigned)nr;
	return ret;
}

static int parse_rt(struct zsr_conditions *c, const char *value, unsigned cpus,
		    struct zsr_err *err)
{
	const char *permille = NULL, *period = NULL;
	char first[16], second[16];
	uint64_t nr;
	int ret;

	c->rt_permille = ZSR_RT_PERMILLE;
	c->rt_period_ns = ZSR_RT_PERIOD_NS;
	if (cut(value, ':', first, sizeof(first), &permille))
		value = first;
	if (permille && cut(permille, ':', second, sizeof(second), &period))
		permille = second;
	ret = zsr_parse_u64(value, "rt", 1, cpus, &nr, err);
	if (!ret && permille)
		ret = zsr_parse_u64(permille, "rt", 1, 1000, &c->rt_permille,
				    err);
	if (!ret && period)
		ret = zsr_parse_ns(period, &c->rt_period_ns, err);
	if (!ret && (c->rt_period_ns < 1000 || c->rt_period_ns > 1000000000))
		ret = zsr_err_usage(err, "rt: a period is 1us to 1s");
	if (!ret)
		c->rt_hogs = (unsigned)nr;
	return ret;
}

static int parse_mem(struct zsr_conditions *c, const char *value, unsigned cpus,
		     struct zsr_err *err)
{
	const char *total;
	char rate[32];
	int ret;

	(void)cpus;
	if (!cut(value, ':', rate, sizeof(rate), &total))
		return zsr_err_usage(err, "mem: expected RATE:TOTAL, sizes a "
					  "second and in all");
	ret = zsr_parse_size(rate, &c->mem_rate, err);
	if (!ret)
		ret = zsr_parse_size(total, &c->mem_total, err);
	if (!ret && (!c->mem_rate || !c->mem_total ||
		     c->mem_rate > 1ull << 40 || c->mem_total > 1ull << 50))
		return zsr_err_usage(err, "mem: out of range");
	return ret;
}

static int parse_sched(struct zsr_conditions *c, const char *value,
		       unsigned cpus, struct zsr_err *err)
{
	(void)cpus;
	c->wake_set = true;
	return zsr_dist_parse(value, &c->wake, err);
}

static int parse_worker(struct zsr_conditions *c, const char *value,
			unsigned cpus, struct zsr_err *err)
{
	(void)cpus;
	c->worker_set = true;
	return zsr_dist_parse(value, &c->worker, err);
}

static const struct {
	const char *name;
	int (*parse)(struct zsr_conditions *c, const char *value, unsigned cpus,
		     struct zsr_err *err);
} loads[] = {
	{ "cpu", parse_cpu },       { "rt", parse_rt },
	{ "mem", parse_mem },       { "sched", parse_sched },
	{ "worker", parse_worker },
};

static int parse_load(struct zsr_conditions *c, const char *arg, unsigned cpus,
		      unsigned *seen, struct zsr_err *err)
{
	const char *value;
	char name[16];
	unsigned i;

	if (!cut(arg, '=', name, sizeof(name), &value))
		return zsr_err_usage(err, "expected KIND=VALUE, with cpu, rt, "
					  "mem, sched or worker");
	for (i = 0; i < ZSR_ARRAY_SIZE(loads); i++) {
		if (strcmp(loads[i].name, name))
			continue;
		if (*seen & 1u << i)
			return zsr_err_usage(err, "%s is given twice", name);
		*seen |= 1u << i;
		return loads[i].parse(c, value, cpus, err);
	}
	return zsr_err_usage(err,
			     "no load '%s'; there are cpu, rt, mem, sched "
			     "and worker",
			     name);
}

/* A distribution that came from a file is told by what was in it, too. */
static int note_load(struct zsr_conditions *c, const char *arg,
		     struct zsr_err *err)
{
	const struct zsr_dist *d;
	char text[sizeof(c->text)], name[sizeof(c->text)];
	const char *value = strchr(arg, '=') + 1;

	if (!strncmp(arg, "sched=", 6))
		d = &c->wake;
	else if (!strncmp(arg, "worker=", 7))
		d = &c->worker;
	else
		return note(c, "--load", arg, err);
	if (!zsr_dist_name(value, d, name, sizeof(name)) ||
	    (size_t)snprintf(text, sizeof(text), "%.*s%s", (int)(value - arg),
			     arg, name) >= sizeof(text))
		return zsr_err_usage(err, "--load %s: too long", arg);
	return note(c, "--load", text, err);
}

/* ---- happenings ------------------------------------------------------------ */

static int parse_offline(struct zsr_conditions *c, const char *arg,
			 unsigned cpus, struct zsr_err *err)
{
	const char *time;
	char first[16];
	uint64_t cpu;
	unsigned i;
	int ret;

	if (!cut(arg, '@', first, sizeof(first), &time))
		return zsr_err_usage(err, "expected CPU@TIME");
	ret = zsr_parse_u64(first, "CPU", 0, cpus - 1u, &cpu, err);
	if (ret)
		return ret;
	for (i = 0; i < c->nr_offline; i++)
		if (c->offline[i].cpu == cpu)
			return zsr_err_usage(err, "CPU %u is given twice",
					     (unsigned)cpu);
	if (c->nr_offline + 1 == cpus)
		return zsr_err_usage(err, "one of %u CPUs must stay", cpus);
	c->offline[c->nr_offline].cpu = (unsigned)cpu;
	return zsr_parse_ns(time, &c->offline[c->nr_offline++].at_ns, err);
}

static int parse_compact_at(struct zsr_conditions *c, const char *arg,
			    struct zsr_err *err)
{
	if (c->nr_compact_at == ZSR_MAX_COMPACTIONS)
		return zsr_err_usage(err, "more than %d", ZSR_MAX_COMPACTIONS);
	return zsr_parse_ns(arg, &c->compact_at_ns[c->nr_compact_at++], err);
}

/* ---- all ---------------------------------------------------------------------- */

static int compare_offline(const void *a, const void *b)
{
	const struct zsr_offline *x = a, *y = b;

	return (x->at_ns > y->at_ns) - (x->at_ns < y->at_ns);
}

static int compare_u64(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static int parse_lists(struct zsr_conditions *c,
		       const struct zsr_condition_args *args, unsigned cpus,
		       struct zsr_err *err)
{
	const char *const *s;
	unsigned seen = 0;
	int ret = 0;

	for (s = args->load; s && *s && !ret; s++) {
		ret = parse_load(c, *s, cpus, &seen, err);
		if (ret)
			return zsr_err_wrap(err, ret, "--load %s", *s);
		ret = note_load(c, *s, err);
	}
	for (s = args->offline; s && *s && !ret; s++) {
		ret = parse_offline(c, *s, cpus, err);
		if (ret)
			return zsr_err_wrap(err, ret, "--offline %s", *s);
		ret = note(c, "--offline", *s, err);
	}
	for (s = args->compact_at; s && *s && !ret; s++) {
		ret = parse_compact_at(c, *s, err);
		if (ret)
			return zsr_err_wrap(err, ret, "--compact-at %s", *s);
		ret = note(c, "--compact-at", *s, err);
	}
	return ret;
}

/* CPUs that go leave their real-time tasks to those that stay: there must be
 * one that is not theirs alone, or nothing else would ever run again. */
static int check_rt(const struct zsr_conditions *c, unsigned cpus,
		    struct zsr_err *err)
{
	unsigned left = cpus - c->nr_offline;

	if (c->rt_hogs / left * c->rt_permille < 1000)
		return 0;
	return zsr_err_usage(err,
			     "--load rt: %u tasks at %u permille leave no CPU "
			     "of %u to the replay",
			     c->rt_hogs, (unsigned)c->rt_permille, left);
}

static int parse_period(struct zsr_conditions *c, const char *option,
			const char *arg, uint64_t *ns, struct zsr_err *err)
{
	int ret = zsr_parse_ns(arg, ns, err);

	if (!ret && *ns < 1000)
		ret = zsr_err_usage(err, "less than 1us");
	return ret ? zsr_err_wrap(err, ret, "%s", option)
		   : note(c, option, arg, err);
}

static int parse_bytes(struct zsr_conditions *c, const char *option,
		       const char *arg, uint64_t *bytes, struct zsr_err *err)
{
	int ret = zsr_parse_size(arg, bytes, err);

	if (!ret && (*bytes < 1u << 20 || *bytes > 1ull << 50))
		ret = zsr_err_usage(err, "not within 1M to 1024T");
	return ret ? zsr_err_wrap(err, ret, "%s", option)
		   : note(c, option, arg, err);
}

int zsr_conditions_parse(struct zsr_conditions *c,
			 const struct zsr_condition_args *args, unsigned cpus,
			 struct zsr_err *err)
{
	int ret;

	memset(c, 0, sizeof(*c));
	ret = parse_lists(c, args, cpus, err);
	if (!ret)
		ret = check_rt(c, cpus, err);
	if (!ret && args->compact_every)
		ret = parse_period(c, "--compact-every", args->compact_every,
				   &c->compact_every_ns, err);
	if (!ret && args->migrate_every)
		ret = parse_period(c, "--migrate-every", args->migrate_every,
				   &c->migrate_every_ns, err);
	if (!ret && args->memory)
		ret = parse_bytes(c, "--memory", args->memory, &c->memory, err);
	if (!ret && args->swap)
		ret = parse_bytes(c, "--swap", args->swap, &c->swap, err);
	if (c->nr_offline)
		qsort(c->offline, c->nr_offline, sizeof(c->offline[0]),
		      compare_offline);
	if (c->nr_compact_at)
		qsort(c->compact_at_ns, c->nr_compact_at,
		      sizeof(c->compact_at_ns[0]), compare_u64);
	return ret;
}
