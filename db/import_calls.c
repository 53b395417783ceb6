// SPDX-License-Identifier: GPL-2.0-only
/* Records to events: pairing, numbering, and counting what does not fit. */
#include <stdlib.h>

#include "db/import.h"

#define MAX_POOLS  65535
#define DRAIN_FROM 2048 /* events in the window */
#define MAX_ERRNO  4095

/* ---- who and where ------------------------------------------------------ */

int zsr_import_task_of(struct zsr_import *imp, int32_t pid, uint32_t *nr,
		       struct zsr_err *err)
{
	struct zsr_import_task *t;
	uint64_t found;

	if (imp->nr_tasks && imp->tasks[imp->last_task].pid == pid) {
		*nr = imp->last_task;
		return 0;
	}
	found = zsr_map_get(&imp->pids, (uint32_t)pid);
	if (found == UINT64_MAX) {
		if (zsr_grow(&imp->tasks, &imp->cap_tasks, imp->nr_tasks + 1,
			     sizeof(*imp->tasks)) ||
		    zsr_map_put(&imp->pids, (uint32_t)pid, imp->nr_tasks))
			return zsr_err_nomem(err, "tasks");
		t = &imp->tasks[imp->nr_tasks];
		*t = (struct zsr_import_task){ .pid = pid, .row = UINT32_MAX };
		found = imp->nr_tasks++;
	}
	*nr = imp->last_task = (uint32_t)found;
	return 0;
}

int zsr_import_new_pool(struct zsr_import *imp, uint64_t address, uint32_t *row,
			struct zsr_err *err)
{
	if (imp->nr_pools == MAX_POOLS)
		return zsr_err_input(err, "more than %u pools", MAX_POOLS);
	if (zsr_grow(&imp->pools, &imp->cap_pools, imp->nr_pools + 1,
		     sizeof(*imp->pools)) ||
	    zsr_map_put(&imp->pool_rows, address, imp->nr_pools))
		return zsr_err_nomem(err, "pools");
	imp->pools[imp->nr_pools] = (struct zsr_import_pool){ 0 };
	*row = (uint32_t)imp->nr_pools++;
	return 0;
}

int zsr_import_name_pool(struct zsr_import *imp, uint64_t address,
			 const char *name, struct zsr_err *err)
{
	struct zsr_import_pool *pool;
	char *clean;
	uint32_t row;
	int ret = zsr_import_new_pool(imp, address, &row, err);

	if (ret)
		return ret;
	clean = zsr_import_scrub(name);
	if (!clean)
		return zsr_err_nomem(err, "pools");
	pool = &imp->pools[row];
	snprintf(pool->name, sizeof(pool->name), "%s", clean);
	free(clean);
	return 0;
}

/* The pool of a record that names one, ZSR_POOL_ANY otherwise. */
static int pool_of(struct zsr_import *imp, const struct zsr_rec *rec,
		   uint32_t *row, struct zsr_err *err)
{
	uint64_t found;

	*row = ZSR_POOL_ANY;
	if (!(rec->has & ZSR_REC_HAS_POOL))
		return 0;
	found = zsr_map_get(&imp->pool_rows, rec->pool);
	if (found == UINT64_MAX)
		return zsr_import_new_pool(imp, rec->pool, row, err);
	*row = (uint32_t)found;
	return 0;
}

/* Calls that name no pool belong to the first. */
static int some_pool(struct zsr_import *imp, uint32_t *row, struct zsr_err *err)
{
	if (*row != ZSR_POOL_ANY)
		return 0;
	*row = 0;
	return imp->nr_pools ? 0 : zsr_import_new_pool(imp, 0, row, err);
}

struct zsr_import_cpu *zsr_import_cpu(struct zsr_import *imp, uint64_t cpu)
{
	size_t i;

	if (cpu > UINT16_MAX)
		return NULL;
	if (cpu >= imp->nr_cpus) {
		if (zsr_grow(&imp->cpus, &imp->cap_cpus, (size_t)cpu + 1,
			     sizeof(*imp->cpus)))
			return NULL;
		for (i = imp->nr_cpus; i <= cpu; i++)
			imp->cpus[i] = (struct zsr_import_cpu){ 0 };
		imp->nr_cpus = (size_t)cpu + 1;
	}
	return &imp->cpus[cpu];
}

/* ---- events --------------------------------------------------------------- */

