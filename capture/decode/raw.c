// SPDX-License-Identifier: GPL-2.0-only
/*
 * A directory of what tracefs gives out unchanged: raw/cpuN.raw as read from
 * per_cpu/cpuN/trace_pipe_raw, formats/ with header_page, saved_cmdlines and
 * SYSTEM.EVENT for every event's format.
 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/decode/decode.h"

#define MAX_FORMAT (1u << 20)

struct raw {
	struct dec *d;
	const char *name; /* of the directory */
	struct dec_page_format fmt;
	struct dec_events events;
	size_t format_bytes;
	struct dec_file *files;
	struct dec_stream *streams;
	size_t nr, files_cap, streams_cap;
};

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Run FN for every file of a subdirectory, in order of their names. */
static int each(struct raw *r, int dirfd, const char *sub,
		int (*fn)(struct raw *r, int fd, const char *name,
			  const char *full, struct zsr_err *err),
		struct zsr_err *err)
{
	struct dirent **names = NULL;
	int fd, n, i, ret = 0;
	char full[512];

	fd = openat(dirfd, sub, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return zsr_err_input(err, "%s/%s: %s", r->name, sub,
				     strerror(errno));
	n = scandirat(dirfd, sub, &names, NULL, by_name);
	if (n < 0)
		ret = zsr_err_input(err, "%s/%s: %s", r->name, sub,
				    strerror(errno));
	for (i = 0; i < n; i++) {
		snprintf(full, sizeof(full), "%s/%s/%s", r->name, sub,
			 names[i]->d_name);
		if (!ret && names[i]->d_name[0] != '.')
			ret = fn(r, fd, names[i]->d_name, full, err);
		free(names[i]);
	}
	free(names);
	close(fd);
	return ret;
}

static int use_format(struct raw *r, const char *name, const char *text,
		      size_t len, struct zsr_err *err)
{
	const char *dot = strchr(name, '.');
	char system[128];

	if (!strcmp(name, "header_page"))
		return dec_page_format_parse(&r->fmt, text, err);
	if (!strcmp(name, "saved_cmdlines")) {
		dec_cmdlines(r->d, text, len);
		return 0;
	}
	if (!dot)
		return 0;
	snprintf(system, sizeof(system), "%.*s", (int)(dot - name), name);
	return dec_events_add(&r->events, system, text, len, r->d->probes, err);
}

static int format_file(struct raw *r, int fd, const char *name,
		       const char *full, struct zsr_err *err)
{
	char *text;
	size_t len;
	int ret;

	ret = dec_file_text(fd, name, full, MAX_FORMAT, &text, &len, err);
	if (ret)
		return ret;
	r->format_bytes += len;
	if (r->format_bytes > DEC_MAX_FORMATS)
		ret = zsr_err_input(err, "more than %u bytes of formats",
				    DEC_MAX_FORMATS);
	else
		ret = use_format(r, name, text, len, err);
	free(text);
	return ret ? zsr_err_wrap(err, ret, "%s", full) : 0;
}

/* cpu3.raw, cpu3, 3.raw or 3 */
static int cpu_of(const char *name)
{
	unsigned long cpu;
	char *end;

	if (!strncmp(name, "cpu", 3))
		name += 3;
	if (!isdigit((unsigned char)*name))
		return -1;
	cpu = strtoul(name, &end, 10);
	if ((*end && strcmp(end, ".raw")) || cpu >= DEC_MAX_CPUS)
		return -1;
	return (int)cpu;
}

static int check_size(struct raw *r, struct dec_stream *s, struct zsr_err *err)
{
	uint64_t rest = s->end % r->fmt.size;
	int ret;

	if (!rest)
		return 0;
	ret = zsr_err_input(err,
			    "%s: truncated: %" PRIu64 " bytes are no number of "
			    "%u-byte pages",
			    s->name, s->end, r->fmt.size);
	s->end -= rest;
	return dec_fault(r->d, ret, err);
}

static int page_file(struct raw *r, int fd, const char *name, const char *full,
		     struct zsr_err *err)
{
	struct dec_stream *s;
	struct dec_file *f;
	int cpu = cpu_of(name);
	size_t i;
	int ret;

