// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <string.h>

#include "interop/interop.h"
#include "interop/names.h"

struct csv {
	FILE *f;
	struct zsr_names names;
	size_t next_mark; /* whose text is not in the file yet */
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

/* ---- facts: rows of their own, whose text is KEY=VALUE --------------------- */

static void put_fact(struct csv *c, const char *key, const char *value)
{
	char text[2048];

	snprintf(text, sizeof(text), "%s=%s", key, value);
	fputs(",,,,,,fact,,,,,,,,,,", c->f);
	put_text(c->f, text);
	putc('\n', c->f);
}

static int on_fact(void *ctx, const char *key, const char *value,
		   struct zsr_err *err)
{
	put_fact(ctx, key, value);
	return 0;
}

static int on_odd(void *ctx, int64_t nr, const char *key, const char *value)
{
	char name[100];

	snprintf(name, sizeof(name), "zsr.odd.%s", key);
	put_fact(ctx, name, value);
	return 0;
}

/* Texts of marks up to number NR that no mark had yet. */
static void put_marks(struct csv *c, uint64_t nr)
{
	char key[40];

	for (; c->next_mark < nr && c->next_mark < c->names.nr_marks;
	     c->next_mark++) {
		snprintf(key, sizeof(key), "zsr.mark.%zu", c->next_mark);
		put_fact(c, key, c->names.mark[c->next_mark]);
	}
}

static int put_facts(struct csv *c, struct zsr_db *db, const struct zsr_trace *t,
		     struct zsr_unsaid *unsaid, struct zsr_err *err)
{
	struct zsr_sink sink = { .ctx = c, .meta = on_fact };
	char key[40], value[64];
	struct zsr_recording how;
	uint32_t i;
	int ret = zsr_trace_recording(db, t, &how, err);

	if (ret)
		return ret;
	/* Events carry these. */
	how.callers = 0;
	how.shared_marks = false;
	ret = zsr_recording_facts(db, t, &how, &sink, err);
	if (!ret)
		ret = zsr_trace_rows(db, t->id, ZSR_TABLE_ODD, on_odd, c, err);
	for (i = 0; i < c->names.nr_tasks && !ret; i++) {
		const struct zsr_task *task = &c->names.task[i];

		snprintf(key, sizeof(key), "zsr.task.%u", i);
		snprintf(value, sizeof(value), "%d %s", task->pid, task->comm);
		put_fact(c, key, value);
	}
	unsaid->metadata = how.unsaid.metadata;
	return ret;
}

/* ---- events ------------------------------------------------------------------ */

static void put_event(struct csv *c, const struct zsr_event *ev)
{
	const struct zsr_task *task = &c->names.task[ev->task];
	bool object = ev->obj != ZSR_OBJ_NONE;
	FILE *f = c->f;

	if (ev->kind == ZSR_EV_MARK) {
		put_marks(c, ev->aux);
		if (ev->aux == c->next_mark)
			c->next_mark++;
	}
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
		      const struct zsr_trace *t, struct zsr_unsaid *unsaid,
		      struct zsr_err *err)
{
	const struct zsr_event *ev;
	struct zsr_cursor *cursor;
	int i, n, ret = zsr_cursor_open(db, t->id, &cursor, err);

	if (ret)
		return ret;
	fputs("t_ns,dur_ns,cpu,task,pid,comm,kind,pool,obj,size,caller,slot,"
	      "cgroup,gfp,flags,aux,text\n",
	      c->f);
	ret = put_facts(c, db, t, unsaid, err);
	if (ret) {
		zsr_cursor_close(cursor);
		return ret;
	}
	while ((n = zsr_cursor_next(cursor, &ev, err)) > 0 && !ferror(c->f))
		for (i = 0; i < n; i++)
			put_event(c, &ev[i]);
	zsr_cursor_close(cursor);
	put_marks(c, UINT64_MAX);
	return n < 0 ? n : 0;
}

static void look_for_unsaid(const struct csv *c, struct zsr_unsaid *unsaid)
{
	size_t i;

	for (i = 0; i < c->names.nr_marks; i++)
		unsaid->marks += !zsr_name_is_plain(c->names.mark[i]);
	for (i = 0; i < c->names.nr_tasks; i++)
		unsaid->tasks += !zsr_name_is_plain(c->names.task[i].comm);
}

int zsr_export_csv(struct zsr_db *db, const struct zsr_trace *t,
		   const char *path, struct zsr_unsaid *unsaid,
		   struct zsr_err *err)
{
	struct zsr_outfile file = { 0 };
	struct csv c = { 0 };
	int ret = zsr_outfile_open(&file, path, err);

	if (ret)
		return ret;
	c.f = file.f;
	memset(unsaid, 0, sizeof(*unsaid));
	ret = zsr_names_read(&c.names, db, t, err);
	if (!ret)
		ret = put_events(&c, db, t, unsaid, err);
	look_for_unsaid(&c, unsaid);
	if (ret)
		zsr_outfile_abort(&file);
	else
		ret = zsr_outfile_close(&file, err);
	zsr_names_free(&c.names);
	return ret;
}
