// SPDX-License-Identifier: GPL-2.0-only
/* Lines of a text, through a large buffer. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/decode/decode.h"

#define MAX_LINE (64u << 10)

int dec_lines_open(struct dec_lines *in, struct dec_file *f, struct zsr_err *err)
{
	*in = (struct dec_lines){ .file = f, .buf = malloc(DEC_LINE_BUFFER) };
	return in->buf ? 0 : zsr_err_nomem(err, f->name);
}

void dec_lines_close(struct dec_lines *in)
{
	free(in->buf);
	in->buf = NULL;
}

static int refill(struct dec_lines *in, struct zsr_err *err)
{
	struct dec_file *f = in->file;
	size_t room;
	ssize_t n;

	memmove(in->buf, in->buf + in->pos, in->used - in->pos);
	in->used -= in->pos;
	in->pos = 0;
	room = DEC_LINE_BUFFER - in->used;
	if (f->mem && in->off < f->size) {
		n = (ssize_t)zsr_min((uint64_t)room, f->size - in->off);
		memcpy(in->buf + in->used, f->mem + in->off, (size_t)n);
	} else {
		do {
			n = f->seekable ? pread(f->fd, in->buf + in->used, room,
						(off_t)in->off)
					: read(f->fd, in->buf + in->used, room);
		} while (n < 0 && errno == EINTR);
	}
	if (n < 0)
		return zsr_err_input(err, "%s", strerror(errno));
	in->eof = !n;
	in->off += (uint64_t)n;
	in->used += (size_t)n;
	return 0;
}

int dec_lines_next(struct dec_lines *in, const char **line, const char **end,
		   struct zsr_err *err)
{
	size_t from = 0;
	char *nl;
	int ret;

	for (;;) {
		nl = memchr(in->buf + in->pos + from, '\n',
			    in->used - in->pos - from);
		if (nl)
			break;
		from = in->used - in->pos;
		if (from > MAX_LINE)
			return zsr_err_input(
				err, "a line of more than %u bytes", MAX_LINE);
		if (in->eof && from)
			return zsr_err_input(err, "truncated: the last line has"
						  " no end");
		if (in->eof)
			return 0;
		ret = refill(in, err);
		if (ret)
			return ret;
	}
	in->nr++;
	*line = in->buf + in->pos;
	*end = nl;
	in->pos = (size_t)(nl - in->buf) + 1;
	if (*end > *line && (*end)[-1] == '\r')
		--*end;
	return 1;
}
