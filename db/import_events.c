// SPDX-License-Identifier: GPL-2.0-only
/* Events of a file that tells a whole trace: checked, counted, passed on. */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>

#include "db/import.h"
#include "db/records.h"

#define BATCH 256

int zsr_import_task_row(struct zsr_import *imp, uint64_t row, const char *text,
			struct zsr_err *err)
{
	struct zsr_import_task *t;
	char *end;
	long pid = strtol(text, &end, 10);

	if (!imp->events || row != imp->nr_tasks || end == text ||
	    pid != (int32_t)pid)
		return zsr_err_input(err,
				     "task %" PRIu64 ": '%.40s' is no PID "
				     "and name, or out of order",
				     row, text);
	if (zsr_grow(&imp->tasks, &imp->cap_tasks, imp->nr_tasks + 1,
		     sizeof(*imp->tasks)))
		return zsr_err_nomem(err, "tasks");
	t = &imp->tasks[imp->nr_tasks++];
	*t = (struct zsr_import_task){ .pid = (int32_t)pid,
				       .row = imp->nr_rows++ };
	zsr_import_comm(t, *end == ' ' ? end + 1 : end);
	return 0;
}

int zsr_import_mark_row(struct zsr_import *imp, uint64_t nr, const char *text,
			struct zsr_err *err)
{
	char *clean;
	int ret;

	if (nr != imp->nr_marks)
		return zsr_err_input(err, "mark %" PRIu64 " is out of order",
				     nr);
	clean = zsr_import_scrub(text);
	if (!clean)
		return zsr_err_nomem(err, "marks");
	ret = zsr_writer_row(imp->w, ZSR_TABLE_MARKS, (int64_t)nr, "", clean,
			     err);
	imp->nr_marks++;
	free(clean);
	return ret;
}

static int pools_up_to(struct zsr_import *imp, uint16_t pool,
		       struct zsr_err *err)
{
	uint32_t row;
	int ret = 0;

	while (!ret && imp->nr_pools <= pool)
		ret = zsr_import_new_pool(
			imp, zsr_pool_address((uint32_t)imp->nr_pools), &row,
			err);
	return ret;
}

static void set_time(struct zsr_import *imp, struct zsr_event *ev)
{
	if (!imp->started) {
		imp->started = true;
		imp->start_ns = ev->t_ns;
		if (ev->kind == ZSR_EV_MALLOC)
			imp->start_ns -= zsr_min(ev->dur_ns, ev->t_ns);
		imp->origin_ns = imp->start_ns;
	}
	ev->t_ns -= zsr_min(imp->origin_ns, ev->t_ns);
	if (ev->t_ns < imp->last_ns) {
		imp->odd.backwards++;
		ev->t_ns = imp->last_ns;
	}
	imp->last_ns = ev->t_ns;
}

static void count(struct zsr_import *imp, const struct zsr_event *ev)
{
	if (ev->flags & ZSR_EVF_AFTER_LOSS)
		imp->odd.lost_unknown++;
	if (ev->kind == ZSR_EV_MALLOC) {
		imp->calls = true;
		imp->next_obj++;
		imp->odd.live_at_end++;
		if (!imp->page_size)
			imp->max_size = zsr_max(imp->max_size,
						(uint64_t)ev->size);
	} else if (ev->kind == ZSR_EV_FREE) {
		imp->calls = true;
		imp->nr_frees++;
		imp->odd.lost_frees += (ev->flags & ZSR_EVF_INFERRED) != 0;
		if (ev->obj != ZSR_OBJ_NONE) {
			imp->odd.live_at_end--;
		} else {
			imp->odd.orphan_frees++;
			imp->pools[ev->pool].orphans = true;
		}
	}
}

static int import_one(struct zsr_import *imp, struct zsr_event *ev,
		      struct zsr_err *err)
{
	int ret = pools_up_to(imp, ev->pool, err);

	if (ret)
		return ret;
	if (ev->kind == ZSR_EV_MARK && ev->aux >= imp->nr_marks)
		return zsr_err_input(err, "there is no mark %" PRIu64, ev->aux);
	if (ev->kind == ZSR_EV_MALLOC && ev->size > imp->max_accepted &&
	    !imp->said.from_empty)
		return zsr_err_input(err,
				     "a malloc of %" PRIu32 " bytes, which "
				     "no pool takes",
				     ev->size);
	imp->odd.records++;
	set_time(imp, ev);
	count(imp, ev);
	return 0;
}

int zsr_import_events(void *ctx, const struct zsr_event *ev, size_t n,
		      struct zsr_err *err)
{
	struct zsr_import *imp = ctx;
	struct zsr_event some[BATCH];
	size_t i, m;
	int ret = 0;

	for (; n && !ret; n -= m, ev += m) {
		m = zsr_min(n, (size_t)BATCH);
		for (i = 0; i < m && !ret; i++) {
			some[i] = ev[i];
			ret = import_one(imp, &some[i], err);
		}
		if (!ret)
			ret = zsr_writer_add(imp->w, some, m, err);
	}
	return ret;
}
