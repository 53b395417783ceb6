// SPDX-License-Identifier: GPL-2.0-only
/* A recording session, by liblttng-ctl. */
#include <lttng/lttng.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ust/so/session.h"

#define CHANNEL "zsr"

/* For all CPUs together; a sub-buffer is not smaller than LEAST. */
#define BUFFERS  (64u << 20)
#define LEAST    (128u << 10)
#define NR_PARTS 4

static int fail(struct zsr_err *err, const char *what, int code)
{
	return zsr_err_sys(err, EIO, "LTTng: %s: %s", what,
			   lttng_strerror(code < 0 ? code : -code));
}

static int create(const char *name, const char *dir, struct zsr_err *err)
{
	struct lttng_session_descriptor *d =
		lttng_session_descriptor_local_create(name, dir);
	int ret = d ? lttng_create_session_ext(d) : LTTNG_ERR_NOMEM;

	lttng_session_descriptor_destroy(d);
	return ret == LTTNG_OK ? 0 : fail(err, "create the session", ret);
}

static uint64_t part_size(unsigned cpus)
{
	uint64_t size = BUFFERS / NR_PARTS;

	while (size > LEAST && size * cpus * NR_PARTS > BUFFERS)
		size /= 2;
	return size;
}

/* Whoever writes waits when the buffers are full: nothing is lost. */
static int add_channel(struct lttng_handle *h, struct lttng_domain *domain,
		       unsigned cpus, struct zsr_err *err)
{
	struct lttng_channel *c = lttng_channel_create(domain);
	int ret = -LTTNG_ERR_NOMEM;

	if (c) {
		snprintf(c->name, sizeof(c->name), CHANNEL);
		c->attr.overwrite = 0;
		c->attr.subbuf_size = part_size(cpus);
		c->attr.num_subbuf = NR_PARTS;
		c->attr.switch_timer_interval = 0;
		c->attr.read_timer_interval = 0;
		c->attr.output = LTTNG_EVENT_MMAP;
		ret = lttng_channel_set_blocking_timeout(c, -1);
	}
	if (!ret)
		ret = lttng_enable_channel(h, c);
	lttng_channel_destroy(c);
	return ret ? fail(err, "make buffers", ret) : 0;
}

static int add_events(struct lttng_handle *h, struct zsr_err *err)
{
	struct lttng_event_context vtid = { .ctx = LTTNG_EVENT_CONTEXT_VTID };
	struct lttng_event *ev = lttng_event_create();
	int ret = -LTTNG_ERR_NOMEM;

	if (ev) {
		snprintf(ev->name, sizeof(ev->name), "zsr:*");
		ev->type = LTTNG_EVENT_TRACEPOINT;
		ev->loglevel_type = LTTNG_EVENT_LOGLEVEL_ALL;
		ret = lttng_enable_event(h, ev, CHANNEL);
	}
	lttng_event_destroy(ev);
	if (!ret)
		ret = lttng_add_context(h, &vtid, NULL, CHANNEL);
	/* A system's daemon has other processes, too. */
	if (!ret)
		ret = lttng_track_pid(h, getpid());
	return ret ? fail(err, "ask for events", ret) : 0;
}

int zsr_lttng_session_start(const char *name, const char *dir, unsigned cpus,
			    struct zsr_err *err)
{
	struct lttng_domain domain = { .type = LTTNG_DOMAIN_UST,
				       .buf_type = LTTNG_BUFFER_PER_UID };
	struct lttng_handle *h = NULL;
	int ret = create(name, dir, err);

	if (ret)
		return ret;
	h = lttng_create_handle(name, &domain);
	if (!h)
		ret = zsr_err_nomem(err, "session");
	if (!ret)
		ret = add_channel(h, &domain, cpus, err);
	if (!ret)
		ret = add_events(h, err);
	if (!ret) {
		ret = lttng_start_tracing(name);
		if (ret)
			ret = fail(err, "begin to record", ret);
	}
	lttng_destroy_handle(h);
	if (ret)
		lttng_destroy_session(name);
	return ret;
}

static uint64_t discarded_by(const char *name)
{
	struct lttng_domain domain = { .type = LTTNG_DOMAIN_UST,
				       .buf_type = LTTNG_BUFFER_PER_UID };
	struct lttng_handle *h = lttng_create_handle(name, &domain);
	struct lttng_channel *c = NULL;
	uint64_t n, sum = 0;
	int i, nr = h ? lttng_list_channels(h, &c) : 0;

	for (i = 0; i < nr; i++)
		if (!lttng_channel_get_discarded_event_count(&c[i], &n))
			sum += n;
	if (nr > 0)
		free(c);
	lttng_destroy_handle(h);
	return sum;
}

int zsr_lttng_session_stop(const char *name, uint64_t *discarded,
			   struct zsr_err *err)
{
	int ret = lttng_stop_tracing(name);

	*discarded = ret < 0 ? 0 : discarded_by(name);
	if (ret < 0) {
		lttng_destroy_session(name);
		return fail(err, "stop recording", ret);
	}
	ret = lttng_destroy_session(name);
	return ret < 0 ? fail(err, "end the session", ret) : 0;
}