/* The oldest event has waited too long for its return. */
static void give_up_oldest(struct zsr_import *imp)
{
	uint64_t nr = imp->window.head;
	uint32_t opener = imp->window.opener[nr % ZSR_WINDOW];
	struct zsr_import_task *t = &imp->tasks[opener - 1];

	if (t->in_free && t->free == nr) {
		t->in_free = false;
		imp->odd.free_no_return++;
	} else {
		t->in_compact = false;
	}
	zsr_window_close(&imp->window, nr);
}

static int make_room(struct zsr_import *imp, struct zsr_err *err)
{
	int ret;

	if (imp->window.tail - imp->window.head < DRAIN_FROM)
		return 0;
	if (imp->window.opener[imp->window.head % ZSR_WINDOW]) {
		if (!zsr_window_full(&imp->window))
			return 0;
		give_up_oldest(imp);
	}
	ret = zsr_window_drain(&imp->window, imp->w, err);
	return ret;
}

/*
 * An event of RECORD's time and cpu, by task TASK. Its object, size and the
 * like are in *ev; nr gets its number in the window.
 */
int zsr_import_push(struct zsr_import *imp, const struct zsr_rec *rec,
		    uint32_t task, struct zsr_event *ev, bool open,
		    uint64_t *nr, struct zsr_err *err)
{
	struct zsr_import_task *t = &imp->tasks[task];
	struct zsr_import_cpu *cpu = zsr_import_cpu(imp, rec->cpu);
	int ret = make_room(imp, err);

	if (ret)
		return ret;
	if (!cpu)
		return zsr_err_nomem(err, "cpus");
	if (t->row == UINT32_MAX)
		t->row = imp->nr_rows++;
	ev->t_ns = imp->last_ns;
	ev->cpu = rec->cpu;
	ev->task = t->row;
	ev->slot = -1;
	ev->cgroup = -1;
	if (cpu->after_loss) {
		ev->flags |= ZSR_EVF_AFTER_LOSS;
		cpu->after_loss = false;
	}
	*nr = zsr_window_push(&imp->window, ev, open ? task + 1 : 0);
	return 0;
}

/* Who made a call, where the capture tells whose addresses are whose. */
static uint8_t caller_of(const struct zsr_import *imp, const struct zsr_rec *rec)
{
	unsigned i;

	if (!imp->said.callers || !(rec->has & ZSR_REC_HAS_CALLER))
		return ZSR_CALLER_UNKNOWN;
	for (i = ZSR_CALLER_NR - 1; i > 0; i--)
		if (imp->said.caller[i] == rec->caller)
			break;
	return (uint8_t)i;
}

/* ---- malloc ---------------------------------------------------------------- */

static int on_malloc(struct zsr_import *imp, const struct zsr_rec *rec,
		     struct zsr_err *err)
{
	struct zsr_import_task *t;
	uint32_t task, pool;
	int ret;

	if (rec->has & ZSR_REC_NO_ARGS)
		return zsr_import_span(imp, rec, ZSR_SPAN_MALLOC, err);
	ret = zsr_import_task_of(imp, rec->pid, &task, err);
	if (!ret)
		ret = pool_of(imp, rec, &pool, err);
	if (ret)
		return ret;
	t = &imp->tasks[task];
	imp->odd.malloc_no_return += t->malloc.open;
	t->malloc.open = true;
	t->malloc.pool = pool;
	t->malloc.gfp = rec->has & ZSR_REC_HAS_GFP ? rec->gfp : 0;
	t->malloc.size = rec->value;
	t->malloc.t_ns = imp->last_ns;
	return 0;
}

/* The handle is live although it was just handed out: its free is missing, and
 * is put where it must have been at the latest. */
static int infer_free(struct zsr_import *imp, const struct zsr_rec *rec,
		      uint32_t task, struct zsr_handle at, struct zsr_err *err)
{
	struct zsr_event ev = {
		.kind = ZSR_EV_FREE,
		.obj = zsr_handles_object(&imp->handles, at),
		.pool = at.group->pool,
		.flags = ZSR_EVF_INFERRED,
	};
	uint64_t nr;

	imp->odd.lost_frees++;
	zsr_handles_kill(&imp->handles, at);
	return zsr_import_push(imp, rec, task, &ev, false, &nr, err);
}

/* A malloc is known whole: its return is RECORD. */
static int malloc_done(struct zsr_import *imp, const struct zsr_rec *rec,
		       uint32_t task, uint32_t pool, uint64_t size,
		       struct zsr_event *ev, struct zsr_err *err)
{
	struct zsr_handle at;
	uint64_t nr;
	int ret;

