// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the ring buffer to files without names, one a CPU. Without a reader all
 * is read when the run is over; with one a CPU, whole sub-buffers are moved while
 * it goes on. Sub-buffers that are not full stay behind: a reader would cut them.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "capture/record/record.h"

#define PERIOD_MS 20 /* a CPU's buffer must hold what comes in it */

/* "field: char data; offset:16; size:4080;": a sub-buffer ends with its data. */
static int read_headers(struct rec_output *o, struct zsr_err *err)
{
	const char *dir = tracefs_tracing_dir(), *at;
	unsigned offset = 0, size = 0;

	o->header_page = rec_read("%s/events/header_page", dir);
	o->header_event = rec_read("%s/events/header_event", dir);
	at = o->header_page ? strstr(o->header_page, "char data;") : NULL;
	if (at)
		sscanf(at, "char data; offset:%u; size:%u;", &offset, &size);
	o->data_at = offset;
	o->page_size = offset + size;
	if (!o->header_event || o->page_size < 4096 || o->page_size > 1u << 20)
		return zsr_err_sys(err, EPROTO, "%s/events/header_page", dir);
	return 0;
}

/* A reader has four files. */
static void allow_files(unsigned nr_cpus)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) || l.rlim_cur >= 5 * nr_cpus + 100)
		return;
	l.rlim_cur = zsr_min(l.rlim_max, (rlim_t)5 * nr_cpus + 100);
	setrlimit(RLIMIT_NOFILE, &l);
}

int rec_output_open(struct rec_output *o, const char *path, struct zsr_err *err)
{
	int ret = read_headers(o, err);
	unsigned i;

	o->stop[0] = o->stop[1] = -1;
	if (!ret)
		ret = zsr_outfile_open(&o->file, path, err);
	if (ret)
		return ret;
	o->nr_cpus = (unsigned)zsr_min(sysconf(_SC_NPROCESSORS_CONF),
				       (long)ZSR_RECORD_CPUS);
	o->cpu = calloc(o->nr_cpus, sizeof(*o->cpu));
	if (!o->cpu)
		return zsr_err_nomem(err, "capture");
	allow_files(o->nr_cpus);
	for (i = 0; i < o->nr_cpus; i++)
		o->cpu[i] = (struct rec_cpu){
			.o = o, .fd = -1, .raw = -1, .pipe = { -1, -1 }
		};
	for (i = 0; i < o->nr_cpus && !ret; i++) {
		o->cpu[i].fd = zsr_outfile_scratch(&o->file, err);
		ret = zsr_min(o->cpu[i].fd, 0);
	}
	return ret;
}

void rec_output_drop(struct rec_cpu *c)
{
	int *const fd[] = { &c->fd, &c->raw, &c->pipe[0], &c->pipe[1] };
	size_t i;

	for (i = 0; i < ZSR_ARRAY_SIZE(fd); i++) {
		if (*fd[i] >= 0)
			close(*fd[i]);
		*fd[i] = -1;
	}
}

void rec_output_close(struct rec_output *o)
{
	struct zsr_err ignored;
	unsigned i;

	rec_output_stop(o, &ignored);
	for (i = 0; o->cpu && i < o->nr_cpus; i++)
		rec_output_drop(&o->cpu[i]);
	free(o->cpu);
	free(o->header_page);
	free(o->header_event);
	zsr_outfile_abort(&o->file);
	*o = (struct rec_output){ .stop = { -1, -1 } };
}

static int write_all(int fd, const char *p, size_t n)
{
	ssize_t m;

	for (; n; p += m, n -= (size_t)m) {
		m = write(fd, p, n);
		if (m <= 0)
			return m ? -errno : -EIO;
	}
	return 0;
}

/* N bytes of the pipe; not every file can be spliced to. */
static int empty_pipe(struct rec_cpu *c, size_t n)
{
	char buf[4096];
	ssize_t m;
	int ret;

	while (n) {
		m = splice(c->pipe[0], NULL, c->fd, NULL, n, SPLICE_F_MOVE);
		if (m < 0 && errno == EINVAL) {
			m = read(c->pipe[0], buf, zsr_min(n, sizeof(buf)));
			ret = m > 0 ? write_all(c->fd, buf, (size_t)m) : 0;
			if (ret)
				return ret;
		}
		if (m <= 0)
			return m ? -errno : -EIO;
		n -= (size_t)m;
	}
	return 0;
}

