// SPDX-License-Identifier: GPL-2.0-only
/* Files that are there whole or not at all. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"

/* Beside its place, with the rights of any new file. */
static int open_temp(struct zsr_outfile *w)
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

/* Not through a temporary file: what is no regular file stays what it is. */
static bool special(const char *path)
{
	struct stat st;

	return !strcmp(path, "-") || (!stat(path, &st) && !S_ISREG(st.st_mode));
}

int zsr_outfile_open(struct zsr_outfile *w, const char *path,
		     struct zsr_err *err)
{
	int fd, ret;

	*w = (struct zsr_outfile){ .path = strdup(path) };
	if (!w->path)
		return zsr_err_nomem(err, "path");
	if (!strcmp(path, "-"))
		fd = dup(STDOUT_FILENO);
	else if (special(path))
		fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	else
		fd = open_temp(w);
	w->f = fd < 0 ? NULL : fdopen(fd, "w");
	if (w->f)
		return 0;
	ret = zsr_err_sys(err, errno, "%s", path);
	if (fd >= 0)
		close(fd);
	zsr_outfile_abort(w);
	return ret;
}

static void release(struct zsr_outfile *w)
{
	free(w->path);
	free(w->temp);
	*w = (struct zsr_outfile){ 0 };
}

void zsr_outfile_abort(struct zsr_outfile *w)
{
	if (w->f)
		fclose(w->f);
	if (w->temp)
		unlink(w->temp);
	release(w);
}

int zsr_outfile_close(struct zsr_outfile *w, struct zsr_err *err)
{
	bool bad = ferror(w->f);
	int ret;

	bad |= fclose(w->f) != 0;
	w->f = NULL;
	if (!bad && (!w->temp || !rename(w->temp, w->path))) {
		release(w);
		return 0;
	}
	ret = zsr_err_sys(err, errno ? errno : EIO, "%s", w->path);
	zsr_outfile_abort(w);
	return ret;
}

int zsr_outfile_scratch(const struct zsr_outfile *w, struct zsr_err *err)
{
	const char *slash = strrchr(w->path, '/'), *dir = getenv("TMPDIR");
	char *name = NULL;
	int fd, n;

	if (w->temp)
		n = asprintf(&name, "%.*szsr.XXXXXX",
			     slash ? (int)(slash - w->path) + 1 : 0, w->path);
	else
		n = asprintf(&name, "%s/zsr.XXXXXX", dir ? dir : "/tmp");
	if (n < 0)
		return zsr_err_nomem(err, "path");
	fd = mkostemp(name, O_CLOEXEC);
	if (fd < 0)
		fd = zsr_err_sys(err, errno, "%s", name);
	else
		unlink(name);
	free(name);
	return fd;
}
