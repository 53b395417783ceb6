// SPDX-License-Identifier: GPL-2.0-only
/* The rows of the comparison, and the form of each number in them. */
#include <stdlib.h>

#include "analyze/values.h"

/* Longer names of the first column would widen the labels. */
#define RATIO_NAME_WIDTH 14

enum form {
	HEAD,
	NS,
	AT, /* a time that may never come */
	SIZE,
	COUNT,
	RATIO, /* to the first column; its label says so */
	PERCENT, /* of value to `of` */
	FORMS = 0xff,
	IF_ANY = 0x100, /* no row where no column has anything in it */
};

static const struct {
	const char *label;
	unsigned form;
	unsigned value;
	unsigned of;
} rows[] = {
	{ "caller time of a task", HEAD, 0, 0 },
	{ "max", NS, VAL_caller_max_ns, 0 },
	{ NULL, RATIO, VAL_caller_max_ns, 0 },
	{ "mean", NS, VAL_caller_mean_ns, 0 },
	{ NULL, RATIO, VAL_caller_mean_ns, 0 },
	{ "sum", NS, VAL_caller_sum_ns, 0 },
	{ "one free, as its caller sees it", HEAD, 0, 0 },
	{ "p50", NS, VAL_release_p50_ns, 0 },
	{ "p99", NS, VAL_release_p99_ns, 0 },
	{ "p99.9", NS, VAL_release_p999_ns, 0 },
	{ "max", NS, VAL_release_max_ns, 0 },
	{ "fallbacks", COUNT, VAL_fallbacks, 0 },
	{ "of all frees", PERCENT, VAL_fallbacks, VAL_frees },
	{ "CPU time of all frees", HEAD, 0, 0 },
	{ "caller", NS, VAL_cpu_caller_ns, 0 },
	{ "caller spin", NS, VAL_cpu_spin_ns, 0 },
	{ "worker", NS, VAL_cpu_worker_ns, 0 },
	{ "worker spin", NS, VAL_cpu_worker_spin_ns, 0 },
	{ "queueing", NS, VAL_cpu_queueing_ns, 0 },
	{ "in stores", NS | IF_ANY, VAL_cpu_reuse_ns, 0 },
	{ "flush at the end", NS | IF_ANY, VAL_cpu_flush_ns, 0 },
	{ "total", NS, VAL_cpu_total_ns, 0 },
	{ NULL, RATIO, VAL_cpu_total_ns, 0 },
	{ "rest of the path", NS, VAL_cpu_gap_ns, 0 },
	{ "CPU time by step, less waits", HEAD, 0, 0 },
	{ "slot", NS | IF_ANY, VAL_step_slot_ns, 0 },
	{ "object, handle", NS | IF_ANY, VAL_step_object_ns, 0 },
	{ "zspage return", NS | IF_ANY, VAL_step_zspage_ns, 0 },
	{ "locks, no waits", NS | IF_ANY, VAL_step_lock_ns, 0 },
	{ "queueing", NS | IF_ANY, VAL_step_queue_ns, 0 },
	{ "waits for locks", HEAD, 0, 0 },
	{ "device lock", NS | IF_ANY, VAL_wait_outer_ns, 0 },
	{ "pool lock", NS | IF_ANY, VAL_wait_pool_ns, 0 },
	{ "class locks", NS | IF_ANY, VAL_wait_class_ns, 0 },
	{ "zone lock", NS | IF_ANY, VAL_wait_zone_ns, 0 },
	{ "queue's locks", NS | IF_ANY, VAL_wait_queue_ns, 0 },
	{ "memory", HEAD, 0, 0 },
	{ "held back, peak", SIZE, VAL_held_peak_bytes, 0 },
	{ "dead bytes, peak", SIZE, VAL_dead_peak_bytes, 0 },
	{ "queue's own", SIZE, VAL_queue_bytes, 0 },
	{ "stranded entries", COUNT, VAL_stranded, 0 },
	{ "slots reused", COUNT | IF_ANY, VAL_slots_reused, 0 },
	{ "mallocs failed", COUNT | IF_ANY, VAL_malloc_failed, 0 },
	{ "pages refused", COUNT | IF_ANY, VAL_pages_refused, 0 },
	{ "what compactions moved", HEAD, 0, 0 },
	{ "all", SIZE | IF_ANY, VAL_compact_moved_bytes, 0 },
	{ "of dead objects", SIZE | IF_ANY, VAL_compact_dead_bytes, 0 },
	{ "pages migrated", COUNT | IF_ANY, VAL_migrated_pages, 0 },
	{ "dead in them", SIZE | IF_ANY, VAL_migrate_dead_bytes, 0 },
	{ "what load did not get", HEAD, 0, 0 },
	{ "CPU, computing", NS | IF_ANY, VAL_load_cpu_lost_ns, 0 },
	{ "CPU, real-time", NS | IF_ANY, VAL_load_rt_lost_ns, 0 },
	{ "memory stalls", COUNT | IF_ANY, VAL_load_mem_stalls, 0 },
	{ "stalled", NS | IF_ANY, VAL_load_mem_stall_ns, 0 },
	{ "longest stall", NS | IF_ANY, VAL_load_mem_stall_max_ns, 0 },
	{ "pages back after", HEAD, 0, 0 },
	{ "50 %", AT, VAL_at_50_ns, 0 },
	{ "90 %", AT, VAL_at_90_ns, 0 },
	{ "100 %", AT, VAL_at_100_ns, 0 },
	{ NULL, RATIO, VAL_at_100_ns, 0 },
};

