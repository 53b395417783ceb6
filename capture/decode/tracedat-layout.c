// SPDX-License-Identifier: GPL-2.0-only
/*
 * The two ways a trace.dat is laid out: version 6 one part after the other,
 * version 7 sections that a chain of options points to, perhaps compressed.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "capture/decode/tracedat.h"

#define SECTION_HEADER     16u
#define SECTION_COMPRESSED 1u
#define MAX_OPTION_PARTS   256
#define V6_TAG             10

/* ---- version 6 ------------------------------------------------------ */

static int v6_flyrecord(struct dat *t, struct dat_in *in, const char *name,
			struct zsr_err *err)
{
	uint64_t off, size;
	uint32_t cpu;
	int ret = 0;

	if (dat_add_buffer(t, name, "", 0, false))
		return zsr_err_nomem(err, "buffers");
	for (cpu = 0; cpu < t->cpu_count && !ret; cpu++) {
		ret = dat_u64(in, &off, err);
		if (!ret)
			ret = dat_u64(in, &size, err);
		if (!ret)
			ret = dat_add_cpu(t, cpu, off, size, err);
	}
	return ret;
}

struct v6_instance {
	uint64_t off;
	char name[64];
};

#define V6_MAX_INSTANCES 32

static int v6_options(struct dat *t, struct dat_in *in,
		      struct v6_instance *inst, size_t *nr, struct zsr_err *err)
{
	for (;;) {
		struct dat_in part;
		uint16_t id;
		uint32_t size;
		int ret;

		ret = dat_u16(in, &id, err);
		if (ret || !id)
			return ret;
		ret = dat_u32(in, &size, err);
		if (ret)
			return ret;
		dat_in_file(&part, in->file, in->off, in->off + size);
		ret = dat_skip(in, size, err);
		if (ret)
			return ret;
		if (id == DAT_BUFFER && *nr < V6_MAX_INSTANCES) {
			ret = dat_u64(&part, &inst[*nr].off, err);
			if (!ret && !dat_line(&part, inst[*nr].name,
					      sizeof(inst[*nr].name)))
				ret = zsr_err_input(err, "buffer without name");
			++*nr;
		} else {
			ret = dat_option(t, id, &part, err);
		}
		dat_in_end(&part);
		if (ret)
			return zsr_err_wrap(err, ret, "option %u", id);
	}
}

static int v6_tag(struct dat_in *in, char tag[V6_TAG], struct zsr_err *err)
{
	const uint8_t *p = dat_bytes(in, V6_TAG, err);

	if (!p)
		return -EINVAL;
	memcpy(tag, p, V6_TAG);
	return 0;
}

static int v6_data(struct dat *t, struct dat_in *in, struct zsr_err *err)
{
	struct v6_instance inst[V6_MAX_INSTANCES];
	size_t nr = 0, i;
	char tag[V6_TAG];
	int ret;

	ret = dat_u32(in, &t->cpu_count, err);
	if (!ret && t->cpu_count > DEC_MAX_CPUS)
		return zsr_err_input(err, "%u cpus are too many", t->cpu_count);
	if (!ret)
		ret = v6_tag(in, tag, err);
	if (!ret && !memcmp(tag, "options  ", V6_TAG)) {
		ret = v6_options(t, in, inst, &nr, err);
		if (!ret)
			ret = v6_tag(in, tag, err);
	}
	if (ret)
		return ret;
	if (!memcmp(tag, "latency  ", V6_TAG))
		return zsr_err_input(err, "holds the text of a latency tracer, "
					  "no events");
	if (memcmp(tag, "flyrecord", V6_TAG))
		return zsr_err_input(err,
				     "neither options nor data at offset "
				     "%" PRIu64,
				     in->off - V6_TAG);
	ret = v6_flyrecord(t, in, "", err);
	for (i = 0; i < nr && !ret; i++) {
		struct dat_in part;

		if (inst[i].off > t->file->size)
			return zsr_err_input(err, "buffer %s: truncated",
					     inst[i].name);
		dat_in_file(&part, t->file, inst[i].off, t->file->size);
		ret = v6_tag(&part, tag, err);
		if (!ret && memcmp(tag, "flyrecord", V6_TAG))
			ret = zsr_err_input(err, "buffer %s: no data",
					    inst[i].name);
		if (!ret)
			ret = v6_flyrecord(t, &part, inst[i].name, err);
		dat_in_end(&part);
	}
	return ret;
}

