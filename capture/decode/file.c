// SPDX-License-Identifier: GPL-2.0-only
/* Reading files of strangers: regular ones only, never past their end. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/decode/decode.h"

static const char *kind_of(mode_t mode)
{
	return S_ISDIR(mode)    ? "a directory"
	       : S_ISFIFO(mode) ? "a named pipe"
	       : S_ISCHR(mode)  ? "a character device"
	       : S_ISBLK(mode)  ? "a block device"
	       : S_ISSOCK(mode) ? "a socket"
				: "a symbolic link";
}

int dec_file_open(struct dec_file *f, int dirfd, const char *path,
		  const char *name, struct zsr_err *err)
{
	/* Not blocking: opening a pipe nobody writes to must return. */
	int flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
	struct stat st;
	int ret;

	memset(f, 0, sizeof(*f));
	f->fd = -1;
	snprintf(f->name, sizeof(f->name), "%s", name);
	if (dirfd != AT_FDCWD)
		flags |= O_NOFOLLOW;
	if (fstatat(dirfd, path, &st,
		    flags & O_NOFOLLOW ? AT_SYMLINK_NOFOLLOW : 0))
		return zsr_err_input(err, "%s: %s", name, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return zsr_err_input(err, "%s: is %s, not a regular file", name,
				     kind_of(st.st_mode));
	f->fd = openat(dirfd, path, flags);
	if (f->fd < 0)
		return zsr_err_input(err, "%s: %s", name, strerror(errno));
	if (fstat(f->fd, &st) || !S_ISREG(st.st_mode)) {
		ret = zsr_err_input(err, "%s: not a regular file", name);
		dec_file_close(f);
		return ret;
	}
	f->seekable = true;
	f->size = (uint64_t)st.st_size;
	return 0;
}

int dec_file_stdin(struct dec_file *f, struct zsr_err *err)
{
	struct stat st;

	memset(f, 0, sizeof(*f));
	snprintf(f->name, sizeof(f->name), "standard input");
	f->fd = dup(STDIN_FILENO);
	if (f->fd < 0 || fstat(f->fd, &st))
		return zsr_err_input(err, "%s: %s", f->name, strerror(errno));
	f->seekable = S_ISREG(st.st_mode);
	f->size = f->seekable ? (uint64_t)st.st_size : 0;
	return 0;
}

void dec_file_close(struct dec_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
	free(f->mem);
	f->mem = NULL;
}

int dec_file_head(struct dec_file *f, uint8_t *head, size_t room, size_t *len,
		  struct zsr_err *err)
{
	int ret;

	if (f->seekable) {
		*len = (size_t)zsr_min((uint64_t)room, f->size);
		ret = dec_file_read(f, 0, head, *len, err);
		return ret ? zsr_err_wrap(err, ret, "%s", f->name) : 0;
	}
	f->mem = malloc(room);
	if (!f->mem)
		return zsr_err_nomem(err, f->name);
	while (f->size < room) {
		ssize_t n = read(f->fd, f->mem + f->size, room - f->size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return zsr_err_input(err, "%s: %s", f->name,
					     strerror(errno));
		if (!n)
			break;
		f->size += (size_t)n;
	}
	*len = (size_t)f->size;
	memcpy(head, f->mem, *len);
	return 0;
}

int dec_file_slurp(struct dec_file *f, uint64_t max, struct zsr_err *err)
{
	size_t used = (size_t)f->size, cap = used;

	for (;;) {
		ssize_t n;

		if (used >= max)
			return zsr_err_input(err,
					     "%s: more than %" PRIu64
					     " bytes from a pipe: name a file",
					     f->name, max);
		if (zsr_grow(&f->mem, &cap, used + 65536, 1))
			return zsr_err_nomem(err, f->name);
		n = read(f->fd, f->mem + used, cap - used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return zsr_err_input(err, "%s: %s", f->name,
					     strerror(errno));
		used += (size_t)n;
		f->size = used;
		if (!n)
			break;
	}
	f->seekable = true;
	return 0;
}

int dec_file_read(struct dec_file *f, uint64_t off, void *buf, size_t len,
		  struct zsr_err *err)
{
	uint8_t *to = buf;

	if (len > f->size || off > f->size - len)
		return zsr_err_input(err,
				     "truncated: %zu bytes at offset %" PRIu64
				     " are needed, the file has %" PRIu64,
				     len, off, f->size);
	if (f->mem) {
		if (len)
			memcpy(buf, f->mem + off, len);
		return 0;
	}
	while (len) {
		ssize_t n = pread(f->fd, to, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return zsr_err_input(err, "%s", strerror(errno));
		if (!n)
			return zsr_err_input(err, "shrank while it was read");
		to += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

int dec_file_text(int dirfd, const char *path, const char *name, size_t max,
		  char **text, size_t *len, struct zsr_err *err)
{
	struct dec_file f;
	int ret;

	*text = NULL;
	ret = dec_file_open(&f, dirfd, path, name, err);
	if (ret)
		return ret;
	if (f.size > max) {
		ret = zsr_err_input(err, "%s: %" PRIu64 " bytes, at most %zu",
				    name, f.size, max);
		goto out;
	}
	*len = (size_t)f.size;
	*text = malloc(*len + 1);
	if (!*text) {
		ret = zsr_err_nomem(err, name);
		goto out;
	}
	ret = dec_file_read(&f, 0, *text, *len, err);
	if (ret) {
		zsr_err_wrap(err, ret, "%s", name);
		free(*text);
		*text = NULL;
		goto out;
	}
	(*text)[*len] = '\0';
out:
	dec_file_close(&f);
	return ret;
}
