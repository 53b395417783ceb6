// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "db/vfilter.h"

static const struct zsr_vcolumn columns[] = {
	[ZSR_VEVENT_TRACE] = { .letter = 't', .equal = 0.1 },
	[ZSR_VEVENT_T_NS] = { .letter = 'n', .equal = 0.0001 },
	[ZSR_VEVENT_CPU] = { .letter = 'c', .equal = 0.3 },
	[ZSR_VEVENT_TASK] = { .letter = 'k', .equal = 0.3 },
	[ZSR_VEVENT_KIND] = { .letter = 'i', .equal = 0.5, .is_kind = true },
};

/* What must be read for the columns of a mask. */
static unsigned wanted(uint64_t mask)
{
	static const unsigned of[] = {
		[ZSR_VEVENT_TASK] = ZSR_WANT_TASK,
		[ZSR_VEVENT_COMM] = ZSR_WANT_TASK,
		[ZSR_VEVENT_DUR_NS] = ZSR_WANT_DUR,
		[ZSR_VEVENT_POOL] = ZSR_WANT_REST,
		[ZSR_VEVENT_OBJ] = ZSR_WANT_FREED,
		[ZSR_VEVENT_SIZE] = ZSR_WANT_SIZE | ZSR_READ_SIZES,
		[ZSR_VEVENT_CALLER] = ZSR_WANT_REST,
		[ZSR_VEVENT_SLOT] = ZSR_WANT_REST,
		[ZSR_VEVENT_GFP] = ZSR_WANT_GFP,
		[ZSR_VEVENT_CGROUP] = ZSR_WANT_REST,
		[ZSR_VEVENT_FLAGS] = ZSR_WANT_REST,
		[ZSR_VEVENT_AUX] = ZSR_WANT_REST,
		[ZSR_VEVENT_LIFE_NS] = ZSR_READ_BIRTHS,
	};
	unsigned want = 0, i;

	for (i = 0; i < ZSR_ARRAY_SIZE(of); i++)
		if (mask >> i & 1)
			want |= of[i];
	return want;
}

int zsr_vfilter_best_index(sqlite3_vtab *t, sqlite3_index_info *info)
{
	double rows;
	bool one_trace;
	int rc = zsr_vplan_make(info, columns, ZSR_ARRAY_SIZE(columns), &rows);

	if (rc)
		return rc;
	one_trace = zsr_vplan_one_trace(info->idxStr);
	info->idxNum = (int)wanted(info->colUsed);
	info->estimatedRows = (sqlite3_int64)rows + 1;
	/* Chunks are decoded whatever is asked of their rows. */
	info->estimatedCost = rows + (one_trace ? 0.1 : 1) * ZSR_VPLAN_ROWS / 4;
	info->orderByConsumed = zsr_vplan_ordered(
		info, one_trace, ZSR_VEVENT_TRACE, ZSR_VEVENT_T_NS);
	return SQLITE_OK;
}

/* ---- filter -------------------------------------------------------------- */

static unsigned kinds_named(sqlite3_value *v)
{
	const char *name = (const char *)sqlite3_value_text(v);
	unsigned kind;

	if (sqlite3_value_type(v) == SQLITE_BLOB)
		return 0;
	for (kind = 0; name && kind < ZSR_EV_NR; kind++)
		if (!strcmp(name, zsr_event_kind_name(kind)))
			return 1u << kind;
	return 0;
}

static unsigned kinds_listed(sqlite3_value *list)
{
	sqlite3_value *v;
	unsigned kinds = 0;
	int rc;

	for (rc = sqlite3_vtab_in_first(list, &v); rc == SQLITE_OK && v;
	     rc = sqlite3_vtab_in_next(list, &v))
		kinds |= kinds_named(v);
	return kinds;
}