	if (rec->handle == 0 || rec->handle >= (uint64_t)-MAX_ERRNO) {
		imp->odd.malloc_failed++;
		return 0;
	}
	ret = some_pool(imp, &pool, err);
	if (ret)
		return ret;
	if (zsr_handles_find(&imp->handles, pool, rec->handle, &at) ==
	    ZSR_HANDLE_LIVE)
		ret = infer_free(imp, rec, task, at, err);
	if (ret)
		return ret;
	if (size == 0 || size > imp->max_accepted) {
		imp->odd.bad_size++;
		return 0;
	}
	imp->max_size = zsr_max(imp->max_size, size);
	ev->kind = ZSR_EV_MALLOC;
	ev->caller = caller_of(imp, rec);
	ev->obj = imp->next_obj++;
	ev->size = (uint32_t)size;
	ev->pool = (uint16_t)pool;
	if (zsr_handles_add(&imp->handles, pool, rec->handle, ev->obj))
		return zsr_err_nomem(err, "live objects");
	return zsr_import_push(imp, rec, task, ev, false, &nr, err);
}

static int on_malloc_ret(struct zsr_import *imp, const struct zsr_rec *rec,
			 struct zsr_err *err)
{
	struct zsr_event ev = { 0 };
	struct zsr_import_task *t;
	uint32_t task;
	int ret;

	if (rec->has & ZSR_REC_NO_ARGS)
		return zsr_import_span_end(imp, rec, ZSR_SPAN_MALLOC, err);
	ret = zsr_import_task_of(imp, rec->pid, &task, err);
	if (ret)
		return ret;
	t = &imp->tasks[task];
	if (!t->malloc.open) {
		imp->odd.malloc_no_entry++;
		return 0;
	}
	t->malloc.open = false;
	ev.gfp = t->malloc.gfp;
	ev.dur_ns = imp->last_ns - t->malloc.t_ns;
	return malloc_done(imp, rec, task, t->malloc.pool, t->malloc.size, &ev,
			   err);
}

static int on_malloc_done(struct zsr_import *imp, const struct zsr_rec *rec,
			  struct zsr_err *err)
{
	struct zsr_event ev = {
		.gfp = rec->has & ZSR_REC_HAS_GFP ? rec->gfp : 0,
	};
	uint32_t task, pool;
	int ret = zsr_import_task_of(imp, rec->pid, &task, err);

	if (!ret)
		ret = pool_of(imp, rec, &pool, err);
	return ret ? ret
		   : malloc_done(imp, rec, task, pool, rec->value, &ev, err);
}

/* ---- free ------------------------------------------------------------------ */

/* What a free frees: its object, or why there is none. */
static int freed(struct zsr_import *imp, const struct zsr_rec *rec,
		 uint32_t *pool, struct zsr_event *ev, struct zsr_err *err)
{
	enum zsr_handle_state state = ZSR_HANDLE_NONE;
	struct zsr_handle at;
	int ret;

	if (!(rec->has & ZSR_REC_NO_ARGS)) {
		state = zsr_handles_find(&imp->handles, *pool, rec->handle, &at);
		if (state == ZSR_HANDLE_LIVE) {
			*pool = at.group->pool;
			ev->obj = zsr_handles_object(&imp->handles, at);
			zsr_handles_kill(&imp->handles, at);
			return 0;
		}
	}
	ev->flags = ZSR_EVF_ORPHAN;
	ret = some_pool(imp, pool, err);
	if (ret)
		return ret;
	imp->pools[*pool].orphans = true;
	if (rec->has & ZSR_REC_NO_ARGS)
		imp->odd.no_arguments++;
	else if (state == ZSR_HANDLE_DEAD)
		imp->odd.double_frees++;
	else
		imp->odd.orphan_frees++;
	return 0;
}

static int on_free(struct zsr_import *imp, const struct zsr_rec *rec,
		   struct zsr_err *err)
{
	struct zsr_event ev = { .kind = ZSR_EV_FREE, .obj = ZSR_OBJ_NONE };
	bool blind = rec->has & ZSR_REC_NO_ARGS;
	struct zsr_import_task *t;
	uint32_t task, pool;
	int ret = zsr_import_task_of(imp, rec->pid, &task, err);

