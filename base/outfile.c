// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files that are there whole or not at all. They have no name until they are
 * complete, where the file system can do that: nothing is left of a process
 * that is killed. Elsewhere they are hidden behind a name beside their place.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"

/* "DIR/" of a path, "./" when it has none; malloc'ed. */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? strndup(path, (size_t)(slash - path) + 1) : strdup("./");
}

/* A file without a name, with the rights of any new one. */
static int open_nameless(const char *path, int flags)
{
	char *dir = folder_of(path);
	int fd = dir ? open(dir, O_TMPFILE | O_CLOEXEC | flags, 0666) : -1;

	free(dir);
	return fd;
}

/* One with a name that is free, in w->temp. */
static int open_named(struct zsr_outfile *w)
{
	mode_t mask = umask(0);
	int fd;

	umask(mask);
	if (asprintf(&w->temp, "%s.XXXXXX", w->path) < 0) {
		w->temp = NULL;
		return -1;
	}
	fd = mkostemp(w->temp, O_CLOEXEC);
	if (fd < 0) {
		free(w->temp); /* keeps errno */
		w->temp = NULL;
		return -1;
	}
	fchmod(fd, 0666 & ~mask);
	return fd;
}

/* What is no regular file stays what it is. */
static bool is_special(const char *path)
{
	struct stat st;

	return !strcmp(path, "-") || (!stat(path, &st) && !S_ISREG(st.st_mode));
}

static int open_any(struct zsr_outfile *w)
{
	int fd;

	if (!strcmp(w->path, "-"))
		return dup(STDOUT_FILENO);
	w->special = is_special(w->path);
	if (w->special)
		return open(w->path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	fd = open_nameless(w->path, O_WRONLY);
	return fd < 0 ? open_named(w) : fd;
}

int zsr_outfile_open(struct zsr_outfile *w, const char *path,
		     struct zsr_err *err)
{
	int fd, ret;

	*w = (struct zsr_outfile){ .path = strdup(path) };
	if (!w->path)
		return zsr_err_nomem(err, "path");
	w->special = !strcmp(path, "-");
	fd = open_any(w);
	w->f = fd < 0 ? NULL : fdopen(fd, "w");
	if (w->f)
		return 0;
	ret = zsr_err_sys(err, errno, "%s", path);
	if (fd >= 0)
		close(fd);
	zsr_outfile_abort(w);
	return ret;
}

void zsr_outfile_abort(struct zsr_outfile *w)
{
	if (w->f)
		fclose(w->f);
	if (w->temp)
		unlink(w->temp);
	free(w->path);
	free(w->temp);
	*w = (struct zsr_outfile){ 0 };
}

/* Gives a file without a name one; -1 with errno. */
static int link_fd(int fd, const char *to)
{
	char self[40];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, self, AT_FDCWD, to, AT_SYMLINK_FOLLOW);
}

/* In the place of what is there: that takes a name beside it for a moment. */
static int replace(struct zsr_outfile *w, int fd)
{
	unsigned i;

	if (!w->temp && asprintf(&w->temp, "%s.XXXXXX", w->path) < 0) {
		w->temp = NULL;
		return -1;
	}
	for (i = 0; i < 1000; i++) {
		snprintf(w->temp + strlen(w->path), 8, ".%06u", i);
		if (!link_fd(fd, w->temp))
			return rename(w->temp, w->path);
		if (errno != EEXIST)
			break;
	}
	free(w->temp); /* is not ours; keeps errno */
	w->temp = NULL;
	return -1;
}

static int put_in_place(struct zsr_outfile *w, bool replaces)
{
	int fd = fileno(w->f);

	if (w->special)
		return 0;
	if (w->temp)
		return replaces ? rename(w->temp, w->path)
				: link(w->temp, w->path);
	if (!link_fd(fd, w->path))
		return 0;
	return replaces && errno == EEXIST ? replace(w, fd) : -1;
}

static int finish(struct zsr_outfile *w, bool replaces, struct zsr_err *err)
{
	int ret = 0;

	/* Where writing failed before, that is mostly what failed last. */
	if (ferror(w->f) || fflush(w->f) || put_in_place(w, replaces))
		ret = zsr_err_sys(err, errno ? errno : EIO, "%s", w->path);
	if (!ret && replaces && w->temp) {
		free(w->temp);
		w->temp = NULL;
	}
	zsr_outfile_abort(w);
	return ret;
}

int zsr_outfile_close(struct zsr_outfile *w, struct zsr_err *err)
{
	return finish(w, true, err);
}

int zsr_outfile_close_new(struct zsr_outfile *w, struct zsr_err *err)
{
	return finish(w, false, err);
}

int zsr_outfile_scratch(const struct zsr_outfile *w, struct zsr_err *err)
{
	const char *dir = getenv("TMPDIR");
	char *name = NULL, *near;
	int fd;

	near = w->special ? NULL : folder_of(w->path);
	if (asprintf(&name, "%s%szsr.XXXXXX",
		     near  ? near
		     : dir ? dir
			   : "/tmp",
		     near ? "" : "/") < 0)
		name = NULL;
	free(near);
	if (!name)
		return zsr_err_nomem(err, "path");
	fd = open_nameless(name, O_RDWR);
	if (fd < 0) {
		fd = mkostemp(name, O_CLOEXEC);
		if (fd >= 0)
			unlink(name);
	}
	if (fd < 0)
		fd = zsr_err_sys(err, errno, "%s", name);
	free(name);
	return fd;
}
