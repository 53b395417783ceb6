// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is known of by its time alone: calls that were recorded without
 * arguments, unmappings, exits, and calls of a function that does next to
 * nothing, which say what the probes themselves cost.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "db/import.h"

/* What its mark says; NULL: none is made. */
static const char *const span_texts[ZSR_NR_SPANS] = {
	[ZSR_SPAN_MUNMAP] = "munmap",
	[ZSR_SPAN_EXIT] = "exit_mmap",
	[ZSR_SPAN_MALLOC] = "zs_malloc",
};

/* ---- the probes' own cost ---------------------------------------------------- */

/* The place of NS among the values, or where it would be. */
static size_t place_of(const struct zsr_import *imp, uint64_t ns)
{
	size_t from = 0, to = imp->cost.nr, mid;

	while (from < to) {
		mid = (from + to) / 2;
		if (imp->cost.value[mid].ns < ns)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

/* Values are few, as clocks have steps; of too many the nearest is meant. */
static int add_cost(struct zsr_import *imp, uint64_t ns, struct zsr_err *err)
{
	size_t at = place_of(imp, ns);

	imp->cost.count++;
	if (at < imp->cost.nr && imp->cost.value[at].ns == ns) {
		imp->cost.value[at].count++;
		return 0;
	}
	if (imp->cost.nr == ZSR_MAX_COSTS) {
		imp->cost.value[zsr_min(at, imp->cost.nr - 1)].count++;
		return 0;
	}
	if (zsr_grow(&imp->cost.value, &imp->cost.cap, imp->cost.nr + 1,
		     sizeof(*imp->cost.value)))
		return zsr_err_nomem(err, "costs");
	memmove(&imp->cost.value[at + 1], &imp->cost.value[at],
		(imp->cost.nr - at) * sizeof(*imp->cost.value));
	imp->cost.value[at].ns = ns;
	imp->cost.value[at].count = 1;
	imp->cost.nr++;
	return 0;
}

static uint64_t quantile(const struct zsr_import *imp, unsigned percent)
{
	uint64_t rank = (imp->cost.count * percent + 99) / 100, seen = 0;
	size_t i;

	for (i = 0; i + 1 < imp->cost.nr; i++) {
		seen += imp->cost.value[i].count;
		if (seen >= rank)
			break;
	}
	return imp->cost.value[i].ns;
}

static int put(struct zsr_import *imp, const char *key, uint64_t value,
	       struct zsr_err *err)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	return zsr_writer_row(imp->w, ZSR_TABLE_META, -1, key, text, err);
}

/* "NS:CALLS ..." */
static int put_values(struct zsr_import *imp, struct zsr_err *err)
{
	char *text = NULL;
	size_t len = 0, i;
	FILE *f = open_memstream(&text, &len);
	int ret;

	for (i = 0; f && i < imp->cost.nr; i++)
		fprintf(f, "%s%" PRIu64 ":%" PRIu64, i ? " " : "",
			imp->cost.value[i].ns, imp->cost.value[i].count);
	ret = !f || fclose(f) ? zsr_err_nomem(err, "costs")
			      : zsr_writer_row(imp->w, ZSR_TABLE_META, -1,
					       "cost.values", text, err);
	free(text);
	return ret;
}

int zsr_import_costs(struct zsr_import *imp, struct zsr_err *err)
{
	int ret;

	if (!imp->cost.count)
		return 0;
	ret = put(imp, "cost.calls", imp->cost.count, err);
	if (!ret)
		ret = put(imp, "cost.median_ns", quantile(imp, 50), err);
	if (!ret)
		ret = put(imp, "cost.p5_ns", quantile(imp, 5), err);
	if (!ret)
		ret = put(imp, "cost.p95_ns", quantile(imp, 95), err);
	return ret ? ret : put_values(imp, err);
}

/* ---- spans ------------------------------------------------------------------- */

int zsr_import_span(struct zsr_import *imp, const struct zsr_rec *rec,
		    enum zsr_span which, struct zsr_err *err)
{
	struct zsr_import_task *t;
	uint32_t task;
	int ret = zsr_import_task_of(imp, rec->pid, &task, err);

	if (ret)
		return ret;
	t = &imp->tasks[task];
	imp->odd.malloc_no_return += which == ZSR_SPAN_MALLOC &&
				     t->span[which].open;
	t->span[which].open = true;
	t->span[which].t_ns = imp->last_ns;
	t->span[which].calls = t->nr_calls;
	return 0;
}

/* The row of the text that all marks of a span share. */
static int text_of(struct zsr_import *imp, enum zsr_span which, uint64_t *nr,
		   struct zsr_err *err)
{
	if (!imp->span_text[which]) {
		int ret = zsr_writer_row(imp->w, ZSR_TABLE_MARKS,
					 (int64_t)imp->nr_marks, "",
					 span_texts[which], err);

		if (ret)
			return ret;
		imp->span_text[which] = ++imp->nr_marks;
	}
	*nr = imp->span_text[which] - 1;
	return 0;
}

int zsr_import_span_end(struct zsr_import *imp, const struct zsr_rec *rec,
			enum zsr_span which, struct zsr_err *err)
{
	struct zsr_event ev = { .kind = ZSR_EV_MARK, .obj = ZSR_OBJ_NONE };
	struct zsr_import_task *t;
	uint32_t task;
	uint64_t nr;
	int ret = zsr_import_task_of(imp, rec->pid, &task, err);

	if (ret)
		return ret;
	t = &imp->tasks[task];
	if (!t->span[which].open) {
		imp->odd.malloc_no_entry += which == ZSR_SPAN_MALLOC;
		return 0;
	}
	t->span[which].open = false;
	ev.dur_ns = rec->has & ZSR_REC_HAS_DUR
			    ? zsr_min(rec->value, (uint64_t)INT64_MAX)
			    : imp->last_ns - t->span[which].t_ns;
	if (which == ZSR_SPAN_EMPTY)
		return add_cost(imp, ev.dur_ns, err);
	/* Others unmap, too. */
	if (which != ZSR_SPAN_MALLOC && t->span[which].calls == t->nr_calls)
		return 0;
	ret = text_of(imp, which, &ev.aux, err);
	return ret ? ret : zsr_import_push(imp, rec, task, &ev, false, &nr, err);
}