int dat_read_v6(struct dat *t, struct dat_in *in, struct zsr_err *err)
{
	uint32_t size;
	int ret;

	ret = dat_headers(t, in, err);
	if (!ret)
		ret = dat_ftrace_formats(t, in, err);
	if (!ret)
		ret = dat_event_formats(t, in, err);
	if (!ret)
		ret = dat_symbols(t, in, err);
	/* printk formats */
	if (!ret)
		ret = dat_u32(in, &size, err);
	if (!ret)
		ret = dat_skip(in, size, err);
	if (!ret)
		ret = dat_cmdlines(t, in, err);
	return ret ? ret : v6_data(t, in, err);
}

/* ---- version 7 ------------------------------------------------------ */

struct section {
	uint16_t id, flags;
	uint64_t off, size; /* of what follows its header */
};

static int section_at(struct dat *t, uint64_t off, unsigned id,
		      struct section *s, struct zsr_err *err)
{
	struct dat_in in;
	uint32_t description;
	int ret;

	if (off > t->file->size)
		return zsr_err_input(err,
				     "truncated: section %u at offset %" PRIu64
				     " of a file of %" PRIu64,
				     id, off, t->file->size);
	dat_in_file(&in, t->file, off,
		    zsr_min(off + SECTION_HEADER, t->file->size));
	ret = dat_u16(&in, &s->id, err);
	if (!ret)
		ret = dat_u16(&in, &s->flags, err);
	if (!ret)
		ret = dat_u32(&in, &description, err);
	if (!ret)
		ret = dat_u64(&in, &s->size, err);
	dat_in_end(&in);
	if (ret)
		return zsr_err_wrap(err, ret, "section %u", id);
	s->off = off + SECTION_HEADER;
	if (s->id != id)
		return zsr_err_input(err,
				     "section %u where section %u belongs "
				     "(offset %" PRIu64 ")",
				     s->id, id, off);
	if (s->size > t->file->size - s->off)
		return zsr_err_input(err,
				     "truncated: section %u of %" PRIu64
				     " bytes at offset %" PRIu64,
				     id, s->size, off);
	return 0;
}

static int unpack(struct dat *t, struct dat_in *in, const struct section *s,
		  struct zsr_err *err)
{
	struct dat_in packed;
	uint32_t len, plain;
	const uint8_t *p;
	uint8_t *mem = NULL;
	size_t n;
	int ret;

	dat_in_file(&packed, t->file, s->off, s->off + s->size);
	ret = dat_u32(&packed, &len, err);
	if (!ret)
		ret = dat_u32(&packed, &plain, err);
	if (ret)
		goto out;
	if (plain > DEC_MAX_FORMATS) {
		ret = zsr_err_input(err, "%u bytes unpacked", plain);
		goto out;
	}
	p = dat_bytes(&packed, len, err);
	if (!p) {
		ret = -EINVAL;
		goto out;
	}
	mem = malloc((size_t)plain + 1);
	if (!mem) {
		ret = zsr_err_nomem(err, "section");
		goto out;
	}
	n = ZSTD_decompress(mem, plain, p, len);
	if (ZSTD_isError(n) || n != plain) {
		ret = zsr_err_input(err, "damaged: %s",
				    ZSTD_isError(n) ? ZSTD_getErrorName(n)
						    : "too short");
		free(mem);
		goto out;
	}
	dat_in_mem(in, mem, plain);
out:
	dat_in_end(&packed);
	return ret;
}

/* Run FN over what a section holds. */
static int with_section(struct dat *t, uint64_t off, unsigned id,
			int (*fn)(struct dat *t, struct dat_in *in,
				  struct zsr_err *err),
			struct zsr_err *err)
{
	struct section s;
	struct dat_in in;
	int ret;

	ret = section_at(t, off, id, &s, err);
	if (ret || !fn)
		return ret;
	if (s.flags & SECTION_COMPRESSED) {
		ret = unpack(t, &in, &s, err);
		if (ret)
			return zsr_err_wrap(err, ret, "section %u", id);
	} else {
		dat_in_file(&in, t->file, s.off, s.off + s.size);
	}
	ret = fn(t, &in, err);
	dat_in_end(&in);
	return ret ? zsr_err_wrap(err, ret, "section %u", id) : 0;
}

