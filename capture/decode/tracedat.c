// SPDX-License-Identifier: GPL-2.0-only
/*
 * trace.dat files of trace-cmd, versions 6 and 7, as trace-cmd.dat.v6(5) and
 * trace-cmd.dat.v7(5) describe them. Only what leads to the events is read:
 * libtracecmd takes 50 to 340 ms to open the same files (it parses kallsyms
 * and every event's format), unpacks compressed pages into files below /tmp,
 * and ends silently where a page is damaged. The test suite compares what
 * comes out, record for record, with what libtracecmd reads.
 */
#include <endian.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "capture/decode/decode.h"
#include "capture/decode/tracedat.h"

static const uint8_t magic[] = { 0x17, 0x08, 0x44, 't', 'r',
				 'a',  'c',  'i',  'n', 'g' };

bool dec_is_dat(const uint8_t *head, size_t len)
{
	return len >= sizeof(magic) && !memcmp(head, magic, sizeof(magic));
}

int dat_add_buffer(struct dat *t, const char *name, const char *clock,
		   unsigned page_size, bool chunked)
{
	struct dat_buffer *b;

	if (zsr_grow(&t->buffers, &t->buffers_cap, t->nr_buffers + 1, sizeof(*b)))
		return -ENOMEM;
	b = &t->buffers[t->nr_buffers++];
	memset(b, 0, sizeof(*b));
	snprintf(b->name, sizeof(b->name), "%s", name);
	snprintf(b->clock, sizeof(b->clock), "%s", clock);
	b->page_size = page_size;
	b->chunked = chunked;
	return 0;
}

/* The data of one CPU in the buffer added last. */
int dat_add_cpu(struct dat *t, unsigned cpu, uint64_t off, uint64_t size,
		struct zsr_err *err)
{
	struct dat_cpu *c;
	int ret;

	if (!size)
		return 0;
	if (cpu >= DEC_MAX_CPUS)
		return zsr_err_input(err, "cpu %u is out of range", cpu);
	if (off > t->file->size || size > t->file->size - off) {
		ret = zsr_err_input(err,
				    "cpu %u: truncated: its data ends at byte "
				    "%" PRIu64 " of a file of %" PRIu64,
				    cpu, off + size, t->file->size);
		ret = dec_fault(t->d, ret, err);
		if (ret || off >= t->file->size)
			return ret;
		size = t->file->size - off;
	}
	if (zsr_grow(&t->cpus, &t->cpus_cap, t->nr_cpus + 1, sizeof(*c)))
		return zsr_err_nomem(err, "cpus");
	c = &t->cpus[t->nr_cpus++];
	c->cpu = cpu;
	c->buffer = (unsigned)t->nr_buffers - 1;
	c->off = off;
	c->size = size;
	return 0;
}

/* "[mono] ..." of a trace_clock file, or the bare name. */
static void clock_name(char *to, size_t room, const char *text)
{
	const char *open = strchr(text, '[');
	size_t n;

	text = open ? open + 1 : text;
	n = strcspn(text, "] \n");
	snprintf(to, room, "%.*s", (int)zsr_min(n, room), text);
}

/* "Linux HOST RELEASE MACHINE" */
static void uname_meta(struct dec *d, const char *text)
{
	char sysname[64], node[128], release[128], machine[64];

	if (sscanf(text, "%63s %127s %127s %63s", sysname, node, release,
		   machine) != 4)
		return;
	dec_out_meta(d->out, "kernel.release", release);
	dec_out_meta(d->out, "arch", machine);
	d->have_release = true;
}

/* Line feeds are \n there, backslashes \\. */
static void unescape(char *p)
{
	char *to = p;

	for (; *p; p++) {
		if (*p == '\\' && p[1])
			*to++ = *++p == 'n' ? '\n' : *p;
		else
			*to++ = *p;
	}
	*to = '\0';
}

/* Statistics of a cpu; zsr's captures have their facts there, too, one each. */
static int cpustat(struct dat *t, struct dat_in *in, struct zsr_err *err)
{
	static const char begin[] = "zsr:fact ";
	size_t n = (size_t)zsr_min(in->end - in->off,
				   (uint64_t)DEC_MAX_META - 1);
	const uint8_t *p = n ? dat_bytes(in, n, err) : NULL;
	char *text = p ? strndup((const char *)p, n) : NULL;

	if (!p)
		return n ? -EINVAL : 0;
	if (!text)
		return zsr_err_nomem(err, "statistics");
	if (!strncmp(text, begin, strlen(begin))) {
		unescape(text);
		dec_fact(t->d, text);
	} else {
		dec_stats_parse(t->d, text, -1);
	}
	free(text);
	return 0;
}

int dat_option(struct dat *t, unsigned id, struct dat_in *in,
	       struct zsr_err *err)
{
	char text[4096];
	uint32_t n;

