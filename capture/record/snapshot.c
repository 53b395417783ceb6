// SPDX-License-Identifier: GPL-2.0-only
/*
 * Snapshots and marks, from the recorder and from commands under it: the
 * environment says where marks go (ZSR_MARKER), whose numbers are meant
 * (ZSR_ZRAM) and where they are kept (ZSR_SNAPSHOTS).
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/record/record.h"

void zsr_record_mark(const char *text)
{
	const char *marker = getenv("ZSR_MARKER");

	if (marker)
		rec_write(text, "%s", marker);
}

static int keep(const char *dir, const char *name, const char *what,
		const char *text, struct zsr_err *err)
{
	char path[400];
	int fd, ret = 0;

	snprintf(path, sizeof(path), "%s/%s.%s", dir, name, what);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		ret = zsr_err_sys(err, errno, "%s", path);
	if (fd >= 0)
		close(fd);
	return ret;
}

static int take(const char *dir, const char *zram, const char *name,
		struct zsr_err *err)
{
	static const struct {
		const char *dir;
		const char *what;
	} files[] = {
		{ "/sys/block", "mm_stat" },
		{ "/sys/block", "io_stat" },
		{ "/sys/kernel/debug/zsmalloc", "classes" },
	};
	char *text;
	size_t i;
	int ret = 0;

	for (i = 0; i < ZSR_ARRAY_SIZE(files) && !ret; i++) {
		text = rec_read("%s/%s/%s", files[i].dir, zram, files[i].what);
		if (text)
			ret = keep(dir, name, files[i].what, text, err);
		free(text);
	}
	return ret;
}

/* Zswap's numbers, a line each. */
static int take_zswap(const char *dir, const char *name, struct zsr_err *err)
{
	static const char from[] = "/sys/kernel/debug/zswap";
	DIR *d = opendir(from);
	struct dirent *e;
	char *text = NULL, *value;
	size_t len;
	FILE *f = d ? open_memstream(&text, &len) : NULL;
	int ret = 0;

	while (f && (e = readdir(d))) {
		value = e->d_name[0] == '.' ? NULL
					    : rec_read("%s/%s", from, e->d_name);
		if (value)
			fprintf(f, "%s %s\n", e->d_name, value);
		free(value);
	}
	if (d)
		closedir(d);
	if (f && !fclose(f) && len)
		ret = keep(dir, name, "zswap", text, err);
	free(text);
	return ret;
}

int zsr_record_snapshot(const char *name, struct zsr_err *err)
{
	const char *dir = getenv("ZSR_SNAPSHOTS"), *zram = getenv("ZSR_ZRAM");
	char mark[200];
	int ret;

	if (!dir || !zram)
		return 0;
	snprintf(mark, sizeof(mark), "snap:%s", name);
	zsr_record_mark(mark);
	ret = *zram ? take(dir, zram, name, err) : 0;
	if (!ret)
		ret = take_zswap(dir, name, err);
	snprintf(mark, sizeof(mark), "snapped:%s", name);
	zsr_record_mark(mark);
	return ret;
}
