// SPDX-License-Identifier: GPL-2.0-only
/* What it takes to tell a trace as records, and what is lost by it. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "db/records.h"

/* Ends of a task's last calls, which no other of it may overlap. */
struct task {
	struct {
		uint64_t end_ns;
		uint16_t cpu;
	} malloc, free, compact;
	int32_t pid;
};

struct look {
	struct zsr_db *db;
	const struct zsr_trace *t;
	struct zsr_recording *s;
	struct task *task;
	uint32_t next_row;
	uint64_t nr_marks;
	uint64_t last_ns;
	uint16_t last_cpu;
	bool free_dur;
	bool free_no_return;
	uint64_t nr_texts; /* rows of marks */
};

/* ---- events ---------------------------------------------------------------- */

static bool has_other_fields(const struct zsr_event *ev)
{
	bool call = ev->kind <= ZSR_EV_FREE;
	bool known = ev->obj != ZSR_OBJ_NONE;

	if (ev->slot != -1 || ev->cgroup != -1 ||
	    (ev->gfp && ev->kind != ZSR_EV_MALLOC) || (ev->caller && !call) ||
	    (ev->size && !known))
		return true;
	if (ev->flags & ZSR_EVF_ORPHAN && (ev->kind != ZSR_EV_FREE || known))
		return true;
	if (ev->flags & ZSR_EVF_INFERRED &&
	    (ev->kind != ZSR_EV_FREE || !known || ev->dur_ns || ev->caller))
		return true;
	if (ev->kind == ZSR_EV_MARK)
		return ev->dur_ns || ev->pool;
	if (ev->kind == ZSR_EV_PAGE_FREE)
		return ev->dur_ns || ev->aux;
	return call && ev->aux;
}

/* A call from BEGIN to END beside the task's last one of its kind. */
#define OVERLAPS(last, begin, cpu_)                                            \
	((begin) < (last).end_ns ||                                            \
	 ((begin) == (last).end_ns && (cpu_) < (last).cpu))
#define ENDS(last, end, cpu_)                                                  \
	do {                                                                   \
		(last).end_ns = (end);                                         \
		(last).cpu = (cpu_);                                           \
	} while (0)

static void look_at_calls(struct look *l, const struct zsr_event *ev)
{
	struct task *task = &l->task[ev->task];
	uint64_t begin = ev->t_ns - zsr_min(ev->dur_ns, ev->t_ns);
	uint64_t end = ev->t_ns + ev->dur_ns;
	struct zsr_unsaid *u = &l->s->unsaid;

	switch (ev->kind) {
	case ZSR_EV_MALLOC:
		l->s->longest_ns = zsr_max(l->s->longest_ns, ev->t_ns - begin);
		u->early += ev->dur_ns > ev->t_ns;
		u->sizes += !ev->size || ev->size > l->t->page_size;
		u->overlaps += OVERLAPS(task->malloc, begin, ev->cpu);
		ENDS(task->malloc, ev->t_ns, ev->cpu);
		break;
	case ZSR_EV_FREE:
		if (ev->flags & ZSR_EVF_INFERRED)
			break;
		l->free_dur |= ev->dur_ns != 0;
		u->overlaps += OVERLAPS(task->free, ev->t_ns, ev->cpu);
		ENDS(task->free, end, ev->cpu);
		break;
	case ZSR_EV_COMPACT:
		u->overlaps += OVERLAPS(task->compact, ev->t_ns, ev->cpu);
		ENDS(task->compact, end, ev->cpu);
		break;
	}
}

static void look_at(struct look *l, const struct zsr_event *ev)
{
	struct zsr_unsaid *u = &l->s->unsaid;

	u->order += ev->t_ns == l->last_ns && ev->cpu < l->last_cpu;
	l->last_ns = ev->t_ns;
	l->last_cpu = ev->cpu;
	u->tasks += ev->task > l->next_row;
	if (ev->task >= l->next_row)
		l->next_row = ev->task + 1;
	u->fields += has_other_fields(ev);
	u->lock_waits += ev->kind == ZSR_EV_LOCK_WAIT;
	if (ev->caller != ZSR_CALLER_UNKNOWN)
		l->s->callers |= 1u << ev->caller;
	if (ev->kind == ZSR_EV_MARK)
		l->s->shared_marks |= ev->aux != l->nr_marks++;
	look_at_calls(l, ev);
}

