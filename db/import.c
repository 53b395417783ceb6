// SPDX-License-Identifier: GPL-2.0-only
/* An import from begin to abort, and the sink that a decoder fills. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "db/import.h"

#define LARGEST_PAGE 65536

/* ---- the sink -------------------------------------------------------------- */

/* Time as the trace counts it: from its first record, never backwards. */
static void set_time(struct zsr_import *imp, const struct zsr_rec *rec)
{
	uint64_t t_ns;

	if (!imp->started) {
		imp->started = true;
		imp->start_ns = rec->t_ns;
	}
	t_ns = rec->t_ns - imp->start_ns;
	if (rec->t_ns < imp->start_ns || t_ns < imp->last_ns)
		imp->odd.backwards++;
	else
		imp->last_ns = t_ns;
	imp->coarse |= (rec->has & ZSR_REC_COARSE_TIME) != 0;
}

static int import_recs(void *ctx, const struct zsr_rec *recs, size_t n,
		       struct zsr_err *err)
{
	struct zsr_import *imp = ctx;
	size_t i;
	int ret = 0;

	for (i = 0; i < n && !ret; i++) {
		imp->odd.records += recs[i].kind != ZSR_REC_LOST;
		set_time(imp, &recs[i]);
		ret = zsr_import_record(imp, &recs[i], err);
	}
	return ret;
}

/* "capture:begin 6.12.117+deb12-arm64" */
static void on_begin_mark(struct zsr_import *imp, const char *text)
{
	static const char begin[] = "capture:begin";
	unsigned major, minor;

	if (imp->calls || strncmp(text, begin, strlen(begin)))
		return;
	imp->begun = true;
	text += strlen(begin);
	text += *text == ' ';
	if (zsr_facts_release(text, &major, &minor))
		snprintf(imp->mark_kernel, sizeof(imp->mark_kernel), "%s", text);
}

/* A row for the text, or that of one that marks share. */
static int number_mark(struct zsr_import *imp, const char *text, uint64_t *nr,
		       struct zsr_err *err)
{
	char *clean = zsr_import_scrub(text);
	int ret = 0;

	if (!clean)
		return zsr_err_nomem(err, "mark");
	for (*nr = 0; *nr < imp->said.nr_marks; ++*nr)
		if (!strcmp(imp->said.mark[*nr], clean))
			break;
	if (*nr == imp->said.nr_marks) {
		*nr = imp->nr_marks++;
		ret = zsr_writer_row(imp->w, ZSR_TABLE_MARKS, (int64_t)*nr, "",
				     clean, err);
	}
	free(clean);
	return ret;
}

static int import_mark(void *ctx, const struct zsr_rec *rec, const char *text,
		       struct zsr_err *err)
{
	struct zsr_event ev = { .kind = ZSR_EV_MARK, .obj = ZSR_OBJ_NONE };
	struct zsr_import *imp = ctx;
	uint32_t task;
	uint64_t nr;
	int ret;

	imp->odd.records++;
	set_time(imp, rec);
	on_begin_mark(imp, text);
	ret = number_mark(imp, text, &ev.aux, err);
	if (!ret)
		ret = zsr_import_task_of(imp, rec->pid, &task, err);
	return ret ? ret : zsr_import_push(imp, rec, task, &ev, false, &nr, err);
}

void zsr_import_comm(struct zsr_import_task *t, const char *comm)
{
	size_t i;

	snprintf(t->comm, sizeof(t->comm), "%s", comm);
	for (i = 0; t->comm[i]; i++)
		if (!isprint((unsigned char)t->comm[i]))
			t->comm[i] = '?';
}

static int import_task(void *ctx, int32_t pid, const char *comm,
		       struct zsr_err *err)
{
	struct zsr_import *imp = ctx;
	uint32_t task;
	int ret = zsr_import_task_of(imp, pid, &task, err);

	if (!ret)
		zsr_import_comm(&imp->tasks[task], comm);
	return ret;
}

/* ---- begin and abort ----------------------------------------------------------- */

static int take_options(struct zsr_import *imp,
			const struct zsr_import_opts *opts, struct zsr_trace *t,
			struct zsr_err *err)
{
	/* The facts not given, so that those given can be checked now. */
	struct zsr_trace check = {
		.kernel = "6.12",
		.page_size = 4096,
		.chain_size = 8,
		.times = opts->times,
	};

	*t = (struct zsr_trace){ .times = opts->times };
	snprintf(t->name, sizeof(t->name), "%s", opts->name ? opts->name : "");
	if (opts->kernel) {
		if (strlen(opts->kernel) >= sizeof(check.kernel))
			return zsr_err_usage(err,
					     "the kernel release is too long");
		strcpy(check.kernel, opts->kernel);
		strcpy(imp->kernel, opts->kernel);
		imp->fact_flags |= ZSR_GIVEN_KERNEL;
	}
	imp->max_accepted = LARGEST_PAGE;
	if (opts->page_size) {
		check.page_size = imp->page_size = opts->page_size;
		imp->fact_flags |= ZSR_GIVEN_PAGE_SIZE;
		imp->max_accepted = opts->page_size;
	}
	if (opts->chain_size) {
		check.chain_size = imp->chain_size = opts->chain_size;
		imp->fact_flags |= ZSR_GIVEN_CHAIN_SIZE;
	}
	return zsr_facts_check(&check, err);
}

int zsr_import_begin(struct zsr_db *db, const struct zsr_import_opts *opts,
		     struct zsr_import **out, struct zsr_err *err)
{
	struct zsr_import *imp = calloc(1, sizeof(*imp));
	struct zsr_trace t;
	int ret;

	*out = NULL;
	if (!imp)
		return zsr_err_nomem(err, "import");
	imp->db = db;
	imp->times = opts->times;
	imp->times_given = opts->times_given;
	imp->force = opts->force;
	imp->sink = (struct zsr_sink){
		.ctx = imp,
		.recs = import_recs,
		.mark = import_mark,
		.task = import_task,
		.meta = zsr_import_meta,
		.events = zsr_import_events,
	};
	ret = take_options(imp, opts, &t, err);
	if (!ret && zsr_window_init(&imp->window))
		ret = zsr_err_nomem(err, "import");
	if (!ret)
		ret = zsr_writer_begin(db, &t, &imp->w, err);
	if (!ret)
		zsr_writer_watch(imp->w, opts->chunk);
	if (ret) {
		zsr_import_abort(imp);
		return ret;
	}
	*out = imp;
	return 0;
}

struct zsr_sink *zsr_import_sink(struct zsr_import *imp)
{
	return &imp->sink;
}

void zsr_import_abort(struct zsr_import *imp)
{
	size_t i;

	if (imp->w)
		zsr_writer_abort(imp->w);
	zsr_window_free(&imp->window);
	zsr_handles_free(&imp->handles);
	zsr_map_free(&imp->pids);
	zsr_map_free(&imp->pool_rows);
	for (i = 0; i < imp->said.nr_marks; i++)
		free(imp->said.mark[i]);
	free(imp->said.mark);
	free(imp->cost.value);
	free(imp->tasks);
	free(imp->pools);
	free(imp->cpus);
	free(imp);
}
