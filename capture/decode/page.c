// SPDX-License-Identifier: GPL-2.0-only
/*
 * One sub-buffer of a kernel's ring buffer, as trace_pipe_raw hands it out:
 *
 *	u64 time stamp, long commit, data
 *
 * commit holds the length of the data; its bit 31 says that records are
 * missing before this page, bit 30 that their number lies behind the data.
 * An event begins with a word of 5 bits type and 27 bits time since the one
 * before. Layout: include/linux/ring_buffer.h and events/header_event.
 */
#include <endian.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "capture/decode/decode.h"

#define COMMIT_MISSED   (1u << 31)
#define COMMIT_STORED   (1u << 30)
#define COMMIT_LEN_MASK ((1u << 27) - 1)

#define TYPE_DATA_MAX 28
#define TYPE_PADDING  29
#define TYPE_EXTEND   30
#define TYPE_STAMP    31

#define DELTA_BITS 27
/* Absolute stamps have 59 bits; the rest comes from the stamp before. */
#define STAMP_BITS 59
#define STAMP_HIGH (~0ull << STAMP_BITS)

/* The smallest room in which the kernel still puts an event. */
#define MIN_EVENT 8

static uint32_t get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

static uint64_t get64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

/* The numbers behind "offset:" and "size:" in the line of field NAME. */
static int field(const char *text, const char *name, unsigned *off,
		 unsigned *size)
{
	const char *line = text;
	size_t n = strlen(name);

	for (; line; line = strchr(line, '\n')) {
		const char *semi, *o, *s;

		line += *line == '\n';
		semi = strchr(line, ';');
		if (!semi)
			break;
		if ((size_t)(semi - line) <= n || memcmp(semi - n, name, n) ||
		    semi[-(ptrdiff_t)n - 1] != ' ')
			continue;
		o = strstr(semi, "offset:");
		s = strstr(semi, "size:");
		if (!o || !s)
			break;
		*off = (unsigned)strtoul(o + 7, NULL, 10);
		*size = (unsigned)strtoul(s + 5, NULL, 10);
		return 0;
	}
	return -EINVAL;
}

int dec_page_format_parse(struct dec_page_format *f, const char *text,
			  struct zsr_err *err)
{
	unsigned ts_off, ts_size, size;

	if (field(text, "timestamp", &ts_off, &ts_size) ||
	    field(text, "commit", &f->commit_off, &f->commit_size) ||
	    field(text, "data", &f->data_off, &size))
		return zsr_err_input(
			err, "header_page: lacks timestamp, commit or data");
	if (ts_off || ts_size != 8 || f->commit_off != 8 ||
	    (f->commit_size != 4 && f->commit_size != 8) ||
	    f->data_off != f->commit_off + f->commit_size)
		return zsr_err_input(err,
				     "header_page: unknown layout (stamp %u:%u,"
				     " commit %u:%u, data at %u)",
				     ts_off, ts_size, f->commit_off,
				     f->commit_size, f->data_off);
	if (size > DEC_MAX_PAGE - f->data_off || size < 2 * MIN_EVENT)
		return zsr_err_input(err, "header_page: %u bytes of data", size);
	f->size = f->data_off + size;
	return 0;
}

/* What the event at P, and a time extend before it, take; 0: no event. */
static unsigned first_event(const uint8_t *p, const uint8_t *end)
{
	unsigned total = 0;

	while (end - p >= 8) {
		unsigned type = get32(p) & 31, len;

		if (type == TYPE_EXTEND || type == TYPE_STAMP) {
			p += 8;
			total += 8;
			continue;
		}
		if (type == TYPE_PADDING)
			return 0;
		len = type ? 4 + 4 * type : 4 + get32(p + 4);
		return total + len;
	}
	return 0;
}

