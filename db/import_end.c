// SPDX-License-Identifier: GPL-2.0-only
/* What the capture says about itself, and the end of an import. */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "db/import.h"

#define ADDRESS_DIGITS 16
#define ASSUMED_KERNEL "6.12"

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

int zsr_import_meta(void *ctx, const char *key, const char *value,
		    struct zsr_err *err)
{
	struct zsr_import *imp = ctx;
	char *clean_key, *clean = zsr_import_scrub(value);
	int ret;

	note_fact(imp, key, value);
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

/* ---- the end --------------------------------------------------------------- */

/* Calls that are still open, and losses. */
static void close_books(struct zsr_import *imp)
{
	const struct zsr_import_cpu *c;
	size_t i;

	for (i = 0; i < imp->nr_tasks; i++) {
		struct zsr_import_task *t = &imp->tasks[i];

		imp->odd.malloc_no_return += t->malloc.open;
		imp->odd.free_no_return += t->in_free;
		if (t->in_free && t->free != ZSR_NO_EVENT)
			zsr_window_close(&imp->window, t->free);
		if (t->in_compact)
			zsr_window_close(&imp->window, t->compact);
	}
	/* A capture that does not record returns misses none. */
	if (!imp->returns)
		imp->odd.free_no_return = 0;
	for (i = 0; i < imp->nr_cpus; i++) {
		c = &imp->cpus[i];
		/* What the statistics count mostly shows in the data too. */
		imp->odd.lost += zsr_max(c->lost, c->overrun + c->dropped);
	}
	imp->odd.lost = zsr_min(imp->odd.lost, (uint64_t)INT64_MAX);
	imp->odd.live_at_end = imp->handles.nr_live;
}

/*
 * Every pool was seen from its creation, or (no creation is recorded at all)
 * the capture began before the first call; and nothing was freed whose malloc
 * is not in the trace.
 */
static bool from_empty(const struct zsr_import *imp)
{
	size_t i;

	for (i = 0; i < imp->nr_pools; i++) {
		const struct zsr_import_pool *p = &imp->pools[i];

		if (p->orphans || (!p->created && (imp->creates || !imp->begun)))
			return false;
	}
	return true;
}

static void settle_facts(struct zsr_import *imp, struct zsr_trace *t)
{
	unsigned major, minor;

	if (!imp->kernel[0])
		memcpy(imp->kernel, imp->mark_kernel, sizeof(imp->kernel));
	if (!imp->kernel[0]) {
		strcpy(imp->kernel, ASSUMED_KERNEL);
		imp->fact_flags |= ZSR_INFERRED_KERNEL;
	}
	zsr_facts_release(imp->kernel, &major, &minor);
	if (!imp->page_size || imp->page_size < imp->max_size) {
		imp->page_size = 4096;
		while (imp->page_size < imp->max_size)
			imp->page_size *= 4;
		imp->fact_flags |= ZSR_INFERRED_PAGE_SIZE;
	}
	if (!imp->chain_size) {
		imp->chain_size = zsr_facts_chain_size(major, minor);
		imp->fact_flags |= ZSR_INFERRED_CHAIN_SIZE;
	}
	*t = (struct zsr_trace){
		.page_size = imp->page_size,
		.chain_size = imp->chain_size,
		.fact_flags = imp->fact_flags,
		.from_empty = from_empty(imp),
	};
	memcpy(t->kernel, imp->kernel, sizeof(t->kernel));
	snprintf(t->format, sizeof(t->format), "%s",
		 imp->format[0] ? imp->format : "unknown");
	snprintf(t->clock, sizeof(t->clock), "%s",
		 imp->clock[0] ? imp->clock : "unknown");
	zsr_writer_facts(imp->w, t);
}

static int write_number(struct zsr_import *imp, enum zsr_trace_table table,
			const char *key, uint64_t value, struct zsr_err *err)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	return zsr_writer_row(imp->w, table, -1, key, text, err);
}

static int write_odd(struct zsr_import *imp, struct zsr_err *err)
{
	int ret = 0;

#define X(name, text)                                                          \
	if (!ret && imp->odd.name)                                             \
		ret = write_number(imp, ZSR_TABLE_ODD, #name, imp->odd.name,   \
				   err);
	ZSR_ODD_COUNTS(X)
#undef X
	return ret;
}

static int write_rows(struct zsr_import *imp, struct zsr_err *err)
{
	struct zsr_task task;
	char name[32];
	size_t i;
	int ret = 0;

	for (i = 0; i < imp->nr_tasks && !ret; i++) {
		const struct zsr_import_task *t = &imp->tasks[i];

		if (t->row == UINT32_MAX)
			continue;
		task = (struct zsr_task){ .row = t->row, .pid = t->pid };
		memcpy(task.comm, t->comm, sizeof(task.comm));
		ret = zsr_writer_task(imp->w, &task, err);
	}
	for (i = 0; i < imp->nr_pools && !ret; i++) {
		snprintf(name, sizeof(name), "pool%zu", i);
		ret = zsr_writer_row(imp->w, ZSR_TABLE_POOLS, (int64_t)i, "",
				     name, err);
	}
	if (!ret)
		ret = write_odd(imp, err);
	if (!ret)
		ret = write_number(imp, ZSR_TABLE_META, "clock.start_ns",
				   imp->start_ns, err);
	if (!ret && imp->coarse)
		ret = write_number(imp, ZSR_TABLE_META, "clock.coarse", 1, err);
	if (!ret && imp->nr_places)
		ret = write_number(imp, ZSR_TABLE_META, "records.place",
				   imp->nr_places, err);
	if (!ret && imp->nr_zspages)
		ret = write_number(imp, ZSR_TABLE_META, "records.zspage_free",
				   imp->nr_zspages, err);
	return ret;
}

/* Commits, unless the same trace is there: then *t is that one. */
static int commit(struct zsr_import *imp, struct zsr_trace *t,
		  struct zsr_err *err)
{
	char same[128];
	int ret = 0;

	if (!imp->force)
		ret = zsr_writer_twin(imp->w, same, err);
	if (ret < 0)
		return ret;
	if (!ret) {
		struct zsr_writer *w = imp->w;

		imp->w = NULL;
		return zsr_writer_commit(w, t, err);
	}
	ret = zsr_trace_find(imp->db, same, t, err);
	if (ret)
		return ret;
	zsr_err_input(err, "this trace is in %s already, as '%s'",
		      imp->db->path, same);
	return -EEXIST;
}

int zsr_import_finish(struct zsr_import *imp, struct zsr_trace *t,
		      struct zsr_odd *odd, struct zsr_err *err)
{
	int ret;

	close_books(imp);
	*odd = imp->odd;
	ret = zsr_window_drain(&imp->window, imp->w, err);
	if (!ret && !imp->next_obj && !imp->nr_frees)
		ret = zsr_err_input(err,
				    "there is no whole call in it (%" PRIu64
				    " records)",
				    imp->odd.records);
	if (!ret) {
		settle_facts(imp, t);
		ret = write_rows(imp, err);
	}
	if (!ret)
		ret = commit(imp, t, err);
	zsr_import_abort(imp);
	return ret;
}
