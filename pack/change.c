// SPDX-License-Identifier: GPL-2.0-only
/*
 * A trace from one database into another, with less in it: names and texts
 * that say nothing, sizes and times that are coarser, fewer objects.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "pack/private.h"
#include "replay/engine/engine.h"

#define BATCH 4096

struct copy {
	struct zsr_db *from;
	const struct zsr_trace *t;
	const struct zsr_change *change;
	struct zsr_writer *w;
	struct zsr_err *err;
	uint32_t *class_size; /* by size, 0 to page_size: largest of its class */
	uint64_t *new_obj; /* by old number; NONE: left out */
	int32_t *cgroup; /* in order of appearance */
	size_t nr_cgroups, cap_cgroups;
	uint64_t next_obj;
	uint64_t mean[ZSR_EV_NR]; /* of the times that are made even */
	uint64_t last_ns; /* of the event before, as it was */
	uint64_t clock_ns; /* of the event before, as it is */
	struct zsr_event out[BATCH];
	size_t nr_out;
};

/* ---- events ---------------------------------------------------------------- */

static int make_classes(struct copy *c)
{
	const struct zsr_model *model = zsr_model_find(c->t->kernel);
	struct zsr_class_info info;
	struct zsr_engine *e;
	unsigned i, nr;
	uint32_t s;
	int ret;

	if (!model)
		return zsr_err_input(c->err,
				     "no size classes are known of "
				     "kernel '%s'",
				     c->t->kernel);
	ret = zsr_engine_create(&e, model, c->t->page_size, c->t->chain_size,
				c->err);
	if (ret)
		return ret;
	c->class_size = calloc((size_t)c->t->page_size + 1,
			       sizeof(*c->class_size));
	if (!c->class_size)
		ret = zsr_err_nomem(c->err, "size classes");
	nr = zsr_engine_nr_raw_classes(e);
	for (i = 0; i < nr && !ret; i++) {
		if (!zsr_engine_class_info(e, i, &info))
			continue;
		for (s = info.min_request;
		     s <= zsr_min(info.max_request, c->t->page_size); s++)
			c->class_size[s] = info.max_request;
	}
	zsr_engine_destroy(e);
	return ret;
}

static int number_cgroup(struct copy *c, int32_t *cgroup)
{
	size_t i;

	for (i = 0; i < c->nr_cgroups; i++)
		if (c->cgroup[i] == *cgroup)
			break;
	if (i == c->nr_cgroups) {
		if (zsr_grow(&c->cgroup, &c->cap_cgroups, i + 1,
			     sizeof(*c->cgroup)))
			return zsr_err_nomem(c->err, "cgroups");
		c->cgroup[c->nr_cgroups++] = *cgroup;
	}
	*cgroup = (int32_t)i;
	return 0;
}

/* The means, in a pass of its own. */
static int find_means(struct copy *c)
{
	uint64_t count[ZSR_EV_NR] = { 0 }, last = 0;
	const struct zsr_event *ev;
	struct zsr_cursor *cursor;
	int i, n, ret = zsr_cursor_open(c->from, c->t->id, &cursor, c->err);

	if (ret)
		return ret;
	while ((n = zsr_cursor_next(cursor, &ev, c->err)) > 0)
		for (i = 0; i < n; i++) {
			if (ev[i].t_ns - last < c->change->even_ns) {
				c->mean[ev[i].kind] += ev[i].t_ns - last;
				count[ev[i].kind]++;
			}
			last = ev[i].t_ns;
		}
	zsr_cursor_close(cursor);
	for (i = 0; i < ZSR_EV_NR; i++)
		c->mean[i] /= zsr_max(count[i], (uint64_t)1);
	return n;
}

static void make_even(struct copy *c, struct zsr_event *ev, bool stays)
{
	uint64_t gap = ev->t_ns - c->last_ns;

	c->last_ns = ev->t_ns;
	if (gap >= c->change->even_ns)
		c->clock_ns += gap;
	else if (stays)
		c->clock_ns += c->mean[ev->kind];
	ev->t_ns = c->clock_ns;
}

