// SPDX-License-Identifier: GPL-2.0-only
/* What a capture says about itself. */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "db/import.h"
#include "db/records.h"

#define ADDRESS_DIGITS 16

/* Sixteen hex digits from ffff0000... on: the kernel's half of the address
 * space on every 64-bit machine; some start at ffff8, some print with 0x. */
static bool is_address(const char *s)
{
	size_t n;

	for (n = 0; isxdigit((unsigned char)s[n]); n++)
		;
	return n == ADDRESS_DIGITS && !strncasecmp(s, "ffff", 4);
}

char *zsr_import_scrub(const char *text)
{
	static const char hidden[] = "(address)";
	/* A mask of 16 digits becomes shorter, never longer. */
	char *clean = malloc(strlen(text) + 1), *q = clean;
	const char *s = text;

	if (!clean)
		return NULL;
	while (*s) {
		bool start = s == text || !isxdigit((unsigned char)s[-1]);

		if (start && is_address(s)) {
			memcpy(q, hidden, strlen(hidden));
			q += strlen(hidden);
			s += ADDRESS_DIGITS;
			continue;
		}
		*q++ = (unsigned char)*s < ' ' && *s != '\n' && *s != '\t' ? '?'
									   : *s;
		s++;
	}
	*q = '\0';
	return clean;
}

/* "ring.overrun.cpu3" */
static struct zsr_import_cpu *ring_cpu(struct zsr_import *imp, const char *key,
				       const char *what)
{
	struct zsr_err ignored;
	uint64_t cpu;

	if (strncmp(key, what, strlen(what)) ||
	    zsr_parse_u64(key + strlen(what), "cpu", 0, UINT16_MAX, &cpu,
			  &ignored))
		return NULL;
	return zsr_import_cpu(imp, cpu);
}

static void note_fact(struct zsr_import *imp, const char *key, const char *value)
{
	struct zsr_import_cpu *cpu;
	struct zsr_err ignored;
	unsigned major, minor;
	uint64_t n;
	bool number;

	if (!strcmp(key, "format"))
		snprintf(imp->format, sizeof(imp->format), "%s", value);
	if (!strcmp(key, "clock"))
		snprintf(imp->clock, sizeof(imp->clock), "%s", value);
	if (!strcmp(key, "kernel.release") &&
	    !(imp->fact_flags & ZSR_GIVEN_KERNEL) &&
	    zsr_facts_release(value, &major, &minor))
		snprintf(imp->kernel, sizeof(imp->kernel), "%s", value);
	number = !zsr_parse_u64(value, key, 0, INT64_MAX, &n, &ignored);
	if (!number)
		return;
	if (!strcmp(key, "page_size") && zsr_facts_page_size(n) &&
	    !(imp->fact_flags & ZSR_GIVEN_PAGE_SIZE)) {
		imp->page_size = (uint32_t)n;
		/* Said after larger ones were seen it cannot be true. */
		if (n >= imp->max_size)
			imp->max_accepted = n;
	}
	if (!strcmp(key, "chain_size") && n >= 4 && n <= 16 &&
	    !(imp->fact_flags & ZSR_GIVEN_CHAIN_SIZE))
		imp->chain_size = (uint32_t)n;
	cpu = ring_cpu(imp, key, "ring.overrun.cpu");
	if (cpu)
		cpu->overrun = n;
	cpu = ring_cpu(imp, key, "ring.dropped.cpu");
	if (cpu)
		cpu->dropped = n;
}

/* ---- facts of a trace that was written as a capture (recording.c) --------------- */

/* The number at the end of a key that begins with WHAT. */
static bool numbered(const char *key, const char *what, uint64_t *nr)
{
	struct zsr_err ignored;

	return !strncmp(key, what, strlen(what)) &&
	       !zsr_parse_u64(key + strlen(what), key, 0, INT64_MAX, nr,
			      &ignored);
}