static int look_at_events(struct look *l, struct zsr_err *err)
{
	const struct zsr_event *ev;
	struct zsr_cursor *c;
	int i, n, ret = zsr_cursor_open(l->db, l->t->id, &c, err);

	if (ret)
		return ret;
	while ((n = zsr_cursor_next(c, &ev, err)) > 0)
		for (i = 0; i < n; i++)
			look_at(l, &ev[i]);
	zsr_cursor_close(c);
	l->s->last_ns = l->last_ns;
	l->s->unsaid.tasks += l->t->nr_tasks - l->next_row;
	l->s->shared_marks |= l->nr_marks != l->nr_texts;
	l->s->all_returns = l->free_dur && !l->free_no_return;
	return n;
}

/* ---- rows ------------------------------------------------------------------ */

static bool plain(const char *s)
{
	size_t n = strlen(s), i;

	if (n > ZSR_FACT_MAX || *s == ' ' || (n && s[n - 1] == ' '))
		return false;
	for (i = 0; i < n; i++)
		if (s[i] < ' ' || s[i] > '~')
			return false;
	return true;
}

static int on_task(void *ctx, const struct zsr_task *t)
{
	struct look *l = ctx;

	if (t->row < l->t->nr_tasks)
		l->task[t->row].pid = t->pid;
	l->s->unsaid.tasks += t->pid < 0 || !plain(t->comm) ||
			      !strcmp(t->comm, "<...>");
	return 0;
}

static int by_pid(const void *a, const void *b)
{
	const struct task *x = a, *y = b;

	return (x->pid > y->pid) - (x->pid < y->pid);
}

static int on_mark(void *ctx, int64_t nr, const char *key, const char *text)
{
	struct look *l = ctx;

	l->nr_texts++;
	l->s->unsaid.marks += !plain(text) || !strncmp(text, "zsr:fact ", 9);
	return 0;
}

/* Facts that a new capture has of its own, or that are told as others. */
static bool own_fact(const char *key)
{
	static const char *const keys[] = {
		"format",     "format.version", "cpus",
		"recorder",   "clock.start_ns", "page_size",
		"chain_size", "clock",          "kernel.release",
	};
	size_t i;

	for (i = 0; i < ZSR_ARRAY_SIZE(keys); i++)
		if (!strcmp(key, keys[i]))
			return true;
	return !strncmp(key, "ring.", 5) || !strncmp(key, "records.", 8);
}

static bool tellable(const char *key, const char *value)
{
	return !strchr(key, '=') && strlen(key) < 200 && plain(value) &&
	       strlen(key) + strlen(value) < ZSR_FACT_MAX;
}

static int on_meta(void *ctx, int64_t nr, const char *key, const char *value)
{
	struct look *l = ctx;
	struct zsr_err ignored;
	uint64_t start;

	if (!strcmp(key, "clock.start_ns") &&
	    !zsr_parse_u64(value, key, 0, INT64_MAX / 2, &start, &ignored))
		l->s->start_ns = start;
	l->s->unsaid.metadata += !own_fact(key) && !tellable(key, value);
	return 0;
}

static int on_odd(void *ctx, int64_t nr, const char *key, const char *value)
{
	struct look *l = ctx;

	l->free_no_return |= !strcmp(key, "free_no_return");
	return 0;
}

/* Texts that two marks have cannot be told apart by them. */
static int count_twins(struct look *l, struct zsr_err *err)
{
	sqlite3_stmt *stmt;
	int ret = zsr_sql_prepare(l->db, &stmt,
				  "SELECT count(*) - count(DISTINCT text) "
				  "FROM mark WHERE trace = ?",
				  err);

	if (ret)
		return ret;
	zsr_sql_bind(stmt, "i", l->t->id);
	ret = zsr_sql_step(l->db, stmt, err);
	if (ret == 1)
		l->s->unsaid.marks += (uint64_t)sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	if (l->nr_texts > ZSR_MARK_MAX)
		l->s->unsaid.marks += l->nr_texts - ZSR_MARK_MAX;
	return ret < 0 ? ret : 0;
}

static int look_at_rows(struct look *l, struct zsr_err *err)
{
	uint32_t i;
	int ret = zsr_trace_tasks(l->db, l->t->id, on_task, l, err);

	if (ret)
		return ret;
	qsort(l->task, l->t->nr_tasks, sizeof(*l->task), by_pid);
	for (i = 1; i < l->t->nr_tasks; i++)
		l->s->unsaid.tasks += l->task[i].pid == l->task[i - 1].pid;
	ret = zsr_trace_rows(l->db, l->t->id, ZSR_TABLE_MARKS, on_mark, l, err);
	if (!ret)
		ret = zsr_trace_rows(l->db, l->t->id, ZSR_TABLE_META, on_meta,
				     l, err);
	if (!ret)
		ret = zsr_trace_rows(l->db, l->t->id, ZSR_TABLE_ODD, on_odd, l,
				     err);
	return ret;
}

