// SPDX-License-Identifier: GPL-2.0-only
/*
 * The archive of a stranger is taken apart by a child process with no new
 * privileges, no files but the archive and a pipe, and limits on memory and
 * time: libraries that unpack have had holes. What comes over the pipe is
 * believed no more than the archive was.
 */
#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pack/private.h"

#define MEMORY  (1ull << 30) /* beside what there is; zstd's window is in it */
#define SECONDS 600
#define PIPE_FD 3
#define BLOCK   65536

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0 /* else: terabytes of address space are reserved */
#endif

enum { FRAME_ENTRY = 1, FRAME_DATA, FRAME_ERROR, FRAME_DONE };

struct frame {
	uint32_t kind;
	uint32_t len;
};

/* ---- in the child ----------------------------------------------------- */

static void limit(int what, uint64_t value)
{
	struct rlimit r = { value, value };

	setrlimit(what, &r);
}

static void confine(int archive_fd, int pipe_fd)
{
	int null = open("/dev/null", O_RDWR);
	int pipe_high = fcntl(pipe_fd, F_DUPFD, PIPE_FD + 1);
	int archive_high = fcntl(archive_fd, F_DUPFD, PIPE_FD + 1);

	signal(SIGPIPE, SIG_DFL);
	if (null < 0 || dup2(archive_high, STDIN_FILENO) < 0 ||
	    dup2(null, STDOUT_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0 ||
	    dup2(pipe_high, PIPE_FD) < 0 || close_range(PIPE_FD + 1, ~0u, 0))
		_exit(1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_FSIZE, 0);
	limit(RLIMIT_NOFILE, 16);
	limit(RLIMIT_CPU, SECONDS);
	if (!SANITIZED)
		limit(RLIMIT_AS, MEMORY);
}

static void send_all(const void *p, size_t n)
{
	while (n) {
		ssize_t k = write(PIPE_FD, p, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			_exit(0);
		p = (const char *)p + k;
		n -= (size_t)k;
	}
}

static void send_frame(uint32_t kind, const void *p, size_t n)
{
	struct frame f = { kind, (uint32_t)n };

	send_all(&f, sizeof(f));
	send_all(p, n);
}

static void __attribute__((noreturn)) fail(struct archive *a)
{
	const char *why = archive_error_string(a);

	why = why ? why : "it is no archive";
	send_frame(FRAME_ERROR, why, zsr_min(strlen(why), (size_t)400));
	_exit(0);
}

static const char *kind_of(struct archive_entry *entry)
{
	if (archive_entry_hardlink(entry))
		return "a hard link";
	switch (archive_entry_filetype(entry)) {
	case AE_IFREG:
		return "file";
	case AE_IFLNK:
		return "a symbolic link";
	case AE_IFDIR:
		return "a directory";
	default:
		return "a special file";
	}
}

static void send_entry(struct archive *a, struct archive_entry *entry)
{
	const char *name = archive_entry_pathname(entry);
	struct pk_entry e = { .size = (uint64_t)archive_entry_size(entry) };
	static char block[BLOCK];
	la_ssize_t n;

	snprintf(e.name, sizeof(e.name), "%s", name ? name : "");
	snprintf(e.what, sizeof(e.what), "%s", kind_of(entry));
	send_frame(FRAME_ENTRY, &e, sizeof(e));
	while ((n = archive_read_data(a, block, sizeof(block))) > 0)
		send_frame(FRAME_DATA, block, (size_t)n);
	if (n < 0)
		fail(a);
}

static void __attribute__((noreturn)) child(int archive_fd, int pipe_fd)
{
	struct archive *a = archive_read_new();
	struct archive_entry *entry;
	int ret;

	confine(archive_fd, pipe_fd);
	if (!a || archive_read_support_filter_zstd(a) ||
	    archive_read_support_format_tar(a) ||
	    archive_read_open_fd(a, STDIN_FILENO, BLOCK))
		fail(a);
	while (!(ret = archive_read_next_header(a, &entry)))
		send_entry(a, entry);
	if (ret != ARCHIVE_EOF)
		fail(a);
	send_frame(FRAME_DONE, "", 0);
	_exit(0);
}

/* ---- in the parent ------------------------------------------------------ */

struct pk_child {
	pid_t pid;
	int fd;
	char *name;
	struct frame frame; /* the next one; kind 0: not read */
	size_t left; /* of a DATA frame */
};

int pk_child_start(struct pk_child **out, int fd, const char *name,
		   struct zsr_err *err)
{
	struct pk_child *c = calloc(1, sizeof(*c));
	int fds[2] = { -1, -1 };

	*out = NULL;
	if (!c || !(c->name = strdup(name)) || pipe2(fds, O_CLOEXEC)) {
		free(c ? c->name : NULL);
		free(c);
		return zsr_err_nomem(err, "pack");
	}
	c->fd = fds[0];
	c->pid = fork();
	if (!c->pid)
		child(fd, fds[1]);
	close(fds[1]);
	*out = c;
	if (c->pid > 0)
		return 0;
	pk_child_free(c);
	*out = NULL;
	return zsr_err_sys(err, errno, "fork");
}

void pk_child_free(struct pk_child *c)
{
	if (!c)
		return;
	close(c->fd);
	if (c->pid > 0) {
		kill(c->pid, SIGKILL);
		while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	free(c->name);
	free(c);
}

/* N bytes, or what came before the end. */
static ssize_t receive(struct pk_child *c, void *p, size_t n)
{
	size_t got = 0;

	while (got < n) {
		ssize_t k = read(c->fd, (char *)p + got, n - got);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			break;
		got += (size_t)k;
	}
	return (ssize_t)got;
}

static int nonsense(struct pk_child *c, struct zsr_err *err)
{
	return zsr_err_input(err,
			     "%s: unpacking it failed (it takes too much "
			     "memory or time, or broke the unpacker)",
			     c->name);
}

static int take_error(struct pk_child *c, struct zsr_err *err)
{
	char why[401] = "";
	size_t i;

	if (c->frame.len > 400 ||
	    receive(c, why, c->frame.len) != (ssize_t)c->frame.len)
		return nonsense(c, err);
	for (i = 0; why[i]; i++)
		if (why[i] < ' ' || why[i] > '~')
			why[i] = '?';
	return zsr_err_input(err, "%s: %s", c->name, why);
}

/* The next frame's head, errors taken care of. */
static int next(struct pk_child *c, struct zsr_err *err)
{
	if (c->frame.kind)
		return 0;
	if (receive(c, &c->frame, sizeof(c->frame)) != sizeof(c->frame) ||
	    c->frame.kind < FRAME_ENTRY || c->frame.kind > FRAME_DONE ||
	    c->frame.len > BLOCK)
		return nonsense(c, err);
	if (c->frame.kind == FRAME_ERROR)
		return take_error(c, err);
	c->left = c->frame.kind == FRAME_DATA ? c->frame.len : 0;
	return 0;
}

ssize_t pk_child_read(struct pk_child *c, void *p, size_t n, struct zsr_err *err)
{
	int ret = next(c, err);

	if (ret)
		return ret;
	if (c->frame.kind != FRAME_DATA)
		return 0;
	n = zsr_min(n, c->left);
	if (receive(c, p, n) != (ssize_t)n)
		return nonsense(c, err);
	c->left -= n;
	if (!c->left)
		c->frame.kind = 0;
	return (ssize_t)n;
}

int pk_child_entry(struct pk_child *c, struct pk_entry *e, struct zsr_err *err)
{
	size_t i;
	int ret = next(c, err);

	if (ret)
		return ret;
	if (c->frame.kind == FRAME_DONE)
		return 0;
	if (c->frame.kind != FRAME_ENTRY || c->frame.len != sizeof(*e) ||
	    receive(c, e, sizeof(*e)) != sizeof(*e))
		return nonsense(c, err);
	c->frame.kind = 0;
	e->name[sizeof(e->name) - 1] = '\0';
	e->what[sizeof(e->what) - 1] = '\0';
	for (i = 0; e->name[i]; i++)
		if (e->name[i] < ' ' || e->name[i] > '~')
			e->name[i] = '?';
	return 1;
}
