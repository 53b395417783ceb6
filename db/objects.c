// SPDX-License-Identifier: GPL-2.0-only
/*
 * As objects are numbered in order of birth, those that a filter wants are a
 * row of numbers: chunks in front of the first are skipped, and after the last
 * only deaths count, until there are none left to die.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "db/objects.h"

/* What is kept of a live object beside its size. */
enum { WORD_BIRTH, WORD_WHERE, NR_WORDS };

struct zsr_objects {
	struct zsr_object_filter f;
	struct zsr_reader *reader;
	struct zsr_live *live;
	uint64_t first; /* number of the object that is 0 in live */
	uint64_t alive; /* how many are */
	bool born; /* the last that is wanted */
	bool at_end; /* of the trace; next, what lives of live */
	uint64_t next_live;
	bool in_chunk;
	const struct zsr_event *ev;
	size_t nr;
	size_t at;
};

int zsr_objects_open(struct zsr_db *db, int64_t trace,
		     const struct zsr_object_filter *f,
		     struct zsr_objects **out, struct zsr_err *err)
{
	struct zsr_objects *o = calloc(1, sizeof(*o));
	int ret;

	*out = NULL;
	if (!o)
		return zsr_err_nomem(err, "objects");
	o->f = *f;
	o->live = zsr_live_new(NR_WORDS);
	if (o->live)
		ret = zsr_reader_open(db, trace, f->want | ZSR_WANT_FREED,
				      &o->reader, err);
	else
		ret = zsr_err_nomem(err, "objects");
	if (ret) {
		zsr_objects_close(o);
		return ret;
	}
	*out = o;
	return 0;
}

void zsr_objects_close(struct zsr_objects *o)
{
	if (!o)
		return;
	zsr_reader_close(o->reader);
	zsr_live_free(o->live);
	free(o);
}

/* ---- births and deaths ------------------------------------------------------ */

static uint64_t pack_where(const struct zsr_event *ev)
{
	return ev->task | (uint64_t)ev->cpu << 32 | (uint64_t)ev->pool << 48;
}

static void unpack_where(struct zsr_object *obj, uint64_t where)
{
	obj->birth_task = (uint32_t)where;
	obj->birth_cpu = (uint16_t)(where >> 32);
	obj->pool = (uint16_t)(where >> 48);
}

static int on_malloc(struct zsr_objects *o, const struct zsr_event *ev,
		     struct zsr_err *err)
{
	struct zsr_live_page *p;
	uint64_t nr;

	if ((int64_t)ev->t_ns < o->f.birth.min ||
	    (int64_t)ev->obj < o->f.obj.min)
		return 0;
	o->born = (int64_t)ev->t_ns > o->f.birth.max ||
		  (int64_t)ev->obj > o->f.obj.max;
	if (o->born)
		return 0;
	nr = o->live->next;
	if (!nr)
		o->first = ev->obj;
	if (zsr_live_add(o->live, ev->size, ev->t_ns))
		return zsr_err_nomem(err, "live objects");
	p = zsr_live_find(o->live, nr);
	*zsr_live_word(p, nr, WORD_WHERE) = pack_where(ev);
	o->alive++;
	return 0;
}

/* What is known of a live object. */
static void describe(const struct zsr_objects *o, struct zsr_live_page *p,
		     uint64_t nr, struct zsr_object *obj)
{
	*obj = (struct zsr_object){
		.obj = o->first + nr,
		.birth_ns = *zsr_live_word(p, nr, WORD_BIRTH),
		.death_ns = UINT64_MAX,
		.size = p->size[nr % ZSR_LIVE_PAGE],
	};
	unpack_where(obj, *zsr_live_word(p, nr, WORD_WHERE));
}

/* 1 with *obj when a wanted one dies. */
static int on_free(struct zsr_objects *o, const struct zsr_event *ev,
		   struct zsr_object *obj, struct zsr_err *err)
{
	uint64_t nr = ev->obj - o->first, birth;
	struct zsr_live_page *p;

