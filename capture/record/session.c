// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a capture makes on the system, and how it goes again. A second process
 * waits for the end of the first: when that is killed it cleans up instead.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/record/record.h"

static void names(struct rec_session *s, pid_t pid)
{
	snprintf(s->name, sizeof(s->name), "zsr.%d", (int)pid);
	snprintf(s->group, sizeof(s->group), "zsr_%d", (int)pid);
	snprintf(s->dir, sizeof(s->dir), "/run/zsr.%d", (int)pid);
}

static bool is_locked_down(void)
{
	char *text = rec_read("/sys/kernel/security/lockdown");
	bool is = text && strstr(text, "[confidentiality]");

	free(text);
	return is;
}

const char *rec_tracefs(struct zsr_err *err)
{
	const char *dir;

	if (geteuid()) {
		zsr_err_sys(err, EPERM, "recording takes root");
		return NULL;
	}
	if (is_locked_down()) {
		zsr_err_sys(err, EPERM,
			    "this kernel is locked down (confidentiality), it "
			    "lets nobody trace");
		return NULL;
	}
	if (tracefs_tracing_dir_is_mounted(true, &dir) < 0) {
		zsr_err_sys(err, ENODEV,
			    "no tracefs, and none could be mounted");
		return NULL;
	}
	return tracefs_tracing_dir();
}

/* ---- removing ----------------------------------------------------------------- */

/* Function probes have no file of their own. */
static const char *probe_file(bool is_fprobe)
{
	return is_fprobe || tracefs_file_exists(NULL, "dynamic_events")
		       ? "dynamic_events"
		       : "kprobe_events";
}

/* Probes of GROUP: "p:zsr_12/zs_free zs_free ..." is removed by "-:zsr_12/zs_free". */
static unsigned remove_probes(const char *group)
{
	const char *file = probe_file(false);
	char *list = tracefs_instance_file_read(NULL, file, NULL);
	char *save = NULL, *line, *name, what[300];
	unsigned nr = 0;

	for (line = list ? strtok_r(list, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save)) {
		name = strchr(line, ':');
		if (!name || strncmp(name + 1, group, strlen(group)) ||
		    name[1 + strlen(group)] != '/')
			continue;
		snprintf(what, sizeof(what), "-:%.*s",
			 (int)strcspn(name + 1, " "), name + 1);
		nr += tracefs_instance_file_append(NULL, file, what) > 0;
	}
	free(list);
	return nr;
}

static unsigned remove_dir(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;

	if (!d)
		return 0;
	while ((e = readdir(d)))
		unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
	return !rmdir(path);
}

static unsigned remove_instance(const char *name)
{
	struct tracefs_instance *i;
	unsigned nr = 0;

	if (!tracefs_instance_exists(name))
		return 0;
	i = tracefs_instance_create(name);
	if (!i)
		return 0;
	tracefs_trace_off(i);
	tracefs_event_disable(i, NULL, NULL);
	nr = !tracefs_instance_destroy(i);
	tracefs_instance_free(i);
	return nr;
}

unsigned rec_session_remove(pid_t pid)
{
	struct rec_session s = { 0 };
	unsigned nr = 0;
	char *zram;

	names(&s, pid);
	zram = rec_read("%s/zram", s.dir);
	if (zram && !strncmp(zram, "zram", 4))
		nr += !rec_zram_remove(zram);
	free(zram);
	nr += remove_instance(s.name);
	nr += remove_probes(s.group);
	return nr + remove_dir(s.dir);
}

/* ---- the guardian ------------------------------------------------------------- */

static void guard(int fd, pid_t pid)
{
	char c;
	int i;

	setsid();
	for (i = 1; i < NSIG; i++)
		signal(i, SIG_IGN);
	/* A byte: all is well. The end: it was killed. */
	if (read(fd, &c, 1) != 1)
		rec_session_remove(pid);
	_exit(0);
}

static int post_guardian(struct rec_session *s, struct zsr_err *err)
{
	pid_t pid = getpid();
	int fd[2];

	if (pipe2(fd, O_CLOEXEC))
		return zsr_err_sys(err, errno, "pipe");
	s->guardian = fork();
	if (s->guardian < 0) {
		close(fd[0]);
		close(fd[1]);
		return zsr_err_sys(err, errno, "fork");
	}
	if (!s->guardian) {
		close(fd[1]);
		guard(fd[0], pid);
	}
	close(fd[0]);
	s->guard = fd[1];
	return 0;
}

static void dismiss_guardian(struct rec_session *s)
{
	if (s->guardian <= 0)
		return;
	if (write(s->guard, "", 1) < 0)
		kill(s->guardian, SIGKILL);
	close(s->guard);
	waitpid(s->guardian, NULL, 0);
	s->guardian = 0;
}

/* ---- a session ------------------------------------------------------------------ */

