/* SPDX-License-Identifier: GPL-2.0-only */
/* What the decoder's tests share: a sink that keeps everything, and where the
 * shared captures are. */
#ifndef ZSR_CAPTURE_T_COLLECT_H
#define ZSR_CAPTURE_T_COLLECT_H

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/capture.h"

struct text_list {
	char *all; /* "key=value\n", "pid comm\n", "text\n" */
	size_t len, cap;
};

struct collected {
	struct zsr_rec *recs;
	size_t nr, cap;
	struct zsr_event *evs;
	size_t nr_evs, cap_evs;
	struct text_list meta, tasks, marks;
	uint64_t kinds[ZSR_REC_OTHER + 1];
	uint64_t lost;
	int stop_after; /* recs() calls, then -EIO; -1: never */
};

static inline void list_add(struct text_list *l, const char *a, const char *b,
			    const char *c)
{
	size_t n = strlen(a) + strlen(b) + strlen(c) + 2;

	if (zsr_grow(&l->all, &l->cap, l->len + n, 1))
		abort();
	l->len += (size_t)sprintf(l->all + l->len, "%s%s%s\n", a, b, c);
}

static inline int collect_one(struct collected *c, const struct zsr_rec *r,
			      size_t n)
{
	size_t i;

	if (zsr_grow(&c->recs, &c->cap, c->nr + n, sizeof(*r)))
		return -ENOMEM;
	memcpy(c->recs + c->nr, r, n * sizeof(*r));
	c->nr += n;
	for (i = 0; i < n; i++) {
		c->kinds[r[i].kind]++;
		if (r[i].kind == ZSR_REC_LOST)
			c->lost += r[i].value;
	}
	return 0;
}

static inline int collect_recs(void *ctx, const struct zsr_rec *r, size_t n,
			       struct zsr_err *err)
{
	struct collected *c = ctx;

	if (!c->stop_after)
		return zsr_err_sys(err, EIO, "the sink");
	if (c->stop_after > 0)
		c->stop_after--;
	return collect_one(c, r, n);
}

static inline int collect_mark(void *ctx, const struct zsr_rec *r,
			       const char *text, struct zsr_err *err)
{
	struct collected *c = ctx;

	list_add(&c->marks, text, "", "");
	return collect_one(c, r, 1);
}

static inline int collect_task(void *ctx, int32_t pid, const char *comm,
			       struct zsr_err *err)
{
	struct collected *c = ctx;
	char number[16];

	snprintf(number, sizeof(number), "%d ", pid);
	list_add(&c->tasks, number, comm, "");
	return 0;
}

static inline int collect_meta(void *ctx, const char *key, const char *value,
			       struct zsr_err *err)
{
	struct collected *c = ctx;

	list_add(&c->meta, key, "=", value);
	return 0;
}

static inline int collect_events(void *ctx, const struct zsr_event *ev,
				 size_t n, struct zsr_err *err)
{
	struct collected *c = ctx;

	if (zsr_grow(&c->evs, &c->cap_evs, c->nr_evs + n, sizeof(*ev)))
		return -ENOMEM;
	memcpy(c->evs + c->nr_evs, ev, n * sizeof(*ev));
	c->nr_evs += n;
	return 0;
}

static inline struct zsr_sink collected_init(struct collected *c)
{
	memset(c, 0, sizeof(*c));
	c->stop_after = -1;
	list_add(&c->meta, "", "", "");
	list_add(&c->tasks, "", "", "");
	list_add(&c->marks, "", "", "");
	return (struct zsr_sink){ c,
				  collect_recs,
				  collect_mark,
				  collect_task,
				  collect_meta,
				  collect_events };
}

static inline void collected_free(struct collected *c)
{
	free(c->recs);
	free(c->evs);
	free(c->meta.all);
	free(c->tasks.all);
	free(c->marks.all);
	memset(c, 0, sizeof(*c));
}

/* The value of KEY ("" when it was never told), in a static buffer. */
static inline const char *collected_meta(const struct collected *c,
					 const char *key)
{
	static char value[1024];
	char find[256];
	const char *p;

	snprintf(find, sizeof(find), "\n%s=", key);
	p = strstr(c->meta.all, find);
	if (!p)
		return "";
	p += strlen(find);
	snprintf(value, sizeof(value), "%.*s", (int)strcspn(p, "\n"), p);
	return value;
}

static inline bool has_line(const struct text_list *l, const char *line)
{
	char find[512];

	snprintf(find, sizeof(find), "\n%s\n", line);
	return strstr(l->all, find);
}

/* "DIR/NAME" below the shared captures, in one of four static buffers; NULL
 * when there are none. */
static inline const char *shared_capture(const char *name)
{
	static char path[4][1024];
	static unsigned next;
	const char *dir = getenv("ZSR_SHARED");
	char *to = path[next++ % 4];

	snprintf(to, sizeof(path[0]), "%s/captures/%s", dir ? dir : "../shared",
		 name);
	return access(to, R_OK) ? NULL : to;
}

#endif