	if (!ret)
		ret = pool_of(imp, rec, &pool, err);
	if (ret)
		return ret;
	t = &imp->tasks[task];
	if (t->in_free) {
		imp->odd.free_no_return++;
		if (t->free != ZSR_NO_EVENT)
			zsr_window_close(&imp->window, t->free);
	}
	t->in_free = true;
	t->free = ZSR_NO_EVENT;
	t->nr_calls++;
	if (!blind && (rec->handle == 0 || rec->handle >= (uint64_t)-MAX_ERRNO)) {
		imp->odd.null_frees++;
		return 0;
	}
	ret = freed(imp, rec, &pool, &ev, err);
	if (ret)
		return ret;
	ev.pool = (uint16_t)pool;
	ev.caller = caller_of(imp, rec);
	imp->nr_frees++;
	return zsr_import_push(imp, rec, task, &ev, true, &t->free, err);
}

/* How long the call took that began with EV and is over with REC. */
static uint64_t took(const struct zsr_import *imp, const struct zsr_rec *rec,
		     const struct zsr_event *ev)
{
	if (rec->has & ZSR_REC_HAS_DUR)
		return zsr_min(rec->value, (uint64_t)INT64_MAX);
	return imp->last_ns - ev->t_ns;
}

static int on_free_ret(struct zsr_import *imp, const struct zsr_rec *rec,
		       struct zsr_err *err)
{
	struct zsr_import_task *t;
	struct zsr_event *ev;
	uint32_t task;
	int ret = zsr_import_task_of(imp, rec->pid, &task, err);

	if (ret)
		return ret;
	imp->returns = true;
	t = &imp->tasks[task];
	if (!t->in_free) {
		imp->odd.free_no_entry++;
		return 0;
	}
	t->in_free = false;
	if (t->free == ZSR_NO_EVENT)
		return 0;
	ev = zsr_window_event(&imp->window, t->free);
	ev->dur_ns = took(imp, rec, ev);
	zsr_window_close(&imp->window, t->free);
	return 0;
}

/* ---- everything else ---------------------------------------------------------- */

static int on_compact(struct zsr_import *imp, const struct zsr_rec *rec,
		      struct zsr_err *err)
{
	struct zsr_event ev = { .kind = ZSR_EV_COMPACT, .obj = ZSR_OBJ_NONE };
	struct zsr_import_task *t;
	uint32_t task, pool;
	int ret = zsr_import_task_of(imp, rec->pid, &task, err);

	if (!ret)
		ret = pool_of(imp, rec, &pool, err);
	if (!ret)
		ret = some_pool(imp, &pool, err);
	if (ret)
		return ret;
	t = &imp->tasks[task];
	if (t->in_compact)
		zsr_window_close(&imp->window, t->compact);
	t->in_compact = true;
	ev.pool = (uint16_t)pool;
	return zsr_import_push(imp, rec, task, &ev, true, &t->compact, err);
}

static int on_compact_ret(struct zsr_import *imp, const struct zsr_rec *rec,
			  struct zsr_err *err)
{
	struct zsr_import_task *t;
	struct zsr_event *ev;
	uint32_t task;
	int ret = zsr_import_task_of(imp, rec->pid, &task, err);

	if (ret)
		return ret;
	t = &imp->tasks[task];
	if (!t->in_compact) {
		imp->odd.other++;
		return 0;
	}
	t->in_compact = false;
	ev = zsr_window_event(&imp->window, t->compact);
	ev->dur_ns = imp->last_ns - ev->t_ns;
	ev->aux = rec->value;
	zsr_window_close(&imp->window, t->compact);
	return 0;
}

/* A zspage handed back: how many pages it had is not recorded (aux 0). It does
 * not wait for its return, which mostly is not recorded either. */
static int on_zspage_free(struct zsr_import *imp, const struct zsr_rec *rec,
			  struct zsr_err *err)
{
	struct zsr_event ev = { .kind = ZSR_EV_PAGE_FREE, .obj = ZSR_OBJ_NONE };
	struct zsr_import_task *t;
	uint32_t task, pool;
	int ret = zsr_import_task_of(imp, rec->pid, &task, err);

