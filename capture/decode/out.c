// SPDX-License-Identifier: GPL-2.0-only
/* The child's end of the pipe: frames gathered into large writes. */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
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

static void write_all(int fd, const uint8_t *p, size_t n)
{
	while (n) {
		ssize_t w = write(fd, p, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			_exit(1); /* nobody is listening any more */
		p += w;
		n -= (size_t)w;
	}
}

void dec_out_flush(struct dec_out *o)
{
	close_recs(o);
	if (o->fd >= 0)
		write_all(o->fd, o->buf, o->used);
	o->used = 0;
}

static struct dec_frame *new_frame(struct dec_out *o, uint32_t kind, size_t len)
{
	struct dec_frame *frame;

	close_recs(o);
	if (o->used + sizeof(*frame) + len + 8 > sizeof(o->buf))
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

	if (o->used + sizeof(struct dec_frame) + sizeof(*rec) > sizeof(o->buf))
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
