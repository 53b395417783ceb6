// SPDX-License-Identifier: GPL-2.0-only
/* The child's end: frames gathered into blocks of shared memory. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture/decode/decode.h"

static void close_recs(struct dec_out *o)
{
	struct dec_frame *frame;

	if (!o->open)
		return;
	frame = (struct dec_frame *)(o->buf + o->open - 1);
	frame->len = (uint32_t)(o->used - (o->open - 1) - sizeof(*frame));
	o->open = 0;
}

/* ---- blocks ----------------------------------------------------------- */

int dec_ring_open(struct dec_ring *ring, struct zsr_err *err)
{
	int fds[2] = { -1, -1 };

	*ring = (struct dec_ring){ .in = -1, .out = -1, .room = -1 };
	ring->mem = mmap(NULL, DEC_NR_BLOCKS * (size_t)DEC_BLOCK,
			 PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
			 0);
	if (ring->mem == MAP_FAILED) {
		ring->mem = NULL;
		return zsr_err_nomem(err, "decoder");
	}
	if (pipe2(fds, O_CLOEXEC))
		return zsr_err_sys(err, errno, "pipe");
	ring->in = fds[1];
	ring->out = fds[0];
	ring->room = eventfd(0, EFD_CLOEXEC);
	return ring->room < 0 ? zsr_err_sys(err, errno, "eventfd") : 0;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void dec_ring_close(struct dec_ring *ring)
{
	if (ring->mem)
		munmap(ring->mem, DEC_NR_BLOCKS * (size_t)DEC_BLOCK);
	close_fd(ring->in);
	close_fd(ring->out);
	close_fd(ring->room);
	*ring = (struct dec_ring){ .in = -1, .out = -1, .room = -1 };
}

/* Without a ring there is one block, written over and over. */
void dec_out_init(struct dec_out *o, const struct dec_ring *ring)
{
	static _Alignas(8) uint8_t nowhere[DEC_BLOCK];

	*o = (struct dec_out){
		.ring = ring,
		.buf = ring ? ring->mem : nowhere,
		.nr_free = DEC_NR_BLOCKS,
	};
}

/* Nobody listens any more: there is nothing left to do. */
static void must(ssize_t done, size_t n)
{
	if (done != (ssize_t)n)
		_exit(1);
}

static void wait_for_room(struct dec_out *o)
{
	uint64_t emptied;
	ssize_t n;

	do
		n = read(o->ring->room, &emptied, sizeof(emptied));
	while (n < 0 && errno == EINTR);
	must(n, sizeof(emptied));
	o->nr_free += (uint32_t)emptied;
}

static void send_block(struct dec_out *o)
{
	ssize_t n;

	do
		n = write(o->ring->in, &o->used, sizeof(o->used));
	while (n < 0 && errno == EINTR);
	must(n, sizeof(o->used));
	if (!--o->nr_free)
		wait_for_room(o);
	o->buf = o->ring->mem + ++o->nr % DEC_NR_BLOCKS * (size_t)DEC_BLOCK;
}

void dec_out_flush(struct dec_out *o)
{
	close_recs(o);
	if (o->ring && o->used)
		send_block(o);
	o->used = 0;
}

/* ---- frames ----------------------------------------------------------- */

static struct dec_frame *new_frame(struct dec_out *o, uint32_t kind, size_t len)
{
	struct dec_frame *frame;

	close_recs(o);
	if (o->used + sizeof(*frame) + len + 8 > DEC_BLOCK)
		dec_out_flush(o);
	frame = (struct dec_frame *)(o->buf + o->used);
	frame->kind = kind;
	frame->len = (uint32_t)len;
	o->used += (uint32_t)sizeof(*frame);
	return frame;
}

static void put(struct dec_out *o, const void *p, size_t n)
{
	memcpy(o->buf + o->used, p, n);
	o->used += (uint32_t)n;
}

static void end_frame(struct dec_out *o)
{
	while (o->used % 8)
		o->buf[o->used++] = 0;
}

struct zsr_rec *dec_out_slow(struct dec_out *o)
{
	struct zsr_rec *rec;

	if (o->used + sizeof(struct dec_frame) + sizeof(*rec) > DEC_RECS_FULL)
		dec_out_flush(o);
	if (!o->open) {
		new_frame(o, DEC_RECS, sizeof(*rec));
		o->open = o->used - (uint32_t)sizeof(struct dec_frame) + 1;
	}
	rec = (struct zsr_rec *)(o->buf + o->used);
	o->used += (uint32_t)sizeof(*rec);
	return rec;
}

void dec_out_mark(struct dec_out *o, const struct zsr_rec *rec, const char *text)
{
	size_t len = rec->text_len;

	new_frame(o, DEC_MARK, sizeof(*rec) + len + 1);
	put(o, rec, sizeof(*rec));
	put(o, text, len);
	put(o, "", 1);
	end_frame(o);
}

void dec_out_events(struct dec_out *o, const struct zsr_event *ev, size_t n)
{
	new_frame(o, DEC_EVENTS, n * sizeof(*ev));
	put(o, ev, n * sizeof(*ev));
}

void dec_out_task(struct dec_out *o, int32_t pid, const char *comm)
{
	char name[DEC_COMM_LEN];
	size_t len = dec_printable(name, sizeof(name), comm, strlen(comm));

	new_frame(o, DEC_TASK, sizeof(pid) + len + 1);
	put(o, &pid, sizeof(pid));
	put(o, name, len + 1);
	end_frame(o);
}

/* Values may have several lines, so only what could hurt a terminal goes. */
void dec_out_meta(struct dec_out *o, const char *key, const char *value)
{
	size_t klen = zsr_min(strlen(key), (size_t)255);
	size_t vlen = zsr_min(strlen(value), (size_t)DEC_MAX_META - 512);
	size_t i;

	while (vlen && (value[vlen - 1] == '\n' || value[vlen - 1] == ' '))
		vlen--;
	new_frame(o, DEC_META, klen + vlen + 2);
	put(o, key, klen);
	put(o, "", 1);
	for (i = 0; i < vlen; i++) {
		char c = value[i];

		if (c != '\n' && c != '\t' && (c < ' ' || c > '~'))
			c = '?';
		put(o, &c, 1);
	}
	put(o, "", 1);
	end_frame(o);
}

void dec_out_metaf(struct dec_out *o, const char *key, const char *fmt, ...)
{
	char value[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	dec_out_meta(o, key, value);
}

void dec_out_error(struct dec_out *o, const char *msg)
{
	size_t len = strlen(msg);

	new_frame(o, DEC_ERROR, len + 1);
	put(o, msg, len + 1);
	end_frame(o);
	dec_out_flush(o);
}

void dec_out_done(struct dec_out *o)
{
	new_frame(o, DEC_DONE, 0);
	dec_out_flush(o);
}

size_t dec_printable(char *to, size_t room, const char *text, size_t len)
{
	size_t n = 0, i;

	while (len && (text[len - 1] == ' ' || text[len - 1] == '\n' ||
		       text[len - 1] == '\r' || text[len - 1] == '\t'))
		len--;
	for (i = 0; i < len && n + 1 < room; i++) {
		char c = text[i];

		if (c == '\n' || c == '\t' || c == '\r')
			c = ' ';
		else if (c < ' ' || c > '~')
			c = '?';
		to[n++] = c;
	}
	to[n] = '\0';
	return n;
}
