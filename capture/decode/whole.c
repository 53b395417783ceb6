// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files that tell a whole trace: events as a trace has them, and facts. Tasks
 * and marks are numbered from 0 and have a fact each, before the first event
 * that names them; when the file has none it is made of what that event says.
 */
#include <inttypes.h>
#include <string.h>

#include "capture/decode/whole.h"

void dec_whole_flush(struct dec *d, struct dec_whole *w)
{
	if (w->nr_ev)
		dec_out_events(d->out, w->ev, w->nr_ev);
	w->nr_ev = 0;
}

/* ---- facts ------------------------------------------------------------ */

static bool numbered(const char *key, const char *what, uint64_t *nr)
{
	struct zsr_err ignored;
	size_t n = strlen(what);

	*nr = UINT64_MAX;
	if (strncmp(key, what, n))
		return false;
	if (zsr_parse_u64(key + n, key, 0, UINT32_MAX - 1, nr, &ignored))
		*nr = UINT64_MAX;
	return true;
}

static int in_order(const char *key, const char *what, uint64_t *next,
		    struct zsr_err *err)
{
	uint64_t nr;

	if (!numbered(key, what, &nr))
		return 0;
	if (nr != *next)
		return zsr_err_input(err,
				     "fact %s: out of order, the next is "
				     "%s%" PRIu64,
				     key, what, *next);
	++*next;
	return 0;
}

/* A part of a trace: objects keep the numbers that they have in all of it. */
static int first_obj(struct dec_whole *w, const char *value, struct zsr_err *err)
{
	uint64_t nr;
	int ret = zsr_parse_u64(value, "fact zsr.first_obj", 0, INT64_MAX, &nr,
				err);

	if (ret)
		return zsr_err_input(err, "fact zsr.first_obj: no number");
	if (w->next_obj)
		return zsr_err_input(err, "fact zsr.first_obj behind a malloc");
	w->first_obj = nr;
	return 0;
}

int dec_whole_fact(struct dec *d, struct dec_whole *w, const char *key,
		   const char *value, struct zsr_err *err)
{
	int ret = in_order(key, "zsr.task.", &w->next_task, err);

	if (!ret)
		ret = in_order(key, "zsr.mark.", &w->next_mark, err);
	if (!ret && !strcmp(key, "zsr.first_obj"))
		return first_obj(w, value, err);
	if (ret)
		return ret;
	dec_whole_flush(d, w);
	dec_out_meta(d->out, key, value);
	return 0;
}

/* ---- events ----------------------------------------------------------- */

static int object(struct dec_whole *w, struct zsr_event *ev, struct zsr_err *err)
{
	bool before = ev->obj < w->first_obj;

	ev->obj -= ev->obj == ZSR_OBJ_NONE ? 0 : w->first_obj;
	if (ev->kind == ZSR_EV_MALLOC) {
		if (ev->obj != w->next_obj)
			return zsr_err_input(
				err,
				"obj: mallocs number their objects from "
				"%" PRIu64 ", this is %" PRIu64
				" (a handle may be any number)",
				w->first_obj, w->first_obj + w->next_obj);
		w->next_obj++;
	} else if (ev->kind != ZSR_EV_FREE) {
		if (ev->obj != ZSR_OBJ_NONE)
			return zsr_err_input(err, "obj: a %s has none",
					     zsr_event_kind_name(ev->kind));
	} else if (ev->obj == ZSR_OBJ_NONE || before) {
		ev->obj = ZSR_OBJ_NONE;
		ev->flags |= ZSR_EVF_ORPHAN;
	} else if (ev->obj >= w->next_obj) {
		return zsr_err_input(
			err, "obj: no malloc of %" PRIu64 " came before",
			w->first_obj + ev->obj);
	}
	return 0;
}

static int task(struct dec *d, struct dec_whole *w, uint32_t nr,
		const struct dec_words *said, struct zsr_err *err)
{
	char key[40], comm[DEC_COMM_LEN], value[DEC_COMM_LEN + 24];

	if (nr < w->next_task)
		return 0;
	if (nr > w->next_task)
		return zsr_err_input(
			err, "task: %u before %" PRIu64 "; they count from 0",
			nr, w->next_task);
	dec_printable(comm, sizeof(comm), said->comm, said->comm_len);
	snprintf(key, sizeof(key), "zsr.task.%u", nr);
	snprintf(value, sizeof(value), "%d %s", said->pid, comm);
	return dec_whole_fact(d, w, key, value, err);
}

static int mark(struct dec *d, struct dec_whole *w, struct zsr_event *ev,
		const struct dec_words *said, struct zsr_err *err)
{
	char key[40], text[8192];

	if (said->no_aux)
		ev->aux = w->next_mark;
	if (ev->aux > w->next_mark)
		return zsr_err_input(err,
				     "aux: mark %" PRIu64 " before %" PRIu64
				     "; they count from 0",
				     ev->aux, w->next_mark);
	if (ev->aux < w->next_mark)
		return 0;
	dec_printable(text, sizeof(text), said->text, said->text_len);
	snprintf(key, sizeof(key), "zsr.mark.%" PRIu64, ev->aux);
	return dec_whole_fact(d, w, key, text, err);
}

int dec_whole_event(struct dec *d, struct dec_whole *w, struct zsr_event *ev,
		    const struct dec_words *said, struct zsr_err *err)
{
	int ret = object(w, ev, err);

	if (!ret)
		ret = task(d, w, ev->task, said, err);
	if (!ret && ev->kind == ZSR_EV_MARK)
		ret = mark(d, w, ev, said, err);
	if (ret)
		return ret;
	w->ev[w->nr_ev++] = *ev;
	if (w->nr_ev == ZSR_ARRAY_SIZE(w->ev))
		dec_whole_flush(d, w);
	return 0;
}