static void cell(const struct zsr_compare *c, size_t row, size_t col, char *buf)
{
	const uint64_t *v = c->col[col].value;
	uint64_t x = v[rows[row].value];

	switch (rows[row].form & FORMS) {
	case HEAD:
		buf[0] = '\0';
		break;
	case AT:
		if (x == ZSR_NEVER) {
			snprintf(buf, ZSR_FMT_LEN, "%s",
				 v[VAL_pages_total] ? "never" : "-");
			break;
		}
		/* fall through */
	case NS:
		x ? zsr_fmt_ns(buf, x) : zsr_fmt_count(buf, 0);
		break;
	case SIZE:
		x ? zsr_fmt_size(buf, x) : zsr_fmt_count(buf, 0);
		break;
	case COUNT:
		zsr_fmt_count(buf, x);
		break;
	case RATIO:
		zsr_fmt_ratio(buf, x,
			      c->col[c->col[col].base].value[rows[row].value]);
		break;
	case PERCENT:
		zsr_fmt_percent(buf, x, v[rows[row].of]);
		break;
	}
}

static bool any(const struct zsr_compare *c, size_t row)
{
	size_t j;

	for (j = 0; j < c->nr_cols; j++)
		if (c->col[j].value[rows[row].value])
			return true;
	return false;
}

/* A head is shown for the rows below it. */
static bool is_shown(const struct zsr_compare *c, size_t row)
{
	if (rows[row].form != HEAD)
		return !(rows[row].form & IF_ANY) || any(c, row);
	for (row++; row < ZSR_ARRAY_SIZE(rows) && rows[row].form != HEAD; row++)
		if (is_shown(c, row))
			return true;
	return false;
}

static int add_row(struct zsr_compare *c, size_t row)
{
	struct zsr_row *r = &c->row[c->nr_rows];
	size_t j;

	r->label = rows[row].label ? rows[row].label : c->ratio_label;
	r->kind = rows[row].form == HEAD    ? ZSR_ROW_HEAD
		  : rows[row].form == RATIO ? ZSR_ROW_RATIO
					    : ZSR_ROW_VALUE;
	r->cell = calloc(c->nr_cols, sizeof(*r->cell));
	if (!r->cell)
		return -ENOMEM;
	c->nr_rows++;
	for (j = 0; j < c->nr_cols; j++)
		cell(c, row, j, r->cell[j]);
	return 0;
}

int zsr_rows_build(struct zsr_compare *c)
{
	size_t i;

	if (asprintf(&c->ratio_label, "x %s",
		     zsr_text_width(c->col[0].policy) <= RATIO_NAME_WIDTH
			     ? c->col[0].policy
			     : "first") < 0) {
		c->ratio_label = NULL;
		return -ENOMEM;
	}
	c->row = calloc(ZSR_ARRAY_SIZE(rows), sizeof(*c->row));
	if (!c->row)
		return -ENOMEM;
	for (i = 0; i < ZSR_ARRAY_SIZE(rows); i++)
		if (is_shown(c, i) && add_row(c, i))
			return -ENOMEM;
	return 0;
}
