// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "interop/names.h"

static int on_task(void *ctx, const struct zsr_task *t)
{
	struct zsr_names *names = ctx;

	if (t->row < names->nr_tasks)
		names->task[t->row] = *t;
	return 0;
}

static int on_mark(void *ctx, int64_t nr, const char *key, const char *text)
{
	struct zsr_names *n = ctx;

	if (zsr_grow(&n->mark, &n->cap_marks, n->nr_marks + 1, sizeof(*n->mark)) ||
	    !(n->mark[n->nr_marks] = strdup(text)))
		return -ENOMEM;
	n->nr_marks++;
	return 0;
}

int zsr_names_read(struct zsr_names *names, struct zsr_db *db,
		   const struct zsr_trace *t, struct zsr_err *err)
{
	int ret;

	names->nr_tasks = t->nr_tasks;
	names->task = calloc((size_t)t->nr_tasks + 1, sizeof(*names->task));
	if (!names->task)
		return zsr_err_nomem(err, "tasks");
	ret = zsr_trace_tasks(db, t->id, on_task, names, err);
	if (!ret)
		ret = zsr_trace_rows(db, t->id, ZSR_TABLE_MARKS, on_mark, names,
				     err);
	return ret == -ENOMEM && !err->kind ? zsr_err_nomem(err, "marks") : ret;
}

void zsr_names_free(struct zsr_names *names)
{
	size_t i;

	for (i = 0; i < names->nr_marks; i++)
		free(names->mark[i]);
	free(names->mark);
	free(names->task);
}

bool zsr_name_is_plain(const char *s)
{
	size_t len = strlen(s), i;

	for (i = 0; i < len; i++)
		if (s[i] < ' ' || s[i] > '~')
			return false;
	return len < 8000 && (!len || s[len - 1] != ' ');
}