void zsr_vfilter_init(struct zsr_vfilter *f, int plan, const char *str,
		      int argc, sqlite3_value **argv)
{
	bool some = true;
	int i;

	*f = (struct zsr_vfilter){
		.trace = { 1, INT32_MAX },
		.t_ns = { 0, INT64_MAX },
		.cpu = { 0, UINT16_MAX },
		.task = { 0, UINT32_MAX },
		.kinds = (1u << ZSR_EV_NR) - 1,
		.want = (unsigned)plan,
	};
	for (i = 0; i < argc; i++) {
		char op = str[2 * i + 1];

		switch (str[2 * i]) {
		case 't':
			some &= zsr_range_narrow(&f->trace, op, argv[i]);
			break;
		case 'n':
			some &= zsr_range_narrow(&f->t_ns, op, argv[i]);
			break;
		case 'c':
			some &= zsr_range_narrow(&f->cpu, op, argv[i]);
			break;
		case 'k':
			f->want |= ZSR_WANT_TASK;
			some &= zsr_range_narrow(&f->task, op, argv[i]);
			break;
		case 'i':
			f->kinds &= op == '(' ? kinds_listed(argv[i])
					      : kinds_named(argv[i]);
			break;
		}
	}
	f->nothing = !some || !f->kinds;
	if (!(f->kinds & 1u << ZSR_EV_FREE))
		f->want &= ~(ZSR_WANT_FREED | ZSR_READ_SIZES | ZSR_READ_BIRTHS);
}

bool zsr_vfilter_after(const struct zsr_vfilter *f,
		       const struct zsr_chunk_info *c)
{
	return (int64_t)c->t_min > f->t_ns.max;
}

/* Cpus 63 and above share a bit. */
static uint64_t cpu_bits(const struct zsr_range *cpu)
{
	unsigned a = (unsigned)zsr_min(cpu->min, 63);
	unsigned b = (unsigned)zsr_min(cpu->max, 63);

	return ~0ull >> (63 - b) & ~0ull << a;
}

bool zsr_vfilter_chunk(const struct zsr_vfilter *f,
		       const struct zsr_chunk_info *c)
{
	return (int64_t)c->t_max >= f->t_ns.min && c->kinds & f->kinds &&
	       c->cpus & cpu_bits(&f->cpu) && c->task_max >= f->task.min &&
	       c->task_min <= f->task.max;
}

/* Nothing but kinds has to be looked at in its rows. */
static bool chunk_inside(const struct zsr_vfilter *f,
			 const struct zsr_chunk_info *c)
{
	return zsr_range_has(&f->t_ns, (int64_t)c->t_min) &&
	       zsr_range_has(&f->t_ns, (int64_t)c->t_max) &&
	       zsr_range_has(&f->task, c->task_min) &&
	       zsr_range_has(&f->task, c->task_max) &&
	       zsr_range_has(&f->cpu, 0) && zsr_range_has(&f->cpu, UINT16_MAX);
}

static bool row_inside(const struct zsr_vfilter *f, const struct zsr_event *ev)
{
	return zsr_range_has(&f->t_ns, (int64_t)ev->t_ns) &
	       zsr_range_has(&f->cpu, ev->cpu) &
	       zsr_range_has(&f->task, ev->task);
}

/* Without a branch a row, as kinds come in no order a CPU could guess. */
unsigned zsr_vfilter_rows(const struct zsr_vfilter *f,
			  const struct zsr_chunk_info *c,
			  const struct zsr_event *ev, unsigned n, uint16_t *want)
{
	bool inside = chunk_inside(f, c),
	     all = inside && !(c->kinds & ~f->kinds);
	unsigned i, nr = 0;

	for (i = 0; all && i < n; i++)
		want[nr++] = (uint16_t)i;
	for (i = 0; !all && inside && i < n; i++) {
		__builtin_prefetch(&ev[i + 24]); /* another CPU made them */
		want[nr] = (uint16_t)i;
		nr += f->kinds >> ev[i].kind & 1;
	}
	for (i = 0; !inside && i < n; i++) {
		want[nr] = (uint16_t)i;
		nr += (f->kinds >> ev[i].kind & 1) & row_inside(f, &ev[i]);
	}
	return nr;
}
