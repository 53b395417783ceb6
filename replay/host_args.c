// SPDX-License-Identifier: GPL-2.0-only
/* What the user wants of the machine of threads, and what that may be. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "replay/host_player.h"

#define SAMPLE_NS 1000000 /* as often as a task is given a turn */

static int note(char *text, size_t size, const char *option, const char *value,
		struct zsr_err *err)
{
	size_t n = strlen(text);

	if ((size_t)snprintf(text + n, size - n, "%s%s %s", n ? " " : "",
			     option, value) >= size - n)
		return zsr_err_usage(err, "%s %s: too long", option, value);
	return 0;
}

/* "0-2,5" as bits. */
static int parse_cpus(const char *s, unsigned cpus, uint64_t *set,
		      struct zsr_err *err)
{
	unsigned long first, last;
	char *end = NULL;

	for (; *s; s = *end == ',' ? end + 1 : end) {
		first = last = strtoul(s, &end, 10);
		if (isdigit((unsigned char)*s) && *end == '-' &&
		    isdigit((unsigned char)end[1]))
			last = strtoul(end + 1, &end, 10);
		if (!isdigit((unsigned char)*s) || (*end && *end != ',') ||
		    (*end && !end[1]) || first > last)
			return zsr_err_usage(err, "expected CPUs, as in 0-2,5");
		if (last >= cpus)
			return zsr_err_usage(err, "there are CPUs 0 to %u",
					     cpus - 1);
		for (; first <= last; first++)
			*set |= 1ull << first;
	}
	return *set ? 0 : zsr_err_usage(err, "expected CPUs, as in 0-2,5");
}

/* Which of two words it is; true for the second. */
static int parse_word(const char *s, const char *const word[2], bool *second,
		      struct zsr_err *err)
{
	*second = !strcmp(s, word[1]);
	return *second || !strcmp(s, word[0])
		       ? 0
		       : zsr_err_usage(err, "expected %s or %s", word[0],
				       word[1]);
}

static int parse_sample(const char *s, uint64_t *ns, struct zsr_err *err)
{
	int ret = zsr_parse_ns(s, ns, err);

	if (!ret && (*ns < 100000 || *ns > 10000000000))
		ret = zsr_err_usage(err, "not within 100us to 10s");
	return ret;
}

static int check_cpus(const struct zsr_host_args *a, unsigned cpus,
		      struct zsr_err *err)
{
	unsigned may = zsr_host_nr_cpus();

	if (cpus <= may || a->oversubscribe)
		return 0;
	return zsr_err_usage(err,
			     "--cpus %u: the process may use %u; a holder of a "
			     "lock would have to wait for the CPU of one who "
			     "spins for it, which no kernel does "
			     "(--oversubscribe does it all the same)",
			     cpus, may);
}

int zsr_host_args_parse(struct zsr_host_setup *s, const struct zsr_host_args *a,
			unsigned cpus, char *text, size_t size,
			struct zsr_err *err)
{
	static const char *const locks[] = { "ticket", "queued" };
	static const char *const releases[] = { "keep", "madvise" };
	const struct {
		const char *option, *value;
	} all[] = {
		{ "--spinlock", a->spinlock },
		{ "--worker-cpus", a->worker_cpus },
		{ "--release", a->release },
		{ "--sample", a->sample },
		{ "--numa", a->numa },
	};
	uint64_t node = 0;
	unsigned i;
	int ret = check_cpus(a, cpus, err);

	for (i = 0; !ret && i < ZSR_ARRAY_SIZE(all); i++) {
		if (!all[i].value)
			continue;
		switch (i) {
		case 0:
			ret = parse_word(all[i].value, locks, &s->queued, err);
			break;
		case 1:
			ret = parse_cpus(all[i].value, cpus, &s->worker_cpus,
					 err);
			break;
		case 2:
			ret = parse_word(all[i].value, releases, &s->give_back,
					 err);
			break;
		case 3:
			ret = parse_sample(all[i].value, &s->sample_ns, err);
			break;
		case 4:
			ret = zsr_parse_u64(all[i].value, "node", 0, 1023,
					    &node, err);
			s->numa_node = (int)node + 1;
			break;
		}
		if (ret)
			return zsr_err_wrap(err, ret, "%s %s", all[i].option,
					    all[i].value);
		ret = note(text, size, all[i].option, all[i].value, err);
	}
	if (s->give_back && !s->sample_ns)
		s->sample_ns = SAMPLE_NS;
	return ret;
}
