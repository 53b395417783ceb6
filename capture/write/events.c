// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records as probe events: the names and fields that the documentation tells
 * users to arm, so that a written capture is read like a recorded one.
 */
#include <stdlib.h>
#include <string.h>

#include "capture/write/write.h"

#define POOL                                                                   \
	{                                                                      \
		"pool", WR_POOL, 8, ZSR_REC_HAS_POOL, false                    \
	}
#define HANDLE                                                                 \
	{                                                                      \
		"handle", WR_HANDLE, 8, 0, false                               \
	}
#define SIZE                                                                   \
	{                                                                      \
		"size", WR_VALUE, 4, 0, true                                   \
	}
#define GFP                                                                    \
	{                                                                      \
		"gfp", WR_GFP, 4, ZSR_REC_HAS_GFP, false                       \
	}
#define CALLER                                                                 \
	{                                                                      \
		"caller", WR_CALLER, 8, ZSR_REC_HAS_CALLER, false              \
	}

const struct wr_event wr_events[ZSR_REC_OTHER + 1] = {
	[ZSR_REC_MALLOC] = { "zs_malloc", "zs_malloc", false, { POOL, SIZE, GFP } },
	[ZSR_REC_MALLOC_RET] = { "zs_malloc_ret",
				 "zs_malloc",
				 true,
				 { HANDLE, CALLER } },
	[ZSR_REC_MALLOC_DONE] = { "zs_malloc_done",
				  "zs_malloc",
				  true,
				  { HANDLE, POOL, SIZE, GFP } },
	[ZSR_REC_FREE] = { "zs_free", "zs_free", false, { POOL, HANDLE, CALLER } },
	[ZSR_REC_FREE_RET] = { "zs_free_ret", "zs_free", true, { { 0 } } },
	[ZSR_REC_COMPACT] = { "zs_compact", "zs_compact", false, { POOL } },
	[ZSR_REC_COMPACT_RET] = { "zs_compact_ret",
				  "zs_compact",
				  true,
				  { { "freed", WR_VALUE, 8, 0, true } } },
	[ZSR_REC_POOL_CREATE] = { "zs_create_pool",
				  "zs_create_pool",
				  true,
				  { POOL } },
	[ZSR_REC_POOL_DESTROY] = { "zs_destroy_pool",
				   "zs_destroy_pool",
				   false,
				   { POOL } },
	[ZSR_REC_ZSPAGE_FREE] = { "free_zspage",
				  "__free_zspage",
				  false,
				  { POOL, { "zspage", WR_VALUE, 8, 0, false } } },
};

uint64_t wr_value_of(const struct zsr_rec *rec, enum wr_value value)
{
	switch (value) {
	case WR_POOL:
		return rec->pool;
	case WR_HANDLE:
		return rec->handle;
	case WR_GFP:
		return rec->gfp;
	case WR_CALLER:
		return rec->caller;
	default:
		return rec->value;
	}
}

uint64_t wr_ip(unsigned kind)
{
	unsigned i;

	/* Entry and return are of one function. */
	for (i = 0; i < kind; i++)
		if (wr_events[i].symbol &&
		    !strcmp(wr_events[i].symbol, wr_events[kind].symbol))
			break;
	return WR_MARK_IP + 16 * (i + 1);
}

bool wr_fact(char *buf, size_t room, const char *key, const char *value)
{
	size_t n = strlen(value);

	if (strchr(key, '=') || strpbrk(value, "\r\n\t") ||
	    (n && value[n - 1] == ' '))
		return false;
	return (size_t)snprintf(buf, room, "zsr:fact %s=%s", key, value) < room;
}

int wr_facts_add(struct wr_facts *f, const char *key, const char *value,
		 struct zsr_err *err)
{
	char text[1000];
	size_t n;

	if (!wr_fact(text, sizeof(text), key, value))
		return 0;
	n = strlen(text) + 1;
	if (zsr_grow(&f->text, &f->cap, f->len + n, 1))
		return zsr_err_nomem(err, "facts");
	memcpy(f->text + f->len, text, n);
	f->len += n;
	return 0;
}

/* ---- tasks --------------------------------------------------------------- */

static int by_pid(const void *a, const void *b)
{
	const struct wr_task *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid > y->pid ? 1 : -1;
	return (x->nr > y->nr) - (x->nr < y->nr);
}

void wr_tasks_settle(struct wr_tasks *t)
{
	size_t i, n = 0;

	if (t->settled == t->nr)
		return;
	qsort(t->task, t->nr, sizeof(*t->task), by_pid);
	for (i = 0; i < t->nr; i++)
		if (i + 1 == t->nr || t->task[i + 1].pid != t->task[i].pid)
			t->task[n++] = t->task[i];
	t->nr = t->settled = n;
}

int wr_tasks_add(struct wr_tasks *t, int32_t pid, const char *comm,
		 struct zsr_err *err)
{
	struct wr_task *task;

	/* Whoever names the same ones again and again takes no memory. */
	if (t->nr > 2 * t->settled + 1000)
		wr_tasks_settle(t);
	if (zsr_grow(&t->task, &t->cap, t->nr + 1, sizeof(*t->task)))
		return zsr_err_nomem(err, "tasks");
	task = &t->task[t->nr++];
	task->pid = pid;
	task->nr = t->told++;
	snprintf(task->comm, sizeof(task->comm), "%s", comm);
	return 0;
}

const char *wr_tasks_comm(struct wr_tasks *t, int32_t pid)
{
	size_t low = 0, high, mid;

	wr_tasks_settle(t);
	for (high = t->nr; low < high;) {
		mid = (low + high) / 2;
		if (t->task[mid].pid < pid)
			low = mid + 1;
		else
			high = mid;
	}
	return low < t->nr && t->task[low].pid == pid && *t->task[low].comm
		       ? t->task[low].comm
		       : "<...>";
}
