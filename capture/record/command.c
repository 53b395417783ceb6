// SPDX-License-Identifier: GPL-2.0-only
/* Running the command that is captured. */
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/record/record.h"

static void become(char *const *argv, pid_t parent)
{
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(127);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execvp(*argv, argv);
	_exit(errno == ENOENT ? 127 : 126);
}

/* The first ask is for it to end, later ones leave it no choice. */
static void end(pid_t pid, int sig, int *first)
{
	kill(pid, *first ? SIGKILL : SIGTERM);
	if (!*first)
		*first = sig;
}

int rec_command(char *const *argv, int *status, int *sig, struct zsr_err *err)
{
	pid_t parent = getpid(), pid;
	sigset_t wait;
	int got;

	*sig = 0;
	sigemptyset(&wait);
	sigaddset(&wait, SIGCHLD);
	sigaddset(&wait, SIGINT);
	sigaddset(&wait, SIGTERM);
	sigaddset(&wait, SIGHUP);
	sigprocmask(SIG_BLOCK, &wait, NULL);
	pid = fork();
	if (pid < 0)
		return zsr_err_sys(err, errno, "fork");
	if (!pid)
		become(argv, parent);
	for (;;) {
		if (waitpid(pid, status, WNOHANG) == pid)
			break;
		got = sigwaitinfo(&wait, NULL);
		if (got > 0 && got != SIGCHLD)
			end(pid, got, sig);
	}
	if (WIFEXITED(*status) && WEXITSTATUS(*status) == 127)
		return zsr_err_usage(err, "%s: command not found", *argv);
	return 0;
}