int dec_page_load(struct dec_page *p, const struct dec_page_format *f,
		  const uint8_t *page, struct zsr_err *err)
{
	uint32_t commit = get32(page + f->commit_off), len, high;
	unsigned size = f->size - f->data_off, behind, i;

	high = f->commit_size == 8 ? get32(page + f->commit_off + 4) : 0;
	/* 6.1 adds bit 31 as a negative int. */
	if (high && !(high == UINT32_MAX && commit >> 31))
		return zsr_err_input(err,
				     "commit word 0x%" PRIx64 " is no length",
				     get64(page + f->commit_off));
	len = commit & COMMIT_LEN_MASK;
	if ((commit & ~(COMMIT_MISSED | COMMIT_STORED)) != len || len > size)
		return zsr_err_input(
			err, "%u bytes of data > sub-buffer size %u",
			commit & ~(COMMIT_MISSED | COMMIT_STORED), size);
	if (!len)
		return zsr_err_input(err, "is empty, which no page that the "
					  "kernel gave out is");
	if (len % 4)
		return zsr_err_input(err, "%u bytes of data: not whole words",
				     len);
	p->data = page + f->data_off;
	p->pos = p->data;
	p->end = p->data + len;
	p->t_ns = get64(page);
	p->nr = 0;
	p->missed = commit & COMMIT_MISSED;
	p->missed_count = 0;
	behind = len;
	if (commit & COMMIT_STORED) {
		if (!p->missed || size - len < f->commit_size)
			return zsr_err_input(
				err, "flagged as holding a count of missed "
				     "records, without room for one");
		p->missed_count = f->commit_size == 8 ? get64(p->end)
						      : get32(p->end);
		behind += f->commit_size;
	}
	p->room = size - behind;
	p->dirty = false;
	for (i = behind; i < size && !p->dirty; i++)
		p->dirty = p->data[i];
	p->first_len = first_event(p->pos, p->end);
	return 0;
}

static int bad_length(const struct dec_page *p, uint32_t len,
		      struct zsr_err *err)
{
	return zsr_err_input(err,
			     "event %u: length %u > %zu bytes that are left",
			     p->nr - 1, len, (size_t)(p->end - p->pos));
}

/* A discarded event, or what was too small for one. Returns 1 to go on. */
static int padding(struct dec_page *p, uint32_t head, struct zsr_err *err)
{
	size_t left = (size_t)(p->end - p->pos);
	uint32_t delta = head >> 5, len;

	if (!delta) {
		if (left > MIN_EVENT)
			return zsr_err_input(err,
					     "event %u: the page is said to "
					     "end with %zu bytes left",
					     p->nr - 1, left);
		p->pos = p->end;
		return 1;
	}
	if (left < 8)
		return bad_length(p, 8, err);
	len = get32(p->pos + 4);
	if (len < 4 || len > left - 4)
		return bad_length(p, len, err);
	p->t_ns += delta;
	p->pos += 4 + ((len + 3) & ~3u);
	if (p->pos > p->end)
		p->pos = p->end;
	return 1;
}

static void stamp(struct dec_page *p, uint64_t abs)
{
	uint64_t t = abs | (p->t_ns & STAMP_HIGH);

	if (t < p->t_ns && (p->t_ns & STAMP_HIGH))
		t += 1ull << STAMP_BITS;
	p->t_ns = t;
}

int dec_page_next(struct dec_page *p, const uint8_t **data, unsigned *len,
		  struct zsr_err *err)
{
	while (p->pos < p->end) {
		size_t left = (size_t)(p->end - p->pos);
		uint32_t head = get32(p->pos), type = head & 31, n;
		int ret;

		p->nr++;
		if (type - 1 < TYPE_DATA_MAX) {
			n = type * 4;
			if (n > left - 4)
				return bad_length(p, n, err);
			p->t_ns += head >> 5;
			*data = p->pos + 4;
			*len = n;
			p->pos += 4 + n;
			return 1;
		}
		if (type == TYPE_PADDING) {
			ret = padding(p, head, err);
			if (ret < 0)
				return ret;
			continue;
		}
		if (left < 8)
			return bad_length(p, 8, err);
		n = get32(p->pos + 4);
		if (type == TYPE_EXTEND) {
			p->t_ns += ((uint64_t)n << DELTA_BITS) + (head >> 5);
			p->pos += 8;
			continue;
		}
		if (type == TYPE_STAMP) {
			stamp(p, ((uint64_t)n << DELTA_BITS) + (head >> 5));
			p->pos += 8;
			continue;
		}
		/* Type 0: a long event, its length counts its own word. */
		if (n < 4 || n > left - 4)
			return bad_length(p, n, err);
		p->t_ns += head >> 5;
		*data = p->pos + 8;
		*len = n - 4;
		p->pos += 4 + ((n + 3) & ~3u);
		if (p->pos > p->end)
			p->pos = p->end;
		return 1;
	}
	return 0;
}