	if (ev->obj == ZSR_OBJ_NONE || ev->obj < o->first || nr >= o->live->next)
		return 0;
	p = zsr_live_find(o->live, nr);
	if (!p)
		return zsr_err_input(
			err, "object %" PRIu64 " is freed, but not alive",
			ev->obj);
	describe(o, p, nr, obj);
	obj->death_ns = ev->t_ns;
	obj->death_task = ev->task;
	obj->death_cpu = ev->cpu;
	obj->caller = ev->caller;
	zsr_live_take(o->live, nr, &obj->size, &birth);
	o->alive--;
	return zsr_range_has(&o->f.death, (int64_t)ev->t_ns);
}

/* The next death in the batch. */
static int next_in_batch(struct zsr_objects *o, struct zsr_object *obj,
			 struct zsr_err *err)
{
	const struct zsr_event *ev;
	int ret = 0;

	while (!ret && o->at < o->nr) {
		ev = &o->ev[o->at++];
		if (ev->kind == ZSR_EV_MALLOC)
			ret = on_malloc(o, ev, err);
		else if (ev->kind == ZSR_EV_FREE)
			ret = on_free(o, ev, obj, err);
	}
	return zsr_reader_in_chunk(o->reader, ret, err);
}

/* ---- going through the trace ------------------------------------------------ */

/* No object that is wanted can die any more. */
static bool no_more_deaths(const struct zsr_objects *o)
{
	return o->born && !o->alive;
}

/* It may have a wanted birth or death. */
static bool chunk_wanted(const struct zsr_objects *o,
			 const struct zsr_chunk_info *c)
{
	return o->alive ||
	       ((int64_t)c->t_max >= o->f.birth.min &&
		(int64_t)(c->first_obj + c->nr_mallocs) > o->f.obj.min);
}

/* All that follows is too late, for births and deaths. */
static bool chunk_late(const struct zsr_objects *o,
		       const struct zsr_chunk_info *c)
{
	int64_t t = (int64_t)c->t_min;

	return no_more_deaths(o) || t > o->f.death.max ||
	       (!o->alive &&
		(t > o->f.birth.max || (int64_t)c->first_obj > o->f.obj.max));
}

static int next_chunk(struct zsr_objects *o, struct zsr_err *err)
{
	const struct zsr_chunk_info *info;
	int ret;

	do {
		ret = zsr_reader_chunk(o->reader, &info, err);
		if (ret == 1 && chunk_late(o, info))
			return 0;
	} while (ret == 1 && !chunk_wanted(o, info));
	return ret;
}

/* More events: 1, 0 when none of them matters. */
static int next_batch(struct zsr_objects *o, struct zsr_err *err)
{
	int ret;

	for (;;) {
		if (o->in_chunk) {
			if (no_more_deaths(o))
				return 0;
			ret = zsr_reader_rows(o->reader, &o->ev, NULL, err);
			if (ret < 0)
				return ret;
			o->nr = (size_t)ret;
			o->at = 0;
			if (ret)
				return 1;
		}
		ret = next_chunk(o, err);
		o->in_chunk = ret == 1;
		if (ret != 1)
			return ret;
	}
}

/* The next one that is alive at the end, unless only the dead are wanted. */
static int next_alive(struct zsr_objects *o, struct zsr_object *obj)
{
	struct zsr_live_page *p = NULL;

	if (o->f.dead_only)
		return 0;
	while (!p && o->next_live < o->live->next)
		p = zsr_live_find(o->live, o->next_live++);
	if (!p)
		return 0;
	describe(o, p, o->next_live - 1, obj);
	return 1;
}

int zsr_objects_next(struct zsr_objects *o, struct zsr_object *obj,
		     struct zsr_err *err)
{
	int ret;

	while (!o->at_end) {
		ret = next_in_batch(o, obj, err);
		if (ret)
			return ret;
		ret = next_batch(o, err);
		if (ret < 0)
			return ret;
		o->at_end = !ret;
	}
	return next_alive(o, obj);
}
