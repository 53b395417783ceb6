// SPDX-License-Identifier: GPL-2.0-only
/* Children that talk over a pipe, and end when this process is to end. */
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "replay/engine/check/private.h"

static const int held[] = { SIGINT, SIGTERM, SIGHUP };

static volatile sig_atomic_t caught;

static void catch (int sig)
{
	caught = sig;
}

void zsr_signals_hold(struct zsr_signals *s)
{
	struct sigaction action = { .sa_handler = catch };
	sigset_t set;
	size_t i;

	caught = 0;
	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	for (i = 0; i < ZSR_ARRAY_SIZE(held); i++)
		sigaddset(&set, held[i]);
	sigprocmask(SIG_BLOCK, &set, &s->mask);
	for (i = 0; i < ZSR_ARRAY_SIZE(held); i++) {
		sigaction(held[i], NULL, &s->action[i]);
		if (s->action[i].sa_handler != SIG_IGN)
			sigaction(held[i], &action, NULL);
	}
}

void zsr_signals_restore(const struct zsr_signals *s)
{
	size_t i;

	for (i = 0; i < ZSR_ARRAY_SIZE(held); i++)
		sigaction(held[i], &s->action[i], NULL);
	sigprocmask(SIG_SETMASK, &s->mask, NULL);
	if (caught)
		raise(caught);
}

/* In the child. */
static int run_child(const struct zsr_signals *s, pid_t parent,
		     int (*run)(void *ctx, int fd), void *ctx, int fd)
{
	size_t i;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		return 1;
	for (i = 0; i < ZSR_ARRAY_SIZE(held); i++)
		sigaction(held[i], &s->action[i], NULL);
	sigprocmask(SIG_SETMASK, &s->mask, NULL);
	return run(ctx, fd);
}

int zsr_child_start(struct zsr_child *c, const struct zsr_signals *s,
		    int (*run)(void *ctx, int fd), void *ctx,
		    struct zsr_err *err)
{
	pid_t parent = getpid();
	int fd[2];

	if (pipe2(fd, O_CLOEXEC))
		return zsr_err_sys(err, errno, "pipe");
	c->pid = fork();
	if (c->pid < 0) {
		close(fd[0]);
		close(fd[1]);
		return zsr_err_sys(err, errno, "fork");
	}
	if (!c->pid) {
		close(fd[0]);
		_exit(run_child(s, parent, run, ctx, fd[1]));
	}
	setpgid(c->pid, c->pid);
	close(fd[1]);
	c->fd = fd[0];
	return 0;
}

ssize_t zsr_child_read(struct zsr_child *c, const struct zsr_signals *s,
		       void *buf, size_t len, struct zsr_err *err)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	sigset_t mask = s->mask;
	ssize_t n;

	sigaddset(&mask, SIGPIPE);
	while (!caught && ppoll(&p, 1, NULL, &mask) < 0 && errno == EINTR)
		;
	if (caught)
		return zsr_err_sys(err, EINTR, "waiting for a child");
	n = read(c->fd, buf, len);
	return n < 0 ? zsr_err_sys(err, errno, "pipe") : n;
}

int zsr_child_end(struct zsr_child *c)
{
	char rest[512];
	int status = 0;

	/* It holds the pipe until it is about to be gone, so this changes no
	 * status of one that ended; and when nobody holds it, all are. */
	kill(-c->pid, SIGKILL);
	while (read(c->fd, rest, sizeof(rest)) > 0)
		;
	close(c->fd);
	while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}
