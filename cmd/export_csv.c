// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/export_csv.h"

struct csv {
	FILE *f;
	struct zsr_task *task;
	uint32_t nr_tasks;
	char **mark;
	size_t nr_marks;
	size_t cap_marks;
};

static int on_task(void *ctx, const struct zsr_task *t)
{
	struct csv *c = ctx;

	if (t->row < c->nr_tasks)
		c->task[t->row] = *t;
	return 0;
}

static int on_mark(void *ctx, int64_t nr, const char *key, const char *text)
{
	struct csv *c = ctx;

	if (zsr_grow(&c->mark, &c->cap_marks, c->nr_marks + 1, sizeof(*c->mark)) ||
	    !(c->mark[c->nr_marks] = strdup(text)))
		return -ENOMEM;
	c->nr_marks++;
	return 0;
}

/* Between quotes where it has to be. */
static void put_text(FILE *f, const char *s)
{
	bool quote = strpbrk(s, ",\"\r\n") != NULL;

	if (quote)
		putc('"', f);
	for (; *s; s++) {
		if (*s == '"')
			putc('"', f);
		putc(*s, f);
	}
	if (quote)
		putc('"', f);
}

static void put_number(FILE *f, bool known, int64_t v)
{
	if (known)
		fprintf(f, "%" PRId64, v);
	putc(',', f);
}

static void put_event(struct csv *c, const struct zsr_event *ev)
{
	const struct zsr_task *task = &c->task[ev->task];
	bool object = ev->obj != ZSR_OBJ_NONE;
	FILE *f = c->f;

	fprintf(f, "%" PRIu64 ",%" PRIu64 ",%u,%u,%d,", ev->t_ns, ev->dur_ns,
		ev->cpu, ev->task, task->pid);
	put_text(f, task->comm);
	fprintf(f, ",%s,%u,", zsr_event_kind_name(ev->kind), ev->pool);
	put_number(f, object, (int64_t)ev->obj);
	put_number(f, object || ev->size, ev->size);
	fprintf(f, "%s,", zsr_caller_name(ev->caller));
	put_number(f, ev->slot != -1, ev->slot);
	put_number(f, ev->cgroup != -1, ev->cgroup);
	fprintf(f, "%u,%u,%" PRIu64 ",", ev->gfp, ev->flags, ev->aux);
	if (ev->kind == ZSR_EV_MARK && ev->aux < c->nr_marks)
		put_text(f, c->mark[ev->aux]);
	putc('\n', f);
}

static int put_events(struct csv *c, struct zsr_db *db,
		      const struct zsr_trace *t, struct zsr_err *err)
{
	const struct zsr_event *ev;
	struct zsr_cursor *cursor;
	int i, n, ret = zsr_cursor_open(db, t->id, &cursor, err);

	if (ret)
		return ret;
	fputs("t_ns,dur_ns,cpu,task,pid,comm,kind,pool,obj,size,caller,slot,"
	      "cgroup,gfp,flags,aux,text\n",
	      c->f);
	while ((n = zsr_cursor_next(cursor, &ev, err)) > 0 && !ferror(c->f))
		for (i = 0; i < n; i++)
			put_event(c, &ev[i]);
	zsr_cursor_close(cursor);
	return n < 0 ? n : 0;
}

static int read_tables(struct csv *c, struct zsr_db *db,
		       const struct zsr_trace *t, struct zsr_err *err)
{
	int ret;

	c->nr_tasks = t->nr_tasks;
	c->task = calloc((size_t)t->nr_tasks + 1, sizeof(*c->task));
	if (!c->task)
		return zsr_err_nomem(err, "tasks");
	ret = zsr_trace_tasks(db, t->id, on_task, c, err);
	if (!ret)
		ret = zsr_trace_rows(db, t->id, ZSR_TABLE_MARKS, on_mark, c,
				     err);
	return ret == -ENOMEM && !err->kind ? zsr_err_nomem(err, "marks") : ret;
}

int zsr_export_csv(struct zsr_db *db, const struct zsr_trace *t,
		   const char *path, struct zsr_err *err)
{
	struct zsr_outfile file = { 0 };
	struct csv c = { 0 };
	size_t i;
	int ret = zsr_outfile_open(&file, path, err);

	if (ret)
		return ret;
	c.f = file.f;
	ret = read_tables(&c, db, t, err);
	if (!ret)
		ret = put_events(&c, db, t, err);
	if (ret)
		zsr_outfile_abort(&file);
	else
		ret = zsr_outfile_close(&file, err);
	for (i = 0; i < c.nr_marks; i++)
		free(c.mark[i]);
	free(c.mark);
	free(c.task);
	return ret;
}