int zsr_trace_recording(struct zsr_db *db, const struct zsr_trace *t,
			struct zsr_recording *s, struct zsr_err *err)
{
	struct look l = { .db = db, .t = t, .s = s };
	int ret;

	memset(s, 0, sizeof(*s));
	l.task = calloc((size_t)t->nr_tasks + 1, sizeof(*l.task));
	if (!l.task)
		return zsr_err_nomem(err, "tasks");
	ret = look_at_rows(&l, err);
	if (!ret)
		ret = look_at_events(&l, err);
	if (!ret && s->shared_marks)
		ret = count_twins(&l, err);
	free(l.task);
	return ret ? zsr_err_wrap(err, ret, "trace '%s'", t->name) : 0;
}

/* ---- facts ----------------------------------------------------------------- */

struct tell {
	const struct zsr_trace *t;
	struct zsr_sink *to;
	struct zsr_err *err;
	bool any_text;
};

static int fact(struct tell *f, const char *key, const char *value)
{
	return f->to->meta(f->to->ctx, key, value, f->err);
}

static int fact_number(struct tell *f, const char *key, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	return fact(f, key, text);
}

static int tell_meta(void *ctx, int64_t nr, const char *key, const char *value)
{
	struct tell *f = ctx;

	return own_fact(key) || (!f->any_text && !tellable(key, value))
		       ? 0
		       : fact(f, key, value);
}

static int tell_pool(void *ctx, int64_t nr, const char *key, const char *name)
{
	char pool[40];

	snprintf(pool, sizeof(pool), "zsr.pool.%" PRIu64,
		 zsr_pool_address((uint32_t)nr));
	return fact(ctx, pool, name);
}

static int tell_mark(void *ctx, int64_t nr, const char *key, const char *text)
{
	char mark[40];

	snprintf(mark, sizeof(mark), "zsr.mark.%" PRId64, nr);
	return nr < ZSR_MARK_MAX ? fact(ctx, mark, text) : 0;
}

static int tell_callers(struct tell *f, uint32_t callers)
{
	char key[40];
	unsigned i;
	int ret = 0;

	for (i = 1; i < ZSR_CALLER_NR && !ret; i++) {
		if (!(callers >> i & 1))
			continue;
		snprintf(key, sizeof(key), "zsr.caller.%u", ZSR_CALLER_BASE + i);
		ret = fact(f, key, zsr_caller_name(i));
	}
	return ret;
}

static int tell_trace(struct tell *f, const struct zsr_recording *s)
{
	const struct zsr_trace *t = f->t;
	int ret = fact_number(f, "page_size", t->page_size);

	if (!ret)
		ret = fact_number(f, "chain_size", t->chain_size);
	if (!ret)
		ret = fact(f, "kernel.release", t->kernel);
	if (!ret)
		ret = fact(f, "clock", t->clock);
	if (!ret)
		ret = fact(f, "zsr.times", zsr_times_name(t->times));
	if (!ret)
		ret = fact_number(f, "zsr.from_empty", t->from_empty);
	if (!ret)
		ret = fact_number(f, "zsr.fact_flags", t->fact_flags);
	return ret ? ret : fact_number(f, "zsr.start_ns", s->start_ns);
}

int zsr_recording_facts(struct zsr_db *db, const struct zsr_trace *t,
			const struct zsr_recording *s, struct zsr_sink *to,
			struct zsr_err *err)
{
	struct tell f = { .t = t, .to = to, .err = err, .any_text = s->any_text };
	int ret = tell_trace(&f, s);

	if (!ret)
		ret = zsr_trace_rows(db, t->id, ZSR_TABLE_POOLS, tell_pool, &f,
				     err);
	if (!ret && s->shared_marks)
		ret = zsr_trace_rows(db, t->id, ZSR_TABLE_MARKS, tell_mark, &f,
				     err);
	if (!ret)
		ret = tell_callers(&f, s->callers);
	return ret ? ret
		   : zsr_trace_rows(db, t->id, ZSR_TABLE_META, tell_meta, &f,
				    err);
}
