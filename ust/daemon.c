// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ust/daemon.h"

#define PROGRAM "lttng-sessiond"
/* Root's is there and nowhere else. */
#define ROOT_DIR    "/var/run/lttng"
#define ROOT_SOCKET ROOT_DIR "/client-lttng-sessiond"

enum { START_SECONDS = 20, STOP_SECONDS = 10, NOT_THERE = 127 };

/* ---- what is left behind ---------------------------------------------------- */

static void waits_init(struct zsr_lttng_waits *w)
{
	unsigned i;

	snprintf(w->name[0], sizeof(w->name[0]), "/dev/shm/lttng-ust-wait-8");
	snprintf(w->name[1], sizeof(w->name[1]), "/dev/shm/lttng-ust-wait-8-%u",
		 (unsigned)getuid());
	for (i = 0; i < 2; i++)
		w->ours[i] = access(w->name[i], F_OK);
	w->root_dir = !getuid() && access(ROOT_DIR, F_OK);
}

static bool maps(const char *pid, const char *file)
{
	char path[64], line[512];
	bool found = false;
	size_t len;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%.20s/maps", pid);
	f = fopen(path, "re");
	while (f && !found && fgets(line, sizeof(line), f)) {
		len = strcspn(line, "\n");
		line[len] = '\0';
		found = len > strlen(file) &&
			!strcmp(line + len - strlen(file), file);
	}
	if (f)
		fclose(f);
	return found;
}

/* Has somebody but US come to wait by it meanwhile? */
static bool is_used(const char *file, pid_t us)
{
	struct dirent *e;
	bool used = false;
	DIR *d = opendir("/proc");

	while (d && !used && (e = readdir(d)))
		used = atoi(e->d_name) > 0 && atoi(e->d_name) != us &&
		       maps(e->d_name, file);
	if (d)
		closedir(d);
	return used;
}

static int remove_entry(const char *path, const struct stat *st, int type,
			struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path) && errno != ENOENT;
}

static void remove_tree(const char *path)
{
	nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void remove_waits(const struct zsr_lttng_waits *w, pid_t us)
{
	unsigned i;

	for (i = 0; i < 2; i++)
		if (w->ours[i] && !is_used(w->name[i], us))
			unlink(w->name[i]);
}

static void clean(const struct zsr_lttng_waits *w, const char *home, pid_t us)
{
	remove_tree(home);
	if (w->root_dir)
		remove_tree(ROOT_DIR);
	remove_waits(w, us);
}

/* ---- the keeper --------------------------------------------------------------- */

static _Noreturn void exec_daemon(const char *home)
{
	char log[96];
	sigset_t none;
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	snprintf(log, sizeof(log), "%s/log", home);
	fd = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	dup2(open("/dev/null", O_RDONLY), 0);
	dup2(fd, 1);
	dup2(fd, 2);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setenv("HOME", home, 1);
	setenv("LTTNG_HOME", home, 1);
	execlp(PROGRAM, PROGRAM, "--no-kernel", "--sig-parent", (char *)NULL);
	_exit(NOT_THERE);
}

/* The last line that it wrote. */
static void last_words(const char *home, char *text, size_t room)
{
	char path[96], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/log", home);
	snprintf(text, room, "it ended at once");
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		snprintf(text, room, "%.*s", (int)strcspn(line, "\n"), line);
	if (f)
		fclose(f);
}

/* Until it tells that it is ready. What went wrong, "" if nothing did. */
static void await_ready(pid_t daemon, const char *home, char *text, size_t room)
{
	const struct timespec limit = { .tv_sec = START_SECONDS };
	int sig, status = 0;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGCHLD);
	sig = sigtimedwait(&set, NULL, &limit);
	*text = '\0';
	if (sig == SIGUSR1)
		return;
	if (sig < 0)
		snprintf(text, room, "not ready within %d s", START_SECONDS);
	else if (waitpid(daemon, &status, 0) == daemon && WIFEXITED(status) &&
		 WEXITSTATUS(status) == NOT_THERE)
		snprintf(text, room,
			 "the program is not there (package lttng-tools)");
	else
		last_words(home, text, room);
}