	switch (id) {
	case DAT_CPUSTAT:
		return cpustat(t, in, err);
	case DAT_TRACECLOCK:
		if (dat_line(in, text, sizeof(text)))
			clock_name(t->clock, sizeof(t->clock), text);
		break;
	case DAT_UNAME:
		if (dat_line(in, text, sizeof(text)))
			uname_meta(t->d, text);
		break;
	case DAT_VERSION:
		if (dat_line(in, text, sizeof(text)))
			dec_out_meta(t->d->out, "recorder", text);
		break;
	case DAT_CPUCOUNT:
		return dat_u32(in, &t->cpu_count, err);
	case DAT_TSC2NSEC:
		if (dat_u32(in, &t->mult, err) || dat_u32(in, &n, err))
			return -EINVAL;
		if (n > 63)
			return zsr_err_input(err, "clock shift %u", n);
		t->shift = n;
		break;
	}
	return 0;
}

/* "header_page\0" SIZE TEXT "header_event\0" SIZE TEXT */
int dat_headers(struct dat *t, struct dat_in *in, struct zsr_err *err)
{
	static const char *const names[] = { "header_page", "header_event" };
	const uint8_t *p;
	uint64_t size;
	char *text;
	size_t i;
	int ret;

	for (i = 0; i < 2; i++) {
		p = dat_bytes(in, strlen(names[i]) + 1, err);
		if (!p)
			return -EINVAL;
		if (memcmp(p, names[i], strlen(names[i]) + 1))
			return zsr_err_input(err, "no %s where one belongs",
					     names[i]);
		ret = dat_u64(in, &size, err);
		if (ret)
			return ret;
		p = size <= 65536 ? dat_bytes(in, (size_t)size, err) : NULL;
		if (!p)
			return zsr_err_input(err, "%s of %" PRIu64 " bytes",
					     names[i], size);
		if (i)
			return 0;
		text = strndup((const char *)p, (size_t)size);
		if (!text)
			return zsr_err_nomem(err, "header_page");
		ret = dec_page_format_parse(&t->fmt, text, err);
		free(text);
		if (ret)
			return ret;
	}
	return 0;
}

static int format(struct dat *t, struct dat_in *in, const char *system,
		  struct zsr_err *err)
{
	const uint8_t *p;
	uint64_t size;
	int ret;

	ret = dat_u64(in, &size, err);
	if (ret)
		return ret;
	if (size > (1u << 20))
		return zsr_err_input(err, "event format of %" PRIu64 " bytes",
				     size);
	p = dat_bytes(in, (size_t)size, err);
	if (!p)
		return -EINVAL;
	ret = dec_events_add(&t->events, system, (const char *)p, (size_t)size,
			     t->d->probes, err);
	return ret ? zsr_err_wrap(err, ret, "system %s", system) : 0;
}

int dat_ftrace_formats(struct dat *t, struct dat_in *in, struct zsr_err *err)
{
	uint32_t n;
	int ret;

	ret = dat_u32(in, &n, err);
	while (!ret && n--)
		ret = format(t, in, "ftrace", err);
	return ret;
}

int dat_event_formats(struct dat *t, struct dat_in *in, struct zsr_err *err)
{
	uint32_t nr_systems, n;
	char system[256];
	int ret;

	ret = dat_u32(in, &nr_systems, err);
	while (!ret && nr_systems--) {
		if (!dat_line(in, system, sizeof(system)))
			return zsr_err_input(err, "no name of an event system");
		ret = dat_u32(in, &n, err);
		while (!ret && n--)
			ret = format(t, in, system, err);
	}
	return ret;
}

/* Megabytes, and of use to one tracer's events only. */
int dat_symbols(struct dat *t, struct dat_in *in, struct zsr_err *err)
{
	const uint8_t *p;
	uint32_t size;
	int ret;

	ret = dat_u32(in, &size, err);
	if (ret || !dec_graph_wants_symbols(&t->events))
		return ret ? ret : dat_skip(in, size, err);
	if (size > DEC_MAX_FORMATS)
		return zsr_err_input(err, "symbols of %u bytes", size);
	p = dat_bytes(in, size, err);
	return p ? dec_graph_symbols(&t->events, (const char *)p, size, err)
		 : -EINVAL;
}

int dat_cmdlines(struct dat *t, struct dat_in *in, struct zsr_err *err)
{
	const uint8_t *p;
	uint64_t size;
	int ret;

	ret = dat_u64(in, &size, err);
	if (ret)
		return ret;
	if (size > DEC_MAX_FORMATS)
		return zsr_err_input(err, "command lines of %" PRIu64 " bytes",
				     size);
	p = dat_bytes(in, (size_t)size, err);
	if (!p)
		return -EINVAL;
	dec_cmdlines(t->d, (const char *)p, (size_t)size);
	return 0;
}

