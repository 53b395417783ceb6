// SPDX-License-Identifier: GPL-2.0-only
/* What a kernel release says about its zsmalloc, and which facts can be. */
#include <ctype.h>
#include <string.h>

#include "db/private.h"

#define MIN_CHAIN 4
#define MAX_CHAIN 16

static const char *const times_names[ZSR_TIMES_NR] = {
	[ZSR_TIMES_HARDWARE] = "hardware",
	[ZSR_TIMES_EMULATED] = "emulated",
	[ZSR_TIMES_SYNTHETIC] = "synthetic",
};

const char *zsr_times_name(unsigned times)
{
	return times < ZSR_TIMES_NR ? times_names[times] : NULL;
}

/* One or two digits at *s. */
static bool number(const char **s, unsigned *v)
{
	unsigned digits = 0;

	for (*v = 0; isdigit((unsigned char)**s) && digits < 4; digits++)
		*v = *v * 10 + (unsigned)(*(*s)++ - '0');
	return digits && digits < 4;
}

bool zsr_facts_release(const char *release, unsigned *major, unsigned *minor)
{
	const char *s = release;

	if (!number(&s, major) || *s++ != '.' || !number(&s, minor))
		return false;
	if (*s && !strchr(".-+_~", *s))
		return false;
	for (; *s; s++)
		if (!isgraph((unsigned char)*s))
			return false;
	return (size_t)(s - release) < sizeof(((struct zsr_trace *)0)->kernel);
}

static bool from(unsigned major, unsigned minor, unsigned a, unsigned b)
{
	return major > a || (major == a && minor >= b);
}

/* 6.1 brought one lock a pool, 6.11 a lock a class back under a read lock, 7.3
 * frees without the pool's lock. */
const char *zsr_facts_lock_gen(unsigned major, unsigned minor)
{
	if (from(major, minor, 7, 3))
		return "7.3";
	if (from(major, minor, 6, 11))
		return "6.12";
	return from(major, minor, 6, 1) ? "6.1" : "5.10";
}

/* ZS_MAX_PAGES_PER_ZSPAGE was 4; CONFIG_ZSMALLOC_CHAIN_SIZE came with 6.3. */
unsigned zsr_facts_chain_size(unsigned major, unsigned minor)
{
	return from(major, minor, 6, 3) ? 8 : 4;
}

bool zsr_facts_page_size(uint64_t page_size)
{
	return page_size == 4096 || page_size == 16384 || page_size == 65536;
}

const char *zsr_trace_unplayable(uint64_t no_arguments)
{
	if (no_arguments)
		return "its calls were recorded without arguments, as "
		       "function_graph and LTTng's kernel probes do: which "
		       "objects were freed is not known";
	return NULL;
}

int zsr_facts_check(const struct zsr_trace *t, struct zsr_err *err)
{
	unsigned major, minor;

	if (!zsr_facts_release(t->kernel, &major, &minor))
		return zsr_err_usage(err,
				     "'%s' is no kernel release (like 6.12 or "
				     "6.1.0-56-arm64)",
				     t->kernel);
	if (!zsr_facts_page_size(t->page_size))
		return zsr_err_usage(err,
				     "page size %u is none of 4096, 16384, "
				     "65536",
				     t->page_size);
	if (t->chain_size < MIN_CHAIN || t->chain_size > MAX_CHAIN)
		return zsr_err_usage(err, "chain size %u is not within %u to %u",
				     t->chain_size, MIN_CHAIN, MAX_CHAIN);
	if (t->times >= ZSR_TIMES_NR)
		return zsr_err_usage(err, "unknown kind of times");
	return 0;
}