static int v7_buffer(struct dat *t, struct dat_in *in, struct zsr_err *err)
{
	uint64_t off, cpu_off, cpu_size;
	uint32_t page_size, nr, cpu;
	char name[64], clock[32];
	struct section s = { 0 };
	int ret;

	ret = dat_u64(in, &off, err);
	if (ret)
		return ret;
	if (!dat_line(in, name, sizeof(name)) ||
	    !dat_line(in, clock, sizeof(clock)))
		return zsr_err_input(err, "buffer without name or clock");
	ret = dat_u32(in, &page_size, err);
	if (!ret)
		ret = dat_u32(in, &nr, err);
	if (ret)
		return ret;
	ret = section_at(t, off, DAT_BUFFER, &s, err);
	if (ret) {
		ret = dec_fault(t->d, ret, err);
		if (ret || s.id != DAT_BUFFER)
			return ret;
	}
	if (dat_add_buffer(t, name, clock, page_size,
			   s.flags & SECTION_COMPRESSED))
		return zsr_err_nomem(err, "buffers");
	while (nr-- && !ret) {
		ret = dat_u32(in, &cpu, err);
		if (!ret)
			ret = dat_u64(in, &cpu_off, err);
		if (!ret)
			ret = dat_u64(in, &cpu_size, err);
		if (!ret)
			ret = dat_add_cpu(t, cpu, cpu_off, cpu_size, err);
	}
	return ret;
}

static int v7_option(struct dat *t, unsigned id, struct dat_in *in,
		     struct zsr_err *err)
{
	static int (*const sections[])(struct dat *, struct dat_in *,
				       struct zsr_err *) = {
		[DAT_HEADER_INFO] = dat_headers,
		[DAT_FTRACE_EVENTS] = dat_ftrace_formats,
		[DAT_EVENT_FORMATS] = dat_event_formats,
		[DAT_KALLSYMS] = dat_symbols,
		[DAT_PRINTK] = NULL, /* only seen to be there */
		[DAT_CMDLINES] = dat_cmdlines,
	};
	uint64_t off;
	int ret;

	if (id == DAT_BUFFER)
		return v7_buffer(t, in, err);
	if (id == DAT_BUFFER_TEXT)
		return zsr_err_input(err, "holds the text of a latency tracer, "
					  "no events");
	if (id < DAT_HEADER_INFO || id > DAT_CMDLINES)
		return dat_option(t, id, in, err);
	ret = dat_u64(in, &off, err);
	return ret ? ret : with_section(t, off, id, sections[id], err);
}

/* One options section; *next becomes the offset of the one that follows. */
static int v7_options(struct dat *t, struct dat_in *in, uint64_t *next,
		      struct zsr_err *err)
{
	for (;;) {
		struct dat_in part = { 0 };
		const uint8_t *p;
		uint32_t size;
		uint16_t id;
		int ret;

		ret = dat_u16(in, &id, err);
		if (!ret)
			ret = dat_u32(in, &size, err);
		if (ret)
			return ret;
		if (id == DAT_DONE)
			return dat_u64(in, next, err);
		p = dat_bytes(in, size, err);
		if (!p)
			return -EINVAL;
		part.mem = malloc((size_t)size + 1);
		if (!part.mem)
			return zsr_err_nomem(err, "options");
		memcpy(part.mem, p, size);
		part.end = part.win_len = size;
		ret = v7_option(t, id, &part, err);
		dat_in_end(&part);
		if (ret)
			return zsr_err_wrap(err, ret, "option %u", id);
	}
}

int dat_read_v7(struct dat *t, struct dat_in *in, struct zsr_err *err)
{
	char algorithm[64], version[64];
	unsigned parts = 0;
	uint64_t next;
	int ret;

	if (!dat_line(in, algorithm, sizeof(algorithm)) ||
	    !dat_line(in, version, sizeof(version)))
		return zsr_err_input(err, "no compression header");
	if (strcmp(algorithm, "zstd") && strcmp(algorithm, "none"))
		return zsr_err_input(err,
				     "compressed with %.32s, which is not "
				     "readable (trace-cmd convert --compression"
				     " zstd makes it so)",
				     algorithm);
	ret = dat_u64(in, &next, err);
	while (!ret && next) {
		struct section s;
		struct dat_in opts;

		if (parts++ >= MAX_OPTION_PARTS)
			return zsr_err_input(err, "options without end");
		ret = section_at(t, next, DAT_DONE, &s, err);
		if (ret)
			break;
		next = 0;
		if (s.flags & SECTION_COMPRESSED)
			ret = unpack(t, &opts, &s, err);
		else
			dat_in_file(&opts, t->file, s.off, s.off + s.size);
		if (ret)
			break;
		ret = v7_options(t, &opts, &next, err);
		dat_in_end(&opts);
	}
	return ret;
}