static void end_daemon(pid_t daemon)
{
	const struct timespec limit = { .tv_sec = STOP_SECONDS };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	if (kill(daemon, SIGTERM))
		return;
	if (waitpid(daemon, NULL, WNOHANG) == 0 &&
	    sigtimedwait(&set, NULL, &limit) < 0)
		kill(daemon, SIGKILL);
	waitpid(daemon, NULL, 0);
}

/* HOLD's end is the end; READY gets what went wrong. Signals that end our
 * caller must not end it: a terminal sends them to all. */
static _Noreturn void keep(const char *home, const struct zsr_lttng_waits *waits,
			   int hold, int ready)
{
	struct pollfd end = { .fd = hold, .events = POLLIN };
	pid_t us = getppid(), daemon;
	char text[256];
	sigset_t all;

	setsid();
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	signal(SIGCHLD, SIG_DFL);
	daemon = fork();
	if (!daemon)
		exec_daemon(home);
	await_ready(daemon, home, text, sizeof(text));
	if (write(ready, text, strlen(text)) < 0)
		*text = '\0';
	close(ready);
	while (poll(&end, 1, -1) < 0)
		;
	end_daemon(daemon);
	clean(waits, home, us);
	_exit(0);
}

static int start_keeper(struct zsr_lttng_daemon *d,
			const struct zsr_lttng_waits *waits, struct zsr_err *err)
{
	int hold[2] = { -1, -1 }, ready[2] = { -1, -1 }, i;
	char text[256];
	ssize_t n;

	if (pipe2(hold, O_CLOEXEC) || pipe2(ready, O_CLOEXEC))
		return zsr_err_sys(err, errno, "pipe");
	d->keeper = fork();
	if (d->keeper < 0)
		return zsr_err_sys(err, errno, "fork");
	if (!d->keeper) {
		close(hold[1]);
		close(ready[0]);
		keep(d->home, waits, hold[0], ready[1]);
	}
	close(hold[0]);
	close(ready[1]);
	d->hold = hold[1];
	n = read(ready[0], text, sizeof(text) - 1);
	close(ready[0]);
	i = (int)zsr_max(n, 0);
	text[i] = '\0';
	return i ? zsr_err_sys(err, ECHILD, PROGRAM ": %s", text) : 0;
}

/* ---- root's ---------------------------------------------------------------------- */

/* One at a time makes and uses it. The lock is on a file that is there. */
static int lock_root(void)
{
	int fd = open("/var/run", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		while (flock(fd, LOCK_EX) && errno == EINTR)
			;
	return fd;
}

static bool root_has_one(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX,
				  .sun_path = ROOT_SOCKET };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool there;

	if (fd < 0)
		return false;
	there = !connect(fd, (const struct sockaddr *)&to, sizeof(to));
	close(fd);
	return there;
}

/* ---- life ------------------------------------------------------------------------- */

int zsr_lttng_daemon_start(struct zsr_lttng_daemon *d, struct zsr_err *err)
{
	*d = (struct zsr_lttng_daemon){ .hold = -1, .lock = -1 };
	if (!getuid()) {
		d->lock = lock_root();
		if (root_has_one())
			return 0;
	}
	waits_init(&d->waits);
	/* Not $TMPDIR: the name of a socket must not be long. */
	snprintf(d->home, sizeof(d->home), "/tmp/zsr-lttng.XXXXXX");
	if (!mkdtemp(d->home))
		return zsr_err_sys(err, errno, "%s", d->home);
	setenv("LTTNG_HOME", d->home, 1);
	return start_keeper(d, &d->waits, err);
}

void zsr_lttng_daemon_none(struct zsr_lttng_daemon *d)
{
	*d = (struct zsr_lttng_daemon){ .hold = -1, .lock = -1 };
	waits_init(&d->waits);
}

void zsr_lttng_daemon_stop(struct zsr_lttng_daemon *d)
{
	if (d->keeper <= 0)
		remove_waits(&d->waits, getpid());
	if (d->hold >= 0)
		close(d->hold);
	if (d->keeper > 0)
		while (waitpid(d->keeper, NULL, 0) < 0 && errno == EINTR)
			;
	if (d->lock >= 0)
		close(d->lock);
	*d = (struct zsr_lttng_daemon){ .hold = -1, .lock = -1 };
}
