// SPDX-License-Identifier: GPL-2.0-only
/* ftrace text, as the file trace of tracefs has it but to the nanosecond, like
 * `trace-cmd report -t`. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "capture/write/write.h"

static const char legend[] =
	"# tracer: nop\n"
	"#\n"
	"#                                _-----=> irqs-off/BH-disabled\n"
	"#                               / _----=> need-resched\n"
	"#                              | / _---=> hardirq/softirq\n"
	"#                              || / _--=> preempt-depth\n"
	"#                              ||| / _-=> migrate-disable\n"
	"#                              |||| /     delay\n"
	"#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION\n"
	"#              | |         |   |||||     |         |\n";

struct text {
	struct zsr_outfile file;
	struct wr_facts facts;
	struct wr_tasks tasks;
	uint8_t has[ZSR_REC_OTHER + 1]; /* of each kind's first record */
	bool seen[ZSR_REC_OTHER + 1];
	bool started;
};

static void put_head(struct text *t, const struct zsr_rec *at, int32_t pid)
{
	fprintf(t->file.f, "%16s-%-7d [%03u] ..... %5" PRIu64 ".%09" PRIu64 ": ",
		wr_tasks_comm(&t->tasks, pid), pid, at->cpu,
		at->t_ns / 1000000000, at->t_ns % 1000000000);
}

static void put_mark(struct text *t, const struct zsr_rec *at, int32_t pid,
		     const char *text)
{
	put_head(t, at, pid);
	fprintf(t->file.f, "tracing_mark_write: %s\n", text);
}

static void start(struct text *t, const struct zsr_rec *at)
{
	const char *text = t->facts.text, *end = text + t->facts.len;

	if (t->started)
		return;
	t->started = true;
	fputs(legend, t->file.f);
	for (; text < end; text += strlen(text) + 1)
		put_mark(t, at, 0, text);
}

static void put_lost(struct text *t, const struct zsr_rec *rec)
{
	if (rec->value)
		fprintf(t->file.f, "CPU:%u [LOST %" PRIu64 " EVENTS]\n",
			rec->cpu, rec->value);
	else
		fprintf(t->file.f, "CPU:%u [LOST EVENTS]\n", rec->cpu);
}

static void put_rec(struct text *t, const struct zsr_rec *rec)
{
	const struct wr_event *ev = &wr_events[rec->kind];
	const struct wr_field *field;
	unsigned i;

	if (!t->seen[rec->kind]) {
		t->seen[rec->kind] = true;
		t->has[rec->kind] = rec->has;
	}
	put_head(t, rec, rec->pid);
	fprintf(t->file.f, ev->is_ret ? "%s: (0x0 <- %s)" : "%s: (%s+0x0/0x10)",
		ev->name, ev->symbol);
	for (i = 0; i < WR_FIELDS; i++) {
		field = &ev->field[i];
		if (!field->name ||
		    (field->has && !(t->has[rec->kind] & field->has)))
			continue;
		fprintf(t->file.f,
			field->decimal ? " %s=%" PRIu64 : " %s=0x%" PRIx64,
			field->name, wr_value_of(rec, field->value));
	}
	putc('\n', t->file.f);
}

static int text_recs(void *ctx, const struct zsr_rec *recs, size_t n,
		     struct zsr_err *err)
{
	struct text *t = ctx;
	size_t i;

	for (i = 0; i < n; i++) {
		start(t, recs);
		if (recs[i].kind == ZSR_REC_LOST)
			put_lost(t, &recs[i]);
		else if (recs[i].kind < ZSR_REC_OTHER &&
			 wr_events[recs[i].kind].name)
			put_rec(t, &recs[i]);
	}
	return ferror(t->file.f) ? zsr_err_sys(err, EIO, "%s", t->file.path) : 0;
}

static int text_mark(void *ctx, const struct zsr_rec *rec, const char *text,
		     struct zsr_err *err)
{
	struct text *t = ctx;

	start(t, rec);
	put_mark(t, rec, rec->pid, text);
	return 0;
}

static int text_task(void *ctx, int32_t pid, const char *comm,
		     struct zsr_err *err)
{
	struct text *t = ctx;

	return wr_tasks_add(&t->tasks, pid, comm, err);
}

static int text_meta(void *ctx, const char *key, const char *value,
		     struct zsr_err *err)
{
	struct text *t = ctx;

	return wr_facts_add(&t->facts, key, value, err);
}

static int text_finish(void *ctx, struct zsr_err *err)
{
	const struct zsr_rec none = { 0 };
	struct text *t = ctx;

	start(t, &none);
	return zsr_outfile_close(&t->file, err);
}

static void text_free(void *ctx)
{
	struct text *t = ctx;

	zsr_outfile_abort(&t->file);
	free(t->facts.text);
	free(t->tasks.task);
	free(t);
}

int wr_text_new(const char *path, struct wr_format *f, struct zsr_err *err)
{
	struct text *t = calloc(1, sizeof(*t));
	int ret;

	if (!t)
		return zsr_err_nomem(err, "text");
	ret = zsr_outfile_open(&t->file, path, err);
	if (ret) {
		free(t);
		return ret;
	}
	f->sink = (struct zsr_sink){
		.ctx = t,
		.recs = text_recs,
		.mark = text_mark,
		.task = text_task,
		.meta = text_meta,
	};
	f->finish = text_finish;
	f->free = text_free;
	return 0;
}
