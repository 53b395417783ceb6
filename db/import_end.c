// SPDX-License-Identifier: GPL-2.0-only
/* The end of an import: what its records add up to. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "db/import.h"

#define ASSUMED_KERNEL "6.12"

/* What whoever wrote a trace as events had counted. */
static void take_said_counts(struct zsr_import *imp)
{
	uint64_t records = imp->odd.records;

	if (!imp->said.has_odd)
		return;
	imp->odd = imp->said.odd;
	imp->odd.records = records;
}

/* Calls that are still open, and losses. */
static void close_books(struct zsr_import *imp)
{
	const struct zsr_import_cpu *c;
	size_t i;

	for (i = 0; i < imp->nr_tasks; i++) {
		struct zsr_import_task *t = &imp->tasks[i];

		imp->odd.malloc_no_return += t->malloc.open +
					     t->span[ZSR_SPAN_MALLOC].open;
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
	if (!imp->events)
		imp->odd.live_at_end = imp->handles.nr_live;
	take_said_counts(imp);
}

/*
 * Every pool was seen from its creation, or (no creation is recorded at all)
 * the capture began before the first call; and nothing was freed whose malloc
 * is not in the trace.
 */
static bool from_empty(const struct zsr_import *imp)
{
	size_t i;

	if (imp->said.from_empty)
		return imp->said.from_empty > 1;
	for (i = 0; i < imp->nr_pools; i++) {
		const struct zsr_import_pool *p = &imp->pools[i];

		if (p->orphans || (!p->created && (imp->creates || !imp->begun)))
			return false;
	}
	return true;
}

/* How whoever wrote the capture knew what was not given now. */
static void take_said_flags(struct zsr_import *imp)
{
	uint32_t given = ZSR_GIVEN_KERNEL, inferred = ZSR_INFERRED_KERNEL;

	for (; given <= ZSR_GIVEN_CHAIN_SIZE; given <<= 1, inferred <<= 1)
		if (!(imp->fact_flags & given))
			imp->fact_flags |= imp->said.fact_flags &
					   (given | inferred);
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
	take_said_flags(imp);
	*t = (struct zsr_trace){
		.times = imp->times,
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
	char name[sizeof(imp->pools->name)];
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
		if (*imp->pools[i].name)
			memcpy(name, imp->pools[i].name, sizeof(name));
		else
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
	return ret ? ret : zsr_import_costs(imp, err);
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