static void change_times(const struct zsr_change *ch, struct zsr_event *ev)
{
	uint64_t q = ch->quantise_ns, t = ev->t_ns;

	if (ch->no_durations || ch->even_ns)
		ev->dur_ns = 0;
	if (q < 2)
		return;
	ev->t_ns = t / q * q;
	/* One that is known stays known. */
	if (ev->dur_ns)
		ev->dur_ns = zsr_max((ev->dur_ns + q / 2) / q, 1u) * q;
	if (ev->kind == ZSR_EV_MALLOC && ev->dur_ns > ev->t_ns)
		ev->dur_ns = ev->t_ns;
}

/* The number an object has now; false when it is left out. */
static bool renumber(struct copy *c, struct zsr_event *ev)
{
	uint64_t old = ev->obj;

	if (!c->change->keep || old == ZSR_OBJ_NONE)
		return true;
	if (ev->kind == ZSR_EV_MALLOC)
		c->new_obj[old] = c->change->keep[old] ? c->next_obj++
						       : ZSR_OBJ_NONE;
	ev->obj = c->new_obj[old];
	return ev->obj != ZSR_OBJ_NONE;
}

static int flush(struct copy *c)
{
	int ret = zsr_writer_add(c->w, c->out, c->nr_out, c->err);

	c->nr_out = 0;
	return ret;
}

static int copy_event(struct copy *c, const struct zsr_event *from)
{
	struct zsr_event *ev = &c->out[c->nr_out];
	bool stays;

	*ev = *from;
	stays = renumber(c, ev);
	if (c->change->even_ns)
		make_even(c, ev, stays);
	if (!stays)
		return 0;
	change_times(c->change, ev);
	if (c->class_size && ev->size && ev->size <= c->t->page_size &&
	    c->class_size[ev->size])
		ev->size = c->class_size[ev->size];
	if (c->change->anonymise && ev->cgroup >= 0 &&
	    number_cgroup(c, &ev->cgroup))
		return -ENOMEM;
	return ++c->nr_out == BATCH ? flush(c) : 0;
}

static int copy_events(struct copy *c)
{
	const struct zsr_event *ev;
	struct zsr_cursor *cursor;
	int i, n, ret = zsr_cursor_open(c->from, c->t->id, &cursor, c->err);
	struct zsr_progress progress;
	uint64_t done = 0;

	if (ret)
		return ret;
	zsr_progress_start(&progress, "copy", "events", c->t->nr_events);
	while ((n = zsr_cursor_next(cursor, &ev, c->err)) > 0 && !ret) {
		for (i = 0; i < n && !ret; i++)
			ret = copy_event(c, &ev[i]);
		zsr_progress_at(&progress, done += (uint64_t)n);
	}
	zsr_progress_finish(&progress);
	zsr_cursor_close(cursor);
	if (!ret)
		ret = n;
	return ret ? ret : flush(c);
}

/* ---- tables ------------------------------------------------------------------ */

static int copy_task(void *ctx, const struct zsr_task *from)
{
	struct copy *c = ctx;
	struct zsr_task t = *from;

	if (c->change->anonymise) {
		pk_clean_comm(from->comm, t.comm);
		t.pid = (int32_t)from->row + 1;
	}
	return zsr_writer_task(c->w, &t, c->err);
}

static int copy_pool(void *ctx, int64_t nr, const char *key, const char *name)
{
	struct copy *c = ctx;
	char clean[64];

	pk_clean_pool(name, (uint32_t)nr, clean, sizeof(clean));
	return zsr_writer_row(c->w, ZSR_TABLE_POOLS, nr, "",
			      c->change->anonymise ? clean : name, c->err);
}

static int copy_mark(void *ctx, int64_t nr, const char *key, const char *text)
{
	struct copy *c = ctx;
	char clean[200];

	pk_clean_mark(text, clean, sizeof(clean));
	return zsr_writer_row(c->w, ZSR_TABLE_MARKS, nr, "",
			      c->change->anonymise ? clean : text, c->err);
}