	imp->nr_zspages++;
	if (!ret)
		ret = pool_of(imp, rec, &pool, err);
	if (ret)
		return ret;
	t = &imp->tasks[task];
	if (pool == ZSR_POOL_ANY && t->in_free && t->free != ZSR_NO_EVENT)
		pool = zsr_window_event(&imp->window, t->free)->pool;
	else if (pool == ZSR_POOL_ANY && t->in_compact)
		pool = zsr_window_event(&imp->window, t->compact)->pool;
	ret = some_pool(imp, &pool, err);
	if (ret)
		return ret;
	ev.pool = (uint16_t)pool;
	t->in_zspage = true;
	return zsr_import_push(imp, rec, task, &ev, false, &t->zspage, err);
}

static int on_zspage_free_ret(struct zsr_import *imp, const struct zsr_rec *rec,
			      struct zsr_err *err)
{
	struct zsr_import_task *t;
	struct zsr_event *ev;
	uint32_t task;
	int ret = zsr_import_task_of(imp, rec->pid, &task, err);

	if (ret)
		return ret;
	t = &imp->tasks[task];
	/* Written already, unless it is within a call that waits. */
	if (t->in_zspage && t->zspage >= imp->window.head) {
		ev = zsr_window_event(&imp->window, t->zspage);
		ev->dur_ns = took(imp, rec, ev);
	}
	t->in_zspage = false;
	return 0;
}

static int on_pool_create(struct zsr_import *imp, const struct zsr_rec *rec,
			  struct zsr_err *err)
{
	uint32_t row;
	int ret;

	imp->creates = true;
	if (rec->pool == 0 || rec->pool >= (uint64_t)-MAX_ERRNO)
		return 0;
	ret = zsr_import_new_pool(imp, rec->pool, &row, err);
	if (!ret)
		imp->pools[row].created = true;
	return ret;
}

static int on_lost(struct zsr_import *imp, const struct zsr_rec *rec,
		   struct zsr_err *err)
{
	struct zsr_import_cpu *cpu = zsr_import_cpu(imp, rec->cpu);

	if (!cpu)
		return zsr_err_nomem(err, "cpus");
	cpu->after_loss = true;
	imp->odd.lost_unknown += rec->value == 0;
	if (__builtin_add_overflow(cpu->lost, rec->value, &cpu->lost))
		cpu->lost = INT64_MAX;
	return 0;
}

int zsr_import_record(struct zsr_import *imp, const struct zsr_rec *rec,
		      struct zsr_err *err)
{
	switch (rec->kind) {
	case ZSR_REC_MALLOC:
		imp->calls = true;
		return on_malloc(imp, rec, err);
	case ZSR_REC_MALLOC_RET:
		imp->calls = true;
		return on_malloc_ret(imp, rec, err);
	case ZSR_REC_MALLOC_DONE:
		imp->calls = true;
		return on_malloc_done(imp, rec, err);
	case ZSR_REC_FREE:
		imp->calls = true;
		return on_free(imp, rec, err);
	case ZSR_REC_FREE_RET:
		imp->calls = true;
		return on_free_ret(imp, rec, err);
	case ZSR_REC_COMPACT:
		return on_compact(imp, rec, err);
	case ZSR_REC_COMPACT_RET:
		return on_compact_ret(imp, rec, err);
	case ZSR_REC_POOL_CREATE:
		return on_pool_create(imp, rec, err);
	case ZSR_REC_POOL_DESTROY:
		return 0;
	case ZSR_REC_PLACE:
		imp->nr_places++;
		return 0;
	case ZSR_REC_ZSPAGE_FREE:
		return on_zspage_free(imp, rec, err);
	case ZSR_REC_ZSPAGE_FREE_RET:
		return on_zspage_free_ret(imp, rec, err);
	case ZSR_REC_EMPTY:
		return zsr_import_span(imp, rec, ZSR_SPAN_EMPTY, err);
	case ZSR_REC_EMPTY_RET:
		return zsr_import_span_end(imp, rec, ZSR_SPAN_EMPTY, err);
	case ZSR_REC_MUNMAP:
		return zsr_import_span(imp, rec, ZSR_SPAN_MUNMAP, err);
	case ZSR_REC_MUNMAP_RET:
		return zsr_import_span_end(imp, rec, ZSR_SPAN_MUNMAP, err);
	case ZSR_REC_EXIT:
		return zsr_import_span(imp, rec, ZSR_SPAN_EXIT, err);
	case ZSR_REC_EXIT_RET:
		return zsr_import_span_end(imp, rec, ZSR_SPAN_EXIT, err);
	case ZSR_REC_LOST:
		return on_lost(imp, rec, err);
	default:
		imp->odd.other++;
		return 0;
	}
}
