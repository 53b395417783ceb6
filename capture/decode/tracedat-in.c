// SPDX-License-Identifier: GPL-2.0-only
/* Reading a trace.dat's metadata forward, never past the end of its part. */
#include <endian.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "capture/decode/tracedat.h"

#define WINDOW (64u << 10)

void dat_in_file(struct dat_in *in, struct dec_file *f, uint64_t off,
		 uint64_t end)
{
	*in = (struct dat_in){ .file = f, .off = off, .end = end };
}

void dat_in_mem(struct dat_in *in, uint8_t *mem, size_t len)
{
	*in = (struct dat_in){ .end = len, .mem = mem, .win_len = len };
}

void dat_in_end(struct dat_in *in)
{
	free(in->mem);
	in->mem = NULL;
}

static int load(struct dat_in *in, size_t n, struct zsr_err *err)
{
	uint64_t left = in->end - in->off;
	int ret;

	n = zsr_max(n, (size_t)zsr_min(left, (uint64_t)WINDOW));
	if (zsr_grow(&in->mem, &in->cap, n, 1))
		return zsr_err_nomem(err, "trace.dat");
	in->win_len = 0;
	ret = dec_file_read(in->file, in->off, in->mem, n, err);
	if (ret)
		return ret;
	in->win_off = in->off;
	in->win_len = n;
	return 0;
}

const uint8_t *dat_bytes(struct dat_in *in, size_t n, struct zsr_err *err)
{
	const uint8_t *p;

	if (n > in->end - in->off) {
		zsr_err_input(err,
			      "truncated: %zu bytes at offset %" PRIu64
			      " are needed, %" PRIu64 " are there",
			      n, in->off, in->end - in->off);
		return NULL;
	}
	if (in->file &&
	    (!in->mem || in->off < in->win_off ||
	     in->off + n > in->win_off + in->win_len) &&
	    load(in, n, err))
		return NULL;
	p = in->mem + (in->off - in->win_off);
	in->off += n;
	return p;
}

int dat_u16(struct dat_in *in, uint16_t *v, struct zsr_err *err)
{
	const uint8_t *p = dat_bytes(in, sizeof(*v), err);

	if (!p)
		return -EINVAL;
	memcpy(v, p, sizeof(*v));
	*v = le16toh(*v);
	return 0;
}

int dat_u32(struct dat_in *in, uint32_t *v, struct zsr_err *err)
{
	const uint8_t *p = dat_bytes(in, sizeof(*v), err);

	if (!p)
		return -EINVAL;
	memcpy(v, p, sizeof(*v));
	*v = le32toh(*v);
	return 0;
}

int dat_u64(struct dat_in *in, uint64_t *v, struct zsr_err *err)
{
	const uint8_t *p = dat_bytes(in, sizeof(*v), err);

	if (!p)
		return -EINVAL;
	memcpy(v, p, sizeof(*v));
	*v = le64toh(*v);
	return 0;
}

int dat_skip(struct dat_in *in, uint64_t n, struct zsr_err *err)
{
	if (n > in->end - in->off)
		return zsr_err_input(err,
				     "truncated: %" PRIu64 " bytes at offset "
				     "%" PRIu64 " are needed, %" PRIu64
				     " are there",
				     n, in->off, in->end - in->off);
	in->off += n;
	return 0;
}

bool dat_line(struct dat_in *in, char *to, size_t room)
{
	uint64_t begin = in->off;
	struct zsr_err err;
	size_t n;
	const uint8_t *p, *nul;

	n = (size_t)zsr_min((uint64_t)room - 1, in->end - in->off);
	p = n ? dat_bytes(in, n, &err) : NULL;
	if (!p)
		return false;
	nul = memchr(p, 0, n);
	if (!nul && n == room - 1)
		return false;
	if (nul)
		n = (size_t)(nul - p);
	memcpy(to, p, n);
	to[n] = '\0';
	in->off = begin + n + (nul != NULL);
	return true;
}
