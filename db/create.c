// SPDX-License-Identifier: GPL-2.0-only
/*
 * A new database. It is built in memory, written to a file beside its place
 * and then linked there, so that nobody ever sees half of one.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db/private.h"

__asm__(".pushsection .rodata\n"
	".local zsr_schema_sql\n"
	"zsr_schema_sql: .incbin \"db/schema.sql\"\n"
	".byte 0\n"
	".popsection\n");
extern const char zsr_schema_sql[];

static int build_image(unsigned char **image, size_t *size, struct zsr_err *err)
{
	sqlite3 *sql;
	sqlite3_int64 n = 0;
	int rc = sqlite3_open(":memory:", &sql);

	if (rc == SQLITE_OK)
		rc = sqlite3_exec(sql, zsr_schema_sql, NULL, NULL, NULL);
	*image = rc == SQLITE_OK ? sqlite3_serialize(sql, "main", &n, 0) : NULL;
	*size = (size_t)n;
	if (!*image)
		rc = zsr_err_sys(err, ENOMEM, "new database: %s",
				 sqlite3_errmsg(sql));
	sqlite3_close(sql);
	return rc;
}

static int write_all(int fd, const unsigned char *p, size_t n)
{
	while (n) {
		ssize_t w = write(fd, p, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return w ? -errno : -EIO;
		p += w;
		n -= (size_t)w;
	}
	return 0;
}

/* TEMP gets the image; rights as for any new file. */
static int write_temp(char *temp, const unsigned char *image, size_t size)
{
	mode_t mask = umask(0);
	int fd, ret;

	umask(mask);
	fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = write_all(fd, image, size);
	if (!ret && fchmod(fd, 0666 & ~mask))
		ret = -errno;
	if (close(fd) && !ret)
		ret = -errno;
	if (ret)
		unlink(temp);
	return ret;
}

int zsr_db_create(const char *path, bool replace_empty, struct zsr_err *err)
{
	unsigned char *image;
	char *temp;
	size_t size;
	int ret;

	if (asprintf(&temp, "%s.XXXXXX", path) < 0)
		return zsr_err_nomem(err, "path");
	ret = build_image(&image, &size, err);
	if (ret)
		goto out;
	ret = write_temp(temp, image, size);
	if (!ret) {
		if (replace_empty ? rename(temp, path) : link(temp, path))
			ret = -errno;
		if (!replace_empty || ret)
			unlink(temp);
	}
	if (ret && ret != -EEXIST)
		zsr_err_sys(err, -ret, "new database %s", path);
	sqlite3_free(image);
out:
	free(temp);
	return ret;
}