/* Returns bytes, 0: there is no full sub-buffer; or -errno. */
static ssize_t move_some(struct rec_cpu *c)
{
	size_t page = c->o->page_size;
	ssize_t n = splice(c->raw, NULL, c->pipe[1], NULL,
			   zsr_max(page, (size_t)65536),
			   SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	int ret;

	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	c->nr_pages += (size_t)n / page;
	ret = empty_pipe(c, (size_t)n);
	return ret ? ret : n;
}

static void *reader(void *arg)
{
	struct rec_cpu *c = arg;
	struct pollfd stop = { .fd = c->o->stop[0] };
	bool last;
	ssize_t n;

	do {
		last = poll(&stop, 1, PERIOD_MS) > 0;
		do
			n = move_some(c);
		while (n > 0);
	} while (!n && !last);
	c->error = (int)n;
	/* What is not kept need not go on. */
	if (n < 0)
		kill(getpid(), SIGTERM);
	return NULL;
}

static int open_raw(struct rec_cpu *c, struct rec_session *s)
{
	char path[60];

	snprintf(path, sizeof(path), "per_cpu/cpu%u/trace_pipe_raw",
		 (unsigned)(c - c->o->cpu));
	if (c->raw < 0)
		c->raw = tracefs_instance_file_open(
			s->instance, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	return c->raw;
}

int rec_output_stream(struct rec_output *o, struct rec_session *s,
		      struct zsr_err *err)
{
	struct rec_cpu *c;
	unsigned i;
	int ret;

	if (pipe2(o->stop, O_CLOEXEC))
		return zsr_err_sys(err, errno, "pipe");
	for (i = 0; i < o->nr_cpus; i++) {
		c = &o->cpu[i];
		if (open_raw(c, s) < 0)
			continue; /* a CPU that never was */
		if (pipe2(c->pipe, O_CLOEXEC))
			return zsr_err_sys(err, errno, "pipe");
		ret = pthread_create(&c->thread, NULL, reader, c);
		if (ret)
			return zsr_err_sys(err, ret, "reader of cpu %u", i);
		c->runs = true;
	}
	return 0;
}

int rec_output_stop(struct rec_output *o, struct zsr_err *err)
{
	int ret = 0;
	unsigned i;

	if (o->stop[1] >= 0)
		close(o->stop[1]);
	o->stop[1] = -1;
	for (i = 0; o->cpu && i < o->nr_cpus; i++) {
		struct rec_cpu *c = &o->cpu[i];

		if (c->runs)
			pthread_join(c->thread, NULL);
		c->runs = false;
		if (c->error && !ret)
			ret = zsr_err_sys(err, -c->error,
					  "what cpu %u recorded", i);
	}
	if (o->stop[0] >= 0)
		close(o->stop[0]);
	o->stop[0] = -1;
	return ret;
}

int rec_output_rest(struct rec_cpu *c, struct rec_session *s,
		    struct zsr_err *err)
{
	unsigned cpu = (unsigned)(c - c->o->cpu), size = c->o->page_size;
	char *buf = malloc(size);
	ssize_t n = 0;
	int ret = buf ? 0 : zsr_err_nomem(err, "pages");

	if (!ret && open_raw(c, s) < 0)
		goto out;
	while (!ret && (n = read(c->raw, buf, size)) > 0) {
		memset(buf + n, 0, size - (size_t)n);
		ret = write_all(c->fd, buf, size);
		if (ret)
			zsr_err_sys(err, -ret, "pages of cpu %u", cpu);
		c->nr_pages++;
	}
	if (!ret && n < 0 && errno != EAGAIN)
		ret = zsr_err_sys(err, errno, "ring buffer of cpu %u", cpu);
out:
	free(buf);
	return ret;
}