static int copy_fact(void *ctx, int64_t nr, const char *key, const char *value)
{
	struct copy *c = ctx;

	if (c->change->anonymise && !pk_meta_allowed(key, value))
		return 0;
	return zsr_writer_row(c->w, ZSR_TABLE_META, -1, key, value, c->err);
}

static int copy_odd(void *ctx, int64_t nr, const char *key, const char *value)
{
	struct copy *c = ctx;

	return zsr_writer_row(c->w, ZSR_TABLE_ODD, -1, key, value, c->err);
}

static int copy_tables(struct copy *c)
{
	static const struct {
		enum zsr_trace_table table;
		int (*fn)(void *ctx, int64_t nr, const char *key,
			  const char *value);
	} tables[] = {
		{ ZSR_TABLE_POOLS, copy_pool },
		{ ZSR_TABLE_MARKS, copy_mark },
		{ ZSR_TABLE_META, copy_fact },
		{ ZSR_TABLE_ODD, copy_odd },
	};
	size_t i;
	int ret = zsr_trace_tasks(c->from, c->t->id, copy_task, c, c->err);

	for (i = 0; i < ZSR_ARRAY_SIZE(tables) && !ret; i++)
		ret = zsr_trace_rows(c->from, c->t->id, tables[i].table,
				     tables[i].fn, c, c->err);
	return ret;
}

/* ---- all of it ---------------------------------------------------------------- */

/* The facts that a writer takes; what it counts starts from 0. */
static struct zsr_trace facts_of(const struct copy *c, const char *name)
{
	const struct zsr_trace *t = c->t;
	struct zsr_trace f = {
		.page_size = t->page_size,
		.chain_size = t->chain_size,
		.fact_flags = t->fact_flags,
		.times = t->times,
		.from_empty = t->from_empty,
	};

	snprintf(f.name, sizeof(f.name), "%s", name);
	memcpy(f.kernel, t->kernel, sizeof(f.kernel));
	if (c->change->anonymise)
		pk_clean_release(t->kernel, f.kernel, sizeof(f.kernel));
	memcpy(f.format, t->format, sizeof(f.format));
	memcpy(f.clock, t->clock, sizeof(f.clock));
	if (c->change->anonymise && !pk_meta_allowed("format", f.format))
		strcpy(f.format, "unknown");
	if (c->change->anonymise && !pk_meta_allowed("clock", f.clock))
		strcpy(f.clock, "unknown");
	return f;
}

static int prepare(struct copy *c)
{
	int ret = c->change->size_class ? make_classes(c) : 0;

	if (!ret && c->change->even_ns)
		ret = find_means(c);
	if (ret || !c->change->keep)
		return ret;
	c->new_obj = malloc((c->t->nr_objects + 1) * sizeof(*c->new_obj));
	return c->new_obj ? 0 : zsr_err_nomem(c->err, "objects");
}

int zsr_trace_change(struct zsr_db *from, const struct zsr_trace *t,
		     const struct zsr_change *change, struct zsr_db *to,
		     const char *name, struct zsr_trace *out,
		     struct zsr_err *err)
{
	struct copy *c = calloc(1, sizeof(*c));
	struct zsr_trace facts;
	int ret;

	if (!c)
		return zsr_err_nomem(err, "trace");
	c->from = from;
	c->t = t;
	c->change = change;
	c->err = err;
	ret = prepare(c);
	facts = facts_of(c, name);
	if (!ret)
		ret = zsr_writer_begin(to, &facts, &c->w, err);
	if (ret)
		goto out;
	ret = copy_tables(c);
	if (!ret)
		ret = copy_events(c);
	if (ret)
		zsr_writer_abort(c->w);
	else
		ret = zsr_writer_commit(c->w, out, err);
out:
	free(c->class_size);
	free(c->new_obj);
	free(c->cgroup);
	free(c);
	return ret ? zsr_err_wrap(err, ret, "trace '%s'", t->name) : 0;
}
