// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files of strangers are read by a child process that can do little else: no
 * new privileges, no writing, limits on memory, time and open files. What it
 * finds comes back in shared memory as plain frames; a damaged file may have
 * taken over the child, so the parent copies each before it looks at it, and
 * believes none unchecked.
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

#include "capture/decode/names.h"

#define DEFAULT_MEMORY  (1ull << 30)
#define DEFAULT_SECONDS 600
#define PIPE_FD         3
#define ROOM_FD         4
#define PIECE           128 /* records that are looked at at once */
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

/* What is left open: the ring's ends under new numbers. */
static void keep_ring(struct dec_ring *ring)
{
	if (dup2(ring->in, PIPE_FD) < 0 || dup2(ring->room, ROOM_FD) < 0)
		_exit(1);
	close_range(ROOM_FD + 1, ~0u, 0);
	ring->in = PIPE_FD;
	ring->room = ROOM_FD;
	ring->out = -1;
}

static void confine(struct dec_ring *ring, bool keep_stdin,
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
	/* Out of the way of the numbers they or others shall have. */
	null = fcntl(null, F_DUPFD, ROOM_FD + 1);
	ring->in = fcntl(ring->in, F_DUPFD, ROOM_FD + 1);
	ring->room = fcntl(ring->room, F_DUPFD, ROOM_FD + 1);
	if (!keep_stdin)
		dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	keep_ring(ring);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	limit(RLIMIT_CORE, 0, 0);
	limit(RLIMIT_FSIZE, 0, 0);
	limit(RLIMIT_CPU, o->max_seconds, (uint64_t)o->max_seconds + 1);
	limit(RLIMIT_NOFILE, MAX_FILES, MAX_FILES);
	if (!SANITIZED)
		limit(RLIMIT_AS, memory, memory);
}

