// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <string.h>

#include "interop/interop.h"
#include "interop/names.h"

struct csv {
	FILE *f;
	struct zsr_names names;
};

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
	const struct zsr_task *task = &c->names.task[ev->task];
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
	if (ev->kind == ZSR_EV_MARK && ev->aux < c->names.nr_marks)
		put_text(f, c->names.mark[ev->aux]);
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

int zsr_export_csv(struct zsr_db *db, const struct zsr_trace *t,
		   const char *path, struct zsr_err *err)
{
	struct zsr_outfile file = { 0 };
	struct csv c = { 0 };
	int ret = zsr_outfile_open(&file, path, err);

	if (ret)
		return ret;
	c.f = file.f;
	ret = zsr_names_read(&c.names, db, t, err);
	if (!ret)
		ret = put_events(&c, db, t, err);
	if (ret)
		zsr_outfile_abort(&file);
	else
		ret = zsr_outfile_close(&file, err);
	zsr_names_free(&c.names);
	return ret;
}
