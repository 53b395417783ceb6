// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/record/record.h"

#define MAX_FILE (4u << 20)

static int open_at(const char *fmt, va_list ap, int flags)
{
	char *path;
	int fd;

	if (vasprintf(&path, fmt, ap) < 0)
		return -1;
	fd = open(path, flags | O_CLOEXEC);
	free(path);
	return fd;
}

char *rec_read(const char *fmt, ...)
{
	size_t len = 0, cap = 0;
	char *text = NULL;
	ssize_t n = -1;
	va_list ap;
	int fd;

	va_start(ap, fmt);
	fd = open_at(fmt, ap, O_RDONLY);
	va_end(ap);
	if (fd < 0)
		return NULL;
	while (len < MAX_FILE && !zsr_grow(&text, &cap, len + 4096, 1)) {
		n = read(fd, text + len, cap - len - 1);
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	close(fd);
	if (n < 0) {
		free(text);
		return NULL;
	}
	while (len && strchr(" \t\n", text[len - 1]))
		len--;
	text[len] = '\0';
	return text;
}

int rec_write(const char *text, const char *fmt, ...)
{
	int fd, ret = 0;
	va_list ap;

	va_start(ap, fmt);
	fd = open_at(fmt, ap, O_WRONLY);
	va_end(ap);
	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}