static void __attribute__((noreturn))
child(struct dec_ring *ring, const char *path, const struct zsr_decode_opts *o)
{
	static struct dec_out out;
	static struct dec_cpu_stats stats[DEC_MAX_CPUS];
	struct dec d = {
		.out = &out,
		.map = o->map,
		.partial = o->partial,
		.max_memory = o->max_memory,
		.stats = stats,
	};
	struct zsr_err err = { 0 };
	int ret;

	confine(ring, !strcmp(path, "-"), o);
	dec_out_init(&out, ring);
	if (o->map)
		dec_out_meta(&out, "map", o->map->text);
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
	bool done; /* the child said that it delivered all */
	bool any; /* something was delivered */
	uint8_t *frame; /* DEC_BLOCK: the parent's own of one */
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

/* Copied in pieces that stay in the cache nearest the CPU. */
static int take_recs(struct reader *r, const uint8_t *p, size_t len,
		     struct zsr_err *err)
{
	struct zsr_rec recs[PIECE];
	size_t left = len / sizeof(*recs), n, i;
	int ret = 0;

	if (!left || len % sizeof(*recs))
		return garbage(r, err);
	r->any = true;
	for (; left && !ret; left -= n, p += n * sizeof(*recs)) {
		n = zsr_min(left, (size_t)PIECE);
		memcpy(recs, p, n * sizeof(*recs));
		for (i = 0; i < n; i++)
			if (recs[i].kind > ZSR_REC_OTHER ||
			    recs[i].kind == ZSR_REC_MARK ||
			    recs[i].cpu >= DEC_MAX_CPUS)
				return garbage(r, err);
		ret = r->sink->recs(r->sink->ctx, recs, n, err);
	}
	return ret;
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

static int take_events(struct reader *r, const uint8_t *p, size_t len,
		       struct zsr_err *err)
{
	const struct zsr_event *ev = (const struct zsr_event *)p;
	size_t n = len / sizeof(*ev), i;

	if (!n || len % sizeof(*ev))
		return garbage(r, err);
	for (i = 0; i < n; i++)
		if (ev[i].kind >= ZSR_EV_NR || ev[i].cpu >= DEC_MAX_CPUS ||
		    ev[i].caller >= ZSR_CALLER_NR || ev[i].pool == UINT16_MAX)
			return garbage(r, err);
	if (!r->sink->events)
		return zsr_err_input(err,
				     "%s: holds events, where records are "
				     "asked for",
				     r->path);
	r->any = true;
	return r->sink->events(r->sink->ctx, ev, n, err);
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

static int take(struct reader *r, uint32_t kind, const uint8_t *shared,
		size_t len, struct zsr_err *err)
{
	const uint8_t *p = r->frame;

	if (r->done)
		return garbage(r, err);
	if (kind == DEC_RECS)
		return take_recs(r, shared, len, err);
	memcpy(r->frame, shared, len);
	switch (kind) {
	case DEC_MARK:
		return take_mark(r, p, len, err);
	case DEC_EVENTS:
		return take_events(r, p, len, err);
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

static int take_block(struct reader *r, const uint8_t *p, size_t used,
		      struct zsr_err *err)
{
	size_t at = 0;
	int ret = 0;

	while (!ret && at < used) {
		struct dec_frame f;

		if (used - at < sizeof(f))
			return garbage(r, err);
		memcpy(&f, p + at, sizeof(f));
		at += sizeof(f);
		if (f.len > used - at)
			return garbage(r, err);
		ret = take(r, f.kind, p + at, f.len, err);
		at += (f.len + 7) & ~(size_t)7;
	}
	return ret;
}

/* The length of the next block: 1, 0 at the end. */
static int next_block(const struct dec_ring *ring, uint32_t *used,
		      struct zsr_err *err)
{
	ssize_t n;

	do
		n = read(ring->out, used, sizeof(*used));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return zsr_err_sys(err, errno, "pipe");
	/* Writes so small are whole or not at all. */
	return n == sizeof(*used);
}

/* The child is told of room for half of the ring at once, not of each block. */
static void emptied(const struct dec_ring *ring, uint32_t nr)
{
	const uint64_t half = DEC_NR_BLOCKS / 2;

	if (nr % half)
		return;
	while (write(ring->room, &half, sizeof(half)) < 0 && errno == EINTR)
		;
}

static int receive(struct reader *r, const struct dec_ring *ring,
		   struct zsr_err *err)
{
	uint32_t nr = 0, used;
	int ret;

	while ((ret = next_block(ring, &used, err)) > 0) {
		if (used > DEC_BLOCK)
			return garbage(r, err);
		ret = take_block(
			r, ring->mem + nr % DEC_NR_BLOCKS * (size_t)DEC_BLOCK,
			used, err);
		if (ret)
			return ret;
		emptied(ring, ++nr);
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

int dec_receive(const struct dec_ring *ring, const char *path,
		struct zsr_sink *sink, bool *done, bool *any,
		struct zsr_err *err)
{
	struct reader r = { .sink = sink, .path = path };
	int ret;

	r.frame = malloc(DEC_BLOCK);
	if (!r.frame)
		return zsr_err_nomem(err, path);
	ret = receive(&r, ring, err);
	*done = r.done;
	*any = r.any;
	free(r.frame);
	return ret;
}

struct zsr_decoder {
	struct zsr_decode_opts o;
	const char *path;
	pid_t pid;
	struct dec_ring ring;
};

static int reap(struct zsr_decoder *d)
{
	int status = 0;

	while (waitpid(d->pid, &status, 0) < 0 && errno == EINTR)
		;
	dec_ring_close(&d->ring);
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
	int ret;

	if (!d)
		return zsr_err_nomem(err, path);
	if (opts)
		d->o = *opts;
	d->o.max_memory = d->o.max_memory ? d->o.max_memory : DEFAULT_MEMORY;
	d->o.max_seconds = d->o.max_seconds ? d->o.max_seconds : DEFAULT_SECONDS;
	d->path = path;
	ret = dec_ring_open(&d->ring, err);
	if (ret)
		goto fail;
	d->pid = fork();
	if (d->pid < 0) {
		ret = zsr_err_sys(err, errno, "fork");
		goto fail;
	}
	if (!d->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		child(&d->ring, path, &d->o);
	}
	/* So that its end is seen. */
	close(d->ring.in);
	d->ring.in = -1;
	*out = d;
	return 0;
fail:
	dec_ring_close(&d->ring);
	free(d);
	return ret;
}

/* The child, from its first frame to its end. */
int zsr_decode_finish(struct zsr_decoder *d, struct zsr_sink *sink,
		      struct zsr_err *err)
{
	struct zsr_err why = { 0 };
	bool done, any;
	int ret, status;

	ret = dec_receive(&d->ring, d->path, sink, &done, &any, err);
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
