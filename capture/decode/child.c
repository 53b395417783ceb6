// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files of strangers are read by a child process that can do little else: no
 * new privileges, no writing, limits on memory, time and open files. What it
 * finds comes back over a pipe as plain frames; a damaged file may have taken
 * over the child, so the parent believes none of them unchecked.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/decode/decode.h"

#define DEFAULT_MEMORY  (1ull << 30)
#define DEFAULT_SECONDS 600
#define PIPE_FD         3
#define PIPE_SIZE       (1 << 20)
#define MAX_FILES       (DEC_MAX_CPUS + 64)

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||     \
	__has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0 /* else: terabytes of address space are reserved */
#endif

/* ---- in the child --------------------------------------------------- */

static void limit(int what, uint64_t soft, uint64_t hard)
{
	struct rlimit r;

	if (getrlimit(what, &r))
		return;
	if (r.rlim_max == RLIM_INFINITY || hard < r.rlim_max)
		r.rlim_max = hard;
	r.rlim_cur = zsr_min((rlim_t)soft, r.rlim_max);
	setrlimit(what, &r);
}

/* What the process has mapped already counts against its limit. */
static uint64_t mapped_now(void)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (f) {
		if (fscanf(f, "%lu", &pages) != 1)
			pages = 0;
		fclose(f);
	}
	return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void confine(int pipe_fd, bool keep_stdin,
		    const struct zsr_decode_opts *o)
{
	uint64_t memory = mapped_now() + o->max_memory;
	sigset_t none;
	int null, sig;

	for (sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	null = open("/dev/null", O_RDWR);
	if (null < 0)
		_exit(1);
	if (pipe_fd <= PIPE_FD || null <= PIPE_FD) {
		pipe_fd = fcntl(pipe_fd, F_DUPFD, PIPE_FD + 1);
		null = fcntl(null, F_DUPFD, PIPE_FD + 1);
	}
	if (!keep_stdin)
		dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	if (dup2(pipe_fd, PIPE_FD) < 0)
		_exit(1);
	close_range(PIPE_FD + 1, ~0u, 0);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	limit(RLIMIT_CORE, 0, 0);
	limit(RLIMIT_FSIZE, 0, 0);
	limit(RLIMIT_CPU, o->max_seconds, (uint64_t)o->max_seconds + 1);
	limit(RLIMIT_NOFILE, MAX_FILES, MAX_FILES);
	if (!SANITIZED)
		limit(RLIMIT_AS, memory, memory);
}

static void __attribute__((noreturn))
child(int pipe_fd, const char *path, const struct zsr_decode_opts *o)
{
	static struct dec_out out;
	static struct dec_cpu_stats stats[DEC_MAX_CPUS];
	struct dec d = {
		.out = &out,
		.partial = o->partial,
		.max_memory = o->max_memory,
		.stats = stats,
	};
	struct zsr_err err = { 0 };
	int ret;

	confine(pipe_fd, !strcmp(path, "-"), o);
	out.fd = PIPE_FD;
	ret = dec_path(&d, path, &err);
	if (ret == -ENOMEM)
		zsr_err_input(&err,
			      "%s: needs more than the %" PRIu64
			      " MiB of memory it may have",
			      path, o->max_memory >> 20);
	if (ret && d.started && d.partial)
		ret = dec_fault(&d, ret, &err);
	if (ret) {
		dec_out_error(&out, err.msg);
		_exit(0);
	}
	if (d.fault.kind)
		dec_out_meta(&out, "partial", d.fault.msg);
	dec_out_done(&out);
	_exit(0);
}

/* ---- in the parent -------------------------------------------------- */

struct reader {
	struct zsr_sink *sink;
	const char *path;
	int fd;
	bool done; /* the child said that it delivered all */
	bool any; /* something was delivered */
	size_t used;
	uint8_t *buf; /* 2 * DEC_OUT_SIZE */
};

static int garbage(const struct reader *r, struct zsr_err *err)
{
	return zsr_err_input(err,
			     "%s: its decoder was led astray and answered "
			     "nonsense",
			     r->path);
}

static bool printable(const char *s, size_t len, bool lines)
{
	size_t i;

	for (i = 0; i < len; i++)
		if ((s[i] < ' ' || s[i] > '~') &&
		    !(lines && (s[i] == '\n' || s[i] == '\t')))
			return false;
	return true;
}

static int take_recs(struct reader *r, const uint8_t *p, size_t len,
		     struct zsr_err *err)
{
	const struct zsr_rec *recs = (const struct zsr_rec *)p;
	size_t n = len / sizeof(*recs), i;

	if (!n || len % sizeof(*recs))
		return garbage(r, err);
	for (i = 0; i < n; i++)
		if (recs[i].kind > ZSR_REC_OTHER ||
		    recs[i].kind == ZSR_REC_MARK || recs[i].cpu >= DEC_MAX_CPUS)
			return garbage(r, err);
	r->any = true;
	return r->sink->recs(r->sink->ctx, recs, n, err);
}

static int take_mark(struct reader *r, const uint8_t *p, size_t len,
		     struct zsr_err *err)
{
	const struct zsr_rec *rec = (const struct zsr_rec *)p;
	const char *text = (const char *)(p + sizeof(*rec));

	if (len <= sizeof(*rec) || rec->kind != ZSR_REC_MARK ||
	    rec->cpu >= DEC_MAX_CPUS || rec->text_len != len - sizeof(*rec) - 1 ||
	    text[rec->text_len] || !printable(text, rec->text_len, false))
		return garbage(r, err);
	r->any = true;
	return r->sink->mark(r->sink->ctx, rec, text, err);
}

static int take_task(struct reader *r, const uint8_t *p, size_t len,
		     struct zsr_err *err)
{
	const char *comm = (const char *)(p + sizeof(int32_t));
	int32_t pid;

	if (len <= sizeof(pid) || len > sizeof(pid) + DEC_COMM_LEN ||
	    p[len - 1] || !printable(comm, len - sizeof(pid) - 1, false))
		return garbage(r, err);
	memcpy(&pid, p, sizeof(pid));
	return r->sink->task(r->sink->ctx, pid, comm, err);
}

static int take_meta(struct reader *r, const uint8_t *p, size_t len,
		     struct zsr_err *err)
{
	const char *key = (const char *)p, *value;
	size_t n = strnlen(key, len);

	if (!n || n + 1 >= len || p[len - 1])
		return garbage(r, err);
	value = key + n + 1;
	if (!printable(key, n, false) || !printable(value, len - n - 2, true))
		return garbage(r, err);
	return r->sink->meta(r->sink->ctx, key, value, err);
}

static int take_error(struct reader *r, const uint8_t *p, size_t len,
		      struct zsr_err *err)
{
	char msg[sizeof(err->msg)];

	if (!len || p[len - 1])
		return garbage(r, err);
	dec_printable(msg, sizeof(msg), (const char *)p, len - 1);
	return zsr_err_input(err, "%s", msg);
}

static int take(struct reader *r, uint32_t kind, const uint8_t *p, size_t len,
		struct zsr_err *err)
{
	if (r->done)
		return garbage(r, err);
	switch (kind) {
	case DEC_RECS:
		return take_recs(r, p, len, err);
	case DEC_MARK:
		return take_mark(r, p, len, err);
	case DEC_TASK:
		return take_task(r, p, len, err);
	case DEC_META:
		return take_meta(r, p, len, err);
	case DEC_ERROR:
		return take_error(r, p, len, err);
	case DEC_DONE:
		r->done = true;
		return len ? garbage(r, err) : 0;
	default:
		return garbage(r, err);
	}
}

/* All whole frames of the buffer; what is left moves to its start. */
static int take_frames(struct reader *r, struct zsr_err *err)
{
	size_t at = 0, whole;
	int ret = 0;

	while (!ret && r->used - at >= sizeof(struct dec_frame)) {
		struct dec_frame f;

		memcpy(&f, r->buf + at, sizeof(f));
		if (f.len > DEC_OUT_SIZE)
			return garbage(r, err);
		whole = sizeof(f) + ((f.len + 7) & ~(size_t)7);
		if (whole > r->used - at)
			break;
		ret = take(r, f.kind, r->buf + at + sizeof(f), f.len, err);
		at += whole;
	}
	memmove(r->buf, r->buf + at, r->used - at);
	r->used -= at;
	return ret;
}

static int receive(struct reader *r, struct zsr_err *err)
{
	int ret = 0;

	while (!ret) {
		ssize_t n = read(r->fd, r->buf + r->used,
				 2 * DEC_OUT_SIZE - r->used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return zsr_err_sys(err, errno, "pipe");
		if (!n)
			return 0;
		r->used += (size_t)n;
		ret = take_frames(r, err);
	}
	return ret;
}

/* Why a child ended that said neither "done" nor what was wrong. */
static int died(const char *path, int status, const struct zsr_decode_opts *o,
		struct zsr_err *err)
{
	int sig = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

	if (sig == SIGXCPU)
		return zsr_err_input(err,
				     "%s: not decoded after %u s of CPU time",
				     path, o->max_seconds);
	if (sig)
		return zsr_err_input(err, "%s: its decoder died of it (%s)",
				     path, strsignal(sig));
	return zsr_err_input(err, "%s: its decoder ended early (exit %d)", path,
			     WEXITSTATUS(status));
}

int dec_receive(int fd, const char *path, struct zsr_sink *sink, bool *done,
		bool *any, struct zsr_err *err)
{
	struct reader r = { .sink = sink, .path = path, .fd = fd };
	int ret;

	r.buf = malloc(2 * DEC_OUT_SIZE);
	if (!r.buf)
		return zsr_err_nomem(err, path);
	ret = receive(&r, err);
	*done = r.done && !r.used;
	*any = r.any;
	free(r.buf);
	return ret;
}

struct zsr_decoder {
	struct zsr_decode_opts o;
	const char *path;
	pid_t pid;
	int fd;
};

static int reap(struct zsr_decoder *d)
{
	int status = 0;

	while (waitpid(d->pid, &status, 0) < 0 && errno == EINTR)
		;
	close(d->fd);
	return status;
}

void zsr_decode_cancel(struct zsr_decoder *d)
{
	if (!d)
		return;
	kill(d->pid, SIGKILL);
	reap(d);
	free(d);
}

int zsr_decode_start(const char *path, const struct zsr_decode_opts *opts,
		     struct zsr_decoder **out, struct zsr_err *err)
{
	struct zsr_decoder *d = calloc(1, sizeof(*d));
	int fds[2];

	if (!d)
		return zsr_err_nomem(err, path);
	if (opts)
		d->o = *opts;
	d->o.max_memory = d->o.max_memory ? d->o.max_memory : DEFAULT_MEMORY;
	d->o.max_seconds = d->o.max_seconds ? d->o.max_seconds : DEFAULT_SECONDS;
	d->path = path;
	if (pipe2(fds, O_CLOEXEC)) {
		free(d);
		return zsr_err_sys(err, errno, "pipe");
	}
	fcntl(fds[1], F_SETPIPE_SZ, PIPE_SIZE);
	d->pid = fork();
	if (!d->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(fds[0]);
		child(fds[1], path, &d->o);
	}
	close(fds[1]);
	d->fd = fds[0];
	if (d->pid < 0) {
		close(d->fd);
		free(d);
		return zsr_err_sys(err, errno, "fork");
	}
	*out = d;
	return 0;
}

/* The child, from its first frame to its end. */
int zsr_decode_finish(struct zsr_decoder *d, struct zsr_sink *sink,
		      struct zsr_err *err)
{
	struct zsr_err why = { 0 };
	bool done, any;
	int ret, status;

	ret = dec_receive(d->fd, d->path, sink, &done, &any, err);
	if (ret)
		kill(d->pid, SIGKILL);
	status = reap(d);
	if (!ret && !done) {
		ret = died(d->path, status, &d->o, &why);
		if (d->o.partial && any)
			ret = sink->meta(sink->ctx, "partial", why.msg, err);
		else
			*err = why;
	}
	free(d);
	return ret;
}

int zsr_decode(const char *path, const struct zsr_decode_opts *opts,
	       struct zsr_sink *sink, struct zsr_err *err)
{
	struct zsr_decoder *d;
	int ret = zsr_decode_start(path, opts, &d, err);

	return ret ? ret : zsr_decode_finish(d, sink, err);
}
