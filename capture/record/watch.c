// SPDX-License-Identifier: GPL-2.0-only
/*
 * What goes on beside the calls that are recorded: a process that is followed,
 * and samples of memory, which are marks and so have the clock of the trace.
 */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "capture/record/record.h"

/* ---- a process ------------------------------------------------------------------ */

int rec_follow(struct rec_session *s, pid_t pid, struct zsr_err *err)
{
	char path[60];
	struct dirent *e;
	unsigned nr = 0;
	DIR *d;

	if (tracefs_option_enable(s->instance, TRACEFS_OPTION_EVENT_FORK))
		return zsr_err_sys(err, errno, "following children");
	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	d = opendir(path);
	if (!d)
		return zsr_err_sys(err, ESRCH, "process %d", (int)pid);
	while ((e = readdir(d)))
		if (e->d_name[0] != '.')
			nr += tracefs_instance_file_append(s->instance,
							   "set_event_pid",
							   e->d_name) > 0;
	closedir(d);
	return nr ? 0
		  : zsr_err_sys(err, errno, "following process %d", (int)pid);
}

/* It is gone when nobody has waited for it yet, too. */
static bool is_over(int fd, pid_t pid)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return fd >= 0 ? poll(&p, 1, 0) > 0 : kill(pid, 0) && errno == ESRCH;
}

int rec_await(pid_t pid, int *sig, struct zsr_err *err)
{
	const struct timespec period = { .tv_nsec = 50000000 };
	int fd = (int)syscall(SYS_pidfd_open, pid, 0), got;
	sigset_t wait;

	*sig = 0;
	sigemptyset(&wait);
	sigaddset(&wait, SIGINT);
	sigaddset(&wait, SIGTERM);
	sigaddset(&wait, SIGHUP);
	while (!*sig && !is_over(fd, pid)) {
		got = sigtimedwait(&wait, NULL, &period);
		*sig = zsr_max(got, 0);
	}
	if (fd >= 0)
		close(fd);
	return 0;
}

/* ---- samples -------------------------------------------------------------------- */

#define QUIET_NS 100000000 /* so often also when nothing changes */

struct sampler {
	int mm_stat;
	int vmstat;
	int pressure;
	int marker;
	uint64_t page;
	uint64_t last[2]; /* pages of the pool, and of all zspages */
	uint64_t last_ns;
};

/* Text of a file that is open, from its begin. */
static const char *again(int fd, char *buf, size_t size)
{
	ssize_t n = fd < 0 ? -1 : pread(fd, buf, size - 1, 0);

	buf[n > 0 ? n : 0] = '\0';
	return buf;
}

/* The number behind NAME; UINT64_MAX: there is none. */
static uint64_t named(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? strtoull(at + strlen(name), NULL, 10) : UINT64_MAX;
}

static int add(char *to, int n, size_t size, const char *name, uint64_t v)
{
	if (v == UINT64_MAX)
		return n;
	return n + snprintf(to + n, size - (size_t)n, " %s=%" PRIu64, name, v);
}

static void sample(struct sampler *s)
{
	uint64_t pool = UINT64_MAX, all, now = zsr_clock_ns();
	char buf[16384], mark[300] = "vmstat";
	unsigned long long used;
	int n = (int)strlen(mark);

	if (sscanf(again(s->mm_stat, buf, sizeof(buf)), "%*u %*u %llu",
		   &used) == 1)
		pool = used / s->page;
	again(s->vmstat, buf, sizeof(buf));
	all = named(buf, "\nnr_zspages ");
	if (pool == s->last[0] && all == s->last[1] &&
	    now - s->last_ns < QUIET_NS)
		return;
	s->last[0] = pool;
	s->last[1] = all;
	s->last_ns = now;
	n = add(mark, n, sizeof(mark), "pool_pages", pool);
	n = add(mark, n, sizeof(mark), "nr_zspages", all);
	n = add(mark, n, sizeof(mark), "nr_free_pages",
		strncmp(buf, "nr_free_pages ", 14)
			? named(buf, "\nnr_free_pages ")
			: strtoull(buf + 14, NULL, 10));
	again(s->pressure, buf, sizeof(buf));
	if (*buf) {
		const char *full = strstr(buf, "\nfull ");

		n = add(mark, n, sizeof(mark), "some_us", named(buf, "total="));
		if (full)
			n = add(mark, n, sizeof(mark), "full_us",
				named(full, "total="));
	}
	if (write(s->marker, mark, (size_t)n) < 0)
		return;
}

static void sample_all(const char *zram, unsigned period_us)
{
	const struct timespec period = {
		.tv_sec = period_us / 1000000,
		.tv_nsec = (long)(period_us % 1000000) * 1000,
	};
	const char *marker = getenv("ZSR_MARKER");
	struct sampler s = { .page = (uint64_t)sysconf(_SC_PAGESIZE) };
	char path[64];

	snprintf(path, sizeof(path), "/sys/block/%s/mm_stat", zram);
	s.mm_stat = *zram ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	s.vmstat = open("/proc/vmstat", O_RDONLY | O_CLOEXEC);
	s.pressure = open("/proc/pressure/memory", O_RDONLY | O_CLOEXEC);
	s.marker = marker ? open(marker, O_WRONLY | O_CLOEXEC) : -1;
	while (s.marker >= 0) {
		sample(&s);
		nanosleep(&period, NULL);
	}
}

pid_t rec_sample_begin(const char *zram, unsigned period_us, struct zsr_err *err)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		return zsr_err_sys(err, errno, "fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == parent)
			sample_all(zram, period_us);
		_exit(1);
	}
	return pid;
}

void rec_sample_end(pid_t pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}