static int header(struct dat *t, struct dat_in *in, struct zsr_err *err)
{
	const uint8_t *p;
	char version[16];

	if (!dat_bytes(in, sizeof(magic), err))
		return -EINVAL;
	if (!dat_line(in, version, sizeof(version)))
		return zsr_err_input(err, "no version");
	if (strcmp(version, "6") && strcmp(version, "7"))
		return zsr_err_input(err,
				     "trace.dat version '%s' is not readable, "
				     "only 6 and 7 are",
				     version);
	t->version = (unsigned)(version[0] - '0');
	p = dat_bytes(in, 2, err);
	if (!p)
		return -EINVAL;
	if (p[0])
		return zsr_err_input(err, "written on a big-endian machine, "
					  "which is not readable");
	return dat_u32(in, &t->page_size, err);
}

static int chunk_count(struct dat *t, struct dec_stream *s, struct zsr_err *err)
{
	uint32_t n;
	int ret;

	if (s->end - s->off < sizeof(n))
		return zsr_err_input(err, "%s: no room for its chunks", s->name);
	ret = dec_file_read(s->file, s->off, &n, sizeof(n), err);
	if (ret)
		return zsr_err_wrap(err, ret, "%s", s->name);
	s->nr_chunks = le32toh(n);
	s->off += sizeof(n);
	/* The size the file tells is that of the chunks alone. */
	s->end = zsr_min(s->end + sizeof(n), s->file->size);
	return 0;
}

static int init_stream(struct dat *t, struct dec_stream *s,
		       const struct dat_cpu *c, struct zsr_err *err)
{
	const struct dat_buffer *b = &t->buffers[c->buffer];
	uint64_t rest;
	int ret;

	s->cpu = c->cpu;
	snprintf(s->name, sizeof(s->name), "%s%.32s%scpu %u",
		 *b->name ? "buffer " : "", b->name, *b->name ? ": " : "",
		 c->cpu);
	s->file = t->file;
	s->off = c->off;
	s->end = c->off + c->size;
	s->fmt = t->fmt;
	if (b->page_size)
		s->fmt.size = b->page_size;
	s->mult = t->mult;
	s->shift = t->shift;
	s->chunked = b->chunked;
	if (s->fmt.size <= t->fmt.data_off || s->fmt.size > DEC_MAX_PAGE ||
	    s->fmt.size % 8)
		return zsr_err_input(err, "%s: pages of %u bytes", s->name,
				     s->fmt.size);
	if (s->chunked)
		return chunk_count(t, s, err);
	rest = c->size % s->fmt.size;
	if (!rest)
		return 0;
	ret = zsr_err_input(err,
			    "%s: %" PRIu64 " bytes of data are no number of "
			    "%u-byte pages",
			    s->name, c->size, s->fmt.size);
	s->end -= rest;
	return dec_fault(t->d, ret, err);
}

static void about(struct dat *t)
{
	struct dec_out *out = t->d->out;
	const char *clock = t->clock;

	if (t->nr_buffers && *t->buffers[0].clock)
		clock = t->buffers[0].clock;
	dec_out_meta(out, "format", "trace.dat");
	dec_out_metaf(out, "format.version", "%u", t->version);
	dec_out_metaf(out, "page_size", "%u", t->page_size);
	if (t->cpu_count)
		dec_out_metaf(out, "cpus", "%u", t->cpu_count);
	if (*clock)
		dec_out_meta(out, "clock", clock);
	dec_stats_meta(t->d);
}

static int run(struct dat *t, struct zsr_err *err)
{
	struct dec_stream *s;
	int ret = 0;
	size_t i;

	if (!t->fmt.size)
		return zsr_err_input(err, "no header_page: cannot be read");
	if (!t->nr_buffers)
		return zsr_err_input(err, "holds no trace data");
	ret = dec_events_ready(t->d, &t->events, err);
	if (ret)
		return ret;
	about(t);
	s = calloc(t->nr_cpus + 1, sizeof(*s));
	if (!s)
		return zsr_err_nomem(err, "streams");
	for (i = 0; i < t->nr_cpus && !ret; i++)
		ret = init_stream(t, &s[i], &t->cpus[i], err);
	if (!ret)
		ret = dec_streams_run(t->d, s, t->nr_cpus, t->nr_buffers == 1,
				      &t->events, err);
	free(s);
	return ret;
}

int dec_dat(struct dec *d, struct dec_file *f, struct zsr_err *err)
{
	struct dat t = { .d = d, .file = f };
	struct dat_in in;
	int ret;

	dat_in_file(&in, f, 0, f->size);
	ret = dec_events_init(&t.events, d->map, err);
	if (!ret)
		ret = header(&t, &in, err);
	if (!ret)
		ret = t.version == 6 ? dat_read_v6(&t, &in, err)
				     : dat_read_v7(&t, &in, err);
	if (!ret)
		ret = run(&t, err);
	dat_in_end(&in);
	dec_events_free(&t.events);
	free(t.buffers);
	free(t.cpus);
	return ret ? zsr_err_wrap(err, ret, "%s", f->name) : 0;
}