static void take_times(struct zsr_import *imp, const char *value)
{
	unsigned i;

	for (i = 0; i < ZSR_TIMES_NR; i++)
		if (!imp->times_given && !strcmp(value, zsr_times_name(i)))
			imp->times = i;
}

static void take_caller(struct zsr_import *imp, uint64_t address,
			const char *name)
{
	unsigned i;

	for (i = 1; i < ZSR_CALLER_NR; i++)
		if (!strcmp(name, zsr_caller_name(i))) {
			imp->said.caller[i] = address;
			imp->said.callers = true;
		}
}

/* Texts that marks share come before the first mark, in order. */
static int take_mark(struct zsr_import *imp, uint64_t nr, const char *text,
		     struct zsr_err *err)
{
	char *copy;

	if (imp->events)
		return zsr_import_mark_row(imp, nr, text, err);
	if (nr != imp->nr_marks || nr != imp->said.nr_marks ||
	    nr >= ZSR_MARK_MAX)
		return 0;
	if (zsr_grow(&imp->said.mark, &imp->said.cap_marks, (size_t)nr + 1,
		     sizeof(*imp->said.mark)))
		return zsr_err_nomem(err, "marks");
	copy = zsr_import_scrub(text);
	if (!copy)
		return zsr_err_nomem(err, "marks");
	imp->said.mark[imp->said.nr_marks++] = copy;
	imp->nr_marks++;
	return zsr_writer_row(imp->w, ZSR_TABLE_MARKS, (int64_t)nr, "", copy,
			      err);
}

static void take_odd(struct zsr_import *imp, const char *name, uint64_t n)
{
	imp->said.has_odd = true;
#define X(field, text)                                                         \
	if (!strcmp(name, #field))                                             \
		imp->said.odd.field = n;
	ZSR_ODD_COUNTS(X)
#undef X
}

static int take_said(struct zsr_import *imp, const char *key, const char *value,
		     struct zsr_err *err)
{
	struct zsr_err ignored;
	uint64_t n = 0, nr;
	bool number = !zsr_parse_u64(value, key, 0, INT64_MAX, &n, &ignored);

	if (!strcmp(key, "zsr.times"))
		take_times(imp, value);
	else if (!strcmp(key, "zsr.from_empty") && number)
		imp->said.from_empty = n ? 2 : 1;
	else if (!strcmp(key, "zsr.fact_flags") && number)
		imp->said.fact_flags = (uint32_t)n;
	else if (!strncmp(key, "zsr.odd.", 8) && number)
		take_odd(imp, key + 8, n);
	else if (!strcmp(key, "zsr.events"))
		imp->events = true;
	else if (!strcmp(key, "zsr.start_ns") && number && !imp->started) {
		imp->started = true;
		imp->start_ns = n;
	} else if (numbered(key, "zsr.pool.", &nr) && !imp->calls)
		return zsr_import_name_pool(imp, nr, value, err);
	else if (numbered(key, "zsr.task.", &nr))
		return zsr_import_task_row(imp, nr, value, err);
	else if (numbered(key, "zsr.mark.", &nr))
		return take_mark(imp, nr, value, err);
	else if (numbered(key, "zsr.caller.", &nr))
		take_caller(imp, nr, value);
	return 0;
}

int zsr_import_meta(void *ctx, const char *key, const char *value,
		    struct zsr_err *err)
{
	struct zsr_import *imp = ctx;
	char *clean_key, *clean;
	int ret;

	if (!strncmp(key, "zsr.", 4))
		return take_said(imp, key, value, err);
	note_fact(imp, key, value);
	clean = zsr_import_scrub(value);
	clean_key = zsr_import_scrub(key);
	if (clean && clean_key)
		ret = zsr_writer_row(imp->w, ZSR_TABLE_META, -1, clean_key,
				     clean, err);
	else
		ret = zsr_err_nomem(err, "metadata");
	free(clean);
	free(clean_key);
	return ret;
}