int rec_session_begin(struct rec_session *s, struct zsr_err *err)
{
	int ret;

	memset(s, 0, sizeof(*s));
	if (!rec_tracefs(err))
		return -EPERM;
	names(s, getpid());
	/* Of one that had this number before us, and was killed. */
	rec_session_remove(getpid());
	ret = post_guardian(s, err);
	if (ret)
		return ret;
	mkdir("/run", 0755);
	if (mkdir(s->dir, 0700) && errno != EEXIST)
		return zsr_err_sys(err, errno, "%s", s->dir);
	s->instance = tracefs_instance_create(s->name);
	if (!s->instance)
		return zsr_err_sys(err, errno, "trace instance %s", s->name);
	if (tracefs_trace_off(s->instance) ||
	    tracefs_instance_file_write(s->instance, "trace_clock", "mono") < 0)
		return zsr_err_sys(err, errno, "trace instance %s: clock mono",
				   s->name);
	return 0;
}

void rec_session_end(struct rec_session *s)
{
	unsigned i;

	if (s->instance)
		tracefs_instance_free(s->instance);
	if (*s->name)
		rec_session_remove(getpid());
	for (i = 0; i < s->nr_probes; i++)
		free(s->probe[i]);
	dismiss_guardian(s);
}

void rec_session_zram(struct rec_session *s, const char *zram)
{
	char path[100];
	int fd;

	snprintf(s->zram, sizeof(s->zram), "%s", zram);
	snprintf(path, sizeof(path), "%s/zram", s->dir);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	if (write(fd, zram, strlen(zram)) < 0)
		unlink(path);
	close(fd);
}

/* Of the kernel, whatever this program is built for. */
static bool is_arm32(const char *machine)
{
	return !strncmp(machine, "arm", 3) && strcmp(machine, "arm64") &&
	       strncmp(machine, "armv8", 5);
}

/* "$arg1" and "$caller" as this kernel has them. */
static void expand(char *to, size_t room, const char *from)
{
	struct utsname u;
	bool is_arm;
	size_t n = 0;

	uname(&u);
	is_arm = !strncmp(u.machine, "a", 1);
	while (*from && n + 8 < room) {
		if (!strncmp(from, "$caller", 7)) {
			strcpy(to + n, is_arm32(u.machine) ? "%lr"
				       : is_arm            ? "%x30"
							   : "$stack0");
			from += 7;
			n += strlen(to + n);
		} else if (!strncmp(from, "$arg", 4) && is_arm32(u.machine)) {
			n += (size_t)sprintf(to + n, "%%r%c", from[4] - 1);
			from += 5;
		} else {
			to[n++] = *from++;
		}
	}
	to[n] = '\0';
}

int rec_probe(struct rec_session *s, const char *fmt, ...)
{
	char given[400], text[400], what[420];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(given, sizeof(given), fmt, ap);
	va_end(ap);
	expand(text, sizeof(text), given);
	if (s->nr_probes == REC_PROBES)
		return -ENOSPC;
	snprintf(what, sizeof(what), "%s\n", text);
	if (tracefs_instance_file_append(NULL, probe_file(*text == 'f'), what) <
	    0)
		return -errno;
	s->probe[s->nr_probes] = strdup(text);
	if (!s->probe[s->nr_probes])
		return -ENOMEM;
	s->nr_probes++;
	return 0;
}

/* ---- what others left ------------------------------------------------------------ */

static bool is_gone(pid_t pid)
{
	return pid > 0 && kill(pid, 0) && errno == ESRCH;
}

/* The process of "zsr.12" or "p:zsr_12/zs_free", 0: none of ours. */
static pid_t owner(const char *name)
{
	if (!strncmp(name, "zsr.", 4) || !strncmp(name, "zsr_", 4))
		return (pid_t)atoi(name + 4);
	return 0;
}

int zsr_record_cleanup(unsigned *nr, struct zsr_err *err)
{
	char **instances, *list, *save = NULL, *line, *name;
	struct dirent *e;
	DIR *d;
	int i;

	*nr = 0;
	if (!rec_tracefs(err))
		return -EPERM;
	d = opendir("/run");
	while (d && (e = readdir(d)))
		if (is_gone(owner(e->d_name)))
			*nr += rec_session_remove(owner(e->d_name));
	if (d)
		closedir(d);
	instances = tracefs_instances(NULL);
	for (i = 0; instances && instances[i]; i++)
		if (is_gone(owner(instances[i])))
			*nr += rec_session_remove(owner(instances[i]));
	tracefs_list_free(instances);
	list = tracefs_instance_file_read(NULL, probe_file(false), NULL);
	for (line = list ? strtok_r(list, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save)) {
		name = strchr(line, ':');
		if (name && is_gone(owner(name + 1)))
			*nr += rec_session_remove(owner(name + 1));
	}
	free(list);
	return 0;
}