	if (cpu < 0)
		return zsr_err_input(err, "%s: its name tells no cpu", full);
	for (i = 0; i < r->nr; i++)
		if (r->streams[i].cpu == (unsigned)cpu)
			return zsr_err_input(err, "%s: cpu %d again", full, cpu);
	if (zsr_grow(&r->files, &r->files_cap, r->nr + 1, sizeof(*f)) ||
	    zsr_grow(&r->streams, &r->streams_cap, r->nr + 1, sizeof(*s)))
		return zsr_err_nomem(err, full);
	f = &r->files[r->nr];
	s = &r->streams[r->nr];
	ret = dec_file_open(f, fd, name, full, err);
	if (ret)
		return ret;
	r->nr++;
	memset(s, 0, sizeof(*s));
	s->cpu = (unsigned)cpu;
	snprintf(s->name, sizeof(s->name), "raw/%.40s", name);
	s->end = f->size;
	return 0;
}

/* ---- pages whose layout nobody kept ----------------------------------------- */

#define PROBED 64 /* pages of each file */

/* Whether the events of a file's first pages add up, in order of time. */
static bool fits(struct dec_file *f, const struct dec_page_format *fmt,
		 uint8_t *buf)
{
	uint64_t off, last_ns = 0;
	struct zsr_err ignored;
	struct dec_page p;
	const uint8_t *data;
	unsigned len;
	int ret;

	if (f->size % fmt->size)
		return false;
	for (off = 0; off < f->size && off < PROBED * (uint64_t)fmt->size;
	     off += fmt->size) {
		if (dec_file_read(f, off, buf, fmt->size, &ignored) ||
		    dec_page_load(&p, fmt, buf, &ignored) || p.t_ns < last_ns)
			return false;
		while ((ret = dec_page_next(&p, &data, &len, &ignored)) > 0)
			last_ns = p.t_ns;
		if (ret)
			return false;
	}
	return true;
}

/* The layout of 64-bit kernels, with the first size of pages that fits. */
static int infer_layout(struct raw *r, struct zsr_err *err)
{
	static const unsigned sizes[] = { 4096, 16384, 65536 };
	uint8_t *buf = malloc(65536);
	size_t i, j = 0;

	if (!buf)
		return zsr_err_nomem(err, r->name);
	for (i = 0; i < ZSR_ARRAY_SIZE(sizes) && !r->fmt.size; i++) {
		struct dec_page_format fmt = { sizes[i], 8, 8, 16 };

		for (j = 0; j < r->nr && fits(&r->files[j], &fmt, buf); j++)
			;
		if (j == r->nr)
			r->fmt = fmt;
	}
	free(buf);
	if (!r->fmt.size)
		return zsr_err_input(err,
				     "%s/formats: no header_page, and the raw "
				     "pages fit no usual layout",
				     r->name);
	dec_out_meta(r->d->out, "guess.header_page", "that of 64-bit kernels");
	return 0;
}

static int run(struct raw *r, struct zsr_err *err)
{
	size_t i;
	int ret;

	ret = r->fmt.size ? 0 : infer_layout(r, err);
	for (i = 0; i < r->nr && !ret; i++) {
		r->streams[i].file = &r->files[i];
		r->streams[i].fmt = r->fmt;
		ret = check_size(r, &r->streams[i], err);
		if (ret)
			zsr_err_wrap(err, ret, "%s", r->name);
	}
	if (!ret)
		ret = dec_events_ready(r->d, &r->events, err);
	if (ret)
		return ret;
	dec_out_meta(r->d->out, "format", "raw");
	dec_out_metaf(r->d->out, "page_size", "%u", r->fmt.size);
	dec_out_metaf(r->d->out, "cpus", "%zu", r->nr);
	dec_stats_meta(r->d);
	ret = dec_streams_run(r->d, r->streams, r->nr, true, &r->events, err);
	return ret ? zsr_err_wrap(err, ret, "%s", r->name) : 0;
}

int dec_raw(struct dec *d, int dirfd, const char *name, struct zsr_err *err)
{
	struct raw r = { .d = d, .name = name };
	int ret;
	size_t i;

	ret = dec_events_init(&r.events, d->map, err);
	if (!ret)
		ret = each(&r, dirfd, "formats", format_file, err);
	if (!ret)
		ret = each(&r, dirfd, "raw", page_file, err);
	if (!ret && !r.nr)
		ret = zsr_err_input(err, "%s/raw: no pages", name);
	if (!ret)
		ret = run(&r, err);
	for (i = 0; i < r.nr; i++)
		dec_file_close(&r.files[i]);
	free(r.files);
	free(r.streams);
	dec_events_free(&r.events);
	return ret;
}
