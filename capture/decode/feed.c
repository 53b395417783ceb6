// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages of somebody's babeltrace2 graph, decoded as those of a CTF trace
 * are. The graph's thread writes into the ring that otherwise a child has, and
 * another thread reads what comes out of it.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/decode/ctf.h"

struct zsr_feed {
	char name[256];
	struct dec_ring ring;
	struct dec_out out;
	struct dec d;
	struct ctf *c;
	atomic_bool refused; /* nobody reads what comes out */
};

int zsr_feed_open(struct zsr_feed **to, const char *name, struct zsr_err *err)
{
	struct zsr_feed *f = calloc(1, sizeof(*f));
	int ret;

	*to = NULL;
	if (!f)
		return zsr_err_nomem(err, name);
	snprintf(f->name, sizeof(f->name), "%s", name);
	ret = dec_ring_open(&f->ring, err);
	f->c = calloc(1, sizeof(*f->c));
	f->d.stats = calloc(DEC_MAX_CPUS, sizeof(*f->d.stats));
	if (!ret && (!f->c || !f->d.stats))
		ret = zsr_err_nomem(err, name);
	if (ret) {
		zsr_feed_close(f);
		return ret;
	}
	dec_out_init(&f->out, &f->ring);
	f->d.out = &f->out;
	f->c->d = &f->d;
	f->c->name = f->name;
	dec_out_meta(&f->out, "format", "CTF");
	*to = f;
	return 0;
}

void zsr_feed_close(struct zsr_feed *f)
{
	if (!f)
		return;
	if (f->c)
		ctf_free(f->c);
	free(f->d.stats);
	dec_ring_close(&f->ring);
	free(f);
}

int zsr_feed_message(struct zsr_feed *f, const struct bt_message *msg,
		     struct zsr_err *err)
{
	if (atomic_load_explicit(&f->refused, memory_order_relaxed))
		return zsr_err_input(err, "%s: is not taken", f->name);
	return ctf_message(f->c, msg, err);
}

int zsr_feed_end(struct zsr_feed *f, struct zsr_err *err)
{
	int ret = ctf_messages_end(f->c, err);

	if (!ret && !atomic_load(&f->refused))
		dec_out_done(&f->out);
	zsr_feed_stop(f);
	return ret;
}

void zsr_feed_stop(struct zsr_feed *f)
{
	if (f->ring.in >= 0)
		close(f->ring.in);
	f->ring.in = -1;
}

bool zsr_feed_refused(const struct zsr_feed *f)
{
	return atomic_load(&f->refused);
}

void zsr_feed_refuse(struct zsr_feed *f)
{
	const uint64_t plenty = 1u << 30;
	ssize_t n;

	atomic_store(&f->refused, true);
	/* Who writes must not wait for room any more. */
	do
		n = write(f->ring.room, &plenty, sizeof(plenty));
	while (n < 0 && errno == EINTR);
}

int zsr_feed_receive(struct zsr_feed *f, struct zsr_sink *sink,
		     struct zsr_err *err)
{
	bool done = false, any;
	int ret = dec_receive(&f->ring, f->name, sink, &done, &any, err);

	if (ret)
		zsr_feed_refuse(f);
	else if (!done)
		ret = zsr_err_input(err, "%s: stopped before its end", f->name);
	return ret;
}
